"""What only the threaded store has: the file, its lock, its thread, callers from both worlds."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import trio

from smppgw.bridge import asyncio_loop, run_asyncio
from smppgw.errors import StoreError, StoreUnavailable, StoreVersionError
from smppgw.queue.model import Accept, MessageQuery, Probe
from smppgw.queue.sqlite import open_store

from .make import NOW, accept, new_message, sweep


async def test_what_was_accepted_is_there_after_opening_again(tmp_path: Path) -> None:
    async with asyncio_loop():
        async with open_store(tmp_path / "deep" / "store.db") as store:
            first = await accept(store, new_message())
        async with open_store(tmp_path / "deep" / "store.db") as store:
            assert [one.message_id for one in await store.messages(MessageQuery())] == first
            assert (await accept(store, new_message(), now=0))[0] > first[0], "ids rise even if the clock went back"


async def test_a_second_daemon_on_the_same_file_is_refused(tmp_path: Path) -> None:
    async with asyncio_loop(), open_store(tmp_path / "store.db"):
        with pytest.raises(StoreUnavailable, match="in use by another smppgw"):
            async with open_store(tmp_path / "store.db"):
                pass


async def test_a_newer_file_and_a_file_of_something_else(tmp_path: Path) -> None:
    async with asyncio_loop():
        async with open_store(tmp_path / "store.db"):
            pass
        with sqlite3.connect(tmp_path / "store.db") as connection:
            connection.execute("PRAGMA user_version = 999")
        connection.close()
        with pytest.raises(StoreVersionError):
            async with open_store(tmp_path / "store.db"):
                pass
        (tmp_path / "text.db").write_bytes(b"not a database, not at all" * 100)
        with pytest.raises(StoreUnavailable, match="damaged"):
            async with open_store(tmp_path / "text.db"):
                pass


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with asyncio_loop():
        with pytest.raises(StoreError, match="lock"):
            async with open_store(tmp_path / "file" / "store.db"):
                pass


async def test_trio_and_asyncio_callers_share_the_writer(tmp_path: Path) -> None:
    async with asyncio_loop(), open_store(tmp_path / "store.db") as store:
        async with trio.open_nursery() as nursery:
            for i in range(50):
                one = Accept([new_message(text=f"asyncio {i}")], NOW)
                nursery.start_soon(run_asyncio, store.from_asyncio.commit, one)
                nursery.start_soon(store.commit, Accept([new_message(text=f"trio {i}")], NOW))
        texts = {one.text for one in await store.messages(MessageQuery(limit=1000))}
        assert texts == {f"{world} {i}" for world in ("asyncio", "trio") for i in range(50)}


async def test_more_waiting_than_allowed_is_refused_at_once(tmp_path: Path) -> None:
    async with asyncio_loop(), open_store(tmp_path / "store.db", max_waiting_accepts=10) as store:
        with pytest.raises(StoreUnavailable, match="max_waiting_accepts"):
            await accept(store, *(new_message() for _ in range(11)))
        assert len(await accept(store, *(new_message() for _ in range(10)))) == 10


async def test_a_cancelled_caller_leaves_after_the_commit(tmp_path: Path) -> None:
    async with asyncio_loop(), open_store(tmp_path / "store.db") as store:
        with trio.CancelScope() as scope:
            scope.cancel()
            await accept(store, new_message())
        assert len(await store.messages(MessageQuery())) == 1


async def test_calls_that_wait_at_closing_time_are_committed(tmp_path: Path) -> None:
    ops = [Accept([new_message()], NOW) for _ in range(20)]
    async with asyncio_loop():
        async with trio.open_nursery() as nursery, open_store(tmp_path / "store.db") as store:
            for op in ops:
                nursery.start_soon(store.commit, op)
            await trio.testing.wait_all_tasks_blocked(0)
        assert all(op.result for op in ops)
        with pytest.raises(StoreUnavailable, match="closed"):
            await store.commit(Accept([new_message()], NOW))


async def test_a_full_disk_shows_as_trouble_until_it_is_over(tmp_path: Path) -> None:
    async with asyncio_loop(), open_store(tmp_path / "store.db") as store:
        await store.commit(Accept([new_message()], NOW))
        await _limit_pages(store, 1)
        with pytest.raises(StoreUnavailable, match="full"):
            await accept(store, new_message(text="x" * 1_000_000))
        assert store.trouble is not None
        assert "full" in store.trouble
        with pytest.raises(StoreUnavailable, match="full"):
            await store.commit(Probe())
        await _limit_pages(store, 1_000_000)
        await sweep(store, NOW)
        assert store.trouble is not None, "what writes nothing tells nothing"
        await store.commit(Probe())
        assert store.trouble is None


async def _limit_pages(store: object, pages: int) -> None:
    from smppgw.queue.sqlite import SqliteStore, _hop

    assert isinstance(store, SqliteStore)

    def limit(connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()

    await run_asyncio(_hop, store._writer, limit)
