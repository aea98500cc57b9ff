"""Characters that cannot be written: in GSM-7, as another alphabet has it, or at all.

Owns how such a character is told: its code point, its name, its position in the text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import islice

from smppgw.errors import Refusal
from smppgw.sms import gsm7

_MOST_NAMED = 3


def lacking_in_gsm7(text: str, codec: str | None = None) -> list[int]:
    """The positions of the characters that the GSM-7 default tables lack, or that `codec` lacks."""
    lacking = {character for character in set(text) if gsm7.try_encode(character) is None}
    if codec is not None:
        lacking |= {character for character in set(text) if not _encodes(character, codec)}
    return [at for at, character in enumerate(text) if character in lacking]


def named(text: str, positions: Sequence[int]) -> str:
    """The characters at these positions, each once: U+0219 (LATIN SMALL LETTER S WITH COMMA BELOW) at position 3."""
    places: dict[str, list[int]] = {}
    for at in positions:
        places.setdefault(text[at], []).append(at)
    told = [
        f"U+{ord(character):04X} ({unicodedata.name(character, 'no name')}) at {_places(places[character])}"
        for character in islice(places, _MOST_NAMED)
    ]
    more = len(places) - len(told)
    return ", ".join(told) + (f" and {more} more character{'s' * (more > 1)}" if more else "")


def _places(positions: Sequence[int]) -> str:
    if len(positions) == 1:
        return f"position {positions[0]}"
    first = ", ".join(map(str, positions[:_MOST_NAMED]))
    more = len(positions) - _MOST_NAMED
    return f"positions {first} and {more} more" if more > 0 else f"positions {first}"


def _encodes(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def utf16be(text: str) -> bytes:
    """The octets of a text in UCS-2. Raises Refusal `unencodable`: U+0000 or a lone surrogate."""
    if "\0" in text:
        refuse_unstorable(text, code="unencodable", field="text")
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError:
        refuse_unstorable(text, code="unencodable", field="text")
        raise


def refuse_unstorable(text: str, *, code: str, field: str) -> None:
    """Raises Refusal `code` when `text` holds U+0000 or a lone surrogate, naming the code point and its position.

    U+0000 is cut silently by many a receiver, and a lone surrogate is no character: neither can be stored or sent.
    """
    if "\0" in text:
        raise Refusal(code, f"U+0000 at position {text.index(chr(0))} can be neither sent nor stored", field=field)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        found = f"U+{ord(text[error.start]):04X} at position {error.start}"
        raise Refusal(code, f"{found} is half of a surrogate pair, no character", field=field) from None
