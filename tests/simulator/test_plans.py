"""Plans: what the scenario says of its messages, and what a rule says in its place."""

from __future__ import annotations

import random

from simulator.delays import NO_DELAY, Delay
from simulator.fates import MessageState
from simulator.messages import Delivery, Kind, Message, Party, straight
from simulator.plans import Plan, planned
from simulator.quirks import IdQuirks, InboundQuirks, Over, Quirks, ReceiptQuirks
from simulator.rules import ReceiptEffect
from simulator.settings import SimulatorSettings
from smppgw.smpp import DeliverSm

CHANCE = random.Random(1).random


def plan_of(effect: ReceiptEffect | None = None, **settings: object) -> Plan:
    return Plan(SimulatorSettings(**settings), CHANCE, effect)  # type: ignore[arg-type]


def message(plan: Plan | None) -> Message:
    return Message(
        "7",
        "alice",
        Party(5, 0, "SHOP"),
        Party(1, 1, "447700900123"),
        octets=b"hello",
        data_coding=0,
        esm_class=0,
        registered_delivery=1,
        submit_utc_ms=0,
        final_utc_ms=0,
        state=MessageState.DELIVERED,
        number=7,
        plan=plan,
    )


def test_the_straight_smsc_builds_as_the_standard_has_it() -> None:
    plan = plan_of()
    assert (plan.build, plan.sequence, plan.over, plan.odd) == (straight, None, Over.ANY, False)


def test_an_effect_takes_the_place_of_what_the_scenario_says() -> None:
    scenario: dict[str, object] = {
        "receipt_delay": Delay(5, 5),
        "fates": {"1": MessageState.EXPIRED},
        "quirks": Quirks(receipts=ReceiptQuirks(sequence=("final", "final"), gap_s=2)),
    }
    assert plan_of(**scenario).delay == Delay(5, 5)
    assert plan_of(ReceiptEffect(delay=Delay(1, 2)), **scenario).delay == Delay(1, 2)
    assert plan_of(ReceiptEffect(early=True), **scenario).delay == NO_DELAY
    assert plan_of(ReceiptEffect(), **scenario).certain == {"1": MessageState.EXPIRED}
    certain = plan_of(ReceiptEffect(outcomes={MessageState.DELETED: 1}), **scenario)
    assert (certain.certain, certain.fates.draw(0.5)) == ({}, MessageState.DELETED)
    assert plan_of(**scenario).sequence == ("final", "final")
    assert plan_of(ReceiptEffect(dialect=ReceiptQuirks()), **scenario).sequence is None


def test_what_is_odd_has_more_to_plan() -> None:
    assert plan_of(ReceiptEffect(never=True)).odd
    assert plan_of(ReceiptEffect(dialect=ReceiptQuirks(unrequested=True))).odd
    assert plan_of(quirks=Quirks(receipts=ReceiptQuirks(foreign=("{n}",)))).odd
    assert plan_of(quirks=Quirks(inbound=InboundQuirks(lookalikes=("x",)))).odd


def test_a_report_is_built_by_the_plan_of_its_message() -> None:
    """The id and the looks are those of the time when the message was taken; an inbound text is of today."""
    old = plan_of(quirks=Quirks(ids=IdQuirks(receipt="old-{n}")))
    inbound: list[Delivery] = []

    def build_inbound(delivery: Delivery) -> DeliverSm:
        inbound.append(delivery)
        return DeliverSm()

    build = planned(build_inbound)
    report = build(Delivery(Kind.RECEIPT, "alice", message=message(old), state=MessageState.DELIVERED))
    assert isinstance(report, DeliverSm)
    assert report.short_message.startswith(b"id:old-7 ")
    build(Delivery(Kind.INBOUND, "alice", pdu=DeliverSm()))
    build(Delivery(Kind.RECEIPT, "alice", message=message(None), state=MessageState.DELIVERED))
    assert len(inbound) == 2
