"""One connection of an ESME: the bytes between a trio stream and an smpp Session.

Owns the reader, the writer and the limit on unsent octets. Refuses to know what a request means: events go to the
owner. The reader never waits for the writer, since both peers may be sending.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import count

import trio

from simulator.agenda import Agenda
from simulator.capture import Tape
from simulator.doors import peer_of
from simulator.outbox import Outbox
from simulator.quirks import STRAIGHT
from simulator.settings import SimulatorSettings
from simulator.tap import Answered, Tap
from smppgw.clock import Clock
from smppgw.smpp import CloseReason, Event, Pdu, Role, Session, Timers

_numbers = count(1)


class Quota:
    """How many unsent octets a connection may have: `octets`, the same for each, or its share in those of all.

    One reader that is slow may leave a lot; a thousand of them must not fill the memory.
    """

    __slots__ = ("_of_all", "_of_one", "octets")

    def __init__(self, settings: SimulatorSettings) -> None:
        self.octets = self._of_one = settings.max_outgoing_octets
        self._of_all = settings.max_outgoing_octets_of_all

    def share(self, connections: int) -> None:
        """There are so many connections now."""
        self.octets = min(self._of_one, self._of_all // max(1, connections))


class Link:
    """A connection. `system_id`, `kind` and `outbox` are set once it is bound."""

    def __init__(
        self,
        stream: trio.abc.Stream,
        settings: SimulatorSettings,
        clock: Clock,
        agenda: Agenda,
        on_events: Callable[[Link, list[Event]], None],
        quota: Quota,
        tap: Tap | None = None,
    ) -> None:
        self.number = next(_numbers)
        self.stream = stream
        self.session = Session(
            Role.SMSC,
            timers=Timers(
                session_init_s=settings.session_init_s,
                enquire_link_s=settings.enquire_link_s,
                inactivity_s=settings.inactivity_s,
                response_s=settings.response_s,
            ),
            window=settings.deliver_window,
            max_pdu_octets=settings.max_pdu_octets,
            now=clock.mono(),
        )
        self.peer = peer_of(stream)
        self.system_id = ""
        self.kind = ""
        self.outbox: Outbox | None = None
        self.tap = tap
        self.tape: Tape | None = None  # while a capture runs
        self.called_out = False  # we opened the connection
        self.connected_utc_ms = agenda.clock.utc_ms()
        self.bind_status: int | None = None
        self.submits = 0
        self.unanswered = 0  # submits that have no response yet
        self.withheld: list[Pdu] = []  # responses that a stall keeps back
        self.closed = False
        self.deaf = False  # half-open: what comes is read and forgotten, nothing is sent
        self.read_octets_per_s = 0.0  # we read no faster than so; 0: as fast as we can
        self.already_bound_s = 0.0  # so long after this connection its system_id counts as bound
        self._max_pdu_octets = settings.max_pdu_octets
        self._clock = clock
        self._agenda = agenda
        self._on_events = on_events
        self._quota = quota
        self._flush_s = settings.stop_grace_s
        self._outgoing = bytearray()
        self._wake = trio.Event()
        self._scope = trio.CancelScope()
        self._timer_mono = math.inf

    @property
    def bound(self) -> bool:
        return self.outbox is not None and not self.closed

    async def run(self) -> None:
        """Serves the connection until it ends; the stream is closed then. Its trouble stays in here."""
        try:
            with self._scope:
                self.arm_timer()
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._read)
                    await self._write()
                    nursery.cancel_scope.cancel()
        finally:
            self._end(CloseReason.LOCAL)
            if self.tape is not None:
                self.tape.closed()
            await trio.aclose_forcefully(self.stream)

    def cut(self) -> None:
        """Drops the connection: no unbind, and nothing more is written, not even half-sent octets."""
        self._end(CloseReason.LOCAL)
        self._scope.cancel()

    def part(self) -> None:
        """Drops the connection once what has been said is written: no unbind."""
        self._end(CloseReason.LOCAL)
        self._wake.set()

    def tapped(self) -> Tap:
        """The tap of this connection, put in where there is none yet."""
        if self.tap is None:
            self.tap = Tap(STRAIGHT, self._max_pdu_octets, self._agenda.clock.mono())
            self.tap.join(self.session)
        return self.tap

    def unbind(self) -> None:
        """Asks the ESME to part in good order."""
        if self.bound:
            self.session.unbind(self._clock.mono())
            self.arm_timer()
        self.wake_writer()

    def respond(self, responses: list[Pdu]) -> None:
        """Sends responses, in one write. Does nothing once the session has ended."""
        if not self.closed:
            self.session.respond_many(responses)
            self.wake_writer()
            self.arm_timer()

    def send_odd(self, make: Callable[[int], bytes], answered: Answered, cookie: object = None) -> None:
        """Sends what the session would not: `make` gives the octets for a sequence_number. Only with a tap."""
        assert self.tap is not None
        if not self.closed:
            self._outgoing += self.session.data_to_send()
            self._outgoing += make(self.tap.sequence(answered, cookie))
            self._wake.set()

    def wake_writer(self) -> None:
        """Hands what the session wants to send to the writer; cuts a link whose peer does not read."""
        data = self.session.data_to_send()
        if data and not self.deaf:
            self._outgoing += data
            if len(self._outgoing) > self._quota.octets:
                self.cut()
                return
        if self._outgoing or self.closed:
            self._wake.set()

    def arm_timer(self) -> None:
        """Sees to it that the session's next deadline is looked at in time."""
        deadline_mono = self.session.next_deadline()
        if deadline_mono < self._timer_mono:
            self._timer_mono = deadline_mono
            self._agenda.at_session(deadline_mono, self._tick, deadline_mono)

    def _tick(self, armed_for_mono: float) -> None:
        if self.closed or self.deaf or armed_for_mono != self._timer_mono:
            return
        self._timer_mono = math.inf
        self._handle(self.session.tick(self._clock.mono()))

    def _handle(self, events: list[Event]) -> None:
        if events:
            self._on_events(self, events)
        self.wake_writer()
        if not self.closed:
            self.arm_timer()

    async def _read(self) -> None:
        while True:
            try:
                data = await self.stream.receive_some(self._read_at_most())
                if self.tape is not None:
                    self.tape.received(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as ended:
                data = b""
                if self.tape is not None and isinstance(ended, trio.BrokenResourceError):
                    self.tape.broken()
            if self.closed:
                return
            now_mono = self._clock.mono()
            if not data:
                self._handle(self.session.receive_eof(now_mono))
            elif self.deaf:
                pass
            elif self.tap is None:
                self._handle(self.session.receive_data(data, now_mono))
            else:
                self._filter(self.tap, data, now_mono)
            if self.read_octets_per_s and not self.closed:
                await trio.sleep(len(data) / self.read_octets_per_s)

    def _read_at_most(self) -> int | None:
        """How many octets to read at once: of a slow reader what it reads in a tenth of a second."""
        return max(1, int(self.read_octets_per_s / 10)) if self.read_octets_per_s else None

    def _filter(self, tap: Tap, data: bytes | bytearray, now_mono: float) -> None:
        seen, answers = tap.filter(data, self._agenda.clock.mono())
        while True:
            self._outgoing += answers
            self._handle(self.session.receive_data(seen, now_mono) if seen else [])
            if not tap.owed:
                return
            tap.pay()
            if self.closed or self.deaf:
                return
            seen, answers = tap.more()

    async def _write(self) -> None:
        while not self.closed:
            await self._wake.wait()
            self._wake = trio.Event()
            if not await self._send(math.inf):
                self._end(CloseReason.PEER_CLOSED)
        await self._send(self._flush_s)  # the last words: an unbind_resp, a refusal

    async def _send(self, within_s: float) -> bool:
        with trio.move_on_after(within_s):
            while self._outgoing:
                data, self._outgoing = self._outgoing, bytearray()
                if self.tape is not None:
                    self.tape.sending(data, self.system_id)
                try:
                    await self.stream.send_all(data)
                    if self.tape is not None:
                        self.tape.sent()
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    return False
        return True

    def _end(self, reason: CloseReason) -> None:
        if not self.closed:
            self._on_events(self, self.session.close(reason, self._clock.mono()))
