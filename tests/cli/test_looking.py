"""message, messages, inbound, status, binds: for people and for programs."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from smppgw.addresses import Address
from smppgw.cli.common import Exit
from smppgw.queue.model import IdRelationView, InboundText, InboundView, SegmentState, Verdict, parse_id
from tests.api.gateway import NOW_UTC_MS, bind_status
from tests.api.test_views import parked, quarantined, receipt
from tests.cli.runner import Served


def send(gateway: Served, count: int = 1) -> list[str]:
    recipients = [part for n in range(count) for part in ("--to", f"+4477009{n:05d}")]
    result = gateway.run("send", "Hello", *recipients, "--json")
    return [json.loads(line)["id"] for line in result.stdout.splitlines()]


def test_message(gateway: Served) -> None:
    (message_id,) = send(gateway)
    shown = gateway.run("message", message_id).stdout
    assert f"id                  {message_id}\n" in shown
    assert "state               open\n" in shown
    assert "1\tqueued\tthrottled\t-\tdemo/1\t0\tESME_RTHROTTLED\t2026-01-02T03:04:05.683Z" in shown
    assert "2026-01-02T03:04:05.678Z\t0\tqueued\taccepted\t-\t-" in shown
    found = json.loads(gateway.run("message", message_id, "--json").stdout)
    assert (found["id"], found["verdict"], len(found["segments"])) == (message_id, None, 1)


def test_the_receipts_of_a_message(gateway: Served) -> None:
    (message_id,) = send(gateway)
    number = parse_id(message_id)
    assert number is not None
    view = gateway.gateway.views[number]
    (segment,) = view.segments
    segments = [replace(segment, part=1, state=SegmentState.DELIVERED), replace(segment, part=2)]
    gateway.gateway.views[number] = replace(
        view,
        verdict=Verdict.PARTLY_DELIVERED,
        segments=segments,
        segment_count=2,
        receipts=[receipt(1), receipt(2)],
        alternatives=("french",),
    )
    shown = gateway.run("message", message_id).stdout
    assert "state               partly_delivered 1/2\n" in shown
    assert "alternatives        french\n" in shown
    when = "2026-01-02T03:04:05.678Z"
    flags = "address_differs id_converted\t0x1403=3000 0x0005="
    assert f"1\t{when}\t2026-01-02T03:04:00.000Z\tDELIVRD\tdelivered\t000\t0123\tdemo/2\treceipt\t{flags}\n" in shown
    assert f"2\t{when}\t-\tWHATEVER\t-\t-\t0123\tdemo/2\treceipt_intermediate\t-\t-\n" in shown


def test_what_a_message_has_of_its_own(gateway: Served) -> None:
    result = gateway.run("send", "x", "--to", "+447700900123", "--priority", "0", "--tlv", "product:=7", "--json")
    number = parse_id(json.loads(result.stdout)["id"])
    assert number is not None
    gateway.gateway.views[number] = replace(gateway.gateway.views[number], extras=gateway.gateway.stored[0].extras)
    shown = gateway.run("message", json.loads(result.stdout)["id"]).stdout
    assert "priority            0\n" in shown and "tlvs                0x1401=0007\n" in shown
    assert "replace_if_present" not in shown and "service_type" not in shown


def test_the_octets_of_a_binary_message(gateway: Served) -> None:
    sent = gateway.run("send", "--octets", "00ff41", "--port", "5505", "--to", "+447700900123", "--json")
    message_id = json.loads(sent.stdout)["id"]
    shown = gateway.run("message", message_id).stdout
    assert "\npart\toctets\n1\t0605041581000000ff41\n\nat\t" in shown
    assert "text                \\x00\\xffA\n" in shown
    (text_id,) = send(gateway)
    assert "octets" not in gateway.run("message", text_id).stdout


def test_how_the_text_went_on_its_way(gateway: Served) -> None:
    send = [
        "send",
        "“Hi” \u00a0…",
        "--to",
        "+447700900123",
        "--smart",
        "--flash",
        "--send-at",
        "2026-01-03T00:00:00Z",
    ]
    message_id = json.loads(gateway.run(*send, "--json").stdout)["id"]
    number = parse_id(message_id)
    assert number is not None
    stored = gateway.gateway.stored[0]
    gateway.gateway.views[number] = replace(
        gateway.gateway.views[number], extras=stored.extras, data_coding=stored.data_coding, reference=7
    )
    shown = dict(
        re.split("  +", line, maxsplit=1)
        for line in gateway.run("message", message_id).stdout.partition("\n\n")[0].splitlines()
    )
    assert (shown["text"], shown["sent_text"]) == ("“Hi” \u00a0…", '"Hi"  ...')
    assert shown["replaced"] == '“ by ", ” by ", U+00A0 by space, … by ...'
    assert (shown["data_coding"], shown["reference"]) == ("0x10", "7")


@pytest.mark.parametrize("message_id", ["00000000000", "nonsense", "../binds", "a/b?c", "", "é"])
def test_a_message_that_is_not_there(gateway: Served, message_id: str) -> None:
    result = gateway.run("message", message_id)
    assert result.exit_code == Exit.REFUSED
    assert result.stderr == "smppgw: this account has no such message (not_found)\n"


def test_messages_and_their_pages(gateway: Served) -> None:
    ids = send(gateway, 3)
    first = gateway.run("messages", "--limit", "2")
    assert [line.split("\t")[0] for line in first.stdout.splitlines()] == ["id", ids[2], ids[1]]
    assert first.stderr == f"more: smppgw messages --after {ids[1]}\n"
    second = gateway.run("messages", "--after", ids[1])
    assert [line.split("\t")[0] for line in second.stdout.splitlines()] == ["id", ids[0]]
    assert second.stderr == ""
    page = json.loads(gateway.run("messages", "--limit", "2", "--json").stdout)
    assert (len(page["messages"]), page["next"]) == (2, ids[1])


def test_filters_reach_the_gateway(gateway: Served) -> None:
    arguments = [
        "--state",
        "open",
        "--to",
        "+44 7700 900123",
        "--client-ref",
        "r&1",
        "--since",
        "2026-01-02T03:04:05+01:00",
    ]
    assert gateway.run("messages", *arguments).exit_code == Exit.OK
    query = gateway.gateway.queries[0]
    assert (query.open_only, query.recipient, query.client_ref) == (True, "447700900123", "r&1")
    assert query.since_utc_ms == 1_767_319_445_000


def test_a_filter_that_cannot_be_used(gateway: Served) -> None:
    result = gateway.run("messages", "--state", "deliverd")
    assert result.exit_code == Exit.USAGE
    assert "did you mean delivered?" in result.stderr


def test_inbound(gateway: Served) -> None:
    text = InboundText(
        Address(1, 1, "447700900123"), Address(0, 1, "60001"), 0, 0, b"", "STOP\x1b[2J\nnow", '[[5123, "00"]]'
    )
    gateway.gateway.inbound_views = [InboundView(number, "demo", "demo/1", NOW_UTC_MS, text) for number in (2, 1)]
    result = gateway.run("inbound", "--limit", "1")
    assert result.stdout.splitlines()[1].split("\t") == [
        "2", "2026-01-02T03:04:05.678Z", "+447700900123", "60001", "demo", "STOP\\u001b[2J\\nnow", "0x1403=00"
    ]  # fmt: skip
    assert result.stderr == "more: smppgw inbound --after 2\n"
    page = json.loads(gateway.run("inbound", "--after", "2", "--json").stdout)
    assert ([text["id"] for text in page["inbound"]], page["next"]) == (["1"], None)


def test_the_quarantine(gateway: Served) -> None:
    gateway.gateway.quarantine_views = [quarantined(number) for number in (3, 2, 1)]
    result = gateway.run("quarantine", "--limit", "2")
    assert result.stdout.splitlines()[1].split("\t") == [
        "3", "2026-01-02T03:04:05.678Z", "demo/1", "deliver_sm", "10", "ESME_RINVDSTADR", "destination_addr",
        "no NUL within 21 octets", "0000001200000005000000000000000a4100",
    ]  # fmt: skip
    assert result.stderr == "more: smppgw quarantine --after 2\n"
    page = json.loads(gateway.run("quarantine", "--after", "2", "--json").stdout)
    assert ([pdu["id"] for pdu in page["quarantine"]], page["next"]) == (["1"], None)


def test_parked_receipts(gateway: Served) -> None:
    gateway.gateway.parked_views = [parked(number) for number in (3, 2, 1)]
    result = gateway.run("receipts", "--parked", "--limit", "1")
    assert [line.split("\t") for line in result.stdout.splitlines()] == [
        ["id", "received_at", "carrier", "bind", "smsc_id", "match_id", "stat", "from", "to", "text"],
        ["3", "2026-01-02T03:04:05.678Z", "demo", "demo/1", "01ab;x", "01ab", "DELIVRD", "447700900123", "60001",
         "id:01ab;x stat:DELIVRD"],
    ]  # fmt: skip
    assert result.stderr == "more: smppgw receipts --parked --after 3\n"
    page = json.loads(gateway.run("receipts", "--parked", "--after", "3", "--json").stdout)
    assert ([one["id"] for one in page["receipts"]], page["next"]) == (["2", "1"], None)


def test_other_receipts_are_with_their_messages(gateway: Served) -> None:
    result = gateway.run("receipts")
    assert result.exit_code == Exit.USAGE
    assert "--parked" in result.stderr and "smppgw message ID" in result.stderr


@pytest.mark.parametrize("arguments", [["messages"], ["inbound"], ["quarantine"], ["receipts", "--parked"]])
def test_an_empty_list_says_so(gateway: Served, arguments: list[str]) -> None:
    result = gateway.run(*arguments)
    assert (result.exit_code, result.stderr) == (Exit.OK, "none\n")
    assert len(result.stdout.splitlines()) == 1, "the header, for programs"
    assert gateway.run(*arguments, "--json").stderr == ""


def test_status(gateway: Served) -> None:
    gateway.gateway.bind_states = [bind_status("demo/1"), bind_status("demo/2", alarm="paused")]
    gateway.gateway.ids_known = [IdRelationView("demo", "hex -> dec", pinned=False, matched=411, total=412)]
    shown = gateway.run("status").stdout.splitlines()
    assert "ready             yes" in shown
    assert "quarantined       4" in shown
    assert "oldest_parked_at  2026-01-02T03:03:05.678Z" in shown
    assert shown[-8:] == [
        "carrier\tstate\tbinds_up\tbinds\talarms\tids",
        "demo\tup\t2\t2\tdemo/2:paused\thex -> dec, 411 of 412 matched (learned)",
        "french\tdown\t0\t0\t-\t-",
        "",
        "carrier\totp\ttransactional\tbulk\tin_flight\tin_doubt\tsent",
        "demo\t3\t0\t0\t5\t0\t6",
        "french\t0\t0\t0\t0\t0\t0",
        "gone\t0\t0\t4\t0\t0\t0",
    ]
    assert json.loads(gateway.run("status", "--json").stdout)["parked_receipts"] == 2


def test_binds(gateway: Served) -> None:
    gateway.gateway.bind_states[0] = bind_status("demo/1", link="demo/1", endpoint="smsc:2775", alarm="credentials")
    narrow = gateway.run("binds").stdout.splitlines()[:2]
    assert [line.split("\t") for line in narrow] == [
        ["name", "state", "alarm", "limit", "window", "rate", "last_error"],
        ["demo/1", "bound_trx", "credentials", "rate", "7/100", "12.3", "-"],
    ]
    header, first, _ = (line.split("\t") for line in gateway.run("binds", "--wide").stdout.splitlines())
    row = dict(zip(header, first, strict=True))
    assert (row["name"], row["state"], row["limit"], row["submitted"]) == ("demo/1", "bound_trx", "rate", "10")
    assert (row["link"], row["endpoint"], row["alarm"], row["paused_until_at"]) == (
        "demo/1",
        "smsc:2775",
        "credentials",
        "-",
    )
    assert [bind["name"] for bind in json.loads(gateway.run("binds", "--json").stdout)["binds"]] == [
        "demo/1",
        "demo/2",
    ]
