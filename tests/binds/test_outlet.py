"""What may be claimed, what may leave, and what goes back."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from smppgw.addresses import Address
from smppgw.binds.context import BindContext
from smppgw.binds.outlet import LOOK_AGAIN_S, Outlet
from smppgw.binds.pacing import FullQueues, Pacer, Throttle
from smppgw.binds.recorder import Recorder
from smppgw.binds.status import BindKind, Limit, NullObserver
from smppgw.queue.model import Claimed, ClaimedSegment, Lane, OutcomeKind
from smppgw.smpp import BindTransceiver, BindTransceiverResp, Role, Session, Timers, encode
from tests.support.binds import carrier
from tests.support.bindstore import BindStore
from tests.support.clock import VirtualClock


def segment(number: int, recipient: str = "447700900001") -> ClaimedSegment:
    return ClaimedSegment(
        segment_id=number,
        claim=1,
        lane=Lane.BULK,
        source=Address(5, 0, "Acme"),
        destination=Address(1, 1, recipient),
        octets=b"hello",
        data_coding=0,
        esm_class=0,
        registered_delivery=1,
        accepted_utc_ms=0,
        expires_utc_ms=2_000_000_000_000,
        attempts=0,
    )


def outlet(
    *, kind: BindKind = BindKind.TRANSCEIVER, bound: bool = True, **settings: Any
) -> tuple[Outlet, BindContext, Session]:
    clock, its = VirtualClock(), carrier(**settings)
    now = trio.current_time()
    store = BindStore(clock.utc_ms)
    context = BindContext(
        name="demo/1",
        carrier="demo",
        kind=kind,
        settings=its,
        clock=clock,
        work=store.work("demo"),
        observer=NullObserver(),
        recorder=Recorder(
            store=store,
            clock=clock,
            observer=NullObserver(),
            carrier="demo",
            bind="demo/1",
            settings=its,
            jitter=lambda: 0.0,
        ),
        pacer=Pacer(its.rate_per_s, its.burst, now),
        throttle=Throttle(its.throttle_pause_s),
        full_queues=FullQueues(delay_ms=1000, recipients=5, span_s=1.0),
        jitter=lambda: 0.0,
    )
    session = Session(Role.ESME, timers=Timers(), window=its.window, now=now)
    if bound:
        number = session.bind(BindTransceiver(), now)
        session.receive_data(encode(BindTransceiverResp(sequence_number=number)), now)
        session.data_to_send()
    return Outlet(context, session), context, session


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
