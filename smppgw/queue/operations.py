"""What each operation does to the tables: functions run inside a transaction, on the thread of the connection.

Each takes a fixed number of statements, whatever the size of its batch. Decisions are made by the pure rules in
model, matcher and retry; nothing here knows of threads, loops or commits.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar

from smppgw.addresses import Address
from smppgw.queue import statements as sql
from smppgw.queue.matcher import Candidate, choose, choose_for_parked, effect_of, resolve_doubts
from smppgw.queue.model import (
    TRANSITIONS,
    VERDICT_OF_ONE,
    Accept,
    Acceptance,
    AcceptStatus,
    Claim,
    Claimed,
    ClaimedSegment,
    Doubt,
    IdSource,
    Lane,
    Move,
    NewMessage,
    Op,
    OutcomeKind,
    OutcomesRecorded,
    Probe,
    Reason,
    ReceiptRecord,
    ReceiptsRecorded,
    ReceiptState,
    RecordInbound,
    RecordOutcomes,
    RecordReceipts,
    Recover,
    RetryPlan,
    SegmentState,
    SubmitOutcome,
    Sweep,
    Swept,
    Verdict,
    Withdraw,
    message_id_at,
    message_id_of,
    segment_id,
    verdict_of,
)
from smppgw.queue.retry import retry_at
from smppgw.smpp.constants import status_name

_LANES = tuple(Lane)
_STATES = tuple(SegmentState)
_SENT = SegmentState.SENT
_REASONS = {reason.value: reason for reason in Reason}
_REFUSED = (SegmentState.REJECTED, SegmentState.FAILED)
_DAY_MS = 86_400_000
#: How long before a doubt another message to its recipient may have been accepted that is still of interest.
_LONGEST_QUEUED_MS = 60 * _DAY_MS
#: After its validity and so much more no bind can still be waiting for an answer or about to withdraw.
_FORGOTTEN_AFTER_MS = 600_000
_IN_FLIGHT, _IN_DOUBT, _QUEUED = SegmentState.IN_FLIGHT, SegmentState.IN_DOUBT, SegmentState.QUEUED


@dataclass(slots=True)
class Transaction:
    """What an operation is given, and what it leaves for the store to tell others once it is committed."""

    connection: sqlite3.Connection
    ids: IdSource
    jitter: Callable[[], float]
    max_variables: int
    #: Carriers for which something may have become QUEUED.
    woken: set[str] = field(default_factory=set)

    def rows(self, statement: str, row: str, rows: Sequence[Sequence[Any]], *first: Any) -> int:
        """Runs a multi-row statement in pieces of a few sizes, none for no rows; how many rows changed."""
        changed, start = 0, 0
        most = min(sql.MOST_ROWS, (self.max_variables - len(first)) // row.count("?"))
        while start < len(rows):
            end = start + sql.piece_of(len(rows) - start, most)
            parameters = [*first, *chain.from_iterable(rows[start:end])]
            changed += self.connection.execute(sql.with_rows(statement, row, end - start), parameters).rowcount
            start = end
        return changed

    def found(self, statement: str, *parameters: Any) -> list[Any]:
        """The rows that a statement gathers in one JSON array."""
        rows: list[Any] = json.loads(self.one(statement, *parameters))
        return rows

    def one(self, statement: str, *parameters: Any) -> Any:
        """The only value of the only row."""
        return self.connection.execute(statement, parameters).fetchone()[0]


# Accepting --------------------------------------------------------------------------------------------------------


def accept(tx: Transaction, op: Accept) -> list[Acceptance]:
    """Stores the messages, but for those whose idempotency key says that they are stored already."""
    results: list[Acceptance | None] = _repeats(tx, op.messages)
    fresh: dict[tuple[str, str], int] = {}
    ids = iter(tx.ids.take(len(op.messages), op.now_utc_ms))
    message_rows, segment_rows = [], []
    for index, message in enumerate(op.messages):
        if results[index] is not None:
            continue
        if message.idempotency_key is not None:
            first = fresh.setdefault((message.account, message.idempotency_key), index)
            if first != index:  # twice in one transaction
                results[index] = _repeat_of(message, op.messages[first].digest, results[first])
                continue
        message_id = next(ids)
        expires = op.now_utc_ms + message.validity_ms
        parts = len(message.segments)
        message_rows.append(_message_row(message, message_id, op.now_utc_ms, expires))
        segment_rows += [
            (
                segment_id(message_id, part),
                message.carrier,
                message.lane.value,
                parts,
                1 if message.registered_delivery else 0,
                op.now_utc_ms,
                expires,
                octets,
            )
            for part, octets in enumerate(message.segments, 1)
        ]
        tx.woken.add(message.carrier)
        results[index] = Acceptance(AcceptStatus.STORED, message_id, parts)
    tx.rows(sql.INSERT_MESSAGES, sql.INSERT_MESSAGES_ROW, message_rows)
    tx.rows(sql.INSERT_SEGMENTS, sql.INSERT_SEGMENTS_ROW, segment_rows)
    return [result for result in results if result is not None]


def _message_row(message: NewMessage, message_id: int, accepted: int, expires: int) -> tuple[Any, ...]:
    return (
        message_id,
        message.account,
        message.carrier,
        message.lane.value,
        *message.source,
        *message.destination,
        message.text,
        message.alphabet,
        message.data_coding,
        message.esm_class,
        message.registered_delivery,
        len(message.segments),
        accepted,
        expires,
        message.client_ref,
        message.idempotency_key,
        message.digest,
    )


def _repeats(tx: Transaction, messages: Sequence[NewMessage]) -> list[Acceptance | None]:
    keyed = [index for index, message in enumerate(messages) if message.idempotency_key is not None]
    results: list[Acceptance | None] = [None] * len(messages)
    if keyed:
        keys = json.dumps([[messages[index].account, messages[index].idempotency_key] for index in keyed])
        for key, message_id, digest, segments in tx.found(sql.FIND_IDEMPOTENT, keys):
            index = keyed[key]
            stored = Acceptance(AcceptStatus.STORED, message_id, segments)
            results[index] = _repeat_of(messages[index], bytes.fromhex(digest), stored)
    return results


def _repeat_of(message: NewMessage, digest: bytes, stored: Acceptance | None) -> Acceptance:
    assert stored is not None
    status = AcceptStatus.REPEATED if message.digest == digest else AcceptStatus.CONFLICT
    return Acceptance(status, stored.message_id, stored.segments)


# Claiming ---------------------------------------------------------------------------------------------------------


def claim(tx: Transaction, op: Claim) -> Claimed:
    """QUEUED -> IN_FLIGHT: otp before transactional before bulk, each in the order of their due times."""
    taken: list[ClaimedSegment] = []
    expired: list[int] = []
    put_off: defaultdict[int, list[int]] = defaultdict(list)
    now = op.now_utc_ms
    for row in tx.found(sql.SELECT_READY, op.carrier, now, op.limit):
        segment = _claimed(row)
        if segment.expires_utc_ms <= now:
            expired.append(segment.segment_id)
        elif segment.destination.addr in op.held:
            put_off[op.held[segment.destination.addr]].append(segment.segment_id)
        else:
            taken.append(segment)
    if taken:
        tx.connection.execute(sql.CLAIM, (op.bind, now, json.dumps([segment.segment_id for segment in taken])))
        # The first claim shows in the columns of its segment; the others would replace it there.
        again = [segment.segment_id for segment in taken if segment.claim > 1]
        _write_history(tx, [(one, now, _IN_FLIGHT.value, Reason.CLAIMED.value, op.bind, "") for one in again])
    for until, ids_held in put_off.items():
        tx.connection.execute(sql.PUT_OFF, (max(until, now + 1), json.dumps(ids_held)))
    if expired:
        _finish(tx, [(segment, 2) for segment in expired], Move.EXPIRE, _QUEUED, Reason.VALIDITY_EXPIRED, now)
    if expired or put_off:
        tx.woken.add(op.carrier)  # what was asked for may still be there, behind these
    next_due = None if len(taken) >= op.limit else tx.one(sql.NEXT_DUE, op.carrier, now)
    return Claimed(taken, next_due)


def _claimed(row: Sequence[Any]) -> ClaimedSegment:
    number, lane, ston, snpi, saddr, dton, dnpi, daddr, octets, coding, esm, registered, accepted, expires = row[:14]
    attempts, claims = row[14:]
    return ClaimedSegment(
        number,
        claims + 1,
        _LANES[lane],
        Address(ston, snpi, saddr),
        Address(dton, dnpi, daddr),
        bytes.fromhex(octets),
        coding,
        esm,
        registered,
        accepted,
        expires,
        attempts,
    )


# Outcomes ---------------------------------------------------------------------------------------------------------


def record_outcomes(tx: Transaction, op: RecordOutcomes) -> OutcomesRecorded:
    """Moves segments by the answers to their submit_sm."""
    accepted = [(one.segment_id, one.smsc_id, one.claim) for one in op.outcomes if one.kind is OutcomeKind.ACCEPTED]
    refused = [one for one in op.outcomes if one.kind is not OutcomeKind.ACCEPTED]
    moved = 0
    if accepted:
        untracked = tx.found(sql.ACCEPTED_UNTRACKED, json.dumps(accepted))
        moved += tx.rows(sql.RECORD_ACCEPTED, sql.RECORD_ACCEPTED_ROW, accepted, op.now_utc_ms, op.receipt_timeout_ms)
        if moved < len(accepted):
            tx.rows(sql.LEARN_LATE_ID, sql.LEARN_LATE_ID_ROW, [(number, smsc_id) for number, smsc_id, _ in accepted])
        _conclude(tx, [(segment, SegmentState.UNTRACKED, parts) for segment, parts in untracked], op.now_utc_ms)
        _match_parked(tx, op, {smsc_id for _, smsc_id, _ in accepted if smsc_id})
    if refused:
        moved += _record_refused(tx, op, refused)
    return OutcomesRecorded(moved, len(op.outcomes) - moved)


@dataclass(slots=True)
class _Refusal:
    move: Move
    reason: Reason
    due_utc_ms: int
    counted: bool


def _refusal(tx: Transaction, op: RecordOutcomes, outcome: SubmitOutcome, attempts: int, due: int) -> _Refusal:
    match outcome.kind:
        case OutcomeKind.THROTTLED:
            return _Refusal(Move.REQUEUE, Reason.THROTTLED, due, False)
        case OutcomeKind.DELAYED:
            return _Refusal(Move.REQUEUE, Reason.RECIPIENT_QUEUE_FULL, max(due, outcome.due_utc_ms), False)
        case OutcomeKind.RETRY:
            again = retry_at(attempts + 1, op.now_utc_ms, op.retry, tx.jitter())
            if again is None:
                return _Refusal(Move.GIVE_UP, Reason.RETRIES_EXHAUSTED, due, True)
            return _Refusal(Move.REQUEUE, Reason.TEMPORARY_REFUSAL, again, True)
        case _:
            return _Refusal(Move.REFUSE, Reason.REFUSED, due, True)


def _record_refused(tx: Transaction, op: RecordOutcomes, refused: Sequence[SubmitOutcome]) -> int:
    by_claim = {(one.segment_id, one.claim): one for one in refused}
    found = tx.found(sql.REFUSED_SEGMENTS, json.dumps([[one.segment_id, one.claim] for one in refused]))
    updates, history, finals = [], [], []
    back: set[int] = set()  # messages of several parts of which one waits again
    for segment, claims, state, attempts, parts, due, expires in found:
        outcome = by_claim[segment, claims]
        refusal = _refusal(tx, op, outcome, attempts, due)
        target = TRANSITIONS[SegmentState(state), refusal.move]
        final = None if target.is_open else op.now_utc_ms
        counted = attempts + 1 if refusal.counted else attempts
        status = outcome.command_status
        updates.append(
            (segment, target.value, refusal.reason.value, refusal.due_utc_ms, expires, counted, status, final)
        )
        if target.is_open:
            history.append((segment, op.now_utc_ms, target.value, refusal.reason.value, op.bind, status_name(status)))
            if parts > 1:
                back.add(message_id_of(segment))
        else:
            finals.append((segment, target, parts))
    if updates:
        tx.rows(sql.RECORD_REFUSED, sql.RECORD_REFUSED_ROW, updates, op.now_utc_ms)
        tx.woken.add(op.carrier)
    _write_history(tx, history)
    _conclude(tx, finals, op.now_utc_ms)
    _cancel_siblings(tx, back, op.now_utc_ms)
    return len(found)


# Claims that were not answered ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Unanswered:
    """A segment in flight whose answer will not come (or never could)."""

    segment_id: int
    bind: str
    attempts: int
    parts: int


def _unanswered(tx: Transaction, bind: str, segments: Sequence[tuple[int, int]]) -> list[_Unanswered]:
    found = tx.found(sql.IN_FLIGHT_OF, json.dumps(segments))
    return [_Unanswered(number, bind, attempts, parts) for number, attempts, parts in found]


def withdraw(tx: Transaction, op: Withdraw) -> int:
    """Back to their places: nothing of them was written."""
    moving = _unanswered(tx, op.bind, op.segments)
    if moving:
        tx.connection.execute(sql.WITHDRAW, (json.dumps([one.segment_id for one in moving]),))
        _tell(tx, moving, TRANSITIONS[_IN_FLIGHT, Move.WITHDRAW], Reason.NOT_WRITTEN, op.now_utc_ms)
        _requeued(tx, op.carrier, moving, op.now_utc_ms)
    return len(moving)


def doubt(tx: Transaction, op: Doubt) -> int:
    moving = _unanswered(tx, op.bind, op.segments)
    _doubt(tx, op.carrier, moving, op.reason, op.now_utc_ms, op.doubt_timeout_ms, op.resend)
    return len(moving)


def recover(tx: Transaction, op: Recover) -> int:
    """What a process that is gone left IN_FLIGHT: nobody can tell whether it was written, so it is in doubt."""
    by_carrier: defaultdict[str, list[_Unanswered]] = defaultdict(list)
    for number, carrier, bind, attempts, parts in tx.found(sql.LEFT_IN_FLIGHT):
        by_carrier[carrier].append(_Unanswered(number, bind, attempts, parts))
    for carrier, moving in by_carrier.items():
        timeout_ms = op.doubt_timeout_ms.get(carrier, op.default_doubt_timeout_ms)
        _doubt(tx, carrier, moving, Reason.CRASHED, op.now_utc_ms, timeout_ms, op.resend.get(carrier))
    return sum(map(len, by_carrier.values()))


def _doubt(
    tx: Transaction,
    carrier: str,
    moving: Sequence[_Unanswered],
    reason: Reason,
    now_utc_ms: int,
    timeout_ms: int,
    resend: RetryPlan | None,
) -> None:
    again: list[tuple[int, int]] = []
    if resend is not None:
        due = [(one.segment_id, retry_at(one.attempts + 1, now_utc_ms, resend, tx.jitter())) for one in moving]
        again = [(number, at) for number, at in due if at is not None]
    going = {number for number, _ in again}
    sent_again = [one for one in moving if one.segment_id in going]
    held = [one for one in moving if one.segment_id not in going]
    if held:
        ids = json.dumps([one.segment_id for one in held])
        tx.connection.execute(sql.DOUBT, (reason.value, now_utc_ms + timeout_ms, ids))
        _tell(tx, held, TRANSITIONS[_IN_FLIGHT, Move.DOUBT], reason, now_utc_ms)
    if again:
        tx.rows(sql.RESEND, sql.RESEND_ROW, again)
        target = TRANSITIONS[_IN_FLIGHT, Move.RESEND]
        _tell(tx, sent_again, target, Reason.RESENT_AFTER_DOUBT, now_utc_ms, reason.value)
        _requeued(tx, carrier, sent_again, now_utc_ms)


def _tell(
    tx: Transaction,
    moving: Sequence[_Unanswered],
    state: SegmentState,
    reason: Reason,
    now_utc_ms: int,
    detail: str = "",
) -> None:
    rows = [(one.segment_id, now_utc_ms, state.value, reason.value, one.bind, detail) for one in moving]
    _write_history(tx, rows)


def _requeued(tx: Transaction, carrier: str, moved: Sequence[_Unanswered], now_utc_ms: int) -> None:
    tx.woken.add(carrier)
    _cancel_siblings(tx, {message_id_of(one.segment_id) for one in moved if one.parts > 1}, now_utc_ms)


# Receipts ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Standing:
    """A matched segment while the receipts of one batch are applied to it one after the other."""

    state: SegmentState
    reason: Reason
    parts: int
    moved: bool = False


class _Ledger:
    """Collects what a batch of receipts does, then writes it with one statement for each (state, reason)."""

    def __init__(self, tx: Transaction, now_utc_ms: int) -> None:
        self._tx = tx
        self._now_utc_ms = now_utc_ms
        self._standing: dict[int, _Standing] = {}

    def apply(self, segment: Candidate, receipt_state: ReceiptState | None, matched_as: Reason) -> Reason:
        """The reason to record with the receipt."""
        standing = self._standing.get(segment.segment_id)
        if standing is None:
            standing = self._standing[segment.segment_id] = _Standing(segment.state, segment.reason, segment.parts)
        effect = effect_of(standing.state, standing.reason, receipt_state)
        if effect.state is None:
            return effect.reason
        standing.state, standing.reason, standing.moved = effect.state, matched_as, True
        return matched_as if effect.reason is Reason.RECEIPT else effect.reason

    def as_now(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates in the states that the receipts applied so far have given them."""
        standing = self._standing
        return [
            candidate._replace(state=standing[candidate.segment_id].state)
            if candidate.segment_id in standing
            else candidate
            for candidate in candidates
        ]

    def write(self) -> None:
        groups: defaultdict[tuple[SegmentState, Reason], list[int]] = defaultdict(list)
        finals = []
        for segment, standing in self._standing.items():
            if standing.moved:
                groups[standing.state, standing.reason].append(segment)
                if standing.state > _SENT:
                    finals.append((segment, standing.state, standing.parts))
        for (state, reason), ids in groups.items():
            numbers = json.dumps(ids)
            if state is _SENT:
                self._tx.connection.execute(sql.RECORD_SENT, (reason.value, _DAY_MS, self._now_utc_ms, numbers))
            else:
                self._tx.connection.execute(sql.RECORD_MOVE, (state.value, reason.value, self._now_utc_ms, numbers))
        _conclude(self._tx, finals, self._now_utc_ms)


def _candidate(row: Sequence[Any]) -> Candidate:
    """A row of id, state, reason, parts, submitted, and the addresses where they were asked for."""
    number, state, reason, parts, submitted, *addresses = row
    return Candidate(number, _STATES[state], _REASONS[reason], parts, submitted or 0, *addresses)


def _by_smsc_id(tx: Transaction, carrier: str, smsc_ids: Sequence[str]) -> dict[int, list[Candidate]]:
    """The segments that carry each id, by its index."""
    found: defaultdict[int, list[Candidate]] = defaultdict(list)
    for key, *row in tx.found(sql.SEGMENTS_BY_SMSC_ID, json.dumps(smsc_ids), carrier):
        found[key].append(_candidate(row))
    return found


def _with_addresses(tx: Transaction, by_key: Mapping[int, list[Candidate]]) -> dict[int, list[Candidate]]:
    """The same with recipient and sender."""
    if not by_key:
        return {}
    wanted = list({candidate.segment_id for candidate in chain.from_iterable(by_key.values())})
    known = {number: (to, sender) for number, to, sender in tx.found(sql.ADDRESSES_OF, json.dumps(wanted))}

    def addressed(candidate: Candidate) -> Candidate:
        recipient, sender = known[candidate.segment_id]
        return candidate._replace(recipient=recipient, sender=sender)

    return {key: [addressed(candidate) for candidate in of_key] for key, of_key in by_key.items()}


def record_receipts(tx: Transaction, op: RecordReceipts) -> ReceiptsRecorded:
    """Finds the segment of each receipt and moves it; what matches nothing is parked, for ids that appear later."""
    candidates = _candidates(tx, op)
    ledger = _Ledger(tx, op.now_utc_ms)
    rows = []
    parked = 0
    for index, receipt in enumerate(op.receipts):
        segment = None
        if (of_id := candidates.get(index)) is not None:
            # An id that stands once, on an open segment, is enough: nothing to choose.
            alone = len(of_id) == 1 and of_id[0].state.is_open
            segment = of_id[0] if alone else choose(receipt, ledger.as_now(of_id))
        parked += segment is None
        effect = None if segment is None else ledger.apply(segment, receipt.state, Reason.RECEIPT)
        rows.append(
            (
                op.carrier,
                op.bind,
                receipt.smsc_id,
                None if segment is None else segment.segment_id,
                effect,
                receipt.state,
                receipt.stat,
                receipt.error,
                receipt.source_addr,
                receipt.destination_addr,
                receipt.raw,
                op.now_utc_ms,
            )
        )
    tx.rows(sql.INSERT_RECEIPTS, sql.INSERT_RECEIPTS_ROW, rows)
    ledger.write()
    return ReceiptsRecorded(len(op.receipts) - parked, parked)


def _candidates(tx: Transaction, op: RecordReceipts) -> dict[int, list[Candidate]]:
    """By index of the receipt; with addresses where the id alone does not tell."""
    by_key = _by_smsc_id(tx, op.carrier, [receipt.smsc_id for receipt in op.receipts])
    unclear = {key: of_key for key, of_key in by_key.items() if len(of_key) > 1 or not of_key[0].state.is_open}
    return by_key | _with_addresses(tx, unclear)


@dataclass(frozen=True, slots=True)
class _Parked:
    row_id: int
    receipt: ReceiptRecord
    received_utc_ms: int


def _parked(row: Sequence[Any]) -> _Parked:
    row_id, smsc_id, state, stat, error, source, destination, received = row
    known = None if state is None else ReceiptState(state)
    return _Parked(row_id, ReceiptRecord(smsc_id, known, stat, error, source, destination, b""), received)


def _match_parked(tx: Transaction, op: RecordOutcomes, smsc_ids: set[str]) -> None:
    """Receipts that came before their submit_sm_resp find their segment now."""
    if not smsc_ids or not tx.one(sql.ANY_PARKED, op.carrier):
        return
    parked = [_parked(row) for row in tx.found(sql.PARKED_BY_ID, json.dumps(sorted(smsc_ids)), op.carrier)]
    if not parked:
        return
    wanted = sorted({one.receipt.smsc_id for one in parked})
    by_key = _with_addresses(tx, _by_smsc_id(tx, op.carrier, wanted))
    by_id = {wanted[key]: of_key for key, of_key in by_key.items()}
    ledger = _Ledger(tx, op.now_utc_ms)
    rows = []
    for one in parked:
        of_id = ledger.as_now(by_id.get(one.receipt.smsc_id, []))
        segment = choose_for_parked(one.receipt, one.received_utc_ms, of_id)
        if segment is not None:
            rows.append(_unparked(ledger, one, segment, Reason.RECEIPT))
    _unpark(tx, ledger, rows)


def _unparked(ledger: _Ledger, one: _Parked, segment: Candidate, matched_as: Reason) -> tuple[int, int, str]:
    return (one.row_id, segment.segment_id, ledger.apply(segment, one.receipt.state, matched_as).value)


def _unpark(tx: Transaction, ledger: _Ledger, rows: Sequence[tuple[int, int, str]]) -> None:
    tx.rows(sql.UNPARK, sql.UNPARK_ROW, rows)
    ledger.write()


def _resolve_doubts(tx: Transaction, carrier: str, match_ms: int, now_utc_ms: int) -> None:
    """Parked receipts that can only belong to one segment in doubt resolve it (see matcher.resolve_doubts)."""
    if not tx.one(sql.ANY_PARKED, carrier):
        return
    recipients = json.dumps(tx.found(sql.IN_DOUBT_TO, carrier))
    oldest = message_id_at(max(now_utc_ms - match_ms - _LONGEST_QUEUED_MS, 0))
    written = [_candidate(row) for row in tx.found(sql.WRITTEN_TO, recipients, oldest, carrier)]
    parked = [_parked(row) for row in tx.found(sql.PARKED_BY_SOURCE, recipients, carrier)]
    pairs = resolve_doubts([(one.receipt, one.received_utc_ms) for one in parked], written, match_ms)
    found = [(parked[index], segment) for index, segment in pairs]
    ledger = _Ledger(tx, now_utc_ms)
    rows = [_unparked(ledger, one, segment, Reason.RECEIPT_MATCHED_IN_DOUBT) for one, segment in found]
    _unpark(tx, ledger, rows)
    learned = {segment.segment_id: one.receipt.smsc_id for one, segment in found if one.receipt.smsc_id}
    tx.rows(sql.LEARN_SMSC_ID, sql.LEARN_SMSC_ID_ROW, list(learned.items()))


# Deadlines --------------------------------------------------------------------------------------------------------


def sweep(tx: Transaction, op: Sweep) -> Swept:
    """Doubts that a parked receipt resolves; then what is past its deadline reaches a final state."""
    now, limit = op.now_utc_ms, op.limit
    for carrier in tx.found(sql.CARRIERS_IN_DOUBT):
        _resolve_doubts(tx, carrier, op.doubt_match_ms.get(carrier, 0), now)
    expired = tx.found(sql.PAST_DEADLINE, _QUEUED.value, now, limit)
    _finish(tx, expired, Move.EXPIRE, _QUEUED, Reason.VALIDITY_EXPIRED, now)
    doubts = tx.found(sql.PAST_DEADLINE, _IN_DOUBT.value, now, limit)
    _finish(tx, doubts, Move.DOUBT_TIMEOUT, _IN_DOUBT, Reason.DOUBT_TIMEOUT, now)
    overdue = tx.found(sql.PAST_DEADLINE, SegmentState.SENT.value, now, limit)
    _finish(tx, overdue, Move.RECEIPT_OVERDUE, SegmentState.SENT, Reason.RECEIPT_OVERDUE, now)
    # A bind answers for what it has in flight. Past its validity nobody does: so nothing stays open for ever.
    forgotten = [
        _Unanswered(number, "", 0, parts)
        for number, parts in tx.found(sql.PAST_DEADLINE, _IN_FLIGHT.value, now - _FORGOTTEN_AFTER_MS, limit)
    ]
    _doubt(tx, "", forgotten, Reason.RESPONSE_OVERDUE, now, _DAY_MS, None)
    more = max(len(expired), len(doubts), len(overdue), len(forgotten)) >= limit
    return Swept(len(expired), len(doubts), len(overdue), more)


def _finish(
    tx: Transaction,
    segments: Sequence[tuple[int, int]],
    move: Move,
    state: SegmentState,
    reason: Reason,
    now_utc_ms: int,
) -> None:
    """Our own clock ends these (id, parts of the message; 2 where that is not known). History keeps it, since a
    receipt may still revise it."""
    if not segments:
        return
    target = TRANSITIONS[state, move]
    numbers = [number for number, _ in segments]
    tx.connection.execute(sql.RECORD_MOVE, (target.value, reason.value, now_utc_ms, json.dumps(numbers)))
    _write_history(tx, [(number, now_utc_ms, target.value, reason.value, "", "") for number in numbers])
    _conclude(tx, [(number, target, parts) for number, parts in segments], now_utc_ms)


# Verdicts, history, inbound ---------------------------------------------------------------------------------------


def _conclude(tx: Transaction, finals: Sequence[tuple[int, SegmentState, int]], now_utc_ms: int) -> None:
    """Sets the verdicts that follow from segments (id, state, parts of its message) that just became final."""
    verdicts: defaultdict[Verdict, list[int]] = defaultdict(list)
    several: set[int] = set()
    refused: set[int] = set()
    for segment, state, parts in finals:
        if parts == 1:
            verdicts[VERDICT_OF_ONE[state]].append(message_id_of(segment))
        elif state in _REFUSED:
            refused.add(message_id_of(segment))
        else:
            several.add(message_id_of(segment))
    _set_verdicts(tx, verdicts, now_utc_ms)
    _conclude_several(tx, several, now_utc_ms)
    _cancel_siblings(tx, refused, now_utc_ms)


def _cancel_siblings(tx: Transaction, messages: Collection[int], now_utc_ms: int) -> None:
    """Of a message of which a part was refused for good, nothing more is sent: half a text helps nobody."""
    if messages:
        tx.connection.execute(sql.CANCEL_SIBLINGS, (now_utc_ms, json.dumps(sorted(messages))))
        _conclude_several(tx, messages, now_utc_ms)


def _conclude_several(tx: Transaction, messages: Collection[int], now_utc_ms: int) -> None:
    """The verdicts of messages of several segments, as far as all of theirs are final."""
    if not messages:
        return
    states: defaultdict[int, list[SegmentState]] = defaultdict(list)
    for message, state in tx.found(sql.SIBLING_STATES, json.dumps(sorted(messages))):
        states[message].append(_STATES[state])
    verdicts: defaultdict[Verdict, list[int]] = defaultdict(list)
    for message, of_message in states.items():
        if (verdict := verdict_of(of_message)) is not None:
            verdicts[verdict].append(message)
    _set_verdicts(tx, verdicts, now_utc_ms)


def _set_verdicts(tx: Transaction, verdicts: Mapping[Verdict, list[int]], now_utc_ms: int) -> None:
    for verdict, messages in verdicts.items():
        tx.connection.execute(sql.SET_VERDICT, (verdict.value, now_utc_ms, json.dumps(messages)))


def _write_history(tx: Transaction, rows: Sequence[tuple[int, int, int, str, str, str]]) -> None:
    tx.rows(sql.INSERT_HISTORY, sql.INSERT_HISTORY_ROW, rows)


def record_inbound(tx: Transaction, op: RecordInbound) -> None:
    rows = [
        (
            op.carrier,
            op.bind,
            op.now_utc_ms,
            *text.source,
            *text.destination,
            text.data_coding,
            text.esm_class,
            text.octets,
            text.text,
        )
        for text in op.texts
    ]
    tx.rows(sql.INSERT_INBOUND, sql.INSERT_INBOUND_ROW, rows)


def probe(tx: Transaction, op: Probe) -> None:
    tx.connection.execute(sql.PROBE_WRITE)
    tx.connection.execute(sql.PROBE_TAKE_BACK)


_Result = TypeVar("_Result")

EXECUTORS: dict[type[Op[Any]], Callable[[Transaction, Any], Any]] = {
    Accept: accept,
    Claim: claim,
    RecordOutcomes: record_outcomes,
    RecordReceipts: record_receipts,
    RecordInbound: record_inbound,
    Withdraw: withdraw,
    Doubt: doubt,
    Recover: recover,
    Sweep: sweep,
    Probe: probe,
}


def execute(tx: Transaction, op: Op[_Result]) -> _Result:
    """Runs one operation. Errors of SQLite pass through: the transaction is then to be ended."""
    result: _Result = EXECUTORS[type(op)](tx, op)
    return result
