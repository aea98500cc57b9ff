"""Which line of a TOML document each value stands on.

tomllib tells no lines. But a document is a sequence of statements, each on lines of its own, and no beginning of a
statement that ends with a line is a statement itself: feeding tomllib line by line until it is content finds where
each one ends. Pure: a text that tomllib has read as a whole in, statements and lines out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

#: Keys and places in lists, from the outside: ("carriers", "demo", "caps", 0, "count").
KeyPath = tuple[str | int, ...]


class Statement(NamedTuple):
    """A header or an assignment.

    `value` is what stands there: {} for the header of a table, [{}] for that of a list's next table, and for an
    assignment the table that it makes below `path`.
    """

    line: int  # the first of its lines, counted from 1
    path: KeyPath  # the table it belongs to; of a header: its own
    value: dict[str, Any] | list[dict[str, Any]]


def statements(text: str) -> Iterator[Statement]:
    """The statements of `text`, in order. Only for a text that tomllib takes as a whole.

    Raises ValueError when the text ends within a statement.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    lists: dict[KeyPath, int] = {}  # tables seen so far of each list made by [[headers]]
    table: KeyPath = ()
    at = 0
    while at < len(lines):
        first = lines[at].strip(" \t")
        if not first or first.startswith("#"):
            at += 1
            continue
        end, value = _statement(lines, at)
        if first.startswith("["):
            table, header = _header(value, lists)
            yield Statement(at + 1, table, header)
        else:
            yield Statement(at + 1, table, value)
        at = end


def _statement(lines: list[str], at: int) -> tuple[int, dict[str, Any]]:
    """The statement that begins at index `at`: where the next begins, and what tomllib makes of it."""
    for end in range(at + 1, len(lines) + 1):
        # A statement of several lines ends with a bracket or with three quotes; not to try the others saves a parse
        # of everything so far for each line of a long list.
        if end > at + 1 and not any(mark in lines[end - 1] for mark in ("]", "}", '"""', "'''")):
            continue
        try:
            return end, tomllib.loads("\n".join(lines[at:end]))
        except ValueError:
            continue
    raise ValueError(f"line {at + 1}: a statement without an end")


def _header(
    value: dict[str, Any], lists: dict[KeyPath, int]
) -> tuple[KeyPath, dict[str, Any] | list[dict[str, Any]]]:
    """The path that a header means: [a.b] below the list a means its newest table."""
    path: KeyPath = ()
    inner: Any = value
    while isinstance(inner, dict) and inner:
        ((key, inner),) = inner.items()
        path = (*path, key)
        if isinstance(inner, dict) and inner and path in lists:
            path = (*path, lists[path] - 1)
    if isinstance(inner, list):
        lists[path] = lists.get(path, 0) + 1
        path = (*path, lists[path] - 1)
    return path, inner


def leaves(value: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Each value that holds no others, with its path; empty tables and lists count as such values."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


class Lines:
    """The lines of the values of one document, or of a part of it."""

    def __init__(self, lines: Mapping[KeyPath, int]) -> None:
        self._lines = lines

    @classmethod
    def of(cls, text: str) -> Lines:
        """Those of a text that tomllib takes as a whole."""
        found: dict[KeyPath, int] = {}
        for line, table, value in statements(text):
            if isinstance(value, dict) and value:
                found.update({path: line for path, _ in leaves(value, table)})
            else:
                found.setdefault(table, line)
        return cls(found)

    def below(self, path: KeyPath) -> Lines:
        """Those of the part under `path`, with paths that begin there."""
        size = len(path)
        return Lines({key[size:]: line for key, line in self._lines.items() if key[:size] == path})

    def at(self, path: KeyPath) -> int:
        """The line of the value at `path`: its own, else that of the first value in it, else of what it is part of.

        0 where nothing is known of it.
        """
        if path in self._lines:
            return self._lines[path]
        inside = [line for key, line in self._lines.items() if key[: len(path)] == path]
        if inside:
            return min(inside)
        return self.at(path[:-1]) if path else 0
