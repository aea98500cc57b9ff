"""The dates of receipts: from what SMSCs write to milliseconds since 1970, UTC.

Appendix B of SMPP 3.4 has YYMMDDhhmm; seen are also YYMMDDhhmmss, YYYYMMDDhhmm and YYYYMMDDhhmmss, all of them with
or without punctuation, in whatever zone the SMSC lives. Owns the reading only: the verbatim text is kept beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final

_CENTURY: Final = "20"  # of years with two digits
_PUNCTUATION: Final = str.maketrans("", "", "-/.:, T")
#: Number of digits to the number of digits of the year, likeliest first; the rest goes in pairs from the month.
_YEAR_DIGITS: Final = {10: (2,), 12: (2, 4), 14: (4,)}


def utc_ms_of(date: str, zone: tzinfo = UTC, now_utc_ms: int | None = None) -> int | None:
    """When `date` was, for a clock in `zone`; None when it is no date, or an impossible one such as 0000000000.

    Where it can be read in several ways - 12 digits, or the hour that comes twice when summer ends - the reading
    next to `now_utc_ms` counts, without it the likeliest one.
    """
    readings = _readings(date, zone)
    if not readings:
        return None
    if now_utc_ms is None or len(readings) == 1:
        return readings[0]
    return min(readings, key=lambda at_utc_ms: abs(at_utc_ms - now_utc_ms))


@lru_cache(maxsize=4096)  # the receipts of a second carry the same few dates
def _readings(date: str, zone: tzinfo) -> tuple[int, ...]:
    digits = date.translate(_PUNCTUATION)
    if digits[-1:] in ("Z", "z"):
        digits, zone = digits[:-1], UTC
    if not (digits.isascii() and digits.isdigit()):
        return ()
    return tuple(dict.fromkeys(_moments(digits, zone)))


def _moments(digits: str, zone: tzinfo) -> Iterator[int]:
    for year_digits in _YEAR_DIGITS.get(len(digits), ()):
        year = digits[:year_digits] if year_digits == len("YYYY") else _CENTURY + digits[:year_digits]
        pairs = [int(digits[at : at + 2]) for at in range(year_digits, len(digits), 2)]
        for fold in (0, 1):
            try:
                moment = datetime(int(year), *pairs, fold=fold, tzinfo=zone)  # type: ignore[misc, arg-type]
                yield int(moment.timestamp()) * 1000
            except (ValueError, OverflowError):  # a 13th month, the year 0
                break
