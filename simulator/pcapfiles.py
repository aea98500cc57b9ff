"""Packets out of pcap and pcapng files, whoever wrote them.

Both byte orders, microseconds and nanoseconds, pcapng with any number of sections and interfaces. A file that stops
in the middle of a packet, as those of a killed writer do, gives the packets before it; anything else that is not as
the formats have it is a ValueError that says where. Owns the files; refuses to know what is in a packet.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from simulator.pcapng import MAGIC

#: No block or packet is longer: 64 KiB are the most that IP can carry, and the comments of a block are short.
MAX_BLOCK_OCTETS: Final = 16_777_216
#: An interface costs memory for as long as its section lasts.
MAX_INTERFACES: Final = 65_536

#: Magic of pcap, as it reads in big-endian order -> byte order and units a second.
_PCAP_MAGIC: Final = {
    0xA1B2C3D4: (">", 10**6),
    0xD4C3B2A1: ("<", 10**6),
    0xA1B23C4D: (">", 10**9),
    0x4D3CB2A1: ("<", 10**9),
}
_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _ENHANCED_PACKET = 1, 2, 3, 6
_SECTION_HEADER: Final = 0x0A0D0D0A
_COMMENT, _TIME_RESOLUTION, _TIME_OFFSET = 1, 9, 14
_GZIP: Final = b"\x1f\x8b"


class Packet(NamedTuple):
    """One packet. `number` counts from 1, as Wireshark does; `linktype` is that of tcpdump.org/linktypes.html."""

    number: int
    utc_us: int  # microseconds since 1970-01-01 UTC
    linktype: int
    octets: bytes
    comments: tuple[str, ...] = ()


class _CutShort(Exception):
    """The file ends within a block."""


class PacketFile:
    """The packets of a file; iterate once. `cut_short` is set when it ends in the middle of one.

    Raises OSError when the file cannot be read, and ValueError when it is no pcap or pcapng or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cut_short = False
        self._number = 0

    def __iter__(self) -> Iterator[Packet]:
        with self.path.open("rb") as file:
            try:
                head = file.read(4)
                if head == MAGIC:
                    yield from self._sections(file)
                else:
                    yield from self._pcap(file, head)
            except _CutShort:
                self.cut_short = True

    # --- pcap ----------------------------------------------------------------------------------------------------

    def _pcap(self, file: IO[bytes], head: bytes) -> Iterator[Packet]:
        """draft-ietf-opsawg-pcap: a header of 24 octets, then each packet behind 16."""
        order_and_units = _PCAP_MAGIC.get(int.from_bytes(head, "big")) if len(head) == 4 else None
        if order_and_units is None:
            hint = "; it is compressed, unpack it first" if head.startswith(_GZIP) else ""
            raise ValueError(
                f"{self.path} is neither pcap nor pcapng: it begins with {head.hex() or 'nothing'}{hint}"
            )
        order, units = order_and_units
        try:
            major, linktype = struct.unpack(f"{order}H14xL", _exactly(file, 20))
        except _CutShort:
            raise ValueError(f"{self.path} ends within its header") from None
        if major != 2:
            raise ValueError(f"{self.path} is pcap of version {major}; 2 is the only one known")
        linktype &= 0xFFFF  # the rest may tell the octets of an FCS
        record = struct.Struct(f"{order}LLLL")
        while True:
            header = file.read(record.size)
            if not header:
                return
            if len(header) < record.size:
                raise _CutShort
            seconds, fraction, octets, _ = record.unpack(header)
            if octets > MAX_BLOCK_OCTETS:
                raise self._damaged(file, f"a packet of {octets} octets")
            utc_us = seconds * 1_000_000 + fraction * 1_000_000 // units
            yield self._packet(utc_us, linktype, _exactly(file, octets), ())

    # --- pcapng --------------------------------------------------------------------------------------------------

    def _sections(self, file: IO[bytes]) -> Iterator[Packet]:
        order, interfaces = "", list[_Interface]()
        kind_octets = MAGIC
        while kind_octets:
            if len(kind_octets) < 4:
                raise _CutShort
            length_octets = _exactly(file, 4)
            if kind_octets == MAGIC:
                order, interfaces = self._byte_order(file), []
            (kind,) = struct.unpack(f"{order}L", kind_octets)
            (total,) = struct.unpack(f"{order}L", length_octets)
            read = 12 if kind == _SECTION_HEADER else 8
            if total % 4 or not 12 <= total <= MAX_BLOCK_OCTETS or total < read + 4:
                raise self._damaged(file, f"a block of {total} octets")
            body = _exactly(file, total - read - 4)
            if _exactly(file, 4) != length_octets:
                raise self._damaged(file, "a block whose two lengths differ")
            if kind == _INTERFACE:
                if len(interfaces) >= MAX_INTERFACES:
                    raise self._damaged(file, f"more than {MAX_INTERFACES} interfaces")
                interfaces.append(self._interface(file, order, body))
            elif kind in (_ENHANCED_PACKET, _OLD_PACKET):
                yield self._enhanced(file, order, kind, body, interfaces)
            elif kind == _SIMPLE_PACKET:
                raise self._damaged(file, "a simple packet block, which has no time: unfit for a capture of sessions")
            kind_octets = file.read(4)

    def _byte_order(self, file: IO[bytes]) -> str:
        magic = _exactly(file, 4)
        for order in "<>":
            if struct.unpack(f"{order}L", magic) == (0x1A2B3C4D,):
                return order
        raise self._damaged(file, f"a section without byte order: {magic.hex()}")

    def _interface(self, file: IO[bytes], order: str, body: bytes) -> _Interface:
        if len(body) < 8:
            raise self._damaged(file, "an interface block of too few octets")
        (linktype,) = struct.unpack_from(f"{order}H", body)
        units, offset_s = 10**6, 0
        for code, value in _options(order, body, 8):
            if code == _TIME_RESOLUTION and len(value) == 1:
                units = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
            elif code == _TIME_OFFSET and len(value) == 8:
                (offset_s,) = struct.unpack(f"{order}q", value)
        return _Interface(linktype, units, offset_s)

    def _enhanced(self, file: IO[bytes], order: str, kind: int, body: bytes, interfaces: list[_Interface]) -> Packet:
        if len(body) < 20:
            raise self._damaged(file, "a packet block of too few octets")
        layout = f"{order}LLLLL" if kind == _ENHANCED_PACKET else f"{order}HxxLLLL"
        number, high, low, octets, _ = struct.unpack_from(layout, body)
        if octets > len(body) - 20:
            raise self._damaged(file, f"a packet of {octets} octets in a block of {len(body) + 12}")
        if number >= len(interfaces):
            raise self._damaged(file, f"a packet of interface {number}, of which there are {len(interfaces)}")
        linktype, units, offset_s = interfaces[number]
        utc_us = (high << 32 | low) * 1_000_000 // units + offset_s * 1_000_000
        comments = tuple(
            value.decode("utf-8", "replace")
            for code, value in _options(order, body, 20 + octets + -octets % 4)
            if code == _COMMENT
        )
        return self._packet(utc_us, linktype, body[20 : 20 + octets], comments)

    def _packet(self, utc_us: int, linktype: int, octets: bytes, comments: tuple[str, ...]) -> Packet:
        self._number += 1
        return Packet(self._number, utc_us, linktype, octets, comments)

    def _damaged(self, file: IO[bytes], what: str) -> ValueError:
        return ValueError(f"{self.path} is damaged: {what}, before octet {file.tell()}, behind packet {self._number}")


class _Interface(NamedTuple):
    linktype: int
    units: int  # of time, a second
    offset_s: int


def _options(order: str, body: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """(code, value) of the options from `start` on. Those that do not fit end the list: nobody needs them."""
    while start + 4 <= len(body):
        code, octets = struct.unpack_from(f"{order}HH", body, start)
        value = body[start + 4 : start + 4 + octets]
        if code == 0 or len(value) < octets:
            return
        yield code, value
        start += 4 + octets + -octets % 4


def _exactly(file: IO[bytes], octets: int) -> bytes:
    data = file.read(octets)
    if len(data) < octets:
        raise _CutShort
    return data
