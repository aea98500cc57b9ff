"""Receipts in the dialects of real SMSCs, and inbound texts in theirs. Pure.

Owns what ReceiptQuirks and InboundQuirks do to a PDU. Refuses to know when it is sent and to whom.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TypeVar

from simulator.fates import ERROR_CODES, STAT, MessageState
from simulator.ids import former
from simulator.messages import INTERMEDIATE, RECEIPT, Delivery, Injected, Kind, Message, Party, excerpt
from simulator.odd import frame
from simulator.quirks import (
    Addresses,
    Carried,
    IdQuirks,
    InboundQuirks,
    Octets,
    Quirks,
    ReceiptQuirks,
)
from smppgw.smpp import DataSm, DeliverSm, Pdu, Tag, Tlvs

APPENDIX_B = (
    "id:{id} sub:{sub:03d} dlvrd:{dlvrd:03d} submit date:{submitted} done date:{done} "
    "stat:{stat} err:{err} text:{text}"
)
_DATE = "%y%m%d%H%M"
_UCS2 = 8
_UDHI = 0x40
_NATIONAL_TON = 2
_NATIONAL_DIGITS = 10
_MASKED_DIGITS = 4

T = TypeVar("T")
_NOTHING: frozenset[str] = frozenset()


class Mangled(DeliverSm):
    """A deliver_sm whose sm_length says `off` more than there is."""

    __slots__ = ("off",)

    off: int

    def octets(self) -> bytes:
        body = bytearray(super().octets()[16:])
        at = len(self.short_message) + sum(4 + len(value) for value in self.tlvs.values()) + 1
        body[-at] = max(0, body[-at] + self.off)
        return frame(self.command_id, self.sequence_number, bytes(body))


class Dialect:
    """Makes the PDU of a delivery as `quirks` have it; takes the place of messages.straight."""

    def __init__(self, quirks: Quirks) -> None:
        self._quirks = quirks.receipts
        self._inbound = quirks.inbound
        self._id = former(quirks.ids.receipt)
        self._texts = quirks.receipts.texts or (APPENDIX_B,)
        self._dates = quirks.receipts.dates or (_DATE,)
        self._tlvs = tlvs_of(quirks.receipts.tlvs)
        self._inbound_tlvs = tlvs_of(quirks.inbound.tlvs)

    def __call__(self, delivery: Delivery) -> Pdu:
        if delivery.kind is Kind.INBOUND:
            assert isinstance(delivery.pdu, DeliverSm | DataSm)
            return self.inbound(delivery.pdu, delivery.told if isinstance(delivery, Injected) else _NOTHING)
        assert delivery.message is not None
        message = delivery.message
        receipt_id = delivery.receipt_id or self._id(message.number)
        return self.receipt(message, delivery.state, receipt_id, intermediate=delivery.kind is Kind.INTERMEDIATE)

    def inbound(self, pdu: DeliverSm | DataSm, told: frozenset[str] = _NOTHING) -> Pdu:
        """An inbound text; `pdu` is as the standard has it, or as it was ordered: what was `told` stays."""
        changed = _copy(pdu)
        if self._inbound.data_coding is not None and "data_coding" not in told:
            changed.data_coding = self._inbound.data_coding
        for tag, value in self._inbound_tlvs.items():
            changed.tlvs.setdefault(tag, value)
        return (
            changed if isinstance(changed, DataSm) or "carried" in told else _carried(changed, self._inbound.carried)
        )

    def receipt(self, message: Message, state: MessageState, receipt_id: str, *, intermediate: bool) -> Pdu:
        """A report about `message`, which it calls `receipt_id`."""
        quirks = self._quirks
        source, destination = _addresses(message, quirks.addresses)
        pdu = (Mangled if quirks.sm_length_off else DeliverSm)(
            source_addr_ton=source.ton,
            source_addr_npi=source.npi,
            source_addr=source.addr,
            dest_addr_ton=destination.ton,
            dest_addr_npi=destination.npi,
            destination_addr=destination.addr,
            esm_class=self._esm_class(intermediate),
            data_coding=_UCS2 if quirks.ucs2 else 0,
            short_message=quirks.udh + self._text(message, state, receipt_id, intermediate),
        )
        if isinstance(pdu, Mangled):
            pdu.off = quirks.sm_length_off
        self._add_tlvs(pdu, message, state, receipt_id)
        return _carried(pdu, quirks.carried)

    def _esm_class(self, intermediate: bool) -> int:
        if self._quirks.esm_class is not None:
            return self._quirks.esm_class
        return (INTERMEDIATE if intermediate else RECEIPT) | (_UDHI if self._quirks.udh else 0)

    def _text(self, message: Message, state: MessageState, receipt_id: str, intermediate: bool) -> bytes:
        quirks = self._quirks
        done_utc_ms = message.submit_utc_ms if intermediate else message.final_utc_ms
        word = STAT[state]
        text = (
            turn(self._texts, message).format(
                id=receipt_id,
                sub=1,
                dlvrd=int(state is MessageState.DELIVERED),
                submitted=self._date(message, message.submit_utc_ms),
                done=self._date(message, done_utc_ms),
                stat=turn(quirks.words.get(word, (word,)), message),
                err=turn(quirks.errors or (f"{ERROR_CODES[state]:03d}",), message),
                text=excerpt(message),
            )
            + quirks.ending
        )
        return text.encode("utf-16-be") if quirks.ucs2 else text.encode("latin-1", "replace")

    def _date(self, message: Message, utc_ms: int) -> str:
        return time.strftime(turn(self._dates, message), time.gmtime(utc_ms // 1000 + self._quirks.utc_offset_s))

    def _add_tlvs(self, pdu: DeliverSm, message: Message, state: MessageState, receipt_id: str) -> None:
        quirks = self._quirks
        if quirks.id_tlv:
            pdu.tlvs[Tag.RECEIPTED_MESSAGE_ID] = receipt_id.encode("latin-1") + b"\0"
        if quirks.state_tlv:
            pdu.tlvs[Tag.MESSAGE_STATE] = bytes((state,))
        if quirks.network_errors:
            pdu.tlvs[Tag.NETWORK_ERROR_CODE] = turn(quirks.network_errors, message)
        if quirks.reference_tlv and message.reference is not None:
            pdu.tlvs[Tag.USER_MESSAGE_REFERENCE] = message.reference
        pdu.tlvs |= self._tlvs


def has_dialect(quirks: Quirks) -> bool:
    """Whether receipts and inbound texts differ from what messages.straight makes."""
    return (quirks.ids, quirks.receipts, quirks.inbound) != (IdQuirks(), ReceiptQuirks(), InboundQuirks())


def lookalikes(message: Message, quirks: InboundQuirks, receipt_id: str) -> list[DeliverSm]:
    """Inbound texts that look like the receipt of `message`."""
    sender = Party(1, 1, quirks.lookalike_from) if quirks.lookalike_from else message.destination
    date = time.strftime(_DATE, time.gmtime(message.submit_utc_ms // 1000))
    return [
        DeliverSm(
            source_addr_ton=sender.ton,
            source_addr_npi=sender.npi,
            source_addr=sender.addr,
            dest_addr_ton=message.source.ton,
            dest_addr_npi=message.source.npi,
            destination_addr=message.source.addr,
            esm_class=quirks.lookalike_esm_class,
            short_message=text.format(
                id=receipt_id, sub=1, dlvrd=0, submitted=date, done=date, stat="UNDELIV", err="001", text="forged"
            ).encode("latin-1", "replace"),
        )
        for text in quirks.lookalikes
    ]


def tlvs_of(written: Mapping[str, Octets]) -> dict[int, bytes]:
    """TLVs as the settings write them, by tag."""
    return {int(tag, 0): bytes(value) for tag, value in written.items()}


def turn(choices: Sequence[T], message: Message) -> T:
    """The one of `choices` whose turn it is with this message."""
    return choices[message.number % len(choices)]


def _addresses(message: Message, written: Addresses) -> tuple[Party, Party]:
    recipient = message.destination
    if written is Addresses.UNSWAPPED:
        return message.source, recipient
    if written is Addresses.NATIONAL:
        recipient = Party(_NATIONAL_TON, recipient.npi, "0" + recipient.addr[-_NATIONAL_DIGITS:])
    elif written is Addresses.MASKED:
        recipient = recipient._replace(addr=recipient.addr[:-_MASKED_DIGITS] + "X" * _MASKED_DIGITS)
    return recipient, message.source


def _carried(pdu: DeliverSm, how: Carried) -> Pdu:
    if how is Carried.SHORT_MESSAGE:
        return pdu
    if pdu.short_message or Tag.MESSAGE_PAYLOAD not in pdu.tlvs:
        pdu.tlvs[Tag.MESSAGE_PAYLOAD] = pdu.short_message
        pdu.short_message = b""
    if how is Carried.PAYLOAD:
        return pdu
    return DataSm(
        source_addr_ton=pdu.source_addr_ton,
        source_addr_npi=pdu.source_addr_npi,
        source_addr=pdu.source_addr,
        dest_addr_ton=pdu.dest_addr_ton,
        dest_addr_npi=pdu.dest_addr_npi,
        destination_addr=pdu.destination_addr,
        esm_class=pdu.esm_class,
        data_coding=pdu.data_coding,
        tlvs=pdu.tlvs,
    )


def _copy(pdu: DeliverSm | DataSm) -> DeliverSm | DataSm:
    tlvs = Tlvs([*pdu.tlvs.items(), *getattr(pdu.tlvs, "repeats", ())])
    return type(pdu)(**{name: getattr(pdu, name) for name in pdu.fields}, tlvs=tlvs if tlvs.repeats else dict(tlvs))
