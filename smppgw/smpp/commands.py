"""Every PDU of SMPP 3.4 as a table: one class per command, one line per mandatory field (section 4).

Owns names, order and limits of the fields. How they become octets is codec.py's business. All constructors take
keywords only; besides the fields every PDU has sequence_number, command_status and tlvs.
"""

from __future__ import annotations

from smppgw.smpp.codec import Pdu, pdu
from smppgw.smpp.constants import CommandId
from smppgw.smpp.fields import (
    Destination,
    UnsuccessSme,
    address,
    c_octet,
    destinations,
    octets,
    time,
    u8,
    unsuccess_smes,
)

#: Limit for writing system_id and password, terminator included: some SMSCs hand out longer ones than the standard
#: allows. Reading keeps to the standard.
_CREDENTIAL = 65

# --- 4.1 bind ----------------------------------------------------------------------------------------------------


@pdu(CommandId.BIND_TRANSMITTER)
class BindTransmitter(Pdu):
    """4.1.1"""

    system_id: str = c_octet(16, longest=_CREDENTIAL)
    password: str = c_octet(9, secret=True, longest=_CREDENTIAL)
    system_type: str = c_octet(13)
    interface_version: int = u8(0x34)
    addr_ton: int = u8()
    addr_npi: int = u8()
    address_range: str = c_octet(41)


@pdu(CommandId.BIND_TRANSMITTER_RESP, bodyless_on_error=True)
class BindTransmitterResp(Pdu):
    """4.1.2"""

    system_id: str = c_octet(16)


@pdu(CommandId.BIND_RECEIVER)
class BindReceiver(Pdu):
    """4.1.3"""

    system_id: str = c_octet(16, longest=_CREDENTIAL)
    password: str = c_octet(9, secret=True, longest=_CREDENTIAL)
    system_type: str = c_octet(13)
    interface_version: int = u8(0x34)
    addr_ton: int = u8()
    addr_npi: int = u8()
    address_range: str = c_octet(41)


@pdu(CommandId.BIND_RECEIVER_RESP, bodyless_on_error=True)
class BindReceiverResp(Pdu):
    """4.1.4"""

    system_id: str = c_octet(16)


@pdu(CommandId.BIND_TRANSCEIVER)
class BindTransceiver(Pdu):
    """4.1.5"""

    system_id: str = c_octet(16, longest=_CREDENTIAL)
    password: str = c_octet(9, secret=True, longest=_CREDENTIAL)
    system_type: str = c_octet(13)
    interface_version: int = u8(0x34)
    addr_ton: int = u8()
    addr_npi: int = u8()
    address_range: str = c_octet(41)


@pdu(CommandId.BIND_TRANSCEIVER_RESP, bodyless_on_error=True)
class BindTransceiverResp(Pdu):
    """4.1.6"""

    system_id: str = c_octet(16)


@pdu(CommandId.OUTBIND)
class Outbind(Pdu):
    """4.1.7"""

    system_id: str = c_octet(16)
    password: str = c_octet(9, secret=True)


# --- 4.2 unbind, 4.3 generic_nack ----------------------------------------------------------------------------------


@pdu(CommandId.UNBIND)
class Unbind(Pdu):
    """4.2.1"""


@pdu(CommandId.UNBIND_RESP)
class UnbindResp(Pdu):
    """4.2.2"""


@pdu(CommandId.GENERIC_NACK)
class GenericNack(Pdu):
    """4.3.1"""


# --- 4.4 submit_sm, 4.5 submit_multi -------------------------------------------------------------------------------


@pdu(CommandId.SUBMIT_SM)
class SubmitSm(Pdu):
    """4.4.1"""

    service_type: str = c_octet(6)
    source_addr_ton: int = u8()
    source_addr_npi: int = u8()
    source_addr: str = address()
    dest_addr_ton: int = u8()
    dest_addr_npi: int = u8()
    destination_addr: str = address()
    esm_class: int = u8()
    protocol_id: int = u8()
    priority_flag: int = u8()
    schedule_delivery_time: str = time()
    validity_period: str = time()
    registered_delivery: int = u8()
    replace_if_present_flag: int = u8()
    data_coding: int = u8()
    sm_default_msg_id: int = u8()
    short_message: bytes = octets(length="sm_length", limit=254)


@pdu(CommandId.SUBMIT_SM_RESP, bodyless_on_error=True)
class SubmitSmResp(Pdu):
    """4.4.2"""

    message_id: str = c_octet(65)


@pdu(CommandId.SUBMIT_MULTI)
class SubmitMulti(Pdu):
    """4.5.1"""

    service_type: str = c_octet(6)
    source_addr_ton: int = u8()
    source_addr_npi: int = u8()
    source_addr: str = address()
    dest_addresses: tuple[Destination, ...] = destinations(count="number_of_dests")
    esm_class: int = u8()
    protocol_id: int = u8()
    priority_flag: int = u8()
    schedule_delivery_time: str = time()
    validity_period: str = time()
    registered_delivery: int = u8()
    replace_if_present_flag: int = u8()
    data_coding: int = u8()
    sm_default_msg_id: int = u8()
    short_message: bytes = octets(length="sm_length", limit=254)


@pdu(CommandId.SUBMIT_MULTI_RESP)
class SubmitMultiResp(Pdu):
    """4.5.2"""

    message_id: str = c_octet(65)
    unsuccess_smes: tuple[UnsuccessSme, ...] = unsuccess_smes(count="no_unsuccess")


# --- 4.6 deliver_sm ------------------------------------------------------------------------------------------------


# Lenient: refusing an inbound text because its sender's name is too long would lose it.
@pdu(CommandId.DELIVER_SM, lenient=True)
class DeliverSm(Pdu):
    """4.6.1"""

    service_type: str = c_octet(6)
    source_addr_ton: int = u8()
    source_addr_npi: int = u8()
    source_addr: str = address()
    dest_addr_ton: int = u8()
    dest_addr_npi: int = u8()
    destination_addr: str = address()
    esm_class: int = u8()
    protocol_id: int = u8()
    priority_flag: int = u8()
    schedule_delivery_time: str = time()
    validity_period: str = time()
    registered_delivery: int = u8()
    replace_if_present_flag: int = u8()
    data_coding: int = u8()
    sm_default_msg_id: int = u8()
    short_message: bytes = octets(length="sm_length", limit=254)


@pdu(CommandId.DELIVER_SM_RESP)
class DeliverSmResp(Pdu):
    """4.6.2; message_id is unused and empty, but peers put ids there."""

    message_id: str = c_octet(65)


# --- 4.7 data_sm ---------------------------------------------------------------------------------------------------


# Lenient: it brings texts and receipts as deliver_sm does.
@pdu(CommandId.DATA_SM, lenient=True)
class DataSm(Pdu):
    """4.7.1"""

    service_type: str = c_octet(6)
    source_addr_ton: int = u8()
    source_addr_npi: int = u8()
    source_addr: str = address(65)
    dest_addr_ton: int = u8()
    dest_addr_npi: int = u8()
    destination_addr: str = address(65)
    esm_class: int = u8()
    registered_delivery: int = u8()
    data_coding: int = u8()


@pdu(CommandId.DATA_SM_RESP)
class DataSmResp(Pdu):
    """4.7.2"""

    message_id: str = c_octet(65)


# --- 4.8 query_sm, 4.9 cancel_sm, 4.10 replace_sm ------------------------------------------------------------------


@pdu(CommandId.QUERY_SM)
class QuerySm(Pdu):
    """4.8.1"""

    message_id: str = c_octet(65)
    source_addr_ton: int = u8()
    source_addr_npi: int = u8()
    source_addr: str = address()


@pdu(CommandId.QUERY_SM_RESP)
class QuerySmResp(Pdu):
    """4.8.2"""

    message_id: str = c_octet(65)
    final_date: str = time()
    message_state: int = u8()
    error_code: int = u8()


@pdu(CommandId.CANCEL_SM)
class CancelSm(Pdu):
    """4.9.1"""

    service_type: str = c_octet(6)
    message_id: str = c_octet(65)
    source_addr_ton: int = u8()
    source_addr_npi: int = u8()
    source_addr: str = address()
    dest_addr_ton: int = u8()
    dest_addr_npi: int = u8()
    destination_addr: str = address()


@pdu(CommandId.CANCEL_SM_RESP)
class CancelSmResp(Pdu):
    """4.9.2"""


@pdu(CommandId.REPLACE_SM)
class ReplaceSm(Pdu):
    """4.10.1"""

    message_id: str = c_octet(65)
    source_addr_ton: int = u8()
    source_addr_npi: int = u8()
    source_addr: str = address()
    schedule_delivery_time: str = time()
    validity_period: str = time()
    registered_delivery: int = u8()
    sm_default_msg_id: int = u8()
    short_message: bytes = octets(length="sm_length", limit=254)


@pdu(CommandId.REPLACE_SM_RESP)
class ReplaceSmResp(Pdu):
    """4.10.2"""


# --- 4.11 enquire_link, 4.12 alert_notification --------------------------------------------------------------------


@pdu(CommandId.ENQUIRE_LINK)
class EnquireLink(Pdu):
    """4.11.1"""


@pdu(CommandId.ENQUIRE_LINK_RESP)
class EnquireLinkResp(Pdu):
    """4.11.2"""


@pdu(CommandId.ALERT_NOTIFICATION, lenient=True)
class AlertNotification(Pdu):
    """4.12.1; it has no response."""

    source_addr_ton: int = u8()
    source_addr_npi: int = u8()
    source_addr: str = address(65)
    esme_addr_ton: int = u8()
    esme_addr_npi: int = u8()
    esme_addr: str = address(65)


#: The three binds and their responses, for annotations and isinstance.
Bind = BindTransmitter | BindReceiver | BindTransceiver
BindResp = BindTransmitterResp | BindReceiverResp | BindTransceiverResp
