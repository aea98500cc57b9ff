"""An authority, certificates from it, and a listener with TLS, for tests."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import trio
import trustme

Serve = Callable[[trio.abc.Stream], Awaitable[None]]


class Authority:
    """A CA whose files lie in a folder."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._ca = trustme.CA()
        self.ca_file = folder / f"{name}.pem"
        self._ca.cert_pem.write_to_path(self.ca_file)

    def issue(self, *names: str, expired: bool = False) -> Path:
        """A certificate with its key in one file, for host names or addresses."""
        dates = {"not_before": datetime(2019, 1, 1, tzinfo=UTC), "not_after": datetime(2020, 1, 1, tzinfo=UTC)}
        made = self._ca.issue_cert(*names, **(dates if expired else {}))
        file = self._folder / f"{names[0]}.pem"
        made.private_key_and_cert_chain_pem.write_to_path(file)
        return file

    def server(self, *names: str, expired: bool = False, asks_for_client: bool = False) -> ssl.SSLContext:
        """The context of a server with such a certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.issue(*names, expired=expired))
        if asks_for_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca_file)
        return context


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """A port on 127.0.0.1 behind which `serve` gets each connection."""
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        yield listener.socket.getsockname()[1]
        nursery.cancel_scope.cancel()


def with_tls(context: ssl.SSLContext, serve: Serve) -> Serve:
    """`serve` behind TLS; a handshake that fails ends the connection."""

    async def wrapped(stream: trio.abc.Stream) -> None:
        inner = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
        try:
            await inner.do_handshake()
        except trio.BrokenResourceError:
            await trio.aclose_forcefully(stream)
            return
        await serve(inner)

    return wrapped


def with_alerts(context: ssl.SSLContext) -> Serve:
    """A server that tells its peer why a handshake failed, which trio's does not."""

    def shake(connection: socket.socket) -> None:
        connection.settimeout(5)
        try:
            with context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as wrapped:
                wrapped.do_handshake()
        except OSError:
            return

    async def serve(stream: trio.abc.Stream) -> None:
        assert isinstance(stream, trio.SocketStream)
        connection = socket.socket(fileno=stream.socket.detach())
        connection.setblocking(True)
        await trio.to_thread.run_sync(shake, connection)

    return serve
