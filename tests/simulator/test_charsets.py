from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.charsets import CHARSETS, NAMES, cut, encoded, of_data_coding
from smppgw.errors import Refusal
from smppgw.sms import dcs
from smppgw.sms.encoding import DefaultAlphabet, Encoding

SAMPLES = {
    "cp1252": "“café” – 5 €",
    "jis_x_0208": "東京都とカナ、",
    "shift_jis": "東京 ﾃｽﾄ OK",
    "iso8859_5": "Привет, №5",
    "iso8859_8": "שלום 5",
    "iso2022_jp": "OK 東京 OK",
    "jis_x_0212": "丂丄丅",
    "euc_jp": "東京 OK",
    "ks_c_5601": "안녕 OK",
    "utf8": "naïve 😀 日本",
    "utf16le": "naïve 😀 日本",
}
UTF8 = Encoding(default_alphabet=DefaultAlphabet.UTF8)


def read(octets: bytes, name: str) -> str:
    return dcs.decode_text(octets, CHARSETS[name].data_coding, False, UTF8 if name == "utf8" else Encoding())


def test_each_has_a_sample() -> None:
    assert SAMPLES.keys() == CHARSETS.keys()
    assert ("gsm7", "latin1", "ascii", "ucs2", *CHARSETS) == NAMES


@pytest.mark.parametrize(("name", "text"), SAMPLES.items())
def test_the_gateway_reads_it(name: str, text: str) -> None:
    assert read(encoded(text, name, CHARSETS[name].encode), name) == text


@given(st.sampled_from(sorted(CHARSETS)), st.integers(8, 40), st.data())
def test_parts_fit_and_no_character_is_torn(name: str, room: int, data: st.DataObject) -> None:
    text = "".join(data.draw(st.lists(st.sampled_from(SAMPLES[name]), min_size=1, max_size=60)))
    if text.isascii() or name == "euc_jp":
        text = SAMPLES[name] * 3  # ASCII alone reads as two-octet codes: what the standard leaves open
    pieces = cut(text, CHARSETS[name].encode, room)
    assert all(0 < len(piece) <= room for piece in pieces)
    decoded = [piece.decode("utf-16") if name == "utf16le" else piece for piece in pieces]
    if name in ("jis_x_0208", "jis_x_0212", "iso8859_5", "iso8859_8", "ks_c_5601", "utf8", "cp1252", "iso2022_jp"):
        assert "".join(read(piece, name) for piece in pieces) == text
    elif name == "utf16le":
        assert "".join(decoded) == text  # type: ignore[arg-type]
    else:
        assert b"".join(pieces) == CHARSETS[name].encode(text)


def test_parts_are_as_long_as_can_be() -> None:
    assert [len(piece) for piece in cut("ж" * 100, CHARSETS["utf8"].encode, 41)] == [40] * 5


@pytest.mark.parametrize("room", [-3, 0, 1])
def test_where_no_character_fits(room: int) -> None:
    with pytest.raises(Refusal) as refused:
        cut("東京", CHARSETS["utf8"].encode, room)
    assert refused.value.code == "too_long"


@pytest.mark.parametrize(
    ("data_coding", "name"),
    [
        (0, "gsm7"),
        (1, "ascii"),
        (3, "latin1"),
        (8, "ucs2"),
        (5, "jis_x_0208"),
        (6, "iso8859_5"),
        (7, "iso8859_8"),
        (9, "shift_jis"),
        (10, "iso2022_jp"),
        (13, "jis_x_0212"),
        (14, "ks_c_5601"),
        (0x18, "ucs2"),
        (0xBF, "gsm7"),
        (0xE9, "ucs2"),
        (0xF1, "gsm7"),
    ],
)
def test_what_a_data_coding_says(data_coding: int, name: str) -> None:
    assert of_data_coding(data_coding) == name


def test_8_bit_data_is_no_text() -> None:
    binary = [coding for coding in range(256) if dcs.describe(coding).alphabet == "binary"]
    assert {2, 4, 0x14, 0x20, 0xF4} <= set(binary)
    for coding in binary:
        with pytest.raises(Refusal) as refused:
            of_data_coding(coding)
        assert (refused.value.code, refused.value.field) == ("no_text", "data_coding")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("iso8859_5", "Привет é", "iso8859_5 lacks U+00E9 (LATIN SMALL LETTER E WITH ACUTE) at position 7"),
        ("jis_x_0208", "東a", "jis_x_0208 lacks U+0061 (LATIN SMALL LETTER A) at position 1"),
        ("jis_x_0212", "東", "jis_x_0212 lacks U+6771 (CJK UNIFIED IDEOGRAPH-6771) at position 0"),
        ("utf8", "a\0", "U+0000 at position 1 can be neither sent nor stored"),
        ("utf8", "\ud83d", "U+D83D at position 0 is half of a surrogate pair, no character"),
    ],
)
def test_what_it_lacks(name: str, text: str, told: str) -> None:
    with pytest.raises(Refusal) as refused:
        encoded(text, name, CHARSETS[name].encode)
    assert (refused.value.code, refused.value.text) == ("unencodable", told)
