"""The options beside a message's content: which fields they become, and that errors speak of them."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from smppgw.api.item import MessageIn
from smppgw.cli.content import Command
from smppgw.cli.fields import as_options, message_fields, message_options


def fields_of(*arguments: str) -> dict[str, Any]:
    """What a command with these options would hand in. Raises click.UsageError."""
    found: dict[str, Any] = {}

    @click.command(cls=Command)
    @message_options
    def command(**given: Any) -> None:
        found.update(message_fields(given))

    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return found


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ([], {}),
        (["--lane", "otp", "--validity-s", "60"], {"lane": "otp", "validity_s": 60.0}),
        (["--send-at", "x", "--valid-until", "y"], {"send_at": "x", "valid_until": "y"}),
        (["--client-ref", "r", "--service-type", ""], {"client_ref": "r", "service_type": ""}),
        (["--priority", "0", "--protocol-id", "0"], {"priority": 0, "protocol_id": 0}),
        (["--replace-type", "7", "--replace-if-present"], {"replace_type": 7, "replace_if_present": True}),
        (["--tlv", "a=b=c", "--tlv", "n:=-7"], {"tlvs": {"a": "b=c", "n": -7}}),
        (["--flash", "--smart"], {"message_class": 0, "smart_encoding": True}),
    ],
)
def test_fields(arguments: list[str], fields: dict[str, Any]) -> None:
    assert fields_of(*arguments) == fields
    MessageIn.model_validate({"to": "1", "text": "Hi", **fields})


def test_a_tlv_that_cannot_be_read() -> None:
    with pytest.raises(click.UsageError, match="not NAME=VALUE"):
        fields_of("--tlv", "campaign")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("give `to`, or `carrier`: one of plain", "give --to, or --carrier: one of plain"),
        ("no `from`, and", "no --from, and"),
        ("`valid_until` and `text`, `smart_encoding`", "--valid-until and TEXT, --smart"),
        ("`nothing` to send, and to no `", "`nothing` to send, and to no `"),
    ],
)
def test_errors_speak_of_options(text: str, shown: str) -> None:
    assert as_options(text) == shown


def test_help_says_what_a_time_in_the_past_means() -> None:
    @click.command(cls=Command)
    @message_options
    def command(**_: Any) -> None:
        return None

    told = " ".join(CliRunner().invoke(command, ["--help"]).output.split())
    assert "A time in the past means at once" in told
    assert "past it means at once" in str(MessageIn.model_fields["send_at"].description)
