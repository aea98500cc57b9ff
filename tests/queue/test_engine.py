"""Group commit: one bad call fails alone, and every caller hears the truth."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smppgw.errors import StoreError, StoreUnavailable
from smppgw.queue.engine import Call, Engine
from smppgw.queue.model import Accept, Claim, IdSource, Op, RecordInbound
from smppgw.queue.schema import migrate

from .make import NOW, new_message


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    opened.execute("PRAGMA journal_mode = WAL")
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def engine(connection: sqlite3.Connection) -> Engine:
    return Engine(connection, IdSource())


def call(*ops: Op[Any]) -> Call:
    return Call(ops, lambda: None)


def stored(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT text FROM message ORDER BY id")]


def bad() -> Accept:
    return Accept([new_message(client_ref="bad", text=None)], NOW)


def test_calls_share_one_commit(engine: Engine, connection: sqlite3.Connection) -> None:
    calls = [call(Accept([new_message(text=str(i))], NOW)) for i in range(16)]
    commits: list[str] = []
    connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    engine.run(calls)
    connection.set_trace_callback(None)
    assert commits == ["COMMIT"]
    assert stored(connection) == [str(i) for i in range(16)]
    numbers = [one.ops[0].result[0].message_id for one in calls]
    assert numbers == sorted(set(numbers))


def test_one_bad_call_fails_alone(engine: Engine, connection: sqlite3.Connection, caplog: Any) -> None:
    calls = [call(Accept([new_message(text="1")], NOW)), call(bad()), call(Accept([new_message(text="2")], NOW))]
    engine.run(calls)
    assert [type(one.error) for one in calls] == [type(None), StoreError, type(None)]
    assert stored(connection) == ["1", "2"]
    assert "bad" not in caplog.text, "no message body in the log"


def test_all_operations_of_a_call_or_none(engine: Engine, connection: sqlite3.Connection, caplog: Any) -> None:
    one = call(Accept([new_message()], NOW), bad())
    engine.run([one])
    assert isinstance(one.error, StoreError)
    assert stored(connection) == []
    assert not hasattr(one.ops[0], "result")
    assert one.woken == set()
    assert "Accept" in caplog.text


def test_the_next_call_after_a_bad_one_works(engine: Engine, connection: sqlite3.Connection, caplog: Any) -> None:
    engine.run([call(bad())])
    after = call(Accept([new_message(text="after")], NOW), Claim("demo", "b", 1, NOW))
    engine.run([after])
    assert after.error is None
    assert after.ops[1].result.segments[0].octets == b"part \x00 1"
    assert caplog.records


def fill(connection: sqlite3.Connection) -> None:
    """Lets the file grow by nothing more: SQLITE_FULL from here on."""
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_refuses_every_caller_and_recovers(engine: Engine, connection: sqlite3.Connection) -> None:
    engine.run([call(Accept([new_message(text="before")], NOW))])
    fill(connection)
    large = [call(Accept([new_message(text="x" * 100_000)], NOW)) for _ in range(3)]
    engine.run(large)
    assert all(isinstance(one.error, StoreUnavailable) for one in large)
    assert "full" in str(large[0].error)
    assert stored(connection) == ["before"]
    assert not connection.in_transaction
    connection.execute("PRAGMA max_page_count = 1000000")
    again = call(Accept([new_message(text="again")], NOW))
    engine.run([again])
    assert again.error is None
    assert stored(connection) == ["before", "again"]


def test_a_full_disk_still_lets_claims_through(engine: Engine, connection: sqlite3.Connection) -> None:
    engine.run([call(Accept([new_message() for _ in range(50)], NOW))])
    fill(connection)
    refused = call(Accept([new_message(text="x" * 100_000)], NOW))
    engine.run([refused])
    assert isinstance(refused.error, StoreUnavailable)
    claim = Claim("demo", "b", 10, NOW)
    engine.run([call(claim)])
    assert len(claim.result.segments) == 10


def test_a_read_only_store_is_named(tmp_path: Path, connection: sqlite3.Connection) -> None:
    reading = sqlite3.connect(f"file:{tmp_path}/store.db?mode=ro", uri=True, isolation_level=None)
    one = call(RecordInbound("demo", "b", [], NOW), Accept([new_message()], NOW))
    Engine(reading, IdSource()).run([one])
    reading.close()
    assert isinstance(one.error, StoreUnavailable)
    assert "read-only" in str(one.error)


def test_a_lock_held_by_another_process_is_named(tmp_path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    one = call(Accept([new_message()], NOW))
    Engine(connection, IdSource()).run([one])
    other.close()
    assert isinstance(one.error, StoreUnavailable)
    assert "locked" in str(one.error)
