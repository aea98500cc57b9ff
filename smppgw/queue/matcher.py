"""Which segment a receipt belongs to, and what it does to it. Pure: rows in, decisions out.

A wrong match never happens: an id that one open segment of the carrier carries is enough; where an id was used more
than once, or the receipt came before its id, the addresses must agree as well; without an id, only a single segment
in doubt with the very addresses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from smppgw.queue.model import (
    OWN_CLOCK,
    RECEIPT_MOVES,
    TRANSITIONS,
    Move,
    Reason,
    ReceiptRecord,
    ReceiptState,
    SegmentState,
)

#: Receipts come with national, masked or swapped addresses; this many last digits must agree (field experience).
AGREEING_DIGITS = 7

#: How far the wall clock may have been set back between a submit_sm and its receipt.
CLOCK_STEP_MS = 5_000


class Candidate(NamedTuple):
    """A segment that a receipt may belong to. Addresses are looked up only where the id does not tell enough."""

    segment_id: int
    state: SegmentState
    reason: Reason
    parts: int
    submitted_utc_ms: int
    recipient: str = ""
    sender: str = ""


class Effect(NamedTuple):
    """What a receipt does: the state to move to (None: history only) and why."""

    state: SegmentState | None
    reason: Reason


def agree(recipient: str, *addresses: str) -> bool:
    """True when one of the addresses of a receipt ends like the recipient."""
    tail = recipient[-AGREEING_DIGITS:]
    return any(address.endswith(tail) for address in addresses)


def addresses_agree(recipient: str, receipt: ReceiptRecord) -> bool:
    return agree(recipient, receipt.source_addr, receipt.destination_addr)


def choose(receipt: ReceiptRecord, candidates: Sequence[Candidate]) -> Candidate | None:
    """The segment that `receipt` belongs to among those that carry its id, None when it cannot be told.

    Those whose recipient agrees come first, the newest open one before finished ones. If none agrees (some carriers
    mask addresses), an id that only one open segment carries is enough.
    """
    agreeing = [candidate for candidate in candidates if addresses_agree(candidate.recipient, receipt)]
    if agreeing:
        return max(agreeing, key=lambda candidate: (candidate.state.is_open, candidate.segment_id))
    still_open = [candidate for candidate in candidates if candidate.state.is_open]
    return still_open[0] if len(still_open) == 1 else None


def choose_for_parked(
    receipt: ReceiptRecord, received_utc_ms: int, candidates: Sequence[Candidate]
) -> Candidate | None:
    """The same for a receipt that waited for its id to appear.

    Stricter, because it may have come for somebody else's message long before this id was given again: the recipient
    must agree, and the receipt must not be older than the submit_sm.
    """
    fitting = [
        candidate
        for candidate in candidates
        if addresses_agree(candidate.recipient, receipt)
        and received_utc_ms >= candidate.submitted_utc_ms - CLOCK_STEP_MS
    ]
    return choose(receipt, fitting)


def resolve_doubts(
    parked: Sequence[tuple[ReceiptRecord, int]], written: Sequence[Candidate], match_ms: int
) -> list[tuple[int, Candidate]]:
    """Pairs (index into `parked`, segment in doubt) that can be nothing else.

    `parked`: receipts that matched no id, with the time they came (utc ms). `written`: all segments of the carrier
    to these recipients that were written and are not finished, answered or not: a receipt whose id has another form
    than the answer had may belong to any of them. A segment is resolved when it is the only one with its recipient
    and sender, is in doubt, was written at most `match_ms` before the receipt, and the receipts that fit all carry
    one id.
    """
    by_addresses: defaultdict[tuple[str, str], list[Candidate]] = defaultdict(list)
    for segment in written:
        by_addresses[segment.recipient, segment.sender].append(segment)
    fitting: defaultdict[int, list[int]] = defaultdict(list)
    alone: dict[int, Candidate] = {}
    for index, (receipt, received_utc_ms) in enumerate(parked):
        same = by_addresses.get((receipt.source_addr, receipt.destination_addr), [])
        if len(same) != 1 or same[0].state is not SegmentState.IN_DOUBT:
            continue
        if 0 <= received_utc_ms - same[0].submitted_utc_ms <= match_ms:
            fitting[same[0].segment_id].append(index)
            alone[same[0].segment_id] = same[0]
    return [
        (index, alone[segment])
        for segment, indexes in fitting.items()
        if len({parked[index][0].smsc_id for index in indexes}) == 1
        for index in indexes
    ]


@cache
def effect_of(state: SegmentState, reason: Reason, receipt_state: ReceiptState | None) -> Effect:
    """What a receipt saying `receipt_state` does to a segment in `state`, which came there for `reason`."""
    move = RECEIPT_MOVES.get(receipt_state, Move.RECEIPT_INTERMEDIATE) if receipt_state is not None else None
    if move is None or move is Move.RECEIPT_INTERMEDIATE:
        # Whatever it says, the SMSC has the message: a doubt is resolved.
        return Effect(TRANSITIONS.get((state, Move.RECEIPT_INTERMEDIATE)), Reason.RECEIPT_INTERMEDIATE)
    target = TRANSITIONS.get((state, move))
    if target is not None and (state.is_open or reason in OWN_CLOCK):
        return Effect(target, Reason.RECEIPT)
    told = TRANSITIONS[SegmentState.SENT, move]
    return Effect(None, Reason.RECEIPT_REPEATED if told == state else Reason.RECEIPT_CONTRADICTS)
