"""command_status to outcome: the rows that matter, and that no code of the standard is forgotten."""

from __future__ import annotations

import pytest

from smppgw.binds.outcome import OUTCOMES, classify, is_known
from smppgw.queue.model import OutcomeKind
from smppgw.smpp import Status

#: Codes of bind, cancel_sm, replace_sm and query_sm: in answer to submit_sm they say nothing.
NOT_FOR_SUBMIT = {
    "ESME_RBINDFAIL",
    "ESME_RINVPASWD",
    "ESME_RINVSYSID",
    "ESME_RCANCELFAIL",
    "ESME_RREPLACEFAIL",
    "ESME_RQUERYFAIL",
}


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
        (0x0B, OutcomeKind.REJECTED),
        (0x0A, OutcomeKind.REJECTED),
        (0x65, OutcomeKind.REJECTED),
        (0x66, OutcomeKind.REJECTED),
        (0x104, OutcomeKind.REJECTED),
        (0x0411, OutcomeKind.RETRY),
        (0xFFFFFFFF, OutcomeKind.RETRY),
    ],
)
def test_classify(status: int, kind: OutcomeKind) -> None:
    assert classify(status) is kind


def test_only_ok_is_accepted() -> None:
    assert [status for status, kind in OUTCOMES.items() if kind is OutcomeKind.ACCEPTED] == [0]


def test_every_status_of_the_standard_has_its_row() -> None:
    missing = {status.name for status in Status if not is_known(status)} - NOT_FOR_SUBMIT
    assert missing == set()
