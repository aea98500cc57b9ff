"""PDUs that no SMSC should send, each by a name. Pure.

Owns their octets. In those of `ODD` the framing is right, so that whoever reads them knows where the next one begins;
`MALFORMED` are responses, and some of them spoil that, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import pack

from smppgw.smpp import AlertNotification, CommandId, DeliverSm, encode

_VENDOR_COMMAND = 0x00010203
_BROADCAST_SM = 0x00000111  # SMPP 5.0


def frame(command_id: int, sequence_number: int, body: bytes = b"", command_status: int = 0) -> bytes:
    """A PDU with any body: header as in SMPP 3.4, 3.2."""
    return pack(">LLLL", 16 + len(body), command_id, command_status, sequence_number) + body


def _deliver(sequence_number: int) -> bytes:
    return encode(
        DeliverSm(
            sequence_number=sequence_number,
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="447700900001",
            destination_addr="12345",
            short_message=b"odd",
        )
    )


def _cut_short(sequence_number: int) -> bytes:
    """Ends in the middle of its mandatory fields."""
    return frame(CommandId.DELIVER_SM, sequence_number, _deliver(sequence_number)[16:-8])


def _sm_length_too_long(sequence_number: int) -> bytes:
    """Promises 200 octets of short_message and has 3."""
    body = bytearray(_deliver(sequence_number)[16:])
    body[-4] = 200
    return frame(CommandId.DELIVER_SM, sequence_number, bytes(body))


def _endless_address(sequence_number: int) -> bytes:
    """A source_addr without its NUL."""
    return frame(CommandId.DELIVER_SM, sequence_number, b"\0\1\1" + b"4" * 90)


def _no_body(sequence_number: int) -> bytes:
    return frame(CommandId.DELIVER_SM, sequence_number)


def _alert(sequence_number: int) -> bytes:
    """alert_notification (SMPP 3.4, 4.12): not odd, but seldom seen."""
    return encode(
        AlertNotification(
            sequence_number=sequence_number,
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="447700900001",
            esme_addr="12345",
        )
    )


#: Name -> the frame with a given sequence_number.
ODD: Mapping[str, Callable[[int], bytes]] = {
    "vendor_command": lambda sequence_number: frame(_VENDOR_COMMAND, sequence_number, b"what\0"),
    "broadcast_sm": lambda sequence_number: frame(_BROADCAST_SM, sequence_number, b"\0" * 20),
    "submit_sm": lambda sequence_number: frame(CommandId.SUBMIT_SM, sequence_number, _deliver(sequence_number)[16:]),
    "deliver_sm_cut_short": _cut_short,
    "deliver_sm_sm_length": _sm_length_too_long,
    "deliver_sm_endless_address": _endless_address,
    "deliver_sm_no_body": _no_body,
    "stray_response": lambda sequence_number: frame(CommandId.SUBMIT_SM_RESP, sequence_number, b"stray\0"),
    "stray_generic_nack": lambda sequence_number: frame(CommandId.GENERIC_NACK, 0, command_status=3),
    "alert_notification": _alert,
    "enquire_link": lambda sequence_number: frame(CommandId.ENQUIRE_LINK, sequence_number),
}


def _respond(command_id: int, sequence_number: int, message_id: str, behind: bytes) -> bytes:
    return frame(command_id, sequence_number, message_id.encode("latin-1", "replace") + behind)


def _with_length(octets: bytes, command_length: int) -> bytes:
    return pack(">L", command_length) + octets[4:]


#: Name -> the response (its command_id, sequence_number, message_id) that cannot be read. Status 0 in all of them.
MALFORMED: Mapping[str, Callable[[int, int, str], bytes]] = {
    # message_id without its NUL (SMPP 3.4, 3.1)
    "endless_id": lambda command, number, _: frame(command, number, b"\xff" * 80),
    "cut_short": lambda command, number, name: _respond(command, number, name[:-1], b""),
    # longer than the 65 octets of message_id (4.4.2)
    "long_id": lambda command, number, name: _respond(command, number, name.ljust(200, "0"), b"\0"),
    # a TLV that promises 512 octets and has two
    "bad_tlv": lambda command, number, name: _respond(command, number, name, b"\0\x04\x24\x02\0ab"),
    "octets_behind": lambda command, number, name: _respond(command, number, name, b"\0\xde\xad\xbe"),
    "wrong_command": lambda _, number, name: _respond(CommandId.REPLACE_SM_RESP, number, "", b""),
    "unknown_command": lambda _, number, name: _respond(0x8000_0EEE, number, name, b"\0"),
    # the borders are lost: below a header, past all belief, over the next PDUs
    "length_short": lambda command, number, name: _with_length(_respond(command, number, name, b"\0"), 8),
    "length_absurd": lambda command, number, name: _with_length(_respond(command, number, name, b"\0"), 0x7FFF_FFFF),
    "length_long": lambda command, number, name: _with_length(
        _respond(command, number, name, b"\0"), 16 + len(name) + 1 + 64
    ),
    # as from a port that is no SMSC's
    "http": lambda *_: b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
}
