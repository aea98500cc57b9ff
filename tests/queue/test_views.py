"""What the store shows beyond what the tests of each operation look at: histories, parked receipts, counts."""

from __future__ import annotations

from typing import Any

import pytest

from smppgw.queue.model import (
    Doubt,
    OutcomeKind,
    Quarantine,
    Quarantined,
    Reason,
    ReceiptRecord,
    ReceiptState,
    RecordOutcomes,
    RetryPlan,
    SegmentState,
    SubmitOutcome,
    Withdraw,
)

from .make import HOUR, NOW, PLAN, accept, answer, claim, new_message, receipt, receive, view

K, R, S = OutcomeKind, Reason, SegmentState


async def refused(store: Any, bind: str, kind: OutcomeKind, status: int = 0x58, now: int = NOW + 1) -> None:
    """Claimed over the bind, and refused."""
    carrier = bind.partition("/")[0]
    (segment,) = await claim(store, carrier=carrier, bind=bind, now=now)
    outcome = SubmitOutcome(segment.segment_id, segment.claim, kind, status, "", 0)
    await store.commit(RecordOutcomes(carrier, bind, [outcome], now + 1, PLAN, HOUR))


async def told(store: Any, number: int) -> list[tuple[Reason, str]]:
    return [(entry.reason, entry.bind) for entry in (await view(store, number)).history]


class TestHistory:
    async def test_each_claim_names_the_bind_that_made_it(self, store: Any) -> None:
        (number,) = await accept(store, new_message())
        await refused(store, "demo/1", K.THROTTLED)
        await refused(store, "demo/2", K.THROTTLED, now=NOW + 10)
        await claim(store, bind="demo/3", now=NOW + 20)
        assert await told(store, number) == [
            (R.ACCEPTED, ""),
            (R.CLAIMED, "demo/1"),
            (R.THROTTLED, "demo/1"),
            (R.CLAIMED, "demo/2"),
            (R.THROTTLED, "demo/2"),
            (R.CLAIMED, "demo/3"),
        ]

    async def test_after_a_reroute_the_claim_is_still_that_of_the_first_carrier(self, store: Any) -> None:
        (number,) = await accept(store, new_message(alternatives=("other",)))
        await refused(store, "demo/1", K.REROUTED)
        segments = await claim(store, carrier="other", bind="other/1", now=NOW + 10)
        outcomes = [SubmitOutcome(segments[0].segment_id, segments[0].claim, K.ACCEPTED, 0, "a1", 0)]
        await store.commit(RecordOutcomes("other", "other/1", outcomes, NOW + 10, PLAN, HOUR))
        assert await told(store, number) == [
            (R.ACCEPTED, ""),
            (R.CLAIMED, "demo/1"),
            (R.REROUTED, "demo/1"),
            (R.CLAIMED, "other/1"),
            (R.CARRIER_ACCEPTED, "other/1"),
        ]

    async def test_a_sibling_that_was_never_claimed_before_it_left(self, store: Any) -> None:
        (number,) = await accept(store, new_message(parts=2, alternatives=("other",)))
        (first,) = await claim(store, 1)
        outcome = SubmitOutcome(first.segment_id, first.claim, K.REROUTED, 8, "", 0)
        await store.commit(RecordOutcomes("demo", "demo/1", [outcome], NOW, PLAN, HOUR))
        for moment in (NOW, NOW + 5):
            segments = await claim(store, carrier="other", bind=f"other/{moment - NOW}", now=moment)
            claims = [(one.segment_id, one.claim) for one in segments]
            await store.commit(Withdraw("other", f"other/{moment - NOW}", claims, moment + 1))
        claimed = [
            (entry.part, entry.bind) for entry in (await view(store, number)).history if entry.reason is R.CLAIMED
        ]
        assert sorted(claimed) == [(1, "demo/1"), (1, "other/0"), (1, "other/5"), (2, "other/0"), (2, "other/5")]

    @pytest.mark.parametrize("resend", [True, False])
    async def test_what_the_first_claim_came_to_tells_its_bind(self, store: Any, resend: bool) -> None:
        (number,) = await accept(store, new_message())
        (segment,) = await claim(store, bind="demo/1")
        plan = RetryPlan(first_s=0.001, factor=1, max_s=0.001, max_attempts=5) if resend else None
        await store.commit(Doubt("demo", "demo/1", [(segment.segment_id, 1)], R.LINK_LOST, NOW + 1, 500, plan))
        await claim(store, bind="demo/2", now=NOW + 100)
        expected = [(R.ACCEPTED, ""), (R.CLAIMED, "demo/1")]
        after = [(R.RESENT_AFTER_DOUBT, "demo/1"), (R.CLAIMED, "demo/2")] if resend else [(R.LINK_LOST, "demo/1")]
        assert await told(store, number) == expected + after

    @pytest.mark.parametrize(
        ("kind", "reason", "attempts"),
        [(K.REJECTED, R.REFUSED, 1), (K.RETRY, R.RETRIES_EXHAUSTED, PLAN.max_attempts)],
    )
    async def test_a_refusal_for_good_names_the_status(
        self, store: Any, kind: OutcomeKind, reason: Reason, attempts: int
    ) -> None:
        (number,) = await accept(store, new_message())
        for attempt in range(attempts):
            await refused(store, "demo/1", kind, 0x0B, now=NOW + attempt * 100_000)
        last = (await view(store, number)).history[-1]
        assert (last.reason, last.detail, last.bind) == (reason, "ESME_RINVDSTADR", "demo/1")

    async def test_a_sibling_of_it_names_none(self, store: Any) -> None:
        (number,) = await accept(store, new_message(parts=2))
        (first,) = await claim(store, 1)
        await answer(store, [first], K.REJECTED, status=0x0B)
        found = {entry.reason: entry.detail for entry in (await view(store, number)).history}
        assert (found[R.REFUSED], found[R.SIBLING_FAILED]) == ("ESME_RINVDSTADR", "")


class TestParkedReceipts:
    async def test_as_they_came(self, store: Any) -> None:
        one = ReceiptRecord(
            "A1 extra", ReceiptState.DELIVERED, "DELIVRD", "000", "447700900001", "BANK", b"id:A1 extra", "A1",
            NOW - 1000, 7, "state_unknown", '[[5123, "00"]]',
        )  # fmt: skip
        await receive(store, one, now=NOW + 3)
        (found,) = await store.parked_receipts(before=None, limit=10)
        assert (found.carrier, found.bind, found.received_utc_ms, found.done_utc_ms) == (
            "demo", "demo/1", NOW + 3, NOW - 1000
        )  # fmt: skip
        assert (found.smsc_id, found.match_id, found.stat, found.state, found.error) == (
            "A1 extra", "A1", "DELIVRD", ReceiptState.DELIVERED, "000"
        )  # fmt: skip
        assert (found.source_addr, found.destination_addr, found.raw) == ("447700900001", "BANK", b"id:A1 extra")
        assert (found.reference, found.flags, found.tlvs) == (7, ("state_unknown",), '[[5123, "00"]]')

    async def test_newest_first_page_by_page_of_all_carriers(self, store: Any) -> None:
        for number, carrier in enumerate(("demo", "other", "demo", "other")):
            await receive(store, receipt(f"x{number}", None), carrier=carrier)
        page = await store.parked_receipts(before=None, limit=3)
        assert [(one.smsc_id, one.carrier, one.state) for one in page] == [
            ("x3", "other", None), ("x2", "demo", None), ("x1", "other", None)
        ]  # fmt: skip
        rest = await store.parked_receipts(before=page[-1].receipt_id, limit=3)
        assert [one.smsc_id for one in rest] == ["x0"]

    async def test_those_that_found_their_message_are_none(self, store: Any) -> None:
        await accept(store, new_message())
        await answer(store, await claim(store), ids=["early"])
        await receive(store, receipt("early"), receipt("stray"))
        assert [one.smsc_id for one in await store.parked_receipts(before=None, limit=10)] == ["stray"]


async def test_bad_pdus_that_are_kept_are_counted(store: Any) -> None:
    assert (await store.depths()).quarantined == 0
    bad = Quarantined(5, 1, 0xC0, "short_message", "it is cut off", b"\x00")
    for carrier in ("demo", "other"):
        await store.commit(Quarantine(carrier, f"{carrier}/1", [bad] * 2, NOW, 100))
    assert (await store.depths()).quarantined == 4
