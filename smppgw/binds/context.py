"""What all sessions of one bind share: settings, policies with memory, counters and the recorder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from smppgw.binds.pacing import FullQueues, Pacer, Throttle
from smppgw.binds.recorder import Recorder
from smppgw.binds.status import BindKind, BindState, Counters, Observer
from smppgw.clock import Clock
from smppgw.config import CarrierSettings
from smppgw.queue.model import Work


@dataclass(slots=True)
class BindContext:
    """One bind. Pacing and pauses live here, so that a reconnect grants no new burst."""

    name: str
    carrier: str
    kind: BindKind
    settings: CarrierSettings
    clock: Clock
    work: Work
    observer: Observer
    recorder: Recorder
    pacer: Pacer
    throttle: Throttle
    full_queues: FullQueues  # shared by all binds of the carrier
    jitter: Callable[[], float]  # numbers from 0 to 1
    counters: Counters = field(default_factory=Counters)
    state: BindState = BindState.CONNECTING
    since_utc_ms: int = 0
    last_error: str = ""
    next_attempt_utc_ms: int | None = None

    def enter(self, state: BindState) -> None:
        """Notes a new state and tells the observer."""
        self.state = state
        self.since_utc_ms = self.clock.utc_ms()
        self.observer.state_changed(self.carrier, self.name, state)
