"""Supervises one bind for ever: connect, bind, serve, see how it ended, wait, again.

Owns the pauses between sessions and the state that operators see. Network trouble stays here; a bug goes up.
"""

from __future__ import annotations

import logging
import math

import trio

from smppgw.binds import events
from smppgw.binds.backoff import STEADY_S, pause, policy_of, raises_alarm, refusal_pause
from smppgw.binds.connect import Connect
from smppgw.binds.context import BindContext
from smppgw.binds.driver import Driver, SessionEnd
from smppgw.binds.recorder import Recorder
from smppgw.binds.showing import status_of
from smppgw.binds.status import BindKind, BindState, BindStatus
from smppgw.config import RefusalPolicy
from smppgw.errors import LocalProtocolError
from smppgw.smpp import CloseReason, status_name
from smppgw.telemetry import log

#: A bind request that our own settings make impossible: nothing changes until someone changes them.
_IMPOSSIBLE = -1
_IMPOSSIBLE_PAUSE_S = 60.0

_ALARMS = {
    RefusalPolicy.CREDENTIALS: events.ALARM_CREDENTIALS,
    RefusalPolicy.ALREADY_BOUND: events.ALARM_ALREADY_BOUND,
}


class Bind:
    """One bind of a carrier, whatever session carries it at the moment."""

    def __init__(self, context: BindContext, connect: Connect) -> None:
        self._context = context
        self._link = context.link
        self._link.leave[context.name] = self._leave
        self._connect = connect
        self._driver: Driver | None = None
        self._stopping = trio.Event()
        self._connecting: trio.CancelScope | None = None
        self._failures = 0

    async def run(self) -> None:
        """Returns after `stop`, once everything is recorded or timers.stop_s have passed."""
        recorder = self._context.recorder
        try:
            await self._supervise()
            await self._record_rest()
        finally:  # also when cancelled: what was written is not forgotten
            with trio.CancelScope(shield=True):
                await record_once(recorder)
        self._context.enter(BindState.STOPPED)
        log(events.LOGGER, logging.INFO, events.BIND_STOPPED, bind=self._context.name)

    def stop(self) -> None:
        """Ends the bind in good order; see Driver.stop. A connect or a pause under way ends at once."""
        self._stopping.set()
        if self._connecting is not None:
            self._connecting.cancel()
        if self._driver is not None:
            self._driver.stop()

    def _leave(self) -> None:
        if self._driver is not None:
            self._driver.leave("the other half of the pair cannot connect here")

    def status(self, now_mono: float) -> BindStatus:
        """The bind as it stands now."""
        return status_of(self._context, self._driver, now_mono)

    async def _supervise(self) -> None:
        context = self._context
        while await self._take_turn():
            end = await self._session()
            await record_once(context.recorder)
            context.endpoint = context.interface_version = ""
            if self._stopping.is_set():
                self._link.ended(context.name)
                return
            pause_s = self._pause_after(end)
            self._link.ended(context.name)
            context.last_error = end.detail or end.reason.value
            self._log_end(end, pause_s)
            await self._back_off(pause_s)

    async def _take_turn(self) -> bool:
        """Waits while the link is held, or the other half of a pair is trying after a refusal. False: stopping."""
        link = self._link
        while not self._stopping.is_set():
            held_s = link.not_before_mono - self._context.clock.mono()
            if held_s > 0:
                await self._back_off(held_s)
            elif link.begin(self._context.name):
                return True
            else:
                with trio.CancelScope() as self._connecting:
                    await link.settled()
                self._connecting = None
        return False

    # One session ------------------------------------------------------------------------------------------------

    async def _session(self) -> SessionEnd:
        context = self._context
        context.enter(BindState.CONNECTING)
        stream: trio.abc.Stream | None = None
        try:
            with trio.CancelScope() as self._connecting:
                stream = await self._open()
        except OSError as error:
            return SessionEnd(CloseReason.LOCAL, str(error) or type(error).__name__)
        finally:
            self._connecting = None
        if stream is None:
            return SessionEnd(CloseReason.LOCAL, "stopped")
        context.counters.connects += 1
        context.enter(BindState.BINDING)
        return await self._serve(stream)

    async def _open(self) -> trio.abc.Stream:
        """A connection to where the link is; its endpoints follow in turn, each once. Raises OSError of the last."""
        context, link = self._context, self._link
        for left in reversed(range(link.choices)):
            endpoint = link.endpoint
            port = endpoint.receive_port if context.kind is BindKind.RECEIVER else endpoint.port
            context.endpoint = shown(endpoint.host, port)
            log(events.LOGGER, logging.DEBUG, events.BIND_CONNECTING, bind=context.name, endpoint=context.endpoint)
            try:
                stream = await self._connect(context.settings, endpoint.host, port)
            except OSError as error:
                if not link.unusable(endpoint) or not left:
                    link.stuck(context.name)
                    raise
                log(
                    events.LOGGER,
                    logging.WARNING,
                    events.BIND_UNREACHABLE,
                    bind=context.name,
                    endpoint=context.endpoint,
                    error=str(error),
                )
                continue
            if link.connected(context.name, endpoint):
                return stream
            await trio.aclose_forcefully(stream)
        raise OSError("the other half of the pair is connected elsewhere")

    async def _serve(self, stream: trio.abc.Stream) -> SessionEnd:
        self._driver = Driver(self._context, stream)
        if self._stopping.is_set():
            self._driver.stop()
        try:
            return await self._driver.run()
        except LocalProtocolError as error:  # the settings do not fit into a bind request
            return SessionEnd(CloseReason.LOCAL, str(error), refused_status=_IMPOSSIBLE)
        finally:
            self._driver = None

    # Between sessions -------------------------------------------------------------------------------------------

    def _pause_after(self, end: SessionEnd) -> float:
        """Seconds to wait; counts failures in a row."""
        context = self._context
        if end.refused_status is not None:
            return self._pause_after_refusal(end.refused_status, end.detail)
        # A session that answered no submit_sm is no good one, however long it stood: see BindContext.probing.
        if end.bound_s is not None and end.bound_s >= STEADY_S and not context.probing:
            self._failures = 0
            if end.planned:  # maintenance, or an idle connection: nothing has failed
                return pause(1, context.settings.reconnect, context.jitter())
        self._failures += 1
        return pause(self._failures, context.settings.reconnect, context.jitter())

    def _pause_after_refusal(self, status: int, detail: str) -> float:
        if status == _IMPOSSIBLE:
            self._context.raise_alarm(events.ALARM_BIND_IMPOSSIBLE, error=detail)
            return _IMPOSSIBLE_PAUSE_S
        context, now_mono = self._context, self._context.clock.mono()
        refusals = self._link.refused(now_mono)
        if raises_alarm(status, refusals, context.rules):
            alarm = _ALARMS.get(policy_of(status, context.rules), events.ALARM_BIND_REFUSED)
            context.raise_alarm(alarm, command_status=status_name(status), refusals=refusals)
        pause_s = refusal_pause(status, refusals, context.jitter(), context.rules)
        self._link.hold(now_mono + pause_s)
        return pause_s

    def _log_end(self, end: SessionEnd, pause_s: float) -> None:
        refused = end.refused_status is not None
        level = logging.ERROR if refused else logging.INFO if end.planned else logging.WARNING
        log(
            events.LOGGER,
            level,
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
                await record_once(context.recorder)
                continue
            with trio.move_on_at(min(until_mono, retry_mono)):
                await self._stopping.wait()
        context.next_attempt_utc_ms = None

    async def _record_rest(self) -> None:
        """At the end: tries for timers.stop_s. What is left then is IN_FLIGHT on disk: in doubt at the restart."""
        recorder = self._context.recorder
        with trio.move_on_after(self._context.settings.timers.stop_s):
            while len(recorder.waiting):
                await trio.sleep_until(recorder.retry_at_mono)
                await recorder.commit()


async def record_once(recorder: Recorder) -> None:
    """What a session left for the store. When the store fails it stays with the recorder."""
    if len(recorder.waiting):
        await recorder.commit()


def shown(host: str, port: int) -> str:
    """An endpoint as people write it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
