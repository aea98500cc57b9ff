"""The sweeper waits out a failing disk, survives one bad row, and goes on while there is more."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from smppgw.clock import Clock
from smppgw.errors import StoreError, StoreUnavailable
from smppgw.queue.model import Op, Probe, Sweep, Verdict
from smppgw.queue.sweeper import sweep_for_ever
from tests.support.inlinestore import InlineStore

from .make import NOW, accept, new_message, view


class FixedClock(Clock):
    def utc_ms(self) -> int:
        return NOW + 10_000


class TroubledStore(InlineStore):
    """Fails its first commits with the errors given; shows trouble until a probe succeeds."""

    def __init__(self, *errors: StoreError) -> None:
        super().__init__()
        self.errors = list(errors)
        self.trouble: str | None = None
        self.seen: list[type[Op[Any]]] = []

    async def commit(self, *ops: Op[Any]) -> None:
        self.seen += [type(op) for op in ops]
        if self.errors:
            error = self.errors.pop(0)
            self.trouble = str(error) if isinstance(error, StoreUnavailable) else None
            raise error
        await super().commit(*ops)
        if any(isinstance(op, Probe) for op in ops):
            self.trouble = None


async def run_for(store: TroubledStore, seconds: float) -> None:
    with trio.move_on_after(seconds):
        await sweep_for_ever(store, FixedClock(), interval_s=1.0, doubt_match_ms={}, query={}, parked_keep_ms=100_000)


async def test_deadlines_are_looked_at_regularly(autojump_clock: trio.testing.MockClock) -> None:
    store = TroubledStore()
    (number,) = await accept(store, new_message(validity_ms=100))
    store.seen.clear()
    await run_for(store, 3.5)
    assert (await view(store, number)).verdict is Verdict.EXPIRED
    assert store.seen == [Sweep] * 4
    store.close()


async def test_all_that_is_overdue_goes_in_one_round(autojump_clock: trio.testing.MockClock) -> None:
    store = TroubledStore()
    await accept(store, *(new_message(validity_ms=100) for _ in range(2500)))
    store.seen.clear()
    await run_for(store, 0.5)
    assert store.seen == [Sweep] * 3
    store.close()


@pytest.mark.parametrize("error", [StoreUnavailable("the disk is full"), StoreError("one bad row")])
async def test_trouble_does_not_end_it(autojump_clock: trio.testing.MockClock, error: StoreError) -> None:
    store = TroubledStore(error, error)
    await run_for(store, 5)
    assert store.errors == []
    assert store.trouble is None
    assert store.seen[-1] is Sweep
    probed = Probe in store.seen
    assert probed is isinstance(error, StoreUnavailable), "only a disk that failed is probed"
    store.close()
