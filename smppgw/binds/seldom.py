"""For log lines about what a peer may do many times a second: the first of a kind, then one a minute. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple

EVERY_S = 60.0
#: Kinds that are told apart; what is new beyond them counts as one.
MOST_KINDS = 100


class _Kind(NamedTuple):
    told_mono: float
    left_out: int


class Seldom:
    """Which of many events are told."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}

    def due(self, kind: str, now_mono: float) -> int | None:
        """How many of this kind were left out before this one, which is told now; None: it is left out as well."""
        if kind not in self._kinds and len(self._kinds) >= MOST_KINDS:
            kind = ""
        told_mono, left_out = self._kinds.get(kind, _Kind(-math.inf, 0))
        if now_mono - told_mono < EVERY_S:
            self._kinds[kind] = _Kind(told_mono, left_out + 1)
            return None
        self._kinds[kind] = _Kind(now_mono, 0)
        return left_out
