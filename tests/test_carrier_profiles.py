"""docs/carrier-profiles.md is complete: every deviation that is known, every setting, scenario and profile."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from smppgw.cli import main
from smppgw.config import CarrierSettings, SettingsBase, load, read, shipped

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "carrier-profiles.md").read_text(encoding="utf-8")
SCENARIOS = ROOT / "simulator" / "scenarios"

#: Every deviation that has been collected from the field, by the sections of that collection.
ROWS: dict[str, tuple[str, ...]] = {
    "Message ids and receipts": (
        "id-hex-dec", "id-dec-hex", "id-case-zeros", "id-long", "id-affix", "receipt-early", "receipt-other-bind",
        "receipt-late", "receipt-several", "receipt-esm-class", "receipt-data-sm", "receipt-payload", "receipt-ucs2",
        "receipt-fields", "receipt-stat", "receipt-dates", "receipt-dates-12", "receipt-stat-spelling",
        "receipt-acceptd", "receipt-addresses", "receipt-err", "receipt-tlv-partly", "receipt-disagrees",
        "receipt-network-error", "receipt-padding", "receipt-unsolicited", "receipt-and-error", "response-no-body",
        "response-no-id",
    ),
    "Sessions": (
        "enquire-link-off", "idle-cut", "enquire-link-early", "unbind-planned", "already-bound", "no-credit-bind",
        "wrong-password", "no-sc-version", "interface-version", "system-type", "credentials-long", "address-range",
        "service-type", "dns-allow-list", "pair", "session-limits", "redelivery", "fast-answers", "wrong-sequence",
        "out-of-order", "generic-nack", "unknown-commands",
    ),
    "Throughput and errors": (
        "rate-unit", "burst-of-parts", "queue-full", "throttle-status", "permanent-status", "vendor-status", "caps",
        "no-credit-submit", "silent-drop",
    ),
    "Addresses, encoding, content": (
        "alphanumeric", "international", "short-codes", "gsm7-strict", "at-sign", "default-alphabet", "packed",
        "data-coding", "reserved-dcs", "national-shift", "long-texts", "payload", "max-octets", "validity-form",
        "schedule", "store-and-forward", "priority-routes", "registered-delivery", "product-fields", "vendor-tlvs",
        "inbound-ton", "inbound-data-sm",
    ),
    "And beside these": ("no-answer", "unreadable", "no-receipt", "data-sm-only", "outbind", "tls"),
}  # fmt: skip
#: What these sections hold in the collection (FIELD.md, 1.1 to 1.4); the last one here is our own.
COLLECTED = (29, 22, 9, 22)
#: The very few that are not lived with as they should be. A row that no longer says "not yet" is taken out here.
NOT_YET = {"idle-cut", "throttle-status", "inbound-ton"}
#: Settings that every account has, whatever its SMSC is like: they answer to no deviation.
PLAIN = {
    "host", "port", "system_id", "password", "password_env", "password_file", "profile", "bind", "retry.first_s",
    "retry.factor", "retry.max_s", "retry.max_attempts", "reconnect.factor", "reconnect.max_s", "reconnect.jitter",
    "timers.connect_s", "timers.session_init_s", "timers.response_s", "timers.stop_s",
}  # fmt: skip


class Row(NamedTuple):
    section: str
    key: str
    deviation: str
    answer: str
    scenarios: tuple[str, ...]


def _rows() -> list[Row]:
    found = []
    for part in TEXT.partition("\n## What SMSCs do")[2].split("\n### ")[1:]:
        section, _, rest = part.partition("\n")
        for line in rest.splitlines():
            if line.startswith("| ") and not line.startswith(("| key |", "| --- |")):
                key, deviation, answer, scenarios = (cell.strip() for cell in line.strip("|").split(" | "))
                names = () if scenarios == "-" else tuple(scenarios.split(", "))
                found.append(Row(section, key, deviation, answer, names))
    return found


def _settings(model: type[SettingsBase] = CarrierSettings, above: str = "") -> set[str]:
    """All settings of a carrier: `timers.connect_s`, `caps`."""
    found = set()
    for name, field in model.model_fields.items():
        if isinstance(field.default, SettingsBase):
            found |= _settings(type(field.default), f"{above}{name}.")
        else:
            found.add(above + name)
    return found


ALL = _rows()
SETTINGS = _settings()


def named(row: Row) -> list[str]:
    """What stands between backticks: settings, with or without a value."""
    return re.findall(r"`([^`]+)`", row.answer)


def test_every_deviation_has_its_row() -> None:
    assert tuple(map(len, ROWS.values()))[:-1] == COLLECTED
    assert {section: tuple(row.key for row in ALL if row.section == section) for section in ROWS} == ROWS
    assert len({row.key for row in ALL}) == len(ALL)


@pytest.mark.parametrize("row", ALL, ids=[row.key for row in ALL])
def test_every_row_says_how_it_is_lived_with(row: Row) -> None:
    assert row.deviation
    assert named(row) or "**always**" in row.answer or "**not yet**" in row.answer
    assert ("**not yet**" in row.answer) == (row.key in NOT_YET)


@pytest.mark.parametrize("row", ALL, ids=[row.key for row in ALL])
def test_every_setting_named_exists_and_takes_the_value_shown(row: Row) -> None:
    for text in named(row):
        setting, shown, _ = text.partition(" = ")
        assert setting in SETTINGS, text
        if shown:
            try:
                CarrierSettings.model_validate({"host": "h", "system_id": "s", **tomllib.loads(text)})
            except ValidationError as error:
                pytest.fail(f"{text}: {error}")


@pytest.mark.parametrize("peer", ["Kannel", "Jasmin"])
def test_what_other_gateways_call_it_leads_to_settings_that_exist(peer: str) -> None:
    part = TEXT.partition(f"\n## Coming from {peer}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in part.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 20
    for option, here in rows:
        for text in re.findall(r"`([^`\[]+)`", here):
            setting, shown, _ = text.partition(" = ")
            assert setting in SETTINGS, f"{option}: {text}"
            if shown:
                CarrierSettings.model_validate({"host": "h", "system_id": "s", **tomllib.loads(text)})


def test_every_setting_of_a_dialect_answers_to_a_deviation() -> None:
    used = {text.partition(" = ")[0] for row in ALL for text in named(row)}
    assert SETTINGS - used == PLAIN


def test_every_scenario_named_is_there_and_each_that_is_there_is_named() -> None:
    if not SCENARIOS.is_dir():
        pytest.skip("simulator/scenarios does not exist")
    known = {file.stem: tomllib.loads(file.read_text(encoding="utf-8")) for file in SCENARIOS.glob("*.toml")}
    shown = {name for row in ALL for name in row.scenarios}
    assert shown <= known.keys()
    # Those made of rules and settings alone are for trying a client out: troubles of any network, no SMSC's way.
    for name in known.keys() - shown:
        assert known[name].keys() <= {"why", "settings", "rules"}, name


# ---------------------------------------------------------------------------------------------------------------- #
# Profiles
# ---------------------------------------------------------------------------------------------------------------- #


def test_every_shipped_profile_is_told_of() -> None:
    table = TEXT.partition("## The shipped profiles")[2].partition("\n## ")[0]
    assert set(re.findall(r"(?m)^\| `([\w-]+)` \|", table)) == set(shipped())


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_profile_begins_with_what_it_is_for(name: str) -> None:
    text = (ROOT / "smppgw" / "config" / "profiles" / f"{name}.toml").read_text(encoding="utf-8")
    assert re.match(r"(# .+\n)+\n", text)
    assert max(map(len, text.splitlines())) <= 120


#: profile -> what a carrier with it is like.
LIKE: dict[str, dict[str, Any]] = {
    "strict-34": {"interface_version": "3.4", "mode": "transceiver", "tlvs": True, "ids.relation": "same",
                  "receipts.sniff": False, "query.enabled": True},
    "kannel": {"system_type": "VMA", "window": 10, "submit.messaging_mode": 3, "submit.validity": "absolute",
               "encoding.long": "udh8", "submit.user_message_reference": False},
    "hex-dec": {"ids.relation": "hex_dec"},
    "dec-hex": {"ids.relation": "dec_hex"},
    "no-esm-class": {"receipts.sniff": True, "tlvs": True},
    "smpp-33": {"interface_version": "3.3", "mode": "pair", "tlvs": False, "receipts.sniff": True,
                "encoding.long": "udh8", "submit.user_message_reference": False},
    "payload": {"encoding.long": "payload", "rate_unit": "messages"},
    "latin1": {"encoding.default_alphabet": "latin1"},
}  # fmt: skip


@pytest.mark.parametrize("name", shipped())
def test_a_carrier_with_a_shipped_profile(tmp_path: Path, name: str) -> None:
    path = tmp_path / "smppgw.toml"
    path.write_text(
        f'[accounts.app]\nkey_hashes = ["sha256:{"a" * 64}"]\n'
        f'[carriers.demo]\nhost = "127.0.0.1"\nsystem_id = "demo"\npassword = ""\nprofile = "{name}"\n'
    )
    carrier = load(path, {}).carriers["demo"]
    (link,) = carrier.links()
    for setting, value in LIKE[name].items():
        found: Any = link
        for part in setting.split("."):
            found = getattr(found, part)
        assert found == value, setting


# ---------------------------------------------------------------------------------------------------------------- #
# The example
# ---------------------------------------------------------------------------------------------------------------- #


def test_the_example_prints_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = dict(re.findall(r"```(toml|text)\n(.*?)```", TEXT, re.DOTALL))
    path = tmp_path / "smppgw.toml"
    path.write_text(blocks["toml"], encoding="utf-8")
    monkeypatch.setenv("ACME_PASSWORD", "secret")
    assert len(read(path).carriers["acme"].links) == 2
    result = CliRunner().invoke(main, ["check", "--changed", "-c", str(path)])
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split("\t") for line in result.stdout.splitlines()] == [
        re.split(r" {2,}", line) for line in blocks["text"].splitlines()
    ]
