"""All binds of all carriers: builds them from the settings, runs them, stops them, shows them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import trio

from smppgw.binds.bind import Bind
from smppgw.binds.connect import Connect, open_stream
from smppgw.binds.context import BindContext
from smppgw.binds.pacing import FullQueues, Pacer, Throttle
from smppgw.binds.recorder import Recorder
from smppgw.binds.status import BindKind, BindStatus, NullObserver, Observer
from smppgw.clock import Clock
from smppgw.config import BindMode, CarrierSettings
from smppgw.queue.model import Store


class BindPool:
    """Holds every bind. `settings` maps carrier names to their settings, passwords resolved."""

    def __init__(
        self,
        settings: Mapping[str, CarrierSettings],
        store: Store,
        clock: Clock,
        observer: Observer | None = None,
        *,
        connect: Connect = open_stream,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._observer = observer or NullObserver()
        self._connect = connect
        self._jitter = jitter
        self._binds: list[Bind] = []
        self._stopping = False
        self._stopped = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Runs all binds until `stop`; a carrier that is down does not keep the others from starting."""
        try:
            async with trio.open_nursery() as nursery:
                for carrier, settings in self._settings.items():
                    self._binds += self._build(carrier, settings)
                for bind in self._binds:
                    nursery.start_soon(bind.run)
                if self._stopping:
                    self._stop_all()
                task_status.started()
        finally:
            self._stopped.set()

    async def stop(self) -> None:
        """Claims nothing more, lets windows empty up to timers.stop_s, unbinds, records the rest as doubt.

        Returns when every bind is closed. Needs `run` to be running, or to come.
        """
        self._stopping = True
        self._stop_all()
        await self._stopped.wait()

    def status(self) -> list[BindStatus]:
        """All binds as they stand now, carrier by carrier."""
        now_mono = self._clock.mono()
        return [bind.status(now_mono) for bind in self._binds]

    def _stop_all(self) -> None:
        for bind in self._binds:
            bind.stop()

    def _build(self, carrier: str, settings: CarrierSettings) -> list[Bind]:
        full_queues = FullQueues(
            delay_ms=round(settings.queue_full_delay_s * 1000),
            recipients=settings.queue_full_recipients,
            span_s=settings.queue_full_span_s,
        )
        return [
            Bind(self._context(name, carrier, kind, settings, full_queues), self._connect)
            for name, kind in names(carrier, settings)
        ]

    def _context(
        self, name: str, carrier: str, kind: BindKind, settings: CarrierSettings, full_queues: FullQueues
    ) -> BindContext:
        recorder = Recorder(
            store=self._store,
            clock=self._clock,
            observer=self._observer,
            carrier=carrier,
            bind=name,
            settings=settings,
            jitter=self._jitter,
        )
        return BindContext(
            name=name,
            carrier=carrier,
            kind=kind,
            settings=settings,
            clock=self._clock,
            work=self._store.work(carrier),
            observer=self._observer,
            recorder=recorder,
            pacer=Pacer(settings.rate_per_s, settings.burst, self._clock.mono()),
            throttle=Throttle(settings.throttle_pause_s),
            full_queues=full_queues,
            jitter=self._jitter,
        )


def names(carrier: str, settings: CarrierSettings) -> list[tuple[str, BindKind]]:
    """The binds of a carrier, by name: `demo/1`, or `demo/1-tx` and `demo/1-rx` of a pair."""
    if settings.mode is BindMode.TRANSCEIVER:
        return [(f"{carrier}/{number}", BindKind.TRANSCEIVER) for number in range(1, settings.binds + 1)]
    return [
        (f"{carrier}/{number}-{suffix}", kind)
        for number in range(1, settings.binds + 1)
        for suffix, kind in (("tx", BindKind.TRANSMITTER), ("rx", BindKind.RECEIVER))
    ]
