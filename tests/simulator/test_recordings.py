"""Sessions read back from captures: TCP put together again, whatever happened to it on the way."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator import recordings
from simulator.packets import Conversation, Endpoint
from simulator.recordings import RecordedConnection, Recording, read_capture
from smppgw.smpp import (
    BindTransceiver,
    BindTransceiverResp,
    CommandId,
    DeliverSm,
    EnquireLink,
    EnquireLinkResp,
    Outbind,
    Pdu,
    Role,
    SubmitSm,
    SubmitSmResp,
    encode,
)

from .pcaps import pcap, pcapng

ESME, SMSC = Endpoint("192.0.2.1", 50_000), Endpoint("192.0.2.2", 2775)
NOW_US = 1_767_225_600_000_000
STEP_US = 1000
QUIET = [HealthCheck.function_scoped_fixture]


def numbered(pdu: Pdu, number: int) -> bytes:
    pdu.sequence_number = number
    return encode(pdu)


BIND = numbered(BindTransceiver(system_id="alice"), 1)
BIND_RESP = numbered(BindTransceiverResp(system_id="SMSC"), 1)
SUBMITS = [numbered(SubmitSm(destination_addr="1", short_message=b"text %d" % n), n) for n in range(2, 40)]
RESPONSES = [numbered(SubmitSmResp(message_id=str(n)), n) for n in range(2, 40)]
DELIVER = numbered(DeliverSm(short_message=b"in"), 1)


def read(folder: Path, packets: Iterable[bytes], *, as_pcap: bool = True) -> Recording:
    """The recording of packets, one each millisecond."""
    path = folder / "x.pcap"
    timed = [(NOW_US + STEP_US * index, packet) for index, packet in enumerate(packets)]
    path.write_bytes(pcap(timed) if as_pcap else pcapng(timed))
    return read_capture(path)


def only(recording: Recording) -> RecordedConnection:
    (connection,) = recording.connections
    return connection


def said(connection: RecordedConnection) -> list[tuple[Role, bytes]]:
    return [(pdu.sender, pdu.octets) for pdu in connection.pdus]


@pytest.mark.parametrize("as_pcap", [True, False], ids=["pcap", "pcapng"])
def test_a_session(tmp_path: Path, as_pcap: bool) -> None:
    conversation = Conversation(ESME, SMSC, 5)
    packets = conversation.handshake()
    packets += conversation.data(True, BIND)
    packets += conversation.data(False, BIND_RESP)
    packets += conversation.data(True, SUBMITS[0] + SUBMITS[1][:7])
    packets += conversation.data(True, SUBMITS[1][7:])
    packets += conversation.data(False, RESPONSES[1] + RESPONSES[0])
    packets.append(conversation.end(False))
    packets.append(conversation.end(True))
    recording = read(tmp_path, packets, as_pcap=as_pcap)
    connection = only(recording)
    assert (connection.esme, connection.smsc) == (ESME, SMSC)
    assert said(connection) == [
        (Role.ESME, BIND),
        (Role.SMSC, BIND_RESP),
        (Role.ESME, SUBMITS[0]),
        (Role.ESME, SUBMITS[1]),
        (Role.SMSC, RESPONSES[1]),
        (Role.SMSC, RESPONSES[0]),
    ]
    # A PDU has passed with its last octet; Wireshark counts from 1.
    assert [pdu.packet for pdu in connection.pdus] == [4, 5, 6, 7, 8, 8]
    assert [pdu.utc_us for pdu in connection.pdus] == [NOW_US + STEP_US * n for n in (3, 4, 5, 6, 7, 7)]
    assert (connection.opened_utc_us, connection.opened_by) == (NOW_US, Role.ESME)
    assert (connection.closed_utc_us, connection.closed_by) == (NOW_US + 8 * STEP_US, Role.SMSC)
    assert not connection.reset
    assert (connection.lost_octets, connection.unread_octets) == (0, 0)
    assert (recording.cut_short, recording.other_connections, recording.other_packets) == (False, 0, 0)


def test_what_a_pdu_tells(tmp_path: Path) -> None:
    conversation = Conversation(ESME, SMSC)
    (pdu,) = only(read(tmp_path, conversation.data(True, SUBMITS[0]))).pdus
    assert (pdu.command_id, pdu.command_status, pdu.sequence_number) == (CommandId.SUBMIT_SM, 0, 2)
    assert str(pdu) == "esme submit_sm 2"


@settings(max_examples=100, deadline=None, suppress_health_check=QUIET)
@given(
    number=st.integers(0, 2**32),
    pieces=st.lists(st.integers(1, 400), min_size=1, max_size=12),
    repeated=st.lists(st.integers(0, 200), max_size=8),
    seed=st.integers(0, 2**32),
    reach=st.integers(0, 12),
)
def test_segments_late_twice_and_in_any_order(
    tmp_path: Path, number: int, pieces: list[int], repeated: list[int], seed: int, reach: int
) -> None:
    """Any order of what an ESME sent gives its PDUs; sequence numbers wrap in many of these."""
    conversation = Conversation(ESME, SMSC, number)
    handshake = conversation.handshake()
    octets, packets, at, turn = BIND + b"".join(SUBMITS), [], 0, 0
    while at < len(octets):
        piece = octets[at : at + pieces[turn % len(pieces)]]
        packets += conversation.data(True, piece)
        at, turn = at + len(piece), turn + 1
    packets += [packets[index % len(packets)] for index in repeated]
    chance = random.Random(seed)
    places = [(index + chance.uniform(0, reach), packet) for index, packet in enumerate(packets)]
    packets = [packet for _, packet in sorted(places)]
    connection = only(read(tmp_path, handshake + packets))
    assert said(connection) == [(Role.ESME, pdu) for pdu in (BIND, *SUBMITS)]
    assert (connection.lost_octets, connection.unread_octets) == (0, 0)
    numbers = [pdu.packet for pdu in connection.pdus]
    assert numbers == sorted(numbers)


def test_segments_that_overlap(tmp_path: Path) -> None:
    octets = BIND + SUBMITS[0] + SUBMITS[1]

    packets = Conversation(ESME, SMSC).handshake()
    for start, end in ((0, 30), (10, 50), (45, 60), (20, 55), (60, len(octets)), (5, len(octets))):
        conversation = Conversation(ESME, SMSC)
        conversation.handshake()
        if start:
            list(conversation.data(True, octets[:start]))
        packets += conversation.data(True, octets[start:end])
    assert said(only(read(tmp_path, packets))) == [(Role.ESME, pdu) for pdu in (BIND, SUBMITS[0], SUBMITS[1])]


def test_a_hole_that_nothing_fills(tmp_path: Path) -> None:
    """What the capture missed is counted, and the next PDU is found."""
    conversation = Conversation(ESME, SMSC)
    packets = conversation.handshake()
    packets += conversation.data(True, BIND)
    list(conversation.data(True, SUBMITS[0] + SUBMITS[1][:20]))  # not captured
    packets += conversation.data(True, SUBMITS[1][20:] + SUBMITS[2])
    packets += conversation.data(False, BIND_RESP)
    connection = only(read(tmp_path, packets))
    assert said(connection) == [(Role.ESME, BIND), (Role.ESME, SUBMITS[2]), (Role.SMSC, BIND_RESP)]
    assert connection.lost_octets == len(SUBMITS[0]) + 20
    assert connection.unread_octets == len(SUBMITS[1]) - 20
    assert [pdu.packet for pdu in connection.pdus] == [4, 5, 6]


def test_packets_that_the_capture_cut_off(tmp_path: Path) -> None:
    """tcpdump -s: of each packet the beginning."""
    conversation = Conversation(ESME, SMSC)
    packets = [*conversation.handshake(), *conversation.data(True, BIND + SUBMITS[0])]
    packets[-1] = packets[-1][: -len(SUBMITS[0]) + 20]
    packets += conversation.data(True, SUBMITS[1])
    connection = only(read(tmp_path, packets))
    assert said(connection) == [(Role.ESME, BIND), (Role.ESME, SUBMITS[1])]
    assert (connection.lost_octets, connection.unread_octets) == (len(SUBMITS[0]) - 20, 20)


def test_holes_are_given_up_when_too_much_waits_behind_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "_MAX_EARLY_SEGMENTS", 3)
    conversation = Conversation(ESME, SMSC)
    packets = conversation.handshake()
    (hole,) = conversation.data(True, BIND)
    packets += [packet for pdu in SUBMITS[:5] for packet in conversation.data(True, pdu)]
    connection = only(read(tmp_path, [*packets, hole]))
    assert said(connection) == [(Role.ESME, pdu) for pdu in SUBMITS[:5]]
    assert connection.lost_octets == len(BIND)


def test_a_session_that_was_under_way(tmp_path: Path) -> None:
    conversation = Conversation(ESME, SMSC)
    conversation.handshake()
    packets = [*conversation.data(False, RESPONSES[0][5:] + DELIVER), *conversation.data(True, SUBMITS[0])]
    connection = only(read(tmp_path, packets))
    assert said(connection) == [(Role.SMSC, DELIVER), (Role.ESME, SUBMITS[0])]
    assert (connection.esme, connection.smsc) == (ESME, SMSC)
    assert (connection.opened_utc_us, connection.opened_by, connection.closed_by) == (None, None, None)
    assert connection.unread_octets == len(RESPONSES[0]) - 5


def test_an_outbind(tmp_path: Path) -> None:
    conversation = Conversation(SMSC, ESME)
    packets = conversation.handshake()
    packets += conversation.data(True, numbered(Outbind(system_id="SMSC"), 1))
    packets += conversation.data(False, BIND)
    packets.append(conversation.end(False, reset=True))
    connection = only(read(tmp_path, packets))
    assert (connection.esme, connection.smsc, connection.opened_by) == (ESME, SMSC, Role.SMSC)
    assert (connection.closed_by, connection.reset) == (Role.ESME, True)


@pytest.mark.parametrize(
    ("client", "server", "esme"), [(ESME, SMSC, ESME), (SMSC, ESME, ESME), (ESME, Endpoint("192.0.2.2", 1), ESME)]
)
def test_who_is_the_esme_where_nobody_says_so(
    tmp_path: Path, client: Endpoint, server: Endpoint, esme: Endpoint
) -> None:
    conversation = Conversation(client, server)
    packets = [*conversation.data(True, numbered(EnquireLink(), 1))]
    packets += conversation.data(False, numbered(EnquireLinkResp(), 1))
    assert only(read(tmp_path, packets)).esme == esme


def test_who_is_the_esme_by_an_answer(tmp_path: Path) -> None:
    conversation = Conversation(SMSC, ESME)
    assert only(read(tmp_path, conversation.data(False, SUBMITS[0]))).esme == ESME
    assert only(read(tmp_path, Conversation(ESME, SMSC).data(True, RESPONSES[0]))).esme == SMSC


def test_ports_that_are_used_again(tmp_path: Path) -> None:
    packets = []
    for number in range(3):
        conversation = Conversation(ESME, SMSC, number)
        packets += conversation.handshake()
        packets += conversation.data(True, SUBMITS[number])
        if number == 0:
            packets.append(conversation.end(True))
    recording = read(tmp_path, packets)
    assert [said(connection) for connection in recording.connections] == [[(Role.ESME, pdu)] for pdu in SUBMITS[:3]]


def test_a_syn_sent_twice_is_one_connection(tmp_path: Path) -> None:
    conversation = Conversation(ESME, SMSC)
    syn, syn_ack, ack = conversation.handshake()
    packets = [syn, syn, syn_ack, syn, syn_ack, ack, *conversation.data(True, BIND), syn]
    assert said(only(read(tmp_path, packets))) == [(Role.ESME, BIND)]


def test_several_connections_among_other_things(tmp_path: Path) -> None:
    others = [Conversation(Endpoint("192.0.2.9", port), SMSC) for port in range(3)]
    web = Conversation(ESME, Endpoint("192.0.2.3", 80))
    packets = [*web.handshake(), *web.data(True, b"GET / HTTP/1.1\r\n\r\n"), b"\x45no TCP"]
    for other in others:
        packets += other.handshake()
    for pdu in (BIND, SUBMITS[0]):
        for other in others:
            packets += other.data(True, pdu)
    recording = read(tmp_path, packets)
    assert [connection.esme.port for connection in recording.connections] == [0, 1, 2]
    assert all(len(connection.pdus) == 2 for connection in recording.connections)
    assert (recording.other_connections, recording.other_packets) == (1, 1)


def test_a_pdu_that_lies_about_its_length_costs_no_more_than_itself(tmp_path: Path) -> None:
    conversation = Conversation(ESME, SMSC)
    liar = (7).to_bytes(4, "big") + SUBMITS[0][4:]
    packets = [*conversation.data(True, BIND), *conversation.data(True, liar), *conversation.data(True, SUBMITS[1])]
    connection = only(read(tmp_path, packets))
    assert said(connection) == [(Role.ESME, BIND), (Role.ESME, SUBMITS[1])]
    assert connection.unread_octets == len(liar)


def test_commands_that_no_standard_has_are_pdus_among_others(tmp_path: Path) -> None:
    unknown = BIND[:4] + b"\x00\x01\x02\x03" + BIND[8:]
    packets = Conversation(ESME, SMSC).data(True, BIND + unknown + SUBMITS[0])
    assert [octets for _, octets in said(only(read(tmp_path, packets)))] == [BIND, unknown, SUBMITS[0]]


def test_the_longest_pdu(tmp_path: Path) -> None:
    long = (900_000).to_bytes(4, "big") + SUBMITS[0][4:] + bytes(900_000 - len(SUBMITS[0]))
    connection = only(read(tmp_path, Conversation(ESME, SMSC).data(True, long + SUBMITS[1])))
    assert [len(pdu.octets) for pdu in connection.pdus] == [900_000, len(SUBMITS[1])]


def test_a_capture_that_was_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    conversation = Conversation(ESME, SMSC)
    packets = [*conversation.data(True, BIND), *conversation.data(True, SUBMITS[0])]
    path.write_bytes(pcap([(0, packet) for packet in packets])[:-1])
    recording = read_capture(path)
    assert recording.cut_short
    assert said(only(recording)) == [(Role.ESME, BIND)]


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        pytest.param(pcap([]), "no SMPP in it: 0 packets", id="empty"),
        pytest.param(pcap([(0, b"x")], 147), "link type 147; known are 0, 1, ", id="link type"),
        pytest.param(
            pcap([(0, packet) for packet in Conversation(ESME, SMSC).data(True, b"\x16\x03\x01" * 99)]),
            "1 TCP connections, none of which speaks SMPP in plain octets. What TLS hides",
            id="TLS",
        ),
        pytest.param(b"%PDF", "neither pcap nor pcapng", id="another file"),
    ],
)
def test_what_is_no_capture_of_smpp(tmp_path: Path, octets: bytes, text: str) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(octets)
    with pytest.raises(ValueError, match=text):
        read_capture(path)


def test_more_connections_than_anybody_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "_MAX_CONNECTIONS", 10)
    packets = [Conversation(Endpoint("192.0.2.9", port), SMSC).handshake()[0] for port in range(11)]
    with pytest.raises(ValueError, match="more than 10 TCP connections"):
        read(tmp_path, packets)


@settings(max_examples=200, deadline=None, suppress_health_check=QUIET)
@given(
    changes=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 120), st.integers(0, 255)), max_size=6),
    order=st.permutations(range(12)),
)
def test_no_packets_harm(tmp_path: Path, changes: list[tuple[int, int, int]], order: list[int]) -> None:
    """Any damage to headers and octets gives a recording or a ValueError."""
    conversation = Conversation(ESME, SMSC)
    packets = [bytearray(packet) for packet in conversation.handshake()]
    for number in range(4):
        packets += [bytearray(packet) for packet in conversation.data(True, SUBMITS[number])]
        packets += [bytearray(packet) for packet in conversation.data(False, RESPONSES[number])]
    packets.append(bytearray(conversation.end(True)))
    for which, position, octet in changes:
        packets[which][position % len(packets[which])] = octet
    try:
        recording = read(tmp_path, [bytes(packets[index]) for index in order])
    except ValueError as refused:
        assert "no SMPP in it" in str(refused)
    else:
        assert all(len(pdu.octets) >= 16 for connection in recording.connections for pdu in connection.pdus)
