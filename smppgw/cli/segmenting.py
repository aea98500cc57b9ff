"""The command `segments`: how a message would be sent, and what it would cost, without sending it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import httpx
from click.core import ParameterSource

from smppgw.cli.common import Exit, Failure, Gateway, clean, gateway_options, refuse_broken, show_json
from smppgw.cli.configuring import settings_of
from smppgw.cli.content import Command, body_of, content_fields, content_options
from smppgw.cli.drawing import draw


@click.command(cls=Command)
@click.argument("text", required=False)
@click.option("--to", metavar="NUMBER", help="Recipient: the routes then choose the carrier.")
@click.option("--from", "sender", help="Sender; it changes nothing but is checked.")
@click.option(
    "--carrier",
    "carriers",
    multiple=True,
    metavar="NAME",
    help="As this carrier takes it. May be given several times, to compare.",
)
@content_options
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
    to: str | None,
    sender: str | None,
    carriers: tuple[str, ...],
    config: Path | None,
    account: str | None,
    url: str,
    key: str | None,
    as_json: bool,
    **content: Any,
) -> None:
    """Show how TEXT would be sent: alphabet, segments, what makes it costly, and its octets. Nothing is sent.

    TEXT is read from standard input when it is left out, or is -. The gateway is asked, or the configuration with
    --config. Characters that GSM-7 lacks, and those that take two septets, are marked; positions count from 0. With
    --json, one line for each carrier. Exit code 1 tells that it would be refused.

    \b
    Examples:
      smppgw segments "Your parcel is at the door – see you soon"
      smppgw segments --to +447700900123 --smart < text.txt
      smppgw segments "Merhaba, nasılsınız?" --config smppgw.toml --carrier demo
      smppgw segments --octets 024a3a4001 --udh 06050415810000 --json
    """
    refuse_broken()
    _check_source(config, account)
    fields = {"to": to, "from": sender, **content_fields(content), **body_of(text, content)}
    item = {name: value for name, value in fields.items() if value is not None}
    items = [{**item, "carrier": name} for name in carriers] or [item]
    answers = _asked(url, key, items) if config is None else _planned(config, account, items)
    drawn = False
    for answer in answers:
        if as_json:
            show_json(answer)
            continue
        if "segments" in answer:
            if drawn:
                click.echo()
            draw(answer)
            drawn = True
        _tell(answer, carriers)
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

    settings = settings_of(config)
    answers: list[dict[str, Any]] = Previews(settings).answers(
        _account(config, account, list(settings.accounts)), items
    )
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


def _tell(answer: Mapping[str, Any], carriers: Sequence[str]) -> None:
    """Says on standard error why it would be refused."""
    error = answer.get("error")
    if error:
        where = f"{carriers[answer['index']]}: " if len(carriers) > 1 else ""
        click.echo(clean(f"smppgw: {where}{error['message']} ({error['code']})"), err=True)


COMMANDS: tuple[click.Command, ...] = (segments,)
