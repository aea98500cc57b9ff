"""Every SQL statement of the store, by name.

A statement takes a whole batch: ids travel as one JSON array read by json_each, wide rows as one multi-row VALUES
(`{rows}`, see `with_rows`). Figures for that choice: 4 us a row, where executemany took hundreds under load.

What a statement finds comes back as one row with one JSON array (`Transaction.found`): sqlite3 gives the GIL away for
each row it steps to, and with a busy main thread waits up to the switch interval to get it back. Octets travel as hex
inside it. Aggregates take rows in the order in which the subquery yields them.

`state <= 3` beside a narrower condition is there for SQLite, which uses a partial index only where it finds the
index's own condition. CROSS JOIN fixes the order of a join (SQLite never reorders it), INDEXED BY the index, and a
unary + keeps a comparison from choosing an index of its own. tests/queue/test_statements.py reads the plan of each.

accepting  new messages, and their references
claiming   what is ready, and the limits on it
outcomes   the answers to submit_sm, and what has none
receipts   the ids that they bear, whose they are, and what they do
parked     receipts that matched nothing when they came
ending     ends, verdicts, history; deadlines and errands
inbound    inbound texts, and PDUs that could not be read
viewing    what the store shows
"""

from __future__ import annotations

from functools import lru_cache

from smppgw.queue.statements.accepting import *  # noqa: F403 - all of them, under their names
from smppgw.queue.statements.claiming import *  # noqa: F403 - all of them, under their names
from smppgw.queue.statements.ending import *  # noqa: F403 - all of them, under their names
from smppgw.queue.statements.inbound import *  # noqa: F403 - all of them, under their names
from smppgw.queue.statements.outcomes import *  # noqa: F403 - all of them, under their names
from smppgw.queue.statements.parked import *  # noqa: F403 - all of them, under their names
from smppgw.queue.statements.receipts import *  # noqa: F403 - all of them, under their names
from smppgw.queue.statements.viewing import *  # noqa: F403 - all of them, under their names

#: Most rows of one statement. Each number of rows is a statement of its own, which SQLite keeps prepared (1.5 KiB a
#: row of a wide table), so only some numbers are used: up to 31, then multiples of 16.
MOST_ROWS = 256
_FINE_ROWS = 32
_STEP_ROWS = 16


def piece_of(rows: int, most: int = MOST_ROWS) -> int:
    """How many of `rows` rows the next statement takes."""
    rows = min(rows, most)
    return rows if rows < _FINE_ROWS else rows - rows % _STEP_ROWS


@lru_cache(maxsize=512)
def with_rows(statement: str, row: str, count: int) -> str:
    """The statement for `count` rows. Cached, so that SQLite's own cache of prepared statements is met again."""
    return statement.replace("{rows}", ",".join([row] * count))
