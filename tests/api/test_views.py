"""What the API shows of messages, inbound texts, binds and depths; the documented shapes are the real ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from smppgw.addresses import Address
from smppgw.api import schemas, views
from smppgw.api.services import Readiness
from smppgw.binds.status import BindState
from smppgw.config import EncodingSettings, IdRelation, IdSettings, ScheduleBy, SubmitSettings
from smppgw.queue.model import (
    CancelStatus,
    IdRelationView,
    InboundText,
    InboundView,
    ParkedReceiptView,
    Quarantined,
    QuarantineView,
    Reason,
    ReceiptState,
    ReceiptView,
    SegmentState,
    Verdict,
    format_id,
    parse_id,
)
from tests.api.gateway import NOW_UTC_MS, OTHER_KEY, Gateway, bind_status, settings


@pytest.mark.parametrize(
    ("utc_ms", "text"),
    [
        (None, None),
        (0, "1970-01-01T00:00:00.000Z"),
        (NOW_UTC_MS, "2026-01-02T03:04:05.678Z"),
        (NOW_UTC_MS - 678, "2026-01-02T03:04:05.000Z"),
        (1_767_323_045_999, "2026-01-02T03:04:05.999Z"),
    ],
)
def test_times(utc_ms: int | None, text: str | None) -> None:
    assert views.iso(utc_ms) == text


async def stored(gateway: Gateway, count: int = 1) -> list[str]:
    items = [
        {"to": "+447700900123", "text": f"{number}€[{'x' * 160}]", "client_ref": f"r{number}"}
        for number in range(count)
    ]
    async with gateway.client() as client:
        answer = (await client.post("/v1/messages", json=items)).json()
    return [result["id"] for result in answer["results"]]


def same_shape(value: dict[str, Any], model: type[BaseModel]) -> None:
    """The value has exactly the fields that the model documents, and their types."""
    names = {field.alias or name for name, field in model.model_fields.items()}
    assert value.keys() == names
    model.model_validate(value, strict=True)


async def test_one_message() -> None:
    gateway = Gateway()
    (message_id,) = await stored(gateway)
    async with gateway.client() as client:
        shown = (await client.get(f"/v1/messages/{message_id}")).json()
        assert (await client.get(f"/v1/messages/{message_id.upper()}")).json() == shown
    same_shape(shown, schemas.MessageOut)
    for segment in shown["segments"]:
        same_shape(segment, schemas.SegmentOut)
    same_shape(shown["history"][0], schemas.HistoryOut)
    assert shown["state"] == "open" and shown["verdict"] is None
    assert (shown["to"], shown["from"], shown["lane"]) == ("+447700900123", "Example", "transactional")
    assert shown["accepted_at"] == "2026-01-02T03:04:05.678Z"
    assert [segment["part"] for segment in shown["segments"]] == [1, 2]
    first = shown["segments"][0]
    assert (first["state"], first["reason"], first["refusals"]) == ("queued", "throttled", 0)
    assert (first["command_status"], first["command_status_name"]) == (0x58, "ESME_RTHROTTLED")
    assert first["due_at"] == "2026-01-02T03:04:06.678Z"
    assert shown["history"] == [
        {
            "at": "2026-01-02T03:04:05.678Z",
            "part": 0,
            "state": "queued",
            "reason": "accepted",
            "bind": "",
            "detail": "",
        }
    ]


async def test_a_message_that_reached_its_verdict() -> None:
    gateway = Gateway()
    (text,) = await stored(gateway)
    message_id = parse_id(text)
    assert message_id is not None
    view = gateway.views[message_id]
    segments = [
        replace(
            s,
            state=SegmentState.DELIVERED,
            reason=Reason.RECEIPT,
            command_status=0,
            smsc_id="abc",
            final_utc_ms=NOW_UTC_MS,
        )
        for s in view.segments
    ]
    receipts = [receipt(part) for part in (1, 2)]
    gateway.views[message_id] = replace(
        view, verdict=Verdict.DELIVERED, final_utc_ms=NOW_UTC_MS, segments=segments, receipts=receipts
    )
    async with gateway.client() as client:
        shown = (await client.get(f"/v1/messages/{text}")).json()
    same_shape(shown, schemas.MessageOut)
    assert shown["state"] == shown["verdict"] == "delivered"
    assert shown["delivered_segments"] == 2
    assert shown["segments"][0]["due_at"] is None
    assert shown["segments"][0]["command_status_name"] == "ESME_ROK"
    for one in shown["receipts"]:
        same_shape(one, schemas.ReceiptOut)
    assert shown["receipts"][0] == {
        "part": 1,
        "received_at": "2026-01-02T03:04:05.678Z",
        "done_at": "2026-01-02T03:04:00.000Z",
        "bind": "demo/2",
        "smsc_id": "0123",
        "stat": "DELIVRD",
        "state": "delivered",
        "error": "000",
        "reason": "receipt",
        "from": "447700900123",
        "to": "Example",
        "flags": ["address_differs", "id_converted"],
        "tlvs": [{"tag": "0x1403", "octets": "3000"}, {"tag": "0x0005", "octets": ""}],
        "octets": "69643a3031323300",
    }
    assert (shown["receipts"][1]["state"], shown["receipts"][1]["tlvs"]) == (None, [])


def receipt(part: int) -> ReceiptView:
    """The first has everything, the second as little as a receipt can."""
    full = part == 1
    return ReceiptView(
        part=part,
        received_utc_ms=NOW_UTC_MS,
        done_utc_ms=NOW_UTC_MS - 5678 if full else None,
        bind="demo/2",
        smsc_id="0123",
        stat="DELIVRD" if full else "WHATEVER",
        state=ReceiptState.DELIVERED if full else None,
        error="000" if full else "",
        reason=Reason.RECEIPT if full else Reason.RECEIPT_INTERMEDIATE,
        source_addr="447700900123",
        destination_addr="Example",
        flags=("address_differs", "id_converted") if full else (),
        tlvs='[[5123, "3000"], [5, ""]]' if full else "",
        raw=b"id:0123\0",
    )


async def test_what_a_message_has_of_its_own() -> None:
    gateway = Gateway()
    item = {"to": "+447700900123", "text": "x", "priority": 2, "tlvs": {"product": 7}}
    async with gateway.client() as client:
        (made,) = (await client.post("/v1/messages", json=item)).json()["results"]
        number = parse_id(made["id"])
        assert number is not None
        gateway.views[number] = replace(gateway.views[number], alternatives=("french",))
        shown = (await client.get(f"/v1/messages/{made['id']}")).json()
    same_shape(shown, schemas.MessageOut)
    same_shape(shown["extras"], schemas.ExtrasOut)
    assert shown["alternatives"] == ["french"]
    assert shown["extras"] == {
        "service_type": None,
        "protocol_id": None,
        "priority": 2,
        "replace_if_present": False,
        "tlvs": [{"tag": "0x1401", "octets": "0007"}],
        "sar_reference": None,
        "payload": False,
        "dest_addr_subunit": None,
    }


async def shown_after(gateway: Gateway, item: dict[str, Any]) -> dict[str, Any]:
    async with gateway.client() as client:
        (made,) = (await client.post("/v1/messages", json={"to": "+447700900123", **item})).json()["results"]
        shown: dict[str, Any] = (await client.get(f"/v1/messages/{made['id']}")).json()
    same_shape(shown, schemas.MessageOut)
    return shown


async def test_how_a_text_went_on_its_way() -> None:
    shown = await shown_after(Gateway(), {"text": "“" + "x" * 160, "smart_encoding": True})
    assert (shown["text"][0], shown["sent_text"][0]) == ("“", '"')
    assert shown["replaced"] == [{"at": 0, "from": "“", "to": '"'}]
    same_shape(shown["replaced"][0], schemas.ReplacedOut)
    assert (shown["data_coding"], shown["esm_class"], shown["reference"]) == (0, 0x40, 7)
    plain = await shown_after(Gateway(), {"text": "x"})
    names = ("sent_text", "reference", "locking_shift", "single_shift", "scheduled_at", "extras")
    assert [plain[name] for name in names] == [None] * 6
    assert (plain["replaced"], plain["esm_class"]) == ([], 0)


async def test_the_octets_of_a_message_can_be_read_back() -> None:
    shown = await shown_after(Gateway(), {"octets": "00ff41", "ports": {"destination": 5505}})
    (segment,) = shown["segments"]
    assert (shown["text"], segment["octets"]) == ("\\x00\\xffA", "0605041581000000ff41")


async def test_national_tables_are_those_of_the_udh() -> None:
    demo = settings().carriers["demo"]
    turkish = demo.model_copy(update={"encoding": EncodingSettings(national_tables=["turkish"])})
    gateway = Gateway(settings=settings(carriers={"demo": turkish, "french": settings().carriers["french"]}))
    shown = await shown_after(gateway, {"text": "şifreniz değişti, lütfen şubemize gelin; " * 2})
    assert (shown["alphabet"], shown["locking_shift"], shown["single_shift"]) == ("gsm7", None, "turkish")
    shown = await shown_after(gateway, {"text": "ışığı ğışı " * 14})
    assert (shown["alphabet"], shown["locking_shift"], shown["single_shift"]) == ("gsm7", "turkish", None)
    # No UDH, though the text begins as one would: with septets 0x03, 0x25, 0x01, 0x01.
    shown = await shown_after(gateway, {"text": "¥%££"})
    assert (shown["esm_class"], shown["locking_shift"], shown["single_shift"]) == (0, None, None)


@pytest.mark.parametrize("by", list(ScheduleBy))
async def test_the_time_it_is_to_be_sent_at_is_shown_whoever_keeps_it(by: ScheduleBy) -> None:
    demo = settings().carriers["demo"].model_copy(update={"submit": SubmitSettings(schedule=by)})
    gateway = Gateway(settings=settings(carriers={"demo": demo, "french": settings().carriers["french"]}))
    shown = await shown_after(gateway, {"text": "x", "send_at": "2026-01-02T05:00:00+01:00"})
    assert shown["scheduled_at"] == "2026-01-02T04:00:00.000Z"


@pytest.mark.parametrize(
    ("status", "code"), [(CancelStatus.CANCELLED, 200), (CancelStatus.ASKED, 202), (CancelStatus.IN_DOUBT, 202)]
)
async def test_cancelling(status: CancelStatus, code: int) -> None:
    gateway = Gateway(cancel_status=status)
    (message_id,) = await stored(gateway)
    async with gateway.client() as client:
        response = await client.post(f"/v1/messages/{message_id.upper()}/cancel")
    same_shape(response.json(), schemas.CancelOut)
    assert (response.status_code, response.json()) == (code, {"id": message_id, "state": status.value})
    assert gateway.cancelled == [(parse_id(message_id), "app")]


async def test_cancelling_too_late() -> None:
    gateway = Gateway(cancel_status=CancelStatus.TOO_LATE)
    (message_id,) = await stored(gateway)
    async with gateway.client() as client:
        response = await client.post(f"/v1/messages/{message_id}/cancel")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "too_late")


async def test_what_cannot_be_cancelled() -> None:
    gateway = Gateway()
    (message_id,) = await stored(gateway)
    async with gateway.client() as client:
        for unknown in ("00000000000", "short", "%F0%9F%98%80"):
            response = await client.post(f"/v1/messages/{unknown}/cancel")
            assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")
        response = await client.post(f"/v1/messages/{message_id}/cancel?now=1")
        assert (response.status_code, response.json()["error"]["code"]) == (422, "query_invalid")
        assert (await client.get(f"/v1/messages/{message_id}/cancel")).status_code == 405
    async with gateway.client(OTHER_KEY) as client:
        assert (await client.post(f"/v1/messages/{message_id}/cancel")).status_code == 404
    async with gateway.client(None) as client:
        assert (await client.post(f"/v1/messages/{message_id}/cancel")).status_code == 401


@pytest.mark.parametrize("message_id", ["00000000000", "short", "x" * 11, "ilou0000000", "%00", "%F0%9F%98%80"])
async def test_a_message_that_is_not_there(message_id: str) -> None:
    async with Gateway().client() as client:
        response = await client.get(f"/v1/messages/{message_id}")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


async def test_the_messages_of_other_accounts_are_not_there() -> None:
    gateway = Gateway()
    (message_id,) = await stored(gateway)
    async with gateway.client(OTHER_KEY) as client:
        assert (await client.get(f"/v1/messages/{message_id}")).status_code == 404
        assert (await client.get("/v1/messages")).json() == {"messages": [], "next": None}
    assert gateway.queries[0].account == "other"


async def test_pages() -> None:
    gateway = Gateway()
    ids = await stored(gateway, 5)
    seen: list[str] = []
    after = ""
    async with gateway.client() as client:
        for _ in range(3):
            page = (await client.get(f"/v1/messages?limit=2{after}")).json()
            same_shape(page, schemas.MessagesOut)
            for message in page["messages"]:
                same_shape(message, schemas.MessageSummaryOut)
            seen += [message["id"] for message in page["messages"]]
            after = f"&after={page['next']}"
    assert page["next"] is None
    assert seen == ids[::-1]


async def test_a_page_that_ends_with_the_last_message_says_so() -> None:
    gateway = Gateway()
    await stored(gateway, 4)
    async with gateway.client() as client:
        first = (await client.get("/v1/messages?limit=2")).json()
        second = (await client.get(f"/v1/messages?limit=2&after={first['next']}")).json()
    assert len(second["messages"]) == 2
    assert second["next"] is None


def inbound(number: int) -> InboundView:
    sender, recipient = Address(1, 1, "447700900123"), Address(0, 1, "60001")
    text = InboundText(sender, recipient, 0, 0, b"STOP\x00", "STOP@", tlvs='[[526, "02"]]' if number == 3 else "")
    return InboundView(number, "demo", "demo/1", NOW_UTC_MS, text)


async def test_inbound_texts() -> None:
    gateway = Gateway(inbound_views=[inbound(number) for number in (3, 2, 1)])
    async with gateway.client(OTHER_KEY) as client:
        first = (await client.get("/v1/inbound?limit=2")).json()
        second = (await client.get(f"/v1/inbound?limit=2&after={first['next']}")).json()
    assert [text["id"] for text in first["inbound"] + second["inbound"]] == ["3", "2", "1"]
    assert second["next"] is None
    same_shape(first, schemas.InboundsOut)
    same_shape(first["inbound"][0], schemas.InboundOut)
    assert first["inbound"][0] == {
        "id": "3",
        "received_at": "2026-01-02T03:04:05.678Z",
        "from": "+447700900123",
        "to": "60001",
        "text": "STOP@",
        "data_coding": 0,
        "esm_class": 0,
        "octets": "53544f5000",
        "tlvs": [{"tag": "0x020E", "octets": "02"}],
        "carrier": "demo",
        "bind": "demo/1",
    }


def parked(number: int) -> ParkedReceiptView:
    raw = b"\0i\0d\0:\0\xe9" if number == 2 else b"id:01ab;x stat:DELIVRD\0"
    return ParkedReceiptView(
        number, "demo", "demo/1", NOW_UTC_MS, NOW_UTC_MS - 5678, "01ab;x", "01ab", "DELIVRD",
        ReceiptState.DELIVERED if number == 3 else None, "000", "447700900123", "60001", 7, ("state_unknown",),
        '[[5123, "3000"]]', raw,
    )  # fmt: skip


async def test_parked_receipts() -> None:
    gateway = Gateway(parked_views=[parked(number) for number in (3, 2, 1)])
    async with gateway.client(OTHER_KEY) as client:
        first = (await client.get("/v1/receipts?parked=true&limit=2")).json()
        second = (await client.get(f"/v1/receipts?parked=true&limit=2&after={first['next']}")).json()
    assert [one["id"] for one in first["receipts"] + second["receipts"]] == ["3", "2", "1"]
    assert second["next"] is None
    same_shape(first, schemas.ReceiptsOut)
    same_shape(first["receipts"][1], schemas.ParkedReceiptOut)
    assert (first["receipts"][1]["state"], first["receipts"][1]["text"]) == (None, "id:\u00e9")
    assert first["receipts"][0] == {
        "id": "3",
        "received_at": "2026-01-02T03:04:05.678Z",
        "done_at": "2026-01-02T03:04:00.000Z",
        "carrier": "demo",
        "bind": "demo/1",
        "smsc_id": "01ab;x",
        "match_id": "01ab",
        "stat": "DELIVRD",
        "state": "delivered",
        "error": "000",
        "from": "447700900123",
        "to": "60001",
        "user_message_reference": 7,
        "flags": ["state_unknown"],
        "tlvs": [{"tag": "0x1403", "octets": "3000"}],
        "text": "id:01ab;x stat:DELIVRD",
        "octets": "69643a303161623b7820737461743a44454c4956524400",
    }


@pytest.mark.parametrize(
    ("query", "field"), [("", "parked"), ("?parked=false", "parked"), ("?parked=true&after=x", "after")]
)
async def test_receipts_that_found_their_message_are_no_list(query: str, field: str) -> None:
    async with Gateway().client() as client:
        response = await client.get(f"/v1/receipts{query}")
    assert (response.status_code, response.json()["error"]["code"], response.json()["error"]["field"]) == (
        422, "query_invalid", field
    )  # fmt: skip


@pytest.mark.parametrize(("field", "value"), [("state", "opened"), ("lane", "fast")])
async def test_words_that_no_document_explains_would_be_found(field: str, value: str) -> None:
    gateway = Gateway()
    await stored(gateway)
    async with gateway.client() as client:
        (shown,) = (await client.get("/v1/messages")).json()["messages"]
    same_shape(shown, schemas.MessageSummaryOut)
    with pytest.raises(ValidationError, match="not one of"):
        same_shape({**shown, field: value}, schemas.MessageSummaryOut)


def quarantined(number: int) -> QuarantineView:
    frame = bytes.fromhex("0000001200000005000000000000000a4100")
    field = "destination_addr" if number == 3 else ""
    pdu = Quarantined(0x00000005, 10, 0x0B, field, "no NUL within 21 octets", frame)
    return QuarantineView(number, "demo", "demo/1", NOW_UTC_MS, pdu)


async def test_the_quarantine() -> None:
    gateway = Gateway(quarantine_views=[quarantined(number) for number in (3, 2, 1)])
    async with gateway.client(OTHER_KEY) as client:
        first = (await client.get("/v1/quarantine?limit=2")).json()
        second = (await client.get(f"/v1/quarantine?limit=2&after={first['next']}")).json()
        wrong = await client.get("/v1/quarantine?after=x")
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "after")
    assert [pdu["id"] for pdu in first["quarantine"] + second["quarantine"]] == ["3", "2", "1"]
    assert second["next"] is None and second["quarantine"][0]["field"] is None
    same_shape(first, schemas.QuarantineOut)
    same_shape(first["quarantine"][0], schemas.QuarantinedOut)
    assert first["quarantine"][0] == {
        "id": "3",
        "received_at": "2026-01-02T03:04:05.678Z",
        "carrier": "demo",
        "bind": "demo/1",
        "command": "deliver_sm",
        "sequence_number": 10,
        "command_status": 0x0B,
        "command_status_name": "ESME_RINVDSTADR",
        "field": "destination_addr",
        "error": "no NUL within 21 octets",
        "octets": "0000001200000005000000000000000a4100",
    }


async def test_a_command_nobody_knows_is_shown_by_its_number() -> None:
    view = replace(quarantined(1), pdu=Quarantined(0x00010203, 1, 3, "", "unknown command", b""))
    async with Gateway(quarantine_views=[view]).client() as client:
        (shown,) = (await client.get("/v1/quarantine")).json()["quarantine"]
    assert shown["command"] == "0x00010203"


async def test_binds() -> None:
    waiting = bind_status(
        "demo/2", BindState.BACKING_OFF, next_attempt_utc_ms=NOW_UTC_MS, rtt_ms=None, last_error="refused",
        deviations={"extra_octets": 2}, link="demo/2", endpoint="smsc.example:2775", alarm="credentials",
        interface_version="3.4", paused_until_utc_ms=NOW_UTC_MS,
    )  # fmt: skip
    gateway = Gateway(bind_states=[bind_status("demo/1"), waiting])
    async with gateway.client() as client:
        shown = (await client.get("/v1/binds")).json()
    for bind in shown["binds"]:
        same_shape(bind, schemas.BindOut)
    first, second = shown["binds"]
    assert (first["state"], first["limit"], first["rtt_ms"], first["last_error"]) == ("bound_trx", "rate", 4.57, None)
    assert (second["state"], second["limit"], second["next_attempt_at"]) == (
        "backing_off", "down", "2026-01-02T03:04:05.678Z"
    )  # fmt: skip
    assert (second["last_error"], second["deviations"]) == ("refused", {"extra_octets": 2})
    of_the_link = ("link", "endpoint", "alarm", "interface_version", "paused_until_at")
    assert [second[name] for name in of_the_link] == [
        "demo/2", "smsc.example:2775", "credentials", "3.4", "2026-01-02T03:04:05.678Z"
    ]  # fmt: skip
    assert [first[name] for name in of_the_link[1:]] == [None] * 4


async def test_status() -> None:
    gateway = Gateway(bind_states=[bind_status("demo/1"), bind_status("demo/2", BindState.CONNECTING)])
    async with gateway.client() as client:
        shown = (await client.get("/v1/status")).json()
    same_shape(shown, schemas.StatusOut)
    assert shown["carriers"] == [
        {"carrier": "demo", "state": "partly", "binds_up": 1, "binds": 2, "alarms": [], "ids": None},
        {"carrier": "french", "state": "down", "binds_up": 0, "binds": 0, "alarms": [], "ids": None},
    ]
    nothing = {"queued": {"otp": 0, "transactional": 0, "bulk": 0}, "in_flight": 0, "in_doubt": 0, "sent": 0}
    assert shown["segments"] == [
        {**nothing, "carrier": "demo", "queued": {**nothing["queued"], "otp": 3}, "in_flight": 5, "sent": 6},  # type: ignore[dict-item]
        {**nothing, "carrier": "french"},
        {**nothing, "carrier": "gone", "queued": {**nothing["queued"], "bulk": 4}},  # type: ignore[dict-item]
    ]
    assert shown["oldest_queued_at"] == "2026-01-02T03:04:04.178Z"
    assert (shown["parked_receipts"], shown["oldest_parked_at"]) == (2, "2026-01-02T03:03:05.678Z")
    assert shown["quarantined"] == 4


async def test_what_an_operator_should_know_of_a_carrier() -> None:
    carriers = dict(Gateway().settings.carriers)
    carriers["french"] = carriers["french"].model_copy(update={"ids": IdSettings(relation=IdRelation.DEC_HEX)})
    gateway = Gateway(
        settings=settings(carriers=carriers),
        bind_states=[bind_status("demo/1"), bind_status("demo/2", alarm="paused"), bind_status("french/1")],
        ids_known=[IdRelationView("demo", "hex -> dec", pinned=False, matched=411, total=412)],
    )
    async with gateway.client() as client:
        demo, french = (await client.get("/v1/status")).json()["carriers"]
    same_shape(demo, schemas.CarrierOut)
    assert demo["alarms"] == [{"bind": "demo/2", "alarm": "paused"}]
    assert demo["ids"] == {"relation": "hex -> dec", "pinned": False, "matched": 411, "total": 412}
    # Pinned by the settings: known before the first receipt.
    assert french["ids"] == {"relation": "dec -> hex", "pinned": True, "matched": 0, "total": 0}


async def test_nothing_is_known_of_ids_before_the_first_receipt() -> None:
    gateway = Gateway(ids_known=[IdRelationView("demo", "", pinned=False, matched=0, total=3)])
    async with gateway.client() as client:
        assert (await client.get("/v1/status")).json()["carriers"][0]["ids"] is None


@pytest.mark.parametrize("oldest", [None, NOW_UTC_MS + 5000])
async def test_only_what_is_due_waits(oldest: int | None) -> None:
    """A retry that waits for its time lies in the future."""
    async with Gateway(oldest_queued_utc_ms=oldest).client() as client:
        shown = (await client.get("/v1/status")).json()
    same_shape(shown, schemas.StatusOut)
    assert shown["oldest_queued_at"] is None


async def test_ready_although_a_carrier_is_down() -> None:
    gateway = Gateway(bind_states=[bind_status("demo/1", BindState.BACKING_OFF)])
    async with gateway.client(None) as client:
        response = await client.get("/readyz")
    same_shape(response.json(), schemas.ReadyOut)
    assert response.status_code == 200
    assert response.json()["ready"] is True
    assert response.json()["carriers"][0]["state"] == "down"


async def test_not_ready() -> None:
    gateway = Gateway(readiness=Readiness(False, "stopping"))
    async with gateway.client(None) as client:
        response = await client.get("/readyz")
        alive = await client.get("/healthz")
    assert (response.status_code, response.json()["reason"]) == (503, "stopping")
    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})


async def test_the_answer_to_a_batch_has_the_documented_shape() -> None:
    gateway = Gateway()
    async with gateway.client() as client:
        answer = (await client.post("/v1/messages", json=[{"to": "+447700900123", "text": "x"}, {"to": 1}])).json()
    schemas.BatchOut.model_validate(answer, strict=True)
    fields = {"index", "id", "segments", "parts", "repeated", "replaced", "error"}
    assert all(result.keys() <= fields for result in answer["results"])
    for example in schemas.BatchOut.model_json_schema()["examples"]:
        schemas.BatchOut.model_validate(example, strict=True)


def test_ids_are_shown_as_they_are_read() -> None:
    assert parse_id(format_id(NOW_UTC_MS << 13)) == NOW_UTC_MS << 13
