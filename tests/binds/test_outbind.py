"""Sessions that the SMSC asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import trio
from pydantic import SecretStr
from trio.testing import MockClock

from smppgw.binds import BindPool
from smppgw.binds.driver import OUTBIND_S
from smppgw.binds.outbind import MOST_CONNECTIONS, OutbindListener
from smppgw.binds.status import BindKind, BindState, BindStatus
from smppgw.clock import Clock
from smppgw.config import BindMode, OutbindSettings
from smppgw.errors import ConfigError
from smppgw.smpp import SubmitSm
from tests.support.binds import carrier, inbound, receipt
from tests.support.bindstore import BindStore
from tests.support.clock import VirtualClock
from tests.support.smsc import FakeSmsc


@dataclass
class Meeting:
    """A pool whose own binds cannot connect, and an SMSC that connects to it."""

    pool: BindPool
    listener: OutbindListener
    store: BindStore
    smsc: FakeSmsc
    nursery: trio.Nursery

    def call(self, peer: str = "192.0.2.1:40000") -> None:
        """The SMSC connects; its end is `smsc.link`."""
        self.nursery.start_soon(self.listener.serve, self.smsc.meet(), peer)

    def sessions(self) -> list[BindStatus]:
        return self.pool.status()[1:]

    def states(self) -> list[tuple[str, BindState]]:
        return [(status.name, status.state) for status in self.sessions()]


@asynccontextmanager
async def meeting(**settings: Any) -> AsyncIterator[Meeting]:
    clock = VirtualClock()
    outbind = OutbindSettings(port=1, system_id="SMSC", password=SecretStr("geheim"))
    its = carrier(outbind=outbind, **settings)
    async with trio.open_nursery() as nursery:
        store, smsc = BindStore(clock.utc_ms), FakeSmsc(nursery)
        smsc.down = True
        pool = BindPool({"demo": its}, store, clock, connect=smsc.connect, jitter=lambda: 0.0)
        pool._build("demo", its)
        (listener,) = pool._outbinds
        listener._settings = outbind.model_copy(update={"port": 0})  # any port: nobody connects to it here
        pool._build = lambda *_: None  # type: ignore[method-assign]
        await nursery.start(pool.run)
        yield Meeting(pool, listener, store, smsc, nursery)
        nursery.cancel_scope.cancel()


async def test_an_outbind_is_answered_by_a_bind_on_the_same_connection(autojump_clock: MockClock) -> None:
    async with meeting() as m:
        m.call()
        await m.smsc.link.outbind("SMSC", "geheim")
        await trio.sleep(0.1)
        assert m.states() == [("demo/outbind-1", BindState.BOUND_TRX)]
        (status,) = m.sessions()
        assert (status.kind, status.endpoint, status.interface_version) == (
            BindKind.TRANSCEIVER,
            "192.0.2.1:40000",
            "3.4",
        )
        m.store.queue(2)
        await trio.sleep(0.1)
        assert m.store.states() == {"sent": 2}
        await m.smsc.link.deliver(receipt("m0"), inbound())
        await trio.sleep(0.1)
        assert m.store.states() == {"sent": 1, "delivered": 1}
        assert m.store.texts() == ["STOP"]


async def test_of_a_pair_it_is_a_receiver(autojump_clock: MockClock) -> None:
    async with meeting(mode=BindMode.PAIR) as m:
        m.call()
        await m.smsc.link.outbind("SMSC", "geheim")
        await trio.sleep(0.1)
        assert m.smsc.link.kind == "BindReceiver"
        assert m.pool.status()[-1].state is BindState.BOUND_RX


@pytest.mark.parametrize(
    ("system_id", "password", "reason"),
    [
        ("other", "geheim", "outbind with system_id 'other', not 'SMSC'"),
        ("SMSC", "falsch", "outbind with another password"),
    ],
)
async def test_a_stranger_is_shown_the_door(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, system_id: str, password: str, reason: str
) -> None:
    async with meeting() as m:
        m.call()
        await m.smsc.link.outbind(system_id, password)
        await trio.sleep(0.1)
        assert m.smsc.binds == []  # our password is not for everybody
        assert m.smsc.link.closed is not None
        (shown,) = m.pool.status()[1:]
        assert (shown.state, shown.alarm, shown.last_error) == (BindState.STOPPED, "outbind_refused", reason)
        for _ in range(65):
            await trio.sleep(1)
            m.call()
            await m.smsc.link.outbind(system_id, password)
        m.call()
        await m.smsc.link.outbind("SMSC", "geheim")
        await trio.sleep(0.1)
        assert [status.alarm for status in m.pool.status()] == ["", ""]
    told = [record.__dict__["fields"] for record in caplog.records if record.message == "outbind_refused"]
    expected = {"carrier": "demo", "peer": "192.0.2.1:40000", "reason": reason}
    assert told == [{**expected, "left_out": 0}, {**expected, "left_out": 59}]


@pytest.mark.parametrize(("session_init_s", "after_s"), [(3.0, 3.0), (30.0, OUTBIND_S)])
async def test_who_says_nothing_is_cut_off_soon(
    autojump_clock: MockClock, session_init_s: float, after_s: float
) -> None:
    async with meeting(timers={"session_init_s": session_init_s}) as m:
        m.call()
        await trio.sleep(after_s - 0.1)
        assert m.states() == []
        assert m.smsc.link.closed is None
        await trio.sleep(0.2)
        assert m.smsc.link.closed is not None


async def test_connections_are_few_and_room_comes_back(autojump_clock: MockClock) -> None:
    async with meeting() as m:
        for _ in range(MOST_CONNECTIONS):
            m.call()
            await m.smsc.link.outbind("SMSC", "geheim")
        await trio.sleep(0.1)
        assert m.states() == [(f"demo/outbind-{number}", BindState.BOUND_TRX) for number in range(1, 5)]
        m.call()
        await trio.sleep(0.1)
        assert m.smsc.link.closed is not None
        await m.smsc.links[1].unbind()
        await trio.sleep(0.1)
        assert len(m.sessions()) == MOST_CONNECTIONS - 1
        m.call()
        await m.smsc.link.outbind("SMSC", "geheim")
        await trio.sleep(0.1)
        assert m.states()[1] == ("demo/outbind-2", BindState.BOUND_TRX)


async def test_an_smsc_that_takes_its_time_to_answer_the_bind_has_session_init_s(autojump_clock: MockClock) -> None:
    async with meeting(timers={"session_init_s": 30.0, "response_s": 60.0}) as m:
        m.smsc.refuse_binds = -1
        m.call()
        await m.smsc.link.outbind("SMSC", "geheim")
        await trio.sleep(29)
        assert m.smsc.link.closed is None
        await trio.sleep(1.1)
        assert m.smsc.link.closed is not None


async def test_the_oldest_stranger_makes_room(autojump_clock: MockClock) -> None:
    """Those that say nothing cannot keep the SMSC out."""
    async with meeting() as m:
        m.call()
        await m.smsc.link.outbind("SMSC", "geheim")
        await trio.sleep(0.1)
        for _ in range(MOST_CONNECTIONS + 1):
            m.call("198.51.100.1:1")
            await trio.sleep(0.1)
        strangers = m.smsc.links[1:]
        assert [link.closed is not None for link in strangers] == [True, True, False, False, False]
        m.call()
        await m.smsc.link.outbind("SMSC", "geheim")
        await trio.sleep(0.1)
        assert sorted(state for _, state in m.states()) == [BindState.BOUND_TRX] * 2


async def test_a_stranger_writes_nothing_to_the_disk(autojump_clock: MockClock) -> None:
    async with meeting() as m:
        m.call()
        bad = SubmitSm(sequence_number=1, destination_addr="1").octets()
        await m.smsc.link.raw(bad * 50)
        await trio.sleep(1)
        assert await m.store.quarantine(before=None, limit=10) == []
        m.call()
        await m.smsc.link.outbind("SMSC", "geheim")
        await trio.sleep(0.1)
        await m.smsc.link.raw(bad)
        await trio.sleep(1)
        assert len(await m.store.quarantine(before=None, limit=10)) == 1


async def test_stop_ends_it_in_good_order(autojump_clock: MockClock) -> None:
    async with meeting() as m:
        m.call()
        await m.smsc.link.outbind("SMSC", "geheim")
        await trio.sleep(0.1)
        m.listener.stop()
        await trio.sleep(0.1)
        assert m.smsc.link.unbind_received
        assert m.states() == []
        m.call()  # too late
        await trio.sleep(0.1)
        assert m.smsc.link.closed is not None


async def test_what_a_session_leaves_is_recorded_when_the_store_comes_back(autojump_clock: MockClock) -> None:
    async with meeting() as m:
        m.call()
        await m.smsc.link.outbind("SMSC", "geheim")
        await trio.sleep(0.1)
        m.smsc.answer = lambda *_: None
        m.store.queue(2)
        await trio.sleep(0.1)
        m.store.unavailable = True
        await m.smsc.link.cut()
        await trio.sleep(1)
        assert m.states() == [("demo/outbind-1", BindState.STOPPED)]
        m.store.unavailable = False
        await trio.sleep(6)
        assert m.store.states() == {"in_doubt": 2}
        assert m.states() == []


async def test_over_real_sockets_and_a_port_that_is_taken() -> None:
    clock = Clock()
    async with trio.open_nursery() as nursery:
        (probe,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = probe.socket.getsockname()[1]
        settings = carrier(outbind=OutbindSettings(port=port))
        smsc = FakeSmsc(nursery)
        smsc.down = True
        with pytest.raises(ConfigError, match=rf"carriers\.demo\.outbind: cannot listen on 127\.0\.0\.1:{port}"):
            await BindPool({"demo": settings}, BindStore(clock.utc_ms), clock, connect=smsc.connect).run()
        await probe.aclose()
        pool = BindPool({"demo": settings}, BindStore(clock.utc_ms), clock, connect=smsc.connect)
        await nursery.start(pool.run)
        theirs = await trio.open_tcp_stream("127.0.0.1", port)
        link = smsc.attach(theirs)
        await link.outbind()
        with trio.fail_after(10):
            while not pool.status()[1:] or not pool.status()[1].state.is_bound:  # noqa: ASYNC110
                await trio.sleep(0.01)
            assert pool.status()[1].endpoint.startswith("127.0.0.1:")
            await pool.stop()
        assert link.unbind_received
        nursery.cancel_scope.cancel()


async def test_a_carrier_without_binds_of_its_own(autojump_clock: MockClock) -> None:
    """binds = 0: only what the SMSC opens is there, and it is sent over."""
    async with meeting(binds=0) as m:
        assert m.pool.status() == []
        m.store.queue(1)
        m.call()
        await m.smsc.link.outbind("SMSC", "geheim")
        await trio.sleep(0.1)
        assert [(status.name, status.state) for status in m.pool.status()] == [
            ("demo/outbind-1", BindState.BOUND_TRX)
        ]
        assert m.store.states() == {"sent": 1}
