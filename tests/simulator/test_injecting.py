from __future__ import annotations

from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import Smsc
from simulator.charsets import NAMES
from simulator.inbound import Command, Inbound, Order
from simulator.injecting import INJECT_NEEDED, INJECT_TAKES, InboundOptions, inject_order, injection
from simulator.injector import Injection
from smppgw.errors import Refusal
from smppgw.sms.encoding import Language, LongMessages, Waiting, WaitingKind


def read(text: str | None = "x", **options: Any) -> Injection:
    return injection("447700900001", "12345", text, options)


def test_nothing_told_is_what_a_handset_sends() -> None:
    assert read("hello") == Injection(inbound=Inbound(source="447700900001", destination="12345", text="hello"))


def test_python_and_the_order_take_the_same() -> None:
    in_python = {name.rstrip("_") for name in get_type_hints(InboundOptions)}
    assert in_python == INJECT_TAKES.keys() - INJECT_NEEDED - {"text"}


@pytest.mark.parametrize(
    ("option", "value", "field", "expected"),
    [
        ("octets", "00fF 01", "octets", b"\x00\xff\x01"),
        ("octets", b"\xff", "octets", b"\xff"),
        ("alphabet", "shift_jis", "alphabet", "shift_jis"),
        ("data_coding", 0xBF, "data_coding", 0xBF),
        ("message_class", 0, "message_class", 0),
        ("message_waiting", "voicemail", "waiting", Waiting(WaitingKind.VOICEMAIL)),
        ("message_waiting", "fax,off", "waiting", Waiting(WaitingKind.FAX, active=False)),
        ("message_waiting", "email, store, count=3", "waiting", Waiting(WaitingKind.EMAIL, store=True, count=3)),
        ("message_waiting", "fax,count=0", "waiting", Waiting(WaitingKind.FAX, active=False, count=0)),
        (
            "message_waiting",
            {"kind": "other", "active": False, "count": 0},
            "waiting",
            Waiting(WaitingKind.OTHER, active=False, count=0),
        ),
        ("udh", "06050415811582", "elements", ((5, b"\x15\x81\x15\x82"),)),
        ("ports", 2948, "elements", ((5, b"\x0b\x84\0\0"),)),
        ("ports", "2948", "elements", ((5, b"\x0b\x84\0\0"),)),
        ("ports", "2948:9200", "elements", ((5, b"\x0b\x84\x23\xf0"),)),
        ("ports", [2948, 9200], "elements", ((5, b"\x0b\x84\x23\xf0"),)),
        ("ports", {"destination": 2948, "source": 9200}, "elements", ((5, b"\x0b\x84\x23\xf0"),)),
        ("long", "sar", "long", LongMessages.SAR),
        ("packed", True, "packed", True),
        ("torn", True, "torn", True),
        ("national", "turkish", "national", (Language.TURKISH,)),
        ("national", "turkish,urdu", "national", (Language.TURKISH, Language.URDU)),
        ("national", ["urdu"], "national", (Language.URDU,)),
        ("max_octets", 20, "max_octets", 20),
        ("as", "data_sm", "command", Command.DATA_SM),
        ("as_", "data_sm", "command", Command.DATA_SM),
        ("esm_class", 0x08, "esm_class", 8),
        ("tlvs", {"0x1403": "3233", "user_response_code": "01"}, "tlvs", ((0x1403, b"23"), (0x205, b"\1"))),
        ("tlvs", {"5123": ["00", b"\xff"]}, "tlvs", ((5123, b"\0"), (5123, b"\xff"))),
        ("source_tons", "1,0", "source_tons", (1, 0)),
        ("source_tons", 2, "source_tons", (2,)),
        (
            "fields",
            {"protocol_id": "0x41", "service_type": "CMT", "destination_addr": 999},
            "fields",
            {"protocol_id": 65, "service_type": "CMT", "destination_addr": "999"},
        ),
    ],
)
def test_options_of_the_text(option: str, value: Any, field: str, expected: Any) -> None:
    asked = read(None if option == "octets" else "x", **{option: value})
    assert getattr(asked.inbound, field) == expected


@pytest.mark.parametrize(
    ("option", "value", "field", "expected"),
    [
        ("system_id", "alice", "system_id", "alice"),
        ("system_id", None, "system_id", None),
        ("reference", 0x1234, "reference", 0x1234),
        ("order", "reverse", "order", Order.REVERSE),
        ("order", "2,1,3", "order", (2, 1, 3)),
        ("order", [2, 1, 3], "order", (2, 1, 3)),
        ("duplicate", 2, "duplicate", (2,)),
        ("duplicate", "1, 2", "duplicate", (1, 2)),
        ("missing", [1, 2], "missing", (1, 2)),
        ("gap_s", 2, "gap_s", 2.0),
        ("count", 10, "count", 10),
    ],
)
def test_options_of_the_sending(option: str, value: Any, field: str, expected: Any) -> None:
    assert getattr(read(**{option: value}), field) == expected


@pytest.mark.parametrize("name", NAMES)
def test_every_alphabet_has_its_name(name: str) -> None:
    assert read(alphabet=name).inbound.alphabet == name


def test_elements_of_a_header_and_ports_go_together() -> None:
    assert read(udh="03240101", ports=1).inbound.elements == ((0x24, b"\1"), (5, b"\0\1\0\0"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, set()),
        ({"order": "reverse", "long": "sar", "packed": True}, set()),
        ({"alphabet": "gsm7"}, {"data_coding"}),
        ({"fields": {"data_coding": 3}}, {"data_coding"}),
        ({"long": "payload"}, {"carried"}),
        ({"as": "deliver_sm", "message_class": 0}, {"carried", "data_coding"}),
    ],
)
def test_what_a_scenario_may_not_change(options: dict[str, Any], told: set[str]) -> None:
    assert read(**options).told == told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"alphabit": "gsm7"}, "alphabit: inject does not take it (did you mean 'alphabet'?)"),
        ({"text": None}, "text: there is neither a text nor octets"),
        ({"text": 5}, "text: 5 is not text"),
        ({"octets": "0"}, "octets: '0' is not hexadecimal, two digits for each octet"),
        ({"octets": 5}, "octets: 5 is not text"),
        ({"alphabet": "ucs"}, "alphabet: unknown 'ucs' (did you mean 'ucs2'?); known: gsm7,"),
        ({"data_coding": 256}, "data_coding: 256 is not a number from 0 to 255"),
        ({"data_coding": True}, "data_coding: True is not a number"),
        ({"message_class": 4}, "message_class: 4 is not a number from 0 to 3"),
        ({"message_waiting": "voice"}, "message_waiting: unknown 'voice' (did you mean 'voicemail'?)"),
        ({"message_waiting": "fax,soon"}, "message_waiting: unknown 'soon'; known: off, kind, active, store, count"),
        ({"message_waiting": "fax,count=x"}, "message_waiting: 'x' is not a number from 0 to 255"),
        ({"message_waiting": {}}, "message_waiting: unknown ''"),
        ({"message_waiting": 3}, "message_waiting: 3 is not text"),
        ({"ports": "one"}, "ports: 'one' is not a port"),
        ({"ports": [1, 2, 3]}, "ports: [1, 2, 3] is neither a port nor two"),
        ({"ports": {"source": 1}}, "ports: {'source': 1} does not have destination and source"),
        ({"ports": 70_000}, "the destination port 70000 does not exist"),
        ({"udh": "0500"}, "its length octet (UDHL) says 5, and 1 octets follow"),
        ({"udh": "xx"}, "udh: 'xx' is not hexadecimal"),
        ({"long": "sars"}, "long: unknown 'sars' (did you mean 'sar'?)"),
        ({"packed": 1}, "packed: 1 is neither true nor false"),
        ({"national": "turkis"}, "national: unknown 'turkis' (did you mean 'turkish'?)"),
        ({"max_octets": 7}, "max_octets: 7 is not a number from 8 to 254"),
        ({"order": "backwards"}, "order: unknown 'backwards'; known: straight, reverse, shuffled"),
        ({"order": "2,x"}, "order: 'x' is not a number from 1 to 255"),
        ({"order": []}, "order: it is empty"),
        ({"missing": [0]}, "missing: 0 is not a number from 1 to 255"),
        ({"gap_s": -1}, "gap_s: -1 is not a number of seconds"),
        ({"gap_s": float("nan")}, "gap_s: nan is not a number of seconds"),
        ({"gap_s": float("inf")}, "gap_s: inf is not a number of seconds"),
        ({"as": "submit_sm"}, "as: unknown 'submit_sm'; known: deliver_sm, data_sm"),
        ({"tlvs": []}, "tlvs: [] is not an object"),
        (
            {"tlvs": {"user_reference": "00"}},
            "tlvs: 'user_reference' is no tag, such as 0x1403 or user_response_code",
        ),
        ({"tlvs": {"0x10000": "00"}}, "tlvs: the tag 0x10000 does not fit into two octets"),
        ({"tlvs": {"1": "0"}}, "tlvs.1: '0' is not hexadecimal"),
        ({"source_tons": "1,256"}, "source_tons: 256 is not a number from 0 to 255"),
        ({"fields": 1}, "fields: 1 is not an object"),
        ({"fields": {"protocolid": 1}}, "fields: deliver_sm has no 'protocolid' (did you mean 'protocol_id'?)"),
        ({"fields": {"protocol_id": 1}, "as": "data_sm"}, "fields: data_sm has no 'protocol_id'"),
        ({"fields": {"protocol_id": "x"}}, "fields.protocol_id: 'x' is not a number from 0 to 255"),
        ({"fields": {"short_message": "x"}}, "fields: the content is told by text or octets"),
        ({"count": 0}, "count: 0 is not a number from 1"),
        ({"count": 2, "per_s": 0}, "per_s: 0 is not a number above 0, up to 1000000"),
        ({"count": 2, "per_s": 1e308}, "per_s: 1e+308 is not a number above 0"),
        ({"per_s": 5}, "per_s: how many texts there are is told by count"),
        ({"system_id": 5}, "system_id: 5 is not text"),
    ],
)
def test_mistakes_are_told(options: dict[str, Any], told: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(**({"text": "x"} | options))
    assert refused.value.text.startswith(told) or told in refused.value.text
    assert refused.value.field


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["1,2", "sar", "00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(INJECT_TAKES)) | st.text(max_size=5), JSON, max_size=5))
def test_whatever_is_ordered_ends_in_an_answer_or_a_refusal(arguments: dict[str, Any]) -> None:
    """Far from any session: nobody is bound, so that what can be read ends in `no_receiver`."""
    with pytest.raises(Refusal):
        inject_order(Smsc(), {"from": "1", "to": "2", "text": "x"} | arguments | {"system_id": None})


def test_what_an_order_needs() -> None:
    with pytest.raises(Refusal) as refused:
        inject_order(Smsc(), {"text": "x"})
    assert refused.value.text == "inject needs from and to"
