"""Smart encoding and transliteration: what is replaced, what stays, and that everything replaced is told."""

from __future__ import annotations

import json
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smppgw.sms import gsm7
from smppgw.sms.smart import Replaced, smarten, transliterate

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "smart.json").read_text(encoding="utf-8")
)
GSM7 = gsm7.BASIC.replace("\ufffe", "") + "".join(gsm7.EXTENSION.values())

#: What people paste, with what Unicode has to make it difficult.
PASTED = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from(GSM7),
        st.sampled_from("“”‘’–—…\u00a0\u200b\ufeff\u00ad•·½¼œŒçÀ™»ﬁ１Ａ𝐀"),
        st.sampled_from("\u0300\u0301\u0303\u0308\u030a\u0327\u0323\u0345\u200d\u200c\ufe0e\ufe0f\u20e3\u1161\u11a8"),
        st.sampled_from("АВСавсщΑΒΓΔαβΩ❤👍🏽🇩🇪가각ক্ষিかが"),
    ),
    max_size=30,
)


def put_in(text: str, replaced: tuple[Replaced, ...]) -> str:
    """The text with what was replaced, done over again from what is told."""
    for at, old, new in reversed(replaced):
        assert text[at : at + len(old)] == old
        text = text[:at] + new + text[at + len(old) :]
    return text


def told(replaced: tuple[Replaced, ...]) -> list[tuple[int, str, str]]:
    return [tuple(one) for one in replaced]  # type: ignore[misc]


# What is replaced ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“Hello” – it’s 5…", '"Hello" - it\'s 5...'),
        ("„Gänsefüßchen“ ‚halbe‘", "\"Gänsefüßchen\" 'halbe'"),
        ("« Bonjour », ‹a› ″5′", '" Bonjour ", <a> "5\''),
        ("10\u202f000\u00a0€", "10 000 €"),
        ("a\u2009b\u3000c\td", "a b c d"),
        ("a\u2028b\u2029c\u0085d", "a\nb\nc\nd"),
        ("co\u00adop\u200b\u2060\ufeff", "coop"),
        ("\u200eleft\u200f \u2066right\u2069", "left right"),
        ("▪\ufe0f one", "- one"),
        ("2‑3 ‒ 4—5 ― −6 ⸺", "2-3 - 4-5 - -6 --"),
        ("• one\n• two", "- one\n- two"),
        ("· one\n\uf0b7 two", "- one\n- two"),
        ("ｆｕｌｌ　ｗｉｄｔｈ：１００％", "full width:100%"),
        ("𝐁𝐨𝐥𝐝 𝒾𝓉𝒶𝓁𝒾𝒸 𝟛", "Bold italic 3"),
        ("ﬁnal eﬄux ĳs", "final efflux ijs"),
        ("Œuvre, cœur, ŒUVRE", "Oeuvre, coeur, OEUVRE"),
        ("reçu", "reÇu"),
        ("½ l, 1½ h, ⅔", "1/2 l, 1 1/2 h, 2/3"),
        ("3×4 ± 1 ≤ 13 ≥ 1", "3x4 +/- 1 <= 13 >= 1"),
        ("Start → Menü ⇒ ←", "Start -> Menü => <-"),
        ("ACME™ © ®", "ACME(TM) (C) (R)"),
        ("©\ufe0f ‼\ufe0f", "(C) !!"),
        ("Chapter Ⅷ", "Chapter VIII"),
        ("∑ ∆ ∏ ⌀5", "Σ Δ Π Ø5"),
        ("ΚΑΛΗΜΕΡΑ ΕΛΛΑΔΑ", "KAΛHMEPA EΛΛAΔA"),
        ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
        ("СОМ", "COM"),
        ("`code´", "'code'"),
        ("Zürich a\u0308 e\u0301te\u0301 n\u0303", "Zürich ä été ñ"),
        ("5 \u2126, \u212b", "5 Ω, Å"),
        ("n’e\u0301tait\u2026", "n'était..."),
    ],
)
def test_typography_becomes_gsm7(text: str, expected: str) -> None:
    written, replaced = smarten(text)
    assert written == expected
    assert gsm7.try_encode(written) is not None
    assert put_in(text, replaced) == written


def test_what_was_replaced_is_told_with_its_place_in_the_callers_text() -> None:
    assert told(smarten("e\u0301 – \u00ad½")[1]) == [
        (0, "e\u0301", "é"),
        (3, "–", "-"),
        (5, "\u00ad", ""),
        (6, "½", "1/2"),
    ]


def test_what_nfc_and_the_table_replace_together_is_one_replacement() -> None:
    assert smarten("c\u0327a") == ("Ça", (Replaced(0, "c\u0327", "Ç"),))
    assert smarten("a\u1fef") == ("a'", (Replaced(1, "\u1fef", "'"),))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        GSM7,
        "10÷2",
        "½2",  # not "1/22"
        "½⅓2",
        "m²",
        "20°",
        "3·4",
        "cel·la",
        "a·b",
        "ő ą ć",
        "Ростов",  # one letter of it is none of GSM-7: not "Poctoв"
        "Αθήνα",
        "ε",
        "你好",
        "👨\u200d👩\u200d👧",
        "❤\ufe0f 👍🏽 🇩🇪",
        "1\ufe0f\u20e3",
        "می\u200cروم",
        "\u200fسلام!\u200e",  # they say on which side the mark stands
        "C# \u2067שלום\u2069",
        "क्\u200dष",
        "a\u202eb",  # what follows is shown in reverse order
        "q\u0303",
        "ᴀʙ",
        "\x00\x1b\x7f\x8d",
        "\ud800",
        "\u200b\ufeff",  # nothing would be left
        "\u00ad",
    ],
)
def test_what_says_something_else_or_cannot_be_written_stays(text: str) -> None:
    assert smarten(text) == (text, ())


def test_the_rest_of_a_text_is_replaced_though_it_does_not_become_gsm7() -> None:
    assert smarten("“Şu 👍\ufe0f”")[0] == '"Şu 👍\ufe0f"'


# Beside others ---------------------------------------------------------------------------------------------------

#: Where Twilio's list has something else, and why.
OTHERWISE = {
    "combining marks, which belong to the letter before them": lambda character: bool(
        unicodedata.combining(character) or unicodedata.category(character) == "Mn"
    ),
    "control characters: the text is broken": lambda character: (
        unicodedata.category(character) == "Cc" and character != "\t"
    ),
    "small capitals, which phonetic alphabets use": lambda character: (
        "LETTER SMALL CAPITAL" in unicodedata.name(character, "")
    ),
    "not division everywhere": lambda character: character == "÷",
}
#: And where it writes something else: one space for one, new lines for line ends, quotes as quotes, and what was
#: taken for its neighbour in the list.
WRITTEN_OTHERWISE = {
    "\t": " ",
    "\u2028": "\n",
    "\u2029": "\n",
    "‚": "'",
    "‹": "<",
    "›": ">",
    "‗": "_",
    "\ufe10": ",",
    "\ufe11": ",",
}


def test_all_that_twilio_replaces() -> None:
    for written, code_points in VECTORS["twilio"]["table"].items():
        for character in (chr(int(one, 16)) for one in code_points.split()):
            name = f"U+{ord(character):04X}"
            if any(why(character) for why in OTHERWISE.values()):
                assert smarten(f"a {character} b")[0] == f"a {character} b", name
                continue
            expected = WRITTEN_OTHERWISE.get(character, " " if written.isspace() else written)
            assert smarten(f"a {character} b")[0] == f"a {expected} b", name


def test_every_replacement_is_gsm7_and_no_character_of_gsm7_is_replaced() -> None:
    for code_point in range(0x20000):
        character = chr(code_point)
        written, replaced = smarten(f"a {character} b")
        if not replaced:
            continue
        assert character not in GSM7
        if unicodedata.is_normalized("NFC", character):
            assert gsm7.try_encode(written) is not None, f"U+{code_point:04X}"


def test_all_that_unicode_composes_is_composed() -> None:
    for code_point in range(0x30000):
        whole = chr(code_point)
        parts = unicodedata.normalize("NFD", whole)
        if parts == whole or unicodedata.normalize("NFC", whole) != whole:
            continue
        written, replaced = smarten(f"a {parts} b")
        assert written == smarten(f"a {whole} b")[0], f"U+{code_point:04X}"
        assert put_in(f"a {parts} b", replaced) == written


# Transliteration -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("“quotes” only…", '"quotes" only...'),
        ("ΚΑΛΗΜΕΡΑ", "KAΛHMEPA"),  # looks the same: no need to change the letters
        ("Łódź, őszi", "Lodz, oszi"),
        ("Привет, щука!", "Privet, shchuka!"),
        ("Ростов СОМ", "Rostov SOM"),
        ("Ρόδος 5 Ω", "Rodos 5 Ω"),
        ("Zażółć – 20 °C", "Zazolc - 20 degC"),
        ("Việt Nam", "Viet Nam"),
        ("Vie\u0323\u0302t", "Viet"),
        ("x\u030c", "x"),
        ("中文", "ZhongWen"),
        ("हिन्दी", "hindi"),
        ("a⁘b∷", "a:b::"),
        ("🇩🇪", "DE"),
        ("1\ufe0f\u20e3", "1"),
        ("a\u200bő\u200e", "ao"),
    ],
)
def test_transliteration(text: str, expected: str) -> None:
    found = transliterate(text)
    assert found is not None
    written, replaced = found
    assert written == expected
    assert put_in(text, replaced) == written


@pytest.mark.parametrize(
    "text",
    [
        *("\x00", "a\x1bő", "\ud800", "\ue000", "ő\u202e", "\u200b", "ő\ufffd\ufffe", "\u0378ő"),
        *("😀", "ő ❤\ufe0f👍🏽", "ő✔", "👩🏽‍🚀"),  # these have names, which nobody wrote
    ],
)
def test_what_would_vanish_is_not_transliterated(text: str) -> None:
    assert transliterate(text) is None


def test_neighbours_are_told_as_one() -> None:
    found = transliterate("Ну, “щука” x\u030c")
    assert found is not None
    assert told(found[1]) == [
        (0, "Ну", "Nu"),
        (4, "“щука”", '"shchuka"'),
        (12, "\u030c", ""),
    ]


# Any text --------------------------------------------------------------------------------------------------------


@given(PASTED)
@example("a\u0315\u0300")
@example("\u1100\u1161\u11a8")
@example("\u0344’")
def test_what_is_told_is_what_was_done(text: str) -> None:
    written, replaced = smarten(text)
    assert put_in(text, replaced) == written
    assert all(one.old != one.new for one in replaced)
    assert [one.at for one in replaced] == sorted({one.at for one in replaced})
    assert all(one.at + len(one.old) <= following.at for one, following in pairwise(replaced))
    if replaced or unicodedata.is_normalized("NFC", text):
        assert written == smarten(unicodedata.normalize("NFC", text))[0]
    if gsm7.try_encode(text) is not None:
        assert (written, replaced) == (text, ())


@given(PASTED)
def test_smart_encoding_done_again_changes_nothing_more_than_it_did(text: str) -> None:
    """What became GSM-7 is done."""
    written, _ = smarten(text)
    if gsm7.try_encode(written) is not None:
        assert smarten(written) == (written, ())


@given(PASTED)
def test_a_transliteration_is_gsm7_and_leaves_nothing_out(text: str) -> None:
    found = transliterate(text)
    if found is None:
        return
    written, replaced = found
    assert gsm7.try_encode(written) is not None
    assert put_in(text, replaced) == written
    assert bool(text.strip("\u200b\u200c\u200d")) <= bool(written)
    assert all(one.old != one.new for one in replaced)
    if gsm7.try_encode(text) is not None:
        assert (written, replaced) == (text, ())


@pytest.mark.parametrize("mark", ["\u0301\u0316", "\u0f73\u0f75", "\u0344", "\u05b0\u05b1"])
def test_rows_of_marks_are_left_alone(mark: str) -> None:
    """NFC would take minutes for the long one."""
    row = (mark * 31)[:31]
    for text in ("a" + row + "“", "a" + mark * 500_000):
        assert smarten(text) == (text, ())
        assert transliterate(text) is None
    written, replaced = smarten("a" + row[:30] + "“")
    assert written.endswith('"')
    assert replaced
