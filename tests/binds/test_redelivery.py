"""Which answers to inbound texts an SMSC has for certain."""

from __future__ import annotations

import math

from smppgw.binds.redelivery import GATHER_S, Sessions, Settling


def test_session_numbers_never_repeat() -> None:
    sessions = Sessions()
    first, second = sessions.open(1_000_000), sessions.open(1_000_000)
    third = sessions.open(900_000)  # the wall clock was set back
    assert first < second < third
    assert Sessions().open(1_000_001) > third  # the next process
    sessions.close(second)
    sessions.close(second)
    assert sessions.alive == [first, third]


def test_an_answer_has_arrived_once_its_session_lived_on() -> None:
    settling = Settling(5.0)
    assert settling.due_mono == math.inf
    settling.answered([(1, 9.0), (2, 9.5)], 10.0)
    settling.answered([(3, 10.4)], 10.5)
    assert settling.due_mono == 15.0 + GATHER_S  # later than it could be, for the sake of company
    assert settling.take(14.9) == ([], [])
    assert settling.take(16.0) == ([1, 2, 3], [])
    assert settling.due_mono == math.inf


def test_what_is_too_young_stays() -> None:
    settling = Settling(5.0)
    settling.answered([(1, 10.0)], 10.0)
    settling.answered([(2, 12.0)], 12.0)
    assert settling.take(16.0) == ([1], [])
    assert settling.due_mono == 17.0 + GATHER_S


def test_an_answer_that_took_too_long_may_have_come_too_late() -> None:
    settling = Settling(5.0)
    settling.answered([(1, 4.9), (2, 5.0)], 10.0)
    assert settling.due_mono == 10.0
    assert settling.take(10.0) == ([], [1])
    assert settling.take(16.0) == ([2], [])


def test_a_session_that_breaks_leaves_its_answers_open() -> None:
    settling = Settling(5.0)
    settling.answered([(1, 10.0), (2, 1.0)], 10.0)
    assert settling.end(orderly=False) == ([], [2])
    assert settling.due_mono == math.inf
    assert settling.take(100.0) == ([], [])


def test_an_unbind_that_is_answered_settles_what_was_answered_before_it() -> None:
    settling = Settling(5.0)
    settling.answered([(1, 10.0)], 10.0)
    settling.unbinding()
    settling.answered([(2, 10.1)], 10.2)  # behind the unbind: the SMSC may have hung up without reading it
    assert settling.end(orderly=True) == ([1], [])
    settling.answered([(3, 20.0)], 20.0)
    assert settling.end(orderly=True) == ([], [])
