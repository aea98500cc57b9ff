"""What our own clock does."""

from __future__ import annotations

from smppgw.queue import statements as sql
from smppgw.queue.model import (
    Move,
    Probe,
    Reason,
    SegmentState,
    Sweep,
    Swept,
)
from smppgw.queue.operations.ending import finish
from smppgw.queue.operations.errands import ask_about_overdue
from smppgw.queue.operations.parked import MOST_RETRIED, give_up_parked, retry_settled, settle_doubts
from smppgw.queue.operations.transaction import Transaction
from smppgw.queue.operations.unanswered import Unanswered, put_in_doubt

_DAY_MS = 86_400_000
#: After its validity and so much more no bind can still be waiting for an answer or about to withdraw.
_FORGOTTEN_AFTER_MS = 600_000
_IN_FLIGHT = SegmentState.IN_FLIGHT
_IN_DOUBT = SegmentState.IN_DOUBT
_QUEUED = SegmentState.QUEUED
_SENT = SegmentState.SENT


def sweep(tx: Transaction, op: Sweep) -> Swept:
    """Doubts that a parked receipt resolves, and parked receipts that cannot be early any more; then what is past its
    deadline reaches a final state, or the carrier is asked about it."""
    now, limit = op.now_utc_ms, op.limit
    for carrier in tx.found(sql.CARRIERS_IN_DOUBT):
        settle_doubts(tx, carrier, op.doubt_match_ms.get(carrier, 0), now)
    with_ids = tx.found(sql.CARRIERS_WITH_IDS)
    waiting = [retry_settled(tx, carrier, now, MOST_RETRIED) for carrier in with_ids]
    waiting += [give_up_parked(tx, carrier, now - op.parked_keep_ms, limit) for carrier in with_ids]
    expired = tx.found(sql.PAST_DEADLINE, _QUEUED.value, now, limit)
    finish(tx, expired, Move.EXPIRE, _QUEUED, Reason.VALIDITY_EXPIRED, now)
    doubts = tx.found(sql.PAST_DEADLINE, _IN_DOUBT.value, now, limit)
    finish(tx, doubts, Move.DOUBT_TIMEOUT, _IN_DOUBT, Reason.DOUBT_TIMEOUT, now)
    overdue = tx.found(sql.OVERDUE_RECEIPTS, now, limit)
    ended = ask_about_overdue(tx, overdue, op.query, now)
    finish(tx, [(*one, 0) for one in ended], Move.RECEIPT_OVERDUE, _SENT, Reason.RECEIPT_OVERDUE, now)
    # A bind answers for what it has in flight. Past its validity nobody does: so nothing stays open for ever.
    forgotten = [
        Unanswered(number, "", 0, parts)
        for number, parts, _ in tx.found(sql.PAST_DEADLINE, _IN_FLIGHT.value, now - _FORGOTTEN_AFTER_MS, limit)
    ]
    put_in_doubt(tx, "", forgotten, Reason.RESPONSE_OVERDUE, now, _DAY_MS, None)
    more = any(waiting) or max(len(expired), len(doubts), len(overdue), len(forgotten)) >= limit
    return Swept(len(expired), len(doubts), len(ended), more)


def probe(tx: Transaction, op: Probe) -> None:
    tx.connection.execute(sql.PROBE_WRITE)
    tx.connection.execute(sql.PROBE_TAKE_BACK)
