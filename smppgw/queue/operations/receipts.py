"""Receipts find their segments and move them; those that match nothing are parked.

The decisions are made by smppgw/queue/matcher.py, on what smppgw/queue/ids.py makes of the ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from smppgw.queue import statements as sql
from smppgw.queue.ids import Learned, Relation, readings
from smppgw.queue.matcher import (
    Awaited,
    Candidate,
    Hit,
    addresses_agree,
    choose,
    choose_sniffed,
    early_matters,
    expected,
    id_of,
    may_be_early,
)
from smppgw.queue.model import Reason, ReceiptFlag, ReceiptRecord, ReceiptsRecorded, RecordReceipts, SegmentState
from smppgw.queue.operations.inbound import store_texts
from smppgw.queue.operations.ledger import Ledger
from smppgw.queue.operations.lookup import Knowledge, Segments
from smppgw.queue.operations.parked import MOST_RETRIED, retry_newest
from smppgw.queue.operations.records import as_json, receipt_row, with_flags
from smppgw.queue.operations.transaction import Transaction

_SAME = frozenset({Relation.SAME})
_SENT = SegmentState.SENT


def _by_form(receipt: ReceiptRecord, learned: Learned) -> dict[str, frozenset[Relation]]:
    """The readings of its id by the relation that the carrier is known for."""
    relation = expected(receipt, learned)
    return readings(id_of(receipt), learned.shape, () if relation is None else (relation,))


def _clear(receipt: ReceiptRecord, found: Sequence[Candidate]) -> Candidate | None:
    """The only segment, open and with a recipient that agrees: there is nothing to choose."""
    if len(found) != 1 or receipt.sniffed is not None:
        return None
    segment = found[0]
    return segment if segment.state <= _SENT and addresses_agree(segment.recipient, receipt) else None


@dataclass(slots=True)
class _Batch:
    """What becomes of the receipts of one operation."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    texts: list[ReceiptRecord] = field(default_factory=list)
    flags: Counter[str] = field(default_factory=Counter)
    matched: int = 0
    parked: int = 0


def record_receipts(tx: Transaction, op: RecordReceipts) -> ReceiptsRecorded:
    """Finds the segment of each receipt and moves it; what matches nothing is parked, for ids that appear later."""
    knowledge = Knowledge(tx, op.carrier, op.id_form)
    matches = _Matches(tx, op, knowledge)
    ledger = Ledger(tx, op.now_utc_ms)
    batch = _Batch()
    for index, receipt in enumerate(op.receipts):
        segment, odd = matches.of(index, ledger)
        if receipt.sniffed is not None and segment is None:
            batch.texts.append(receipt)
            continue
        if segment is None:
            batch.parked += 1
            reason = None
        else:
            batch.matched += 1
            reason = ledger.apply(segment, receipt.state, Reason.RECEIPT)
        flags = receipt.flags
        if odd or flags:
            flags = with_flags(flags, odd)
            batch.flags.update(flags.split(","))
        number = None if segment is None else segment.segment_id
        batch.rows.append(receipt_row(op.carrier, op.bind, receipt, number, reason, flags, op.now_utc_ms))
    tx.rows(sql.INSERT_RECEIPTS, sql.INSERT_RECEIPTS_ROW, batch.rows)
    ledger.write()
    _store_texts(tx, op, batch.texts)
    learned = knowledge.learned
    learned.matched += batch.matched
    learned.total += batch.matched + batch.parked
    if matches.learned_now:
        retry_newest(tx, op.carrier, knowledge, op.now_utc_ms, MOST_RETRIED)
    knowledge.save()
    return ReceiptsRecorded(batch.matched, batch.parked, len(batch.texts), dict(batch.flags))


def _store_texts(tx: Transaction, op: RecordReceipts, receipts: Sequence[ReceiptRecord]) -> None:
    """Sniffed ones that are the receipt of nothing known are texts; what they say is kept, in case their
    submit_sm_resp is still to come."""
    texts = [replace(one.sniffed, sniff_id=id_of(one)) for one in receipts if one.sniffed is not None]
    if texts:
        ids = store_texts(tx, op.carrier, op.bind, texts, op.now_utc_ms)
        kept = [(number, as_json(one)) for number, one in zip(ids, receipts, strict=True) if id_of(one)]
        tx.rows(sql.KEEP_SNIFFED, sql.KEEP_SNIFFED_ROW, kept)


class _Matches:
    """The segment of each receipt of a batch. One statement where every id is as it should be, else three more."""

    def __init__(self, tx: Transaction, op: RecordReceipts, knowledge: Knowledge) -> None:
        self._now_utc_ms = op.now_utc_ms
        self._receipts = op.receipts
        self._knowledge = knowledge
        self._learned = knowledge.learned
        self._segments = Segments(tx, op.carrier)
        self._awaited: Awaited | None = None
        self._hits: dict[int, list[Hit]] = {}
        self._clear_flags: list[tuple[ReceiptFlag, ...]] = []
        #: The relation of the carrier's ids has become another one.
        self.learned_now = False
        self._clear = self._look_up_plainly()
        unclear = [index for index, found in enumerate(self._clear) if found is None and id_of(op.receipts[index])]
        if unclear:
            knowledge.look_closer(op.now_utc_ms)
            self._look_up_closely(unclear)
            if any(early_matters(op.receipts[index], self._hits[index], self._learned) for index in unclear):
                self._awaited = Awaited(tx.found(sql.UNANSWERED_TO, op.carrier))
        elif self._learned.votes and any(self._clear):
            self._learned.votes.clear()  # the carrier keeps to its habit
            knowledge.changed = True

    def of(self, index: int, ledger: Ledger) -> tuple[Candidate | None, Sequence[ReceiptFlag]]:
        """The segment, and what is odd about it."""
        clear = self._clear[index]
        if clear is not None:
            return clear, self._clear_flags[index] if self._clear_flags else ()
        hits = self._hits.get(index)
        if not hits:
            return None, ()
        receipt = self._receipts[index]
        hits = ledger.as_now(hits)
        if receipt.sniffed is not None:
            match = choose_sniffed(receipt, hits, self._learned)
        else:
            early = self._awaited is not None and may_be_early(receipt, self._now_utc_ms, self._awaited)
            match = choose(receipt, hits, self._learned, early=early)
        if match.votes and self._knowledge.vote(match.votes, self._now_utc_ms):
            self.learned_now = True
        return match.segment, match.flags

    def _look_up_plainly(self) -> list[Candidate | None]:
        """By the form that the carrier is known for. Clear is what leads to one open segment with that recipient."""
        known = self._learned.relation
        receipts, segments = self._receipts, self._segments
        if known is None:
            return [None] * len(receipts)
        if known is Relation.SAME:
            ids = [id_of(receipt) for receipt in receipts]
            segments.find(ids)
            by_id = segments.by_id
            return [_clear(receipt, by_id(number)) for receipt, number in zip(receipts, ids, strict=True)]
        by_form = [_by_form(receipt, self._learned) for receipt in receipts]
        segments.find(message_id for form in by_form for message_id in form)
        hits = [segments.hits(id_of(receipt), form) for receipt, form in zip(receipts, by_form, strict=True)]
        self._clear_flags = [() if of_one and of_one[0].raw else (ReceiptFlag.ID_CONVERTED,) for of_one in hits]
        return [
            _clear(receipt, [hit.segment for hit in of_one]) for receipt, of_one in zip(receipts, hits, strict=True)
        ]

    def _look_up_closely(self, unclear: Sequence[int]) -> None:
        """The very id first, and every reading of it where nothing that agrees was found by the carrier's form."""
        receipts, segments, learned = self._receipts, self._segments, self._learned
        segments.find(id_of(receipts[index]) for index in unclear)
        every = {}
        for index in unclear:
            receipt = receipts[index]
            known = expected(receipt, learned)
            form = _by_form(receipt, learned) if known is not None else {}
            form.setdefault(id_of(receipt), _SAME)
            hits = segments.hits(id_of(receipt), form)
            if known is not None and any(
                known in hit.relations and addresses_agree(hit.segment.recipient, receipt) for hit in hits
            ):
                self._hits[index] = hits
            else:
                every[index] = readings(id_of(receipt), learned.shape)
        segments.find(message_id for form in every.values() for message_id in form)
        for index, form in every.items():
            self._hits[index] = segments.hits(id_of(receipts[index]), form)
