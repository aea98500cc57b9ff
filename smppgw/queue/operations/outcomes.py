"""What the answers to submit_sm do to their segments."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from smppgw.queue import statements as sql
from smppgw.queue.model import (
    Move,
    OutcomeKind,
    OutcomesRecorded,
    Reason,
    RecordOutcomes,
    SegmentState,
    SubmitOutcome,
    message_id_of,
    target_of,
)
from smppgw.queue.operations.ending import cancel_siblings, conclude, write_history
from smppgw.queue.operations.errands import ask_to_cancel
from smppgw.queue.operations.parked import match_parked
from smppgw.queue.operations.rerouting import Departure, depart, departures_of
from smppgw.queue.operations.transaction import Transaction
from smppgw.queue.retry import retry_at
from smppgw.smpp.constants import status_name


def record_outcomes(tx: Transaction, op: RecordOutcomes) -> OutcomesRecorded:
    """Moves segments by the answers to their submit_sm."""
    accepted = [(one.segment_id, one.smsc_id, one.claim) for one in op.outcomes if one.kind is OutcomeKind.ACCEPTED]
    refused = [one for one in op.outcomes if one.kind is not OutcomeKind.ACCEPTED]
    moved = rerouted = 0
    if accepted:
        apart = tx.found(sql.ACCEPTED_APART, json.dumps(accepted))
        look = (op.receipt_timeout_ms, op.now_utc_ms + op.look_after_ms)
        moved += tx.rows(sql.RECORD_ACCEPTED, sql.RECORD_ACCEPTED_ROW, accepted, op.now_utc_ms, *look)
        if moved < len(accepted):
            ids = [(number, smsc_id, op.carrier) for number, smsc_id, _ in accepted]
            tx.rows(sql.LEARN_LATE_ID, sql.LEARN_LATE_ID_ROW, ids)
            tx.rows(sql.LEARN_OTHER_ID, sql.LEARN_OTHER_ID_ROW, ids)
        untracked = [(segment, SegmentState.UNTRACKED, parts) for segment, parts, ended in apart if ended]
        conclude(tx, untracked, op.now_utc_ms)
        ask_to_cancel(tx, op.carrier, [segment for segment, _, ended in apart if not ended], op.now_utc_ms)
        match_parked(tx, op, {smsc_id for _, smsc_id, _ in accepted if smsc_id})
    if refused:
        moved_on, rerouted = _record_refused(tx, op, refused)
        moved += moved_on
    return OutcomesRecorded(moved, len(op.outcomes) - moved, rerouted)


class _Refused(NamedTuple):
    """A segment of which a copy was refused, as it stands."""

    segment_id: int
    claim: int  # of the copy
    state: int
    reason: str
    attempts: int
    parts: int
    due_utc_ms: int
    expires_utc_ms: int
    unanswered: int
    doubt_ends_utc_ms: int | None
    late: int  # the copy was given up already: it is one of the unanswered


class _Refusal(NamedTuple):
    """What becomes of it."""

    move: Move
    reason: Reason
    due_utc_ms: int
    attempts: int


def _refusal(tx: Transaction, op: RecordOutcomes, outcome: SubmitOutcome, segment: _Refused) -> _Refusal:
    due, attempts = segment.due_utc_ms, segment.attempts
    if segment.reason == Reason.CANCELLED_BY_APP and outcome.kind is not OutcomeKind.REJECTED:
        return _Refusal(Move.TAKE_BACK, Reason.CANCELLED_BY_APP, due, attempts)
    match outcome.kind:
        case OutcomeKind.THROTTLED:
            return _Refusal(Move.REQUEUE, Reason.THROTTLED, due, attempts)
        case OutcomeKind.DELAYED:
            return _Refusal(Move.REQUEUE, Reason.RECIPIENT_QUEUE_FULL, max(due, outcome.due_utc_ms), attempts)
        case OutcomeKind.PAUSED:
            return _Refusal(Move.REQUEUE, Reason.BIND_PAUSED, due, attempts)
        case OutcomeKind.RETRY | OutcomeKind.REROUTED:
            again = retry_at(attempts + 1, op.now_utc_ms, op.retry, tx.jitter())
            if again is None:
                return _Refusal(Move.GIVE_UP, Reason.RETRIES_EXHAUSTED, due, attempts + 1)
            return _Refusal(Move.REQUEUE, Reason.TEMPORARY_REFUSAL, again, attempts + 1)
        case _:
            return _Refusal(Move.REFUSE, Reason.REFUSED, due, attempts + 1)


def _record_refused(tx: Transaction, op: RecordOutcomes, refused: Sequence[SubmitOutcome]) -> tuple[int, int]:
    """How many moved, and how many of them to another carrier."""
    by_claim = {(one.segment_id, one.claim): one for one in refused}
    keys = json.dumps([[one.segment_id, one.claim] for one in refused])
    found = _last_copies(tx, [_Refused(*row) for row in tx.found(sql.REFUSED_SEGMENTS, keys)])
    updates, history, finals = [], [], []
    back: set[int] = set()  # messages of several parts of which one waits again
    refusals, departures = _refusals(tx, op, by_claim, found)
    rerouted: set[int] = set()
    for segment, outcome, (move, reason, due, attempts) in refusals:
        number, status = segment.segment_id, outcome.command_status
        target = target_of(SegmentState(segment.state), move, doubtful=segment.unanswered > 0)
        assert target is not None  # each refusal has its row
        final = None if target.is_open else op.now_utc_ms
        doubtful = target is SegmentState.IN_DOUBT
        deadline = segment.doubt_ends_utc_ms if doubtful else segment.expires_utc_ms
        updates.append(
            (number, target.value, reason.value, due, deadline, attempts, status, final, segment.unanswered)
        )
        if target.is_open:
            detail = "" if status is None else status_name(status)
            if move is Move.REROUTE:
                detail = f"{op.carrier} -> {departures[message_id_of(number)].carrier}, {detail}"
                rerouted.add(number)
            history.append((number, op.now_utc_ms, target.value, reason.value, op.bind, detail))
            if segment.parts > 1 and not doubtful:
                back.add(message_id_of(number))
        else:
            finals.append((number, target, segment.parts))
    if updates:
        tx.rows(sql.RECORD_REFUSED, sql.RECORD_REFUSED_ROW, updates, op.now_utc_ms)
        tx.woken.add(op.carrier)
    write_history(tx, history)
    depart(tx, op, departures, rerouted)
    conclude(tx, finals, op.now_utc_ms)
    cancel_siblings(tx, back, op.now_utc_ms)
    return len(refusals), len(rerouted)


def _last_copies(tx: Transaction, found: Sequence[_Refused]) -> list[_Refused]:
    """Those of the segments that move: it was the copy in flight that was refused, or the last unanswered one of a
    segment in doubt. `unanswered` becomes what it is without the copies that were refused."""
    late = Counter(one.segment_id for one in found if one.late)
    if not late:
        return list(found)
    last: dict[int, _Refused] = {}
    for one in found:
        left = max(one.unanswered - late[one.segment_id], 0)
        if not one.late or (one.state == SegmentState.IN_DOUBT and left == 0):
            last[one.segment_id] = one._replace(unanswered=left)
    answered = [(one.segment_id, max(one.unanswered - late[one.segment_id], 0)) for one in found if one.late]
    tx.rows(sql.RECORD_ANSWERED, sql.RECORD_ANSWERED_ROW, list(dict(answered).items()))
    return list(last.values())


def _refusals(
    tx: Transaction,
    op: RecordOutcomes,
    by_claim: Mapping[tuple[int, int], SubmitOutcome],
    found: Sequence[_Refused],
) -> tuple[list[tuple[_Refused, SubmitOutcome, _Refusal]], dict[int, Departure]]:
    """What becomes of each refused segment, and the messages that another carrier may take."""
    refusals = []
    asking: set[int] = set()
    coming_back: dict[int, int] = {}  # with how many of its copies are still unanswered
    for segment in found:
        outcome = by_claim[segment.segment_id, segment.claim]
        refusal = _refusal(tx, op, outcome, segment)
        refusals.append((segment, outcome, refusal))
        rerouted = outcome.kind is OutcomeKind.REROUTED and refusal.move is not Move.TAKE_BACK
        if rerouted:
            asking.add(message_id_of(segment.segment_id))
        if rerouted or refusal.move is Move.REQUEUE:
            coming_back[segment.segment_id] = segment.unanswered
    departures = departures_of(tx, asking, coming_back) if asking else {}
    for index, (segment, outcome, _) in enumerate(refusals):
        if outcome.kind is OutcomeKind.REROUTED and message_id_of(segment.segment_id) in departures:
            leaves = _Refusal(Move.REROUTE, Reason.REROUTED, segment.due_utc_ms, 0)
            refusals[index] = (segment, outcome, leaves)
    return refusals, departures
