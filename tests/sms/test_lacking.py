"""Characters that cannot be written, and how they are told."""

from __future__ import annotations

import pytest

from smppgw.errors import Refusal
from smppgw.sms.lacking import lacking_in_gsm7, named, refuse_unstorable, utf16be


@pytest.mark.parametrize(
    ("text", "codec", "positions"),
    [
        ("Grüße [1] €", None, []),
        ("ça va? ÇA!", None, [0]),
        ("şaş", None, [0, 2]),
        ("a\x1bb", None, [1]),
        ("ü€", "latin-1", [1]),
        ("aü", "ascii", [1]),
        ("", None, []),
    ],
)
def test_positions(text: str, codec: str | None, positions: list[int]) -> None:
    assert lacking_in_gsm7(text, codec) == positions


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ș", "U+0219 (LATIN SMALL LETTER S WITH COMMA BELOW) at position 0"),
        ("\x1b", "U+001B (no name) at position 0"),
        ("😀", "U+1F600 (GRINNING FACE) at position 0"),
        (
            "абвгд",
            "U+0430 (CYRILLIC SMALL LETTER A) at position 0, U+0431 (CYRILLIC SMALL LETTER BE) at position 1, "
            "U+0432 (CYRILLIC SMALL LETTER VE) at position 2 and 2 more characters",
        ),
        (
            "гш гд" + "г" * 9,
            "U+0433 (CYRILLIC SMALL LETTER GHE) at positions 0, 3, 5 and 8 more, U+0448 (CYRILLIC SMALL LETTER SHA) "
            "at position 1, U+0020 (SPACE) at position 2 and 1 more character",
        ),
        ("шaш", "U+0448 (CYRILLIC SMALL LETTER SHA) at positions 0, 2, U+0061 (LATIN SMALL LETTER A) at position 1"),
    ],
)
def test_names(text: str, told: str) -> None:
    assert named(text, range(len(text))) == told


def test_utf16be() -> None:
    assert utf16be("a😀").hex() == "0061d83dde00"


@pytest.mark.parametrize(
    ("text", "says"),
    [("a\0", "U+0000 at position 1"), ("\ud83d", "U+D83D at position 0"), ("ab\udfff", "U+DFFF at position 2")],
)
def test_what_can_be_neither_sent_nor_stored(text: str, says: str) -> None:
    with pytest.raises(Refusal, match=says.replace("+", r"\+")) as caught:
        refuse_unstorable(text, code="sender_characters", field="from")
    assert (caught.value.code, caught.value.field) == ("sender_characters", "from")
    with pytest.raises(Refusal) as caught:
        utf16be(text)
    assert (caught.value.code, caught.value.field) == ("unencodable", "text")
    refuse_unstorable("a😀", code="unencodable", field="text")
