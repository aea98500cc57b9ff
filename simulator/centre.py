"""The message centre: takes messages, decides what becomes of them, and hands reports to the outboxes.

Owns message ids, throttling, fates, the messages that query_sm, cancel_sm and replace_sm can find, and one outbox
for each system_id. Each request comes in as a PDU and goes out as its response; refuses to know sockets and sessions.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TypeVar

from simulator.accounts import Accounts, Allowance, Refused
from simulator.agenda import Agenda
from simulator.answering import screen_of
from simulator.dialect import Dialect, has_dialect, lookalikes
from simulator.fates import STAT, STATES_BY_NAME, MessageState, wants_intermediate, wants_receipt
from simulator.ids import Numbers, former
from simulator.ledger import Ledger, Seen, Submit
from simulator.magic import rules_on
from simulator.messages import Delivery, Kind, Message, Party, straight
from simulator.outbox import Outbox
from simulator.picky import PlannedBinds
from simulator.plans import Plan, planned
from simulator.quirks import Over
from simulator.reading import Reader, content_of
from simulator.rules import BatchOver, Cut, Live, Per, Rulebook, ends_batch
from simulator.settings import SimulatorSettings
from simulator.stats import UNANSWERED, Stats
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

R = TypeVar("R", SubmitSmResp, DataSmResp, SubmitMultiResp)

#: Past so many system_ids the idle ones are forgotten, so that a flood of invented ones costs no memory.
_MAX_SYSTEM_IDS = 10_000
#: deliver_sm takes no longer addresses (SMPP 3.4, 4.6.1), though data_sm does (4.7.1): no receipt could go back.
_MAX_ADDRESS = 20
#: Of a message's user data, for the text of its receipts: the longest UDH and 20 characters of 16 bits. A message may
#: have to be kept for days, and message_payload brings 64 KiB with each.
_KEPT_OCTETS = 300


class MessageCentre:
    """Everything that outlives a connection."""

    def __init__(
        self, settings: SimulatorSettings, *, clock: Clock, agenda: Agenda, stats: Stats, ledger: Ledger
    ) -> None:
        self.receipts_held = False
        self.rate = settings.rate
        self.burst = settings.burst
        self.waiting = 0  # messages with a receipt that is planned or not acknowledged
        self.accounts = Accounts(settings.accounts)
        self._forget_at = _MAX_SYSTEM_IDS
        self._rates: dict[str, tuple[float | None, float | None]] = dict(self.accounts.rates())
        self._allowance: Allowance | None = None  # of whoever's batch is being taken
        self._bucket: TokenBucket | None = None  # the same
        self._settings = settings
        self._clock = clock
        self._agenda = agenda
        self._stats = stats
        self._ledger = ledger
        self.chance: Callable[[], float] = random.Random(settings.seed).random
        self._messages: OrderedDict[str, Message] = OrderedDict()
        self._seen = Seen(settings.remembered_texts)
        self._outboxes: dict[str, Outbox] = {}
        self._dirty: dict[str, Outbox] = {}
        self._buckets: dict[str, TokenBucket] = {}
        self._numbers = Numbers(settings.quirks.ids, settings.message_id_start)
        self._picky: PlannedBinds | None = None
        #: Responses of this batch that a rule has to do with: replies.py deals with them.
        self.shaped: dict[int, Live] = {}
        #: With stats.submits added: the unanswered submits of the bind whose batch is being taken.
        self._unanswered_before = 0
        self._adopt(settings)
        self._link_number = 0  # of the connection whose batch is being taken

    def switch(self, settings: SimulatorSettings) -> None:
        """Other settings from now on. What has been planned stays planned, and every count begins anew."""
        self._numbers.switch(settings.quirks.ids)
        same = settings.accounts == self._settings.accounts
        self.set_accounts(self.accounts if same else Accounts(settings.accounts))
        self._adopt(settings)
        self.set_rate(settings.rate, settings.burst)
        for outbox in self._outboxes.values():
            outbox.rule(settings, self._build, self._picky)

    def _adopt(self, settings: SimulatorSettings) -> None:
        """All that depends on the scenario."""
        quirks, clock = settings.quirks, self._clock
        self._settings = settings
        self._max_planned = settings.max_planned
        self._max_planned = settings.max_planned
        self._form_id = former(quirks.ids.response)
        self._plan = Plan(settings, self.chance)
        self.book = Rulebook(settings.rules, settings.seed)
        self._ruled = bool(self.book.submits)
        magic = rules_on(quirks.receipts) if settings.magic_numbers else {}
        lives = {number.removeprefix("+"): Live(rule, f"{settings.seed}/{number}") for number, rule in magic.items()}
        self._magic = {number: lives[number.removeprefix("+")] for number in magic}
        self._plans = {
            live: Plan(settings, live.chance, live.rule.receipts) for live in (*self.book.submits, *lives.values())
        }
        if any(plan.over is not Over.ANY for plan in (self._plan, *self._plans.values())):
            self._picky = PlannedBinds()  # and it stays: messages of today may still have to be reported tomorrow
        self._build = planned(Dialect(quirks) if has_dialect(quirks) else straight)
        self._reader = Reader(quirks.texts)
        self._screen = screen_of(quirks.responses, self.chance, self._reader)
        drop_above = quirks.responses.drop_above_per_s
        self._noticed = TokenBucket(drop_above, max(1.0, drop_above), clock.mono()) if drop_above else None

    @property
    def uses_transmitters(self) -> bool:
        """Whether receipts may have to go over transmitters."""
        return self._picky is not None

    # ------------------------------------------------------------------------------------------------------------ #
    # Outboxes
    # ------------------------------------------------------------------------------------------------------------ #

    def outbox(self, system_id: str) -> Outbox:
        """The outbox of `system_id`, made when there is none yet."""
        outbox = self._outboxes.get(system_id)
        if outbox is None:
            if len(self._outboxes) >= self._forget_at:
                self._forget_idle()
            outbox = Outbox(
                system_id,
                agenda=self._agenda,
                clock=self._clock,
                settings=self._settings,
                stats=self._stats,
                on_acked=self._acked,
                build=self._build,
            )
            outbox.picky = self._picky
            outbox.hold(self.receipts_held)
            self._outboxes[system_id] = outbox
        return outbox

    def deliver(self, delivery: Delivery) -> None:
        """Puts a delivery into its outbox; `settle` sends it.

        Receipts are bounded by max_waiting, when their messages are taken. What comes besides is dropped once there
        is too much of it: an ESME that asks for intermediate notifications need never fetch one.
        """
        besides = delivery.kind is not Kind.RECEIPT and delivery.kind is not Kind.INBOUND
        if besides and self._stats.receipts.pending >= self._max_planned:
            self._stats.reports_dropped += 1
            return
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

    def receiving(self, address: str = "") -> list[str]:
        """The system_ids that have a receiving bind, in order of their first bind.

        With `address` only those that may receive what is sent to it.
        """
        may_receive = self.accounts.may_receive
        return [
            system_id
            for system_id, outbox in self._outboxes.items()
            if outbox.receivers and (not address or may_receive(system_id, address))
        ]

    def set_rate(self, rate: float | None, burst: float | None, system_id: str | None = None) -> None:
        """The rate of one system_id from now on, or of all that have none of their own; their buckets start full."""
        if system_id is None:
            self.rate, self.burst = rate, burst
            self._buckets.clear()
        else:
            self._rates[system_id] = (rate, burst)
            self._buckets.pop(system_id, None)
        self._bucket = None

    def set_accounts(self, accounts: Accounts) -> None:
        """Other accounts from now on; the sessions of those that are gone stay, and are not limited."""
        self.accounts = accounts
        self._rates = dict(accounts.rates())
        self._buckets.clear()
        self._allowance = self._bucket = None

    def _forget_idle(self) -> None:
        for system_id in [system_id for system_id, outbox in self._outboxes.items() if outbox.idle]:
            del self._outboxes[system_id]
            self._buckets.pop(system_id, None)
        self._forget_at = max(_MAX_SYSTEM_IDS, 2 * len(self._outboxes))  # not again for each bind that comes now

    def _acked(self, delivery: Delivery) -> None:
        if delivery.kind is Kind.RECEIPT:
            self.waiting -= 1
        state = STAT[delivery.state] if delivery.kind is not Kind.INBOUND else ""
        kind = f"{delivery.kind}_acked"
        source, destination = delivery.parties()
        utc_ms = self._clock.utc_ms()
        self._ledger.acked(kind, utc_ms, delivery.system_id, delivery.message_id, state, source, destination)

    # ------------------------------------------------------------------------------------------------------------ #
    # Submits
    # ------------------------------------------------------------------------------------------------------------ #

    def start_batch(self, system_id: str, now_mono: float, link_number: int = 0, unanswered: int = 0) -> None:
        """Called before the submits of one read: counts the tokens that have come.

        `unanswered`: earlier submits of this bind that have no response yet.
        """
        self._link_number = link_number
        if self.shaped:
            self.shaped = {}  # of a batch that an error of ours has ended
        self._unanswered_before = unanswered - self._stats.submits
        if self.accounts:
            self._allowance = self.accounts.allowance(system_id)
            if self._allowance is not None:
                self._allowance.start_batch(unanswered)
        if self._noticed is not None:
            self._noticed.refill(now_mono)
        if self.rate is None and not self._rates:
            return
        self._bucket = bucket = self._buckets.get(system_id) or self._new_bucket(system_id, now_mono)
        if bucket is not None:
            bucket.refill(now_mono)

    def _new_bucket(self, system_id: str, now_mono: float) -> TokenBucket | None:
        rate, burst = self._rates.get(system_id, (self.rate, self.burst))
        if rate is None:
            return None
        bucket = TokenBucket(rate, burst if burst is not None else max(1.0, rate), now_mono)
        self._buckets[system_id] = bucket
        return bucket

    def submit_sm(self, system_id: str, pdu: SubmitSm, utc_ms: int) -> SubmitSmResp:
        """submit_sm (SMPP 3.4, 4.4)."""
        destination = Party(pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr)
        status = self._allowance.status(pdu) if self._allowance is not None else 0
        if status == 0:
            status = self.status(system_id, destination.addr)
        if self._screen is not None and status == 0:
            status = self._screen(pdu)
        if pdu.schedule_delivery_time and status == 0 and _kept_s(pdu, utc_ms) is None:
            status = Status.ESME_RINVSCHED
        if status == 0 and (self._ruled or destination.addr in self._magic):
            return self._by_rule(system_id, pdu, destination, utc_ms, SubmitSmResp)
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
            status = self._allowance.status(pdu) if self._allowance is not None else 0
            if status == 0:
                status = self.status(system_id, destination.addr)
        if self._screen is not None and status == 0:
            status = self._screen(pdu)
        if status == 0 and (self._ruled or destination.addr in self._magic):
            return self._by_rule(system_id, pdu, destination, utc_ms, DataSmResp)
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
        status = self._allowance.status(pdu) if self._allowance is not None else 0
        if status:
            self.enter(system_id, pdu, "", "", status, utc_ms)
            return SubmitMultiResp(sequence_number=pdu.sequence_number, command_status=status)
        number = self._numbers.take(utc_ms)
        message_id = self._form_id(number)
        failed: list[UnsuccessSme] = []
        shape: Live | None = None  # of the response: that of the first destination whose rule has one
        for entry in pdu.dest_addresses:
            if isinstance(entry, DistributionList):
                destination, status = Party(0, 0, entry.dl_name), int(Status.ESME_RINVDLNAME)
            else:
                destination = Party(*entry)
                status = self.status(system_id, destination.addr)
            live = None
            if status == 0 and (self._ruled or destination.addr in self._magic):
                live, status, shapes = self._rule(system_id, pdu, destination)
                shape = shape or (live if shapes else None)
            if status == 0:
                self.take(system_id, pdu, destination, utc_ms, number, live)
            else:
                failed.append(UnsuccessSme(*destination, status))
            self.enter(system_id, pdu, destination.addr, "" if status else message_id, status, utc_ms)
        response = SubmitMultiResp(
            sequence_number=pdu.sequence_number,
            command_status=failed[0].error_status_code if len(failed) == len(pdu.dest_addresses) else 0,
            message_id=message_id if len(failed) < len(pdu.dest_addresses) else "",
            unsuccess_smes=tuple(failed),
        )
        return response if shape is None else self._shape(response, shape)

    def _by_rule(
        self,
        system_id: str,
        pdu: SubmitSm | DataSm,
        destination: Party,
        utc_ms: int,
        kind: type[R],
    ) -> R:
        """A submit that rules or magic numbers may have to do with, and its response."""
        live, status, shapes = self._rule(system_id, pdu, destination)
        message_id = self.take(system_id, pdu, destination, utc_ms, live=live) if status == 0 else ""
        self.enter(system_id, pdu, destination.addr, message_id, status, utc_ms)
        response = kind(sequence_number=pdu.sequence_number, command_status=status, message_id=message_id)
        return self._shape(response, live) if shapes and live is not None else response

    def _rule(
        self, system_id: str, pdu: SubmitSm | DataSm | SubmitMulti, destination: Party
    ) -> tuple[Live | None, int, bool]:
        """The rule that decides, the command_status, and whether response or connection meet more than that."""
        now_mono = self._clock.mono()
        live = None
        if self._ruled:
            read = self._reader.read
            live = self.book.submit(system_id, pdu.source_addr, destination.addr, lambda: read(pdu).text, now_mono)
        if live is None:
            live = self._magic.get(destination.addr)
            if live is None or not live.meant():
                return None, 0, False
        if live.rule.session is not None and live.rule.session.cut is Cut.NOW and live.rule.session.at_once:
            return live, UNANSWERED, True
        if live.limits:
            key = _keys(system_id, pdu.source_addr, destination.addr)[live.rule.per]
            status = live.limit(key, now_mono, self._unanswered_before + self._stats.submits)
            if status:
                return live, status, False
        return live, live.draw_status(), live.shapes

    def _shape(self, response: R, live: Live) -> R:
        """Remembers that replies.py has something to do to `response`. Raises BatchOver where a cut goes with it."""
        self.shaped[id(response)] = live
        if ends_batch(live.rule):
            raise BatchOver(response)
        return response

    def status(self, system_id: str, destination: str) -> int:
        """The command_status that a submit to `destination` gets."""
        if self._bucket is not None and not self._bucket.take():
            return self._allowance.refuse(Refused.RATE) if self._allowance is not None else Status.ESME_RTHROTTLED
        if not destination:
            return Status.ESME_RINVDSTADR
        refusals = self._settings.refusals
        if refusals and destination in refusals:
            return refusals[destination]
        if self.waiting >= self._settings.max_waiting or len(self._agenda) >= self._max_planned:
            return Status.ESME_RMSGQFUL
        return 0

    def take(
        self,
        system_id: str,
        pdu: SubmitSm | DataSm | SubmitMulti,
        destination: Party,
        utc_ms: int,
        number: int | None = None,
        live: Live | None = None,
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
        plan = self._plan if live is None else self._plans[live]
        delay_s = plan.delay.draw(plan.chance()) + (_kept_s(pdu, utc_ms) or 0.0)
        message = Message(
            message_id,
            system_id,
            Party(pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr),
            destination,
            octets=octets[:_KEPT_OCTETS],
            data_coding=pdu.data_coding,
            esm_class=pdu.esm_class,
            registered_delivery=pdu.registered_delivery,
            submit_utc_ms=utc_ms,
            final_utc_ms=utc_ms + round(delay_s * 1000),
            state=plan.certain.get(destination.addr) or plan.fates.draw(plan.chance()),
            number=number,
            reference=pdu.tlvs.get(Tag.USER_MESSAGE_REFERENCE),
            link=self._link_number,
            plan=plan,
        )
        messages = self._messages
        messages[message_id] = message
        if len(messages) > self._settings.remembered_messages:
            messages.popitem(last=False)
        if live is not None and live.rule.queue:
            self._queue(message, live, delay_s)
        if plan.odd or self._noticed is not None:
            self._plan_oddly(message, plan, delay_s)
        elif message.registered_delivery:
            self._plan_reports(message, delay_s)
        return message_id

    def _queue(self, message: Message, live: Live, delay_s: float) -> None:
        """Counts the message until it has reached its state."""
        source, destination = message.source.addr, message.destination.addr
        queue = live.queue(_keys(message.system_id, source, destination)[live.rule.per])
        queue.length += 1
        self._agenda.at(self._clock.mono() + delay_s, queue.left)

    def _plan_oddly(self, message: Message, plan: Plan, delay_s: float) -> None:
        if self._noticed is not None and not self._noticed.take():
            return  # accepted, and forgotten
        if plan.never:
            message.registered_delivery = 0
        elif plan.unrequested:
            message.registered_delivery |= 1
        if message.registered_delivery:
            self._plan_reports(message, delay_s)
        if plan.foreign_ids or plan.inbound.lookalikes:
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
            plan = message.plan
            if plan is None or plan.sequence is None:
                self.deliver(Delivery(Kind.RECEIPT, message.system_id, message=message, state=message.state))
            else:
                self._report_in_sequence(message, plan.sequence, plan.gap_s)

    def _report_in_sequence(self, message: Message, sequence: tuple[str, ...], gap_s: float) -> None:
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
            self._agenda.at(self._clock.mono() + position * gap_s, self.deliver, delivery)

    def _report_besides(self, message: Message) -> None:
        """What comes beside the receipt: those of another platform, and texts that look like one."""
        plan = message.plan
        assert plan is not None
        for form in plan.foreign_ids:
            foreign = Delivery(Kind.FOREIGN, message.system_id, message=message, state=MessageState.UNDELIVERABLE)
            foreign.receipt_id = form(message.number)
            self.deliver(foreign)
        for pdu in lookalikes(message, plan.inbound, plan.receipt_id(message.number)):
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


def _keys(system_id: str, source: str, destination: str) -> Mapping[Per, str]:
    return {Per.RULE: "", Per.SYSTEM_ID: system_id, Per.SOURCE: source, Per.DESTINATION: destination}
