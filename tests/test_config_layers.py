"""Built-in defaults, [defaults], profiles, the carrier, a bind: what is said last holds, and where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smppgw.config import (
    BindMode,
    CarrierSettings,
    InterfaceVersion,
    StatusOutcome,
    effective,
    load,
    read,
    shipped,
    warnings_of,
)
from smppgw.errors import ConfigError

HEAD = f"""
[accounts.app]
key_hashes = ["sha256:{"a" * 64}"]
"""
DEMO = """
[carriers.demo]
host = "10.0.0.1"
system_id = "demo"
password = "secret"
"""
ENVIRON = {"ONE": "pw-one", "TWO": "pw-two"}


def write(folder: Path, text: str) -> Path:
    path = folder / "smppgw.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    path.chmod(0o600)
    return path


def carrier(folder: Path, text: str) -> CarrierSettings:
    return load(write(folder, text), ENVIRON).carriers["demo"]


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text), ENVIRON)
    return caught.value.problems


def origins(folder: Path, text: str, name: str = "demo") -> dict[tuple[str, str], str]:
    """(bind or carrier, setting) -> where it comes from, of all that is not a default."""
    reading = read(write(folder, text), ENVIRON)
    return {(row.link, row.setting): row.origin for row in effective(reading, name) if row.origin != "default"}


# ---------------------------------------------------------------------------------------------------------------- #
# Merging
# ---------------------------------------------------------------------------------------------------------------- #


@pytest.mark.parametrize(
    ("layers", "window"),
    [
        ("", 100),
        ("[defaults]\nwindow = 1", 1),
        ("[defaults]\nwindow = 1\n[profiles.base]\nwindow = 2\n[profiles.mine]\nprofile = 'base'", 2),
        ("[defaults]\nwindow = 1\n[profiles.base]\nwindow = 2\n[profiles.mine]\nprofile = 'base'\nwindow = 3", 3),
    ],
)
def test_what_is_said_last_holds(tmp_path: Path, layers: str, window: int) -> None:
    profile = 'profile = "mine"\n' if "mine" in layers else ""
    assert carrier(tmp_path, layers + DEMO + profile).window == window
    assert carrier(tmp_path, layers + DEMO + profile + "window = 4").window == 4
    bind = "window = 4\n[[carriers.demo.bind]]\nwindow = 5\n[[carriers.demo.bind]]"
    assert [link.window for link in carrier(tmp_path, layers + DEMO + profile + bind).links()] == [5, 4]


def test_tables_merge_deeply_and_lists_replace(tmp_path: Path) -> None:
    settings = carrier(
        tmp_path,
        """
        [defaults]
        fallbacks = ["a:1", "b:1"]
        caps = [{ per = "day", count = 1 }]
        [defaults.timers]
        connect_s = 1.0
        response_s = 2.0
        [defaults.vendor_tlvs.campaign]
        tag = 0x1401
        octets = 9
        [profiles.mine]
        fallbacks = ["c:1"]
        timers.response_s = 3.0
        vendor_tlvs.product.tag = 0x1402
        """
        + DEMO
        + """
        profile = "mine"
        caps = []
        vendor_tlvs.campaign.value = "C"
        timers.stop_s = 4.0
        """,
    )
    assert settings.fallbacks == ["c:1"]
    assert settings.caps == []
    assert (settings.timers.connect_s, settings.timers.response_s, settings.timers.stop_s) == (1.0, 3.0, 4.0)
    campaign = settings.vendor_tlvs["campaign"]
    assert (campaign.tag, campaign.octets, campaign.value) == (0x1401, 9, "C")
    assert settings.vendor_tlvs["product"].tag == 0x1402


def test_one_status_in_other_words_is_one_status(tmp_path: Path) -> None:
    """Otherwise a carrier could not change what its profile says of 0x58 by its name."""
    settings = carrier(
        tmp_path,
        """
        [profiles.mine]
        outcomes = { "0x58" = "fail", "ESME_RSYSERR" = "fail" }
        bind_refusals = { "13" = "other" }
        receipts.states = { "Failed" = "UNDELIV" }
        """
        + DEMO
        + """
        profile = "mine"
        outcomes = { "RTHROTTLED" = "delay" }
        bind_refusals = { "ESME_RBINDFAIL" = "passing" }
        receipts.states = { "FAILED" = "EXPIRED" }
        """,
    )
    assert settings.outcomes == {"RTHROTTLED": StatusOutcome.DELAY, "ESME_RSYSERR": StatusOutcome.FAIL}
    assert list(settings.bind_refusals) == ["ESME_RBINDFAIL"]
    assert settings.receipts.states == {"FAILED": "EXPIRED"}


def test_a_password_said_another_way_replaces_the_one_below(tmp_path: Path) -> None:
    text = DEMO.replace('password = "secret"', 'password_env = "ONE"') + (
        '[[carriers.demo.bind]]\n[[carriers.demo.bind]]\npassword_env = "TWO"\n[[carriers.demo.bind]]\npassword = "x"'
    )
    settings = carrier(tmp_path, text)
    assert [link.password.get_secret_value() for link in settings.links()] == ["pw-one", "pw-two", "x"]
    assert "pw-" not in repr(settings) + repr(settings.links())


def test_relative_paths_start_at_the_config_file_in_profiles_too(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes((Path(__file__).parent / "vectors" / "certificate_and_key.pem").read_bytes())
    settings = carrier(
        tmp_path, "[profiles.mine]\ntls = { enabled = true, ca_file = 'ca.pem' }" + DEMO + "profile = 'mine'"
    )
    assert settings.tls.ca_file == tmp_path / "ca.pem"


# ---------------------------------------------------------------------------------------------------------------- #
# Binds
# ---------------------------------------------------------------------------------------------------------------- #


def test_without_bind_tables_all_binds_are_the_carrier(tmp_path: Path) -> None:
    settings = carrier(tmp_path, DEMO + "binds = 3")
    assert settings.links() == [settings] * 3


def test_a_bind_may_bring_all_that_belongs_to_a_link(tmp_path: Path) -> None:
    settings = carrier(
        tmp_path,
        """
        [carriers.demo]
        submit.service_type = "CMT"
        [[carriers.demo.bind]]
        host = "10.0.0.1"
        system_id = "one"
        password_env = "ONE"
        tls.enabled = true
        [[carriers.demo.bind]]
        host = "10.0.0.2"
        system_id = "two"
        password_env = "TWO"
        mode = "pair"
        receive_port = 2776
        """,
    )
    one, two = settings.links()
    assert (one.host, one.system_id, one.password.get_secret_value(), one.tls.enabled) == (
        "10.0.0.1",
        "one",
        "pw-one",
        True,
    )
    assert (two.host, two.mode, two.receive_port, two.tls.enabled) == ("10.0.0.2", BindMode.PAIR, 2776, None)
    assert {one.submit.service_type, two.submit.service_type} == {"CMT"}
    assert (settings.binds, settings.host) == (2, "10.0.0.1"), "the first stands for the carrier"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[carriers.demo.bind]]\nwindwo = 1", "carriers.demo.bind[0].windwo: unknown key; did you mean window?"),
        (
            "[[carriers.demo.bind]]\n[[carriers.demo.bind]]\ntlvs = false",
            "carriers.demo.bind[1].tlvs: unknown key; it is known in [carriers.NAME]",
        ),
        ("[[carriers.demo.bind]]\nwindow = '1'", "carriers.demo.bind[0].window: must be an integer, not a string"),
        (
            "window = 0\n[[carriers.demo.bind]]\nwindow = 5",
            "carriers.demo.window: must be at least 1, not ",
        ),
        ("bind = 3", "carriers.demo.bind: must be a list, not an integer"),
        ("bind = [3]", "carriers.demo.bind[0]: must be a table, not an integer"),
        (
            "binds = 3\n[[carriers.demo.bind]]\n[[carriers.demo.bind]]",
            "carriers.demo.binds: binds is 3, but there are 2 [[bind]] tables; leave one of them out",
        ),
        (
            "[[carriers.demo.bind]]\npassword_env = 'NONE'",
            "carriers.demo.bind[0].password_env: the environment has no variable NONE",
        ),
        (
            "[[carriers.demo.bind]]\nreceive_port = 2776",
            'carriers.demo.bind[0].receive_port: has no effect without mode = "pair"',
        ),
        (
            "[[carriers.demo.bind]]\nreconnect.first_s = 90.0",
            "carriers.demo.bind[0].reconnect.first_s: reconnect.first_s, 90, is above max_s, 60",
        ),
    ],
)
def test_mistakes_of_binds(tmp_path: Path, text: str, expected: str) -> None:
    found = problems(tmp_path, DEMO + text)
    assert len(found) == 1, found
    assert found[0].startswith(expected)


def test_what_no_bind_says_is_missed_once(tmp_path: Path) -> None:
    found = problems(tmp_path, "[carriers.demo]\nport = 1\n" + "[[carriers.demo.bind]]\nhost = 'h'\n" * 2)
    assert [problem.partition(": ")[0] for problem in found] == ["carriers.demo.system_id"]
    found = problems(tmp_path, "[carriers.demo]\nsystem_id = 's'\n" + "[[carriers.demo.bind]]\nhost = 'h'\n" * 2)
    assert found == [
        "carriers.demo: exactly one of password, password_env and password_file is needed; none of them is set"
    ]


def test_as_many_binds_as_bind_tables_may_be_said(tmp_path: Path) -> None:
    assert carrier(tmp_path, DEMO + "binds = 1\n[[carriers.demo.bind]]").binds == 1
    below = "[defaults]\nbinds = 3\n" + DEMO + "[[carriers.demo.bind]]"
    assert carrier(tmp_path, below).binds == 1, "a carrier with tables of its own has as many"


# ---------------------------------------------------------------------------------------------------------------- #
# Profiles
# ---------------------------------------------------------------------------------------------------------------- #


def test_a_profile_of_ones_own_may_be_based_on_a_shipped_one(tmp_path: Path) -> None:
    settings = carrier(tmp_path, "[profiles.mine]\nprofile = 'smpp-33'\nwindow = 7" + DEMO + "profile = 'mine'")
    assert (settings.interface_version, settings.tlvs, settings.window) == (InterfaceVersion.V33, False, 7)
    assert settings.profile == "mine"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DEMO + "profile = 'kanel'", ["carriers.demo.profile: no profile kanel; did you mean kannel?"]),
        (
            "[profiles.mine]" + DEMO + "profile = 'qq'",
            [f"carriers.demo.profile: no profile qq; there are {', '.join(sorted([*shipped(), 'mine']))}"],
        ),
        (
            "[profiles.mine]\nprofile = 'hexdec'" + DEMO + "profile = 'mine'",
            ["profiles.mine.profile: no profile hexdec; did you mean hex-dec?"],
        ),
        ("[profiles.a]\nprofile = 'a'" + DEMO, ["profiles.a.profile: a circle: a -> a"]),
        (
            "[profiles.c]\nprofile = 'b'\n[profiles.b]\nprofile = 'a'\n[profiles.a]\nprofile = 'c'"
            + DEMO
            + "profile = 'b'",
            ["profiles.a.profile: a circle: a -> c -> b -> a"],
        ),
        (
            "[profiles.kannel]\nwindow = 1" + DEMO,
            [
                "profiles.kannel: is the name of a shipped profile; "
                'choose another, with profile = "kannel" as its base'
            ],
        ),
        (
            "[profiles.'a b']\nwindow = 1" + DEMO,
            ["profiles.\"a b\": a name has 1 to 32 letters, digits, '_', '-' or '.'"],
        ),
        ("[profile.mine]\nwindow = 1" + DEMO, ["profile: unknown key; did you mean profiles?"]),
        ("[default]\nwindow = 1" + DEMO, ["default: unknown key; did you mean defaults?"]),
        ("[timers]\nstop_s = 1" + DEMO, ["timers: unknown key; it is known in [carriers.NAME]"]),
        ("profiles = 3\n" + DEMO, ["profiles: must be a table, not an integer"]),
        ("profiles.mine = 3\n" + DEMO, ["profiles.mine: must be a table, not an integer"]),
        ("defaults = [3]\n" + DEMO, ["defaults: must be a table, not a list"]),
        (
            "[defaults]\nprofile = 'kannel'" + DEMO,
            ["defaults.profile: each carrier names its own profile: [carriers.NAME]"],
        ),
        ("[[defaults.bind]]" + DEMO, ["defaults.bind: binds are a carrier's own: [[carriers.NAME.bind]]"]),
        ("[[profiles.x.bind]]" + DEMO, ["profiles.x.bind: binds are a carrier's own: [[carriers.NAME.bind]]"]),
        ("[defaults]\nwindwo = 3" + DEMO, ["defaults.windwo: unknown key; did you mean window?"]),
        (
            "[profiles.mine]\ntimers.conect_s = 3" + DEMO,
            ["profiles.mine.timers.conect_s: unknown key; did you mean connect_s?"],
        ),
        (DEMO + "profile = 3", ["carriers.demo.profile: must be a string, not an integer"]),
    ],
)
def test_mistakes_of_profiles(tmp_path: Path, text: str, expected: list[str]) -> None:
    path = tmp_path / "smppgw.toml"  # what has no table of its own must come before all tables
    path.write_text(text + HEAD if text.startswith(("profiles", "defaults")) else HEAD + text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, ENVIRON)
    assert caught.value.problems == expected


def test_a_mistake_in_a_profile_is_told_once_where_it_stands(tmp_path: Path) -> None:
    carriers = "".join(DEMO.replace("demo", name) + "profile = 'mine'\n" for name in ("one", "two", "three"))
    routes = "[[routes]]\ncarriers = ['one', 'two', 'three']\n"
    broken = "[profiles.mine]\nsubmit.priority = { otp = 9 }\n"
    found = problems(tmp_path, broken + carriers + routes)
    assert found == ["profiles.mine.submit.priority.otp: must be at most 3, not 9"]
    contradiction = "[profiles.mine]\ntlvs = false\nencoding.long = 'sar'\n"
    found = problems(tmp_path, contradiction + carriers + routes)
    assert found == ["profiles.mine.encoding.long: encoding.long is sar, which needs TLVs, but tlvs is false"]


def test_a_mistake_in_a_profile_hides_none_of_its_carriers(tmp_path: Path) -> None:
    text = (
        "[profiles.mine]\nwindow = 0\n[carriers.demo]\nprofile = 'mine'\nsystem_id = 's'\npassword = 'p'\nwindwo = 1"
    )
    assert [problem.partition(": ")[0] for problem in problems(tmp_path, text)] == [
        "profiles.mine.window",
        "carriers.demo.windwo",
        "carriers.demo.host",
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (
            "[profiles.mine]\ntlvs = false\n" + DEMO + "profile = 'mine'\nencoding.long = 'sar'",
            "carriers.demo.encoding.long",
        ),
        ("[profiles.mine]\nencoding.long = 'sar'\n" + DEMO + "profile = 'mine'\ntlvs = false", "carriers.demo.tlvs"),
        (
            "[defaults]\nencoding.long = 'sar'\n[profiles.mine]\ntlvs = false\n" + DEMO + "profile = 'mine'",
            "profiles.mine.tlvs",
        ),
    ],
)
def test_a_contradiction_is_told_under_what_was_said_last(tmp_path: Path, text: str, key: str) -> None:
    assert problems(tmp_path, text) == [f"{key}: encoding.long is sar, which needs TLVs, but tlvs is false"]


def test_a_mistake_makes_nothing_else_look_missing(tmp_path: Path) -> None:
    found = problems(tmp_path, "[profiles.mine]\ncaps = [{}]\n" + DEMO + "profile = 'mine'")
    assert [problem.partition(": ")[0] for problem in found] == [
        "profiles.mine.caps[0].per",
        "profiles.mine.caps[0].count",
    ]


def test_what_has_no_effect_is_no_mistake_of_a_profile(tmp_path: Path) -> None:
    """A profile may say what some of its carriers need."""
    profile = "[profiles.mine]\nburst = 5\nreceive_port = 2776\nreceipt_alarm_s = 60.0\n"
    assert carrier(tmp_path, profile + DEMO + "profile = 'mine'").burst == 5


def test_a_profile_that_nobody_uses(tmp_path: Path) -> None:
    text = "[profiles.base]\nwindow = 1\n[profiles.mine]\nprofile = 'base'\n" + DEMO
    assert warnings_of(load(write(tmp_path, text), {})) == ["profiles.mine: no carrier uses it"]


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_profile_fits_a_plain_carrier(tmp_path: Path, name: str) -> None:
    settings = carrier(tmp_path, DEMO + f'profile = "{name}"')
    assert settings.profile == name
    rows = origins(tmp_path, DEMO + f'profile = "{name}"')
    said = {
        setting: origin for (_, setting), origin in rows.items() if origin.startswith(f"profile {name}, {name}.toml:")
    }
    assert said, "a profile that says nothing"


# ---------------------------------------------------------------------------------------------------------------- #
# Where it stands
# ---------------------------------------------------------------------------------------------------------------- #

STANDING = """
[defaults]
window = 20
outcomes = { "0x58" = "delay" }

[profiles.mine]
profile = "kannel"
timers.connect_s = 5.0

[carriers.demo]
profile = "mine"
system_id = "demo"
password_env = "ONE"
fallbacks = [
    "10.0.0.9:2775",
]

[[carriers.demo.addresses.source]]
pattern = "[0-9]+"
ton = 3

[[carriers.demo.bind]]
host = "10.0.0.1"

[[carriers.demo.bind]]
host = "10.0.0.2"
password = "hunter2"
"""


def test_every_value_knows_its_line(tmp_path: Path) -> None:
    found = origins(tmp_path, STANDING)
    system_type = next(layer.lines.at(("system_type",)) for name, layer in shipped().items() if name == "kannel")
    expected = {
        ("demo", "profile"): "smppgw.toml:14",
        ("demo", "binds"): "smppgw.toml:25",
        ("demo", "outcomes.0x58"): "[defaults], smppgw.toml:7",
        ("demo", "addresses.source[0].pattern"): "smppgw.toml:22",
        ("demo", "addresses.source[0].ton"): "smppgw.toml:23",
        ("demo/1", "host"): "smppgw.toml:26",
        ("demo/2", "host"): "smppgw.toml:29",
        ("demo/1", "password"): "smppgw.toml:16",
        ("demo/1", "password_env"): "smppgw.toml:16",
        ("demo/2", "password"): "smppgw.toml:30",
        ("demo/1", "fallbacks"): "smppgw.toml:17",
        ("demo/1", "timers.connect_s"): "profile mine, smppgw.toml:11",
        ("demo/1", "system_type"): f"profile kannel, kannel.toml:{system_type}",
        ("demo/1", "window"): f"profile kannel, kannel.toml:{system_type + 1}",
    }
    assert {key: found.get(key) for key in expected} == expected
    assert ("demo", "addresses.source[0].npi") not in found, "not said by its table: a default"
    assert not any("host" in setting for link, setting in found if link == "demo" and "outbind" not in setting)


def test_every_value_is_there_and_no_secret(tmp_path: Path) -> None:
    reading = read(write(tmp_path, STANDING + "[carriers.demo.outbind]\nport = 2777\npassword = 'hunter2'"), ENVIRON)
    rows = list(effective(reading, "demo"))
    links = [row for row in rows if row.link == "demo/2"]
    assert {row.setting.partition(".")[0] for row in rows} | {"bind"} == set(CarrierSettings.model_fields)
    values: dict[str, Any] = {row.setting: row.value for row in links}
    assert (values["host"], values["password"], values["timers.response_s"]) == ("10.0.0.2", "(hidden)", 60.0)
    assert "hunter2" not in repr(rows)
    assert "pw-one" not in repr(rows)
    assert [row.setting for row in rows if row.secret] == ["outbind.password", "password", "password"]
