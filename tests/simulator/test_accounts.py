"""Accounts: each limit by a table, then on the wire, where the refusal has its status and is counted."""

from __future__ import annotations

import dataclasses
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from simulator import SimulatorSettings, Smsc
from simulator.accounts import (
    NO_PEER,
    STATUSES,
    Account,
    Accounts,
    Allowance,
    BindType,
    Peer,
    Refused,
    parse_account,
    parse_network,
)
from simulator.cli import main
from simulator.delays import parse_delay
from simulator.doors import allow_open_files
from simulator.quirks import StatusCode
from simulator.scenarios import FOLDER, Scenario, load_accounts
from simulator.settings import SimulatorSettings as Settings
from smppgw.errors import ConfigError, Refusal
from smppgw.smpp import (
    Bind,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DataSm,
    DataSmResp,
    DeliverSm,
    SmeAddress,
    Status,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    status_name,
)

from .esme import Esme, serving, submit_sm


def alice(**limits: Any) -> Account:
    return Account(system_id="alice", **limits)


# --- binds ----------------------------------------------------------------------------------------------------------

_HOME = (parse_network("10.0.0.0/8"), parse_network("2001:db8::/32"))


@pytest.mark.parametrize(
    ("limits", "bind", "peer", "open_binds", "reason"),
    [
        ({}, {}, NO_PEER, 10_000, None),
        ({}, {"system_id": "mallory"}, NO_PEER, 0, Refused.UNKNOWN_SYSTEM_ID),
        ({}, {"system_id": "Alice"}, NO_PEER, 0, Refused.UNKNOWN_SYSTEM_ID),
        ({}, {"system_id": ""}, NO_PEER, 0, Refused.UNKNOWN_SYSTEM_ID),
        ({"password": "secret"}, {"password": "secret"}, NO_PEER, 0, None),
        ({"password": "secret"}, {"password": "Secret"}, NO_PEER, 0, Refused.WRONG_PASSWORD),
        ({"password": "secret"}, {"password": ""}, NO_PEER, 0, Refused.WRONG_PASSWORD),
        ({"password": ""}, {"password": "x"}, NO_PEER, 0, Refused.WRONG_PASSWORD),
        ({"networks": _HOME}, {}, Peer("10.255.0.1"), 0, None),
        ({"networks": _HOME}, {}, Peer("::ffff:10.0.0.1"), 0, None),
        ({"networks": _HOME}, {}, Peer("2001:db8::1"), 0, None),
        ({"networks": (parse_network("fe80::/10"),)}, {}, Peer("fe80::1%eth0"), 0, None),
        ({"networks": _HOME}, {}, Peer("11.0.0.1"), 0, Refused.NETWORK),
        ({"networks": _HOME}, {}, NO_PEER, 0, Refused.NETWORK),
        ({"tls_required": True}, {}, Peer("10.0.0.1", tls=True), 0, None),
        ({"tls_required": True}, {}, Peer("10.0.0.1"), 0, Refused.TLS_MISSING),
        ({"interface_versions": ("3.4", "5.0")}, {"interface_version": 0x50}, NO_PEER, 0, None),
        ({"interface_versions": ("3.4", "5.0")}, {"interface_version": 0x33}, NO_PEER, 0, Refused.VERSION),
        ({"interface_versions": ("3.4", "5.0")}, {"interface_version": 0x51}, NO_PEER, 0, Refused.VERSION),
        ({"interface_versions": ("3.3",)}, {"interface_version": 0}, NO_PEER, 0, None),
        ({"max_binds": 2}, {}, NO_PEER, 1, None),
        ({"max_binds": 2}, {}, NO_PEER, 2, Refused.TOO_MANY_BINDS),
        ({"max_binds": 1, "password": "secret"}, {"password": "wrong"}, NO_PEER, 1, Refused.WRONG_PASSWORD),
    ],
)
def test_what_speaks_against_a_bind(
    limits: dict[str, Any], bind: dict[str, Any], peer: Peer, open_binds: int, reason: Refused | None
) -> None:
    accounts = Accounts([alice(**limits), Account(system_id="bob", password="other")])
    pdu = BindTransceiver(**({"system_id": "alice"} | bind))
    assert accounts.bind_status(pdu, peer, lambda: open_binds) == (STATUSES[reason] if reason is not None else 0)
    counted = {} if reason is None or reason is Refused.UNKNOWN_SYSTEM_ID else {str(reason): 1}
    assert accounts.summary({"alice": open_binds}) == {
        "alice": {"binds": open_binds, **counted},
        "bob": {"binds": 0},
    }


@pytest.mark.parametrize("allowed", list(BindType))
@pytest.mark.parametrize("kind", [BindTransmitter, BindReceiver, BindTransceiver])
def test_bind_types(allowed: BindType, kind: type[Bind]) -> None:
    accounts = Accounts([alice(bind_types=(allowed,))])
    fits = kind.__name__.lower() == f"bind{allowed}"
    status = accounts.bind_status(kind(system_id="alice"), NO_PEER, lambda: 0)
    assert status == (0 if fits else Status.ESME_RBINDFAIL)


def test_an_account_may_have_words_of_its_own_for_a_refusal() -> None:
    accounts = Accounts([alice(max_binds=1, refused_with={Refused.TOO_MANY_BINDS: 0x0D})])
    assert accounts.bind_status(BindReceiver(system_id="alice"), NO_PEER, lambda: 1) == Status.ESME_RBINDFAIL


@given(st.text(max_size=16), st.text(max_size=9), st.integers(0, 255), st.text(max_size=40))
def test_any_bind_gets_an_answer(system_id: str, password: str, version: int, host: str) -> None:
    account = alice(password="secret", networks=_HOME, interface_versions=("3.4",), max_binds=1)
    pdu = BindTransceiver(system_id=system_id, password=password, interface_version=version)
    assert Accounts([account]).bind_status(pdu, Peer(host), lambda: 1) != 0
    assert Accounts([]).bind_status(pdu, Peer(host), lambda: 1) == 0


@asynccontextmanager
async def listening(**settings: Any) -> AsyncIterator[tuple[Smsc, int]]:
    """A simulator on a port of its own."""
    smsc = Smsc(SimulatorSettings(**settings))
    async with trio.open_nursery() as nursery:
        yield smsc, await nursery.start(smsc.serve)
        nursery.cancel_scope.cancel()


async def bind_status(stream: trio.abc.Stream) -> int:
    with trio.fail_after(20):
        status = await Esme(stream).bind("alice")
        await stream.aclose()
        return status


@pytest.mark.parametrize(("network", "status"), [("127.0.0.0/8", 0), ("192.0.2.0/24", Status.ESME_RBINDFAIL)])
async def test_the_network_is_that_of_the_socket(network: str, status: int) -> None:
    async with listening(accounts=(alice(networks=(parse_network(network),)),)) as (_smsc, port):
        assert await bind_status(await trio.open_tcp_stream("127.0.0.1", port)) == status


async def test_tls_may_be_required() -> None:
    accounts = (alice(tls_required=True, networks=(parse_network("127.0.0.1"),)),)
    async with listening(accounts=accounts) as (smsc, port):
        assert await bind_status(await trio.open_tcp_stream("127.0.0.1", port)) == Status.ESME_RBINDFAIL
        assert smsc.summary()["accounts"] == {"alice": {"binds": 0, "tls_missing": 1}}
    context = ssl.create_default_context(cafile=FOLDER / "tls.pem")
    context.check_hostname = False
    async with listening(accounts=accounts, quirks=Scenario.load("tls").settings.quirks) as (_smsc, port):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        tls = trio.SSLStream(stream, context, server_hostname="localhost", https_compatible=True)
        assert await bind_status(tls) == 0


async def test_binds_are_counted_while_they_last(autojump_clock: MockClock) -> None:
    async with serving(accounts=(alice(max_binds=2), Account(system_id="bob"))) as (smsc, connect):
        first, second, third, bob = [await connect() for _ in range(4)]
        assert [await esme.bind() for esme in (first, second, third)] == [0, 0, Status.ESME_RALYBND]
        await third.wait_end()
        assert await bob.bind("bob") == 0
        assert smsc.summary()["accounts"] == {"alice": {"binds": 2, "too_many_binds": 1}, "bob": {"binds": 1}}
        assert smsc.summary()["binds"]["refused"] == {"ESME_RALYBND": 1}
        await first.stream.aclose()
        await smsc.wait_until(lambda: len(smsc.binds) == 2)
        assert await (await connect()).bind() == 0


async def test_an_unknown_system_id_leaves_no_trace_but_a_count(autojump_clock: MockClock) -> None:
    async with serving(accounts=(alice(),)) as (smsc, connect):
        for number in range(20):
            assert await (await connect()).bind(f"guess{number}") == Status.ESME_RINVSYSID
        assert smsc.summary()["accounts"] == {"alice": {"binds": 0}}
        assert smsc.summary()["binds"]["refused"] == {"ESME_RINVSYSID": 20}


async def test_without_accounts_there_are_none_in_the_summary(autojump_clock: MockClock) -> None:
    async with serving() as (smsc, _connect):
        assert smsc.summary()["accounts"] == {}


# --- submits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address_range", "source", "fits"),
    [
        ((), "anything", True),
        (("SHOP",), "SHOP", True),
        (("SHOP",), "shop", False),
        (("SHOP",), "SHOP2", False),
        (("+4477*",), "447700900001", True),
        (("4477*", "SHOP"), "SHOP", True),
        (("4477*",), "44", False),
        (("/^(46|47)[0-9]{8}$/",), "4712345678", True),
        (("/^(46|47)[0-9]{8}$/",), "47123456789", False),
        (("SHOP",), "", False),
    ],
)
def test_address_range(address_range: tuple[str, ...], source: str, fits: bool) -> None:
    accounts = Accounts([alice(address_range=address_range)])
    allowance = accounts.allowance("alice")
    assert allowance is not None
    assert allowance.status(SubmitSm(source_addr=source)) == (0 if fits else Status.ESME_RINVSRCADR)
    assert accounts.may_receive("alice", source) is fits
    assert accounts.may_receive("bob", source)


def test_an_expression_that_would_look_for_ever_lets_nobody_in() -> None:
    accounts = Accounts([alice(address_range=("/^(a+)+$/",))])
    assert accounts.may_receive("alice", "a" * 20)
    assert not accounts.may_receive("alice", "a" * 60 + "!")


def test_an_allowance_counts_what_came_in_one_read() -> None:
    allowance = Accounts([alice(window=3)]).allowance("alice")
    assert isinstance(allowance, Allowance)
    throttled = Status.ESME_RTHROTTLED
    for unanswered, statuses in ((0, [0, 0, 0, throttled]), (2, [0, throttled]), (7, [throttled]), (0, [0])):
        allowance.start_batch(unanswered)
        assert [allowance.status(SubmitSm()) for _ in statuses] == statuses


@asynccontextmanager
async def alice_bound(account: Account, **settings: Any) -> AsyncIterator[tuple[Smsc, Esme]]:
    async with serving(accounts=(account,), **settings) as (smsc, connect):
        esme = await connect()
        assert await esme.bind() == 0
        yield smsc, esme


async def test_a_window_is_held_on_each_bind(autojump_clock: MockClock) -> None:
    account = alice(window=2)
    async with serving(accounts=(account,), response_delay=parse_delay("1")) as (smsc, connect):
        one, two = await connect(), await connect()
        for esme in (one, two):
            await esme.bind()
            await esme.send(submit_sm(), submit_sm(), submit_sm())
        for esme in (one, two):
            statuses = [(await esme.expect(SubmitSmResp)).command_status for _ in range(3)]
            assert statuses == [0, 0, Status.ESME_RTHROTTLED]
        await one.send(submit_sm())
        await trio.sleep(0.5)
        await one.send(submit_sm())
        await trio.sleep(0.1)
        await one.send(submit_sm())
        assert [(await one.expect(SubmitSmResp)).command_status for _ in range(3)] == [0, 0, Status.ESME_RTHROTTLED]
        assert smsc.summary()["accounts"] == {"alice": {"binds": 2, "window": 3}}


async def test_who_keeps_to_the_window_is_never_over_it(autojump_clock: MockClock) -> None:
    async with alice_bound(alice(window=5)) as (smsc, esme):
        for _ in range(40):
            await esme.send(*(submit_sm() for _ in range(5)))
            assert {(await esme.expect(SubmitSmResp)).command_status for _ in range(5)} == {0}
        assert smsc.summary()["accounts"] == {"alice": {"binds": 1}}


async def test_every_kind_of_submit_is_held_to_the_address_range(autojump_clock: MockClock) -> None:
    async with alice_bound(alice(address_range=("SHOP",))) as (smsc, esme):
        for source, status in (("SHOP", 0), ("OTHER", Status.ESME_RINVSRCADR)):
            assert (await esme.submit(source_addr=source)).command_status == status
            await esme.send(DataSm(source_addr=source, destination_addr="447700900123"))
            assert (await esme.expect(DataSmResp)).command_status == status
            destinations = (SmeAddress(1, 1, "447700900123"), SmeAddress(1, 1, "447700900124"))
            await esme.send(SubmitMulti(source_addr=source, dest_addresses=destinations, short_message=b"x"))
            assert (await esme.expect(SubmitMultiResp)).command_status == status
        assert smsc.stats.submits_by_status == {0: 4, Status.ESME_RINVSRCADR: 3}
        assert smsc.summary()["accounts"] == {"alice": {"binds": 1, "source": 3}}


async def test_an_account_has_a_rate_of_its_own(autojump_clock: MockClock) -> None:
    accounts = (alice(rate=2.0, burst=4.0), Account(system_id="bob"))
    async with serving(accounts=accounts, rate=10.0) as (smsc, connect):
        accepted: dict[str, int] = {}
        for name in ("alice", "bob"):
            for _ in range(2):  # binds, which share what the account has
                esme = await connect()
                await esme.bind(name)
                await esme.send(*(submit_sm() for _ in range(20)))
                statuses = [(await esme.expect(SubmitSmResp)).command_status for _ in range(20)]
                accepted[name] = accepted.get(name, 0) + statuses.count(0)
        assert accepted == {"alice": 4, "bob": 10}
        assert smsc.summary()["accounts"] == {
            "alice": {"binds": 2, "rate": 36},
            "bob": {"binds": 2, "rate": 30},
        }
        await trio.sleep(1.0)
        assert [(await esme.submit()).command_status for _ in range(2)] == [0, 0]


async def test_rates_are_set_for_one_or_for_all_without_their_own(autojump_clock: MockClock) -> None:
    accounts = (alice(rate=1.0), Account(system_id="bob"))
    async with serving(accounts=accounts) as (smsc, connect):

        async def accepted(name: str) -> int:
            esme = await connect()
            await esme.bind(name)
            await esme.send(*(submit_sm() for _ in range(30)))
            return [(await esme.expect(SubmitSmResp)).command_status for _ in range(30)].count(0)

        assert (await accepted("alice"), await accepted("bob")) == (1, 30)
        smsc.set_rate(5.0)
        assert (await accepted("alice"), await accepted("bob")) == (1, 5)
        smsc.set_rate(7.0, system_id="alice")
        assert (await accepted("alice"), await accepted("bob")) == (7, 0)  # what bob had is used up
        smsc.set_rate(None, system_id="alice")
        assert (await accepted("alice"), await accepted("bob")) == (30, 0)
        smsc.set_rate(None)
        assert (await accepted("alice"), await accepted("bob")) == (30, 30)


async def test_inbound_texts_go_to_whose_address_it_is(autojump_clock: MockClock) -> None:
    accounts = (alice(address_range=("12345",)), Account(system_id="bob", address_range=("6*",)))
    async with serving(accounts=accounts) as (smsc, connect):
        esmes = {}
        for name in ("alice", "bob"):
            esmes[name] = await connect()
            await esmes[name].bind(name)
        for name, to in (("bob", "67890"), ("alice", "12345")):
            smsc.inject("447700900001", to, "hello")
            assert (await esmes[name].expect(DeliverSm)).destination_addr == to
        with pytest.raises(Refusal) as refused:
            smsc.inject("447700900001", "99", "hello")
        assert refused.value.code == "no_receiver"


# --- files and notations --------------------------------------------------------------------------------------------

EXAMPLE = """
[[accounts]]
system_id = "alice"
password = "secret"
bind_types = ["transmitter", "receiver"]
max_binds = 4
window = 10
rate = 50
burst = 5.5
address_range = ["SHOP", "+4477*", "/^46/"]
interface_versions = ["3.4", "5.0"]
tls_required = true
networks = ["10.0.0.0/8", "::1"]
refused_with = { too_many_binds = "ESME_RBINDFAIL", network = 0x0A }

[[accounts]]
system_id = "bob"
"""


def test_a_file_of_accounts(tmp_path: Path) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(EXAMPLE)
    expected = (
        Account(
            system_id="alice",
            password="secret",
            bind_types=(BindType.TRANSMITTER, BindType.RECEIVER),
            max_binds=4,
            window=10,
            rate=50.0,
            burst=5.5,
            address_range=("SHOP", "+4477*", "/^46/"),
            interface_versions=("3.4", "5.0"),
            tls_required=True,
            networks=(parse_network("10.0.0.0/8"), parse_network("::1")),
            refused_with={Refused.TOO_MANY_BINDS: StatusCode(0x0D), Refused.NETWORK: StatusCode(0x0A)},
        ),
        Account(system_id="bob"),
    )
    assert load_accounts(file) == expected
    file.write_text(f"why = 'mine'\n[ids]\nresponse = '{{n:x}}'\n{EXAMPLE}")
    assert Scenario.load(str(file)).settings.accounts == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "accounts: there are none"),
        ("accounts = 5", "accounts: must be a list of tables"),
        ("accounts = [5]", "accounts[0]: must be a table"),
        ("[[account]]\nsystem_id = 'x'", "account: unknown key; did you mean accounts?"),
        ("[[accounts]]\npassword = 'x'", "accounts[0]: needs a system_id"),
        ("[[accounts]]\nsystem_id = 5", "accounts[0].system_id: 5 is of the wrong type"),
        ("[[accounts]]\nsystem_id = 'x'\nmax_bind = 1", "accounts[0].max_bind: unknown key; did you mean max_binds?"),
        ("[[accounts]]\nsystem_id = 'x'\nbind_types = ['both']", "accounts[0].bind_types: 'both' is not one of tran"),
        ("[[accounts]]\nsystem_id = 'x'\nnetworks = ['home']", "accounts[0].networks: 'home' is no network"),
        ("[[accounts]]\nsystem_id = 'x'\nnetworks = ['10.0.0.1/8']", "accounts[0].networks: '10.0.0.1/8' is no net"),
        ("[[accounts]]\nsystem_id = 'x'\nrefused_with = { moon = 1 }", "accounts[0].refused_with: 'moon' is not one"),
        ("[[accounts]\n", "own.toml"),
    ],
)
def test_mistakes_in_a_file_are_told_by_their_key(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as wrong:
        load_accounts(file)
    assert any(said in problem for problem in wrong.value.problems), wrong.value.problems


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"system_id": ""}, "system_id: '' is not a system_id"),
        ({"bind_types": ()}, "bind_types: must have one at least"),
        ({"max_binds": 0}, "max_binds: must be 1 or more"),
        ({"window": -1}, "window: must be 1 or more"),
        ({"rate": 0.0}, "rate: 0.0 is not a rate"),
        ({"rate": float("nan")}, "rate: nan is not a rate"),
        ({"rate": 5.0, "burst": 0.0}, "burst: 0.0 is not a burst"),
        ({"burst": 5.0}, "burst: means nothing without rate"),
        ({"address_range": ("/(/",)}, "address_range: '/(/' is no regular expression"),
        ({"interface_versions": ("3.5",)}, "interface_versions: unknown '3.5'; known: 3.3, 3.4, 5.0"),
        ({"refused_with": {Refused.UNKNOWN_SYSTEM_ID: 1}}, "refused_with.unknown_system_id: belongs to no account"),
    ],
)
def test_the_impossible_is_refused(limits: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        Settings(accounts=(Account(system_id="first"), Account(**({"system_id": "x"} | limits))))
    assert wrong.value.problems[0].startswith(f"accounts[1].{said}")


def test_a_system_id_has_one_account() -> None:
    with pytest.raises(ConfigError, match=r"accounts\[1\].system_id: 'alice' comes twice"):
        Settings(accounts=(alice(), alice(password="x")))


def test_the_notation_of_the_command_line() -> None:
    assert parse_account("alice:se:cret") == alice(password="se:cret")
    assert parse_account("alice:") == alice(password="")
    for wrong, said in (("alice", "lacks its ':'"), (":x", "system_id"), ("alice:123456789", "password")):
        with pytest.raises(ValueError, match=said):
            parse_account(wrong)


async def test_a_scenario_brings_its_accounts_where_it_has_some(autojump_clock: MockClock) -> None:
    async with serving(accounts=(alice(rate=1.0),)) as (smsc, connect):
        esme = await connect()
        assert await esme.bind() == 0
        assert [(await esme.submit()).command_status for _ in range(2)] == [0, Status.ESME_RTHROTTLED]
        smsc.switch(None)  # has none: those of today stay, their buckets full again
        assert [(await esme.submit()).command_status for _ in range(2)] == [0, Status.ESME_RTHROTTLED]
        assert smsc.summary()["accounts"] == {"alice": {"binds": 1, "rate": 2}}
        smsc.switch(Settings(accounts=(Account(system_id="bob"),)))
        assert (await esme.submit()).command_status == 0  # its session stays, and nothing limits it
        assert await (await connect()).bind() == Status.ESME_RINVSYSID
        assert await (await connect()).bind("bob") == 0
        assert smsc.summary()["accounts"] == {"bob": {"binds": 1}}


async def test_accounts_of_the_command_line_stay(autojump_clock: MockClock) -> None:
    async with serving(accounts=(alice(),), pinned=frozenset({"accounts"})) as (smsc, connect):
        smsc.switch(Settings(accounts=(Account(system_id="bob"),)))
        assert await (await connect()).bind() == 0
        assert await (await connect()).bind("bob") == Status.ESME_RINVSYSID


README = (FOLDER.parent / "README.md").read_text(encoding="utf-8").partition("## Accounts")[2].partition("\n## ")[0]


def test_the_readme_tells_every_key_and_every_reason(tmp_path: Path) -> None:
    rows = [line.split("|") for line in README.splitlines() if line.startswith("| `")]
    told = {name.strip(" `") for row in rows for name in row[1].split(",")}
    assert told == {field.name for field in dataclasses.fields(Account)}
    statuses = {row[4].strip(" `"): row[3].strip() for row in rows if row[4].strip()}
    assert statuses == {
        str(reason): status_name(status)
        for reason, status in STATUSES.items()
        if reason is not Refused.UNKNOWN_SYSTEM_ID
    }
    (tmp_path / "accounts.toml").write_text(README.partition("```toml")[2].partition("```")[0])
    assert [account.system_id for account in load_accounts(tmp_path / "accounts.toml")] == ["shop", "bank"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--account", "alice"], "lacks its ':'"),
        (["--account", "alice:a", "--account", "alice:b"], "accounts[1].system_id: 'alice' comes twice"),
        (["--accounts", "{file}", "--account", "shop:b"], "accounts[1].system_id: 'shop' comes twice"),
        (["--accounts", "{file}.toml"], "does not exist"),
    ],
)
def test_wrong_options(tmp_path: Path, options: list[str], said: str) -> None:
    file = tmp_path / "accounts"
    file.write_text("[[accounts]]\nsystem_id = 'shop'\n")
    result = CliRunner().invoke(main, [option.format(file=file) for option in options])
    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_open_files_are_allowed_as_far_as_the_system_does() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, before[1]), before[1]))
        assert allow_open_files(300) == 300
        assert allow_open_files(600) == 600
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 600
        assert allow_open_files(10**9) <= before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
