"""The statements of a TOML document are all of it, and each value is found on its line."""

from __future__ import annotations

import itertools
import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.config.lines import KeyPath, Lines, leaves, statements

TEXT = """\
# a comment with [brackets] = 1
a = 1
b.c = "x # no comment"  # [comment]

[demo]
host = '''
[not.a.header]
key = 1
'''
list = [  # opens
    "]",
    # nothing
    "x",
]
inline = { c = 3, d = { e = 4 } }
[[demo.rules]]
pattern = "a"
[demo.rules.more]
deep = true
[[demo.rules]]
pattern = "b"
[demo.rules.more]
deep = false
[[demo.rules.inner]]
x = 1
[ "quoted [key]" . sub ]
y = 2026-01-02
[empty]
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 2),
        (("b", "c"), 3),
        (("demo",), 5),
        (("demo", "host"), 6),
        (("demo", "list"), 10),
        (("demo", "inline", "c"), 15),
        (("demo", "inline", "d", "e"), 15),
        (("demo", "rules", 0, "pattern"), 17),
        (("demo", "rules", 0, "more", "deep"), 19),
        (("demo", "rules", 1), 20),
        (("demo", "rules", 1, "pattern"), 21),
        (("demo", "rules", 1, "more", "deep"), 23),
        (("demo", "rules", 1, "inner", 0, "x"), 25),
        (("demo", "rules"), 16),
        (("quoted [key]", "sub", "y"), 27),
        (("empty",), 28),
        (("empty", "what", "is", "not", "there"), 28),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines(path: KeyPath, line: int, newline: str) -> None:
    text = TEXT.replace("\n", newline)
    assert tomllib.loads(text)
    assert Lines.of(text).at(path) == line


def test_lines_of_a_part_begin_there() -> None:
    lines = Lines.of(TEXT).below(("demo", "rules", 1))
    assert lines.at(("pattern",)) == 21
    assert lines.at(()) == 20


def test_a_statement_without_an_end_is_no_document() -> None:
    with pytest.raises(ValueError, match="line 2: a statement without an end"):
        list(statements("a = 1\nb = [\n1,\n"))


def test_a_long_list_is_not_parsed_again_for_each_of_its_lines() -> None:
    """As a list of all prefixes of a country is; parsing all that came before at each line would take minutes."""
    text = "prefixes = [\n" + "".join(f'  "+44{number}",\n' for number in range(20_000)) + "]\nafter = 1\n"
    assert Lines.of(text).at(("after",)) == 20_003


# ---------------------------------------------------------------------------------------------------------------- #
# Any document
# ---------------------------------------------------------------------------------------------------------------- #

KEYS = st.sampled_from(["a", "b-1", "3", "x.y", "#", "[", "]]", "=", '"', "'", "ü", " ", "a b"])
WORDS = st.lists(
    st.sampled_from(
        ["x", "#", "[", "]", "=", "'", '"', '"""', "'''", "\n", "\\", "{", "}", " ", "ß", "\t", "[a]\n", "a = 1\n"]
    ),
    max_size=6,
).map("".join)
SCALARS = WORDS | st.integers(-(2**40), 2**40) | st.booleans()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
DOCUMENTS = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=3),
    lambda inner: st.dictionaries(KEYS, VALUES | inner | st.lists(inner, min_size=1, max_size=3), max_size=3),
    max_leaves=8,
)


class Writer:
    """Writes a table as TOML, drawing how: headers or dotted keys, lists on one line or several, kinds of strings."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.lines: list[str] = []

    def _choose(self, *ways: str) -> str:
        return self._draw(st.sampled_from(ways))

    def table(self, table: dict[str, Any], path: tuple[str, ...] = ()) -> None:
        later = []
        for key, value in table.items():
            if (isinstance(value, dict) or _tables(value)) and self._choose("header", "inline") == "header":
                later.append((key, value))
            else:
                self._noise()
                self.lines += f"{_key(key)}{self._choose(' = ', '=')}{self._value(value)}".split("\n")
        for key, value in later:
            inside = (*path, key)
            for one in value if isinstance(value, list) else [value]:
                self._noise()
                header = self._choose(".", " . ").join(map(_key, inside))
                self.lines.append(f"[[{header}]]" if isinstance(value, list) else f"[{header}] # [x]")
                self.table(one, inside)

    def _noise(self) -> None:
        self.lines += {"": [], "empty": [""], "comment": ["  # [a]", "# b = ["]}[self._choose("", "empty", "comment")]

    def _value(self, value: Any) -> str:
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, list):
            between, end = (", ", "") if self._choose("flat", "long") == "flat" else (",\n  # ]\n", "\n")
            return f"[{end}{between.join(self._value(one) for one in value)}{end}]"
        if isinstance(value, dict):  # within the braces of TOML 1.0 only lists and strings may take several lines
            return "{" + ", ".join(f"{_key(key)} = {self._value(one)}" for key, one in value.items()) + "}"
        return json.dumps(value)

    def _string(self, text: str) -> str:
        if self._choose("one line", "lines") == "one line":
            return json.dumps(text, ensure_ascii=False)
        if "'''" not in text and not text.endswith("'") and self._choose("literal", "basic") == "literal":
            return f"'''\n{text}'''"
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"""\n{escaped}"""'


def _key(key: str) -> str:
    return key if key in {"a", "b-1", "3"} else json.dumps(key, ensure_ascii=False)


def _tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


@st.composite
def documents(draw: st.DrawFn) -> str:
    writer = Writer(draw)
    writer.table(draw(DOCUMENTS))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return newline.join(writer.lines) + draw(st.sampled_from(["", newline]))


@given(documents())
def test_the_statements_are_all_of_the_document(text: str) -> None:
    whole = tomllib.loads(text)
    made: dict[str, Any] = {}
    for _, path, value in statements(text):
        lay(made, path, value)
    assert made == whole


@given(documents())
def test_every_value_has_the_line_where_its_statement_begins(text: str) -> None:
    first = {statement.line for statement in statements(text)}
    lines = Lines.of(text)
    for path, _ in leaves(tomllib.loads(text)):
        if path:
            assert lines.at(path) in first


def lay(made: dict[str, Any], path: KeyPath, value: Any) -> None:
    """Puts a statement where it belongs."""
    inner: Any = made
    for part, following in itertools.zip_longest(path, path[1:]):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(part, int):
            if part == len(inner):
                inner.append(empty)
            inner = inner[part]
        else:
            inner = inner.setdefault(part, empty)
    if isinstance(value, dict):
        for key, one in value.items():
            if isinstance(one, dict) and isinstance(inner.get(key), dict):
                lay(inner[key], (), one)
            else:
                inner[key] = one
