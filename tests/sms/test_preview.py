"""What a plan costs: what each segment holds and has left, and the characters that cost."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.errors import Refusal
from smppgw.sms import gsm7
from smppgw.sms.encoding import (
    DEFAULT_ENCODING,
    NO_WISHES,
    Alphabet,
    DefaultAlphabet,
    Encoding,
    Language,
    LongMessages,
    OnUnencodable,
    Packing,
    Wishes,
)
from smppgw.sms.plan import plan, plan_octets
from smppgw.sms.preview import Preview, Unit, lacking, name_of, preview, remaining, smarter

PACKED = Encoding(packing=Packing.PACKED)
UTF8 = Encoding(default_alphabet=DefaultAlphabet.UTF8)
LATIN1_DEFAULT = Encoding(default_alphabet=DefaultAlphabet.LATIN1)
LATIN1 = Encoding(latin1_data_coding=3)
SAR = Encoding(long=LongMessages.SAR)
PAYLOAD = Encoding(long=LongMessages.PAYLOAD)
UDH16 = Encoding(long=LongMessages.UDH16)
SHORT = Encoding(max_octets=100)
NATIONAL = Encoding(national=tuple(Language))
PORTS = Wishes(elements=((5, b"\x13\x88\x00\x00"),))


def shown(text: str, encoding: Encoding = DEFAULT_ENCODING, wishes: Wishes = NO_WISHES) -> Preview:
    return preview(text, plan(text, encoding=encoding, wishes=wishes), encoding)


@pytest.mark.parametrize(
    ("text", "encoding", "wishes", "unit", "rooms"),
    [
        ("Hello €", DEFAULT_ENCODING, NO_WISHES, "septets", [(8, 152)]),
        ("x" * 160, DEFAULT_ENCODING, NO_WISHES, "septets", [(160, 0)]),
        ("x" * 161, DEFAULT_ENCODING, NO_WISHES, "septets", [(153, 0), (8, 145)]),
        ("x" * 152 + "€" * 5, DEFAULT_ENCODING, NO_WISHES, "septets", [(152, 1), (10, 143)]),
        ("x" * 161, UDH16, NO_WISHES, "septets", [(152, 0), (9, 143)]),
        ("x" * 161, SAR, NO_WISHES, "septets", [(153, 0), (8, 145)]),
        ("x" * 161, PAYLOAD, NO_WISHES, "septets", [(161, 145)]),
        ("x" * 161, PACKED, NO_WISHES, "septets", [(153, 0), (8, 145)]),
        ("x" * 10, PACKED, NO_WISHES, "septets", [(10, 150)]),
        ("x" * 115, SHORT, NO_WISHES, "septets", [(107, 0), (8, 99)]),
        ("x" * 10, DEFAULT_ENCODING, PORTS, "septets", [(10, 142)]),  # 7 octets of UDH
        ("x" * 160, DEFAULT_ENCODING, PORTS, "septets", [(146, 0), (14, 132)]),  # 12 octets
        ("é" * 10, UTF8, NO_WISHES, "septets", [(10, 150)]),
        ("é" * 10, LATIN1_DEFAULT, NO_WISHES, "septets", [(10, 150)]),
        ("Привет", DEFAULT_ENCODING, NO_WISHES, "octets", [(12, 128)]),
        ("я" * 71, DEFAULT_ENCODING, NO_WISHES, "octets", [(134, 0), (8, 126)]),
        ("þ" * 71, LATIN1, NO_WISHES, "octets", [(71, 69)]),
        ("👍" * 36, DEFAULT_ENCODING, NO_WISHES, "octets", [(132, 2), (12, 122)]),
    ],
)
def test_what_is_used_and_left(
    text: str, encoding: Encoding, wishes: Wishes, unit: str, rooms: list[tuple[int, int]]
) -> None:
    found = shown(text, encoding, wishes)
    assert found.unit == unit
    assert [(segment.used, segment.left) for segment in found.segments] == rooms
    assert [segment.part for segment in found.segments] == list(range(1, len(rooms) + 1))
    assert "".join(segment.text for segment in found.segments) == text


def test_a_segment_in_utf8_has_no_more_room_than_sm_length_tells() -> None:
    (segment,) = shown("é" * 126, UTF8).segments
    assert (segment.used, segment.left) == (126, 2), "160 septets would be 34"


def test_headers() -> None:
    first, second = shown("x" * 161).segments
    assert (first.header.hex(), second.header.hex()) == ("050003000201", "050003000202")
    assert first.octets == first.header + b"x" * 153
    assert shown("x").segments[0].header == b""


def test_national_tables() -> None:
    text = "ışığı ğışı " * 14
    found = shown(text, NATIONAL)
    (segment,) = found.segments
    assert (found.unit, segment.used, segment.left) == (Unit.SEPTETS, 154, 1)  # 4 octets of UDH
    assert segment.text == text
    assert found.extended == ()
    assert [one.character for one in found.forced] == ["ı", "ş", "ğ"]


def test_octets() -> None:
    planned = plan_octets(b"\x00\xffA")
    found = preview(None, planned, DEFAULT_ENCODING)
    assert (found.unit, found.forced, found.extended) == (Unit.OCTETS, (), ())
    assert [(one.text, one.used, one.left) for one in found.segments] == [("\\x00\\xffA", 3, 137)]


def test_octets_that_are_septets() -> None:
    found = preview(None, plan_octets(b"\x00" * 161, data_coding=0), DEFAULT_ENCODING)
    assert found.unit is Unit.SEPTETS
    assert [(one.text, one.used, one.left) for one in found.segments] == [("@" * 153, 153, 0), ("@" * 8, 8, 145)]


# ---------------------------------------------------------------------------------------------------------------- #
# Characters
# ---------------------------------------------------------------------------------------------------------------- #


def test_what_gsm7_lacks_and_where_it_stands() -> None:
    found = shown("…a“b…€").forced
    assert [(one.character, one.code_point, one.name, one.positions) for one in found] == [
        ("…", "U+2026", "HORIZONTAL ELLIPSIS", (0, 4)),
        ("“", "U+201C", "LEFT DOUBLE QUOTATION MARK", (2,)),
    ]


def test_what_the_carriers_own_alphabet_lacks_forces_as_well() -> None:
    def told(encoding: Encoding) -> list[tuple[str, str | None]]:
        return [(one.character, one.lacked_by) for one in lacking("é€…", encoding)]

    assert told(LATIN1_DEFAULT) == [("€", "latin1"), ("…", "gsm7")]
    assert told(Encoding(default_alphabet=DefaultAlphabet.ASCII)) == [("é", "ascii"), ("€", "ascii"), ("…", "gsm7")]
    assert told(UTF8) == told(DEFAULT_ENCODING) == [("…", "gsm7")]
    assert lacking("þ", LATIN1_DEFAULT)[0].lacked_by == "gsm7", "which Latin-1 has, but no handset gets it"


def test_what_takes_two_septets() -> None:
    found = shown("a€b[€").extended
    assert [(one.character, one.positions) for one in found] == [("€", (1, 4)), ("[", (3,))]
    assert shown("a€б").extended == ()
    smart = plan("…€", wishes=Wishes(smart=True))
    assert [one.positions for one in preview("…€", smart, DEFAULT_ENCODING).extended] == [(3,)]


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("A", "LATIN CAPITAL LETTER A"),
        ("\t", "CHARACTER TABULATION"),
        ("\x07", "ALERT"),
        ("\x1b", "ESCAPE"),
        ("\x85", "NEXT LINE"),
        ("\ue000", "<private-use-E000>"),
        ("\U0010ffff", "<reserved-10FFFF>"),
        ("\ud800", "<surrogate-D800>"),
    ],
)
def test_every_character_has_a_name(character: str, name: str) -> None:
    assert name_of(character) == name


def test_every_control_character_has_a_name() -> None:
    controls = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Cc"]
    assert len(controls) == 65
    assert all(unicodedata.lookup(name_of(one)) == one for one in controls)


def test_what_smart_encoding_would_save() -> None:
    text = "“It’s late” – see you… " * 4
    planned = plan(text)
    other = smarter(text, planned, DEFAULT_ENCODING, NO_WISHES)
    assert other is not None
    assert (planned.parts, other.parts, other.alphabet) == (2, 1, Alphabet.GSM7)
    assert [one.old for one in other.replaced[:5]] == ["“", "’", "”", "–", "…"]


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        ("plain", NO_WISHES),
        ("Привет", NO_WISHES),
        ("“Привет”", NO_WISHES),
        ("“x”", Wishes(smart=True)),
        ("“x”", Wishes(alphabet=Alphabet.UCS2)),
    ],
)
def test_where_it_would_change_nothing(text: str, wishes: Wishes) -> None:
    assert smarter(text, plan(text, wishes=wishes), DEFAULT_ENCODING, wishes) is None


@pytest.mark.parametrize(
    ("text", "wishes", "left"),
    [
        ("“Łódź”", Wishes(smart=True), ["Ł", "ó", "ź"]),
        ("ŁŁ", Wishes(smart=True), ["Ł"]),
        ("…" * 70, Wishes(smart=True), []),  # 210 septets: two segments, in place of one
        ("“Łódź”", NO_WISHES, None),
        ("“x”", Wishes(smart=True), None),
        ("plain", Wishes(smart=True), None),
        ("“Łódź”", Wishes(smart=True, alphabet=Alphabet.UCS2), None),
        ("“Łódź”", Wishes(smart=True, on_unencodable=OnUnencodable.TRANSLITERATE), None),
    ],
)
def test_what_smart_encoding_would_leave(text: str, wishes: Wishes, left: list[str] | None) -> None:
    assert remaining(text, plan(text, wishes=wishes), DEFAULT_ENCODING, wishes) == left


_TEXT = st.text(st.sampled_from("aé€[\r\nşığ…“яक्षि👍🏽👨‍👩‍👧\ufeff中ß"), min_size=1, max_size=400)
_ENCODINGS = st.fixed_dictionaries(
    {},
    optional={
        "default_alphabet": st.sampled_from(DefaultAlphabet),
        "packing": st.sampled_from(Packing),
        "long": st.sampled_from(LongMessages),
        "max_octets": st.integers(60, 140),
        "national": st.sampled_from([(Language.TURKISH,), tuple(Language)]),
        "latin1_data_coding": st.just(3),
        "ascii_data_coding": st.just(1),
    },
).map(lambda fields: Encoding(**fields))
_WISHES = st.fixed_dictionaries(
    {},
    optional={
        "smart": st.just(True),
        "message_class": st.just(0),
        "elements": st.just(((5, b"\x13\x88\x00\x00"),)),
        "on_unencodable": st.sampled_from(OnUnencodable),
    },
).map(lambda fields: Wishes(**fields))


@given(_TEXT, _ENCODINGS, _WISHES)
def test_the_segments_are_the_text_that_is_sent(text: str, encoding: Encoding, wishes: Wishes) -> None:
    try:
        planned = plan(text, encoding=encoding, wishes=wishes)
    except Refusal:
        return
    found = preview(text, planned, encoding)
    assert "".join(segment.text for segment in found.segments) == planned.text
    assert [segment.octets for segment in found.segments] == list(planned.segments)
    assert all(segment.used > 0 and segment.left >= 0 for segment in found.segments)
    assert {one.character for one in found.forced} >= {one for one in text if gsm7.try_encode(one) is None}
    for one in (*found.forced, *found.extended):
        assert all(place >= 0 for place in one.positions) and one.name
    assert all(text[at] == one.character for one in found.forced for at in one.positions)
    assert all(planned.text[at] == one.character for one in found.extended for at in one.positions)
