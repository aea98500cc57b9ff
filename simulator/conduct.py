"""How an SMSC treats its ESMEs beyond what the standard says: whom it lets bind, when it asks them to go.

Owns what SessionQuirks do at each point of a session's life. Refuses to know messages.
"""

from __future__ import annotations

from simulator.agenda import Agenda
from simulator.link import Link
from simulator.odd import ODD
from simulator.quirks import VERSIONS, SessionQuirks
from simulator.stats import Stats
from smppgw.clock import Clock
from smppgw.smpp import Bind, BindTransceiver, Status, status_name

_BEFORE_34 = 0x33


class Conduct:
    """The same for all connections; smsc.py calls each method at the point that its name says."""

    def __init__(self, quirks: SessionQuirks, *, clock: Clock, agenda: Agenda, stats: Stats) -> None:
        self._quirks = quirks
        self._clock = clock
        self._agenda = agenda
        self._stats = stats
        self._versions = {VERSIONS[name] for name in quirks.versions}
        self._to_refuse = quirks.refuse_first
        self._unbinds_left = quirks.unbinds
        self._ended_mono: dict[str, float] = {}  # system_id -> when its last session ended
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
        ended_mono = self._ended_mono.get(pdu.system_id)
        if ended_mono is not None and self._clock.mono() < ended_mono + quirks.already_bound_s:
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
        if self._quirks.already_bound_s and link.system_id:
            self._ended_mono[link.system_id] = self._clock.mono()

    def _unbind(self, link: Link) -> None:
        link.unbind()

    def _send_odd(self, link: Link, name: str) -> None:
        def answered(status: int) -> None:
            self._stats.odd_answers[f"{name}: {status_name(status)}"] += 1

        link.send_odd(ODD[name], answered)

    def _look_for_idleness(self, link: Link) -> None:
        if link.closed or link.tap is None:
            return
        due_mono = link.tap.received_mono + self._quirks.idle_cut_s
        if due_mono <= self._clock.mono():
            self._stats.idle_cuts += 1
            link.cut()
        else:
            self._agenda.at(due_mono, self._look_for_idleness, link)
