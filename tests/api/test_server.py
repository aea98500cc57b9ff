"""The HTTP server inside an asyncio loop: it starts on given sockets, stops when told, and leaves signals alone."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from smppgw.api.server import HttpServer, open_sockets
from smppgw.config import HttpSettings
from smppgw.errors import ConfigError
from tests.api.gateway import KEY, Gateway

SETTINGS = HttpSettings(port=0, stop_s=2.0)
GOOD = {"to": "+447700900123", "text": "Hello"}


@dataclass
class Served:
    port: int
    server: HttpServer
    gateway: Gateway
    task: asyncio.Task[None]
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": f"Bearer {KEY}"})

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers=self.headers, trust_env=False)

    async def raw(self, request: bytes) -> bytes:
        """Everything the server answers to `request` until it closes the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            return await asyncio.wait_for(reader.read(), 5)
        finally:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def served(**changes: Any) -> AsyncIterator[Served]:
    gateway = Gateway(**changes)
    sockets = open_sockets("127.0.0.1", 0)
    server = HttpServer(gateway.app(), SETTINGS)
    task = asyncio.create_task(server.serve_on(sockets))
    try:
        yield Served(sockets[0].getsockname()[1], server, gateway, task)
    finally:
        server.stop()
        await task


def in_asyncio(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await asyncio.wait_for(test(), 20)

    asyncio.run(main())


def test_requests_over_a_socket() -> None:
    async def test() -> None:
        async with served() as it, it.client() as client:
            response = await client.post("/v1/messages", json=[GOOD] * 3)
            assert (response.status_code, response.json()["accepted"]) == (202, 3)
            assert "server" not in response.headers
            assert (await client.get("/healthz")).json() == {"status": "alive"}
        assert it.server.closed

    in_asyncio(test)


def test_a_body_above_the_limit_ends_the_connection() -> None:
    async def test() -> None:
        async with served() as it:
            head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nX-Api-Key: {KEY}\r\n".encode()
            answer = await it.raw(head + b"Content-Length: 99999999\r\n\r\n" + b"x" * 1000)
            assert answer.startswith(b"HTTP/1.1 413") and b"body_too_large" in answer
            chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
            answer = await it.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 2)
            assert answer.startswith(b"HTTP/1.1 413") and b"body_too_large" in answer

    in_asyncio(test)


def test_garbage_is_answered_and_others_go_on() -> None:
    async def test() -> None:
        async with served() as it, it.client() as client:
            assert (await it.raw(b"\x00\x00\x00\x10\x80\x00\x00\x00 no http at all\r\n\r\n")).startswith(
                b"HTTP/1.1 400"
            )
            assert (await client.post("/v1/messages", json=GOOD)).status_code == 202

    in_asyncio(test)


def test_a_stop_lets_requests_under_way_end() -> None:
    async def test() -> None:
        reached, go_on = asyncio.Event(), asyncio.Event()

        async def pause() -> None:
            reached.set()
            await go_on.wait()

        async with served(pause=pause) as it:
            async with it.client() as client:
                request = asyncio.create_task(client.get("/v1/status"))
                await reached.wait()
                it.server.stop()
                await asyncio.sleep(0.25)
                assert not it.task.done()
                go_on.set()
                assert (await request).status_code == 200
            await it.task
            with pytest.raises(OSError, match="Connect call failed"):
                await asyncio.open_connection("127.0.0.1", it.port)

    in_asyncio(test)


def test_signals_stay_as_they_are() -> None:
    before = (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))

    async def test() -> None:
        async with served() as it, it.client() as client:
            await client.get("/healthz")
            inside = (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))
            assert inside[0] == before[0]

    in_asyncio(test)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_sockets_that_cannot_be_served_raise() -> None:
    async def test() -> None:
        (sock,) = open_sockets("127.0.0.1", 0)
        sock.close()
        server = HttpServer(Gateway().app(), SETTINGS)
        with pytest.raises((OSError, ValueError)):
            await server.serve_on([sock])
        assert server.closed

    in_asyncio(test)


def test_open_sockets_takes_one_free_port_for_all_addresses() -> None:
    sockets = open_sockets("localhost", 0)
    try:
        assert len({sock.getsockname()[1] for sock in sockets}) == 1
        assert sockets[0].getsockname()[1] != 0
    finally:
        for sock in sockets:
            sock.close()


def test_answers_do_not_wait_for_delayed_acks() -> None:
    """With Nagle's algorithm on, each answer after the first on a connection takes 40 ms."""

    async def test() -> None:
        async with served() as it, it.client() as client:
            elapsed = []
            for _ in range(20):
                started = time.perf_counter()
                await client.get("/healthz")
                elapsed.append(time.perf_counter() - started)
            assert sorted(elapsed)[len(elapsed) // 2] < 0.03

    in_asyncio(test)


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_an_address_that_cannot_be_had(host: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"http\.host, http\.port: cannot listen on {host}:{port}: "):
            open_sockets(host, port)
