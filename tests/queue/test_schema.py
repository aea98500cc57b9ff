from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from smppgw.errors import StoreError, StoreVersionError
from smppgw.queue.schema import migrate, migrations


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:", isolation_level=None)
    yield opened
    opened.close()


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_a_new_file_gets_the_newest_schema_and_opens_again(connection: sqlite3.Connection) -> None:
    newest = migrations()[-1][0]
    assert migrate(connection) == 0
    assert migrate(connection) == newest


def test_a_newer_file_is_refused_with_what_to_do(connection: sqlite3.Connection) -> None:
    migrate(connection)
    connection.execute("PRAGMA user_version = 999")
    with pytest.raises(StoreVersionError, match=r"schema 999.*newer smppgw"):
        migrate(connection)


def test_a_database_of_something_else_is_left_alone(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StoreError, match="another program"):
        migrate(connection)
    assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["theirs"]
