"""What a command_status in the answer to submit_sm means for the segment: one table, which a carrier may change.

Temporary or permanent is a property of the outcome, decided here and nowhere else. Codes that no table lists, the
vendors' own (0x400 to 0x4FF) among them, follow the carrier's `unknown_outcome`: by default the segment is tried
again and, with `retry.max_attempts`, still comes to an end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from smppgw.config import StatusOutcome
from smppgw.queue.model import OutcomeKind
from smppgw.smpp import Status, parse_status

if TYPE_CHECKING:
    from smppgw.binds.shape import CarrierRules

#: The words of the settings.
KINDS: dict[StatusOutcome, OutcomeKind] = {
    StatusOutcome.RETRY: OutcomeKind.RETRY,
    StatusOutcome.REROUTE: OutcomeKind.REROUTED,
    StatusOutcome.FAIL: OutcomeKind.REJECTED,
    StatusOutcome.THROTTLE: OutcomeKind.THROTTLED,
    StatusOutcome.DELAY: OutcomeKind.DELAYED,
    StatusOutcome.PAUSE: OutcomeKind.PAUSED,
}

#: command_status -> kind (SMPP 3.4, 5.1.3; from ESME_RSERTYPUNAUTH on: SMPP 5.0, 4.7.6).
OUTCOMES: dict[int, OutcomeKind] = {
    Status.ESME_ROK: OutcomeKind.ACCEPTED,
    # The bind is too fast: back to its place, not an attempt.
    Status.ESME_RTHROTTLED: OutcomeKind.THROTTLED,
    # At most SMSCs the queue of this recipient, whose phone is off: that recipient waits, not the carrier.
    Status.ESME_RMSGQFUL: OutcomeKind.DELAYED,
    # The SMSC's trouble, or the session's: passes.
    Status.ESME_RINVBNDSTS: OutcomeKind.RETRY,
    Status.ESME_RALYBND: OutcomeKind.RETRY,
    Status.ESME_RSYSERR: OutcomeKind.RETRY,
    Status.ESME_RSUBMITFAIL: OutcomeKind.RETRY,
    Status.ESME_RX_T_APPN: OutcomeKind.RETRY,
    Status.ESME_RDELIVERYFAILURE: OutcomeKind.RETRY,
    Status.ESME_RUNKNOWNERR: OutcomeKind.RETRY,
    Status.ESME_RSERTYPUNAVAIL: OutcomeKind.RETRY,
    # The message is wrong, or wrong for this carrier: sending it again gives the same answer.
    Status.ESME_RINVMSGLEN: OutcomeKind.REJECTED,
    Status.ESME_RINVCMDLEN: OutcomeKind.REJECTED,
    Status.ESME_RINVCMDID: OutcomeKind.REJECTED,
    Status.ESME_RINVPRTFLG: OutcomeKind.REJECTED,
    Status.ESME_RINVREGDLVFLG: OutcomeKind.REJECTED,
    Status.ESME_RINVSRCADR: OutcomeKind.REJECTED,
    Status.ESME_RINVDSTADR: OutcomeKind.REJECTED,
    Status.ESME_RINVMSGID: OutcomeKind.REJECTED,
    Status.ESME_RINVSERTYP: OutcomeKind.REJECTED,
    Status.ESME_RINVNUMDESTS: OutcomeKind.REJECTED,
    Status.ESME_RINVDLNAME: OutcomeKind.REJECTED,
    Status.ESME_RINVDESTFLAG: OutcomeKind.REJECTED,
    Status.ESME_RINVSUBREP: OutcomeKind.REJECTED,
    Status.ESME_RINVESMCLASS: OutcomeKind.REJECTED,
    Status.ESME_RCNTSUBDL: OutcomeKind.REJECTED,
    Status.ESME_RINVSRCTON: OutcomeKind.REJECTED,
    Status.ESME_RINVSRCNPI: OutcomeKind.REJECTED,
    Status.ESME_RINVDSTTON: OutcomeKind.REJECTED,
    Status.ESME_RINVDSTNPI: OutcomeKind.REJECTED,
    Status.ESME_RINVSYSTYP: OutcomeKind.REJECTED,
    Status.ESME_RINVREPFLAG: OutcomeKind.REJECTED,
    Status.ESME_RINVNUMMSGS: OutcomeKind.REJECTED,
    Status.ESME_RINVSCHED: OutcomeKind.REJECTED,
    Status.ESME_RINVEXPIRY: OutcomeKind.REJECTED,
    Status.ESME_RINVDFTMSGID: OutcomeKind.REJECTED,
    Status.ESME_RX_P_APPN: OutcomeKind.REJECTED,
    Status.ESME_RX_R_APPN: OutcomeKind.REJECTED,
    Status.ESME_RINVOPTPARSTREAM: OutcomeKind.REJECTED,
    Status.ESME_ROPTPARNOTALLWD: OutcomeKind.REJECTED,
    Status.ESME_RINVPARLEN: OutcomeKind.REJECTED,
    Status.ESME_RMISSINGOPTPARAM: OutcomeKind.REJECTED,
    Status.ESME_RINVOPTPARAMVAL: OutcomeKind.REJECTED,
    Status.ESME_RSERTYPUNAUTH: OutcomeKind.REJECTED,
    Status.ESME_RPROHIBITED: OutcomeKind.REJECTED,
    Status.ESME_RSERTYPDENIED: OutcomeKind.REJECTED,
    Status.ESME_RINVDCS: OutcomeKind.REJECTED,
    Status.ESME_RINVSRCADDRSUBUNIT: OutcomeKind.REJECTED,
    Status.ESME_RINVDSTADDRSUBUNIT: OutcomeKind.REJECTED,
}


def outcome_table(overrides: Mapping[str, StatusOutcome]) -> dict[int, OutcomeKind]:
    """OUTCOMES with the `outcomes` of a carrier's settings, whose keys are names or numbers of command_status.

    ESME_ROK stays what it is, whatever they say.
    """
    own = {parse_status(name): KINDS[outcome] for name, outcome in overrides.items()}
    return OUTCOMES | own | {Status.ESME_ROK: OutcomeKind.ACCEPTED}


def classify(command_status: int, rules: CarrierRules) -> OutcomeKind:
    """The outcome of a submit_sm answered with `command_status`."""
    return rules.outcomes.get(command_status, rules.unknown_outcome)


def is_known(command_status: int, rules: CarrierRules) -> bool:
    """False for codes that no table lists; they are counted, for the operator to look at."""
    return command_status in rules.outcomes
