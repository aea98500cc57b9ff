"""Looking up the segments that an id may lead to, and what is known of the carrier's ids."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from smppgw.queue import statements as sql
from smppgw.queue.ids import ENOUGH_SEEN, Learned, Relation
from smppgw.queue.matcher import Candidate, Hit
from smppgw.queue.model import IdForm
from smppgw.queue.operations.ledger import REASONS, STATES
from smppgw.queue.operations.transaction import Transaction

#: What the message_ids of a carrier look like does not change from one to the next.
_LOOK_AGAIN_MS = 60_000


class Knowledge:
    """What is known of one carrier's ids, read once and written once in an operation that needs it."""

    def __init__(self, tx: Transaction, carrier: str, form: IdForm | None = None) -> None:
        """`form`: of the settings; None leaves it as the last operation had it."""
        self._tx = tx
        self._carrier = carrier
        row = tx.connection.execute(sql.LEARNED_IDS, (carrier,)).fetchone()
        self.learned = Learned() if row is None else Learned.from_row(*row)
        #: Whether more than the two counts has to be written.
        self.changed = row is None
        if form is not None and self.learned.pin(form):
            self.changed = True

    def look_closer(self, now_utc_ms: int) -> None:
        """Takes in what the carrier's newest message_ids look like; once it has seen enough of them, every minute."""
        learned = self.learned
        if learned.shape.seen >= ENOUGH_SEEN and 0 <= now_utc_ms - learned.looked_utc_ms < _LOOK_AGAIN_MS:
            return
        learned.looked_utc_ms = now_utc_ms
        newest = self._tx.found(sql.NEWEST_SMSC_IDS, self._carrier)
        learned.shape.see(newest or self._tx.found(sql.SOME_SMSC_IDS, self._carrier))
        self.changed = True

    def vote(self, relations: Collection[Relation], now_utc_ms: int) -> bool:
        """See Learned.vote."""
        learned = self.learned
        before = learned.relation, dict(learned.votes)
        is_another = learned.vote(relations, now_utc_ms)
        self.changed |= before != (learned.relation, learned.votes)
        return is_another

    def save(self) -> None:
        learned = self.learned
        if self.changed:
            relation = "" if learned.relation is None else learned.relation.value
            row = (self._carrier, relation, learned.pinned, learned.matched, learned.total, learned.as_json())
            self._tx.connection.execute(sql.SAVE_LEARNED_IDS, row)
        else:
            self._tx.connection.execute(sql.COUNT_IDS, (learned.matched, learned.total, self._carrier))


class Segments:
    """The segments of one carrier by their message_id, as far as they were asked for."""

    def __init__(self, tx: Transaction, carrier: str) -> None:
        self._tx = tx
        self._carrier = carrier
        self._found: defaultdict[str, list[Candidate]] = defaultdict(list)
        self._asked: set[str] = set()

    def find(self, message_ids: Iterable[str]) -> None:
        """One statement for those that were not asked for yet."""
        wanted = list(dict.fromkeys(one for one in message_ids if one and one not in self._asked))
        if wanted:
            self._asked.update(wanted)
            found = self._tx.found(sql.SEGMENTS_BY_SMSC_ID, json.dumps(wanted), self._carrier)
            for key, number, state, reason, parts, submitted, recipient, sender in found:
                segment = Candidate(number, STATES[state], REASONS[reason], parts, submitted or 0, recipient, sender)
                self._found[wanted[key]].append(segment)

    def by_id(self, message_id: str) -> list[Candidate]:
        return self._found.get(message_id, [])

    def hits(self, receipt_id: str, readings: Mapping[str, frozenset[Relation]]) -> list[Hit]:
        return [
            Hit(segment, relations, message_id == receipt_id)
            for message_id, relations in readings.items()
            for segment in self.by_id(message_id)
        ]
