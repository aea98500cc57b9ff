"""The blocks of a pcapng file, octet by octet."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from simulator.pcapng import MAGIC, opening, packet_block

from .pcaps import blocks_of, options_of


def test_what_a_file_begins_with() -> None:
    octets = opening("simulator", "smpp", "what was said")
    assert octets.startswith(MAGIC)
    (section, body), (interface, about) = blocks_of(octets)
    assert (section, interface) == (0x0A0D0D0A, 1)
    assert body[:16] == struct.pack("<LHHq", 0x1A2B3C4D, 1, 0, -1)
    assert options_of(body[16:]) == {4: b"simulator"}
    assert about[:8] == struct.pack("<HHL", 101, 0, 0)
    assert options_of(about[8:]) == {2: b"smpp", 3: b"what was said", 9: b"\x06"}


def test_a_packet_octet_by_octet() -> None:
    assert packet_block(0x1_0000_0002, b"abcde", "hi").hex(" ", 4) == (
        "06000000 34000000 00000000 01000000 02000000 05000000 05000000"  # EPB, 52 octets, interface 0, time, lengths
        " 61626364 65000000"  # the packet, padded
        " 01000200 68690000 00000000"  # opt_comment, opt_endofopt
        " 34000000"
    )


@given(utc_us=st.integers(0, 2**63), packet=st.binary(max_size=200), comment=st.text(max_size=200))
def test_any_packet_fills_its_block(utc_us: int, packet: bytes, comment: str) -> None:
    ((kind, body),) = blocks_of(packet_block(utc_us, packet, comment))
    assert kind == 6
    _, high, low, captured, original = struct.unpack_from("<LLLLL", body)
    assert (high << 32 | low, captured, original) == (utc_us, len(packet), len(packet))
    assert body[20 : 20 + captured] == packet
    rest = body[20 + captured + -captured % 4 :]
    assert (options_of(rest) if rest else {}) == ({1: comment.encode()} if comment else {})


def test_a_comment_is_cut_at_what_an_option_can_hold() -> None:
    ((_, body),) = blocks_of(packet_block(0, b"", "x" * 70_000))
    assert options_of(body[20:]) == {1: b"x" * 65_535}
