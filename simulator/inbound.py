"""An inbound text as deliver_sm: what a handset would have sent. Pure.

Owns the addresses and the segments of it. Refuses to know who receives it.
"""

from __future__ import annotations

from simulator.messages import Party
from smppgw.errors import LocalProtocolError, Refusal
from smppgw.smpp import DeliverSm, encode
from smppgw.sms.plan import plan

_MAX_SHORT_CODE = 8


def party(typed: str) -> Party:
    """An address as typed: letters are alphanumeric (5/0), up to 8 digits a short code (0/1), the rest international.

    A leading `+` makes any number international (1/1) and is not sent.
    """
    if typed.startswith("+"):
        return Party(1, 1, typed[1:])
    if not typed.isdecimal():
        return Party(5, 0, typed)
    return Party(0, 1, typed) if len(typed) <= _MAX_SHORT_CODE else Party(1, 1, typed)


def inbound_pdus(source: str, destination: str, text: str, reference: int) -> list[DeliverSm]:
    """The deliver_sm of an inbound text, in order of part.

    Raises Refusal: those of `plan`, and `bad_address` for an address that deliver_sm cannot carry.
    """
    planned = plan(text, reference=reference)
    sender, recipient = party(source), party(destination)
    pdus = [
        DeliverSm(
            source_addr_ton=sender.ton,
            source_addr_npi=sender.npi,
            source_addr=sender.addr,
            dest_addr_ton=recipient.ton,
            dest_addr_npi=recipient.npi,
            destination_addr=recipient.addr,
            esm_class=planned.esm_class,
            data_coding=planned.data_coding,
            short_message=segment,
        )
        for segment in planned.segments
    ]
    try:
        encode(pdus[0])
    except LocalProtocolError as wrong:
        raise Refusal("bad_address", f"an address does not fit into a deliver_sm: {wrong}") from wrong
    return pdus
