"""What becomes of the messages that one scenario, or one rule of it, decides about: made once, kept by each message.

A message keeps the plan under which it was taken, so that a switch of the scenario changes neither what its receipt
calls it nor what it looks like. Owns the choice; the drawing stands in fates.py and delays.py, the looks in
dialect.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from simulator.delays import NO_DELAY, Delay
from simulator.dialect import Dialect, has_dialect
from simulator.fates import Fates, MessageState
from simulator.ids import former
from simulator.messages import Build, Delivery, straight
from simulator.quirks import InboundQuirks
from simulator.rules import ReceiptEffect
from simulator.settings import SimulatorSettings
from smppgw.smpp import Pdu

_NO_EFFECT = ReceiptEffect()


class Plan:
    """How messages end, when, and what is said about it. `chance` is what all of it is drawn from."""

    __slots__ = (
        "build",
        "certain",
        "chance",
        "delay",
        "fates",
        "foreign_ids",
        "gap_s",
        "inbound",
        "never",
        "odd",
        "over",
        "receipt_id",
        "sequence",
        "unrequested",
    )

    def __init__(
        self, settings: SimulatorSettings, chance: Callable[[], float], effect: ReceiptEffect | None = None
    ) -> None:
        effect = effect if effect is not None else _NO_EFFECT
        quirks = settings.quirks
        if effect.dialect is not None:
            quirks = replace(quirks, receipts=effect.dialect)
        receipts = quirks.receipts
        self.chance = chance
        self.delay: Delay = NO_DELAY if effect.early else effect.delay or settings.receipt_delay
        self.fates = Fates(effect.outcomes or settings.outcomes)
        self.certain: Mapping[str, MessageState] = {} if effect.outcomes else settings.fates
        self.never = effect.never
        self.unrequested = receipts.unrequested
        self.sequence = receipts.sequence if receipts.sequence != ("final",) else None  # None: one receipt
        self.gap_s = receipts.gap_s
        self.over = receipts.over
        self.build: Build = Dialect(quirks) if has_dialect(quirks) else straight
        self.receipt_id = former(quirks.ids.receipt)
        self.foreign_ids = [former(template) for template in receipts.foreign]
        self.inbound: InboundQuirks = quirks.inbound
        #: Whether there is more to plan than reports that were asked for.
        self.odd = bool(self.never or receipts.unrequested or receipts.foreign or quirks.inbound.lookalikes)


def planned(inbound: Build) -> Build:
    """Makes each report as the plan of its message has it, and what is no report as `inbound` does."""

    def build(delivery: Delivery) -> Pdu:
        message = delivery.message
        if message is None or message.plan is None:
            return inbound(delivery)
        return message.plan.build(delivery)

    return build
