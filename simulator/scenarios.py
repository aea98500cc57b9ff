"""Scenarios: the quirks of one kind of SMSC in a TOML file, with a line that says why.

    why = "hexadecimal in the response, decimal in the receipt"

    [settings]                # of the simulator, as on its command line
    receipt_delay = "20ms"

    [ids]                     # and the groups of quirks.py
    response = "{n:x}"

    [[rules]]                 # and as many rules as there are: rules.py
    when = { destination = "4477*" }
    response = { statuses = { ESME_RTHROTTLED = 1 } }

    [[accounts]]              # of accounts.py
    system_id = "shop"

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

from simulator.accounts import Account, Network, parse_network
from simulator.delays import Delay, parse_delay
from simulator.fates import MessageState
from simulator.quirks import Octets, Quirks, ReceiptQuirks, StatusCode
from simulator.rules import RateEffect, ReceiptEffect, ResponseEffect, Rule, SessionEffect, When
from simulator.settings import SimulatorSettings, parse_outcomes, parse_state
from smppgw.errors import ConfigError
from smppgw.smpp import parse_status

FOLDER = Path(__file__).parent / "scenarios"

#: What a scenario leaves to whoever runs it.
_NOT_IN_SCENARIOS = frozenset(
    {"host", "port", "control_port", "control_names", "ledger", "capture", "accounts", "quirks", "rules", "pinned"}
)


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
                raise ConfigError([f"no scenario {name_or_path!r}{near(name_or_path, names())}"])
        return _Reader(file).read(_table_in(file))

    @classmethod
    def changed(cls, name_or_path: str | None, changes: Mapping[str, Any]) -> Scenario:
        """The same with the tables of `changes` laid over those of the file; without a file, of those alone.

        Each key of a table that is there takes the place of the file's; lists of tables are taken as a whole.
        """
        if name_or_path is None:
            base: dict[str, Any] = {"why": "as told"}
            file = Path("scenario.toml")
        else:
            file = cls.load(name_or_path).file
            base = dict(_table_in(file))
        for key, value in changes.items():
            there = base.get(key)
            base[key] = there | dict(value) if isinstance(there, dict) and isinstance(value, Mapping) else value
        return _Reader(file).read(base)


def load_accounts(file: Path) -> tuple[Account, ...]:
    """The accounts in a TOML file that has nothing else: one table [[accounts]] for each.

    Raises ConfigError with one line for each mistake, by the path of its key.
    """
    return _Reader(file).accounts_alone(_table_in(file))


def names() -> list[str]:
    """The names of the scenarios that are shipped."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def _table_in(file: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as failed:
        raise ConfigError([f"{file} cannot be read: {failed.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise ConfigError([f"{file}: {wrong}"]) from None


class _Reader:
    """Reads one file. Collects all mistakes before it gives up."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._problems: list[str] = []

    def read(self, table: Mapping[str, Any]) -> Scenario:
        groups = [field.name for field in dataclasses.fields(Quirks)]
        self._refuse_unknown("", table, ["why", "settings", "accounts", "rules", *groups])
        why = table.get("why")
        if not isinstance(why, str) or not why:
            self._problems.append("why: must be a line that says what this is about")
        settings = self._values("settings", table.get("settings", {}), SimulatorSettings, _NOT_IN_SCENARIOS)
        hints = get_type_hints(Quirks)
        quirks = {name: self._group(name, table.get(name, {}), hints[name]) for name in groups}
        settings["accounts"] = self._accounts(table.get("accounts", []))
        settings["rules"] = self._rules(table.get("rules", []), quirks["receipts"])
        self._give_up_if_wrong()
        return Scenario(self._file.stem, str(why), SimulatorSettings(**settings, quirks=Quirks(**quirks)), self._file)

    def _rules(self, tables: Any, receipts: ReceiptQuirks) -> tuple[Rule, ...]:
        if not isinstance(tables, list):
            self._problems.append("rules: must be a list of tables: [[rules]]")
            return ()
        return tuple(self._rule(f"rules[{at}]", table, receipts) for at, table in enumerate(tables))

    def _rule(self, path: str, table: Any, receipts: ReceiptQuirks) -> Rule:
        """`receipts` is what the keys of the rule's own table stand on top of."""
        if not isinstance(table, dict):
            self._problems.append(f"{path}: must be a table")
            return Rule()
        self._refuse_unknown(path, table, [one.name for one in dataclasses.fields(Rule)])
        alone = {key: value for key, value in table.items() if key not in _RULE_TABLES}
        values = self._values(path, alone, Rule, _RULE_TABLES)
        for key, kind in _RULE_TABLES.items():
            if key not in table:
                continue
            if key == "rate" and isinstance(table[key], dict) and "per_s" not in table[key]:
                self._problems.append(f"{path}.rate: needs per_s")
            elif key == "receipts":
                values[key] = self._receipt_effect(f"{path}.receipts", table[key], receipts)
            else:
                values[key] = self._group(f"{path}.{key}", table[key], kind)
        return Rule(**values)

    def _receipt_effect(self, path: str, table: Any, receipts: ReceiptQuirks) -> ReceiptEffect:
        """Its own keys, and all of [receipts]."""
        if not isinstance(table, dict):
            self._problems.append(f"{path}: must be a table")
            return ReceiptEffect()
        own = [one.name for one in dataclasses.fields(ReceiptEffect) if one.name != "dialect"]
        looks = [one.name for one in dataclasses.fields(ReceiptQuirks)]
        self._refuse_unknown(path, table, own + looks)
        values = self._values(path, {key: table[key] for key in own if key in table}, ReceiptEffect)
        changed = self._values(path, {key: table[key] for key in looks if key in table}, ReceiptQuirks)
        if changed:
            values["dialect"] = dataclasses.replace(receipts, **changed)
        return ReceiptEffect(**values)

    def accounts_alone(self, table: Mapping[str, Any]) -> tuple[Account, ...]:
        self._refuse_unknown("", table, ["accounts"])
        accounts = self._accounts(table.get("accounts", []))
        if not accounts and not self._problems:
            self._problems.append("accounts: there are none; write a table [[accounts]] for each")
        self._give_up_if_wrong()
        return accounts

    def _accounts(self, tables: Any) -> tuple[Account, ...]:
        if not isinstance(tables, list):
            self._problems.append("accounts: must be a list of tables: [[accounts]]")
            return ()
        read = []
        for at, table in enumerate(tables):
            values = self._values(f"accounts[{at}]", table, Account)
            if "system_id" in values:
                read.append(Account(**values))
            elif isinstance(table, dict) and "system_id" not in table:
                self._problems.append(f"accounts[{at}]: needs a system_id")
        return tuple(read)

    def _group(self, path: str, table: Any, kind: type[Any]) -> Any:
        values = self._values(path, table, kind)
        try:
            return kind(**values)
        except TypeError:
            return None  # what it needs was there and could not be read: that is told already

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
        self._problems += [f"{prefix}{key}: unknown key{near(key, known)}" for key in table if key not in known]

    def _give_up_if_wrong(self) -> None:
        if self._problems:
            raise ConfigError([f"{self._file.name}: {problem}" for problem in self._problems])


def _member(value: Any, kind: type[StrEnum]) -> StrEnum:
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"{value!r} is not one of {', '.join(kind)}") from None


def near(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`, or nothing where nothing known is like `word`."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def _octets(text: str) -> Octets:
    try:
        return Octets(bytes.fromhex(text))
    except ValueError:
        raise ValueError(f"{text!r} is not hexadecimal") from None


def _outcomes(written: str | Mapping[str, Any]) -> Mapping[MessageState, float]:
    """`"DELIVRD=90,UNDELIV=10"`, or a table of the same."""
    if isinstance(written, str):
        return parse_outcomes(written)
    return parse_outcomes(",".join(f"{name}={weight}" for name, weight in written.items()))


#: Type of a setting -> what TOML may have there, and how it is read.
_NOTATIONS: Mapping[Any, tuple[tuple[type, ...], Callable[[Any], Any]]] = {
    bool: ((bool,), bool),
    int: ((int,), int),
    float: ((int, float), float),
    str: ((str,), str),
    Path: ((), Path),
    Delay: ((str, int, float), lambda delay: parse_delay(str(delay))),
    Octets: ((str,), _octets),
    Network: ((str,), parse_network),
    StatusCode: ((str, int), lambda status: StatusCode(parse_status(str(status)))),
    MessageState: ((str,), parse_state),
    Mapping[MessageState, float]: ((str, dict), _outcomes),
}
#: The tables of a rule.
_RULE_TABLES: Mapping[str, type[Any]] = {
    "when": When,
    "response": ResponseEffect,
    "receipts": ReceiptEffect,
    "session": SessionEffect,
    "rate": RateEffect,
}
