"""Which of many log lines are written."""

from __future__ import annotations

from smppgw.binds.seldom import MOST_KINDS, Seldom


def test_the_first_and_then_one_a_minute() -> None:
    seldom = Seldom()
    assert [seldom.due("a", now) for now in (0, 1, 59.9, 60, 61, 200)] == [0, None, None, 2, None, 1]


def test_each_kind_by_itself() -> None:
    seldom = Seldom()
    assert [seldom.due(kind, 0) for kind in "aab"] == [0, None, 0]


def test_a_peer_that_invents_kinds_is_told_of_as_seldom() -> None:
    seldom = Seldom()
    told = [seldom.due(str(number), 0) for number in range(MOST_KINDS + 50)]
    assert told.count(0) == MOST_KINDS + 1
