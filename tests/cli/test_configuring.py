"""init, check, key, serve."""

from __future__ import annotations

import json
import stat
import tomllib
from pathlib import Path

import pytest

from smppgw.api.auth import hash_key
from smppgw.cli import configuring
from smppgw.cli.common import Exit
from smppgw.config import Settings, load, shipped
from tests.cli.runner import run


def test_init_writes_a_private_file_that_loads(tmp_path: Path) -> None:
    path = tmp_path / "new.toml"
    result = run("init", str(path))
    assert result.exit_code == Exit.OK
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (key,) = [line.rpartition(" ")[2] for line in result.stdout.splitlines() if "sgw_" in line]
    assert key not in path.read_text()
    assert load(path, {}).accounts["app"].key_hashes == [hash_key(key)]
    assert run("check", "--config", str(path)).exit_code == Exit.OK


def test_init_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("mine")
    result = run("init", str(path))
    assert result.exit_code == Exit.USAGE
    assert "--force" in result.stderr
    assert "sgw_" not in result.output
    assert path.read_text() == "mine"


def test_init_force_replaces_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("mine")
    path.chmod(0o644)
    assert run("init", str(path), "--force").exit_code == Exit.OK
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load(path, {}).accounts
    assert list(tmp_path.iterdir()) == [path]


def test_init_where_nothing_can_be_written(tmp_path: Path) -> None:
    for arguments in ([], ["--force"]):
        result = run("init", str(tmp_path / "no" / "such.toml"), *arguments)
        assert result.exit_code == Exit.USAGE
        assert "cannot be written: No such file or directory" in result.stderr


def test_init_for_programs(tmp_path: Path) -> None:
    result = run("init", str(tmp_path / "x.toml"), "--json")
    shown = json.loads(result.stdout)
    assert shown == {"path": str(tmp_path / "x.toml"), "key": shown["key"], "key_hash": hash_key(shown["key"])}


def test_two_keys_are_two(tmp_path: Path) -> None:
    keys = [json.loads(run("init", str(tmp_path / f"{n}.toml"), "--json").stdout)["key"] for n in range(2)]
    assert keys[0] != keys[1]


BAD = '[http]\nprot = 1\n[accounts.app]\nkey_hashes = ["x"]\n[carriers.demo]\nhost = "h"\nsystem_id = "s"\n'


def test_check_tells_every_mistake(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(BAD)
    result = run("check", "-c", str(path))
    assert result.exit_code == Exit.USAGE
    assert result.stdout == ""
    assert result.stderr.startswith(f"smppgw: {path} cannot be used, 3 mistakes (more may follow: what ")
    assert "  http.prot: unknown key; did you mean port?\n" in result.stderr


def test_check_for_programs(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(BAD)
    result = run("check", "--json", env={"SMPPGW_CONFIG": str(path)})
    assert result.exit_code == Exit.USAGE
    shown = json.loads(result.stdout)
    assert (shown["ok"], len(shown["problems"]), shown["warnings"]) == (False, 3, [])
    assert shown["more_may_follow"]


def test_check_warns(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    run("init", str(path))
    path.write_text(path.read_text().replace('# host = "127.0.0.1"', 'host = "0.0.0.0"', 1))
    result = run("check", "-c", str(path))
    assert result.exit_code == Exit.OK
    assert result.stderr.startswith("warning: http.host: 0.0.0.0 is not a loopback address")
    assert result.stdout == f"{path}: OK: 1 account, 1 carrier, 0 routes\n"
    shown = json.loads(run("check", "-c", str(path), "--json").stdout)
    assert (shown["ok"], len(shown["warnings"])) == (True, 1)


def test_check_without_a_file(tmp_path: Path) -> None:
    result = run("check", "-c", str(tmp_path / "none.toml"))
    assert result.exit_code == Exit.USAGE
    assert "smppgw init" in result.stderr


def test_key() -> None:
    result = run("key")
    (_, key), (_, key_hash) = (line.split() for line in result.stdout.splitlines())
    assert hash_key(key) == key_hash
    shown = json.loads(run("key", "--json").stdout)
    assert hash_key(shown["key"]) == shown["key_hash"]


def test_the_hash_of_a_key_one_has() -> None:
    assert run("key", "--hash", input="sgw_x\n").stdout == hash_key("sgw_x") + "\n"
    assert json.loads(run("key", "--hash", "--json", input="sgw_x").stdout) == {"key_hash": hash_key("sgw_x")}
    assert run("key", "--hash", input="").exit_code == Exit.USAGE


@pytest.mark.parametrize("code", [0, 1])
def test_serve_hands_the_settings_to_the_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    from smppgw import daemon

    served: list[Settings] = []

    def fake(settings: Settings) -> int:
        served.append(settings)
        return code

    monkeypatch.setattr(daemon, "run", fake)
    monkeypatch.setattr("smppgw.telemetry.set_up_logging", lambda level, format: None)
    path = tmp_path / "x.toml"
    run("init", str(path))
    assert run("serve", "--config", str(path)).exit_code == code
    assert served[0].store.path == tmp_path / "smppgw.db"


@pytest.mark.parametrize(
    ("extra", "in_file", "expected"),
    [([], "text", "text"), (["--json"], "text", "json"), ([], "json", "json"), (["--json"], "json", "json")],
)
def test_serve_logs_for_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: list[str], in_file: str, expected: str
) -> None:
    from smppgw import daemon

    formats: list[str] = []

    def run_by(settings: Settings) -> int:
        formats.append(settings.log.format)
        return 0

    monkeypatch.setattr(daemon, "run", run_by)
    monkeypatch.setattr("smppgw.telemetry.set_up_logging", lambda level, format: formats.append(format))
    path = tmp_path / "x.toml"
    run("init", str(path))
    path.write_text(path.read_text().replace('# format = "text"', f'format = "{in_file}"'))
    assert run("serve", "--config", str(path), *extra).exit_code == Exit.OK
    assert formats == [expected, expected], "from the first line on, and in the daemon"


def test_serve_with_a_config_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(BAD)
    result = run("serve", "--config", str(path))
    assert result.exit_code == Exit.USAGE
    assert "3 mistakes" in result.stderr


# ---------------------------------------------------------------------------------------------------------------- #
# check --effective
# ---------------------------------------------------------------------------------------------------------------- #

LAYERED = f"""\
[accounts.app]
key_hashes = ["sha256:{"a" * 64}"]
[defaults]
window = 20
[carriers.demo]
profile = "hex-dec"
host = "10.0.0.1"
system_id = "demo"
password = "hunter2"
[carriers.two]
system_id = "two"
password = "hunter2"
[[carriers.two.bind]]
host = "10.0.0.2"
[[routes]]
carriers = ["demo", "two"]
"""


@pytest.fixture
def layered(tmp_path: Path) -> str:
    path = tmp_path / "smppgw.toml"
    path.write_text(LAYERED)
    path.chmod(0o600)
    return str(path)


def test_check_effective_says_where_each_value_stands(layered: str) -> None:
    result = run("check", "-c", layered, "--effective", "demo")
    assert (result.exit_code, result.stderr) == (Exit.OK, "")
    head, *lines = result.stdout.splitlines()
    assert head == "link\tsetting\tvalue\tfrom"
    assert 'demo\thost\t"10.0.0.1"\tsmppgw.toml:7' in lines
    assert "demo\tpassword\t(hidden)\tsmppgw.toml:9" in lines
    assert "demo\twindow\t20\t[defaults], smppgw.toml:4" in lines
    assert 'demo\tids.relation\t"hex_dec"\tprofile hex-dec, hex-dec.toml:5' in lines
    assert "demo\tport\t2775\tdefault" in lines
    assert "demo\ttls.server_name\t-\tdefault" in lines
    assert "hunter2" not in result.output
    assert not any(line.startswith("two") for line in lines)


def test_check_changed_leaves_the_defaults_out(layered: str) -> None:
    lines = run("check", "-c", layered, "--changed").stdout.splitlines()
    assert [line.split("\t")[:2] for line in lines[1:]] == [
        ["demo", "host"],
        ["demo", "system_id"],
        ["demo", "password"],
        ["demo", "window"],
        ["demo", "profile"],
        ["demo", "ids.relation"],
        ["two", "binds"],
        ["two/1", "host"],
        ["two/1", "system_id"],
        ["two/1", "password"],
        ["two/1", "window"],
    ]


def test_check_effective_for_programs(layered: str) -> None:
    shown = json.loads(run("check", "-c", layered, "--effective", "--json").stdout)
    assert (shown["ok"], shown["problems"], shown["warnings"]) == (True, [], [])
    rows = {(row["link"], row["setting"]): row for row in shown["effective"]}
    assert rows["demo", "ids.relation"] == {
        "carrier": "demo",
        "link": "demo",
        "setting": "ids.relation",
        "value": "hex_dec",
        "secret": False,
        "origin": "profile hex-dec, hex-dec.toml:5",
        "profile": "hex-dec",
        "file": "hex-dec.toml",
        "line": 5,
    }
    assert rows["two/1", "password"]["secret"] is True
    assert "hunter2" not in json.dumps(shown)
    assert rows["demo", "port"]["line"] is None


def test_check_effective_on_a_terminal_is_a_table_for_each_bind(
    layered: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    configuring.check.main(["-c", layered, "--changed"], standalone_mode=False)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[:3] == ["demo", "setting       value       from", 'host          "10.0.0.1"  smppgw.toml:7']
    assert [line for line in lines if not line.strip() or " " not in line] == ["demo", "", "two", "", "two/1"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--effective", "dmo"], "no carrier dmo; did you mean demo?"),
        (["--changed", "xyz"], "no carrier xyz; there are demo, two"),
        (["demo"], "CARRIER goes with --effective or --changed"),
    ],
)
def test_check_effective_of_nothing(layered: str, arguments: list[str], expected: str) -> None:
    result = run("check", "-c", layered, *arguments)
    assert result.exit_code == Exit.USAGE
    assert result.stdout == ""
    assert expected in result.stderr


def test_check_effective_of_a_bad_file_tells_its_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(BAD)
    for extra in ([], ["--json"]):
        result = run("check", "-c", str(path), "--effective", *extra)
        assert result.exit_code == Exit.USAGE
        assert "http.prot: unknown key; did you mean port?" in result.output


def test_profiles_are_listed() -> None:
    result = run("profiles")
    assert result.exit_code == Exit.OK
    assert [line.split("\t")[0] for line in result.stdout.splitlines()[1:]] == list(shipped())
    listed = json.loads(run("profiles", "--json").stdout)["profiles"]
    assert [one["name"] for one in listed] == list(shipped())
    assert all(one["for"] for one in listed)


def test_a_profile_is_printed_as_it_is() -> None:
    assert tomllib.loads(run("profiles", "kannel").stdout) == shipped()["kannel"].table
    assert json.loads(run("profiles", "hex-dec", "--json").stdout)["settings"] == {"ids": {"relation": "hex_dec"}}


def test_a_profile_that_there_is_not() -> None:
    result = run("profiles", "kanel")
    assert result.exit_code == Exit.USAGE
    assert result.stderr == "smppgw: no profile kanel; did you mean kannel?\n"
