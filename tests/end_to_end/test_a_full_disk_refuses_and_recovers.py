from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from simulator.settings import SimulatorSettings
from smppgw.errors import StoreUnavailable
from smppgw.queue.model import Op
from smppgw.queue.operations import EXECUTORS, Transaction

from .world import World, items, until, world

ANSWERS = 50
DELIVER_WINDOW = 20


@dataclass(slots=True)
class LimitPages(Op[None]):
    """An order to the store's file: no more pages than this. SQLite then says that the disk is full."""

    pages: int


def limit_pages(tx: Transaction, op: LimitPages) -> None:
    tx.connection.execute(f"PRAGMA max_page_count = {op.pages}").fetchall()


@pytest.fixture(autouse=True)
def fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXECUTORS, LimitPages, limit_pages)


async def free_space(w: World) -> None:
    """Lifts the limit. Asked for again while the order shares its transaction with something that still needs space:
    a full disk refuses all of a transaction."""

    async def lifted() -> bool:
        try:
            await w.gateway.store.commit(LimitPages(1_000_000))
        except StoreUnavailable:
            return False
        return True

    await until(lifted)


async def fill_up(w: World) -> int:
    """Limits the file to what it has and sends large inbound texts until nothing more fits; how many deliver_sm."""
    await w.gateway.store.commit(LimitPages(1))

    async def full() -> bool:
        w.smsc.inject("+447700900777", "BANK", "X" * 1500)
        return w.gateway.store.trouble is not None

    await until(full)
    due: int = w.smsc.summary()["inbound"]["due"]
    return due


async def unrecorded(w: World) -> int:
    (bind,) = (await w.get("/v1/binds"))["binds"]
    found: int = bind["unrecorded"]
    return found


async def test_503_while_full_and_ready_again(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.gateway.store.commit(LimitPages(1))
        large = [{"to": "+447700900123", "text": "x" * 1000} for _ in range(1000)]
        refused = await w.client.post("/v1/messages", json=large)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        ready = await w.client.get("/readyz")
        assert (ready.status_code, ready.json()["reason"]) == (503, "store_unavailable")
        await free_space(w)
        await until_ready(w)
        assert (await w.send(*items(1)))[0]["id"]
        assert len(await w.until_final(1)) == 1, "nothing of what was refused is there"


async def test_answers_and_inbound_texts_that_come_while_full_are_kept(tmp_path: Path) -> None:
    async with world(tmp_path, SimulatorSettings(deliver_window=DELIVER_WINDOW)) as w:
        w.smsc.stall()
        await w.send(*items(ANSWERS))
        await w.smsc.wait_until(lambda: len(w.smsc.submits) == ANSWERS)
        inbound = await fill_up(w)
        w.smsc.stall(False)

        async def answers_wait() -> bool:  # the SMSC waits for us after DELIVER_WINDOW texts: the others are answers
            return await unrecorded(w) >= ANSWERS

        await until(answers_wait)
        assert {message["state"] for message in await w.messages()} == {"open"}
        assert w.smsc.summary()["inbound"]["acked"] < inbound, "nothing is acknowledged before it is stored"
        (bind,) = (await w.get("/v1/binds"))["binds"]
        assert bind["state"] == "bound_trx", "it keeps its bind"

        await free_space(w)
        messages = await w.until_final(ANSWERS)
        assert {message["state"] for message in messages} == {"delivered"}
        await w.smsc.wait_until(lambda: w.smsc.summary()["inbound"]["acked"] == inbound)
        summary = w.smsc.summary()
        assert (summary["accepted"], summary["duplicates"], summary["connections"]) == (ANSWERS, 0, 1)
        assert len(await all_inbound(w)) == inbound
        assert await unrecorded(w) == 0
        await until_ready(w)


async def until_ready(w: World) -> None:
    async def ready() -> bool:
        return (await w.client.get("/readyz")).status_code == 200

    await until(ready)


async def all_inbound(w: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query: dict[str, str] = {"limit": "1000"}
    while True:
        page = await w.get("/v1/inbound", **query)
        found += page["inbound"]
        if page["next"] is None:
            return found
        query["after"] = page["next"]
