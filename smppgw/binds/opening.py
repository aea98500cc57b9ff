"""How a session opens: our bind request, and who may ask for it by outbind."""

from __future__ import annotations

import hmac

from smppgw.binds.status import BindKind
from smppgw.config import CarrierSettings, OutbindSettings
from smppgw.smpp import BindReceiver, BindTransceiver, BindTransmitter, Outbind

BindRequest = BindTransceiver | BindTransmitter | BindReceiver

_REQUESTS: dict[BindKind, type[BindRequest]] = {
    BindKind.TRANSCEIVER: BindTransceiver,
    BindKind.TRANSMITTER: BindTransmitter,
    BindKind.RECEIVER: BindReceiver,
}


def bind_request(settings: CarrierSettings, kind: BindKind) -> BindRequest:
    """The bind request of a carrier (SMPP 3.4, 4.1). It need not fit: encoding it says so."""
    return _REQUESTS[kind](
        system_id=settings.system_id,
        password=settings.password.get_secret_value(),
        system_type=settings.system_type,
        interface_version=settings.interface_version.octet,
        addr_ton=settings.address_ton,
        addr_npi=settings.address_npi,
        address_range=settings.address_range,
    )


def outbind_is_wrong(outbind: Outbind, settings: OutbindSettings) -> str:
    """Why an outbind (SMPP 3.4, 4.1.7) is not that of our SMSC; '' when it is. What is not set is not compared."""
    if settings.system_id and outbind.system_id != settings.system_id:
        return f"system_id {outbind.system_id!r}, not {settings.system_id!r}"
    password = settings.password.get_secret_value()
    if password and not hmac.compare_digest(outbind.password.encode(), password.encode()):
        return "another password"
    return ""


def version_name(octet: int | None) -> str:
    """sc_interface_version as people write it: "3.4"; '' when the SMSC did not tell."""
    return "" if octet is None else f"{octet >> 4}.{octet & 0x0F}"
