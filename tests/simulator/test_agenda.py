from __future__ import annotations

import trio
from trio.testing import MockClock

from simulator.agenda import GRAIN_S, Agenda
from tests.support.clock import VirtualClock


async def test_runs_in_order_of_time_then_of_entry(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    agenda = Agenda(VirtualClock())
    ran: list[tuple[str, float]] = []

    def note(name: str) -> None:
        ran.append((name, trio.current_time()))

    for name, due in (("c", 5.0), ("a", 2.0), ("d", 5.0), ("b", 3.5)):
        agenda.at(due, note, name)
    nursery.start_soon(agenda.run, lambda: None)
    await trio.sleep(10)
    assert ran == [("a", 2.0), ("b", 3.5), ("c", 5.0), ("d", 5.0)]
    assert len(agenda) == 0
    nursery.cancel_scope.cancel()


async def test_an_earlier_entry_wakes_it(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    agenda = Agenda(VirtualClock())
    ran: list[float] = []
    agenda.at(100.0, lambda _: ran.append(trio.current_time()))
    nursery.start_soon(agenda.run, lambda: None)
    await trio.sleep(1)
    agenda.at(7.0, lambda _: ran.append(trio.current_time()))
    await trio.sleep(200)
    assert ran == [7.0, 100.0]
    nursery.cancel_scope.cancel()


async def test_dense_entries_share_a_run(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    agenda = Agenda(VirtualClock())
    batches: list[int] = []
    ran: list[int] = []
    for number in range(1000):
        agenda.at(1.0 + number * GRAIN_S / 100, ran.append, number)
    nursery.start_soon(agenda.run, lambda: batches.append(len(ran)))
    await trio.sleep(5)
    assert ran == list(range(1000))
    assert len(batches) <= 12
    nursery.cancel_scope.cancel()


async def test_entries_of_an_entry_come_in_the_next_run(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    agenda = Agenda(VirtualClock())
    ran: list[float] = []

    def again(left: int) -> None:
        ran.append(trio.current_time())
        if left:
            agenda.at(trio.current_time(), again, left - 1)

    agenda.at(1.0, again, 3)
    nursery.start_soon(agenda.run, lambda: None)
    await trio.sleep(5)
    assert len(ran) == 4
    assert ran[-1] <= 1.0 + 4 * GRAIN_S
    nursery.cancel_scope.cancel()


async def test_skipped_time(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    agenda = Agenda(VirtualClock(start_utc_ms=1_000_000))
    assert agenda.clock.utc_ms() == 1_000_000
    ran: list[tuple[str, float, int]] = []

    def note(name: str) -> None:
        ran.append((name, trio.current_time(), agenda.clock.utc_ms()))

    for name, due in (("in three days", 259_200.0), ("in a day", 86_400.0), ("in four days", 345_600.0)):
        agenda.at(due, note, name)
    nursery.start_soon(agenda.run, lambda: None)
    await trio.sleep(1)
    agenda.skip(259_200)
    await trio.sleep(1)
    assert [name for name, _, _ in ran] == ["in a day", "in three days"]
    assert agenda.clock.mono() == 259_202
    await trio.sleep(86_399)
    assert ran[2] == ("in four days", 86_400.0, 346_600_000)
    nursery.cancel_scope.cancel()


async def test_sessions_do_not_see_skipped_time(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    agenda = Agenda(VirtualClock())
    ran: list[float] = []
    nursery.start_soon(agenda.run, lambda: None)
    agenda.skip(1000)
    agenda.at_session(5.0, lambda _: ran.append(agenda.session_clock.mono()))
    await trio.sleep(10)
    assert ran == [5.0]
    nursery.cancel_scope.cancel()
