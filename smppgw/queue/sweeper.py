"""Looks at deadlines, at regular times and in small steps, so that every message reaches its fate."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Protocol

import trio

from smppgw import telemetry
from smppgw.clock import Clock
from smppgw.errors import StoreError, StoreUnavailable
from smppgw.queue.model import Probe, QueryPlan, Store, Sweep

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
    query: Mapping[str, QueryPlan],
    parked_keep_ms: int,
) -> None:
    """Sweeps every `interval_s`, at once again while there is more. Disk trouble is waited out and probed.

    By carrier: how old a doubt may be that a receipt without a known id resolves; how overdue receipts are asked for.
    """
    while True:
        try:
            if store.trouble is not None:
                await store.commit(Probe())
            await _sweep(store, clock, doubt_match_ms, query, parked_keep_ms)
        except StoreUnavailable:
            log.debug("no sweep: the store is unavailable")
        except StoreError as error:
            # One bad row must not end the daemon, which would meet it again after each start.
            telemetry.log(log, logging.ERROR, "sweep_failed", error=str(error))
        await trio.sleep(interval_s)


async def _sweep(
    store: SweptStore,
    clock: Clock,
    doubt_match_ms: Mapping[str, int],
    query: Mapping[str, QueryPlan],
    parked_keep_ms: int,
) -> None:
    more = True
    while more:
        op = Sweep(clock.utc_ms(), doubt_match_ms, query=query, parked_keep_ms=parked_keep_ms)
        await store.commit(op)
        more = op.result.more
