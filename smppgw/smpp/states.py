"""The state machine of an SMPP session, as two tables (SMPP 3.4, 2.2 and table 2-1; SMPP 5.0, 2.3 and 2.4).

`TRANSITIONS` says how the state moves, `OPERATIONS` who may send which request in which state. Both roles read the
same rows; the tables know neither role nor socket.

    OPEN ----------- bind_* request --------> BINDING -- accepted --> BOUND_TX | BOUND_RX | BOUND_TRX
      |                                         ^  |                     |                 |
      '-- outbind --> OUTBOUND -- bind_* -------'  | refused      we send unbind    peer sends unbind
                                                   v                     v                 v
    CLOSED <------------------------------------ (any) <-- answered - UNBINDING         UNBOUND
      ^                                                                                    |
      '--------- connection lost, or a timer, in any state --------------------------------'

The rule that is easy to break: states only move forward, in the order of `SessionState`. A session that is refused,
unbound or lost is finished; whoever wants another one connects again.

Pairs that are not listed have a defined answer. A request gets ESME_RINVBNDSTS (a second bind ESME_RALYBND), in its
own response where it has one, otherwise in a generic_nack; a response is dropped. Both are counted. Rows under
`tolerated` are deviations that are let pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from smppgw.smpp.constants import CommandId, Status


class Role(StrEnum):
    """Which end of the session we are."""

    ESME = "esme"
    SMSC = "smsc"

    @property
    def peer(self) -> Role:
        return Role.SMSC if self is Role.ESME else Role.ESME


class SessionState(StrEnum):
    """SMPP 3.4, 2.2, and 5.0, 2.3; BINDING and UNBINDING are ours: the request is out, the answer is not."""

    OPEN = "open"
    OUTBOUND = "outbound"
    BINDING = "binding"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBINDING = "unbinding"
    UNBOUND = "unbound"
    CLOSED = "closed"

    @property
    def is_bound(self) -> bool:
        return self in BOUND


class Input(StrEnum):
    """What moves the state, whichever end does it."""

    OUTBIND = "outbind"
    BIND_REQUEST = "bind_request"
    TRANSMITTER_ACCEPTED = "transmitter_accepted"
    RECEIVER_ACCEPTED = "receiver_accepted"
    TRANSCEIVER_ACCEPTED = "transceiver_accepted"
    BIND_REFUSED = "bind_refused"
    UNBIND_SENT = "unbind_sent"
    UNBIND_RECEIVED = "unbind_received"
    UNBIND_ANSWERED = "unbind_answered"
    LOST = "lost"  # connection gone, a timer, framing, or our own close()


_S = SessionState
BOUND: Final = frozenset({_S.BOUND_TX, _S.BOUND_RX, _S.BOUND_TRX})
_TRANSMITS: Final = frozenset({_S.BOUND_TX, _S.BOUND_TRX})
_RECEIVES: Final = frozenset({_S.BOUND_RX, _S.BOUND_TRX})
_BEFORE_BIND: Final = frozenset({_S.OPEN, _S.OUTBOUND})
_NOT_BOUND: Final = frozenset({_S.OPEN, _S.OUTBOUND, _S.BINDING, _S.UNBINDING, _S.UNBOUND})

#: (state, input) -> state. A pair that is not listed cannot happen: the session refuses it before it comes here.
TRANSITIONS: Final[dict[tuple[SessionState, Input], SessionState]] = {
    (_S.OPEN, Input.OUTBIND): _S.OUTBOUND,
    (_S.OPEN, Input.BIND_REQUEST): _S.BINDING,
    (_S.OUTBOUND, Input.BIND_REQUEST): _S.BINDING,
    (_S.BINDING, Input.TRANSMITTER_ACCEPTED): _S.BOUND_TX,
    (_S.BINDING, Input.RECEIVER_ACCEPTED): _S.BOUND_RX,
    (_S.BINDING, Input.TRANSCEIVER_ACCEPTED): _S.BOUND_TRX,
    (_S.BINDING, Input.BIND_REFUSED): _S.CLOSED,
    **{(state, Input.UNBIND_SENT): _S.UNBINDING for state in sorted(BOUND)},
    **{(state, Input.UNBIND_RECEIVED): _S.UNBOUND for state in sorted(BOUND)},
    (_S.UNBINDING, Input.UNBIND_RECEIVED): _S.UNBINDING,  # both ends at once: each still waits for its answer
    (_S.UNBINDING, Input.UNBIND_ANSWERED): _S.CLOSED,
    **{(state, Input.LOST): _S.CLOSED for state in SessionState if state is not _S.CLOSED},
}

ESME_ONLY: Final = frozenset({Role.ESME})
SMSC_ONLY: Final = frozenset({Role.SMSC})
EITHER: Final = frozenset({Role.ESME, Role.SMSC})


@dataclass(frozen=True, slots=True)
class Operation:
    """One row: a request, the states it may be sent in, and by whom.

    `tolerated` are states in which a peer may send it all the same. `windowed` requests take a slot of the window;
    `answered` is False for the two requests that have no response.
    """

    states: frozenset[SessionState]
    sender: frozenset[Role]
    tolerated: frozenset[SessionState] = frozenset()
    windowed: bool = False
    answered: bool = True


#: SMPP 3.4, table 2-1, with what 5.0, 2.4, adds to it where noted.
OPERATIONS: Final[dict[CommandId, Operation]] = {
    CommandId.BIND_TRANSMITTER: Operation(_BEFORE_BIND, ESME_ONLY),
    CommandId.BIND_RECEIVER: Operation(_BEFORE_BIND, ESME_ONLY),
    CommandId.BIND_TRANSCEIVER: Operation(_BEFORE_BIND, ESME_ONLY),
    CommandId.OUTBIND: Operation(frozenset({_S.OPEN}), SMSC_ONLY, answered=False),
    CommandId.UNBIND: Operation(BOUND, EITHER, tolerated=frozenset({_S.UNBINDING})),
    CommandId.SUBMIT_SM: Operation(_TRANSMITS, ESME_ONLY, windowed=True),
    CommandId.SUBMIT_MULTI: Operation(_TRANSMITS, ESME_ONLY, windowed=True),
    CommandId.DATA_SM: Operation(BOUND, EITHER, windowed=True),
    # Receipts over a transmitter bind: NowSMS and some carriers.
    CommandId.DELIVER_SM: Operation(_RECEIVES, SMSC_ONLY, tolerated=frozenset({_S.BOUND_TX}), windowed=True),
    CommandId.QUERY_SM: Operation(_TRANSMITS, ESME_ONLY, windowed=True),
    CommandId.CANCEL_SM: Operation(_TRANSMITS, ESME_ONLY, windowed=True),
    CommandId.REPLACE_SM: Operation(_TRANSMITS, ESME_ONLY, windowed=True),  # on BOUND_TRX since 5.0
    # Before the bind, while unbinding and after it: peers send it as soon as they are connected.
    CommandId.ENQUIRE_LINK: Operation(BOUND, EITHER, tolerated=_NOT_BOUND),
    CommandId.ALERT_NOTIFICATION: Operation(_RECEIVES, SMSC_ONLY, answered=False),
}

WINDOWED: Final = frozenset(command for command, row in OPERATIONS.items() if row.windowed)
BINDS: Final[dict[CommandId, Input]] = {
    CommandId.BIND_TRANSMITTER: Input.TRANSMITTER_ACCEPTED,
    CommandId.BIND_RECEIVER: Input.RECEIVER_ACCEPTED,
    CommandId.BIND_TRANSCEIVER: Input.TRANSCEIVER_ACCEPTED,
}


def sendable(role: Role, state: SessionState) -> frozenset[CommandId]:
    """The requests that `role` may send in `state`."""
    return frozenset(c for c, row in OPERATIONS.items() if role in row.sender and state in row.states)


def receivable(role: Role, state: SessionState, bound_as: SessionState | None = None) -> frozenset[CommandId]:
    """The requests that `role` lets pass from its peer in `state`.

    While UNBINDING, what the peer sent before our unbind reached it still arrives: give the state that was bound.
    """
    states = {state} if bound_as is None or state is not _S.UNBINDING else {state, bound_as}
    return frozenset(
        c for c, row in OPERATIONS.items() if role.peer in row.sender and states & (row.states | row.tolerated)
    )


def unlisted_status(command: CommandId, state: SessionState) -> Status:
    """The answer to a request that is not receivable in `state`."""
    bound_before = state in BOUND or state in (_S.BINDING, _S.UNBINDING)
    return Status.ESME_RALYBND if command in BINDS and bound_before else Status.ESME_RINVBNDSTS
