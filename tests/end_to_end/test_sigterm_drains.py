from __future__ import annotations

import signal
from pathlib import Path

import trio

from simulator.settings import Delay, SimulatorSettings

from .process import gateway_process
from .world import items, simulator, until


async def test_windows_empty_and_the_rest_waits_for_the_next_start(tmp_path: Path) -> None:
    slow = SimulatorSettings(response_delay=Delay(0.3, 0.4))
    async with simulator(slow) as smsc, gateway_process(tmp_path, smsc.port, window=10) as gateway:
        client = await gateway.start()
        await client.post("/v1/messages", json=items(40))
        await smsc.wait_until(lambda: len(smsc.submits) >= 10)
        assert await gateway.terminate() == 0
        written = len(smsc.submits)
        assert written < 40, "the test wants some left behind"
        names = [event["event"] for event in gateway.log()]
        assert names[-2:] == ["http_stopping", "gateway_stopped"]
        assert "store_recovered" not in names

        await gateway.start()
        assert "store_recovered" not in [event["event"] for event in gateway.log()], "nothing was left in doubt"
        messages = await gateway.until_final(40)
        assert {message["state"] for message in messages} == {"delivered"}
        assert (len(smsc.submits), smsc.summary()["duplicates"]) == (40, 0)
        assert await gateway.terminate() == 0


async def test_no_new_messages_while_stopping(tmp_path: Path) -> None:
    slow = SimulatorSettings(response_delay=Delay(1.0, 1.0))
    async with simulator(slow) as smsc, gateway_process(tmp_path, smsc.port) as gateway:
        client = await gateway.start()
        await client.post("/v1/messages", json=items(1))
        await smsc.wait_until(lambda: len(smsc.submits) == 1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(gateway.terminate)

            async def stopping() -> bool:
                return (await client.get("/readyz")).status_code == 503

            await until(stopping)
            refused = await client.post("/v1/messages", json=items(1))
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "stopping")
            assert int(refused.headers["Retry-After"]) > 0
            assert (await client.get("/v1/status")).json()["reason"] == "stopping"


async def test_a_carrier_that_never_answers_does_not_keep_it_alive(tmp_path: Path) -> None:
    async with simulator() as smsc, gateway_process(tmp_path, smsc.port, window=5) as gateway:
        with gateway.config.open("a") as config:
            config.write("\n[carriers.demo.timers]\nstop_s = 0.5\n")
        client = await gateway.start()
        await smsc.wait_until(lambda: bool(smsc.binds))
        smsc.stall()
        await client.post("/v1/messages", json=items(8))
        await smsc.wait_until(lambda: len(smsc.submits) == 5)
        assert await gateway.terminate() == 0
        draining = [event for event in gateway.log() if event["event"] == "bind_draining"]
        assert draining, "it says what it waits for"
        smsc.stall(False)
        await gateway.start()
        found = await gateway.messages()
        assert gateway.client is not None
        details = [(await gateway.client.get(f"/v1/messages/{message['id']}")).json() for message in found]
        doubted = [one for one in details if any(entry["reason"] == "stopped" for entry in one["history"])]
        assert len(doubted) == 5, "what was written and not answered is in doubt"
        assert await gateway.terminate() == 0


async def test_a_second_signal_stops_at_once_and_the_exit_code_says_so(tmp_path: Path) -> None:
    async with simulator() as smsc, gateway_process(tmp_path, smsc.port, window=5) as gateway:
        with gateway.config.open("a") as config:
            config.write("\n[carriers.demo.timers]\nstop_s = 600.0\n")
        client = await gateway.start()
        await smsc.wait_until(lambda: bool(smsc.binds))
        smsc.stall()
        await client.post("/v1/messages", json=items(8))
        await smsc.wait_until(lambda: len(smsc.submits) == 5)
        gateway.signal(signal.SIGTERM)

        async def draining() -> bool:
            return any(event["event"] == "gateway_stopping" for event in gateway.log())

        await until(draining)
        gateway.signal(signal.SIGINT)
        assert await gateway.wait() == 1, "it did not end in order"
        smsc.stall(False)
        await gateway.start()
        found = await gateway.messages()
        assert gateway.client is not None
        details = [(await gateway.client.get(f"/v1/messages/{message['id']}")).json() for message in found]
        doubted = [
            one for one in details if any(entry["reason"] in ("stopped", "crashed") for entry in one["history"])
        ]
        assert len(doubted) == 5, "what was written and not answered is in doubt"
        assert await gateway.terminate() == 0
