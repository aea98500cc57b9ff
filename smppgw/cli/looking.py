"""Commands that show what the gateway knows: message, messages, inbound, status, binds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from smppgw.cli.common import Gateway, gateway_options, show_fields, show_json, show_table


@click.command()
@click.argument("id")
@gateway_options
def message(id: str, url: str, key: str | None, as_json: bool) -> None:
    """Show one message: verdict, segments, history.

    \b
    Example:
      smppgw message 1qz8x4k2m0a
    """
    with Gateway(url, key) as gateway:
        found = gateway.get("/v1/messages/" + _path_segment(id))
    if as_json:
        show_json(found)
        return
    show_fields({name: value for name, value in found.items() if name not in {"segments", "history", "verdict"}})
    click.echo()
    columns = ("part", "state", "reason", "smsc_id", "bind", "attempts", "command_status_name", "submitted_at")
    _show((*columns, "answered_at", "final_at"), found["segments"], "Segments")
    click.echo()
    _show(("at", "part", "state", "reason", "bind", "detail"), found["history"], "History")


def _path_segment(text: str) -> str:
    """An id as typed, unable to lead to another path."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in text) or "_"


@click.command()
@click.option("--state", help="A verdict such as delivered or failed, or open.")
@click.option("--to", help="Recipient, in any notation.")
@click.option("--client-ref", help="Your own reference.")
@click.option(
    "--since", metavar="TIME", help="Accepted at or after this time: ISO 8601, UTC unless it says otherwise."
)
@click.option("--until", metavar="TIME", help="Accepted before this time.")
@click.option("--after", metavar="ID", help="Go on after this message: the `next` of the page before.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Most messages shown.")
@gateway_options
def messages(url: str, key: str | None, as_json: bool, **filters: Any) -> None:
    """List messages, newest first.

    \b
    Examples:
      smppgw messages --state failed --since 2026-01-02
      smppgw messages --to "+44 7700 900123" --json
    """
    with Gateway(url, key) as gateway:
        page = gateway.get("/v1/messages", _given(filters))
    if as_json:
        show_json(page)
        return
    columns = ("id", "accepted_at", "state", "to", "from", "carrier", "segment_count", "client_ref", "text")
    _show(columns, page["messages"])
    _more(page, "messages")


@click.command()
@click.option("--after", metavar="ID", help="Go on after this text: the `next` of the page before.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Most texts shown.")
@gateway_options
def inbound(url: str, key: str | None, as_json: bool, **filters: Any) -> None:
    """List inbound texts, newest first.

    \b
    Example:
      smppgw inbound --limit 5
    """
    with Gateway(url, key) as gateway:
        page = gateway.get("/v1/inbound", _given(filters))
    if as_json:
        show_json(page)
        return
    _show(("id", "received_at", "from", "to", "carrier", "text"), page["inbound"])
    _more(page, "inbound")


@click.command()
@gateway_options
def status(url: str, key: str | None, as_json: bool) -> None:
    """Show how much is open, by carrier and state.

    \b
    Example:
      smppgw status
    """
    with Gateway(url, key) as gateway:
        found = gateway.get("/v1/status")
    if as_json:
        show_json(found)
        return
    show_fields({name: value for name, value in found.items() if name not in {"carriers", "segments"}})
    click.echo()
    states = {carrier["carrier"]: carrier for carrier in found["carriers"]}
    rows = [{**row, **row["queued"], **states.get(row["carrier"], {})} for row in found["segments"]]
    lanes = tuple(rows[0]["queued"]) if rows else ()
    _show(("carrier", "state", "binds_up", "binds", *lanes, "in_flight", "in_doubt", "sent"), rows, "Open segments")


@click.command()
@gateway_options
def binds(url: str, key: str | None, as_json: bool) -> None:
    """Show every bind: state, what limits it now, counters.

    \b
    Example:
      smppgw binds
    """
    with Gateway(url, key) as gateway:
        found = gateway.get("/v1/binds")
    if as_json:
        show_json(found)
        return
    columns = ("name", "state", "limit", "in_window", "window", "submits_per_s", "rtt_ms", "submitted", "accepted")
    _show((*columns, "refused", "throttled", "receipts", "inbound", "reconnects", "last_error"), found["binds"])


def _given(filters: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in filters.items() if value is not None}


def _show(columns: tuple[str, ...], rows: list[dict[str, Any]], title: str = "") -> None:
    show_table(columns, [[row.get(column) for column in columns] for row in rows], title=title)


def _more(page: Mapping[str, Any], command: str) -> None:
    if page["next"] is not None:
        click.echo(f"more: smppgw {command} --after {page['next']}", err=True)


COMMANDS: tuple[click.Command, ...] = (message, messages, inbound, status, binds)
