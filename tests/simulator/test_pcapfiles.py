"""Packets out of files: of both formats and byte orders, whole, cut short, damaged and hostile."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.pcapfiles import MAX_BLOCK_OCTETS, Packet, PacketFile
from simulator.pcapng import opening, packet_block

from .pcaps import block, pcap, pcapng

NOW_US = 1_767_225_600_123_456
TWO = [(NOW_US, b"one"), (NOW_US + 1_000_000, b"second")]
HEADER = pcapng([])


def packets_of(folder: Path, octets: bytes) -> tuple[list[Packet], bool]:
    path = folder / "x.pcapng"
    path.write_bytes(octets)
    file = PacketFile(path)
    return list(file), file.cut_short


def enhanced(order: str, interface: int, packet: bytes, captured: int, options: bytes = b"") -> bytes:
    head = struct.pack(f"{order}LLLLL", interface, 0, 7, captured, captured)
    return block(order, 6, head + packet + bytes(-len(packet) % 4) + options)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_pcap(tmp_path: Path, order: str, nanoseconds: bool) -> None:
    found, cut_short = packets_of(tmp_path, pcap(TWO, 1, order=order, nanoseconds=nanoseconds))
    assert found == [Packet(number, utc_us, 1, octets) for number, (utc_us, octets) in enumerate(TWO, 1)]
    assert not cut_short


def test_pcap_that_tells_the_octets_of_an_fcs(tmp_path: Path) -> None:
    assert packets_of(tmp_path, pcap(TWO, 0x10000001))[0][0].linktype == 1


@pytest.mark.parametrize("order", "<>")
def test_pcapng(tmp_path: Path, order: str) -> None:
    found, cut_short = packets_of(tmp_path, pcapng(TWO, 113, order=order))
    assert found == [Packet(number, utc_us, 113, octets) for number, (utc_us, octets) in enumerate(TWO, 1)]
    assert not cut_short


@pytest.mark.parametrize(
    ("resolution", "when", "utc_us"),
    [
        (b"\x06", NOW_US, NOW_US),
        (b"\x09", NOW_US * 1000 + 999, NOW_US),
        (b"\x03", NOW_US // 1000, NOW_US // 1000 * 1000),
        (b"\x00", 1_767_225_600, 1_767_225_600_000_000),
        (b"\x8a", 1024 * 5 + 512, 5_500_000),  # 2^-10 seconds
        (b"\x7f", NOW_US, 0),
    ],
)
def test_units_of_time(tmp_path: Path, resolution: bytes, when: int, utc_us: int) -> None:
    ((packet,), _) = packets_of(tmp_path, pcapng([(when, b"x")], resolution=resolution))
    assert packet.utc_us == utc_us


def test_several_sections_interfaces_and_blocks_that_say_nothing_here(tmp_path: Path) -> None:
    other = block("<", 1, struct.pack("<HHLHHqL", 1, 0, 0, 14, 8, 10, 0))  # an offset of ten seconds
    octets = HEADER + other + block("<", 5, bytes(12)) + block("<", 0xBAD, b"abcd") + enhanced("<", 1, b"x", 1)
    octets += block("<", 2, struct.pack("<HHLLLL", 0, 9, 0, 5, 3, 3) + b"old")
    found, _ = packets_of(tmp_path, octets + pcapng(TWO, order=">"))
    assert found[:2] == [Packet(1, 10_000_007, 1, b"x"), Packet(2, 5, 101, b"old")]
    assert [(packet.number, packet.octets) for packet in found[2:]] == [(3, b"one"), (4, b"second")]


def test_comments(tmp_path: Path) -> None:
    octets = (
        opening("us", "smpp", "") + packet_block(NOW_US, b"abcde", "connection 1, ünïcode") + packet_block(1, b"")
    )
    found, _ = packets_of(tmp_path, octets)
    assert found == [Packet(1, NOW_US, 101, b"abcde", ("connection 1, ünïcode",)), Packet(2, 1, 101, b"")]


def test_two_comments_and_options_that_do_not_fit(tmp_path: Path) -> None:
    options = struct.pack("<HH4sHH4sHHL", 1, 2, b"hi", 1, 1, b"\xff", 1, 400, 0)
    ((packet,), _) = packets_of(tmp_path, HEADER + enhanced("<", 0, b"x", 1, options))
    assert packet.comments == ("hi", "�")


@pytest.mark.parametrize("whole", [pcap(TWO), pcapng(TWO)], ids=["pcap", "pcapng"])
def test_a_file_that_stops_in_a_packet_gives_those_before(tmp_path: Path, whole: bytes) -> None:
    for octets in range(1, 20):
        found, cut_short = packets_of(tmp_path, whole[:-octets])
        assert cut_short
        assert [packet.octets for packet in found] == [b"one"]


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        pytest.param(b"", "it begins with nothing", id="empty"),
        pytest.param(b"\x1f\x8b\x08\x00", "compressed, unpack it first", id="gzip"),
        pytest.param(b"PK\x03\x04", "neither pcap nor pcapng", id="zip"),
        pytest.param(pcap([])[:20], "ends within its header", id="header cut"),
        pytest.param(b"\xd4\xc3\xb2\xa1\x01" + pcap([])[5:], "version 1", id="pcap of another version"),
        pytest.param(
            pcap([]) + struct.pack("<LLLL", 0, 0, MAX_BLOCK_OCTETS + 1, 0),
            "a packet of 16777217 octets",
            id="pcap: a packet without end",
        ),
        pytest.param(HEADER[:8] + b"abcd" + HEADER[12:], "without byte order: 61626364", id="byte order"),
        pytest.param(HEADER + struct.pack("<LL", 6, 2**31), "a block of 2147483648 octets", id="block without end"),
        pytest.param(HEADER + struct.pack("<LLL", 6, 8, 8), "a block of 8 octets", id="block below its frame"),
        pytest.param(HEADER + struct.pack("<LL", 6, 13) + bytes(40), "a block of 13 octets", id="odd block"),
        pytest.param(
            struct.pack("<LLLL", 0x0A0D0D0A, 12, 0x1A2B3C4D, 12), "a block of 12 octets", id="section without a body"
        ),
        pytest.param(HEADER + struct.pack("<LLL", 5, 12, 16), "whose two lengths differ", id="two lengths"),
        pytest.param(HEADER + enhanced("<", 1, b"x", 1), "of interface 1, of which there are 1", id="interface"),
        pytest.param(HEADER + enhanced("<", 0, b"x", 5), "a packet of 5 octets in a block of 36", id="packet longer"),
        pytest.param(HEADER + block("<", 6, bytes(16)), "a packet block of too few octets", id="packet block"),
        pytest.param(HEADER + block("<", 1, bytes(4)), "an interface block of too few octets", id="interface block"),
        pytest.param(HEADER + block("<", 3, bytes(8)), "a simple packet block, which has no time", id="no time"),
    ],
)
def test_what_is_refused(tmp_path: Path, octets: bytes, text: str) -> None:
    with pytest.raises(ValueError, match=text) as raised:
        packets_of(tmp_path, octets)
    assert "x.pcapng" in str(raised.value)


def test_where_the_damage_is(tmp_path: Path) -> None:
    octets = pcapng(TWO)
    with pytest.raises(ValueError, match=f"before octet {len(octets) + 8}, behind packet 2"):
        packets_of(tmp_path, octets + struct.pack("<LL", 6, 3))


def test_more_interfaces_than_anybody_has(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="more than 65536 interfaces"):
        packets_of(tmp_path, HEADER + block("<", 1, struct.pack("<HHL", 1, 0, 0)) * 65_536)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(PacketFile(tmp_path / "none.pcap"))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    whole=st.sampled_from([pcap(TWO), pcapng(TWO), pcapng(TWO, order=">"), HEADER + packet_block(1, b"x", "c")]),
    changes=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=4),
    end=st.integers(0, 300),
    behind=st.binary(max_size=60),
)
def test_no_damage_gives_anything_but_packets_or_valueerror(
    tmp_path: Path, whole: bytes, changes: list[tuple[int, int]], end: int, behind: bytes
) -> None:
    damaged = bytearray(whole[:end] + behind)
    for position, octet in changes:
        if damaged:
            damaged[position % len(damaged)] = octet
    try:
        packets_of(tmp_path, bytes(damaged))
    except ValueError as refused:
        assert "x.pcapng" in str(refused)
