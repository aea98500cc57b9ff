"""The gateway as a process of its own, for tests that kill it."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import trio

from scripts.processes import Program, json_lines
from smppgw.api.auth import hash_key

from .world import KEY, PATIENCE_S, all_messages, until

CONFIG = """\
[http]
port = 0

[store]
sweep_interval_s = 0.1

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
        self.program: Program | None = None
        self.client: httpx.AsyncClient | None = None
        self._starts = 0

    async def start(self) -> httpx.AsyncClient:
        """Starts it; a client for its API once it listens."""
        self._starts += 1
        await self._close_client()
        arguments = ["smppgw", "serve", "--json", "--config", str(self.config)]
        self.program = Program("the gateway", arguments, out=self._log())
        listening = await trio.to_thread.run_sync(partial(self.program.line, event="http_listening"))
        self.client = httpx.AsyncClient(
            base_url=listening["url"],
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=PATIENCE_S,
            trust_env=False,
        )
        return self.client

    async def kill(self) -> None:
        """kill -9."""
        assert self.program is not None
        await trio.to_thread.run_sync(self.program.kill)
        self.program = None

    def signal(self, number: signal.Signals) -> None:
        assert self.program is not None
        self.program.signal(number)

    async def wait(self) -> int:
        """The exit code."""
        assert self.program is not None
        with trio.fail_after(PATIENCE_S):
            code = await trio.to_thread.run_sync(self.program.wait, abandon_on_cancel=True)
        self.program = None
        return code

    async def terminate(self) -> int:
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return await self.wait()

    async def close(self) -> None:
        """Leaves nothing running, whatever the test did."""
        with trio.CancelScope(shield=True):
            if self.program is not None:
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
        return list(json_lines(self._log()))

    def _log(self) -> Path:
        return self.folder / f"gateway-{self._starts}.log"


@asynccontextmanager
async def gateway_process(folder: Path, smsc_port: int, **carrier: Any) -> AsyncIterator[GatewayProcess]:
    gateway = GatewayProcess(folder, smsc_port, **carrier)
    try:
        yield gateway
    finally:
        await gateway.close()
