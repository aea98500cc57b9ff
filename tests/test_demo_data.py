"""conf/demo/messages.csv is what it says it is: many languages, real notations, refusals that come as expected."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import phonenumbers
import pytest

from smppgw.addresses import recipient, sender
from smppgw.config import AccountSettings
from smppgw.errors import Refusal
from smppgw.queue.model import Lane
from smppgw.sms import gsm7, reassemble
from smppgw.sms.plan import Alphabet, Plan, plan

PATH = Path(__file__).parents[1] / "conf" / "demo" / "messages.csv"
DEFAULT_REGION = "GB"  # of the demo's account
MAX_SEGMENTS: int = AccountSettings.model_fields["max_segments"].default


class Line(NamedTuple):
    to: str
    text: str
    sender: str
    lane: str
    expect: str


@cache
def lines() -> list[Line]:
    with PATH.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    assert header == ["to", "text", "from", "lane", "expect"]
    assert {len(row) for row in rows} == {5}
    return [Line(*row) for row in rows]


@cache
def accepted() -> list[Line]:
    return [line for line in lines() if not line.expect]


def number(line: Line) -> str:
    return recipient(line.to, default_region=DEFAULT_REGION).addr


def planned(line: Line) -> Plan:
    return plan(line.text, reference=0, max_segments=MAX_SEGMENTS)


def faults(line: Line) -> list[str]:
    """The codes of everything that is wrong with a line."""
    found = []
    for look in (
        lambda: recipient(line.to, default_region=DEFAULT_REGION),
        lambda: sender(line.sender, default_region=DEFAULT_REGION),
        lambda: planned(line),
    ):
        try:
            look()
        except Refusal as refusal:
            found.append(refusal.code)
    return found


def test_the_file_is_plain_csv_in_utf8() -> None:
    raw = PATH.read_bytes()
    assert raw.decode("utf-8").count("\n") > len(lines())  # the header, and line breaks within texts
    assert not raw.startswith("\ufeff".encode())
    assert b"\0" not in raw and b"\r" not in raw and raw.endswith(b"\n")


def test_there_are_enough_lines_and_most_are_accepted() -> None:
    assert len(lines()) >= 300
    assert len(accepted()) >= 300
    assert {line.lane for line in lines()} == {lane.label for lane in Lane}


def test_each_line_meets_the_fate_it_expects_and_has_no_second_fault() -> None:
    wrong = [(line, faults(line)) for line in lines() if faults(line) != [line.expect][: bool(line.expect)]]
    assert wrong == []


def test_lines_are_refused_for_many_reasons() -> None:
    codes = Counter(line.expect for line in lines() if line.expect)
    assert codes.total() >= 15
    assert set(codes) >= {
        "empty_text",
        "too_long",
        "recipient_empty",
        "recipient_too_short",
        "recipient_too_long",
        "recipient_letters",
        "recipient_characters",
        "recipient_unknown_country_code",
        "recipient_impossible",
        "sender_too_short",
        "sender_too_long",
        "sender_characters",
    }


# ---------------------------------------------------------------------------------------------------------------- #
# Numbers
# ---------------------------------------------------------------------------------------------------------------- #

# Ranges that regulators keep for drama, examples or tests.
RESERVED = {
    "Ofcom, United Kingdom, mobile": r"447700900\d{3}",
    "NANPA, North America, 555-0100 to 555-0199": r"1\d{3}55501\d{2}",
    "ACMA, Australia, mobile": r"61491570(006|15[6-9]|110|313|737)",
    "ComReg, Ireland, 020 91x": r"3532091\d{5}",
    "ARCEP, France, mobile": r"3363998\d{4}",
    "PTS, Sweden, mobile, 070-1740605 to 070-1740699": r"46701740(60[5-9]|6[1-9]\d)",
    "BNetzA, Germany, mobile": r"49(15228817386|15228895456|15254599371|17139200\d{2}|1729925904|1729968532"
    r"|1729973185|1729973186|1729980752|1749091317|1749464308|176040690\d{2})",
}


@pytest.mark.parametrize("regulator", RESERVED)
def test_ranges_reserved_for_drama_are_used(regulator: str) -> None:
    assert any(re.fullmatch(RESERVED[regulator], number(line)) for line in accepted())


def test_no_number_can_belong_to_anybody() -> None:
    """Elsewhere numbers are of the right length, but in ranges assigned to no one."""
    reserved = re.compile("|".join(RESERVED.values()))
    doubtful = [
        line.to
        for line in accepted()
        if not reserved.fullmatch(number(line))
        and phonenumbers.is_valid_number(phonenumbers.parse("+" + number(line)))
    ]
    assert doubtful == []


def test_no_two_lines_go_to_the_same_number() -> None:
    assert [to for to, times in Counter(map(number, accepted())).items() if times > 1] == []


def test_numbers_come_from_many_countries() -> None:
    codes = Counter(phonenumbers.parse("+" + number(line)).country_code for line in accepted())
    assert len(codes) >= 50
    assert codes[44] < len(accepted()) / 3


@pytest.mark.parametrize(
    ("notation", "pattern"),
    [
        ("E.164", r"\+[0-9]{7,15}"),
        ("spaces", r"\+[0-9]+( [0-9]+)+"),
        ("no-break space", r".*\u00a0.*"),
        ("00 prefix", r"00[0-9 ]+"),
        ("hyphens", r"\+[0-9]+(-[0-9]+)+"),
        ("dots", r"\+[0-9]+(\.[0-9]+)+"),
        ("slashes", r".*/.*"),
        ("North American", r"\+1 \([0-9]{3}\) [0-9]{3}-[0-9]{4}"),
        ("country code in brackets", r"\(\+[0-9]+\) .*"),
        ("trunk prefix in brackets", r"\+[0-9]+ \(0\).*"),
        ("missing +", r"[1-9][0-9]{10,14}"),
        ("national", r"0[0-9 ]{9,}"),
        ("national, area in brackets", r"\(0[0-9]+\) .*"),
        ("national without trunk prefix", r"7700 [0-9]{6}"),
        ("tel URI", r"tel:.*"),
        ("white space around it", r"\s.*\s"),
        ("invisible marks around it", r"\u202a.*\u202c"),
        ("full-width digits", r"[+＋]?[０-９ ]+"),
        ("Arabic-Indic digits", r"\+[٠-٩ ]+"),
        ("extended Arabic-Indic digits", r"\+[۰-۹ ]+"),
        ("Devanagari digits", r"\+[०-९ ]+"),
        ("Bengali digits", r"\+[০-৯ ]+"),
        ("Thai digits", r"\+[๐-๙ ]+"),
    ],
)
def test_notations(notation: str, pattern: str) -> None:
    assert any(re.fullmatch(pattern, line.to) for line in accepted()), notation


def test_senders_are_of_all_kinds() -> None:
    kinds = Counter(sender(line.sender, default_region=DEFAULT_REGION).ton for line in accepted())
    assert set(kinds) == {1, 3, 5}


# ---------------------------------------------------------------------------------------------------------------- #
# Texts
# ---------------------------------------------------------------------------------------------------------------- #


def scripts(text: str) -> set[str]:
    """The scripts of the letters of `text`, by the first word of their Unicode names."""
    return {unicodedata.name(character).split()[0] for character in text if character.isalpha()}


def test_texts_are_in_many_scripts() -> None:
    seen = Counter(script for line in accepted() for script in scripts(line.text))
    at_least = {
        "LATIN": 100,
        "GREEK": 5,
        "CYRILLIC": 10,
        "ARABIC": 10,
        "HEBREW": 4,
        "DEVANAGARI": 6,
        "BENGALI": 4,
        "TAMIL": 4,
        "THAI": 4,
        "CJK": 20,
        "HIRAGANA": 4,
        "KATAKANA": 2,
        "HANGUL": 4,
        "ETHIOPIC": 4,
        "GEORGIAN": 1,
        "ARMENIAN": 1,
        "GUJARATI": 1,
        "GURMUKHI": 1,
        "TELUGU": 1,
        "KANNADA": 1,
        "MALAYALAM": 1,
        "SINHALA": 1,
        "KHMER": 1,
        "LAO": 1,
        "MYANMAR": 1,
    }
    assert {script: seen[script] for script, least in at_least.items() if seen[script] < least} == {}


# A word or letter that in this file only that language has.
LANGUAGES = {
    "English": r"\byour\b",
    "Welsh": r"\bDiolch\b",
    "Irish": r"\bdéanach\b",
    "German": r"\bIhr\b",
    "French": r"\bvotre\b",
    "Spanish": r"[¿¡]",
    "Portuguese": r"\bcódigo é\b",
    "Italian": r"\bcodice\b",
    "Dutch": r"\bwij\b|\bNiet\b|\bje\b.*\bmet\b",
    "Swedish": r"\bgäller\b",
    "Norwegian": r"\bØnsker\b",
    "Danish": r"\budløber\b",
    "Finnish": r"\bvoimassa\b",
    "Icelandic": r"ð",
    "Polish": r"ł",
    "Czech": r"ů|ě",
    "Slovak": r"Ľ",
    "Hungarian": r"ű|ő",
    "Romanian": r"ț|Ș",
    "Turkish": r"ğ",
    "Greek": r"[α-ω]",
    "Russian": r"ы",
    "Ukrainian": r"ї",
    "Bulgarian": r"\bВашият\b",
    "Serbian": r"Ђ",
    "Kazakh": r"ң",
    "Arabic": r"ة",
    "Hebrew": r"[א-ת]",
    "Persian": r"گ|پ",
    "Urdu": r"ہ|ے",
    "Hindi": r"है",
    "Marathi": r"राहील",
    "Bengali": r"[অ-হ]",
    "Tamil": r"[அ-ஹ]",
    "Thai": r"[ก-ฮ]",
    "Vietnamese": r"ệ|ủ",
    "Simplified Chinese": r"[验您].*[码请]",
    "Traditional Chinese": r"請",
    "Japanese": r"[ぁ-ん]",
    "Korean": r"[가-힣]",
    "Amharic": r"[ሀ-ፐ]",
    "Indonesian": r"\bAnda\b",
    "Swahili": r"\bTafadhali\b",
    "Afrikaans": r"\bJou\b",
    "Yoruba": r"ọ",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages(language: str) -> None:
    assert any(re.search(LANGUAGES[language], line.text) for line in accepted())


def test_texts_are_written_one_by_one() -> None:
    """No text is another one with other digits or another name in front."""
    shapes = Counter(re.sub(r"[\W\d_]+", " ", line.text).casefold().strip() for line in lines() if line.text)
    assert [shape for shape, times in shapes.items() if times > 1 and shape] == []
    starts = Counter(line.text[:24] for line in accepted())
    assert [start for start, times in starts.items() if times > 2] == []


def test_texts_are_normalised_and_trimmed() -> None:
    assert [line for line in lines() if unicodedata.normalize("NFC", line.text) != line.text] == []
    assert [line for line in lines() if line.text.strip() != line.text] == []


def test_messages_have_one_to_six_segments_in_both_alphabets() -> None:
    both = (Alphabet.GSM7, Alphabet.UCS2)
    counts: dict[Alphabet, Counter[int]] = {alphabet: Counter() for alphabet in both}
    for line in accepted():
        made = planned(line)
        counts[made.alphabet][len(made.segments)] += 1
    for alphabet in both:
        assert sorted(counts[alphabet]) == [1, 2, 3, 4, 5, 6], alphabet
        assert counts[alphabet].total() >= 100


def test_each_text_rejoins_from_its_segments() -> None:
    for line in accepted():
        made = planned(line)
        assert reassemble.join(made.segments, data_coding=made.data_coding, udhi=bool(made.esm_class)) == line.text


def test_each_visible_extension_character_stands_in_a_gsm7_message() -> None:
    used = {character for line in accepted() if planned(line).alphabet is Alphabet.GSM7 for character in line.text}
    assert used >= set(gsm7.EXTENSION.values()) - {"\f"}
    assert used >= set("£@§èéùìòØÅåßÉÄÖÜäöüàñ¿¡")


def test_pairs_stand_where_a_careless_cut_would_split_them() -> None:
    def pairs_at_a_cut(alphabet: Alphabet, room: int) -> int:
        made = [planned(line) for line in accepted()]
        return sum(
            len(octets) == 6 + room - (1 if alphabet is Alphabet.GSM7 else 2)
            for each in made
            if each.alphabet is alphabet
            for octets in each.segments[:-1]
        )

    assert pairs_at_a_cut(Alphabet.GSM7, 153) >= 1
    assert pairs_at_a_cut(Alphabet.UCS2, 134) >= 1


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("beyond the basic plane", "[\U00010000-\U0010ffff]"),
        ("joined by ZWJ", "\u200d"),
        ("skin tone", "[\U0001f3fb-\U0001f3ff]"),
        ("flag of a country", "[\U0001f1e6-\U0001f1ff]{2}"),
        ("flag of tags", "\U0001f3f4[\U000e0061-\U000e007a]+\U000e007f"),
        ("variation selector", "\ufe0f"),
        ("right-to-left with digits", "[א-ת].*[0-9]"),
        ("half-width kana", "[ｱ-ﾝ]"),
        ("line break", "\n"),
        ("typographic quotes", "[’“”]"),
        ("zero width non-joiner", "\u200c"),
    ],
)
def test_special_characters(kind: str, pattern: str) -> None:
    assert any(re.search(pattern, line.text) for line in accepted()), kind
