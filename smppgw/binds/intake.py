"""What the SMSC sends, turned into what there is to record, and into pauses where it asks for them.

Owns how responses, receipts, inbound texts and other requests are taken. Synchronous: it never waits for the store.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from smppgw.binds import events
from smppgw.binds.context import BindContext
from smppgw.binds.deliver import answer, read_delivery
from smppgw.binds.outcome import classify, is_known
from smppgw.binds.recorder import Doubtful
from smppgw.binds.submit import ClaimKey, claim_key
from smppgw.queue.model import ClaimedSegment, OutcomeKind, Reason, ReceiptRecord, SubmitOutcome
from smppgw.smpp import (
    AlertNotification,
    DataSm,
    DeliverSm,
    GenericNack,
    Pdu,
    ResponseReceived,
    Session,
    Status,
    SubmitSmResp,
)
from smppgw.telemetry import log


class Intake:
    """The receiving half of one session."""

    def __init__(self, context: BindContext, session: Session) -> None:
        self._context = context
        self._session = session
        #: Claims whose response is overdue. They are in doubt already, or sent again under another claim, and each
        #: still takes a slot of the window.
        self.overdue: set[ClaimKey] = set()

    def responses(self, responses: Sequence[ResponseReceived], now_mono: float) -> None:
        """The responses of one read."""
        context = self._context
        outcomes = context.recorder.waiting.outcomes
        elapsed_s = []
        accepted = 0
        for event in responses:
            segment, response = event.cookie, event.response
            assert isinstance(segment, ClaimedSegment)  # the driver sends no other windowed request
            elapsed_s.append(event.elapsed_s)
            if event.late:
                self.overdue.discard(claim_key(segment))
            if not response.command_status and type(response) is SubmitSmResp:
                outcomes.append(
                    SubmitOutcome(segment.segment_id, segment.claim, OutcomeKind.ACCEPTED, 0, response.message_id)
                )
                accepted += 1
            else:
                outcomes.append(self._refused(segment, response, now_mono))
        context.counters.accepted += accepted
        context.counters.rtts_s.append(elapsed_s[len(elapsed_s) // 2])
        context.observer.answered(context.carrier, context.name, elapsed_s)

    def _refused(self, segment: ClaimedSegment, response: Pdu, now_mono: float) -> SubmitOutcome:
        """The outcome of a submit_sm that was refused; slows the bind or its recipient where that is due."""
        context = self._context
        # generic_nack is a refusal whatever its status says (SMPP 3.4, 4.3).
        status = response.command_status or Status.ESME_RUNKNOWNERR
        kind = classify(status)
        due_utc_ms = 0
        if kind is OutcomeKind.THROTTLED:
            context.counters.throttled += 1
            self._slow_down(events.BIND_THROTTLED, now_mono)
        else:
            context.counters.refused += 1
        if kind is OutcomeKind.DELAYED:
            recipient = segment.destination.addr
            due_utc_ms, several = context.full_queues.hit(recipient, now_mono, context.clock.utc_ms())
            if several:
                self._slow_down(events.BIND_QUEUES_FULL, now_mono)
        if not is_known(status):
            context.counters.deviations["unknown_command_status"] += 1
        return SubmitOutcome(segment.segment_id, segment.claim, kind, status, "", due_utc_ms)

    def _slow_down(self, event: str, now_mono: float) -> None:
        throttle = self._context.throttle
        if not throttle.active(now_mono):
            log(events.LOGGER, logging.INFO, event, bind=self._context.name, pause_s=throttle.pause_s)
        throttle.hit(now_mono)

    def unanswered(self, segment: ClaimedSegment) -> bool:
        """No response in time: in doubt. True when that holds for a whole window: the SMSC answers nothing more."""
        key = claim_key(segment)
        self.overdue.add(key)
        self._context.recorder.waiting.doubts.append(Doubtful(*key, Reason.RESPONSE_OVERDUE))
        return not self._session.window_free and len(self.overdue) >= self._session.in_window

    def request(self, pdu: Pdu, now_mono: float) -> None:
        """A request of the SMSC."""
        deviations = self._context.counters.deviations
        if isinstance(pdu, (DeliverSm, DataSm)):
            self._delivery(pdu, now_mono)
        elif isinstance(pdu, AlertNotification):  # has no response (SMPP 3.4, 4.12)
            deviations["alert_notification"] += 1
        else:
            deviations["unsupported_request"] += 1
            self._session.respond(
                GenericNack(sequence_number=pdu.sequence_number, command_status=Status.ESME_RINVCMDID)
            )

    def _delivery(self, pdu: DeliverSm | DataSm, now_mono: float) -> None:
        recorder, counters = self._context.recorder, self._context.counters
        if recorder.deliveries >= self._context.settings.max_pending_receipts:
            self._refuse_delivery(pdu)
            return
        delivery = read_delivery(pdu)
        if not isinstance(delivery, ReceiptRecord):
            recorder.waiting.inbound.append((delivery, answer(pdu)))
            counters.inbound += 1
        elif recorder.out_of_patience(now_mono):
            self._refuse_delivery(pdu)
        else:
            recorder.waiting.receipts.append((delivery, answer(pdu)))
            counters.receipts += 1

    def _refuse_delivery(self, pdu: DeliverSm | DataSm) -> None:
        """ESME_RX_T_APPN, on which the SMSC keeps it and brings it again: receipts and inbound texts alike."""
        deviations = self._context.counters.deviations
        if not deviations["deliveries_refused"]:
            log(events.LOGGER, logging.WARNING, events.BIND_DELIVERIES_REFUSED, bind=self._context.name)
        deviations["deliveries_refused"] += 1
        self._session.respond(answer(pdu, Status.ESME_RX_T_APPN))
