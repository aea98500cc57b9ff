"""Orders at run time: their names, what each takes, what it does.

    {"from": "447700900001", "to": "12345", "text": "STOP"} to `inject`   ->   {"ok": true, "parts": 1, ...}

Owns the reading of orders and their names (`ORDERS`). What they do stands in smsc.py; how they come in over HTTP in
endpoints.py, how the command line sends them in asking.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from simulator.finding import ANYTHING, find_submits
from simulator.injecting import INJECT_NEEDED, INJECT_TAKES, inject_order
from simulator.scenarios import Scenario
from simulator.smsc import Smsc
from smppgw.errors import ConfigError, LocalProtocolError
from smppgw.smpp import parse_status


class Order(NamedTuple):
    """One kind of order: what it takes (name -> type) and what it does. Arguments in `needed` must be there."""

    text: str
    takes: Mapping[str, tuple[type, ...]]
    needed: frozenset[str]
    run: Callable[[Smsc, dict[str, Any]], Answer | Awaitable[Answer]]


Answer = dict[str, Any]


class BadOrder(Exception):
    """An order that cannot be read or carried out; its text says why."""


class UnknownOrder(BadOrder):
    """There is no order of this name."""


def _stop_injecting(smsc: Smsc, order: dict[str, Any]) -> Answer:
    return {"not_sent": smsc.stop_injecting()}


def _summary(smsc: Smsc, order: dict[str, Any]) -> Answer:
    return {"summary": smsc.summary()}


_MOST = 1_000_000_000
_SUBMITS_SHOWN = 10


async def _submits(smsc: Smsc, order: dict[str, Any]) -> Answer:
    count = order.get("count", _SUBMITS_SHOWN)
    if count < 1:
        raise BadOrder("count must be 1 or more")
    return {"submits": (await find_submits(smsc.ledger, ANYTHING, limit=count)).lines()}


def _binds(smsc: Smsc, order: dict[str, Any]) -> Answer:
    return {"binds": binds_of(smsc)}


def binds_of(smsc: Smsc) -> list[dict[str, Any]]:
    """The binds that are open, oldest first."""
    return [
        {
            "bind": link.number,
            "system_id": link.system_id,
            "kind": link.kind,
            "unanswered_submits": link.unanswered,
            "unanswered_delivers": link.session.in_window,
        }
        for link in smsc.binds
    ]


def _cut(smsc: Smsc, order: dict[str, Any]) -> Answer:
    return {"cut": smsc.cut(_bind_of(smsc, order))}


def _unbind(smsc: Smsc, order: dict[str, Any]) -> Answer:
    return {"unbound": smsc.unbind(_bind_of(smsc, order))}


def _rate(smsc: Smsc, order: dict[str, Any]) -> Answer:
    rate, burst = order.get("rate"), order.get("burst")
    if (rate is not None and not 0 < rate <= _MOST) or (burst is not None and not 1 <= burst <= _MOST):
        raise BadOrder(f"rate must be above 0 (null: no limit) and burst 1 or more, both up to {_MOST}")
    smsc.set_rate(rate, burst, order.get("system_id"))
    return {}


def _refuse_binds(smsc: Smsc, order: dict[str, Any]) -> Answer:
    status = order.get("status")
    try:
        smsc.refuse_binds(parse_status(str(status)) if status is not None else None)
    except ValueError as wrong:
        raise BadOrder(str(wrong)) from None
    return {}


def _stall(smsc: Smsc, order: dict[str, Any]) -> Answer:
    smsc.stall(order.get("on", True))
    return {}


def _hold_receipts(smsc: Smsc, order: dict[str, Any]) -> Answer:
    smsc.hold_receipts(order.get("on", True))
    return {}


async def _outbind(smsc: Smsc, order: dict[str, Any]) -> Answer:
    try:
        await smsc.outbind(
            order["host"], order["port"], system_id=order.get("system_id"), password=order.get("password")
        )
    except (OSError, ValueError, LocalProtocolError) as failed:  # ValueError: a name or a port that is none
        raise BadOrder(f"no outbind to {order['host']}:{order['port']}: {failed}") from None
    return {}


def _capture(smsc: Smsc, order: dict[str, Any]) -> Answer:
    """Answers with the counts of the capture that has ended with this."""
    try:
        return smsc.capture(order["file"])
    except (OSError, ValueError) as failed:
        raise BadOrder(f"no capture in {order['file']!r}: {failed}") from None


def _advance(smsc: Smsc, order: dict[str, Any]) -> Answer:
    try:
        smsc.advance(order["seconds"])
    except ValueError as wrong:
        raise BadOrder(str(wrong)) from None
    return {"now_utc_ms": smsc.now_utc_ms}


def _scenario(smsc: Smsc, order: dict[str, Any]) -> Answer:
    try:
        scenario = Scenario.load(order["name"])
        smsc.switch(scenario)
    except ConfigError as wrong:
        raise BadOrder("; ".join(wrong.problems)) from None
    except ValueError as wrong:  # a name that no file can have
        raise BadOrder(f"no scenario {order['name']!r}: {wrong}") from None
    return {"scenario": scenario.name}


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
        "send an inbound text, or octets: any alphabet, in parts of any kind and order; or a stream of texts",
        INJECT_TAKES,
        INJECT_NEEDED,
        inject_order,
    ),
    "stop_injecting": Order("end all streams of inbound texts", {}, _NOTHING, _stop_injecting),
    "summary": Order("show the counts so far", {}, _NOTHING, _summary),
    "submits": Order("show the newest submits, decoded, oldest first", {"count": (int,)}, _NOTHING, _submits),
    "binds": Order("list the binds", {}, _NOTHING, _binds),
    "cut": Order("drop one bind, or every connection, without a word", {"bind": (int,)}, _NOTHING, _cut),
    "unbind": Order("unbind one bind, or all, in good order", {"bind": (int,)}, _NOTHING, _unbind),
    "rate": Order(
        "limit submits per second and system_id, or of one system_id; null lifts the limit",
        {"rate": _NUMBER_OR_NULL, "burst": _NUMBER_OR_NULL, "system_id": (str,)},
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
    "scenario": Order(
        "act another scenario from now on, by its name or file; sessions stay, and what is planned",
        {"name": (str,)},
        frozenset({"name"}),
        _scenario,
    ),
    "outbind": Order(
        "connect to an ESME that listens, and ask it by outbind for a bind",
        {"host": (str,), "port": (int,), "system_id": (str,), "password": (str,)},
        frozenset({"host", "port"}),
        _outbind,
    ),
    "capture": Order(
        "write all sessions into a pcapng file; file=null ends that",
        {"file": (str, type(None))},
        frozenset({"file"}),
        _capture,
    ),
    "advance": Order(
        "let so many seconds pass at once: receipts that are due by then come now",
        {"seconds": (int, float)},
        frozenset({"seconds"}),
        _advance,
    ),
}


async def carry_out(smsc: Smsc, name: str, arguments: Any) -> Answer:
    """Gives the order `name` with `arguments`, and returns its answer.

    Raises UnknownOrder, BadOrder when the arguments cannot be read or followed, Refusal of the Smsc.
    """
    kind = ORDERS.get(name)
    if kind is None:
        near = get_close_matches(name, ORDERS, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UnknownOrder(f"unknown order {name[:50]!r}; {meant}known: {', '.join(ORDERS)}")
    if not isinstance(arguments, dict):
        raise BadOrder("the arguments of an order are one JSON object")
    for key, value in arguments.items():
        if key not in kind.takes:
            raise BadOrder(f"{name} does not take {key[:50]!r}; it takes: {', '.join(kind.takes) or 'nothing'}")
        if type(value) not in kind.takes[key]:
            raise BadOrder(f"{name}: {key} is {str(value)[:50]!r}, not {_named(kind.takes[key])}")
    missing = kind.needed - arguments.keys()
    if missing:
        raise BadOrder(f"{name} needs {', '.join(sorted(missing))}")
    found = kind.run(smsc, arguments)
    return {"ok": True, **(found if isinstance(found, dict) else await found)}


_WORDS: Mapping[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def _named(types: tuple[type, ...]) -> str:
    return " or ".join(_WORDS[one] for one in types)
