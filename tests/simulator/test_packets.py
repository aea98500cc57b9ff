"""Made-up packets: right in every octet that others check."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.packets import (
    ACK,
    FIN,
    MAX_DATA_OCTETS,
    MAX_UNACKNOWLEDGED_OCTETS,
    PSH,
    RST,
    SYN,
    Conversation,
    Endpoint,
    checksum,
)

from .pcaps import ones_complement_sum, seen_in, streams_of

V4 = (Endpoint("192.0.2.1", 50_000), Endpoint("198.51.100.2", 2775))
V6 = (Endpoint("2001:db8::1", 50_000), Endpoint("2001:db8::2", 2775))


def test_the_checksum_of_rfc_1071() -> None:
    assert checksum(0x0001 + 0xF203 + 0xF4F5 + 0xF6F7) == 0xFFFF - 0xDDF2  # its example, section 3
    assert checksum(0) == 0
    assert checksum(0xFFFF) == 0


@given(octets=st.binary(min_size=2, max_size=400).filter(any))
def test_it_is_that_of_the_words_one_by_one(octets: bytes) -> None:
    even = octets + bytes(len(octets) % 2)
    assert checksum(int.from_bytes(even, "big")) == 0xFFFF - ones_complement_sum(even)


@pytest.mark.parametrize(("client", "server"), [V4, V6], ids=["IPv4", "IPv6"])
def test_a_session(client: Endpoint, server: Endpoint) -> None:
    conversation = Conversation(client, server, 7)
    packets = conversation.handshake()
    packets += conversation.data(True, b"hello")
    packets += conversation.data(False, bytearray(b"you"))
    packets.append(conversation.end(False))
    packets.append(conversation.end(True, reset=True))
    seen = [seen_in(packet) for packet in packets]
    assert [one.flags for one in seen] == [SYN, SYN | ACK, ACK, PSH | ACK, PSH | ACK, FIN | ACK, RST | ACK]
    assert {one.source for one in seen} == {tuple(client), tuple(server)}
    assert [one.source == tuple(client) for one in seen] == [True, False, True, True, False, False, True]
    assert streams_of(seen) == {tuple(client): b"hello", tuple(server): b"you"}


@given(
    said=st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=300)), max_size=30),
    number=st.integers(0, 2**40),
    v6=st.booleans(),
)
def test_whatever_is_said_comes_out_again(said: list[tuple[bool, bytes]], number: int, v6: bool) -> None:
    client, server = V6 if v6 else V4
    conversation = Conversation(client, server, number)
    packets = conversation.handshake()
    for by_client, octets in said:
        packets += conversation.data(by_client, octets)
    streams = streams_of(seen_in(packet) for packet in packets)
    for end, mine in ((client, True), (server, False)):
        assert streams[tuple(end)] == b"".join(octets for by_client, octets in said if by_client is mine)


@pytest.mark.parametrize(("client", "server"), [V4, V6], ids=["IPv4", "IPv6"])
def test_much_at_once_goes_in_packets_of_64_kib(client: Endpoint, server: Endpoint) -> None:
    conversation = Conversation(client, server)
    packets = conversation.handshake()
    octets = bytes(range(256)) * 700
    data = list(conversation.data(True, octets))
    assert [len(seen_in(packet).data) for packet in data] == [65_495, 65_495, 48_210]
    assert [bool(seen_in(packet).flags & PSH) for packet in data] == [False, False, True]
    assert max(map(len, data)) <= 65_535 + 20 * (client is V6[0])
    assert streams_of(seen_in(packet) for packet in packets + data)[tuple(client)] == octets
    (whole,) = conversation.data(False, bytes(MAX_DATA_OCTETS))
    assert len(seen_in(whole).data) == MAX_DATA_OCTETS


def test_sequence_numbers_wrap_at_2_to_the_32() -> None:
    conversation = Conversation(*V4, number=0)  # the client's begin at 0, the server's at 2^32 - 1
    packets = conversation.handshake()
    for _ in range(3):
        packets += conversation.data(False, b"x" * 10)
    seen = [seen_in(packet) for packet in packets]
    assert [one.sequence for one in seen if one.source == tuple(V4[1])] == [0xFFFFFFFF, 0, 10, 20]
    assert streams_of(seen)[tuple(V4[1])] == b"x" * 30


def test_who_only_listens_acknowledges_now_and_then() -> None:
    conversation = Conversation(*V4)
    conversation.handshake()
    octets = bytes(MAX_DATA_OCTETS)
    packets = [
        packet
        for _ in range(MAX_UNACKNOWLEDGED_OCTETS // MAX_DATA_OCTETS + 2)
        for packet in conversation.data(True, octets)
    ]
    sources = [seen_in(packet[:40]).source if len(packet) == 40 else None for packet in packets]
    assert sources.count(tuple(V4[1])) == 1


def test_ports_that_are_used_again_begin_elsewhere() -> None:
    first = {seen_in(Conversation(*V4, number).handshake()[0]).sequence for number in range(1000)}
    assert len(first) == 1000


def test_two_kinds_of_addresses() -> None:
    mapped = Endpoint("::ffff:192.0.2.1", 1)
    assert seen_in(Conversation(mapped, V4[1]).handshake()[0]).source == ("192.0.2.1", 1)
    assert seen_in(Conversation(V4[0], V6[1]).handshake()[0]).source == ("::ffff:c000:201", 50_000)


def test_an_endpoint_reads_as_one_writes_it() -> None:
    assert str(V4[0]) == "192.0.2.1:50000"
    assert str(V6[0]) == "[2001:db8::1]:50000"
