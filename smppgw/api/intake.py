"""From the body of a POST to messages that can be stored: parse, check, plan, route.

Knows nothing of HTTP frameworks, so that any front can call it. One bad item never touches the others: it becomes an
ItemError, its neighbours go on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NoReturn

from smppgw.addresses import Address
from smppgw.api import account as accounts
from smppgw.api.account import Account
from smppgw.api.carriage import Carriage
from smppgw.api.content import Content, content_of, refuse_hopeless, widening
from smppgw.api.faults import ApiError
from smppgw.api.item import CommonIn, MessageIn, digest_parts, validated
from smppgw.api.moments import span_of, validity_ms_of
from smppgw.config import Settings
from smppgw.errors import Refusal
from smppgw.queue.model import NewMessage
from smppgw.routing import Router
from smppgw.sms.encoding import Numbering
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


def portions(items: Sequence[Any]) -> Iterator[tuple[int, Sequence[Any]]]:
    """The items in portions that are planned without a pause, each with the place of its first: by their characters,
    since it is texts that take time."""
    start, weight = 0, 0
    for index, item in enumerate(items):
        text = item.get("text") if type(item) is dict else None
        weight += _ITEM_WEIGHT + (len(text) if type(text) is str else 0)
        if weight > _PORTION_WEIGHT:
            yield start, items[start : index + 1]
            start, weight = index + 1, 0
    if start < len(items):
        yield start, items[start:]


_ITEM_WEIGHT = 50
#: A batch of 100 usual texts is one portion. Planning it takes milliseconds; where every character is one to be
#: replaced, a quarter of a second.
_PORTION_WEIGHT = 20_000


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


class Intake:
    """Turns the items of a request into NewMessages, by the settings of the account that sent it."""

    def __init__(self, settings: Settings) -> None:
        self._router = Router(settings)
        self._carriages = {name: Carriage(name, carrier) for name, carrier in settings.carriers.items()}
        self._accounts = {name: accounts.prepared(name, one) for name, one in settings.accounts.items()}

    def messages(
        self,
        account: str,
        items: Sequence[Any],
        *,
        now_utc_ms: int,
        idempotency_key: str | None = None,
        first: int = 0,
    ) -> list[NewMessage | ItemError]:
        """One result for each item, in order. `idempotency_key`: that of the whole request, of which `first` is the
        place of the first item."""
        prepared = self._accounts[account]
        return [
            self._one(prepared, index, item, now_utc_ms, idempotency_key) for index, item in enumerate(items, first)
        ]

    def _one(
        self, account: Account, index: int, item: Any, now_utc_ms: int, request_key: str | None
    ) -> NewMessage | ItemError:
        try:
            message = validated(item)
            source = account.source_of(message)
            destination = account.recipient_of(message)
            carriers = self._router.carriers_for(account.name, destination.addr)
            carriage = self._carriages[carriers[0]]
            max_segments, encoding = account.settings.max_segments, carriage.encoding
            content: Content | None = None
            repeat_only: Refusal | None = None
            key = _key(message.client_ref, request_key, index)
            text, send_utc_ms, until_utc_ms = message.text, None, 0
            if isinstance(message, MessageIn):
                content = content_of(message, account.wishes)
                planned = content.planned(max_segments, encoding)
                text = content.shown(planned, encoding)
                try:
                    validity_ms, send_utc_ms, until_utc_ms = span_of(message, account.settings, now_utc_ms)
                except Refusal as refusal:
                    if key is None or refusal.code != "valid_until_past":
                        raise
                    # It may be a repeat of one that was accepted while there was time: the store knows.
                    validity_ms, repeat_only = 0, refusal
            else:
                refuse_hopeless(text, max_segments)
                planned = plan(text, max_segments=max_segments, encoding=encoding, wishes=account.wishes)
                validity_ms = validity_ms_of(message, account.settings)
            extras = carriage.extras(message, planned, send_utc_ms if carriage.schedules else None)
            if extras is not None:
                for name in carriers[1:]:  # planned alike by the settings, but they may be sent another command
                    self._carriages[name].refuse_unsupported(message)
            lane = account.lane_of(message)
        except Refusal as refusal:
            return ItemError(index, refusal.code, refusal.text, refusal.field)
        widened = None
        if planned.numbering is Numbering.NARROW:
            widened = widening(content or Content(text, account.wishes), planned, max_segments, encoding)
        return NewMessage(
            account=account.name,
            carrier=carriage.name,
            lane=lane,
            source=source,
            destination=destination,
            text=text,
            alphabet=planned.alphabet,
            data_coding=planned.data_coding,
            esm_class=planned.esm_class,
            segments=planned.segments,
            registered_delivery=carriage.registered_delivery,
            validity_ms=validity_ms,
            client_ref=message.client_ref,
            idempotency_key=key,
            digest=_digest(message, source, destination),
            alternatives=carriers[1:],
            extras=extras,
            numbering=planned.numbering,
            widened=widened,
            due_utc_ms=0 if send_utc_ms is None or carriage.schedules else send_utc_ms,
            expires_utc_ms=until_utc_ms,
            repeat_only=repeat_only,
            parts=planned.parts,
        )


def _key(client_ref: str | None, request_key: str | None, index: int) -> str | None:
    """The idempotency key of an item: its client_ref where it has one. The two kinds cannot be equal."""
    if client_ref is not None:
        return f"ref:{client_ref}"
    return None if request_key is None else f"key:{request_key}#{index}"


def _digest(message: CommonIn, source: Address, destination: Address) -> bytes:
    """U+0000 separates: it is in none of the parts."""
    return blake2b("\0".join(digest_parts(message, source, destination)).encode(), digest_size=16).digest()
