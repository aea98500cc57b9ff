"""Inbound texts in odd shapes, texts that come again, and texts as the carrier takes them: which, how and when."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from simulator.settings import SimulatorSettings, parse_outcomes
from smppgw.smpp import SubmitSm, Tag, parse_time
from smppgw.sms.encoding import Language

from .world import World, acting, items, until, world

LONG = "0123456789" * 40
FULL = ("0123456789" * 46)[:459]  # three parts to the brim
TO = "+447700900123"
TURKISH = "Görüşürüz! Ağaç, çiğ, şeker, ığdır. " * 4


async def outcome_of(w: World, **item: Any) -> tuple[str, str | None]:
    """What becomes of one message: its state, and the command_status of its first segment."""
    (result,) = await w.send({"to": TO, **item})
    if "error" in result:
        return "refused", result["error"]["code"]
    await w.until_final(1)
    message = await w.message(result["id"])
    return message["state"], message["segments"][0]["command_status_name"]


def shown(w: World) -> str:
    """What the phone shows, the parts of a long text in their order."""
    parts = sorted((one.reading for one in w.smsc.submits), key=lambda one: one.part.part if one.part else 0)
    return "".join(part.text for part in parts)


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


# --- what the carrier takes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ({}, ("rejected", "ESME_RINVDCS")),
        ({"message_class": "class_group"}, ("rejected", "ESME_RINVDCS")),
        ({"message_class": "subunit"}, ("delivered", "ESME_ROK")),
        ({"message_class": "none"}, ("refused", "class_unsupported")),
    ],
)
async def test_flash_where_few_data_codings_are_taken(
    tmp_path: Path, encoding: dict[str, Any], expected: tuple[str, str]
) -> None:
    async with world(tmp_path, acting("data-codings"), encoding=encoding) as w:
        assert await outcome_of(w, text="now", message_class=0) == expected
        if expected[0] != "refused":
            assert w.smsc.submits[0].reading.message_class == 0


@pytest.mark.parametrize("text", ["plain @ [1] €", "Привет"])
async def test_other_texts_go_out_in_the_data_codings_that_all_take(tmp_path: Path, text: str) -> None:
    async with world(tmp_path, acting("data-codings")) as w:
        assert (await outcome_of(w, text=text))[0] == "delivered"
        assert shown(w) == text


@pytest.mark.parametrize(
    ("encoding", "item", "data_coding"),
    [
        ({"latin1_data_coding": 3}, {"text": "Ça va, garçon ?"}, 3),
        ({"ascii_data_coding": 1}, {"text": "`ls`"}, 1),
        ({"default_alphabet": "latin1", "latin1_data_coding": 0}, {"text": "Ça va, garçon ?"}, 0),
        ({"ucs2_data_coding": 0x18}, {"text": "Ça va, garçon ?"}, 0x18),
        ({}, {"octets": "00ff7e"}, 4),
        ({"binary_data_coding": 2}, {"octets": "00ff7e"}, 2),
        ({"binary_data_coding": 2}, {"octets": "00ff7e", "data_coding": 0xF5}, 0xF5),
        ({"gsm7_data_coding": 0xF1}, {"text": "plain"}, 0xF1),
    ],
)
async def test_data_codings_are_those_of_the_carrier(
    tmp_path: Path, encoding: dict[str, Any], item: dict[str, str], data_coding: int
) -> None:
    settings = acting("latin1-default") if "default_alphabet" in encoding else SimulatorSettings()
    async with world(tmp_path, settings, encoding=encoding) as w:
        assert (await outcome_of(w, **item))[0] == "delivered"
        (submit,) = w.smsc.submits
        assert submit.pdu.data_coding == data_coding
        if "text" in item:
            assert submit.text == item["text"]
        else:
            assert submit.octets.hex() == item["octets"]


@pytest.mark.parametrize(
    ("scenario", "encoding", "status"),
    [
        ("max-octets", {}, "ESME_RINVMSGLEN"),
        ("max-octets", {"max_octets": 120}, None),
        ("narrow-references", {}, None),
        ("narrow-references", {"long": "udh8"}, None),
        ("narrow-references", {"long": "udh16"}, "ESME_RINVESMCLASS"),
    ],
)
async def test_long_texts_that_fit_the_carrier(
    tmp_path: Path, scenario: str, encoding: dict[str, Any], status: str | None
) -> None:
    async with world(tmp_path, acting(scenario), encoding=encoding) as w:
        expected = ("delivered", "ESME_ROK") if status is None else ("rejected", status)
        assert await outcome_of(w, text=FULL) == expected
        if status is None:
            assert shown(w) == FULL


@pytest.mark.parametrize(("scenario", "long"), [("narrow-references", "udh8"), ("", "auto")])
async def test_a_phone_never_mixes_up_the_parts_of_two_texts(tmp_path: Path, scenario: str, long: str) -> None:
    """All 256 narrow references are in use until a receipt frees one: then 16 bits, or the next one waits."""
    settings = acting(scenario) if scenario else SimulatorSettings()
    async with world(tmp_path, settings, encoding={"long": long}) as w:
        w.smsc.hold_receipts()
        await w.send(*({"to": TO, "text": f"{number:03} " + LONG[:200]} for number in range(256)))
        await w.smsc.wait_until(lambda: w.smsc.stats.submits == 512)
        assert {part.reference for one in w.smsc.submits if (part := one.reading.part)} == set(range(256))
        (last,) = await w.send({"to": TO, "text": "the 257th " + LONG[:200]})
        if long == "auto":
            await w.smsc.wait_until(lambda: w.smsc.stats.submits == 514)
            forms = [part for one in list(w.smsc.submits)[512:] if (part := one.reading.part)]
            assert [(part.form, part.reference > 255) for part in forms] == [("udh16", True)] * 2
        else:
            segments = (await w.message(last["id"]))["segments"]
            assert {segment["reason"] for segment in segments} == {"references_in_use"}
        w.smsc.hold_receipts(False)
        await w.until_final(257)
        assert {message["state"] for message in await w.messages()} == {"delivered"}
        assert w.smsc.stats.submits == 514


# --- how the carrier reads ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "encoding"),
    [
        ("latin1-default", {"default_alphabet": "latin1"}),
        ("latin1-default", {"default_alphabet": "latin1", "latin1_data_coding": 0}),
        ("packed", {"packing": "packed"}),
        ("packed", {"packing": "packed", "national_tables": ["all"]}),
        ("national-tables-lost", {}),
    ],
)
@pytest.mark.parametrize("text", ["Grüße @ [1] é ç €", "x" * 7, TURKISH, LONG, "Привет " * 30])
async def test_every_text_is_shown_as_it_was_given(
    tmp_path: Path, scenario: str, encoding: dict[str, Any], text: str
) -> None:
    async with world(tmp_path, acting(scenario), encoding=encoding) as w:
        assert (await outcome_of(w, text=text))[0] == "delivered"
        assert shown(w) == text


@pytest.mark.parametrize(
    ("scenario", "encoding", "expected"),
    [
        ("latin1-default", {}, "Gr~\x1e"),
        ("packed", {}, None),
        ("national-tables-lost", {"national_tables": ["turkish"]}, "Görüæürüz! Aøa¿"),
    ],
)
async def test_a_carrier_that_is_taken_for_another_shows_something_else(
    tmp_path: Path, scenario: str, encoding: dict[str, Any], expected: str | None
) -> None:
    """Nobody is told: the receipts say delivered."""
    text = TURKISH if encoding else "Grüße"
    async with world(tmp_path, acting(scenario), encoding=encoding) as w:
        assert (await outcome_of(w, text=text))[0] == "delivered"
        assert shown(w) != text
        if expected is not None:
            assert shown(w).startswith(expected)


async def test_national_tables_that_are_passed_on_save_segments(tmp_path: Path) -> None:
    async with world(tmp_path, encoding={"national_tables": ["turkish"]}) as w:
        assert (await outcome_of(w, text=TURKISH))[0] == "delivered"
        assert shown(w) == TURKISH
        readings = [one.reading for one in w.smsc.submits]
        assert len(readings) < 3  # as UCS-2 it would be 3
        assert Language.TURKISH in {readings[0].locking, readings[0].single}


# --- when ----------------------------------------------------------------------------------------------------------


def ahead(seconds: float) -> tuple[int, str]:
    """A time from now on: utc_ms, and as send_at has it."""
    utc_s = round(time.time() + seconds, 1)
    return round(utc_s * 1000), datetime.fromtimestamp(utc_s, UTC).isoformat()


async def test_what_is_to_be_sent_later_waits_here(tmp_path: Path) -> None:
    """Where the SMSC refuses schedule_delivery_time, as well as anywhere else."""
    async with world(tmp_path, acting("schedule-refused")) as w:
        at_utc_ms, send_at = ahead(1.0)
        (result,) = await w.send({"to": TO, "text": "later", "send_at": send_at})
        message = await w.message(result["id"])
        assert (message["state"], message["segments"][0]["reason"]) == ("open", "scheduled")
        await w.until_final(1)
        (submit,) = w.smsc.submits
        assert (submit.schedule, submit.text) == ("", "later")
        assert submit.utc_ms >= at_utc_ms
        assert (await w.message(result["id"]))["state"] == "delivered"


async def test_an_smsc_that_keeps_nothing_refuses_by_name(tmp_path: Path) -> None:
    async with world(tmp_path, acting("schedule-refused"), submit={"schedule": "carrier"}) as w:
        assert await outcome_of(w, text="later", send_at=ahead(3600)[1]) == ("rejected", "ESME_RINVSCHED")
        assert (await outcome_of(w, text="now"))[0] == "delivered"


async def test_what_is_to_be_sent_later_waits_at_the_carrier(tmp_path: Path) -> None:
    async with world(tmp_path, submit={"schedule": "carrier"}) as w:
        at_utc_ms, send_at = ahead(1.5)
        (result,) = await w.send({"to": TO, "text": "later", "send_at": send_at, "validity_s": 3600})
        await w.smsc.wait_until(lambda: w.smsc.stats.submits == 1)
        (submit,) = w.smsc.submits
        assert submit.utc_ms < at_utc_ms
        assert 0 <= parse_time(submit.schedule, at_utc_ms) - at_utc_ms < 1000
        assert isinstance(submit.pdu, SubmitSm)
        ends = parse_time(submit.pdu.validity_period, submit.utc_ms)
        assert abs(ends - (at_utc_ms + 3_600_000)) < 2000
        assert (await w.message(result["id"]))["state"] == "open"
        await w.until_final(1)
        assert time.time() * 1000 >= at_utc_ms
        assert (await w.message(result["id"]))["state"] == "delivered"
