"""Information elements that a caller asks for: application ports, or a whole UDH of its own.

Owns the way from what a caller says to elements (identifier, data) for the planner, and back to ports. Refuses to
know what listens on a port.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from smppgw.errors import Refusal
from smppgw.sms.encoding import TPDU_OCTETS

#: An information element: its identifier, and its data without the length octet.
Element = tuple[int, bytes]

PORTS_8_BIT: Final = 0x04  # 3GPP TS 23.040, 9.2.3.24.3
PORTS_16_BIT: Final = 0x05  # 9.2.3.24.4
_MOST_PORT: Final = 0xFFFF

#: How many octets of data an element has where 23.040 fixes that (9.2.3.24.1 to .8, .15 and .16): identifier to
#: octets and name. A handset ignores one of another size, which is never what the caller meant.
_OCTETS: Final = {
    0x00: (3, "concatenation with an 8-bit reference"),
    0x01: (2, "special SMS message indication"),
    PORTS_8_BIT: (2, "8-bit application ports"),
    PORTS_16_BIT: (4, "16-bit application ports"),
    0x06: (1, "SMSC control parameters"),
    0x07: (1, "UDH source indicator"),
    0x08: (4, "concatenation with a 16-bit reference"),
    0x24: (1, "national language single shift"),
    0x25: (1, "national language locking shift"),
}
_CONCATENATIONS: Final = (0x00, 0x08)


class Ports(NamedTuple):
    """Application ports, 0 to 65535."""

    destination: int
    source: int


def port_element(destination: int, source: int) -> Element:
    """The element for 16-bit application ports, which handsets know even where 8 bits would do.

    Raises Refusal `ports_invalid`.
    """
    for name, port in (("destination", destination), ("source", source)):
        if not 0 <= port <= _MOST_PORT:
            text = f"the {name} port {port} does not exist: ports are 0 to {_MOST_PORT}"
            raise Refusal("ports_invalid", text, field=f"ports.{name}")
    return PORTS_16_BIT, destination.to_bytes(2, "big") + source.to_bytes(2, "big")


#: Where handsets wait for WAP push, from the port that sends it (WAP-259, WDP, which lists what IANA assigned).
WAP_PUSH_PORTS: Final = Ports(destination=2948, source=9200)
WAP_PUSH: Final = port_element(*WAP_PUSH_PORTS)


def ports_of(elements: Iterable[Element]) -> Ports | None:
    """The ports that these elements tell, of 8 or 16 bits; the last that makes sense counts (23.040, 9.2.3.24)."""
    found = None
    for identifier, data in elements:
        if identifier == PORTS_16_BIT and len(data) == 4:
            found = Ports(int.from_bytes(data[:2], "big"), int.from_bytes(data[2:], "big"))
        elif identifier == PORTS_8_BIT and len(data) == 2:
            found = Ports(data[0], data[1])
    return found


def parse_udh(udh: str | bytes) -> tuple[Element, ...]:
    """The elements of a whole UDH with its length octet, given as octets or as hex, in their order.

    Raises Refusal `udh_invalid`: it is no hex, its lengths do not add up, or an element cannot be what it says.
    """
    octets = _octets(udh)
    if not octets:
        raise _invalid("it is empty: it starts with its length octet (UDHL)")
    if len(octets) > TPDU_OCTETS:
        raise _invalid(f"it has {len(octets)} octets, and a message only {TPDU_OCTETS}")
    if octets[0] != len(octets) - 1:
        raise _invalid(f"its length octet (UDHL) says {octets[0]}, and {len(octets) - 1} octets follow")
    elements: list[Element] = []
    at = 1
    while at < len(octets):
        if at + 1 == len(octets):
            raise _invalid(f"the element 0x{octets[at]:02X} at octet {at} has no length octet")
        identifier, count = octets[at], octets[at + 1]
        data = octets[at + 2 : at + 2 + count]
        if len(data) < count:
            raise _invalid(f"the element 0x{identifier:02X} at octet {at} says {count} octets, {len(data)} follow")
        _check(identifier, data, at)
        elements.append((identifier, data))
        at += 2 + count
    return tuple(elements)


def _octets(udh: str | bytes) -> bytes:
    if isinstance(udh, bytes):
        return udh
    try:
        return bytes.fromhex(udh)
    except ValueError:
        raise _invalid("it is not hex, two digits for each octet") from None


def _check(identifier: int, data: bytes, at: int) -> None:
    octets, name = _OCTETS.get(identifier, (len(data), ""))
    if len(data) != octets:
        raise _invalid(f"the element 0x{identifier:02X} at octet {at} ({name}) has {octets} octets, not {len(data)}")
    if identifier in _CONCATENATIONS:
        total, part = data[-2], data[-1]
        if not 1 <= part <= total:
            raise _invalid(f"the {name} at octet {at} is part {part} of {total}, and handsets ignore that")


def _invalid(text: str) -> Refusal:
    return Refusal("udh_invalid", f"the UDH cannot be used: {text}", field="udh")
