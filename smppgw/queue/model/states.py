"""The segment's state machine, and the verdict that follows from it: tables."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, StrEnum

from smppgw.smpp.constants import MessageState


class Lane(IntEnum):
    """Priority class of a message. A lower number is always claimed before a higher one."""

    OTP = 0
    TRANSACTIONAL = 1
    BULK = 2

    @property
    def label(self) -> str:
        return self.name.lower()


class SegmentState(IntEnum):
    """Where a segment (one submit_sm) stands. The first four are open, the others final."""

    QUEUED = 0
    IN_FLIGHT = 1
    IN_DOUBT = 2
    SENT = 3
    DELIVERED = 4
    UNDELIVERABLE = 5
    EXPIRED = 6
    REJECTED = 7
    CANCELLED = 8
    FAILED = 9
    UNTRACKED = 10
    UNKNOWN = 11

    @property
    def is_open(self) -> bool:
        return self <= SegmentState.SENT

    @property
    def label(self) -> str:
        return self.name.lower()


class Verdict(StrEnum):
    """The fate of a message, derived from its segments."""

    DELIVERED = "delivered"
    PARTLY_DELIVERED = "partly_delivered"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a segment moved. The value is the log field, the metric label and the column in the CLI."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"  # it waits for its time
    REFERENCES_IN_USE = "references_in_use"  # a long message waits for a reference that no phone confuses
    CLAIMED = "claimed"
    CARRIER_ACCEPTED = "carrier_accepted"
    NO_RECEIPT_POSSIBLE = "no_receipt_possible"
    THROTTLED = "throttled"
    RECIPIENT_QUEUE_FULL = "recipient_queue_full"
    BIND_PAUSED = "bind_paused"
    REROUTED = "rerouted"
    TEMPORARY_REFUSAL = "temporary_refusal"
    REFUSED = "refused"
    RETRIES_EXHAUSTED = "retries_exhausted"
    LINK_LOST = "link_lost"
    RESPONSE_OVERDUE = "response_overdue"
    STOPPED = "stopped"
    CRASHED = "crashed"
    NOT_WRITTEN = "not_written"
    RESENT_AFTER_DOUBT = "resent_after_doubt"
    DOUBT_TIMEOUT = "doubt_timeout"
    RECEIPT = "receipt"
    RECEIPT_MATCHED_IN_DOUBT = "receipt_matched_in_doubt"
    RECEIPT_INTERMEDIATE = "receipt_intermediate"
    RECEIPT_REPEATED = "receipt_repeated"
    RECEIPT_CONTRADICTS = "receipt_contradicts"
    RECEIPT_OVERDUE = "receipt_overdue"
    RECEIPT_QUERIED = "receipt_queried"  # query_sm said what no receipt did
    CANCEL_ASKED = "cancel_asked"
    CANCELLED_BY_APP = "cancelled_by_app"
    VALIDITY_EXPIRED = "validity_expired"
    SIBLING_FAILED = "sibling_failed"


class Move(StrEnum):
    """The inputs of the segment's state machine."""

    CLAIM = "claim"
    WITHDRAW = "withdraw"  # claimed, but no octet of it was written
    ACCEPT = "accept"  # submit_sm_resp ESME_ROK, a receipt will come
    ACCEPT_UNTRACKED = "accept_untracked"  # submit_sm_resp ESME_ROK, no receipt can come
    REQUEUE = "requeue"  # refused for now
    REROUTE = "reroute"  # refused, and another carrier may take it
    REFUSE = "refuse"  # refused for good
    GIVE_UP = "give_up"  # refused for now once too often
    DOUBT = "doubt"  # written, not answered
    RESEND = "resend"  # written, not answered, and the operator chose to send again
    DOUBT_TIMEOUT = "doubt_timeout"
    EXPIRE = "expire"
    CANCEL = "cancel"  # by the app, or since a sibling failed
    TAKE_BACK = "take_back"  # refused, and the app had taken it back while nobody could tell
    CANCEL_CONFIRMED = "cancel_confirmed"  # cancel_sm_resp ESME_ROK
    RECEIPT_OVERDUE = "receipt_overdue"
    RECEIPT_INTERMEDIATE = "receipt_intermediate"
    RECEIPT_DELIVERED = "receipt_delivered"
    RECEIPT_UNDELIVERABLE = "receipt_undeliverable"
    RECEIPT_EXPIRED = "receipt_expired"
    RECEIPT_CANCELLED = "receipt_cancelled"
    RECEIPT_REJECTED = "receipt_rejected"
    RECEIPT_UNKNOWN = "receipt_unknown"


_S = SegmentState
_RECEIPTS = {
    Move.RECEIPT_DELIVERED: _S.DELIVERED,
    Move.RECEIPT_UNDELIVERABLE: _S.UNDELIVERABLE,
    Move.RECEIPT_EXPIRED: _S.EXPIRED,
    Move.RECEIPT_CANCELLED: _S.CANCELLED,
    Move.RECEIPT_REJECTED: _S.REJECTED,
    Move.RECEIPT_UNKNOWN: _S.UNKNOWN,
}

#: (state, move) -> state. A pair that is not listed leaves the segment where it is and is counted as stale.
#: The rule that is easy to break: a final state never changes, with one exception: UNKNOWN or EXPIRED that our own
#: clock set, or query_sm (see REVISABLE), may be replaced once by a receipt.
TRANSITIONS: dict[tuple[SegmentState, Move], SegmentState] = {
    (_S.QUEUED, Move.CLAIM): _S.IN_FLIGHT,
    (_S.QUEUED, Move.EXPIRE): _S.EXPIRED,
    (_S.QUEUED, Move.CANCEL): _S.CANCELLED,
    # Only where an earlier submit_sm of it was not answered: its receipt came after all (see below too).
    (_S.QUEUED, Move.RECEIPT_INTERMEDIATE): _S.SENT,
    (_S.IN_FLIGHT, Move.RECEIPT_INTERMEDIATE): _S.SENT,
    (_S.IN_FLIGHT, Move.WITHDRAW): _S.QUEUED,
    (_S.IN_FLIGHT, Move.DOUBT): _S.IN_DOUBT,
    (_S.IN_FLIGHT, Move.RESEND): _S.QUEUED,
    **{
        (state, move): target
        for state in (_S.IN_FLIGHT, _S.IN_DOUBT)
        for move, target in {
            Move.ACCEPT: _S.SENT,
            Move.ACCEPT_UNTRACKED: _S.UNTRACKED,
            Move.REQUEUE: _S.QUEUED,
            Move.REROUTE: _S.QUEUED,
            Move.REFUSE: _S.REJECTED,
            Move.GIVE_UP: _S.FAILED,
            Move.TAKE_BACK: _S.CANCELLED,
        }.items()
    },
    (_S.IN_DOUBT, Move.DOUBT_TIMEOUT): _S.UNKNOWN,
    (_S.IN_DOUBT, Move.RECEIPT_INTERMEDIATE): _S.SENT,
    (_S.SENT, Move.RECEIPT_OVERDUE): _S.UNKNOWN,
    (_S.SENT, Move.CANCEL_CONFIRMED): _S.CANCELLED,
    **{
        (state, m): target
        for state in (_S.QUEUED, _S.IN_FLIGHT, _S.SENT, _S.IN_DOUBT, _S.UNKNOWN, _S.EXPIRED)
        for m, target in _RECEIPTS.items()
    },
}

#: The rows that differ while a copy of the segment was written and never answered, apart from the one that the move
#: tells of: the carrier may have it, and to call it unsent would be a guess. It waits IN_DOUBT for a late response, a
#: receipt, or the end of the doubt. Nor does it go to another carrier: REROUTE leaves it with its own.
WHILE_DOUBTFUL: dict[tuple[SegmentState, Move], SegmentState] = {
    (_S.QUEUED, Move.ACCEPT): _S.SENT,
    (_S.QUEUED, Move.ACCEPT_UNTRACKED): _S.UNTRACKED,
    (_S.QUEUED, Move.EXPIRE): _S.IN_DOUBT,
    (_S.QUEUED, Move.CANCEL): _S.IN_DOUBT,
    (_S.IN_FLIGHT, Move.REFUSE): _S.IN_DOUBT,
    (_S.IN_FLIGHT, Move.GIVE_UP): _S.IN_DOUBT,
    (_S.IN_FLIGHT, Move.TAKE_BACK): _S.IN_DOUBT,
    **{
        (_S.IN_DOUBT, move): _S.IN_DOUBT
        for move in (Move.REQUEUE, Move.REROUTE, Move.REFUSE, Move.GIVE_UP, Move.TAKE_BACK, Move.CANCEL)
    },
}


def target_of(state: SegmentState, move: Move, *, doubtful: bool) -> SegmentState | None:
    """Where the move leads, None where it changes nothing."""
    if doubtful and (state, move) in WHILE_DOUBTFUL:
        return WHILE_DOUBTFUL[state, move]
    return TRANSITIONS.get((state, move))


#: What our own clock made UNKNOWN or EXPIRED gives way, once, to a receipt that still comes. So does UNKNOWN from
#: query_sm: an SMSC says so of messages that it has forgotten.
REVISABLE = frozenset(
    {
        (_S.UNKNOWN, Reason.RECEIPT_OVERDUE),
        (_S.UNKNOWN, Reason.DOUBT_TIMEOUT),
        (_S.UNKNOWN, Reason.RECEIPT_QUERIED),
        (_S.EXPIRED, Reason.VALIDITY_EXPIRED),
    }
)


#: What a receipt says. The queue's own word for it: SMPP's is message_state.
ReceiptState = MessageState

#: What a receipt's state does to its segment; states that are not listed are intermediate: history, no move.
RECEIPT_MOVES: dict[ReceiptState, Move] = {
    ReceiptState.DELIVERED: Move.RECEIPT_DELIVERED,
    ReceiptState.EXPIRED: Move.RECEIPT_EXPIRED,
    ReceiptState.DELETED: Move.RECEIPT_CANCELLED,
    ReceiptState.UNDELIVERABLE: Move.RECEIPT_UNDELIVERABLE,
    ReceiptState.UNKNOWN: Move.RECEIPT_UNKNOWN,
    ReceiptState.REJECTED: Move.RECEIPT_REJECTED,
    ReceiptState.SKIPPED: Move.RECEIPT_UNDELIVERABLE,
}

_VERDICT_OF_STATE = {
    _S.DELIVERED: Verdict.DELIVERED,
    _S.UNDELIVERABLE: Verdict.FAILED,
    _S.EXPIRED: Verdict.EXPIRED,
    _S.REJECTED: Verdict.REJECTED,
    _S.CANCELLED: Verdict.CANCELLED,
    _S.FAILED: Verdict.FAILED,
    _S.UNTRACKED: Verdict.SENT,
    _S.UNKNOWN: Verdict.UNKNOWN,
}


def verdict_of(states: Sequence[SegmentState]) -> Verdict | None:
    """The verdict of a message whose segments are in `states` (by part number), None while any is open."""
    if any(state <= _S.SENT for state in states):
        return None
    delivered = sum(state == _S.DELIVERED for state in states)
    if delivered == len(states):
        return Verdict.DELIVERED
    if delivered:
        return Verdict.PARTLY_DELIVERED
    if _S.UNKNOWN in states:
        return Verdict.UNKNOWN
    telling = next((state for state in states if state != _S.CANCELLED), _S.CANCELLED)
    return _VERDICT_OF_STATE[telling]


#: The verdict of a message of one segment, by its final state: what verdict_of would say.
VERDICT_OF_ONE = dict(_VERDICT_OF_STATE)
