"""What was asked for in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.expectations import Expectation, What
from simulator.parameters import expectation_of, filter_of, moment, whole


def test_a_filter_with_everything() -> None:
    wanted = filter_of(
        {"system_id": "a*", "from": "+1", "to": "2", "text": "/x/", "since": "1000", "status": "RTHROTTLED"}
    )
    assert wanted.system_id is not None and wanted.system_id.fits("alice")
    assert wanted.source is not None and wanted.source.fits("1")
    assert (wanted.since_utc_ms, wanted.status) == (1000, 0x58)
    assert wanted.says() == " from 1 to 2 of a* with the text /x/ answered ESME_RTHROTTLED"


def test_defaults() -> None:
    assert expectation_of({}) == Expectation(what=What.MESSAGE, count=1, within_s=5.0, exactly=False, after=0)


@pytest.mark.parametrize(
    ("written", "utc_ms"),
    [
        (1_767_225_600_000, 1_767_225_600_000),
        ("1767225600000", 1_767_225_600_000),
        ("2026-01-01T00:00:00Z", 1_767_225_600_000),
        ("2026-01-01T01:00:00.5+01:00", 1_767_225_600_500),
        ("2026-01-01T01:00:00 01:00", 1_767_225_600_000),  # `+` in the query of a URL
    ],
)
def test_moments(written: Any, utc_ms: int) -> None:
    assert moment(written) == utc_ms


@pytest.mark.parametrize("written", ["2026-01-01T00:00:00", "yesterday", "", None, -1, 1.5, True, [], "9" * 30])
def test_what_is_no_moment(written: Any) -> None:
    with pytest.raises(ValueError, match="since is"):
        moment(written)


@pytest.mark.parametrize("written", ["-1", "1.0", "", "٣", True, None, 1.0, [], "1" * 40, 11])
def test_what_is_no_number(written: Any) -> None:
    with pytest.raises(ValueError, match=r"n is .*, not a whole number, 0 to 10"):
        whole("n", written, 0, 10)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"what": "sms"}, "known: message, submit, bind"),
        ({"what": ["bind"]}, "known: message"),
        ({"what": {}}, "known: message"),
        ({"count": -1}, "count is"),
        ({"count": 10**400}, "count is"),
        ({"within_s": "5"}, "within_s is"),
        ({"within_s": True}, "within_s is"),
        ({"within_s": -1}, "within_s is"),
        ({"within_s": float("nan")}, "within_s is"),
        ({"within_s": 10**400}, "within_s is"),
        ({"exactly": 1}, "exactly is"),
        ({"to": 4477}, "to is '4477', not a text"),
        ({"text": "/(/"}, "is no regular expression"),
        ({"status": "NOSUCH"}, "unknown command_status"),
        ({"what": "bind", "to": "1"}, "a bind has no addresses"),
        ({"what": "receipt_acked", "text": "x"}, "has none"),
        ({"what": "message", "status": "0"}, "expect a submit"),
    ],
)
def test_what_cannot_be_expected(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        expectation_of(values)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = ("what", "to", "from", "text", "system_id", "status", "count", "within_s", "exactly", "since", "after")


@given(st.dictionaries(st.sampled_from(NAMES), JSON))
def test_anything_is_an_expectation_or_told(values: dict[str, Any]) -> None:
    try:
        expectation_of(values)
    except ValueError as wrong:
        assert str(wrong)
