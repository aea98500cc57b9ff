"""Texts from phones: stored once, however often the SMSC delivers them.

An SMSC whose deliver_sm was not answered in time delivers it again, some for up to a day. Such a text equals the one
before it in every octet, but so do two votes "YES" of one phone. What tells them apart is the answer: a text is a
redelivery only where the answer to its twin may not have arrived.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from itertools import count

from smppgw.queue import statements as sql
from smppgw.queue.model import (
    InboundRecorded,
    InboundText,
    RecordInbound,
    SettleInbound,
)
from smppgw.queue.operations.transaction import Transaction

#: SMSCs have been seen to deliver again for up to 24 hours.
REDELIVERY_MS = 25 * 3_600_000
_UNSETTLED, _SETTLED, _MAY_COME_AGAIN = range(3)  # inbound.settled


def record_inbound(tx: Transaction, op: RecordInbound) -> InboundRecorded:
    """Stores what is new; a redelivered text takes over the row of its twin, and the session it came over."""
    ids = _twins(tx, op)
    fresh = [index for index, number in enumerate(ids) if number is None]
    again = [number for number in ids if number is not None]
    if again:
        tx.connection.execute(sql.REDELIVERED, (op.session, op.bind, json.dumps(again)))
    texts = [op.texts[index] for index in fresh]
    stored = _insert(tx, op.carrier, op.bind, texts, op.now_utc_ms, op.session, _UNSETTLED)
    of_fresh = iter(stored)
    return InboundRecorded([next(of_fresh) if number is None else number for number in ids], len(again))


def store_texts(tx: Transaction, carrier: str, bind: str, texts: Sequence[InboundText], now_utc_ms: int) -> list[int]:
    """Stores texts that need no answer any more; their ids, in order."""
    return _insert(tx, carrier, bind, texts, now_utc_ms, 0, _SETTLED)


def settle_inbound(tx: Transaction, op: SettleInbound) -> None:
    for settled, numbers in ((_SETTLED, op.settled), (_MAY_COME_AGAIN, op.late)):
        if numbers:
            tx.connection.execute(sql.SETTLE_INBOUND, (settled, json.dumps(list(numbers))))


def _insert(
    tx: Transaction,
    carrier: str,
    bind: str,
    texts: Sequence[InboundText],
    now_utc_ms: int,
    session: int,
    settled: int,
) -> list[int]:
    if not texts:
        return []
    numbers = count(tx.one(sql.LAST_INBOUND_ID) + 1)
    rows = [
        (
            number,
            carrier,
            bind,
            now_utc_ms,
            *text.source,
            *text.destination,
            text.data_coding,
            text.esm_class,
            text.octets,
            text.text,
            text.tlvs,
            session,
            settled,
            text.sniff_id or None,
        )
        for number, text in zip(numbers, texts, strict=False)
    ]
    tx.rows(sql.INSERT_INBOUND, sql.INSERT_INBOUND_ROW, rows)
    return [row[0] for row in rows]


def _twins(tx: Transaction, op: RecordInbound) -> list[int | None]:
    """Of each text, the row of which it is a redelivery. A row is the twin of one text only, the oldest row first."""
    alive = {op.session, *op.alive}
    tx.connection.execute(sql.MAY_COME_AGAIN, (op.carrier, json.dumps(sorted(alive))))
    keys = [
        [*text.source, *text.destination, text.data_coding, text.esm_class, text.octets.hex().upper()]
        for text in op.texts
    ]
    oldest = op.now_utc_ms - REDELIVERY_MS
    found: defaultdict[int, list[int]] = defaultdict(list)
    for index, number in tx.found(sql.TWINS, json.dumps(keys), op.carrier, oldest):
        found[index].append(number)
    taken: set[int] = set()
    twins: list[int | None] = []
    for index in range(len(op.texts)):
        twin = min((number for number in found[index] if number not in taken), default=None)
        if twin is not None:
            taken.add(twin)
        twins.append(twin)
    return twins
