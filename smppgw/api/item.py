"""One item of a POST: its fields, and the checks that need no settings.

Owns the fields' names, limits and descriptions. Refuses to know accounts and carriers.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from smppgw.addresses import Address
from smppgw.api.faults import nearest
from smppgw.errors import Refusal
from smppgw.sms.plan import refuse_unstorable


class CommonIn(BaseModel):
    """One text to one recipient: all that most messages say. Validating fields that are absent costs time, too."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

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


class MessageIn(CommonIn):
    """One text to one recipient."""

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
            ]
        },
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


#: What few messages have: fields of their submit_sm beside what the carrier's settings say.
RARE = frozenset(MessageIn.model_fields.keys() - CommonIn.model_fields.keys())

_FIELDS = tuple(field.alias or name for name, field in MessageIn.model_fields.items())
_KNOWN = frozenset(_FIELDS)


def validated(item: Any) -> CommonIn:
    """The item, its fields known and of the right type; a MessageIn when it has one of RARE.

    Raises Refusal: `not_an_object`, `unknown_field`, `missing_field`, `wrong_type`, `invalid_value`, `unencodable`.
    """
    if type(item) is not dict:
        raise Refusal("not_an_object", "a message is a JSON object with at least `to` and `text`")
    if not _KNOWN.issuperset(item):
        name = next(name for name in item if name not in _KNOWN)
        raise Refusal("unknown_field", f"there is no field {shown(name)}" + nearest(name, _FIELDS), field=shown(name))
    for name, value in item.items():
        if type(value) is str and not (value.isascii() and "\0" not in value):
            refuse_unstorable(value, code="unencodable", field=name)
    try:
        return (CommonIn if RARE.isdisjoint(item) else MessageIn).model_validate(item)
    except ValidationError as error:
        raise _as_refusal(error) from None


def _as_refusal(error: ValidationError) -> Refusal:
    """All that pydantic found, as one refusal: the code is that of the first, the text names every one."""
    found = [(_where(item["loc"]), item["type"], item["msg"]) for item in error.errors(include_url=False)]
    text = "; ".join(f"{name}: {_lower(message)}" for name, _, message in found)
    name, kind, _ = found[0]
    if kind == "missing":
        return Refusal("missing_field", text, field=name)
    return Refusal("wrong_type" if kind.endswith("_type") else "invalid_value", text, field=name)


def _where(location: tuple[int | str, ...]) -> str:
    """`to`, or `tlvs.campaign`; behind that pydantic names the type that did not fit."""
    return ".".join(shown(str(part)) for part in location[:2])


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


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
