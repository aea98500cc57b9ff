"""The blocks of a pcapng file, as they are written. Pure.

draft-ietf-opsawg-pcapng: a section header, one interface, and an enhanced packet block for each packet. Blocks are
written in little-endian order and are whole by themselves, so a file that ends after any of them can be opened.
Owns the layout; refuses to know what is in the packets. Reading, which must cope with what others write, stands in
pcapfiles.py.
"""

from __future__ import annotations

import struct
from typing import Final

#: The first octets of every pcapng file: they read the same in either byte order.
MAGIC: Final = b"\x0a\x0d\x0d\x0a"
#: Packets begin with an IPv4 or IPv6 header: LINKTYPE_RAW.
LINKTYPE_RAW: Final = 101

_SECTION_HEADER: Final = 0x0A0D0D0A
_INTERFACE: Final = 1
_ENHANCED_PACKET: Final = 6
_BYTE_ORDER: Final = 0x1A2B3C4D
_COMMENT: Final = 1
_USER_APPLICATION: Final = 4  # shb_userappl
_NAME, _DESCRIPTION, _TIME_RESOLUTION = 2, 3, 9  # if_name, if_description, if_tsresol
_MICROSECONDS: Final = b"\x06"
_MAX_OPTION_OCTETS: Final = 65_535
_HEAD = struct.Struct("<LL")
_PACKET = struct.Struct("<LLLLLLL")
_LENGTH = struct.Struct("<L")
_NO_MORE_OPTIONS: Final = bytes(4)


def opening(application: str, interface: str, description: str) -> bytes:
    """What a file begins with: the section header, of unknown length, and the interface, without snap length."""
    section = struct.pack("<LHHq", _BYTE_ORDER, 1, 0, -1) + _options((_USER_APPLICATION, application.encode()))
    options = _options(
        (_NAME, interface.encode()), (_DESCRIPTION, description.encode()), (_TIME_RESOLUTION, _MICROSECONDS)
    )
    return _block(_SECTION_HEADER, section) + _block(_INTERFACE, struct.pack("<HHL", LINKTYPE_RAW, 0, 0) + options)


def packet_block(utc_us: int, packet: bytes, comment: str = "") -> bytes:
    """One packet, seen `utc_us` microseconds after 1970-01-01 UTC."""
    options = _options((_COMMENT, comment.encode())) if comment else b""
    octets = len(packet)
    padding = -octets % 4
    total = _PACKET.size + octets + padding + len(options) + _LENGTH.size
    head = _PACKET.pack(_ENHANCED_PACKET, total, 0, utc_us >> 32 & 0xFFFFFFFF, utc_us & 0xFFFFFFFF, octets, octets)
    return b"".join((head, packet, bytes(padding), options, _LENGTH.pack(total)))


def _block(kind: int, body: bytes) -> bytes:
    total = _HEAD.size + len(body) + _LENGTH.size
    return _HEAD.pack(kind, total) + body + _LENGTH.pack(total)


def _options(*options: tuple[int, bytes]) -> bytes:
    parts = []
    for code, value in options:
        cut = value[:_MAX_OPTION_OCTETS]
        parts.append(struct.pack("<HH", code, len(cut)) + cut + bytes(-len(cut) % 4))
    return b"".join(parts) + _NO_MORE_OPTIONS
