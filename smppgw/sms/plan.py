"""From a text to its segments: which alphabet, how many submit_sm, and the octets of each.

Owns the choice between GSM-7 and UCS-2, and the cutting. Refuses to know carriers, addresses and prices, and to
change a character: a text is sent as it is, or refused by name.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from smppgw.errors import Refusal
from smppgw.sms import gsm7, udh

#: A TPDU carries 140 octets of user data (3GPP TS 23.040, 9.2.3.16), UDH included. A 6-octet UDH plus one fill bit
#: leaves room for 153 septets, or 134 octets of UCS-2.
SINGLE_SEPTETS = 160
PART_SEPTETS = 153
SINGLE_UCS2_OCTETS = 140
PART_UCS2_OCTETS = 134

#: The 8-bit concatenation element counts parts in one octet (3GPP TS 23.040, 9.2.3.24.1).
MOST_SEGMENTS = 255

ESM_CLASS_UDHI = 0x40  # SMPP 3.4, 5.2.12


class Alphabet(StrEnum):
    GSM7 = "gsm7"
    UCS2 = "ucs2"


#: SMPP 3.4, 5.2.19. 0 is the SMSC's default alphabet; UCS-2 travels as UTF-16BE, as all handsets read it.
DATA_CODING = {Alphabet.GSM7: 0, Alphabet.UCS2: 8}


class Plan(NamedTuple):
    """How one text is sent. `segments` are the short_message of each submit_sm, UDH included, in order of part.

    A tuple because one is made for every message: a frozen dataclass takes twice as long.
    """

    alphabet: Alphabet
    data_coding: int
    esm_class: int
    segments: tuple[bytes, ...]


def plan(text: str, *, reference: int, max_segments: int = MOST_SEGMENTS) -> Plan:
    """Plans `text` with as few segments as possible: GSM-7 when every character is in it, otherwise UCS-2.

    Long texts get a UDH with an 8-bit concatenation element; `reference` (taken modulo 256) tells the messages to one
    recipient apart. No ESC pair and no surrogate pair is ever split. Raises Refusal: `empty_text`, `too_long` (more
    than `max_segments`; the text says how many it needs), `unencodable` (U+0000 or a lone surrogate; the text says
    which and where).
    """
    if not text:
        raise Refusal("empty_text", "the text is empty", field="text")
    allowed = min(max_segments, MOST_SEGMENTS)
    octets = gsm7.try_encode(text)
    if octets is not None:
        alphabet = Alphabet.GSM7
        parts = [octets] if len(octets) <= SINGLE_SEPTETS else _cut_septets(octets)
    else:
        alphabet = Alphabet.UCS2
        octets = _utf16be(text)
        parts = [octets] if len(octets) <= SINGLE_UCS2_OCTETS else _cut_utf16be(octets)
    total = len(parts)
    if total > allowed:
        raise _too_long(alphabet, total, allowed)
    if total == 1:
        return Plan(alphabet, DATA_CODING[alphabet], 0, (octets,))
    segments = tuple([udh.concatenation_header(reference, total, part) + cut for part, cut in enumerate(parts, 1)])
    return Plan(alphabet, DATA_CODING[alphabet], ESM_CLASS_UDHI, segments)


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


def _utf16be(text: str) -> bytes:
    if "\0" in text:
        refuse_unstorable(text, code="unencodable", field="text")
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError:
        refuse_unstorable(text, code="unencodable", field="text")
        raise


def _cut_septets(octets: bytes) -> list[bytes]:
    """Cuts after at most 153 septets, one earlier where the last would be an ESC that has lost its partner."""
    cuts = []
    start = 0
    while start < len(octets):
        end = start + PART_SEPTETS
        # An ESC is never the second of a pair, so one at the end of a full cut always begins a pair.
        if end < len(octets) and octets[end - 1] == gsm7.ESC:
            end -= 1
        cuts.append(octets[start:end])
        start = end
    return cuts


def _cut_utf16be(octets: bytes) -> list[bytes]:
    """Cuts after at most 67 UTF-16 units, one earlier where the last would be a high surrogate."""
    cuts = []
    start = 0
    while start < len(octets):
        end = start + PART_UCS2_OCTETS
        if end < len(octets) and octets[end - 2] & 0xFC == 0xD8:
            end -= 2
        cuts.append(octets[start:end])
        start = end
    return cuts


def _too_long(alphabet: Alphabet, needed: int, allowed: int) -> Refusal:
    label = "GSM-7" if alphabet is Alphabet.GSM7 else "UCS-2"
    return Refusal("too_long", f"the text needs {needed} segments in {label}, {allowed} are allowed", field="text")
