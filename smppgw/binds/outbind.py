"""Sessions that the SMSC asks for: it connects to us, sends outbind, and we bind on that connection.

SMPP 3.4, 2.2.1 and 4.1.7.

Owns the listening socket of one carrier and the few sessions that may run over it. Anybody may connect to a port:
connections are few, each has driver.OUTBIND_S for an outbind that fits the settings, and makes room for a newcomer
when it has not sent it yet. Such strangers show up nowhere but in the log. There is no TLS here: outbind is
for private links.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import trio

from smppgw.binds import events
from smppgw.binds.bind import record_once, shown
from smppgw.binds.context import BindContext
from smppgw.binds.driver import Driver
from smppgw.binds.seldom import Seldom
from smppgw.binds.showing import status_of
from smppgw.binds.status import BindState, BindStatus
from smppgw.config import OutbindSettings
from smppgw.errors import ConfigError
from smppgw.smpp import CloseReason
from smppgw.telemetry import log

#: Sessions and strangers together.
MOST_CONNECTIONS = 4


class _Slot:
    """Room for one session after the other, with counters that go on over all of them."""

    def __init__(self, context: BindContext) -> None:
        self.context = context
        self.in_use = False
        self.since_mono = -math.inf
        self.session = trio.CancelScope()
        self.over = trio.Event()
        self.driver: Driver | None = None

    @property
    def is_stranger(self) -> bool:
        """Its peer has still to send the outbind that we expect."""
        return self.in_use and self.context.state is BindState.CONNECTING

    @property
    def is_known(self) -> bool:
        """Its peer sent the outbind that we expect, or left something that is still to be recorded."""
        return self.in_use and (
            self.context.state is not BindState.CONNECTING or self.context.recorder.unrecorded > 0
        )

    @property
    def is_refused(self) -> bool:
        """The peer before sent an outbind, but not the one that we expect."""
        return self.context.has_alarm(events.ALARM_OUTBIND_REFUSED)


class OutbindListener:
    """The outbind port of one carrier."""

    def __init__(self, carrier: str, settings: OutbindSettings, context_of: Callable[[str], BindContext]) -> None:
        """`context_of` makes the context of a bind, given its name."""
        self._carrier = carrier
        self._settings = settings
        self._context_of = context_of
        self._listeners: list[trio.SocketListener] = []
        self._accepting = trio.CancelScope()
        self._slots: list[_Slot] = []
        self._stop_by_mono = math.inf
        self._told = Seldom()

    async def listen(self) -> None:
        """Opens the port. Raises ConfigError when that cannot be done."""
        host, port = self._settings.host, self._settings.port
        try:
            self._listeners = await trio.open_tcp_listeners(port, host=host)
        except OSError as error:
            where = shown(host, port)
            raise ConfigError([f"carriers.{self._carrier}.outbind: cannot listen on {where}: {error}"]) from None
        log(events.LOGGER, logging.INFO, events.OUTBIND_LISTENING, carrier=self._carrier, port=self.port)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listeners[0].socket.getsockname()[1])

    async def run(self) -> None:
        """Serves until `stop`, and then until every session is over."""
        async with trio.open_nursery() as sessions:
            with self._accepting:
                await trio.serve_listeners(self._accept, self._listeners, handler_nursery=sessions)

    def stop(self) -> None:
        """Accepts nothing more, and ends the sessions in good order; see Driver.stop."""
        self._accepting.cancel()
        for slot in self._slots:
            context = slot.context
            self._stop_by_mono = context.clock.mono() + 2 * context.settings.timers.stop_s  # to drain, and to record
            if slot.driver is not None:
                slot.driver.stop()

    def close(self) -> None:
        """Closes the port at once."""
        for listener in self._listeners:
            listener.socket.close()

    def status(self, now_mono: float) -> list[BindStatus]:
        """The sessions that there are; without any, the outbind that was refused last."""
        shown = [slot for slot in self._slots if slot.is_known]
        shown = shown or [slot for slot in self._slots if slot.is_refused][:1]
        return [status_of(slot.context, slot.driver, now_mono) for slot in shown]

    async def _accept(self, stream: trio.SocketStream) -> None:
        try:
            host, port, *_ = stream.socket.getpeername()
        except OSError:  # gone again
            await trio.aclose_forcefully(stream)
            return
        await self.serve(stream, shown(host, port))

    async def serve(self, stream: trio.abc.Stream, peer: str) -> None:
        """One connection, from the outbind that has to come to the end."""
        slot = await self._free_slot()
        if slot is None or self._accepting.cancel_called:
            await trio.aclose_forcefully(stream)
            self._refused(peer, "there are too many connections" if slot is None else "stopping")
            return
        slot.in_use, slot.since_mono = True, slot.context.clock.mono()
        slot.session, slot.over = trio.CancelScope(), trio.Event()
        slot.context.state, slot.context.endpoint = BindState.CONNECTING, peer
        try:
            with slot.session:
                await self._session(slot, stream, peer)
            if slot.session.cancelled_caught:
                self._refused(peer, "another one came before its outbind")
        finally:  # also when cancelled: what was written is not forgotten
            with trio.CancelScope(shield=True):
                await record_once(slot.context.recorder)
            slot.in_use = False
            slot.over.set()

    async def _free_slot(self) -> _Slot | None:
        """Room for a newcomer, if need be that of the stranger that has been here the longest."""
        while len(self._slots) == MOST_CONNECTIONS:
            for slot in self._slots:
                if not slot.in_use:
                    return slot
            strangers = [slot for slot in self._slots if slot.is_stranger]
            if not strangers:
                return None
            oldest = min(strangers, key=lambda slot: slot.since_mono)
            oldest.session.cancel()
            await oldest.over.wait()
        for slot in self._slots:
            if not slot.in_use:
                return slot
        self._slots.append(_Slot(self._context_of(f"{self._carrier}/outbind-{len(self._slots) + 1}")))
        return self._slots[-1]

    async def _session(self, slot: _Slot, stream: trio.abc.Stream, peer: str) -> None:
        context = slot.context
        slot.driver = Driver(context, stream, outbind=True)
        try:
            end = await slot.driver.run()
        finally:
            slot.driver = None
            context.link.ended(context.name)
        context.last_error = end.detail or end.reason.value
        if end.bound_s is None:
            self._refused(peer, context.last_error)
            if slot.is_refused:
                context.enter(BindState.STOPPED)
        else:
            log(
                events.LOGGER,
                logging.INFO if end.planned or end.reason is CloseReason.UNBOUND else logging.WARNING,
                events.BIND_DOWN,
                bind=context.name,
                reason=end.reason.value,
                detail=end.detail,
            )
            context.enter(BindState.STOPPED)
        while len(context.recorder.waiting) and context.clock.mono() < self._stop_by_mono:
            await trio.sleep_until(context.recorder.retry_at_mono)
            await context.recorder.commit()

    def _refused(self, peer: str, reason: str) -> None:
        left_out = self._told.due(reason, trio.current_time())
        if left_out is None:
            return
        log(
            events.LOGGER,
            logging.WARNING,
            events.OUTBIND_REFUSED,
            carrier=self._carrier,
            peer=peer,
            reason=reason,
            left_out=left_out,
        )
