"""What is waited for before we unbind."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from smppgw.binds.context import BindContext
from smppgw.binds.errands import Errands
from smppgw.binds.intake import Intake
from smppgw.binds.leaving import Leaving
from smppgw.binds.outlet import Outlet
from smppgw.queue.model import OutcomeKind, SubmitOutcome
from smppgw.smpp import Session, SubmitSm, SubmitSmResp, Unbind, encode
from tests.support.halves import context_of, segment, sent_by, session_of


def leaving(**settings: Any) -> tuple[Leaving, BindContext, Session, Intake]:
    """The way out of a session with one submit_sm in its window."""
    context, _ = context_of(**settings)
    session = session_of(context, response_s=1000.0)
    outlet, errands = Outlet(context, session), Errands(context, session)
    intake = Intake(context, session)
    session.request(SubmitSm(), trio.current_time(), segment(1))
    return Leaving(context, session, outlet, errands, intake), context, session, intake


async def waited(made: Leaving) -> float:
    started = trio.current_time()
    await made.answers()
    return trio.current_time() - started


@pytest.mark.parametrize(("leave_s", "stop", "expected"), [(7.0, False, 7.0), (7.0, True, 5.0), (3.0, True, 3.0)])
async def test_the_earlier_end_holds(autojump_clock: MockClock, leave_s: float, stop: bool, expected: float) -> None:
    made, *_ = leaving(timers={"stop_s": 5.0})
    made.leave(leave_s, "no answers")
    if stop:
        made.stop()
    assert await waited(made) == pytest.approx(expected)
    assert made.why == "no answers"


@pytest.mark.parametrize(("stop", "expected"), [(True, 0.0), (False, 7.0)])
async def test_only_a_stop_does_not_wait_for_what_is_overdue(
    autojump_clock: MockClock, stop: bool, expected: float
) -> None:
    made, context, _, intake = leaving()
    intake.unanswered(segment(1))
    context.recorder.waiting.doubts.clear()  # recorded
    made.leave(7.0, "no answers")
    if stop:
        made.stop()
    assert await waited(made) == pytest.approx(expected)


async def test_an_answer_is_enough_once_it_is_recorded(autojump_clock: MockClock) -> None:
    made, context, session, _ = leaving()
    (submit,) = sent_by(session)
    made.leave(7.0, "no answers")

    async def answer() -> None:
        await trio.sleep(1.0)
        resp = SubmitSmResp(sequence_number=submit.sequence_number, message_id="a")
        session.receive_data(encode(resp), trio.current_time())
        context.recorder.waiting.outcomes.append(SubmitOutcome(1, 1, OutcomeKind.ACCEPTED))
        made.look()
        await trio.sleep(1.0)
        context.recorder.waiting.outcomes.clear()
        made.look()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(answer)
        assert await waited(made) == pytest.approx(2.0)
        await made.unbind(lambda: None)
    assert [type(pdu) for pdu in sent_by(session)] == [Unbind]
