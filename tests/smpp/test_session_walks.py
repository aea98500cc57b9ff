"""Sessions under any input: chopped streams, garbage, and two of them joined back to back on a random walk."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from smppgw.errors import LocalProtocolError
from smppgw.smpp import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    Closed,
    CloseReason,
    DataSm,
    DeliverSm,
    EnquireLink,
    Event,
    Framer,
    Outbind,
    OutbindReceived,
    Pdu,
    Rejected,
    RequestReceived,
    ResponseReceived,
    Role,
    Session,
    SessionState,
    SubmitSm,
    Timers,
    Unbind,
    encode,
)
from tests.smpp.samples import ALL_CLASSES, any_pdu, pdus, response_to
from tests.smpp.test_framer import chop
from tests.smpp.test_session import START, bound, session, theirs

TIMERS = Timers(session_init_s=20, enquire_link_s=15, inactivity_s=60, response_s=10)
ORDER = list(SessionState)
rarely = st.integers(0, 7).map(lambda number: number == 7)
pieces = any_pdu.map(encode) | st.binary(max_size=40)


@given(st.sampled_from(Role), st.booleans(), st.lists(pieces, max_size=8), st.lists(st.integers(0, 3000)))
def test_any_chopping_gives_the_same_events(role: Role, is_bound: bool, stream: list[bytes], cuts: list[int]) -> None:
    make = bound if is_bound else session
    whole, chopped = make(role), make(role)
    data = b"".join(stream)
    expected = whole.receive_data(data, START)
    found = [event for piece in chop(data, cuts) for event in chopped.receive_data(piece, START)]
    assert found == expected
    assert chopped.data_to_send() == whole.data_to_send()
    assert (chopped.state, chopped.counters) == (whole.state, whole.counters)


@given(st.sampled_from(Role), st.lists(pieces, max_size=10))
def test_any_octets_leave_a_session_that_is_sound(role: Role, stream: list[bytes]) -> None:
    subject = bound(role)
    events = [event for piece in stream for event in subject.receive_data(piece, START)]
    assert [type(event) for event in events].count(Closed) == (subject.state is SessionState.CLOSED)
    assert not any(isinstance(event, Closed) for event in events[:-1])
    events += subject.close(CloseReason.LOCAL, START)
    assert isinstance(events[-1], Closed)


@given(st.sampled_from([cls for cls in ALL_CLASSES if cls.is_response]).flatmap(pdus), st.sampled_from(Role))
def test_responses_are_never_answered(response: Pdu, role: Role) -> None:
    subject = bound(role)
    assert subject.receive_data(encode(response), START) == []
    assert subject.data_to_send() == b""


class Walk(RuleBasedStateMachine):
    """An ESME and an SMSC, octets under way in both directions, and a clock that only this test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.sessions = {role: Session(role, timers=TIMERS, window=5, now=START) for role in Role}
        self.wires: dict[Role, bytearray] = {role: bytearray() for role in Role}  # towards that role
        self.cookies: dict[Role, set[int]] = {role: set() for role in Role}
        self.seen: dict[Role, list[Event]] = {role: [] for role in Role}
        self.states = {role: [SessionState.OPEN] for role in Role}
        self.owed: dict[Role, list[Pdu]] = {role: [] for role in Role}
        self.next_cookie = 0

    def take(self, role: Role, events: list[Event]) -> None:
        self.seen[role] += events
        for event in events:
            if isinstance(event, ResponseReceived):
                assert isinstance(event.cookie, int)
                self.cookies[role].remove(event.cookie)
            elif isinstance(event, Closed):
                assert set(event.unanswered) == self.cookies[role]
                assert len(event.unanswered) == len(self.cookies[role])
            elif isinstance(event, RequestReceived):
                self.owed[role].append(event.pdu)
        self.flush(role)

    def flush(self, role: Role) -> None:
        self.wires[role.peer] += self.sessions[role].data_to_send()
        state = self.sessions[role].state
        if state is not self.states[role][-1]:
            self.states[role].append(state)

    @initialize(bind=st.sampled_from([BindTransmitter, BindReceiver, BindTransceiver, None]), refused=rarely)
    def begin(self, bind: Any, refused: bool) -> None:
        if bind is not None:
            self.sessions[Role.ESME].bind(bind(), self.now)
            self.flush(Role.ESME)
        if bind is not None and not refused:
            self.carry_all()
            self.sessions[Role.SMSC].accept_bind(self.owed[Role.SMSC].pop(), "smsc")  # type: ignore[arg-type]
            self.flush(Role.SMSC)
            self.carry_all()

    @rule()
    def carry_all(self) -> None:
        for role in Role:
            piece, self.wires[role] = bytes(self.wires[role]), bytearray()
            self.take(role, self.sessions[role].receive_data(piece, self.now))

    @rule(role=st.sampled_from(Role), data=st.data())
    def carry(self, role: Role, data: st.DataObject) -> None:
        wire = self.wires[role]
        some = data.draw(st.integers(0, len(wire)) | st.just(len(wire)))
        piece, self.wires[role] = bytes(wire[:some]), wire[some:]
        self.take(role, self.sessions[role].receive_data(piece, self.now))

    @rule(role=st.sampled_from(Role), cls=st.sampled_from([SubmitSm, DeliverSm, DataSm]), count=st.integers(1, 3))
    def send(self, role: Role, cls: Any, count: int) -> None:
        batch = [(cls(), self.next_cookie + index) for index in range(count)]
        subject = self.sessions[role]
        free = subject.window_free
        try:
            subject.request_many(batch, self.now)
        except LocalProtocolError:
            assert free < count or not subject.state.is_bound or cls is not DataSm
        else:
            self.next_cookie += count
            self.cookies[role] |= {cookie for _, cookie in batch}
        self.flush(role)

    @rule(
        role=st.sampled_from(Role),
        request=st.sampled_from([BindTransceiver, Outbind, EnquireLink, Unbind]),
        unlikely=rarely,
    )
    def steer(self, role: Role, request: Any, unlikely: bool) -> None:
        if request is Unbind and not unlikely:
            return
        try:
            self.sessions[role].request(request(), self.now)
        except LocalProtocolError as error:
            assert "may not be sent" in str(error)
        self.flush(role)

    @precondition(lambda self: any(self.owed.values()))
    @rule(role=st.sampled_from(Role), status=st.sampled_from([0, 0, 0, 0x58]), data=st.data())
    def answer(self, role: Role, status: int, data: st.DataObject) -> None:
        if not self.owed[role]:
            return
        request = self.owed[role].pop(data.draw(st.integers(0, len(self.owed[role]) - 1)))
        subject = self.sessions[role]
        if not isinstance(request, BindTransmitter | BindReceiver | BindTransceiver):
            subject.respond(response_to(request, command_status=status))
        elif subject.state is not SessionState.BINDING:
            pass
        elif status:
            self.take(role, subject.refuse_bind(request, status))
        else:
            subject.accept_bind(request, "smsc")
        self.flush(role)

    @rule(role=st.sampled_from(Role))
    def answer_all(self, role: Role) -> None:
        self.carry_all()
        if self.sessions[role].state is not SessionState.BINDING:
            self.sessions[role].respond_many([response_to(request) for request in self.owed[role]])
            self.owed[role].clear()
        self.flush(role)
        self.carry_all()

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 2.0, 4.0, 11.0, 16.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        for role, subject in self.sessions.items():
            self.take(role, subject.tick(self.now))
            assert subject.next_deadline() > self.now  # or a driver would spin

    @rule(role=st.sampled_from(Role), octets=st.sampled_from([bytes(16), encode(SubmitSm())[:-1]]), unlikely=rarely)
    def spoil(self, role: Role, octets: bytes, unlikely: bool) -> None:
        """Garbage, or a PDU that is not whole, gets into the stream."""
        if unlikely:
            self.take(role, self.sessions[role].receive_data(octets, self.now))

    @rule(role=st.sampled_from(Role))
    def end(self, role: Role) -> None:
        if self.sessions[role.peer].state is SessionState.CLOSED:
            self.take(role, self.sessions[role].receive_data(bytes(self.wires[role]), self.now))
            self.wires[role].clear()
            self.take(role, self.sessions[role].receive_eof(self.now))

    @invariant()
    def states_move_forward(self) -> None:
        for states in self.states.values():
            assert [ORDER.index(state) for state in states] == sorted({ORDER.index(state) for state in states})

    @invariant()
    def windows_hold_what_is_unanswered(self) -> None:
        for role, subject in self.sessions.items():
            assert subject.in_window == len(self.cookies[role])
            assert subject.in_window + subject.window_free == 5

    @invariant()
    def closed_comes_once_and_last(self) -> None:
        for role, subject in self.sessions.items():
            ends = [event for event in self.seen[role] if isinstance(event, Closed)]
            assert len(ends) == (subject.state is SessionState.CLOSED)
            assert not ends or self.seen[role][-1] is ends[0]
            assert (subject.next_deadline() == math.inf) or not ends

    def teardown(self) -> None:
        for role, subject in self.sessions.items():
            self.take(role, subject.close(CloseReason.LOCAL, self.now))
            self.closed_comes_once_and_last()


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)


def test_two_sessions_that_keep_the_rules_never_reject() -> None:
    esme, smsc = session(Role.ESME), session(Role.SMSC)
    esme.bind(BindTransceiver(), START)
    (event,) = smsc.receive_data(esme.data_to_send(), START)
    assert isinstance(event, RequestReceived)
    smsc.accept_bind(event.pdu, "smsc")  # type: ignore[arg-type]
    esme.receive_data(smsc.data_to_send(), START)
    for turn in range(200):
        subject, other = (esme, smsc) if turn % 2 else (smsc, esme)
        count = min(turn % 7, subject.window_free)
        subject.request_many([(theirs(other.role), cookie) for cookie in range(count)], START + turn)
        requests = other.receive_data(subject.data_to_send(), START + turn)
        assert not [event for event in requests if isinstance(event, Rejected)]
        other.respond_many(response_to(event.pdu) for event in requests if isinstance(event, RequestReceived))
        answers = subject.receive_data(other.data_to_send(), START + turn + 0.5)
        assert [event.cookie for event in answers if isinstance(event, ResponseReceived)] == list(range(count))
        assert {event.elapsed_s for event in answers if isinstance(event, ResponseReceived)} <= {0.5}
    assert not esme.counters
    assert not smsc.counters


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A frame of any command, most often hurt in its body; command_length stays true."""
    frame = bytearray(encode(draw(any_pdu)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(16, len(frame)))
        match draw(st.sampled_from(["set", "cut", "add", "unknown"])):
            case "set" if at < len(frame):
                frame[at] = draw(st.integers(0, 255))
            case "cut":
                del frame[at:]
            case "unknown":
                frame[6:8] = draw(st.sampled_from([b"\1\x11", b"\1\x10", b"\xff\xff"]))
            case _:
                frame += draw(st.binary(min_size=1, max_size=5))
    return len(frame).to_bytes(4, "big") + bytes(frame[4:])


@given(st.sampled_from(Role), st.booleans(), st.lists(damaged(), max_size=6))
def test_each_request_has_one_outcome_and_no_response_is_answered(
    role: Role, is_bound: bool, frames: list[bytes]
) -> None:
    subject = (bound if is_bound else session)(role)
    for frame in frames:
        before = subject.state
        events = [event for event in subject.receive_data(frame, START) if not isinstance(event, Closed)]
        answers = Framer().feed(subject.data_to_send())
        assert ORDER.index(subject.state) >= ORDER.index(before)
        if before is SessionState.CLOSED or frame[4] & 0x80:
            assert not answers
            continue
        assert len(events) <= 1
        event = events[0] if events else None
        left_to_the_owner = isinstance(event, RequestReceived | OutbindReceived)
        assert len(answers) == (not left_to_the_owner)
        assert all(answer[12:16] == frame[12:16] for answer in answers)
        if isinstance(event, Rejected):
            assert (event.frame, event.error != "") == (frame, True)
