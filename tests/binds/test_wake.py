"""The event that can be set again."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from smppgw.binds.wake import Wake


async def test_set_before_the_wait_is_not_lost_and_counts_once(autojump_clock: MockClock) -> None:
    wake = Wake()
    wake.set()
    wake.set()
    with trio.fail_after(1):
        await wake.wait()
    with pytest.raises(trio.TooSlowError), trio.fail_after(1):
        await wake.wait()


async def test_deadline(autojump_clock: MockClock) -> None:
    wake, start = Wake(), trio.current_time()
    await wake.wait(start + 5)
    assert trio.current_time() == start + 5
    await wake.wait(start)  # long past: still a checkpoint, no wait
    assert trio.current_time() == start + 5


async def test_set_while_waiting(autojump_clock: MockClock) -> None:
    wake, start = Wake(), trio.current_time()

    async def later() -> None:
        await trio.sleep(2)
        wake.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(later)
        await wake.wait(start + 5)
        assert trio.current_time() == start + 2
