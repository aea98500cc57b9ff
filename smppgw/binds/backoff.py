"""How long a bind waits before it connects again: pure policies, nothing here sleeps.

Two plans. Trouble on the way (no connection, link lost, no answer) follows the carrier's `reconnect` settings. A bind
that the SMSC refused follows a table by command_status: accounts get locked by gateways that hammer with a wrong
password, and ESME_RALYBND goes away only when the SMSC has noticed that the old session is dead. No refusal ends the
attempts for ever, since the cure (credit, a corrected account) lies on the other side.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from smppgw.smpp import Status

#: A session that held for so long was a good one: the next pause starts from the first again.
STEADY_S = 10.0


class PausePlan(Protocol):
    """What `smppgw.config.ReconnectSettings` offers."""

    @property
    def first_s(self) -> float: ...
    @property
    def factor(self) -> float: ...
    @property
    def max_s(self) -> float: ...
    @property
    def jitter(self) -> float: ...


class RefusalPlan(NamedTuple):
    """Pauses after a refused bind, in seconds. With the jitter, ESME_RALYBND waits 30 to 60 s, never less."""

    first_s: float
    factor: float
    max_s: float
    jitter: float = 0.3


_LOCKS_ACCOUNTS = RefusalPlan(first_s=60.0, factor=2.0, max_s=900.0)
_OLD_SESSION_STILL_THERE = RefusalPlan(first_s=43.0, factor=1.4, max_s=60.0)
_MAY_PASS = RefusalPlan(first_s=10.0, factor=2.0, max_s=300.0)

#: command_status of a bind_resp -> plan. What is not listed follows `OTHER_REFUSALS`.
BIND_REFUSALS: dict[int, RefusalPlan] = {
    Status.ESME_RINVPASWD: _LOCKS_ACCOUNTS,
    Status.ESME_RINVSYSID: _LOCKS_ACCOUNTS,
    Status.ESME_RINVSYSTYP: _LOCKS_ACCOUNTS,
    Status.ESME_RBINDFAIL: RefusalPlan(first_s=30.0, factor=2.0, max_s=600.0),
    Status.ESME_RALYBND: _OLD_SESSION_STILL_THERE,
    Status.ESME_RSYSERR: _MAY_PASS,
    Status.ESME_RTHROTTLED: _MAY_PASS,
}

#: Vendor codes stand for no credit, too many sessions, maintenance and the like.
OTHER_REFUSALS = RefusalPlan(first_s=15.0, factor=2.0, max_s=300.0)


def pause(failures: int, plan: PausePlan, jitter: float) -> float:
    """Seconds to wait after the `failures`-th failure in a row (from 1).

    The n-th pause is first_s * factor**(n-1), at most max_s; `jitter`, a number from 0 to 1, takes away up to the
    plan's random share of it, so that binds that fell together do not come back together.
    """
    try:
        whole = min(plan.first_s * plan.factor ** max(failures - 1, 0), plan.max_s)
    except OverflowError:  # a link that is down for weeks
        whole = plan.max_s
    return whole * (1.0 - plan.jitter * jitter)


def refusal_pause(command_status: int, refusals: int, jitter: float) -> float:
    """Seconds to wait after the `refusals`-th refused bind in a row (from 1) with this command_status."""
    return pause(refusals, BIND_REFUSALS.get(command_status, OTHER_REFUSALS), jitter)
