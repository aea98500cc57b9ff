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

from smppgw import addresses
from smppgw.addresses import Address
from smppgw.api.carriage import Carriage
from smppgw.api.faults import ApiError, nearest
from smppgw.api.item import CommonIn, digest_parts, validated
from smppgw.config import AccountSettings, Settings
from smppgw.errors import Refusal
from smppgw.queue.model import Lane, NewMessage
from smppgw.routing import Router
from smppgw.sms.plan import plan


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
    """The references of concatenated messages: only messages of several segments use one up.

    16 bits; carriers that are given 8 see the lower ones.
    """

    def __init__(self, first: int = 0) -> None:
        self.next = first % 65536

    def advance(self) -> None:
        self.next = (self.next + 1) % 65536


class _Account(NamedTuple):
    name: str
    settings: AccountSettings
    lane: Lane
    default_source: Address | None


class Intake:
    """Turns the items of a request into NewMessages, by the settings of the account that sent it."""

    def __init__(self, settings: Settings, *, first_reference: int = 0) -> None:
        self._router = Router(settings)
        self._carriages = {name: Carriage(name, carrier) for name, carrier in settings.carriers.items()}
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
            message = validated(item)
            source = self._source(account, message)
            destination = addresses.recipient(
                message.to,
                default_region=account.settings.default_region,
                strict=account.settings.strict_numbers,
            )
            carriers = self._router.carriers_for(account.name, destination.addr)
            carriage = self._carriages[carriers[0]]
            reference = self._references.next
            planned = plan(
                message.text,
                reference=reference,
                max_segments=account.settings.max_segments,
                encoding=carriage.encoding,
            )
            extras = carriage.extras(message, planned, reference)
            if extras is not None:
                for name in carriers[1:]:  # planned alike by the settings, but they may be sent another command
                    self._carriages[name].refuse_unsupported(message)
            validity_ms = _validity_ms(account.settings, message)
            lane = account.lane if message.lane is None else _lane(message.lane)
        except Refusal as refusal:
            return ItemError(index, refusal.code, refusal.text, refusal.field)
        if len(planned.segments) > 1:
            self._references.advance()
        return NewMessage(
            account=account.name,
            carrier=carriage.name,
            lane=lane,
            source=source,
            destination=destination,
            text=message.text,
            alphabet=planned.alphabet,
            data_coding=planned.data_coding,
            esm_class=planned.esm_class,
            segments=planned.segments,
            registered_delivery=carriage.registered_delivery,
            validity_ms=validity_ms,
            client_ref=message.client_ref,
            idempotency_key=_key(message.client_ref, request_key, index),
            digest=_digest(message, source, destination),
            alternatives=carriers[1:],
            extras=extras,
        )

    def _source(self, account: _Account, message: CommonIn) -> Address:
        if message.sender is not None:
            return addresses.sender(message.sender, default_region=account.settings.default_region)
        if account.default_source is None:
            raise Refusal("sender_missing", "no `from`, and the account has no default_sender", field="from")
        return account.default_source


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


def _validity_ms(account: AccountSettings, message: CommonIn) -> int:
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


def _digest(message: CommonIn, source: Address, destination: Address) -> bytes:
    """U+0000 separates: it is in none of the parts."""
    return blake2b("\0".join(digest_parts(message, source, destination)).encode(), digest_size=16).digest()
