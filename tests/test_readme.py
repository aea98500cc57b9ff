"""The README tells the truth: its commands run and print what it shows, its tables are those of the code."""

from __future__ import annotations

import contextlib
import csv
import inspect
import json
import os
import pty
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click
import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

import scripts.demo as demo
from scripts.processes import Program
from simulator.cli import main as simulator_cli
from smppgw.api.faults import ITEM_CODES
from smppgw.cli import main as cli
from smppgw.cli.common import EXIT_CODES
from smppgw.config import RetrySettings
from smppgw.queue.model import Lane, Verdict
from tests.api.gateway import Gateway

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PATIENCE_S = 20.0


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> list[tuple[str, str]]:
    """The rows of the first table of a section, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("| ")]
    found = [tuple(cell.strip() for cell in line.strip("|").split(" | ", 1)) for line in lines]
    return [(first, second) for first, second in found if not set(first) <= {"-", " "}][1:]


# ---------------------------------------------------------------------------------------------------------------- #
# The tables
# ---------------------------------------------------------------------------------------------------------------- #


def test_the_table_of_commands_is_that_of_the_command_line() -> None:
    names = [re.findall(r"`(smppgw[\w-]*) ?(\w*)", first)[0] for first, _ in rows("The command line")]
    assert sorted(name for program, name in names if program == "smppgw") == sorted(cli.commands)
    assert [program for program, _ in names if program != "smppgw"] == ["smppgw-simulator"]


def test_exit_codes() -> None:
    told = " ".join(section("The command line").split()).partition("Exit codes: ")[2].partition(".")[0]
    known = [" ".join(line.split()) for line in EXIT_CODES.splitlines() if line.strip()[:1].isdigit()]
    assert told.split("; ") == known


def test_variables_of_the_environment() -> None:
    known = {
        variable
        for command in cli.commands.values()
        for option in command.params
        for variable in [option.envvar]
        if isinstance(variable, str)
    }
    assert set(re.findall(r"SMPPGW_\w+", README)) == known


def test_the_table_of_the_api_is_that_of_the_application() -> None:
    told = re.findall(r"`(GET|POST) (/\S*)`", " ".join(first for first, _ in rows("The HTTP API")))
    routes = {
        (method, re.sub(r":\w+", "", route.path))
        for route in Gateway().app().routes
        if isinstance(route, (Route, APIRoute))
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert len(told) == len(set(told))
    assert set(told) == routes


def test_what_needs_no_key_is_said() -> None:
    assert "what does not begin with `/v1/` needs none" in " ".join(section("The HTTP API").split())
    for path, verbs in Gateway().app().openapi()["paths"].items():
        assert all(("security" in operation) == path.startswith("/v1/") for operation in verbs.values()), path


def test_verdicts_lanes_and_retries() -> None:
    fate = " ".join(section("A message's fate").split())
    told = fate.partition("The verdict follows from the segments: ")[2].partition(". Until then")[0]
    assert set(re.findall(r"`(\w+)`", told)) == set(Verdict)
    plan = RetrySettings()
    pauses = ", ".join(f"{plan.first_s * plan.factor**n:g}" for n in range(3))
    assert f"after {pauses} ... seconds, {plan.max_attempts} times (`[carriers.NAME.retry]`)" in fate
    lanes = section("The HTTP API").partition("`lane` (")[2].partition(")")[0]
    assert re.findall(r"`(\w+)`", lanes) == [lane.label for lane in Lane]


def test_what_it_links_to_and_names_is_there() -> None:
    links = [target for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target]
    named = re.findall(r"`((?:smppgw|tests|benchmarks|scripts|conf|docs|simulator)/[\w./]*)`", README)
    assert links and named
    for path in [*links, *named]:
        assert (ROOT / path).exists(), path


def test_the_demo_as_shown_adds_up() -> None:
    block = README.partition("prints what became of them:\n")[2].partition("\n(The simulator")[0]
    shown = dict(re.findall(r"^    ( *\S.*?)  +(\S.*)$", block, re.MULTILINE))
    with demo.MESSAGES.open(newline="", encoding="utf-8") as file:
        expected = [line["expect"] for line in csv.DictReader(file)]
    refused = [code for code in expected if code]
    assert int(shown.pop("lines in the file")) == len(expected)
    assert int(shown.pop("refused")) == len(refused)
    assert int(shown["accepted"]) == len(expected) - len(refused)
    codes = [name for name in shown if name.startswith(" ")]
    assert codes and all(int(shown.pop(code)) == refused.count(code.strip()) for code in codes)
    verdicts = [name for name in shown if name in set(Verdict)]
    assert sum(int(shown.pop(verdict)) for verdict in verdicts) == int(shown.pop("accepted"))
    source = inspect.getsource(demo)
    assert all(f'"{label}"' in source for label in shown), "the other lines"


def test_options_of_the_scripts() -> None:
    told = set(re.findall(r"scripts/demo (--\w+)", README + (ROOT / "scripts" / "demo").read_text()))
    printed = subprocess.run(
        [sys.executable, "-m", "scripts.demo", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert told and told <= set(re.findall(r"--\w+", printed))


# ---------------------------------------------------------------------------------------------------------------- #
# Every command
# ---------------------------------------------------------------------------------------------------------------- #


class Shown(NamedTuple):
    """A command of the README, and what it says the command prints."""

    command: str
    output: list[str]


def shown_commands() -> Iterator[Shown]:
    """All that stands behind a "$ " in a block, in order."""
    command = ""
    output: list[str] = []
    for line in [*README.splitlines(), ""]:
        if line.startswith("    $ ") or not line.startswith("    "):
            if command:
                yield Shown(command, output)
            command, output = line.removeprefix("    $ ") if line.startswith("    $ ") else "", []
        elif command.endswith("\\"):
            command = command[:-1] + line.strip()
        elif command:
            output.append(line[4:])


def options(command: click.Command) -> set[str]:
    return {name for option in command.params for name in option.opts if isinstance(option, click.Option)}


def test_every_command_named_anywhere_exists_with_its_options() -> None:
    spans = re.findall(r"`(smppgw[ -][^`]*)`", README) + [shown.command for shown in shown_commands()]
    tried = 0
    for span in spans:
        words = shlex.split(span.removesuffix("&"))
        program = {"smppgw": cli, "smppgw-simulator": simulator_cli}.get(words[0])
        if program is None:
            continue
        named = words[1] if len(words) > 1 and not words[1].startswith("-") else ""
        command: click.Command = program.commands[named] if named else program
        assert {word for word in words[1:] if word.startswith("--")} <= options(command), span
        tried += 1
    assert tried > 15


# ---------------------------------------------------------------------------------------------------------------- #
# The ten minutes
# ---------------------------------------------------------------------------------------------------------------- #

#: What differs from run to run -> what stands for it.
MASKS = (
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
    (r"sgw_[\w-]+", "KEY"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"\bpath=\S+", "path=PATH"),
    (r"\b\d{16}\b", "SMSC-ID"),
    (r"\bd2[0-9a-z]{9}\b", "ID"),
    (r"\s+", " "),  # columns: spaces on a terminal, tabs elsewhere
)


def masked(line: str) -> str:
    for pattern, name in MASKS:
        line = re.sub(pattern, name, line)
    return line.strip()


def assert_prints(output: str, shown: Shown) -> None:
    """`...` in the README stands for any lines."""
    pattern = "\n".join("(?:.*\n)*.*" if line.strip() == "..." else re.escape(masked(line)) for line in shown.output)
    got = "\n".join(masked(line) for line in output.splitlines())
    assert re.fullmatch(pattern, got), f"$ {shown.command}\n{output}"


class Tour:
    """Runs the commands of the README in a folder of its own and on free ports, in order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = dict(zip(("2775", "2776", "8080"), free_ports(3), strict=True))
        self.environment = {"SMPPGW_URL": f"http://127.0.0.1:{self.ports['8080']}"}
        self.background: list[Program] = []
        self.last_id = ""
        self.key = ""

    def run(self, shown: Shown) -> None:
        command = shown.command
        for port, free in self.ports.items():
            command = re.sub(rf"\b{port}\b", str(free), command)
        if re.search(r"\bd2[0-9a-z]{9}$", command):
            command = f"{command[:-11]}{self.last_id}"
        words = shlex.split(command)
        if words[-1] == "&":
            self.start(words[:-1], shown)
        elif words[0] == "export":
            assert words[1].startswith("SMPPGW_KEY=sgw_")
            self.environment["SMPPGW_KEY"] = self.key
        elif words[0] == "curl":
            self.curl(words, shown)
        else:
            self.program(words, shown)

    def start(self, words: list[str], shown: Shown) -> None:
        module = {"smppgw": "smppgw", "smppgw-simulator": "simulator"}[words[0]]
        extra = ["--port", str(self.ports["2775"])] if module == "simulator" else ["--config", str(self.config)]
        out = self.folder / f"{module}.out"
        self.background.append(Program(module, [module, *words[1:], *extra], out=out))
        until = time.monotonic() + PATIENCE_S
        while len(out.read_text().splitlines()) < len(shown.output):
            assert time.monotonic() < until, out.read_text()
            time.sleep(0.02)
        assert_prints(out.read_text(), shown)

    def program(self, words: list[str], shown: Shown) -> None:
        module = {"smppgw": "smppgw", "smppgw-simulator": "simulator"}[words[0]]
        until = time.monotonic() + PATIENCE_S
        while True:
            output = on_a_terminal([module, *words[1:]], self.folder, self.environment)
            try:
                assert_prints(output, shown)
                break
            except AssertionError:  # the look-ups: a reader is slower than this test
                if words[1] not in ("message", "inbound") or time.monotonic() > until:
                    raise
                time.sleep(0.05)
        self.last_id = next(iter(re.findall(r"\bd2[0-9a-z]{9}\b", output)), self.last_id)
        if words[1] == "init":
            self.key = re.findall(r"sgw_[\w-]+", output)[0]
            text = self.config.read_text()
            for key in ("8080", "2775"):
                assert f"# port = {key}\n" in text
                text = text.replace(f"# port = {key}\n", f"port = {self.ports[key]}\n")
            self.config.write_text(text)

    def curl(self, words: list[str], shown: Shown) -> None:
        assert words[1] == "-s" and words[3::2] == ["-H", "-H", "-d"]
        assert words[4] == "Authorization: Bearer $SMPPGW_KEY"
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": words[6].partition(": ")[2]}
        answer = httpx.post(f"http://{words[2]}", content=words[8].encode(), headers=headers, trust_env=False)
        assert answer.status_code == 202
        expected: Any = json.loads(masked("".join(line.strip() + " " for line in shown.output)))
        assert json.loads(masked(answer.text)) == expected

    @property
    def config(self) -> Path:
        return self.folder / "smppgw.toml"


def on_a_terminal(arguments: list[str], folder: Path, environment: dict[str, str]) -> str:
    """What `python -m ARGUMENTS` prints on a terminal, without its colours. It has to end with exit code 0."""
    ours, theirs = pty.openpty()
    terminal = {"TERM": "xterm", "COLUMNS": "120", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", *arguments]
    with os.fdopen(ours, "rb", buffering=0) as screen, os.fdopen(theirs, "wb", buffering=0) as tty:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **terminal, **environment}, stdout=tty, stderr=tty
        )
        tty.close()
        printed = b""
        with contextlib.suppress(OSError):  # EIO: the other end is closed
            while octets := screen.read(4096):
                printed += octets
    text = re.sub(r"\x1b\[[\d;]*m", "", printed.decode())
    assert process.wait() == 0, text
    return text


@contextmanager
def tour(folder: Path) -> Iterator[Tour]:
    made = Tour(folder)
    try:
        yield made
    finally:
        codes = [program.stop() for program in reversed(made.background)]
    assert codes == [0, 0]


def free_ports(count: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in taken]
    for one in taken:
        one.close()
    return ports


def test_the_ten_minutes(tmp_path: Path) -> None:
    commands = list(shown_commands())
    assert len(commands) == 10
    with tour(tmp_path) as running:
        for shown in commands:
            running.run(shown)


@pytest.mark.parametrize("output", ["a\nx\n", "a\n", "a\nc\nb\nd", ""])
def test_the_comparison_can_fail(output: str) -> None:
    with pytest.raises(AssertionError):
        assert_prints(output, Shown("x", ["a", "...", "b"]))


def test_refusals_of_the_tour_are_codes() -> None:
    told = re.findall(r'"code":"(\w+)"', README)
    assert told and all(code in ITEM_CODES or code.startswith(("recipient_", "sender_")) for code in told)
