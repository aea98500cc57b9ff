from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.queue.ids import Learned, Relation, Shape
from smppgw.queue.matcher import (
    CLOCK_STEP_MS,
    Awaited,
    Candidate,
    Effect,
    Hit,
    Match,
    agree,
    choose,
    choose_for_parked,
    choose_sniffed,
    contradicts,
    early_matters,
    effect_of,
    may_be_early,
    resolve_doubts,
    same_number,
)
from smppgw.queue.model import Reason, ReceiptFlag, ReceiptState, SegmentState, reference_of

from .make import receipt

S, R = SegmentState, Reason
TO, OTHER = "447700900001", "33639980001"
SAME, HEX_DEC, DEC_HEX = Relation.SAME, Relation.HEX_DEC, Relation.DEC_HEX


def candidate(number: int, state: SegmentState = S.SENT, recipient: str = TO, at: int = 0) -> Candidate:
    return Candidate(number, state, R.CARRIER_ACCEPTED, 1, at, recipient, "BANK")


def raw(number: int, state: SegmentState = S.SENT, recipient: str = TO) -> Hit:
    return Hit(candidate(number, state, recipient), frozenset({SAME}), True)


def read(number: int, relation: Relation, state: SegmentState = S.SENT, recipient: str = TO) -> Hit:
    return Hit(candidate(number, state, recipient), frozenset({relation}), False)


NOTHING = Learned()
KNOWN = {relation: Learned(relation) for relation in Relation}
PINNED_SAME = Learned(SAME, pinned=True)


@pytest.mark.parametrize(
    ("name", "hits", "source", "chosen"),
    [
        ("one is enough", [raw(1)], TO, 1),
        ("one is enough, address masked", [raw(1)], "4477****01", 1),
        ("one that is finished", [raw(1, S.DELIVERED)], TO, 1),
        ("one that is finished, another's address", [raw(1, S.DELIVERED)], OTHER, None),
        ("reused id: the newest open one", [raw(1), raw(2)], TO, 2),
        ("reused id: open before finished", [raw(1), raw(2, S.DELIVERED)], TO, 1),
        ("reused id: the recipient decides", [raw(1), raw(2, recipient=OTHER)], TO, 1),
        ("national format agrees on 7 digits", [raw(1), raw(2, recipient="336399")], "07700900001", 1),
        (
            "a late receipt for a finished one, its id in use again",
            [raw(1, S.DELIVERED), raw(2, recipient=OTHER)],
            TO,
            1,
        ),
        ("nothing agrees, one is open", [raw(1, S.DELIVERED, "336"), raw(2, recipient="337")], TO, 2),
        ("nothing agrees, two are open", [raw(1), raw(2)], "999", None),
        ("a converted id alone", [read(1, HEX_DEC)], TO, 1),
        ("a converted id, of a finished one", [read(1, HEX_DEC, S.DELIVERED)], TO, None),
        ("a converted id, address masked", [read(1, HEX_DEC)], "4477****01", None),
        ("two readings agree", [raw(1), read(2, HEX_DEC)], TO, None),
        ("two readings agree, one finished", [raw(1), read(2, DEC_HEX, S.DELIVERED)], TO, None),
        ("masked, and two readings lead to open ones", [raw(1), read(2, HEX_DEC)], "4477****01", None),
        ("masked, the other reading is finished", [raw(1), read(2, HEX_DEC, S.DELIVERED)], "4477****01", 1),
        ("the raw one contradicts, the converted one agrees", [raw(1, recipient=OTHER), read(2, HEX_DEC)], TO, 2),
    ],
)
def test_choose_while_nothing_is_known(name: str, hits: list[Hit], source: str, chosen: int | None) -> None:
    found = choose(receipt("7", source=source, destination="BANK"), hits, NOTHING).segment
    assert (found and found.segment_id) == chosen, name


@pytest.mark.parametrize(
    ("name", "learned", "receipt_id", "hits", "source", "chosen"),
    [
        ("hex -> dec: the converted one", KNOWN[HEX_DEC], "16", [raw(1), read(2, HEX_DEC)], TO, 2),
        ("hex -> dec: the raw one is not it", KNOWN[HEX_DEC], "16", [raw(1)], TO, None),
        ("hex -> dec: nor masked", KNOWN[HEX_DEC], "16", [raw(1)], "4477****01", None),
        ("hex -> dec: what cannot be decimal", KNOWN[HEX_DEC], "1f", [raw(1)], TO, 1),
        ("hex -> dec: what cannot be decimal, masked", KNOWN[HEX_DEC], "1f", [raw(1)], "4477****01", 1),
        ("dec -> hex: the converted one", KNOWN[DEC_HEX], "16", [raw(1), read(2, DEC_HEX)], TO, 2),
        ("same: the raw one", KNOWN[SAME], "16", [raw(1), read(2, HEX_DEC)], TO, 1),
        ("hex -> dec: of a finished one", KNOWN[HEX_DEC], "16", [read(2, HEX_DEC, S.DELIVERED)], TO, 2),
        (
            "same: not the converted one of a finished one",
            KNOWN[SAME],
            "16",
            [read(2, HEX_DEC, S.DELIVERED)],
            TO,
            None,
        ),
        ("same: not the converted one", KNOWN[SAME], "16", [read(2, HEX_DEC)], TO, None),
        ("same: other case or zeros", KNOWN[SAME], "16", [read(2, SAME)], TO, 2),
        ("same: raw before other case or zeros", KNOWN[SAME], "16", [raw(1), read(2, SAME)], TO, 1),
        ("same: masked", KNOWN[SAME], "16", [raw(1), read(2, HEX_DEC)], "4477****01", 1),
        ("pinned same: the id is enough", PINNED_SAME, "16", [raw(1)], OTHER, 1),
    ],
)
def test_choose_by_the_carriers_relation(
    name: str, learned: Learned, receipt_id: str, hits: list[Hit], source: str, chosen: int | None
) -> None:
    found = choose(receipt(receipt_id, source=source, destination="BANK"), hits, learned).segment
    assert (found and found.segment_id) == chosen, name


def seen(*message_ids: str) -> Shape:
    shape = Shape()
    shape.see(message_ids)
    return shape


@pytest.mark.parametrize(
    ("name", "receipt_id", "ids_seen", "unanswered", "chosen"),
    [
        ("the id cannot be read otherwise", "5f0c-ab", ["5f0c-ab"], [], 1),
        ("a converted id would be far from all others", "1234567890", ["1234567890"], [], 1),
        ("it may be hexadecimal 10", "16", ["16", "1a"], [], None),
        ("it may be early for somebody else", "1234567890", ["1234567890"], [OTHER], None),
        ("somebody else is waited for, but not at this number", "1234567890", ["1234567890"], ["4670000000"], 1),
    ],
)
@pytest.mark.parametrize("relation", [None, SAME])
def test_an_id_whose_addresses_name_somebody_else(
    name: str,
    receipt_id: str,
    ids_seen: list[str],
    unanswered: list[str],
    chosen: int | None,
    relation: Relation | None,
) -> None:
    learned = Learned(relation, shape=seen(*ids_seen))
    given = receipt(receipt_id, source=OTHER)
    assert early_matters(given, [raw(1)], learned), name
    early = may_be_early(given, 1000, Awaited((one, 500) for one in unanswered))
    found = choose(given, [raw(1)], learned, early=early)
    assert (found.segment and found.segment.segment_id) == chosen, name
    assert (ReceiptFlag.ADDRESS_DIFFERS in found.flags) is (chosen is not None)


@pytest.mark.parametrize(
    ("name", "hits", "shape", "chosen"),
    [
        ("a converted id", [read(1, HEX_DEC)], Shape(), None),
        ("the very id, which may be a converted one", [raw(1)], seen("16", "1a"), None),
        ("the very id, which can hardly be one", [raw(1)], seen("4096", "4097"), 1),
    ],
)
def test_while_nothing_is_known_a_receipt_that_may_be_early_waits(
    name: str, hits: list[Hit], shape: Shape, chosen: int | None
) -> None:
    learned = Learned(shape=shape)
    assert early_matters(receipt("16"), hits, learned)
    found = choose(receipt("16"), hits, learned, early=True)
    assert (found.segment and found.segment.segment_id) == chosen, name
    assert bool(found.votes) is (chosen is not None)
    assert choose(receipt("16"), hits, learned, early=False).segment is not None


def test_a_receipt_is_not_early_for_what_was_written_after_it() -> None:
    assert may_be_early(receipt("7"), 1000, Awaited([(TO, 900)]))
    assert not may_be_early(receipt("7"), 1000, Awaited([(TO, 90_000), (OTHER, 1)]))


_ADDRESSES = st.one_of(
    st.sampled_from([TO, "+" + TO, "07700 900001", "900001", "90 0001", "0900001", "BANK", "", "4477****01"]),
    st.text("0123 +", max_size=9),
)


@given(st.lists(st.tuples(_ADDRESSES, st.integers(0, 20_000))), _ADDRESSES, _ADDRESSES)
def test_one_look_finds_what_comparing_with_each_would(
    unanswered: list[tuple[str, int]], source: str, destination: str
) -> None:
    given_one = receipt("7", source=source, destination=destination)
    slowly = any(at <= 10_000 + CLOCK_STEP_MS and agree(to, source, destination) for to, at in unanswered)
    assert may_be_early(given_one, 10_000, Awaited(unanswered)) is slowly


def test_an_id_that_may_be_used_again_is_not_the_finished_one_yet() -> None:
    finished, known = [raw(1, S.DELIVERED)], KNOWN[SAME]
    assert early_matters(receipt("7"), finished, known)
    assert choose(receipt("7"), finished, known, early=True) == Match()
    assert choose(receipt("7"), finished, known).segment == candidate(1, S.DELIVERED)
    assert not early_matters(receipt("7"), [*finished, raw(2)], known)


def test_what_was_odd_is_flagged() -> None:
    assert choose(receipt("7"), [raw(1)], NOTHING).flags == ()
    assert choose(receipt("7", source="44*"), [raw(1)], NOTHING).flags == (ReceiptFlag.ADDRESS_DIFFERS,)
    assert choose(receipt("7"), [read(1, DEC_HEX)], NOTHING).flags == (ReceiptFlag.ID_CONVERTED,)


def test_only_receipts_whose_addresses_agree_say_something_of_the_ids() -> None:
    assert choose(receipt("7"), [raw(1), read(2, HEX_DEC, recipient=OTHER)], NOTHING).votes == {SAME}
    assert choose(receipt("7", source="44*"), [raw(1)], NOTHING).votes == set()


def test_swapped_addresses_agree_as_well() -> None:
    found = choose(receipt("7", source="BANK", destination=TO), [raw(1), raw(2, S.DELIVERED)], NOTHING).segment
    assert found is not None
    assert found.segment_id == 1


@pytest.mark.parametrize(
    ("recipient", "address", "agrees"),
    [
        (TO, TO, True),
        (TO, "+447700900001", True),
        (TO, "0900001", True),
        (TO, "900001", False),
        (TO, "+44 7700 900-001", True),
        (TO, "447700***001", False),
        (TO, "", False),
        ("8080", "8080", True),
        ("8080", "+8080", True),
        ("8080", "447700908080", False),
        ("336399", "1336399", False),
    ],
)
def test_addresses_agree_on_seven_digits_and_short_ones_as_a_whole(
    recipient: str, address: str, agrees: bool
) -> None:
    assert agree(recipient, "BANK", address) is agrees


@pytest.mark.parametrize(
    ("source", "destination", "contradicting"),
    [
        (OTHER, "BANK", True),
        ("BANK", OTHER, True),
        (TO, "BANK", False),
        ("BANK", "447700900001", False),
        ("4477****01", "BANK", False),
        (OTHER, "4477****01", False),
        ("", "BANK", False),
        ("8080", "BANK", False),
    ],
)
def test_addresses_contradict_when_they_name_somebody_else(
    source: str, destination: str, contradicting: bool
) -> None:
    assert contradicts(candidate(1), receipt("7", source=source, destination=destination)) is contradicting


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (TO, "+447700900001", True),
        (TO, "07700900001", True),
        (TO, "00447700900001", True),
        (TO, "900001", False),
        (TO, "447700900002", False),
        ("8080", "8080", True),
        ("8080", "447700908080", False),
    ],
)
def test_a_sniffed_receipt_comes_from_the_whole_number(one: str, other: str, same: bool) -> None:
    assert same_number(one, other) is same
    assert same_number(other, one) is same


class TestSniffing:
    def test_the_sender_must_be_the_recipient(self) -> None:
        assert choose_sniffed(receipt("7", source=OTHER, destination=TO), [raw(1)], NOTHING).segment is None
        found = choose_sniffed(receipt("7", source="+" + TO), [raw(1)], NOTHING)
        assert (found.segment, found.flags) == (candidate(1), (ReceiptFlag.SNIFFED,))

    def test_the_segment_must_be_open(self) -> None:
        assert choose_sniffed(receipt("7"), [raw(1, S.DELIVERED)], NOTHING).segment is None

    def test_only_the_carriers_own_form_counts_and_no_text_changes_it(self) -> None:
        found = choose_sniffed(receipt("16"), [raw(1), read(2, HEX_DEC)], KNOWN[HEX_DEC])
        assert found == Match(candidate(2), (ReceiptFlag.ID_CONVERTED, ReceiptFlag.SNIFFED))
        assert choose_sniffed(receipt("16"), [read(2, HEX_DEC)], KNOWN[SAME]) == Match()
        assert choose_sniffed(receipt("16"), [read(2, HEX_DEC)], NOTHING).votes == {HEX_DEC}


DELIVERED, UNDELIVERABLE = ReceiptState.DELIVERED, ReceiptState.UNDELIVERABLE


@pytest.mark.parametrize(
    ("state", "reason", "receipt_state", "effect"),
    [
        (S.SENT, R.CARRIER_ACCEPTED, DELIVERED, Effect(S.DELIVERED, R.RECEIPT)),
        (S.SENT, R.CARRIER_ACCEPTED, ReceiptState.ENROUTE, Effect(None, R.RECEIPT_INTERMEDIATE)),
        (S.SENT, R.CARRIER_ACCEPTED, None, Effect(None, R.RECEIPT_INTERMEDIATE)),
        (S.QUEUED, R.RESENT_AFTER_DOUBT, DELIVERED, Effect(S.DELIVERED, R.RECEIPT)),
        (S.QUEUED, R.RESENT_AFTER_DOUBT, ReceiptState.ENROUTE, Effect(S.SENT, R.RECEIPT_INTERMEDIATE)),
        (S.CANCELLED, R.CANCELLED_BY_APP, ReceiptState.DELETED, Effect(None, R.RECEIPT_REPEATED)),
        (S.CANCELLED, R.CANCELLED_BY_APP, DELIVERED, Effect(None, R.RECEIPT_CONTRADICTS)),
        (S.IN_DOUBT, R.LINK_LOST, None, Effect(S.SENT, R.RECEIPT_INTERMEDIATE)),
        (S.IN_DOUBT, R.LINK_LOST, UNDELIVERABLE, Effect(S.UNDELIVERABLE, R.RECEIPT)),
        (S.DELIVERED, R.RECEIPT, DELIVERED, Effect(None, R.RECEIPT_REPEATED)),
        (S.DELIVERED, R.RECEIPT, UNDELIVERABLE, Effect(None, R.RECEIPT_CONTRADICTS)),
        (S.DELIVERED, R.RECEIPT, ReceiptState.ENROUTE, Effect(None, R.RECEIPT_INTERMEDIATE)),
        (S.UNKNOWN, R.RECEIPT_OVERDUE, DELIVERED, Effect(S.DELIVERED, R.RECEIPT)),
        (S.UNKNOWN, R.DOUBT_TIMEOUT, ReceiptState.UNKNOWN, Effect(S.UNKNOWN, R.RECEIPT)),
        (S.UNKNOWN, R.RECEIPT, DELIVERED, Effect(None, R.RECEIPT_CONTRADICTS)),
        (S.REJECTED, R.REFUSED, DELIVERED, Effect(None, R.RECEIPT_CONTRADICTS)),
        (S.UNKNOWN, R.RECEIPT_QUERIED, DELIVERED, Effect(S.DELIVERED, R.RECEIPT)),
        (S.EXPIRED, R.RECEIPT_QUERIED, DELIVERED, Effect(None, R.RECEIPT_CONTRADICTS)),
        (S.IN_FLIGHT, R.CLAIMED, DELIVERED, Effect(S.DELIVERED, R.RECEIPT)),
        (S.EXPIRED, R.VALIDITY_EXPIRED, DELIVERED, Effect(S.DELIVERED, R.RECEIPT)),
        (S.EXPIRED, R.RECEIPT, DELIVERED, Effect(None, R.RECEIPT_CONTRADICTS)),
        (S.IN_DOUBT, R.CRASHED, ReceiptState.ENROUTE, Effect(S.SENT, R.RECEIPT_INTERMEDIATE)),
    ],
)
def test_effect(state: SegmentState, reason: Reason, receipt_state: ReceiptState | None, effect: Effect) -> None:
    assert effect_of(state, reason, receipt_state) == effect


def doubtful(number: int, recipient: str = "447700900001", at: int = 0) -> Candidate:
    return candidate(number, S.IN_DOUBT, recipient, at)._replace(in_doubt=True)


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
    found = choose_for_parked(receipt("7", source=source), received, [raw(1)], NOTHING).segment
    assert (found and found.segment_id) == chosen, name


@pytest.mark.parametrize(
    ("name", "early", "settled", "hits", "chosen"),
    [
        ("its response may still come", False, False, [read(1, DEC_HEX)], None),
        ("it has waited long enough", False, True, [read(1, DEC_HEX)], 1),
        ("something to its number is still not answered", True, True, [read(1, DEC_HEX)], None),
        ("two of them", False, True, [read(1, DEC_HEX), raw(2)], None),
        ("one that is finished", False, True, [read(1, DEC_HEX, S.DELIVERED)], None),
        ("the carrier's own form", True, False, [read(1, DEC_HEX), read(2, HEX_DEC)], 2),
    ],
)
def test_another_form_than_the_carriers_is_the_last_resort(
    name: str, early: bool, settled: bool, hits: list[Hit], chosen: int | None
) -> None:
    found = choose_for_parked(receipt("16"), 1000, hits, KNOWN[HEX_DEC], early=early, settled=settled).segment
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

    @pytest.mark.parametrize("state", [S.QUEUED, S.IN_FLIGHT])
    def test_one_that_is_to_be_sent_again(self, state: SegmentState) -> None:
        again = doubtful(1)._replace(state=state, reason=R.THROTTLED)
        assert resolved(("9", TO, 5), unanswered=[again]) == [(0, 1)]
        assert resolved(("9", TO, 5), unanswered=[again._replace(in_doubt=False)]) == []

    def test_its_reference_tells_it_from_others_to_the_same_phone(self) -> None:
        echo = replace(receipt("9", source=TO), user_message_reference=reference_of(2))
        unanswered = [doubtful(1), doubtful(2), candidate(3)]
        assert [(index, one.segment_id) for index, one in resolve_doubts([(echo, 5)], unanswered, 1000)] == [(0, 2)]

    @pytest.mark.parametrize(
        ("name", "source", "state", "received"),
        [
            ("another's phone", OTHER, S.IN_DOUBT, 5),
            ("answered already", TO, S.SENT, 5),
            ("before it was written", TO, S.IN_DOUBT, -1),
        ],
    )
    def test_a_reference_alone_is_not_enough(
        self, name: str, source: str, state: SegmentState, received: int
    ) -> None:
        echo = replace(receipt("9", source=source), user_message_reference=reference_of(2))
        assert resolve_doubts([(echo, received)], [candidate(2, state)], 1000) == [], name

    def test_the_reference_of_another_one_speaks_against_it(self) -> None:
        echo = replace(receipt("9", source=TO), user_message_reference=reference_of(7))
        assert resolve_doubts([(echo, 5)], [doubtful(1)], 1000) == []
        unused = replace(echo, user_message_reference=0)
        assert len(resolve_doubts([(unused, 5)], [doubtful(1)], 1000)) == 1
