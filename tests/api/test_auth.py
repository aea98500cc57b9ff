"""Keys: made with enough chance, kept as hashes, asked for wherever data is."""

from __future__ import annotations

import re

import pytest

from smppgw.api.auth import Keys, generate_key, hash_key
from smppgw.api.faults import ApiError
from tests.api.gateway import KEY, OTHER_KEY, Gateway, settings


def test_a_new_key() -> None:
    keys = {generate_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(re.fullmatch(r"sgw_[A-Za-z0-9_-]{32}", key) for key in keys)


def test_the_hash_is_sha_256() -> None:
    assert hash_key("abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("headers", "account"),
    [
        ({"authorization": f"Bearer {KEY}"}, "app"),
        ({"authorization": f"bearer   {KEY} "}, "app"),
        ({"x-api-key": OTHER_KEY}, "other"),
        ({"authorization": "Basic xyz", "x-api-key": OTHER_KEY}, "other"),
        ({"authorization": "Bearer ", "x-api-key": OTHER_KEY}, "other"),
        ({"authorization": f"Bearer {KEY}", "x-api-key": OTHER_KEY}, "app"),
    ],
)
def test_the_account_of_a_key(headers: dict[str, str], account: str) -> None:
    assert Keys(settings()).account_for(headers) == account


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "key_missing"),
        ({"authorization": "Basic xyz"}, "key_missing"),
        ({"authorization": KEY}, "key_missing"),
        ({"x-api-key": " "}, "key_missing"),
        ({"authorization": "Bearer sgw_wrong"}, "key_unknown"),
        ({"authorization": f"Bearer {KEY}x"}, "key_unknown"),
        ({"authorization": f"Bearer {hash_key(KEY)}"}, "key_unknown"),
        ({"x-api-key": "ÿ\udc80"}, "key_unknown"),
    ],
)
def test_no_account(headers: dict[str, str], code: str) -> None:
    with pytest.raises(ApiError) as caught:
        Keys(settings()).account_for(headers)
    assert (caught.value.code, caught.value.status) == (code, 401)


DATA = ["/v1/messages", "/v1/messages/00000000000", "/v1/inbound", "/v1/quarantine", "/v1/binds", "/v1/status"]
DATA += ["/v1/receipts"]
ACTIONS = ["/v1/messages/00000000000/cancel", "/v1/segments"]  # POST
OPEN = ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"]


@pytest.mark.parametrize("path", DATA)
@pytest.mark.parametrize("key", [None, "sgw_wrong"])
async def test_data_needs_a_key(path: str, key: str | None) -> None:
    async with Gateway().client(key) as client:
        response = await client.get(path)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == ("key_missing" if key is None else "key_unknown")
    assert response.headers["www-authenticate"] == 'Bearer realm="smppgw"'


async def test_posting_needs_a_key_before_the_body_is_looked_at() -> None:
    gateway = Gateway()
    async with gateway.client("sgw_wrong") as client:
        assert (await client.post("/v1/messages", content=b"x" * 100_000)).status_code == 401
    assert gateway.stored == []


@pytest.mark.parametrize("path", OPEN)
async def test_these_need_none(path: str) -> None:
    async with Gateway().client(None) as client:
        assert (await client.get(path)).status_code == 200


async def test_every_path_is_on_one_of_the_lists() -> None:
    async with Gateway().client() as client:
        document = (await client.get("/openapi.json")).json()
    paths = {path.replace("{id}", "00000000000") for path in document["paths"]}
    assert paths == {*DATA, *ACTIONS, *OPEN} - {"/docs", "/openapi.json"}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert ("security" in operation) == path.startswith("/v1/")
