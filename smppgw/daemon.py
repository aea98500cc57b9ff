"""Wiring only: what is started in which order, how signals stop it, and what is closed in which order.

Start: listening sockets (so that a taken port is told before anything else happens), the store, recovery of what an
earlier process left in flight, the binds, the sweeper, the HTTP API. Stop: no new accepts, no new claims, windows
empty, unbind, HTTP, store.
"""

from __future__ import annotations

import contextlib
import logging
import resource
import signal
import sys
import traceback
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from smppgw.api.app import create_app
from smppgw.api.server import HttpServer, open_sockets
from smppgw.api.services import Readiness, Services, stopping, too_busy
from smppgw.binds.pool import BindPool
from smppgw.bridge import asyncio_loop, run_asyncio
from smppgw.clock import Clock
from smppgw.config import OnDoubt, Settings
from smppgw.errors import ConfigError, SmppgwError, StoreBusy
from smppgw.queue.model import Accept, Acceptance, Cancel, CancelStatus, NewMessage, QueryPlan, Recover, RetryPlan
from smppgw.queue.sqlite import SqliteStore, open_store
from smppgw.queue.sweeper import sweep_for_ever
from smppgw.telemetry import BindMetrics, Metrics, StoreMetrics, log, set_up_logging

if TYPE_CHECKING:
    import socket

logger = logging.getLogger("smppgw.daemon")


@dataclass(slots=True)
class Gateway:
    """A running gateway: where it listens, and how to stop it."""

    settings: Settings
    store: SqliteStore
    pool: BindPool
    clock: Clock
    metrics: Metrics
    port: int = 0
    _stop_asked: trio.Event = field(default_factory=trio.Event)

    @property
    def url(self) -> str:
        host = self.settings.http.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def ask_to_stop(self) -> None:
        """Closes the front door at once; `serve` then drains and returns."""
        self._stop_asked.set()

    @property
    def is_stopping(self) -> bool:
        return self._stop_asked.is_set()

    async def wait_stop_asked(self) -> None:
        await self._stop_asked.wait()

    # For the API ----------------------------------------------------------------------------------------------------

    def services(self) -> Services:
        reads = self.store.from_asyncio
        return Services(
            settings=self.settings,
            metrics=self.metrics,
            utc_ms=self.clock.utc_ms,
            accept=self._accept,
            cancel=self._cancel,
            message=reads.message,
            messages=reads.messages,
            inbound=reads.inbound,
            parked_receipts=reads.parked_receipts,
            quarantine=reads.quarantine,
            id_relations=reads.id_relations,
            depths=reads.depths,
            binds=self.pool.status,
            ready=self._ready,
        )

    async def _accept(self, messages: Sequence[NewMessage]) -> list[Acceptance]:
        if self.is_stopping:
            raise stopping()
        op = Accept(messages, self.clock.utc_ms(), round(self.settings.store.reference_hold_s * 1000))
        try:
            await self.store.from_asyncio.commit(op)
        except StoreBusy as error:
            raise too_busy() from error
        return op.result

    async def _cancel(self, message_id: int, account: str) -> CancelStatus:
        op = Cancel(message_id, account, self.clock.utc_ms())
        await self.store.from_asyncio.commit(op)
        return op.result

    def _ready(self) -> Readiness:
        if self.is_stopping:
            return Readiness(False, "stopping")
        if self.store.trouble is not None:
            return Readiness(False, "store_unavailable")
        return Readiness(True)


async def serve(
    settings: Settings,
    *,
    clock: Clock | None = None,
    task_status: trio.TaskStatus[Gateway] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Runs the gateway until it is asked to stop, then drains.

    Raises ConfigError when a port is taken (of HTTP or for outbind), StoreError when the store cannot be opened.
    """
    sockets = open_sockets(settings.http.host, settings.http.port)
    try:
        async with _gateway(settings, clock or Clock()) as gateway, trio.open_nursery() as nursery:
            gateway.port = sockets[0].getsockname()[1]
            await nursery.start(gateway.pool.run)
            nursery.start_soon(_sweep, gateway)
            server = HttpServer(create_app(gateway.services()), settings.http)
            http_closed = trio.Event()
            nursery.start_soon(_serve_http, server, sockets, http_closed)
            log(logger, logging.INFO, "http_listening", url=gateway.url, docs=f"{gateway.url}/docs")
            log(logger, logging.INFO, "gateway_started", carriers=len(settings.carriers))
            task_status.started(gateway)
            await gateway.wait_stop_asked()
            log(logger, logging.INFO, "gateway_stopping")
            await gateway.pool.stop()
            log(logger, logging.INFO, "http_stopping")
            server.stop()
            await http_closed.wait()
            nursery.cancel_scope.cancel()
        log(logger, logging.INFO, "gateway_stopped")
    finally:
        for one in sockets:
            one.close()


async def _serve_http(server: HttpServer, sockets: Sequence[socket.socket], closed: trio.Event) -> None:
    await run_asyncio(server.serve_on, sockets)
    closed.set()


@asynccontextmanager
async def _gateway(settings: Settings, clock: Clock) -> AsyncIterator[Gateway]:
    metrics = Metrics()
    async with (
        asyncio_loop(),
        open_store(
            settings.store.path,
            max_waiting_accepts=settings.store.max_waiting_accepts,
            observer=StoreMetrics(metrics),
        ) as store,
    ):
        log(logger, logging.INFO, "store_opened", path=str(settings.store.path))
        await _recover(settings, store, clock)
        pool = BindPool(settings.carriers, store, clock, BindMetrics(metrics))
        yield Gateway(settings, store, pool, clock, metrics)


async def _recover(settings: Settings, store: SqliteStore, clock: Clock) -> None:
    op = Recover(
        clock.utc_ms(),
        {name: round(carrier.doubt_timeout_s * 1000) for name, carrier in settings.carriers.items()},
        {
            name: RetryPlan(**carrier.retry.model_dump())
            for name, carrier in settings.carriers.items()
            if carrier.on_doubt is OnDoubt.RESEND
        },
    )
    await store.commit(op)
    if op.result:
        log(logger, logging.WARNING, "store_recovered", segments=op.result)


async def _sweep(gateway: Gateway) -> None:
    carriers = gateway.settings.carriers
    await sweep_for_ever(
        gateway.store,
        gateway.clock,
        interval_s=gateway.settings.store.sweep_interval_s,
        doubt_match_ms={name: round(carrier.doubt_match_s * 1000) for name, carrier in carriers.items()},
        query={
            name: QueryPlan(
                carrier.query.attempts if carrier.query.enabled else 0,
                round(carrier.query.interval_s * 1000),
                round(carrier.receipt_timeout_s * 1000),
            )
            for name, carrier in carriers.items()
        },
        parked_keep_ms=round(gateway.settings.store.parked_keep_s * 1000),
    )


# ---------------------------------------------------------------------------------------------------------------- #
# As a process
# ---------------------------------------------------------------------------------------------------------------- #


async def _until_signal(settings: Settings) -> bool:
    """True when it drained, False when a second signal cut that short."""
    drained = True
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            gateway: Gateway = await nursery.start(_serve_in, settings, nursery)
            async for number in signals:
                log(logger, logging.INFO, "gateway_signal", signal=signal.Signals(number).name)
                if gateway.is_stopping:
                    # A second signal means: now. What is in the windows is recorded as doubt on the way out.
                    nursery.cancel_scope.cancel()
                    drained = False
                gateway.ask_to_stop()
    return drained


async def _serve_in(settings: Settings, nursery: trio.Nursery, *, task_status: trio.TaskStatus[Gateway]) -> None:
    await serve(settings, task_status=task_status)
    nursery.cancel_scope.cancel()


def run(settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT.

    The exit code: 0 stopped in order, 2 the configuration cannot be used here (a taken port), 1 any other error, or a
    second signal that cut the drain short. Errors are logged.
    """
    set_up_logging(settings.log.level, settings.log.format.value)
    try:
        _raise_file_limit()
        drained = trio.run(_until_signal, settings)
    except BaseExceptionGroup as group:
        return _report(list(leaves(group)))
    except Exception as error:
        return _report([error])
    return 0 if drained else 1


def _raise_file_limit() -> None:
    """Every connection is a file: take as many as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors themselves, out of the groups that nurseries wrap around them."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


def _report(errors: Sequence[BaseException]) -> int:
    for error in errors:
        log(logger, logging.ERROR, "gateway_failed", error=str(error) or type(error).__name__)
        if not isinstance(error, SmppgwError):
            traceback.print_exception(error, file=sys.stderr)
    return 2 if all(isinstance(error, ConfigError) for error in errors) else 1
