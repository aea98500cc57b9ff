from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.quirks import TextQuirks
from simulator.reading import STRAIGHT_READER, Part, Reader, Reading, content_of
from smppgw.smpp import DataSm, SubmitSm, Tag
from smppgw.sms import gsm7, udh
from smppgw.sms.encoding import (
    DefaultAlphabet,
    Encoding,
    Language,
    LongMessages,
    Packing,
    Waiting,
    WaitingKind,
    Wishes,
)
from smppgw.sms.plan import plan
from smppgw.sms.ports import Ports

SAR = {Tag.SAR_MSG_REF_NUM: b"\x01\x02", Tag.SAR_TOTAL_SEGMENTS: b"\x03", Tag.SAR_SEGMENT_SEQNUM: b"\x02"}
TURKISH = b"\x03\x24\x01\x01"  # single shift table
LATIN1 = Reader(TextQuirks(default_alphabet=DefaultAlphabet.LATIN1))
PACKED = Reader(TextQuirks(packing=Packing.PACKED))
LOSING = Reader(TextQuirks(shift_tables=False))


def read(text: bytes, reader: Reader = STRAIGHT_READER, **fields: Any) -> Reading:
    return reader.read(SubmitSm(short_message=text, **fields))


def test_the_payload_counts_where_short_message_is_empty() -> None:
    assert content_of(SubmitSm(tlvs={Tag.MESSAGE_PAYLOAD: b"long"})) == b"long"
    assert content_of(SubmitSm(short_message=b"short")) == b"short"
    assert content_of(DataSm(tlvs={Tag.MESSAGE_PAYLOAD: b"data"})) == b"data"
    assert content_of(DataSm()) == b""


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (read(b"\x00 \x1b\x65"), Reading("@ €", "gsm7")),
        (read("Grüße".encode("utf-16-be"), data_coding=8), Reading("Grüße", "ucs2")),
        (read(b"caf\xe9", data_coding=3), Reading("café", "latin1")),
        (read(b"a\xff", data_coding=4), Reading("a\\xff", "binary")),
        (read(b"\xdb", data_coding=6), Reading("л", None)),
        # classes
        (read(b"now", data_coding=0x10), Reading("now", "gsm7", message_class=0)),
        (read(b"\0n", data_coding=0x19), Reading("n", "ucs2", message_class=1)),
        (read(b"now", tlvs={Tag.DEST_ADDR_SUBUNIT: b"\x01"}), Reading("now", "gsm7", message_class=0)),
        (read(b"now", tlvs={Tag.DEST_ADDR_SUBUNIT: b"\x00"}), Reading("now", "gsm7")),
        (
            read(b"now", data_coding=0xF2, tlvs={Tag.DEST_ADDR_SUBUNIT: b"\x01"}),
            Reading("now", "gsm7", message_class=2),
        ),
        # message waiting
        (
            read(b"3 faxes", data_coding=0xD9),
            Reading("3 faxes", "gsm7", waiting=Waiting(WaitingKind.FAX, active=True, store=True)),
        ),
        # user data headers
        (
            read(b"\x05\x00\x03\x07\x02\x01part", esm_class=0x40),
            Reading("part", "gsm7", part=Part("udh8", 7, 1, 2)),
        ),
        (
            read(b"\x06\x08\x04\x07\x01\x02\x01part", esm_class=0x40),
            Reading("part", "gsm7", part=Part("udh16", 0x701, 1, 2)),
        ),
        (read(TURKISH + b"\x1bg", esm_class=0x40), Reading("ğ", "gsm7", single=Language.TURKISH)),
        (
            read(b"\x06\x05\x04\x0b\x84\x23\xf0\x01", esm_class=0x40, data_coding=4),
            Reading("\\x01", "binary", ports=Ports(2948, 9200)),
        ),
        (
            read(b"\x04\x04\x02\xe2\xe1x", esm_class=0x40),
            Reading("x", "gsm7", ports=Ports(0xE2, 0xE1)),
        ),
        # TLVs
        (read(b"part", tlvs=SAR), Reading("part", "gsm7", part=Part("sar", 0x102, 2, 3))),
        (read(b"part", tlvs=SAR | {Tag.SAR_TOTAL_SEGMENTS: b""}), Reading("part", "gsm7")),
        (read(b"", tlvs={Tag.MESSAGE_PAYLOAD: b"all"}), Reading("all", "gsm7", payload=True)),
        (
            STRAIGHT_READER.read(DataSm(tlvs={Tag.MESSAGE_PAYLOAD: b"all"})),
            Reading("all", "gsm7"),  # data_sm has nothing else
        ),
        # other readers
        (read(b"caf\xe9", LATIN1), Reading("café", "latin1")),
        (read(gsm7.pack(b"hello"), PACKED), Reading("hello", "gsm7")),
        (read(TURKISH + b"\x1bg", LOSING, esm_class=0x40), Reading("g", "gsm7")),
    ],
)
def test_what_a_phone_shows(reading: Reading, expected: Reading) -> None:
    assert reading == expected


def test_only_what_is_there_is_shown() -> None:
    assert Reading("x", "gsm7").as_json() == {"text": "x", "alphabet": "gsm7"}
    assert Reading(
        "x",
        "gsm7",
        0,
        Waiting(WaitingKind.VOICEMAIL, count=3),
        Language.URDU,
        Language.URDU,
        Ports(1, 2),
        Part("sar", 5, 1, 2),
    ).as_json() == {
        "text": "x",
        "alphabet": "gsm7",
        "message_class": 0,
        "message_waiting": {"kind": "voicemail", "active": True, "store": False, "count": 3},
        "locking_shift": "urdu",
        "single_shift": "urdu",
        "ports": {"destination": 1, "source": 2},
        "long": "sar",
        "reference": 5,
        "part": 1,
        "parts": 2,
    }
    assert Reading("x", None, payload=True).as_json() == {"text": "x", "alphabet": None, "long": "payload"}


@given(
    st.binary(max_size=80),
    st.integers(0, 255),
    st.integers(0, 255),
    st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=4)),
)
def test_whatever_comes_can_be_read_and_shown(
    octets: bytes, data_coding: int, esm_class: int, tlvs: dict[int, bytes]
) -> None:
    pdu = SubmitSm(short_message=octets, data_coding=data_coding, esm_class=esm_class, tlvs=tlvs)
    for reader in (STRAIGHT_READER, LATIN1, PACKED, LOSING):
        shown = reader.read(pdu).as_json()
        shown["text"].encode("utf-8")
        assert 0 <= reader.air_octets(pdu) <= len(octets) + 1  # fill bits may take one more


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"short_message": b"x" * 160}, 140),
        ({"short_message": b"x" * 161}, 141),
        ({"short_message": b"x" * 140, "data_coding": 4}, 140),
        ({"short_message": b"\x05\x00\x03\x07\x02\x01" + b"x" * 153, "esm_class": 0x40}, 140),
        ({"short_message": b"\x06\x08\x04\x07\x07\x02\x01" + b"x" * 152, "esm_class": 0x40}, 140),
        ({"short_message": b""}, 0),
    ],
)
def test_octets_in_the_air(fields: dict[str, Any], expected: int) -> None:
    assert STRAIGHT_READER.air_octets(SubmitSm(**fields)) == expected


@pytest.mark.parametrize(
    ("reader", "encoding"),
    [(STRAIGHT_READER, Encoding()), (PACKED, Encoding(packing=Packing.PACKED))],
    ids=["unpacked", "packed"],
)
@pytest.mark.parametrize("long", [LongMessages.UDH8, LongMessages.UDH16, LongMessages.SAR])
def test_it_reads_what_is_planned(reader: Reader, encoding: Encoding, long: LongMessages) -> None:
    text = "Görüşürüz, ığdır şeker çiğ ağaç. " * 12
    planned = plan(text, encoding=encoding._replace(long=long, national=(Language.TURKISH,)), reference=9)
    readings = [
        reader.read(SubmitSm(short_message=one, data_coding=planned.data_coding, esm_class=planned.esm_class))
        for one in planned.segments
    ]
    assert "".join(one.text for one in readings) == text
    assert {(one.locking, one.single) for one in readings} == {(planned.locking, planned.single)}
    assert planned.locking or planned.single
    if planned.esm_class:
        assert [one.part.part for one in readings if one.part] == list(range(1, len(readings) + 1))
        assert udh.concatenation(planned.segments[0]) is not None


def test_a_flash_message_is_read_as_one() -> None:
    planned = plan("now", wishes=Wishes(message_class=0))
    assert read(planned.segments[0], data_coding=planned.data_coding).message_class == 0


def test_parts_are_joined_before_they_are_read() -> None:
    halves = "😀".encode("utf-16-be")
    parts = [
        SubmitSm(short_message=b"\x05\x00\x03\x01\x02" + bytes((number,)) + half, esm_class=0x40, data_coding=8)
        for number, half in ((1, halves[:2]), (2, halves[2:]))
    ]
    assert STRAIGHT_READER.join(parts) == "😀"
    parts[1].data_coding = 4  # of another alphabet: each by itself
    assert STRAIGHT_READER.join(parts) == STRAIGHT_READER.read(parts[0]).text + STRAIGHT_READER.read(parts[1]).text
