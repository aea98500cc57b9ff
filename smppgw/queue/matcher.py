"""Which segment a receipt belongs to, and what it does to it. Pure: rows in, decisions out.

A wrong match never happens: an id that is unique among the carrier's segments is enough; where an id was used more
than once, the addresses must agree as well; without an id, only a single segment in doubt with the very addresses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from smppgw.queue.model import (
    OWN_CLOCK,
    RECEIPT_MOVES,
    TRANSITIONS,
    Reason,
    ReceiptRecord,
    ReceiptState,
    SegmentState,
)

#: Receipts come with national, masked or swapped addresses; this many last digits must agree (field experience).
AGREEING_DIGITS = 7


class Candidate(NamedTuple):
    """A segment that a receipt may belong to."""

    segment_id: int
    state: SegmentState
    reason: Reason
    parts: int
    recipient: str
    sender: str
    submitted_utc_ms: int


class Effect(NamedTuple):
    """What a receipt does: the state to move to (None: history only) and why."""

    state: SegmentState | None
    reason: Reason


def addresses_agree(recipient: str, receipt: ReceiptRecord) -> bool:
    """True when either address of the receipt ends like the recipient."""
    tail = recipient[-AGREEING_DIGITS:]
    return receipt.source_addr.endswith(tail) or receipt.destination_addr.endswith(tail)


def choose(receipt: ReceiptRecord, candidates: Sequence[Candidate]) -> Candidate | None:
    """The segment that `receipt` belongs to among those that carry its id, None when it cannot be told.

    An id that stands once is enough. Where an SMSC used it again, those whose recipient agrees come first, the
    newest open one before finished ones; if none agrees, the only open one.
    """
    if len(candidates) == 1:
        return candidates[0]
    agreeing = [candidate for candidate in candidates if addresses_agree(candidate.recipient, receipt)]
    if agreeing:
        return max(agreeing, key=lambda candidate: (candidate.state.is_open, candidate.segment_id))
    still_open = [candidate for candidate in candidates if candidate.state.is_open]
    return still_open[0] if len(still_open) == 1 else None


def resolve_doubts(
    parked: Sequence[tuple[ReceiptRecord, int]], unanswered: Sequence[Candidate], match_ms: int
) -> list[tuple[int, Candidate]]:
    """Pairs (index into `parked`, segment in doubt) that can be nothing else.

    `parked`: receipts that matched no id, with the time they came (utc ms). `unanswered`: all segments of the carrier
    that were written and not answered. A segment is resolved when it is the only one with its recipient and sender,
    is in doubt, was written at most `match_ms` before the receipt, and the receipts that fit all carry one id.
    """
    by_addresses: defaultdict[tuple[str, str], list[Candidate]] = defaultdict(list)
    for segment in unanswered:
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


def effect_of(state: SegmentState, reason: Reason, receipt_state: ReceiptState | None) -> Effect:
    """What a receipt saying `receipt_state` does to a segment in `state`, which came there for `reason`."""
    move = RECEIPT_MOVES.get(receipt_state) if receipt_state is not None else None
    if move is None:
        return Effect(None, Reason.RECEIPT_INTERMEDIATE)
    target = TRANSITIONS.get((state, move))
    if target is not None and (state != SegmentState.UNKNOWN or reason in OWN_CLOCK):
        return Effect(target, Reason.RECEIPT)
    told = TRANSITIONS[SegmentState.SENT, move]
    return Effect(None, Reason.RECEIPT_REPEATED if told == state else Reason.RECEIPT_CONTRADICTS)
