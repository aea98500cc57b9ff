from __future__ import annotations

import pytest

from smppgw.queue.matcher import Candidate, Effect, choose, choose_for_parked, effect_of, resolve_doubts
from smppgw.queue.model import Reason, ReceiptState, SegmentState

from .make import receipt

S, R = SegmentState, Reason


def candidate(number: int, state: SegmentState = S.SENT, recipient: str = "447700900001", at: int = 0) -> Candidate:
    return Candidate(number, state, R.CARRIER_ACCEPTED, 1, at, recipient, "BANK")


@pytest.mark.parametrize(
    ("name", "candidates", "source", "chosen"),
    [
        ("one is enough", [candidate(1)], "447700900001", 1),
        ("one is enough, address masked", [candidate(1)], "4477****01", 1),
        ("one that is finished", [candidate(1, S.DELIVERED)], "447700900001", 1),
        ("one that is finished, another's address", [candidate(1, S.DELIVERED)], "33639980001", None),
        ("reused id: the newest open one", [candidate(1), candidate(2)], "447700900001", 2),
        ("reused id: open before finished", [candidate(1), candidate(2, S.DELIVERED)], "447700900001", 1),
        (
            "reused id: the recipient decides",
            [candidate(1), candidate(2, recipient="33639980001")],
            "447700900001",
            1,
        ),
        ("national format agrees on 7 digits", [candidate(1), candidate(2, recipient="336399")], "07700900001", 1),
        (
            "a late receipt for a finished one, its id in use again",
            [candidate(1, S.DELIVERED), candidate(2, recipient="33639980001")],
            "447700900001",
            1,
        ),
        (
            "nothing agrees, one is open",
            [candidate(1, S.DELIVERED, "336"), candidate(2, recipient="337")],
            "447700900001",
            2,
        ),
        ("nothing agrees, two are open", [candidate(1), candidate(2)], "999", None),
    ],
)
def test_choose(name: str, candidates: list[Candidate], source: str, chosen: int | None) -> None:
    found = choose(receipt("7", source=source, destination="BANK"), candidates)
    assert (found and found.segment_id) == chosen, name


def test_swapped_addresses_agree_as_well() -> None:
    found = choose(receipt("7", source="BANK", destination="447700900001"), [candidate(1), candidate(2, S.DELIVERED)])
    assert found is not None
    assert found.segment_id == 1


DELIVERED, UNDELIVERABLE = ReceiptState.DELIVERED, ReceiptState.UNDELIVERABLE


@pytest.mark.parametrize(
    ("state", "reason", "receipt_state", "effect"),
    [
        (S.SENT, R.CARRIER_ACCEPTED, DELIVERED, Effect(S.DELIVERED, R.RECEIPT)),
        (S.SENT, R.CARRIER_ACCEPTED, ReceiptState.ENROUTE, Effect(None, R.RECEIPT_INTERMEDIATE)),
        (S.SENT, R.CARRIER_ACCEPTED, None, Effect(None, R.RECEIPT_INTERMEDIATE)),
        (S.IN_DOUBT, R.LINK_LOST, UNDELIVERABLE, Effect(S.UNDELIVERABLE, R.RECEIPT)),
        (S.DELIVERED, R.RECEIPT, DELIVERED, Effect(None, R.RECEIPT_REPEATED)),
        (S.DELIVERED, R.RECEIPT, UNDELIVERABLE, Effect(None, R.RECEIPT_CONTRADICTS)),
        (S.DELIVERED, R.RECEIPT, ReceiptState.ENROUTE, Effect(None, R.RECEIPT_INTERMEDIATE)),
        (S.UNKNOWN, R.RECEIPT_OVERDUE, DELIVERED, Effect(S.DELIVERED, R.RECEIPT)),
        (S.UNKNOWN, R.DOUBT_TIMEOUT, ReceiptState.UNKNOWN, Effect(S.UNKNOWN, R.RECEIPT)),
        (S.UNKNOWN, R.RECEIPT, DELIVERED, Effect(None, R.RECEIPT_CONTRADICTS)),
        (S.REJECTED, R.REFUSED, DELIVERED, Effect(None, R.RECEIPT_CONTRADICTS)),
        (S.EXPIRED, R.VALIDITY_EXPIRED, DELIVERED, Effect(S.DELIVERED, R.RECEIPT)),
        (S.EXPIRED, R.RECEIPT, DELIVERED, Effect(None, R.RECEIPT_CONTRADICTS)),
        (S.IN_DOUBT, R.CRASHED, ReceiptState.ENROUTE, Effect(S.SENT, R.RECEIPT_INTERMEDIATE)),
    ],
)
def test_effect(state: SegmentState, reason: Reason, receipt_state: ReceiptState | None, effect: Effect) -> None:
    assert effect_of(state, reason, receipt_state) == effect


def doubtful(number: int, recipient: str = "447700900001", at: int = 0) -> Candidate:
    return candidate(number, S.IN_DOUBT, recipient, at)


def resolved(
    *receipts: tuple[str, str, int], unanswered: list[Candidate], match_ms: int = 1000
) -> list[tuple[int, int]]:
    parked = [(receipt(smsc_id, source=source), at) for smsc_id, source, at in receipts]
    return [(index, segment.segment_id) for index, segment in resolve_doubts(parked, unanswered, match_ms)]


@pytest.mark.parametrize(
    ("name", "source", "received", "chosen"),
    [
        ("it fits", "447700900001", 1000, 1),
        ("the clock was set back a little", "447700900001", -4000, 1),
        ("from before the submit_sm", "447700900001", -6000, None),
        ("another's address", "33639980001", 1000, None),
    ],
)
def test_choose_for_parked(name: str, source: str, received: int, chosen: int | None) -> None:
    found = choose_for_parked(receipt("7", source=source), received, [candidate(1)])
    assert (found and found.segment_id) == chosen, name


class TestResolvingDoubts:
    def test_the_only_one_with_its_addresses(self) -> None:
        assert resolved(("9", "447700900001", 5), unanswered=[doubtful(1), doubtful(2, "336")]) == [(0, 1)]

    def test_all_receipts_with_its_id(self) -> None:
        assert resolved(("9", "447700900001", 5), ("9", "447700900001", 6), unanswered=[doubtful(1)]) == [
            (0, 1),
            (1, 1),
        ]

    def test_two_in_doubt_cannot_be_told_apart(self) -> None:
        assert resolved(("9", "447700900001", 5), unanswered=[doubtful(1), doubtful(2)]) == []

    @pytest.mark.parametrize("state", [S.IN_FLIGHT, S.SENT])
    def test_it_might_belong_to_another_that_is_not_finished(self, state: SegmentState) -> None:
        assert resolved(("9", "447700900001", 5), unanswered=[doubtful(1), candidate(2, state)]) == []

    def test_two_ids_for_one_segment_cannot_be_told_apart(self) -> None:
        assert resolved(("8", "447700900001", 5), ("9", "447700900001", 5), unanswered=[doubtful(1)]) == []

    def test_a_receipt_from_before_it_was_written(self) -> None:
        assert resolved(("9", "447700900001", 5), unanswered=[doubtful(1, at=6)]) == []

    def test_too_long_ago(self) -> None:
        assert resolved(("9", "447700900001", 1001), unanswered=[doubtful(1)]) == []
