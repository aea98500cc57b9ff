"""User Data Headers: golden vectors, and any octets at all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.sms import udh
from tests.sms.vectors import named


@pytest.mark.parametrize("vector", named("udh"))
def test_golden_headers(vector: dict[str, Any]) -> None:
    octets = bytes.fromhex(vector["octets"])
    elements = [(int(iei, 16), bytes.fromhex(data)) for iei, data in vector["elements"]]
    assert udh.parse(octets) == elements
    expected = vector["concatenation"] and udh.Concatenation(*vector["concatenation"])
    assert udh.concatenation(octets) == expected


def test_the_header_we_make_is_the_standards() -> None:
    assert udh.concatenation_header(0x2A, 3, 2) == bytes.fromhex("0500032A0302")
    assert udh.concatenation_header(0x12A, 3, 2, wide=True) == bytes.fromhex("060804012A0302")


@given(st.integers(0, 10**9), st.integers(1, 255), st.integers(1, 255), st.binary(max_size=133), st.booleans())
def test_what_we_make_we_read(reference: int, total: int, part: int, content: bytes, wide: bool) -> None:
    octets = udh.concatenation_header(reference, total, min(part, total), wide=wide) + content
    assert udh.concatenation(octets) == (reference % (65536 if wide else 256), total, min(part, total), wide)
    header_octets = 7 if wide else 6
    assert udh.split(octets) == (octets[:header_octets], content)
    assert (header_octets * 8 + udh.fill_bits(header_octets)) % 7 == 0


@given(st.binary(max_size=160))
def test_any_octets_are_split_without_loss_and_parsed_without_error(octets: bytes) -> None:
    header, content = udh.split(octets)
    assert header + content == octets
    assert sum(2 + len(data) for _, data in udh.parse(octets)) <= max(0, len(header) - 1)
    found = udh.concatenation(octets)
    assert found is None or 1 <= found.part <= found.total
