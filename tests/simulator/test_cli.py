"""The command as a user runs it: a process, its first line, its signals, its summary, its exit code."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.control import ORDERS
from simulator.delays import Delay
from simulator.fates import MessageState
from simulator.scenarios import Scenario, names
from simulator.settings import SimulatorSettings
from smppgw.smpp import BindTransceiver, SubmitSm, encode

COMMAND = [sys.executable, "-m", "simulator"]


class Running:
    """A simulator in a process of its own."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "--port", "0", "--json", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.started: dict[str, Any] = json.loads(self.process.stdout.readline())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> dict[str, Any]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        assert (self.process.returncode, err) == (0, "")
        summary: dict[str, Any] = json.loads(out)
        return summary

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def running() -> Iterator[Running]:
    simulator = Running("--control-port", "0")
    yield simulator
    simulator.kill()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_a_signal_with_a_summary(tmp_path: Path, number: signal.Signals) -> None:
    ledger = tmp_path / "ledger.jsonl"
    simulator = Running("--ledger", str(ledger), "--account", "alice:secret")
    try:
        with socket.create_connection(("127.0.0.1", simulator.started["port"]), timeout=10) as client:
            client.sendall(encode(BindTransceiver(system_id="alice", password="secret", sequence_number=1)))
            assert client.recv(1000)[8:12] == b"\0\0\0\0"
            client.sendall(encode(SubmitSm(destination_addr="447700900123", sequence_number=2)))
            assert client.recv(1000)[4:12] == bytes.fromhex("8000000400000000")
            summary = simulator.stop(number)
    finally:
        simulator.kill()
    assert simulator.started["control_port"] is None
    assert (summary["submits"], summary["by_status"]) == (1, {"ESME_ROK": 1})
    assert [json.loads(line)["destination"] for line in ledger.read_text().splitlines()] == ["447700900123"]


def test_the_first_line_for_people() -> None:
    with subprocess.Popen(
        [*COMMAND, "--port", "0", "--control-port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
        finally:
            process.terminate()
        assert re.fullmatch(r"listening 127\.0\.0\.1:\d+ \(control 127\.0\.0\.1:\d+\)\n", line)
        assert process.wait(20) == 0


def test_orders_to_a_running_one(running: Running) -> None:
    control = str(running.started["control_port"])

    def give(command: str, *arguments: str) -> Any:
        result = CliRunner().invoke(main, [command, "--control", control, *arguments])
        assert result.exit_code == 0, result.output
        return json.loads(result.output)

    assert give("summary")["summary"]["submits"] == 0
    assert give("order", "rate", "rate=10", "burst=5") == {"ok": True}
    assert give("order", "stall", "on=false") == {"ok": True}
    for text in ("42", "true", "null", "STOP"):  # a text stays a text, even where it reads as JSON
        order = give("order", "inject", "from=1", "to=12345", f"text={text}", "system_id=alice")
        assert order == {"ok": True, "parts": 1, "system_id": "alice"}
    assert give("inject", "--from", "1", "--to", "2", "--system-id", "alice", "STOP")["parts"] == 1
    refused = run("inject", "--control", control, "--from", "447700900001", "--to", "12345", "STOP")
    assert refused.returncode == 1
    assert "no receiver or transceiver is bound" in refused.stderr
    torn = run("inject", "--control", control, "--from", "1", "--to", "2", "--system-id", "alice", "octet \udcff")
    assert (torn.returncode, torn.stdout) == (1, "")
    assert "U+DCFF at position 6 is half of a surrogate pair" in torn.stderr  # an octet that is no UTF-8
    assert give("order", "submits", "count=3") == {"ok": True, "submits": []}
    assert run("order", "--control", control, "cut", "bind=7").stderr == "Error: there is no bind 7\n"
    assert running.stop()["inbound"]["pending"] == 5


def test_no_simulator_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    failed = run("summary", "--control", str(port))
    assert failed.returncode == 1
    assert f"no answer from 127.0.0.1:{port}" in failed.stderr


def test_a_port_that_is_taken(running: Running) -> None:
    failed = run("--port", str(running.started["port"]))
    assert failed.returncode == 1
    assert "smppgw-simulator:" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_ledger_that_cannot_be_opened(tmp_path: Path) -> None:
    failed = run("--port", "0", "--ledger", str(tmp_path / "nowhere" / "x"))
    assert failed.returncode == 1
    assert "the ledger cannot be opened" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--response-delay", "3:1"], "the first time must not be the longer one"),
        (["--outcomes", "FAILED=1"], "known: DELIVRD"),
        (["--refuse", "4477=ESME_RTHROTLED"], "did you mean ESME_RTHROTTLED?"),
        (["--fate", "4477"], "lacks its '='"),
        (["--account", "alice"], "lacks its ':'"),
        (["--burst", "3"], "burst: means nothing without rate"),
        (["--port", "70000"], "port: 70000 is not a port"),
        (["order", "--control", "1", "stall", "on"], "'on' is not KEY=VALUE"),
        (["order", "--control", "1", "explode"], "explode"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_the_help_describes_every_option() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert "smppgw-simulator --rate 50 --burst 10" in result.output
    options = [parameter for parameter in main.params if isinstance(parameter, click.Option)]
    assert len(options) > 20
    assert all(option.help for option in options)


def test_the_orders_are_listed() -> None:
    result = CliRunner().invoke(main, ["orders"])
    assert result.exit_code == 0
    assert all(name in result.output for name in ORDERS)


def test_every_option_and_order_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "simulator" / "README.md").read_text()
    options = [name for parameter in main.params for name in parameter.opts if name.startswith("--")]
    missing = [name for name in [*options, *ORDERS] if f"`{name}" not in readme]
    assert missing == ["--version"]


def test_the_scenarios_are_listed_and_shown() -> None:
    listed = CliRunner().invoke(main, ["scenarios"])
    assert listed.exit_code == 0
    lines = dict(line.split("\t") for line in listed.output.splitlines())
    assert list(lines) == names()
    as_json = json.loads(CliRunner().invoke(main, ["scenarios", "--json"]).output)
    assert {one["scenario"]: one["why"] for one in as_json} == lines
    shown = CliRunner().invoke(main, ["scenarios", "ids-hex-dec"])
    assert shown.output == Scenario.load("ids-hex-dec").file.read_text()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {"port": 2775, "rate": 50.0, "burst": 10.0}),
        (["--rate", "5", "--port", "0"], {"port": 0, "rate": 5.0, "burst": 10.0}),
        (["--fate", "447700900123=UNDELIV"], {"fates": {"447700900123": MessageState.UNDELIVERABLE}}),
        (["--seed", "1", "--queue-full", "4477"], {"seed": 1, "refusals": {"4477": 0x14}}),
        (["--control-name", "smsc.test"], {"control_names": ("smsc.test",)}),
        (["--receipt-delay", "2"], {"receipt_delay": Delay(2, 2)}),
    ],
)
def test_options_win_over_the_scenario(
    monkeypatch: pytest.MonkeyPatch, options: list[str], expected: dict[str, Any]
) -> None:
    found: list[SimulatorSettings] = []

    async def serve(settings: SimulatorSettings, as_json: bool) -> int:
        found.append(settings)
        return 0

    monkeypatch.setattr("simulator.cli._serve", serve)
    monkeypatch.setattr("gc.set_threshold", lambda *_: None)
    assert CliRunner().invoke(main, ["--scenario", "throttle", *options]).exit_code == 0
    assert {name: getattr(found[0], name) for name in expected} == expected


def test_outbind_and_certificates_are_added_to_the_scenario(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found: list[SimulatorSettings] = []

    async def serve(settings: SimulatorSettings, as_json: bool) -> int:
        found.append(settings)
        return 0

    monkeypatch.setattr("simulator.cli._serve", serve)
    monkeypatch.setattr("gc.set_threshold", lambda *_: None)
    certificate = tmp_path / "own.pem"
    certificate.write_text("")
    options = [
        "--outbind",
        "esme.example.com:2780",
        "--tls-cert",
        str(certificate),
        "--tls-client-ca",
        str(certificate),
    ]
    assert CliRunner().invoke(main, ["--scenario", "outbind", *options]).exit_code == 0
    quirks = found[0].quirks
    assert (quirks.outbind.host, quirks.outbind.port, quirks.outbind.password) == ("esme.example.com", 2780, "secret")
    assert (quirks.tls.cert_file, quirks.tls.client_ca_file) == (certificate, certificate)


def test_a_scenario_that_is_not_there() -> None:
    result = CliRunner().invoke(main, ["--scenario", "ids-hexdec"])
    assert result.exit_code == 2
    assert "did you mean ids-hex-dec?" in result.output
