"""command_status to outcome: the rows that matter, what settings change, and that no code is forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.binds.outcome import KINDS, OUTCOMES, classify, is_known
from smppgw.binds.shape import CarrierRules, carrier_rules
from smppgw.config import StatusOutcome
from smppgw.queue.model import OutcomeKind
from smppgw.smpp import Status
from tests.support.binds import carrier

#: Codes of bind, cancel_sm, replace_sm, query_sm and of the broadcast commands: in answer to submit_sm they say
#: nothing.
NOT_FOR_SUBMIT = {
    "ESME_RBINDFAIL",
    "ESME_RINVPASWD",
    "ESME_RINVSYSID",
    "ESME_RCANCELFAIL",
    "ESME_RREPLACEFAIL",
    "ESME_RQUERYFAIL",
}

DEFAULT = carrier_rules(carrier())


def rules(outcomes: dict[str, StatusOutcome], unknown: StatusOutcome = StatusOutcome.RETRY) -> CarrierRules:
    return carrier_rules(carrier(outcomes=outcomes, unknown_outcome=unknown))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (0x00, OutcomeKind.ACCEPTED),
        (0x58, OutcomeKind.THROTTLED),
        (0x14, OutcomeKind.DELAYED),
        (0x08, OutcomeKind.RETRY),
        (0x45, OutcomeKind.RETRY),
        (0x64, OutcomeKind.RETRY),
        (0xFF, OutcomeKind.RETRY),
        (0x02, OutcomeKind.REJECTED),
        (0x03, OutcomeKind.REJECTED),
        (0x0B, OutcomeKind.REJECTED),
        (0x0A, OutcomeKind.REJECTED),
        (0x65, OutcomeKind.REJECTED),
        (0x66, OutcomeKind.REJECTED),
        (0x101, OutcomeKind.REJECTED),
        (0x102, OutcomeKind.RETRY),
        (0x104, OutcomeKind.REJECTED),
        (0x0411, OutcomeKind.RETRY),
        (0xFFFFFFFF, OutcomeKind.RETRY),
    ],
)
def test_classify(status: int, kind: OutcomeKind) -> None:
    assert classify(status, DEFAULT) is kind


@pytest.mark.parametrize(
    ("name", "status"), [("ESME_RSUBMITFAIL", 0x45), ("RSUBMITFAIL", 0x45), ("0x45", 0x45), ("1041", 0x411)]
)
@pytest.mark.parametrize("outcome", list(StatusOutcome))
def test_settings_win_over_the_table(name: str, status: int, outcome: StatusOutcome) -> None:
    its = rules({name: outcome})
    assert classify(status, its) is KINDS[outcome]
    assert is_known(status, its)
    assert classify(0x58, its) is OutcomeKind.THROTTLED


@pytest.mark.parametrize("outcome", list(StatusOutcome))
def test_what_nobody_knows_follows_the_settings(outcome: StatusOutcome) -> None:
    its = rules({}, outcome)
    assert {classify(status, its) for status in (0x400, 0x4FF, 0x500, 0xFFFFFFFF)} == {KINDS[outcome]}
    assert not any(is_known(status, its) for status in (0x400, 0x4FF, 0x500, 0xFFFFFFFF))
    assert classify(0x0B, its) is OutcomeKind.REJECTED


@given(
    status=st.integers(1, 0xFFFFFFFF),
    name=st.sampled_from(["0x0", "ESME_ROK", "0x58", "0x411"]),
    outcome=st.sampled_from(list(StatusOutcome)),
    unknown=st.sampled_from(list(StatusOutcome)),
)
def test_only_ok_is_accepted(status: int, name: str, outcome: StatusOutcome, unknown: StatusOutcome) -> None:
    its = rules({name: outcome}, unknown)
    assert classify(0, its) is OutcomeKind.ACCEPTED
    assert classify(status, its) is not OutcomeKind.ACCEPTED


def test_every_status_of_the_standard_has_its_row() -> None:
    missing = {status.name for status in Status if not is_known(status, DEFAULT)} - NOT_FOR_SUBMIT
    assert {name for name in missing if "BCAST" not in name} == set()
    assert OUTCOMES.keys() == DEFAULT.outcomes.keys()
