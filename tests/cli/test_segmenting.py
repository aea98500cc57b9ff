"""segments: asks a gateway, or plans by a configuration; draws, prints lines, or JSON; says what would be refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from smppgw.api.auth import hash_key
from smppgw.cli.common import Exit
from smppgw.cli.segmenting import segments as segments_command
from smppgw.cli.sending import send as send_command
from tests.api.gateway import KEY
from tests.cli.runner import Served, run

QUOTES = "Your order “4711” is on its way…"

CONFIG = f"""
[accounts.app]
key_hashes = ["{hash_key(KEY)}"]
max_segments = 2
[carriers.plain]
host = "127.0.0.1"
system_id = "x"
password = "y"
[carriers.turkish]
host = "127.0.0.1"
system_id = "x"
password = "y"
encoding = {{ national_tables = ["turkish"] }}
[[routes]]
carriers = ["plain"]
"""
SECOND = f'[accounts.smart]\nkey_hashes = ["{hash_key("sgw_second")}"]\nsmart_encoding = true\n'


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "smppgw.toml"
    path.write_text(CONFIG)
    return str(path)


def planned(config: str, *arguments: str, exit_code: Exit = Exit.OK, **kind: Any) -> list[dict[str, Any]]:
    result = run("segments", *arguments, "--config", config, "--json", **kind)
    assert (result.exit_code, result.stderr) == (exit_code, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_gateway_and_a_configuration_answer_alike(gateway: Served, tmp_path: Path) -> None:
    arguments = ["segments", QUOTES, "--to", "+447700900123", "--json"]
    asked = gateway.run(*arguments)
    assert (asked.exit_code, gateway.gateway.batches) == (Exit.OK, [])
    path = tmp_path / "smppgw.toml"
    path.write_text(CONFIG.replace("plain", "demo").replace("max_segments = 2", ""))
    assert json.loads(asked.stdout) == planned(str(path), *arguments[1:-1])[0]


def test_the_answer(config: str) -> None:
    (answer,) = planned(config, QUOTES)
    assert (answer["carrier"], answer["alphabet"], answer["segment_count"]) == ("plain", "ucs2", 1)
    assert [(one["code_point"], one["positions"]) for one in answer["forced"]] == [
        ("U+201C", [11]),
        ("U+201D", [16]),
        ("U+2026", [31]),
    ]
    (segment,) = answer["segments"]
    assert bytes.fromhex(segment["octets"]).decode("utf-16-be") == segment["text"] == QUOTES


def test_lines_with_tabs(config: str) -> None:
    result = run("segments", "5 €", "--config", config)
    assert result.exit_code == Exit.OK
    plan, segments, characters = (
        [line.split("\t") for line in table.splitlines()] for table in result.stdout.split("\n\n")
    )
    assert dict(zip(*plan, strict=True))["alphabet"] == "gsm7"
    assert dict(zip(*segments, strict=True))["short_message"] == "35201b65"
    assert characters[1] == ["extended", "€", "U+20AC", "EURO SIGN", "1", "2", "-"]


@pytest.mark.parametrize("text", [[], ["-"]])
def test_the_text_from_standard_input(config: str, text: list[str]) -> None:
    (answer,) = planned(config, *text, input="two\nlines\n")
    assert answer["segments"][0]["text"] == "two\nlines"


def test_carriers_beside_each_other(config: str) -> None:
    text = "Günaydın, ışığı söndürdün mü? Şişli ve Beşiktaş. " * 2
    one, other = planned(config, text, "--carrier", "plain", "--carrier", "turkish")
    assert (one["carrier"], one["alphabet"], one["segment_count"]) == ("plain", "ucs2", 2)
    assert (other["carrier"], other["alphabet"], other["segment_count"]) == ("turkish", "gsm7", 1)
    assert "turkish" in (other["locking_shift"], other["single_shift"])
    tables = run("segments", text, "--carrier", "plain", "--carrier", "turkish", "--config", config).stdout
    assert len(re.findall(r"(?m)^carrier\t", tables)) == 2


def test_a_line_of_send_is_previewed_by_changing_one_word(config: str) -> None:
    send = [
        *("Hi", "--to", "+447700900123", "--from", "Me", "--lane", "otp", "--replace-type", "3", "--priority", "1"),
        *("--send-at", "000000010000000R", "--valid-until", "000000020000000R", "--client-ref", "r"),
        *("--service-type", "CMT", "--replace-if-present", "--flash"),
    ]
    (answer,) = planned(config, *send)
    assert (answer["error"], answer["data_coding"]) == (None, 0x10)
    both = {param.name for param in segments_command.params} & {param.name for param in send_command.params}
    of_runs = {"csv_file", "ignored", "run", "retry_s"}
    assert {param.name for param in send_command.params} - both == of_runs


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--lane", "otpp"], "a lane is one of otp, transactional, bulk; did you mean otp? (lane_unknown)"),
        (["--send-at", "soon"], "send_at 'soon' is no point in time; give it as"),
        (["--valid-until", "2001-01-01T00:00:00Z"], "(valid_until_past)"),
        (["--validity-s", "99999999"], "(validity_too_long)"),
        (["--tlv", "x=1"], "(tlv_unknown)"),
        (["--replace-type", "1", "--protocol-id", "65"], "(conflicting_fields)"),
    ],
)
def test_what_send_would_be_refused_is_told(config: str, arguments: list[str], says: str) -> None:
    result = run("segments", "x", *arguments, "--config", config)
    assert result.exit_code == Exit.REFUSED and says in result.stderr


def test_several_recipients(config: str) -> None:
    Path(config).write_text(
        CONFIG.replace("[[routes]]", '[[routes]]\ncarriers = ["turkish"]\nprefixes = ["+90"]\n[[routes]]')
    )
    to = [part for one in ("+447700900123", "+905301234567", "+447700900124", "x") for part in ("--to", one)]
    result = run("segments", "x", *to, "--config", config, "--json")
    assert [json.loads(line).get("carrier") for line in result.stdout.splitlines()] == [
        "plain",
        "turkish",
        "plain",
        None,
    ]
    drawn = run("segments", "x", *to, "--config", config)
    assert len(re.findall(r"(?m)^carrier\t", drawn.stdout)) == 2, "what is alike is drawn once"
    assert drawn.stderr.startswith("smppgw: x: ") and drawn.stderr.endswith("(recipient_letters)\n")


def test_neither_secrets_nor_files_are_needed(config: str) -> None:
    text = CONFIG.replace('password = "y"', 'password_env = "NONE"\ntls = { enabled = true, ca_file = "none.pem" }')
    Path(config).write_text(text)
    assert planned(config, "x")[0]["alphabet"] == "gsm7"
    Path(config).write_text(text.replace("ca_file", "cafile"))
    assert "unknown key" in run("segments", "x", "--config", config).stderr


def test_no_carrier_is_told_in_options(config: str) -> None:
    Path(config).write_text(CONFIG + 'prefixes = ["+44"]\n')
    result = run("segments", "x", "--config", config)
    assert result.stderr == (
        "smppgw: no route of this account takes all recipients; give --to, or --carrier: one of plain, turkish "
        "(carrier_missing)\n"
    )


def test_what_would_be_refused_is_drawn_all_the_same(config: str) -> None:
    (answer,) = planned(config, "ж" * 150, exit_code=Exit.REFUSED)
    assert (answer["segment_count"], answer["error"]["code"]) == (3, "too_long")
    result = run("segments", "ж" * 150, "--carrier", "plain", "--carrier", "nobody", "--config", config)
    assert result.exit_code == Exit.REFUSED
    assert len(result.stdout.split("\n\n")) == 3 and "\t3\t" in result.stdout
    first, second = result.stderr.splitlines()
    assert first.startswith("smppgw: plain: ") and first.endswith("(too_long)")
    assert second.startswith("smppgw: nobody: ") and second.endswith("(carrier_unknown)")


def test_wishes(config: str) -> None:
    (smart,) = planned(config, QUOTES, "--smart")
    assert (smart["alphabet"], smart["sent_text"]) == ("gsm7", 'Your order "4711" is on its way...')
    (flash,) = planned(config, "Hi", "--flash")
    assert flash["data_coding"] == 0x10
    (binary,) = planned(config, "--octets", "02 4a", "--port", "5505")
    assert (binary["alphabet"], binary["segments"][0]["octets"]) == ("binary", "06050415810000024a")
    (refused,) = planned(config, "ж", "--on-unencodable", "refuse", exit_code=Exit.REFUSED)
    assert refused["error"]["code"] == "unencodable"


def test_the_account_is_chosen(config: str) -> None:
    Path(config).write_text(CONFIG + SECOND)
    result = run("segments", "x", "--config", config)
    assert result.exit_code == Exit.USAGE and "has 2 accounts; --account chooses: app, smart" in result.stderr
    result = run("segments", "x", "--config", config, "--account", "smrt")
    assert result.exit_code == Exit.USAGE and "no account smrt; did you mean smart?" in result.stderr
    assert planned(config, QUOTES, "--account", "smart")[0]["alphabet"] == "gsm7"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["x", "--account", "app"], "--account goes with --config"),
        (["x", "--config", "smppgw.toml", "--key", "k"], "--key asks a gateway"),
        (["x", "--config", "smppgw.toml", "--url", "http://x"], "--url asks a gateway"),
        (["x", "--config", "none.toml"], "no such file"),
        (["a\udcffb", "--config", "none.toml"], "TEXT is not UTF-8: octet 0xff at position 1"),
        (["x", "--from", "\ud800", "--config", "none.toml"], "--from is not UTF-8: U+D800 at position 0"),
    ],
)
def test_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("segments", *arguments)
    assert (result.exit_code, result.stdout) == (Exit.USAGE, "")
    assert says in result.stderr


def test_variables_for_the_gateway_do_not_disturb_a_configuration(gateway: Served, config: str) -> None:
    assert gateway.run("segments", "x", "--config", config).exit_code == Exit.OK


def test_no_key_and_no_configuration() -> None:
    result = run("segments", "x")
    assert result.exit_code == Exit.UNAUTHORISED
    assert "SMPPGW_KEY" in result.stderr and "--config" in result.stderr
