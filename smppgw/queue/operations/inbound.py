"""Texts from phones."""

from __future__ import annotations

from smppgw.queue import statements as sql
from smppgw.queue.model import (
    RecordInbound,
)
from smppgw.queue.operations.transaction import Transaction


def record_inbound(tx: Transaction, op: RecordInbound) -> None:
    rows = [
        (
            op.carrier,
            op.bind,
            op.now_utc_ms,
            *text.source,
            *text.destination,
            text.data_coding,
            text.esm_class,
            text.octets,
            text.text,
        )
        for text in op.texts
    ]
    tx.rows(sql.INSERT_INBOUND, sql.INSERT_INBOUND_ROW, rows)
