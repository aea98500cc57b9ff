"""What a carrier's settings make of an item: how its text is planned, and what its submit_sm carries beside it.

Decided once per carrier as far as possible; items that ask for nothing of their own pay nothing.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from smppgw.api.faults import nearest
from smppgw.api.item import CommonIn, MessageIn, shown
from smppgw.config import CarrierSettings, ScheduleBy, SubmitCommand
from smppgw.errors import Refusal
from smppgw.queue.model import Extras
from smppgw.sms.plan import Plan

#: Fields of submit_sm that data_sm does not have (SMPP 3.4, 4.7.1).
_NOT_IN_DATA_SM = ("protocol_id", "replace_type", "priority", "replace_if_present")

#: TP-PID of Replace Short Message Type n is this plus n (3GPP TS 23.040, 9.2.3.9).
_REPLACE_TYPE = 0x40


class Carriage:
    """One carrier, ready for items."""

    def __init__(self, name: str, settings: CarrierSettings) -> None:
        self.name = name
        self.encoding = settings.encoding.as_encoding()
        self.registered_delivery = settings.submit.registered_delivery
        self._tlvs = settings.vendor_tlvs
        self._required = [tlv for tlv, one in self._tlvs.items() if one.required and one.value is None]
        self._data_sm = settings.submit.command is SubmitCommand.DATA_SM
        #: The carrier keeps messages until their time; data_sm has no field that tells it.
        self.schedules = settings.submit.schedule is ScheduleBy.CARRIER and not self._data_sm

    def extras(self, message: CommonIn, plan: Plan, schedule_utc_ms: int | None = None) -> Extras | None:
        """What the submit_sms of this message have of their own; None of most. `schedule_utc_ms`: of a message that
        the carrier is to keep until then.

        Raises Refusal: `tlv_unknown`, `tlv_not_allowed`, `tlv_missing`, `tlv_invalid`, `field_unsupported`,
        `replace_long`.
        """
        if isinstance(message, MessageIn):
            self.refuse_unsupported(message)
            _refuse_replacing_parts(message, plan)
            extras = Extras(
                service_type=message.service_type,
                protocol_id=_protocol_id(message),
                priority_flag=message.priority,
                replace_if_present=bool(message.replace_if_present),
                tlvs=self._octets_of(message.tlvs or {}),
                payload=plan.payload,
                dest_addr_subunit=plan.subunit,
                schedule_utc_ms=schedule_utc_ms,
                sent_text=plan.text if plan.replaced else None,
                replaced=plan.replaced,
            )
            return None if extras == _NOTHING else extras
        if self._required:
            self._refuse_missing(())
        if not plan.payload and not plan.replaced:
            return None
        return Extras(payload=plan.payload, sent_text=plan.text if plan.replaced else None, replaced=plan.replaced)

    def refuse_unsupported(self, message: CommonIn) -> None:
        """Raises Refusal `field_unsupported` where the message has a field that this carrier would never see."""
        if self._data_sm and isinstance(message, MessageIn):
            for name in _NOT_IN_DATA_SM:
                if getattr(message, name) is not None:
                    text = f"{self.name} is sent data_sm, which has no such field"
                    raise Refusal("field_unsupported", text, field=name)

    def _octets_of(self, given: Mapping[str, int | str]) -> tuple[tuple[int, bytes], ...]:
        """(tag, value) of what the item gives, in the order of the settings: some SMSCs care."""
        for name in given:
            field = f"tlvs.{shown(name)}"
            if name not in self._tlvs:
                text = f"{self.name} has no TLV of this name in its vendor_tlvs" + nearest(name, self._tlvs)
                raise Refusal("tlv_unknown", text, field=field)
            if not self._tlvs[name].from_request:
                raise Refusal("tlv_not_allowed", f"{self.name} sets this TLV itself", field=field)
        self._refuse_missing(given)
        return tuple((self._tlvs[name].tag, self._value(name, given[name])) for name in self._tlvs if name in given)

    def _refuse_missing(self, given: Container[str]) -> None:
        for name in self._required:
            if name not in given:
                raise Refusal("tlv_missing", f"{self.name} needs this TLV with every message", field=f"tlvs.{name}")

    def _value(self, name: str, given: int | str) -> bytes:
        try:
            return self._tlvs[name].octets_of(given)
        except ValueError as error:
            raise Refusal("tlv_invalid", f"the value {error}", field=f"tlvs.{name}") from None


_NOTHING = Extras()


def _protocol_id(message: MessageIn) -> int | None:
    return message.protocol_id if message.replace_type is None else _REPLACE_TYPE + message.replace_type


def _refuse_replacing_parts(message: MessageIn, plan: Plan) -> None:
    """At the SMSC that is a matter of its segments, on the handset of what they become there."""
    for field, asked, parts in (
        ("replace_if_present", message.replace_if_present, len(plan.segments)),
        ("replace_type", message.replace_type, plan.parts),
    ):
        if asked and parts > 1:
            text = f"the text needs {parts} segments; each would replace the one before it"
            raise Refusal("replace_long", text, field=field)
