"""TCP segments out of packets as captures have them: Ethernet, Linux' "any", loopback, raw IP. Pure.

Owns the headers from the link layer to TCP. Fragments of IP, and all that is no TCP, give nothing: a session does not
fragment, since TCP knows the path. Checksums are not looked at: network cards fill them in behind the capture's back.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, NamedTuple

from simulator.packets import Endpoint

_TCP: Final = 6
_IPV4, _IPV6 = 0x0800, 0x86DD
_VLAN_TAGS: Final = frozenset({0x8100, 0x88A8, 0x9100})
#: Hop-by-hop options, routing, destination options: RFC 8200, 4. A fragment header (44) is not passed over.
_EXTENSIONS: Final = frozenset({0, 43, 60})
#: LINKTYPE -> octets in front of an EtherType, and where in them it stands.
_WITH_ETHERTYPE: Final = {1: (14, 12), 113: (16, 14), 276: (20, 0)}
#: LINKTYPE -> octets in front of an IP header. RAW has a few numbers of old; NULL and LOOP tell the family first.
_IP_AT: Final = {101: 0, 12: 0, 14: 0, 228: 0, 229: 0, 0: 4, 108: 4}
_TCP_HEADER = struct.Struct(">HHLLBB")

#: Link layers that are understood, by their number of tcpdump.org/linktypes.html.
LINKTYPES: Final = frozenset({*_WITH_ETHERTYPE, *_IP_AT})


class Segment(NamedTuple):
    """One TCP segment. `data` may be shorter than what was sent, `octets`, where the capture cut packets off."""

    source: Endpoint
    destination: Endpoint
    sequence: int
    flags: int
    data: bytes
    octets: int


@lru_cache(maxsize=65_536)
def _address(octets: bytes) -> str:
    return str(ip_address(octets))


def segment_of(linktype: int, packet: bytes) -> Segment | None:
    """The TCP segment in a packet; None when it has none that can be read."""
    try:
        start = _ip_at(linktype, packet)
        if start < 0:
            return None
        version = packet[start] >> 4
        if version == 4:
            return _ipv4(packet, start)
        return _ipv6(packet, start) if version == 6 else None
    except (IndexError, struct.error):  # it ends within a header
        return None


def _ip_at(linktype: int, packet: bytes) -> int:
    found = _WITH_ETHERTYPE.get(linktype)
    if found is None:
        return _IP_AT.get(linktype, -1)
    start, at = found
    (ethertype,) = struct.unpack_from(">H", packet, at)
    while ethertype in _VLAN_TAGS:
        (ethertype,) = struct.unpack_from(">H", packet, start + 2)
        start += 4
    return start if ethertype in (_IPV4, _IPV6) else -1


def _ipv4(packet: bytes, start: int) -> Segment | None:
    """RFC 791, 3.1. A total length of 0 is that of a card that cuts segments itself: then all there is."""
    head_octets = (packet[start] & 0x0F) * 4
    total, _, fragment = struct.unpack_from(">HHH", packet, start + 2)
    if packet[start + 9] != _TCP or fragment & 0x3FFF or head_octets < 20:
        return None
    source, destination = struct.unpack_from(">4s4s", packet, start + 12)
    end = start + total if total else len(packet)
    return _tcp(packet, start + head_octets, end, _address(source), _address(destination))


def _ipv6(packet: bytes, start: int) -> Segment | None:
    """RFC 8200, 3 and 4."""
    (payload,) = struct.unpack_from(">H", packet, start + 4)
    kind, at = packet[start + 6], start + 40
    while kind in _EXTENSIONS:
        kind, at = packet[at], at + (packet[at + 1] + 1) * 8
    if kind != _TCP:
        return None
    source, destination = struct.unpack_from(">16s16s", packet, start + 8)
    end = start + 40 + payload if payload else len(packet)
    return _tcp(packet, at, end, _address(source), _address(destination))


def _tcp(packet: bytes, start: int, end: int, source: str, destination: str) -> Segment | None:
    """RFC 9293, 3.1."""
    source_port, destination_port, sequence, _, offset, flags = _TCP_HEADER.unpack_from(packet, start)
    at = start + (offset >> 4) * 4
    if at < start + 20 or at > end:
        return None
    return Segment(
        Endpoint(source, source_port),
        Endpoint(destination, destination_port),
        sequence,
        flags,
        packet[at:end],
        end - at,
    )
