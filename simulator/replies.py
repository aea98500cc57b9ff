"""The responses to submits on their way out: at once, later, spoilt, or kept back while stalled.

Owns when they leave; what they say has been decided before, in centre.py and answering.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from simulator.agenda import Agenda
from simulator.answering import shaped, spoiler_of
from simulator.conduct import Conduct
from simulator.link import Link
from simulator.rules import EARLY_S, Cut, Live, ResponseEffect
from simulator.settings import SimulatorSettings
from simulator.stats import Stats
from smppgw.clock import Clock
from smppgw.smpp import Pdu

#: Most responses that a stall or a delay keeps back for one bind; a peer that goes on past this has no window at all.
MAX_WITHHELD = 100_000
_NO_EFFECT = ResponseEffect()


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
        self._clock = clock
        self._agenda = agenda
        self._stats = stats
        self._chance = chance
        self._conduct = conduct
        self._stalled = False
        self.switch(settings)

    def switch(self, settings: SimulatorSettings) -> None:
        """Other settings from now on; what is under way leaves when it was to leave."""
        self._delay = settings.response_delay
        self._fixed_s = self._delay.fixed_s  # None: each response takes its own time
        self._spoil = spoiler_of(settings.quirks.responses)
        self._max_planned = settings.max_planned

    def send(self, link: Link, responses: list[Pdu]) -> None:
        """The responses of one read."""
        self._count(link, len(responses))
        self._send(link, responses)

    def send_shaped(self, link: Link, responses: list[Pdu], rules: Mapping[int, Live]) -> None:
        """The same where rules have to do with some of them: `rules` has those by the id() of their response."""
        self._count(link, len(responses))
        plain: list[Pdu] = []
        for response in responses:
            live = rules.get(id(response))
            if live is None:
                plain.append(response)
                continue
            self._send(link, plain)
            plain = []
            self._send_by_rule(link, response, live)
        self._send(link, plain)

    def _count(self, link: Link, submits: int) -> None:
        link.submits += submits
        link.unanswered += submits
        self._stats.max_window = max(self._stats.max_window, link.unanswered)
        if self._conduct.counts_submits:
            self._conduct.submitted(link)

    def _send_by_rule(self, link: Link, response: Pdu, live: Live) -> None:
        delay_s = self._delay_by_rule(live)
        if not delay_s:
            self._finish_by_rule((link, response, live))
        elif not self._is_too_much(link):
            self._agenda.at(self._clock.mono() + delay_s, self._finish_by_rule, (link, response, live))

    def _delay_by_rule(self, live: Live) -> float:
        rule = live.rule
        if rule.session is not None and rule.session.at_once and rule.session.cut is Cut.NOW:
            return 0.0
        if rule.response is not None and rule.response.delay is not None:
            return rule.response.delay.draw(live.chance())
        is_early = rule.receipts is not None and rule.receipts.early
        return max(self._delay.draw(live.chance()), EARLY_S if is_early else 0.0)

    def _finish_by_rule(self, due: tuple[Link, Pdu, Live]) -> None:
        link, response, live = due
        if link.closed:
            return
        session = live.rule.session
        cut = session.cut if session is not None and session.at_once else None
        if cut not in (Cut.BEFORE, Cut.NOW):
            effect = live.rule.response or _NO_EFFECT
            responses = shaped(response, effect)
            if self._stalled and responses:
                link.unanswered += len(responses) - 1  # each copy is counted off when it leaves
                self._withhold(link, responses)
            elif responses or effect.lost:
                link.unanswered -= 1
                link.respond(responses)
        if session is not None and not link.closed:
            self._conduct.begin(link, session)

    def _is_too_much(self, link: Link) -> bool:
        """Cuts a bind that has left too many responses waiting."""
        if link.unanswered > MAX_WITHHELD or len(self._agenda) > 2 * self._max_planned:
            link.cut()
            return True
        return False

    def _withhold(self, link: Link, responses: list[Pdu]) -> None:
        self._stats.withheld += len(responses)
        link.withheld += responses
        if len(link.withheld) > MAX_WITHHELD:
            link.cut()

    def _send(self, link: Link, responses: list[Pdu]) -> None:
        if not responses:
            return
        if self._spoil is not None:
            responses = self._spoil(responses)
        if self._stalled:
            self._withhold(link, responses)
            return
        delay, fixed_s = self._delay, self._fixed_s
        if fixed_s == 0:
            self._respond(link, responses)
            return
        if self._is_too_much(link):
            return
        now_mono = self._clock.mono()
        if fixed_s is not None:
            self._agenda.at(now_mono + fixed_s, self._respond_later, (link, responses))
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
