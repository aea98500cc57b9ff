from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.fates import MessageState
from simulator.settings import Delay, SimulatorSettings, parse_delay, parse_outcomes, parse_state
from smppgw.errors import ConfigError
from smppgw.smpp import parse_status


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", Delay(0, 0)),
        ("2", Delay(2, 2)),
        ("0.5:3", Delay(0.5, 3)),
        ("20ms", Delay(0.02, 0.02)),
        ("20ms:2s", Delay(0.02, 2)),
        ("20:200ms", Delay(0.02, 0.2)),
        ("1m:1h", Delay(60, 3600)),
    ],
)
def test_delays(text: str, expected: Delay) -> None:
    assert parse_delay(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "x", "-1", "1:", ":1", "3:2", "1s:2ms", "1e3", "nan", "1:2:3"])
def test_what_is_no_delay(text: str) -> None:
    with pytest.raises(ValueError, match=r"delay|longer"):
        parse_delay(text)


def test_a_delay_is_drawn_between_its_ends() -> None:
    assert [Delay(1, 3).draw(chance) for chance in (0.0, 0.5)] == [1, 2]


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
        ({"max_pdu_octets": 16}, "max_pdu_octets"),
        ({"accounts": {"x" * 16: "y"}}, "accounts"),
        ({"accounts": {"alice": "123456789"}}, "accounts"),
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
