"""One session after the other against an SMSC on memory streams, on the virtual clock."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from smppgw.binds import writer
from smppgw.binds.status import BindState, Limit
from smppgw.config import CarrierSettings, OnDoubt, RetrySettings
from smppgw.queue.model import (
    Claim,
    Doubt,
    Lane,
    Reason,
    RecordInbound,
    RecordOutcomes,
    RecordReceipts,
    SegmentState,
    SettleInbound,
    Withdraw,
    message_id_of,
)
from smppgw.smpp import (
    CommandId,
    EnquireLink,
    Event,
    GenericNack,
    Pdu,
    QuerySm,
    Status,
    SubmitSm,
    SubmitSmResp,
)
from tests.support.binds import Told, bench, carrier, inbound, receipt
from tests.support.bindstore import RECIPIENT, BindStore
from tests.support.smsc import FakeSmsc, accept, refuse
from tests.support.streams import EvilStream


def several(number: int) -> str:
    return f"4477009{number:05}"


def most_in_a_second(times: Sequence[float]) -> int:
    """The fullest sliding second (t - 1, t]."""
    return max(index + 1 - bisect_right(times, at - 1.0) for index, at in enumerate(times))


def queue(store: BindStore, count: int) -> None:
    store.queue(count)


async def test_from_queued_to_delivered(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        (segment,) = b.store.queue()
        await b.until(lambda: b.store.segment(segment).state is SegmentState.SENT)
        await b.smsc.link.deliver(receipt("m0"))
        await b.until(lambda: b.store.segment(segment).state is SegmentState.DELIVERED)
        assert b.store.reasons(segment) == [
            Reason.ACCEPTED,
            Reason.CLAIMED,
            Reason.CARRIER_ACCEPTED,
            Reason.RECEIPT,
        ]
        await b.until(lambda: b.smsc.statuses() == {"ESME_ROK": 1})
        ((_, submit),) = b.smsc.submits
        assert (submit.destination_addr, submit.registered_delivery, submit.short_message) == (RECIPIENT, 1, b"hello")
        assert submit.validity_period == "000002000000000R"
        status = b.status()
        assert (status.submitted, status.accepted, status.receipts, status.refused) == (1, 1, 1, 0)
        assert status.state is BindState.BOUND_TRX
        assert status.limit is Limit.NOTHING_QUEUED
        assert status.name == "demo/1"


async def test_window_is_never_exceeded_neither_on_the_wire_nor_on_disk(autojump_clock: MockClock) -> None:
    def slow(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.delay_s = 0.05
        store.commit_s = 0.004
        store.queue(500)

    async with bench(carrier(window=7), prepare=slow) as b:
        await b.until(lambda: len(b.smsc.submits) > 20)
        assert b.status().limit in (Limit.WINDOW, Limit.STORE)
        await b.until(lambda: b.store.states() == {"sent": 500})
        assert b.smsc.most_unanswered == 7
        assert b.store.most_in_flight == 7
        assert len(b.smsc.submits) == 500


async def test_everything_of_one_read_is_one_commit_with_the_next_claim(autojump_clock: MockClock) -> None:
    def ready(store: BindStore, smsc: FakeSmsc) -> None:
        store.commit_s = 0.001
        store.queue(1000)

    async with bench(carrier(window=100), prepare=ready) as b:
        await b.until(lambda: b.store.states() == {"sent": 1000})
        assert (
            len(b.store.commits) <= 12
        )  # the first claim, then nine with outcomes, the last outcomes, maybe an empty one
        assert [len(op.outcomes) for op in b.store.ops(RecordOutcomes)] == [100] * 10


async def test_idle_bind_sleeps(autojump_clock: MockClock) -> None:
    async with bench(carrier(timers={"enquire_link_s": 0.0})) as b:
        await b.bound()
        await trio.sleep(1)
        before = len(b.store.ops(Claim))
        await trio.sleep(600)
        assert len(b.store.ops(Claim)) - before <= 600 / 30 + 1
        (segment,) = b.store.queue()
        await b.until(lambda: b.store.segment(segment).state is SegmentState.SENT, within_s=0.1)


async def test_otp_goes_first(autojump_clock: MockClock) -> None:
    def queued(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(3, lane=Lane.BULK, octets=b"bulk")
        store.queue(2, lane=Lane.OTP, octets=b"otp")

    async with bench(carrier(window=1), prepare=queued) as b:
        await b.until(lambda: b.store.states() == {"sent": 5})
        assert [pdu.short_message for _, pdu in b.smsc.submits] == [b"otp"] * 2 + [b"bulk"] * 3


# Pacing -----------------------------------------------------------------------------------------------------------


async def test_pacing_schedule(autojump_clock: MockClock) -> None:
    async with bench(carrier(rate_per_s=4.0), prepare=lambda store, _: queue(store, 8)) as b:
        await b.until(lambda: len(b.smsc.submits) == 8)
        assert b.submitted_at == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0], abs=0.002)


@pytest.mark.parametrize(("rate", "commit_s"), [(50.0, 0.0), (190.0, 0.008), (1000.0, 0.02)])
async def test_a_full_queue_uses_the_rate_whatever_a_commit_takes(
    autojump_clock: MockClock, rate: float, commit_s: float
) -> None:
    def full(store: BindStore, smsc: FakeSmsc) -> None:
        store.commit_s = commit_s
        store.queue(round(rate * 3))

    async with bench(carrier(rate_per_s=rate), prepare=full) as b:
        await trio.sleep(2.0)
        times = [at for at in b.submitted_at if at <= 2.0]
        assert len(times) >= 0.97 * rate * 2
        assert most_in_a_second(times) <= rate + 1
        assert b.status().limit in (Limit.RATE, Limit.STORE)
        assert b.status().submits_per_s == pytest.approx(rate, rel=0.1)


async def test_reconnect_grants_no_new_burst(autojump_clock: MockClock) -> None:
    async with bench(carrier(rate_per_s=2.0, burst=4), prepare=lambda store, _: queue(store, 9)) as b:
        await b.until(lambda: len(b.smsc.submits) == 2)
        await b.smsc.link.cut()
        await b.until(lambda: len(b.smsc.submits) == 9)
        assert most_in_a_second(b.submitted_at) <= 2 + 4
        assert b.submitted_at[-1] >= 9 / 2


# Refusals ---------------------------------------------------------------------------------------------------------


async def test_throttled_pauses_the_bind_and_puts_back(autojump_clock: MockClock) -> None:
    def throttles(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(4)
        smsc.answer = lambda pdu, number: (refuse(Status.ESME_RTHROTTLED) if number < 2 else accept)(pdu, number)

    async with bench(carrier(window=2, throttle_pause_s=3.0), prepare=throttles) as b:
        await b.until(lambda: len(b.smsc.submits) == 2)
        await trio.sleep(1.0)
        assert b.store.states() == {"queued": 4}
        assert b.status().limit is Limit.THROTTLED
        await b.until(lambda: b.store.states() == {"sent": 4})
        assert b.submitted_at == pytest.approx([0.0, 0.0, 3.0, 3.0, 3.0, 3.0], abs=0.05)
        assert [segment.attempts for segment in b.store.segments()] == [0, 0, 0, 0]
        assert [segment.claims for segment in b.store.segments()] == [2, 2, 1, 1]
        assert b.status().throttled == 2
        assert b.status().refused == 0


async def test_throttled_withdraws_what_pacing_holds_back(autojump_clock: MockClock) -> None:
    def throttles(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(50)
        store.commit_s = 0.02  # so that segments are claimed ahead
        smsc.answer = lambda pdu, number: (refuse(Status.ESME_RTHROTTLED) if number == 20 else accept)(pdu, number)

    async with bench(carrier(rate_per_s=100.0, throttle_pause_s=2.0), prepare=throttles) as b:
        await b.until(lambda: b.status().limit is Limit.THROTTLED)
        await trio.sleep(0.5)
        assert sum(len(op.segments) for op in b.store.ops(Withdraw)) > 0
        assert "in_flight" not in b.store.states()
        await b.until(lambda: b.store.states() == {"sent": 50})
        pauses = [later - earlier for earlier, later in pairwise(b.submitted_at)]
        assert max(pauses) == pytest.approx(2.0, abs=0.1)
        assert len(b.smsc.submits) == 51


async def test_one_full_recipient_waits_and_the_others_do_not(autojump_clock: MockClock) -> None:
    def one_full(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(1, recipient="447700900666")
        store.queue(5, recipient=several)
        store.queue(1, recipient="447700900666")
        smsc.answer = lambda pdu, number: (
            refuse(Status.ESME_RMSGQFUL) if pdu.destination_addr == "447700900666" and number < 7 else accept
        )(pdu, number)

    async with bench(carrier(window=1, queue_full_delay_s=30.0), prepare=one_full) as b:
        await trio.sleep(5.0)
        assert b.store.states() == {"sent": 5, "queued": 2}
        full = [at for at, pdu in b.smsc.submits if pdu.destination_addr == "447700900666"]
        assert full == [0.0]  # the second one was held back by what the first one was told
        b.smsc.answer = accept
        await b.until(lambda: b.store.states() == {"sent": 7})
        full = [at for at, pdu in b.smsc.submits if pdu.destination_addr == "447700900666"]
        assert full == pytest.approx([0.0, 30.0, 30.0], abs=0.1)
        assert all(segment.attempts == 0 for segment in b.store.segments())


async def test_several_full_recipients_slow_the_bind(autojump_clock: MockClock) -> None:
    def all_full(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(6, recipient=several)
        smsc.answer = lambda pdu, number: (refuse(Status.ESME_RMSGQFUL) if number < 3 else accept)(pdu, number)

    settings = carrier(window=1, queue_full_recipients=3, queue_full_span_s=10.0, throttle_pause_s=2.0)
    async with bench(settings, prepare=all_full) as b:
        await b.until(lambda: len(b.smsc.submits) == 6)
        assert b.submitted_at == pytest.approx([0.0, 0.0, 0.0, 2.0, 2.0, 2.0], abs=0.05)


async def test_temporary_refusals_are_retried_and_end(autojump_clock: MockClock) -> None:
    def failing(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue()
        smsc.answer = refuse(0x0411)  # a vendor's code that nobody knows

    async with bench(prepare=failing) as b:
        await b.until(lambda: b.store.states() == {"failed": 1}, within_s=4000, step_s=1.0)
        assert len(b.smsc.submits) == 8
        assert [round(later - earlier) for earlier, later in pairwise(b.submitted_at)] == [
            5,
            15,
            45,
            135,
            405,
            900,
            900,
        ]
        assert b.status().deviations["unknown_command_status"] == 8


async def test_permanent_refusal_rejects(autojump_clock: MockClock) -> None:
    def rejects(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue()
        smsc.answer = refuse(Status.ESME_RINVDSTADR)

    async with bench(prepare=rejects) as b:
        await b.until(lambda: b.store.states() == {"rejected": 1})
        assert len(b.smsc.submits) == 1


@pytest.mark.parametrize("status", [Status.ESME_RINVCMDID, Status.ESME_ROK, Status.ESME_RSYSERR])
async def test_generic_nack_is_a_refusal_not_a_doubt(autojump_clock: MockClock, status: int) -> None:
    def nacks(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue()
        smsc.answer = lambda pdu, _: GenericNack(sequence_number=pdu.sequence_number, command_status=status)

    async with bench(prepare=nacks) as b:
        await b.until(lambda: bool(b.store.ops(RecordOutcomes)))
        await trio.sleep(1)
        expected = {"rejected": 1} if status == Status.ESME_RINVCMDID else {"queued": 1}
        assert b.store.states() == expected
        assert b.store.ops(Doubt) == []


async def test_accepted_without_message_id_is_untracked(autojump_clock: MockClock) -> None:
    def without(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue()
        smsc.answer = lambda pdu, _: SubmitSmResp(sequence_number=pdu.sequence_number)

    async with bench(prepare=without) as b:
        await b.until(lambda: b.store.states() == {"untracked": 1})


async def test_segment_that_fits_no_submit_sm_is_rejected_and_the_others_leave(autojump_clock: MockClock) -> None:
    numbers: list[int] = []

    def odd(store: BindStore, smsc: FakeSmsc) -> None:
        numbers.extend([*store.queue(1), *store.queue(1, recipient="4" * 30), *store.queue(1)])

    async with bench(prepare=odd) as b:
        await b.until(lambda: b.store.states() == {"sent": 2, "rejected": 1})
        assert len(b.smsc.submits) == 2
        views = [await b.store.message(message_id_of(one)) for one in numbers]
        shown = [view.segments[0] for view in views if view is not None]
        # The SMSC has said nothing of it, and nothing is made up.
        assert [(one.command_status, one.answered_utc_ms is None) for one in shown] == [
            (0, False),
            (None, True),
            (0, False),
        ]


async def test_expired_segments_do_not_leave(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        b.smsc.delay_s = 5.0
        b.store.queue(1, validity_ms=0)
        await b.until(lambda: b.store.states() == {"expired": 1})
        assert b.smsc.submits == []


# No answer --------------------------------------------------------------------------------------------------------


async def test_overdue_is_in_doubt_and_a_late_response_resolves_it(autojump_clock: MockClock) -> None:
    held: list[SubmitSm] = []

    def holds(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue()
        smsc.answer = lambda pdu, _: held.append(pdu)

    async with bench(carrier(timers={"response_s": 10.0}), prepare=holds) as b:
        await b.until(lambda: b.store.states() == {"in_doubt": 1})
        ((at, _),) = b.smsc.submits
        assert trio.current_time() - b.smsc.started - at == pytest.approx(10.0, abs=0.05)
        (doubt,) = b.store.ops(Doubt)
        assert (doubt.reason, doubt.resend) == (Reason.RESPONSE_OVERDUE, None)
        assert (b.status().in_window, b.status().overdue) == (1, 1)
        await trio.sleep(20)
        b.smsc.link.session.respond(accept(held[0], 0))
        await b.smsc.link.flush()
        await b.until(lambda: b.store.states() == {"sent": 1})
        assert (b.status().in_window, b.status().overdue) == (0, 0)
        assert len(b.smsc.submits) == 1


async def test_a_whole_window_overdue_reconnects(autojump_clock: MockClock) -> None:
    def silent(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(5)
        smsc.answer = lambda pdu, number: None if number < 3 else accept(pdu, number)

    async with bench(carrier(window=3), prepare=silent) as b:
        await b.until(lambda: b.store.states() == {"in_doubt": 3, "sent": 2})
        assert len(b.smsc.links) == 2
        assert b.smsc.connects == [0.0, pytest.approx(21.0, abs=0.05)]
        assert b.status().reconnects == 1
        assert "whole window" in b.status().last_error
        assert sum(len(op.segments) for op in b.store.ops(Doubt)) == 3  # none twice


# Sent again -------------------------------------------------------------------------------------------------------


def resending(**settings: Any) -> CarrierSettings:
    """Overdue after 10 s; the first resend 5 s later, the next ones after 15 s and 45 s."""
    return carrier(**({"on_doubt": OnDoubt.RESEND, "timers": {"enquire_link_s": 0.0}} | settings))


def mute_at_first(times: int) -> Callable[[BindStore, FakeSmsc], None]:
    """One segment; the first submit_sms get no answer."""

    def prepare(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue()
        smsc.answer = lambda pdu, number: None if number < times else accept(pdu, number)

    return prepare


async def test_resend_follows_the_retry_plan(autojump_clock: MockClock) -> None:
    async with bench(resending(), prepare=mute_at_first(3)) as b:
        await b.until(lambda: b.store.states() == {"sent": 1}, within_s=120)
        assert b.submitted_at == pytest.approx([0.0, 15.0, 40.0, 95.0], abs=0.05)
        (segment,) = b.store.segments()
        assert (segment.attempts, segment.claims) == (3, 4)
        assert (b.status().in_window, b.status().overdue) == (3, 3)


async def test_resend_ends_in_doubt_once_the_attempts_are_used_up(autojump_clock: MockClock) -> None:
    """An SMSC that never answers gets no more copies than the retry plan has attempts."""
    async with bench(resending(retry=RetrySettings(max_attempts=3)), prepare=mute_at_first(1000)) as b:
        await b.until(lambda: b.store.states() == {"in_doubt": 1}, within_s=120)
        await trio.sleep(3600)
        assert len(b.smsc.submits) == 3
        assert b.store.states() == {"in_doubt": 1}


async def test_late_refusal_of_the_first_copy_does_not_touch_the_second(autojump_clock: MockClock) -> None:
    """Taken for the answer to the second copy it would send a third one, while the second is still out."""
    held: list[SubmitSm] = []

    def holds(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue()
        smsc.answer = lambda pdu, _: held.append(pdu)

    told = Told()
    async with bench(resending(), prepare=holds, observer=told) as b:
        await b.until(lambda: len(held) == 2)
        b.smsc.link.session.respond(refuse(Status.ESME_RSYSERR)(held[0], 0))  # type: ignore[arg-type]
        await b.smsc.link.flush()
        await b.until(lambda: told.stale == 1)
        assert b.store.states() == {"in_flight": 1}
        assert (b.status().in_window, b.status().overdue) == (1, 0)
        b.smsc.link.session.respond(accept(held[1], 1))
        await b.smsc.link.flush()
        await b.until(lambda: b.store.states() == {"sent": 1})
        await trio.sleep(600)
        assert len(held) == 2
        assert told.stale == 1


async def test_late_acceptance_spares_the_second_copy(autojump_clock: MockClock) -> None:
    held: list[SubmitSm] = []

    def holds(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue()
        smsc.answer = lambda pdu, _: held.append(pdu)

    async with bench(resending(), prepare=holds) as b:
        await b.until(lambda: len(held) == 1)
        await b.until(lambda: b.store.states() == {"queued": 1})
        b.smsc.link.session.respond(accept(held[0], 0))
        await b.smsc.link.flush()
        await b.until(lambda: b.store.states() == {"sent": 1})
        await trio.sleep(600)
        assert len(held) == 1
        assert (b.status().in_window, b.status().overdue) == (0, 0)


async def test_a_window_of_overdue_copies_closes_the_bind(autojump_clock: MockClock) -> None:
    """Copies of one segment fill the window: each slot counts, not each segment."""
    async with bench(resending(window=2), prepare=mute_at_first(2)) as b:
        await b.until(lambda: b.status().state is BindState.BACKING_OFF)
        # 10 s for the answer, and as long again for a late one
        assert trio.current_time() - b.smsc.started == pytest.approx(15.0 + 10.0 + 10.0, abs=0.05)
        assert "whole window" in b.status().last_error
        await b.until(lambda: b.store.states() == {"sent": 1})
        assert len(b.smsc.links) == 2
        assert len(b.smsc.submits) == 3


async def test_link_lost_after_a_resend_leaves_nothing_in_flight(autojump_clock: MockClock) -> None:
    """The first copy is overdue, the second one is not: its segment is in doubt a second time."""
    async with bench(resending(retry=RetrySettings(max_attempts=2)), prepare=mute_at_first(2)) as b:
        await b.until(lambda: len(b.smsc.submits) == 2)
        assert b.status().overdue == 1
        b.smsc.down = True
        await b.smsc.link.cut()
        await b.until(lambda: b.status().state is BindState.BACKING_OFF)
        assert b.store.states() == {"in_doubt": 1}
        assert [(op.reason, [claim for _, claim in op.segments]) for op in b.store.ops(Doubt)] == [
            (Reason.RESPONSE_OVERDUE, [1]),
            (Reason.LINK_LOST, [2]),
        ]


async def test_stop_does_not_wait_for_overdue_copies(autojump_clock: MockClock) -> None:
    async with bench(resending(retry=RetrySettings(max_attempts=2)), prepare=mute_at_first(2)) as b:
        await b.until(lambda: b.store.states() == {"in_doubt": 1}, within_s=120)
        assert (b.status().in_window, b.status().overdue) == (2, 2)
        started = trio.current_time()
        await b.pool.stop()
        assert trio.current_time() - started < 0.1


async def test_an_answer_that_cannot_be_recorded_is_not_sent_again(autojump_clock: MockClock) -> None:
    def poisoned(store: BindStore, smsc: FakeSmsc) -> None:
        store.poison = {(RecordOutcomes, number) for number in store.queue()}

    async with bench(resending(), prepare=poisoned) as b:
        await b.until(lambda: b.store.states() == {"in_doubt": 1})
        await trio.sleep(600)
        assert len(b.smsc.submits) == 1
        assert b.store.states() == {"in_doubt": 1}


# The link fails ---------------------------------------------------------------------------------------------------


async def test_link_lost_puts_written_segments_in_doubt(autojump_clock: MockClock) -> None:
    def silent(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(4)
        smsc.answer = lambda pdu, number: None if number < 2 else accept(pdu, number)

    async with bench(carrier(window=2), prepare=silent) as b:
        await b.until(lambda: len(b.smsc.submits) == 2)
        await b.smsc.link.cut()
        await b.until(lambda: b.store.states() == {"in_doubt": 2, "sent": 2})
        (doubt,) = b.store.ops(Doubt)
        assert doubt.reason is Reason.LINK_LOST


async def test_send_all_that_breaks_in_the_middle_counts_as_written(autojump_clock: MockClock) -> None:
    evil: list[EvilStream] = []

    def breaking(store: BindStore, smsc: FakeSmsc) -> None:
        def wrap(stream: trio.abc.Stream) -> trio.abc.Stream:
            evil.append(EvilStream(stream, write_limit=150 if not evil else None))
            return evil[-1]

        store.queue(10)
        smsc.wrap = wrap

    async with bench(prepare=breaking) as b:
        await b.until(lambda: b.store.states() == {"in_doubt": 10})
        assert len(b.smsc.submits) <= 1  # the SMSC may have read one of them
        assert b.store.ops(Withdraw) == []
        b.store.queue(1)
        await b.until(lambda: "sent" in b.store.states())


async def test_what_the_writer_never_took_goes_back(autojump_clock: MockClock) -> None:
    """The SMSC stops reading: what is stuck in send_all is in doubt, what came after it was never written."""
    evil: list[EvilStream] = []

    def deaf_later(store: BindStore, smsc: FakeSmsc) -> None:
        def wrap(stream: trio.abc.Stream) -> trio.abc.Stream:
            evil.append(EvilStream(stream))
            return evil[-1]

        smsc.wrap = wrap

    async with bench(carrier(timers={"response_s": 10.0}), prepare=deaf_later) as b:
        await b.bound()
        evil[0].deaf = True
        stuck = b.store.queue(2)
        await trio.sleep(1.0)
        after = b.store.queue(3)
        await trio.sleep(1.0)
        assert b.store.states() == {"in_flight": 5}
        await b.until(lambda: b.store.states() == {"in_doubt": 2, "sent": 3})
        assert all(b.store.segment(one).state is SegmentState.IN_DOUBT for one in stuck)
        assert all(Reason.NOT_WRITTEN in b.store.reasons(one) for one in after)
        assert "stopped reading" in b.status().last_error


async def test_a_peer_that_asks_and_does_not_read_is_a_dead_link(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers to enquire_link pile up at most to the cap, not for as long as timers.response_s."""
    evil: list[EvilStream] = []

    def watched(store: BindStore, smsc: FakeSmsc) -> None:
        def wrap(stream: trio.abc.Stream) -> trio.abc.Stream:
            evil.append(EvilStream(stream))
            return evil[-1]

        smsc.wrap = wrap

    monkeypatch.setattr(writer, "MOST_OUTGOING_OCTETS", 100_000)
    question = EnquireLink(sequence_number=1).octets()
    async with bench(carrier(timers={"response_s": 600.0}), prepare=watched) as b:
        await b.bound()
        await b.smsc.link.raw(question * 20_000)  # more than the cap, but all of it is read
        await trio.sleep(1)
        assert b.status().state is BindState.BOUND_TRX
        evil[0].deaf = True
        await b.smsc.link.raw(question * 3_000)  # in send_all, and not counted
        await trio.sleep(1)
        await b.smsc.link.raw(question * 6_000)
        await trio.sleep(1)
        assert b.status().state is BindState.BOUND_TRX
        await b.smsc.link.raw(question * 1_000)
        await b.until(lambda: b.status().state is BindState.BACKING_OFF, within_s=5)
        assert b.status().last_error == "the SMSC stopped reading"
        await b.until(lambda: len(b.smsc.links) == 2 and b.status().state.is_bound)


async def test_silent_link_is_declared_dead(autojump_clock: MockClock) -> None:
    async with bench(carrier(timers={"enquire_link_s": 30.0, "response_s": 10.0})) as b:
        await b.bound()
        b.smsc.mute = True
        await b.until(lambda: b.status().state is BindState.BACKING_OFF, within_s=100)
        assert trio.current_time() - b.smsc.started == pytest.approx(40.0, abs=0.1)
        assert b.status().last_error == "link_silent"
        b.smsc.mute = False
        await b.bound()


async def test_enquire_link_leaves_every_enquire_link_s_on_a_quiet_link(autojump_clock: MockClock) -> None:
    """The ticker, which sleeps for the response, has to be told when that has come."""
    async with bench(carrier(timers={"enquire_link_s": 5.0, "response_s": 60.0})) as b:
        await b.bound()
        asked: list[float] = []
        at_smsc = b.smsc.link.session._own_requests

        def note(pdu: Pdu, now: float, happened: list[Event]) -> None:
            asked.append(now - b.smsc.started)
            answer(pdu, now, happened)

        answer, at_smsc[CommandId.ENQUIRE_LINK] = at_smsc[CommandId.ENQUIRE_LINK], note
        await trio.sleep(31)
        assert asked == pytest.approx([5.0, 10.0, 15.0, 20.0, 25.0, 30.0], abs=0.05)


async def test_enquire_links_keep_a_quiet_link_alive_both_ways(autojump_clock: MockClock) -> None:
    async with bench(carrier(timers={"enquire_link_s": 30.0, "response_s": 10.0})) as b:
        await b.bound()
        await trio.sleep(600)
        assert len(b.smsc.links) == 1
        assert b.status().state is BindState.BOUND_TRX


# Hostile octets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("octets", [b"\x00\x00\x00\x20\x00\x00", b"\xff" * 64, b"GET / HTTP/1.1\r\n\r\n", b"\0" * 40])
async def test_garbage_or_half_a_pdu_costs_only_the_session(autojump_clock: MockClock, octets: bytes) -> None:
    def silent(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(2)
        smsc.answer = lambda pdu, number: None if number < 2 else accept(pdu, number)

    async with bench(prepare=silent) as b:
        await b.until(lambda: len(b.smsc.submits) == 2)
        await b.smsc.link.raw(octets)
        await b.smsc.link.cut()
        await b.until(lambda: b.store.states() == {"in_doubt": 2})
        b.store.queue(1)
        await b.until(lambda: b.store.states() == {"in_doubt": 2, "sent": 1})
        assert len(b.smsc.links) == 2


async def test_octet_by_octet(autojump_clock: MockClock) -> None:
    def trickling(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.wrap = lambda stream: EvilStream(stream, chunk=1)
        store.queue(20)

    async with bench(prepare=trickling) as b:
        await b.until(lambda: b.store.states() == {"sent": 20})
        await b.smsc.link.deliver(*(receipt(f"m{number}") for number in range(20)))
        await b.until(lambda: b.store.states() == {"delivered": 20})


async def test_requests_that_are_not_for_us_are_refused_and_the_session_goes_on(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        link = b.smsc.link
        await link.raw(QuerySm(sequence_number=5, message_id="x").octets())
        await link.raw(b"\x00\x00\x00\x10\x00\x00\x0b\xad\x00\x00\x00\x00\x00\x00\x00\x06")
        await link.raw(b"\x00\x00\x00\x18\x00\x00\x01\x02\x00\x00\x00\x00\x00\x00\x00\x07\x01\x01a\0\x01\x01b\0")
        b.store.queue(1)
        await b.until(lambda: b.store.states() == {"sent": 1})
        assert len(b.smsc.links) == 1
        assert b.status().deviations["refused_request"] == 2
        assert b.status().deviations["alert_notification"] == 1


# Receipts and inbound texts ---------------------------------------------------------------------------------------


async def test_receipts_are_answered_only_after_their_commit(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        await trio.sleep(1)
        b.store.commit_s = 2.0
        await b.smsc.link.deliver(receipt("a"), receipt("b"))
        await trio.sleep(1.9)
        assert b.smsc.statuses() == {}
        assert b.store.ops(RecordReceipts) == []
        await b.until(lambda: b.smsc.statuses() == {"ESME_ROK": 2})
        (op,) = b.store.ops(RecordReceipts)
        assert [one.smsc_id for one in op.receipts] == ["a", "b"]


async def test_inbound_texts_are_stored_then_answered(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        await b.smsc.link.deliver(inbound("YES"), inbound("YES"))
        await b.until(lambda: b.smsc.statuses() == {"ESME_ROK": 2})
        assert b.store.texts() == ["YES", "YES"]
        assert b.status().inbound == 2
        assert len(b.store.ops(RecordInbound)) == 1


async def test_above_the_cap_deliveries_are_left_with_the_smsc(autojump_clock: MockClock) -> None:
    async with bench(carrier(max_pending_receipts=3)) as b:
        await b.bound()
        await trio.sleep(1)
        b.store.commit_s = 1.0
        await b.smsc.link.deliver(*(receipt(f"r{number}") for number in range(5)))
        await b.until(lambda: b.smsc.statuses() == {"ESME_RX_T_APPN": 2}, within_s=0.5)
        await b.until(lambda: b.smsc.statuses() == {"ESME_RX_T_APPN": 2, "ESME_ROK": 3})
        assert b.store.receipts() == 3
        assert b.status().deviations["deliveries_refused"] == 2
        await b.smsc.link.deliver(receipt("r3"), receipt("r4"))
        await b.until(lambda: b.store.receipts() == 5)


async def test_receipt_before_its_submit_sm_resp(autojump_clock: MockClock) -> None:
    held: list[SubmitSm] = []

    def holds(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue()
        smsc.answer = lambda pdu, _: held.append(pdu)

    async with bench(prepare=holds) as b:
        await b.until(lambda: len(held) == 1)
        await b.smsc.link.deliver(receipt("m0"))
        await b.until(lambda: b.smsc.statuses() == {"ESME_ROK": 1})
        b.smsc.link.session.respond(accept(held[0], 0))
        await b.smsc.link.flush()
        await b.until(lambda: b.store.states() == {"delivered": 1})


async def test_link_lost_during_a_commit_records_and_answers_nobody(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        await trio.sleep(1)
        b.store.commit_s = 1.0
        await b.smsc.link.deliver(receipt("a"), inbound("STOP"))
        await trio.sleep(0.5)
        await b.smsc.link.cut()
        await b.until(lambda: b.status().state is BindState.BACKING_OFF)
        b.store.commit_s = 0.0
        await b.bound()
        assert b.smsc.statuses() == {}
        assert b.store.receipts() == 1
        assert b.store.texts() == ["STOP"]


async def test_unbind_by_the_smsc_waits_for_answers_then_reconnects(autojump_clock: MockClock) -> None:
    def slow(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.delay_s = 2.0
        store.queue(3)

    async with bench(prepare=slow) as b:
        await b.until(lambda: len(b.smsc.submits) == 3)
        await b.smsc.link.unbind()
        await b.until(lambda: len(b.smsc.links) == 2 and b.status().state is BindState.BOUND_TRX)
        assert b.store.states() in ({"sent": 3}, {"in_doubt": 3})
        assert b.store.states() == {"in_doubt": 3} or b.store.ops(Doubt) == []
        assert b.status().last_error == "the SMSC unbound"


# The store fails --------------------------------------------------------------------------------------------------


async def test_outcomes_survive_a_store_that_fails(autojump_clock: MockClock) -> None:
    def slow(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.delay_s = 1.0
        store.queue(5)

    async with bench(carrier(window=5), prepare=slow) as b:
        await b.until(lambda: len(b.smsc.submits) == 5)
        b.store.unavailable = True
        await trio.sleep(30)
        assert b.status().state is BindState.BOUND_TRX
        assert b.status().limit is Limit.STORE
        assert b.status().unrecorded == 5
        assert b.store.states() == {"in_flight": 5}
        b.store.unavailable = False
        await b.until(lambda: b.store.states() == {"sent": 5})
        assert len(b.smsc.submits) == 5
        assert len(b.smsc.links) == 1


async def test_outcomes_survive_the_store_and_the_link_failing_together(autojump_clock: MockClock) -> None:
    def slow(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.delay_s = 1.0
        smsc.answer = lambda pdu, number: None if number == 4 else accept(pdu, number)
        store.queue(5)

    async with bench(carrier(window=5), prepare=slow) as b:
        await b.until(lambda: len(b.smsc.submits) == 5)
        b.store.unavailable = True
        await trio.sleep(3)
        b.smsc.down = True
        await b.smsc.link.cut()
        await trio.sleep(20)
        assert b.status().unrecorded == 5
        b.store.unavailable = False
        await b.until(lambda: b.store.states() == {"sent": 4, "in_doubt": 1})  # while the link is still down
        assert not b.status().state.is_bound


async def test_receipts_wait_a_moment_for_the_store_then_stay_with_the_smsc(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        await trio.sleep(1)
        b.store.unavailable = True
        await b.smsc.link.deliver(receipt("a"), inbound("STOP"))
        await trio.sleep(1.0)
        assert b.smsc.statuses() == {}
        await b.until(lambda: b.smsc.delivered.get(0) == [Status.ESME_RX_T_APPN])
        await b.smsc.link.deliver(receipt("b"))
        await b.until(lambda: b.smsc.delivered.get(2) == [Status.ESME_RX_T_APPN], within_s=0.1)
        assert 1 not in b.smsc.delivered  # an inbound text is never refused
        b.store.unavailable = False
        await b.until(lambda: b.smsc.delivered.get(1) == [Status.ESME_ROK])
        assert b.store.texts() == ["STOP"]
        assert b.store.receipts() == 0
        await b.smsc.link.deliver(receipt("a"), receipt("b"))
        await b.until(lambda: b.store.receipts() == 2)


async def test_one_item_the_store_refuses_fails_alone(autojump_clock: MockClock) -> None:
    def poisoned(store: BindStore, smsc: FakeSmsc) -> None:
        store.poison = {(RecordOutcomes, store.queue(20)[7]), (RecordReceipts, "bad")}

    async with bench(prepare=poisoned) as b:
        await b.until(lambda: b.store.states() == {"sent": 19, "in_doubt": 1})
        await b.smsc.link.deliver(receipt("m0"), receipt("bad"), receipt("m1"))
        await b.until(lambda: b.smsc.statuses() == {"ESME_ROK": 2, "ESME_RX_T_APPN": 1})
        assert b.store.states() == {"sent": 17, "in_doubt": 1, "delivered": 2}
        b.store.queue(1)
        await b.until(lambda: len(b.smsc.submits) == 21)


async def test_claims_wait_while_the_store_fails(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        b.store.unavailable = True
        b.store.queue(3)
        await trio.sleep(60)
        assert b.smsc.submits == []
        b.store.unavailable = False
        await b.until(lambda: b.store.states() == {"sent": 3}, within_s=6)
        assert len(b.store.ops(Claim)) >= 1


async def test_flood_of_deliveries_does_not_stop_submits(autojump_clock: MockClock) -> None:
    def both(store: BindStore, smsc: FakeSmsc) -> None:
        store.commit_s = 0.005
        store.queue(300)

    async with bench(carrier(window=10), prepare=both) as b:
        await b.bound()
        for number in range(20):
            await b.smsc.link.deliver(*(receipt(f"x{number}-{index}") for index in range(50)))
            await trio.sleep(0.01)
        await b.until(lambda: b.store.states() == {"sent": 300} and b.store.receipts() == 1000)
        assert b.smsc.statuses() == {"ESME_ROK": 1000}


async def test_long_run_loses_and_doubles_nothing(autojump_clock: MockClock) -> None:
    """Links that break at odd moments: every segment was submitted once, or is still accounted for."""

    def chaotic(store: BindStore, smsc: FakeSmsc) -> None:
        store.commit_s = 0.003
        smsc.delay_s = 0.01
        store.queue(2000)

    async with bench(carrier(window=20), prepare=chaotic) as b:
        for pause_s in (0.0501, 0.0777, 0.1003, 0.02, 0.3):
            await b.bound()
            await trio.sleep(pause_s)
            await b.smsc.link.cut()
        await b.until(lambda: set(b.store.states()) <= {"sent", "in_doubt"}, within_s=200)
        states = b.store.states()
        assert sum(states.values()) == 2000
        assert states.get("in_doubt", 0) <= 5 * 20  # at most a window for each link that broke
        assert len(b.smsc.submits) <= 2000  # nothing was sent twice
        assert b.store.most_in_flight <= 20


# Redelivered texts --------------------------------------------------------------------------------------------------


async def test_a_text_that_comes_again_after_a_broken_session_is_stored_once(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        await b.smsc.link.deliver(inbound("YES"))
        await b.until(lambda: b.smsc.statuses() == {"ESME_ROK": 1})
        await b.smsc.link.cut()
        await b.until(lambda: len(b.smsc.links) == 2 and b.status().state.is_bound)
        await b.smsc.link.deliver(inbound("YES"))
        await b.until(lambda: b.smsc.statuses() == {"ESME_ROK": 2})
        assert b.store.texts() == ["YES"]
        assert b.told.redelivered == 1


async def test_two_equal_texts_of_one_session_are_two(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        await b.smsc.link.deliver(inbound("YES"), inbound("YES"))
        await b.until(lambda: b.smsc.statuses() == {"ESME_ROK": 2})
        await b.smsc.link.deliver(inbound("YES"))
        await b.until(lambda: b.smsc.statuses() == {"ESME_ROK": 3})
        assert b.store.texts() == ["YES"] * 3


async def test_a_quiet_bind_soon_tells_the_store_that_an_answer_arrived(autojump_clock: MockClock) -> None:
    async with bench(carrier(redelivery_late_s=5.0)) as b:
        await b.bound()
        await b.smsc.link.deliver(inbound("YES"))
        await trio.sleep(6.5)
        assert len(b.store.ops(SettleInbound)) == 1
        await b.smsc.link.cut()
        await b.until(lambda: len(b.smsc.links) == 2 and b.status().state.is_bound)
        await b.smsc.link.deliver(inbound("YES"))
        await b.until(lambda: b.store.texts() == ["YES", "YES"])


async def test_an_answer_behind_a_slow_store_is_late(autojump_clock: MockClock) -> None:
    async with bench(carrier(redelivery_late_s=1.0)) as b:
        await b.bound()
        b.store.commit_s = 1.5
        await b.smsc.link.deliver(inbound("YES"))
        await b.until(lambda: b.smsc.statuses() == {"ESME_ROK": 1})
        b.store.commit_s = 0.0
        await trio.sleep(3)
        await b.smsc.link.deliver(inbound("YES"))
        await b.until(lambda: b.smsc.statuses() == {"ESME_ROK": 2})
        assert b.store.texts() == ["YES"]


async def test_stop_tells_that_the_answers_arrived(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        await b.smsc.link.deliver(inbound("YES"))
        await trio.sleep(0.5)
        await b.pool.stop()
        assert [(op.settled, op.late) for op in b.store.ops(SettleInbound)] == [([1], [])]


async def test_an_unbind_without_answer_tells_nothing_about_the_answers_before_it(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        await b.smsc.link.deliver(inbound("YES"))
        await trio.sleep(0.5)
        b.smsc.mute = True
        await b.pool.stop()
        assert b.store.ops(SettleInbound) == []


# What the SMSC tells of itself --------------------------------------------------------------------------------------


async def test_the_version_of_the_smsc_is_shown_while_bound(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        assert b.status().interface_version == "3.4"
        b.smsc.down = True
        await b.smsc.link.cut()
        await b.until(lambda: b.status().state is BindState.BACKING_OFF)
        assert (b.status().interface_version, b.status().endpoint) == ("", "")


async def test_a_version_that_is_not_told_is_no_obstacle(autojump_clock: MockClock) -> None:
    async with bench(carrier(interface_version="3.3")) as b:  # the SMSC tells nothing to 3.3 (SMPP 3.4, 4.1.2)
        await b.bound()
        assert b.smsc.link.request is not None
        assert b.smsc.link.request.interface_version == 0x33
        assert b.status().interface_version == ""


async def test_bad_pdus_are_kept_and_the_session_goes_on(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        await b.smsc.link.raw(bytes.fromhex("00000010 00000999 00000000 00000007"))
        await b.until(lambda: b.told.quarantined == 1)
        (view,) = await b.store.quarantine(before=None, limit=10)
        assert (view.pdu.command_id, view.pdu.sequence_number) == (0x999, 7)
        assert view.pdu.command_status == Status.ESME_RINVCMDID
        b.store.queue(1)
        await b.until(lambda: b.store.states() == {"sent": 1})
        assert len(b.smsc.links) == 1
