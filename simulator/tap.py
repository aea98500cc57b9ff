"""What is done to the octets of an ESME before the session sees them.

A session is a good SMSC: it answers every enquire_link, and it may send nothing that is odd. This takes out of the
stream what it is not to see, and keeps the answers to what was sent past it. Owns frames; refuses to know what
they carry.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress

from simulator.odd import frame
from simulator.quirks import COMMANDS, Over, Quirks
from smppgw.errors import FramingError
from smppgw.smpp import RESPONSE_BIT, CommandId, Framer, Session, Status

#: Odd requests are numbered from here on, out of the way of the session's.
_FIRST_SEQUENCE = 0x60000000

Answered = Callable[[int], None]


class Tap:
    """One for each connection."""

    def __init__(self, quirks: Quirks, max_pdu_octets: int, now_mono: float) -> None:
        self.received_mono = now_mono
        self._framer = Framer(max_pdu_octets)
        self._broken = False
        self.ignores_enquiries = False  # whatever the quirks say: by a rule
        self.switch(quirks)
        self._frames: deque[bytes] = deque()  # that have come and were not looked at yet
        self._seen = 0  # frames that have been looked at
        self._due: list[tuple[int, Callable[[], None]]] = []  # what is to be done after so many, soonest first
        self._passing = 0  # octets of a PDU that the session passes over
        self._known = 0  # octets of the first frame that the session has already
        self._next_sequence = _FIRST_SEQUENCE
        self._waiting: dict[int, tuple[Answered, object]] = {}

    def switch(self, quirks: Quirks) -> None:
        """Other quirks from the next PDU on."""
        self._unanswered = {CommandId.ENQUIRE_LINK} if not quirks.session.enquire_link_answered else set()
        self._unknown = {COMMANDS[name] for name in quirks.session.unknown_commands}

    def join(self, session: Session) -> None:
        """Takes its place before a session that has been fed already, perhaps with the half of a PDU.

        The rest of that PDU goes to the session whatever it is.
        """
        framer = session._framer
        self._passing = framer._skipping
        self._known = len(framer._partial)
        with suppress(FramingError):
            self._framer.feed(bytes(framer._partial))

    def after(self, frames: int, then: Callable[[], None]) -> None:
        """Calls `then` once so many PDUs more have been seen: `owed` tells that it is time, `pay` does it."""
        self._due.append((self._seen + frames, then))
        self._due.sort(key=lambda due: due[0])

    @property
    def owed(self) -> bool:
        return bool(self._due) and self._due[0][0] <= self._seen

    def pay(self) -> None:
        self._due.pop(0)[1]()

    def filter(self, data: bytes | bytearray, now_mono: float) -> tuple[bytes, bytes]:
        """What the session is to see of `data`, and what to send back at once. Where `owed`, `more` has the rest."""
        self.received_mono = now_mono
        if self._broken:
            return bytes(data), b""
        passed = bytes(data[: self._passing])
        self._passing -= len(passed)
        try:
            self._frames.extend(self._framer.feed(data[len(passed) :]))
        except FramingError:
            self._broken = True
            return bytes(data), b""
        seen, answers = self.more()
        return passed + seen, answers

    def more(self) -> tuple[bytes, bytes]:
        """What the session is to see of the PDUs that are left, and what to send back at once."""
        seen, answers = [], []
        while self._frames and not self.owed:
            one = self._frames.popleft()
            self._seen += 1
            if self._known:
                seen.append(one[self._known :])
                self._known = 0
                continue
            command_id, sequence_number = int.from_bytes(one[4:8], "big"), int.from_bytes(one[12:16], "big")
            if command_id & RESPONSE_BIT and sequence_number in self._waiting:
                self._waiting.pop(sequence_number)[0](int.from_bytes(one[8:12], "big"))
            elif command_id in self._unknown:
                answers.append(frame(CommandId.GENERIC_NACK, sequence_number, b"", Status.ESME_RINVCMDID))
            elif command_id == CommandId.ENQUIRE_LINK and self.ignores_enquiries:
                continue
            elif command_id not in self._unanswered:
                seen.append(one)
        return b"".join(seen), b"".join(answers)

    def sequence(self, answered: Answered | None, cookie: object) -> int:
        """The sequence_number for an odd request; `answered` gets the command_status of its answer."""
        self._next_sequence += 1
        if answered is not None:
            self._waiting[self._next_sequence] = (answered, cookie)
        return self._next_sequence

    def unanswered(self) -> list[object]:
        """The cookies of the odd requests that have no answer."""
        return [cookie for _, cookie in self._waiting.values()]


def needs_tap(quirks: Quirks) -> bool:
    session = quirks.session
    return bool(
        not session.enquire_link_answered
        or session.enquire_link_early
        or session.unknown_commands
        or session.odd
        or session.idle_cut_s
        or quirks.receipts.over is Over.TRANSMITTER
    )
