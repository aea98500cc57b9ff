"""Hostile ESMEs end at worst their own session: beside each of them a good bind goes on as if nobody else were there.

And what they can make the simulator keep is bounded.
"""

from __future__ import annotations

import random
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from simulator import SimulatorSettings, Smsc
from simulator.accounts import Account
from simulator.delays import parse_delay
from simulator.doors import allow_open_files
from simulator.ledger import REMEMBERED_OCTETS
from smppgw.smpp import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    CancelSm,
    CommandId,
    DataSm,
    DeliverSm,
    EnquireLink,
    Pdu,
    ReplaceSm,
    SmeAddress,
    Status,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
    Tag,
    encode,
    read_receipt,
)

from .esme import Connect, Esme, serving, submit_sm


class Neighbour:
    """A good ESME: `goes_on` proves that it gets what it would get alone."""

    def __init__(self, smsc: Smsc, esme: Esme) -> None:
        self.smsc = smsc
        self.esme = esme
        self._sent = 0

    async def goes_on(self, count: int = 3) -> None:
        """Submits, is answered in order, and gets and acknowledges its receipts, all at once."""
        began_mono = trio.current_time()
        texts = [b"message %d" % (self._sent + n) for n in range(count)]
        self._sent += count
        await self.esme.send(*(submit_sm("447700900999", text, registered_delivery=1) for text in texts))
        ids = [(await self.esme.expect(SubmitSmResp)).message_id for _ in texts]
        for message_id in ids:
            pdu = await self.esme.expect(DeliverSm)
            receipt = read_receipt(pdu)
            assert receipt is not None
            assert (receipt.message_id, receipt.stat) == (message_id, "DELIVRD")
            await self.esme.acknowledge(pdu)
        assert [submit.octets for submit in self.smsc.submits if submit.system_id == "good"][-count:] == texts
        assert trio.current_time() - began_mono < 1.0
        assert self.smsc.stats.session_failures == 0


@asynccontextmanager
async def beside(**settings: Any) -> AsyncIterator[tuple[Smsc, Connect, Neighbour]]:
    """A simulator with a good bind, which goes on at the end as well."""
    async with serving(**({"enquire_link_s": 0.0} | settings)) as (smsc, connect):
        esme = await connect()
        assert await esme.bind("good") == 0
        neighbour = Neighbour(smsc, esme)
        await neighbour.goes_on()
        yield smsc, connect, neighbour
        await neighbour.goes_on()
        assert [link.system_id for link in smsc.binds].count("good") == 1


async def throw(esme: Esme, octets: bytes) -> None:
    with suppress(trio.BrokenResourceError):  # cut before the last octet, which is as good
        await esme.stream.send_all(octets)


def header(length: int, command_id: int = CommandId.SUBMIT_SM, status: int = 0, sequence: int = 2) -> bytes:
    return struct.pack(">LLLL", length, command_id, status, sequence)


def numbered(pdu: Pdu, number: int) -> bytes:
    pdu.sequence_number = number
    return encode(pdu)


_BIND = numbered(BindTransceiver(system_id="bad"), 1)
_NOISE = random.Random(7).randbytes(20_000)

GARBAGE = {
    "noise": _NOISE,
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50,
    "tls": bytes.fromhex("1603010200010001fc0303") + _NOISE[:512],
    "nuls": bytes(5000),
    "ones": b"\xff" * 5000,
    "length 0": header(0) * 20,
    "length 15": header(15),
    "length 4 GiB": header(0xFFFFFFFF) + _NOISE,
    "length 2 GiB": header(0x7FFFFFFF) + _NOISE,
    "1 MiB, passed over": header(1_048_576) + _NOISE * 60,
    "just above the limit": header(65_537) + bytes(65_521) + numbered(EnquireLink(), 3),
    "half a header": header(16)[:7],
    "half a PDU": numbered(submit_sm(), 2)[:-5],
    "a header alone": header(16),
    "empty bodies": b"".join(header(16, command) for command in range(0x120)),
    "responses to nothing": b"".join(header(16, 0x80000000 | command) for command in range(0x120)) * 5,
    "generic_nacks": header(16, CommandId.GENERIC_NACK, 3, 1) * 500,
    "noise as bodies": b"".join(
        header(16 + 200, command) + _NOISE[command : command + 200] for command in (*range(0x30), 0x102, 0x103, 0x111)
    ),
    "a TLV beyond the end": header(16 + 33 + 4) + bytes(33) + b"\x04\x24\xff\xff",
    "sm_length beyond the end": header(16 + 33) + bytes(32) + b"\xfe",
    "strings without an end": header(16 + 4000) + b"a" * 4000,
    "the same sequence_number": numbered(submit_sm(registered_delivery=1), 5) * 300,
    "sequence_number 0 and the highest": numbered(submit_sm(), 0) + numbered(submit_sm(), 0xFFFFFFFF),
    "binds": _BIND * 50,
    "enquire_links": numbered(EnquireLink(), 9) * 5000,
    "a UDH that is not": numbered(submit_sm(text=b"\xff\x00\x03", esm_class=0x40, registered_delivery=0xFF), 2),
    "a schedule that is not": numbered(submit_sm(schedule_delivery_time="999999999999999+"), 2),
    "the year 2099": numbered(submit_sm(schedule_delivery_time="991231235959900+", registered_delivery=1), 2),
    "an outbind from an ESME": header(16 + 2, CommandId.OUTBIND) + bytes(2),
    "254 destinations": numbered(
        SubmitMulti(
            dest_addresses=tuple(SmeAddress(255, 255, f"\xff{n}") for n in range(254)),
            short_message=b"\x1b" * 254,
            registered_delivery=0x1F,
        ),
        2,
    ),
}


@pytest.mark.parametrize("first", [b"", _BIND], ids=["unbound", "bound"])
@pytest.mark.parametrize("name", GARBAGE)
async def test_garbage(autojump_clock: MockClock, name: str, first: bytes) -> None:
    async with beside(session_init_s=5.0) as (smsc, connect, neighbour):
        bad = await connect()
        await throw(bad, first + GARBAGE[name])
        await neighbour.goes_on()
        await throw(bad, GARBAGE[name])
        await trio.sleep(60)  # its timers, and the receipts it gets, do no harm either
        await neighbour.goes_on()
        await bad.stream.aclose()
        await smsc.wait_until(lambda: len(smsc.links) == 1)


_ADDRESS = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20)
_OCTET = st.integers(0, 255)
_TAG = st.one_of(st.sampled_from(list(Tag)), st.integers(0, 0xFFFF))
_TLVS = st.dictionaries(_TAG, st.binary(max_size=30), max_size=4)
_SUBMITS = st.one_of(
    st.builds(
        SubmitSm,
        source_addr=_ADDRESS,
        source_addr_ton=_OCTET,
        destination_addr=_ADDRESS,
        esm_class=_OCTET,
        data_coding=_OCTET,
        registered_delivery=_OCTET,
        short_message=st.binary(max_size=254),
        tlvs=_TLVS,
    ),
    st.builds(
        DataSm,
        source_addr=st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=64),
        destination_addr=_ADDRESS,
        esm_class=_OCTET,
        data_coding=_OCTET,
        registered_delivery=_OCTET,
        tlvs=_TLVS,
    ),
    st.builds(ReplaceSm, message_id=st.just("1003"), source_addr=_ADDRESS, short_message=st.binary(max_size=254)),
    st.builds(CancelSm, message_id=st.sampled_from(["", "1003", "\xff"]), source_addr=_ADDRESS),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_SUBMITS, max_size=12))
def test_no_field_of_a_submit_does_harm(pdus: list[Pdu]) -> None:
    """What can be said in a submit is taken, refused, shown in the ledger and reported on, and breaks nothing."""

    async def scenario() -> None:
        async with beside() as (smsc, connect, neighbour):
            bad = await connect()
            await bad.bind("bad")
            await throw(bad, b"".join(numbered(pdu, number) for number, pdu in enumerate(pdus, 2)))
            await neighbour.goes_on()
            assert all(isinstance(submit.line(), dict) for submit in smsc.submits)
            await trio.sleep(30)

    trio.run(scenario, clock=MockClock(autojump_threshold=0))


async def test_slow_loris(autojump_clock: MockClock) -> None:
    """Binds that come an octet a second, from many at a time: each is cut when its time to bind is over."""
    async with beside(session_init_s=10.0) as (smsc, connect, neighbour), trio.open_nursery() as nursery:

        async def drip(esme: Esme) -> None:
            for octet in _BIND:
                await throw(esme, bytes((octet,)))
                await trio.sleep(1)

        for _ in range(50):
            nursery.start_soon(drip, await connect())
        for _ in range(8):
            await trio.sleep(1)
            await neighbour.goes_on()
        assert len(smsc.links) == 51
        await trio.sleep(5)
        assert len(smsc.links) == 1
        assert smsc.stats.closed == {"session_init_timeout": 50}


async def test_a_pdu_that_never_ends_costs_no_more_than_its_octets(autojump_clock: MockClock) -> None:
    async with beside() as (_smsc, connect, neighbour):
        bad = await connect()
        await bad.bind("bad")
        await throw(bad, header(65_536))
        for _ in range(60):
            await throw(bad, b"x" * 1000)
            await trio.sleep(10)
        await neighbour.goes_on()


# --- floods ---------------------------------------------------------------------------------------------------------


async def test_a_flood_of_submits_delays_nobody(autojump_clock: MockClock) -> None:
    async with beside(response_delay=parse_delay("0")) as (smsc, connect, neighbour):
        bad = await connect()
        await bad.bind("bad")
        for number in range(10):
            await throw(bad, b"".join(numbered(submit_sm(), 2 + n) for n in range(2000)))
            await neighbour.goes_on()
            assert smsc.stats.submits >= 2000 * number
        await smsc.wait_until(lambda: smsc.stats.submits > 20_000)


async def test_who_never_reads_is_cut(autojump_clock: MockClock) -> None:
    """Answers pile up only to max_outgoing_octets; a lockstep stream is a socket whose buffers are full."""
    async with beside(max_outgoing_octets=20_000) as (smsc, _connect, neighbour), trio.open_nursery() as nursery:
        ours, theirs = trio.testing.lockstep_stream_pair()
        nursery.start_soon(smsc.serve_stream, theirs)
        bad = Esme(ours)
        await throw(bad, _BIND)
        for _ in range(20):
            await throw(bad, numbered(EnquireLink(), 2) * 1000)
            await neighbour.goes_on()
        await smsc.wait_until(lambda: len(smsc.links) == 1)


async def test_many_who_never_read_share_what_there_is(autojump_clock: MockClock) -> None:
    limits = {"max_outgoing_octets": 1_000_000, "max_outgoing_octets_of_all": 1_100_000}
    async with beside(**limits) as (smsc, _connect, neighbour), trio.open_nursery() as nursery:
        bad = []
        for _ in range(10):
            ours, theirs = trio.testing.lockstep_stream_pair()
            nursery.start_soon(smsc.serve_stream, theirs)
            bad.append(Esme(ours))
            await throw(bad[-1], _BIND)
        for turns in range(1, 21):
            for esme in bad:
                await throw(esme, numbered(EnquireLink(), 2) * 1000)  # 16,000 octets of answers
            assert sum(len(link._outgoing) for link in smsc.links) <= limits["max_outgoing_octets_of_all"]
            assert len(smsc.links) == 11 or turns > 6  # nobody is cut while there is room: 100,000 octets for each
            await neighbour.goes_on()
        assert 1 < len(smsc.links) < 6
        for esme in bad:
            await esme.stream.aclose()


async def test_answers_that_wait_are_bounded(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.replies.MAX_WITHHELD", 500)
    for delay in ("60", "30:90"):
        async with serving(response_delay=parse_delay(delay)) as (smsc, connect):
            bad, good = await connect(), await connect()
            await bad.bind("bad")
            await good.bind("good")
            await throw(bad, b"".join(numbered(submit_sm(), 2 + n) for n in range(400)))
            await trio.sleep(1)
            assert len(smsc.links) == 2
            await throw(bad, b"".join(numbered(submit_sm(), 2 + n) for n in range(400)))
            await bad.wait_end(within_s=5)
            assert (await good.submit()).command_status == 0


async def test_a_storm_of_connections_and_binds(autojump_clock: MockClock) -> None:
    account = Account(system_id="good"), Account(system_id="bad", password="secret", max_binds=3)
    async with beside(accounts=account) as (smsc, connect, neighbour):
        for number in range(300):
            bad = await connect()
            await throw(bad, numbered(BindTransceiver(system_id="bad", password=f"guess{number}"), 1))
            if number % 3:
                await bad.stream.aclose()
            if number % 50 == 0:
                await neighbour.goes_on()
        await smsc.wait_until(lambda: len(smsc.links) == 1)
        assert smsc.stats.binds_refused == {Status.ESME_RINVPASWD: 300}


# --- connections ----------------------------------------------------------------------------------------------------


async def test_who_does_not_bind_makes_room_for_who_does(autojump_clock: MockClock) -> None:
    async with beside(max_connections=100, session_init_s=1e6) as (smsc, connect, neighbour):
        for number in range(1000):
            await connect()
            if number % 100 == 0:
                await neighbour.goes_on()
        await trio.testing.wait_all_tasks_blocked()
        assert len(smsc.links) == 100
        newcomer = await connect()
        assert await newcomer.bind("newcomer") == 0
        assert (await newcomer.submit()).command_status == 0
        assert smsc.stats.connections_displaced == 1 + 1000 - 99
        assert smsc.stats.connections_refused == 0


async def test_binds_are_not_displaced(autojump_clock: MockClock) -> None:
    async with beside(max_connections=10) as (smsc, connect, _neighbour):
        bound = [await connect() for _ in range(9)]
        for esme in bound:
            assert await esme.bind("other") == 0
        for _ in range(5):
            late = await connect()
            await late.wait_end(within_s=5)
        assert (len(smsc.binds), smsc.stats.connections_refused) == (10, 5)
        assert smsc.summary()["connections_refused"] == 5
        await bound[0].stream.aclose()
        await smsc.wait_until(lambda: len(smsc.binds) == 9)
        assert await (await connect()).bind("late") == 0


async def test_a_thousand_connections_over_tcp() -> None:
    """Over real sockets: silent, noisy and half-open ones, while a bind beside them goes on."""
    smsc = Smsc(SimulatorSettings(message_id_start=1000))
    async with trio.open_nursery() as nursery:
        port = await nursery.start(smsc.serve)
        streams: list[trio.SocketStream] = []
        count = min(1000, allow_open_files(2100) // 2 - 50)  # both ends are in this process

        async def one(number: int) -> None:
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            streams.append(stream)
            if number % 3:
                await throw(Esme(stream), _NOISE[:100] if number % 3 == 1 else _BIND[:20])

        with trio.fail_after(120):
            good = Esme(await trio.open_tcp_stream("127.0.0.1", port))
            assert await good.bind("good") == 0
            async with trio.open_nursery() as connecting:
                for number in range(count):
                    connecting.start_soon(one, number)
                for _ in range(20):
                    assert (await good.submit()).command_status == 0
            await smsc.wait_until(lambda: smsc.stats.connections == count + 1)
            assert (await good.submit()).command_status == 0
            assert smsc.stats.session_failures == 0
            for stream in streams:
                await stream.aclose()
            await smsc.wait_until(lambda: len(smsc.links) == 1)
            await good.stream.aclose()
        nursery.cancel_scope.cancel()


# --- memory ---------------------------------------------------------------------------------------------------------


async def test_long_payloads_are_not_all_kept(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.ledger.REMEMBERED_OCTETS", 300_000)
    async with beside() as (smsc, connect, _neighbour):
        bad = await connect()
        await bad.bind("bad", kind=BindTransmitter)
        for number in range(50):
            payload = bytes((number,)) * 60_000
            await bad.submit(text=b"", tlvs={Tag.MESSAGE_PAYLOAD: payload}, registered_delivery=1)
            kept = [submit for submit in smsc.submits if submit.system_id == "bad"]
            assert len(kept) == min(5, number + 1)
            assert kept[-1].octets == payload
        messages = smsc._centre._messages.values()
        assert max(len(message.octets) for message in messages) <= 300
        assert REMEMBERED_OCTETS == 64 * 1024 * 1024


async def test_submits_without_tlvs_do_not_count(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.ledger.REMEMBERED_OCTETS", 100)
    async with serving(remembered_submits=5) as (smsc, connect):
        esme = await connect()
        await esme.bind()
        heavy = {Tag.MESSAGE_PAYLOAD: b"x" * 40}
        for number in range(20):
            await esme.submit(text=b"%d" % number, tlvs=heavy if number % 4 == 0 else {})
            assert len(smsc.submits) == min(5, number + 1)  # two of 40 octets fit, and there are never three
        ledger = smsc._ledger
        assert ledger._octets == sum(octets for _, octets in ledger._heavy) <= 100


async def test_notifications_nobody_fetches_are_dropped(autojump_clock: MockClock) -> None:
    async with serving(max_waiting=20, max_connections=10) as (smsc, connect):
        bad = await connect()
        await bad.bind("bad", kind=BindTransmitter)
        for _ in range(10):
            await bad.send(*(submit_sm(registered_delivery=0x10) for _ in range(30)))
            for _ in range(30):
                await bad.expect(SubmitSmResp)
            await trio.sleep(1)
        assert smsc.stats.receipts.pending == smsc.settings.max_planned == 50
        assert smsc.stats.reports_dropped == 250
        good = await connect()
        await good.bind("bad", kind=BindReceiver)
        await good.acknowledge(await good.expect(DeliverSm))
        await smsc.wait_until(lambda: smsc.stats.receipts.acked == 1)


async def test_what_is_planned_is_bounded(autojump_clock: MockClock) -> None:
    """Messages that are cancelled wait on the agenda for their time; a flood of them is refused."""
    async with serving(max_waiting=20, max_connections=10, receipt_delay=parse_delay("1h")) as (smsc, connect):
        bad = await connect()
        await bad.bind("bad")
        statuses = []
        for _ in range(100):
            response = await bad.submit(registered_delivery=1)
            statuses.append(response.command_status)
            await bad.send(CancelSm(message_id=response.message_id, source_addr="SHOP"))
        assert statuses[:20] == [0] * 20
        assert statuses[-1] == Status.ESME_RMSGQFUL
        assert len(smsc._agenda) < 60


async def test_what_fails_when_it_is_due_ends_nothing_else(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    smsc = Smsc()

    def broken(argument: int) -> None:
        1 // argument

    async with trio.open_nursery() as nursery:
        await nursery.start(smsc.serve, [])
        done = trio.Event()
        smsc._agenda.at(smsc._clock.mono() + 1.0, broken, 0)
        smsc._agenda.at(smsc._clock.mono() + 1.0, lambda _: done.set())
        await done.wait()
        assert smsc.stats.session_failures == 1
        nursery.cancel_scope.cancel()
    assert "ZeroDivisionError" in caplog.text
