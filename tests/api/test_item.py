"""One item: the fields that few messages have, their limits, and what tells a repeat."""

from __future__ import annotations

from typing import Any

import pytest

from smppgw.addresses import Address
from smppgw.api.item import RARE, CommonIn, MessageIn, digest_parts, validated
from smppgw.errors import Refusal

GOOD = {"to": "+447700900123", "text": "Hello"}
SOURCE, DESTINATION = Address(5, 0, "Example"), Address(1, 1, "447700900123")


def test_few_messages_have_them() -> None:
    assert {"service_type", "protocol_id", "priority", "replace_if_present", "tlvs"} == RARE
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
        ({"tlvs": ["campaign"]}, "wrong_type", "tlvs", "valid dictionary"),
        ({"tlvs": {"campaign": None}}, "wrong_type", "tlvs.campaign", "valid integer; tlvs.campaign:"),
        ({"tlvs": {"campaign": True}}, "wrong_type", "tlvs.campaign", "valid string"),
        ({"tlvs": {"x" * 80: 1.5}}, "wrong_type", f"tlvs.{'x' * 61}...", "valid integer"),
        ({"priorty": 1}, "unknown_field", "priorty", "did you mean priority?"),
    ],
)
def test_bad(rare: dict[str, Any], code: str, field: str, message: str) -> None:
    with pytest.raises(Refusal) as caught:
        validated({**GOOD, **rare})
    assert (caught.value.code, caught.value.field) == (code, field)
    assert message in caught.value.text


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
    ]
    found = ["\0".join(parts(**change)) for change in changes]
    assert len(set(found)) == len(changes)
    assert all(text.count("\0") == 5 + bool(change) for text, change in zip(found, changes, strict=True))


def test_the_order_of_tlvs_tells_nothing_apart() -> None:
    assert parts(tlvs={"a": 1, "b": 2}) == parts(tlvs={"b": 2, "a": 1})
