from __future__ import annotations

from pathlib import Path

import pytest

from simulator.settings import Delay, SimulatorSettings

from .process import gateway_process
from .world import items, simulator, world


async def test_receipts_before_their_submit_sm_resp(tmp_path: Path) -> None:
    """The simulator reports at once and answers later."""
    async with world(tmp_path) as w:
        w.smsc.stall()
        await w.send(*items(30))
        await w.smsc.wait_until(lambda: w.smsc.summary()["receipts"]["acked"] == 30)
        assert {message["state"] for message in await w.messages()} == {"open"}
        assert (await w.get("/v1/status"))["parked_receipts"] == 30
        w.smsc.stall(False)
        messages = await w.until_final(30)
        assert {message["state"] for message in messages} == {"delivered"}
        assert (await w.get("/v1/status"))["parked_receipts"] == 0


async def test_receipts_that_come_over_another_bind(tmp_path: Path) -> None:
    async with world(tmp_path, mode="pair") as w:
        await w.send(*items(20))
        messages = await w.until_final(20)
        assert {message["state"] for message in messages} == {"delivered"}
        binds = {bind["name"]: bind for bind in (await w.get("/v1/binds"))["binds"]}
        assert binds["demo/1-tx"]["submitted"] == 20
        assert binds["demo/1-rx"]["receipts"] == 20


async def test_receipts_held_while_the_gateway_is_down(tmp_path: Path) -> None:
    async with (
        simulator(SimulatorSettings(receipt_delay=Delay(0.2, 0.3))) as smsc,
        gateway_process(tmp_path, smsc.port) as gateway,
    ):
        client = await gateway.start()
        await client.post("/v1/messages", json=items(25))
        await smsc.wait_until(lambda: len(smsc.submits) == 25)
        assert await gateway.terminate() == 0
        await gateway.start()
        messages = await gateway.until_final(25)
        assert {message["state"] for message in messages} == {"delivered"}
        assert await gateway.terminate() == 0


@pytest.mark.parametrize("binds", [3])
async def test_several_binds_share_receipts_and_load(tmp_path: Path, binds: int) -> None:
    async with world(tmp_path, SimulatorSettings(response_delay=Delay(0.01, 0.02)), binds=binds, window=5) as w:
        await w.send(*items(300))
        messages = await w.until_final(300)
        assert {message["state"] for message in messages} == {"delivered"}
        shares = [bind["submitted"] for bind in (await w.get("/v1/binds"))["binds"]]
        assert sum(shares) == 300
        assert min(shares) > 0
