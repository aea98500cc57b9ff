"""Planning: the standard's limits, every border, and the properties that must hold for any text."""

from __future__ import annotations

import functools

import pytest
import regex
import smpplib.gsm
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smppgw.errors import Refusal
from smppgw.sms import gsm7, reassemble, udh
from smppgw.sms.dcs import decode_text
from smppgw.sms.encoding import (
    DEFAULT_ENCODING,
    NO_WISHES,
    Alphabet,
    ClassForm,
    DefaultAlphabet,
    Encoding,
    Language,
    LongMessages,
    Numbering,
    OnUnencodable,
    Packing,
    Waiting,
    WaitingKind,
    Wishes,
)
from smppgw.sms.plan import Plan, plan, plan_octets
from smppgw.sms.smart import Replaced
from tests.sms import oracle
from tests.sms.planned import GSM7_CHARACTERS, PORTS, check, check_form, encodings, joined_texts, texts
from tests.sms.planned import wishes as any_wishes
from tests.sms.vectors import tpdu_octets


@pytest.mark.parametrize(
    ("name", "text", "alphabet", "sizes"),
    [
        ("one septet", "a", "gsm7", [1]),
        ("a full single", "a" * 160, "gsm7", [160]),
        ("one more", "a" * 161, "gsm7", [6 + 153, 6 + 8]),
        ("two full parts", "a" * 306, "gsm7", [6 + 153, 6 + 153]),
        ("three parts", "a" * 307, "gsm7", [6 + 153, 6 + 153, 6 + 1]),
        ("a full single with an escape pair at its end", "a" * 158 + "€", "gsm7", [160]),
        ("an escape pair over the single's end", "a" * 159 + "€", "gsm7", [6 + 153, 6 + 8]),
        ("an escape pair over the cut", "a" * 152 + "€" + "a" * 10, "gsm7", [6 + 152, 6 + 12]),
        ("an escape pair before the cut", "a" * 151 + "€" + "a" * 10, "gsm7", [6 + 153, 6 + 10]),
        ("only escape pairs", "€" * 81, "gsm7", [6 + 152, 6 + 10]),
        ("escape pairs that cost a third part", "a" * 152 + "€" * 77, "gsm7", [6 + 152, 6 + 152, 6 + 2]),
        ("one UCS-2 unit", "ç", "ucs2", [2]),
        ("a full UCS-2 single", "您" * 70, "ucs2", [140]),
        ("one unit more", "您" * 71, "ucs2", [6 + 134, 6 + 8]),
        ("two full UCS-2 parts", "您" * 134, "ucs2", [6 + 134, 6 + 134]),
        ("a surrogate pair at the single's end", "您" * 68 + "😀", "ucs2", [140]),
        ("a surrogate pair over the cut", "您" * 66 + "😀" + "您" * 10, "ucs2", [6 + 132, 6 + 24]),
        ("a surrogate pair before the cut", "您" * 65 + "😀" + "您" * 10, "ucs2", [6 + 134, 6 + 20]),
        ("only surrogate pairs", "😀" * 36, "ucs2", [6 + 132, 6 + 12]),
        ("one character makes all of it UCS-2", "a" * 69 + "ş", "ucs2", [140]),
        ("ESC is no character of GSM-7", "a\x1b", "ucs2", [4]),
    ],
)
def test_borders(name: str, text: str, alphabet: str, sizes: list[int]) -> None:
    made = plan(text, reference=7)
    assert (made.alphabet, [len(octets) for octets in made.segments]) == (alphabet, sizes)
    assert made.data_coding == {"gsm7": 0, "ucs2": 8}[alphabet]
    assert made.esm_class == (0x40 if len(sizes) > 1 else 0)


def test_octets_of_a_whole_plan() -> None:
    octets = bytes.fromhex("4869200020351B65")
    assert plan("Hi @ 5€", reference=1) == Plan(Alphabet.GSM7, 0, 0, (octets,), text="Hi @ 5€")
    octets = bytes.fromhex("041F04400438043204350442")
    assert plan("Привет", reference=1) == Plan(Alphabet.UCS2, 8, 0, (octets,), text="Привет")
    long = plan("x" * 160 + "\n", reference=0x1FE)
    header = bytes.fromhex("050003FE02")
    assert long.segments == (header + b"\x01" + b"x" * 153, header + b"\x02" + b"x" * 7 + b"\n")


@pytest.mark.parametrize(
    ("text", "max_segments", "code", "says"),
    [
        ("", 255, "empty_text", "empty"),
        ("a\0b", 255, "unencodable", "U+0000 at position 1"),
        ("a\ud83d", 255, "unencodable", "U+D83D at position 1"),
        ("\udfff" + "a" * 500, 1, "unencodable", "U+DFFF at position 0"),
        ("您" * 500 + "\0", 1, "unencodable", "U+0000 at position 500"),
        ("a" * (153 * 255 + 1), 255, "too_long", "needs 256 segments in GSM-7, 255 are allowed"),
        ("a" * (153 * 300), 1000, "too_long", "needs 300 segments in GSM-7, 255 are allowed"),
        ("您" * (67 * 255 + 1), 255, "too_long", "needs 256 segments in UCS-2, 255 are allowed"),
        ("a" * 307, 2, "too_long", "needs 3 segments in GSM-7, 2 are allowed"),
        ("😀" * 67, 2, "too_long", "needs 3 segments in UCS-2, 2 are allowed"),
    ],
)
def test_refusals(text: str, max_segments: int, code: str, says: str) -> None:
    with pytest.raises(Refusal) as caught:
        plan(text, reference=0, max_segments=max_segments)
    assert (caught.value.code, caught.value.field) == (code, "text")
    assert says in caught.value.text


@pytest.mark.parametrize(("text", "segments"), [("a" * 153 * 255, 255), ("您" * 67 * 255, 255), ("a" * 160, 1)])
def test_the_limit_itself_is_allowed(text: str, segments: int) -> None:
    made = plan(text, reference=0, max_segments=segments)
    assert len(made.segments) == segments
    assert reassemble.join(made.segments, data_coding=made.data_coding, udhi=segments > 1) == text


# ---------------------------------------------------------------------------------------------------------------- #
# The choice
# ---------------------------------------------------------------------------------------------------------------- #

TURKISH = Encoding(national=(Language.TURKISH,))
ALL = Encoding(national=tuple(Language))
SINGLE_OCTETS = Encoding(latin1_data_coding=3, ascii_data_coding=1)
SMART = Wishes(smart=True)
TRANSLITERATE = Wishes(on_unencodable=OnUnencodable.TRANSLITERATE)
REFUSE = Wishes(on_unencodable=OnUnencodable.REFUSE)


@pytest.mark.parametrize(
    ("name", "text", "encoding", "wishes", "alphabet", "tables", "parts"),
    [
        ("one segment of UCS-2 is not made of national tables", "ş" * 70, TURKISH, NO_WISHES, "ucs2", "", 1),
        ("two are", "ş" * 71, TURKISH, NO_WISHES, "gsm7", "single", 1),
        ("the locking table takes one septet", "ş" * 100, TURKISH, NO_WISHES, "gsm7", "locking", 1),
        ("beside a bracket, one table is enough", "ş[" * 50, TURKISH, NO_WISHES, "gsm7", "locking", 1),
        ("not for what no table has", "ş₺" * 40, ALL, NO_WISHES, "ucs2", "", 2),
        ("a table of each kind, of two languages", "ã" * 80 + "ş" * 30, ALL, NO_WISHES, "gsm7", "single locking", 1),
        ("Spanish has a single shift table", "á" * 75, ALL, NO_WISHES, "gsm7", "single", 1),
        ("not where none is allowed", "ş" * 71, DEFAULT_ENCODING, NO_WISHES, "ucs2", "", 2),
        ("not beside a Latin-1 default alphabet", "ş" * 71, TURKISH._replace(default_alphabet=DefaultAlphabet.LATIN1),
         NO_WISHES, "ucs2", "", 2),
        ("plain texts have no tables", "a" * 161, ALL, NO_WISHES, "gsm7", "", 2),
        ("brackets may be cheaper by a table", "€" * 100, ALL, NO_WISHES, "gsm7", "locking", 1),
        ("brackets may be cheaper in ASCII", "[" * 140, SINGLE_OCTETS, NO_WISHES, "ascii", "", 1),
        ("and are not in one segment", "[" * 80, SINGLE_OCTETS, NO_WISHES, "gsm7", "", 1),
        ("ASCII has what GSM-7 lacks", "`", SINGLE_OCTETS, NO_WISHES, "ascii", "", 1),
        ("Latin-1 has more", "`ç", SINGLE_OCTETS, NO_WISHES, "latin1", "", 1),
        ("but no control characters", "`ç\x85", SINGLE_OCTETS, NO_WISHES, "ucs2", "", 1),
        ("an alphabet of the caller's", "abc", DEFAULT_ENCODING, Wishes(alphabet=Alphabet.UCS2), "ucs2", "", 1),
        ("and one octet a character", "abc", SINGLE_OCTETS, Wishes(alphabet=Alphabet.LATIN1), "latin1", "", 1),
        ("GSM-7 includes national tables", "ş", TURKISH, Wishes(alphabet=Alphabet.GSM7), "gsm7", "single", 1),
        ("to refuse UCS-2 is to take what else there is", "ş", TURKISH, REFUSE, "gsm7", "single", 1),
        ("in as many segments as it takes", "ş" * 70, TURKISH._replace(max_octets=60), REFUSE, "gsm7", "locking", 2),
        ("beside what no table has, too", "Ağaç ş", TURKISH, TRANSLITERATE, "gsm7", "single", 1),
        ("as for Latin-1", "ú", SINGLE_OCTETS, TRANSLITERATE, "latin1", "", 1),
        ("UCS-2 that is asked for", "ş", TURKISH, REFUSE._replace(alphabet=Alphabet.UCS2), "ucs2", "", 1),
        ("nor about what Latin-1 can", "ç", SINGLE_OCTETS, REFUSE, "latin1", "", 1),
    ],
)  # fmt: skip
def test_choice(
    name: str, text: str, encoding: Encoding, wishes: Wishes, alphabet: str, tables: str, parts: int
) -> None:
    made = plan(text, encoding=encoding, wishes=wishes)
    used = [label for label, table in (("single", made.single), ("locking", made.locking)) if table is not None]
    assert (made.alphabet, " ".join(used), made.parts) == (alphabet, tables, parts)


def test_octets_with_a_shift_table() -> None:
    made = plan("ş" * 71, encoding=TURKISH)
    assert made.segments == (bytes.fromhex("03240101") + b"\x1bs" * 71,)
    assert (made.esm_class, made.numbering, made.single) == (0x40, Numbering.NONE, Language.TURKISH)
    several = plan("ş" * 160, encoding=TURKISH._replace(long=LongMessages.SAR), reference=7)
    assert several.numbering is Numbering.NARROW  # TLVs and a UDH of our own would be two ways at once
    assert [segment[:9].hex() for segment in several.segments] == ["080003070201250101", "080003070202250101"]


@pytest.mark.parametrize(
    ("name", "text", "encoding", "wishes", "sent", "alphabet"),
    [
        ("quotes", "“a”", DEFAULT_ENCODING, SMART, '"a"', "gsm7"),
        ("only where that helps", "“ш”", DEFAULT_ENCODING, SMART, "“ш”", "ucs2"),
        ("composed first", "e\u0300", DEFAULT_ENCODING, SMART, "è", "gsm7"),
        ("not where UCS-2 is wished", "“a”", DEFAULT_ENCODING, SMART._replace(alphabet=Alphabet.UCS2), "“a”", "ucs2"),
        ("where GSM-7 is", "“a”", DEFAULT_ENCODING, SMART._replace(alphabet=Alphabet.GSM7), '"a"', "gsm7"),
        ("not where it costs a segment", "…" * 70, DEFAULT_ENCODING, SMART, "…" * 70, "ucs2"),
        ("but rather than a refusal", "…" * 70, DEFAULT_ENCODING,
         SMART._replace(on_unencodable=OnUnencodable.REFUSE), "..." * 70, "gsm7"),
        ("with national tables", "“ş”" * 30, TURKISH, SMART, '"ş"' * 30, "gsm7"),
        ("not wished", "“a”", DEFAULT_ENCODING, NO_WISHES, "“a”", "ucs2"),
        ("other letters", "Лев [1]", DEFAULT_ENCODING, TRANSLITERATE, "Lev [1]", "gsm7"),
        ("only what GSM-7 lacks", "Ñandú", DEFAULT_ENCODING, TRANSLITERATE, "Ñandu", "gsm7"),
        ("not what an allowed table has", "ş" * 71, TURKISH, TRANSLITERATE, "ş" * 71, "gsm7"),
        ("nor what Latin-1 has", "ú", SINGLE_OCTETS, TRANSLITERATE, "ú", "latin1"),
        ("nor what is wished in UCS-2", "Лев", DEFAULT_ENCODING,
         TRANSLITERATE._replace(alphabet=Alphabet.UCS2), "Лев", "ucs2"),
        ("for an alphabet that lacks it", "Лев", DEFAULT_ENCODING,
         TRANSLITERATE._replace(alphabet=Alphabet.GSM7), "Lev", "gsm7"),
        ("not the typography of what a table has", "“ş”", TURKISH, TRANSLITERATE._replace(smart=True), '"ş"', "gsm7"),
        ("no emoji becomes its name", "Лев 👍", DEFAULT_ENCODING, TRANSLITERATE, "Лев 👍", "ucs2"),
        ("not where it costs a segment, again", "щ" * 70, DEFAULT_ENCODING, TRANSLITERATE, "щ" * 70, "ucs2"),
        ("where it costs none", "щ" * 71, DEFAULT_ENCODING, TRANSLITERATE, "shch" * 71, "gsm7"),
        ("nothing vanishes", "a\ue000", DEFAULT_ENCODING, TRANSLITERATE, "a\ue000", "ucs2"),
    ],
)  # fmt: skip
def test_what_is_replaced(name: str, text: str, encoding: Encoding, wishes: Wishes, sent: str, alphabet: str) -> None:
    made = plan(text, encoding=encoding, wishes=wishes)
    assert (made.text, made.alphabet) == (sent, alphabet)
    assert replaced_in(text, made.replaced) == sent
    assert bool(made.replaced) == (text != sent)


def replaced_in(text: str, replaced: tuple[Replaced, ...]) -> str:
    for at, old, new in reversed(replaced):
        assert text[at : at + len(old)] == old
        text = text[:at] + new + text[at + len(old) :]
    return text


typographic_texts = st.text(alphabet="abc “”’–…\u00a0ыщ😀e\u0301ş€[", min_size=1, max_size=200)


@settings(deadline=None)
@given(typographic_texts | texts, encodings, st.sampled_from(OnUnencodable), st.booleans())
def test_what_is_planned_is_what_was_given_or_what_is_told(
    text: str, encoding: Encoding, on_unencodable: OnUnencodable, smart: bool
) -> None:
    asked = Wishes(smart=smart, on_unencodable=on_unencodable)
    try:
        before = plan(text, encoding=encoding)
        made = plan(text, encoding=encoding, wishes=asked)
    except Refusal as refusal:
        assert refusal.code == "unencodable"
        assert on_unencodable is OnUnencodable.REFUSE
        return
    assert replaced_in(text, made.replaced) == made.text
    check(made, encoding, asked, 0)
    if made.replaced:
        assert made.alphabet is not Alphabet.UCS2
        assert before.alphabet is Alphabet.UCS2
        assert smart or on_unencodable is OnUnencodable.TRANSLITERATE
    elif on_unencodable is OnUnencodable.UCS2 or before.alphabet is not Alphabet.UCS2:
        assert made == before
    if on_unencodable is OnUnencodable.REFUSE:
        assert made.alphabet is not Alphabet.UCS2
    if on_unencodable is OnUnencodable.UCS2:
        assert made.parts <= before.parts


def test_what_was_replaced_is_told() -> None:
    made = plan("It’s 5 €…", wishes=SMART)
    assert made.replaced == (Replaced(2, "’", "'"), Replaced(8, "…", "..."))


# ---------------------------------------------------------------------------------------------------------------- #
# Class, waiting, elements
# ---------------------------------------------------------------------------------------------------------------- #

LATIN1_WISH = Wishes(alphabet=Alphabet.LATIN1)
DISCARDED = Wishes(waiting=Waiting(WaitingKind.VOICEMAIL))
STORED = Wishes(waiting=Waiting(WaitingKind.EMAIL, active=False, store=True))


@pytest.mark.parametrize(
    ("name", "text", "wishes", "data_coding", "octets"),
    [
        ("flash", "Hi", Wishes(message_class=0), 0x10, "4869"),
        ("flash in UCS-2", "Я", Wishes(message_class=0), 0x18, "042f"),
        ("voicemail waits", "", DISCARDED, 0xC8, ""),
        ("with a text", "3", DISCARDED, 0xC8, "33"),
        ("no more e-mail, stored", "0", STORED, 0xD2, "30"),
        ("stored in UCS-2", "Я", STORED, 0xE2, "042f"),
        ("counted", "", Wishes(waiting=Waiting(WaitingKind.FAX, count=3)), 0xC9, "0401020103"),
        ("counted and stored", "", Wishes(waiting=Waiting(WaitingKind.FAX, store=True, count=3)), 0xD9, "0401028103"),
        ("ports", "Hi", Wishes(elements=(PORTS,)), 0, "0605040b8423f04869"),
        (
            "a concatenation of the caller's",
            "Hi",
            Wishes(elements=((0, b"\x07\x02\x01"),)),
            0,
            "05000307020148" + "69",
        ),
    ],
)
def test_wishes(name: str, text: str, wishes: Wishes, data_coding: int, octets: str) -> None:
    made = plan(text, wishes=wishes)
    assert (made.data_coding, [segment.hex() for segment in made.segments]) == (data_coding, [octets])
    assert made.esm_class == (0x40 if wishes.elements or (wishes.waiting and wishes.waiting.count) else 0)


@settings(deadline=None)
@given(texts, encodings, any_wishes, st.integers(0, 70_000))
def test_a_reference_can_be_given_later(text: str, encoding: Encoding, asked: Wishes, reference: int) -> None:
    """The store does that: our concatenation element comes first, whatever else is in the UDH."""
    try:
        made = plan(text, encoding=encoding, wishes=asked)
    except Refusal:
        return
    again = plan(text, encoding=encoding, wishes=asked, reference=reference)
    if made.numbering in (Numbering.NARROW, Numbering.WIDE):
        wide = made.numbering is Numbering.WIDE
        renumbered = [udh.renumbered(segment, reference, wide=wide) for segment in made.segments]
        assert renumbered == list(again.segments)
    else:
        assert made == again


def test_a_class_by_a_tlv() -> None:
    made = plan("Hi", encoding=Encoding(class_form=ClassForm.SUBUNIT), wishes=Wishes(message_class=0))
    assert (made.data_coding, made.subunit) == (0, 1)  # SMPP 3.4, 5.3.2.1: 1 is the display


def test_elements_are_in_every_part() -> None:
    made = plan("ş" * 160, encoding=TURKISH, wishes=Wishes(elements=(PORTS,)), reference=0x1FF)
    assert made.parts == 2
    for part, segment in enumerate(made.segments, 1):
        told = bytes.fromhex(f"0e0003ff02{part:02x}05040b8423f0250101")
        assert segment.startswith(told)
        assert len(segment) - len(told) <= oracle.septets_beside(140, len(told))


@pytest.mark.parametrize(
    ("name", "text", "encoding", "wishes", "code", "field", "says"),
    [
        ("class and waiting", "a", DEFAULT_ENCODING, DISCARDED._replace(message_class=1),
         "conflicting_fields", "message_waiting", "one of them"),
        ("class and Latin-1", "a", SINGLE_OCTETS, LATIN1_WISH._replace(message_class=1),
         "conflicting_fields", "message_class", "not in Latin-1"),
        ("no class here", "a", Encoding(class_form=ClassForm.NONE), Wishes(message_class=1),
         "class_unsupported", "message_class", "takes no message class"),
        ("no Latin-1 here", "a", DEFAULT_ENCODING, LATIN1_WISH,
         "alphabet_unsupported", "alphabet", "no texts in Latin-1"),
        ("no text is binary", "a", DEFAULT_ENCODING, Wishes(alphabet=Alphabet.BINARY),
         "alphabet_unsupported", "alphabet", "no texts in octets"),
        ("UCS-2 and discarded", "a", DEFAULT_ENCODING, DISCARDED._replace(alphabet=Alphabet.UCS2),
         "waiting_not_gsm7", "message_waiting", "UCS-2 was asked for"),
        ("discarded and not GSM-7", "Я", DEFAULT_ENCODING, DISCARDED,
         "waiting_not_gsm7", "message_waiting", "U+042F (CYRILLIC CAPITAL LETTER YA) at position 0"),
        ("shift tables of the caller's", "a", DEFAULT_ENCODING, Wishes(elements=((0x24, b"\1"),)),
         "conflicting_fields", "udh", "0x24"),
        ("a UDH that fills the segment", "a", DEFAULT_ENCODING, Wishes(elements=((0x70, b"x" * 138),)),
         "too_long", "udh", "take 140 octets"),
        ("a UDH that leaves no room", "a" * 3, DEFAULT_ENCODING, Wishes(elements=((0x70, b"x" * 136),)),
         "too_long", "udh", "no room"),
        ("a part of the caller's is one", "a" * 161, DEFAULT_ENCODING, Wishes(elements=((8, b"\1\1\2\1"),)),
         "too_long", "text", "needs 2 segments, but the UDH has a concatenation element"),
        ("not in GSM-7", "añb“”ш…", DEFAULT_ENCODING, Wishes(alphabet=Alphabet.GSM7), "unencodable", "text",
         "GSM-7 lacks U+201C (LEFT DOUBLE QUOTATION MARK) at position 3, U+201D (RIGHT DOUBLE QUOTATION MARK) at "
         "position 4, U+0448 (CYRILLIC SMALL LETTER SHA) at position 5 and 1 more"),
        ("to be refused", "ш", DEFAULT_ENCODING, REFUSE, "unencodable", "text", "U+0448"),
        ("to be refused, by national tables", "şш", TURKISH, REFUSE, "unencodable", "text", "U+0448"),
        ("not in ASCII", "é", SINGLE_OCTETS, Wishes(alphabet=Alphabet.ASCII), "unencodable", "text", "ASCII lacks"),
        ("not in this GSM-7", "é", Encoding(DefaultAlphabet.ASCII), REFUSE, "unencodable", "text",
         "the carrier's default alphabet (ASCII) lacks U+00E9"),
        ("in neither", "é€ш", Encoding(DefaultAlphabet.LATIN1), REFUSE, "unencodable", "text",
         "GSM-7 lacks U+0448 (CYRILLIC SMALL LETTER SHA) at position 2; the carrier's default alphabet (Latin-1) "
         "lacks U+20AC (EURO SIGN) at position 1"),
        ("a lone surrogate is no text, smart or not", "“\ud800", DEFAULT_ENCODING,
         SMART._replace(on_unencodable=OnUnencodable.TRANSLITERATE), "unencodable", "text", "U+D800 at position 1"),
        ("nor is U+0000", "“\0", DEFAULT_ENCODING, SMART, "unencodable", "text", "U+0000 at position 1"),
        ("nothing at all", "", DEFAULT_ENCODING, Wishes(message_class=0), "empty_text", "text", "empty"),
    ],
)  # fmt: skip
def test_refused_wishes(
    name: str, text: str, encoding: Encoding, wishes: Wishes, code: str, field: str, says: str
) -> None:
    with pytest.raises(Refusal) as caught:
        plan(text, encoding=encoding, wishes=wishes)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert says in caught.value.text


# ---------------------------------------------------------------------------------------------------------------- #
# Octets
# ---------------------------------------------------------------------------------------------------------------- #

PACKED = Encoding(packing=Packing.PACKED)
LATIN1 = Encoding(DefaultAlphabet.LATIN1)


@pytest.mark.parametrize(
    ("name", "octets", "data_coding", "encoding", "wishes", "alphabet", "planned_as", "sizes"),
    [
        ("binary", b"\xff" * 140, None, DEFAULT_ENCODING, NO_WISHES, "binary", 4, [140]),
        ("long binary", b"\xff" * 141, None, DEFAULT_ENCODING, NO_WISHES, "binary", 4, [140, 13]),
        ("as settings say", b"\xff", None, Encoding(binary_data_coding=0xF5), NO_WISHES, "binary", 0xF5, [1]),
        ("with a class", b"\xff", None, DEFAULT_ENCODING, Wishes(message_class=2), "binary", 0x16, [1]),
        ("with a class of the class group", b"\xff", None, Encoding(class_form=ClassForm.CLASS_GROUP),
         Wishes(message_class=2), "binary", 0xF6, [1]),
        ("with ports", b"x" * 134, 0xF5, DEFAULT_ENCODING, Wishes(elements=(PORTS,)), "binary", 0xF5, [140, 18]),
        ("septets", b"a" * 160, 0, DEFAULT_ENCODING, NO_WISHES, "gsm7", 0, [160]),
        ("more septets", b"a" * 161, 0xF0, DEFAULT_ENCODING, NO_WISHES, "gsm7", 0xF0, [159, 14]),
        ("an escape is not cut", b"a" * 152 + b"\x1be" * 5, 0, DEFAULT_ENCODING, NO_WISHES, "gsm7", 0, [158, 16]),
        ("packed ones are octets", b"\xff" * 141, 0, PACKED, NO_WISHES, "gsm7", 0, [140, 13]),
        ("Latin-1 by default", b"\xff" * 141, 0, LATIN1, NO_WISHES, "binary", 0, [140, 13]),
        ("UCS-2", "您".encode("utf-16-be") * 66 + "😀您您您".encode("utf-16-be"), 8, DEFAULT_ENCODING, NO_WISHES,
         "ucs2", 8, [138, 16]),
        ("an alphabet that phones know nothing of", b"\xff" * 141, 6, DEFAULT_ENCODING, NO_WISHES,
         "binary", 6, [140, 13]),
        ("only a UDH", b"", 4, DEFAULT_ENCODING, Wishes(elements=(PORTS,)), "binary", 4, [7]),
        ("SAR", b"\xff" * 141, 4, Encoding(long=LongMessages.SAR), NO_WISHES, "binary", 4, [134, 7]),
        ("a payload", b"\xff" * 141, 4, Encoding(long=LongMessages.PAYLOAD), NO_WISHES, "binary", 4, [141]),
    ],
)  # fmt: skip
def test_octets(
    name: str,
    octets: bytes,
    data_coding: int | None,
    encoding: Encoding,
    wishes: Wishes,
    alphabet: str,
    planned_as: int,
    sizes: list[int],
) -> None:
    made = plan_octets(octets, data_coding=data_coding, encoding=encoding, wishes=wishes)
    assert (made.alphabet, made.data_coding) == (alphabet, planned_as)
    assert [len(segment) for segment in made.segments] == sizes
    contents = [udh.split(segment)[1] if made.esm_class else segment for segment in made.segments]
    assert b"".join(contents) == octets
    assert (made.text, made.payload) == ("", encoding.long is LongMessages.PAYLOAD)


@pytest.mark.parametrize(
    ("name", "octets", "data_coding", "wishes", "code", "field", "says"),
    [
        ("none", b"", None, NO_WISHES, "empty_text", "octets", "no octets"),
        ("no septet", b"ab\x80", 0, NO_WISHES, "octets_invalid", "octets", "octet 2 is 0x80"),
        ("two classes", b"a", 0xF5, Wishes(message_class=1), "conflicting_fields", "message_class", "already"),
        ("waiting", b"a", None, DISCARDED, "conflicting_fields", "message_waiting", "data_coding"),
        ("an alphabet", b"a", None, Wishes(alphabet=Alphabet.UCS2), "conflicting_fields", "alphabet", "data_coding"),
        ("too many", b"a" * (134 * 255 + 1), None, NO_WISHES, "too_long", "octets", "needs 256 segments in octets"),
    ],
)
def test_refused_octets(
    name: str, octets: bytes, data_coding: int | None, wishes: Wishes, code: str, field: str, says: str
) -> None:
    with pytest.raises(Refusal) as caught:
        plan_octets(octets, data_coding=data_coding, wishes=wishes)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert says in caught.value.text


@given(st.binary(min_size=1, max_size=500), st.integers(0, 255) | st.none(), encodings, st.booleans())
def test_any_octets(octets: bytes, data_coding: int | None, encoding: Encoding, with_ports: bool) -> None:
    wishes = Wishes(elements=(PORTS,) if with_ports else ())
    try:
        made = plan_octets(octets, data_coding=data_coding, encoding=encoding, wishes=wishes, reference=9)
    except Refusal as refusal:
        assert refusal.code == "octets_invalid"
        assert not octets.isascii()
        return
    contents = [udh.split(segment)[1] if made.esm_class else segment for segment in made.segments]
    assert b"".join(contents) == octets
    check_form(made, encoding, wishes, 9)
    for segment in made.segments:
        header = 6 if made.numbering is Numbering.SAR else 0
        if made.alphabet is not Alphabet.GSM7 or encoding.packs:
            assert made.payload or header + len(segment) <= encoding.max_octets
        else:
            size = tpdu_octets(segment, gsm7=True, udhi=made.esm_class == 0x40)
            assert made.payload or header + size <= encoding.max_octets


# ---------------------------------------------------------------------------------------------------------------- #
# Any text, any SMSC, any wish
# ---------------------------------------------------------------------------------------------------------------- #


@settings(deadline=None)  # the oracle looks at every way to cut
@given(texts, encodings, any_wishes, st.integers(0, 70_000))
@example("a" * 152 + "€" * 77, DEFAULT_ENCODING, NO_WISHES, 255)
@example("[" * 200, DEFAULT_ENCODING, NO_WISHES, 256)
@example("您" * 66 + "😀" * 40, DEFAULT_ENCODING, NO_WISHES, 0)
@example("a" * 160 + "\ufeff", DEFAULT_ENCODING, NO_WISHES, 0)
@example("\ufeffа", DEFAULT_ENCODING, NO_WISHES, 0)
@example("\ufffe\uffff", DEFAULT_ENCODING, NO_WISHES, 0)
@example("a" * 152 + "\r" + "a" * 50, Encoding(packing=Packing.PACKED), NO_WISHES, 0)
@example("a" * 159 + "\r", Encoding(packing=Packing.PACKED), NO_WISHES, 0)
@example("a" * 152 + "\r" + "a" * 50, Encoding(packing=Packing.PACKED, long=LongMessages.SAR), NO_WISHES, 0)
@example("a" * 400, Encoding(packing=Packing.PACKED, max_octets=139), NO_WISHES, 0)
@example("ä" * 160, Encoding(DefaultAlphabet.UTF8), NO_WISHES, 0)
@example("ä" * 150, Encoding(DefaultAlphabet.UTF8, long=LongMessages.PAYLOAD), NO_WISHES, 0)
@example("ş" * 71, Encoding(national=(Language.TURKISH,), long=LongMessages.SAR), NO_WISHES, 3)
@example("ş" * 400, Encoding(national=(Language.TURKISH,), long=LongMessages.PAYLOAD), NO_WISHES, 3)
@example("ş" * 400, Encoding(national=(Language.TURKISH,), packing=Packing.PACKED), NO_WISHES, 3)
def test_any_text_any_smsc(text: str, encoding: Encoding, asked: Wishes, reference: int) -> None:
    try:
        made = plan(text, encoding=encoding, wishes=asked, reference=reference)
    except Refusal as refusal:
        assert expected_refusal(text, encoding, asked) == refusal.code, refusal.text
        return
    assert expected_refusal(text, encoding, asked) is None
    assert (made.text, made.replaced) == (text, ())
    check(made, encoding, asked, reference)
    ways = list(oracle.ways(text, encoding, asked))
    fewest = min(way.parts for way in ways)
    best = [way for way in ways if way.parts == fewest]
    assert made.parts == fewest
    if best[0].alphabet is Alphabet.GSM7 and best[0][1:3] != (None, None):
        assert (made.alphabet, made.locking, made.single) in [way[:3] for way in best]
    else:
        assert (made.alphabet, made.locking, made.single) == best[0][:3]


def expected_refusal(text: str, encoding: Encoding, asked: Wishes) -> str | None:
    """The code, by the rules as they are written down."""
    waiting = asked.waiting
    if waiting is not None and waiting.count is not None and waiting.active == (waiting.count == 0):
        return "conflicting_fields"
    if asked.message_class is not None:
        if asked.waiting is not None or asked.alphabet in (Alphabet.LATIN1, Alphabet.ASCII):
            return "conflicting_fields"
        if encoding.class_form is ClassForm.NONE:
            return "class_unsupported"
    discarded = asked.waiting is not None and not asked.waiting.store
    if discarded and asked.alphabet is Alphabet.UCS2:
        return "waiting_not_gsm7"
    if asked.alphabet is Alphabet.LATIN1 and (encoding.latin1_data_coding is None or asked.waiting is not None):
        return "alphabet_unsupported"
    if asked.alphabet is Alphabet.ASCII and (encoding.ascii_data_coding is None or asked.waiting is not None):
        return "alphabet_unsupported"
    ways = list(oracle.ways(text, encoding, asked))
    if not ways:
        return "waiting_not_gsm7" if discarded else "unencodable"
    return "too_long" if min(way.parts for way in ways) > 255 else None


@given(texts, encodings)
def test_what_we_send_can_be_read_by_its_data_coding(text: str, encoding: Encoding) -> None:
    """A single segment, and a message_payload, by the way that inbound texts are read."""
    made = plan(text, encoding=encoding)
    if len(made.segments) == 1 and "\ufeff" not in text and "\ufffe" not in text:
        shown = decode_text(made.segments[0], made.data_coding, made.esm_class == 0x40, encoding)
        assert shown.rstrip("\r") == text.rstrip("\r")


@settings(deadline=None)
@given(joined_texts, st.sampled_from([DEFAULT_ENCODING, Encoding(long=LongMessages.UDH16), Encoding(max_octets=60)]))
@example("a" * 66 + "🇬🇧" + "您", DEFAULT_ENCODING)
@example("a" * 60 + "👩🏽‍🚀" * 3, DEFAULT_ENCODING)
def test_clusters_stay_whole_where_that_costs_nothing(text: str, encoding: Encoding) -> None:
    made = plan(text, encoding=encoding)
    ucs2 = made.alphabet is Alphabet.UCS2
    costly = "\f^{}\\[~]|€"
    sizes = [len(one.encode("utf-16-be")) // 2 if ucs2 else 2 if one in costly else 1 for one in text]
    header = 7 if encoding.long is LongMessages.UDH16 else 6
    units = (encoding.max_octets - header) // 2 if ucs2 else oracle.septets_beside(encoding.max_octets, header)
    if made.parts == 1 or oracle.clusters_kept(text, sizes, units) > made.parts:
        return
    ends = {found.end() for found in regex.finditer(r"\X", text)}
    at = 0
    for segment in made.segments:
        at += len(segment[header:].decode("utf-16-be") if ucs2 else gsm7.decode(segment[header:]))
        assert at in ends


@given(st.text(alphabet=st.characters(categories=["Cs", "Lu"]) | st.just("\0"), max_size=80))
def test_whatever_is_typed_gives_a_plan_or_a_named_refusal(text: str) -> None:
    try:
        made = plan(text, reference=0)
    except Refusal as refusal:
        assert (refusal.code == "empty_text") == (text == "")
        assert refusal.code in ("empty_text", "unencodable")
        assert text == "" or "\0" in text or any(0xD800 <= ord(character) < 0xE000 for character in text)
    else:
        assert made.segments


@given(st.text(alphabet=GSM7_CHARACTERS.replace("§", ""), min_size=1, max_size=500))  # smpplib lacks that sign
def test_smpplib_cuts_plain_gsm7_the_same(text: str) -> None:
    parts, data_coding, esm_class = smpplib.gsm.make_parts(text)
    made = plan(text, reference=0)
    assert (made.data_coding, made.esm_class) == (data_coding, esm_class)
    drop_reference = functools.partial(_without_reference, udhi=made.esm_class == 0x40)
    assert list(map(drop_reference, made.segments)) == list(map(drop_reference, parts))


@given(st.text(alphabet="您好Жя", min_size=1, max_size=300))
def test_smpplib_cuts_the_basic_plane_the_same(text: str) -> None:
    parts, data_coding, esm_class = smpplib.gsm.make_parts(text)
    made = plan(text, reference=0)
    assert (made.data_coding, made.esm_class) == (data_coding, esm_class)
    drop_reference = functools.partial(_without_reference, udhi=made.esm_class == 0x40)
    assert list(map(drop_reference, made.segments)) == list(map(drop_reference, parts))


def _without_reference(octets: bytes, *, udhi: bool) -> bytes:
    return octets[:3] + octets[4:] if udhi else octets
