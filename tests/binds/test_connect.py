"""Real sockets on the loopback interface."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from smppgw.binds import connect
from smppgw.binds.connect import open_stream
from tests.support.binds import carrier


async def listen() -> tuple[trio.SocketListener, int]:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    return listener, listener.socket.getsockname()[1]


async def test_nagle_is_off() -> None:
    listener, port = await listen()
    async with listener:
        stream = await open_stream(carrier(), "127.0.0.1", port)
        async with stream:
            assert isinstance(stream, trio.SocketStream)
            assert stream.getsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY)


async def test_nobody_listens() -> None:
    listener, port = await listen()
    await listener.aclose()
    with pytest.raises(OSError, match="Connection refused"):
        await open_stream(carrier(), "127.0.0.1", port)


async def test_name_is_looked_up_at_each_connect() -> None:
    class Resolver(trio.abc.HostnameResolver):
        def __init__(self) -> None:
            self.asked: list[object] = []

        async def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):  # type: ignore[no-untyped-def]
            self.asked.append(host)
            return await trio.socket.getaddrinfo("127.0.0.1", port, family, type, proto, flags)

        async def getnameinfo(self, sockaddr, flags):  # type: ignore[no-untyped-def]
            raise NotImplementedError

    listener, port = await listen()
    resolver = Resolver()
    trio.socket.set_custom_hostname_resolver(resolver)
    async with listener:
        for _ in range(2):
            await (await open_stream(carrier(), "smsc.example", port)).aclose()
    assert resolver.asked == [b"smsc.example"] * 2


async def test_time_out(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(*_: object, **__: object) -> trio.SocketStream:
        await trio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr(connect.trio, "open_tcp_stream", hangs)
    start = trio.current_time()
    with pytest.raises(TimeoutError, match="no connection within 5 s"):
        await open_stream(carrier(), "smsc.example", 2775)
    assert trio.current_time() == start + 5


@pytest.mark.parametrize("host", ["smsc..example", "x" * 64 + ".example", "\u2603", ".", "smsc.example\ud800"])
async def test_a_name_that_cannot_be_one_is_trouble_on_the_way(host: str) -> None:
    """The resolver raises UnicodeError for these, which would end the daemon."""
    with pytest.raises(OSError, match="no host name"):
        await open_stream(carrier(), host, 2775)


async def test_stream_is_closed_when_the_peer_hung_up_before_it_was_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class HungUp:
        closed = False

        def setsockopt(self, *_: int) -> None:
            raise OSError(22, "Invalid argument")

        async def aclose(self) -> None:
            self.closed = True
            await trio.lowlevel.checkpoint()

    stream = HungUp()

    async def opens(*_: object, **__: object) -> HungUp:
        await trio.lowlevel.checkpoint()
        return stream

    monkeypatch.setattr(connect.trio, "open_tcp_stream", opens)
    with pytest.raises(OSError, match="Invalid argument"):
        await open_stream(carrier(), "smsc.example", 2775)
    assert stream.closed


async def test_connects_from_the_source_address() -> None:
    listener, port = await listen()
    async with listener, await open_stream(carrier(source_address="127.0.0.2"), "127.0.0.1", port):
        theirs = await listener.accept()
        assert theirs.socket.getpeername()[0] == "127.0.0.2"
        await theirs.aclose()


async def test_a_source_address_that_is_not_ours() -> None:
    listener, port = await listen()
    async with listener:
        with pytest.raises(OSError, match=r"192\.0\.2\.1"):
            await open_stream(carrier(source_address="192.0.2.1"), "127.0.0.1", port)


async def test_what_cannot_be_reached_is_said_once() -> None:
    listener, port = await listen()
    await listener.aclose()
    with pytest.raises(OSError) as caught:
        await open_stream(carrier(), "127.0.0.1", port)
    assert str(caught.value) == f"all attempts to connect to 127.0.0.1:{port} failed: Connection refused"
