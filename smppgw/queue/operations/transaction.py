"""What an operation is given: the connection, the ids, and two ways to run a statement on a whole batch."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from smppgw.queue import statements as sql
from smppgw.queue.model import (
    IdSource,
)


@dataclass(slots=True)
class Transaction:
    """What an operation is given, and what it leaves for the store to tell others once it is committed."""

    connection: sqlite3.Connection
    ids: IdSource
    jitter: Callable[[], float]
    max_variables: int
    #: Carriers for which something may have become QUEUED.
    woken: set[str] = field(default_factory=set)

    def rows(self, statement: str, row: str, rows: Sequence[Sequence[Any]], *first: Any) -> int:
        """Runs a multi-row statement in pieces of a few sizes, none for no rows; how many rows changed."""
        changed, start = 0, 0
        most = min(sql.MOST_ROWS, (self.max_variables - len(first)) // row.count("?"))
        while start < len(rows):
            end = start + sql.piece_of(len(rows) - start, most)
            parameters = [*first, *chain.from_iterable(rows[start:end])]
            changed += self.connection.execute(sql.with_rows(statement, row, end - start), parameters).rowcount
            start = end
        return changed

    def found(self, statement: str, *parameters: Any) -> list[Any]:
        """The rows that a statement gathers in one JSON array."""
        rows: list[Any] = json.loads(self.one(statement, *parameters))
        return rows

    def one(self, statement: str, *parameters: Any) -> Any:
        """The only value of the only row."""
        return self.connection.execute(statement, parameters).fetchone()[0]
