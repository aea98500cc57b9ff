"""Finding a PDU in the middle of octets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.borders import MAX_PDU_OCTETS, next_border
from smppgw.smpp import CommandId, EnquireLink, GenericNack, SubmitSm, encode

PDU = encode(SubmitSm(sequence_number=5, destination_addr="447700900123", short_message=b"hello"))


def header(octets: int, command_id: int, status: int = 0) -> bytes:
    return b"".join(value.to_bytes(4, "big") for value in (octets, command_id, status, 77))


@given(before=st.binary(max_size=60))
def test_it_finds_the_next_one(before: bytes) -> None:
    assert 0 <= next_border(before + PDU) <= len(before)
    assert next_border(b"\xff" * len(before) + PDU) == len(before)


@pytest.mark.parametrize("command_id", list(CommandId))
def test_every_command_is_known(command_id: CommandId) -> None:
    assert next_border(b"GET /" + header(16, command_id)) == 5


@pytest.mark.parametrize(
    ("what", "octets"),
    [
        ("nothing", b""),
        ("half a header", PDU[:15]),
        ("a length below a header", header(15, CommandId.SUBMIT_SM)),
        ("a length that nobody sends", header(MAX_PDU_OCTETS, CommandId.SUBMIT_SM)),
        ("an unknown command", header(16, 0x00001234)),
        ("a request with a status", header(16, CommandId.SUBMIT_SM, 8)),
        ("a response with a senseless status", header(16, CommandId.SUBMIT_SM_RESP, 0x00010000)),
        ("another protocol", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" * 3),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_none(what: str, octets: bytes) -> None:
    assert next_border(octets) == -1


def test_the_longest_and_from_where() -> None:
    assert next_border(header(MAX_PDU_OCTETS - 1, CommandId.DATA_SM)) == 0
    assert next_border(PDU + PDU, 1) == len(PDU)
    assert next_border(encode(GenericNack(command_status=0x400))) == 0


def test_a_false_start_hides_no_true_one() -> None:
    """The length of 4 does not hold; the header behind it, which overlaps with it, does."""
    enquire_link = encode(EnquireLink(sequence_number=1))
    assert next_border(header(4, CommandId.UNBIND)[:12] + enquire_link) == 12
