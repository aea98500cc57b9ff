"""The command `send`: one text to some recipients, or a file of messages, in batches over HTTP.

Every batch has an idempotency key, so a batch that ended without an answer is repeated safely. Nothing is sent before
the whole file was read once and found well-formed.
"""

from __future__ import annotations

import csv
import difflib
import shutil
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TextIO

import click
import httpx

from smppgw.cli.common import Exit, Failure, Gateway, gateway_options, show_json, show_table

BATCH = 100
COLUMNS = ("to", "text", "from", "client_ref", "lane")
_NEEDED = ("to", "text")
_LONGEST_PAUSE_S = 5.0
_MOST_SHOWN = 100
_MOST_PROBLEMS = 20


class Item(NamedTuple):
    """A message to send. `line`: its line in the file, or its place on the command line."""

    line: int
    message: dict[str, Any]


@click.command()
@click.argument("text", required=False)
@click.option("--to", "recipients", multiple=True, metavar="NUMBER", help="Recipient; may be given several times.")
@click.option("--from", "sender", help="Sender: a number, a short code, or up to 11 letters.")
@click.option("--lane", help="otp, transactional or bulk.")
@click.option("--validity-s", type=float, help="Seconds after which it need not be sent any more.")
@click.option("--client-ref", help="Your own reference; with one recipient only.")
@click.option("--service-type", help="service_type of the submit_sm, for carriers that choose a product by it.")
@click.option(
    "--priority", type=click.IntRange(0, 3), help="priority_flag of the submit_sm: the carrier's, not ours."
)
@click.option(
    "--protocol-id", type=click.IntRange(0, 255), help="protocol_id of the submit_sm (TP-PID, 3GPP 23.040, 9.2.3.9)."
)
@click.option(
    "--replace-if-present", is_flag=True, help="Replace the message that still waits at the SMSC for this recipient."
)
@click.option(
    "--tlv",
    "tlvs",
    multiple=True,
    metavar="NAME=VALUE",
    help="TLV of the carrier's vendor_tlvs; NAME:=7 for an integer. May be given several times.",
)
@click.option(
    "--csv", "csv_file", metavar="FILE", help="Send the messages of a CSV file with a header; - is standard input."
)
@click.option("--ignore-column", "ignored", multiple=True, metavar="NAME", help="Column of the file to leave aside.")
@click.option(
    "--idempotency-key", "run", metavar="KEY", help="That of an earlier run, to finish it: nothing goes twice."
)
@click.option(
    "--retry-s", type=click.FloatRange(min=0), default=30.0, show_default=True, help="How long to repeat a batch."
)
@gateway_options
def send(
    text: str | None,
    recipients: tuple[str, ...],
    sender: str | None,
    lane: str | None,
    validity_s: float | None,
    client_ref: str | None,
    service_type: str | None,
    priority: int | None,
    protocol_id: int | None,
    replace_if_present: bool,
    tlvs: tuple[str, ...],
    csv_file: str | None,
    ignored: tuple[str, ...],
    run: str | None,
    retry_s: float,
    url: str,
    key: str | None,
    as_json: bool,
) -> None:
    """Send TEXT to one or more recipients, or the messages of a CSV file.

    TEXT is read from standard input when it is left out, or is -. A CSV file has a header with the columns to and
    text, and any of from, client_ref and lane; the options serve rows that have none. Messages go in batches of 100.
    With --json, one line for each message.

    \b
    Examples:
      smppgw send "Your code is 481 516" --to +447700900123 --lane otp
      echo "The server room is hot" | smppgw send --to +447700900123 --to +12025550123
      smppgw send --csv messages.csv --from Example --lane bulk
    """
    given: dict[str, Any] = {"from": sender, "lane": lane, "validity_s": validity_s, "service_type": service_type}
    given |= {"priority": priority, "protocol_id": protocol_id, "tlvs": _tlvs(tlvs) or None}
    given["replace_if_present"] = replace_if_present or None
    defaults = {name: value for name, value in given.items() if value is not None}
    if csv_file is not None and (text is not None or recipients or client_ref):
        raise click.UsageError("--csv brings its own recipients, texts and references")
    if csv_file is None and ignored:
        raise click.UsageError("--ignore-column needs --csv")
    if csv_file is None and not recipients:
        raise click.UsageError("who is it for? give --to NUMBER, or --csv FILE")
    if client_ref is not None and len(recipients) > 1:
        raise click.UsageError("--client-ref names one message; there are several recipients")
    with Gateway(url, key) as gateway, _items(csv_file, ignored, text, recipients, client_ref) as (items, total):
        sender_run = SendRun(gateway, run or uuid.uuid4().hex, retry_s, total, as_json)
        filled = (Item(item.line, {**defaults, **item.message}) for item in items)
        sender_run.send_all(filled)
    if sender_run.refused:
        raise click.exceptions.Exit(Exit.REFUSED)


def _tlvs(given: tuple[str, ...]) -> dict[str, int | str]:
    """NAME=VALUE is a string, NAME:=VALUE an integer."""
    tlvs: dict[str, int | str] = {}
    for one in given:
        name, separator, value = one.partition("=")
        integer = name.endswith(":")
        name = name.removesuffix(":")
        if not separator or not name:
            raise click.UsageError(f"--tlv {one}: not NAME=VALUE")
        if name in tlvs:
            raise click.UsageError(f"--tlv {name} is given twice")
        try:
            tlvs[name] = int(value) if integer else value
        except ValueError:
            raise click.UsageError(f"--tlv {one}: {value!r} is no integer") from None
    return tlvs


# ---------------------------------------------------------------------------------------------------------------- #
# Where messages come from
# ---------------------------------------------------------------------------------------------------------------- #


@contextmanager
def _items(
    csv_file: str | None, ignored: tuple[str, ...], text: str | None, recipients: tuple[str, ...], ref: str | None
) -> Iterator[tuple[Iterator[Item], int]]:
    """The messages, and how many there are."""
    if csv_file is not None:
        with _opened(csv_file) as file:
            total = _checked(file, csv_file, ignored)
            file.seek(0)
            yield (Item(line, _message(row)) for line, row in _rows(file, ignored)), total
        return
    body = _text(text)
    extra = {} if ref is None else {"client_ref": ref}
    items = [Item(place, {"to": to, "text": body, **extra}) for place, to in enumerate(recipients, 1)]
    yield iter(items), len(items)


def _text(given: str | None) -> str:
    if given is not None and given != "-":
        return given
    if given is None and sys.stdin.isatty():
        raise click.UsageError("what is the text? give it as an argument, or on standard input")
    octets = sys.stdin.buffer.read()
    try:
        return octets.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise Failure(Exit.USAGE, f"standard input is not UTF-8: octet {error.start}") from None


@contextmanager
def _opened(name: str) -> Iterator[TextIO]:
    """The file for two readings; standard input is copied to a temporary one first."""
    try:
        if name == "-":
            with tempfile.TemporaryFile("w+b") as copy:
                shutil.copyfileobj(sys.stdin.buffer, copy)
                copy.seek(0)
                with open(copy.fileno(), encoding="utf-8-sig", newline="", closefd=False) as file:
                    yield file
        else:
            with Path(name).open(encoding="utf-8-sig", newline="") as file:
                yield file
    except OSError as error:
        raise Failure(Exit.USAGE, f"{name} cannot be read: {error.strerror}") from None


def _rows(file: TextIO, ignored: tuple[str, ...]) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(file, strict=True)
    for row in reader:
        yield reader.line_num, {name: value for name, value in row.items() if name not in ignored}


def _message(row: dict[str, Any]) -> dict[str, Any]:
    """A row as a message: empty cells count as absent, except those every message needs."""
    return {name: value for name, value in row.items() if value or name in _NEEDED}


def _checked(file: TextIO, name: str, ignored: tuple[str, ...]) -> int:
    """How many messages the file holds. Raises Failure with its first mistakes when it is not well-formed."""
    problems: list[str] = []
    total = 0
    try:
        header = next(csv.reader(file, strict=True), [])
        _check_header(name, header, ignored)
        file.seek(0)
        for line, row in _rows(file, ignored):
            total += 1
            if None in row or None in row.values():
                problems.append(f"line {line}: not {len(header)} columns as in the header; is a comma not quoted?")
    except csv.Error as error:
        problems.append(f"after row {total + 1}: {error}")
    except UnicodeDecodeError as error:
        _malformed(name, [f"it is not UTF-8 (octet 0x{error.object[error.start]:02x})"])
    if problems:
        _malformed(name, problems)
    return total


def _check_header(name: str, header: list[str], ignored: tuple[str, ...]) -> None:
    known = {*COLUMNS, *ignored}
    problems = [f"column {column!r} is missing in the header" for column in _NEEDED if column not in header]
    for column in header:
        if column not in known:
            near = difflib.get_close_matches(column, COLUMNS, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; --ignore-column leaves it aside"
            problems.append(f"unknown column {column!r}{hint}")
    problems += [f"column {column!r} appears twice" for column, count in Counter(header).items() if count > 1]
    if problems:
        _malformed(name, problems)


def _malformed(name: str, problems: list[str]) -> NoReturn:
    shown = problems[:_MOST_PROBLEMS]
    if len(problems) > len(shown):
        shown.append(f"and {len(problems) - len(shown)} more")
    raise Failure(Exit.USAGE, f"{name}: nothing was sent:\n" + "\n".join(f"  {text}" for text in shown))


# ---------------------------------------------------------------------------------------------------------------- #
# Sending
# ---------------------------------------------------------------------------------------------------------------- #


def _segments(count: int) -> str:
    return "1 segment" if count == 1 else f"{count} segments"


def retry_pause(attempt: int, retry_after_s: float) -> float:
    """Seconds before the repetition that follows attempt `attempt` (from 1)."""
    return max(retry_after_s, min(0.25 * 2.0**attempt, _LONGEST_PAUSE_S))


@dataclass
class SendRun:
    """One run of `send`: sends the batches in order and counts what became of them."""

    gateway: Gateway
    run: str
    retry_s: float
    total: int
    as_json: bool
    sleep: Callable[[float], None] = time.sleep
    accepted: int = 0
    repeated: int = 0
    segments: int = 0
    refused: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    shown: list[tuple[object, ...]] = field(default_factory=list)

    def send_all(self, items: Iterator[Item]) -> None:
        """Sends everything and prints the results, also when it ends early: what was accepted stays accepted."""
        try:
            with self._progress() as advance:
                number = 0
                while batch := list(islice(items, BATCH)):
                    answer = self._batch([item.message for item in batch], number)
                    for result in answer["results"]:
                        self._note(batch[result["index"]], result)
                    number += 1
                    advance(len(batch))
        except (Failure, KeyboardInterrupt) as error:
            self._summary()
            if isinstance(error, Failure) and error.exit_code != Exit.UNAVAILABLE:
                raise
            reason = error.message if isinstance(error, Failure) else "interrupted"
            hint = f"repeat the command with --idempotency-key {self.run} to send the rest; nothing goes twice"
            raise Failure(
                Exit.UNAVAILABLE if isinstance(error, Failure) else Exit.REFUSED, f"{reason}\nsmppgw: {hint}"
            ) from None
        self._summary()

    def _batch(self, messages: list[dict[str, Any]], number: int) -> dict[str, Any]:
        """The answer to one batch, repeated on 503 and on a lost connection for up to `retry_s` of pauses."""
        waited = 0.0
        attempt = 0
        while True:
            attempt += 1
            retry_after_s = 0.0
            try:
                response = self.gateway.post("/v1/messages", messages, {"Idempotency-Key": f"{self.run}-{number}"})
                if response.status_code != 503:
                    return self.gateway.answer(response, also=frozenset({422}))
                retry_after = response.headers.get("retry-after", "")
                retry_after_s = float(retry_after) if retry_after.isdigit() and len(retry_after) < 6 else 0.0
                problem = "the gateway cannot accept messages now"
            except httpx.TransportError as error:
                problem = self.gateway.unreachable(error).message
            pause = retry_pause(attempt, retry_after_s)
            if waited + pause > self.retry_s:
                raise Failure(Exit.UNAVAILABLE, problem)
            if attempt == 1:
                click.echo(f"smppgw: {problem}; trying again for {self.retry_s:g} s", err=True)
            self.sleep(pause)
            waited += pause

    def _note(self, item: Item, result: dict[str, Any]) -> None:
        line, to = item.line, item.message["to"]
        error = result.get("error")
        if error:
            self.refused += 1
            self.codes[error["code"]] += 1
        else:
            self.accepted += 1
            self.segments += result["segments"]
            self.repeated += bool(result.get("repeated"))
        if self.as_json:
            show_json({"line": line, "to": to, **{name: value for name, value in result.items() if name != "index"}})
        elif len(self.shown) < _MOST_SHOWN and (error or self.total <= BATCH):
            columns = (error["code"], error["message"]) if error else ("accepted", _segments(result["segments"]))
            self.shown.append((line, to, result.get("id"), *columns))

    def _summary(self) -> None:
        if self.as_json:
            return
        if self.shown:
            show_table(("line", "to", "id", "result", "detail"), self.shown)
        codes = ", ".join(f"{code} {count}" for code, count in self.codes.most_common())
        again = f", {self.repeated} of them known from before" if self.repeated else ""
        click.echo(
            f"{self.accepted} accepted ({_segments(self.segments)}{again}), {self.refused} refused"
            + (f": {codes}" if codes else ""),
            err=True,
        )

    @contextmanager
    def _progress(self) -> Iterator[Callable[[int], None]]:
        """A progress bar on a terminal, once there is more than one batch."""
        if self.total <= BATCH or not sys.stderr.isatty():
            yield lambda count: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("sending", total=self.total)
            yield lambda count: progress.advance(task, count)
