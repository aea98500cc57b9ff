"""What the SMSC sends: turned into what is to be recorded, and into pauses where it asks for them.

Owns how responses, receipts, inbound texts, other requests and bad PDUs are taken. Synchronous: it never waits for
the store.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from smppgw.binds import events
from smppgw.binds.batch import Doubtful
from smppgw.binds.context import BindContext
from smppgw.binds.deliver import answer, read_delivery
from smppgw.binds.outcome import classify, is_known
from smppgw.binds.pacing import ReceiptWatch
from smppgw.binds.submit import ClaimKey, claim_key
from smppgw.queue.model import (
    RECEIPT_MOVES,
    ClaimedSegment,
    InboundText,
    OutcomeKind,
    Quarantined,
    Reason,
    ReceiptRecord,
    SubmitOutcome,
)
from smppgw.smpp import (
    AlertNotification,
    DataSm,
    DataSmResp,
    DeliverSm,
    GenericNack,
    Pdu,
    ReceiptRules,
    Rejected,
    ResponseReceived,
    Session,
    Status,
    SubmitSmResp,
    Tag,
    Unreadable,
    read_receipt,
    status_name,
)
from smppgw.telemetry import log, mask

#: So many bad PDUs wait for their commit at most; more are only counted.
MOST_QUARANTINED = 100
#: So much of each is kept; its command_length still says how long it was.
QUARANTINED_OCTETS = 4096

#: registered_delivery (SMPP 3.4, 5.2.17): receipts for successes and failures alike.
_RECEIPT_MASK, _RECEIPT_ALWAYS = 0x03, 0x01

_SNIFFING = ReceiptRules(sniff=True)

_ACCEPTING = (SubmitSmResp, DataSmResp)


class Intake:
    """The receiving half of one session."""

    def __init__(self, context: BindContext, session: Session) -> None:
        self._context = context
        self._session = session
        #: Claims whose response is overdue. They are in doubt already, or sent again under another claim, and each
        #: still takes a slot of the window.
        self.overdue: set[ClaimKey] = set()

    # Responses --------------------------------------------------------------------------------------------------

    def responses(self, responses: Sequence[ResponseReceived], now_mono: float) -> None:
        """The responses of one read to submit_sm or data_sm.

        A response ESME_ROK whose body could not be read comes with an empty message_id: accepted all the same.
        """
        context = self._context
        outcomes = context.recorder.waiting.outcomes
        elapsed_s = []
        accepted = 0
        for event in responses:
            segment, response = event.cookie, event.response
            assert isinstance(segment, ClaimedSegment)  # the driver gives those with other cookies to their owners
            elapsed_s.append(event.elapsed_s)
            if event.late:
                self.overdue.discard(claim_key(segment))
            if not response.command_status and isinstance(response, _ACCEPTING):
                outcomes.append(
                    SubmitOutcome(segment.segment_id, segment.claim, OutcomeKind.ACCEPTED, 0, response.message_id)
                )
                accepted += 1
            else:
                outcomes.append(self._refused(segment, response, now_mono))
        if context.probing:
            context.probing = False
            context.probes.answered(context.name)
        context.clear_alarm(events.ALARM_NO_ANSWERS)
        context.counters.accepted += accepted
        context.counters.rtts_s.append(elapsed_s[len(elapsed_s) // 2])
        context.observer.answered(context.carrier, context.name, elapsed_s)
        if accepted and now_mono >= context.paused_until_mono:
            context.clear_alarm(events.ALARM_PAUSED)
        if context.receipt_watch is not None:
            _watch_accepted(context.receipt_watch, responses, now_mono)

    def _refused(self, segment: ClaimedSegment, response: Pdu, now_mono: float) -> SubmitOutcome:
        """The outcome of a submit_sm that was refused; slows the bind or its recipient where that is due."""
        context = self._context
        # generic_nack is a refusal whatever its status says (SMPP 3.4, 4.3).
        status = response.command_status or Status.ESME_RUNKNOWNERR
        kind = classify(status, context.rules)
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
        elif kind is OutcomeKind.PAUSED:
            context.paused_until_mono = now_mono + context.settings.pause_s
            context.last_error = f"{status_name(status)}: paused for {context.settings.pause_s:g} s"
            context.raise_alarm(
                events.ALARM_PAUSED, command_status=status_name(status), pause_s=context.settings.pause_s
            )
        if not is_known(status, context.rules):
            context.counters.deviations["unknown_command_status"] += 1
        return SubmitOutcome(segment.segment_id, segment.claim, kind, status, "", due_utc_ms)

    def _slow_down(self, event: str, now_mono: float) -> None:
        throttle = self._context.throttle
        if not throttle.active(now_mono):
            log(events.LOGGER, logging.INFO, event, bind=self._context.name, pause_s=throttle.pause_s)
        throttle.hit(now_mono)

    def unanswered(self, segment: ClaimedSegment) -> bool:
        """No response in time: in doubt. True when the SMSC answers nothing more: see `silent`."""
        key = claim_key(segment)
        self.overdue.add(key)
        self._context.recorder.waiting.doubts.append(Doubtful(*key, Reason.RESPONSE_OVERDUE))
        return self.silent()

    def silent(self) -> bool:
        """Every slot of the window is taken by a request whose response is overdue; while probing one is enough."""
        if self._session.window_free and not self._context.probing:
            return False
        return len(self.overdue) >= self._session.in_window

    # Requests ---------------------------------------------------------------------------------------------------

    def request(self, pdu: Pdu, now_mono: float) -> None:
        """A request of the SMSC."""
        if isinstance(pdu, (DeliverSm, DataSm)):
            self._delivery(pdu, now_mono)
        elif isinstance(pdu, AlertNotification):
            self._alert(pdu)
        else:
            self._context.counters.deviations["unsupported_request"] += 1
            self._session.respond(
                GenericNack(sequence_number=pdu.sequence_number, command_status=Status.ESME_RINVCMDID)
            )

    def _alert(self, pdu: AlertNotification) -> None:
        """A phone can be reached again (SMPP 3.4, 4.12). It has no response, and the SMSC sends what it holds."""
        self._context.counters.deviations["alert_notification"] += 1
        availability = pdu.tlvs.get(Tag.MS_AVAILABILITY_STATUS, b"")
        log(
            events.LOGGER,
            logging.INFO,
            events.BIND_ALERT_NOTIFICATION,
            bind=self._context.name,
            recipient=mask(pdu.source_addr),
            ms_availability_status=availability.hex(),
        )

    def _delivery(self, pdu: DeliverSm | DataSm, now_mono: float) -> None:
        context = self._context
        recorder, counters = context.recorder, context.counters
        if recorder.deliveries >= context.settings.max_pending_receipts:
            self._refuse_delivery(pdu)
            return
        delivery = read_delivery(pdu, context.rules, context.clock.utc_ms())
        if not isinstance(delivery, ReceiptRecord):
            recorder.add_inbound(delivery, answer(pdu), now_mono)
            counters.inbound += 1
            if not context.settings.receipts.sniff and _looks_like_a_receipt(pdu, delivery):
                self._text_like_a_receipt()
        elif recorder.out_of_patience(now_mono):
            self._refuse_delivery(pdu)
        else:
            recorder.waiting.receipts.append((delivery, answer(pdu)))
            if delivery.sniffed is not None:  # a receipt or a text: the store will say, and the recorder counts it
                return
            counters.receipts += 1
            if delivery.flags:
                counters.deviations.update(f"receipt_{flag}" for flag in delivery.flags.split(","))
            if context.receipt_watch is not None and delivery.state in RECEIPT_MOVES:
                context.receipt_watch.received(1, now_mono)

    def _text_like_a_receipt(self) -> None:
        """It is a text all the same: only people can say whether the SMSC forgets the bits of its receipts."""
        context = self._context
        if context.carrier_alarms.first_time(events.BIND_TEXT_LIKE_RECEIPT):
            log(
                events.LOGGER,
                logging.WARNING,
                events.BIND_TEXT_LIKE_RECEIPT,
                carrier=context.carrier,
                bind=context.name,
                look_at='receipts.sniff, profile = "no-esm-class"',
            )
        context.counters.deviations["text_looks_like_a_receipt"] += 1

    def _refuse_delivery(self, pdu: DeliverSm | DataSm) -> None:
        """ESME_RX_T_APPN, on which the SMSC keeps it and brings it again: receipts and inbound texts alike."""
        deviations = self._context.counters.deviations
        if not deviations["deliveries_refused"]:
            log(events.LOGGER, logging.WARNING, events.BIND_DELIVERIES_REFUSED, bind=self._context.name)
        deviations["deliveries_refused"] += 1
        self._session.respond(answer(pdu, Status.ESME_RX_T_APPN))

    # Bad PDUs ---------------------------------------------------------------------------------------------------

    def _log_bad_pdu(self, event: Rejected | Unreadable, now_mono: float) -> None:
        left_out = self._context.bad_pdus.due(type(event).__name__, now_mono)
        if left_out is not None:
            log(
                events.LOGGER,
                logging.WARNING,
                events.BIND_BAD_PDU,
                bind=self._context.name,
                command=f"0x{event.command_id:08X}",
                field=event.field,
                error=event.error,
                left_out=left_out,
            )

    def bad_pdu(self, event: Rejected | Unreadable, now_mono: float, *, stranger: bool = False) -> None:
        """A PDU that could not be read, or that the state did not allow: kept for people to look at.

        What is more than a person would read is only counted, and so is all that comes from a `stranger`: who has
        connected to us and is not bound writes nothing to our disk.
        """
        counters, quarantined = self._context.counters, self._context.recorder.waiting.quarantined
        if isinstance(event, Rejected):
            counters.deviations["refused_request"] += 1
        self._log_bad_pdu(event, now_mono)
        if stranger:
            counters.deviations["bad_pdu_of_stranger"] += 1
            return
        if len(quarantined) >= MOST_QUARANTINED or not self._context.quarantine_room.take(now_mono):
            counters.deviations["quarantine_full"] += 1
            return
        quarantined.append(
            Quarantined(
                command_id=event.command_id,
                sequence_number=event.sequence_number,
                command_status=event.command_status,
                field=event.field,
                error=event.error,
                frame=event.frame[:QUARANTINED_OCTETS],
            )
        )


def _looks_like_a_receipt(pdu: DeliverSm | DataSm, text: InboundText) -> bool:
    """Whether a text that is none by its bits and TLVs reads like one, as with receipts.sniff."""
    return "stat" in text.text.lower() and read_receipt(pdu, _SNIFFING, None) is not None


def _watch_accepted(watch: ReceiptWatch, responses: Sequence[ResponseReceived], now_mono: float) -> None:
    """Counts those for which a receipt has to come."""
    count = 0
    for event in responses:
        segment, response = event.cookie, event.response
        if (
            isinstance(segment, ClaimedSegment)
            and segment.registered_delivery & _RECEIPT_MASK == _RECEIPT_ALWAYS
            and isinstance(response, _ACCEPTING)
            and not response.command_status
            and response.message_id
        ):
            count += 1
    if count:
        watch.accepted(count, now_mono)
