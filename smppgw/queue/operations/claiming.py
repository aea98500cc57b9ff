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
    Lane,
    Move,
    Reason,
    SegmentState,
)
from smppgw.queue.operations.ending import finish_by_clock, write_history
from smppgw.queue.operations.transaction import Transaction

_LANES = tuple(Lane)
_IN_FLIGHT = SegmentState.IN_FLIGHT
_QUEUED = SegmentState.QUEUED


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
        write_history(tx, [(one, now, _IN_FLIGHT.value, Reason.CLAIMED.value, op.bind, "") for one in again])
    for until, ids_held in put_off.items():
        tx.connection.execute(sql.PUT_OFF, (max(until, now + 1), json.dumps(ids_held)))
    if expired:
        finish_by_clock(tx, [(segment, 2) for segment in expired], Move.EXPIRE, _QUEUED, Reason.VALIDITY_EXPIRED, now)
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
