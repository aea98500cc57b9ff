"""What the sessions of one bind share, and what all binds of one carrier do."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from smppgw.binds import events
from smppgw.binds.link import Link
from smppgw.binds.pacing import Bucket, FullQueues, Pacer, ReceiptWatch, Throttle
from smppgw.binds.probing import Probes
from smppgw.binds.recorder import Recorder
from smppgw.binds.seldom import Seldom
from smppgw.binds.shape import CarrierRules
from smppgw.binds.status import BindKind, BindState, Counters, Observer
from smppgw.clock import Clock
from smppgw.config import CarrierSettings
from smppgw.queue.model import Work
from smppgw.telemetry import log

#: Bad PDUs of one bind that are kept, each second and at once after a rest. An SMSC gone mad must not push out of the
#: quarantine what came before.
QUARANTINED_PER_S = 10.0
QUARANTINED_BURST = 100


class Alarms:
    """What an operator should look at, under names such as "credentials". Logs each change once."""

    def __init__(self, **of: str) -> None:
        self._of = of  # fields of the log events
        self._raised: list[str] = []
        self._told: set[str] = set()

    @property
    def first(self) -> str:
        """The one that stands the longest; '' when there is none."""
        return self._raised[0] if self._raised else ""

    def first_time(self, hint: str) -> bool:
        """True once for each hint: what is worth a line in the log, and no alarm."""
        is_new = hint not in self._told
        self._told.add(hint)
        return is_new

    def stands(self, reason: str) -> bool:
        return reason in self._raised

    def raise_alarm(self, reason: str, **fields: object) -> None:
        if reason not in self._raised:
            self._raised.append(reason)
            log(events.LOGGER, logging.ERROR, events.BIND_ALARM, **self._of, alarm=reason, **fields)

    def set_alarm(self, reason: str, on: bool, **fields: object) -> None:
        """Raises or clears it, as it is at the moment."""
        if on:
            self.raise_alarm(reason, **fields)
        else:
            self.clear_alarm(reason)

    def clear_alarm(self, reason: str) -> None:
        if reason in self._raised:
            self._raised.remove(reason)
            log(events.LOGGER, logging.INFO, events.BIND_ALARM_CLEARED, **self._of, alarm=reason)


@dataclass(slots=True)
class BindContext:
    """One bind. Pacing and pauses live here, so that a reconnect grants no new burst."""

    name: str
    carrier: str
    kind: BindKind
    settings: CarrierSettings
    rules: CarrierRules  # made of them, once per carrier
    clock: Clock
    work: Work
    observer: Observer
    recorder: Recorder
    pacer: Pacer
    throttle: Throttle
    full_queues: FullQueues  # shared by all binds of the carrier
    jitter: Callable[[], float]  # numbers from 0 to 1
    link: Link  # shared by the two halves of a pair
    carrier_alarms: Alarms  # shared by all binds of the carrier
    probes: Probes  # likewise
    counters: Counters
    receipt_watch: ReceiptWatch | None = None  # that of the carrier; None: receipts are not watched
    quarantine_room: Bucket = field(default_factory=lambda: Bucket(QUARANTINED_PER_S, QUARANTINED_BURST))
    bad_pdus: Seldom = field(default_factory=Seldom)  # which of them are logged
    state: BindState = BindState.CONNECTING
    since_utc_ms: int = 0
    last_error: str = ""
    next_attempt_utc_ms: int | None = None
    #: One submit_sm at a time until one is answered: the session before answered none, and a link like that must not
    #: pull the queue into doubt window by window.
    probing: bool = False
    paused_until_mono: float = -math.inf
    interface_version: str = ""  # what the SMSC told; a hint for people, nothing follows from it
    endpoint: str = ""  # "host:port" of the connection, or of the one being tried
    _alarms: Alarms = field(init=False)

    def __post_init__(self) -> None:
        self._alarms = Alarms(bind=self.name)

    def enter(self, state: BindState) -> None:
        """Notes a new state and tells the observer."""
        self.state = state
        self.since_utc_ms = self.clock.utc_ms()
        self.observer.state_changed(self.carrier, self.name, state)

    def bound(self, state: BindState, interface_version: str) -> None:
        """The SMSC accepted the bind, and told (or did not tell) the version that it speaks."""
        self.interface_version = interface_version
        self.link.bound(self.name)
        self.enter(state)
        log(events.LOGGER, logging.INFO, events.BIND_UP, bind=self.name, state=state.value, endpoint=self.endpoint)
        for reason in events.REFUSAL_ALARMS:
            self.clear_alarm(reason)

    @property
    def alarm(self) -> str:
        """Why an operator should look at this bind or its carrier; '' when all is well."""
        return self._alarms.first or self.carrier_alarms.first

    def has_alarm(self, reason: str) -> bool:
        """Whether this one stands for the bind itself."""
        return self._alarms.stands(reason)

    def raise_alarm(self, reason: str, **fields: object) -> None:
        """Logs `bind_alarm` unless this one stands already."""
        self._alarms.raise_alarm(reason, **fields)

    def clear_alarm(self, reason: str) -> None:
        """Logs `bind_alarm_cleared` if this one stood."""
        self._alarms.clear_alarm(reason)
