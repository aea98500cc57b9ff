"""How submits are answered by an SMSC that does not answer them as it should. Pure.

Owns the command_status a submit gets for what it carries (`screen_of`), and what becomes of its response on the way
(`spoiler_of`). Both are None where nothing is odd: the straight SMSC pays for neither.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from simulator.dialect import tlvs_of
from simulator.odd import MALFORMED, frame
from simulator.quirks import LongForm, ResponseQuirks, StatusCode
from simulator.reading import STRAIGHT_READER, UDHI, Reader, content_of
from simulator.rules import ResponseEffect
from simulator.stats import UNANSWERED
from smppgw.smpp import DataSm, GenericNack, Pdu, Status, SubmitSm, Tag
from smppgw.sms import udh

_NO_END = b"\xff" * 80  # longer than any message_id, and no NUL

Screen = Callable[[SubmitSm | DataSm], int]
Spoiler = Callable[[list[Pdu]], list[Pdu]]


class _Turns:
    """Which submits are meant: each `every`-th, and `first` of them (0: no end)."""

    def __init__(self, quirks: ResponseQuirks) -> None:
        self._every = quirks.every
        self._left = quirks.first or -1
        self._count = 0

    def next(self) -> bool:
        self._count += 1
        if self._count % self._every or not self._left:
            return False
        self._left -= 1
        return True


def screen_of(quirks: ResponseQuirks, chance: Callable[[], float], reader: Reader = STRAIGHT_READER) -> Screen | None:
    """What a submit is refused with for what it carries, or at random; 0 accepts it."""
    content = _content_screen(quirks, reader)
    weights = dict(quirks.statuses)
    if quirks.never:
        weights = {StatusCode(UNANSWERED): 1.0}
    elif quirks.generic_nack is not None:
        weights = {quirks.generic_nack: 1.0}
    if not weights:
        return content
    turns = _Turns(quirks)
    statuses = [int(status) for status in weights]
    bounds = list(accumulate(weights.values()))

    def screen(pdu: SubmitSm | DataSm) -> int:
        status = content(pdu) if content is not None else 0
        if status or not turns.next():
            return status
        return statuses[bisect(bounds, chance() * bounds[-1])]

    return screen


def _content_screen(quirks: ResponseQuirks, reader: Reader) -> Screen | None:
    """What a submit is refused with for what it carries; None where anything goes."""
    refuses_forms = set(LongForm) - set(quirks.takes_long)
    known, most = frozenset(quirks.takes_data_codings), quirks.max_octets
    if quirks.takes_tlvs and quirks.takes_schedule and not refuses_forms and not known and not most:
        return None

    def screen(pdu: SubmitSm | DataSm) -> int:
        if pdu.tlvs and not quirks.takes_tlvs:
            return Status.ESME_ROPTPARNOTALLWD
        if refuses_forms and _form_of(pdu) in refuses_forms:
            return Status.ESME_RINVESMCLASS
        if not (quirks.takes_schedule or isinstance(pdu, DataSm)) and pdu.schedule_delivery_time:
            return Status.ESME_RINVSCHED
        if known and pdu.data_coding not in known:
            return Status.ESME_RINVDCS
        if most and Tag.MESSAGE_PAYLOAD not in pdu.tlvs and reader.air_octets(pdu) > most:
            return Status.ESME_RINVMSGLEN
        return 0

    return screen


def _form_of(pdu: SubmitSm | DataSm) -> LongForm | None:
    if pdu.esm_class & UDHI:
        found = udh.concatenation(content_of(pdu))
        return LongForm.UDH16 if found is not None and found.wide else LongForm.UDH
    if Tag.SAR_MSG_REF_NUM in pdu.tlvs:
        return LongForm.SAR
    return LongForm.PAYLOAD if Tag.MESSAGE_PAYLOAD in pdu.tlvs else None


class RawResponse:
    """A response whose octets are given; a session takes it for a Pdu."""

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def octets(self) -> bytes:
        return self._octets


def spoiler_of(quirks: ResponseQuirks) -> Spoiler | None:
    """What the responses of one read become."""
    changes = bool(quirks.sequence_offset or quirks.tlvs or quirks.unreadable)
    changes = changes or not quirks.body or not quirks.message_id
    replaces = quirks.never or quirks.generic_nack is not None
    if not changes and not replaces and not quirks.reverse:
        return None
    turns = _Turns(quirks)
    tlvs = tlvs_of(quirks.tlvs)

    def spoilt(response: Pdu) -> Pdu | None:
        if response.command_status == UNANSWERED:
            return None
        if response.command_status and response.command_status == quirks.generic_nack:
            return GenericNack(sequence_number=response.sequence_number, command_status=quirks.generic_nack)
        if not changes:
            return response
        if response.command_status or not turns.next():
            return response
        response.sequence_number += quirks.sequence_offset
        if not quirks.message_id:
            response.message_id = ""  # type: ignore[attr-defined]  # each response of a submit has it
        response.tlvs |= tlvs
        if quirks.unreadable or not quirks.body:
            body = _NO_END if quirks.unreadable else b""
            return RawResponse(frame(response.command_id, response.sequence_number, body))  # type: ignore[return-value]
        return response

    def spoil(responses: list[Pdu]) -> list[Pdu]:
        if changes or replaces:
            responses = [one for response in responses if (one := spoilt(response)) is not None]
        return responses[::-1] if quirks.reverse else responses

    return spoil


def shaped(response: Pdu, effect: ResponseEffect) -> list[Pdu]:
    """What a rule makes of a response: none, another one, or several."""
    status = response.command_status
    if effect.lost or effect.never or status == UNANSWERED:
        return []
    number = response.sequence_number + effect.sequence_offset
    one: Any = response
    if effect.generic_nack is not None and status == effect.generic_nack:
        one = GenericNack(sequence_number=number, command_status=status)
    elif status == 0 and effect.malformed:
        message_id = response.message_id  # type: ignore[attr-defined]  # each response of a submit has it
        one = RawResponse(MALFORMED[effect.malformed](response.command_id, number, message_id))
    elif status == 0 and not effect.body:
        one = RawResponse(frame(response.command_id, number))
    else:
        one.sequence_number = number
        if not effect.message_id:
            one.message_id = ""
        if effect.tlvs:
            one.tlvs |= tlvs_of(effect.tlvs)
    return [one] * effect.copies
