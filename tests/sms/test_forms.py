"""One way to write a text: the room beside a UDH, and the pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.sms import gsm7
from smppgw.sms.encoding import Alphabet, DefaultAlphabet, Encoding, Language, LongMessages, Numbering, Packing
from smppgw.sms.forms import IMPOSSIBLE, Form, frame, in_gsm7
from tests.sms import oracle

PORTS = (0x05, bytes.fromhex("0b8423f0"))
SHIFT = (0x24, b"\1")


@pytest.mark.parametrize(
    ("name", "long", "elements", "numbering", "alone", "header", "septets"),
    [
        ("nothing else", LongMessages.AUTO, (), Numbering.NARROW, 0, 6, (160, 153)),
        ("16 bits", LongMessages.UDH16, (), Numbering.WIDE, 0, 7, (160, 152)),
        ("SAR is sized as the UDH that it becomes", LongMessages.SAR, (), Numbering.SAR, 0, 6, (160, 153)),
        ("a payload too", LongMessages.PAYLOAD, (), Numbering.NONE, 0, 6, (160, 153)),
        ("one shift table", LongMessages.UDH8, (SHIFT,), Numbering.NARROW, 4, 9, (155, 149)),
        ("two", LongMessages.UDH8, (SHIFT, (0x25, b"\1")), Numbering.NARROW, 7, 12, (152, 146)),
        ("ports", LongMessages.UDH8, (PORTS,), Numbering.NARROW, 7, 12, (152, 146)),
        ("no SAR beside a UDH", LongMessages.SAR, (PORTS,), Numbering.NARROW, 7, 12, (152, 146)),
        ("no payload either", LongMessages.PAYLOAD, (SHIFT,), Numbering.NARROW, 4, 9, (155, 149)),
        ("all at once", LongMessages.UDH16, (PORTS, SHIFT), Numbering.WIDE, 10, 16, (148, 141)),
    ],
)
def test_frames(
    name: str,
    long: LongMessages,
    elements: tuple[tuple[int, bytes], ...],
    numbering: Numbering,
    alone: int,
    header: int,
    septets: tuple[int, int],
) -> None:
    made = frame(Encoding(long=long), elements)
    assert (made.numbering, made.alone_octets, made.header_octets) == (numbering, alone, header)
    assert (made.alone_septets, made.septets) == septets


@given(st.integers(40, 140), st.lists(st.binary(max_size=6), max_size=4))
def test_septets_fill_the_octets_and_no_more(max_octets: int, data: list[bytes]) -> None:
    made = frame(Encoding(max_octets=max_octets), tuple((0x70, one) for one in data))
    for header, septets in ((made.alone_octets, made.alone_septets), (made.header_octets, made.septets)):
        assert septets == oracle.septets_beside(max_octets, header)


def test_fewest_is_never_too_many() -> None:
    made = frame(Encoding())
    assert [made.fewest(septets) for septets in (0, 160, 161, 306, 307)] == [1, 1, 2, 2, 3]
    assert frame(Encoding(), ((0x70, b"x" * 132),)).fewest(9) == IMPOSSIBLE


def form(text: str, encoding: Encoding) -> Form | None:
    return in_gsm7(text, gsm7.encode(text), 0, frame(encoding), encoding)


@pytest.mark.parametrize(
    ("text", "encoding", "whole"),
    [
        ("ä€", Encoding(), b"\x7b\x1be"),
        ("hellohello", Encoding(packing=Packing.PACKED), bytes.fromhex("e8329bfd4697d9ec37")),
        ("ä[", Encoding(DefaultAlphabet.LATIN1), b"\xe4["),
        ("ä€", Encoding(DefaultAlphabet.UTF8), "ä€".encode()),
        ("ä€", Encoding(DefaultAlphabet.LATIN1), None),
        ("ä", Encoding(DefaultAlphabet.ASCII), None),
    ],
)
def test_as_the_smsc_wants_it(text: str, encoding: Encoding, whole: bytes | None) -> None:
    made = form(text, encoding)
    assert (None if made is None else made.whole()) == whole


def test_pieces_are_cut_as_septets_and_written_then() -> None:
    made = form("a" * 152 + "€" * 5, Encoding(DefaultAlphabet.UTF8))
    assert made is not None
    assert made.parts() == 2
    assert made.pieces(2) == [b"a" * 152, "€€€€€".encode()]


def test_octets_need_no_pairs() -> None:
    made = Form(Alphabet.BINARY, 4, "", b"\x1b" * 135, frame(Encoding(), (PORTS,)))
    assert made.parts() == 2
    assert [len(piece) for piece in made.pieces(2)] == [128, 7]


def test_what_cannot_be_cut_says_so() -> None:
    surrounding = frame(Encoding(), ((0x70, b"x" * 132),))
    assert Form(Alphabet.UCS2, 8, "😀" * 4, "😀".encode("utf-16-be") * 4, surrounding).parts() == IMPOSSIBLE
    made = in_gsm7("€" * 9, b"\x1be" * 9, 0, surrounding, Encoding(), single=Language.TURKISH)
    assert made is not None
    assert made.parts() == IMPOSSIBLE
