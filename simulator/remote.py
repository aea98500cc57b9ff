"""The commands that look at a simulator that runs: `submits`, `messages`, `binds`, `expect`.

Owns their options and what they print; the asking stands in asking.py. Each exits 1 when no simulator answers or it
refuses; `expect` also when it is not met.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from simulator.asking import Control
from simulator.control import BadOrder
from simulator.expectations import MAX_WITHIN_S, Verdict, What
from smppgw.smpp import status_name

F = TypeVar("F", bound=Callable[..., Any])

CONTROL = click.option("--control", type=int, required=True, metavar="PORT", help="its control port")
CONTROL_HOST = click.option("--control-host", default="127.0.0.1", help="its address")
_JSON = click.option("--json", "as_json", is_flag=True, help="as JSON, one object a line")

EXPECT_EXAMPLES = """
\b
Examples:
  smppgw-simulator expect --control 2776 --to 447700900123
      a message to that number has come, or comes within 5 seconds
  smppgw-simulator expect --control 2776 --to '4477*' --count 3 --within 30s --text '/code \\d{6}/'
      three messages with a code in them
  smppgw-simulator expect --control 2776 --to 447700900124 --count 0 --within 2s
      nothing comes to that number for two seconds
  smppgw-simulator expect --control 2776 --what submit --status RTHROTTLED --count 10
      ten submits were refused for their rate
"""

# ---------------------------------------------------------------------------------------------------------------- #
# Asking
# ---------------------------------------------------------------------------------------------------------------- #


def ask(host: str, port: int, question: Callable[[Control], dict[str, Any]]) -> dict[str, Any]:
    """The answer, whatever it says. Raises ClickException when none comes."""
    try:
        return question(Control(host, port))
    except (OSError, BadOrder) as failed:
        raise click.ClickException(f"no answer from {host}:{port}: {failed}") from None


def ask_done(host: str, port: int, question: Callable[[Control], dict[str, Any]]) -> dict[str, Any]:
    """The same where the answer has to be yes."""
    answer = ask(host, port, question)
    if not answer["ok"]:
        raise click.ClickException(str(answer.get("error")))
    return answer


def give(host: str, port: int, name: str, arguments: Mapping[str, Any]) -> None:
    """Gives an order and prints the answer."""
    click.echo(json.dumps(ask_done(host, port, lambda control: control.order(name, arguments))))


# ---------------------------------------------------------------------------------------------------------------- #
# Options
# ---------------------------------------------------------------------------------------------------------------- #

_UNIT_S = {"": 1.0, "s": 1.0, "ms": 0.001, "m": 60.0, "h": 3600.0}


def _seconds(context: click.Context, parameter: click.Parameter, written: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)?", written.strip())
    seconds = float(found[1]) * _UNIT_S[found[2] or ""] if found is not None else -1.0
    if not 0 <= seconds <= MAX_WITHIN_S:
        raise click.BadParameter(f"{written!r} is not a time up to {MAX_WITHIN_S:.0f} seconds; write 5s, 500ms or 2m")
    return seconds


def _wanted(function: F) -> F:
    """The options of a filter, in the order in which --help shows them."""
    for option in reversed(
        [
            click.option("--to", metavar="PATTERN", help="recipient: exact, with * and ?, or a /regular expression/"),
            click.option("--from", "source", metavar="PATTERN", help="sender, in the same way"),
            click.option("--text", metavar="PATTERN", help="text, in the same way"),
            click.option("--system-id", metavar="PATTERN", help="whose, in the same way"),
            click.option("--since", metavar="TIME", help="not before: 2036-01-02T18:30:00Z, or ms since 1970"),
        ]
    ):
        function = option(function)
    return function


_LIMIT = click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="so many")
_AFTER = click.option("--after", type=click.IntRange(0), help="the oldest after this number, not the newest of all")
_STATUS = click.option("--status", help="the answer it got, such as ESME_ROK or RTHROTTLED")


def _query(options: Mapping[str, Any]) -> dict[str, Any]:
    return {("from" if name == "source" else name): value for name, value in options.items() if value is not None}


# ---------------------------------------------------------------------------------------------------------------- #
# Commands
# ---------------------------------------------------------------------------------------------------------------- #


@click.command()
@CONTROL
@CONTROL_HOST
@_wanted
@_STATUS
@_LIMIT
@_AFTER
@_JSON
def submits(control: int, control_host: str, as_json: bool, **options: Any) -> None:
    """Shows what was submitted to a running simulator, decoded, oldest first: each part, refused ones too."""
    found = ask_done(control_host, control, lambda port: port.find("submits", _query(options)))
    _show(found["submits"], as_json, ("number", "time", "system_id", "from", "to", "status", "part", "text"), _submit)
    _tell_forgotten(found)


@click.command()
@CONTROL
@CONTROL_HOST
@_wanted
@_LIMIT
@_AFTER
@_JSON
def messages(control: int, control_host: str, as_json: bool, **options: Any) -> None:
    """Shows the messages that a running simulator has accepted, long ones put together, missing parts told."""
    found = ask_done(control_host, control, lambda port: port.find("messages", _query(options)))
    _show(found["messages"], as_json, ("number", "time", "system_id", "from", "to", "parts", "text"), _message)
    _tell_forgotten(found)


@click.command()
@CONTROL
@CONTROL_HOST
@_JSON
def binds(control: int, control_host: str, as_json: bool) -> None:
    """Shows the binds of a running simulator."""
    found = ask_done(control_host, control, lambda port: port.find("binds"))["binds"]
    _show(found, as_json, ("bind", "system_id", "kind", "unanswered submits", "unanswered delivers"), _bind)


@click.command(epilog=EXPECT_EXAMPLES)
@CONTROL
@CONTROL_HOST
@click.option(
    "--what",
    type=click.Choice([what.value for what in What]),
    default=What.MESSAGE.value,
    show_default=True,
    help="of what kind",
)
@click.option("--count", type=click.IntRange(0), default=1, show_default=True, help="so many or more; 0: none at all")
@click.option("--within", callback=_seconds, default="5s", show_default=True, metavar="TIME", help="such as 500ms")
@click.option("--exactly", is_flag=True, help="not one more until the time is over")
@_wanted
@_STATUS
@click.option("--after", type=click.IntRange(0), help="only what has a higher number than this")
@click.option("--json", "as_json", is_flag=True, help="the verdict as JSON")
def expect(control: int, control_host: str, within: float, as_json: bool, **options: Any) -> None:
    """Waits for messages, submits, binds or acknowledgements: exits 0 once as many have come, otherwise 1.

    What came before counts too, as far as it is remembered. When it is not met, what came instead is shown.
    """
    wanted = {name: value for name, value in _query(options).items() if name != "exactly" or value}
    answer = ask(control_host, control, lambda port: port.expect({**wanted, "within_s": within}))
    if "error" in answer:
        raise click.ClickException(str(answer["error"]))
    verdict = Verdict.of(answer)
    click.echo(json.dumps(answer) if as_json else verdict.explained(), err=not verdict.met and not as_json)
    sys.exit(0 if verdict.met else 1)


# ---------------------------------------------------------------------------------------------------------------- #
# Tables
# ---------------------------------------------------------------------------------------------------------------- #


Row = Callable[[dict[str, Any]], Iterable[Any]]


def _show(entries: Iterable[dict[str, Any]], as_json: bool, head: tuple[str, ...], row: Row) -> None:
    """A table on a terminal, columns with tabs between them for a pipe."""
    if as_json:
        for entry in entries:
            click.echo(json.dumps(entry))
        return
    rows = [[_plain(str(cell)) for cell in row(entry)] for entry in entries]
    if not sys.stdout.isatty():
        for cells in [list(head), *rows]:
            click.echo("\t".join(cells))
        return
    table = Table(*head)
    for cells in rows:
        table.add_row(*(Text(cell) for cell in cells))
    Console().print(table)


def _plain(text: str) -> str:
    """On one line, and nothing in it that a terminal obeys."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _moment(utc_ms: int) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3] + "Z"


def _submit(entry: dict[str, Any]) -> Iterable[Any]:
    part = f"{entry['part']}/{entry['parts']}" if "part" in entry else "-"
    status = status_name(entry["status"])
    who = (entry["system_id"], entry["source"], entry["destination"])
    return (entry["number"], _moment(entry["utc_ms"]), *who, status, part, entry["text"])


def _message(entry: dict[str, Any]) -> Iterable[Any]:
    came = entry["parts"] - len(entry["missing"])
    parts = str(entry["parts"]) if entry["complete"] else f"{came} of {entry['parts']}"
    who = (entry["system_id"], entry["source"], entry["destination"])
    return (entry["number"], _moment(entry["utc_ms"]), *who, parts, entry["text"])


def _bind(entry: dict[str, Any]) -> Iterable[Any]:
    return (entry[name] for name in ("bind", "system_id", "kind", "unanswered_submits", "unanswered_delivers"))


def _tell_forgotten(found: Mapping[str, Any]) -> None:
    if found["forgotten"]:
        click.echo(f"{found['forgotten']} older submits are not remembered any more", err=True)
