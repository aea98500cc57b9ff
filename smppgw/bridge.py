"""Every crossing between trio and asyncio, typed.

trio-asyncio has no type information, so this is the only module that imports it. A crossing costs 36 to 50 us: cross
once per batch or once per task, never per message.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

import trio_asyncio

P = ParamSpec("P")
T = TypeVar("T")


@asynccontextmanager
async def asyncio_loop() -> AsyncIterator[asyncio.AbstractEventLoop]:
    """Runs an asyncio event loop inside the current trio task for as long as the context is open."""
    async with trio_asyncio.open_loop() as loop:
        yield loop


async def run_asyncio(function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """From trio: runs an asyncio coroutine function and returns what it returns. Cancellation crosses too."""
    result: T = await trio_asyncio.aio_as_trio(function)(*args, **kwargs)
    return result
