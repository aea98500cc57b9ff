"""Opens the connection to an SMSC: TCP, and TLS where the settings ask for it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import trio

from smppgw.binds import tls
from smppgw.config import CarrierSettings

#: Opens a stream to host and port for a carrier; raises OSError (trouble on the way, also time-out, name not found
#: and TLS).
Connect = Callable[[CarrierSettings, str, int], Awaitable[trio.abc.Stream]]


async def open_stream(settings: CarrierSettings, host: str, port: int) -> trio.abc.Stream:
    """A stream to an SMSC; the name is looked up at each call and all its addresses are tried.

    TCP_NODELAY is on: an SMPP window on a link with a round trip of 20 ms would otherwise reach half its rate.
    Raises OSError, also for a name that cannot be one and for TLS; TimeoutError, which is an OSError, when there is
    no connection, or no TLS on it, within `timers.connect_s`.
    """
    limit_s = settings.timers.connect_s
    deadline = trio.current_time() + limit_s
    try:
        with trio.fail_at(deadline):
            stream = await trio.open_tcp_stream(host, port, local_address=settings.source_address)
    except trio.TooSlowError:
        raise TimeoutError(f"no connection within {limit_s:g} s") from None
    except OSError as error:
        raise OSError(_in_full(error)) from error
    except UnicodeError as error:  # the resolver could not even ask: a label that is empty or too long, for example
        raise OSError(f"{host!r} is no host name: {error}") from None
    try:
        stream.setsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY, 1)
        if not tls.is_wanted(settings, port):
            return stream
        with trio.fail_at(deadline):
            return await tls.wrap(stream, settings.tls, host)
    except trio.TooSlowError:
        await trio.aclose_forcefully(stream)
        raise TimeoutError(f"no TLS within {limit_s:g} s: is there TLS on port {port}?") from None
    except BaseException:  # also when cancelled, and when the SMSC has hung up already
        await trio.aclose_forcefully(stream)
        raise


def _in_full(error: OSError) -> str:
    """The error with what each attempt came to: trio only says that all of them failed."""
    attempts = error.__cause__
    if attempts is None:
        return str(error)
    each = attempts.exceptions if isinstance(attempts, BaseExceptionGroup) else (attempts,)
    return f"{error}: {'; '.join(dict.fromkeys(map(_plain, each)))}"


def _plain(error: BaseException) -> str:
    """Without the address where trio says it again: `Error connecting to ('127.0.0.1', 2775): Connection refused`."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return re.sub(r"^Error connecting to \(.*?\): ", "", text)
