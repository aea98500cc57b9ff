"""IP and TCP around octets, as a capture needs them: tools then show sessions, follow streams and join PDUs. Pure.

The octets are true, the headers are made up: a capture of a TLS session holds what was said, not what was encrypted.
Checksums are right and sequence_numbers of TCP wrap at 2^32, so no tool has anything to complain about. Owns the
headers; refuses to know files and time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10

#: Octets of data in one packet: total length of IPv4 is 16 bits (RFC 791, 3.1), less both headers.
MAX_DATA_OCTETS: Final = 65_535 - 20 - 20
#: Octets in one direction after which the other end acknowledges, though it has nothing to say: a tool that sees more
#: on the way than the window takes (RFC 7323, 2.2: 65,535 << 14 at most) calls it full.
MAX_UNACKNOWLEDGED_OCTETS: Final = 1 << 28

_TCP: Final = 6
_HOPS: Final = 64
_DONT_FRAGMENT: Final = 0x4000
_WINDOW: Final = 65_535
#: MSS, and a window scale of 14: RFC 9293, 3.2 and RFC 7323, 2.2.
_SYN_OPTIONS: Final = struct.pack(">BBHBBBB", 2, 4, MAX_DATA_OCTETS, 1, 3, 3, 14)
_IPV4 = struct.Struct(">BBHHHBBH")
_IPV6 = struct.Struct(">LHBB")
_TCP_HEADER = struct.Struct(">HHLLBBHHH")
#: Initial sequence numbers lie so far apart: when a port is used again, its SYN must not look like one sent twice.
_SEQUENCE_STEP: Final = 0x9E3779B1


class Endpoint(NamedTuple):
    """One end of a connection. `host` is an IPv4 or IPv6 address, without a scope."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def checksum(octets_sum: int) -> int:
    """The Internet checksum (RFC 1071) of 16-bit words whose sum, or any number congruent to it, is `octets_sum`.

    2^16 is 1 modulo 65,535, so a whole packet read as one number has the remainder of the sum of its words.
    """
    return 0xFFFF - (octets_sum % 0xFFFF or 0xFFFF)


class Conversation:
    """A TCP connection from `client` to `server`: makes its packets, IP header first.

    `number` tells connections of the same ports apart. Two addresses of different kinds are written as IPv6.
    """

    def __init__(self, client: Endpoint, server: Endpoint, number: int = 0) -> None:
        client_address, server_address = _one_kind(ip_address(client.host), ip_address(server.host))
        first = number * _SEQUENCE_STEP & 0xFFFFFFFF
        self._client = _Half(client_address, client.port, server_address, server.port, first)
        self._server = _Half(server_address, server.port, client_address, client.port, ~first & 0xFFFFFFFF)

    def handshake(self) -> list[bytes]:
        """SYN, SYN with ACK, ACK."""
        client, server = self._client, self._server
        return [
            client.packet(SYN, 0, options=_SYN_OPTIONS),
            server.packet(SYN | ACK, client.sequence, options=_SYN_OPTIONS),
            client.packet(ACK, server.sequence),
        ]

    def data(self, by_client: bool, octets: bytes | bytearray | memoryview) -> Iterator[bytes]:
        """The packets that carry `octets`, which must not be empty."""
        sender, receiver = self._halves(by_client)
        view = memoryview(octets)
        for start in range(0, len(view), MAX_DATA_OCTETS):
            piece = view[start : start + MAX_DATA_OCTETS]
            flags = PSH | ACK if start + len(piece) == len(view) else ACK
            yield sender.packet(flags, receiver.sequence, data=piece)
            receiver.unacknowledged = 0
            sender.unacknowledged += len(piece)
            if sender.unacknowledged > MAX_UNACKNOWLEDGED_OCTETS:
                sender.unacknowledged = 0
                yield receiver.packet(ACK, sender.sequence)

    def end(self, by_client: bool, *, reset: bool = False) -> bytes:
        """The FIN of one end, or its RST."""
        sender, receiver = self._halves(by_client)
        return sender.packet((RST if reset else FIN) | ACK, receiver.sequence)

    def _halves(self, by_client: bool) -> tuple[_Half, _Half]:
        return (self._client, self._server) if by_client else (self._server, self._client)


class _Half:
    """One direction of a connection. `sequence` is that of the next octet."""

    __slots__ = ("_addresses", "_head_sum", "_ports", "_v4", "sequence", "unacknowledged")

    def __init__(
        self,
        source: IPv4Address | IPv6Address,
        source_port: int,
        destination: IPv4Address | IPv6Address,
        destination_port: int,
        sequence: int,
    ) -> None:
        self.sequence = sequence
        self.unacknowledged = 0
        self._v4 = source.version == 4
        self._addresses = source.packed + destination.packed
        self._ports = (source_port, destination_port)
        #: What is the same in the pseudo-header of each packet (RFC 9293, 3.1; RFC 8200, 8.1).
        self._head_sum = int.from_bytes(self._addresses, "big") % 0xFFFF + _TCP

    def packet(self, flags: int, acknowledged: int, *, options: bytes = b"", data: bytes | memoryview = b"") -> bytes:
        """A packet with the next sequence number, which moves on by `data`, and by one for SYN and FIN."""
        octets = len(data)
        head = _TCP_HEADER.pack(
            *self._ports, self.sequence, acknowledged, (5 + len(options) // 4) << 4, flags, _WINDOW, 0, 0
        )
        tcp_octets = len(head) + len(options) + octets
        body_sum = int.from_bytes(data, "big") << (octets % 2 * 8)  # an odd octet is padded by one of zero
        total = self._head_sum + tcp_octets + int.from_bytes(head + options, "big") + body_sum
        self.sequence = (self.sequence + octets + bool(flags & (SYN | FIN))) & 0xFFFFFFFF
        return b"".join(
            (self._ip(tcp_octets), head[:16], checksum(total).to_bytes(2, "big"), head[18:], options, data)
        )

    def _ip(self, tcp_octets: int) -> bytes:
        if not self._v4:
            return _IPV6.pack(0x60000000, tcp_octets, _TCP, _HOPS) + self._addresses
        words = (0x45, 0, 20 + tcp_octets, 0, _DONT_FRAGMENT, _HOPS, _TCP)
        total = int.from_bytes(_IPV4.pack(*words, 0) + self._addresses, "big")
        return _IPV4.pack(*words, checksum(total)) + self._addresses


def _one_kind(
    one: IPv4Address | IPv6Address, other: IPv4Address | IPv6Address
) -> tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address]:
    one, other = _unmapped(one), _unmapped(other)
    if one.version == other.version:
        return one, other
    return _mapped(one), _mapped(other)


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """IPv4 as such, where a socket of both kinds calls it ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2)."""
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return inner if inner is not None else address


def _mapped(address: IPv4Address | IPv6Address) -> IPv6Address:
    return address if isinstance(address, IPv6Address) else IPv6Address(f"::ffff:{address}")
