"""The first route that fits decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from smppgw.config import AccountSettings, CarrierSettings, RouteSettings, Settings, StoreSettings
from smppgw.errors import Refusal
from smppgw.routing import Router

ACCOUNTS = ("app", "other")
CARRIERS = ("one", "two", "three")


def settings(*routes: RouteSettings, carriers: tuple[str, ...] = CARRIERS) -> Settings:
    account: dict[str, Any] = {"key_hashes": ["sha256:" + "0" * 64]}
    return Settings(
        store=StoreSettings(path=Path("unused.db")),
        accounts={name: AccountSettings(**account) for name in ACCOUNTS},
        carriers={name: CarrierSettings(host="h", system_id="s", password=SecretStr("p")) for name in carriers},
        routes=list(routes),
    )


def route(carrier: str, *prefixes: str, accounts: tuple[str, ...] = ()) -> RouteSettings:
    return RouteSettings(carriers=[carrier], prefixes=list(prefixes), accounts=list(accounts))


def test_without_routes_all_goes_to_the_only_carrier() -> None:
    router = Router(settings(carriers=("one",)))
    assert router.carriers_for("app", "447700900123") == ("one",)


@pytest.mark.parametrize(
    ("account", "digits", "carrier"),
    [
        ("app", "447700900123", "one"),
        ("app", "442079460000", "two"),
        ("other", "442079460000", "two"),
        ("app", "353209120000", "two"),
        ("app", "12025550123", "three"),
    ],
)
def test_the_first_route_that_fits_decides(account: str, digits: str, carrier: str) -> None:
    router = Router(
        settings(
            route("one", "+447"), route("two", "+44", "353"), route("three", accounts=("app",)), route("one", "+4420")
        )
    )
    assert router.carriers_for(account, digits) == (carrier,)


def test_order_wins_over_length() -> None:
    router = Router(settings(route("one", "+4"), route("two", "+447700")))
    assert router.carriers_for("app", "447700900123") == ("one",)


def test_no_route() -> None:
    router = Router(settings(route("one", "+44"), route("two", accounts=("app",))))
    assert router.carriers_for("app", "12025550123") == ("two",)
    with pytest.raises(Refusal) as caught:
        router.carriers_for("other", "12025550123")
    assert caught.value.code == "no_route"
    assert caught.value.field == "to"
    assert "+1202..." in str(caught.value)
    assert "5550123" not in str(caught.value)


def test_an_account_without_an_entry_gets_the_routes_for_all() -> None:
    router = Router(settings(route("one", accounts=("app",)), route("two")))
    assert router.carriers_for("unheard_of", "447700900123") == ("two",)


_ROUTES = st.lists(
    st.builds(
        RouteSettings,
        carriers=st.lists(st.sampled_from(CARRIERS), min_size=1, max_size=3, unique=True),
        prefixes=st.lists(st.from_regex(r"\+?[1-3][0-3]{0,3}", fullmatch=True), max_size=3),
        accounts=st.lists(st.sampled_from(ACCOUNTS), max_size=2),
    ),
    min_size=1,
    max_size=6,
)


@given(_ROUTES, st.sampled_from(ACCOUNTS), st.from_regex(r"[1-3][0-3]{4,8}", fullmatch=True))
def test_the_tables_say_what_reading_the_routes_in_order_says(
    routes: list[RouteSettings], account: str, digits: str
) -> None:
    expected = None
    for candidate in routes:
        fits_account = not candidate.accounts or account in candidate.accounts
        fits_digits = not candidate.prefixes or any(digits.startswith(p.lstrip("+")) for p in candidate.prefixes)
        if fits_account and fits_digits:
            expected = tuple(candidate.carriers)
            break
    router = Router(settings(*routes))
    if expected is None:
        with pytest.raises(Refusal):
            router.carriers_for(account, digits)
    else:
        assert router.carriers_for(account, digits) == expected
