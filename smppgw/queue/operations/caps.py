"""Limits of an account for a minute, an hour or a day: what is left of them, counted on disk.

Every submit_sm that was claimed and not withdrawn counts: refused ones too, and those of the otp lane like all
others, since the SMSC makes no difference either. What is used is forgotten with the first claim of the next span.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence

from smppgw.queue import statements as sql
from smppgw.queue.model import Cap
from smppgw.queue.operations.transaction import Transaction

_ALL = ""  # the sender under which a limit on all together is counted
#: What waits for a limit is looked at again after so long, should the limit have been raised meanwhile.
_SPREAD_MS = 3_600_000


class Budget:
    """What the limits leave to one claim."""

    def __init__(self, tx: Transaction, carrier: str, caps: Sequence[Cap]) -> None:
        self._tx = tx
        self._carrier = carrier
        self._together = [cap for cap in caps if not cap.by_sender]
        self._by_sender = [cap for cap in caps if cap.by_sender]
        self._left: dict[str, list[int]] = {}  # by sender, for each limit by sender
        used: dict[int, int] = dict(tx.found(sql.CAPS_USED, _keys(self._together), carrier)) if self._together else {}
        self._left_together: list[int] = [cap.count - used.get(index, 0) for index, cap in enumerate(self._together)]

    def most(self, limit: int) -> int:
        """How many of `limit` segments may be claimed at all."""
        return max(min([limit, *self._left_together]), 0)

    def again_utc_ms(self, taken: int) -> int:
        """When the limits that end with so many segments begin anew."""
        ended = zip(self._together, self._left_together, strict=True)
        return max(cap.end_utc_ms for cap, left in ended if left <= taken)

    def look_up(self, senders: Collection[str]) -> None:
        """Learns what is left to these senders."""
        if not self._by_sender or not senders:
            return
        self._left = {sender: [cap.count for cap in self._by_sender] for sender in senders}
        parameters = (_keys(self._by_sender), json.dumps(sorted(senders)), self._carrier)
        for index, sender, used in self._tx.found(sql.SENDER_CAPS_USED, *parameters):
            self._left[sender][index] -= used

    def ended(self, sender: str) -> bool:
        """True when the sender has to wait; otherwise takes one segment of the sender out of its limits."""
        left = self._left.get(sender, [])
        if any(of_cap <= 0 for of_cap in left):
            return True
        self._left[sender] = [of_cap - 1 for of_cap in left]
        return False

    def next_spans(self, sender: str, waiting: Sequence[int]) -> dict[int, list[int]]:
        """When each of these segments of a sender that has used up a limit may leave: as many in each of the next
        spans as the limits let through, but none later than `_SPREAD_MS` after the first could."""
        ended = [cap for cap, left in zip(self._by_sender, self._left[sender], strict=True) if left <= 0]
        latest = max(cap.end_utc_ms for cap in ended) + _SPREAD_MS
        spread: defaultdict[int, list[int]] = defaultdict(list)
        for index, segment in enumerate(waiting):
            due = [cap.end_utc_ms + index // max(cap.count, 1) * (cap.end_utc_ms - cap.start_utc_ms) for cap in ended]
            spread[max(min(max(due), latest), max(cap.end_utc_ms for cap in ended))].append(segment)
        return spread

    def any_sender_ended(self) -> bool:
        """Whether any sender of the carrier has used up a limit by sender."""
        keys = json.dumps([[cap.key, cap.start_utc_ms, cap.count] for cap in self._by_sender])
        return bool(self._by_sender) and bool(self._tx.one(sql.ANY_CAP_ENDED, keys, self._carrier))

    def use(self, senders: Iterable[str]) -> None:
        """Counts the segments that were claimed, by their senders."""
        by_sender = Counter(senders)
        if not by_sender:
            return
        rows = [(self._carrier, _ALL, cap.key, cap.start_utc_ms, by_sender.total()) for cap in self._together]
        rows += [
            (self._carrier, sender, cap.key, cap.start_utc_ms, count)
            for cap in self._by_sender
            for sender, count in by_sender.items()
        ]
        self._tx.rows(sql.USE_CAPS, sql.USE_CAPS_ROW, rows)


def give_back(tx: Transaction, carrier: str, segments: Sequence[int]) -> None:
    """These claims were withdrawn: nothing of them was written."""
    if not tx.one(sql.ANY_CAPS, carrier):
        return
    counts: Counter[str] = Counter()
    oldest: dict[str, int] = {}
    for sender, claimed in tx.found(sql.SENDERS_OF, json.dumps(segments)):
        for one in {_ALL, sender}:
            counts[one] += 1
            oldest[one] = min(claimed, oldest.get(one, claimed))
    rows = [(carrier, sender, count, oldest[sender]) for sender, count in counts.items()]
    tx.rows(sql.GIVE_CAPS_BACK, sql.GIVE_CAPS_BACK_ROW, rows)


def _keys(caps: Sequence[Cap]) -> str:
    return json.dumps([[cap.key, cap.start_utc_ms] for cap in caps])
