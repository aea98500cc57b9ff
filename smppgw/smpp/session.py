"""One SMPP session, either end of it, without I/O.

Owns the state, the window, the timers and the octets still to be sent. Octets go in by `receive_data`, time by
`tick`, both return events; octets come out by `data_to_send`. Refuses to know sockets, clocks, carriers and what a
message is: `now` is an argument, in seconds on a monotonic clock, and requests carry a cookie that their answer
brings back.

The session answers by itself enquire_link, unbind, unknown commands, requests that cannot be read, and requests that
the state does not allow. Bad responses are never answered.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable

from smppgw.errors import FramingError, LocalProtocolError, RemoteProtocolError
from smppgw.smpp.codec import Pdu, blank, decode, encode, pdu_class
from smppgw.smpp.commands import (
    Bind,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    Unbind,
    UnbindResp,
)
from smppgw.smpp.constants import (
    INTERFACE_VERSION_34,
    RESPONSE_BIT,
    CommandId,
    Status,
    Tag,
    command_name,
)
from smppgw.smpp.events import (
    BindRefused,
    Bound,
    Closed,
    CloseReason,
    Event,
    OutbindReceived,
    Rejected,
    RequestOverdue,
    RequestReceived,
    ResponseReceived,
    UnbindReceived,
    Unreadable,
)
from smppgw.smpp.framer import MAX_PDU_OCTETS, MAX_SKIPPED_OCTETS, Framer
from smppgw.smpp.states import (
    BINDS,
    OPERATIONS,
    TRANSITIONS,
    WINDOWED,
    Input,
    Role,
    SessionState,
    receivable,
    sendable,
    unlisted_status,
)
from smppgw.smpp.timers import Expiry, Timers, Watch
from smppgw.smpp.tlv import u8_of
from smppgw.smpp.window import Window

_MOVES_WHEN_SENT = {
    **dict.fromkeys(BINDS, Input.BIND_REQUEST),
    CommandId.OUTBIND: Input.OUTBIND,
    CommandId.UNBIND: Input.UNBIND_SENT,
}


class Session:
    """An SMPP session in the role of ESME or SMSC.

    Not for several threads. Every method that can end the session returns events, of which Closed is the last;
    after it nothing is sent, and octets still in data_to_send() should be written before the socket is closed.
    A PDU above `max_pdu_octets` is passed over and refused with ESME_RINVCMDLEN; only a command_length that cannot be
    one, below 16 or above framer.MAX_SKIPPED_OCTETS, ends the session.
    """

    def __init__(
        self,
        role: Role,
        *,
        timers: Timers,
        window: int = 100,
        max_pdu_octets: int = MAX_PDU_OCTETS,
        first_sequence: int = 1,
        now: float,
    ) -> None:
        self.role = role
        self.state = SessionState.OPEN
        #: Tolerated deviations, dropped responses and refused requests, by name.
        self.counters: Counter[str] = Counter()
        #: interface_version of an ESME's bind, sc_interface_version of an SMSC's answer; None when not told.
        self.peer_interface_version: int | None = None
        self._timers = timers
        self._framer = Framer(max_pdu_octets, skipped_octets=MAX_SKIPPED_OCTETS)
        self._window = Window(window, response_s=timers.response_s, first_sequence=first_sequence)
        self._watch = Watch(role, timers, now)
        self._out: list[bytes] = []
        self._owed = 0
        self._bound_as: SessionState | None = None
        self._leaving: CloseReason | None = None  # why we sent our unbind, where not for its own sake
        self._linger_until = math.inf  # UNBOUND: how long late answers are waited for
        self._own_requests: dict[CommandId, Callable[[Pdu, float, list[Event]], None]] = {
            **dict.fromkeys(BINDS, self._bind_received),
            CommandId.OUTBIND: self._outbind_received,
            CommandId.UNBIND: self._unbind_received,
            CommandId.ENQUIRE_LINK: self._enquire_link_received,
            CommandId.ALERT_NOTIFICATION: self._alert_received,
        }
        self._look_up_operations()

    # --- what the owner reads ------------------------------------------------------------------------------------

    @property
    def window_free(self) -> int:
        """How many windowed requests may still be sent now."""
        return self._window.free

    @property
    def in_window(self) -> int:
        """How many windowed requests of ours are unanswered, overdue ones included."""
        return self._window.in_use

    @property
    def owed_responses(self) -> int:
        """How many requests of the peer the owner has not answered yet."""
        return self._owed

    def release(self, sequence_number: int) -> None:
        """The overdue request gives its slot of the window back; a late response to it is still reported.

        KeyError when no RequestOverdue named it, or it has been answered since.
        """
        self._window.release(sequence_number)

    # --- sending -------------------------------------------------------------------------------------------------

    def request(self, pdu: Pdu, now: float, cookie: object = None) -> int:
        """Queues a request and returns the sequence_number it got.

        Raises LocalProtocolError, and queues nothing, when role or state forbid it, the window is full, or a field
        does not fit.
        """
        command_id = pdu.command_id
        if command_id not in self._sendable:
            raise self._forbidden(pdu)
        windowed = command_id in WINDOWED
        if windowed and not self._window.free:
            raise LocalProtocolError(f"{command_id.label}: the window of {self._window.size} is full")
        pdu.sequence_number = sequence_number = self._window.next_sequence()
        self._out.append(encode(pdu))
        if OPERATIONS[command_id].answered:
            self._window.add(sequence_number, command_id, cookie, now)
        if windowed:
            self._watch.active_mono = now
        elif command_id is CommandId.ENQUIRE_LINK:
            self._watch.enquiring = True
        else:
            move = _MOVES_WHEN_SENT.get(command_id)
            if move is not None:
                self._move(move)
        return sequence_number

    def request_many(self, pdus_and_cookies: Iterable[tuple[Pdu, object]], now: float) -> None:
        """Queues a batch of windowed requests in one pass: all of them, or none when it raises LocalProtocolError."""
        allowed = self._batchable
        next_sequence = self._window.next_sequence
        frames: list[bytes] = []
        entries: list[tuple[int, CommandId, object]] = []
        for pdu, cookie in pdus_and_cookies:
            command_id = pdu.command_id
            if command_id not in allowed:
                raise self._forbidden(pdu)
            pdu.sequence_number = sequence_number = next_sequence()
            frames.append(pdu.octets())
            entries.append((sequence_number, command_id, cookie))
        if len(frames) > self._window.free:
            raise LocalProtocolError(f"{len(frames)} requests, but {self._window.free} slots of the window are free")
        self._window.add_many(entries, now)
        self._out += frames
        if frames:
            self._watch.active_mono = now

    def respond(self, response: Pdu) -> None:
        """Queues a response; its sequence_number is that of the request. After Closed it is counted and dropped."""
        self.respond_many((response,))

    def respond_many(self, responses: Iterable[Pdu]) -> None:
        """Queues responses in one pass: all of them, or none when one cannot be encoded (LocalProtocolError)."""
        frames = [response.octets() for response in responses]
        if self.state is SessionState.CLOSED:
            self.counters["response_after_close"] += len(frames)
            return
        self._out += frames
        self._owed = max(self._owed - len(frames), 0)

    def bind(self, pdu: Bind, now: float) -> int:
        """ESME: asks to be bound. Bound, or BindRefused and Closed, will follow."""
        return self.request(pdu, now)

    def accept_bind(self, request: Bind, system_id: str, *, interface_version: int = INTERFACE_VERSION_34) -> None:
        """SMSC: accepts the bind it got as RequestReceived; the session is bound from here on.

        `system_id` is ours. sc_interface_version is told to peers of SMPP 3.4 and later only (SMPP 3.4, 4.1.2).
        """
        self._expect_binding()
        response = _response_to(request)
        response.system_id = system_id  # type: ignore[attr-defined]  # every bind_*_resp has it
        if request.interface_version >= INTERFACE_VERSION_34:
            response.tlvs[Tag.SC_INTERFACE_VERSION] = bytes((interface_version,))
        self._out.append(encode(response))
        self._owed = max(self._owed - 1, 0)
        self._move(BINDS[request.command_id])

    def refuse_bind(self, request: Bind, command_status: int) -> list[Event]:
        """SMSC: refuses the bind with `command_status`, which ends the session."""
        self._expect_binding()
        self._out.append(encode(_response_to(request, command_status)))
        self._move(Input.BIND_REFUSED)
        return [Closed(CloseReason.BIND_REFUSED, [])]

    def unbind(self, now: float) -> None:
        """Starts an orderly end: unbind_resp, or response_s without it, brings Closed.

        Does nothing when the session is ending already. Raises LocalProtocolError when it is not bound.
        """
        if self.state in (SessionState.UNBINDING, SessionState.UNBOUND, SessionState.CLOSED):
            return
        self.request(Unbind(), now)

    def close(self, reason: CloseReason, now: float) -> list[Event]:
        """The owner ends the session, for example because the socket failed. Nothing when it has ended already."""
        return [] if self.state is SessionState.CLOSED else [self._finish(reason)]

    def data_to_send(self) -> bytes:
        """The octets queued since the last call."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    # --- time ----------------------------------------------------------------------------------------------------

    def next_deadline(self) -> float:
        """When `tick` will have something to do; math.inf when nothing is waited for."""
        if self.state is SessionState.CLOSED:
            return math.inf
        if self._nothing_to_linger_for():
            return -math.inf
        return min(self._window.next_deadline(), self._watch.next_deadline(self.state), self._linger_until)

    def tick(self, now: float) -> list[Event]:
        """Does what is due: overdue requests, enquire_link, timeouts. Harmless when called too early or too often."""
        events: list[Event] = []
        if self.state is SessionState.CLOSED:
            return events
        for sequence_number, (command_id, cookie, sent_mono) in self._window.overdue(now):
            if command_id in WINDOWED:
                events.append(RequestOverdue(cookie, sequence_number, command_id))
                continue
            reason = self._own_overdue(command_id, sequence_number, sent_mono)
            if reason is not None:
                events.append(self._finish(reason))
                return events
        expiry = self._watch.expired(self.state, now)
        if expiry is Expiry.SESSION_INIT:
            events.append(self._finish(CloseReason.SESSION_INIT_TIMEOUT))
        elif expiry is Expiry.INACTIVITY:
            self._leaving = CloseReason.INACTIVE
            self.request(Unbind(), now)
        elif expiry is Expiry.ENQUIRE_LINK:
            self.request(EnquireLink(), now)
        elif self._linger_until <= now or self._nothing_to_linger_for():
            events.append(self._finish(CloseReason.UNBOUND))
        return events

    def _own_overdue(self, command_id: CommandId, sequence_number: int, sent_mono: float) -> CloseReason | None:
        if command_id is CommandId.UNBIND:
            return self._leaving or CloseReason.UNBIND_TIMEOUT
        if command_id in BINDS:
            return CloseReason.BIND_TIMEOUT
        self._watch.enquiring = False
        self._window.answer(sequence_number)
        if self._watch.received_mono <= sent_mono:
            return CloseReason.LINK_SILENT
        # Some SMSCs never answer enquire_link, but other PDUs came meanwhile: the link is alive.
        self.counters["enquire_link_unanswered"] += 1
        return None

    # --- receiving -----------------------------------------------------------------------------------------------

    def receive_data(self, data: bytes | bytearray, now: float) -> list[Event]:
        """What the octets just read mean, in order. After Closed they mean nothing."""
        events: list[Event] = []
        if self.state is SessionState.CLOSED:
            return events
        try:
            frames = self._framer.feed(data)
        except FramingError:
            self._framing_lost(events)
            return events
        if frames:
            self._watch.received_mono = now
            self._frames_received(frames, now, events)
        return events

    def receive_eof(self, now: float) -> list[Event]:
        """The peer has closed its end."""
        if self.state is SessionState.CLOSED:
            return []
        orderly = self.state in (SessionState.UNBINDING, SessionState.UNBOUND)
        return [self._finish(self._leaving or CloseReason.UNBOUND if orderly else CloseReason.PEER_CLOSED)]

    def _frames_received(self, frames: list[bytes], now: float, events: list[Event]) -> None:
        for frame in frames:
            self._frame_received(frame, now, events)
            if self.state is SessionState.CLOSED:
                return
        if self._framer.error is not None:
            self._framing_lost(events)

    def _frame_received(self, frame: bytes, now: float, events: list[Event]) -> None:
        try:
            pdu = decode(frame, self._note)
        except RemoteProtocolError as error:
            self._unreadable(frame, error, now, events)
            return
        if pdu.is_response:
            self._response_received(pdu, now, events)
            return
        command_id = pdu.command_id
        if command_id not in self._receivable:
            self.counters["request_in_wrong_state"] += 1
            status = unlisted_status(command_id, self.state)
            text = f"{command_id.label} may not be sent in state {self.state} by an {self.role.peer}"
            self._reject(Rejected(command_id, pdu.sequence_number, status, "", frame, text), events)
            return
        own = self._own_requests.get(command_id)
        if own is not None:
            own(pdu, now, events)
            return
        self._watch.active_mono = now
        self._owed += 1
        events.append(RequestReceived(pdu))

    def _unreadable(self, frame: bytes, error: RemoteProtocolError, now: float, events: list[Event]) -> None:
        command_id, sequence_number = error.command_id, error.sequence_number
        if not command_id & RESPONSE_BIT:
            self.counters["request_unreadable"] += 1
            status = error.command_status
            self._reject(Rejected(command_id, sequence_number, status, error.field, frame, str(error)), events)
            return
        # A bad response is never answered. What its header says still stands.
        status = int.from_bytes(frame[8:12], "big")
        events.append(Unreadable(command_id, sequence_number, status, error.field, frame, str(error)))
        pdu = blank(command_id, sequence_number=sequence_number, command_status=status)
        if pdu is None:
            self.counters["response_unknown"] += 1
            return
        self.counters["response_unreadable"] += 1
        self._response_received(pdu, now, events)

    def _reject(self, rejected: Rejected, events: list[Event]) -> None:
        number, status = rejected.sequence_number, rejected.command_status
        response = blank(rejected.command_id | RESPONSE_BIT, sequence_number=number, command_status=status)
        self._out.append(encode(response or GenericNack(sequence_number=number, command_status=status)))
        events.append(rejected)

    def _framing_lost(self, events: list[Event]) -> None:
        """SMPP 3.4, 4.3: generic_nack with ESME_RINVCMDLEN, and sequence_number 0 since it cannot be read."""
        self._out.append(encode(GenericNack(command_status=Status.ESME_RINVCMDLEN)))
        events.append(self._finish(CloseReason.FRAMING_LOST))

    # --- requests that the session itself deals with -------------------------------------------------------------

    def _enquire_link_received(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        self._out.append(encode(EnquireLinkResp(sequence_number=pdu.sequence_number)))

    def _alert_received(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        self._watch.active_mono = now
        events.append(RequestReceived(pdu))

    def _outbind_received(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        self._move(Input.OUTBIND)
        assert isinstance(pdu, Outbind)
        events.append(OutbindReceived(pdu))

    def _bind_received(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        self._watch.active_mono = now
        self.peer_interface_version = getattr(pdu, "interface_version", None)
        self._owed += 1
        self._move(Input.BIND_REQUEST)
        events.append(RequestReceived(pdu))

    def _unbind_received(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        self._out.append(encode(UnbindResp(sequence_number=pdu.sequence_number)))
        self._move(Input.UNBIND_RECEIVED)
        events.append(UnbindReceived())
        if self.state is SessionState.UNBOUND:
            self._linger_until = now + self._timers.response_s
            if self._nothing_to_linger_for():
                events.append(self._finish(CloseReason.UNBOUND))

    # --- responses -----------------------------------------------------------------------------------------------

    def _response_received(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        sequence_number = pdu.sequence_number
        waiting = self._window.find(sequence_number)
        if waiting is None:
            self.counters["response_unmatched"] += 1
            return
        command_id, cookie, sent_mono = waiting
        if pdu.answers is not command_id and pdu.command_id is not CommandId.GENERIC_NACK:
            self.counters["response_mismatched"] += 1
            return
        late = self._window.answer(sequence_number)
        if command_id in WINDOWED:
            self._watch.active_mono = now
            events.append(ResponseReceived(command_id, cookie, pdu, now - sent_mono, late))
            if self._linger_until < math.inf and self._nothing_to_linger_for():
                events.append(self._finish(CloseReason.UNBOUND))
        elif command_id is CommandId.ENQUIRE_LINK:
            self._watch.enquiring = False
        elif command_id is CommandId.UNBIND:
            events.append(self._finish(self._leaving or CloseReason.UNBOUND))
        else:
            self._bind_answered(command_id, pdu, now, events)

    def _bind_answered(self, command_id: CommandId, pdu: Pdu, now: float, events: list[Event]) -> None:
        if pdu.command_status or pdu.command_id is CommandId.GENERIC_NACK:
            events.append(BindRefused(pdu.command_status, pdu))
            events.append(self._finish(CloseReason.BIND_REFUSED))
            return
        self._watch.active_mono = now
        self.peer_interface_version = u8_of(pdu.tlvs, Tag.SC_INTERFACE_VERSION)
        self._move(BINDS[command_id])
        events.append(Bound(self.state, pdu))

    # --- the state -----------------------------------------------------------------------------------------------

    def _move(self, move: Input) -> None:
        self.state = TRANSITIONS[self.state, move]
        if self.state.is_bound:
            self._bound_as = self.state
        self._look_up_operations()

    def _look_up_operations(self) -> None:
        """Once per state, so that each PDU costs one look into a set."""
        self._sendable = sendable(self.role, self.state)
        self._batchable = self._sendable & WINDOWED
        self._receivable = receivable(self.role, self.state, self._bound_as)

    def _finish(self, reason: CloseReason) -> Closed:
        self._move(Input.LOST)
        return Closed(reason, list(self._window.unanswered()))

    def _nothing_to_linger_for(self) -> bool:
        """The peer has unbound, and neither end owes an answer any more."""
        return self.state is SessionState.UNBOUND and not self._owed and not self._window.in_use

    def _expect_binding(self) -> None:
        if self.role is not Role.SMSC or self.state is not SessionState.BINDING:
            raise LocalProtocolError(f"no bind to answer in state {self.state} as {self.role}")

    def _forbidden(self, pdu: Pdu) -> LocalProtocolError:
        return LocalProtocolError(f"{pdu.command_id.label} may not be sent in state {self.state} by an {self.role}")

    def _note(self, deviation: str) -> None:
        self.counters[deviation] += 1


def _response_to(request: Pdu, command_status: int = 0) -> Pdu:
    cls = pdu_class(request.command_id | RESPONSE_BIT)
    if cls is None:
        raise LocalProtocolError(f"{command_name(request.command_id)} has no response")
    return cls(sequence_number=request.sequence_number, command_status=command_status)
