"""A message the SMSC has taken, and the deliver_sm made from it.

Owns what a receipt says. Refuses to know when it is sent and to whom.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from simulator.fates import ERROR_CODES, STAT, MessageState
from smppgw.smpp import DataSm, DeliverSm, Pdu, Tag
from smppgw.smpp.receipts import format_receipt
from smppgw.sms import dcs
from smppgw.sms.encoding import Alphabet

if TYPE_CHECKING:
    from simulator.outbox import Receiver
    from simulator.plans import Plan

RECEIPT = 0x04  # esm_class of deliver_sm (SMPP 3.4, 5.2.12)
INTERMEDIATE = 0x20
_UDHI = 0x40
_RECEIPT_TEXT_OCTETS = 20  # SMPP 3.4, Appendix B: the first 20 characters of the message
_VISIBLE = bytes(octet if 0x20 <= octet < 0x7F else 0x2E for octet in range(256))


class Party(NamedTuple):
    """An address as the ESME wrote it."""

    ton: int
    npi: int
    addr: str


class Message:
    """One message to one destination. `state` is the state it is bound to reach at `final_utc_ms`.

    `number` is what its ids are made from, `reference` its user_message_reference, `link` the number of the
    connection it came over, `plan` what was in force when it was taken; None is the straight SMSC.
    """

    __slots__ = (
        "data_coding",
        "destination",
        "esm_class",
        "final_utc_ms",
        "link",
        "message_id",
        "number",
        "octets",
        "plan",
        "receipt_planned",
        "reference",
        "registered_delivery",
        "scheduled",
        "settled",
        "source",
        "state",
        "submit_utc_ms",
        "system_id",
    )

    def __init__(
        self,
        message_id: str,
        system_id: str,
        source: Party,
        destination: Party,
        *,
        octets: bytes,
        data_coding: int,
        esm_class: int,
        registered_delivery: int,
        submit_utc_ms: int,
        final_utc_ms: int,
        state: MessageState,
        number: int = 0,
        reference: bytes | None = None,
        link: int = 0,
        plan: Plan | None = None,
    ) -> None:
        self.message_id = message_id
        self.system_id = system_id
        self.source = source
        self.destination = destination
        self.octets = octets
        self.data_coding = data_coding
        self.esm_class = esm_class
        self.registered_delivery = registered_delivery
        self.submit_utc_ms = submit_utc_ms
        self.final_utc_ms = final_utc_ms
        self.state = state
        self.number = number
        self.reference = reference
        self.link = link
        self.plan = plan
        self.receipt_planned = False  # a receipt is due, or made and not acknowledged
        self.scheduled = False  # the agenda will ask for its receipt
        self.settled = False  # it has reached its state: no further reports

    def state_at(self, utc_ms: int) -> MessageState:
        return self.state if utc_ms >= self.final_utc_ms else MessageState.ENROUTE


class Kind(StrEnum):
    """What a deliver_sm of ours is; the ledger's words with `_acked` behind them."""

    RECEIPT = "receipt"
    INTERMEDIATE = "intermediate"
    REPEATED = "repeated"  # a receipt after the first
    FOREIGN = "foreign"  # a receipt that is not the message's
    INBOUND = "inbound"


class Delivery:
    """One deliver_sm to be sent until it is acknowledged: a report about `message`, or the given `pdu`.

    `receipt_id` is what a FOREIGN one calls its message.

    `waiting` while it is in its outbox or on the agenda; otherwise it is on its way over `sent_over`.
    """

    __slots__ = (
        "acked",
        "attempts",
        "kind",
        "message",
        "pdu",
        "receipt_id",
        "sent_over",
        "state",
        "system_id",
        "waiting",
    )

    def __init__(
        self,
        kind: Kind,
        system_id: str,
        *,
        message: Message | None = None,
        state: MessageState = MessageState.ENROUTE,
        pdu: Pdu | None = None,
        receipt_id: str = "",
    ) -> None:
        self.kind = kind
        self.system_id = system_id
        self.message = message
        self.state = state
        self.pdu = pdu
        self.receipt_id = receipt_id
        self.attempts = 0
        self.acked = False
        self.waiting = False
        self.sent_over: Receiver | None = None

    @property
    def message_id(self) -> str:
        return self.message.message_id if self.message is not None else ""

    def parties(self) -> tuple[str, str]:
        """Source and destination: of the message reported on, or of the text itself."""
        if self.message is not None:
            return self.message.source.addr, self.message.destination.addr
        if isinstance(self.pdu, DeliverSm | DataSm):
            return self.pdu.source_addr, self.pdu.destination_addr
        return "", ""


class Injected(Delivery):
    """A part of an inbound text that was ordered: its number, and what of its PDU was `told`, which no scenario may
    change: "data_coding", "carried"."""

    __slots__ = ("part", "told")

    def __init__(self, system_id: str, pdu: Pdu, part: int, told: frozenset[str]) -> None:
        super().__init__(Kind.INBOUND, system_id, pdu=pdu)
        self.part = part
        self.told = told


Build = Callable[[Delivery], Pdu]
"""Makes the PDU to send; its sequence_number is set by the session."""


def straight(delivery: Delivery) -> Pdu:
    """The PDU of a delivery as the standard wants it."""
    if delivery.pdu is not None:
        return delivery.pdu
    assert delivery.message is not None
    return report(delivery.message, delivery.state, intermediate=delivery.kind is Kind.INTERMEDIATE)


def report(message: Message, state: MessageState, *, intermediate: bool) -> DeliverSm:
    """A delivery receipt or intermediate notification: text of Appendix B, receipted_message_id, message_state."""
    source, destination = message.destination, message.source
    tlvs: dict[int, bytes] = {
        Tag.RECEIPTED_MESSAGE_ID: message.message_id.encode("latin-1") + b"\0",
        Tag.MESSAGE_STATE: bytes((state,)),
    }
    if message.reference is not None:
        tlvs[Tag.USER_MESSAGE_REFERENCE] = message.reference
    return DeliverSm(
        source_addr_ton=source.ton,
        source_addr_npi=source.npi,
        source_addr=source.addr,
        dest_addr_ton=destination.ton,
        dest_addr_npi=destination.npi,
        destination_addr=destination.addr,
        esm_class=INTERMEDIATE if intermediate else RECEIPT,
        short_message=format_receipt(
            message_id=message.message_id,
            sub=1,
            dlvrd=1 if state is MessageState.DELIVERED else 0,
            submit_utc_ms=message.submit_utc_ms,
            done_utc_ms=message.submit_utc_ms if intermediate else message.final_utc_ms,
            stat=STAT[state],
            err=f"{ERROR_CODES[state]:03d}",
            text=excerpt(message),
        ),
        tlvs=tlvs,
    )


def excerpt(message: Message) -> str:
    """The first 20 characters, what is not plain ASCII as a dot: a receipt's text has no data_coding of its own."""
    octets = message.octets
    if message.esm_class & _UDHI and octets:
        octets = octets[1 + octets[0] :]
    if dcs.describe(message.data_coding).alphabet is Alphabet.UCS2:
        text = octets[: 2 * _RECEIPT_TEXT_OCTETS].decode("utf-16-be", "replace")
        octets = text.encode("ascii", "replace")
    return octets[:_RECEIPT_TEXT_OCTETS].translate(_VISIBLE).decode("ascii")


def absolute_time(utc_ms: int) -> str:
    """SMPP absolute time in UTC: YYMMDDhhmmsstnnp (SMPP 3.4, 7.1.1)."""
    tenths = utc_ms // 100 % 10
    return time.strftime("%y%m%d%H%M%S", time.gmtime(utc_ms // 1000)) + f"{tenths}00+"
