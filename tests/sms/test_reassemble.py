"""Joining: order, repeats, pairs that others split, and every way in which segments do not belong together."""

from __future__ import annotations

import random

import pytest

from smppgw.sms import gsm7, national, udh
from smppgw.sms.encoding import DefaultAlphabet, Encoding, Language, Packing
from smppgw.sms.reassemble import join, join_parts
from smppgw.sms.udh import concatenation_header


def part(number: int, content: bytes, *, total: int = 2, reference: int = 9) -> bytes:
    return concatenation_header(reference, total, number) + content


def test_any_order_and_repeats() -> None:
    segments = [part(number, bytes([0x40 + number]) * 3, total=26) for number in range(1, 27)]
    random.Random(1).shuffle(segments)
    assert join(segments + segments[:5], data_coding=0, udhi=True) == "".join(chr(0x40 + n) * 3 for n in range(1, 27))


def test_a_16_bit_reference() -> None:
    segments = [b"\x06\x08\x04\x12\x34\x02\x02 you", b"\x06\x08\x04\x12\x34\x02\x01Thank"]
    assert join(segments, data_coding=0, udhi=True) == "Thank you"


def test_pairs_that_others_split() -> None:
    assert join([part(1, b"5 \x1b"), part(2, b"e")], data_coding=0, udhi=True) == "5 €"
    assert join([part(1, b"\xd8\x3d"), part(2, b"\xde\x00")], data_coding=8, udhi=True) == "😀"


def test_one_segment_without_udh() -> None:
    assert join([b"Hi"], data_coding=0, udhi=False) == "Hi"
    assert join([b"Hi", b"Hi"], data_coding=0, udhi=False) == "Hi"


@pytest.mark.parametrize(
    ("name", "segments", "udhi", "says"),
    [
        ("none", [], True, "not those of one message"),
        ("none without UDH", [], False, "cannot be joined"),
        ("two without UDH", [b"a", b"b"], False, "cannot be joined"),
        ("a missing one", [part(1, b"a", total=3), part(3, b"c", total=3)], True, r"parts \[2\] of 3"),
        ("a contradiction", [part(1, b"a"), part(1, b"b"), part(2, b"c")], True, "part 1 comes twice"),
        ("another reference", [part(1, b"a"), part(2, b"b", reference=8)], True, "not those of one message"),
        ("another total", [part(1, b"a", total=3), part(2, b"b")], True, "not those of one message"),
        ("no concatenation", [b"\x03\x24\x01\x01a", part(1, b"b")], True, "no concatenation element"),
        ("no concatenation, two", [b"\x03\x24\x01\x01a", b"\x03\x24\x01\x01b"], True, "no concatenation element"),
    ],
)
def test_what_does_not_belong_together(name: str, segments: list[bytes], udhi: bool, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        join(segments, data_coding=0, udhi=udhi)


def test_one_segment_with_a_udh_of_another_kind() -> None:
    segment = b"\x03\x24\x01\x01\x1bs"
    assert join([segment], data_coding=0, udhi=True) == "ş"
    assert join([segment, segment], data_coding=0, udhi=True) == "ş"
    assert join([b"\x06\x05\x04\x0b\x84\x23\xf0\xff"], data_coding=4, udhi=True) == "\\xff"


def national_parts(
    pieces: list[str], tables: list[tuple[Language | None, Language | None]], packed: bool
) -> list[bytes]:
    segments = []
    for number, (piece, pair) in enumerate(zip(pieces, tables, strict=True), 1):
        concatenation = bytes((9, len(pieces), number))
        header = udh.header([(udh.CONCATENATED_8_BIT, concatenation), *national.elements(*pair)])
        septets = national.encode(piece, *pair)
        assert septets is not None
        segments.append(header + (gsm7.pack(septets, udh.fill_bits(len(header))) if packed else septets))
    return segments


@pytest.mark.parametrize("packing", Packing)
@pytest.mark.parametrize("data_coding", [0, 0x10, 0xD0])
def test_shift_tables_are_those_of_each_part(packing: Packing, data_coding: int) -> None:
    """23.040, 9.2.3.24.15: an element is for the part that it stands in. The fill bits differ, too."""
    turkish, hindi = Language.TURKISH, Language.HINDI
    encoding = Encoding(packing=packing)
    pieces, tables = ["ığş", "नमस्ते {", "@€"], [(turkish, None), (hindi, hindi), (None, None)]
    segments = national_parts(pieces, tables, packing is Packing.PACKED)
    assert join(reversed(segments), data_coding=data_coding, udhi=True, encoding=encoding) == "ığşनमस्ते {@€"


def test_a_pair_that_others_split_by_national_tables() -> None:
    header = udh.header([(0, b"\x09\x02\x01"), (0x24, b"\x01")]), udh.header([(0, b"\x09\x02\x02"), (0x24, b"\x01")])
    assert join([header[0] + b"a\x1b", header[1] + b"s"], data_coding=0, udhi=True) == "aş"


@pytest.mark.parametrize(
    ("name", "encoding", "data_coding", "contents", "text"),
    [
        ("UCS-2 to the letter", Encoding(), 8, [b"\xfe\xff\x00", b"a"], "\ufeffa"),
        ("UCS-2 with a class, too", Encoding(), 0x18, [b"\xfe\xff\x00", b"a"], "\ufeffa"),
        ("Latin-1", Encoding(latin1_data_coding=3), 3, [b"\xe9", b"\xa0"], "é\xa0"),
        ("ASCII", Encoding(ascii_data_coding=1), 1, [b"@", b"["], "@["),
        ("octets", Encoding(), 4, [b"\x00", b"a"], "\\x00a"),
        ("default alphabet", Encoding(), 0, [b"\x1b", b"e"], "€"),
        ("default alphabet that is Latin-1", Encoding(DefaultAlphabet.LATIN1), 0, [b"\xfc", b"@"], "ü@"),
        ("with a class, too", Encoding(DefaultAlphabet.LATIN1), 0xF0, [b"\xfc", b"@"], "ü@"),
        ("default alphabet that is UTF-8", Encoding(DefaultAlphabet.UTF8), 0, [b"\xc3", b"\xbc"], "ü"),
        ("packed, with a class", Encoding(packing=Packing.PACKED), 0x10, [b"\x90", b"\xd2"], "Hi"),
    ],
)
def test_parts_without_udh(name: str, encoding: Encoding, data_coding: int, contents: list[bytes], text: str) -> None:
    fill_bits = 1 if encoding.packs else 0
    assert join_parts(contents, data_coding=data_coding, encoding=encoding, fill_bits=fill_bits) == text
