"""send: texts and files in batches, repeated safely, every line accounted for."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from smppgw.cli.common import Exit, Failure
from smppgw.cli.common import Gateway as Client
from smppgw.cli.sending import SendRun, retry_pause
from smppgw.cli.sources import Item
from smppgw.config import EncodingSettings, LongMessages, RouteSettings
from smppgw.queue.model import Extras, Lane
from tests.api.gateway import KEY, NOW_UTC_MS, Gateway, settings
from tests.cli.runner import Served, rows, run, served
from tests.cli.test_common import Terminal


def test_one_text(gateway: Served) -> None:
    result = gateway.run(
        "send", "Hello", "--to", "07700 900123", "--lane", "otp", "--validity-s", "60", "--from", "Me"
    )
    assert result.exit_code == Exit.OK
    (message,) = gateway.gateway.stored
    assert (message.text, message.destination.addr, message.source.addr) == ("Hello", "447700900123", "Me")
    assert (message.lane, message.validity_ms) == (Lane.OTP, 60_000)
    header, row = rows(result.stdout)
    assert header == ["line", "to", "id", "result", "detail"]
    assert (row[0], row[1], row[3], row[4]) == ("1", "07700 900123", "accepted", "1 segment")
    assert result.stderr == "1 accepted (1 segment), 0 refused\n"


def test_what_the_carrier_gets_beside_the_text(gateway: Served) -> None:
    result = gateway.run(
        "send", "Hi", "--to", "+447700900123", "--service-type", "CMT", "--priority", "2",
        "--protocol-id", "127", "--replace-if-present",
        "--tlv", "campaign=a=b", "--tlv", "product:=7", "--tlv", "token=0aff",
    )  # fmt: skip
    assert result.exit_code == Exit.OK
    assert gateway.gateway.stored[0].extras == Extras(
        service_type="CMT",
        priority_flag=2,
        protocol_id=127,
        replace_if_present=True,
        tlvs=((0x1400, b"a=b\0"), (0x1401, b"\0\x07"), (0x1402, b"\x0a\xff")),
    )


@pytest.mark.parametrize(
    ("tlvs", "says"),
    [
        (["campaign"], "not NAME=VALUE"),
        (["=x"], "not NAME=VALUE"),
        (["campaign=a", "campaign=b"], "given twice"),
        (["product:=seven"], "'seven' is no integer"),
    ],
)
def test_tlvs_that_cannot_be_read(gateway: Served, tlvs: list[str], says: str) -> None:
    result = gateway.run("send", "Hi", "--to", "1", *(part for one in tlvs for part in ("--tlv", one)))
    assert (result.exit_code, gateway.gateway.stored) == (Exit.USAGE, [])
    assert says in result.stderr


def test_several_recipients_one_of_them_bad(gateway: Served) -> None:
    result = gateway.run("send", "Hi", "--to", "+447700900123", "--to", "nobody", "--to", "+447700900124")
    assert result.exit_code == Exit.REFUSED
    assert [row[3] for row in rows(result.stdout)[1:]] == ["accepted", "recipient_letters", "accepted"]
    assert "2 accepted (2 segments), 1 refused: recipient_letters 1" in result.stderr


@pytest.mark.parametrize("text", [[], ["-"]])
@pytest.mark.parametrize(("input", "expected"), [("a\nb\n", "a\nb"), ("é", "é"), ("x\r\n", "x"), ("x\n\n", "x\n")])
def test_the_text_from_standard_input(gateway: Served, text: list[str], input: str, expected: str) -> None:
    assert gateway.run("send", *text, "--to", "+447700900123", input=input.encode()).exit_code == Exit.OK
    assert gateway.gateway.stored[0].text == expected


def test_standard_input_that_is_no_text(gateway: Served) -> None:
    result = gateway.run("send", "--to", "+447700900123", input=b"ab\xff")
    assert (result.exit_code, gateway.gateway.stored) == (Exit.USAGE, [])
    assert "not UTF-8: octet 2" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["text"],
        [],
        ["--csv", "x.csv", "--to", "1"],
        ["text", "--csv", "x.csv"],
        ["--csv", "x.csv", "--client-ref", "r"],
        ["text", "--to", "1", "--ignore-column", "x"],
        ["--csv", "x.csv", "--octets", "00"],
        ["--csv", "x.csv", "--wap-push", "http://x"],
        ["text", "--to", "1", "--flash", "--class", "1"],
        ["text", "--to", "1", "--to", "2", "--client-ref", "r"],
    ],
)
def test_usage(arguments: list[str]) -> None:
    result = run("send", *arguments, env={"SMPPGW_KEY": KEY})
    assert result.exit_code == Exit.USAGE
    assert "Error: " in result.stderr


def test_what_was_replaced_is_told(gateway: Served) -> None:
    result = gateway.run("send", "“Hi” – all…", "--to", "+447700900123", "--smart")
    assert gateway.gateway.stored[0].alphabet == "gsm7"
    assert rows(result.stdout)[1][4] == '1 segment; replaced “ by ", ” by ", – by -, … by ...'
    result = gateway.run("send", "“Hi”", "--to", "+447700900123", "--smart", "--json")
    assert json.loads(result.stdout)["replaced"] == [
        {"at": 0, "from": "“", "to": '"'},
        {"at": 3, "from": "”", "to": '"'},
    ]
    assert "replaced" not in gateway.run("send", "“Hi”", "--to", "+447700900123").stdout


def test_the_parts_of_a_payload_are_told() -> None:
    demo = settings().carriers["demo"]
    payload = demo.model_copy(update={"encoding": EncodingSettings(long=LongMessages.PAYLOAD)})
    with served(Gateway(settings(carriers={"demo": payload}, routes=[]))) as it:
        result = it.run("send", "x" * 161, "--to", "+447700900123")
        assert rows(result.stdout)[1][4] == "1 submit_sm, 2 parts"
        assert result.stderr == "1 accepted (1 submit_sm, 2 parts), 0 refused\n"
        found = json.loads(it.run("send", "x" * 161, "--to", "+447700900123", "--json").stdout)
        assert (found["segments"], found["parts"]) == (1, 2)


def test_errors_speak_of_options() -> None:
    other = settings().accounts["app"].model_copy(update={"default_sender": None})
    with served(Gateway(settings(accounts={"app": other}, routes=[RouteSettings(carriers=["demo"])]))) as it:
        result = it.run("send", "x", "--to", "+447700900123")
    assert rows(result.stdout)[1][3:] == ["sender_missing", "no --from, and the account has no default_sender"]


def test_content_and_times(gateway: Served) -> None:
    to = ["--to", "+447700900123"]
    for arguments in (
        ["Hi", "--flash", "--alphabet", "ucs2"],
        ["--octets", "02 4a", "--port", "5505", "--data-coding", "0xf5"],
        ["See", "--wap-push", "http://www.example.com/"],
        ["Hi", "--replace-type", "3", "--send-at", "2026-01-02T04:00:00Z", "--valid-until", "2026-01-02T05:00:00Z"],
        ["", "--waiting", "voicemail", "--waiting-count", "2"],
    ):
        result = gateway.run("send", *arguments, *to)
        assert result.exit_code == Exit.OK, result.output
    flash, binary, push, timed, waiting = gateway.gateway.stored
    assert (flash.data_coding, flash.alphabet) == (0x18, "ucs2")
    assert (binary.data_coding, binary.segments) == (0xF5, (bytes.fromhex("06050415810000024a"),))
    assert push.segments[0].startswith(bytes.fromhex("0605040b8423f0"))
    assert timed.extras is not None and timed.extras.protocol_id == 0x43
    assert timed.due_utc_ms == 1_767_326_400_000
    assert timed.validity_ms + NOW_UTC_MS == 1_767_330_000_000
    assert waiting.data_coding == 0xC8


def test_json_has_one_line_for_each_message(gateway: Served) -> None:
    result = gateway.run("send", "Hi", "--to", "+447700900123", "--to", "x", "--json")
    first, second = map(json.loads, result.stdout.splitlines())
    assert first == {"line": 1, "to": "+447700900123", "id": first["id"], "segments": 1}
    assert second["line"] == 2 and second["error"]["code"] == "recipient_letters"
    assert (result.exit_code, result.stderr) == (Exit.REFUSED, "")


# ---------------------------------------------------------------------------------------------------------------- #
# Repeating
# ---------------------------------------------------------------------------------------------------------------- #


def test_pauses() -> None:
    assert [retry_pause(attempt, 0) for attempt in range(1, 8)] == [0.5, 1, 2, 4, 5, 5, 5]
    assert retry_pause(1, 3) == 3


def items(count: int) -> Iterator[Item]:
    return (Item(n, {"to": f"+4477009{n:05d}", "text": "x"}) for n in range(1, count + 1))


class Flaky(Client):
    """Loses the answers of the calls in `lost` after the gateway has seen them; answers 503 to those in `busy`."""

    def __init__(self, url: str, *, lost: set[int] = frozenset(), busy: dict[int, str] | None = None) -> None:  # type: ignore[assignment]
        super().__init__(url, KEY)
        self.calls = 0
        self.lost, self.busy = lost, busy or {}

    def post(self, path: str, body: Any, headers: Any) -> httpx.Response:
        self.calls += 1
        if self.calls in self.busy:
            return httpx.Response(
                503, headers={"Retry-After": self.busy[self.calls]}, json={"error": {"code": "stopping"}}
            )
        response = super().post(path, body, headers)
        if self.calls in self.lost:
            raise httpx.ReadError("connection reset")
        return response


def test_lost_answers_and_503_are_repeated_and_nothing_goes_twice(
    gateway: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    pauses: list[float] = []
    with Flaky(gateway.url, lost={1, 4}, busy={2: "3", 6: "x", 7: ""}) as client:
        sent = SendRun(client, "run", 30, 250, True, sleep=pauses.append)
        sent.send_all(items(250))
    assert len(gateway.gateway.stored) == 250
    assert (sent.accepted, sent.repeated, sent.refused) == (250, 200, 0)
    assert pauses == [0.5, 3, 0.5, 0.5, 1]
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["line"] for line in lines] == list(range(1, 251))


def test_giving_up_says_how_to_go_on_and_going_on_finishes(
    gateway: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    pauses: list[float] = []
    with Flaky(gateway.url, lost=set(range(2, 99))) as client:
        sent = SendRun(client, "run-7", 4, 250, False, sleep=pauses.append)
        with pytest.raises(Failure) as caught:
            sent.send_all(items(250))
    assert caught.value.exit_code == Exit.UNAVAILABLE
    assert "--idempotency-key run-7" in caught.value.message
    assert pauses == [0.5, 1, 2]
    assert "100 accepted" in capsys.readouterr().err
    with Client(gateway.url, KEY) as client:
        again = SendRun(client, "run-7", 30, 250, False)
        again.send_all(items(250))
    assert (again.accepted, again.repeated) == (250, 200)
    assert len(gateway.gateway.stored) == 250
    assert "250 accepted (250 segments, 200 of them known from before), 0 refused" in capsys.readouterr().err


def test_an_interruption_says_how_to_go_on(gateway: Served, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> Iterator[Item]:
        yield from items(100)
        raise KeyboardInterrupt

    with Client(gateway.url, KEY) as client:
        sent = SendRun(client, "run-8", 30, 250, False)
        with pytest.raises(Failure) as caught:
            sent.send_all(interrupted())
    assert caught.value.exit_code == Exit.REFUSED
    assert "interrupted" in caught.value.message and "--idempotency-key run-8" in caught.value.message
    assert "100 accepted" in capsys.readouterr().err


def test_an_option_goes_on_with_an_earlier_run(gateway: Served) -> None:
    for expected in (
        "1 accepted (1 segment), 0 refused\n",
        "1 accepted (1 segment, 1 of them known from before), 0 refused\n",
    ):
        result = gateway.run("send", "x", "--to", "+447700900123", "--idempotency-key", "mine")
        assert result.stderr == expected
    assert len(gateway.gateway.stored) == 1


def test_a_progress_bar_on_a_terminal(gateway: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setenv("TERM", "xterm")
    with Client(gateway.url, KEY) as client:
        SendRun(client, "run", 30, 300, False).send_all(items(300))
    assert "300/300" in terminal.getvalue()
    assert terminal.getvalue().rstrip().endswith("300 accepted (300 segments), 0 refused")
