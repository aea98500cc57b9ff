"""What /metrics shows: the live metrics, and samples taken from the store and the binds when scraped.

Also the ASGI middleware that counts and times requests, by route and not by path, so that the number of series
stays small whatever clients ask for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smppgw.api.views import due_since
from smppgw.binds.status import BindStatus, Limit
from smppgw.queue.model import Depths, IdRelationView
from smppgw.telemetry import Metrics, Sample

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

#: Fields of BindStatus that are metrics of the same name.
_BIND_FIELDS = (
    "window",
    "in_window",
    "overdue",
    "unrecorded",
    "submitted",
    "accepted",
    "refused",
    "throttled",
    "receipts",
    "inbound",
    "reconnects",
)


def samples(
    depths: Depths, ids: Sequence[IdRelationView], binds: Sequence[BindStatus], now_utc_ms: int
) -> Iterator[Sample]:
    """The `sampled` rows of telemetry.METRICS."""
    for (carrier, lane), count in depths.queued.items():
        yield Sample("smppgw_queued_segments", (carrier, lane.label), count)
    for name, counts in (("in_flight", depths.in_flight), ("in_doubt", depths.in_doubt), ("sent", depths.sent)):
        for carrier, count in counts.items():
            yield Sample(f"smppgw_{name}_segments", (carrier,), count)
    yield Sample("smppgw_parked_receipts", (), depths.parked_receipts)
    yield Sample("smppgw_oldest_parked_seconds", (), _age_s(depths.oldest_parked_utc_ms, now_utc_ms))
    yield Sample("smppgw_oldest_queued_seconds", (), _age_s(due_since(depths, now_utc_ms), now_utc_ms))
    for one in ids:
        labels = (one.carrier, one.relation or "unknown")
        yield Sample("smppgw_ids_matched", labels, one.matched)
        yield Sample("smppgw_ids_receipts", labels, one.total)
    for status in binds:
        yield from _bind_samples(status)


def _age_s(since_utc_ms: int | None, now_utc_ms: int) -> float:
    return 0.0 if since_utc_ms is None else max(0.0, (now_utc_ms - since_utc_ms) / 1000)


def _bind_samples(status: BindStatus) -> Iterator[Sample]:
    labels = (status.carrier, status.name)
    yield Sample("smppgw_bind_up", labels, status.state.is_bound)
    for limit in Limit:
        yield Sample("smppgw_bind_limit", (*labels, limit.value), limit is status.limit)
    for field in _BIND_FIELDS:
        yield Sample(f"smppgw_bind_{field}", labels, getattr(status, field))
    if status.alarm:
        yield Sample("smppgw_bind_alarm", (*labels, status.alarm), 1)
    for deviation, count in status.deviations.items():
        yield Sample("smppgw_bind_deviations", (*labels, deviation), count)


class Measured:
    """ASGI middleware: counts answers and times requests."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.perf_counter()
        try:
            await self._app(scope, receive, noting_status)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            self._metrics.http_requests.labels(method, route, str(status)).inc()
            self._metrics.http_request_seconds.labels(method, route).observe(time.perf_counter() - started)
