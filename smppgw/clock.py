"""The one place where time comes from.

Monotonic time (`*_mono`, seconds as float, this process only) and wall time (`*_utc_ms`, integer milliseconds
since 1970-01-01 UTC, anything stored) never mix.
"""

from __future__ import annotations

import time

import trio


class Clock:
    """Supplies both kinds of time. Tests use one whose wall time follows trio's virtual clock."""

    def mono(self) -> float:
        """Seconds on trio's clock."""
        return trio.current_time()

    def utc_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000


class VirtualClock(Clock):
    """Wall time derived from trio's clock, so that pytest-trio's autojump_clock moves both."""

    def __init__(self, start_utc_ms: int = 1_767_225_600_000) -> None:
        self._start_utc_ms = start_utc_ms
        self._start_mono: float | None = None

    def utc_ms(self) -> int:
        now_mono = trio.current_time()
        if self._start_mono is None:
            self._start_mono = now_mono
        return self._start_utc_ms + int((now_mono - self._start_mono) * 1000)
