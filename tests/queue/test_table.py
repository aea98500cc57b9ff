"""The table of the segment's states is the authority: every pair of state and move, through the SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smppgw.queue.model import (
    RECEIPT_MOVES,
    TRANSITIONS,
    Claim,
    Doubt,
    Move,
    Op,
    OutcomeKind,
    Reason,
    ReceiptState,
    RecordOutcomes,
    RecordReceipts,
    RetryPlan,
    SegmentState,
    SubmitOutcome,
    Sweep,
    Withdraw,
)
from tests.support.inlinestore import InlineStore

from .make import HOUR, NOW, PLAN, accept, new_message, receipt

S, R = SegmentState, Reason
ONCE = RetryPlan(max_attempts=1)
LATER = NOW + 10 * HOUR

#: The reason with which a segment of this test stands in its state, where it matters.
REASONS = {S.QUEUED: R.RESENT_AFTER_DOUBT, S.UNKNOWN: R.RECEIPT_OVERDUE, S.EXPIRED: R.VALIDITY_EXPIRED}


def outcome(kind: OutcomeKind, smsc_id: str = "", plan: RetryPlan = PLAN) -> Callable[[int], Op[Any]]:
    return lambda n: RecordOutcomes("demo", "b", [SubmitOutcome(n, 1, kind, 8, smsc_id, NOW)], NOW, plan, HOUR)


def receipt_of(state: ReceiptState) -> Callable[[int], Op[Any]]:
    return lambda n: RecordReceipts("demo", "b", [receipt("A", state)], NOW)


#: What makes each move happen. CANCEL is made by a sibling, see test_store; it has no operation of its own yet.
OPERATIONS: dict[Move, Callable[[int], Op[Any]]] = {
    Move.CLAIM: lambda n: Claim("demo", "b", 1, NOW),
    Move.WITHDRAW: lambda n: Withdraw("demo", "b", [(n, 1)], NOW),
    Move.ACCEPT: outcome(OutcomeKind.ACCEPTED, "A"),
    Move.ACCEPT_UNTRACKED: outcome(OutcomeKind.ACCEPTED),
    Move.REQUEUE: outcome(OutcomeKind.RETRY),
    Move.REFUSE: outcome(OutcomeKind.REJECTED),
    Move.GIVE_UP: outcome(OutcomeKind.RETRY, plan=ONCE),
    Move.DOUBT: lambda n: Doubt("demo", "b", [(n, 1)], R.LINK_LOST, NOW, HOUR),
    Move.RESEND: lambda n: Doubt("demo", "b", [(n, 1)], R.LINK_LOST, NOW, HOUR, PLAN),
    **{move: receipt_of(state) for state, move in RECEIPT_MOVES.items() if state is not ReceiptState.SKIPPED},
    Move.RECEIPT_INTERMEDIATE: receipt_of(ReceiptState.ENROUTE),
}
#: The sweep makes these by the state that it finds past its deadline.
BY_THE_CLOCK = {
    (S.QUEUED, Move.EXPIRE),
    (S.IN_FLIGHT, Move.DOUBT),
    (S.IN_DOUBT, Move.DOUBT_TIMEOUT),
    (S.SENT, Move.RECEIPT_OVERDUE),
}


async def segment_in(store: InlineStore, state: SegmentState) -> int:
    """A segment that stands in `state`, claimed once, known to the carrier as A."""
    (message,) = await accept(store, new_message())
    number = message << 8 | 1
    store.connection.execute(
        "UPDATE segment SET state = ?, reason = ?, claims = 1, submitted_utc_ms = ?, smsc_id = 'A' WHERE id = ?",
        (state, REASONS.get(state, R.ACCEPTED), NOW, number),
    )
    return number


def state_of(store: InlineStore, number: int) -> SegmentState:
    row = store.connection.execute("SELECT state FROM segment WHERE id = ?", (number,)).fetchone()
    return SegmentState(row[0])


@pytest.mark.parametrize("move", list(OPERATIONS))
@pytest.mark.parametrize("state", list(S))
async def test_an_operation_does_what_the_table_says_and_nothing_else(state: SegmentState, move: Move) -> None:
    store = InlineStore()
    number = await segment_in(store, state)
    await store.commit(OPERATIONS[move](number))
    assert state_of(store, number) is TRANSITIONS.get((state, move), state)
    store.close()


@pytest.mark.parametrize("state", list(S))
async def test_the_clock_does_what_the_table_says_and_nothing_else(state: SegmentState) -> None:
    store = InlineStore()
    number = await segment_in(store, state)
    await store.commit(Sweep(LATER))
    (move,) = [move for at, move in BY_THE_CLOCK if at is state] or [None]
    assert state_of(store, number) is (TRANSITIONS[state, move] if move else state)
    store.close()


def test_every_row_of_the_table_is_tried_here() -> None:
    made = {(state, move) for state in S for move in OPERATIONS} | BY_THE_CLOCK
    assert set(TRANSITIONS) - made == {(S.QUEUED, Move.CANCEL)}
