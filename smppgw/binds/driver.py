"""One SMPP session over one stream, from the bind request to the end: loops around the sans-IO Session.

    reader   octets in -> events -> what there is to record; never waits for the store or for the writer
    pump     one transaction: everything to record, and a claim for what window and pacing allow now; then the
             responses due with that commit and the submit_sms of what was claimed, in one write
    writer   octets out, one send_all at a time
    ticker   deadlines of the session, and submit_sms that pacing held back for a moment

Refuses to know hosts, ports, pauses between sessions, and what the store does with an outcome.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

import trio

from smppgw.binds import events, tls
from smppgw.binds.batch import Doubtful
from smppgw.binds.context import BindContext
from smppgw.binds.errands import Errands
from smppgw.binds.intake import Intake
from smppgw.binds.leaving import LAST_WORDS_S, Leaving
from smppgw.binds.opening import bind_request, outbind_is_wrong, version_name
from smppgw.binds.outlet import Outlet
from smppgw.binds.status import BindState, Limit
from smppgw.binds.wake import Wake
from smppgw.binds.writer import Writer
from smppgw.errors import LocalProtocolError
from smppgw.queue.model import ClaimedSegment, Errand, Reason
from smppgw.smpp import (
    BindRefused,
    Bound,
    Closed,
    CloseReason,
    Event,
    Outbind,
    OutbindReceived,
    Rejected,
    RequestOverdue,
    RequestReceived,
    ResponseReceived,
    Role,
    Session,
    SessionState,
    Timers,
    UnbindReceived,
    Unreadable,
    status_name,
)
from smppgw.telemetry import log

READ_OCTETS = 65_536

#: What is only to be recorded waits so long after a commit for more of it; after a quiet time it does not wait, and
#: neither does what comes with a claim.
GATHER_S = 0.01

#: An SMSC that connected to us sends its outbind at once; others shall not take up its room.
OUTBIND_S = 5.0

_OPENING = (SessionState.OPEN, SessionState.OUTBOUND, SessionState.BINDING)


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """How a session ended.

    `refused_status` is that of the bind_resp, `bound_s` None when it never was bound. `planned`: the SMSC unbound.
    `stalled`: it took submit_sms and answered none of them, or none of a whole window.
    """

    reason: CloseReason
    detail: str
    refused_status: int | None = None
    bound_s: float | None = None
    planned: bool = False
    stalled: bool = False


class Driver:
    """Runs one session. `run` returns when it is over; whatever it left unanswered is then with the recorder."""

    def __init__(self, context: BindContext, stream: trio.abc.Stream, *, outbind: bool = False) -> None:
        """`outbind`: the SMSC has connected, and we bind once its outbind has come."""
        self._outbind = outbind
        self._context = context
        self._stream = stream
        self._clock = context.clock
        self._recorder = context.recorder
        timers = context.settings.timers
        self._session = Session(
            Role.ESME,
            timers=Timers(
                session_init_s=timers.session_init_s,
                enquire_link_s=timers.enquire_link_s,
                inactivity_s=timers.inactivity_s,
                response_s=timers.response_s,
            ),
            window=context.settings.window,
            # Not from 1: some SMSCs answer into the next session with sequence_numbers of the last one.
            first_sequence=1 + int(context.jitter() * 0x3FFFFFFF),
            now=self._clock.mono(),
        )
        self._errands = Errands(context, self._session)
        self._intake = Intake(context, self._session)
        self._outlet = Outlet(context, self._session)
        self._leaving = Leaving(context, self._session, self._outlet, self._errands, self._intake)
        opening_s = min(OUTBIND_S, timers.session_init_s) if outbind else timers.session_init_s
        self._bind_by_mono = self._clock.mono() + opening_s
        self._pump_wake, self._tick_wake = Wake(), Wake()
        self._tick_at_mono = -math.inf
        self._gather_until_mono = -math.inf
        self._ended = trio.Event()
        self._writer = Writer(
            stream,
            self._session,
            response_s=timers.response_s,
            ended=self._ended,
            taken=self._outlet.taken_by_writer,
            failed=self._close,
        )
        self._closed: Closed | None = None
        self._bound_mono: float | None = None
        self._refused_status: int | None = None
        self._detail = ""
        self._planned = False
        self._answered = False
        self._stalled = False

    async def run(self) -> SessionEnd:
        """Binds and serves until the session is over. Network trouble is in the result, a bug is raised.

        LocalProtocolError is raised when the settings do not fit into a bind request.
        """
        self._recorder.begin_session()
        try:
            if not self._outbind:
                self._bind()
            async with trio.open_nursery() as nursery:
                for loop in (self._read, self._writer.run, self._pump, self._tick, self._watch_work, self._leave):
                    nursery.start_soon(loop)
                nursery.start_soon(self._errands.run, self._asked)
                await self._ended.wait()
                with trio.move_on_after(LAST_WORDS_S):
                    await self._writer.done.wait()
                nursery.cancel_scope.cancel()
        finally:
            self._settle()
            await trio.aclose_forcefully(self._stream)
        assert self._closed is not None
        if self._bound_mono is None and self._closed.reason is CloseReason.PEER_CLOSED:
            hint = "" if self._outbind else tls.hint(self._stream, self._context.settings.tls)
            self._detail = "; ".join(filter(None, [self._detail or "closed before the bind was answered", hint]))
        bound_s = None if self._bound_mono is None else self._clock.mono() - self._bound_mono
        return SessionEnd(
            self._closed.reason,
            self._leaving.why or self._detail,
            self._refused_status,
            bound_s,
            self._planned,
            self._stalled,
        )

    def stop(self) -> None:
        """Claims nothing more; ends in good order once the window is empty, at the latest after timers.stop_s."""
        self._leaving.stop()

    def leave(self, why: str) -> None:
        """Ends this session alone, as `stop` does."""
        self._leaving.leave(self._context.settings.timers.stop_s, why)

    @property
    def in_window(self) -> int:
        return self._session.in_window

    @property
    def overdue(self) -> int:
        return len(self._intake.overdue)

    @property
    def tolerated(self) -> dict[str, int]:
        """Deviations of the peer that this session counted, by name."""
        return dict(self._session.counters)

    def limit(self, now_mono: float) -> Limit:
        """What keeps this session from submitting more right now."""
        return self._outlet.limit(now_mono)

    # Reader -----------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            while not self._ended.is_set():
                data = await self._stream.receive_some(READ_OCTETS)
                now_mono = self._clock.mono()
                if not data:
                    self._handle(self._session.receive_eof(now_mono), now_mono)
                    return
                self._handle(self._session.receive_data(data, now_mono), now_mono)
                self._arm_ticker(now_mono)  # an enquire_link_resp starts the wait for the next enquire_link
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._close(CloseReason.PEER_CLOSED, tls.explain(error))

    def _handle(self, happened: Sequence[Event], now_mono: float) -> None:
        responses = [
            event for event in happened if type(event) is ResponseReceived and type(event.cookie) is ClaimedSegment
        ]
        if responses:
            self._answered = True
            self._intake.responses(responses, now_mono)
            self._outlet.release(now_mono)  # withdraws what is ready when the bind was throttled
        if len(responses) < len(happened):
            for event in happened:
                if type(event) is not ResponseReceived or type(event.cookie) is not ClaimedSegment:
                    self._handle_one(event, now_mono)
        self._writer.wake()  # the session may have answered by itself
        self._pump_wake.set()
        self._leaving.look()

    def _handle_one(self, event: Event, now_mono: float) -> None:
        match event:
            case RequestReceived(pdu=pdu):
                self._intake.request(pdu, now_mono)
            case RequestOverdue(cookie=ClaimedSegment() as segment):
                if self._intake.unanswered(segment):
                    self._stall()
            case RequestOverdue(cookie=Errand() as errand, sequence_number=number):
                self._session.release(number)
                self._errands.unanswered(errand)
            case ResponseReceived(cookie=Errand()):
                self._errands.answered(event)
            case Bound(state=state):
                self._bound_mono = now_mono
                self._context.bound(BindState(state.value), version_name(self._session.peer_interface_version))
            case BindRefused(command_status=status):
                self._refused_status = status
                self._detail = status_name(status)
            case OutbindReceived(pdu=outbind):
                self._outbind_received(outbind, now_mono)
            case UnbindReceived():
                self._planned = True
                self._detail = "the SMSC unbound"
                self._context.enter(BindState.UNBINDING)
            case Rejected() | Unreadable():
                self._intake.bad_pdu(event, now_mono, stranger=self._outbind and self._bound_mono is None)
            case Closed():
                self._closed = event
                self._ended.set()

    def _bind(self) -> None:
        context = self._context
        self._session.bind(bind_request(context.settings, context.kind), self._clock.mono())

    def _outbind_received(self, outbind: Outbind, now_mono: float) -> None:
        wrong = outbind_is_wrong(outbind, self._context.settings.outbind)
        if wrong:
            self._context.raise_alarm(events.ALARM_OUTBIND_REFUSED, detail=wrong)
            self._close(CloseReason.LOCAL, f"outbind with {wrong}")
            return
        self._context.enter(BindState.BINDING)
        self._bind_by_mono = now_mono + self._context.settings.timers.session_init_s
        try:
            self._bind()
        except LocalProtocolError as error:  # the settings do not fit into a bind request
            self._close(CloseReason.LOCAL, str(error))

    def _stall(self) -> None:
        """Nothing more is sent; what may come late is waited for as long again, since each answer ends a doubt."""
        if self._stalled:
            return
        context = self._context
        self._stalled = True
        self._answered = False
        log(events.LOGGER, logging.WARNING, events.BIND_WINDOW_OVERDUE, bind=context.name)
        context.raise_alarm(events.ALARM_NO_ANSWERS)
        self._leaving.leave(context.settings.timers.response_s, "no submit_sm of a whole window was answered")

    # Pump -------------------------------------------------------------------------------------------------------

    async def _pump(self) -> None:
        recorder = self._recorder
        while True:
            now_mono = self._clock.mono()
            if now_mono < recorder.retry_at_mono:
                await self._pump_wake.wait(recorder.retry_at_mono)
                continue
            recorder.settle(now_mono)
            limit, again_mono = self._outlet.room(now_mono)
            again_mono = min(again_mono, recorder.settle_at_mono)
            if len(recorder.waiting):
                again_mono = min(again_mono, self._gather_until_mono)
            if limit or again_mono <= now_mono:
                await self._commit(limit)
            else:
                await self._pump_wake.wait(again_mono)

    async def _commit(self, limit: int) -> None:
        outlet = self._outlet
        claim = outlet.claim(limit) if limit else None
        version = self._context.work.version
        started_mono = self._clock.mono()
        answers, claimed = await self._recorder.commit(claim)
        now_mono = self._clock.mono()
        outlet.note_commit(now_mono - started_mono)
        self._gather_until_mono = now_mono + GATHER_S
        if claimed is not None:
            outlet.take(claimed, limit, version, now_mono)
        if self._ended.is_set():
            return
        if answers:
            self._session.respond_many(answers)
            self._recorder.answers_leave(now_mono)
        outlet.release(now_mono)
        self._arm_ticker(now_mono)
        self._writer.wake()
        self._leaving.look()

    async def _watch_work(self) -> None:
        """Wakes the pump when the store may have something again."""
        outlet = self._outlet
        while True:
            await outlet.drained.wait()
            await self._context.work.changed(outlet.version)
            outlet.refill()
            self._pump_wake.set()

    # Ticker -----------------------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            self._tick_at_mono = self._tick_due(self._clock.mono())
            await self._tick_wake.wait(self._tick_at_mono)
            now_mono = self._clock.mono()
            self._handle(self._session.tick(now_mono), now_mono)
            if now_mono >= self._bind_by_mono and self._session.state in _OPENING:
                self._not_bound_in_time()
            self._outlet.release(now_mono)
            self._writer.wake()

    def _tick_due(self, now_mono: float) -> float:
        due_mono = min(self._session.next_deadline(), self._outlet.next_release(now_mono))
        return min(due_mono, self._bind_by_mono) if self._session.state in _OPENING else due_mono

    def _not_bound_in_time(self) -> None:
        if self._session.state is SessionState.BINDING:
            self._close(CloseReason.BIND_TIMEOUT, "the bind request was not answered")
        else:
            self._close(CloseReason.SESSION_INIT_TIMEOUT, "no outbind came")

    def _arm_ticker(self, now_mono: float) -> None:
        """Wakes the ticker when something became due before it would look again."""
        if self._tick_due(now_mono) < self._tick_at_mono:
            self._tick_wake.set()

    def _asked(self) -> None:
        """An errand stands in the session: it is to be written, and may become overdue."""
        self._arm_ticker(self._clock.mono())
        self._writer.wake()

    # The end ----------------------------------------------------------------------------------------------------

    async def _leave(self) -> None:
        """The way out, once there is a reason for it."""
        leaving = self._leaving
        await leaving.requested()
        self._pump_wake.set()
        if self._session.state.is_bound:
            await leaving.answers()
        if self._session.state.is_bound:
            await leaving.unbind(self._writer.wake)
        self._close(CloseReason.LOCAL, leaving.why)

    def _close(self, reason: CloseReason, detail: str) -> None:
        if not self._ended.is_set():
            self._detail = detail
            now_mono = self._clock.mono()
            self._handle(self._session.close(reason, now_mono), now_mono)

    def _settle(self) -> None:
        """Decides on every segment that was claimed and not answered: written ones are in doubt, others go back."""
        self._close(CloseReason.LOCAL, "cancelled")
        assert self._closed is not None
        written, unwritten = self._outlet.split(self._closed.unanswered)
        reason = Reason.STOPPED if self._leaving.stopping else Reason.LINK_LOST
        waiting = self._recorder.waiting
        waiting.doubts += [Doubtful(*claim, reason) for claim in written if claim not in self._intake.overdue]
        waiting.withdrawals += unwritten
        self._outlet.withdraw()
        self._recorder.end_session(orderly=self._closed.reason is CloseReason.UNBOUND and not self._planned)
        self._judge(silent=bool(written) and not self._answered)
        self._context.counters.deviations.update(self._session.counters)

    def _judge(self, *, silent: bool) -> None:
        """Whether the next session has to probe. `silent`: submit_sms were written, and none was answered."""
        context = self._context
        if silent and (self._stalled or context.probing):
            context.raise_alarm(events.ALARM_NO_ANSWERS)
            context.probes.failed(context.name, self._clock.mono(), context.jitter())
        else:
            context.probes.give_back(context.name)
        if self._stalled or silent:
            self._stalled = context.probing = True
