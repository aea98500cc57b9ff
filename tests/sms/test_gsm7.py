"""The GSM 7 bit default alphabet against the standard's table, and against smpplib where smpplib is right."""

from __future__ import annotations

import string
import unicodedata
from typing import Any

import pytest
import smpplib.gsm
from hypothesis import given
from hypothesis import strategies as st

from smppgw.sms import gsm7
from tests.sms.vectors import VECTORS, named, pack

CONTROLS = {"LINE FEED": "\n", "CARRIAGE RETURN": "\r", "FORM FEED": "\f"}


def by_name(name: str) -> str:
    return CONTROLS.get(name) or unicodedata.lookup(name)


BASIC = {int(septet, 16): by_name(name) for septet, name in VECTORS["gsm7_basic"]["table"].items()}
EXTENSION = {int(septet, 16): by_name(name) for septet, name in VECTORS["gsm7_extension"]["table"].items()}
ALL = set(BASIC.values()) | set(EXTENSION.values())


def test_the_table_has_127_characters_and_the_escape() -> None:
    assert sorted({*BASIC, gsm7.ESC}) == list(range(128))
    assert len(set(BASIC.values())) == 127
    assert not set(BASIC.values()) & set(EXTENSION.values())


@pytest.mark.parametrize("septet", BASIC)
def test_each_basic_character_both_ways(septet: int) -> None:
    assert gsm7.encode(BASIC[septet]) == bytes([septet])
    assert gsm7.decode(bytes([septet])) == BASIC[septet]
    assert gsm7.septets(BASIC[septet]) == 1


@pytest.mark.parametrize("septet", EXTENSION)
def test_each_extension_character_both_ways(septet: int) -> None:
    assert gsm7.encode(EXTENSION[septet]) == bytes([gsm7.ESC, septet])
    assert gsm7.decode(bytes([gsm7.ESC, septet])) == EXTENSION[septet]
    assert gsm7.septets(EXTENSION[septet]) == 2


def test_no_other_character_of_unicode_is_in_it() -> None:
    encodable = {chr(point) for point in range(0x110000) if gsm7.try_encode(chr(point)) is not None}
    assert encodable == ALL


@pytest.mark.parametrize(
    "character", ["\0", "\x1b", "`", "ç", "\t", "Α", "’", "\u00a0", "😀", "\ud800", "\ufffe", "\uffff"]
)
def test_what_is_often_taken_for_gsm7_but_is_not(character: str) -> None:
    text = f"ab{character}{character}"
    assert gsm7.try_encode(text) is None
    assert gsm7.septets(text) is None
    with pytest.raises(UnicodeEncodeError) as caught:
        gsm7.encode(text)
    assert (caught.value.start, caught.value.end) == (2, 3)


@pytest.mark.parametrize("vector", named("gsm7_texts"))
def test_golden_texts(vector: dict[str, Any]) -> None:
    assert gsm7.encode(vector["text"]).hex().upper() == vector["octets"]
    assert gsm7.decode(bytes.fromhex(vector["octets"])) == vector["text"]


@pytest.mark.parametrize("vector", named("gsm7_decoding"))
def test_golden_decoding(vector: dict[str, Any]) -> None:
    assert gsm7.decode(bytes.fromhex(vector["octets"])) == vector["text"]


@pytest.mark.parametrize("vector", named("packing"))
def test_golden_packing_of_our_septets(vector: dict[str, Any]) -> None:
    assert pack(gsm7.encode(vector["text"])).hex().upper() == vector["packed"]


@given(st.binary(max_size=200).map(lambda octets: bytes(octet & 0x7F for octet in octets)), st.integers(0, 6))
def test_packing_is_the_standards_but_for_the_filler(septets: bytes, fill_bits: int) -> None:
    """23.038, 6.1.2.3.1: 7 spare bits are a CR, and a CR that would be taken for one is written twice."""
    packed = gsm7.pack(septets, fill_bits)
    assert gsm7.ends_in_filler(septets, fill_bits) == (
        septets.endswith(b"\r") and (len(septets) * 7 + fill_bits) % 8 == 0
    )
    filled = (len(septets) * 7 + fill_bits) % 8 == 1
    doubled = septets.endswith(b"\r") and (len(septets) * 7 + fill_bits) % 8 == 0
    assert packed == pack(septets + b"\r" * (filled or doubled), fill_bits=fill_bits)
    assert gsm7.unpack(packed, fill_bits) == septets + b"\r" * doubled


@pytest.mark.parametrize("vector", named("packing"))
def test_golden_packing_is_ours_too(vector: dict[str, Any]) -> None:
    packed = bytes.fromhex(vector["packed"])
    assert gsm7.pack(gsm7.encode(vector["text"])) == packed
    assert gsm7.decode(gsm7.unpack(packed)) == vector["text"]


@pytest.mark.parametrize("vector", named("filler"))
def test_golden_fillers(vector: dict[str, Any]) -> None:
    septets, packed = bytes.fromhex(vector["septets"]), bytes.fromhex(vector["packed"])
    assert gsm7.pack(septets, vector["fill_bits"]) == packed
    assert gsm7.unpack(packed, vector["fill_bits"]).hex().upper() == vector["unpacked"]


def test_nothing_packed_is_nothing() -> None:
    assert gsm7.pack(b"") == b""
    assert gsm7.unpack(b"") == b""
    assert gsm7.unpack(b"\x01", 6) == b""


@given(st.binary(max_size=50), st.integers(0, 6))
def test_unpacking_takes_any_octets(octets: bytes, fill_bits: int) -> None:
    assert all(septet < 128 for septet in gsm7.unpack(octets, fill_bits))


@given(st.text(alphabet=sorted(ALL)))
def test_round_trip(text: str) -> None:
    octets = gsm7.encode(text)
    assert gsm7.decode(octets) == text
    assert gsm7.septets(text) == len(octets) == len(text) + sum(character in EXTENSION.values() for character in text)


def test_other_tables_go_the_same_way() -> None:
    """What is in both tables goes by one septet, what is twice in one by the lower one; holes carry nothing."""
    basic = "".join(chr(0x3B1 + septet) if septet < 24 else "\ufffe" for septet in range(127)) + "α"
    encode, decode = gsm7.encoder(basic, {0x00: "β", 0x01: "я", 0x7F: "я"}), gsm7.decoder(basic, {0x01: "я"})
    assert encode("αβя") == b"\x00\x01\x1b\x01"
    assert [encode(text) for text in ("\0", "\ufffe", "\ufffd", "a", "я\ufffe")] == [None] * 5
    assert decode(b"\x7f\x01\x1b\x01\x1b\x02\x1b\x30\x30\xff\x1b") == "αβяγ\ufffd\ufffd\ufffd\ufffd"


@given(st.binary())
def test_decoding_takes_any_octets_and_leaves_nothing_unprintable_but_line_ends(octets: bytes) -> None:
    text = gsm7.decode(octets)
    assert set(text) <= ALL | {"\ufffd"}
    pairs_at_most = octets.count(gsm7.ESC)
    assert len(octets) - pairs_at_most <= len(text) <= len(octets)


# smpplib has "`" where the section sign belongs and in the unused places of its extension table, takes ESC for a
# character, and has no page break. All else is right.
WRONG_IN_SMPPLIB = set("§`\x1b\f")


@given(st.text(alphabet=sorted(ALL - WRONG_IN_SMPPLIB)))
def test_smpplib_encodes_the_same(text: str) -> None:
    assert smpplib.gsm.gsm_encode(text) == gsm7.encode(text)


@given(
    st.text(alphabet=string.printable + "äöüßéèàùçñ¿¡ΔΩ€" + "şığ’–😀").filter(
        lambda text: not set(text) & set("`\x1b\f")
    )
)
def test_smpplib_refuses_the_same(text: str) -> None:
    try:
        expected: bytes | None = smpplib.gsm.gsm_encode(text)
    except UnicodeError:
        expected = None
    assert gsm7.try_encode(text) == expected
