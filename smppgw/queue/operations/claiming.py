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
from smppgw.queue.operations.ending import finish_by_clock, write_history
from smppgw.queue.operations.transaction import Transaction

_LANES = tuple(Lane)
_IN_FLIGHT = SegmentState.IN_FLIGHT
_QUEUED = SegmentState.QUEUED


def claim(tx: Transaction, op: Claim) -> Claimed:
    """QUEUED -> IN_FLIGHT: otp before transactional before bulk, each in the order of their due times."""
    limit = op.limit
    budget = Budget(tx, op.carrier, op.caps) if op.caps else None
    if budget is not None:
        limit = budget.most(limit)
        if limit == 0 < op.limit:
            return Claimed([], budget.again_utc_ms(0))
    rows = tx.found(sql.SELECT_READY, op.carrier, op.now_utc_ms, limit)
    taken = _take(tx, op, rows, budget)
    if len(taken) >= op.limit:
        return Claimed(taken, None)
    if budget is not None and len(taken) >= limit:
        return Claimed(taken, budget.again_utc_ms(limit))
    return Claimed(taken, tx.one(sql.NEXT_DUE, op.carrier, op.now_utc_ms))


def _take(tx: Transaction, op: Claim, rows: Sequence[Sequence[Any]], budget: Budget | None) -> list[ClaimedSegment]:
    """Claims what is ready, but for what has expired, is held, or has a sender without anything left of a limit."""
    taken: list[ClaimedSegment] = []
    expired: list[int] = []
    put_off: defaultdict[int, list[int]] = defaultdict(list)
    now, held = op.now_utc_ms, op.held
    segments = [_claimed(row) for row in rows]
    if budget is not None:
        budget.look_up({segment.source.addr for segment in segments})
    for segment in segments:
        if segment.expires_utc_ms <= now:
            expired.append(segment.segment_id)
        elif segment.destination.addr in held:
            put_off[held[segment.destination.addr]].append(segment.segment_id)
        elif budget is not None and (until := budget.put_off(segment.source.addr)) is not None:
            put_off[until].append(segment.segment_id)
        else:
            taken.append(segment)
    if taken:
        tx.connection.execute(sql.CLAIM, (op.bind, now, json.dumps([segment.segment_id for segment in taken])))
        # The first claim shows in the columns of its segment; the others would replace it there.
        again = [segment.segment_id for segment in taken if segment.claim > 1]
        write_history(tx, [(one, now, _IN_FLIGHT.value, Reason.CLAIMED.value, op.bind, "") for one in again])
        if budget is not None:
            budget.use(segment.source.addr for segment in taken)
    for until, ids_held in put_off.items():
        tx.connection.execute(sql.PUT_OFF, (max(until, now + 1), json.dumps(ids_held)))
    if expired:
        finish_by_clock(tx, [(segment, 2) for segment in expired], Move.EXPIRE, _QUEUED, Reason.VALIDITY_EXPIRED, now)
    if expired or put_off:
        tx.woken.add(op.carrier)  # what was asked for may still be there, behind these
    return taken


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
