from __future__ import annotations

from pathlib import Path

from .world import until, world


async def test_stored_acknowledged_and_listed(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.smsc.inject("+447700900123", "60777", "STOP")
        w.smsc.inject("+447700900124", "60777", "Ја сам 😀")
        w.smsc.inject("+447700900125", "60777", "id:123 stat:DELIVRD looks like a receipt, and is none")
        await w.smsc.wait_until(lambda: w.smsc.summary()["inbound"]["acked"] == 3)
        listed = (await w.get("/v1/inbound"))["inbound"]
        assert [(one["from"], one["to"], one["text"]) for one in listed] == [
            ("+447700900125", "60777", "id:123 stat:DELIVRD looks like a receipt, and is none"),
            ("+447700900124", "60777", "Ја сам 😀"),
            ("+447700900123", "60777", "STOP"),
        ]
        (page,) = (await w.get("/v1/inbound", limit="1"))["inbound"]
        assert page["text"].startswith("id:123")


async def test_what_comes_while_the_gateway_is_away_comes_later(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.smsc.cut()
        w.smsc.inject("+447700900123", "60777", "HELLO", system_id="gw")

        async def there() -> bool:
            return len((await w.get("/v1/inbound"))["inbound"]) == 1

        await until(there)
