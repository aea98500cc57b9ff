"""Captures for the tests: a strict reader of what we write, tshark as a judge, and files as others write them.

The reader shares nothing with simulator.pcapfiles: it knows only what we write, and complains about all else.
"""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

import pytest

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


class Seen(NamedTuple):
    """A packet as the strict reader finds it. `data` is the payload of TCP."""

    utc_us: int
    source: tuple[str, int]
    destination: tuple[str, int]
    sequence: int
    acknowledged: int
    flags: int
    data: bytes
    comment: str


def ones_complement_sum(octets: bytes) -> int:
    """RFC 1071, word by word; 0xFFFF for octets with a right checksum in them."""
    total = 0
    for (word,) in struct.iter_unpack(">H", octets + bytes(len(octets) % 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total


def seen_in(packet: bytes, utc_us: int = 0, comment: str = "") -> Seen:
    """One packet, which must be right in every field that we write."""
    if packet[0] >> 4 == 4:
        assert packet[0] == 0x45
        assert int.from_bytes(packet[2:4], "big") == len(packet)
        assert ones_complement_sum(packet[:20]) == 0xFFFF
        assert packet[9] == 6
        source, destination, tcp = packet[12:16], packet[16:20], packet[20:]
    else:
        assert packet[0] == 0x60
        assert int.from_bytes(packet[4:6], "big") == len(packet) - 40
        assert packet[6] == 6
        source, destination, tcp = packet[8:24], packet[24:40], packet[40:]
    pseudo = source + destination + struct.pack(">LL", len(tcp), 6)
    assert ones_complement_sum(pseudo + tcp) == 0xFFFF
    source_port, destination_port, sequence, acknowledged, offset, flags, window, _, urgent = struct.unpack_from(
        ">HHLLBBHHH", tcp
    )
    assert (window, urgent, offset & 0x0F) == (65_535, 0, 0)
    return Seen(
        utc_us,
        (str(ip_address(source)), source_port),
        (str(ip_address(destination)), destination_port),
        sequence,
        acknowledged,
        flags,
        tcp[(offset >> 4) * 4 :],
        comment,
    )


def blocks_of(octets: bytes) -> list[tuple[int, bytes]]:
    """(type, body) of the blocks of a little-endian pcapng file, which must fill it."""
    blocks, at = [], 0
    while at < len(octets):
        kind, total = struct.unpack_from("<LL", octets, at)
        assert total % 4 == 0
        assert struct.unpack_from("<L", octets, at + total - 4) == (total,)
        blocks.append((kind, octets[at + 8 : at + total - 4]))
        at += total
    assert at == len(octets)
    return blocks


def options_of(octets: bytes) -> dict[int, bytes]:
    """The options at the end of a block, which must end with opt_endofopt."""
    options, at = {}, 0
    while True:
        code, length = struct.unpack_from("<HH", octets, at)
        if code == 0:
            assert (length, at + 4) == (0, len(octets))
            return options
        options[code] = octets[at + 4 : at + 4 + length]
        assert not any(octets[at + 4 + length : at + 4 + length + -length % 4])
        at += 4 + length + -length % 4


def read_strictly(path: Path) -> list[Seen]:
    """The packets of one of our captures."""
    blocks = blocks_of(path.read_bytes())
    assert [kind for kind, _ in blocks[:2]] == [0x0A0D0D0A, 1]
    assert blocks[0][1][:16] == struct.pack("<LHHq", 0x1A2B3C4D, 1, 0, -1)
    assert blocks[1][1][:8] == struct.pack("<HHL", 101, 0, 0)
    assert options_of(blocks[1][1][8:])[9] == b"\x06"
    packets = []
    for kind, body in blocks[2:]:
        assert kind == 6
        interface, high, low, captured, original = struct.unpack_from("<LLLLL", body)
        assert (interface, captured) == (0, original)
        end = 20 + captured + -captured % 4
        options = options_of(body[end:]) if len(body) > end else {}
        comment = options.get(1, b"").decode()
        packets.append(seen_in(body[20 : 20 + captured], high << 32 | low, comment))
    return packets


def streams_of(packets: Iterable[Seen]) -> dict[tuple[str, int], bytes]:
    """Sender -> its octets; sequence and acknowledgement numbers must go on without a gap."""
    following: dict[tuple[str, int], int] = {}
    streams: dict[tuple[str, int], bytearray] = {}
    for packet in packets:
        if packet.flags & 0x02:
            following[packet.source] = packet.sequence
            streams.setdefault(packet.source, bytearray())
        assert packet.sequence == following[packet.source]
        assert packet.acknowledged == (following.get(packet.destination, 0) if packet.flags & 0x10 else 0)
        moved = len(packet.data) + bool(packet.flags & 0x03)
        following[packet.source] = (packet.sequence + moved) & 0xFFFFFFFF
        streams[packet.source] += packet.data
    return {end: bytes(octets) for end, octets in streams.items()}


def tshark(path: Path, *fields: str, only: str = "", options: Iterable[str] = ()) -> list[list[str]]:
    """A row for each packet that fits `only`, with these fields; several values of one are joined by commas."""
    command = ["tshark", "-n", "-r", str(path), "-T", "json", "-o", "tcp.check_checksum:TRUE"]
    command += ["-o", "ip.check_checksum:TRUE"]
    for field in fields:
        command += ["-e", field]
    for option in options:
        command += ["-o", option]
    if only:
        command += ["-Y", only]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "cut short" not in done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return [[",".join(row["_source"]["layers"].get(field, [])) for field in fields] for row in rows]


def complaints(path: Path) -> list[list[str]]:
    """What tshark finds wrong: checksums, TCP out of order, PDUs that are malformed, warnings and errors."""
    wrong = "_ws.expert.severity >= 6291456 or tcp.analysis.flags or _ws.malformed or tcp.checksum.status != 1"
    return tshark(path, "frame.number", "_ws.expert.message", only=wrong)


# ---------------------------------------------------------------------------------------------------------------- #
# Files as others write them
# ---------------------------------------------------------------------------------------------------------------- #


def pcap(
    packets: Iterable[tuple[int, bytes]], linktype: int = 101, *, order: str = "<", nanoseconds: bool = False
) -> bytes:
    """A pcap file of (utc_us, packet)."""
    magic, units = (0xA1B23C4D, 1000) if nanoseconds else (0xA1B2C3D4, 1)
    parts = [struct.pack(f"{order}LHHLLLL", magic, 2, 4, 0, 0, 262_144, linktype)]
    for utc_us, packet in packets:
        seconds, fraction = divmod(utc_us, 1_000_000)
        parts.append(struct.pack(f"{order}LLLL", seconds, fraction * units, len(packet), len(packet)) + packet)
    return b"".join(parts)


def block(order: str, kind: int, body: bytes) -> bytes:
    """A block of pcapng."""
    body += bytes(-len(body) % 4)
    total = struct.pack(f"{order}L", len(body) + 12)
    return struct.pack(f"{order}L", kind) + total + body + total


def pcapng(
    packets: Iterable[tuple[int, bytes]], linktype: int = 101, *, order: str = "<", resolution: bytes = b""
) -> bytes:
    """A section of pcapng with packets of (time in units of the resolution, octets)."""
    options = struct.pack(f"{order}HH", 9, 1) + resolution + bytes(3) + bytes(4) if resolution else b""
    parts = [block(order, 0x0A0D0D0A, struct.pack(f"{order}LHHq", 0x1A2B3C4D, 1, 0, -1))]
    parts.append(block(order, 1, struct.pack(f"{order}HHL", linktype, 0, 0) + options))
    for when, packet in packets:
        head = struct.pack(f"{order}LLLLL", 0, when >> 32, when & 0xFFFFFFFF, len(packet), len(packet))
        parts.append(block(order, 6, head + packet))
    return b"".join(parts)
