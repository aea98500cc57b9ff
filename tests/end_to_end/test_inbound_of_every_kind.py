"""Inbound texts in every alphabet and class, by both PDUs, as the gateway stores and shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.charsets import CHARSETS
from tests.simulator.test_charsets import SAMPLES

from .world import world

KINDS: list[tuple[str, dict[str, Any]]] = [
    ("Grüße @ €[~]", {}),
    ("Ја сам 😀", {}),
    ("Grüße ©", {"alphabet": "latin1"}),
    ("hello [~]", {"alphabet": "ascii"}),
    ("ığdır", {"national": "turkish"}),
    ("now", {"message_class": 0}),
    ("нет", {"message_class": 1}),
    ("2 faxes", {"message_waiting": "fax,store,count=2"}),
    ("reserved", {"data_coding": 0xBF}),
    ("with a port", {"ports": 2948}),
    ("in a payload", {"long": "payload"}),
    # A carrier whose default alphabet is UTF-8 has to say so; this one does not.
    *((text, {"alphabet": name}) for name, text in SAMPLES.items() if name in CHARSETS and name != "utf8"),
]


async def test_each_is_stored_as_it_was_written(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        sent = [
            (text, options | {"as_": command}) for command in ("deliver_sm", "data_sm") for text, options in KINDS
        ]
        for text, options in sent:
            w.smsc.inject("+447700900123", "60777", text, **options)  # type: ignore[typeddict-item]
        await w.smsc.wait_until(lambda: w.smsc.stats.inbound.acked == len(sent))
        listed = (await w.get("/v1/inbound", limit="100"))["inbound"]
        assert [one["text"] for one in reversed(listed)] == [text for text, _ in sent]
