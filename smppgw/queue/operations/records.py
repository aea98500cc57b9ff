"""How receipts are stored: rows of the table, and what is kept with a text that may be one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from smppgw.queue.matcher import id_of
from smppgw.queue.model import Reason, ReceiptFlag, ReceiptRecord, ReceiptState


def receipt_row(
    carrier: str,
    bind: str,
    receipt: ReceiptRecord,
    segment: int | None,
    reason: Reason | None,
    flags: str,
    received_utc_ms: int,
) -> tuple[Any, ...]:
    """One row of INSERT_RECEIPTS."""
    return (
        carrier,
        bind,
        receipt.smsc_id,
        receipt.smsc_id if receipt.match_id is None else receipt.match_id,
        segment,
        reason,
        receipt.state,
        receipt.stat,
        receipt.error,
        receipt.source_addr,
        receipt.destination_addr,
        receipt.raw,
        receipt.done_utc_ms,
        receipt.user_message_reference,
        flags,
        receipt.tlvs,
        received_utc_ms,
    )


def with_flags(flags: str, more: Sequence[ReceiptFlag]) -> str:
    """`flags` and those that matching added, with commas between."""
    return ",".join(filter(None, (flags, *more)))


@dataclass(frozen=True, slots=True)
class Parked:
    """A receipt that matched nothing yet."""

    row_id: int
    receipt: ReceiptRecord
    received_utc_ms: int


def parked_of(row: Sequence[Any]) -> Parked:
    row_id, smsc_id, match_id, state, stat, error, source, destination, reference, flags, received = row
    known = None if state is None else ReceiptState(state)
    receipt = ReceiptRecord(smsc_id, known, stat, error, source, destination, b"", match_id, None, reference, flags)
    return Parked(row_id, receipt, received)


def as_json(receipt: ReceiptRecord) -> str:
    """What a text says as a receipt."""
    return json.dumps(
        [
            receipt.smsc_id,
            receipt.state,
            receipt.stat,
            receipt.error,
            receipt.source_addr,
            receipt.destination_addr,
            receipt.raw.hex(),
            id_of(receipt),
            receipt.done_utc_ms,
            receipt.user_message_reference,
            receipt.flags,
            receipt.tlvs,
        ]
    )


def from_json(text: str) -> ReceiptRecord:
    smsc_id, state, stat, error, source, destination, raw, *rest = json.loads(text)
    known = None if state is None else ReceiptState(state)
    return ReceiptRecord(smsc_id, known, stat, error, source, destination, bytes.fromhex(raw), *rest)
