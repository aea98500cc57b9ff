"""A refused message goes to its next carrier as a whole, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from smppgw.queue.model import (
    ClaimedSegment,
    Lane,
    MessageView,
    OutcomeKind,
    OutcomesRecorded,
    Reason,
    RecordOutcomes,
    SegmentState,
    SubmitOutcome,
    Verdict,
)

from .make import HOUR, NOW, PLAN, accept, answer, claim, doubt, new_message, receipt, receive, view

S, R, K = SegmentState, Reason, OutcomeKind
SYSERR = 0x08


async def record(
    store: Any, *outcomes: tuple[ClaimedSegment, OutcomeKind], now: int = NOW, carrier: str = "demo"
) -> OutcomesRecorded:
    """The answers of one read."""
    batch = [
        SubmitOutcome(one.segment_id, one.claim, kind, SYSERR if kind is not K.ACCEPTED else 0, f"id{one.segment_id}")
        for one, kind in outcomes
    ]
    op = RecordOutcomes(carrier, f"{carrier}/1", batch, now, PLAN, HOUR)
    await store.commit(op)
    assert isinstance(op.result, OutcomesRecorded)
    return op.result


def reasons(message: MessageView) -> list[Reason]:
    return [segment.reason for segment in message.segments]


async def claimed_by(store: Any, carrier: str, now: int = NOW) -> Sequence[ClaimedSegment]:
    return await claim(store, carrier=carrier, bind=f"{carrier}/1", now=now)


async def test_the_next_carrier_takes_it_at_once_with_all_its_attempts(store: Any) -> None:
    (number,) = await accept(store, new_message(alternatives=("bulk", "last")))
    (first,) = await claim(store)
    await record(store, (first, K.RETRY))
    (again,) = await claim(store, now=NOW + 60_000)
    work = store.work("bulk")
    before = work.version
    assert (await record(store, (again, K.REROUTED), now=NOW + 60_000)).moved == 1
    assert work.version > before, "its binds are woken"
    assert await claim(store, now=NOW + HOUR - 1) == []
    (moved,) = await claimed_by(store, "bulk", NOW + 60_000)
    assert (moved.segment_id, moved.attempts, moved.claim) == (first.segment_id, 0, 3)
    found = await view(store, number)
    assert (found.carrier, found.alternatives) == ("bulk", ("last",))
    told = [(entry.detail, entry.bind, entry.state) for entry in found.history if entry.reason is R.REROUTED]
    assert told == [("demo -> bulk, ESME_RSYSERR", "demo/1", S.QUEUED)]


async def test_from_carrier_to_carrier_until_none_is_left(store: Any) -> None:
    (number,) = await accept(store, new_message(alternatives=("bulk", "last")))
    for carrier, rerouted in (("demo", 1), ("bulk", 1), ("last", 0)):
        (segment,) = await claimed_by(store, carrier)
        result = await record(store, (segment, K.REROUTED), carrier=carrier)
        assert (result.moved, result.rerouted) == (1, rerouted)
    found = await view(store, number)
    assert (found.carrier, found.alternatives) == ("last", ())
    assert (found.segments[0].reason, found.segments[0].attempts) == (R.TEMPORARY_REFUSAL, 1)


async def test_without_an_alternative_it_is_tried_again_by_the_plan(store: Any) -> None:
    (number,) = await accept(store, new_message())
    now = NOW
    for _ in range(PLAN.max_attempts):
        (segment,) = await claim(store, now=now)
        await record(store, (segment, K.REROUTED), now=now)
        now += 100_000
    found = await view(store, number)
    assert (found.verdict, found.segments[0].reason) == (Verdict.FAILED, R.RETRIES_EXHAUSTED)


async def test_siblings_that_wait_come_along(store: Any) -> None:
    (number,) = await accept(store, new_message(parts=3, alternatives=("bulk",)))
    (first,) = await claim(store, 1)
    await record(store, (first, K.REROUTED))
    found = await view(store, number)
    assert reasons(found) == [R.REROUTED] * 3
    assert [entry.detail for entry in found.history if entry.reason is R.REROUTED] == [
        "demo -> bulk, ESME_RSYSERR",
        "demo -> bulk",
        "demo -> bulk",
    ]
    assert len(await claimed_by(store, "bulk")) == 3
    assert (await store.depths()).queued == {}


@pytest.mark.parametrize("second", [K.REROUTED, K.THROTTLED, K.DELAYED, K.PAUSED, K.RETRY])
@pytest.mark.parametrize("turned", [False, True])
async def test_parts_refused_in_one_read_go_together(store: Any, second: OutcomeKind, turned: bool) -> None:
    (number,) = await accept(store, new_message(parts=3, alternatives=("bulk",)))
    one, other, _ = await claim(store, 3)
    await answer(store, [_], K.THROTTLED, status=0x58)
    batch = [(one, K.REROUTED), (other, second)]
    result = await record(store, *(reversed(batch) if turned else batch))
    assert (result.moved, result.stale) == (2, 0)
    found = await view(store, number)
    assert reasons(found) == [R.REROUTED] * 3
    moved = await claimed_by(store, "bulk")
    assert [segment.attempts for segment in moved] == [0, 0, 0]


@pytest.mark.parametrize("sibling", ["in flight", "in doubt", "sent", "untracked", "rejected", "given up"])
@pytest.mark.parametrize("together", [False, True])
async def test_a_message_of_which_the_carrier_may_have_something_stays(
    store: Any, sibling: str, together: bool
) -> None:
    (number,) = await accept(store, new_message(parts=2, alternatives=("bulk",)))
    one, other = await claim(store)
    kinds = {"sent": K.ACCEPTED, "untracked": K.ACCEPTED, "rejected": K.REJECTED}
    if sibling == "in doubt":
        await doubt(store, [other])
    if sibling == "given up":
        for attempt in range(PLAN.max_attempts - 1):
            await record(store, (other, K.RETRY), now=NOW + attempt)
            (other,) = await claim(store, 1, now=NOW + attempt + 100_000)
        kinds[sibling] = K.RETRY
    if sibling not in kinds:
        await record(store, (one, K.REROUTED))
    elif together:
        await record(store, (one, K.REROUTED), (other, kinds[sibling]))
    else:
        await record(store, (other, kinds[sibling]))
        await record(store, (one, K.REROUTED))
    found = await view(store, number)
    assert found.carrier == "demo"
    half_failed = sibling in ("rejected", "given up")
    assert found.segments[0].reason is (R.SIBLING_FAILED if half_failed else R.TEMPORARY_REFUSAL)
    assert await claimed_by(store, "bulk", NOW + 200_000) == []


async def test_one_that_was_sent_again_after_a_doubt_stays(store: Any) -> None:
    """The first copy may have been accepted: then this carrier has it."""
    (number,) = await accept(store, new_message(alternatives=("bulk",)))
    first = await claim(store)
    await doubt(store, first, resend=PLAN)
    (second,) = await claim(store, now=NOW + 60_000)
    await record(store, (second, K.REROUTED), now=NOW + 60_000)
    assert (await view(store, number)).carrier == "demo"


async def test_a_late_refusal_resolves_a_doubt_and_may_reroute(store: Any) -> None:
    (number,) = await accept(store, new_message(alternatives=("bulk",)))
    segments = await claim(store)
    await doubt(store, segments)
    await record(store, (segments[0], K.REROUTED))
    assert (await view(store, number)).carrier == "bulk"


@pytest.mark.parametrize("kind", list(OutcomeKind))
async def test_a_second_answer_of_the_old_carrier_changes_nothing(store: Any, kind: OutcomeKind) -> None:
    (number,) = await accept(store, new_message(alternatives=("bulk", "last")))
    (old,) = await claim(store)
    await record(store, (old, K.REROUTED))
    for claimed in (False, True):
        assert (await record(store, (old, kind))).stale == 1
        found = await view(store, number)
        assert (found.carrier, found.segments[0].smsc_id) == ("bulk", None)
        assert found.segments[0].state is (S.IN_FLIGHT if claimed else S.QUEUED)
        if not claimed:
            (new,) = await claimed_by(store, "bulk")
    assert (await record(store, (new, K.ACCEPTED), carrier="bulk")).moved == 1


async def test_an_id_of_the_old_carrier_is_not_looked_for_among_the_new_ones(store: Any) -> None:
    (number,) = await accept(store, new_message(alternatives=("bulk",)))
    (old,) = await claim(store)
    await record(store, (old, K.REROUTED))
    await record(store, (old, K.ACCEPTED))
    smsc_id = f"id{old.segment_id}"
    for carrier in ("demo", "bulk"):
        assert (await receive(store, receipt(smsc_id), carrier=carrier)).result.parked == 1
    assert (await view(store, number)).verdict is None


async def test_messages_of_one_read_are_judged_apart(store: Any) -> None:
    numbers = await accept(
        store,
        new_message(alternatives=("bulk",)),
        new_message(parts=2, alternatives=("last",)),
        new_message(parts=2, alternatives=("bulk",)),
        new_message(),
        *(new_message(alternatives=("bulk",), lane=Lane.BULK) for _ in range(300)),
    )
    segments = await claim(store, 1000)
    kinds = [K.REROUTED] * len(segments)
    kinds[4] = K.ACCEPTED  # the second part of the third message
    assert (await record(store, *zip(segments, kinds, strict=True))).moved == len(segments)
    carriers = [(await view(store, number)).carrier for number in numbers]
    assert carriers[:4] == ["bulk", "last", "demo", "demo"]
    assert set(carriers[4:]) == {"bulk"}
    assert len(await claim(store, 1000, carrier="bulk")) == 301
