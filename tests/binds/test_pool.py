"""All binds of all carriers, over the real statements of the store and over real sockets."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock

from smppgw.addresses import Address
from smppgw.binds import BindPool, BindState
from smppgw.binds.pool import names
from smppgw.binds.status import BindKind, NullObserver
from smppgw.clock import Clock, VirtualClock
from smppgw.config import BindMode
from smppgw.queue.model import Accept, Lane, MessageQuery, NewMessage, Verdict
from smppgw.smpp import Status
from tests.support.binds import bench, carrier, receipt
from tests.support.fakestore import RECIPIENT, SENDER, FakeStore
from tests.support.inlinestore import InlineStore
from tests.support.smsc import FakeSmsc, Link, accept, refuse


def test_names() -> None:
    assert names("demo", carrier(binds=2)) == [
        ("demo/1", BindKind.TRANSCEIVER),
        ("demo/2", BindKind.TRANSCEIVER),
    ]
    assert [name for name, _ in names("demo", carrier(binds=2, mode=BindMode.PAIR))] == [
        "demo/1-tx",
        "demo/1-rx",
        "demo/2-tx",
        "demo/2-rx",
    ]


async def test_a_carrier_that_is_down_does_not_touch_the_others(autojump_clock: MockClock) -> None:
    clock = VirtualClock()
    async with trio.open_nursery() as nursery:
        store = FakeStore(clock.utc_ms)
        up, down = FakeSmsc(nursery), FakeSmsc(nursery)
        down.down = True
        smscs = {"up.example": up, "down.example": down}
        settings = {"good": carrier(host="up.example"), "bad": carrier(host="down.example")}
        pool = BindPool(settings, store, clock, connect=lambda its: smscs[its.host].connect(its))
        await nursery.start(pool.run)
        store.queue(5, carrier="good")
        store.queue(5, carrier="bad")
        await trio.sleep(1.5)
        assert [status.state for status in pool.status()] == [BindState.BOUND_TRX, BindState.BACKING_OFF]
        assert store.states() == {"sent": 5, "queued": 5}
        await pool.stop()
        assert [status.state for status in pool.status()] == [BindState.STOPPED] * 2
        nursery.cancel_scope.cancel()


async def test_stop_before_run(autojump_clock: MockClock) -> None:
    clock = VirtualClock()
    async with trio.open_nursery() as nursery:
        smsc = FakeSmsc(nursery)
        pool = BindPool({"demo": carrier()}, FakeStore(clock.utc_ms), clock, connect=smsc.connect)
        nursery.start_soon(pool.stop)
        await trio.testing.wait_all_tasks_blocked()
        await pool.run()
        assert smsc.connects == []


async def test_status_becomes_json(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        shown = json.loads(json.dumps(dataclasses.asdict(b.status())))
        assert (shown["name"], shown["state"], shown["limit"]) == ("demo/1", "bound_trx", "nothing_queued")


async def test_observer_is_told_per_batch(autojump_clock: MockClock) -> None:
    class Told(NullObserver):
        def __init__(self) -> None:
            self.elapsed: list[list[float]] = []
            self.committed_items: list[int] = []
            self.states: list[BindState] = []

        def answered(self, carrier: str, bind: str, elapsed_s: Sequence[float]) -> None:
            self.elapsed.append(list(elapsed_s))

        def committed(self, carrier: str, bind: str, elapsed_s: float, items: int) -> None:
            self.committed_items.append(items)

        def state_changed(self, carrier: str, bind: str, state: BindState) -> None:
            self.states.append(state)

    clock, told = VirtualClock(), Told()
    async with trio.open_nursery() as nursery:
        store, smsc = FakeStore(clock.utc_ms), FakeSmsc(nursery)
        smsc.delay_s = 0.25
        store.queue(10)
        pool = BindPool({"demo": carrier()}, store, clock, told, connect=smsc.connect)
        await nursery.start(pool.run)
        await trio.sleep(1)
        assert told.elapsed == [pytest.approx([0.25] * 10)]
        assert told.committed_items == [0, 10]
        await pool.stop()
        assert told.states == [
            BindState.CONNECTING,
            BindState.BINDING,
            BindState.BOUND_TRX,
            BindState.UNBINDING,
            BindState.STOPPED,
        ]
        nursery.cancel_scope.cancel()


def message(recipient: str, lane: Lane = Lane.TRANSACTIONAL) -> NewMessage:
    return NewMessage(
        account="app",
        carrier="demo",
        lane=lane,
        source=Address(1, 1, SENDER),
        destination=Address(1, 1, recipient),
        text="hello",
        alphabet="gsm7",
        data_coding=0,
        esm_class=0,
        segments=(b"hello",),
        registered_delivery=1,
        validity_ms=172_800_000,
    )


async def test_over_the_statements_of_the_real_store(autojump_clock: MockClock) -> None:
    """Accepted, throttled, full, refused, retried and delivered, as SQL keeps it."""
    clock = VirtualClock()
    store = InlineStore()
    seen: dict[str, int] = {}

    def answer(pdu, number):  # type: ignore[no-untyped-def]
        tries = seen[pdu.destination_addr] = seen.get(pdu.destination_addr, 0) + 1
        first_answer = {
            "447700900100": Status.ESME_RTHROTTLED,
            "447700900101": Status.ESME_RMSGQFUL,
            "447700900102": Status.ESME_RINVDSTADR,
            "447700900103": Status.ESME_RSYSERR,
        }.get(pdu.destination_addr)
        return accept(pdu, number) if tries > 1 or first_answer is None else refuse(first_answer)(pdu, number)

    async with trio.open_nursery() as nursery:
        smsc = FakeSmsc(nursery)
        smsc.answer = answer
        pool = BindPool({"demo": carrier(window=4)}, store, clock, connect=smsc.connect)
        await nursery.start(pool.run)
        recipients = [f"4477009001{number:02}" for number in range(20)]
        await store.commit(Accept([message(recipient) for recipient in recipients], clock.utc_ms()))
        await trio.sleep(120)
        accepted = [number for number, (_, pdu) in enumerate(smsc.submits) if pdu.destination_addr != "447700900102"]
        await smsc.link.deliver(*(receipt(f"m{number}") for number in accepted))
        await trio.sleep(1)
        found = await store.messages(MessageQuery(limit=100))
        verdicts = {view.destination.addr: view.verdict for view in found}
        assert verdicts.pop("447700900102") is Verdict.REJECTED
        assert set(verdicts.values()) == {Verdict.DELIVERED}
        assert {recipient: count for recipient, count in seen.items() if count > 1} == {
            "447700900100": 2,
            "447700900101": 2,
            "447700900103": 2,
        }
        await pool.stop()
        nursery.cancel_scope.cancel()
    store.close()


async def test_over_real_sockets() -> None:
    clock = Clock()
    async with trio.open_nursery() as nursery:
        smsc = FakeSmsc(nursery)
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listener.socket.getsockname()[1]

        async def serve(stream: trio.SocketStream) -> None:
            smsc.links.append(Link(smsc, stream))
            await smsc.link.serve()

        nursery.start_soon(trio.serve_listeners, serve, [listener])
        store = FakeStore(clock.utc_ms)
        settings = carrier(host="127.0.0.1", port=port, timers={"stop_s": 2.0})
        pool = BindPool({"demo": settings}, store, clock)
        await nursery.start(pool.run)
        store.queue(500)
        with trio.fail_after(20):
            while store.states() != {"sent": 500}:  # noqa: ASYNC110
                await trio.sleep(0.01)
            await smsc.link.deliver(*(receipt(f"m{number}") for number in range(500)))
            while store.states() != {"delivered": 500}:  # noqa: ASYNC110
                await trio.sleep(0.01)
            await pool.stop()
        assert smsc.link.unbind_received
        assert smsc.most_unanswered <= 100
        assert smsc.submits[0][1].destination_addr == RECIPIENT
        nursery.cancel_scope.cancel()
