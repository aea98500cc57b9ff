"""Which of the things received are wanted: the filters of queries and expectations, and walks through the ledger.

Owns what a filter may ask for and how it says no. Refuses to know HTTP and waiting. Filters look at the cheap fields
first; a text is decoded only where one is asked for. Walks give way to the sessions every so often.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import trio

from simulator.assembly import Assembler, Whole
from simulator.ledger import Ledger, Submit
from simulator.patterns import Pattern, plain
from smppgw.smpp import status_name

#: How many entries are looked at before others get their turn.
_AT_ONCE = 200


class Entry(Protocol):
    """What can be looked for."""

    @property
    def system_id(self) -> str: ...

    @property
    def source(self) -> str: ...

    @property
    def destination(self) -> str: ...

    @property
    def utc_ms(self) -> int: ...


E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What an entry has to be like; None: anything. `text` and `status` hold for what has one."""

    system_id: Pattern | None = None
    source: Pattern | None = None
    to: Pattern | None = None
    text: Pattern | None = None
    since_utc_ms: int | None = None
    status: int | None = None

    def why_not(self, entry: Entry) -> str:
        """Why `entry` is not wanted, empty when it is. Raises ValueError: an expression that takes too long."""
        return (
            _unlike("system_id", entry.system_id, self.system_id)
            or _unlike("destination", plain(entry.destination), self.to)
            or _unlike("source", plain(entry.source), self.source)
            or self._why_not_status(entry)
            or self._why_not_since(entry)
            or self._why_not_text(entry)
        )

    def _why_not_status(self, entry: Entry) -> str:
        if self.status is None or not isinstance(entry, Submit) or entry.status == self.status:
            return ""
        return f"status is {status_name(entry.status)}, not {status_name(self.status)}"

    def _why_not_since(self, entry: Entry) -> str:
        if self.since_utc_ms is None or entry.utc_ms >= self.since_utc_ms:
            return ""
        return f"it came {(self.since_utc_ms - entry.utc_ms) / 1000:.3f} s too early"

    def _why_not_text(self, entry: Entry) -> str:
        if self.text is None or not isinstance(entry, Submit | Whole):
            return ""
        return _unlike("text", entry.text, self.text)

    def says(self) -> str:
        """What is wanted, in words: ` to 4477* of alice`."""
        words = [
            ("from", self.source),
            ("to", self.to),
            ("of", self.system_id),
            ("with the text", self.text),
        ]
        said = "".join(f" {word} {pattern.written}" for word, pattern in words if pattern is not None)
        return said + (f" answered {status_name(self.status)}" if self.status is not None else "")


ANYTHING = Filter()


def _unlike(name: str, value: str, pattern: Pattern | None) -> str:
    if pattern is None or pattern.fits(value):
        return ""
    return f"{name} is {value!r}, not {pattern.written!r}"


@dataclass(frozen=True, slots=True)
class Page:
    """What was found: (number, entry), oldest first. `next` is the number to go on after. `forgotten`: how many of
    those asked for are no longer remembered."""

    entries: Sequence[tuple[int, Any]]
    next: int
    forgotten: int

    def lines(self) -> list[dict[str, Any]]:
        """As JSON."""
        return [{"number": number, **entry.line()} for number, entry in self.entries]


async def find_submits(ledger: Ledger, wanted: Filter, *, after: int | None = None, limit: int = 100) -> Page:
    """The newest `limit` that are wanted, or, with `after`, the oldest `limit` behind that number."""
    return await _find(ledger.submits_after(after or 0), wanted, ledger.entered, len(ledger.submits), after, limit)


async def find_acks(ledger: Ledger, wanted: Filter, *, after: int | None = None, limit: int = 100) -> Page:
    """The same of the deliver_sm that were acknowledged."""
    entries = ledger.acks_after(after or 0)
    return await _find(entries, wanted, ledger.acknowledged, ledger.remembered_acks, after, limit)


async def find_messages(ledger: Ledger, wanted: Filter, *, after: int | None = None, limit: int = 100) -> Page:
    """The same of whole messages, those that lack parts among them; put together from all submits remembered.

    A message has the number of the submit it was last added to.
    """
    entered, remembered, submits = ledger.entered, len(ledger.submits), ledger.submits_after(0)
    assembler = Assembler()
    wholes: list[Whole] = []
    for turn, (number, submit) in enumerate(submits, start=1):
        if not turn % _AT_ONCE:
            await trio.lowlevel.checkpoint()
        if (whole := assembler.feed(number, submit)) is not None:
            wholes.append(whole)
    everything = sorted([*wholes, *assembler.incomplete()], key=lambda whole: whole.number)
    entries = [(whole.number, whole) for whole in everything if whole.number > (after or 0)]
    return await _find(entries, wanted, entered, remembered, after, limit)


async def _find(
    entries: Sequence[tuple[int, E]], wanted: Filter, entered: int, remembered: int, after: int | None, limit: int
) -> Page:
    found: list[tuple[int, E]] = []
    in_turn: Iterable[tuple[int, E]] = reversed(entries) if after is None else entries
    for turn, (number, entry) in enumerate(in_turn, start=1):
        if not turn % _AT_ONCE:
            await trio.lowlevel.checkpoint()
        if not wanted.why_not(entry):
            found.append((number, entry))
            if len(found) >= limit:
                break
    if after is None:
        found.reverse()
    more_may_follow = after is not None and len(found) >= limit
    return Page(found, found[-1][0] if more_may_follow else entered, max(0, entered - remembered - (after or 0)))
