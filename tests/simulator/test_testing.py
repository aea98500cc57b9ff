"""The API for test suites, as its users call it: from plain code, asyncio, trio; in a thread and in a process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import smpplib.exceptions
import trio

from simulator.control import ORDERS
from simulator.delays import Delay
from simulator.fates import MessageState
from simulator.testing import (
    Aio,
    ExpectationFailed,
    NotRunning,
    OrderFailed,
    Record,
    RunningSmsc,
    settings_for,
    start_smsc,
)
from smppgw.errors import ConfigError
from smppgw.smpp import BindTransceiver, DeliverSm, SubmitSmResp, Unbind

from .clients import PATIENCE_S, Awaiting, blocking
from .esme import Esme, submit_sm

Start = Callable[..., RunningSmsc]


@pytest.fixture(params=["thread", "process"])
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Starts simulators in both ways, and stops them."""
    started: list[RunningSmsc] = []

    def run(scenario: str | None = None, **settings: Any) -> RunningSmsc:
        started.append(start_smsc(scenario, subprocess=request.param == "process", **settings))
        return started[-1]

    yield run
    for smsc in started:
        smsc.stop()


# --- plain code -----------------------------------------------------------------------------------------------------


def test_a_blocking_client_from_bind_to_receipt(start: Start) -> None:
    smsc = start(receipt_delay="72h")
    with blocking(smsc) as client:
        (bind,) = smsc.wait_bound(system_id="smpplib")
        client.send("447700900123", "hello")
        (message,) = smsc.expect(to="+4477*", from_="SHOP", text="hel*", system_id="smpplib", within_s=PATIENCE_S)
        assert (message.text, message.destination, message["source"]) == ("hello", "447700900123", "SHOP")
        before = datetime.now(UTC)
        now = smsc.advance(days=2, hours=23, minutes=59, seconds=60)
        assert now - before > timedelta(days=3, seconds=-1)
        client.read_until(lambda: bool(client.received))
        done = datetime.fromtimestamp(message.utc_ms / 1000, UTC) + timedelta(days=3)
        assert f"id:{client.ids[0]} " in client.received[0]
        assert f"done date:{done:%y%m%d%H%M} stat:DELIVRD" in client.received[0]
        smsc.expect(what="receipt_acked", within_s=PATIENCE_S)
        assert smsc.inject("447700900001", "12345", "STOP").parts == 1
        client.read_until(lambda: len(client.received) == 2)
        assert client.received[1] == "STOP"
        assert smsc.binds()[0].bind == bind.bind
        assert smsc.unbind() == 1
        smsc.wait_until(lambda: smsc.summary()["submits"] == 1)
        assert [submit.text for submit in smsc.submits(to="4477*", text="hello")] == ["hello"]
        assert smsc.submits(from_="nobody") == []
        assert len(smsc.messages()) == 1


def test_orders_as_calls(start: Start) -> None:
    smsc = start()
    smsc.refuse_binds("ESME_RALYBND")
    with pytest.raises(smpplib.exceptions.PDUError), blocking(smsc):
        pass
    smsc.refuse_binds(None)
    with blocking(smsc) as client:
        smsc.wait_bound()
        smsc.set_rate(1.0, burst=1.0)
        client.send("447700900123", "one")
        client.send("447700900123", "two")
        smsc.expect(2, what="submit", within_s=PATIENCE_S)
        assert [submit.status for submit in smsc.submits()] == [0, 0x58]
        smsc.set_rate(None)
        smsc.hold_receipts()
        client.send("447700900123", "three")
        smsc.expect(text="three", within_s=PATIENCE_S)
        smsc.hold_receipts(False)
        client.read_until(lambda: len(client.received) == 2)
        smsc.stall()
        client.send("447700900123", "four")
        smsc.expect(text="four", within_s=PATIENCE_S)
        assert smsc.summary()["withheld"] == 1
        smsc.stall(False)
        client.read_until(lambda: client.refused == [0x58] and len(client.ids) == 4)
        assert smsc.cut() == 1
        smsc.expect(0, what="bind", within_s=0.0)


def test_what_came_instead_is_told(start: Start) -> None:
    smsc = start()
    with blocking(smsc) as client:
        client.send("447700900123", "hello")
        with pytest.raises(ExpectationFailed, match=r"(?s)with the text bye .*'hello'") as caught:
            smsc.expect(text="bye", within_s=0.2)
        assert isinstance(caught.value, AssertionError)
        assert caught.value.matched == []
        assert [entry.text for entry in caught.value.instead] == ["hello"]
        assert "text is 'hello'" in caught.value.instead[0].why
    with pytest.raises(ExpectationFailed, match=r"(?s)did not hold within 0.05 s\nlistens on .*1 submits"):
        smsc.wait_until(lambda: False, within_s=0.05)


def test_a_bind_that_does_not_come_is_explained(start: Start) -> None:
    smsc = start(accounts={"alice": "secret"})
    with pytest.raises(smpplib.exceptions.PDUError), blocking(smsc, system_id="alice", password="guess"):
        pass
    with pytest.raises(ExpectationFailed, match=r"(?s)1 bind of alice.*refused.*ESME_RINVPASWD"):
        smsc.wait_bound(system_id="alice", within_s=0.05)


def test_an_inbound_text_before_anyone_is_bound(start: Start) -> None:
    smsc = start()
    with pytest.raises(
        OrderFailed, match=r"no receiver .*Bound now: nobody; wait for the client: smsc.wait_bound\(\)"
    ):
        smsc.inject("447700900001", "12345", "STOP")
    smsc.inject("447700900001", "12345", "STOP", system_id="smpplib")  # it waits
    with blocking(smsc) as client:
        client.read_until(lambda: client.received == ["STOP"])


def test_an_order_that_is_none(start: Start) -> None:
    smsc = start()
    with pytest.raises(OrderFailed, match="did you mean rate"):
        smsc.order("rte")
    with pytest.raises(OrderFailed, match="speed"):
        smsc.order("rate", speed=3)
    with pytest.raises(OrderFailed, match="within_s"):
        smsc.expect(within_s=-1)
    with pytest.raises(OrderFailed, match="no scenario 'ids-hex-dek'; did you mean ids-hex-dec"):
        smsc.scenario("ids-hex-dek")
    with pytest.raises(OrderFailed, match="colour"):
        smsc.submits(colour="red")
    with pytest.raises(OrderFailed, match="ten years"):
        smsc.advance(days=-1)


def test_another_scenario_while_it_runs(start: Start) -> None:
    smsc = start(message_id_start=255)
    with blocking(smsc) as client:
        client.send("447700900123", "one", receipt=False)
        client.read_until(lambda: client.ids == ["255"])
        smsc.scenario("ids-hex-dec")
        client.send("447700900123", "two", receipt=False)
        client.read_until(lambda: len(client.ids) == 2)
        assert int(client.ids[1], 16) == 256


def test_down_and_up_again_on_the_same_port(start: Start) -> None:
    smsc = start()
    port = smsc.port
    with blocking(smsc) as client:
        client.send("447700900123", "lost")
        smsc.expect(text="lost", within_s=PATIENCE_S)
        smsc.stop()
    assert not smsc.running
    with pytest.raises(NotRunning, match="stopped"):
        smsc.summary()
    with pytest.raises(smpplib.exceptions.ConnectionError), blocking(smsc):
        pass
    smsc.start()
    assert (smsc.port, smsc.running) == (port, True)
    with blocking(smsc):
        smsc.wait_bound()
    assert smsc.summary()["submits"] == 0


def test_from_many_threads_at_once(start: Start) -> None:
    smsc = start()
    failed: list[BaseException] = []

    def order_about(number: int) -> None:
        try:
            for _ in range(10):
                smsc.inject("447700900001", "12345", f"{number}", system_id="alice")
                smsc.summary()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=order_about, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert smsc.summary()["inbound"]["due"] == 50


def test_a_capture(start: Start, tmp_path: Path) -> None:
    smsc = start()
    smsc.capture(tmp_path / "all.pcapng")
    with blocking(smsc):
        smsc.wait_bound()
    smsc.capture(None)
    assert (tmp_path / "all.pcapng").read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"  # a pcapng section header


# --- event loops ----------------------------------------------------------------------------------------------------


def test_from_asyncio(start: Start) -> None:
    async def main() -> None:
        smsc = start(receipt_delay="24h")
        client = await Awaiting.connect(smsc)
        try:
            await converse(smsc, client)
        finally:
            await client.close()
        await smsc.aio.stop()

    async def converse(smsc: RunningSmsc, client: Awaiting) -> None:
        client.send(BindTransceiver(system_id="alice", sequence_number=1))
        reading = asyncio.create_task(read_all(client))
        await smsc.aio.wait_bound(within_s=PATIENCE_S)
        client.send(submit_sm(registered_delivery=1, sequence_number=2))
        (message,) = await smsc.aio.expect(text="hello", within_s=PATIENCE_S)
        assert message.destination == "447700900123"
        await smsc.aio.advance(days=1)
        await smsc.aio.wait_until(lambda: len(client.received) == 1, within_s=PATIENCE_S)
        assert b"stat:DELIVRD" in client.received[0].short_message
        smsc.inject("447700900001", "12345", "STOP")  # orders do not wait, so they need no await
        await smsc.aio.expect(what="inbound_acked", within_s=PATIENCE_S)
        with pytest.raises(RuntimeError, match=r"expect\(\) would stop asyncio's .*await smsc.aio.expect\(\)"):
            smsc.expect()
        with pytest.raises(ExpectationFailed, match="bye"):
            await smsc.aio.expect(text="bye", within_s=0.05)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await smsc.aio.expect(text="bye", within_s=3600)
        await smsc.aio.cut()
        assert await reading == "ended"

    async def read_all(client: Awaiting) -> str:
        while await client.read():
            pass
        return "ended"

    asyncio.run(main())


async def test_from_trio(start: Start) -> None:
    smsc = await trio.to_thread.run_sync(start)
    async with await trio.open_tcp_stream(smsc.host, smsc.port) as stream:
        esme = Esme(stream)
        assert await esme.bind() == 0
        await smsc.aio.wait_bound(within_s=PATIENCE_S)
        await esme.submit(registered_delivery=1)
        assert len(await smsc.aio.expect(text="hello", within_s=PATIENCE_S)) == 1
        receipt = await esme.expect(DeliverSm, PATIENCE_S)
        await esme.acknowledge(receipt)
        await smsc.aio.expect(what="receipt_acked", within_s=PATIENCE_S)
        await smsc.aio.wait_until(lambda: smsc.summary()["receipts"]["acked"] == 1, within_s=PATIENCE_S)
        with pytest.raises(ExpectationFailed, match="did not hold"):
            await smsc.aio.wait_until(lambda: False, within_s=0.05)
        with pytest.raises(RuntimeError, match=r"wait_until\(\) would stop trio's .*await smsc.aio.wait_until\(\)"):
            smsc.wait_until(lambda: True)
        with trio.move_on_after(0.05) as scope:
            await smsc.aio.expect(text="bye", within_s=3600)
        assert scope.cancelled_caught
        smsc.stall()
        await esme.send(submit_sm())
        await smsc.aio.expect(2, within_s=PATIENCE_S)
        smsc.stall(False)
        await esme.expect(SubmitSmResp, PATIENCE_S)
        await smsc.aio.unbind()
        await esme.expect(Unbind, PATIENCE_S)


async def test_as_an_async_context(nursery: trio.Nursery) -> None:
    async with start_smsc() as smsc:
        assert (await smsc.aio.summary()).connections == 0
    assert not smsc.running


# --- the clock ------------------------------------------------------------------------------------------------------


def test_skipped_time_is_no_silence(start: Start) -> None:
    """No bind is asked or cut, and no deliver_sm comes twice, because a test let days pass."""
    smsc = start(receipt_delay="24h", enquire_link_s=30.0, inactivity_s=60.0, response_s=5.0)
    with blocking(smsc) as client:
        client.send("447700900123", "one")
        client.read_until(lambda: len(client.ids) == 1)
        for _ in range(5):
            smsc.advance(days=1)  # the receipt is on its way, and not acknowledged yet
        client.read_until(lambda: len(client.received) == 1)
        smsc.expect(what="receipt_acked", within_s=PATIENCE_S)
        summary = smsc.summary()
        assert (summary["binds"]["open"], summary["receipts"]["sent"]) == (1, 1)
        client.send("447700900123", "two")
        client.read_until(lambda: len(client.ids) == 2)
        smsc.advance(hours=23)
        assert smsc.summary()["receipts"]["due"] == 1
        smsc.advance(hours=1)
        client.read_until(lambda: len(client.received) == 2)


# --- what a failed test shows ---------------------------------------------------------------------------------------


def test_the_report(start: Start) -> None:
    smsc = start()
    with blocking(smsc) as client:
        client.send("447700900123", "hello")
        client.read_until(lambda: len(client.received) == 1)
        smsc.expect(what="receipt_acked", within_s=PATIENCE_S)
        lines = smsc.report().splitlines()
    assert lines[0] == f"listens on 127.0.0.1:{smsc.port}; 1 connections, 1 binds; 1 submits {{'ESME_ROK': 1}}"
    assert lines[1] == "receipts 1 of 1 acknowledged, inbound 0 of 0"
    assert lines[2].startswith("bind ") and lines[2].endswith(" of 'smpplib', transceiver")
    assert lines[3] == "0x0 SHOP -> 447700900123 of 'smpplib': 'hello'"


def test_a_record_names_what_it_has() -> None:
    record = Record(text="x", parts=1)
    assert (record.text, record["parts"]) == ("x", 1)
    with pytest.raises(AttributeError, match="no 'txt' here; there are: text, parts"):
        _ = record.txt


def test_the_awaitable_ones_are_the_same() -> None:
    def public(kind: type[object]) -> set[str]:
        return {name for name, value in vars(kind).items() if not name.startswith("_") and callable(value)}

    assert public(Aio) == public(RunningSmsc) - {"run"}


def test_every_order_is_a_call() -> None:
    renamed = {"rate": "set_rate", "stop_injecting": "stop_injecting"}
    assert {renamed.get(name, name) for name in ORDERS} <= set(dir(RunningSmsc))


# --- settings -------------------------------------------------------------------------------------------------------


def test_settings_as_in_scenario_files_or_as_objects() -> None:
    settings = settings_for(
        "ids-hex-dec",
        receipt_delay="20ms:2s",
        response_delay=Delay(1.0, 1.0),
        outcomes={MessageState.EXPIRED: 1.0},
        refusals={"447700900123": "ESME_RMSGQFUL"},
        accounts={"alice": "secret"},
        receipts={"utc_offset_s": 3600},
        control_port=0,
        rate=5,
        ledger="received.jsonl",
    )
    assert (settings.receipt_delay, settings.response_delay) == (Delay(0.02, 2.0), Delay(1.0, 1.0))
    assert settings.outcomes == {MessageState.EXPIRED: 1.0}
    assert settings.refusals == {"447700900123": 0x14}
    assert [(account.system_id, account.password) for account in settings.accounts] == [("alice", "secret")]
    assert (settings.quirks.ids.response, settings.quirks.receipts.utc_offset_s) == ("{n:x}", 3600)
    assert (settings.control_port, settings.rate, settings.ledger) == (0, 5.0, Path("received.jsonl"))
    assert {"receipt_delay", "rate"} <= settings.pinned


@pytest.mark.parametrize(
    ("scenario", "given", "problem"),
    [
        (None, {"receipt_dely": "2"}, "receipt_dely: unknown setting; did you mean receipt_delay"),
        (None, {"receipt_delay": "soon"}, "settings.receipt_delay: 'soon' is not a delay"),
        (None, {"ids": {"respons": "{n}"}}, "ids.respons: unknown key; did you mean response"),
        (None, {"rate": -1}, "rate: -1"),
        (None, {"zzz": object()}, "zzz: unknown setting; known: "),
        ("ids-hex-dek", {}, "no scenario 'ids-hex-dek'; did you mean ids-hex-dec"),
    ],
)
def test_settings_that_cannot_be(scenario: str | None, given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_for(scenario, **given)
    assert problem in str(caught.value)
