"""A message the SMSC has taken, and the deliver_sm made from it.

Owns what a receipt says. Refuses to know when it is sent and to whom.
"""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from simulator.fates import ERROR_CODES, STAT, MessageState
from smppgw.smpp import DeliverSm, Tag
from smppgw.smpp.receipts import format_receipt

if TYPE_CHECKING:
    from simulator.outbox import Receiver

_RECEIPT = 0x04  # esm_class of deliver_sm (SMPP 3.4, 5.2.12)
_INTERMEDIATE = 0x20
_UDHI = 0x40
_UCS2 = 8
_RECEIPT_TEXT_OCTETS = 20  # SMPP 3.4, Appendix B: the first 20 characters of the message
_VISIBLE = bytes(octet if 0x20 <= octet < 0x7F else 0x2E for octet in range(256))


class Party(NamedTuple):
    """An address as the ESME wrote it."""

    ton: int
    npi: int
    addr: str


class Message:
    """One message to one destination. `state` is the state it is bound to reach at `final_utc_ms`."""

    __slots__ = (
        "data_coding",
        "destination",
        "esm_class",
        "final_utc_ms",
        "message_id",
        "octets",
        "receipt_planned",
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
        self.receipt_planned = False  # a receipt is due, or made and not acknowledged
        self.scheduled = False  # the agenda will ask for its receipt
        self.settled = False  # it has reached its state: no further reports

    def state_at(self, utc_ms: int) -> MessageState:
        return self.state if utc_ms >= self.final_utc_ms else MessageState.ENROUTE


class Kind(StrEnum):
    """What a deliver_sm of ours is; the ledger's words with `_acked` behind them."""

    RECEIPT = "receipt"
    INTERMEDIATE = "intermediate"
    INBOUND = "inbound"


class Delivery:
    """One deliver_sm to be sent until it is acknowledged: a report about `message`, or the given `pdu`.

    `waiting` while it is in its outbox or on the agenda; otherwise it is on its way over `sent_over`.
    """

    __slots__ = ("acked", "attempts", "kind", "message", "pdu", "sent_over", "state", "system_id", "waiting")

    def __init__(
        self,
        kind: Kind,
        system_id: str,
        *,
        message: Message | None = None,
        state: MessageState = MessageState.ENROUTE,
        pdu: DeliverSm | None = None,
    ) -> None:
        self.kind = kind
        self.system_id = system_id
        self.message = message
        self.state = state
        self.pdu = pdu
        self.attempts = 0
        self.acked = False
        self.waiting = False
        self.sent_over: Receiver | None = None

    def deliver_sm(self) -> DeliverSm:
        """The PDU to send; its sequence_number is set by the session."""
        if self.pdu is not None:
            return self.pdu
        assert self.message is not None
        return report(self.message, self.state, intermediate=self.kind is Kind.INTERMEDIATE)

    @property
    def message_id(self) -> str:
        return self.message.message_id if self.message is not None else ""


def report(message: Message, state: MessageState, *, intermediate: bool) -> DeliverSm:
    """A delivery receipt or intermediate notification: text of Appendix B, receipted_message_id, message_state."""
    source, destination = message.destination, message.source
    return DeliverSm(
        source_addr_ton=source.ton,
        source_addr_npi=source.npi,
        source_addr=source.addr,
        dest_addr_ton=destination.ton,
        dest_addr_npi=destination.npi,
        destination_addr=destination.addr,
        esm_class=_INTERMEDIATE if intermediate else _RECEIPT,
        short_message=format_receipt(
            message_id=message.message_id,
            sub=1,
            dlvrd=1 if state is MessageState.DELIVERED else 0,
            submit_utc_ms=message.submit_utc_ms,
            done_utc_ms=message.submit_utc_ms if intermediate else message.final_utc_ms,
            stat=STAT[state],
            err=f"{ERROR_CODES[state]:03d}",
            text=_excerpt(message),
        ),
        tlvs={
            Tag.RECEIPTED_MESSAGE_ID: message.message_id.encode("latin-1") + b"\0",
            Tag.MESSAGE_STATE: bytes((state,)),
        },
    )


def _excerpt(message: Message) -> str:
    """The first 20 characters, what is not plain ASCII as a dot: a receipt's text has no data_coding of its own."""
    octets = message.octets
    if message.esm_class & _UDHI and octets:
        octets = octets[1 + octets[0] :]
    if message.data_coding == _UCS2:
        text = octets[: 2 * _RECEIPT_TEXT_OCTETS].decode("utf-16-be", "replace")
        octets = text.encode("ascii", "replace")
    return octets[:_RECEIPT_TEXT_OCTETS].translate(_VISIBLE).decode("ascii")


def absolute_time(utc_ms: int) -> str:
    """SMPP absolute time in UTC: YYMMDDhhmmsstnnp (SMPP 3.4, 7.1.1)."""
    tenths = utc_ms // 100 % 10
    return time.strftime("%y%m%d%H%M%S", time.gmtime(utc_ms // 1000)) + f"{tenths}00+"
