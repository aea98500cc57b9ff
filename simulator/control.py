"""Orders at run time: one JSON object a line over a loopback port, one line back for each.

    {"do": "inject", "from": "447700900001", "to": "12345", "text": "STOP"}   ->   {"ok": true, "parts": 1, ...}

Owns the reading of orders and their names (`ORDERS`). What they do stands in smsc.py. A line that is not an order is
answered with {"ok": false, "error": ...} and the connection is closed, which also keeps web pages out that a browser
on this machine may have open.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, NamedTuple

import trio

from simulator.smsc import Smsc
from smppgw.errors import Refusal
from smppgw.smpp import parse_status

MAX_LINE_OCTETS = 262_144
_CHUNK_OCTETS = 65_536


class Order(NamedTuple):
    """One kind of order: what it takes (name -> type) and what it does. Arguments in `needed` must be there."""

    text: str
    takes: Mapping[str, tuple[type, ...]]
    needed: frozenset[str]
    run: Callable[[Smsc, dict[str, Any]], dict[str, Any]]


class BadOrder(Exception):
    """An order that cannot be read or carried out; its text says why."""


def _inject(smsc: Smsc, order: dict[str, Any]) -> dict[str, Any]:
    deliveries = smsc.inject(order["from"], order["to"], order["text"], system_id=order.get("system_id"))
    return {"parts": len(deliveries), "system_id": deliveries[0].system_id}


def _summary(smsc: Smsc, order: dict[str, Any]) -> dict[str, Any]:
    return {"summary": smsc.summary()}


_SUBMITS_SHOWN = 10


def _submits(smsc: Smsc, order: dict[str, Any]) -> dict[str, Any]:
    count = order.get("count", _SUBMITS_SHOWN)
    if count < 1:
        raise BadOrder("count must be 1 or more")
    newest = list(islice(reversed(smsc.submits), count))
    return {"submits": [submit.line() for submit in reversed(newest)]}


def _binds(smsc: Smsc, order: dict[str, Any]) -> dict[str, Any]:
    return {
        "binds": [
            {
                "bind": link.number,
                "system_id": link.system_id,
                "kind": link.kind,
                "unanswered_submits": link.unanswered,
                "unanswered_delivers": link.session.in_window,
            }
            for link in smsc.binds
        ]
    }


def _cut(smsc: Smsc, order: dict[str, Any]) -> dict[str, Any]:
    return {"cut": smsc.cut(_bind_of(smsc, order))}


def _unbind(smsc: Smsc, order: dict[str, Any]) -> dict[str, Any]:
    return {"unbound": smsc.unbind(_bind_of(smsc, order))}


def _rate(smsc: Smsc, order: dict[str, Any]) -> dict[str, Any]:
    rate, burst = order.get("rate"), order.get("burst")
    if (rate is not None and rate <= 0) or (burst is not None and burst < 1):
        raise BadOrder("rate must be above 0 (null: no limit) and burst 1 or more")
    smsc.set_rate(rate, burst)
    return {}


def _refuse_binds(smsc: Smsc, order: dict[str, Any]) -> dict[str, Any]:
    status = order.get("status")
    try:
        smsc.refuse_binds(parse_status(str(status)) if status is not None else None)
    except ValueError as wrong:
        raise BadOrder(str(wrong)) from None
    return {}


def _stall(smsc: Smsc, order: dict[str, Any]) -> dict[str, Any]:
    smsc.stall(order.get("on", True))
    return {}


def _hold_receipts(smsc: Smsc, order: dict[str, Any]) -> dict[str, Any]:
    smsc.hold_receipts(order.get("on", True))
    return {}


def _bind_of(smsc: Smsc, order: dict[str, Any]) -> Any:
    if "bind" not in order:
        return None
    for link in smsc.links:
        if link.number == order["bind"]:
            return link
    raise BadOrder(f"there is no bind {order['bind']}")


_NOTHING: frozenset[str] = frozenset()
_BOOL: tuple[type, ...] = (bool,)
_NUMBER_OR_NULL: tuple[type, ...] = (int, float, type(None))

ORDERS: Mapping[str, Order] = {
    "inject": Order(
        "send an inbound text",
        {"from": (str,), "to": (str,), "text": (str,), "system_id": (str,)},
        frozenset({"from", "to", "text"}),
        _inject,
    ),
    "summary": Order("show the counts so far", {}, _NOTHING, _summary),
    "submits": Order("show the newest submits, decoded, oldest first", {"count": (int,)}, _NOTHING, _submits),
    "binds": Order("list the binds", {}, _NOTHING, _binds),
    "cut": Order("drop one bind, or every connection, without a word", {"bind": (int,)}, _NOTHING, _cut),
    "unbind": Order("unbind one bind, or all, in good order", {"bind": (int,)}, _NOTHING, _unbind),
    "rate": Order(
        "limit submits per second and system_id; null lifts the limit",
        {"rate": _NUMBER_OR_NULL, "burst": _NUMBER_OR_NULL},
        frozenset({"rate"}),
        _rate,
    ),
    "refuse_binds": Order(
        "answer every bind with this status; null: as configured",
        {"status": (str, int, type(None))},
        frozenset({"status"}),
        _refuse_binds,
    ),
    "stall": Order("stop answering submits; on=false answers them", {"on": _BOOL}, _NOTHING, _stall),
    "hold_receipts": Order("keep receipts back; on=false lets them go", {"on": _BOOL}, _NOTHING, _hold_receipts),
}


def carry_out(smsc: Smsc, order: Any) -> dict[str, Any]:
    """Does what `order` says and returns the answer. Raises BadOrder when it cannot be read, Refusal of the Smsc."""
    if not isinstance(order, dict):
        raise BadOrder("an order is a JSON object")
    name = order.get("do")
    kind = ORDERS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise BadOrder(f"unknown order {name!r}; known: {', '.join(ORDERS)}")
    arguments = {key: value for key, value in order.items() if key != "do"}
    for key, value in arguments.items():
        if key not in kind.takes:
            raise BadOrder(f"{name} does not take {key!r}; it takes: {', '.join(kind.takes) or 'nothing'}")
        if type(value) not in kind.takes[key]:
            raise BadOrder(f"{name}: {key} is {value!r}, which is of the wrong type")
    missing = kind.needed - arguments.keys()
    if missing:
        raise BadOrder(f"{name} needs {', '.join(sorted(missing))}")
    return {"ok": True, **kind.run(smsc, arguments)}


async def serve_control(
    smsc: Smsc, host: str, port: int, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    """Takes orders on host:port until cancelled; reports the port once it listens. Raises OSError when it cannot."""

    async def handle(stream: trio.SocketStream) -> None:
        async with stream:
            try:
                await _converse(smsc, stream)
            except trio.BrokenResourceError:
                return  # the client has gone

    listeners = await trio.open_tcp_listeners(port, host=host)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, handle, listeners)
        task_status.started(listeners[0].socket.getsockname()[1])


async def _converse(smsc: Smsc, stream: trio.abc.Stream) -> None:
    lines = _Lines(stream)
    while True:
        try:
            line = await lines.next()
            if line is None:
                return
            answer, go_on = carry_out(smsc, json.loads(line)), True
        except Refusal as refused:
            answer, go_on = {"ok": False, "error": refused.text, "code": refused.code}, True
        except (BadOrder, ValueError, RecursionError) as wrong:
            answer, go_on = {"ok": False, "error": str(wrong)}, False
        await stream.send_all(json.dumps(answer).encode() + b"\n")
        if not go_on:
            return


class _Lines:
    """Reads lines from a stream."""

    def __init__(self, stream: trio.abc.ReceiveStream) -> None:
        self._stream = stream
        self._waiting = bytearray()

    async def next(self) -> bytes | None:
        """The next line that is not empty, None at the end of the stream. Raises BadOrder when one is too long."""
        while True:
            line, end, rest = self._waiting.partition(b"\n")
            if end:
                self._waiting = rest
                if line.strip():
                    return bytes(line)
            elif len(line) > MAX_LINE_OCTETS:
                raise BadOrder(f"a line is longer than {MAX_LINE_OCTETS} octets")
            else:
                chunk = await self._stream.receive_some(_CHUNK_OCTETS)
                if not chunk:
                    return None
                self._waiting += chunk


async def give_order(host: str, port: int, order: Mapping[str, Any]) -> dict[str, Any]:
    """Sends one order to a running simulator and returns its answer. Raises OSError or BadOrder when none comes."""
    async with await trio.open_tcp_stream(host, port) as stream:
        await stream.send_all(json.dumps(order).encode() + b"\n")
        line = await _Lines(stream).next()
    try:
        answer = json.loads(line or b"")
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise BadOrder("what answers there is no simulator")
    return answer
