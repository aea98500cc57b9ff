"""A pool of binds between a store in memory and an SMSC on memory streams, on the virtual clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import trio
from pydantic import SecretStr

from smppgw.binds.pool import BindPool
from smppgw.binds.status import BindState, BindStatus, NullObserver
from smppgw.config import CarrierSettings, ReconnectSettings, RetrySettings, TimerSettings
from smppgw.smpp import DeliverSm
from smppgw.telemetry import Recorded
from tests.support.bindstore import RECIPIENT, SENDER, BindStore
from tests.support.clock import VirtualClock
from tests.support.smsc import FakeSmsc

TIMERS: dict[str, Any] = {
    "connect_s": 5.0,
    "session_init_s": 5.0,
    "enquire_link_s": 30.0,
    "response_s": 10.0,
    "stop_s": 5.0,
}


def carrier(*, timers: dict[str, Any] | None = None, **settings: Any) -> CarrierSettings:
    """Settings of a carrier; `settings` are those of CarrierSettings, `timers` of its timers."""
    defaults: dict[str, Any] = {
        "host": "smsc.example",
        "system_id": "app",
        "password": SecretStr("secret"),
        "timers": TimerSettings(**(TIMERS | (timers or {}))),
        "reconnect": ReconnectSettings(first_s=1.0, factor=2.0, max_s=8.0, jitter=0.0),
        "retry": RetrySettings(),
    }
    return CarrierSettings(**(defaults | settings))


def receipt(message_id: str, stat: str = "DELIVRD", *, recipient: str = RECIPIENT) -> DeliverSm:
    """A deliver_sm with the text of SMPP 3.4, Appendix B."""
    dates = "submit date:2601010000 done date:2601010001"
    text = f"id:{message_id} sub:001 dlvrd:001 {dates} stat:{stat} err:000 text:hello"
    return DeliverSm(
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr=recipient,
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr=SENDER,
        esm_class=0x04,
        short_message=text.encode(),
    )


def inbound(text: str = "STOP") -> DeliverSm:
    """A text from a phone."""
    return DeliverSm(
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr=RECIPIENT,
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr=SENDER,
        short_message=text.encode(),
    )


class Told(NullObserver):
    """An observer that remembers."""

    def __init__(self) -> None:
        self.elapsed_s: list[list[float]] = []
        self.committed_items: list[int] = []
        self.states: list[BindState] = []
        self.stale = 0
        self.parked = 0
        self.flags: Counter[str] = Counter()
        self.redelivered = 0
        self.quarantined = 0

    def answered(self, carrier: str, bind: str, elapsed_s: Sequence[float]) -> None:
        self.elapsed_s.append(list(elapsed_s))

    def committed(self, carrier: str, bind: str, elapsed_s: float, items: int) -> None:
        self.committed_items.append(items)

    def recorded(self, carrier: str, bind: str, what: Recorded) -> None:
        self.stale += what.stale
        self.parked += what.parked
        self.flags.update(what.flags)
        self.redelivered += what.redelivered
        self.quarantined += what.quarantined

    def state_changed(self, carrier: str, bind: str, state: BindState) -> None:
        self.states.append(state)


@dataclass
class Bench:
    """What a test of binds works with."""

    pool: BindPool
    store: BindStore
    smsc: FakeSmsc
    clock: VirtualClock
    nursery: trio.Nursery
    told: Told

    def status(self, number: int = 0) -> BindStatus:
        return self.pool.status()[number]

    @property
    def submitted_at(self) -> list[float]:
        """When the SMSC saw each submit_sm."""
        return [at for at, _ in self.smsc.submits]

    async def until(self, condition: Callable[[], bool], within_s: float = 60.0, step_s: float = 0.01) -> None:
        """Lets virtual time pass in small steps until the condition holds; fails when it does not in time."""
        with trio.fail_after(within_s):
            while not condition():  # noqa: ASYNC110  # a condition of any shape, in virtual time
                await trio.sleep(step_s)

    async def bound(self) -> None:
        await self.until(lambda: all(status.state.is_bound for status in self.pool.status()))


@asynccontextmanager
async def bench(
    settings: CarrierSettings | None = None,
    *,
    prepare: Callable[[BindStore, FakeSmsc], None] | None = None,
    observer: Told | None = None,
) -> AsyncIterator[Bench]:
    """Runs a pool with one carrier, "demo". `prepare` is called before it starts."""
    told = observer or Told()
    clock = VirtualClock()
    async with trio.open_nursery() as nursery:
        store, smsc = BindStore(clock.utc_ms), FakeSmsc(nursery)
        if prepare is not None:
            prepare(store, smsc)
        carriers = {"demo": settings or carrier()}
        pool = BindPool(carriers, store, clock, told, connect=smsc.connect, jitter=lambda: 0.0)
        await nursery.start(pool.run)
        yield Bench(pool, store, smsc, clock, nursery, told)
        nursery.cancel_scope.cancel()
