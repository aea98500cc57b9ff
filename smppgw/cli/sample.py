"""The commented configuration that `smppgw init` writes, made from the settings themselves.

Every key appears with its description, its limits and its default, so that the file cannot fall behind the code.
Refuses to know where the file goes.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from annotated_types import Ge, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from smppgw.config import (
    AccountSettings,
    CarrierSettings,
    HttpSettings,
    LogSettings,
    ReconnectSettings,
    RetrySettings,
    RouteSettings,
    SettingsBase,
    StoreSettings,
    TimerSettings,
)

#: Stands for a real hash in conf/smppgw.toml; no key has it.
PLACEHOLDER_HASH = "sha256:" + "0" * 64

_HEADER = """\
# Configuration of smppgw. `smppgw check` says whether it can be used, `smppgw serve` runs it.
#
# A key behind "# " shows its default, or an example where there is none; remove the "# " to set it. Times are in
# seconds. Relative paths start at the folder of this file.
"""

#: What the sample sets, by section.
_SET: dict[str, dict[str, Any]] = {
    "accounts.app": {"key_hashes": [PLACEHOLDER_HASH], "default_sender": "Example"},
    "carriers.demo": {"host": "127.0.0.1", "system_id": "demo", "password": "demo"},
}

#: Shown for keys that have no default.
_EXAMPLES: dict[str, Any] = {
    "default_region": "GB",
    "password_env": "DEMO_PASSWORD",
    "password_file": "demo.password",
    "carrier": "demo",
    "prefixes": ["+44", "+353"],
    "accounts": ["app"],
}

_NOTES = {
    "accounts.app": "Rename it, and add one such table for each app.",
    "carriers.demo": "As it stands, it fits smppgw-simulator with its defaults. Add one such table for each carrier.",
}

_SECTIONS: tuple[tuple[str, type[SettingsBase]], ...] = (
    ("http", HttpSettings),
    ("store", StoreSettings),
    ("log", LogSettings),
    ("accounts.app", AccountSettings),
    ("carriers.demo", CarrierSettings),
    ("carriers.demo.timers", TimerSettings),
    ("carriers.demo.reconnect", ReconnectSettings),
    ("carriers.demo.retry", RetrySettings),
)
_WIDTH = 110


def sample_config(key_hash: str = PLACEHOLDER_HASH) -> str:
    """A complete configuration with one account, whose key has `key_hash`, and one carrier."""
    sections = [_HEADER]
    for name, model in _SECTIONS:
        lines = [*_comment(_title(model, name)), f"[{name}]", *_keys(model, name)]
        sections.append("\n".join(lines) + "\n")
    routes = [
        *_comment(_title(RouteSettings, "routes") + " Without routes, all goes to the only carrier."),
        "# [[routes]]",
        *_keys(RouteSettings, "routes"),
    ]
    sections.append("\n".join(routes) + "\n")
    return "\n".join(sections).replace(PLACEHOLDER_HASH, key_hash)


def _title(model: type[SettingsBase], name: str) -> str:
    first = (model.__doc__ or "").strip().splitlines()[0]
    return " ".join(filter(None, [first, _NOTES.get(name)]))


def _keys(model: type[SettingsBase], section: str) -> Iterator[str]:
    given = _SET.get(section, {})
    for key, field in model.model_fields.items():
        if isinstance(field.default, SettingsBase):
            continue  # a table of its own
        yield ""
        yield from _comment((field.description or "") + _limits(field))
        if key in given:
            yield f"{key} = {_toml(given[key])}"
        else:
            yield f"# {key} = {_toml(_EXAMPLES.get(key, field.default))}"


def _comment(text: str) -> list[str]:
    return ["# " + line for line in textwrap.wrap(text, _WIDTH)]


def _limits(field: FieldInfo) -> str:
    low = next((limit.ge for limit in field.metadata if isinstance(limit, Ge)), None)
    high = next((limit.le for limit in field.metadata if isinstance(limit, Le)), None)
    if low is not None and high is not None:
        return f" ({low} to {high})"
    if low:
        return f" (at least {low})"
    return ""


def _toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value)  # booleans, numbers and strings are the same in both
