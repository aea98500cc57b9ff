"""query_sm, cancel_sm, replace_sm, and the submits in other clothes: data_sm and submit_multi."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from simulator.delays import Delay
from simulator.fates import MessageState
from smppgw.smpp import (
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DistributionList,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SmeAddress,
    Status,
    SubmitMulti,
    SubmitMultiResp,
    Tag,
)
from smppgw.smpp.receipts import read_receipt

from .esme import Esme, bound, serving

TEN_SECONDS = Delay(10.0, 10.0)


async def query(esme: Esme, message_id: str, source_addr: str = "SHOP") -> tuple[int, int, str, int]:
    await esme.send(QuerySm(message_id=message_id, source_addr=source_addr))
    answer = await esme.expect(QuerySmResp)
    return answer.command_status, answer.message_state, answer.final_date, answer.error_code


async def cancel(esme: Esme, message_id: str, source_addr: str = "SHOP") -> int:
    await esme.send(CancelSm(message_id=message_id, source_addr=source_addr))
    return (await esme.expect(CancelSmResp)).command_status


async def replace(esme: Esme, message_id: str, **fields: Any) -> int:
    await esme.send(ReplaceSm(message_id=message_id, source_addr="SHOP", **fields))
    return (await esme.expect(ReplaceSmResp)).command_status


async def receipt_stats(esme: Esme, within_s: float) -> list[tuple[str, str]]:
    """message_id and stat of the receipts that come within so many seconds."""
    await esme.nothing_for(within_s)
    receipts = [read_receipt(pdu) for pdu in esme.inbox if isinstance(pdu, DeliverSm)]
    return [(receipt.message_id, receipt.stat) for receipt in receipts if receipt]


IN_A_DAY = "000001000000000R"  # SMPP 3.4, 7.1.1.2
DAY_S = 86_400


async def test_a_scheduled_message_stays_until_its_time(autojump_clock: MockClock) -> None:
    async with bound(receipt_delay=TEN_SECONDS, enquire_link_s=0.0) as (smsc, esme):
        response = await esme.submit(schedule_delivery_time=IN_A_DAY, registered_delivery=1)
        assert response.command_status == 0
        assert await receipt_stats(esme, DAY_S + 9) == []
        assert await query(esme, response.message_id) == (0, MessageState.ENROUTE, "", 0)
        assert await receipt_stats(esme, 2) == [(response.message_id, "DELIVRD")]
        assert smsc.submits[0].line()["schedule_delivery_time"] == IN_A_DAY


async def test_until_then_it_can_be_cancelled(autojump_clock: MockClock) -> None:
    async with bound() as (_, esme):
        response = await esme.submit(schedule_delivery_time=IN_A_DAY, registered_delivery=1)
        assert await cancel(esme, response.message_id) == 0
        assert await receipt_stats(esme, 1) == [(response.message_id, "DELETED")]


async def test_a_time_that_has_passed_is_now(autojump_clock: MockClock) -> None:
    async with bound() as (_, esme):
        response = await esme.submit(schedule_delivery_time="250101000000000+", registered_delivery=1)
        assert await receipt_stats(esme, 1) == [(response.message_id, "DELIVRD")]


@pytest.mark.parametrize("text", ["2601010000000000", "261301000000000+", "000000000000000X"])
async def test_a_time_that_is_none_is_refused(autojump_clock: MockClock, text: str) -> None:
    async with bound() as (smsc, esme):
        assert (await esme.submit(schedule_delivery_time=text)).command_status == Status.ESME_RINVSCHED
        several = SubmitMulti(dest_addresses=(SmeAddress(1, 1, "4477"),), schedule_delivery_time=text)
        await esme.send(several)
        assert (await esme.expect(SubmitMultiResp)).command_status == Status.ESME_RINVSCHED
        assert [submit.message_id for submit in smsc.submits] == ["", ""]


async def test_query(autojump_clock: MockClock) -> None:
    async with bound(receipt_delay=TEN_SECONDS, fates={"447700900123": MessageState.UNDELIVERABLE}) as (_, esme):
        await esme.submit()
        assert await query(esme, "1000") == (0, MessageState.ENROUTE, "", 0)
        await trio.sleep(10.1)
        assert await query(esme, "1000") == (0, MessageState.UNDELIVERABLE, "260101000010000+", 1)
        assert (await query(esme, "1000", "OTHER"))[0] == Status.ESME_RQUERYFAIL
        assert (await query(esme, "999"))[0] == Status.ESME_RINVMSGID
        assert (await query(esme, ""))[0] == Status.ESME_RQUERYFAIL


async def test_messages_of_others_are_not_shown(autojump_clock: MockClock) -> None:
    async with serving() as (_smsc, connect):
        alice, bob = await connect(), await connect()
        await alice.bind("alice")
        await bob.bind("bob")
        await alice.submit()
        assert (await query(bob, "1000"))[0] == Status.ESME_RINVMSGID
        assert await cancel(bob, "1000") == Status.ESME_RINVMSGID


async def test_only_the_newest_messages_are_remembered(autojump_clock: MockClock) -> None:
    async with bound(remembered_messages=2) as (_smsc, esme):
        for _ in range(3):
            await esme.submit()
        assert [(await query(esme, str(number)))[0] for number in (1000, 1001, 1002)] == [
            Status.ESME_RINVMSGID,
            0,
            0,
        ]


@pytest.mark.parametrize(
    ("registered_delivery", "expected"),
    [(0, []), (1, [("1000", "DELETED")]), (2, [("1000", "DELETED")]), (3, [])],
)
async def test_cancel(autojump_clock: MockClock, registered_delivery: int, expected: list[tuple[str, str]]) -> None:
    async with bound(receipt_delay=TEN_SECONDS) as (smsc, esme):
        await esme.submit(registered_delivery=registered_delivery)
        assert await cancel(esme, "1000", "OTHER") == Status.ESME_RCANCELFAIL
        assert await cancel(esme, "1000") == 0
        assert (await query(esme, "1000"))[1] == MessageState.DELETED
        assert await cancel(esme, "1000") == Status.ESME_RCANCELFAIL
        assert await receipt_stats(esme, 30.0) == expected
        assert smsc.waiting == len(expected)


async def test_what_is_final_cannot_be_cancelled(autojump_clock: MockClock) -> None:
    async with bound() as (_smsc, esme):
        await esme.submit()
        assert await cancel(esme, "1000") == Status.ESME_RCANCELFAIL


async def test_replace(autojump_clock: MockClock) -> None:
    async with bound(receipt_delay=TEN_SECONDS) as (smsc, esme):
        await esme.submit()
        await trio.sleep(4)
        assert await replace(esme, "1000", short_message=b"better", registered_delivery=1) == 0
        receipt = await esme.expect(DeliverSm)
        assert trio.current_time() == pytest.approx(10.0, abs=0.1)
        assert receipt.short_message.endswith(b"text:better")
        assert await replace(esme, "1000", short_message=b"too late") == Status.ESME_RREPLACEFAIL
        assert smsc.waiting == 1


async def test_replace_can_take_the_receipt_back(autojump_clock: MockClock) -> None:
    async with bound(receipt_delay=TEN_SECONDS) as (smsc, esme):
        await esme.submit(registered_delivery=1)
        assert await replace(esme, "1000", registered_delivery=0) == 0
        assert await receipt_stats(esme, 30.0) == []
        assert smsc.waiting == 0


async def test_replace_can_ask_for_it_again(autojump_clock: MockClock) -> None:
    async with bound(receipt_delay=TEN_SECONDS) as (smsc, esme):
        await esme.submit(registered_delivery=1)
        for registered_delivery in (0, 1, 0, 1):
            assert await replace(esme, "1000", registered_delivery=registered_delivery) == 0
        assert await receipt_stats(esme, 30.0) == [("1000", "DELIVRD")]
        assert smsc.waiting == 1


async def test_data_sm(autojump_clock: MockClock) -> None:
    async with bound() as (smsc, esme):
        await esme.send(
            DataSm(
                source_addr="SHOP",
                destination_addr="447700900123",
                registered_delivery=1,
                tlvs={Tag.MESSAGE_PAYLOAD: b"hello"},
            )
        )
        answer = await esme.expect(DataSmResp)
        assert (answer.command_status, answer.message_id) == (0, "1000")
        assert (await esme.expect(DeliverSm)).short_message.endswith(b"text:hello")
        assert smsc.submits[0].text == "hello"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"source_addr": "1" * 40, "destination_addr": "1"}, Status.ESME_RINVSRCADR),
        ({"destination_addr": "1" * 40}, Status.ESME_RINVDSTADR),
        ({}, Status.ESME_RINVDSTADR),
    ],
)
async def test_data_sm_that_no_receipt_could_answer(
    autojump_clock: MockClock, fields: dict[str, str], status: Status
) -> None:
    async with bound() as (_smsc, esme):
        await esme.send(DataSm(registered_delivery=1, **fields))
        assert (await esme.expect(DataSmResp)).command_status == status


async def test_submit_multi(autojump_clock: MockClock) -> None:
    async with bound(refusals={"447700900002": int(Status.ESME_RMSGQFUL)}) as (smsc, esme):
        good = [SmeAddress(1, 1, "447700900001"), SmeAddress(1, 1, "447700900003")]
        bad = [SmeAddress(1, 1, "447700900002"), DistributionList("friends")]
        await esme.send(
            SubmitMulti(source_addr="SHOP", dest_addresses=(*good, *bad), short_message=b"hi", registered_delivery=1)
        )
        answer = await esme.expect(SubmitMultiResp)
        assert (answer.command_status, answer.message_id) == (0, "1000")
        assert [(sme.destination_addr, sme.error_status_code) for sme in answer.unsuccess_smes] == [
            ("447700900002", Status.ESME_RMSGQFUL),
            ("friends", Status.ESME_RINVDLNAME),
        ]
        receipts = [await esme.expect(DeliverSm) for _ in good]
        assert {pdu.source_addr for pdu in receipts} == {"447700900001", "447700900003"}
        assert [submit.destination for submit in smsc.submits] == [
            "447700900001",
            "447700900003",
            "447700900002",
            "friends",
        ]
        assert smsc.stats.submits_by_status[0] == 2


async def test_submit_multi_that_reaches_nobody(autojump_clock: MockClock) -> None:
    async with bound() as (_smsc, esme):
        await esme.send(SubmitMulti(dest_addresses=(DistributionList("friends"),)), SubmitMulti())
        answers = [await esme.expect(SubmitMultiResp) for _ in range(2)]
        assert [answer.command_status for answer in answers] == [Status.ESME_RINVDLNAME, Status.ESME_RINVNUMDESTS]
        assert {answer.message_id for answer in answers} == {""}
