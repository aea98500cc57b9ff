"""What may be claimed, what may leave, and what goes back."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from smppgw.binds.context import BindContext
from smppgw.binds.outlet import LOOK_AGAIN_S, Outlet
from smppgw.binds.probing import LOOK_S
from smppgw.binds.status import BindKind, Limit
from smppgw.config import CapSettings, CapSpan, RateUnit
from smppgw.queue.model import Claimed, ClaimedSegment, Extras, OutcomeKind, part_of
from smppgw.smpp import Session, SubmitSm, SubmitSmResp, encode
from tests.support.binds import bench, carrier
from tests.support.bindstore import BindStore
from tests.support.halves import context_of, parts, segment, sent_by, session_of
from tests.support.smsc import FakeSmsc


def outlet(
    *, kind: BindKind = BindKind.TRANSCEIVER, bound: bool = True, **settings: Any
) -> tuple[Outlet, BindContext, Session]:
    context, _ = context_of(kind=kind, **settings)
    session = session_of(context, bound=bound)
    return Outlet(context, session), context, session


def claimed(outlet: Outlet, segments: list[ClaimedSegment]) -> None:
    """The outlet gets these from the store, which has more."""
    outlet.take(Claimed(segments, None), len(segments), 0, trio.current_time())


async def test_room_is_the_free_window(autojump_clock: MockClock) -> None:
    made, _, session = outlet(window=10)
    now = trio.current_time()
    assert made.room(now) == (10, now)
    made.take(Claimed([segment(1), segment(2)], None), 2, 0, now)
    assert made.room(now) == (8, now)
    made.release(now)
    assert (session.in_window, made.ready) == (2, 0)
    assert made.room(now) == (8, now)


async def test_no_room(autojump_clock: MockClock) -> None:
    now = trio.current_time()
    for made, _, _ in (outlet(bound=False), outlet(kind=BindKind.RECEIVER)):
        assert made.room(now) == (0, math.inf)
    made, context, _ = outlet()
    context.throttle.hit(now)
    assert made.room(now) == (0, now + 1.0)
    assert made.limit(now) is Limit.THROTTLED
    made.stopping = True
    assert made.room(now) == (0, math.inf)
    assert made.limit(now) is Limit.STOPPING


async def test_a_drained_store_is_left_alone_until_it_says_so(autojump_clock: MockClock) -> None:
    made, context, _ = outlet()
    now = trio.current_time()
    made.take(Claimed([], None), 5, context.work.version, now)
    assert made.room(now) == (0, now + LOOK_AGAIN_S)
    assert made.limit(now) is Limit.NOTHING_QUEUED
    made.refill()
    assert made.room(now)[0] == 100
    made.take(Claimed([], context.clock.utc_ms() + 2500), 5, context.work.version, now)
    assert made.room(now) == (0, now + 2.5)
    assert made.room(now + 2.5)[0] == 100


async def test_work_that_came_during_the_claim_is_not_missed(autojump_clock: MockClock) -> None:
    made, context, _ = outlet()
    now = trio.current_time()
    made.take(Claimed([], None), 5, context.work.version - 1, now)
    assert made.room(now)[0] == 100


async def test_pacing_claims_a_little_ahead_and_more_when_commits_are_slow(autojump_clock: MockClock) -> None:
    made, _, session = outlet(rate_per_s=100.0)
    now = trio.current_time()
    assert made.room(now) == (2, now)
    made.note_commit(0.02)
    assert made.room(now) == (6, now)
    made.take(Claimed([segment(number) for number in range(6)], None), 6, 0, now)
    assert made.room(now) == (0, now + 0.01)
    made.release(now)
    assert (made.ready, session.in_window) == (6, 0)
    assert made.next_release(now) == now + 0.01
    made.release(now + 0.021)
    assert (made.ready, session.in_window) == (4, 2)


async def test_at_a_high_rate_a_claim_waits_until_it_is_worth_it(autojump_clock: MockClock) -> None:
    made, _, _ = outlet(rate_per_s=1000.0)
    now = trio.current_time()
    assert made.room(now) == (20, now)
    made.take(Claimed([segment(number) for number in range(20)], None), 20, 0, now)
    assert made.room(now + 0.005) == (0, pytest.approx(now + 0.01))
    assert made.room(now + 0.01) == (10, now + 0.01)


async def test_only_what_the_writer_took_counts_as_written(autojump_clock: MockClock) -> None:
    made, _, session = outlet()
    now = trio.current_time()
    made.take(Claimed([segment(1)], None), 1, 0, now)
    made.release(now)
    made.taken_by_writer()
    made.take(Claimed([segment(2)], None), 1, 0, now)
    made.release(now)
    assert session.in_window == 2
    assert made.split([segment(1), None, segment(2)]) == ([(1, 1)], [(2, 1)])


async def test_what_fits_no_submit_sm_is_rejected_alone(autojump_clock: MockClock) -> None:
    made, context, session = outlet()
    now = trio.current_time()
    made.take(Claimed([segment(1), segment(2, "9" * 40), segment(3)], None), 3, 0, now)
    made.release(now)
    assert session.in_window == 2
    (outcome,) = context.recorder.waiting.outcomes
    assert (outcome.segment_id, outcome.claim, outcome.kind) == (2, 1, OutcomeKind.REJECTED)
    assert context.counters.submitted == 2


async def test_release_gives_back_when_it_may_not_send(autojump_clock: MockClock) -> None:
    made, context, session = outlet()
    now = trio.current_time()
    made.take(Claimed([segment(1), segment(2)], None), 2, 0, now)
    context.throttle.hit(now)
    made.release(now)
    assert context.recorder.waiting.withdrawals == [(1, 1), (2, 1)]
    assert (made.ready, session.in_window) == (0, 0)


async def test_what_the_carrier_cannot_carry_is_rejected_alone(autojump_clock: MockClock) -> None:
    made, context, session = outlet(tlvs=False)
    now = trio.current_time()
    claimed(made, [segment(1), segment(2, extras=Extras(sar_reference=1)), segment(3)])
    made.release(now)
    assert session.in_window == 2
    assert made.split([segment(1), segment(3)]) == ([], [(1, 1), (3, 1)])
    (outcome,) = context.recorder.waiting.outcomes
    assert (outcome.segment_id, outcome.kind) == (2, OutcomeKind.REJECTED)


async def test_a_pause_holds_everything_and_ends_by_itself(autojump_clock: MockClock) -> None:
    made, context, session = outlet()
    now = trio.current_time()
    claimed(made, [segment(1), segment(2)])
    context.paused_until_mono = now + 300.0
    made.release(now)
    assert context.recorder.waiting.withdrawals == [(1, 1), (2, 1)]
    assert (made.ready, session.in_window) == (0, 0)
    assert made.room(now) == (0, now + 300.0)
    assert made.limit(now) is Limit.PAUSED
    context.throttle.hit(now)  # the shorter of two pauses changes nothing
    assert made.room(now) == (0, now + 300.0)
    assert made.room(now + 300.0)[0] == 100


async def test_while_probing_one_submit_sm_is_out(autojump_clock: MockClock) -> None:
    made, context, session = outlet(window=10)
    context.probing = True
    now = trio.current_time()
    assert made.room(now) == (1, now)
    claimed(made, [segment(1)])
    assert made.room(now) == (0, math.inf)
    made.release(now)
    assert made.room(now) == (0, math.inf)
    assert made.limit(now) is Limit.PROBING
    (submit,) = sent_by(session)
    session.receive_data(encode(SubmitSmResp(sequence_number=submit.sequence_number, command_status=8)), now)
    assert made.room(now) == (1, now)  # answered, but nobody has said so yet
    context.probing = False
    assert made.room(now) == (10, now)


async def test_a_cap_that_is_used_up_is_shown(autojump_clock: MockClock) -> None:
    made, context, _ = outlet()
    now = trio.current_time()
    for capped, shown in ((True, Limit.CAPPED), (False, Limit.NOTHING_QUEUED)):
        made.refill()
        made.take(Claimed([], context.clock.utc_ms() + 1000, capped), 5, context.work.version, now)
        assert made.limit(now) is shown


async def test_a_probe_waits_for_its_turn(autojump_clock: MockClock) -> None:
    made, context, _ = outlet(window=10)
    context.probing = True
    now = trio.current_time()
    context.probes.failed("demo/2", now, 0.0)
    assert made.room(now) == (0, now + 5.0)
    assert made.limit(now) is Limit.PROBING
    assert made.room(now + 5.0) == (1, now + 5.0)
    context.probes.take("demo/2")
    assert made.room(now + 5.0) == (0, now + 5.0 + LOOK_S)
    context.probes.give_back("demo/2")
    made.claim(1)
    assert context.probes.free_at("demo/2", now + 5.0) > now + 5.0
    made.take(Claimed([], None), 1, context.work.version, now + 5.0)  # nothing to send: the other one may have it
    assert context.probes.free_at("demo/2", now + 5.0) == now + 5.0


async def test_while_late_answers_are_waited_for_nothing_leaves(autojump_clock: MockClock) -> None:
    made, context, session = outlet()
    now = trio.current_time()
    claimed(made, [segment(1)])
    made.lingering = True
    assert made.room(now) == (0, math.inf)
    assert made.limit(now) is Limit.WINDOW
    made.release(now)
    assert (made.ready, session.in_window, context.recorder.waiting.withdrawals) == (0, 0, [(1, 1)])


async def test_caps_go_with_the_claim(autojump_clock: MockClock) -> None:
    made, _, _ = outlet(caps=[CapSettings(per=CapSpan.MINUTE, count=3), CapSettings(per=CapSpan.DAY, count=9)])
    claim = made.claim(5)
    assert [(cap.key, cap.count, cap.end_utc_ms - cap.start_utc_ms) for cap in claim.caps] == [
        ("minute/3", 3, 60_000),
        ("day/9", 9, 86_400_000),
    ]
    await trio.sleep(60.0)
    assert made.claim(5).caps[0].start_utc_ms == claim.caps[0].end_utc_ms
    assert list(outlet()[0].claim(5).caps) == []


def leaving(session: Session) -> list[int]:
    """The texts of the submit_sms that left: the message, by its recipient."""
    return [int(pdu.destination_addr) for pdu in sent_by(session) if isinstance(pdu, SubmitSm)]


async def test_a_rate_of_messages_counts_first_parts(autojump_clock: MockClock) -> None:
    made, _, session = outlet(rate_per_s=10.0, rate_unit=RateUnit.MESSAGES)
    now = trio.current_time()
    everything = [*parts(1, 3), *parts(2, 1), *parts(3, 2)]
    claimed(made, everything)
    sent = []
    for tenth in range(4):
        made.release(now + tenth * 0.1)
        sent.append(session.in_window)
    assert sent == [0, 3, 4, 6]
    assert made.next_release(now + 0.3) == math.inf


async def test_a_rate_of_segments_counts_every_part(autojump_clock: MockClock) -> None:
    made, _, session = outlet(rate_per_s=10.0)
    now = trio.current_time()
    claimed(made, [*parts(1, 3), *parts(2, 1)])
    sent = []
    for tenth in range(5):
        made.release(now + tenth * 0.1)
        sent.append(session.in_window)
    assert sent == [0, 1, 2, 3, 4]


async def test_parts_that_stand_behind_a_message_wait_for_it(autojump_clock: MockClock) -> None:
    """Their order stays, and the end of a message whose beginning left before waits for nothing."""
    made, _, session = outlet(rate_per_s=10.0, rate_unit=RateUnit.MESSAGES)
    now = trio.current_time()
    first, second = parts(1, 3), parts(2, 2)
    claimed(made, [*first[1:], *second])
    made.release(now)
    assert (session.in_window, made.ready) == (2, 2)
    assert made.next_release(now) == pytest.approx(now + 0.1)
    made.release(now + 0.1)
    assert made.ready == 0


async def test_room_counts_the_tokens_that_what_is_claimed_needs(autojump_clock: MockClock) -> None:
    made, _, _ = outlet(rate_per_s=100.0, rate_unit=RateUnit.MESSAGES)
    now = trio.current_time()
    assert made.room(now) == (2, now)
    claimed(made, [one for one in parts(1, 5) if part_of(one.segment_id) > 1])
    assert made.room(now) == (2, now)
    claimed(made, parts(2, 1) + parts(3, 1))
    assert made.room(now) == (0, pytest.approx(now + 0.01))


async def test_what_waits_for_the_window_does_not_wake_anybody(autojump_clock: MockClock) -> None:
    """An errand took the slot while the claim was under way."""
    made, _, session = outlet(window=1)
    now = trio.current_time()
    claimed(made, [segment(1), segment(2)])
    made.release(now)
    assert (session.in_window, made.ready) == (1, 1)
    assert made.next_release(now) == math.inf


# Between a store and an SMSC -------------------------------------------------------------------------------------


async def test_a_cap_holds_the_rest_until_the_next_minute(autojump_clock: MockClock) -> None:
    def prepare(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(7)

    async with bench(carrier(caps=[CapSettings(per=CapSpan.MINUTE, count=3)]), prepare=prepare) as made:
        await made.until(lambda: made.store.states() == {"sent": 7}, within_s=200.0, step_s=0.5)
        minutes = [int((1_767_225_600 + at) // 60) for at in made.submitted_at]
        assert [minutes.count(minute) for minute in sorted(set(minutes))] == [3, 3, 1]
