"""Receipts find their segments and move them; those that match nothing are parked.

The decisions are made by smppgw/queue/matcher.py.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from smppgw.queue import statements as sql
from smppgw.queue.matcher import Candidate, choose, choose_for_parked, effect_of, resolve_doubts
from smppgw.queue.model import (
    Reason,
    ReceiptRecord,
    ReceiptsRecorded,
    ReceiptState,
    RecordOutcomes,
    RecordReceipts,
    SegmentState,
    message_id_at,
)
from smppgw.queue.operations.ending import conclude
from smppgw.queue.operations.transaction import Transaction

_STATES = tuple(SegmentState)
_SENT = SegmentState.SENT
_REASONS = {reason.value: reason for reason in Reason}
_DAY_MS = 86_400_000
#: How long before a doubt another message to its recipient may have been accepted that is still of interest.
_LONGEST_QUEUED_MS = 60 * _DAY_MS


@dataclass(slots=True)
class _Standing:
    """A matched segment while the receipts of one batch are applied to it one after the other."""

    state: SegmentState
    reason: Reason
    parts: int
    moved: bool = False


class _Ledger:
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

    def as_now(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates in the states that the receipts applied so far have given them."""
        standing = self._standing
        return [
            candidate._replace(state=standing[candidate.segment_id].state)
            if candidate.segment_id in standing
            else candidate
            for candidate in candidates
        ]

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


def _candidate(row: Sequence[Any]) -> Candidate:
    """A row of id, state, reason, parts, submitted, and the addresses where they were asked for."""
    number, state, reason, parts, submitted, *addresses = row
    return Candidate(number, _STATES[state], _REASONS[reason], parts, submitted or 0, *addresses)


def _by_smsc_id(tx: Transaction, carrier: str, smsc_ids: Sequence[str]) -> dict[int, list[Candidate]]:
    """The segments that carry each id, by its index."""
    found: defaultdict[int, list[Candidate]] = defaultdict(list)
    for key, *row in tx.found(sql.SEGMENTS_BY_SMSC_ID, json.dumps(smsc_ids), carrier):
        found[key].append(_candidate(row))
    return found


def _with_addresses(tx: Transaction, by_key: Mapping[int, list[Candidate]]) -> dict[int, list[Candidate]]:
    """The same with recipient and sender."""
    if not by_key:
        return {}
    wanted = list({candidate.segment_id for candidate in chain.from_iterable(by_key.values())})
    known = {number: (to, sender) for number, to, sender in tx.found(sql.ADDRESSES_OF, json.dumps(wanted))}

    def addressed(candidate: Candidate) -> Candidate:
        recipient, sender = known[candidate.segment_id]
        return candidate._replace(recipient=recipient, sender=sender)

    return {key: [addressed(candidate) for candidate in of_key] for key, of_key in by_key.items()}


def record_receipts(tx: Transaction, op: RecordReceipts) -> ReceiptsRecorded:
    """Finds the segment of each receipt and moves it; what matches nothing is parked, for ids that appear later."""
    candidates = _candidates(tx, op)
    ledger = _Ledger(tx, op.now_utc_ms)
    rows = []
    parked = 0
    for index, receipt in enumerate(op.receipts):
        segment = None
        if (of_id := candidates.get(index)) is not None:
            # An id that stands once, on an open segment, is enough: nothing to choose.
            alone = len(of_id) == 1 and of_id[0].state.is_open
            segment = of_id[0] if alone else choose(receipt, ledger.as_now(of_id))
        parked += segment is None
        effect = None if segment is None else ledger.apply(segment, receipt.state, Reason.RECEIPT)
        rows.append(
            (
                op.carrier,
                op.bind,
                receipt.smsc_id,
                None if segment is None else segment.segment_id,
                effect,
                receipt.state,
                receipt.stat,
                receipt.error,
                receipt.source_addr,
                receipt.destination_addr,
                receipt.raw,
                op.now_utc_ms,
            )
        )
    tx.rows(sql.INSERT_RECEIPTS, sql.INSERT_RECEIPTS_ROW, rows)
    ledger.write()
    return ReceiptsRecorded(len(op.receipts) - parked, parked)


def _candidates(tx: Transaction, op: RecordReceipts) -> dict[int, list[Candidate]]:
    """By index of the receipt; with addresses where the id alone does not tell."""
    by_key = _by_smsc_id(tx, op.carrier, [receipt.smsc_id for receipt in op.receipts])
    unclear = {key: of_key for key, of_key in by_key.items() if len(of_key) > 1 or not of_key[0].state.is_open}
    return by_key | _with_addresses(tx, unclear)


@dataclass(frozen=True, slots=True)
class _Parked:
    row_id: int
    receipt: ReceiptRecord
    received_utc_ms: int


def _parked(row: Sequence[Any]) -> _Parked:
    row_id, smsc_id, state, stat, error, source, destination, received = row
    known = None if state is None else ReceiptState(state)
    return _Parked(row_id, ReceiptRecord(smsc_id, known, stat, error, source, destination, b""), received)


def match_parked(tx: Transaction, op: RecordOutcomes, smsc_ids: set[str]) -> None:
    """Receipts that came before their submit_sm_resp find their segment now."""
    if not smsc_ids or not tx.one(sql.ANY_PARKED, op.carrier):
        return
    parked = [_parked(row) for row in tx.found(sql.PARKED_BY_ID, json.dumps(sorted(smsc_ids)), op.carrier)]
    if not parked:
        return
    wanted = sorted({one.receipt.smsc_id for one in parked})
    by_key = _with_addresses(tx, _by_smsc_id(tx, op.carrier, wanted))
    by_id = {wanted[key]: of_key for key, of_key in by_key.items()}
    ledger = _Ledger(tx, op.now_utc_ms)
    rows = []
    for one in parked:
        of_id = ledger.as_now(by_id.get(one.receipt.smsc_id, []))
        segment = choose_for_parked(one.receipt, one.received_utc_ms, of_id)
        if segment is not None:
            rows.append(_unparked(ledger, one, segment, Reason.RECEIPT))
    _unpark(tx, ledger, rows)


def _unparked(ledger: _Ledger, one: _Parked, segment: Candidate, matched_as: Reason) -> tuple[int, int, str]:
    return (one.row_id, segment.segment_id, ledger.apply(segment, one.receipt.state, matched_as).value)


def _unpark(tx: Transaction, ledger: _Ledger, rows: Sequence[tuple[int, int, str]]) -> None:
    tx.rows(sql.UNPARK, sql.UNPARK_ROW, rows)
    ledger.write()


def settle_doubts(tx: Transaction, carrier: str, match_ms: int, now_utc_ms: int) -> None:
    """Parked receipts that can only belong to one segment in doubt resolve it (see matcher.resolve_doubts)."""
    if not tx.one(sql.ANY_PARKED, carrier):
        return
    recipients = json.dumps(tx.found(sql.IN_DOUBT_TO, carrier))
    oldest = message_id_at(max(now_utc_ms - match_ms - _LONGEST_QUEUED_MS, 0))
    written = [_candidate(row) for row in tx.found(sql.WRITTEN_TO, recipients, oldest, carrier)]
    parked = [_parked(row) for row in tx.found(sql.PARKED_BY_SOURCE, recipients, carrier)]
    pairs = resolve_doubts([(one.receipt, one.received_utc_ms) for one in parked], written, match_ms)
    found = [(parked[index], segment) for index, segment in pairs]
    ledger = _Ledger(tx, now_utc_ms)
    rows = [_unparked(ledger, one, segment, Reason.RECEIPT_MATCHED_IN_DOUBT) for one, segment in found]
    _unpark(tx, ledger, rows)
    learned = {segment.segment_id: one.receipt.smsc_id for one, segment in found if one.receipt.smsc_id}
    tx.rows(sql.LEARN_SMSC_ID, sql.LEARN_SMSC_ID_ROW, list(learned.items()))
