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


@pytest.mark.parametrize("vector", [one for one in named("udh") if one.values[0]["source"].startswith("3GPP")])
def test_golden_headers_are_made_of_their_elements(vector: dict[str, Any]) -> None:
    elements = [(int(iei, 16), bytes.fromhex(data)) for iei, data in vector["elements"]]
    assert udh.header(elements) == bytes.fromhex(vector["octets"])


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=20)), max_size=8))
def test_headers_we_make_we_read(elements: list[tuple[int, bytes]]) -> None:
    header = udh.header(elements)
    assert udh.parse(header + b"text") == elements
    assert udh.split(header + b"text") == (header, b"text")


def test_a_header_holds_255_octets() -> None:
    assert len(udh.header([(0x70, b"x" * 253)])) == 256
    with pytest.raises(ValueError, match="256 octets"):
        udh.header([(0x70, b"x" * 252), (0x71, b"")])


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.binary(max_size=140), st.booleans())
def test_renumbering_changes_the_reference_and_nothing_else(
    reference: int, other: int, content: bytes, wide: bool
) -> None:
    made = udh.concatenation_header(reference, 3, 2, wide=wide) + content
    assert udh.renumbered(made, other, wide=wide) == udh.concatenation_header(other, 3, 2, wide=wide) + content
