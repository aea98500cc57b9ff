"""Reads SQLite's plan of every statement: none may look at every row of a table that grows."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator

import pytest

from smppgw.queue import statements, views
from smppgw.queue.model import MessageQuery, Verdict
from smppgw.queue.schema import migrate

ROWS = {name: value for name, value in vars(statements).items() if name.endswith("_ROW")}
STATEMENTS = {
    name: value
    for name, value in vars(statements).items()
    if name.isupper() and isinstance(value, str) and name not in ROWS and not name.endswith("_COLUMNS")
}
GROWING = (
    *("message", "segment", "receipt", "history", "inbound", "quarantine", "cap_use"),
    *("m", "s", "r", "h", "i", "u", "same", "refused"),
)
#: These count what is open, or kept in a limited number: they read an index to its end, and nothing beside it.
COUNTS = {"DEPTH_QUEUED", "DEPTH_OPEN", "DEPTH_QUARANTINE"}


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:", isolation_level=None)
    migrate(opened)
    yield opened
    opened.close()


def plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    highest = max((int(number) for number in re.findall(r"\?(\d+)", statement)), default=0)
    parameters = [None] * max(highest, highest + len(re.findall(r"\?(?!\d)", statement)))
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]


def scans(lines: list[str]) -> list[str]:
    return [line for line in lines if re.match(rf"SCAN ({'|'.join(GROWING)})\b", line)]


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_no_statement_scans_a_growing_table(connection: sqlite3.Connection, name: str) -> None:
    row = ROWS.get(f"{name}_ROW", "")
    lines = plan(connection, statements.with_rows(STATEMENTS[name], row, 2))
    if name in COUNTS:
        assert all("USING COVERING INDEX" in line for line in lines if line.startswith("SCAN"))
    else:
        assert scans(lines) == []


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_a_batch_comes_first_in_every_join(connection: sqlite3.Connection, name: str) -> None:
    """SQLite once put the table outside and the JSON inside: 75 us a row, growing with the table."""
    lines = plan(connection, statements.with_rows(STATEMENTS[name], ROWS.get(f"{name}_ROW", ""), 2))
    batch = [index for index, line in enumerate(lines) if re.match(r"SCAN (j|v|json_each)\b", line)]
    table = [index for index, line in enumerate(lines) if re.match(r"SEARCH (s|m|r|i|u)\b", line)]
    if batch and table:
        assert min(batch) < min(table)


@pytest.mark.parametrize("name", sorted(set(STATEMENTS) - COUNTS))
def test_no_statement_walks_through_all_that_waits(connection: sqlite3.Connection, name: str) -> None:
    """Where rows are told by their ids, an index on their state is the long way: SQLite took it once."""
    lines = plan(connection, statements.with_rows(STATEMENTS[name], ROWS.get(f"{name}_ROW", ""), 2))
    assert not [line for line in lines if line.endswith("segment_ready (state=?)")]


@pytest.mark.parametrize("name", ["REFERENCES_FROM_NEWEST", "WAITING_FOR"])
def test_who_has_a_reference_is_read_in_the_index_alone(connection: sqlite3.Connection, name: str) -> None:
    users = [line for line in plan(connection, STATEMENTS[name]) if line.startswith("SEARCH u ")]
    asked = "(dest_addr=? AND source_addr=? AND reference=? AND reference_until_utc_ms>?)"
    assert users
    assert set(users) == {f"SEARCH u USING COVERING INDEX message_reference {asked}"}


def test_few_sizes_of_statements_are_kept() -> None:
    """Each is prepared once and stays in memory: thousands of sizes would be gigabytes."""
    sizes = set()
    for rows in range(1, 3000):
        left = rows
        while left:
            sizes.add(statements.piece_of(left))
            left -= statements.piece_of(left)
    assert len(sizes) < 50
    assert max(sizes) == statements.MOST_ROWS


def test_sorting_is_left_to_the_index_where_a_claim_waits(connection: sqlite3.Connection) -> None:
    assert not any("TEMP B-TREE" in line for line in plan(connection, statements.SELECT_READY))


@pytest.mark.parametrize(
    "query",
    [
        MessageQuery(),
        MessageQuery(account="a", since_utc_ms=1, until_utc_ms=2),
        MessageQuery(account="a", recipient="447"),
        MessageQuery(account="a", client_ref="r"),
        MessageQuery(account="a", verdict=Verdict.FAILED, before=9),
        MessageQuery(open_only=True),
    ],
)
def test_searching_goes_by_an_index(connection: sqlite3.Connection, query: MessageQuery) -> None:
    seen: list[str] = []
    connection.set_trace_callback(seen.append)
    views.messages(connection, query)
    connection.set_trace_callback(None)
    lines = plan(connection, seen[0])
    assert scans(lines) == []
    assert not any("TEMP B-TREE" in line for line in lines)
