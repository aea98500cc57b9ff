"""What is to happen later: one heap, one task.

A submit_sm_resp that is delayed, a receipt that is due, a timer of a session: each is an entry here, never a task of
its own, so that a million messages in waiting cost a million small tuples. Refuses to know what the entries do.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import Any

import trio

from smppgw.clock import Clock

#: Entries that fall due within this time of the last run are done together: thousands of receipts a second, each
#: with a due time of its own, must not wake the task thousands of times.
GRAIN_S = 0.004


class Agenda:
    """Runs `action(argument)` at its time, in order of time, then of entry."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Callable[[Any], None], Any]] = []
        self._entered = 0
        self._sleeping_until_mono = -math.inf
        self._woken = trio.Event()
        self.running = False

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, due_mono: float, action: Callable[[Any], None], argument: Any = None) -> None:
        """Enters `action(argument)` for `due_mono`."""
        self._entered += 1
        heapq.heappush(self._heap, (due_mono, self._entered, action, argument))
        if due_mono < self._sleeping_until_mono:
            self._sleeping_until_mono = -math.inf
            self._woken.set()

    def clear(self) -> None:
        """Forgets everything."""
        self._heap.clear()

    def run_due(self, now_mono: float) -> int:
        """Runs what is due at `now_mono`; what these actions enter for now or earlier is run at the next call.

        Returns how many ran.
        """
        heap = self._heap
        due = []
        while heap and heap[0][0] <= now_mono:
            due.append(heapq.heappop(heap))
        for _, _, action, argument in due:
            action(argument)
        return len(due)

    async def run(self, after_each: Callable[[], None]) -> None:
        """Runs until cancelled; calls `after_each` after each batch."""
        self.running = True
        try:
            while True:
                ran_mono = self._clock.mono()
                if self.run_due(ran_mono):
                    after_each()
                await self._sleep(ran_mono)
        finally:
            self.running = False

    async def _sleep(self, ran_mono: float) -> None:
        due_mono = self._heap[0][0] if self._heap else math.inf
        if due_mono < ran_mono + GRAIN_S:
            await trio.sleep_until(ran_mono + GRAIN_S)
            return
        self._woken = trio.Event()
        self._sleeping_until_mono = due_mono
        with trio.move_on_at(due_mono):
            await self._woken.wait()
        self._sleeping_until_mono = -math.inf
