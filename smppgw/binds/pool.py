"""All binds of all carriers: builds them from the settings, runs them, stops them, shows them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import trio

from smppgw.binds.bind import Bind
from smppgw.binds.connect import Connect, open_stream
from smppgw.binds.context import Alarms, BindContext
from smppgw.binds.events import ALARM_RECEIPTS_MISSING, ALARM_RECEIPTS_UNMATCHED
from smppgw.binds.link import Link, endpoints
from smppgw.binds.outbind import OutbindListener
from smppgw.binds.pacing import FullQueues, Pacer, ReceiptWatch, Throttle
from smppgw.binds.probing import Probes
from smppgw.binds.recorder import Recorder
from smppgw.binds.redelivery import Sessions
from smppgw.binds.shape import CarrierRules, carrier_rules
from smppgw.binds.status import BindKind, BindStatus, Counters, NullObserver, Observer
from smppgw.binds.unmatched import MatchWatch, SampleIds
from smppgw.clock import Clock
from smppgw.config import BindMode, CarrierSettings
from smppgw.errors import StoreError
from smppgw.queue.model import IdRelationView, Store

#: How often it is looked whether receipts find their messages, and whether they come at all where that is watched.
LOOK_AT_RECEIPTS_S = 15.0

#: The binds of a link, by mode: what is added to its name, and the kind.
_HALVES: dict[BindMode, tuple[tuple[str, BindKind], ...]] = {
    BindMode.TRANSCEIVER: (("", BindKind.TRANSCEIVER),),
    BindMode.PAIR: (("-tx", BindKind.TRANSMITTER), ("-rx", BindKind.RECEIVER)),
}


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all binds of one carrier share."""

    carrier: str
    rules: CarrierRules
    full_queues: FullQueues
    sessions: Sessions
    alarms: Alarms
    probes: Probes
    receipt_watch: ReceiptWatch | None
    sample_ids: SampleIds


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
        self._outbinds: list[OutbindListener] = []
        self._carriers: list[_Shared] = []
        self._stopping = False
        self._stopped = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Runs all binds until `stop`; a carrier that is down does not keep the others from starting.

        Raises ConfigError when an outbind port cannot be opened.
        """
        try:
            for carrier, settings in self._settings.items():
                self._build(carrier, settings)
            for outbind in self._outbinds:
                await outbind.listen()
            async with trio.open_nursery() as watches:
                watches.start_soon(self._watch_receipts)
                async with trio.open_nursery() as nursery:
                    for bind in self._binds:
                        nursery.start_soon(bind.run)
                    for outbind in self._outbinds:
                        nursery.start_soon(outbind.run)
                    if self._stopping:
                        self._stop_all()
                    task_status.started()
                watches.cancel_scope.cancel()
        finally:
            for outbind in self._outbinds:
                outbind.close()
            self._stopped.set()

    async def stop(self) -> None:
        """Claims nothing more, lets windows empty up to timers.stop_s, unbinds, records the rest as doubt.

        Returns when every bind is closed. Needs `run` to be running, or to come.
        """
        self._stopping = True
        self._stop_all()
        await self._stopped.wait()

    def status(self) -> list[BindStatus]:
        """All binds as they stand now, carrier by carrier; those that SMSCs asked for by outbind come last."""
        now_mono = self._clock.mono()
        return [
            *(bind.status(now_mono) for bind in self._binds),
            *(status for outbind in self._outbinds for status in outbind.status(now_mono)),
        ]

    def _stop_all(self) -> None:
        for bind in self._binds:
            bind.stop()
        for outbind in self._outbinds:
            outbind.stop()

    async def _watch_receipts(self) -> None:
        watches = {
            carrier: MatchWatch(ids.matched, ids.total) for carrier, ids in (await self._id_relations()).items()
        }
        while True:
            await trio.sleep(LOOK_AT_RECEIPTS_S)
            relations = await self._id_relations()
            for shared in self._carriers:
                watch = shared.receipt_watch
                shared.alarms.set_alarm(
                    ALARM_RECEIPTS_MISSING, watch is not None and watch.missing(self._clock.mono())
                )
                if ids := relations.get(shared.carrier):
                    self._look_at_ids(shared, ids, watches.setdefault(shared.carrier, MatchWatch(0, 0)))

    async def _id_relations(self) -> dict[str, IdRelationView]:
        """By carrier; none while the store cannot tell."""
        try:
            return {ids.carrier: ids for ids in await self._store.id_relations()}
        except StoreError:
            return {}

    @staticmethod
    def _look_at_ids(shared: _Shared, ids: IdRelationView, watch: MatchWatch) -> None:
        shared.alarms.set_alarm(
            ALARM_RECEIPTS_UNMATCHED,
            watch.unmatched(ids.matched, ids.total),
            receipts=ids.total,
            matched=ids.matched,
            relation=(ids.relation or "not known") + (" (pinned)" if ids.pinned else ""),
            id_in_receipt=shared.sample_ids.receipt,
            id_in_response=shared.sample_ids.response,
            look_at="ids.relation, ids.extract",
        )

    # Building ---------------------------------------------------------------------------------------------------

    def _build(self, carrier: str, settings: CarrierSettings) -> None:
        shared = _shared(carrier, settings)
        self._carriers.append(shared)
        for number, its in enumerate(settings.links(), start=1):
            link = Link(f"{carrier}/{number}", endpoints(its))
            for suffix, kind in _HALVES[its.mode]:
                context = self._context(shared, link, link.name + suffix, kind, its)
                self._binds.append(Bind(context, self._connect))
        if settings.outbind.port:
            self._outbinds.append(OutbindListener(carrier, settings.outbind, self._outbind_context(shared, settings)))

    def _outbind_context(self, shared: _Shared, settings: CarrierSettings) -> Callable[[str], BindContext]:
        """Makes the context of a session by outbind: it asks to send as well only where a transceiver may."""
        kind = BindKind.TRANSCEIVER if settings.mode is BindMode.TRANSCEIVER else BindKind.RECEIVER
        return lambda name: self._context(shared, Link(name, endpoints(settings)), name, kind, settings)

    def _context(
        self, shared: _Shared, link: Link, name: str, kind: BindKind, settings: CarrierSettings
    ) -> BindContext:
        counters = Counters()
        recorder = Recorder(
            store=self._store,
            clock=self._clock,
            observer=self._observer,
            carrier=shared.carrier,
            bind=name,
            settings=settings,
            jitter=self._jitter,
            sessions=shared.sessions,
            counters=counters,
            receipt_watch=shared.receipt_watch,
            sample_ids=shared.sample_ids,
        )
        return BindContext(
            name=name,
            carrier=shared.carrier,
            kind=kind,
            settings=settings,
            rules=shared.rules,
            clock=self._clock,
            work=self._store.work(shared.carrier),
            observer=self._observer,
            recorder=recorder,
            pacer=Pacer(settings.rate_per_s, settings.burst, self._clock.mono()),
            throttle=Throttle(settings.throttle_pause_s),
            full_queues=shared.full_queues,
            jitter=self._jitter,
            link=link,
            carrier_alarms=shared.alarms,
            probes=shared.probes,
            counters=counters,
            receipt_watch=shared.receipt_watch,
        )


def _shared(carrier: str, settings: CarrierSettings) -> _Shared:
    watched = settings.receipt_alarm_share > 0
    return _Shared(
        carrier=carrier,
        rules=carrier_rules(settings),
        full_queues=FullQueues(
            delay_ms=round(settings.queue_full_delay_s * 1000),
            recipients=settings.queue_full_recipients,
            span_s=settings.queue_full_span_s,
        ),
        sessions=Sessions(),
        alarms=Alarms(carrier=carrier),
        probes=Probes(),
        receipt_watch=ReceiptWatch(settings.receipt_alarm_share, settings.receipt_alarm_s) if watched else None,
        sample_ids=SampleIds(),
    )


def names(carrier: str, settings: CarrierSettings) -> list[tuple[str, BindKind]]:
    """The binds of a carrier, by name: `demo/1`, or `demo/1-tx` and `demo/1-rx` of a pair."""
    return [
        (f"{carrier}/{number}{suffix}", kind)
        for number, its in enumerate(settings.links(), start=1)
        for suffix, kind in _HALVES[its.mode]
    ]
