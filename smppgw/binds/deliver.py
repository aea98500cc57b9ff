"""From a deliver_sm or data_sm to what the store keeps: a receipt or an inbound text."""

from __future__ import annotations

from smppgw.addresses import Address
from smppgw.queue.model import InboundText, ReceiptRecord, ReceiptState
from smppgw.smpp import DataSm, DataSmResp, DeliverSm, DeliverSmResp, Tag, read_receipt
from smppgw.sms.dcs import decode_text

_UDHI = 0x40  # esm_class, SMPP 3.4, 5.2.12

_STATES: dict[int, ReceiptState] = {state.value: state for state in ReceiptState}


def _visible(text: str) -> str:
    """The store keeps no U+0000; what a carrier sends is shown, not refused."""
    return text.replace("\0", "\u2400") if "\0" in text else text


def read_delivery(pdu: DeliverSm | DataSm) -> ReceiptRecord | InboundText:
    """What the SMSC delivered. Never raises: what cannot be read as a receipt is an inbound text."""
    receipt = read_receipt(pdu)
    if receipt is None:
        return _inbound(pdu)
    return ReceiptRecord(
        smsc_id=_visible(receipt.message_id),
        state=None if receipt.state is None else _STATES.get(receipt.state),
        stat=_visible(receipt.stat),
        error=_visible(receipt.error),
        source_addr=pdu.source_addr,
        destination_addr=pdu.destination_addr,
        raw=receipt.raw,
    )


def _inbound(pdu: DeliverSm | DataSm) -> InboundText:
    octets = pdu.short_message if isinstance(pdu, DeliverSm) else b""
    if not octets:  # SMPP 3.4, 5.3.2.32: the text is in one of the two
        octets = pdu.tlvs.get(Tag.MESSAGE_PAYLOAD) or b""
    return InboundText(
        source=Address(pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr),
        destination=Address(pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr),
        data_coding=pdu.data_coding,
        esm_class=pdu.esm_class,
        octets=octets,
        text=_visible(decode_text(octets, pdu.data_coding, bool(pdu.esm_class & _UDHI))),
    )


def answer(pdu: DeliverSm | DataSm, command_status: int = 0) -> DeliverSmResp | DataSmResp:
    """The response to a delivery; the message_id field of both is unused and empty (SMPP 3.4, 4.6.2)."""
    kind = DeliverSmResp if isinstance(pdu, DeliverSm) else DataSmResp
    return kind(sequence_number=pdu.sequence_number, command_status=command_status)
