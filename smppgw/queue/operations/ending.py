"""What follows when segments become final: verdicts, cancelled siblings, history."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from smppgw.queue import statements as sql
from smppgw.queue.model import (
    VERDICT_OF_ONE,
    Move,
    Reason,
    SegmentState,
    Verdict,
    message_id_of,
    target_of,
    verdict_of,
)
from smppgw.queue.operations.references import give_back
from smppgw.queue.operations.transaction import Transaction

_STATES = tuple(SegmentState)
_REFUSED = (SegmentState.REJECTED, SegmentState.FAILED)


def finish(
    tx: Transaction,
    segments: Sequence[tuple[int, int, int]],
    move: Move,
    state: SegmentState,
    reason: Reason,
    now_utc_ms: int,
    *,
    told: bool = True,
) -> None:
    """We end these (id, parts of the message, unanswered copies), as far as nobody else has them in hand: those that
    are doubtful wait for what becomes of their copies.

    `told`: history keeps it, since a receipt may still revise it. What is in doubt has its history anyway.
    """
    by_target: defaultdict[SegmentState, list[tuple[int, int]]] = defaultdict(list)
    for number, parts, unanswered in segments:
        target = target_of(state, move, doubtful=unanswered > 0)
        assert target is not None  # the callers have these from the table
        by_target[target].append((number, parts))
    for target, ended in by_target.items():
        numbers = json.dumps([number for number, _ in ended])
        if target is SegmentState.IN_DOUBT:
            tx.connection.execute(sql.HOLD_DOUBTFUL, (reason.value, numbers))
        else:
            tx.connection.execute(sql.RECORD_MOVE, (target.value, reason.value, now_utc_ms, numbers))
        if told or target is SegmentState.IN_DOUBT:
            write_history(tx, [(number, now_utc_ms, target.value, reason.value, "", "") for number, _ in ended])
        if not target.is_open:
            conclude(tx, [(number, target, parts) for number, parts in ended], now_utc_ms)


def conclude(tx: Transaction, finals: Sequence[tuple[int, SegmentState, int]], now_utc_ms: int) -> None:
    """Sets the verdicts that follow from segments (id, state, parts of its message) that just became final."""
    verdicts: defaultdict[Verdict, list[int]] = defaultdict(list)
    several: set[int] = set()
    refused: set[int] = set()
    for segment, state, parts in finals:
        if parts == 1:
            verdicts[VERDICT_OF_ONE[state]].append(message_id_of(segment))
        elif state in _REFUSED:
            refused.add(message_id_of(segment))
        else:
            several.add(message_id_of(segment))
    _set_verdicts(tx, verdicts, now_utc_ms)
    conclude_several(tx, several, now_utc_ms)
    cancel_siblings(tx, refused, now_utc_ms)


def cancel_siblings(tx: Transaction, messages: Collection[int], now_utc_ms: int) -> None:
    """Of a message of which a part was refused for good, nothing more is sent: half a text helps nobody."""
    if messages:
        waiting = tx.found(sql.WAITING_SIBLINGS, json.dumps(sorted(messages)))
        finish(tx, waiting, Move.CANCEL, SegmentState.QUEUED, Reason.SIBLING_FAILED, now_utc_ms, told=False)
        conclude_several(tx, messages, now_utc_ms)


def conclude_several(tx: Transaction, messages: Collection[int], now_utc_ms: int) -> None:
    """The verdicts of messages of several segments, as far as all of theirs are final."""
    if not messages:
        return
    states: defaultdict[int, list[SegmentState]] = defaultdict(list)
    for message, state in tx.found(sql.SIBLING_STATES, json.dumps(sorted(messages))):
        states[message].append(_STATES[state])
    verdicts: defaultdict[Verdict, list[int]] = defaultdict(list)
    for message, of_message in states.items():
        if (verdict := verdict_of(of_message)) is not None:
            verdicts[verdict].append(message)
    _set_verdicts(tx, verdicts, now_utc_ms)
    give_back(tx, [message for verdict in verdicts for message in verdicts[verdict]], now_utc_ms)


def _set_verdicts(tx: Transaction, verdicts: Mapping[Verdict, list[int]], now_utc_ms: int) -> None:
    for verdict, messages in verdicts.items():
        tx.connection.execute(sql.SET_VERDICT, (verdict.value, now_utc_ms, json.dumps(messages)))


def write_history(tx: Transaction, rows: Sequence[tuple[int, int, int, str, str, str]]) -> None:
    tx.rows(sql.INSERT_HISTORY, sql.INSERT_HISTORY_ROW, rows)
