"""Operations on what comes from the SMSC: receipts, inbound texts, PDUs that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from smppgw.addresses import Address
from smppgw.queue.model.sending import (
    IdForm,
    Op,
)
from smppgw.queue.model.states import ReceiptState


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
