"""Where the values of a carrier come from: built-in defaults, [defaults], profiles, the carrier, a bind.

A layer is a table of settings with the file and lines it stands on. Merging takes them in that order: tables merge
deeply, lists and single values replace what the layers before said. Every value remembers its layer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from smppgw.config.lines import KeyPath, Lines
from smppgw.config.words import Report, key_path, near, toml_key
from smppgw.smpp.constants import parse_status

#: Three ways to say one thing: a layer that uses one of them replaces all of them.
SECRETS = ("password", "password_env", "password_file")
_SHIPPED = Path(__file__).parent / "profiles"


@dataclass(frozen=True)
class Layer:
    """A table of carrier settings, and where it stands."""

    path: str  # its key path in the config: "defaults", "profiles.NAME", "carriers.NAME", "carriers.NAME.bind[0]"
    file: str
    table: dict[str, Any]
    lines: Lines
    profile: str = ""  # its name, where it is one

    def key(self, path: KeyPath) -> str:
        """The key path of a value in it."""
        return key_path(self.path, path)

    @property
    def own(self) -> bool:
        """Whether it speaks for one carrier, not for all that share it."""
        return self.path.startswith("carriers.")

    def origin(self, path: KeyPath) -> str:
        """Where a value in it stands: `profile kannel, kannel.toml:7` or `smppgw.toml:41`."""
        place = f"{self.file}:{self.lines.at(path)}"
        if self.profile:
            return f"profile {self.profile}, {place}"
        return place if self.own else f"[{self.path}], {place}"


@dataclass
class Merged:
    """What the layers make together. `origins` has the layer of each value; a list is one value."""

    layers: list[Layer]
    table: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, Layer] = field(default_factory=dict)

    def origin(self, path: KeyPath) -> Layer | None:
        """The layer that `path`, or the list it is in, comes from; None: it is the built-in default."""
        for size in range(len(path), 0, -1):
            layer = self.origins.get(path[:size])
            if layer is not None:
                return layer
        return None

    def has(self, path: KeyPath) -> bool:
        """Whether a layer sets the value at `path`, or one in the table there."""
        return self.origin(path) is not None or any(key[: len(path)] == path for key in self.origins)

    def latest(self, paths: Iterable[KeyPath]) -> str:
        """Of several values that do not fit together the key path of the one that was said last."""
        ranked = [(self._rank(layer), path, layer) for path in paths if (layer := self.origin(path)) is not None]
        if not ranked:
            raise ValueError("only defaults: they must fit together")
        top = max(rank for rank, _, _ in ranked)
        path, layer = next((path, layer) for rank, path, layer in ranked if rank == top)
        return layer.key(path)

    def _rank(self, layer: Layer) -> int:
        return next(index for index, one in enumerate(self.layers) if one is layer)


def merge(layers: Sequence[Layer]) -> Merged:
    """The layers on top of each other, the first at the bottom."""
    merged = Merged(list(layers))
    for layer in layers:
        _displace(merged, layer.table)
        _lay(merged, merged.table, layer.table, layer, ())
    return merged


def _lay(merged: Merged, into: dict[str, Any], table: dict[str, Any], layer: Layer, at: KeyPath) -> None:
    for key, value in table.items():
        path = (*at, key)
        if isinstance(value, dict):
            inner = into.get(key)
            if not isinstance(inner, dict):
                inner = into[key] = {}
                merged.origins.pop(path, None)
            _lay(merged, inner, value, layer, path)
        else:
            into[key] = value
            merged.origins[path] = layer


def _displace(merged: Merged, table: dict[str, Any]) -> None:
    """Takes away what `table` says anew in other words."""
    if any(name in table for name in SECRETS):
        for name in SECRETS:
            _drop(merged, (name,))
    for name in ("outcomes", "bind_refusals"):
        said = table.get(name)
        held = merged.table.get(name)
        if isinstance(said, dict) and isinstance(held, dict):
            codes = {status_of(key) for key in said} - {None}
            for key in [key for key in held if status_of(key) in codes]:
                _drop(merged, (name, key))
    _displace_words(merged, table)


def _displace_words(merged: Merged, table: dict[str, Any]) -> None:
    said = table.get("receipts")
    held = merged.table.get("receipts")
    said = said.get("states") if isinstance(said, dict) else None
    held = held.get("states") if isinstance(held, dict) else None
    if isinstance(said, dict) and isinstance(held, dict):
        words = {key.upper() for key in said}
        for key in [key for key in held if key.upper() in words]:
            _drop(merged, ("receipts", "states", key))


def _drop(merged: Merged, path: KeyPath) -> None:
    table = merged.table
    for part in path[:-1]:
        table = table[str(part)]
    table.pop(str(path[-1]), None)
    merged.origins.pop(path, None)


def status_of(name: str) -> int | None:
    """The command_status in a key of `outcomes` or `bind_refusals`; None: it is none, which is told elsewhere."""
    try:
        return parse_status(name)
    except ValueError:
        return None


# ---------------------------------------------------------------------------------------------------------------- #
# Profiles
# ---------------------------------------------------------------------------------------------------------------- #


@cache
def shipped() -> dict[str, Layer]:
    """The profiles that come with the gateway, by name."""
    found = {}
    for file in sorted(_SHIPPED.glob("*.toml")):
        text = file.read_text(encoding="utf-8")
        found[file.stem] = Layer(
            f"profiles.{toml_key(file.stem)}", file.name, tomllib.loads(text), Lines.of(text), profile=file.stem
        )
    return found


def shipped_text(name: str) -> str:
    """The file of a shipped profile: TOML, which begins with comments that say what it is for."""
    return (_SHIPPED / f"{name}.toml").read_text(encoding="utf-8")


def chain(name: str, at: str, profiles: dict[str, Layer], report: Report) -> list[Layer]:
    """The profile `name` with what it is based on, base first. `at`: the key path that names it, for mistakes.

    `profiles` are the shipped ones and the file's own.
    """
    found: list[Layer] = []
    names = [name]
    while True:
        layer = profiles.get(name)
        if layer is None:
            hint = near(name, profiles) or f"; there are {', '.join(sorted(profiles))}"
            report.add(at, f"no profile {name}{hint}")
            return []
        found.insert(0, layer)
        base = layer.table.get("profile")
        if not isinstance(base, str):
            return found
        at = layer.key(("profile",))
        names.append(base)
        if base in names[:-1]:
            circle = names[names.index(base) :]
            start = circle.index(min(circle))  # the same words from wherever one enters it
            turned = [*circle[start:-1], *circle[:start], circle[start]]
            report.add(f"profiles.{toml_key(turned[0])}.profile", f"a circle: {' -> '.join(turned)}")
            return []
        name = base
