"""How connections come about: listeners, with TLS or without, and calls to an ESME that listens.

Owns sockets until they are streams; refuses to know what is spoken over them.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import trio

from simulator.accounts import Peer
from simulator.packets import Endpoint
from simulator.quirks import OutbindQuirks, TlsQuirks
from simulator.settings import SimulatorSettings

if sys.platform != "win32":
    import resource

#: Open files beside the connections: the ledger, a capture, the control port, what Python needs.
_OTHER_FILES = 100


async def open_listeners(settings: SimulatorSettings) -> Sequence[trio.abc.Listener[Any]]:
    """Listens on settings.host and settings.port. Raises OSError (ssl.SSLError among them) when it cannot."""
    tls = settings.quirks.tls
    if tls.cert_file is None:
        return await trio.open_tcp_listeners(settings.port, host=settings.host)
    return await trio.open_ssl_over_tcp_listeners(settings.port, _server_context(tls), host=settings.host)


def allow_open_files(connections: int) -> int:
    """Lets this process have so many connections open, as far as the system does; returns how many that is.

    A process starts with 1,024 open files on many systems, though it may ask for more. Windows has no such limit.
    """
    if sys.platform == "win32":
        return connections
    wanted = connections + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
    return max(0, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _OTHER_FILES)


def port_of(listeners: Sequence[trio.abc.Listener[Any]]) -> int:
    """The TCP port of the first that has one, 0 without any."""
    for listener in listeners:
        inner = listener.transport_listener if isinstance(listener, trio.SSLListener) else listener
        if isinstance(inner, trio.SocketListener):
            port: int = inner.socket.getsockname()[1]
            return port
    return 0


def addresses_of(stream: trio.abc.Stream) -> tuple[Endpoint, Endpoint] | None:
    """Our end and the other one of a TCP connection, with TLS or without; None for any other stream."""
    inner = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
    if not isinstance(inner, trio.SocketStream):
        return None
    try:
        ours, theirs = inner.socket.getsockname(), inner.socket.getpeername()
        # Without the scope of an IPv6 address, which means something on this machine only.
        return Endpoint(ours[0].partition("%")[0], ours[1]), Endpoint(theirs[0].partition("%")[0], theirs[1])
    except (OSError, TypeError, IndexError):  # it has gone already; not TCP, which has a path for an address
        return None


def peer_of(stream: trio.abc.Stream) -> Peer:
    """Who is at the other end, as far as accounts ask for it."""
    addresses = addresses_of(stream)
    return Peer(addresses[1].host if addresses is not None else "", isinstance(stream, trio.SSLStream))


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
