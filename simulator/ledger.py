"""What was received and what was acknowledged: bounded in memory, JSON lines on disk.

The file is what tests compare a gateway's own records with, so it holds every submit_sm that came (refused ones too)
and every acknowledged deliver_sm. Lines of one batch are written together and handed to the operating system at
once; an interrupted run loses none that came before the last batch. Refuses to know sessions.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

from simulator.reading import STRAIGHT_READER, Reader, Reading, content_of
from smppgw.smpp import DataSm, SubmitMulti, SubmitSm

_encode = json.JSONEncoder(separators=(",", ":")).encode

T = TypeVar("T")

#: Most octets in the TLVs of the submits that are remembered.
REMEMBERED_OCTETS = 67_108_864


class Submit:
    """One submit as it came. `status` is the answer, `message_id` empty where it was refused."""

    __slots__ = ("_reader", "destination", "message_id", "pdu", "status", "system_id", "utc_ms")

    def __init__(
        self,
        utc_ms: int,
        system_id: str,
        message_id: str,
        status: int,
        destination: str,
        pdu: SubmitSm | DataSm | SubmitMulti,
        reader: Reader = STRAIGHT_READER,
    ) -> None:
        self._reader = reader
        self.utc_ms = utc_ms
        self.system_id = system_id
        self.message_id = message_id
        self.status = status
        self.destination = destination
        self.pdu = pdu

    @property
    def source(self) -> str:
        address: str = self.pdu.source_addr
        return address

    @property
    def octets(self) -> bytes:
        """The user data, with its UDH."""
        return content_of(self.pdu)

    @property
    def text(self) -> str:
        """The user data decoded, without its UDH, as a phone shows it."""
        return self.reading.text

    @property
    def reading(self) -> Reading:
        """What it says, and how that was told."""
        return self._reader.read(self.pdu)

    @property
    def reader(self) -> Reader:
        """How this SMSC reads user data."""
        return self._reader

    @property
    def schedule(self) -> str:
        """schedule_delivery_time, empty for at once; data_sm has none."""
        return "" if isinstance(self.pdu, DataSm) else self.pdu.schedule_delivery_time

    def line(self) -> dict[str, Any]:
        """All of it that JSON can carry."""
        line = {
            "kind": "submit",
            "utc_ms": self.utc_ms,
            "system_id": self.system_id,
            "message_id": self.message_id,
            "status": self.status,
            "source": self.source,
            "destination": self.destination,
            "data_coding": self.pdu.data_coding,
            "esm_class": self.pdu.esm_class,
            "registered_delivery": self.pdu.registered_delivery,
            "octets": self.octets.hex(),
            **self.reading.as_json(),
        }
        if self.schedule:
            line["schedule_delivery_time"] = self.schedule
        return line


class Visit(NamedTuple):
    """One connection of an ESME, once it has ended. `bind_status` is None where it asked for no bind."""

    number: int
    system_id: str
    kind: str
    interface_version: int | None
    connected_utc_ms: int
    bind_status: int | None
    submits: int
    reason: str  # a CloseReason


class Ack(NamedTuple):
    """A deliver_sm that the ESME has acknowledged: `kind` is that of messages.Kind with `_acked` behind it.

    `source` and `destination` are those of the message where it was a report, otherwise its own. `state` is the one
    reported, empty for an inbound text.
    """

    kind: str
    utc_ms: int
    system_id: str
    message_id: str
    state: str
    source: str = ""
    destination: str = ""

    def line(self) -> dict[str, Any]:
        """All of it."""
        return self._asdict()


class Ledger:
    """The newest `remembered` submits in `submits`, as many of the newest acknowledgements in `acks`, and all of
    them in the file where there is one.

    `entered` and `acknowledged` count them: the newest submit is number `entered`, the one before it one less.
    Raises OSError when the file cannot be opened, written or closed.
    """

    def __init__(self, path: Path | None, remembered: int) -> None:
        self.submits: deque[Submit] = deque(maxlen=remembered)
        self._heavy: deque[tuple[int, int]] = deque()  # number and octets of those with TLVs
        self._octets = 0
        self.entered = 0
        self.acknowledged = 0
        self._acks: deque[tuple[str, int, str, str, str, str, str]] = deque(maxlen=remembered)  # fields of Ack
        self._file: IO[str] | None = path.open("a", encoding="ascii") if path is not None else None
        self._lines: list[str] = []

    def submit(self, submit: Submit) -> None:
        """Enters a submit."""
        self.submits.append(submit)
        self.entered += 1
        if submit.pdu.tlvs:
            self._bound_octets(submit)
        if self._file is not None:
            self._lines.append(_encode(submit.line()))

    def _bound_octets(self, submit: Submit) -> None:
        """Forgets the oldest submits when TLVs, which bring up to 64 KiB each, take more than REMEMBERED_OCTETS."""
        heavy, submits = self._heavy, self.submits
        octets = sum(map(len, submit.pdu.tlvs.values()))
        heavy.append((self.entered, octets))
        self._octets += octets
        while heavy and (heavy[0][0] <= self.entered - len(submits) or self._octets > REMEMBERED_OCTETS):
            number, octets = heavy.popleft()
            self._octets -= octets
            while submits and self.entered - len(submits) < number:
                submits.popleft()

    def acked(
        self,
        kind: str,
        utc_ms: int,
        system_id: str,
        message_id: str,
        state: str,
        source: str = "",
        destination: str = "",
    ) -> None:
        """Enters a deliver_sm that the ESME has acknowledged."""
        self._acks.append((kind, utc_ms, system_id, message_id, state, source, destination))
        self.acknowledged += 1
        if self._file is not None:
            line = {"kind": kind, "utc_ms": utc_ms, "system_id": system_id, "message_id": message_id, "state": state}
            self._lines.append(_encode(line))

    @property
    def remembered_acks(self) -> int:
        return len(self._acks)

    def submits_after(self, number: int) -> list[tuple[int, Submit]]:
        """(number, submit) of those that came after number `number` and are remembered, oldest first."""
        return _after(self.submits, self.entered, number)

    def acks_after(self, number: int) -> list[tuple[int, Ack]]:
        """The same of the acknowledgements, by their own numbers."""
        return [(position, Ack(*fields)) for position, fields in _after(self._acks, self.acknowledged, number)]

    def flush(self) -> None:
        """Writes the lines entered since the last time."""
        if self._file is not None and self._lines:
            self._lines.append("")
            text, self._lines = "\n".join(self._lines), []
            self._file.write(text)
            self._file.flush()

    def close(self) -> None:
        """Flushes and closes the file; entries after this stay in memory only."""
        if self._file is not None:
            try:
                self.flush()
            finally:
                self._file.close()
                self._file = None


class Seen:
    """Tells whether something came before, among at least the last `limit` / 2 different things.

    Holds hashes, not the things: 500,000 of them take some 40 MB, and two that differ pass for the same with a
    chance near 1 in 10 million over a million messages.
    """

    __slots__ = ("_half", "_new", "_old")

    def __init__(self, limit: int) -> None:
        self._half = max(1, limit // 2)
        self._new: set[int] = set()
        self._old: set[int] = set()

    def add(self, thing: tuple[str, bytes]) -> bool:
        """True when `thing` is new."""
        key = hash(thing)
        if key in self._new or key in self._old:
            return False
        if len(self._new) >= self._half:
            self._old, self._new = self._new, set()
        self._new.add(key)
        return True

    def __len__(self) -> int:
        return len(self._new) + len(self._old)


def _after(remembered: deque[T], entered: int, number: int) -> list[tuple[int, T]]:
    wanted = min(len(remembered), entered - number)
    newest: Sequence[T] = list(islice(reversed(remembered), max(0, wanted)))
    return list(zip(range(entered - len(newest) + 1, entered + 1), reversed(newest), strict=True))
