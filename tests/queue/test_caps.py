"""Limits by minute, hour or day hold across claims, binds and restarts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smppgw.addresses import Address
from smppgw.queue.model import Cap, Claim, Claimed, ClaimedSegment, Lane, OutcomeKind, Withdraw
from tests.support.inlinestore import InlineStore

from .make import NOW, accept, answer, new_message

MINUTE = 60_000


def cap(count: int, *, by_sender: bool = False, start: int = NOW, span: int = MINUTE) -> Cap:
    return Cap(f"{span}/{count}", count, by_sender, start, start + span)


async def claimed(store: Any, *caps: Cap, limit: int = 100, now: int = NOW, bind: str = "demo/1") -> Claimed:
    op = Claim("demo", bind, limit, now, caps=caps)
    await store.commit(op)
    assert isinstance(op.result, Claimed)
    return op.result


async def withdraw(store: Any, *segments: ClaimedSegment, now: int = NOW) -> None:
    await store.commit(Withdraw("demo", "demo/1", [(one.segment_id, one.claim) for one in segments], now))


def from_sender(sender: str, **changes: Any) -> Any:
    return new_message(source=Address(5, 0, sender), **changes)


def senders(found: Claimed) -> list[str]:
    return [one.source.addr for one in found.segments]


class TestAllTogether:
    async def test_so_many_go_and_the_rest_waits_for_the_next_span(self, store: Any) -> None:
        await accept(store, *(new_message() for _ in range(10)))
        first = await claimed(store, cap(4), limit=3)
        assert (len(first.segments), first.next_due_utc_ms) == (3, None)
        second = await claimed(store, cap(4), limit=3, bind="demo/2")
        assert (len(second.segments), second.next_due_utc_ms) == (1, NOW + MINUTE)
        third = await claimed(store, cap(4), limit=3)
        assert (third.segments, third.next_due_utc_ms) == ([], NOW + MINUTE)
        later = await claimed(store, cap(4, start=NOW + MINUTE), now=NOW + MINUTE)
        assert (len(later.segments), later.next_due_utc_ms) == (4, NOW + 2 * MINUTE)

    async def test_with_little_queued_it_is_no_limit(self, store: Any) -> None:
        await accept(store, new_message())
        found = await claimed(store, cap(4))
        assert (len(found.segments), found.next_due_utc_ms) == (1, None)

    async def test_who_asks_for_nothing_gets_nothing(self, store: Any) -> None:
        await accept(store, new_message())
        for one in (cap(4), cap(4, by_sender=True)):
            assert await claimed(store, one, limit=0) == Claimed([], None)

    async def test_otp_is_not_exempt(self, store: Any) -> None:
        await accept(store, *(new_message(lane=Lane.OTP) for _ in range(3)))
        assert len((await claimed(store, cap(2))).segments) == 2
        assert (await claimed(store, cap(2))).segments == []

    async def test_of_several_limits_each_holds(self, store: Any) -> None:
        await accept(store, *(new_message() for _ in range(10)))
        hour = cap(5, span=60 * MINUTE)
        first = await claimed(store, cap(3), hour)
        assert (len(first.segments), first.next_due_utc_ms) == (3, NOW + MINUTE)
        second = await claimed(store, cap(3, start=NOW + MINUTE), hour, now=NOW + MINUTE)
        assert (len(second.segments), second.next_due_utc_ms) == (2, NOW + 60 * MINUTE)

    async def test_a_limit_that_was_set_lower_than_what_is_used(self, store: Any) -> None:
        await accept(store, *(new_message() for _ in range(10)))
        key, _, by_sender, start, end = "day", 5, False, NOW, NOW + MINUTE
        assert len((await claimed(store, Cap(key, 5, by_sender, start, end))).segments) == 5
        assert (await claimed(store, Cap(key, 3, by_sender, start, end))).segments == []

    async def test_what_was_refused_counts_and_what_was_withdrawn_does_not(self, store: Any) -> None:
        await accept(store, *(new_message() for _ in range(10)))
        first = (await claimed(store, cap(4))).segments
        await answer(store, first[:1], OutcomeKind.THROTTLED, status=0x58)
        await withdraw(store, *first[1:])
        assert len((await claimed(store, cap(4))).segments) == 3

    async def test_what_is_withdrawn_after_its_span_is_not_taken_off_the_next(self, store: Any) -> None:
        await accept(store, *(new_message() for _ in range(10)))
        old = (await claimed(store, cap(4))).segments
        later = cap(4, start=NOW + MINUTE)
        assert len((await claimed(store, later, now=NOW + MINUTE)).segments) == 4
        await withdraw(store, *old, now=NOW + MINUTE)
        assert (await claimed(store, later, now=NOW + MINUTE)).segments == []

    async def test_carriers_count_apart(self, store: Any) -> None:
        await accept(store, new_message(), new_message(carrier="other"))
        await claimed(store, cap(1))
        op = Claim("other", "other/1", 10, NOW, caps=[cap(1)])
        await store.commit(op)
        assert len(op.result.segments) == 1


class TestBySender:
    async def test_who_has_used_it_up_waits_and_others_go(self, store: Any) -> None:
        await accept(store, *(from_sender(name) for name in ("A", "A", "A", "B", "A", "B")))
        one = cap(2, by_sender=True)
        assert senders(await claimed(store, one)) == ["A", "A", "B", "B"]
        rest = await claimed(store, one)
        assert (rest.segments, rest.next_due_utc_ms) == ([], NOW + MINUTE)
        later = await claimed(store, cap(2, by_sender=True, start=NOW + MINUTE), now=NOW + MINUTE)
        assert senders(later) == ["A", "A"]

    async def test_others_are_found_behind_a_long_queue_of_one(self, store: Any) -> None:
        await accept(store, *(from_sender("A") for _ in range(50)), from_sender("B"))
        one = cap(1, by_sender=True)
        found, work = [], store.work("demo")
        seen = -1
        while seen != work.version:  # as a bind does: what was put off makes it look again
            seen = work.version
            found += senders(await claimed(store, one, limit=10))
        assert found == ["A", "B"]

    async def test_a_long_queue_of_one_sender_is_moved_at_once(self, store: Any) -> None:
        await accept(store, *(from_sender("A") for _ in range(700)), *(from_sender("B") for _ in range(3)))
        one = cap(100, by_sender=True)
        assert senders(await claimed(store, one)) == ["A"] * 100
        assert (await claimed(store, one)).segments == []
        assert senders(await claimed(store, one)) == ["B"] * 3
        for minute in range(1, 7):
            now = NOW + minute * MINUTE
            later = await claimed(store, cap(100, by_sender=True, start=now), now=now)
            assert senders(later) == ["A"] * 100
            again = await claimed(store, cap(100, by_sender=True, start=now), now=now)
            assert again == Claimed([], now + MINUTE if minute < 6 else None, minute < 6), "none of them in vain"

    async def test_a_limit_that_is_raised_helps_within_the_hour(self, store: Any) -> None:
        await accept(store, *(from_sender("A", validity_ms=600 * MINUTE) for _ in range(300)))
        await claimed(store, cap(1, by_sender=True))
        await claimed(store, cap(1, by_sender=True))
        now = NOW + 61 * MINUTE
        assert len((await claimed(store, cap(400, by_sender=True, start=now), limit=400, now=now)).segments) == 299

    async def test_beside_a_limit_on_all_together(self, store: Any) -> None:
        await accept(store, *(from_sender(name) for name in ("A", "A", "B", "C", "D")))
        caps = cap(3), cap(1, by_sender=True, span=60 * MINUTE)
        assert senders(await claimed(store, *caps)) == ["A", "B"]
        assert senders(await claimed(store, *caps)) == ["C"]
        assert (await claimed(store, *caps)).next_due_utc_ms == NOW + MINUTE
        later = cap(3, start=NOW + MINUTE), caps[1]
        assert senders(await claimed(store, *later, now=NOW + MINUTE)) == ["D"]

    async def test_of_two_limits_the_later_end_counts(self, store: Any) -> None:
        await accept(store, from_sender("A"), from_sender("A"))
        caps = cap(1, by_sender=True), cap(1, by_sender=True, span=60 * MINUTE)
        await claimed(store, *caps)
        assert (await claimed(store, *caps)).next_due_utc_ms == NOW + 60 * MINUTE

    async def test_withdrawn_claims_give_their_use_back(self, store: Any) -> None:
        await accept(store, from_sender("A"), from_sender("B"))
        one = cap(1, by_sender=True)
        found = await claimed(store, one)
        await withdraw(store, found.segments[0])
        assert senders(await claimed(store, one)) == ["A"]

    async def test_a_sender_without_a_name_is_one_too(self, store: Any) -> None:
        await accept(store, from_sender(""), from_sender(""), from_sender("B"))
        assert senders(await claimed(store, cap(1, by_sender=True), cap(9))) == ["", "B"]


async def test_it_is_counted_on_disk(tmp_path: Path) -> None:
    store = InlineStore(tmp_path / "store.db")
    await accept(store, *(new_message() for _ in range(10)))
    await claimed(store, cap(4), limit=3)
    store.close()
    again = InlineStore(tmp_path / "store.db")
    assert len((await claimed(again, cap(4))).segments) == 1
    again.close()


@pytest.mark.parametrize("by_sender", [False, True])
async def test_who_is_kept_back_is_told_so(by_sender: bool, store: Any) -> None:
    one = cap(2, by_sender=by_sender)
    assert not (await claimed(store, one)).capped
    await accept(store, *(new_message() for _ in range(2)))
    assert not (await claimed(store, one)).capped, "nothing is left behind"
    assert not (await claimed(store, one)).capped
    await accept(store, new_message())
    assert (await claimed(store, one)).capped
    assert (await claimed(store, one)).capped, "and still is"
    later = cap(2, by_sender=by_sender, start=NOW + MINUTE)
    assert not (await claimed(store, later, now=NOW + MINUTE)).capped


@pytest.mark.parametrize(
    ("caps", "most"), [((), 0), ((cap(9),), 2), ((cap(9, by_sender=True),), 2), ((cap(9), cap(8, by_sender=True)), 3)]
)
async def test_it_costs_a_fixed_number_of_statements(caps: tuple[Cap, ...], most: int) -> None:
    store = InlineStore()
    await accept(store, *(from_sender(f"S{i % 7}") for i in range(9)))
    statements: list[str] = []
    store.connection.set_trace_callback(statements.append)
    assert len((await claimed(store, *caps, limit=9)).segments) == 9
    store.connection.set_trace_callback(None)
    assert sum("cap_use" in one for one in statements) == most
    store.close()
