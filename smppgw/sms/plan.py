"""From a text to its segments: which alphabet, how many submit_sm, and the octets of each.

Owns the choice between the default alphabet and UCS-2, and the cutting. Refuses to know carriers, addresses and
prices, and to change a character: a text is sent as it is, or refused by name.

Sizes are always those that the handset gets: septets of GSM-7, or octets of UCS-2, and a UDH on every part of a long
text. What an SMSC wants to be given instead (its own alphabet, packed septets, TLVs) is made of the same pieces.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from smppgw.errors import Refusal
from smppgw.sms import gsm7, udh
from smppgw.sms.encoding import DEFAULT_ENCODING, DefaultAlphabet, Encoding, LongMessages, Packing

#: The concatenation elements count parts in one octet (3GPP TS 23.040, 9.2.3.24.1 and .8), and so does
#: sar_total_segments (SMPP 3.4, 5.3.2.23).
MOST_SEGMENTS = 255

ESM_CLASS_UDHI = 0x40  # SMPP 3.4, 5.2.12

#: sm_length takes 254 octets (SMPP 3.4, 5.2.22). Only UTF-8 gets there: two octets for many a septet.
MOST_SHORT_MESSAGE_OCTETS = 254
#: A TLV's length has two octets (SMPP 3.4, 3.2.4.2).
MOST_PAYLOAD_OCTETS = 65_535

_MOST_OCTETS_OF_SEPTET = 2  # in UTF-8; the characters that take three there take two septets


class Alphabet(StrEnum):
    """What the handset gets."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


class Plan(NamedTuple):
    """How one text is sent. `segments` are the octets of each submit_sm, UDH included, in order of part.

    `parts`: how many the handset gets; more than there are segments where the SMSC cuts a message_payload itself.
    A tuple because one is made for every message: a frozen dataclass takes twice as long.
    """

    alphabet: Alphabet
    data_coding: int
    esm_class: int
    segments: tuple[bytes, ...]
    parts: int = 1
    sar: bool = False  # the parts are told by SAR TLVs
    payload: bool = False  # the octets travel as message_payload


_GSM7, _UCS2 = Alphabet.GSM7, Alphabet.UCS2
_SEPTETS_AS_THEY_ARE = (DefaultAlphabet.GSM7, Packing.UNPACKED)


def plan(
    text: str, *, reference: int, max_segments: int = MOST_SEGMENTS, encoding: Encoding = DEFAULT_ENCODING
) -> Plan:
    """Plans `text` with as few segments as possible: in the default alphabet when every character is in it and in
    GSM-7, otherwise in UCS-2.

    Long texts are told apart by `reference`, taken modulo 256 or, in a 16-bit element, 65536. No ESC pair and no
    surrogate pair is ever split. Raises Refusal: `empty_text`, `too_long` (more than `max_segments` for the handset,
    or more than a message_payload holds; the text says how many it needs), `unencodable` (U+0000 or a lone
    surrogate; the text says which and where).
    """
    if not text:
        raise Refusal("empty_text", "the text is empty", field="text")
    septets = gsm7.try_encode(text)
    if septets is not None:
        if encoding[:2] == _SEPTETS_AS_THEY_ARE:
            if len(septets) <= encoding.max_octets * 8 // 7:
                return Plan(_GSM7, encoding.gsm7_data_coding, 0, (septets,))
            return _planned_septets(septets, _unchanged, reference, max_segments, encoding)
        if encoding.packs:
            return _planned_septets(septets, gsm7.pack, reference, max_segments, encoding)
        codec = _CODECS[encoding.default_alphabet]
        if _encodes(text, codec):
            return _planned_septets(septets, _transcoder(codec), reference, max_segments, encoding)
    octets = _utf16be(text)
    if len(octets) <= encoding.max_octets:
        return Plan(_UCS2, encoding.ucs2_data_coding, 0, (octets,))
    pieces = _cut_utf16be(octets, encoding.max_octets - encoding.header_octets)
    return _long(_UCS2, encoding.ucs2_data_coding, pieces, octets, reference, max_segments, encoding)


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


# ---------------------------------------------------------------------------------------------------------------- #
# The default alphabet: septets are cut, then each piece is written as the SMSC wants it
# ---------------------------------------------------------------------------------------------------------------- #

#: Of a piece of septets, and the fill bits before it: its octets.
Writer = Callable[[bytes, int], bytes]

#: Alphabets that are not septets. What GSM-7 and they do not share goes as UCS-2: an SMSC would have to replace it.
_CODECS = {DefaultAlphabet.LATIN1: "latin-1", DefaultAlphabet.ASCII: "ascii", DefaultAlphabet.UTF8: "utf-8"}


def _unchanged(septets: bytes, fill_bits: int) -> bytes:
    return septets


def _transcoder(codec: str) -> Writer:
    return lambda septets, fill_bits: gsm7.decode(septets).encode(codec)


def _encodes(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _planned_septets(septets: bytes, write: Writer, reference: int, max_segments: int, encoding: Encoding) -> Plan:
    single = encoding.max_octets * 8 // 7
    data_coding = encoding.gsm7_data_coding
    if len(septets) <= single:
        octets = write(septets, 0)
        # Packed, a CR at the very end is written twice: there may be no room for the second.
        if len(octets) <= (encoding.max_octets if encoding.packs else MOST_SHORT_MESSAGE_OCTETS):
            return Plan(_GSM7, data_coding, 0, (octets,))
        if encoding.long is LongMessages.PAYLOAD and not encoding.packs:
            return Plan(_GSM7, data_coding, 0, (octets,), payload=True)
    header = encoding.header_octets
    fill_bits = udh.fill_bits(header) if encoding.long in _WITH_UDH else 0
    room = (encoding.max_octets - header) * 8 // 7
    cuts = _cut_septets(septets, room, fill_bits if encoding.packs else None)
    pieces = [write(cut, fill_bits) for cut in cuts]
    most = MOST_SHORT_MESSAGE_OCTETS - header
    if encoding.long is not LongMessages.PAYLOAD and any(len(piece) > most for piece in pieces):
        pieces = [write(cut, 0) for cut in _cut_septets(septets, min(room, most // _MOST_OCTETS_OF_SEPTET), None)]
    whole = write(septets, 0) if encoding.long is LongMessages.PAYLOAD else b""
    return _long(_GSM7, data_coding, pieces, whole, reference, max_segments, encoding)


def _cut_septets(septets: bytes, room: int, packed_after: int | None) -> list[bytes]:
    """Cuts after at most `room` septets, one earlier where the last would be an ESC that has lost its partner.

    `packed_after`: of pieces that are going to be packed after so many fill bits, and then may not end in a CR where
    it would be taken for a filler; one that ends the text needs room for a second CR.
    """
    cuts = []
    start = 0
    while start < len(septets):
        end = min(start + room, len(septets))
        # An ESC is never the second of a pair, so one at the end of a full cut always begins a pair.
        if end < len(septets) and septets[end - 1] == gsm7.ESC:
            end -= 1
        may_double = end == len(septets) and end - start < room
        if packed_after is not None and not may_double and gsm7.ends_in_filler(septets[start:end], packed_after):
            end -= 1
        cuts.append(septets[start:end])
        start = end
    return cuts


# ---------------------------------------------------------------------------------------------------------------- #
# UCS-2, and what is long
# ---------------------------------------------------------------------------------------------------------------- #

_WITH_UDH = (LongMessages.UDH8, LongMessages.UDH16)


def _cut_utf16be(octets: bytes, room: int) -> list[bytes]:
    """Cuts after at most `room` octets, at a whole unit, one earlier where the last would be a high surrogate."""
    room -= room % 2
    cuts = []
    start = 0
    while start < len(octets):
        end = start + room
        if end < len(octets) and octets[end - 2] & 0xFC == 0xD8:
            end -= 2
        cuts.append(octets[start:end])
        start = end
    return cuts


def _long(
    alphabet: Alphabet,
    data_coding: int,
    pieces: list[bytes],
    whole: bytes,
    reference: int,
    max_segments: int,
    encoding: Encoding,
) -> Plan:
    """A text of several parts. `whole`: the octets of all of it, where they become a message_payload."""
    total = len(pieces)
    allowed = min(max_segments, MOST_SEGMENTS)
    if total > allowed:
        raise _too_long(alphabet, total, allowed)
    if encoding.long is LongMessages.PAYLOAD:
        if len(whole) > MOST_PAYLOAD_OCTETS:
            text = f"the text needs {len(whole)} octets, a message_payload holds {MOST_PAYLOAD_OCTETS}"
            raise Refusal("too_long", text, field="text")
        return Plan(alphabet, data_coding, 0, (whole,), total, payload=True)
    if encoding.long is LongMessages.SAR:
        return Plan(alphabet, data_coding, 0, tuple(pieces), total, sar=True)
    wide = encoding.long is LongMessages.UDH16
    header = udh.concatenation_header
    segments = [header(reference, total, part, wide=wide) + piece for part, piece in enumerate(pieces, 1)]
    return Plan(alphabet, data_coding, ESM_CLASS_UDHI, tuple(segments), total)


def _too_long(alphabet: Alphabet, needed: int, allowed: int) -> Refusal:
    label = "GSM-7" if alphabet is Alphabet.GSM7 else "UCS-2"
    return Refusal("too_long", f"the text needs {needed} segments in {label}, {allowed} are allowed", field="text")
