"""message_ids that differ between response and receipt: each message gets its own fate, and the relation is shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from .world import acting, items, mixed_fates, states, until, verdicts, world

COUNT = 15
#: 16 digits that are hexadecimal as well as decimal: what converts wrongly still looks like an id.
START = 1_767_225_600_000_000


@pytest.mark.parametrize(
    ("scenario", "carrier", "relation"),
    [
        ("ids-hex-dec", {}, "hex -> dec"),
        ("ids-hex-dec", {"profile": "hex-dec"}, "hex -> dec"),
        ("ids-dec-hex", {}, "dec -> hex"),
        ("ids-dec-hex", {"profile": "dec-hex"}, "dec -> hex"),
        ("ids-case-and-zeros", {}, "same"),
        ("ids-uuid", {}, "same"),
        ("ids-long-decimal", {}, "hex -> dec"),
        ("ids-suffix-in-receipt", {"ids": {"extract": r"^SMS-(\d+)-\d+$"}}, "same"),
    ],
)
async def test_receipts_find_their_message_and_the_relation_is_known(
    tmp_path: Path, scenario: str, carrier: dict[str, Any], relation: str
) -> None:
    fates = mixed_fates(COUNT)
    async with world(tmp_path, acting(scenario, fates=fates, message_id_start=START), **carrier) as w:
        await w.send(*items(COUNT))
        assert states(await w.until_final(COUNT)) == verdicts(fates)
        ids = await w.ids()
        assert ids is not None
        assert (ids["relation"], ids["pinned"]) == (relation, "profile" in carrier)
        assert 0 < ids["matched"] <= ids["total"] <= COUNT
        assert (await w.get("/v1/status"))["parked_receipts"] == 0


async def test_a_learned_relation_lasts(tmp_path: Path) -> None:
    async with world(tmp_path, acting("ids-hex-dec", message_id_start=START)) as w:
        for start in range(0, 30, 10):
            await w.send(*items(start + 10)[start:])
            await w.until_final(start + 10)
        ids = await w.ids()
        assert ids is not None
        assert ids["matched"] == ids["total"] > 10


async def test_an_id_that_is_pinned_wrongly_matches_nothing_wrongly(tmp_path: Path) -> None:
    """dec -> hex is pinned, hex -> dec is acted: no receipt may change another message."""
    fates = mixed_fates(COUNT)
    settings = acting("ids-hex-dec", fates=fates, message_id_start=START)
    async with world(tmp_path, settings, profile="dec-hex") as w:
        await w.send(*items(COUNT))
        await w.until_acked(receipts=COUNT)
        expected = verdicts(fates)
        found = states(await w.messages())
        assert {to: state for to, state in found.items() if state not in ("open", expected[to])} == {}


async def test_the_same_ids_again_go_to_the_message_of_their_recipient(tmp_path: Path) -> None:
    """Five ids in turn: three open messages share each of them, and three that are final already."""
    fates = mixed_fates(30)
    async with world(tmp_path, acting("ids-reused", fates=fates)) as w:
        for batch in (items(15), items(30)[15:]):
            await w.send(*batch)
            await w.until_final(len(batch))
        assert states(await w.messages()) == verdicts(fates)
        details = await w.details(await w.messages())
        assert len({one["segments"][0]["smsc_id"] for one in details}) == 5


async def test_receipts_with_ids_that_no_setting_reads_are_shown(tmp_path: Path) -> None:
    """Without `ids.extract` all receipts stay parked; what is needed to write it can be looked at."""
    async with world(tmp_path, acting("ids-suffix-in-receipt", message_id_start=START)) as w:
        results = await w.send(*items(3))

        async def parked() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = (await w.get("/v1/receipts", parked="true"))["receipts"]
            return found if len(found) == 3 else []

        await until(parked)
        found = await parked()
        ids = {one["segments"][0]["smsc_id"] for one in await w.details(results)}
        assert {re.sub(r"^SMS-(\d+)-\d+$", r"\1", one["match_id"]) for one in found} == ids
        assert all(one["match_id"] in one["text"] and one["carrier"] == "demo" for one in found)
        assert (await w.get("/v1/status"))["parked_receipts"] == 3
