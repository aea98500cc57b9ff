from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.smpp.receipt_dates import utc_ms_of

ROME, KOLKATA, SYDNEY = ZoneInfo("Europe/Rome"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Sydney")


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


NOW = ms("2026-07-01 12:00")


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2601020304", "2026-01-02 03:04"),
        ("260102030405", "2026-01-02 03:04:05"),
        ("202601020304", "2026-01-02 03:04"),
        ("20260102030405", "2026-01-02 03:04:05"),
        ("26-01-02 03:04", "2026-01-02 03:04"),
        ("2026-01-02 03:04:05", "2026-01-02 03:04:05"),
        ("2026/01/02T03:04:05Z", "2026-01-02 03:04:05"),
        ("2402290000", "2024-02-29 00:00"),
        ("9912312359", "2099-12-31 23:59"),
        ("0001010000", "2000-01-01 00:00"),
        # 12 digits: the month or the day tells, otherwise what is next to now
        ("201805140900", "2018-05-14 09:00"),
        ("200101010030", "2020-01-01 01:00:30"),
        ("201012112233", "2020-10-12 11:22:33"),
    ],
)
def test_dates(date: str, expected: str) -> None:
    assert utc_ms_of(date, UTC, NOW) == utc_ms_of(date) == ms(expected)


@pytest.mark.parametrize(
    "date",
    [
        "", "0", "0000000000", "000000000000", "00000000000000", "2613020304", "2601320304", "2502290304",
        "2601022404", "2601020360", "260102030", "26010203040", "2601020304050607", "20261301030405", "never",
        "26010203o4", "٢٦٠١٠٢٠٣٠٤", "-2601020304x", "²²01020304",
    ],
)  # fmt: skip
def test_impossible_dates_are_none(date: str) -> None:
    assert utc_ms_of(date, UTC, NOW) is None


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2020-10-12 11:25", "2020-10-12 11:22:33"),
        ("2010-12-11 22:40", "2010-12-11 22:33"),
        ("2026-01-01 00:00", "2020-10-12 11:22:33"),
    ],
)
def test_twelve_digits_that_can_be_read_twice(now: str, expected: str) -> None:
    assert utc_ms_of("201012112233", UTC, ms(now)) == ms(expected)


@pytest.mark.parametrize(
    ("date", "zone", "expected"),
    [
        ("2601020304", ROME, "2026-01-02 02:04"),
        ("2607020304", ROME, "2026-07-02 01:04"),
        ("2601020304", KOLKATA, "2026-01-01 21:34"),
        ("2601020304", SYDNEY, "2026-01-01 16:04"),
        ("26-01-02 03:04:05Z", ROME, "2026-01-02 03:04:05"),  # it says itself where it is from
        ("2603290230", ROME, "2026-03-29 01:30"),  # an hour that the clocks leave out
    ],
)
def test_zones(date: str, zone: tzinfo, expected: str) -> None:
    assert utc_ms_of(date, zone) == ms(expected)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (None, "2026-10-25 00:30"),
        ("2026-10-25 00:31", "2026-10-25 00:30"),
        ("2026-10-25 01:31", "2026-10-25 01:30"),
        ("2026-10-26 00:00", "2026-10-25 01:30"),
    ],
)
def test_the_hour_that_comes_twice_is_the_one_next_to_now(now: str | None, expected: str) -> None:
    assert utc_ms_of("2610250230", ROME, None if now is None else ms(now)) == ms(expected)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)),  # the zone is the other argument
    st.sampled_from([UTC, ROME, KOLKATA, SYDNEY]),
    st.sampled_from(["%y%m%d%H%M", "%y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y-%m-%d %H:%M:%S"]),
)
def test_what_a_clock_shows_is_read(shown: datetime, zone: tzinfo, form: str) -> None:
    """Seen from the same minute, every form is read as what it was written from."""
    moment = shown.replace(second=shown.second if "%S" in form else 0, microsecond=0, tzinfo=zone)
    at = int(moment.timestamp()) * 1000
    if datetime.fromtimestamp(at / 1000, zone).replace(tzinfo=None) != moment.replace(tzinfo=None):
        return  # no clock shows it: the hour that summer time leaves out
    assert utc_ms_of(moment.strftime(form), zone, at) == at


@given(st.text(max_size=24) | st.text("0123456789-:/ TZ", max_size=24), st.none() | st.integers(0, 10**13))
def test_no_text_breaks_it(date: str, now: int | None) -> None:
    found = utc_ms_of(date, ROME, now)
    assert found is None or found % 1000 == 0
