from __future__ import annotations

import pytest

from simulator.inbound import inbound_pdus, party
from smppgw.errors import Refusal


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("+447700900001", (1, 1, "447700900001")),
        ("447700900001", (1, 1, "447700900001")),
        ("12345", (0, 1, "12345")),
        ("+123", (1, 1, "123")),
        ("Bank", (5, 0, "Bank")),
    ],
)
def test_addresses(typed: str, expected: tuple[int, int, str]) -> None:
    assert party(typed) == expected


def test_a_short_text_is_one_pdu() -> None:
    (pdu,) = inbound_pdus("447700900001", "12345", "STOP", 1)
    assert (pdu.short_message, pdu.data_coding, pdu.esm_class) == (b"STOP", 0, 0)


def test_the_parts_of_a_long_text_share_the_reference() -> None:
    pdus = inbound_pdus("447700900001", "12345", "ж" * 150, 77)
    assert [pdu.short_message[:6].hex() for pdu in pdus] == ["0500034d0301", "0500034d0302", "0500034d0303"]
    assert {pdu.data_coding for pdu in pdus} == {8}


@pytest.mark.parametrize(
    ("source", "text", "code"),
    [
        ("447700900001", "", "empty_text"),
        ("447700900001", "a\0b", "unencodable"),
        ("447700900001", "\ud83d", "unencodable"),
        ("a\ud83d", "hello", "bad_address"),
        ("1" * 21, "hello", "bad_address"),
        ("Ж", "hello", "bad_address"),
        ("a\0b", "hello", "bad_address"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(source: str, text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        inbound_pdus(source, "12345", text, 1)
    assert refused.value.code == code
