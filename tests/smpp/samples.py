"""Strategies and factories for PDUs, derived from the tables that they test the codec of."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from smppgw.smpp import CommandId, DistributionList, Pdu, SmeAddress, Tlvs, UnsuccessSme, pdu_class
from smppgw.smpp.constants import RESPONSE_BIT
from smppgw.smpp.fields import U8, COctet, Destinations, Kind, Octets, UnsuccessSmes

ALL_CLASSES: list[type[Pdu]] = [cls for command in CommandId if (cls := pdu_class(command)) is not None]
REQUEST_CLASSES = [cls for cls in ALL_CLASSES if not cls.is_response]

octet = st.integers(0, 255)


def c_octets(most: int, least: int = 0) -> st.SearchStrategy[str]:
    """Any octets but NUL, through latin-1."""
    return st.text(st.characters(min_codepoint=1, max_codepoint=255), min_size=least, max_size=most)


_sme = st.builds(SmeAddress, octet, octet, c_octets(20))
_list = st.builds(DistributionList, c_octets(20))
_unsuccess = st.builds(UnsuccessSme, octet, octet, c_octets(20), st.integers(0, 0xFFFFFFFF))


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """Every value a field may have."""
    match kind:
        case U8():
            return octet
        case COctet(limit=limit, fixed=True):
            return st.just("") | c_octets(limit - 1, limit - 1)
        case COctet(limit=limit, padded=True):
            return c_octets(limit - 1).map(lambda address: address.rstrip(" "))
        case COctet(limit=limit):
            return c_octets(limit - 1)
        case Octets(limit=limit):
            return st.binary(max_size=limit)
        case Destinations():
            return st.lists(_sme | _list, max_size=6).map(tuple)
        case UnsuccessSmes():
            return st.lists(_unsuccess, max_size=6).map(tuple)
    raise AssertionError(kind)


_tag = st.integers(1, 0xFFFF)
_value = st.binary(max_size=40)
tlv_maps = st.dictionaries(_tag, _value, max_size=5) | st.lists(
    st.tuples(st.sampled_from([0x0204, 0x0381, 0x1400]), _value), max_size=6
).map(Tlvs)


def pdus(cls: type[Pdu]) -> st.SearchStrategy[Pdu]:
    """PDUs of one class, with every legal value of every field."""
    statuses = st.just(0) | st.integers(0, 0xFFFFFFFF) if cls.is_response else st.just(0)
    return st.builds(
        cls,
        sequence_number=st.integers(0, 0xFFFFFFFF),
        command_status=statuses,
        tlvs=tlv_maps,
        **{name: values(kind) for name, kind in cls.fields.items()},
    )


any_pdu = st.sampled_from(ALL_CLASSES).flatmap(pdus)


def response_to(request: Pdu, **fields: Any) -> Pdu:
    """The response that answers `request`."""
    cls = pdu_class(request.command_id | RESPONSE_BIT)
    assert cls is not None
    return cls(sequence_number=request.sequence_number, **fields)
