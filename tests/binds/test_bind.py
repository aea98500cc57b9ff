"""A bind for ever: when it connects again, what a refusal costs, how it stops."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from smppgw.binds.link import STUCK_ROUNDS
from smppgw.binds.status import BindState, Limit
from smppgw.config import BindMode
from smppgw.queue.model import Claim, Doubt, Reason
from smppgw.smpp import Status, SubmitSm, SubmitSmResp
from tests.support.binds import bench, carrier, inbound, receipt
from tests.support.bindstore import BindStore
from tests.support.smsc import FakeSmsc, accept
from tests.support.streams import EvilStream


def down(store: BindStore, smsc: FakeSmsc) -> None:
    smsc.down = True


async def test_reconnect_schedule(autojump_clock: MockClock) -> None:
    async with bench(prepare=down) as b:
        await trio.sleep(40)
        assert b.smsc.connects == [0, 1, 3, 7, 15, 23, 31, 39]
        status = b.status()
        assert (status.state, status.limit, status.last_error) == (
            BindState.BACKING_OFF,
            Limit.DOWN,
            "connection refused",
        )
        assert status.next_attempt_utc_ms is not None
        assert status.next_attempt_utc_ms - b.clock.utc_ms() == pytest.approx(7000, abs=1)


async def test_a_steady_session_starts_the_schedule_anew(autojump_clock: MockClock) -> None:
    async with bench(prepare=down) as b:
        await trio.sleep(8)  # 0, 1, 3, 7: the next one is at 15
        b.smsc.down = False
        await b.bound()
        await trio.sleep(30)
        lost = trio.current_time() - b.smsc.started
        await b.smsc.link.cut()
        await b.until(lambda: len(b.smsc.links) == 2)
        assert b.smsc.connects[-1] == pytest.approx(lost + 1.0, abs=0.01)
        await b.smsc.link.cut()  # at once: that was no steady session
        lost = trio.current_time() - b.smsc.started
        await b.until(lambda: len(b.smsc.links) == 3)
        assert b.smsc.connects[-1] == pytest.approx(lost + 2.0, abs=0.05)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.ESME_RINVPASWD, [60, 120, 240, 480, 900]),
        (Status.ESME_RALYBND, [43, 60, 60, 60, 60]),
        (0x0411, [15, 30, 60, 120, 240]),
    ],
)
async def test_refused_binds_follow_their_own_schedule(
    autojump_clock: MockClock, status: int, expected: list[int]
) -> None:
    def refusing(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.refuse_binds = status

    async with bench(prepare=refusing) as b:
        await b.until(lambda: len(b.smsc.binds) == 6, within_s=3000, step_s=1.0)
        times = [at for at, *_ in b.smsc.binds]
        assert [round(later - earlier) for earlier, later in pairwise(times)] == expected
        b.smsc.refuse_binds = None
        await b.until(lambda: b.status().state is BindState.BOUND_TRX, within_s=1000, step_s=1.0)


async def test_refusal_is_named(autojump_clock: MockClock) -> None:
    def refusing(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.refuse_binds = Status.ESME_RINVPASWD

    async with bench(prepare=refusing) as b:
        await b.until(lambda: b.status().state is BindState.BACKING_OFF)
        assert b.status().last_error == "ESME_RINVPASWD"
        assert b.smsc.binds == [(0.0, "BindTransceiver", "app", "secret")]


async def test_unanswered_bind_is_given_up_after_session_init_s(autojump_clock: MockClock) -> None:
    def silent(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.refuse_binds = -1

    async with bench(carrier(timers={"session_init_s": 5.0, "response_s": 30.0}), prepare=silent) as b:
        await b.until(lambda: b.status().state is BindState.BINDING)
        assert b.status().limit is Limit.DOWN
        await b.until(lambda: len(b.smsc.links) == 2)
        assert b.smsc.connects == [0.0, pytest.approx(6.0, abs=0.01)]
        assert b.status().last_error == "the bind request was not answered"


async def test_settings_that_fit_no_bind_request_do_not_hammer(autojump_clock: MockClock) -> None:
    impossible = carrier().model_copy(update={"system_id": "system-id" * 8})
    async with bench(impossible) as b:
        await trio.sleep(130)
        assert b.smsc.connects == [0, 60, 120]
        assert b.smsc.binds == []
        assert "system_id" in b.status().last_error
        assert b.status().alarm == "bind_impossible"


async def test_pair_submits_on_one_bind_and_receives_on_both(autojump_clock: MockClock) -> None:
    async with bench(carrier(mode=BindMode.PAIR)) as b:
        await b.bound()
        b.store.queue(3)
        await b.until(lambda: b.store.states() == {"sent": 3})
        by_kind = {link.kind: link for link in b.smsc.links}
        assert set(by_kind) == {"BindTransmitter", "BindReceiver"}
        assert [(status.name, status.state) for status in b.pool.status()] == [
            ("demo/1-tx", BindState.BOUND_TX),
            ("demo/1-rx", BindState.BOUND_RX),
        ]
        assert [status.submitted for status in b.pool.status()] == [3, 0]
        assert b.status(1).limit is Limit.RECEIVES_ONLY
        assert {op.bind for op in b.store.ops(Claim)} == {"demo/1-tx"}
        await by_kind["BindReceiver"].deliver(receipt("m0"), inbound())
        await by_kind["BindTransmitter"].raw(receipt("m1").octets())  # not allowed, but some SMSCs do
        await b.until(lambda: b.smsc.statuses() == {"ESME_ROK": 2})
        await b.until(lambda: b.store.states() == {"delivered": 2, "sent": 1})


async def test_several_binds_share_the_work(autojump_clock: MockClock) -> None:
    def loaded(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.delay_s = 0.1
        store.queue(300)

    async with bench(carrier(binds=3, window=5), prepare=loaded) as b:
        await b.until(lambda: b.store.states() == {"sent": 300})
        assert [status.name for status in b.pool.status()] == ["demo/1", "demo/2", "demo/3"]
        assert all(status.submitted > 60 for status in b.pool.status())
        assert sum(status.submitted for status in b.pool.status()) == len(b.smsc.submits) == 300


# Refusals and alarms ----------------------------------------------------------------------------------------------


async def test_a_wrong_password_raises_an_alarm_until_bound(autojump_clock: MockClock) -> None:
    def refusing(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.refuse_binds = Status.ESME_RINVPASWD

    async with bench(prepare=refusing) as b:
        await b.until(lambda: b.status().state is BindState.BACKING_OFF)
        assert b.status().alarm == "credentials"
        b.smsc.refuse_binds = None
        await b.until(lambda: b.status().state.is_bound, within_s=100, step_s=1.0)
        assert b.status().alarm == ""


async def test_already_bound_is_never_taken_for_bound(autojump_clock: MockClock) -> None:
    def refusing(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(1)
        smsc.refuse_binds = Status.ESME_RALYBND

    async with bench(prepare=refusing) as b:
        await trio.sleep(230)
        assert len(b.smsc.binds) == 5
        assert b.smsc.submits == []
        assert (b.status().state, b.status().alarm) == (BindState.BACKING_OFF, "already_bound")
        assert BindState.BOUND_TRX not in b.told.states


async def test_a_policy_of_the_carrier_decides_about_vendor_codes(autojump_clock: MockClock) -> None:
    def refusing(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.refuse_binds = 0x0411

    settings = carrier(bind_refusals={"0x411": "credentials"})
    async with bench(settings, prepare=refusing) as b:
        await b.until(lambda: len(b.smsc.binds) == 2, within_s=100)
        assert b.smsc.binds[1][0] == 60
        assert b.status().alarm == "credentials"


# Planned ends -----------------------------------------------------------------------------------------------------


async def test_an_unbind_of_the_smsc_is_no_failure(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        for number in range(1, 4):
            await trio.sleep(20)
            at = trio.current_time() - b.smsc.started
            await b.smsc.link.unbind()
            await b.until(lambda number=number: len(b.smsc.links) == number + 1)  # type: ignore[misc]
            assert b.smsc.connects[-1] == pytest.approx(at + 1.0, abs=0.05)
            await b.bound()
        b.smsc.down = True
        await b.smsc.link.cut()  # after a planned end the schedule of failures starts from its first pause
        at = trio.current_time() - b.smsc.started
        await trio.sleep(8)
        assert [round(one - at) for one in b.smsc.connects[-3:]] == [1, 3, 7]


async def test_an_unbind_at_once_each_time_does_not_make_us_hammer(autojump_clock: MockClock) -> None:
    async with bench() as b:
        for number in range(1, 7):
            await b.until(lambda number=number: len(b.smsc.binds) == number)  # type: ignore[misc]
            await b.bound()
            await b.smsc.link.unbind()
            await b.until(lambda: not b.status().state.is_bound)
        times = [at for at, *_ in b.smsc.binds]
        assert [round(later - earlier) for earlier, later in pairwise(times)] == [1, 2, 4, 8, 8]


# Links that never answer ------------------------------------------------------------------------------------------


async def test_a_link_that_answers_enquire_link_only_does_not_pull_the_queue_into_doubt(
    autojump_clock: MockClock,
) -> None:
    def ignorant(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(500)
        smsc.answer = lambda *_: None

    async with bench(carrier(window=20), prepare=ignorant) as b:
        await b.until(lambda: b.status().alarm == "no_answers")
        await trio.sleep(440)
        # A window, then one at a time: 10 s without an answer, 10 s for late ones, and pauses that grow although
        # every session lived long.
        times = b.submitted_at[20:]
        assert [round(later - earlier) for earlier, later in pairwise(times)] == [30, 40, 60, 100, 180]
        assert all(link.unbind_received for link in b.smsc.links[:-1])
        assert b.store.states()["in_doubt"] == len(b.smsc.submits) - b.status().in_window + b.status().overdue
        assert b.status().alarm == "no_answers"
        b.smsc.answer = accept
        await b.until(lambda: set(b.store.states()) == {"sent", "in_doubt"}, within_s=1000)
        assert b.smsc.most_unanswered <= 20
        assert b.status().alarm == ""


async def test_what_drips_into_a_carrier_that_never_answers_is_bounded(autojump_clock: MockClock) -> None:
    """A window of each bind, then at most 12 in the first hour and 4 in each later one, for all binds together.

    (900 s of pause, and 20 s for the answer that does not come: 3600 / 920.)
    """

    def ignorant(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(2000)
        smsc.answer = lambda *_: None

    async with bench(carrier(window=50, binds=2), prepare=ignorant) as b:
        await trio.sleep(3600)
        first = len(b.smsc.submits)
        assert 100 < first <= 100 + 12
        assert [status.limit for status in b.pool.status()] == [Limit.PROBING] * 2
        connects = len(b.smsc.connects)
        await trio.sleep(3600)
        assert 0 < len(b.smsc.submits) - first <= 4
        assert len(b.smsc.connects) - connects <= 4
        assert b.store.states()["queued"] >= 2000 - 116


async def test_one_bind_that_is_silent_does_not_hold_up_the_other(autojump_clock: MockClock) -> None:
    def half(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(1000)
        seen = 0

        def answer(pdu: SubmitSm, number: int) -> SubmitSmResp | None:
            """The first session gets no answers."""
            nonlocal seen
            silent, seen = smsc.links[0].unanswered > seen, smsc.links[0].unanswered
            return None if silent else accept(pdu, number)

        smsc.answer = answer

    async with bench(carrier(window=5, binds=2), prepare=half) as b:
        await b.until(lambda: b.store.states() == {"sent": 995, "in_flight": 5}, within_s=5)
        await b.until(lambda: sorted(status.alarm for status in b.pool.status()) == ["", "no_answers"])
        b.store.queue(500)
        await b.until(lambda: b.store.states() == {"sent": 1495, "in_doubt": 5}, within_s=1)


async def test_answers_that_come_late_count_while_a_silent_bind_is_closed(autojump_clock: MockClock) -> None:
    """All are accepted after 12 s where 10 s are allowed: none stays in doubt, and the SMSC gets an unbind."""

    def slow(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(4)
        smsc.delay_s = 12.0

    async with bench(carrier(window=4, timers={"response_s": 10.0}), prepare=slow) as b:
        await b.until(lambda: b.store.states() == {"in_doubt": 4})
        assert (b.status().state, b.status().limit) == (BindState.BOUND_TRX, Limit.WINDOW)
        assert b.status().alarm == "no_answers"
        b.store.queue(1)
        await b.until(lambda: b.store.states() == {"sent": 4, "queued": 1}, within_s=3)
        await b.until(lambda: b.status().state is BindState.BACKING_OFF, within_s=0.1)
        assert b.smsc.link.unbind_received
        assert "whole window" in b.status().last_error
        assert b.status().alarm == ""


async def test_an_answer_that_comes_while_unbinding_counts(autojump_clock: MockClock) -> None:
    def slow(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(2)
        smsc.delay_s = 21.0

    async with bench(carrier(window=2, timers={"response_s": 10.0}), prepare=slow) as b:
        await b.until(lambda: len(b.smsc.submits) == 2)
        b.smsc.mute = True  # it reads no unbind
        await b.until(lambda: b.status().state is BindState.UNBINDING)
        assert trio.current_time() - b.smsc.started == pytest.approx(20.0, abs=0.1)
        assert b.store.states() == {"in_doubt": 2}
        await b.until(lambda: b.store.states() == {"sent": 2}, within_s=1.5)


async def test_probing_shows_and_ends_with_the_first_answer(autojump_clock: MockClock) -> None:
    def ignorant(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(100)
        smsc.answer = lambda *_: None

    async with bench(carrier(window=5), prepare=ignorant) as b:
        await b.until(lambda: len(b.smsc.links) == 2 and b.status().state.is_bound)
        assert b.status().limit is Limit.PROBING  # its turn has not come
        await b.until(lambda: b.status().in_window == 1)
        assert b.status().limit is Limit.PROBING
        b.smsc.answer, b.smsc.delay_s = accept, 0.5
        await b.until(lambda: len(b.smsc.links) == 3 and b.smsc.link.unanswered == 1)
        await trio.sleep(0.4)
        assert b.smsc.link.unanswered == 1
        await b.until(lambda: b.smsc.link.unanswered == 5)
        await b.until(lambda: b.store.states().get("sent", 0) == 94)


async def test_an_smsc_that_hangs_up_on_every_submit_sm_gets_one_at_a_time(autojump_clock: MockClock) -> None:
    def angry(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(500)

        def hang_up(*_: object) -> None:
            smsc.nursery.start_soon(smsc.link.cut)

        smsc.answer = hang_up

    async with bench(carrier(window=20), prepare=angry) as b:
        await trio.sleep(600)
        # The first break is bad luck; from the second one on there is an alarm, and a pause.
        times = b.submitted_at[20:]
        assert [round(later - earlier) for earlier, later in pairwise(times)] == [5, 10, 20, 40, 80, 160]
        assert b.store.states()["in_doubt"] == len(b.smsc.submits)
        assert b.status().alarm == "no_answers"


async def test_a_steady_session_that_broke_with_answers_is_not_probed(autojump_clock: MockClock) -> None:
    def loaded(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(5)

    async with bench(prepare=loaded) as b:
        await b.until(lambda: b.store.states() == {"sent": 5})
        b.smsc.answer = lambda *_: None
        b.store.queue(3)
        await b.until(lambda: len(b.smsc.submits) == 8)
        await b.smsc.link.cut()
        await b.until(lambda: len(b.smsc.links) == 2 and b.status().state.is_bound)
        assert b.status().limit is Limit.NOTHING_QUEUED


# Endpoints --------------------------------------------------------------------------------------------------------

TWO: dict[str, Any] = {"host": "first", "port": 1, "fallbacks": ["second:2"]}


async def test_the_next_endpoint_is_tried_at_once(autojump_clock: MockClock) -> None:
    def first_is_away(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.down_at = {"first:1"}

    async with bench(carrier(**TWO), prepare=first_is_away) as b:
        await b.bound()
        assert b.smsc.endpoints == ["first:1", "second:2"]
        assert b.smsc.connects == [0.0, 0.0]
        assert b.status().endpoint == "second:2"
        b.smsc.down_at = set()
        await trio.sleep(20)
        await b.smsc.link.cut()
        await b.until(lambda: len(b.smsc.links) == 2)
        assert b.smsc.link.endpoint == "first:1"


async def test_when_all_are_away_rounds_follow_the_schedule(autojump_clock: MockClock) -> None:
    async with bench(carrier(**TWO), prepare=down) as b:
        await trio.sleep(8)
        assert b.smsc.endpoints == ["first:1", "second:2"] * 4
        assert b.smsc.connects == [0, 0, 1, 1, 3, 3, 7, 7]
        assert b.status().last_error == "connection refused"


async def test_a_bind_that_is_refused_leads_to_the_next_endpoint(autojump_clock: MockClock) -> None:
    def refusing(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.refuse_binds = Status.ESME_RSYSERR

    async with bench(carrier(**TWO), prepare=refusing) as b:
        await b.until(lambda: len(b.smsc.binds) == 3, within_s=100)
        assert b.smsc.endpoints == ["first:1", "second:2", "first:1"]
        assert [at for at, *_ in b.smsc.binds] == [0, 10, 30]


# Pairs ------------------------------------------------------------------------------------------------------------


async def test_the_receiver_has_a_port_of_its_own(autojump_clock: MockClock) -> None:
    settings = carrier(mode=BindMode.PAIR, host="smsc", port=1, receive_port=9, fallbacks=["other:5"])
    async with bench(settings) as b:
        await b.bound()
        assert {link.kind: link.endpoint for link in b.smsc.links} == {
            "BindTransmitter": "smsc:1",
            "BindReceiver": "smsc:9",
        }
        assert [status.link for status in b.pool.status()] == ["demo/1", "demo/1"]


async def test_both_halves_are_on_one_endpoint(autojump_clock: MockClock) -> None:
    def first_is_away(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.down_at = {"first:1"}

    async with bench(carrier(mode=BindMode.PAIR, **TWO), prepare=first_is_away) as b:
        await b.bound()
        assert [status.endpoint for status in b.pool.status()] == ["second:2", "second:2"]
        b.smsc.down_at = set()
        receiver = next(link for link in b.smsc.links if link.kind == "BindReceiver")
        await trio.sleep(20)
        await receiver.cut()
        await b.until(lambda: len(b.smsc.links) == 3)
        assert b.smsc.link.endpoint == "second:2"  # where the transmitter is
        await b.bound()
        for link in b.smsc.links:
            await link.cut()
        await b.until(lambda: len(b.smsc.links) == 5)
        assert [link.endpoint for link in b.smsc.links[3:]] == ["first:1", "first:1"]


async def test_halves_that_find_different_endpoints_agree(autojump_clock: MockClock) -> None:
    """The transmitter's port of the first one is closed. Which half gets there first is chance; where is not."""

    def half_away(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.down_at = {"first:1"}

    async with bench(carrier(mode=BindMode.PAIR, receive_port=9, **TWO), prepare=half_away) as b:
        await trio.sleep(30)
        bound = {status.endpoint for status in b.pool.status() if status.state.is_bound}
        assert bound in ({"first:9"}, {"second:2"})
        assert len([link for link in b.smsc.links if link.closed is None]) == len(
            [status for status in b.pool.status() if status.state.is_bound]
        )


async def test_a_half_that_cannot_connect_where_the_other_is_takes_it_along(autojump_clock: MockClock) -> None:
    """Bound or not at all: the receiver's port of the first endpoint is closed, the second one has both."""

    def half_away(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.connect_s = 0.01  # both are on their way before one has arrived

    settings = carrier(mode=BindMode.PAIR, receive_port=9, **TWO)
    async with bench(settings, prepare=half_away) as b:
        await b.bound()
        b.store.queue(3)
        b.smsc.down_at = {"first:9"}
        receiver = next(link for link in b.smsc.links if link.kind == "BindReceiver")
        await receiver.cut()
        await b.until(lambda: {status.endpoint for status in b.pool.status()} == {"second:2"})
        await b.bound()
        assert b.smsc.endpoints.count("first:9") == 1 + STUCK_ROUNDS
        transmitter = next(link for link in b.smsc.links if link.kind == "BindTransmitter")
        assert transmitter.unbind_received
        b.store.queue(2)
        await b.until(lambda: b.store.states() == {"sent": 5})


async def test_one_half_with_a_wrong_password_stops_the_other_from_hammering(autojump_clock: MockClock) -> None:
    def refusing(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.refuse_binds = Status.ESME_RINVPASWD

    async with bench(carrier(mode=BindMode.PAIR), prepare=refusing) as b:
        await b.until(lambda: len(b.smsc.binds) >= 6, within_s=3000, step_s=1.0)
        # Both at first, then one at a time, on one schedule for both.
        assert [round(at) for at, *_ in b.smsc.binds] == [0, 0, 60, 180, 420, 900]
        b.smsc.refuse_binds = None
        await b.until(lambda: all(status.state.is_bound for status in b.pool.status()), within_s=2000, step_s=1.0)


async def test_submitting_goes_on_while_the_receiver_is_refused(autojump_clock: MockClock) -> None:
    def refusing(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.refuse_binds, smsc.refuses = Status.ESME_RBINDFAIL, {"BindReceiver"}

    async with bench(carrier(mode=BindMode.PAIR), prepare=refusing) as b:
        await trio.sleep(100)
        b.store.queue(3)
        await b.until(lambda: b.store.states() == {"sent": 3})
        transmitter = next(link for link in b.smsc.links if link.kind == "BindTransmitter")
        await transmitter.cut()
        await b.until(lambda: b.status(0).state is BindState.BOUND_TX, within_s=2)
        assert (b.status(1).state, b.status(1).alarm) == (BindState.BACKING_OFF, "credentials")


async def test_stop_while_a_half_waits_for_its_turn(autojump_clock: MockClock) -> None:
    def refusing(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.refuse_binds = Status.ESME_RINVPASWD

    async with bench(carrier(mode=BindMode.PAIR), prepare=refusing) as b:
        await trio.sleep(59)
        b.smsc.connect_s = 4.0
        await trio.sleep(2)  # one is connecting, the other waits for what comes of it
        assert sorted(status.state for status in b.pool.status()) == [BindState.BACKING_OFF, BindState.CONNECTING]
        with trio.fail_after(0.1):
            await b.pool.stop()


# Stopping ---------------------------------------------------------------------------------------------------------


async def test_stop_lets_the_window_empty_then_unbinds(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    def loaded(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.delay_s = 2.0
        store.queue(50)

    caplog.set_level("INFO", logger="smppgw.binds")
    async with bench(carrier(window=10), prepare=loaded) as b:
        await b.until(lambda: len(b.smsc.submits) == 10)
        await trio.sleep(0.5)
        started = trio.current_time()
        await b.pool.stop()
        assert trio.current_time() - started == pytest.approx(1.5, abs=0.1)
        assert b.store.states() == {"sent": 10, "queued": 40}
        assert len(b.smsc.submits) == 10
        assert b.smsc.link.unbind_received
        assert b.status().state is BindState.STOPPED
        draining = [record for record in caplog.records if record.message == "bind_draining"]
        assert [record.__dict__["fields"]["submit_sm_resps"] for record in draining] == [10, 10]
        assert b.store.ops(Doubt) == []


async def test_stop_records_the_unanswered_as_doubt_after_stop_s(autojump_clock: MockClock) -> None:
    def silent(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(5)
        smsc.answer = lambda pdu, number: None if number % 2 else accept(pdu, number)

    async with bench(carrier(timers={"stop_s": 5.0}), prepare=silent) as b:
        await b.until(lambda: len(b.smsc.submits) == 5)
        started = trio.current_time()
        await b.pool.stop()
        assert trio.current_time() - started == pytest.approx(5.0, abs=0.1)
        assert b.store.states() == {"sent": 3, "in_doubt": 2}
        (doubt,) = b.store.ops(Doubt)
        assert doubt.reason is Reason.STOPPED


async def test_stop_withdraws_what_pacing_holds_back(autojump_clock: MockClock) -> None:
    def loaded(store: BindStore, smsc: FakeSmsc) -> None:
        store.commit_s = 0.05
        store.queue(100)

    async with bench(carrier(rate_per_s=50.0), prepare=loaded) as b:
        await b.until(lambda: len(b.smsc.submits) == 20)
        await b.pool.stop()
        states = b.store.states()
        assert states == {"sent": len(b.smsc.submits), "queued": 100 - len(b.smsc.submits)}


@pytest.mark.parametrize("prepare", [down, lambda store, smsc: setattr(smsc, "refuse_binds", -1)])
async def test_stop_while_not_bound_is_immediate(autojump_clock: MockClock, prepare: object) -> None:
    assert callable(prepare)
    async with bench(prepare=prepare) as b:
        await trio.sleep(2)
        started = trio.current_time()
        await b.pool.stop()
        assert trio.current_time() - started < 0.1


async def test_stop_with_a_connect_that_hangs(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()

        async def hang(*_: object) -> trio.abc.Stream:
            await trio.sleep_forever()
            raise AssertionError

        b.pool._binds[0]._connect = hang
        await b.smsc.link.cut()
        await b.until(lambda: b.status().state is BindState.CONNECTING)
        with trio.fail_after(0.1):
            await b.pool.stop()


async def test_stop_with_a_store_that_fails_gives_up_in_the_end(autojump_clock: MockClock) -> None:
    def slow(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.delay_s = 1.0
        store.queue(3)

    async with bench(carrier(timers={"stop_s": 5.0}), prepare=slow) as b:
        await b.until(lambda: len(b.smsc.submits) == 3)
        b.store.unavailable = True
        started = trio.current_time()
        await b.pool.stop()
        assert trio.current_time() - started <= 2 * 5.0 + 2.0
        assert b.store.states() == {"in_flight": 3}  # in doubt when the store is opened again
        assert b.status().unrecorded == 3


async def test_stop_with_a_store_that_comes_back(autojump_clock: MockClock) -> None:
    def slow(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.delay_s = 1.0
        store.queue(3)

    async with bench(carrier(timers={"stop_s": 5.0}), prepare=slow) as b:
        await b.until(lambda: len(b.smsc.submits) == 3)
        b.store.unavailable = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(b.pool.stop)
            await trio.sleep(3)
            b.store.unavailable = False
        assert b.store.states() == {"sent": 3}


async def test_stop_of_an_smsc_that_does_not_answer_unbind(autojump_clock: MockClock) -> None:
    async with bench() as b:
        await b.bound()
        b.smsc.mute = True
        started = trio.current_time()
        await b.pool.stop()
        assert trio.current_time() - started == pytest.approx(2.0, abs=0.1)


async def test_receipts_that_come_while_draining_are_stored(autojump_clock: MockClock) -> None:
    def slow(store: BindStore, smsc: FakeSmsc) -> None:
        smsc.delay_s = 2.0
        store.queue(1)

    async with bench(prepare=slow) as b:
        await b.until(lambda: len(b.smsc.submits) == 1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(b.pool.stop)
            await trio.sleep(0.5)
            await b.smsc.link.deliver(receipt("other"))
            await b.until(lambda: b.smsc.statuses() == {"ESME_ROK": 1})
        assert b.store.receipts() == 1


async def test_cancelled_pool_still_records_what_it_knows(autojump_clock: MockClock) -> None:
    """A crash elsewhere in the daemon: no drain, but nothing that was written is forgotten."""

    def silent(store: BindStore, smsc: FakeSmsc) -> None:
        store.queue(4)
        smsc.answer = lambda pdu, _: None

    async with bench(prepare=silent) as b:
        await b.until(lambda: len(b.smsc.submits) == 4)
        b.nursery.cancel_scope.cancel()
    assert b.store.states() == {"in_doubt": 4}


async def test_streams_are_closed(autojump_clock: MockClock) -> None:
    streams: list[EvilStream] = []

    def watched(store: BindStore, smsc: FakeSmsc) -> None:
        def wrap(stream: trio.abc.Stream) -> trio.abc.Stream:
            streams.append(EvilStream(stream))
            return streams[-1]

        smsc.wrap = wrap

    async with bench(prepare=watched) as b:
        await b.bound()
        await b.smsc.link.cut()
        await b.until(lambda: len(streams) == 2 and b.status().state.is_bound)
        await b.pool.stop()
        assert [stream.closed for stream in streams] == [True, True]


async def test_a_bug_goes_up(autojump_clock: MockClock) -> None:
    with pytest.raises(BaseExceptionGroup) as caught:
        async with bench() as b:
            await b.bound()

            def broken(*_: object) -> None:
                raise ZeroDivisionError("a bug")

            b.store.commit = broken  # type: ignore[assignment,method-assign]
            b.store.queue(1)
            await trio.sleep(1)
    assert caught.group_contains(ZeroDivisionError)
