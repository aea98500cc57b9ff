"""How a session ends in good order when we end it: nothing more is sent, answers are waited for, then it unbinds.

Owns why, until when, and what is waited for. Answers count to the last one: each of them ends a doubt. Refuses to
know who decides to leave, and what becomes of what stays unanswered.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import trio

from smppgw.binds import events
from smppgw.binds.context import BindContext
from smppgw.binds.errands import Errands
from smppgw.binds.intake import Intake
from smppgw.binds.outlet import Outlet
from smppgw.binds.status import BindState
from smppgw.binds.wake import Wake
from smppgw.smpp import Session
from smppgw.telemetry import log

#: For the octets still to be written when a session is over, and for the answer to our unbind.
LAST_WORDS_S = 2.0


class Leaving:
    """The way out of one session."""

    def __init__(
        self, context: BindContext, session: Session, outlet: Outlet, errands: Errands, intake: Intake
    ) -> None:
        self._context = context
        self._session = session
        self._outlet = outlet
        self._errands = errands
        self._intake = intake
        self._requested = trio.Event()
        self._changed = Wake()
        self._until_mono = math.inf
        self.stopping = False
        #: In words; '' while we stay.
        self.why = ""

    def stop(self) -> None:
        """The bind ends: at the latest after timers.stop_s, and without waiting for what is overdue."""
        self.stopping = self._outlet.stopping = True
        self.leave(self._context.settings.timers.stop_s, "stopped")

    def leave(self, within_s: float, why: str) -> None:
        """The session ends, after so many seconds at the latest and what unbinding takes."""
        self._outlet.lingering = self._errands.stopping = True
        self.why = self.why or why
        self._until_mono = min(self._until_mono, self._context.clock.mono() + within_s)
        self._requested.set()
        self._changed.set()

    def look(self) -> None:
        """Something was answered or recorded."""
        if self.why:
            self._changed.set()

    async def requested(self) -> None:
        """Returns once we are to leave."""
        await self._requested.wait()
        self._outlet.withdraw()

    async def answers(self) -> None:
        """Returns when every answer that is waited for is in and recorded, or the time is over."""
        report_mono = -math.inf
        while (now_mono := self._context.clock.mono()) < self._until_mono and not self._quiet():
            if self.stopping and now_mono >= report_mono:
                log(
                    events.LOGGER,
                    logging.INFO,
                    events.BIND_DRAINING,
                    bind=self._context.name,
                    submit_sm_resps=self._session.in_window - len(self._intake.overdue),
                    unrecorded=self._context.recorder.unrecorded,
                )
                report_mono = now_mono + 1.0
            again_mono = report_mono if self.stopping else math.inf
            await self._changed.wait(min(again_mono, self._until_mono))

    def _quiet(self) -> bool:
        given_up = len(self._intake.overdue) if self.stopping else 0
        return self._session.in_window <= given_up and not self._context.recorder.unrecorded

    async def unbind(self, wake_writer: Callable[[], None]) -> None:
        """Unbinds; the session is over when the answer comes, which is waited for a moment."""
        self._context.enter(BindState.UNBINDING)
        self._context.recorder.unbinding()
        self._session.unbind(self._context.clock.mono())
        wake_writer()
        await trio.sleep(min(LAST_WORDS_S, self._context.settings.timers.response_s))
