"""From a deliver_sm or data_sm to what the store keeps: a receipt or an inbound text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from smppgw.addresses import Address
from smppgw.queue.model import InboundText, ReceiptRecord, ReceiptState
from smppgw.smpp import DataSm, DataSmResp, DeliverSm, DeliverSmResp, Tag, Tlvs, read_receipt
from smppgw.sms.dcs import decode_text
from smppgw.sms.encoding import Encoding

if TYPE_CHECKING:
    from smppgw.binds.shape import CarrierRules

_UDHI = 0x40  # esm_class, SMPP 3.4, 5.2.12
_PAYLOAD = int(Tag.MESSAGE_PAYLOAD)
_PADDING = " \0"  # of addresses, at some SMSCs

_STATES: dict[int, ReceiptState] = {state.value: state for state in ReceiptState}


def _visible(text: str) -> str:
    """The store keeps no U+0000; what a carrier sends is shown, not refused."""
    return text.replace("\0", "\u2400") if "\0" in text else text


def read_delivery(pdu: DeliverSm | DataSm, rules: CarrierRules, now_utc_ms: int) -> ReceiptRecord | InboundText:
    """What the SMSC delivered. Never raises: what cannot be read as a receipt is an inbound text."""
    receipt = read_receipt(pdu, rules.receipts, now_utc_ms)
    if receipt is None:
        return _inbound(pdu, rules.encoding)
    smsc_id = _visible(receipt.message_id)
    match_id = None if rules.id_pattern is None else _extracted(smsc_id, rules.id_pattern)
    error = _visible(receipt.error)
    return ReceiptRecord(
        smsc_id,
        None if receipt.state is None else _STATES.get(receipt.state),
        _visible(receipt.stat),
        _named(error, rules.error_classes) if rules.error_classes else error,
        pdu.source_addr.strip(_PADDING),
        pdu.destination_addr.strip(_PADDING),
        receipt.raw,
        match_id,
        receipt.done_utc_ms,
        receipt.user_message_reference,
        ",".join(receipt.flags) if receipt.flags else "",
        _tlvs_text(receipt.tlvs) if receipt.tlvs else "",
        _inbound(pdu, rules.encoding, match_id or smsc_id) if receipt.sniffed else None,
    )


def _extracted(smsc_id: str, pattern: re.Pattern[str]) -> str | None:
    """The id inside the receipt's id; None when the pattern finds none, and the id is looked for as it stands."""
    found = pattern.search(smsc_id)
    return (found[1] or None) if found is not None else None


def _named(error: str, classes: Mapping[str, str]) -> str:
    """`err` verbatim, and behind it what it means here, where the settings say: `027 absent_subscriber`."""
    meaning = classes.get(error)
    return error if meaning is None else f"{error} {meaning}"


def _inbound(pdu: DeliverSm | DataSm, encoding: Encoding, sniff_id: str = "") -> InboundText:
    octets = pdu.short_message if isinstance(pdu, DeliverSm) else b""
    if not octets:  # SMPP 3.4, 5.3.2.32: the text is in one of the two
        octets = pdu.tlvs.get(_PAYLOAD) or b""
    return InboundText(
        Address(pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr.strip(_PADDING)),
        Address(pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr.strip(_PADDING)),
        pdu.data_coding,
        pdu.esm_class,
        octets,
        _visible(decode_text(octets, pdu.data_coding, bool(pdu.esm_class & _UDHI), encoding)),
        _tlvs_text(pair for pair in _all_of(pdu) if pair[0] != _PAYLOAD) if pdu.tlvs else "",
        sniff_id,
    )


def _all_of(pdu: DeliverSm | DataSm) -> list[tuple[int, bytes]]:
    tlvs = pdu.tlvs
    return [*tlvs.items(), *(tlvs.repeats if isinstance(tlvs, Tlvs) else ())]


def _tlvs_text(tlvs: Iterable[tuple[int, bytes]]) -> str:
    """As the store keeps them: JSON, [[tag, "hex"], ...]; '' when there are none."""
    pairs = [[int(tag), value.hex()] for tag, value in tlvs]
    return json.dumps(pairs) if pairs else ""


def answer(pdu: DeliverSm | DataSm, command_status: int = 0) -> DeliverSmResp | DataSmResp:
    """The response to a delivery; the message_id field of both is unused and empty (SMPP 3.4, 4.6.2)."""
    kind = DeliverSmResp if isinstance(pdu, DeliverSm) else DataSmResp
    return kind(sequence_number=pdu.sequence_number, command_status=command_status)
