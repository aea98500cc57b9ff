"""Files of messages: columns, defaults, and that a malformed one sends nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smppgw.cli.common import Exit
from smppgw.queue.model import Lane
from tests.api.gateway import NOW_UTC_MS, Gateway
from tests.cli.runner import Served, rows, served


def csv_of(folder: Path, content: str | bytes) -> str:
    path = folder / "messages.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_a_file_in_batches(gateway: Served, tmp_path: Path) -> None:
    lines = "".join(f'+4477009{n:05d},"text {n}, with a comma"\n' for n in range(230))
    result = gateway.run("send", "--csv", csv_of(tmp_path, "to,text\n" + lines + "nobody,x\n"))
    assert result.exit_code == Exit.REFUSED
    assert [len(batch) for batch in gateway.gateway.batches] == [100, 100, 30]
    assert rows(result.stdout)[1:] == [["232", "nobody", "-", "recipient_letters", rows(result.stdout)[1][4]]]
    assert result.stderr == "230 accepted (230 segments), 1 refused: recipient_letters 1\n"


def test_columns_and_defaults(gateway: Served, tmp_path: Path) -> None:
    content = (
        "\ufeffclient_ref,lane,from,text,to,expect\r\n"
        'r1,otp,Me,"two\nlines",+447700900123,x\r\n'
        "\r\n"
        ",,,plain,+447700900124,\r\n"
    )
    arguments = ["--lane", "bulk", "--from", "Default", "--validity-s", "90", "--ignore-column", "expect"]
    result = gateway.run("send", "--csv", csv_of(tmp_path, content), *arguments, "--json")
    assert result.exit_code == Exit.OK, result.stderr
    first, second = gateway.gateway.stored
    assert (first.text, first.client_ref, first.lane, first.source.addr) == ("two\nlines", "r1", Lane.OTP, "Me")
    assert (second.text, second.client_ref, second.lane) == ("plain", None, Lane.BULK)
    assert (second.source.addr, second.validity_ms) == ("Default", 90_000)
    assert [json.loads(line)["line"] for line in result.stdout.splitlines()] == [3, 5]


def test_columns_of_times_and_classes(gateway: Served, tmp_path: Path) -> None:
    content = (
        "to,text,send_at,valid_until,message_class\n"
        "+447700900123,a,2026-01-02T04:00:00Z,2026-01-02T05:00:00Z,0\n"
        "+447700900124,b,,,\n"
    )
    arguments = ["--validity-s", "90", "--class", "1"]
    result = gateway.run("send", "--csv", csv_of(tmp_path, content), *arguments)
    assert result.exit_code == Exit.OK, result.output
    first, second = gateway.gateway.stored
    assert (first.data_coding, first.due_utc_ms) == (0x10, 1_767_326_400_000)
    assert first.validity_ms + NOW_UTC_MS == 1_767_330_000_000, "not the 90 seconds"
    assert (second.data_coding, second.due_utc_ms, second.validity_ms) == (0x11, 0, 90_000)


def test_a_file_from_standard_input(gateway: Served) -> None:
    result = gateway.run("send", "--csv", "-", input="to,text\n+447700900123,é\n".encode())
    assert result.exit_code == Exit.OK
    assert gateway.gateway.stored[0].text == "é"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "column 'to' is missing in the header"),
        ("to\n+44", "column 'text' is missing in the header"),
        ("to,text,form\n", "unknown column 'form'; did you mean from?"),
        ("to,text,txet\n", "unknown column 'txet'; did you mean text?"),
        (
            "to,text,octets\n",
            "unknown column 'octets'; there are to, text, from, client_ref, lane, send_at, valid_until, "
            "message_class; --ignore-column leaves others aside",
        ),
        ("to,text,to\n", "column 'to' appears twice"),
        ("to,text\n+447700900123,a,b\n", "line 2: not 2 columns as in the header; is a comma not quoted?"),
        ("to,text\n+447700900123\n", "line 2: not 2 columns"),
        ('to,text\n+447700900123,"never closed\n', "after row 1: unexpected end of data"),
        (b"to,text\n+447700900123,\xff\n", "it is not UTF-8 (octet 0xff)"),
        ("to,text\n" + "x\n" * 30, "and 10 more"),
        ("to,text,message_class\n1,a,0\n1,b,flash\n1,c,\n", "line 3: message_class is 'flash', no whole number"),
        ("to,text,message_class\n1,a,٣\n", "line 2: message_class is '٣', no whole number"),
    ],
)
def test_a_malformed_file_sends_nothing(gateway: Served, tmp_path: Path, content: str | bytes, message: str) -> None:
    result = gateway.run("send", "--csv", csv_of(tmp_path, content))
    assert result.exit_code == Exit.USAGE
    assert "nothing was sent" in result.stderr and message in result.stderr
    assert gateway.gateway.batches == []


def test_a_file_with_a_header_only(gateway: Served, tmp_path: Path) -> None:
    result = gateway.run("send", "--csv", csv_of(tmp_path, "to,text\n"))
    assert (result.exit_code, result.stderr) == (Exit.OK, "0 accepted (0 segments), 0 refused\n")


@pytest.mark.parametrize("name", ["none.csv", "."])
def test_a_file_that_cannot_be_read(gateway: Served, tmp_path: Path, name: str) -> None:
    result = gateway.run("send", "--csv", str(tmp_path / name))
    assert result.exit_code == Exit.USAGE
    assert "cannot be read" in result.stderr


def test_a_gateway_with_a_smaller_batch_limit(tmp_path: Path) -> None:
    lines = "".join(f"+4477009{n:05d},x\n" for n in range(60))
    with served(Gateway()) as it:  # max_batch = 50
        result = it.run("send", "--csv", csv_of(tmp_path, "to,text\n" + lines))
    assert result.exit_code == Exit.REFUSED
    assert "the most is 50 (batch_too_large)" in result.stderr
