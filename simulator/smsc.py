"""The simulated SMSC: listeners, connections, and the orders that change it while it runs.

Owns who may bind and what each event of a session leads to. What becomes of messages stands in centre.py, the bytes
of a connection in link.py.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

import trio

from simulator.agenda import Agenda
from simulator.capture import Capture
from simulator.centre import MessageCentre
from simulator.conduct import Conduct
from simulator.doors import addresses_of, call_out, open_listeners, port_of
from simulator.fates import STAT
from simulator.injecting import InboundOptions, injection
from simulator.injector import Injection, Injector
from simulator.ledger import Ledger, Submit, Visit
from simulator.link import Link, Quota
from simulator.messages import Delivery, Injected, Kind
from simulator.operations import Operations
from simulator.replies import Replies
from simulator.rules import BatchOver
from simulator.scenarios import Scenario
from simulator.settings import KEPT, SimulatorSettings
from simulator.stats import Stats
from simulator.tap import Tap, needs_tap
from smppgw.clock import Clock
from smppgw.smpp import (
    Bind,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    Closed,
    DataSm,
    Event,
    Outbind,
    Pdu,
    Rejected,
    RequestOverdue,
    RequestReceived,
    ResponseReceived,
    SessionState,
    Status,
    SubmitMulti,
    SubmitSm,
    encode,
    status_name,
)

logger = logging.getLogger("simulator")

_KINDS: dict[type[Pdu], str] = {
    BindTransmitter: "transmitter",
    BindReceiver: "receiver",
    BindTransceiver: "transceiver",
}
#: How long an ESME has to take a connection of ours that was ordered.
OUTBIND_S = 10.0

_DEFAULT_CLOCK = Clock()
_MAX_ADVANCE_S = 10 * 365 * 86_400


class Smsc:
    """An SMSC that can be ordered about. One instance serves once; `settings` are what it starts with.

    `stats` counts, `submits` holds the newest submits, `links` the open connections, `binds` those that are bound,
    `visits` the newest connections that have ended. Raises OSError when the ledger file cannot be opened.
    """

    def __init__(self, settings: SimulatorSettings | None = None, clock: Clock = _DEFAULT_CLOCK) -> None:
        self.settings = settings if settings is not None else SimulatorSettings()
        self.stats = Stats()
        self.port = 0  # known once `serve` has reported that it started
        self.links: list[Link] = []
        self.visits: deque[Visit] = deque(maxlen=1000)
        self._agenda = Agenda(clock, self._on_failed_action)
        self._clock = clock = self._agenda.clock
        self._ledger = Ledger(self.settings.ledger, self.settings.remembered_submits)
        self._centre = MessageCentre(
            self.settings, clock=clock, agenda=self._agenda, stats=self.stats, ledger=self._ledger
        )
        self._operations = Operations(self._centre)
        quirks = self.settings.quirks
        self._conduct = Conduct(quirks.session, clock=clock, agenda=self._agenda, stats=self.stats)
        self._replies = Replies(
            self.settings,
            clock=clock,
            agenda=self._agenda,
            stats=self.stats,
            chance=self._centre.chance,
            conduct=self._conduct,
        )
        self._has_taps = needs_tap(quirks)
        self._acks_to_lose = quirks.inbound.lost_acks
        self._refuse_binds_with: int | None = None
        self._quota = Quota(self.settings)
        self._injector = Injector(self._centre, self._agenda, self.settings.seed)
        self._changed = trio.Event()
        self._nursery: trio.Nursery | None = None  # while `serve` runs
        self._ledger_error: OSError | None = None
        self._ledger_failed = trio.Event()
        self._capture: Capture | None = None

    # ------------------------------------------------------------------------------------------------------------ #
    # Serving
    # ------------------------------------------------------------------------------------------------------------ #

    async def serve(
        self,
        listeners: Sequence[trio.abc.Listener[Any]] | None = None,
        *,
        task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serves until cancelled; reports `port` once it listens.

        `listeners`: None opens settings.host and settings.port; an empty list opens nothing, for tests that hand
        memory streams to `serve_stream`. Raises OSError when the port or the certificate cannot be had or the ledger
        or the capture cannot be written.
        """
        try:
            if self.settings.capture is not None:
                self.capture(self.settings.capture)
            if listeners is None:
                listeners = await open_listeners(self.settings)
            self.port = port_of(listeners)
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                nursery.start_soon(self._agenda.run, self._after_batch)
                self._conduct.watch(self._centre.book, lambda: self.links)
                nursery.start_soon(self._raise_ledger_error)
                if listeners:
                    nursery.start_soon(trio.serve_listeners, self.serve_stream, list(listeners))
                if self.settings.quirks.outbind.port:
                    nursery.start_soon(call_out, self.settings.quirks.outbind, self.serve_outbound)
                task_status.started(self.port)
        finally:
            self._nursery = None
            for link in list(self.links):
                link.cut()
            if self._capture is not None:
                self._capture.close()
            self._ledger.close()

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """Serves one connection until it ends. Raises RuntimeError when `serve` is not running: it keeps the time."""
        if self._has_room():
            await self._serve_link(self._new_link(stream))
            return
        self.stats.connections_refused += 1
        await trio.aclose_forcefully(stream)

    def _has_room(self) -> bool:
        """Whether one more connection may come in. The oldest that has not bound has to make room for it.

        So nobody who binds at once is kept out by others who only connect.
        """
        if len(self.links) < self.settings.max_connections:
            return True
        for link in self.links:
            if link.outbox is None:
                self.stats.connections_displaced += 1
                link.cut()
                return True
        return False

    async def serve_outbound(self, stream: trio.abc.Stream, pdu: Outbind | None = None) -> None:
        """The same for a connection of ours: sends outbind first (SMPP 3.4, 4.1.7); None: as configured."""
        link = self._new_link(stream, called_out=True)
        if pdu is None:
            outbind = self.settings.quirks.outbind
            pdu = Outbind(system_id=outbind.system_id, password=outbind.password)
        link.session.request(pdu, self._agenda.session_clock.mono())
        link.wake_writer()
        self.stats.outbinds += 1
        await self._serve_link(link)

    def _new_link(self, stream: trio.abc.Stream, *, called_out: bool = False) -> Link:
        if not self._agenda.running:
            raise RuntimeError("serve_stream() works only while serve() is running")
        settings = self.settings
        tap = Tap(settings.quirks, settings.max_pdu_octets, self._clock.mono()) if self._has_taps else None
        link = Link(stream, settings, self._agenda.session_clock, self._agenda, self._on_events, self._quota, tap)
        link.called_out = called_out
        if self._capture is not None:
            self._start_tape(self._capture, link)
        return link

    def _start_tape(self, capture: Capture, link: Link, *, late: bool = False) -> None:
        link.tape = capture.tape(
            link.number,
            addresses_of(link.stream),
            called_out=link.called_out,
            late=late,
            system_id=link.system_id,
        )

    async def _serve_link(self, link: Link) -> None:
        self.stats.connections += 1
        self.links.append(link)
        self._quota.share(len(self.links))
        self._conduct.connected(link)
        try:
            await link.run()
        except Exception:
            self.stats.session_failures += 1
            logger.exception("connection %d of %r ended by an error of ours", link.number, link.system_id)

    def _on_failed_action(self, failed: Exception) -> None:
        self.stats.session_failures += 1
        logger.error("something that was due has ended by an error of ours", exc_info=failed)

    async def stop(self) -> None:
        """Unbinds every bind and waits for the ESMEs to agree, at most settings.stop_grace_s. Then cancel `serve`."""
        for link in list(self.links):
            link.unbind()
        with trio.move_on_after(self.settings.stop_grace_s):
            await self.wait_until(lambda: not self.binds)

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Returns once `condition()` holds; looks again after each batch of events. For tests."""
        while not condition():
            await self.next_change()

    async def next_change(self) -> None:
        """Returns after the next batch of events, or the next order that changes something."""
        await self._changed.wait()

    # ------------------------------------------------------------------------------------------------------------ #
    # Seeing
    # ------------------------------------------------------------------------------------------------------------ #

    @property
    def binds(self) -> list[Link]:
        """The connections that are bound, oldest first."""
        return [link for link in self.links if link.bound]

    @property
    def submits(self) -> deque[Submit]:
        """The newest submits, oldest first."""
        return self._ledger.submits

    @property
    def ledger(self) -> Ledger:
        """All that was received, with numbers, and what was acknowledged; as far as it is remembered."""
        return self._ledger

    def fate(self, message_id: str) -> str:
        """DELIVRD, UNDELIV, ...: the final state of one of the messages that query_sm finds. Raises KeyError."""
        message = self._centre.find(message_id)
        if message is None:
            raise KeyError(message_id)
        return STAT[message.state]

    @property
    def waiting(self) -> int:
        """Messages whose receipt is planned or not acknowledged yet."""
        return self._centre.waiting

    def summary(self) -> dict[str, Any]:
        """The counts as one JSON object."""
        binds = self.binds
        summary = self.stats.summary(open_binds=len(binds))
        summary["accounts"] = self._centre.accounts.summary(Counter(link.system_id for link in binds))
        return summary | ({"capture": self._capture.counts()} if self._capture is not None else {})

    # ------------------------------------------------------------------------------------------------------------ #
    # Orders
    # ------------------------------------------------------------------------------------------------------------ #

    def inject(
        self, source: str, destination: str, text: str | None = None, **options: Unpack[InboundOptions]
    ) -> list[Injected]:
        """Sends an inbound text, or `octets`, in as many deliver_sm as it needs; each is held until acknowledged.

        Without `system_id`: to the first ESME that may receive it. The options are those of the order `inject`, with
        `as_` for `as`; README.md lists them. Returns the deliveries of the text as they go out, of the first one
        where there are several. Raises Refusal: `no_receiver`, those of injecting.injection and inbound.inbound_pdus;
        then nothing is sent.
        """
        deliveries, _ = self.inject_as(injection(source, destination, text, options))
        return deliveries

    def inject_as(self, asked: Injection) -> tuple[list[Injected], int]:
        """The same, read already; also returns how many parts the text has."""
        injected = self._injector.inject(asked)
        self._after_batch()
        return injected

    def stop_injecting(self) -> int:
        """Ends all streams of inbound texts. Returns how many texts will not be sent."""
        return self._injector.stop()

    def cut(self, bind: Link | None = None) -> int:
        """Drops one connection, or all of them, without a word. Returns how many."""
        links = [bind] if bind is not None else list(self.links)
        for link in links:
            link.cut()
        self._after_batch()
        return len(links)

    def unbind(self, bind: Link | None = None) -> int:
        """Unbinds one bind, or all of them, in good order. Returns how many."""
        links = [bind] if bind is not None else self.binds
        for link in links:
            link.unbind()
        return len(links)

    async def outbind(
        self, host: str, port: int, *, system_id: str | None = None, password: str | None = None
    ) -> None:
        """Connects to an ESME that listens on host:port and asks it to bind; returns once outbind is on its way.

        Without `system_id` and `password`: those of the settings. Raises OSError when nobody is there within
        OUTBIND_S, LocalProtocolError for what outbind cannot carry, RuntimeError when `serve` is not running.
        """
        self._running_nursery()
        named = self.settings.quirks.outbind
        pdu = Outbind(
            system_id=named.system_id if system_id is None else system_id,
            password=named.password if password is None else password,
        )
        encode(pdu)  # a mistake is told to whoever asks, not found by the connection
        with trio.move_on_after(OUTBIND_S):
            stream = await trio.open_tcp_stream(host, port)
            try:
                self._running_nursery().start_soon(self.serve_outbound, stream, pdu)
            except RuntimeError:
                await trio.aclose_forcefully(stream)
                raise
            return
        raise TimeoutError(f"{host}:{port} does not answer within {OUTBIND_S:g} s")

    def _running_nursery(self) -> trio.Nursery:
        if self._nursery is None:
            raise RuntimeError("this works only while serve() is running")
        return self._nursery

    def switch(self, scenario: Scenario | SimulatorSettings | str | None) -> None:
        """Acts another scenario from now on: one by name, a file that ends in .toml, or settings; None is the
        straight SMSC.

        Sessions stay, and so does what has been planned: responses and receipts of earlier messages come when and as
        they were to come. What orders have changed stays, but for the rate. So do the settings in KEPT, those named
        in `pinned`, the listeners with their TLS, and the accounts where the scenario has none. Raises ConfigError
        for a scenario that cannot be read.
        """
        if isinstance(scenario, str):
            scenario = Scenario.load(scenario)
        asked = SimulatorSettings() if scenario is None else scenario
        settings = asked.settings if isinstance(asked, Scenario) else asked
        kept = {name: getattr(self.settings, name) for name in KEPT | self.settings.pinned}
        if settings.accounts and "accounts" not in self.settings.pinned:
            del kept["accounts"]
        self.settings = settings = replace(settings, **kept)
        quirks = settings.quirks
        self._centre.switch(settings)
        self._replies.switch(settings)
        self._conduct.switch(quirks.session)
        self._acks_to_lose = quirks.inbound.lost_acks
        self._has_taps = needs_tap(quirks)
        for link in self.links:
            self._switch_link(link)
        self._conduct.watch(self._centre.book, lambda: self.links)
        self.stats.switches += 1
        self._after_batch()

    def _switch_link(self, link: Link) -> None:
        sends_receipts = self._centre.uses_transmitters and link.kind == "transmitter"
        if self._has_taps or sends_receipts:
            link.tapped()
        if link.tap is not None:
            link.tap.switch(self.settings.quirks)
        if sends_receipts and link.outbox is not None:
            link.outbox.admit(link)
        self._conduct.connected(link)

    def set_rate(self, rate: float | None, burst: float | None = None, system_id: str | None = None) -> None:
        """Limits each system_id to `rate` submits a second, with `burst` at once; None: no limit.

        With system_id only that one, whatever its account says; without, all that have no rate of their own.
        """
        self._centre.set_rate(rate, burst, system_id)

    def refuse_binds(self, status: int | None) -> None:
        """Answers every bind with this command_status; None: as configured."""
        self._refuse_binds_with = status

    def stall(self, stalled: bool = True) -> None:
        """Takes submits, and reports on them, but answers none. Switched off, it answers those of the open binds."""
        self._replies.stall(stalled, list(self.links))

    def hold_receipts(self, held: bool = True) -> None:
        """Keeps receipts back; switched off, all that wait go out."""
        self._centre.hold_receipts(held)
        self._after_batch()

    def capture(self, file: Path | str | None) -> dict[str, Any]:
        """Writes all that is said from now on into a pcapng file; None ends it. Returns the counts of the one before.

        They are empty when there was none. Raises OSError when the file cannot be written, and ValueError for a name
        that is refused: see Capture. The capture before goes on then.
        """
        if file is not None and self._capture is not None and self._capture.writes(Path(file)):
            raise ValueError("it is being written already; end that one first, or name another file")
        begun = Capture(Path(file), self._agenda) if file is not None else None
        before, self._capture = self._capture, begun
        for link in self.links:
            link.tape = None
            if begun is not None:
                self._start_tape(begun, link, late=True)
        if before is None:
            return {}
        before.close()
        return before.counts()

    def advance(self, seconds: float) -> None:
        """Lets `seconds` pass at once for messages: what is due by then happens now, and receipts tell that time.

        The timers of sessions go on as they are: see Agenda. Raises ValueError for a time that is not ahead.
        """
        if not 0 <= seconds <= _MAX_ADVANCE_S:
            raise ValueError(f"{seconds} cannot be skipped: 0 to {_MAX_ADVANCE_S} seconds, ten years")
        self._agenda.skip(seconds)
        if self._agenda.run_due(self._clock.mono()):
            self._after_batch()

    @property
    def now_utc_ms(self) -> int:
        """The wall time, with what `advance` has skipped: milliseconds since 1970-01-01 UTC."""
        return self._clock.utc_ms()

    # ------------------------------------------------------------------------------------------------------------ #
    # Events of the sessions
    # ------------------------------------------------------------------------------------------------------------ #

    def _on_events(self, link: Link, events: list[Event]) -> None:
        utc_ms = self._clock.utc_ms()
        self._centre.start_batch(link.system_id, self._clock.mono(), link.number, link.unanswered)
        responses: list[Pdu] = []
        remaining = iter(events)
        try:
            for event in remaining:
                if type(event) is RequestReceived:
                    self._on_request(link, event.pdu, utc_ms, responses)
                elif type(event) is ResponseReceived:
                    self._on_response(link, event)
                else:
                    self._on_other_event(link, event)
        except BatchOver as over:
            responses.append(over.response)
            for event in remaining:
                if type(event) is ResponseReceived:
                    self._on_response(link, event)
                elif type(event) is not RequestReceived:
                    self._on_other_event(link, event)
        if self._centre.shaped:
            rules, self._centre.shaped = self._centre.shaped, {}
            self._replies.send_shaped(link, responses, rules)
        elif responses:
            self._replies.send(link, responses)
        if link.outbox is not None:
            link.outbox.pump()
        self._after_batch()

    def _on_other_event(self, link: Link, event: Event) -> None:
        if type(event) is Closed:
            self._on_closed(link, event)
        elif type(event) is RequestOverdue:
            self._on_overdue(link, event)
        elif type(event) is Rejected:
            self.stats.rejected_pdus[status_name(event.command_status)] += 1

    def _after_batch(self) -> None:
        try:
            self._centre.settle()
        except OSError as failed:  # whoever is just being served is not to blame: serve() ends with it
            self._ledger_error = failed
            self._ledger_failed.set()
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    async def _raise_ledger_error(self) -> None:
        await self._ledger_failed.wait()
        assert self._ledger_error is not None
        raise self._ledger_error

    def _on_request(self, link: Link, pdu: Pdu, utc_ms: int, responses: list[Pdu]) -> None:
        if type(pdu) is SubmitSm:
            responses.append(self._centre.submit_sm(link.system_id, pdu, utc_ms))
        elif isinstance(pdu, BindTransmitter | BindReceiver | BindTransceiver):
            self._on_bind(link, pdu)
        elif isinstance(pdu, DataSm):
            responses.append(self._centre.data_sm(link.system_id, pdu, utc_ms))
        elif isinstance(pdu, SubmitMulti):
            responses.append(self._centre.submit_multi(link.system_id, pdu, utc_ms))
        else:
            self._on_other_request(link, pdu, utc_ms)

    def _on_other_request(self, link: Link, pdu: Pdu, utc_ms: int) -> None:
        self.stats.other_requests[type(pdu).__name__] += 1
        link.respond([self._operations.answer(link.system_id, pdu, utc_ms)])

    def _on_response(self, link: Link, event: ResponseReceived) -> None:
        if isinstance(event.cookie, Delivery) and link.outbox is not None:
            if self._acks_to_lose and event.cookie.kind is Kind.INBOUND:
                self._lose_ack(link, event.cookie)
                return
            link.outbox.answered(event.cookie, event.response.command_status)

    def _lose_ack(self, link: Link, delivery: Delivery) -> None:
        """As if the connection had broken before this deliver_sm_resp came."""
        self._acks_to_lose -= 1
        self.stats.lost_acks += 1
        assert link.outbox is not None
        link.outbox.again(delivery)
        link.cut()

    def _on_overdue(self, link: Link, event: RequestOverdue) -> None:
        if isinstance(event.cookie, Delivery) and link.outbox is not None:
            link.outbox.overdue(event.cookie)

    def _on_bind(self, link: Link, pdu: Bind) -> None:
        if link.session.state is not SessionState.BINDING:
            return  # octets behind the bind have ended the session already
        status = self._bind_status(link, pdu)
        ruled = status == Status.ESME_ROK and bool(self._centre.book.binds)
        if not ruled or not self._conduct.rule_bind(link, pdu, self._answer_bind):
            self._answer_bind(link, pdu, status)

    def _answer_bind(self, link: Link, pdu: Bind, status: int) -> None:
        link.bind_status = status
        if status != Status.ESME_ROK:
            self.stats.binds_refused[status] += 1
            for event in link.session.refuse_bind(pdu, status):
                if isinstance(event, Closed):
                    self._on_closed(link, event)
            return
        self._conduct.accept(link, pdu, self.settings.system_id)
        link.system_id = pdu.system_id
        link.kind = _KINDS[type(pdu)]
        link.outbox = self._centre.outbox(pdu.system_id)
        link.outbox.binds += 1
        self.stats.binds[link.kind] += 1
        self._conduct.bound(link)
        if not isinstance(pdu, BindTransmitter):
            link.outbox.join(link)
        elif self._centre.uses_transmitters:
            link.tapped()
            link.outbox.join(link)

    def _bind_status(self, link: Link, pdu: Bind) -> int:
        if self._refuse_binds_with is not None:
            return self._refuse_binds_with

        def open_binds() -> int:
            return sum(other.system_id == pdu.system_id for other in self.binds)

        return self._centre.accounts.bind_status(pdu, link.peer, open_binds) or self._conduct.bind_status(pdu)

    def _on_closed(self, link: Link, event: Closed) -> None:
        link.closed = True
        link.withheld = []
        self.links.remove(link)
        self._quota.share(len(self.links))
        self.stats.closed[str(event.reason)] += 1
        self.stats.deviations.update(link.session.counters)
        self.visits.append(_visit(link, event))
        self._conduct.closed(link)
        if link.outbox is not None:
            cookies = event.unanswered + (link.tap.unanswered() if link.tap is not None else [])
            link.outbox.binds -= 1
            link.outbox.leave(link, (cookie for cookie in cookies if isinstance(cookie, Delivery)))


def _visit(link: Link, event: Closed) -> Visit:
    return Visit(
        link.number,
        link.system_id,
        link.kind,
        link.session.peer_interface_version,
        link.connected_utc_ms,
        link.bind_status,
        link.submits,
        str(event.reason),
    )
