"""A store without threads, for tests on the virtual clock: the same engine and statements, run in place."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import trio

from smppgw.queue import views
from smppgw.queue.engine import Call, Engine
from smppgw.queue.model import Depths, IdSource, InboundView, MessageQuery, MessageView, Op
from smppgw.queue.schema import migrate
from smppgw.queue.work import WorkBoard, WorkSignal


class InlineStore:
    """Implements smppgw.queue.model.Store in memory (or in a file, for tests that open it again)."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        migrate(self.connection)
        self._engine = Engine(self.connection, IdSource(), jitter=lambda: 0.5)
        self._board = WorkBoard()

    def close(self) -> None:
        self.connection.close()

    async def commit(self, *ops: Op[Any]) -> None:
        await trio.lowlevel.checkpoint()
        self.commit_now(*ops)

    def commit_now(self, *ops: Op[Any]) -> None:
        call = Call(ops, lambda: None)
        self._engine.run([call])
        if call.error is not None:
            raise call.error
        for carrier in call.woken:
            self._board.bump(carrier)

    def work(self, carrier: str) -> WorkSignal:
        return self._board.signal(carrier)

    async def message(self, message_id: int) -> MessageView | None:
        return views.message(self.connection, message_id)

    async def messages(self, query: MessageQuery) -> list[MessageView]:
        return views.messages(self.connection, query)

    async def inbound(self, *, before: int | None, limit: int) -> list[InboundView]:
        return views.inbound(self.connection, before, limit)

    async def depths(self) -> Depths:
        return views.depths(self.connection)
