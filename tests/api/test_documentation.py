"""/openapi.json and /docs say what the code does."""

from __future__ import annotations

import re
from typing import Any

from smppgw.api.faults import CONTENT_CODES, ITEM_CODES, REQUEST_CODES
from smppgw.api.item import RARE
from smppgw.api.queries import MESSAGE_PARAMETERS, PAGE_PARAMETERS, RECEIPT_PARAMETERS
from smppgw.binds import events
from smppgw.binds.status import Alarm, Limit
from smppgw.queue.model import Reason, ReceiptFlag, Verdict
from tests.api.gateway import Gateway


async def document() -> dict[str, Any]:
    async with Gateway().client(None) as client:
        found: dict[str, Any] = (await client.get("/openapi.json")).json()
    return found


async def test_the_request_body_is_described() -> None:
    operation = (await document())["paths"]["/v1/messages"]["post"]
    content = operation["requestBody"]["content"]["application/json"]
    one, many = content["schema"]["oneOf"]
    assert one["required"] == ["to"], "text may be octets, or wap_push"
    assert set(one["properties"]) == {"to", "text", "from", "lane", "validity_s", "client_ref"} | RARE
    assert all(schema["description"] for schema in one["properties"].values())
    assert one["additionalProperties"] is False
    assert many["items"] == one
    assert [parameter["name"] for parameter in operation["parameters"]] == ["Idempotency-Key"]
    for code in ITEM_CODES | CONTENT_CODES:
        assert code in operation["description"]


async def test_what_can_be_planned_is_described() -> None:
    paths = (await document())["paths"]
    message, plan = (
        paths[path]["post"]["requestBody"]["content"]["application/json"]["schema"]["oneOf"][0]
        for path in ("/v1/messages", "/v1/segments")
    )
    assert plan["properties"].keys() - message["properties"].keys() == {"carrier"}
    assert message["properties"].keys() <= plan["properties"].keys()
    assert "required" not in plan


async def test_objects_inside_a_message_are_described() -> None:
    found = await document()
    message = found["paths"]["/v1/messages"]["post"]["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert "$ref" not in str(message) and "$defs" not in str(message), "nothing that only pydantic could look up"
    ports = message[0]["properties"]["ports"]["anyOf"][0]
    assert ports["required"] == ["destination"] and ports["additionalProperties"] is False
    assert all(field["description"] for field in ports["properties"].values())
    async with Gateway().client(None) as client:
        page = (await client.get("/docs")).text
    for name in ("ports.destination (required)", "message_waiting.kind (required)", "wap_push.action"):
        assert f"<code>{name}</code>" in page


async def test_who_sees_what_is_said() -> None:
    paths = (await document())["paths"]
    keyless = {path for path, verbs in paths.items() if not all("security" in one for one in verbs.values())}
    assert keyless == {"/healthz", "/readyz", "/metrics"}
    assert "names accounts" in paths["/metrics"]["get"]["description"]
    assert "every account" in paths["/v1/inbound"]["get"]["description"]
    assert "every account" in paths["/v1/quarantine"]["get"]["description"]
    assert "every account" in paths["/v1/receipts"]["get"]["description"]


async def test_references_lead_somewhere() -> None:
    found = await document()
    names = set(re.findall(r"#/components/schemas/(\w+)", str(found)))
    assert names <= found["components"]["schemas"].keys()
    assert {"BatchOut", "MessageOut", "MessagesOut", "InboundsOut", "BindsOut", "StatusOut", "ErrorOut"} <= names
    assert {"PlansOut", "PlannedOut", "CharacterOut"} <= names


async def test_query_parameters_are_those_of_the_table() -> None:
    operation = (await document())["paths"]["/v1/messages"]["get"]
    assert {parameter["name"] for parameter in operation["parameters"]} == MESSAGE_PARAMETERS.keys()
    assert "422" in operation["responses"]


async def test_lists_without_filters_take_a_page_only() -> None:
    paths = (await document())["paths"]
    for path in ("/v1/inbound", "/v1/quarantine"):
        assert {parameter["name"] for parameter in paths[path]["get"]["parameters"]} == PAGE_PARAMETERS.keys()


async def test_the_parked_receipts_have_to_be_asked_for() -> None:
    parameters = (await document())["paths"]["/v1/receipts"]["get"]["parameters"]
    assert [(one["name"], one["required"]) for one in parameters] == [
        (name, name == "parked") for name in RECEIPT_PARAMETERS
    ]


async def test_words_are_enums() -> None:
    schemas = (await document())["components"]["schemas"]
    assert schemas["HistoryOut"]["properties"]["reason"]["enum"] == list(Reason)
    assert schemas["BindOut"]["properties"]["limit"]["enum"] == list(Limit)
    assert {"type": "string", "enum": list(Alarm)} in schemas["BindOut"]["properties"]["alarm"]["anyOf"]
    assert schemas["ReceiptOut"]["properties"]["flags"]["items"]["enum"] == list(ReceiptFlag)
    assert schemas["MessageSummaryOut"]["properties"]["state"]["enum"] == ["open", *Verdict]
    assert "repertoire" in schemas["MessageSummaryOut"]["properties"]["alphabet"]["description"]


def test_every_alarm_of_the_binds_is_one_of_the_documented() -> None:
    raised = {value for name, value in vars(events).items() if name.startswith("ALARM_")}
    assert raised == set(Alarm)


async def test_nothing_of_the_framework_is_left_in_it() -> None:
    found = await document()
    schemas = found["components"]["schemas"]
    assert not schemas.keys() & {"HTTPValidationError", "ValidationError"}
    used = set(re.findall(r"#/components/schemas/(\w+)", str(found)))
    assert used == schemas.keys(), "no shape that no answer has"


async def test_looking_does_not_promise_what_only_posting_does() -> None:
    for path, operations in (await document())["paths"].items():
        for verb, operation in operations.items():
            told = " ".join(response["description"] for response in operation["responses"].values())
            codes = set(re.findall(r"(\w+): ", told)) & REQUEST_CODES.keys()
            if verb == "get":
                assert "accepted" not in told, path
                known = {"key_missing", "key_unknown", "not_found", "query_invalid"}
                assert codes <= known | {"store_unavailable", "store_error", "internal"}, path


async def test_every_code_of_a_request_is_described_under_its_status() -> None:
    found = await document()
    described = {
        (code, status)
        for operations in found["paths"].values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        for code in re.findall(r"(\w+): ", response["description"])
    }
    missing = {(code, str(status)) for code, (status, _) in REQUEST_CODES.items()} - described
    assert missing == {("method_not_allowed", "405")}  # of no operation in particular


async def test_the_page_has_every_operation_and_needs_nothing_from_elsewhere() -> None:
    found = await document()
    async with Gateway().client(None) as client:
        response = await client.get("/docs")
    page = response.text
    assert response.headers["content-type"].startswith("text/html")
    for path, operations in found["paths"].items():
        for verb in operations:
            assert f"<span class=verb>{verb.upper()}</span> <code>{path}</code>" in page
    assert "<script" not in page and "http://" not in page and "https://" not in page
    assert "client_ref" in page and "recipient_letters" in page and "submits_per_s" in page
