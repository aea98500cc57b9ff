"""An ESME for the tests: sends and receives PDUs over any stream, and does nothing on its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import trio
import trio.testing

from simulator import SimulatorSettings, Smsc
from simulator.scenarios import Scenario
from smppgw.errors import RemoteProtocolError
from smppgw.smpp import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    Framer,
    Pdu,
    SubmitSm,
    SubmitSmResp,
    decode,
    encode,
)
from tests.support.clock import VirtualClock

P = TypeVar("P", bound=Pdu)
Connect = Callable[[], Awaitable["Esme"]]


class Esme:
    """What has come and was not asked for yet stands in `inbox`."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self.inbox: list[Pdu] = []
        self.frames: list[bytes] = []  # all that came
        self.unreadable: list[bytes] = []  # those that no codec can read
        self.ended = False
        self.bind_resp: Pdu | None = None
        self._framer = Framer()
        self._sequence = 0

    async def send(self, *pdus: Pdu) -> None:
        """Sends PDUs in one write; requests without a sequence_number get the next one."""
        for pdu in pdus:
            if pdu.sequence_number == 0:
                self._sequence += 1
                pdu.sequence_number = self._sequence
        await self.stream.send_all(b"".join(map(encode, pdus)))

    async def expect(self, kind: type[P], within_s: float = 600.0) -> P:
        """The first PDU of this kind that has come or comes; others stay in the inbox."""
        with trio.fail_after(within_s):
            while True:
                for index, pdu in enumerate(self.inbox):
                    if isinstance(pdu, kind):
                        del self.inbox[index]
                        return pdu
                assert await self.read(), f"the connection ended before any {kind.__name__}"

    async def read(self) -> bool:
        """Reads once; False at the end of the stream."""
        try:
            data = await self.stream.receive_some(65536)
        except trio.BrokenResourceError:
            data = b""  # cut
        for frame in self._framer.feed(bytes(data)):
            self.frames.append(frame)
            try:
                self.inbox.append(decode(frame))
            except RemoteProtocolError:
                self.unreadable.append(frame)
        self.ended = not data
        return not self.ended

    async def nothing_for(self, seconds: float) -> bool:
        """Whether the inbox stays as it is for so long."""
        before = len(self.inbox)
        with trio.move_on_after(seconds):
            while await self.read():
                pass
        return len(self.inbox) == before and not self.ended

    async def wait_end(self, within_s: float = 600.0) -> None:
        """Reads until the other side closes."""
        with trio.fail_after(within_s):
            while await self.read():
                pass

    async def bind(
        self,
        system_id: str = "alice",
        password: str = "",
        kind: type[BindTransmitter] | type[BindReceiver] | type[BindTransceiver] = BindTransceiver,
        **fields: Any,
    ) -> int:
        """Binds and returns the command_status of the answer; `bind_resp` holds it."""
        await self.send(kind(system_id=system_id, password=password, **fields))
        while True:
            for index, pdu in enumerate(self.inbox):
                if type(pdu).__name__ == f"{kind.__name__}Resp":
                    del self.inbox[index]
                    self.bind_resp = pdu
                    return pdu.command_status
            assert await self.read(), "the connection ended before the bind response"

    async def submit(self, destination: str = "447700900123", text: bytes = b"hello", **fields: Any) -> SubmitSmResp:
        """Sends one submit_sm and returns its response."""
        await self.send(submit_sm(destination, text, **fields))
        return await self.expect(SubmitSmResp)

    async def acknowledge(self, request: DeliverSm | DataSm, command_status: int = 0) -> None:
        response = DeliverSmResp if isinstance(request, DeliverSm) else DataSmResp
        await self.send(response(sequence_number=request.sequence_number, command_status=command_status))


def submit_sm(destination: str = "447700900123", text: bytes = b"hello", **fields: Any) -> SubmitSm:
    values: dict[str, Any] = {
        "source_addr_ton": 5,
        "source_addr": "SHOP",
        "dest_addr_ton": 1,
        "dest_addr_npi": 1,
        "destination_addr": destination,
        "short_message": text,
    }
    return SubmitSm(**(values | fields))


@asynccontextmanager
async def serving(scenario: str = "", **settings: Any) -> AsyncIterator[tuple[Smsc, Connect]]:
    """A simulator without a port, and a function that connects an ESME to it through memory."""
    base = Scenario.load(scenario).settings if scenario else SimulatorSettings()
    smsc = Smsc(replace(base, **({"message_id_start": 1000} | settings)), VirtualClock())
    async with trio.open_nursery() as nursery:
        await nursery.start(smsc.serve, [])

        async def connect() -> Esme:
            ours, theirs = trio.testing.memory_stream_pair()
            nursery.start_soon(smsc.serve_stream, theirs)
            return Esme(ours)

        yield smsc, connect
        nursery.cancel_scope.cancel()
    assert smsc.stats.session_failures == 0
    assert smsc.links == []


@asynccontextmanager
async def bound(scenario: str = "", **settings: Any) -> AsyncIterator[tuple[Smsc, Esme]]:
    """The same with one transceiver bound."""
    async with serving(scenario, **settings) as (smsc, connect):
        esme = await connect()
        assert await esme.bind() == 0
        yield smsc, esme
