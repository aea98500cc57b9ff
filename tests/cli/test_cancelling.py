"""cancel: what became of it in words, and exit codes."""

from __future__ import annotations

import json

import pytest

from smppgw.cli.common import Exit
from smppgw.queue.model import CancelStatus, parse_id
from tests.cli.runner import Served, run


def send(gateway: Served) -> str:
    result = gateway.run("send", "Hello", "--to", "+447700900123", "--json")
    return str(json.loads(result.stdout)["id"])


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (CancelStatus.CANCELLED, "nothing of it was sent"),
        (CancelStatus.ASKED, "the carrier has it, and is asked by cancel_sm"),
        (CancelStatus.IN_DOUBT, "it was sent and not answered"),
    ],
)
def test_cancelling(gateway: Served, status: CancelStatus, says: str) -> None:
    gateway.gateway.cancel_status = status
    message_id = send(gateway)
    result = gateway.run("cancel", message_id)
    assert (result.exit_code, says in result.stdout) == (Exit.OK, True)
    assert gateway.gateway.cancelled == [(parse_id(message_id), "app")]
    found = json.loads(gateway.run("cancel", message_id, "--json").stdout)
    assert found == {"id": message_id, "state": status.value}


def test_too_late(gateway: Served) -> None:
    gateway.gateway.cancel_status = CancelStatus.TOO_LATE
    result = gateway.run("cancel", send(gateway))
    assert result.exit_code == Exit.REFUSED
    assert "(too_late)" in result.stderr and result.stdout == ""


@pytest.mark.parametrize("message_id", ["00000000000", "nonsense", "../binds", "a/b?c", "é"])
def test_a_message_that_is_not_there(gateway: Served, message_id: str) -> None:
    result = gateway.run("cancel", message_id)
    assert result.exit_code == Exit.REFUSED
    assert result.stderr == "smppgw: this account has no such message (not_found)\n"


def test_no_gateway() -> None:
    result = run("cancel", "00000000000", "--url", "http://127.0.0.1:9", "--key", "x")
    assert result.exit_code == Exit.UNAVAILABLE
    assert "no gateway answers" in result.stderr
