from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import simulator
from simulator import charsets
from simulator.inject_options import EXAMPLES, inject_arguments, inject_options
from simulator.injecting import INJECT_TAKES, injection

GIVEN: list[dict[str, Any]] = []


@click.command(epilog=EXAMPLES)
@inject_options
def command(**options: Any) -> None:
    GIVEN.append(inject_arguments(options))


def arguments_of(*words: str) -> dict[str, Any]:
    GIVEN.clear()
    result = CliRunner().invoke(command, ["--from", "1", "--to", "2", *words])
    assert result.exit_code == 0, result.output
    return GIVEN[0]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["STOP"], {"text": "STOP"}),
        (["--octets", "00ff", "--ports", "2948:9200"], {"octets": "00ff", "ports": "2948:9200"}),
        (["x", "--data-coding", "0xF0", "--esm-class", "8"], {"text": "x", "data_coding": 240, "esm_class": 8}),
        (["x", "--packed", "--torn"], {"text": "x", "packed": True, "torn": True}),
        (["x", "--national", "urdu", "--national", "hindi"], {"text": "x", "national": ["urdu", "hindi"]}),
        (
            ["x", "--tlv", "0x1403=3233", "--tlv", "0x1403=", "--field", "protocol_id=65"],
            {"text": "x", "tlvs": {"0x1403": ["3233", ""]}, "fields": {"protocol_id": "65"}},
        ),
        (
            [
                "x",
                "--order",
                "reverse",
                "--duplicate",
                "1,2",
                "--missing",
                "3",
                "--gap",
                "0.5",
                "--source-ton",
                "1,0",
            ],
            {
                "text": "x",
                "order": "reverse",
                "duplicate": "1,2",
                "missing": "3",
                "gap_s": 0.5,
                "source_tons": "1,0",
            },
        ),
        (
            ["x", "--as", "data_sm", "--count", "10", "--per-s", "2"],
            {"text": "x", "as": "data_sm", "count": 10, "per_s": 2},
        ),
        (
            ["x", "--message-waiting", "fax,off", "--message-class", "0"],
            {"text": "x", "message_waiting": "fax,off", "message_class": 0},
        ),
    ],
)
def test_options_make_an_order(words: list[str], expected: dict[str, Any]) -> None:
    arguments = arguments_of(*words)
    assert arguments == {"from": "1", "to": "2"} | expected
    assert all(type(value) in INJECT_TAKES[name] for name, value in arguments.items())
    rest = {name: value for name, value in arguments.items() if name not in ("from", "to", "text")}
    injection("1", "2", arguments.get("text"), rest)


def test_there_is_an_option_for_everything() -> None:
    parameters = {parameter.name for parameter in command.params}
    assert parameters == set(INJECT_TAKES)
    assert all(getattr(parameter, "help", "") for parameter in command.params if parameter.name != "text")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["x", "--data-coding", "eight"], "'eight' is not a number"),
        (["x", "--tlv", "0x1403"], "'0x1403' is not NAME=VALUE"),
        (["x", "--as", "submit_sm"], "submit_sm"),
        (["x", "--long", "udh"], "udh8"),
    ],
)
def test_wrong_usage(words: list[str], told: str) -> None:
    result = CliRunner().invoke(command, ["--from", "1", "--to", "2", *words])
    assert result.exit_code == 2
    assert told in result.output


def test_help_has_examples() -> None:
    told = CliRunner().invoke(command, ["--help"]).output
    assert "in parts of 20 octets, the last one first" in told
    assert "Vote {n}" in told


def test_the_readme_has_every_argument_and_option() -> None:
    readme = (Path(simulator.__file__).parent / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Inbound texts\n")[2].partition("\n## ")[0]
    rows = [row.split(" | ") for row in section.splitlines() if row.startswith("| `")]
    arguments = [name for row in rows for name in re.findall(r"`(\w+)`", row[0])]
    options = [name for row in rows for name in re.findall(r"`(--[\w-]+)`", row[1])]
    assert sorted(arguments) == sorted(INJECT_TAKES)
    assert sorted(options) == sorted(
        name for parameter in command.params for name in parameter.opts if name.startswith("--")
    )
    alphabets = next(row[2] for row in rows if row[0] == "| `alphabet`").removesuffix(" |")
    assert alphabets == ", ".join(charsets.NAMES)
