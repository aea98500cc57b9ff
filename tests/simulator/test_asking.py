"""The client of the control port, against a simulator and against what is none."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio

from simulator import Smsc
from simulator.asking import Control
from simulator.control import BadOrder
from simulator.endpoints import serve_control


@asynccontextmanager
async def controlled() -> AsyncIterator[Control]:
    smsc = Smsc()
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            await nursery.start(smsc.serve, [])
            port = await nursery.start(serve_control, smsc, "127.0.0.1", 0)
            yield Control("127.0.0.1", port)
            nursery.cancel_scope.cancel()


async def test_orders_queries_and_expectations() -> None:
    async with controlled() as control:
        ask = trio.to_thread.run_sync
        assert await ask(control.order, "rate", {"rate": 5}) == {"ok": True}
        assert (await ask(control.order, "cut")) == {"ok": True, "cut": 0}
        found = await ask(control.find, "submits", {"to": "+44 77*", "text": None, "limit": 3})
        assert found == {"ok": True, "submits": [], "next": 0, "forgotten": 0}
        assert (await ask(control.find, "summary"))["summary"]["submits"] == 0
        assert not (await ask(control.expect, {"within_s": 0}))["ok"]
        refused = await ask(control.order, "no such/order?", {})
        assert (refused["ok"], "unknown order 'no such/order?'" in refused["error"]) == (False, True)


@pytest.mark.parametrize(
    "greeting", [b"220 mail.example.org ESMTP\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"]
)
async def test_something_else_on_that_port(greeting: bytes) -> None:
    async def handle(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(greeting)
        await stream.send_eof()
        await stream.receive_some()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, handle, 0, host="127.0.0.1"))
        control = Control("127.0.0.1", listeners[0].socket.getsockname()[1])
        with pytest.raises(BadOrder, match="no simulator"):
            await trio.to_thread.run_sync(control.find, "binds")
        nursery.cancel_scope.cancel()


def test_nothing_on_that_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        Control("127.0.0.1", port).find("binds")
