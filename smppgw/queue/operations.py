"""What each operation does to the tables: functions run inside a transaction, on the thread of the connection.

Each takes a fixed number of statements, whatever the size of its batch. Decisions are made by the pure rules in
model, matcher and retry; nothing here knows of threads, loops or commits.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar

from smppgw.addresses import Address
from smppgw.queue import statements as sql
from smppgw.queue.matcher import Candidate, choose, effect_of, resolve_doubts
from smppgw.queue.model import (
    TRANSITIONS,
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
    SegmentState,
    SubmitOutcome,
    Sweep,
    Swept,
    Verdict,
    Withdraw,
    message_id_of,
    segment_id,
    verdict_of,
)
from smppgw.queue.retry import retry_at
from smppgw.smpp.constants import status_name

_LANES = tuple(Lane)
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
        """Runs a multi-row statement, in as few pieces as SQLite's limit on variables allows; how many changed."""
        changed = 0
        most = (self.max_variables - len(first)) // row.count("?")
        for start in range(0, len(rows), most):
            piece = rows[start : start + most]
            parameters = [*first, *chain.from_iterable(piece)]
            changed += self.connection.execute(sql.with_rows(statement, row, len(piece)), parameters).rowcount
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
    if message_rows:
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
    for row in tx.found(sql.SELECT_READY, op.carrier, op.now_utc_ms, op.limit):
        segment = _claimed(row)
        if segment.expires_utc_ms <= op.now_utc_ms:
            expired.append(segment.segment_id)
        elif segment.destination.addr in op.held:
            put_off[op.held[segment.destination.addr]].append(segment.segment_id)
        else:
            taken.append(segment)
    if taken:
        ids = json.dumps([segment.segment_id for segment in taken])
        tx.connection.execute(sql.CLAIM, (op.bind, op.now_utc_ms, ids))
    for until, ids_held in put_off.items():
        tx.connection.execute(sql.PUT_OFF, (max(until, op.now_utc_ms + 1), json.dumps(ids_held)))
    if expired:
        _expire(tx, expired, op.now_utc_ms)
    if expired or put_off:
        tx.woken.add(op.carrier)  # what was asked for may still be there, behind these
    next_due = None if len(taken) >= op.limit else tx.one(sql.NEXT_DUE, op.carrier, op.now_utc_ms)
    return Claimed(taken, next_due)


def _claimed(row: Sequence[Any]) -> ClaimedSegment:
    segment, lane, ston, snpi, saddr, dton, dnpi, daddr, octets, coding, esm, registered, accepted, expires, tries = (
        row
    )
    return ClaimedSegment(
        segment,
        _LANES[lane],
        Address(ston, snpi, saddr),
        Address(dton, dnpi, daddr),
        bytes.fromhex(octets),
        coding,
        esm,
        registered,
        accepted,
        expires,
        tries,
    )


# Outcomes ---------------------------------------------------------------------------------------------------------


def record_outcomes(tx: Transaction, op: RecordOutcomes) -> OutcomesRecorded:
    """Moves segments by the answers to their submit_sm."""
    accepted = [(one.segment_id, one.smsc_id) for one in op.outcomes if one.kind is OutcomeKind.ACCEPTED]
    refused = [one for one in op.outcomes if one.kind is not OutcomeKind.ACCEPTED]
    moved = 0
    if accepted:
        untracked = tx.found(sql.ACCEPTED_UNTRACKED, json.dumps(accepted))
        moved += tx.rows(sql.RECORD_ACCEPTED, sql.RECORD_ACCEPTED_ROW, accepted, op.now_utc_ms, op.receipt_timeout_ms)
        _conclude(tx, [(segment, SegmentState.UNTRACKED, parts) for segment, parts in untracked], op.now_utc_ms)
        _match_parked(tx, op, {smsc_id for _, smsc_id in accepted if smsc_id})
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
    by_id = {one.segment_id: one for one in refused}
    found = tx.found(sql.REFUSED_SEGMENTS, json.dumps(list(by_id)))
    updates, history, finals = [], [], []
    for segment, state, attempts, parts, due, expires in found:
        outcome = by_id[segment]
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
        else:
            finals.append((segment, target, parts))
    if updates:
        tx.rows(sql.RECORD_REFUSED, sql.RECORD_REFUSED_ROW, updates, op.now_utc_ms)
        tx.woken.add(op.carrier)
    _write_history(tx, history)
    _conclude(tx, finals, op.now_utc_ms)
    return len(found)


# Claims that were not answered ------------------------------------------------------------------------------------


def withdraw(tx: Transaction, op: Withdraw) -> int:
    ids = json.dumps(list(op.segment_ids))
    moving = tx.found(sql.IN_FLIGHT_OF, ids)
    tx.connection.execute(sql.WITHDRAW, (ids,))
    tx.woken.update(carrier for _, carrier in moving)
    return len(moving)


def doubt(tx: Transaction, op: Doubt) -> int:
    return _doubt(
        tx,
        [(segment, op.carrier, op.bind) for segment in op.segment_ids],
        reason=op.reason,
        now_utc_ms=op.now_utc_ms,
        timeout_ms=op.doubt_timeout_ms,
        resend=op.resend,
    )


def _doubt(
    tx: Transaction,
    segments: Sequence[tuple[int, str, str | None]],
    *,
    reason: Reason,
    now_utc_ms: int,
    timeout_ms: int,
    resend: bool,
) -> int:
    ids = json.dumps([segment for segment, _, _ in segments])
    moved = {segment for segment, _ in tx.found(sql.IN_FLIGHT_OF, ids)}
    if resend:
        tx.connection.execute(sql.RESEND, (ids,))
        tx.woken.update(carrier for segment, carrier, _ in segments if segment in moved)
    else:
        tx.connection.execute(sql.DOUBT, (reason.value, now_utc_ms + timeout_ms, ids))
    target = _QUEUED if resend else _IN_DOUBT
    told = Reason.RESENT_AFTER_DOUBT if resend else reason
    detail = reason.value if resend else ""
    history = [
        (segment, now_utc_ms, target.value, told.value, bind or "", detail)
        for segment, _, bind in segments
        if segment in moved
    ]
    _write_history(tx, history)
    return len(moved)


def recover(tx: Transaction, op: Recover) -> int:
    """What a process that is gone left IN_FLIGHT: nobody can tell whether it was written, so it is in doubt."""
    by_carrier: defaultdict[str, list[tuple[int, str, str | None]]] = defaultdict(list)
    for segment, carrier, bind in tx.found(sql.LEFT_IN_FLIGHT):
        by_carrier[carrier].append((segment, carrier, bind))
    return sum(
        _doubt(
            tx,
            segments,
            reason=Reason.CRASHED,
            now_utc_ms=op.now_utc_ms,
            timeout_ms=op.doubt_timeout_ms.get(carrier, op.default_doubt_timeout_ms),
            resend=carrier in op.resend,
        )
        for carrier, segments in by_carrier.items()
    )


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
        return matched_as

    def write(self) -> None:
        groups: defaultdict[tuple[SegmentState, Reason], list[int]] = defaultdict(list)
        finals = []
        for segment, standing in self._standing.items():
            if standing.moved:
                groups[standing.state, standing.reason].append(segment)
                finals.append((segment, standing.state, standing.parts))
        for (state, reason), ids in groups.items():
            self._tx.connection.execute(
                sql.RECORD_FINAL, (state.value, reason.value, self._now_utc_ms, json.dumps(ids))
            )
        _conclude(self._tx, finals, self._now_utc_ms)


def _candidate(row: Sequence[Any]) -> Candidate:
    segment, state, reason, parts, recipient, sender, submitted = row
    return Candidate(segment, SegmentState(state), Reason(reason), parts, recipient, sender, submitted or 0)


def record_receipts(tx: Transaction, op: RecordReceipts) -> ReceiptsRecorded:
    """Finds the segment of each receipt and moves it; what matches nothing is parked, for ids that appear later."""
    matches = _matches(tx, op)
    ledger = _Ledger(tx, op.now_utc_ms)
    rows = []
    for receipt, segment in zip(op.receipts, matches, strict=True):
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
    if rows:
        tx.rows(sql.INSERT_RECEIPTS, sql.INSERT_RECEIPTS_ROW, rows)
    ledger.write()
    parked = sum(segment is None for segment in matches)
    return ReceiptsRecorded(len(matches) - parked, parked)


def _matches(tx: Transaction, op: RecordReceipts) -> list[Candidate | None]:
    by_key: defaultdict[int, list[Candidate]] = defaultdict(list)
    smsc_ids = json.dumps([receipt.smsc_id for receipt in op.receipts])
    for key, *row in tx.found(sql.SEGMENTS_BY_SMSC_ID, smsc_ids, op.carrier):
        by_key[key].append(_candidate(row))
    return [choose(receipt, by_key[index]) if index in by_key else None for index, receipt in enumerate(op.receipts)]


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
    by_id: defaultdict[str, list[Candidate]] = defaultdict(list)
    wanted = sorted({one.receipt.smsc_id for one in parked})
    for key, *row in tx.found(sql.SEGMENTS_BY_SMSC_ID, json.dumps(wanted), op.carrier):
        by_id[wanted[key]].append(_candidate(row))
    found = [(one, choose(one.receipt, by_id[one.receipt.smsc_id])) for one in parked]
    _unpark(tx, [(one, segment) for one, segment in found if segment is not None], Reason.RECEIPT, op.now_utc_ms)


def _unpark(tx: Transaction, found: Sequence[tuple[_Parked, Candidate]], matched_as: Reason, now_utc_ms: int) -> None:
    ledger = _Ledger(tx, now_utc_ms)
    rows = []
    for one, segment in found:
        effect = ledger.apply(segment, one.receipt.state, matched_as)
        rows.append((one.row_id, segment.segment_id, effect.value))
    if rows:
        tx.rows(sql.UNPARK, sql.UNPARK_ROW, rows)
    ledger.write()


def _resolve_doubts(tx: Transaction, carrier: str, match_ms: int, now_utc_ms: int) -> None:
    """Parked receipts that can only belong to one segment in doubt resolve it (see matcher.resolve_doubts)."""
    if not tx.one(sql.ANY_PARKED, carrier):
        return
    unanswered = [_candidate(row) for row in tx.found(sql.SEGMENTS_UNANSWERED, carrier)]
    recipients = json.dumps(sorted({one.recipient for one in unanswered if one.state is _IN_DOUBT}))
    parked = [_parked(row) for row in tx.found(sql.PARKED_BY_SOURCE, recipients, carrier)]
    pairs = resolve_doubts([(one.receipt, one.received_utc_ms) for one in parked], unanswered, match_ms)
    found = [(parked[index], segment) for index, segment in pairs]
    _unpark(tx, found, Reason.RECEIPT_MATCHED_IN_DOUBT, now_utc_ms)
    learned = {segment.segment_id: one.receipt.smsc_id for one, segment in found if one.receipt.smsc_id}
    if learned:
        tx.rows(sql.LEARN_SMSC_ID, sql.LEARN_SMSC_ID_ROW, list(learned.items()))


# Deadlines --------------------------------------------------------------------------------------------------------


def sweep(tx: Transaction, op: Sweep) -> Swept:
    """Doubts that a parked receipt resolves; then what is past its deadline reaches a final state."""
    now, limit = op.now_utc_ms, op.limit
    for carrier in tx.found(sql.CARRIERS_IN_DOUBT):
        _resolve_doubts(tx, carrier, op.doubt_match_ms.get(carrier, 0), now)
    expired = [row[0] for row in tx.found(sql.PAST_DEADLINE, _QUEUED.value, now, limit)]
    if expired:
        _expire(tx, expired, now)
    doubts = tx.found(sql.PAST_DEADLINE, _IN_DOUBT.value, now, limit)
    _finish(tx, doubts, Move.DOUBT_TIMEOUT, _IN_DOUBT, Reason.DOUBT_TIMEOUT, now)
    overdue = tx.found(sql.PAST_DEADLINE, SegmentState.SENT.value, now, limit)
    _finish(tx, overdue, Move.RECEIPT_OVERDUE, SegmentState.SENT, Reason.RECEIPT_OVERDUE, now)
    more = max(len(expired), len(doubts), len(overdue)) >= limit
    return Swept(len(expired), len(doubts), len(overdue), more)


def _expire(tx: Transaction, segments: Sequence[int], now_utc_ms: int) -> None:
    # The verdict looks at all parts anyway, so what each belongs to need not be known: 2 means "look".
    rows = [(segment, 2) for segment in segments]
    _finish(tx, rows, Move.EXPIRE, _QUEUED, Reason.VALIDITY_EXPIRED, now_utc_ms)


def _finish(
    tx: Transaction,
    segments: Sequence[tuple[int, int]],
    move: Move,
    state: SegmentState,
    reason: Reason,
    now_utc_ms: int,
) -> None:
    if not segments:
        return
    target = TRANSITIONS[state, move]
    ids = json.dumps([segment for segment, _ in segments])
    tx.connection.execute(sql.RECORD_FINAL, (target.value, reason.value, now_utc_ms, ids))
    _conclude(tx, [(segment, target, parts) for segment, parts in segments], now_utc_ms)


# Verdicts, history, inbound ---------------------------------------------------------------------------------------


def _conclude(tx: Transaction, finals: Sequence[tuple[int, SegmentState, int]], now_utc_ms: int) -> None:
    """Sets the verdicts that follow from segments (id, state, parts of its message) that just became final."""
    if not finals:
        return
    verdicts: defaultdict[Verdict, list[int]] = defaultdict(list)
    several: set[int] = set()
    failed: set[int] = set()
    for segment, state, parts in finals:
        if parts == 1:
            verdict = verdict_of((state,))
            assert verdict is not None
            verdicts[verdict].append(message_id_of(segment))
            continue
        several.add(message_id_of(segment))
        if state in (SegmentState.REJECTED, SegmentState.FAILED):
            failed.add(message_id_of(segment))
    if failed:
        tx.connection.execute(sql.CANCEL_SIBLINGS, (now_utc_ms, json.dumps(sorted(failed))))
    if several:
        states: defaultdict[int, list[SegmentState]] = defaultdict(list)
        for message, state in tx.found(sql.SIBLING_STATES, json.dumps(sorted(several))):
            states[message].append(SegmentState(state))
        for message, of_message in states.items():
            if (verdict := verdict_of(of_message)) is not None:
                verdicts[verdict].append(message)
    for verdict, messages in verdicts.items():
        tx.connection.execute(sql.SET_VERDICT, (verdict.value, now_utc_ms, json.dumps(messages)))


def _write_history(tx: Transaction, rows: Sequence[tuple[int, int, int, str, str, str]]) -> None:
    if rows:
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
    if rows:
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
