"""What the queue knows: messages, segments, their states, and the operations of the store.

Owns the segment's state machine (`TRANSITIONS`), the verdict rule, ids, and the `Store` protocol that the binds and
the API are written against. Refuses to know SQL, sockets and clocks: times are arguments.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Generic, Protocol, TypeVar

from smppgw.addresses import Address
from smppgw.smpp.constants import MessageState

# ---------------------------------------------------------------------------------------------------------------- #
# Words
# ---------------------------------------------------------------------------------------------------------------- #


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
    CANCEL = "cancel"
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
#: clock set (see OWN_CLOCK) may be replaced once by a receipt.
TRANSITIONS: dict[tuple[SegmentState, Move], SegmentState] = {
    (_S.QUEUED, Move.CLAIM): _S.IN_FLIGHT,
    (_S.QUEUED, Move.EXPIRE): _S.EXPIRED,
    (_S.QUEUED, Move.CANCEL): _S.CANCELLED,
    # Only where it waits to be sent again after a doubt: the answer to the earlier submit_sm came after all, or its
    # receipt (see below).
    (_S.QUEUED, Move.ACCEPT): _S.SENT,
    (_S.QUEUED, Move.ACCEPT_UNTRACKED): _S.UNTRACKED,
    (_S.QUEUED, Move.RECEIPT_INTERMEDIATE): _S.SENT,
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
        }.items()
    },
    (_S.IN_DOUBT, Move.DOUBT_TIMEOUT): _S.UNKNOWN,
    (_S.IN_DOUBT, Move.RECEIPT_INTERMEDIATE): _S.SENT,
    (_S.SENT, Move.RECEIPT_OVERDUE): _S.UNKNOWN,
    (_S.SENT, Move.CANCEL_CONFIRMED): _S.CANCELLED,
    **{
        (state, m): target
        for state in (_S.QUEUED, _S.SENT, _S.IN_DOUBT, _S.UNKNOWN, _S.EXPIRED)
        for m, target in _RECEIPTS.items()
    },
}

#: Reasons set by our own clock: UNKNOWN or EXPIRED with one of these gives way, once, to a receipt that still comes.
OWN_CLOCK = frozenset({Reason.RECEIPT_OVERDUE, Reason.DOUBT_TIMEOUT, Reason.VALIDITY_EXPIRED})


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


# ---------------------------------------------------------------------------------------------------------------- #
# Ids: 42 bits of milliseconds, 13 of sequence; a segment's id is its message's with 8 bits of part number below, so
# both append to their tables and finding one from the other needs no index.
# ---------------------------------------------------------------------------------------------------------------- #

_PART_BITS = 8
_SEQUENCE_BITS = 13
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_ID_LETTERS = 11


class IdSource:
    """Rising message ids. Past 8,192 in one millisecond they run ahead of the clock rather than repeat."""

    def __init__(self, last: int = 0) -> None:
        self._last = last

    def take(self, count: int, now_utc_ms: int) -> range:
        """`count` consecutive ids, all above every id given before, even when the clock steps back."""
        first = max(self._last + 1, now_utc_ms << _SEQUENCE_BITS)
        self._last = first + count - 1
        return range(first, first + count)


def format_id(message_id: int) -> str:
    """The public form of a message id: 11 letters and digits that sort by time."""
    pairs = _PAIRS
    return (
        _ALPHABET[message_id >> 50 & 31]
        + pairs[message_id >> 40 & 1023]
        + pairs[message_id >> 30 & 1023]
        + pairs[message_id >> 20 & 1023]
        + pairs[message_id >> 10 & 1023]
        + pairs[message_id & 1023]
    )


def parse_id(text: str) -> int | None:
    """The message id behind its public form, None when it cannot be one."""
    if len(text) != _ID_LETTERS:
        return None
    number = 0
    for letter in text.lower():
        value = _VALUE.get(letter)
        if value is None:
            return None
        number = number << 5 | value
    return number


def message_id_at(utc_ms: int) -> int:
    """The lowest message id that can have been given at `utc_ms`: turns a time range into an id range."""
    return utc_ms << _SEQUENCE_BITS


def segment_id(message_id: int, part: int) -> int:
    """Id of part `part` (from 1)."""
    return message_id << _PART_BITS | part


def message_id_of(segment: int) -> int:
    return segment >> _PART_BITS


def part_of(segment: int) -> int:
    return segment & 0xFF


def reference_of(segment: int) -> int:
    """The user_message_reference (SMPP 3.4, 5.3.2.17) of a segment's submit_sm: 1 to 0xFFFF, always the same.

    Multiples of the golden ratio: thousands of messages in a row, and the parts of each, have references of their
    own. Others may share one, so it tells nothing without the addresses.
    """
    return ((segment * 0x9E3779B97F4A7C15 >> 48) & 0xFFFF) * 0xFFFF // 0x10000 + 1


# ---------------------------------------------------------------------------------------------------------------- #
# Operations: what the store does, each on a batch. An operation carries its own result once it is committed.
# ---------------------------------------------------------------------------------------------------------------- #

R = TypeVar("R")


@dataclass(slots=True)
class Op(Generic[R]):
    """One operation on the store. `result` is set when `Store.commit` returns."""

    result: R = field(init=False, repr=False, compare=False)


# Values made once per message are not frozen: a frozen dataclass takes three times as long to make. None is changed.


@dataclass(frozen=True, slots=True)
class Extras:
    """What few messages have: fields and TLVs of their submit_sm beside those of the carrier's settings."""

    service_type: str | None = None
    protocol_id: int | None = None
    priority_flag: int | None = None
    replace_if_present: bool = False
    tlvs: tuple[tuple[int, bytes], ...] = ()  # (tag, value), in their order
    sar_reference: int | None = None  # the parts are told by SAR TLVs (SMPP 3.4, 5.3.2.22 ff.)
    payload: bool = False  # the octets travel as message_payload

    def as_json(self) -> str:
        """The stored form: only what is set."""
        value = {
            "service_type": self.service_type,
            "protocol_id": self.protocol_id,
            "priority_flag": self.priority_flag,
            "replace_if_present": self.replace_if_present or None,
            "tlvs": [[tag, octets.hex()] for tag, octets in self.tlvs] or None,
            "sar_reference": self.sar_reference,
            "payload": self.payload or None,
        }
        return json.dumps({key: one for key, one in value.items() if one is not None})

    @classmethod
    def from_json(cls, text: str) -> Extras:
        value = json.loads(text)
        tlvs = tuple((tag, bytes.fromhex(octets)) for tag, octets in value.pop("tlvs", ()))
        return cls(**value, tlvs=tlvs)


@dataclass(slots=True)
class NewMessage:
    """A message that passed every check: planned, routed, ready to be stored."""

    account: str
    carrier: str
    lane: Lane
    source: Address
    destination: Address
    text: str
    alphabet: str
    data_coding: int
    esm_class: int
    segments: tuple[bytes, ...]  # short_message of each part, UDH included
    registered_delivery: int
    validity_ms: int
    client_ref: str | None = None
    idempotency_key: str | None = None
    digest: bytes = b""  # of the request's item; tells a repeat from a conflict
    alternatives: tuple[str, ...] = ()  # carriers to reroute to, in order; they plan texts alike
    extras: Extras | None = None


class AcceptStatus(StrEnum):
    STORED = "stored"
    REPEATED = "repeated"  # same idempotency key and digest: the id of the first time
    CONFLICT = "conflict"  # same idempotency key, another digest: nothing stored


@dataclass(frozen=True, slots=True)
class Acceptance:
    status: AcceptStatus
    message_id: int
    segments: int


@dataclass(slots=True)
class Accept(Op[list[Acceptance]]):
    """Stores messages; one result for each, in order."""

    messages: Sequence[NewMessage]
    now_utc_ms: int


@dataclass(slots=True)
class ClaimedSegment:
    """All that a submit_sm needs. Its IN_FLIGHT is on disk before the caller sees it."""

    segment_id: int
    claim: int  # how often it has been claimed, this time included: tells an answer to this submit_sm from others
    lane: Lane
    source: Address
    destination: Address
    octets: bytes
    data_coding: int
    esm_class: int
    registered_delivery: int
    accepted_utc_ms: int
    expires_utc_ms: int
    attempts: int
    parts: int = 1  # of its message
    extras: Extras | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """A limit of the account for one calendar minute, hour or day, which is counted on disk."""

    key: str  # of the limit, such as "day/2000"
    count: int
    by_sender: bool
    start_utc_ms: int  # of the span that it is now
    end_utc_ms: int


@dataclass(frozen=True, slots=True)
class Claimed:
    segments: list[ClaimedSegment]
    #: When there may be more: the earliest segment of this carrier that waits for its time becomes due, or a cap that
    #: is used up begins anew. None when nothing waits.
    next_due_utc_ms: int | None


@dataclass(slots=True)
class Claim(Op[Claimed]):
    """QUEUED -> IN_FLIGHT for up to `limit` segments that are due, otp first, oldest first.

    Segments past their validity become EXPIRED instead. Segments to a recipient in `held` are put off until the
    time given there, those of a sender that has used up one of the `caps` until the end of its span. The caps hold
    for all binds of the carrier and for every lane, otp too; each claim counts, unless it is withdrawn.
    """

    carrier: str
    bind: str
    limit: int
    now_utc_ms: int
    held: Mapping[str, int] = field(default_factory=dict)
    caps: Sequence[Cap] = ()


class OutcomeKind(StrEnum):
    """What a submit_sm_resp means for its segment. Decided by smppgw/binds/outcome.py."""

    ACCEPTED = "accepted"
    THROTTLED = "throttled"  # back to its place, not counted as an attempt
    DELAYED = "delayed"  # back, due at `due_utc_ms`, not counted
    PAUSED = "paused"  # back to its place, not counted; the bind pauses and raises an alarm
    RETRY = "retry"  # back, due by the retry plan, counted
    REROUTED = "rerouted"  # to the message's next carrier; RETRY where there is none or a sibling is not QUEUED
    REJECTED = "rejected"  # for good


@dataclass(slots=True)
class SubmitOutcome:
    segment_id: int
    claim: int  # of the ClaimedSegment that was answered
    kind: OutcomeKind
    command_status: int = 0
    smsc_id: str = ""
    due_utc_ms: int = 0


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """The n-th retry waits min(first_s * factor**(n-1), max_s), spread by the jitter; none after `max_attempts`."""

    first_s: float = 5.0
    factor: float = 3.0
    max_s: float = 900.0
    max_attempts: int = 8


@dataclass(frozen=True, slots=True)
class OutcomesRecorded:
    moved: int
    stale: int  # outcomes of a claim that was settled otherwise before


class IdForm(StrEnum):
    """How the id in receipts relates to the one in the response; the values are those of the `ids` settings."""

    LEARN = "learn"
    SAME = "same"
    HEX_DEC = "hex_dec"
    DEC_HEX = "dec_hex"


@dataclass(slots=True)
class RecordOutcomes(Op[OutcomesRecorded]):
    """Records the answers of one read; parked receipts whose id appears now find their segment here."""

    carrier: str
    bind: str
    outcomes: Sequence[SubmitOutcome]
    now_utc_ms: int
    retry: RetryPlan
    receipt_timeout_ms: int  # how long after the validity a SENT segment waits for its receipt
    id_form: IdForm = IdForm.LEARN


@dataclass(slots=True)
class Withdraw(Op[int]):
    """Claimed, but nothing of it reached the socket: back to QUEUED in its old place. Result: how many moved."""

    carrier: str
    bind: str
    segments: Sequence[tuple[int, int]]  # (segment_id, claim)
    now_utc_ms: int


@dataclass(slots=True)
class Doubt(Op[int]):
    """Written, not answered: IN_DOUBT. Result: how many moved.

    Where the operator chose to send again, `resend` is the retry plan: QUEUED, due by the plan and counted as an
    attempt; once the attempts are used up, IN_DOUBT after all.
    """

    carrier: str
    bind: str
    segments: Sequence[tuple[int, int]]  # (segment_id, claim)
    reason: Reason
    now_utc_ms: int
    doubt_timeout_ms: int
    resend: RetryPlan | None = None


@dataclass(slots=True)
class ReceiptRecord:
    """One delivery receipt as received."""

    smsc_id: str
    state: ReceiptState | None  # None: a state nobody knows; kept verbatim in `stat`
    stat: str
    error: str
    source_addr: str  # of the deliver_sm: normally the recipient of the message
    destination_addr: str
    raw: bytes
    match_id: str | None = None  # what to look for instead of smsc_id: the settings extract it
    done_utc_ms: int | None = None  # done date, by the settings' time zone
    user_message_reference: int | None = None
    flags: str = ""  # names of ReceiptFlag, with commas between
    tlvs: str = ""  # those the gateway does not use: JSON, [[tag, "hex"], ...]
    #: It has neither receipt bits nor receipt TLVs: a receipt only if its id is that of an open segment whose
    #: recipient is its sender. Otherwise this is the inbound text that it is.
    sniffed: InboundText | None = None


class ReceiptFlag(StrEnum):
    """What was odd about a receipt that found its segment all the same. Shown with it, and counted."""

    STATES_DISAGREE = "states_disagree"  # message_state and stat; the TLV won
    STATE_UNKNOWN = "state_unknown"  # a stat that no table lists
    ADDRESS_DIFFERS = "address_differs"  # matched by its id alone
    ID_CONVERTED = "id_converted"  # matched by another form of its id
    SNIFFED = "sniffed"  # told by its text alone


@dataclass(frozen=True, slots=True)
class ReceiptsRecorded:
    matched: int
    parked: int
    inbound: int = 0  # sniffed ones that turned out to be inbound texts
    flags: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class RecordReceipts(Op[ReceiptsRecorded]):
    """Records receipts and moves their segments; those that match nothing are parked. Scope: the carrier."""

    carrier: str
    bind: str
    receipts: Sequence[ReceiptRecord]
    now_utc_ms: int
    id_form: IdForm = IdForm.LEARN


@dataclass(frozen=True, slots=True)
class InboundText:
    """A deliver_sm or data_sm that is not a receipt."""

    source: Address
    destination: Address
    data_coding: int
    esm_class: int
    octets: bytes  # short_message or message_payload, UDH included
    text: str  # as far as it could be decoded
    tlvs: str = ""  # all of them but message_payload: JSON, [[tag, "hex"], ...]
    #: The id in a text that looks like a receipt on a carrier that may be sniffed (see ReceiptRecord.sniffed).
    sniff_id: str = ""


@dataclass(frozen=True, slots=True)
class InboundRecorded:
    ids: list[int]  # of each text; that of its twin where it was a redelivery
    redelivered: int


@dataclass(slots=True)
class RecordInbound(Op[InboundRecorded]):
    """Stores inbound texts. A text is a redelivery, and not stored again, when its twin (same carrier, addresses,
    octets, esm_class, data_coding) is not settled and came over a session that has ended, or was answered late.

    `session` names the session they came over, `alive` all sessions of the carrier that are open now.
    """

    carrier: str
    bind: str
    texts: Sequence[InboundText]
    now_utc_ms: int
    session: int = 0
    alive: Sequence[int] = ()


@dataclass(slots=True)
class SettleInbound(Op[None]):
    """`settled`: the SMSC has the answer for certain; `late`: it was answered, but so late that it may come again."""

    settled: Sequence[int]
    late: Sequence[int]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A PDU that could not be read, or that the state did not allow."""

    command_id: int
    sequence_number: int
    command_status: int  # what it was answered with; of a response: what its header said
    field: str
    error: str
    frame: bytes


@dataclass(slots=True)
class Quarantine(Op[None]):
    """Keeps bad PDUs for people to look at: the newest `keep` of the carrier."""

    carrier: str
    bind: str
    pdus: Sequence[Quarantined]
    now_utc_ms: int
    keep: int = 1000


class ErrandKind(IntEnum):
    """What is to be asked of the SMSC about a SENT segment. The value is stored."""

    QUERY = 1  # query_sm
    CANCEL = 2  # cancel_sm


@dataclass(frozen=True, slots=True)
class Errand:
    segment_id: int
    kind: ErrandKind
    smsc_id: str
    source: Address
    destination: Address


@dataclass(slots=True)
class TakeErrands(Op[list[Errand]]):
    """Takes up to `limit` errands of the carrier off the list: each is run once, then asked for anew if need be."""

    carrier: str
    limit: int
    now_utc_ms: int


@dataclass(frozen=True, slots=True)
class ErrandDone:
    """The answer to an errand. `state` and `error`: of query_sm_resp; a status other than 0 moves nothing."""

    segment_id: int
    kind: ErrandKind
    command_status: int
    state: ReceiptState | None = None
    error: str = ""


@dataclass(slots=True)
class RecordErrands(Op[int]):
    """Result: how many segments moved."""

    carrier: str
    bind: str
    done: Sequence[ErrandDone]
    now_utc_ms: int


class CancelStatus(StrEnum):
    CANCELLED = "cancelled"  # nothing of it was sent, and nothing will be
    ASKED = "asked"  # the carrier was, or will be, asked by cancel_sm
    TOO_LATE = "too_late"  # final already, or being sent at this moment
    UNKNOWN = "unknown"  # no such message of this account


@dataclass(slots=True)
class Cancel(Op[CancelStatus]):
    """An app takes a message back: queued segments at once; SENT ones by cancel_sm."""

    message_id: int
    account: str
    now_utc_ms: int


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """An overdue receipt is asked for `attempts` times by query_sm, so long apart, before the segment is UNKNOWN."""

    attempts: int
    interval_ms: int


@dataclass(slots=True)
class Recover(Op[int]):
    """At start: what an earlier process left IN_FLIGHT was written but not answered. Result: how many moved."""

    now_utc_ms: int
    doubt_timeout_ms: Mapping[str, int]  # by carrier
    resend: Mapping[str, RetryPlan]  # the carriers with on_doubt = "resend"
    default_doubt_timeout_ms: int = 86_400_000


@dataclass(frozen=True, slots=True)
class Swept:
    expired: int
    doubt_timeout: int
    receipt_overdue: int
    more: bool  # the limit was reached: sweep again soon


@dataclass(slots=True)
class Sweep(Op[Swept]):
    """Resolves doubts by parked receipts; moves what is past its deadline, at most `limit` segments of each kind."""

    now_utc_ms: int
    doubt_match_ms: Mapping[str, int] = field(default_factory=dict)  # by carrier: how old a doubt may be
    limit: int = 1000
    query: Mapping[str, QueryPlan] = field(default_factory=dict)  # the carriers that can be asked by query_sm


@dataclass(slots=True)
class Probe(Op[None]):
    """Writes 64 KiB and takes them back: whether a disk that was full takes data again."""


# ---------------------------------------------------------------------------------------------------------------- #
# What the store shows
# ---------------------------------------------------------------------------------------------------------------- #


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    at_utc_ms: int
    part: int  # 0: the whole message
    state: SegmentState | None  # None for entries that moved nothing
    reason: Reason
    bind: str
    detail: str


@dataclass(frozen=True, slots=True)
class SegmentView:
    part: int
    state: SegmentState
    reason: Reason
    octets: bytes
    smsc_id: str | None
    bind: str | None
    attempts: int
    command_status: int | None
    submitted_utc_ms: int | None
    answered_utc_ms: int | None
    final_utc_ms: int | None
    due_utc_ms: int


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A receipt that found its segment, as it came and with what it did."""

    part: int
    received_utc_ms: int
    done_utc_ms: int | None  # what the SMSC says
    bind: str
    smsc_id: str
    stat: str  # verbatim
    state: ReceiptState | None  # None: a word that nobody knows
    error: str
    reason: Reason  # what it did: see matcher.effect_of
    source_addr: str  # of the deliver_sm: normally the recipient
    destination_addr: str
    flags: tuple[str, ...]  # names of ReceiptFlag
    tlvs: str  # those the gateway does not use: JSON, [[tag, "hex"], ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class MessageView:
    message_id: int
    account: str
    carrier: str
    lane: Lane
    source: Address
    destination: Address
    text: str
    alphabet: str
    client_ref: str | None
    accepted_utc_ms: int
    expires_utc_ms: int
    final_utc_ms: int | None
    first_submitted_utc_ms: int | None
    verdict: Verdict | None
    segment_count: int
    segments: list[SegmentView]  # empty in lists
    history: list[HistoryEntry]  # empty in lists
    receipts: list[ReceiptView] = field(default_factory=list)  # every one, in the order they came; empty in lists
    alternatives: tuple[str, ...] = ()  # carriers that it may still be rerouted to
    extras: Extras | None = None


@dataclass(frozen=True, slots=True)
class InboundView:
    inbound_id: int
    carrier: str
    bind: str
    received_utc_ms: int
    message: InboundText


@dataclass(frozen=True, slots=True)
class IdRelationView:
    """What is known of the ids in a carrier's receipts: `hex -> dec, 412 of 412 matched`."""

    carrier: str
    relation: str  # "same", "hex -> dec", "dec -> hex"; "" while nothing is known
    pinned: bool
    matched: int  # receipts that found their segment by this relation
    total: int  # receipts since it was learned


@dataclass(frozen=True, slots=True)
class QuarantineView:
    quarantine_id: int
    carrier: str
    bind: str
    received_utc_ms: int
    pdu: Quarantined


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """Newest first. `before` is a message id: the page goes on below it."""

    account: str | None = None
    recipient: str | None = None
    verdict: Verdict | None = None
    open_only: bool = False
    client_ref: str | None = None
    since_utc_ms: int | None = None
    until_utc_ms: int | None = None
    before: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Depths:
    """How much lies in the store, open states only."""

    queued: Mapping[tuple[str, Lane], int]  # by carrier and lane
    in_flight: Mapping[str, int]  # by carrier
    in_doubt: Mapping[str, int]
    sent: Mapping[str, int]
    parked_receipts: int
    oldest_queued_utc_ms: int | None
    oldest_parked_utc_ms: int | None = None


class Work(Protocol):
    """Tells a bind that something may have become QUEUED for its carrier."""

    @property
    def version(self) -> int: ...

    async def changed(self, since: int) -> None:
        """Returns once `version` differs from `since`."""
        ...


class Store(Protocol):
    """The one interface to the durable truth. All methods are for trio tasks."""

    async def commit(self, *ops: Op[Any]) -> None:
        """Runs the operations in order in one transaction, together with those of other callers (group commit).

        Returns once they are on disk. Raises StoreUnavailable or StoreError, and then nothing of them was kept.
        """
        ...

    def work(self, carrier: str) -> Work: ...

    async def message(self, message_id: int) -> MessageView | None: ...

    async def messages(self, query: MessageQuery) -> list[MessageView]: ...

    async def inbound(self, *, before: int | None, limit: int) -> list[InboundView]: ...

    async def quarantine(self, *, before: int | None, limit: int) -> list[QuarantineView]: ...

    async def id_relations(self) -> list[IdRelationView]: ...

    async def depths(self) -> Depths: ...
