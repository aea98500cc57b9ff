"""What tells an inbound text that comes again from a second one that says the same.

An SMSC brings a deliver_sm again when it has not got our answer: because the session broke, or because the answer
came too late for it. Owns which sessions of a carrier are open, and which answers an SMSC has got for certain.
Refuses to know the store: ids and times go in, ids come out.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

#: Ids that become certain within so long of each other are told to the store together.
GATHER_S = 1.0


class Sessions:
    """The sessions of one carrier. A number is never given twice, also not by the process after this one."""

    def __init__(self) -> None:
        self._last = 0
        self._alive: set[int] = set()

    def open(self, now_utc_ms: int) -> int:
        """The number of a session that begins."""
        self._last = max(self._last + 1, now_utc_ms << 10)
        self._alive.add(self._last)
        return self._last

    def close(self, session: int) -> None:
        self._alive.discard(session)

    @property
    def alive(self) -> list[int]:
        return sorted(self._alive)


class Settling:
    """The inbound texts of one session after the other whose answers are on their way.

    An answer that was handed to the writer, and whose session then lived `late_s` longer, has arrived. One that was
    given more than `late_s` after the text came may have come too late.
    """

    def __init__(self, late_s: float) -> None:
        self._late_s = late_s
        self._waiting: deque[tuple[float, list[int]]] = deque()
        self._before_unbind: list[int] = []
        self._late: list[int] = []
        #: When `take` has something.
        self.due_mono = math.inf

    def answered(self, texts: Iterable[tuple[int, float]], now_mono: float) -> None:
        """The answers to these texts leave now: their ids, and when each came."""
        in_time: list[int] = []
        for number, came_mono in texts:
            (in_time if now_mono - came_mono <= self._late_s else self._late).append(number)
        if in_time:
            self._waiting.append((now_mono + self._late_s, in_time))
            self.due_mono = min(self.due_mono, now_mono + self._late_s + GATHER_S)
        if self._late:
            self.due_mono = now_mono

    def take(self, now_mono: float) -> tuple[list[int], list[int]]:
        """What is known by now: the ids of settled and of late ones."""
        settled: list[int] = []
        while self._waiting and self._waiting[0][0] <= now_mono:
            settled += self._waiting.popleft()[1]
        late, self._late = self._late, []
        self.due_mono = self._waiting[0][0] + GATHER_S if self._waiting else math.inf
        return settled, late

    def unbinding(self) -> None:
        """Our unbind is sent behind all answers so far: who answers it has read them."""
        self._before_unbind = [number for _, numbers in self._waiting for number in numbers]

    def end(self, *, orderly: bool) -> tuple[list[int], list[int]]:
        """The session is over, `orderly` when the SMSC answered our unbind. Of all other answers nobody knows."""
        settled = self._before_unbind if orderly else []
        late = self._late
        self._waiting.clear()
        self._before_unbind, self._late, self.due_mono = [], [], math.inf
        return settled, late
