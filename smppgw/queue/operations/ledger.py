"""What receipts do to segments: collected one after the other, then written together."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from smppgw.queue import statements as sql
from smppgw.queue.matcher import Candidate, Hit, effect_of
from smppgw.queue.model import Reason, ReceiptState, SegmentState
from smppgw.queue.operations.ending import conclude
from smppgw.queue.operations.transaction import Transaction

STATES = tuple(SegmentState)
_SENT = SegmentState.SENT
REASONS = {reason.value: reason for reason in Reason}
_DAY_MS = 86_400_000


def candidate(row: Sequence[Any]) -> Candidate:
    """A row of id, state, reason, parts, submitted, and the addresses where they were asked for."""
    number, state, reason, parts, submitted, *addresses = row
    return Candidate(number, STATES[state], REASONS[reason], parts, submitted or 0, *addresses)


@dataclass(slots=True)
class _Standing:
    """A matched segment while the receipts of one batch are applied to it one after the other."""

    state: SegmentState
    reason: Reason
    parts: int
    moved: bool = False


class Ledger:
    """Collects what a batch of receipts does, then writes it with one statement for each (state, reason)."""

    def __init__(self, tx: Transaction, now_utc_ms: int) -> None:
        self._tx = tx
        self._now_utc_ms = now_utc_ms
        self._standing: dict[int, _Standing] = {}

    def apply(self, segment: Candidate, receipt_state: ReceiptState | None, matched_as: Reason) -> Reason:
        """The reason to record with the receipt."""
        standing = self._standing.get(segment.segment_id)
        if standing is None:
            standing = self._standing[segment.segment_id] = _Standing(segment.state, segment.reason, segment.parts)
        effect = effect_of(standing.state, standing.reason, receipt_state)
        if effect.state is None:
            return effect.reason
        standing.state, standing.reason, standing.moved = effect.state, matched_as, True
        return matched_as if effect.reason is Reason.RECEIPT else effect.reason

    def as_now(self, hits: Sequence[Hit]) -> list[Hit]:
        """The hits with their segments in the states that the receipts applied so far have given them."""
        standing = self._standing
        return [
            hit._replace(segment=hit.segment._replace(state=standing[hit.segment.segment_id].state))
            if hit.segment.segment_id in standing
            else hit
            for hit in hits
        ]

    def sent(self) -> set[int]:
        """The segments of which a receipt in between said that the carrier has them."""
        return {number for number, one in self._standing.items() if one.moved and one.state is _SENT}

    @property
    def moved(self) -> int:
        return sum(standing.moved for standing in self._standing.values())

    def write(self) -> None:
        groups: defaultdict[tuple[SegmentState, Reason], list[int]] = defaultdict(list)
        finals = []
        for segment, standing in self._standing.items():
            if standing.moved:
                groups[standing.state, standing.reason].append(segment)
                if standing.state > _SENT:
                    finals.append((segment, standing.state, standing.parts))
        for (state, reason), ids in groups.items():
            numbers = json.dumps(ids)
            if state is _SENT:
                self._tx.connection.execute(sql.RECORD_SENT, (reason.value, _DAY_MS, self._now_utc_ms, numbers))
            else:
                self._tx.connection.execute(sql.RECORD_MOVE, (state.value, reason.value, self._now_utc_ms, numbers))
        conclude(self._tx, finals, self._now_utc_ms)
