"""A plan drawn: cells, marks, boundaries; nothing that came with the text steers the terminal."""

from __future__ import annotations

import io
import re
import sys
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from smppgw.cli.drawing import (
    draw,
    glyphs,
    grouped,
    marks_below,
    quoted,
    rows,
    summary,
    told,
    visible,
)


def character(one: str, *positions: int, lacked_by: str = "gsm7") -> dict[str, Any]:
    return {
        "character": one,
        "code_point": f"U+{ord(one):04X}",
        "name": unicodedata.name(one, "<none>"),
        "count": len(positions),
        "positions": list(positions[:20]),
        "lacked_by": lacked_by,
    }


def segment(part: int, text: str | None, octets: str = "00", udh: str = "") -> dict[str, Any]:
    return {"part": part, "text": text, "used": 10, "left": 150, "octets": udh + octets, "udh": udh}


def answer(*segments: dict[str, Any], **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "index": 0,
        "carrier": "demo",
        "alphabet": "gsm7",
        "locking_shift": None,
        "single_shift": None,
        "data_coding": 0,
        "esm_class": 0,
        "dest_addr_subunit": None,
        "long": None,
        "unit": "septets",
        "segment_count": len(segments),
        "parts": len(segments),
        "max_segments": 10,
        "segments": list(segments),
        "sent_text": None,
        "replaced": [],
        "forced": [],
        "extended": [],
        "smart": None,
        "smart_remaining": None,
        "error": None,
    }
    return {**given, **changes}


QUOTES = answer(
    segment(1, "Your order “4711” is on", "1234", "050003000201"),
    segment(2, " its way…", "56", "050003000202"),
    alphabet="ucs2",
    data_coding=8,
    esm_class=64,
    long="udh8",
    unit="octets",
    forced=[character("“", 11), character("”", 16), character("…", 31)],
    smart={
        "segment_count": 1,
        "alphabet": "gsm7",
        "saves": 1,
        "replaced": [
            {"at": 11, "from": "“", "to": '"'},
            {"at": 16, "from": "”", "to": '"'},
            {"at": 31, "from": "…", "to": "..."},
        ],
    },
)


def on_terminal(
    monkeypatch: pytest.MonkeyPatch, shown: dict[str, Any], columns: int, *, encoding: str = "utf-8"
) -> list[str]:
    """The lines that a terminal of so many columns gets, without colours."""
    octets = io.BytesIO()
    terminal = io.TextIOWrapper(octets, encoding=encoding, errors="backslashreplace")
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        patch.setenv("TERM", "xterm")
        patch.setenv("COLUMNS", str(columns))
        draw(shown)
    terminal.flush()
    text = re.sub(r"\x1b\[[\d;]*m", "", octets.getvalue().decode(encoding))
    return [line.rstrip() for line in text.splitlines()]


def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert on_terminal(monkeypatch, QUOTES, 110) == [
        "2 segments of ucs2, data_coding 0x08, esm_class 0x40, udh8; carrier demo; GSM-7 lacks 3 of its characters",
        "",
        " 1 │ Your order “4711” is on",
        "   │            ^    ^",
        "───┼" + "─" * 105,
        " 2 │  its way…",
        "   │         ^",
        "",
        "     ^ underlined: GSM-7 lacks it",
        "",
        "part  octets used  left  octets  udh",
        "1     10           150   8       050003000201",
        "2     10           150   7       050003000202",
        "",
        "What GSM-7 lacks",
        "   code point  name                         count  at",
        "“  U+201C      LEFT DOUBLE QUOTATION MARK   1      11",
        "”  U+201D      RIGHT DOUBLE QUOTATION MARK  1      16",
        "…  U+2026      HORIZONTAL ELLIPSIS          1      31",
        "",
        "Smart encoding (--smart) would make it 1 segment of gsm7, 1 fewer.",
        "",
        "It would replace",
        "from  to   count  at",
        '“     "    1      11',
        '”     "    1      16',
        "…     ...  1      31",
        "",
        "part  short_message",
        "1     0500030002011234",
        "2     05000300020256",
    ]


def test_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = on_terminal(monkeypatch, QUOTES, 24)
    assert [line for line in lines if "│" in line] == [
        " 1 │ Your order “4711”",
        "   │            ^    ^",
        "   │ is on",
        " 2 │  its way…",
        "   │         ^",
    ]
    lines = on_terminal(monkeypatch, QUOTES, 40)
    assert all(cell_len(line) <= 40 for line in lines)


def test_on_a_terminal_without_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = on_terminal(monkeypatch, QUOTES, 100, encoding="latin-1")
    assert " 1 | Your order \\u201c4711\\u201d is on" in lines
    assert "---+" + "-" * 95 in lines


def test_what_takes_two_septets(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = answer(segment(1, "{a} costs\r\n5 €"), extended=[character("{", 0), character("€", 13)])
    lines = on_terminal(monkeypatch, shown, 80)
    assert lines[2:8] == [
        " 1 │ {a} costs\\r\\n",
        "   │ =",
        "   │ 5 €",
        "   │   =",
        "",
        "     = underlined: takes two septets",
    ]
    assert "What takes two septets" in lines


def test_nothing_is_marked_where_nothing_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = on_terminal(monkeypatch, answer(segment(1, "Plain")), 80)
    assert lines[2:5] == [" 1 │ Plain", "", "part  septets used  left  octets  udh"]
    assert not any("underlined" in line for line in lines)


@pytest.mark.parametrize("text", ["", None])
def test_no_text(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    assert " 1 │ (no text)" in on_terminal(monkeypatch, answer(segment(1, text)), 60)


def test_long_lists_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    forced = [character(chr(0x4E00 + n), *range(n, 400, 40)) for n in range(30)]
    replaced = [{"at": n, "from": chr(0x4E00 + n), "to": "x"} for n in range(25)]
    lines = on_terminal(monkeypatch, answer(segment(1, "x"), forced=forced, replaced=replaced), 100)
    assert "一  U+4E00      CJK UNIFIED IDEOGRAPH-4E00  10     0, 40, 80, 120, 160, 200 ..." in lines
    assert lines.count("and 10 others; --json has all") == 1
    assert lines.count("and 5 others; --json has all") == 1


def test_elsewhere_lines_with_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    draw({**QUOTES, "replaced": [{"at": 3, "from": "\u00a0", "to": " "}]})
    assert capsys.readouterr().out.splitlines() == [
        "carrier\talphabet\tlocking_shift\tsingle_shift\tdata_coding\tesm_class\tdest_addr_subunit\tlong\tunit\t"
        "segment_count\tparts\tmax_segments\tsmart_segment_count\tsmart_saves\tsmart_remaining",
        "demo\tucs2\t-\t-\t0x08\t0x40\t-\tudh8\toctets\t2\t2\t10\t1\t1\t-",
        "",
        "part\tused\tleft\toctets\tudh\ttext\tshort_message",
        "1\t10\t150\t8\t050003000201\tYour order “4711” is on\t0500030002011234",
        "2\t10\t150\t7\t050003000202\t its way…\t05000300020256",
        "",
        "why\tcharacter\tcode_point\tname\tcount\tpositions\tlacked_by",
        "forced\t“\tU+201C\tLEFT DOUBLE QUOTATION MARK\t1\t11\tgsm7",
        "forced\t”\tU+201D\tRIGHT DOUBLE QUOTATION MARK\t1\t16\tgsm7",
        "forced\t…\tU+2026\tHORIZONTAL ELLIPSIS\t1\t31\tgsm7",
        "",
        "at\tfrom\tto",
        "3\t\u00a0\t ",
        "",
        "smart_at\tsmart_from\tsmart_to",
        '11\t“\t"',
        '16\t”\t"',
        "31\t…\t...",
    ]


@pytest.mark.parametrize(
    ("left", "shown", "told"),
    [
        (["Ł", "ó"], "U+0141,U+00F3", "Smart encoding was asked for and would not avoid UCS-2: Ł ó would remain."),
        ([], "none", "Smart encoding was asked for and would need more segments than UCS-2."),
        ([chr(0x4E00 + n) for n in range(22)], None, "丙 丁 丂 七 丄 丅 丆 万 丈 三 上 下 丌 不 与 丏"),
        (["\u00ad"], "U+00AD", "UCS-2: U+00AD would remain."),
    ],
)
def test_smart_encoding_that_is_in_vain(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    left: list[str],
    shown: str | None,
    told: str,
) -> None:
    text = " ".join(on_terminal(monkeypatch, answer(segment(1, "x"), smart_remaining=left), 200))
    assert told in text or "and 2 others would remain." in text
    draw(answer(segment(1, "x"), smart_remaining=left))
    plan = capsys.readouterr().out.splitlines()[1]
    assert shown is None or plan.endswith("\t" + shown)


def test_which_alphabet_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    euro, dots = character("€", 0, lacked_by="latin1"), character("…", 1)
    one = answer(segment(1, "€"), forced=[euro], alphabet="ucs2", unit="octets")
    lines = on_terminal(monkeypatch, one, 140)
    assert lines[0].endswith("; the carrier's default alphabet (Latin-1) lacks one of its characters")
    assert "     ^ underlined: the carrier's default alphabet (Latin-1) lacks it" in lines
    assert "What the carrier's default alphabet (Latin-1) lacks" in lines
    assert not any("GSM-7" in line for line in lines)
    both = answer(segment(1, "€…"), forced=[euro, dots], alphabet="ucs2", unit="octets")
    lines = on_terminal(monkeypatch, both, 160)
    assert lines[0].endswith("; the carrier's default alphabet (Latin-1) or GSM-7 lacks 2 of its characters")
    titles = [line for line in lines if line.startswith("What ")]
    assert titles == ["What the carrier's default alphabet (Latin-1) lacks", "What GSM-7 lacks"]


def test_of_what_would_be_refused_the_first_parts_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    segments = [segment(n, f"text {n}", f"{n:02x}") for n in range(1, 16)]
    lines = on_terminal(monkeypatch, answer(*segments), 100)
    assert lines[0].startswith("15 segments of gsm7 (refused: 10 allowed), data_coding 0x00")
    assert "10 │ text 10" in " ".join(lines) and "text 11" not in " ".join(lines)
    assert "and 5 more segments; --json has all" in lines
    assert lines[-1].split() == ["10", "0a"]
    allowed = on_terminal(monkeypatch, answer(*segments, max_segments=15), 100)
    assert "15 │ text 15" in " ".join(allowed) and not any("refused" in line or "more" in line for line in allowed)
    few = on_terminal(monkeypatch, answer(*segments[:3], max_segments=2), 100)
    assert "(refused: 2 allowed)" in few[0] and not any("more" in line for line in few)
    payload = answer(segment(1, "x" * 1601, "78" * 1601), long="payload", parts=11)
    lines = on_terminal(monkeypatch, payload, 100)
    assert "and 1 more character; --json has all" in lines
    assert sum(line.count("x") for line in lines if "│" in line) == 1600


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "1 segment of gsm7, data_coding 0x00, esm_class 0x00; carrier demo"),
        (
            {"locking_shift": "turkish", "single_shift": "hindi"},
            "1 segment of gsm7 with turkish locking shift and hindi single shift, data_coding 0x00, esm_class 0x00; "
            "carrier demo",
        ),
        (
            {"long": "payload", "parts": 3, "dest_addr_subunit": 1},
            "1 segment of gsm7, data_coding 0x00, esm_class 0x00, dest_addr_subunit 1, payload, which the SMSC cuts "
            "into 3; carrier demo",
        ),
        (
            {"alphabet": "ucs2", "forced": [character("ж", 1)], "carrier": "a\x1b"},
            "1 segment of ucs2, data_coding 0x00, esm_class 0x00; carrier a\\u001b; "
            "GSM-7 lacks one of its characters",
        ),
        ({"forced": [character("ж", 1)]}, "1 segment of gsm7, data_coding 0x00, esm_class 0x00; carrier demo"),
    ],
)
def test_summaries(changes: dict[str, Any], says: str) -> None:
    assert summary(answer(segment(1, "x"), **changes)) == says


def test_a_payload_is_no_short_message(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "part  message_payload" in on_terminal(monkeypatch, answer(segment(1, "x"), long="payload"), 60)


# ---------------------------------------------------------------------------------------------------------------- #
# Cells
# ---------------------------------------------------------------------------------------------------------------- #


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("aé", ["a", "é"]),
        ("e\u0301x", ["e\u0301", "x"]),
        ("中b", ["中", "b"]),
        ("👨\u200d👩\u200d👧!", ["👨\u200d👩\u200d👧", "!"]),
        ("👍🏽👍", ["👍🏽", "👍"]),
        ("🇬🇧🇫🇷🇩", ["🇬🇧", "🇫🇷", "🇩"]),
        ("❤\ufe0f.", ["❤\ufe0f", "."]),
        ("नमस्ते", ["न", "म", "स्", "ते"]),
        ("\u0301a", ["\u25cc\u0301", "a"]),
        ("a\r\nb\nc\rd", ["a", "\\r\\n", "b", "\\n", "c", "\\r", "d"]),
        ("a\x1b[2J\u0301", ["a", "\\u001b", "[", "2", "J\u0301"]),
        ("\u202egnp", ["\\u202e", "g", "n", "p"]),
        ("\ud800\u200b", ["\\ud800", "\\u200b"]),
        ("a\u200db", ["a\u200d", "b"]),
    ],
)
def test_glyphs(text: str, drawn: list[str]) -> None:
    found = list(glyphs(text))
    assert [glyph.text for glyph in found] == drawn
    assert all(glyph.cells == cell_len(glyph.text) for glyph in found)


def test_a_cluster_is_marked_for_any_of_its_characters() -> None:
    found = glyphs("ae\u0301{x€", {"\u0301", "€"}, {"{", "€"})
    assert [glyph.mark for glyph in found] == [" ", "^", "=", " ", "^"]


def test_marks_stand_below_wide_characters() -> None:
    (row,) = rows(glyphs("a中\u00a0b{", {"中", "\u00a0"}, {"{"}), 60)
    assert marks_below(row) == " ^^^ ="


def test_no_marks_below_what_may_be_drawn_in_another_order() -> None:
    (row,) = rows(glyphs("x€ שלום y€", {"€"}), 60)
    assert marks_below(row) == ""
    assert [glyph.mark for glyph in row].count("^") == 2, "they are underlined all the same"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two three", ["one two ", "three"]),
        ("abcdefghijkl", ["abcdefgh", "ijkl"]),
        ("a bcdefghijkl", ["a bcdefg", "hijkl"]),
        ("中中中中中", ["中中中中", "中"]),
        ("abcdefg中", ["abcdefg", "中"]),
        ("a\n\nb", ["a\\n", "\\n", "b"]),
        ("", []),
    ],
)
def test_rows(text: str, expected: list[str]) -> None:
    assert ["".join(glyph.text for glyph in row) for row in rows(glyphs(text), 8)] == expected


@settings(deadline=None)
@given(st.text(), st.integers(8, 40))
def test_any_text_is_drawn_whole_within_its_width(text: str, width: int) -> None:
    drawn = list(glyphs(text))
    found = list(rows(drawn, width))
    assert [glyph for row in found for glyph in row] == drawn
    assert all(row for row in found)
    widest = max((glyph.cells for glyph in drawn), default=0)
    assert all(sum(glyph.cells for glyph in row) <= max(width, widest) for row in found)
    for glyph in drawn:
        assert all(unicodedata.category(one) not in {"Cc", "Cs", "Zl", "Zp"} for one in glyph.text)
        assert not {"\u202e", "\u2066", "\u200b", "\ufeff"} & set(glyph.text)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8")), st.integers(30, 120))
def test_any_text_reaches_a_terminal(text: str, columns: int) -> None:
    forced = [character(one, text.index(one)) for one in dict.fromkeys(text) if not one.isascii()]
    with pytest.MonkeyPatch.context() as patch:
        lines = on_terminal(patch, answer(segment(1, text), forced=forced), columns)
    assert all("\x1b" not in line for line in lines)


# ---------------------------------------------------------------------------------------------------------------- #
# Characters and replacements
# ---------------------------------------------------------------------------------------------------------------- #


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        ("é", "é"),
        ("\u0301", "\u25cc\u0301"),
        ("\u00a0", ""),
        ("\u200d", ""),
        ("\u202e", ""),
        ("\x07", "\\u0007"),
        ("\t", "\\t"),
    ],
)
def test_a_character_alone(one: str, shown: str) -> None:
    assert visible(one) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("“", "“"),
        ("", "nothing"),
        (" ", "space"),
        ("\u00a0", "U+00A0"),
        ("\t", "\\t"),
        ("\t \x85", "\\t space \\u0085"),
        ("\u200b", "U+200B"),
        ("...", "..."),
        ("\u0301", "\u25cc\u0301"),
        ("e\u0301", "e\u0301"),
    ],
)
def test_what_was_replaced_is_seen(text: str, shown: str) -> None:
    assert quoted(text) == shown


def test_replacements_are_grouped() -> None:
    replaced = [
        {"at": at, "from": old, "to": new} for at, old, new in [(1, "“", '"'), (4, "…", "..."), (9, "“", '"')]
    ]
    assert grouped(replaced) == {("“", '"'): [1, 9], ("…", "..."): [4]}


def test_replacements_in_a_line() -> None:
    replaced = [{"at": n, "from": old, "to": "x"} for n, old in enumerate("abcab")]
    assert told(replaced) == "a by x, b by x, c by x"
    assert told([{"at": n, "from": chr(97 + n), "to": ""} for n in range(7)]) == (
        "a by nothing, b by nothing, c by nothing, d by nothing, e by nothing and 2 others"
    )
    assert told([]) == ""
