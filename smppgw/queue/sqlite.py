"""The store on SQLite: one writer that commits for everybody who waits, one reader, both on aiosqlite.

Owns the connections, their threads and the lock of the file. The writer's loop is an asyncio task on the bridge, so
a commit costs no crossing; callers from trio and from asyncio wait in the same inbox.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import aiosqlite
import trio

from smppgw import telemetry
from smppgw.bridge import run_asyncio
from smppgw.errors import StoreBusy, StoreError, StoreUnavailable
from smppgw.queue import views
from smppgw.queue.engine import Call, Engine, unavailable
from smppgw.queue.model import (
    Accept,
    Depths,
    IdRelationView,
    IdSource,
    InboundView,
    MessageQuery,
    MessageView,
    Op,
    ParkedReceiptView,
    Probe,
    QuarantineView,
)
from smppgw.queue.schema import migrate, owned_version, refuse_old_sqlite
from smppgw.queue.statements import LAST_MESSAGE_ID
from smppgw.queue.work import WorkBoard, WorkSignal

log = logging.getLogger("smppgw.queue")

T = TypeVar("T")

#: How long a lock held by another process (a backup, the sqlite3 shell) is waited for.
BUSY_TIMEOUT_MS = 5_000
#: Pages (of 4 KiB) in the WAL after which a commit also checkpoints.
WAL_AUTOCHECKPOINT_PAGES = 4_000
CACHE_KIB = 32_768
#: Prepared statements that a connection keeps; statements.piece_of keeps their number small.
STATEMENTS_KEPT = 256


class _Hop:
    """What a function run on the connection's thread returned, dressed as the cursor that aiosqlite expects."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def fetchall(self) -> Any:
        return self._value


class _HopConnection(sqlite3.Connection):
    """A connection whose `execute` also takes a function: a whole transaction in one visit to the thread.

    One await per statement would cost a third of the throughput (14,200 against 22,700 messages per second).
    """

    def execute(self, sql: Any, parameters: Any = ()) -> Any:
        return _Hop(sql(self)) if callable(sql) else super().execute(sql, parameters)


async def _hop(connection: aiosqlite.Connection, function: Callable[[sqlite3.Connection], T]) -> T:
    result: Any = await connection.execute_fetchall(function)
    value: T = result
    return value


class StoreObserver(Protocol):
    """Is told of each transaction; calls come once per transaction, never per message."""

    def transaction(self, elapsed_s: float, hop_s: float, calls: int) -> None:
        """It took `elapsed_s` on its thread and `hop_s` from hand-over to the waiting callers' turn."""
        ...

    def failed(self, error: StoreError) -> None: ...


class SqliteStore:
    """Implements smppgw.queue.model.Store; made by `open_store`. `from_asyncio` is the same for asyncio tasks."""

    def __init__(
        self,
        writer: aiosqlite.Connection,
        reader: aiosqlite.Connection,
        max_waiting_accepts: int,
        observer: StoreObserver | None,
    ) -> None:
        self.from_asyncio = FromAsyncio(self._post, reader)
        self._observer = observer
        self._writer = writer
        self._reader = reader
        self._engine: Engine | None = None
        self._inbox: list[Call] = []
        self._waiting_accepts = 0
        self._max_waiting_accepts = max_waiting_accepts
        self._wake: asyncio.Future[None] | None = None
        self._closing = False
        self._finished = trio.Event()
        self._board = WorkBoard()
        #: The newest trouble with the disk, None while all is well; shown in /readyz.
        self.trouble: str | None = None

    # Committing ---------------------------------------------------------------------------------------------------

    async def commit(self, *ops: Op[Any]) -> None:
        """See Store.commit. Not cancelled once begun: the caller must learn what became of it."""
        event = trio.Event()
        call = self._post(ops, event.set)
        with trio.CancelScope(shield=True):
            await event.wait()
        if call.error is not None:
            raise call.error

    def _post(self, ops: tuple[Op[Any], ...], done: Callable[[], None]) -> Call:
        if self._closing:
            raise StoreUnavailable("the store is closed")
        accepts = sum(len(op.messages) for op in ops if isinstance(op, Accept))
        if accepts and self._waiting_accepts + accepts > self._max_waiting_accepts:
            raise StoreBusy(
                f"{self._waiting_accepts} messages already wait for their commit (store.max_waiting_accepts)"
            )
        self._waiting_accepts += accepts
        call = Call(ops, done)
        self._inbox.append(call)
        self._wake_up()
        return call

    async def _run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Commits until `_finish`. Shielded: while anybody waits for a commit, there must be someone to do it."""
        with trio.CancelScope(shield=True):
            task_status.started()
            try:
                await run_asyncio(self._commit_loop)
            finally:
                self._closing = True
                for call in self._inbox:
                    call.error = StoreUnavailable("the store is closed")
                    call.done()
                self._finished.set()

    async def _finish(self) -> None:
        """No more calls; returns when those that wait are committed."""
        self._closing = True
        self._wake_up()
        with trio.CancelScope(shield=True):
            await self._finished.wait()

    def _wake_up(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _commit_loop(self) -> None:
        """asyncio: one transaction after the other, each with everything that waits."""
        loop = asyncio.get_running_loop()
        while self._inbox or not self._closing:
            if not self._inbox:
                self._wake = loop.create_future()
                await self._wake
                self._wake = None
                continue
            calls, self._inbox, self._waiting_accepts = self._inbox, [], 0
            await self._commit_batch(calls)

    async def _commit_batch(self, calls: list[Call]) -> None:
        assert self._engine is not None
        engine = self._engine
        handed_over = time.perf_counter()
        try:
            elapsed_s = await _hop(self._writer, lambda _: _timed(engine, calls))
        except BaseException as error:
            for call in calls:
                call.error = StoreError(f"the store's thread failed: {error}")
            raise
        else:
            if self._observer is not None:
                self._observer.transaction(elapsed_s, time.perf_counter() - handed_over, len(calls))
        finally:
            self._tell_troubles(calls)
            for carrier in set().union(*(call.woken for call in calls)):
                self._board.bump(carrier)
            for call in calls:
                call.done()

    def _tell_troubles(self, calls: list[Call]) -> None:
        errors = [call.error for call in calls if call.error is not None]
        disk = next((str(error) for error in errors if isinstance(error, StoreUnavailable)), None)
        if disk is not None and self.trouble is None:
            telemetry.log(log, logging.ERROR, "store_unavailable", reason=disk)
        if disk is not None:
            self.trouble = disk
        elif self.trouble is not None and any(isinstance(op, (Accept, Probe)) for call in calls for op in call.ops):
            # Only what needs new space tells that the disk takes data again.
            self.trouble = None
            telemetry.log(log, logging.INFO, "store_available")
        if self._observer is not None:
            for error in errors:
                self._observer.failed(error)

    def work(self, carrier: str) -> WorkSignal:
        return self._board.signal(carrier)

    # Reading ------------------------------------------------------------------------------------------------------

    async def message(self, message_id: int) -> MessageView | None:
        return await run_asyncio(self.from_asyncio.message, message_id)

    async def messages(self, query: MessageQuery) -> list[MessageView]:
        return await run_asyncio(self.from_asyncio.messages, query)

    async def inbound(self, *, before: int | None, limit: int) -> list[InboundView]:
        return await run_asyncio(self.from_asyncio.inbound, before, limit)

    async def parked_receipts(self, *, before: int | None, limit: int) -> list[ParkedReceiptView]:
        return await run_asyncio(self.from_asyncio.parked_receipts, before, limit)

    async def quarantine(self, *, before: int | None, limit: int) -> list[QuarantineView]:
        return await run_asyncio(self.from_asyncio.quarantine, before, limit)

    async def id_relations(self) -> list[IdRelationView]:
        return await run_asyncio(self.from_asyncio.id_relations)

    async def depths(self) -> Depths:
        return await run_asyncio(self.from_asyncio.depths)

    # Opening ------------------------------------------------------------------------------------------------------

    async def _prepare(self) -> None:
        """asyncio: pragmas, migrations, ids."""

        def prepare(connection: sqlite3.Connection) -> Engine:
            connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
            owned_version(connection)  # a file of something else is not even switched to WAL
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                raise StoreError(f"SQLite cannot keep a write-ahead log here (it answers {mode!r})")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_AUTOCHECKPOINT_PAGES}")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            migrate(connection)
            last = connection.execute(LAST_MESSAGE_ID).fetchone()[0]
            return Engine(connection, IdSource(last or 0))

        self._engine = await _hop(self._writer, prepare)
        await _hop(self._reader, lambda connection: connection.execute("PRAGMA query_only = 1").fetchall())


def _timed(engine: Engine, calls: list[Call]) -> float:
    started = time.perf_counter()
    engine.run(calls)
    return time.perf_counter() - started


class FromAsyncio:
    """The store for asyncio tasks, without a crossing."""

    def __init__(
        self, post: Callable[[tuple[Op[Any], ...], Callable[[], None]], Call], reader: aiosqlite.Connection
    ) -> None:
        self._post = post
        self._reader = reader

    async def commit(self, *ops: Op[Any]) -> None:
        """See Store.commit. If the task is cancelled, what it handed over is committed all the same."""
        future = asyncio.get_running_loop().create_future()
        call = self._post(ops, lambda: None if future.done() else future.set_result(None))
        await future
        if call.error is not None:
            raise call.error

    async def _read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await _hop(self._reader, function)
        except sqlite3.Error as error:
            raise unavailable(error) or StoreError(f"reading failed: {error}") from error

    async def message(self, message_id: int) -> MessageView | None:
        return await self._read(lambda connection: views.message(connection, message_id))

    async def messages(self, query: MessageQuery) -> list[MessageView]:
        return await self._read(lambda connection: views.messages(connection, query))

    async def inbound(self, before: int | None, limit: int) -> list[InboundView]:
        return await self._read(lambda connection: views.inbound(connection, before, limit))

    async def parked_receipts(self, before: int | None, limit: int) -> list[ParkedReceiptView]:
        return await self._read(lambda connection: views.parked_receipts(connection, before, limit))

    async def quarantine(self, before: int | None, limit: int) -> list[QuarantineView]:
        return await self._read(lambda connection: views.quarantine(connection, before, limit))

    async def id_relations(self) -> list[IdRelationView]:
        return await self._read(views.id_relations)

    async def depths(self) -> Depths:
        return await self._read(views.depths)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds the store's lock file, so that two daemons never send the same messages."""
    lock_path = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = lock_path.open("w")
    except OSError as error:
        raise StoreUnavailable(f"cannot create the store's lock {lock_path}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreUnavailable(f"{path} is in use by another smppgw (its lock {lock_path} is held)") from error
        yield


@asynccontextmanager
async def open_store(
    path: Path, *, max_waiting_accepts: int = 100_000, observer: StoreObserver | None = None
) -> AsyncIterator[SqliteStore]:
    """Opens (and where needed creates or migrates) the store; needs an asyncio loop on the bridge.

    Raises StoreUnavailable when the file cannot be opened or is in use, StoreVersionError when it is too new.
    """
    refuse_old_sqlite()
    connect = partial(
        aiosqlite.connect, path, factory=_HopConnection, isolation_level=None, cached_statements=STATEMENTS_KEPT
    )
    with _locked(path):
        writer, reader = connect(), connect()
        try:
            store = SqliteStore(writer, reader, max_waiting_accepts, observer)
            try:
                await run_asyncio(_connect, writer, reader)
                await run_asyncio(store._prepare)
            except sqlite3.Error as error:
                raise unavailable(error) or StoreError(f"{path} cannot be opened: {error}") from error
            async with trio.open_nursery() as nursery:
                await nursery.start(store._run)
                try:
                    yield store
                finally:
                    await store._finish()
        finally:
            # aiosqlite's threads are not daemon threads: left running they would keep the process alive.
            with trio.CancelScope(shield=True):
                await run_asyncio(_close, writer, reader)


async def _connect(*connections: aiosqlite.Connection) -> None:
    for connection in connections:
        await connection


async def _close(*connections: aiosqlite.Connection) -> None:
    async with AsyncExitStack() as closing:  # each, whatever becomes of the others
        for connection in connections:
            closing.push_async_callback(connection.close)
