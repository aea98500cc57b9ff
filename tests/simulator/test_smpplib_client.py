"""An independent peer: smpplib's client over a real socket. Our own tests share our codec, hence our mistakes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import smpplib.client
import smpplib.consts
import smpplib.exceptions
import trio

from simulator import SimulatorSettings, Smsc
from simulator.accounts import Account
from simulator.fates import MessageState

DEADLINE_S = 20.0


async def against(smsc: Smsc, peer: Callable[[int], None]) -> None:
    """Runs `peer(port)` in a thread against a simulator on a free port."""
    with trio.fail_after(2 * DEADLINE_S):
        async with trio.open_nursery() as nursery:
            port = await nursery.start(smsc.serve)
            await trio.to_thread.run_sync(peer, port)
            nursery.cancel_scope.cancel()
    assert smsc.stats.session_failures == 0


def read_until(client: Any, condition: Callable[[], bool]) -> None:
    """Lets smpplib read until the condition holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        client.read_once()


async def test_bind_submit_receipt_inbound_unbind() -> None:
    smsc = Smsc(SimulatorSettings(fates={"447700900124": MessageState.UNDELIVERABLE}, system_id="OurSMSC"))
    sent: list[Any] = []
    received: list[Any] = []

    def peer(port: int) -> None:
        client = smpplib.client.Client("127.0.0.1", port, timeout=DEADLINE_S, allow_unknown_opt_params=True)
        client.set_message_sent_handler(lambda pdu: sent.append(pdu))
        client.set_message_received_handler(lambda pdu: received.append(pdu))
        try:
            talk(client)
        finally:
            client.disconnect()

    def talk(client: Any) -> None:
        client.connect()
        bound = client.bind_transceiver(system_id="smpplib", password="secret")
        assert bound.system_id == b"OurSMSC"
        for number in range(2):
            client.send_message(
                source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
                source_addr="SHOP",
                dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
                dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
                destination_addr=f"44770090012{3 + number}",
                registered_delivery=True,
                short_message=b"hello %d" % number,
            )
        read_until(client, lambda: len(sent) == len(received) == 2)
        trio.from_thread.run_sync(smsc.inject, "447700900001", "12345", "STOP")
        read_until(client, lambda: len(received) == 3)
        client.unbind()

    await against(smsc, peer)
    ids = [pdu.message_id.decode() for pdu in sent]
    receipts = [(pdu.receipted_message_id.decode(), pdu.message_state, pdu.esm_class) for pdu in received[:2]]
    assert sorted(receipts) == [
        (ids[0], smpplib.consts.SMPP_MESSAGE_STATE_DELIVERED, 4),
        (ids[1], smpplib.consts.SMPP_MESSAGE_STATE_UNDELIVERABLE, 4),
    ]
    assert f"id:{ids[0]} sub:001 dlvrd:001".encode() in received[0].short_message
    assert (received[2].source_addr, received[2].short_message) == (b"447700900001", b"STOP")
    assert [(submit.destination, submit.text) for submit in smsc.submits] == [
        ("447700900123", "hello 0"),
        ("447700900124", "hello 1"),
    ]
    assert smsc.stats.receipts.acked == 2
    assert smsc.stats.inbound.acked == 1
    assert smsc.stats.closed == {"unbound": 1}


async def test_a_wrong_password() -> None:
    smsc = Smsc(SimulatorSettings(accounts=(Account(system_id="alice", password="secret"),)))
    refused: list[int] = []

    def peer(port: int) -> None:
        client = smpplib.client.Client("127.0.0.1", port, timeout=DEADLINE_S, allow_unknown_opt_params=True)
        client.connect()
        try:
            client.bind_transmitter(system_id="alice", password="guess")
        except smpplib.exceptions.PDUError as wrong:
            refused.append(wrong.args[1])
        client.disconnect()

    await against(smsc, peer)
    assert refused == [smpplib.consts.SMPP_ESME_RINVPASWD]
