"""How an SMSC treats its ESMEs beyond what the standard says: whom it lets bind, when it asks them to go.

Owns what SessionQuirks, and rules for binds and moments, do at each point of a session's life, and what any rule does
to a connection. Refuses to know messages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from simulator.agenda import Agenda
from simulator.link import Link
from simulator.odd import ODD
from simulator.quirks import VERSIONS, SessionQuirks
from simulator.rules import Cut, Live, Rulebook, SessionEffect
from simulator.stats import UNANSWERED, Stats
from smppgw.clock import Clock
from smppgw.smpp import Bind, BindTransceiver, SessionState, Status, status_name

_BEFORE_34 = 0x33
#: system_ids that count as bound after their session: past so many the oldest is forgotten.
_MAX_TAKEN = 10_000


class Conduct:
    """The same for all connections; smsc.py calls each method at the point that its name says."""

    def __init__(self, quirks: SessionQuirks, *, clock: Clock, agenda: Agenda, stats: Stats) -> None:
        self._clock = clock
        self._agenda = agenda
        self._stats = stats
        self._taken_until_mono: dict[str, float] = {}  # system_id -> how long it counts as bound
        self._book: Rulebook | None = None
        self._links: Callable[[], Iterable[Link]] = list
        self.switch(quirks)

    def switch(self, quirks: SessionQuirks) -> None:
        """Other quirks from now on; every count begins anew."""
        self._quirks = quirks
        self._versions = {VERSIONS[name] for name in quirks.versions}
        self._to_refuse = quirks.refuse_first
        self._unbinds_left = quirks.unbinds
        self.counts_submits = quirks.unbind_after_submits > 0

    def connected(self, link: Link) -> None:
        if self._quirks.idle_cut_s:
            self._look_for_idleness(link)

    def bind_status(self, pdu: Bind) -> int:
        """The command_status for a bind that nothing else speaks against."""
        quirks = self._quirks
        if self._to_refuse:
            self._to_refuse -= 1
            return quirks.refused_with
        if self._versions and pdu.interface_version not in self._versions:
            return quirks.refused_with
        if quirks.transceiver_refused_with is not None and isinstance(pdu, BindTransceiver):
            return quirks.transceiver_refused_with
        if self._clock.mono() < self._taken_until_mono.get(pdu.system_id, -math.inf):
            return Status.ESME_RALYBND
        return 0

    def accept(self, link: Link, pdu: Bind, system_id: str) -> None:
        """Answers the bind."""
        quirks = self._quirks
        if quirks.enquire_link_early:
            self._send_odd(link, "enquire_link")
            link.wake_writer()
        if quirks.tells_version:
            link.session.accept_bind(pdu, system_id, interface_version=VERSIONS[quirks.tells_version])
            return
        silent = type(pdu)(sequence_number=pdu.sequence_number, interface_version=_BEFORE_34)
        link.session.accept_bind(silent, system_id)

    def bound(self, link: Link) -> None:
        if self._book is not None and self._book.times:
            self._meet_windows(link, self._book)
        if not self._quirks.odd:
            return
        link.wake_writer()  # the bind response goes first
        for name in self._quirks.odd:
            self._send_odd(link, name)

    def submitted(self, link: Link) -> None:
        """More submits have come in one read. Only where `counts_submits`."""
        if self._unbinds_left and link.submits >= self._quirks.unbind_after_submits:
            self._unbinds_left -= 1
            self._agenda.at(self._clock.mono(), self._unbind, link)  # once they are answered

    def closed(self, link: Link) -> None:
        taken_s = max(self._quirks.already_bound_s, link.already_bound_s)
        if taken_s and link.system_id:
            taken = self._taken_until_mono
            taken.pop(link.system_id, None)
            taken[link.system_id] = self._clock.mono() + taken_s
            if len(taken) > _MAX_TAKEN:
                del taken[next(iter(taken))]

    # ------------------------------------------------------------------------------------------------------------ #
    # Rules
    # ------------------------------------------------------------------------------------------------------------ #

    def watch(self, book: Rulebook, links: Callable[[], Iterable[Link]]) -> None:
        """Goes by the rules of `book` from now on, those of its moments among them; `links` are the connections."""
        self._book, self._links = book, links
        elapsed_s = book.elapsed_s(self._clock.mono())
        for live in book.times:
            self._plan_moment(book, live, elapsed_s)

    def rule_bind(self, link: Link, pdu: Bind, answer: Callable[[Link, Bind, int], None]) -> bool:
        """Whether a rule decides about this bind: then it is answered by `answer`, or not at all."""
        live = self._book.bind(pdu.system_id, self._clock.mono()) if self._book is not None else None
        if live is None:
            return False
        delay = live.rule.response.delay if live.rule.response is not None else None
        due = (link, pdu, live, answer)
        if delay is None:
            self._finish_bind(due)
        else:
            self._agenda.at(self._clock.mono() + delay.draw(live.chance()), self._finish_bind, due)
        return True

    def _finish_bind(self, due: tuple[Link, Bind, Live, Callable[[Link, Bind, int], None]]) -> None:
        link, pdu, live, answer = due
        if link.closed or link.session.state is not SessionState.BINDING:
            return
        session = live.rule.session
        cut = session.cut if session is not None and session.at_once else None
        if cut not in (Cut.BEFORE, Cut.NOW):
            status = live.draw_status()
            if status != UNANSWERED:
                answer(link, pdu, status)
                link.wake_writer()
        if session is not None and not link.closed:
            self.begin(link, session)

    def begin(self, link: Link, session: SessionEffect) -> None:
        """Does to the connection what a rule says, now or when it is time."""
        if link.closed:
            return
        if session.after_pdus:
            link.tapped().after(session.after_pdus, lambda: self._begin_timed((link, session)))
        else:
            self._begin_timed((link, session))

    def _begin_timed(self, due: tuple[Link, SessionEffect]) -> None:
        if due[1].after_s:
            self._agenda.at(self._clock.mono() + due[1].after_s, self._do, due)
        else:
            self._do(due)

    def _begin_later(self, due: tuple[Link, SessionEffect]) -> None:
        self.begin(*due)

    def _do(self, due: tuple[Link, SessionEffect]) -> None:
        link, session = due
        if link.closed:
            return
        link.already_bound_s = max(link.already_bound_s, session.already_bound_s)
        if not session.enquire_link_answered:
            link.tapped().ignores_enquiries = True
        if session.read_octets_per_s:
            link.read_octets_per_s = session.read_octets_per_s
        if session.half_open and not link.deaf:
            link.deaf = True
            if link.outbox is not None:
                link.outbox.leave(link, ())  # what is sent to it would be lost
        if session.unbind:
            link.unbind()
        if session.cut is not None:
            self._stats.rule_cuts += 1
            link.part()

    def _plan_moment(self, book: Rulebook, live: Live, elapsed_s: float) -> None:
        due_s = live.next_s(elapsed_s)
        if due_s is not None:
            self._agenda.at(book.elapsed_to_mono(due_s), self._moment, (book, live, due_s))

    def _moment(self, due: tuple[Rulebook, Live, float]) -> None:
        book, live, due_s = due
        if book is not self._book:
            return  # another scenario has come
        session = live.rule.session
        assert session is not None
        for link in list(self._links()):
            if link.bound and live.is_about(link.system_id):
                self.begin(link, session)
        if live.rule.when.each_s:
            # Those that `advance` has skipped are not made up for.
            self._plan_moment(book, live, max(due_s + live.rule.when.each_s / 2, book.elapsed_s(self._clock.mono())))

    def _meet_windows(self, link: Link, book: Rulebook) -> None:
        """A bind that has come while rules on time go on: they are for it, too, once it is answered."""
        now_mono = self._clock.mono()
        for live in book.times:
            session = live.rule.session
            if session is not None and live.is_window(book.elapsed_s(now_mono)) and live.is_about(link.system_id):
                self._agenda.at(now_mono, self._begin_later, (link, session))

    def _unbind(self, link: Link) -> None:
        link.unbind()

    def _send_odd(self, link: Link, name: str) -> None:
        def answered(status: int) -> None:
            self._stats.odd_answers[f"{name}: {status_name(status)}"] += 1

        link.send_odd(ODD[name], answered)

    def _look_for_idleness(self, link: Link) -> None:
        if link.closed or link.tap is None or not self._quirks.idle_cut_s:
            return
        due_mono = link.tap.received_mono + self._quirks.idle_cut_s
        if due_mono <= self._clock.mono():
            self._stats.idle_cuts += 1
            link.cut()
        else:
            self._agenda.at(due_mono, self._look_for_idleness, link)
