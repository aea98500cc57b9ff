"""The text of a receipt: from octets to its fields (SMPP 3.4, Appendix B, and what SMSCs make of it).

Owns the alphabet and the tokenizer. Refuses to know what the fields mean: values are verbatim.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple


class Fields(NamedTuple):
    """What stands in the text, '' where it does not."""

    message_id: str = ""
    submit_date: str = ""
    done_date: str = ""
    stat: str = ""
    error: str = ""
    text: str = ""


_UCS2: Final = 8


def characters_of(raw: bytes, data_coding: int, *, udhi: bool) -> str:
    """The text of a receipt. Its own words are ASCII in every alphabet but UCS-2, and latin-1 keeps every octet.

    A UDH and trailing NULs are left out. Some declare UCS-2 and send ASCII, others the reverse, so the octets decide:
    ASCII letters in UCS-2 show by their zero octets, of either byte order.
    """
    body = raw
    if udhi and body and body[0] < len(body):
        body = body[body[0] + 1 :]
    if (data_coding == _UCS2 or 0 in body[:2]) and len(body) > 1:
        if body[0::2].count(0) * 4 > len(body):
            return _utf16(body, "utf-16-be")
        if body[1::2].count(0) * 4 > len(body):
            return _utf16(body, "utf-16-le")
    return body.rstrip(b"\0").decode("latin-1")


def _utf16(body: bytes, alphabet: str) -> str:
    return body[: len(body) & ~1].decode(alphabet, "replace").lstrip("\ufeff").rstrip("\0")


def fields_of(characters: str) -> Fields:
    """The fields of the text in `characters`. Never raises."""
    standard = _STANDARD.fullmatch(characters)
    return tokens_of(characters) if standard is None else Fields._make(standard.groups(""))


# What most SMSCs send, letter by letter as in Appendix B: reading it costs a fraction of taking the text apart, and
# gives the same.
_PLAIN = r"([^\s\0,;|]+)"
_STANDARD = re.compile(
    rf"id:{_PLAIN} (?:sub:\d+ dlvrd:\d+ )?submit date:(\d+) done date:(\d+) stat:{_PLAIN} err:{_PLAIN}"
    r"(?: [Tt]ext:(.*))?",
    re.DOTALL,
)

#: The names of fields, in small letters and without what may join two words. Those that nobody needs are listed all
#: the same: a name is never the value of the field before it.
_NAMES: Final[dict[str, str]] = {
    "id": "message_id",
    "messageid": "message_id",
    "sub": "sub",
    "dlvrd": "dlvrd",
    "submitdate": "submit_date",
    "donedate": "done_date",
    "stat": "stat",
    "status": "stat",
    "err": "error",
    "error": "error",
    "text": "text",
}
_JOINTS: Final = str.maketrans("", "", " _-")

# A name stands at the beginning of a word: `grid:7` is no id.
_NAME = re.compile(r"(?<![^\s\0,;|])([A-Za-z]{2,10}(?:[ _-][A-Za-z]{2,4})?) ?[:=]")
_GAP = re.compile(r"[\s\0]*")
_VALUE = re.compile(r"[^\s\0,;|]*")
_DATE = re.compile(r"[^\s\0,;|]*(?: \d\d:\d\d(?::\d\d)?)?")


def tokens_of(characters: str) -> Fields:
    """The fields of a text of any shape, word by word.

    Order and case do not matter; names end with `:` or `=`, values with a blank, comma, semicolon, bar or NUL. The
    first of two equal fields counts, so that a message's own text, echoed behind `text:`, can add what the SMSC left
    out (some put text in the middle) but change nothing.
    """
    found: dict[str, str | None] = dict.fromkeys(Fields._fields)
    position = 0
    while None in found.values() and (name := _NAME.search(characters, position)) is not None:
        field = _field(name[1])
        if not field:
            position = name.start() + 1  # `foo id:7` may hide a name
            continue
        position = name.end()
        if field == "text":
            value = characters[position:]
        else:
            value, position = _value_at(characters, position, _DATE if field.endswith("date") else _VALUE)
        if field in found and found[field] is None:
            found[field] = value
    return Fields(*(value or "" for value in found.values()))


@lru_cache(maxsize=512)
def _field(name: str) -> str:
    """The field that `name` means, '' for none."""
    return _NAMES.get(name.translate(_JOINTS).lower(), "")


def _value_at(characters: str, position: int, shape: re.Pattern[str]) -> tuple[str, int]:
    """The value at `position`, if need be behind blanks, and where it ends; '' when the next name follows them."""
    value = shape.match(characters, position)
    if value is None or not value[0]:
        gap = _GAP.match(characters, position)
        position = gap.end() if gap else position
        if _begins_with_a_name(characters, position):
            return "", position
        value = shape.match(characters, position)
    return (value[0], value.end()) if value else ("", position)


def _begins_with_a_name(characters: str, position: int) -> bool:
    name = _NAME.match(characters, position)
    return name is not None and bool(_field(name[1]))


def looks_like_a_receipt(characters: str, fields: Fields) -> bool:
    """Whether a text of unknown kind has a receipt's shape: it begins with a field, and names an id and a state."""
    if not fields.message_id or not fields.stat:
        return False
    gap = _GAP.match(characters)
    return _begins_with_a_name(characters, gap.end() if gap else 0)
