"""How the connection comes about: the SMSC calls us, or speaks TLS."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from simulator.smsc import Smsc

from .world import World, acting, gateway, items, settings_for, simulator, until, world


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.mark.parametrize(("password", "bound"), [("secret", True), ("other", False)])
async def test_outbind(tmp_path: Path, password: str, bound: bool) -> None:
    """It calls and is bound to over its own connection; one that does not know the password is not."""
    port = free_port()
    settings = acting("outbind")
    outbind = replace(settings.quirks.outbind, port=port, password=password, pause_s=0.05)
    smsc = Smsc(replace(settings, quirks=replace(settings.quirks, outbind=outbind)))
    ours = {"port": port, "system_id": "SMSC", "password": "secret"}
    async with trio.open_nursery() as nursery:
        await nursery.start(smsc.serve, [])
        async with gateway(settings_for(tmp_path, free_port(), outbind=ours)) as (running, client):
            w = World(smsc, running, client)
            await w.send(*items(5))
            if bound:
                assert {message["state"] for message in await w.until_final(5)} == {"delivered"}
                assert smsc.stats.accepted == 5
            else:
                with trio.fail_after(10):
                    await smsc.wait_until(lambda: smsc.stats.outbinds >= 3)
                assert (smsc.stats.binds.total(), smsc.stats.submits) == (0, 0)
        nursery.cancel_scope.cancel()


async def test_tls_with_verification(tmp_path: Path) -> None:
    settings = acting("tls")
    tls = {
        "enabled": True,
        "ca_file": settings.quirks.tls.cert_file,
        "server_name": "localhost",
        "min_version": "1.3",
    }
    async with world(tmp_path, settings, tls=tls) as w:
        await w.send(*items(5))
        assert {message["state"] for message in await w.until_final(5)} == {"delivered"}


@pytest.mark.parametrize("wrong", ["name", "authority"])
async def test_tls_with_a_wrong_certificate_is_refused(tmp_path: Path, wrong: str) -> None:
    settings = acting("tls")
    right = {"enabled": True, "ca_file": settings.quirks.tls.cert_file, "server_name": "localhost"}
    tls = {**right, "server_name": "smsc.example.com"} if wrong == "name" else {"enabled": True}
    async with simulator(settings) as smsc, gateway(settings_for(tmp_path, smsc.port, tls=tls)) as (running, client):
        w = World(smsc, running, client)
        await w.send(*items(1))

        async def refused() -> bool:
            (bind,) = await w.binds()
            return bool(bind["last_error"]) and smsc.stats.connections >= 2

        await until(refused)
        (bind,) = await w.binds()
        assert not bind["state"].startswith("bound")
        assert (smsc.stats.binds.total(), smsc.stats.submits) == (0, 0), "no octet of ours was said"
        assert "certif" in bind["last_error"].lower()


async def test_a_client_certificate(tmp_path: Path) -> None:
    settings = acting("tls")
    certificate = settings.quirks.tls.cert_file
    strict = replace(settings.quirks, tls=replace(settings.quirks.tls, client_ca_file=certificate))
    tls = {"enabled": True, "ca_file": certificate, "server_name": "localhost", "cert_file": certificate}
    async with world(tmp_path, replace(settings, quirks=strict), tls=tls) as w:
        await w.send(*items(1))
        assert {message["state"] for message in await w.until_final(1)} == {"delivered"}


async def test_a_fallback_is_tried_when_the_first_cannot_be_reached(tmp_path: Path) -> None:
    async with simulator() as smsc:
        endpoints = {"port": free_port(), "fallbacks": [f"127.0.0.1:{smsc.port}"]}
        async with gateway(settings_for(tmp_path, smsc.port, **endpoints)) as (running, client):
            w = World(smsc, running, client)
            await w.until_bound()
            (bind,) = await w.binds()
            assert bind["endpoint"] == f"127.0.0.1:{smsc.port}"
            await w.send(*items(3))
            assert {message["state"] for message in await w.until_final(3)} == {"delivered"}
