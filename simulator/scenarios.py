"""Scenarios: the quirks of one kind of SMSC in a TOML file, with a line that says why.

    why = "hexadecimal in the response, decimal in the receipt"

    [settings]                # of the simulator, as on its command line
    receipt_delay = "20ms"

    [ids]                     # and the groups of quirks.py
    response = "{n:x}"

Those that are shipped stand in scenarios/, next to this file. Owns the reading of such files, and the words for
mistakes in them.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from simulator.fates import MessageState
from simulator.quirks import Octets, Quirks, StatusCode
from simulator.settings import Delay, SimulatorSettings, parse_delay, parse_outcomes, parse_state
from smppgw.errors import ConfigError
from smppgw.smpp import parse_status

FOLDER = Path(__file__).parent / "scenarios"

#: What a scenario leaves to whoever runs it.
_NOT_IN_SCENARIOS = frozenset({"host", "port", "control_port", "ledger", "quirks"})


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of SMSC. `settings` holds its quirks as well."""

    name: str
    why: str
    settings: SimulatorSettings
    file: Path

    @classmethod
    def load(cls, name_or_path: str) -> Scenario:
        """A scenario that is shipped, by its name, or any file that ends in .toml.

        Raises ConfigError with one line for each mistake, by the path of its key.
        """
        file = Path(name_or_path)
        if file.suffix != ".toml":
            file = FOLDER / f"{name_or_path}.toml"
            if name_or_path not in names():
                raise ConfigError([f"no scenario {name_or_path!r}{_near(name_or_path, names())}"])
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as failed:
            raise ConfigError([f"{file} cannot be read: {failed.strerror}"]) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
            raise ConfigError([f"{file}: {wrong}"]) from None
        return _Reader(file).read(table)


def names() -> list[str]:
    """The names of the scenarios that are shipped."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


class _Reader:
    """Reads one file. Collects all mistakes before it gives up."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._problems: list[str] = []

    def read(self, table: Mapping[str, Any]) -> Scenario:
        groups = [field.name for field in dataclasses.fields(Quirks)]
        self._refuse_unknown("", table, ["why", "settings", *groups])
        why = table.get("why")
        if not isinstance(why, str) or not why:
            self._problems.append("why: must be a line that says what this is about")
        settings = self._values("settings", table.get("settings", {}), SimulatorSettings, _NOT_IN_SCENARIOS)
        hints = get_type_hints(Quirks)
        quirks = {name: self._group(name, table.get(name, {}), hints[name]) for name in groups}
        self._give_up_if_wrong()
        return Scenario(self._file.stem, str(why), SimulatorSettings(**settings, quirks=Quirks(**quirks)), self._file)

    def _group(self, path: str, table: Any, kind: type[Any]) -> Any:
        return kind(**self._values(path, table, kind))

    def _values(self, path: str, table: Any, kind: type[Any], forbidden: Iterable[str] = ()) -> dict[str, Any]:
        if not isinstance(table, dict):
            self._problems.append(f"{path}: must be a table")
            return {}
        hints = get_type_hints(kind)
        known = [field.name for field in dataclasses.fields(kind) if field.name not in forbidden]
        self._refuse_unknown(path, table, known)
        values: dict[str, Any] = {}
        for key in known:
            if key in table:
                try:
                    values[key] = self._convert(table[key], hints[key])
                except ValueError as wrong:
                    self._problems.append(f"{path}.{key}: {wrong}")
        return values

    def _convert(self, value: Any, hint: Any) -> Any:
        """`value` as the type `hint` wants it. Raises ValueError."""
        if hint is Path and isinstance(value, str):
            return self._file.parent / value
        if hint in _NOTATIONS:
            wanted, read = _NOTATIONS[hint]
            if type(value) not in wanted:
                raise ValueError(f"{value!r} is of the wrong type")
            return read(value)
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            return _member(value, hint)
        origin, inner = get_origin(hint), get_args(hint)
        if origin is tuple:
            if not isinstance(value, list):
                raise ValueError("must be a list")
            return tuple(self._convert(one, inner[0]) for one in value)
        if origin is Mapping:
            if not isinstance(value, dict):
                raise ValueError("must be a table")
            return {self._convert(key, inner[0]): self._convert(one, inner[1]) for key, one in value.items()}
        return self._convert(value, next(one for one in inner if one is not type(None)))  # X | None

    def _refuse_unknown(self, path: str, table: Mapping[str, Any], known: list[str]) -> None:
        prefix = f"{path}." if path else ""
        self._problems += [f"{prefix}{key}: unknown key{_near(key, known)}" for key in table if key not in known]

    def _give_up_if_wrong(self) -> None:
        if self._problems:
            raise ConfigError([f"{self._file.name}: {problem}" for problem in self._problems])


def _member(value: Any, kind: type[StrEnum]) -> StrEnum:
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"{value!r} is not one of {', '.join(kind)}") from None


def _near(word: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def _octets(text: str) -> Octets:
    try:
        return Octets(bytes.fromhex(text))
    except ValueError:
        raise ValueError(f"{text!r} is not hexadecimal") from None


#: Type of a setting -> what TOML may have there, and how it is read.
_NOTATIONS: Mapping[Any, tuple[tuple[type, ...], Callable[[Any], Any]]] = {
    bool: ((bool,), bool),
    int: ((int,), int),
    float: ((int, float), float),
    str: ((str,), str),
    Path: ((), Path),
    Delay: ((str,), parse_delay),
    Octets: ((str,), _octets),
    StatusCode: ((str, int), lambda status: StatusCode(parse_status(str(status)))),
    MessageState: ((str,), parse_state),
    Mapping[MessageState, float]: ((str,), parse_outcomes),
}
