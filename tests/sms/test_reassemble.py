"""Joining: order, repeats, pairs that others split, and every way in which segments do not belong together."""

from __future__ import annotations

import random

import pytest

from smppgw.sms.reassemble import join
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
        ("no concatenation", [b"\x04\x24\x01\x01\x00a"], True, "no concatenation element"),
    ],
)
def test_what_does_not_belong_together(name: str, segments: list[bytes], udhi: bool, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        join(segments, data_coding=0, udhi=udhi)
