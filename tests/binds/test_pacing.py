"""Pacing by whole schedules: when is each grant, and what does any sliding second hold."""

from __future__ import annotations

from bisect import bisect_right
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.binds.pacing import NO_LIMIT, FullQueues, Pacer, Throttle


def greedy(pacer: Pacer, until: float, start: float = 0.0) -> list[float]:
    """Times of the grants when one is taken as soon as it can be."""
    now, grants = start, []
    while (now := pacer.next_at(now)) <= until:
        granted = pacer.take(now, 1)
        assert granted == 1, f"next_at promised a grant at {now}"
        grants.append(round(now, 6))
    return grants


def most_in_a_second(grants: list[float]) -> int:
    """The fullest sliding second (t - 1, t]."""
    return max(index + 1 - bisect_right(grants, at - 1.0) for index, at in enumerate(grants))


@pytest.mark.parametrize(
    ("rate", "burst", "until", "expected"),
    [
        (4.0, 1, 1.5, [0.25, 0.5, 0.75, 1.0, 1.25, 1.5]),
        (0.5, 1, 7.0, [2.0, 4.0, 6.0]),
        (2.5, 1, 2.0, [0.4, 0.8, 1.2, 1.6, 2.0]),
    ],
)
def test_schedule(rate: float, burst: int, until: float, expected: list[float]) -> None:
    assert greedy(Pacer(rate, burst, 0.0), until) == expected


def test_a_restart_grants_no_burst_and_a_pause_grants_one() -> None:
    pacer = Pacer(2.0, 3, 0.0)
    assert pacer.take(0.0, 10) == 0
    pacer.rest(60.0)
    assert pacer.take(60.0, 10) == 3
    assert pacer.take(60.0, 10) == 0
    assert greedy(pacer, 62.0, 60.0) == [60.5, 61.0, 61.5, 62.0]


def test_no_rate_is_no_limit() -> None:
    pacer = Pacer(0.0, 1, 0.0)
    assert pacer.take(0.0, 5000) == 5000
    assert pacer.available(0.0) == pacer.forecast(0.0, 0.1) == NO_LIMIT
    assert pacer.next_at(7.0) == pacer.forecast_at(7.0, 99, 0.0) == 7.0
    assert not pacer.limited


@pytest.mark.parametrize("rate", [1.0, 7.0, 33.3, 100.0, 999.0, 5000.0])
def test_a_full_queue_uses_the_whole_rate(rate: float) -> None:
    """A loop that is 1 to 13 ms late each time still reaches 99 % of the rate, and never more."""
    pacer, now, grants = Pacer(rate, 1, 0.0), 0.0, []
    seconds, lateness = max(20.0, 20 / rate), cycle([0.002, 0.013, 0.001, 0.002])
    while now < seconds:
        now = max(pacer.next_at(now), now) + next(lateness)
        grants += [now] * pacer.take(now, 10_000)
    assert len(grants) >= 0.99 * rate * seconds - 1
    assert most_in_a_second(grants) <= rate + 1


@settings(max_examples=150, deadline=None)
@given(
    rate=st.one_of(st.floats(0.2, 300), st.integers(1, 300).map(float)),
    burst=st.integers(1, 50),
    steps=st.lists(st.tuples(st.floats(0, 1.5), st.integers(1, 100)), max_size=80),
)
def test_no_sliding_second_holds_more_than_rate_plus_burst(
    rate: float, burst: int, steps: list[tuple[float, int]]
) -> None:
    pacer, now, grants = Pacer(rate, burst, 0.0), 0.0, []
    for pause_s, wanted in steps:
        now += pause_s
        promised = pacer.available(now)
        granted = pacer.take(now, wanted)
        assert granted == min(promised, wanted)
        grants += [now] * granted
    if grants:
        assert most_in_a_second(grants) <= rate + burst + 1e-6
        assert len(grants) <= rate * now + 1e-3 * len(grants)


@settings(max_examples=150, deadline=None)
@given(rate=st.floats(0.5, 2000), ahead=st.floats(0, 0.1), wanted=st.integers(1, 60), idle=st.floats(0, 3))
def test_forecast_is_reached_when_said(rate: float, ahead: float, wanted: int, idle: float) -> None:
    pacer = Pacer(rate, 1, 0.0)
    at = pacer.forecast_at(idle, wanted, ahead)
    if at < float("inf"):
        assert at >= idle
        assert pacer.forecast(at + 1e-9, ahead) >= wanted
    else:
        assert pacer.forecast(1e6, ahead) < wanted


def test_claiming_ahead_covers_a_slow_commit() -> None:
    """With 190 per second and 8 ms per commit, what comes due meanwhile can be claimed before it is due."""
    pacer = Pacer(190.0, 1, 0.0)
    assert pacer.available(0.008) == 1
    assert pacer.forecast(0.008, 0.016) == 4


def test_lateness_is_made_up_and_a_rest_is_not() -> None:
    late, rested = Pacer(100.0, 1, 0.0), Pacer(100.0, 1, 0.0)
    assert late.take(0.05, 100) == 5
    rested.rest(0.05)
    assert rested.take(0.05, 100) == 1
    assert late.take(9.0, 100) == 11  # 100 ms of lateness, not 9 s


def test_throttle_holds_from_the_last_hit() -> None:
    throttle = Throttle(1.0)
    assert not throttle.active(0.0)
    throttle.hit(10.0)
    throttle.hit(10.4)
    assert [throttle.active(at) for at in (10.0, 11.3, 11.4, 12.0)] == [True, True, False, False]


def full_queues(recipients: int = 3) -> FullQueues:
    return FullQueues(delay_ms=30_000, recipients=recipients, span_s=10.0)


def test_one_full_recipient_never_slows_the_bind() -> None:
    queues = full_queues()
    assert [queues.hit("447700900001", at, int(at * 1000)) for at in (0.0, 1.0, 2.0, 3.0)] == [
        (30_000, False),
        (31_000, False),
        (32_000, False),
        (33_000, False),
    ]
    assert queues.held(3_000) == {"447700900001": 33_000}
    assert queues.held(33_000) == {}


def test_several_full_recipients_within_a_short_time_slow_the_bind_once() -> None:
    queues = full_queues()
    slowed = [queues.hit(f"44770090000{number}", number * 1.0, 0)[1] for number in range(6)]
    assert slowed == [False, False, True, False, False, True]


def test_several_full_recipients_over_a_long_time_do_not() -> None:
    queues = full_queues()
    assert not any(queues.hit(f"4477009000{number:02}", number * 6.0, 0)[1] for number in range(50))


def test_recipients_remembered_are_bounded_and_the_oldest_go() -> None:
    queues = full_queues(recipients=10**6)
    for number in range(FullQueues.MOST + 5):
        queues.hit(str(number), 0.0, number)
    held = queues.held(0)
    assert len(held) == FullQueues.MOST
    assert "4" not in held
    assert "5" in held
