from __future__ import annotations

from pathlib import Path

from simulator.settings import SimulatorSettings
from smppgw.smpp import Status

from .world import items, world


async def test_throttled_segments_come_back_and_are_not_counted(tmp_path: Path) -> None:
    settings = SimulatorSettings(rate=100.0, burst=20.0)
    async with world(tmp_path, settings, throttle_pause_s=0.2) as w:
        results = await w.send(*items(60))
        messages = await w.until_final(60)
        assert {message["state"] for message in messages} == {"delivered"}
        statuses = w.smsc.summary()["by_status"]
        assert statuses["ESME_RTHROTTLED"] > 0
        (bind,) = (await w.get("/v1/binds"))["binds"]
        assert (bind["throttled"], bind["refused"]) == (statuses["ESME_RTHROTTLED"], 0)
        details = [await w.message(result["id"]) for result in results]
        throttled = [one for one in details if any(entry["reason"] == "throttled" for entry in one["history"])]
        assert throttled
        assert all(one["segments"][0]["refusals"] == 0 for one in throttled)


async def test_one_full_queue_does_not_hold_up_the_others(tmp_path: Path) -> None:
    full = "447700900000"
    settings = SimulatorSettings(refusals={full: Status.ESME_RMSGQFUL})
    async with world(tmp_path, settings, queue_full_delay_s=60.0) as w:
        results = await w.send(*({"to": f"+{full}", "text": f"for the full one {i}"} for i in range(3)))
        others = await w.send(*items(50)[1:])
        for result in others:
            assert "id" in result

        await w.smsc.wait_until(lambda: w.smsc.summary()["receipts"]["acked"] == 49)
        states = {message["id"]: message["state"] for message in await w.messages()}
        assert all(states[result["id"]] == "open" for result in results)
        refused = [submit for submit in w.smsc.submits if submit.destination == full]
        assert len(refused) <= 3
        first = await w.message(results[0]["id"])
        assert [entry["reason"] for entry in first["history"]][-1] == "recipient_queue_full"
        assert first["segments"][0]["refusals"] == 0


async def test_a_refusal_for_good_and_its_verdict(tmp_path: Path) -> None:
    settings = SimulatorSettings(refusals={"447700900000": Status.ESME_RINVDSTADR})
    async with world(tmp_path, settings) as w:
        (result,) = await w.send(items(1)[0])
        await w.until_final(1)
        message = await w.message(result["id"])
        assert (message["state"], message["segments"][0]["command_status_name"]) == ("rejected", "ESME_RINVDSTADR")


async def test_otp_overtakes_what_is_queued(tmp_path: Path) -> None:
    async with world(tmp_path, window=1) as w:
        w.smsc.stall()
        await w.send(*({**item, "lane": "bulk"} for item in items(20)))
        await w.smsc.wait_until(lambda: len(w.smsc.submits) == 1)
        await w.send({"to": "+447700900999", "text": "Your code is 999", "lane": "otp"})
        w.smsc.stall(False)
        await w.until_final(21)
        order = [submit.destination for submit in w.smsc.submits]
        assert order.index("447700900999") == 1
