"""One half of a bind by itself, between a store in memory and a session without a stream."""

from __future__ import annotations

from typing import Any

import trio

from smppgw.addresses import Address
from smppgw.binds.context import Alarms, BindContext
from smppgw.binds.link import Endpoint, Link
from smppgw.binds.pacing import FullQueues, Pacer, ReceiptWatch, Throttle
from smppgw.binds.probing import Probes
from smppgw.binds.recorder import Recorder
from smppgw.binds.redelivery import Sessions
from smppgw.binds.shape import carrier_rules
from smppgw.binds.status import BindKind, Counters, NullObserver
from smppgw.queue.model import ClaimedSegment, Lane
from smppgw.queue.model import segment_id as id_of
from smppgw.smpp import BindTransceiver, BindTransceiverResp, Pdu, Role, Session, Timers, decode, encode
from tests.support.binds import carrier
from tests.support.bindstore import BindStore
from tests.support.clock import VirtualClock


def segment(number: int, recipient: str = "447700900001", **more: Any) -> ClaimedSegment:
    """A claimed segment of one part; `number` is its segment_id."""
    values: dict[str, Any] = {
        "segment_id": number,
        "claim": 1,
        "lane": Lane.BULK,
        "source": Address(5, 0, "Acme"),
        "destination": Address(1, 1, recipient),
        "octets": b"hello",
        "data_coding": 0,
        "esm_class": 0,
        "registered_delivery": 1,
        "accepted_utc_ms": 0,
        "expires_utc_ms": 2_000_000_000_000,
        "attempts": 0,
    }
    return ClaimedSegment(**(values | more))


def parts(message: int, count: int) -> list[ClaimedSegment]:
    """The claimed parts of one message."""
    return [segment(id_of(message, part), parts=count) for part in range(1, count + 1)]


def context_of(*, kind: BindKind = BindKind.TRANSCEIVER, **settings: Any) -> tuple[BindContext, BindStore]:
    """The context of a bind "demo/1" of a carrier with these settings, and its store."""
    clock, its, now = VirtualClock(), carrier(**settings), trio.current_time()
    store = BindStore(clock.utc_ms)
    counters = Counters()
    watch = ReceiptWatch(its.receipt_alarm_share, its.receipt_alarm_s) if its.receipt_alarm_share else None
    recorder = Recorder(
        store=store,
        clock=clock,
        observer=NullObserver(),
        carrier="demo",
        bind="demo/1",
        settings=its,
        jitter=lambda: 0.0,
        sessions=Sessions(),
        counters=counters,
        receipt_watch=watch,
    )
    context = BindContext(
        name="demo/1",
        carrier="demo",
        kind=kind,
        settings=its,
        rules=carrier_rules(its),
        clock=clock,
        work=store.work("demo"),
        observer=NullObserver(),
        recorder=recorder,
        pacer=Pacer(its.rate_per_s, its.burst, now),
        throttle=Throttle(its.throttle_pause_s),
        full_queues=FullQueues(delay_ms=1000, recipients=5, span_s=1.0),
        jitter=lambda: 0.0,
        link=Link("demo/1", [Endpoint(its.host, its.port, its.port)]),
        carrier_alarms=Alarms(carrier="demo"),
        probes=Probes(),
        counters=counters,
        receipt_watch=watch,
    )
    return context, store


def session_of(context: BindContext, *, bound: bool = True, response_s: float = 10.0) -> Session:
    """A session with the window of the settings, bound as a transceiver."""
    now = trio.current_time()
    session = Session(Role.ESME, timers=Timers(response_s=response_s), window=context.settings.window, now=now)
    if bound:
        number = session.bind(BindTransceiver(), now)
        session.receive_data(encode(BindTransceiverResp(sequence_number=number)), now)
        session.data_to_send()
    return session


def sent_by(session: Session) -> list[Pdu]:
    """The PDUs that the session has to send."""
    data, found = session.data_to_send(), []
    while data:
        octets = int.from_bytes(data[:4], "big")
        found.append(decode(data[:octets]))
        data = data[octets:]
    return found
