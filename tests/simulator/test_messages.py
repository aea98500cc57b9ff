from __future__ import annotations

import pytest

from simulator.fates import MessageState
from simulator.messages import Delivery, Kind, Message, Party, absolute_time, report, straight
from smppgw.smpp import DeliverSm, Tag, decode, encode

NEW_YEAR_UTC_MS = 1_767_225_600_000


def message(octets: bytes = b"hello", data_coding: int = 0, esm_class: int = 0) -> Message:
    return Message(
        "42",
        "alice",
        Party(5, 0, "SHOP"),
        Party(1, 1, "447700900123"),
        octets=octets,
        data_coding=data_coding,
        esm_class=esm_class,
        registered_delivery=1,
        submit_utc_ms=NEW_YEAR_UTC_MS,
        final_utc_ms=NEW_YEAR_UTC_MS + 61_000,
        state=MessageState.EXPIRED,
    )


def test_a_message_is_enroute_until_its_time() -> None:
    one = message()
    states = [one.state_at(NEW_YEAR_UTC_MS + after) for after in (0, 60_999, 61_000, 99_999)]
    assert [state.name for state in states] == ["ENROUTE", "ENROUTE", "EXPIRED", "EXPIRED"]


def test_a_receipt() -> None:
    receipt = report(message(), MessageState.EXPIRED, intermediate=False)
    assert receipt.short_message == (
        b"id:42 sub:001 dlvrd:000 submit date:2601010000 done date:2601010001 stat:EXPIRED err:027 text:hello"
    )
    assert (receipt.source_addr, receipt.destination_addr, receipt.esm_class) == ("447700900123", "SHOP", 4)
    assert receipt.tlvs == {Tag.RECEIPTED_MESSAGE_ID: b"42\0", Tag.MESSAGE_STATE: b"\x03"}


def test_an_intermediate_notification() -> None:
    notification = report(message(), MessageState.ENROUTE, intermediate=True)
    assert notification.esm_class == 0x20
    assert b"done date:2601010000 stat:ENROUTE err:000" in notification.short_message
    assert notification.tlvs[Tag.MESSAGE_STATE] == b"\x01"


@pytest.mark.parametrize(
    ("octets", "data_coding", "esm_class", "shown"),
    [
        (b"", 0, 0, b""),
        (b"@ is not \x00 here, but 20 of these are", 0, 0, b"@ is not . here, but"),
        (b"\x05\x00\x03\x07\x02\x01second part", 0, 0x40, b"second part"),
        (b"\xff\x00", 0, 0x40, b""),
        ("Grüße aus Köln am Rhein".encode("utf-16-be"), 8, 0, b"Gr??e aus K?ln am Rh"),
        ("😀".encode("utf-16-be") * 30, 8, 0, b"?" * 10),
        ("flash".encode("utf-16-be"), 0x18, 0, b"flash"),
        (b"\xd8", 8, 0, b"?"),
    ],
)
def test_the_text_of_a_receipt_is_plain_ascii(octets: bytes, data_coding: int, esm_class: int, shown: bytes) -> None:
    receipt = report(message(octets, data_coding, esm_class), MessageState.DELIVERED, intermediate=False)
    assert receipt.short_message.partition(b" text:")[2] == shown


def test_the_longest_receipt_can_be_encoded() -> None:
    one = message(b"x" * 254)
    one.message_id = "9" * 64
    assert isinstance(decode(encode(report(one, MessageState.DELIVERED, intermediate=False))), DeliverSm)


def test_a_delivery_makes_its_pdu_when_it_is_sent() -> None:
    one = message()
    assert straight(Delivery(Kind.RECEIPT, "alice", message=one, state=MessageState.EXPIRED)).esm_class == 4
    given = DeliverSm(short_message=b"STOP")
    assert straight(Delivery(Kind.INBOUND, "alice", pdu=given)) is given


def test_absolute_times() -> None:
    assert absolute_time(NEW_YEAR_UTC_MS) == "260101000000000+"
    assert absolute_time(NEW_YEAR_UTC_MS + 86_399_999) == "260101235959900+"
