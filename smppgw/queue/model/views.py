"""What the store shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from smppgw.addresses import Address
from smppgw.queue.model.receiving import (
    InboundText,
    Quarantined,
)
from smppgw.queue.model.sending import Extras
from smppgw.queue.model.states import (
    Lane,
    Reason,
    ReceiptState,
    SegmentState,
    Verdict,
)


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
class ParkedReceiptView:
    """A receipt that found no segment so far."""

    receipt_id: int
    carrier: str
    bind: str
    received_utc_ms: int
    done_utc_ms: int | None  # what the SMSC says
    smsc_id: str
    match_id: str  # what is looked for: smsc_id, or what the settings extract of it
    stat: str  # verbatim
    state: ReceiptState | None  # None: a word that nobody knows
    error: str
    source_addr: str  # of the deliver_sm: normally the recipient
    destination_addr: str
    reference: int | None  # user_message_reference
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
    reference: int | None = None  # that its parts have in common
    scheduled_utc_ms: int | None = None  # the store keeps it until then
    data_coding: int = 0
    esm_class: int = 0


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
    oldest_queued_utc_ms: int | None  # when the first of them became due, or will: while all wait for their time
    oldest_parked_utc_ms: int | None = None
    quarantined: int = 0  # PDUs that are kept
