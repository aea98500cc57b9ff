"""The commands that look at a simulator that runs: what they print, how they exit."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from simulator.cli import main
from smppgw.smpp import BindTransceiver, SubmitSm, encode
from smppgw.sms.udh import concatenation_header

from .test_cli import Running


@pytest.fixture(scope="module")
def control() -> Iterator[str]:
    """The control port of a simulator that has taken three submits, two of them the halves of one message."""
    simulator = Running("--control-port", "0", "--queue-full", "447700900199")
    port = str(simulator.started["control_port"])
    submits = [
        ("447700900123", concatenation_header(7, 2, 1) + b"long ", 0x40, 0),
        ("447700900123", concatenation_header(7, 2, 2) + b"text", 0x40, 0),
        ("447700900199", b"tab\tand \x1b<", 0, 3),
    ]
    try:
        with socket.create_connection(("127.0.0.1", simulator.started["port"]), timeout=10) as client:
            client.sendall(encode(BindTransceiver(system_id="alice", sequence_number=1)))
            assert client.recv(1000)[8:12] == b"\0\0\0\0"
            for number, (destination, text, esm_class, data_coding) in enumerate(submits, start=2):
                addresses = {"source_addr": "SHOP", "destination_addr": destination}
                content = {"short_message": text, "esm_class": esm_class, "data_coding": data_coding}
                client.sendall(encode(SubmitSm(sequence_number=number, **addresses, **content)))
            assert run(port, "expect", "--what", "submit", "--count", "3").exit_code == 0
            yield port
    finally:
        simulator.kill()


def run(control: str, command: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, [command, "--control", control, *arguments])


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def rows(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.output
    return [line.split("\t") for line in result.output.splitlines()]


def test_submits(control: str) -> None:
    head, *found = rows(run(control, "submits"))
    assert head == ["number", "time", "system_id", "from", "to", "status", "part", "text"]
    assert [[row[0], *row[2:]] for row in found] == [
        ["1", "alice", "SHOP", "447700900123", "ESME_ROK", "1/2", "long "],
        ["2", "alice", "SHOP", "447700900123", "ESME_ROK", "2/2", "text"],
        ["3", "alice", "SHOP", "447700900199", "ESME_RMSGQFUL", "-", "tab\\tand \\x1b<"],
    ]
    assert [one["number"] for one in lines(run(control, "submits", "--json", "--status", "RMSGQFUL"))] == [3]
    assert [one["number"] for one in lines(run(control, "submits", "--json", "--after", "1", "--limit", "1"))] == [2]
    assert lines(run(control, "submits", "--json", "--from", "X*")) == []


def test_messages(control: str) -> None:
    _, row = rows(run(control, "messages"))
    assert row[2:] == ["alice", "SHOP", "447700900123", "2", "long text"]
    (message,) = lines(run(control, "messages", "--json", "--text", "/long/", "--system-id", "alice"))
    assert (message["text"], message["submits"]) == ("long text", [1, 2])


def test_binds(control: str) -> None:
    _, row = rows(run(control, "binds"))
    assert row[1:] == ["alice", "transceiver", "0", "0"]
    assert lines(run(control, "binds", "--json"))[0]["system_id"] == "alice"


def test_expect_is_met(control: str) -> None:
    result = run(control, "expect", "--to", "+447700900123", "--text", "long*", "--within", "500ms")
    assert (result.exit_code, result.stdout) == (
        0,
        "met: 1 message to 447700900123 with the text long* within 0.5 s; 1 matched, 1 came\n",
    )


def test_expect_is_not_met(control: str) -> None:
    result = run(control, "expect", "--to", "447700900124", "--count", "2", "--within", "0")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "not met: 2 messages to 447700900124 within 0 s; 0 matched, 1 came" in result.stderr
    assert "'long text': destination is '447700900123', not '447700900124'" in result.stderr
    assert "it was answered ESME_RMSGQFUL" in result.stderr


def test_expect_as_json(control: str) -> None:
    result = run(control, "expect", "--count", "2", "--within", "0", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["count"] == 1
    assert run(control, "expect", "--exactly", "--within", "0", "--json").exit_code == 0
    assert run(control, "expect", "--what", "bind", "--system-id", "alice", "--within", "0").exit_code == 0
    assert run(control, "expect", "--count", "0", "--to", "1", "--within", "0").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["expect", "--within", "soon"], 2, "write 5s, 500ms or 2m"),
        (["expect", "--within", "2h"], 2, "up to 3600 seconds"),
        (["expect", "--what", "sms"], 2, "receipt_acked"),
        (["expect", "--text", "/(/"], 1, "no regular expression"),
        (["expect", "--what", "bind", "--to", "1"], 1, "a bind has no addresses"),
        (["submits", "--status", "RTHROTLED"], 1, "did you mean ESME_RTHROTTLED?"),
        (["messages", "--since", "yesterday"], 1, "since is 'yesterday'"),
        (["submits", "--limit", "0"], 2, "1<=x<=10000"),
    ],
)
def test_what_cannot_be_asked(control: str, arguments: list[str], code: int, said: str) -> None:
    result = run(control, *arguments)
    assert result.exit_code == code
    assert said in " ".join(result.output.split())


def test_no_simulator_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    for command in ("submits", "messages", "binds", "expect"):
        result = run(port, command)
        assert (result.exit_code, f"no answer from 127.0.0.1:{port}" in result.output) == (1, True)
