"""Counters that operators read."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from smppgw.binds.status import BindState, Counters, Limit, RateMeter
from tests.support.binds import bench


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


async def test_a_pause_is_shown_with_its_end(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        assert (b.status().link, b.status().endpoint) == ("demo/1", "smsc.example:2775")
        assert (b.status().alarm, b.status().paused_until_utc_ms) == ("", None)
        context = b.pool._binds[0]._context
        context.paused_until_mono = trio.current_time() + 300
        context.raise_alarm("paused")
        assert b.status().alarm == "paused"
        assert b.status().limit is Limit.PAUSED
        until_utc_ms = b.status().paused_until_utc_ms
        assert until_utc_ms is not None
        assert until_utc_ms - b.clock.utc_ms() == pytest.approx(300_000, abs=1)
        await trio.sleep(301)
        assert b.status().paused_until_utc_ms is None
