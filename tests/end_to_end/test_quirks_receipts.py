"""Receipts in every shape and at every time: each message gets the fate that the simulator gave its recipient."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from simulator.fates import MessageState
from simulator.settings import Delay

from .world import World, acting, items, mixed_fates, states, until, verdicts, world

COUNT = 10

DELIVERED, FAILED = MessageState.DELIVERED, MessageState.UNDELIVERABLE


def two_fates(count: int) -> dict[str, MessageState]:
    """For dialects that have words for these two states only."""
    return {item["to"][1:]: (DELIVERED, FAILED)[number % 2] for number, item in enumerate(items(count))}


async def sent_and_final(w: World, count: int = COUNT) -> list[dict[str, Any]]:
    """Sends `count` messages; all that is known of them once they are final."""
    results = await w.send(*items(count))
    await w.until_final(count)
    return await w.details(results)


# --- how they look, and which way they come ---------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "carrier"),
    [
        ("receipt-on-other-bind", {"binds": 2}),
        ("receipt-on-transmitter", {"mode": "pair"}),
        ("receipt-no-esm-class", {"profile": "no-esm-class"}),
        ("receipt-udhi", {}),
        ("receipt-data-sm", {}),
        ("receipt-payload", {}),
        ("receipt-ucs2", {}),
        ("receipt-odd-text", {}),
        ("receipt-sm-length", {}),
        ("receipt-addresses", {}),
        ("receipt-national-addresses", {}),
        ("receipt-masked-addresses", {}),
        ("receipt-tlv-only", {}),
        ("receipt-text-only", {}),
    ],
)
async def test_each_message_gets_its_own_fate(tmp_path: Path, scenario: str, carrier: dict[str, Any]) -> None:
    fates = mixed_fates(COUNT)
    async with world(tmp_path, acting(scenario, fates=fates), **carrier) as w:
        messages = await sent_and_final(w)
        assert states(messages) == verdicts(fates)
        assert all(len(message["receipts"]) == 1 for message in messages)
        assert await w.inbound() == []
        await w.smsc.wait_until(lambda: w.smsc.waiting == 0)
        assert w.smsc.stats.receipts.nacked == 0


async def test_a_masked_recipient_is_flagged(tmp_path: Path) -> None:
    async with world(tmp_path, acting("receipt-masked-addresses")) as w:
        messages = await sent_and_final(w)
        assert {tuple(message["receipts"][0]["flags"]) for message in messages} == {("address_differs",)}


async def test_words_that_are_not_the_standards(tmp_path: Path) -> None:
    fates = two_fates(COUNT)
    async with world(tmp_path, acting("receipt-state-words", fates=fates)) as w:
        messages = await sent_and_final(w)
        assert states(messages) == verdicts(fates)
        assert len({message["receipts"][0]["stat"] for message in messages}) > 2, "kept verbatim"


WORDS = {"0": "DELIVRD", "OK": "DELIVRD", "7": "UNDELIV", "BLOCKED": "UNDELIV"}


@pytest.mark.parametrize("known", [True, False])
async def test_words_of_the_carriers_own(tmp_path: Path, known: bool) -> None:
    fates = two_fates(COUNT)
    carrier: dict[str, Any] = {"receipts": {"states": WORDS}} if known else {}
    async with world(tmp_path, acting("receipt-unknown-words", fates=fates), **carrier) as w:
        results = await w.send(*items(COUNT))
        await w.until_acked(receipts=COUNT)
        messages = await w.details(results)
        assert {message["receipts"][0]["stat"] for message in messages} <= set(WORDS)
        if known:
            assert states(messages) == verdicts(fates)
        else:
            assert {message["state"] for message in messages} == {"open"}, "unknown is no failure"
            assert all("state_unknown" in message["receipts"][0]["flags"] for message in messages)


async def test_dates_are_read_in_the_carriers_time_zone(tmp_path: Path) -> None:
    settings = acting("receipt-dates", receipt_delay=Delay(0, 0))
    async with world(tmp_path, settings, receipts={"time_zone": "Europe/Moscow"}) as w:
        before = datetime.now(UTC)
        messages = await sent_and_final(w, 14)
        assert {message["state"] for message in messages} == {"delivered"}
        told = [message["receipts"][0]["done_at"] for message in messages]
        known = [datetime.fromisoformat(at) for at in told if at is not None]
        assert len(known) == 10, "two of seven say nothing"
        assert all(abs((at - before).total_seconds()) < 120 for at in known)


async def test_error_codes_are_kept_as_they_came(tmp_path: Path) -> None:
    async with world(tmp_path, acting("receipt-error-codes")) as w:
        messages = await sent_and_final(w)
        assert {message["state"] for message in messages} == {"failed"}
        errors = {message["receipts"][0]["error"] for message in messages}
        assert errors == {"E01", "0x1B", "00027", "absent", "027"}, "where the text has none, network_error_code has"


async def test_message_state_wins_over_the_text(tmp_path: Path) -> None:
    async with world(tmp_path, acting("receipt-states-disagree")) as w:
        messages = await sent_and_final(w)
        assert {message["state"] for message in messages} == {"delivered"}
        assert all("states_disagree" in message["receipts"][0]["flags"] for message in messages)


async def test_tlvs_of_the_vendor_are_kept(tmp_path: Path) -> None:
    async with world(tmp_path, acting("receipt-vendor-tlvs")) as w:
        (message,) = await sent_and_final(w, 1)
        tlvs = {one["tag"]: one["octets"] for one in message["receipts"][0]["tlvs"]}
        assert tlvs["0x1403"] == b"23415".hex()
        assert tlvs["0x1500"] == "0102"


# --- when they come, and how many ---------------------------------------------


async def test_receipts_before_their_response(tmp_path: Path) -> None:
    fates = mixed_fates(COUNT)
    async with world(tmp_path, acting("receipt-before-response", fates=fates, response_delay=Delay(0.6, 0.6))) as w:
        await w.send(*items(COUNT))
        await w.until_acked(receipts=COUNT)
        assert {message["state"] for message in await w.messages()} == {"open"}
        assert (await w.get("/v1/status"))["parked_receipts"] > 0
        assert states(await w.until_final(COUNT)) == verdicts(fates)
        assert (await w.get("/v1/status"))["parked_receipts"] == 0


async def test_receipts_after_the_message_was_given_up(tmp_path: Path) -> None:
    fates = mixed_fates(5)
    account = {"accounts": {"app": {"default_validity_s": 0.2}}}
    settings = acting("receipt-after-expiry", fates=fates, receipt_delay=Delay(1.5, 1.5))
    async with world(tmp_path, settings, more=account, receipt_timeout_s=0.1) as w:
        results = await w.send(*items(5))
        assert {message["state"] for message in await w.until_final(5)} == {"unknown"}
        await w.until_acked(receipts=5)
        messages = await w.details(results)
        assert states(messages) == verdicts(fates), "UNKNOWN of our own clock gives way to a receipt"
        reasons = [entry["reason"] for entry in messages[0]["history"]]
        assert reasons[-2:] == ["receipt_overdue", "receipt"]


@pytest.mark.parametrize("scenario", ["receipt-repeated", "receipt-contradicts"])
async def test_only_the_first_receipt_decides(tmp_path: Path, scenario: str) -> None:
    fates = {item["to"][1:]: DELIVERED for item in items(5)}
    reports = 3 if scenario == "receipt-repeated" else 2
    async with world(tmp_path, acting(scenario, fates=fates)) as w:
        results = await w.send(*items(5))
        await w.until_acked(receipts=5 * reports)
        messages = await w.details(results)
        assert states(messages) == verdicts(fates)
        reason = "receipt_repeated" if scenario == "receipt-repeated" else "receipt_contradicts"
        for message in messages:
            assert [receipt["reason"] for receipt in message["receipts"]] == ["receipt"] + [reason] * (reports - 1)
        assert (await w.get("/v1/status"))["parked_receipts"] == 0


async def test_intermediate_ones_after_the_final_one_change_nothing(tmp_path: Path) -> None:
    fates = mixed_fates(5)
    async with world(tmp_path, acting("receipt-intermediate-after-final", fates=fates)) as w:
        results = await w.send(*items(5))
        await w.until_acked(receipts=20)
        messages = await w.details(results)
        assert states(messages) == verdicts(fates)
        assert all(len(message["receipts"]) == 4 for message in messages), "all are kept"


@pytest.mark.parametrize("means", ["intermediate", "delivered"])
async def test_acceptd(tmp_path: Path, means: str) -> None:
    fates = {item["to"][1:]: FAILED for item in items(5)}
    async with world(tmp_path, acting("receipt-acceptd", fates=fates), receipts={"acceptd": means}) as w:
        results = await w.send(*items(5))
        await w.until_acked(receipts=5)
        assert {message["state"] for message in await w.messages()} == {
            "open" if means == "intermediate" else "delivered"
        }
        await w.until_acked(receipts=10)
        states_now = {message["state"] for message in await w.details(results)}
        assert states_now == {"failed" if means == "intermediate" else "delivered"}


async def test_receipts_of_another_platform_change_nothing(tmp_path: Path) -> None:
    """Among them ids that are ours once they are read as hexadecimal, for the very same recipient."""
    fates = mixed_fates(COUNT)
    async with world(tmp_path, acting("receipt-unsolicited", fates=fates)) as w:
        results = await w.send(*items(COUNT))
        await w.until_acked(receipts=4 * COUNT)
        assert states(await w.until_final(COUNT)) == verdicts(fates)
        for message in await w.details(results):
            found = {receipt["smsc_id"] for receipt in message["receipts"]}
            assert message["segments"][0]["smsc_id"] in found
        assert (await w.get("/v1/status"))["parked_receipts"] >= 2 * COUNT
        (bind,) = await w.binds()
        assert (bind["state"], bind["reconnects"]) == ("bound_trx", 0)


async def test_receipts_that_nobody_asked_for(tmp_path: Path) -> None:
    settings = acting("receipt-unsolicited")
    async with world(tmp_path, settings, submit={"registered_delivery": 0}) as w:
        messages = await sent_and_final(w, 5)
        await w.until_acked(receipts=20)
        assert {message["state"] for message in messages} == {"sent"}
        assert {submit.pdu.registered_delivery for submit in w.smsc.submits} == {0}
        (bind,) = await w.binds()
        assert bind["state"] == "bound_trx"


# --- what is no receipt ---------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "profile", "each"),
    [
        ("looks-like-a-receipt", "strict-34", 2),
        ("looks-like-a-receipt", "no-esm-class", 2),  # the id is right, the sender is not
        ("looks-like-an-acknowledgement", "strict-34", 1),
        ("looks-like-an-acknowledgement", "no-esm-class", 1),  # from the recipient, but the handset's own
    ],
)
async def test_a_text_that_looks_like_a_receipt_is_an_inbound_text(
    tmp_path: Path, scenario: str, profile: str, each: int
) -> None:
    settings = acting(scenario, receipt_delay=Delay(0.05, 0.05))
    async with world(tmp_path, settings, profile=profile) as w:
        results = await w.send(*items(5))
        await w.until_acked(receipts=5, inbound=5 * each)
        messages = await w.details(results)
        assert {message["state"] for message in messages} == {"delivered"}
        assert all(len(message["receipts"]) == 1 for message in messages)
        inbound = await w.inbound()
        assert len(inbound) == 5 * each
        assert sum("forged" in text["text"] for text in inbound) == 5


async def test_without_sniffing_a_bare_text_is_an_inbound_text(tmp_path: Path) -> None:
    async with world(tmp_path, acting("receipt-no-esm-class")) as w:
        await w.send(*items(5))
        await w.until_acked(receipts=5)

        async def kept() -> bool:
            return len(await w.inbound()) == 5

        await until(kept)
        assert {message["state"] for message in await w.messages()} == {"open"}
