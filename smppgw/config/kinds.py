"""The words and forms that settings of a carrier are made of."""

from __future__ import annotations

import re
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from smppgw.config.base import checked_host
from smppgw.smpp.constants import Status, parse_status
from smppgw.smpp.receipts import STATES
from smppgw.sms.encoding import Language


class BindMode(StrEnum):
    TRANSCEIVER = "transceiver"
    PAIR = "pair"  # a transmitter and a receiver: one logical link


class OnDoubt(StrEnum):
    HOLD = "hold"
    RESEND = "resend"


class InterfaceVersion(StrEnum):
    V33 = "3.3"
    V34 = "3.4"
    V50 = "5.0"

    @property
    def octet(self) -> int:
        """interface_version in a bind request (SMPP 3.4, 5.2.4)."""
        return int(self.value.replace(".", ""), 16)


class RateUnit(StrEnum):
    SEGMENTS = "segments"
    MESSAGES = "messages"


class SubmitCommand(StrEnum):
    SUBMIT_SM = "submit_sm"
    DATA_SM = "data_sm"


class ValidityForm(StrEnum):
    RELATIVE = "relative"  # YYMMDDhhmmss000R
    ABSOLUTE = "absolute"  # YYMMDDhhmmss000+, UTC
    OMIT = "omit"


class ScheduleBy(StrEnum):
    """Who keeps a message until its time."""

    GATEWAY = "gateway"
    CARRIER = "carrier"  # schedule_delivery_time


class IdRelation(StrEnum):
    """How the message_id of a submit_sm_resp and the one in the receipt relate."""

    LEARN = "learn"
    SAME = "same"  # but for case and leading zeros
    HEX_DEC = "hex_dec"  # hexadecimal in the response, decimal in the receipt
    DEC_HEX = "dec_hex"


class AcceptdMeans(StrEnum):
    INTERMEDIATE = "intermediate"
    DELIVERED = "delivered"


class StatusOutcome(StrEnum):
    """What a refused submit_sm leads to."""

    RETRY = "retry"
    REROUTE = "reroute"
    FAIL = "fail"
    THROTTLE = "throttle"
    DELAY = "delay"
    PAUSE = "pause"


class RefusalPolicy(StrEnum):
    """What a refused bind leads to."""

    CREDENTIALS = "credentials"  # slowly, and an alarm: accounts get locked
    ALREADY_BOUND = "already_bound"  # wait for the old session to go
    PASSING = "passing"  # the SMSC's trouble
    OTHER = "other"


class CapSpan(StrEnum):
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


class TlvType(StrEnum):
    INTEGER = "integer"
    CSTRING = "cstring"  # NUL-terminated
    OCTETS = "octets"  # written as hexadecimal


#: What `encoding.national_tables` may list.
ALL_TABLES = "all"
NATIONAL_TABLES = (ALL_TABLES, *(language.label for language in Language))

# ---------------------------------------------------------------------------------------------------------------- #
# Values with a form of their own
# ---------------------------------------------------------------------------------------------------------------- #


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise PydanticCustomError("pattern", "is no regular expression: {why}", {"why": str(error)}) from None
    return text


def _one_group(text: str) -> str:
    if re.compile(_pattern(text)).groups != 1:
        raise PydanticCustomError("pattern", "must have exactly one group: the id itself")
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, no file that can be read, no name
        raise PydanticCustomError("zone", "is no time zone of the IANA database, such as Europe/Rome") from None
    return name


def _status(name: str) -> str:
    try:
        parse_status(name)
    except ValueError:
        # Not parse_status's own hint: for a short word it is ESME_ROK, which is no refusal.
        full = name.upper() if name.upper().startswith("ESME_") else f"ESME_{name.upper()}"
        near = get_close_matches(full, [status.name for status in Status if status], n=1, cutoff=0.75)
        hint = f"; did you mean {near[0]}?" if near else ", such as ESME_RTHROTTLED or 0x58"
        raise PydanticCustomError("status", "is no command_status{hint}", {"hint": hint}) from None
    return name


def _state_word(word: str) -> str:
    if word.upper() not in STATES:
        raise PydanticCustomError("state", "is no state; such as DELIVRD, UNDELIV, EXPIRED, REJECTD, ENROUTE")
    return word


def _endpoint(text: str) -> str:
    host, separator, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not separator or (":" in host and bare == host) or not re.fullmatch(r"[0-9]{1,5}", port):
        raise PydanticCustomError("endpoint", "is not HOST:PORT, as in smsc2.example.com:2775 or [2001:db8::1]:2775")
    if not 1 <= int(port) <= 65535:
        raise PydanticCustomError("endpoint", "has a port outside 1 to 65535")
    checked_host(bare)
    return text


def _tlv_value(value: object) -> object:
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, str))):
        raise PydanticCustomError("tlv_value", "must be an integer or a string")
    return value


def _national_table(name: str) -> str:
    if name not in NATIONAL_TABLES:
        near = get_close_matches(name.lower(), NATIONAL_TABLES, n=1, cutoff=0.6)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(NATIONAL_TABLES)}"
        raise PydanticCustomError("national_table", "is no language with tables of its own{hint}", {"hint": hint})
    return name


Pattern = Annotated[str, AfterValidator(_pattern)]
IdPattern = Annotated[str, AfterValidator(_one_group)]
Zone = Annotated[str, AfterValidator(_zone)]
#: `ESME_RTHROTTLED`, `RTHROTTLED` or `0x58`.
StatusName = Annotated[str, AfterValidator(_status)]
StateWord = Annotated[str, AfterValidator(_state_word)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
LaneName = Annotated[str, Field(pattern=r"^(otp|transactional|bulk)\z")]
#: A language of 3GPP TS 23.038, Annex A, or all of them.
NationalTable = Annotated[str, AfterValidator(_national_table)]
Octet = Annotated[int, Field(ge=0, le=255)]
TlvValue = Annotated[int | str | None, BeforeValidator(_tlv_value)]
