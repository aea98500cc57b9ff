"""Expectations: met at once, met in time, not met, and what came instead. Over the wire, on the virtual clock."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from simulator import Smsc
from simulator.expectations import MAX_WITHIN_S, Expectation, Verdict, What, expect
from simulator.finding import Filter
from simulator.patterns import Pattern
from smppgw.smpp import BindReceiver, DeliverSm, Status
from smppgw.sms.udh import concatenation_header

from .esme import Esme, bound, serving


def to(written: str) -> Filter:
    return Filter(to=Pattern(written))


async def ask(smsc: Smsc, **values: Any) -> Verdict:
    return await expect(smsc, Expectation(**values))


async def test_what_came_before_counts(autojump_clock: object) -> None:
    async with bound() as (smsc, esme):
        await esme.submit(text=b"one")
        await esme.submit(text=b"two")
        before = trio.current_time()
        verdict = await ask(smsc, count=2, within_s=60)
        assert verdict.met
        assert trio.current_time() == before
        assert [one["text"] for one in verdict.matched] == ["one", "two"]
        assert (verdict.count, verdict.came, verdict.next, verdict.forgotten) == (2, 2, 2, 0)


async def test_it_is_met_when_the_last_one_comes(autojump_clock: object) -> None:
    async with bound() as (smsc, esme):

        async def submit_slowly() -> None:
            for _ in range(3):
                await trio.sleep(10)
                await esme.submit()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(submit_slowly)
            before = trio.current_time()
            verdict = await ask(smsc, count=3, within_s=60)
            assert (verdict.met, round(trio.current_time() - before)) == (True, 30)


async def test_it_is_not_met_and_says_what_came_instead(autojump_clock: object) -> None:
    async with bound() as (smsc, esme):
        await esme.submit("447700900124", b"for another")
        before = trio.current_time()
        verdict = await ask(smsc, wanted=to("447700900123"), within_s=7)
        assert not verdict.met
        assert trio.current_time() - before == 7
        assert (verdict.count, verdict.came, verdict.matched) == (0, 1, [])
        (instead,) = verdict.instead
        assert instead["why"] == "destination is '447700900124', not '447700900123'"
        assert verdict.explained().splitlines() == [
            "not met: 1 message to 447700900123 within 7 s; 0 matched, 1 came",
            "  instead: message of alice source SHOP destination 447700900124 'for another': "
            "destination is '447700900124', not '447700900123'",
        ]


async def test_a_long_message_counts_once_and_only_when_complete(autojump_clock: object) -> None:
    async with bound() as (smsc, esme):
        await esme.submit(text=concatenation_header(1, 2, 2) + b"b", esm_class=0x40)
        verdict = await ask(smsc, within_s=1)
        assert not verdict.met
        assert verdict.instead[0]["why"] == "it lacks part 1 of 2"
        await esme.submit(text=concatenation_header(1, 2, 1) + b"a", esm_class=0x40)
        verdict = await ask(smsc, wanted=Filter(text=Pattern("ab")), exactly=True, within_s=1)
        assert (verdict.met, verdict.matched[0]["parts"]) == (True, 2)
        assert (await ask(smsc, what=What.SUBMIT, count=2, within_s=0)).met


async def test_a_refused_submit_is_no_message(autojump_clock: object) -> None:
    async with bound(refusals={"447700900124": Status.ESME_RMSGQFUL}) as (smsc, esme):
        await esme.submit("447700900124")
        verdict = await ask(smsc, within_s=1)
        assert (verdict.met, verdict.came) == (False, 0)
        assert verdict.instead[0]["why"] == "it was answered ESME_RMSGQFUL"
        assert (await ask(smsc, what=What.SUBMIT, wanted=Filter(status=0x14), within_s=0)).met


async def test_none_at_all(autojump_clock: object) -> None:
    async with bound() as (smsc, esme):
        before = trio.current_time()
        assert (await ask(smsc, count=0, wanted=to("447700900123"), within_s=5)).met
        assert trio.current_time() - before == 5
        await esme.submit()
        before = trio.current_time()
        verdict = await ask(smsc, count=0, within_s=5)
        assert (verdict.met, trio.current_time() - before) == (False, 0)
        assert verdict.wanted == "exactly 0 messages within 5 s"


async def test_exactly_so_many(autojump_clock: object) -> None:
    async with bound() as (smsc, esme):
        await esme.submit()
        assert (await ask(smsc, exactly=True, within_s=5)).met
        await esme.submit()
        assert not (await ask(smsc, exactly=True, within_s=5)).met
        assert (await ask(smsc, exactly=True, after=1, within_s=5)).met


async def test_only_what_comes_later(autojump_clock: object) -> None:
    async with bound() as (smsc, esme):
        await esme.submit(text=b"old")
        first = await ask(smsc, within_s=0)
        assert not (await ask(smsc, after=first.next, within_s=0)).met
        await esme.submit(text=b"new")
        (new,) = (await ask(smsc, after=first.next, within_s=0)).matched
        assert (new["text"], new["number"]) == ("new", 2)


async def test_receipts_that_were_acknowledged(autojump_clock: object) -> None:
    async with bound() as (smsc, esme):
        response = await esme.submit(registered_delivery=1)
        deliver = await esme.expect(DeliverSm)
        assert not (await ask(smsc, what=What.RECEIPT_ACKED, within_s=1)).met
        await esme.acknowledge(deliver)
        verdict = await ask(smsc, what=What.RECEIPT_ACKED, wanted=to("447700900123"), within_s=1)
        assert (verdict.matched[0]["message_id"], verdict.matched[0]["state"]) == (response.message_id, "DELIVRD")
        assert not (await ask(smsc, what=What.INBOUND_ACKED, within_s=0)).met


async def test_inbound_texts_that_were_acknowledged(autojump_clock: object) -> None:
    async with bound() as (smsc, esme):
        smsc.inject("447700900001", "12345", "STOP")
        await esme.acknowledge(await esme.expect(DeliverSm))
        wanted = Filter(source=Pattern("447700900001"), to=Pattern("12345"))
        assert (await ask(smsc, what=What.INBOUND_ACKED, wanted=wanted, within_s=1)).met


async def test_binds_that_are_open(autojump_clock: object) -> None:
    async with serving() as (smsc, connect), trio.open_nursery() as nursery:

        async def bind_later() -> None:
            await trio.sleep(3)
            esme: Esme = await connect()
            await esme.bind("bob", kind=BindReceiver)
            await trio.sleep_forever()

        nursery.start_soon(bind_later)
        wanted = Filter(system_id=Pattern("b*"))
        verdict = await ask(smsc, what=What.BIND, wanted=wanted, within_s=10)
        assert (verdict.met, verdict.matched[0]["system_id"], verdict.matched[0]["bind_type"]) == (
            True,
            "bob",
            "receiver",
        )
        verdict = await ask(smsc, what=What.BIND, wanted=Filter(system_id=Pattern("alice")), within_s=1)
        assert verdict.instead[0]["why"] == "system_id is 'bob', not 'alice'"
        smsc.cut()
        assert (await ask(smsc, what=What.BIND, count=0, within_s=1)).met
        nursery.cancel_scope.cancel()


async def test_what_is_forgotten_is_told(autojump_clock: object) -> None:
    async with bound(remembered_submits=2) as (smsc, esme):
        for _ in range(5):
            await esme.submit()
        verdict = await ask(smsc, count=5, within_s=1)
        assert (verdict.met, verdict.count, verdict.forgotten) == (False, 2, 3)
        assert "3 came before those that are remembered" in verdict.explained()


async def test_while_it_waits_it_sees_more_than_is_remembered(autojump_clock: object) -> None:
    async with bound(remembered_submits=2) as (smsc, esme):
        verdicts: list[Verdict] = []

        async def wait() -> None:
            verdicts.append(await ask(smsc, count=10, within_s=60))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            for _ in range(10):
                await esme.submit()
                await trio.sleep(1)
        assert verdicts[0].met


async def test_a_pattern_that_takes_too_long_is_told(autojump_clock: object) -> None:
    async with bound() as (smsc, esme):
        await esme.submit(text=b"a" * 160)
        with pytest.raises(ValueError, match="write it simpler"):
            await ask(smsc, wanted=Filter(text=Pattern(r"/^(?:a|aa|a?a)+\d$|^(?:\w|\w\w|a)+\d$/")), within_s=1)


@pytest.mark.parametrize(
    "values",
    [
        {"count": -1},
        {"after": -1},
        {"within_s": MAX_WITHIN_S + 1},
        {"within_s": float("nan")},
        {"what": What.BIND, "wanted": to("1")},
        {"what": What.BIND, "after": 1},
        {"what": What.RECEIPT_ACKED, "wanted": Filter(text=Pattern("x"))},
        {"what": What.MESSAGE, "wanted": Filter(status=0)},
    ],
)
def test_what_cannot_be_expected(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be|has none|has no addresses"):
        Expectation(**values)


def test_a_verdict_comes_back_from_json() -> None:
    verdict = Verdict(met=True, wanted="x", count=1, matched=[{"number": 1}], instead=[], came=1, next=1, forgotten=0)
    assert verdict.as_json()["ok"] is True
    assert Verdict.of(verdict.as_json()) == verdict


def test_in_words() -> None:
    assert Expectation(count=3, wanted=to("4477*")).says() == "3 messages to 4477* within 5 s"
    assert Expectation(what=What.RECEIPT_ACKED, count=2).says() == "2 receipt_acked within 5 s"
