"""The references by which a phone tells the parts of one long message from those of another (3GPP TS 23.040,
9.2.3.24.1 and .8).

A phone sees the sender and the reference, and neither carrier nor account: so no two messages from one sender to one
recipient have the same at the same time. They are given in turn, so that each rests for as long as possible. 8 bits
are 0 to 255, 16 bits all above, so that one never equals the other; sar_msg_ref_num (SMPP 3.4, 5.3.2.22) takes part
in the 8 bits, which SMSCs make of it.

Whoever waits has its reference already, behind those who had it before: it is due when the last of them has had it
for long enough, or, as the first in the line, as soon as they gave it back. Whoever would certainly wait in vain does
not: that is told when it asks.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from smppgw.queue import statements as sql
from smppgw.queue.model import Extras, NewMessage, Reason
from smppgw.queue.operations.transaction import Transaction
from smppgw.sms import udh
from smppgw.sms.encoding import Numbering

_FIRST_WIDE, _WIDE_ONES = 256, 65_280
_NARROW_ONES = 256
#: So many 16-bit references are looked at, beyond those that are wanted, before a message waits for one of them.
_MOST_IN_USE = 4_096


class Numbered(NamedTuple):
    """A message with its reference. `until_utc_ms`: nobody else has it before. `free_utc_ms`: when those who had it
    before have had it for long enough; 0 for at once."""

    segments: tuple[bytes, ...]
    extras: Extras | None
    reference: int
    until_utc_ms: int
    free_utc_ms: int = 0


def number(tx: Transaction, messages: Sequence[NewMessage], now_utc_ms: int, hold_ms: int) -> list[Numbered | None]:
    """Gives each of the messages, all of which have a `numbering`, its reference; None where none can be free before
    it expires."""
    untils = [message.expires(now_utc_ms) + hold_ms for message in messages]
    untracked = [not message.registered_delivery for message in messages]
    pools = _Pools(tx, now_utc_ms, untils, untracked)
    pairs = {index: _pair(one, wide=one.numbering is Numbering.WIDE) for index, one in enumerate(messages)}
    taken = pools.take(pairs)
    widened: dict[int, tuple[bytes, ...]] = {}
    for index in pairs.keys() - taken.keys():
        again = messages[index].widened
        segments = None if again is None else again()
        if segments is not None:
            widened[index] = segments
    taken_wide = pools.take({index: _pair(messages[index], wide=True) for index in sorted(widened)})
    pools.look_at_lines({pair for index, pair in pairs.items() if index not in taken and index not in taken_wide})
    numbered: list[Numbered | None] = []
    for index, message in enumerate(messages):
        one: Numbered | None
        if index in taken:
            one = _written(message, message.numbering, message.segments, taken[index], untils[index])
        elif index in taken_wide:
            one = _written(message, Numbering.WIDE, widened[index], taken_wide[index], untils[index])
        else:
            found = pools.queue_up(index, pairs[index], message.expires(now_utc_ms))
            one = found and _written(message, message.numbering, message.segments, found[0], untils[index], found[1])
        numbered.append(one)
    return numbered


def _written(
    message: NewMessage,
    numbering: Numbering,
    segments: tuple[bytes, ...],
    reference: int,
    until_utc_ms: int,
    free_utc_ms: int = 0,
) -> Numbered:
    extras = message.extras
    if numbering is Numbering.SAR:
        extras = replace(extras or Extras(), sar_reference=reference)
    else:
        wide = numbering is Numbering.WIDE
        segments = tuple(udh.renumbered(octets, reference, wide=wide) for octets in segments)
    return Numbered(segments, extras, reference, until_utc_ms, free_utc_ms)


class _Pair(NamedTuple):
    """Between whom a reference is unique, and of which width."""

    destination: str
    source: str
    wide: bool


def _pair(message: NewMessage, *, wide: bool) -> _Pair:
    return _Pair(message.destination.addr, message.source.addr, wide)


@dataclass(slots=True)
class _Line:
    """Who has a reference, and who waits for it: how many, and until when the last of them has it. `ended_utc_ms`:
    until when those have it who will not give it back before; `held_utc_ms`: until when those and the ones who hardly
    will, since no receipt will say that they are delivered. 0 where there are none."""

    users: int
    until_utc_ms: int
    ended_utc_ms: int = 0
    held_utc_ms: int = 0


@dataclass(slots=True)
class _Pool:
    """What is known of the references of a pair."""

    free: list[int] = field(default_factory=list)  # in their turn
    in_use: dict[int, _Line] = field(default_factory=dict)
    given: int = 0  # in this transaction
    lines: list[tuple[int, int, int]] = field(default_factory=list)  # heap: users, until when, and the reference
    ended_utc_ms: int = 0  # nobody who waits anew gets one before


class _Pools:
    """The references of all pairs of a batch. `untracked`: of which messages no receipt will come."""

    def __init__(self, tx: Transaction, now_utc_ms: int, untils: Sequence[int], untracked: Sequence[bool]) -> None:
        self._tx = tx
        self._now_utc_ms = now_utc_ms
        self._untils = untils
        self._untracked = untracked
        self._pools: defaultdict[_Pair, _Pool] = defaultdict(_Pool)

    def take(self, pairs: Mapping[int, _Pair]) -> dict[int, int]:
        """By index of the message, the next reference that nobody has; those for which there is none are left out."""
        self._look_up(Counter(pairs.values()))
        taken: dict[int, int] = {}
        for index, pair in pairs.items():
            pool = self._pools[pair]
            if pool.given < len(pool.free):
                reference = taken[index] = pool.free[pool.given]
                pool.given += 1
                pool.in_use[reference] = _Line(0, 0)
                self._join(pool.in_use[reference], index)
        return taken

    def _join(self, line: _Line, index: int) -> None:
        until = self._untils[index]
        line.users += 1
        line.until_utc_ms = max(line.until_utc_ms, until)
        if self._untracked[index]:
            line.held_utc_ms = max(line.held_utc_ms, until)

    def look_at_lines(self, pairs: Collection[_Pair]) -> None:
        """Finds out who is in the lines of these pairs, all of whose references are in use."""
        if not pairs:
            return
        asked = list(pairs)
        keys = [[pair.destination, pair.source, list(self._pools[pair].in_use)] for pair in asked]
        found = self._tx.found(sql.REFERENCES_HELD, json.dumps(keys), self._now_utc_ms)
        for index, reference, ended, held in found:
            line = self._pools[asked[index]].in_use[reference]
            line.ended_utc_ms = ended or 0
            line.held_utc_ms = max(line.held_utc_ms, held)
        for pair in asked:
            pool = self._pools[pair]
            pool.ended_utc_ms = min(line.ended_utc_ms for line in pool.in_use.values())
            pool.lines = [(line.users, line.until_utc_ms, reference) for reference, line in pool.in_use.items()]
            heapq.heapify(pool.lines)

    def queue_up(self, index: int, pair: _Pair, expires_utc_ms: int) -> tuple[int, int] | None:
        """Of the references that may be free before the message expires, and have the shortest lines, the one that is
        free first, and when. It is the length that counts: most in a line need not wait for the time of those before.
        None where all are held for longer by messages that have ended."""
        pool = self._pools[pair]
        if pool.ended_utc_ms >= expires_utc_ms:
            return None
        chosen: tuple[int, int, int] | None = None
        passed: list[tuple[int, int, int]] = []
        while pool.lines:
            first = heapq.heappop(pool.lines)
            line = pool.in_use[first[2]]
            if line.held_utc_ms < expires_utc_ms:
                chosen = first
                break
            passed.append(first)
        if chosen is None:
            chosen = next(one for one in passed if pool.in_use[one[2]].ended_utc_ms < expires_utc_ms)
            passed.remove(chosen)
        for other in passed:
            heapq.heappush(pool.lines, other)
        _, until, reference = chosen
        line = pool.in_use[reference]
        self._join(line, index)
        heapq.heappush(pool.lines, (line.users, line.until_utc_ms, reference))
        return reference, until

    def _look_up(self, wanted: Mapping[_Pair, int]) -> None:
        """Finds so many more free ones of each pair, as far as there are."""
        if not wanted:
            return
        asked = []
        for pair, count in wanted.items():
            count += self._pools[pair].given  # of which the tables know nothing yet
            low, size = (_FIRST_WIDE, _WIDE_ONES) if pair.wide else (0, _NARROW_ONES)
            most = min(size, count + _MOST_IN_USE)
            asked.append([pair.destination, pair.source, int(pair.wide), low, size, most, count])
            self._pools[pair].free.clear()
        looked_at = list(wanted)
        found = self._tx.found(sql.REFERENCES_FROM_NEWEST, json.dumps(asked), self._now_utc_ms)
        for index, reference, users, until in found:
            pool = self._pools[looked_at[index]]
            if users:
                pool.in_use[reference] = _Line(users, until)
            else:
                pool.free.append(reference)


def give_back(tx: Transaction, messages: Sequence[int], now_utc_ms: int) -> None:
    """These messages of several parts have ended. The reference of one that no phone still puts together goes to the
    first in its line, and the others move up."""
    if not messages:
        return
    done = tx.found(sql.DONE_WITH_REFERENCES, json.dumps(messages))
    if not done:
        return
    tx.connection.execute(sql.GIVE_BACK_REFERENCES, (json.dumps([message for message, *_ in done]),))
    given_back = json.dumps(sorted({tuple(line) for _, *line in done}))
    rows = []
    for segment, carrier, was_due, scheduled, until in tx.found(sql.WAITING_FOR, given_back, now_utc_ms):
        due, reason = max(until or now_utc_ms, scheduled or 0), Reason.REFERENCES_IN_USE
        if until is None:
            reason = Reason.ACCEPTED if due == now_utc_ms else Reason.SCHEDULED
        elif due == was_due:
            continue
        rows.append((segment, reason.value, due))
        tx.woken.add(carrier)
    tx.rows(sql.WAIT_ANEW, sql.WAIT_ANEW_ROW, rows)
