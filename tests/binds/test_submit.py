"""A claimed segment as submit_sm or data_sm, by the carrier's settings, and its remaining validity as SMPP time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.addresses import Address
from smppgw.binds.shape import carrier_rules
from smppgw.binds.submit import claim_key, rewriting
from smppgw.config import (
    AddressRule,
    AddressSettings,
    SubmitCommand,
    SubmitSettings,
    TlvType,
    ValidityForm,
    VendorTlv,
)
from smppgw.errors import LocalProtocolError
from smppgw.queue.model import ClaimedSegment, Extras, Lane, reference_of, segment_id
from smppgw.smpp import DataSm, SubmitSm, Tag, decode, encode
from tests.support.binds import carrier

DAY = 86_400
NOW = 1_767_225_600_000  # 2026-01-01 00:00 UTC
SEGMENT = segment_id(77, 2)
REFERENCE = reference_of(SEGMENT).to_bytes(2, "big")


def segment(**more: Any) -> ClaimedSegment:
    values: dict[str, Any] = {
        "segment_id": SEGMENT,
        "claim": 3,
        "lane": Lane.OTP,
        "source": Address(5, 0, "Acme"),
        "destination": Address(1, 1, "447700900001"),
        "octets": b"\x05\x00\x03\x01\x02\x01hello",
        "data_coding": 8,
        "esm_class": 0x40,
        "registered_delivery": 1,
        "accepted_utc_ms": 1_000,
        "expires_utc_ms": NOW + 3_600_000,
        "attempts": 0,
        "parts": 2,
    }
    return ClaimedSegment(**(values | more))


def made(its: ClaimedSegment | None = None, now_utc_ms: int = NOW, **settings: Any) -> SubmitSm | DataSm:
    """The request of a segment at a carrier with these settings; whatever it is, it can be encoded and read."""
    pdu = carrier_rules(carrier(**settings)).request_of(its or segment(), now_utc_ms)
    pdu.sequence_number = 1
    assert decode(encode(pdu)) == pdu
    return pdu


def submitted(its: ClaimedSegment | None = None, now_utc_ms: int = NOW, **settings: Any) -> SubmitSm:
    pdu = made(its, now_utc_ms, **settings)
    assert isinstance(pdu, SubmitSm)
    return pdu


# Validity --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "left_ms", "expected"),
    [
        ({}, 3_600_000, "000000010000000R"),
        ({"max_validity_s": 600.0}, 3_600_000, "000000001000000R"),
        ({"max_validity_s": 7200.0}, 3_600_000, "000000010000000R"),
        ({"max_validity_s": 600.0}, -1, "000000000001000R"),
        ({"validity": ValidityForm.ABSOLUTE}, 3_600_999, "260101010000000+"),
        ({"validity": ValidityForm.ABSOLUTE, "max_validity_s": 600.0}, 3_600_000, "260101001000000+"),
        ({"validity": ValidityForm.ABSOLUTE}, -5_000, "260101000001000+"),
        ({"validity": ValidityForm.OMIT}, 3_600_000, ""),
        ({"validity": ValidityForm.OMIT, "max_validity_s": 600.0}, 3_600_000, ""),
    ],
)
def test_validity_period(settings: dict[str, Any], left_ms: int, expected: str) -> None:
    pdu = submitted(segment(expires_utc_ms=NOW + left_ms), submit=SubmitSettings(**settings))
    assert pdu.validity_period == expected


HOUR_MS = 3_600_000
AT_ONE = NOW + HOUR_MS


@pytest.mark.parametrize(
    ("settings", "now_utc_ms", "expected"),
    [
        # both forms count from now: the message may be tried for an hour after one o'clock
        ({}, NOW, ("260101010000000+", "000000020000000R")),
        ({"validity": ValidityForm.ABSOLUTE}, NOW, ("260101010000000+", "260101020000000+")),
        ({"validity": ValidityForm.OMIT}, NOW, ("260101010000000+", "")),
        # the longest validity counts from one o'clock
        ({"max_validity_s": 600.0}, NOW, ("260101010000000+", "000000011000000R")),
        ({"max_validity_s": 600.0, "validity": ValidityForm.ABSOLUTE}, NOW, ("260101010000000+", "260101011000000+")),
        ({"max_validity_s": 7200.0}, NOW, ("260101010000000+", "000000020000000R")),
        # never a time that has passed, nor one that is earlier than was asked for
        ({}, AT_ONE, ("", "000000010000000R")),
        ({}, AT_ONE + 1, ("", "000000005959000R")),
        ({"max_validity_s": 600.0}, AT_ONE + 60_000, ("", "000000001000000R")),
        ({}, AT_ONE - 1, ("260101010000000+", "000000010000000R")),
    ],
)
def test_a_message_that_the_carrier_keeps_until_its_time(
    settings: dict[str, Any], now_utc_ms: int, expected: tuple[str, str]
) -> None:
    scheduled = segment(extras=Extras(schedule_utc_ms=AT_ONE), expires_utc_ms=AT_ONE + HOUR_MS)
    pdu = submitted(scheduled, now_utc_ms, submit=SubmitSettings(**settings))
    assert (pdu.schedule_delivery_time, pdu.validity_period) == expected


@given(st.integers(NOW + 1, NOW + 60 * DAY * 1000))
def test_a_scheduled_time_is_told_in_whole_seconds_and_never_too_early(utc_ms: int) -> None:
    pdu = submitted(segment(extras=Extras(schedule_utc_ms=utc_ms)))
    told = datetime.strptime(f"20{pdu.schedule_delivery_time[:12]}+0000", "%Y%m%d%H%M%S%z").timestamp() * 1000
    assert 0 <= told - utc_ms < 1000


def test_data_sm_has_no_scheduled_time() -> None:
    """The settings said submit_sm when it was accepted: it must not leave before its time."""
    submit = SubmitSettings(command=SubmitCommand.DATA_SM)
    scheduled = segment(extras=Extras(schedule_utc_ms=AT_ONE), expires_utc_ms=AT_ONE + HOUR_MS)
    with pytest.raises(LocalProtocolError, match="until its time"):
        made(scheduled, submit=submit)
    assert made(scheduled, AT_ONE, submit=submit).tlvs[Tag.QOS_TIME_TO_LIVE] == (3600).to_bytes(4, "big")


# Addresses -------------------------------------------------------------------------------------------------------


def rule(pattern: str, **more: Any) -> AddressRule:
    return AddressRule(pattern=pattern, **more)


@pytest.mark.parametrize(
    ("rules", "address", "expected"),
    [
        # TON 0, NPI 1 for international numbers
        ([rule(r"\d{7,15}", ton=0, npi=1)], (1, 1, "447700900001"), (0, 1, "447700900001")),
        # national format for our own country
        ([rule(r"44\d+", ton=2, strip="44", prepend="0")], (1, 1, "447700900001"), (2, 1, "07700900001")),
        ([rule(r"44\d+", ton=2, strip="44", prepend="0")], (1, 1, "4977123456"), (1, 1, "4977123456")),
        # "+" before the digits; short codes otherwise
        ([rule(r"\d{3,6}", ton=6, npi=0), rule(r"\d+", prepend="+")], (3, 0, "12345"), (6, 0, "12345")),
        ([rule(r"\d{3,6}", ton=6, npi=0), rule(r"\d+", prepend="+")], (1, 1, "4477009"), (1, 1, "+4477009")),
        # the first that fits decides, and it has to fit as a whole
        ([rule(r"4"), rule(r"4.*", npi=9), rule(r".*", npi=8)], (1, 1, "44"), (1, 9, "44")),
        # letters
        ([rule(r"[A-Za-z].*", ton=5, npi=1)], (5, 0, "Acme"), (5, 1, "Acme")),
        # a prefix that is not there is not taken away
        ([rule(r"\d+", strip="00", prepend="00")], (1, 1, "4477"), (1, 1, "004477")),
    ],
)
def test_address_rules(
    rules: list[AddressRule], address: tuple[int, int, str], expected: tuple[int, int, str]
) -> None:
    rewrite = rewriting(rules)
    assert rewrite is not None
    assert rewrite(Address(*address)) == expected
    assert rewrite(Address(*address)) == expected  # remembered


def test_without_rules_there_is_nothing_to_do() -> None:
    assert rewriting([]) is None


@pytest.mark.parametrize("command", list(SubmitCommand))
def test_rules_for_senders_and_recipients_do_not_mix(command: SubmitCommand) -> None:
    addresses = AddressSettings(source=[rule(".*", ton=9)], destination=[rule(".*", npi=7)])
    pdu = made(addresses=addresses, submit=SubmitSettings(command=command))
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (9, 0, "Acme")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (1, 7, "447700900001")


# submit_sm -------------------------------------------------------------------------------------------------------


def test_every_field_of_the_segment_reaches_the_submit_sm() -> None:
    assert submitted() == SubmitSm(
        sequence_number=1,
        source_addr_ton=5,
        source_addr_npi=0,
        source_addr="Acme",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="447700900001",
        esm_class=0x40,
        data_coding=8,
        registered_delivery=1,
        short_message=segment().octets,
        validity_period="000000010000000R",
        tlvs={Tag.USER_MESSAGE_REFERENCE: REFERENCE},
    )
    assert claim_key(segment()) == (SEGMENT, 3)


def test_what_the_settings_add_to_each_submit_sm() -> None:
    submit = SubmitSettings(
        service_type="CMT", messaging_mode=3, protocol_id=0x41, priority={"otp": 2, "transactional": 1}
    )
    pdu = submitted(submit=submit)
    assert (pdu.service_type, pdu.esm_class, pdu.protocol_id, pdu.priority_flag) == ("CMT", 0x43, 0x41, 2)
    assert submitted(segment(lane=Lane.BULK), submit=submit).priority_flag == 0


def test_what_the_message_has_of_its_own_wins() -> None:
    extras = Extras(service_type="", protocol_id=0, priority_flag=3, replace_if_present=True)
    submit = SubmitSettings(service_type="CMT", protocol_id=0x41, priority={"otp": 2})
    pdu = submitted(segment(extras=extras), submit=submit)
    assert (pdu.service_type, pdu.protocol_id, pdu.priority_flag) == ("", 0, 3)
    assert pdu.replace_if_present_flag == 1


def test_an_empty_extras_changes_nothing() -> None:
    submit = SubmitSettings(service_type="CMT", protocol_id=0x41, priority={"otp": 2})
    assert submitted(segment(extras=Extras()), submit=submit) == submitted(submit=submit)


# TLVs ------------------------------------------------------------------------------------------------------------

VENDOR = {
    "product": VendorTlv(tag=0x1401, type=TlvType.INTEGER, octets=2, value=7),
    "campaign": VendorTlv(tag=0x1400, type=TlvType.CSTRING),
    "key": VendorTlv(tag=0x1500, type=TlvType.OCTETS, value="cafe"),
}


def test_tlvs_stand_in_the_order_of_the_settings() -> None:
    pdu = submitted(vendor_tlvs=VENDOR)
    assert list(pdu.tlvs.items()) == [(0x0204, REFERENCE), (0x1401, b"\x00\x07"), (0x1500, b"\xca\xfe")]


def test_values_of_the_request_replace_constants_in_their_place() -> None:
    extras = Extras(tlvs=((0x1500, b"\x01"), (0x1400, b"spring\0"), (0x3000, b"old")))
    pdu = submitted(segment(extras=extras), vendor_tlvs=VENDOR)
    assert list(pdu.tlvs.items()) == [
        (0x0204, REFERENCE),
        (0x1401, b"\x00\x07"),
        (0x1400, b"spring\0"),
        (0x1500, b"\x01"),
        (0x3000, b"old"),
    ]
    assert submitted(vendor_tlvs=VENDOR).tlvs[0x1500] == b"\xca\xfe"  # the constant is as it was


def test_sar_tlvs_name_the_part() -> None:
    tlvs = submitted(segment(extras=Extras(sar_reference=0x12345))).tlvs
    assert tlvs[Tag.SAR_MSG_REF_NUM] == b"\x23\x45"
    assert tlvs[Tag.SAR_TOTAL_SEGMENTS] == b"\x02"
    assert tlvs[Tag.SAR_SEGMENT_SEQNUM] == b"\x02"


@pytest.mark.parametrize("command", list(SubmitCommand))
def test_the_subunit_tells_the_message_class(command: SubmitCommand) -> None:
    flash = segment(extras=Extras(dest_addr_subunit=1))
    assert made(flash, submit=SubmitSettings(command=command)).tlvs[Tag.DEST_ADDR_SUBUNIT] == b"\x01"
    assert Tag.DEST_ADDR_SUBUNIT not in made(submit=SubmitSettings(command=command)).tlvs


def test_a_payload_of_any_length_travels_in_its_tlv() -> None:
    pdu = submitted(segment(octets=b"x" * 1000, extras=Extras(payload=True)))
    assert (pdu.short_message, pdu.tlvs[Tag.MESSAGE_PAYLOAD]) == (b"", b"x" * 1000)


@pytest.mark.parametrize(
    "settings",
    [{"tlvs": False}, {"submit": SubmitSettings(user_message_reference=False)}],
)
def test_no_tlvs_at_all(settings: dict[str, Any]) -> None:
    assert submitted(**settings).tlvs == {}
    assert submitted(segment(extras=Extras(service_type="WAP")), **settings).tlvs == {}


@pytest.mark.parametrize(
    "extras",
    [Extras(tlvs=((0x1400, b""),)), Extras(sar_reference=0), Extras(payload=True), Extras(dest_addr_subunit=1)],
)
def test_a_message_that_needs_tlvs_is_not_sent_without(extras: Extras) -> None:
    with pytest.raises(LocalProtocolError):
        made(segment(extras=extras), tlvs=False)


# data_sm ---------------------------------------------------------------------------------------------------------


def test_data_sm_carries_text_and_validity_in_tlvs() -> None:
    extras = Extras(service_type="WAP", tlvs=((0x1400, b"a"),))
    submit = SubmitSettings(command=SubmitCommand.DATA_SM, messaging_mode=1, service_type="CMT")
    pdu = made(segment(extras=extras), submit=submit)
    assert pdu == DataSm(
        sequence_number=1,
        service_type="WAP",
        source_addr_ton=5,
        source_addr="Acme",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="447700900001",
        esm_class=0x41,
        registered_delivery=1,
        data_coding=8,
        tlvs={
            Tag.USER_MESSAGE_REFERENCE: REFERENCE,
            0x1400: b"a",
            Tag.QOS_TIME_TO_LIVE: (3600).to_bytes(4, "big"),
            Tag.MESSAGE_PAYLOAD: segment().octets,
        },
    )


@pytest.mark.parametrize(
    ("settings", "left_ms", "expected"),
    [
        ({}, 90_000, 90),
        ({}, -1, 1),
        ({"max_validity_s": 60.0}, 90_000, 60),
        ({"validity": ValidityForm.ABSOLUTE}, 90_000, 90),
        ({"validity": ValidityForm.OMIT}, 90_000, None),
    ],
)
def test_time_to_live(settings: dict[str, Any], left_ms: int, expected: int | None) -> None:
    submit = SubmitSettings(command=SubmitCommand.DATA_SM, **settings)
    value = made(segment(expires_utc_ms=NOW + left_ms), submit=submit).tlvs.get(Tag.QOS_TIME_TO_LIVE)
    assert value == (None if expected is None else expected.to_bytes(4, "big"))


def test_data_sm_without_tlvs_cannot_be() -> None:
    with pytest.raises(LocalProtocolError):
        made(tlvs=False, submit=SubmitSettings(command=SubmitCommand.DATA_SM))
