"""A store without threads, for tests on the virtual clock: the same engine and statements, run in place.

Held to the same conformance suite as the store on disk (tests/queue). Switches make it slow (`commit_s`), make it
fail (`unavailable`), or choke on certain items (`poison`).
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import trio

from smppgw.errors import StoreError, StoreUnavailable
from smppgw.queue import views
from smppgw.queue.engine import Call, Engine
from smppgw.queue.model import (
    Depths,
    Doubt,
    IdRelationView,
    IdSource,
    InboundView,
    MessageQuery,
    MessageView,
    Op,
    ParkedReceiptView,
    QuarantineView,
    RecordOutcomes,
    RecordReceipts,
    Withdraw,
)
from smppgw.queue.schema import migrate
from smppgw.queue.work import WorkBoard, WorkSignal


class InlineStore:
    """Implements smppgw.queue.model.Store in memory (or in a file, for tests that open it again)."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        migrate(self.connection)
        self._engine = Engine(self.connection, IdSource(), jitter=lambda: 0.5)
        self._board = WorkBoard()
        self._free = trio.Lock()  # one writer
        #: Seconds of trio's clock that a commit takes.
        self.commit_s = 0.0
        #: Every commit fails, as with a full disk.
        self.unavailable = False
        #: Items that make a transaction fail: the type of the operation, and a segment's id or that of a receipt.
        self.poison: set[tuple[type[Op[Any]], int | str]] = set()
        #: The operations of each commit that went through.
        self.commits: list[tuple[Op[Any], ...]] = []

    def close(self) -> None:
        self.connection.close()

    def __del__(self) -> None:
        self.close()

    async def commit(self, *ops: Op[Any]) -> None:
        async with self._free:
            await trio.sleep(self.commit_s)
            if self.unavailable:
                raise StoreUnavailable("disk full")
            for op in ops:
                self._refuse_poison(op)
            self.commit_now(*ops)
            self.commits.append(ops)

    def commit_now(self, *ops: Op[Any]) -> None:
        """Without waiting, whatever the switches say."""
        call = Call(ops, lambda: None)
        self._engine.run([call])
        if call.error is not None:
            raise call.error
        for carrier in call.woken:
            self._board.bump(carrier)

    def _refuse_poison(self, op: Op[Any]) -> None:
        items: list[int] | list[str] = []
        match op:
            case RecordOutcomes(outcomes=outcomes):
                items = [one.segment_id for one in outcomes]
            case Doubt(segments=claims) | Withdraw(segments=claims):
                items = [segment for segment, _ in claims]
            case RecordReceipts(receipts=receipts):
                items = [one.smsc_id for one in receipts]
        if any((type(op), item) in self.poison for item in items):
            raise StoreError(f"poisoned {type(op).__name__}")

    def work(self, carrier: str) -> WorkSignal:
        return self._board.signal(carrier)

    async def message(self, message_id: int) -> MessageView | None:
        return views.message(self.connection, message_id)

    async def messages(self, query: MessageQuery) -> list[MessageView]:
        return views.messages(self.connection, query)

    async def inbound(self, *, before: int | None, limit: int) -> list[InboundView]:
        return views.inbound(self.connection, before, limit)

    async def parked_receipts(self, *, before: int | None, limit: int) -> list[ParkedReceiptView]:
        return views.parked_receipts(self.connection, before, limit)

    async def quarantine(self, *, before: int | None, limit: int) -> list[QuarantineView]:
        return views.quarantine(self.connection, before, limit)

    async def id_relations(self) -> list[IdRelationView]:
        return views.id_relations(self.connection)

    async def depths(self) -> Depths:
        return views.depths(self.connection)
