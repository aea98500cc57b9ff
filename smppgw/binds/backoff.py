"""How long a bind waits before it connects again: pure policies, nothing here sleeps.

Two plans. Trouble on the way (no connection, link lost, no answer) follows the carrier's `reconnect` settings. A bind
that the SMSC refused follows a table by command_status, which a carrier may change: accounts get locked by gateways
that hammer with a wrong password, and ESME_RALYBND goes away only when the SMSC has noticed that the old session is
dead. No refusal ends the attempts for ever, since the cure (credit, a corrected account) lies on the other side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from smppgw.config import RefusalPolicy
from smppgw.smpp import Status, parse_status

if TYPE_CHECKING:
    from smppgw.binds.shape import CarrierRules

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
    """Pauses after a refused bind, in seconds, and the refusal in a row that raises an alarm (0: none does)."""

    first_s: float
    factor: float
    max_s: float
    jitter: float = 0.3
    alarm_at: int = 0


#: What each policy means. With the jitter, `already_bound` waits 30 to 60 s, never less.
PLANS: dict[RefusalPolicy, RefusalPlan] = {
    RefusalPolicy.CREDENTIALS: RefusalPlan(first_s=60.0, factor=2.0, max_s=900.0, alarm_at=1),
    RefusalPolicy.ALREADY_BOUND: RefusalPlan(first_s=43.0, factor=1.4, max_s=60.0, alarm_at=4),
    RefusalPolicy.PASSING: RefusalPlan(first_s=10.0, factor=2.0, max_s=300.0, alarm_at=6),
    RefusalPolicy.OTHER: RefusalPlan(first_s=15.0, factor=2.0, max_s=300.0, alarm_at=3),
}

#: Before the next submit_sm to a carrier that answers none; see probing.
NO_ANSWERS = RefusalPlan(first_s=5.0, factor=2.0, max_s=900.0)

#: command_status of a bind_resp -> policy. What is not listed is OTHER: vendor codes stand for no credit, too many
#: sessions, maintenance and the like.
BIND_REFUSALS: dict[int, RefusalPolicy] = {
    Status.ESME_RINVPASWD: RefusalPolicy.CREDENTIALS,
    Status.ESME_RINVSYSID: RefusalPolicy.CREDENTIALS,
    Status.ESME_RINVSYSTYP: RefusalPolicy.CREDENTIALS,
    # Many SMSCs say no more than this of a wrong password, and lock the account all the same.
    Status.ESME_RBINDFAIL: RefusalPolicy.CREDENTIALS,
    Status.ESME_RALYBND: RefusalPolicy.ALREADY_BOUND,
    Status.ESME_RSYSERR: RefusalPolicy.PASSING,
    Status.ESME_RTHROTTLED: RefusalPolicy.PASSING,
    Status.ESME_RX_T_APPN: RefusalPolicy.PASSING,
    Status.ESME_RSERTYPUNAVAIL: RefusalPolicy.PASSING,  # SMPP 5.0, 4.7.6
    Status.ESME_RINVBNDSTS: RefusalPolicy.PASSING,
}


def refusal_table(overrides: Mapping[str, RefusalPolicy]) -> dict[int, RefusalPolicy]:
    """BIND_REFUSALS with the `bind_refusals` of a carrier's settings, by name or number of command_status."""
    return BIND_REFUSALS | {parse_status(name): policy for name, policy in overrides.items()}


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


def policy_of(command_status: int, rules: CarrierRules) -> RefusalPolicy:
    """What this carrier means by refusing a bind with `command_status`."""
    return rules.refusals.get(command_status, RefusalPolicy.OTHER)


def refusal_pause(command_status: int, refusals: int, jitter: float, rules: CarrierRules) -> float:
    """Seconds to wait after the `refusals`-th refused bind in a row (from 1), the last with this command_status."""
    return pause(refusals, PLANS[policy_of(command_status, rules)], jitter)


def raises_alarm(command_status: int, refusals: int, rules: CarrierRules) -> bool:
    """Whether someone has to look at the `refusals`-th refused bind in a row (from 1)."""
    alarm_at = PLANS[policy_of(command_status, rules)].alarm_at
    return 0 < alarm_at <= refusals
