"""What is to happen later: one heap, one task.

A submit_sm_resp that is delayed, a receipt that is due, a timer of a session: each is an entry here, never a task of
its own, so that a million messages in waiting cost a million small tuples. Owns the time that may be skipped, so that
a receipt three days late need not be waited for. Refuses to know what the entries do.
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


class SkippingClock(Clock):
    """Another clock, sent ahead by `skipped_s`: both kinds of time."""

    def __init__(self, clock: Clock) -> None:
        self.skipped_s = 0.0
        self._clock = clock

    def mono(self) -> float:
        """Seconds on trio's clock, and those that were skipped."""
        return self._clock.mono() + self.skipped_s

    def utc_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC, and those that were skipped."""
        return self._clock.utc_ms() + round(self.skipped_s * 1000)


class Agenda:
    """Runs `action(argument)` at its time, in order of time, then of entry.

    `clock` is the time of the entries, which `skip` sends ahead. `session_clock`, the one it was made with, is that
    of sessions, which is never sent ahead: no skipped time makes an answer overdue or a bind look dead.

    `on_error` hears of an action that fails, and the others run all the same: what one ESME has sent must not end
    the receipts of all. Without it the failure ends `run`.
    """

    def __init__(self, clock: Clock, on_error: Callable[[Exception], None] | None = None) -> None:
        self.session_clock = clock
        self._on_error = on_error
        self.clock = SkippingClock(clock)
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

    def at_session(self, due_mono: float, action: Callable[[Any], None], argument: Any = None) -> None:
        """The same with `due_mono` on the clock of sessions. After a skip it runs early: the action has to look."""
        self.at(due_mono + self.clock.skipped_s, action, argument)

    def skip(self, seconds: float) -> None:
        """Sends `clock` ahead; what is due by then runs next, in order of its time."""
        self.clock.skipped_s += seconds
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
            try:
                action(argument)
            except Exception as failed:
                if self._on_error is None:
                    raise
                self._on_error(failed)
        return len(due)

    async def run(self, after_each: Callable[[], None]) -> None:
        """Runs until cancelled; calls `after_each` after each batch."""
        self.running = True
        try:
            while True:
                ran_mono = self.clock.mono()
                if self.run_due(ran_mono):
                    after_each()
                await self._sleep(ran_mono)
        finally:
            self.running = False

    async def _sleep(self, ran_mono: float) -> None:
        due_mono = self._heap[0][0] if self._heap else math.inf
        if due_mono < ran_mono + GRAIN_S:
            await trio.sleep_until(ran_mono + GRAIN_S - self.clock.skipped_s)
            return
        self._woken = trio.Event()
        self._sleeping_until_mono = due_mono
        with trio.move_on_at(due_mono - self.clock.skipped_s):
            await self._woken.wait()
        self._sleeping_until_mono = -math.inf
