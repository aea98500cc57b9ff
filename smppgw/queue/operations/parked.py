"""Receipts that matched nothing when they came: found when their id appears, when it becomes known how the carrier
writes its ids, or by what they say of a segment in doubt."""

from __future__ import annotations

import json
from collections.abc import Sequence

from smppgw.queue import statements as sql
from smppgw.queue.ids import ALL, Learned, readings, receipt_ids, response_id
from smppgw.queue.matcher import (
    CLOCK_STEP_MS,
    Awaited,
    Match,
    choose_for_parked,
    choose_sniffed,
    early_matters,
    forms_of,
    id_of,
    may_be_early,
    resolve_doubts,
)
from smppgw.queue.model import Reason, RecordOutcomes, message_id_at, reference_of
from smppgw.queue.operations.errands import ask_to_cancel
from smppgw.queue.operations.ledger import Ledger, candidate
from smppgw.queue.operations.lookup import Knowledge, Segments
from smppgw.queue.operations.records import Parked, from_json, parked_of, receipt_row, with_flags
from smppgw.queue.operations.transaction import Transaction

_DAY_MS = 86_400_000
#: How long before a doubt another message to its recipient may have been accepted that is still of interest.
_LONGEST_QUEUED_MS = 60 * _DAY_MS
#: How many parked receipts are looked at in one step.
MOST_RETRIED = 500
#: After this time the submit_sm_resp of an early receipt has come, or its segment is in doubt.
SETTLED_AFTER_MS = 120_000
#: A text may turn out to be a receipt for so long after the submit_sm.
_SNIFFED_WITHIN_MS = 3_600_000


def match_parked(tx: Transaction, op: RecordOutcomes, smsc_ids: set[str]) -> None:
    """Receipts, and texts that may be one, that came before their submit_sm_resp find their segment now."""
    if not smsc_ids:
        return
    newest: list[int | None] = tx.found(sql.NEWEST_WAITING, op.carrier)
    if newest == [None, None]:
        return
    # What came before all of these were written is not theirs, however much of it lies there.
    accepted = [one.segment_id for one in op.outcomes if one.smsc_id]
    oldest_utc_ms = tx.one(sql.OLDEST_SUBMIT, json.dumps(accepted)) or 0
    any_parked, any_sniffed = (one is not None and one >= oldest_utc_ms - CLOCK_STEP_MS for one in newest)
    if not any_parked and not any_sniffed:
        return
    knowledge = Knowledge(tx, op.carrier, op.id_form)
    wanted = json.dumps(sorted(_receipt_ids(smsc_ids, knowledge.learned)))
    parked = [parked_of(row) for row in tx.found(sql.PARKED_BY_ID, wanted, op.carrier)] if any_parked else []
    sniffed = tx.found(sql.SNIFFED_BY_ID, wanted, op.carrier) if any_sniffed else []
    if not parked and not sniffed:
        return
    segments = Segments(tx, op.carrier)
    ledger = Ledger(tx, op.now_utc_ms)
    learned_now = _match(tx, op.carrier, parked, segments, ledger, knowledge, op.now_utc_ms)
    _match_sniffed(tx, op, sniffed, segments, ledger, knowledge)
    ledger.write()
    if learned_now:
        retry_newest(tx, op.carrier, knowledge, op.now_utc_ms, MOST_RETRIED)
    knowledge.save()


def _receipt_ids(smsc_ids: set[str], learned: Learned) -> set[str]:
    relations = ALL if learned.relation is None else {learned.relation}
    return {receipt_id for smsc_id in smsc_ids for receipt_id in receipt_ids(smsc_id, relations)}


def _match(
    tx: Transaction,
    carrier: str,
    parked: Sequence[Parked],
    segments: Segments,
    ledger: Ledger,
    knowledge: Knowledge,
    now_utc_ms: int,
    *,
    settled: bool = False,
) -> bool:
    """Applies those that find their segment now. True when the relation of the ids has become another one."""
    learned = knowledge.learned
    every = [readings(id_of(one.receipt), learned.shape) if id_of(one.receipt) else {} for one in parked]
    segments.find(message_id for form in every for message_id in form)
    found = [(one, segments.hits(id_of(one.receipt), form)) for one, form in zip(parked, every, strict=True)]
    matters = any(hits and (settled or early_matters(one.receipt, hits, learned)) for one, hits in found)
    awaited = Awaited(tx.found(sql.UNANSWERED_TO, carrier) if matters else ())
    rows, learned_now = [], False
    for one, hits in found:
        receipt, received = one.receipt, one.received_utc_ms
        early = bool(hits) and may_be_early(receipt, received, awaited)
        match = choose_for_parked(receipt, received, ledger.as_now(hits), learned, early=early, settled=settled)
        if match.segment is None:
            continue
        reason = ledger.apply(match.segment, receipt.state, Reason.RECEIPT)
        rows.append((one.row_id, match.segment.segment_id, reason.value, with_flags(receipt.flags, match.flags)))
        learned_now |= _count(knowledge, match, received, now_utc_ms)
    tx.rows(sql.UNPARK, sql.UNPARK_ROW, rows)
    return learned_now


def _count(knowledge: Knowledge, match: Match, received_utc_ms: int, now_utc_ms: int) -> bool:
    """A receipt found its segment late: it was counted when it came, unless counting began after that."""
    learned = knowledge.learned
    learned.matched += 1
    learned.total += received_utc_ms < learned.since_utc_ms
    knowledge.changed = True
    return knowledge.vote(match.votes, now_utc_ms)


def _match_sniffed(
    tx: Transaction,
    op: RecordOutcomes,
    sniffed: Sequence[tuple[int, str, int, str]],
    segments: Segments,
    ledger: Ledger,
    knowledge: Knowledge,
) -> None:
    """Texts that were receipts all along become that."""
    texts = [(number, bind, received, from_json(text)) for number, bind, received, text in sniffed]
    every = [readings(id_of(receipt), knowledge.learned.shape) for *_, receipt in texts]
    segments.find(message_id for form in every for message_id in form)
    rows, gone = [], []
    for (number, bind, received, receipt), form in zip(texts, every, strict=True):
        hits = [
            hit
            for hit in ledger.as_now(segments.hits(id_of(receipt), form))
            if 0 <= received - hit.segment.submitted_utc_ms <= _SNIFFED_WITHIN_MS
        ]
        match = choose_sniffed(receipt, hits, knowledge.learned)
        if match.segment is not None:
            reason = ledger.apply(match.segment, receipt.state, Reason.RECEIPT)
            flags = with_flags(receipt.flags, match.flags)
            segment = match.segment.segment_id
            rows.append(receipt_row(op.carrier, bind, receipt, segment, reason, flags, received))
            gone.append(number)
            knowledge.learned.matched += 1
            knowledge.learned.total += 1
            knowledge.vote(match.votes, op.now_utc_ms)
            knowledge.changed = True
    tx.rows(sql.INSERT_RECEIPTS, sql.INSERT_RECEIPTS_ROW, rows)
    if gone:
        tx.connection.execute(sql.FORGET_SNIFFED, (json.dumps(gone),))


def retry_newest(tx: Transaction, carrier: str, knowledge: Knowledge, now_utc_ms: int, limit: int) -> None:
    """It has just been learned how the carrier writes its ids: the newest parked receipts are tried by it. The
    others have their turn in the sweeps that follow."""
    _retry(
        tx, carrier, [parked_of(row) for row in tx.found(sql.NEWEST_PARKED, carrier, limit)], knowledge, now_utc_ms
    )


def retry_settled(tx: Transaction, carrier: str, now_utc_ms: int, limit: int) -> bool:
    """A second look at receipts that have waited so long that they cannot be early any more. True when there are
    more."""
    knowledge = Knowledge(tx, carrier)
    learned = knowledge.learned
    before = now_utc_ms - SETTLED_AFTER_MS
    parked = [parked_of(row) for row in tx.found(sql.PARKED_AFTER, carrier, learned.retried, before, limit)]
    if not parked:
        return False
    learned.retried = parked[-1].row_id
    knowledge.look_closer(now_utc_ms)
    knowledge.changed = True
    _retry(tx, carrier, parked, knowledge, now_utc_ms, settled=True)
    knowledge.save()
    return len(parked) >= limit


def give_up_parked(tx: Transaction, carrier: str, before_utc_ms: int, limit: int) -> bool:
    """Receipts that came before `before_utc_ms` stay without a segment. True when there may be more of them."""
    oldest_utc_ms = tx.one(sql.OLDEST_PARKED, carrier)
    if oldest_utc_ms is None or oldest_utc_ms > before_utc_ms:
        return False
    return tx.connection.execute(sql.GIVE_UP_PARKED, (carrier, limit, before_utc_ms)).rowcount >= limit


def _retry(
    tx: Transaction,
    carrier: str,
    parked: Sequence[Parked],
    knowledge: Knowledge,
    now_utc_ms: int,
    *,
    settled: bool = False,
) -> None:
    ledger = Ledger(tx, now_utc_ms)
    _match(tx, carrier, parked, Segments(tx, carrier), ledger, knowledge, now_utc_ms, settled=settled)
    ledger.write()


def settle_doubts(tx: Transaction, carrier: str, match_ms: int, now_utc_ms: int) -> None:
    """Parked receipts that can only belong to one segment in doubt resolve it (see matcher.resolve_doubts)."""
    if not tx.found(sql.ANY_PARKED, carrier)[0]:
        return
    doubtful: list[tuple[int, str]] = tx.found(sql.IN_DOUBT_TO, carrier)
    recipients = {form: recipient for _, recipient in doubtful for form in forms_of(recipient)}
    references = {reference_of(number) for number, _ in doubtful}
    rows = [
        *tx.found(sql.PARKED_BY_SOURCE, json.dumps(sorted(recipients)), carrier),
        *tx.found(sql.PARKED_BY_REFERENCE, json.dumps(sorted(references)), carrier),
    ]
    parked = list({row[0]: parked_of(row) for row in rows}.values())
    sources = {one.receipt.source_addr for one in parked}
    told = {one.receipt.user_message_reference for one in parked}
    wanted = {recipient for number, recipient in doubtful if reference_of(number) in told}
    wanted |= {recipient for form, recipient in recipients.items() if form in sources}
    if not wanted:
        return
    forms = json.dumps(sorted(set[str]().union(*map(forms_of, wanted))))
    oldest = message_id_at(max(now_utc_ms - match_ms - _LONGEST_QUEUED_MS, 0))
    written = [candidate(row) for row in tx.found(sql.WRITTEN_TO, forms, oldest, carrier)]
    pairs = resolve_doubts([(one.receipt, one.received_utc_ms) for one in parked], written, match_ms)
    if not pairs:
        return
    learned = Knowledge(tx, carrier).learned
    ledger = Ledger(tx, now_utc_ms)
    updates, ids = [], {}
    for index, segment in pairs:
        one = parked[index]
        reason = ledger.apply(segment, one.receipt.state, Reason.RECEIPT_MATCHED_IN_DOUBT)
        updates.append((one.row_id, segment.segment_id, reason.value, one.receipt.flags))
        if id_of(one.receipt):
            ids[segment.segment_id] = response_id(id_of(one.receipt), learned)
    tx.rows(sql.UNPARK, sql.UNPARK_ROW, updates)
    ledger.write()
    tx.rows(sql.LEARN_SMSC_ID, sql.LEARN_SMSC_ID_ROW, list(ids.items()))
    taken_back = {segment.segment_id for _, segment in pairs if segment.reason is Reason.CANCELLED_BY_APP}
    ask_to_cancel(tx, carrier, sorted(taken_back & ledger.sent()), now_utc_ms)
