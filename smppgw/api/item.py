"""One item of a POST: its fields, and the checks that need no settings.

Owns the fields' names, limits and descriptions. Refuses to know accounts and carriers.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from smppgw.addresses import Address
from smppgw.api.faults import nearest
from smppgw.errors import Refusal
from smppgw.sms.plan import refuse_unstorable

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def _hexadecimal(text: str) -> str:
    """In lower case and without white space, so that one content has one digest."""
    try:
        return bytes.fromhex(text).hex()
    except ValueError:
        raise PydanticCustomError(
            "hexadecimal", "input should be octets in hexadecimal, two digits each, such as 00ff"
        ) from None


Hexadecimal = Annotated[str, AfterValidator(_hexadecimal)]
PortNumber = Annotated[int, Field(ge=0, le=65535)]


class CommonIn(BaseModel):
    """One text to one recipient: all that most messages say. Validating fields that are absent costs time, too."""

    model_config = _STRICT

    to: str = Field(description="recipient: E.164 with +, or as typed in the account's default_region")
    text: str = Field(description="the text; alphabet and number of segments follow from it")
    sender: str | None = Field(
        default=None,
        alias="from",
        description="a number, a short code, or up to 11 letters; default: the account's default_sender",
    )
    lane: str | None = Field(
        default=None, description="otp, transactional or bulk; default: the account's default_lane"
    )
    validity_s: float | None = Field(
        default=None, ge=1, description="seconds after which it need not be sent any more"
    )
    client_ref: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="your own reference, unique within the account: repeating it stores nothing twice",
    )


class WapPushIn(BaseModel):
    """A WAP push: a link that the handset shows, or opens."""

    model_config = _STRICT

    kind: Literal["si", "sl"] = Field(
        default="si",
        description="si: Service Indication, shown with its text; sl: Service Loading, opened without asking",
    )
    url: str = Field(min_length=1, description="where the link leads")
    text: str | None = Field(default=None, description="of an si: what is shown")
    action: str | None = Field(
        default=None,
        description="si: signal-none, signal-low, signal-medium (default), signal-high or delete; sl: execute-low "
        "(default), execute-high or cache",
    )
    id: str | None = Field(
        default=None, min_length=1, description="of an si: a later one with the same id replaces it on the handset"
    )


class MessageWaitingIn(BaseModel):
    """Message waiting indication: 3GPP TS 23.038, section 4."""

    model_config = _STRICT

    kind: Literal["voicemail", "fax", "email", "other"] = Field(description="what waits")
    active: bool = Field(
        default=True, description="false: turn the indication off; a count above 0 contradicts that and is refused"
    )
    store: bool = Field(
        default=False, description="the handset keeps the text; without, it shows the indication only"
    )
    count: int | None = Field(
        default=None,
        ge=0,
        le=255,
        description="how many wait, where you know it; 0 is refused while active: nothing waits",
    )


class PortsIn(BaseModel):
    """Application ports: 3GPP TS 23.040, 9.2.3.24.4."""

    model_config = _STRICT

    destination: PortNumber = Field(description="of the application on the handset")
    source: PortNumber = Field(default=0, description="where answers go")


class MessageIn(CommonIn):
    """One text, or octets, to one recipient."""

    model_config = ConfigDict(
        title="Message",
        json_schema_extra={
            "examples": [
                {
                    "to": "+447700900123",
                    "text": "Your code is 481 516",
                    "from": "Example",
                    "lane": "otp",
                    "validity_s": 300,
                },
                {
                    "to": "+447700900123",
                    "text": "See you tomorrow at 9",
                    "client_ref": "appointment-4711",
                    "service_type": "CMT",
                    "priority": 2,
                    "tlvs": {"campaign": "reminders"},
                },
                {
                    "to": "+447700900123",
                    "text": "“Doors open at 7…”",
                    "smart_encoding": True,
                    "message_class": 0,
                    "send_at": "000000010000000R",
                    "valid_until": "000000030000000R",
                },
                {"to": "+447700900123", "octets": "0a0b0c", "ports": {"destination": 5000}},
            ]
        },
    )

    text: str = Field(
        default="",
        description="the text; alphabet and number of segments follow from it. A message has exactly one of text, "
        "octets and wap_push",
    )
    octets: Hexadecimal | None = Field(
        default=None, description="in place of text: what the handset gets, in hexadecimal, without UDH"
    )
    wap_push: WapPushIn | None = Field(default=None, description="in place of text: a WAP push")
    alphabet: Literal["gsm7", "ucs2", "latin1", "ascii"] | None = Field(
        default=None,
        description="send the text in this alphabet or not at all; gsm7 includes the carrier's national tables. "
        "Default: what takes the fewest segments",
    )
    smart_encoding: bool | None = Field(
        default=None,
        description="replace typographic quotes, dashes, spaces and the like where that avoids UCS-2; the result "
        "tells what was replaced. Default: the account's setting",
    )
    on_unencodable: Literal["ucs2", "transliterate", "refuse"] | None = Field(
        default=None,
        description="a text that neither GSM-7 can carry nor, where the carrier takes them, its national tables, "
        "Latin-1 or ASCII: ucs2 sends it so, transliterate writes it in GSM-7 and tells what was replaced, refuse "
        "refuses it. Default: the account's setting",
    )
    message_class: int | None = Field(
        default=None,
        ge=0,
        le=3,
        description="0: flash, shown at once and not kept; 1: handset; 2: SIM; 3: a terminal behind it",
    )
    message_waiting: MessageWaitingIn | None = Field(
        default=None, description="turn an indication such as that of voicemail on or off; the text may be empty"
    )
    ports: PortsIn | None = Field(default=None, description="application ports, told in a UDH")
    udh: Hexadecimal | None = Field(
        default=None,
        description="a whole User Data Header with its length octet, in hexadecimal; every part has its elements",
    )
    data_coding: int | None = Field(
        default=None, ge=0, le=255, description="of octets: data_coding as it is; default: the carrier's for binary"
    )
    replace_type: int | None = Field(
        default=None,
        ge=1,
        le=7,
        description="Replace Short Message Type: the handset replaces the last one from this sender with this number",
    )
    send_at: str | None = Field(
        default=None,
        description="not before: RFC 3339 with its zone, such as 2036-01-02T18:30:00+01:00, or SMPP time, such as "
        "000000010000000R for an hour from now. In the past it means at once: a request that is repeated later is "
        "the same message still. validity_s counts from it",
    )
    valid_until: str | None = Field(
        default=None, description="in place of validity_s: when it need not be sent any more, written as send_at"
    )
    service_type: str | None = Field(
        default=None,
        max_length=5,
        pattern="^[ -~]*$",
        description="service_type of the submit_sm: a product of the carrier's; default: the carrier's setting",
    )
    protocol_id: int | None = Field(
        default=None, ge=0, le=255, description="protocol_id of the submit_sm; default: the carrier's setting"
    )
    priority: int | None = Field(
        default=None,
        ge=0,
        le=3,
        description="priority_flag of the submit_sm, which the carrier sees; lanes are our own. Default: the "
        "carrier's setting for the lane",
    )
    replace_if_present: bool | None = Field(
        default=None,
        description="replace the message that still waits at the SMSC for this recipient; for texts of one segment",
    )
    tlvs: dict[str, int | str] | None = Field(
        default=None,
        description="the carrier's own TLVs, by their names in its vendor_tlvs: an integer, a string, or octets in "
        "hexadecimal",
    )


#: What few messages have: wishes for their content, other content than text, fields of their submit_sm.
RARE = frozenset(MessageIn.model_fields.keys() - CommonIn.model_fields.keys())


class SegmentsIn(MessageIn):
    """A message that is only planned: it needs neither recipient nor sender."""

    model_config = ConfigDict(
        title="Plan",
        json_schema_extra={
            "examples": [
                {"text": "It’s 7 o’clock – see you…"},
                {"to": "+447700900123", "text": "Zażółć gęślą jaźń", "smart_encoding": False},
            ]
        },
    )

    to: str = Field(default="", description="recipient, as in a message: its route decides the carrier")
    carrier: str | None = Field(
        default=None,
        description="plan for this carrier; default: that of the recipient's route, or else of the account's route "
        "for all recipients",
    )


def _names(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


_FIELDS, _SEGMENTS_FIELDS = _names(MessageIn), _names(SegmentsIn)
_KNOWN = frozenset(_FIELDS)
_CONTENTS = ("text", "octets", "wap_push")
_INNER = {"wap_push": _names(WapPushIn), "message_waiting": _names(MessageWaitingIn), "ports": _names(PortsIn)}


def validated(item: Any) -> CommonIn:
    """The item, its fields known and of the right type; a MessageIn when it has one of RARE.

    Raises Refusal: `not_an_object`, `unknown_field`, `missing_field`, `wrong_type`, `invalid_value`, `unencodable`,
    `content_twice`, `conflicting_fields`.
    """
    if type(item) is not dict:
        raise Refusal("not_an_object", "a message is a JSON object with at least `to` and `text`")
    if not _KNOWN.issuperset(item):
        _refuse_unknown(item, _FIELDS)
    for name, value in item.items():
        if type(value) is str and not (value.isascii() and "\0" not in value):
            refuse_unstorable(value, code="unencodable", field=name)
    if not RARE.isdisjoint(item):
        return _validated(item, MessageIn)
    try:
        return CommonIn.model_validate(item)
    except ValidationError as error:
        raise _as_refusal(error) from None


def validated_segments(item: Any) -> SegmentsIn:
    """An item of POST /v1/segments. Raises Refusal as `validated` does."""
    if type(item) is not dict:
        raise Refusal("not_an_object", "what is to be planned is a JSON object with at least `text`")
    _refuse_unknown(item, _SEGMENTS_FIELDS)
    for name, value in item.items():
        if type(value) is str:
            refuse_unstorable(value, code="unencodable", field=name)
    return _validated({name: value for name, value in item.items() if name != "to" or value is not None}, SegmentsIn)


def _refuse_unknown(item: dict[str, Any], known: tuple[str, ...]) -> None:
    for name in item:
        if name not in known:
            text = f"there is no field {shown(name)}" + nearest(name, known)
            raise Refusal("unknown_field", text, field=shown(name))


# ---------------------------------------------------------------------------------------------------------------- #
# Items with fields that few have
# ---------------------------------------------------------------------------------------------------------------- #

M = TypeVar("M", bound=MessageIn)

#: Field -> those that have no meaning beside it.
_EXCLUDES = {
    "octets": ("alphabet", "smart_encoding", "on_unencodable"),
    "wap_push": ("alphabet", "smart_encoding", "on_unencodable", "ports", "udh", "data_coding", "message_waiting"),
    "message_waiting": ("message_class", "data_coding"),
    "message_class": ("data_coding",),
    "replace_type": ("protocol_id",),
    "valid_until": ("validity_s",),
}


#: What has rules of its own. Items with none of it, such as those with a service_type, need not be held to them.
_PARTICULAR = frozenset((*_EXCLUDES, *_INNER, "data_coding"))


def _validated(item: dict[str, Any], model: type[M]) -> M:
    if _PARTICULAR.isdisjoint(item) and item.get("text") is not None:
        try:
            return model.model_validate(item)
        except ValidationError as error:
            raise _as_refusal(error) from None
    given = {name for name, value in item.items() if value is not None}
    contents = [name for name in _CONTENTS if name in given]
    if len(contents) > 1:
        text = f"a message has one content; this one has {' and '.join(contents)}"
        raise Refusal("content_twice", text, field=contents[1])
    if contents != ["text"]:
        item = {name: value for name, value in item.items() if name != "text"}  # null is absent
    _refuse_unstorable_inside(item)
    try:
        message = model.model_validate(item)
    except ValidationError as error:
        raise _as_refusal(error, lacks_text=not contents) from None
    if not contents:
        raise Refusal("missing_field", _LACKS_TEXT, field="text")
    for name, others in _EXCLUDES.items():
        for other in others:
            if name in given and other in given:
                raise Refusal(
                    "conflicting_fields", f"{other} has no meaning beside {name}; leave one out", field=other
                )
    if "data_coding" in given and "octets" not in given:
        text = "data_coding is for octets; that of a text follows from its alphabet"
        raise Refusal("conflicting_fields", text, field="data_coding")
    return message


_LACKS_TEXT = "text: field required; or octets, or wap_push"


def _refuse_unstorable_inside(item: dict[str, Any]) -> None:
    """As for the item's own fields, of those that lie one level deeper."""
    for name in _INNER:
        inside = item.get(name)
        if type(inside) is dict:
            for key, value in inside.items():
                if type(value) is str:
                    refuse_unstorable(value, code="unencodable", field=f"{name}.{shown(key)}")


# ---------------------------------------------------------------------------------------------------------------- #
# Errors, and repeats
# ---------------------------------------------------------------------------------------------------------------- #


def _as_refusal(error: ValidationError, *, lacks_text: bool = False) -> Refusal:
    """All that pydantic found, as one refusal: the code is that of the first, the text names every one."""
    found = [(_where(item["loc"]), item["type"], _phrase(item)) for item in error.errors(include_url=False)]
    text = "; ".join(f"{name}: {message}" for name, _, message in found)
    name, kind, _ = found[0]
    if lacks_text:
        text += f"; {_LACKS_TEXT}"
    if kind == "missing":
        return Refusal("missing_field", text, field=name)
    if kind == "extra_forbidden":
        return Refusal("unknown_field", text, field=name)
    return Refusal("wrong_type" if kind.endswith("_type") else "invalid_value", text, field=name)


def _where(location: tuple[int | str, ...]) -> str:
    """`to`, or `tlvs.campaign`; behind that pydantic names the type that did not fit."""
    return ".".join(shown(str(part)) for part in location[:2])


def _phrase(found: ErrorDetails) -> str:
    message = found["msg"]
    outer = str(found["loc"][0]) if found["loc"] else ""
    if found["type"] in _NO_OBJECT and len(found["loc"]) == 1 and outer in _LIKE:
        return f"must be an object such as {_LIKE[outer]}"
    if found["type"] == "extra_forbidden":  # the item's own fields are looked at before: this one lies deeper
        return "there is no such field" + nearest(str(found["loc"][-1]), _INNER.get(outer, ()))
    return message[:1].lower() + message[1:]


#: pydantic's names for something that is no object, and what the field is like.
_NO_OBJECT = frozenset({"model_type", "model_attributes_type", "dict_type"})
_LIKE = {
    "ports": '{"destination": 5505}',
    "message_waiting": '{"kind": "voicemail"}',
    "wap_push": '{"url": "http://www.example.com/", "text": "See this"}',
    "tlvs": '{"campaign": "spring"}',
}


def shown(name: str) -> str:
    """A name of the sender's, as long as errors may have it."""
    return name if len(name) <= 64 else name[:61] + "..."


def digest_parts(message: CommonIn, source: Address, destination: Address) -> list[str]:
    """What tells a repeat from another message under the same key, without U+0000.

    What the account's and the carrier's settings supplied is left out, so that a change of the config turns no repeat
    into a conflict.
    """
    sender = "" if message.sender is None else f"{source.ton}/{source.npi}/{source.addr}"
    validity = "" if message.validity_s is None else f"{message.validity_s:g}"
    parts = [destination.addr, message.text, sender, message.lane or "", validity, message.client_ref or ""]
    if isinstance(message, MessageIn):
        rare = message.model_dump(include=set(RARE), exclude_none=True)
        parts += [json.dumps(rare, sort_keys=True)] if rare else []
    return parts
