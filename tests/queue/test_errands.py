"""query_sm for overdue receipts, cancel_sm for messages that an app takes back."""

from __future__ import annotations

from typing import Any

import pytest

from smppgw.queue.model import (
    Cancel,
    CancelStatus,
    Errand,
    ErrandDone,
    ErrandKind,
    MessageView,
    OutcomeKind,
    QueryPlan,
    Reason,
    ReceiptState,
    RecordErrands,
    SegmentState,
    Sweep,
    TakeErrands,
    Verdict,
)

from .make import HOUR, NOW, SENDER, accept, answer, claim, doubt, new_message, receipt, receive, view

S, R = SegmentState, Reason
QUERY, CANCEL = ErrandKind.QUERY, ErrandKind.CANCEL
OVERDUE = NOW + 3 * HOUR
TWICE = {"demo": QueryPlan(2, HOUR)}


async def sent(store: Any, *, ids: list[str], **changes: Any) -> int:
    (number,) = await accept(store, new_message(parts=len(ids), **changes))
    await answer(store, await claim(store), ids=ids)
    return number


async def errands(store: Any, *, now: int = OVERDUE, limit: int = 10) -> list[Errand]:
    op = TakeErrands("demo", limit, now)
    await store.commit(op)
    return op.result


async def done(store: Any, *answers: ErrandDone, now: int = OVERDUE) -> int:
    op = RecordErrands("demo", "demo/1", answers, now)
    await store.commit(op)
    return op.result


async def sweep(store: Any, now: int, query: dict[str, QueryPlan]) -> Sweep:
    op = Sweep(now, query=query)
    await store.commit(op)
    return op


async def cancel(store: Any, number: int, account: str = "app") -> CancelStatus:
    op = Cancel(number, account, NOW)
    await store.commit(op)
    return op.result


def states(message: MessageView) -> list[SegmentState]:
    return [segment.state for segment in message.segments]


class TestQuery:
    async def test_an_overdue_receipt_is_asked_for_and_then_unknown(self, store: Any) -> None:
        number = await sent(store, ids=["A"])
        seen = store.work("demo").version
        assert (await sweep(store, OVERDUE, TWICE)).result.receipt_overdue == 0
        assert store.work("demo").version > seen, "the carrier's binds are told"
        message = await view(store, number)
        (errand,) = await errands(store)
        assert errand == Errand(number << 8 | 1, QUERY, "A", SENDER, message.destination)
        assert await errands(store) == [], "once"
        assert (await sweep(store, OVERDUE + HOUR - 1, TWICE)).result.receipt_overdue == 0
        assert await errands(store) == []
        await sweep(store, OVERDUE + HOUR, TWICE)
        assert len(await errands(store)) == 1
        assert (await sweep(store, OVERDUE + 2 * HOUR, TWICE)).result.receipt_overdue == 1
        found = await view(store, number)
        assert (found.verdict, found.segments[0].reason) == (Verdict.UNKNOWN, R.RECEIPT_OVERDUE)
        await receive(store, receipt("A"), now=OVERDUE + 3 * HOUR)
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    async def test_carriers_that_cannot_be_asked_are_not(self, store: Any) -> None:
        await sent(store, ids=["A"])
        assert (await sweep(store, OVERDUE, {"other": QueryPlan(2, HOUR)})).result.receipt_overdue == 1
        assert await errands(store) == []

    @pytest.mark.parametrize(
        ("state", "verdict"),
        [
            (ReceiptState.DELIVERED, Verdict.DELIVERED),
            (ReceiptState.UNDELIVERABLE, Verdict.FAILED),
            (ReceiptState.EXPIRED, Verdict.EXPIRED),
        ],
    )
    async def test_a_final_state_is_believed(self, store: Any, state: ReceiptState, verdict: Verdict) -> None:
        number = await sent(store, ids=["A"])
        await sweep(store, OVERDUE, TWICE)
        (errand,) = await errands(store)
        assert await done(store, ErrandDone(errand.segment_id, QUERY, 0, state)) == 1
        found = await view(store, number)
        assert (found.verdict, found.segments[0].reason) == (verdict, R.RECEIPT_QUERIED)
        assert [entry.reason for entry in found.history][-1] is R.RECEIPT_QUERIED
        await receive(store, receipt("A", state), now=OVERDUE + 1)
        assert [entry.reason for entry in (await view(store, number)).history][-1] is R.RECEIPT_REPEATED

    @pytest.mark.parametrize(
        ("status", "state", "detail"),
        [
            (0, ReceiptState.ENROUTE, "ENROUTE"),
            (0, ReceiptState.ACCEPTED, "ACCEPTED"),
            (0x67, None, "ESME_RQUERYFAIL"),
        ],
    )
    async def test_any_other_answer_is_only_told(
        self, store: Any, status: int, state: ReceiptState | None, detail: str
    ) -> None:
        number = await sent(store, ids=["A"])
        await sweep(store, OVERDUE, TWICE)
        (errand,) = await errands(store)
        assert await done(store, ErrandDone(errand.segment_id, QUERY, status, state)) == 0
        found = await view(store, number)
        assert states(found) == [S.SENT]
        assert (found.history[-1].reason, found.history[-1].detail) == (R.RECEIPT_QUERIED, detail)

    async def test_what_has_got_its_receipt_meanwhile_is_not_asked_about(self, store: Any) -> None:
        await sent(store, ids=["A"])
        await sweep(store, OVERDUE, TWICE)
        await receive(store, receipt("A"), now=OVERDUE)
        assert await errands(store) == []

    async def test_an_answer_after_the_receipt_changes_nothing(self, store: Any) -> None:
        number = await sent(store, ids=["A"])
        await receive(store, receipt("A"))
        assert await done(store, ErrandDone(number << 8 | 1, QUERY, 0, ReceiptState.EXPIRED)) == 0
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    async def test_a_limited_number_at_a_time(self, store: Any) -> None:
        for number in range(5):
            await sent(store, ids=[f"A{number}"])
        await sweep(store, OVERDUE, TWICE)
        taken = [len(await errands(store, limit=3)) for _ in range(3)]
        assert taken == [3, 2, 0]


class TestCancel:
    async def test_what_is_queued_is_not_sent(self, store: Any) -> None:
        (number,) = await accept(store, new_message(parts=2))
        assert await cancel(store, number) is CancelStatus.CANCELLED
        found = await view(store, number)
        assert (states(found), found.verdict) == ([S.CANCELLED] * 2, Verdict.CANCELLED)
        assert found.segments[0].reason is R.CANCELLED_BY_APP
        assert await claim(store) == []
        assert await cancel(store, number) is CancelStatus.CANCELLED, "asking again changes nothing"

    async def test_messages_belong_to_their_account(self, store: Any) -> None:
        (number,) = await accept(store, new_message())
        assert await cancel(store, number, "other") is CancelStatus.UNKNOWN
        assert await cancel(store, 12345) is CancelStatus.UNKNOWN
        assert len(await claim(store)) == 1

    async def test_the_carrier_is_asked_about_what_it_has(self, store: Any) -> None:
        number = await sent(store, ids=["A"])
        seen = store.work("demo").version
        assert await cancel(store, number) is CancelStatus.ASKED
        assert store.work("demo").version > seen
        assert R.CANCEL_ASKED in [entry.reason for entry in (await view(store, number)).history]
        (errand,) = await errands(store)
        assert (errand.kind, errand.smsc_id) == (CANCEL, "A")
        assert await done(store, ErrandDone(errand.segment_id, CANCEL, 0), now=NOW + 5) == 1
        found = await view(store, number)
        assert (found.verdict, found.segments[0].reason) == (Verdict.CANCELLED, R.CANCELLED_BY_APP)
        await receive(store, receipt("A", ReceiptState.DELETED), now=NOW + 6)
        assert [entry.reason for entry in (await view(store, number)).history][-1] is R.RECEIPT_REPEATED

    async def test_a_carrier_that_refuses(self, store: Any) -> None:
        number = await sent(store, ids=["A"])
        await cancel(store, number)
        (errand,) = await errands(store)
        assert await done(store, ErrandDone(errand.segment_id, CANCEL, 0x11)) == 0
        found = await view(store, number)
        assert (states(found), found.history[-1].detail) == ([S.SENT], "ESME_RCANCELFAIL")

    @pytest.mark.parametrize("situation", ["in flight", "in doubt", "delivered", "without a message_id"])
    async def test_too_late(self, store: Any, situation: str) -> None:
        (number,) = await accept(store, new_message())
        segments = await claim(store)
        if situation == "in doubt":
            await doubt(store, segments)
        elif situation == "delivered":
            await answer(store, segments, ids=["A"])
            await receive(store, receipt("A"))
        elif situation == "without a message_id":
            await answer(store, segments, ids=[""])
        before = await view(store, number)
        assert await cancel(store, number) is CancelStatus.TOO_LATE
        assert await view(store, number) == before
        assert await errands(store) == []

    async def test_parts_that_wait_are_cancelled_and_one_in_flight_is_not_sent_again(self, store: Any) -> None:
        (number,) = await accept(store, new_message(parts=3))
        first = await claim(store, 1)
        assert await cancel(store, number) is CancelStatus.CANCELLED
        assert states(await view(store, number)) == [S.IN_FLIGHT, S.CANCELLED, S.CANCELLED]
        await answer(store, first, OutcomeKind.THROTTLED, status=0x58)
        found = await view(store, number)
        assert (states(found), found.verdict) == ([S.CANCELLED] * 3, Verdict.CANCELLED)

    async def test_cancel_goes_before_query(self, store: Any) -> None:
        first = await sent(store, ids=["A"])
        await sent(store, ids=["B"])
        await sweep(store, OVERDUE, TWICE)
        await cancel(store, first)
        assert [(one.kind, one.smsc_id) for one in await errands(store)] == [(CANCEL, "A"), (QUERY, "B")]
