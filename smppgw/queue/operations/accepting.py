"""New messages into the tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from smppgw.queue import statements as sql
from smppgw.queue.model import (
    Accept,
    Acceptance,
    AcceptStatus,
    NewMessage,
    segment_id,
)
from smppgw.queue.operations.transaction import Transaction


def accept(tx: Transaction, op: Accept) -> list[Acceptance]:
    """Stores the messages, but for those whose idempotency key says that they are stored already."""
    results: list[Acceptance | None] = _repeats(tx, op.messages)
    fresh: dict[tuple[str, str], int] = {}
    ids = iter(tx.ids.take(len(op.messages), op.now_utc_ms))
    message_rows, segment_rows = [], []
    for index, message in enumerate(op.messages):
        if results[index] is not None:
            continue
        if message.idempotency_key is not None:
            first = fresh.setdefault((message.account, message.idempotency_key), index)
            if first != index:  # twice in one transaction
                results[index] = _repeat_of(message, op.messages[first].digest, results[first])
                continue
        message_id = next(ids)
        expires = op.now_utc_ms + message.validity_ms
        parts = len(message.segments)
        message_rows.append(_message_row(message, message_id, op.now_utc_ms, expires))
        segment_rows += [
            (
                segment_id(message_id, part),
                message.carrier,
                message.lane.value,
                parts,
                1 if message.registered_delivery else 0,
                op.now_utc_ms,
                expires,
                octets,
            )
            for part, octets in enumerate(message.segments, 1)
        ]
        tx.woken.add(message.carrier)
        results[index] = Acceptance(AcceptStatus.STORED, message_id, parts)
    tx.rows(sql.INSERT_MESSAGES, sql.INSERT_MESSAGES_ROW, message_rows)
    tx.rows(sql.INSERT_SEGMENTS, sql.INSERT_SEGMENTS_ROW, segment_rows)
    return [result for result in results if result is not None]


def _message_row(message: NewMessage, message_id: int, accepted: int, expires: int) -> tuple[Any, ...]:
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
        len(message.segments),
        accepted,
        expires,
        message.client_ref,
        message.idempotency_key,
        message.digest,
        json.dumps(message.alternatives) if message.alternatives else None,
        message.extras.as_json() if message.extras is not None else None,
    )


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
    status = AcceptStatus.REPEATED if message.digest == digest else AcceptStatus.CONFLICT
    return Acceptance(status, stored.message_id, stored.segments)
