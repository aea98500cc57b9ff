"""What the halves of a pair share: endpoints in turn, and one count of refusals."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from smppgw.binds.link import STUCK_ROUNDS, Endpoint, Link, endpoints
from tests.support.binds import carrier

A, B, C = (Endpoint(host, 2775, 2775) for host in ("a", "b", "c"))


def test_endpoints_of_the_settings() -> None:
    settings = carrier(host="a", port=1, receive_port=2, fallbacks=["b:3", "[::1]:4"])
    assert endpoints(settings) == [
        Endpoint("a", 1, 2),
        Endpoint("b", 3, 3),
        Endpoint("::1", 4, 4),
    ]
    assert endpoints(carrier(host="a", port=1)) == [Endpoint("a", 1, 1)]


def test_endpoints_follow_in_turn_and_start_again() -> None:
    link = Link("demo/1", [A, B, C])
    tried = []
    for _ in range(4):
        tried.append(link.endpoint)
        assert link.unusable(link.endpoint)
    assert tried == [A, B, C, A]


def test_one_endpoint_has_no_other() -> None:
    link = Link("demo/1", [A])
    assert not link.unusable(A)
    assert link.endpoint == A


def test_what_works_is_kept_and_after_a_session_the_first_comes_first() -> None:
    link = Link("demo/1", [A, B])
    link.unusable(A)
    assert link.connected("demo/1", B)
    link.bound("demo/1")
    assert link.endpoint == B
    link.ended("demo/1")
    assert link.endpoint == A


def test_a_bind_that_fails_moves_on_to_the_next_endpoint() -> None:
    link = Link("demo/1", [A, B])
    for expected in (A, B, A):
        assert link.endpoint == expected
        assert link.connected("demo/1", expected)
        link.ended("demo/1")


def half_stuck(link: Link, rounds: int) -> list[int]:
    """The rounds after which the transmitter, bound all the time, is asked to leave."""
    asked: list[int] = []
    link.leave["tx"] = lambda: asked.append(done + 1)
    link.connected("tx", link.endpoint)
    link.bound("tx")
    for done in range(rounds):  # noqa: B007  # what is called in it looks
        link.stuck("rx")
    return asked


def test_a_half_that_is_stuck_takes_the_other_one_along() -> None:
    link = Link("demo/1", [A, B])
    assert half_stuck(link, STUCK_ROUNDS) == [STUCK_ROUNDS]
    link.ended("tx")
    assert link.endpoint == B
    link.connected("tx", B)
    link.bound("tx")
    link.ended("tx")
    assert link.endpoint == A  # as after any session


def test_a_half_that_finds_nowhere_disturbs_the_other_one_less_and_less() -> None:
    link = Link("demo/1", [A, B])
    assert half_stuck(link, 100) == [3, 9, 21, 45, 93]
    link.connected("rx", link.endpoint)
    link.bound("rx")
    assert half_stuck(link, 3) == [3]


def test_with_one_endpoint_there_is_nowhere_to_go() -> None:
    assert half_stuck(Link("demo/1", [A]), 100) == []


def test_without_the_other_half_nobody_is_stuck() -> None:
    link = Link("demo/1", [A, B])
    for _ in range(100):
        link.stuck("rx")
    assert link.endpoint == A


def test_the_other_half_goes_where_the_first_one_is() -> None:
    link = Link("demo/1", [A, B])
    link.unusable(A)
    link.connected("tx", B)
    link.bound("tx")
    assert link.endpoint == B
    assert not link.unusable(B)  # the receiver cannot get through: it waits, and tries there again
    assert link.endpoint == B
    link.connected("rx", B)
    link.bound("rx")
    link.ended("rx")
    assert link.endpoint == B
    link.ended("tx")
    assert link.endpoint == A


def test_halves_that_connected_to_two_places_at_once() -> None:
    link = Link("demo/1", [A, B])
    assert link.unusable(A)  # tx could not get there, rx did meanwhile
    assert link.connected("rx", A)  # nobody is at B: all right
    assert link.endpoint == A
    assert not link.connected("tx", B)
    assert link.endpoint == A


def test_a_half_that_failed_elsewhere_does_not_move_the_link() -> None:
    link = Link("demo/1", [A, B])
    link.unusable(A)
    assert link.unusable(A)  # the other half, a moment later: there is B to try
    assert link.endpoint == B


def test_refusals_are_counted_together_and_once_for_those_who_tried_together() -> None:
    link = Link("demo/1", [A])
    assert (link.begin("tx"), link.begin("rx")) == (True, True)
    assert link.refused(100.0) == 1
    link.hold(160.0)
    link.ended("tx")
    assert link.refused(100.1) == 1
    link.ended("rx")
    assert link.not_before_mono == 160.0
    assert link.refused(160.0) == 2


def test_after_a_refusal_one_tries_at_a_time() -> None:
    link = Link("demo/1", [A])
    link.refused(100.0)
    assert link.begin("tx")
    assert link.begin("tx")
    assert not link.begin("rx")
    link.ended("tx")
    assert link.begin("rx")
    link.bound("rx")
    assert link.refusals == 0
    assert link.begin("tx")


def test_a_half_that_is_bound_shows_that_the_account_is_right() -> None:
    link = Link("demo/1", [A])
    link.bound("tx")
    assert link.refused(100.0) == 1
    link.hold(160.0)
    assert link.not_before_mono < 100  # only the receiver waits; the transmitter may come back at once


@pytest.mark.parametrize("how", ["bound", "ended"])
async def test_settled(autojump_clock: MockClock, how: str) -> None:
    link = Link("demo/1", [A])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.settled)
        await wait_all_tasks_blocked()
        assert nursery.child_tasks
        getattr(link, how)("tx")
