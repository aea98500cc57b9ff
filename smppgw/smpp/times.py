"""SMPP time: the 16 characters of schedule_delivery_time, validity_period and final_date (SMPP 3.4, 7.1.1).

    YYMMDDhhmmsstnnp    p is + or -: a moment; the clock that it was read from is nn quarters of an hour ahead of UTC,
                        or behind; t are tenths of a second
    YYMMDDhhmmss000R    a period from now on; what stands in place of tnn is ignored

Owns writing and reading both. The dates inside receipts are another thing: receipt_dates.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
_CHARACTERS: Final = 16
#: 7.1.1 has nn from 00 to 48, twelve hours either way. Clocks in Tonga, Samoa and Kiribati, and New Zealand's in
#: summer, are 13 or 14 hours ahead.
_MOST_QUARTERS: Final = 56
_QUARTER_MS: Final = 15 * 60 * 1000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_LIMITS: Final = (("month", 12), ("day", 31), ("hour", 23), ("minute", 59), ("second", 59))


@lru_cache(maxsize=4096)
def relative_time(seconds: int) -> str:
    """A period as SMPP time, relative format `YYMMDDhhmmss000R` (SMPP 3.4, 7.1.1.2); at least one second.

    Periods above 31 days use the months field. Months differ in length, so each counts as 31 days here and a year as
    12 of them: the SMSC may then give up a little too early, never too late.
    """
    days, rest = divmod(max(1, seconds), _DAY_S)
    hours, rest = divmod(rest, _HOUR_S)
    minutes, rest = divmod(rest, _MINUTE_S)
    months, days = divmod(days, 31)
    years, months = divmod(months, 12)
    if years > 99:
        return "991131235959000R"
    return f"{years:02}{months:02}{days:02}{hours:02}{minutes:02}{rest:02}000R"


@lru_cache(maxsize=4096)
def absolute_time(utc_s: int) -> str:
    """A moment as SMPP time, absolute format `YYMMDDhhmmsstnnp` in UTC (SMPP 3.4, 7.1.1.1)."""
    return datetime.fromtimestamp(utc_s, UTC).strftime("%y%m%d%H%M%S000+")


def parse_time(text: str, now_utc_ms: int) -> int:
    """When that is, in milliseconds since 1970, UTC.

    The century of an absolute time is the one that brings it next to now. The months and years of a relative time
    are those of the calendar: a month after 31 January is the last day of February.

    Raises ValueError that says what is wrong.
    """
    if len(text) != _CHARACTERS:
        raise ValueError(f"an SMPP time has {_CHARACTERS} characters, YYMMDDhhmmsstnnp; this has {len(text)}")
    digits, sign = text[:-1], text[-1]
    if sign not in "+-R":
        raise ValueError(f"an SMPP time ends in +, - or R, not in {sign!r}")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("an SMPP time has only digits before its last character")
    return _relative(digits, now_utc_ms) if sign == "R" else _absolute(digits, sign, now_utc_ms)


def _relative(digits: str, now_utc_ms: int) -> int:
    years, *rest = (int(digits[at : at + 2]) for at in range(0, 12, 2))
    for (name, most), value in zip(_LIMITS, rest, strict=True):
        if value > most:
            raise ValueError(f"a relative SMPP time has at most {most} in its {name}s, not {value}")
    months, days, hours, minutes, seconds = rest
    now = _EPOCH + timedelta(milliseconds=now_utc_ms)
    year, month = divmod(now.year * 12 + now.month - 1 + years * 12 + months, 12)
    day = min(now.day, monthrange(year, month + 1)[1])
    then = now.replace(year=year, month=month + 1, day=day)
    then += timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return (then - _EPOCH) // _MILLISECOND


def _absolute(digits: str, sign: str, now_utc_ms: int) -> int:
    quarters = int(digits[13:])
    if quarters > _MOST_QUARTERS:
        raise ValueError(f"an SMPP time is at most {_MOST_QUARTERS} quarters of an hour from UTC, not {quarters}")
    ahead_ms = quarters * _QUARTER_MS if sign == "+" else -quarters * _QUARTER_MS
    year, *rest = (int(digits[at : at + 2]) for at in range(0, 12, 2))
    century = (1970 + int(now_utc_ms / (365.2425 * _DAY_S * 1000))) // 100 * 100
    readings = []
    problem = ""
    for first in (century - 100, century, century + 100):
        try:
            moment = datetime(first + year, *rest, tzinfo=UTC)  # type: ignore[misc, arg-type]
        except ValueError as error:  # a 13th month; 29 February of 2100, though not of 2000
            problem = problem or str(error)
            continue
        readings.append((moment - _EPOCH) // _MILLISECOND + int(digits[12]) * 100 - ahead_ms)
    if not readings:
        raise ValueError(f"{digits[:12]} is no date and time as YYMMDDhhmmss: {problem}")
    return min(readings, key=lambda at_utc_ms: abs(at_utc_ms - now_utc_ms))
