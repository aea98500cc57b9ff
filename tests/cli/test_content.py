"""The options about a message's content: which fields they become, what cannot go together, whence a text."""

from __future__ import annotations

import sys
from typing import Any

import click
import pytest
from click.testing import CliRunner

from smppgw.api.item import MessageIn
from smppgw.cli.content import (
    ALPHABETS,
    ON_UNENCODABLE,
    WAITING_KINDS,
    Command,
    body_of,
    content_fields,
    content_options,
    read_text,
)
from smppgw.sms.encoding import Alphabet, OnUnencodable, WaitingKind
from tests.cli.test_common import Terminal


def item_of(*arguments: str, input: str | None = None) -> dict[str, Any]:
    """What a command with these options would hand in. Raises click.UsageError."""
    found: dict[str, Any] = {}

    @click.command(cls=Command)
    @click.argument("text", required=False)
    @content_options
    def command(text: str | None, **content: Any) -> None:
        found.update({**content_fields(content), **body_of(text, content)})

    result = CliRunner().invoke(command, arguments, input=input, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return found


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ([], {}),
        (["--alphabet", "ucs2"], {"alphabet": "ucs2"}),
        (["--smart"], {"smart_encoding": True}),
        (["--no-smart"], {"smart_encoding": False}),
        (["--on-unencodable", "refuse"], {"on_unencodable": "refuse"}),
        (["--flash"], {"message_class": 0}),
        (["--class", "0"], {"message_class": 0}),
        (["--flash", "--class", "0"], {"message_class": 0}),
        (["--class", "3"], {"message_class": 3}),
        (["--udh", "06 05 04 0b84\n23f0"], {"udh": "0605040b8423f0"}),
        (["--port", "2948"], {"ports": {"destination": 2948}}),
        (["--port", "2948", "--source-port", "0"], {"ports": {"destination": 2948, "source": 0}}),
        (["--waiting", "voicemail"], {"message_waiting": {"kind": "voicemail"}}),
        (["--waiting", "fax", "--waiting-off"], {"message_waiting": {"kind": "fax", "active": False}}),
        (
            ["--waiting", "other", "--waiting-store", "--waiting-count", "0"],
            {"message_waiting": {"kind": "other", "store": True, "count": 0}},
        ),
    ],
)
def test_fields(arguments: list[str], fields: dict[str, Any]) -> None:
    assert item_of("Hi", *arguments) == {"text": "Hi", **fields}
    MessageIn.model_validate({"to": "1", "text": "Hi", **fields})


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        (["--octets", "0A 0b"], {"octets": "0A0b"}),
        (["--octets", "0a", "--data-coding", "0xF5"], {"octets": "0a", "data_coding": 245}),
        (["--octets", "0a", "--data-coding", "4"], {"octets": "0a", "data_coding": 4}),
        (["See", "--wap-push", "http://x.y"], {"wap_push": {"kind": "si", "url": "http://x.y", "text": "See"}}),
        (
            ["See", "--wap-push", "u", "--wap-action", "delete", "--wap-id", "7"],
            {"wap_push": {"kind": "si", "url": "u", "text": "See", "action": "delete", "id": "7"}},
        ),
        (["--wap-push", "u", "--wap-kind", "sl"], {"wap_push": {"kind": "sl", "url": "u"}}),
    ],
)
def test_what_is_sent_in_place_of_a_text(arguments: list[str], fields: dict[str, Any]) -> None:
    assert item_of(*arguments) == fields
    MessageIn.model_validate({"to": "1", **fields})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["x", "--flash", "--class", "1"], "--flash is --class 0"),
        (["x", "--source-port", "1"], "--source-port needs --port"),
        (["x", "--waiting-count", "1"], "what waits"),
        (["x", "--waiting-off"], "what waits"),
        (["x", "--waiting-store"], "what waits"),
        (["x", "--octets", "00"], "in place of TEXT"),
        (["--octets", "00", "--wap-push", "u"], "two messages"),
        (["x", "--wap-push", "u", "--wap-kind", "sl"], "has no TEXT"),
        (["x", "--wap-id", "1"], "need --wap-push URL"),
        (["x", "--wap-kind", "sl"], "need --wap-push URL"),
        (["--octets", "00", "--data-coding", "256"], "no number from 0 to 255"),
        (["--octets", "00", "--data-coding", "-1"], "no number from 0 to 255"),
        (["--octets", "00", "--data-coding", "gsm"], "'gsm' is no number"),
        (["x", "--alphabet", "ebcdic"], "'ebcdic' is not one of"),
    ],
)
def test_what_cannot_be(arguments: list[str], says: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        item_of(*arguments)
    assert says in caught.value.format_message()


def test_the_words_are_those_of_the_planner() -> None:
    assert {*ALPHABETS} == {*Alphabet} - {Alphabet.BINARY}
    assert {*ON_UNENCODABLE} == {*OnUnencodable}
    assert [*WAITING_KINDS] == [kind.label for kind in WaitingKind]


@pytest.mark.parametrize("text", [[], ["-"]])
@pytest.mark.parametrize(("input", "expected"), [("a\nb\n", "a\nb"), ("é", "é"), ("x\r\n", "x"), ("x\n\n", "x\n")])
def test_the_text_from_standard_input(text: list[str], input: str, expected: str) -> None:
    assert item_of(*text, input=input) == {"text": expected}
    pushed = item_of(*text, "--wap-push", "u", input=input)["wap_push"]
    assert pushed["text"] == expected


def test_a_terminal_is_not_waited_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("typed"))
    with pytest.raises(click.UsageError, match="what is the text"):
        read_text(None)


def test_an_indication_needs_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"octets": None, "wap_push": None, "waiting": "fax"}
    monkeypatch.setattr(sys, "stdin", Terminal("typed"))
    assert body_of(None, given) == {"text": ""}
    assert item_of("--waiting", "fax", input="2 pages")["text"] == "2 pages"


def test_help_is_in_sections() -> None:
    @click.command(cls=Command)
    @click.argument("text", required=False)
    @click.option("--plain", help="A plain one.")
    @content_options
    def command(**_: Any) -> None:
        return None

    plain, _, content = CliRunner().invoke(command, ["--help"]).output.partition("\nContent:\n")
    assert "--plain" in plain and "--help" in plain and "--flash" not in plain
    assert "--flash" in content and "--wap-id" in content
