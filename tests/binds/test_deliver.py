"""What a deliver_sm or data_sm becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.addresses import Address
from smppgw.binds.deliver import answer, read_delivery
from smppgw.binds.shape import CarrierRules, carrier_rules
from smppgw.config import EncodingSettings, IdSettings, ReceiptSettings
from smppgw.queue.model import InboundText, ReceiptRecord, ReceiptState
from smppgw.smpp import DataSm, DataSmResp, DeliverSm, DeliverSmResp, Tag, Tlvs
from smppgw.sms.encoding import DefaultAlphabet
from tests.support.binds import carrier, inbound, receipt
from tests.support.bindstore import RECIPIENT, SENDER

NOW = 1_767_225_600_000  # 2026-01-01 00:00 UTC
DEFAULT = carrier_rules(carrier())


def read(pdu: DeliverSm | DataSm, rules: CarrierRules = DEFAULT) -> ReceiptRecord | InboundText:
    return read_delivery(pdu, rules, NOW)


def read_receipt(pdu: DeliverSm | DataSm, rules: CarrierRules = DEFAULT) -> ReceiptRecord:
    record = read(pdu, rules)
    assert isinstance(record, ReceiptRecord)
    return record


def read_text(pdu: DeliverSm | DataSm, rules: CarrierRules = DEFAULT) -> InboundText:
    record = read(pdu, rules)
    assert isinstance(record, InboundText)
    return record


def receipts(**settings: Any) -> CarrierRules:
    return carrier_rules(carrier(receipts=ReceiptSettings(**settings)))


# Receipts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stat", "state", "flags"),
    [
        ("DELIVRD", ReceiptState.DELIVERED, ""),
        ("UNDELIV", ReceiptState.UNDELIVERABLE, ""),
        ("EXPIRED", ReceiptState.EXPIRED, ""),
        ("REJECTD", ReceiptState.REJECTED, ""),
        ("ACCEPTD", ReceiptState.ACCEPTED, ""),
        ("BANANA", None, "state_unknown"),
    ],
)
def test_receipt(stat: str, state: ReceiptState | None, flags: str) -> None:
    pdu = receipt("abc-1", stat)
    assert read(pdu) == ReceiptRecord(
        smsc_id="abc-1",
        state=state,
        stat=stat,
        error="000",
        source_addr=RECIPIENT,
        destination_addr=SENDER,
        raw=pdu.short_message,
        done_utc_ms=NOW + 60_000,
        flags=flags,
    )


def test_receipt_by_tlvs_in_data_sm() -> None:
    pdu = DataSm(
        esm_class=0x04,
        source_addr=RECIPIENT,
        destination_addr=SENDER,
        tlvs={
            Tag.RECEIPTED_MESSAGE_ID: b"77\0",
            Tag.MESSAGE_STATE: b"\x02",
            Tag.USER_MESSAGE_REFERENCE: b"\x12\x34",
            0x1401: b"\xca\xfe",
        },
    )
    record = read_receipt(pdu)
    assert (record.smsc_id, record.state, record.user_message_reference) == ("77", ReceiptState.DELIVERED, 0x1234)
    assert json.loads(record.tlvs) == [[0x1401, "cafe"]]


def test_where_states_disagree_the_tlv_wins_and_it_is_flagged() -> None:
    pdu = receipt("1", "UNDELIV")
    pdu.tlvs[Tag.MESSAGE_STATE] = b"\x02"
    record = read_receipt(pdu)
    assert (record.state, record.stat, record.flags) == (ReceiptState.DELIVERED, "UNDELIV", "states_disagree")


@pytest.mark.parametrize(
    ("settings", "stat", "state"),
    [
        ({"states": {"FAILED": "EXPIRED"}}, "failed", ReceiptState.EXPIRED),
        ({"states": {"5": "DELIVRD"}}, "5", ReceiptState.DELIVERED),
        ({"acceptd": "delivered"}, "ACCEPTD", ReceiptState.DELIVERED),
        ({"acceptd": "intermediate"}, "ACCEPTD", ReceiptState.ACCEPTED),
    ],
)
def test_words_of_the_carrier(settings: dict[str, Any], stat: str, state: ReceiptState) -> None:
    record = read_receipt(receipt("1", stat), receipts(**settings))
    assert (record.state, record.stat) == (state, stat)


def test_dates_are_read_in_the_time_zone_of_the_carrier() -> None:
    record = read_receipt(receipt("1"), receipts(time_zone="Europe/Rome"))
    assert record.done_utc_ms == NOW + 60_000 - 3_600_000


@pytest.mark.parametrize(
    ("error", "expected"), [("027", "027 absent_subscriber"), ("27", "27"), ("AB1", "AB1 barred"), ("", "")]
)
def test_errors_are_kept_and_named(error: str, expected: str) -> None:
    pdu = receipt("1")
    pdu.short_message = pdu.short_message.replace(b"err:000", f"err:{error}".encode())
    rules = receipts(errors={"027": "absent_subscriber", "AB1": "barred"})
    assert read_receipt(pdu, rules).error == expected


@pytest.mark.parametrize(
    ("pattern", "message_id", "match_id"),
    [
        (r"^(\d+)-\d+$", "12345-1", "12345"),
        (r"^(\d+)-\d+$", "12345", None),
        (r"SMSC(.*)", "SMSC-9", "-9"),
        (r"x(\d*)", "x", None),  # the group is empty: nothing to look for
        (r"(?:a(\d+))?b", "b", None),  # the group took no part
    ],
)
def test_the_id_inside_the_id(pattern: str, message_id: str, match_id: str | None) -> None:
    rules = carrier_rules(carrier(ids=IdSettings(extract=pattern)))
    record = read_receipt(receipt(message_id), rules)
    assert (record.smsc_id, record.match_id) == (message_id, match_id)


@pytest.mark.parametrize("padding", [" ", "  "])
def test_padded_addresses_are_the_same_addresses(padding: str) -> None:
    pdu = receipt("1", recipient=RECIPIENT + padding)
    pdu.destination_addr = SENDER + padding
    record = read_receipt(pdu)
    assert (record.source_addr, record.destination_addr) == (RECIPIENT, SENDER)
    pdu.esm_class = 0
    text = read_text(pdu)
    assert (text.source, text.destination) == (Address(1, 1, RECIPIENT), Address(1, 1, SENDER))


# Sniffing --------------------------------------------------------------------------------------------------------


def unmarked(message_id: str) -> DeliverSm:
    pdu = receipt(message_id)
    pdu.esm_class = 0
    return pdu


def test_without_sniffing_it_is_a_text() -> None:
    assert read_text(unmarked("abc-1")).sniff_id == ""


def test_a_sniffed_receipt_brings_the_text_that_it_may_be() -> None:
    rules = carrier_rules(carrier(receipts=ReceiptSettings(sniff=True), ids=IdSettings(extract=r"(\w+)-1")))
    pdu = unmarked("abc-1")
    record = read_receipt(pdu, rules)
    assert record.sniffed is not None
    assert record.sniffed.octets == pdu.short_message
    assert (record.sniffed.source, record.sniffed.destination) == (Address(1, 1, RECIPIENT), Address(1, 1, SENDER))
    assert (record.sniffed.sniff_id, record.match_id, record.smsc_id) == ("abc", "abc", "abc-1")
    assert read_receipt(receipt("abc-1"), rules).sniffed is None  # esm_class calls it one


def test_a_text_is_a_text_where_receipts_are_sniffed() -> None:
    assert read_text(inbound("YES"), receipts(sniff=True)).sniff_id == ""


# Inbound texts ---------------------------------------------------------------------------------------------------


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
    record = read_text(pdu)
    assert record.text == text
    assert record.tlvs == ""
    if octets is not None:
        assert record.octets == octets


def test_the_alphabet_of_the_carrier_is_that_of_its_texts() -> None:
    pdu = DeliverSm(short_message="Grüße @ £".encode("latin-1"))
    rules = carrier_rules(carrier(encoding=EncodingSettings(default_alphabet=DefaultAlphabet.LATIN1)))
    assert read_text(pdu, rules).text == "Grüße @ £"
    assert read_text(pdu).text != "Grüße @ £"


@pytest.mark.parametrize("esm_class", [0x08, 0x10, 0x18])
def test_acknowledgements_of_the_phone_are_texts(esm_class: int) -> None:
    pdu = receipt("1")
    pdu.esm_class = esm_class
    pdu.tlvs[Tag.MESSAGE_STATE] = b"\x02"
    assert read_text(pdu, receipts(sniff=True)).esm_class == esm_class


def test_tlvs_of_a_text_are_kept_but_for_the_text_itself() -> None:
    tlvs = Tlvs([(0x1401, b"\x01"), (Tag.MESSAGE_PAYLOAD, b"hello"), (0x1401, b""), (0x0210, b"\x34")])
    record = read_text(DeliverSm(tlvs=tlvs))
    assert json.loads(record.tlvs) == [[0x1401, "01"], [0x0210, "34"], [0x1401, ""]]
    assert record.octets == b"hello"


def test_nul_is_made_visible() -> None:
    assert read_text(DeliverSm(short_message="a\0b".encode("utf-16-be"), data_coding=8)).text == "a\u2400b"


@given(
    text=st.binary(max_size=254),
    esm_class=st.integers(0, 255),
    data_coding=st.integers(0, 255),
    tags=st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=20), max_size=4),
    sniff=st.booleans(),
)
def test_nothing_is_too_odd(
    text: bytes, esm_class: int, data_coding: int, tags: dict[int, bytes], sniff: bool
) -> None:
    pdu = DeliverSm(short_message=text, esm_class=esm_class, data_coding=data_coding, tlvs=tags)
    record = read(pdu, receipts(sniff=sniff))
    texts = (record.text, record.tlvs) if isinstance(record, InboundText) else (record.smsc_id, record.error)
    assert not any("\0" in one for one in texts)


def test_answers_carry_the_sequence_number() -> None:
    assert answer(DeliverSm(sequence_number=9)) == DeliverSmResp(sequence_number=9)
    assert answer(DataSm(sequence_number=9), 0x64) == DataSmResp(sequence_number=9, command_status=0x64)
