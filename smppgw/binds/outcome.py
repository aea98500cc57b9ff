"""What a command_status in the answer to submit_sm means for the segment: one table.

Temporary or permanent is a property of the outcome, decided here and nowhere else. Codes that nobody knows count as
temporary: the segment is tried again and, with the carrier's `retry.max_attempts`, still comes to an end.
"""

from __future__ import annotations

from smppgw.queue.model import OutcomeKind
from smppgw.smpp import Status

#: command_status -> kind (SMPP 3.4, 5.1.3, where no other source is named).
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
    0x102: OutcomeKind.RETRY,  # ESME_RSERTYPUNAVAIL, SMPP 5.0, 4.7.6
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
    # SMPP 5.0, 4.7.6
    0x100: OutcomeKind.REJECTED,  # ESME_RSERTYPUNAUTH
    0x101: OutcomeKind.REJECTED,  # ESME_RPROHIBITED
    0x103: OutcomeKind.REJECTED,  # ESME_RSERTYPDENIED
    0x104: OutcomeKind.REJECTED,  # ESME_RINVDCS
    0x105: OutcomeKind.REJECTED,  # ESME_RINVSRCADDRSUBUNIT
    0x106: OutcomeKind.REJECTED,  # ESME_RINVDSTADDRSUBUNIT
}


def classify(command_status: int) -> OutcomeKind:
    """The outcome of a submit_sm answered with `command_status`."""
    return OUTCOMES.get(command_status, OutcomeKind.RETRY)


def is_known(command_status: int) -> bool:
    """False for codes that no table lists; they are counted, for the operator to look at."""
    return command_status in OUTCOMES
