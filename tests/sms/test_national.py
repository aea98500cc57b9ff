"""The national tables: each cell both ways, which pairs of them carry a text, and what phones differ on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.sms import gsm7, national, udh
from smppgw.sms.encoding import Language
from tests.sms.vectors import NATIONAL, named

ALL = tuple(Language)
Table = tuple[Language | None, Language | None]


def language(name: str | None) -> Language | None:
    return None if name is None else Language[name.upper()]


def cells(runs: dict[int, str]) -> Iterator[tuple[int, str]]:
    for start, run in runs.items():
        for septet, cell in enumerate(run.split(), start):
            if cell != "----":
                yield septet, chr(int(cell, 16))


def _tables() -> tuple[dict[Language, dict[int, str]], dict[Language, dict[int, str]]]:
    locking, single = {}, {}
    for table in NATIONAL["tables"]:
        one = Language(table["identifier"])
        assert one.label == table["language"]
        if "locking" in table:
            locking[one] = dict(cells({row * 16: run for row, run in enumerate(table["locking"])}))
        single[one] = dict(cells({int(start, 16): run for start, run in table["single"].items()}))
    return locking, single


LOCKING, SINGLE = _tables()

# ---------------------------------------------------------------------------------------------------------------- #
# The tables
# ---------------------------------------------------------------------------------------------------------------- #


def test_there_are_thirteen_and_spanish_has_no_locking_shift_table() -> None:
    assert set(SINGLE) == set(national.SINGLE) == set(Language)
    assert set(LOCKING) == set(national.LOCKING) == set(Language) - {Language.SPANISH}
    assert {len(table) for table in national.LOCKING.values()} == {128}


@pytest.mark.parametrize("one", LOCKING)
def test_each_cell_of_a_locking_shift_table(one: Language) -> None:
    for septet in range(128):
        character = LOCKING[one].get(septet)
        assert national.LOCKING[one][septet] == (character or "\ufffe")
        if septet != gsm7.ESC:
            assert national.decode(bytes([septet]), one, None) == (character or "\ufffd")
        if character is not None and (one, True, septet) not in national.NEVER_SENT:
            first = min(at for at, found in LOCKING[one].items() if found == character)
            assert national.encode(character, one, None) == bytes([first])


@pytest.mark.parametrize("one", SINGLE)
def test_each_cell_of_a_single_shift_table(one: Language) -> None:
    """Beside the locking shift table of the same language, or the default alphabet: what that has is not escaped."""
    assert dict(national.SINGLE[one]) == SINGLE[one]
    locking = one if one in LOCKING else None
    for septet, character in SINGLE[one].items():
        assert national.decode(bytes([gsm7.ESC, septet]), locking, one) == character
        encoded = national.encode(character, locking, one)
        if (one, False, septet) in national.NEVER_SENT:
            assert encoded is None
        elif encoded is not None and len(encoded) == 2:
            first = min(at for at, found in SINGLE[one].items() if found == character)
            assert encoded == bytes([gsm7.ESC, first])
        else:
            assert encoded is not None
            assert national.decode(encoded, locking, None) == character


@pytest.mark.parametrize("one", ALL)
def test_controls_are_where_they_are_in_all_tables(one: Language) -> None:
    """23.038, A.2, notes 1, 3 and 4: a second ESC, page break, and CR, which no language takes for itself."""
    assert SINGLE[one][0x0A] == "\f"
    assert 0x0D not in SINGLE[one]
    assert gsm7.ESC not in SINGLE[one]
    if one in LOCKING:
        assert (LOCKING[one][0x0A], LOCKING[one][0x0D], LOCKING[one][0x20]) == ("\n", "\r", " ")


@pytest.mark.parametrize(("locking", "single"), [*((one, None) for one in LOCKING), *((None, one) for one in SINGLE)])
def test_no_other_character_is_encodable(locking: Language | None, single: Language | None) -> None:
    sent = {
        character
        for septet, character in (LOCKING[locking] if locking else dict(enumerate(gsm7.BASIC))).items()
        if character != "\ufffe" and (locking, True, septet) not in national.NEVER_SENT
    }
    sent |= {
        character
        for septet, character in (SINGLE[single] if single else gsm7.EXTENSION).items()
        if (single, False, septet) not in national.NEVER_SENT
    }
    encode = national.encode
    found = {chr(point) for point in range(0x3000) if encode(chr(point), locking, single) is not None}
    assert found == sent
    assert all(encode(other, locking, single) is None for other in "一\ud800\udfff\ufdd0\ufffd\ufffe\uffff😀")


@pytest.mark.parametrize(
    "found", NATIONAL["disagreements"], ids=lambda found: f"{found['language']} {found['table']} {found['septet']}"
)
def test_where_the_sources_differ(found: dict[str, Any]) -> None:
    one = Language[found["language"].upper()]
    table: Any = national.LOCKING[one] if found["table"] == "locking" else national.SINGLE[one]
    septet = int(found["septet"], 16)
    assert table[septet] == chr(int(found["here"], 16))
    is_split = sum(other != found["here"] for other in found["others"].values()) > 1
    assert ((one, found["table"] == "locking", septet) in national.NEVER_SENT) == is_split


def test_what_phones_show_differently_is_read_but_never_sent() -> None:
    kannada, telugu = Language.KANNADA, Language.TELUGU
    assert national.decode(b"\x24\x3d", kannada, None) == "ಡಪ"
    assert national.encode("ಡ", kannada, kannada) is None
    assert national.encode("ಪ", kannada, None) == b"\x3d"
    assert national.decode(b"\x1b\x65", telugu, telugu) == "€"
    assert national.encode("€", telugu, telugu) is None
    assert national.choices("ಮಾಡಿ", ALL) == []


# ---------------------------------------------------------------------------------------------------------------- #
# Texts
# ---------------------------------------------------------------------------------------------------------------- #


@pytest.mark.parametrize("vector", named("texts", NATIONAL))
def test_golden_texts(vector: dict[str, Any]) -> None:
    locking, single = language(vector["locking"]), language(vector["single"])
    if "packed" in vector:
        packed = bytes.fromhex(vector["packed"])
        septets = gsm7.unpack(packed)
        assert len(septets) == vector["septets"]
        assert gsm7.pack(septets) == packed
    else:
        septets = bytes.fromhex(vector["octets"])
    assert national.decode(septets, locking, single) == vector["text"]
    assert national.encode(vector["text"], locking, single) == septets


@pytest.mark.parametrize(
    ("name", "septets", "locking", "single", "text"),
    [
        ("what the single shift table lacks", b"\x1b\x40\x1b\x41", Language.TURKISH, Language.TURKISH, "|A"),
        ("by the locking shift table", b"\x1b\x01", Language.HINDI, Language.TURKISH, "ं"),
        ("by the default alphabet", b"\x1b\x60", None, Language.TURKISH, "¿"),
        ("not by the default extension table", b"\x1b\x65", None, Language.TELUGU, "€"),
        ("CR after ESC", b"\x1b\x0d", Language.URDU, Language.URDU, "\r"),
        ("ESC ESC", b"\x1b\x1b\x01", Language.HINDI, Language.HINDI, " ं"),
        ("ESC alone", b"\x01\x1b", Language.HINDI, Language.HINDI, "ं\ufffd"),
        ("ESC and a hole of both", b"\x1b\x3b\x1b\x5b", Language.TAMIL, Language.TAMIL, ";\ufffd"),
        ("no septets", b"\xe9\x1b\xe9", Language.HINDI, None, "\ufffd\ufffd"),
        ("a locking shift table there is not", b"\x00", Language.SPANISH, Language.SPANISH, "@"),
    ],
)
def test_decoding(name: str, septets: bytes, locking: Language | None, single: Language | None, text: str) -> None:
    assert national.decode(septets, locking, single) == text


def test_the_locking_shift_table_that_spanish_lacks_cannot_be_asked_for() -> None:
    with pytest.raises(KeyError):
        national.encode("a", Language.SPANISH, None)


tables = st.tuples(st.sampled_from([None, *LOCKING]), st.sampled_from([None, *ALL]))


@given(tables, st.data())
def test_round_trip(pair: Table, data: st.DataObject) -> None:
    text = data.draw(st.text(alphabet=sorted(carried(pair))))
    septets = national.encode(text, *pair)
    assert septets is not None
    assert septets.isascii()
    assert national.decode(septets, *pair) == text


@given(tables, st.binary())
def test_decoding_takes_any_octets(pair: Table, octets: bytes) -> None:
    text = national.decode(octets, *pair)
    assert len(octets) - octets.count(gsm7.ESC) <= len(text) <= len(octets)
    assert not set(text) & {"\0", "\ufffe", "\uffff"}


# ---------------------------------------------------------------------------------------------------------------- #
# Which tables
# ---------------------------------------------------------------------------------------------------------------- #


def costs(pair: Table) -> dict[str, int]:
    """Septets of each character by these tables, told by the tables themselves."""
    locking, single = pair
    escaped = {
        character
        for septet, character in (SINGLE[single] if single else gsm7.EXTENSION).items()
        if (single, False, septet) not in national.NEVER_SENT
    }
    plain = {
        character
        for septet, character in (LOCKING[locking] if locking else dict(enumerate(gsm7.BASIC))).items()
        if (locking, True, septet) not in national.NEVER_SENT and character != "\ufffe"
    }
    return dict.fromkeys(escaped, 2) | dict.fromkeys(plain, 1)


def carried(pair: Table) -> set[str]:
    return set(costs(pair))


PAIRS: dict[Table, dict[str, int]] = {pair: costs(pair) for pair in product([None, *LOCKING], [None, *ALL])}


def headers(pair: Table) -> int:
    return sum(len(data) + 2 for _, data in national.elements(*pair))


@st.composite
def carried_texts(draw: st.DrawFn) -> str:
    """A text that some pair carries, mostly in few characters, so that many pairs compete for it."""
    one = draw(st.sampled_from(list(PAIRS)))
    few = draw(st.lists(st.sampled_from(sorted(PAIRS[one])), min_size=1, max_size=6))
    return draw(st.text(alphabet=few, min_size=1, max_size=60))


languages = st.lists(st.sampled_from(ALL), unique=True).map(tuple)


@given(carried_texts() | st.text("aé[€ığşáí¿¡*ं१", min_size=1), languages | st.just(ALL))
def test_choices_are_the_best_pairs_however_the_text_is_cut(text: str, allowed: tuple[Language, ...]) -> None:
    found = national.choices(text, allowed)
    assert len(set(found)) == len(found)
    for locking, single, septets in found:
        assert (locking, single) != (None, None)
        assert {locking, single} <= {None, *allowed}
        assert septets == len(national.encode(text, locking, single) or b"")
        assert septets == sum(PAIRS[locking, single][character] for character in text)

    def beats(one: Table, other: Table) -> bool:
        """No more header, no character dearer: so never more segments, wherever they end. And no lock of its own."""
        return (
            headers(one) <= headers(other)
            and (one[0] is None or other[0] is not None)
            and all(PAIRS[one].get(character, 9) <= PAIRS[other].get(character, 9) for character in set(text))
        )

    kept: list[Table] = [(locking, single) for locking, single, _ in found]
    defaults: Table = (None, None)
    contenders = kept + ([defaults] if set(text) <= carried(defaults) else [])
    for pair, cost in PAIRS.items():
        if {*pair} <= {None, *allowed} and set(text) <= set(cost):
            assert any(beats(one, pair) for one in contenders)
    for one, other in product(contenders, contenders):
        assert one == other or not beats(one, other)
    order = [(headers(pair), pair[0] is not None, septets) for pair, (*_, septets) in zip(kept, found, strict=True)]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("name", "text", "allowed", "chosen"),
    [
        ("Turkish, few", "ığş", ALL, [(None, Language.TURKISH, 6), (Language.TURKISH, None, 3)]),
        ("Turkish, none allowed", "ığş", (), []),
        ("Turkish, another allowed", "ığş", (Language.SPANISH, Language.URDU), []),
        ("Spanish", "¿Sí?", (Language.SPANISH,), [(None, Language.SPANISH, 5)]),
        (
            "Portuguese",
            "não",
            (Language.PORTUGUESE,),
            [(None, Language.PORTUGUESE, 4), (Language.PORTUGUESE, None, 3)],
        ),
        ("Hindi", "नमस्ते", ALL, [(Language.HINDI, None, 6)]),
        ("Hindi with Latin capitals", "SMS: है", ALL, [(Language.HINDI, Language.HINDI, 10)]),
        ("only Hindi allowed", "SMS: है", (Language.HINDI,), [(Language.HINDI, Language.HINDI, 10)]),
        ("many euros", "€€€", ALL, [(Language.TURKISH, None, 3)]),
        ("plain", "Hello", ALL, []),
        ("two languages", "ş नमस्ते", ALL, [(Language.HINDI, Language.TURKISH, 9)]),
        ("three", "ş नमस्ते ۱", ALL, []),
        ("Chinese", "你好" * 150, ALL, []),
        ("an emoji at the end", "ığş😀", ALL, []),
        ("U+0000", "ş\0", ALL, []),
        ("half a surrogate pair", "ş\ud800", ALL, []),
        ("nothing", "", ALL, []),
    ],
)
def test_choices(name: str, text: str, allowed: tuple[Language, ...], chosen: list[Any]) -> None:
    assert national.choices(text, allowed) == chosen


@pytest.mark.parametrize(
    ("locking", "single", "elements"),
    [
        (None, None, ()),
        (None, Language.SPANISH, ((0x24, b"\x02"),)),
        (Language.URDU, None, ((0x25, b"\x0d"),)),
        (Language.HINDI, Language.BENGALI, ((0x24, b"\x04"), (0x25, b"\x06"))),
    ],
)
def test_elements(locking: Language | None, single: Language | None, elements: tuple[tuple[int, bytes], ...]) -> None:
    assert national.elements(locking, single) == elements
    assert national.named(elements) == (locking, single)


@pytest.mark.parametrize(
    ("name", "header", "named"),
    [
        ("both, the other way round", "06250101240101", (Language.TURKISH, Language.TURKISH)),
        ("after a concatenation element", "080003010201240102", (None, Language.SPANISH)),
        ("of two the last", "06240101240103", (None, Language.PORTUGUESE)),
        ("a language there is not", "0624010E250100", (None, None)),
        ("of two the last that there is", "0624010124010E", (None, Language.TURKISH)),
        ("the locking shift table of Spanish", "06240102250102", (None, Language.SPANISH)),
        ("of another length", "0824020101250301010124", (None, None)),
        ("no elements", "00", (None, None)),
    ],
)
def test_the_tables_that_a_header_names(name: str, header: str, named: Table) -> None:
    assert national.named(udh.parse(bytes.fromhex(header))) == named
