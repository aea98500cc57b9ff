from __future__ import annotations

import math

import pytest

from smppgw.smpp import Role, SessionState, Timers
from smppgw.smpp.timers import Expiry, Watch

S = SessionState
TIMERS = Timers(session_init_s=5, enquire_link_s=30, inactivity_s=100, response_s=10)


@pytest.mark.parametrize(
    ("role", "state", "deadline", "expiry"),
    [
        (Role.SMSC, S.OPEN, 1005.0, Expiry.SESSION_INIT),
        (Role.SMSC, S.OUTBOUND, 1005.0, Expiry.SESSION_INIT),
        (Role.ESME, S.OPEN, math.inf, None),
        (Role.SMSC, S.BINDING, math.inf, None),
        (Role.ESME, S.BOUND_TX, 1030.0, Expiry.ENQUIRE_LINK),
        (Role.SMSC, S.BOUND_RX, 1030.0, Expiry.ENQUIRE_LINK),
        (Role.SMSC, S.BOUND_TRX, 1030.0, Expiry.ENQUIRE_LINK),
        (Role.ESME, S.UNBINDING, math.inf, None),
        (Role.ESME, S.UNBOUND, math.inf, None),
        (Role.ESME, S.CLOSED, math.inf, None),
    ],
)
def test_which_timer_runs_in_which_state(
    role: Role, state: SessionState, deadline: float, expiry: Expiry | None
) -> None:
    watch = Watch(role, TIMERS, 1000.0)
    assert watch.next_deadline(state) == deadline
    assert watch.expired(state, min(deadline, 9e9) - 0.001) is None
    assert watch.expired(state, min(deadline, 9e9)) is expiry


def test_received_pdus_put_enquire_link_off_and_an_unanswered_one_stops_it() -> None:
    watch = Watch(Role.ESME, TIMERS, 1000.0)
    watch.received_mono = 1020.0
    assert watch.next_deadline(S.BOUND_TRX) == 1050.0
    watch.enquiring = True
    assert watch.next_deadline(S.BOUND_TRX) == 1100.0


def test_inactivity_is_graver_than_silence() -> None:
    watch = Watch(Role.ESME, TIMERS, 1000.0)
    assert watch.expired(S.BOUND_TRX, 1099.0) is Expiry.ENQUIRE_LINK
    assert watch.expired(S.BOUND_TRX, 1100.0) is Expiry.INACTIVITY


def test_zero_switches_off() -> None:
    watch = Watch(Role.SMSC, Timers(session_init_s=0, enquire_link_s=0, inactivity_s=0, response_s=10), 1000.0)
    for state in SessionState:
        assert watch.next_deadline(state) == math.inf
        assert watch.expired(state, 9e9) is None


@pytest.mark.parametrize(
    "lengths",
    [{"response_s": 0}, {"response_s": -1}, {"enquire_link_s": -1}, {"inactivity_s": -1}, {"session_init_s": -1}],
)
def test_impossible_timers_are_refused(lengths: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="timers"):
        Timers(**lengths)
