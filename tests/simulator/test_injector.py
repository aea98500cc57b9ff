from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from simulator import Smsc
from simulator.injecting import inject_order
from simulator.injector import MOST_WAITING
from smppgw.errors import Refusal
from smppgw.smpp import BindReceiver, DataSm, DeliverSm, Pdu, Tag
from smppgw.sms import udh

from .esme import Esme, bound, serving

LONG = "x" * 400  # three parts


def inject(smsc: Smsc, text: str | None = LONG, **options: Any) -> list[int]:
    """The numbers of the parts as they go out."""
    return [delivery.part for delivery in smsc.inject("447700900001", "12345", text, **options)]


def part_of(pdu: DeliverSm) -> int:
    found = udh.concatenation(pdu.short_message)
    return found.part if found else 1


async def next_text(esme: Esme) -> DeliverSm:
    pdu = await esme.expect(DeliverSm)
    await esme.acknowledge(pdu)
    return pdu


# --- parts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [1, 2, 3]),
        ({"order": "reverse"}, [3, 2, 1]),
        ({"order": [2, 1, 3]}, [2, 1, 3]),
        ({"missing": [2]}, [1, 3]),
        ({"duplicate": 3, "order": "2,3,1"}, [2, 3, 3, 1]),
    ],
)
async def test_parts_come_as_ordered(options: dict[str, Any], expected: list[int], autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        assert inject(smsc, **options) == expected
        pdus = [await next_text(esme) for _ in expected]
        assert [part_of(pdu) for pdu in pdus] == expected
        assert len({pdu.sequence_number for pdu in pdus}) == len(expected)
        await smsc.wait_until(lambda: smsc.stats.inbound.acked == len(expected))
        assert await esme.nothing_for(10)


async def test_shuffled_parts_are_the_same_with_the_same_seed(autojump_clock: MockClock) -> None:
    seen = []
    for seed in (1, 1, 2, 3, 4):
        async with bound(seed=seed) as (smsc, _):
            seen.append([inject(smsc, "x" * 1000, order="shuffled") for _ in range(5)])
    assert seen[0] == seen[1]
    assert len({str(orders) for orders in seen}) > 1
    assert all(order != sorted(order) for orders in seen for order in orders)


async def test_shuffling_changes_no_fate(autojump_clock: MockClock) -> None:
    async with bound(outcomes={1: 1.0}) as (one, _), bound(outcomes={1: 1.0}) as (other, _):
        inject(one, order="shuffled")
        assert [one._centre.chance() for _ in range(5)] == [other._centre.chance() for _ in range(5)]


async def test_gaps_between_parts(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        began = trio.current_time()
        inject(smsc, gap_s=30, order="reverse", duplicate=[2])
        came = []
        for _ in range(4):
            pdu = await next_text(esme)
            came.append((round(trio.current_time() - began), part_of(pdu)))
        assert came == [(0, 3), (30, 2), (60, 2), (90, 1)]


async def test_gaps_may_be_skipped() -> None:
    """Without the virtual clock: `advance` brings what is due."""
    async with bound() as (smsc, esme):
        inject(smsc, gap_s=3600)
        smsc.inject("447700900001", "12345", "Vote {n}", count=3, per_s=1 / 3600)
        smsc.advance(2 * 3600)
        assert sorted([part_of(await next_text(esme)) for _ in range(6)]) == [1, 1, 1, 1, 2, 3]


async def test_parts_with_a_gap_wait_for_their_esme(autojump_clock: MockClock) -> None:
    async with serving() as (smsc, connect):
        inject(smsc, gap_s=1, system_id="alice")
        await trio.sleep(10)
        esme = await connect()
        await esme.bind("alice", kind=BindReceiver)
        assert [part_of(await next_text(esme)) for _ in range(3)] == [1, 2, 3]


async def test_references_are_counted_up(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        for reference, expected in ((None, 1), (None, 2), (300, 300 & 0xFF), (None, 3)):
            inject(smsc, reference=reference)
            found = {udh.concatenation((await next_text(esme)).short_message) for _ in range(3)}
            assert {one.reference for one in found if one} == {expected}


async def test_octets_and_data_sm(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        inject(smsc, None, octets="01ff", ports=2948, as_="data_sm", tlvs={"user_response_code": "07"})
        pdu = await esme.expect(DataSm)
        assert pdu.tlvs == {Tag.MESSAGE_PAYLOAD: b"\x06\x05\x04\x0b\x84\0\0\x01\xff", Tag.USER_RESPONSE_CODE: b"\7"}
        assert (pdu.esm_class, pdu.data_coding) == (0x40, 4)
        await esme.acknowledge(pdu)
        await smsc.wait_until(lambda: smsc.stats.inbound.acked == 1)


async def test_nobody_is_bound() -> None:
    async with serving() as (smsc, _):
        with pytest.raises(Refusal) as refused:
            inject(smsc)
        assert refused.value.code == "no_receiver"
        assert smsc.stats.inbound.due == 0


async def test_what_is_refused_is_not_sent_in_part(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        for wrong in ({"missing": [9]}, {"alphabet": "utf9"}, {"text": "\0"}, {"count": 5, "missing": [1, 2, 3]}):
            with pytest.raises(Refusal):
                inject(smsc, **wrong)
        assert smsc.stats.inbound.due == 0
        assert await esme.nothing_for(5)


# --- scenarios ------------------------------------------------------------------------------------------------------


async def one(smsc: Smsc, esme: Esme, kind: type[Pdu], **options: Any) -> Any:
    inject(smsc, "hello", **options)
    return await esme.expect(kind)


async def test_what_is_told_wins_over_the_scenario(autojump_clock: MockClock) -> None:
    async with bound("inbound-reserved-dcs") as (smsc, esme):
        assert (await one(smsc, esme, DeliverSm)).data_coding == 0xBF
        assert (await one(smsc, esme, DeliverSm, alphabet="ascii")).data_coding == 1
        assert (await one(smsc, esme, DataSm, as_="data_sm")).data_coding == 0xBF
    async with bound("inbound-data-sm") as (smsc, esme):
        assert (await one(smsc, esme, DataSm)).tlvs[0x1403] == b"23415"
        assert (await one(smsc, esme, DataSm, tlvs={"0x1403": "00"})).tlvs[0x1403] == b"\0"
        twice = await one(smsc, esme, DeliverSm, as_="deliver_sm", tlvs={"0x1500": ["00", "01"]})
        assert (twice.short_message, twice.tlvs.repeats) == (b"hello", [(0x1500, b"\1")])
        assert (await one(smsc, esme, DataSm, as_="data_sm", long="payload")).tlvs[Tag.MESSAGE_PAYLOAD] == b"hello"
    async with bound("inbound-payload") as (smsc, esme):
        assert (await one(smsc, esme, DeliverSm, long="payload")).tlvs[Tag.MESSAGE_PAYLOAD] == b"hello"
        assert (await one(smsc, esme, DeliverSm, octets=None)).tlvs[Tag.MESSAGE_PAYLOAD] == b"hello"


# --- streams --------------------------------------------------------------------------------------------------------


async def test_a_stream_of_texts(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        began = trio.current_time()
        smsc.inject("4477009{n:05}", "12345", "Vote {n} {m}", count=5, per_s=0.5)
        came = []
        for _ in range(5):
            pdu = await next_text(esme)
            came.append((round(trio.current_time() - began), pdu.source_addr, pdu.short_message))
        assert came == [(2 * at, f"44770090000{at + 1}", f"Vote {at + 1} \x1b(m\x1b)".encode()) for at in range(5)]
        assert smsc.stop_injecting() == 0
        assert await esme.nothing_for(60)


async def test_the_braces_of_a_single_text_stay(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        inject(smsc, "{n}")
        assert (await next_text(esme)).short_message == b"\x1b(n\x1b)"


async def test_a_stream_keeps_its_rate(autojump_clock: MockClock) -> None:
    async with bound(deliver_window=1000) as (smsc, esme):
        inject(smsc, "hello", count=10_000, per_s=300)
        with trio.move_on_after(10.0):
            while True:
                await next_text(esme)
        assert 2_995 <= smsc.stats.inbound.acked <= 3_010
        assert 6_990 <= smsc.stop_injecting() <= 7_005
        due = smsc.stats.inbound.due
        await trio.sleep(5)
        assert smsc.stats.inbound.due == due


async def test_a_stream_waits_for_its_esme_and_loses_nothing(autojump_clock: MockClock) -> None:
    async with serving(deliver_window=500) as (smsc, connect):
        inject(smsc, "Vote {n}", count=3 * MOST_WAITING, system_id="alice")
        await trio.sleep(100)
        assert smsc.stats.inbound.due == MOST_WAITING
        esme = await connect()
        await esme.bind("alice", kind=BindReceiver)
        texts = [(await next_text(esme)).short_message for _ in range(3 * MOST_WAITING)]
        assert sorted(texts) == sorted(f"Vote {number}".encode() for number in range(1, 3 * MOST_WAITING + 1))
        await smsc.wait_until(lambda: smsc.stats.inbound.acked == 3 * MOST_WAITING)
        assert smsc.stop_injecting() == 0


async def test_gaps_count_as_waiting(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, _):
        inject(smsc, count=100_000, gap_s=3600)
        assert smsc.stop_injecting() > 100_000 - MOST_WAITING - 2
        assert smsc.stats.inbound.due < MOST_WAITING


async def test_a_text_of_a_stream_that_cannot_be_sent_is_refused_at_the_start(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, _):
        with pytest.raises(Refusal) as refused:
            smsc.inject("4477009000000000000{n}", "12345", "Vote", count=100)
        assert refused.value.code == "bad_address"
        assert (smsc.stats.inbound.due, smsc.stop_injecting()) == (0, 0)


async def test_two_streams_at_once(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        inject(smsc, "a", count=10, per_s=1)
        inject(smsc, "b", count=10, per_s=1)
        texts = [(await next_text(esme)).short_message for _ in range(20)]
        assert sorted(texts) == [b"a"] * 10 + [b"b"] * 10


# --- the order ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ({"text": "STOP"}, {"parts": 1, "system_id": "alice"}),
        ({"octets": ""}, {"parts": 1, "system_id": "alice"}),
        ({"text": LONG}, {"parts": 3, "system_id": "alice"}),
        ({"text": LONG, "missing": [1]}, {"parts": 3, "system_id": "alice", "sent": [2, 3]}),
        ({"text": LONG, "duplicate": [1]}, {"parts": 3, "system_id": "alice", "sent": [1, 1, 2, 3]}),
        ({"text": "x", "count": 3, "per_s": 1}, {"parts": 1, "system_id": "alice", "texts": 3}),
    ],
)
async def test_what_an_order_answers(
    arguments: dict[str, Any], answer: dict[str, Any], autojump_clock: MockClock
) -> None:
    async with bound() as (smsc, _):
        assert inject_order(smsc, {"from": "447700900001", "to": "12345"} | arguments) == answer
