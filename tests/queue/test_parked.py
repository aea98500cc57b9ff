"""Receipts that wait for their segment cost next to nothing, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from smppgw.addresses import Address
from smppgw.queue.model import InboundText, Reason, ReceiptRecord, ReceiptState, SegmentState
from smppgw.queue.operations.parked import CLOCK_STEP_MS
from tests.support.inlinestore import InlineStore

from .make import HOUR, NOW, accept, answer, claim, new_message, receipt, receive, sweep, view

S, R = SegmentState, Reason


@contextmanager
def traced(store: InlineStore) -> Iterator[list[str]]:
    statements: list[str] = []
    store.connection.set_trace_callback(statements.append)
    yield statements
    store.connection.set_trace_callback(None)


def text_of(smsc_id: str, source: str) -> ReceiptRecord:
    text = InboundText(Address(1, 1, source), Address(1, 1, "BANK"), 0, 0, b"id:" + smsc_id.encode(), "id:" + smsc_id)
    return replace(receipt(smsc_id, source=source), sniffed=text)


@pytest.mark.parametrize("kind", ["receipt", "text"])
async def test_what_came_long_before_is_not_looked_for_with_every_acceptance(kind: str) -> None:
    store = InlineStore()
    await receive(store, receipt("A1", source="1") if kind == "receipt" else text_of("A1", "1"), now=NOW - HOUR)
    await accept(store, new_message(), new_message())
    first, second = await claim(store)
    with traced(store) as statements:
        await answer(store, [first], ids=["A1"])
    assert not any("match_id =" in one or "sniff_id =" in one for one in statements)
    await receive(store, receipt("A2", source="1") if kind == "receipt" else text_of("A2", "1"), now=NOW)
    with traced(store) as statements:
        await answer(store, [second], ids=["A2"])
    assert any("match_id =" in one or "sniff_id =" in one for one in statements)


async def test_the_clock_may_have_been_set_back(store: Any) -> None:
    (number,) = await accept(store, new_message())
    segments = await claim(store)
    await receive(store, receipt("A"), now=NOW - CLOCK_STEP_MS)
    await answer(store, segments, ids=["A"])
    assert (await view(store, number)).segments[0].state is S.DELIVERED


async def test_an_early_receipt_with_an_id_that_is_used_again_is_the_new_ones(store: Any) -> None:
    (old,) = await accept(store, new_message())
    await answer(store, await claim(store), ids=["7"])
    for other in range(3):
        await accept(store, new_message(f"44770090001{other}"))
        await answer(store, await claim(store), ids=[f"a{other}x"])
        await receive(store, receipt(f"a{other}x", source=f"44770090001{other}"))
    await receive(store, receipt("7"), now=NOW + 1)
    (new,) = await accept(store, new_message(), now=NOW + 2)
    segments = await claim(store, now=NOW + 2)
    op = await receive(store, receipt("7", ReceiptState.UNDELIVERABLE), now=NOW + 3)
    assert op.result.parked == 1
    await answer(store, segments, ids=["7"], now=NOW + 4)
    assert (await view(store, new)).segments[0].state is S.UNDELIVERABLE
    assert [entry.reason for entry in (await view(store, old)).history][-1] is R.RECEIPT


async def test_what_texts_say_does_not_change_what_is_known_of_ids(store: Any) -> None:
    for number in range(3):
        await accept(store, new_message())
        await answer(store, await claim(store), ids=[f"s{number}"])
        await receive(store, receipt(f"s{number}"))
    before = await store.id_relations()
    for number in (0xA1, 0xA2, 0xA3):
        await accept(store, new_message())
        await answer(store, await claim(store), ids=[f"{number:x}"])
        op = await receive(store, text_of(str(number), "447700900001"))
        assert op.result.inbound == 1
    assert [one.relation for one in await store.id_relations()] == [one.relation for one in before] == ["same"]


async def test_ids_are_looked_at_once_a_minute() -> None:
    """Every receipt with a masked address asks what the carrier's ids look like."""
    store = InlineStore()
    await accept(store, *(new_message() for _ in range(300)))
    await answer(store, await claim(store, 300), ids=[f"{number:x}" for number in range(4000, 4300)])
    for number in range(2):  # until enough of them were seen
        await receive(store, receipt(f"{4000 + number:x}", source="4477****01"), now=NOW + number)
    with traced(store) as statements:
        for number in range(2, 50):
            op = await receive(store, receipt(f"{4000 + number:x}", source="4477****01"), now=NOW + number)
            assert op.result.matched == 1
    assert not any("DESC LIMIT 1000" in one for one in statements)
    with traced(store) as statements:
        await receive(store, receipt(f"{4000 + 50:x}", source="4477****01"), now=NOW + 100_000)
    assert any("DESC LIMIT 1000" in one for one in statements)


async def test_a_quiet_carriers_ids_are_known_beside_a_busy_one() -> None:
    store = InlineStore()
    await accept(store, new_message(carrier="quiet"))
    quiet = await claim(store, carrier="quiet", bind="quiet/1")
    await answer(store, quiet, ids=["00AB"], carrier="quiet")
    await accept(store, *(new_message() for _ in range(1100)))
    await answer(store, await claim(store, 1100))
    await receive(store, receipt("171"), carrier="quiet")
    ((learned,),) = store.connection.execute("SELECT learned FROM carrier_ids WHERE carrier = 'quiet'")
    assert '"lengths": [4]' in learned


async def test_what_is_learned_between_two_looks_is_kept() -> None:
    store = InlineStore()
    await accept(store, *(new_message() for _ in range(300)))
    await answer(store, await claim(store, 300), ids=[f"{number:x}" for number in range(4000, 4300)])
    for number in range(2):  # until enough of them were seen
        await receive(store, receipt("nobody's"), now=NOW + number)
    for number in range(3):
        await receive(store, receipt(str(4170 + number)), now=NOW + 10 + number)
    assert [one.relation for one in await store.id_relations()] == ["hex -> dec"]


KEEP_MS = 24 * HOUR


async def test_a_parked_receipt_does_not_wait_for_ever(store: Any) -> None:
    await receive(store, *(receipt(f"A{number}") for number in range(3)), now=NOW)
    await receive(store, receipt("B"), now=NOW + HOUR)
    await sweep(store, NOW + KEEP_MS - 1, parked_keep_ms=KEEP_MS)
    assert (await store.depths()).parked_receipts == 4
    op = await sweep(store, NOW + KEEP_MS, parked_keep_ms=KEEP_MS, limit=2)
    assert op.result.more
    assert (await store.depths()).parked_receipts == 2, "in steps"
    op = await sweep(store, NOW + KEEP_MS, parked_keep_ms=KEEP_MS, limit=2)
    depths = await store.depths()
    assert (op.result.more, depths.parked_receipts, depths.oldest_parked_utc_ms) == (False, 1, NOW + HOUR)


async def test_what_was_given_up_is_kept_and_found_by_nobody() -> None:
    store = InlineStore()
    (number,) = await accept(store, new_message())
    segments = await claim(store)
    await receive(store, receipt("A"), now=NOW)
    await sweep(store, NOW + KEEP_MS, parked_keep_ms=KEEP_MS)
    await answer(store, segments, ids=["A"], now=NOW + KEEP_MS)
    assert (await view(store, number)).receipts == []
    assert store.connection.execute("SELECT segment_id, reason, raw FROM receipt").fetchall() == [(0, None, b"id:A")]
