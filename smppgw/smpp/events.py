"""What a session tells its owner. Plain values; the only behaviour they have is to be compared and shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smppgw.smpp.codec import Pdu
from smppgw.smpp.commands import Outbind
from smppgw.smpp.constants import CommandId
from smppgw.smpp.states import SessionState


class CloseReason(StrEnum):
    """Why a session ended."""

    PEER_CLOSED = "peer_closed"  # end of stream without unbind
    UNBOUND = "unbound"  # orderly, whichever side asked
    UNBIND_TIMEOUT = "unbind_timeout"  # our unbind was not answered within response_s
    BIND_REFUSED = "bind_refused"
    BIND_TIMEOUT = "bind_timeout"  # our bind was not answered within response_s
    SESSION_INIT_TIMEOUT = "session_init_timeout"  # SMSC: connected, but no bind within session_init_s
    LINK_SILENT = "link_silent"  # enquire_link not answered, and nothing else received, within response_s
    INACTIVE = "inactive"  # nothing but enquire_link for inactivity_s
    FRAMING_LOST = "framing_lost"  # a command_length that cannot be
    LOCAL = "local"  # our own decision


@dataclass(slots=True)
class RequestReceived:
    """A request for the owner to answer (alert_notification has no response)."""

    pdu: Pdu


@dataclass(slots=True)
class ResponseReceived:
    """The answer to a windowed request of ours; a generic_nack counts as one.

    `elapsed_s` is the time since it was sent, `late` says that RequestOverdue was reported before.
    """

    request_command_id: CommandId
    cookie: object
    response: Pdu
    elapsed_s: float
    late: bool


@dataclass(slots=True)
class RequestOverdue:
    """No answer within response_s. The slot of the window stays taken until a late one, `Session.release`
    or the end."""

    cookie: object
    sequence_number: int
    command_id: CommandId


@dataclass(slots=True)
class Bound:
    """ESME: our bind was accepted by `response`."""

    state: SessionState
    response: Pdu


@dataclass(slots=True)
class BindRefused:
    """ESME: our bind was refused by `response`. Closed follows."""

    command_status: int
    response: Pdu


@dataclass(slots=True)
class UnbindReceived:
    """The peer unbinds; unbind_resp is queued already."""


@dataclass(slots=True)
class OutbindReceived:
    """ESME: the SMSC asks us to bind, on this same session (SMPP 3.4, 2.2.1). It has no response."""

    pdu: Outbind


@dataclass(slots=True)
class Rejected:
    """A request of the peer that the session refused by itself with `command_status`; the session goes on.

    `frame` is the whole PDU (of one above max_pdu_octets its header only), `error` says what is wrong with it.
    """

    command_id: int
    sequence_number: int
    command_status: int
    field: str  # the field that could not be read; '' when another reason
    frame: bytes
    error: str


@dataclass(slots=True)
class Unreadable:
    """A response whose body cannot be read, or whose command nobody knows. It is never answered.

    `command_status` is that of its header, which still decides: when sequence_number and command_id fit a request of
    ours, what its response leads to follows, with an empty body.
    """

    command_id: int
    sequence_number: int
    command_status: int
    field: str  # the field that could not be read; '' when another reason
    frame: bytes
    error: str


@dataclass(slots=True)
class Closed:
    """The end, always exactly once and always last. Send what data_to_send() still has, then close the socket.

    `unanswered` holds the cookies of the windowed requests that got no response, overdue ones first.
    """

    reason: CloseReason
    unanswered: list[object]


Event = (
    RequestReceived
    | ResponseReceived
    | RequestOverdue
    | Bound
    | BindRefused
    | UnbindReceived
    | OutbindReceived
    | Rejected
    | Unreadable
    | Closed
)
