"""Refusals by command_status: what each leads to is one table, which the carrier may change."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import trio

from simulator.delays import Delay
from simulator.settings import SimulatorSettings
from smppgw.binds import backoff, errands, pool
from smppgw.config import RefusalPolicy, checks
from smppgw.smpp import Status

from .world import World, acting, carrier_table, gateway, items, settings_for, simulator, until, world

NO_CREDIT = {"0x402": "pause"}


async def reasons_of(w: World, results: list[dict[str, Any]]) -> list[str]:
    return [entry["reason"] for one in await w.details(results) for entry in one["history"]]


async def test_throttled(tmp_path: Path) -> None:
    async with world(tmp_path, acting("throttle", rate=100.0, burst=10.0), throttle_pause_s=0.1) as w:
        results = await w.send(*items(40))
        assert {message["state"] for message in await w.until_final(40)} == {"delivered"}
        assert w.smsc.summary()["by_status"]["ESME_RTHROTTLED"] > 0
        assert "throttled" in await reasons_of(w, results)
        details = await w.details(results)
        assert {one["segments"][0]["refusals"] for one in details} == {0}, "not counted"


async def test_full_queues_of_some_recipients(tmp_path: Path) -> None:
    async with world(tmp_path, acting("queue-full"), queue_full_delay_s=0.2) as w:
        results = await w.send(*items(40))
        assert {message["state"] for message in await w.until_final(40)} == {"delivered"}
        assert w.smsc.summary()["by_status"]["ESME_RMSGQFUL"] > 0
        assert "recipient_queue_full" in await reasons_of(w, results)
        assert {one["segments"][0]["refusals"] for one in await w.details(results)} == {0}


async def test_a_status_of_the_vendors_own_is_retried(tmp_path: Path) -> None:
    async with world(tmp_path, acting("vendor-status"), retry={"first_s": 0.05}) as w:
        results = await w.send(*items(10))
        assert {message["state"] for message in await w.until_final(10)} == {"delivered"}
        assert Counter(await reasons_of(w, results))["temporary_refusal"] == 3
        assert (w.smsc.stats.submits, w.smsc.stats.duplicates) == (13, 0)


@pytest.mark.parametrize(
    ("carrier", "state"), [({"outcomes": {"0x402": "fail"}}, "rejected"), ({"unknown_outcome": "fail"}, "rejected")]
)
async def test_or_fails(tmp_path: Path, carrier: dict[str, Any], state: str) -> None:
    async with world(tmp_path, acting("vendor-status"), **carrier) as w:
        await w.send(*items(10))
        messages = await w.until_final(10)
        assert Counter(message["state"] for message in messages) == {state: 3, "delivered": 7}
        assert w.smsc.stats.submits == 10


async def test_or_pauses_the_bind_with_an_alarm(tmp_path: Path) -> None:
    async with world(tmp_path, acting("vendor-status"), outcomes=NO_CREDIT, pause_s=0.6, window=1) as w:
        results = await w.send(*items(5))

        async def paused() -> bool:
            (bind,) = await w.binds()
            return bool(bind["alarm"] == "paused" and bind["limit"] == "paused" and bind["paused_until_at"])

        await until(paused)
        submits = w.smsc.stats.submits
        await trio.sleep(0.2)
        assert w.smsc.stats.submits == submits, "nothing leaves while it pauses"
        assert {message["state"] for message in await w.until_final(5)} == {"delivered"}
        assert {one["segments"][0]["refusals"] for one in await w.details(results)} == {0}
        assert "bind_paused" in await reasons_of(w, results)
        (bind,) = await w.binds()
        assert bind["alarm"] is None


async def test_or_goes_to_the_next_carrier(tmp_path: Path) -> None:
    async with simulator(SimulatorSettings()) as second:
        more = {
            "carriers": {"spare": carrier_table(second.port)},
            "routes": [{"carriers": ["demo", "spare"]}],
        }
        async with world(tmp_path, acting("vendor-status"), more=more, outcomes={"0x402": "reroute"}) as w:
            results = await w.send(*items(10))
            assert {message["state"] for message in await w.until_final(10)} == {"delivered"}
            assert (w.smsc.stats.accepted, second.stats.accepted) == (7, 3)
            refused = {submit.destination for submit in w.smsc.submits if submit.status}
            assert {submit.destination for submit in second.submits} == refused
            carriers = Counter(one["carrier"] for one in await w.details(results))
            assert carriers == {"demo": 7, "spare": 3}
            assert Counter(await reasons_of(w, results))["rerouted"] == 3


async def test_receipts_that_stay_away_raise_an_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SMSC accepts all, and forgets what is above its rate."""
    monkeypatch.setattr(pool, "LOOK_AT_RECEIPTS_S", 0.1)
    monkeypatch.setattr(checks, "LEAST_ALARM_S", 1)
    settings = acting("silent-drop", receipt_delay=Delay(0, 0))
    async with world(tmp_path, settings, receipt_alarm_share=0.9, receipt_alarm_s=1.0) as w:
        numbers = iter(items(10_000))

        async def alarmed() -> bool:
            await w.send(next(numbers), next(numbers))
            (bind,) = await w.binds()
            return bool(bind["alarm"] == "receipts_missing")

        await until(alarmed)
        assert w.smsc.stats.receipts.acked < 0.9 * w.smsc.stats.accepted


@pytest.fixture
def quick_errands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "LOOK_S", 0.05)


# --- query_sm and cancel_sm -----------------------------------------------------------------------------------------


async def test_query_sm_tells_what_no_receipt_does(tmp_path: Path, quick_errands: None) -> None:
    account = {"accounts": {"app": {"default_validity_s": 0.2}}}
    query = {"enabled": True, "attempts": 3, "interval_s": 2.0}
    async with world(tmp_path, acting("query-sm"), more=account, receipt_timeout_s=0.1, query=query) as w:
        results = await w.send(*items(10))
        await w.until_final(10)
        fates = {submit.destination: submit.message_id for submit in w.smsc.submits}
        expected = {f"+{to}": w.smsc.fate(message_id) for to, message_id in fates.items()}
        verdict = {"DELIVRD": "delivered", "UNDELIV": "failed"}
        assert {one["to"]: one["state"] for one in await w.details(results)} == {
            to: verdict[state] for to, state in expected.items()
        }
        assert set(expected.values()) == {"DELIVRD", "UNDELIV"}
        assert Counter(await reasons_of(w, results))["receipt_queried"] == 10
        assert w.smsc.stats.other_requests["QuerySm"] == 10


async def test_without_query_sm_it_is_unknown(tmp_path: Path) -> None:
    account = {"accounts": {"app": {"default_validity_s": 0.2}}}
    async with world(tmp_path, acting("query-sm"), more=account, receipt_timeout_s=0.1) as w:
        await w.send(*items(5))
        assert {message["state"] for message in await w.until_final(5)} == {"unknown"}
        assert w.smsc.stats.other_requests["QuerySm"] == 0


async def test_cancel(tmp_path: Path, quick_errands: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is sent is taken back by cancel_sm; one that waits never leaves."""
    monkeypatch.setitem(backoff.PLANS, RefusalPolicy.PASSING, backoff.RefusalPlan(0.2, 1.0, 0.2))
    settings = SimulatorSettings(receipt_delay=Delay(30, 30))
    async with simulator(settings) as smsc, gateway(settings_for(tmp_path, smsc.port)) as (running, client):
        w = World(smsc, running, client)
        await w.until_bound()
        (sent,) = await w.send(items(1)[0])

        async def is_sent() -> bool:
            return bool((await w.message(sent["id"]))["segments"][0]["state"] == "sent")

        await until(is_sent)
        answer = await client.post(f"/v1/messages/{sent['id']}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (202, "asked")
        await w.until_final(1)
        assert (await w.message(sent["id"]))["state"] == "cancelled"
        assert w.smsc.stats.other_requests["CancelSm"] == 1

        smsc.refuse_binds(Status.ESME_RSYSERR)
        smsc.cut()
        (waiting,) = await w.send(items(2)[1])
        answer = await client.post(f"/v1/messages/{waiting['id']}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
        smsc.refuse_binds(None)
        await w.until_bound()
        await w.send(items(3)[2])
        await smsc.wait_until(lambda: len(smsc.submits) == 2)
        assert [submit.destination for submit in smsc.submits] == ["447700900000", "447700900002"]
