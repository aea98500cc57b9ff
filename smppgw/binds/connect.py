"""Opens the TCP connection to an SMSC. The only place in binds/ that knows host and port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from smppgw.config import CarrierSettings

#: Opens a stream to a carrier; raises OSError (trouble on the way, also time-out and name not found).
Connect = Callable[[CarrierSettings], Awaitable[trio.abc.Stream]]


async def open_stream(settings: CarrierSettings) -> trio.abc.Stream:
    """A stream to the carrier's SMSC; the name is looked up at each call and all its addresses are tried.

    TCP_NODELAY is on: an SMPP window on a link with a round trip of 20 ms would otherwise reach half its rate.
    Raises OSError; TimeoutError, which is one, when there is no connection within `timers.connect_s`.
    """
    try:
        with trio.fail_after(settings.timers.connect_s):
            stream = await trio.open_tcp_stream(settings.host, settings.port)
    except trio.TooSlowError:
        raise TimeoutError(f"no connection within {settings.timers.connect_s:g} s") from None
    stream.setsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY, 1)
    return stream
