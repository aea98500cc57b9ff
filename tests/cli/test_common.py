"""Exit codes, what is said when a gateway cannot be used, and how results are shown."""

from __future__ import annotations

import http.server
import io
import re
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click
import pytest

from smppgw.api import views
from smppgw.binds.status import BindState
from smppgw.cli import main
from smppgw.cli.common import EXIT_CODES, Exit, cell, clean, show_fields, show_json, show_table
from smppgw.cli.looking import _show_binds
from smppgw.errors import StoreUnavailable
from tests.api.gateway import KEY, Gateway, bind_status
from tests.cli.runner import Served, run, served

LOOKING = [
    ["message", "00000000000"],
    ["messages"],
    ["inbound"],
    ["receipts", "--parked"],
    ["status"],
    ["binds"],
    ["send", "x", "--to", "+447700900123"],
    ["segments", "x"],
]


def test_exit_codes_are_documented() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for code in Exit:
        assert f"\n  {code.value}  " in EXIT_CODES
        assert f"  {code.value}  " in result.output


def test_every_command_has_help_with_an_example_and_json() -> None:
    for name, command in main.commands.items():
        text = run(name, "--help").output
        assert "Example" in text, name
        assert f"smppgw {name}" in text, name
        assert "--json" in text, name
        assert all(option.help for option in command.params if isinstance(option, click.Option)), name


def test_version() -> None:
    assert run("--version").output.startswith("smppgw, version ")


@pytest.mark.parametrize("arguments", LOOKING)
def test_no_key(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == Exit.UNAUTHORISED
    assert result.stderr.startswith("smppgw: no API key: set SMPPGW_KEY or give --key")
    assert result.stdout == ""


@pytest.mark.parametrize("arguments", LOOKING)
@pytest.mark.parametrize("key", ["sgw_wrong", "k\u00e9y", "a\nb"])
def test_a_wrong_key(gateway: Served, arguments: list[str], key: str) -> None:
    result = gateway.run(*arguments, key=key)
    assert result.exit_code == Exit.UNAUTHORISED
    assert "key" in result.stderr
    assert key not in result.stderr


@pytest.mark.parametrize("arguments", LOOKING)
def test_nobody_listens(arguments: list[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        retry = ["--retry-s", "0"] if arguments[0] == "send" else []
        result = run(*arguments, *retry, "--url", url, env={"SMPPGW_KEY": KEY})
    assert result.exit_code == Exit.UNAVAILABLE
    assert f"no gateway answers at {url}" in result.stderr
    assert "smppgw serve" in result.stderr


@pytest.mark.parametrize("arguments", LOOKING)
@pytest.mark.parametrize(
    "url", ["localhost:8080", "ftp://localhost", "http://[", "", "http://x:99999999", "http://", "http://a b"]
)
def test_a_url_that_is_none(arguments: list[str], url: str) -> None:
    result = run(*arguments, "--url", url, env={"SMPPGW_KEY": KEY})
    assert result.exit_code == Exit.USAGE, result.stderr
    assert "--url" in result.stderr


@contextmanager
def somebody_else(body: bytes) -> Iterator[str]:
    """An HTTP server that is no smppgw."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            return None

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("arguments", LOOKING)
@pytest.mark.parametrize("body", [b"<html>", b"[]", b"\xff", b""])
def test_somebody_else_answers(arguments: list[str], body: bytes) -> None:
    with somebody_else(body) as url:
        result = run(*arguments, "--url", url, env={"SMPPGW_KEY": KEY})
    assert result.exit_code == Exit.UNAVAILABLE
    assert "but not as smppgw does" in result.stderr


@pytest.mark.parametrize("arguments", LOOKING)
def test_the_store_fails(arguments: list[str]) -> None:
    if arguments[0] in ("binds", "segments"):
        return  # they need no store
    with served(Gateway(failure=StoreUnavailable("full"))) as it:
        retry = ["--retry-s", "0"] if arguments[0] == "send" else []
        result = it.run(*arguments, *retry)
    assert result.exit_code == Exit.UNAVAILABLE
    assert "store_unavailable" in result.stderr or "cannot accept messages now" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["send", "a\udcc3", "--to", "1"], "TEXT is not UTF-8: octet 0xc3 at position 1"),
        (["send", "x", "--to", "1", "--to", "\udcff"], "--to is not UTF-8: octet 0xff at position 0"),
        (
            ["send", "x", "--to", "1", "--wap-push", "http://\udcff"],
            "--wap-push is not UTF-8: octet 0xff at position 7",
        ),
        (["messages", "--client-ref", "\ud83d"], "--client-ref is not UTF-8: U+D83D at position 0"),
    ],
)
def test_arguments_that_are_not_utf_8(arguments: list[str], says: str) -> None:
    result = run(*arguments, env={"SMPPGW_KEY": KEY})
    assert result.exit_code == Exit.USAGE
    assert result.stderr == f"smppgw: {says} is no character\n"


def test_the_name_of_a_file_may_be_any_octets() -> None:
    result = run("send", "--csv", "none\udcff.csv", env={"SMPPGW_KEY": KEY})
    assert (result.exit_code, "cannot be read" in result.stderr) == (Exit.USAGE, True)


# ---------------------------------------------------------------------------------------------------------------- #
# Showing
# ---------------------------------------------------------------------------------------------------------------- #


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (2.50, "2.5"),
        ({"a": 1, "b": 2}, "a=1 b=2"),
        ({}, "-"),
        ("two\nlines\t\r", "two\\nlines\\t\\r"),
        ("\x1b[31mred\x07", "\\u001b[31mred\\u0007"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800", "\\ud800"),
        ("شكراً 👩‍👧 می‌خواهم", "شكراً 👩‍👧 می‌خواهم"),
    ],
)
def test_cells(value: object, text: str) -> None:
    assert cell(value) == text


def test_lines_may_be_kept() -> None:
    assert clean("a\nb\x1b", keep_lines=True) == "a\nb\\u001b"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_table_on_a_terminal_and_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("demo/1", "[bold]not markup[/bold]"), ("x", None)]
    show_table(("name", "text"), rows)
    assert capsys.readouterr().out == "name\ttext\ndemo/1\t[bold]not markup[/bold]\nx\t-\n"
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "80")
    show_table(("name", "text"), rows, title="Some rows")
    shown = [line.rstrip() for line in terminal.getvalue().splitlines()]
    assert shown == ["Some rows", "name    text", "demo/1  [bold]not markup[/bold]", "x       -"]


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> Terminal:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    return terminal


def test_no_rows_are_no_table_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = on_a_terminal(monkeypatch, 80)
    show_table(("name", "text"), [])
    show_table([f"column {number}" for number in range(20)], [], title="Some rows")
    assert (terminal.getvalue(), capsys.readouterr().err) == ("", "none\nSome rows: none\n")


@pytest.mark.parametrize("width", [80, 120])
def test_the_binds_are_a_table_on_an_ordinary_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    terminal = on_a_terminal(monkeypatch, width)
    bind = views.bind_status(
        bind_status(
            "carrier/1", BindState.BACKING_OFF, alarm="credentials", last_error="ESME_RINVPASWD: the password"
        )
    )
    _show_binds({"binds": [bind] * 2})
    lines = [line.split() for line in re.sub(r"\x1b\[[\d;]*m", "", terminal.getvalue()).splitlines()]
    assert lines[0] == ["name", "state", "alarm", "limit", "window", "rate", "last_error"]
    assert [line[:4] for line in lines].count(["carrier/1", "backing_off", "credentials", "down"]) == 2


def test_fields(capsys: pytest.CaptureFixture[str]) -> None:
    show_fields({"id": "x", "client_ref": None, "text": "a\nb"})
    assert capsys.readouterr().out == "id    x\ntext  a\\nb\n"


def test_json_is_one_line_of_utf_8(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    show_json({"a": "é\n", "b": "\ud800"})
    assert capsysbinary.readouterr().out == '{"a":"é\\n","b":"\\ud800"}\n'.encode()
