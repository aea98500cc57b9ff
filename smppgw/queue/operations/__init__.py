"""What each operation does to the tables: functions run inside a transaction, on the thread of the connection.

Each takes a fixed number of statements, whatever the size of its batch. Decisions are made by the pure rules in
model, matcher and retry; nothing here knows of threads, loops or commits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from smppgw.queue.model import (
    Accept,
    Cancel,
    Claim,
    Doubt,
    Op,
    Probe,
    Quarantine,
    RecordErrands,
    RecordInbound,
    RecordOutcomes,
    RecordReceipts,
    Recover,
    SettleInbound,
    Sweep,
    TakeErrands,
    Withdraw,
)
from smppgw.queue.operations.accepting import accept
from smppgw.queue.operations.claiming import claim
from smppgw.queue.operations.deadlines import probe, sweep
from smppgw.queue.operations.errands import cancel, record_errands, take_errands
from smppgw.queue.operations.inbound import record_inbound, settle_inbound
from smppgw.queue.operations.outcomes import record_outcomes
from smppgw.queue.operations.quarantine import quarantine
from smppgw.queue.operations.receipts import record_receipts
from smppgw.queue.operations.transaction import Transaction
from smppgw.queue.operations.unanswered import doubt, recover, withdraw

__all__ = ["EXECUTORS", "Transaction", "execute"]

_Result = TypeVar("_Result")

EXECUTORS: dict[type[Op[Any]], Callable[[Transaction, Any], Any]] = {
    Accept: accept,
    Claim: claim,
    RecordOutcomes: record_outcomes,
    RecordReceipts: record_receipts,
    RecordInbound: record_inbound,
    SettleInbound: settle_inbound,
    Quarantine: quarantine,
    Withdraw: withdraw,
    Doubt: doubt,
    Recover: recover,
    Sweep: sweep,
    Probe: probe,
    Cancel: cancel,
    TakeErrands: take_errands,
    RecordErrands: record_errands,
}


def execute(tx: Transaction, op: Op[_Result]) -> _Result:
    """Runs one operation. Errors of SQLite pass through: the transaction is then to be ended."""
    result: _Result = EXECUTORS[type(op)](tx, op)
    return result
