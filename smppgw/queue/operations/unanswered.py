"""Claims that were not answered: withdrawn, in doubt, or to be sent again."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from smppgw.queue import statements as sql
from smppgw.queue.model import (
    TRANSITIONS,
    Doubt,
    Move,
    Reason,
    Recover,
    RetryPlan,
    SegmentState,
    Withdraw,
    message_id_of,
)
from smppgw.queue.operations.caps import give_back
from smppgw.queue.operations.ending import cancel_siblings, write_history
from smppgw.queue.operations.errands import relist_errands
from smppgw.queue.operations.transaction import Transaction
from smppgw.queue.retry import retry_at

_IN_FLIGHT = SegmentState.IN_FLIGHT


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A segment in flight whose answer will not come (or never could)."""

    segment_id: int
    bind: str
    attempts: int
    parts: int


def unanswered_of(tx: Transaction, bind: str, segments: Sequence[tuple[int, int]]) -> list[Unanswered]:
    found = tx.found(sql.IN_FLIGHT_OF, json.dumps(segments))
    return [Unanswered(number, bind, attempts, parts) for number, attempts, parts in found]


def withdraw(tx: Transaction, op: Withdraw) -> int:
    """Back to their places: nothing of them was written."""
    moving = unanswered_of(tx, op.bind, op.segments)
    if moving:
        numbers = [one.segment_id for one in moving]
        tx.connection.execute(sql.WITHDRAW, (json.dumps(numbers),))
        give_back(tx, op.carrier, numbers)
        _tell(tx, moving, TRANSITIONS[_IN_FLIGHT, Move.WITHDRAW], Reason.NOT_WRITTEN, op.now_utc_ms)
        _requeued(tx, op.carrier, moving, op.now_utc_ms)
    return len(moving)


def doubt(tx: Transaction, op: Doubt) -> int:
    moving = unanswered_of(tx, op.bind, op.segments)
    put_in_doubt(tx, op.carrier, moving, op.reason, op.now_utc_ms, op.doubt_timeout_ms, op.resend)
    return len(moving)


def recover(tx: Transaction, op: Recover) -> int:
    """What a process that is gone left IN_FLIGHT: nobody can tell whether it was written, so it is in doubt."""
    by_carrier: defaultdict[str, list[Unanswered]] = defaultdict(list)
    for number, carrier, bind, attempts, parts in tx.found(sql.LEFT_IN_FLIGHT):
        by_carrier[carrier].append(Unanswered(number, bind, attempts, parts))
    relist_errands(tx)
    for carrier, moving in by_carrier.items():
        timeout_ms = op.doubt_timeout_ms.get(carrier, op.default_doubt_timeout_ms)
        put_in_doubt(tx, carrier, moving, Reason.CRASHED, op.now_utc_ms, timeout_ms, op.resend.get(carrier))
    return sum(map(len, by_carrier.values()))


def put_in_doubt(
    tx: Transaction,
    carrier: str,
    moving: Sequence[Unanswered],
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
        tx.rows(sql.RESEND, sql.RESEND_ROW, again, now_utc_ms + timeout_ms)
        target = TRANSITIONS[_IN_FLIGHT, Move.RESEND]
        _tell(tx, sent_again, target, Reason.RESENT_AFTER_DOUBT, now_utc_ms, reason.value)
        _requeued(tx, carrier, sent_again, now_utc_ms)


def _tell(
    tx: Transaction,
    moving: Sequence[Unanswered],
    state: SegmentState,
    reason: Reason,
    now_utc_ms: int,
    detail: str = "",
) -> None:
    rows = [(one.segment_id, now_utc_ms, state.value, reason.value, one.bind, detail) for one in moving]
    write_history(tx, rows)


def _requeued(tx: Transaction, carrier: str, moved: Sequence[Unanswered], now_utc_ms: int) -> None:
    tx.woken.add(carrier)
    cancel_siblings(tx, {message_id_of(one.segment_id) for one in moved if one.parts > 1}, now_utc_ms)
