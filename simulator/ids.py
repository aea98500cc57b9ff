"""message_ids: what a submit_sm_resp calls a message, and what its receipt calls it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, uuid5

if TYPE_CHECKING:
    from simulator.quirks import IdQuirks


_PLAIN = "{n}"
_BIG = 10**24


def former(template: str) -> Callable[[int], str]:
    """A function from the number of a message to its id by `template` (see IdQuirks)."""
    if template == _PLAIN:
        return str
    return lambda number: template.format(**fields(number))


def fields(number: int) -> dict[str, object]:
    """What a template can say about a number: see IdQuirks."""
    uuid = str(uuid5(NAMESPACE_OID, str(number)))
    return {"n": number, "big": number * _BIG + number, "uuid": uuid, "UUID": uuid.upper()}


class Numbers:
    """Rising numbers. From the time of the first, so that no restart of the simulator repeats one."""

    def __init__(self, quirks: IdQuirks, start: int | None) -> None:
        self._next = start
        self._reuse_after = quirks.reuse_after
        self._taken = 0

    def switch(self, quirks: IdQuirks) -> None:
        """Another scenario: the numbers go on."""
        self._reuse_after = quirks.reuse_after
        self._taken = 0

    def take(self, utc_ms: int) -> int:
        number = self._next
        if number is None:
            number = utc_ms // 1000 * 1_000_000
        self._taken += 1
        again = self._reuse_after and self._taken % self._reuse_after == 0
        self._next = number + 1 - self._reuse_after if again else number + 1
        return number
