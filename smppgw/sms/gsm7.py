"""The GSM 7 bit default alphabet and its extension table: 3GPP TS 23.038, 6.2.1 and 6.2.1.1.

Owns the two tables and the way between text and septets, one septet per octet, as SMPP's short_message carries them;
and packing, for SMSCs that want the septets as they are in the air. Refuses to know segments, and what to do with a
character that is in neither table.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping

#: The septet that says: look up the next one in the extension table. It is not a character itself.
ESC = 0x1B

#: 6.2.1, septets 0x00 to 0x7F in order. The place of ESC holds U+FFFE, which Python's charmap codecs read as "none".
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\ufffeÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

#: 6.2.1.1: the septet after ESC, and what both stand for. 0x0A is "page break", Unicode's form feed.
EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

Encoder = Callable[[str], bytes | None]
Decoder = Callable[[bytes], str]


def encoder(basic: str, extension: Mapping[int, str]) -> Encoder:
    """What makes septets of a text by these two tables: see `try_encode`.

    Encoding runs in C: a one-to-one code page first, then its octets to septets. Python's fast charmap needs U+0000
    at octet 0 of the page, while septet 0 is a character: hence a page of our own order, from which U+0000 is then
    refused. Characters of the extension table leave the second step as 0x80 + septet, and are widened to pairs only
    when seen. What is in both tables goes by the shorter way, and what is twice in one by its first septet.
    """
    septets = {character: septet for septet, character in reversed(list(enumerate(basic))) if character != "\ufffe"}
    pairs = {character: 0x80 | septet for septet, character in sorted(extension.items(), reverse=True)}
    octets = pairs | septets
    page_map = codecs.charmap_build("".join(["\0", *octets]).ljust(256, "\ufffe"))
    page_to_septet = bytes([0, *octets.values()]).ljust(256, b"\0")
    widen = {bytes([0x80 | septet]): bytes([ESC, septet]) for septet in extension}
    find_extended = re.compile(rb"[\x80-\xff]").sub
    charmap_encode = codecs.charmap_encode

    def try_encode(text: str) -> bytes | None:
        try:
            page, _ = charmap_encode(text, "strict", page_map)
        except UnicodeEncodeError:
            return None
        if 0 in page:
            return None
        found = page.translate(page_to_septet)
        return found if found.isascii() else find_extended(lambda octet: widen[octet[0]], found)

    return try_encode


_NO_SEPTET = 0xFF
_PAIR = re.compile(rb"\x1b(.?)", re.DOTALL)
_HIGH_TO_NO_SEPTET = bytes(range(128)) + bytes([_NO_SEPTET]) * 128


def decoder(basic: str, extension: Mapping[int, str]) -> Decoder:
    """What makes a text of septets by these two tables: see `decode`.

    Pairs become 0x80 + septet, then one table serves all. What the extension table lacks is shown as the basic
    table's character, and a second ESC as a space (both rules are the standard's: 6.2.1.1). Octets above 0x7F are no
    septets.
    """
    pairs = {bytes([septet]): bytes([0x80 | septet if septet in extension else septet]) for septet in range(128)}
    pairs |= {bytes([ESC]): b" ", b"": bytes([_NO_SEPTET]), bytes([_NO_SEPTET]): bytes([_NO_SEPTET])}
    table = basic.replace("\ufffe", "\ufffd") + "".join(extension.get(septet, "\ufffd") for septet in range(128))
    charmap_decode = codecs.charmap_decode

    def decode(octets: bytes) -> str:
        if not octets.isascii():
            octets = octets.translate(_HIGH_TO_NO_SEPTET)
        if ESC in octets:
            octets = _PAIR.sub(lambda pair: pairs[pair[1]], octets)
        return charmap_decode(octets, "strict", table)[0]

    return decode


#: Septets of a text, one per octet, ESC pairs included; None when a character is in neither table.
try_encode = encoder(BASIC, EXTENSION)

#: Text of septets that come one per octet. Never raises: an octet above 0x7F, or an ESC with nothing after it,
#: becomes U+FFFD.
decode = decoder(BASIC, EXTENSION)


def encode(text: str) -> bytes:
    """Septets of `text`, one per octet, ESC pairs included.

    Raises UnicodeEncodeError that points at the first character that is in neither table (ESC itself is one).
    """
    octets = try_encode(text)
    if octets is None:
        at = next(index for index, character in enumerate(text) if try_encode(character) is None)
        raise UnicodeEncodeError("gsm7", text, at, at + 1, "not in the GSM 7 bit default alphabet")
    return octets


def septets(text: str) -> int | None:
    """How many septets `text` takes, 2 for a character of the extension table; None when it cannot be encoded."""
    octets = try_encode(text)
    return None if octets is None else len(octets)


# ---------------------------------------------------------------------------------------------------------------- #
# Packing: 23.038, 6.1.2.1. `fill_bits` stand before the first septet: after a UDH, which is made of octets, they
# bring the text to the next septet (23.040, 9.2.3.24).
# ---------------------------------------------------------------------------------------------------------------- #

_BITS = [f"{septet:07b}" for septet in range(128)]
_SEPTETS = {bits: septet for septet, bits in enumerate(_BITS)}


def ends_in_filler(septets: bytes, fill_bits: int) -> bool:
    """Whether these, packed, end in a CR at the end of an octet: whoever unpacks them takes it for the filler."""
    return septets[-1:] == b"\r" and (len(septets) * 7 + fill_bits) % 8 == 0


def pack(septets: bytes, fill_bits: int = 0) -> bytes:
    """Septets, one per octet, to packed octets.

    Who gets only octets cannot tell 7 spare bits from an "@": they become a CR, which is no character then. A CR that
    would be taken for one of these is written twice (both: 23.038, 6.1.2.3.1). Such a text is read with one CR more
    than it has: the second is no filler but a character, which at the end of a text changes nothing that is seen.
    """
    count = len(septets)
    if (count * 7 + fill_bits) % 8 == 1 or ends_in_filler(septets, fill_bits):
        septets += b"\r"
        count += 1
    bits = "".join([_BITS[septet] for septet in reversed(septets)])
    return (int(bits or "0", 2) << fill_bits).to_bytes((count * 7 + fill_bits + 7) // 8, "little")


def unpack(octets: bytes, fill_bits: int = 0) -> bytes:
    """Packed octets to septets, one per octet; a CR at the end of the last octet is taken for the filler that it is
    by 23.038, 6.1.2.3.1."""
    count = (len(octets) * 8 - fill_bits) // 7
    if count <= 0:
        return b""
    bits = f"{int.from_bytes(octets, 'little') >> fill_bits:0{count * 7}b}"[-count * 7 :]
    septets = bytes([_SEPTETS[bits[at : at + 7]] for at in range((count - 1) * 7, -1, -7)])
    return septets[:-1] if ends_in_filler(septets, fill_bits) else septets
