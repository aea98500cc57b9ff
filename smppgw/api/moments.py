"""When a message is to be sent, and until when: from the fields of an item to milliseconds.

Owns the reading of points in time, and the account's limits on them. Refuses to know clocks: now is an argument.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from smppgw.api.item import CommonIn, MessageIn, shown
from smppgw.config import AccountSettings
from smppgw.errors import Refusal
from smppgw.smpp.times import parse_time

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)\Z", re.ASCII)
_SMPP_TIME = re.compile(r"[0-9]{15}[-+R]\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S = 86_400


class Span(NamedTuple):
    """`validity_ms` counts from now. `send_utc_ms`: not before; None means at once. `until_utc_ms`: the end of the
    validity where that is a moment that was named, whenever the message is stored; 0 where it is not."""

    validity_ms: int
    send_utc_ms: int | None = None
    until_utc_ms: int = 0


def span_of(message: MessageIn, account: AccountSettings, now_utc_ms: int) -> Span:
    """Raises Refusal: `validity_too_long`, `time_invalid`, `valid_until_past`, `schedule_too_far`,
    `schedule_after_validity`."""
    if message.send_at is None and message.valid_until is None:
        return Span(validity_ms_of(message, account))
    send = None if message.send_at is None else moment(message.send_at, now_utc_ms, field="send_at")
    if send is not None and send <= now_utc_ms:
        send = None
    start = now_utc_ms if send is None else send
    delay = start - now_utc_ms
    if delay > account.max_schedule_s * 1000:
        raise _too_far(start, account, now_utc_ms)
    if message.valid_until is None:
        validity = delay + validity_ms_of(message, account)
        return Span(validity, send, 0 if send is None else now_utc_ms + validity)
    end = moment(message.valid_until, now_utc_ms, field="valid_until")
    if end <= now_utc_ms:
        raise Refusal("valid_until_past", f"{message.valid_until} is over already", field="valid_until")
    if end <= start:
        text = f"valid_until, {_told(end)}, is not after send_at, {_told(start)}: it would never be sent"
        raise Refusal("schedule_after_validity", text, field="send_at")
    if end - start > account.max_validity_s * 1000:
        raise _too_long(account, "valid_until")
    return Span(end - now_utc_ms, send, end)


def moment(text: str, now_utc_ms: int, *, field: str) -> int:
    """A point in time: RFC 3339 with its zone, or SMPP time, absolute or relative to now (SMPP 3.4, 7.1.1).

    Raises Refusal `time_invalid`.
    """
    try:
        if _SMPP_TIME.match(text):
            return parse_time(text, now_utc_ms)
        if not _RFC_3339.match(text.upper()):
            raise ValueError(
                "give it as 2036-01-02T18:30:00+01:00, with its zone, or as SMPP time such as "
                "000000010000000R, in one hour"
            )
        since = datetime.fromisoformat(text.upper()) - _EPOCH
    except ValueError as error:
        raise Refusal("time_invalid", f"{field} {shown(text)!r} is no point in time; {error}", field=field) from None
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def _too_far(start_utc_ms: int, account: AccountSettings, now_utc_ms: int) -> Refusal:
    latest = now_utc_ms + round(account.max_schedule_s * 1000)
    text = f"send_at, {_told(start_utc_ms)}, is too far ahead; the account takes messages until {_told(latest)} now, "
    return Refusal(
        "schedule_too_far", text + f"{_period(account.max_schedule_s)} ahead (max_schedule_s)", field="send_at"
    )


def _told(utc_ms: int) -> str:
    """`2036-01-02T17:30:00Z`. Fractions of a second only where there are any: two moments that differ look so."""
    since = datetime(1970, 1, 1) + timedelta(milliseconds=utc_ms)
    return since.isoformat(timespec="milliseconds" if utc_ms % 1000 else "seconds") + "Z"


def _period(seconds: float) -> str:
    """`31 days`, or `5400 s` of what is less than two days."""
    return f"{seconds / _DAY_S:.4g} days" if seconds >= 2 * _DAY_S else f"{seconds:.12g} s"


def validity_ms_of(message: CommonIn, account: AccountSettings) -> int:
    """From the time on that it is to be sent at. Raises Refusal `validity_too_long`."""
    seconds = account.default_validity_s if message.validity_s is None else message.validity_s
    if seconds > account.max_validity_s:
        raise _too_long(account, "validity_s")
    return round(seconds * 1000)


def _too_long(account: AccountSettings, field: str) -> Refusal:
    most = f"{account.max_validity_s:.12g}"
    return Refusal("validity_too_long", f"the longest validity of this account is {most} s", field=field)
