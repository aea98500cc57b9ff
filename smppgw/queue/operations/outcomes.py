"""What the answers to submit_sm do to their segments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from smppgw.queue import statements as sql
from smppgw.queue.model import (
    TRANSITIONS,
    Move,
    OutcomeKind,
    OutcomesRecorded,
    Reason,
    RecordOutcomes,
    SegmentState,
    SubmitOutcome,
    message_id_of,
)
from smppgw.queue.operations.ending import cancel_siblings, conclude, write_history
from smppgw.queue.operations.receipts import match_parked
from smppgw.queue.operations.transaction import Transaction
from smppgw.queue.retry import retry_at
from smppgw.smpp.constants import status_name


def record_outcomes(tx: Transaction, op: RecordOutcomes) -> OutcomesRecorded:
    """Moves segments by the answers to their submit_sm."""
    accepted = [(one.segment_id, one.smsc_id, one.claim) for one in op.outcomes if one.kind is OutcomeKind.ACCEPTED]
    refused = [one for one in op.outcomes if one.kind is not OutcomeKind.ACCEPTED]
    moved = 0
    if accepted:
        untracked = tx.found(sql.ACCEPTED_UNTRACKED, json.dumps(accepted))
        moved += tx.rows(sql.RECORD_ACCEPTED, sql.RECORD_ACCEPTED_ROW, accepted, op.now_utc_ms, op.receipt_timeout_ms)
        if moved < len(accepted):
            tx.rows(sql.LEARN_LATE_ID, sql.LEARN_LATE_ID_ROW, [(number, smsc_id) for number, smsc_id, _ in accepted])
        conclude(tx, [(segment, SegmentState.UNTRACKED, parts) for segment, parts in untracked], op.now_utc_ms)
        match_parked(tx, op, {smsc_id for _, smsc_id, _ in accepted if smsc_id})
    if refused:
        moved += _record_refused(tx, op, refused)
    return OutcomesRecorded(moved, len(op.outcomes) - moved)


@dataclass(slots=True)
class _Refusal:
    move: Move
    reason: Reason
    due_utc_ms: int
    counted: bool


def _refusal(tx: Transaction, op: RecordOutcomes, outcome: SubmitOutcome, attempts: int, due: int) -> _Refusal:
    match outcome.kind:
        case OutcomeKind.THROTTLED:
            return _Refusal(Move.REQUEUE, Reason.THROTTLED, due, False)
        case OutcomeKind.DELAYED:
            return _Refusal(Move.REQUEUE, Reason.RECIPIENT_QUEUE_FULL, max(due, outcome.due_utc_ms), False)
        case OutcomeKind.RETRY:
            again = retry_at(attempts + 1, op.now_utc_ms, op.retry, tx.jitter())
            if again is None:
                return _Refusal(Move.GIVE_UP, Reason.RETRIES_EXHAUSTED, due, True)
            return _Refusal(Move.REQUEUE, Reason.TEMPORARY_REFUSAL, again, True)
        case _:
            return _Refusal(Move.REFUSE, Reason.REFUSED, due, True)


def _record_refused(tx: Transaction, op: RecordOutcomes, refused: Sequence[SubmitOutcome]) -> int:
    by_claim = {(one.segment_id, one.claim): one for one in refused}
    found = tx.found(sql.REFUSED_SEGMENTS, json.dumps([[one.segment_id, one.claim] for one in refused]))
    updates, history, finals = [], [], []
    back: set[int] = set()  # messages of several parts of which one waits again
    for segment, claims, state, attempts, parts, due, expires in found:
        outcome = by_claim[segment, claims]
        refusal = _refusal(tx, op, outcome, attempts, due)
        target = TRANSITIONS[SegmentState(state), refusal.move]
        final = None if target.is_open else op.now_utc_ms
        counted = attempts + 1 if refusal.counted else attempts
        status = outcome.command_status
        updates.append(
            (segment, target.value, refusal.reason.value, refusal.due_utc_ms, expires, counted, status, final)
        )
        if target.is_open:
            history.append((segment, op.now_utc_ms, target.value, refusal.reason.value, op.bind, status_name(status)))
            if parts > 1:
                back.add(message_id_of(segment))
        else:
            finals.append((segment, target, parts))
    if updates:
        tx.rows(sql.RECORD_REFUSED, sql.RECORD_REFUSED_ROW, updates, op.now_utc_ms)
        tx.woken.add(op.carrier)
    write_history(tx, history)
    conclude(tx, finals, op.now_utc_ms)
    cancel_siblings(tx, back, op.now_utc_ms)
    return len(found)
