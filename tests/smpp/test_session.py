"""One suite for both roles: every test that can be asked of an ESME is asked of an SMSC with the roles swapped."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest

from smppgw.errors import LocalProtocolError
from smppgw.smpp import (
    AlertNotification,
    BindReceiver,
    BindReceiverResp,
    BindRefused,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    Bound,
    Closed,
    CloseReason,
    CommandId,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    Event,
    Framer,
    GenericNack,
    Outbind,
    OutbindReceived,
    Pdu,
    QuerySm,
    Rejected,
    RequestOverdue,
    RequestReceived,
    ResponseReceived,
    Role,
    Session,
    SessionState,
    Status,
    SubmitSm,
    SubmitSmResp,
    Tag,
    Timers,
    Unbind,
    UnbindReceived,
    UnbindResp,
    Unreadable,
    decode,
    encode,
    pdu_class,
)
from smppgw.smpp.constants import MAX_SEQUENCE, RESPONSE_BIT
from smppgw.smpp.framer import MAX_SKIPPED_OCTETS
from tests.smpp.samples import REQUEST_CLASSES

S, C = SessionState, CommandId
START = 1000.0
TIMERS = Timers(session_init_s=5, enquire_link_s=30, inactivity_s=0, response_s=10)
QUIET = Timers(session_init_s=0, enquire_link_s=0, inactivity_s=0, response_s=10)

both_roles = pytest.mark.parametrize("role", list(Role))


def session(role: Role, *, timers: Timers = TIMERS, **options: Any) -> Session:
    return Session(role, timers=timers, now=START, **options)


def sent(session: Session) -> list[Pdu]:
    """What the session wants to send, decoded."""
    return [decode(frame) for frame in Framer(1 << 20).feed(session.data_to_send())]


def give(session: Session, *pdus: Pdu, now: float = START) -> list[Event]:
    return session.receive_data(b"".join(map(encode, pdus)), now)


def bound(role: Role, bind: type[Pdu] = BindTransceiver, **options: Any) -> Session:
    """A session bound the ordinary way, nothing left to send. Its own bind, if any, had sequence_number 1."""
    subject = session(role, **options)
    if role is Role.ESME:
        number = subject.request(bind(system_id="me"), START)  # type: ignore[call-arg]
        answer = pdu_class(bind.command_id | RESPONSE_BIT)
        assert answer is not None
        give(subject, answer(sequence_number=number))
    else:
        (event,) = give(subject, bind(system_id="me", sequence_number=1))  # type: ignore[call-arg]
        assert isinstance(event, RequestReceived)
        subject.accept_bind(event.pdu, "smsc")  # type: ignore[arg-type]
    subject.data_to_send()
    assert subject.state.is_bound
    return subject


def ours(role: Role, **fields: Any) -> Pdu:
    """The windowed request that this role sends most."""
    return SubmitSm(**fields) if role is Role.ESME else DeliverSm(**fields)


def answer(role: Role, **fields: Any) -> Pdu:
    """The peer's response to `ours`."""
    return SubmitSmResp(**fields) if role is Role.ESME else DeliverSmResp(**fields)


def theirs(role: Role, **fields: Any) -> Pdu:
    """The windowed request that the peer sends most."""
    return ours(role.peer, **fields)


# --- binding -------------------------------------------------------------------------------------------------------

BINDS = [(BindTransmitter, S.BOUND_TX), (BindReceiver, S.BOUND_RX), (BindTransceiver, S.BOUND_TRX)]


@pytest.mark.parametrize(("bind", "state"), BINDS)
def test_esme_binds(bind: type[Pdu], state: SessionState) -> None:
    esme = session(Role.ESME)
    request: Any = bind(system_id="me", password="secret")  # type: ignore[call-arg]
    assert esme.bind(request, START) == 1
    assert esme.state is S.BINDING
    assert sent(esme) == [request]
    answer = pdu_class(bind.command_id | RESPONSE_BIT)
    assert answer is not None
    response = answer(sequence_number=1, system_id="smsc", tlvs={Tag.SC_INTERFACE_VERSION: b"\x34"})  # type: ignore[call-arg]
    assert give(esme, response) == [Bound(state, response)]
    assert esme.state is state
    assert esme.peer_interface_version == 0x34


@pytest.mark.parametrize(("bind", "state"), BINDS)
def test_smsc_accepts_a_bind(bind: type[Pdu], state: SessionState) -> None:
    smsc = session(Role.SMSC)
    request: Any = bind(system_id="me", sequence_number=7)  # type: ignore[call-arg]
    assert give(smsc, request) == [RequestReceived(request)]
    assert smsc.state is S.BINDING
    smsc.accept_bind(request, "smsc")
    assert smsc.state is state
    (response,) = sent(smsc)
    assert (response.command_id, response.sequence_number) == (bind.command_id | RESPONSE_BIT, 7)
    assert response.tlvs == {Tag.SC_INTERFACE_VERSION: b"\x34"}
    assert smsc.peer_interface_version == 0x34
    assert smsc.owed_responses == 0


def test_smsc_tells_no_version_to_a_peer_of_3_3() -> None:
    smsc = session(Role.SMSC)
    request = BindTransceiver(interface_version=0x33)
    give(smsc, request)
    smsc.accept_bind(request, "smsc")
    assert sent(smsc) == [BindTransceiverResp(system_id="smsc")]


@pytest.mark.parametrize(
    "response",
    [
        BindTransceiverResp(sequence_number=1, command_status=Status.ESME_RINVPASWD),
        BindTransceiverResp(sequence_number=1, command_status=Status.ESME_RALYBND),
        GenericNack(sequence_number=1, command_status=Status.ESME_RINVCMDID),
        GenericNack(sequence_number=1),
    ],
)
def test_esme_is_refused(response: Pdu) -> None:
    esme = session(Role.ESME)
    esme.bind(BindTransceiver(), START)
    assert give(esme, response) == [
        BindRefused(response.command_status, response),
        Closed(CloseReason.BIND_REFUSED, []),
    ]
    assert esme.state is S.CLOSED


def test_smsc_refuses_a_bind() -> None:
    smsc = session(Role.SMSC)
    request = BindTransceiver(sequence_number=4)
    give(smsc, request)
    assert smsc.refuse_bind(request, Status.ESME_RINVPASWD) == [Closed(CloseReason.BIND_REFUSED, [])]
    assert sent(smsc) == [BindTransceiverResp(sequence_number=4, command_status=Status.ESME_RINVPASWD)]
    assert smsc.state is S.CLOSED


def test_bind_without_an_answer() -> None:
    esme = session(Role.ESME)
    esme.bind(BindTransceiver(), START)
    assert esme.next_deadline() == START + 10
    assert esme.tick(START + 9.9) == []
    assert esme.tick(START + 10) == [Closed(CloseReason.BIND_TIMEOUT, [])]


def test_bind_answered_by_the_response_of_another_bind_is_not_answered() -> None:
    esme = session(Role.ESME)
    esme.bind(BindTransceiver(), START)
    assert give(esme, BindReceiverResp(sequence_number=1)) == []
    assert esme.counters == {"response_mismatched": 1}
    assert esme.state is S.BINDING


def test_smsc_waits_session_init_s_for_a_bind() -> None:
    smsc = session(Role.SMSC)
    assert smsc.next_deadline() == START + 5
    assert smsc.tick(START + 4.9) == []
    give(smsc, EnquireLink(sequence_number=1), now=START + 4.9)
    assert smsc.tick(START + 5) == [Closed(CloseReason.SESSION_INIT_TIMEOUT, [])]


def test_a_bind_in_time_stops_session_init() -> None:
    smsc = session(Role.SMSC)
    give(smsc, BindTransceiver(), now=START + 4)
    assert smsc.next_deadline() == math.inf
    assert smsc.tick(START + 1e6) == []


def test_outbind() -> None:
    smsc, esme = session(Role.SMSC), session(Role.ESME)
    smsc.request(Outbind(system_id="smsc"), START)
    assert (smsc.state, smsc.next_deadline()) == (S.OUTBOUND, START + 5)
    (event,) = esme.receive_data(smsc.data_to_send(), START)
    assert event == OutbindReceived(Outbind(sequence_number=1, system_id="smsc"))
    assert (esme.state, esme.owed_responses) == (S.OUTBOUND, 0)
    esme.bind(BindReceiver(), START)
    (request,) = smsc.receive_data(esme.data_to_send(), START)
    assert isinstance(request, RequestReceived)
    smsc.accept_bind(request.pdu, "smsc")  # type: ignore[arg-type]
    esme.receive_data(smsc.data_to_send(), START)
    assert (esme.state, smsc.state) == (S.BOUND_RX, S.BOUND_RX)


def test_a_second_bind_is_told_that_we_are_bound() -> None:
    smsc = bound(Role.SMSC)
    (event,) = give(smsc, BindTransmitter(sequence_number=5))
    assert isinstance(event, Rejected)
    (response,) = sent(smsc)
    assert (response.sequence_number, response.command_status) == (5, Status.ESME_RALYBND)
    assert smsc.state is S.BOUND_TRX


@both_roles
@pytest.mark.parametrize("call", ["accept_bind", "refuse_bind"])
def test_nothing_to_accept(role: Role, call: str) -> None:
    arguments: dict[str, Any] = {"accept_bind": "smsc", "refuse_bind": 13}
    for subject in (session(role), bound(role)):
        with pytest.raises(LocalProtocolError, match="no bind to answer"):
            getattr(subject, call)(BindTransceiver(), arguments[call])


# --- requests of ours ----------------------------------------------------------------------------------------------


@both_roles
def test_a_request_and_its_response(role: Role) -> None:
    subject = bound(role)
    cookie = object()
    number = subject.request(ours(role), START, cookie)
    (request,) = sent(subject)
    assert (request.sequence_number, request.command_id) == (number, ours(role).command_id)
    assert (subject.in_window, subject.window_free) == (1, 99)
    response = answer(role, sequence_number=number, message_id="7")
    assert give(subject, response, now=START + 0.25) == [
        ResponseReceived(request.command_id, cookie, response, 0.25, False)
    ]
    assert (subject.in_window, subject.window_free) == (0, 100)


@both_roles
def test_a_batch(role: Role) -> None:
    subject = bound(role, window=50)
    subject.request_many(((ours(role), index) for index in range(50)), START)
    requests = sent(subject)
    numbers = [request.sequence_number for request in requests]
    assert numbers == list(range(numbers[0], numbers[0] + 50))
    assert subject.window_free == 0
    events = give(subject, *(answer(role, sequence_number=number) for number in reversed(numbers)))
    assert [event.cookie for event in events if isinstance(event, ResponseReceived)] == list(reversed(range(50)))
    assert subject.in_window == 0


@both_roles
def test_a_full_window(role: Role) -> None:
    subject = bound(role, window=2)
    subject.request_many([(ours(role), 1), (ours(role), 2)], START)
    subject.data_to_send()
    for attempt in (
        lambda: subject.request(ours(role), START),
        lambda: subject.request_many([(ours(role), 3)], START),
    ):
        with pytest.raises(LocalProtocolError, match="window"):
            attempt()
    assert subject.data_to_send() == b""
    subject.request(EnquireLink(), START)  # takes no slot
    assert [pdu.command_id for pdu in sent(subject)] == [C.ENQUIRE_LINK]


BAD_BATCHES: list[tuple[str, Callable[[Role], Pdu]]] = [
    ("does not fit", lambda role: ours(role, source_addr="1" * 30)),
    ("is not windowed", lambda role: EnquireLink()),
    ("may not be sent by this role", lambda role: theirs(role)),
    ("is a response", lambda role: answer(role)),
]


@both_roles
@pytest.mark.parametrize(("name", "bad"), BAD_BATCHES)
def test_a_batch_with_a_bad_request_sends_nothing(role: Role, name: str, bad: Callable[[Role], Pdu]) -> None:
    subject = bound(role)
    with pytest.raises(LocalProtocolError):
        subject.request_many([(ours(role), 1), (bad(role), 2), (ours(role), 3)], START)
    assert (subject.data_to_send(), subject.in_window) == (b"", 0)
    assert subject.next_deadline() == START + 30


@both_roles
def test_a_request_that_does_not_fit_sends_nothing(role: Role) -> None:
    subject = bound(role)
    with pytest.raises(LocalProtocolError, match="destination_addr"):
        subject.request(ours(role, destination_addr="1" * 30), START)
    assert (subject.data_to_send(), subject.in_window) == (b"", 0)


@both_roles
def test_overdue_then_late(role: Role) -> None:
    subject = bound(role, timers=QUIET)
    number = subject.request(ours(role), START, "a")
    subject.request(ours(role), START + 1, "b")
    assert subject.next_deadline() == START + 10
    assert subject.tick(START + 9.9) == []
    assert subject.tick(START + 10) == [RequestOverdue("a", number, ours(role).command_id)]
    assert subject.tick(START + 10) == []
    assert (subject.in_window, subject.next_deadline()) == (2, START + 11)
    late = answer(role, sequence_number=number)
    assert give(subject, late, now=START + 12.5) == [ResponseReceived(ours(role).command_id, "a", late, 12.5, True)]
    assert subject.in_window == 1


@both_roles
def test_generic_nack_answers_the_request(role: Role) -> None:
    subject = bound(role)
    number = subject.request(ours(role), START, "a")
    nack = GenericNack(sequence_number=number, command_status=Status.ESME_RTHROTTLED)
    assert give(subject, nack) == [ResponseReceived(ours(role).command_id, "a", nack, 0.0, False)]


@both_roles
def test_responses_that_belong_to_nothing_are_dropped_and_never_answered(role: Role) -> None:
    subject = bound(role)
    number = subject.request(ours(role), START, "a")
    subject.data_to_send()
    strays = [
        answer(role, sequence_number=number + 1),
        GenericNack(sequence_number=0),
        UnbindResp(sequence_number=number),
        answer(role.peer, sequence_number=number),
    ]
    assert give(subject, *strays) == []
    unknown = bytes.fromhex("00000010 80000110 00000000") + number.to_bytes(4, "big")
    assert subject.receive_data(unknown, START) == [
        Unreadable(0x80000110, number, 0, "", unknown, "unknown command_id 0x80000110")
    ]
    assert subject.counters == {"response_unmatched": 2, "response_mismatched": 2, "response_unknown": 1}
    assert (subject.data_to_send(), subject.in_window) == (b"", 1)


@both_roles
def test_a_second_response_is_dropped(role: Role) -> None:
    subject = bound(role)
    number = subject.request(ours(role), START)
    response = answer(role, sequence_number=number)
    assert len(give(subject, response, response)) == 1
    assert subject.counters["response_unmatched"] == 1


@pytest.mark.parametrize("status", [0, Status.ESME_RMSGQFUL])
def test_of_an_unreadable_response_the_header_counts(status: int) -> None:
    esme = bound(Role.ESME)
    number = esme.request(QuerySm(), START, "a")
    esme.data_to_send()
    body = b"id\0" + b"not a date"  # final_date and all behind it cannot be read
    frame = b"".join(part.to_bytes(4, "big") for part in (16 + len(body), C.QUERY_SM_RESP, status, number)) + body
    unreadable, event = esme.receive_data(frame, START)
    error = "query_sm_resp: final_date has no terminating NUL"
    assert unreadable == Unreadable(C.QUERY_SM_RESP, number, status, "final_date", frame, error)
    assert isinstance(event, ResponseReceived)
    expected = pdu_class(C.QUERY_SM_RESP)
    assert expected is not None
    assert event.response == expected(sequence_number=number, command_status=status)
    assert esme.counters == {"response_unreadable": 1}
    assert esme.data_to_send() == b""


def test_tolerated_deviations_are_counted_by_name() -> None:
    esme = bound(Role.ESME)
    number = esme.request(SubmitSm(), START, "a")
    frame = bytes.fromhex("00000010 80000004 00000000") + number.to_bytes(4, "big")
    (event,) = esme.receive_data(frame, START)
    assert isinstance(event, ResponseReceived)
    assert event.response == SubmitSmResp(sequence_number=number)
    assert esme.counters == {"body_missing": 1}


def test_sequence_numbers_start_where_told_and_wrap() -> None:
    esme = session(Role.ESME, first_sequence=MAX_SEQUENCE)
    assert esme.bind(BindTransceiver(), START) == MAX_SEQUENCE
    give(esme, BindTransceiverResp(sequence_number=MAX_SEQUENCE))
    assert [esme.request(SubmitSm(), START) for _ in range(2)] == [1, 2]


# --- requests of the peer ------------------------------------------------------------------------------------------


@both_roles
def test_a_request_of_the_peer_is_the_owners_to_answer(role: Role) -> None:
    subject = bound(role)
    requests = [theirs(role, sequence_number=number) for number in (5, 6, 0, 0xFFFFFFFF)]
    assert give(subject, *requests) == [RequestReceived(request) for request in requests]
    assert (subject.data_to_send(), subject.owed_responses) == (b"", 4)
    responses = [answer(role.peer, sequence_number=request.sequence_number) for request in requests]
    subject.respond(responses[0])
    subject.respond_many(responses[1:])
    assert sent(subject) == responses
    assert subject.owed_responses == 0


@both_roles
def test_responses_that_do_not_fit_are_refused_together(role: Role) -> None:
    subject = bound(role)
    with pytest.raises(LocalProtocolError, match="message_id"):
        subject.respond_many([DataSmResp(sequence_number=1), DataSmResp(message_id="x" * 65)])
    assert subject.data_to_send() == b""


@both_roles
@pytest.mark.parametrize("state", [S.OPEN, S.BINDING, S.BOUND_TRX, S.UNBINDING])
def test_enquire_link_is_answered_in_any_state(role: Role, state: SessionState) -> None:
    subject = reach(role, state)
    assert give(subject, EnquireLink(sequence_number=77)) == []
    assert sent(subject) == [EnquireLinkResp(sequence_number=77)]


@both_roles
def test_unknown_commands_get_a_generic_nack(role: Role) -> None:
    subject = bound(role)
    frame = bytes.fromhex("00000012 00000110 00000000 00000009 0102")
    assert subject.receive_data(frame + encode(theirs(role, sequence_number=10)), START) == [
        Rejected(0x110, 9, Status.ESME_RINVCMDID, "", frame, "unknown command_id 0x00000110"),
        RequestReceived(theirs(role, sequence_number=10)),
    ]
    assert sent(subject) == [GenericNack(sequence_number=9, command_status=Status.ESME_RINVCMDID)]
    assert subject.counters == {"request_unreadable": 1}


@both_roles
def test_unreadable_requests_get_the_status_of_their_field(role: Role) -> None:
    subject = bound(role)
    frame = encode(theirs(role, sequence_number=9, short_message=b"text"))
    frame = (len(frame) - 2).to_bytes(4, "big") + frame[4:-2]
    command = theirs(role).command_id
    error = f"{command.label}: sm_length is 4 with only 2 octets left"
    assert subject.receive_data(frame, START) == [
        Rejected(command, 9, Status.ESME_RINVMSGLEN, "sm_length", frame, error)
    ]
    assert sent(subject) == [answer(role.peer, sequence_number=9, command_status=Status.ESME_RINVMSGLEN)]
    assert subject.state is S.BOUND_TRX


def test_alert_notification_has_no_response() -> None:
    smsc, esme = bound(Role.SMSC), bound(Role.ESME)
    smsc.request(AlertNotification(source_addr="44"), START)
    assert smsc.in_window == 0
    (event,) = esme.receive_data(smsc.data_to_send(), START)
    assert isinstance(event, RequestReceived)
    assert esme.owed_responses == 0
    assert smsc.tick(START + 11) == []


def test_deliver_sm_on_a_transmitter_bind_is_let_pass() -> None:
    esme = bound(Role.ESME, BindTransmitter)
    assert give(esme, DeliverSm(sequence_number=3)) == [RequestReceived(DeliverSm(sequence_number=3))]


# --- every request in every state ----------------------------------------------------------------------------------


def reach(role: Role, state: SessionState) -> Session:
    """A session brought into `state` by ordinary means, nothing left to send."""
    binds = {S.BOUND_TX: BindTransmitter, S.BOUND_RX: BindReceiver, S.BOUND_TRX: BindTransceiver}
    if state in binds:
        return bound(role, binds[state])
    subject = session(role)
    if state is S.OUTBOUND and role is Role.ESME:
        give(subject, Outbind())
    elif state is S.OUTBOUND:
        subject.request(Outbind(), START)
    elif state is S.BINDING and role is Role.ESME:
        subject.bind(BindTransceiver(), START)
    elif state is S.BINDING:
        give(subject, BindTransceiver())
    elif state is S.UNBINDING:
        subject = bound(role)
        subject.unbind(START)
    elif state is S.UNBOUND:
        subject = bound(role)
        subject.request(ours(role), START)  # something to linger for
        give(subject, Unbind())
    elif state is S.CLOSED:
        subject.close(CloseReason.LOCAL, START)
    subject.data_to_send()
    assert subject.state is state
    return subject


# What a peer may send us, written out once more. Whatever is not here is refused.
TX_WORK = {C.SUBMIT_SM, C.SUBMIT_MULTI, C.QUERY_SM, C.CANCEL_SM, C.REPLACE_SM}
ANY_BOUND = {C.DATA_SM, C.UNBIND, C.ENQUIRE_LINK}
ALL_BINDS = {C.BIND_TRANSMITTER, C.BIND_RECEIVER, C.BIND_TRANSCEIVER}
ACCEPTED: dict[Role, dict[SessionState, set[CommandId]]] = {
    Role.SMSC: {
        S.OPEN: ALL_BINDS | {C.ENQUIRE_LINK},
        S.OUTBOUND: ALL_BINDS | {C.ENQUIRE_LINK},
        S.BINDING: {C.ENQUIRE_LINK},
        S.BOUND_TX: TX_WORK | ANY_BOUND,
        S.BOUND_RX: ANY_BOUND,
        S.BOUND_TRX: TX_WORK | ANY_BOUND,
        S.UNBINDING: TX_WORK | ANY_BOUND,
        S.UNBOUND: {C.ENQUIRE_LINK},
    },
    Role.ESME: {
        S.OPEN: {C.OUTBIND, C.ENQUIRE_LINK},
        S.OUTBOUND: {C.ENQUIRE_LINK},
        S.BINDING: {C.ENQUIRE_LINK},
        S.BOUND_TX: ANY_BOUND | {C.DELIVER_SM},
        S.BOUND_RX: ANY_BOUND | {C.DELIVER_SM, C.ALERT_NOTIFICATION},
        S.BOUND_TRX: ANY_BOUND | {C.DELIVER_SM, C.ALERT_NOTIFICATION},
        S.UNBINDING: ANY_BOUND | {C.DELIVER_SM, C.ALERT_NOTIFICATION},
        S.UNBOUND: {C.ENQUIRE_LINK},
    },
}
OPEN_STATES = [state for state in SessionState if state is not S.CLOSED]


@pytest.mark.parametrize("cls", REQUEST_CLASSES, ids=lambda cls: cls.command_id.label)
@pytest.mark.parametrize(("role", "state"), list(itertools.product(Role, OPEN_STATES)))
def test_every_request_in_every_state_has_its_answer(role: Role, state: SessionState, cls: type[Pdu]) -> None:
    subject = reach(role, state)
    request = cls(sequence_number=42)
    events = give(subject, request)
    command = cls.command_id
    if command in ACCEPTED[role][state]:
        assert not [event for event in events if isinstance(event, Rejected)]
        if command is C.ENQUIRE_LINK:
            assert sent(subject) == [EnquireLinkResp(sequence_number=42)]
        elif command is C.UNBIND:
            assert sent(subject) == [UnbindResp(sequence_number=42)]
            assert events[0] == UnbindReceived()
        else:
            received = OutbindReceived(request) if isinstance(request, Outbind) else RequestReceived(request)
            assert events == [received]
            assert subject.data_to_send() == b""
        return
    bound_or_binding = state not in (S.OPEN, S.OUTBOUND, S.UNBOUND)
    status = Status.ESME_RALYBND if command in ALL_BINDS and bound_or_binding else Status.ESME_RINVBNDSTS
    error = f"{command.label} may not be sent in state {state} by an {role.peer}"
    assert events == [Rejected(command, 42, status, "", encode(request), error)]
    answer = pdu_class(command | RESPONSE_BIT) or GenericNack
    assert sent(subject) == [answer(sequence_number=42, command_status=status)]
    assert subject.counters["request_in_wrong_state"] == 1
    assert subject.state is state


@pytest.mark.parametrize("cls", REQUEST_CLASSES, ids=lambda cls: cls.command_id.label)
@pytest.mark.parametrize(("role", "state"), list(itertools.product(Role, SessionState)))
def test_every_request_of_ours_in_every_state_is_sent_or_refused(
    role: Role, state: SessionState, cls: type[Pdu]
) -> None:
    subject = reach(role, state)
    before = subject.in_window
    tolerated = {C.ENQUIRE_LINK} if not state.is_bound else {C.DELIVER_SM} if state is S.BOUND_TX else set()
    may = set() if state in (S.CLOSED, S.UNBINDING) else ACCEPTED[role.peer][state] - tolerated
    if cls.command_id in may:
        subject.request(cls(), START)
        assert [pdu.command_id for pdu in sent(subject)] == [cls.command_id]
    else:
        with pytest.raises(LocalProtocolError, match=f"{cls.command_id.label} may not be sent in state {state}"):
            subject.request(cls(), START)
        assert (subject.data_to_send(), subject.in_window, subject.state) == (b"", before, state)


@both_roles
def test_after_closed_nothing_happens(role: Role) -> None:
    subject = reach(role, S.CLOSED)
    assert give(subject, EnquireLink(), theirs(role), Unbind()) == []
    assert subject.receive_data(b"garbage" * 4, START) == []
    assert subject.receive_eof(START) == []
    assert subject.tick(START + 1e9) == []
    assert subject.close(CloseReason.LOCAL, START) == []
    subject.unbind(START)
    subject.respond(answer(role.peer, sequence_number=1))
    assert subject.data_to_send() == b""
    assert subject.next_deadline() == math.inf
    assert subject.counters == {"response_after_close": 1}


# --- ending --------------------------------------------------------------------------------------------------------


@both_roles
def test_our_unbind(role: Role) -> None:
    subject = bound(role)
    subject.request(ours(role), START, "a")
    subject.unbind(START)
    subject.unbind(START)
    request = sent(subject)[-1]
    assert isinstance(request, Unbind)
    assert subject.state is S.UNBINDING
    # What the peer had sent before still arrives, and can be answered.
    late = theirs(role, sequence_number=8)
    assert give(subject, late) == [RequestReceived(late)]
    subject.respond(answer(role.peer, sequence_number=8))
    assert len(sent(subject)) == 1
    assert give(subject, UnbindResp(sequence_number=request.sequence_number)) == [Closed(CloseReason.UNBOUND, ["a"])]


@both_roles
def test_our_unbind_is_refused_an_answer_or_answered_by_a_nack_or_the_end(role: Role) -> None:
    subject = reach(role, S.UNBINDING)
    assert subject.next_deadline() == START + 10
    assert subject.tick(START + 10) == [Closed(CloseReason.UNBIND_TIMEOUT, [])]
    subject = reach(role, S.UNBINDING)
    assert give(subject, GenericNack(sequence_number=2 if role is Role.ESME else 1)) == [
        Closed(CloseReason.UNBOUND, [])
    ]
    subject = reach(role, S.UNBINDING)
    assert subject.receive_eof(START) == [Closed(CloseReason.UNBOUND, [])]


@both_roles
def test_both_unbind_at_once(role: Role) -> None:
    subject = bound(role)
    number = subject.request(Unbind(), START)
    subject.data_to_send()
    assert give(subject, Unbind(sequence_number=5)) == [UnbindReceived()]
    assert sent(subject) == [UnbindResp(sequence_number=5)]
    assert give(subject, UnbindResp(sequence_number=number)) == [Closed(CloseReason.UNBOUND, [])]


@both_roles
def test_unbind_before_the_bind_is_our_mistake(role: Role) -> None:
    for state in (S.OPEN, S.OUTBOUND, S.BINDING):
        with pytest.raises(LocalProtocolError):
            reach(role, state).unbind(START)


@both_roles
def test_the_peer_unbinds_and_nothing_is_open(role: Role) -> None:
    subject = bound(role)
    assert give(subject, Unbind(sequence_number=5)) == [UnbindReceived(), Closed(CloseReason.UNBOUND, [])]
    assert sent(subject) == [UnbindResp(sequence_number=5)]


@both_roles
def test_the_peer_unbinds_and_still_answers(role: Role) -> None:
    """What is in the window may be answered between unbind_resp and the end of the stream: then it is no doubt."""
    subject = bound(role)
    numbers = [subject.request(ours(role), START, cookie) for cookie in "ab"]
    assert give(subject, Unbind(sequence_number=5)) == [UnbindReceived()]
    assert subject.state is S.UNBOUND
    first, second = (answer(role, sequence_number=number) for number in numbers)
    (event,) = give(subject, first)
    assert isinstance(event, ResponseReceived)
    events = give(subject, second)
    assert isinstance(events[0], ResponseReceived)
    assert events[1:] == [Closed(CloseReason.UNBOUND, [])]


@both_roles
@pytest.mark.parametrize("how", ["eof", "deadline"])
def test_the_peer_unbinds_and_leaves_us_in_doubt(role: Role, how: str) -> None:
    subject = bound(role)
    subject.request(ours(role), START + 5, "a")
    give(subject, Unbind(sequence_number=5), now=START + 6)
    if how == "eof":
        assert subject.receive_eof(START + 7) == [Closed(CloseReason.UNBOUND, ["a"])]
    else:
        number = 2 if role is Role.ESME else 1
        assert subject.tick(START + 15) == [RequestOverdue("a", number, ours(role).command_id)]
        assert subject.next_deadline() == START + 16
        assert subject.tick(START + 16) == [Closed(CloseReason.UNBOUND, ["a"])]


@both_roles
def test_the_peer_unbinds_while_we_owe_an_answer(role: Role) -> None:
    subject = bound(role)
    give(subject, theirs(role, sequence_number=4))
    assert give(subject, Unbind(sequence_number=5)) == [UnbindReceived()]
    assert subject.next_deadline() == START + 10
    subject.respond(answer(role.peer, sequence_number=4))
    assert [pdu.sequence_number for pdu in sent(subject)] == [5, 4]
    assert subject.next_deadline() == -math.inf
    assert subject.tick(START + 1) == [Closed(CloseReason.UNBOUND, [])]


@both_roles
def test_the_stream_ends(role: Role) -> None:
    for state in (S.OPEN, S.BINDING, S.BOUND_TRX):
        assert reach(role, state).receive_eof(START) == [Closed(CloseReason.PEER_CLOSED, [])]
    subject = bound(role)
    subject.request_many([(ours(role), cookie) for cookie in "abc"], START)
    subject.tick(START + 10)
    subject.request(ours(role), START + 10, "d")
    assert subject.receive_eof(START + 11) == [Closed(CloseReason.PEER_CLOSED, ["a", "b", "c", "d"])]


@both_roles
@pytest.mark.parametrize("reason", [CloseReason.LOCAL, CloseReason.PEER_CLOSED])
def test_the_owner_closes(role: Role, reason: CloseReason) -> None:
    subject = bound(role)
    subject.request(ours(role), START, "a")
    assert subject.close(reason, START) == [Closed(reason, ["a"])]
    assert subject.state is S.CLOSED


@both_roles
def test_framing_is_lost(role: Role) -> None:
    subject = bound(role)
    subject.request(ours(role), START, "a")
    subject.data_to_send()
    good = theirs(role, sequence_number=3)
    assert subject.receive_data(encode(good) + b"\0\0\0\x0f" + bytes(40), START) == [
        RequestReceived(good),
        Closed(CloseReason.FRAMING_LOST, ["a"]),
    ]
    assert sent(subject) == [GenericNack(command_status=Status.ESME_RINVCMDLEN)]


@both_roles
def test_a_pdu_over_the_limit_is_passed_over_and_refused(role: Role) -> None:
    subject = bound(role, max_pdu_octets=200)
    frame = encode(theirs(role, sequence_number=8, tlvs={Tag.MESSAGE_PAYLOAD: bytes(200)}))
    text = f"{theirs(role).command_id.label}: command_length {len(frame)} in a frame of 16 octets"
    status = Status.ESME_RINVCMDLEN
    after = theirs(role, sequence_number=9)
    assert subject.receive_data(frame + encode(after), START) == [
        Rejected(theirs(role).command_id, 8, status, "", frame[:16], text),
        RequestReceived(after),
    ]
    assert sent(subject) == [answer(role.peer, sequence_number=8, command_status=status)]


@both_roles
def test_a_length_nobody_can_mean_loses_framing(role: Role) -> None:
    subject = bound(role)
    assert subject.receive_data((MAX_SKIPPED_OCTETS + 1).to_bytes(4, "big"), START) == [
        Closed(CloseReason.FRAMING_LOST, [])
    ]


# --- timers --------------------------------------------------------------------------------------------------------


@both_roles
def test_a_silent_link_is_asked_and_then_given_up(role: Role) -> None:
    subject = bound(role)
    subject.request(ours(role), START + 29, "a")
    subject.data_to_send()
    assert subject.next_deadline() == START + 30
    assert subject.tick(START + 29.9) == []
    assert subject.tick(START + 30) == []
    assert [pdu.command_id for pdu in sent(subject)] == [C.ENQUIRE_LINK]
    assert subject.tick(START + 35) == []
    assert subject.data_to_send() == b""
    number = 2 if role is Role.ESME else 1
    assert subject.tick(START + 40) == [
        RequestOverdue("a", number, ours(role).command_id),
        Closed(CloseReason.LINK_SILENT, ["a"]),
    ]


@both_roles
def test_an_answered_enquire_link_starts_the_timer_anew(role: Role) -> None:
    subject = bound(role)
    subject.tick(START + 30)
    (request,) = sent(subject)
    assert give(subject, EnquireLinkResp(sequence_number=request.sequence_number), now=START + 31) == []
    assert subject.next_deadline() == START + 61
    subject.tick(START + 61)
    assert [pdu.command_id for pdu in sent(subject)] == [C.ENQUIRE_LINK]


@both_roles
def test_anything_received_puts_enquire_link_off(role: Role) -> None:
    subject = bound(role)
    give(subject, theirs(role), now=START + 29)
    assert subject.tick(START + 30) == []
    assert subject.data_to_send() == b""
    assert subject.next_deadline() == START + 59


@both_roles
def test_a_peer_that_never_answers_enquire_link_but_sends_is_alive(role: Role) -> None:
    subject = bound(role)
    subject.tick(START + 30)
    (request,) = sent(subject)
    give(subject, theirs(role), now=START + 35)
    assert subject.tick(START + 40) == []
    assert subject.counters == {"enquire_link_unanswered": 1}
    assert subject.next_deadline() == START + 65
    assert give(subject, EnquireLinkResp(sequence_number=request.sequence_number), now=START + 41) == []


@both_roles
def test_half_a_pdu_is_no_sign_of_life(role: Role) -> None:
    subject = bound(role)
    subject.receive_data(encode(theirs(role))[:20], START + 29)
    subject.tick(START + 30)
    assert [pdu.command_id for pdu in sent(subject)] == [C.ENQUIRE_LINK]


@both_roles
def test_inactivity_ends_in_an_unbind(role: Role) -> None:
    timers = Timers(session_init_s=0, enquire_link_s=30, inactivity_s=50, response_s=10)
    for ending in ("answer", "silence", "eof"):
        subject = bound(role, timers=timers)
        subject.tick(START + 30)
        (link,) = sent(subject)
        give(subject, EnquireLinkResp(sequence_number=link.sequence_number), now=START + 30)
        give(subject, EnquireLink(sequence_number=4), now=START + 40)
        subject.data_to_send()
        assert subject.next_deadline() == START + 50
        assert subject.tick(START + 50) == []
        (unbind,) = sent(subject)
        assert isinstance(unbind, Unbind)
        if ending == "answer":
            events = give(subject, UnbindResp(sequence_number=unbind.sequence_number), now=START + 51)
        elif ending == "silence":
            events = subject.tick(START + 60)
        else:
            events = subject.receive_eof(START + 51)
        assert events == [Closed(CloseReason.INACTIVE, [])]


@both_roles
def test_work_either_way_is_activity(role: Role) -> None:
    timers = Timers(session_init_s=0, enquire_link_s=0, inactivity_s=50, response_s=1000)
    subject = bound(role, timers=timers)
    number = subject.request(ours(role), START + 10)
    assert subject.next_deadline() == START + 60
    subject.request_many([(ours(role), None)], START + 20)
    assert subject.next_deadline() == START + 70
    give(subject, answer(role, sequence_number=number), now=START + 30)
    assert subject.next_deadline() == START + 80
    give(subject, theirs(role), now=START + 40)
    assert subject.next_deadline() == START + 90
    give(subject, DataSm(), now=START + 45)
    assert subject.next_deadline() == START + 95


@both_roles
def test_ticking_too_often_changes_nothing(role: Role) -> None:
    subject = bound(role)
    for tenths in range(300):
        assert subject.tick(START + tenths / 10) == []
    assert subject.data_to_send() == b""
