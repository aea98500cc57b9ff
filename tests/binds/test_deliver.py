"""What a deliver_sm or data_sm becomes."""

from __future__ import annotations

import pytest

from smppgw.binds.deliver import answer, read_delivery
from smppgw.queue.model import InboundText, ReceiptRecord, ReceiptState
from smppgw.smpp import DataSm, DataSmResp, DeliverSm, DeliverSmResp, Tag
from tests.support.binds import inbound, receipt
from tests.support.bindstore import RECIPIENT, SENDER


@pytest.mark.parametrize(
    ("stat", "state"),
    [
        ("DELIVRD", ReceiptState.DELIVERED),
        ("UNDELIV", ReceiptState.UNDELIVERABLE),
        ("EXPIRED", ReceiptState.EXPIRED),
        ("REJECTD", ReceiptState.REJECTED),
        ("BANANA", None),
    ],
)
def test_receipt(stat: str, state: ReceiptState | None) -> None:
    pdu = receipt("abc-1", stat)
    record = read_delivery(pdu)
    assert record == ReceiptRecord("abc-1", state, stat, "000", RECIPIENT, SENDER, pdu.short_message)


def test_receipt_by_tlvs_in_data_sm() -> None:
    pdu = DataSm(
        esm_class=0x04,
        source_addr=RECIPIENT,
        destination_addr=SENDER,
        tlvs={Tag.RECEIPTED_MESSAGE_ID: b"77\0", Tag.MESSAGE_STATE: b"\x02"},
    )
    record = read_delivery(pdu)
    assert isinstance(record, ReceiptRecord)
    assert (record.smsc_id, record.state) == ("77", ReceiptState.DELIVERED)


@pytest.mark.parametrize(
    ("pdu", "text", "octets"),
    [
        (inbound("YES"), "YES", b"YES"),
        (DeliverSm(short_message="Grüße 😀".encode("utf-16-be"), data_coding=8), "Grüße 😀", None),
        (DeliverSm(tlvs={Tag.MESSAGE_PAYLOAD: b"long text"}), "long text", b"long text"),
        (DataSm(tlvs={Tag.MESSAGE_PAYLOAD: b"by data sm"}), "by data sm", b"by data sm"),
        (DeliverSm(), "", b""),
        (DeliverSm(short_message=b"\x05\x00\x03\x07\x02\x01part", esm_class=0x40), "part", None),
        # Looks like a receipt, but nothing says that it is one: anyone can text that.
        (DeliverSm(short_message=b"id:1 stat:DELIVRD err:000"), "id:1 stat:DELIVRD err:000", None),
    ],
)
def test_inbound(pdu: DeliverSm | DataSm, text: str, octets: bytes | None) -> None:
    record = read_delivery(pdu)
    assert isinstance(record, InboundText)
    assert record.text == text
    if octets is not None:
        assert record.octets == octets


def test_nul_is_made_visible() -> None:
    record = read_delivery(DeliverSm(short_message="a\0b".encode("utf-16-be"), data_coding=8))
    assert isinstance(record, InboundText)
    assert record.text == "a\u2400b"


def test_answers_carry_the_sequence_number() -> None:
    assert answer(DeliverSm(sequence_number=9)) == DeliverSmResp(sequence_number=9)
    assert answer(DataSm(sequence_number=9), 0x64) == DataSmResp(sequence_number=9, command_status=0x64)
