"""Octets from an SMSC to text: golden vectors for each group, and any octets at all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.sms import gsm7, national, udh
from smppgw.sms.dcs import DataCoding, decode, decode_text, describe
from smppgw.sms.encoding import Alphabet, DefaultAlphabet, Encoding, Language, Packing, Waiting, WaitingKind
from tests.sms.vectors import NATIONAL, VECTORS, named


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


# ---------------------------------------------------------------------------------------------------------------- #
# What a data_coding says
# ---------------------------------------------------------------------------------------------------------------- #


def in_words(told: DataCoding) -> str:
    words = [told.alphabet or "", *["compressed"] * told.compressed]
    if told.message_class is not None:
        words.append(f"class {told.message_class}")
    if told.waiting is not None:
        kind, active, store, count = told.waiting
        assert count is None
        words.append(f"{'store' if store else 'discard'} {'active' if active else 'inactive'} {kind.label}")
    return ", ".join(words)


def test_what_each_data_coding_says() -> None:
    expected = VECTORS["data_codings"]["table"]
    assert {f"{value:02X}": in_words(describe(value)) for value in range(256)} == dict(sorted(expected.items()))


@pytest.mark.parametrize(
    ("encoding", "data_coding", "told"),
    [
        (Encoding(gsm7_data_coding=3), 3, DataCoding(Alphabet.GSM7)),
        (Encoding(gsm7_data_coding=3), 0, DataCoding(Alphabet.GSM7)),
        (Encoding(gsm7_data_coding=0xF1), 0xF1, DataCoding(Alphabet.GSM7, 1)),
        (Encoding(ucs2_data_coding=4), 4, DataCoding(Alphabet.UCS2)),
        (Encoding(ucs2_data_coding=0x18), 0x18, DataCoding(Alphabet.UCS2, 0)),
        (Encoding(latin1_data_coding=1, ascii_data_coding=2), 1, DataCoding(Alphabet.LATIN1)),
        (Encoding(latin1_data_coding=1, ascii_data_coding=2), 2, DataCoding(Alphabet.ASCII)),
        (Encoding(binary_data_coding=6), 6, DataCoding(Alphabet.BINARY)),
        (Encoding(binary_data_coding=0xF5), 0xF5, DataCoding(Alphabet.BINARY, 1)),
        (Encoding(DefaultAlphabet.LATIN1), 0, DataCoding(Alphabet.GSM7)),  # to the handset
        (Encoding(DefaultAlphabet.LATIN1), 0xC8, DataCoding(Alphabet.GSM7, None, Waiting(WaitingKind.VOICEMAIL))),
    ],
)
def test_what_a_data_coding_says_at_one_smsc(encoding: Encoding, data_coding: int, told: DataCoding) -> None:
    assert describe(data_coding, encoding) == told


# ---------------------------------------------------------------------------------------------------------------- #
# All that a message tells
# ---------------------------------------------------------------------------------------------------------------- #

PACKED = Encoding(packing=Packing.PACKED)
LATIN1 = Encoding(DefaultAlphabet.LATIN1)


@pytest.mark.parametrize("vector", named("texts", NATIONAL))
@pytest.mark.parametrize("encoding", [Encoding(), PACKED])
@pytest.mark.parametrize("data_coding", [0, 0x10, 0xD0, 0xF1])
def test_shift_tables_that_the_udh_names(vector: dict[str, Any], encoding: Encoding, data_coding: int) -> None:
    septets = bytes.fromhex(vector["octets"]) if "octets" in vector else gsm7.unpack(bytes.fromhex(vector["packed"]))
    locking, single = (vector[one] and Language[vector[one].upper()] for one in ("locking", "single"))
    elements = national.elements(locking, single)
    header = udh.header([(0x00, b"\x2a\x02\x01"), *elements])
    octets = header + (gsm7.pack(septets, udh.fill_bits(len(header))) if encoding.packs else septets)
    found = decode(octets, data_coding, True, encoding)
    assert (found.text, found.alphabet, found.locking, found.single) == (vector["text"], "gsm7", locking, single)
    assert found.elements == ((0x00, b"\x2a\x02\x01"), *elements)
    assert found.octets == octets
    assert decode_text(octets, data_coding, True, encoding) == vector["text"]


@pytest.mark.parametrize(
    ("name", "encoding", "octets", "data_coding", "udhi", "text", "alphabet"),
    [
        ("flash, packed", PACKED, "e8329bfd4697d9ec37", 0x10, False, "hellohello", Alphabet.GSM7),
        ("flash in the SMSC's alphabet", LATIN1, "40fc", 0xF0, False, "@ü", Alphabet.GSM7),
        ("waiting in the SMSC's alphabet", LATIN1, "40fc", 0xC8, False, "@ü", Alphabet.GSM7),
        ("no septets, so no shift tables", LATIN1, "03240101 1b73", 0, True, "\x1bs", Alphabet.GSM7),
        ("UCS-2 has no shift tables", Encoding(), "03240101 0073", 8, True, "s", Alphabet.UCS2),
        ("Latin-1 by a value of its own", Encoding(latin1_data_coding=0xC4), "e9", 0xC4, False, "é", Alphabet.LATIN1),
        ("ASCII by a value of its own", Encoding(ascii_data_coding=0), "00", 1, False, "\u2400", Alphabet.ASCII),
        ("default alphabet before ASCII", Encoding(ascii_data_coding=0), "00", 0, False, "@", Alphabet.GSM7),
        ("binary by a value of its own", Encoding(binary_data_coding=6), "bf", 6, False, "\\xbf", Alphabet.BINARY),
        ("binary with ports", Encoding(), "0605040b8423f0 01", 4, True, "\\x01", Alphabet.BINARY),
        ("Cyrillic, which no handset has", Encoding(), "bf", 6, False, "П", None),
        (
            "an octet of the header that looks like a shift",
            Encoding(),
            "050003240201 1b65",
            0,
            True,
            "€",
            Alphabet.GSM7,
        ),
    ],
)
def test_what_is_read_how(
    name: str, encoding: Encoding, octets: str, data_coding: int, udhi: bool, text: str, alphabet: Alphabet | None
) -> None:
    found = decode(bytes.fromhex(octets), data_coding, udhi, encoding)
    assert (found.text, found.alphabet, found.locking, found.single) == (text, alphabet, None, None)
    assert found.octets == bytes.fromhex(octets)
    assert decode_text(bytes.fromhex(octets), data_coding, udhi, encoding) == text


VOICEMAIL, FAX = WaitingKind.VOICEMAIL, WaitingKind.FAX


@pytest.mark.parametrize(
    ("name", "data_coding", "header", "waiting"),
    [
        ("none", 0x00, "", None),
        ("by data_coding", 0xC8, "", Waiting(VOICEMAIL)),
        ("by data_coding, off, store", 0xD1, "", Waiting(FAX, active=False, store=True)),
        ("by the UDH", 0x00, "04 01028103", Waiting(FAX, True, True, 3)),
        ("by the UDH, none left", 0x00, "04 01020000", Waiting(VOICEMAIL, False, False, 0)),
        ("of two in the UDH the last", 0x00, "08 01020003 01020105", Waiting(FAX, True, False, 5)),
        ("by both", 0xC8, "04 01020003", Waiting(VOICEMAIL, True, False, 3)),
        ("by both, one says to store", 0xC8, "04 01028003", Waiting(VOICEMAIL, True, True, 3)),
        ("by both, the other says to store", 0xD8, "04 01020003", Waiting(VOICEMAIL, True, True, 3)),
        ("by both, of that kind", 0xC9, "08 01020105 01020003", Waiting(FAX, True, False, 5)),
        ("by both, of another kind", 0xC8, "04 01020105", Waiting(VOICEMAIL)),
        ("an element of another length", 0xC8, "03 010105", Waiting(VOICEMAIL)),
    ],
)
def test_message_waiting(name: str, data_coding: int, header: str, waiting: Waiting | None) -> None:
    octets = bytes.fromhex(header) + b"Hi"
    found = decode(octets, data_coding, bool(header))
    assert (found.waiting, found.text, found.message_class) == (waiting, "Hi", None)


encodings = st.builds(
    Encoding,
    default_alphabet=st.sampled_from(DefaultAlphabet),
    packing=st.sampled_from(Packing),
    gsm7_data_coding=st.sampled_from([0, 3, 0xF1]),
    ucs2_data_coding=st.sampled_from([8, 0x18, 4]),
    latin1_data_coding=st.sampled_from([None, 3, 1]),
    ascii_data_coding=st.sampled_from([None, 1]),
    binary_data_coding=st.sampled_from([4, 2, 0xF5]),
)
headers = st.lists(st.tuples(st.sampled_from([0x00, 0x01, 0x08, 0x24, 0x25]), st.binary(max_size=4)), max_size=4).map(
    udh.header
)


@given(st.one_of(st.binary(max_size=60), st.tuples(headers, st.binary(max_size=40)).map(b"".join)),
       st.integers(0, 255), st.booleans(), encodings)  # fmt: skip
def test_decoding_never_raises_and_keeps_the_octets(
    octets: bytes, data_coding: int, udhi: bool, encoding: Encoding
) -> None:
    found = decode(octets, data_coding, udhi, encoding)
    assert found.octets == octets
    assert found.text == decode_text(octets, data_coding, udhi, encoding)
    assert "\0" not in found.text
    found.text.encode("utf-8")  # raises on a lone surrogate
    assert found[1:3] == describe(data_coding, encoding)[:2]
    assert (found.elements == ()) or udhi


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff\ufffe")))
def test_ucs2_of_any_text_comes_back(text: str) -> None:
    assert decode_text(text.encode("utf-16-be"), 8, False) == text
