"""The numbers of SMPP 3.4 and 5.0 and their names: command_id, command_status, TLV tags, message_state, esm_class.

Owns names only; what a command contains stands in commands.py, when it may be sent in states.py. The texts of
statuses come from smpplib.consts, those of 5.0 are our own. Values that are not listed stay plain ints everywhere.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from enum import IntEnum
from typing import Final

from smpplib import consts

#: Set in the command_id of every response (SMPP 3.4, 5.1.2).
RESPONSE_BIT: Final = 0x80000000
#: Highest sequence_number (SMPP 3.4, 3.2). The lowest is 1.
MAX_SEQUENCE: Final = 0x7FFFFFFF
HEADER_OCTETS: Final = 16

INTERFACE_VERSION_33: Final = 0x33
INTERFACE_VERSION_34: Final = 0x34
INTERFACE_VERSION_50: Final = 0x50


class CommandId(IntEnum):
    """command_id, SMPP 3.4, 5.1.2.1, and 5.0, 4.7.5.

    The broadcast commands of 5.0 have a name and nothing else: a peer that sends one gets generic_nack with
    ESME_RINVCMDID, the answer due from an entity that does not support a command (SMPP 5.0, 4.1.4).
    """

    GENERIC_NACK = 0x80000000
    BIND_RECEIVER = 0x00000001
    BIND_RECEIVER_RESP = 0x80000001
    BIND_TRANSMITTER = 0x00000002
    BIND_TRANSMITTER_RESP = 0x80000002
    QUERY_SM = 0x00000003
    QUERY_SM_RESP = 0x80000003
    SUBMIT_SM = 0x00000004
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM = 0x00000005
    DELIVER_SM_RESP = 0x80000005
    UNBIND = 0x00000006
    UNBIND_RESP = 0x80000006
    REPLACE_SM = 0x00000007
    REPLACE_SM_RESP = 0x80000007
    CANCEL_SM = 0x00000008
    CANCEL_SM_RESP = 0x80000008
    BIND_TRANSCEIVER = 0x00000009
    BIND_TRANSCEIVER_RESP = 0x80000009
    OUTBIND = 0x0000000B
    ENQUIRE_LINK = 0x00000015
    ENQUIRE_LINK_RESP = 0x80000015
    SUBMIT_MULTI = 0x00000021
    SUBMIT_MULTI_RESP = 0x80000021
    ALERT_NOTIFICATION = 0x00000102
    DATA_SM = 0x00000103
    DATA_SM_RESP = 0x80000103
    BROADCAST_SM = 0x00000111
    BROADCAST_SM_RESP = 0x80000111
    QUERY_BROADCAST_SM = 0x00000112
    QUERY_BROADCAST_SM_RESP = 0x80000112
    CANCEL_BROADCAST_SM = 0x00000113
    CANCEL_BROADCAST_SM_RESP = 0x80000113

    @property
    def label(self) -> str:
        """The standard's spelling, such as submit_sm_resp."""
        return self.name.lower()


class Status(IntEnum):
    """command_status, SMPP 3.4, 5.1.3, and 5.0, table 4-45. Where both have a name, that of 3.4 comes first."""

    ESME_ROK = 0x00000000
    ESME_RINVMSGLEN = 0x00000001
    ESME_RINVCMDLEN = 0x00000002
    ESME_RINVCMDID = 0x00000003
    ESME_RINVBNDSTS = 0x00000004
    ESME_RALYBND = 0x00000005
    ESME_RINVPRTFLG = 0x00000006
    ESME_RINVREGDLVFLG = 0x00000007
    ESME_RSYSERR = 0x00000008
    ESME_RINVSRCADR = 0x0000000A
    ESME_RINVDSTADR = 0x0000000B
    ESME_RINVMSGID = 0x0000000C
    ESME_RBINDFAIL = 0x0000000D
    ESME_RINVPASWD = 0x0000000E
    ESME_RINVSYSID = 0x0000000F
    ESME_RCANCELFAIL = 0x00000011
    ESME_RREPLACEFAIL = 0x00000013
    ESME_RMSGQFUL = 0x00000014
    ESME_RINVSERTYP = 0x00000015
    ESME_RINVNUMDESTS = 0x00000033
    ESME_RINVDLNAME = 0x00000034
    ESME_RINVDESTFLAG = 0x00000040
    ESME_RINVSUBREP = 0x00000042
    ESME_RINVESMCLASS = 0x00000043
    ESME_RCNTSUBDL = 0x00000044
    ESME_RSUBMITFAIL = 0x00000045
    ESME_RINVSRCTON = 0x00000048
    ESME_RINVSRCNPI = 0x00000049
    ESME_RINVDSTTON = 0x00000050
    ESME_RINVDSTNPI = 0x00000051
    ESME_RINVSYSTYP = 0x00000053
    ESME_RINVREPFLAG = 0x00000054
    ESME_RINVNUMMSGS = 0x00000055
    ESME_RTHROTTLED = 0x00000058
    ESME_RINVSCHED = 0x00000061
    ESME_RINVEXPIRY = 0x00000062
    ESME_RINVDFTMSGID = 0x00000063
    ESME_RX_T_APPN = 0x00000064
    ESME_RX_P_APPN = 0x00000065
    ESME_RX_R_APPN = 0x00000066
    ESME_RQUERYFAIL = 0x00000067
    ESME_RINVOPTPARSTREAM = 0x000000C0
    ESME_ROPTPARNOTALLWD = 0x000000C1
    ESME_RINVPARLEN = 0x000000C2
    ESME_RMISSINGOPTPARAM = 0x000000C3
    ESME_RINVOPTPARAMVAL = 0x000000C4
    ESME_RINVTLVSTREAM = 0x000000C0
    ESME_RTLVNOTALLWD = 0x000000C1
    ESME_RINVTLVLEN = 0x000000C2
    ESME_RMISSINGTLV = 0x000000C3
    ESME_RINVTLVVAL = 0x000000C4
    ESME_RDELIVERYFAILURE = 0x000000FE
    ESME_RUNKNOWNERR = 0x000000FF
    # SMPP 5.0 only
    ESME_RSERTYPUNAUTH = 0x00000100
    ESME_RPROHIBITED = 0x00000101
    ESME_RSERTYPUNAVAIL = 0x00000102
    ESME_RSERTYPDENIED = 0x00000103
    ESME_RINVDCS = 0x00000104
    ESME_RINVSRCADDRSUBUNIT = 0x00000105
    ESME_RINVDSTADDRSUBUNIT = 0x00000106
    ESME_RINVBCASTFREQINT = 0x00000107
    ESME_RINVBCASTALIAS_NAME = 0x00000108
    ESME_RINVBCASTAREAFMT = 0x00000109
    ESME_RINVNUMBCAST_AREAS = 0x0000010A
    ESME_RINVBCASTCNTTYPE = 0x0000010B
    ESME_RINVBCASTMSGCLASS = 0x0000010C
    ESME_RBCASTFAIL = 0x0000010D
    ESME_RBCASTQUERYFAIL = 0x0000010E
    ESME_RBCASTCANCELFAIL = 0x0000010F
    ESME_RINVBCAST_REP = 0x00000110
    ESME_RINVBCASTSRVGRP = 0x00000111
    ESME_RINVBCASTCHANIND = 0x00000112


class Tag(IntEnum):
    """TLV tags, SMPP 3.4, 5.3.1; congestion_state and those from 0x0600 to 0x0613: SMPP 5.0, 4.8.1."""

    DEST_ADDR_SUBUNIT = 0x0005
    DEST_NETWORK_TYPE = 0x0006
    DEST_BEARER_TYPE = 0x0007
    DEST_TELEMATICS_ID = 0x0008
    SOURCE_ADDR_SUBUNIT = 0x000D
    SOURCE_NETWORK_TYPE = 0x000E
    SOURCE_BEARER_TYPE = 0x000F
    SOURCE_TELEMATICS_ID = 0x0010
    QOS_TIME_TO_LIVE = 0x0017
    PAYLOAD_TYPE = 0x0019
    ADDITIONAL_STATUS_INFO_TEXT = 0x001D
    RECEIPTED_MESSAGE_ID = 0x001E
    MS_MSG_WAIT_FACILITIES = 0x0030
    PRIVACY_INDICATOR = 0x0201
    SOURCE_SUBADDRESS = 0x0202
    DEST_SUBADDRESS = 0x0203
    USER_MESSAGE_REFERENCE = 0x0204
    USER_RESPONSE_CODE = 0x0205
    SOURCE_PORT = 0x020A
    DESTINATION_PORT = 0x020B
    SAR_MSG_REF_NUM = 0x020C
    LANGUAGE_INDICATOR = 0x020D
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    CALLBACK_NUM_PRES_IND = 0x0302
    CALLBACK_NUM_ATAG = 0x0303
    NUMBER_OF_MESSAGES = 0x0304
    CALLBACK_NUM = 0x0381
    DPF_RESULT = 0x0420
    SET_DPF = 0x0421
    MS_AVAILABILITY_STATUS = 0x0422
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    DELIVERY_FAILURE_REASON = 0x0425
    MORE_MESSAGES_TO_SEND = 0x0426
    MESSAGE_STATE = 0x0427
    CONGESTION_STATE = 0x0428
    USSD_SERVICE_OP = 0x0501
    BROADCAST_CHANNEL_INDICATOR = 0x0600
    BROADCAST_CONTENT_TYPE = 0x0601
    BROADCAST_CONTENT_TYPE_INFO = 0x0602
    BROADCAST_MESSAGE_CLASS = 0x0603
    BROADCAST_REP_NUM = 0x0604
    BROADCAST_FREQUENCY_INTERVAL = 0x0605
    BROADCAST_AREA_IDENTIFIER = 0x0606
    BROADCAST_ERROR_STATUS = 0x0607
    BROADCAST_AREA_SUCCESS = 0x0608
    BROADCAST_END_TIME = 0x0609
    BROADCAST_SERVICE_GROUP = 0x060A
    BILLING_IDENTIFICATION = 0x060B
    SOURCE_NETWORK_ID = 0x060D
    DEST_NETWORK_ID = 0x060E
    SOURCE_NODE_ID = 0x060F
    DEST_NODE_ID = 0x0610
    DEST_ADDR_NP_RESOLUTION = 0x0611
    DEST_ADDR_NP_INFORMATION = 0x0612
    DEST_ADDR_NP_COUNTRY = 0x0613
    DISPLAY_TIME = 0x1201
    SMS_SIGNAL = 0x1203
    MS_VALIDITY = 0x1204
    ALERT_ON_MESSAGE_DELIVERY = 0x130C
    ITS_REPLY_TYPE = 0x1380
    ITS_SESSION_INFO = 0x1383


class MessageState(IntEnum):
    """message_state, SMPP 3.4, 5.2.28; SCHEDULED and SKIPPED: SMPP 5.0, 4.7.15."""

    SCHEDULED = 0
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8
    SKIPPED = 9


# esm_class, SMPP 3.4, 5.2.12. The message type is a value under a mask, not a set of bits.
ESM_TYPE_MASK: Final = 0x3C
ESM_TYPE_RECEIPT: Final = 0x04
ESM_TYPE_DELIVERY_ACK: Final = 0x08
ESM_TYPE_USER_ACK: Final = 0x10
ESM_TYPE_ABORT: Final = 0x18
ESM_TYPE_INTERMEDIATE: Final = 0x20
ESM_UDHI: Final = 0x40

_COMMANDS = {int(command): command.label for command in CommandId}
_STATUSES = {int(status): status.name for status in Status}
_VENDOR_STATUSES = range(0x400, 0x500)
# smpplib.consts leaves the first one's text open, and does not have the others.
_OWN_TEXTS: dict[int, str] = {
    Status.ESME_RINVREGDLVFLG: "Invalid Registered Delivery Flag",
    Status.ESME_RSERTYPUNAUTH: "Not authorised to use this service_type",
    Status.ESME_RPROHIBITED: "Not allowed to use this operation",
    Status.ESME_RSERTYPUNAVAIL: "service_type is unavailable",
    Status.ESME_RSERTYPDENIED: "service_type is denied",
    Status.ESME_RINVDCS: "Invalid Data Coding Scheme",
    Status.ESME_RINVSRCADDRSUBUNIT: "Invalid Source Address Subunit",
    Status.ESME_RINVDSTADDRSUBUNIT: "Invalid Destination Address Subunit",
    Status.ESME_RINVBCASTFREQINT: "Invalid Broadcast Frequency Interval",
    Status.ESME_RINVBCASTALIAS_NAME: "Invalid Broadcast Alias Name",
    Status.ESME_RINVBCASTAREAFMT: "Invalid Broadcast Area Format",
    Status.ESME_RINVNUMBCAST_AREAS: "Invalid Number of Broadcast Areas",
    Status.ESME_RINVBCASTCNTTYPE: "Invalid Broadcast Content Type",
    Status.ESME_RINVBCASTMSGCLASS: "Invalid Broadcast Message Class",
    Status.ESME_RBCASTFAIL: "broadcast_sm failed",
    Status.ESME_RBCASTQUERYFAIL: "query_broadcast_sm failed",
    Status.ESME_RBCASTCANCELFAIL: "cancel_broadcast_sm failed",
    Status.ESME_RINVBCAST_REP: "Invalid Number of Repeated Broadcasts",
    Status.ESME_RINVBCASTSRVGRP: "Invalid Broadcast Service Group",
    Status.ESME_RINVBCASTCHANIND: "Invalid Broadcast Channel Indicator",
}
_TEXTS: dict[int, str] = {**consts.DESCRIPTIONS, **_OWN_TEXTS}


def command_name(command_id: int) -> str:
    """`submit_sm`; for a command_id that is not in the table `0x00000110`."""
    return _COMMANDS.get(command_id) or f"0x{command_id:08X}"


def status_name(code: int) -> str:
    """`ESME_RTHROTTLED`; for a code that is not in the table `0x00000411`."""
    return _STATUSES.get(code) or f"0x{code:08X}"


def status_text(code: int) -> str:
    """What the standard says about a command_status, in one line."""
    text = _TEXTS.get(code)
    if text is not None:
        return text
    return "Vendor specific error" if code in _VENDOR_STATUSES else "Reserved status"


def parse_status(text: str) -> int:
    """The command_status in `ESME_RTHROTTLED`, `RTHROTTLED`, `0x58` or `88`.

    Raises ValueError with a text for the user.
    """
    name = text.strip().upper()
    if re.fullmatch(r"0X[0-9A-F]{1,8}", name):
        return int(name, 16)
    if re.fullmatch(r"\d{1,9}", name):
        return int(name)
    full = name if name.startswith("ESME_") else f"ESME_{name}"
    status = Status.__members__.get(full)
    if status is None:
        near = get_close_matches(full, Status.__members__, n=1)
        raise ValueError(f"unknown command_status {text!r}{f'; did you mean {near[0]}?' if near else ''}")
    return int(status)
