"""What a carrier's settings make of an item: the encoding of its text, and the extras of its submit_sm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from smppgw.api.carriage import Carriage
from smppgw.api.item import MessageIn, validated
from smppgw.config import (
    CarrierSettings,
    EncodingSettings,
    LongMessages,
    ScheduleBy,
    SubmitCommand,
    SubmitSettings,
    TlvType,
    VendorTlv,
)
from smppgw.errors import Refusal
from smppgw.queue.model import Extras
from smppgw.sms.encoding import DEFAULT_ENCODING, ClassForm, Wishes
from smppgw.sms.plan import plan

GOOD = {"to": "+447700900123", "text": "Hello"}
TLVS = {
    "campaign": VendorTlv(tag=0x1400, octets=6),
    "product": VendorTlv(tag=0x1401, type=TlvType.INTEGER, octets=2),
    "token": VendorTlv(tag=0x1402, type=TlvType.OCTETS),
    "account_no": VendorTlv(tag=0x1403, value="4711", from_request=False),
}


def carriage(**changes: Any) -> Carriage:
    given: dict[str, Any] = {"host": "127.0.0.1", "system_id": "demo", "password": SecretStr("demo")}
    return Carriage("demo", CarrierSettings(**(given | {"vendor_tlvs": TLVS} | changes)))


def extras(item: dict[str, Any], **changes: Any) -> Extras | None:
    message = validated({**GOOD, **item})
    carrier = carriage(**changes)
    wishes = Wishes(smart=True, message_class=message.message_class if isinstance(message, MessageIn) else None)
    return carrier.extras(message, plan(message.text, encoding=carrier.encoding, wishes=wishes))


def test_a_carrier_with_default_settings() -> None:
    carrier = carriage()
    assert (carrier.encoding, carrier.registered_delivery) == (DEFAULT_ENCODING, 1)
    assert not carrier.schedules


def test_most_messages_have_none() -> None:
    assert extras({}) is None
    assert extras({"priority": None, "tlvs": None, "replace_if_present": False}) is None
    assert extras({"text": "x" * 161}) is None


def test_what_the_item_says() -> None:
    assert extras(
        {
            "service_type": "CMT",
            "protocol_id": 64,
            "priority": 0,
            "replace_if_present": True,
            "tlvs": {"token": "0aFF", "product": 513, "campaign": "may"},
        }
    ) == Extras(
        service_type="CMT",
        protocol_id=64,
        priority_flag=0,
        replace_if_present=True,
        tlvs=((0x1400, b"may\0"), (0x1401, b"\x02\x01"), (0x1402, b"\x0a\xff")),  # in the order of the settings
    )
    assert extras({"service_type": ""}) == Extras(service_type="")


@pytest.mark.parametrize(
    ("item", "code", "field", "message"),
    [
        ({"tlvs": {"campain": "x"}}, "tlv_unknown", "tlvs.campain", "demo has no TLV of this name"),
        ({"tlvs": {"campain": "x"}}, "tlv_unknown", "tlvs.campain", "did you mean campaign?"),
        ({"tlvs": {"account_no": "1"}}, "tlv_not_allowed", "tlvs.account_no", "sets this TLV itself"),
        ({"tlvs": {"campaign": "spring"}}, "tlv_invalid", "tlvs.campaign", "takes 7 octets, above 6"),
        ({"tlvs": {"campaign": "é"}}, "tlv_invalid", "tlvs.campaign", "printable ASCII"),
        ({"tlvs": {"campaign": 1}}, "tlv_invalid", "tlvs.campaign", "must be a string"),
        ({"tlvs": {"product": "1"}}, "tlv_invalid", "tlvs.product", "must be an integer"),
        ({"tlvs": {"product": 65536}}, "tlv_invalid", "tlvs.product", "does not fit into 2 octets"),
        ({"tlvs": {"token": "0a1"}}, "tlv_invalid", "tlvs.token", "hexadecimal"),
        ({"replace_if_present": True, "text": "x" * 161}, "replace_long", "replace_if_present", "needs 2 segments"),
        ({"replace_type": 1, "text": "x" * 161}, "replace_long", "replace_type", "needs 2 segments"),
    ],
)
def test_refusals(item: dict[str, Any], code: str, field: str, message: str) -> None:
    with pytest.raises(Refusal) as caught:
        extras(item)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert message in caught.value.text


@pytest.mark.parametrize("item", [{}, {"priority": 1}, {"tlvs": {}}, {"tlvs": {"other": 1}}])
def test_a_required_tlv(item: dict[str, Any]) -> None:
    tlvs = {"campaign": VendorTlv(tag=0x1400, required=True), "other": VendorTlv(tag=0x1401, type=TlvType.INTEGER)}
    with pytest.raises(Refusal) as caught:
        extras(item, vendor_tlvs=tlvs)
    assert (caught.value.code, caught.value.field) == ("tlv_missing", "tlvs.campaign")
    assert extras({"tlvs": {"campaign": "x"}}, vendor_tlvs=tlvs) == Extras(tlvs=((0x1400, b"x\0"),))


@pytest.mark.parametrize("field", ["protocol_id", "replace_type", "priority", "replace_if_present"])
def test_data_sm_has_fewer_fields(field: str) -> None:
    data_sm = {"submit": SubmitSettings(command=SubmitCommand.DATA_SM)}
    value = True if field == "replace_if_present" else 1
    with pytest.raises(Refusal) as caught:
        extras({field: value}, **data_sm)
    assert (caught.value.code, caught.value.field) == ("field_unsupported", field)
    assert extras({"service_type": "WAP"}, **data_sm) == Extras(service_type="WAP")


def test_long_texts_as_the_carrier_wants_them() -> None:
    long = {"text": "x" * 161}
    sar = {"encoding": EncodingSettings(long=LongMessages.SAR)}
    payload = {"encoding": EncodingSettings(long=LongMessages.PAYLOAD)}
    assert extras(long, **sar) is None, "the store knows the reference"
    assert extras({**long, "priority": 2}, **sar) == Extras(priority_flag=2)
    assert extras(long, **payload) == Extras(payload=True)
    assert extras({**long, "replace_if_present": True}, **payload) == Extras(payload=True, replace_if_present=True)
    with pytest.raises(Refusal, match="needs 2 segments"):
        extras({**long, "replace_type": 1}, **payload)  # the handset sees its parts
    assert extras({}, **sar) is None and extras({}, **payload) is None


def test_what_was_replaced() -> None:
    replaced = Extras(sent_text='"x"', replaced=((0, "“", '"'), (2, "”", '"')))
    assert extras({"text": "“x”"}) == replaced
    assert extras({"text": "“x”", "priority": 1}) == replace(replaced, priority_flag=1)


def test_a_class_told_by_a_tlv() -> None:
    subunit = {"encoding": EncodingSettings(message_class=ClassForm.SUBUNIT)}
    assert extras({"message_class": 0}, **subunit) == Extras(dest_addr_subunit=1)
    assert extras({"message_class": 0}) is None


def test_until_when_the_carrier_keeps_it() -> None:
    submit = SubmitSettings(schedule=ScheduleBy.CARRIER)
    carrier = carriage(submit=submit)
    message = validated({**GOOD, "send_at": "x"})
    assert carrier.schedules
    assert carrier.extras(message, plan("Hello"), 17) == Extras(schedule_utc_ms=17)
    assert not carriage(submit=submit.model_copy(update={"command": SubmitCommand.DATA_SM})).schedules
