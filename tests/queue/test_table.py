"""The table of the segment's states is the authority: every pair of state and move, through the SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smppgw.queue.model import (
    RECEIPT_MOVES,
    TRANSITIONS,
    WHILE_DOUBTFUL,
    Cancel,
    Claim,
    Doubt,
    ErrandDone,
    ErrandKind,
    Move,
    Op,
    OutcomeKind,
    Reason,
    ReceiptState,
    RecordErrands,
    RecordOutcomes,
    RecordReceipts,
    RetryPlan,
    SegmentState,
    SubmitOutcome,
    Sweep,
    Withdraw,
    message_id_of,
    target_of,
)
from tests.support.inlinestore import InlineStore

from .make import HOUR, NOW, PLAN, accept, new_message, receipt

S, R = SegmentState, Reason
ONCE = RetryPlan(max_attempts=1)
LATER = NOW + 10 * HOUR

#: The reason with which a segment of this test stands in its state, where it matters.
REASONS = {S.UNKNOWN: R.RECEIPT_OVERDUE, S.EXPIRED: R.VALIDITY_EXPIRED}


def outcome(kind: OutcomeKind, smsc_id: str = "", plan: RetryPlan = PLAN) -> Callable[[int], Op[Any]]:
    return lambda n: RecordOutcomes("demo", "b", [SubmitOutcome(n, 2, kind, 8, smsc_id, NOW)], NOW, plan, HOUR)


def receipt_of(state: ReceiptState) -> Callable[[int], Op[Any]]:
    return lambda n: RecordReceipts("demo", "b", [receipt("A", state)], NOW)


#: What makes each move happen.
OPERATIONS: dict[Move, Callable[[int], Op[Any]]] = {
    Move.CLAIM: lambda n: Claim("demo", "b", 1, NOW),
    Move.WITHDRAW: lambda n: Withdraw("demo", "b", [(n, 2)], NOW),
    Move.ACCEPT: outcome(OutcomeKind.ACCEPTED, "A"),
    Move.ACCEPT_UNTRACKED: outcome(OutcomeKind.ACCEPTED),
    Move.REQUEUE: outcome(OutcomeKind.RETRY),
    Move.REROUTE: outcome(OutcomeKind.REROUTED),
    Move.REFUSE: outcome(OutcomeKind.REJECTED),
    Move.GIVE_UP: outcome(OutcomeKind.RETRY, plan=ONCE),
    Move.TAKE_BACK: outcome(OutcomeKind.RETRY),
    Move.DOUBT: lambda n: Doubt("demo", "b", [(n, 2)], R.LINK_LOST, NOW, HOUR),
    Move.RESEND: lambda n: Doubt("demo", "b", [(n, 2)], R.LINK_LOST, NOW, HOUR, PLAN),
    **{move: receipt_of(state) for state, move in RECEIPT_MOVES.items() if state is not ReceiptState.SKIPPED},
    Move.RECEIPT_INTERMEDIATE: receipt_of(ReceiptState.ENROUTE),
    Move.CANCEL: lambda n: Cancel(message_id_of(n), "app", NOW),
    Move.CANCEL_CONFIRMED: lambda n: RecordErrands("demo", "b", [ErrandDone(n, ErrandKind.CANCEL, 0)], NOW),
}
#: The sweep makes these by the state that it finds past its deadline.
BY_THE_CLOCK = {
    (S.QUEUED, Move.EXPIRE),
    (S.IN_FLIGHT, Move.DOUBT),
    (S.IN_DOUBT, Move.DOUBT_TIMEOUT),
    (S.SENT, Move.RECEIPT_OVERDUE),
}


async def segment_in(
    store: InlineStore, state: SegmentState, move: Move | None = None, *, doubtful: bool = False
) -> int:
    """A segment that stands in `state`, claimed twice. `doubtful`: nobody knows what became of the first copy; what
    is in doubt has the second unanswered."""
    (message,) = await accept(store, new_message(alternatives=("other",)))
    number = message << 8 | 1
    # What has an id was accepted once, and is not rerouted.
    smsc_id = None if move is Move.REROUTE else "A"
    reason = R.CANCELLED_BY_APP if move is Move.TAKE_BACK else REASONS.get(state, R.ACCEPTED)
    unanswered = doubtful + (state is S.IN_DOUBT)
    store.connection.execute(
        """UPDATE segment SET state = ?, reason = ?, claims = 2, submitted_utc_ms = ?, smsc_id = ?, unanswered = ?,
            doubt_ends_utc_ms = ? WHERE id = ?""",
        (state, reason, NOW, smsc_id, unanswered, 2 * LATER - NOW, number),
    )
    return number


def state_of(store: InlineStore, number: int) -> SegmentState:
    row = store.connection.execute("SELECT state FROM segment WHERE id = ?", (number,)).fetchone()
    return SegmentState(row[0])


#: The app asks, and tells of no copy: the one in doubt is unanswered like any other.
NOT_AN_ANSWER = {(S.IN_DOUBT, Move.CANCEL)}


@pytest.mark.parametrize("doubtful", [False, True])
@pytest.mark.parametrize("move", list(OPERATIONS))
@pytest.mark.parametrize("state", list(S))
async def test_an_operation_does_what_the_table_says_and_nothing_else(
    state: SegmentState, move: Move, doubtful: bool
) -> None:
    store = InlineStore()
    number = await segment_in(store, state, move, doubtful=doubtful)
    await store.commit(OPERATIONS[move](number))
    target = target_of(state, move, doubtful=doubtful or (state, move) in NOT_AN_ANSWER)
    assert state_of(store, number) is (state if target is None else target)
    if move is Move.REROUTE:
        (carrier,) = store.connection.execute("SELECT carrier FROM segment WHERE id = ?", (number,)).fetchone()
        assert carrier == ("other" if (state, move) in TRANSITIONS and not doubtful else "demo")
    store.close()


@pytest.mark.parametrize("doubtful", [False, True])
@pytest.mark.parametrize("state", list(S))
async def test_the_clock_does_what_the_table_says_and_nothing_else(state: SegmentState, doubtful: bool) -> None:
    store = InlineStore()
    number = await segment_in(store, state, doubtful=doubtful)
    await store.commit(Sweep(LATER))
    (move,) = [move for at, move in BY_THE_CLOCK if at is state] or [None]
    assert state_of(store, number) is (target_of(state, move, doubtful=doubtful) if move else state)
    store.close()


def test_every_row_of_the_tables_is_tried_here() -> None:
    made = {(state, move) for state in S for move in OPERATIONS} | BY_THE_CLOCK
    assert (set(TRANSITIONS) | set(WHILE_DOUBTFUL)) <= made


def test_what_is_doubtful_is_never_called_unsent() -> None:
    unsent = {S.EXPIRED, S.REJECTED, S.CANCELLED, S.FAILED}
    ours = {move for move in Move if not move.startswith("receipt") and move is not Move.CANCEL_CONFIRMED}
    assert not [(state, move) for state in S for move in ours if target_of(state, move, doubtful=True) in unsent]


@pytest.mark.parametrize("receipt_state", list(RECEIPT_MOVES))
async def test_an_answer_to_query_sm_does_what_the_receipt_would(receipt_state: ReceiptState) -> None:
    store = InlineStore()
    number = await segment_in(store, S.SENT)
    await store.commit(
        RecordErrands("demo", "b", [ErrandDone(number, ErrandKind.QUERY, 0, receipt_state)], NOW),
    )
    assert state_of(store, number) is TRANSITIONS[S.SENT, RECEIPT_MOVES[receipt_state]]
    store.close()


@pytest.mark.parametrize("state", [state for state in S if state is not S.SENT])
@pytest.mark.parametrize("kind", list(ErrandKind))
async def test_an_answer_to_an_errand_moves_only_what_waits_for_its_receipt(
    state: SegmentState, kind: ErrandKind
) -> None:
    store = InlineStore()
    number = await segment_in(store, state)
    await store.commit(RecordErrands("demo", "b", [ErrandDone(number, kind, 0, ReceiptState.DELIVERED)], NOW))
    assert state_of(store, number) is state
    store.close()
