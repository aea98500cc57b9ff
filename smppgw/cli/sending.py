"""The command `send`: one text to some recipients, or a file of messages, in batches over HTTP.

Every batch has an idempotency key, so a batch that ended without an answer is repeated safely. Refuses to know where
messages come from and what they are made of.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import click
import httpx

from smppgw.cli.common import Exit, Failure, Gateway, gateway_options, refuse_broken, show_json, show_table
from smppgw.cli.content import Command, brings_content
from smppgw.cli.drawing import told
from smppgw.cli.fields import as_options, message_fields, message_options
from smppgw.cli.sources import Item, items_of

BATCH = 100
_LONGEST_PAUSE_S = 5.0
_MOST_SHOWN = 100


@click.command(cls=Command)
@click.argument("text", required=False)
@click.option("--to", "recipients", multiple=True, metavar="NUMBER", help="Recipient; may be given several times.")
@click.option("--from", "sender", help="Sender: a number, a short code, or up to 11 letters.")
@message_options
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
    csv_file: str | None,
    ignored: tuple[str, ...],
    run: str | None,
    retry_s: float,
    url: str,
    key: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Send TEXT to one or more recipients, or the messages of a CSV file.

    TEXT is read from standard input when it is left out, or is -. A CSV file has a header with the columns to and
    text, and any of from, client_ref, lane, send_at, valid_until and message_class; the options serve rows that have
    none. Messages go in batches of 100. With --json, one line for each message. `smppgw segments` shows beforehand
    how a text would be sent: it takes the same options.

    \b
    Examples:
      smppgw send "Your code is 481 516" --to +447700900123 --lane otp
      echo "The server room is hot" | smppgw send --to +447700900123 --to +12025550123
      smppgw send --csv messages.csv --from Example --lane bulk
      smppgw send "Doors open at 9" --to +447700900123 --smart --send-at 2030-01-02T08:30:00+01:00
      smppgw send "Fire alarm" --to +447700900123 --flash
      smppgw send --octets 024a3a4001 --port 5505 --to +447700900123
      smppgw send "The new rates" --to +447700900123 --wap-push http://www.example.com/rates
    """
    refuse_broken("csv_file")
    defaults = {**({} if sender is None else {"from": sender}), **message_fields(given)}
    client_ref = defaults.pop("client_ref", None)
    if csv_file is not None and (text is not None or recipients or client_ref or brings_content(given)):
        raise click.UsageError("--csv brings its own recipients, texts and references")
    if csv_file is None and ignored:
        raise click.UsageError("--ignore-column needs --csv")
    if csv_file is None and not recipients:
        raise click.UsageError("who is it for? give --to NUMBER, or --csv FILE")
    if client_ref is not None and len(recipients) > 1:
        raise click.UsageError("--client-ref names one message; there are several recipients")
    source = items_of(csv_file, ignored, text, given, recipients, client_ref)
    with Gateway(url, key) as gateway, source as (items, total):
        sender_run = SendRun(gateway, run or uuid.uuid4().hex, retry_s, total, as_json)
        filled = (Item(item.line, _filled(defaults, item.message)) for item in items)
        sender_run.send_all(filled)
    if sender_run.refused:
        raise click.exceptions.Exit(Exit.REFUSED)


def _filled(defaults: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, Any]:
    """A message with the options that it leaves open. Its own valid_until answers what --validity-s would."""
    open_ones = {
        name: value for name, value in defaults.items() if name != "validity_s" or "valid_until" not in message
    }
    return {**open_ones, **message}


# ---------------------------------------------------------------------------------------------------------------- #
# Sending
# ---------------------------------------------------------------------------------------------------------------- #


def _segments(count: int, parts: int) -> str:
    """`2 segments`; of message_payloads, which the SMSC cuts, `1 submit_sm, 2 parts`."""
    if parts > count:
        return f"{count} submit_sm, {parts} parts"
    return "1 segment" if count == 1 else f"{count} segments"


def _detail(result: Mapping[str, Any]) -> str:
    """`2 segments; replaced … by ...`."""
    replaced = result.get("replaced")
    count = result["segments"]
    return _segments(count, result.get("parts", count)) + (f"; replaced {told(replaced)}" if replaced else "")


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
    parts: int = 0
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
            self.parts += result.get("parts", result["segments"])
            self.repeated += bool(result.get("repeated"))
        if self.as_json:
            show_json({"line": line, "to": to, **{name: value for name, value in result.items() if name != "index"}})
        elif len(self.shown) < _MOST_SHOWN and (error or self.total <= BATCH):
            columns = (error["code"], as_options(error["message"])) if error else ("accepted", _detail(result))
            self.shown.append((line, to, result.get("id"), *columns))

    def _summary(self) -> None:
        if self.as_json:
            return
        if self.shown:
            show_table(("line", "to", "id", "result", "detail"), self.shown)
        codes = ", ".join(f"{code} {count}" for code, count in self.codes.most_common())
        again = f", {self.repeated} of them known from before" if self.repeated else ""
        click.echo(
            f"{self.accepted} accepted ({_segments(self.segments, self.parts)}{again}), {self.refused} refused"
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
