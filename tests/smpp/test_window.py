from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.errors import LocalProtocolError
from smppgw.smpp import CommandId
from smppgw.smpp.constants import MAX_SEQUENCE
from smppgw.smpp.window import Window

SUBMIT, ENQUIRE = CommandId.SUBMIT_SM, CommandId.ENQUIRE_LINK


def test_slots_are_taken_by_windowed_requests_only() -> None:
    window = Window(2, response_s=10)
    for command in (SUBMIT, ENQUIRE, CommandId.UNBIND):
        window.add(window.next_sequence(), command, None, 0.0)
    assert (window.in_use, window.free) == (1, 1)
    window.add_many([(window.next_sequence(), SUBMIT, "b")], 0.0)
    assert (window.in_use, window.free) == (2, 0)
    assert not window.answer(1)
    assert not window.answer(2)
    assert (window.in_use, window.free) == (1, 1)


def test_overdue_requests_are_reported_once_and_keep_their_slot() -> None:
    window = Window(10, response_s=10)
    for number, sent in enumerate([0.0, 1.0, 1.0, 5.0], 1):
        window.add(number, SUBMIT, f"c{number}", sent)
    assert window.next_deadline() == 10.0
    assert window.overdue(9.99) == []
    assert [number for number, _ in window.overdue(11.0)] == [1, 2, 3]
    assert window.overdue(11.0) == []
    assert (window.in_use, window.next_deadline()) == (4, 15.0)
    assert list(window.unanswered()) == ["c1", "c2", "c3", "c4"]
    assert window.answer(2)  # late
    assert not window.answer(4)  # in time
    assert (window.in_use, window.next_deadline()) == (2, math.inf)
    assert window.find(4) is None
    assert window.find(1) == (SUBMIT, "c1", 0.0)


def test_an_overdue_request_can_give_its_slot_back() -> None:
    window = Window(2, response_s=10)
    window.add(1, SUBMIT, "c1", 0.0)
    with pytest.raises(KeyError):
        window.release(1)
    window.overdue(10.0)
    window.release(1)
    window.release(1)
    assert (window.in_use, window.find(1)) == (0, (SUBMIT, "c1", 0.0))
    assert window.answer(1)  # late
    window.add(1, SUBMIT, "again", 20.0)
    assert window.in_use == 1
    assert not window.answer(1)
    assert window.in_use == 0


def test_unanswered_leaves_out_what_takes_no_slot() -> None:
    window = Window(10, response_s=10)
    window.add(1, ENQUIRE, "link", 0.0)
    window.add(2, SUBMIT, "text", 0.0)
    assert list(window.unanswered()) == ["text"]


def test_sequence_numbers_wrap_past_those_in_use() -> None:
    window = Window(10, response_s=10, first_sequence=MAX_SEQUENCE - 1)
    taken = [window.next_sequence() for _ in range(3)]
    assert taken == [MAX_SEQUENCE - 1, MAX_SEQUENCE, 1]
    window.add(2, SUBMIT, None, 0.0)
    window.add(4, SUBMIT, None, 0.0)
    window.overdue(100.0)
    window.add(3, SUBMIT, None, 100.0)
    assert [window.next_sequence() for _ in range(2)] == [5, 6]


def test_a_request_in_use_at_the_very_top_is_passed_too() -> None:
    window = Window(10, response_s=10, first_sequence=MAX_SEQUENCE)
    window.add(window.next_sequence(), SUBMIT, None, 0.0)
    window._next = MAX_SEQUENCE
    assert window.next_sequence() == 1


@pytest.mark.parametrize(("size", "first"), [(0, 1), (-1, 1), (1, 0), (1, MAX_SEQUENCE + 1)])
def test_impossible_windows_are_refused(size: int, first: int) -> None:
    with pytest.raises(LocalProtocolError):
        Window(size, response_s=10, first_sequence=first)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20), st.integers(0, 30)), max_size=60))
def test_any_history_keeps_the_count(history: list[tuple[bool, int, int]]) -> None:
    window = Window(1000, response_s=3)
    now = 0.0
    model: dict[int, float] = {}
    reported: set[int] = set()
    for send, quarters, pick in history:
        now += quarters / 4
        overdue = {number for number, _ in window.overdue(now)}
        assert overdue == {number for number, sent in model.items() if sent + 3 <= now} - reported
        reported |= overdue
        if send or not model:
            number = window.next_sequence()
            window.add(number, SUBMIT, number, now)
            model[number] = now
        else:
            number = sorted(model)[pick % len(model)]
            assert window.answer(number) == (number in reported)
            del model[number]
        assert window.in_use == len(model)
        assert set(window.unanswered()) == set(model)
        waiting = [sent + 3 for number, sent in model.items() if number not in reported]
        assert window.next_deadline() == min(waiting, default=math.inf)
