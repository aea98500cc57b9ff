"""What waits for the receivers of one system_id, until a deliver_sm_resp says OK.

Owns the order of deliver_sm, their spreading over the binds that may receive, and what becomes of those that were
refused, not answered, or lost with their session. Refuses to know where they come from and how bytes leave.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from simulator.agenda import Agenda
from simulator.messages import Build, Delivery, Kind, straight
from simulator.settings import SimulatorSettings
from simulator.stats import Deliveries, Stats
from smppgw.clock import Clock
from smppgw.smpp import Session, Status


class Receiver(Protocol):
    """A bind that may be sent deliver_sm."""

    @property
    def session(self) -> Session: ...

    def wake_writer(self) -> None: ...

    def arm_timer(self) -> None: ...


class Picky(Protocol):
    """Which delivery may go over which bind: see picky.py."""

    def suits(self, delivery: Delivery, receiver: Receiver, receivers: list[Receiver]) -> bool: ...

    def sends(self, receiver: Receiver) -> bool: ...

    def send(self, receiver: Receiver, batch: list[Delivery], outbox: Outbox) -> None: ...


class Outbox:
    """The deliveries of one system_id. `held` keeps receipts back until it is switched off."""

    def __init__(
        self,
        system_id: str,
        *,
        agenda: Agenda,
        clock: Clock,
        settings: SimulatorSettings,
        stats: Stats,
        on_acked: Callable[[Delivery], None],
        build: Build = straight,
    ) -> None:
        self.system_id = system_id
        self.held = False
        self.picky: Picky | None = None  # set where not every delivery may go over every bind
        self.binds = 0  # of any kind
        self.receivers: list[Receiver] = []
        self.unacked = 0
        self._agenda = agenda
        self._clock = clock
        self._settings = settings
        self._stats = stats
        self._on_acked = on_acked
        self.build = build
        self._ready: deque[Delivery] = deque()
        self._kept_back: deque[Delivery] = deque()
        self._turn = 0

    def __len__(self) -> int:
        return len(self._ready) + len(self._kept_back)

    @property
    def idle(self) -> bool:
        """Nobody is bound and nothing is left to deliver."""
        return not self.binds and not self.unacked

    def add(self, delivery: Delivery) -> None:
        """Puts a new delivery at the end."""
        self.counts(delivery).due += 1
        self.unacked += 1
        self._enqueue(delivery)

    def join(self, receiver: Receiver) -> None:
        """A receiving bind has come."""
        self.receivers.append(receiver)
        self.pump()

    def admit(self, receiver: Receiver) -> None:
        """The same for one that may be in already."""
        if receiver not in self.receivers:
            self.join(receiver)

    def leave(self, receiver: Receiver, unanswered: Iterable[Delivery]) -> None:
        """A bind has gone: what it had not answered goes out first on the next one."""
        if receiver in self.receivers:
            self.receivers.remove(receiver)
        lost = [one for one in unanswered if not one.acked and not one.waiting and one.sent_over is receiver]
        for delivery in reversed(lost):
            delivery.waiting = True
            self._ready.appendleft(delivery)
        self.pump()

    def hold(self, held: bool) -> None:
        """Keeps receipts back, or lets them go."""
        self.held = held
        if not held:
            self._ready.extend(self._kept_back)
            self._kept_back.clear()
            self.pump()

    def pump(self) -> None:
        """Sends what windows allow, taking the receiving binds in turn."""
        receivers = self.receivers
        for _ in range(len(receivers)):
            if not self._ready or not receivers:  # sending may cut a bind that does not read
                return
            self._turn = (self._turn + 1) % len(receivers)
            self._send(receivers[self._turn])

    def answered(self, delivery: Delivery, command_status: int) -> None:
        """A deliver_sm_resp has come. The caller pumps once for the whole batch."""
        if delivery.acked:
            return  # sent twice, answered twice
        counts = self.counts(delivery)
        if command_status == Status.ESME_ROK:
            delivery.acked = True
            counts.acked += 1
            self.unacked -= 1
            self._on_acked(delivery)
            return
        counts.nacked += 1
        not_now = command_status == Status.ESME_RX_T_APPN
        self._later(delivery, self._settings.rx_t_appn_delay_s if not_now else self._settings.nack_delay_s)

    def overdue(self, delivery: Delivery) -> None:
        """No answer within response_s: it goes out again, though a late answer still counts."""
        if not delivery.acked:
            self.counts(delivery).overdue += 1
            self._later(delivery, self._settings.nack_delay_s)

    def again(self, delivery: Delivery) -> None:
        """Its answer has been lost on the way: it goes out once more."""
        if not delivery.acked and not delivery.waiting:
            self._enqueue(delivery)

    def counts(self, delivery: Delivery) -> Deliveries:
        return self._stats.inbound if delivery.kind is Kind.INBOUND else self._stats.receipts

    def _later(self, delivery: Delivery, delay_s: float) -> None:
        if not delivery.waiting:
            delivery.waiting = True
            self._agenda.at(self._clock.mono() + delay_s, self._again, delivery)

    def _again(self, delivery: Delivery) -> None:
        if not delivery.acked:
            self._enqueue(delivery)
            self.pump()

    def _enqueue(self, delivery: Delivery) -> None:
        delivery.waiting = True
        keep_back = self.held and delivery.kind is not Kind.INBOUND
        (self._kept_back if keep_back else self._ready).append(delivery)

    def rule(self, settings: SimulatorSettings, build: Build, picky: Picky | None) -> None:
        """Other settings from now on, after a switch of the scenario."""
        self._settings = settings
        self.build = build
        self.picky = picky
        self.pump()

    def _send(self, receiver: Receiver) -> None:
        if self.picky is not None and self.picky.sends(receiver):
            self.picky.send(receiver, self._batch(receiver, len(self._ready)), self)
            return
        session = receiver.session
        free = session.window_free if session.state.is_bound else 0  # it may be unbinding
        batch = self._batch(receiver, free)
        if not batch:
            return
        build = self.build
        now_mono = self._agenda.session_clock.mono()
        session.request_many([(build(delivery), delivery) for delivery in batch], now_mono)
        receiver.wake_writer()
        receiver.arm_timer()

    def _batch(self, receiver: Receiver, free: int) -> list[Delivery]:
        """Up to `free` deliveries, on their way over `receiver` from now on."""
        others = self._put_aside(receiver) if self.picky is not None else ()
        ready = self._ready
        batch: list[Delivery] = []
        while ready and len(batch) < free:
            delivery = ready.popleft()
            if delivery.acked:
                continue
            if self.held and delivery.kind is not Kind.INBOUND:
                self._kept_back.append(delivery)
                continue
            batch.append(delivery)
        for delivery in batch:
            counts = self.counts(delivery)
            counts.sent += 1
            counts.redelivered += delivery.attempts > 0
            delivery.attempts += 1
            delivery.waiting = False
            delivery.sent_over = receiver
        ready.extend(others)
        return batch

    def _put_aside(self, receiver: Receiver) -> list[Delivery]:
        """Takes out of what is ready whatever may not go over `receiver`."""
        assert self.picky is not None
        suits, receivers = self.picky.suits, self.receivers
        others = [delivery for delivery in self._ready if not suits(delivery, receiver, receivers)]
        if others:
            self._ready = deque(delivery for delivery in self._ready if suits(delivery, receiver, receivers))
        return others
