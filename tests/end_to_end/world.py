"""A whole world in one process: the simulator and the gateway on loopback, and an HTTP client of an app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import trio

from simulator.settings import SimulatorSettings
from simulator.smsc import Smsc
from smppgw.api.auth import generate_key, hash_key
from smppgw.config import Settings
from smppgw.daemon import Gateway, serve

KEY = generate_key()
OTHER_KEY = generate_key()
PATIENCE_S = 20.0


def settings_for(folder: Path, smsc_port: int, **carrier: Any) -> Settings:
    """One account `app`, one `other`, one carrier `demo`, quick to reconnect."""
    values: dict[str, Any] = {
        "http": {"port": 0},
        "store": {"path": folder / "store.db", "sweep_interval_s": 0.1},
        "accounts": {
            "app": {"key_hashes": [hash_key(KEY)], "default_region": "GB", "default_sender": "BANK"},
            "other": {"key_hashes": [hash_key(OTHER_KEY)]},
        },
        "carriers": {
            "demo": {
                "host": "127.0.0.1",
                "port": smsc_port,
                "system_id": "gw",
                "password": "secret",
                "reconnect": {"first_s": 0.05, "max_s": 0.5},
                **carrier,
            }
        },
    }
    return Settings.model_validate(values)


class World:
    """What a test talks to."""

    def __init__(self, smsc: Smsc, gateway: Gateway, client: httpx.AsyncClient) -> None:
        self.smsc = smsc
        self.gateway = gateway
        self.client = client

    async def send(self, *items: dict[str, Any], **headers: str) -> list[dict[str, Any]]:
        answer = await self.client.post("/v1/messages", json=list(items), headers=headers)
        assert answer.status_code in (202, 422), answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results

    async def get(self, path: str, **params: str) -> Any:
        answer = await self.client.get(path, params=params)
        answer.raise_for_status()
        return answer.json()

    async def message(self, message_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.get(f"/v1/messages/{message_id}")
        return found

    async def messages(self, **params: str) -> list[dict[str, Any]]:
        return await all_messages(self.client, **params)

    async def until_final(self, count: int) -> list[dict[str, Any]]:
        """All messages, once `count` of them are there and none is open."""
        found: list[dict[str, Any]] = []

        async def all_final() -> bool:
            found[:] = await self.messages()
            return len(found) >= count and all(message["state"] != "open" for message in found)

        await until(all_final)
        return found

    async def until_bound(self) -> None:
        async def bound() -> bool:
            binds = (await self.get("/v1/binds"))["binds"]
            return all(bind["state"].startswith("bound") for bind in binds)

        await until(bound)


async def all_messages(client: httpx.AsyncClient, **params: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        query = {"limit": "500", **params} | ({"after": after} if after else {})
        answer = await client.get("/v1/messages", params=query)
        answer.raise_for_status()
        page = answer.json()
        found += page["messages"]
        after = page["next"]
        if after is None:
            return found


async def until(condition: Callable[[], Any]) -> None:
    """Waits until the (async) condition holds; a test that waits in vain fails after PATIENCE_S."""
    with trio.fail_after(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110 - another process has no event for us
            await trio.sleep(0.02)


@asynccontextmanager
async def simulator(settings: SimulatorSettings | None = None) -> AsyncIterator[Smsc]:
    smsc = Smsc(settings or SimulatorSettings())
    async with trio.open_nursery() as nursery:
        await nursery.start(smsc.serve)
        yield smsc
        await smsc.stop()
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncIterator[tuple[Gateway, httpx.AsyncClient]]:
    async with trio.open_nursery() as nursery:
        running: Gateway = await nursery.start(_serve, settings)
        headers = {"Authorization": f"Bearer {KEY}"}
        async with httpx.AsyncClient(
            base_url=running.url, headers=headers, timeout=PATIENCE_S, trust_env=False
        ) as client:
            yield running, client
        running.ask_to_stop()


async def _serve(settings: Settings, *, task_status: trio.TaskStatus[Gateway]) -> None:
    await serve(settings, task_status=task_status)


@asynccontextmanager
async def world(folder: Path, smsc_settings: SimulatorSettings | None = None, **carrier: Any) -> AsyncIterator[World]:
    """Simulator and gateway, bound; both are stopped in order at the end."""
    async with (
        simulator(smsc_settings) as smsc,
        gateway(settings_for(folder, smsc.port, **carrier)) as (running, client),
    ):
        made = World(smsc, running, client)
        await made.until_bound()
        yield made


def items(count: int, text: str = "Your code is {}") -> list[dict[str, Any]]:
    """`count` messages, each to a number of its own and with a text of its own."""
    return [{"to": f"+4477009{number:05d}", "text": text.format(number)} for number in range(count)]
