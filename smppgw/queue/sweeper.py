"""Looks at deadlines, at regular times and in small steps, so that every message reaches its fate."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

import trio

from smppgw.clock import Clock
from smppgw.errors import StoreUnavailable
from smppgw.queue.model import Probe, Store, Sweep

log = logging.getLogger("smppgw.queue")


class SweptStore(Store, Protocol):
    """A store that says what is wrong with its disk."""

    @property
    def trouble(self) -> str | None: ...


async def sweep_for_ever(
    store: SweptStore,
    clock: Clock,
    *,
    interval_s: float,
    doubt_match_ms: Mapping[str, int],
    swept: Callable[[Sweep], None] = lambda _: None,
) -> None:
    """Sweeps every `interval_s`, at once again while there is more. Disk trouble is waited out and probed."""
    while True:
        try:
            if store.trouble is not None:
                await store.commit(Probe())
            await _sweep(store, clock, doubt_match_ms, swept)
        except StoreUnavailable:
            log.debug("no sweep: the store is unavailable")
        await trio.sleep(interval_s)


async def _sweep(
    store: SweptStore, clock: Clock, doubt_match_ms: Mapping[str, int], swept: Callable[[Sweep], None]
) -> None:
    more = True
    while more:
        op = Sweep(clock.utc_ms(), doubt_match_ms)
        await store.commit(op)
        swept(op)
        more = op.result.more
