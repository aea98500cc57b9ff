from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from smppgw.queue.model import Op
from smppgw.queue.operations import EXECUTORS, Transaction

from .world import items, until, world


@dataclass(slots=True)
class LimitPages(Op[None]):
    """An order to the store's file: no more pages than this. SQLite then says that the disk is full."""

    pages: int


def limit_pages(tx: Transaction, op: LimitPages) -> None:
    tx.connection.execute(f"PRAGMA max_page_count = {op.pages}").fetchall()


@pytest.fixture(autouse=True)
def fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXECUTORS, LimitPages, limit_pages)


async def test_503_while_full_and_what_was_accepted_goes_on(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.smsc.stall()
        await w.send(*items(20))
        await w.smsc.wait_until(lambda: len(w.smsc.submits) == 20)
        await w.gateway.store.commit(LimitPages(1))
        large = [{"to": "+447700900123", "text": "x" * 1000} for _ in range(1000)]
        refused = await w.client.post("/v1/messages", json=large)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        ready = await w.client.get("/readyz")
        assert (ready.status_code, ready.json()["reason"]) == (503, "store_unavailable")

        w.smsc.stall(False)  # answers and receipts arrive while the disk is full
        await w.gateway.store.commit(LimitPages(1_000_000))
        messages = await w.until_final(20)
        assert {message["state"] for message in messages} == {"delivered"}
        assert w.smsc.summary()["duplicates"] == 0

        async def ready_again() -> bool:
            return (await w.client.get("/readyz")).status_code == 200

        await until(ready_again)
        assert (await w.send(*items(1)))[0]["id"]
