"""The gateway as a process of its own, for tests that kill it."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import trio

from smppgw.api.auth import hash_key

from .world import KEY, PATIENCE_S, all_messages, until

CONFIG = """\
[http]
port = 0

[store]
sweep_interval_s = 0.1

[log]
format = "json"

[accounts.app]
key_hashes = ["{key_hash}"]
default_region = "GB"
default_sender = "BANK"

[carriers.demo]
host = "127.0.0.1"
port = {smsc_port}
system_id = "gw"
password = "secret"
{carrier}

[carriers.demo.reconnect]
first_s = 0.05
max_s = 0.5
"""


class GatewayProcess:
    """One gateway at a time, on one store; started again after each end."""

    def __init__(self, folder: Path, smsc_port: int, **carrier: Any) -> None:
        self.folder = folder
        self.config = folder / "smppgw.toml"
        lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in carrier.items())
        self.config.write_text(CONFIG.format(key_hash=hash_key(KEY), smsc_port=smsc_port, carrier=lines))
        self.process: trio.Process | None = None
        self.client: httpx.AsyncClient | None = None
        self._starts = 0

    async def start(self) -> httpx.AsyncClient:
        """Starts it; a client for its API once it listens."""
        self._starts += 1
        await self._close_client()
        log = self.folder / f"gateway-{self._starts}.log"
        with log.open("wb") as stderr:
            command = [sys.executable, "-m", "smppgw", "serve", "--config", str(self.config)]
            self.process = await trio.lowlevel.open_process(
                command, stdout=stderr, stderr=stderr, env=dict(os.environ)
            )
        url = ""

        async def listening() -> bool:
            nonlocal url
            assert self.process is not None
            assert self.process.poll() is None, log.read_text()
            for event in events(log):
                url = event.get("url", url)
            return bool(url)

        await until(listening)
        self.client = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {KEY}"}, timeout=PATIENCE_S, trust_env=False
        )
        return self.client

    async def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()
        self.process = None

    async def terminate(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        with trio.fail_after(PATIENCE_S):
            code = await self.process.wait()
        self.process = None
        return code

    async def close(self) -> None:
        """Leaves nothing running, whatever the test did."""
        with trio.CancelScope(shield=True):
            if self.process is not None:
                await self.kill()
            await self._close_client()

    async def _close_client(self) -> None:
        if self.client is not None:
            await self.client.aclose()
            self.client = None

    async def messages(self, **params: str) -> list[dict[str, Any]]:
        assert self.client is not None
        return await all_messages(self.client, **params)

    async def until_final(self, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []

        async def all_final() -> bool:
            found[:] = await self.messages()
            return len(found) >= count and all(message["state"] != "open" for message in found)

        await until(all_final)
        return found

    def log(self) -> list[dict[str, Any]]:
        """The events of the latest run."""
        return list(events(self.folder / f"gateway-{self._starts}.log"))


@asynccontextmanager
async def gateway_process(folder: Path, smsc_port: int, **carrier: Any) -> AsyncIterator[GatewayProcess]:
    gateway = GatewayProcess(folder, smsc_port, **carrier)
    try:
        yield gateway
    finally:
        await gateway.close()


def events(path: Path) -> Iterable[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("{") and line.endswith("}"):
            yield json.loads(line)
