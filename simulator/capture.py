"""All that passes between the simulator and its ESMEs, as a pcapng file that Wireshark opens.

One `Capture` owns the file, one `Tape` stands at each connection and hands over its octets as they are read and
written: those inside TLS, not the encrypted ones. What is captured waits in memory for FLUSH_S at most and goes out
in one write. A file that cannot be written any more ends the capture, with a line in the log and the number of
packets lost, and nothing else.

Owns the file and the times; the layout of packets and blocks stands in packets.py and pcapng.py. Refuses to know
what the octets mean.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from simulator.agenda import Agenda
from simulator.borders import next_border
from simulator.packets import MAX_DATA_OCTETS, Conversation, Endpoint
from simulator.pcapng import MAGIC, opening, packet_block

logger = logging.getLogger("simulator")

SUFFIX: Final = ".pcapng"
#: How long a packet may wait for others to be written with it.
FLUSH_S: Final = 0.05
#: Written at once when so many octets wait.
FLUSH_OCTETS: Final = 1_048_576
#: A pipe whose reader is so far behind ends the capture: the simulator waits for nobody.
MAX_WAITING_OCTETS: Final = 33_554_432

#: Where connections without addresses are shown: memory streams of tests. 2775 is the port that tools know as SMPP.
MADE_UP_SMSC: Final = Endpoint("127.0.0.1", 2775)
_FIRST_MADE_UP_PORT: Final = 49_152
_DESCRIPTION: Final = (
    "what the SMSC and its ESMEs said, inside TLS where there was any; IP and TCP headers are made up"
)


def check_name(path: Path) -> str:
    """What is wrong with the name of a capture file, empty when nothing is.

    A file that does not exist yet must be called .pcapng: whoever may give orders could otherwise write anything
    anywhere.
    """
    if path.suffix == SUFFIX or path.exists():
        return ""
    return f"{str(path)!r} is no name for a capture; call it {path.name or 'capture'}{SUFFIX}"


class Capture:
    """A capture that has begun; `close` ends it. Not for several threads.

    A file that was a capture is written over, any other is left alone. A named pipe with a reader (`mkfifo`, then
    `wireshark -k -i PIPE`) shows the packets as they come. Raises OSError when the file cannot be written, and
    ValueError when check_name finds fault with it.
    """

    def __init__(self, path: Path, agenda: Agenda) -> None:
        self.path = path
        self.packets = 0
        self.octets = 0  # of the sessions, without headers
        self.lost_packets = 0
        self.failure = ""  # why nothing is written any more
        self._agenda = agenda
        self._clock = clock = agenda.clock  # as in receipts and in the ledger: with what was skipped
        self._descriptor = _open(path)
        self._waiting = bytearray(opening("smppgw-simulator", "smpp", _DESCRIPTION))
        self._waiting_packets = 0
        self._whole_octets = 0  # the file up to the last block that is whole
        self._flush_entered = False
        # The wall clock knows milliseconds and may be set; between two looks at it the other clock tells the time.
        self._began_utc_us = clock.utc_ms() * 1000
        self._began_mono = clock.mono()
        self.flush()
        if self.failure:
            raise OSError(errno.EIO, self.failure, str(path))

    @property
    def open(self) -> bool:
        return self._descriptor is not None

    def writes(self, path: Path) -> bool:
        """Whether this is the file that is being written."""
        return self.open and path.exists() and path.samefile(self.path)

    def tape(
        self,
        number: int,
        addresses: tuple[Endpoint, Endpoint] | None,
        *,
        called_out: bool = False,
        late: bool = False,
        system_id: str = "",
    ) -> Tape:
        """The tape for a connection: `addresses` are ours and the ESME's, None where it has none.

        `called_out`: we opened it. `late`: it is older than the capture; `system_id` is its ESME then, if bound.
        """
        ours, theirs = addresses or (MADE_UP_SMSC, _made_up_esme(number))
        client, server = (ours, theirs) if called_out else (theirs, ours)
        tape = Tape(self, Conversation(client, server, number), number, called_out)
        tape.begin(late, system_id)
        return tape

    def counts(self) -> dict[str, Any]:
        """What there is to tell, as JSON can carry it."""
        counts = {
            "file": str(self.path),
            "open": self.open,
            "packets": self.packets,
            "octets": self.octets,
            "lost_packets": self.lost_packets,
        }
        return counts | ({"failure": self.failure} if self.failure else {})

    def record(self, packets: Iterable[bytes], octets: int = 0, comment: str = "") -> None:
        """Enters packets that carry so many octets; `comment` stands at the first of them."""
        if self._descriptor is None:
            if self.failure:
                self.lost_packets += max(1, -(-octets // MAX_DATA_OCTETS))  # without making them
            return
        utc_us = self._began_utc_us + round((self._clock.mono() - self._began_mono) * 1_000_000)
        for packet in packets:
            self._waiting += packet_block(utc_us, packet, comment)
            self._waiting_packets += 1
            comment = ""
        self.octets += octets
        if len(self._waiting) >= FLUSH_OCTETS:
            self.flush()
        elif not self._flush_entered:
            self._flush_entered = True
            self._agenda.at(self._clock.mono() + FLUSH_S, self._flush_due)

    def flush(self) -> None:
        """Writes what waits; what a pipe does not take now stays for the next time."""
        if self._descriptor is None:
            return
        try:
            while self._waiting:
                written = os.write(self._descriptor, self._waiting)
                del self._waiting[:written]
        except BlockingIOError:
            if len(self._waiting) > MAX_WAITING_OCTETS:
                self._fail(f"its reader is {len(self._waiting)} octets behind")
            return
        except OSError as failed:
            self._fail(str(failed))
            return
        self.packets += self._waiting_packets
        self._waiting_packets = 0
        with suppress(OSError):  # a pipe has no position
            self._whole_octets = os.lseek(self._descriptor, 0, os.SEEK_CUR)

    def close(self) -> None:
        """Writes what waits and closes the file."""
        self.flush()
        if self._descriptor is not None and self._waiting:
            self._fail(f"its reader is {len(self._waiting)} octets behind")
        self._release()

    def _flush_due(self, _nothing: object) -> None:
        self._flush_entered = False
        self.flush()
        if self._waiting and self._descriptor is not None:
            self._flush_entered = True
            self._agenda.at(self._clock.mono() + FLUSH_S, self._flush_due)

    def _fail(self, why: str) -> None:
        self.failure = why
        self.lost_packets += self._waiting_packets
        logger.error(
            "the capture %s ends: %s. The simulator goes on; %d packets are in the file", self.path, why, self.packets
        )
        assert self._descriptor is not None
        with suppress(OSError):  # half a block at the end would make tools complain
            os.ftruncate(self._descriptor, self._whole_octets)
        self._release()

    def _release(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        self._waiting.clear()
        self._waiting_packets = 0
        if descriptor is not None:
            try:
                os.close(descriptor)
            except OSError as failed:  # file systems over the network tell only now that they were full
                self.failure = str(failed)
                logger.error("the capture %s may lack its end: %s", self.path, failed)


class Tape:
    """What is captured of one connection. It may outlive its capture.

    One that begins late leaves out the octets of the ESME up to the next PDU: half a PDU would spoil all behind it.
    """

    __slots__ = (
        "_by_us",
        "_capture",
        "_conversation",
        "_ended",
        "_in_step",
        "_name",
        "_named",
        "_over",
        "_unsure_octets",
    )

    def __init__(self, capture: Capture, conversation: Conversation, number: int, called_out: bool) -> None:
        self._capture = capture
        self._conversation = conversation
        self._by_us = called_out
        self._name = f"connection {number}"
        self._named = False
        self._unsure_octets = 0
        self._ended = False  # by the ESME
        self._over = False
        self._in_step = True

    def begin(self, late: bool, system_id: str) -> None:
        """The connection stands, or is found standing."""
        self._in_step = not late
        comment = self._called(system_id) if system_id else self._name
        if late:
            comment += ": the capture began later than the connection"
        self._capture.record(self._conversation.handshake(), comment=comment)

    def received(self, data: bytes | bytearray) -> None:
        """Octets of the ESME have been read; none: it has closed its end."""
        if data and not self._in_step:
            border = next_border(data)
            if border < 0:
                return
            self._in_step = True
            data = data[border:]
        if data:
            self._capture.record(self._conversation.data(not self._by_us, data), len(data))
        elif not self._ended:  # the end of a stream can be read again and again
            self._ended = True
            self._capture.record([self._conversation.end(not self._by_us)])

    def broken(self) -> None:
        """The ESME, or the network, has dropped the connection."""
        self._ended = True
        self._capture.record([self._conversation.end(not self._by_us, reset=True)], comment=self._name)
        self._over = True

    def sending(self, data: bytes | bytearray, system_id: str) -> None:
        """Octets are about to be written, before the ESME can react to them."""
        self._unsure_octets = len(data)
        comment = "" if self._named or not system_id else self._called(system_id)
        self._capture.record(self._conversation.data(self._by_us, data), len(data), comment)

    def sent(self) -> None:
        """They have been."""
        self._unsure_octets = 0

    def closed(self) -> None:
        """We have closed our end, where the connection still stands."""
        if self._over:
            return
        self._over = True
        comment = self._name
        if self._unsure_octets:
            comment += f": cut while {self._unsure_octets} octets were being written, which may not all have left"
        self._capture.record([self._conversation.end(self._by_us)], comment=comment)

    def _called(self, system_id: str) -> str:
        self._named = True
        self._name += f", system_id {system_id!r}"
        return self._name


def _made_up_esme(number: int) -> Endpoint:
    return Endpoint("127.0.0.1", _FIRST_MADE_UP_PORT + number % (65_536 - _FIRST_MADE_UP_PORT))


def _open(path: Path) -> int | None:
    wrong = check_name(path)
    if wrong:
        raise ValueError(wrong)
    try:
        kind = path.stat().st_mode
    except FileNotFoundError:
        kind = stat.S_IFREG
    if not stat.S_ISREG(kind):
        return _open_special(path)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        if os.read(descriptor, len(MAGIC)) not in (b"", MAGIC):
            raise FileExistsError(
                errno.EEXIST, "is a file of another kind; name one that may be written over", str(path)
            )
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _open_special(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as failed:
        if failed.errno == errno.ENXIO:  # fifo(7): opened for writing, without a reader
            raise OSError(
                errno.ENXIO, "nobody reads this pipe; start wireshark -k -i PIPE first", str(path)
            ) from None
        raise
