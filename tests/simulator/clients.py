"""Clients that are not ours to change: what a user of the simulator would test. smpplib blocks; the other awaits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import smpplib.client

from simulator.testing import RunningSmsc
from smppgw.smpp import DeliverSm, DeliverSmResp, Framer, Pdu, decode, encode

#: Upper bound of any wait for the other side; never reached unless something is broken.
PATIENCE_S = 20.0


class Blocking:
    """smpplib's client, bound as a transceiver. `received` holds the texts of what came, `ids`
    and `refused` the message_ids and the statuses of what was answered."""

    def __init__(self, smsc: RunningSmsc, system_id: str = "smpplib", password: str = "") -> None:
        self.received: list[str] = []
        self.ids: list[str] = []
        self.refused: list[int] = []
        logging.getLogger("smpplib").setLevel(logging.CRITICAL)
        self._client: Any = smpplib.client.Client(
            smsc.host, smsc.port, timeout=PATIENCE_S, allow_unknown_opt_params=True
        )
        self._client.set_message_received_handler(
            lambda pdu: self.received.append(pdu.short_message.decode("latin-1"))
        )
        self._client.set_message_sent_handler(lambda pdu: self.ids.append((pdu.message_id or b"").decode()))
        try:
            self._client.connect()
            self._client.bind_transceiver(system_id=system_id, password=password)
        except BaseException:
            self._client.disconnect()
            raise
        self._client.set_error_pdu_handler(lambda pdu: self.refused.append(pdu.status))

    def send(self, to: str, text: str, *, receipt: bool = True) -> None:
        self._client.send_message(
            source_addr_ton=5,
            source_addr="SHOP",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=to,
            registered_delivery=receipt,
            short_message=text.encode("ascii"),
        )

    def read_until(self, condition: Callable[[], bool]) -> None:
        """Reads PDU after PDU until the condition holds. Each read waits at most PATIENCE_S."""
        while not condition():
            self._client.read_once()


@contextmanager
def blocking(smsc: RunningSmsc, **options: str) -> Iterator[Blocking]:
    client = Blocking(smsc, **options)
    try:
        yield client
    finally:
        client._client.disconnect()


class Awaiting:
    """A client on asyncio streams; it answers each deliver_sm and keeps it in `received`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.received: list[DeliverSm] = []
        self.others: list[Pdu] = []
        self._reader = reader
        self._writer = writer
        self._framer = Framer()

    @classmethod
    async def connect(cls, smsc: RunningSmsc) -> Awaiting:
        return cls(*await asyncio.open_connection(smsc.host, smsc.port))

    def send(self, *pdus: Pdu) -> None:
        self._writer.write(b"".join(map(encode, pdus)))

    async def read(self) -> bool:
        """Reads once; False when the connection has ended."""
        async with asyncio.timeout(PATIENCE_S):
            data = await self._reader.read(65536)
        for frame in self._framer.feed(data):
            pdu = decode(frame)
            if isinstance(pdu, DeliverSm):
                self.received.append(pdu)
                self.send(DeliverSmResp(sequence_number=pdu.sequence_number))
            else:
                self.others.append(pdu)
        return bool(data)

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()
