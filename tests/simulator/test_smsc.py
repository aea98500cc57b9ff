"""The simulator as an ESME meets it: binds, submits, receipts, orders. Streams are memory, time is virtual."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from simulator import SimulatorSettings, Smsc
from simulator.accounts import Account
from simulator.delays import Delay
from simulator.fates import MessageState
from smppgw.errors import Refusal
from smppgw.smpp import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DeliverSm,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Status,
    SubmitSmResp,
    Tag,
    Unbind,
    UnbindResp,
)
from smppgw.smpp.receipts import read_receipt
from smppgw.sms.reassemble import join
from tests.support.clock import VirtualClock

from .esme import Esme, bound, serving, submit_sm

# --- binds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [BindTransmitter, BindReceiver, BindTransceiver])
async def test_anyone_may_bind(autojump_clock: MockClock, kind: type[BindTransceiver]) -> None:
    async with serving() as (smsc, connect):
        for system_id in ("alice", "bob", "alice"):
            esme = await connect()
            assert await esme.bind(system_id, "anything", kind) == 0
        assert [link.system_id for link in smsc.binds] == ["alice", "bob", "alice"]
        assert smsc.summary()["binds"]["by_kind"] == {kind.__name__.removeprefix("Bind").lower(): 3}


@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [
        ("alice", "secret", 0),
        ("alice", "wrong", Status.ESME_RINVPASWD),
        ("mallory", "secret", Status.ESME_RINVSYSID),
    ],
)
async def test_accounts(autojump_clock: MockClock, system_id: str, password: str, status: int) -> None:
    async with serving(accounts=(Account(system_id="alice", password="secret"),)) as (smsc, connect):
        esme = await connect()
        assert await esme.bind(system_id, password) == status
        assert len(smsc.binds) == (status == 0)
        if status:
            await esme.wait_end()
            assert smsc.stats.binds_refused == {status: 1}


async def test_ordered_to_refuse_binds(autojump_clock: MockClock) -> None:
    async with serving() as (smsc, connect):
        smsc.refuse_binds(Status.ESME_RALYBND)
        assert await (await connect()).bind() == Status.ESME_RALYBND
        smsc.refuse_binds(None)
        assert await (await connect()).bind() == 0


async def test_a_connection_that_does_not_bind_is_closed(autojump_clock: MockClock) -> None:
    async with serving(session_init_s=7.0) as (smsc, connect):
        esme = await connect()
        await esme.wait_end()
        assert trio.current_time() == pytest.approx(7.0, abs=0.1)
        assert smsc.stats.closed == {"session_init_timeout": 1}


async def test_enquire_link_both_ways(autojump_clock: MockClock) -> None:
    async with bound(enquire_link_s=20.0, response_s=5.0) as (smsc, esme):
        await esme.send(EnquireLink())
        assert (await esme.expect(EnquireLinkResp)).command_status == 0
        asked = await esme.expect(EnquireLink)
        assert trio.current_time() == pytest.approx(20.0, abs=0.1)
        await esme.send(EnquireLinkResp(sequence_number=asked.sequence_number))
        await esme.expect(EnquireLink)
        assert trio.current_time() == pytest.approx(40.0, abs=0.1)
        await esme.wait_end()  # this one is not answered
        assert trio.current_time() == pytest.approx(45.0, abs=0.1)
        assert smsc.stats.closed == {"link_silent": 1}


async def test_unbind_by_the_esme(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        await esme.send(Unbind())
        await esme.expect(UnbindResp)
        await esme.wait_end()
        assert smsc.stats.closed == {"unbound": 1}
        assert smsc.binds == []


async def test_stop_unbinds(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme), trio.open_nursery() as nursery:
        nursery.start_soon(smsc.stop)
        asked = await esme.expect(Unbind)
        await esme.send(UnbindResp(sequence_number=asked.sequence_number))
        await esme.wait_end()
        assert smsc.stats.closed == {"unbound": 1}


async def test_stop_does_not_wait_long(autojump_clock: MockClock) -> None:
    async with bound(stop_grace_s=2.0) as (smsc, _esme):
        await smsc.stop()  # nobody answers the unbind
        assert trio.current_time() == pytest.approx(2.0, abs=0.1)


# --- submits --------------------------------------------------------------------------------------------------------


async def test_submits_are_answered_with_rising_ids(autojump_clock: MockClock) -> None:
    async with bound(message_id_start=500) as (smsc, esme):
        answers = [await esme.submit(f"44770090012{number}") for number in range(3)]
        assert [(answer.command_status, answer.message_id) for answer in answers] == [
            (0, "500"),
            (0, "501"),
            (0, "502"),
        ]
        assert [submit.destination for submit in smsc.submits] == ["447700900120", "447700900121", "447700900122"]
        assert smsc.submits[0].text == "hello"
        assert smsc.summary()["by_status"] == {"ESME_ROK": 3}


async def test_ids_are_not_repeated_after_a_restart(autojump_clock: MockClock) -> None:
    seen: set[str] = set()
    for _ in range(2):
        async with bound(message_id_start=None) as (_smsc, esme):
            seen |= {(await esme.submit()).message_id for _ in range(10)}
        await trio.sleep(1)
    # Each Smsc has a virtual clock of its own here, so only the shape can be compared: 10 ids, rising from the time.
    assert len(seen) == 10
    assert min(seen) == "1767225600000000"


async def test_a_batch_is_answered_in_one_write(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        await esme.send(*(submit_sm(text=b"%d" % number) for number in range(100)))
        assert await esme.read()
        assert len(esme.inbox) == 100
        assert smsc.stats.max_window == 100


async def test_responses_are_delayed(autojump_clock: MockClock) -> None:
    async with bound(response_delay=Delay(3.0, 3.0)) as (smsc, esme):
        await esme.submit()
        assert trio.current_time() == pytest.approx(3.0, abs=0.05)
        await esme.send(submit_sm())
        await trio.sleep(1.0)
        await esme.send(submit_sm())
        await esme.expect(SubmitSmResp)
        assert trio.current_time() == pytest.approx(6.0, abs=0.05)
        assert smsc.stats.max_window == 2


async def test_delays_between_two_ends_reorder_responses(autojump_clock: MockClock) -> None:
    async with bound(response_delay=Delay(1.0, 2.0), seed=3) as (_smsc, esme):
        await esme.send(*(submit_sm() for _ in range(50)))
        order = [(await esme.expect(SubmitSmResp)).sequence_number for _ in range(50)]
        assert sorted(order) != order
        assert sorted(order) == list(range(2, 52))
        assert trio.current_time() == pytest.approx(2.0, abs=0.1)


async def test_the_rate_is_held_per_system_id(autojump_clock: MockClock) -> None:
    async with serving(rate=10.0, burst=5.0) as (smsc, connect):
        statuses: dict[str, list[int]] = {}
        for system_id in ("alice", "bob"):
            esme = await connect()
            await esme.bind(system_id)
            await esme.send(*(submit_sm() for _ in range(8)))
            statuses[system_id] = [(await esme.expect(SubmitSmResp)).command_status for _ in range(8)]
        assert statuses == {name: [0] * 5 + [Status.ESME_RTHROTTLED] * 3 for name in ("alice", "bob")}
        await trio.sleep(0.2)
        await esme.send(*(submit_sm() for _ in range(3)))
        assert [(await esme.expect(SubmitSmResp)).command_status for _ in range(3)] == [0, 0, Status.ESME_RTHROTTLED]
        smsc.set_rate(None)
        assert (await esme.submit()).command_status == 0
        assert smsc.stats.submits_by_status == {0: 13, Status.ESME_RTHROTTLED: 7}


async def test_chosen_recipients_are_refused(autojump_clock: MockClock) -> None:
    refusals = {"447700900001": int(Status.ESME_RMSGQFUL), "447700900002": 0x411}
    async with bound(refusals=refusals) as (smsc, esme):
        statuses = [
            (await esme.submit(to)).command_status for to in ("447700900001", "447700900002", "447700900003", "")
        ]
        assert statuses == [Status.ESME_RMSGQFUL, 0x411, 0, Status.ESME_RINVDSTADR]
        assert [submit.message_id for submit in smsc.submits] == ["", "", "1000", ""]


async def test_a_stall_takes_submits_but_answers_none(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        smsc.stall()
        await esme.send(submit_sm(registered_delivery=1), submit_sm())
        assert (await esme.expect(DeliverSm)).esm_class == 4  # it has the message, and reports on it
        assert await esme.nothing_for(20.0)
        assert smsc.stats.submits == smsc.stats.withheld == 2
        smsc.stall(False)
        assert [(await esme.expect(SubmitSmResp)).message_id for _ in range(2)] == ["1000", "1001"]
        assert (await esme.submit()).command_status == 0


async def test_duplicates_are_counted(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        for destination, text in (("1", b"a"), ("1", b"b"), ("2", b"a"), ("1", b"a"), ("1", b"a")):
            await esme.submit(destination, text)
        assert (smsc.stats.distinct, smsc.stats.duplicates) == (3, 2)


# --- receipts -------------------------------------------------------------------------------------------------------


async def test_a_receipt_says_it_twice(autojump_clock: MockClock) -> None:
    async with bound(receipt_delay=Delay(5.0, 5.0)) as (smsc, esme):
        await esme.submit("447700900123", b"hello \x00 world, and more", registered_delivery=1)
        receipt = await esme.expect(DeliverSm)
        assert trio.current_time() == pytest.approx(5.0, abs=0.05)
        assert (receipt.source_addr, receipt.source_addr_ton, receipt.source_addr_npi) == ("447700900123", 1, 1)
        assert (receipt.destination_addr, receipt.dest_addr_ton, receipt.dest_addr_npi) == ("SHOP", 5, 0)
        assert receipt.esm_class == 0x04
        assert receipt.short_message == (
            b"id:1000 sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 "
            b"text:hello . world, and m"
        )
        assert receipt.tlvs == {Tag.RECEIPTED_MESSAGE_ID: b"1000\0", Tag.MESSAGE_STATE: b"\x02"}
        read = read_receipt(receipt)
        assert read is not None
        assert (read.message_id, read.state, read.stat) == ("1000", 2, "DELIVRD")
        assert smsc.stats.receipts.pending == 1
        await esme.acknowledge(receipt)
        await smsc.wait_until(lambda: smsc.stats.receipts.pending == 0)
        assert smsc.waiting == 0


@pytest.mark.parametrize(
    ("registered_delivery", "fate", "stats"),
    [
        (0, MessageState.DELIVERED, []),
        (1, MessageState.DELIVERED, ["DELIVRD"]),
        (1, MessageState.EXPIRED, ["EXPIRED"]),
        (2, MessageState.DELIVERED, []),
        (2, MessageState.REJECTED, ["REJECTD"]),
        (3, MessageState.DELIVERED, ["DELIVRD"]),
        (0x10, MessageState.DELIVERED, ["ENROUTE"]),
        (0x11, MessageState.UNDELIVERABLE, ["ENROUTE", "UNDELIV"]),
    ],
)
async def test_receipts_come_as_asked(
    autojump_clock: MockClock, registered_delivery: int, fate: MessageState, stats: list[str]
) -> None:
    async with bound(fates={"447700900123": fate}, receipt_delay=Delay(4.0, 4.0)) as (smsc, esme):
        await esme.submit(registered_delivery=registered_delivery)
        assert await esme.nothing_for(30.0) is (not stats)
        came = [pdu for pdu in esme.inbox if isinstance(pdu, DeliverSm)]
        assert [receipt.stat for pdu in came if (receipt := read_receipt(pdu))] == stats
        assert [pdu.esm_class for pdu in came] == [0x20 if stat == "ENROUTE" else 0x04 for stat in stats]
        assert smsc.waiting == (1 if stats and stats[-1] != "ENROUTE" else 0)


async def test_outcomes_follow_weights_and_seed(autojump_clock: MockClock) -> None:
    weights = {MessageState.DELIVERED: 3.0, MessageState.UNDELIVERABLE: 1.0}

    async def stats_of(seed: int) -> list[str]:
        async with bound(outcomes=weights, seed=seed, deliver_window=400) as (_smsc, esme):
            await esme.send(*(submit_sm(text=b"%d" % n, registered_delivery=1) for n in range(400)))
            receipts = [read_receipt(await esme.expect(DeliverSm)) for _ in range(400)]
            return [receipt.stat for receipt in receipts if receipt]

    first, again, other = [await stats_of(seed) for seed in (1, 1, 2)]
    assert first == again != other
    assert 260 < first.count("DELIVRD") < 340
    assert first.count("DELIVRD") + first.count("UNDELIV") == 400


async def test_receipts_wait_for_a_receiver(autojump_clock: MockClock) -> None:
    async with serving() as (smsc, connect):
        transmitter = await connect()
        await transmitter.bind(kind=BindTransmitter)
        await transmitter.submit(registered_delivery=1)
        assert await transmitter.nothing_for(60.0)
        stranger = await connect()
        await stranger.bind("bob", kind=BindReceiver)
        receiver = await connect()
        await receiver.bind(kind=BindReceiver)
        await receiver.acknowledge(await receiver.expect(DeliverSm))
        assert await stranger.nothing_for(1.0)
        assert smsc.stats.receipts.summary() | {"acked": 1, "redelivered": 0} == smsc.stats.receipts.summary()


async def test_unacknowledged_receipts_go_to_the_next_bind(autojump_clock: MockClock) -> None:
    async with serving() as (smsc, connect):
        first = await connect()
        await first.bind()
        await first.send(*(submit_sm(text=b"%d" % n, registered_delivery=1) for n in range(5)))
        got = [await first.expect(DeliverSm) for _ in range(5)]
        await first.acknowledge(got[1])
        await smsc.wait_until(lambda: smsc.stats.receipts.acked == 1)
        await first.stream.aclose()
        second = await connect()
        await second.bind()
        again = [await second.expect(DeliverSm) for _ in range(4)]
        assert [pdu.short_message for pdu in again] == [got[n].short_message for n in (0, 2, 3, 4)]
        for pdu in again:
            await second.acknowledge(pdu)
        await smsc.wait_until(lambda: smsc.waiting == 0)
        assert smsc.stats.receipts.redelivered == 4


@pytest.mark.parametrize(
    ("status", "after_s"), [(Status.ESME_RX_T_APPN, 5.0), (Status.ESME_RX_R_APPN, 1.0), (Status.ESME_RSYSERR, 1.0)]
)
async def test_a_refused_receipt_comes_again(autojump_clock: MockClock, status: Status, after_s: float) -> None:
    async with bound() as (smsc, esme):
        await esme.submit(registered_delivery=1)
        first = await esme.expect(DeliverSm)
        refused_mono = trio.current_time()
        await esme.acknowledge(first, status)
        again = await esme.expect(DeliverSm)
        assert trio.current_time() - refused_mono == pytest.approx(after_s, abs=0.05)
        assert again.short_message == first.short_message
        assert again.sequence_number != first.sequence_number
        await esme.acknowledge(again)
        await smsc.wait_until(lambda: smsc.waiting == 0)
        assert (smsc.stats.receipts.nacked, smsc.stats.receipts.acked, smsc.stats.receipts.sent) == (1, 1, 2)


async def test_an_unanswered_receipt_comes_again_and_a_late_answer_counts(autojump_clock: MockClock) -> None:
    async with bound(response_s=10.0, enquire_link_s=0.0) as (smsc, esme):
        await esme.submit(registered_delivery=1)
        first = await esme.expect(DeliverSm)
        again = await esme.expect(DeliverSm)
        assert trio.current_time() == pytest.approx(11.0, abs=0.1)
        await esme.acknowledge(first)
        await esme.acknowledge(again)
        assert await esme.nothing_for(60.0)
        assert (smsc.stats.receipts.acked, smsc.stats.receipts.overdue, smsc.waiting) == (1, 1, 0)


async def test_the_deliver_window_is_held(autojump_clock: MockClock) -> None:
    async with bound(deliver_window=3) as (_smsc, esme):
        await esme.send(*(submit_sm(text=b"%d" % n, registered_delivery=1) for n in range(10)))
        got = [await esme.expect(DeliverSm) for _ in range(3)]
        for _ in range(10):
            await esme.expect(SubmitSmResp)
        assert await esme.nothing_for(5.0)
        await esme.acknowledge(got[0])
        await esme.acknowledge(got[1])
        for _ in range(2):
            await esme.expect(DeliverSm)
        assert await esme.nothing_for(5.0)


async def test_receipts_are_spread_over_the_binds(autojump_clock: MockClock) -> None:
    async with serving(deliver_window=2) as (_smsc, connect):
        esmes = [await connect() for _ in range(3)]
        for esme in esmes:
            await esme.bind()
        await esmes[0].send(*(submit_sm(text=b"%d" % n, registered_delivery=1) for n in range(6)))
        for esme in esmes:
            assert [(await esme.expect(DeliverSm)).esm_class for _ in range(2)] == [4, 4]


async def test_receipts_held_and_released(autojump_clock: MockClock) -> None:
    async with bound(enquire_link_s=0.0) as (smsc, esme):
        smsc.hold_receipts()
        for _ in range(3):
            await esme.submit(registered_delivery=1)
        smsc.inject("447700900001", "12345", "not held")
        inbound = await esme.expect(DeliverSm)
        assert inbound.short_message == b"not held"
        await esme.acknowledge(inbound)
        assert await esme.nothing_for(60.0)
        smsc.hold_receipts(False)
        ids = [receipt.message_id for _ in range(3) if (receipt := read_receipt(await esme.expect(DeliverSm)))]
        assert ids == ["1000", "1001", "1002"]


async def test_too_many_open_receipts_fill_the_queue(autojump_clock: MockClock) -> None:
    async with serving(max_waiting=3) as (smsc, connect):
        esme = await connect()
        await esme.bind(kind=BindTransmitter)
        statuses = [(await esme.submit(registered_delivery=1)).command_status for _ in range(5)]
        assert statuses == [0, 0, 0, Status.ESME_RMSGQFUL, Status.ESME_RMSGQFUL]
        receiver = await connect()
        await receiver.bind(kind=BindReceiver)
        await receiver.acknowledge(await receiver.expect(DeliverSm))
        await smsc.wait_until(lambda: smsc.waiting == 2)
        assert (await esme.submit(registered_delivery=1)).command_status == 0


# --- inbound --------------------------------------------------------------------------------------------------------


async def test_an_inbound_text(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        text = "Grüße €" * 60
        deliveries = smsc.inject("+447700900001", "12345", text)
        pdus = [await esme.expect(DeliverSm) for _ in deliveries]
        assert len(pdus) > 1
        assert {(pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) for pdu in pdus} == {
            (1, 1, "447700900001")
        }
        assert {pdu.esm_class for pdu in pdus} == {0x40}
        assert join([pdu.short_message for pdu in pdus], data_coding=pdus[0].data_coding, udhi=True) == text
        assert all(read_receipt(pdu) is None for pdu in pdus)
        for pdu in pdus:
            await esme.acknowledge(pdu)
        await smsc.wait_until(lambda: all(delivery.acked for delivery in deliveries))
        assert smsc.stats.inbound.acked == len(pdus)
        assert smsc.stats.receipts.due == 0


async def test_an_inbound_text_waits_for_its_esme(autojump_clock: MockClock) -> None:
    async with serving() as (smsc, connect):
        with pytest.raises(Refusal) as refused:
            smsc.inject("447700900001", "12345", "hello")
        assert refused.value.code == "no_receiver"
        smsc.inject("447700900001", "12345", "hello", system_id="alice")
        esme = await connect()
        await esme.bind("alice")
        assert (await esme.expect(DeliverSm)).short_message == b"hello"


# --- cutting, and other trouble -------------------------------------------------------------------------------------


async def test_cut(autojump_clock: MockClock) -> None:
    async with serving() as (smsc, connect):
        one, two = await connect(), await connect()
        await one.bind("one")
        await two.bind("two")
        (bind,) = (link for link in smsc.binds if link.system_id == "one")
        assert smsc.cut(bind) == 1
        await one.wait_end()
        assert (await two.submit()).command_status == 0
        assert [link.system_id for link in smsc.binds] == ["two"]
        assert smsc.cut() == 1
        await two.wait_end()
        assert smsc.stats.closed == {"local": 2}


async def test_garbage_ends_only_its_own_session(autojump_clock: MockClock) -> None:
    async with serving() as (smsc, connect):
        good, bad = await connect(), await connect()
        await good.bind()
        await bad.stream.send_all(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
        await bad.wait_end()
        assert (await good.submit()).command_status == 0
        assert smsc.stats.closed == {"framing_lost": 1}


async def test_unknown_commands_are_refused_and_the_session_goes_on(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        unknown = bytes.fromhex("00000010 00000777 00000000 00000009".replace(" ", ""))
        await esme.stream.send_all(unknown * 500)
        nacks = [await esme.expect(GenericNack) for _ in range(500)]
        assert {nack.command_status for nack in nacks} == {Status.ESME_RINVCMDID}
        assert (await esme.submit()).command_status == 0
        assert smsc.stats.rejected_pdus == {"ESME_RINVCMDID": 500}


async def test_half_a_pdu_then_silence(autojump_clock: MockClock) -> None:
    async with serving(session_init_s=3.0) as (smsc, connect):
        esme = await connect()
        await esme.stream.send_all(b"\0\0\0\x20\0\0")
        await esme.wait_end()
        assert smsc.stats.closed == {"session_init_timeout": 1}


async def test_a_peer_that_does_not_read_is_cut(autojump_clock: MockClock) -> None:
    """A lockstep stream: what the peer does not read stays with us."""
    smsc = Smsc(SimulatorSettings(max_outgoing_octets=4096, enquire_link_s=0.0), VirtualClock())
    async with trio.open_nursery() as nursery:
        await nursery.start(smsc.serve, [])
        ours, theirs = trio.testing.lockstep_stream_pair()
        nursery.start_soon(smsc.serve_stream, theirs)
        esme = Esme(ours)
        await esme.bind()
        with pytest.raises(trio.BrokenResourceError):
            for number in range(1000):
                await esme.send(submit_sm(text=b"%d" % number))
        assert smsc.binds == []
        assert 100 < smsc.stats.submits < 200  # 33 octets of response each
        nursery.cancel_scope.cancel()
    assert smsc.stats.session_failures == 0


async def test_serving_streams_needs_serve(autojump_clock: MockClock) -> None:
    smsc = Smsc()
    ours, theirs = trio.testing.memory_stream_pair()
    with pytest.raises(RuntimeError, match="serve"):
        await smsc.serve_stream(theirs)
    await ours.aclose()


# --- time that is skipped -------------------------------------------------------------------------------------------


async def test_advance_brings_what_is_due_and_nothing_else(autojump_clock: MockClock) -> None:
    async with bound(receipt_delay=Delay(259_200.0, 259_200.0), enquire_link_s=60.0, response_s=30.0) as (smsc, esme):
        submitted_utc_ms = smsc.now_utc_ms
        message_id = (await esme.submit(registered_delivery=0x11)).message_id
        smsc.advance(129_600)
        intermediate = await esme.expect(DeliverSm, 1.0)
        assert intermediate.esm_class == 0x20
        smsc.advance(129_599)  # the one before is not acknowledged, and not overdue either
        assert smsc.fate(message_id) == "DELIVRD"
        smsc.advance(1)
        receipt = read_receipt(await esme.expect(DeliverSm, 1.0))
        assert receipt is not None
        assert (receipt.message_id, receipt.done_utc_ms) == (
            message_id,
            (submitted_utc_ms + 259_200_000) // 60_000 * 60_000,
        )
        assert await esme.nothing_for(20.0)
        assert smsc.stats.receipts.overdue == 0
        await esme.expect(EnquireLink, 60.0)  # by the clock of the session, which is that of the wall


async def test_a_scheduled_message_goes_out_when_its_time_is_skipped(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        await esme.submit(registered_delivery=1, schedule_delivery_time="000002000000000R")
        assert await esme.nothing_for(10.0)
        smsc.advance(2 * 86_400)
        await esme.expect(DeliverSm, 1.0)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 1e12])
async def test_time_that_cannot_be_skipped(autojump_clock: MockClock, seconds: float) -> None:
    async with serving() as (smsc, _):
        with pytest.raises(ValueError, match="ten years"):
            smsc.advance(seconds)
