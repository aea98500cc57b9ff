"""When a message is to be sent, and until when: what is understood, and the account's limits."""

from __future__ import annotations

from typing import Any

import pytest

from smppgw.api.item import MessageIn, validated
from smppgw.api.moments import Span, moment, span_of, validity_ms_of
from smppgw.config import AccountSettings
from smppgw.errors import Refusal
from tests.api.gateway import NOW_UTC_MS  # 2026-01-02T03:04:05.678Z

ACCOUNT = AccountSettings(
    key_hashes=["sha256:" + "0" * 64], default_validity_s=7200, max_validity_s=86_400, max_schedule_s=172_800
)
GOOD = {"to": "+447700900123", "text": "Hello"}
HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("text", "after_ms"),
    [
        ("2026-01-02T03:04:05.678Z", 0),
        ("2026-01-02T03:04:05Z", -678),
        ("2026-01-02t03:04:06.678z", 1000),
        ("2026-01-02 04:04:05.678+00:00", HOUR_MS),
        ("2026-01-02T04:04:05.678+01:00", 0),
        ("2026-01-01T22:04:05.678-05:00", 0),
        ("2026-01-02T03:04:05.678999Z", 0),
        ("2026-01-02T03:04:05.678999999Z", 0),
        ("260102030405600+", -78),
        ("260102040405604+", -78),  # an hour ahead of UTC
        ("000000010000000R", HOUR_MS),
        ("000001000000000R", 24 * HOUR_MS),
    ],
)
def test_what_is_understood(text: str, after_ms: int) -> None:
    assert moment(text, NOW_UTC_MS, field="send_at") == NOW_UTC_MS + after_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-01-02",
        "2026-01-02T03:04:05",  # whose clock?
        "2026-01-02T03:04Z",
        "20260102T030405Z",
        "2026-13-02T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:04:05+25:00",
        "2026-01-02T03:04:05Z\n",
        "２026-01-02T03:04:05Z",
        "1767323045678",
        "261302030405600+",
        "260102030405699+",
        "000000250000000R",
    ],
)
def test_what_is_not(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        moment(text, NOW_UTC_MS, field="valid_until")
    assert (caught.value.code, caught.value.field) == ("time_invalid", "valid_until")
    assert caught.value.text.startswith(f"valid_until {text!r} is no point in time; ")


def test_what_is_given_is_told_as_far_as_it_may_be() -> None:
    with pytest.raises(Refusal) as caught:
        moment("soon", NOW_UTC_MS, field="send_at")
    assert caught.value.text == (
        "send_at 'soon' is no point in time; give it as 2036-01-02T18:30:00+01:00, with its zone, or as SMPP time "
        "such as 000000010000000R, in one hour"
    )
    with pytest.raises(Refusal) as caught:
        moment("x" * 10_000, NOW_UTC_MS, field="send_at")
    assert len(caught.value.text) < 250


def span(**fields: Any) -> Span:
    message = validated({**GOOD, "priority": 0, **fields})
    assert isinstance(message, MessageIn)
    return span_of(message, ACCOUNT, NOW_UTC_MS)


def until(validity_ms: int, send_utc_ms: int | None = None) -> Span:
    """With a moment that was named: however late the message is stored, it ends then."""
    return Span(validity_ms, send_utc_ms, NOW_UTC_MS + validity_ms)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Span(2 * HOUR_MS)),
        ({"validity_s": 1.5}, Span(1500)),
        ({"valid_until": "000000010000000R"}, until(HOUR_MS)),
        ({"valid_until": "000001000000000R"}, until(24 * HOUR_MS)),
        ({"send_at": "000000010000000R"}, until(3 * HOUR_MS, NOW_UTC_MS + HOUR_MS)),
        ({"send_at": "000002000000000R"}, until(50 * HOUR_MS, NOW_UTC_MS + 48 * HOUR_MS)),
        ({"send_at": "000000010000000R", "validity_s": 1}, until(HOUR_MS + 1000, NOW_UTC_MS + HOUR_MS)),
        (
            {"send_at": "000000010000000R", "valid_until": "000001010000000R"},
            until(25 * HOUR_MS, NOW_UTC_MS + HOUR_MS),
        ),
        ({"send_at": "2026-01-02T03:04:05.678Z"}, Span(2 * HOUR_MS)),  # now
        ({"send_at": "1970-01-01T00:00:00Z"}, Span(2 * HOUR_MS)),
        ({"send_at": "0001-01-01T00:00:00+14:00"}, Span(2 * HOUR_MS)),
    ],
)
def test_spans(fields: dict[str, Any], expected: Span) -> None:
    assert span(**fields) == expected


@pytest.mark.parametrize(
    ("fields", "code", "field", "text"),
    [
        ({"validity_s": 86_401}, "validity_too_long", "validity_s", "is 86400 s"),
        ({"valid_until": "000001000001000R"}, "validity_too_long", "valid_until", "is 86400 s"),
        ({"valid_until": "9999-12-31T23:59:59Z"}, "validity_too_long", "valid_until", "is 86400 s"),
        ({"valid_until": "2026-01-02T03:04:05.678Z"}, "valid_until_past", "valid_until", "over already"),
        (
            {"send_at": "000002000001000R"},
            *("schedule_too_far", "send_at"),
            "send_at, 2026-01-04T03:04:06.678Z, is too far ahead; the account takes messages until "
            "2026-01-04T03:04:05.678Z now, 2 days ahead (max_schedule_s)",
        ),
        ({"send_at": "9999-12-31T23:59:59Z"}, "schedule_too_far", "send_at", "max_schedule_s"),
        (
            {"send_at": "2026-01-03T00:00:00+01:00", "valid_until": "000000010000000R"},
            *("schedule_after_validity", "send_at"),
            "valid_until, 2026-01-02T04:04:05.678Z, is not after send_at, 2026-01-02T23:00:00Z",
        ),
        (
            {"send_at": "000000010000000R", "valid_until": "000000010000000R"},
            *("schedule_after_validity", "send_at", "is not after send_at"),
        ),
        ({"send_at": "x", "valid_until": "y"}, "time_invalid", "send_at", "with its zone"),
        (
            {"send_at": "000000010000000R", "valid_until": "000001010001000R"},
            *("validity_too_long", "valid_until", "is 86400 s"),
        ),
    ],
)
def test_refusals(fields: dict[str, Any], code: str, field: str, text: str) -> None:
    with pytest.raises(Refusal) as caught:
        span(**fields)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert text in caught.value.text


def test_limits_of_hours_are_told_in_seconds() -> None:
    account = ACCOUNT.model_copy(update={"max_schedule_s": 5400.0})
    message = validated({**GOOD, "send_at": "000000020000000R"})
    assert isinstance(message, MessageIn)
    with pytest.raises(Refusal, match=r"until 2026-01-02T04:34:05\.678Z now, 5400 s ahead"):
        span_of(message, account, NOW_UTC_MS)


def test_limits_of_months_are_written_in_full() -> None:
    account = ACCOUNT.model_copy(update={"max_validity_s": 2_592_000.0})
    with pytest.raises(Refusal, match="is 2592000 s"):
        validity_ms_of(validated({**GOOD, "validity_s": 2_592_001}), account)
