"""The store file's schema: numbered migrations, applied in order when a file is opened.

Owns `PRAGMA user_version` (the number of the last migration) and `application_id` (whose file it is).
"""

from __future__ import annotations

import sqlite3
from importlib.resources import files

from smppgw.errors import StoreError, StoreVersionError

#: "SMPG": marks a SQLite file as a store of ours.
APPLICATION_ID = 0x534D5047


def migrations() -> list[tuple[int, str]]:
    """(number, script), in order."""
    folder = files("smppgw.queue") / "migrations"
    scripts = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return sorted((int(entry.name.split("_")[0]), entry.read_text(encoding="utf-8")) for entry in scripts)


#: UPDATE ... FROM came with it (sqlite.org, release history).
OLDEST_SQLITE = (3, 33, 0)


def refuse_old_sqlite(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> None:
    """Raises StoreError when this Python's SQLite is too old for our statements."""
    if version < OLDEST_SQLITE:
        found, wanted = (".".join(map(str, one)) for one in (version, OLDEST_SQLITE))
        raise StoreError(
            f"this Python uses SQLite {found}, and the store needs {wanted} or newer: "
            "use a Python that was built with a newer one"
        )


def owned_version(connection: sqlite3.Connection) -> int:
    """The schema of the file, 0 for a new one. Changes nothing.

    Raises StoreVersionError for a file of a newer smppgw, StoreError for a database of something else.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and owner != APPLICATION_ID:
        raise StoreError("this file is a database of another program, not a store of smppgw")
    newest = migrations()[-1][0]
    if version > newest:
        raise StoreVersionError(
            f"this store has schema {version}, and this smppgw knows schemas up to {newest}: "
            "it was written by a newer smppgw; run that one, or restore a backup from before the upgrade"
        )
    return version


def migrate(connection: sqlite3.Connection) -> int:
    """Brings the file to the newest schema; the version it had before. Raises what `owned_version` raises."""
    version = owned_version(connection)
    for number, script in migrations():
        if number > version:
            end = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT;"
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\n{end}")
    return version
