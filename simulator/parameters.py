"""What was asked for in words, as filters and expectations: the parameters of queries, the objects of POST /expect.

Owns how they are read, and what is said of those that cannot be. Pure. Each function raises ValueError with a text
for the user.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from simulator.expectations import MAX_WITHIN_S, Expectation, What
from simulator.finding import Filter
from simulator.patterns import Pattern, address_pattern
from smppgw.smpp import parse_status

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_LIMIT = 2**63


def filter_of(values: Mapping[str, Any]) -> Filter:
    """A filter of what was written: `system_id`, `from`, `to`, `text`: patterns; `since`; `status`."""
    return Filter(
        system_id=_pattern_in("system_id", values),
        source=_pattern_in("from", values, of_address=True),
        to=_pattern_in("to", values, of_address=True),
        text=_pattern_in("text", values),
        since_utc_ms=moment(values["since"]) if "since" in values else None,
        status=parse_status(str(values["status"])) if "status" in values else None,
    )


def expectation_of(values: Mapping[str, Any]) -> Expectation:
    """An expectation of what was written: the filter's words, and `what`, `count`, `within_s`, `exactly`, `after`."""
    what = values.get("what", What.MESSAGE)
    if what not in tuple(What):
        raise ValueError(f"what is {str(what)[:50]!r}; known: {', '.join(What)}")
    exactly = values.get("exactly", False)
    if not isinstance(exactly, bool):
        raise _wrong("exactly", exactly, "true or false")
    within_s = values.get("within_s", 5.0)
    if isinstance(within_s, bool) or not isinstance(within_s, int | float) or not 0 <= within_s <= MAX_WITHIN_S:
        raise _wrong("within_s", within_s, f"a number of seconds, 0 to {MAX_WITHIN_S:.0f}")
    return Expectation(
        what=What(what),
        wanted=filter_of(values),
        count=whole("count", values.get("count", 1), 0),
        within_s=float(within_s),
        exactly=exactly,
        after=whole("after", values.get("after", 0), 0),
    )


def _pattern_in(name: str, values: Mapping[str, Any], *, of_address: bool = False) -> Any:
    written = values.get(name)
    if written is None:
        return None
    if not isinstance(written, str):
        raise _wrong(name, written, "a text")
    return address_pattern(written) if of_address else Pattern(written)


def whole(name: str, written: Any, least: int, most: int = _NO_LIMIT) -> int:
    """A whole number, as JSON has it or as a query does."""
    number = written if type(written) is int else None
    if isinstance(written, str) and written.isascii() and written.isdigit() and len(written) < 20:
        number = int(written)
    if number is None or not least <= number <= most:
        limits = f"{least} or more" if most == _NO_LIMIT else f"{least} to {most}"
        raise _wrong(name, written, f"a whole number, {limits}")
    return number


def moment(written: Any) -> int:
    """A point in time: milliseconds since 1970, or RFC 3339 with its zone."""
    if type(written) is int or (isinstance(written, str) and written.isascii() and written.isdigit()):
        return whole("since", written, 0)
    try:
        found = datetime.fromisoformat(str(written).replace(" ", "+"))  # a `+` in a query is a space
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _wrong("since", written, "milliseconds since 1970, or 2036-01-02T18:30:00Z with its zone")
    return round((found - _EPOCH).total_seconds() * 1000)


def _wrong(name: str, written: Any, wanted: str) -> ValueError:
    return ValueError(f"{name} is {str(written)[:50]!r}, not {wanted}")
