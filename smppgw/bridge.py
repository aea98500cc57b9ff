"""Every crossing between trio and asyncio, typed.

trio-asyncio has no type information, so this is the only module that imports it. A crossing costs 36 to 50 us: cross
once per batch or once per task, never per message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar

import trio_asyncio

from smppgw import telemetry

log = logging.getLogger("smppgw.bridge")

P = ParamSpec("P")
T = TypeVar("T")


@asynccontextmanager
async def asyncio_loop() -> AsyncIterator[asyncio.AbstractEventLoop]:
    """Runs an asyncio event loop inside the current trio task for as long as the context is open."""
    async with trio_asyncio.open_loop() as loop:
        # trio-asyncio's own handler raises into the loop's nursery: one failed accept() (out of file descriptors,
        # say), which asyncio would try again in a second, would end the daemon.
        loop.set_exception_handler(_tell)
        yield loop


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    telemetry.log(log, logging.ERROR, "asyncio_failed", text=context.get("message", ""), error=repr(error))


async def run_asyncio(function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """From trio: runs an asyncio coroutine function and returns what it returns. Cancellation crosses too."""
    result: T = await trio_asyncio.aio_as_trio(function)(*args, **kwargs)
    return result
