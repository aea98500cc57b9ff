"""What a bind still has to tell the store.

Outlives the sessions of its bind, so that an answer of the SMSC is kept, and told again, when the store fails and
when the link is gone. Knows nothing of streams and sessions: responses that become due with a commit are handed back.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import trio

from smppgw.binds import events
from smppgw.binds.backoff import RefusalPlan, pause
from smppgw.binds.batch import Answer, Batch, Inbound, teller
from smppgw.binds.pacing import ReceiptWatch
from smppgw.binds.redelivery import Sessions, Settling
from smppgw.binds.status import Counters, Observer
from smppgw.binds.unmatched import SampleIds
from smppgw.clock import Clock
from smppgw.config import CarrierSettings
from smppgw.errors import StoreError, StoreUnavailable
from smppgw.queue.model import (
    RECEIPT_MOVES,
    Claim,
    Claimed,
    Errand,
    InboundText,
    Op,
    Quarantine,
    RecordInbound,
    RecordOutcomes,
    RecordReceipts,
    Store,
    TakeErrands,
)
from smppgw.smpp import DataSmResp, DeliverSmResp, Status
from smppgw.telemetry import Recorded, log

_STORE_PAUSE = RefusalPlan(first_s=0.2, factor=2.0, max_s=5.0)

#: An SMSC waits a few seconds for a deliver_sm_resp before it drops the session: a store that fails for longer makes
#: us answer ESME_RX_T_APPN, on which the SMSC keeps the receipt and brings it again.
PATIENCE_S = 2.0


class Recorder:
    """Collects, and commits in one transaction all that was collected since the last one."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        observer: Observer,
        carrier: str,
        bind: str,
        settings: CarrierSettings,
        jitter: Callable[[], float],
        sessions: Sessions,
        counters: Counters,
        receipt_watch: ReceiptWatch | None = None,
        sample_ids: SampleIds | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._observer = observer
        self._carrier = carrier
        self._bind = bind
        self._jitter = jitter
        self._sessions = sessions
        self._counters = counters
        self._receipt_watch = receipt_watch
        self._sample_ids = sample_ids or SampleIds()
        self._sniffs = settings.receipts.sniff
        self._session = 0
        self._settling = Settling(settings.redelivery_late_s)
        self._answered: list[tuple[int, float]] = []  # inbound id, came_mono: stored, their answers handed out
        self._who = teller(carrier, bind, settings, lambda: sessions.alive)
        self._failures = 0
        self._failing_since_mono = math.inf
        self._in_hand = Batch()  # what is in the transaction that is under way
        self.waiting = Batch()
        #: The store failed: no use in trying again before this time.
        self.retry_at_mono = -math.inf

    @property
    def failing(self) -> bool:
        return self._failures > 0

    @property
    def deliveries(self) -> int:
        """deliver_sm and data_sm whose commit is still to come."""
        return self.waiting.deliveries + self._in_hand.deliveries

    @property
    def unrecorded(self) -> int:
        """Everything whose commit is still to come."""
        return len(self.waiting) + len(self._in_hand)

    def out_of_patience(self, now_mono: float) -> bool:
        """True once the store has failed for so long that receipts are better left with the SMSC."""
        return now_mono - self._failing_since_mono > PATIENCE_S

    # Inbound texts ----------------------------------------------------------------------------------------------

    def begin_session(self) -> None:
        """A session begins, which inbound texts will come over."""
        self._session = self._sessions.open(self._clock.utc_ms())

    def add_inbound(self, text: InboundText, answer: Answer, now_mono: float) -> None:
        self.waiting.inbound.append(Inbound(text, answer, now_mono, self._session))

    @property
    def settle_at_mono(self) -> float:
        """When there will be answers to inbound texts of which to tell the store that they have arrived."""
        return self._settling.due_mono

    def settle(self, now_mono: float) -> None:
        """The answers that have arrived for certain by now, or came late, go with the next commit."""
        if self._settling.due_mono <= now_mono:
            self._settled(*self._settling.take(now_mono))

    def answers_leave(self, now_mono: float) -> None:
        """What the last commit handed out is on its way to the SMSC."""
        if self._answered:
            self._settling.answered(self._answered, now_mono)
            self._answered = []

    def unbinding(self) -> None:
        """Our unbind leaves behind all answers so far."""
        self._settling.unbinding()

    def end_session(self, *, orderly: bool) -> None:
        """The session is gone: what it delivered is still recorded, but there is nobody left to answer.

        `orderly`: the SMSC answered our unbind, and so has read all that we wrote before it.
        """
        self._sessions.close(self._session)
        self._settled(*self._settling.end(orderly=orderly))
        self._answered = []
        waiting = self.waiting
        waiting.receipts = [(record, None) for record, _ in waiting.receipts]
        waiting.inbound = [one._replace(answer=None) for one in waiting.inbound]

    def _settled(self, settled: list[int], late: list[int]) -> None:
        self.waiting.settled += settled
        self.waiting.late += late

    # Commits ----------------------------------------------------------------------------------------------------

    async def commit(self, claim: Claim | None = None) -> tuple[list[DeliverSmResp | DataSmResp], Claimed | None]:
        """Records all that waits and makes the claim, in one transaction that cancellation does not interrupt.

        Returns the responses due now and what was claimed (None when nothing was, or when the store refused). When
        the store fails, everything stays here and `retry_at_mono` says when to try again.
        """
        batch, self.waiting = self.waiting, Batch()
        self._in_hand = batch
        answers: list[DeliverSmResp | DataSmResp] = []
        try:
            with trio.CancelScope(shield=True):
                claimed = await self._commit(batch, claim, answers)
        finally:
            self._in_hand = Batch()
        return answers, claimed

    async def take_errands(self, limit: int) -> list[Errand] | None:
        """Takes up to `limit` errands off the store's list; None when the store cannot tell now."""
        op = TakeErrands(self._carrier, limit, self._clock.utc_ms())
        try:
            with trio.CancelScope(shield=True):  # what was taken is not to be lost on the way
                await self._store.commit(op)
        except StoreError:
            return None
        return op.result

    async def _commit(
        self, batch: Batch, claim: Claim | None, answers: list[DeliverSmResp | DataSmResp]
    ) -> Claimed | None:
        """When something in the batch cannot be recorded, finds it by halves, so that it fails alone."""
        pieces = deque([batch])
        claimed = None
        while pieces:
            piece = pieces.popleft()
            try:
                if await self._commit_piece(piece, claim) and claim is not None:
                    claimed = claim.result
            except StoreUnavailable as error:
                for later in reversed(pieces):
                    self.waiting.put_back(later)
                self._store_failed(piece, error, answers)
                return None
            except StoreError as error:
                self._store_answers()
                if halves := piece.halves():
                    pieces.extendleft(reversed(halves))
                elif len(piece):
                    self._set_aside(piece, error, answers)
                else:  # the claim alone
                    self._store_failed(piece, error, answers)
            else:
                answers += piece.answers()
            claim = None
        return claimed

    async def _commit_piece(self, batch: Batch, claim: Claim | None) -> bool:
        ops = batch.operations(self._who, self._clock.utc_ms())
        if claim is not None:
            ops.append(claim)
        if not ops:
            return False
        started_mono = self._clock.mono()
        await self._store.commit(*ops)
        self._store_answers()
        self._tell(ops)
        if batch.inbound:
            self._note_answered(batch.inbound, ops)
        self._observer.committed(self._carrier, self._bind, self._clock.mono() - started_mono, len(batch))
        return True

    def _tell(self, ops: Sequence[Op[Any]]) -> None:
        """What the store did not find a place for is counted, never passed over."""
        what, told = Recorded(), False
        for op in ops:
            if isinstance(op, RecordOutcomes):
                what.stale += op.result.stale
                what.rerouted += op.result.rerouted
                self._sample_ids.response = op.outcomes[-1].smsc_id or self._sample_ids.response
            elif isinstance(op, RecordReceipts):
                what.parked += op.result.parked
                if op.result.parked and not op.result.matched:
                    self._sample_ids.receipt = op.receipts[0].smsc_id
                what.flags.update(op.result.flags)
                if self._sniffs:
                    self._count_sniffed(op)
            elif isinstance(op, RecordInbound):
                what.redelivered += op.result.redelivered
            elif isinstance(op, Quarantine):
                what.quarantined += len(op.pdus)
            else:
                continue
            told = True
        if told:
            self._observer.recorded(self._carrier, self._bind, what)
        if what.stale:
            log(events.LOGGER, logging.DEBUG, events.BIND_OUTCOMES_STALE, bind=self._bind, outcomes=what.stale)

    def _count_sniffed(self, op: RecordReceipts) -> None:
        """What only looked like a receipt counts once the store has said what it is.

        It says of how many, not of which: where some were texts, those are taken to be the final ones.
        """
        sniffed = [one for one in op.receipts if one.sniffed is not None]
        texts = op.result.inbound
        self._counters.receipts += len(sniffed) - texts
        self._counters.inbound += texts
        final = sum(one.state in RECEIPT_MOVES for one in sniffed) - texts
        if self._receipt_watch is not None and final > 0:
            self._receipt_watch.received(final, self._clock.mono())

    def _note_answered(self, texts: Sequence[Inbound], ops: Sequence[Op[Any]]) -> None:
        """The answers to these are handed out now. A text whose session has ended gets none."""
        ids = [number for op in ops if isinstance(op, RecordInbound) for number in op.result.ids]
        self._answered += [
            (number, one.came_mono) for number, one in zip(ids, texts, strict=True) if one.answer is not None
        ]

    def _store_answers(self) -> None:
        if self._failures:
            log(events.LOGGER, logging.INFO, events.BIND_STORE_AVAILABLE, bind=self._bind)
        self._failures = 0
        self._failing_since_mono = math.inf
        self.retry_at_mono = -math.inf

    def _store_failed(self, batch: Batch, error: StoreError, answers: list[DeliverSmResp | DataSmResp]) -> None:
        now_mono = self._clock.mono()
        if not self._failures:
            self._failing_since_mono = now_mono
            log(events.LOGGER, logging.ERROR, events.BIND_STORE_UNAVAILABLE, bind=self._bind, error=str(error))
        self._failures += 1
        self.retry_at_mono = now_mono + pause(self._failures, _STORE_PAUSE, self._jitter())
        if self.out_of_patience(now_mono):
            answers += [_refused(answer) for _, answer in batch.receipts if answer is not None]
            batch.receipts = [(record, None) for record, answer in batch.receipts if answer is None]
        self.waiting.put_back(batch)

    def _set_aside(self, batch: Batch, error: StoreError, answers: list[DeliverSmResp | DataSmResp]) -> None:
        """One item alone that the store refuses for good.

        The segment of an answer is in doubt, and not sent again. A delivery is answered ESME_RX_T_APPN, on which the
        SMSC keeps it. All others can only be logged: the segment of a withdrawal or a doubt stays IN_FLIGHT until its
        validity is past, when the sweeper puts it in doubt, or until the next start.
        """
        ((kind, items),) = batch.present()
        name = kind.called(items[0])
        log(events.LOGGER, logging.ERROR, events.BIND_UNRECORDABLE, bind=self._bind, error=str(error), item=name)
        if kind.in_doubt is not None:
            self.waiting.doubts += map(kind.in_doubt, items)
        answers += map(_refused, batch.answers())


def _refused(answer: DeliverSmResp | DataSmResp) -> DeliverSmResp | DataSmResp:
    answer.command_status = Status.ESME_RX_T_APPN
    return answer
