"""One item: the fields that few messages have, their limits, and what tells a repeat."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smppgw.addresses import Address
from smppgw.api.item import (
    _LIKE,
    RARE,
    CommonIn,
    MessageIn,
    SegmentsIn,
    digest_parts,
    validated,
    validated_segments,
)
from smppgw.errors import Refusal

GOOD = {"to": "+447700900123", "text": "Hello"}
SOURCE, DESTINATION = Address(5, 0, "Example"), Address(1, 1, "447700900123")


def test_few_messages_have_them() -> None:
    assert {
        *("octets", "wap_push", "alphabet", "smart_encoding", "on_unencodable", "message_class", "message_waiting"),
        *("ports", "udh", "data_coding", "replace_type", "send_at", "valid_until"),
        *("service_type", "protocol_id", "priority", "replace_if_present", "tlvs"),
    } == RARE
    assert type(validated(GOOD)) is CommonIn
    assert type(validated({**GOOD, "priority": 0})) is MessageIn


@pytest.mark.parametrize(
    "rare",
    [
        {"service_type": "CMT"},
        {"service_type": ""},
        {"protocol_id": 0},
        {"protocol_id": 255},
        {"priority": 3},
        {"replace_if_present": True},
        {"tlvs": {"campaign": "x", "product": 7}},
        {"alphabet": "latin1", "smart_encoding": False, "on_unencodable": "refuse"},
        {"message_class": 0},
        {"message_class": 3, "udh": "0401020003"},
        {"replace_type": 7},
        {"send_at": "whenever", "valid_until": ""},  # moments reads them
        dict.fromkeys(RARE),
    ],
)
def test_good(rare: dict[str, Any]) -> None:
    found = validated({**GOOD, **rare})
    assert {name: getattr(found, name) for name in rare} == rare


@pytest.mark.parametrize(
    ("rare", "code", "field", "message"),
    [
        ({"service_type": "TOOBIG"}, "invalid_value", "service_type", "at most 5"),
        ({"service_type": "CMÜ"}, "invalid_value", "service_type", "pattern"),
        ({"service_type": "A\n"}, "invalid_value", "service_type", "pattern"),
        ({"service_type": "A\0"}, "unencodable", "service_type", "position 1"),
        ({"service_type": 1}, "wrong_type", "service_type", "valid string"),
        ({"protocol_id": 256}, "invalid_value", "protocol_id", "less than or equal to 255"),
        ({"protocol_id": -1}, "invalid_value", "protocol_id", "greater than or equal to 0"),
        ({"protocol_id": True}, "wrong_type", "protocol_id", "valid integer"),
        ({"protocol_id": 1.5}, "wrong_type", "protocol_id", "valid integer"),
        ({"priority": 4}, "invalid_value", "priority", "less than or equal to 3"),
        ({"priority": "1"}, "wrong_type", "priority", "valid integer"),
        ({"replace_if_present": 1}, "wrong_type", "replace_if_present", "valid boolean"),
        ({"tlvs": ["campaign"]}, "wrong_type", "tlvs", 'tlvs: must be an object such as {"campaign": "spring"}'),
        ({"tlvs": {"campaign": None}}, "wrong_type", "tlvs.campaign", "valid integer; tlvs.campaign:"),
        ({"tlvs": {"campaign": True}}, "wrong_type", "tlvs.campaign", "valid string"),
        ({"tlvs": {"x" * 80: 1.5}}, "wrong_type", f"tlvs.{'x' * 61}...", "valid integer"),
        ({"priorty": 1}, "unknown_field", "priorty", "did you mean priority?"),
        ({"text": None, "priority": 1}, "missing_field", "text", "text: field required; or octets, or wap_push"),
        ({"alphabet": "utf8"}, "invalid_value", "alphabet", "'gsm7', 'ucs2', 'latin1' or 'ascii'"),
        ({"on_unencodable": "drop"}, "invalid_value", "on_unencodable", "'transliterate'"),
        ({"smart_encoding": "yes"}, "wrong_type", "smart_encoding", "valid boolean"),
        ({"message_class": 4}, "invalid_value", "message_class", "less than or equal to 3"),
        ({"message_class": True}, "wrong_type", "message_class", "valid integer"),
        ({"replace_type": 0}, "invalid_value", "replace_type", "greater than or equal to 1"),
        ({"udh": "0"}, "invalid_value", "udh", "octets in hexadecimal"),
        ({"udh": "café"}, "invalid_value", "udh", "octets in hexadecimal"),
        ({"octets": "00"}, "content_twice", "octets", "text and octets"),
        ({"wap_push": {"url": "http://a.example", "text": "x"}}, "content_twice", "wap_push", "text and wap_push"),
        ({"message_waiting": {}}, "missing_field", "message_waiting.kind", "field required"),
        ({"message_waiting": {"kind": "post"}}, "invalid_value", "message_waiting.kind", "'voicemail'"),
        ({"message_waiting": {"kind": "fax", "count": 256}}, "invalid_value", "message_waiting.count", "255"),
        ({"message_waiting": {"kind": "fax", "activ": True}}, "unknown_field", "message_waiting.activ", "active?"),
        ({"ports": {"destination": 65536}}, "invalid_value", "ports.destination", "65535"),
        ({"ports": 5000}, "wrong_type", "ports", 'ports: must be an object such as {"destination": 5505}'),
        ({"message_waiting": "fax"}, "wrong_type", "message_waiting", 'such as {"kind": "voicemail"}'),
        (
            {"text": None, "wap_push": "u"},
            "wrong_type",
            "wap_push",
            'such as {"url": "http://www.example.com/", "text"',
        ),
        ({"ports": {"x" * 80: 1, "destination": 1}}, "unknown_field", f"ports.{'x' * 61}...", "no such field"),
        ({"ports": {"\ud800": 1, "destination": 1}}, "invalid_value", "ports", "valid string"),
        ({"data_coding": 4}, "conflicting_fields", "data_coding", "for octets"),
        ({"replace_type": 1, "protocol_id": 65}, "conflicting_fields", "protocol_id", "beside replace_type"),
        ({"valid_until": "x", "validity_s": 60}, "conflicting_fields", "validity_s", "beside valid_until"),
        (
            {"message_class": 0, "message_waiting": {"kind": "fax"}},
            *("conflicting_fields", "message_class", "beside message_waiting"),
        ),
    ],
)
def test_bad(rare: dict[str, Any], code: str, field: str, message: str) -> None:
    with pytest.raises(Refusal) as caught:
        validated({**GOOD, **rare})
    assert (caught.value.code, caught.value.field) == (code, field)
    assert message in caught.value.text


BINARY = {"to": "+447700900123", "octets": "00 FF"}
PUSH = {"to": "+447700900123", "wap_push": {"url": "http://a.example", "text": "x"}}


@pytest.mark.parametrize("name", _LIKE)
def test_what_an_object_is_like_is_one(name: str) -> None:
    text = {} if name == "wap_push" else {"text": "x"}
    found = validated({"to": "+447700900123", **text, name: json.loads(_LIKE[name])})
    assert getattr(found, name) is not None


def test_other_content_than_text() -> None:
    octets = validated({**BINARY, "text": None, "data_coding": 0})
    assert isinstance(octets, MessageIn)
    assert (octets.text, octets.octets, octets.wap_push, octets.data_coding) == ("", "00ff", None, 0)
    push = validated(PUSH)
    assert isinstance(push, MessageIn) and push.wap_push is not None
    assert (push.wap_push.kind, push.wap_push.url, push.wap_push.action) == ("si", "http://a.example", None)


def test_a_waiting_indication_may_be_empty() -> None:
    found = validated({**GOOD, "text": "", "message_waiting": {"kind": "voicemail", "active": False}})
    assert isinstance(found, MessageIn) and found.message_waiting is not None
    waiting = found.message_waiting
    assert (waiting.kind, waiting.active, waiting.store, waiting.count) == ("voicemail", False, False, None)


@pytest.mark.parametrize(
    ("item", "code", "field", "message"),
    [
        ({**BINARY, "octets": "0"}, "invalid_value", "octets", "two digits each, such as 00ff"),
        ({**BINARY, "alphabet": "gsm7"}, "conflicting_fields", "alphabet", "beside octets"),
        ({**BINARY, "smart_encoding": False}, "conflicting_fields", "smart_encoding", "leave one out"),
        ({**BINARY, "data_coding": 4, "message_class": 1}, "conflicting_fields", "data_coding", "message_class"),
        ({**BINARY, **PUSH}, "content_twice", "wap_push", "octets and wap_push"),
        ({**PUSH, "ports": {"destination": 1}}, "conflicting_fields", "ports", "beside wap_push"),
        ({**PUSH, "udh": "00"}, "conflicting_fields", "udh", "beside wap_push"),
        ({**PUSH, "wap_push": {"text": "x"}}, "missing_field", "wap_push.url", "field required"),
        ({**PUSH, "wap_push": {"url": "\0"}}, "unencodable", "wap_push.url", "U+0000 at position 0"),
        ({**PUSH, "wap_push": {"url": "u", "text": "\ud800"}}, "unencodable", "wap_push.text", "half of a surrogate"),
        ({**PUSH, "wap_push": {"url": "u", "href": "u"}}, "unknown_field", "wap_push.href", "no such field"),
        ({"octets": "00"}, "missing_field", "to", "to: field required"),
        ({"priority": 1}, "missing_field", "to", "to: field required; text: field required; or octets, or wap_push"),
        ({"to": "x", "priority": 1}, "missing_field", "text", "text: field required; or octets"),
    ],
)
def test_bad_content(item: dict[str, Any], code: str, field: str, message: str) -> None:
    with pytest.raises(Refusal) as caught:
        validated(item)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert message in caught.value.text


# ---------------------------------------------------------------------------------------------------------------- #
# Items that are only planned
# ---------------------------------------------------------------------------------------------------------------- #


def test_a_plan_needs_its_content_only() -> None:
    found = validated_segments({"text": "x"})
    assert (type(found), found.to, found.sender, found.carrier) == (SegmentsIn, "", None, None)
    assert validated_segments({"text": "x", "to": None, "carrier": None}) == found
    assert validated_segments({"octets": "00", "carrier": "demo"}).carrier == "demo"


@pytest.mark.parametrize(
    ("item", "code", "field", "message"),
    [
        ("text", "not_an_object", "", "at least `text`"),
        ({}, "missing_field", "text", "or octets, or wap_push"),
        ({"text": "x", "carier": "demo"}, "unknown_field", "carier", "did you mean carrier?"),
        ({"text": "x\0"}, "unencodable", "text", "position 1"),
        ({"text": "x", "carrier": "\ud800"}, "unencodable", "carrier", "position 0"),
        ({"text": "x", "to": 5}, "wrong_type", "to", "valid string"),
    ],
)
def test_bad_plans(item: Any, code: str, field: str, message: str) -> None:
    with pytest.raises(Refusal) as caught:
        validated_segments(item)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert message in caught.value.text


# ---------------------------------------------------------------------------------------------------------------- #
# What tells a repeat
# ---------------------------------------------------------------------------------------------------------------- #


def parts(**rare: Any) -> list[str]:
    return digest_parts(validated({**GOOD, **rare}), SOURCE, DESTINATION)


def test_what_an_item_does_not_say_leaves_its_digest_as_it_was() -> None:
    assert parts() == ["447700900123", "Hello", "", "", "", ""]
    assert parts(**dict.fromkeys(RARE)) == parts()


def test_what_it_says_tells_it_apart() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"service_type": "CMT"},
        {"service_type": ""},
        {"protocol_id": 0},
        {"priority": 0},
        {"replace_if_present": True},
        {"tlvs": {"a": 1}},
        {"tlvs": {"a": "1"}},
        {"tlvs": {"a": 1, "b": "\ud800\0"}},
        {"smart_encoding": False},
        {"message_class": 0},
        {"ports": {"destination": 1}},
        {"ports": {"destination": 1, "source": 1}},
        {"send_at": "2036-01-02T03:04:05Z"},
    ]
    found = ["\0".join(parts(**change)) for change in changes]
    assert len(set(found)) == len(changes)
    assert all(text.count("\0") == 5 + bool(change) for text, change in zip(found, changes, strict=True))


def test_the_order_of_tlvs_tells_nothing_apart() -> None:
    assert parts(tlvs={"a": 1, "b": 2}) == parts(tlvs={"b": 2, "a": 1})


def test_how_octets_are_written_tells_nothing_apart() -> None:
    def digest(octets: str) -> list[str]:
        return digest_parts(validated({**BINARY, "octets": octets}), SOURCE, DESTINATION)

    assert digest("00 FF") == digest("00ff") != digest("00fe")
    assert digest("00ff") != parts()
