"""User Data Header: 3GPP TS 23.040, 9.2.3.24.

Owns the layout of the header at the start of short_message (esm_class 0x40 says that there is one) and the two
concatenation elements. Refuses to know what the other information elements mean: they come back as octets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

CONCATENATED_8_BIT = 0x00  # 9.2.3.24.1
MESSAGE_WAITING = 0x01  # 9.2.3.24.2: "Special SMS Message Indication"
CONCATENATED_16_BIT = 0x08  # 9.2.3.24.8


class Concatenation(NamedTuple):
    """Which part of which long message: `part` is 1 to `total`."""

    reference: int
    total: int
    part: int
    wide: bool  # True: a 16-bit reference


def concatenation_header(reference: int, total: int, part: int, *, wide: bool = False) -> bytes:
    """A header with nothing but a concatenation element: 6 octets, `reference` taken modulo 256; 7 octets and modulo
    65536 when `wide`."""
    if wide:
        return bytes((6, CONCATENATED_16_BIT, 4, reference >> 8 & 0xFF, reference & 0xFF, total, part))
    return bytes((5, CONCATENATED_8_BIT, 3, reference & 0xFF, total, part))


def header(elements: Iterable[tuple[int, bytes]]) -> bytes:
    """A header of these elements (identifier, data), in their order. Raises ValueError when they take more than the
    255 octets that its length octet can tell."""
    octets = b"".join([bytes((iei, len(data))) + data for iei, data in elements])
    if len(octets) > 0xFF:
        raise ValueError(f"the elements take {len(octets)} octets, a UDH holds 255")
    return bytes((len(octets),)) + octets


def renumbered(octets: bytes, reference: int, *, wide: bool) -> bytes:
    """A segment of ours, whose concatenation element comes first, with another reference of the same width."""
    if wide:
        return octets[:3] + (reference & 0xFFFF).to_bytes(2, "big") + octets[5:]
    return octets[:3] + bytes((reference & 0xFF,)) + octets[4:]


def fill_bits(header_octets: int) -> int:
    """How many bits bring septets that follow so many octets of UDH to a septet of their own (9.2.3.24)."""
    return -header_octets * 8 % 7


def split(octets: bytes) -> tuple[bytes, bytes]:
    """(header with its UDHL, content). A UDHL that points past the end makes it all content: nothing is lost."""
    if not octets or octets[0] + 1 > len(octets):
        return b"", octets
    end = octets[0] + 1
    return octets[:end], octets[end:]


def parse(octets: bytes) -> list[tuple[int, bytes]]:
    """The information elements (identifier, data) at the start of `octets`, in order; repeated ones are all kept.

    Never raises: an element that runs past the header's end is dropped along with what follows it.
    """
    header, _ = split(octets)
    elements: list[tuple[int, bytes]] = []
    at = 1
    while at + 2 <= len(header):
        end = at + 2 + header[at + 1]
        if end > len(header):
            break
        elements.append((header[at], header[at + 2 : end]))
        at = end
    return elements


def concatenation(octets: bytes) -> Concatenation | None:
    """The concatenation element of a short_message with UDH; None where there is none that makes sense.

    9.2.3.24.1: total 0, part 0 and part above total are to be ignored. Of several elements the last one counts
    (9.2.3.24: "the last occurrence shall be used").
    """
    found: Concatenation | None = None
    for iei, data in parse(octets):
        if iei == CONCATENATED_8_BIT and len(data) == 3:
            candidate = Concatenation(data[0], data[1], data[2], wide=False)
        elif iei == CONCATENATED_16_BIT and len(data) == 4:
            candidate = Concatenation(data[0] << 8 | data[1], data[2], data[3], wide=True)
        else:
            continue
        if 1 <= candidate.part <= candidate.total:
            found = candidate
    return found
