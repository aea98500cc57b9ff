"""The character sets of inbound texts that no planner of ours would choose, by name. Pure.

Owns their codecs, the data_coding that goes with each, and where a text in one of them is cut. Refuses to know
headers and PDUs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import NamedTuple

from smppgw.errors import Refusal
from smppgw.sms import dcs
from smppgw.sms.encoding import Alphabet
from smppgw.sms.lacking import named, refuse_unstorable

Encode = Callable[[str], bytes]


class Charset(NamedTuple):
    """`encode` raises UnicodeEncodeError for what it lacks. `data_coding`: by SMPP 3.4, 5.2.19, where that has it."""

    data_coding: int
    encode: Encode


def _codec(name: str) -> Encode:
    return lambda text: text.encode(name)


def _utf16le(text: str) -> bytes:
    """Little-endian behind a byte order mark: against the standard, and seen. Each part has a mark of its own."""
    return b"\xff\xfe" + text.encode("utf-16-le")


def _bare(codec: str, designation: bytes) -> Encode:
    """Two-octet JIS codes without the escape sequence that names them, as the standard's name for the set says."""

    def encode(text: str) -> bytes:
        for at, character in enumerate(text):
            if not character.encode(codec).startswith(designation):
                raise UnicodeEncodeError(codec, text, at, at + 1, "not a character of two octets")
        back = b"\x1b(B"  # to ASCII, at the end of each run
        return text.encode(codec).removeprefix(designation).removesuffix(back)

    return encode


#: Name -> character set. Several have one data_coding: what senders mean by it differs, and so does what they send.
CHARSETS: Mapping[str, Charset] = {
    "cp1252": Charset(0x03, _codec("cp1252")),  # what many mean by Latin-1
    "jis_x_0208": Charset(0x05, _bare("iso2022_jp", b"\x1b$B")),
    "shift_jis": Charset(0x09, _codec("cp932")),  # pictogram encoding
    "iso8859_5": Charset(0x06, _codec("iso8859-5")),  # Cyrillic
    "iso8859_8": Charset(0x07, _codec("iso8859-8")),  # Latin/Hebrew
    "iso2022_jp": Charset(0x0A, _codec("iso2022_jp")),  # music codes
    "jis_x_0212": Charset(0x0D, _bare("iso2022_jp_1", b"\x1b$(D")),  # extended Kanji
    "euc_jp": Charset(0x0D, _codec("euc_jp")),
    "ks_c_5601": Charset(0x0E, _codec("cp949")),
    "utf8": Charset(0x00, _codec("utf-8")),  # of SMSCs whose default alphabet it is
    "utf16le": Charset(0x08, _utf16le),
}

#: Those of the planner, by the same names; octets have none.
PLANNED = tuple(alphabet.value for alphabet in Alphabet if alphabet is not Alphabet.BINARY)
NAMES = (*PLANNED, *CHARSETS)

#: What a data_coding alone says: the first of those that have it.
_BY_DATA_CODING: Mapping[int, str] = {one.data_coding: name for name, one in reversed(list(CHARSETS.items()))}


def of_data_coding(data_coding: int) -> str:
    """The name of the character set that a data_coding says. Raises Refusal `no_text` where that is 8-bit data."""
    alphabet = dcs.describe(data_coding).alphabet
    if alphabet is Alphabet.BINARY:
        told = f"data_coding 0x{data_coding:02X} says 8-bit data: give octets instead of a text, or name an alphabet"
        raise Refusal("no_text", told, field="data_coding")
    return alphabet.value if alphabet is not None else _BY_DATA_CODING[data_coding]


def encoded(text: str, name: str, encode: Encode) -> bytes:
    """The octets of a text. Raises Refusal `unencodable`, which says what is lacking and where."""
    refuse_unstorable(text, code="unencodable", field="text")
    try:
        return encode(text)
    except UnicodeEncodeError as wrong:
        told = f"{name} lacks {named(text, [wrong.start])}"
        raise Refusal("unencodable", told, field="text") from None


def cut(text: str, encode: Encode, room: int) -> list[bytes]:
    """The octets of each part, in at most `room` octets; no character is torn apart. `encode` has all of them.

    Raises Refusal `too_long` where not one character fits.
    """
    pieces: list[bytes] = []
    start = 0
    while start < len(text):
        # No character takes less than an octet, so no part holds more characters than octets.
        ends = range(start + 1, min(len(text), start + max(room, 0)) + 1)
        fitting = bisect_right(ends, room, key=lambda end, start=start: len(encode(text[start:end])))  # type: ignore[misc]
        if not fitting:
            raise Refusal("too_long", "not one character fits into a part beside its UDH", field="max_octets")
        end = ends[fitting - 1]
        pieces.append(encode(text[start:end]))
        start = end
    return pieces
