"""Operations on what is sent: accept, claim, outcomes, doubts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from smppgw.addresses import Address
from smppgw.errors import Refusal
from smppgw.queue.model.states import (
    Lane,
    Reason,
)
from smppgw.sms.encoding import Numbering

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
    dest_addr_subunit: int | None = None  # tells the message class (SMPP 3.4, 5.3.2.1)
    schedule_utc_ms: int | None = None  # not before; the carrier keeps it until then where its settings say so
    sent_text: str | None = None  # what is sent, where characters were replaced
    replaced: tuple[tuple[int, str, str], ...] = ()  # (position in the text given, old, new)

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
            "dest_addr_subunit": self.dest_addr_subunit,
            "schedule_utc_ms": self.schedule_utc_ms,
            "sent_text": self.sent_text,
            "replaced": self.replaced or None,
        }
        return json.dumps({key: one for key, one in value.items() if one is not None})

    @classmethod
    def from_json(cls, text: str) -> Extras:
        value = json.loads(text)
        tlvs = tuple((tag, bytes.fromhex(octets)) for tag, octets in value.pop("tlvs", ()))
        replaced = tuple((at, old, new) for at, old, new in value.pop("replaced", ()))
        return cls(**value, tlvs=tlvs, replaced=replaced)


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
    segments: tuple[bytes, ...]  # short_message of each part, UDH included; its reference is still to come
    registered_delivery: int
    validity_ms: int
    client_ref: str | None = None
    idempotency_key: str | None = None
    digest: bytes = b""  # of the request's item; tells a repeat from a conflict
    alternatives: tuple[str, ...] = ()  # carriers to reroute to, in order; they plan texts alike
    extras: Extras | None = None
    numbering: Numbering = Numbering.NONE
    #: Plans the text anew with a 16-bit reference; None where the carrier takes none, or it needs too many segments.
    widened: Callable[[], tuple[bytes, ...] | None] | None = None
    due_utc_ms: int = 0  # not before
    expires_utc_ms: int = 0  # in place of validity_ms, where its end is a moment that the app named
    #: Why it cannot be accepted any more, unless it was before: then it is a repeat of what is stored.
    repeat_only: Refusal | None = None
    parts: int = 1  # that the handset gets: more than segments of a message_payload; not stored

    def expires(self, now_utc_ms: int) -> int:
        """When it need not be sent any more, if it is accepted now."""
        return self.expires_utc_ms or now_utc_ms + self.validity_ms


class AcceptStatus(StrEnum):
    STORED = "stored"
    REPEATED = "repeated"  # same idempotency key and digest: the id of the first time
    CONFLICT = "conflict"  # same idempotency key, another digest: nothing stored
    NO_REFERENCE = "no_reference"  # it would expire before a reference is free for certain: nothing stored
    NOT_A_REPEAT = "not_a_repeat"  # a repeat is all that it could have been: nothing stored


@dataclass(frozen=True, slots=True)
class Acceptance:
    status: AcceptStatus
    message_id: int
    segments: int


@dataclass(slots=True)
class Accept(Op[list[Acceptance]]):
    """Stores messages; one result for each, in order.

    A message of several parts gets its reference here: one that no other message from its sender to its recipient
    still uses, over all carriers. One is in use until its message is delivered, or has ended and no part of it can be
    on the phone or on the way there, or until `reference_hold_ms` after its validity. When all 256 of 8 bits are, the
    message is `widened` to 16 bits; where that cannot be, it waits (Reason REFERENCES_IN_USE) for one that may be
    free before it expires, and is not stored where none can. A message that is due later waits for that too (Reason
    SCHEDULED).
    """

    messages: Sequence[NewMessage]
    now_utc_ms: int
    reference_hold_ms: int = 86_400_000


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
    capped: bool = False  # one of the caps keeps back something that is due


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
    command_status: int | None = 0  # None: the SMSC said nothing, since the segment fits no submit_sm
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
    rerouted: int = 0  # of those that moved: to another carrier


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
    receipt_timeout_ms: int  # how long after the validity a SENT segment waits for its receipt, or to be asked about
    id_form: IdForm = IdForm.LEARN
    look_after_ms: int = 1 << 53  # and how long after this answer at most


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
