"""Draws one answer of POST /v1/segments: for people on a terminal, as lines with tabs elsewhere.

Owns how a text is laid out in cells: every character where it stands, the costly ones marked by colour and by a line
of marks below. Refuses to know why a text is cut where it is.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import groupby
from typing import Any, NamedTuple

import click

from smppgw.cli.common import clean, show_table

Answer = Mapping[str, Any]

LACKED, TWO = "^", "="  # what stands below a character that GSM-7 lacks, and below one that takes two septets
_STYLES = {LACKED: "bold red underline", TWO: "yellow underline"}
_LINES = {True: ("│", "─", "┼"), False: ("|", "-", "+")}  # whether the terminal takes Unicode
_NONE: frozenset[str] = frozenset()
_MOST_POSITIONS = 6
_MOST_CHARACTERS = 20
_MOST_TOLD = 5
_MOST_PARTS = 10  # of what would be refused for their number
_MOST_PAYLOAD = 1600  # characters, of a message_payload that would be refused so


def draw(answer: Answer) -> None:
    """Prints the plan in `answer`, which has one."""
    (_draw_for_people if sys.stdout.isatty() else _draw_as_lines)(answer)


# ---------------------------------------------------------------------------------------------------------------- #
# In cells
# ---------------------------------------------------------------------------------------------------------------- #


class Glyph(NamedTuple):
    """What takes its cells together: a character and those that are drawn onto it. `mark`: LACKED, TWO or a space."""

    text: str
    cells: int
    mark: str = " "
    ends_line: bool = False


def glyphs(text: str, lacked: Set[str] = _NONE, two: Set[str] = _NONE) -> Iterator[Glyph]:
    """`text`, without any control character. One character of a cluster that is in `lacked` marks all of it."""
    from rich.cells import cell_len

    for cluster in _clusters(text):
        mark = LACKED if not lacked.isdisjoint(cluster) else TWO if not two.isdisjoint(cluster) else " "
        alone = cell_len(cluster) == 0 and cluster.isprintable()  # begins a segment: it has nothing to stand on
        drawn = "\u25cc" + cluster if alone else clean(cluster)
        yield Glyph(drawn, cell_len(drawn), mark, cluster.endswith("\n"))


def _clusters(text: str) -> Iterator[str]:
    """What a terminal draws into the same cells, and CR LF. The planner's clusters are finer: they decide about cuts,
    these only about columns."""
    held = ""
    for character in text:
        if held and _joins(held, character):
            held += character
        else:
            if held:
                yield held
            held = character
    if held:
        yield held


_JOINER = "\u200d"


def _joins(held: str, character: str) -> bool:
    from rich.cells import cell_len

    if held == "\r":
        return character == "\n"
    if not held[-1].isprintable() and held[-1] != _JOINER:
        return False
    if "\U0001f1e6" <= character <= "\U0001f1ff":  # two regional indicators are a flag
        return len(held) == 1 and "\U0001f1e6" <= held <= "\U0001f1ff"
    skin_tone = "\U0001f3fb" <= character <= "\U0001f3ff"
    if skin_tone or character == _JOINER:
        return True
    pictured = held[-1] == _JOINER and unicodedata.category(character) == "So"
    return pictured or (character.isprintable() and cell_len(character) == 0)


def rows(given: Iterable[Glyph], width: int) -> Iterator[list[Glyph]]:
    """Rows of at most `width` cells: a new one after each line end, otherwise after a space where there is one."""
    row: list[Glyph] = []
    used = 0
    for glyph in given:
        if row and used + glyph.cells > width:
            kept = _after_space(row)
            yield row[:kept]
            row = row[kept:]
            used = sum(held.cells for held in row)
        row.append(glyph)
        used += glyph.cells
        if glyph.ends_line:
            yield row
            row, used = [], 0
    if row:
        yield row


def _after_space(row: Sequence[Glyph]) -> int:
    """Where to cut a full row: behind its last space, unless that leaves most of it empty."""
    for place in range(len(row), len(row) // 2, -1):
        if row[place - 1].text == " ":
            return place
    return len(row)


def marks_below(row: Sequence[Glyph]) -> str:
    """The line below a row. Empty where nothing is marked, and where the marks might stand below something else:
    many a terminal draws letters from right to left, if there are any, in an order of its own."""
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for glyph in row for character in glyph.text):
        return ""
    return "".join(glyph.mark * glyph.cells for glyph in row).rstrip()


_RIGHT_TO_LEFT = {"R", "AL", "AN"}


# ---------------------------------------------------------------------------------------------------------------- #
# For people
# ---------------------------------------------------------------------------------------------------------------- #


def _draw_for_people(given: Answer) -> None:
    from rich.console import Console
    from rich.text import Text

    answer, rest = _shortened(given)
    console = Console(highlight=False)
    console.print(Text(summary(answer), style="bold"))
    click.echo()
    _draw_text(console, answer)
    if rest:
        click.echo(rest)
    click.echo()
    _show_segments(answer)
    for title, characters in _characters(answer):
        click.echo()
        _show_characters(title, characters)
    _show_replacements("Replaced", answer["replaced"])
    smart = answer["smart"]
    if smart is not None:
        click.echo()
        console.print(Text(f"Smart encoding (--smart) {_smart(answer, smart)}.", style="green"))
        _show_replacements("It would replace", smart["replaced"])
    if answer["smart_remaining"] is not None:
        click.echo()
        console.print(Text(_in_vain(answer["smart_remaining"]), style="green"))
    click.echo()
    hexadecimal = [(segment["part"], segment["octets"]) for segment in answer["segments"]]
    show_table(("part", _carried_as(answer)), hexadecimal)


def _too_many(answer: Answer) -> bool:
    most: int = answer["max_segments"]
    return int(answer["parts"]) > most


def _shortened(answer: Answer) -> tuple[Answer, str]:
    """What is drawn of it, and what is said of the rest: nobody wants to see hundreds of parts that are refused."""
    segments = answer["segments"]
    if not _too_many(answer):
        return answer, ""
    if len(segments) > _MOST_PARTS:
        return {**answer, "segments": segments[:_MOST_PARTS]}, _more(len(segments) - _MOST_PARTS, "segment")
    more = sum(max(0, len(one["text"] or "") - _MOST_PAYLOAD) for one in segments)
    if not more:
        return answer, ""
    cut = [
        {**one, "text": (one["text"] or "")[:_MOST_PAYLOAD], "octets": one["octets"][:_MOST_PAYLOAD] + "..."}
        for one in segments
    ]
    return {**answer, "segments": cut}, _more(more, "character")


def _more(count: int, what: str) -> str:
    return f"and {count} more {what}{'s'[: count != 1]}; --json has all"


def _draw_text(console: Any, answer: Answer) -> None:
    from rich.text import Text

    lacked = {one["character"] for one in answer["forced"]}
    two = {one["character"] for one in answer["extended"]} if answer["unit"] == "septets" else set()
    number_width = len(str(len(answer["segments"])))
    room = max(console.width - number_width - 4, 8)
    bar, dash, cross = _LINES[console.encoding.startswith("utf")]
    blank = " " * (number_width + 1)
    seen: set[str] = set()

    def line(text: Text) -> None:
        console.print(text, soft_wrap=True)

    for index, segment in enumerate(answer["segments"]):
        if index:
            line(Text(dash * (number_width + 2) + cross + dash * room, style="dim"))
        start = f"{segment['part']:>{number_width + 1}}"
        for row in rows(glyphs(segment["text"] or "", lacked, two), room):
            line(Text.assemble((f"{start} {bar} ", "dim"), *_styled(row)))
            start = blank
            seen.update(glyph.mark for glyph in row)
            if marks := marks_below(row):
                line(Text.assemble((f"{blank} {bar} ", "dim"), marks))
        if start != blank:
            line(Text(f"{start} {bar} (no text)", style="dim"))
    if LACKED in seen or TWO in seen:
        line(Text())  # else its first mark would stand below the last row
    for mark, meaning in ((LACKED, f"{_lacking(answer, _lackers(answer))} it"), (TWO, "takes two septets")):
        if mark in seen:
            line(Text.assemble(f"{blank}   ", (mark, _STYLES[mark]), f" underlined: {meaning}"))


def _styled(row: Iterable[Glyph]) -> Iterator[tuple[str, str]]:
    """(text, style) of runs that are marked alike: letters that are joined in writing stay together."""
    for mark, run in groupby(row, key=lambda glyph: glyph.mark):
        yield "".join(glyph.text for glyph in run), _STYLES.get(mark, "")


def summary(answer: Answer) -> str:
    """`2 segments of gsm7, data_coding 0x00, esm_class 0x40, udh8; carrier demo`."""
    count = answer["segment_count"]
    refused = f" (refused: {answer['max_segments']} allowed)" if _too_many(answer) else ""
    parts = [f"{count} segment{'s'[: count != 1]} of {_alphabet(answer)}{refused}"]
    parts += [f"{name} {_octet(answer[name])}" for name in _OCTETS]
    if answer["dest_addr_subunit"] is not None:
        parts.append(f"dest_addr_subunit {answer['dest_addr_subunit']}")
    if answer["long"] is not None:
        parts.append(answer["long"])
    if answer["parts"] > count:
        parts.append(f"which the SMSC cuts into {answer['parts']}")
    lacked = sum(one["count"] for one in answer["forced"])
    because = ""
    if lacked and answer["alphabet"] == "ucs2":
        because = f"; {_lacking(answer, _lackers(answer))} {lacked if lacked > 1 else 'one'} of its characters"
    return f"{', '.join(parts)}; carrier {clean(str(answer['carrier']))}{because}"


#: Shown as the standards write them.
_OCTETS = ("data_coding", "esm_class")


def _octet(value: int) -> str:
    return f"0x{value:02x}"


def _alphabet(answer: Answer) -> str:
    shifts = {"locking": answer["locking_shift"], "single": answer["single_shift"]}
    told = [f"{language} {kind} shift" for kind, language in shifts.items() if language is not None]
    return " with ".join([answer["alphabet"], *([" and ".join(told)] if told else [])])


def _show_segments(answer: Answer) -> None:
    unit = answer["unit"]
    columns = ("part", f"{unit} used", "left", "octets", "udh")
    table = [
        (one["part"], one["used"], one["left"], len(one["octets"]) // 2, one["udh"]) for one in answer["segments"]
    ]
    show_table(columns, table)


def _characters(answer: Answer) -> list[tuple[str, Sequence[Answer]]]:
    tables = [
        (f"What {_lacking(answer, [alphabet])}", [one for one in answer["forced"] if one["lacked_by"] == alphabet])
        for alphabet in _lackers(answer)
    ]
    tables.append(("What takes two septets", answer["extended"]))
    return [(title, characters) for title, characters in tables if characters]


def _lackers(answer: Answer) -> list[str]:
    """The alphabets that lack anything: GSM-7, and what the carrier takes in its place."""
    return list(dict.fromkeys(one["lacked_by"] for one in answer["forced"]))


def _lacking(answer: Answer, alphabets: Iterable[str]) -> str:
    """`GSM-7 lacks`, of what most SMSCs pass on; where national tables are in use, they may have what it lacks."""
    national = answer["locking_shift"] is not None or answer["single_shift"] is not None
    gsm7 = "GSM-7 without national tables" if national else "GSM-7"
    names = [
        gsm7 if alphabet == "gsm7" else f"the carrier's default alphabet ({_LABELS.get(alphabet, alphabet)})"
        for alphabet in alphabets
    ]
    return " or ".join(names) + " lacks"


_LABELS = {"latin1": "Latin-1", "ascii": "ASCII", "utf8": "UTF-8"}


def _show_characters(title: str, characters: Sequence[Answer]) -> None:
    table = [
        (visible(one["character"]), one["code_point"], one["name"], one["count"], _positions(one))
        for one in characters[:_MOST_CHARACTERS]
    ]
    show_table(("", "code point", "name", "count", "at"), table, title=title)
    if len(characters) > _MOST_CHARACTERS:
        click.echo(f"and {len(characters) - _MOST_CHARACTERS} others; --json has all")


def _positions(one: Answer) -> str:
    shown = one["positions"][:_MOST_POSITIONS]
    more = " ..." if one["count"] > len(shown) else ""
    return ", ".join(map(str, shown)) + more


def visible(character: str) -> str:
    """A character on its own: one that is drawn onto others stands on a dotted circle, and blanks are named only."""
    if unicodedata.category(character[:1] or " ") == "Cc":
        return clean(character)
    if unicodedata.category(character[:1] or " ").startswith("M"):
        return "\u25cc" + character
    return "" if character.isspace() or unicodedata.category(character[:1]) == "Cf" else clean(character)


def _smart(answer: Answer, smart: Answer) -> str:
    count, saves = smart["segment_count"], smart["saves"]
    made = f"would make it {count} segment{'s'[: count != 1]} of {smart['alphabet']}"
    return f"{made}, {saves} fewer" if saves else f"{made}: none fewer"


def _in_vain(remaining: Sequence[str]) -> str:
    asked = "Smart encoding was asked for and would"
    if not remaining:
        return f"{asked} need more segments than UCS-2."
    shown = " ".join(quoted(character) for character in remaining[:_MOST_CHARACTERS])
    more = f" and {len(remaining) - _MOST_CHARACTERS} others" if len(remaining) > _MOST_CHARACTERS else ""
    return f"{asked} not avoid UCS-2: {shown}{more} would remain."


def _show_replacements(title: str, replaced: Sequence[Answer]) -> None:
    if replaced:
        click.echo()
        table = [(old, new, len(places), places) for (old, new), places in grouped(replaced).items()]
        shown = [
            (quoted(old), quoted(new), count, _positions({"positions": places, "count": count}))
            for old, new, count, places in table[:_MOST_CHARACTERS]
        ]
        show_table(("from", "to", "count", "at"), shown, title=title)
        if len(table) > _MOST_CHARACTERS:
            click.echo(f"and {len(table) - _MOST_CHARACTERS} others; --json has all")


def grouped(replaced: Iterable[Answer]) -> dict[tuple[str, str], list[int]]:
    """(old, new) -> where it was, in order of the first."""
    places: dict[tuple[str, str], list[int]] = {}
    for one in replaced:
        places.setdefault((one["from"], one["to"]), []).append(one["at"])
    return places


def told(replaced: Iterable[Answer]) -> str:
    """`“ by ", … by ...`: each change once."""
    changes = list(grouped(replaced))
    more = f" and {len(changes) - _MOST_TOLD} others" if len(changes) > _MOST_TOLD else ""
    return ", ".join(f"{quoted(old)} by {quoted(new)}" for old, new in changes[:_MOST_TOLD]) + more


def quoted(text: str) -> str:
    """What was replaced, or what stands for it: seen even if it is blank or empty."""
    if not text:
        return "nothing"
    if text.isspace() or any(unicodedata.category(character) == "Cf" for character in text):
        return " ".join(_named(character) for character in text)
    return visible(text)


def _named(character: str) -> str:
    if unicodedata.category(character) == "Cc":
        return clean(character)
    return "space" if character == " " else f"U+{ord(character):04X}"


def _carried_as(answer: Answer) -> str:
    return "message_payload" if answer["long"] == "payload" else "short_message"


# ---------------------------------------------------------------------------------------------------------------- #
# For programs
# ---------------------------------------------------------------------------------------------------------------- #

_PLAN = (
    "carrier", "alphabet", "locking_shift", "single_shift", "data_coding", "esm_class", "dest_addr_subunit", "long",
    "unit", "segment_count", "parts", "max_segments",
)  # fmt: skip


def _draw_as_lines(answer: Answer) -> None:
    """Tables with a header each and an empty line between: plan, segments, what is costly, what is replaced, what
    smart encoding would replace."""
    smart = answer["smart"] or {}
    plan = [_octet(answer[name]) if name in _OCTETS else answer[name] for name in _PLAN]
    plan += [smart.get("segment_count"), smart.get("saves"), _code_points(answer["smart_remaining"])]
    show_table((*_PLAN, "smart_segment_count", "smart_saves", "smart_remaining"), [plan])
    click.echo()
    segments = [
        (one["part"], one["used"], one["left"], len(one["octets"]) // 2, one["udh"], one["text"], one["octets"])
        for one in answer["segments"]
    ]
    show_table(("part", "used", "left", "octets", "udh", "text", _carried_as(answer)), segments)
    costly = [(why, one) for why in ("forced", "extended") for one in answer[why]]
    if costly:
        click.echo()
        columns = ("character", "code_point", "name", "count", "positions", "lacked_by")
        table = [(why, *(_value(one.get(name)) for name in columns)) for why, one in costly]
        show_table(("why", *columns), table)
    if answer["replaced"]:
        click.echo()
        show_table(("at", "from", "to"), _replacements(answer["replaced"]))
    if smart:
        click.echo()
        show_table(("smart_at", "smart_from", "smart_to"), _replacements(smart["replaced"]))


def _replacements(replaced: Iterable[Answer]) -> list[tuple[object, ...]]:
    return [(one["at"], one["from"], one["to"]) for one in replaced]


def _code_points(characters: Sequence[str] | None) -> str | None:
    """Blanks would not be seen, and a comma may be one of them. `none` where there are none."""
    if characters is None:
        return None
    return ",".join(f"U+{ord(character):04X}" for character in characters) or "none"


def _value(value: object) -> object:
    return ",".join(map(str, value)) if isinstance(value, list) else value
