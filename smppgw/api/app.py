"""The HTTP API as one ASGI application.

Owns paths, statuses and the error shape. Parsing and planning are intake's, shapes are views', durable truth is the
store's. No answer leaves before what it promises is committed.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeVar

from anyio.lowlevel import checkpoint
from fastapi import Depends, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from smppgw.api import documentation as doc
from smppgw.api import queries, views
from smppgw.api.auth import Keys
from smppgw.api.faults import ApiError, error_object, to_json
from smppgw.api.intake import Intake, ItemError, parse, portions
from smppgw.api.measuring import Measured, samples
from smppgw.api.segments import Previews
from smppgw.api.services import Services, Unavailable
from smppgw.errors import StoreError, StoreUnavailable
from smppgw.queue.model import Acceptance, AcceptStatus, CancelStatus, Lane, NewMessage, parse_id
from smppgw.telemetry import log, program_version

logger = logging.getLogger("smppgw.api")

_STORE_RETRY_AFTER_S = 5
_MAX_IDEMPOTENCY_KEY = 200


def create_app(services: Services) -> FastAPI:
    """The application."""
    app = FastAPI(
        title="smppgw",
        version=program_version(),
        description=doc.DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(Measured, metrics=services.metrics)
    _add_error_shapes(app)
    _add_messages(app, services)
    _add_segments(app, services)
    _add_lists(app, services)
    _add_operations(app, services)
    doc.add_documentation(app)
    return app


V = TypeVar("V")


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(to_json(value), status, headers, "application/json")


async def _page(
    name: str,
    look: Callable[[int], Awaitable[Sequence[V]]],
    limit: int,
    show: Callable[[V], dict[str, Any]],
) -> Response:
    """The first `limit` that `look` finds, under `name`; `next` is the id that the next page goes on from."""
    found = await look(limit + 1)  # one more tells whether more follow
    page = [show(view) for view in found[:limit]]
    return _json({name: page, "next": page[-1]["id"] if len(found) > limit else None})


# ---------------------------------------------------------------------------------------------------------------- #
# Errors
# ---------------------------------------------------------------------------------------------------------------- #


def _fault(error: ApiError) -> Response:
    return _json({"error": error_object(error.code, error.message, error.field)}, error.status, error.headers)


def _add_error_shapes(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def _(request: Request, error: ApiError) -> Response:
        fields = {"path": request.url.path, "status": error.status, "code": error.code}
        log(logger, logging.INFO, "request_refused", **fields)
        return _fault(error)

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> Response:
        if error.status_code == 405:
            allowed = _allowed_methods(app, request.url.path)
            text = f"{request.method} is not possible here; possible: {allowed}"
            return _fault(ApiError("method_not_allowed", text, headers={"Allow": allowed}))
        return _fault(ApiError("not_found", "there is nothing at this path; see /docs"))

    @app.exception_handler(StoreError)
    async def _(request: Request, error: StoreError) -> Response:
        return _fault(_store_fault(error))

    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> Response:
        fields = {"path": request.url.path, "error": type(error).__name__}
        log(logger, logging.ERROR, "http_failed", **fields)
        return _fault(ApiError("internal", "the gateway failed to answer; its log has the details"))


def _allowed_methods(app: FastAPI, path: str) -> str:
    fitting = (route for route in app.routes if isinstance(route, Route) and route.path_regex.match(path))
    return ", ".join(sorted({method for route in fitting for method in route.methods or ()}))


def _store_fault(error: StoreError) -> ApiError:
    if isinstance(error, StoreUnavailable):
        return ApiError(
            "store_unavailable",
            "the store cannot be used now; the request had no effect, repeat it later",
            headers={"Retry-After": str(_STORE_RETRY_AFTER_S)},
        )
    log(logger, logging.ERROR, "store_refused", error=str(error))
    return ApiError("store_error", "the store refused the request; nothing of it was kept")


# ---------------------------------------------------------------------------------------------------------------- #
# POST /v1/messages
# ---------------------------------------------------------------------------------------------------------------- #


async def read_body(request: Request, most_octets: int) -> bytes:
    """The body, given up as soon as it is known to be above the limit. Raises ApiError."""
    too_large = ApiError("body_too_large", f"the body is above {most_octets} octets", headers={"Connection": "close"})
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and (len(declared) > 18 or int(declared) > most_octets):
        raise too_large
    if request.headers.get("content-encoding", "identity") != "identity":
        raise ApiError("content_encoding_unsupported", "send the body uncompressed", headers={"Connection": "close"})
    chunks = []
    octets = 0
    try:
        async with aclosing(request.stream()) as stream:
            async for chunk in stream:
                octets += len(chunk)
                if octets > most_octets:
                    raise too_large
                chunks.append(chunk)
    except ClientDisconnect:
        raise ApiError("client_disconnected", "the connection ended before the body did") from None
    return b"".join(chunks)


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not (0 < len(key) <= _MAX_IDEMPOTENCY_KEY and key.isascii() and key.isprintable()):
        raise ApiError(
            "idempotency_key_invalid",
            f"Idempotency-Key needs 1 to {_MAX_IDEMPOTENCY_KEY} printable ASCII characters",
            field="Idempotency-Key",
        )
    return key


def _add_messages(app: FastAPI, services: Services) -> None:
    intake = Intake(services.settings)
    settings = services.settings.http
    authorised = _authorised(services)

    @app.post("/v1/messages", **doc.POST_MESSAGES)
    async def post_messages(request: Request, account: str = authorised) -> Response:
        request_key = _idempotency_key(request)
        body = await read_body(request, settings.max_body_octets)
        items = parse(body, max_batch=settings.max_batch)
        checked: list[NewMessage | ItemError] = []
        for first, some in portions(items):
            if first:
                await checkpoint()  # a turn for all others
            now_utc_ms = services.utc_ms()
            checked += intake.messages(account, some, now_utc_ms=now_utc_ms, idempotency_key=request_key, first=first)
        good = [item for item in checked if isinstance(item, NewMessage)]
        answers = await _accept(services, good) if good else []
        _count(services, account, checked, answers)
        return _batch_answer(checked, answers)

    @app.post("/v1/messages/{id}/cancel", **doc.POST_CANCEL)
    async def post_cancel(id: str, request: Request, account: str = authorised) -> Response:
        queries.no_query(request.query_params.multi_items())
        message_id = parse_id(id)
        status = CancelStatus.UNKNOWN if message_id is None else await services.cancel(message_id, account)
        return _cancel_answer(status, id.lower())


def _cancel_answer(status: CancelStatus, id: str) -> Response:
    if status is CancelStatus.UNKNOWN:
        raise ApiError("not_found", "this account has no such message")
    if status is CancelStatus.TOO_LATE:
        raise ApiError("too_late", "the message is final already, or is being sent at this moment")
    return _json({"id": id, "state": status.value}, 200 if status is CancelStatus.CANCELLED else 202)


async def _accept(services: Services, messages: Sequence[NewMessage]) -> Sequence[Acceptance]:
    try:
        return await services.accept(messages)
    except Unavailable as refused:
        raise ApiError(refused.code, refused.text, headers={"Retry-After": str(refused.retry_after_s)}) from None
    except StoreError as error:
        raise _store_fault(error) from None


def _batch_answer(checked: Sequence[NewMessage | ItemError], answers: Sequence[Acceptance]) -> Response:
    stored = iter(answers)
    results = [
        views.error_result(item) if isinstance(item, ItemError) else views.result_of(index, next(stored), item)
        for index, item in enumerate(checked)
    ]
    refused = sum("error" in result for result in results)
    accepted = len(results) - refused
    return _json({"accepted": accepted, "refused": refused, "results": results}, 202 if accepted else 422)


def _count(
    services: Services, account: str, checked: Sequence[NewMessage | ItemError], answers: Sequence[Acceptance]
) -> None:
    metrics = services.metrics
    metrics.http_batch_messages.observe(len(checked))
    refused = Counter(item.code for item in checked if isinstance(item, ItemError))
    stored = [0] * len(Lane)  # by lane; hashing enum members is slow
    repeated = 0
    good = (item for item in checked if isinstance(item, NewMessage))
    for message, answer in zip(good, answers, strict=True):
        if answer.status is AcceptStatus.STORED:
            stored[message.lane] += 1
        elif answer.status is AcceptStatus.REPEATED:
            repeated += 1
        elif answer.status is AcceptStatus.NO_REFERENCE:
            refused["references_in_use"] += 1
        elif answer.status is AcceptStatus.NOT_A_REPEAT and message.repeat_only is not None:
            refused[message.repeat_only.code] += 1
        else:
            refused["idempotency_conflict"] += 1
    for lane in Lane:
        if stored[lane]:
            metrics.messages_accepted.labels(account, lane.label).inc(stored[lane])
    if repeated:
        metrics.messages_repeated.labels(account).inc(repeated)
    for code, count in refused.items():
        metrics.messages_refused.labels(account, code).inc(count)


def _authorised(services: Services) -> Any:
    keys = Keys(services.settings)

    async def account_of_key(request: Request) -> str:
        return keys.account_for(request.headers)

    return Depends(account_of_key)


# ---------------------------------------------------------------------------------------------------------------- #
# POST /v1/segments
# ---------------------------------------------------------------------------------------------------------------- #


def _add_segments(app: FastAPI, services: Services) -> None:
    previews = Previews(services.settings)
    settings = services.settings.http

    @app.post("/v1/segments", **doc.POST_SEGMENTS)
    async def post_segments(request: Request, account: str = _authorised(services)) -> Response:
        queries.no_query(request.query_params.multi_items())
        items = parse(await read_body(request, settings.max_body_octets), max_batch=settings.max_batch)
        results: list[dict[str, Any]] = []
        for first, some in portions(items):
            if first:
                await checkpoint()  # a turn for all others
            results += previews.answers(account, some, now_utc_ms=services.utc_ms(), first=first)
        return _json({"results": results})


# ---------------------------------------------------------------------------------------------------------------- #
# Looking up
# ---------------------------------------------------------------------------------------------------------------- #


def _add_lists(app: FastAPI, services: Services) -> None:
    authorised = _authorised(services)

    @app.get("/v1/messages/{id}", **doc.GET_MESSAGE)
    async def get_message(id: str, request: Request, account: str = authorised) -> Response:
        queries.no_query(request.query_params.multi_items())
        message_id = parse_id(id)
        view = None if message_id is None else await services.message(message_id)
        if view is None or view.account != account:
            raise ApiError("not_found", "this account has no such message")
        return _json(views.message_detail(view))

    @app.get("/v1/messages", **doc.GET_MESSAGES)
    async def get_messages(request: Request, account: str = authorised) -> Response:
        pairs = request.query_params.multi_items()
        query = queries.message_query(pairs, account, services.settings.accounts[account])
        return await _page(
            "messages",
            lambda most: services.messages(replace(query, limit=most)),
            query.limit,
            views.message_summary,
        )

    @app.get("/v1/inbound", **doc.GET_INBOUND)
    async def get_inbound(request: Request, account: str = authorised) -> Response:
        before, limit = queries.page_query(request.query_params.multi_items())
        return await _page("inbound", lambda most: services.inbound(before, most), limit, views.inbound_text)

    @app.get("/v1/receipts", **doc.GET_RECEIPTS)
    async def get_receipts(request: Request, account: str = authorised) -> Response:
        before, limit = queries.parked_query(request.query_params.multi_items())
        return await _page(
            "receipts", lambda most: services.parked_receipts(before, most), limit, views.parked_receipt
        )

    @app.get("/v1/quarantine", **doc.GET_QUARANTINE)
    async def get_quarantine(request: Request, account: str = authorised) -> Response:
        before, limit = queries.page_query(request.query_params.multi_items())
        return await _page("quarantine", lambda most: services.quarantine(before, most), limit, views.quarantined)


# ---------------------------------------------------------------------------------------------------------------- #
# Operating
# ---------------------------------------------------------------------------------------------------------------- #


def _add_operations(app: FastAPI, services: Services) -> None:
    authorised = _authorised(services)
    carriers = list(services.settings.carriers)

    @app.get("/v1/binds", **doc.GET_BINDS)
    async def get_binds(account: str = authorised) -> Response:
        return _json({"binds": [views.bind_status(status) for status in services.binds()]})

    @app.get("/v1/status", **doc.GET_STATUS)
    async def get_status(account: str = authorised) -> Response:
        depths = await services.depths()
        ids = await services.id_relations()
        readiness = services.ready()
        now_utc_ms = services.utc_ms()
        return _json(
            {
                "version": app.version,
                "time": views.iso(now_utc_ms),
                "ready": readiness.ready,
                "reason": readiness.reason or None,
                "oldest_queued_at": views.iso(views.due_since(depths, now_utc_ms)),
                "parked_receipts": depths.parked_receipts,
                "oldest_parked_at": views.iso(depths.oldest_parked_utc_ms),
                "quarantined": depths.quarantined,
                "carriers": views.carriers_in_full(services.binds(), services.settings.carriers, ids),
                "segments": views.depths_by_carrier(depths, carriers),
            }
        )

    @app.get("/healthz", **doc.HEALTHZ)
    async def healthz() -> Response:
        return _json({"status": "alive"})

    @app.get("/readyz", **doc.READYZ)
    async def readyz() -> Response:
        readiness = services.ready()
        body = {
            "ready": readiness.ready,
            "reason": readiness.reason or None,
            "carriers": views.carrier_states(services.binds(), carriers),
        }
        return _json(body, 200 if readiness.ready else 503)

    @app.get("/metrics", **doc.METRICS)
    async def metrics() -> Response:
        depths = await services.depths()
        ids = await services.id_relations()
        exposition = services.metrics.exposition(samples(depths, ids, services.binds(), services.utc_ms()))
        return Response(exposition, media_type="text/plain; version=0.0.4; charset=utf-8")
