"""Receipts in every situation: early, in doubt, expired, repeated, without an id, told by their text alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from smppgw.addresses import Address
from smppgw.queue.model import (
    ClaimedSegment,
    IdForm,
    InboundText,
    MessageQuery,
    Reason,
    ReceiptFlag,
    ReceiptRecord,
    ReceiptState,
    RecordReceipts,
    SegmentState,
    Verdict,
    reference_of,
)

from .make import HOUR, NOW, PLAN, accept, answer, claim, doubt, new_message, receipt, receive, sweep, view

S, R = SegmentState, Reason
TO, OTHER = "447700900001", "33639980001"
LATER = NOW + 200_000


async def out(store: Any, *to: str, **changes: Any) -> tuple[list[int], list[ClaimedSegment]]:
    numbers = await accept(store, *(new_message(one, **changes) for one in to))
    return numbers, await claim(store)


async def sent(store: Any, ids: list[str], *, to: str = TO, **changes: Any) -> list[int]:
    numbers, segments = await out(store, *([to] * len(ids)), **changes)
    await answer(store, segments, ids=ids)
    return numbers


async def state_of(store: Any, number: int) -> SegmentState:
    return (await view(store, number)).segments[0].state


async def reasons(store: Any, number: int) -> list[Reason]:
    return [entry.reason for entry in (await view(store, number)).history if entry.reason.startswith("receipt")]


def sniffed(smsc_id: str, *, source: str = TO) -> ReceiptRecord:
    text = InboundText(
        Address(1, 1, source), Address(5, 0, "BANK"), 0, 0, b"id:" + smsc_id.encode(), f"id:{smsc_id} stat:DELIVRD"
    )
    return replace(receipt(smsc_id, source=source), sniffed=text)


class TestIds:
    async def test_the_settings_say_which_part_of_the_id_counts(self, store: Any) -> None:
        (number,) = await sent(store, ["A7"])
        op = await receive(store, replace(receipt("A7-1"), match_id="A7"))
        assert (op.result.matched, op.result.flags) == (1, {})
        assert await state_of(store, number) is S.DELIVERED

    async def test_an_id_in_another_form_is_flagged_and_counted(self, store: Any) -> None:
        (number,) = await sent(store, ["499602D2"])
        op = await receive(store, receipt("1234567890"))
        assert op.result.flags == {ReceiptFlag.ID_CONVERTED: 1}
        assert await state_of(store, number) is S.DELIVERED

    async def test_an_address_that_differs_is_flagged_and_counted(self, store: Any) -> None:
        (number,) = await sent(store, ["5f0c-ab"])
        op = await receive(store, replace(receipt("5f0c-ab", source=OTHER), flags="states_disagree"))
        assert op.result.flags == {ReceiptFlag.ADDRESS_DIFFERS: 1, ReceiptFlag.STATES_DISAGREE: 1}
        assert await state_of(store, number) is S.DELIVERED

    async def test_hexadecimal_and_decimal_ids_that_meet(self, store: Any) -> None:
        """Response "10" is 16; the receipt "16" for it also equals the id of somebody else's message."""
        (sixteen,) = await sent(store, ["10"])
        (other,) = await sent(store, ["16"], to=OTHER)
        await receive(store, receipt("16"))
        assert (await state_of(store, sixteen), await state_of(store, other)) == (S.DELIVERED, S.SENT)

    async def test_the_same_before_the_response_is_there(self, store: Any) -> None:
        (other,) = await sent(store, ["16"], to=OTHER)
        (sixteen,), segments = await out(store, TO)
        await receive(store, receipt("16"))
        assert await state_of(store, other) is S.SENT
        await answer(store, segments, ids=["10"])
        assert (await state_of(store, sixteen), await state_of(store, other)) == (S.DELIVERED, S.SENT)

    async def test_what_two_readings_fit_waits_until_the_relation_is_known(self, store: Any) -> None:
        ten, sixteen = await sent(store, ["10", "16"])
        assert (await receive(store, receipt("16"))).result.parked == 1
        for number in ("900001", "900002", "900003"):
            await sent(store, [number])
            await receive(store, receipt(number))
        assert (await state_of(store, ten), await state_of(store, sixteen)) == (S.SENT, S.DELIVERED)
        assert (await store.depths()).parked_receipts == 0

    async def test_what_is_parked_while_nothing_is_known_is_found_by_the_sweep_as_well(self, store: Any) -> None:
        await sent(store, ["10", "16"])
        await receive(store, receipt("16"))
        await sweep(store, LATER)
        assert (await store.depths()).parked_receipts == 1
        await store.commit(RecordReceipts("demo", "demo/1", [receipt("nobody's")], LATER, IdForm.SAME))
        await sweep(store, LATER)
        assert (await store.depths()).parked_receipts == 1, "only nobody's is left"

    async def test_a_sweep_looks_at_a_parked_receipt_once(self, store: Any) -> None:
        await receive(store, *(receipt(f"nobody's {number}") for number in range(700)))
        first, second, third = [(await sweep(store, LATER)).result.more for _ in range(3)]
        assert (first, second, third) == (True, False, False)

    async def test_relations_are_shown_by_carrier(self, store: Any) -> None:
        ids = [f"9000{number}" for number in range(5)]
        await sent(store, ids)
        await receive(store, *(receipt(one) for one in ids), receipt("nobody's"))
        await receive(store, receipt("1"), carrier="other")
        demo, other = await store.id_relations()
        assert (demo.carrier, demo.relation, demo.matched, demo.total) == ("demo", "same", 5, 6)
        assert (other.carrier, other.relation, other.matched, other.total) == ("other", "", 0, 1)

    async def test_an_early_receipt_counts_once_it_is_found(self, store: Any) -> None:
        _, segments = await out(store, TO)
        await receive(store, receipt("A"))
        await answer(store, segments, ids=["A"])
        (known,) = await store.id_relations()
        assert (known.matched, known.total) == (1, 1)


class TestEarly:
    @pytest.mark.parametrize(
        ("response", "receipt_id"),
        [("A", "A"), ("1a", "26"), ("26", "1A"), ("0000000026", "26"), ("5f0c-ab", "5F0C-AB")],
    )
    async def test_found_when_its_response_comes_in_whatever_form(
        self, store: Any, response: str, receipt_id: str
    ) -> None:
        (number,), segments = await out(store, TO)
        assert (await receive(store, receipt(receipt_id))).result.parked == 1
        await answer(store, segments, ids=[response])
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    async def test_an_id_that_is_extracted(self, store: Any) -> None:
        (number,), segments = await out(store, TO)
        await receive(store, replace(receipt("A-1"), match_id="A"))
        await answer(store, segments, ids=["A"])
        assert (await view(store, number)).verdict is Verdict.DELIVERED

    async def test_what_was_odd_is_kept(self, store: Any) -> None:
        (number,), segments = await out(store, TO)
        await receive(store, replace(receipt("26"), flags="states_disagree"))
        await answer(store, segments, ids=["1a"])
        (entry,) = [entry for entry in (await view(store, number)).history if entry.reason is R.RECEIPT]
        assert "26" in entry.detail


class TestStates:
    """Each situation of a segment in which a receipt may come, by the table."""

    async def test_for_an_earlier_copy(self, store: Any) -> None:
        (number,), segments = await out(store, TO)
        await doubt(store, segments, resend=PLAN, now=NOW)
        (again,) = await claim(store, now=NOW + 6000)
        await answer(store, segments, ids=["A"])
        await doubt(store, [again])
        assert await state_of(store, number) is S.SENT
        await receive(store, receipt("A"))
        assert await state_of(store, number) is S.DELIVERED

    async def test_after_its_validity(self, store: Any) -> None:
        (number,) = await sent(store, ["A"])
        await sweep(store, NOW + 100 * HOUR)
        assert await state_of(store, number) is S.UNKNOWN
        await receive(store, receipt("A"), now=NOW + 101 * HOUR)
        assert await state_of(store, number) is S.DELIVERED

    async def test_twice(self, store: Any) -> None:
        (number,) = await sent(store, ["A"])
        await receive(store, receipt("A"))
        await receive(store, receipt("A"))
        assert await reasons(store, number) == [R.RECEIPT, R.RECEIPT_REPEATED]

    async def test_in_between_after_the_end(self, store: Any) -> None:
        (number,) = await sent(store, ["A"])
        await receive(store, receipt("A"))
        await receive(store, receipt("A", ReceiptState.ACCEPTED))
        assert await reasons(store, number) == [R.RECEIPT, R.RECEIPT_INTERMEDIATE]
        assert await state_of(store, number) is S.DELIVERED

    async def test_another_end(self, store: Any) -> None:
        (number,) = await sent(store, ["A"])
        await receive(store, receipt("A"))
        await receive(store, receipt("A", ReceiptState.EXPIRED))
        assert await reasons(store, number) == [R.RECEIPT, R.RECEIPT_CONTRADICTS]

    async def test_a_state_nobody_knows_is_history(self, store: Any) -> None:
        (number,) = await sent(store, ["A"])
        op = await receive(store, replace(receipt("A", None), flags="state_unknown"))
        assert op.result.flags == {ReceiptFlag.STATE_UNKNOWN: 1}
        assert await state_of(store, number) is S.SENT


class TestDoubts:
    async def test_a_reference_that_came_back_tells_two_doubts_apart(self, store: Any) -> None:
        numbers, segments = await out(store, TO, TO)
        await doubt(store, segments, timeout_ms=HOUR)
        echo = replace(receipt("X"), user_message_reference=reference_of(segments[1].segment_id))
        await receive(store, replace(echo, source_addr="+44 7700 900001"), now=NOW + 5)
        await sweep(store, NOW + 6)
        assert [await state_of(store, one) for one in numbers] == [S.IN_DOUBT, S.DELIVERED]
        assert (await view(store, numbers[1])).segments[0].smsc_id == "X"

    async def test_without_an_id_a_receipt_resolves_a_doubt_and_nothing_else(self, store: Any) -> None:
        await sent(store, ["A"], to=OTHER)
        (number,), segments = await out(store, TO)
        op = await receive(store, receipt(""), receipt("", source=OTHER), now=NOW + 5)
        assert op.result.parked == 2
        await doubt(store, segments, timeout_ms=10 * HOUR)
        await sweep(store, LATER)
        assert await state_of(store, number) is S.DELIVERED
        assert (await store.depths()).parked_receipts == 1

    async def test_a_receipt_spares_the_copy_that_waits_to_be_sent_again(self, store: Any) -> None:
        (number,), segments = await out(store, TO)
        await doubt(store, segments, resend=PLAN, now=NOW)
        await receive(store, receipt("X"), now=NOW + 5)
        await sweep(store, NOW + 6)
        assert await state_of(store, number) is S.DELIVERED
        assert await claim(store, now=NOW + 100_000) == []

    async def test_an_intermediate_one_does_so_too(self, store: Any) -> None:
        (number,), segments = await out(store, TO)
        await doubt(store, segments, resend=PLAN, now=NOW)
        await receive(store, receipt("X", ReceiptState.ENROUTE), now=NOW + 5)
        await sweep(store, NOW + 6)
        assert await state_of(store, number) is S.SENT
        assert await claim(store, now=NOW + 100_000) == []

    async def test_the_id_that_a_doubt_learns_has_the_carriers_form(self, store: Any) -> None:
        ids = [f"{number:x}" for number in range(4096, 4100)]
        await sent(store, ids)
        await receive(store, *(receipt(str(int(one, 16))) for one in ids))
        (number,), segments = await out(store, OTHER)
        await doubt(store, segments, timeout_ms=HOUR)
        await receive(store, receipt("4100", ReceiptState.ENROUTE, source=OTHER), now=NOW + 5)
        await sweep(store, NOW + 6)
        assert (await view(store, number)).segments[0].smsc_id == "1004"
        await receive(store, receipt("4100", source=OTHER), now=NOW + 7)
        assert await state_of(store, number) is S.DELIVERED


class TestSniffing:
    async def test_a_known_id_from_the_recipient_is_a_receipt(self, store: Any) -> None:
        (number,) = await sent(store, ["A"])
        op = await receive(store, sniffed("A"))
        assert (op.result.matched, op.result.inbound, op.result.flags) == (1, 0, {ReceiptFlag.SNIFFED: 1})
        assert await state_of(store, number) is S.DELIVERED
        assert await store.inbound(before=None, limit=9) == []

    @pytest.mark.parametrize(
        ("smsc_id", "source"), [("A", OTHER), ("B", TO), ("", TO)], ids=["another sender", "another id", "no id"]
    )
    async def test_anything_else_is_a_text(self, store: Any, smsc_id: str, source: str) -> None:
        (number,) = await sent(store, ["A"])
        op = await receive(store, sniffed(smsc_id, source=source))
        assert (op.result.matched, op.result.parked, op.result.inbound) == (0, 0, 1)
        assert await state_of(store, number) is S.SENT
        (text,) = await store.inbound(before=None, limit=9)
        assert text.message.text == f"id:{smsc_id} stat:DELIVRD"
        assert (await store.depths()).parked_receipts == 0

    async def test_what_is_finished_gets_no_sniffed_receipt(self, store: Any) -> None:
        await sent(store, ["A"])
        await receive(store, sniffed("A"))
        assert (await receive(store, sniffed("A"))).result.inbound == 1

    async def test_an_early_one_becomes_the_receipt_that_it_was(self, store: Any) -> None:
        (number,), segments = await out(store, TO)
        await receive(store, sniffed("26"), now=NOW + 5)
        assert len(await store.inbound(before=None, limit=9)) == 1
        await answer(store, segments, ids=["1A"], now=NOW + 9)
        assert await store.inbound(before=None, limit=9) == []
        (entry,) = [entry for entry in (await view(store, number)).history if entry.reason is R.RECEIPT]
        assert (entry.at_utc_ms, entry.bind, entry.state) == (NOW + 5, "demo/1", S.DELIVERED)

    @pytest.mark.parametrize(
        ("source", "received"),
        [(OTHER, NOW + 5), (TO, NOW - 1), (TO, NOW + HOUR + 1)],
        ids=["another sender", "before it was sent", "much later"],
    )
    async def test_other_texts_with_its_id_stay_texts(self, store: Any, source: str, received: int) -> None:
        (number,), segments = await out(store, TO)
        await receive(store, sniffed("A", source=source), now=received)
        await answer(store, segments, ids=["A"], now=NOW + HOUR + 2)
        assert await state_of(store, number) is S.SENT
        assert len(await store.inbound(before=None, limit=9)) == 1


async def test_receipts_of_one_carrier_only(store: Any) -> None:
    await sent(store, ["1a"])
    assert (await receive(store, receipt("26"), carrier="other")).result.parked == 1
    assert await store.messages(MessageQuery(account="app", verdict=Verdict.DELIVERED)) == []
