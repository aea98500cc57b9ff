"""Every knob of the simulator, with its default and its unit. Refuses the impossible before a socket opens.

The command line and the tests both build this; nothing else in simulator/ holds a default.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from simulator.accounts import Account, account_problems
from simulator.capture import check_name
from simulator.delays import NO_DELAY, Delay
from simulator.fates import FINAL_STATES, MessageState
from simulator.quirks import STRAIGHT, Quirks, StatusCode
from simulator.rules import Rule, rule_problems
from smppgw.errors import ConfigError

#: Settings that belong to whoever runs the simulator: no switch of the scenario changes them.
KEPT: Final = frozenset(
    {
        "host",
        "port",
        "control_port",
        "control_names",
        "system_id",
        "accounts",
        "ledger",
        "capture",
        "message_id_start",
        "pinned",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """What the simulated SMSC is like. Raises ConfigError, with one line for each mistake."""

    host: str = "127.0.0.1"
    port: int = 0  # 0 takes a free one
    control_port: int | None = None  # None: no control port; 0 takes a free one
    control_names: tuple[str, ...] = ()  # names besides localhost under which the control port may be asked for
    system_id: str = "SMSC"  # what bind responses call us
    accounts: tuple[Account, ...] = ()  # none: anyone may bind
    response_delay: Delay = NO_DELAY
    outcomes: Mapping[MessageState, float] = field(default_factory=lambda: {MessageState.DELIVERED: 1.0})
    receipt_delay: Delay = NO_DELAY
    seed: int = 1
    rate: float | None = None  # submit_sm a second for each system_id; None: no limit
    burst: float | None = None  # None: one second of rate
    refusals: Mapping[str, StatusCode] = field(default_factory=dict)  # destination -> command_status of its submits
    fates: Mapping[str, MessageState] = field(default_factory=dict)  # destination -> final state
    quirks: Quirks = STRAIGHT
    rules: tuple[Rule, ...] = ()  # of those that fit, the first one decides
    magic_numbers: bool = True  # destinations with one certain fate: see magic.py
    pinned: frozenset[str] = frozenset()  # names of settings that no switch of the scenario changes
    ledger: Path | None = None
    capture: Path | None = None  # a .pcapng file of all that is said
    message_id_start: int | None = None  # None: from the wall time, so that no restart repeats an id
    deliver_window: int = 100  # deliver_sm not yet answered, on each bind
    nack_delay_s: float = 1.0  # before a deliver_sm that was refused goes out again
    rx_t_appn_delay_s: float = 5.0  # the same for ESME_RX_T_APPN, "not now"
    session_init_s: float = 30.0  # SMPP 3.4, 7.2: until the bind
    enquire_link_s: float = 60.0  # 0: never ask
    inactivity_s: float = 0.0  # 0: never close for lack of traffic
    response_s: float = 30.0  # until a deliver_sm or enquire_link counts as unanswered
    stop_grace_s: float = 1.0  # for the unbinds when we stop
    max_connections: int = 5_000  # at one time; one more takes the place of the oldest that has not bound
    max_pdu_octets: int = 65_536
    max_outgoing_octets: int = 8_388_608  # unsent, of one connection; past it the link counts as dead
    max_outgoing_octets_of_all: int = 536_870_912  # the same of all connections, in equal shares
    max_waiting: int = 500_000  # messages whose receipts are not acknowledged; past it ESME_RMSGQFUL
    remembered_messages: int = 100_000  # that query_sm, cancel_sm and replace_sm find
    remembered_submits: int = 10_000  # in Smsc.submits
    remembered_texts: int = 500_000  # (destination, text) pairs, to count duplicates

    @property
    def max_planned(self) -> int:
        """Most entries of the agenda before submits are refused: two for each open receipt, a timer for each link."""
        return 2 * self.max_waiting + self.max_connections

    def __post_init__(self) -> None:
        problems = list(_problems(self))
        if problems:
            raise ConfigError(problems)


def _problems(settings: SimulatorSettings) -> Iterable[str]:
    for name, port in (("port", settings.port), ("control_port", settings.control_port or 0)):
        if not 0 <= port <= 65_535:
            yield f"{name}: {port} is not a port, 0 to 65535"
    for name, delay in (("response_delay", settings.response_delay), ("receipt_delay", settings.receipt_delay)):
        problem = delay.problem()
        if problem is not None:
            yield f"{name}: {problem}"
    weights = settings.outcomes.values()
    if not all(0 <= weight < math.inf for weight in weights) or sum(weights) <= 0:
        yield "outcomes: weights must not be negative, and one must be above 0"
    if settings.rate is not None and not 0 < settings.rate < math.inf:
        yield f"rate: {settings.rate} is not a rate, above 0 submit_sm a second"
    if settings.burst is not None and not 1 <= settings.burst < math.inf:
        yield f"burst: {settings.burst} is not a burst, 1 or more submit_sm"
    if settings.burst is not None and settings.rate is None:
        yield "burst: means nothing without rate"
    wrong_name = check_name(settings.capture) if settings.capture is not None else ""
    if wrong_name:
        yield f"capture: {wrong_name}"
    yield from rule_problems(settings.rules)
    yield from _small_numbers(settings)
    yield from account_problems(settings.accounts)


def _small_numbers(settings: SimulatorSettings) -> Iterable[str]:
    for name in ("nack_delay_s", "rx_t_appn_delay_s", "enquire_link_s", "inactivity_s", "stop_grace_s"):
        if not 0 <= getattr(settings, name) < math.inf:
            yield f"{name}: must be 0 or more seconds"
    for name in ("session_init_s", "response_s"):
        if not 0 < getattr(settings, name) < math.inf:
            yield f"{name}: must be above 0 seconds"
    for name in (
        "deliver_window",
        "max_connections",
        "max_waiting",
        "remembered_messages",
        "remembered_submits",
        "remembered_texts",
    ):
        if getattr(settings, name) < 1:
            yield f"{name}: must be 1 or more"
    for name in ("max_pdu_octets", "max_outgoing_octets", "max_outgoing_octets_of_all"):
        if getattr(settings, name) < 1024:
            yield f"{name}: must be 1024 or more octets"


# ---------------------------------------------------------------------------------------------------------------- #
# Notations of the command line. Each raises ValueError with a text for the user.
# ---------------------------------------------------------------------------------------------------------------- #


def parse_outcomes(text: str) -> dict[MessageState, float]:
    """`DELIVRD=90,UNDELIV=8,EXPIRED=2`: weights, which need not add up to anything. A name alone weighs 1."""
    weights: dict[MessageState, float] = {}
    for item in text.split(","):
        name, _, weight = item.partition("=")
        try:
            weights[parse_state(name)] = float(weight) if weight else 1.0
        except ValueError as wrong:
            raise ValueError(f"{item.strip()!r}: {wrong}") from None
    if not all(0 <= weight < math.inf for weight in weights.values()) or sum(weights.values()) <= 0:
        raise ValueError(f"{text!r}: weights must not be negative, and one must be above 0")
    return weights


def parse_state(name: str) -> MessageState:
    """`DELIVRD`, `undeliv`, ...: the final state that receipts call so."""
    state = FINAL_STATES.get(name.strip().upper())
    if state is None:
        raise ValueError(f"unknown outcome {name.strip()!r}; known: {', '.join(FINAL_STATES)}")
    return state
