"""query_sm and cancel_sm: how many, when, and what their answers say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from smppgw.addresses import Address
from smppgw.binds.errands import LOOK_S, Errands
from smppgw.config import AcceptdMeans, AddressRule, AddressSettings, ReceiptSettings, SubmitSettings
from smppgw.queue.model import (
    Cancel,
    Errand,
    ErrandDone,
    ErrandKind,
    QueryPlan,
    Reason,
    ReceiptState,
    SegmentState,
    Sweep,
    message_id_of,
)
from smppgw.smpp import (
    CancelSm,
    CancelSmResp,
    CommandId,
    GenericNack,
    Pdu,
    QuerySm,
    QuerySmResp,
    ResponseReceived,
    Status,
    SubmitSm,
    encode,
)
from tests.support.binds import Bench, bench, carrier
from tests.support.bindstore import RECIPIENT, SENDER
from tests.support.halves import context_of, segment, sent_by, session_of

QUERY, CANCEL = ErrandKind.QUERY, ErrandKind.CANCEL


def errand(number: int, kind: ErrandKind = QUERY, smsc_id: str = "") -> Errand:
    return Errand(number, kind, smsc_id or f"m{number}", Address(5, 0, "Acme"), Address(1, 1, "447700900001"))


class Desk:
    """Errands of one session, with a store's list that the test fills."""

    def __init__(self, *, bound: bool = True, **settings: Any) -> None:
        self.context, store = context_of(**settings)
        self.signal = store.work("demo")
        self.session = session_of(self.context, bound=bound)
        self.errands = Errands(self.context, self.session)
        self.listed: list[Errand] = []
        self.limits: list[int] = []  # of each look at the list
        self.woken = 0
        self.failing = False

    async def take(self, limit: int) -> list[Errand] | None:
        self.limits.append(limit)
        await trio.lowlevel.checkpoint()
        if self.failing:
            return None
        taken, self.listed = self.listed[:limit], self.listed[limit:]
        return taken

    def wake(self) -> None:
        self.woken += 1

    def add(self, *errands: Errand) -> None:
        self.listed += errands
        self.signal.bump()

    def answer(self, response: Pdu) -> None:
        """The SMSC answers; the driver hands it on."""
        for event in self.session.receive_data(encode(response), trio.current_time()):
            assert isinstance(event, ResponseReceived)
            self.errands.answered(event)

    @property
    def done(self) -> list[ErrandDone]:
        return self.context.recorder.waiting.errands


@asynccontextmanager
async def desk(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> AsyncIterator[Desk]:
    made = Desk(**settings)
    monkeypatch.setattr(type(made.context.recorder), "take_errands", lambda _, limit: made.take(limit))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.errands.run, made.wake)
        yield made
        nursery.cancel_scope.cancel()


async def look() -> None:
    await trio.sleep(LOOK_S)
    await wait_all_tasks_blocked()


async def test_questions_are_asked_as_the_submit_sm_was_sent(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    addresses = AddressSettings(
        source=[AddressRule(pattern="[A-Z].*", npi=1)], destination=[AddressRule(pattern=".*", prepend="+")]
    )
    async with desk(monkeypatch, addresses=addresses, submit=SubmitSettings(service_type="CMT")) as made:
        made.add(errand(1), errand(2, CANCEL))
        await look()
        query, cancel = sent_by(made.session)
        assert query == QuerySm(
            sequence_number=query.sequence_number,
            message_id="m1",
            source_addr_ton=5,
            source_addr_npi=1,
            source_addr="Acme",
        )
        assert cancel == CancelSm(
            sequence_number=cancel.sequence_number,
            message_id="m2",
            source_addr_ton=5,
            source_addr_npi=1,
            source_addr="Acme",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr="+447700900001",
        )
        assert made.woken == 1


@pytest.mark.parametrize(
    ("kind", "response", "expected"),
    [
        (QUERY, QuerySmResp(message_state=2), ErrandDone(1, QUERY, 0, ReceiptState.DELIVERED)),
        (
            QUERY,
            QuerySmResp(message_state=5, error_code=27),
            ErrandDone(1, QUERY, 0, ReceiptState.UNDELIVERABLE, "027"),
        ),
        (QUERY, QuerySmResp(message_state=1), ErrandDone(1, QUERY, 0, ReceiptState.ENROUTE)),
        (QUERY, QuerySmResp(message_state=77), ErrandDone(1, QUERY, 0, None)),
        (QUERY, QuerySmResp(command_status=0x67, message_state=2), ErrandDone(1, QUERY, 0x67)),
        (QUERY, GenericNack(command_status=0x03), ErrandDone(1, QUERY, 0x03)),
        (QUERY, GenericNack(), ErrandDone(1, QUERY, Status.ESME_RQUERYFAIL)),
        (CANCEL, CancelSmResp(), ErrandDone(1, CANCEL, 0)),
        (CANCEL, CancelSmResp(command_status=0x11), ErrandDone(1, CANCEL, 0x11)),
        (CANCEL, GenericNack(), ErrandDone(1, CANCEL, Status.ESME_RCANCELFAIL)),
    ],
)
async def test_answers(
    kind: ErrandKind,
    response: Pdu,
    expected: ErrandDone,
    monkeypatch: pytest.MonkeyPatch,
    autojump_clock: MockClock,
) -> None:
    async with desk(monkeypatch) as made:
        made.add(errand(1, kind))
        await look()
        (request,) = sent_by(made.session)
        response.sequence_number = request.sequence_number
        made.answer(response)
        assert made.done == [expected]
        assert made.session.in_window == 0


@pytest.mark.parametrize(
    ("means", "state"),
    [(AcceptdMeans.DELIVERED, ReceiptState.DELIVERED), (AcceptdMeans.INTERMEDIATE, ReceiptState.ACCEPTED)],
)
async def test_accepted_means_what_it_means_in_receipts(
    means: AcceptdMeans, state: ReceiptState, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with desk(monkeypatch, receipts=ReceiptSettings(acceptd=means)) as made:
        made.add(errand(1))
        await look()
        (request,) = sent_by(made.session)
        made.answer(QuerySmResp(sequence_number=request.sequence_number, message_state=6))
        assert made.done == [ErrandDone(1, QUERY, 0, state)]


async def test_nothing_is_looked_for_where_nothing_changed(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with desk(monkeypatch) as made:
        for _ in range(5):
            await look()
        assert made.limits == [5]
        made.signal.bump()
        for _ in range(5):
            await look()
        assert made.limits == [5, 5]
        assert made.woken == 0


@pytest.mark.parametrize(("window", "most"), [(1, 1), (10, 1), (40, 2), (100, 5), (1000, 10)])
async def test_questions_take_a_small_part_of_the_window(
    window: int, most: int, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with desk(monkeypatch, window=window) as made:
        made.add(*map(errand, range(1, 14)))
        await look()
        await look()
        asked = sent_by(made.session)
        assert len(asked) == made.session.in_window == most
        made.answer(QuerySmResp(sequence_number=asked[0].sequence_number, message_state=2))
        await look()  # the rest of the list, although nothing new came to it
        assert len(sent_by(made.session)) == 1
        assert len(made.listed) == 13 - most - 1


async def test_what_finds_no_slot_waits_for_one(monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock) -> None:
    async with desk(monkeypatch, window=1) as made:
        take = made.take

        async def and_meanwhile(limit: int) -> list[Errand] | None:
            made.session.request(SubmitSm(), trio.current_time(), segment(9))
            return await take(limit)

        monkeypatch.setattr(made, "take", and_meanwhile)
        made.add(errand(1))
        await look()
        (submit,) = sent_by(made.session)
        assert isinstance(submit, SubmitSm)
        assert made.done == []
    assert made.done == [ErrandDone(1, QUERY, None, asked=False)]  # the session is over


async def test_what_was_asked_when_the_session_ends_is_told(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with desk(monkeypatch, window=1) as made:
        made.add(errand(1, CANCEL))
        await look()
        assert len(sent_by(made.session)) == 1
    assert made.done == [ErrandDone(1, CANCEL, None)]


async def test_with_answers_at_once_many_are_asked_in_a_short_time(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with desk(monkeypatch) as made:
        made.add(*map(errand, range(1, 31)))
        await look()
        for _ in range(30):
            for asked in sent_by(made.session):
                made.answer(QuerySmResp(sequence_number=asked.sequence_number, message_state=2))
            await wait_all_tasks_blocked()
        assert len(made.done) == 30
        assert trio.current_time() == LOOK_S


@pytest.mark.parametrize("held", ["throttled", "paused"])
async def test_a_bind_that_has_to_be_quiet_asks_nothing(
    held: str, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with desk(monkeypatch) as made:
        if held == "throttled":
            made.context.throttle.until_mono = trio.current_time() + 10
        else:
            made.context.paused_until_mono = trio.current_time() + 10
        made.add(errand(1))
        await trio.sleep(9)
        assert sent_by(made.session) == []
        await trio.sleep(2 * LOOK_S)
        assert len(sent_by(made.session)) == 1


async def test_questions_are_paced_like_everything_else(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with desk(monkeypatch, rate_per_s=1.0, burst=1) as made:
        made.add(*map(errand, range(1, 6)))
        made.context.pacer.take(trio.current_time(), 5)
        await look()
        asked = len(sent_by(made.session))
        assert 0 < asked < 4
        await trio.sleep(10)
        assert len(sent_by(made.session)) == 5 - asked


async def test_where_one_is_not_answered_the_others_are_asked_slowly(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with desk(monkeypatch) as made:
        made.add(errand(1), errand(2, CANCEL))
        await look()
        asked = sent_by(made.session)
        made.errands.unanswered(errand(1))
        made.errands.unanswered(errand(2, CANCEL))
        assert made.done == [ErrandDone(1, QUERY, None), ErrandDone(2, CANCEL, None)]
        made.add(errand(3), errand(4), errand(5))
        await trio.sleep(60)
        assert sent_by(made.session) == []
        assert made.listed == [errand(3), errand(4), errand(5)]
        await trio.sleep(70)
        assert len(sent_by(made.session)) == 1, "one at a time"
        late = ResponseReceived(CommandId.QUERY_SM, errand(1), QuerySmResp(message_state=2), 60.0, late=True)
        made.errands.answered(late)
        assert made.done[-1] == ErrandDone(1, QUERY, 0, ReceiptState.DELIVERED)
        await look()
        assert len(sent_by(made.session)) == 2, "the SMSC answers again"
        assert len(asked) == 2


@pytest.mark.parametrize("hindrance", ["stopping", "probing", "not bound", "window full", "store fails"])
async def test_hindrances(hindrance: str, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock) -> None:
    async with desk(monkeypatch, bound=hindrance != "not bound", window=1) as made:
        made.errands.stopping = hindrance == "stopping"
        made.context.probing = hindrance == "probing"
        made.failing = hindrance == "store fails"
        if hindrance == "window full":
            made.session.request(SubmitSm(), trio.current_time(), segment(9))
            made.session.data_to_send()
        made.add(errand(1))
        await look()
        assert sent_by(made.session) == []
        assert (made.listed, made.done) == ([errand(1)], [])


async def test_after_a_failure_of_the_store_the_list_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with desk(monkeypatch) as made:
        made.failing = True
        made.add(errand(1))
        await look()
        made.failing = False
        await look()
        assert len(sent_by(made.session)) == 1


async def test_an_id_that_fits_no_field_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    async with desk(monkeypatch) as made:
        made.add(errand(1, smsc_id="x" * 70), errand(2))
        await look()
        (asked,) = sent_by(made.session)
        assert isinstance(asked, QuerySm)
        assert asked.message_id == "m2"
        (failed,) = made.done
        assert (failed.segment_id, failed.command_status, failed.asked) == (1, None, True)
        assert failed.error.startswith("not asked: ")
        assert made.errands.room == 4


# Between a store and an SMSC -------------------------------------------------------------------------------------


async def sent(made: Bench) -> int:
    """A segment that the SMSC has accepted."""
    await made.bound()
    (number,) = made.store.queue()
    await made.until(lambda: made.store.states() == {"sent": 1})
    return number


async def test_what_an_app_takes_back_is_cancelled_at_the_smsc(autojump_clock: MockClock) -> None:
    async with bench() as made:
        made.smsc.reply = lambda _: CancelSmResp()
        number = await sent(made)
        made.store.commit_now(Cancel(message_id_of(number), "app", made.clock.utc_ms()))
        await made.until(lambda: made.store.states() == {"cancelled": 1})
        (asked,) = made.smsc.asked
        assert isinstance(asked, CancelSm)
        assert (asked.message_id, asked.source_addr, asked.destination_addr) == ("m0", SENDER, RECIPIENT)


async def test_a_cancel_that_the_link_took_with_it_is_asked_over_the_next(autojump_clock: MockClock) -> None:
    async with bench() as made:
        number = await sent(made)
        made.store.commit_now(Cancel(message_id_of(number), "app", made.clock.utc_ms()))
        await made.until(lambda: len(made.smsc.asked) == 1)
        made.smsc.reply = lambda _: CancelSmResp()
        await made.smsc.links[-1].cut()
        await made.until(lambda: made.store.states() == {"cancelled": 1})
        assert len(made.smsc.asked) == 2


def ask_about_receipts(made: Bench) -> None:
    """The sweeper finds receipts overdue."""
    due = made.clock.utc_ms() + 14 * 86_400_000
    made.store.commit_now(Sweep(due, query={"demo": QueryPlan(3, 3_600_000)}))


async def test_an_overdue_receipt_is_asked_for(autojump_clock: MockClock) -> None:
    async with bench() as made:
        made.smsc.reply = lambda _: QuerySmResp(message_state=2)
        number = await sent(made)
        ask_about_receipts(made)
        await made.until(lambda: made.store.states() == {"delivered": 1})
        assert made.store.segment(number).reason is Reason.RECEIPT_QUERIED
        (asked,) = made.smsc.asked
        assert isinstance(asked, QuerySm)
        assert (asked.message_id, asked.source_addr) == ("m0", SENDER)


async def test_a_question_is_overdue_in_time_on_a_link_that_is_silent_otherwise(autojump_clock: MockClock) -> None:
    timers = {"enquire_link_s": 0.0, "inactivity_s": 600.0, "response_s": 10.0}
    async with bench(carrier(timers=timers)) as made:
        number = await sent(made)
        ask_about_receipts(made)
        await made.until(lambda: len(made.smsc.asked) == 1)
        await made.until(lambda: "unanswered" in made.store.details(number), within_s=12.0)
        assert made.store.segment(number).state is SegmentState.SENT
        assert (made.status().overdue, made.status().in_window) == (0, 0)


@pytest.mark.parametrize("window", [1, 2])
async def test_an_smsc_that_ignores_questions_loses_no_messages(window: int, autojump_clock: MockClock) -> None:
    """With a window of 1 the question takes the only slot, until it is overdue."""
    async with bench(carrier(window=window)) as made:
        await sent(made)
        ask_about_receipts(made)
        await made.until(lambda: len(made.smsc.asked) == 1)
        made.store.queue(5)
        await made.until(lambda: made.store.states() == {"sent": 6}, within_s=120.0)
        assert len(made.smsc.links) == 1
        assert len(made.smsc.submits) == 6
