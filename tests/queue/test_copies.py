"""Segments that were written more than once: what became of one copy says nothing of the others."""

from __future__ import annotations

from typing import Any

import pytest

from smppgw.addresses import Address
from smppgw.queue.model import (
    Cancel,
    CancelStatus,
    ClaimedSegment,
    ErrandDone,
    ErrandKind,
    MessageView,
    OutcomeKind,
    OutcomesRecorded,
    Reason,
    ReceiptState,
    RecordErrands,
    SegmentState,
    TakeErrands,
    Verdict,
    Withdraw,
)

from .make import HOUR, NOW, PLAN, accept, answer, claim, doubt, new_message, receipt, receive, sweep, view

S, R, K = SegmentState, Reason, OutcomeKind
OTHER = Address(5, 0, "SHOP")
LATER = NOW + 100_000
DUPLICATE = 0x45


def states(message: MessageView) -> list[SegmentState]:
    return [segment.state for segment in message.segments]


async def cancel(store: Any, number: int, now: int = NOW + 10) -> CancelStatus:
    op = Cancel(number, "app", now)
    await store.commit(op)
    return op.result


async def asked_to_cancel(store: Any) -> list[str]:
    op = TakeErrands("demo", 10, LATER)
    await store.commit(op)
    return [one.smsc_id for one in op.result if one.kind is ErrandKind.CANCEL]


async def resent(store: Any, *, timeout_ms: int = HOUR, **changes: Any) -> tuple[int, list[ClaimedSegment]]:
    """A message of which no copy was answered, and that waits to be sent again."""
    (number,) = await accept(store, new_message(**changes))
    segments = await claim(store)
    await doubt(store, segments, timeout_ms=timeout_ms, resend=PLAN)
    return number, segments


async def twice(store: Any) -> tuple[int, list[ClaimedSegment], list[ClaimedSegment]]:
    """The same with a second copy on its way."""
    number, first = await resent(store)
    return number, first, await claim(store, now=LATER)


class TestNothingIsCalledUnsentByAGuess:
    async def check(self, store: Any, number: int, reason: Reason) -> None:
        found = await view(store, number)
        assert (states(found), found.segments[0].reason, found.verdict) == ([S.IN_DOUBT], reason, None)
        assert found.history[-1].reason is reason
        assert await claim(store, now=LATER) == [], "nor sent again"

    async def test_taken_back(self, store: Any) -> None:
        number, first = await resent(store)
        assert await cancel(store, number) is CancelStatus.IN_DOUBT
        await self.check(store, number, R.CANCELLED_BY_APP)
        assert await cancel(store, number) is CancelStatus.IN_DOUBT, "asking again changes nothing"
        await answer(store, first, ids=["X"], now=LATER)
        assert await asked_to_cancel(store) == ["X"], "the carrier has it after all"
        await receive(store, receipt("X"), now=LATER)
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    async def test_taken_back_while_it_is_held(self, store: Any) -> None:
        (number,) = await accept(store, new_message())
        first = await claim(store)
        await doubt(store, first, timeout_ms=HOUR)
        assert await cancel(store, number) is CancelStatus.IN_DOUBT
        await self.check(store, number, R.CANCELLED_BY_APP)
        await answer(store, first, ids=["X"], now=LATER)
        assert await asked_to_cancel(store) == ["X"]

    @pytest.mark.parametrize("kind", [K.THROTTLED, K.RETRY, K.REROUTED, K.DELAYED, K.PAUSED])
    async def test_taken_back_and_then_refused(self, store: Any, kind: OutcomeKind) -> None:
        number, first = await resent(store, alternatives=("other",))
        await cancel(store, number)
        await answer(store, first, kind, status=0x58, now=LATER)
        found = await view(store, number)
        assert (states(found), found.verdict, found.carrier) == ([S.CANCELLED], Verdict.CANCELLED, "demo")
        assert await claim(store, now=LATER) == []

    async def test_taken_back_and_then_a_receipt_in_between(self, store: Any) -> None:
        number, _ = await resent(store)
        await cancel(store, number)
        await receive(store, receipt("X", ReceiptState.ENROUTE), now=NOW + 100)
        await sweep(store, NOW + 200)
        assert await asked_to_cancel(store) == ["X"]

    async def test_its_validity_ends(self, store: Any) -> None:
        number, _ = await resent(store, validity_ms=100)
        await sweep(store, NOW + 200)
        await self.check(store, number, R.VALIDITY_EXPIRED)
        await receive(store, receipt("X"), now=NOW + 300)
        await sweep(store, NOW + 400)
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    async def test_its_validity_is_over_when_it_is_claimed(self, store: Any) -> None:
        number, _ = await resent(store, validity_ms=100)
        assert await claim(store, now=LATER) == []
        await self.check(store, number, R.VALIDITY_EXPIRED)

    async def test_the_doubt_ends_when_it_would_have_ended(self, store: Any) -> None:
        number, _ = await resent(store, validity_ms=100)
        await sweep(store, NOW + 200)
        await sweep(store, NOW + HOUR)
        assert states(await view(store, number)) == [S.IN_DOUBT]
        await sweep(store, NOW + HOUR + 1)
        found = await view(store, number)
        assert (found.verdict, found.segments[0].reason) == (Verdict.UNKNOWN, R.DOUBT_TIMEOUT)

    async def test_a_sibling_is_refused(self, store: Any) -> None:
        (number,) = await accept(store, new_message(parts=2))
        first, second = await claim(store)
        await doubt(store, [first], timeout_ms=HOUR, resend=PLAN)
        await answer(store, [second], K.REJECTED, status=0x0B)
        await self.check_sibling(store, number, first)

    async def check_sibling(self, store: Any, number: int, first: ClaimedSegment) -> None:
        found = await view(store, number)
        assert (states(found), found.verdict) == ([S.IN_DOUBT, S.REJECTED], None)
        assert found.segments[0].reason is R.SIBLING_FAILED
        await answer(store, [first], ids=["P1"])
        await receive(store, receipt("P1"))
        assert (await view(store, number)).verdict is Verdict.PARTLY_DELIVERED

    async def test_the_second_copy_is_refused_as_a_duplicate(self, store: Any) -> None:
        number, first, second = await twice(store)
        await answer(store, second, K.REJECTED, status=DUPLICATE, now=LATER)
        await self.check(store, number, R.REFUSED)
        await answer(store, first, ids=["X"], now=LATER)
        await receive(store, receipt("X"), now=LATER)
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    async def test_every_copy_is_refused(self, store: Any) -> None:
        number, first, second = await twice(store)
        await answer(store, second, K.REJECTED, status=DUPLICATE, now=LATER)
        await answer(store, first, K.REJECTED, status=0x0B, now=LATER)
        assert (await view(store, number)).verdict is Verdict.REJECTED

    async def test_the_first_is_refused_and_then_the_second(self, store: Any) -> None:
        number, first, second = await twice(store)
        await answer(store, first, K.THROTTLED, status=0x58, now=LATER)
        assert states(await view(store, number)) == [S.IN_FLIGHT]
        await answer(store, second, K.REJECTED, status=0x0B, now=LATER)
        assert (await view(store, number)).verdict is Verdict.REJECTED

    async def test_it_is_not_rerouted(self, store: Any) -> None:
        number, _ = await resent(store, alternatives=("other",))
        second = await claim(store, now=LATER)
        await answer(store, second, K.REROUTED, status=0x64, now=LATER)
        assert (await view(store, number)).carrier == "demo"


class TestADoubtOutlivesItsReason:
    """Whatever happens to the second copy, the first one's answer or receipt still resolves it."""

    async def after(self, store: Any, way: str) -> tuple[int, list[ClaimedSegment]]:
        number, first, second = await twice(store)
        if way == "withdrawn":
            pairs = [(one.segment_id, one.claim) for one in second]
            await store.commit(Withdraw("demo", "demo/1", pairs, LATER))
        elif way != "in flight":
            await answer(store, second, OutcomeKind(way), status=0x58, now=LATER)
        return number, first

    @pytest.mark.parametrize("way", ["withdrawn", "throttled", "delayed", "paused", "retry", "in flight"])
    async def test_by_a_receipt(self, store: Any, way: str) -> None:
        number, _ = await self.after(store, way)
        await receive(store, receipt("X"), now=LATER + 1)
        await sweep(store, LATER + 2)
        assert (await view(store, number)).verdict is Verdict.DELIVERED
        assert await claim(store, now=LATER + HOUR) == []

    @pytest.mark.parametrize("way", ["withdrawn", "throttled", "delayed", "paused", "retry", "in flight"])
    async def test_by_its_answer(self, store: Any, way: str) -> None:
        number, first = await self.after(store, way)
        op = await answer(store, first, ids=["X"], now=LATER + 1)
        assert op.result == OutcomesRecorded(1, 0)
        assert states(await view(store, number)) == [S.SENT]
        assert await claim(store, now=LATER + HOUR) == []


class TestBothCopiesAreAccepted:
    @pytest.mark.parametrize("told", ["X1", "X2"])
    async def test_either_receipt_finds_it(self, store: Any, told: str) -> None:
        number, first, second = await twice(store)
        await answer(store, first, ids=["X1"], now=LATER)
        op = await answer(store, second, ids=["X2"], now=LATER + 1)
        assert op.result == OutcomesRecorded(0, 1)
        await receive(store, receipt(told), now=LATER + 2)
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    async def test_the_first_delivered_while_the_second_is_out(self, store: Any) -> None:
        number, first, second = await twice(store)
        await answer(store, first, ids=["X1"], now=LATER)
        await receive(store, receipt("X1"), now=LATER + 1)
        assert (await view(store, number)).verdict is Verdict.DELIVERED
        await answer(store, second, K.REJECTED, status=DUPLICATE, now=LATER + 2)
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    async def test_the_receipt_of_the_second_comes_before_its_answer(self, store: Any) -> None:
        number, first, second = await twice(store)
        await answer(store, first, ids=["X1"], now=LATER)
        await receive(store, receipt("X2"), now=LATER + 1)
        await answer(store, second, ids=["X2"], now=LATER + 2)
        assert (await view(store, number)).verdict is Verdict.DELIVERED


class TestRivals:
    """A receipt without a known id is not taken for that of a segment in doubt where it may be another copy's."""

    async def in_doubt(self, store: Any, now: int, **changes: Any) -> int:
        (number,) = await accept(store, new_message(**changes), now=now)
        await doubt(store, await claim(store, now=now), now=now + 1, timeout_ms=HOUR)
        return number

    async def test_a_refused_copy_of_one_that_was_delivered(self, store: Any) -> None:
        await accept(store, new_message())
        await answer(store, await claim(store), K.RETRY, status=0x45)
        await answer(store, await claim(store, now=NOW + 10_000), ids=["A2"], now=NOW + 10_001)
        await receive(store, receipt("A2"), now=NOW + 10_002)
        number = await self.in_doubt(store, NOW + 20_000)
        await receive(store, receipt("A1", ReceiptState.UNDELIVERABLE), now=NOW + 20_002)
        await sweep(store, NOW + 20_003)
        assert states(await view(store, number)) == [S.IN_DOUBT]

    async def test_the_unanswered_copy_of_one_that_was_delivered(self, store: Any) -> None:
        _, _, second = await twice(store)
        await answer(store, second, ids=["X2"], now=LATER)
        await receive(store, receipt("X2"), now=LATER)
        (number,) = await accept(store, new_message(), now=LATER)
        await doubt(store, await claim(store, now=LATER), now=LATER + 1, resend=PLAN)
        await receive(store, receipt("X1"), now=LATER + 2)
        await sweep(store, LATER + 3)
        assert states(await view(store, number)) == [S.QUEUED]
        assert len(await claim(store, now=LATER + HOUR - 5)) == 1

    @pytest.mark.parametrize("then", ["waits", "in doubt", "expired"])
    async def test_one_that_has_gone_to_another_carrier(self, store: Any, then: str) -> None:
        held, gone = await accept(store, new_message(), new_message(alternatives=("other",), validity_ms=500_000))
        first, second = await claim(store)
        await doubt(store, [first], timeout_ms=HOUR)
        await answer(store, [second], K.REROUTED, status=0x64, now=NOW + 5)
        if then == "in doubt":
            again = await claim(store, carrier="other", bind="other/1", now=NOW + 6)
            await doubt(store, again, now=NOW + 7, timeout_ms=HOUR)
        elif then == "expired":
            await sweep(store, NOW + 600_000)
        await receive(store, receipt("Z", ReceiptState.REJECTED), now=NOW + 700_000)
        await sweep(store, NOW + 700_001)
        assert states(await view(store, held)) == [S.IN_DOUBT]
        assert (await view(store, gone)).receipts == []

    async def test_another_sender_speaks_for_no_other_carrier(self, store: Any) -> None:
        """A receipt of the first carrier is never that of a segment that is in doubt at the second."""
        held, gone = await accept(store, new_message(), new_message(source=OTHER, alternatives=("other",)))
        first, second = await claim(store)
        await doubt(store, [first], timeout_ms=HOUR)
        await answer(store, [second], K.REROUTED, status=0x64, now=NOW + 5)
        again = await claim(store, carrier="other", bind="other/1", now=NOW + 6)
        await doubt(store, again, now=NOW + 7, timeout_ms=HOUR)
        await receive(store, receipt("Z", ReceiptState.REJECTED, destination="SHOP"), now=NOW + 10)
        await sweep(store, NOW + 20)
        assert [states(await view(store, number)) for number in (held, gone)] == [[S.IN_DOUBT]] * 2


class TestAddressesOfAReceipt:
    """An international number may be written in several ways, in the receipt and in the messages."""

    @pytest.mark.parametrize("recipient", ["447700900001", "+447700900001"])
    @pytest.mark.parametrize("source", ["447700900001", "+447700900001", "00447700900001"])
    async def test_in_another_form(self, store: Any, recipient: str, source: str) -> None:
        (number,) = await accept(store, new_message(recipient))
        await doubt(store, await claim(store), timeout_ms=HOUR)
        await receive(store, receipt("Z", source=source), now=NOW + 10)
        await sweep(store, NOW + 20)
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    async def test_a_rival_in_another_form(self, store: Any) -> None:
        numbers = await accept(store, new_message("447700900001"), new_message("+447700900001"))
        await doubt(store, await claim(store), timeout_ms=HOUR)
        await receive(store, receipt("Z"), now=NOW + 10)
        await sweep(store, NOW + 20)
        assert [states(await view(store, number)) for number in numbers] == [[S.IN_DOUBT]] * 2

    @pytest.mark.parametrize("source", ["07700900001", "33700900001", "7700900001"])
    async def test_what_may_be_another_country_waits(self, store: Any, source: str) -> None:
        (number,) = await accept(store, new_message())
        await doubt(store, await claim(store), timeout_ms=HOUR)
        await receive(store, receipt("Z", source=source), now=NOW + 10)
        await sweep(store, NOW + 20)
        assert states(await view(store, number)) == [S.IN_DOUBT]


class TestCancellingSeveralParts:
    @pytest.mark.parametrize(
        ("first", "status"),
        [
            ("in flight", CancelStatus.TOO_LATE),
            ("in doubt", CancelStatus.IN_DOUBT),
            ("resent", CancelStatus.IN_DOUBT),
            ("sent", CancelStatus.ASKED),
            ("untracked", CancelStatus.TOO_LATE),
            ("refused for now", CancelStatus.CANCELLED),
        ],
    )
    async def test_one_part_has_left(self, store: Any, first: str, status: CancelStatus) -> None:
        (number,) = await accept(store, new_message(parts=2))
        segments = await claim(store, 1)
        if first in ("in doubt", "resent"):
            await doubt(store, segments, timeout_ms=HOUR, resend=PLAN if first == "resent" else None)
        elif first == "refused for now":
            await answer(store, segments, K.THROTTLED, status=0x58)
        elif first != "in flight":
            await answer(store, segments, ids=["A" if first == "sent" else ""])
        assert await cancel(store, number) is status
        assert states(await view(store, number))[1] is S.CANCELLED, "what waits is not sent"
        assert await cancel(store, number) is status


async def test_unknown_from_query_sm_gives_way_to_a_receipt(store: Any) -> None:
    (number,) = await accept(store, new_message())
    await answer(store, await claim(store), ids=["Q"])
    done = ErrandDone(number << 8 | 1, ErrandKind.QUERY, 0, ReceiptState.UNKNOWN)
    await store.commit(RecordErrands("demo", "demo/1", [done], NOW + 5))
    assert (await view(store, number)).verdict is Verdict.UNKNOWN
    await receive(store, receipt("Q"), now=NOW + 6)
    assert (await view(store, number)).verdict is Verdict.DELIVERED
