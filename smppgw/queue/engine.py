"""Runs the operations of many callers in one transaction, and tells each caller the truth about its own.

Owns the transaction: begin, group commit, roll back, retry one by one. Runs on whatever thread calls it; knows
neither event loops nor which store it serves.
"""

from __future__ import annotations

import logging
import random
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from smppgw.errors import StoreError, StoreUnavailable
from smppgw.queue.model import Accept, IdSource, Op
from smppgw.queue.operations import Transaction, execute

log = logging.getLogger("smppgw.queue")

#: Primary result codes after which trying the same again at once cannot help: the disk or the file is the trouble.
_UNAVAILABLE = {
    sqlite3.SQLITE_FULL: "the disk or the store's size limit is full",
    sqlite3.SQLITE_IOERR: "the disk reports an input/output error",
    sqlite3.SQLITE_READONLY: "the store is read-only",
    sqlite3.SQLITE_CANTOPEN: "a file of the store cannot be opened",
    sqlite3.SQLITE_BUSY: "another process holds the store locked",
    sqlite3.SQLITE_LOCKED: "another process holds the store locked",
    sqlite3.SQLITE_CORRUPT: "the store is damaged",
    sqlite3.SQLITE_NOTADB: "the store is damaged",
    sqlite3.SQLITE_NOMEM: "out of memory",
}


@dataclass(slots=True)
class Call:
    """The operations of one caller: all of them are kept, or none."""

    ops: Sequence[Op[Any]]
    done: Callable[[], None]
    error: StoreError | None = None
    woken: set[str] = field(default_factory=set)


def unavailable(error: BaseException) -> StoreUnavailable | None:
    """The error for the callers when `error` speaks of the disk or the file, None when of the statement."""
    if not isinstance(error, sqlite3.Error):
        return None
    code = getattr(error, "sqlite_errorcode", None)
    why = _UNAVAILABLE.get(code & 0xFF) if code is not None else None
    return None if why is None else StoreUnavailable(f"{why} ({error})")


class Engine:
    """Group commit on one connection."""

    def __init__(
        self, connection: sqlite3.Connection, ids: IdSource, jitter: Callable[[], float] = random.random
    ) -> None:
        self._connection = connection
        self._ids = ids
        self._jitter = jitter
        self._max_variables = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)

    def run(self, calls: Sequence[Call]) -> None:
        """Commits all calls together; each call's `error` says what became of it. Never raises."""
        try:
            self._transact(calls)
        except Exception as error:
            self._roll_back()
            trouble = unavailable(error)
            if trouble is not None:
                # What the disk refused it would refuse again; every caller hears so now.
                self._fail(calls, trouble)
            elif len(calls) == 1:
                log.exception("a store operation failed: %s", [type(op).__name__ for op in calls[0].ops])
                self._fail(calls, StoreError(f"the store could not do this: {error}"))
            else:
                # One bad batch must fail alone, and it is not known which: each gets its own transaction.
                for call in calls:
                    self.run([call])

    def _transact(self, calls: Sequence[Call]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        results: list[tuple[Op[Any], Any]] = []
        accepts: list[Op[Any]] = []
        for call in calls:
            tx = Transaction(connection, self._ids, self._jitter, self._max_variables)
            if len(call.ops) == 1 and isinstance(call.ops[0], Accept):
                accepts.append(call.ops[0])
                call.woken = {message.carrier for message in call.ops[0].messages}
                continue
            results += [(op, execute(tx, op)) for op in call.ops]
            call.woken = tx.woken
        if accepts:
            results += self._accept_together(accepts)
        connection.execute("COMMIT")
        for op, result in results:
            op.result = result

    def _accept_together(self, ops: Sequence[Any]) -> list[tuple[Op[Any], Any]]:
        """Many callers' messages in one insert: at one message a request this is what makes it quick."""
        tx = Transaction(self._connection, self._ids, self._jitter, self._max_variables)
        together = Accept(
            [message for op in ops for message in op.messages],
            max(op.now_utc_ms for op in ops),
            max(op.reference_hold_ms for op in ops),
        )
        accepted = execute(tx, together)
        results, start = [], 0
        for op in ops:
            end = start + len(op.messages)
            results.append((op, accepted[start:end]))
            start = end
        return results

    def _roll_back(self) -> None:
        # SQLITE_FULL and others have rolled back by themselves; a second ROLLBACK would raise.
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                log.exception("rolling back failed")

    @staticmethod
    def _fail(calls: Sequence[Call], error: StoreError) -> None:
        for call in calls:
            # One of its own for each: raised in many tasks, a shared one would carry the tracebacks of all of them.
            call.error = type(error)(*error.args)
            call.woken = set()
