"""Submits put together to messages, as a phone would."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import simulator.assembly
from simulator.assembly import Assembler, Whole
from simulator.ledger import Submit
from simulator.quirks import TextQuirks
from simulator.reading import Reader
from smppgw.smpp import SubmitSm, Tag
from smppgw.sms.plan import plan
from smppgw.sms.udh import concatenation_header

UTC_MS = 1_767_225_600_000


def submit(octets: bytes, *, status: int = 0, system_id: str = "alice", at: int = 0, **fields: Any) -> Submit:
    values: dict[str, Any] = {"source_addr": "SHOP", "destination_addr": "447700900123", "short_message": octets}
    pdu = SubmitSm(**(values | fields))
    message_id = "" if status else f"id-{at}"
    return Submit(UTC_MS + at, system_id, message_id, status, pdu.destination_addr, pdu)


def part(number: int, of: int, text: bytes, reference: int = 7, **fields: Any) -> Submit:
    return submit(concatenation_header(reference, of, number) + text, esm_class=0x40, **fields)


def feed(*submits: Submit) -> tuple[list[Whole], Assembler]:
    assembler = Assembler()
    found = [assembler.feed(number, one) for number, one in enumerate(submits, start=1)]
    return [whole for whole in found if whole is not None], assembler


def test_a_short_message_is_whole_at_once() -> None:
    (whole,), assembler = feed(submit(b"hello", at=5))
    assert whole.line() == {
        "kind": "message",
        "utc_ms": UTC_MS + 5,
        "system_id": "alice",
        "source": "SHOP",
        "destination": "447700900123",
        "message_ids": ["id-5"],
        "submits": [1],
        "text": "hello",
        "alphabet": "gsm7",
        "parts": 1,
        "complete": True,
        "missing": [],
        "repeated": [],
    }
    assert assembler.incomplete() == []


def test_parts_in_any_order() -> None:
    (whole,), _ = feed(part(3, 3, b"c", at=1), part(1, 3, b"a", at=2), part(2, 3, b"b", at=3))
    line = whole.line()
    assert (line["text"], line["parts"], line["long"], line["reference"]) == ("abc", 3, "udh8", 7)
    assert line["message_ids"] == ["id-2", "id-3", "id-1"]
    assert (line["submits"], line["utc_ms"]) == ([1, 2, 3], UTC_MS + 3)
    assert "part" not in line


def test_missing_parts_are_told() -> None:
    wholes, assembler = feed(part(1, 3, b"a"), part(3, 3, b"c"))
    (open_one,) = assembler.incomplete()
    assert wholes == []
    assert (open_one.missing, open_one.complete) == ([2], False)
    assert open_one.text == "a[part 2 of 3 is missing]c"


def test_a_part_twice_is_counted_once() -> None:
    (whole,), _ = feed(part(1, 2, b"a"), part(1, 2, b"a"), part(2, 2, b"b"))
    assert (whole.text, whole.repeated, whole.numbers) == ("ab", [1], [1, 2, 3])


def test_a_reference_used_again() -> None:
    submits = [part(1, 2, b"a"), part(2, 2, b"b"), part(1, 2, b"c"), part(2, 2, b"d")]
    wholes, assembler = feed(*submits)
    assert [whole.text for whole in wholes] == ["ab", "cd"]
    assert assembler.incomplete() == []


def test_a_reference_taken_from_a_message_that_lacks_a_part() -> None:
    wholes, assembler = feed(part(1, 2, b"a"), part(1, 2, b"c"), part(2, 2, b"d"))
    assert [whole.text for whole in wholes] == ["cd"]
    assert [whole.text for whole in assembler.incomplete()] == ["a[part 2 of 2 is missing]"]


@pytest.mark.parametrize(
    "other",
    [
        part(2, 2, b"b", reference=8),
        part(2, 2, b"b", system_id="bob"),
        part(2, 2, b"b", source_addr="OTHER"),
        part(2, 2, b"b", destination_addr="447700900124"),
        part(2, 3, b"b"),
        submit(concatenation_header(7, 2, 2, wide=True) + b"b", esm_class=0x40),
        part(2, 2, b"b", status=0x58),
    ],
    ids=["reference", "system_id", "source", "destination", "total", "width", "refused"],
)
def test_what_does_not_belong_together(other: Submit) -> None:
    assert feed(part(1, 2, b"a"), other)[0] == []


@pytest.mark.parametrize("number", [0, 4])
def test_a_part_that_cannot_be_is_a_message_by_itself(number: int) -> None:
    (whole,), _ = feed(part(number, 3, b"a"))
    assert (whole.text, whole.complete) == ("a", True)


def test_a_character_split_between_two_parts() -> None:
    octets = "😀".encode("utf-16-be")
    (whole,), _ = feed(part(1, 2, octets[:2], data_coding=8), part(2, 2, octets[2:], data_coding=8))
    assert whole.text == "😀"


def test_parts_by_sar_tlvs() -> None:
    def sar(number: int, text: bytes) -> Submit:
        tlvs = {Tag.SAR_MSG_REF_NUM: b"\0\7", Tag.SAR_TOTAL_SEGMENTS: b"\2", Tag.SAR_SEGMENT_SEQNUM: bytes((number,))}
        return submit(text, tlvs=tlvs)

    (whole,), _ = feed(sar(2, b"b\x1be"), sar(1, b"a"))
    assert (whole.text, whole.line()["long"]) == ("ab€", "sar")


def test_shift_tables_that_the_smsc_loses_stay_lost() -> None:
    reader = Reader(TextQuirks(shift_tables=False))
    planned = plan("ışğ" * 60, reference=1)
    pdus = [
        SubmitSm(short_message=octets, esm_class=planned.esm_class, data_coding=planned.data_coding)
        for octets in planned.segments
    ]
    assert reader.join(pdus) == "".join(reader.read(pdu).text for pdu in pdus)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulator.assembly, "MAX_OPEN", 3)
    _, assembler = feed(*(part(1, 2, b"a", reference=reference) for reference in range(10)))
    assert [whole.number for whole in assembler.incomplete()] == [5, 6, 7, 8, 9, 10]  # three of them given up


@given(st.text(min_size=1, max_size=800), st.randoms(use_true_random=False))
def test_any_text_comes_back(text: str, random: Any) -> None:
    try:
        planned = plan(text, reference=9)
    except Exception:  # half of a surrogate pair
        return
    submits = [
        submit(octets, esm_class=planned.esm_class, data_coding=planned.data_coding) for octets in planned.segments
    ]
    expected = feed(*submits)[0][0].text
    random.shuffle(submits)
    (whole,), assembler = feed(*submits)
    assert whole.text == expected
    assert assembler.incomplete() == []
