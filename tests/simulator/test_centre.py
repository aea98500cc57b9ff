"""The message centre without connections."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from simulator.agenda import Agenda
from simulator.centre import _MAX_SYSTEM_IDS, MessageCentre
from simulator.ledger import Ledger
from simulator.settings import SimulatorSettings
from simulator.stats import Stats
from tests.support.clock import VirtualClock

from .esme import submit_sm

NOW_UTC_MS = 1_767_225_600_000


@pytest.fixture
async def centre(autojump_clock: MockClock) -> MessageCentre:
    clock = VirtualClock()
    return MessageCentre(
        SimulatorSettings(rate=10.0, burst=2.0),
        clock=clock,
        agenda=Agenda(clock),
        stats=Stats(),
        ledger=Ledger(None, 10),
    )


async def test_an_outbox_is_made_once(centre: MessageCentre) -> None:
    assert centre.outbox("alice") is centre.outbox("alice") is not centre.outbox("bob")


async def test_new_outboxes_are_held_while_receipts_are(centre: MessageCentre) -> None:
    old = centre.outbox("alice")
    centre.hold_receipts(True)
    assert old.held
    assert centre.outbox("bob").held
    centre.hold_receipts(False)
    assert not old.held
    assert not centre.outbox("bob").held


async def test_a_flood_of_system_ids_is_forgotten(centre: MessageCentre) -> None:
    bound = centre.outbox("alice")
    bound.binds = 1
    for number in range(3 * _MAX_SYSTEM_IDS):
        centre.outbox(f"x{number}")
    assert len(centre._outboxes) <= _MAX_SYSTEM_IDS
    assert centre.outbox("alice") is bound


async def test_a_bucket_is_refilled_once_a_batch(centre: MessageCentre) -> None:
    def statuses(now_mono: float, count: int) -> list[int]:
        centre.start_batch("alice", now_mono)
        return [centre.submit_sm("alice", submit_sm(), NOW_UTC_MS).command_status for _ in range(count)]

    assert statuses(0.0, 3) == [0, 0, 0x58]
    assert statuses(0.1, 2) == [0, 0x58]
    centre.set_rate(None, None)
    assert statuses(0.1, 5) == [0] * 5


async def test_a_rate_below_one_still_lets_one_through(centre: MessageCentre) -> None:
    centre.set_rate(0.5, None)
    centre.start_batch("alice", 0.0)
    assert [centre.submit_sm("alice", submit_sm(), NOW_UTC_MS).command_status for _ in range(2)] == [0, 0x58]
    centre.start_batch("alice", 2.0)
    assert centre.submit_sm("alice", submit_sm(), NOW_UTC_MS).command_status == 0


async def test_ids_start_from_the_time_and_rise(centre: MessageCentre) -> None:
    centre.set_rate(None, None)
    ids = [int(centre.submit_sm("alice", submit_sm(), NOW_UTC_MS + wait).message_id) for wait in (0, 0, 5000)]
    assert ids == [1_767_225_600_000_000, 1_767_225_600_000_001, 1_767_225_600_000_002]
