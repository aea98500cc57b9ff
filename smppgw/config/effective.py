"""Every value that a carrier and its binds end up with, and where it stands. Secrets are never shown."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import SecretStr

from smppgw.config.base import SettingsBase
from smppgw.config.carrier import CarrierSettings, LinkSettings
from smppgw.config.layers import SECRETS, Layer, Merged
from smppgw.config.lines import KeyPath
from smppgw.config.reading import Reading
from smppgw.config.words import key_path

HIDDEN = "(hidden)"
DEFAULT = "default"


class Effective(NamedTuple):
    """One value. `link` is `demo/1` for what is said of one bind, else the carrier's name."""

    carrier: str
    link: str
    setting: str  # such as timers.connect_s
    value: Any  # as JSON has it; None: not set
    secret: bool
    origin: str  # "default", "profile kannel, kannel.toml:7", "smppgw.toml:41"
    profile: str | None
    file: str | None
    line: int | None


def effective(reading: Reading, name: str) -> Iterator[Effective]:
    """All values of the carrier `name`, in the order of the settings; what its binds may differ in once for each."""
    carrier = reading.carriers[name]
    apart = set(LinkSettings.model_fields) if carrier.links else set()
    yield from _rows(name, name, carrier.settings, carrier.merged, CarrierSettings.model_fields.keys() - apart)
    for number, link in enumerate(carrier.links, 1):
        yield from _rows(name, f"{name}/{number}", link.settings, link.merged, apart)


def _rows(
    carrier: str, link: str, settings: CarrierSettings, merged: Merged, fields: set[str]
) -> Iterator[Effective]:
    for field in CarrierSettings.model_fields:
        if field not in fields or field == "bind":  # each bind has rows of its own
            continue
        for path, value in _values(getattr(settings, field), (field,)):
            layer, stands_at = _origin(merged, path)
            secret = isinstance(value, SecretStr) and layer is not None
            if isinstance(value, SecretStr):
                value = HIDDEN if secret else ""
            yield Effective(
                carrier,
                link,
                key_path("", path),
                value,
                secret,
                layer.origin(stands_at) if layer else DEFAULT,
                (layer.profile or None) if layer else None,
                layer.file if layer else None,
                layer.lines.at(stands_at) if layer else None,
            )


def _origin(merged: Merged, path: KeyPath) -> tuple[Layer | None, KeyPath]:
    """The layer of a value and what to look for there: a password, whichever setting said it; [[bind]] for binds."""
    if path == ("password",):
        path = next(((name,) for name in SECRETS if merged.origin((name,))), path)
    if path == ("binds",) and merged.origin(("bind",)):
        path = ("bind",)
    layer = merged.origin(path)
    if layer is None or not any(isinstance(part, int) for part in path):
        return layer, path
    inner: Any = layer.table
    for part in path:  # in a list that is said as a whole: only what its tables name is not a default
        if isinstance(part, str) and part not in inner:
            return None, path
        inner = inner[part]
    return layer, path


def _values(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """Single values below `path`; empty tables and lists, and lists of single values, count as such."""
    if isinstance(value, SettingsBase):
        for field in type(value).model_fields:
            yield from _values(getattr(value, field), (*path, field))
    elif isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _values(inner, (*path, key))
    elif isinstance(value, list) and any(isinstance(item, SettingsBase) for item in value):
        for index, item in enumerate(value):
            yield from _values(item, (*path, index))
    else:
        yield path, _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value
