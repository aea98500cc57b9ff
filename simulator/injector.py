"""Inbound texts on their way into the outboxes: at once, with gaps between their parts, or as a stream of texts.

Owns the references of long texts and what is still to be sent. Refuses to know what a text looks like: inbound.py
makes it.
"""

from __future__ import annotations

import copy
import logging
import random
import re
from dataclasses import dataclass, replace

from simulator.agenda import Agenda
from simulator.centre import MessageCentre
from simulator.inbound import Inbound, Order, inbound_pdus, sequence
from simulator.messages import Injected
from smppgw.errors import Refusal

logger = logging.getLogger("simulator")

#: Deliveries of one ESME that wait in its outbox, from where on a stream waits too: a million texts cost no memory.
MOST_WAITING = 1000
_PAUSE_S = 0.01  # until it looks again
_MOST_AT_ONCE = 250  # texts of a stream: the sessions beside it do not wait longer than for these
_NUMBER = re.compile(r"\{n(?::0(\d{1,2}))?\}")  # {n}, or with zeros in front: {n:05}
_REFERENCES = 0xFFFF  # 0 is left out; elements with 8 bits take them modulo 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """An inbound text, and how it is sent.

    `system_id`: None is the first ESME that may receive it. `reference` of the parts: None is the next one, for each
    text. `gap_s` between two parts. `count` texts, `per_s` of them a second, None as fast as they are taken; with
    more than one, `{n}` in text and addresses is the number of the text, from 1 on, and `{n:05}` has five digits.
    `told`: what the scenario's [inbound] may not change.
    """

    inbound: Inbound
    system_id: str | None = None
    reference: int | None = None
    order: Order | tuple[int, ...] = Order.STRAIGHT
    duplicate: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    gap_s: float = 0.0
    count: int = 1
    per_s: float | None = None
    told: frozenset[str] = frozenset()

    def text(self, number: int) -> Inbound:
        """The text of this number, from 1 on."""
        inbound = self.inbound
        typed = (inbound.source, inbound.destination, inbound.text)
        if self.count == 1 or not any("{n" in one for one in typed):
            return inbound
        source, destination, text = (
            _NUMBER.sub(lambda found: str(number).zfill(int(found[1] or 0)), one) for one in typed
        )
        return replace(inbound, source=source, destination=destination, text=text)


class _Stream:
    """An injection of several texts, of which `sent` have gone; `delayed` parts have an entry in the agenda."""

    __slots__ = ("delayed", "injection", "sent", "started_mono", "stopped", "system_id")

    def __init__(self, injection: Injection, system_id: str, started_mono: float) -> None:
        self.injection = injection
        self.system_id = system_id
        self.started_mono = started_mono
        self.sent = 0
        self.delayed = 0
        self.stopped = False


class Injector:
    """Sends inbound texts. Whoever calls `inject` settles the centre."""

    def __init__(self, centre: MessageCentre, agenda: Agenda, seed: int) -> None:
        self._centre = centre
        self._agenda = agenda
        self._chance = random.Random(seed).random  # its own: shuffled parts change no fate of a submit
        self._reference = 0
        self._streams: list[_Stream] = []

    @property
    def left(self) -> int:
        """How many texts of streams are still to be sent."""
        return sum(stream.injection.count - stream.sent for stream in self._streams)

    def inject(self, injection: Injection) -> tuple[list[Injected], int]:
        """Sends it, or begins to; returns the deliveries of the first text as they go out, and how many parts it has.

        Raises Refusal: `no_receiver`, those of inbound_pdus and of sequence. Then nothing is sent.
        """
        system_id = injection.system_id
        if system_id is None:
            receiving = self._centre.receiving(injection.text(1).destination.removeprefix("+"))
            if not receiving:
                raise Refusal("no_receiver", "no receiver or transceiver is bound; name a system_id to wait for one")
            system_id = receiving[0]
        if injection.count > 1:
            inbound_pdus(injection.text(injection.count), 0)  # the longest: no text of a stream is refused later on
        stream = _Stream(injection, system_id, self._agenda.clock.mono())
        deliveries, parts = self._made(stream)
        self._send(stream, deliveries)
        if injection.count > 1:
            self._streams.append(stream)
            self._continue(stream)
        return deliveries, parts

    def stop(self) -> int:
        """Ends all streams; returns how many texts will not be sent. Parts that wait for their gap still go out."""
        left = self.left
        for stream in self._streams:
            stream.stopped = True
        self._streams.clear()
        return left

    def _made(self, stream: _Stream) -> tuple[list[Injected], int]:
        injection = stream.injection
        reference = injection.reference
        if reference is None:
            self._reference = reference = self._reference % _REFERENCES + 1
        pdus = inbound_pdus(injection.text(stream.sent + 1), reference)
        numbers = sequence(
            len(pdus),
            injection.order,
            duplicate=injection.duplicate,
            missing=injection.missing,
            chance=self._chance,
        )
        deliveries: list[Injected] = []
        sent: set[int] = set()
        for number in numbers:
            pdu = pdus[number - 1]
            if number in sent:
                pdu = copy.copy(pdu)  # one of its own: a session writes its sequence_number into it
            sent.add(number)
            deliveries.append(Injected(stream.system_id, pdu, number, injection.told))
        return deliveries, len(pdus)

    def _send(self, stream: _Stream, deliveries: list[Injected]) -> None:
        gap_s = stream.injection.gap_s
        stream.sent += 1
        if not gap_s:
            for delivery in deliveries:
                self._centre.deliver(delivery)
            return
        now_mono = self._agenda.clock.mono()
        self._centre.deliver(deliveries[0])
        for position, delivery in enumerate(deliveries[1:], 1):
            stream.delayed += 1
            self._agenda.at(now_mono + position * gap_s, self._deliver_delayed, (stream, delivery))

    def _deliver_delayed(self, entry: tuple[_Stream, Injected]) -> None:
        stream, delivery = entry
        stream.delayed -= 1
        self._centre.deliver(delivery)

    def _continue(self, stream: _Stream) -> None:
        """Sends the texts that are due, as long as those before them are taken."""
        if stream.stopped:
            return
        injection, now_mono = stream.injection, self._agenda.clock.mono()
        due = injection.count
        if injection.per_s is not None:
            due = min(due, 1 + int((now_mono - stream.started_mono) * injection.per_s + 1e-6))
        outbox = self._centre.outbox(stream.system_id)
        enough = min(due, stream.sent + _MOST_AT_ONCE)
        while stream.sent < enough and len(outbox) + stream.delayed < MOST_WAITING:
            try:
                deliveries, _ = self._made(stream)
            except Refusal as refused:
                logger.error("a stream of inbound texts ends at text %d: %s", stream.sent + 1, refused.text)
                self._streams.remove(stream)
                return
            self._send(stream, deliveries)
        if stream.sent == injection.count:
            self._streams.remove(stream)
        elif injection.per_s is not None and stream.sent == due:
            self._agenda.at(stream.started_mono + stream.sent / injection.per_s, self._continue, stream)
        else:
            self._agenda.at(now_mono if stream.sent == enough else now_mono + _PAUSE_S, self._continue, stream)
