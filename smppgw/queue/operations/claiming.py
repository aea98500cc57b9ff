"""QUEUED -> IN_FLIGHT."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from smppgw.addresses import Address
from smppgw.queue import statements as sql
from smppgw.queue.model import (
    Claim,
    Claimed,
    ClaimedSegment,
    Extras,
    Lane,
    Move,
    Reason,
    SegmentState,
)
from smppgw.queue.operations.caps import Budget
from smppgw.queue.operations.ending import finish, write_history
from smppgw.queue.operations.transaction import Transaction

_LANES = tuple(Lane)
_IN_FLIGHT = SegmentState.IN_FLIGHT
_QUEUED = SegmentState.QUEUED
#: So many segments that are ready are looked at for those that a limit by sender keeps back.
_MOST_KEPT_BACK = 10_000


def claim(tx: Transaction, op: Claim) -> Claimed:
    """QUEUED -> IN_FLIGHT: otp before transactional before bulk, each in the order of their due times."""
    limit = op.limit
    budget = Budget(tx, op.carrier, op.caps) if op.caps else None
    if budget is not None:
        limit = budget.most(limit)
        if limit == 0 < op.limit:
            return Claimed([], budget.again_utc_ms(0), _any_due(tx, op))
    rows = tx.found(sql.SELECT_READY, op.carrier, op.now_utc_ms, limit)
    taken = _take(tx, op, rows, budget)
    if len(taken) >= op.limit:
        return Claimed(taken, None)
    if budget is not None and len(taken) >= limit:
        return Claimed(taken, budget.again_utc_ms(limit), _any_due(tx, op))
    next_due_utc_ms = tx.one(sql.NEXT_DUE, op.carrier, op.now_utc_ms)
    capped = budget is not None and next_due_utc_ms is not None and budget.any_sender_ended()
    return Claimed(taken, next_due_utc_ms, capped)


def _any_due(tx: Transaction, op: Claim) -> bool:
    first_utc_ms = tx.one(sql.NEXT_DUE, op.carrier, -1)
    return first_utc_ms is not None and first_utc_ms <= op.now_utc_ms


def _take(tx: Transaction, op: Claim, rows: Sequence[Sequence[Any]], budget: Budget | None) -> list[ClaimedSegment]:
    """Claims what is ready, but for what has expired, is held, or has a sender without anything left of a limit."""
    taken: list[ClaimedSegment] = []
    expired: list[int] = []
    put_off: defaultdict[int, list[int]] = defaultdict(list)
    kept_back: defaultdict[str, list[int]] = defaultdict(list)  # by sender, for want of anything left of a limit
    now, held = op.now_utc_ms, op.held
    segments = [_claimed(row) for row in rows]
    if budget is not None:
        budget.look_up({segment.source.addr for segment in segments})
    for segment in segments:
        if segment.expires_utc_ms <= now:
            expired.append(segment.segment_id)
        elif segment.destination.addr in held:
            put_off[held[segment.destination.addr]].append(segment.segment_id)
        elif budget is not None and budget.ended(segment.source.addr):
            kept_back[segment.source.addr].append(segment.segment_id)
        else:
            taken.append(segment)
    if taken:
        tx.connection.execute(sql.CLAIM, (op.bind, now, json.dumps([segment.segment_id for segment in taken])))
        # The first claim shows in the columns of its segment; the others would replace it there.
        again = [segment.segment_id for segment in taken if segment.claim > 1]
        write_history(tx, [(one, now, _IN_FLIGHT.value, Reason.CLAIMED.value, op.bind, "") for one in again])
        if budget is not None:
            budget.use(segment.source.addr for segment in taken)
    if budget is not None and kept_back:
        _keep_back(tx, op, budget, kept_back, len(segments), put_off)
    for until, ids_held in put_off.items():
        tx.connection.execute(sql.PUT_OFF, (max(until, now + 1), json.dumps(ids_held)))
    if expired:
        ending = tx.found(sql.COPIES_OF, json.dumps(expired))
        finish(tx, ending, Move.EXPIRE, _QUEUED, Reason.VALIDITY_EXPIRED, now)
    if expired or put_off:
        tx.woken.add(op.carrier)  # what was asked for may still be there, behind these
    return taken


def _keep_back(
    tx: Transaction,
    op: Claim,
    budget: Budget,
    kept_back: dict[str, list[int]],
    seen: int,
    put_off: defaultdict[int, list[int]],
) -> None:
    """Puts off what senders without anything left of a limit have waiting. Where that is most of what is ready, it
    is not left to be met claim by claim."""
    if 2 * sum(map(len, kept_back.values())) > seen:
        senders = json.dumps(sorted(kept_back))
        backlog: defaultdict[str, list[int]] = defaultdict(list)
        for number, sender in tx.found(sql.READY_OF_SENDERS, op.carrier, op.now_utc_ms, _MOST_KEPT_BACK, senders):
            backlog[sender].append(number)
        kept_back = backlog
    for sender, waiting in kept_back.items():
        for due, segments in budget.next_spans(sender, waiting).items():
            put_off[due] += segments


def _claimed(row: Sequence[Any]) -> ClaimedSegment:
    number, lane, ston, snpi, saddr, dton, dnpi, daddr, octets, coding, esm, registered, accepted, expires = row[:14]
    attempts, claims, parts, extras = row[14:]
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
        parts,
        None if extras is None else Extras.from_json(extras),
    )
