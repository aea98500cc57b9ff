"""An SMSC for the tests of binds: Session(role=SMSC) on memory streams, answering as the test says."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable

import trio
from trio.testing import memory_stream_pair

from smppgw.config import CarrierSettings
from smppgw.smpp import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    CancelSm,
    Closed,
    CloseReason,
    DataSm,
    DeliverSm,
    Outbind,
    Pdu,
    QuerySm,
    RequestReceived,
    ResponseReceived,
    Role,
    Session,
    Status,
    SubmitSm,
    SubmitSmResp,
    Timers,
    UnbindReceived,
)

#: Given the submit_sm and its number (from 0), the response; None leaves it unanswered.
Answer = Callable[[SubmitSm, int], Pdu | None]


def accept(submit: SubmitSm, number: int) -> SubmitSmResp:
    return SubmitSmResp(sequence_number=submit.sequence_number, message_id=f"m{number}")


def refuse(status: int) -> Answer:
    """Answers every submit_sm with `status`."""
    return lambda submit, _: SubmitSmResp(sequence_number=submit.sequence_number, command_status=status)


class Link:
    """One session at the SMSC."""

    def __init__(self, smsc: FakeSmsc, stream: trio.abc.Stream, endpoint: str = "") -> None:
        self.smsc = smsc
        self.stream = stream
        self.endpoint = endpoint
        self.session = Session(
            Role.SMSC,
            timers=Timers(session_init_s=60.0, enquire_link_s=0.0, inactivity_s=0.0, response_s=300.0),
            window=100_000,
            now=trio.current_time(),
        )
        self.kind = ""
        self.request: BindTransceiver | BindTransmitter | BindReceiver | None = None
        self.unanswered = 0
        self.unbind_received = False
        self.closed: CloseReason | None = None
        self.delivered: list[tuple[object, int]] = []  # (cookie, command_status of the deliver_sm_resp)
        self._queue: deque[tuple[float, Pdu]] = deque()
        self._changed = trio.Event()

    async def serve(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._answer_later)
            await self._read()
            nursery.cancel_scope.cancel()

    async def deliver(self, *pdus: DeliverSm) -> None:
        """Sends deliver_sms; what came back stands in `delivered`, by place among all that were sent."""
        for pdu in pdus:
            self.session.request(pdu, trio.current_time(), self.smsc.deliveries)
            self.smsc.deliveries += 1
        await self.flush()

    async def raw(self, octets: bytes) -> None:
        await self.stream.send_all(octets)

    async def cut(self) -> None:
        await self.stream.aclose()

    async def unbind(self) -> None:
        self.session.unbind(trio.current_time())
        await self.flush()

    async def outbind(self, system_id: str = "SMSC", password: str = "") -> None:
        self.session.request(Outbind(system_id=system_id, password=password), trio.current_time())
        await self.flush()

    async def flush(self) -> None:
        data = self.session.data_to_send()
        if data:
            await self.stream.send_all(data)

    async def _read(self) -> None:
        try:
            while True:
                data = await self.stream.receive_some(65_536)
                now = trio.current_time()
                if data and self.smsc.mute:
                    continue
                happened = self.session.receive_data(bytes(data), now) if data else self.session.receive_eof(now)
                for event in happened:
                    self._take(event)
                await self.flush()
                if not data or self.closed:
                    return
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return
        finally:
            with trio.CancelScope(shield=True):
                await self.stream.aclose()

    def _take(self, event: object) -> None:
        match event:
            case RequestReceived(pdu=BindTransceiver() | BindTransmitter() | BindReceiver() as pdu):
                self._bind(pdu)
            case RequestReceived(pdu=SubmitSm() as pdu):
                self._submit(pdu)
            case RequestReceived(pdu=DataSm() | QuerySm() | CancelSm() as pdu):
                self.smsc.asked.append(pdu)
                response = self.smsc.reply(pdu)
                if response is not None:
                    response.sequence_number = pdu.sequence_number
                    self.session.respond(response)
            case ResponseReceived(cookie=cookie, response=response):
                self.delivered.append((cookie, response.command_status))
            case UnbindReceived():
                self.unbind_received = True
            case Closed(reason=reason):
                self.closed = reason

    def _bind(self, pdu: BindTransceiver | BindTransmitter | BindReceiver) -> None:
        smsc = self.smsc
        self.kind = type(pdu).__name__
        smsc.binds.append((round(trio.current_time() - smsc.started, 3), self.kind, pdu.system_id, pdu.password))
        self.request = pdu
        if smsc.refuse_binds is None or self.kind not in smsc.refuses:
            self.session.accept_bind(pdu, "SMSC")
        elif smsc.refuse_binds >= 0:
            for event in self.session.refuse_bind(pdu, smsc.refuse_binds):
                self._take(event)

    def _submit(self, pdu: SubmitSm) -> None:
        smsc = self.smsc
        number = len(smsc.submits)
        smsc.submits.append((round(trio.current_time() - smsc.started, 6), pdu))
        self.unanswered += 1
        smsc.most_unanswered = max(smsc.most_unanswered, self.unanswered)
        response = smsc.answer(pdu, number)
        if response is not None:
            self._queue.append((trio.current_time() + smsc.delay_s, response))
            self._changed.set()

    async def _answer_later(self) -> None:
        while True:
            until = self._queue[0][0] if self._queue else math.inf
            if until > trio.current_time():
                with trio.move_on_at(until):
                    await self._changed.wait()
                self._changed = trio.Event()
                continue
            while self._queue and self._queue[0][0] <= trio.current_time():
                self.unanswered -= 1
                self.session.respond(self._queue.popleft()[1])
            try:
                await self.flush()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return


class FakeSmsc:
    """Accepts any number of connections through `connect`, which has the shape of smppgw.binds.connect.Connect.

    `delay_s` before each submit_sm_resp. `asked` are the other requests, answered at once with what `reply` says.
    `refuse_binds`: a command_status, or -1 to leave binds unanswered. `mute`: looks at nothing that comes. `down`:
    connecting fails; `down_at`: at these endpoints ("host:port"). `refuses`: the kinds of bind (class names) that
    `refuse_binds` holds for. `connect_s` before a connection is there, or fails. `wrap` may put an EvilStream around
    our end.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self.started = trio.current_time()
        self.links: list[Link] = []
        self.binds: list[tuple[float, str, str, str]] = []
        self.submits: list[tuple[float, SubmitSm]] = []
        self.connects: list[float] = []
        self.endpoints: list[str] = []
        self.deliveries = 0
        self.most_unanswered = 0
        self.answer: Answer = accept
        self.asked: list[Pdu] = []
        self.reply: Callable[[Pdu], Pdu | None] = lambda _: None
        self.delay_s = 0.0
        self.refuse_binds: int | None = None
        self.mute = False
        self.refuses = {"BindTransceiver", "BindTransmitter", "BindReceiver"}
        self.down = False
        self.down_at: set[str] = set()
        self.connect_s = 0.0
        self.wrap: Callable[[trio.abc.Stream], trio.abc.Stream] = lambda stream: stream

    async def connect(self, settings: CarrierSettings, host: str, port: int) -> trio.abc.Stream:
        self.connects.append(round(trio.current_time() - self.started, 3))
        self.endpoints.append(f"{host}:{port}")
        await trio.sleep(self.connect_s)
        if self.down or f"{host}:{port}" in self.down_at:
            raise ConnectionRefusedError("connection refused")
        return self.meet(f"{host}:{port}")

    def meet(self, endpoint: str = "") -> trio.abc.Stream:
        """Our end of a new connection."""
        ours, theirs = memory_stream_pair()
        self.attach(theirs, endpoint)
        return self.wrap(ours)

    def attach(self, stream: trio.abc.Stream, endpoint: str = "") -> Link:
        """Serves a connection."""
        link = Link(self, stream, endpoint)
        self.links.append(link)
        self.nursery.start_soon(link.serve)
        return link

    @property
    def link(self) -> Link:
        """The newest one."""
        return self.links[-1]

    @property
    def delivered(self) -> dict[int, list[int]]:
        """For each deliver_sm, by its number: the command_status of its responses."""
        found: dict[int, list[int]] = {}
        for link in self.links:
            for cookie, status in link.delivered:
                assert isinstance(cookie, int)
                found.setdefault(cookie, []).append(status)
        return found

    def statuses(self) -> Counter[str]:
        """How often each command_status came back for deliver_sms."""
        return Counter(Status(status).name for found in self.delivered.values() for status in found)
