"""Port elements and a caller's own UDH: what adds up becomes elements, what does not is refused by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.errors import Refusal
from smppgw.sms import udh
from smppgw.sms.ports import WAP_PUSH, WAP_PUSH_PORTS, Element, Ports, parse_udh, port_element, ports_of

PORTS = st.integers(0, 0xFFFF)
#: Identifiers whose size 23.040 leaves open.
FREE = st.sampled_from([0x09, 0x0A, 0x22, 0x70, 0x7F, 0xA0, 0xFF])
ELEMENTS = st.lists(st.tuples(FREE, st.binary(max_size=12)), max_size=9)


def header(elements: list[Element]) -> bytes:
    octets = b"".join(bytes((identifier, len(data))) + data for identifier, data in elements)
    return bytes((len(octets),)) + octets


def test_the_ports_of_wap_push() -> None:
    """0605040B8423F0 is the UDH that the examples of WAP push have in common."""
    assert header([WAP_PUSH]).hex().upper() == "0605040B8423F0"
    assert tuple(WAP_PUSH_PORTS) == (2948, 9200)


@given(PORTS, PORTS)
def test_ports_both_ways(destination: int, source: int) -> None:
    element = port_element(destination, source)
    assert ports_of([element]) == Ports(destination, source)
    assert parse_udh(header([element])) == (element,)


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ([], None),
        ([(0x00, b"\x01\x02\x01")], None),
        ([(0x04, b"\xf0\x03")], Ports(240, 3)),
        ([(0x05, b"\x0b\x84\x23\xf0")], Ports(2948, 9200)),
        ([(0x05, b"\x0b\x84\x23\xf0"), (0x04, b"\x01\x02")], Ports(1, 2)),  # the last counts
        ([(0x05, b"\x0b\x84\x23"), (0x04, b"")], None),
    ],
)
def test_ports_of_what_came(elements: list[Element], expected: Ports | None) -> None:
    assert ports_of(elements) == expected


@pytest.mark.parametrize(
    ("destination", "source", "field"),
    [
        (-1, 0, "ports.destination"),
        (65_536, 0, "ports.destination"),
        (0, -1, "ports.source"),
        (0, 1 << 20, "ports.source"),
    ],
)
def test_ports_that_do_not_exist(destination: int, source: int, field: str) -> None:
    with pytest.raises(Refusal, match="0 to 65535") as caught:
        port_element(destination, source)
    assert (caught.value.code, caught.value.field) == ("ports_invalid", field)


@given(ELEMENTS)
def test_a_udh_that_adds_up_gives_its_elements(elements: list[Element]) -> None:
    octets = header(elements)
    assert parse_udh(octets) == tuple(elements)
    assert parse_udh(octets.hex()) == parse_udh(octets.hex(" ").upper()) == tuple(elements)
    assert tuple(udh.parse(octets)) == tuple(elements)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("xy", "not hex"),
        ("050", "not hex"),
        ("05", "says 5, and 0 octets follow"),
        ("0605040B8423", "says 6, and 5 octets follow"),
        ("0605040B8423F0F0", "says 6, and 7 octets follow"),
        ("0105", "0x05 at octet 1 has no length octet"),
        ("0505050B8423", "0x05 at octet 1 says 5 octets, 3 follow"),
        ("0670 01 AA 70 02 BB", "0x70 at octet 4 says 2 octets, 1 follow"),
        ("0504030B8423", "8-bit application ports) has 2 octets, not 3"),
        ("04000201 02", "has 3 octets, not 2"),
        ("0500 03 01 00 01", "part 1 of 0"),
        ("0500 03 01 02 03", "part 3 of 2"),
        ("0608 04 0001 02 00", "part 0 of 2"),
        ("03 24 01", "says 3, and 2 octets follow"),
        ("04 24 02 01 02", "national language single shift) has 1 octets, not 2"),
        ("8C" + "00" * 140, "has 141 octets"),
    ],
)
def test_a_udh_that_does_not_add_up_is_refused(text: str, says: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_udh(text)
    assert (caught.value.code, caught.value.field) == ("udh_invalid", "udh")
    assert says in caught.value.text


@given(st.binary(max_size=160))
def test_any_octets_give_elements_that_make_the_same_udh_or_a_refusal(octets: bytes) -> None:
    try:
        elements = parse_udh(octets)
    except Refusal as refusal:
        assert refusal.code == "udh_invalid"
    else:
        assert header(list(elements)) == octets
