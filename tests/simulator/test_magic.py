"""The magic numbers: that they are possible and documented, and the certain fate of each on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import phonenumbers
import pytest
import trio
from click.testing import CliRunner
from trio.testing import MockClock

from simulator.cli import main
from simulator.magic import MAGIC, PREFIX, Magic, markdown, rules_on
from simulator.quirks import ReceiptQuirks
from simulator.rules import rule_problems
from smppgw.errors import RemoteProtocolError
from smppgw.smpp import (
    DeliverSm,
    EnquireLink,
    EnquireLinkResp,
    Pdu,
    SubmitSmResp,
    decode,
    read_receipt,
)

from .esme import Esme, bound, submit_sm

README = Path(__file__).parents[2] / "simulator" / "README.md"
BY_NUMBER = {magic.number: magic for magic in MAGIC}


@pytest.mark.parametrize("magic", MAGIC, ids=lambda magic: magic.number)
def test_a_number_is_possible_and_in_order(magic: Magic) -> None:
    number = phonenumbers.parse(f"+{magic.number}")
    assert phonenumbers.is_possible_number(number)
    assert phonenumbers.is_valid_number(number)
    assert magic.number.startswith(PREFIX)
    assert "|" not in magic.fate + magic.seen


def test_each_number_stands_once_in_rising_order() -> None:
    assert list(BY_NUMBER) == sorted(BY_NUMBER)
    assert len(BY_NUMBER) == len(MAGIC)


def test_their_rules_are_possible() -> None:
    """But for `after`, which is below none where the first of two is meant."""
    problems = [problem for problem in rule_problems([magic.rule for magic in MAGIC]) if "when.after" not in problem]
    assert problems == []


def test_the_readme_has_the_table() -> None:
    assert markdown() in README.read_text(encoding="utf-8")


def test_the_command_lists_them() -> None:
    shown = CliRunner().invoke(main, ["numbers", "--json"])
    assert [one["number"] for one in json.loads(shown.output)] == [f"+{magic.number}" for magic in MAGIC]
    lines = CliRunner().invoke(main, ["numbers"]).output.splitlines()
    assert lines[0].split("\t") == [f"+{MAGIC[0].number}", MAGIC[0].fate, MAGIC[0].seen]


def test_receipts_look_as_the_scenario_has_them_otherwise() -> None:
    rules = rules_on(ReceiptQuirks(esm_class=0, gap_s=9))
    twice = rules[f"+{PREFIX}1103"].receipts
    assert twice is not None
    assert twice.dialect == ReceiptQuirks(esm_class=0, gap_s=9, sequence=("final", "final"))
    assert rules[f"{PREFIX}1103"] is rules[f"+{PREFIX}1103"]


async def see(esme: Esme, number: str, registered_delivery: int = 1) -> list[str]:
    """In short, what comes for one submit within a minute, with the seconds where it is more than one."""
    began = trio.current_time()
    sent = submit_sm(number, registered_delivery=registered_delivery)
    await esme.send(sent)
    words: list[str] = []
    with trio.move_on_after(50):
        while await esme.read():
            words += [await word(esme, frame, sent.sequence_number, began) for frame in esme.frames]
            esme.frames.clear()
            esme.inbox.clear()
    words += [await word(esme, frame, sent.sequence_number, began) for frame in esme.frames]
    return words + (["end"] if esme.ended else [])


async def word(esme: Esme, frame: bytes, sequence_number: int, began: float) -> str:
    late_s = trio.current_time() - began
    late = f" after {late_s:.0f}" if late_s >= 1 else ""
    try:
        pdu: Pdu = decode(frame)
    except RemoteProtocolError:
        return "unreadable"
    if isinstance(pdu, SubmitSmResp):
        if pdu.sequence_number != sequence_number:
            return "stray response"
        told = "" if pdu.message_id or pdu.command_status else " without id"
        return f"response {pdu.command_status}{told}{' and body' if len(frame) == 16 and told else ''}{late}"
    if isinstance(pdu, DeliverSm):
        await esme.acknowledge(pdu)
        receipt = read_receipt(pdu)
        assert receipt is not None
        shape = f"{'' if pdu.short_message else ' no text'}{'' if pdu.tlvs else ' no TLVs'}"
        return f"{receipt.stat or pdu.tlvs[0x0427][0]} {pdu.esm_class}{shape}{late}"
    return type(pdu).__name__


OK, DELIVERED = "response 0", "DELIVRD 4"
EXPECTED: dict[str, list[str]] = {
    "1002": [OK, DELIVERED],
    "1003": [OK, "EXPIRED 4"],
    "1004": [OK, "DELETED 4"],
    "1005": [OK, "UNDELIV 4"],
    "1007": [OK, "UNKNOWN 4"],
    "1008": [OK, "REJECTD 4"],
    "1009": [OK, "SKIPPED 4"],
    "1100": [OK],
    "1101": [DELIVERED, OK],
    "1102": [OK, "DELIVRD 4 after 30"],
    "1103": [OK, DELIVERED, DELIVERED],
    "1104": [OK, "ENROUTE 32", DELIVERED],
    "1105": [OK, DELIVERED, "ENROUTE 32"],
    "1106": [OK, DELIVERED, "UNDELIV 4"],
    "1107": [OK, DELIVERED],
    "1108": [OK, "DELIVRD 4 no TLVs"],
    "1109": [OK, "DELIVRD 4 no text"],
    **{f"2{status:03d}": [f"response {status}"] for status in (8, 10, 11, 20, 69, 88, 100, 101, 102, 255)},
    **{f"3{status:03d}": [f"response {status}"] for status in (8, 20, 88)},
    "4001": [],
    "4002": [DELIVERED],
    "4003": ["GenericNack"],
    "4004": [DELIVERED, "response 0 after 5"],
    "4005": [OK, OK, DELIVERED],
    "4006": ["stray response", DELIVERED],
    "4007": ["response 0 without id and body", DELIVERED],
    "4008": ["response 0 without id", DELIVERED],
    "4009": ["unreadable", DELIVERED],
    "5001": ["end"],
    "5002": [OK, "end"],
    "5003": ["end"],
    "5004": [OK, "Unbind", "end"],
    "5005": [OK],
    "5006": [OK, DELIVERED],
}


@pytest.mark.parametrize("written", [lambda number: number, lambda number: f"+{number}"], ids=["digits", "plus"])
@pytest.mark.parametrize("magic", MAGIC, ids=lambda magic: f"{magic.number} {magic.fate}")
async def test_the_fate_is_what_the_table_says(
    autojump_clock: MockClock, magic: Magic, written: Callable[[str], str]
) -> None:
    last = magic.number.removeprefix(PREFIX)
    async with bound(enquire_link_s=0.0) as (_, esme):
        esme.frames.clear()
        assert await see(esme, written(magic.number), 0 if last == "1107" else 1) == EXPECTED[last]


async def test_what_was_cut_was_taken_or_not(autojump_clock: MockClock) -> None:
    for last, accepted in (("5001", 1), ("5002", 1), ("5003", 0), ("4001", 0), ("4002", 1), ("4003", 0)):
        async with bound() as (smsc, esme):
            await esme.send(submit_sm(f"{PREFIX}{last}"))
            await smsc.wait_until(lambda smsc=smsc: smsc.stats.submits == 1)  # type: ignore[misc]
            assert smsc.stats.accepted == accepted


async def test_every_other_time(autojump_clock: MockClock) -> None:
    async with bound() as (_, esme):
        found = [(await esme.submit(f"{PREFIX}3088")).command_status for _ in range(5)]
        assert found == [0x58, 0, 0x58, 0, 0x58]


async def test_enquire_link_is_not_answered_after_that_number(autojump_clock: MockClock) -> None:
    async with bound() as (_, esme):
        await esme.send(EnquireLink())
        await esme.expect(EnquireLinkResp)
        await esme.submit(f"{PREFIX}5006")
        await esme.send(EnquireLink())
        assert await esme.nothing_for(50)


async def test_without_magic_they_are_numbers_like_any_other(autojump_clock: MockClock) -> None:
    async with bound(magic_numbers=False) as (_, esme):
        assert (await esme.submit(f"{PREFIX}2088")).command_status == 0


async def test_a_number_besides_those_of_the_table_is_like_any_other(autojump_clock: MockClock) -> None:
    async with bound() as (_, esme):
        assert (await esme.submit(f"{PREFIX}2089")).command_status == 0


def test_no_magic_on_the_command_line() -> None:
    shown = CliRunner().invoke(main, ["--help"])
    assert "--no-magic" in shown.output
