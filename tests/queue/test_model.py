from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.queue.model import (
    RECEIPT_MOVES,
    TRANSITIONS,
    IdSource,
    ReceiptState,
    SegmentState,
    Verdict,
    format_id,
    message_id_of,
    parse_id,
    part_of,
    reference_of,
    segment_id,
    verdict_of,
)

S = SegmentState


def test_a_final_state_is_left_only_by_a_receipt_and_only_where_our_own_clock_may_have_set_it() -> None:
    left = {(state, move) for state, move in TRANSITIONS if not state.is_open}
    assert left == {(state, move) for state in (S.UNKNOWN, S.EXPIRED) for move in RECEIPT_MOVES.values()}


def test_every_open_state_can_reach_a_final_one() -> None:
    reaches = {state for (state, _), target in TRANSITIONS.items() if not target.is_open}
    assert reaches >= {S.QUEUED, S.IN_FLIGHT, S.IN_DOUBT, S.SENT}


def test_every_receipt_state_moves_a_sent_segment_or_is_intermediate() -> None:
    intermediate = set(ReceiptState) - set(RECEIPT_MOVES)
    assert intermediate == {ReceiptState.SCHEDULED, ReceiptState.ENROUTE, ReceiptState.ACCEPTED}
    for move in RECEIPT_MOVES.values():
        assert not TRANSITIONS[S.SENT, move].is_open


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        ([S.DELIVERED], Verdict.DELIVERED),
        ([S.DELIVERED, S.DELIVERED], Verdict.DELIVERED),
        ([S.DELIVERED, S.SENT], None),
        ([S.QUEUED], None),
        ([S.IN_DOUBT, S.FAILED], None),
        ([S.DELIVERED, S.UNDELIVERABLE], Verdict.PARTLY_DELIVERED),
        ([S.DELIVERED, S.UNKNOWN], Verdict.PARTLY_DELIVERED),
        ([S.UNDELIVERABLE, S.UNKNOWN], Verdict.UNKNOWN),
        ([S.UNDELIVERABLE], Verdict.FAILED),
        ([S.FAILED], Verdict.FAILED),
        ([S.CANCELLED, S.REJECTED], Verdict.REJECTED),
        ([S.CANCELLED, S.CANCELLED], Verdict.CANCELLED),
        ([S.UNTRACKED, S.UNTRACKED], Verdict.SENT),
        ([S.EXPIRED], Verdict.EXPIRED),
        ([S.EXPIRED, S.REJECTED], Verdict.EXPIRED),
        ([S.UNKNOWN], Verdict.UNKNOWN),
    ],
)
def test_verdict(states: list[SegmentState], verdict: Verdict | None) -> None:
    assert verdict_of(states) == verdict


@given(st.integers(0, 2**55 - 1))
def test_an_id_survives_its_public_form(number: int) -> None:
    assert parse_id(format_id(number)) == number


@given(st.lists(st.integers(0, 2**55 - 1), min_size=2, max_size=2))
def test_public_ids_sort_like_numbers(pair: list[int]) -> None:
    assert sorted(pair) == sorted(pair, key=format_id)


@pytest.mark.parametrize("text", ["", "0", "abc", "0" * 12, "0000000000u", "0000000 000", "٠" * 11, "\x00" * 11])
def test_what_cannot_be_an_id(text: str) -> None:
    assert parse_id(text) is None


@given(st.lists(st.tuples(st.integers(1, 3000), st.integers(0, 10_000)), max_size=20))
def test_ids_only_rise_whatever_the_clock_does(steps: list[tuple[int, int]]) -> None:
    source, last = IdSource(), 0
    for count, now in steps:
        ids = source.take(count, now)
        assert len(ids) == count
        assert ids[0] > last
        last = ids[-1]


@given(st.integers(0, 2**55 - 1), st.integers(1, 255))
def test_a_segment_tells_its_message_and_part(message: int, part: int) -> None:
    number = segment_id(message, part)
    assert number < 2**63
    assert (message_id_of(number), part_of(number)) == (message, part)


@given(st.integers(0, 2**63 - 1))
def test_a_reference_is_never_zero_which_some_smscs_write_where_there_is_none(number: int) -> None:
    assert 1 <= reference_of(number) <= 0xFFFF


@given(st.integers(0, 2**42))
def test_segments_near_each_other_have_references_of_their_own(utc_ms: int) -> None:
    near = [segment_id((utc_ms << 13) + number, part) for number in range(500) for part in range(1, 5)]
    # 16 bits into 0xFFFF values: two of 65,536 neighbours share one.
    assert len({reference_of(number) for number in near}) >= len(near) - 1
