"""Expectations: so many of a kind, to whom, with what text, within so many seconds; and what came instead.

Owns the waiting and the verdict. What was received before the question counts as well, as far as it is remembered:
a test need not be faster than its client. Refuses to know HTTP.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import trio

from simulator.assembly import Assembler, Whole
from simulator.finding import ANYTHING, Filter
from smppgw.smpp import status_name

if TYPE_CHECKING:
    from simulator.ledger import Ledger
    from simulator.link import Link
    from simulator.smsc import Smsc

MAX_WITHIN_S = 3600.0
#: How many entries a verdict shows of each sort; all are counted.
SHOWN = 100
SHOWN_INSTEAD = 10
_AT_ONCE = 200


class What(StrEnum):
    """What can be expected."""

    MESSAGE = "message"  # accepted, all its parts here
    SUBMIT = "submit"  # each submit_sm, data_sm and destination of submit_multi, refused ones too
    BIND = "bind"  # one that is open at that moment
    RECEIPT_ACKED = "receipt_acked"
    INTERMEDIATE_ACKED = "intermediate_acked"
    REPEATED_ACKED = "repeated_acked"
    FOREIGN_ACKED = "foreign_acked"
    INBOUND_ACKED = "inbound_acked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """`count` of `what` that `wanted` lets through, within `within_s` seconds from the question on.

    `exactly`: not one more may come until then; with count 0 that is always meant. `after`: only what has a higher
    number, in the ledger's numbers of submits or of acknowledgements. Raises ValueError for what cannot be expected.
    """

    what: What = What.MESSAGE
    wanted: Filter = ANYTHING
    count: int = 1
    within_s: float = 5.0
    exactly: bool = False
    after: int = 0

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("count must be 0 or more")
        if not 0 <= self.within_s <= MAX_WITHIN_S or math.isnan(self.within_s):
            raise ValueError(f"within_s must be 0 to {MAX_WITHIN_S:.0f} seconds")
        if self.after < 0:
            raise ValueError("after must be 0 or more")
        has_text = self.what in (What.MESSAGE, What.SUBMIT)
        if self.wanted.text is not None and not has_text:
            raise ValueError(f"text: a {self.what} has none; expect a message or a submit")
        if self.wanted.status is not None and self.what is not What.SUBMIT:
            raise ValueError(f"status: a {self.what} has none; expect a submit")
        if self.what is What.BIND and (self.wanted.to or self.wanted.source or self.after):
            raise ValueError("a bind has no addresses and no number; it is found by its system_id")

    @property
    def exact(self) -> bool:
        return self.exactly or self.count == 0

    def says(self) -> str:
        """In words: `3 messages to 4477* within 5 s`."""
        many = "exactly " if self.exact else ""
        noun = f"{self.what.value}{'' if self.count == 1 or self.what.endswith('_acked') else 's'}"
        return f"{many}{self.count} {noun}{self.wanted.says()} within {self.within_s:g} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`met`: the expectation holds. `count` matched, the newest of them in `matched`; `instead`: the newest of those
    that did not, each with `why`, and messages that still lack parts. `came`: how many were looked at in all.

    `next`: what to pass as `after` to look only at what comes later. `forgotten`: how many came too long ago to be
    remembered, and were not looked at.
    """

    met: bool
    wanted: str
    count: int
    matched: list[dict[str, Any]]
    instead: list[dict[str, Any]]
    came: int
    next: int
    forgotten: int

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Verdict:
        """What `as_json` made."""
        values = {one.name: answer[one.name] for one in fields(cls) if one.name != "met"}
        return cls(met=answer["ok"], **values)

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.met, **{one.name: getattr(self, one.name) for one in fields(self) if one.name != "met"}}

    def explained(self) -> str:
        """For people and for the error of a test: what was wanted, what matched, what came instead."""
        lines = [f"{'met' if self.met else 'not met'}: {self.wanted}; {self.count} matched, {self.came} came"]
        if not self.met:
            lines += [f"  matched: {_brief(entry)}" for entry in self.matched[-SHOWN_INSTEAD:]]
            lines += [f"  instead: {_brief(entry)}: {entry['why']}" for entry in self.instead]
        if self.forgotten:
            lines.append(f"  {self.forgotten} came before those that are remembered, and were not looked at")
        return "\n".join(lines)


def _brief(entry: Mapping[str, Any]) -> str:
    """One line about an entry."""
    who = " ".join(f"{name} {entry[name]}" for name in ("source", "destination") if entry.get(name))
    text = f" {entry['text']!r}" if "text" in entry else ""
    state = f" {entry['state']}" if entry.get("state") else ""
    return f"{entry['kind']} of {entry['system_id']}{' ' if who else ''}{who}{state}{text}"


async def expect(smsc: Smsc, expectation: Expectation) -> Verdict:
    """Waits until the expectation holds or cannot hold any more, at most `within_s`.

    Raises ValueError when a pattern takes too long to match.
    """
    watch = BindWatch(smsc, expectation) if expectation.what is What.BIND else LedgerWatch(smsc.ledger, expectation)
    await watch.look()
    with trio.move_on_after(expectation.within_s):
        while not watch.decided():
            await smsc.next_change()
            await watch.look()
    return watch.verdict()


class LedgerWatch:
    """Looks at each entry of the ledger once."""

    def __init__(self, ledger: Ledger, expectation: Expectation) -> None:
        self._ledger = ledger
        self._expectation = expectation
        self._assembler = Assembler()
        self._seen = expectation.after
        self._came = self._count = self._forgotten = 0
        self._matched: deque[tuple[int, Any]] = deque(maxlen=SHOWN)
        self._instead: deque[tuple[int, Any, str]] = deque(maxlen=SHOWN_INSTEAD)

    async def look(self) -> None:
        """Takes in what has come since the last time."""
        for turn, (number, entry) in enumerate(self._new_entries(), start=1):
            if not turn % _AT_ONCE:
                await trio.lowlevel.checkpoint()
            self._take(number, entry)

    def _new_entries(self) -> Iterable[tuple[int, Any]]:
        ledger, seen = self._ledger, self._seen
        of_submits = self._expectation.what in (What.MESSAGE, What.SUBMIT)
        self._seen = ledger.entered if of_submits else ledger.acknowledged
        remembered = len(ledger.submits) if of_submits else ledger.remembered_acks
        self._forgotten += max(0, self._seen - remembered - seen)
        return ledger.submits_after(seen) if of_submits else ledger.acks_after(seen)

    def _take(self, number: int, entry: Any) -> None:
        what = self._expectation.what
        if what is What.MESSAGE:
            if entry.status:
                self._instead.append((number, entry, f"it was answered {status_name(entry.status)}"))
                return
            whole = self._assembler.feed(number, entry)
            if whole is None:
                return
            entry = whole
        elif what is not What.SUBMIT and entry.kind != what:
            return
        self._came += 1
        why = self._expectation.wanted.why_not(entry)
        if why:
            self._instead.append((number, entry, why))
        else:
            self._count += 1
            self._matched.append((number, entry))

    def decided(self) -> bool:
        """Whether nothing that may still come changes the verdict."""
        wanted = self._expectation
        return self._count > wanted.count if wanted.exact else self._count >= wanted.count

    def verdict(self) -> Verdict:
        wanted = self._expectation
        return Verdict(
            met=self._count == wanted.count if wanted.exact else self._count >= wanted.count,
            wanted=wanted.says(),
            count=self._count,
            matched=[{"number": number, **entry.line()} for number, entry in self._matched],
            instead=[{"number": number, "why": why, **entry.line()} for number, entry, why in self._rejected()],
            came=self._came,
            next=self._seen,
            forgotten=self._forgotten,
        )

    def _rejected(self) -> list[tuple[int, Any, str]]:
        newest = self._assembler.incomplete()[-SHOWN_INSTEAD:]
        return [*self._instead, *((whole.number, whole, _lacks(whole)) for whole in newest)]


class BindWatch:
    """Looks at the binds that are open."""

    def __init__(self, smsc: Smsc, expectation: Expectation) -> None:
        self._smsc = smsc
        self._expectation = expectation
        self._matched: list[Link] = []

    async def look(self) -> None:
        wanted = self._expectation.wanted.system_id
        self._matched = [link for link in self._smsc.binds if wanted is None or wanted.fits(link.system_id)]

    def decided(self) -> bool:
        wanted = self._expectation
        return len(self._matched) > wanted.count if wanted.exact else len(self._matched) >= wanted.count

    def verdict(self) -> Verdict:
        wanted, count, binds = self._expectation, len(self._matched), self._smsc.binds
        pattern = wanted.wanted.system_id
        return Verdict(
            met=count == wanted.count if wanted.exact else count >= wanted.count,
            wanted=wanted.says(),
            count=count,
            matched=[_line_of(link) for link in self._matched[-SHOWN:]],
            instead=[
                _line_of(link) | {"why": f"system_id is {link.system_id!r}, not {pattern.written!r}"}
                for link in binds
                if pattern is not None and link not in self._matched
            ][-SHOWN_INSTEAD:],
            came=len(binds),
            next=0,
            forgotten=0,
        )


def _line_of(link: Link) -> dict[str, Any]:
    return {"kind": "bind", "bind": link.number, "system_id": link.system_id, "bind_type": link.kind}


def _lacks(whole: Whole) -> str:
    return f"it lacks part {', '.join(map(str, whole.missing))} of {whole.parts}"
