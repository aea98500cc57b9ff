from __future__ import annotations

import asyncio

import pytest
import trio

from smppgw.bridge import asyncio_loop, run_asyncio


async def test_a_coroutine_of_asyncio_gets_its_arguments_and_gives_its_result() -> None:
    async def add(left: int, *, right: int) -> int:
        await asyncio.sleep(0)
        return left + right

    async with asyncio_loop():
        assert await run_asyncio(add, 1, right=2) == 3


async def test_errors_cross() -> None:
    async def fail() -> None:
        raise KeyError("x")

    async with asyncio_loop():
        with pytest.raises(KeyError):
            await run_asyncio(fail)


async def test_an_error_that_nobody_waits_for_is_logged_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OSError("too many open files")

    async def schedule() -> None:
        asyncio.get_running_loop().call_soon(fail)
        await asyncio.sleep(0.01)

    async with asyncio_loop():
        await run_asyncio(schedule)
    (record,) = caplog.records
    assert record.message == "asyncio_failed"


async def test_cancellation_crosses() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("yes")

    async with asyncio_loop():
        with trio.move_on_after(0.05) as scope:
            await run_asyncio(wait)
    assert scope.cancelled_caught
    assert ended == ["yes"]
