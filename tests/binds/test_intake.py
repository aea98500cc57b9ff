"""How what the SMSC sends is taken: answers, deliveries, other requests and bad PDUs."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from smppgw.binds.context import QUARANTINED_BURST, QUARANTINED_PER_S, BindContext
from smppgw.binds.intake import MOST_QUARANTINED, Intake
from smppgw.binds.status import Limit
from smppgw.config import ReceiptSettings, StatusOutcome, SubmitCommand, SubmitSettings
from smppgw.queue.model import ClaimedSegment, OutcomeKind, SubmitOutcome
from smppgw.smpp import (
    AlertNotification,
    CommandId,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    GenericNack,
    Pdu,
    Rejected,
    ResponseReceived,
    Session,
    Status,
    SubmitSm,
    SubmitSmResp,
    Tag,
    Unbind,
    Unreadable,
)
from tests.support.binds import bench, carrier, inbound, receipt
from tests.support.bindstore import BindStore
from tests.support.halves import context_of, segment, sent_by, session_of
from tests.support.smsc import FakeSmsc, accept, refuse


def intake(**settings: Any) -> tuple[Intake, BindContext, Session]:
    context, _ = context_of(**settings)
    session = session_of(context)
    return Intake(context, session), context, session


def answered(response: Pdu, its: ClaimedSegment | None = None, *, late: bool = False) -> ResponseReceived:
    return ResponseReceived(CommandId.SUBMIT_SM, its or segment(1), response, 0.1, late)


def outcome_of(response: Pdu, **settings: Any) -> SubmitOutcome:
    made, context, _ = intake(**settings)
    made.responses([answered(response)], trio.current_time())
    (outcome,) = context.recorder.waiting.outcomes
    return outcome


# Answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "kind", "status", "smsc_id"),
    [
        (SubmitSmResp(message_id="abc"), OutcomeKind.ACCEPTED, 0, "abc"),
        # no body, or one that could not be read
        (SubmitSmResp(), OutcomeKind.ACCEPTED, 0, ""),
        (DataSmResp(message_id="abc"), OutcomeKind.ACCEPTED, 0, "abc"),
        (SubmitSmResp(command_status=0x0B), OutcomeKind.REJECTED, 0x0B, ""),
        (SubmitSmResp(command_status=0x0B, message_id="abc"), OutcomeKind.REJECTED, 0x0B, ""),
        (SubmitSmResp(command_status=0x58), OutcomeKind.THROTTLED, 0x58, ""),
        (SubmitSmResp(command_status=0x411), OutcomeKind.RETRY, 0x411, ""),
        (SubmitSmResp(command_status=0x401), OutcomeKind.REROUTED, 0x401, ""),
        # generic_nack is a refusal, not a doubt
        (GenericNack(command_status=0x02), OutcomeKind.REJECTED, 0x02, ""),
        (GenericNack(command_status=0x58), OutcomeKind.THROTTLED, 0x58, ""),
        (GenericNack(), OutcomeKind.RETRY, Status.ESME_RUNKNOWNERR, ""),
    ],
)
async def test_an_answer_is_an_outcome(
    response: Pdu, kind: OutcomeKind, status: int, smsc_id: str, autojump_clock: MockClock
) -> None:
    found = outcome_of(response, outcomes={"0x401": StatusOutcome.REROUTE})
    assert found == SubmitOutcome(1, 1, kind, status, smsc_id)


async def test_what_nobody_knows_is_counted(autojump_clock: MockClock) -> None:
    made, context, _ = intake(outcomes={"0x411": StatusOutcome.FAIL})
    now = trio.current_time()
    made.responses([answered(SubmitSmResp(command_status=0x411)), answered(SubmitSmResp(command_status=0x412))], now)
    assert context.counters.deviations["unknown_command_status"] == 1
    assert context.counters.refused == 2


async def test_a_full_queue_delays_its_recipient(autojump_clock: MockClock) -> None:
    made, context, _ = intake(outcomes={"0x401": StatusOutcome.DELAY})
    its = segment(1, "447700900001")
    made.responses([answered(SubmitSmResp(command_status=0x401), its)], trio.current_time())
    (outcome,) = context.recorder.waiting.outcomes
    assert (outcome.kind, outcome.due_utc_ms) == (OutcomeKind.DELAYED, context.clock.utc_ms() + 1000)
    assert list(context.full_queues.held(context.clock.utc_ms())) == ["447700900001"]


async def test_an_outcome_pause_stops_the_bind_until_one_is_accepted_again(autojump_clock: MockClock) -> None:
    made, context, _ = intake(outcomes={"0x401": StatusOutcome.PAUSE}, pause_s=300.0)
    now = trio.current_time()
    refused, accepted = answered(SubmitSmResp(command_status=0x401)), answered(SubmitSmResp(message_id="a"))
    made.responses([refused, accepted], now)
    assert [one.kind for one in context.recorder.waiting.outcomes] == [OutcomeKind.PAUSED, OutcomeKind.ACCEPTED]
    assert (context.paused_until_mono, context.alarm) == (now + 300.0, "paused")
    assert context.last_error.endswith(": paused for 300 s")
    made.responses([accepted], now + 299.0)  # submitted before the pause
    assert context.alarm == "paused"
    made.responses([answered(SubmitSmResp(command_status=0x0B))], now + 301.0)
    assert context.alarm == "paused"
    made.responses([refused], now + 302.0)
    assert context.paused_until_mono == now + 602.0
    made.responses([accepted], now + 602.0)
    assert context.alarm == ""


@pytest.mark.parametrize("status", [0, 0x08, 0x58, 0x411])
async def test_any_answer_ends_probing(status: int, autojump_clock: MockClock) -> None:
    made, context, _ = intake()
    context.probing = True
    made.responses([answered(SubmitSmResp(command_status=status))], trio.current_time())
    assert not context.probing


# No answers ------------------------------------------------------------------------------------------------------


def submit(session: Session, *numbers: int) -> None:
    for number in numbers:
        session.request(SubmitSm(), trio.current_time(), segment(number))


async def test_a_whole_window_unanswered_is_silence(autojump_clock: MockClock) -> None:
    made, _, session = intake(window=2)
    submit(session, 1, 2)
    assert [made.unanswered(segment(1)), made.unanswered(segment(2))] == [False, True]
    made.responses([answered(SubmitSmResp(), segment(2), late=True)], trio.current_time())
    assert not made.silent()


async def test_half_a_window_unanswered_is_none(autojump_clock: MockClock) -> None:
    made, _, session = intake(window=3)
    submit(session, 1, 2)
    assert [made.unanswered(segment(1)), made.unanswered(segment(2))] == [False, False]


async def test_while_probing_one_is_enough(autojump_clock: MockClock) -> None:
    made, context, session = intake(window=3)
    context.probing = True
    submit(session, 1)
    assert made.unanswered(segment(1))


# Deliveries ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [DeliverSm, DataSm])
async def test_deliveries_wait_for_their_commit(kind: type[DeliverSm | DataSm], autojump_clock: MockClock) -> None:
    made, context, session = intake()
    pdu: DeliverSm | DataSm = kind(esm_class=0x04, sequence_number=5)
    pdu.tlvs = {Tag.RECEIPTED_MESSAGE_ID: b"1\0", Tag.MESSAGE_STATE: b"\x02"}
    made.request(pdu, trio.current_time())
    made.request(kind(sequence_number=6, tlvs={Tag.MESSAGE_PAYLOAD: b"YES"}), trio.current_time())
    waiting = context.recorder.waiting
    ((record, receipt_answer),) = waiting.receipts
    (text,) = waiting.inbound
    expected = DeliverSmResp if kind is DeliverSm else DataSmResp
    assert (record.smsc_id, receipt_answer) == ("1", expected(sequence_number=5))
    assert (text.text.text, text.answer) == ("YES", expected(sequence_number=6))
    assert sent_by(session) == []
    assert (context.counters.receipts, context.counters.inbound) == (1, 1)


async def test_oddities_of_receipts_are_counted(autojump_clock: MockClock) -> None:
    made, context, _ = intake()
    odd = receipt("1", "BANANA")
    disagreeing = receipt("2", "UNDELIV")
    disagreeing.tlvs[Tag.MESSAGE_STATE] = b"\x02"
    for pdu in (odd, odd, disagreeing, receipt("3")):
        made.request(pdu, trio.current_time())
    deviations = context.counters.deviations
    assert dict(deviations) == {"receipt_state_unknown": 2, "receipt_states_disagree": 1}


async def test_more_deliveries_than_may_wait_are_left_with_the_smsc(autojump_clock: MockClock) -> None:
    made, context, session = intake(max_pending_receipts=2)
    for pdu in (receipt("1"), inbound("YES"), receipt("2"), inbound("NO")):
        made.request(pdu, trio.current_time())
    assert [pdu.command_status for pdu in sent_by(session)] == [Status.ESME_RX_T_APPN] * 2
    assert context.counters.deviations["deliveries_refused"] == 2
    assert context.recorder.deliveries == 2


async def test_an_alert_is_logged_without_the_number(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    made, context, session = intake()
    with caplog.at_level("INFO", "smppgw"):
        made.request(AlertNotification(source_addr="447700900123"), trio.current_time())
    assert sent_by(session) == []
    assert context.counters.deviations["alert_notification"] == 1
    (record,) = caplog.records
    assert record.getMessage().startswith("bind_alert_notification")
    assert "447700900123" not in str(record.__dict__)


async def test_other_requests_get_a_generic_nack(autojump_clock: MockClock) -> None:
    made, context, session = intake()
    made.request(Unbind(sequence_number=4), trio.current_time())
    assert sent_by(session) == [GenericNack(sequence_number=4, command_status=Status.ESME_RINVCMDID)]
    assert context.counters.deviations["unsupported_request"] == 1


# Receipts that do not come ---------------------------------------------------------------------------------------


async def test_only_what_must_bring_a_receipt_is_watched(autojump_clock: MockClock) -> None:
    made, context, _ = intake(receipt_alarm_share=0.5, receipt_alarm_s=300.0)
    watch = context.receipt_watch
    assert watch is not None
    now = trio.current_time()
    accepted = SubmitSmResp(message_id="a")
    unwatched = [
        *(answered(accepted, segment(1, registered_delivery=asked)) for asked in (0, 2, 3, 16)),
        answered(SubmitSmResp()),
        answered(SubmitSmResp(command_status=8, message_id="a")),
    ]
    made.responses(unwatched * 20, now)
    assert not watch.missing(now + 100.0)
    made.responses([answered(accepted, segment(1, registered_delivery=17))] * 20, now)
    assert watch.missing(now + 100.0)
    for stat in ("ENROUTE", "ACCEPTD", "BANANA"):
        made.request(receipt("a", stat), now + 101.0)
    assert watch.missing(now + 101.0)
    for _ in range(10):
        made.request(receipt("a", "UNDELIV"), now + 102.0)
    assert not watch.missing(now + 102.0)


async def test_what_only_looks_like_a_receipt_counts_once_it_is_known_to_be(autojump_clock: MockClock) -> None:
    """A text that a phone sent must not hide that no receipts come."""
    settings = carrier(receipts=ReceiptSettings(sniff=True), receipt_alarm_share=0.5, receipt_alarm_s=300.0)

    def unmarked(message_id: str) -> DeliverSm:
        pdu = receipt(message_id)
        pdu.esm_class = 0
        return pdu

    async with bench(settings) as made:
        await made.bound()
        made.store.queue(40)
        await made.until(lambda: made.store.states() == {"sent": 40})
        await made.smsc.link.deliver(*(unmarked(f"x{number}") for number in range(30)))
        await made.until(lambda: made.status().inbound == 30)
        assert made.status().receipts == 0
        await trio.sleep(60)
        assert made.status().alarm == "receipts_missing"
        await made.smsc.link.deliver(*(unmarked(f"m{number}") for number in range(20)))
        await made.until(lambda: made.store.states() == {"sent": 20, "delivered": 20})
        assert (made.status().receipts, made.status().inbound) == (20, 30)
        await trio.sleep(20)
        assert made.status().alarm == ""


# Bad PDUs --------------------------------------------------------------------------------------------------------


UNREADABLE = Unreadable(0x80000004, 8, 0, "message_id", b"\3", "no end")


async def test_bad_pdus_are_kept_up_to_a_number(autojump_clock: MockClock) -> None:
    made, context, _ = intake()
    now = trio.current_time()
    made.bad_pdu(Rejected(0x05, 7, Status.ESME_RINVSRCADR, "source_addr", b"\1\2", "too long"), now)
    made.bad_pdu(UNREADABLE, now)
    first, second = context.recorder.waiting.quarantined
    assert (first.command_id, first.sequence_number, first.command_status) == (0x05, 7, Status.ESME_RINVSRCADR)
    assert (first.field, first.error, first.frame) == ("source_addr", "too long", b"\1\2")
    assert (second.command_id, second.command_status, second.frame) == (0x80000004, 0, b"\3")
    assert context.counters.deviations["refused_request"] == 1
    for _ in range(MOST_QUARANTINED):
        made.bad_pdu(UNREADABLE, now)
    assert len(context.recorder.waiting.quarantined) == MOST_QUARANTINED
    assert context.counters.deviations["quarantine_full"] == 2


async def test_bad_pdus_of_a_bind_are_kept_at_a_rate_whatever_the_store_takes(autojump_clock: MockClock) -> None:
    made, context, _ = intake()
    waiting, now = context.recorder.waiting, trio.current_time()
    kept = 0
    for tick in range(1000):  # 10 s, a hundred each second
        made.bad_pdu(UNREADABLE, now + tick / 100)
        kept += len(waiting.quarantined)
        waiting.quarantined.clear()
    assert kept == pytest.approx(QUARANTINED_BURST + 10 * QUARANTINED_PER_S, abs=1)
    assert context.counters.deviations["quarantine_full"] == 1000 - kept


async def test_bad_pdus_are_logged_once_a_minute(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    made, _, _ = intake()
    now = trio.current_time()
    for second in range(61):
        made.bad_pdu(UNREADABLE, now + second)
    told = [record.__dict__["fields"] for record in caplog.records if record.message == "bind_bad_pdu"]
    assert [fields["left_out"] for fields in told] == [0, 59]
    assert told[0]["error"] == UNREADABLE.error
    assert told[0]["bind"] == "demo/1"


@pytest.mark.parametrize(
    ("text", "sniff", "hint"),
    [
        ("id:123 sub:001 dlvrd:001 stat:DELIVRD err:000 text:x", False, True),
        ("id:123 sub:001 dlvrd:001 stat:DELIVRD err:000 text:x", True, False),
        ("what is the status of my order, id 123?", False, False),
    ],
)
async def test_a_text_that_looks_like_a_receipt_leaves_a_hint(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, text: str, sniff: bool, hint: bool
) -> None:
    made, context, _ = intake(receipts={"sniff": sniff})
    for _ in range(3):
        made.request(inbound(text), trio.current_time())
    assert context.counters.deviations["text_looks_like_a_receipt"] == (3 if hint else 0)
    assert len(context.recorder.waiting.receipts) == (3 if sniff else 0)
    assert len(context.recorder.waiting.inbound) == (0 if sniff else 3)
    told = [record for record in caplog.records if record.message == "bind_text_like_receipt"]
    assert len(told) == hint, "once for each carrier"


async def test_bad_pdus_of_a_stranger_are_only_counted(autojump_clock: MockClock) -> None:
    made, context, _ = intake()
    made.bad_pdu(UNREADABLE, trio.current_time(), stranger=True)
    assert context.recorder.waiting.quarantined == []
    assert context.counters.deviations["bad_pdu_of_stranger"] == 1


# Between a store and an SMSC -------------------------------------------------------------------------------------


async def test_a_bind_out_of_credit_pauses_loses_nothing_and_goes_on(autojump_clock: MockClock) -> None:
    def prepare(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(10)
        smsc.answer = refuse(0x401)

    settings = carrier(window=3, outcomes={"0x401": StatusOutcome.PAUSE}, pause_s=300.0)
    async with bench(settings, prepare=prepare) as made:
        await made.until(lambda: made.status().limit is Limit.PAUSED)
        started = trio.current_time()
        assert made.status().alarm == "paused"
        await made.until(lambda: made.store.states() == {"queued": 10})
        assert len(made.smsc.submits) == 3
        made.smsc.answer = accept
        await made.until(lambda: made.store.states() == {"sent": 10}, within_s=400.0, step_s=1.0)
        assert trio.current_time() - started >= 300.0
        assert (made.status().alarm, made.status().limit) == ("", Limit.NOTHING_QUEUED)
        assert len(made.smsc.links) == 1
        assert {one.attempts for one in made.store.segments()} == {0}


async def test_a_link_that_answers_nothing_puts_one_at_a_time_in_doubt(autojump_clock: MockClock) -> None:
    def prepare(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(20)
        smsc.answer = lambda submit, number: None

    async with bench(carrier(window=4), prepare=prepare) as made:
        await made.until(lambda: len(made.smsc.submits) == 4)
        await made.until(lambda: len(made.smsc.links) == 4, within_s=200.0)
        await made.until(lambda: len(made.smsc.submits) == 7)
        assert made.status().limit is Limit.PROBING
        made.smsc.answer = accept
        await made.until(lambda: made.store.states() == {"in_doubt": 7, "sent": 13}, within_s=120.0)
        assert len(made.smsc.submits) == 20


async def test_a_carrier_that_takes_data_sm(autojump_clock: MockClock) -> None:
    def reply(pdu: Pdu) -> Pdu:
        return (
            DataSmResp(message_id="d1")
            if pdu.tlvs[Tag.MESSAGE_PAYLOAD] == b"hello"
            else DataSmResp(command_status=11)
        )

    def prepare(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(1)
        store.queue(1, octets=b"bad")
        smsc.reply = reply

    settings = carrier(submit=SubmitSettings(command=SubmitCommand.DATA_SM))
    async with bench(settings, prepare=prepare) as made:
        await made.until(lambda: made.store.states() == {"sent": 1, "rejected": 1})
        await made.smsc.link.deliver(receipt("d1"))
        await made.until(lambda: made.store.states() == {"delivered": 1, "rejected": 1})
        assert made.smsc.submits == []
