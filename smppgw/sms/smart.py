"""Characters that stand in for others, so that a text fits into GSM-7: what was replaced is always told.

`smarten` changes the typography and keeps the words: Unicode's NFC first, then what word processors and phones put in
place of what was typed, and letters that look the same. It is safe on any text: what is part of an emoji or of a word
that GSM-7 cannot write anyway stays as it is. `transliterate` goes further and writes what is left as ASCII does it.

Where the table comes from: the lists that Twilio, Sinch and Bird publish of what their smart encoding replaces, and
CLDR's Latin-ASCII transform. What these replace and this does not, because it may change what the text says: ÷, which
is minus in Norway and "to" in Italy; combining marks, which would become characters beside their letter; small
capitals, which phonetic alphabets use; control characters, which hide a broken text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple
from unicodedata import is_normalized, normalize

import regex
from anyascii import anyascii

from smppgw.sms import gsm7
from smppgw.sms.clusters import clusters_of


class Replaced(NamedTuple):
    """`at`: the position of `old` in the caller's text."""

    at: int
    old: str
    new: str


#: A character of the NFC text by its position, and what is written for it.
_Edits = dict[int, str]

# ---------------------------------------------------------------------------------------------------------------- #
# The table
# ---------------------------------------------------------------------------------------------------------------- #

_GSM7: Final = frozenset(gsm7.BASIC.replace("\ufffe", "") + "".join(gsm7.EXTENSION.values()))

#: What is written -> for which characters.
_WRITTEN_FOR: Final = {
    # Quotation marks, and what is typed for one: primes, spacing accents, modifier letters, CJK corner brackets.
    "'": "‘’‚‛′‵ʹʻʼʽˈˊˋ`´❛❜❟",
    '"': "“”„‟″‶«»ʺˮ❝❞❠〝〞〟「」『』｢｣《》",
    "'''": "‴‷",
    # Dashes, hyphens, minus, and lines drawn with box characters.
    "-": "‐‑‒–—―−⁃﹘˗⎼⎽─━•‣",
    "--": "⸺",
    "---": "⸻",
    "|": "¦∣ǀ⎸⎹⏐⎜⎟│┃￤",
    "||": "‖∥ǁ",
    "_": "‗",
    # Spaces of any width: 23.038 has one.
    " ": "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "\n": "\u0085\u2028\u2029",
    # Points.
    ".": "․。｡",
    "..": "‥",
    "...": "…⋯",
    ",": "、､",
    ":": "ː˸⦂꞉∶",
    ";": "⁏",
    "!": "ǃ",
    "!!": "‼",
    "??": "⁇",
    "?!": "⁈",
    "!?": "⁉",
    # Brackets.
    "<": "‹❬❮❰⟨〈",
    ">": "›❭❯❱⟩〉",
    "<<": "≪",
    ">>": "≫",
    "(": "❨❪⟮⦅〔❲",
    ")": "❩❫⟯⦆〕❳",
    "[": "【",
    "]": "】",
    "{": "❴",
    "}": "❵",
    # Signs.
    "*": "⁎∗⊛✢✣✤✥✱✲✳✺✻✼✽❃❉❊❋⧆",
    "+": "˖",
    "+/-": "±",
    "x": "×",
    "/": "⁄∕⧸",
    "\\": "⧵⧹",
    "=": "꞊",
    "<=": "≤≦",
    ">=": "≥≧",
    "^": "ˆ",
    "~": "˜˷∼≈〜",
    "->": "→➔➜➝➞➡",
    "<-": "←⬅",
    "<->": "↔",
    "=>": "⇒",
    "<=>": "⇔",
    "(C)": "©",
    "(R)": "®",
    "(TM)": "™",
    "(SM)": "℠",
    "£": "￡",
    "¥": "￥",
    # Letters: joined ones, and signs that are letters of 23.038 but for their code point.
    "oe": "œ",
    "SS": "ẞ",
    "s": "ſ",
    "'n": "ŉ",
    "Δ": "∆",
    "Σ": "∑",
    "Π": "∏",
    "Ø": "⌀",
    # Septet 0x09 is Ç in 23.038, and Unicode's own mapping (GSM0338.TXT) says that ç is what was meant.
    "Ç": "ç",
    # Nothing is seen of these.
    "": "\u00ad\u034f\u180e\u200b\u2060\u2061\u2062\u2063\u2064\u206a\u206b\u206c\u206d\u206e\u206f\ufeff",
}


def _compatible(first: int, last: int) -> Iterator[tuple[str, str]]:
    """Those of a block that Unicode calls other forms of ASCII characters (NFKC)."""
    for code_point in range(first, last + 1):
        character = chr(code_point)
        form = normalize("NFKC", character)
        if form != character and form.isascii() and " " not in form:
            yield character, form.replace("`", "'")


_TABLE: Final[dict[str, str]] = {
    **dict(_compatible(0xFF01, 0xFF5E)),  # full width
    **dict(_compatible(0xFE10, 0xFE19)),  # vertical
    **dict(_compatible(0xFE50, 0xFE6B)),  # small
    **dict(_compatible(0x0132, 0x0133)),  # Dutch ij
    **dict(_compatible(0x01C7, 0x01CC)),  # Croatian lj and nj
    **dict(_compatible(0x210A, 0x2134)),  # mathematical letters, which people take for bold and italic ones
    **dict(_compatible(0x2145, 0x2149)),
    **dict(_compatible(0x2160, 0x217F)),  # Roman numerals
    **dict(_compatible(0xFB00, 0xFB06)),  # ligatures
    **dict(_compatible(0x1D400, 0x1D7FF)),
    **{character: new for new, characters in _WRITTEN_FOR.items() for character in characters},
    "\ufe11": ",",
    "\ufe12": ".",
    "\ufe51": ",",
}
for _sign in "℡№℻":  # more than another form of letters
    _TABLE.pop(_sign, None)

_FRACTIONS: Final = {
    character: normalize("NFKC", character).replace("\u2044", "/") for character in "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞↉"
}
#: Points that are bullets when nothing stands before them; U+F0B7 is what comes out of word processors.
_BULLETS: Final = frozenset("·‧∙⋅◦▪\uf0b7")
#: Joiners and variation selectors say nothing after a character of GSM-7, and make an emoji what it is.
_JOINERS: Final = frozenset("\u200c\u200d\ufe0e\ufe0f")
_KEYCAP: Final = "\u20e3"
#: Nothing is seen of these either, where all is written from left to right. U+202E, which turns that around for what
#: follows it, is none of them.
_DIRECTIONS: Final = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069"
_RIGHT_TO_LEFT: Final = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_INVISIBLE: Final = _JOINERS | frozenset(_DIRECTIONS) | {character for character, new in _TABLE.items() if not new}

#: Letters that look as one of GSM-7 in any font. 23.038 has no Greek capitals but those that Latin lacks, since these
#: are what the others are written with.
_LOOK_ALIKES: Final = dict(
    zip(
        "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο" + "АВЕЅІЈКМНОРСТХӀаеорсухіјѕһԁԛԝԚԜ",
        "ABEZHIKMNOPTYXo" + "ABESIJKMHOPCTXIaeopcyxijshdqwQW",
        strict=True,
    )
)
_LOOKING_ALIKE: Final = _GSM7 | frozenset(_LOOK_ALIKES)
_GREEK, _CYRILLIC, _MARKS = "\u0370-\u03ff\u1f00-\u1fff", "\u0400-\u052f", "\u0300-\u036f"
#: A run of letters of one of these scripts. It is replaced as a whole or not at all: "Ростов" is no "Poctoв".
_FOREIGN_WORD: Final = re.compile(f"[{_GREEK}][{_GREEK}{_MARKS}]*|[{_CYRILLIC}][{_CYRILLIC}{_MARKS}]*")


def _class(characters: str) -> str:
    return "".join(map(re.escape, characters))


_BMP: Final = "".join(
    character for character in ("Œ", *_TABLE, *_FRACTIONS, *_BULLETS, *_JOINERS) if character <= "\uffff"
)
_CANDIDATE: Final = re.compile(f"[{_class(_BMP)}\U0001d400-\U0001d7ff]")
_LETTER: Final = re.compile(f"[{_class(''.join(_LOOK_ALIKES))}]")
_DIRECTION: Final = re.compile(f"[{_class(_DIRECTIONS)}]")
#: More non-starters in a row than any script has: no stream-safe text (Unicode Standard Annex 15, section 13). NFC
#: puts them into their order, in a time that grows with the square of the row: 15 seconds for 80,000. The three that
#: are no non-starters themselves are nothing but such when they are decomposed.
_ROW_OF_MARKS: Final = regex.compile(r"[\P{ccc=0}\u0f73\u0f75\u0f81]{31}")


# ---------------------------------------------------------------------------------------------------------------- #
# Smart encoding
# ---------------------------------------------------------------------------------------------------------------- #


def smarten(text: str) -> tuple[str, tuple[Replaced, ...]]:
    """The text with typography that GSM-7 can write, and what was replaced in it, in order.

    Characters that GSM-7 can write are never replaced, but as part of a sequence that NFC composes. The result need
    not fit into GSM-7; it is of use when it does. A text of which nothing would be left stays as it is, and so does
    one with more than 30 combining marks in a row.
    """
    return (text, ()) if _ROW_OF_MARKS.search(text) else _rewritten(text, _smart_edits)


def _smart_edits(text: str) -> _Edits:
    edits: _Edits = {}
    for found in _CANDIDATE.finditer(text):
        at = found.start()
        new = _TABLE.get(found[0])
        if new is None:
            new = _in_context(text, at, edits)
        if new is not None:
            edits[at] = new
    if _DIRECTION.search(text) and not _RIGHT_TO_LEFT.search(text):
        edits |= {found.start(): "" for found in _DIRECTION.finditer(text)}
    if _LETTER.search(text):
        for word in _FOREIGN_WORD.finditer(text):
            letters = word[0]
            if _LOOKING_ALIKE.issuperset(letters):
                edits |= _looking_alike(word.start(), letters)
    return edits


def _looking_alike(at: int, letters: str) -> _Edits:
    return {at + index: _LOOK_ALIKES[letter] for index, letter in enumerate(letters) if letter in _LOOK_ALIKES}


def _in_context(text: str, at: int, edits: _Edits) -> str | None:
    """What is written for the candidate there; None to keep it, since here it says something else. `edits`: what is
    done before it."""
    character = text[at]
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if character == "Œ":
        return "Oe" if after.islower() else "OE"
    if (fraction := _FRACTIONS.get(character)) is not None:
        if after.isnumeric():  # "½2" is no "1/22"
            return None
        return " " + fraction if before.isnumeric() else fraction  # and "1½" no "11/2"
    if character in _BULLETS:
        return "-" if not before or before.isspace() else None
    if character in _JOINERS:
        goes = after != _KEYCAP and (not before or before in _GSM7 or at - 1 in edits)
        return "" if goes else None
    return None


# ---------------------------------------------------------------------------------------------------------------- #
# Transliteration
# ---------------------------------------------------------------------------------------------------------------- #


def transliterate(text: str) -> tuple[str, tuple[Replaced, ...]] | None:
    """The text in GSM-7, and what was replaced in it, in order; neighbours are one replacement.

    What `smarten` can do is all that is done where it is enough. Otherwise each character that GSM-7 lacks is written
    as anyascii does it: "ő" as "o", "щ" as "shch". Greek and Cyrillic words with such a character are written so from
    end to end, since "Ρόδος" is "Rodos" and not "Pódos". An accent that GSM-7 lacks is lost, its letter never.

    None when something that can be seen would vanish, or cannot be written: nothing stands for an emoji, of which
    anyascii has only the name. None, too, where more than 30 combining marks follow one another.
    """
    if _ROW_OF_MARKS.search(text):
        return None
    smart, replaced = _rewritten(text, _smart_edits)
    if gsm7.try_encode(smart) is not None:
        return smart, replaced
    composed = normalize("NFC", text)
    edits = _ascii_edits(composed)
    written, replaced = _rewritten(text, lambda _: edits)
    if gsm7.try_encode(written) is None or _vanishes(composed, edits):
        return None
    return written, _merged(replaced)


def _ascii_edits(text: str) -> _Edits:
    edits = _smart_edits(text)
    for word in _FOREIGN_WORD.finditer(text):
        if not _GSM7.issuperset(word[0]):
            edits |= {word.start() + index: _ascii(letter) for index, letter in enumerate(word[0])}
    for at, character in enumerate(text):
        if at not in edits and character not in _GSM7:
            edits[at] = _ascii(character)
    return edits


_NAME: Final = re.compile(":[^:]+:")


@lru_cache(maxsize=4096)
def _ascii(character: str) -> str:
    """Nothing stands for control characters, which are ASCII themselves, and for symbols that have a name only, such
    as :thumbsup: they come back as they are."""
    found = anyascii(character).replace("`", "'")
    return character if _NAME.fullmatch(found) else found


def _vanishes(text: str, edits: _Edits) -> bool:
    """Whether nothing is written for something that can be seen: a cluster, such as a letter with its accents."""
    if "" not in edits.values():
        return False
    at = 0
    for cluster in clusters_of(text):
        end = at + len(cluster)
        if all(edits.get(place) == "" for place in range(at, end)) and not _INVISIBLE.issuperset(cluster):
            return True
        at = end
    return False


def _merged(replaced: tuple[Replaced, ...]) -> tuple[Replaced, ...]:
    """Neighbours as one: a word, not its letters."""
    runs: list[list[Replaced]] = []
    end = -1
    for one in replaced:
        if one.at == end:
            runs[-1].append(one)
        else:
            runs.append([one])
        end = one.at + len(one.old)
    return tuple(
        [Replaced(run[0].at, "".join([one.old for one in run]), "".join([one.new for one in run])) for run in runs]
    )


# ---------------------------------------------------------------------------------------------------------------- #
# From the edits of the NFC text to what was replaced in the caller's
# ---------------------------------------------------------------------------------------------------------------- #


def _rewritten(text: str, edits_of: Callable[[str], _Edits]) -> tuple[str, tuple[Replaced, ...]]:
    if is_normalized("NFC", text):
        edits = edits_of(text)
        if not edits:
            return text, ()
        replaced = tuple([Replaced(at, text[at], edits[at]) for at in sorted(edits)])
    else:
        replaced = tuple(_composed(text, edits_of))
    written = _applied(text, replaced)
    return (written, replaced) if written else (text, ())


def _composed(text: str, edits_of: Callable[[str], _Edits]) -> Iterator[Replaced]:
    """As `Replaced` of the caller's text, of which NFC changes some clusters."""
    composed = normalize("NFC", text)
    clusters = clusters_of(text)
    pieces = [normalize("NFC", cluster) for cluster in clusters]
    if "".join(pieces) != composed:  # no sequence is known that Unicode composes across clusters
        clusters, pieces = [text], [composed]
    edits = edits_of(composed)
    at = composed_at = 0
    for cluster, piece in zip(clusters, pieces, strict=True):
        if cluster == piece:
            for index, old in enumerate(piece):
                new = edits.get(composed_at + index)
                if new is not None:
                    yield Replaced(at + index, old, new)
        else:
            new = "".join([edits.get(composed_at + index, old) for index, old in enumerate(piece)])
            yield Replaced(at, cluster, new)
        at += len(cluster)
        composed_at += len(piece)


def _applied(text: str, replaced: tuple[Replaced, ...]) -> str:
    written: list[str] = []
    end = 0
    for at, old, new in replaced:
        written += (text[end:at], new)
        end = at + len(old)
    return "".join(written) + text[end:]
