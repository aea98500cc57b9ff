"""How connections come about: listeners, with TLS or without, and calls to an ESME that listens.

Owns sockets until they are streams; refuses to know what is spoken over them.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import trio

from simulator.quirks import OutbindQuirks, TlsQuirks
from simulator.settings import SimulatorSettings


async def open_listeners(settings: SimulatorSettings) -> Sequence[trio.abc.Listener[Any]]:
    """Listens on settings.host and settings.port. Raises OSError (ssl.SSLError among them) when it cannot."""
    tls = settings.quirks.tls
    if tls.cert_file is None:
        return await trio.open_tcp_listeners(settings.port, host=settings.host)
    return await trio.open_ssl_over_tcp_listeners(settings.port, _server_context(tls), host=settings.host)


def port_of(listeners: Sequence[trio.abc.Listener[Any]]) -> int:
    """The TCP port of the first that has one, 0 without any."""
    for listener in listeners:
        inner = listener.transport_listener if isinstance(listener, trio.SSLListener) else listener
        if isinstance(inner, trio.SocketListener):
            port: int = inner.socket.getsockname()[1]
            return port
    return 0


async def call_out(outbind: OutbindQuirks, serve: Callable[[trio.abc.Stream], Awaitable[None]]) -> None:
    """Connects to the ESME again and again, and hands each connection to `serve`. Runs until cancelled."""
    while True:
        with suppress(OSError):
            await serve(await trio.open_tcp_stream(outbind.host, outbind.port))
        await trio.sleep(outbind.pause_s)


def _server_context(tls: TlsQuirks) -> ssl.SSLContext:
    assert tls.cert_file is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.cert_file)
    if tls.client_ca_file is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(tls.client_ca_file)
    return context
