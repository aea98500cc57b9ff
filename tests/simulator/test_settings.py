from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.accounts import Account
from simulator.delays import Delay
from simulator.fates import MessageState
from simulator.settings import SimulatorSettings, parse_outcomes, parse_state
from smppgw.errors import ConfigError
from smppgw.smpp import parse_status


def test_outcomes() -> None:
    assert parse_outcomes("DELIVRD") == {MessageState.DELIVERED: 1}
    assert parse_outcomes("delivrd=90, UNDELIV=8 ,EXPIRED=0.5") == {
        MessageState.DELIVERED: 90,
        MessageState.UNDELIVERABLE: 8,
        MessageState.EXPIRED: 0.5,
    }


@pytest.mark.parametrize("text", ["", "NOSUCH", "DELIVRD=x", "DELIVRD=-1", "DELIVRD=0", "ENROUTE=1", "DELIVRD=inf"])
def test_what_are_no_outcomes(text: str) -> None:
    with pytest.raises(ValueError, match=r"outcome|weight|float"):
        parse_outcomes(text)


def test_states() -> None:
    assert parse_state(" rejectd ") is MessageState.REJECTED
    with pytest.raises(ValueError, match="known: DELIVRD"):
        parse_state("FAILED")


@pytest.mark.parametrize("text", ["ESME_RTHROTTLED", "rthrottled", "0x58", "0x00000058", "88"])
def test_statuses(text: str) -> None:
    assert parse_status(text) == 0x58


def test_a_vendors_status_needs_no_name() -> None:
    assert parse_status("0x411") == 0x411


def test_an_unknown_status_gets_the_nearest_name() -> None:
    with pytest.raises(ValueError, match="did you mean ESME_RTHROTTLED"):
        parse_status("ESME_RTHROTLED")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"port": 70000}, "port"),
        ({"control_port": -1}, "control_port"),
        ({"response_delay": Delay(2, 1)}, "response_delay"),
        ({"receipt_delay": Delay(-1, 1)}, "receipt_delay"),
        ({"outcomes": {}}, "outcomes"),
        ({"rate": 0.0}, "rate"),
        ({"rate": 5.0, "burst": 0.5}, "burst"),
        ({"burst": 5.0}, "burst"),
        ({"session_init_s": 0.0}, "session_init_s"),
        ({"nack_delay_s": -1.0}, "nack_delay_s"),
        ({"deliver_window": 0}, "deliver_window"),
        ({"max_connections": 0}, "max_connections"),
        ({"max_outgoing_octets_of_all": 1}, "max_outgoing_octets_of_all"),
        ({"max_pdu_octets": 16}, "max_pdu_octets"),
        ({"accounts": (Account(system_id="x" * 16),)}, "accounts[0].system_id"),
        ({"accounts": (Account(system_id="alice", password="123456789"),)}, "accounts[0].password"),
    ],
)
def test_the_impossible_is_refused_by_name(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as refused:
        SimulatorSettings(**wrong)
    assert len(refused.value.problems) == 1
    assert refused.value.problems[0].startswith(f"{named}: ")


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        SimulatorSettings(port=-1, rate=-1.0, deliver_window=0, ledger=Path("x"))
    assert len(refused.value.problems) == 3
