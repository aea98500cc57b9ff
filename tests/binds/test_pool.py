"""All binds of all carriers, on the virtual clock and over real sockets."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter

import pytest
import trio
from trio.testing import MockClock

from smppgw.binds import BindPool, BindState
from smppgw.binds.pool import names
from smppgw.binds.status import BindKind
from smppgw.clock import Clock
from smppgw.config import BindMode
from smppgw.queue.model import MessageQuery, Verdict
from smppgw.smpp import Pdu, Status, SubmitSm
from tests.support.binds import Told, bench, carrier, receipt
from tests.support.bindstore import RECIPIENT, BindStore
from tests.support.clock import VirtualClock
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


async def test_binds_may_differ(autojump_clock: MockClock) -> None:
    settings = carrier(window=7)
    settings._links = [
        settings,
        settings.model_copy(update={"host": "other.example", "mode": BindMode.PAIR, "window": 3}),
    ]
    assert [name for name, _ in names("demo", settings)] == ["demo/1", "demo/2-tx", "demo/2-rx"]
    async with bench(settings) as b:
        await b.bound()
        assert [(status.name, status.link, status.endpoint, status.window) for status in b.pool.status()] == [
            ("demo/1", "demo/1", "smsc.example:2775", 7),
            ("demo/2-tx", "demo/2", "other.example:2775", 3),
            ("demo/2-rx", "demo/2", "other.example:2775", 3),
        ]


async def test_missing_receipts_raise_an_alarm_on_all_binds_of_the_carrier(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The SMSC accepts everything, and drops what is above its rate without a word."""
    settings = carrier(receipt_alarm_share=0.5, receipt_alarm_s=60.0, binds=2)
    async with bench(settings) as b:
        await b.bound()
        b.store.queue(100)
        await trio.sleep(59)
        assert [status.alarm for status in b.pool.status()] == ["receipts_missing"] * 2
        for number in range(100):
            await b.smsc.link.deliver(receipt(f"m{number}"))
        b.store.queue(30)
        await trio.sleep(2)
        for number in range(100, 130):
            await b.smsc.link.deliver(receipt(f"m{number}"))
        await trio.sleep(28)
        assert [status.alarm for status in b.pool.status()] == ["", ""]
    told = [(record.message, record.__dict__["fields"]) for record in caplog.records if "alarm" in record.message]
    assert told == [("bind_alarm", {"carrier": "demo", "alarm": "receipts_missing"})]


async def test_receipts_that_match_nothing_raise_an_alarm(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Every receipt has a suffix to its id that nobody was told of; then the carrier gives that up."""
    async with bench(carrier(binds=2)) as b:
        await b.bound()
        b.store.queue(60)
        await trio.sleep(1)
        for number in range(19):
            await b.smsc.link.deliver(receipt(f"m{number}-x"))
        await trio.sleep(50)
        assert [status.alarm for status in b.pool.status()] == ["", ""]
        await b.smsc.link.deliver(receipt("m19-x"))
        await trio.sleep(50)
        assert [status.alarm for status in b.pool.status()] == ["receipts_unmatched"] * 2
        for number in range(20, 50):
            await b.smsc.link.deliver(receipt(f"m{number}"))
        await trio.sleep(50)
        assert [status.alarm for status in b.pool.status()] == ["", ""]
    told = [(record.message, record.__dict__["fields"]) for record in caplog.records if "alarm" in record.message]
    assert told[0] == (
        "bind_alarm",
        {
            "carrier": "demo",
            "alarm": "receipts_unmatched",
            "receipts": 20,
            "matched": 0,
            "relation": "not known",
            "id_in_receipt": "m19-x",
            "id_in_response": "m59",
            "look_at": "ids.relation, ids.extract",
        },
    )


async def test_a_carrier_that_is_down_does_not_touch_the_others(autojump_clock: MockClock) -> None:
    clock = VirtualClock()
    async with trio.open_nursery() as nursery:
        store = BindStore(clock.utc_ms)
        up, down = FakeSmsc(nursery), FakeSmsc(nursery)
        down.down = True
        smscs = {"up.example": up, "down.example": down}
        settings = {"good": carrier(host="up.example"), "bad": carrier(host="down.example")}
        pool = BindPool(settings, store, clock, connect=lambda its, host, port: smscs[host].connect(its, host, port))
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
        pool = BindPool({"demo": carrier()}, BindStore(clock.utc_ms), clock, connect=smsc.connect)
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
    def slow(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.delay_s = 0.25
        store.queue(10)

    told = Told()
    async with bench(prepare=slow, observer=told) as b:
        await trio.sleep(1)
        assert told.elapsed_s == [pytest.approx([0.25] * 10)]
        assert told.committed_items == [0, 10]
        await b.smsc.link.deliver(receipt("m0"), receipt("nobody's"))
        await b.until(lambda: told.parked == 1)
        assert told.stale == 0
        await b.pool.stop()
        assert told.states == [
            BindState.CONNECTING,
            BindState.BINDING,
            BindState.BOUND_TRX,
            BindState.UNBINDING,
            BindState.STOPPED,
        ]


async def test_every_kind_of_answer_ends_in_its_verdict(autojump_clock: MockClock) -> None:
    """Accepted, throttled, full, refused, retried and delivered in one window."""
    first_answers = {
        "447700900100": Status.ESME_RTHROTTLED,
        "447700900101": Status.ESME_RMSGQFUL,
        "447700900102": Status.ESME_RINVDSTADR,
        "447700900103": Status.ESME_RSYSERR,
    }
    seen: Counter[str] = Counter()

    def answer(pdu: SubmitSm, number: int) -> Pdu | None:
        seen[pdu.destination_addr] += 1
        status = first_answers.get(pdu.destination_addr) if seen[pdu.destination_addr] == 1 else None
        return accept(pdu, number) if status is None else refuse(status)(pdu, number)

    def mixed(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(20, recipient=lambda number: f"4477009001{number:02}")
        smsc.answer = answer

    async with bench(carrier(window=4), prepare=mixed) as b:
        await trio.sleep(120)
        receipts = [receipt(f"m{n}", recipient=pdu.destination_addr) for n, (_, pdu) in enumerate(b.smsc.submits)]
        await b.smsc.link.deliver(*receipts)
        await trio.sleep(1)
        found = await b.store.messages(MessageQuery(limit=100))
        verdicts = {view.destination.addr: view.verdict for view in found}
        assert verdicts.pop("447700900102") is Verdict.REJECTED
        assert set(verdicts.values()) == {Verdict.DELIVERED}
        assert {recipient: count for recipient, count in seen.items() if count > 1} == {
            "447700900100": 2,
            "447700900101": 2,
            "447700900103": 2,
        }


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
        store = BindStore(clock.utc_ms)
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
