"""Supervises one bind for ever: connect, bind, serve, see how it ended, wait, again.

Owns the pauses between sessions and the state that operators see. Network trouble stays here; a bug goes up.
"""

from __future__ import annotations

import logging
import math
from collections import Counter

import trio

from smppgw.binds import events
from smppgw.binds.backoff import STEADY_S, pause, refusal_pause
from smppgw.binds.connect import Connect
from smppgw.binds.context import BindContext
from smppgw.binds.driver import Driver, SessionEnd
from smppgw.binds.status import BindState, BindStatus, Limit
from smppgw.errors import LocalProtocolError
from smppgw.smpp import CloseReason
from smppgw.telemetry import log

#: A bind request that our own settings make impossible: nothing changes until someone changes them.
_IMPOSSIBLE_PAUSE_S = 60.0


class Bind:
    """One bind of a carrier, whatever session carries it at the moment."""

    def __init__(self, context: BindContext, connect: Connect) -> None:
        self._context = context
        self._connect = connect
        self._driver: Driver | None = None
        self._stopping = trio.Event()
        self._connecting: trio.CancelScope | None = None
        self._failures = 0
        self._refusals = 0

    async def run(self) -> None:
        """Returns after `stop`, once everything is recorded or timers.stop_s have passed."""
        try:
            await self._supervise()
            await self._record_rest()
        finally:  # also when cancelled: what was written is not forgotten
            with trio.CancelScope(shield=True):
                await self._record_once()
        self._context.enter(BindState.STOPPED)
        log(events.LOGGER, logging.INFO, events.BIND_STOPPED, bind=self._context.name)

    def stop(self) -> None:
        """Ends the bind in good order; see Driver.stop. A connect or a pause under way ends at once."""
        self._stopping.set()
        if self._connecting is not None:
            self._connecting.cancel()
        if self._driver is not None:
            self._driver.stop()

    def status(self, now_mono: float) -> BindStatus:
        """The bind as it stands now."""
        context, driver, counters = self._context, self._driver, self._context.counters
        deviations = Counter(counters.deviations)
        if driver is not None:
            deviations.update(driver.tolerated)
        return BindStatus(
            name=context.name,
            carrier=context.carrier,
            kind=context.kind,
            state=context.state,
            since_utc_ms=context.since_utc_ms,
            window=context.settings.window,
            in_window=0 if driver is None else driver.in_window,
            overdue=0 if driver is None else driver.overdue,
            limit=Limit.DOWN if driver is None else driver.limit(now_mono),
            submits_per_s=counters.submits.per_s(now_mono),
            submitted=counters.submitted,
            accepted=counters.accepted,
            refused=counters.refused,
            throttled=counters.throttled,
            receipts=counters.receipts,
            inbound=counters.inbound,
            reconnects=max(0, counters.connects - 1),
            last_error=context.last_error,
            next_attempt_utc_ms=context.next_attempt_utc_ms,
            rtt_ms=counters.rtt_ms(),
            unrecorded=context.recorder.unrecorded,
            deviations=dict(deviations),
        )

    async def _supervise(self) -> None:
        while not self._stopping.is_set():
            end = await self._session()
            await self._record_once()
            if self._stopping.is_set():
                return
            pause_s = self._pause_after(end)
            self._context.last_error = end.detail or end.reason.value
            self._log_end(end, pause_s)
            await self._back_off(pause_s)

    # One session ------------------------------------------------------------------------------------------------

    async def _session(self) -> SessionEnd:
        context = self._context
        context.enter(BindState.CONNECTING)
        log(
            events.LOGGER,
            logging.DEBUG,
            events.BIND_CONNECTING,
            bind=context.name,
            host=context.settings.host,
            port=context.settings.port,
        )
        stream: trio.abc.Stream | None = None
        try:
            with trio.CancelScope() as self._connecting:
                stream = await self._connect(context.settings)
        except OSError as error:
            return SessionEnd(CloseReason.LOCAL, str(error) or type(error).__name__)
        finally:
            self._connecting = None
        if stream is None:
            return SessionEnd(CloseReason.LOCAL, "stopped")
        context.counters.connects += 1
        context.enter(BindState.BINDING)
        return await self._serve(stream)

    async def _serve(self, stream: trio.abc.Stream) -> SessionEnd:
        self._driver = Driver(self._context, stream)
        if self._stopping.is_set():
            self._driver.stop()
        try:
            return await self._driver.run()
        except LocalProtocolError as error:  # the settings do not fit into a bind request
            return SessionEnd(CloseReason.LOCAL, str(error), refused_status=-1)
        finally:
            self._driver = None

    # Between sessions -------------------------------------------------------------------------------------------

    def _pause_after(self, end: SessionEnd) -> float:
        """Seconds to wait; counts failures in a row."""
        context = self._context
        jitter = context.jitter()
        if end.refused_status is not None:
            self._refusals += 1
            if end.refused_status < 0:
                return _IMPOSSIBLE_PAUSE_S
            return refusal_pause(end.refused_status, self._refusals, jitter)
        if end.bound_s is not None:
            self._refusals = 0
            if end.bound_s >= STEADY_S:
                self._failures = 0
        self._failures += 1
        return pause(self._failures, context.settings.reconnect, jitter)

    def _log_end(self, end: SessionEnd, pause_s: float) -> None:
        refused = end.refused_status is not None
        log(
            events.LOGGER,
            logging.ERROR if refused else logging.WARNING,
            events.BIND_REFUSED if refused else events.BIND_DOWN,
            bind=self._context.name,
            reason=end.reason.value,
            detail=end.detail,
            pause_s=round(pause_s, 3),
        )

    async def _back_off(self, pause_s: float) -> None:
        context = self._context
        context.enter(BindState.BACKING_OFF)
        context.next_attempt_utc_ms = context.clock.utc_ms() + round(pause_s * 1000)
        until_mono = context.clock.mono() + pause_s
        while not self._stopping.is_set() and (now_mono := context.clock.mono()) < until_mono:
            retry_mono = context.recorder.retry_at_mono if len(context.recorder.waiting) else math.inf
            if retry_mono <= now_mono:
                await self._record_once()
                continue
            with trio.move_on_at(min(until_mono, retry_mono)):
                await self._stopping.wait()
        context.next_attempt_utc_ms = None

    async def _record_once(self) -> None:
        """What the last session left for the store. When the store fails it stays with the recorder."""
        if len(self._context.recorder.waiting):
            await self._context.recorder.commit()

    async def _record_rest(self) -> None:
        """At the end: tries for timers.stop_s. What is left then is IN_FLIGHT on disk: in doubt at the restart."""
        recorder = self._context.recorder
        with trio.move_on_after(self._context.settings.timers.stop_s):
            while len(recorder.waiting):
                await trio.sleep_until(max(recorder.retry_at_mono, self._context.clock.mono()))
                await recorder.commit()
