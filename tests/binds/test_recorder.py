"""What waits for the store: kept in order, retried with pauses, split when one item is bad."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from smppgw.addresses import Address
from smppgw.binds.batch import KINDS, Batch, Doubtful, teller
from smppgw.binds.recorder import PATIENCE_S, Recorder
from smppgw.binds.redelivery import Sessions
from smppgw.binds.status import Counters, NullObserver, Observer
from smppgw.config import IdSettings, OnDoubt, RetrySettings
from smppgw.queue.model import (
    Claim,
    Doubt,
    ErrandDone,
    ErrandKind,
    IdForm,
    InboundText,
    OutcomeKind,
    Quarantine,
    Quarantined,
    Reason,
    ReceiptRecord,
    ReceiptState,
    RecordErrands,
    RecordInbound,
    RecordOutcomes,
    RecordReceipts,
    RetryPlan,
    SettleInbound,
    SubmitOutcome,
    Withdraw,
)
from smppgw.smpp import DeliverSmResp, Status
from tests.support.binds import Told, carrier
from tests.support.bindstore import BindStore
from tests.support.clock import VirtualClock


def record(smsc_id: str) -> ReceiptRecord:
    return ReceiptRecord(smsc_id, ReceiptState.DELIVERED, "DELIVRD", "000", "1", "2", b"")


def text() -> InboundText:
    return InboundText(Address(1, 1, "1"), Address(1, 1, "2"), 0, 0, b"hi", "hi")


def outcome(segment: int) -> SubmitOutcome:
    return SubmitOutcome(segment, 1, OutcomeKind.ACCEPTED, 0, "m")


def recorder(observer: Observer | None = None, **settings: Any) -> tuple[Recorder, BindStore]:
    clock = VirtualClock()
    store = BindStore(clock.utc_ms)
    made = Recorder(
        store=store,
        clock=clock,
        observer=observer or NullObserver(),
        carrier="demo",
        bind="demo/1",
        settings=carrier(**settings),
        jitter=lambda: 0.0,
        sessions=Sessions(),
        counters=Counters(),
    )
    made.begin_session()
    return made, store


async def test_one_transaction_in_an_order_that_matters(autojump_clock: MockClock) -> None:
    made, store = recorder()
    one, two, three = store.queue(3)
    await store.commit(Claim("demo", "demo/1", 3, store.now_utc_ms()))
    made.waiting.doubts += [Doubtful(two, 1, Reason.LINK_LOST), Doubtful(one, 1, Reason.RESPONSE_OVERDUE)]
    made.waiting.outcomes.append(outcome(one))
    made.waiting.withdrawals.append((three, 1))
    made.waiting.receipts.append((record("m"), DeliverSmResp(sequence_number=4)))
    made.add_inbound(text(), DeliverSmResp(sequence_number=5), 0.0)
    answers, claimed = await made.commit(Claim("demo", "demo/1", 5, store.now_utc_ms()))
    assert [type(op) for op in store.commits[-1]] == [
        RecordOutcomes,
        RecordReceipts,
        RecordInbound,
        Doubt,
        Doubt,
        Withdraw,
        Claim,
    ]
    assert [answer.sequence_number for answer in answers] == [4, 5]
    assert claimed is not None
    assert [segment.segment_id for segment in claimed.segments] == [three]
    assert store.states() == {"delivered": 1, "in_doubt": 1, "in_flight": 1}
    assert len(made.waiting) == made.unrecorded == 0


async def test_nothing_to_say_is_no_commit(autojump_clock: MockClock) -> None:
    made, store = recorder()
    assert await made.commit() == ([], None)
    assert store.commits == []


async def test_failures_pause_longer_and_longer_and_keep_everything(autojump_clock: MockClock) -> None:
    made, store = recorder()
    (one,) = store.queue(1)
    await store.commit(Claim("demo", "demo/1", 1, store.now_utc_ms()))
    store.unavailable = True
    made.waiting.outcomes.append(outcome(one))
    pauses = []
    for _ in range(7):
        await made.commit()
        pauses.append(round(made.retry_at_mono - trio.current_time(), 3))
        await trio.sleep_until(made.retry_at_mono)
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert made.failing
    assert made.out_of_patience(trio.current_time())
    store.unavailable = False
    await made.commit()
    assert store.states() == {"sent": 1}
    assert not made.failing
    assert not made.out_of_patience(trio.current_time())
    assert made.retry_at_mono < trio.current_time()


async def test_what_came_during_a_failed_commit_stays_behind_it(autojump_clock: MockClock) -> None:
    made, store = recorder()
    store.unavailable, store.commit_s = True, 1.0
    made.waiting.receipts.append((record("a"), None))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.commit)
        await trio.sleep(0.5)
        assert made.unrecorded == 1
        made.waiting.receipts.append((record("b"), None))
        assert made.deliveries == 2
    assert [one.smsc_id for one, _ in made.waiting.receipts] == ["a", "b"]


async def test_receipts_are_left_with_the_smsc_once_patience_ends(autojump_clock: MockClock) -> None:
    made, store = recorder()
    store.unavailable = True
    answer = DeliverSmResp(sequence_number=1)
    made.waiting.receipts += [(record("a"), answer), (record("of a session that is gone"), None)]
    made.add_inbound(text(), DeliverSmResp(sequence_number=2), 0.0)
    assert await made.commit() == ([], None)
    await trio.sleep(PATIENCE_S + 0.1)
    answers, _ = await made.commit()
    assert answers == [answer]
    assert answer.command_status == Status.ESME_RX_T_APPN
    assert [one.smsc_id for one, _ in made.waiting.receipts] == ["of a session that is gone"]
    assert len(made.waiting.inbound) == 1


async def test_cancelling_the_caller_does_not_interrupt_a_commit(autojump_clock: MockClock) -> None:
    made, store = recorder()
    store.commit_s = 1.0
    store.queue(1)
    claim = Claim("demo", "demo/1", 1, store.now_utc_ms())
    with trio.move_on_after(0.5):
        _, claimed = await made.commit(claim)
    assert claimed is not None
    assert len(claimed.segments) == 1
    assert store.states() == {"in_flight": 1}


@pytest.mark.parametrize("bad", [0, 3, 6])
async def test_a_bad_item_is_found_by_halves(autojump_clock: MockClock, bad: int) -> None:
    made, store = recorder()
    ids = store.queue(7)
    await store.commit(Claim("demo", "demo/1", 7, store.now_utc_ms()))
    store.poison = {(RecordOutcomes, ids[bad])}
    made.waiting.outcomes += [outcome(one) for one in ids]
    made.waiting.receipts.append((record("x"), DeliverSmResp(sequence_number=1)))
    before = len(store.commits)
    answers, _ = await made.commit()
    assert [(answer.sequence_number, answer.command_status) for answer in answers] == [(1, 0)]
    assert len(store.commits) - before <= 5
    await made.commit()
    assert store.states() == {"sent": 6, "in_doubt": 1}
    assert len(made.waiting) == 0


async def test_a_doubt_or_withdrawal_the_store_refuses_is_told_and_costs_no_other(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Its segment stays in flight: the sweeper finds it once its validity is past, or the next start does."""
    made, store = recorder()
    ids = store.queue(4)
    await store.commit(Claim("demo", "demo/1", 4, store.now_utc_ms()))
    store.poison = {(Doubt, ids[0]), (Withdraw, ids[2])}
    made.waiting.doubts += [Doubtful(one, 1, Reason.LINK_LOST) for one in ids[:2]]
    made.waiting.withdrawals += [(one, 1) for one in ids[2:]]
    await made.commit()
    assert [segment.state.label for segment in store.segments()] == ["in_flight", "in_doubt", "in_flight", "queued"]
    told = [record.__dict__["fields"]["item"] for record in caplog.records if record.message == "bind_unrecordable"]
    assert told == [f"doubt about segment {ids[0]}", f"withdrawal of segment {ids[2]}"]
    assert len(made.waiting) == 0


async def test_on_doubt_decides_whether_a_doubt_is_sent_again(autojump_clock: MockClock) -> None:
    for on_doubt, expected in ((OnDoubt.HOLD, None), (OnDoubt.RESEND, RetryPlan(7.0, 3.0, 900.0, 8))):
        made, store = recorder(on_doubt=on_doubt, retry=RetrySettings(first_s=7.0))
        made.waiting.doubts += [Doubtful(256, 2, Reason.LINK_LOST), Doubtful(512, 1, Reason.LINK_LOST, answered=True)]
        await made.commit()
        assert [(op.segments, op.resend) for op in store.ops(Doubt)] == [([(256, 2)], expected), ([(512, 1)], None)]


async def test_what_found_no_place_is_told(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="smppgw.binds")
    told = Told()
    made, store = recorder(told)
    (one,) = store.queue(1)
    await store.commit(Claim("demo", "demo/1", 1, store.now_utc_ms()))
    made.waiting.outcomes += [outcome(one), outcome(one)]
    made.waiting.receipts += [(record("m"), None), (record("of nobody"), None)]
    await made.commit()
    assert (told.stale, told.parked) == (1, 1)
    (line,) = [record.__dict__["fields"] for record in caplog.records if record.message == "bind_outcomes_stale"]
    assert line == {"bind": "demo/1", "outcomes": 1}


async def test_a_bad_item_in_a_store_that_then_fails_loses_nothing(autojump_clock: MockClock) -> None:
    made, store = recorder()
    ids = store.queue(4)
    await store.commit(Claim("demo", "demo/1", 4, store.now_utc_ms()))
    store.poison, store.commit_s = {(RecordOutcomes, ids[3])}, 1.0
    made.waiting.outcomes += [outcome(one) for one in ids]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.commit)
        await trio.sleep(1.5)  # the whole was refused, the first half is under way
        store.unavailable = True
    assert made.failing
    assert [one.segment_id for one in made.waiting.outcomes] == ids
    store.unavailable = False
    await made.commit()
    await made.commit()
    assert store.states() == {"sent": 3, "in_doubt": 1}


# Inbound texts ----------------------------------------------------------------------------------------------------


async def deliver(made: Recorder, *sequence_numbers: int) -> list[int]:
    """The same text for each number, committed; the sequence_numbers answered."""
    for number in sequence_numbers:
        made.add_inbound(text(), DeliverSmResp(sequence_number=number), trio.current_time())
    answers, _ = await made.commit()
    made.answers_leave(trio.current_time())
    return [answer.sequence_number for answer in answers]


async def test_an_answer_that_arrived_is_told_with_a_later_commit(autojump_clock: MockClock) -> None:
    made, store = recorder(redelivery_late_s=5.0)
    assert await deliver(made, 1, 2) == [1, 2]
    await trio.sleep(1)
    await deliver(made, 3)
    assert made.settle_at_mono == trio.current_time() + 5.0
    await trio.sleep_until(made.settle_at_mono)
    made.settle(trio.current_time())
    await made.commit()
    assert [(op.settled, op.late) for op in store.ops(SettleInbound)] == [([1, 2, 3], [])]
    assert store.texts() == ["hi"] * 3
    made.end_session(orderly=False)
    made.begin_session()
    await deliver(made, 1)
    assert store.texts() == ["hi"] * 4  # a text of its own: the answers to those before have arrived


async def test_after_a_session_that_broke_a_text_is_the_same_again(autojump_clock: MockClock) -> None:
    told = Told()
    made, store = recorder(told)
    await deliver(made, 1)
    made.end_session(orderly=False)
    made.begin_session()
    await deliver(made, 1)
    assert (store.texts(), told.redelivered) == (["hi"], 1)
    await deliver(made, 2)
    assert (store.texts(), told.redelivered) == (["hi", "hi"], 1)


async def test_an_answer_that_came_late_makes_the_next_one_the_same_again(autojump_clock: MockClock) -> None:
    made, store = recorder(redelivery_late_s=5.0)
    store.commit_s = 6.0
    await deliver(made, 1)
    store.commit_s = 0.0
    made.settle(trio.current_time())
    await made.commit()
    await deliver(made, 2)
    assert [(op.settled, op.late) for op in store.ops(SettleInbound)] == [([], [1])]
    assert store.texts() == ["hi"]


async def test_an_answered_unbind_settles_at_once(autojump_clock: MockClock) -> None:
    made, store = recorder()
    await deliver(made, 1)
    made.unbinding()
    made.end_session(orderly=True)
    await made.commit()
    assert [op.settled for op in store.ops(SettleInbound)] == [[1]]


async def test_a_text_that_waited_for_the_store_is_the_twin_of_what_comes_again(autojump_clock: MockClock) -> None:
    """The store failed while the session broke: its text and the one of the next session go in one commit."""
    told = Told()
    made, store = recorder(told)
    store.unavailable = True
    await deliver(made, 1)
    made.end_session(orderly=False)
    made.begin_session()
    store.unavailable = False
    assert await deliver(made, 7) == [7]
    first, second = store.ops(RecordInbound)
    assert first.session not in second.alive
    assert second.session in second.alive
    assert (store.texts(), told.redelivered) == (["hi"], 1)


# Kinds ------------------------------------------------------------------------------------------------------------


def test_every_kind_has_a_row() -> None:
    assert [kind.name for kind in KINDS] == [one.name for one in fields(Batch)]


async def test_bad_pdus_and_errands_are_told(autojump_clock: MockClock) -> None:
    told = Told()
    made, store = recorder(told)
    made.waiting.quarantined.append(Quarantined(4, 1, 3, "", "unknown command", b"\0" * 16))
    made.waiting.errands.append(ErrandDone(256, ErrandKind.QUERY, 0, ReceiptState.ENROUTE))
    await made.commit()
    assert [type(op) for op in store.commits[-1]] == [RecordErrands, Quarantine]
    assert told.quarantined == 1
    (view,) = await store.quarantine(before=None, limit=10)
    assert (view.carrier, view.bind, view.pdu.error) == ("demo", "demo/1", "unknown command")


async def test_errands_are_taken_unless_the_store_fails(autojump_clock: MockClock) -> None:
    made, store = recorder()
    assert await made.take_errands(5) == []
    store.unavailable = True
    assert await made.take_errands(5) is None


async def test_the_form_of_ids_comes_from_the_settings(autojump_clock: MockClock) -> None:
    made, store = recorder(ids=IdSettings(relation="hex_dec"))
    made.waiting.outcomes.append(outcome(256))
    made.waiting.receipts.append((record("m"), None))
    await made.commit()
    assert [op.id_form for op in (*store.ops(RecordOutcomes), *store.ops(RecordReceipts))] == [IdForm.HEX_DEC] * 2


def test_halves() -> None:
    mixed = Batch(outcomes=[outcome(1), outcome(2)], withdrawals=[(3, 1)])
    assert [len(half) for half in mixed.halves()] == [2, 1]
    assert [half.outcomes for half in mixed.halves()[0].halves()] == [[outcome(1)], [outcome(2)]]
    assert Batch(withdrawals=[(3, 1)]).halves() == []
    assert Batch().halves() == []
    assert [half.withdrawals for half in Batch(withdrawals=[(1, 1), (2, 1), (3, 2)]).halves()] == [
        [(1, 1)],
        [(2, 1), (3, 2)],
    ]


def test_put_back_keeps_the_order_of_every_kind() -> None:
    batch = Batch(**{kind.name: ["new"] for kind in KINDS})
    batch.put_back(Batch(**{kind.name: ["old", "older"] for kind in KINDS}))
    assert [items for _, items in batch.present()] == [["old", "older", "new"]] * len(KINDS)
    assert len(batch) == 3 * len(KINDS)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, (86_400_000, 1 << 53)),
        ({"enabled": True}, (60_000, 1 << 53)),  # a minute after the validity
        ({"enabled": True, "after_s": 600.0}, (60_000, 600_000)),
    ],
)
def test_when_a_missing_receipt_is_seen_to(query: dict[str, Any], expected: tuple[int, int]) -> None:
    who = teller("demo", "demo/1", carrier(query=query), list)
    assert (who.receipt_timeout_ms, who.look_after_ms) == expected
