"""The control port as clients see it: paths, parameters, status codes. Real sockets on loopback."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator import SimulatorSettings, Smsc
from simulator.control import ORDERS
from simulator.endpoints import DEFAULT_LIMIT, ENDPOINTS, answer_request, error, handle, serve_control
from simulator.http11 import MAX_BODY_OCTETS, Gate, Server
from smppgw.smpp import DeliverSm
from smppgw.sms.udh import concatenation_header

from .esme import Esme, bound


@asynccontextmanager
async def controlled(**settings: Any) -> AsyncIterator[tuple[Smsc, Esme, httpx.AsyncClient]]:
    """A simulator with one transceiver bound, and a client of its control port."""
    smsc = Smsc(SimulatorSettings(**settings))
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            port = await nursery.start(smsc.serve)
            control_port = await nursery.start(serve_control, smsc, "127.0.0.1", 0)
            async with (
                await trio.open_tcp_stream("127.0.0.1", port) as stream,
                httpx.AsyncClient(base_url=f"http://127.0.0.1:{control_port}", trust_env=False) as client,
            ):
                esme = Esme(stream)
                await esme.bind()
                yield smsc, esme, client
            nursery.cancel_scope.cancel()
    assert smsc.stats.session_failures == 0


async def test_what_there_is() -> None:
    async with controlled() as (smsc, _, client):
        home = (await client.get("/")).json()
        assert home["smpp_port"] == smsc.port
        assert [(one["method"], one["path"]) for one in home["endpoints"]] == [
            (one.method, one.path) for one in ENDPOINTS
        ]
        orders = (await client.get("/orders")).json()["orders"]
        assert [one["order"] for one in orders] == list(ORDERS)
        assert (await client.get("/healthz")).json() == {"ok": True}


async def test_orders() -> None:
    async with controlled() as (_, esme, client):
        text = {"from": "447700900001", "to": "12345", "text": "Grüße"}
        answer = await client.post("/orders/inject", json=text)
        assert (answer.status_code, answer.json()["ok"], answer.json()["parts"]) == (200, True, 1)
        assert (await esme.expect(DeliverSm)).source_addr == "447700900001"
        refused = await client.post("/orders/inject", json=text | {"text": ""})
        assert (refused.status_code, refused.json()["ok"], refused.json()["code"]) == (422, False, "empty_text")
        assert (await client.post("/orders/stall")).json() == {"ok": True}  # no body: no arguments
        assert (await client.post("/orders/cut", json={})).json() == {"ok": True, "cut": 1}
        await esme.wait_end()


async def test_seeing() -> None:
    async with controlled() as (_, esme, client):
        await esme.submit(text=concatenation_header(7, 2, 1) + b"long ", esm_class=0x40, registered_delivery=1)
        await esme.submit(text=concatenation_header(7, 2, 2) + b"text", esm_class=0x40)
        await esme.submit("447700900124", b"\0ne", data_coding=0x10)
        await esme.acknowledge(await esme.expect(DeliverSm))
        assert (await client.get("/summary")).json()["summary"]["submits"] == 3
        (bind,) = (await client.get("/binds")).json()["binds"]
        assert (bind["system_id"], bind["kind"], bind["unanswered_submits"]) == ("alice", "transceiver", 0)
        found = (await client.get("/submits", params={"to": "*124"})).json()
        assert [(one["number"], one["text"], one["message_class"]) for one in found["submits"]] == [(3, "@ne", 0)]
        assert (found["next"], found["forgotten"]) == (3, 0)
        messages = (await client.get("/messages", params={"text": "/^long/"})).json()["messages"]
        assert [(one["text"], one["parts"], one["submits"]) for one in messages] == [("long text", 2, [1, 2])]
        (await client.post("/expect", json={"what": "receipt_acked"})).raise_for_status()
        (ack,) = (await client.get("/acks")).json()["acks"]
        assert (ack["kind"], ack["destination"], ack["state"]) == ("receipt_acked", "447700900123", "DELIVRD")
        later = (await client.get("/submits", params={"after": found["next"]})).json()
        assert later["submits"] == []


async def test_filters_of_submits() -> None:
    async with controlled(refusals={"447700900124": 0x14}) as (_, esme, client):
        for destination in ("447700900123", "447700900124", "447700900125"):
            await esme.submit(destination, destination.encode())

        async def numbers(**query: Any) -> list[int]:
            answer = await client.get("/submits", params=query)
            return [one["number"] for one in answer.raise_for_status().json()["submits"]]

        assert await numbers() == [1, 2, 3]
        assert await numbers(limit=2) == [2, 3]
        assert await numbers(limit=1, after=1) == [2]
        assert await numbers(status="RMSGQFUL") == await numbers(status=0x14) == [2]
        assert await numbers(**{"from": "SHOP", "system_id": "alice", "to": "+447700900125"}) == [3]
        assert await numbers(text="/5$/") == [3]
        assert await numbers(since="2001-01-01T00:00:00Z") == [1, 2, 3]
        assert await numbers(since="2099-01-01T00:00:00+01:00") == []


async def test_expectations() -> None:
    async with controlled() as (_, esme, client):
        await esme.submit(text=b"code 123456")
        met = await client.post("/expect", json={"to": "447700900123", "text": r"/code \d{6}/", "count": 1})
        assert (met.status_code, met.json()["ok"], met.json()["matched"][0]["text"]) == (200, True, "code 123456")
        unmet = await client.post("/expect", json={"to": "447700900999", "within_s": 0})
        assert (unmet.status_code, unmet.json()["ok"]) == (417, False)
        assert "447700900123" in unmet.json()["instead"][0]["why"]
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def later() -> None:
                await esme.submit("447700900999")

            met = await client.post("/expect", json={"to": "447700900999", "within_s": 20})
            assert met.json()["ok"]


async def test_a_client_that_leaves_stops_the_wait(autojump_clock: object) -> None:
    body = b'{"within_s": 3600}'
    head = b"POST /expect HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with bound() as (smsc, _):
        server = Server(partial(handle, smsc), error, Gate())
        ours, theirs = trio.testing.memory_stream_pair()
        before = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.serve_stream, theirs)
            await ours.send_all(head + body)
            await trio.sleep(10)
            await ours.aclose()
        assert trio.current_time() - before == 10


async def test_metrics() -> None:
    async with controlled() as (_, _, client):
        answer = await client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "smsc_open_connections 1.0" in answer.text


@pytest.mark.parametrize(
    ("method", "target", "content", "status", "said"),
    [
        ("GET", "/submit", None, 404, "did you mean /submits?"),
        ("GET", "/" + "x" * 5000, None, 404, "GET / lists all"),
        ("GET", "/..%2f..%2fetc/passwd", None, 404, "GET / lists all"),
        ("POST", "/orders/explode", b"", 404, "known: inject"),
        ("POST", "/orders/", b"", 404, "known: inject"),
        ("POST", "/orders/stal", b"", 404, "did you mean stall?"),
        ("GET", "/orders/cut", None, 405, "/orders/{name} takes POST, not GET"),
        ("GET", "/expect", None, 405, "takes POST"),
        ("DELETE", "/submits", None, 405, "takes GET, not DELETE"),
        ("POST", "/submits", b"{}", 405, "takes GET, not POST"),
        ("GET", "/submits?limt=1", None, 400, "did you mean limit?"),
        ("GET", "/submits?limit=0", None, 400, "limit is '0'"),
        ("GET", "/submits?limit=10001", None, 400, "1 to 10000"),
        ("GET", "/submits?after=-1", None, 400, "after is '-1'"),
        ("GET", "/submits?since=yesterday", None, 400, "since is 'yesterday'"),
        ("GET", "/submits?status=RTHROTLED", None, 400, "did you mean ESME_RTHROTTLED?"),
        ("GET", "/submits?text=%2F(%2F", None, 400, "no regular expression"),
        ("GET", "/messages?status=0", None, 400, "'status' is not taken"),
        ("POST", "/orders/cut?bind=1", b"", 400, "takes one JSON object as its body"),
        ("POST", "/orders/cut", b"[]", 400, "one JSON object"),
        ("POST", "/orders/cut", b"null", 400, "one JSON object"),
        ("POST", "/orders/cut", b"cut", 400, "no JSON"),
        ("POST", "/orders/cut", b"\xff\xfe", 400, "no JSON"),
        ("POST", "/orders/cut", b"[" * 100_000, 400, "no JSON"),
        ("POST", "/orders/cut", b'{"bind": "1"}', 400, "bind is '1', not a whole number"),
        ("POST", "/orders/cut", b'{"bind": true}', 400, "bind is 'True', not a whole number"),
        ("POST", "/orders/cut", b'{"bind": 1000000}', 400, "there is no bind 1000000"),
        ("POST", "/orders/cut", b'{"bund": 1}', 400, "cut does not take 'bund'; it takes: bind"),
        ("POST", "/orders/rate", b'{"rate": NaN}', 400, "NaN is no number"),
        ("POST", "/orders/rate", b'{"rate": 1e999}', 400, "rate must be above 0"),
        ("POST", "/orders/rate", b'{"rate": 1%s}' % (b"0" * 400), 400, "rate must be above 0"),
        ("POST", "/orders/rate", b'{"rate": 1%s}' % (b"0" * 5000), 400, "no JSON"),
        ("POST", "/orders/rate", b'{"rate": -1}', 400, "rate must be above 0"),
        ("POST", "/orders/refuse_binds", b'{"status": "ESME_NOSUCH"}', 400, "unknown command_status"),
        ("POST", "/orders/scenario", b'{"name": "ids-hexdec"}', 400, "did you mean ids-hex-dec?"),
        ("POST", "/orders/scenario", b'{"name": "a\\u0000.toml"}', 400, "no scenario"),
        ("POST", "/orders/advance", b'{"seconds": -1}', 400, "cannot be skipped"),
        ("POST", "/orders/outbind", b'{"host": "127.0.0.1", "port": 70000}', 400, "no outbind to 127.0.0.1:70000"),
        ("POST", "/orders/outbind", b'{"host": "a\\u0000", "port": 1}', 400, "no outbind to"),
        ("POST", "/expect", b'{"too": "1"}', 400, "did you mean to?"),
        ("POST", "/expect", b'{"what": "sms"}', 400, "known: message"),
        ("POST", "/expect", b'{"within_s": 1e99}', 400, "within_s is"),
        ("POST", "/expect", b"x" * (MAX_BODY_OCTETS + 1), 413, "longer than"),
    ],
)
async def test_what_cannot_be_done_is_told(
    method: str, target: str, content: bytes | None, status: int, said: str
) -> None:
    async with controlled() as (smsc, _, client):
        answer = await client.request(method, target, content=content)
        assert (answer.status_code, answer.json()["ok"]) == (status, False)
        assert said in answer.json()["error"]
        if status == 405:
            assert answer.headers["allow"] in answer.json()["error"]
        assert len(smsc.binds) == 1
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
async def test_foreign_pages_give_no_orders(headers: dict[str, str]) -> None:
    async with controlled() as (smsc, _, client):
        for target in ("/orders/cut", "/expect"):
            answer = await client.post(target, json={}, headers=headers)
            assert (answer.status_code, answer.json()["ok"]) == (403, False)
        assert (await client.get("/submits", headers=headers)).status_code == 403
        assert len(smsc.binds) == 1


async def test_a_name_of_our_own() -> None:
    async with controlled(control_names=("smsc.test",)) as (_, _, client):
        headers = {"Host": "smsc.test:2776", "Origin": "http://smsc.test:2776"}
        assert (await client.get("/healthz", headers=headers)).status_code == 200


async def test_without_a_socket(autojump_clock: object) -> None:
    async with bound() as (smsc, esme):
        await esme.submit(text=b"hello")
        status, answer = await answer_request(smsc, "GET", f"/submits?text={quote('hel*')}&limit={DEFAULT_LIMIT}")
        assert (status, answer["submits"][0]["text"]) == (200, "hello")
        assert await answer_request(smsc, "POST", "/orders/rate", {"rate": None}) == (200, {"ok": True})
        assert (await answer_request(smsc, "POST", "/expect", {"count": 2, "within_s": 9}))[0] == 417
        assert (await answer_request(smsc, "GET", "/nothing"))[0] == 404
        assert (await answer_request(smsc, "GET", "/metrics"))[1]["text"].startswith("# HELP")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("name", sorted(set(ORDERS) - {"outbind", "capture"}))
@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_arguments_are_carried_out_or_told(name: str, data: st.DataObject) -> None:
    keys = st.sampled_from(sorted(ORDERS[name].takes)) if ORDERS[name].takes else st.nothing()
    arguments = data.draw(st.dictionaries(keys, JSON) if ORDERS[name].takes else st.just({}))

    async def run() -> None:
        async with bound() as (smsc, _):
            status, answer = await answer_request(smsc, "POST", f"/orders/{name}", arguments)
            assert status in (200, 400, 422)
            assert answer["ok"] is (status == 200)
            json.dumps(answer)

    trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))


def test_every_endpoint_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "simulator" / "README.md").read_text()
    assert [one.path for one in ENDPOINTS if f"`{one.method} {one.path}" not in readme] == []
