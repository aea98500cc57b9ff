"""Whole schedules of pauses, printed and compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.binds.backoff import PLANS, pause, policy_of, raises_alarm, refusal_pause
from smppgw.binds.shape import CarrierRules, carrier_rules
from smppgw.config import ReconnectSettings, RefusalPolicy
from smppgw.smpp import Status
from tests.support.binds import carrier

DEFAULT = carrier_rules(carrier())


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


def refusals(status: int, count: int, rules: CarrierRules = DEFAULT) -> list[float]:
    return [round(refusal_pause(status, number, 0.0, rules), 1) for number in range(1, count + 1)]


def alarms(status: int, count: int, rules: CarrierRules = DEFAULT) -> list[bool]:
    return [raises_alarm(status, number, rules) for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("status", "expected", "quiet"),
    [
        (Status.ESME_RINVPASWD, [60, 120, 240, 480, 900, 900], 0),
        (Status.ESME_RINVSYSID, [60, 120, 240, 480, 900, 900], 0),
        (Status.ESME_RBINDFAIL, [60, 120, 240, 480, 900, 900], 0),
        (Status.ESME_RALYBND, [43, 60, 60, 60], 3),
        (Status.ESME_RSYSERR, [10, 20, 40, 80, 160, 300, 300], 5),
        (Status.ESME_ROK, [15, 30, 60, 120, 240, 300], 2),  # generic_nack with status 0
        (0x0411, [15, 30, 60, 120, 240, 300], 2),
    ],
)
def test_refused_binds(status: int, expected: list[float], quiet: int) -> None:
    """`quiet`: how many refusals raise no alarm."""
    assert refusals(status, len(expected)) == expected
    assert alarms(status, len(expected)) == [False] * quiet + [True] * (len(expected) - quiet)


@pytest.mark.parametrize("policy", list(RefusalPolicy))
@pytest.mark.parametrize(("name", "status"), [("0x401", 0x401), ("RSYSERR", 0x08), ("ESME_RINVPASWD", 0x0E)])
def test_settings_win_over_the_table(name: str, status: int, policy: RefusalPolicy) -> None:
    rules = carrier_rules(carrier(bind_refusals={name: policy}))
    assert policy_of(status, rules) is policy
    assert refusals(status, 1, rules) == [PLANS[policy].first_s]
    assert refusals(Status.ESME_RALYBND, 2, rules) == [43, 60]


@given(refused=st.integers(1, 10_000), jitter=st.floats(0, 1))
def test_already_bound_waits_30_to_60_seconds(refused: int, jitter: float) -> None:
    assert 30 <= refusal_pause(Status.ESME_RALYBND, refused, jitter, DEFAULT) <= 60


@given(
    status=st.integers(0, 0xFFFFFFFF) | st.sampled_from(list(Status)),
    refused=st.integers(1, 10_000),
    jitter=st.floats(0, 1),
)
def test_nothing_hammers_and_nothing_dies(status: int, refused: int, jitter: float) -> None:
    assert 7 <= refusal_pause(status, refused, jitter, DEFAULT) <= 900


def test_every_policy_has_its_plan_which_grows_ends_and_is_seen() -> None:
    assert PLANS.keys() == set(RefusalPolicy)
    for plan in PLANS.values():
        assert plan.factor > 1
        assert plan.first_s < plan.max_s
        assert plan.alarm_at > 0
