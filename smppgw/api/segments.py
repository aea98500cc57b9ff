"""What POST /v1/segments answers: how a message would be sent, and what it would cost, without sending it.

Needs the settings only, so that it works without a running gateway. Refuses to know the store and HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smppgw.api import account as accounts
from smppgw.api.account import Account
from smppgw.api.carriage import Carriage
from smppgw.api.content import Content, content_of
from smppgw.api.faults import error_object, nearest_or_all
from smppgw.api.item import SegmentsIn, shown, validated_segments
from smppgw.api.moments import span_of
from smppgw.config import Settings
from smppgw.errors import Refusal
from smppgw.routing import Router
from smppgw.sms.encoding import Language, LongMessages, Numbering
from smppgw.sms.plan import MOST_SEGMENTS, Plan
from smppgw.sms.preview import Character, SegmentPreview, preview, remaining, smarter
from smppgw.sms.smart import Replaced

#: Of a character that costs; beyond it only the count tells how often it stands there.
MOST_POSITIONS = 20

_LONG = {
    Numbering.NARROW: LongMessages.UDH8.value,
    Numbering.WIDE: LongMessages.UDH16.value,
    Numbering.SAR: LongMessages.SAR.value,
}


class Previews:
    """Plans items as POST /v1/messages would."""

    def __init__(self, settings: Settings) -> None:
        self._router = Router(settings)
        self._carriages = {name: Carriage(name, carrier) for name, carrier in settings.carriers.items()}
        self._accounts = {name: accounts.prepared(name, one) for name, one in settings.accounts.items()}

    def answers(
        self, account: str, items: Sequence[Any], *, now_utc_ms: int | None = None, first: int = 0
    ) -> list[dict[str, Any]]:
        """One answer for each item, in order: schemas.PlannedOut, or its `index` (from `first`) and `error`.

        `now_utc_ms`: what send_at and valid_until are held against; None leaves them unread. Raises KeyError when
        there is no such account.
        """
        prepared = self._accounts[account]
        return [self._answer(prepared, index, item, now_utc_ms) for index, item in enumerate(items, first)]

    def _answer(self, account: Account, index: int, item: Any, now_utc_ms: int | None) -> dict[str, Any]:
        try:
            message = validated_segments(item)
            carriage = self._carriage(account, message)
            content = content_of(message, account.wishes)
            planned, too_long = _planned(content, account, carriage)
        except Refusal as refusal:
            return {"index": index, "error": _error(refusal)}
        objection = too_long or _objection(account, carriage, message, planned, now_utc_ms)
        return {"index": index, **_described(content, planned, account, carriage), "error": _error(objection)}

    def _carriage(self, account: Account, message: SegmentsIn) -> Carriage:
        """The carrier that is named, or that of the recipient's route, or the one that all recipients go to."""
        digits = account.recipient_of(message).addr if message.to else ""
        if message.carrier is not None:
            if message.carrier not in self._carriages:
                text = f"there is no carrier {shown(message.carrier)}"
                text += nearest_or_all(message.carrier, self._carriages)
                raise Refusal("carrier_unknown", text, field="carrier")
            return self._carriages[message.carrier]
        if not digits and len(self._carriages) == 1:
            return next(iter(self._carriages.values()))
        try:
            return self._carriages[self._router.carriers_for(account.name, digits)[0]]
        except Refusal as refusal:
            if digits:
                raise
            names = ", ".join(self._carriages)
            text = f"no route of this account takes all recipients; give `to`, or `carrier`: one of {names}"
            raise Refusal("carrier_missing", text, field="carrier") from refusal


def _planned(content: Content, account: Account, carriage: Carriage) -> tuple[Plan, Refusal | None]:
    """The plan, and why there are too many segments for this account where there are."""
    try:
        return content.planned(account.settings.max_segments, carriage.encoding), None
    except Refusal as refusal:
        if refusal.code != "too_long":
            raise
        try:
            return content.planned(MOST_SEGMENTS, carriage.encoding), refusal
        except Refusal:
            raise refusal from None


def _objection(
    account: Account, carriage: Carriage, message: SegmentsIn, planned: Plan, now_utc_ms: int | None
) -> Refusal | None:
    """Why POST /v1/messages would refuse what can be planned: the first reason."""
    try:
        if message.sender is not None:
            account.source_of(message)
        account.lane_of(message)
        if now_utc_ms is not None:
            span_of(message, account.settings, now_utc_ms)
        carriage.extras(message, planned, None)
    except Refusal as refusal:
        # What is previewed need not be complete.
        return None if refusal.code == "tlv_missing" else refusal
    return None


# ---------------------------------------------------------------------------------------------------------------- #
# The answer
# ---------------------------------------------------------------------------------------------------------------- #


def _described(content: Content, planned: Plan, account: Account, carriage: Carriage) -> dict[str, Any]:
    given = content.text if content.octets is None else None
    costs = preview(given, planned, carriage.encoding)
    smart = None if given is None else smarter(given, planned, carriage.encoding, content.wishes)
    return {
        "carrier": carriage.name,
        "alphabet": planned.alphabet.value,
        "locking_shift": language(planned.locking),
        "single_shift": language(planned.single),
        "data_coding": planned.data_coding,
        "esm_class": planned.esm_class,
        "dest_addr_subunit": planned.subunit,
        "long": LongMessages.PAYLOAD.value if planned.payload else _LONG.get(planned.numbering),
        "unit": costs.unit.value,
        "segment_count": len(planned.segments),
        "parts": planned.parts,
        "max_segments": account.settings.max_segments,
        "segments": [_segment(segment) for segment in costs.segments],
        "sent_text": planned.text if planned.replaced else None,
        "replaced": replacements(planned.replaced),
        "forced": [{**_character(one), "lacked_by": str(one.lacked_by)} for one in costs.forced],
        "extended": [_character(one) for one in costs.extended],
        "smart": None if smart is None else _smart(planned, smart),
        "smart_remaining": None if given is None else remaining(given, planned, carriage.encoding, content.wishes),
    }


def language(table: Language | None) -> str | None:
    """The name of a national language shift table; None for the default one."""
    return None if table is None else table.label


def replacements(replaced: Sequence[Replaced | tuple[int, str, str]]) -> list[dict[str, Any]]:
    """What was replaced, by its position in the text that was given."""
    return [{"at": at, "from": old, "to": new} for at, old, new in replaced]


def _segment(segment: SegmentPreview) -> dict[str, Any]:
    return {
        "part": segment.part,
        "text": segment.text,
        "used": segment.used,
        "left": segment.left,
        "octets": segment.octets.hex(),
        "udh": segment.header.hex(),
    }


def _character(one: Character) -> dict[str, Any]:
    return {
        "character": one.character,
        "code_point": one.code_point,
        "name": one.name,
        "count": len(one.positions),
        "positions": list(one.positions[:MOST_POSITIONS]),
    }


def _smart(planned: Plan, smart: Plan) -> dict[str, Any]:
    return {
        "segment_count": len(smart.segments),
        "alphabet": smart.alphabet.value,
        "replaced": replacements(smart.replaced),
        "saves": planned.parts - smart.parts,
    }


def _error(refusal: Refusal | None) -> dict[str, str] | None:
    return None if refusal is None else error_object(refusal.code, refusal.text, refusal.field)
