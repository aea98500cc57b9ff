"""The simulated SMSC: listeners, connections, and the orders that change it while it runs.

Owns who may bind and what each event of a session leads to. What becomes of messages stands in centre.py, the bytes
of a connection in link.py.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import trio

from simulator.agenda import Agenda
from simulator.centre import MessageCentre
from simulator.conduct import Conduct
from simulator.doors import call_out, open_listeners, port_of
from simulator.fates import STAT
from simulator.inbound import inbound_pdus
from simulator.ledger import Ledger, Submit, Visit
from simulator.link import Link
from simulator.messages import Delivery, Kind
from simulator.operations import Operations
from simulator.quirks import Over
from simulator.replies import Replies
from simulator.settings import SimulatorSettings
from simulator.stats import Stats
from simulator.tap import Tap, needs_tap
from smppgw.clock import Clock
from smppgw.errors import Refusal
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
    status_name,
)

logger = logging.getLogger("simulator")

_KINDS: dict[type[Pdu], str] = {
    BindTransmitter: "transmitter",
    BindReceiver: "receiver",
    BindTransceiver: "transceiver",
}
_DEFAULT_CLOCK = Clock()


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
        self._clock = clock
        self._agenda = Agenda(clock)
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
        self._reference = 0
        self._changed = trio.Event()
        self._ledger_error: OSError | None = None
        self._ledger_failed = trio.Event()

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
        cannot be written.
        """
        if listeners is None:
            listeners = await open_listeners(self.settings)
        self.port = port_of(listeners)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._agenda.run, self._after_batch)
                nursery.start_soon(self._raise_ledger_error)
                if listeners:
                    nursery.start_soon(trio.serve_listeners, self.serve_stream, list(listeners))
                if self.settings.quirks.outbind.port:
                    nursery.start_soon(call_out, self.settings.quirks.outbind, self.serve_outbound)
                task_status.started(self.port)
        finally:
            for link in list(self.links):
                link.cut()
            self._ledger.close()

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """Serves one connection until it ends. Raises RuntimeError when `serve` is not running: it keeps the time."""
        await self._serve_link(self._new_link(stream))

    async def serve_outbound(self, stream: trio.abc.Stream) -> None:
        """The same for a connection of ours: sends outbind first (SMPP 3.4, 4.1.7)."""
        link = self._new_link(stream)
        outbind = self.settings.quirks.outbind
        link.session.request(Outbind(system_id=outbind.system_id, password=outbind.password), self._clock.mono())
        link.wake_writer()
        self.stats.outbinds += 1
        await self._serve_link(link)

    def _new_link(self, stream: trio.abc.Stream) -> Link:
        if not self._agenda.running:
            raise RuntimeError("serve_stream() works only while serve() is running")
        settings = self.settings
        tap = Tap(settings.quirks, settings.max_pdu_octets, self._clock.mono()) if self._has_taps else None
        return Link(stream, settings, self._clock, self._agenda, self._on_events, tap)

    async def _serve_link(self, link: Link) -> None:
        self.stats.connections += 1
        self.links.append(link)
        self._conduct.connected(link)
        try:
            await link.run()
        except Exception:
            self.stats.session_failures += 1
            logger.exception("connection %d of %r ended by an error of ours", link.number, link.system_id)

    async def stop(self) -> None:
        """Unbinds every bind and waits for the ESMEs to agree, at most settings.stop_grace_s. Then cancel `serve`."""
        for link in list(self.links):
            link.unbind()
        with trio.move_on_after(self.settings.stop_grace_s):
            await self.wait_until(lambda: not self.binds)

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Returns once `condition()` holds; looks again after each batch of events. For tests."""
        while not condition():
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
        return self.stats.summary(open_binds=len(self.binds))

    # ------------------------------------------------------------------------------------------------------------ #
    # Orders
    # ------------------------------------------------------------------------------------------------------------ #

    def inject(
        self, source: str, destination: str, text: str, *, system_id: str | None = None, reference: int | None = None
    ) -> list[Delivery]:
        """Sends an inbound text to the ESME `system_id`, in as many deliver_sm as it needs; held until acknowledged.

        Without system_id: to the first ESME that has a receiving bind. `reference` is that of the concatenation.
        Raises Refusal: `no_receiver`, those of `plan`, `bad_address`.
        """
        if system_id is None:
            receiving = self._centre.receiving()
            if not receiving:
                raise Refusal("no_receiver", "no receiver or transceiver is bound; name a system_id to wait for one")
            system_id = receiving[0]
        if reference is None:
            self._reference = reference = self._reference % 255 + 1
        pdus = inbound_pdus(source, destination, text, reference)
        deliveries = [Delivery(Kind.INBOUND, system_id, pdu=pdu) for pdu in pdus]
        for delivery in deliveries:
            self._centre.deliver(delivery)
        self._after_batch()
        return deliveries

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

    def set_rate(self, rate: float | None, burst: float | None = None) -> None:
        """Limits each system_id to `rate` submits a second, with `burst` at once; None: no limit."""
        self._centre.set_rate(rate, burst)

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

    # ------------------------------------------------------------------------------------------------------------ #
    # Events of the sessions
    # ------------------------------------------------------------------------------------------------------------ #

    def _on_events(self, link: Link, events: list[Event]) -> None:
        utc_ms = self._clock.utc_ms()
        self._centre.start_batch(link.system_id, self._clock.mono(), link.number)
        responses: list[Pdu] = []
        for event in events:
            if type(event) is RequestReceived:
                self._on_request(link, event.pdu, utc_ms, responses)
            elif type(event) is ResponseReceived:
                self._on_response(link, event)
            elif type(event) is Closed:
                self._on_closed(link, event)
            elif type(event) is RequestOverdue:
                self._on_overdue(link, event)
            elif type(event) is Rejected:
                self.stats.rejected_pdus[status_name(event.command_status)] += 1
        if responses:
            self._replies.send(link, responses)
        if link.outbox is not None:
            link.outbox.pump()
        self._after_batch()

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
        status = self._bind_status(pdu)
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
        if not isinstance(pdu, BindTransmitter) or self.settings.quirks.receipts.over is Over.TRANSMITTER:
            link.outbox.join(link)

    def _bind_status(self, pdu: Bind) -> int:
        if self._refuse_binds_with is not None:
            return self._refuse_binds_with
        accounts = self.settings.accounts
        if accounts and pdu.system_id not in accounts:
            return Status.ESME_RINVSYSID
        if accounts and accounts[pdu.system_id] != pdu.password:
            return Status.ESME_RINVPASWD
        return self._conduct.bind_status(pdu)

    def _on_closed(self, link: Link, event: Closed) -> None:
        link.closed = True
        link.withheld = []
        self.links.remove(link)
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
