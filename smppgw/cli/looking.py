"""Commands that show what the gateway knows: message, messages, inbound, receipts, quarantine, status, binds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from smppgw.cli.common import (
    F,
    Gateway,
    gateway_options,
    path_segment,
    refuse_broken,
    show_fields,
    show_json,
    show_table,
)
from smppgw.cli.drawing import told


def _look(
    url: str,
    key: str | None,
    as_json: bool,
    path: str,
    show: Callable[[dict[str, Any]], None],
    filters: Mapping[str, Any] | None = None,
) -> None:
    """Fetches `path` and shows what came: as it is with --json, else as `show` does."""
    refuse_broken()
    given = {name: str(value) for name, value in (filters or {}).items() if value is not None}
    with Gateway(url, key) as gateway:
        found = gateway.get(path, given)
    (show_json if as_json else show)(found)


def _page_options(noun: str) -> Callable[[F], F]:
    """--after and --limit of a list of `noun`s."""

    def add(command: F) -> F:
        command = click.option(
            "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help=f"Most {noun}s shown."
        )(command)
        text = f"Go on after this {noun}: the `next` of the page before."
        return click.option("--after", metavar="ID", help=text)(command)

    return add


@click.command()
@click.argument("id")
@gateway_options
def message(id: str, url: str, key: str | None, as_json: bool) -> None:
    """Show one message: verdict, segments, receipts, history.

    \b
    Example:
      smppgw message 1qz8x4k2m0a
    """
    _look(url, key, as_json, "/v1/messages/" + path_segment(id), _show_message)


_SHOWN_APART = {"verdict", "delivered_segments", "alternatives", "extras", "segments", "receipts", "history"}


def _show_message(found: dict[str, Any]) -> None:
    fields = {name: value for name, value in found.items() if name not in _SHOWN_APART}
    if found["verdict"] == "partly_delivered":
        fields["state"] = f"partly_delivered {found['delivered_segments']}/{found['segment_count']}"
    fields["replaced"] = told(found["replaced"]) or None
    fields |= {name: f"0x{found[name]:02x}" for name in ("data_coding", "esm_class")}
    show_fields({**fields, "alternatives": " ".join(found["alternatives"]) or None, **_extras(found["extras"])})
    click.echo()
    columns = ("part", "state", "reason", "smsc_id", "bind", "refusals", "command_status_name", "submitted_at")
    _show_rows((*columns, "answered_at", "final_at"), found["segments"], "Segments")
    click.echo()
    if found["alphabet"] == "binary":
        _show_rows(("part", "octets"), found["segments"], "User data")
        click.echo()
    if found["receipts"]:
        receipts = [{**one, "flags": " ".join(one["flags"]), "tlvs": _tlvs(one["tlvs"])} for one in found["receipts"]]
        names = ("part", "received_at", "done_at", "stat", "state", "error", "smsc_id", "bind", "reason")
        _show_rows((*names, "flags", "tlvs"), receipts, "Receipts")
        click.echo()
    _show_rows(("at", "part", "state", "reason", "bind", "detail"), found["history"], "History")


def _extras(extras: dict[str, Any] | None) -> dict[str, Any]:
    """What the message has of its own, as far as it is set."""
    if extras is None:
        return {}
    shown = {**extras, "tlvs": _tlvs(extras["tlvs"]) or None}
    return {name: value for name, value in shown.items() if value is not None and value is not False}


def _tlvs(tlvs: list[dict[str, str]]) -> str:
    return " ".join(f"{tlv['tag']}={tlv['octets']}" for tlv in tlvs)


@click.command()
@click.option("--state", help="A verdict such as delivered or failed, or open.")
@click.option("--to", help="Recipient, in any notation.")
@click.option("--client-ref", help="Your own reference.")
@click.option(
    "--since", metavar="TIME", help="Accepted at or after this time: ISO 8601, UTC unless it says otherwise."
)
@click.option("--until", metavar="TIME", help="Accepted before this time.")
@_page_options("message")
@gateway_options
def messages(url: str, key: str | None, as_json: bool, **filters: Any) -> None:
    """List messages, newest first.

    \b
    Examples:
      smppgw messages --state failed --since 2026-01-02
      smppgw messages --to "+44 7700 900123" --json
    """
    _look(url, key, as_json, "/v1/messages", _show_messages, filters)


def _show_messages(page: dict[str, Any]) -> None:
    columns = ("id", "accepted_at", "state", "to", "from", "carrier", "segment_count", "client_ref", "text")
    _show_rows(columns, page["messages"])
    _more(page, "messages")


@click.command()
@_page_options("text")
@gateway_options
def inbound(url: str, key: str | None, as_json: bool, **filters: Any) -> None:
    """List inbound texts, newest first.

    \b
    Example:
      smppgw inbound --limit 5
    """
    _look(url, key, as_json, "/v1/inbound", _show_inbound, filters)


def _show_inbound(page: dict[str, Any]) -> None:
    rows = [{**text, "tlvs": _tlvs(text["tlvs"])} for text in page["inbound"]]
    _show_rows(("id", "received_at", "from", "to", "carrier", "text", "tlvs"), rows)
    _more(page, "inbound")


@click.command()
@click.option("--parked", is_flag=True, help="Those that found no message so far. Needed.")
@_page_options("receipt")
@gateway_options
def receipts(parked: bool, url: str, key: str | None, as_json: bool, **filters: Any) -> None:
    """List receipts that found no message so far, newest first.

    match_id is the id that is looked for. Where it is not the smsc_id of one of the carrier's messages, see
    ids.extract and ids.relation in docs/carrier-profiles.md.

    \b
    Examples:
      smppgw receipts --parked
      smppgw receipts --parked --limit 5 --json
    """
    if not parked:
        raise click.UsageError("--parked is needed: receipts that found their message are shown by smppgw message ID")
    _look(url, key, as_json, "/v1/receipts", _show_receipts, {"parked": "true", **filters})


def _show_receipts(page: dict[str, Any]) -> None:
    columns = ("id", "received_at", "carrier", "bind", "smsc_id", "match_id", "stat", "from", "to", "text")
    _show_rows(columns, page["receipts"])
    _more(page, "receipts --parked")


@click.command()
@_page_options("PDU")
@gateway_options
def quarantine(url: str, key: str | None, as_json: bool, **filters: Any) -> None:
    """List PDUs that could not be read, newest first.

    The session went on: each was answered with its command_status, or not at all where it was a response.

    \b
    Example:
      smppgw quarantine --limit 5
    """
    _look(url, key, as_json, "/v1/quarantine", _show_quarantine, filters)


def _show_quarantine(page: dict[str, Any]) -> None:
    columns = ("id", "received_at", "bind", "command", "sequence_number", "command_status_name", "field", "error")
    _show_rows((*columns, "octets"), page["quarantine"])
    _more(page, "quarantine")


@click.command()
@gateway_options
def status(url: str, key: str | None, as_json: bool) -> None:
    """Show the carriers, and how much is open, by carrier and state.

    \b
    Example:
      smppgw status
    """
    _look(url, key, as_json, "/v1/status", _show_status)


def _show_status(found: dict[str, Any]) -> None:
    show_fields({name: value for name, value in found.items() if name not in {"carriers", "segments"}})
    click.echo()
    carriers = [{**one, "alarms": _alarms(one["alarms"]), "ids": _ids(one["ids"])} for one in found["carriers"]]
    _show_rows(("carrier", "state", "binds_up", "binds", "alarms", "ids"), carriers, "Carriers")
    click.echo()
    rows = [{**row, **row["queued"]} for row in found["segments"]]
    lanes = tuple(rows[0]["queued"]) if rows else ()
    _show_rows(("carrier", *lanes, "in_flight", "in_doubt", "sent"), rows, "Open segments")


def _alarms(alarms: list[dict[str, str]]) -> str:
    return " ".join(f"{one['bind']}:{one['alarm']}" for one in alarms)


def _ids(ids: dict[str, Any] | None) -> str | None:
    """`hex -> dec, 412 of 412 matched (learned)`."""
    if ids is None:
        return None
    how = "pinned" if ids["pinned"] else "learned"
    return f"{ids['relation']}, {ids['matched']} of {ids['total']} matched ({how})"


@click.command()
@click.option("--wide", is_flag=True, help="All columns: the link, pauses, times and counters as well.")
@gateway_options
def binds(wide: bool, url: str, key: str | None, as_json: bool) -> None:
    """Show every bind: its state, its alarm, what limits it now.

    docs/what-you-see.md says what each alarm and limit means, and what to do.

    \b
    Examples:
      smppgw binds
      smppgw binds --wide
    """
    _look(url, key, as_json, "/v1/binds", _show_binds_in_full if wide else _show_binds)


def _show_binds(found: dict[str, Any]) -> None:
    rows = [
        {**bind, "window": f"{bind['in_window']}/{bind['window']}", "rate": bind["submits_per_s"]}
        for bind in found["binds"]
    ]
    _show_rows(("name", "state", "alarm", "limit", "window", "rate", "last_error"), rows)


def _show_binds_in_full(found: dict[str, Any]) -> None:
    state = ("name", "link", "endpoint", "interface_version", "state", "alarm", "limit", "paused_until_at")
    speed = ("in_window", "window", "submits_per_s", "rtt_ms")
    counters = ("submitted", "accepted", "refused", "throttled", "receipts", "inbound", "reconnects")
    _show_rows((*state, *speed, *counters, "last_error"), found["binds"])


def _show_rows(columns: tuple[str, ...], rows: list[dict[str, Any]], title: str = "") -> None:
    show_table(columns, [[row.get(column) for column in columns] for row in rows], title=title)


def _more(page: Mapping[str, Any], command: str) -> None:
    if page["next"] is not None:
        click.echo(f"more: smppgw {command} --after {page['next']}", err=True)


COMMANDS: tuple[click.Command, ...] = (message, messages, inbound, receipts, quarantine, status, binds)
