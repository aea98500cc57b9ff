"""An event that can be set again and again, with a deadline on the waiting side."""

from __future__ import annotations

import math

import trio


class Wake:
    """One task waits, any may set. What was set before the wait is not lost."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def set(self) -> None:
        self._event.set()

    async def wait(self, until_mono: float = math.inf) -> None:
        """Returns when it was set, at the latest at `until_mono` (a checkpoint either way)."""
        if until_mono == math.inf:
            await self._event.wait()
        else:
            with trio.move_on_at(until_mono):
                await self._event.wait()
        if self._event.is_set():
            self._event = trio.Event()
