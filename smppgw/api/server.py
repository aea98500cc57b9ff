"""uvicorn inside the daemon's asyncio loop: no signal handlers, no logging set-up, no exit of its own.

Owns the listening sockets and how serving starts and stops. Refuses to know what is served.
"""

from __future__ import annotations

import contextlib
import math
import socket
from collections.abc import Generator, Sequence

import uvicorn
from starlette.types import ASGIApp

from smppgw.config import HttpSettings
from smppgw.errors import ConfigError

_BACKLOG = 2048


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on every address of `host`; port 0 takes a free one, the same for all of them.

    Raises ConfigError when one cannot be had; then none stays open.
    """
    opened: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in dict.fromkeys(found):
            opened.append(_listening(family, (address[0], port, *address[2:])))
            port = opened[0].getsockname()[1]
    except OSError as error:
        for sock in opened:
            sock.close()
        reason = error.strerror or str(error)
        raise ConfigError([f"http.host, http.port: cannot listen on {host}:{port}: {reason}"]) from None
    return opened


def _listening(family: int, address: tuple[object, ...]) -> socket.socket:
    # asyncio turns Nagle's algorithm off only where it sees IPPROTO_TCP. With it on, each answer waits 40 ms for the
    # client's delayed ACK, since uvicorn writes head and body one after the other.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind(address)
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


class HttpServer(uvicorn.Server):
    """Serves one application. `stop()` from the same thread; `serve_on` then returns once requests have ended."""

    def __init__(self, app: ASGIApp, settings: HttpSettings) -> None:
        self.closed = False  # serve_on has ended
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http="httptools",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=_BACKLOG,
                timeout_keep_alive=math.ceil(settings.keep_alive_s),
                timeout_graceful_shutdown=math.ceil(settings.stop_s),
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals are the daemon's."""
        yield

    async def serve_on(self, sockets: Sequence[socket.socket]) -> None:
        """Serves until `stop()`, then takes no new connections and lets requests under way end (http.stop_s).

        For asyncio. Closes `sockets`. Raises OSError when the loop cannot serve them.
        """
        try:
            await self.serve(list(sockets))
        except SystemExit as error:  # uvicorn's way to say that it could not start
            raise RuntimeError("the HTTP server could not start") from error
        finally:
            for sock in sockets:
                sock.close()
            self.closed = True

    def stop(self) -> None:
        self.should_exit = True
