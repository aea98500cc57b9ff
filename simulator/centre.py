"""The message centre: takes messages, decides what becomes of them, and hands reports to the outboxes.

Owns message ids, throttling, fates, the messages that query_sm, cancel_sm and replace_sm can find, and one outbox
for each system_id. Each request comes in as a PDU and goes out as its response; refuses to know sockets and sessions.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable

from simulator.agenda import Agenda
from simulator.answering import screen_of
from simulator.dialect import Dialect, has_dialect, lookalikes
from simulator.fates import STAT, STATES_BY_NAME, Fates, MessageState, wants_intermediate, wants_receipt
from simulator.ids import Numbers, former
from simulator.ledger import Ledger, Seen, Submit
from simulator.messages import Delivery, Kind, Message, Party, straight
from simulator.outbox import Outbox
from simulator.picky import outbox_class
from simulator.reading import Reader, content_of
from simulator.settings import SimulatorSettings
from simulator.stats import Stats
from simulator.throttle import TokenBucket
from smppgw.clock import Clock
from smppgw.smpp import (
    DataSm,
    DataSmResp,
    DistributionList,
    Status,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Tag,
    UnsuccessSme,
    parse_time,
)

#: Past so many system_ids the idle ones are forgotten, so that a flood of invented ones costs no memory.
_MAX_SYSTEM_IDS = 10_000
#: deliver_sm takes no longer addresses (SMPP 3.4, 4.6.1), though data_sm does (4.7.1): no receipt could go back.
_MAX_ADDRESS = 20


class MessageCentre:
    """Everything that outlives a connection."""

    def __init__(
        self, settings: SimulatorSettings, *, clock: Clock, agenda: Agenda, stats: Stats, ledger: Ledger
    ) -> None:
        self.receipts_held = False
        self.rate = settings.rate
        self.burst = settings.burst
        self.waiting = 0  # messages with a receipt that is planned or not acknowledged
        self._settings = settings
        self._clock = clock
        self._agenda = agenda
        self._stats = stats
        self._ledger = ledger
        self.chance: Callable[[], float] = random.Random(settings.seed).random
        self._fates = Fates(settings.outcomes)
        self._messages: OrderedDict[str, Message] = OrderedDict()
        self._seen = Seen(settings.remembered_texts)
        self._outboxes: dict[str, Outbox] = {}
        self._dirty: dict[str, Outbox] = {}
        self._buckets: dict[str, TokenBucket] = {}
        quirks = settings.quirks
        self._numbers = Numbers(quirks.ids, settings.message_id_start)
        self._form_id = former(quirks.ids.response)
        self._receipts = quirks.receipts
        self._straight_sequence = quirks.receipts.sequence == ("final",)
        self._extra_reports = bool(quirks.receipts.foreign or quirks.inbound.lookalikes)
        self._receipt_id = former(quirks.ids.receipt)
        self._foreign_ids = [former(template) for template in quirks.receipts.foreign]
        self._build = Dialect(quirks) if has_dialect(quirks) else straight
        self._outbox_class = outbox_class(quirks.receipts)
        self._reader = Reader(quirks.texts)
        self._screen = screen_of(quirks.responses, self.chance, self._reader)
        drop_above = quirks.responses.drop_above_per_s
        self._noticed = TokenBucket(drop_above, max(1.0, drop_above), clock.mono()) if drop_above else None
        self._plans_oddly = bool(drop_above or quirks.receipts.unrequested or self._extra_reports)
        self._link_number = 0  # of the connection whose batch is being taken

    # ------------------------------------------------------------------------------------------------------------ #
    # Outboxes
    # ------------------------------------------------------------------------------------------------------------ #

    def outbox(self, system_id: str) -> Outbox:
        """The outbox of `system_id`, made when there is none yet."""
        outbox = self._outboxes.get(system_id)
        if outbox is None:
            if len(self._outboxes) >= _MAX_SYSTEM_IDS:
                self._forget_idle()
            outbox = self._outbox_class(
                system_id,
                agenda=self._agenda,
                clock=self._clock,
                settings=self._settings,
                stats=self._stats,
                on_acked=self._acked,
                build=self._build,
            )
            outbox.hold(self.receipts_held)
            self._outboxes[system_id] = outbox
        return outbox

    def deliver(self, delivery: Delivery) -> None:
        """Puts a delivery into its outbox; `settle` sends it."""
        outbox = self.outbox(delivery.system_id)
        outbox.add(delivery)
        self._dirty[outbox.system_id] = outbox

    def settle(self) -> None:
        """The end of a batch: sends what was made in it and writes the ledger."""
        if self._dirty:
            dirty, self._dirty = self._dirty, {}
            for outbox in dirty.values():
                outbox.pump()
        self._ledger.flush()

    def hold_receipts(self, held: bool) -> None:
        self.receipts_held = held
        for outbox in self._outboxes.values():
            outbox.hold(held)

    def receiving(self) -> list[str]:
        """The system_ids that have a receiving bind, in order of their first bind."""
        return [system_id for system_id, outbox in self._outboxes.items() if outbox.receivers]

    def set_rate(self, rate: float | None, burst: float | None) -> None:
        """The same as the settings `rate` and `burst`, from now on; every bucket starts full."""
        self.rate, self.burst = rate, burst
        self._buckets.clear()

    def _forget_idle(self) -> None:
        for system_id in [system_id for system_id, outbox in self._outboxes.items() if outbox.idle]:
            del self._outboxes[system_id]
            self._buckets.pop(system_id, None)

    def _acked(self, delivery: Delivery) -> None:
        if delivery.kind is Kind.RECEIPT:
            self.waiting -= 1
        state = STAT[delivery.state] if delivery.kind is not Kind.INBOUND else ""
        kind = f"{delivery.kind}_acked"
        self._ledger.acked(kind, self._clock.utc_ms(), delivery.system_id, delivery.message_id, state)

    # ------------------------------------------------------------------------------------------------------------ #
    # Submits
    # ------------------------------------------------------------------------------------------------------------ #

    def start_batch(self, system_id: str, now_mono: float, link_number: int = 0) -> None:
        """Called before the submits of one read: counts the tokens that have come."""
        self._link_number = link_number
        if self._noticed is not None:
            self._noticed.refill(now_mono)
        if self.rate is None:
            return
        bucket = self._buckets.get(system_id)
        if bucket is None:
            burst = self.burst if self.burst is not None else max(1.0, self.rate)
            self._buckets[system_id] = bucket = TokenBucket(self.rate, burst, now_mono)
        bucket.refill(now_mono)

    def submit_sm(self, system_id: str, pdu: SubmitSm, utc_ms: int) -> SubmitSmResp:
        """submit_sm (SMPP 3.4, 4.4)."""
        destination = Party(pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr)
        status = self.status(system_id, destination.addr)
        if self._screen is not None and status == 0:
            status = self._screen(pdu)
        if pdu.schedule_delivery_time and status == 0 and _kept_s(pdu, utc_ms) is None:
            status = Status.ESME_RINVSCHED
        message_id = self.take(system_id, pdu, destination, utc_ms) if status == 0 else ""
        self.enter(system_id, pdu, destination.addr, message_id, status, utc_ms)
        return SubmitSmResp(sequence_number=pdu.sequence_number, command_status=status, message_id=message_id)

    def data_sm(self, system_id: str, pdu: DataSm, utc_ms: int) -> DataSmResp:
        """data_sm (SMPP 3.4, 4.7): a submit in other clothes."""
        destination = Party(pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr)
        if len(destination.addr) > _MAX_ADDRESS:
            status = int(Status.ESME_RINVDSTADR)
        elif len(pdu.source_addr) > _MAX_ADDRESS:
            status = int(Status.ESME_RINVSRCADR)
        else:
            status = self.status(system_id, destination.addr)
        if self._screen is not None and status == 0:
            status = self._screen(pdu)
        message_id = self.take(system_id, pdu, destination, utc_ms) if status == 0 else ""
        self.enter(system_id, pdu, destination.addr, message_id, status, utc_ms)
        return DataSmResp(sequence_number=pdu.sequence_number, command_status=status, message_id=message_id)

    def submit_multi(self, system_id: str, pdu: SubmitMulti, utc_ms: int) -> SubmitMultiResp:
        """submit_multi (SMPP 3.4, 4.5): one message_id, a message and a receipt for each destination.

        Distribution lists are not known here (ESME_RINVDLNAME).
        """
        if not pdu.dest_addresses:
            self.enter(system_id, pdu, "", "", Status.ESME_RINVNUMDESTS, utc_ms)
            return SubmitMultiResp(sequence_number=pdu.sequence_number, command_status=Status.ESME_RINVNUMDESTS)
        if _kept_s(pdu, utc_ms) is None:
            self.enter(system_id, pdu, "", "", Status.ESME_RINVSCHED, utc_ms)
            return SubmitMultiResp(sequence_number=pdu.sequence_number, command_status=Status.ESME_RINVSCHED)
        number = self._numbers.take(utc_ms)
        message_id = self._form_id(number)
        failed: list[UnsuccessSme] = []
        for entry in pdu.dest_addresses:
            if isinstance(entry, DistributionList):
                destination, status = Party(0, 0, entry.dl_name), int(Status.ESME_RINVDLNAME)
            else:
                destination = Party(*entry)
                status = self.status(system_id, destination.addr)
            if status == 0:
                self.take(system_id, pdu, destination, utc_ms, number)
            else:
                failed.append(UnsuccessSme(*destination, status))
            self.enter(system_id, pdu, destination.addr, "" if status else message_id, status, utc_ms)
        return SubmitMultiResp(
            sequence_number=pdu.sequence_number,
            command_status=failed[0].error_status_code if len(failed) == len(pdu.dest_addresses) else 0,
            message_id=message_id if len(failed) < len(pdu.dest_addresses) else "",
            unsuccess_smes=tuple(failed),
        )

    def status(self, system_id: str, destination: str) -> int:
        """The command_status that a submit to `destination` gets."""
        if self.rate is not None and not self._buckets[system_id].take():
            return Status.ESME_RTHROTTLED
        if not destination:
            return Status.ESME_RINVDSTADR
        refusals = self._settings.refusals
        if refusals and destination in refusals:
            return refusals[destination]
        if self.waiting >= self._settings.max_waiting:
            return Status.ESME_RMSGQFUL
        return 0

    def take(
        self,
        system_id: str,
        pdu: SubmitSm | DataSm | SubmitMulti,
        destination: Party,
        utc_ms: int,
        number: int | None = None,
    ) -> str:
        """Takes the message and plans its fate; returns its message_id, which `number` is made into."""
        if number is None:
            number = self._numbers.take(utc_ms)
        message_id = self._form_id(number)
        octets = content_of(pdu)
        if self._seen.add((destination.addr, octets)):
            self._stats.distinct += 1
        else:
            self._stats.duplicates += 1
        settings = self._settings
        delay_s = settings.receipt_delay.draw(self.chance()) + (_kept_s(pdu, utc_ms) or 0.0)
        message = Message(
            message_id,
            system_id,
            Party(pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr),
            destination,
            octets=octets,
            data_coding=pdu.data_coding,
            esm_class=pdu.esm_class,
            registered_delivery=pdu.registered_delivery,
            submit_utc_ms=utc_ms,
            final_utc_ms=utc_ms + round(delay_s * 1000),
            state=settings.fates.get(destination.addr) or self._fates.draw(self.chance()),
            number=number,
            reference=pdu.tlvs.get(Tag.USER_MESSAGE_REFERENCE),
            link=self._link_number,
        )
        messages = self._messages
        messages[message_id] = message
        if len(messages) > settings.remembered_messages:
            messages.popitem(last=False)
        if self._plans_oddly:
            self._plan_oddly(message, delay_s)
        elif message.registered_delivery:
            self._plan_reports(message, delay_s)
        return message_id

    def _plan_oddly(self, message: Message, delay_s: float) -> None:
        if self._noticed is not None and not self._noticed.take():
            return  # accepted, and forgotten
        if self._receipts.unrequested:
            message.registered_delivery |= 1
        if message.registered_delivery:
            self._plan_reports(message, delay_s)
        if self._extra_reports:
            self._agenda.at(self._clock.mono() + delay_s, self._report_besides, message)

    def _plan_reports(self, message: Message, delay_s: float) -> None:
        now_mono = self._clock.mono()
        if wants_intermediate(message.registered_delivery):
            self._agenda.at(now_mono + delay_s / 2, self._report_enroute, message)
        if wants_receipt(message.registered_delivery, message.state):
            self.waiting += 1
            message.receipt_planned = message.scheduled = True
            self._agenda.at(now_mono + delay_s, self._report_final, message)

    def cancel(self, message: Message, utc_ms: int) -> None:
        """Ends an ENROUTE message as DELETED; a receipt goes out where one was asked for."""
        message.state = MessageState.DELETED
        message.final_utc_ms = utc_ms
        self._plan_receipt(message)
        self._report_final(message)
        message.settled = True

    def replan(self, message: Message, utc_ms: int) -> None:
        """After a change of registered_delivery of an ENROUTE message: plans its receipt, or forgets it."""
        self._plan_receipt(message)
        if message.receipt_planned and not message.scheduled:
            message.scheduled = True
            self._agenda.at(self._clock.mono() + (message.final_utc_ms - utc_ms) / 1000, self._report_final, message)

    def find(self, message_id: str) -> Message | None:
        """One of the newest `remembered_messages`."""
        return self._messages.get(message_id)

    def _plan_receipt(self, message: Message) -> None:
        """Counts the message as waiting exactly while a receipt is due."""
        wanted = wants_receipt(message.registered_delivery, message.state)
        self.waiting += wanted - message.receipt_planned
        message.receipt_planned = wanted

    def _report_enroute(self, message: Message) -> None:
        if not message.settled:
            self.deliver(Delivery(Kind.INTERMEDIATE, message.system_id, message=message))

    def _report_final(self, message: Message) -> None:
        if message.receipt_planned and not message.settled:
            message.settled = True
            if self._straight_sequence:
                self.deliver(Delivery(Kind.RECEIPT, message.system_id, message=message, state=message.state))
            else:
                self._report_in_sequence(message)

    def _report_in_sequence(self, message: Message) -> None:
        sequence = self._receipts.sequence
        if "final" not in sequence:
            self.waiting -= 1  # nothing will be acknowledged
        first = True
        for position, name in enumerate(sequence):
            state = message.state if name == "final" else STATES_BY_NAME[name]
            if state in (MessageState.ENROUTE, MessageState.ACCEPTED):
                kind = Kind.INTERMEDIATE
            elif name == "final" and first:
                kind, first = Kind.RECEIPT, False
            else:
                kind = Kind.REPEATED
            delivery = Delivery(kind, message.system_id, message=message, state=state)
            self._agenda.at(self._clock.mono() + position * self._receipts.gap_s, self.deliver, delivery)

    def _report_besides(self, message: Message) -> None:
        """What comes beside the receipt: those of another platform, and texts that look like one."""
        for form in self._foreign_ids:
            foreign = Delivery(Kind.FOREIGN, message.system_id, message=message, state=MessageState.UNDELIVERABLE)
            foreign.receipt_id = form(message.number)
            self.deliver(foreign)
        for pdu in lookalikes(message, self._settings.quirks.inbound, self._receipt_id(message.number)):
            self.deliver(Delivery(Kind.INBOUND, message.system_id, pdu=pdu))

    def enter(
        self,
        system_id: str,
        pdu: SubmitSm | DataSm | SubmitMulti,
        destination: str,
        message_id: str,
        status: int,
        utc_ms: int,
    ) -> None:
        """Counts a submit and enters it into the ledger."""
        stats = self._stats
        stats.submits += 1
        stats.submits_by_status[status] += 1
        stats.last_submit_utc_ms = utc_ms
        if stats.first_submit_utc_ms is None:
            stats.first_submit_utc_ms = utc_ms
        self._ledger.submit(Submit(utc_ms, system_id, message_id, status, destination, pdu, self._reader))


def _kept_s(pdu: SubmitSm | DataSm | SubmitMulti, utc_ms: int) -> float | None:
    """How long the message stays here until the time it was scheduled for; None: that is no time.

    One that has passed is now: the standard does not say (SMPP 3.4, 5.2.15).
    """
    if isinstance(pdu, DataSm) or not pdu.schedule_delivery_time:
        return 0.0
    try:
        return max(0.0, (parse_time(pdu.schedule_delivery_time, utc_ms) - utc_ms) / 1000)
    except ValueError:
        return None
