"""Words for mistakes: each one line, led by its key path, once."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr, ValidationError

from smppgw.config.base import FORMS, SettingsBase
from smppgw.config.lines import KeyPath


class Report:
    """The mistakes of one file, in the order they were found. Many carriers share a profile: each is told once."""

    def __init__(self) -> None:
        self._problems: dict[str, None] = {}

    def add(self, key: str, text: str) -> None:
        self._problems[f"{key}: {text}"] = None

    @property
    def problems(self) -> list[str]:
        return list(self._problems)


def key_path(base: str, path: KeyPath) -> str:
    """`carriers.demo` and ("caps", 0, "per") as `carriers.demo.caps[0].per`."""
    text = base + "".join(f"[{part}]" if isinstance(part, int) else f".{toml_key(part)}" for part in path)
    return text.removeprefix(".")


def toml_key(name: str) -> str:
    """A key as TOML writes it in a dotted path."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else '"' + name.encode("unicode_escape").decode() + '"'


def toml_value(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, dict):
        inside = ", ".join(f"{toml_key(key)} = {toml_value(inner)}" for key, inner in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return json.dumps(value, ensure_ascii=False)  # booleans, numbers and strings are the same in both


def toml_type(value: object) -> str:
    names = {bool: "a boolean", int: "an integer", float: "a float", str: "a string", list: "a list", dict: "a table"}
    return names.get(type(value), "a date or time")


def near(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, or nothing where no known word is like it."""
    found = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def unknown_key(key: str, model: type[SettingsBase], sections: Mapping[str, type[SettingsBase]]) -> str:
    """`sections` says where else a key may stand, for a hint."""
    elsewhere = [section for section, other in sections.items() if key in other.model_fields]
    return "unknown key" + (f"; it is known in [{elsewhere[0]}]" if elsewhere else near(key, model.model_fields))


def explain(
    error: ValidationError, model: type[SettingsBase], base: str, sections: Mapping[str, type[SettingsBase]]
) -> Iterator[tuple[KeyPath, bool, str, str]]:
    """(path, whether a key is missing, key path, text) of each mistake, in the words of TOML.

    Values are not shown: they may be secrets.
    """
    for item in error.errors(include_url=False):
        path: KeyPath = tuple(part for part in item["loc"] if part != "[key]")  # pydantic: of a key, not its value
        *above, last = path or ("",)
        key = key_path(base, path)
        if item["type"] == "extra_forbidden":
            yield path, False, key, unknown_key(str(last), _model_at(model, above), sections)
        elif item["type"] == "missing":
            yield path, True, key, f"is missing; {_model_at(model, above).model_fields[str(last)].description or ''}"
        else:
            yield path, False, key, _wrong_value(item["type"], item["msg"], item["input"], item.get("ctx", {}))


def _model_at(model: type[SettingsBase], path: Iterable[int | str]) -> type[SettingsBase]:
    """The model of the table at `path`: fields that are tables, lists of tables, and tables by name."""
    for part in path:
        field = model.model_fields.get(str(part))
        inner = field.annotation if field else None
        for candidate in (inner, *get_args(inner)):
            if isinstance(candidate, type) and issubclass(candidate, SettingsBase):
                model = candidate
    return model


def _wrong_value(kind: str, message: str, value: object, context: Mapping[str, Any]) -> str:
    """Pydantic's message in the words of TOML."""
    wanted = {
        "string_type": "must be a string",
        "int_type": "must be an integer",
        "float_type": "must be a number",
        "bool_type": "must be true or false",
        "list_type": "must be a list",
        "dict_type": "must be a table",
        "model_type": "must be a table",
        "path_type": "must be a string",
    }.get(kind)
    if wanted:
        return f"{wanted}, not {toml_type(value)}"
    if kind == "enum":
        return _choice(context["expected"].replace("'", '"'), value)
    if kind == "string_pattern_mismatch":
        return FORMS.get(context["pattern"]) or _choice(_words_of(context["pattern"]), value)
    if kind in _RANGES:
        return f"{_RANGES[kind].format(**{key: _plain(limit) for key, limit in context.items()})}, not {value}"
    if kind in _LENGTHS:
        return _plural(_LENGTHS[kind].format(**context))
    return message[:1].lower() + message[1:]


_RANGES = {
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "must be a finite number",
}
_LENGTHS = {
    "too_short": "must have at least {min_length} entries, not {actual_length}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
}


def _plain(limit: object) -> str:
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _plural(text: str) -> str:
    return re.sub(
        r"\b1 (entr|character)(ies|s)", lambda found: f"1 {found[1]}{'y' if found[2] == 'ies' else ''}", text
    )


def _choice(words: str, value: object) -> str:
    return f"must be {words}" + ("" if isinstance(value, str) else f", in quotes, not {toml_type(value)}")


def _words_of(pattern: str) -> str:
    """`^(a|b|c)\\z` as `"a", "b" or "c"`."""
    *others, last = (f'"{word}"' for word in pattern[2:-3].replace("\\", "").split("|"))
    return f"{', '.join(others)} or {last}"
