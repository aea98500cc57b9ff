"""Rules: what fits, whose turn it is, what cannot be; and on the wire, what each effect does to an ESME."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from simulator import SimulatorSettings
from simulator.delays import Delay
from simulator.fates import MessageState
from simulator.odd import MALFORMED
from simulator.quirks import Octets, Over, ReceiptQuirks, StatusCode
from simulator.rules import (
    Cut,
    Live,
    On,
    Per,
    RateEffect,
    ReceiptEffect,
    ResponseEffect,
    Rule,
    Rulebook,
    SessionEffect,
    When,
    rule_problems,
)
from smppgw.smpp import (
    BindReceiver,
    BindTransmitter,
    DataSm,
    DataSmResp,
    DeliverSm,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    QuerySm,
    QuerySmResp,
    SmeAddress,
    Status,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSmResp,
    Tag,
    Unbind,
    UnbindResp,
    read_receipt,
)

from .esme import Esme, bound, serving, submit_sm

THROTTLED = StatusCode(Status.ESME_RTHROTTLED)
REFUSED = ResponseEffect(statuses={THROTTLED: 1.0})


def fits(when: When, *, to: str = "447700900123", text: str = "hello", at_s: float = 0.0, **other: str) -> bool:
    live = Live(Rule(when=when), "1")
    return live.fits_submit(other.get("system_id", "alice"), other.get("source", "SHOP"), to, lambda: text, at_s)


# --- what is meant --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "given", "expected"),
    [
        (When(), {}, True),
        (When(destination="447700900123"), {}, True),
        (When(destination="447700900124"), {}, False),
        (When(destination="+4477*"), {}, True),
        (When(destination="4477*"), {"to": "+447700900123"}, True),
        (When(destination="4477009001??"), {}, True),
        (When(destination="4477009001?"), {}, False),
        (When(destination="/^44.*[13]$/"), {}, True),
        (When(source="SHOP"), {}, True),
        (When(source="shop"), {}, False),
        (When(system_id="al*"), {}, True),
        (When(system_id="bob"), {}, False),
        (When(text="*STOP*"), {"text": "please\nSTOP now"}, True),
        (When(text="/(?i)stop/"), {"text": "Stop"}, True),
        (When(text="a[b]c*"), {"text": "a[b]cd"}, True),
        (When(text="/(a+)+$/"), {"text": "a" * 5000 + "b"}, False),  # given up, and so not meant
        (When(from_s=5), {"at_s": 4.9}, False),
        (When(from_s=5), {"at_s": 5.0}, True),
        (When(until_s=5), {"at_s": 5.0}, False),
        (When(from_s=5, until_s=6, each_s=60), {"at_s": 125.5}, True),
        (When(from_s=5, until_s=6, each_s=60), {"at_s": 126.0}, False),
    ],
)
def test_what_fits(when: When, given: dict[str, Any], expected: bool) -> None:
    assert fits(when, **given) is expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (When(), [1, 2, 3, 4, 5, 6, 7, 8]),
        (When(first=3), [1, 2, 3]),
        (When(every=3), [3, 6]),
        (When(after=2), [3, 4, 5, 6, 7, 8]),
        (When(after=2, every=2), [4, 6, 8]),
        (When(after=2, every=2, first=2), [4, 6]),
        (When(after=-1, every=2), [1, 3, 5, 7]),
    ],
)
def test_whose_turn_it_is(when: When, expected: list[int]) -> None:
    live = Live(Rule(when=when), "1")
    found = [n for n in range(1, 9) if live.fits_submit("alice", "", "1", lambda: "", 0.0)]
    assert found == expected


def test_counts_are_of_what_fits_otherwise() -> None:
    live = Live(Rule(when=When(destination="1", every=2)), "1")
    found = [live.fits_submit("alice", "", to, lambda: "", 0.0) for to in "1212112"]
    assert found == [False, False, True, False, False, True, False]


def test_the_first_that_fits_decides_and_the_others_do_not_count() -> None:
    book = Rulebook([Rule(when=When(destination="1*", first=1)), Rule(when=When(first=1)), Rule()], 1)
    deciding = [book.submit("alice", "", "12", lambda: "", 0.0) for _ in range(4)]
    assert [book.lives.index(live) for live in deciding if live] == [0, 1, 2, 2]


def test_a_text_is_read_once_and_only_where_a_rule_asks() -> None:
    read: list[int] = []

    def text() -> str:
        read.append(1)
        return "b"

    book = Rulebook([Rule(when=When(text="a")), Rule(when=When(text="b"))], 1)
    assert book.submit("alice", "", "1", text, 0.0) is book.lives[1]
    assert len(read) == 1
    Rulebook([Rule(when=When(destination="2"))], 1).submit("alice", "", "1", text, 0.0)
    assert len(read) == 1


@given(st.floats(0.01, 1.0), st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_fates(share: float, seed: int) -> None:
    rules = [Rule(when=When(share=share), response=ResponseEffect(statuses={THROTTLED: 1, StatusCode(0): 1}))]

    def fates() -> list[int | None]:
        book = Rulebook(rules, seed)
        lives = [book.submit("alice", "", "1", lambda: "", 0.0) for _ in range(30)]
        return [live.draw_status() if live is not None else None for live in lives]

    assert fates() == fates()


def test_a_rule_draws_from_a_chance_of_its_own() -> None:
    """Another rule, before or behind it in time, changes nothing about what it picks."""
    shared = Rule(when=When(destination="1", share=0.5))

    def picked(others: int) -> list[bool]:
        book = Rulebook([shared, Rule(when=When(destination="2", share=0.5))], 7)
        found = []
        for _ in range(50):
            for _ in range(others):
                book.submit("alice", "", "2", lambda: "", 0.0)
            found.append(book.submit("alice", "", "1", lambda: "", 0.0) is not None)
        return found

    assert picked(0) == picked(3)
    assert 10 < sum(picked(0)) < 40


def test_time_begins_when_it_is_first_asked_for() -> None:
    book = Rulebook([Rule(when=When(until_s=10))], 1)
    assert book.submit("alice", "", "1", lambda: "", 1000.0) is not None
    assert book.submit("alice", "", "1", lambda: "", 1009.9) is not None
    assert book.submit("alice", "", "1", lambda: "", 1010.0) is None


@pytest.mark.parametrize(
    ("when", "asked_s", "expected"),
    [
        (When(from_s=5), 0.0, 5),
        (When(from_s=5), 5.0, 5),
        (When(from_s=5), 5.1, None),
        (When(from_s=5, each_s=60), 5.1, 65),
        (When(from_s=5, each_s=60), 126.0, 185),
        (When(each_s=60), 60.0, 60),
    ],
)
def test_when_a_rule_on_time_is_due(when: When, asked_s: float, expected: float | None) -> None:
    assert Live(Rule(when=when), "1").next_s(asked_s) == expected


def test_what_is_counted_apart_is_bounded() -> None:
    live = Live(Rule(rate=RateEffect(per_s=1), per=Per.DESTINATION), "1")
    for number in range(25_000):
        assert live.limit(str(number), 0.0, 0) == 0
    assert live.limit("24999", 0.0, 0) == THROTTLED
    assert live.limit("0", 0.0, 0) == 0  # forgotten
    assert len(live._buckets._things) == 10_000


# --- what cannot be -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule(when=When(destination="/(/"), why="x"), "when.destination: '/(/' is no regular expression"),
        (Rule(when=When(every=0), why="x"), "when.every: must be 1 or more"),
        (Rule(when=When(share=0), why="x"), "when.share: 0 is not a share"),
        (Rule(when=When(from_s=2, until_s=2), why="x"), "when.until_s: must be later than from_s"),
        (Rule(when=When(from_s=60, each_s=60), why="x"), "when.from_s: must lie within each_s"),
        (Rule(), "why: a rule without an effect"),
        (Rule(when=When(on=On.BIND), receipts=ReceiptEffect()), "receipts: only for on = 'submit'"),
        (Rule(when=When(on=On.BIND, text="x")), "when.text: only for on = 'submit'"),
        (Rule(when=When(on=On.BIND), response=ResponseEffect(body=False)), "response.body: not for on = 'bind'"),
        (Rule(when=When(on=On.TIME)), "session: needed for on = 'time'"),
        (
            Rule(when=When(on=On.TIME, first=1), session=SessionEffect(unbind=True)),
            "when.first: not for on = 'time'",
        ),
        (Rule(when=When(on=On.TIME), response=REFUSED, session=SessionEffect(unbind=True)), "response: not for on"),
        (Rule(session=SessionEffect()), "session: does nothing"),
        (Rule(session=SessionEffect(after_s=-1, unbind=True)), "session.after_s: must be 0 or more"),
        (Rule(rate=RateEffect(per_s=0)), "rate.per_s: 0 is not a rate"),
        (Rule(rate=RateEffect(per_s=1, burst=0.5)), "rate.burst: must be 1 or more"),
        (Rule(queue=-1), "queue: must be 0 or more"),
        (Rule(response=ResponseEffect(malformed="moon")), "response.malformed: unknown 'moon'; known: endless_id"),
        (Rule(response=ResponseEffect(copies=0)), "response.copies: must be 1 or more"),
        (Rule(response=ResponseEffect(copies=9999)), "response.copies: must be at most"),
        (Rule(response=ResponseEffect(statuses={THROTTLED: -1})), "response.statuses: weights"),
        (Rule(response=ResponseEffect(delay=Delay(2, 1))), "response.delay: 2:1 is not a delay"),
        (Rule(response=ResponseEffect(sequence_offset=2**31)), "response.sequence_offset: sequence_number has 31"),
        (Rule(response=ResponseEffect(tlvs={"moon": Octets(b"")})), "response.tlvs: 'moon' is not a tag"),
        (Rule(response=ResponseEffect(never=True, lost=True)), "response: never and lost exclude each other"),
        (Rule(receipts=ReceiptEffect(early=True, never=True)), "receipts: early and never exclude each other"),
        (Rule(receipts=ReceiptEffect(early=True, delay=Delay(1, 1))), "receipts: early and delay exclude"),
        (Rule(receipts=ReceiptEffect(outcomes={MessageState.DELIVERED: 0})), "receipts.outcomes: weights"),
        (Rule(receipts=ReceiptEffect(dialect=ReceiptQuirks(esm_class=256))), "receipts.esm_class: 256 is not one"),
    ],
)
def test_what_cannot_be_is_told_by_its_key(rule: Rule, said: str) -> None:
    found = list(rule_problems([Rule(why="fine"), rule]))
    assert any(problem.startswith(f"rules[1].{said}") for problem in found), found


def test_what_can_be_has_no_problem() -> None:
    everything = Rule(
        when=When(
            system_id="a*", source="SHOP", destination="/./", text="?", from_s=1, until_s=2, each_s=3, share=0.5
        ),
        response=ResponseEffect(statuses={THROTTLED: 1}, delay=Delay(1, 2), tlvs={"0x1500": Octets(b"x")}),
        receipts=ReceiptEffect(delay=Delay(1, 1), dialect=ReceiptQuirks(over=Over.OTHER)),
        session=SessionEffect(cut=Cut.AFTER, after_pdus=3, after_s=1),
        rate=RateEffect(per_s=1, burst=2),
        queue=3,
        window=4,
        per=Per.SOURCE,
    )
    assert list(rule_problems([everything])) == []


# --- on the wire: submits -------------------------------------------------------------------------------------------


def ruled(*rules: Rule, **settings: Any) -> Any:
    return bound(rules=rules, **settings)


async def statuses(esme: Esme, *numbers: str, text: bytes = b"hello") -> list[int]:
    return [(await esme.submit(number, text)).command_status for number in numbers]


async def receipts(esme: Esme, within_s: float = 600.0) -> list[tuple[str, int]]:
    """(stat, esm_class) of the reports that come; each is acknowledged."""
    found = []
    with trio.move_on_after(within_s):
        while await esme.read():
            for pdu in [one for one in esme.inbox if isinstance(one, DeliverSm)]:
                esme.inbox.remove(pdu)
                receipt = read_receipt(pdu)
                found.append((receipt.stat if receipt else "", pdu.esm_class))
                await esme.acknowledge(pdu)
    return found


async def test_statuses_by_pattern_and_turn(autojump_clock: MockClock) -> None:
    async with ruled(Rule(when=When(destination="44*", every=2), response=REFUSED)) as (smsc, esme):
        assert await statuses(esme, "441", "49", "442", "443", "49", "444") == [0, 0, 0x58, 0, 0, 0x58]
        assert (smsc.stats.accepted, smsc.stats.submits_by_status[0x58]) == (4, 2)


async def test_texts_are_matched_as_a_phone_shows_them(autojump_clock: MockClock) -> None:
    rule = Rule(when=When(text="*Ž*"), response=REFUSED)
    async with ruled(rule) as (_, esme):
        assert (await esme.submit(text="aŽb".encode("utf-16-be"), data_coding=8)).command_status == 0x58
        assert (await esme.submit(text=b"aZb")).command_status == 0


async def test_what_is_refused_otherwise_is_not_counted(autojump_clock: MockClock) -> None:
    """First the limits of the SMSC, then the rules: what it throttles uses up none of the `first`."""
    rule = Rule(when=When(first=1), response=ResponseEffect(statuses={StatusCode(Status.ESME_RSYSERR): 1}))
    async with ruled(rule, refusals={"9": 0x0B}) as (_, esme):
        assert await statuses(esme, "9", "9", "1", "1") == [0x0B, 0x0B, 8, 0]


async def test_weights_of_statuses(autojump_clock: MockClock) -> None:
    rule = Rule(response=ResponseEffect(statuses={THROTTLED: 1, StatusCode(0): 3}))
    async with ruled(rule) as (smsc, esme):
        await esme.send(*(submit_sm(str(n)) for n in range(400)))
        await smsc.wait_until(lambda: smsc.stats.submits == 400)
        assert 70 < smsc.stats.submits_by_status[0x58] < 130


async def test_delays(autojump_clock: MockClock) -> None:
    rule = Rule(when=When(destination="1"), response=ResponseEffect(delay=Delay(5, 5)))
    async with ruled(rule) as (_, esme):
        await esme.send(submit_sm("1"), submit_sm("2"))
        began = trio.current_time()
        assert (await esme.expect(SubmitSmResp)).sequence_number == 3
        assert trio.current_time() == began
        assert (await esme.expect(SubmitSmResp)).sequence_number == 2
        assert trio.current_time() == pytest.approx(began + 5, abs=0.01)


async def test_never_and_lost(autojump_clock: MockClock) -> None:
    rules = (
        Rule(when=When(destination="1"), response=ResponseEffect(never=True)),
        Rule(when=When(destination="2"), response=ResponseEffect(lost=True)),
    )
    async with ruled(*rules) as (smsc, esme):
        await esme.send(submit_sm("1", registered_delivery=1), submit_sm("2", registered_delivery=1))
        assert await receipts(esme, 20) == [("DELIVRD", 4)]
        assert not [pdu for pdu in esme.inbox if isinstance(pdu, SubmitSmResp)]
        assert smsc.summary()["by_status"] == {"ESME_ROK": 1, "unanswered": 1}


async def test_generic_nack(autojump_clock: MockClock) -> None:
    rule = Rule(response=ResponseEffect(generic_nack=StatusCode(Status.ESME_RSYSERR)))
    async with ruled(rule) as (smsc, esme):
        await esme.send(submit_sm("1"))
        nack = await esme.expect(GenericNack)
        assert (nack.command_status, nack.sequence_number, smsc.stats.accepted) == (8, 2, 0)


async def test_sequence_copies_body_and_tlvs(autojump_clock: MockClock) -> None:
    rules = (
        Rule(when=When(destination="1"), response=ResponseEffect(sequence_offset=100, copies=3)),
        Rule(when=When(destination="2"), response=ResponseEffect(body=False)),
        Rule(when=When(destination="3"), response=ResponseEffect(message_id=False, tlvs={"0x1500": Octets(b"x")})),
    )
    async with ruled(*rules) as (_, esme):
        await esme.send(submit_sm("1"), submit_sm("2"), submit_sm("3"))
        found = [await esme.expect(SubmitSmResp) for _ in range(5)]
        assert [pdu.sequence_number for pdu in found] == [102, 102, 102, 3, 4]
        assert [pdu.message_id for pdu in found] == ["1000", "1000", "1000", "", ""]
        assert found[4].tlvs == {0x1500: b"x"}
        assert len(esme.frames[-2]) == 16


@pytest.mark.parametrize("kind", MALFORMED)
async def test_malformed_responses(autojump_clock: MockClock, kind: str) -> None:
    rule = Rule(when=When(first=1), response=ResponseEffect(malformed=kind))
    async with ruled(rule) as (smsc, esme):
        await esme.send(submit_sm("1"))
        await trio.testing.wait_all_tasks_blocked()
        octets = bytes(await esme.stream.receive_some(4096))
        assert octets == MALFORMED[kind](0x80000004, 2, "1000")
        assert (smsc.stats.accepted, len(smsc.binds)) == (1, 1)


async def test_data_sm_and_submit_multi(autojump_clock: MockClock) -> None:
    rules = (
        Rule(when=When(destination="1"), response=REFUSED),
        Rule(when=When(destination="2"), response=ResponseEffect(delay=Delay(5, 5))),
    )
    async with ruled(*rules) as (_, esme):
        await esme.send(DataSm(destination_addr="1", tlvs={int(Tag.MESSAGE_PAYLOAD): b"x"}))
        assert (await esme.expect(DataSmResp)).command_status == 0x58
        await esme.send(SubmitMulti(dest_addresses=tuple(SmeAddress(1, 1, to) for to in "123"), short_message=b"x"))
        began = trio.current_time()
        response = await esme.expect(SubmitMultiResp)
        assert trio.current_time() == pytest.approx(began + 5, abs=0.01)
        assert [(one.destination_addr, one.error_status_code) for one in response.unsuccess_smes] == [("1", 0x58)]


async def test_window(autojump_clock: MockClock) -> None:
    """Three at most without a response: those above are told so."""
    async with ruled(Rule(window=3, response=ResponseEffect(delay=Delay(1, 1)))) as (_, esme):
        await esme.send(*(submit_sm(str(n)) for n in range(2)))
        await trio.sleep(0.1)
        await esme.send(*(submit_sm(str(n)) for n in range(3)))
        found = sorted([(await esme.expect(SubmitSmResp)) for _ in range(5)], key=lambda pdu: pdu.sequence_number)
        assert [pdu.command_status for pdu in found] == [0, 0, 0, 0x58, 0x58]
        assert await statuses(esme, "1") == [0]


async def test_rate_for_each_destination(autojump_clock: MockClock) -> None:
    rule = Rule(rate=RateEffect(per_s=1, burst=2, status=StatusCode(Status.ESME_RX_T_APPN)), per=Per.DESTINATION)
    async with ruled(rule) as (_, esme):
        assert await statuses(esme, "1", "1", "1", "2") == [0, 0, 0x64, 0]
        await trio.sleep(1)
        assert await statuses(esme, "1", "1") == [0, 0x64]


async def test_a_queue_is_full_until_messages_reach_their_state(autojump_clock: MockClock) -> None:
    rule = Rule(queue=2, per=Per.DESTINATION, receipts=ReceiptEffect(delay=Delay(10, 10)))
    async with ruled(rule) as (_, esme):
        assert await statuses(esme, "1", "1", "1", "2") == [0, 0, 0x14, 0]
        await trio.sleep(10.1)
        assert await statuses(esme, "1") == [0]


# --- on the wire: receipts ------------------------------------------------------------------------------------------


async def test_outcomes_delay_and_dialect(autojump_clock: MockClock) -> None:
    rule = Rule(
        when=When(destination="1"),
        receipts=ReceiptEffect(
            outcomes={MessageState.EXPIRED: 1},
            delay=Delay(60, 60),
            dialect=ReceiptQuirks(esm_class=0, texts=("gone: {id}",), sequence=("ENROUTE", "final", "final")),
        ),
    )
    async with ruled(rule, receipt_delay=Delay(1, 1)) as (smsc, esme):
        await esme.submit("1", registered_delivery=1)
        await esme.submit("2", registered_delivery=1)
        first = await esme.expect(DeliverSm)
        assert (first.source_addr, first.esm_class) == ("2", 4)
        await esme.acknowledge(first)
        began = trio.current_time()
        reports = [await esme.expect(DeliverSm) for _ in range(3)]
        assert trio.current_time() - began > 50
        assert [pdu.tlvs[Tag.MESSAGE_STATE] for pdu in reports] == [b"\x01", b"\x03", b"\x03"]
        assert {(pdu.esm_class, pdu.short_message) for pdu in reports} == {(0, b"gone: 1000")}
        assert smsc.fate("1000") == "EXPIRED"


async def test_no_receipt_though_one_was_asked_for(autojump_clock: MockClock) -> None:
    async with ruled(Rule(receipts=ReceiptEffect(never=True))) as (smsc, esme):
        response = await esme.submit("1", registered_delivery=0x11)
        assert await esme.nothing_for(50)
        assert (smsc.fate(response.message_id), smsc.waiting) == ("DELIVRD", 0)


async def test_early_receipts(autojump_clock: MockClock) -> None:
    async with ruled(Rule(receipts=ReceiptEffect(early=True)), receipt_delay=Delay(9, 9)) as (_, esme):
        await esme.send(submit_sm("1", registered_delivery=1))
        assert isinstance(await esme.expect(DeliverSm), DeliverSm)
        assert not [pdu for pdu in esme.inbox if isinstance(pdu, SubmitSmResp)]
        assert (await esme.expect(SubmitSmResp)).message_id == "1000"


async def test_receipts_over_a_bind_of_the_rules_choice(autojump_clock: MockClock) -> None:
    rules = (
        Rule(when=When(destination="1"), receipts=ReceiptEffect(dialect=ReceiptQuirks(over=Over.TRANSMITTER))),
        Rule(when=When(destination="2"), receipts=ReceiptEffect(dialect=ReceiptQuirks(over=Over.OTHER))),
    )
    async with serving(rules=rules) as (smsc, connect):
        transmitter, receiver, both = [await connect() for _ in range(3)]
        await transmitter.bind(kind=BindTransmitter)
        await receiver.bind(kind=BindReceiver)
        await both.bind()
        await both.submit("1", registered_delivery=1)
        await transmitter.acknowledge(await transmitter.expect(DeliverSm))
        for _ in range(3):
            await both.submit("2", registered_delivery=1)
            await receiver.acknowledge(await receiver.expect(DeliverSm))
        await transmitter.submit("3", registered_delivery=1)
        with trio.move_on_after(5):
            while await both.read():
                pass
        with trio.move_on_after(5):
            while await receiver.read():
                pass
        assert len([one for one in both.inbox + receiver.inbox if isinstance(one, DeliverSm)]) == 1
        assert smsc.stats.receipts.acked == 4


# --- on the wire: sessions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cut", "accepted", "answered"), [(Cut.BEFORE, 2, 1), (Cut.AFTER, 2, 2), (Cut.NOW, 1, 1)])
async def test_cuts(autojump_clock: MockClock, cut: Cut, accepted: int, answered: int) -> None:
    """Three submits in one write, the second one is meant: what came behind it is not looked at."""
    rule = Rule(when=When(destination="2"), session=SessionEffect(cut=cut))
    async with ruled(rule) as (smsc, esme):
        await esme.send(submit_sm("1"), submit_sm("2"), submit_sm("3"))
        await esme.wait_end()
        assert len([pdu for pdu in esme.inbox if isinstance(pdu, SubmitSmResp)]) == answered
        assert (smsc.stats.accepted, smsc.stats.rule_cuts) == (accepted, 1)
        assert "3" not in [submit.destination for submit in smsc.submits]


async def test_a_cut_waits_for_a_response_that_is_late(autojump_clock: MockClock) -> None:
    rule = Rule(response=ResponseEffect(delay=Delay(5, 5)), session=SessionEffect(cut=Cut.AFTER))
    async with ruled(rule) as (_, esme):
        began = trio.current_time()
        await esme.submit("1")
        await esme.wait_end()
        assert trio.current_time() == pytest.approx(began + 5, abs=0.1)


async def test_cut_after_some_time_and_bound_for_a_while(autojump_clock: MockClock) -> None:
    rule = Rule(when=When(first=1), session=SessionEffect(cut=Cut.NOW, after_s=10, already_bound_s=30))
    async with serving(rules=(rule,)) as (_, connect):
        esme = await connect()
        await esme.bind()
        assert (await esme.submit("1")).command_status == 0
        began = trio.current_time()
        await esme.wait_end()
        assert trio.current_time() == pytest.approx(began + 10, abs=0.1)
        assert await (await connect()).bind() == Status.ESME_RALYBND
        assert await (await connect()).bind("bob") == 0
        await trio.sleep(30)
        assert await (await connect()).bind() == 0


@pytest.mark.parametrize("chopped", [False, True])
async def test_cut_after_some_pdus(autojump_clock: MockClock, chopped: bool) -> None:
    """Of a bind that came, the fourth PDU is the last; however the octets were chopped."""
    rule = Rule(when=When(on=On.BIND), session=SessionEffect(cut=Cut.AFTER, after_pdus=4))
    async with ruled(rule) as (smsc, esme):
        pdus = [submit_sm("1"), EnquireLink(), submit_sm("2"), submit_sm("3"), submit_sm("4")]
        if chopped:
            for at, pdu in enumerate(pdus):
                pdu.sequence_number = 10 + at
            octets = b"".join(pdu.octets() for pdu in pdus)
            with suppress(trio.BrokenResourceError):
                for octet in octets:
                    await esme.stream.send_all(bytes((octet,)))
        else:
            await esme.send(*pdus)
        await esme.wait_end()
        assert [submit.destination for submit in smsc.submits] == ["1", "2", "3"]
        assert len([pdu for pdu in esme.inbox if isinstance(pdu, SubmitSmResp)]) == 3


async def test_unbind(autojump_clock: MockClock) -> None:
    async with ruled(Rule(session=SessionEffect(unbind=True))) as (_, esme):
        await esme.submit("1")
        await esme.send(UnbindResp(sequence_number=(await esme.expect(Unbind)).sequence_number))
        await esme.wait_end()


async def test_half_open(autojump_clock: MockClock) -> None:
    """Nothing is answered any more, the connection stays, and receipts go over another bind."""
    rule = Rule(when=When(destination="1"), session=SessionEffect(half_open=True))
    async with serving(rules=(rule,), enquire_link_s=5.0, response_s=5.0) as (smsc, connect):
        esme, other = await connect(), await connect()
        await esme.bind()
        await other.bind()
        await esme.submit("1", registered_delivery=1)
        await esme.send(submit_sm("2"), EnquireLink())
        assert await esme.nothing_for(300)
        assert [submit.destination for submit in smsc.submits] == ["1"]
        assert read_receipt(await other.expect(DeliverSm)) is not None
        await esme.stream.aclose()
        await smsc.wait_until(lambda: len(smsc.links) <= 1)


async def test_a_slow_reader(autojump_clock: MockClock) -> None:
    """A hundred octets a second: the answers to 2,000 octets take some twenty seconds."""
    rule = Rule(when=When(on=On.BIND), session=SessionEffect(read_octets_per_s=100))
    async with ruled(rule) as (_, esme):
        pdus = [submit_sm("1", b"x" * 100) for _ in range(13)]
        began = trio.current_time()
        await esme.send(*pdus)
        for _ in pdus:
            await esme.expect(SubmitSmResp)
        octets = sum(len(pdu.octets()) for pdu in pdus)
        assert trio.current_time() - began == pytest.approx(octets / 100, rel=0.1)


async def test_enquire_link_is_not_answered_any_more(autojump_clock: MockClock) -> None:
    """On that one connection, and everything else is; though half of a PDU had come when the rule took hold."""
    rule = Rule(when=When(destination="1"), session=SessionEffect(enquire_link_answered=False))
    async with ruled(rule) as (_, esme):
        await esme.send(EnquireLink())
        await esme.expect(EnquireLinkResp)
        half = submit_sm("2", sequence_number=50).octets()
        await esme.stream.send_all(submit_sm("1", sequence_number=49).octets() + half[:20])
        assert (await esme.expect(SubmitSmResp)).sequence_number == 49
        await esme.stream.send_all(half[20:])
        assert (await esme.expect(SubmitSmResp)).sequence_number == 50
        await esme.send(EnquireLink())
        assert await esme.nothing_for(50)
        assert await statuses(esme, "3") == [0]


# --- on the wire: binds and moments ---------------------------------------------------------------------------------


async def test_binds_are_refused_by_rule(autojump_clock: MockClock) -> None:
    refusal = ResponseEffect(statuses={StatusCode(Status.ESME_RBINDFAIL): 1}, delay=Delay(3, 3))
    rule = Rule(when=When(on=On.BIND, system_id="bob*", first=2), response=refusal)
    async with serving(rules=(rule,)) as (smsc, connect):
        began = trio.current_time()
        assert [await (await connect()).bind(name) for name in ("bob1", "alice", "bob2", "bob3")] == [13, 0, 13, 0]
        assert trio.current_time() == pytest.approx(began + 6, abs=0.1)
        assert smsc.summary()["binds"]["refused"] == {"ESME_RBINDFAIL": 2}


async def test_a_bind_without_an_answer_and_one_that_is_cut(autojump_clock: MockClock) -> None:
    rules = (
        Rule(when=When(on=On.BIND, system_id="silent"), response=ResponseEffect(never=True)),
        Rule(when=When(on=On.BIND, system_id="cut"), session=SessionEffect(cut=Cut.BEFORE)),
    )
    async with serving(rules=rules) as (smsc, connect):
        silent, cut = await connect(), await connect()
        await silent.send(BindTransmitter(system_id="silent"))
        assert await silent.nothing_for(5)
        await cut.send(BindTransmitter(system_id="cut"))
        await cut.wait_end()
        assert (cut.inbox, smsc.binds) == ([], [])


async def test_a_maintenance_window(autojump_clock: MockClock) -> None:
    """Every ten minutes: all are unbound, and for half a minute nobody gets in."""
    window = {"from_s": 60.0, "until_s": 90.0, "each_s": 600.0}
    rules = (
        Rule(when=When(on=On.TIME, **window), session=SessionEffect(unbind=True)),  # type: ignore[arg-type]
        Rule(when=When(on=On.BIND, **window), response=ResponseEffect(statuses={StatusCode(13): 1})),  # type: ignore[arg-type]
    )
    async with serving(rules=rules, enquire_link_s=0.0) as (_, connect):
        began = trio.current_time()
        for begin_s in (60, 660):
            esme = await connect()
            assert await esme.bind() == 0
            unbind = await esme.expect(Unbind, 700)
            assert trio.current_time() == pytest.approx(began + begin_s, abs=0.1)
            await esme.send(UnbindResp(sequence_number=unbind.sequence_number))
            await esme.wait_end()
            assert await (await connect()).bind() == 13
            await trio.sleep(31)


async def test_a_bind_that_comes_during_a_moment_that_lasts(autojump_clock: MockClock) -> None:
    rule = Rule(when=When(on=On.TIME, from_s=10, until_s=20), session=SessionEffect(cut=Cut.NOW))
    async with serving(rules=(rule,)) as (_, connect):
        await trio.sleep(15)
        esme = await connect()
        assert await esme.bind() == 0
        await esme.wait_end(1)
        await trio.sleep(10)
        later = await connect()
        await later.bind()
        assert await later.nothing_for(50)


# --- the switch -----------------------------------------------------------------------------------------------------


async def test_a_switch_leaves_sessions_and_plans(autojump_clock: MockClock) -> None:
    """The message of before keeps id, dialect, time and outcome; from then on the new one decides."""
    async with bound("ids-hex-dec", receipt_delay=Delay(30, 30)) as (smsc, esme):
        old = await esme.submit("1", registered_delivery=1)
        smsc.switch("receipt-contradicts")
        new = await esme.submit("2", registered_delivery=1)
        assert (old.message_id, new.message_id) == ("3e8", "1001")
        reports = []
        for _ in range(3):
            reports.append(await esme.expect(DeliverSm))
            await esme.acknowledge(reports[-1])
        found = [read_receipt(pdu) for pdu in reports]
        assert [(one.message_id, one.stat) for one in found if one] == [
            ("1001", "DELIVRD"),
            ("1001", "UNDELIV"),
            ("1000", "DELIVRD"),
        ]
        smsc.switch(None)
        await esme.submit("3", registered_delivery=1)
        await esme.acknowledge(await esme.expect(DeliverSm))
        assert await esme.nothing_for(20)
        assert (smsc.stats.switches, smsc.stats.connections) == (2, 1)
        query = QuerySm(message_id="3e8", source_addr="SHOP")
        await esme.send(query)
        assert (await esme.expect(QuerySmResp)).message_state == MessageState.DELIVERED


async def test_a_switch_to_what_needs_a_tap_and_back(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        for scenario, answers in (("enquire-link-unanswered", False), (None, True)):
            smsc.switch(scenario)
            await esme.send(EnquireLink())
            assert await esme.nothing_for(20) is not answers
            assert await statuses(esme, "1") == [0]


async def test_a_switch_to_receipts_over_transmitters(autojump_clock: MockClock) -> None:
    async with serving() as (smsc, connect):
        transmitter, receiver = await connect(), await connect()
        await transmitter.bind(kind=BindTransmitter)
        await receiver.bind(kind=BindReceiver)
        smsc.switch("receipt-on-transmitter")
        await transmitter.submit("1", registered_delivery=1)
        await transmitter.acknowledge(await transmitter.expect(DeliverSm))
        smsc.switch(None)
        await transmitter.submit("2", registered_delivery=1)
        await receiver.acknowledge(await receiver.expect(DeliverSm))


async def test_a_switch_brings_rules_and_keeps_what_is_pinned(autojump_clock: MockClock) -> None:
    async with bound(rate=1.0, burst=2.0, pinned=frozenset({"rate", "burst"})) as (smsc, esme):
        smsc.switch(SimulatorSettings(rules=(Rule(when=When(until_s=10), response=REFUSED),), magic_numbers=False))
        assert await statuses(esme, "1") == [0x58]
        await trio.sleep(10)
        assert await statuses(esme, "1", "15005552011", "1") == [0, 0, 0x58]


async def test_moments_of_the_scenario_before_do_not_come(autojump_clock: MockClock) -> None:
    rule = Rule(when=When(on=On.TIME, from_s=10), session=SessionEffect(cut=Cut.NOW))
    async with ruled(rule) as (smsc, esme):
        smsc.switch(None)
        assert await esme.nothing_for(50)


async def test_a_submit_multi_with_a_recipient_that_is_never_answered(autojump_clock: MockClock) -> None:
    rule = Rule(when=When(destination="2"), response=ResponseEffect(never=True))
    async with ruled(rule) as (smsc, esme):
        addresses = tuple(SmeAddress(1, 1, to) for to in "12")
        await esme.send(SubmitMulti(dest_addresses=addresses, short_message=b"x"))
        assert await esme.nothing_for(20)
        assert smsc.summary()["by_status"] == {"ESME_ROK": 1, "unanswered": 1}


async def test_two_counts_of_pdus_at_once(autojump_clock: MockClock) -> None:
    """The session is to be unbound after two PDUs, and one of these has it cut after one more."""
    rules = (
        Rule(when=When(on=On.BIND), session=SessionEffect(unbind=True, after_pdus=2)),
        Rule(when=When(destination="2"), session=SessionEffect(cut=Cut.NOW, after_pdus=1)),
    )
    async with ruled(*rules) as (smsc, esme):
        await esme.send(*(submit_sm(to) for to in "1234"))
        await esme.wait_end()
        assert [type(pdu).__name__ for pdu in esme.inbox] == ["SubmitSmResp", "SubmitSmResp", "Unbind"] + (
            ["SubmitSmResp"] * (len(esme.inbox) - 3)
        )
        assert [submit.destination for submit in smsc.submits][:2] == ["1", "2"]


async def test_moments_that_were_skipped_are_not_made_up_for(autojump_clock: MockClock) -> None:
    rule = Rule(when=When(on=On.TIME, from_s=1, each_s=10), session=SessionEffect(enquire_link_answered=False))
    async with ruled(rule) as (smsc, esme):
        smsc.advance(365 * 86_400)
        assert await statuses(esme, "1") == [0]
        assert len(smsc._agenda) < 10
