"""What is asked of an SMSC about segments that it has: query_sm where a receipt is overdue, cancel_sm where an app
takes a message back. Only segments with a message_id are ever asked about."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from smppgw.addresses import Address
from smppgw.queue import statements as sql
from smppgw.queue.matcher import Candidate
from smppgw.queue.model import (
    RECEIPT_MOVES,
    TRANSITIONS,
    Cancel,
    CancelStatus,
    Errand,
    ErrandDone,
    ErrandKind,
    Move,
    QueryPlan,
    Reason,
    RecordErrands,
    SegmentState,
    TakeErrands,
)
from smppgw.queue.operations.ending import conclude, finish, write_history
from smppgw.queue.operations.ledger import Ledger, candidate
from smppgw.queue.operations.transaction import Transaction
from smppgw.smpp.constants import status_name

_SENT = SegmentState.SENT
#: A cancel_sm that gets no answer, on one session after the other, is asked so often.
MOST_CANCELS = 3
#: So much of the list is looked at in one step, beyond what has become final meanwhile.
_STEP = 100
#: A segment that nobody could ask about does not wait for ever.
_WAITS_AT_MOST_MS = 30 * 86_400_000


def take_errands(tx: Transaction, op: TakeErrands) -> list[Errand]:
    """Hands out what is to be asked; what has become final meanwhile is only taken off the list."""
    taken: list[Errand] = []
    while len(taken) < op.limit:
        found = tx.found(sql.ERRANDS, op.carrier, max(op.limit, _STEP))
        if not found:
            break
        ended = [number for number, _, state, smsc_id, *_ in found if state != _SENT or not smsc_id]
        if ended:
            tx.connection.execute(sql.ERRANDS_DROPPED, (json.dumps(ended),))
        asked = [
            Errand(number, ErrandKind(kind), smsc_id, Address(*addresses[:3]), Address(*addresses[3:]))
            for number, kind, state, smsc_id, *addresses in found
            if state == _SENT and smsc_id
        ][: op.limit - len(taken)]
        tx.connection.execute(sql.ERRANDS_TAKEN, (json.dumps([one.segment_id for one in asked]),))
        taken += asked
    return taken


def relist_errands(tx: Transaction) -> None:
    """At start: what an earlier process had handed out is asked now."""
    tx.connection.execute(sql.ERRANDS_LEFT)


def record_errands(tx: Transaction, op: RecordErrands) -> int:
    """A final state in a query_sm_resp does what a receipt would; cancel_sm_resp ESME_ROK cancels."""
    rows = tx.found(sql.ASKED_ABOUT, json.dumps([one.segment_id for one in op.done]))
    standing = {row[0]: candidate(row[:5]) for row in rows}
    _record_done(tx, op, {row[0]: row[5] for row in rows}, standing)
    ledger = Ledger(tx, op.now_utc_ms)
    cancelled: dict[int, int] = {}  # parts of the message by segment
    told: list[tuple[ErrandDone, Reason]] = []
    for one in op.done:
        segment = standing.get(one.segment_id)
        if segment is None or segment.state is not _SENT or one.segment_id in cancelled or not one.asked:
            continue
        if one.kind is ErrandKind.CANCEL:
            if one.command_status == 0:
                cancelled[one.segment_id] = segment.parts
            else:
                told.append((one, Reason.CANCEL_ASKED))
        elif one.command_status == 0 and one.state in RECEIPT_MOVES:
            ledger.apply(segment, one.state, Reason.RECEIPT_QUERIED)
        else:
            told.append((one, Reason.RECEIPT_QUERIED))
    write_history(
        tx,
        [(one.segment_id, op.now_utc_ms, _SENT.value, reason.value, op.bind, _detail(one)) for one, reason in told],
    )
    ledger.write()
    _cancel(tx, _SENT, Move.CANCEL_CONFIRMED, cancelled, op.now_utc_ms)
    return ledger.moved + len(cancelled)


def _record_done(
    tx: Transaction, op: RecordErrands, cancels: Mapping[int, int], standing: Mapping[int, Candidate]
) -> None:
    """What was answered goes off the list. The sweeper asks again by query_sm; a cancel_sm is asked again at once."""
    rows: dict[tuple[int, ErrandKind], tuple[int, int, int, int]] = {}
    for one in op.done:
        key = one.segment_id, one.kind
        segment = standing.get(one.segment_id)
        asked, left = (rows[key][2], rows[key][3]) if key in rows else (0, one.kind.value)
        unanswered = one.asked and one.command_status is None
        asked += unanswered if one.kind is ErrandKind.CANCEL else one.asked
        if segment is None or segment.state is not _SENT:
            left = 0
        elif one.asked:
            again = unanswered and not one.error and one.kind is ErrandKind.CANCEL
            left = left if again and cancels[one.segment_id] + asked < MOST_CANCELS else 0
        rows[key] = (one.segment_id, one.kind.value, asked, left)
        if left:
            tx.woken.add(op.carrier)
    for kind in ErrandKind:  # a segment may have an answer to both, and one statement takes it once
        tx.rows(sql.RECORD_ERRANDS, sql.RECORD_ERRANDS_ROW, [row for key, row in rows.items() if key[1] is kind])


def _detail(one: ErrandDone) -> str:
    if one.command_status is None:
        return one.error or "unanswered"
    if one.command_status != 0:
        return status_name(one.command_status)
    return "" if one.state is None else one.state.name


def _cancel(tx: Transaction, state: SegmentState, move: Move, segments: Mapping[int, int], now_utc_ms: int) -> None:
    if segments:
        target = TRANSITIONS[state, move]
        row = (target.value, Reason.CANCELLED_BY_APP.value, now_utc_ms, json.dumps(list(segments)))
        tx.connection.execute(sql.RECORD_MOVE, row)
        conclude(tx, [(number, target, parts) for number, parts in segments.items()], now_utc_ms)


def cancel(tx: Transaction, op: Cancel) -> CancelStatus:
    """What is still queued is not sent; the carrier is to be asked about what it has, and about what it turns out to
    have of what is in doubt. What is being sent is not waited for."""
    rows = tx.found(sql.TO_CANCEL, op.message_id, op.account)
    if not rows:
        return CancelStatus.UNKNOWN
    segments = [_Part(*row) for row in rows]
    for state in (SegmentState.QUEUED, SegmentState.IN_DOUBT):
        stopped = [one for one in segments if one.state == state and not one.taken_back]
        copies = [(one.segment_id, one.parts, one.unanswered) for one in stopped]
        finish(tx, copies, Move.CANCEL, state, Reason.CANCELLED_BY_APP, op.now_utc_ms, told=False)
    asked = [one for one in segments if one.state == _SENT and one.has_id]
    if asked:
        ask_to_cancel(tx, asked[0].carrier, [one.segment_id for one in asked], op.now_utc_ms)
        return CancelStatus.ASKED
    if any(one.unanswered for one in segments):
        return CancelStatus.IN_DOUBT
    unsent = all(one.state == SegmentState.QUEUED or one.cancelled for one in segments)
    return CancelStatus.CANCELLED if unsent else CancelStatus.TOO_LATE


class _Part(NamedTuple):
    """A segment of a message that is taken back."""

    segment_id: int
    state: int
    reason: str
    parts: int
    unanswered: int
    has_id: int
    carrier: str

    @property
    def taken_back(self) -> bool:
        return self.reason == Reason.CANCELLED_BY_APP

    @property
    def cancelled(self) -> bool:
        return self.state == SegmentState.CANCELLED and self.taken_back


def ask_to_cancel(tx: Transaction, carrier: str, segments: Sequence[int], now_utc_ms: int) -> None:
    """The carrier is to be asked by cancel_sm about these, which are SENT."""
    if segments:
        tx.connection.execute(sql.ASK_TO_CANCEL, (json.dumps(segments),))
        reason = Reason.CANCEL_ASKED.value
        write_history(tx, [(number, now_utc_ms, _SENT.value, reason, "", "") for number in segments])
        tx.woken.add(carrier)


def ask_about_overdue(
    tx: Transaction,
    overdue: Sequence[tuple[int, int, str, int, int, int, int, int]],
    plans: Mapping[str, QueryPlan],
    now_utc_ms: int,
) -> list[tuple[int, int]]:
    """`overdue`: rows of OVERDUE_RECEIPTS. Those that are to be asked about (again) wait for that, also while no bind
    can ask. What was asked about for nothing still waits for its receipt until the carrier's time for that is over;
    the others, whose end has come, are returned as (id, parts)."""
    asking: defaultdict[str, list[int]] = defaultdict(list)
    ended = []
    waiting = []
    for number, parts, carrier, has_id, queries, listed, submitted, expires in overdue:
        plan = plans.get(carrier)
        given_up = listed and now_utc_ms - (submitted or 0) > _WAITS_AT_MOST_MS
        if plan is not None and has_id and queries < plan.attempts and not given_up:
            asking[carrier].append(number)
        elif plan is not None and now_utc_ms < expires + plan.receipt_timeout_ms:
            waiting.append((number, expires + plan.receipt_timeout_ms))
        else:
            ended.append((number, parts))
    for carrier, numbers in asking.items():
        deadline = now_utc_ms + plans[carrier].interval_ms
        tx.connection.execute(sql.ASK_BY_QUERY, (deadline, json.dumps(numbers)))
    tx.rows(sql.WAIT_FOR_RECEIPT, sql.WAIT_FOR_RECEIPT_ROW, waiting)
    tx.woken.update(asking)
    return ended
