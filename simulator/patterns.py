"""What a text or an address has to look like: given exactly, with `*` and `?`, or as a /regular expression/.

Owns that one notation. Patterns come from orders and command lines, so an expression that would take for ever is
given up after `LIMIT_S`: one request must not stop the simulator.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fnmatch import translate

import regex

LIMIT_S = 0.1
MAX_CHARACTERS = 1000
#: What the numbers of all `{n,m}` may come to, multiplied: regex unrolls them, and 20 characters can fill the memory.
_MAX_REPEATS = 10_000
_REPEAT = regex.compile(r"\{(\d*)(?:,(\d*))?\}")


class Pattern:
    """One pattern. Raises ValueError, with a text for the user, when it cannot be read. Texts of any kind fit or not;
    a /regular expression/ is looked for anywhere in the text, the others must be all of it."""

    __slots__ = ("_fits", "written")

    def __init__(self, written: str) -> None:
        if len(written) > MAX_CHARACTERS:
            raise ValueError(f"a pattern of {len(written)} characters; {MAX_CHARACTERS} are the most")
        self.written = written
        self._fits = _compiled(written)

    def fits(self, text: str) -> bool:
        """Raises ValueError when the expression takes longer than LIMIT_S to tell."""
        try:
            return self._fits(text)
        except TimeoutError:
            raise ValueError(f"{self.written!r} takes more than {LIMIT_S} s on one text; write it simpler") from None

    def __repr__(self) -> str:
        return f"Pattern({self.written!r})"


def address_pattern(written: str) -> Pattern:
    """The same for an address: a `+` before a number is not sent in SMPP, so it is not looked for."""
    return Pattern(plain(written.strip()))  # a `+` in the query of a URL is a space


def plain(address: str) -> str:
    """An address without the `+` before a number, which some ESMEs send all the same."""
    return address[1:] if address.startswith("+") and address[1:2].isdigit() else address


def _compiled(written: str) -> Callable[[str], bool]:
    if len(written) > 1 and written.startswith("/") and written.endswith("/"):
        counts = [int(number) for found in _REPEAT.findall(written) for number in found if number.strip("0")]
        if math.prod(counts) > _MAX_REPEATS:
            raise ValueError(f"{written!r} repeats too often; {_MAX_REPEATS} in all are the most")
        try:
            found = regex.compile(written[1:-1], regex.DOTALL)
        except regex.error as wrong:
            raise ValueError(f"{written!r} is no regular expression: {wrong}") from None
        except RecursionError:
            raise ValueError(f"{written!r} is nested too deeply") from None
        return lambda text: found.search(text, timeout=LIMIT_S) is not None
    if "*" in written or "?" in written:
        # Brackets are no classes here: texts and addresses are full of them.
        glob = regex.compile(translate(written.replace("[", "[[]")))
        return lambda text: glob.match(text, timeout=LIMIT_S) is not None
    return lambda text: text == written
