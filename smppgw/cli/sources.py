"""Where the messages of `send` come from: the command line, or a CSV file.

A file is read twice: nothing is sent before all of it was found well-formed. Refuses to know how messages are sent.
"""

from __future__ import annotations

import csv
import difflib
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TextIO

from smppgw.cli.common import Exit, Failure
from smppgw.cli.content import body_of

COLUMNS = ("to", "text", "from", "client_ref", "lane", "send_at", "valid_until", "message_class")
_NEEDED = ("to", "text")
_INTEGERS = frozenset({"message_class"})
_MOST_PROBLEMS = 20
_NEAR = 0.7  # octets is no text


class Item(NamedTuple):
    """A message to send. `line`: its line in the file, or its place on the command line."""

    line: int
    message: dict[str, Any]


@contextmanager
def items_of(
    csv_file: str | None,
    ignored: tuple[str, ...],
    text: str | None,
    content: Mapping[str, Any],
    recipients: tuple[str, ...],
    ref: str | None,
) -> Iterator[tuple[Iterator[Item], int]]:
    """The messages, and how many there are."""
    if csv_file is not None:
        with _opened(csv_file) as file:
            total = _checked(file, csv_file, ignored)
            file.seek(0)
            yield (Item(line, _message(row)) for line, row in _rows(file, ignored)), total
        return
    body = body_of(text, content)
    extra = {} if ref is None else {"client_ref": ref}
    items = [Item(place, {"to": to, **body, **extra}) for place, to in enumerate(recipients, 1)]
    yield iter(items), len(items)


@contextmanager
def _opened(name: str) -> Iterator[TextIO]:
    """The file for two readings; standard input is copied to a temporary one first."""
    try:
        if name == "-":
            with tempfile.TemporaryFile("w+b") as copy:
                shutil.copyfileobj(sys.stdin.buffer, copy)
                copy.seek(0)
                with open(copy.fileno(), encoding="utf-8-sig", newline="", closefd=False) as file:
                    yield file
        else:
            with Path(name).open(encoding="utf-8-sig", newline="") as file:
                yield file
    except OSError as error:
        raise Failure(Exit.USAGE, f"{name} cannot be read: {error.strerror}") from None


def _rows(file: TextIO, ignored: tuple[str, ...]) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(file, strict=True)
    for row in reader:
        yield reader.line_num, {name: value for name, value in row.items() if name not in ignored}


def _message(row: dict[str, Any]) -> dict[str, Any]:
    """A row as a message: empty cells count as absent, except those every message needs."""
    message = {name: value for name, value in row.items() if value or name in _NEEDED}
    for name in _INTEGERS.intersection(message):
        message[name] = int(message[name])
    return message


def _checked(file: TextIO, name: str, ignored: tuple[str, ...]) -> int:
    """How many messages the file holds. Raises Failure with its first mistakes when it is not well-formed."""
    problems: list[str] = []
    total = 0
    try:
        header = next(csv.reader(file, strict=True), [])
        _check_header(name, header, ignored)
        file.seek(0)
        for line, row in _rows(file, ignored):
            total += 1
            if None in row or None in row.values():
                problems.append(f"line {line}: not {len(header)} columns as in the header; is a comma not quoted?")
                continue
            problems += [
                f"line {line}: {column} is {row[column]!r}, no whole number"
                for column in sorted(_INTEGERS.intersection(row))
                if row[column] and not (row[column].isascii() and row[column].isdecimal())
            ]
    except csv.Error as error:
        problems.append(f"after row {total + 1}: {error}")
    except UnicodeDecodeError as error:
        _malformed(name, [f"it is not UTF-8 (octet 0x{error.object[error.start]:02x})"])
    if problems:
        _malformed(name, problems)
    return total


def _check_header(name: str, header: list[str], ignored: tuple[str, ...]) -> None:
    known = {*COLUMNS, *ignored}
    problems = [f"column {column!r} is missing in the header" for column in _NEEDED if column not in header]
    for column in header:
        if column not in known:
            near = difflib.get_close_matches(column, COLUMNS, n=1, cutoff=_NEAR)
            known_ones = f"; there are {', '.join(COLUMNS)}; --ignore-column leaves others aside"
            hint = f"; did you mean {near[0]}?" if near else known_ones
            problems.append(f"unknown column {column!r}{hint}")
    problems += [f"column {column!r} appears twice" for column, count in Counter(header).items() if count > 1]
    if problems:
        _malformed(name, problems)


def _malformed(name: str, problems: list[str]) -> NoReturn:
    shown = problems[:_MOST_PROBLEMS]
    if len(problems) > len(shown):
        shown.append(f"and {len(problems) - len(shown)} more")
    raise Failure(Exit.USAGE, f"{name}: nothing was sent:\n" + "\n".join(f"  {text}" for text in shown))
