"""What becomes of a message, and who hears of it. Pure: chance comes in as a number between 0 and 1.

Owns the final states a simulated message can reach and the reading of registered_delivery. Refuses to know time,
sockets and PDUs.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping
from itertools import accumulate

from smppgw.smpp import STATE_NAMES
from smppgw.smpp import MessageState as MessageState  # the simulator's rooms take it from here

#: The stat field of a receipt (SMPP 3.4, Appendix B, table B-2).
STAT: Mapping[MessageState, str] = {state: STATE_NAMES[state] for state in MessageState}

STATES_BY_NAME: Mapping[str, MessageState] = {name: state for state, name in STAT.items()}

#: Final states by the name that the settings and the command line use for them.
FINAL_STATES: Mapping[str, MessageState] = {
    name: state
    for state, name in STAT.items()
    if state not in (MessageState.SCHEDULED, MessageState.ENROUTE, MessageState.ACCEPTED)
}

#: The err field and error_code that go with a state: ours, since the standard leaves them to the SMSC.
ERROR_CODES: Mapping[MessageState, int] = {
    MessageState.SCHEDULED: 0,
    MessageState.ENROUTE: 0,
    MessageState.DELIVERED: 0,
    MessageState.EXPIRED: 27,  # absent subscriber, in the numbers that SS7 networks pass on
    MessageState.DELETED: 4,
    MessageState.UNDELIVERABLE: 1,
    MessageState.ACCEPTED: 0,
    MessageState.UNKNOWN: 255,
    MessageState.REJECTED: 11,
    MessageState.SKIPPED: 12,
}

_RECEIPT_BITS = 0x03
_INTERMEDIATE_BIT = 0x10


class Fates:
    """Draws final states by weight."""

    def __init__(self, weights: Mapping[MessageState, float]) -> None:
        drawn = [(state, weight) for state, weight in weights.items() if weight > 0]
        self._states = [state for state, _ in drawn]
        total = sum(weight for _, weight in drawn)
        self._bounds = [bound / total for bound in accumulate(weight for _, weight in drawn)][:-1]

    def draw(self, chance: float) -> MessageState:
        """The state for `chance`, 0 <= chance < 1."""
        return self._states[bisect(self._bounds, chance)]


def wants_receipt(registered_delivery: int, state: MessageState) -> bool:
    """Whether a receipt is due for this final state (SMPP 3.4, 5.2.17; the value 3 is from 5.0, 4.7.21)."""
    asked = registered_delivery & _RECEIPT_BITS
    if asked == 0:
        return False
    if asked == 1:
        return True
    delivered = state is MessageState.DELIVERED
    return delivered if asked == 3 else not delivered


def wants_intermediate(registered_delivery: int) -> bool:
    """Whether the sender asked for intermediate notifications (SMPP 3.4, 5.2.17, bit 4)."""
    return bool(registered_delivery & _INTERMEDIATE_BIT)
