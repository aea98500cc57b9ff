"""What a bind still has to tell the store.

Outlives the sessions of its bind, so that an answer of the SMSC is kept, and told again, when the store fails and
when the link is gone. Knows nothing of streams and sessions: responses that become due with a commit are handed back.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import trio

from smppgw.binds import events
from smppgw.binds.backoff import RefusalPlan, pause
from smppgw.binds.status import Observer
from smppgw.binds.submit import ClaimKey
from smppgw.clock import Clock
from smppgw.config import CarrierSettings, OnDoubt
from smppgw.errors import StoreError, StoreUnavailable
from smppgw.queue.model import (
    Claim,
    Claimed,
    Doubt,
    InboundText,
    Op,
    Reason,
    ReceiptRecord,
    RecordInbound,
    RecordOutcomes,
    RecordReceipts,
    RetryPlan,
    Store,
    SubmitOutcome,
    Withdraw,
)
from smppgw.smpp import DataSmResp, DeliverSmResp, Status
from smppgw.telemetry import log

#: Response to a delivery; None once the session it belongs to is gone.
Answer = DeliverSmResp | DataSmResp | None

_STORE_PAUSE = RefusalPlan(first_s=0.2, factor=2.0, max_s=5.0)

#: An SMSC waits a few seconds for a deliver_sm_resp before it drops the session: a store that fails for longer makes
#: us answer ESME_RX_T_APPN, on which the SMSC keeps the receipt and brings it again.
PATIENCE_S = 2.0


class Doubtful(NamedTuple):
    """A submit_sm that was written, and of which nobody can tell whether the SMSC has it."""

    segment_id: int
    claim: int
    reason: Reason
    #: It was answered, but the answer cannot be recorded: not to be sent again, whatever on_doubt says.
    answered: bool = False


@dataclass(slots=True)
class Batch:
    """What is waiting to be recorded. `receipts` and `inbound` carry the response due after the commit."""

    outcomes: list[SubmitOutcome] = field(default_factory=list)
    receipts: list[tuple[ReceiptRecord, Answer]] = field(default_factory=list)
    inbound: list[tuple[InboundText, Answer]] = field(default_factory=list)
    doubts: list[Doubtful] = field(default_factory=list)
    withdrawals: list[ClaimKey] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.outcomes) + len(self.receipts) + len(self.inbound) + len(self.doubts) + len(self.withdrawals)

    @property
    def deliveries(self) -> int:
        return len(self.receipts) + len(self.inbound)

    def put_back(self, older: Batch) -> None:
        """Takes in again what could not be recorded, before what came since."""
        self.outcomes[:0] = older.outcomes
        self.receipts[:0] = older.receipts
        self.inbound[:0] = older.inbound
        self.doubts[:0] = older.doubts
        self.withdrawals[:0] = older.withdrawals

    def halves(self) -> list[Batch]:
        """Two smaller batches, or one for each kind where there are several; [] of a single item."""
        kinds = [
            Batch(outcomes=self.outcomes),
            Batch(receipts=self.receipts),
            Batch(inbound=self.inbound),
            Batch(doubts=self.doubts),
            Batch(withdrawals=self.withdrawals),
        ]
        present = [kind for kind in kinds if len(kind)]
        if len(present) != 1 or len(self) < 2:
            return present if len(present) > 1 else []
        return [self._slice(0, len(self) // 2), self._slice(len(self) // 2, len(self))]

    def _slice(self, start: int, stop: int) -> Batch:
        return Batch(
            self.outcomes[start:stop],
            self.receipts[start:stop],
            self.inbound[start:stop],
            self.doubts[start:stop],
            self.withdrawals[start:stop],
        )


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
    ) -> None:
        self._store = store
        self._clock = clock
        self._observer = observer
        self._carrier = carrier
        self._bind = bind
        self._settings = settings
        self._jitter = jitter
        self._retry = RetryPlan(
            settings.retry.first_s, settings.retry.factor, settings.retry.max_s, settings.retry.max_attempts
        )
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

    def forget_session(self) -> None:
        """The session is gone: what it delivered is still recorded, but there is nobody left to answer."""
        waiting = self.waiting
        waiting.receipts = [(record, None) for record, _ in waiting.receipts]
        waiting.inbound = [(text, None) for text, _ in waiting.inbound]

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
                answers += [answer for _, answer in (*piece.receipts, *piece.inbound) if answer is not None]
            claim = None
        return claimed

    async def _commit_piece(self, batch: Batch, claim: Claim | None) -> bool:
        ops = self._operations(batch)
        if claim is not None:
            ops.append(claim)
        if not ops:
            return False
        started_mono = self._clock.mono()
        await self._store.commit(*ops)
        self._store_answers()
        self._tell(ops)
        self._observer.committed(self._carrier, self._bind, self._clock.mono() - started_mono, len(batch))
        return True

    def _tell(self, ops: Sequence[Op[Any]]) -> None:
        """What the store did not find a place for is counted, never passed over."""
        outcomes = [op.result.stale for op in ops if isinstance(op, RecordOutcomes)]
        receipts = [op.result.parked for op in ops if isinstance(op, RecordReceipts)]
        if outcomes or receipts:
            self._observer.recorded(self._carrier, self._bind, stale=sum(outcomes), parked=sum(receipts))
        if any(outcomes):
            log(events.LOGGER, logging.DEBUG, events.BIND_OUTCOMES_STALE, bind=self._bind, outcomes=sum(outcomes))

    def _operations(self, batch: Batch) -> list[Op[Any]]:
        """Outcomes before doubts: a response that came in the same breath as its deadline decides."""
        settings, now_utc_ms = self._settings, self._clock.utc_ms()
        ops: list[Op[Any]] = []
        if batch.outcomes:
            timeout_ms = round(settings.receipt_timeout_s * 1000)
            ops.append(RecordOutcomes(self._carrier, self._bind, batch.outcomes, now_utc_ms, self._retry, timeout_ms))
        if batch.receipts:
            receipts = [record for record, _ in batch.receipts]
            ops.append(RecordReceipts(self._carrier, self._bind, receipts, now_utc_ms))
        if batch.inbound:
            ops.append(RecordInbound(self._carrier, self._bind, [text for text, _ in batch.inbound], now_utc_ms))
        for reason, answered in dict.fromkeys((one.reason, one.answered) for one in batch.doubts):
            claims = [one[:2] for one in batch.doubts if (one.reason, one.answered) == (reason, answered)]
            ops.append(self._doubt(claims, reason, answered, now_utc_ms))
        if batch.withdrawals:
            ops.append(Withdraw(self._carrier, self._bind, batch.withdrawals, now_utc_ms))
        return ops

    def _doubt(self, claims: list[ClaimKey], reason: Reason, answered: bool, now_utc_ms: int) -> Doubt:
        timeout_ms = round(self._settings.doubt_timeout_s * 1000)
        resend = self._retry if self._settings.on_doubt is OnDoubt.RESEND and not answered else None
        return Doubt(self._carrier, self._bind, claims, reason, now_utc_ms, timeout_ms, resend)

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
        SMSC keeps it. A withdrawal or a doubt can only be logged: its segment stays IN_FLIGHT until its validity is
        past, when the sweeper puts it in doubt, or until the next start.
        """
        log(
            events.LOGGER,
            logging.ERROR,
            events.BIND_UNRECORDABLE,
            bind=self._bind,
            error=str(error),
            item=_name(batch),
        )
        self.waiting.doubts += [
            Doubtful(one.segment_id, one.claim, Reason.RESPONSE_OVERDUE, answered=True) for one in batch.outcomes
        ]
        for _, answer in (*batch.receipts, *batch.inbound):
            if answer is not None:
                answers.append(_refused(answer))


def _refused(answer: DeliverSmResp | DataSmResp) -> DeliverSmResp | DataSmResp:
    answer.command_status = Status.ESME_RX_T_APPN
    return answer


def _name(batch: Batch) -> str:
    """What an item is, without its contents."""
    if batch.outcomes:
        return f"outcome of segment {batch.outcomes[0].segment_id}"
    if batch.doubts:
        return f"doubt about segment {batch.doubts[0].segment_id}"
    if batch.withdrawals:
        return f"withdrawal of segment {batch.withdrawals[0][0]}"
    return "receipt" if batch.receipts else "inbound text"
