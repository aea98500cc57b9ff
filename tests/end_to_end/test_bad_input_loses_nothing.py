from __future__ import annotations

import json
from pathlib import Path

import httpx
import trio

from smppgw.config import Settings

from .world import KEY, OTHER_KEY, World, gateway, items, settings_for, until, world


async def post(w: World, body: bytes, **headers: str) -> httpx.Response:
    return await w.client.post("/v1/messages", content=body, headers=headers)


async def test_three_bad_items_among_good_ones(tmp_path: Path) -> None:
    batch = items(10)
    batch[2]["to"] = "not a number"
    batch[5]["txt"] = batch[5].pop("text")
    batch[7]["text"] = "a\x00b"
    async with world(tmp_path) as w:
        answer = await w.client.post("/v1/messages", json=batch)
        found = answer.json()
        assert (answer.status_code, found["accepted"], found["refused"]) == (202, 7, 3)
        errors = {result["index"]: result["error"] for result in found["results"] if "error" in result}
        assert sorted(errors) == [2, 5, 7]
        assert errors[2]["field"] == "to"
        assert "did you mean text?" in errors[5]["message"], "the nearest known name is told"
        assert errors[7]["code"] == "unencodable"
        messages = await w.until_final(7)
        assert {message["state"] for message in messages} == {"delivered"}
        assert len(w.smsc.submits) == 7


async def test_requests_that_are_no_batch(tmp_path: Path) -> None:
    cases: list[tuple[bytes, int, str]] = [
        (b'{"to": "+447700900123", "text": ', 400, "not_json"),
        (b"\xff\xfe", 400, "not_json"),
        (b"[" * 100_000, 400, "not_json"),
        (b"[]", 422, "empty_batch"),
        (b'"text"', 422, "not_a_message"),
        (json.dumps(items(1001)).encode(), 413, "batch_too_large"),
        (b'{"to": "+447700900123", "text": "\\ud800"}', 422, ""),
    ]
    async with world(tmp_path) as w:
        for body, status, code in cases:
            answer = await post(w, body)
            assert answer.status_code == status, (body[:40], answer.text)
            if code:
                assert answer.json()["error"]["code"] == code
        assert await w.messages() == []
        assert (await w.send(*items(1)))[0]["id"], "it still works"


async def test_a_body_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        for framing in ("Content-Length: 5000000", "Transfer-Encoding: chunked"):
            async with await trio.open_tcp_stream("127.0.0.1", w.gateway.port) as stream:
                await stream.send_all(f"{head}{framing}\r\n\r\n".encode())
                if "chunked" in framing:
                    chunk = b"400000\r\n" + b" " * 0x400000 + b"\r\n"
                    await stream.send_all(chunk + b"1\r\n \r\n")
                answer = b""
                with trio.fail_after(10):
                    while b"body_too_large" not in answer:
                        received = await stream.receive_some()
                        assert received, answer
                        answer += received
                assert answer.startswith(b"HTTP/1.1 413 ")
        assert (await w.send(*items(1)))[0]["id"], "it still works"


async def test_a_wrong_key_and_somebody_elses_message(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        answer = await w.client.post("/v1/messages", json=items(1), headers={"Authorization": "Bearer nonsense"})
        assert answer.status_code == 401
        (result,) = await w.send(*items(1))
        theirs = await w.client.get(f"/v1/messages/{result['id']}", headers={"Authorization": f"Bearer {OTHER_KEY}"})
        assert theirs.status_code == 404


async def test_repeating_with_an_idempotency_key_is_safe(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        headers = {"Idempotency-Key": "batch-7"}
        first = (await w.client.post("/v1/messages", json=items(3), headers=headers)).json()
        again = (await w.client.post("/v1/messages", json=items(3), headers=headers)).json()
        assert [one["id"] for one in again["results"]] == [one["id"] for one in first["results"]]
        assert all(one["repeated"] for one in again["results"])
        other = (await w.client.post("/v1/messages", json=items(3, "else {}"), headers=headers)).json()
        assert {one["error"]["code"] for one in other["results"]} == {"idempotency_conflict"}
        await w.until_final(3)
        assert len(w.smsc.submits) == 3


async def test_garbage_and_half_a_pdu_from_the_carrier(tmp_path: Path) -> None:
    """Whatever a carrier sends, the gateway stays up, says so, and tries again."""
    poison = [b"\x00" * 400, b"\xff" * 1000, b"\x00\x00\x00\x10\x80\x00", b"HTTP/1.1 400 Bad Request\r\n\r\n"]
    connections = 0

    async def smsc(stream: trio.SocketStream) -> None:
        nonlocal connections
        connections += 1
        async with stream:
            await stream.receive_some()
            await stream.send_all(poison[connections % len(poison)])

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, smsc, 0)
        port = listeners[0].socket.getsockname()[1]
        settings: Settings = settings_for(tmp_path, port)
        async with gateway(settings) as (_, client):
            answer = await client.post("/v1/messages", json=items(2))
            assert answer.status_code == 202

            async def tried_often() -> bool:
                return connections > len(poison)

            await until(tried_often)
            (bind,) = (await client.get("/v1/binds")).json()["binds"]
            assert not bind["state"].startswith("bound")
            assert bind["last_error"]
            assert (await client.get("/readyz")).status_code == 200, "a carrier that is down does not stop accepting"
            status = (await client.get("/v1/status")).json()
            assert status["segments"][0]["queued"]["transactional"] == 2
        nursery.cancel_scope.cancel()
