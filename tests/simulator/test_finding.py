"""Filters and walks through the ledger."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from simulator.finding import ANYTHING, Filter, find_acks, find_messages, find_submits
from simulator.ledger import Ledger
from simulator.patterns import Pattern, address_pattern
from smppgw.sms.udh import concatenation_header

from .test_assembly import UTC_MS, part, submit


def ledger_of(count: int, remembered: int = 1000) -> Ledger:
    ledger = Ledger(None, remembered)
    for at in range(1, count + 1):
        ledger.submit(submit(f"text {at}".encode(), at=at, destination_addr=f"44770090{at:04}", status=at % 2 * 0x58))
        ledger.acked("receipt_acked", UTC_MS + at, "alice", f"id-{at}", "DELIVRD", "SHOP", f"44770090{at:04}")
    return ledger


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (ANYTHING, [1, 2, 3, 4, 5, 6]),
        (Filter(text=Pattern("text 3")), [3]),
        (Filter(to=Pattern("*3")), [3]),
        (Filter(source=Pattern("SHOP"), system_id=Pattern("al*")), [1, 2, 3, 4, 5, 6]),
        (Filter(system_id=Pattern("bob")), []),
        (Filter(status=0x58), [1, 3, 5]),
        (Filter(since_utc_ms=UTC_MS + 5), [5, 6]),
    ],
)
async def test_filters(wanted: Filter, numbers: list[int]) -> None:
    page = await find_submits(ledger_of(6), wanted)
    assert [number for number, _ in page.entries] == numbers
    assert (page.next, page.forgotten) == (6, 0)


def test_why_not_names_the_first_difference() -> None:
    one = submit(b"hello", status=0x58)
    for wanted, why in [
        (ANYTHING, ""),
        (Filter(to=Pattern("1")), "destination is '447700900123', not '1'"),
        (Filter(source=Pattern("X")), "source is 'SHOP', not 'X'"),
        (Filter(system_id=Pattern("X")), "system_id is 'alice', not 'X'"),
        (Filter(text=Pattern("X")), "text is 'hello', not 'X'"),
        (Filter(status=0), "status is ESME_RTHROTTLED, not ESME_ROK"),
        (Filter(since_utc_ms=UTC_MS + 1500), "it came 1.500 s too early"),
    ]:
        assert wanted.why_not(one) == why


def test_a_plus_makes_no_difference() -> None:
    for sent in ("+447700900123", "447700900123"):
        for asked in ("+447700900123", "447700900123", "4477*"):
            assert Filter(to=address_pattern(asked)).why_not(submit(b"x", destination_addr=sent)) == ""


async def test_pages() -> None:
    ledger = ledger_of(10)
    newest = await find_submits(ledger, ANYTHING, limit=3)
    assert [number for number, _ in newest.entries] == [8, 9, 10]
    seen: list[int] = []
    after = 0
    while (page := await find_submits(ledger, ANYTHING, after=after, limit=4)).entries:
        seen += [number for number, _ in page.entries]
        after = page.next
    assert (seen, after) == (list(range(1, 11)), 10)
    assert (await find_submits(ledger, ANYTHING, after=99)).entries == []


async def test_what_is_forgotten_is_told() -> None:
    ledger = ledger_of(10, remembered=4)
    assert (await find_submits(ledger, ANYTHING)).forgotten == 6
    assert (await find_submits(ledger, ANYTHING, after=5)).forgotten == 1
    assert (await find_submits(ledger, ANYTHING, after=6)).forgotten == 0
    assert [number for number, _ in (await find_submits(ledger, ANYTHING, after=2)).entries] == [7, 8, 9, 10]
    assert (await find_acks(ledger, ANYTHING)).forgotten == 6


async def test_acknowledgements() -> None:
    page = await find_acks(ledger_of(5), Filter(to=Pattern("*0002")))
    assert page.lines() == [
        {
            "number": 2,
            "kind": "receipt_acked",
            "utc_ms": UTC_MS + 2,
            "system_id": "alice",
            "message_id": "id-2",
            "state": "DELIVRD",
            "source": "SHOP",
            "destination": "447700900002",
        }
    ]


async def test_messages_have_all_their_parts_or_say_which_are_missing() -> None:
    ledger = Ledger(None, 1000)
    for one in [part(1, 2, b"a"), submit(b"short"), part(2, 2, b"b"), part(1, 2, b"c", reference=8)]:
        ledger.submit(one)
    found: list[dict[str, Any]] = (await find_messages(ledger, ANYTHING)).lines()
    assert [(one["number"], one["text"], one["missing"]) for one in found] == [
        (2, "short", []),
        (3, "ab", []),
        (4, "c[part 2 of 2 is missing]", [2]),
    ]
    assert [one["number"] for one in (await find_messages(ledger, ANYTHING, after=2)).lines()] == [3, 4]
    assert [one["number"] for one in (await find_messages(ledger, Filter(text=Pattern("ab")))).lines()] == [3]


async def test_a_walk_gives_way(autojump_clock: object) -> None:
    """Two long walks take turns: none keeps the sessions waiting until it is done."""
    ledger = Ledger(None, 5000)
    for at in range(2000):
        ledger.submit(submit(concatenation_header(at % 200, 2, 1) + b"x", at=at, esm_class=0x40))
    turns: list[str] = []

    async def other() -> None:
        while len(turns) < 50:
            turns.append("other")
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        await trio.lowlevel.checkpoint()
        for find in (find_submits, find_messages):
            before = len(turns)
            await find(ledger, Filter(text=Pattern("never")))
            assert len(turns) - before >= 5
        nursery.cancel_scope.cancel()
