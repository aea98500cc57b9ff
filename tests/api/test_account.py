"""What an account's settings make of an item: sender, lane, wishes."""

from __future__ import annotations

import pytest

from smppgw.addresses import Address
from smppgw.api.account import Account, prepared
from smppgw.api.item import validated
from smppgw.config import AccountSettings
from smppgw.errors import Refusal
from smppgw.queue.model import Lane
from smppgw.sms.encoding import NO_WISHES, OnUnencodable, Wishes
from tests.api.gateway import settings

GOOD = {"to": "+447700900123", "text": "Hello"}


def account(name: str = "app", **changes: object) -> Account:
    return prepared(name, settings().accounts[name].model_copy(update=changes))


def test_defaults() -> None:
    message = validated(GOOD)
    assert account().source_of(message) == Address(5, 0, "Example")
    assert account().recipient_of(message) == Address(1, 1, "447700900123")
    assert account().lane_of(message) is Lane.TRANSACTIONAL
    assert account().wishes is NO_WISHES, "most plans are made without any"


def test_what_the_item_says_wins() -> None:
    message = validated({**GOOD, "from": "60001", "lane": "otp"})
    assert account().source_of(message).addr == "60001"
    assert account().lane_of(message) is Lane.OTP


def test_what_the_settings_say() -> None:
    assert (
        account(default_region="DE").recipient_of(validated({**GOOD, "to": "0151 23456789"})).addr == "4915123456789"
    )
    assert account(default_lane="bulk").lane_of(validated(GOOD)) is Lane.BULK
    smart = account(smart_encoding=True, on_unencodable=OnUnencodable.REFUSE)
    assert smart.wishes == Wishes(smart=True, on_unencodable=OnUnencodable.REFUSE)


def test_refusals() -> None:
    with pytest.raises(Refusal) as missing:
        account("other").source_of(validated(GOOD))
    assert (missing.value.code, missing.value.field) == ("sender_missing", "from")
    with pytest.raises(Refusal) as unknown:
        account().lane_of(validated({**GOOD, "lane": "otpp"}))
    assert (unknown.value.code, unknown.value.field) == ("lane_unknown", "lane")
    assert "did you mean otp?" in unknown.value.text


def test_an_account_with_a_sender_that_is_none_is_not_made() -> None:
    with pytest.raises(Refusal):
        prepared("x", AccountSettings(key_hashes=["sha256:" + "0" * 64], default_sender="much too long a name"))
