"""How the id in a carrier's receipts relates to the message_id of its submit_sm_resp. Pure.

Field experience: some SMSCs write the id hexadecimal in the response and decimal in the receipt, or the reverse, in
another letter case, or with leading zeros on one side only, and many have more than 64 bits. `readings` gives every
message_id that an id in a receipt may stand for, each with its relation; they are looked up in an index, since what
is stored is the message_id as it came. `Learned` is what is known of one carrier: the relation that receipts with
agreeing addresses have shown, and the shape of its message_ids, so that few readings are enough.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from smppgw.queue.model import IdForm


class Relation(StrEnum):
    """message_id in the response and id in the receipt. The values are what people are shown."""

    SAME = "same"  # but for letter case and leading zeros
    HEX_DEC = "hex -> dec"
    DEC_HEX = "dec -> hex"


PINNED = {IdForm.SAME: Relation.SAME, IdForm.HEX_DEC: Relation.HEX_DEC, IdForm.DEC_HEX: Relation.DEC_HEX}
#: The same relation seen from the response.
REVERSED = {
    Relation.SAME: Relation.SAME,
    Relation.HEX_DEC: Relation.DEC_HEX,
    Relation.DEC_HEX: Relation.HEX_DEC,
}
ALL = frozenset(Relation)

#: Nothing longer is read as a number: message_id has at most 65 octets (SMPP 3.4, 5.2.23).
LONGEST = 65
#: Widths that SMSCs pad ids to, tried until the carrier's own are known.
COMMON_WIDTHS = (8, 10, 12, 16, 20)
#: So many lengths of a carrier's ids are kept and padded to.
MOST_LENGTHS = 6
#: Among so many message_ids in a row a hexadecimal one shows a letter: the last digit alone takes every value.
TELLING = 16
#: So many counted message_ids tell all that the count is good for.
ENOUGH_SEEN = 10 * TELLING
#: Ids of one carrier lie within this factor of each other, as far as it matters here (see Shape.could_be).
NEAR = 4

_DECIMAL = frozenset("0123456789")
_HEX = frozenset("0123456789abcdefABCDEF")


def is_decimal(text: str) -> bool:
    return 0 < len(text) <= LONGEST and _DECIMAL.issuperset(text)


def is_hex(text: str) -> bool:
    return 0 < len(text) <= LONGEST and _HEX.issuperset(text)


@dataclass(slots=True)
class Shape:
    """What the message_ids of a carrier look like, as far as they were seen."""

    seen: int = 0
    lengths: list[int] = field(default_factory=list)  # the newest last
    lower: bool = False  # letters have been seen in lower case
    upper: bool = False
    lowest: dict[int, int] = field(default_factory=dict)  # by base: numbers that they were, read in it
    highest: dict[int, int] = field(default_factory=dict)

    def see(self, message_ids: Iterable[str]) -> None:
        for text in message_ids:
            self.seen += 1
            if len(text) not in self.lengths:
                self.lengths = [*self.lengths[1 - MOST_LENGTHS :], len(text)]
            self.lower = self.lower or text != text.upper()
            self.upper = self.upper or text != text.lower()
            for base, fits in ((10, is_decimal), (16, is_hex)):
                if fits(text):
                    number = int(text, base)
                    self.lowest[base] = min(number, self.lowest.get(base, number))
                    self.highest[base] = max(number, self.highest.get(base, number))

    def could_be(self, number: int, base: int) -> bool:
        """Whether the carrier may have given `number`, written in `base`, as a message_id."""
        if base not in self.lowest:
            return False
        if base == 16 and self.seen >= TELLING and not (self.lower or self.upper):
            return False
        return self.lowest[base] // NEAR <= number <= self.highest[base] * NEAR

    def variants(self, text: str) -> set[str]:
        """`text` without leading zeros in every width and letter case that the carrier's ids may have."""
        core = text.lstrip("0") or "0"
        widths = self.lengths or (COMMON_WIDTHS if is_hex(core) else ())
        padded = {core, *(core.zfill(width) for width in widths if width > len(core))}
        if core.isdecimal():
            return padded
        lower = {one.lower() for one in padded} if self.lower or not self.upper else set()
        upper = {one.upper() for one in padded} if self.upper or not self.lower else set()
        return lower | upper


#: Of the ids in receipts nothing is known but that the usual ones are padded to 10 or 20 digits.
RECEIPT_SHAPE = Shape(lengths=[10, 20])


def number_of(receipt_id: str, relation: Relation) -> tuple[int, int] | None:
    """The number behind an id in a receipt under a numeric relation, and the base of the response."""
    if relation is Relation.HEX_DEC and is_decimal(receipt_id):
        return int(receipt_id), 16
    if relation is Relation.DEC_HEX and is_hex(receipt_id):
        return int(receipt_id, 16), 10
    return None


def readings(receipt_id: str, shape: Shape, relations: Collection[Relation] = ALL) -> dict[str, frozenset[Relation]]:
    """Every message_id that `receipt_id` may stand for, with the relations under which it does."""
    found: dict[str, set[Relation]] = {}
    if Relation.SAME in relations:
        for text in {receipt_id, *(shape.variants(receipt_id) if len(receipt_id) <= LONGEST else ())}:
            found.setdefault(text, set()).add(Relation.SAME)
    for relation in (Relation.HEX_DEC, Relation.DEC_HEX):
        number = number_of(receipt_id, relation) if relation in relations else None
        if number is not None:
            for text in shape.variants(format(number[0], "x" if number[1] == 16 else "d")):
                found.setdefault(text, set()).add(relation)
    return {text: frozenset(under) for text, under in found.items()}


def receipt_ids(message_id: str, relations: Collection[Relation] = ALL) -> set[str]:
    """Ids under which receipts for `message_id` may have come already: the reverse of `readings`."""
    return {message_id, *readings(message_id, RECEIPT_SHAPE, {REVERSED[relation] for relation in relations})}


def response_id(receipt_id: str, learned: Learned) -> str:
    """What the carrier would have answered with, going by what is known, for a receipt whose segment has no id."""
    if learned.relation is None or learned.relation is Relation.SAME:
        return receipt_id
    length = learned.shape.lengths[-1] if learned.shape.lengths else 0
    forms = readings(receipt_id, learned.shape, (learned.relation,))
    return min(forms, key=lambda one: (len(one) != length, len(one), one), default=receipt_id)


#: So many more receipts must speak for a relation than for any other before it counts as learned, or as changed.
ENOUGH = 3


@dataclass(slots=True)
class Learned:
    """What is known of one carrier, as it is stored."""

    relation: Relation | None = None
    pinned: bool = False
    matched: int = 0  # receipts that found their segment
    total: int = 0  # receipts with an id
    shape: Shape = field(default_factory=Shape)
    votes: dict[Relation, int] = field(default_factory=dict)
    since_utc_ms: int = 0  # matched and total count from here
    retried: int = 0  # parked receipts up to this row had their second look
    looked_utc_ms: int = 0  # when the newest message_ids were looked at

    def pin(self, form: IdForm) -> bool:
        """Takes over the settings; True when that changed something."""
        relation = PINNED.get(form)
        if relation is None:
            changed, self.pinned = self.pinned, False
            return changed
        if self.pinned and self.relation is relation:
            return False
        if self.relation is not relation:
            self._begin(relation, 0)
        self.pinned, self.retried = True, 0
        return True

    def vote(self, relations: Collection[Relation], now_utc_ms: int) -> bool:
        """A receipt whose addresses agree speaks for `relations`. True when the relation is another one now.

        A carrier that changes its habit is followed: so many receipts in a row that speak for one other relation.
        """
        if self.pinned or not relations:
            return False
        if self.relation in relations:
            self.votes.clear()
            return False
        for relation in relations:
            self.votes[relation] = self.votes.get(relation, 0) + 1
        first, *others = sorted(self.votes, key=lambda one: -self.votes[one])
        if self.votes[first] - max((self.votes[one] for one in others), default=0) < ENOUGH:
            return False
        known = self.relation is not None
        self.relation, self.retried = first, 0
        self.votes.clear()
        if known:
            self._begin(first, now_utc_ms)
        return True

    def _begin(self, relation: Relation, now_utc_ms: int) -> None:
        self.relation, self.matched, self.total, self.since_utc_ms = relation, 0, 0, now_utc_ms
        self.votes.clear()

    def as_json(self) -> str:
        """What has no column of its own."""
        shape = self.shape
        value = {
            "seen": min(shape.seen, ENOUGH_SEEN),
            "lengths": shape.lengths,
            "lower": shape.lower,
            "upper": shape.upper,
            "lowest": {str(base): str(number) for base, number in shape.lowest.items()},
            "highest": {str(base): str(number) for base, number in shape.highest.items()},
            "votes": self.votes,
            "since_utc_ms": self.since_utc_ms,
            "retried": self.retried,
            "looked_utc_ms": self.looked_utc_ms,
        }
        return json.dumps(value)

    @classmethod
    def from_row(cls, relation: str, pinned: int, matched: int, total: int, learned: str) -> Learned:
        value = json.loads(learned)
        shape = Shape(
            value["seen"],
            value["lengths"],
            value["lower"],
            value["upper"],
            _numbers(value["lowest"]),
            _numbers(value["highest"]),
        )
        votes = {Relation(name): count for name, count in value["votes"].items()}
        known = Relation(relation) if relation else None
        rest = value["since_utc_ms"], value["retried"], value["looked_utc_ms"]
        return cls(known, bool(pinned), matched, total, shape, votes, *rest)


def _numbers(value: Mapping[str, str]) -> dict[int, int]:
    return {int(base): int(number) for base, number in value.items()}
