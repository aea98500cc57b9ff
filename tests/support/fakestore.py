"""A store in memory, without threads: dicts and the state machine of smppgw.queue.model.

For time-driven tests, since pytest-trio's autojump clock does not see worker threads. Switches make it slow
(`commit_s`), make it fail (`unavailable`) or choke on one segment (`poison`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import trio

from smppgw.addresses import Address
from smppgw.errors import StoreError, StoreUnavailable
from smppgw.queue.model import (
    RECEIPT_MOVES,
    TRANSITIONS,
    Accept,
    Acceptance,
    AcceptStatus,
    Claim,
    Claimed,
    ClaimedSegment,
    Depths,
    Doubt,
    IdSource,
    InboundView,
    Lane,
    MessageQuery,
    MessageView,
    Move,
    NewMessage,
    Op,
    OutcomeKind,
    OutcomesRecorded,
    Reason,
    ReceiptRecord,
    ReceiptsRecorded,
    RecordInbound,
    RecordOutcomes,
    RecordReceipts,
    Recover,
    SegmentState,
    SegmentView,
    SubmitOutcome,
    Sweep,
    Swept,
    Withdraw,
    part_of,
    segment_id,
    verdict_of,
)

RECIPIENT = "447700900001"
SENDER = "447700900999"


@dataclass
class Row:
    """One segment."""

    message: NewMessage
    message_id: int
    part: int
    due_utc_ms: int
    accepted_utc_ms: int
    state: SegmentState = SegmentState.QUEUED
    reason: Reason = Reason.ACCEPTED
    attempts: int = 0
    bind: str | None = None
    smsc_id: str | None = None
    command_status: int | None = None
    submitted_utc_ms: int | None = None
    path: list[tuple[SegmentState, Reason]] = field(default_factory=list)

    @property
    def segment_id(self) -> int:
        return segment_id(self.message_id, self.part)

    @property
    def expires_utc_ms(self) -> int:
        return self.accepted_utc_ms + self.message.validity_ms

    def move(self, move: Move, reason: Reason) -> bool:
        """Follows the state machine; False when the pair is not listed."""
        target = TRANSITIONS.get((self.state, move))
        if target is None:
            return False
        self.state, self.reason = target, reason
        self.path.append((target, reason))
        return True


class FakeWork:
    def __init__(self) -> None:
        self.version = 0
        self._event = trio.Event()

    def bump(self) -> None:
        self.version += 1
        self._event.set()
        self._event = trio.Event()

    async def changed(self, since: int) -> None:
        while self.version == since:
            await self._event.wait()


class FakeStore:
    """Implements smppgw.queue.model.Store. `commits` holds the operations of each commit that went through."""

    def __init__(self, now_utc_ms: Callable[[], int]) -> None:
        self.now_utc_ms = now_utc_ms
        self.rows: dict[int, Row] = {}
        self.receipts: list[tuple[ReceiptRecord, int | None]] = []
        self.inbox: list[InboundView] = []
        self.commits: list[tuple[Op[Any], ...]] = []
        self.claims = 0
        self.most_in_flight = 0
        self.commit_s = 0.0
        self.unavailable = False
        self.poison: set[int] = set()  # segment ids whose outcome makes the transaction fail
        self.poisoned_receipts: set[str] = set()
        self._ids = IdSource()
        self._works: dict[str, FakeWork] = {}
        self._free = trio.Lock()
        self._keys: dict[tuple[str, str], tuple[bytes, Acceptance]] = {}

    # What tests use -----------------------------------------------------------------------------------------------

    def queue(
        self,
        count: int = 1,
        *,
        carrier: str = "demo",
        lane: Lane = Lane.TRANSACTIONAL,
        recipient: str | Callable[[int], str] = RECIPIENT,
        octets: bytes = b"hello",
        validity_ms: int = 172_800_000,
    ) -> list[int]:
        """Queues one-segment messages without a commit; their segment ids."""
        now = self.now_utc_ms()
        messages = [
            NewMessage(
                account="app",
                carrier=carrier,
                lane=lane,
                source=Address(1, 1, SENDER),
                destination=Address(1, 1, recipient if isinstance(recipient, str) else recipient(number)),
                text="hello",
                alphabet="gsm7",
                data_coding=0,
                esm_class=0,
                segments=(octets,),
                registered_delivery=1,
                validity_ms=validity_ms,
            )
            for number in range(count)
        ]
        accepted = self._accept(Accept(messages, now))
        self.work(carrier).bump()
        return [segment_id(one.message_id, 1) for one in accepted]

    def states(self) -> dict[str, int]:
        """How many segments stand where, by name."""
        return {state.label: count for state, count in Counter(row.state for row in self.rows.values()).items()}

    def ops(self, kind: type[Any]) -> list[Any]:
        """All operations of one type that were committed, in order."""
        return [op for ops in self.commits for op in ops if isinstance(op, kind)]

    # The Store protocol -------------------------------------------------------------------------------------------

    def work(self, carrier: str) -> FakeWork:
        return self._works.setdefault(carrier, FakeWork())

    async def commit(self, *ops: Op[Any]) -> None:
        async with self._free:  # one writer
            await trio.sleep(self.commit_s)
            if self.unavailable:
                raise StoreUnavailable("disk full")
            self._refuse_poison(ops)
            for op in ops:
                op.result = _EXECUTE[type(op)](self, op)
            self.commits.append(ops)
            in_flight = sum(row.state is SegmentState.IN_FLIGHT for row in self.rows.values())
            self.most_in_flight = max(self.most_in_flight, in_flight)

    async def message(self, message_id: int) -> MessageView | None:
        rows = [row for row in self.rows.values() if row.message_id == message_id]
        return self._view(rows, with_segments=True) if rows else None

    async def messages(self, query: MessageQuery) -> list[MessageView]:
        by_message: dict[int, list[Row]] = {}
        for row in self.rows.values():
            by_message.setdefault(row.message_id, []).append(row)
        views = [self._view(rows, with_segments=False) for rows in by_message.values()]
        return sorted(
            (view for view in views if _wanted(view, query)), key=lambda view: view.message_id, reverse=True
        )[: query.limit]

    async def inbound(self, *, before: int | None, limit: int) -> list[InboundView]:
        found = [view for view in self.inbox if before is None or view.inbound_id < before]
        return found[::-1][:limit]

    async def depths(self) -> Depths:
        queued: dict[tuple[str, Lane], int] = {}
        others: dict[SegmentState, dict[str, int]] = {}
        oldest = None
        for row in self.rows.values():
            carrier = row.message.carrier
            if row.state is SegmentState.QUEUED:
                queued[carrier, row.message.lane] = queued.get((carrier, row.message.lane), 0) + 1
                oldest = min(oldest or row.accepted_utc_ms, row.accepted_utc_ms)
            else:
                counts = others.setdefault(row.state, {})
                counts[carrier] = counts.get(carrier, 0) + 1
        parked = sum(segment is None for _, segment in self.receipts)
        return Depths(
            queued,
            others.get(SegmentState.IN_FLIGHT, {}),
            others.get(SegmentState.IN_DOUBT, {}),
            others.get(SegmentState.SENT, {}),
            parked,
            oldest,
        )

    # Operations ---------------------------------------------------------------------------------------------------

    def _refuse_poison(self, ops: Sequence[Op[Any]]) -> None:
        for op in ops:
            if isinstance(op, RecordOutcomes) and self.poison & {one.segment_id for one in op.outcomes}:
                raise StoreError("poisoned outcome")
            if isinstance(op, RecordReceipts) and self.poisoned_receipts & {one.smsc_id for one in op.receipts}:
                raise StoreError("poisoned receipt")

    def _accept(self, op: Accept) -> list[Acceptance]:
        results = []
        for message in op.messages:
            key = None if message.idempotency_key is None else (message.account, message.idempotency_key)
            if key in self._keys:
                digest, first = self._keys[key]
                status = AcceptStatus.REPEATED if digest == message.digest else AcceptStatus.CONFLICT
                results.append(Acceptance(status, first.message_id, first.segments))
                continue
            (message_id,) = self._ids.take(1, op.now_utc_ms)
            for part in range(1, len(message.segments) + 1):
                row = Row(message, message_id, part, op.now_utc_ms, op.now_utc_ms)
                self.rows[row.segment_id] = row
            results.append(Acceptance(AcceptStatus.STORED, message_id, len(message.segments)))
            if key is not None:
                self._keys[key] = (message.digest, results[-1])
            self.work(message.carrier).bump()
        return results

    def _claim(self, op: Claim) -> Claimed:
        self.claims += 1
        taken: list[ClaimedSegment] = []
        queued = [
            row
            for row in self.rows.values()
            if row.state is SegmentState.QUEUED and row.message.carrier == op.carrier
        ]
        for row in sorted(queued, key=lambda row: (row.message.lane, row.due_utc_ms, row.segment_id)):
            if row.expires_utc_ms <= op.now_utc_ms:
                row.move(Move.EXPIRE, Reason.VALIDITY_EXPIRED)
            elif row.due_utc_ms <= op.now_utc_ms and row.message.destination.addr in op.held:
                row.due_utc_ms = op.held[row.message.destination.addr]
            elif row.due_utc_ms <= op.now_utc_ms and len(taken) < op.limit:
                row.move(Move.CLAIM, Reason.CLAIMED)
                row.bind, row.submitted_utc_ms = op.bind, op.now_utc_ms
                taken.append(_claimed(row))
        later = [row.due_utc_ms for row in queued if row.state is SegmentState.QUEUED]
        due = [at for at in later if at > op.now_utc_ms]
        return Claimed(taken, min(due, default=None) if len(taken) < op.limit else None)

    def _record_outcomes(self, op: RecordOutcomes) -> OutcomesRecorded:
        moved = 0
        for outcome in op.outcomes:
            row = self.rows[outcome.segment_id]
            if row.state not in (SegmentState.IN_FLIGHT, SegmentState.IN_DOUBT):
                continue
            moved += 1
            row.command_status = outcome.command_status
            if outcome.kind is OutcomeKind.ACCEPTED:
                self._accepted(row, outcome)
            else:
                self._refused(row, outcome, op)
        return OutcomesRecorded(moved, len(op.outcomes) - moved)

    def _accepted(self, row: Row, outcome: SubmitOutcome) -> None:
        row.smsc_id = outcome.smsc_id or None
        if row.smsc_id is None or not row.message.registered_delivery:
            row.move(Move.ACCEPT_UNTRACKED, Reason.NO_RECEIPT_POSSIBLE)
            return
        row.move(Move.ACCEPT, Reason.CARRIER_ACCEPTED)
        for index, (receipt, segment) in enumerate(self.receipts):
            if segment is None and receipt.smsc_id == row.smsc_id:
                self.receipts[index] = (receipt, row.segment_id)
                _apply(row, receipt, Reason.RECEIPT)

    def _refused(self, row: Row, outcome: SubmitOutcome, op: RecordOutcomes) -> None:
        match outcome.kind:
            case OutcomeKind.THROTTLED:
                row.move(Move.REQUEUE, Reason.THROTTLED)
            case OutcomeKind.DELAYED:
                row.move(Move.REQUEUE, Reason.RECIPIENT_QUEUE_FULL)
                row.due_utc_ms = outcome.due_utc_ms
            case OutcomeKind.RETRY:
                row.attempts += 1
                if row.attempts >= op.retry.max_attempts:
                    row.move(Move.GIVE_UP, Reason.RETRIES_EXHAUSTED)
                else:
                    row.move(Move.REQUEUE, Reason.TEMPORARY_REFUSAL)
                    pause_s = min(op.retry.first_s * op.retry.factor ** (row.attempts - 1), op.retry.max_s)
                    row.due_utc_ms = op.now_utc_ms + round(pause_s * 1000)
            case _:
                row.attempts += 1
                row.move(Move.REFUSE, Reason.REFUSED)
        self.work(row.message.carrier).bump()

    def _withdraw(self, op: Withdraw) -> int:
        moved = [row for row in self._rows(op.segment_ids) if row.move(Move.WITHDRAW, Reason.NOT_WRITTEN)]
        for row in moved:
            self.work(row.message.carrier).bump()
        return len(moved)

    def _doubt(self, op: Doubt) -> int:
        moved = 0
        for row in self._rows(op.segment_ids):
            if row.move(Move.DOUBT, op.reason):
                moved += 1
                if op.resend:
                    row.move(Move.RESEND, Reason.RESENT_AFTER_DOUBT)
                    self.work(op.carrier).bump()
        return moved

    def _record_receipts(self, op: RecordReceipts) -> ReceiptsRecorded:
        parked = 0
        for receipt in op.receipts:
            row = next((row for row in self.rows.values() if row.smsc_id == receipt.smsc_id), None)
            if row is None:
                parked += 1
                self.receipts.append((receipt, None))
            else:
                _apply(row, receipt, Reason.RECEIPT)
                self.receipts.append((receipt, row.segment_id))
        return ReceiptsRecorded(len(op.receipts) - parked, parked)

    def _record_inbound(self, op: RecordInbound) -> None:
        for text in op.texts:
            self.inbox.append(InboundView(len(self.inbox) + 1, op.carrier, op.bind, op.now_utc_ms, text))

    def _recover(self, op: Recover) -> int:
        moved = 0
        for row in self.rows.values():
            if row.move(Move.DOUBT, Reason.CRASHED):
                moved += 1
                if row.message.carrier in op.resend:
                    row.move(Move.RESEND, Reason.RESENT_AFTER_DOUBT)
        return moved

    def _sweep(self, op: Sweep) -> Swept:
        expired = [
            row
            for row in self.rows.values()
            if row.state is SegmentState.QUEUED and row.expires_utc_ms <= op.now_utc_ms
        ][: op.limit]
        for row in expired:
            row.move(Move.EXPIRE, Reason.VALIDITY_EXPIRED)
        return Swept(len(expired), 0, 0, len(expired) >= op.limit)

    def _rows(self, ids: Sequence[int]) -> list[Row]:
        return [self.rows[one] for one in ids if one in self.rows]

    def _view(self, rows: list[Row], *, with_segments: bool) -> MessageView:
        first = rows[0]
        verdict = verdict_of([row.state for row in rows])
        return MessageView(
            message_id=first.message_id,
            account=first.message.account,
            carrier=first.message.carrier,
            lane=first.message.lane,
            source=first.message.source,
            destination=first.message.destination,
            text=first.message.text,
            alphabet=first.message.alphabet,
            client_ref=first.message.client_ref,
            accepted_utc_ms=first.accepted_utc_ms,
            expires_utc_ms=first.expires_utc_ms,
            final_utc_ms=None if verdict is None else self.now_utc_ms(),
            first_submitted_utc_ms=first.submitted_utc_ms,
            verdict=verdict,
            segment_count=len(rows),
            segments=[_segment_view(row) for row in rows] if with_segments else [],
            history=[],
        )


_EXECUTE: dict[type[Op[Any]], Callable[[FakeStore, Any], Any]] = {
    Accept: FakeStore._accept,
    Claim: FakeStore._claim,
    RecordOutcomes: FakeStore._record_outcomes,
    Withdraw: FakeStore._withdraw,
    Doubt: FakeStore._doubt,
    RecordReceipts: FakeStore._record_receipts,
    RecordInbound: FakeStore._record_inbound,
    Recover: FakeStore._recover,
    Sweep: FakeStore._sweep,
}


def _claimed(row: Row) -> ClaimedSegment:
    message = row.message
    return ClaimedSegment(
        segment_id=row.segment_id,
        lane=message.lane,
        source=message.source,
        destination=message.destination,
        octets=message.segments[row.part - 1],
        data_coding=message.data_coding,
        esm_class=message.esm_class,
        registered_delivery=message.registered_delivery,
        accepted_utc_ms=row.accepted_utc_ms,
        expires_utc_ms=row.expires_utc_ms,
        attempts=row.attempts,
    )


def _apply(row: Row, receipt: ReceiptRecord, reason: Reason) -> None:
    move = RECEIPT_MOVES.get(receipt.state) if receipt.state is not None else None
    if move is not None:
        row.move(move, reason)


def _segment_view(row: Row) -> SegmentView:
    return SegmentView(
        part=part_of(row.segment_id),
        state=row.state,
        reason=row.reason,
        octets=row.message.segments[row.part - 1],
        smsc_id=row.smsc_id,
        bind=row.bind,
        attempts=row.attempts,
        command_status=row.command_status,
        submitted_utc_ms=row.submitted_utc_ms,
        answered_utc_ms=None,
        final_utc_ms=None,
        due_utc_ms=row.due_utc_ms,
    )


def _wanted(view: MessageView, query: MessageQuery) -> bool:
    return (
        (query.account is None or view.account == query.account)
        and (query.recipient is None or view.destination.addr == query.recipient)
        and (query.verdict is None or view.verdict is query.verdict)
        and not (query.open_only and view.verdict is not None)
        and (query.client_ref is None or view.client_ref == query.client_ref)
        and (query.since_utc_ms is None or view.accepted_utc_ms >= query.since_utc_ms)
        and (query.until_utc_ms is None or view.accepted_utc_ms < query.until_utc_ms)
        and (query.before is None or view.message_id < query.before)
    )


__all__ = ["RECIPIENT", "SENDER", "FakeStore", "FakeWork", "Row"]
