"""kill -9 at random moments under load: whatever got a 202 ends with a verdict, and nothing is sent twice."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from simulator.delays import Delay
from simulator.settings import SimulatorSettings
from simulator.smsc import Smsc
from smppgw.queue.model import SegmentState

from .process import GatewayProcess, gateway_process
from .world import simulator

ROUNDS = 3
WINDOW = 20
SMSC = SimulatorSettings(
    response_delay=Delay(0.002, 0.03), receipt_delay=Delay(0.01, 0.5), remembered_submits=100_000, deliver_window=50
)


# A request that kill -9 interrupts leaves the body generator of httpx unfinished; that is the test's doing.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("binds", [1, 2])
async def test_every_202_ends_with_a_verdict(tmp_path: Path, binds: int) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    accepted: dict[str, str] = {}  # id -> recipient
    ambiguous: list[int] = []  # by crash
    carrier = {"binds": binds, "window": WINDOW, "doubt_timeout_s": 2.0, "doubt_match_s": 60.0}
    async with simulator(SMSC) as smsc, gateway_process(tmp_path, smsc.port, **carrier) as gateway:
        client = await gateway.start()
        for number in range(ROUNDS):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_load, client, number, accepted)
                await _more_submits(smsc, 100)
                await trio.sleep(chance.random() / 2)
                await gateway.kill()
                nursery.cancel_scope.cancel()
            by_bind = _in_flight(gateway.folder, tmp_path / f"after-crash-{number}")
            assert max(by_bind.values(), default=0) <= WINDOW, "more than a window was claimed"
            client = await gateway.start()
            ambiguous.append(_recovered(gateway))
            assert ambiguous[-1] == sum(by_bind.values())
        messages = await gateway.until_final(len(accepted))
        await smsc.wait_until(lambda: smsc.summary()["receipts"]["pending"] == 0)
        settled = [message for message in messages if message["state"] == "delivered"]
        others = [message for message in messages if message["state"] != "delivered"]
        delivered = await _details(gateway, chance.sample(settled, min(len(settled), 150)))
        doubtful = await _details(gateway, others)
        assert await gateway.terminate() == 0

    assert len(accepted) >= ROUNDS * 100, "there was no load"
    assert set(accepted) <= {message["id"] for message in messages}, "a 202 was lost"
    assert smsc.summary()["duplicates"] == 0, "something was sent twice"
    assert max(ambiguous) > 0, "no crash came at a moment that matters"

    # A receipt resolves most of the doubts; what is left was in flight at a crash, and says so.
    assert {message["state"] for message in others} <= {"unknown"}
    assert all(any(entry["reason"] == "crashed" for entry in one["history"]) for one in doubtful)
    assert len(others) <= sum(ambiguous)

    # Every receipt was acknowledged, so each is recorded: what the SMSC took has its fate, or is in doubt by name.
    sent = {submit.destination: submit.message_id for submit in smsc.submits}
    for message in delivered:
        assert message["segments"][0]["smsc_id"] == sent[message["to"].lstrip("+")]
    by_recipient = {message["to"].lstrip("+"): message["state"] for message in messages}
    for destination in sent:
        assert by_recipient[destination] in ("delivered", "unknown")


async def _more_submits(smsc: Smsc, count: int) -> None:
    wanted = len(smsc.submits) + count
    await smsc.wait_until(lambda: len(smsc.submits) >= wanted)


def _in_flight(folder: Path, copy: Path) -> dict[str, int]:
    """Segments of which nobody can tell whether they were written, by bind, as the crash left them on disk.

    Looks at a copy: opening the store itself would do the recovery that is the gateway's to do.
    """
    copy.mkdir()
    for path in folder.glob("smppgw.db*"):
        shutil.copy(path, copy)
    with closing(sqlite3.connect(copy / "smppgw.db")) as connection:
        query = "SELECT bind, count(*) FROM segment WHERE state = ? GROUP BY bind"
        return dict(connection.execute(query, (int(SegmentState.IN_FLIGHT),)).fetchall())


def _recovered(gateway: GatewayProcess) -> int:
    """How many segments the latest start put in doubt, as its log says."""
    found: list[int] = [event["segments"] for event in gateway.log() if event["event"] == "store_recovered"]
    return sum(found)


async def _load(client: httpx.AsyncClient, number: int, accepted: dict[str, str]) -> None:
    """Batches until the gateway is gone. What was not answered may have been stored; only a 202 is a promise."""
    batch = 0
    while True:
        first = number * 20_000 + batch * 10
        items = [{"to": f"+44770{first + i:07d}", "text": f"Your code is {first + i}"} for i in range(10)]
        try:
            answer = await client.post("/v1/messages", json=items)
        except httpx.HTTPError:
            return
        assert answer.status_code == 202, answer.text
        results = answer.json()["results"]
        accepted |= {result["id"]: item["to"] for result, item in zip(results, items, strict=True)}
        batch += 1


async def _details(gateway: GatewayProcess, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    assert gateway.client is not None
    found = []
    for message in messages:
        answer = await gateway.client.get(f"/v1/messages/{message['id']}")
        found.append(answer.json())
    return found
