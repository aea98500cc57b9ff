"""The command `smppgw-simulator`: options to settings, signals, the lines it prints.

Without a subcommand it serves until SIGINT or SIGTERM, prints its summary as JSON and exits 0. Exit codes: 0 done,
1 the port or the ledger cannot be had or an order failed, 2 wrong usage.
"""

from __future__ import annotations

import gc
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import trio
from click.core import ParameterSource
from rich.console import Console
from rich.table import Table

from simulator import remote
from simulator.accounts import parse_account
from simulator.control import ORDERS
from simulator.delays import parse_delay
from simulator.doors import allow_open_files
from simulator.endpoints import serve_control
from simulator.inject_options import EXAMPLES as INJECT_EXAMPLES
from simulator.inject_options import inject_arguments, inject_options
from simulator.magic import MAGIC
from simulator.quirks import Quirks
from simulator.scenarios import Scenario, load_accounts
from simulator.scenarios import names as scenario_names
from simulator.settings import SimulatorSettings, parse_outcomes, parse_state
from simulator.smsc import Smsc
from smppgw.errors import ConfigError
from smppgw.smpp import parse_status

T = TypeVar("T")

EXAMPLES = """
\b
Examples:
  smppgw-simulator
      an SMSC on 127.0.0.1:2775 that lets anyone bind and delivers everything
  smppgw-simulator --account alice:secret --outcomes DELIVRD=90,UNDELIV=8,EXPIRED=2 --receipt-delay 0.5:3
      one account, some messages fail, receipts come half a second to three seconds later
  smppgw-simulator --rate 50 --burst 10 --response-delay 20ms:200ms
      a slow SMSC that answers ESME_RTHROTTLED above 50 submits a second
  smppgw-simulator --queue-full 447700900123 --fate 447700900124=UNDELIV
      one recipient's queue is full, another one cannot be reached
  smppgw-simulator --scenario ids-hex-dec --receipt-delay 2
      acts one of the quirks that `smppgw-simulator scenarios` lists
  smppgw-simulator --control-port 2776 --ledger received.jsonl
      takes orders on port 2776 and writes down all it receives
  smppgw-simulator inject --control 2776 --from 447700900001 --to 12345 "STOP"
      sends an inbound text through that one
  smppgw-simulator order --control 2776 rate rate=10 burst=5
      changes it while it runs
  smppgw-simulator expect --control 2776 --to 447700900123 --text "*code*" --within 10s
      exits 0 once such a message has come, otherwise 1, and says what came instead
"""


if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType  # generic only from click 8.2 on


class _Notation(_ParamType):
    """An option written in one of the notations of settings.py."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self._read(value) if isinstance(value, str) else value
        except ValueError as wrong:
            self.fail(str(wrong), param, ctx)


def _pair(separator: str, read: Callable[[str], T]) -> Callable[[str], tuple[str, T]]:
    def parse(text: str) -> tuple[str, T]:
        left, found, right = text.partition(separator)
        if not left or not found:
            raise ValueError(f"{text!r} lacks its {separator!r}")
        return left, read(right)

    return parse


_DELAY = _Notation("DELAY", parse_delay)
_OUTCOMES = _Notation("WEIGHTS", parse_outcomes)
_ACCOUNT = _Notation("SYSTEM_ID:PASSWORD", parse_account)
_REFUSAL = _Notation("DESTINATION=STATUS", _pair("=", parse_status))
_FATE = _Notation("DESTINATION=OUTCOME", _pair("=", parse_state))
_OUTBIND = _Notation("HOST:PORT", _pair(":", int))
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DEFAULTS = SimulatorSettings()


@click.group(
    invoke_without_command=True,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 118},
)
@click.option("--scenario", metavar="NAME", help="a quirk to act, or a file of your own  [default: none]")
@click.option("--host", default=_DEFAULTS.host, help="address to listen on")
@click.option("--port", default=2775, help="port to listen on; 0 takes a free one")
@click.option("--control-port", type=int, help="port for orders; 0 takes a free one  [default: none]")
@click.option("--control-name", "control_names", multiple=True, help="a name by which that port may be asked for")
@click.option("--system-id", default=_DEFAULTS.system_id, help="our name in bind responses")
@click.option("--account", type=_ACCOUNT, multiple=True, help="an ESME that may bind; none: anyone may")
@click.option("--accounts", type=_FILE, help="ESMEs that may bind, each with its limits: TOML, tables [[accounts]]")
@click.option("--response-delay", type=_DELAY, default="0", help="from a submit to its response, such as 20ms:2s")
@click.option("--receipt-delay", type=_DELAY, default="0", help="from a submit to its receipt")
@click.option("--outcomes", type=_OUTCOMES, default="DELIVRD", help="final states by weight: DELIVRD=90,UNDELIV=10")
@click.option("--fate", "fates", type=_FATE, multiple=True, help="the certain outcome of one destination")
@click.option(
    "--magic/--no-magic", "magic_numbers", default=_DEFAULTS.magic_numbers, help="numbers with a fate: see `numbers`"
)
@click.option("--seed", default=_DEFAULTS.seed, help="of all that is left to chance")
@click.option("--rate", type=float, help="submits a second of one system_id  [default: no limit]")
@click.option("--burst", type=float, help="submits at once within the rate  [default: one second of it]")
@click.option("--refuse", "refusals", type=_REFUSAL, multiple=True, help="the answer to submits to one destination")
@click.option("--queue-full", multiple=True, metavar="DESTINATION", help="the same with ESME_RMSGQFUL")
@click.option("--deliver-window", default=_DEFAULTS.deliver_window, help="deliver_sm not yet answered, on each bind")
@click.option("--enquire-link", default=_DEFAULTS.enquire_link_s, help="seconds of silence before we ask; 0: never")
@click.option("--inactivity", default=_DEFAULTS.inactivity_s, help="seconds of silence before we close; 0: never")
@click.option("--response-timeout", default=_DEFAULTS.response_s, help="seconds an ESME has to answer")
@click.option("--nack-delay", default=_DEFAULTS.nack_delay_s, help="seconds before a refused deliver_sm is repeated")
@click.option("--rx-t-appn-delay", default=_DEFAULTS.rx_t_appn_delay_s, help="the same after ESME_RX_T_APPN")
@click.option("--max-connections", default=_DEFAULTS.max_connections, help="at one time, bound or not")
@click.option("--max-waiting", default=_DEFAULTS.max_waiting, help="open receipts; above it ESME_RMSGQFUL")
@click.option("--outbind", type=_OUTBIND, help="an ESME to connect to and ask by outbind for a bind")
@click.option("--tls-cert", type=_FILE, help="certificate and key, PEM: listens with TLS")
@click.option("--tls-client-ca", type=_FILE, help="authorities of the certificates that ESMEs must have, PEM")
@click.option("--ledger", type=click.Path(dir_okay=False, path_type=Path), help="JSON lines of all that came")
@click.option(
    "--capture", type=click.Path(dir_okay=False, path_type=Path), help="FILE.pcapng for Wireshark: all that is said"
)
@click.option("--json", "as_json", is_flag=True, help="first line as JSON: port and control_port")
@click.version_option(package_name="smppgw")
@click.pass_context
def main(context: click.Context, /, **options: Any) -> None:
    """An SMSC that can be ordered about: answers any SMPP client, sends receipts, misbehaves as told."""
    if context.invoked_subcommand is not None:
        return
    try:
        settings = _settings(context, options)
    except ConfigError as wrong:
        raise click.UsageError("\n".join(wrong.problems)) from None
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    gc.set_threshold(50_000, 20, 20)  # open messages are many and live long; looking through them often is waste
    allow_open_files(settings.max_connections)
    sys.exit(trio.run(_serve, settings, options["as_json"]))


#: Option -> the setting it is for. What stands in `_settings` itself is made from several.
_SETTINGS = {
    "magic_numbers": "magic_numbers",
    "host": "host",
    "port": "port",
    "control_port": "control_port",
    "control_names": "control_names",
    "system_id": "system_id",
    "response_delay": "response_delay",
    "receipt_delay": "receipt_delay",
    "outcomes": "outcomes",
    "fates": "fates",
    "seed": "seed",
    "rate": "rate",
    "burst": "burst",
    "deliver_window": "deliver_window",
    "enquire_link": "enquire_link_s",
    "inactivity": "inactivity_s",
    "response_timeout": "response_s",
    "nack_delay": "nack_delay_s",
    "rx_t_appn_delay": "rx_t_appn_delay_s",
    "max_connections": "max_connections",
    "max_waiting": "max_waiting",
    "ledger": "ledger",
    "capture": "capture",
}


def _settings(context: click.Context, options: Mapping[str, Any]) -> SimulatorSettings:
    """The settings of the scenario, with what was given on the command line in their place."""
    base = Scenario.load(options["scenario"]).settings if options["scenario"] is not None else SimulatorSettings()
    given = {
        name: options[name]
        for name in _SETTINGS
        if name == "port" or context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    values: dict[str, Any] = {_SETTINGS[name]: value for name, value in given.items()}
    if "fates" in given:
        values["fates"] = dict(given["fates"])
    if options["account"] or options["accounts"] is not None:
        listed = load_accounts(options["accounts"]) if options["accounts"] is not None else ()
        values["accounts"] = (*listed, *options["account"])
    values["refusals"] = (
        dict(base.refusals)
        | dict(options["refusals"])
        | dict.fromkeys(options["queue_full"], parse_status("ESME_RMSGQFUL"))
    )
    pinned = frozenset(values) - ({"refusals"} if not options["refusals"] and not options["queue_full"] else set())
    return replace(base, **values, quirks=_quirks(base.quirks, options), pinned=pinned)


def _quirks(base: Quirks, options: Mapping[str, Any]) -> Quirks:
    outbind, tls = base.outbind, base.tls
    if options["outbind"] is not None:
        host, port = options["outbind"]
        outbind = replace(outbind, host=host, port=port)
    if options["tls_cert"] is not None:
        tls = replace(tls, cert_file=options["tls_cert"])
    if options["tls_client_ca"] is not None:
        tls = replace(tls, client_ca_file=options["tls_client_ca"])
    return replace(base, outbind=outbind, tls=tls)


async def _serve(settings: SimulatorSettings, as_json: bool) -> int:
    try:
        smsc = Smsc(settings)
    except OSError as failed:
        click.echo(f"smppgw-simulator: the ledger cannot be opened: {failed}", err=True)
        return 1
    exit_code = 0
    try:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            await _serve_until(smsc, signals, as_json)
    except* OSError as failed:
        for leaf in _leaves(failed):
            click.echo(f"smppgw-simulator: {leaf}", err=True)
        exit_code = 1
    click.echo(json.dumps(smsc.summary()))
    return exit_code


async def _serve_until(smsc: Smsc, signals: Any, as_json: bool) -> None:
    settings = smsc.settings
    async with trio.open_nursery() as nursery:
        port: int = await nursery.start(smsc.serve)
        control_port: int | None = None
        if settings.control_port is not None:
            control_port = await nursery.start(serve_control, smsc, settings.host, settings.control_port)
        click.echo(_first_line(settings.host, port, control_port, as_json))
        await anext(signals)
        nursery.start_soon(_cancel_at_signal, signals, nursery.cancel_scope)
        await smsc.stop()
        nursery.cancel_scope.cancel()


async def _cancel_at_signal(signals: Any, scope: trio.CancelScope) -> None:
    await anext(signals)
    scope.cancel()


def _first_line(host: str, port: int, control_port: int | None, as_json: bool) -> str:
    if as_json:
        return json.dumps({"host": host, "port": port, "control_port": control_port})
    control = f" (control {host}:{control_port})" if control_port is not None else ""
    return f"listening {host}:{port}{control}"


def _leaves(group: BaseExceptionGroup[Any]) -> Iterable[BaseException]:
    for inner in group.exceptions:
        if isinstance(inner, BaseExceptionGroup):
            yield from _leaves(inner)
        else:
            yield inner


# ---------------------------------------------------------------------------------------------------------------- #
# Orders to a simulator that runs
# ---------------------------------------------------------------------------------------------------------------- #

main.add_command(remote.submits)
main.add_command(remote.messages)
main.add_command(remote.binds)
main.add_command(remote.expect)


@main.command(epilog=INJECT_EXAMPLES)
@remote.CONTROL
@remote.CONTROL_HOST
@inject_options
def inject(control: int, control_host: str, **options: Any) -> None:
    """Sends an inbound TEXT through a running simulator, as a handset would, or as it would not."""
    remote.give(control_host, control, "inject", inject_arguments(options))


@main.command()
@remote.CONTROL
@remote.CONTROL_HOST
def summary(control: int, control_host: str) -> None:
    """Prints the counts of a running simulator."""
    remote.give(control_host, control, "summary", {})


@main.command()
@remote.CONTROL
@remote.CONTROL_HOST
@click.argument("name", type=click.Choice(list(ORDERS)))
@click.argument("arguments", nargs=-1, metavar="[KEY=VALUE]...")
def order(control: int, control_host: str, name: str, arguments: tuple[str, ...]) -> None:
    """Gives any order to a running simulator: `order --control 2776 stall`, `... order stall on=false`.

    Values are JSON where they can be read as such, otherwise text. `orders` lists what there is.
    """
    given: dict[str, Any] = {}
    for argument in arguments:
        key, found, value = argument.partition("=")
        if not found:
            raise click.UsageError(f"{argument!r} is not KEY=VALUE")
        given[key] = _value(value, ORDERS[name].takes.get(key, ()))
    remote.give(control_host, control, name, given)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def numbers(as_json: bool) -> None:
    """Lists the magic numbers: destinations that each have one certain fate."""
    if as_json:
        found = [{"number": f"+{magic.number}", "fate": magic.fate, "seen": magic.seen} for magic in MAGIC]
        click.echo(json.dumps(found))
    elif sys.stdout.isatty():
        table = Table("number", "fate", "what one sees")
        for magic in MAGIC:
            table.add_row(f"+{magic.number}", magic.fate, magic.seen)
        Console().print(table)
    else:
        for magic in MAGIC:
            click.echo(f"+{magic.number}\t{magic.fate}\t{magic.seen}")


@main.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def scenarios(name: str | None, as_json: bool) -> None:
    """Lists the scenarios; with a NAME, shows its file: a start for one of your own."""
    if name is not None:
        click.echo(_scenario(name).file.read_text(encoding="utf-8"), nl=False)
        return
    found = [(name, _scenario(name).why) for name in scenario_names()]
    if as_json:
        click.echo(json.dumps([{"scenario": name, "why": why} for name, why in found]))
    elif sys.stdout.isatty():
        table = Table("scenario", "what the SMSC does")
        for row in found:
            table.add_row(*row)
        Console().print(table)
    else:
        for name, why in found:
            click.echo(f"{name}\t{why}")


def _scenario(name: str) -> Scenario:
    try:
        return Scenario.load(name)
    except ConfigError as wrong:
        raise click.UsageError("\n".join(wrong.problems)) from None


@main.command()
def orders() -> None:
    """Lists the orders that a running simulator takes."""
    table = Table("order", "what it does", "takes")
    for name, kind in ORDERS.items():
        takes = (f"{key}" if key in kind.needed else f"[{key}]" for key in kind.takes)
        table.add_row(name, kind.text, " ".join(takes).replace("[", "\\["))
    Console().print(table)


def _value(text: str, types: tuple[type, ...]) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if type(value) in types or str not in types else text
