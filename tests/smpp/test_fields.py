from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.smpp import DistributionList, SmeAddress, Status, UnsuccessSme
from smppgw.smpp.fields import (
    FIELD_STATUS,
    U8,
    COctet,
    Destinations,
    FieldError,
    Kind,
    Octets,
    TooLongError,
    UnsuccessSmes,
    UnterminatedError,
    status_for_field,
)
from tests.smpp.samples import ALL_CLASSES, values

KINDS: list[Kind] = [
    U8(),
    COctet(9),
    COctet(17, fixed=True),
    Octets("sm_length", 254),
    Destinations("number_of_dests"),
    UnsuccessSmes("no_unsuccess"),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
@given(data=st.data())
def test_what_is_written_is_read(kind: Kind, data: st.DataObject) -> None:
    value = data.draw(values(kind))
    before, after = data.draw(st.binary(max_size=3)), data.draw(st.binary(max_size=3))
    octets = kind.write(value)
    frame = before + octets + after
    assert kind.read(frame, len(before), len(frame)) == (value, len(before) + len(octets))


WRITES: list[tuple[Kind, Any, str]] = [
    (U8(), 0, "00"),
    (U8(), 255, "ff"),
    (COctet(5), "", "00"),
    (COctet(5), "abcd", "6162636400"),
    (COctet(5), "\xff", "ff00"),
    (Octets("sm_length", 254), b"", "00"),
    (Octets("sm_length", 254), b"\0\1", "020001"),
    (Destinations("n"), (), "00"),
    (Destinations("n"), (SmeAddress(1, 2, "34"), DistributionList("l")), "02 01 01 02 3334 00 02 6c 00"),
    (UnsuccessSmes("n"), (UnsuccessSme(1, 2, "34", 0x0B),), "01 01 02 3334 00 0000000b"),
]


@pytest.mark.parametrize(("kind", "value", "octets"), WRITES)
def test_octets_of_values(kind: Kind, value: Any, octets: str) -> None:
    assert kind.write(value) == bytes.fromhex(octets)


UNWRITABLE: list[tuple[Kind, Any, str]] = [
    (U8(), -1, "not a number from 0 to 255"),
    (U8(), 256, "not a number from 0 to 255"),
    (U8(), "1", "not a number from 0 to 255"),
    (COctet(5), "abcde", "5 octets, the limit is 4"),
    (COctet(5), "a\0b", "contains NUL"),
    (COctet(5), "\u20ac", r"'\\u20ac', which is not one octet"),
    (COctet(5), b"ab", "is a bytes"),
    (COctet(5), None, "is a NoneType"),
    (COctet(17, fixed=True), "240101", "only none or 16"),
    (Octets("n", 254), bytes(255), "255 octets, the limit is 254"),
    (Octets("n", 254), "text", "is a str"),
    (Destinations("n"), tuple(DistributionList("x") for _ in range(255)), "255 entries, the limit is 254"),
    (Destinations("n"), ("x",), "holds a str"),
    (Destinations("n"), "x", "is a str"),
    (Destinations("n"), (SmeAddress(1, 1, "1" * 21),), "21 octets, the limit is 20"),
    (UnsuccessSmes("n"), (SmeAddress(1, 1, "1"),), "holds a SmeAddress"),
    (UnsuccessSmes("n"), (UnsuccessSme(1, 1, "1", 1 << 32),), "error_status_code"),
]


@pytest.mark.parametrize(("kind", "value", "says"), UNWRITABLE)
def test_what_does_not_fit_says_why(kind: Kind, value: Any, says: str) -> None:
    with pytest.raises(FieldError, match=says):
        kind.write(value)


UNREADABLE: list[tuple[Kind, str, str, str]] = [
    (U8(), "", "is missing", ""),
    (COctet(5), "", "no terminating NUL", ""),
    (COctet(5), "616263", "no terminating NUL", ""),
    (COctet(5), "616263646500", "6 octets with its terminator, the limit is 5", ""),
    (Octets("sm_length", 254), "", "is missing", "sm_length"),
    (Octets("sm_length", 254), "0361", "is 3 with only 1 octets left", "sm_length"),
    (Destinations("number_of_dests"), "", "is missing", "number_of_dests"),
    (Destinations("number_of_dests"), "01", "is missing", "dest_flag"),
    (Destinations("number_of_dests"), "01 03", "neither 1 nor 2", "dest_flag"),
    (Destinations("number_of_dests"), "01 01 01", "is missing", "dest_addr_npi"),
    (Destinations("number_of_dests"), "01 01 01 01 33", "no terminating NUL", "destination_addr"),
    (Destinations("number_of_dests"), "01 02 33", "no terminating NUL", "dl_name"),
    (UnsuccessSmes("no_unsuccess"), "01 01 01 33 00 000000", "is missing", "error_status_code"),
]


@pytest.mark.parametrize(("kind", "octets", "says", "field"), UNREADABLE)
def test_what_cannot_be_read_says_why(kind: Kind, octets: str, says: str, field: str) -> None:
    frame = bytes.fromhex(octets)
    with pytest.raises(FieldError, match=says) as caught:
        kind.read(frame, 0, len(frame))
    assert caught.value.field == field


def test_bad_strings_say_what_they_would_read_as() -> None:
    with pytest.raises(UnterminatedError) as unterminated:
        COctet(5).read(b"abc", 1, 3)
    assert unterminated.value.value == "bc"
    with pytest.raises(TooLongError) as too_long:
        COctet(3).read(b"abcd\0x", 0, 6)
    assert (too_long.value.value, too_long.value.position) == ("abcd", 5)


@pytest.mark.parametrize(
    ("field", "status"),
    [
        ("password", Status.ESME_RINVPASWD),
        ("system_id", Status.ESME_RINVSYSID),
        ("source_addr", Status.ESME_RINVSRCADR),
        ("destination_addr", Status.ESME_RINVDSTADR),
        ("sm_length", Status.ESME_RINVMSGLEN),
        ("validity_period", Status.ESME_RINVEXPIRY),
        ("", Status.ESME_RINVCMDLEN),
        ("protocol_id", Status.ESME_RINVCMDLEN),
    ],
)
def test_status_due_for_a_field(field: str, status: Status) -> None:
    assert status_for_field(field) is status


def test_every_field_with_a_status_exists_in_some_pdu() -> None:
    names = {name for cls in ALL_CLASSES for name in cls.fields}
    counts = {kind.length for cls in ALL_CLASSES for kind in cls.fields.values() if isinstance(kind, Octets)}
    parts = {"number_of_dests", "dest_flag", "dl_name"}
    assert set(FIELD_STATUS) <= names | counts | parts
