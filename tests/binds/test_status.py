"""Counters that operators read."""

from __future__ import annotations

import pytest

from smppgw.binds.status import BindState, Counters, RateMeter


def test_rate_is_that_of_the_last_second() -> None:
    meter = RateMeter()
    for step in range(300):  # 100 per second, for 3 s
        meter.add(1, 1000 + step / 100)
    assert meter.per_s(1003.0) == pytest.approx(100)
    assert meter.per_s(1003.5) == pytest.approx(50)
    assert meter.per_s(1004.0) == 0
    assert meter.per_s(1100.0) == 0


def test_rate_does_not_remember_long_ago() -> None:
    meter = RateMeter()
    meter.add(1000, 10.0)
    meter.add(1, 20.5)
    assert meter.per_s(20.5) == 1


def test_rtt_is_a_median_of_the_latest() -> None:
    counters = Counters()
    assert counters.rtt_ms() is None
    counters.rtts_s.extend([5.0] * 200)
    assert counters.rtt_ms() == 5000
    counters.rtts_s.extend([0.01] * 60)
    assert counters.rtt_ms() == 10


def test_bound_states() -> None:
    assert {state for state in BindState if state.is_bound} == {
        BindState.BOUND_TX,
        BindState.BOUND_RX,
        BindState.BOUND_TRX,
    }
