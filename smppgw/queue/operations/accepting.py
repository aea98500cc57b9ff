"""New messages into the tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from smppgw.queue import statements as sql
from smppgw.queue.model import (
    Accept,
    Acceptance,
    AcceptStatus,
    Extras,
    NewMessage,
    Reason,
    SegmentState,
    segment_id,
)
from smppgw.queue.operations.ending import write_history
from smppgw.queue.operations.references import number
from smppgw.queue.operations.transaction import Transaction
from smppgw.sms.encoding import Numbering

_NONE = Numbering.NONE
_QUEUED = SegmentState.QUEUED.value
#: The last second of the year 9999, after which datetime knows none.
_LAST_MS = 253_402_300_799_000


def accept(tx: Transaction, op: Accept) -> list[Acceptance]:
    """Stores the messages, but for those whose idempotency key says that they are stored already, and those that
    cannot be."""
    results: list[Acceptance | None] = _repeats(tx, op.messages)
    now = op.now_utc_ms
    fresh: dict[tuple[str, str], int] = {}
    twice: list[tuple[int, int]] = []  # in this very transaction: (index, that of the first)
    ids = iter(tx.ids.take(len(op.messages), now))
    message_rows, segment_rows = [], []
    apart: list[tuple[int, int]] = []  # (index, message id) of those with a reference, or a time of their own
    for index, message in enumerate(op.messages):
        if results[index] is not None:
            continue
        if message.repeat_only is not None and (message.account, message.idempotency_key) not in fresh:
            results[index] = Acceptance(AcceptStatus.NOT_A_REPEAT, 0, 0)
            continue
        if message.idempotency_key is not None:
            first = fresh.setdefault((message.account, message.idempotency_key), index)
            if first != index:
                twice.append((index, first))
                continue
        message_id = next(ids)
        if message.numbering is not _NONE or message.due_utc_ms > now:
            apart.append((index, message_id))
            continue
        expires = message.expires(now)
        segments = message.segments
        message_rows.append(_message_row(message, message_id, now, expires, segments, message.extras))
        segment_rows += _segment_rows(message, message_id, now, expires, segments)
        tx.woken.add(message.carrier)
        results[index] = Acceptance(AcceptStatus.STORED, message_id, len(segments))
    tx.rows(sql.INSERT_MESSAGES, sql.INSERT_MESSAGES_ROW, message_rows)
    tx.rows(sql.INSERT_SEGMENTS, sql.INSERT_SEGMENTS_ROW, segment_rows)
    if apart:
        _accept_apart(tx, op, apart, results)
    for index, first in twice:
        results[index] = _repeat_of(op.messages[index], op.messages[first].digest, results[first])
    return [result for result in results if result is not None]


def _accept_apart(
    tx: Transaction, op: Accept, apart: Sequence[tuple[int, int]], results: list[Acceptance | None]
) -> None:
    """Stores the messages with a reference, and those that wait for their time."""
    now = op.now_utc_ms
    with_reference = [index for index, _ in apart if op.messages[index].numbering]
    numbered = number(tx, [op.messages[index] for index in with_reference], now, op.reference_hold_ms)
    references = dict(zip(with_reference, numbered, strict=True))
    message_rows: list[tuple[Any, ...]] = []
    segment_rows: list[tuple[Any, ...]] = []
    history: list[tuple[int, int, int, str, str, str]] = []
    for index, message_id in apart:
        message, given = op.messages[index], references.get(index)
        if index in references and given is None:
            results[index] = Acceptance(AcceptStatus.NO_REFERENCE, 0, 0)
            continue
        segments, extras, reference, until, free = given or (message.segments, message.extras, None, None, 0)
        scheduled = message.due_utc_ms if message.due_utc_ms > now else None
        due, reason = scheduled or now, Reason.ACCEPTED if scheduled is None else Reason.SCHEDULED
        if scheduled is not None:
            history.append(_told(message_id, now, reason, f"until {_iso(scheduled)}"))
        if free > due:
            due, reason = free, Reason.REFERENCES_IN_USE
            history.append(_told(message_id, now, reason, f"for {reference}, until {_iso(free)} at the latest"))
        expires = message.expires(now)
        row = _message_row(message, message_id, now, expires, segments, extras)
        message_rows.append((*row, reference, until, scheduled))
        for segment, *others in _segment_rows(message, message_id, due, expires, segments):
            segment_rows.append((segment, reason.value, *others))
        tx.woken.add(message.carrier)
        results[index] = Acceptance(AcceptStatus.STORED, message_id, len(segments))
    tx.rows(sql.INSERT_MESSAGES_APART, sql.INSERT_MESSAGES_APART_ROW, message_rows)
    tx.rows(sql.INSERT_SEGMENTS_APART, sql.INSERT_SEGMENTS_APART_ROW, segment_rows)
    write_history(tx, history)


def _message_row(
    message: NewMessage,
    message_id: int,
    accepted: int,
    expires: int,
    segments: tuple[bytes, ...],
    extras: Extras | None,
) -> tuple[Any, ...]:
    return (
        message_id,
        message.account,
        message.carrier,
        message.lane.value,
        *message.source,
        *message.destination,
        message.text,
        message.alphabet,
        message.data_coding,
        message.esm_class,
        message.registered_delivery,
        len(segments),
        accepted,
        expires,
        message.client_ref,
        message.idempotency_key,
        message.digest,
        json.dumps(message.alternatives) if message.alternatives else None,
        extras.as_json() if extras is not None else None,
    )


def _segment_rows(
    message: NewMessage, message_id: int, due: int, expires: int, segments: tuple[bytes, ...]
) -> list[tuple[Any, ...]]:
    parts, tracked = len(segments), 1 if message.registered_delivery else 0
    carrier, lane = message.carrier, message.lane.value
    if parts == 1:  # as most have
        return [(segment_id(message_id, 1), carrier, lane, 1, tracked, due, expires, segments[0])]
    return [
        (segment_id(message_id, part), carrier, lane, parts, tracked, due, expires, octets)
        for part, octets in enumerate(segments, 1)
    ]


def _told(message_id: int, now_utc_ms: int, reason: Reason, detail: str) -> tuple[int, int, int, str, str, str]:
    """A row of history of the whole message, which is part 0."""
    return segment_id(message_id, 0), now_utc_ms, _QUEUED, reason.value, "", detail


def _iso(utc_ms: int) -> str:
    moment = datetime.fromtimestamp(min(utc_ms, _LAST_MS) / 1000, UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds") + "Z"


def _repeats(tx: Transaction, messages: Sequence[NewMessage]) -> list[Acceptance | None]:
    keyed = [index for index, message in enumerate(messages) if message.idempotency_key is not None]
    results: list[Acceptance | None] = [None] * len(messages)
    if keyed:
        keys = json.dumps([[messages[index].account, messages[index].idempotency_key] for index in keyed])
        for key, message_id, digest, segments in tx.found(sql.FIND_IDEMPOTENT, keys):
            index = keyed[key]
            stored = Acceptance(AcceptStatus.STORED, message_id, segments)
            results[index] = _repeat_of(messages[index], bytes.fromhex(digest), stored)
    return results


def _repeat_of(message: NewMessage, digest: bytes, stored: Acceptance | None) -> Acceptance:
    assert stored is not None
    if stored.status is AcceptStatus.NO_REFERENCE:
        return stored
    status = AcceptStatus.REPEATED if message.digest == digest else AcceptStatus.CONFLICT
    return Acceptance(status, stored.message_id, stored.segments)
