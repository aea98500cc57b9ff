"""Every command against octets assembled by hand, and against the tables of smpplib."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from smpplib import command as smpplib_command

import smppgw.smpp
from smppgw.smpp import CommandId, Deviation, DistributionList, Pdu, SmeAddress, Tlvs, UnsuccessSme, decode, encode
from smppgw.smpp.constants import RESPONSE_BIT
from smppgw.smpp.fields import U8, COctet, Octets
from tests.smpp.samples import ALL_CLASSES

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "smpp.json").read_text(encoding="utf-8")
)["pdus"]


def built(vector: dict[str, Any]) -> Pdu:
    """The PDU that a vector describes."""
    fields: dict[str, Any] = dict(vector["fields"])
    if "short_message" in vector:
        fields["short_message"] = bytes.fromhex(vector["short_message"])
    if "tlvs" in vector:
        fields["tlvs"] = Tlvs((int(tag, 16), bytes.fromhex(value)) for tag, value in vector["tlvs"])
    if "destinations" in vector:
        shapes = {"sme": SmeAddress, "list": DistributionList}
        fields["dest_addresses"] = tuple(shapes[shape](*parts) for shape, *parts in vector["destinations"])
    if "unsuccess" in vector:
        fields["unsuccess_smes"] = tuple(UnsuccessSme(*parts) for parts in vector["unsuccess"])
    pdu: Pdu = getattr(smppgw.smpp, vector["class"])(**fields)
    return pdu


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_decode(vector: dict[str, Any]) -> None:
    noted: list[str] = []
    assert decode(bytes.fromhex(vector["hex"]), noted.append) == built(vector)
    assert noted == ([Deviation.PADDING] if "broken" in vector else [])


@pytest.mark.parametrize("vector", [v for v in VECTORS if "broken" not in v], ids=lambda vector: vector["name"])
def test_encode(vector: dict[str, Any]) -> None:
    assert encode(built(vector)).hex(" ") == bytes.fromhex(vector["hex"]).hex(" ")


def test_every_command_has_a_vector() -> None:
    assert {vector["class"] for vector in VECTORS} == {cls.__name__ for cls in ALL_CLASSES}


def test_every_command_has_a_class_and_every_request_that_is_answered_a_response() -> None:
    broadcast = {command for command in CommandId if "BROADCAST" in command.name}  # names only
    assert {cls.command_id for cls in ALL_CLASSES} == set(CommandId) - broadcast
    assert len(broadcast) == 6
    for cls in ALL_CLASSES:
        if cls.is_response and cls.command_id is not CommandId.GENERIC_NACK:
            assert cls.answers is not None
            assert cls.answers | RESPONSE_BIT == cls.command_id
        else:
            assert cls.answers is None


# 65 octets by SMPP 3.4, 4.7.1 and 4.12.1, where smpplib has the 21 of submit_sm.
LONG_ADDRESSES = {
    (CommandId.DATA_SM, "source_addr"),
    (CommandId.DATA_SM, "destination_addr"),
    (CommandId.ALERT_NOTIFICATION, "source_addr"),
    (CommandId.ALERT_NOTIFICATION, "esme_addr"),
}
# smpplib does not have these commands.
OWN_ONLY = {
    "outbind",
    "submit_multi",
    "submit_multi_resp",
    "cancel_sm",
    "cancel_sm_resp",
    "replace_sm",
    "replace_sm_resp",
}


class Client:
    """What smpplib wants to take sequence numbers from."""

    sequence = 7

    def next_sequence(self) -> int:
        return self.sequence


SHARED = [cls for cls in ALL_CLASSES if cls.command_id.label not in OWN_ONLY]


@pytest.mark.parametrize("cls", SHARED, ids=lambda cls: cls.command_id.label)
def test_names_and_limits_are_those_of_smpplib(cls: type[Pdu]) -> None:
    theirs = smpplib_command.factory(cls.command_id.label, client=Client())
    mandatory = [name for name in theirs.params_order if not theirs.field_is_optional(name)]
    ours = [
        part
        for name, kind in cls.fields.items()
        for part in ([kind.length] if isinstance(kind, Octets) else []) + [name]
    ]
    assert ours == mandatory
    for name, kind in cls.fields.items():
        if isinstance(kind, U8):
            assert theirs.params[name].size == 1
        elif isinstance(kind, COctet):
            assert kind.limit == (65 if (cls.command_id, name) in LONG_ADDRESSES else theirs.params[name].max)


def test_passwords_are_not_shown() -> None:
    shown = repr(smppgw.smpp.BindTransceiver(system_id="me", password="hunter22"))
    assert shown == "BindTransceiver(sequence_number=0, system_id='me', password='***')"
    assert "hunter" not in repr(smppgw.smpp.Outbind(password="hunter22"))
