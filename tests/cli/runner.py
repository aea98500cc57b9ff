"""Runs commands against a real HTTP server with a gateway in memory behind it, in a thread with its own loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from click.testing import CliRunner, Result

from smppgw.api.server import HttpServer, open_sockets
from smppgw.cli import main
from smppgw.config import HttpSettings
from tests.api.gateway import KEY, Gateway, settings


@dataclass
class Served:
    gateway: Gateway
    url: str

    def run(self, *arguments: str, input: str | bytes | None = None, key: str = KEY) -> Result:
        return run(*arguments, input=input, env={"SMPPGW_URL": self.url, "SMPPGW_KEY": key})


def run(*arguments: str, input: str | bytes | None = None, env: dict[str, str | None] | None = None) -> Result:
    """One command; an exception that is no exit code is an error of the test."""
    nothing: dict[str, str | None] = {"SMPPGW_URL": None, "SMPPGW_KEY": None, "SMPPGW_CONFIG": None}
    result = CliRunner().invoke(main, arguments, input=input, env={**nothing, **(env or {})})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def rows(output: str) -> list[list[str]]:
    """A table as it is printed where there is no terminal."""
    return [line.split("\t") for line in output.splitlines()]


@contextmanager
def served(gateway: Gateway | None = None) -> Iterator[Served]:
    gateway = gateway or Gateway(settings(http=HttpSettings(max_batch=200)))
    sockets = open_sockets("127.0.0.1", 0)
    server = HttpServer(gateway.app(), HttpSettings(stop_s=1.0))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve_on(sockets)))
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    thread.start()
    try:
        yield Served(gateway, url)
    finally:
        server.stop()
        thread.join(10)
