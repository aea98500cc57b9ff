"""Outboxes that send receipts over binds of their own choice.

Owns which delivery goes over which bind; how it is sent and repeated stands in outbox.py.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, cast

from simulator.messages import Delivery, Kind
from simulator.outbox import Outbox, Receiver
from simulator.quirks import Over, ReceiptQuirks
from smppgw.smpp import Pdu

if TYPE_CHECKING:
    from simulator.link import Link


class PickyOutbox(Outbox):
    """Sends a delivery over a bind only where the two suit each other."""

    def _suits(self, delivery: Delivery, link: Link) -> bool:
        raise NotImplementedError

    def _batch(self, receiver: Receiver, free: int) -> list[Delivery]:
        link = cast("Link", receiver)
        others = [delivery for delivery in self._ready if not self._suits(delivery, link)]
        if others:
            self._ready = deque(delivery for delivery in self._ready if self._suits(delivery, link))
        batch = super()._batch(receiver, free)
        self._ready.extend(others)
        return batch


class OtherBindOutbox(PickyOutbox):
    """A receipt never goes over the bind that its message came over, while there is another."""

    def _suits(self, delivery: Delivery, link: Link) -> bool:
        return delivery.message is None or delivery.message.link != link.number or len(self.receivers) < 2


class TransmitterOutbox(PickyOutbox):
    """Receipts go over transmitters, which the standard does not allow; what is inbound goes over receivers."""

    def _suits(self, delivery: Delivery, link: Link) -> bool:
        return (delivery.kind is not Kind.INBOUND) is (link.kind == "transmitter")

    def _send(self, receiver: Receiver) -> None:
        link = cast("Link", receiver)
        if link.kind != "transmitter":
            super()._send(receiver)
            return
        for delivery in self._batch(receiver, len(self._ready)):
            pdu = self._build(delivery)

            def octets(sequence_number: int, pdu: Pdu = pdu) -> bytes:
                pdu.sequence_number = sequence_number
                return pdu.octets()

            def answered(status: int, delivery: Delivery = delivery) -> None:
                self.answered(delivery, status)

            link.send_odd(octets, answered, cookie=delivery)


def outbox_class(quirks: ReceiptQuirks) -> type[Outbox]:
    """The kind of outbox that sends receipts as `quirks` have it."""
    return {Over.ANY: Outbox, Over.OTHER: OtherBindOutbox, Over.TRANSMITTER: TransmitterOutbox}[quirks.over]
