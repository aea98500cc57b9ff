"""What is to be planned of an item: a text, or octets, and what the item wishes for it.

Owns the way from an item's fields to the planner's words. Refuses to know carriers beyond their encoding, and how a
plan is chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from smppgw.api.item import MessageIn, WapPushIn
from smppgw.errors import Refusal
from smppgw.sms import dcs
from smppgw.sms.encoding import (
    Alphabet,
    Encoding,
    LongMessages,
    Numbering,
    OnUnencodable,
    Waiting,
    WaitingKind,
    Wishes,
)
from smppgw.sms.plan import Plan, plan, plan_octets
from smppgw.sms.ports import WAP_PUSH, parse_udh, port_element, ports_of
from smppgw.sms.wap import service_indication, service_loading

_WAITING_KINDS = {kind.label: kind for kind in WaitingKind}

#: Plans a message anew, for 16-bit references.
Widened = Callable[[], tuple[bytes, ...] | None]


class Content(NamedTuple):
    """A text, or octets: then `text` says for people what they are, "" while only their data_coding tells."""

    text: str
    wishes: Wishes
    octets: bytes | None = None
    data_coding: int | None = None

    def planned(self, max_segments: int, encoding: Encoding) -> Plan:
        """Raises the planner's Refusals."""
        if self.octets is None:
            refuse_hopeless(self.text, max_segments)
            return plan(self.text, max_segments=max_segments, encoding=encoding, wishes=self.wishes)
        return plan_octets(
            self.octets,
            data_coding=self.data_coding,
            max_segments=max_segments,
            encoding=encoding,
            wishes=self.wishes,
        )

    def shown(self, planned: Plan, encoding: Encoding) -> str:
        """The text that is kept and shown."""
        if self.octets is None or self.text:
            return self.text
        return dcs.decode_text(self.octets, planned.data_coding, False, encoding)


def refuse_hopeless(text: str, max_segments: int) -> None:
    """Raises Refusal `too_long` for a text that is beyond all that could be replaced in it: planning it takes a time
    in which nothing else goes on."""
    if len(text) > max_segments * _HOPELESS_CHARACTERS:
        most = max_segments * SEGMENT_SEPTETS
        told = f"the text has {len(text)} characters; {max_segments} segments, which are allowed, hold {most} at most"
        raise Refusal("too_long", told, field="text")


#: Of GSM-7 in one segment.
SEGMENT_SEPTETS = 160
#: For each segment: smart encoding leaves characters out, and makes one of several, but not of so many.
_HOPELESS_CHARACTERS = 4 * SEGMENT_SEPTETS


def content_of(message: MessageIn, defaults: Wishes) -> Content:
    """`defaults`: of the account. Raises Refusal: `udh_invalid`, `wap_push_invalid`, `conflicting_fields`."""
    if _WISHING.isdisjoint(message.model_fields_set):
        return Content(message.text, defaults)
    wishes = _wishes(message, defaults)
    if message.wap_push is not None:
        push = message.wap_push
        told = push.url if push.text is None else f"{push.text} {push.url}"
        return Content(told, wishes, _wap_push(push))
    if message.octets is not None:
        return Content("", wishes, bytes.fromhex(message.octets), message.data_coding)
    return Content(message.text, wishes)


def widening(content: Content, planned: Plan, max_segments: int, encoding: Encoding) -> Widened | None:
    """What plans the same anew with a 16-bit reference; None where the carrier's settings ask for one kind."""
    if planned.numbering is not Numbering.NARROW or encoding.long is not LongMessages.AUTO:
        return None
    return partial(_widened, content, planned, max_segments, encoding)


def _widened(content: Content, planned: Plan, max_segments: int, encoding: Encoding) -> tuple[bytes, ...] | None:
    """The text stays as it was planned, and so do alphabet and data_coding: nothing but the cuts changes."""
    if content.octets is None:
        wishes = content.wishes._replace(alphabet=planned.alphabet, smart=False, on_unencodable=OnUnencodable.REFUSE)
        content = content._replace(text=planned.text, wishes=wishes)
    try:
        again = content.planned(max_segments, encoding._replace(long=LongMessages.UDH16))
    except Refusal:
        return None
    alike = again.numbering is Numbering.WIDE and _on_the_wire(again) == _on_the_wire(planned)
    return again.segments if alike else None


def _on_the_wire(planned: Plan) -> tuple[object, ...]:
    return planned.alphabet, planned.data_coding, planned.esm_class, planned.subunit


#: Fields that say something of the content.
_WISHING = frozenset(
    (
        *("octets", "wap_push", "alphabet", "smart_encoding", "on_unencodable", "message_class", "message_waiting"),
        *("ports", "udh", "data_coding"),
    )
)


def _wishes(message: MessageIn, defaults: Wishes) -> Wishes:
    waiting = message.message_waiting
    return Wishes(
        alphabet=None if message.alphabet is None else Alphabet(message.alphabet),
        smart=defaults.smart if message.smart_encoding is None else message.smart_encoding,
        on_unencodable=(
            defaults.on_unencodable if message.on_unencodable is None else OnUnencodable(message.on_unencodable)
        ),
        message_class=message.message_class,
        waiting=(
            None
            if waiting is None
            else Waiting(_WAITING_KINDS[waiting.kind], waiting.active, waiting.store, waiting.count)
        ),
        elements=_elements(message),
    )


def _elements(message: MessageIn) -> tuple[tuple[int, bytes], ...]:
    if message.wap_push is not None:
        return (WAP_PUSH,)
    elements = () if message.udh is None else parse_udh(message.udh)
    if message.ports is None:
        return elements
    if ports_of(elements) is not None:
        text = "the udh has an element for ports, too; leave one out"
        raise Refusal("conflicting_fields", text, field="ports")
    return (*elements, port_element(message.ports.destination, message.ports.source))


def _wap_push(push: WapPushIn) -> bytes:
    if push.kind == "si":
        text = push.text or ""
        if push.action is None:
            return service_indication(push.url, text, id=push.id)
        return service_indication(push.url, text, id=push.id, action=push.action)
    for name in ("text", "id"):
        if getattr(push, name) is not None:
            raise Refusal("wap_push_invalid", f"an sl has no {name}; leave it out", field=f"wap_push.{name}")
    return service_loading(push.url) if push.action is None else service_loading(push.url, action=push.action)
