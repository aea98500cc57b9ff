"""A claimed segment as submit_sm, and its remaining validity as SMPP time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.addresses import Address
from smppgw.binds.submit import claim_key, relative_time, submit_sm
from smppgw.queue.model import ClaimedSegment, Lane

DAY = 86_400


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-5, "000000000001000R"),
        (1, "000000000001000R"),
        (59, "000000000059000R"),
        (3 * 3600 + 25 * 60 + 7, "000000032507000R"),
        (2 * DAY, "000002000000000R"),
        (31 * DAY - 1, "000030235959000R"),
        (31 * DAY, "000100000000000R"),
        (63 * DAY, "000201000000000R"),
        (31 * 12 * DAY, "010000000000000R"),
        (31 * 12 * 200 * DAY, "991131235959000R"),
    ],
)
def test_relative_time(seconds: int, expected: str) -> None:
    assert relative_time(seconds) == expected


@given(st.integers(1, 98 * 366 * DAY))
def test_relative_time_never_says_more_than_remains(seconds: int) -> None:
    text = relative_time(seconds)
    years, months, days, hours, minutes, rest = (int(text[at : at + 2]) for at in range(0, 12, 2))
    shortest = ((years * 12 + months) * 28 + days) * DAY + hours * 3600 + minutes * 60 + rest
    assert shortest <= seconds
    assert (((years * 12 + months) * 31 + days) * DAY + hours * 3600 + minutes * 60 + rest) == seconds
    assert months <= 11
    assert days <= 30
    assert len(text) == 16


def test_every_field_of_the_segment_reaches_the_submit_sm() -> None:
    segment = ClaimedSegment(
        segment_id=7,
        claim=3,
        lane=Lane.OTP,
        source=Address(5, 0, "Acme"),
        destination=Address(1, 1, "447700900001"),
        octets=b"\x05\x00\x03\x01\x02\x01hello",
        data_coding=8,
        esm_class=0x40,
        registered_delivery=1,
        accepted_utc_ms=1_000,
        expires_utc_ms=3_601_000,
        attempts=0,
    )
    pdu = submit_sm(segment, 1_000)
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (5, 0, "Acme")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (1, 1, "447700900001")
    assert (pdu.esm_class, pdu.data_coding, pdu.registered_delivery) == (0x40, 8, 1)
    assert pdu.short_message == segment.octets
    assert pdu.validity_period == "000000010000000R"
    assert claim_key(segment) == (7, 3)
