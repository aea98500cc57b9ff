"""The references by which a phone tells the parts of one long message from those of another (3GPP TS 23.040,
9.2.3.24.1 and .8).

A phone sees the sender and the reference, and neither carrier nor account: so no two messages from one sender to one
recipient have the same at the same time. They are given in turn, so that each rests for as long as possible. 8 bits
are 0 to 255, 16 bits all above, so that one never equals the other; sar_msg_ref_num (SMPP 3.4, 5.3.2.22) takes part
in the 8 bits, which SMSCs make of it.

Whoever waits has its reference already, behind those who had it before: it is due when the last of them has had it
for long enough, or, as the first in the line, as soon as they gave it back.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
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


def number(tx: Transaction, messages: Sequence[NewMessage], now_utc_ms: int, hold_ms: int) -> list[Numbered]:
    """Gives each of the messages, all of which have a `numbering`, its reference."""
    untils = [message.expires(now_utc_ms) + hold_ms for message in messages]
    pools = _Pools(tx, now_utc_ms, untils)
    pairs = {index: _pair(one, wide=one.numbering is Numbering.WIDE) for index, one in enumerate(messages)}
    taken = pools.take(pairs)
    widened: dict[int, tuple[bytes, ...]] = {}
    for index in pairs.keys() - taken.keys():
        again = messages[index].widened
        segments = None if again is None else again()
        if segments is not None:
            widened[index] = segments
    taken_wide = pools.take({index: _pair(messages[index], wide=True) for index in sorted(widened)})
    numbered = []
    for index, message in enumerate(messages):
        if index in taken:
            one = _written(message, message.numbering, message.segments, taken[index], untils[index])
        elif index in taken_wide:
            one = _written(message, Numbering.WIDE, widened[index], taken_wide[index], untils[index])
        else:
            reference, free = pools.queue_up(pairs[index], untils[index])
            one = _written(message, message.numbering, message.segments, reference, untils[index], free)
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
class _Pool:
    """What is known of the references of a pair."""

    free: list[int] = field(default_factory=list)  # in their turn
    in_use: dict[int, tuple[int, int]] = field(default_factory=dict)  # (how many have it, until when)
    given: int = 0  # in this transaction
    lines: list[tuple[int, int, int]] | None = None  # heap: `in_use`, and the reference


class _Pools:
    """The references of all pairs of a batch."""

    def __init__(self, tx: Transaction, now_utc_ms: int, untils: Sequence[int]) -> None:
        self._tx = tx
        self._now_utc_ms = now_utc_ms
        self._untils = untils
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
                pool.in_use[reference] = (1, self._untils[index])
        return taken

    def queue_up(self, pair: _Pair, until_utc_ms: int) -> tuple[int, int]:
        """Of the references with the shortest lines the one that is free first, and when, for one more who will have
        it until then. It is the length that counts: most in a line need not wait for the time of those before."""
        pool = self._pools[pair]
        if pool.lines is None:
            pool.lines = [(*in_use, reference) for reference, in_use in pool.in_use.items()]
            heapq.heapify(pool.lines)
        users, free, reference = pool.lines[0]
        heapq.heapreplace(pool.lines, (users + 1, max(free, until_utc_ms), reference))
        return reference, free

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
                pool.in_use[reference] = (users, until)
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
