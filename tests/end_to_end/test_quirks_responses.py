"""Responses that are late, odd or missing: no outcome is guessed, nothing is sent twice unless somebody chose it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from smppgw.binds import probing
from smppgw.binds.backoff import RefusalPlan

from .world import World, acting, items, mixed_fates, states, until, verdicts, world

COUNT = 12
#: Overdue after a moment.
QUICK: dict[str, Any] = {"timers": {"response_s": 0.3, "enquire_link_s": 0.1}}


@pytest.fixture
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between the probes of a link that answers none: seconds and minutes elsewhere."""
    monkeypatch.setattr(probing, "NO_ANSWERS", RefusalPlan(0.1, 1.0, 0.1))


async def reasons_of(w: World, results: list[dict[str, Any]]) -> list[set[str]]:
    return [{entry["reason"] for entry in one["history"]} for one in await w.details(results)]


@pytest.mark.parametrize("scenario", ["response-no-body", "response-no-id"])
async def test_accepted_without_an_id(tmp_path: Path, scenario: str) -> None:
    """Status 0 is an acceptance; without a message_id no receipt can be told to be its."""
    async with world(tmp_path, acting(scenario)) as w:
        results = await w.send(*items(COUNT))
        assert {message["state"] for message in await w.until_final(COUNT)} == {"sent"}
        assert all("no_receipt_possible" in reasons for reasons in await reasons_of(w, results))
        await w.until_acked(receipts=COUNT)
        assert (w.smsc.stats.accepted, w.smsc.stats.duplicates, w.smsc.stats.connections) == (COUNT, 0, 1)


async def test_a_message_id_that_is_none(tmp_path: Path) -> None:
    """The status in the header decides: accepted without message_id, and so without a receipt. None is sent again."""
    fates = mixed_fates(COUNT)
    async with world(tmp_path, acting("response-unreadable", fates=fates)) as w:
        results = await w.send(*items(COUNT))
        await w.until_acked(receipts=COUNT)
        found = states(await w.until_final(COUNT))
        told = {to: state for to, state in found.items() if state != "sent"}
        assert len(told) == COUNT // 2
        assert told.items() <= verdicts(fates).items()
        reasons = await reasons_of(w, results)
        assert sum("no_receipt_possible" in of_one for of_one in reasons) == COUNT - COUNT // 2
        bad = await w.quarantine()
        assert {(one["command"], one["field"]) for one in bad} == {("submit_sm_resp", "message_id")}
        assert len(bad) == COUNT - COUNT // 2
        assert (w.smsc.stats.accepted, w.smsc.stats.duplicates, w.smsc.stats.connections) == (COUNT, 0, 1)


async def test_responses_out_of_order(tmp_path: Path) -> None:
    fates = mixed_fates(100)
    async with world(tmp_path, acting("response-out-of-order", fates=fates), window=20) as w:
        await w.send(*items(100))
        assert states(await w.until_final(100)) == verdicts(fates)
        assert (w.smsc.stats.accepted, w.smsc.stats.duplicates) == (100, 0)


async def test_generic_nack_is_a_refusal_and_no_doubt(tmp_path: Path) -> None:
    async with world(tmp_path, acting("response-generic-nack"), retry={"first_s": 0.05}) as w:
        results = await w.send(*items(COUNT))
        assert {message["state"] for message in await w.until_final(COUNT)} == {"delivered"}
        reasons = await reasons_of(w, results)
        assert sum("temporary_refusal" in one for one in reasons) == 5
        assert not any({"response_overdue", "link_lost"} & one for one in reasons)
        assert (w.smsc.stats.submits, w.smsc.stats.accepted, w.smsc.stats.duplicates) == (COUNT + 5, COUNT, 0)


async def test_a_wrong_sequence_is_a_doubt_that_the_receipt_resolves(tmp_path: Path) -> None:
    """Every third submit has no answer: it is not sent again, and its receipt echoes user_message_reference."""
    fates = mixed_fates(COUNT)
    async with world(tmp_path, acting("response-wrong-sequence", fates=fates), window=50, **QUICK) as w:
        results = await w.send(*items(COUNT))
        await w.until_acked(receipts=COUNT)
        w.smsc.cut()  # the doubt begins with the end of the session
        assert states(await w.until_final(COUNT)) == verdicts(fates)
        assert (w.smsc.stats.submits, w.smsc.stats.duplicates) == (COUNT, 0)
        resolved = [reasons for reasons in await reasons_of(w, results) if "receipt_matched_in_doubt" in reasons]
        assert len(resolved) == COUNT // 3


@pytest.mark.usefixtures("quick_probes")
async def test_a_link_that_never_answers_cannot_pull_the_queue_into_doubt(tmp_path: Path) -> None:
    """A whole window overdue: closed, bound again, then one submit at a time. With `hold` nothing goes out twice."""
    async with world(tmp_path, acting("response-never"), window=4, **QUICK) as w:
        await w.send(*items(30))
        with_submits: list[int] = []

        async def several_sessions() -> bool:
            with_submits[:] = [visit.submits for visit in w.smsc.visits]
            return len(with_submits) >= 3

        await until(several_sessions)
        assert with_submits[0] == 4
        assert all(submits <= 1 for submits in with_submits[1:]), with_submits
        assert w.smsc.stats.duplicates == 0
        assert len({submit.destination for submit in w.smsc.submits}) == len(w.smsc.submits)
        (bind,) = await w.binds()
        assert bind["alarm"] == "no_answers"
        status = await w.get("/v1/status")
        (segments,) = status["segments"]
        waiting = sum(segments["queued"].values())
        assert waiting >= 30 - len(w.smsc.submits)
        assert segments["in_doubt"] >= 4


@pytest.mark.usefixtures("quick_probes")
async def test_it_goes_on_once_one_is_answered(tmp_path: Path) -> None:
    async with world(tmp_path, acting("response-never-at-first"), window=4, on_doubt="hold", **QUICK) as w:
        await w.send(*items(30))

        async def rest_is_delivered() -> bool:
            return Counter(message["state"] for message in await w.messages()) == {"delivered": 22, "open": 8}

        await until(rest_is_delivered)
        visits = [visit.submits for visit in w.smsc.visits]
        assert visits == [4, 1, 1, 1, 1]
        assert w.smsc.summary()["max_window"] == 4, "the whole window again"
        assert len({submit.destination for submit in w.smsc.submits}) == len(w.smsc.submits) == 30


@pytest.mark.usefixtures("quick_probes")
async def test_resend_is_a_choice(tmp_path: Path) -> None:
    settings = acting("response-never-at-first")
    async with world(
        tmp_path, settings, window=4, on_doubt="resend", retry={"first_s": 0.05, "max_s": 0.2}, **QUICK
    ) as w:
        await w.send(*items(12))
        assert {message["state"] for message in await w.until_final(12)} == {"delivered"}
        assert (w.smsc.stats.submits, w.smsc.stats.accepted) == (20, 12)
