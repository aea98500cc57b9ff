"""Scenarios with rules: some of the traffic meets trouble, nothing is lost, nothing is sent twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from simulator.fates import MessageState
from smppgw.binds import backoff
from smppgw.config import RefusalPolicy

from .world import PATIENCE_S, VERDICTS, acting, items, mixed_fates, states, verdicts, world

COUNT = 30
#: Overdue after a moment.
QUICK: dict[str, Any] = {"timers": {"response_s": 0.5, "enquire_link_s": 0.2}}


@pytest.mark.parametrize(
    ("scenario", "carrier"),
    [
        ("recipient-queue-full", {}),
        ("window-limit", {"window": 5}),
        ("response-spikes", {}),
        ("slow-reader", {}),
    ],
)
async def test_everything_arrives_once(tmp_path: Path, scenario: str, carrier: dict[str, Any]) -> None:
    fates = mixed_fates(COUNT)
    async with world(tmp_path, acting(scenario, fates=fates), retry={"first_s": 0.05}, **carrier) as w:
        await w.send(*items(COUNT))
        assert states(await w.until_final(COUNT)) == verdicts(fates)
        assert (w.smsc.stats.accepted, w.smsc.stats.duplicates) == (COUNT, 0)


async def test_a_maintenance_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unbound, refused for a while, and back: what was sent in between goes out then."""
    for policy in RefusalPolicy:
        monkeypatch.setitem(backoff.PLANS, policy, backoff.RefusalPlan(0.1, 1.0, 0.1))
    async with world(tmp_path, acting("maintenance-window"), wait=False) as w:
        with trio.fail_after(PATIENCE_S):
            await w.smsc.wait_until(lambda: w.smsc.stats.binds_refused.total() > 0)
        await w.send(*items(COUNT))
        assert {message["state"] for message in await w.until_final(COUNT)} == {"delivered"}
        assert (w.smsc.stats.accepted, w.smsc.stats.duplicates) == (COUNT, 0)


async def test_what_is_throttled_goes_out_later(tmp_path: Path) -> None:
    fates = mixed_fates(COUNT)
    async with world(tmp_path, acting("some-throttled", fates=fates), retry={"first_s": 0.05}) as w:
        await w.send(*items(COUNT))
        assert states(await w.until_final(COUNT)) == verdicts(fates)
        refused = w.smsc.stats.submits_by_status[0x58]
        assert (w.smsc.stats.accepted, w.smsc.stats.duplicates) == (COUNT, 0)
        assert 0 < refused <= 20


@pytest.mark.parametrize("scenario", ["response-lost", "response-malformed"])
async def test_a_response_that_cannot_be_had(tmp_path: Path, scenario: str) -> None:
    """The message was taken: it is never sent twice, and its receipt tells where it can be told to be its."""
    async with world(tmp_path, acting(scenario), **QUICK) as w:
        await w.send(*items(COUNT))
        await w.until_acked(receipts=COUNT)
        assert (w.smsc.stats.accepted, w.smsc.stats.duplicates) == (COUNT, 0)


@pytest.mark.parametrize("scenario", ["cut-after-pdus", "half-open"])
async def test_a_session_that_dies_in_the_middle(tmp_path: Path, scenario: str) -> None:
    """Bound again; none is sent twice that may have been taken."""
    async with world(tmp_path, acting(scenario), retry={"first_s": 0.05}, window=5, **QUICK) as w:
        await w.send(*items(COUNT))
        await w.until_acked(receipts=COUNT - 15)
        assert w.smsc.stats.connections > 1
        assert w.smsc.stats.duplicates == 0


async def test_receipts_in_the_dialect_of_a_rule(tmp_path: Path) -> None:
    async with world(tmp_path, acting("one-network-fails")) as w:
        await w.send(*items(COUNT))
        found = states(await w.until_final(COUNT))
        failed = {to for to, state in found.items() if state != "delivered"}
        assert failed == {f"+4477009000{number}" for number in range(10, 20)}
        assert {found[to] for to in failed} == {VERDICTS[MessageState.UNDELIVERABLE]}
