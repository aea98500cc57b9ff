"""POST /v1/messages and what the API answers when things go wrong: statuses, codes, headers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from smppgw.api.faults import REQUEST_CODES
from smppgw.api.intake import portions
from smppgw.api.services import stopping, too_busy
from smppgw.api.views import iso
from smppgw.config import EncodingSettings, HttpSettings, LongMessages
from smppgw.errors import StoreError, StoreUnavailable
from smppgw.queue.model import Acceptance, AcceptStatus, Lane
from tests.api.gateway import KEY, NOW_UTC_MS, Gateway, settings

GOOD = {"to": "+447700900123", "text": "Hello"}


async def post(gateway: Gateway, body: Any, key: str | None = KEY, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with gateway.client(key) as client:
        return await client.post("/v1/messages", content=content, headers=headers)


def fault(response: httpx.Response) -> dict[str, str]:
    """The error of a whole request; its status is that of the table."""
    body = response.json()
    assert body.keys() == {"error"} and body["error"].keys() <= {"code", "message", "field"}
    assert response.headers["content-type"] == "application/json"
    assert response.status_code == REQUEST_CODES[body["error"]["code"]][0]
    error: dict[str, str] = body["error"]
    return error


async def test_one_message() -> None:
    gateway = Gateway()
    response = await post(gateway, GOOD)
    assert response.status_code == 202
    (result,) = response.json()["results"]
    assert response.json() == {"accepted": 1, "refused": 0, "results": [result]}
    assert result.keys() == {"index", "id", "segments"} and len(result["id"]) == 11
    assert gateway.stored[0].destination.addr == "447700900123"


async def test_a_batch_with_bad_items_among_good_ones() -> None:
    gateway = Gateway()
    items = [GOOD, {**GOOD, "to": "nobody"}, {**GOOD, "text": "x" * 200, "lane": "otp"}, 5, {**GOOD, "frm": "x"}]
    response = await post(gateway, items)
    assert response.status_code == 202
    body = response.json()
    assert (body["accepted"], body["refused"]) == (2, 3)
    assert [result["index"] for result in body["results"]] == [0, 1, 2, 3, 4]
    assert [result.get("segments") for result in body["results"]] == [1, None, 2, None, None]
    assert [result.get("error", {}).get("code") for result in body["results"]] == [
        None, "recipient_letters", None, "not_an_object", "unknown_field"
    ]  # fmt: skip
    assert body["results"][4]["error"]["message"] == "there is no field frm; did you mean from?"
    assert [message.lane for message in gateway.stored] == [Lane.TRANSACTIONAL, Lane.OTP]


async def test_a_whole_batch_is_one_call_of_the_store() -> None:
    gateway = Gateway()
    assert (await post(gateway, [GOOD] * 50)).json()["accepted"] == 50
    assert [len(batch) for batch in gateway.batches] == [50]


async def test_no_good_item_is_422_and_the_store_is_not_asked() -> None:
    gateway = Gateway(failure=StoreUnavailable("not to be asked"))
    response = await post(gateway, [{"to": "x", "text": "y"}])
    assert response.status_code == 422
    assert (response.json()["accepted"], response.json()["refused"]) == (0, 1)


@pytest.mark.parametrize("headers", [{"Idempotency-Key": "batch-1"}, {}])
async def test_a_repeated_request_stores_nothing_twice(headers: dict[str, str]) -> None:
    gateway = Gateway()
    items = [GOOD, {**GOOD, "text": "second"}]
    if not headers:
        items = [{**item, "client_ref": f"r{number}"} for number, item in enumerate(items)]
    first = await post(gateway, items, **headers)
    second = await post(gateway, items, **headers)
    assert second.status_code == 202
    assert [r["id"] for r in second.json()["results"]] == [r["id"] for r in first.json()["results"]]
    assert [r.get("repeated") for r in second.json()["results"]] == [True, True]
    assert len(gateway.stored) == 2


async def test_the_same_key_with_another_message_is_a_conflict() -> None:
    gateway = Gateway()
    await post(gateway, GOOD, **{"Idempotency-Key": "k"})
    response = await post(gateway, {**GOOD, "text": "another"}, **{"Idempotency-Key": "k"})
    assert response.status_code == 422
    (result,) = response.json()["results"]
    assert result["error"]["code"] == "idempotency_conflict"
    assert len(gateway.stored) == 1


async def test_a_repeat_of_one_whose_time_is_over_is_still_a_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway()
    item = {**GOOD, "client_ref": "r", "valid_until": _in_s(60)}
    (first,) = (await post(gateway, item)).json()["results"]
    monkeypatch.setattr("tests.api.gateway.NOW_UTC_MS", NOW_UTC_MS + 60_000)
    (again,) = (await post(gateway, item)).json()["results"]
    assert again == {**first, "repeated": True}
    for late, code in (
        ({**item, "text": "another"}, "idempotency_conflict"),
        ({**item, "client_ref": "s"}, "valid_until_past"),
        ({**item, "client_ref": None}, "valid_until_past"),
    ):
        response = await post(gateway, late)
        (result,) = response.json()["results"]
        assert (response.status_code, result["error"]["code"]) == (422, code)
    families = text_string_to_metric_families(gateway.metrics.exposition().decode())
    refused = {s.labels["code"]: s.value for family in families for s in family.samples if "code" in s.labels}
    assert refused == {"idempotency_conflict": 1, "valid_until_past": 2}
    assert len(gateway.stored) == 1


def _in_s(seconds: int) -> str:
    return iso(NOW_UTC_MS + seconds * 1000) or ""


async def test_no_reference_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway()
    monkeypatch.setattr(gateway, "_accept_one", lambda message: Acceptance(AcceptStatus.NO_REFERENCE, 0, 0))
    response = await post(gateway, GOOD)
    (result,) = response.json()["results"]
    assert (response.status_code, result["error"]["code"]) == (422, "references_in_use")
    assert 'long = "auto"' in result["error"]["message"]


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "é"])
async def test_idempotency_keys_that_cannot_be_used(key: str) -> None:
    async with Gateway().client() as client:
        headers = [(b"Idempotency-Key", key.encode())]
        response = await client.post("/v1/messages", content=json.dumps(GOOD), headers=headers)
    assert fault(response)["code"] == "idempotency_key_invalid"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_body"),
        (b'{"to": "+44', "not_json"),
        (b"\xff", "not_json"),
        (b"[" * 9000, "not_json"),
        ([], "empty_batch"),
        ("text", "not_a_message"),
        ([GOOD] * 51, "batch_too_large"),
        (b" " * 20_001, "body_too_large"),
    ],
)
async def test_bodies_that_are_refused(body: Any, code: str) -> None:
    gateway = Gateway()
    assert fault(await post(gateway, body))["code"] == code
    assert gateway.stored == []


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    body = json.dumps(GOOD).encode()
    assert (await post(Gateway(), body + b" " * (20_000 - len(body)))).status_code == 202


async def over_asgi(
    gateway: Gateway, receive: Callable[[], Awaitable[dict[str, Any]]], *headers: str
) -> httpx.Response:
    """POST /v1/messages as the server would hand it over; `headers` name and value in turn."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    pairs = [("x-api-key", KEY), *zip(headers[::2], headers[1::2], strict=True)]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/messages",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in pairs],
    }
    await gateway.app()(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=content)


async def test_a_body_without_a_declared_length_is_not_read_past_the_limit() -> None:
    received = 0

    async def endless() -> dict[str, Any]:
        nonlocal received
        received += 1000
        return {"type": "http.request", "body": b" " * 1000, "more_body": True}

    response = await over_asgi(Gateway(), endless)
    assert fault(response)["code"] == "body_too_large"
    assert response.headers["connection"] == "close"
    assert received == 21_000


@pytest.mark.parametrize("declared", ["20001", "9" * 5000])
async def test_a_declared_length_above_the_limit_is_refused_unread(declared: str) -> None:
    async def untouched() -> dict[str, Any]:
        raise AssertionError("the body was read")

    response = await over_asgi(Gateway(), untouched, "content-length", declared)
    assert fault(response)["code"] == "body_too_large"


async def test_a_body_that_breaks_off_is_not_accepted() -> None:
    parts: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": b"[", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def broken_off() -> dict[str, Any]:
        return next(parts)

    gateway = Gateway()
    assert fault(await over_asgi(gateway, broken_off))["code"] == "client_disconnected"
    assert gateway.stored == []


async def test_compressed_bodies_are_refused() -> None:
    response = await post(Gateway(), GOOD, **{"Content-Encoding": "gzip"})
    assert fault(response)["code"] == "content_encoding_unsupported"


@pytest.mark.parametrize(
    ("failure", "code", "retry_after"),
    [
        (StoreUnavailable("database or disk is full"), "store_unavailable", "5"),
        (stopping(), "stopping", "5"),
        (too_busy(), "too_busy", "1"),
        (StoreError("CHECK constraint failed"), "store_error", None),
        (RuntimeError("a bug"), "internal", None),
    ],
)
async def test_nothing_was_accepted(failure: Exception, code: str, retry_after: str | None) -> None:
    response = await post(Gateway(failure=failure), GOOD)
    error = fault(response)
    assert error["code"] == code
    assert str(failure) not in error["message"] or code in {"stopping", "too_busy"}
    assert response.headers.get("retry-after") == retry_after


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (StoreUnavailable("database or disk is full"), 503, "store_unavailable"),
        (StoreError("CHECK constraint failed"), 500, "store_error"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/messages/00000000000/cancel"), ("GET", "/v1/quarantine")])
async def test_the_store_cannot_tell(failure: Exception, status: int, code: str, method: str, path: str) -> None:
    async with Gateway(failure=failure).client() as client:
        response = await client.request(method, path)
    assert (response.status_code, fault(response)["code"]) == (status, code)


@pytest.mark.parametrize("failure", [StoreUnavailable("full"), StoreError("no")])
@pytest.mark.parametrize(
    "path", ["/v1/messages", "/v1/messages/00000000000", "/v1/inbound", "/v1/status", "/metrics"]
)
async def test_lookups_while_the_store_fails(path: str, failure: Exception) -> None:
    async with Gateway(failure=failure).client() as client:
        code = fault(await client.get(path))["code"]
    assert code == ("store_unavailable" if isinstance(failure, StoreUnavailable) else "store_error")


@pytest.mark.parametrize(
    ("method", "path", "code", "allowed"),
    [
        ("GET", "/", "not_found", None),
        ("GET", "/v1/messages/", "not_found", None),
        ("POST", "/v2/messages", "not_found", None),
        ("DELETE", "/v1/messages", "method_not_allowed", "GET, POST"),
        ("PUT", "/v1/messages/x", "method_not_allowed", "GET"),
        ("POST", "/healthz", "method_not_allowed", "GET"),
    ],
)
async def test_paths_and_methods(method: str, path: str, code: str, allowed: str | None) -> None:
    async with Gateway().client() as client:
        response = await client.request(method, path)
    assert fault(response)["code"] == code
    assert response.headers.get("allow") == allowed


async def test_anything_that_came_in_can_be_named_in_the_answer() -> None:
    response = await post(Gateway(), b'{"to": "+447700900123", "text": "x", "\\ud800\\u0000": 1}')
    assert response.json()["results"][0]["error"]["code"] == "unknown_field"


async def test_counts() -> None:
    gateway = Gateway()
    await post(gateway, [GOOD, {**GOOD, "lane": "otp"}, {**GOOD, "to": "x"}], **{"Idempotency-Key": "k"})
    await post(gateway, [GOOD, {**GOOD, "text": "another"}], **{"Idempotency-Key": "k"})
    families = text_string_to_metric_families(gateway.metrics.exposition().decode())
    values = {
        (sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples
    }
    assert values["smppgw_messages_accepted_total", "app", "transactional"] == 1
    assert values["smppgw_messages_accepted_total", "app", "otp"] == 1
    assert values["smppgw_messages_repeated_total", "app"] == 1
    assert values["smppgw_messages_refused_total", "app", "recipient_letters"] == 1
    assert values["smppgw_messages_refused_total", "app", "idempotency_conflict"] == 1
    assert values["smppgw_http_batch_messages_sum",] == 5


# ---------------------------------------------------------------------------------------------------------------- #
# What was replaced; POST /v1/segments
# ---------------------------------------------------------------------------------------------------------------- #


async def test_a_result_tells_what_was_replaced() -> None:
    quoted = {**GOOD, "text": "“x”", "smart_encoding": True, "client_ref": "r"}
    gateway = Gateway()
    results = (await post(gateway, [quoted, GOOD])).json()["results"]
    assert results[0]["replaced"] == [{"at": 0, "from": "“", "to": '"'}, {"at": 2, "from": "”", "to": '"'}]
    assert "replaced" not in results[1]
    (repeated,) = (await post(gateway, quoted)).json()["results"]
    assert repeated == {"index": 0, "id": results[0]["id"], "segments": 1, "repeated": True}
    (conflict,) = (await post(gateway, {**quoted, "text": "“y”"})).json()["results"]
    assert conflict.keys() == {"index", "error"}


async def test_a_result_tells_how_many_parts_the_handset_gets() -> None:
    demo = settings().carriers["demo"]
    made = settings(
        carriers={"demo": demo.model_copy(update={"encoding": EncodingSettings(long=LongMessages.PAYLOAD)})},
        routes=[],
    )
    gateway = Gateway(made)
    long = {**GOOD, "text": "x" * 161, "client_ref": "r"}
    (first, second) = (await post(gateway, [long, GOOD])).json()["results"]
    assert (first["segments"], first["parts"]) == (1, 2)
    assert "parts" not in second
    (repeated,) = (await post(gateway, long)).json()["results"]
    assert repeated == {"index": 0, "id": first["id"], "segments": 1, "repeated": True}
    (cut,) = (await post(Gateway(), {**GOOD, "text": "x" * 161})).json()["results"]
    assert cut["segments"] == 2 and "parts" not in cut


async def plans(gateway: Gateway, body: Any, path: str = "/v1/segments", key: str | None = KEY) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with gateway.client(key) as client:
        return await client.post(path, content=content)


async def test_planning_stores_nothing() -> None:
    gateway = Gateway(failure=StoreUnavailable("not to be asked"))
    response = await plans(gateway, [{"text": "x" * 200}, {"to": 1}, {"text": "x", "send_at": "1999"}])
    assert response.status_code == 200
    long, bad, late = response.json()["results"]
    assert (long["index"], long["segment_count"], long["error"]) == (0, 2, None)
    assert (bad.keys(), bad["error"]["code"]) == ({"index", "error"}, "wrong_type")
    assert (late["segment_count"], late["error"]["code"]) == (1, "time_invalid")
    assert not gateway.batches


async def test_items_of_several_portions_are_numbered_on() -> None:
    gateway = Gateway(settings=settings(http=HttpSettings(max_body_octets=100_000)))
    items = [{**GOOD, "text": "x" * 1500}] * 40 + [5, GOOD]
    assert len(list(portions(items))) > 2
    results = (await plans(gateway, items)).json()["results"]
    assert [result["index"] for result in results] == list(range(42))
    body = (await post(gateway, items)).json()
    assert [result["index"] for result in body["results"]] == list(range(42))
    assert (body["accepted"], body["results"][40]["error"]["code"]) == (41, "not_an_object")
    assert [len(batch) for batch in gateway.batches] == [41], "it is one call of the store all the same"


async def test_one_plan() -> None:
    response = await plans(Gateway(), {"text": "x"})
    (result,) = response.json()["results"]
    assert response.json() == {"results": [result]}


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        (b"", "/v1/segments", "empty_body"),
        (b"{", "/v1/segments", "not_json"),
        ([], "/v1/segments", "empty_batch"),
        ("text", "/v1/segments", "not_a_message"),
        ([{"text": "x"}] * 51, "/v1/segments", "batch_too_large"),
        ({"text": "x" * 20_000}, "/v1/segments", "body_too_large"),
        ({"text": "x"}, "/v1/segments?to=1", "query_invalid"),
    ],
)
async def test_bodies_that_cannot_be_planned(body: Any, path: str, code: str) -> None:
    assert fault(await plans(Gateway(), body, path))["code"] == code
