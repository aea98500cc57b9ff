"""Query parameters are read strictly and become the store's query."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from smppgw.api.faults import ApiError
from smppgw.api.queries import message_query, no_query, page_query
from smppgw.queue.model import MessageQuery, Verdict, format_id
from tests.api.gateway import NOW_UTC_MS, settings

ACCOUNT = settings().accounts["app"]


def query(*pairs: tuple[str, str]) -> MessageQuery:
    return message_query(pairs, "app", ACCOUNT)


def test_nothing_given() -> None:
    assert query() == MessageQuery(account="app", limit=100)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("state", "delivered", {"verdict": Verdict.DELIVERED}),
        ("state", "open", {"open_only": True}),
        ("to", "+447700900123", {"recipient": "447700900123"}),
        ("to", " 447700900123", {"recipient": "447700900123"}),  # a "+" that was not escaped
        ("to", "07700 900123", {"recipient": "447700900123"}),
        ("client_ref", "r 1", {"client_ref": "r 1"}),
        ("since", "2026-01-02T03:04:05.678Z", {"since_utc_ms": NOW_UTC_MS}),
        ("since", "2026-01-02T03:04:05.678", {"since_utc_ms": NOW_UTC_MS}),
        ("since", "2026-01-02 03:04:05.678", {"since_utc_ms": NOW_UTC_MS}),
        ("since", "2026-01-02T04:04:05.678+01:00", {"since_utc_ms": NOW_UTC_MS}),
        ("until", "2026-01-02T04:04:05.678 01:00", {"until_utc_ms": NOW_UTC_MS}),  # the same "+"
        ("until", "1960-01-01", {"until_utc_ms": 0}),
        ("until", "9999-12-31T23:59:59.999999-14:00", {"until_utc_ms": 253402351199999}),
        ("after", format_id(12345), {"before": 12345}),
        ("limit", "1", {"limit": 1}),
        ("limit", "1000", {"limit": 1000}),
    ],
)
def test_each_parameter(name: str, value: str, expected: dict[str, object]) -> None:
    given: dict[str, object] = {"account": "app", "limit": 100, **expected}
    assert query((name, value)) == MessageQuery(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pairs", "field", "message"),
    [
        ([("stat", "open")], "stat", "unknown query parameter; did you mean state?"),
        ([("x" * 100, "1")], "x" * 64, "unknown query parameter"),
        ([("to", "1"), ("to", "2")], "to", "given twice"),
        ([("client_ref", "a\0")], "client_ref", "U+0000"),
        ([("state", "deliverd")], "state", "did you mean delivered?"),
        ([("state", "")], "state", "one of open, delivered"),
        ([("to", "nobody")], "to", "recipient"),
        ([("since", "yesterday")], "since", "not an ISO 8601 time"),
        ([("until", "")], "until", "not an ISO 8601 time"),
        ([("after", "xyz")], "after", "not the `next`"),
        ([("limit", "0")], "limit", "from 1 to 1000"),
        ([("limit", "1001")], "limit", "from 1 to 1000"),
        ([("limit", "-1")], "limit", "from 1 to 1000"),
        ([("limit", "٣")], "limit", "from 1 to 1000"),
        ([("limit", "9" * 5000)], "limit", "from 1 to 1000"),
    ],
)
def test_refused(pairs: Sequence[tuple[str, str]], field: str, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        query(*pairs)
    assert (caught.value.code, caught.value.field) == ("query_invalid", field)
    assert message in caught.value.message


def test_inbound() -> None:
    assert page_query([]) == (None, 100)
    assert page_query([("after", "17"), ("limit", "5")]) == (17, 5)
    for value in ("x", "", "-1", "9" * 30):
        with pytest.raises(ApiError, match="after"):
            page_query([("after", value)])


def test_paths_without_parameters() -> None:
    no_query([])
    with pytest.raises(ApiError, match="unknown query parameter"):
        no_query([("x", "1")])
