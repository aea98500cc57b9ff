"""From the body of a POST to messages that can be stored: parse, check, plan, route.

Knows nothing of HTTP frameworks, so that any front can call it. One bad item never touches the others: it becomes an
ItemError, its neighbours go on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from smppgw import addresses
from smppgw.addresses import Address
from smppgw.api.faults import ApiError, nearest
from smppgw.config import AccountSettings, Settings
from smppgw.errors import Refusal
from smppgw.queue.model import Lane, NewMessage
from smppgw.routing import Router
from smppgw.sms.plan import Plan, plan, refuse_unstorable


class MessageIn(BaseModel):
    """One text to one recipient."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        title="Message",
        json_schema_extra={
            "examples": [
                {
                    "to": "+447700900123",
                    "text": "Your code is 481 516",
                    "from": "Example",
                    "lane": "otp",
                    "validity_s": 300,
                }
            ]
        },
    )

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


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why one item was not accepted. `code`: a row of faults.ITEM_CODES, or the code of a Refusal."""

    index: int
    code: str
    message: str
    field: str = ""


# ---------------------------------------------------------------------------------------------------------------- #
# The body
# ---------------------------------------------------------------------------------------------------------------- #


def parse(body: bytes, *, max_batch: int) -> list[Any]:
    """The items of a body: a list as it is, a single object as a list of one.

    Raises ApiError: empty_body, not_json (400), batch_too_large (413), not_a_message, empty_batch (422).
    """
    value = _json(body)
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise ApiError("not_a_message", "the body must be one message, or a list of messages")
    if not value:
        raise ApiError("empty_batch", "the list holds no message")
    if len(value) > max_batch:
        raise ApiError("batch_too_large", f"the list holds {len(value)} messages; the most is {max_batch}")
    return value


def _json(body: bytes) -> Any:
    if not body.strip():
        raise ApiError("empty_body", "the request has no body; send one message, or a list of messages, as JSON")
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise ApiError(
            "not_json", f"the body is not UTF-8: octet 0x{body[error.start]:02x} at {error.start}"
        ) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ApiError("not_json", f"the body is not JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise ApiError("not_json", "the body is not JSON that can be read: nested too deeply") from None
    except ValueError as error:  # integers of thousands of digits
        raise ApiError("not_json", f"the body is not JSON that can be read: {error}") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


# ---------------------------------------------------------------------------------------------------------------- #
# The items
# ---------------------------------------------------------------------------------------------------------------- #


class References:
    """The 8-bit references of concatenated messages: only messages of several segments use one up."""

    def __init__(self, first: int = 0) -> None:
        self.next = first % 256

    def advance(self) -> None:
        self.next = (self.next + 1) % 256


class _Account(NamedTuple):
    name: str
    settings: AccountSettings
    lane: Lane
    default_source: Address | None


class Intake:
    """Turns the items of a request into NewMessages, by the settings of the account that sent it."""

    def __init__(self, settings: Settings, *, first_reference: int = 0) -> None:
        self._router = Router(settings)
        self._receipts = {name: int(carrier.receipts) for name, carrier in settings.carriers.items()}
        self._references = References(first_reference)
        self._accounts = {name: _prepared(name, account) for name, account in settings.accounts.items()}

    def messages(
        self, account: str, items: Sequence[Any], *, idempotency_key: str | None = None
    ) -> list[NewMessage | ItemError]:
        """One result for each item, in order. `idempotency_key`: that of the whole request."""
        prepared = self._accounts[account]
        return [self._one(prepared, index, item, idempotency_key) for index, item in enumerate(items)]

    def _one(self, account: _Account, index: int, item: Any, request_key: str | None) -> NewMessage | ItemError:
        try:
            message = _validated(item)
            source = self._source(account, message)
            destination = addresses.recipient(
                message.to,
                default_region=account.settings.default_region,
                strict=account.settings.strict_numbers,
            )
            planned = self._planned(account, message.text)
            carrier = self._router.carrier_for(account.name, destination.addr)
            validity_ms = _validity_ms(account.settings, message)
            lane = account.lane if message.lane is None else _lane(message.lane)
        except Refusal as refusal:
            return ItemError(index, refusal.code, refusal.text, refusal.field)
        return NewMessage(
            account=account.name,
            carrier=carrier,
            lane=lane,
            source=source,
            destination=destination,
            text=message.text,
            alphabet=planned.alphabet,
            data_coding=planned.data_coding,
            esm_class=planned.esm_class,
            segments=planned.segments,
            registered_delivery=self._receipts[carrier],
            validity_ms=validity_ms,
            client_ref=message.client_ref,
            idempotency_key=_key(message.client_ref, request_key, index),
            digest=_digest(message, source, destination),
        )

    def _source(self, account: _Account, message: MessageIn) -> Address:
        if message.sender is not None:
            return addresses.sender(message.sender, default_region=account.settings.default_region)
        if account.default_source is None:
            raise Refusal("sender_missing", "no `from`, and the account has no default_sender", field="from")
        return account.default_source

    def _planned(self, account: _Account, text: str) -> Plan:
        planned = plan(text, reference=self._references.next, max_segments=account.settings.max_segments)
        if len(planned.segments) > 1:
            self._references.advance()
        return planned


def _prepared(name: str, account: AccountSettings) -> _Account:
    source = None
    if account.default_sender is not None:
        source = addresses.sender(account.default_sender, default_region=account.default_region)
    return _Account(name, account, _lane(account.default_lane), source)


def _lane(label: str) -> Lane:
    lane = _LANES.get(label)
    if lane is None:
        raise Refusal("lane_unknown", f"a lane is one of {', '.join(_LANES)}" + nearest(label, _LANES), field="lane")
    return lane


_LANES = {lane.label: lane for lane in Lane}


def _validity_ms(account: AccountSettings, message: MessageIn) -> int:
    seconds = account.default_validity_s if message.validity_s is None else message.validity_s
    if seconds > account.max_validity_s:
        most = f"{account.max_validity_s:g}"
        raise Refusal("validity_too_long", f"the longest validity of this account is {most} s", field="validity_s")
    return round(seconds * 1000)


def _key(client_ref: str | None, request_key: str | None, index: int) -> str | None:
    """The idempotency key of an item: its client_ref where it has one. The two kinds cannot be equal."""
    if client_ref is not None:
        return f"ref:{client_ref}"
    return None if request_key is None else f"key:{request_key}#{index}"


def _digest(message: MessageIn, source: Address, destination: Address) -> bytes:
    """Tells a repeat from another message under the same key.

    What the account's defaults supplied is left out, so that a change of the config turns no repeat into a conflict.
    U+0000 separates: it is in none of the fields.
    """
    sender = "" if message.sender is None else f"{source.ton}/{source.npi}/{source.addr}"
    validity = "" if message.validity_s is None else f"{message.validity_s:g}"
    parts = (destination.addr, message.text, sender, message.lane or "", validity, message.client_ref or "")
    return blake2b("\0".join(parts).encode(), digest_size=16).digest()


# ---------------------------------------------------------------------------------------------------------------- #
# Checks of one item
# ---------------------------------------------------------------------------------------------------------------- #

_FIELDS = tuple(field.alias or name for name, field in MessageIn.model_fields.items())
_KNOWN = frozenset(_FIELDS)


def _validated(item: Any) -> MessageIn:
    if type(item) is not dict:
        raise Refusal("not_an_object", "a message is a JSON object with at least `to` and `text`")
    if not _KNOWN.issuperset(item):
        name = next(name for name in item if name not in _KNOWN)
        raise Refusal(
            "unknown_field", f"there is no field {_shown(name)}" + nearest(name, _FIELDS), field=_shown(name)
        )
    for name, value in item.items():
        if type(value) is str and not (value.isascii() and "\0" not in value):
            refuse_unstorable(value, code="unencodable", field=name)
    try:
        return MessageIn.model_validate(item)
    except ValidationError as error:
        raise _as_refusal(error) from None


def _as_refusal(error: ValidationError) -> Refusal:
    """All that pydantic found, as one refusal: the code is that of the first, the text names every one."""
    found = [(str(item["loc"][0]), item["type"], item["msg"]) for item in error.errors(include_url=False)]
    text = "; ".join(f"{name}: {_lower(message)}" for name, _, message in found)
    name, kind, _ = found[0]
    if kind == "missing":
        return Refusal("missing_field", text, field=name)
    return Refusal("wrong_type" if kind.endswith("_type") else "invalid_value", text, field=name)


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _shown(name: str) -> str:
    return name if len(name) <= 64 else name[:61] + "..."
