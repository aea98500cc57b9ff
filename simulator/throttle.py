"""The token bucket behind ESME_RTHROTTLED. Pure: the time is an argument."""

from __future__ import annotations

#: A tenth of a second at ten a second comes out a little below one token.
_ONE = 1.0 - 1e-9


class TokenBucket:
    """`rate` tokens a second, at most `burst` of them saved up. Starts full."""

    __slots__ = ("_at_mono", "_tokens", "burst", "rate")

    def __init__(self, rate: float, burst: float, now_mono: float) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = burst
        self._at_mono = now_mono

    def refill(self, now_mono: float) -> None:
        """Counts the tokens that have come since the last time."""
        elapsed_s = now_mono - self._at_mono
        if elapsed_s > 0:
            self._tokens = min(self.burst, self._tokens + elapsed_s * self.rate)
            self._at_mono = now_mono

    def take(self) -> bool:
        """Takes one token if there is one."""
        if self._tokens < _ONE:
            return False
        self._tokens -= 1.0
        return True
