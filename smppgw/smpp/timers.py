"""The four timers of a session as values (SMPP 3.4, 7.2; 5.0, 2.7), and what follows when one runs out.

Owns the arithmetic only: it is told what happened and when, and asked what is due. The response timer belongs to each
request and stands in window.py. All times are seconds; moments are on a monotonic clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from smppgw.smpp.states import BOUND, Role, SessionState


@dataclass(frozen=True, slots=True)
class Timers:
    """Lengths of the timers in seconds. 0 switches the first three off.

    session_init_s: from the connection to the bind request (SMSC). enquire_link_s: without received PDUs until we
    ask. inactivity_s: without requests or responses other than enquire_link until we unbind. response_s: from a
    request to its response.
    """

    session_init_s: float = 10.0
    enquire_link_s: float = 30.0
    inactivity_s: float = 0.0
    response_s: float = 60.0

    def __post_init__(self) -> None:
        if self.response_s <= 0 or min(self.session_init_s, self.enquire_link_s, self.inactivity_s) < 0:
            raise ValueError(f"timers must not be negative, and response_s must be above 0: {self}")


class Expiry(StrEnum):
    """What is due."""

    SESSION_INIT = "session_init"
    ENQUIRE_LINK = "enquire_link"
    INACTIVITY = "inactivity"


_BEFORE_BIND_REQUEST = frozenset({SessionState.OPEN, SessionState.OUTBOUND})


class Watch:
    """Remembers the moments that the timers count from."""

    __slots__ = ("_opened_mono", "_role", "_timers", "active_mono", "enquiring", "received_mono")

    def __init__(self, role: Role, timers: Timers, now_mono: float) -> None:
        self._role = role
        self._timers = timers
        self._opened_mono = now_mono
        self.received_mono = now_mono  # the last PDU from the peer
        self.active_mono = now_mono  # the last PDU either way that is not an enquire_link
        self.enquiring = False  # an enquire_link of ours is unanswered

    def _moments(self, state: SessionState) -> list[tuple[float, Expiry]]:
        timers = self._timers
        if state in _BEFORE_BIND_REQUEST:
            waits = timers.session_init_s and self._role is Role.SMSC
            return [(self._opened_mono + timers.session_init_s, Expiry.SESSION_INIT)] if waits else []
        moments: list[tuple[float, Expiry]] = []
        if state in BOUND:
            if timers.inactivity_s:
                moments.append((self.active_mono + timers.inactivity_s, Expiry.INACTIVITY))
            if timers.enquire_link_s and not self.enquiring:
                moments.append((self.received_mono + timers.enquire_link_s, Expiry.ENQUIRE_LINK))
        return moments

    def next_deadline(self, state: SessionState) -> float:
        """When the next of the timers runs out; math.inf when none runs."""
        return min((at for at, _ in self._moments(state)), default=math.inf)

    def expired(self, state: SessionState, now_mono: float) -> Expiry | None:
        """The timer that has run out; the graver one where two have."""
        for at, expiry in self._moments(state):
            if at <= now_mono:
                return expiry
        return None
