"""Whole schedules of pauses, printed and compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.binds.backoff import BIND_REFUSALS, OTHER_REFUSALS, pause, refusal_pause
from smppgw.config import ReconnectSettings
from smppgw.smpp import Status


def schedule(settings: ReconnectSettings, count: int, jitter: float = 0.0) -> list[float]:
    return [round(pause(failures, settings, jitter), 3) for failures in range(1, count + 1)]


@pytest.mark.parametrize(
    ("settings", "jitter", "expected"),
    [
        (ReconnectSettings(), 0.0, [1, 2, 4, 8, 16, 32, 60, 60]),
        (ReconnectSettings(first_s=2.0, max_s=8.0), 0.0, [2, 4, 8, 8, 8]),
        (ReconnectSettings(first_s=1.0, factor=1.5, max_s=5.0), 0.0, [1, 1.5, 2.25, 3.375, 5, 5]),
        (ReconnectSettings(first_s=4.0, factor=1.0, max_s=9.0), 0.0, [4, 4, 4]),
        (ReconnectSettings(), 1.0, [0.7, 1.4, 2.8, 5.6, 11.2, 22.4, 42, 42]),
        (ReconnectSettings(jitter=1.0), 0.5, [0.5, 1, 2, 4]),
        (ReconnectSettings(first_s=9.0, max_s=3.0), 0.0, [3, 3]),
    ],
)
def test_reconnect_schedule(settings: ReconnectSettings, jitter: float, expected: list[float]) -> None:
    assert schedule(settings, len(expected), jitter) == expected


def test_weeks_of_failures_do_not_overflow() -> None:
    assert pause(1_000_000, ReconnectSettings(), 0.0) == 60.0


def refusals(status: int, count: int, jitter: float = 0.0) -> list[float]:
    return [round(refusal_pause(status, number, jitter), 1) for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.ESME_RINVPASWD, [60, 120, 240, 480, 900, 900]),
        (Status.ESME_RINVSYSID, [60, 120, 240, 480, 900, 900]),
        (Status.ESME_RBINDFAIL, [30, 60, 120, 240, 480, 600, 600]),
        (Status.ESME_RALYBND, [43, 60, 60, 60]),
        (Status.ESME_RSYSERR, [10, 20, 40, 80, 160, 300, 300]),
        (0x0411, [15, 30, 60, 120, 240, 300]),
    ],
)
def test_refused_binds(status: int, expected: list[float]) -> None:
    assert refusals(status, len(expected)) == expected


@given(refused=st.integers(1, 10_000), jitter=st.floats(0, 1))
def test_already_bound_waits_30_to_60_seconds(refused: int, jitter: float) -> None:
    assert 30 <= refusal_pause(Status.ESME_RALYBND, refused, jitter) <= 60


@given(status=st.integers(1, 0xFFFFFFFF), refused=st.integers(1, 10_000), jitter=st.floats(0, 1))
def test_nothing_hammers_and_nothing_dies(status: int, refused: int, jitter: float) -> None:
    assert 7 <= refusal_pause(status, refused, jitter) <= 900


def test_every_refusal_plan_grows_and_ends() -> None:
    for plan in (*BIND_REFUSALS.values(), OTHER_REFUSALS):
        assert plan.factor > 1
        assert plan.first_s < plan.max_s
