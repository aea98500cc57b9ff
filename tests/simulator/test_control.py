"""Orders: what they take, and what they do."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from simulator import Smsc
from simulator.control import ORDERS, BadOrder, UnknownOrder, carry_out
from simulator.delays import parse_delay
from smppgw.errors import Refusal
from smppgw.smpp import DeliverSm, Outbind, Status, SubmitSmResp, Unbind

from .esme import Esme, bound, serving, submit_sm


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"text": "half \ud83d"}, "unencodable"),
        ({"from": "a\udcff"}, "bad_address"),
        ({"to": "\ud800"}, "bad_address"),
    ],
)
async def test_lone_surrogates_are_refused_by_name(autojump_clock: object, wrong: dict[str, str], code: str) -> None:
    async with bound() as (smsc, _):
        order = {"from": "447700900001", "to": "12345", "text": "x"}
        with pytest.raises(Refusal) as refused:
            await carry_out(smsc, "inject", order | wrong)
        assert refused.value.code == code
        assert smsc.summary()["inbound"]["sent"] == 0


async def test_the_newest_submits_are_shown_as_a_phone_would(autojump_clock: object) -> None:
    async with bound() as (smsc, esme):
        await esme.submit(text=b"\0ne", esm_class=0)
        await esme.submit("447700900124", b"\x05\x00\x03\x07\x02\x01flash", esm_class=0x40, data_coding=0x10)
        shown = (await carry_out(smsc, "submits", {}))["submits"]
        assert [(one["destination"], one["text"]) for one in shown] == [
            ("447700900123", "@ne"),
            ("447700900124", "flash"),
        ]
        assert (shown[1]["message_class"], shown[1]["part"], shown[1]["parts"]) == (0, 1, 2)
        assert (await carry_out(smsc, "submits", {"count": 1}))["submits"] == shown[1:]
        with pytest.raises(BadOrder, match="count must be 1 or more"):
            await carry_out(smsc, "submits", {"count": 0})


async def test_every_order_does_what_it_says(autojump_clock: object) -> None:
    async with serving() as (smsc, connect):
        esme: Esme = await connect()
        await esme.bind()

        async def give(name: str, **arguments: Any) -> dict[str, Any]:
            answer = await carry_out(smsc, name, arguments)
            assert answer.pop("ok") is True, answer
            return answer

        assert [(bind["system_id"], bind["kind"]) for bind in (await give("binds"))["binds"]] == [
            ("alice", "transceiver")
        ]
        await give("rate", rate=1.5, burst=1)
        assert [(await esme.submit()).command_status for _ in range(2)] == [0, Status.ESME_RTHROTTLED]
        await give("rate", rate=None)
        await give("stall")
        await esme.send(submit_sm())
        await smsc.wait_until(lambda: smsc.stats.withheld == 1)
        assert (await give("summary"))["summary"]["withheld"] == 1
        await give("stall", on=False)
        assert (await esme.expect(SubmitSmResp)).command_status == 0
        await give("hold_receipts")
        await esme.submit(registered_delivery=1)
        assert await esme.nothing_for(5)
        await give("hold_receipts", on=False)
        await esme.acknowledge(await esme.expect(DeliverSm))
        await give("refuse_binds", status="ESME_RALYBND")
        assert await (await connect()).bind() == Status.ESME_RALYBND
        await give("refuse_binds", status=None)
        assert await give("unbind", bind=smsc.binds[0].number) == {"unbound": 1}
        await esme.expect(Unbind)
        assert await give("cut") == {"cut": 1}
        await esme.wait_end()


async def test_receipts_that_are_days_late_come_at_an_order(autojump_clock: object) -> None:
    async with bound(receipt_delay=parse_delay("72h")) as (smsc, esme):
        await esme.submit(registered_delivery=1)
        before_utc_ms, before = smsc.now_utc_ms, trio.current_time()
        answer = await carry_out(smsc, "advance", {"seconds": 3 * 86_400})
        assert answer["now_utc_ms"] - before_utc_ms >= 3 * 86_400_000
        await esme.acknowledge(await esme.expect(DeliverSm))
        assert trio.current_time() - before < 60


async def test_outbind_to_an_esme_that_listens() -> None:
    smsc = Smsc()
    heard: list[Outbind] = []

    async def listen(stream: trio.SocketStream) -> None:
        esme = Esme(stream)
        heard.append(await esme.expect(Outbind))
        assert await esme.bind("listener") == 0
        await trio.sleep_forever()

    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            await nursery.start(smsc.serve)
            listeners = await nursery.start(partial(trio.serve_tcp, listen, 0, host="127.0.0.1"))
            order = {
                "host": "127.0.0.1",
                "port": listeners[0].socket.getsockname()[1],
                "system_id": "us",
                "password": "pw",
            }
            assert await carry_out(smsc, "outbind", order) == {"ok": True}
            await smsc.wait_until(lambda: len(smsc.binds) == 1)
            assert (heard[0].system_id, heard[0].password, smsc.binds[0].system_id) == ("us", "pw", "listener")
            with pytest.raises(BadOrder, match="no outbind to"):
                await carry_out(smsc, "outbind", {"host": "127.0.0.1", "port": 1})
            with pytest.raises(BadOrder, match="system_id"):
                await carry_out(smsc, "outbind", order | {"system_id": "x" * 30})
            nursery.cancel_scope.cancel()


async def test_a_capture_begins_and_ends_at_an_order(autojump_clock: object, tmp_path: Path) -> None:
    file = tmp_path / "sessions.pcapng"
    async with bound() as (smsc, esme):
        await carry_out(smsc, "capture", {"file": str(file)})
        await esme.submit(text=b"seen")
        ended = await carry_out(smsc, "capture", {"file": None})
        assert ended["packets"] > 0
        assert b"seen" in file.read_bytes()
        with pytest.raises(BadOrder, match="no capture in"):
            await carry_out(smsc, "capture", {"file": str(tmp_path / "nowhere" / "x.pcapng")})


async def test_a_scenario_is_switched_while_traffic_runs(autojump_clock: object) -> None:
    async with bound() as (smsc, esme):
        assert (await esme.submit()).message_id.isdigit()
        assert (await carry_out(smsc, "scenario", {"name": "ids-uuid"}))["scenario"] == "ids-uuid"
        assert "-" in (await esme.submit()).message_id
        with pytest.raises(BadOrder, match="did you mean ids-uuid"):
            await carry_out(smsc, "scenario", {"name": "ids-uid"})


def test_every_order_is_described() -> None:
    assert all(order.text and order.needed <= order.takes.keys() for order in ORDERS.values())


async def test_orders_are_checked_before_anything_is_done() -> None:
    for name, arguments, said in [
        ("inject", {}, "inject needs from, "),
        ("binds", {"on": True}, "binds does not take 'on'; it takes: nothing"),
        ("cut", [], "one JSON object"),
        ("cut", {"bind": "1"}, "bind is '1', not a whole number"),
        ("rate", {"rate": True}, "rate is 'True', not a whole number or a number or null"),
    ]:
        with pytest.raises(BadOrder, match=said):
            await carry_out(Smsc(), name, arguments)
    with pytest.raises(UnknownOrder, match="known: inject, "):
        await carry_out(Smsc(), "nothing", {})
