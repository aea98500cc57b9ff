"""The bind request, and whose outbind is heard."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from smppgw.binds.opening import bind_request, outbind_is_wrong, version_name
from smppgw.binds.status import BindKind
from smppgw.config import InterfaceVersion, OutbindSettings
from smppgw.smpp import BindReceiver, BindTransceiver, BindTransmitter, Outbind, encode
from tests.support.binds import carrier


@pytest.mark.parametrize(
    ("kind", "request_type"),
    [
        (BindKind.TRANSCEIVER, BindTransceiver),
        (BindKind.TRANSMITTER, BindTransmitter),
        (BindKind.RECEIVER, BindReceiver),
    ],
)
def test_request_says_what_the_settings_say(kind: BindKind, request_type: type) -> None:
    settings = carrier(
        system_type="VMA", address_ton=1, address_npi=1, address_range="^4477", interface_version="3.3"
    )
    request = bind_request(settings, kind)
    assert type(request) is request_type
    assert request == request_type(
        system_id="app",
        password="secret",
        system_type="VMA",
        interface_version=0x33,
        addr_ton=1,
        addr_npi=1,
        address_range="^4477",
    )


@pytest.mark.parametrize(
    ("version", "octet"), [(InterfaceVersion.V33, 0x33), (InterfaceVersion.V34, 0x34), (InterfaceVersion.V50, 0x50)]
)
def test_interface_version(version: InterfaceVersion, octet: int) -> None:
    assert bind_request(carrier(interface_version=version), BindKind.TRANSCEIVER).interface_version == octet


def test_credentials_above_the_limits_are_sent_where_the_settings_say_so() -> None:
    settings = carrier(system_id="s" * 20, password=SecretStr("p" * 20), long_credentials=True)
    octets = encode(bind_request(settings, BindKind.TRANSCEIVER))
    assert b"s" * 20 + b"\0" + b"p" * 20 + b"\0" in octets


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        (OutbindSettings(), ""),
        (OutbindSettings(system_id="SMSC"), ""),
        (OutbindSettings(system_id="SMSC", password=SecretStr("geheim")), ""),
        (OutbindSettings(system_id="other"), "system_id 'SMSC', not 'other'"),
        (OutbindSettings(password=SecretStr("other")), "another password"),
    ],
)
def test_whose_outbind_is_heard(settings: OutbindSettings, wrong: str) -> None:
    assert outbind_is_wrong(Outbind(system_id="SMSC", password="geheim"), settings) == wrong


def test_versions_as_people_write_them() -> None:
    assert [version_name(octet) for octet in (None, 0x33, 0x34, 0x50)] == ["", "3.3", "3.4", "5.0"]
