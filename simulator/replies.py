"""The responses to submits on their way out: at once, later, spoilt, or kept back while stalled.

Owns when they leave; what they say has been decided before, in centre.py and answering.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from simulator.agenda import Agenda
from simulator.answering import spoiler_of
from simulator.conduct import Conduct
from simulator.link import Link
from simulator.settings import SimulatorSettings
from simulator.stats import Stats
from smppgw.clock import Clock
from smppgw.smpp import Pdu

#: Most responses that a stall keeps back for one bind; a peer that goes on asking past this has no window at all.
MAX_WITHHELD = 100_000


class Replies:
    """One for all connections."""

    def __init__(
        self,
        settings: SimulatorSettings,
        *,
        clock: Clock,
        agenda: Agenda,
        stats: Stats,
        chance: Callable[[], float],
        conduct: Conduct,
    ) -> None:
        self._delay = settings.response_delay
        self._clock = clock
        self._agenda = agenda
        self._stats = stats
        self._chance = chance
        self._conduct = conduct
        self._counts_submits = conduct.counts_submits
        self._spoil = spoiler_of(settings.quirks.responses)
        self._stalled = False

    def send(self, link: Link, responses: list[Pdu]) -> None:
        """The responses of one read."""
        link.submits += len(responses)
        link.unanswered += len(responses)
        self._stats.max_window = max(self._stats.max_window, link.unanswered)
        if self._counts_submits:
            self._conduct.submitted(link)
        if self._spoil is not None:
            responses = self._spoil(responses)
        if self._stalled:
            self._stats.withheld += len(responses)
            link.withheld += responses
            if len(link.withheld) > MAX_WITHHELD:
                link.cut()
            return
        delay = self._delay
        if delay.max_s == 0:
            self._respond(link, responses)
            return
        now_mono = self._clock.mono()
        if delay.min_s == delay.max_s:
            self._agenda.at(now_mono + delay.min_s, self._respond_later, (link, responses))
            return
        for response in responses:
            due_mono = now_mono + delay.draw(self._chance())
            self._agenda.at(due_mono, self._respond_later, (link, [response]))

    def stall(self, stalled: bool, links: Iterable[Link]) -> None:
        """Keeps responses back; switched off, those of `links` that wait leave."""
        self._stalled = stalled
        if not stalled:
            for link in links:
                responses, link.withheld = link.withheld, []
                self._respond(link, responses)

    def _respond_later(self, due: tuple[Link, list[Pdu]]) -> None:
        self._respond(*due)

    def _respond(self, link: Link, responses: list[Pdu]) -> None:
        link.unanswered -= len(responses)
        if responses:
            link.respond(responses)
