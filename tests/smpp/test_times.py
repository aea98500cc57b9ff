"""SMPP time, written and read: the examples of the standard, every zone, and what is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.smpp import absolute_time, parse_time, relative_time

DAY = 86_400


def utc_ms(text: str) -> int:
    return round(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


NOW = utc_ms("2026-01-31T12:00:00")

# Writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-5, "000000000001000R"),
        (1, "000000000001000R"),
        (59, "000000000059000R"),
        (3 * 3600 + 25 * 60 + 7, "000000032507000R"),
        (2 * DAY, "000002000000000R"),
        (31 * DAY - 1, "000030235959000R"),
        (31 * DAY, "000100000000000R"),
        (63 * DAY, "000201000000000R"),
        (31 * 12 * DAY, "010000000000000R"),
        (31 * 12 * 200 * DAY, "991131235959000R"),
    ],
)
def test_relative_time(seconds: int, expected: str) -> None:
    assert relative_time(seconds) == expected


@given(st.integers(1, 98 * 366 * DAY))
def test_relative_time_never_says_more_than_remains(seconds: int) -> None:
    then = parse_time(relative_time(seconds), NOW)
    assert NOW < then <= NOW + seconds * 1000
    if seconds < 31 * DAY:
        assert then == NOW + seconds * 1000


@given(st.integers(NOW // 1000, NOW // 1000 + 49 * 365 * DAY))
def test_absolute_time_is_that_moment_in_utc(utc_s: int) -> None:
    text = absolute_time(utc_s)
    assert (len(text), text[12:]) == (16, "000+")
    assert datetime.strptime(f"20{text[:12]}+0000", "%Y%m%d%H%M%S%z") == datetime.fromtimestamp(utc_s, UTC)
    assert parse_time(text, NOW) == utc_s * 1000


# Reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("260131120000000+", "2026-01-31T12:00:00"),
        ("260131120000700+", "2026-01-31T12:00:00.700"),
        ("260131120000004+", "2026-01-31T11:00:00"),  # its clock is an hour ahead of UTC
        ("260131120000020-", "2026-01-31T17:00:00"),  # five hours behind
        ("260131120000022+", "2026-01-31T06:30:00"),  # India
        ("260131120000923+", "2026-01-31T06:15:00.900"),  # Nepal
        ("260101000000056+", "2025-12-31T10:00:00"),  # Kiribati
        ("251231233000048-", "2026-01-01T11:30:00"),
        ("280229000000000+", "2028-02-29T00:00:00"),
        ("750601000000000+", "2075-06-01T00:00:00"),
        ("770601000000000+", "1977-06-01T00:00:00"),  # next to 2026, and over
        ("000229000000000+", "2000-02-29T00:00:00"),
    ],
)
def test_absolute_times(text: str, expected: str) -> None:
    assert parse_time(text, NOW) == utc_ms(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("020610233429000R", "2028-08-11T11:34:29"),  # the standard's own: 2 years, 6 months, 10 days, 23:34:29
        ("000000000000000R", "2026-01-31T12:00:00"),
        ("000000000001000R", "2026-01-31T12:00:01"),
        ("000000000001999R", "2026-01-31T12:00:01"),  # 7.1.1.2: tnn are ignored
        ("000001000000000R", "2026-02-01T12:00:00"),
        ("000031235959000R", "2026-03-04T11:59:59"),
        ("000100000000000R", "2026-02-28T12:00:00"),
        ("000101000000000R", "2026-03-01T12:00:00"),
        ("001100000000000R", "2026-12-31T12:00:00"),
        ("001200000000000R", "2027-01-31T12:00:00"),
        ("020100000000000R", "2028-02-29T12:00:00"),
        ("991231235959000R", "2126-03-04T11:59:59"),
    ],
)
def test_relative_times(text: str, expected: str) -> None:
    assert parse_time(text, NOW) == utc_ms(expected)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)),
    st.integers(0, 9),
    st.integers(0, 56),
    st.sampled_from("+-"),
)
def test_every_zone(local: datetime, tenths: int, quarters: int, sign: str) -> None:
    local = local.replace(microsecond=tenths * 100_000, tzinfo=UTC)
    ahead = timedelta(minutes=15 * quarters) * (1 if sign == "+" else -1)
    text = f"{local:%y%m%d%H%M%S}{tenths}{quarters:02}{sign}"
    assert parse_time(text, NOW) == round((local - ahead).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "16 characters, YYMMDDhhmmsstnnp; this has 0"),
        ("260131120000", "this has 12"),
        ("2026-01-31T12:00:00Z", "this has 20"),
        ("260131120000000Z", "ends in +, - or R, not in 'Z'"),
        ("000000000001000r", "not in 'r'"),
        ("26013112000000x+", "only digits"),
        ("26013112000000٣+", "only digits"),
        ("2601311200 0000+", "only digits"),
        ("261331120000000+", "261331120000 is no date and time as YYMMDDhhmmss: month must be in 1..12"),
        ("260230120000000+", "is no date and time"),
        ("260131240000000+", "hour must be in 0..23"),
        ("000000000000000+", "month must be in 1..12"),
        ("260131120000057+", "at most 56 quarters of an hour from UTC, not 57"),
        ("001300000000000R", "at most 12 in its months, not 13"),
        ("000032000000000R", "at most 31 in its days, not 32"),
        ("000000240000000R", "at most 23 in its hours, not 24"),
        ("000000006000000R", "at most 59 in its minutes, not 60"),
        ("000000000060000R", "at most 59 in its seconds, not 60"),
    ],
)
def test_what_is_no_time(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_time(text, NOW)


@given(st.text("0123456789+-R", min_size=16, max_size=16) | st.text(max_size=20))
def test_any_text_gives_a_time_or_value_error(text: str) -> None:
    try:
        assert isinstance(parse_time(text, NOW), int)
    except ValueError as error:
        assert str(error).isprintable()
