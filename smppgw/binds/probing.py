"""Which bind of a carrier may try one submit_sm, and when, after a session that answered none: pure, time is an
argument.

A link may answer enquire_link for days and no submit_sm. Each one it is given is in doubt for ever, so such binds are
given few: one probe at a time over all binds of the carrier, and after each that failed a pause that grows. Only an
answer ends it; how long a session stood says nothing. Binds that are answered are none of this one's business.
"""

from __future__ import annotations

import math

from smppgw.binds.backoff import NO_ANSWERS, pause

#: Who waits for the probe of another bind looks again so soon: it may be answered.
LOOK_S = 1.0


class Probes:
    """The probes of one carrier."""

    def __init__(self) -> None:
        self._holder = ""  # the bind whose probe is out
        self._failures = 0  # in a row
        self._not_before_mono = -math.inf

    def free_at(self, bind: str, now_mono: float) -> float:
        """When `bind` may probe, or had better ask again; `now_mono` when it may."""
        if self._holder not in ("", bind):
            return now_mono + LOOK_S
        return max(now_mono, self._not_before_mono)

    def take(self, bind: str) -> None:
        """`bind` claims a segment for its probe."""
        self._holder = bind

    def give_back(self, bind: str) -> None:
        """The probe is over, or there was nothing to send."""
        if self._holder == bind:
            self._holder = ""

    def answered(self, bind: str) -> None:
        """The probe was answered, by whatever command_status."""
        self.give_back(bind)
        self._failures = 0
        self._not_before_mono = -math.inf

    def failed(self, bind: str, now_mono: float, jitter: float) -> None:
        """A probe, or a whole window before it, was not answered."""
        self.give_back(bind)
        self._failures += 1
        until_mono = now_mono + pause(self._failures, NO_ANSWERS, jitter)
        self._not_before_mono = max(self._not_before_mono, until_mono)
