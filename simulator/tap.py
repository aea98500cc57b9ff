"""What is done to the octets of an ESME before the session sees them.

A session is a good SMSC: it answers every enquire_link, and it may send nothing that is odd. This takes out of the
stream what it is not to see, and keeps the answers to what was sent past it. Owns frames; refuses to know what
they carry.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.odd import frame
from simulator.quirks import COMMANDS, Over, Quirks
from smppgw.errors import FramingError
from smppgw.smpp import RESPONSE_BIT, CommandId, Framer, Status

#: Odd requests are numbered from here on, out of the way of the session's.
_FIRST_SEQUENCE = 0x60000000

Answered = Callable[[int], None]


class Tap:
    """One for each connection."""

    def __init__(self, quirks: Quirks, max_pdu_octets: int, now_mono: float) -> None:
        self.received_mono = now_mono
        self._framer = Framer(max_pdu_octets)
        self._broken = False
        self._unanswered = {CommandId.ENQUIRE_LINK} if not quirks.session.enquire_link_answered else set()
        self._unknown = {COMMANDS[name] for name in quirks.session.unknown_commands}
        self._next_sequence = _FIRST_SEQUENCE
        self._waiting: dict[int, tuple[Answered, object]] = {}

    def filter(self, data: bytes | bytearray, now_mono: float) -> tuple[bytes, bytes]:
        """What the session is to see of `data`, and what to send back at once."""
        self.received_mono = now_mono
        if self._broken:
            return bytes(data), b""
        try:
            frames = self._framer.feed(data)
        except FramingError:
            self._broken = True
            return bytes(data), b""
        seen, answers = [], []
        for one in frames:
            command_id, sequence_number = int.from_bytes(one[4:8], "big"), int.from_bytes(one[12:16], "big")
            if command_id & RESPONSE_BIT and sequence_number in self._waiting:
                self._waiting.pop(sequence_number)[0](int.from_bytes(one[8:12], "big"))
            elif command_id in self._unknown:
                answers.append(frame(CommandId.GENERIC_NACK, sequence_number, b"", Status.ESME_RINVCMDID))
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
