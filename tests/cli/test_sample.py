"""The sample configuration is complete, loads, and is the one in conf/."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smppgw.cli.sample import PLACEHOLDER_HASH, sample_config
from smppgw.config import SECTIONS, CarrierSettings, Settings, SettingsBase, load, shipped, warnings_of

ROOT = Path(__file__).parent.parent.parent
HASH = "sha256:" + "5" * 64


def loaded(folder: Path, text: str) -> Settings:
    path = folder / "smppgw.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    settings = load(path, {})
    assert warnings_of(settings, path) == []
    return settings


def test_conf_has_the_sample() -> None:
    assert (ROOT / "conf" / "smppgw.toml").read_text(encoding="utf-8") == sample_config()


def test_the_sample_loads_with_all_defaults(tmp_path: Path) -> None:
    settings = loaded(tmp_path, sample_config(HASH))
    assert settings.accounts["app"].key_hashes == [HASH]
    assert PLACEHOLDER_HASH not in sample_config(HASH)
    assert settings.model_dump()["http"] == Settings.model_fields["http"].default.model_dump()


#: What goes only together with something else, or is there to be chosen from, as it must be to fit.
TOGETHER = (
    ("(?m)^password_(env|file) = .*$", ""),
    ("rate_per_s = 0.0", "rate_per_s = 100.0"),
    ('mode = "transceiver"', 'mode = "pair"'),
    ("receipt_alarm_share = 0.0", "receipt_alarm_share = 0.5"),
    (r"(?s)(\[carriers.demo.query\].*?enabled = )false", r"\1true"),
    (r"(?s)(\[carriers.demo.outbind\].*?port = )0", r"\g<1>2777"),
    ('default_region = "GB"', ""),
    ('prefixes = ["+44", "+353"]', "prefixes = []"),
    ('host = "smsc1.example.com"', 'host = "127.0.0.1"'),
    (r"\[profiles.example\]", "[profiles.mine]"),
    ('profile = "kannel"', 'profile = "mine"'),
    (r"(?m)^fallbacks = .*$", ""),
)
#: What an uncommented example changes; everything else must be at its default.
EXAMPLES = {
    "profile",
    "receive_port",
    "mode",
    "rate_per_s",
    "source_address",
    "outcomes",
    "bind_refusals",
    "receipt_alarm_share",
    "tls",
    "submit",
    "encoding",
    "ids",
    "receipts",
    "query",
    "outbind",
    "addresses",
    "caps",
    "vendor_tlvs",
}


def test_every_line_can_be_set(tmp_path: Path) -> None:
    """With all keys in force the file loads, and only the examples change anything."""
    text = re.sub(r"(?m)^# (?=[\w.]+ = |\[)", "", sample_config())
    for old, new in TOGETHER:
        changed = text.replace(old, new) if old in text else re.sub(old, new, text)
        assert changed != text, old
        text = changed
    ours = (ROOT / "tests" / "vectors" / "certificate_and_key.pem").read_bytes()
    for file in ("carrier-ca.pem", "our-certificate.pem", "our-key.pem"):
        (tmp_path / file).write_bytes(ours)
    everything = loaded(tmp_path, text).model_dump()
    defaults = loaded(tmp_path, sample_config()).model_dump()
    assert everything["routes"] == [{"carriers": ["demo"], "prefixes": [], "accounts": ["app"]}]
    for section in ("http", "log", "accounts"):
        assert everything[section] == defaults[section]
    demo, default = everything["carriers"]["demo"], defaults["carriers"]["demo"]
    assert {key for key in demo if demo[key] != default[key]} == EXAMPLES


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_is_described(name: str) -> None:
    text = sample_config()
    section = section_of(text, name)
    for key, field in SECTIONS[name].model_fields.items():
        if any(other.startswith(f"{name}.{key}") for other in SECTIONS) or f"{name}.{key}" == "carriers.NAME.bind":
            continue  # a section of its own
        if key == "destination":
            continue  # its keys are those of source
        assert field.description, key
        found = re.search(rf"((?:##? .*\n)+?)((?:# )?{key} = .*)\n", section)
        assert found, key
        words = " ".join(line.lstrip("# ") for line in found[1].splitlines())
        assert field.description in words


def section_of(text: str, name: str) -> str:
    """From the heading of a section to the next one."""
    heading = {
        "accounts.NAME": "[accounts.app]",
        "routes": "# [[routes]]",
        "carriers.NAME.addresses": "# [[carriers.demo.addresses.source]]",
        "carriers.NAME.addresses.source": "# [[carriers.demo.addresses.source]]",
        "carriers.NAME.caps": "# [[carriers.demo.caps]]",
        "carriers.NAME.vendor_tlvs.NAME": "# [carriers.demo.vendor_tlvs.campaign]",
    }.get(name, f"[{name.replace('NAME', 'demo')}]")
    section = text[text.index("\n" + heading + "\n") + len(heading) + 1 :]
    return re.split(r"(?m)^(?:# )?\[", section)[0]


def test_every_table_of_a_carrier_is_there() -> None:
    """SECTIONS is complete: what the sample shows and the hints know."""
    for key, field in CarrierSettings.model_fields.items():
        if isinstance(field.default, SettingsBase) or key in ("caps", "vendor_tlvs"):
            assert any(section.startswith(f"carriers.NAME.{key}") for section in SECTIONS), key


def test_a_newcomer_finds_the_essentials_first() -> None:
    """What must be set stands above the heading of what few carriers need."""
    essentials, _, seldom = sample_config().partition("differ from the standard")
    for line in ("key_hashes = ", "host = ", "system_id = ", "password = ", "window = ", "rate_per_s = "):
        assert re.search(rf"(?m)^(# )?{line}", essentials)
    assert not re.search(r"(?m)^\w+ = ", seldom), "nothing is set there"
    for name in shipped():
        assert name in sample_config()


def test_lines_are_short() -> None:
    assert max(map(len, sample_config().splitlines())) <= 120
