"""The life of a deliver_sm, and that none is lost or forgotten whatever the ESME does."""

from __future__ import annotations

import random

import pytest
import trio
from trio.testing import MockClock

from simulator.agenda import Agenda
from simulator.delays import Delay
from simulator.messages import Delivery, Kind
from simulator.outbox import Outbox
from simulator.settings import SimulatorSettings
from simulator.stats import Stats
from smppgw.smpp import (
    BindReceiver,
    BindTransceiver,
    DeliverSm,
    DeliverSmResp,
    Role,
    Session,
    Status,
    Timers,
    Unbind,
    decode,
    encode,
)
from smppgw.smpp.receipts import read_receipt
from tests.support.clock import VirtualClock

from .esme import Connect, Esme, serving, submit_sm


class Bind:
    """A bound SMSC session without a connection."""

    def __init__(self, window: int = 10) -> None:
        self.session = Session(Role.SMSC, timers=Timers(), window=window, now=0.0)
        (event,) = self.session.receive_data(encode(BindReceiver(system_id="alice", sequence_number=1)), 0.0)
        self.session.accept_bind(event.pdu, "SMSC")  # type: ignore[union-attr]
        self.session.data_to_send()

    def wake_writer(self) -> None:
        """Nobody writes."""

    def arm_timer(self) -> None:
        """Nobody waits."""

    def sent(self) -> list[bytes]:
        """short_message of each deliver_sm queued since the last time."""
        octets, texts = self.session.data_to_send(), []
        while octets:
            size = int.from_bytes(octets[:4], "big")
            pdu = decode(octets[:size])
            assert isinstance(pdu, DeliverSm)
            texts.append(pdu.short_message)
            octets = octets[size:]
        return texts


@pytest.fixture
async def outbox(autojump_clock: MockClock) -> Outbox:
    clock = VirtualClock()
    return Outbox(
        "alice",
        agenda=Agenda(clock),
        clock=clock,
        settings=SimulatorSettings(),
        stats=Stats(),
        on_acked=lambda delivery: None,
    )


def text(number: int) -> Delivery:
    return Delivery(Kind.INBOUND, "alice", pdu=DeliverSm(short_message=b"%d" % number))


async def test_binds_take_turns(outbox: Outbox) -> None:
    one, two = Bind(window=2), Bind(window=2)
    outbox.join(one)
    outbox.join(two)
    for number in range(3):
        outbox.add(text(number))
        outbox.pump()
    assert sorted([*one.sent(), *two.sent()]) == [b"0", b"1", b"2"]
    assert {one.session.in_window, two.session.in_window} == {1, 2}


async def test_the_order_is_kept_when_a_bind_is_lost(outbox: Outbox) -> None:
    one, two = Bind(window=3), Bind()
    deliveries = [text(number) for number in range(5)]
    for delivery in deliveries:
        outbox.add(delivery)
    outbox.join(one)
    assert one.sent() == [b"0", b"1", b"2"]
    outbox.answered(deliveries[1], 0)
    outbox.join(two)
    assert two.sent() == [b"3", b"4"]
    outbox.leave(one, deliveries[:3])
    assert two.sent() == [b"0", b"2"]
    assert outbox.unacked == 4


async def test_a_bind_that_unbinds_gets_nothing_more(outbox: Outbox) -> None:
    bind = Bind()
    outbox.join(bind)
    bind.session.receive_data(encode(Unbind(sequence_number=9)), 0.0)
    bind.session.data_to_send()
    outbox.add(text(1))
    outbox.pump()
    assert bind.sent() == []
    assert len(outbox) == 1


async def test_a_delivery_on_its_way_elsewhere_is_not_repeated(outbox: Outbox) -> None:
    one, two = Bind(), Bind()
    delivery = text(1)
    outbox.add(delivery)
    outbox.join(one)
    outbox.overdue(delivery)  # goes back onto the agenda
    outbox.leave(one, [delivery])  # and is not queued a second time
    assert len(outbox) == 0
    outbox.join(two)
    assert two.sent() == []


async def test_idle_means_that_nothing_is_left(outbox: Outbox) -> None:
    assert outbox.idle
    delivery = text(1)
    outbox.add(delivery)
    assert not outbox.idle
    outbox.answered(delivery, 0)
    outbox.answered(delivery, 0)  # an answer too many changes nothing
    assert outbox.idle
    outbox.binds = 1
    assert not outbox.idle


async def moody(connect: Connect, chance: random.Random, acknowledged: set[str]) -> None:
    """An ESME that binds, answers as it likes for a while, and leaves as it likes."""
    esme = await connect()
    await esme.bind(kind=chance.choice([BindReceiver, BindTransceiver]))
    with trio.move_on_after(chance.uniform(1, 40)):
        while await esme.read():
            for pdu in esme.inbox:
                if isinstance(pdu, DeliverSm):
                    await answer(esme, pdu, chance, acknowledged)
            esme.inbox.clear()
    if chance.random() < 0.5:
        await esme.send(Unbind())
    await esme.stream.aclose()


async def answer(esme: Esme, pdu: DeliverSm, chance: random.Random, acknowledged: set[str]) -> None:
    receipt = read_receipt(pdu)
    assert receipt is not None
    mood = chance.random()
    if mood < 0.6:
        acknowledged.add(receipt.message_id)
        await esme.acknowledge(pdu)
    elif mood < 0.8:
        status = chance.choice([Status.ESME_RX_T_APPN, Status.ESME_RX_R_APPN, Status.ESME_RSYSERR])
        await esme.acknowledge(pdu, status)
    elif mood < 0.9:
        await esme.send(DeliverSmResp(sequence_number=pdu.sequence_number + 1_000_000))


@pytest.mark.parametrize("seed", range(12))
async def test_every_receipt_is_acknowledged_in_the_end(autojump_clock: MockClock, seed: int) -> None:
    chance = random.Random(seed)
    acknowledged: set[str] = set()
    submitted: set[str] = set()
    async with serving(
        receipt_delay=Delay(0.0, 30.0), deliver_window=chance.choice([1, 3, 50]), response_s=5.0, seed=seed
    ) as (smsc, connect):
        transmitter = await connect()
        await transmitter.bind()
        for _ in range(15):
            for _ in range(10):
                answered = await transmitter.submit(registered_delivery=1)
                submitted.add(answered.message_id)
            await moody(connect, chance, acknowledged)
        await transmitter.stream.aclose()
        last = await connect()
        await last.bind(kind=BindReceiver)
        with trio.fail_after(3600):
            while smsc.stats.receipts.pending or smsc.waiting:
                pdu = await last.expect(DeliverSm)
                receipt = read_receipt(pdu)
                assert receipt is not None
                acknowledged.add(receipt.message_id)
                await last.acknowledge(pdu)
                await trio.sleep(0.01)
        assert submitted == acknowledged
        assert smsc.stats.receipts.acked == smsc.stats.receipts.due == len(submitted) == 150
        assert await last.nothing_for(30.0)


async def test_a_batch_larger_than_the_window_goes_out_as_answers_come(autojump_clock: MockClock) -> None:
    async with serving(deliver_window=7) as (smsc, connect):
        esme = await connect()
        await esme.bind()
        await esme.send(*(submit_sm(registered_delivery=1) for _ in range(100)))
        for _ in range(100):
            await esme.acknowledge(await esme.expect(DeliverSm))
        await smsc.wait_until(lambda: smsc.waiting == 0)
        assert smsc.stats.receipts.summary()["sent"] == 100
