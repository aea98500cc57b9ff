"""TCP out of packets of every link layer, and nothing out of the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.packets import ACK, PSH, Conversation, Endpoint
from simulator.segments import LINKTYPES, Segment, segment_of

CLIENT, SERVER = Endpoint("192.0.2.1", 50_000), Endpoint("198.51.100.2", 2775)
CLIENT6, SERVER6 = Endpoint("2001:db8::1", 50_000), Endpoint("2001:db8::2", 2775)
V4 = next(iter(Conversation(CLIENT, SERVER).data(True, b"hello")))
V6 = next(iter(Conversation(CLIENT6, SERVER6).data(True, b"hello")))
MACS = bytes(12)
IPV4, IPV6 = b"\x08\x00", b"\x86\xdd"


def hello(source: Endpoint, destination: Endpoint) -> Segment:
    return Segment(source, destination, 0, PSH | ACK, b"hello", 5)


@pytest.mark.parametrize(
    ("linktype", "front"),
    [
        pytest.param(101, b"", id="raw"),
        pytest.param(12, b"", id="raw of old"),
        pytest.param(14, b"", id="raw of OpenBSD"),
        pytest.param(0, b"\x02\0\0\0", id="loopback of BSD"),
        pytest.param(108, b"\0\0\0\x02", id="loopback of OpenBSD"),
        pytest.param(1, MACS + b"%b", id="Ethernet"),
        pytest.param(1, MACS + b"\x81\x00\x00\x2a%b", id="VLAN"),
        pytest.param(1, MACS + b"\x88\xa8\x00\x01\x81\x00\x00\x2a%b", id="VLAN in VLAN"),
        pytest.param(113, bytes(14) + b"%b", id="Linux any"),
        pytest.param(276, b"%b" + bytes(18), id="Linux any, version 2"),
    ],
)
def test_link_layers(linktype: int, front: bytes) -> None:
    assert segment_of(linktype, front.replace(b"%b", IPV4) + V4) == hello(CLIENT, SERVER)
    assert segment_of(linktype, front.replace(b"%b", IPV6) + V6) == hello(CLIENT6, SERVER6)


def test_those_of_one_version() -> None:
    assert segment_of(228, V4) == hello(CLIENT, SERVER)
    assert segment_of(229, V6) == hello(CLIENT6, SERVER6)


def test_padding_of_ethernet_is_no_data() -> None:
    assert segment_of(1, MACS + IPV4 + V4 + bytes(18)) == hello(CLIENT, SERVER)


def test_a_card_that_cuts_segments_itself_leaves_the_length_empty() -> None:
    assert segment_of(101, V4[:2] + bytes(2) + V4[4:]) == hello(CLIENT, SERVER)
    assert segment_of(101, V6[:4] + bytes(2) + V6[6:]) == hello(CLIENT6, SERVER6)


def test_a_packet_that_the_capture_cut_off() -> None:
    found = segment_of(101, V4[:-3])
    assert found is not None
    assert (found.data, found.octets) == (b"he", 5)


def test_options_and_extension_headers() -> None:
    tcp = V4[20:]
    with_options = V4[:20] + tcp[:12] + bytes([6 << 4]) + tcp[13:20] + b"\x01\x01\x01\x00" + tcp[20:]
    longer = with_options[:2] + len(with_options).to_bytes(2, "big") + with_options[4:]
    assert segment_of(101, longer) == hello(CLIENT, SERVER)
    router_alert = b"\x46" + V4[1:2] + (len(V4) + 4).to_bytes(2, "big") + V4[4:20] + b"\x94\x04\0\0" + tcp
    assert segment_of(101, router_alert) == hello(CLIENT, SERVER)
    hop_by_hop, destination = b"\x3c\x00" + bytes(6), b"\x06\x01" + bytes(14)
    extended = V6[:4] + (len(V6) - 40 + 24).to_bytes(2, "big") + b"\x00" + V6[7:40] + hop_by_hop + destination
    assert segment_of(101, extended + V6[40:]) == hello(CLIENT6, SERVER6)


@pytest.mark.parametrize(
    ("linktype", "packet"),
    [
        pytest.param(101, b"", id="nothing"),
        pytest.param(101, b"\x00" * 40, id="neither IPv4 nor IPv6"),
        pytest.param(101, V4[:9] + b"\x11" + V4[10:], id="UDP"),
        pytest.param(101, V4[:6] + b"\x20\x00" + V4[8:], id="first fragment"),
        pytest.param(101, V4[:6] + b"\x00\x10" + V4[8:], id="last fragment"),
        pytest.param(101, V6[:6] + b"\x2c" + V6[7:], id="fragment of IPv6"),
        pytest.param(101, b"\x44" + V4[1:], id="IPv4 header below its least"),
        pytest.param(101, V4[:32] + b"\x10" + V4[33:], id="TCP header below its least"),
        pytest.param(101, V4[:32] + b"\xf0" + V4[33:], id="TCP header beyond its packet"),
        pytest.param(101, V4[:25], id="cut off in its ports"),
        pytest.param(1, MACS + b"\x08\x06" + bytes(28), id="ARP"),
        pytest.param(1, MACS + b"\x81\x00" * 9, id="VLAN without end"),
        pytest.param(147, V4, id="a link type that nobody knows"),
    ],
)
def test_what_has_none(linktype: int, packet: bytes) -> None:
    assert segment_of(linktype, packet) is None


@given(linktype=st.sampled_from(sorted(LINKTYPES)), packet=st.binary(max_size=200))
def test_no_octets_harm(linktype: int, packet: bytes) -> None:
    segment_of(linktype, packet)


@given(position=st.integers(0, 200), octet=st.integers(0, 255), v6=st.booleans(), end=st.integers(0, 200))
def test_no_damage_harms(position: int, octet: int, v6: bool, end: int) -> None:
    packet = bytearray(V6 if v6 else V4)
    packet[position % len(packet)] = octet
    found = segment_of(101, bytes(packet[:end]))
    assert found is None or len(found.data) <= found.octets


def test_an_extension_header_that_names_itself_ends() -> None:
    zeros = V6[:6] + b"\x00" + V6[7:40] + bytes(4000)
    assert segment_of(101, zeros) is None
