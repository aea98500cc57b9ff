"""Which segment a receipt belongs to, and what it does to it. Pure: rows in, decisions out.

A wrong match never happens. An id as it was given, on one open segment of the carrier, is enough, unless the
addresses contradict it and the id can be read in another way. Everything else needs addresses that agree: an id in
another form (see smppgw/queue/ids.py), one that was used more than once, a receipt that came before its id. Where two
readings agree and nobody knows yet how the carrier writes its ids, the receipt waits. Without an id, only a segment
in doubt comes into question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from smppgw.queue.ids import Learned, Relation, Shape, number_of
from smppgw.queue.model import (
    RECEIPT_MOVES,
    REVISABLE,
    TRANSITIONS,
    Move,
    Reason,
    ReceiptFlag,
    ReceiptRecord,
    ReceiptState,
    SegmentState,
    reference_of,
)

#: Receipts come with national, masked or swapped addresses; this many last digits must agree (field experience).
AGREEING_DIGITS = 7

#: The longest country code (ITU-T E.164, 6.2).
COUNTRY_CODE_DIGITS = 3

#: How far the wall clock may have been set back between a submit_sm and its receipt.
CLOCK_STEP_MS = 5_000

#: What people put between digits.
_SEPARATORS = str.maketrans("", "", " -.()/+")


class Candidate(NamedTuple):
    """A segment that a receipt may belong to."""

    segment_id: int
    state: SegmentState
    reason: Reason
    parts: int
    submitted_utc_ms: int
    recipient: str = ""
    sender: str = ""
    #: A copy of it was written and not answered, whether it is held, waits to be sent again, or is on its way again.
    in_doubt: bool = False


class Hit(NamedTuple):
    """A segment whose message_id is a reading of the receipt's id."""

    segment: Candidate
    relations: frozenset[Relation]  # under which it is
    raw: bool  # the very same characters


class Match(NamedTuple):
    """Where a receipt belongs (None: nobody can tell yet), what is odd about it, and what it says of the ids."""

    segment: Candidate | None = None
    flags: tuple[ReceiptFlag, ...] = ()
    votes: frozenset[Relation] = frozenset()


class Effect(NamedTuple):
    """What a receipt does: the state to move to (None: history only) and why."""

    state: SegmentState | None
    reason: Reason


# ---------------------------------------------------------------------------------------------------------------- #
# Addresses
# ---------------------------------------------------------------------------------------------------------------- #


def agree(recipient: str, *addresses: str) -> bool:
    """True when one of the addresses of a receipt ends like the recipient; a shorter number must be there whole."""
    if len(recipient) < AGREEING_DIGITS:
        return any(address == recipient or address.translate(_SEPARATORS) == recipient for address in addresses)
    tail = recipient[-AGREEING_DIGITS:]
    return any(address.endswith(tail) or address.translate(_SEPARATORS).endswith(tail) for address in addresses)


def addresses_agree(recipient: str, receipt: ReceiptRecord) -> bool:
    if len(recipient) >= AGREEING_DIGITS and receipt.source_addr.endswith(recipient[-AGREEING_DIGITS:]):
        return True  # nearly always, and this is asked for every receipt
    return agree(recipient, receipt.source_addr, receipt.destination_addr)


def contradicts(segment: Candidate, receipt: ReceiptRecord) -> bool:
    """True when the receipt names somebody else: a whole number, neither recipient nor sender, and nothing masked."""
    addresses = [address.translate(_SEPARATORS) for address in (receipt.source_addr, receipt.destination_addr)]
    if agree(segment.recipient, *addresses):
        return False
    others = [address for address in addresses if not agree(segment.sender, address)]
    masked = any(not address or (not address.isdigit() and any(map(str.isdigit, address))) for address in others)
    return not masked and any(address.isdigit() and len(address) >= AGREEING_DIGITS for address in others)


def plain_number(address: str) -> str:
    """An address without what may stand before an international number, so that its forms are equal."""
    plain = address.translate(_SEPARATORS)
    return plain.removeprefix("00") if plain.isdigit() else address


def forms_of(address: str) -> set[str]:
    """The ways in which an SMSC may write the address, as far as no country has to be guessed."""
    plain = plain_number(address)
    return {address, plain, *((f"+{plain}", f"00{plain}") if plain.isdigit() else ())}


def same_number(one: str, other: str) -> bool:
    """True when both are one number: the same after + and leading zeros, or but for a country code."""
    shorter, longer = sorted((one.lstrip("+0"), other.lstrip("+0")), key=len)
    if shorter == longer:
        return True
    missing = len(longer) - len(shorter)
    return missing <= COUNTRY_CODE_DIGITS and len(shorter) >= AGREEING_DIGITS and longer.endswith(shorter)


# ---------------------------------------------------------------------------------------------------------------- #
# Ids
# ---------------------------------------------------------------------------------------------------------------- #


def id_of(receipt: ReceiptRecord) -> str:
    """The id to look for."""
    return receipt.smsc_id if receipt.match_id is None else receipt.match_id


def expected(receipt: ReceiptRecord, learned: Learned) -> Relation | None:
    """The relation that the carrier is known for, as far as this id can be read by it."""
    relation = learned.relation
    if relation is None or relation is Relation.SAME or number_of(id_of(receipt), relation) is not None:
        return relation
    return Relation.SAME


class Awaited:
    """The recipients of what the carrier has not answered yet, and when the first submit_sm to each was written, by
    what an address of a receipt has to end in (see `agree`): one look for each receipt, however many there are."""

    def __init__(self, unanswered: Iterable[tuple[str, int]]) -> None:
        self._written: dict[str, int] = {}  # utc ms
        for recipient, written_utc_ms in unanswered:
            key = recipient[-AGREEING_DIGITS:]
            self._written[key] = min(written_utc_ms, self._written.get(key, written_utc_ms))

    def since(self, address: str) -> int | None:
        """When the first submit_sm to a recipient that agrees with this address was written (utc ms)."""
        found = [self._written.get(form[-AGREEING_DIGITS:]) for form in {address, address.translate(_SEPARATORS)}]
        return min((one for one in found if one is not None), default=None)


def may_be_early(receipt: ReceiptRecord, received_utc_ms: int, awaited: Awaited) -> bool:
    """Whether it may be for something that the carrier has not answered yet."""
    since = [awaited.since(address) for address in (receipt.source_addr, receipt.destination_addr)]
    return any(one is not None and one <= received_utc_ms + CLOCK_STEP_MS for one in since)


def choose(receipt: ReceiptRecord, hits: Sequence[Hit], learned: Learned, *, early: bool = False) -> Match:
    """The segment that `receipt` belongs to among those that some reading of its id leads to.

    `early`: see `may_be_early`; asked for only where `early_matters`.
    """
    known = expected(receipt, learned)
    agreeing = [hit for hit in hits if addresses_agree(hit.segment.recipient, receipt)]
    if agreeing:
        votes = frozenset[Relation]().union(*(hit.relations for hit in agreeing))
        hit = _by_agreement(agreeing, known, votes)
        if early and (
            hit is None or not hit.segment.state.is_open or (known is None and _guessed(hit, receipt, learned))
        ):
            return Match()  # nor does it say anything of the ids
        if known is None and hit is not None and not hit.raw and _is_over(hit.segment):
            return Match()  # by a guess it would stand among the receipts of a message that needs none
        return _booked(hit, votes)
    still_open = [hit for hit in hits if hit.raw and hit.segment.state.is_open]
    if len(still_open) == 1 and _id_is_enough(still_open[0], receipt, hits, learned, known, early):
        return Match(still_open[0].segment, (ReceiptFlag.ADDRESS_DIFFERS,))
    return Match()


def early_matters(receipt: ReceiptRecord, hits: Sequence[Hit], learned: Learned) -> bool:
    """Whether `choose` has to know if the receipt may be early: its id leads to somebody else's segment, or to no
    open one by the carrier's relation (the id may be used again), or that is not known yet."""
    agreeing = [hit for hit in hits if addresses_agree(hit.segment.recipient, receipt)]
    if agreeing:
        known = expected(receipt, learned)
        return known is None or not any(known in hit.relations and hit.segment.state.is_open for hit in agreeing)
    return any(hit.raw and contradicts(hit.segment, receipt) for hit in hits)


def _by_agreement(agreeing: Sequence[Hit], known: Relation | None, votes: frozenset[Relation]) -> Hit | None:
    """The newest open one by the carrier's relation. While that is not known: only where all readings lead to one."""
    if known is not None:
        return _newest([hit for hit in agreeing if known in hit.relations])
    best = {_newest([hit for hit in agreeing if relation in hit.relations]) for relation in votes}
    return best.pop() if len(best) == 1 else None


def _is_over(segment: Candidate) -> bool:
    """Whether it is finished, and no receipt can change that."""
    return not segment.state.is_open and (segment.state, segment.reason) not in REVISABLE


def _guessed(hit: Hit, receipt: ReceiptRecord, learned: Learned) -> bool:
    """Whether the id, going by nothing but itself, may be another one's."""
    return not hit.raw or other_reading(id_of(receipt), learned.shape)


def _newest(hits: Sequence[Hit]) -> Hit | None:
    return max(hits, key=lambda hit: (hit.raw, hit.segment.state.is_open, hit.segment.segment_id), default=None)


def _booked(hit: Hit | None, votes: frozenset[Relation]) -> Match:
    if hit is None:
        return Match(votes=votes)
    return Match(hit.segment, () if hit.raw else (ReceiptFlag.ID_CONVERTED,), votes)


def _id_is_enough(
    raw: Hit, receipt: ReceiptRecord, hits: Sequence[Hit], learned: Learned, known: Relation | None, early: bool
) -> bool:
    """Whether the only open segment with this very id is it, although its recipient does not agree."""
    if known is Relation.SAME and learned.pinned:
        return True
    if known not in (None, Relation.SAME):
        return False
    if contradicts(raw.segment, receipt):
        return not early and not other_reading(id_of(receipt), learned.shape)
    # Masked: neither for it nor against it. Then no other reading may lead to an open segment.
    return known is Relation.SAME or not any(hit.segment.state.is_open for hit in hits if not hit.raw)


def other_reading(receipt_id: str, shape: Shape) -> bool:
    """Whether the id may be a converted one, by what the carrier's message_ids look like."""
    numbers = (number_of(receipt_id, relation) for relation in (Relation.HEX_DEC, Relation.DEC_HEX))
    plain = receipt_id.lstrip("0").lower()
    return any(
        shape.could_be(*number) and format(number[0], "x" if number[1] == 16 else "d") != plain
        for number in numbers
        if number is not None
    )


def choose_for_parked(
    receipt: ReceiptRecord,
    received_utc_ms: int,
    hits: Sequence[Hit],
    learned: Learned,
    *,
    early: bool = False,
    settled: bool = False,
) -> Match:
    """The same for a receipt that waited for its id to appear.

    Stricter, because it may have come for somebody else's message long before this id was given again: the recipient
    must agree, and the receipt must not be older than the submit_sm. Less strict about the form of the id once it has
    waited long enough (`settled`) and is not early: then any reading that leads to one open segment will do.
    """
    fitting = [
        hit
        for hit in hits
        if addresses_agree(hit.segment.recipient, receipt)
        and received_utc_ms >= hit.segment.submitted_utc_ms - CLOCK_STEP_MS
    ]
    match = choose(receipt, fitting, learned, early=early)
    if match.segment is not None or not settled or early or learned.relation is None:
        return match
    still_open = [hit for hit in fitting if hit.segment.state.is_open]
    return _booked(still_open[0], match.votes) if len(still_open) == 1 else match


def choose_sniffed(receipt: ReceiptRecord, hits: Sequence[Hit], learned: Learned) -> Match:
    """The open segment that a text without receipt bits or TLVs is a receipt for: its sender is the recipient.

    Anybody can write such a text. So where the carrier's relation is known, only that counts, and the text says
    nothing of it.
    """
    known = expected(receipt, learned)
    fitting = [
        hit for hit in hits if hit.segment.state.is_open and same_number(hit.segment.recipient, receipt.source_addr)
    ]
    if known is not None:
        fitting = [hit for hit in fitting if known in hit.relations]
    if not fitting:
        return Match()
    best = max(fitting, key=lambda hit: (hit.raw, hit.segment.segment_id))
    votes = frozenset[Relation]().union(*(hit.relations for hit in fitting if known is None))
    match = _booked(best, votes)
    return match._replace(flags=(*match.flags, ReceiptFlag.SNIFFED))


# ---------------------------------------------------------------------------------------------------------------- #
# Doubts
# ---------------------------------------------------------------------------------------------------------------- #


def resolve_doubts(
    parked: Sequence[tuple[ReceiptRecord, int]], written: Sequence[Candidate], match_ms: int
) -> list[tuple[int, Candidate]]:
    """Pairs (index into `parked`, segment in doubt) that can be nothing else.

    `parked`: receipts that matched no id, with the time they came (utc ms). `written`: all segments to these
    recipients that were written to the carrier and may still get a receipt: not finished, answered or not, since a
    receipt whose id has another form than the answer had may belong to any of them; finished, but sent more than
    once; gone to another carrier.

    A receipt that echoes a user_message_reference belongs to the only segment that has it, if the recipient agrees.
    Otherwise a segment is resolved when it is the only one with its recipient and sender (in whichever form an
    international number is written), is in doubt, was written at most `match_ms` before the receipt, and the receipts
    that fit all carry one id.
    """
    told = _by_reference(parked, written)
    resolved = {segment.segment_id for segment in told.values()}
    by_addresses: defaultdict[tuple[str, str], list[Candidate]] = defaultdict(list)
    for segment in written:
        by_addresses[plain_number(segment.recipient), plain_number(segment.sender)].append(segment)
    fitting: defaultdict[int, list[int]] = defaultdict(list)
    alone: dict[int, Candidate] = {}
    for index, (receipt, received_utc_ms) in enumerate(parked):
        same = by_addresses.get((plain_number(receipt.source_addr), plain_number(receipt.destination_addr)), [])
        if index in told or len(same) != 1 or not same[0].in_doubt or same[0].segment_id in resolved:
            continue
        if (receipt.user_message_reference or reference_of(same[0].segment_id)) != reference_of(same[0].segment_id):
            continue
        if 0 <= received_utc_ms - same[0].submitted_utc_ms <= match_ms:
            fitting[same[0].segment_id].append(index)
            alone[same[0].segment_id] = same[0]
    return [
        *told.items(),
        *(
            (index, alone[segment_id])
            for segment_id, indexes in fitting.items()
            if len({parked[index][0].smsc_id for index in indexes}) == 1
            for index in indexes
        ),
    ]


def _by_reference(parked: Sequence[tuple[ReceiptRecord, int]], written: Sequence[Candidate]) -> dict[int, Candidate]:
    """The segments in doubt whose user_message_reference came back, by index of the receipt."""
    by_reference: defaultdict[int, list[Candidate]] = defaultdict(list)
    for segment in written:
        by_reference[reference_of(segment.segment_id)].append(segment)
    told = {}
    for index, (receipt, received_utc_ms) in enumerate(parked):
        fitting = [
            segment
            for segment in by_reference.get(receipt.user_message_reference or 0, ())
            if addresses_agree(segment.recipient, receipt)
        ]
        if len(fitting) == 1 and fitting[0].in_doubt and received_utc_ms >= fitting[0].submitted_utc_ms:
            told[index] = fitting[0]
    return told


# ---------------------------------------------------------------------------------------------------------------- #
# Effects
# ---------------------------------------------------------------------------------------------------------------- #


@cache
def effect_of(state: SegmentState, reason: Reason, receipt_state: ReceiptState | None) -> Effect:
    """What a receipt saying `receipt_state` does to a segment in `state`, which came there for `reason`."""
    move = RECEIPT_MOVES.get(receipt_state, Move.RECEIPT_INTERMEDIATE) if receipt_state is not None else None
    if move is None or move is Move.RECEIPT_INTERMEDIATE:
        # Whatever it says, the SMSC has the message: a doubt is resolved.
        return Effect(TRANSITIONS.get((state, Move.RECEIPT_INTERMEDIATE)), Reason.RECEIPT_INTERMEDIATE)
    target = TRANSITIONS.get((state, move))
    if target is not None and (state.is_open or (state, reason) in REVISABLE):
        return Effect(target, Reason.RECEIPT)
    told = TRANSITIONS[SegmentState.SENT, move]
    return Effect(None, Reason.RECEIPT_REPEATED if told == state else Reason.RECEIPT_CONTRADICTS)
