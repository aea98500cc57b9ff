"""The sample configuration is complete, loads, and is the one in conf/."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smppgw.cli.sample import PLACEHOLDER_HASH, sample_config
from smppgw.config import SECTIONS, Settings, load, warnings_of

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


def test_every_line_can_be_set(tmp_path: Path) -> None:
    """With all keys in force (the two other sources of the password left out), the same settings result."""
    text = re.sub(r"(?m)^# (?=\w+ = |\[\[)", "", sample_config())
    text = re.sub(r"(?m)^password_(env|file) = .*$", "", text)
    text = text.replace("rate_per_s = 0.0", "rate_per_s = 100.0")
    text = text.replace('prefixes = ["+44", "+353"]', "prefixes = []")
    (tmp_path / "all").mkdir()
    (tmp_path / "defaults").mkdir()
    everything = loaded(tmp_path / "all", text).model_dump()
    defaults = loaded(tmp_path / "defaults", sample_config()).model_dump()
    assert everything["routes"] == [{"carrier": "demo", "prefixes": [], "accounts": ["app"]}]
    assert everything["accounts"]["app"].pop("default_region") == "GB"
    assert defaults["accounts"]["app"].pop("default_region") is None
    assert everything["carriers"]["demo"].pop("rate_per_s") == 100.0
    assert defaults["carriers"]["demo"].pop("rate_per_s") == 0.0
    for section in ("http", "log", "accounts", "carriers"):
        assert everything[section] == defaults[section]


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_is_described(name: str) -> None:
    text = sample_config()
    heading = {"accounts.NAME": "[accounts.app]", "routes": "# [[routes]]"}.get(
        name, f"[{name.replace('NAME', 'demo')}]"
    )
    section = text[text.index("\n" + heading + "\n") + len(heading) + 1 :]
    section = re.split(r"(?m)^(# )?\[", section)[0]
    for key, field in SECTIONS[name].model_fields.items():
        if f"carriers.NAME.{key}" in SECTIONS:
            continue
        assert field.description, key
        comment, assignment = re.search(rf"((?:# .*\n)+?)((?:# )?{key} = .*)\n", section).groups()  # type: ignore[union-attr]
        assert assignment
        words = " ".join(line.removeprefix("# ") for line in comment.splitlines())
        assert field.description in words


def test_lines_are_short() -> None:
    assert max(map(len, sample_config().splitlines())) <= 120
