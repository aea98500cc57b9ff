"""Odd PDUs as peers send them, each put to a bound session: what is answered, what is told, and the session goes on.

Requests come to both roles alike, as deliver_sm to an ESME and as submit_sm to an SMSC: these two have the same
fields. test_codec.py has what each shape decodes to; here is what a session makes of it.
"""

from __future__ import annotations

import pytest

from smppgw.smpp import (
    CommandId,
    Event,
    GenericNack,
    Pdu,
    QuerySm,
    Rejected,
    RequestReceived,
    ResponseReceived,
    Role,
    Session,
    SessionState,
    Status,
    SubmitSmResp,
    Unreadable,
    encode,
    pdu_class,
)
from smppgw.smpp.constants import RESPONSE_BIT
from tests.smpp.test_session import START, both_roles, bound, ours, sent, theirs

C = CommandId
MANDATORY = "00 01 01 3100 01 01 3200 00 00 00 00 00 00 00 00 00"


def frame(command_id: int, number: int, body: str = "", *, status: int = 0) -> bytes:
    octets = bytes.fromhex(body)
    parts = (16 + len(octets), command_id, status, number)
    return b"".join(part.to_bytes(4, "big") for part in parts) + octets


def still_works(subject: Session) -> None:
    """Requests are taken, and what was said before did not leave half a PDU behind."""
    request = frame(theirs(subject.role).command_id, 4711, MANDATORY + "02 6869")
    (event,) = subject.receive_data(request, START)
    assert isinstance(event, RequestReceived)
    assert event.pdu.sequence_number == 4711
    assert subject.state is SessionState.BOUND_TRX


# --- requests that are let pass ------------------------------------------------------------------------------------

LET_PASS: list[tuple[str, str, bytes, str]] = [
    ("as it should be", "02 6869", b"hi", ""),
    ("a terminator behind the text, not counted", "02 6869 00", b"hi", "sm_length_off_by_one"),
    ("a terminator behind the text, counted", "03 6869 00", b"hi\0", ""),
    ("sm_length counts a terminator that is not there", "03 6869", b"hi", "sm_length_off_by_one"),
    ("the same before a TLV", "03 6869 0204 0002 0001", b"hi", "sm_length_off_by_one"),
    ("sm_length one too small", "01 6869", b"hi", "sm_length_off_by_one"),
    ("sm_length one too small before a TLV", "01 6869 0204 0002 0001", b"hi", "sm_length_off_by_one"),
    ("a TLV's value is missing", "02 6869 0204 0002", b"hi", "tlv_unreadable"),
    ("a TLV is cut in its head", "02 6869 020400", b"hi", "tlv_unreadable"),
    ("a TLV of no length", "02 6869 0204 0000", b"hi", ""),
    ("a TLV twice", "02 6869 0204 0002 0001 0204 0002 0002", b"hi", ""),
    ("an unknown TLV before a known one", "02 6869 1501 0001 01 0204 0002 0002", b"hi", ""),
    ("padding to a multiple of eight", "02 6869" + "00" * 5, b"hi", "padding"),
    ("padding behind a TLV", "02 6869 0204 0002 0001" + "00" * 3, b"hi", "padding"),
]


@both_roles
@pytest.mark.parametrize(("name", "tail", "text", "noted"), LET_PASS, ids=[case[0] for case in LET_PASS])
def test_odd_requests_are_let_pass_and_noted(role: Role, name: str, tail: str, text: bytes, noted: str) -> None:
    subject = bound(role)
    (event,) = subject.receive_data(frame(theirs(role).command_id, 7, MANDATORY + tail), START)
    assert isinstance(event, RequestReceived)
    assert event.pdu.short_message == text  # type: ignore[attr-defined]
    assert subject.counters == ({noted: 1} if noted else {})
    assert subject.data_to_send() == b""
    still_works(subject)


@both_roles
@pytest.mark.parametrize("body", ["00", "00000000", "0102", "0204 0002 0001"])
def test_enquire_link_with_something_behind_it_is_answered(role: Role, body: str) -> None:
    subject = bound(role)
    assert subject.receive_data(frame(C.ENQUIRE_LINK, 7, body), START) == []
    assert [(pdu.command_id, pdu.sequence_number) for pdu in sent(subject)] == [(C.ENQUIRE_LINK_RESP, 7)]
    still_works(subject)


# --- requests that are refused -------------------------------------------------------------------------------------

REFUSED: list[tuple[str, str, str, Status]] = [
    ("no body", "", "service_type", Status.ESME_RINVSERTYP),
    ("source_addr without an end", "00 01 01 313233", "source_addr", Status.ESME_RINVSRCADR),
    ("it ends before the destination", "00 01 01 3100", "dest_addr_ton", Status.ESME_RINVDSTTON),
    ("it ends before esm_class", "00 01 01 3100 01 01 3200", "esm_class", Status.ESME_RINVESMCLASS),
    ("it ends before protocol_id", "00 01 01 3100 01 01 3200 00", "protocol_id", Status.ESME_RINVCMDLEN),
    ("validity_period without an end", "00 01 01 3100 01 01 3200 00 00 00 00 31", "validity_period",
     Status.ESME_RINVEXPIRY),
    ("it ends before sm_length", MANDATORY, "sm_length", Status.ESME_RINVMSGLEN),
    ("sm_length two too big", MANDATORY + "04 6869", "sm_length", Status.ESME_RINVMSGLEN),
]  # fmt: skip


@both_roles
@pytest.mark.parametrize(("name", "body", "field", "status"), REFUSED, ids=[case[0] for case in REFUSED])
def test_bad_requests_get_one_answer_with_the_status_of_the_field(
    role: Role, name: str, body: str, field: str, status: Status
) -> None:
    subject = bound(role)
    command = theirs(role).command_id
    octets = frame(command, 7, body)
    (event,) = subject.receive_data(octets, START)
    assert isinstance(event, Rejected)
    assert event.error.startswith(f"{command.label}: {field} ")
    assert event == Rejected(command, 7, status, field, octets, event.error)
    (response,) = sent(subject)
    assert (response.command_id, response.sequence_number, response.command_status) == (
        command | RESPONSE_BIT, 7, status,
    )  # fmt: skip
    assert subject.counters == {"request_unreadable": 1}
    assert subject.owed_responses == 0
    still_works(subject)


@both_roles
@pytest.mark.parametrize(
    "command_id", [0x110, C.BROADCAST_SM, C.QUERY_BROADCAST_SM, C.CANCEL_BROADCAST_SM, 0x00010200]
)
@pytest.mark.parametrize("number", [0, 7, 0xFFFFFFFF])
def test_commands_nobody_supports_get_a_generic_nack(role: Role, command_id: int, number: int) -> None:
    subject = bound(role)
    (event,) = subject.receive_data(frame(command_id, number, "010203"), START)
    assert isinstance(event, Rejected)
    assert sent(subject) == [GenericNack(sequence_number=number, command_status=Status.ESME_RINVCMDID)]
    still_works(subject)


def test_a_bad_request_without_a_response_of_its_own_gets_a_generic_nack() -> None:
    esme = bound(Role.ESME)
    esme.receive_data(frame(C.ALERT_NOTIFICATION, 7, "01"), START)
    assert sent(esme) == [GenericNack(sequence_number=7, command_status=Status.ESME_RINVSRCNPI)]
    still_works(esme)


@pytest.mark.parametrize("command", [C.QUERY_SM, C.CANCEL_SM, C.REPLACE_SM, C.SUBMIT_SM, C.SUBMIT_MULTI])
def test_what_only_an_esme_may_ask_is_refused_by_one(command: CommandId) -> None:
    esme = bound(Role.ESME)
    cls = pdu_class(command)
    answer = pdu_class(command | RESPONSE_BIT)
    assert cls is not None
    assert answer is not None
    (event,) = esme.receive_data(encode(cls(sequence_number=7)), START)
    assert isinstance(event, Rejected)
    assert sent(esme) == [answer(sequence_number=7, command_status=Status.ESME_RINVBNDSTS)]
    still_works(esme)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("61" * 16 + "00 7077 00 00 34 00 00 00", Status.ESME_RINVSYSID),
        ("6d6500" + "70" * 9 + "00 00 34 00 00 00", Status.ESME_RINVPASWD),
        ("6d6500 707700" + "74" * 13 + "00 34 00 00 00", Status.ESME_RINVSYSTYP),
    ],
)
def test_credentials_longer_than_the_standard_allows_are_refused_by_an_smsc(body: str, status: Status) -> None:
    smsc = Session(Role.SMSC, timers=bound(Role.SMSC)._timers, now=START)
    smsc.receive_data(frame(C.BIND_TRANSCEIVER, 1, body), START)
    (response,) = sent(smsc)
    assert (response.command_id, response.command_status) == (C.BIND_TRANSCEIVER_RESP, status)
    assert smsc.state is SessionState.OPEN


# --- responses -----------------------------------------------------------------------------------------------------


def asked(role: Role, request: Pdu | None = None) -> tuple[Session, int]:
    """A session with one request out, and its sequence_number."""
    subject = bound(role)
    number = subject.request(request or ours(role), START, "cookie")
    subject.data_to_send()
    return subject, number


def received(events: list[Event]) -> ResponseReceived:
    assert isinstance(events[-1], ResponseReceived)
    assert events[-1].cookie == "cookie"
    return events[-1]


ANSWERS: list[tuple[str, int, str, str, str]] = [
    ("OK without a body", 0, "", "", "body_missing"),
    ("OK with an empty id", 0, "00", "", ""),
    ("OK, the id without an end", 0, "6162", "ab", "terminator_missing"),
    ("OK, the id too long", 0, "61" * 80 + "00", "a" * 80, "field_too_long"),
    ("OK, the id of fixed width", 0, "6162" + "00" * 63, "ab", "padding"),
    ("OK with something behind it", 0, "616200 ffff", "ab", "tlv_unreadable"),
    ("refused without a body", 8, "", "", ""),
    ("refused with an empty id", 8, "00", "", ""),
    ("refused with an id", 8, "616200", "ab", ""),
    ("refused, and the id without an end", 8, "6162", "ab", "terminator_missing"),
]


@both_roles
@pytest.mark.parametrize(
    ("name", "status", "body", "message_id", "noted"), ANSWERS, ids=[case[0] for case in ANSWERS]
)
def test_odd_responses_count(role: Role, name: str, status: int, body: str, message_id: str, noted: str) -> None:
    subject, number = asked(role)
    command = ours(role).command_id | RESPONSE_BIT
    event = received(subject.receive_data(frame(command, number, body, status=status), START))
    assert event.response.command_status == status
    assert event.response.message_id == message_id  # type: ignore[attr-defined]
    assert subject.counters == ({noted: 1} if noted else {})
    assert subject.data_to_send() == b""
    still_works(subject)


@pytest.mark.parametrize("status", [0, int(Status.ESME_RQUERYFAIL)])
def test_the_header_of_an_unreadable_response_decides(status: int) -> None:
    esme, number = asked(Role.ESME, QuerySm())
    octets = frame(C.QUERY_SM_RESP, number, "3700 00", status=status)
    events = esme.receive_data(octets, START)
    assert events[0] == Unreadable(
        C.QUERY_SM_RESP, number, status, "message_state", octets, "query_sm_resp: message_state is missing"
    )
    response = received(events).response
    assert (response.command_status, response.message_id) == (status, "")  # type: ignore[attr-defined]
    assert esme.data_to_send() == b""
    assert esme.in_window == 0
    still_works(esme)


def test_octets_past_the_limit_and_without_an_end_are_no_message_id() -> None:
    esme, number = asked(Role.ESME)
    events = esme.receive_data(frame(C.SUBMIT_SM_RESP, number, "ff" * 80), START)
    assert isinstance(events[0], Unreadable)
    assert (events[0].field, events[0].command_status) == ("message_id", 0)
    assert received(events).response == SubmitSmResp(sequence_number=number)
    still_works(esme)


@both_roles
@pytest.mark.parametrize("status", [0, 8, 0x58])
@pytest.mark.parametrize("body", ["", "00", "616200", "ff"])
def test_generic_nack_answers_whatever_it_carries(role: Role, status: int, body: str) -> None:
    subject, number = asked(role)
    event = received(subject.receive_data(frame(C.GENERIC_NACK, number, body, status=status), START))
    assert isinstance(event.response, GenericNack)
    assert event.response.command_status == status
    assert subject.in_window == 0
    still_works(subject)


STRAYS: list[tuple[str, int, int, str]] = [
    ("to a sequence_number we did not use", C.SUBMIT_SM_RESP, 999, "response_unmatched"),
    ("to sequence_number 0", C.GENERIC_NACK, 0, "response_unmatched"),
    ("of another command", C.QUERY_SM_RESP, -1, "response_mismatched"),
    ("enquire_link_resp", C.ENQUIRE_LINK_RESP, -1, "response_mismatched"),
    ("of an unknown command", 0x80000110, -1, "response_unknown"),
    ("of a command of 5.0", C.BROADCAST_SM_RESP, -1, "response_unknown"),
]


@both_roles
@pytest.mark.parametrize(("name", "command_id", "number", "counted"), STRAYS, ids=[case[0] for case in STRAYS])
def test_stray_responses_are_counted_and_change_nothing(
    role: Role, name: str, command_id: int, number: int, counted: str
) -> None:
    subject, ours_is = asked(role)
    octets = frame(command_id, ours_is if number < 0 else number, status=8)
    events = subject.receive_data(octets, START)
    assert [type(event) for event in events] == ([Unreadable] if counted == "response_unknown" else [])
    assert subject.counters == {counted: 1}
    assert (subject.data_to_send(), subject.in_window) == (b"", 1)
    still_works(subject)


@both_roles
def test_responses_out_of_order(role: Role) -> None:
    subject = bound(role)
    numbers = [subject.request(ours(role), START, cookie) for cookie in range(5)]
    subject.data_to_send()
    command = ours(role).command_id | RESPONSE_BIT
    order = [3, 0, 4, 1, 2]
    octets = b"".join(frame(command, numbers[index], "00") for index in order)
    events = subject.receive_data(octets, START)
    assert [event.cookie for event in events if isinstance(event, ResponseReceived)] == order
    assert subject.counters == {}
