"""Errors of the HTTP API: one shape, `{"error": {"code", "message", "field"}}`, and every code in one table.

Codes are stable; messages may be reworded. Codes of single items are below `ITEM_CODES` and `CONTENT_CODES`, next to
those that smppgw.addresses and smppgw.routing raise as Refusal.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from smppgw.errors import SmppgwError

#: Code of a whole request -> (status, what it means).
REQUEST_CODES: dict[str, tuple[int, str]] = {
    "not_json": (400, "the body is not JSON, or not UTF-8; the message says where"),
    "empty_body": (400, "the request has no body"),
    "idempotency_key_invalid": (400, "Idempotency-Key has more than 200 characters, or some outside printable ASCII"),
    "client_disconnected": (400, "the connection ended before the body did"),
    "key_missing": (401, "neither Authorization: Bearer nor X-Api-Key was sent"),
    "key_unknown": (401, "no account has this key"),
    "not_found": (404, "no such message of this account, or no such path"),
    "method_not_allowed": (405, "the path exists, but not for this method"),
    "too_late": (409, "the message cannot be cancelled any more: it is final, or being sent at this moment"),
    "body_too_large": (413, "the body is above http.max_body_octets"),
    "batch_too_large": (413, "the list has more than http.max_batch messages"),
    "content_encoding_unsupported": (415, "the body is compressed"),
    "empty_batch": (422, "the list is empty"),
    "not_a_message": (422, "the body is neither an object nor a list"),
    "query_invalid": (422, "a query parameter is unknown, or its value cannot be used"),
    "internal": (500, "a fault of the gateway; the log has the details"),
    "store_error": (500, "the store refused this batch; nothing of it was kept"),
    "store_unavailable": (503, "the store cannot be used now; the request had no effect"),
    "stopping": (503, "the gateway is stopping; nothing was accepted"),
    "too_busy": (503, "too many messages wait for the store; nothing was accepted"),
}

#: Code of one item -> what it means.
ITEM_CODES: dict[str, str] = {
    "not_an_object": "the item is not a JSON object",
    "unknown_field": "a field that does not exist; the message has the nearest known name",
    "missing_field": "a field that every message needs",
    "content_twice": "more than one of text, octets and wap_push",
    "conflicting_fields": "two fields that exclude each other, such as a message_waiting that is active with a count "
    "of 0; the message says which",
    "wrong_type": "the value has the wrong JSON type",
    "invalid_value": "the value is outside its limits",
    "unencodable": "U+0000 or half a surrogate pair, which can be neither sent nor stored, or characters that the "
    "alphabet asked for lacks; the message says which and where",
    "sender_missing": "no `from`, and the account has no default sender",
    "lane_unknown": "not one of otp, transactional, bulk",
    "validity_too_long": "above the account's max_validity_s",
    "time_invalid": "send_at or valid_until is no point in time",
    "valid_until_past": "valid_until is over already",
    "schedule_too_far": "send_at lies further ahead than the account's max_schedule_s",
    "schedule_after_validity": "valid_until is not after send_at",
    "tlv_unknown": "the carrier's vendor_tlvs have no such name; the message has the nearest",
    "tlv_not_allowed": "a TLV that the carrier's settings alone decide",
    "tlv_missing": "the carrier needs this TLV with every message",
    "tlv_invalid": "the value does not fit the TLV's type or size",
    "field_unsupported": "a field that this carrier's messages do not have",
    "replace_long": "replace_if_present or replace_type with a text of several segments",
    "carrier_unknown": "of POST /v1/segments: there is no such carrier; the message has the nearest, or all",
    "carrier_missing": "of POST /v1/segments: neither `to` nor `carrier` tell the carrier, and there are several",
    "references_in_use": "a long message that would expire before a reference is free: too many others from its "
    "sender to its recipient may still be on their way",
    "idempotency_conflict": "the same idempotency key came before with another message",
}

#: Of the planner, for one item: code -> what it means.
CONTENT_CODES: dict[str, str] = {
    "empty_text": "there is no text, or there are no octets",
    "too_long": "more segments than the account or the carrier takes; the message says how many it needs",
    "alphabet_unsupported": "an alphabet that the carrier takes no such texts in",
    "class_unsupported": "a message class, and the carrier takes none",
    "waiting_not_gsm7": "a waiting indication whose text is not stored, and the text is not in GSM-7",
    "octets_invalid": "octets that cannot be septets, and their data_coding says that they are",
    "udh_invalid": "a udh whose lengths do not add up, or with an element that handsets would ignore",
    "wap_push_invalid": "a WAP push that cannot be written; the message says why",
}


class ApiError(SmppgwError):
    """Ends a whole request. `code` is a row of REQUEST_CODES and decides the status."""

    def __init__(self, code: str, message: str, *, field: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = REQUEST_CODES[code][0]
        self.message = message
        self.field = field
        self.headers = dict(headers or {})


_LONGEST_MESSAGE = 500


def error_object(code: str, message: str, field: str = "") -> dict[str, str]:
    """The value of "error" in an answer."""
    if len(message) > _LONGEST_MESSAGE:
        message = message[: _LONGEST_MESSAGE - 3] + "..."
    fault = {"code": code, "message": message}
    if field:
        fault["field"] = field
    return fault


def to_json(value: Any) -> bytes:
    """Compact JSON in ASCII: anything that came in can go out again, whatever its characters."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, or nothing."""
    found = difflib.get_close_matches(word[:64], sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def nearest_or_all(word: str, known: Iterable[str]) -> str:
    """As `nearest`; where nothing is near, all that there are: `; there are X, Y`."""
    names = list(known)
    return nearest(word, names) or f"; there are {', '.join(names)}"
