"""The references of long messages: one that is in use is never given again, and who has to wait is told."""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest import mock

import pytest
import trio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from smppgw.addresses import Address
from smppgw.errors import Refusal
from smppgw.queue.engine import Call, Engine
from smppgw.queue.model import (
    Accept,
    Acceptance,
    AcceptStatus,
    Cancel,
    CancelStatus,
    Claim,
    ClaimedSegment,
    Extras,
    IdSource,
    MessageView,
    NewMessage,
    OutcomeKind,
    Reason,
    ReceiptState,
    RecordOutcomes,
    RecordReceipts,
    SegmentState,
    SubmitOutcome,
    Sweep,
    Verdict,
)
from smppgw.queue.operations import references as numbering
from smppgw.sms import udh
from smppgw.sms.encoding import Numbering
from tests.support.inlinestore import InlineStore

from .make import HOUR, NOW, PLAN, accept, answer, claim, doubt, new_message, receipt, receive, sweep, view

DAY = 24 * HOUR
HOLD = DAY  # the default of Accept
OTHER = "447700900002"
FREE_AGAIN = NOW + HOUR + HOLD  # those of messages accepted at NOW


def parts_of(parts: int, *, wide: bool = False) -> tuple[bytes, ...]:
    return tuple(udh.concatenation_header(0, parts, part, wide=wide) + b"%d" % part for part in range(1, parts + 1))


def long_message(to: str = "447700900001", *, parts: int = 2, **changes: Any) -> NewMessage:
    wide = changes.get("numbering") is Numbering.WIDE
    values = {"segments": parts_of(parts, wide=wide), "numbering": Numbering.NARROW} | changes
    return new_message(to, parts=parts, **values)


def widening(*, parts: int = 2, wide_parts: int = 2, **changes: Any) -> NewMessage:
    return long_message(parts=parts, widened=lambda: parts_of(wide_parts, wide=True), **changes)


async def references(store: Any, numbers: list[int]) -> list[int | None]:
    return [(await view(store, number)).reference for number in numbers]


def told(message: MessageView) -> set[udh.Concatenation | None]:
    return {udh.concatenation(segment.octets) for segment in message.segments}


def dues(message: MessageView) -> set[tuple[Reason, int]]:
    return {(segment.reason, segment.due_utc_ms) for segment in message.segments}


async def fill(store: Any, count: int = 256, **changes: Any) -> list[int]:
    return await accept(store, *(long_message(**changes) for _ in range(count)))


async def deliver(store: Any, *numbers: int, now: int = NOW + 5) -> None:
    """Sends all that is due, and delivers these messages."""
    while claimed := await claim(store, 1000, now=now):
        await answer(store, claimed, now=now)
    ids = [f"id{number << 8 | part}" for number in numbers for part in (1, 2)]
    await receive(store, *(receipt(one) for one in ids), now=now)


class TestGiving:
    async def test_the_parts_tell_it_and_so_does_the_message(self, store: Any) -> None:
        first, second = await accept(store, long_message(parts=3), long_message(parts=3))
        for number, reference in ((first, 0), (second, 1)):
            found = await view(store, number)
            assert found.reference == reference
            assert told(found) == {udh.Concatenation(reference, 3, part, wide=False) for part in (1, 2, 3)}
            assert [segment.octets[6:] for segment in found.segments] == [b"1", b"2", b"3"]

    async def test_a_claimed_segment_has_it(self, store: Any) -> None:
        await accept(store, long_message(), long_message())
        claimed = await claim(store)
        assert [one.octets[3] for one in claimed] == [0, 0, 1, 1]

    async def test_one_that_needs_none_has_none_and_uses_none_up(self, store: Any) -> None:
        given = (new_message(), long_message(), new_message(parts=2), new_message(), long_message())
        assert await references(store, await accept(store, *given)) == [None, 0, None, None, 1]

    async def test_in_turn_between_one_sender_and_one_recipient(self, store: Any) -> None:
        source = Address(5, 0, "SHOP")
        batch = [long_message(), long_message(OTHER), long_message(source=source), long_message()]
        assert await references(store, await accept(store, *batch)) == [0, 0, 0, 1]
        assert await references(store, await accept(store, *reversed(batch))) == [2, 1, 1, 3]

    async def test_over_all_carriers_and_accounts(self, store: Any) -> None:
        """The phone sees neither."""
        batch = [long_message(), long_message(carrier="other"), long_message(account="b", alternatives=("demo",))]
        assert await references(store, await accept(store, *batch)) == [0, 1, 2]

    async def test_a_delivered_one_rests_until_it_is_its_turn_again(self, store: Any) -> None:
        (first,) = await accept(store, long_message())
        await deliver(store, first)
        assert await references(store, await fill(store)) == [*range(1, 256), 0]

    async def test_around_the_end_past_those_in_use(self, store: Any) -> None:
        numbers = await fill(store)
        await deliver(store, numbers[3], numbers[5], numbers[250])
        more = [await accept(store, long_message()) for _ in range(3)]
        assert [await references(store, one) for one in more] == [[3], [5], [250]]

    async def test_a_wide_one_never_equals_a_narrow_one(self, store: Any) -> None:
        batch = [long_message(), long_message(numbering=Numbering.WIDE), long_message(numbering=Numbering.WIDE)]
        numbers = await accept(store, *batch, long_message())
        assert await references(store, numbers) == [0, 256, 257, 1]
        assert told(await view(store, numbers[2])) == {udh.Concatenation(257, 2, n, wide=True) for n in (1, 2)}

    async def test_sar_takes_part_in_the_narrow_ones(self, store: Any) -> None:
        """SMSCs make an 8-bit element of sar_msg_ref_num."""
        sar: dict[str, Any] = {"numbering": Numbering.SAR, "segments": (b"one", b"two"), "esm_class": 0}
        batch = [long_message(), long_message(**sar), long_message(**sar, extras=Extras(service_type="CMT"))]
        await accept(store, *batch)
        claimed = await claim(store)
        assert [one.extras for one in claimed[2::2]] == [
            Extras(sar_reference=1),
            Extras(service_type="CMT", sar_reference=2),
        ]
        assert [one.octets for one in claimed[2:4]] == [b"one", b"two"]

    async def test_a_repeat_takes_none(self, store: Any) -> None:
        given = widening(idempotency_key="k", digest=b"1", wide_parts=3)
        await accept(store, given, long_message())
        op = Accept([given, long_message()], NOW)
        await store.commit(op)
        assert [one.status for one in op.result] == [AcceptStatus.REPEATED, AcceptStatus.STORED]
        assert await references(store, [one.message_id for one in op.result]) == [0, 2]

    async def test_what_two_callers_hand_over_at_once(self, store: Any) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(accept, store, long_message())
        claimed = await claim(store)
        assert sorted(one.octets[3] for one in claimed) == sorted([*range(50)] * 2)
        assert (await view(store, (await accept(store, long_message()))[0])).reference == 50


class TestWhenAllAreInUse:
    async def test_it_is_widened_where_the_carrier_takes_that(self, store: Any) -> None:
        await fill(store)
        op = Accept([widening(), widening(wide_parts=3), widening()], NOW)
        await store.commit(op)
        assert [one.segments for one in op.result] == [2, 3, 2]
        found = [await view(store, one.message_id) for one in op.result]
        assert [one.reference for one in found] == [256, 257, 258]
        assert told(found[1]) == {udh.Concatenation(257, 3, part, wide=True) for part in (1, 2, 3)}
        assert [one.segment_count for one in found] == [2, 3, 2]
        assert {segment.reason for segment in found[1].segments} == {Reason.ACCEPTED}

    async def test_a_repeat_of_one_that_is_widened_in_the_same_batch_knows_its_segments(self, store: Any) -> None:
        await fill(store)
        given = widening(wide_parts=3, idempotency_key="k", digest=b"1")
        op = Accept([given, given], NOW)
        await store.commit(op)
        number = op.result[0].message_id
        assert op.result == [
            Acceptance(AcceptStatus.STORED, number, 3),
            Acceptance(AcceptStatus.REPEATED, number, 3),
        ]

    async def test_all_in_one_transaction(self, store: Any) -> None:
        wide = long_message(numbering=Numbering.WIDE)
        numbers = await accept(store, wide, *(widening() for _ in range(300)), wide)
        # Each has one of its own; who asks for 16 bits comes before those who are widened to them.
        found = await references(store, numbers)
        assert found == [256, *range(256), *range(258, 302), 257]

    async def test_otherwise_it_waits_for_the_one_that_is_free_first(self, store: Any) -> None:
        await fill(store, 255)
        await accept(store, long_message(validity_ms=HOUR // 2))
        (number,) = await accept(store, long_message(widened=lambda: None))
        found = await view(store, number)
        free, free_text = NOW + HOUR // 2 + HOLD, "2026-01-02T00:30:00.000Z"
        assert (found.reference, dues(found)) == (255, {(Reason.REFERENCES_IN_USE, free)})
        assert [(one.part, one.state, one.reason, one.detail) for one in found.history] == [
            (0, SegmentState.QUEUED, Reason.ACCEPTED, ""),
            (
                0,
                SegmentState.QUEUED,
                Reason.REFERENCES_IN_USE,
                f"for 255, until {free_text} at the latest",
            ),
        ]
        assert len(await claim(store, 1000)) == 512

    async def test_a_bind_is_told_when_it_will_be_free(self, store: Any) -> None:
        await fill(store)
        (number,) = await accept(store, long_message(validity_ms=2 * DAY))
        await claim(store, 1000)
        op = Claim("demo", "demo/1", 10, NOW + 1)
        await store.commit(op)
        assert (op.result.segments, op.result.next_due_utc_ms) == ([], FREE_AGAIN)
        claimed = await claim(store, now=FREE_AGAIN)
        assert [one.segment_id >> 8 for one in claimed] == [number, number]

    async def test_as_soon_as_it_is_delivered_the_next_may_go(self, store: Any) -> None:
        numbers = await fill(store)
        (number,) = await accept(store, long_message(carrier="other"))
        waits = await view(store, number)
        assert waits.reference == 0
        seen = store.work("other").version
        await deliver(store, *numbers[1:], now=NOW + 5)
        assert dues(await view(store, number)) == dues(waits), "those are of others"
        assert store.work("other").version == seen
        await deliver(store, numbers[0], now=NOW + 6)
        assert dues(await view(store, number)) == {(Reason.ACCEPTED, NOW + 6)}
        assert store.work("other").version != seen
        assert [one.octets[3] for one in await claim(store, carrier="other", now=NOW + 6)] == [0, 0]

    async def test_half_delivered_is_not_delivered(self, store: Any) -> None:
        numbers = await fill(store)
        (number,) = await accept(store, long_message())
        await answer(store, await claim(store, 1000))
        await receive(store, receipt(f"id{numbers[0] << 8 | 1}"))
        await receive(store, receipt(f"id{numbers[0] << 8 | 2}", ReceiptState.UNDELIVERABLE))
        assert (await view(store, numbers[0])).verdict is Verdict.PARTLY_DELIVERED
        assert dues(await view(store, number)) == {(Reason.REFERENCES_IN_USE, FREE_AGAIN)}

    async def test_they_wait_in_line(self, store: Any) -> None:
        numbers = await fill(store)
        first, *others = await accept(store, *(long_message() for _ in range(257)))
        second = others[-1]
        assert Counter(await references(store, [first, *others])) == {0: 2} | dict.fromkeys(range(1, 256), 1)
        await deliver(store, numbers[0])
        assert dues(await view(store, first)) == {(Reason.ACCEPTED, NOW + 5)}
        assert {reason for reason, _ in dues(await view(store, second))} == {Reason.REFERENCES_IN_USE}
        await deliver(store, first, now=NOW + 9)
        assert dues(await view(store, second)) == {(Reason.ACCEPTED, NOW + 9)}

    async def test_the_next_comes_in_for_one_that_is_taken_back(self, store: Any) -> None:
        numbers = await fill(store)
        first, *_, second = await accept(store, *(long_message(validity_ms=3 * DAY) for _ in range(257)))
        assert dues(await view(store, second)) == {(Reason.REFERENCES_IN_USE, NOW + 3 * DAY + HOLD)}
        op = Cancel(first, "app", NOW + 1)
        await store.commit(op)
        assert op.result is CancelStatus.CANCELLED
        assert dues(await view(store, second)) == {(Reason.REFERENCES_IN_USE, FREE_AGAIN)}, "that of the holder"
        await deliver(store, numbers[0])
        assert dues(await view(store, second)) == {(Reason.ACCEPTED, NOW + 5)}

    async def test_one_that_expires_while_it_waits(self, store: Any) -> None:
        await fill(store)
        (number,) = await accept(store, long_message())
        await sweep(store, NOW + HOUR)
        found = await view(store, number)
        assert (found.verdict, {one.reason for one in found.segments}) == (
            Verdict.EXPIRED,
            {Reason.VALIDITY_EXPIRED},
        )

    async def test_wide_ones_wait_too(self, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("smppgw.queue.operations.references._WIDE_ONES", 2)
        await fill(store)
        batch = [long_message(numbering=Numbering.WIDE, validity_ms=validity) for validity in (DAY, HOUR, DAY)]
        narrow, *wide = [await view(store, number) for number in await accept(store, widening(), *batch)]
        assert (narrow.reference, dues(narrow)) == (0, {(Reason.REFERENCES_IN_USE, FREE_AGAIN)})
        assert [one.reference for one in wide] == [256, 257, 257]
        assert dues(wide[2]) == {(Reason.REFERENCES_IN_USE, FREE_AGAIN)}


class TestInVain:
    """Those who have the references give them back too late, or not at all."""

    async def send_all(self, store: Any) -> None:
        while claimed := await claim(store, 1000):
            await answer(store, claimed)

    async def offer(self, store: Any, *messages: NewMessage, now: int = NOW) -> list[Acceptance]:
        op = Accept(messages, now)
        await store.commit(op)
        return op.result

    async def test_it_is_not_stored(self, store: Any) -> None:
        await fill(store, registered_delivery=0)
        await self.send_all(store)
        keyed = long_message(idempotency_key="k", digest=b"1")
        offered = await self.offer(store, keyed, new_message(), widening(), keyed, long_message(OTHER))
        assert [one.status for one in offered] == [
            AcceptStatus.NO_REFERENCE,
            AcceptStatus.STORED,
            AcceptStatus.STORED,
            AcceptStatus.NO_REFERENCE,
            AcceptStatus.STORED,
        ]
        assert await claim(store, 1000, now=NOW) != []
        (again,) = await self.offer(store, keyed, now=FREE_AGAIN)
        assert again.status is AcceptStatus.STORED

    async def test_one_that_is_valid_for_long_enough_waits(self, store: Any) -> None:
        await fill(store, registered_delivery=0)
        await self.send_all(store)
        exactly, longer = await self.offer(
            store, *(long_message(validity_ms=FREE_AGAIN - NOW + more) for more in (0, 1))
        )
        assert exactly.status is AcceptStatus.NO_REFERENCE
        assert dues(await view(store, longer.message_id)) == {(Reason.REFERENCES_IN_USE, FREE_AGAIN)}

    async def test_it_waits_for_one_that_a_receipt_may_free(self, store: Any) -> None:
        await fill(store, 200, registered_delivery=0)
        await self.send_all(store)
        (tracked,) = await accept(store, long_message(validity_ms=2 * HOUR))
        await fill(store, 55, registered_delivery=0)
        numbers = await accept(store, long_message(), long_message())
        assert await references(store, [tracked, *numbers]) == [200] * 3
        await deliver(store, tracked)
        assert dues(await view(store, numbers[0])) == {(Reason.ACCEPTED, NOW + 5)}

    async def test_or_else_for_one_that_may_still_be_refused(self, store: Any) -> None:
        await fill(store, 200, registered_delivery=0)
        await self.send_all(store)
        await fill(store, 56, registered_delivery=0)
        (number,) = await accept(store, long_message())
        assert await references(store, [number]) == [200]
        one, other, *_ = await claim(store)
        await answer(store, [one, other], OutcomeKind.REJECTED, status=0x0B)
        assert dues(await view(store, number)) == {(Reason.ACCEPTED, NOW)}

    async def test_those_of_the_same_batch_are_no_lost_ones(self, store: Any) -> None:
        offered = await self.offer(store, *(long_message(registered_delivery=0) for _ in range(300)))
        assert {one.status for one in offered} == {AcceptStatus.STORED}


class TestGivingBack:
    async def line(self, store: Any, **changes: Any) -> tuple[int, int]:
        """A message that has the reference 0, and one that waits for it."""
        (first,) = await accept(store, long_message(**changes))
        await fill(store, 255, carrier="other", validity_ms=2 * DAY)
        (second,) = await accept(store, long_message(carrier="other", validity_ms=2 * DAY))
        assert await references(store, [first, second]) == [0, 0]
        return first, second

    async def waits(self, store: Any, number: int) -> bool:
        return {reason for reason, _ in dues(await view(store, number))} == {Reason.REFERENCES_IN_USE}

    async def test_taken_back_unsent(self, store: Any) -> None:
        first, second = await self.line(store)
        await store.commit(Cancel(first, "app", NOW + 1))
        assert not await self.waits(store, second)
        assert (await view(store, first)).reference == 0, "it is still shown"

    async def test_expired_unsent(self, store: Any) -> None:
        _, second = await self.line(store)
        await sweep(store, NOW + HOUR)
        assert not await self.waits(store, second)

    async def test_refused_by_its_carrier(self, store: Any) -> None:
        _, second = await self.line(store)
        one, other = await claim(store)
        await answer(store, [one], OutcomeKind.REJECTED, status=0x0B)
        assert await self.waits(store, second), "its other part is on the way"
        await answer(store, [other], OutcomeKind.REJECTED, status=0x0B)
        assert not await self.waits(store, second)

    async def test_each_part_refused_or_given_up(self, store: Any) -> None:
        first, second = await self.line(store)
        one, other = await claim(store)
        await answer(store, [one])
        await answer(store, [other], OutcomeKind.REJECTED, status=0x0B)
        assert await self.waits(store, second), "its carrier still tries to deliver the other"
        await receive(store, receipt(f"id{one.segment_id}", ReceiptState.EXPIRED))
        assert (await view(store, first)).verdict is Verdict.EXPIRED
        assert not await self.waits(store, second)

    @pytest.mark.parametrize("state", [ReceiptState.UNKNOWN, ReceiptState.DELIVERED])
    async def test_not_where_a_part_may_be_on_the_phone(self, store: Any, state: ReceiptState) -> None:
        first, second = await self.line(store)
        one, other = await claim(store)
        await answer(store, [one, other])
        await receive(store, receipt(f"id{one.segment_id}", ReceiptState.UNDELIVERABLE))
        await receive(store, receipt(f"id{other.segment_id}", state))
        assert (await view(store, first)).verdict is not None
        assert await self.waits(store, second)

    @pytest.mark.parametrize("state", [ReceiptState.DELIVERED, ReceiptState.UNDELIVERABLE])
    async def test_not_while_a_copy_may_still_be_on_its_way(self, store: Any, state: ReceiptState) -> None:
        """It was written and never answered, then sent again: the phone may get it after the other."""
        first, second = await self.line(store)
        await doubt(store, await claim(store), resend=PLAN)
        again = await claim(store, now=NOW + 20_000)
        assert [one.claim for one in again] == [2, 2]
        await answer(store, again, now=NOW + 20_000)
        await receive(store, *(receipt(f"id{one.segment_id}", state) for one in again), now=NOW + 20_001)
        assert (await view(store, first)).verdict is not None
        assert await self.waits(store, second)

    async def test_a_receipt_for_the_only_copy_ends_its_doubt(self, store: Any) -> None:
        first, second = await self.line(store)
        claimed = await claim(store)
        await doubt(store, claimed, timeout_ms=HOUR)
        await answer(store, claimed, now=NOW + 2)
        await receive(store, *(receipt(f"id{one.segment_id}") for one in claimed), now=NOW + 3)
        assert (await view(store, first)).verdict is Verdict.DELIVERED
        assert not await self.waits(store, second)

    @pytest.mark.parametrize("smsc_id", ["A", ""])
    async def test_not_where_nothing_tells_that_it_arrived(self, store: Any, smsc_id: str) -> None:
        first, second = await self.line(store, registered_delivery=0)
        await answer(store, await claim(store), ids=[smsc_id] * 2)
        assert (await view(store, first)).verdict is Verdict.SENT
        assert await self.waits(store, second)

    async def test_not_while_nobody_knows_whether_the_carrier_has_it(self, store: Any) -> None:
        first, second = await self.line(store)
        await doubt(store, await claim(store))
        await sweep(store, NOW + 1000)
        assert (await view(store, first)).verdict is Verdict.UNKNOWN
        assert await self.waits(store, second)

    async def test_a_receipt_that_comes_after_all(self, store: Any) -> None:
        first, second = await self.line(store)
        await answer(store, await claim(store))
        await sweep(store, NOW + 2 * HOUR)
        assert (await view(store, first)).verdict is Verdict.UNKNOWN
        assert await self.waits(store, second)
        await receive(store, *(receipt(f"id{first << 8 | part}") for part in (1, 2)), now=NOW + 3 * HOUR)
        assert (await view(store, first)).verdict is Verdict.DELIVERED
        assert not await self.waits(store, second)

    async def test_after_its_time_it_is_given_again(self, store: Any) -> None:
        await fill(store)
        assert await references(store, await accept(store, widening(), now=FREE_AGAIN - 1)) == [256]
        assert await references(store, await accept(store, widening(), now=FREE_AGAIN)) == [0]

    async def test_for_how_long_is_the_callers_choice(self, store: Any) -> None:
        await store.commit(Accept([long_message() for _ in range(256)], NOW, reference_hold_ms=5 * DAY))
        (number,) = await accept(store, long_message())
        assert dues(await view(store, number)) == {(Reason.REFERENCES_IN_USE, NOW + HOUR + 5 * DAY)}

    async def test_callers_who_are_committed_together_hold_for_the_longest(self) -> None:
        store = InlineStore()
        ops = [Accept([long_message()], NOW, hold_ms) for hold_ms in (5 * DAY, 0)]
        calls = [Call((op,), lambda: None) for op in ops]
        Engine(store.connection, IdSource()).run(calls)
        assert [call.error for call in calls] == [None, None]
        untils = store.connection.execute("SELECT reference_until_utc_ms FROM message ORDER BY id").fetchall()
        assert untils == [(NOW + HOUR + 5 * DAY,)] * 2


class TestRepeatsOnly:
    """What cannot be accepted any more may have been before."""

    async def test_known_or_not(self, store: Any) -> None:
        too_late = Refusal("valid_until_past", "it is over")
        known, other, unknown = (
            new_message(idempotency_key=key, digest=digest, repeat_only=too_late)
            for key, digest in (("k", b"1"), ("k", b"2"), ("n", b"1"))
        )
        (number,) = await accept(store, new_message(idempotency_key="k", digest=b"1"))
        fresh = new_message(idempotency_key="n", digest=b"1")
        op = Accept([known, other, unknown, new_message(repeat_only=too_late), fresh, unknown], NOW)
        await store.commit(op)
        assert [one.status for one in op.result] == [
            AcceptStatus.REPEATED,
            AcceptStatus.CONFLICT,
            AcceptStatus.NOT_A_REPEAT,
            AcceptStatus.NOT_A_REPEAT,
            AcceptStatus.STORED,
            AcceptStatus.REPEATED,
        ]
        assert op.result[0].message_id == number
        assert len(await claim(store)) == 2


class TestScheduled:
    async def test_it_waits_for_its_time(self, store: Any) -> None:
        (number,) = await accept(store, new_message(due_utc_ms=NOW + 500, validity_ms=1000))
        found = await view(store, number)
        assert (found.scheduled_utc_ms, dues(found)) == (NOW + 500, {(Reason.SCHEDULED, NOW + 500)})
        assert found.expires_utc_ms == NOW + 1000
        assert [(one.part, one.state, one.reason, one.detail) for one in found.history] == [
            (0, SegmentState.QUEUED, Reason.ACCEPTED, ""),
            (0, SegmentState.QUEUED, Reason.SCHEDULED, "until 2026-01-01T00:00:00.500Z"),
        ]
        op = Claim("demo", "demo/1", 10, NOW + 499)
        await store.commit(op)
        assert (op.result.segments, op.result.next_due_utc_ms) == ([], NOW + 500)
        (segment,) = await claim(store, now=NOW + 500)
        assert (segment.accepted_utc_ms, segment.expires_utc_ms) == (NOW, NOW + 1000)
        found = await view(store, number)
        assert (found.segments[0].reason, found.scheduled_utc_ms) == (Reason.CLAIMED, NOW + 500)

    async def test_a_moment_that_was_named_ends_its_validity_however_late_it_is_stored(self, store: Any) -> None:
        numbers = await accept(
            store, new_message(validity_ms=700, expires_utc_ms=NOW + 600), long_message(expires_utc_ms=NOW + 600)
        )
        assert [(await view(store, number)).expires_utc_ms for number in numbers] == [NOW + 600] * 2

    @pytest.mark.parametrize("due", [0, NOW - 1, NOW])
    async def test_a_time_that_is_past_means_at_once(self, store: Any, due: int) -> None:
        (number,) = await accept(store, new_message(due_utc_ms=due))
        found = await view(store, number)
        assert (found.scheduled_utc_ms, dues(found)) == (None, {(Reason.ACCEPTED, NOW)})
        assert [one.reason for one in found.history] == [Reason.ACCEPTED]

    async def test_in_order_of_their_times_and_after_what_is_due(self, store: Any) -> None:
        batch = [new_message(due_utc_ms=NOW + 20), new_message(due_utc_ms=NOW + 10), new_message()]
        numbers = await accept(store, *batch)
        assert numbers == sorted(numbers)
        claimed = await claim(store, now=NOW + 30)
        assert [one.segment_id >> 8 for one in claimed] == [numbers[2], numbers[1], numbers[0]]

    async def test_the_oldest_in_the_queue_is_one_that_is_due(self, store: Any) -> None:
        await accept(store, new_message(due_utc_ms=NOW + 500), now=NOW - 500)
        assert (await store.depths()).oldest_queued_utc_ms == NOW + 500, "nothing is due before"
        await accept(store, new_message())
        assert (await store.depths()).oldest_queued_utc_ms == NOW

    async def test_it_can_be_taken_back(self, store: Any) -> None:
        (number,) = await accept(store, long_message(due_utc_ms=NOW + 500))
        op = Cancel(number, "app", NOW + 1)
        await store.commit(op)
        found = await view(store, number)
        assert (op.result, found.verdict) == (CancelStatus.CANCELLED, Verdict.CANCELLED)
        assert await claim(store, now=NOW + 500) == []

    async def test_it_expires_like_any_other(self, store: Any) -> None:
        (number,) = await accept(store, new_message(due_utc_ms=NOW + 500, validity_ms=100))
        assert (await sweep(store, NOW + 99)).result.expired == 0
        assert (await sweep(store, NOW + 100)).result.expired == 1
        assert (await view(store, number)).verdict is Verdict.EXPIRED

    async def test_a_long_one_has_its_reference_from_the_start(self, store: Any) -> None:
        numbers = await accept(store, long_message(due_utc_ms=NOW + 500), long_message())
        assert await references(store, numbers) == [0, 1]
        assert [one.octets[3] for one in await claim(store, now=NOW + 500)] == [1, 1, 0, 0]

    async def test_it_may_wait_for_both(self, store: Any) -> None:
        """A reference that is free before the time does not hurry it."""
        numbers = await fill(store)
        early, late = NOW + HOUR // 2, FREE_AGAIN + 1
        soon, then = await accept(
            store, *(long_message(due_utc_ms=due, validity_ms=3 * DAY) for due in (early, late))
        )
        assert dues(await view(store, soon)) == {(Reason.REFERENCES_IN_USE, FREE_AGAIN)}
        assert [one.reason for one in (await view(store, soon)).history[1:]] == [
            Reason.SCHEDULED,
            Reason.REFERENCES_IN_USE,
        ]
        assert dues(await view(store, then)) == {(Reason.SCHEDULED, late)}
        await deliver(store, numbers[0])
        assert dues(await view(store, soon)) == {(Reason.SCHEDULED, early)}
        await deliver(store, numbers[1])
        assert dues(await view(store, then)) == {(Reason.SCHEDULED, late)}

    async def test_the_end_of_time(self, store: Any) -> None:
        (number,) = await accept(store, new_message(due_utc_ms=1 << 60))
        assert (await view(store, number)).history[1].detail == "until 9999-12-31T23:59:59.000Z"


async def test_a_reference_found_free_costs_no_more_however_many_were_given(store: Any) -> None:
    """Thousands to one recipient, none of them delivered: the next one is not looked for among all."""
    if not hasattr(store, "connection"):
        pytest.skip("counts the steps of SQLite, on the connection of the store without threads")
    steps: list[int] = []
    counts = []
    for _ in range(3):
        await accept(store, *(long_message(numbering=Numbering.WIDE) for _ in range(2000)))
        steps.clear()
        store.connection.set_progress_handler(lambda: steps.append(1), 10)
        await accept(store, long_message(numbering=Numbering.WIDE))
        store.connection.set_progress_handler(None, 0)
        counts.append(len(steps))
    assert max(counts) < 1.2 * min(counts)


class Phone(RuleBasedStateMachine):
    """One recipient with two references of each width, and what its phone may be putting together at any time."""

    @initialize()
    def open(self) -> None:
        self.fewer = [
            mock.patch.object(numbering, "_NARROW_ONES", 2),
            mock.patch.object(numbering, "_WIDE_ONES", 2),
        ]
        for patch in self.fewer:
            patch.start()
        self.store = InlineStore()
        self.now = NOW
        self.messages: list[int] = []
        self.in_flight: list[ClaimedSegment] = []
        self.waited = 0

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            for patch in self.fewer:
                patch.stop()

    @rule(
        kinds=st.lists(st.sampled_from(["narrow", "auto", "sar", "wide"]), min_size=1, max_size=4),
        validity_ms=st.sampled_from([HOUR, 3 * HOUR]),
        later_ms=st.sampled_from([0, 0, HOUR // 2]),
        registered_delivery=st.sampled_from([0, 1, 1]),
    )
    def accept(self, kinds: list[str], validity_ms: int, later_ms: int, registered_delivery: int) -> None:
        changes: dict[str, Any] = {
            "validity_ms": validity_ms,
            "due_utc_ms": self.now + later_ms,
            "registered_delivery": registered_delivery,
        }
        made = {
            "narrow": lambda: long_message(**changes),
            "auto": lambda: widening(**changes),
            "sar": lambda: long_message(numbering=Numbering.SAR, segments=(b"1", b"2"), **changes),
            "wide": lambda: long_message(numbering=Numbering.WIDE, **changes),
        }
        op = Accept([made[kind]() for kind in kinds], self.now, HOUR)
        self.store.commit_now(op)
        self.messages += [one.message_id for one in op.result if one.status is AcceptStatus.STORED]
        for message, one in zip(op.messages, op.result, strict=True):
            if one.status is AcceptStatus.NO_REFERENCE:
                self.all_are_held(message)

    def all_are_held(self, message: NewMessage) -> None:
        """By messages that have ended, until after this one's time."""
        rows: Any = self.store.connection.execute(
            "SELECT reference, max(reference_until_utc_ms) FROM message WHERE verdict IS NOT NULL GROUP BY reference"
        )
        held = {reference for reference, until in rows if (until or 0) >= message.expires(self.now)}
        assert held >= ({256, 257} if message.numbering is Numbering.WIDE else {0, 1})

    @rule(limit=st.integers(1, 8))
    def claim(self, limit: int) -> None:
        op = Claim("demo", "demo/1", limit, self.now)
        self.store.commit_now(op)
        for one in op.result.segments:
            self.nobody_else_has_it(one)
        self.in_flight += op.result.segments

    def nobody_else_has_it(self, segment: ClaimedSegment) -> None:
        """Told by what was sent and what came of it, not by what the store remembers."""
        element = udh.concatenation(segment.octets)
        sar = None if segment.extras is None else segment.extras.sar_reference
        reference = element.reference if element is not None else sar
        this = segment.segment_id >> 8
        others: Any = self.store.connection.execute(
            """
SELECT m.id, m.reference FROM message m
WHERE m.verdict IS NOT 'delivered' AND m.expires_utc_ms + ? > ? AND EXISTS (
    SELECT 1 FROM segment s WHERE s.id >> 8 = m.id AND s.state IN (1, 2, 3, 4, 10, 11))""",
            (HOUR, self.now),
        )
        on_phone = dict(others)
        assert on_phone.pop(this) == reference
        assert reference not in on_phone.values()

    @rule(data=st.data(), kind=st.sampled_from([OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.THROTTLED]))
    def answer(self, data: st.DataObject, kind: OutcomeKind) -> None:
        count = data.draw(st.integers(0, len(self.in_flight)))
        answered, self.in_flight = self.in_flight[:count], self.in_flight[count:]
        accepted = kind is OutcomeKind.ACCEPTED
        outcomes = [
            SubmitOutcome(one.segment_id, one.claim, kind, 0 if accepted else 8, f"id{one.segment_id}" * accepted)
            for one in answered
        ]
        self.store.commit_now(RecordOutcomes("demo", "demo/1", outcomes, self.now, PLAN, HOUR))

    @rule(
        data=st.data(),
        state=st.sampled_from([*[ReceiptState.DELIVERED] * 3, ReceiptState.UNDELIVERABLE]),
        all_=st.booleans(),
    )
    def receipts(self, data: st.DataObject, state: ReceiptState, all_: bool) -> None:
        if self.messages:
            number = data.draw(st.sampled_from(self.messages))
            records = [receipt(f"id{number << 8 | part}", state) for part in range(1, 3 if all_ else 2)]
            self.store.commit_now(RecordReceipts("demo", "demo/1", records, self.now))

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if self.messages:
            self.store.commit_now(Cancel(data.draw(st.sampled_from(self.messages)), "app", self.now))

    @rule(minutes=st.sampled_from([1, 20, 70]))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * 60_000
        self.store.commit_now(Sweep(self.now))

    @rule()
    def nobody_waits_in_vain(self) -> None:
        """The first in each line waits for others that are in use."""
        rows: Any = self.store.connection.execute("""
SELECT w.id, s.due_utc_ms, w.scheduled_utc_ms, (
    SELECT max(u.reference_until_utc_ms) FROM message u WHERE u.reference = w.reference AND u.id < w.id)
FROM message w JOIN segment s ON s.id = (w.id << 8) + 1
WHERE s.state = 0 AND s.reason = 'references_in_use'
GROUP BY w.reference HAVING w.id = min(w.id)""")
        for number, due, scheduled, until in rows:
            assert due == max(until or 0, scheduled or 0), number


TestPhone = Phone.TestCase
TestPhone.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
