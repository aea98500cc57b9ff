"""From octets of the stream to frames.

Owns the octets of a PDU that has not arrived whole. Refuses to know what is inside: it reads command_length only
(SMPP 3.4, 3.2), and decides whether it can be believed.

    16 to max_octets                a frame
    above that, to skipped_octets   a PDU that nobody needs whole: its header is a frame, the rest is passed over
    anything else                   not a length: the borders are lost
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from smppgw.errors import FramingError
from smppgw.smpp.constants import HEADER_OCTETS

_LENGTH = Struct(">L")
_length_at = _LENGTH.unpack_from
_LENGTH_OCTETS = 4

#: Octets of the longest PDU that is taken whole: message_payload with its 65,535, and as much again for the rest.
MAX_PDU_OCTETS: Final = 131_072
#: Octets up to which a longer command_length is still believed. No PDU of the standard comes near it.
MAX_SKIPPED_OCTETS: Final = 1_048_576


class Framer:
    """Cuts a stream into frames. Costs a slice per frame, however the stream was chopped."""

    __slots__ = ("_max_octets", "_partial", "_skipped_octets", "_skipping", "_wanted", "error")

    def __init__(self, max_octets: int = MAX_PDU_OCTETS, *, skipped_octets: int = 0) -> None:
        self._max_octets = max_octets
        self._skipped_octets = max(max_octets, skipped_octets)
        self._skipping = 0  # octets still to be passed over
        self._partial = bytearray()
        self._wanted = _LENGTH_OCTETS  # _partial is worth looking at once it has this many octets
        #: Set once the frame borders are lost.
        self.error: FramingError | None = None

    def feed(self, data: bytes | bytearray) -> list[bytes]:
        """The frames completed by `data`, whole with their headers; of one above `max_octets` the header only.

        A command_length below 16 or above `skipped_octets` sets `error`. It raises FramingError at once when no whole
        frame precedes it, otherwise from the next call on, so that good frames are not lost with the bad one.
        """
        if self.error is not None:
            raise self.error
        if self._skipping:
            passed_over = min(self._skipping, len(data))
            self._skipping -= passed_over
            data = data[passed_over:]
        if self._partial:
            self._partial += data
            if len(self._partial) < self._wanted:
                return []
            data = bytes(self._partial)
            self._partial.clear()
        elif type(data) is not bytes:
            data = bytes(data)
        frames: list[bytes] = []
        error = self._cut(data, frames)
        if error is not None and not frames:
            raise error
        return frames

    def _cut(self, data: bytes, frames: list[bytes]) -> FramingError | None:
        size = len(data)
        highest = self._max_octets
        position = 0
        wanted = _LENGTH_OCTETS
        while position + _LENGTH_OCTETS <= size:
            (length,) = _length_at(data, position)
            end = position + length
            if not HEADER_OCTETS <= length <= highest:
                if not highest < length <= self._skipped_octets:
                    self.error = FramingError(f"command_length {length}, not from {HEADER_OCTETS} to {highest}")
                    return self.error
                if position + HEADER_OCTETS > size:
                    wanted = HEADER_OCTETS
                    break
                frames.append(data[position : position + HEADER_OCTETS])
                self._skipping = max(end - size, 0)
                position = min(end, size)
                continue
            if end > size:
                wanted = length
                break
            frames.append(data[position:end])
            position = end
        self._wanted = wanted
        if position < size:
            self._partial += data[position:]
        return None
