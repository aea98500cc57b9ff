"""Query parameters of the lists, read strictly: an unknown name or a value of no use is refused by name.

A "+" that was not escaped arrives as a space; where only a "+" makes sense, it is read as one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from smppgw import addresses
from smppgw.api.faults import ApiError, nearest
from smppgw.api.views import OPEN
from smppgw.config import AccountSettings
from smppgw.errors import Refusal
from smppgw.queue.model import MessageQuery, Verdict, parse_id

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000

MESSAGE_PARAMETERS = {
    "state": "a verdict (" + ", ".join(Verdict) + ") or open",
    "to": "recipient, in any notation that a message may use",
    "client_ref": "your own reference",
    "since": "accepted at or after: ISO 8601, UTC unless it says otherwise",
    "until": "accepted before: ISO 8601, UTC unless it says otherwise",
    "after": "the `next` of the page before",
    "limit": f"most messages of a page: 1 to {MAX_LIMIT}, default {DEFAULT_LIMIT}",
}
#: Of lists that have no filters: inbound texts, quarantined PDUs.
PAGE_PARAMETERS = {
    "after": "the `next` of the page before",
    "limit": f"most rows of a page: 1 to {MAX_LIMIT}, default {DEFAULT_LIMIT}",
}

#: Of the receipts, which are otherwise shown with their messages.
RECEIPT_PARAMETERS = {
    "parked": "true: those that found no message so far. Needed: the others are shown with their messages",
    **PAGE_PARAMETERS,
}

Pairs = Iterable[tuple[str, str]]


def message_query(pairs: Pairs, account: str, settings: AccountSettings) -> MessageQuery:
    """The query behind `?state=...&to=...`, for one account. Raises ApiError query_invalid."""
    given = _given(pairs, MESSAGE_PARAMETERS)
    state = given.get("state")
    return MessageQuery(
        account=account,
        recipient=_recipient(given.get("to"), settings),
        verdict=None if state is None or state == OPEN else _verdict(state),
        open_only=state == OPEN,
        client_ref=given.get("client_ref"),
        since_utc_ms=_time(given, "since"),
        until_utc_ms=_time(given, "until"),
        before=_cursor(given.get("after")),
        limit=_limit(given.get("limit")),
    )


def page_query(pairs: Pairs) -> tuple[int | None, int]:
    """(before, limit) of a page of a list without filters. Raises ApiError query_invalid."""
    return _page(_given(pairs, PAGE_PARAMETERS))


def parked_query(pairs: Pairs) -> tuple[int | None, int]:
    """(before, limit) of a page of parked receipts. Raises ApiError query_invalid."""
    given = _given(pairs, RECEIPT_PARAMETERS)
    if given.get("parked") != "true":
        raise _invalid("parked", "has to be true: receipts that found their message are shown with it")
    return _page(given)


def _page(given: dict[str, str]) -> tuple[int | None, int]:
    after = given.get("after")
    if after is not None and not (after.isascii() and after.isdigit() and len(after) < 19):
        raise _invalid("after", "is not the `next` of a page")
    return (None if after is None else int(after)), _limit(given.get("limit"))


def no_query(pairs: Pairs) -> None:
    """For paths that take no parameters."""
    _given(pairs, {})


def _invalid(name: str, text: str) -> ApiError:
    return ApiError("query_invalid", f"{name}: {text}", field=name)


def _given(pairs: Pairs, known: dict[str, str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise _invalid(name[:64], "unknown query parameter" + nearest(name, known))
        if name in given:
            raise _invalid(name, "was given twice")
        if "\0" in value:
            raise _invalid(name, "holds U+0000")
        given[name] = value
    return given


def _verdict(state: str) -> Verdict:
    try:
        return Verdict(state)
    except ValueError:
        known = [OPEN, *Verdict]
        raise _invalid("state", f"one of {', '.join(known)}" + nearest(state, known)) from None


def _recipient(typed: str | None, settings: AccountSettings) -> str | None:
    if typed is None:
        return None
    if typed.startswith(" "):
        typed = "+" + typed.strip()
    try:
        return addresses.recipient(typed, default_region=settings.default_region).addr
    except Refusal as refusal:
        raise _invalid("to", refusal.text) from None


def _time(given: dict[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise _invalid(name, "is not an ISO 8601 time such as 2026-01-02T03:04:05Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since_epoch = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return max(0, since_epoch.days * 86_400_000 + since_epoch.seconds * 1000 + since_epoch.microseconds // 1000)


def _cursor(text: str | None) -> int | None:
    if text is None:
        return None
    number = parse_id(text)
    if number is None:
        raise _invalid("after", "is not the `next` of a page of messages")
    return number


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= MAX_LIMIT):
        raise _invalid("limit", f"a whole number from 1 to {MAX_LIMIT}")
    return int(text)
