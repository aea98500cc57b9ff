"""What /openapi.json says beyond the code, and /docs: one page without scripts, so that it works on a closed network.

Owns descriptions and examples only; a test holds the codes and parameters named here to the tables of the code.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from html import escape
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from smppgw.api import schemas
from smppgw.api.faults import CONTENT_CODES, ITEM_CODES, REQUEST_CODES
from smppgw.api.item import MessageIn, SegmentsIn
from smppgw.api.queries import MESSAGE_PARAMETERS, PAGE_PARAMETERS, RECEIPT_PARAMETERS

DESCRIPTION = """\
Hand messages in, and read what became of each of them. A 202 means that the messages it lists are on disk; from then
on each reaches exactly one recorded fate. An error of a whole request is {"error": {"code", "message", "field"}}:
codes are stable, messages are for people. A POST that ended in 503, or without an answer, may be repeated safely when
it has an Idempotency-Key header, or its messages have a client_ref."""

_SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}]
_SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer KEY"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
}


def _errors(*codes: str) -> dict[int | str, dict[str, Any]]:
    """What a request may be answered with when it fails as a whole."""
    texts: defaultdict[int, list[str]] = defaultdict(list)
    for code in codes:
        status, text = REQUEST_CODES[code]
        texts[status].append(f"{code}: {text}")
    return {
        status: {"model": schemas.ErrorOut, "description": "; ".join(of_status)}
        for status, of_status in sorted(texts.items())
    }


_NO_KEY = ("key_missing", "key_unknown")
_STORE = ("store_unavailable", "store_error", "internal")
#: Of a POST of messages.
_BODY_CODES = (
    *("not_json", "empty_body", "client_disconnected", "body_too_large", "batch_too_large"),
    "content_encoding_unsupported",
)
_POST_CODES = (*_BODY_CODES, "idempotency_key_invalid", *_NO_KEY, *_STORE, "stopping", "too_busy")
_BATCH_CODES = "; ".join(f"{code}: {REQUEST_CODES[code][1]}" for code in ("empty_batch", "not_a_message"))


def _parameters(table: Mapping[str, str], *, needed: str = "") -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "required": name == needed, "description": text, "schema": {"type": "string"}}
        for name, text in table.items()
    ]


def _answer(model: type[BaseModel] | None, text: str) -> dict[str, Any]:
    return {"description": text, **({"model": model} if model else {})}


def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The model's schema in one piece: an OpenAPI document has no place for the `$defs` of a request's body."""
    schema = model.model_json_schema(by_alias=True)
    inner = schema.pop("$defs", {})

    def whole(value: Any) -> Any:
        if isinstance(value, list):
            return [whole(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            beside = {key: one for key, one in value.items() if key != "$ref"}
            return {**whole(inner[value["$ref"].rpartition("/")[2]]), **beside}
        return {key: whole(one) for key, one in value.items()}

    made: dict[str, Any] = whole(schema)
    return made


_MESSAGE_SCHEMA = _schema_of(MessageIn)
_SEGMENTS_SCHEMA = _schema_of(SegmentsIn)


def _body(schema: Mapping[str, Any]) -> dict[str, Any]:
    """One, or a list of them."""
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [schema, {"type": "array", "items": schema, "minItems": 1}]},
                "example": schema["examples"],
            }
        },
    }


POST_MESSAGES: dict[str, Any] = {
    "summary": "Hand in one message, or a list of messages",
    "description": (
        "Results come in the order of the request, one for each item; a bad item never affects the others. "
        "202: at least one is stored (or was, under the same idempotency key). 422: none is. "
        "Idempotency-Key covers the whole request, client_ref one message and wins over it. Codes of items: "
        + "; ".join(f"{code}: {text}" for code, text in (ITEM_CODES | CONTENT_CODES).items())
        + "; recipient_..., sender_...: the address; no_route: no carrier for this recipient."
    ),
    "status_code": 202,
    "responses": {
        202: _answer(schemas.BatchOut, "at least one message is stored"),
        422: _answer(
            schemas.BatchOut, f"no message was stored; or an error of the whole request, as for 400: {_BATCH_CODES}"
        ),
        **_errors(*_POST_CODES),
    },
    "openapi_extra": {
        "security": _SECURITY,
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "your name for this request: repeating it stores nothing twice",
                "schema": {"type": "string", "maxLength": 200},
            }
        ],
        "requestBody": _body(_MESSAGE_SCHEMA),
    },
}
POST_SEGMENTS: dict[str, Any] = {
    "summary": "How a message, or each of a list, would be sent, and what it would cost; nothing is stored or sent",
    "description": (
        "An item is a message as POST /v1/messages takes it, but `to` and `from` may be missing, and `carrier` may "
        "name one. What would be refused there has its `error` here, beside the plan where there can be one: of a "
        "text with too many segments, how many it needs."
    ),
    "responses": {
        200: _answer(schemas.PlansOut, "one result for each item, in order"),
        **_errors(*_BODY_CODES, *_NO_KEY, "internal"),
        422: {
            "model": schemas.ErrorOut,
            "description": "; ".join(
                f"{code}: {REQUEST_CODES[code][1]}" for code in ("empty_batch", "not_a_message", "query_invalid")
            ),
        },
    },
    "openapi_extra": {"security": _SECURITY, "requestBody": _body(_SEGMENTS_SCHEMA)},
}
GET_MESSAGE: dict[str, Any] = {
    "summary": "One message: verdict, segments, receipts, history",
    "responses": {
        200: _answer(schemas.MessageOut, "the message"),
        **_errors(*_NO_KEY, "not_found", "query_invalid", *_STORE),
    },
    "openapi_extra": {"security": _SECURITY},
}
POST_CANCEL: dict[str, Any] = {
    "summary": "Take a message back",
    "description": (
        "200: nothing of it was sent, and nothing will be. 202: the carrier has it, and is asked by cancel_sm; what "
        "came of that shows in the message's history. 202 with in_doubt: nobody can tell whether the carrier has it; "
        "nothing more of it is sent. Asking twice does no harm."
    ),
    "responses": {
        200: _answer(schemas.CancelOut, "cancelled"),
        202: _answer(schemas.CancelOut, "asked"),
        **_errors(*_NO_KEY, "not_found", "too_late", "query_invalid", *_STORE),
    },
    "openapi_extra": {"security": _SECURITY},
}
_LIST_ERRORS = _errors(*_NO_KEY, "query_invalid", *_STORE)
GET_MESSAGES: dict[str, Any] = {
    "summary": "Messages of the account, newest first",
    "responses": {200: _answer(schemas.MessagesOut, "a page"), **_LIST_ERRORS},
    "openapi_extra": {"security": _SECURITY, "parameters": _parameters(MESSAGE_PARAMETERS)},
}
GET_INBOUND: dict[str, Any] = {
    "summary": "Inbound texts, newest first",
    "description": (
        "The texts that came in over all carriers, shown to every account: numbers do not belong to accounts yet, so "
        "give a key only to apps that may read them all."
    ),
    "responses": {200: _answer(schemas.InboundsOut, "a page"), **_LIST_ERRORS},
    "openapi_extra": {"security": _SECURITY, "parameters": _parameters(PAGE_PARAMETERS)},
}
GET_RECEIPTS: dict[str, Any] = {
    "summary": "Receipts that found no message so far, newest first",
    "description": (
        "They are kept, and tried again when new ids appear. That a carrier's all stay here says that its ids are "
        "written in a way the settings do not tell: compare them with the smsc_id of its messages, then see "
        "ids.extract and ids.relation. Shown to every account: a receipt without a message has none."
    ),
    "responses": {200: _answer(schemas.ReceiptsOut, "a page"), **_LIST_ERRORS},
    "openapi_extra": {"security": _SECURITY, "parameters": _parameters(RECEIPT_PARAMETERS, needed="parked")},
}
GET_QUARANTINE: dict[str, Any] = {
    "summary": "PDUs of SMSCs that could not be read, newest first",
    "description": (
        "Kept, up to a number for each carrier, for people to look at; the sessions went on. Shown to every account: "
        "the octets may hold inbound texts and receipts of any."
    ),
    "responses": {200: _answer(schemas.QuarantineOut, "a page"), **_LIST_ERRORS},
    "openapi_extra": {"security": _SECURITY, "parameters": _parameters(PAGE_PARAMETERS)},
}
GET_BINDS: dict[str, Any] = {
    "summary": "Every bind: state, what limits it now, counters",
    "responses": {200: _answer(schemas.BindsOut, "all binds"), **_errors(*_NO_KEY)},
    "openapi_extra": {"security": _SECURITY},
}
GET_STATUS: dict[str, Any] = {
    "summary": "Carriers, their alarms and ids, and how much is open, by carrier and state",
    "responses": {200: _answer(schemas.StatusOut, "depths"), **_errors(*_NO_KEY, *_STORE)},
    "openapi_extra": {"security": _SECURITY},
}
HEALTHZ: dict[str, Any] = {"summary": "Is the process alive?", "responses": {200: _answer(None, "it is")}}
READYZ: dict[str, Any] = {
    "summary": "Can messages be accepted? A carrier that is down shows in the body but does not fail it",
    "description": "Needs no key, and names the carriers.",
    "responses": {200: _answer(schemas.ReadyOut, "yes"), 503: _answer(schemas.ReadyOut, "no; `reason` says why")},
}
METRICS: dict[str, Any] = {
    "summary": "Metrics in the text format of Prometheus",
    "description": "Needs no key, and names accounts, carriers and binds, but no message: keep it inside.",
    "responses": {200: {"description": "the metrics", "content": {"text/plain": {}}}},
}


def add_documentation(app: FastAPI) -> None:
    """Completes app.openapi() and serves /docs."""
    generated = app.openapi

    def openapi() -> dict[str, Any]:
        document = generated()
        document.setdefault("components", {})["securitySchemes"] = _SECURITY_SCHEMES
        for operations in document["paths"].values():
            for operation in operations.values():
                _drop_framework_errors(operation)
        for name in ("HTTPValidationError", "ValidationError"):
            document["components"].get("schemas", {}).pop(name, None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return HTMLResponse(page(openapi()))


def _drop_framework_errors(operation: dict[str, Any]) -> None:
    """FastAPI documents its own 422 wherever there is a parameter; ours has another shape."""
    schema = json.dumps(operation["responses"].get("422", {}))
    if "HTTPValidationError" in schema:
        del operation["responses"]["422"]


# ---------------------------------------------------------------------------------------------------------------- #
# The page
# ---------------------------------------------------------------------------------------------------------------- #

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222; }
h2 { margin-top: 2em; border-top: 1px solid #ccc; padding-top: 1em; } code, pre { font-size: 90%; }
pre { background: #f4f4f4; padding: .7em; overflow-x: auto; } td, th { vertical-align: top; text-align: left;
padding: .2em .8em .2em 0; } .verb { background: #234; color: #fff; padding: .1em .5em; border-radius: .3em; }
"""


def page(document: Mapping[str, Any]) -> str:
    """The OpenAPI document as HTML."""
    operations = [
        _operation(verb, path, operation, document)
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    ]
    info = document["info"]
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(info['title'])} API</title>"
        f"<style>{_STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>"
        f"<p>{escape(info['description'])}</p>"
        "<p>Send the API key as <code>Authorization: Bearer KEY</code> or <code>X-Api-Key: KEY</code>. "
        'For programs: <a href="openapi.json">openapi.json</a>.</p>' + "".join(operations) + "</html>"
    )


def _operation(verb: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    parts = [f"<h2><span class=verb>{verb.upper()}</span> <code>{escape(path)}</code></h2>"]
    parts.append(f"<p>{escape(operation.get('summary', ''))}.</p>")
    if "description" in operation:
        parts.append(f"<p>{escape(operation['description'])}</p>")
    rows = [(p["name"], f"{p['in']}: {p.get('description', '')}") for p in operation.get("parameters", [])]
    if rows:
        parts.append("<h3>Parameters</h3>" + _table(rows))
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body:
        one = body["schema"]["oneOf"][0]
        parts.append(f"<h3>{escape(one['title'])}</h3>" + _table(_fields(one)) + _example(body["example"]))
    parts.append("<h3>Answers</h3>" + _table([(s, r["description"]) for s, r in operation["responses"].items()]))
    parts.append(_response_fields(next(iter(operation["responses"].values())), document))
    return "".join(parts)


def _fields(schema: Mapping[str, Any], inside: str = "") -> list[tuple[str, str]]:
    """Name and description of each field, those of objects inside it included: `ports.destination`."""
    rows: list[tuple[str, str]] = []
    for name, field in schema["properties"].items():
        needed = " (required)" if name in schema.get("required", ()) else ""
        rows.append((f"{inside}{name}{needed}", field.get("description", "")))
        for one in field.get("anyOf", [field]):
            if "properties" in one:
                rows += _fields(one, f"{inside}{name}.")
    return rows


def _response_fields(response: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    models = document.get("components", {}).get("schemas", {})
    return "".join(_model(name, models) for name in _models_in(schema, models))


def _models_in(schema: Mapping[str, Any], models: Mapping[str, Any]) -> list[str]:
    """Names of the models in an answer, the outer ones first, each once."""
    names: list[str] = []
    for reference in re.findall(r"#/components/schemas/(\w+)", json.dumps(schema)):
        names += [reference, *_models_in(models[reference], models)]
    return list(dict.fromkeys(names))


def _model(name: str, models: Mapping[str, Any]) -> str:
    model = models[name]
    rows = [(field, _type(inner)) for field, inner in model["properties"].items()]
    title = f"<p><b>{escape(name.removesuffix('Out'))}</b>: {escape(model.get('description', ''))}</p>"
    return title + _table(rows) + "".join(map(_example, model.get("examples") or []))


def _type(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(inner) for inner in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2].removesuffix("Out")
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    text = schema.get("description")
    if "enum" in schema:
        words = "one of " + ", ".join(schema["enum"])
        return f"{words}: {text}" if text else words
    return str(schema.get("type", "any")) + (f": {text}" if text else "")


def _table(rows: list[tuple[str, str]]) -> str:
    return "<table>" + "".join(f"<tr><td><code>{escape(k)}</code><td>{escape(v)}" for k, v in rows) + "</table>"


def _example(value: object) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"
