from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.smpp import Tag, Tlvs, values_of
from smppgw.smpp.tlv import TlvError, read_tlvs, text_of, u8_of, write_tlvs
from tests.smpp.samples import tlv_maps


@given(tlv_maps, st.binary(max_size=5))
def test_what_is_written_is_read(tlvs: dict[int, bytes], before: bytes) -> None:
    stream = before + write_tlvs(tlvs)
    assert read_tlvs(stream, len(before), len(stream)) == tlvs


def test_order_and_repeats_are_kept() -> None:
    stream = bytes.fromhex("1401 0001 aa  0381 0002 0102  1400 0000  0381 0001 03  0381 0000")
    tlvs = read_tlvs(stream, 0, len(stream))
    assert list(tlvs.items()) == [(0x1401, b"\xaa"), (0x0381, b"\1\2"), (0x1400, b"")]
    assert tlvs.get(Tag.CALLBACK_NUM) == b"\1\2"
    assert values_of(tlvs, Tag.CALLBACK_NUM) == [b"\1\2", b"\3", b""]
    assert values_of(tlvs, 0x1401) == [b"\xaa"]
    assert values_of(tlvs, Tag.MESSAGE_STATE) == []
    assert len(write_tlvs(tlvs)) == len(stream)


def test_repeats_count_in_comparisons() -> None:
    once, twice = Tlvs([(5, b"a")]), Tlvs([(5, b"a"), (5, b"b")])
    assert once == {5: b"a"}
    plain = {5: b"a"}
    assert plain == once
    assert twice != once
    assert twice != {5: b"a"}
    assert plain != twice
    assert twice == Tlvs([(5, b"a"), (5, b"b")])
    assert repr(twice) == "Tlvs([(5, b'a'), (5, b'b')])"


@pytest.mark.parametrize(
    ("stream", "read", "says"),
    [
        ("00", {}, "1 octets are too few"),
        ("001e00", {}, "3 octets are too few"),
        ("0427 0001 02 04", {0x427: b"\2"}, "1 octets are too few"),
        ("0427 0001 02 001e 0041 6162", {0x427: b"\2"}, "TLV 0x001E claims 65 octets, 2 are left"),
    ],
)
def test_a_stream_that_ends_early_gives_what_was_whole(stream: str, read: dict[int, bytes], says: str) -> None:
    octets = bytes.fromhex(stream)
    with pytest.raises(TlvError, match=says) as caught:
        read_tlvs(octets, 0, len(octets))
    assert caught.value.read == read


@pytest.mark.parametrize(
    ("tlvs", "says"),
    [
        ({0x10000: b""}, "tag 0x10000"),
        ({-1: b""}, "tag -0x1"),
        ({0x424: bytes(65536)}, "TLV 0x0424 has 65536 octets"),
        ({0x424: "text"}, "TLV 0x0424 is a str"),
    ],
)
def test_what_does_not_fit_is_named(tlvs: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        write_tlvs(tlvs)


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [
        (b"", None, ""),
        (b"\0", 0, ""),
        (b"\2", 2, "\2"),
        (b"ab\0", None, "ab"),
        (b"ab", None, "ab"),
        (b"\xe9\0x", None, "é"),
    ],
)
def test_reading_single_values(value: bytes, number: int | None, text: str) -> None:
    assert u8_of({5: value}, 5) == number
    assert text_of({5: value}, 5) == text


def test_absent_values() -> None:
    assert u8_of({}, 5) is None
    assert text_of({}, 5) == ""
