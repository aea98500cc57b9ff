"""The control port over HTTP: what can be asked and ordered under which path, and what the answers look like.

    POST /orders/rate  {"rate": 10}   ->   {"ok": true}

Owns paths, parameters and status codes; every answer but that of /metrics is a JSON object with `ok`. What orders do
stands in control.py, what is found in finding.py, what is waited for in expectations.py, what the words of both mean
in parameters.py, the protocol in http11.py.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from difflib import get_close_matches
from typing import Any, NamedTuple, TypeVar

import trio

from simulator.control import ORDERS, BadOrder, UnknownOrder, binds_of, carry_out
from simulator.expectations import Expectation, Verdict, expect
from simulator.finding import Page, find_acks, find_messages, find_submits
from simulator.http11 import JSON, Answer, Gate, Refused, Request, request_of, serve_http
from simulator.metrics import CONTENT_TYPE, exposition
from simulator.parameters import expectation_of, filter_of, whole
from simulator.smsc import Smsc
from smppgw.errors import Refusal

T = TypeVar("T")

MAX_LIMIT = 10_000
DEFAULT_LIMIT = 100
_AT_ONCE = 100


class Endpoint(NamedTuple):
    """One path under one method. `takes`: the parameters of its query, or of the object in its body."""

    method: str
    path: str
    text: str
    takes: tuple[str, ...]
    run: Callable[[Smsc, Request], Awaitable[Answer]]


async def _home(smsc: Smsc, request: Request) -> Answer:
    listed = [
        {"method": one.method, "path": one.path, "what": one.text, "takes": list(one.takes)} for one in ENDPOINTS
    ]
    return _json({"ok": True, "what": "smppgw-simulator", "smpp_port": smsc.port, "endpoints": listed})


async def _orders(smsc: Smsc, request: Request) -> Answer:
    listed = [
        {"order": name, "what": kind.text, "takes": list(kind.takes), "needs": sorted(kind.needed)}
        for name, kind in ORDERS.items()
    ]
    return _json({"ok": True, "orders": listed})


async def _order(smsc: Smsc, request: Request) -> Answer:
    name = request.path.removeprefix("/orders/")
    try:
        return _json(await carry_out(smsc, name, _object_in(request)))
    except UnknownOrder as unknown:
        raise Refused(404, str(unknown)) from None
    except BadOrder as bad:
        raise Refused(400, str(bad)) from None
    except Refusal as refused:
        return _json({"ok": False, "error": refused.text, "code": refused.code}, 422)


async def _summary(smsc: Smsc, request: Request) -> Answer:
    return _json({"ok": True, "summary": smsc.summary()})


async def _binds(smsc: Smsc, request: Request) -> Answer:
    return _json({"ok": True, "binds": binds_of(smsc)})


async def _submits(smsc: Smsc, request: Request) -> Answer:
    return await _page("submits", await _found(find_submits, smsc, request))


async def _messages(smsc: Smsc, request: Request) -> Answer:
    return await _page("messages", await _found(find_messages, smsc, request))


async def _acks(smsc: Smsc, request: Request) -> Answer:
    return await _page("acks", await _found(find_acks, smsc, request))


async def _expect(smsc: Smsc, request: Request) -> Answer:
    values = _object_in(request)
    _refuse_unknown(values, _EXPECTATION)
    expectation = _told(lambda: expectation_of(values))
    verdict = await _while_wanted(smsc, expectation, request)
    return _json(verdict.as_json(), 200 if verdict.met else 417)


async def _while_wanted(smsc: Smsc, expectation: Expectation, request: Request) -> Verdict:
    """Stops waiting when the client has gone."""
    verdict: Verdict | None = None
    wrong: ValueError | None = None

    async def leave_with_client() -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await request.gone()
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave_with_client)
        try:
            verdict = await expect(smsc, expectation)
        except ValueError as failed:
            wrong = failed
        nursery.cancel_scope.cancel()
    if wrong is not None:
        raise Refused(400, str(wrong))
    if verdict is None:
        raise Refused(408, "the connection was closed while this waited")
    return verdict


async def _metrics(smsc: Smsc, request: Request) -> Answer:
    return Answer(200, exposition(smsc), CONTENT_TYPE)


async def _healthz(smsc: Smsc, request: Request) -> Answer:
    return _json({"ok": True})


_ADDRESSED = ("system_id", "from", "to", "since", "limit", "after")
_EXPECTATION = ("what", "to", "from", "text", "system_id", "status", "count", "within_s", "exactly", "since", "after")

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/", "this list", (), _home),
    Endpoint("GET", "/orders", "the orders, and what they take", (), _orders),
    Endpoint("POST", "/orders/{name}", "gives an order", (), _order),
    Endpoint("GET", "/summary", "the counts so far", (), _summary),
    Endpoint("GET", "/binds", "the binds that are open, with their numbers", (), _binds),
    Endpoint("GET", "/submits", "what was submitted, decoded", (*_ADDRESSED, "text", "status"), _submits),
    Endpoint("GET", "/messages", "the same, long messages put together", (*_ADDRESSED, "text"), _messages),
    Endpoint("GET", "/acks", "receipts and inbound texts that were acknowledged", _ADDRESSED, _acks),
    Endpoint("POST", "/expect", "waits for so many, and says what came instead", _EXPECTATION, _expect),
    Endpoint("GET", "/metrics", "the counts for Prometheus", (), _metrics),
    Endpoint("GET", "/healthz", "whether it is there", (), _healthz),
)
_BY_PATH: Mapping[str, Mapping[str, Endpoint]] = {
    path: {one.method: one for one in ENDPOINTS if one.path == path} for path in (one.path for one in ENDPOINTS)
}


async def handle(smsc: Smsc, request: Request) -> Answer:
    """The answer to one request. Raises Refused."""
    is_order = request.path.startswith("/orders/")
    path = "/orders/{name}" if is_order else request.path
    methods = _BY_PATH.get(path)
    if methods is None:
        near = get_close_matches(path[:100], _BY_PATH, n=1)
        raise Refused(404, f"there is no {path[:100]}{f'; did you mean {near[0]}?' if near else ''} GET / lists all")
    endpoint = methods.get("GET" if request.method == "HEAD" else request.method)
    if endpoint is None:
        known = ", ".join(methods)
        answer = error(405, f"{path} takes {known}, not {request.method[:20]}")
        return Answer(answer.status, answer.body, headers={"Allow": known})
    if endpoint.method == "POST" and request.query:
        raise Refused(400, f"{path} takes one JSON object as its body, not a query")
    return await endpoint.run(smsc, request)


async def answer_request(smsc: Smsc, method: str, target: str, content: object = None) -> tuple[int, dict[str, Any]]:
    """The same without a socket, for whoever is in this process: status and JSON object. Raises nothing of its own.

    `target`: path and query; `content`: what stands in the body, None for none.
    """
    body = b"" if content is None else json.dumps(content).encode()
    try:
        answer = await handle(smsc, request_of(method, target, {}, body, trio.sleep_forever))
    except Refused as refused:
        answer = error(refused.status, refused.text)
    if answer.content_type != JSON:
        return answer.status, {"ok": True, "text": answer.body.decode()}
    found: dict[str, Any] = json.loads(answer.body)
    return answer.status, found


def error(status: int, text: str) -> Answer:
    """The answer that says what is wrong."""
    return _json({"ok": False, "error": text}, status)


async def serve_control(
    smsc: Smsc, host: str, port: int, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    """Takes orders on host:port until cancelled; reports the port once it listens. Raises OSError when it cannot."""
    listeners = await trio.open_tcp_listeners(port, host=host)

    async def answer(request: Request) -> Answer:
        return await handle(smsc, request)

    task_status.started(listeners[0].socket.getsockname()[1])
    await serve_http(answer, error, listeners, Gate({host, *smsc.settings.control_names}))


# ---------------------------------------------------------------------------------------------------------------- #
# Parameters. What cannot be read is refused with a text for the user.
# ---------------------------------------------------------------------------------------------------------------- #

Find = Callable[..., Awaitable[Page]]


async def _found(find: Find, smsc: Smsc, request: Request) -> Page:
    endpoint = _BY_PATH[request.path]["GET"]
    query = request.query
    _refuse_unknown(query, endpoint.takes)
    wanted = _told(lambda: filter_of(query))
    limit = _told(lambda: whole("limit", query.get("limit", DEFAULT_LIMIT), 1, MAX_LIMIT))
    after = _told(lambda: whole("after", query["after"], 0)) if "after" in query else None
    try:
        return await find(smsc.ledger, wanted, after=after, limit=limit)
    except ValueError as slow:  # a pattern
        raise Refused(400, str(slow)) from None


def _refuse_unknown(values: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in values:
        if name not in known:
            near = get_close_matches(name[:100], known, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise Refused(400, f"{name[:50]!r} is not taken{meant} Known: {', '.join(known)}")


def _object_in(request: Request) -> dict[str, Any]:
    """The JSON object in the body; nothing at all stands for an empty one."""
    if not request.body.strip():
        return {}
    try:
        found = json.loads(request.body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as wrong:
        raise Refused(400, f"the body is no JSON: {wrong}") from None
    if not isinstance(found, dict):
        raise Refused(400, "the body is one JSON object")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _told(make: Callable[[], T]) -> T:
    try:
        return make()
    except ValueError as wrong:
        raise Refused(400, str(wrong)) from None


async def _page(name: str, page: Page) -> Answer:
    """Entry by entry: ten thousand of them are some work, and sessions have their turns in between."""
    shown = []
    for turn, (number, entry) in enumerate(page.entries, start=1):
        if not turn % _AT_ONCE:
            await trio.lowlevel.checkpoint()
        shown.append(json.dumps({"number": number, **entry.line()}))
    rest = json.dumps({"next": page.next, "forgotten": page.forgotten})[1:]
    return Answer(200, f'{{"ok": true, "{name}": [{", ".join(shown)}], {rest}\n'.encode())


def _json(content: Mapping[str, Any], status: int = 200) -> Answer:
    return Answer(status, json.dumps(content).encode() + b"\n")
