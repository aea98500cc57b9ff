"""Every mistake of a config file is told at once, by key path; what loads is complete."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smppgw.config import LogFormat, OnDoubt, Settings, load, warnings_of
from smppgw.errors import ConfigError

HASH = "sha256:" + "a" * 64
OTHER_HASH = "sha256:" + "b" * 64
GOOD = f"""
[accounts.app]
key_hashes = ["{HASH}"]

[carriers.demo]
host = "smsc.internal"
system_id = "demo"
password = "secret"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "smppgw.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def problems(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text), environ or {})
    return caught.value.problems


def test_the_smallest_file_loads_with_all_defaults(tmp_path: Path) -> None:
    settings = load(write(tmp_path, GOOD), {})
    assert settings.http.port == 8080
    assert settings.log.format is LogFormat.TEXT
    assert settings.carriers["demo"].password.get_secret_value() == "secret"
    assert settings.carriers["demo"].on_doubt is OnDoubt.HOLD
    assert settings.store.path == tmp_path / "smppgw.db"
    assert settings.accounts["app"].max_segments == 10
    assert warnings_of(settings, tmp_path / "smppgw.toml") == []


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    settings = load(write(tmp_path, GOOD.replace('"secret"', '"hunter2"')), {})
    assert "hunter2" not in repr(settings) + str(settings.model_dump())
    assert "hunter2" not in "\n".join(problems(tmp_path, GOOD.replace('"secret"', '["hunter2"]')))


def test_integers_serve_where_numbers_with_fractions_are_meant(tmp_path: Path) -> None:
    settings = load(write(tmp_path, GOOD + "rate_per_s = 5\nburst = 3\n[carriers.demo.timers]\nresponse_s = 7"), {})
    assert settings.carriers["demo"].rate_per_s == 5.0
    assert settings.carriers["demo"].timers.response_s == 7.0


def test_enums_and_paths_are_strings_in_the_file(tmp_path: Path) -> None:
    text = GOOD + 'mode = "pair"\non_doubt = "resend"\n[log]\nformat = "json"\n[store]\npath = "/var/x.db"'
    found = problems(tmp_path, text.replace("/var/x.db", "/nowhere-at-all/x.db"))
    assert found == ["store.path: the folder /nowhere-at-all does not exist"]
    settings = load(write(tmp_path, text.replace("/var/x.db", str(tmp_path / "x.db"))), {})
    assert settings.carriers["demo"].mode.value == "pair"
    assert settings.store.path == tmp_path / "x.db"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[http]\nprot = 1", "http.prot: unknown key; did you mean port?"),
        ("[http]\nwindow = 1", "http.window: unknown key; it is known in [carriers.NAME]"),
        ("[http]\nqqq = 1", "http.qqq: unknown key"),
        ("[htpp]\nport = 1", "htpp: unknown key; did you mean http?"),
        ("http = 3", "http: must be a table, not an integer"),
        ("[http]\nport = '80'", "http.port: must be an integer, not a string"),
        ("[http]\nport = 80.0", "http.port: must be an integer, not a float"),
        ("[http]\nport = 65536", "http.port: must be at most 65535, not "),
        ("[http]\nport = true", "http.port: must be an integer, not a boolean"),
        ("[http]\nhost = 2026-01-02", "http.host: must be a string, not a date or time"),
        ("[http]\nhost = 'a..b'", "http.host: is neither a host name nor an IP address"),
        ("[http]\nkeep_alive_s = inf", "http.keep_alive_s: must be a finite number, not inf"),
        ("[http]\nkeep_alive_s = nan", "http.keep_alive_s: must be a finite number, not nan"),
        ("[http]\nkeep_alive_s = 0", "http.keep_alive_s: must be above 0, not 0"),
        ("[log]\nlevel = 'loud'", 'log.level: must be "debug", "info", "warning" or "error"'),
        ("[log]\nformat = 'xml'", 'log.format: must be "text" or "json"'),
        ("[store]\npath = 3", "store.path: must be a string, not an integer"),
        ("routes = 1", "routes: must be a list of tables: [[routes]]"),
        ("[[routes]]\nprefixes = ['+44']", "routes[0].carriers: is missing; names under [carriers]: the first"),
        ("[[routes]]\ncarriers = ['demon']", "routes[0].carriers[0]: no carrier demon; did you mean demo?"),
        (
            "[[routes]]\ncarriers = ['demo']\naccounts = ['ap']",
            "routes[0].accounts[0]: no account ap; did you mean app?",
        ),
        (
            "[[routes]]\ncarriers = ['demo']\nprefixes = ['07']",
            "routes[0].prefixes[0]: must be the beginning of an international number, such as +44",
        ),
        ("[accounts.two]\nkey_hashes = []", "accounts.two.key_hashes: must have at least 1 entry, not 0"),
        (
            "[accounts.two]\nkey_hashes = ['sgw_x']",
            "accounts.two.key_hashes[0]: must be a key hash as `smppgw key` prints it",
        ),
        (f"[accounts.two]\nkey_hashes = ['{HASH}']", "the same key as accounts.app.key_hashes[0]"),
        (f"[accounts.'a b']\nkey_hashes = ['{OTHER_HASH}']", 'accounts."a b": a name has 1 to 32 letters'),
        (f"[accounts.two]\nkey_hashes = ['{OTHER_HASH}']\ndefault_region = 'XX'", "XX is no region with telephone"),
        (
            f"[accounts.two]\nkey_hashes = ['{OTHER_HASH}']\ndefault_sender = 'much too long a name'",
            "default_sender: the",
        ),
        (
            f"[accounts.two]\nkey_hashes = ['{OTHER_HASH}']\ndefault_validity_s = 9\nmax_validity_s = 8",
            "accounts.two.default_validity_s: 9 is above max_validity_s, 8",
        ),
        (
            "[http]\nmax_batch = 20\n[store]\nmax_waiting_accepts = 10",
            "store.max_waiting_accepts: below http.max_batch",
        ),
    ],
)
def test_a_mistake_is_named_by_its_key_path(tmp_path: Path, text: str, expected: str) -> None:
    lines = text + GOOD if text.startswith(("http", "routes")) else GOOD + text
    found = problems(tmp_path, lines)
    assert len(found) == 1, found
    assert expected in found[0]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("password = 'x'\npassword_env = 'PW'", "password and password_env are set"),
        ("", "none of them is set"),
        ("password_env = 'NOT_THERE'", "carriers.demo.password_env: the environment has no variable NOT_THERE"),
        ("password_file = 'not-there'", "not-there cannot be read: No such file or directory"),
        ("password_file = '.'", "cannot be read: Is a directory"),
        ("password = 'naïve'", "carriers.demo.password: the password has characters outside printable ASCII"),
        ("password = '123456789'", "carriers.demo.password: the password has 9 octets, above 8, the most"),
        ("password_env = 'LONG'", "carriers.demo.password_env: the password has 30 octets, above 8"),
        ("password = 'x'\nburst = 5", "carriers.demo.burst: has no effect without rate_per_s"),
        ("password = 'x'\nsystem_type = '1234567890123'", "system_type: must have at most 12 characters"),
        ("password = 'x'\nport = 0", "carriers.demo.port: must be at least 1, not "),
        (
            "password = 'x'\n[carriers.demo.retry]\nfirst_s = 20\nmax_s = 10",
            "carriers.demo.retry.first_s: retry.first_s, 20, is above max_s, 10",
        ),
        (
            "password = 'x'\n[carriers.demo.timers]\nconect_s = 1",
            "timers.conect_s: unknown key; did you mean connect_s?",
        ),
    ],
)
def test_carriers(tmp_path: Path, lines: str, expected: str) -> None:
    found = problems(tmp_path, GOOD.replace('password = "secret"', lines), {"LONG": "x" * 30})
    assert len(found) == 1, found
    assert expected in found[0]


def test_the_password_may_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("file-pw\nsecond line\n")
    path = write(tmp_path, GOOD.replace('password = "secret"', 'password_file = "pw"'))
    assert load(path, {}).carriers["demo"].password.get_secret_value() == "file-pw"
    path = write(tmp_path, GOOD.replace('password = "secret"', 'password_env = "PW"'))
    assert load(path, {"PW": "env-pw"}).carriers["demo"].password.get_secret_value() == "env-pw"


def test_for_planning_neither_secrets_nor_files_need_be_there(tmp_path: Path) -> None:
    text = GOOD.replace('password = "secret"', 'password_env = "NONE"') + (
        'port = 3550\ntls = { ca_file = "none.pem", cert_file = "none.pem", key_file = "none.pem" }\n'
        '[[carriers.demo.bind]]\n[[carriers.demo.bind]]\nhost = "other"\n'
        '[carriers.other]\nhost = "x"\nsystem_id = "x"\npassword_file = "none"\nencoding = { ucs2_data_coding = 9 }\n'
        '[[routes]]\ncarriers = ["demo"]\n[store]\npath = "/nowhere-at-all/x.db"\n'
    )
    assert len(problems(tmp_path, text)) >= 4
    settings = load(write(tmp_path, text), {}, only_text=True)
    assert [carrier.password.get_secret_value() for carrier in settings.carriers.values()] == ["", ""]
    assert settings.carriers["other"].encoding.ucs2_data_coding == 9
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text + "pth = 1\n"), {}, only_text=True)
    assert caught.value.problems == ["store.pth: unknown key; did you mean path?"]
    wrong = GOOD.replace('password = "secret"', 'tls = { enabled = true, key_file = "none.pem" }')
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, wrong), {}, only_text=True)
    assert len(caught.value.problems) == 2, "what the file itself says is held to the same rules"


def test_an_empty_password_must_be_said(tmp_path: Path) -> None:
    settings = load(write(tmp_path, GOOD.replace('"secret"', '""')), {})
    assert settings.carriers["demo"].password.get_secret_value() == ""


@pytest.mark.parametrize(
    "host",
    [
        "smsc..example",
        ".smsc.internal",
        "x" * 64 + ".example",
        ".".join(["x" * 63] * 4),
        "smsc.internal:2775",
        "smpp://smsc.internal",
        "[::1]",
        "smsc example",
        "smsc.internal\\n",
        "a\\u0000b",
        ".",
    ],
)
def test_hosts_that_cannot_be_looked_up(tmp_path: Path, host: str) -> None:
    found = problems(tmp_path, GOOD.replace("smsc.internal", host))
    assert found == ["carriers.demo.host: is neither a host name nor an IP address"]


@pytest.mark.parametrize(
    "host",
    [
        "smsc",
        "smsc.internal.",
        "smsc_1.internal",
        "10.0.0.1",
        "::1",
        "fe80::1%eth0",
        "münchen.example",
        "xn--mnchen-3ya.example",
        ".".join(["x" * 60] * 4),
    ],
)
def test_hosts(tmp_path: Path, host: str) -> None:
    assert load(write(tmp_path, GOOD.replace("smsc.internal", host)), {}).carriers["demo"].host == host


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """
        [http]
        port = "80"
        nothing = 1
        [accounts.app]
        key_hashes = ["x"]
        [carriers.one]
        host = "h"
        system_id = "s"
        [carriers.two]
        host = "h"
        password = "p"
        [[routes]]
        carriers = ["three"]
        """,
    )
    assert [problem.partition(":")[0] for problem in found] == [
        "http.port",
        "http.nothing",
        "accounts.app.key_hashes[0]",
        "carriers.one",
        "carriers.two.system_id",
        "routes[0].carriers[0]",
    ]


@pytest.mark.parametrize("section", ["accounts", "carriers"])
def test_at_least_one_account_and_one_carrier(tmp_path: Path, section: str) -> None:
    found = problems(tmp_path, "")
    assert f"{section}: at least one is needed: [{section}.NAME]" in found


@pytest.mark.parametrize("value", ["3", "[1]", "{app = 4}"])
def test_accounts_must_be_tables(tmp_path: Path, value: str) -> None:
    found = problems(tmp_path, f"accounts = {value}\n" + GOOD[GOOD.index("[carriers") :])
    assert found == ["accounts: must hold one table for each name: [accounts.NAME]"]


def test_two_carriers_need_a_route(tmp_path: Path) -> None:
    two = GOOD + '[carriers.two]\nhost = "h"\nsystem_id = "s"\npassword = "p"\n'
    assert problems(tmp_path, two) == [
        "routes: with more than one carrier, at least one [[routes]] must say which gets what"
    ]
    assert len(load(write(tmp_path, two + '[[routes]]\ncarriers = ["two"]'), {}).routes) == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[http\n", "not TOML"),
        (b"a = 1\nb = \n", "line 2, column 5"),
        (b"a = '\xff'", "not UTF-8: octet 0xff at 5"),
        (b"a = " + b"[" * 5000 + b"]" * 5000, "nested too deeply"),
        (b"a = 1" + b"0" * 5000, "not TOML"),
    ],
)
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "smppgw.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert expected in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file; `smppgw init"):
        load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)


def settings_with(folder: Path, text: str) -> Settings:
    return load(write(folder, text), {})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("[accounts.app]", '[http]\nhost = "0.0.0.0"\n[accounts.app]'), "http.host: 0.0.0.0 is not a loopback"),
        (
            ("[accounts.app]", '[http]\nhost = "example.org"\n[accounts.app]'),
            "http.host: example.org is not a loopback",
        ),
        (
            ('"secret"', '"secret"\n[carriers.demo.timers]\nenquire_link_s = 0'),
            "carriers.demo.timers.enquire_link_s: is 0",
        ),
        (
            (
                '"secret"',
                '"secret"\n[[routes]]\ncarriers = ["demo"]\n[[routes]]\ncarriers = ["demo"]\nprefixes = ["+44"]',
            ),
            "routes[1]: is never reached; routes[0] fits everything that it fits",
        ),
    ],
)
def test_warnings(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    settings = settings_with(tmp_path, GOOD.replace(*change))
    found = warnings_of(settings, tmp_path / "smppgw.toml")
    assert len(found) == 1, found
    assert expected in found[0]


@pytest.mark.parametrize(
    ("first", "second", "covered"),
    [
        ("", "", True),
        ("", 'prefixes = ["+44"]', True),
        ('prefixes = ["+44"]', 'prefixes = ["+447", "447"]', True),
        ('prefixes = ["+447"]', 'prefixes = ["+44"]', False),
        ('prefixes = ["+44"]', "", False),
        ('accounts = ["app"]', "", False),
        ("", 'accounts = ["app"]', True),
        ('accounts = ["app"]', 'accounts = ["app"]\nprefixes = ["1"]', True),
    ],
)
def test_a_route_that_is_never_reached(tmp_path: Path, first: str, second: str, covered: bool) -> None:
    routes = "".join(f'[[routes]]\ncarriers = ["demo"]\n{lines}\n' for lines in (first, second))
    found = warnings_of(settings_with(tmp_path, GOOD + routes))
    assert bool(found) is covered


def test_a_carrier_that_no_route_leads_to(tmp_path: Path) -> None:
    two = GOOD + '[carriers.two]\nhost = "h"\nsystem_id = "s"\npassword = "p"\n[[routes]]\ncarriers = ["two"]'
    assert warnings_of(settings_with(tmp_path, two)) == ["carriers.demo: no route leads to it"]


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_password_that_others_can_read(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    settings = load(path, {})
    path.chmod(0o644)
    assert "chmod 600" in warnings_of(settings, path)[0]
