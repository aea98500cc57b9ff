"""How long something takes: a fixed time, or one drawn from a distribution. Pure: chance is an argument.

Owns the notation that settings, scenarios and orders share, and the drawing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from statistics import NormalDist

_STANDARD = NormalDist()
#: Draws beyond this many standard deviations would be one in a million; the inverse has no end at 0 and 1.
_FARTHEST = 4.9


@dataclass(frozen=True, slots=True)
class Delay:
    """A time in seconds.

    Even between `min_s` and `max_s`; or, where `deviation_s` is set, normal around `min_s`, never below 0. A share
    `spike_share` of the draws takes `spike_s` instead.
    """

    min_s: float
    max_s: float
    deviation_s: float = 0.0
    spike_s: float = 0.0
    spike_share: float = 0.0

    @property
    def fixed_s(self) -> float | None:
        """The time, where all draws are the same."""
        return self.min_s if self.min_s == self.max_s and not self.deviation_s and not self.spike_share else None

    def draw(self, chance: float) -> float:
        """The delay for `chance`, 0 <= chance < 1."""
        if self.spike_share:
            if chance < self.spike_share:
                return self.spike_s
            chance = (chance - self.spike_share) / (1 - self.spike_share)
        if not self.deviation_s:
            return self.min_s + (self.max_s - self.min_s) * chance
        deviations = _STANDARD.inv_cdf(chance) if 0 < chance < 1 else -_FARTHEST
        return max(0.0, self.min_s + self.deviation_s * min(max(deviations, -_FARTHEST), _FARTHEST))

    def problem(self) -> str | None:
        """What is impossible about it."""
        times = (self.min_s, self.max_s, self.deviation_s, self.spike_s)
        if not all(0 <= time < math.inf for time in times) or self.min_s > self.max_s:
            return f"{self.min_s}:{self.max_s} is not a delay, 0 <= min <= max seconds"
        if not 0 <= self.spike_share < 1:
            return f"{self.spike_share} is not a share, 0 <= share < 1"
        return None


NO_DELAY = Delay(0.0, 0.0)

_NUMBER = r"\d+(?:\.\d+)?"
_TIME = rf"({_NUMBER})(ms|s|m|h)?"
_UNIT_S = {"": 1.0, "s": 1.0, "ms": 0.001, "m": 60.0, "h": 3600.0}
_NOTATION = re.compile(rf"{_TIME}(?:(:|~){_TIME})?(?:\s*,\s*({_NUMBER})%\s+{_TIME})?")


def parse_delay(text: str) -> Delay:
    """`2`, `20ms`: fixed. `0.5:3`, `20ms:2s`: even between the two. `20ms~5ms`: normal, with its deviation. Each may
    be followed by `, 1% 2s`: one in a hundred takes two seconds.

    Seconds, unless a unit is named; one behind the second time alone holds for both. Raises ValueError.
    """
    found = _NOTATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a delay; write 2, 20ms, 0.5:3, 20ms:2s, 20ms~5ms, or 20ms, 1% 2s")
    low, low_unit, kind, high, high_unit, percent, spike, spike_unit = found.groups()
    first_s = float(low) * _UNIT_S[low_unit or (high_unit if high is not None else "") or ""]
    second_s = float(high) * _UNIT_S[high_unit or ""] if high is not None else first_s
    spike_s = float(spike) * _UNIT_S[spike_unit or ""] if spike is not None else 0.0
    share = float(percent) / 100 if percent is not None else 0.0
    if share >= 1:
        raise ValueError(f"{text!r}: the share of the slow ones must be below 100%")
    if kind == "~":
        return Delay(first_s, first_s, second_s, spike_s, share)
    if first_s > second_s:
        raise ValueError(f"{text!r}: the first time must not be the longer one")
    return Delay(first_s, second_s, 0.0, spike_s, share)
