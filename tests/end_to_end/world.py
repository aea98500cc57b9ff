"""A whole world in one process: the simulator and the gateway on loopback, and an HTTP client of an app."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import trio

from simulator.fates import MessageState
from simulator.scenarios import Scenario
from simulator.settings import SimulatorSettings
from simulator.smsc import Smsc
from smppgw.api.auth import generate_key, hash_key
from smppgw.config import Settings, load
from smppgw.daemon import Gateway, serve

KEY = generate_key()
OTHER_KEY = generate_key()
PATIENCE_S = 20.0


def settings_for(folder: Path, smsc_port: int, *, more: Mapping[str, Any] | None = None, **carrier: Any) -> Settings:
    """One account `app`, one `other`, one carrier `demo`, quick to reconnect: written as TOML and loaded as always.

    `carrier` is what differs in [carriers.demo], `more` further tables of the file.
    """
    values: dict[str, Any] = {
        "http": {"port": 0},
        "store": {"path": str(folder / "store.db"), "sweep_interval_s": 0.1},
        "accounts": {
            "app": {"key_hashes": [hash_key(KEY)], "default_region": "GB", "default_sender": "BANK"},
            "other": {"key_hashes": [hash_key(OTHER_KEY)]},
        },
        "carriers": {"demo": carrier_table(smsc_port, **carrier)},
    }
    values = merged(values, more or {})
    file = folder / "smppgw.toml"
    file.write_text("".join(f"{key} = {toml(value)}\n" for key, value in values.items()))
    return load(file)


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables, of which the second one wins."""
    both = {
        key: merged(below[key], value)
        if isinstance(value, Mapping) and isinstance(below.get(key), Mapping)
        else value
        for key, value in above.items()
    }
    return {**below, **both}


def carrier_table(smsc_port: int, **carrier: Any) -> dict[str, Any]:
    """[carriers.NAME] for a simulator, with what is given in place of what is quick."""
    return {
        "host": "127.0.0.1",
        "port": smsc_port,
        "system_id": "gw",
        "password": "secret",
        "reconnect": {"first_s": 0.05, "max_s": 0.5},
        **carrier,
    }


def toml(value: Any) -> str:
    """A value as TOML writes it, tables inline. JSON's strings, numbers and booleans are TOML's."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(str(value) if isinstance(value, Path) else value)


def acting(scenario: str, **settings: Any) -> SimulatorSettings:
    """The settings of a scenario; what is given wins."""
    return replace(Scenario.load(scenario).settings, **settings)


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

    async def binds(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get("/v1/binds"))["binds"]
        return found

    async def inbound(self) -> list[dict[str, Any]]:
        """The newest inbound texts, newest first."""
        found: list[dict[str, Any]] = (await self.get("/v1/inbound", limit="500"))["inbound"]
        return found

    async def quarantine(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get("/v1/quarantine", limit="500"))["quarantine"]
        return found

    async def ids(self) -> dict[str, Any] | None:
        """What is known of the ids in the receipts of the carrier `demo`."""
        carriers = {one["carrier"]: one for one in (await self.get("/v1/status"))["carriers"]}
        found: dict[str, Any] | None = carriers["demo"]["ids"]
        return found

    async def until_acked(self, receipts: int = 0, inbound: int = 0) -> None:
        """Until so many reports and inbound texts are acknowledged, whatever they say."""
        with trio.fail_after(PATIENCE_S):
            await self.smsc.wait_until(
                lambda: self.smsc.stats.receipts.acked >= receipts and self.smsc.stats.inbound.acked >= inbound
            )

    async def details(self, results: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The messages of some results of `send`, with all that is known about them."""
        return [await self.message(result["id"]) for result in results]

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
async def world(
    folder: Path, smsc_settings: SimulatorSettings | None = None, *, wait: bool = True, **carrier: Any
) -> AsyncIterator[World]:
    """Simulator and gateway, bound unless `wait` is off; both are stopped in order at the end."""
    async with (
        simulator(smsc_settings) as smsc,
        gateway(settings_for(folder, smsc.port, **carrier)) as (running, client),
    ):
        made = World(smsc, running, client)
        if wait:
            await made.until_bound()
        yield made


VERDICTS = {
    MessageState.DELIVERED: "delivered",
    MessageState.UNDELIVERABLE: "failed",
    MessageState.EXPIRED: "expired",
    MessageState.REJECTED: "rejected",
    MessageState.DELETED: "cancelled",
}


def mixed_fates(count: int) -> dict[str, MessageState]:
    """For the recipients of `items`: fates that differ from neighbour to neighbour, as the simulator takes them."""
    states = list(VERDICTS)
    return {item["to"][1:]: states[number % len(states)] for number, item in enumerate(items(count))}


def verdicts(fates: Mapping[str, MessageState]) -> dict[str, str]:
    """recipient -> the state its message must end in."""
    return {f"+{recipient}": VERDICTS[state] for recipient, state in fates.items()}


def states(messages: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """recipient -> the state its message is in."""
    return {message["to"]: message["state"] for message in messages}


def items(count: int, text: str = "Your code is {}") -> list[dict[str, Any]]:
    """`count` messages, each to a number of its own and with a text of its own."""
    return [{"to": f"+4477009{number:05d}", "text": text.format(number)} for number in range(count)]
