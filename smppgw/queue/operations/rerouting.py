"""Refused messages on their way to another carrier.

A message leaves as a whole, and only while its carrier has nothing of it: each segment waits, or was refused in this
very batch, and no copy of one is unanswered. Attempts are counted anew: the retry plan is the carrier's, and the last
pause of one must not be the first of the next. The list of alternatives gets shorter with each, so that no message
goes round in circles.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field

from smppgw.queue import statements as sql
from smppgw.queue.model import Reason, RecordOutcomes, SegmentState
from smppgw.queue.operations.ending import write_history
from smppgw.queue.operations.transaction import Transaction

_QUEUED = SegmentState.QUEUED.value


@dataclass(slots=True)
class Departure:
    """A message that leaves its carrier."""

    carrier: str  # the next
    alternatives: list[str]  # those after it
    segments: list[int] = field(default_factory=list)
    stays: bool = False  # the carrier has, or may have, something of it


def departures_of(tx: Transaction, messages: Collection[int], coming_back: Mapping[int, int]) -> dict[int, Departure]:
    """Those of the messages that may leave. `coming_back`: the segments that this batch sends back to the queue, with
    how many of their copies are still unanswered."""
    found: dict[int, Departure] = {}
    rows = tx.found(sql.REROUTABLE, json.dumps(sorted(messages)))
    for message, alternatives, segment, state, without_id, unanswered in rows:
        departure = found.get(message)
        if departure is None:
            carrier, *others = json.loads(alternatives)
            departure = found[message] = Departure(carrier, others)
        departure.segments.append(segment)
        here = state == _QUEUED or segment in coming_back
        departure.stays |= not (without_id and here) or coming_back.get(segment, unanswered) > 0
    return {message: departure for message, departure in found.items() if not departure.stays}


def depart(tx: Transaction, op: RecordOutcomes, departures: Mapping[int, Departure], told: Container[int]) -> None:
    """Hands the messages over: all their segments are QUEUED. `told`: segments whose history says so already."""
    messages = [
        (message, one.carrier, json.dumps(one.alternatives) if one.alternatives else None)
        for message, one in departures.items()
    ]
    tx.rows(sql.REROUTE_MESSAGES, sql.REROUTE_MESSAGES_ROW, messages)
    segments = [(number, one.carrier) for one in departures.values() for number in one.segments]
    tx.rows(sql.REROUTE_SEGMENTS, sql.REROUTE_SEGMENTS_ROW, segments, op.now_utc_ms)
    history = [
        (number, op.now_utc_ms, _QUEUED, Reason.REROUTED.value, op.bind, f"{op.carrier} -> {carrier}")
        for number, carrier in segments
        if number not in told
    ]
    write_history(tx, history)
    tx.woken.update(one.carrier for one in departures.values())
