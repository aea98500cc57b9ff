"""Receipts that go over binds of their own choice.

Owns which delivery goes over which bind, and the sending over transmitters, which the standard does not allow; how it
is repeated stands in outbox.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from simulator.messages import Delivery, Kind
from simulator.outbox import Outbox, Receiver
from simulator.quirks import Over
from smppgw.smpp import Pdu

if TYPE_CHECKING:
    from simulator.link import Link


class PlannedBinds:
    """Each report over the kind of bind that the plan of its message has it; what is inbound over any receiver."""

    def suits(self, delivery: Delivery, receiver: Receiver, receivers: list[Receiver]) -> bool:
        """Whether `delivery` may go over `receiver`, one of `receivers`."""
        link = cast("Link", receiver)
        over = _over(delivery)
        if (over is Over.TRANSMITTER) is not (link.kind == "transmitter"):
            return False
        if over is not Over.OTHER or delivery.message is None or delivery.message.link != link.number:
            return True
        return all(other is receiver or cast("Link", other).kind == "transmitter" for other in receivers)

    def sends(self, receiver: Receiver) -> bool:
        """Whether what goes over `receiver` has to go past its session."""
        return cast("Link", receiver).kind == "transmitter"

    def send(self, receiver: Receiver, batch: list[Delivery], outbox: Outbox) -> None:
        """Sends reports over a transmitter."""
        link = cast("Link", receiver)
        for delivery in batch:
            pdu = outbox.build(delivery)

            def octets(sequence_number: int, pdu: Pdu = pdu) -> bytes:
                pdu.sequence_number = sequence_number
                return pdu.octets()

            def answered(status: int, delivery: Delivery = delivery) -> None:
                outbox.answered(delivery, status)

            link.send_odd(octets, answered, cookie=delivery)


def _over(delivery: Delivery) -> Over:
    message = delivery.message
    if message is None or message.plan is None or delivery.kind is Kind.INBOUND:
        return Over.ANY
    return message.plan.over
