"""A text is stored once, however often the SMSC delivers it; two votes are two texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smppgw.addresses import Address
from smppgw.queue.model import InboundRecorded, InboundText, RecordInbound, Recover, SettleInbound
from smppgw.queue.operations.inbound import REDELIVERY_MS
from tests.support.inlinestore import InlineStore

from .make import NOW

YES = InboundText(Address(1, 1, "447700900001"), Address(3, 0, "8080"), 0, 0, b"YES\x00", "YES@")
NO = replace(YES, octets=b"NO", text="NO")


async def deliver(
    store: Any,
    *texts: InboundText,
    session: int = 1,
    alive: tuple[int, ...] | None = None,
    now: int = NOW,
    carrier: str = "demo",
) -> InboundRecorded:
    op = RecordInbound(carrier, f"{carrier}/{session}", texts, now, session, (session,) if alive is None else alive)
    await store.commit(op)
    assert isinstance(op.result, InboundRecorded)
    return op.result


async def stored(store: Any) -> int:
    return len(await store.inbound(before=None, limit=1000))


async def test_what_comes_again_after_the_session_broke_is_a_redelivery(store: Any) -> None:
    first = await deliver(store, NO, YES)
    again = await deliver(store, YES, NO, session=2)
    assert (again.ids, again.redelivered) == (list(reversed(first.ids)), 2)
    assert await stored(store) == 2
    newest = (await store.inbound(before=None, limit=1))[0]
    assert (newest.bind, newest.received_utc_ms) == ("demo/2", NOW)


async def test_two_votes_are_two_texts(store: Any) -> None:
    assert (await deliver(store, YES, YES)).redelivered == 0, "in one read"
    assert (await deliver(store, YES)).redelivered == 0, "on one session"
    assert (await deliver(store, YES, session=2, alive=(1, 2))).redelivered == 0, "on two that live"
    assert (await deliver(store, YES, session=2, alive=(1,))).redelivered == 0, "on its own, which lives for certain"
    assert await stored(store) == 5


async def test_an_answered_one_does_not_come_again(store: Any) -> None:
    first = await deliver(store, YES)
    await store.commit(SettleInbound(first.ids, []))
    again = await deliver(store, YES, session=2)
    assert (again.redelivered, await stored(store)) == (0, 2)
    assert again.ids != first.ids


async def test_one_that_was_answered_late_may_come_again_on_the_same_session(store: Any) -> None:
    first = await deliver(store, YES)
    await store.commit(SettleInbound([], first.ids))
    assert await deliver(store, YES) == InboundRecorded(first.ids, 1)
    assert (await deliver(store, YES)).redelivered == 0, "it is waiting for its answer again"


async def test_a_redelivered_one_waits_for_its_answer_anew(store: Any) -> None:
    first = await deliver(store, YES)
    assert (await deliver(store, YES, session=2)).redelivered == 1
    assert await deliver(store, YES, session=3) == InboundRecorded(first.ids, 1)
    await store.commit(SettleInbound(first.ids, []))
    assert (await deliver(store, YES, session=4)).redelivered == 0


async def test_as_many_come_again_as_there_were(store: Any) -> None:
    first = await deliver(store, YES, YES, NO)
    again = await deliver(store, YES, NO, YES, YES, session=2)
    assert again.redelivered == 3
    assert again.ids[:3] == [first.ids[0], first.ids[2], first.ids[1]]
    assert await stored(store) == 4


@pytest.mark.parametrize(
    "other",
    [
        replace(YES, octets=b"YES"),
        replace(YES, octets=b"yes\x00"),
        replace(YES, esm_class=0x40),
        replace(YES, data_coding=3),
        replace(YES, source=Address(1, 1, "447700900002")),
        replace(YES, source=Address(0, 1, "447700900001")),
        replace(YES, destination=Address(3, 0, "8081")),
    ],
)
async def test_only_the_very_same_text_is_a_redelivery(store: Any, other: InboundText) -> None:
    await deliver(store, YES)
    assert (await deliver(store, other, session=2)).redelivered == 0


async def test_nor_is_that_of_another_carrier(store: Any) -> None:
    await deliver(store, YES)
    assert (await deliver(store, YES, session=2, carrier="other")).redelivered == 0


@pytest.mark.parametrize(("age", "redelivered"), [(REDELIVERY_MS, 1), (REDELIVERY_MS + 1, 0)])
async def test_for_a_day_smscs_deliver_again(store: Any, age: int, redelivered: int) -> None:
    await deliver(store, YES)
    assert (await deliver(store, YES, session=2, now=NOW + age)).redelivered == redelivered


async def test_across_a_restart(tmp_path: Path) -> None:
    store = InlineStore(tmp_path / "store.db")
    first = await deliver(store, YES, session=1000)
    store.close()
    again = InlineStore(tmp_path / "store.db")
    await again.commit(Recover(NOW + 1, {}, {}))
    assert await deliver(again, YES, session=2000) == InboundRecorded(first.ids, 1)
    again.close()


async def test_large_batches(store: Any) -> None:
    texts = [replace(YES, source=Address(1, 1, f"4477009{i:05d}")) for i in range(600)]
    first = await deliver(store, *texts)
    assert first.ids == sorted(set(first.ids))
    again = await deliver(store, *reversed(texts), NO, session=2)
    assert again.redelivered == 600
    assert again.ids[:600] == list(reversed(first.ids))
    assert await deliver(store) == InboundRecorded([], 0)
