"""The files of the scenarios, their mistakes, and each quirk on the wire: what a plain ESME gets to see."""

from __future__ import annotations

import dataclasses
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trio
from trio.testing import MockClock

from simulator import SimulatorSettings, Smsc
from simulator.delays import Delay
from simulator.quirks import Quirks
from simulator.scenarios import FOLDER, Scenario, names
from smppgw.errors import ConfigError
from smppgw.smpp import (
    AlertNotification,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DataSm,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    Pdu,
    QuerySm,
    QuerySmResp,
    Receipt,
    Status,
    SubmitSm,
    SubmitSmResp,
    Tag,
    Unbind,
    UnbindResp,
    read_receipt,
)

from .esme import Connect, Esme, bound, serving, submit_sm

REFERENCE = b"\x12\x34"


# --- the files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", names())
def test_every_scenario_can_be_read_and_differs_from_the_straight_smsc(name: str) -> None:
    scenario = Scenario.load(name)
    assert (scenario.name, scenario.file) == (name, FOLDER / f"{name}.toml")
    assert "\n" not in scenario.why
    assert scenario.settings != SimulatorSettings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "why: must be a line"),
        ("why = 'x'\n[receipt]\n", "receipt: unknown key; did you mean receipts?"),
        ("why = 'x'\n[receipts]\nesm_clas = 4\n", "receipts.esm_clas: unknown key; did you mean esm_class?"),
        ("why = 'x'\n[receipts]\nesm_class = '4'\n", "receipts.esm_class: '4' is of the wrong type"),
        ("why = 'x'\n[receipts]\nesm_class = 256\n", "receipts.esm_class: 256 is not one octet"),
        ("why = 'x'\n[receipts]\nover = 'moon'\n", "receipts.over: 'moon' is not one of any, other, transmitter"),
        ("why = 'x'\n[receipts]\nsequence = ['last']\n", "receipts.sequence: unknown 'last'; known: final,"),
        ("why = 'x'\n[receipts]\ntexts = ['id:{ident}']\n", "receipts.texts[0]: 'id:{ident}' cannot be filled in"),
        ("why = 'x'\n[receipts]\nudh = '5'\n", "receipts.udh: '5' is not hexadecimal"),
        ("why = 'x'\n[receipts]\ntlvs = { moon = '00' }\n", "receipts.tlvs: 'moon' is not a tag"),
        ("why = 'x'\n[ids]\nresponse = '{n:q}'\n", "ids.response: '{n:q}' cannot be filled in"),
        ("why = 'x'\n[responses]\nstatuses = { ESME_RTHROTLED = 1 }\n", "did you mean ESME_RTHROTTLED?"),
        ("why = 'x'\n[responses]\nevery = 0\n", "responses.every: must be 1 or more"),
        ("why = 'x'\n[session]\nodd = ['alert']\n", "session.odd: unknown 'alert'"),
        ("why = 'x'\n[session]\nversions = ['4.0']\n", "session.versions: unknown '4.0'; known: 3.3, 3.4, 5.0"),
        ("why = 'x'\n[settings]\nport = 1\n", "settings.port: unknown key"),
        ("why = 'x'\n[settings]\nreceipt_delay = '1 fortnight'\n", "settings.receipt_delay: '1 fortnight' is not"),
        ("why = ", "own.toml"),
    ],
)
def test_mistakes_are_told_by_their_key(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as wrong:
        Scenario.load(str(file))
    assert any(said in problem for problem in wrong.value.problems), wrong.value.problems


@pytest.mark.parametrize(
    ("name", "said"),
    [("ids-hexdec", "did you mean ids-hex-dec?"), ("nowhere.toml", "cannot be read")],
)
def test_a_scenario_that_is_not_there(name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("?", r"\?")):
        Scenario.load(name)


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        "why = 'mine'\n[settings]\nrate = 5\noutcomes = 'DELIVRD=1,EXPIRED=1'\n[tls]\ncert_file = 'own.pem'\n"
        "[responses]\nstatuses = { '0x402' = 1, ESME_ROK = 3.5 }\n"
    )
    scenario = Scenario.load(str(tmp_path / "own.toml"))
    assert (scenario.name, scenario.settings.rate, len(scenario.settings.outcomes)) == ("own", 5.0, 2)
    assert scenario.settings.quirks.tls.cert_file == tmp_path / "own.pem"
    assert scenario.settings.quirks.responses.statuses == {0x402: 1.0, 0: 3.5}


@pytest.mark.parametrize("name", names())
def test_every_scenario_is_acted_here_and_against_the_gateway(name: str) -> None:
    folder = Path(__file__).parents[1]
    against_the_gateway = "".join(file.read_text() for file in (folder / "end_to_end").glob("test_quirks_*.py"))
    assert f'"{name}"' in against_the_gateway
    assert f'"{name}"' in Path(__file__).read_text()


def test_every_setting_is_acted_by_a_scenario() -> None:
    """A quirk that no scenario has is one that no test proves."""
    scenarios = [Scenario.load(name).settings.quirks for name in names()]
    own = {"outbind.host", "outbind.system_id", "outbind.pause_s", "tls.client_ca_file"}  # of whoever acts it
    unused = []
    for group in dataclasses.fields(Quirks):
        straight = getattr(Quirks(), group.name)
        for setting in dataclasses.fields(straight):
            default = getattr(straight, setting.name)
            used = any(getattr(getattr(quirks, group.name), setting.name) != default for quirks in scenarios)
            if not used and f"{group.name}.{setting.name}" not in own:
                unused.append(f"{group.name}.{setting.name}")
    assert unused == []


# --- ids and receipts -----------------------------------------------------------------------------------------------


class Exchange(NamedTuple):
    """What came back for some submits to numbers of their own: reports in the order they came."""

    smsc: Smsc
    responses: list[SubmitSmResp]
    reports: list[DeliverSm | DataSm]

    def receipts(self) -> list[Receipt | None]:
        return [read_receipt(pdu) for pdu in self.reports]


async def exchange(scenario: str, count: int = 7, **settings: Any) -> Exchange:
    """Submits `count` messages, acknowledges all that comes, and waits until nothing more does."""
    async with bound(scenario, **settings) as (smsc, esme):
        tlvs = {int(Tag.USER_MESSAGE_REFERENCE): REFERENCE}
        submits = [
            submit_sm(f"4477009001{n:02d}", b"%d" % n, registered_delivery=1, tlvs=dict(tlvs)) for n in range(count)
        ]
        await esme.send(*submits)
        reports: list[DeliverSm | DataSm] = []
        with trio.move_on_after(30.0):
            while await esme.read():
                for pdu in [one for one in esme.inbox if isinstance(one, DeliverSm | DataSm)]:
                    esme.inbox.remove(pdu)
                    reports.append(pdu)
                    await esme.acknowledge(pdu)
        responses = [pdu for pdu in esme.inbox if isinstance(pdu, SubmitSmResp)]
        assert smsc.stats.receipts.pending == smsc.stats.inbound.pending == smsc.waiting == 0
        return Exchange(smsc, responses, reports)


def ids_of(found: Exchange) -> list[tuple[str, str]]:
    """message_id of each response with that of its receipt."""
    by_number = {one.source_addr: one for one in found.reports}
    told = [response.message_id for response in found.responses]
    receipts = [read_receipt(by_number[f"4477009001{n:02d}"]) for n in range(len(told))]
    return [(one, receipt.message_id if receipt else "") for one, receipt in zip(told, receipts, strict=True)]


@pytest.mark.parametrize(
    ("scenario", "start", "expected"),
    [
        ("ids-hex-dec", 1000, [("3e8", "1000"), ("3e9", "1001")]),
        ("ids-dec-hex", 1002, [("1002", "3EA"), ("1003", "3EB")]),
        ("ids-case-and-zeros", 1002, [("00000000000003EA", "3ea"), ("00000000000003EB", "3eb")]),
        ("ids-suffix-in-receipt", 1000, [("1000", "SMS-1000-1"), ("1001", "SMS-1001-1")]),
    ],
)
async def test_ids(autojump_clock: MockClock, scenario: str, start: int, expected: list[tuple[str, str]]) -> None:
    assert ids_of(await exchange(scenario, 2, message_id_start=start)) == expected


async def test_long_ids_differ_only_where_64_bits_do_not_reach(autojump_clock: MockClock) -> None:
    pairs = ids_of(await exchange("ids-long-decimal", 3, message_id_start=10**15))
    assert [int(told, 16) == int(receipt) > 2**64 for told, receipt in pairs] == [True] * 3
    assert len({receipt for _, receipt in pairs}) == 3
    assert {len(receipt) for _, receipt in pairs} == {40}


async def test_uuids(autojump_clock: MockClock) -> None:
    pairs = ids_of(await exchange("ids-uuid", 3))
    assert all(len(told) == 36 and told.upper() == receipt != told for told, receipt in pairs)


async def test_ids_that_come_again(autojump_clock: MockClock) -> None:
    found = await exchange("ids-reused", 12)
    told = [int(response.message_id) for response in found.responses]
    assert told == [1000, 1001, 1002, 1003, 1004] * 2 + [1000, 1001]


def stats(found: Exchange) -> list[str]:
    return [receipt.stat if receipt else "" for receipt in found.receipts()]


def texts(found: Exchange) -> list[bytes]:
    return [pdu.short_message if isinstance(pdu, DeliverSm) else b"" for pdu in found.reports]


def tags(found: Exchange) -> set[int]:
    return {tag for pdu in found.reports for tag in pdu.tlvs}


RECEIPTED, STATE, PAYLOAD = int(Tag.RECEIPTED_MESSAGE_ID), int(Tag.MESSAGE_STATE), int(Tag.MESSAGE_PAYLOAD)
REFERENCE_TAG, ERROR_TAG = int(Tag.USER_MESSAGE_REFERENCE), int(Tag.NETWORK_ERROR_CODE)
STRAIGHT_TAGS = {RECEIPTED, STATE, REFERENCE_TAG}

#: scenario -> what must be so of 7 submits.
SHAPES: list[tuple[str, Callable[[Exchange], bool]]] = [
    ("receipt-repeated", lambda found: stats(found) == ["DELIVRD"] * 21),
    ("receipt-contradicts", lambda found: sorted(stats(found)) == ["DELIVRD"] * 7 + ["UNDELIV"] * 7),
    (
        "receipt-intermediate-after-final",
        lambda found: (
            stats(found) == ["ENROUTE"] * 7 + ["DELIVRD"] * 7 + ["ENROUTE"] * 7 + ["ACCEPTD"] * 7
            and [pdu.esm_class for pdu in found.reports] == [0x20] * 7 + [4] * 7 + [0x20] * 14
        ),
    ),
    (
        "receipt-acceptd",
        lambda found: (
            stats(found) == ["ACCEPTD"] * 7 + ["DELIVRD"] * 7 and {pdu.esm_class for pdu in found.reports} == {4}
        ),
    ),
    (
        "receipt-unsolicited",
        lambda found: (
            len(found.reports) == 28
            and {one.message_id for one in found.receipts() if one} >= {"91000", "3e8", "no-such-id", "1000"}
        ),
    ),
    (
        "receipt-no-esm-class",
        lambda found: (
            found.receipts() == [None] * 7
            and tags(found) == set()
            and all(text.startswith(b"id:100") for text in texts(found))
        ),
    ),
    (
        "receipt-udhi",
        lambda found: (
            {pdu.esm_class for pdu in found.reports} == {0x44}
            and {text[:9] for text in texts(found)} == {b"\x05\0\x03\x01\x01\x01id:"}
        ),
    ),
    ("receipt-data-sm", lambda found: all(isinstance(pdu, DataSm) for pdu in found.reports)),
    (
        "receipt-payload",
        lambda found: texts(found) == [b""] * 7 and all(b"stat:" in pdu.tlvs[PAYLOAD] for pdu in found.reports),
    ),
    (
        "receipt-ucs2",
        lambda found: (
            {pdu.data_coding for pdu in found.reports} == {8}
            and all("stat:DELIVRD" in text.decode("utf-16-be") for text in texts(found))
        ),
    ),
    (
        "receipt-odd-text",
        lambda found: (
            len({text.partition(b"1")[0] for text in texts(found)}) >= 3
            and all(text.endswith(b"\0") for text in texts(found))
        ),
    ),
    ("receipt-sm-length", lambda found: found.receipts() and all(b"stat:" in text for text in texts(found))),
    (
        "receipt-state-words",
        lambda found: (
            {text.split(b"stat:")[1].split()[0] for text in texts(found)}
            <= {
                b"DELIVERED",
                b"delivrd",
                b"DELIVERD",
                b"Deliver",
                b"UNDELIVERABLE",
                b"undeliv",
                b"FAILED",
                b"UNDELIVERED",
            }
            and tags(found) == {RECEIPTED, REFERENCE_TAG}
        ),
    ),
    (
        "receipt-unknown-words",
        lambda found: (
            {text.split(b"stat:")[1].split()[0] for text in texts(found)} == {b"0", b"OK", b"7", b"BLOCKED"}
        ),
    ),
    (
        "receipt-dates",
        lambda found: (
            {text.split(b"done date:")[1].partition(b" stat")[0] for text in texts(found)}
            == {
                b"2601010300",
                b"260101030000",
                b"202601010300",
                b"20260101030000",
                b"2026-01-01 03:00:00",
                b"0000000000",
                b"",
            }
        ),
    ),
    ("receipt-addresses", lambda found: {pdu.source_addr for pdu in found.reports} == {"SHOP"}),
    (
        "receipt-national-addresses",
        lambda found: {pdu.source_addr for pdu in found.reports} == {f"077009001{n:02d}" for n in range(7)},
    ),
    ("receipt-masked-addresses", lambda found: {pdu.source_addr for pdu in found.reports} == {"44770090XXXX"}),
    (
        "receipt-error-codes",
        lambda found: (
            {text.split(b"err:")[1].split(b" text")[0] for text in texts(found)}
            == {b"E01", b"0x1B", b"", b"00027", b"absent"}
            and {pdu.tlvs[ERROR_TAG] for pdu in found.reports} == {b"\x03\0\x1b", b"027"}
        ),
    ),
    ("receipt-tlv-only", lambda found: texts(found) == [b""] * 7 and tags(found) == STRAIGHT_TAGS),
    ("receipt-text-only", lambda found: tags(found) == set() and stats(found) == ["DELIVRD"] * 7),
    (
        "receipt-states-disagree",
        lambda found: (
            all(b"stat:UNDELIV" in text for text in texts(found))
            and {pdu.tlvs[STATE] for pdu in found.reports} == {b"\x02"}
        ),
    ),
    ("receipt-vendor-tlvs", lambda found: tags(found) == STRAIGHT_TAGS | {0x1403, 0x1500, 0x0381}),
    (
        "looks-like-a-receipt",
        lambda found: (
            [pdu.source_addr for pdu in found.reports].count("447700900999") == 14
            and found.smsc.stats.inbound.acked == 14
            and stats(found).count("DELIVRD") == 7
        ),
    ),
    (
        "looks-like-an-acknowledgement",
        lambda found: sorted(pdu.esm_class for pdu in found.reports) == [4] * 7 + [8] * 7,
    ),
    ("query-sm", lambda found: found.reports == []),
]


@pytest.mark.parametrize(("scenario", "holds"), SHAPES, ids=[name for name, _ in SHAPES])
async def test_the_shape_of_receipts(
    autojump_clock: MockClock, scenario: str, holds: Callable[[Exchange], bool]
) -> None:
    found = await exchange(scenario)
    assert [response.command_status for response in found.responses] == [0] * 7
    assert holds(found), found.reports


async def test_the_straight_smsc_echoes_the_reference(autojump_clock: MockClock) -> None:
    found = await exchange("")
    assert {pdu.tlvs[REFERENCE_TAG] for pdu in found.reports} == {REFERENCE}
    assert tags(found) == STRAIGHT_TAGS


async def test_a_receipt_before_its_response_and_one_long_after(autojump_clock: MockClock) -> None:
    async with bound("receipt-before-response") as (_, esme):
        await esme.send(submit_sm(registered_delivery=1))
        await esme.expect(DeliverSm)
        assert not any(isinstance(pdu, SubmitSmResp) for pdu in esme.inbox)
        await esme.expect(SubmitSmResp)
    async with bound("receipt-after-expiry") as (_, esme):
        await esme.submit(registered_delivery=1)
        submitted_mono = trio.current_time()
        await esme.expect(DeliverSm)
        assert trio.current_time() - submitted_mono >= 1.0


async def test_receipts_over_the_other_bind(autojump_clock: MockClock) -> None:
    async with serving("receipt-on-other-bind") as (_, connect):
        esmes = [await bound_as(connect, BindTransceiver) for _ in range(2)]
        for one, other in (esmes, esmes[::-1]):
            for _ in range(5):
                told = (await one.submit(registered_delivery=1)).message_id
                pdu = await other.expect(DeliverSm)
                await other.acknowledge(pdu)
                receipt = read_receipt(pdu)
                assert receipt is not None
                assert receipt.message_id == told


async def test_receipts_over_the_transmitter(autojump_clock: MockClock) -> None:
    async with serving("receipt-on-transmitter") as (smsc, connect):
        transmitter, receiver = await bound_as(connect, BindTransmitter), await bound_as(connect, BindReceiver)
        await transmitter.submit(registered_delivery=1)
        smsc.inject("447700900001", "12345", "hello")
        first = await transmitter.expect(DeliverSm)
        inbound = await receiver.expect(DeliverSm)
        assert (first.esm_class, inbound.esm_class) == (4, 0)
        await receiver.acknowledge(inbound)
        await transmitter.stream.aclose()  # not acknowledged: it comes again
        transmitter = await bound_as(connect, BindTransmitter)
        again = await transmitter.expect(DeliverSm)
        assert again.short_message == first.short_message
        await transmitter.acknowledge(again)
        await smsc.wait_until(lambda: smsc.waiting == 0)
        assert smsc.stats.deviations["response_unmatched"] == 0


async def bound_as(
    connect: Connect, kind: type[BindTransmitter] | type[BindReceiver] | type[BindTransceiver]
) -> Esme:
    esme = await connect()
    assert await esme.bind(kind=kind) == 0
    return esme


# --- responses ------------------------------------------------------------------------------------------------------


async def responses_to(scenario: str, count: int, **settings: Any) -> tuple[Smsc, list[Pdu]]:
    """What comes for `count` submits, numbered from 2, in one write."""
    async with bound(scenario, **settings) as (smsc, esme):
        await esme.send(*(submit_sm(text=b"%d" % n) for n in range(count)))
        await esme.nothing_for(5.0)
        return smsc, esme.inbox


async def test_responses_without_body_or_id(autojump_clock: MockClock) -> None:
    for scenario in ("response-no-body", "response-no-id"):
        _, came = await responses_to(scenario, 3)
        assert [(pdu.sequence_number, pdu.command_status) for pdu in came] == [(2, 0), (3, 0), (4, 0)]
        assert {pdu.message_id for pdu in came if isinstance(pdu, SubmitSmResp)} == {""}


async def test_responses_out_of_order(autojump_clock: MockClock) -> None:
    _, came = await responses_to("response-out-of-order", 20)
    order = [pdu.sequence_number for pdu in came]
    assert sorted(order) == list(range(2, 22))
    assert order != sorted(order)
    _, came = await responses_to("response-out-of-order", 3, response_delay=Delay(0, 0))
    assert [pdu.sequence_number for pdu in came] == [4, 3, 2]


async def test_responses_with_a_wrong_sequence(autojump_clock: MockClock) -> None:
    _, came = await responses_to("response-wrong-sequence", 6)
    assert [pdu.sequence_number for pdu in came] == [2, 3, 1_000_004, 5, 6, 1_000_007]


async def test_unreadable_responses(autojump_clock: MockClock) -> None:
    async with bound("response-unreadable") as (_, esme):
        await esme.send(*(submit_sm(text=b"%d" % n) for n in range(4)))
        await esme.nothing_for(5.0)
        frames = esme.frames[1:]
        assert [(frame[4:12].hex(), frame[15]) for frame in frames] == [("8000000400000000", n) for n in (2, 3, 4, 5)]
        assert [b"\0" in frame[16:] for frame in frames] == [True, False, True, False]


async def test_submits_answered_with_generic_nack(autojump_clock: MockClock) -> None:
    smsc, came = await responses_to("response-generic-nack", 7)
    assert [type(pdu) for pdu in came] == [GenericNack] * 5 + [SubmitSmResp] * 2
    assert [pdu.command_status for pdu in came] == [Status.ESME_RSYSERR] * 5 + [0, 0]
    assert (smsc.stats.accepted, smsc.summary()["by_status"]["ESME_RSYSERR"]) == (2, 5)


async def test_submits_that_are_never_answered(autojump_clock: MockClock) -> None:
    smsc, came = await responses_to("response-never", 7)
    assert (came, smsc.summary()["by_status"]) == ([], {"unanswered": 7})
    smsc, came = await responses_to("response-never-at-first", 10)
    assert len(came) == 2
    assert (smsc.stats.accepted, smsc.summary()["max_window"]) == (2, 10)


@pytest.mark.parametrize(
    ("scenario", "statuses"),
    [
        ("vendor-status", [0x402] * 3 + [0] * 5),
        ("queue-full", [0, 0, 0, Status.ESME_RMSGQFUL] * 2),
    ],
)
async def test_refused_submits(autojump_clock: MockClock, scenario: str, statuses: Sequence[int]) -> None:
    _, came = await responses_to(scenario, 8)
    assert [pdu.command_status for pdu in came] == list(statuses)


async def test_throttled_submits(autojump_clock: MockClock) -> None:
    _, came = await responses_to("throttle", 15)
    assert [pdu.command_status for pdu in came] == [0] * 10 + [Status.ESME_RTHROTTLED] * 5


async def test_what_is_above_the_rate_is_forgotten(autojump_clock: MockClock) -> None:
    found = await exchange("silent-drop", 15)
    assert [response.command_status for response in found.responses] == [0] * 15
    assert len(found.reports) == 10


UDH = {"esm_class": 0x40, "text": b"\x05\0\x03\x01\x02\x01part"}
SAR = {"tlvs": {0x020C: b"\0\x01", 0x020E: b"\x02", 0x020F: b"\x01"}}
WHOLE = {"text": b"", "tlvs": {PAYLOAD: b"long"}}


@pytest.mark.parametrize(
    ("scenario", "statuses"),
    [("sar-long", [0, 0x43, 0, 0x43]), ("payload-long", [0, 0x43, 0x43, 0]), ("version-33", [0, 0, 0xC1, 0xC1])],
)
async def test_what_a_submit_may_carry(autojump_clock: MockClock, scenario: str, statuses: list[int]) -> None:
    async with serving(scenario) as (_, connect):
        esme = await connect()
        assert await esme.bind(kind=BindTransmitter, interface_version=0x33) == 0
        forms: list[dict[str, Any]] = [{}, UDH, SAR, WHOLE]
        assert [(await esme.submit(**form)).command_status for form in forms] == statuses


WIDE = {"esm_class": 0x40, "text": b"\x06\x08\x04\0\x01\x02\x01part"}
PORTS = {"esm_class": 0x40, "text": b"\x06\x05\x04\x0b\x84\x23\xf0wap"}
LATER = {"schedule_delivery_time": "000001000000000R"}


@pytest.mark.parametrize(
    ("scenario", "forms", "statuses"),
    [
        ("narrow-references", [UDH, WIDE, SAR, WHOLE, PORTS], [0, 0x43, 0, 0, 0]),
        ("schedule-refused", [{}, LATER], [0, 0x61]),
        ("data-codings", [{"data_coding": one} for one in (0, 8, 3, 4, 0x10, 0xF0)], [0, 0] + [0x104] * 4),
        (
            "max-octets",
            [
                {"text": b"x" * 137},  # 120 octets, packed
                {"text": b"x" * 138},
                {"text": b"x" * 120, "data_coding": 8},
                {"text": b"x" * 122, "data_coding": 8},
                {"text": b"\x05\0\x03\x01\x02\x01" + b"x" * 130, "esm_class": 0x40},
                {"text": b"\x05\0\x03\x01\x02\x01" + b"x" * 131, "esm_class": 0x40},
                {"text": b"", "tlvs": {PAYLOAD: b"x" * 1000}},  # which it cuts itself
            ],
            [0, 1, 0, 1, 0, 1, 0],
        ),
    ],
)
async def test_what_is_taken_of_texts(
    autojump_clock: MockClock, scenario: str, forms: list[dict[str, Any]], statuses: list[int]
) -> None:
    async with bound(scenario) as (_, esme):
        assert [(await esme.submit(**form)).command_status for form in forms] == statuses


@pytest.mark.parametrize(
    ("scenario", "form", "text"),
    [
        ("latin1-default", {"text": b"caf\xe9"}, "café"),
        ("latin1-default", {"text": b"\0a", "data_coding": 8}, "a"),
        ("packed", {"text": bytes.fromhex("e8329bfd06")}, "hello"),
        ("national-tables-lost", {"text": b"\x03\x24\x01\x01\x1bg", "esm_class": 0x40}, "g"),
    ],
)
async def test_how_texts_are_read(autojump_clock: MockClock, scenario: str, form: dict[str, Any], text: str) -> None:
    async with bound(scenario) as (smsc, esme):
        await esme.submit(**form)
        assert smsc.submits[0].text == text


async def test_tlvs_in_responses(autojump_clock: MockClock) -> None:
    async with serving("version-50") as (_, connect):
        esme = await connect()
        assert await esme.bind(interface_version=0x50) == 0
        assert (await esme.submit()).tlvs == {0x0428: b"\x32"}


# --- sessions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "version", "status", "told"),
    [
        ("", 0x34, 0, b"\x34"),
        ("", 0x33, 0, None),
        ("no-sc-interface-version", 0x34, 0, None),
        ("version-50", 0x34, 0x0D, None),
        ("version-50", 0x50, 0, b"\x50"),
        ("version-33", 0x34, 0x0D, None),
        ("version-33", 0x33, 0, None),
    ],
)
async def test_versions(
    autojump_clock: MockClock, scenario: str, version: int, status: int, told: bytes | None
) -> None:
    async with serving(scenario) as (smsc, connect):
        esme = await connect()
        assert await esme.bind(kind=BindTransmitter, interface_version=version) == status
        assert esme.bind_resp is not None
        assert esme.bind_resp.tlvs.get(Tag.SC_INTERFACE_VERSION) == told
        if status:
            await esme.wait_end()
            assert [(visit.bind_status, visit.interface_version) for visit in smsc.visits] == [(status, version)]


async def test_commands_that_an_old_smsc_does_not_know(autojump_clock: MockClock) -> None:
    async with serving("version-33") as (_, connect):
        esme = await connect()
        await esme.send(BindTransceiver(system_id="alice", interface_version=0x33))
        assert (await esme.expect(GenericNack)).command_status == Status.ESME_RINVCMDID
        assert await esme.bind(kind=BindTransmitter, interface_version=0x33) == 0
        await esme.send(DataSm(destination_addr="447700900123"))
        assert (await esme.expect(GenericNack)).command_status == Status.ESME_RINVCMDID


async def test_a_pair_only(autojump_clock: MockClock) -> None:
    async with serving("pair-only") as (_, connect):
        esme = await connect()
        assert await esme.bind() == Status.ESME_RBINDFAIL
        for kind in (BindTransmitter, BindReceiver):
            await bound_as(connect, kind)


@pytest.mark.parametrize(("scenario", "status"), [("bind-refused-password", 0x0E), ("bind-refused-credit", 0x401)])
async def test_binds_refused_at_first(autojump_clock: MockClock, scenario: str, status: int) -> None:
    async with serving(scenario) as (_, connect):
        assert [await (await connect()).bind() for _ in range(4)] == [status] * 3 + [0]


async def test_the_place_stays_taken_for_a_while(autojump_clock: MockClock) -> None:
    async with serving("already-bound") as (_, connect):
        one = await bound_as(connect, BindTransceiver)
        await bound_as(connect, BindTransceiver)  # while it lives, others may bind
        await one.stream.aclose()
        await trio.sleep(0.9)
        assert await (await connect()).bind() == Status.ESME_RALYBND
        assert await (await connect()).bind("bob") == 0
        await trio.sleep(0.2)
        assert await (await connect()).bind() == 0


async def test_enquire_link_is_not_answered(autojump_clock: MockClock) -> None:
    async with bound("enquire-link-unanswered", enquire_link_s=0.0) as (_, esme):
        await esme.send(EnquireLink())
        assert await esme.nothing_for(60.0)
        assert (await esme.submit()).command_status == 0


async def test_enquire_link_before_the_bind_response(autojump_clock: MockClock) -> None:
    async with serving("enquire-link-early") as (smsc, connect):
        esme = await connect()
        await esme.send(BindTransceiver(system_id="alice"))
        while len(esme.inbox) < 2:
            await esme.read()
        assert [type(pdu).__name__ for pdu in esme.inbox] == ["EnquireLink", "BindTransceiverResp"]
        await esme.send(EnquireLinkResp(sequence_number=esme.inbox[0].sequence_number))
        await smsc.wait_until(lambda: smsc.stats.odd_answers == {"enquire_link: ESME_ROK": 1})


async def test_an_idle_connection_is_cut(autojump_clock: MockClock) -> None:
    async with bound("idle-cut") as (smsc, esme):
        for _ in range(5):
            await trio.sleep(0.8)
            await esme.send(EnquireLink())
            await esme.expect(EnquireLinkResp)
        talked_mono = trio.current_time()
        await esme.wait_end()
        assert trio.current_time() - talked_mono == pytest.approx(1.0, abs=0.05)
        assert smsc.stats.idle_cuts == 1


async def test_unbind_for_maintenance(autojump_clock: MockClock) -> None:
    async with serving("unbind-for-maintenance") as (smsc, connect):
        for _ in range(2):
            esme = await bound_as(connect, BindTransceiver)
            await esme.send(*(submit_sm(text=b"%d" % n) for n in range(12)))
            unbind = await esme.expect(Unbind)
            assert len([pdu for pdu in esme.inbox if isinstance(pdu, SubmitSmResp)]) == 12
            await esme.send(UnbindResp(sequence_number=unbind.sequence_number))
            await esme.wait_end()
        esme = await bound_as(connect, BindTransceiver)
        await esme.send(*(submit_sm(text=b"%d" % n) for n in range(12)))
        assert await esme.nothing_for(5.0) is False
        assert not any(isinstance(pdu, Unbind) for pdu in esme.inbox)
        assert [visit.submits for visit in smsc.visits] == [12, 12]


async def test_odd_pdus(autojump_clock: MockClock) -> None:
    async with bound("malformed-pdu") as (smsc, esme):
        while len(esme.unreadable) < 4:
            await esme.read()
        assert {frame[4:8].hex() for frame in esme.unreadable} == {"00000005"}
        for frame in esme.unreadable:
            number = int.from_bytes(frame[12:16], "big")
            await esme.send(DeliverSmResp(sequence_number=number, command_status=Status.ESME_RINVMSGLEN))
        await smsc.wait_until(lambda: smsc.stats.odd_answers.total() == 4)
        assert smsc.summary()["odd_answers"]["deliver_sm_cut_short: ESME_RINVMSGLEN"] == 1
        assert (await esme.submit()).command_status == 0
    async with bound("unknown-command") as (_, esme):
        while len(esme.unreadable) + len(esme.inbox) < 5:
            await esme.read()
        assert [frame[4:8].hex() for frame in esme.unreadable] == ["00010203", "00000111"]
        assert [type(pdu) for pdu in esme.inbox] == [SubmitSm, SubmitSmResp, GenericNack]
    async with bound("alert-notification") as (_, esme):
        assert (await esme.expect(AlertNotification)).source_addr == "447700900001"


# --- inbound, outbind, TLS ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "kind", "data_coding", "found_in", "extra"),
    [
        ("inbound-data-sm", DataSm, 0, "payload", {0x1403}),
        ("inbound-payload", DeliverSm, 0, "payload", set()),
        ("inbound-reserved-dcs", DeliverSm, 0xBF, "short_message", set()),
    ],
)
async def test_inbound_texts(
    autojump_clock: MockClock,
    scenario: str,
    kind: type[DeliverSm] | type[DataSm],
    data_coding: int,
    found_in: str,
    extra: set[int],
) -> None:
    async with bound(scenario) as (smsc, esme):
        smsc.inject("447700900001", "12345", "hello")
        pdu = await esme.expect(kind)
        octets = pdu.tlvs.get(PAYLOAD) if found_in == "payload" else getattr(pdu, "short_message", None)
        assert (octets, pdu.data_coding, pdu.source_addr) == (b"hello", data_coding, "447700900001")
        assert pdu.tlvs.keys() - {PAYLOAD} == extra
        await esme.acknowledge(pdu)
        await smsc.wait_until(lambda: smsc.stats.inbound.acked == 1)


async def test_a_lost_acknowledgement(autojump_clock: MockClock) -> None:
    async with serving("redelivery") as (smsc, connect):
        esme = await bound_as(connect, BindTransceiver)
        smsc.inject("447700900001", "12345", "YES")
        first = await esme.expect(DeliverSm)
        await esme.acknowledge(first)
        await esme.wait_end()
        esme = await bound_as(connect, BindTransceiver)
        again = await esme.expect(DeliverSm)
        assert again.short_message == first.short_message
        await esme.acknowledge(again)
        await smsc.wait_until(lambda: smsc.stats.inbound.acked == 1)
        assert (smsc.stats.inbound.sent, smsc.stats.inbound.redelivered, smsc.stats.lost_acks) == (2, 1, 1)


async def test_query_sm_tells_the_fate(autojump_clock: MockClock) -> None:
    async with bound("query-sm") as (_, esme):
        states = []
        for number in range(20):
            told = await esme.submit(text=b"%d" % number, registered_delivery=1)
            await esme.send(QuerySm(message_id=told.message_id, source_addr="SHOP"))
            states.append((await esme.expect(QuerySmResp)).message_state)
        assert set(states) == {2, 5}
        assert await esme.nothing_for(60.0) is False or not any(isinstance(one, DeliverSm) for one in esme.inbox)


async def test_outbind() -> None:
    """An ESME that listens is called, again and again, until it binds."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port: int = listener.socket.getsockname()[1]
    base = Scenario.load("outbind").settings
    outbind = dataclasses.replace(base.quirks.outbind, port=port, pause_s=0.01)
    smsc = Smsc(dataclasses.replace(base, quirks=dataclasses.replace(base.quirks, outbind=outbind)))
    async with trio.open_nursery() as nursery:
        await nursery.start(smsc.serve, [])
        with trio.fail_after(10):
            await (await listener.accept()).aclose()
            esme = Esme(await listener.accept())
            called = await esme.expect(Outbind)
            assert (called.system_id, called.password) == ("SMSC", "secret")
            assert await esme.bind() == 0
            assert (await esme.submit()).command_status == 0
            await esme.stream.aclose()
        assert smsc.stats.outbinds == 2
        nursery.cancel_scope.cancel()
    await listener.aclose()


async def test_tls() -> None:
    scenario = Scenario.load("tls")
    smsc = Smsc(scenario.settings)
    certificate = scenario.settings.quirks.tls.cert_file
    assert certificate is not None
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with trio.open_nursery() as nursery:
        port = await nursery.start(smsc.serve)
        with trio.fail_after(10):
            for context in (ssl.create_default_context(), trusting):
                tcp = await trio.open_tcp_stream("127.0.0.1", port)
                stream = trio.SSLStream(tcp, context, server_hostname="localhost")
                if context is not trusting:
                    with pytest.raises(trio.BrokenResourceError):
                        await stream.do_handshake()
                else:
                    esme = Esme(stream)
                    assert await esme.bind() == 0
                    assert (await esme.submit()).command_status == 0
                await trio.aclose_forcefully(stream)
        nursery.cancel_scope.cancel()
    assert smsc.stats.session_failures == 0


# --- rules ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("recipient-queue-full", [0, 0x14, 0, 0x14, 0, 0x14]),  # two recipients in turn, each with one message
        ("window-limit", [0, 0, 0, 0, 0, 0x58]),
        ("some-throttled", [0, 0, 0x58, 0, 0, 0x58]),
        ("response-spikes", [0] * 6),
        ("slow-reader", [0] * 6),
        ("response-lost", [0] * 4),
        ("half-open", [0] * 5),
        ("cut-after-pdus", [0] * 6),
        ("maintenance-window", [0] * 6),
    ],
)
async def test_what_six_submits_are_answered(autojump_clock: MockClock, scenario: str, expected: list[int]) -> None:
    async with bound(scenario) as (_, esme):
        numbers = "112233" if scenario == "recipient-queue-full" else "123456"
        await esme.send(*(submit_sm(f"44770090000{number}", b"%d" % at) for at, number in enumerate(numbers)))
        with trio.move_on_after(2):
            while await esme.read():
                pass
        responses = sorted(
            (pdu for pdu in esme.inbox if isinstance(pdu, SubmitSmResp)), key=lambda pdu: pdu.sequence_number
        )
        assert [pdu.command_status for pdu in responses] == expected


async def test_a_response_with_a_tlv_that_promises_too_much(autojump_clock: MockClock) -> None:
    async with bound("response-malformed") as (_, esme):
        await esme.send(submit_sm("1"), submit_sm("2"), submit_sm("3"))
        with trio.move_on_after(2):
            while await esme.read():
                pass
        assert [frame.endswith(b"\x04\x24\x02\x00ab") for frame in esme.frames[1:]] == [False, False, True]


async def test_sessions_that_end_after_some_pdus(autojump_clock: MockClock) -> None:
    async with serving("cut-after-pdus") as (smsc, connect):
        for ends in (True, True, False):
            esme = await connect()
            await esme.bind()
            await esme.send(*(submit_sm(str(n)) for n in range(10)))
            assert await esme.nothing_for(5) is False
            assert esme.ended is ends
        assert smsc.stats.submits == 8 + 8 + 10


async def test_a_session_that_goes_dead(autojump_clock: MockClock) -> None:
    async with bound("half-open") as (_, esme):
        await esme.send(*(submit_sm(str(n)) for n in range(10)))
        assert await esme.nothing_for(50) is False
        assert (len(esme.inbox), esme.ended) == (5, False)


async def test_maintenance_every_five_seconds(autojump_clock: MockClock) -> None:
    async with serving("maintenance-window") as (_, connect):
        esme = await connect()
        await esme.bind()
        await esme.send(UnbindResp(sequence_number=(await esme.expect(Unbind)).sequence_number))
        await esme.wait_end()
        assert await (await connect()).bind() == 13
        await trio.sleep(0.6)
        assert await (await connect()).bind() == 0


async def test_one_network_fails(autojump_clock: MockClock) -> None:
    async with bound("one-network-fails") as (_, esme):
        found = []
        for number in ("447700900010", "447700900020"):
            await esme.submit(number, registered_delivery=1)
            report = await esme.expect(DeliverSm)
            found.append((STATE in report.tlvs, report.short_message.partition(b" stat:")[2]))
        assert found[0] == (False, b"UNDELIV err:001")
        assert found[1][0]
