"""SMPP on the wire, sans-IO: no trio, no clock, no sockets, no logging.

    constants   command_id, command_status, TLV tags and their names
    fields      kinds of mandatory fields; which status a bad field deserves
    tlv         optional parameters
    codec       tables compiled into encode and decode
    commands    the tables: every PDU of SMPP 3.4
    framer      octets to frames
    states      TRANSITIONS and OPERATIONS of a session, for both roles
    window      our unanswered requests
    timers      the session's timers as values
    events      what a session tells its owner
    session     one session, either end of it
    receipts    delivery receipts, read and written; their words (receipt_states), text (receipt_text) and dates
                (receipt_dates) have modules of their own
    times       SMPP time, as validity_period and schedule_delivery_time have it

Both ends use the same classes: the gateway as ESME, the simulator as SMSC. Sections cited are those of the SMPP 3.4
specification, issue 1.2, unless 5.0 is named.
"""

from __future__ import annotations

from smppgw.smpp.codec import Deviation, Pdu, blank, decode, encode, pdu_class
from smppgw.smpp.commands import (
    AlertNotification,
    Bind,
    BindReceiver,
    BindReceiverResp,
    BindResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
)
from smppgw.smpp.constants import (
    ESM_TYPE_INTERMEDIATE,
    ESM_TYPE_MASK,
    ESM_TYPE_RECEIPT,
    ESM_UDHI,
    INTERFACE_VERSION_33,
    INTERFACE_VERSION_34,
    INTERFACE_VERSION_50,
    RESPONSE_BIT,
    CommandId,
    MessageState,
    Status,
    Tag,
    command_name,
    parse_status,
    status_name,
    status_text,
)
from smppgw.smpp.events import (
    BindRefused,
    Bound,
    Closed,
    CloseReason,
    Event,
    OutbindReceived,
    Rejected,
    RequestOverdue,
    RequestReceived,
    ResponseReceived,
    UnbindReceived,
    Unreadable,
)
from smppgw.smpp.fields import Destination, DistributionList, SmeAddress, UnsuccessSme
from smppgw.smpp.framer import Framer
from smppgw.smpp.receipts import (
    DEFAULT_RULES,
    STATE_NAMES,
    STATES,
    Receipt,
    ReceiptRules,
    format_receipt,
    read_receipt,
)
from smppgw.smpp.session import Session
from smppgw.smpp.states import OPERATIONS, TRANSITIONS, Role, SessionState
from smppgw.smpp.timers import Timers
from smppgw.smpp.times import absolute_time, parse_time, relative_time
from smppgw.smpp.tlv import Tlvs, values_of

__all__ = [
    "DEFAULT_RULES",
    "ESM_TYPE_INTERMEDIATE",
    "ESM_TYPE_MASK",
    "ESM_TYPE_RECEIPT",
    "ESM_UDHI",
    "INTERFACE_VERSION_33",
    "INTERFACE_VERSION_34",
    "INTERFACE_VERSION_50",
    "OPERATIONS",
    "RESPONSE_BIT",
    "STATES",
    "STATE_NAMES",
    "TRANSITIONS",
    "AlertNotification",
    "Bind",
    "BindReceiver",
    "BindReceiverResp",
    "BindRefused",
    "BindResp",
    "BindTransceiver",
    "BindTransceiverResp",
    "BindTransmitter",
    "BindTransmitterResp",
    "Bound",
    "CancelSm",
    "CancelSmResp",
    "CloseReason",
    "Closed",
    "CommandId",
    "DataSm",
    "DataSmResp",
    "DeliverSm",
    "DeliverSmResp",
    "Destination",
    "Deviation",
    "DistributionList",
    "EnquireLink",
    "EnquireLinkResp",
    "Event",
    "Framer",
    "GenericNack",
    "MessageState",
    "Outbind",
    "OutbindReceived",
    "Pdu",
    "QuerySm",
    "QuerySmResp",
    "Receipt",
    "ReceiptRules",
    "Rejected",
    "ReplaceSm",
    "ReplaceSmResp",
    "RequestOverdue",
    "RequestReceived",
    "ResponseReceived",
    "Role",
    "Session",
    "SessionState",
    "SmeAddress",
    "Status",
    "SubmitMulti",
    "SubmitMultiResp",
    "SubmitSm",
    "SubmitSmResp",
    "Tag",
    "Timers",
    "Tlvs",
    "Unbind",
    "UnbindReceived",
    "UnbindResp",
    "Unreadable",
    "UnsuccessSme",
    "absolute_time",
    "blank",
    "command_name",
    "decode",
    "encode",
    "format_receipt",
    "parse_status",
    "parse_time",
    "pdu_class",
    "read_receipt",
    "relative_time",
    "status_name",
    "status_text",
    "values_of",
]
