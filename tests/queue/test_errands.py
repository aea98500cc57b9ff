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
    RecordOutcomes,
    Recover,
    SegmentState,
    SubmitOutcome,
    Sweep,
    TakeErrands,
    Verdict,
)
from smppgw.queue.operations.errands import MOST_CANCELS

from .make import HOUR, NOW, PLAN, SENDER, accept, answer, claim, new_message, receipt, receive, view

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
        await done(store, ErrandDone(errand.segment_id, QUERY, 0, ReceiptState.ENROUTE))
        assert (await sweep(store, OVERDUE + HOUR - 1, TWICE)).result.receipt_overdue == 0
        assert await errands(store) == []
        await sweep(store, OVERDUE + HOUR, TWICE)
        assert len(await errands(store)) == 1
        await done(store, ErrandDone(errand.segment_id, QUERY, None))
        assert await errands(store) == [], "the sweeper asks again"
        assert (await sweep(store, OVERDUE + 2 * HOUR, TWICE)).result.receipt_overdue == 1
        found = await view(store, number)
        assert (found.verdict, found.segments[0].reason) == (Verdict.UNKNOWN, R.RECEIPT_OVERDUE)
        await receive(store, receipt("A"), now=OVERDUE + 3 * HOUR)
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    async def test_what_was_asked_about_early_still_waits_for_its_receipt(self, store: Any) -> None:
        """Two questions soon after the answer; the time for receipts ends two hours after the validity."""
        (number,) = await accept(store, new_message())
        (segment,) = await claim(store)
        outcome = SubmitOutcome(segment.segment_id, segment.claim, OutcomeKind.ACCEPTED, 0, "A")
        early = RecordOutcomes("demo", "demo/1", [outcome], NOW, PLAN, 60_000, look_after_ms=600_000)
        await store.commit(early)
        plan = {"demo": QueryPlan(2, 60_000, 2 * HOUR)}
        await sweep(store, NOW + 599_999, plan)
        assert await errands(store) == []
        for minute in (10, 11):
            await sweep(store, NOW + minute * 60_000, plan)
            (errand,) = await errands(store)
            await done(store, ErrandDone(errand.segment_id, QUERY, 0, ReceiptState.ENROUTE))
        end = (await view(store, number)).expires_utc_ms + 2 * HOUR
        for now in (NOW + 720_000, end - 1):
            assert (await sweep(store, now, plan)).result.receipt_overdue == 0
            assert await errands(store) == []
        assert (await sweep(store, end, plan)).result.receipt_overdue == 1

    async def test_without_query_any_more_the_receipt_still_has_its_time(self, store: Any) -> None:
        (number,) = await accept(store, new_message())
        (segment,) = await claim(store)
        outcome = SubmitOutcome(segment.segment_id, segment.claim, OutcomeKind.ACCEPTED, 0, "A")
        await store.commit(RecordOutcomes("demo", "demo/1", [outcome], NOW, PLAN, 60_000, look_after_ms=600_000))
        plan = {"demo": QueryPlan(0, 60_000, 2 * HOUR)}
        end = (await view(store, number)).expires_utc_ms + 2 * HOUR
        for now in (NOW + 600_000, end - 1):
            assert (await sweep(store, now, plan)).result.receipt_overdue == 0
        assert await errands(store) == []
        assert (await sweep(store, end, plan)).result.receipt_overdue == 1

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
            (None, None, "unanswered"),
        ],
    )
    async def test_any_other_answer_is_only_told(
        self, store: Any, status: int | None, state: ReceiptState | None, detail: str
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
        taken = [[one.smsc_id for one in await errands(store, limit=3)] for _ in range(3)]
        assert taken == [["A0", "A1", "A2"], ["A3", "A4"], []], "the oldest first"

    async def test_what_is_final_by_now_does_not_hide_the_others(self, store: Any) -> None:
        for number in range(6):
            await sent(store, ids=[f"A{number}"])
        await sweep(store, OVERDUE, TWICE)
        await receive(store, *(receipt(f"A{number}") for number in range(5)), now=OVERDUE)
        assert [one.smsc_id for one in await errands(store, limit=3)] == ["A5"]

    async def test_while_nobody_can_ask_it_does_not_count_as_asked(self, store: Any) -> None:
        """No bind was up for hours: the receipt may wait at the SMSC just as long."""
        number = await sent(store, ids=["A"])
        for hours in range(5):
            assert (await sweep(store, OVERDUE + hours * HOUR, TWICE)).result.receipt_overdue == 0
        assert states(await view(store, number)) == [S.SENT]
        (errand,) = await errands(store)
        await done(store, ErrandDone(errand.segment_id, QUERY, None, asked=False))
        assert await errands(store) == [errand], "listed again"

    async def test_what_nobody_can_ask_about_does_not_stay_open_for_ever(self, store: Any) -> None:
        number = await sent(store, ids=["A"])
        month = 31 * 24 * HOUR
        await sweep(store, NOW + month, TWICE)
        assert states(await view(store, number)) == [S.SENT], "asked about at least once"
        await sweep(store, NOW + month + HOUR, TWICE)
        assert (await view(store, number)).verdict is Verdict.UNKNOWN

    async def test_what_was_handed_out_is_asked_after_a_crash(self, store: Any) -> None:
        await sent(store, ids=["A"])
        await sweep(store, OVERDUE, TWICE)
        listed = await errands(store)
        assert len(listed) == 1
        await store.commit(Recover(OVERDUE, {}, {}))
        assert await errands(store) == listed


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

    async def test_without_an_answer_it_is_asked_again_but_not_for_ever(self, store: Any) -> None:
        """A bind that drops takes the answer with it; an SMSC that drops the bind for it is not asked for ever."""
        number = await sent(store, ids=["A"])
        await cancel(store, number)
        for _ in range(MOST_CANCELS):
            (errand,) = await errands(store)
            await done(store, ErrandDone(errand.segment_id, CANCEL, None, asked=False))
            seen = store.work("demo").version
            assert await errands(store) == [errand], "it was not even asked"
            await done(store, ErrandDone(errand.segment_id, CANCEL, None))
        assert await errands(store) == []
        assert store.work("demo").version == seen, "nobody is woken for nothing"
        found = await view(store, number)
        assert [entry.detail for entry in found.history if entry.reason is R.CANCEL_ASKED] == [
            "",
            *["unanswered"] * MOST_CANCELS,
        ]
        await done(store, ErrandDone(errand.segment_id, CANCEL, 0))
        assert states(await view(store, number)) == [S.CANCELLED], "a late answer counts"

    async def test_while_a_question_is_out_a_cancel_can_be_asked(self, store: Any) -> None:
        number = await sent(store, ids=["A"])
        await sweep(store, OVERDUE, TWICE)
        (query,) = await errands(store)
        await cancel(store, number)
        await done(store, ErrandDone(query.segment_id, QUERY, 0, ReceiptState.ENROUTE))
        (errand,) = await errands(store)
        assert errand.kind is CANCEL
        await sweep(store, OVERDUE + HOUR, TWICE)
        assert await errands(store) == [], "one thing at a time"

    @pytest.mark.parametrize("situation", ["in flight", "delivered", "without a message_id"])
    async def test_too_late(self, store: Any, situation: str) -> None:
        (number,) = await accept(store, new_message())
        segments = await claim(store)
        if situation == "delivered":
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
        assert await cancel(store, number) is CancelStatus.TOO_LATE
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
