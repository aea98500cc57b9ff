"""Octets from an SMSC to text: golden vectors for each group, and any octets at all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.sms.dcs import decode_text
from smppgw.sms.encoding import DefaultAlphabet, Encoding, Packing
from tests.sms.vectors import named


@pytest.mark.parametrize("vector", named("decoding"))
def test_golden_decoding(vector: dict[str, Any]) -> None:
    octets = bytes.fromhex(vector["octets"])
    assert decode_text(octets, vector["data_coding"], vector["udhi"]) == vector["text"]


def test_each_data_coding_has_a_defined_reading() -> None:
    """ "Hi" in one octet a character is text in all but the two-octet alphabets."""
    two_octets = {dc for dc in range(256) if decode_text(b"\x00H\x00i", dc, False) == "Hi"}
    general = {dc for dc in range(0x80) if dc >> 2 & 3 == 2 and not dc & 0x20 and dc > 0x0E}
    assert two_octets == general | {0x08, 0x0B} | set(range(0xE0, 0xF0))
    others = set(range(256)) - two_octets - {0x05, 0x0D}  # those two are read as pairs, see the vectors
    assert {dc for dc in others if decode_text(b"Hi", dc, False) != "Hi"} == set()


@pytest.mark.parametrize("data_coding", [-1, 256, 264])
def test_a_data_coding_that_is_no_octet_does_not_raise(data_coding: int) -> None:
    assert isinstance(decode_text(b"\x00H", data_coding, False), str)


escapes = st.lists(st.sampled_from(b"\x1b$(BDJ@IA&.NO\x0e\x0f!0~\x80\xff"), max_size=12).map(bytes)  # of ISO 2022


@given(st.binary(max_size=300) | escapes, st.integers(0, 255) | st.integers(1, 14), st.booleans())
def test_never_raises_and_what_it_gives_can_be_stored(octets: bytes, data_coding: int, udhi: bool) -> None:
    text = decode_text(octets, data_coding, udhi)
    assert "\0" not in text
    text.encode("utf-8")  # raises on a lone surrogate


@pytest.mark.parametrize(
    ("encoding", "octets", "data_coding", "udhi", "text"),
    [
        (Encoding(DefaultAlphabet.LATIN1), b"@\xfc", 0, False, "@ü"),
        (Encoding(DefaultAlphabet.ASCII), b"@_", 0, False, "@_"),
        (Encoding(DefaultAlphabet.UTF8), "ü€".encode(), 0, False, "ü€"),
        (Encoding(DefaultAlphabet.UTF8), b"\xff", 0, False, "\ufffd"),
        (Encoding(DefaultAlphabet.LATIN1), b"\x00", 0, False, "\u2400"),
        (Encoding(DefaultAlphabet.LATIN1), b"\x00H", 8, False, "H"),
        (Encoding(DefaultAlphabet.LATIN1), b"\x00", 1, False, "\u2400"),  # the table, as for everybody
        (Encoding(gsm7_data_coding=3), b"\x00", 3, False, "@"),
        (Encoding(ucs2_data_coding=0x18), b"\x00H", 0x18, False, "H"),
        (Encoding(packing=Packing.PACKED), bytes.fromhex("e8329bfd4697d9ec37"), 0, False, "hellohello"),
        (Encoding(packing=Packing.PACKED), bytes.fromhex("0500030002019069101d5d96971b"), 0, True, "Hi there"),
    ],
)
def test_what_an_smsc_means_by_its_default_alphabet(
    encoding: Encoding, octets: bytes, data_coding: int, udhi: bool, text: str
) -> None:
    assert decode_text(octets, data_coding, udhi, encoding) == text


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff\ufffe")))
def test_ucs2_of_any_text_comes_back(text: str) -> None:
    assert decode_text(text.encode("utf-16-be"), 8, False) == text
