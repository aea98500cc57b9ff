"""One notation for texts and addresses, and expressions that would take for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.patterns import MAX_CHARACTERS, Pattern, address_pattern


@pytest.mark.parametrize(
    ("written", "text", "fits"),
    [
        ("hello", "hello", True),
        ("hello", "Hello", False),
        ("hello", "hello!", False),
        ("", "", True),
        ("", "x", False),
        ("*", "", True),
        ("*code*", "your code: 1\n2", True),
        ("code*", "your code", False),
        ("4477?", "44771", True),
        ("4477?", "4477", False),
        ("[1]*", "[1] of 3", True),  # no class: texts have brackets
        ("[1]*", "1 of 3", False),
        (r"/code \d{6}/", "your code 123456.", True),
        (r"/^\d{6}$/", "your code 123456", False),
        ("/a.b/", "a\nb", True),
        ("/", "/", True),
        ("//", "anything", True),
        ("/half", "/half", True),
    ],
)
def test_what_fits(written: str, text: str, fits: bool) -> None:
    assert Pattern(written).fits(text) is fits


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("/(/", "is no regular expression"),
        ("/[/", "is no regular expression"),
        ("/" + "(?:" * 60 + "a" + "){1,3}" * 60 + "/", "repeats too often"),
        ("/" + "(" * 400 + ")" * 400 + "/", ""),  # nested deeply: read, or refused
        ("/(?:(?:a{1000}){1000}){1000}/", "repeats too often"),
        ("/a{0,99999}/", "repeats too often"),
        ("x" * (MAX_CHARACTERS + 1), "1000 are the most"),
    ],
)
def test_what_cannot_be_read(written: str, said: str) -> None:
    try:
        Pattern(written)
    except ValueError as wrong:
        assert said in str(wrong)
    else:
        assert said == ""


def test_an_expression_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(ValueError, match="write it simpler"):
        Pattern(r"/(?:a|aa)+\d$|^(\w+\s?)*!$/").fits("a" * 40_000)


@pytest.mark.parametrize(
    ("written", "address", "fits"),
    [
        ("+447700900123", "447700900123", True),
        (" 447700900123", "447700900123", True),  # `+` in a URL
        ("+4477*", "447700900123", True),
        ("447700900123", "447700900123", True),
        ("+A", "+A", True),
        ("SHOP", "SHOP", True),
    ],
)
def test_a_plus_is_not_looked_for(written: str, address: str, fits: bool) -> None:
    assert address_pattern(written).fits(address) is fits


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_a_pattern_or_refused(written: str, text: str) -> None:
    try:
        found = Pattern(written).fits(text)
    except ValueError:
        return
    assert isinstance(found, bool)


@given(st.text(alphabet=st.characters(exclude_characters="*?/"), max_size=40))
def test_a_text_without_wildcards_fits_itself(text: str) -> None:
    assert Pattern(text).fits(text)
