"""The conformance suite: what every implementation of the store must do."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from smppgw.addresses import Address
from smppgw.queue.model import (
    Accept,
    AcceptStatus,
    Claim,
    ClaimedSegment,
    Extras,
    InboundText,
    Lane,
    MessageQuery,
    MessageView,
    OutcomeKind,
    Reason,
    ReceiptState,
    RecordInbound,
    RecordOutcomes,
    Recover,
    SegmentState,
    SubmitOutcome,
    Verdict,
    Withdraw,
    message_id_of,
    part_of,
)

from .make import HOUR, NOW, PLAN, accept, answer, claim, doubt, new_message, receipt, receive, sweep, view

S, R = SegmentState, Reason


def states(message: MessageView) -> list[SegmentState]:
    return [segment.state for segment in message.segments]


class TestAccepting:
    async def test_a_message_is_there_with_all_that_was_given(self, store: Any) -> None:
        text = "Grüße \U0001f44b, \u2028 'quotes' \\ and \"more\""
        given = new_message(
            parts=3,
            text=text,
            client_ref="order-7",
            segments=(b"\x00\xff", b"\x00" * 140, b"z"),
            alternatives=("bulk", "other"),
            extras=Extras(service_type="CMT"),
        )
        (number,) = await accept(store, given)
        found = await view(store, number)
        assert (found.text, found.client_ref, found.account, found.carrier) == (text, "order-7", "app", "demo")
        assert (found.source, found.destination) == (given.source, given.destination)
        assert [segment.octets for segment in found.segments] == [b"\x00\xff", b"\x00" * 140, b"z"]
        assert (found.verdict, states(found)) == (None, [S.QUEUED] * 3)
        assert (found.accepted_utc_ms, found.expires_utc_ms) == (NOW, NOW + HOUR)
        assert (found.alternatives, found.extras) == (("bulk", "other"), Extras(service_type="CMT"))

    async def test_results_come_in_order(self, store: Any) -> None:
        numbers = await accept(store, *(new_message(text=str(i)) for i in range(500)))
        assert numbers == sorted(set(numbers))
        assert [(await view(store, numbers[i])).text for i in (0, 250, 499)] == ["0", "250", "499"]

    async def test_more_rows_than_one_statement_may_hold(self, store: Any) -> None:
        numbers = await accept(store, *(new_message(parts=2) for _ in range(13_000)))
        assert len(set(numbers)) == 13_000
        depths = await store.depths()
        assert depths.queued == {("demo", Lane.TRANSACTIONAL): 26_000}

    async def test_an_empty_batch(self, store: Any) -> None:
        assert await accept(store) == []

    async def test_a_repeat_gets_the_first_id_and_stores_nothing(self, store: Any) -> None:
        given = new_message(idempotency_key="k", digest=b"1")
        first, again = Accept([given], NOW), Accept([given, new_message()], NOW + 5)
        await store.commit(first)
        await store.commit(again)
        assert [one.status for one in again.result] == [AcceptStatus.REPEATED, AcceptStatus.STORED]
        assert again.result[0].message_id == first.result[0].message_id
        assert len(await store.messages(MessageQuery())) == 2

    async def test_the_same_key_for_something_else_is_a_conflict(self, store: Any) -> None:
        await accept(store, new_message(idempotency_key="k", digest=b"1"))
        op = Accept([new_message(idempotency_key="k", digest=b"2")], NOW)
        await store.commit(op)
        assert op.result[0].status is AcceptStatus.CONFLICT
        assert len(await store.messages(MessageQuery())) == 1

    async def test_the_same_key_twice_in_one_batch(self, store: Any) -> None:
        batch = [new_message(idempotency_key="k", digest=digest) for digest in (b"1", b"1", b"2")]
        op = Accept(batch, NOW)
        await store.commit(op)
        assert [one.status for one in op.result] == [
            AcceptStatus.STORED,
            AcceptStatus.REPEATED,
            AcceptStatus.CONFLICT,
        ]
        assert len({one.message_id for one in op.result}) == 1

    async def test_keys_belong_to_their_account(self, store: Any) -> None:
        op = Accept([new_message(idempotency_key="k", account=account) for account in ("app", "other")], NOW)
        await store.commit(op)
        assert [one.status for one in op.result] == [AcceptStatus.STORED] * 2


class TestClaiming:
    async def test_a_claim_takes_at_most_what_was_asked_for_and_never_twice(self, store: Any) -> None:
        await accept(store, *(new_message() for _ in range(10)))
        taken = [one.segment_id for _ in range(4) for one in await claim(store, 4)]
        assert len(taken) == len(set(taken)) == 10

    async def test_it_carries_all_that_a_submit_sm_needs(self, store: Any) -> None:
        given = new_message(parts=2, data_coding=8)
        (number,) = await accept(store, given)
        first, second = await claim(store)
        assert [part_of(one.segment_id) for one in (first, second)] == [1, 2]
        assert message_id_of(first.segment_id) == number
        assert (first.octets, second.octets) == given.segments
        assert (first.source, first.destination, first.data_coding, first.esm_class) == (
            given.source,
            given.destination,
            8,
            0x40,
        )
        assert (first.registered_delivery, first.attempts, first.expires_utc_ms) == (1, 0, NOW + HOUR)

    async def test_what_few_messages_have_comes_with_it(self, store: Any) -> None:
        extras = Extras("CMT", 0x40, 3, True, ((0x1400, b"\x00\xff"), (0x1400, b"")), 65535, True)
        await accept(store, new_message(parts=3, extras=extras), new_message(extras=Extras()), new_message())
        claimed = await claim(store)
        assert [one.parts for one in claimed] == [3, 3, 3, 1, 1]
        assert [one.extras for one in claimed] == [extras, extras, extras, Extras(), None]

    async def test_lanes_go_before_age(self, store: Any) -> None:
        for lane in (Lane.BULK, Lane.TRANSACTIONAL, Lane.OTP):
            await accept(store, new_message(lane=lane), new_message(lane=lane))
        assert [one.lane for one in await claim(store, 3)] == [Lane.OTP, Lane.OTP, Lane.TRANSACTIONAL]

    async def test_oldest_first_within_a_lane(self, store: Any) -> None:
        numbers = [(await accept(store, new_message(), now=NOW + i))[0] for i in range(5)]
        assert [message_id_of(one.segment_id) for one in await claim(store, now=NOW + 10)] == numbers

    async def test_carriers_do_not_see_each_other(self, store: Any) -> None:
        await accept(store, new_message(carrier="other"))
        assert await claim(store) == []

    async def test_what_is_past_its_validity_expires_instead(self, store: Any) -> None:
        (number,) = await accept(store, new_message(parts=2, validity_ms=10))
        assert await claim(store, now=NOW + 10) == []
        found = await view(store, number)
        assert (found.verdict, states(found)) == (Verdict.EXPIRED, [S.EXPIRED] * 2)
        assert found.segments[0].reason is R.VALIDITY_EXPIRED

    async def test_a_held_recipient_waits_and_others_go(self, store: Any) -> None:
        await accept(store, new_message("111"), new_message("222"))
        held = {"111": NOW + 50}
        assert [one.destination.addr for one in await claim(store, held=held)] == ["222"]
        op = Claim("demo", "demo/1", 10, NOW + 1, held)
        await store.commit(op)
        assert (op.result.segments, op.result.next_due_utc_ms) == ([], NOW + 50)
        assert [one.destination.addr for one in await claim(store, now=NOW + 50)] == ["111"]

    async def test_work_is_announced(self, store: Any) -> None:
        work = store.work("demo")
        seen = work.version
        await accept(store, new_message(carrier="other"))
        assert work.version == seen
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(work.changed, seen)
                await accept(store, new_message())


class TestOutcomes:
    async def test_accepted_waits_for_its_receipt(self, store: Any) -> None:
        (number,) = await accept(store, new_message())
        op = await answer(store, await claim(store), ids=["A1"], now=NOW + 7)
        assert (op.result.moved, op.result.stale) == (1, 0)
        found = await view(store, number)
        assert (states(found), found.segments[0].smsc_id, found.verdict) == ([S.SENT], "A1", None)
        assert found.segments[0].answered_utc_ms == NOW + 7

    @pytest.mark.parametrize(("registered", "smsc_id"), [(0, "A1"), (1, "")])
    async def test_accepted_where_no_receipt_can_come_is_sent(
        self, store: Any, registered: int, smsc_id: str
    ) -> None:
        (number,) = await accept(store, new_message(registered_delivery=registered))
        await answer(store, await claim(store), ids=[smsc_id])
        found = await view(store, number)
        assert (states(found), found.verdict) == ([S.UNTRACKED], Verdict.SENT)

    @pytest.mark.parametrize(
        ("kind", "reason"), [(OutcomeKind.THROTTLED, R.THROTTLED), (OutcomeKind.PAUSED, R.BIND_PAUSED)]
    )
    async def test_throttled_or_paused_it_goes_back_to_its_place_and_is_not_counted(
        self, store: Any, kind: OutcomeKind, reason: Reason
    ) -> None:
        first, second = await accept(store, new_message(), new_message())
        (segment,) = await claim(store, 1)
        await answer(store, [segment], kind, status=0x58)
        again = await claim(store)
        assert [message_id_of(one.segment_id) for one in again] == [first, second]
        assert again[0].attempts == 0
        told = [(entry.reason, entry.detail) for entry in (await view(store, first)).history if entry.detail]
        assert told == [(reason, "ESME_RTHROTTLED")]

    async def test_delayed_comes_back_when_due_and_is_not_counted(self, store: Any) -> None:
        await accept(store, new_message())
        await answer(store, await claim(store), OutcomeKind.DELAYED, status=0x14, due=NOW + 30)
        assert await claim(store, now=NOW + 29) == []
        (again,) = await claim(store, now=NOW + 30)
        assert again.attempts == 0

    async def test_refused_for_now_comes_back_by_the_plan_until_it_is_given_up(self, store: Any) -> None:
        (number,) = await accept(store, new_message())
        now, pauses = NOW, []
        for _ in range(3):
            (segment,) = await claim(store, now=now)
            await answer(store, [segment], OutcomeKind.RETRY, status=8, now=now)
            found = (await view(store, number)).segments[0]
            pauses.append((found.due_utc_ms - now) / 1000 if found.state is S.QUEUED else None)
            now = found.due_utc_ms
        assert [None if pause is None else round(pause) for pause in pauses] in (
            [5, 15, None],
            [5, 14, None],
            [5, 16, None],
        )
        found_message = await view(store, number)
        assert (states(found_message), found_message.verdict) == ([S.FAILED], Verdict.FAILED)
        assert (found_message.segments[0].reason, found_message.segments[0].attempts) == (R.RETRIES_EXHAUSTED, 3)
        assert found_message.segments[0].command_status == 8

    async def test_refused_for_good(self, store: Any) -> None:
        (number,) = await accept(store, new_message())
        await answer(store, await claim(store), OutcomeKind.REJECTED, status=0x0B)
        found = await view(store, number)
        assert (states(found), found.verdict) == ([S.REJECTED], Verdict.REJECTED)

    async def test_siblings_that_wait_are_cancelled_when_one_part_is_refused_for_good(self, store: Any) -> None:
        (number,) = await accept(store, new_message(parts=4))
        first, second = await claim(store, 2)
        await answer(store, [second], ids=["B"])
        await answer(store, [first], OutcomeKind.REJECTED, status=0x0B)
        found = await view(store, number)
        assert (states(found), found.verdict) == ([S.REJECTED, S.SENT, S.CANCELLED, S.CANCELLED], None)
        assert found.segments[2].reason is R.SIBLING_FAILED
        await receive(store, receipt("B", ReceiptState.UNDELIVERABLE))
        assert (await view(store, number)).verdict is Verdict.REJECTED

    @pytest.mark.parametrize("way", ["throttled", "withdrawn", "resent"])
    async def test_a_sibling_that_comes_back_after_the_refusal_is_cancelled_too(self, store: Any, way: str) -> None:
        """Half a text helps nobody, and is billed."""
        (number,) = await accept(store, new_message(parts=2))
        first, second = await claim(store)
        await answer(store, [first], OutcomeKind.REJECTED, status=0x0B)
        if way == "throttled":
            await answer(store, [second], OutcomeKind.THROTTLED, status=0x58)
        elif way == "withdrawn":
            await store.commit(Withdraw("demo", "demo/1", [(second.segment_id, second.claim)], NOW))
        else:
            await doubt(store, [second], resend=PLAN)
        found = await view(store, number)
        if way == "resent":
            assert (states(found), found.verdict) == ([S.REJECTED, S.IN_DOUBT], None)
            assert found.segments[1].reason is R.SIBLING_FAILED
        else:
            assert (states(found), found.verdict) == ([S.REJECTED, S.CANCELLED], Verdict.REJECTED)
        assert await claim(store, now=NOW + 100_000) == []

    async def test_an_outcome_for_a_segment_that_is_not_out_is_stale(self, store: Any) -> None:
        await accept(store, new_message(), new_message())
        first, second = await claim(store)
        await answer(store, [first, second])
        for kind in (OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.THROTTLED):
            op = await answer(store, [first], kind)
            assert (op.result.moved, op.result.stale) == (0, 1)

    async def test_one_batch_of_every_kind(self, store: Any) -> None:
        kinds = list(OutcomeKind)
        numbers = await accept(store, *(new_message(alternatives=("bulk",)) for _ in kinds))
        outcomes = [
            SubmitOutcome(segment.segment_id, segment.claim, kind, 0 if kind == "accepted" else 8, "A", NOW + 9)
            for segment, kind in zip(await claim(store), kinds, strict=True)
        ]
        op = RecordOutcomes("demo", "demo/1", outcomes, NOW, PLAN, HOUR)
        await store.commit(op)
        assert (op.result.moved, op.result.stale) == (len(kinds), 0)
        found = dict(zip(kinds, [await view(store, number) for number in numbers], strict=True))
        assert {kind: (one.segments[0].state, one.segments[0].reason) for kind, one in found.items()} == {
            OutcomeKind.ACCEPTED: (S.SENT, R.CARRIER_ACCEPTED),
            OutcomeKind.THROTTLED: (S.QUEUED, R.THROTTLED),
            OutcomeKind.DELAYED: (S.QUEUED, R.RECIPIENT_QUEUE_FULL),
            OutcomeKind.PAUSED: (S.QUEUED, R.BIND_PAUSED),
            OutcomeKind.RETRY: (S.QUEUED, R.TEMPORARY_REFUSAL),
            OutcomeKind.REROUTED: (S.QUEUED, R.REROUTED),
            OutcomeKind.REJECTED: (S.REJECTED, R.REFUSED),
        }
        assert {kind for kind, one in found.items() if one.carrier == "bulk"} == {OutcomeKind.REROUTED}


class TestReceipts:
    async def sent(self, store: Any, *ids: str, **changes: Any) -> list[int]:
        numbers = await accept(store, *(new_message(**changes) for _ in ids))
        await answer(store, await claim(store), ids=list(ids))
        return numbers

    async def test_a_receipt_finds_its_message(self, store: Any) -> None:
        numbers = await self.sent(store, "A", "B")
        op = await receive(store, receipt("B"), receipt("A", ReceiptState.UNDELIVERABLE), now=NOW + 99)
        assert (op.result.matched, op.result.parked) == (2, 0)
        first, second = [await view(store, number) for number in numbers]
        assert (first.verdict, second.verdict) == (Verdict.FAILED, Verdict.DELIVERED)
        assert second.final_utc_ms == NOW + 99

    async def test_a_receipt_before_its_submit_sm_resp_is_parked_and_found(self, store: Any) -> None:
        (number,) = await accept(store, new_message())
        segments = await claim(store)
        op = await receive(store, receipt("A"))
        assert (op.result.matched, op.result.parked) == (0, 1)
        await answer(store, segments, ids=["A"])
        found = await view(store, number)
        assert (states(found), found.verdict) == ([S.DELIVERED], Verdict.DELIVERED)
        assert (await store.depths()).parked_receipts == 0

    async def test_an_intermediate_receipt_moves_nothing_and_is_kept(self, store: Any) -> None:
        (number,) = await self.sent(store, "A")
        await receive(store, receipt("A", ReceiptState.ENROUTE), receipt("A", None))
        found = await view(store, number)
        assert (states(found), found.verdict) == ([S.SENT], None)
        assert [entry.reason for entry in found.history].count(R.RECEIPT_INTERMEDIATE) == 2

    async def test_the_first_final_receipt_stands(self, store: Any) -> None:
        (number,) = await self.sent(store, "A")
        await receive(store, receipt("A"), receipt("A", ReceiptState.UNDELIVERABLE))
        await receive(store, receipt("A"), receipt("A", ReceiptState.EXPIRED))
        found = await view(store, number)
        assert (states(found), found.verdict) == ([S.DELIVERED], Verdict.DELIVERED)
        reasons = [entry.reason for entry in found.history if entry.reason.startswith("receipt")]
        assert reasons == [R.RECEIPT, R.RECEIPT_CONTRADICTS, R.RECEIPT_REPEATED, R.RECEIPT_CONTRADICTS]

    async def test_one_verdict_for_all_parts(self, store: Any) -> None:
        (number,) = await accept(store, new_message(parts=3))
        await answer(store, await claim(store), ids=["A", "B", "C"])
        await receive(store, receipt("A"), receipt("B"))
        assert (await view(store, number)).verdict is None
        await receive(store, receipt("C", ReceiptState.UNDELIVERABLE))
        assert (await view(store, number)).verdict is Verdict.PARTLY_DELIVERED

    async def test_ids_are_strings_whatever_they_look_like(self, store: Any) -> None:
        ids = ["007", "7", "9223372036854775808", "1e3", "null", "\xe9", "a'b"]
        numbers = await self.sent(store, *ids)
        await receive(store, *(receipt(smsc_id) for smsc_id in ids[:-1]))
        verdicts = [(await view(store, number)).verdict for number in numbers]
        assert verdicts == [Verdict.DELIVERED] * 6 + [None]

    async def test_another_carriers_receipt_is_not_ours(self, store: Any) -> None:
        (number,) = await self.sent(store, "A")
        op = await receive(store, receipt("A"), carrier="other")
        assert op.result.parked == 1
        assert (await view(store, number)).verdict is None

    async def test_a_reused_id_goes_to_the_newest_open_segment(self, store: Any) -> None:
        old = (await self.sent(store, "A"))[0]
        new = (await self.sent(store, "A"))[0]
        await receive(store, receipt("A"))
        assert [(await view(store, number)).verdict for number in (old, new)] == [None, Verdict.DELIVERED]

    async def test_somebody_elses_receipt_does_not_touch_a_new_message_with_its_id(self, store: Any) -> None:
        await receive(store, receipt("7", ReceiptState.UNDELIVERABLE, source="33639980001"), now=NOW - 1000)
        (number,) = await self.sent(store, "7")
        assert (await view(store, number)).verdict is None

    async def test_nor_does_one_from_long_before_it(self, store: Any) -> None:
        await receive(store, receipt("7", ReceiptState.UNDELIVERABLE), now=NOW - 1_000_000)
        (number,) = await self.sent(store, "7")
        assert (await view(store, number)).verdict is None

    async def test_an_early_receipt_is_not_taken_by_a_finished_message_that_had_its_id(self, store: Any) -> None:
        (old,) = await self.sent(store, "7", destination=Address(1, 1, "33639980001"))
        await receive(store, receipt("7", source="33639980001"))
        (new,) = await accept(store, new_message())
        segments = await claim(store)
        await receive(store, receipt("7"), now=NOW + 5)
        await answer(store, segments, ids=["7"], now=NOW + 6)
        assert (await view(store, new)).verdict is Verdict.DELIVERED
        assert R.RECEIPT_REPEATED not in [entry.reason for entry in (await view(store, old)).history]

    async def test_masked_addresses_are_told_in_the_history(self, store: Any) -> None:
        (number,) = await self.sent(store, "A")
        await receive(store, receipt("A", source="4477*****01"))
        (entry,) = [entry for entry in (await view(store, number)).history if entry.reason is R.RECEIPT]
        assert entry.detail == "DELIVER err 000 id A (addresses 4477*****01 -> BANK do not agree)"

    async def test_two_parts_with_one_id_and_both_receipts_in_one_read(self, store: Any) -> None:
        (number,) = await accept(store, new_message(parts=2))
        await answer(store, await claim(store), ids=["A", "A"])
        await receive(store, receipt("A"), receipt("A"))
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    async def test_two_parts_with_one_id_and_both_receipts_early(self, store: Any) -> None:
        (number,) = await accept(store, new_message(parts=2))
        segments = await claim(store)
        await receive(store, receipt("A"), receipt("A"))
        await answer(store, segments, ids=["A", "A"])
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    async def test_an_acceptance_after_the_doubt_ended_lets_the_receipt_revise_it(self, store: Any) -> None:
        (number,) = await accept(store, new_message())
        segments = await claim(store)
        await doubt(store, segments)
        await sweep(store, NOW + HOUR)
        assert (await view(store, number)).verdict is Verdict.UNKNOWN
        await answer(store, segments, ids=["A"], now=NOW + HOUR)
        await receive(store, receipt("A"), now=NOW + HOUR)
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    async def test_an_smsc_that_gives_every_message_the_same_id(self, store: Any) -> None:
        recipients = [f"4477009{number:05d}" for number in range(200)]
        numbers = await accept(store, *(new_message(to) for to in recipients))
        await answer(store, await claim(store, 200), ids=["0"] * 200)
        await receive(store, receipt("0", source=recipients[199]), receipt("0", source=recipients[180]))
        delivered = await store.messages(MessageQuery(account="app", verdict=Verdict.DELIVERED))
        assert [one.message_id for one in delivered] == [numbers[199], numbers[180]]

    async def test_the_raw_receipt_is_kept(self, store: Any) -> None:
        (number,) = await self.sent(store, "A")
        await receive(store, receipt("A"))
        (entry,) = [entry for entry in (await view(store, number)).history if entry.reason is R.RECEIPT]
        assert (entry.detail, entry.bind, entry.state) == ("DELIVER err 000 id A", "demo/1", S.DELIVERED)

    async def test_every_receipt_is_shown_with_what_it_said_and_did(self, store: Any) -> None:
        (number,) = await self.sent(store, "A")
        odd = receipt("A", None)
        odd.error, odd.tlvs, odd.flags = "", '[[5132, "0a0b"]]', "state_unknown"
        final = receipt("A")
        final.done_utc_ms = NOW - 60_000
        await receive(store, odd, now=NOW + 1)
        await receive(store, final, receipt("A", ReceiptState.EXPIRED), now=NOW + 2)
        found = await view(store, number)
        assert [(one.state, one.reason) for one in found.receipts] == [
            (None, R.RECEIPT_INTERMEDIATE),
            (ReceiptState.DELIVERED, R.RECEIPT),
            (ReceiptState.EXPIRED, R.RECEIPT_CONTRADICTS),
        ]
        first, second, _ = found.receipts
        assert (first.part, first.stat, first.smsc_id, first.raw, first.bind) == (1, "ODD", "A", b"id:A", "demo/1")
        assert (first.tlvs, first.flags, first.received_utc_ms) == ('[[5132, "0a0b"]]', ("state_unknown",), NOW + 1)
        assert (second.done_utc_ms, second.source_addr) == (NOW - 60_000, "447700900001")
        told = [entry.detail for entry in found.history if entry.reason.startswith("receipt")]
        assert told == [
            "ODD id A TLV 0x140C 0a0b (state unknown)",
            "DELIVER err 000 id A",
            "EXPIRED err 000 id A",
        ]


class TestDoubt:
    async def in_doubt(self, store: Any, *to: str, **changes: Any) -> tuple[list[int], list[ClaimedSegment]]:
        numbers = await accept(store, *(new_message(one) for one in to))
        segments = await claim(store)
        assert (await doubt(store, segments, **changes)).result == len(to)
        return numbers, segments

    async def test_held_it_waits_and_is_not_sent_again(self, store: Any) -> None:
        (number,), _ = await self.in_doubt(store, "111")
        assert states(await view(store, number)) == [S.IN_DOUBT]
        assert await claim(store, now=NOW + 100) == []
        assert (await store.depths()).in_doubt == {"demo": 1}

    async def test_a_late_answer_resolves_it(self, store: Any) -> None:
        (number,), segments = await self.in_doubt(store, "111")
        await answer(store, segments, ids=["A"])
        assert states(await view(store, number)) == [S.SENT]
        assert (await sweep(store, NOW + 600)).result.receipt_overdue == 0

    async def test_a_late_throttling_queues_it_with_its_own_validity(self, store: Any) -> None:
        _, segments = await self.in_doubt(store, "111")
        await answer(store, segments, OutcomeKind.THROTTLED, status=0x58)
        assert (await sweep(store, NOW + 600)).result.expired == 0
        assert len(await claim(store, now=NOW + 600)) == 1

    async def test_a_receipt_with_its_addresses_resolves_it(self, store: Any) -> None:
        numbers, _ = await self.in_doubt(store, "111", "222")
        await receive(store, receipt("X", source="111"), now=NOW + 5)
        await sweep(store, NOW + 6)
        first, second = [await view(store, number) for number in numbers]
        assert (first.verdict, first.segments[0].smsc_id) == (Verdict.DELIVERED, "X")
        assert first.segments[0].reason is R.RECEIPT_MATCHED_IN_DOUBT
        assert second.verdict is None
        await receive(store, receipt("X", source="111"), now=NOW + 9)
        assert [entry.reason for entry in (await view(store, numbers[0])).history][-1] is R.RECEIPT_REPEATED

    async def test_an_intermediate_receipt_proves_that_the_carrier_has_it(self, store: Any) -> None:
        (number,), _ = await self.in_doubt(store, "111")
        await receive(store, receipt("X", ReceiptState.ENROUTE, source="111"), now=NOW + 5)
        await sweep(store, NOW + 6)
        assert states(await view(store, number)) == [S.SENT]
        assert (await sweep(store, NOW + 10 * HOUR)).result.receipt_overdue == 0, "it has its validity and a day"
        await receive(store, receipt("X", source="111"), now=NOW + 9)
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    async def test_a_receipt_that_came_before_the_doubt_was_known(self, store: Any) -> None:
        (number,) = await accept(store, new_message("111"))
        segments = await claim(store)
        await receive(store, receipt("X", source="111"), now=NOW + 1)
        await doubt(store, segments, now=NOW + 2)
        await sweep(store, NOW + 3)
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    @pytest.mark.parametrize("other", ["in flight", "sent", "untracked", "overdue", "resent", "refused"])
    async def test_it_might_be_the_receipt_of_another_message_to_the_same_phone(self, store: Any, other: str) -> None:
        """On a carrier that writes its ids differently in receipts, for example."""
        (doubtful,), _ = await self.in_doubt(store, "111", timeout_ms=1000 * HOUR)
        await accept(store, new_message("111", validity_ms=1))
        others = await claim(store)
        if other in ("sent", "overdue"):
            await answer(store, others, ids=["0x1A"])
        elif other == "untracked":
            await answer(store, others, ids=[""])
        elif other == "resent":
            await doubt(store, others, resend=PLAN, now=NOW)
        elif other == "refused":
            await answer(store, others, OutcomeKind.REJECTED, status=8)
        if other == "overdue":
            await sweep(store, NOW + 2 * HOUR)
        await receive(store, receipt("26", source="111"), now=NOW + 5)
        await sweep(store, NOW + 6)
        assert states(await view(store, doubtful)) == [S.IN_DOUBT]

    async def test_held_too_long_it_is_unknown(self, store: Any) -> None:
        (number,), _ = await self.in_doubt(store, "111")
        assert (await sweep(store, NOW + 500)).result.doubt_timeout == 0
        assert (await sweep(store, NOW + 501)).result.doubt_timeout == 1
        found = await view(store, number)
        assert (found.verdict, found.segments[0].reason) == (Verdict.UNKNOWN, R.DOUBT_TIMEOUT)

    async def test_what_a_dead_process_left_is_in_doubt_at_the_next_start(self, store: Any) -> None:
        numbers = await accept(store, *(new_message() for _ in range(5)))
        await claim(store, 2)
        op = Recover(NOW + 1, {"demo": 100}, {})
        await store.commit(op)
        assert op.result == 2
        assert [(await view(store, n)).segments[0].state for n in numbers] == [S.IN_DOUBT] * 2 + [S.QUEUED] * 3
        assert len(await claim(store)) == 3
        assert (await view(store, numbers[0])).segments[0].reason is R.CRASHED

    async def test_what_a_bind_forgot_ends_as_well(self, store: Any) -> None:
        (number,) = await accept(store, new_message(validity_ms=100))
        await claim(store)
        await sweep(store, NOW + 500_000)
        assert states(await view(store, number)) == [S.IN_FLIGHT], "its bind may still be waiting"
        await sweep(store, NOW + 700_000)
        assert states(await view(store, number)) == [S.IN_DOUBT]

    async def test_withdrawn_claims_go_back_to_their_place(self, store: Any) -> None:
        numbers = await accept(store, *(new_message() for _ in range(3)))
        first = await claim(store, 2)
        op = Withdraw("demo", "demo/1", [(one.segment_id, one.claim) for one in first], NOW)
        await store.commit(op)
        assert op.result == 2
        assert [message_id_of(one.segment_id) for one in await claim(store)] == numbers
        assert R.NOT_WRITTEN in [entry.reason for entry in (await view(store, numbers[0])).history]


class TestResendingAfterADoubt:
    async def resent(self, store: Any, **changes: Any) -> tuple[int, ClaimedSegment]:
        (number,) = await accept(store, new_message(**changes))
        (segment,) = await claim(store)
        await doubt(store, [segment], now=NOW, resend=PLAN)
        return number, segment

    async def test_it_waits_by_the_plan_and_counts_as_an_attempt(self, store: Any) -> None:
        number, _ = await self.resent(store)
        assert await claim(store, now=NOW + 4000) == []
        (again,) = await claim(store, now=NOW + 6000)
        assert (again.attempts, again.claim) == (1, 2)
        assert R.RESENT_AFTER_DOUBT in [entry.reason for entry in (await view(store, number)).history]

    async def test_copies_end_with_the_plan_and_then_it_is_in_doubt_after_all(self, store: Any) -> None:
        (number,) = await accept(store, new_message())
        now, copies = NOW, 0
        for _ in range(10):
            segments = await claim(store, now=now)
            copies += len(segments)
            await doubt(store, segments, now=now, resend=PLAN)
            now += 100_000
        assert copies == PLAN.max_attempts
        assert states(await view(store, number)) == [S.IN_DOUBT]

    async def test_a_late_acceptance_spares_the_second_copy(self, store: Any) -> None:
        number, first = await self.resent(store)
        op = await answer(store, [first], ids=["A"])
        assert op.result.moved == 1
        assert await claim(store, now=NOW + 100_000) == []
        await receive(store, receipt("A"))
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    @pytest.mark.parametrize("kind", [kind for kind in OutcomeKind if kind is not OutcomeKind.ACCEPTED])
    async def test_a_late_refusal_does_not_touch_the_next_attempt(self, store: Any, kind: OutcomeKind) -> None:
        number, first = await self.resent(store)
        (second,) = await claim(store, now=NOW + 6000)
        op = await answer(store, [first], kind, status=0x58)
        assert (op.result.moved, op.result.stale) == (0, 1)
        assert states(await view(store, number)) == [S.IN_FLIGHT]
        await answer(store, [second], ids=["B"])
        assert (await view(store, number)).segments[0].smsc_id == "B"

    async def test_answers_to_two_copies_in_one_read(self, store: Any) -> None:
        number, first = await self.resent(store)
        (second,) = await claim(store, now=NOW + 6000)
        outcomes = [
            SubmitOutcome(second.segment_id, second.claim, OutcomeKind.REJECTED, 0x0B),
            SubmitOutcome(first.segment_id, first.claim, OutcomeKind.THROTTLED, 0x58),
        ]
        op = RecordOutcomes("demo", "demo/1", outcomes, NOW, PLAN, HOUR)
        await store.commit(op)
        assert (op.result.moved, op.result.stale) == (1, 1)
        assert states(await view(store, number)) == [S.REJECTED]

    async def test_a_late_refusal_of_what_waits_again_changes_nothing(self, store: Any) -> None:
        number, first = await self.resent(store)
        op = await answer(store, [first], OutcomeKind.REJECTED, status=0x0B)
        assert op.result.stale == 1
        assert states(await view(store, number)) == [S.QUEUED]

    async def test_after_a_crash_too(self, store: Any) -> None:
        (number,) = await accept(store, new_message())
        await claim(store)
        await store.commit(Recover(NOW, {}, {"demo": PLAN}))
        assert states(await view(store, number)) == [S.QUEUED]
        assert len(await claim(store, now=NOW + 6000)) == 1


class TestDeadlines:
    async def test_queued_past_its_validity_expires(self, store: Any) -> None:
        (number,) = await accept(store, new_message(validity_ms=100))
        assert (await sweep(store, NOW + 99)).result.expired == 0
        assert (await sweep(store, NOW + 100)).result.expired == 1
        assert (await view(store, number)).verdict is Verdict.EXPIRED
        assert await claim(store, now=NOW + 100) == []

    async def test_a_missing_receipt_makes_it_unknown_until_the_receipt_comes_after_all(self, store: Any) -> None:
        (number,) = await accept(store, new_message(validity_ms=100))
        await answer(store, await claim(store), ids=["A"])
        assert (await sweep(store, NOW + 100 + HOUR - 1)).result.receipt_overdue == 0
        assert (await sweep(store, NOW + 100 + HOUR)).result.receipt_overdue == 1
        assert (await view(store, number)).verdict is Verdict.UNKNOWN
        await receive(store, receipt("A"), now=NOW + 200 + HOUR)
        await receive(store, receipt("A", ReceiptState.UNDELIVERABLE), now=NOW + 300 + HOUR)
        found = await view(store, number)
        assert found.verdict is Verdict.DELIVERED
        last = [entry.reason for entry in found.history][-3:]
        assert last == [R.RECEIPT_OVERDUE, R.RECEIPT, R.RECEIPT_CONTRADICTS]

    async def test_a_sweep_takes_a_limited_step_and_says_that_there_is_more(self, store: Any) -> None:
        await accept(store, *(new_message(validity_ms=1) for _ in range(1500)))
        first, second = await sweep(store, NOW + 5), await sweep(store, NOW + 5)
        assert (first.result.expired, first.result.more) == (1000, True)
        assert (second.result.expired, second.result.more) == (500, False)


class TestReading:
    async def test_history_tells_the_story_in_order(self, store: Any) -> None:
        (number,) = await accept(store, new_message())
        await answer(store, await claim(store, now=NOW + 1), OutcomeKind.RETRY, status=8, now=NOW + 2)
        later = NOW + 60_000
        await answer(store, await claim(store, now=later), OutcomeKind.THROTTLED, status=0x58, now=later)
        await answer(store, await claim(store, now=later), ids=["A"], now=later + 1)
        await receive(store, receipt("A"), now=later + 2)
        history = (await view(store, number)).history
        assert [(entry.state.label if entry.state is not None else "", entry.reason.value) for entry in history] == [
            ("queued", "accepted"),
            ("in_flight", "claimed"),
            ("queued", "temporary_refusal"),
            ("in_flight", "claimed"),
            ("queued", "throttled"),
            ("in_flight", "claimed"),
            ("sent", "carrier_accepted"),
            ("delivered", "receipt"),
        ]

    async def test_filters_and_pages(self, store: Any) -> None:
        numbers = []
        for i in range(6):
            numbers += await accept(store, new_message(f"11{i % 2}", client_ref=f"r{i}"), now=NOW + 1000 * i)
        other = (await accept(store, new_message("110", account="other"), now=NOW + 9000))[0]
        await answer(store, await claim(store, 2, now=NOW + 9000), ids=["A", "B"])
        await receive(store, receipt("A"))

        async def found(**query: Any) -> list[int]:
            return [one.message_id for one in await store.messages(MessageQuery(**query))]

        assert await found() == [other, *reversed(numbers)]
        assert await found(account="app", limit=2) == [numbers[5], numbers[4]]
        assert await found(account="app", limit=2, before=numbers[4]) == [numbers[3], numbers[2]]
        assert await found(recipient="110") == [other, numbers[4], numbers[2], numbers[0]]
        assert await found(recipient="110", account="app", before=numbers[4]) == [numbers[2], numbers[0]]
        assert await found(client_ref="r3") == [numbers[3]]
        assert await found(verdict=Verdict.DELIVERED) == [numbers[0]]
        assert await found(open_only=True, account="app") == list(reversed(numbers[1:]))
        assert await found(since_utc_ms=NOW + 2000, until_utc_ms=NOW + 4000) == [numbers[3], numbers[2]]

    async def test_what_is_not_there(self, store: Any) -> None:
        assert await store.message(12345) is None

    async def test_inbound_texts(self, store: Any) -> None:
        texts = [
            InboundText(
                Address(1, 1, f"4477009000{i}"),
                Address(3, 0, "8080"),
                0,
                0,
                b"\x00STOP",
                f"@STOP {i}",
                '[[5132, "00"]]',
            )
            for i in range(3)
        ]
        op = RecordInbound("demo", "demo/1", texts, NOW)
        await store.commit(op)
        listed = await store.inbound(before=None, limit=2)
        assert [one.message.text for one in listed] == ["@STOP 2", "@STOP 1"]
        assert listed[0].message == texts[2]
        rest = await store.inbound(before=listed[-1].inbound_id, limit=2)
        assert [one.message for one in rest] == texts[:1]
        assert [one.inbound_id for one in (*rest, *reversed(listed))] == op.result.ids

    async def test_depths(self, store: Any) -> None:
        depths_empty = await store.depths()
        await accept(store, *(new_message() for _ in range(4)), new_message(lane=Lane.OTP, carrier="other"))
        await answer(store, await claim(store, 1))
        await claim(store, 1)
        await receive(store, receipt("nobody's"), now=NOW + 3)
        await receive(store, receipt("nobody's either"), now=NOW + 1)
        depths = await store.depths()
        assert depths.queued == {("demo", Lane.TRANSACTIONAL): 2, ("other", Lane.OTP): 1}
        assert (depths.in_flight, depths.sent, depths.in_doubt) == ({"demo": 1}, {"demo": 1}, {})
        assert (depths.parked_receipts, depths.oldest_queued_utc_ms) == (2, NOW)
        assert depths.oldest_parked_utc_ms == NOW + 3, "the first that came, whatever the clock said"
        assert depths_empty.oldest_parked_utc_ms is None
