"""kill -9 at random moments under load: whatever got a 202 ends with a verdict, and nothing is sent twice."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from simulator.settings import Delay, SimulatorSettings

from .process import GatewayProcess, gateway_process
from .world import simulator

ROUNDS = 4
WINDOW = 20
SMSC = SimulatorSettings(
    response_delay=Delay(0.002, 0.03), receipt_delay=Delay(0.01, 0.5), remembered_submits=100_000, deliver_window=50
)


# A request that kill -9 interrupts leaves the body generator of httpx unfinished; that is the test's doing.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_every_202_ends_with_a_verdict(tmp_path: Path) -> None:
    chance = random.Random(20260101)
    accepted: dict[str, str] = {}  # id -> recipient
    async with (
        simulator(SMSC) as smsc,
        gateway_process(tmp_path, smsc.port, window=WINDOW, doubt_timeout_s=2.0, doubt_match_s=60.0) as gateway,
    ):
        for number in range(ROUNDS):
            client = await gateway.start()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_load, client, number, accepted)
                before = len(smsc.submits)
                await smsc.wait_until(lambda before=before: len(smsc.submits) >= before + 100)
                await trio.sleep(chance.random() / 2)
                await gateway.kill()
                nursery.cancel_scope.cancel()
        await gateway.start()
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

    # A receipt resolves some of the doubts; with them, no more than one window was ambiguous at each crash.
    assert {message["state"] for message in others} <= {"unknown"}
    assert all(any(entry["reason"] == "crashed" for entry in one["history"]) for one in doubtful)
    assert len(others) <= ROUNDS * WINDOW

    # Every receipt was acknowledged, so each is recorded: what the SMSC took has its fate, or is in doubt by name.
    sent = {submit.destination: submit.message_id for submit in smsc.submits}
    for message in delivered:
        assert message["segments"][0]["smsc_id"] == sent[message["to"].lstrip("+")]
    by_recipient = {message["to"].lstrip("+"): message["state"] for message in messages}
    for destination in sent:
        assert by_recipient[destination] in ("delivered", "unknown")


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
