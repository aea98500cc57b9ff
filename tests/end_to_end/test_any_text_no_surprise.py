"""What POST /v1/segments tells before sending is what the SMSC gets, and what a handset makes of it is the text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator.ledger import Submit
from simulator.settings import SimulatorSettings
from smppgw.smpp import Tag
from smppgw.sms import udh
from smppgw.sms.encoding import Encoding
from smppgw.sms.reassemble import join, join_parts

from .world import KEY, OTHER_KEY, World, carrier_table, gateway, settings_for, simulator, world

TEXTS = [
    "short",
    "Grüße [1] €" * 20,
    "Ваш код 1234. " * 12,
    "😀👨‍👩‍👧‍👦" * 15,
    "Sayın müşterimiz, şifreniz değişti; lütfen ığdır şubesine gelin. " * 4,
    "आपका कोड १२३४ है। इसे किसी को न बताएं, धन्यवाद। " * 5,
    "“It’s late” – see you…",
    "e\u0301te\u0301 " * 30,
    "line one\r\nline two\r\n" * 12,
    "中文短信測試" * 30,
]
DIALECTS: list[dict[str, Any]] = [
    {},
    {"national_tables": ["all"]},
    {"national_tables": ["turkish", "hindi"], "packing": "packed"},
    {"long": "udh16", "max_octets": 120},
    {"long": "sar", "national_tables": ["all"]},
    {"long": "payload"},
    {"latin1_data_coding": 3, "ascii_data_coding": 1},
    {"default_alphabet": "utf8"},
]
WISHES: list[dict[str, Any]] = [
    {},
    {"smart_encoding": True},
    {"on_unencodable": "transliterate", "message_class": 0},
    {"alphabet": "ucs2", "ports": {"destination": 5000, "source": 5001}},
]


def of(w: World, recipient: str) -> list[Submit]:
    """The submits to one recipient, in order of part."""
    found = [one for one in w.smsc.submits if f"+{one.destination}" == recipient]
    if found and Tag.SAR_SEGMENT_SEQNUM in found[0].pdu.tlvs:
        return sorted(found, key=lambda one: one.pdu.tlvs[Tag.SAR_SEGMENT_SEQNUM])
    return sorted(found, key=lambda one: part_of(one.octets) if one.pdu.esm_class & 0x40 else 0)


def part_of(octets: bytes) -> int:
    told = udh.concatenation(octets)
    return told.part if told is not None else 0


def unnumbered(octets: bytes, esm_class: int) -> str:
    """The octets in hexadecimal, without what is known only once the message is stored: its reference."""
    if not esm_class & 0x40:
        return octets.hex()
    told = udh.concatenation(octets)
    return octets.hex() if told is None else udh.renumbered(octets, 0, wide=told.wide).hex()


def handset(submits: list[Submit], encoding: Encoding) -> str:
    """The text that a handset shows."""
    first = submits[0].pdu
    contents = [one.octets for one in submits]
    if first.esm_class & 0x40:
        return join(contents, data_coding=first.data_coding, udhi=True, encoding=encoding)
    return join_parts(contents, data_coding=first.data_coding, encoding=encoding)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: "-".join(map(str, dialect.values())) or "default")
async def test_the_preview_is_what_the_carrier_gets(tmp_path: Path, dialect: dict[str, Any]) -> None:
    async with world(tmp_path, encoding=dialect) as w:
        encoding = w.gateway.settings.carriers["demo"].encoding.as_encoding()
        items = [
            {"to": f"+44770090{number:04d}", "text": text, **wish}
            for number, (text, wish) in enumerate((text, wish) for text in TEXTS for wish in WISHES)
        ]
        answer = await w.client.post("/v1/segments", json=items)
        assert answer.status_code == 200, answer.text
        previews = answer.json()["results"]
        results = await w.send(*items)
        sent = [(item, one, result) for item, one, result in zip(items, previews, results, strict=True)]
        assert any("error" not in result for _, _, result in sent)
        messages = {message["to"]: message for message in await w.until_final(sum("id" in one for one in results))}
        for item, preview, result in sent:
            if "error" in result:
                assert (preview["error"] or {}).get("code") == result["error"]["code"], item
                assert not of(w, item["to"])
                continue
            submits = of(w, item["to"])
            assert preview["segment_count"] == result["segments"] == len(preview["segments"])
            assert {one.pdu.data_coding for one in submits} == {preview["data_coding"]}
            assert {one.pdu.esm_class for one in submits} == {preview["esm_class"]}
            if preview["long"] == "payload":
                continue
            wire = [unnumbered(one.octets, one.pdu.esm_class) for one in submits]
            assert wire == [one["octets"] for one in preview["segments"]], item
            planned = preview["sent_text"] or item["text"]
            assert handset(submits, encoding) == planned
            assert "".join(one["text"] for one in preview["segments"]) == planned
            assert messages[item["to"]]["state"] == "delivered"
            assert messages[item["to"]]["text"] == item["text"], "what the app gave stays what it gave"


# ---------------------------------------------------------------------------------------------------------------- #
# References
# ---------------------------------------------------------------------------------------------------------------- #

LONG = "x" * 200


def reference_of(octets: bytes) -> tuple[int, bool]:
    told = udh.concatenation(octets)
    assert told is not None
    return told.reference, told.wide


async def test_no_reference_comes_twice_between_two_numbers_over_all_carriers(tmp_path: Path) -> None:
    """Two accounts, two carriers, one sender, one recipient: one phone that must not mix the parts up."""
    async with simulator() as one, simulator() as other:
        one.hold_receipts()
        other.hold_receipts()
        more = {
            "accounts": {"other": {"default_sender": "BANK"}},
            "carriers": {"second": carrier_table(other.port)},
            "routes": [
                {"carriers": ["demo"], "accounts": ["app"]},
                {"carriers": ["second"], "accounts": ["other"]},
            ],
        }
        async with gateway(settings_for(tmp_path, one.port, more=more)) as (running, client):
            w = World(one, running, client)
            await w.until_bound()
            for _ in range(5):
                for key in (KEY, OTHER_KEY):
                    batch = [{"to": "+447700900123", "text": LONG}] * 10
                    answer = await client.post("/v1/messages", json=batch, headers={"Authorization": f"Bearer {key}"})
                    assert answer.status_code == 202
            await one.wait_until(lambda: len(one.submits) == 100)
            await other.wait_until(lambda: len(other.submits) == 100)
            used = [reference_of(submit.octets) for smsc in (one, other) for submit in smsc.submits]
            assert len(set(used)) == 100
            assert all(used.count(reference) == 2 for reference in set(used))


async def test_when_all_256_are_in_use_the_next_has_16_bits(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.smsc.hold_receipts()
        await w.send(*[{"to": "+447700900123", "text": LONG}] * 256)
        results = await w.send({"to": "+447700900123", "text": LONG})
        await w.smsc.wait_until(lambda: len(w.smsc.submits) == 2 * 257)
        used = {reference_of(submit.octets) for submit in w.smsc.submits}
        narrow = {reference for reference, wide in used if not wide}
        ((wide, _),) = {(reference, wide) for reference, wide in used if wide}
        assert narrow == set(range(256))
        assert wide > 255, "no phone that looks at the low octet only takes it for a narrow one"
        assert (await w.message(results[0]["id"]))["reference"] == wide


async def test_where_16_bits_are_not_allowed_the_next_waits_until_one_is_delivered(tmp_path: Path) -> None:
    async with world(tmp_path, encoding={"long": "udh8"}) as w:
        w.smsc.hold_receipts()
        await w.send(*[{"to": "+447700900123", "text": LONG}] * 256)
        results = await w.send({"to": "+447700900123", "text": LONG}, {"to": "+447700900124", "text": LONG})
        await w.smsc.wait_until(lambda: len(w.smsc.submits) == 2 * 257)  # the other recipient's is not held up
        waiting = await w.message(results[0]["id"])
        assert {(one["state"], one["reason"]) for one in waiting["segments"]} == {("queued", "references_in_use")}
        w.smsc.hold_receipts(False)
        messages = await w.until_final(258)
        assert {message["state"] for message in messages} == {"delivered"}
        assert len(w.smsc.submits) == 2 * 258


# ---------------------------------------------------------------------------------------------------------------- #
# More than text
# ---------------------------------------------------------------------------------------------------------------- #


async def test_flash_binary_ports_waiting_and_wap_push_on_the_wire(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        results = await w.send(
            {"to": "+447700900001", "text": "now", "message_class": 0},
            {"to": "+447700900002", "text": "Привет", "message_class": 0},
            {"to": "+447700900003", "octets": "00ff10", "udh": "06050415820000"},
            {"to": "+447700900004", "octets": "0102", "data_coding": 0xF6},
            {"to": "+447700900005", "text": "2 messages", "message_waiting": {"kind": "voicemail", "active": True}},
            {"to": "+447700900006", "wap_push": {"url": "http://www.example.com/a", "text": "Look"}},
            {"to": "+447700900007", "text": "x", "replace_type": 3},
            {"to": "+447700900008", "octets": "00" * 300},
        )
        assert all("id" in result for result in results), results
        await w.until_final(8)
        first = {f"+447700900{n:03d}": of(w, f"+447700900{n:03d}")[0] for n in range(1, 9)}
        coding = [one.pdu.data_coding for one in first.values()]
        assert coding[:4] == [0x10, 0x18, 4, 0xF6]
        assert coding[4] & 0xE8 == 0xC8  # discard or store, active
        assert first["+447700900003"].octets.hex() == "0605041582000000ff10"
        assert first["+447700900003"].pdu.esm_class & 0x40
        assert udh.parse(first["+447700900006"].octets)[0] == (0x05, bytes.fromhex("0b8423f0"))
        assert first["+447700900007"].pdu.protocol_id == 0x43
        parts = of(w, "+447700900008")
        assert [len(one.octets) for one in parts] == [140, 140, 38]
        shown = await w.message(results[2]["id"])
        assert (shown["alphabet"], shown["segment_count"]) == ("binary", 1)


async def test_what_was_replaced_is_told_and_kept(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        given = "“It’s late” – see you…"
        (result,) = await w.send({"to": "+447700900001", "text": given, "smart_encoding": True})
        assert [one["from"] for one in result["replaced"]] == ["“", "’", "”", "–", "…"]
        await w.until_final(1)
        assert w.smsc.submits[0].text == '"It\'s late" - see you...'
        message = await w.message(result["id"])
        assert (message["text"], message["sent_text"]) == (given, '"It\'s late" - see you...')
        assert message["replaced"] == result["replaced"]


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"text": "nein \ud800"}, "unencodable"),
        ({"text": "Привет", "on_unencodable": "refuse"}, "unencodable"),
        ({"text": "Привет", "alphabet": "gsm7"}, "unencodable"),
        ({"text": "Привет", "alphabet": "latin1"}, "alphabet_unsupported"),
        ({"text": "x" * 2000}, "too_long"),
    ],
)
async def test_refusals_by_name(tmp_path: Path, wish: dict[str, Any], code: str) -> None:
    async with world(tmp_path) as w:
        body = json.dumps([{"to": "+447700900001", **wish}])  # ASCII: a lone surrogate gets through
        for path in ("/v1/messages", "/v1/segments"):
            answer = await w.client.post(path, content=body)
            assert answer.json()["results"][0]["error"]["code"] == code
        assert not w.smsc.submits


# ---------------------------------------------------------------------------------------------------------------- #
# Times
# ---------------------------------------------------------------------------------------------------------------- #


async def test_a_message_waits_for_its_time_and_can_be_taken_back_until_then(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        soon = datetime.now(UTC) + timedelta(seconds=1)
        later = datetime.now(UTC) + timedelta(hours=1)
        results = await w.send(
            {"to": "+447700900001", "text": "later", "send_at": later.isoformat()},
            {"to": "+447700900002", "text": "soon", "send_at": soon.isoformat()},
            {"to": "+447700900003", "text": "now"},
        )
        await w.smsc.wait_until(lambda: len(w.smsc.submits) == 2)
        assert [one.text for one in w.smsc.submits] == ["now", "soon"]
        assert w.smsc.submits[1].utc_ms >= soon.timestamp() * 1000 - 1
        waiting = await w.message(results[0]["id"])
        assert {(one["state"], one["reason"]) for one in waiting["segments"]} == {("queued", "scheduled")}
        answer = await w.client.post(f"/v1/messages/{results[0]['id']}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")


async def test_a_carrier_that_keeps_messages_until_their_time(tmp_path: Path) -> None:
    async with world(tmp_path, submit={"schedule": "carrier"}) as w:
        later = datetime(2036, 1, 2, 3, 4, 5, tzinfo=UTC)
        soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
        results = await w.send(
            {"to": "+447700900001", "text": "x", "send_at": soon.isoformat()},
            {"to": "+447700900002", "text": "x", "send_at": later.isoformat()},
        )
        assert results[1]["error"]["code"] == "schedule_too_far"
        await w.smsc.wait_until(lambda: len(w.smsc.submits) == 1)
        (submit,) = w.smsc.submits
        assert submit.pdu.schedule_delivery_time == soon.strftime("%y%m%d%H%M%S") + "000+"


async def test_an_answer_that_throttles_does_not_change_the_reference(tmp_path: Path) -> None:
    async with world(tmp_path, SimulatorSettings(rate=2, burst=1), throttle_pause_s=0.2) as w:
        await w.send({"to": "+447700900123", "text": LONG})
        await w.until_final(1)
        seen = [(reference_of(one.octets), part_of(one.octets)) for one in w.smsc.submits]
        assert len(seen) > 2, "it was sent again"
        assert len(set(seen)) == 2
