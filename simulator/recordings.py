"""The SMPP sessions in a capture: who said what, and when.

`read_capture` takes files of this simulator, of tcpdump, of Wireshark. TCP is put together again: segments that came
twice, late or in another order, ports that are used again, sessions that were under way when the capture began, holes
that nothing fills. Owns streams and their PDUs; refuses to know what the PDUs mean, beyond who is the ESME.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from simulator.borders import HEADER_OCTETS, MAX_PDU_OCTETS, next_border
from simulator.packets import ACK, FIN, RST, SYN, Endpoint
from simulator.pcapfiles import Packet, PacketFile
from simulator.segments import LINKTYPES, Segment, segment_of
from smppgw.smpp import RESPONSE_BIT, CommandId, Role, command_name

#: Segments, and their octets, that wait for one before them; past it that one is taken for lost.
_MAX_EARLY_SEGMENTS: Final = 4096
_MAX_EARLY_OCTETS: Final = 8_388_608
#: Each costs memory, if there is nothing but a SYN.
_MAX_CONNECTIONS: Final = 200_000
#: A direction in which so many octets hold no PDU is not SMPP: no PDU is longer.
_MAX_NO_PDU_OCTETS: Final = 2 * MAX_PDU_OCTETS

_ESME_SAYS: Final = frozenset(
    {
        CommandId.BIND_TRANSMITTER,
        CommandId.BIND_RECEIVER,
        CommandId.BIND_TRANSCEIVER,
        CommandId.SUBMIT_SM,
        CommandId.SUBMIT_MULTI,
        CommandId.QUERY_SM,
        CommandId.CANCEL_SM,
        CommandId.REPLACE_SM,
    }
)
_SMSC_SAYS: Final = frozenset({CommandId.OUTBIND, CommandId.DELIVER_SM, CommandId.ALERT_NOTIFICATION})
_SMPP_PORT: Final = 2775


class RecordedPdu(NamedTuple):
    """A PDU as it passed; `octets` with its header. It has passed once its last octet has."""

    utc_us: int  # microseconds since 1970-01-01 UTC
    sender: Role
    octets: bytes
    packet: int  # the number of that packet in the file, as Wireshark counts

    @property
    def command_id(self) -> int:
        return int.from_bytes(self.octets[4:8], "big")

    @property
    def command_status(self) -> int:
        return int.from_bytes(self.octets[8:12], "big")

    @property
    def sequence_number(self) -> int:
        return int.from_bytes(self.octets[12:16], "big")

    def __str__(self) -> str:
        return f"{self.sender} {command_name(self.command_id)} {self.sequence_number}"


@dataclass(slots=True, kw_only=True)
class RecordedConnection:
    """One connection that spoke SMPP. Times are microseconds since 1970-01-01 UTC."""

    esme: Endpoint
    smsc: Endpoint
    pdus: list[RecordedPdu]  # in the order in which they passed
    opened_utc_us: int | None  # None: it stood when the capture began
    opened_by: Role | None
    closed_utc_us: int | None  # None: it stood when the capture ended
    closed_by: Role | None  # who did so first
    reset: bool  # by RST
    lost_octets: int  # that the capture misses
    unread_octets: int  # that are no PDU
    comments: list[str]


@dataclass(slots=True)
class Recording:
    """The connections of a capture that spoke SMPP, in the order in which they began."""

    connections: list[RecordedConnection] = field(default_factory=list)
    cut_short: bool = False  # the file ends in the middle of a packet
    other_connections: int = 0  # TCP without any SMPP
    other_packets: int = 0  # no TCP


def read_capture(path: Path) -> Recording:
    """The SMPP sessions of a pcap or pcapng file; all of their PDUs are in memory then.

    Raises OSError when the file cannot be read, ValueError when it is damaged, no capture, or has no SMPP in it.
    """
    file = PacketFile(path)
    recording = Recording()
    streams = _Streams()
    strange: Counter[int] = Counter()
    for packet in file:
        segment = segment_of(packet.linktype, packet.octets)
        if segment is not None:
            streams.take(packet, segment)
            if len(streams.all) > _MAX_CONNECTIONS:
                raise ValueError(
                    f"{path} has more than {_MAX_CONNECTIONS} TCP connections; cut out those of the SMSC"
                )
            continue
        recording.other_packets += 1
        if packet.linktype not in LINKTYPES:
            strange[packet.linktype] += 1
    recording.cut_short = file.cut_short
    for stream in streams.all:
        connection = stream.connection()
        if connection is not None:
            recording.connections.append(connection)
        else:
            recording.other_connections += 1
    if not recording.connections:
        raise ValueError(f"{path} has no SMPP in it: {_why_none(recording, strange)}")
    return recording


def _why_none(recording: Recording, strange: Counter[int]) -> str:
    if recording.other_connections:
        return (
            f"{recording.other_connections} TCP connections, none of which speaks SMPP in plain octets. What TLS "
            "hides can be captured at its ends only: this simulator's own captures show it"
        )
    if strange:
        kinds = ", ".join(map(str, sorted(strange)))
        known = ", ".join(map(str, sorted(LINKTYPES)))
        return f"its packets are of link type {kinds}; known are {known}"
    return f"{recording.other_packets} packets, and no TCP connection"


class _Streams:
    """The connections of a file, by their two ends."""

    def __init__(self) -> None:
        self.all: list[_Stream] = []
        self._newest: dict[frozenset[Endpoint], _Stream] = {}

    def take(self, packet: Packet, segment: Segment) -> None:
        ends = frozenset((segment.source, segment.destination))
        stream = self._newest.get(ends)
        if stream is None or stream.is_another(segment):
            stream = self._newest[ends] = _Stream(segment)
            self.all.append(stream)
        stream.take(packet, segment)


class _Stream:
    """A TCP connection, put together. Its client is who sent the SYN, or else who was seen first."""

    __slots__ = (
        "_client",
        "_closed_by_client",
        "_closed_utc_us",
        "_comments",
        "_halves",
        "_opened",
        "_reset",
        "_server",
    )

    def __init__(self, first: Segment) -> None:
        ends = (first.source, first.destination)
        self._client, self._server = ends[::-1] if first.flags & (SYN | ACK) == SYN | ACK else ends
        self._halves = {True: _Half(), False: _Half()}  # by the client, by the server
        self._opened: int | None = None
        self._closed_utc_us: int | None = None
        self._closed_by_client = False
        self._reset = False
        self._comments: list[str] = []

    def is_another(self, segment: Segment) -> bool:
        """Whether this segment begins another connection of the same ports: a SYN that is no repetition."""
        if segment.flags & (SYN | ACK) != SYN:
            return False
        half = self._halves[segment.source == self._client]
        return self._closed_utc_us is not None or (half.began and half.first_sequence != segment.sequence)

    def take(self, packet: Packet, segment: Segment) -> None:
        by_client = segment.source == self._client
        self._comments += packet.comments
        if segment.flags & SYN and self._opened is None:
            self._opened = packet.utc_us
        self._halves[by_client].take(packet, segment)
        if segment.flags & (FIN | RST) and self._closed_utc_us is None:
            self._closed_utc_us, self._closed_by_client = packet.utc_us, by_client
            self._reset = bool(segment.flags & RST)

    def connection(self) -> RecordedConnection | None:
        """All of it, once the file has ended; None when it is not SMPP."""
        halves = self._halves.values()
        for half in halves:
            half.finish()
        if not any(half.pdus for half in halves):
            return None
        client = Role.ESME if self._client_is_esme() else Role.SMSC
        esme, smsc = (self._client, self._server) if client is Role.ESME else (self._server, self._client)
        return RecordedConnection(
            esme=esme,
            smsc=smsc,
            pdus=self._pdus(client),
            opened_utc_us=self._opened,
            opened_by=client if self._opened is not None else None,
            closed_utc_us=self._closed_utc_us,
            closed_by=(client if self._closed_by_client else client.peer)
            if self._closed_utc_us is not None
            else None,
            reset=self._reset,
            lost_octets=sum(half.lost_octets for half in halves),
            unread_octets=sum(half.unread_octets for half in halves),
            comments=self._comments,
        )

    def _pdus(self, client: Role) -> list[RecordedPdu]:
        said = [
            [RecordedPdu(utc_us, role, octets, number) for number, utc_us, octets in self._halves[by_client].pdus]
            for by_client, role in ((True, client), (False, client.peer))
        ]
        return list(heapq.merge(*said, key=lambda pdu: pdu.packet))

    def _client_is_esme(self) -> bool:
        """By what is said; a session of nothing but enquire_link is told by its port, or by who called whom."""
        for by_client, half in self._halves.items():
            for _, _, octets in half.pdus:
                command_id = int.from_bytes(octets[4:8], "big")
                request = command_id & ~RESPONSE_BIT
                if request in _ESME_SAYS or request in _SMSC_SAYS:
                    return by_client == ((request in _ESME_SAYS) != bool(command_id & RESPONSE_BIT))
        return self._client.port != _SMPP_PORT or self._server.port == _SMPP_PORT


class _Half:
    """One direction of a connection: its octets in order, and the PDUs in them."""

    __slots__ = (
        "_buffer", "_early", "_early_octets", "_in_step", "_next", "_wanted", "_when", "began", "first_sequence",
        "lost_octets", "pdus", "unread_octets",
    )  # fmt: skip

    def __init__(self) -> None:
        self.began = False
        self.first_sequence = 0
        self.pdus: list[tuple[int, int, bytes]] = []  # number of the packet, its time, octets
        self.lost_octets = 0
        self.unread_octets = 0
        self._next = 0  # the sequence number of the next octet, which goes on past 2^32
        self._when = (0, 0)  # number and time of the newest packet whose octets are in
        self._early: list[tuple[int, int, int, bytes]] = []  # a heap: sequence number, number and time, octets
        self._early_octets = 0
        self._buffer = bytearray()
        self._wanted = HEADER_OCTETS  # the buffer is worth looking at once it has this many octets
        self._in_step = False  # the buffer begins with a PDU

    def take(self, packet: Packet, segment: Segment) -> None:
        """A segment, in whatever order; what came before is passed over."""
        sequence = segment.sequence + bool(segment.flags & SYN)  # RFC 9293, 3.4: a SYN counts as an octet
        if not self.began:
            if not segment.data and not segment.flags & SYN:
                return
            self.began, self.first_sequence, self._next = True, segment.sequence, sequence
        if not segment.data:
            return
        # Numbers are modulo 2^32: it is the one of its kind that lies nearest to the next one.
        sequence = self._next + ((sequence - self._next + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        if sequence > self._next:
            heapq.heappush(self._early, (sequence, packet.number, packet.utc_us, segment.data))
            self._early_octets += len(segment.data)
            while len(self._early) > _MAX_EARLY_SEGMENTS or self._early_octets > _MAX_EARLY_OCTETS:
                self._give_up_hole()
            return
        self._append(sequence, packet.number, packet.utc_us, segment.data)
        self._append_early()

    def finish(self) -> None:
        """The file has ended: nothing fills the holes any more."""
        while self._early:
            self._give_up_hole()
        self.unread_octets += len(self._buffer)
        self._buffer.clear()

    def _append_early(self) -> None:
        while self._early and self._early[0][0] <= self._next:
            sequence, number, utc_us, data = heapq.heappop(self._early)
            self._early_octets -= len(data)
            self._append(sequence, number, utc_us, data)

    def _give_up_hole(self) -> None:
        self.lost_octets += self._early[0][0] - self._next
        self._next = self._early[0][0]
        self.unread_octets += len(self._buffer)
        self._buffer.clear()
        self._in_step = False
        self._append_early()

    def _append(self, sequence: int, number: int, utc_us: int, data: bytes) -> None:
        new = data[self._next - sequence :]
        if not new:
            return
        self._next += len(new)
        self._when = max(self._when, (number, utc_us))
        if not self.pdus and self.unread_octets > _MAX_NO_PDU_OCTETS:
            self.unread_octets += len(new)
            return
        self._buffer += new
        if len(self._buffer) >= self._wanted:
            self._cut()

    def _cut(self) -> None:
        buffer, position = self._buffer, 0
        self._wanted = HEADER_OCTETS
        while len(buffer) - position >= HEADER_OCTETS:
            if not self._in_step:
                border = next_border(buffer, position)
                self._in_step = border >= 0
                until = border if border >= 0 else len(buffer) - HEADER_OCTETS + 1
                self.unread_octets += until - position
                position = until
                continue
            octets = int.from_bytes(buffer[position : position + 4], "big")
            if not HEADER_OCTETS <= octets < MAX_PDU_OCTETS:
                self._in_step = False  # what stands here is no header, so the loop moves on
            elif len(buffer) - position < octets:
                self._wanted = octets
                break
            else:
                self.pdus.append((*self._when, bytes(buffer[position : position + octets])))
                position += octets
        del buffer[:position]
