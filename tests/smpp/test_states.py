from __future__ import annotations

from itertools import product

import pytest

from smppgw.smpp import OPERATIONS, TRANSITIONS, CommandId, Role, SessionState, Status, pdu_class
from smppgw.smpp import states as states_module
from smppgw.smpp.states import BINDS, WINDOWED, Input, receivable, sendable, unlisted_status

S, C = SessionState, CommandId
ORDER = list(SessionState)

# SMPP 3.4, table 2-1, read again: command, states (T, R, X for TRX, O for OPEN), issued by ESME, issued by SMSC.
TABLE_2_1 = [
    ("bind_transmitter", "O", True, False),
    ("bind_receiver", "O", True, False),
    ("bind_transceiver", "O", True, False),
    ("outbind", "O", False, True),
    ("unbind", "TRX", True, True),
    ("submit_sm", "TX", True, False),
    ("submit_multi", "TX", True, False),
    ("data_sm", "TRX", True, True),
    ("deliver_sm", "RX", False, True),
    ("query_sm", "TX", True, False),
    ("cancel_sm", "TX", True, False),
    ("replace_sm", "TX", True, False),
    ("enquire_link", "TRX", True, True),
    ("alert_notification", "RX", False, True),
]
LETTERS = {"O": S.OPEN, "T": S.BOUND_TX, "R": S.BOUND_RX, "X": S.BOUND_TRX}


@pytest.mark.parametrize(("command", "letters", "esme", "smsc"), TABLE_2_1)
def test_operations_are_those_of_the_standard(command: str, letters: str, esme: bool, smsc: bool) -> None:
    row = OPERATIONS[C[command.upper()]]
    assert row.states - {S.OUTBOUND} == {LETTERS[letter] for letter in letters}
    assert row.sender == {role for role, may in ((Role.ESME, esme), (Role.SMSC, smsc)) if may}


def test_every_request_has_a_row() -> None:
    assert {row[0].upper() for row in TABLE_2_1} == {c.name for c in OPERATIONS}
    assert set(OPERATIONS) == {command for command in C if command < 0x80000000 and pdu_class(command)}


def test_requests_that_take_a_slot_and_requests_without_response() -> None:
    assert {c.label for c in WINDOWED} == {
        "submit_sm", "submit_multi", "data_sm", "deliver_sm", "query_sm", "cancel_sm", "replace_sm",
    }  # fmt: skip
    assert {c for c, row in OPERATIONS.items() if not row.answered} == {C.OUTBIND, C.ALERT_NOTIFICATION}


@pytest.mark.parametrize(("before", "move"), list(TRANSITIONS))
def test_states_only_move_forward(before: SessionState, move: Input) -> None:
    after = TRANSITIONS[before, move]
    assert ORDER.index(after) > ORDER.index(before) or (before, move) == (S.UNBINDING, Input.UNBIND_RECEIVED)


def test_every_state_can_be_lost_and_reached() -> None:
    assert all((state, Input.LOST) in TRANSITIONS for state in SessionState if state is not S.CLOSED)
    assert not [state for state, _ in TRANSITIONS if state is S.CLOSED]
    assert set(TRANSITIONS.values()) == set(SessionState) - {S.OPEN}


def test_what_one_role_may_send_the_other_receives() -> None:
    for role, state in product(Role, SessionState):
        assert sendable(role.peer, state) <= receivable(role, state)


def test_while_unbinding_what_was_under_way_still_arrives() -> None:
    assert C.DELIVER_SM not in receivable(Role.ESME, S.UNBINDING)
    assert C.DELIVER_SM in receivable(Role.ESME, S.UNBINDING, S.BOUND_RX)
    assert C.SUBMIT_SM not in receivable(Role.SMSC, S.UNBINDING, S.BOUND_RX)
    assert C.SUBMIT_SM in receivable(Role.SMSC, S.UNBINDING, S.BOUND_TX)
    assert receivable(Role.ESME, S.BOUND_TX, S.BOUND_RX) == receivable(Role.ESME, S.BOUND_TX)
    assert not sendable(Role.ESME, S.UNBINDING)


def test_tolerated_deviations() -> None:
    """A peer may; we do not."""
    assert C.DELIVER_SM in receivable(Role.ESME, S.BOUND_TX)
    assert C.DELIVER_SM not in sendable(Role.SMSC, S.BOUND_TX)
    for role, state in product(Role, SessionState):
        assert (C.ENQUIRE_LINK in receivable(role, state)) == (state is not S.CLOSED)
        assert (C.ENQUIRE_LINK in sendable(role, state)) == state.is_bound


@pytest.mark.parametrize(
    ("command", "state", "status"),
    [
        (C.SUBMIT_SM, S.OPEN, Status.ESME_RINVBNDSTS),
        (C.SUBMIT_SM, S.BOUND_RX, Status.ESME_RINVBNDSTS),
        (C.BIND_RECEIVER, S.BOUND_TX, Status.ESME_RALYBND),
        (C.BIND_TRANSCEIVER, S.BINDING, Status.ESME_RALYBND),
        (C.BIND_TRANSCEIVER, S.UNBOUND, Status.ESME_RINVBNDSTS),
    ],
)
def test_status_of_what_is_not_listed(command: CommandId, state: SessionState, status: Status) -> None:
    assert unlisted_status(command, state) is status


def test_each_bind_has_its_state() -> None:
    assert {c.label: TRANSITIONS[S.BINDING, move].value for c, move in BINDS.items()} == {
        "bind_transmitter": "bound_tx",
        "bind_receiver": "bound_rx",
        "bind_transceiver": "bound_trx",
    }


def test_the_diagram_names_every_state() -> None:
    assert states_module.__doc__ is not None
    diagram = states_module.__doc__.partition("    OPEN -")[2].partition("The rule that")[0]
    assert all(state.name in f"OPEN {diagram}" for state in SessionState)
