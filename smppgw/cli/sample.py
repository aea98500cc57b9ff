"""The commented configuration that `smppgw init` writes, made from the settings themselves.

Every key appears with its description, its limits and its default, so that the file cannot fall behind the code:
first what everybody sets, then, more tightly, what few carriers need. Refuses to know where the file goes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from smppgw.config import (
    SECTIONS,
    AccountSettings,
    CarrierSettings,
    HttpSettings,
    LogSettings,
    RouteSettings,
    SettingsBase,
    StoreSettings,
    shipped,
    toml_value,
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

#: Shown for keys that have no default or an empty one, as TOML. `section.key` goes before `key`.
_EXAMPLES: dict[str, str] = {
    "default_region": '"GB"',
    "profile": '"kannel"',
    "receive_port": "2776",
    "fallbacks": '["smsc2.example.com:2775"]',
    "source_address": '"192.0.2.10"',
    "password_env": '"DEMO_PASSWORD"',
    "password_file": '"demo.password"',
    "outcomes": '{ "0x411" = "throttle", "ESME_RSUBMITFAIL" = "reroute" }',
    "bind_refusals": '{ "0x401" = "credentials" }',
    "enabled": "true",
    "query.enabled": "false",
    "server_name": '"smsc.example.com"',
    "ca_file": '"carrier-ca.pem"',
    "cert_file": '"our-certificate.pem"',
    "key_file": '"our-key.pem"',
    "submit.priority": '{ "otp" = 2 }',
    "latin1_data_coding": "3",
    "ascii_data_coding": "1",
    "national_tables": '["turkish"]',
    "extract": "'^([0-9]+)-[0-9]+$'",
    "states": '{ "BLOCKED" = "REJECTD", "5" = "DELIVRD" }',
    "errors": '{ "027" = "absent_subscriber" }',
    "addresses.source.pattern": '"[0-9]{3,6}"',
    "addresses.source.ton": "3",
    "addresses.source.npi": "0",
    "addresses.source.strip": '""',
    "caps.per": '"day"',
    "caps.count": "2000",
    "vendor_tlvs.campaign.tag": "0x1401",
    "vendor_tlvs.campaign.octets": "20",
    "vendor_tlvs.campaign.value": '"C-1"',
    "routes.carriers": '["demo"]',
    "prefixes": '["+44", "+353"]',
    "accounts": '["app"]',
}

#: The keys of a carrier that everybody looks at; the others come after them, more tightly.
_ESSENTIAL = (
    "profile",
    "host",
    "port",
    "system_id",
    "password",
    "password_env",
    "password_file",
    "mode",
    "binds",
    "window",
    "rate_per_s",
    "burst",
)
_NOTES = {
    "accounts.app": "Rename it, and add one such table for each app.",
    "routes": "Without routes, all goes to the only carrier.",
    "carriers.demo": "As it stands, it fits smppgw-simulator with its defaults. Add one such table for each carrier.",
    "carriers.demo.addresses.source": "And [[carriers.demo.addresses.destination]] for recipients. One table for "
    "each rule.",
    "carriers.demo.caps": "One table for each limit.",
    "carriers.demo.vendor_tlvs.campaign": "Requests call it `campaign`; one table for each TLV.",
}
_SELDOM = """\
# ---------------------------------------------------------------------------------------------------------------- #
# What follows is for carriers that differ from the standard or from what is usual. A profile sets it for you: one of
# {profiles},
# or your own, as below. docs/carrier-profiles.md says which deviation each setting is for, and
# `smppgw check --effective` what a carrier ends up with. Lines with "## " explain the key below them.
# ---------------------------------------------------------------------------------------------------------------- #
"""
_PROFILES = """\
# What differs from bind to bind: any key from host to tls; one table for each bind instead of `binds`.
# [[carriers.demo.bind]]
# host = "smsc1.example.com"

# For all carriers, unless their profile, they themselves or a bind say otherwise.
# [defaults]
# window = 50

# A profile of your own: carriers name it, `profile` is what it is based on.
# [profiles.example]
# profile = "hex-dec"
# encoding.max_octets = 120
"""
_WIDTH = 110


class _Part(NamedTuple):
    """A table of the sample. `many`: one of a list of tables, or of tables by name, shown as an example."""

    name: str
    model: type[SettingsBase]
    many: bool = False


_FIRST = (
    _Part("accounts.app", AccountSettings),
    _Part("routes", RouteSettings, many=True),
    _Part("http", HttpSettings),
    _Part("store", StoreSettings),
    _Part("log", LogSettings),
)
_MANY = {
    "carriers.NAME.addresses.source": "carriers.demo.addresses.source",
    "carriers.NAME.caps": "carriers.demo.caps",
    "carriers.NAME.vendor_tlvs.NAME": "carriers.demo.vendor_tlvs.campaign",
}
_CARRIER = _Part("carriers.demo", CarrierSettings)


def sample_config(key_hash: str = PLACEHOLDER_HASH) -> str:
    """A complete configuration with one account, whose key has `key_hash`, and one carrier."""
    rest = [key for key in CarrierSettings.model_fields if key not in _ESSENTIAL]
    sections = [
        _HEADER,
        *(_text([*_heading(part), *_keys(part)]) for part in _FIRST),
        _text([*_heading(_CARRIER), *_keys(_CARRIER, only=_ESSENTIAL)]),
        _SELDOM.format(profiles=", ".join(shipped())),
        _text(_keys(_CARRIER, only=rest, tight=True)),
        *(_text([*_heading(part), *_keys(part, tight=True)]) for part in _parts_of_a_carrier()),
        _PROFILES,
    ]
    return "\n".join(sections).replace(PLACEHOLDER_HASH, key_hash)


def _parts_of_a_carrier() -> list[_Part]:
    """The tables below [carriers.demo], in the order of the settings; lists of tables last, as TOML wants it."""
    plain = [
        _Part(section.replace("NAME", "demo"), model)
        for section, model in SECTIONS.items()
        if section.startswith("carriers.NAME.") and section not in _MANY and section != "carriers.NAME.addresses"
    ]
    return [*plain, *(_Part(name, SECTIONS[section], many=True) for section, name in _MANY.items())]


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def _heading(part: _Part) -> Iterator[str]:
    first = (part.model.__doc__ or "").strip().splitlines()[0]
    yield from _comment(" ".join(filter(None, [first, _NOTES.get(part.name)])))
    listed = part.many and "vendor_tlvs" not in part.name
    yield ("# " if part.many else "") + (f"[[{part.name}]]" if listed else f"[{part.name}]")


def _keys(part: _Part, *, only: Iterable[str] = (), tight: bool = False) -> Iterator[str]:
    """The keys of a table with their descriptions; `tight`: no empty lines, and ## before what is no key."""
    given = _SET.get(part.name, {})
    for key in only or part.model.model_fields:
        field = part.model.model_fields[key]
        if isinstance(field.default, SettingsBase) or f"{part.name}.{key}" in _HELD_ELSEWHERE:
            continue  # a table of its own
        if not tight:
            yield ""
        yield from _comment((field.description or "") + _limits(field), "## " if tight else "# ")
        if key in given:
            yield f"{key} = {toml_value(given[key])}"
        else:
            yield f"# {key} = {_example(part.name, key, field)}"


#: Lists of tables, and tables by name: shown with their keys.
_HELD_ELSEWHERE = ("carriers.demo.bind", "carriers.demo.caps", "carriers.demo.vendor_tlvs")


def _example(section: str, key: str, field: FieldInfo) -> str:
    below = section.removeprefix("carriers.demo.")
    example = _EXAMPLES.get(f"{below}.{key}") or _EXAMPLES.get(key)
    return example or toml_value(field.default)


def _comment(text: str, mark: str = "# ") -> list[str]:
    return [mark + line for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False)]


def _limits(field: FieldInfo) -> str:
    low = next((limit.ge for limit in field.metadata if isinstance(limit, Ge)), None)
    high = next((limit.le for limit in field.metadata if isinstance(limit, Le)), None)
    if low is not None and high is not None:
        return f" ({low} to {high})"
    if low:
        return f" (at least {low})"
    return ""
