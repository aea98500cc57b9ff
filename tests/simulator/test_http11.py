"""HTTP by octets: what comes in whole, in pieces, too long, too slow, from whom, and not as HTTP at all."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import h11
import pytest
import trio
import trio.testing
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulator import http11
from simulator.http11 import Answer, Gate, Refused, Request, Server

Handle = Callable[[Request], Awaitable[Answer]]


def told(status: int, text: str) -> Answer:
    return Answer(status, text.encode(), "text/plain")


async def echo(request: Request) -> Answer:
    return Answer(200, f"{request.method} {request.path} {dict(request.query)} ".encode() + request.body)


class Client:
    """Sends octets, reads answers."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self._http = h11.Connection(h11.CLIENT)

    async def send(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def answer(self, method: str = "GET") -> tuple[int, dict[str, str], str]:
        """Status, headers, body of the next answer."""
        if self._http.our_state is not h11.IDLE:
            self._http.start_next_cycle()
        self._http.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
        self._http.send(h11.EndOfMessage())
        head, body = None, b""
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(bytes(await self.stream.receive_some(65536)))
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                return head.status_code, {k.decode(): v.decode() for k, v in head.headers}, body.decode()

    async def ended(self) -> bool:
        try:
            return await self.stream.receive_some(65536) == b""
        except trio.BrokenResourceError:
            return True


@asynccontextmanager
async def served(handle: Handle = echo, gate: Gate | None = None) -> AsyncIterator[Callable[[], Client]]:
    server = Server(handle, told, gate if gate is not None else Gate())
    with trio.fail_after(600):
        async with trio.open_nursery() as nursery:

            def connect() -> Client:
                ours, theirs = trio.testing.memory_stream_pair()
                nursery.start_soon(server.serve_stream, theirs)
                return Client(ours)

            yield connect
            nursery.cancel_scope.cancel()


GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_requests_one_after_the_other(autojump_clock: object) -> None:
    async with served() as connect:
        client = connect()
        for _ in range(3):
            await client.send(GET)
            status, headers, body = await client.answer()
            assert (status, body) == (200, "GET / {} ")
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"
            assert "access-control-allow-origin" not in headers


async def test_octet_by_octet(autojump_clock: object) -> None:
    request = b"POST /a%20b?x=1&y=%2B HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Length: 4\r\n\r\nbody"
    async with served() as connect:
        client = connect()
        for at in range(len(request)):
            await client.send(request[at : at + 1])
        assert (await client.answer("POST"))[2] == "POST /a b {'x': '1', 'y': '+'} body"


async def test_several_requests_in_one_write(autojump_clock: object) -> None:
    async with served() as connect:
        client = connect()
        await client.send(GET * 3)
        assert [(await client.answer())[0] for _ in range(3)] == [200] * 3


async def test_a_body_in_chunks(autojump_clock: object) -> None:
    async with served() as connect:
        client = connect()
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        await client.send(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        assert (await client.answer("POST"))[2].endswith("abcde")


async def test_a_client_that_waits_to_be_told_to_go_on(autojump_clock: object) -> None:
    async with served() as connect:
        client = connect()
        await client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert (await client.stream.receive_some()).startswith(b"HTTP/1.1 100")
        await client.send(b"ok")
        assert (await client.answer("POST"))[0] == 200


async def test_head_has_no_body(autojump_clock: object) -> None:
    async with served() as connect:
        client = connect()
        await client.send(GET.replace(b"GET", b"HEAD") + GET)
        status, headers, body = await client.answer("HEAD")
        assert (status, headers["content-length"], body) == (200, str(len("HEAD / {} ")), "")
        assert (await client.answer())[2] == "GET / {} "


async def test_http_1_0_ends_with_its_answer(autojump_clock: object) -> None:
    async with served() as connect:
        client = connect()
        await client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert (await client.answer())[0] == 200
        assert await client.ended()


# ---------------------------------------------------------------------------------------------------------------- #
# Limits
# ---------------------------------------------------------------------------------------------------------------- #


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # TLS
        (b'{"do": "cut"}\n\n', 400),
        (b"\0" * 40 + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET /" + b"a" * 70_000, 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 70_000, 431),
        (b"GET /?" + b"a=1&" * 101 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    ],
)
async def test_what_is_no_request_is_told_and_ends_its_connection(
    autojump_clock: object, data: bytes, status: int
) -> None:
    async with served() as connect:
        client = connect()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.send, data)
            assert (await client.answer())[0] == status
            nursery.cancel_scope.cancel()
        other = connect()
        await other.send(GET)
        assert (await other.answer())[0] == 200


async def test_an_upgrade_is_not_taken(autojump_clock: object) -> None:
    """This very request ended hypercorn."""
    h2c = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: !!!notbase64\r\n\r\n"
    async with served() as connect:
        client = connect()
        await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + h2c)
        assert (await client.answer())[0] == 200


async def test_a_body_that_is_too_long(autojump_clock: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http11, "MAX_BODY_OCTETS", 1000)
    async with served() as connect:
        client = connect()
        await client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001)
        status, headers, body = await client.answer("POST")
        assert (status, headers["connection"]) == (413, "close")
        assert "longer than 1000 octets" in body


async def test_a_request_that_never_ends(autojump_clock: object) -> None:
    async with served() as connect:
        client = connect()
        await client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n")
        before = trio.current_time()
        status, _, body = await client.answer("POST")
        assert (status, trio.current_time() - before) == (408, http11.REQUEST_S)
        assert "not complete" in body


async def test_slow_loris(autojump_clock: object) -> None:
    async with served() as connect:
        client = connect()

        async def drip() -> None:
            for octet in b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ".ljust(1000, b"a"):
                try:
                    await client.send(bytes((octet,)))
                except trio.BrokenResourceError:
                    return
                await trio.sleep(1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(drip)
            assert (await client.answer())[0] == 408
            nursery.cancel_scope.cancel()


async def test_a_connection_without_requests_is_closed(autojump_clock: object) -> None:
    async with served() as connect:
        client = connect()
        before = trio.current_time()
        assert await client.ended()
        assert trio.current_time() - before == http11.IDLE_S


async def test_a_client_that_does_not_read(autojump_clock: object) -> None:
    async with trio.open_nursery() as nursery:
        ours, theirs = trio.testing.lockstep_stream_pair()
        server = Server(echo, told, Gate())
        nursery.start_soon(ours.send_all, GET)
        before = trio.current_time()
        await server.serve_stream(theirs)
        assert trio.current_time() - before == http11.SEND_S


async def test_too_many_connections(autojump_clock: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http11, "MAX_CONNECTIONS", 2)
    async with served() as connect:
        kept = [connect() for _ in range(2)]
        await trio.testing.wait_all_tasks_blocked()
        status, _, body = await connect().answer()
        assert (status, body) == (503, "more than 2 connections; close some")
        crowd = [connect() for _ in range(10)]
        await trio.testing.wait_all_tasks_blocked()
        assert await crowd[-1].ended()  # without a word
        await kept[0].stream.aclose()
        await trio.sleep(2)
        client = connect()
        await client.send(GET)
        assert (await client.answer())[0] == 200


# ---------------------------------------------------------------------------------------------------------------- #
# Handlers
# ---------------------------------------------------------------------------------------------------------------- #


async def test_an_error_of_ours_ends_one_request(autojump_clock: object, caplog: pytest.LogCaptureFixture) -> None:
    async def fail(request: Request) -> Answer:
        raise ZeroDivisionError

    caplog.set_level(logging.CRITICAL, "simulator")
    async with served(fail) as connect:
        client = connect()
        for _ in range(2):
            await client.send(GET)
            assert (await client.answer())[0] == 500


async def test_a_handler_may_refuse(autojump_clock: object) -> None:
    async def refuse(request: Request) -> Answer:
        raise Refused(404, "nothing here")

    async with served(refuse) as connect:
        client = connect()
        await client.send(GET)
        assert (await client.answer())[::2] == (404, "nothing here")


async def test_a_client_that_has_gone_is_noticed(autojump_clock: object) -> None:
    left = trio.Event()

    async def wait(request: Request) -> Answer:
        await request.gone()
        left.set()
        return Answer(200, b"")

    async with served(wait) as connect:
        client = connect()
        await client.send(GET)
        await trio.testing.wait_all_tasks_blocked()
        assert not left.is_set()
        await client.stream.aclose()
        await left.wait()


async def test_a_next_request_does_not_end_the_wait_and_is_not_lost(autojump_clock: object) -> None:
    async def wait(request: Request) -> Answer:
        with trio.move_on_after(5):
            await request.gone()
            return Answer(200, b"gone")
        return Answer(200, b"waited")

    async with served(wait) as connect:
        client = connect()
        await client.send(GET)
        await trio.testing.wait_all_tasks_blocked()
        await client.send(GET)
        assert (await client.answer())[2] == "waited"
        assert (await client.answer())[2] == "waited"


# ---------------------------------------------------------------------------------------------------------------- #
# Who may ask
# ---------------------------------------------------------------------------------------------------------------- #


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:2776",
        "LOCALHOST.",
        "smsc.localhost:1",
        "127.0.0.1:2776",
        "127.9.9.9",
        "[::1]:2776",
        "[::1]",
        "192.0.2.7:80",  # an address cannot be pointed elsewhere
        "simulator:2776",  # named
        None,
    ],
)
def test_hosts_that_are_ours(host: str | None) -> None:
    Gate(["Simulator"]).check(host, None)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:2776",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
        "a@localhost",
        "::1x",
    ],
)
def test_hosts_that_are_not(host: str) -> None:
    with pytest.raises(Refused, match="--control-name"):
        Gate(["simulator"]).check(host, None)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:3000", "127.0.0.1:2776"),
        ("https://127.0.0.1", "localhost:2776"),
        ("http://[::1]:5173", "localhost:2776"),
        ("http://192.0.2.7:2776", "192.0.2.7:2776"),
        ("http://simulator:2776", "simulator:2776"),
    ],
)
def test_origins_that_may_ask(origin: str, host: str) -> None:
    Gate(["simulator"]).check(host, origin)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://192.0.2.7",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "file://localhost",
        "http://",
        "http://127.0.0.1:2776/evil",
    ],
)
def test_origins_that_may_not(origin: str) -> None:
    with pytest.raises(Refused, match="may not give orders"):
        Gate().check("127.0.0.1:2776", origin)


@pytest.mark.parametrize("header", [b"Host: evil.example", b"Host: localhost\r\nOrigin: http://evil.example"])
async def test_a_foreign_page_does_not_reach_the_handler(autojump_clock: object, header: bytes) -> None:
    reached = False

    async def note(request: Request) -> Answer:
        nonlocal reached
        reached = True
        return Answer(200, b"")

    async with served(note) as connect:
        client = connect()
        await client.send(b"POST / HTTP/1.1\r\n" + header + b"\r\nContent-Length: 0\r\n\r\n")
        assert (await client.answer("POST"))[0] == 403
    assert not reached


# ---------------------------------------------------------------------------------------------------------------- #
# Anything
# ---------------------------------------------------------------------------------------------------------------- #

PIECES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"GET ",
            b"POST ",
            b"/",
            b" HTTP/1.1\r\n",
            b"Host: localhost\r\n",
            b"Content-Length: 3\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Expect: 100-continue\r\n",
            b"Connection: close\r\n",
            b"\r\n",
            b"3\r\nabc\r\n",
            b"0\r\n\r\n",
            GET,
        ]
    ),
)


@given(st.lists(PIECES, max_size=12))
@example([GET, b"GET ", b"\r\n\r\n"])
@settings(max_examples=200, deadline=None)
def test_any_octets_end_at_worst_their_own_connection(pieces: list[bytes]) -> None:
    failures: list[logging.LogRecord] = []

    class Note(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            failures.append(record)

    async def run() -> None:
        async with served() as connect:
            client = connect()
            for piece in pieces:
                try:
                    await client.send(piece)
                except trio.BrokenResourceError:
                    break
            await client.stream.send_eof()
            while not await client.ended():
                pass
            other = connect()
            await other.send(GET)
            assert (await other.answer())[0] == 200

    note = Note()
    logging.getLogger("simulator").addHandler(note)
    try:
        trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))
    finally:
        logging.getLogger("simulator").removeHandler(note)
    assert failures == []


def test_answers_are_values() -> None:
    assert replace(Answer(200, b""), status=404) == Answer(404, b"")
