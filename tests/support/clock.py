"""The clock of tests that follow trio's virtual clock."""

from __future__ import annotations

import trio

from smppgw.clock import Clock


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
