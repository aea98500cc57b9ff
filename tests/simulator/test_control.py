"""Orders over the control port, real sockets on loopback."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from simulator import Smsc
from simulator.control import MAX_LINE_OCTETS, ORDERS, BadOrder, carry_out, give_order, serve_control
from smppgw.smpp import DeliverSm, Status, SubmitSmResp, Unbind

from .esme import Esme, submit_sm


@asynccontextmanager
async def controlled() -> AsyncIterator[tuple[Smsc, Esme, int]]:
    """A simulator on a free port with one transceiver bound, and its control port."""
    smsc = Smsc()
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            port = await nursery.start(smsc.serve)
            control_port = await nursery.start(serve_control, smsc, "127.0.0.1", 0)
            async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                esme = Esme(stream)
                await esme.bind()
                yield smsc, esme, control_port
            nursery.cancel_scope.cancel()
    assert smsc.stats.session_failures == 0


async def test_inject() -> None:
    async with controlled() as (_smsc, esme, port):
        order = {"do": "inject", "from": "447700900001", "to": "12345", "text": "Grüße"}
        assert await give_order("127.0.0.1", port, order) == {"ok": True, "parts": 1, "system_id": "alice"}
        assert (await esme.expect(DeliverSm)).source_addr == "447700900001"
        refused = await give_order("127.0.0.1", port, order | {"text": ""})
        assert refused["ok"] is False
        assert refused["code"] == "empty_text"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"text": "half \ud83d"}, "unencodable"),
        ({"from": "a\udcff"}, "bad_address"),
        ({"to": "\ud800"}, "bad_address"),
    ],
)
async def test_lone_surrogates_are_refused_by_name(wrong: dict[str, str], code: str) -> None:
    async with controlled() as (smsc, _esme, port):
        order = {"do": "inject", "from": "447700900001", "to": "12345", "text": "x"}
        refused = await give_order("127.0.0.1", port, order | wrong)
        assert (refused["ok"], refused["code"]) == (False, code)
        assert smsc.summary()["inbound"]["sent"] == 0


async def test_the_newest_submits_are_shown_as_a_phone_would() -> None:
    async with controlled() as (_smsc, esme, port):
        await esme.submit(text=b"\0ne", esm_class=0)
        await esme.submit("447700900124", b"\x05\x00\x03\x07\x02\x01flash", esm_class=0x40, data_coding=0x10)
        shown = (await give_order("127.0.0.1", port, {"do": "submits"}))["submits"]
        assert [(one["destination"], one["text"]) for one in shown] == [
            ("447700900123", "@ne"),
            ("447700900124", "flash"),
        ]
        assert (shown[1]["message_class"], shown[1]["part"], shown[1]["parts"]) == (0, 1, 2)
        last = (await give_order("127.0.0.1", port, {"do": "submits", "count": 1}))["submits"]
        assert last == shown[1:]
        assert (await give_order("127.0.0.1", port, {"do": "submits", "count": 0}))[
            "error"
        ] == "count must be 1 or more"


async def test_several_orders_on_one_connection() -> None:
    async with controlled() as (smsc, esme, port), await trio.open_tcp_stream("127.0.0.1", port) as stream:
        lines = b'{"do": "stall"}\n\n{"do": "binds"}\n{"do": "rate", "rate": 5, "burst": null}\n{"do": "summ'
        await stream.send_all(lines)
        answers = await _lines(stream, 3)
        assert answers[0] == {"ok": True}
        assert [(bind["system_id"], bind["kind"]) for bind in answers[1]["binds"]] == [("alice", "transceiver")]
        await esme.send(submit_sm())
        await smsc.wait_until(lambda: smsc.stats.withheld == 1)
        await stream.send_all(b'ary"}\n')
        (answer,) = await _lines(stream, 1)
        assert answer["summary"]["withheld"] == 1
        await stream.send_all(b'{"do": "stall", "on": false}\n')
        assert (await esme.expect(SubmitSmResp)).command_status == 0


@pytest.mark.parametrize(
    "line",
    [
        b"GET /?do=cut HTTP/1.1\r",
        b"[]",
        b"null",
        b'{"do": "explode"}',
        b'{"do": ["cut"]}',
        b'{"do": "cut", "bind": "1"}',
        b'{"do": "cut", "bind": 1000000}',
        b'{"do": "cut", "bund": 1}',
        b'{"do": "inject", "from": "1", "to": "2"}',
        b'{"do": "rate", "rate": -1}',
        b'{"do": "rate", "rate": true}',
        b'{"do": "refuse_binds", "status": "ESME_NOSUCH"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"x" * (MAX_LINE_OCTETS + 1),
    ],
)
async def test_what_is_no_order_is_answered_and_ends_the_connection(line: bytes) -> None:
    async with controlled() as (smsc, _esme, port):
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(line + b"\n")
            (answer,) = await _lines(stream, 1)
            assert answer["ok"] is False
            assert answer["error"]
            assert await stream.receive_some() == b""
        assert len(smsc.binds) == 1


async def test_every_order_does_what_it_says() -> None:
    async with controlled() as (smsc, esme, port):

        async def give(**order: Any) -> dict[str, Any]:
            answer = await give_order("127.0.0.1", port, order)
            assert answer.pop("ok") is True, answer
            return answer

        await give(do="rate", rate=1.5, burst=1)
        assert [(await esme.submit()).command_status for _ in range(2)] == [0, Status.ESME_RTHROTTLED]
        await give(do="rate", rate=None)
        await give(do="hold_receipts")
        await esme.submit(registered_delivery=1)
        await give(do="hold_receipts", on=False)
        await esme.acknowledge(await esme.expect(DeliverSm))
        await give(do="refuse_binds", status="ESME_RALYBND")
        async with await trio.open_tcp_stream("127.0.0.1", smsc.port) as stream:
            assert await Esme(stream).bind() == Status.ESME_RALYBND
        await give(do="refuse_binds", status=None)
        assert await give(do="unbind", bind=smsc.binds[0].number) == {"unbound": 1}
        await esme.expect(Unbind)
        assert await give(do="cut") == {"cut": 1}
        await esme.wait_end()


def test_every_order_is_described() -> None:
    assert all(order.text and order.needed <= order.takes.keys() for order in ORDERS.values())


def test_orders_are_checked_before_anything_is_done() -> None:
    with pytest.raises(BadOrder, match="known: inject, summary"):
        carry_out(Smsc(), {"do": "nothing"})
    with pytest.raises(BadOrder, match="inject needs from, text, to"):
        carry_out(Smsc(), {"do": "inject"})
    with pytest.raises(BadOrder, match="binds does not take 'on'; it takes: nothing"):
        carry_out(Smsc(), {"do": "binds", "on": True})


async def test_something_else_on_that_port() -> None:
    async def handle(stream: trio.SocketStream) -> None:
        await stream.send_all(b"220 mail.example.org ESMTP\r\n")
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, handle, 0)
        with pytest.raises(BadOrder, match="no simulator"):
            await give_order("127.0.0.1", listeners[0].socket.getsockname()[1], {"do": "binds"})
        nursery.cancel_scope.cancel()


async def _lines(stream: trio.SocketStream, count: int) -> list[dict[str, Any]]:
    waiting = b""
    while waiting.count(b"\n") < count:
        chunk = await stream.receive_some()
        assert chunk
        waiting += chunk
    return [json.loads(line) for line in waiting.splitlines()]
