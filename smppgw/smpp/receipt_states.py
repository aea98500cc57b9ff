"""The words that receipts use for a message_state, and what they mean.

Owns the table of words. What a carrier's profile adds to it stands in receipts.ReceiptRules; what a state does to a
segment in queue.model.
"""

from __future__ import annotations

from typing import Final

from smppgw.smpp.constants import MessageState

#: message_state to the word of SMPP 3.4, Appendix B, table B-2; SCHEDLD and SKIPPED in the same manner.
STATE_NAMES: Final[dict[int, str]] = {
    MessageState.SCHEDULED: "SCHEDLD",
    MessageState.ENROUTE: "ENROUTE",
    MessageState.DELIVERED: "DELIVRD",
    MessageState.EXPIRED: "EXPIRED",
    MessageState.DELETED: "DELETED",
    MessageState.UNDELIVERABLE: "UNDELIV",
    MessageState.ACCEPTED: "ACCEPTD",
    MessageState.UNKNOWN: "UNKNOWN",
    MessageState.REJECTED: "REJECTD",
    MessageState.SKIPPED: "SKIPPED",
}

#: stat, in capitals, to message_state: the words of Appendix B and what SMSCs write instead. A word that is not here
#: is kept and means nothing: it is never taken for a failure. Numbers are not here either: 1 is ENROUTE by the
#: standard, but "delivered" to the SMSCs that send numbers.
STATES: Final[dict[str, int]] = {
    **{name: int(state) for state, name in STATE_NAMES.items()},
    **dict.fromkeys(("SCHEDULED", "SCHEDUL"), 0),
    **dict.fromkeys(("EN_ROUTE", "ENROUT", "ENROUTED", "BUFFERED", "BUFFERD", "BUFFRED", "BUFFED"), 1),
    **dict.fromkeys(("DELIVERED", "DELIVERD", "DELIVRED", "DELIVER", "DELIVRE", "DLVRD", "DELIVERY"), 2),
    **dict.fromkeys(("EXPIRD", "EXPIRE"), 3),
    **dict.fromkeys(("DELETD", "DELETE", "CANCELLED", "CANCELED"), 4),
    **dict.fromkeys(("UNDELIVERABLE", "UNDELIVERED", "UNDELIVERD", "UNDELIVRD", "UNDELIVD", "UNDELIVER"), 5),
    **dict.fromkeys(("UNDLVRD", "UNDELIVERY", "FAILED", "FAIL"), 5),
    **dict.fromkeys(("ACCEPTED", "ACCEPT", "ACEPTED", "ACKED"), 6),
    **dict.fromkeys(("UNKNOWN", "UNKNOW", "UNKOWN"), 7),
    **dict.fromkeys(("REJECTED", "REJECT", "REJCTED", "DND_REJECTED", "DND-REJECTED", "DNDREJECTED"), 8),
    **dict.fromkeys(("SKIPPD", "SKIP"), 9),
}
