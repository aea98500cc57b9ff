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
    Raises OSError, also for a name that cannot be one; TimeoutError, which is an OSError, when there is no connection
    within `timers.connect_s`.
    """
    try:
        with trio.fail_after(settings.timers.connect_s):
            stream = await trio.open_tcp_stream(settings.host, settings.port)
    except trio.TooSlowError:
        raise TimeoutError(f"no connection within {settings.timers.connect_s:g} s") from None
    except UnicodeError as error:  # the resolver could not even ask: a label that is empty or too long, for example
        raise OSError(f"{settings.host!r} is no host name: {error}") from None
    try:
        stream.setsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY, 1)
    except OSError:  # the SMSC may have hung up already
        await trio.aclose_forcefully(stream)
        raise
    return stream
