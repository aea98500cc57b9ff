"""What a reader takes for one character: the grapheme clusters of a text (Unicode Standard Annex 29).

Owns that this takes a time in proportion to the text, whatever the text. Refuses to know why it is asked for.
"""

from __future__ import annotations

import re
from typing import Final

import regex

_CLUSTER: Final = regex.compile(r"\X")
#: 16 flags with one more behind them: where they end a cluster ends, too. To find out which two letters of a long row
#: are one flag, `regex` goes back to its start from each of them: ten seconds for 20,000 flags.
_ROW_OF_FLAGS: Final = re.compile("[\U0001f1e6-\U0001f1ff]{32}(?=[\U0001f1e6-\U0001f1ff])")


def clusters_of(text: str) -> list[str]:
    """The clusters in their order. Joined they are the text."""
    start = 0
    found: list[str] = []
    for row in _ROW_OF_FLAGS.finditer(text):
        found += _CLUSTER.findall(text[start : row.end()])
        start = row.end()
    found += _CLUSTER.findall(text[start:])
    return found
