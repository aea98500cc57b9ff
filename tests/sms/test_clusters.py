"""Grapheme clusters of any text, in a time in proportion to it."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from smppgw.sms.clusters import clusters_of

PIECES = ["a", "\r", "\n", "🇬", "🇧", "🇬🇧" * 20, "🇩" * 33, "e\u0301", "👩🏽\u200d🚀", "\u200d", "क्षि", "\u0600", "한"]


@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_as_regex_finds_them(text: str) -> None:
    assert clusters_of(text) == regex.findall(r"\X", text)


@pytest.mark.parametrize("length", [1, 2, 31, 32, 33, 34, 65, 1000])
def test_rows_of_flags(length: int) -> None:
    found = clusters_of("a" + "🇬" * length)
    assert found == ["a", *["🇬🇬"] * (length // 2), *["🇬"] * (length % 2)]


def test_a_very_long_row_of_flags_is_done_in_this_life() -> None:
    assert len(clusters_of("🇬🇧" * 200_000)) == 200_000
