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
