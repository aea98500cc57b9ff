"""From an item's fields to what the planner is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from smppgw.api.content import _WISHING, Content, content_of, widening
from smppgw.api.item import RARE, MessageIn, validated
from smppgw.errors import Refusal
from smppgw.sms import udh
from smppgw.sms.encoding import (
    DEFAULT_ENCODING,
    NO_WISHES,
    Alphabet,
    Encoding,
    Language,
    LongMessages,
    Numbering,
    OnUnencodable,
    Waiting,
    WaitingKind,
    Wishes,
)
from smppgw.sms.reassemble import join
from smppgw.sms.wap import service_indication, service_loading

GOOD = {"to": "+447700900123", "text": "Hello"}
BINARY = {"to": "+447700900123", "octets": "00ff"}
PORTS = (5, bytes.fromhex("1388232d"))
WAP_PORTS = (5, bytes.fromhex("0b8423f0"))


def content(item: dict[str, Any], defaults: Wishes = NO_WISHES) -> Content:
    message = validated({"priority": 1, **item})
    assert isinstance(message, MessageIn)
    return content_of(message, defaults)


@pytest.mark.parametrize(
    ("fields", "wishes"),
    [
        ({}, NO_WISHES),
        ({"alphabet": "latin1"}, Wishes(alphabet=Alphabet.LATIN1)),
        ({"smart_encoding": True}, Wishes(smart=True)),
        ({"on_unencodable": "transliterate"}, Wishes(on_unencodable=OnUnencodable.TRANSLITERATE)),
        ({"message_class": 0}, Wishes(message_class=0)),
        ({"message_waiting": {"kind": "fax"}}, Wishes(waiting=Waiting(WaitingKind.FAX))),
        (
            {"message_waiting": {"kind": "other", "active": False, "store": True, "count": 0}},
            Wishes(waiting=Waiting(WaitingKind.OTHER, active=False, store=True, count=0)),
        ),
        ({"ports": {"destination": 5000, "source": 9005}}, Wishes(elements=(PORTS,))),
        ({"udh": "0401020003"}, Wishes(elements=((1, b"\0\x03"),))),
        (
            {"udh": "0401020003", "ports": {"destination": 5000, "source": 9005}},
            Wishes(elements=((1, b"\0\x03"), PORTS)),
        ),
    ],
)
def test_wishes_of_a_text(fields: dict[str, Any], wishes: Wishes) -> None:
    assert content({**GOOD, **fields}) == Content("Hello", wishes)


def test_every_field_that_says_something_of_the_content_is_looked_at() -> None:
    of_the_submit_sm = {"service_type", "protocol_id", "priority", "replace_if_present", "tlvs", "replace_type"}
    assert RARE - of_the_submit_sm - {"send_at", "valid_until"} == _WISHING


def test_the_accounts_wishes() -> None:
    defaults = Wishes(smart=True, on_unencodable=OnUnencodable.REFUSE)
    assert content(GOOD, defaults).wishes == defaults
    off = {"smart_encoding": False, "on_unencodable": "ucs2"}
    assert content({**GOOD, **off}, defaults).wishes == NO_WISHES


def test_octets() -> None:
    assert content({**BINARY, "data_coding": 0xF5}) == Content("", NO_WISHES, b"\0\xff", 0xF5)
    assert content({**BINARY, "message_class": 2}) == Content("", Wishes(message_class=2), b"\0\xff")


URL = "http://www.example.com/a"


@pytest.mark.parametrize(
    ("push", "octets", "text"),
    [
        ({"url": URL, "text": "Look"}, service_indication(URL, "Look"), f"Look {URL}"),
        (
            {"kind": "si", "url": URL, "text": "Look", "action": "signal-high", "id": "7"},
            *(service_indication(URL, "Look", action="signal-high", id="7"), f"Look {URL}"),
        ),
        ({"url": URL, "action": "delete", "id": "7"}, service_indication(URL, "", action="delete", id="7"), URL),
        ({"kind": "sl", "url": URL}, service_loading(URL), URL),
        ({"kind": "sl", "url": URL, "action": "cache"}, service_loading(URL, action="cache"), URL),
    ],
)
def test_wap_push(push: dict[str, str], octets: bytes, text: str) -> None:
    assert content({"to": "x", "wap_push": push}) == Content(text, Wishes(elements=(WAP_PORTS,)), octets)


@pytest.mark.parametrize(
    ("item", "code", "field"),
    [
        ({**GOOD, "udh": "00"}, None, None),
        ({**GOOD, "udh": "0301020003"}, "udh_invalid", "udh"),
        ({**GOOD, "udh": ""}, "udh_invalid", "udh"),
        ({**GOOD, "udh": "0605040b8423f0", "ports": {"destination": 1}}, "conflicting_fields", "ports"),
        ({**GOOD, "udh": "0404020102", "ports": {"destination": 1}}, "conflicting_fields", "ports"),
        ({"to": "x", "wap_push": {"url": URL}}, "wap_push_invalid", "wap_push.text"),
        ({"to": "x", "wap_push": {"url": "no url", "text": "x"}}, "wap_push_invalid", "wap_push.url"),
        (
            {"to": "x", "wap_push": {"url": URL, "text": "x", "action": "cache"}},
            "wap_push_invalid",
            "wap_push.action",
        ),
        ({"to": "x", "wap_push": {"kind": "sl", "url": URL, "text": "x"}}, "wap_push_invalid", "wap_push.text"),
        ({"to": "x", "wap_push": {"kind": "sl", "url": URL, "id": "x"}}, "wap_push_invalid", "wap_push.id"),
    ],
)
def test_refusals(item: dict[str, Any], code: str | None, field: str | None) -> None:
    if code is None:
        assert content(item).wishes == NO_WISHES
        return
    with pytest.raises(Refusal) as caught:
        content(item)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_what_is_planned_and_shown() -> None:
    text = content({**GOOD, "message_class": 0})
    planned = text.planned(1, DEFAULT_ENCODING)
    assert (planned.data_coding, planned.segments, text.shown(planned, DEFAULT_ENCODING)) == (
        0x10,
        (b"Hello",),
        "Hello",
    )
    octets = content({**BINARY, "data_coding": 8, "octets": "03b1"})
    planned = octets.planned(1, DEFAULT_ENCODING)
    assert (planned.data_coding, octets.shown(planned, DEFAULT_ENCODING)) == (8, "α")
    with pytest.raises(Refusal) as caught:
        content({**GOOD, "text": "x" * 200}).planned(1, DEFAULT_ENCODING)
    assert caught.value.code == "too_long"


# ---------------------------------------------------------------------------------------------------------------- #
# With 16 bits
# ---------------------------------------------------------------------------------------------------------------- #


def widened(item: dict[str, Any], encoding: Encoding = DEFAULT_ENCODING, most: int = 10) -> list[bytes] | None:
    made = content(item)
    planned = made.planned(most, encoding)
    assert planned.numbering is Numbering.NARROW
    function = widening(made, planned, most, encoding)
    assert function is not None
    segments = function()
    return None if segments is None else list(segments)


@pytest.mark.parametrize(
    ("item", "encoding"),
    [
        ({"text": "x" * 161}, DEFAULT_ENCODING),
        ({"text": "я" * 71}, DEFAULT_ENCODING),
        ({"text": "ışığı ğışı " * 20}, Encoding(national=tuple(Language))),
        ({"text": "x" * 161, "message_class": 0, "ports": {"destination": 1}}, DEFAULT_ENCODING),
    ],
)
def test_the_same_text_with_16_bits(item: dict[str, Any], encoding: Encoding) -> None:
    made = content({**GOOD, **item})
    planned = made.planned(10, encoding)
    segments = widened({**GOOD, **item}, encoding)
    assert segments is not None
    assert all(udh.parse(segment)[0][0] == udh.CONCATENATED_16_BIT for segment in segments)
    assert join(segments, data_coding=planned.data_coding, udhi=True, encoding=encoding) == item["text"]


def test_none_where_it_would_need_more_than_are_allowed() -> None:
    assert widened({**GOOD, "text": "x" * 306}, most=2) is None


def test_none_where_it_would_go_in_another_alphabet() -> None:
    """data_coding is on disk once for the message: GSM-7 it was, GSM-7 it stays."""
    turkish = Encoding(national=(Language.TURKISH,))
    # 298 septets in two parts beside 9 octets of UDH; beside 10 octets there would be three.
    item = {**GOOD, "text": "ş" * 2 + "x" * 296}
    assert widened(item, turkish, most=2) is None
    segments = widened(item, turkish, most=3)
    assert segments is not None and len(segments) == 3


@pytest.mark.parametrize("long", [LongMessages.UDH8, LongMessages.UDH16, LongMessages.SAR, LongMessages.PAYLOAD])
def test_a_carrier_whose_settings_say_how(long: LongMessages) -> None:
    made = content({**GOOD, "text": "x" * 161})
    encoding = Encoding(long=long)
    assert widening(made, made.planned(10, encoding), 10, encoding) is None


def test_one_segment_needs_no_reference() -> None:
    made = content(GOOD)
    assert widening(made, made.planned(10, DEFAULT_ENCODING), 10, DEFAULT_ENCODING) is None
