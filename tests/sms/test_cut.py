"""Cutting: every cutter against all possible cuts, and what must stay together."""

from __future__ import annotations

import sys
from itertools import pairwise

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smppgw.sms import gsm7
from smppgw.sms.cut import (
    Cutter,
    PackedCutter,
    SeptetCutter,
    Utf16Cutter,
    WeighedCutter,
    character_ends,
    cluster_ends,
    unit_ends,
)
from tests.sms import oracle
from tests.sms.vectors import pack

GSM7 = "".join(gsm7.decode(bytes([septet])) for septet in range(128) if septet != gsm7.ESC)


def cut(cutter: Cutter, clusters: list[int] | None = None) -> list[bytes]:
    ends = cutter.ends(cutter.fewest(0), clusters)
    return [cutter.content[start:end] for start, end in pairwise((0, *ends))]


# ---------------------------------------------------------------------------------------------------------------- #
# By example
# ---------------------------------------------------------------------------------------------------------------- #


@pytest.mark.parametrize(
    ("name", "cutter", "parts"),
    [
        ("octets anywhere", Cutter(b"abcdefg", 3), [b"abc", b"def", b"g"]),
        ("septets anywhere", SeptetCutter(b"abcdef", 3), [b"abc", b"def"]),
        ("an escape pair goes over as a whole", SeptetCutter(b"ab\x1b\x28cd", 3), [b"ab", b"\x1b\x28c", b"d"]),
        ("ESC ESC is a pair", SeptetCutter(b"a\x1b\x1b\x1b\x28b", 3), [b"a\x1b\x1b", b"\x1b\x28b"]),
        ("of three ESC the last one escapes", SeptetCutter(b"\x1b\x1b\x1b\x28b", 3), [b"\x1b\x1b", b"\x1b\x28b"]),
        ("an ESC at the very end stays", SeptetCutter(b"abc\x1b", 4), [b"abc\x1b"]),
        ("units of UCS-2, though the room is odd", Utf16Cutter(b"\0a\0b\0c", 5), [b"\0a\0b", b"\0c"]),
        ("a surrogate pair", Utf16Cutter("ab😀".encode("utf-16-be"), 6), [b"\0a\0b", b"\xd8\x3d\xde\0"]),
        # After one fill bit, 9 septets end on an octet's border: the CR would be taken for a filler.
        ("a CR that would be lost", PackedCutter(b"12345678\r9", 9, 1), [b"12345678", b"\r9"]),
        ("a CR that would not", PackedCutter(b"1234567\r89", 8, 1), [b"1234567\r", b"89"]),
        ("a CR at the very end needs room for a second", PackedCutter(b"12345678\r", 9, 1), [b"12345678", b"\r"]),
        ("and has it", PackedCutter(b"12345678\r", 10, 1), [b"12345678\r"]),
        ("by octets of UTF-8", WeighedCutter(b"a\x04\x05", 3, "aèé", 4), [b"a\x04", b"\x05"]),
    ],
)
def test_cuts(name: str, cutter: Cutter, parts: list[bytes]) -> None:
    assert cut(cutter) == parts


@pytest.mark.parametrize(
    "cutter",
    [
        Cutter(b"ab", 0),
        Cutter(b"ab", -1),
        SeptetCutter(b"a\x1b\x28", 1),
        Utf16Cutter(b"\0a", 1),
        Utf16Cutter("a😀".encode("utf-16-be"), 2),
        PackedCutter(b"\r\r", 1, 1),
        WeighedCutter(b"\x04\x04", 5, "èè", 1),
    ],
    ids=lambda cutter: f"{type(cutter).__name__}({cutter.content!r}, {cutter.room})",
)
def test_what_has_no_room_needs_no_number_of_parts(cutter: Cutter) -> None:
    assert cutter.fewest(0) == 0


FLAG = "🇬🇧"
ASTRONAUT = "👩🏽‍🚀"


@pytest.mark.parametrize(
    ("name", "text", "room", "parts"),
    [
        ("each by itself", "abcd", 2, ["ab", "cd"]),
        ("a flag goes over when that costs nothing", f"abc{FLAG}d", 5, ["abc", f"{FLAG}d"]),
        ("an emoji of several", f"ab{ASTRONAUT}c", 8, ["ab", f"{ASTRONAUT}c"]),
        ("a letter and its mark", "abe\u0301d", 3, ["ab", "e\u0301d"]),
        ("a conjunct", "abक्षd", 4, ["ab", "क्षd"]),
        ("CR LF", "abc\r\nde", 4, ["abc", "\r\nde"]),
        ("not when the rest would need one more", "abc\u0301defgh", 3, ["abc", "\u0301de", "fgh"]),
        (
            "not when it is larger than a part",
            "a" + "e" + "\u0301" * 5,
            3,
            ["a", "e\u0301\u0301", "\u0301\u0301\u0301"],
        ),
        (
            "a later one is kept though the first cannot be",
            "ab\u0301cd\u0301ef",
            2,
            ["ab", "\u0301c", "d\u0301", "ef"],
        ),
    ],
)
def test_clusters(name: str, text: str, room: int, parts: list[str]) -> None:
    cutter = Utf16Cutter(text.encode("utf-16-be"), room * 2)
    clusters = cluster_ends(text)
    places = None if clusters is None else [unit_ends(text)[end - 1] for end in clusters]
    made = [piece.decode("utf-16-be") for piece in cut(cutter, places)]
    assert made == parts


# ---------------------------------------------------------------------------------------------------------------- #
# Against every way to cut
# ---------------------------------------------------------------------------------------------------------------- #

septet_texts = st.text(
    alphabet=st.one_of(st.sampled_from("ab€[\r\n"), st.sampled_from(GSM7)), min_size=1, max_size=80
)
joined_texts = st.lists(
    st.sampled_from(["a", "b", " ", "您", "😀", FLAG, ASTRONAUT, "e\u0301", "क्षि", "\r\n", "\u200d", "한", "가"]),
    min_size=1,
    max_size=30,
).map("".join)


def sizes_of(text: str) -> list[int]:
    return [2 if character in gsm7.EXTENSION.values() else 1 for character in text]


@settings(deadline=None)
@given(septet_texts, st.integers(2, 20))
def test_septets(text: str, room: int) -> None:
    cutter = SeptetCutter(gsm7.encode(text), room)
    parts = cut(cutter)
    assert len(parts) == oracle.fewest(sizes_of(text), room)
    assert all(len(part) <= room and gsm7.encode(gsm7.decode(part)) == part for part in parts)
    assert b"".join(parts) == cutter.content


@settings(deadline=None)
@given(septet_texts, st.integers(5, 25), st.integers(0, 6))
@example("1234567\r\r9012345\r\r", 9, 1)
@example("aaaaaa\r[aaaaaa\r[aaaaaa\r[a", 9, 0)
def test_packed_septets(text: str, room: int, fill_bits: int) -> None:
    cutter = PackedCutter(gsm7.encode(text), room, fill_bits)
    sizes = sizes_of(text)

    def allowed(first: int, end: int) -> bool:
        septets = sum(sizes[first:end])
        if text[end - 1] != "\r" or (septets * 7 + fill_bits) % 8:
            return True
        return end == len(text) and septets < room

    fewest = oracle.fewest(sizes, room, allowed)
    parts = cut(cutter)
    assert len(parts) == fewest
    assert b"".join(parts) == cutter.content
    for part in parts:
        packed = gsm7.pack(part, fill_bits)
        assert len(packed) <= len(pack(b"x" * room, fill_bits=fill_bits))
        unpacked = gsm7.unpack(packed, fill_bits)
        assert unpacked == part or (part is parts[-1] and unpacked == part + b"\r")


@settings(deadline=None)
@given(septet_texts, st.integers(3, 20), st.integers(6, 30))
def test_septets_as_utf8(text: str, room: int, most: int) -> None:
    parts = cut(WeighedCutter(gsm7.encode(text), room, text, most))
    assert "".join(map(gsm7.decode, parts)) == text
    assert all(len(part) <= room and len(gsm7.decode(part).encode()) <= most for part in parts)
    fewest = oracle.fewest(sizes_of(text), room, lambda first, end: len(text[first:end].encode()) <= most)
    assert len(parts) == fewest


@settings(deadline=None)
@given(joined_texts, st.integers(2, 20))
@example("a" + FLAG * 5 + "b" + FLAG, 5)
def test_units_and_clusters(text: str, room: int) -> None:
    cutter = Utf16Cutter(text.encode("utf-16-be"), room * 2)
    clusters = cluster_ends(text)
    ends_of = unit_ends(text)
    places = None if clusters is None else [ends_of[end - 1] for end in clusters]
    parts = [part.decode("utf-16-be") for part in cut(cutter, places)]
    sizes = [len(character.encode("utf-16-be")) // 2 for character in text]
    fewest = oracle.fewest(sizes, room)
    assert "".join(parts) == text
    assert len(parts) == fewest
    assert all(len(part.encode("utf-16-be")) <= room * 2 for part in parts)
    if oracle.clusters_kept(text, sizes, room) == fewest:
        ends = {found.end() for found in regex.finditer(r"\X", text)}
        at = 0
        for part in parts:
            at += len(part)
            assert at in ends, (parts, at)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["a", "€", "\r\n", "\r", "\n"]), min_size=1, max_size=60).map("".join),
    st.integers(4, 20),
)
def test_septets_and_clusters(text: str, room: int) -> None:
    septets = gsm7.encode(text)
    ends = character_ends(septets)
    clusters = [ends[end - 1] for end in cluster_ends(text) or range(1, len(text) + 1)]
    parts = list(map(gsm7.decode, cut(SeptetCutter(septets, room), clusters)))
    assert "".join(parts) == text
    assert len(parts) == oracle.fewest(sizes_of(text), room)
    if oracle.clusters_kept(text, sizes_of(text), room) == len(parts):
        assert not any(one.endswith("\r") and other.startswith("\n") for one, other in pairwise(parts))


# ---------------------------------------------------------------------------------------------------------------- #
# Which texts have clusters
# ---------------------------------------------------------------------------------------------------------------- #


def test_only_what_never_joins_is_taken_to_stand_alone() -> None:
    """By Unicode's Grapheme_Cluster_Break of every character that there is, as the regex package knows it."""
    joins = regex.compile(
        r"[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}\p{GCB=Prepend}\p{GCB=L}\p{GCB=V}\p{GCB=T}\p{GCB=RI}]"
    )
    everything = "".join(map(chr, [*range(0xD800), *range(0xE000, sys.maxunicode + 1)]))
    wrong = [f"U+{ord(found[0]):04X}" for found in joins.finditer(everything) if cluster_ends(found[0]) is None]
    assert wrong == []


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
    | joined_texts
    | st.text(alphabet="a\r\n您")
)
def test_clusters_are_those_of_unicode(text: str) -> None:
    expected = [found.end() for found in regex.finditer(r"\X", text)]
    assert (cluster_ends(text) or list(range(1, len(text) + 1))) == expected or text == ""


@pytest.mark.parametrize(
    "text", ["Hello [1] €", "您好，世界。", "Привет", "Γειά", "こんにちは", "안녕", "hi 😀 👍", "…–’“”", "a\rb"]
)
def test_usual_texts_have_none_but_their_characters(text: str) -> None:
    assert cluster_ends(text) is None


@given(st.text(alphabet="a\r\n€", min_size=1, max_size=120), st.integers(5, 20), st.integers(0, 6))
def test_packed_septets_need_as_few_parts_from_anywhere_as_one_by_one(text: str, room: int, fill_bits: int) -> None:
    """Asked in any order: what is remembered of one start serves the others."""
    cutter = PackedCutter(gsm7.encode(text), room, fill_bits)
    starts = [0, *character_ends(cutter.content)[:-1]]
    for start in [*starts[::3], *starts]:
        fewest = PackedCutter(cutter.content, room, fill_bits).fewest(start)
        for parts in range(1, len(text) + 1):
            assert cutter.fits(start, parts) == (0 < fewest <= parts)
