"""Receipts of carriers of every kind, through the SQL: never with somebody else's segment, and found in the end."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.queue.model import (
    Accept,
    Claim,
    ClaimedSegment,
    IdForm,
    OutcomeKind,
    ReceiptRecord,
    ReceiptState,
    RecordOutcomes,
    RecordReceipts,
    SubmitOutcome,
    Sweep,
)
from tests.support.inlinestore import InlineStore

from .make import HOUR, NOW, PLAN, new_message

#: By name: how the carrier writes a number in its response and in its receipt.
FORMS: dict[str, tuple[Callable[[int], str], Callable[[int], str]]] = {
    "same, decimal": (str, str),
    "same, hexadecimal": ("{:x}".format, "{:x}".format),
    "letter case": ("{:X}".format, "{:x}".format),
    "zeros in the response": ("{:010d}".format, str),
    "zeros in the receipt": (str, "{:010d}".format),
    "hex -> dec": ("{:x}".format, str),
    "hex -> dec, upper case and padded": ("{:08X}".format, str),
    "hex -> dec, padded receipt": ("{:x}".format, "{:010d}".format),
    "dec -> hex": (str, "{:x}".format),
    "dec -> hex, padded": ("{:010d}".format, "{:08X}".format),
}


def in_a_row(first: int, count: int) -> list[int]:
    return list(range(first, first + count))


NUMBERS: dict[str, Callable[[random.Random, int], list[int]]] = {
    "from one": lambda chance, count: in_a_row(1, count),
    "in a row": lambda chance, count: in_a_row(chance.choice([7, 90, 990, 4000, 2**31]), count),
    "small": lambda chance, count: chance.sample(range(1, 300), count),
    "large": lambda chance, count: [chance.getrandbits(80) for _ in range(count)],
}


@dataclass
class Carrier:
    """An SMSC with a habit. Every booking is held against what it knows."""

    form: str
    numbers: list[int]
    store: InlineStore = field(default_factory=InlineStore)
    now: int = NOW
    given: int = 0

    def take(self, recipients: list[str]) -> list[ClaimedSegment]:
        self.store.commit_now(Accept([new_message(to) for to in recipients], self.now))
        op = Claim("demo", "demo/1", len(recipients), self.now)
        self.store.commit_now(op)
        return op.result.segments

    def number(self) -> int:
        self.given += 1
        return self.numbers[self.given - 1]

    def answer(self, segments: list[tuple[ClaimedSegment, int]]) -> None:
        response, _ = FORMS[self.form]
        outcomes = [
            SubmitOutcome(one.segment_id, one.claim, OutcomeKind.ACCEPTED, 0, response(number))
            for one, number in segments
        ]
        self.store.commit_now(RecordOutcomes("demo", "demo/1", outcomes, self.now, PLAN, HOUR))

    def report(self, segments: list[tuple[ClaimedSegment, int]]) -> None:
        _, receipt = FORMS[self.form]
        records = [
            ReceiptRecord(
                receipt(number),
                ReceiptState.DELIVERED,
                "DELIVRD",
                "000",
                one.destination.addr,
                "BANK",
                str(one.segment_id).encode(),
            )
            for one, number in segments
        ]
        self.store.commit_now(RecordReceipts("demo", "demo/1", records, self.now))

    def later(self, ms: int) -> None:
        self.now += ms
        self.store.commit_now(Sweep(self.now))

    def check(self, *, few_phones: bool) -> None:
        """No receipt lies with another recipient's segment, nor, where each has a phone of its own, with another
        segment."""
        rows = self.store.connection.execute(
            "SELECT r.raw, r.segment_id, m.dest_addr, r.source_addr FROM receipt r JOIN message m "
            "ON m.id = r.segment_id >> 8 WHERE r.segment_id IS NOT NULL"
        )
        for raw, segment, recipient, source in rows:
            assert recipient == source, f"{self.form}: the receipt of {raw} lies with {segment}"
            if not few_phones:
                assert int(raw) == segment

    def left(self) -> int:
        found: int = self.store.connection.execute(
            "SELECT count(*) FROM receipt WHERE segment_id IS NULL"
        ).fetchone()[0]
        return found


@settings(max_examples=100, deadline=None)
@given(
    form=st.sampled_from(sorted(FORMS)),
    kind=st.sampled_from(sorted(NUMBERS)),
    seed=st.integers(0, 2**32),
    early=st.floats(0, 1),
    phones=st.sampled_from([2, 5, 10_000]),
)
def test_no_receipt_is_booked_on_another_recipient_and_all_are_matched_in_the_end(
    form: str, kind: str, seed: int, early: float, phones: int
) -> None:
    chance = random.Random(seed)
    carrier = Carrier(form, NUMBERS[kind](chance, 80))
    unreported: list[tuple[ClaimedSegment, int]] = []
    recipients = [f"44770{number:07d}" for number in chance.sample(range(phones), min(phones, 80))]
    for turn in range(8):
        to = recipients[10 * turn :][:10] if phones > 80 else chance.choices(recipients, k=10)
        segments = [(one, carrier.number()) for one in carrier.take(to)]
        chance.shuffle(segments)
        first = [one for one in segments if chance.random() < early / 2]
        carrier.report(first)
        unanswered = list(segments)
        while unanswered:
            size = chance.randint(1, 4)
            carrier.answer(unanswered[:size])
            unanswered = unanswered[size:]
            if chance.random() < early:
                again = [one for one in unanswered if one not in first and chance.random() < 0.3]
                first += again
                carrier.report(again)
        unreported += [one for one in segments if one not in first]
        chance.shuffle(unreported)
        now, unreported = unreported[:7], unreported[7:]
        carrier.report(now)
        carrier.later(chance.choice([0, 1000, 130_000]))
        carrier.check(few_phones=phones <= 80)
    carrier.report(unreported)
    carrier.later(130_000)
    carrier.later(130_000)
    carrier.check(few_phones=phones <= 80)
    assert carrier.left() == 0, carrier.store.connection.execute("SELECT * FROM carrier_ids").fetchall()


@pytest.mark.parametrize("form", sorted(FORMS))
def test_one_phone_for_all_messages(form: str) -> None:
    """A tester's own phone, and ids that can be read in several ways: nothing is guessed, nothing stays behind."""
    carrier = Carrier(form, list(range(1, 41)))
    for _ in range(4):
        segments = [(one, carrier.number()) for one in carrier.take(["447700900001"] * 10)]
        carrier.answer(segments)
        carrier.report(segments)
    carrier.later(130_000)
    wrong = carrier.store.connection.execute(
        "SELECT count(*) FROM receipt WHERE segment_id <> CAST(CAST(raw AS TEXT) AS INTEGER)"
    ).fetchone()[0]
    assert (carrier.left(), wrong) == (0, 0)


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("after", sorted(FORMS))
def test_a_carrier_that_changes_its_habit(form: str, after: str) -> None:
    chance = random.Random(5)
    carrier = Carrier(form, [chance.getrandbits(40) for _ in range(60)])
    for turn in range(6):
        carrier.form = form if turn < 3 else after
        segments = [(one, carrier.number()) for one in carrier.take([f"44770{turn:03d}{n:04d}" for n in range(10)])]
        carrier.answer(segments)
        carrier.report(segments)
        carrier.check(few_phones=False)
    carrier.later(130_000)
    carrier.check(few_phones=False)
    assert carrier.left() == 0


async def test_the_relation_is_learned_and_shown() -> None:
    carrier = Carrier("hex -> dec", list(range(1000, 1100)))
    for turn in range(4):
        segments = [(one, carrier.number()) for one in carrier.take([f"44770{turn:03d}{n:04d}" for n in range(20)])]
        carrier.answer(segments)
        carrier.report(segments)
    (known,) = await carrier.store.id_relations()
    assert (known.carrier, known.relation, known.pinned) == ("demo", "hex -> dec", False)
    assert (known.matched, known.total) == (80, 80)


async def test_a_pinned_relation_is_believed_from_the_first_receipt() -> None:
    carrier = Carrier("hex -> dec", [16, 22])
    to_first, to_second = carrier.take(["447700900001", "447700900001"])
    carrier.answer([(to_first, 16), (to_second, 22)])  # "10" and "16"
    record = ReceiptRecord("16", ReceiptState.DELIVERED, "DELIVRD", "000", "447700900001", "BANK", b"")
    op = RecordReceipts("demo", "demo/1", [record], NOW, IdForm.HEX_DEC)
    carrier.store.commit_now(op)
    (segment,) = carrier.store.connection.execute("SELECT segment_id FROM receipt").fetchone()
    assert (segment, op.result.flags) == (to_first.segment_id, {"id_converted": 1})
    (known,) = await carrier.store.id_relations()
    assert (known.relation, known.pinned, known.matched, known.total) == ("hex -> dec", True, 1, 1)
