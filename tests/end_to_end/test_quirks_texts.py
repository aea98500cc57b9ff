"""Inbound texts in odd shapes, texts that come again, and long texts as the carrier wants them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.settings import SimulatorSettings, parse_outcomes
from smppgw.smpp import Tag

from .world import World, acting, items, until, world

LONG = "0123456789" * 40


async def until_inbound(w: World, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = await w.inbound()
        return len(found) >= count

    await until(there)
    return found


@pytest.mark.parametrize("scenario", ["inbound-data-sm", "inbound-payload"])
async def test_texts_by_another_way(tmp_path: Path, scenario: str) -> None:
    async with world(tmp_path, acting(scenario)) as w:
        w.smsc.inject("+447700900123", "60777", "Grüße")
        (text,) = await until_inbound(w, 1)
        assert (text["from"], text["to"], text["text"]) == ("+447700900123", "60777", "Grüße")
        tlvs = {one["tag"]: one["octets"] for one in text["tlvs"]}
        assert tlvs == ({"0x1403": b"23415".hex()} if scenario == "inbound-data-sm" else {})
        await w.until_acked(inbound=1)


async def test_a_reserved_data_coding(tmp_path: Path) -> None:
    async with world(tmp_path, acting("inbound-reserved-dcs")) as w:
        w.smsc.inject("+447700900123", "60777", "hello")
        (text,) = await until_inbound(w, 1)
        assert (text["data_coding"], text["octets"]) == (0xBF, b"hello".hex())
        await w.until_acked(inbound=1)


async def test_a_text_whose_acknowledgement_was_lost_is_stored_once(tmp_path: Path) -> None:
    async with world(tmp_path, acting("redelivery")) as w:
        w.smsc.inject("+447700900123", "60777", "YES")
        await w.until_acked(inbound=1)
        assert w.smsc.stats.inbound.redelivered == 1
        assert len(await w.inbound()) == 1


async def test_two_equal_texts_are_two(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        for _ in range(2):
            w.smsc.inject("+447700900123", "60777", "YES")
        await w.until_acked(inbound=2)
        w.smsc.cut()
        w.smsc.inject("+447700900124", "60777", "YES", system_id="gw")
        await w.until_acked(inbound=3)
        assert [text["text"] for text in await w.inbound()] == ["YES"] * 3


@pytest.mark.parametrize(("scenario", "long", "segments"), [("sar-long", "sar", 3), ("payload-long", "payload", 1)])
async def test_long_texts_as_the_carrier_wants_them(tmp_path: Path, scenario: str, long: str, segments: int) -> None:
    async with world(tmp_path, acting(scenario), encoding={"long": long}) as w:
        (result,) = await w.send({"to": "+447700900123", "text": LONG})
        await w.until_final(1)
        message = await w.message(result["id"])
        assert (message["state"], result["segments"]) == ("delivered", segments)
        parts = sorted(w.smsc.submits, key=lambda one: one.pdu.tlvs.get(Tag.SAR_SEGMENT_SEQNUM, b""))
        assert "".join(part.text for part in parts) == LONG
        assert not any(part.pdu.esm_class & 0x40 for part in parts)


@pytest.mark.parametrize("scenario", ["sar-long", "payload-long"])
async def test_long_texts_in_another_form_are_refused_by_name(tmp_path: Path, scenario: str) -> None:
    async with world(tmp_path, acting(scenario)) as w:
        (result,) = await w.send({"to": "+447700900123", "text": LONG})
        await w.until_final(1)
        message = await w.message(result["id"])
        assert message["state"] == "rejected"
        assert message["segments"][0]["command_status_name"] == "ESME_RINVESMCLASS"


async def test_each_part_has_its_own_fate_and_the_message_one_verdict(tmp_path: Path) -> None:
    settings = SimulatorSettings(outcomes=parse_outcomes("DELIVRD=50,UNDELIV=50"))
    async with world(tmp_path, settings) as w:
        results = await w.send(*({**item, "text": LONG} for item in items(10)))
        await w.until_final(10)
        found = set()
        for message in await w.details(results):
            fates = [w.smsc.fate(segment["smsc_id"]) for segment in message["segments"]]
            delivered = fates.count("DELIVRD")
            state = {0: "failed", 3: "delivered"}.get(delivered, "partly_delivered")
            assert (message["state"], message["delivered_segments"]) == (state, delivered)
            assert sorted(receipt["stat"] for receipt in message["receipts"]) == sorted(fates)
            found.add(state)
        assert "partly_delivered" in found
