"""What a carrier's settings make of an item: how its text is planned, and what its submit_sm carries beside it.

Decided once per carrier as far as possible; items that ask for nothing of their own pay nothing.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from smppgw.api.faults import nearest
from smppgw.api.item import CommonIn, MessageIn, shown
from smppgw.config import CarrierSettings, SubmitCommand
from smppgw.errors import Refusal
from smppgw.queue.model import Extras
from smppgw.sms.encoding import Encoding
from smppgw.sms.plan import Plan

#: Fields of submit_sm that data_sm does not have (SMPP 3.4, 4.7.1).
_NOT_IN_DATA_SM = ("protocol_id", "priority", "replace_if_present")


class Carriage:
    """One carrier, ready for items."""

    def __init__(self, name: str, settings: CarrierSettings) -> None:
        self.name = name
        self.encoding = Encoding(**settings.encoding.model_dump())
        self.registered_delivery = settings.submit.registered_delivery
        self._tlvs = settings.vendor_tlvs
        self._required = [tlv for tlv, one in self._tlvs.items() if one.required and one.value is None]
        self._data_sm = settings.submit.command is SubmitCommand.DATA_SM

    def extras(self, message: CommonIn, plan: Plan, reference: int) -> Extras | None:
        """What the submit_sms of this message have of their own; None of most.

        Raises Refusal: `tlv_unknown`, `tlv_not_allowed`, `tlv_missing`, `tlv_invalid`, `field_unsupported`,
        `replace_long`.
        """
        sar_reference = reference if plan.sar else None
        if isinstance(message, MessageIn):
            self.refuse_unsupported(message)
            _refuse_replacing_parts(message, plan)
            extras = Extras(
                service_type=message.service_type,
                protocol_id=message.protocol_id,
                priority_flag=message.priority,
                replace_if_present=bool(message.replace_if_present),
                tlvs=self._octets_of(message.tlvs or {}),
                sar_reference=sar_reference,
                payload=plan.payload,
            )
            return None if extras == _NOTHING else extras
        if self._required:
            self._refuse_missing(())
        return Extras(sar_reference=sar_reference, payload=plan.payload) if plan.sar or plan.payload else None

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


def _refuse_replacing_parts(message: MessageIn, plan: Plan) -> None:
    if message.replace_if_present and len(plan.segments) > 1:
        text = f"the text needs {len(plan.segments)} segments; each would replace the one before it"
        raise Refusal("replace_long", text, field="replace_if_present")
