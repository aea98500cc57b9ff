"""The requests that we sent and the peer has not answered.

Owns their sequence_numbers, cookies and deadlines, and how many slots of the window they take. Refuses to know PDUs
and states. Times are arguments (seconds on a monotonic clock).

Since every request gets the same time to be answered, the one sent first is always the one due first, and a dict in
the order of sending is all the queue that is needed. A request past its deadline keeps its slot until a late
response or the end of the session: the peer may still be working on it. `release` gives the slot back earlier.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from smppgw.errors import LocalProtocolError
from smppgw.smpp.constants import MAX_SEQUENCE, CommandId
from smppgw.smpp.states import WINDOWED

#: A request without its response: command_id, cookie, sent_mono. A plain tuple, since one is made per submit_sm.
Waiting = tuple[CommandId, object, float]


class Window:
    """Bookkeeping of our unanswered requests. `size` bounds the windowed ones (states.WINDOWED)."""

    __slots__ = ("_late", "_next", "_released", "_response_s", "_waiting", "_wrapped", "in_use", "size")

    def __init__(self, size: int, *, response_s: float, first_sequence: int = 1) -> None:
        if size < 1:
            raise LocalProtocolError(f"a window of {size}")
        if not 1 <= first_sequence <= MAX_SEQUENCE:
            raise LocalProtocolError(f"first sequence_number {first_sequence}, not from 1 to {MAX_SEQUENCE}")
        self.size = size
        self.in_use = 0
        self._response_s = response_s
        self._next = first_sequence
        self._wrapped = False
        self._waiting: dict[int, Waiting] = {}
        self._late: dict[int, Waiting] = {}
        self._released: set[int] = set()  # of those, without a slot

    @property
    def free(self) -> int:
        return max(self.size - self.in_use, 0)

    def next_sequence(self) -> int:
        """The next sequence_number: 1 to 0x7FFFFFFF and round again, past those still unanswered."""
        number = self._next
        while self._wrapped and (number in self._waiting or number in self._late):
            number = number + 1 if number < MAX_SEQUENCE else 1
        if number < MAX_SEQUENCE:
            self._next = number + 1
        else:
            self._next = 1
            self._wrapped = True
        return number

    def add(self, sequence_number: int, command_id: CommandId, cookie: object, now_mono: float) -> None:
        """Remembers a request that is being sent."""
        self._waiting[sequence_number] = (command_id, cookie, now_mono)
        if command_id in WINDOWED:
            self.in_use += 1

    def add_many(self, requests: Iterable[tuple[int, CommandId, object]], now_mono: float) -> None:
        """The same for many windowed requests: sequence_number, command_id and cookie of each."""
        before = len(self._waiting)
        for sequence_number, command_id, cookie in requests:
            self._waiting[sequence_number] = (command_id, cookie, now_mono)
        self.in_use += len(self._waiting) - before

    def find(self, sequence_number: int) -> Waiting | None:
        """The unanswered request with this sequence_number."""
        return self._waiting.get(sequence_number) or self._late.get(sequence_number)

    def answer(self, sequence_number: int) -> bool:
        """That request is answered: forget it. True when its deadline had passed. KeyError when there is none."""
        late = sequence_number not in self._waiting
        waiting = (self._late if late else self._waiting).pop(sequence_number)
        if late and sequence_number in self._released:
            self._released.discard(sequence_number)
        elif waiting[0] in WINDOWED:
            self.in_use -= 1
        return late

    def release(self, sequence_number: int) -> None:
        """An overdue request gives its slot back; a late response is still known. KeyError when it is none."""
        command_id, _, _ = self._late[sequence_number]
        if command_id in WINDOWED and sequence_number not in self._released:
            self._released.add(sequence_number)
            self.in_use -= 1

    def next_deadline(self) -> float:
        """When the oldest request is overdue; math.inf when none can be."""
        for _, _, sent_mono in self._waiting.values():
            return sent_mono + self._response_s
        return math.inf

    def overdue(self, now_mono: float) -> list[tuple[int, Waiting]]:
        """Requests whose deadline has passed and that were not reported before, oldest first."""
        found: list[tuple[int, Waiting]] = []
        for sequence_number, waiting in self._waiting.items():
            if waiting[2] + self._response_s > now_mono:
                break
            found.append((sequence_number, waiting))
        for sequence_number, waiting in found:
            del self._waiting[sequence_number]
            self._late[sequence_number] = waiting
        return found

    def unanswered(self) -> Iterator[object]:
        """The cookies of all unanswered windowed requests, overdue ones first."""
        for command_id, cookie, _ in (*self._late.values(), *self._waiting.values()):
            if command_id in WINDOWED:
                yield cookie
