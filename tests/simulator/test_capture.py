"""Captures of a running simulator: a strict reader, read_capture and tshark agree about every octet."""

from __future__ import annotations

import os
import resource
import signal
import socket
import ssl
import stat
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from simulator import SimulatorSettings, Smsc
from simulator.agenda import Agenda
from simulator.capture import MADE_UP_SMSC, MAX_WAITING_OCTETS, Capture, check_name
from simulator.cli import main
from simulator.control import ORDERS, BadOrder
from simulator.packets import FIN, RST, Endpoint
from simulator.quirks import STRAIGHT, TlsQuirks
from simulator.recordings import RecordedConnection, read_capture
from smppgw.clock import Clock
from smppgw.errors import ConfigError
from smppgw.smpp import (
    BindTransceiver,
    CommandId,
    DeliverSm,
    Outbind,
    Role,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    encode,
)
from tests.support.certificates import Authority
from tests.support.clock import VirtualClock

from .esme import Esme, bound, serving, submit_sm
from .pcaps import complaints, needs_tshark, read_strictly, streams_of, tshark

START_UTC_US = 1_767_225_600_000_000  # of VirtualClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.pcapng"


class Listening(Esme):
    """An ESME that remembers what it has sent and what it has read, octet by octet."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        super().__init__(stream)
        self.sent = bytearray()

    async def send(self, *pdus: Any) -> None:
        await super().send(*pdus)
        self.sent += b"".join(map(encode, pdus))

    @property
    def received(self) -> bytes:
        return b"".join(self.frames)


@asynccontextmanager
async def over_tcp(
    settings: SimulatorSettings, client: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Smsc, Listening]]:
    """A simulator behind a real port, and an ESME that has not bound yet."""
    smsc = Smsc(settings)
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            port = await nursery.start(smsc.serve)
            if client is None:
                stream: trio.abc.Stream = await trio.open_tcp_stream(settings.host, port)
            else:
                stream = await trio.open_ssl_over_tcp_stream(settings.host, port, ssl_context=client)
            yield smsc, Listening(stream)
            await smsc.wait_until(lambda: not smsc.links)
            nursery.cancel_scope.cancel()
    assert smsc.stats.session_failures == 0


async def talk(esme: Listening) -> None:
    """A bind, two submits with receipts, a long submit in several packets, an unbind."""
    assert await esme.bind("alice") == 0
    for _ in range(2):
        await esme.submit(registered_delivery=1)
        await esme.acknowledge(await esme.expect(DeliverSm))
    await esme.send(*[submit_sm(text=b"x" * 200) for _ in range(900)])
    for _ in range(900):
        await esme.expect(SubmitSmResp)
    await esme.send(Unbind())
    await esme.expect(UnbindResp)
    await esme.stream.aclose()


COUNTS = {
    CommandId.BIND_TRANSCEIVER: 1,
    CommandId.SUBMIT_SM: 902,
    CommandId.DELIVER_SM_RESP: 2,
    CommandId.UNBIND: 1,
    CommandId.BIND_TRANSCEIVER_RESP: 1,
    CommandId.SUBMIT_SM_RESP: 902,
    CommandId.DELIVER_SM: 2,
    CommandId.UNBIND_RESP: 1,
}


def same_as_said(connection: RecordedConnection, esme: Listening) -> None:
    """What the capture holds is what the ESME has sent and read."""
    for role, octets in ((Role.ESME, bytes(esme.sent)), (Role.SMSC, esme.received)):
        assert b"".join(pdu.octets for pdu in connection.pdus if pdu.sender is role) == octets
    assert (connection.lost_octets, connection.unread_octets) == (0, 0)
    assert connection.opened_by is Role.ESME
    assert connection.closed_by is not None


def counted(path: Path) -> dict[int, int]:
    """command_id -> how many PDUs of it tshark finds."""
    counts: dict[int, int] = {}
    for (row,) in tshark(path, "smpp.command_id", only="smpp"):
        for command_id in row.split(","):
            counts[int(command_id, 0)] = counts.get(int(command_id, 0), 0) + 1
    return counts


# ---------------------------------------------------------------------------------------------------------------- #
# Over real sockets
# ---------------------------------------------------------------------------------------------------------------- #


def free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_every_octet_of_a_session(path: Path, host: str) -> None:
    async with over_tcp(SimulatorSettings(host=host, port=free_port(host), capture=path)) as (smsc, esme):
        assert isinstance(esme.stream, trio.SocketStream)
        ours, theirs = esme.stream.socket.getsockname()[:2], esme.stream.socket.getpeername()[:2]
        await talk(esme)
    packets = read_strictly(path)
    assert streams_of(packets) == {ours: bytes(esme.sent), theirs: esme.received}
    recording = read_capture(path)
    (connection,) = recording.connections
    same_as_said(connection, esme)
    assert (connection.esme, connection.smsc) == (ours, theirs)
    times = [packet.utc_us for packet in packets]
    assert times == sorted(times)
    assert smsc.summary()["capture"] == {
        "file": str(path),
        "open": False,
        "packets": len(packets),
        "octets": len(esme.sent) + len(esme.received),
        "lost_packets": 0,
    }


@needs_tshark
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_tshark_finds_every_pdu_and_nothing_wrong(path: Path, host: str) -> None:
    """At a port that nobody knows as SMPP: Wireshark tells by what is said."""
    async with over_tcp(SimulatorSettings(host=host, port=free_port(host), capture=path)) as (_smsc, esme):
        await talk(esme)
    assert counted(path) == COUNTS
    assert complaints(path) == []
    assert tshark(path, "tcp.stream", "tcp.flags.syn", only="tcp.flags.syn == 1") == [["0", "1"], ["0", "1"]]
    number = read_capture(path).connections[0].comments[0]
    assert number.startswith("connection ")
    assert [comment for (comment,) in tshark(path, "frame.comment", only="frame.comment")] == [
        number,
        f"{number}, system_id 'alice'",
        f"{number}, system_id 'alice'",
    ]


@pytest.mark.parametrize("judge", ["reader", pytest.param("tshark", marks=needs_tshark)])
async def test_tls_shows_what_was_said(path: Path, tmp_path: Path, judge: str) -> None:
    authority = Authority(tmp_path)
    tls = replace(STRAIGHT, tls=TlsQuirks(cert_file=authority.issue("127.0.0.1")))
    trusting = ssl.create_default_context(cafile=str(authority.ca_file))
    async with over_tcp(SimulatorSettings(capture=path, quirks=tls), trusting) as (_smsc, esme):
        await talk(esme)
    (connection,) = read_capture(path).connections
    same_as_said(connection, esme)
    assert isinstance(esme.stream, trio.SSLStream)
    read_strictly(path)
    if judge == "tshark":
        assert counted(path) == COUNTS
        assert complaints(path) == []


async def test_an_outbind_is_a_connection_of_ours(path: Path) -> None:
    smsc = Smsc(SimulatorSettings(capture=path))
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            await nursery.start(smsc.serve, [])
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            async with listener:
                port = listener.socket.getsockname()[1]
                nursery.start_soon(smsc.serve_outbound, await trio.open_tcp_stream("127.0.0.1", port))
                esme = Esme(await listener.accept())
            await esme.expect(Outbind)
            await esme.bind()
            await esme.send(Unbind())
            await esme.wait_end()
            await esme.stream.aclose()
            nursery.cancel_scope.cancel()
    (connection,) = read_capture(path).connections
    assert connection.opened_by is Role.SMSC
    assert connection.esme == Endpoint("127.0.0.1", port)
    assert connection.pdus[0].command_id == CommandId.OUTBIND


async def test_an_esme_that_drops_the_connection(path: Path) -> None:
    async with over_tcp(SimulatorSettings(capture=path)) as (_smsc, esme):
        assert await esme.bind() == 0
        assert isinstance(esme.stream, trio.SocketStream)
        esme.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await esme.stream.aclose()
    (connection,) = read_capture(path).connections
    assert (connection.reset, connection.closed_by) == (True, Role.ESME)
    assert [packet.flags & (FIN | RST) for packet in read_strictly(path)][-2:] == [0, RST]


async def test_each_end_closes_once(path: Path) -> None:
    async with over_tcp(SimulatorSettings(capture=path)) as (_smsc, esme):
        assert await esme.bind() == 0
        await esme.stream.aclose()
    ends = [(packet.flags & (FIN | RST), packet.source) for packet in read_strictly(path)]
    (connection,) = read_capture(path).connections
    assert ends[-2:] == [(FIN, connection.esme), (FIN, connection.smsc)]
    assert len([flags for flags, _ in ends if flags]) == 2


# ---------------------------------------------------------------------------------------------------------------- #
# Through memory
# ---------------------------------------------------------------------------------------------------------------- #


async def test_connections_without_addresses_are_shown_at_the_port_of_smpp(
    path: Path, autojump_clock: MockClock
) -> None:
    async with serving(capture=path) as (_smsc, connect):
        for name in ("alice", "bob"):
            esme = await connect()
            assert await esme.bind(name) == 0
            await esme.send(Unbind())
            await esme.expect(UnbindResp)
            await esme.stream.aclose()
            await trio.sleep(1)
    connections = read_capture(path).connections
    assert [connection.smsc for connection in connections] == [MADE_UP_SMSC] * 2
    assert len({connection.esme for connection in connections}) == 2
    assert [connection.comments[1].partition(", ")[2] for connection in connections] == [
        "system_id 'alice'",
        "system_id 'bob'",
    ]


async def test_the_times_are_those_of_the_simulator(path: Path, autojump_clock: MockClock) -> None:
    async with bound(capture=path) as (smsc, esme):
        await trio.sleep(1.5)
        await esme.submit()
        smsc.advance(3 * 86_400)
        await esme.submit()
    bind, _, submit, response, late, _ = read_capture(path).connections[0].pdus
    assert bind.utc_us == START_UTC_US
    assert (submit.utc_us, response.utc_us) == (START_UTC_US + 1_500_000,) * 2
    assert late.utc_us == START_UTC_US + (3 * 86_400 + 1) * 1_000_000 + 500_000


async def test_what_is_said_is_in_the_file_soon(path: Path, autojump_clock: MockClock) -> None:
    """A simulator that is killed loses a twentieth of a second."""
    async with bound(capture=path) as (_smsc, esme):
        await esme.submit()
        await trio.sleep(0.06)
        assert [pdu.command_id for pdu in read_capture(path).connections[0].pdus][2:] == [
            CommandId.SUBMIT_SM,
            CommandId.SUBMIT_SM_RESP,
        ]
        read_strictly(path)


async def test_without_a_capture_there_is_no_tape(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, _esme):
        assert smsc.links[0].tape is None
        assert "capture" not in smsc.summary()


async def test_it_begins_and_ends_while_traffic_runs(path: Path, autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        await esme.submit(text=b"before")
        assert smsc.capture(path) == {}
        await esme.submit(text=b"during")
        ended = smsc.capture(None)
        assert (ended["packets"], ended["open"]) == (5, False)  # a handshake, a submit, its response
        assert smsc.links[0].tape is None
        await esme.submit(text=b"after")
        assert smsc.capture(None) == {}
    packets = read_strictly(path)
    assert packets[0].comment.endswith("system_id 'alice': the capture began later than the connection")
    (submit, _response) = read_capture(path).connections[0].pdus
    assert b"during" in submit.octets


async def test_one_that_begins_within_a_pdu_begins_with_the_next(path: Path, autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        pdus = [submit_sm(sequence_number=number, short_message=b"%d" % number) for number in (5, 6)]
        first, second = map(encode, pdus)
        await esme.stream.send_all(first[:20])
        await trio.sleep(1)
        smsc.capture(path)
        await esme.stream.send_all(first[20:40])
        await trio.sleep(1)
        await esme.stream.send_all(first[40:] + second)
        for _ in range(2):
            await esme.expect(SubmitSmResp)
    octets, _ = streams_of(read_strictly(path)).values()
    assert octets == second


async def test_another_file_follows_the_first(path: Path, tmp_path: Path, autojump_clock: MockClock) -> None:
    async with bound(capture=path) as (smsc, esme):
        with pytest.raises(ValueError, match="being written already"):
            smsc.capture(path)
        await esme.submit(text=b"one")
        assert smsc.capture(str(tmp_path / "y.pcapng"))["file"] == str(path)
        with pytest.raises(FileNotFoundError):
            smsc.capture(tmp_path / "none" / "z.pcapng")
        await esme.submit(text=b"two")
    said = [
        [pdu.octets for pdu in read_capture(file).connections[0].pdus if pdu.command_id == CommandId.SUBMIT_SM]
        for file in (path, tmp_path / "y.pcapng")
    ]
    assert [b"one" in octets[0] for octets in said] == [True, False]
    assert [len(octets) for octets in said] == [1, 1]


async def test_a_cut_tells_what_may_not_have_left(path: Path, autojump_clock: MockClock) -> None:
    """An ESME that does not read its answer: the write never ends."""
    async with serving(capture=path) as (smsc, _connect):
        ours, theirs = trio.testing.lockstep_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(smsc.serve_stream, theirs)
            esme = Esme(ours)
            assert await esme.bind() == 0
            await esme.send(submit_sm())
            await smsc.wait_until(lambda: smsc.stats.submits == 1)
            await trio.sleep(1)
            smsc.cut()
            await trio.sleep(1)
        last = read_strictly(path)[-1]
    response = len(encode(SubmitSmResp(message_id="1000")))
    assert last.flags & FIN
    assert last.comment.endswith(f": cut while {response} octets were being written, which may not all have left")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(st.one_of(st.binary(min_size=1, max_size=60), st.integers(1, 200)), max_size=15),
    cut_into=st.integers(1, 300),
)
def test_whatever_is_sent_is_captured(tmp_path: Path, pieces: list[bytes | int], cut_into: int) -> None:
    """Good PDUs and garbage in any pieces: the strict reader finds what was sent and what was answered."""
    path = tmp_path / "x.pcapng"
    octets = encode(BindTransceiver(sequence_number=1, system_id="alice")) + b"".join(
        piece if isinstance(piece, bytes) else encode(SubmitSm(sequence_number=2, short_message=bytes(piece)))
        for piece in pieces
    )
    sent = bytearray()

    async def scenario() -> Esme:
        async with serving(capture=path, session_init_s=5.0) as (_smsc, connect):
            esme = await connect()
            try:
                for start in range(0, len(octets), cut_into):
                    await esme.stream.send_all(octets[start : start + cut_into])
                    sent.extend(octets[start : start + cut_into])
            except trio.BrokenResourceError:
                pass  # it has been cut already
            await trio.sleep(1)
            with trio.move_on_after(1):
                await esme.wait_end()
            return esme

    esme = trio.run(scenario, clock=MockClock(autojump_threshold=0))
    streams = streams_of(read_strictly(path))
    assert streams[tuple(MADE_UP_SMSC)] == b"".join(esme.frames)
    (captured,) = (stream for end, stream in streams.items() if end != tuple(MADE_UP_SMSC))
    assert octets.startswith(captured)
    assert len(captured) == len(sent) or esme.ended


# ---------------------------------------------------------------------------------------------------------------- #
# The file
# ---------------------------------------------------------------------------------------------------------------- #


def a_capture(path: Path) -> Capture:
    return Capture(path, Agenda(Clock()))


async def begun(path: Path) -> None:
    a_capture(path).close()


def test_a_file_of_another_kind_is_left_alone(path: Path) -> None:
    path.write_text("my only copy")
    with pytest.raises(FileExistsError, match="is a file of another kind"):
        trio.run(begun, path)
    assert path.read_text() == "my only copy"


def test_a_capture_of_before_is_written_over(path: Path) -> None:
    sizes = []
    for _ in range(2):
        trio.run(begun, path)
        sizes.append(path.stat().st_size)
    assert read_strictly(path) == []
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.pcap", "call it x.pcap.pcapng"),
        ("authorized_keys", "call it authorized_keys.pcapng"),
        (".pcapng", "call it .pcapng.pcapng"),
    ],
)
async def test_a_new_file_must_be_called_pcapng(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        a_capture(tmp_path / name)
    assert not (tmp_path / name).exists()
    with pytest.raises(ConfigError, match="is no name for a capture"):
        SimulatorSettings(capture=tmp_path / name)


def test_names_that_are_good(tmp_path: Path) -> None:
    existing = tmp_path / "x"
    existing.touch()
    assert [check_name(name) for name in (tmp_path / "x.pcapng", existing, Path("/dev/null"))] == ["", "", ""]


async def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="null byte"):
        a_capture(tmp_path / "\0.pcapng")


async def test_a_simulator_whose_capture_cannot_be_written_does_not_start(tmp_path: Path) -> None:
    smsc = Smsc(SimulatorSettings(capture=tmp_path / "none" / "x.pcapng"))
    with pytest.raises(FileNotFoundError):
        await smsc.serve([])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
async def test_a_disk_that_is_full_at_once() -> None:
    with pytest.raises(OSError, match="No space left"):
        a_capture(Path("/dev/full"))


async def test_a_disk_that_fills_up_ends_the_capture_and_nothing_else(
    path: Path, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """What was written before can be opened: half a block is taken back."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        async with bound(capture=path) as (smsc, esme):
            await trio.sleep(1)
            size = os.path.getsize(path)  # noqa: PTH202, ASYNC240
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 150, before[1]))
            await esme.submit()
            await trio.sleep(1)
            await esme.submit()
            await trio.sleep(1)
            counts = smsc.summary()["capture"]
            assert smsc.capture(None) == counts
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert (counts["packets"], counts["lost_packets"], counts["open"]) == (5, 4, False)
    assert "File too large" in counts["failure"]
    assert os.path.getsize(path) == size  # noqa: PTH202, ASYNC240
    assert len(read_strictly(path)) == 5
    assert [record.getMessage() for record in caplog.records] == [
        f"the capture {path} ends: {counts['failure']}. The simulator goes on; 5 packets are in the file"
    ]


async def test_a_pipe_with_a_reader(tmp_path: Path, autojump_clock: MockClock) -> None:
    """wireshark -k -i PIPE: packets as they come."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        async with bound(capture=pipe) as (_smsc, _esme):
            await trio.sleep(1)
            (tmp_path / "x.pcapng").write_bytes(os.read(reader, 65_536))
            assert stat.S_ISFIFO(pipe.stat().st_mode)
    finally:
        os.close(reader)
    assert [pdu.command_id for pdu in read_capture(tmp_path / "x.pcapng").connections[0].pdus] == [
        CommandId.BIND_TRANSCEIVER,
        CommandId.BIND_TRANSCEIVER_RESP,
    ]


async def test_a_pipe_whose_reader_goes(tmp_path: Path, autojump_clock: MockClock) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    async with bound(capture=pipe) as (smsc, esme):
        os.close(reader)
        await esme.submit()
        await trio.sleep(1)
        assert "Broken pipe" in smsc.summary()["capture"]["failure"]
        await esme.submit()


async def test_a_pipe_that_nobody_reads(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="nobody reads this pipe"):
        a_capture(tmp_path / "pipe")


async def test_a_pipe_whose_reader_is_slow_gets_all_and_one_that_stops_ends_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """What the pipe does not take waits; more than MAX_WAITING_OCTETS of it do not."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    agenda = Agenda(VirtualClock())
    try:
        capture = Capture(pipe, agenda)
        got = bytearray(os.read(reader, 1_000_000))
        for number in range(40):
            capture.record([bytes([number]) * 10_000])
        capture.flush()
        assert capture.packets < 40
        while chunk := reading(reader):
            got += chunk
            await trio.sleep(0.1)
            agenda.run_due(agenda.clock.mono())
        assert capture.packets == 40
        for _ in range(MAX_WAITING_OCTETS // 1_000_000 + 2):
            capture.record([bytes(1_000_000)])
        assert "octets behind" in capture.failure
        assert not capture.open
        assert capture.lost_packets >= MAX_WAITING_OCTETS // 1_000_000
    finally:
        os.close(reader)
    assert len(got) > 400_000


def reading(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except BlockingIOError:
        return b""


def test_the_option(path: Path, tmp_path: Path) -> None:
    refused = CliRunner().invoke(main, ["--capture", str(tmp_path / "x.txt")])
    assert refused.exit_code == 2
    assert "call it x.txt.pcapng" in refused.output
    cannot = CliRunner().invoke(main, ["--port", "0", "--capture", str(tmp_path / "none" / "x.pcapng")])
    assert cannot.exit_code == 1
    assert "No such file or directory" in cannot.output


async def test_the_order(path: Path, autojump_clock: MockClock) -> None:
    takes = ORDERS["capture"].takes["file"]
    assert str in takes
    assert type(None) in takes
    async with bound() as (smsc, esme):
        assert ORDERS["capture"].run(smsc, {"file": str(path)}) == {}
        await esme.submit()
        ended = ORDERS["capture"].run(smsc, {"file": None})
        assert isinstance(ended, dict)
        assert (ended["file"], ended["packets"]) == (str(path), 5)
        with pytest.raises(BadOrder, match=r"call it x\.txt\.pcapng"):
            ORDERS["capture"].run(smsc, {"file": "x.txt"})


#: A connection whose SMSC begins within 50,000 octets of 2^32.
WRAPPING = next(n for n in range(1, 10**6) if 1 < n * 0x9E3779B1 % 2**32 < 50_000)


@needs_tshark
async def test_a_long_session_wraps_its_numbers_and_tshark_follows(path: Path) -> None:
    """More than 2^32 octets would take hours: the numbers begin shortly before."""
    capture = a_capture(path)
    tape = capture.tape(WRAPPING, None)
    octets = b"".join(encode(SubmitSmResp(sequence_number=n, message_id=str(n))) for n in range(1, 5000))
    for start in range(0, len(octets), 50_000):
        tape.sending(octets[start : start + 50_000], "alice")
        tape.sent()
    tape.closed()
    capture.close()
    assert complaints(path) == []
    assert counted(path) == {CommandId.SUBMIT_SM_RESP: 4999}
    packets = read_strictly(path)
    assert packets[1].sequence > 2**32 - 50_000
    assert packets[-1].sequence < 200_000
