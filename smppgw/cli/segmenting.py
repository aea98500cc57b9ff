"""The command `segments`: how a message would be sent, and what it would cost, without sending it."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import httpx
from click.core import ParameterSource

from smppgw.cli.common import Exit, Failure, Gateway, clean, gateway_options, refuse_broken, show_json
from smppgw.cli.configuring import settings_of
from smppgw.cli.content import Command, body_of
from smppgw.cli.drawing import draw
from smppgw.cli.fields import as_options, message_fields, message_options


@click.command(cls=Command)
@click.argument("text", required=False)
@click.option(
    "--to",
    "recipients",
    multiple=True,
    metavar="NUMBER",
    help="Recipient: the routes then choose the carrier. May be given several times.",
)
@click.option("--from", "sender", help="Sender; it changes nothing but is checked.")
@click.option(
    "--carrier",
    "carriers",
    multiple=True,
    metavar="NAME",
    help="As this carrier takes it. May be given several times, to compare.",
)
@message_options
@click.option(
    "--config",
    "-c",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Plan by this configuration, without a gateway and a key.",
)
@click.option("--account", metavar="NAME", help="As this account of --config; left out, its only one.")
@gateway_options
def segments(
    text: str | None,
    recipients: tuple[str, ...],
    sender: str | None,
    carriers: tuple[str, ...],
    config: Path | None,
    account: str | None,
    url: str,
    key: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Show how TEXT would be sent: alphabet, segments, what makes it costly, and its octets. Nothing is sent.

    TEXT is read from standard input when it is left out, or is -. The options are those of `smppgw send`. The gateway
    is asked, or the configuration with --config, which needs neither the passwords nor the files that it names.
    Characters that GSM-7 lacks, and those that take two septets, are marked; positions count from 0. With --json, one
    line for each recipient and carrier. Exit code 1 tells that it would be refused.

    \b
    Examples:
      smppgw segments "Your parcel is at the door – see you soon"
      smppgw segments --to +447700900123 --smart < text.txt
      smppgw segments "Merhaba, nasılsınız?" --config smppgw.toml --carrier demo
      smppgw segments --octets 024a3a4001 --udh 06050415810000 --json
    """
    refuse_broken()
    _check_source(config, account)
    item = {**({} if sender is None else {"from": sender}), **message_fields(given), **body_of(text, given)}
    items = [{**item, "to": one} for one in recipients] or [item]
    items = [{**one, "carrier": name} for one in items for name in carriers] or items
    answers = _asked(url, key, items) if config is None else _planned(config, account, items)
    if as_json:
        for answer in answers:
            show_json(answer)
    else:
        _show(answers, [_label(one, len(recipients) > 1, len(carriers) > 1) for one in items])
    if any(answer.get("error") for answer in answers):
        raise click.exceptions.Exit(Exit.REFUSED)


def _check_source(config: Path | None, account: str | None) -> None:
    ctx = click.get_current_context()
    if config is None and account is not None:
        raise click.UsageError("--account goes with --config; a gateway knows the account by the key")
    given = [name for name in ("url", "key") if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if config is not None and given:
        raise click.UsageError(f"--{given[0]} asks a gateway, --config plans without one; leave one of the two out")


def _asked(url: str, key: str | None, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if not key:
        text = "no API key: set SMPPGW_KEY or give --key, or plan without a gateway by --config smppgw.toml"
        raise Failure(Exit.UNAUTHORISED, text)
    with Gateway(url, key) as gateway:
        try:
            response = gateway.post("/v1/segments", items, {})
        except httpx.TransportError as error:
            raise gateway.unreachable(error) from None
        answers: list[dict[str, Any]] = gateway.answer(response, also=frozenset({422}))["results"]
        return answers


def _planned(config: Path, account: str | None, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    from smppgw.api.segments import Previews
    from smppgw.clock import Clock

    settings = settings_of(config)
    name = _account(config, account, list(settings.accounts))
    answers: list[dict[str, Any]] = Previews(settings).answers(name, items, now_utc_ms=Clock().utc_ms())
    return answers


def _account(config: Path, given: str | None, known: Sequence[str]) -> str:
    if given is None:
        if len(known) == 1:
            return known[0]
        raise Failure(Exit.USAGE, f"{config} has {len(known)} accounts; --account chooses: {', '.join(known)}")
    if given not in known:
        near = difflib.get_close_matches(given, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise Failure(Exit.USAGE, f"no account {given}; {hint}")
    return given


def _label(item: Mapping[str, Any], several_recipients: bool, several_carriers: bool) -> str:
    """What tells this item from the others."""
    names = [item["to"]] if several_recipients else []
    return " by ".join([*names, *([item["carrier"]] if several_carriers else [])])


def _show(answers: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> None:
    """Draws what is alike once, and says on standard error what would be refused, and why."""
    alike: dict[str, list[Mapping[str, Any]]] = {}
    for answer in answers:
        alike.setdefault(json.dumps({**answer, "index": 0}), []).append(answer)
    drawn = False
    for same in alike.values():
        where = ", ".join(label for one in same if (label := labels[one["index"]]))
        if "segments" in same[0]:
            if drawn:
                click.echo()
            if where and sys.stdout.isatty():
                click.echo(clean(f"{where}:"))
            draw(same[0])
            drawn = True
        if error := same[0].get("error"):
            text = f"{where}: " * bool(where) + f"{as_options(error['message'])} ({error['code']})"
            click.echo(clean(f"smppgw: {text}"), err=True)


COMMANDS: tuple[click.Command, ...] = (segments,)
