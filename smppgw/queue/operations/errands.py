"""What is asked of an SMSC about segments that it has: query_sm where a receipt is overdue, cancel_sm where an app
takes a message back. Only segments with a message_id are ever asked about."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence

from smppgw.addresses import Address
from smppgw.queue import statements as sql
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
from smppgw.queue.operations.ending import conclude, write_history
from smppgw.queue.operations.ledger import Ledger, candidate
from smppgw.queue.operations.transaction import Transaction
from smppgw.smpp.constants import status_name

_SENT = SegmentState.SENT


def take_errands(tx: Transaction, op: TakeErrands) -> list[Errand]:
    """Takes what is to be asked; what has become final meanwhile is only taken off the list."""
    found = tx.found(sql.ERRANDS, op.carrier, op.limit)
    if found:
        tx.connection.execute(sql.ERRANDS_TAKEN, (json.dumps([row[0] for row in found]),))
    return [
        Errand(number, ErrandKind(kind), smsc_id, Address(*addresses[:3]), Address(*addresses[3:]))
        for number, kind, state, smsc_id, *addresses in found
        if state == _SENT and smsc_id
    ]


def record_errands(tx: Transaction, op: RecordErrands) -> int:
    """A final state in a query_sm_resp does what a receipt would; cancel_sm_resp ESME_ROK cancels."""
    rows = tx.found(sql.ASKED_ABOUT, json.dumps([one.segment_id for one in op.done]))
    standing = {row[0]: candidate(row) for row in rows}
    ledger = Ledger(tx, op.now_utc_ms)
    cancelled: dict[int, int] = {}  # parts of the message by segment
    told: list[tuple[ErrandDone, Reason]] = []
    for one in op.done:
        segment = standing.get(one.segment_id)
        if segment is None or segment.state is not _SENT or one.segment_id in cancelled:
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


def _detail(one: ErrandDone) -> str:
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
    """What is still queued is not sent; the carrier is to be asked about what it has. What is being sent is not
    waited for."""
    rows = tx.found(sql.TO_CANCEL, op.message_id, op.account)
    if not rows:
        return CancelStatus.UNKNOWN
    segments = [(candidate(row[:5]), row[5], row[6]) for row in rows]
    queued = {one.segment_id: one.parts for one, _, _ in segments if one.state is SegmentState.QUEUED}
    asked = [(one.segment_id, carrier) for one, has_id, carrier in segments if one.state is _SENT and has_id]
    _cancel(tx, SegmentState.QUEUED, Move.CANCEL, queued, op.now_utc_ms)
    if asked:
        numbers = [number for number, _ in asked]
        tx.connection.execute(sql.ASK_TO_CANCEL, (json.dumps(numbers),))
        reason = Reason.CANCEL_ASKED.value
        write_history(tx, [(number, op.now_utc_ms, _SENT.value, reason, "", "") for number in numbers])
        tx.woken.update(carrier for _, carrier in asked)
        return CancelStatus.ASKED
    before = all(
        one.state is SegmentState.CANCELLED and one.reason is Reason.CANCELLED_BY_APP for one, _, _ in segments
    )
    return CancelStatus.CANCELLED if queued or before else CancelStatus.TOO_LATE


def ask_about_overdue(
    tx: Transaction,
    overdue: Sequence[tuple[int, int, str, int, int]],
    plans: Mapping[str, QueryPlan],
    now_utc_ms: int,
) -> list[tuple[int, int]]:
    """`overdue`: id, parts, carrier, whether it has a message_id, how often it was asked about. Those that are to be
    asked about (again) wait for that; the others, whose end has come, are returned as (id, parts)."""
    asking: defaultdict[str, list[int]] = defaultdict(list)
    ended = []
    for number, parts, carrier, has_id, queries in overdue:
        plan = plans.get(carrier)
        if plan is not None and has_id and queries < plan.attempts:
            asking[carrier].append(number)
        else:
            ended.append((number, parts))
    for carrier, numbers in asking.items():
        deadline = now_utc_ms + plans[carrier].interval_ms
        tx.connection.execute(sql.ASK_BY_QUERY, (deadline, json.dumps(numbers)))
    tx.woken.update(asking)
    return ended
