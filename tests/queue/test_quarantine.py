"""Bad PDUs are kept for people to look at: the newest of each carrier."""

from __future__ import annotations

from typing import Any

from smppgw.queue.model import Quarantine, Quarantined

from .make import NOW


def bad(number: int) -> Quarantined:
    return Quarantined(0x00000005, number, 0xC0, "short_message", "it is cut off", b"\x00\xff%d" % number)


async def keep(store: Any, *numbers: int, carrier: str = "demo", most: int = 3, now: int = NOW) -> None:
    await store.commit(Quarantine(carrier, f"{carrier}/1", [bad(number) for number in numbers], now, most))


async def kept(store: Any) -> list[tuple[str, int]]:
    found = await store.quarantine(before=None, limit=1000)
    return [(one.carrier, one.pdu.sequence_number) for one in found]


async def test_a_bad_pdu_is_shown_as_it_came(store: Any) -> None:
    await keep(store, 1, now=NOW + 7)
    (found,) = await store.quarantine(before=None, limit=10)
    assert (found.carrier, found.bind, found.received_utc_ms, found.pdu) == ("demo", "demo/1", NOW + 7, bad(1))


async def test_newest_first_page_by_page(store: Any) -> None:
    await keep(store, 1, 2, 3)
    page = await store.quarantine(before=None, limit=2)
    assert [one.pdu.sequence_number for one in page] == [3, 2]
    rest = await store.quarantine(before=page[-1].quarantine_id, limit=2)
    assert [one.pdu.sequence_number for one in rest] == [1]


async def test_only_the_newest_of_each_carrier_stay(store: Any) -> None:
    await keep(store, 1, 2)
    await keep(store, 1, carrier="other")
    await keep(store, 3, 4, 5)
    assert await kept(store) == [("demo", 5), ("demo", 4), ("demo", 3), ("other", 1)]
    await keep(store, *range(10, 400))
    assert await kept(store) == [("demo", 399), ("demo", 398), ("demo", 397), ("other", 1)]


async def test_a_lower_limit_is_reached_in_a_few_steps(store: Any) -> None:
    for start in range(0, 1500, 500):
        await keep(store, *range(start, start + 500), most=5000)
    left = []
    for number in range(2000, 2004):
        await keep(store, number, most=2)
        left.append(len(await kept(store)))
    assert left == [1000, 500, 2, 2], "one operation takes a bounded number away"


async def test_none_are_kept_where_none_are_wanted(store: Any) -> None:
    await keep(store, 1, 2, most=0)
    assert await kept(store) == []
