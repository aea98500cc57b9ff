"""PDUs that could not be read, kept for people to look at."""

from __future__ import annotations

from smppgw.queue import statements as sql
from smppgw.queue.model import Quarantine
from smppgw.queue.operations.transaction import Transaction

#: So many old ones go at once, beside as many as were added: where `keep` was set lower, it takes a few operations.
_FORGET_AT_ONCE = 500


def quarantine(tx: Transaction, op: Quarantine) -> None:
    """Adds the newest, forgets the oldest of the carrier."""
    rows = [
        (
            op.carrier,
            op.bind,
            op.now_utc_ms,
            pdu.command_id,
            pdu.sequence_number,
            pdu.command_status,
            pdu.field,
            pdu.error,
            pdu.frame,
        )
        for pdu in op.pdus
    ]
    tx.rows(sql.INSERT_QUARANTINE, sql.INSERT_QUARANTINE_ROW, rows)
    tx.connection.execute(sql.FORGET_QUARANTINE, (op.carrier, len(rows) + _FORGET_AT_ONCE, op.keep))
