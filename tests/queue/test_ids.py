"""Readings of ids, what is learned of a carrier's, and the form in which that is stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.queue.ids import ALL, ENOUGH, Learned, Relation, Shape, readings, receipt_ids, response_id
from smppgw.queue.model import IdForm

SAME, HEX_DEC, DEC_HEX = Relation.SAME, Relation.HEX_DEC, Relation.DEC_HEX
UNSEEN = Shape()
numbers = st.integers(0, 16**20 - 1)
ids = st.text("0123456789abcdefABCDEF", min_size=1, max_size=40) | st.text(min_size=0, max_size=80)


def shape_of(*message_ids: str) -> Shape:
    shape = Shape()
    shape.see(message_ids)
    return shape


@pytest.mark.parametrize(
    ("name", "receipt_id", "message_id", "relation"),
    [
        ("as it is", "a-1", "a-1", SAME),
        ("letter case", "9A3F", "9a3f", SAME),
        ("letter case of a UUID", "5F0C-AB", "5f0c-ab", SAME),
        ("zeros in the receipt only", "0000001234", "1234", SAME),
        ("zeros in the response only", "1234", "0000001234", SAME),
        ("hexadecimal in the response", "1234567890", "499602d2", HEX_DEC),
        ("the same in upper case", "1234567890", "499602D2", HEX_DEC),
        ("the same, padded", "26", "0000001A", HEX_DEC),
        ("hexadecimal in the receipt", "499602D2", "1234567890", DEC_HEX),
        ("the same, padded on both sides", "0000001a", "0000000026", DEC_HEX),
        ("more than 64 bits", "340282366920938463463374607431768211455", "f" * 32, HEX_DEC),
    ],
)
def test_readings(name: str, receipt_id: str, message_id: str, relation: Relation) -> None:
    assert relation in readings(receipt_id, UNSEEN)[message_id], name
    assert message_id not in readings(receipt_id, UNSEEN, ALL - {relation}), name


@pytest.mark.parametrize("receipt_id", ["", "5f0c-ab", "٣٤", "x" * 70, "9" * 5000])
def test_what_is_no_number_is_not_read_as_one(receipt_id: str) -> None:
    assert all(relations == {SAME} for relations in readings(receipt_id, UNSEEN).values())


def test_a_known_shape_leaves_few_readings() -> None:
    assert set(readings("1234567890", shape_of("499602D2", "499602DA"), (HEX_DEC,))) == {"499602D2"}
    assert set(readings("26", shape_of("0000001b"), (HEX_DEC,))) == {"1a", "0000001a"}


@given(numbers, st.sampled_from(Relation), st.sampled_from([0, 8, 10, 12, 16, 20]), st.booleans())
def test_whatever_the_carrier_does_its_message_id_is_among_the_readings(
    number: int, relation: Relation, width: int, upper: bool
) -> None:
    written = {"x": f"{number:0{width}x}", "d": f"{number:0{width}d}"}
    response, receipt_id = {
        SAME: (written["x"], f"{number:x}"),
        HEX_DEC: (written["x"], f"{number:d}"),
        DEC_HEX: (written["d"], f"{number:X}"),
    }[relation]
    response = response.upper() if upper else response
    assert relation in readings(receipt_id, UNSEEN)[response]
    assert relation in readings(receipt_id, shape_of(response))[response], "and once that id was seen"


@given(numbers, st.sampled_from([HEX_DEC, DEC_HEX]), st.sampled_from([0, 10, 20]))
def test_the_reverse_finds_what_has_come_before_the_response(number: int, relation: Relation, width: int) -> None:
    if relation is HEX_DEC:
        assert f"{number:0{width}d}" in receipt_ids(f"{number:x}", {relation})
    else:
        assert f"{number:0{width}x}" in receipt_ids(f"{number:d}", {relation})
        assert f"{number:0{width}X}" in receipt_ids(f"{number:d}")


@given(ids, st.lists(ids, max_size=5))
def test_anything_may_come_as_an_id(receipt_id: str, seen: list[str]) -> None:
    assert SAME in readings(receipt_id, shape_of(*seen))[receipt_id]
    assert receipt_id in receipt_ids(receipt_id)


class TestShape:
    def test_numbers_near_those_that_were_seen(self) -> None:
        shape = shape_of("1000", "2000")
        assert [shape.could_be(number, 10) for number in (249, 250, 8000, 8001)] == [False, True, True, False]

    def test_hexadecimal_ids_show_a_letter_before_long(self) -> None:
        few, many = shape_of("1000", "1001"), shape_of(*(f"{number}" for number in range(1000, 1020)))
        assert (few.could_be(0x1005, 16), many.could_be(0x1005, 16)) == (True, False)
        assert shape_of(*(f"{number:x}" for number in range(0x1000, 0x1020))).could_be(0x1005, 16)

    def test_nothing_seen_says_nothing(self) -> None:
        assert not UNSEEN.could_be(5, 10)


class TestLearning:
    def test_three_more_than_any_other_are_enough(self) -> None:
        learned = Learned()
        assert [learned.vote({HEX_DEC}, 0) for _ in range(ENOUGH)] == [False] * (ENOUGH - 1) + [True]
        assert learned.relation is HEX_DEC

    def test_what_fits_two_relations_decides_nothing(self) -> None:
        learned = Learned()
        for _ in range(10):
            assert not learned.vote({SAME, HEX_DEC}, 0)
        for _ in range(ENOUGH):
            learned.vote({SAME}, 0)
        assert learned.relation is SAME

    def test_a_new_habit_is_followed_and_counted_anew(self) -> None:
        learned = Learned(SAME, matched=100, total=101)
        changed = [learned.vote({DEC_HEX}, 7) for _ in range(ENOUGH)]
        assert (changed[-1], learned.relation) == (True, DEC_HEX)
        assert (learned.matched, learned.total, learned.since_utc_ms) == (0, 0, 7)

    def test_single_odd_ones_are_not_a_habit(self) -> None:
        learned = Learned(SAME)
        for _ in range(10):
            learned.vote({DEC_HEX}, 0)
            learned.vote({SAME}, 0)
        assert learned.relation is SAME

    def test_what_is_pinned_stays(self) -> None:
        learned = Learned(SAME, matched=5, total=5)
        assert learned.pin(IdForm.HEX_DEC)
        assert not learned.pin(IdForm.HEX_DEC)
        for _ in range(10):
            assert not learned.vote({SAME}, 0)
        assert (learned.relation, learned.pinned, learned.total) == (HEX_DEC, True, 0)
        assert learned.pin(IdForm.LEARN)
        assert (learned.relation, learned.pinned) == (HEX_DEC, False)

    @given(st.lists(ids, max_size=20), st.lists(st.sampled_from(Relation), max_size=5), st.integers(0, 9))
    def test_it_is_stored_as_it_is(self, seen: list[str], votes: list[Relation], retried: int) -> None:
        learned = Learned(shape=shape_of(*seen), retried=retried)
        for relation in votes:
            learned.vote({relation}, 5)
        relation = learned.relation.value if learned.relation else ""
        assert Learned.from_row(relation, 0, learned.matched, learned.total, learned.as_json()) == learned

    def test_the_id_of_a_doubt_is_written_as_the_carrier_would(self) -> None:
        hexadecimal = Learned(HEX_DEC, shape=shape_of("0000001A"))
        assert response_id("43", hexadecimal) == "0000002B"
        assert response_id("43", Learned()) == "43"
