"""Runs the whole path on this machine and shows what became of every message (see scripts/demo).

Starts the simulator and the gateway on free loopback ports with a store in a temporary folder, sends
conf/demo/messages.csv through the HTTP API in batches, waits for the receipts and prints a summary. Exits 0 only if
every accepted message has its verdict and every line of the file is accounted for.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from scripts.processes import ROOT, Failed, Program
from smppgw.api.auth import generate_key, hash_key

MESSAGES = ROOT / "conf" / "demo" / "messages.csv"
BATCH = 100
VERDICT_DEADLINE_S = 60.0
OUTCOMES = "DELIVRD=94,UNDELIV=4,EXPIRED=1,REJECTD=1"

CONFIG = """\
[http]
port = 0

[store]
path = "smppgw.db"

[accounts.demo]
key_hashes = ["{key_hash}"]
default_region = "GB"
default_sender = "smppgw"

[carriers.demo]
host = "127.0.0.1"
port = {smsc_port}
system_id = "demo"
password = "demo"
"""


class Interrupt:
    """Ctrl-C, SIGTERM or a closed terminal, asked for where nothing is half done.

    Nothing is raised out of a signal handler: an exception between the start of a process and the note of it, or
    while processes are being stopped, would leave them behind.
    """

    def __init__(self) -> None:
        self.asked = False
        self._handle(self._ask)

    def _ask(self, number: int, frame: object) -> None:
        if not self.asked:
            print("\nstopping both; this can take some seconds", file=sys.stderr, flush=True)
        self.asked = True

    def _handle(self, handler: Callable[[int, object], None] | signal.Handlers) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, handler)

    def too_late(self) -> None:
        """Nothing is left to stop: one more signal shall not change how this ends."""
        self._handle(signal.SIG_IGN)

    def look(self) -> None:
        """Raises KeyboardInterrupt once it was asked for."""
        if self.asked:
            raise KeyboardInterrupt


class Demo:
    """The simulator and the gateway in a temporary folder, which goes away with them."""

    def __init__(self, interrupt: Interrupt) -> None:
        self.interrupt = interrupt
        self.folder = Path(tempfile.mkdtemp(prefix="smppgw-demo-"))
        self.key = generate_key()
        self.url = ""
        self.programs: list[Program] = []

    def start(self) -> None:
        simulator = self._start(
            "the simulator",
            [
                "simulator",
                *("--port", "0", "--control-port", "0", "--json", "--seed", "7", "--account", "demo:demo"),
                *("--response-delay", "5ms:20ms", "--receipt-delay", "0.1:2", "--outcomes", OUTCOMES),
            ],
        )
        port = simulator.line(look=self.interrupt.look, host="127.0.0.1")["port"]
        config = self.folder / "smppgw.toml"
        config.touch(mode=0o600)
        config.write_text(CONFIG.format(key_hash=hash_key(self.key), smsc_port=port), encoding="utf-8")
        gateway = self._start("the gateway", ["smppgw", "serve", "--json", "--config", str(config)])
        self.url = gateway.line(look=self.interrupt.look, event="http_listening")["url"]

    def _start(self, name: str, arguments: list[str]) -> Program:
        stem = str(self.folder / arguments[0])
        program = Program(name, arguments, out=Path(stem + ".out"), err=Path(stem + ".log"))
        self.programs.append(program)
        return program

    def stop(self) -> list[str]:
        """Stops what runs, the gateway first as an operator would; what did not stop in order, one line each."""
        codes = [(program.name, program.stop()) for program in reversed(self.programs)]
        self.programs.clear()
        shutil.rmtree(self.folder, ignore_errors=True)
        # Interrupted early, a program may not yet have had a handler for SIGTERM.
        well = {0, -signal.SIGTERM} if self.interrupt.asked else {0}
        return [f"{name} ended with exit code {code}" for name, code in codes if code not in well]

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=10, trust_env=False)


def lines_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if not {"to", "text"} <= set(reader.fieldnames or ()):
            raise Failed(f"{path} needs a header with the columns to and text")
        return list(reader)


def item_of(number: int, line: dict[str, str]) -> dict[str, str]:
    """A line of the file as an item of the API; the line number makes sending it again safe."""
    given = {name: line[name] for name in ("from", "lane") if line.get(name)}
    return {"to": line["to"], "text": line["text"], "client_ref": f"line-{number}", **given}


def send(
    client: httpx.Client, lines: list[dict[str, str]], progress: Progress, interrupt: Interrupt
) -> list[dict[str, Any]]:
    """Posts all lines in batches; one result for each line, in order."""
    results: list[dict[str, Any]] = []
    task = progress.add_task("submitted", total=len(lines))
    for start in range(0, len(lines), BATCH):
        interrupt.look()
        batch = [item_of(start + i + 2, line) for i, line in enumerate(lines[start : start + BATCH])]
        answer = client.post("/v1/messages", json=batch)
        if answer.status_code not in (202, 422):
            raise Failed(f"POST /v1/messages answered {answer.status_code}: {answer.text}")
        results += answer.json()["results"]
        progress.advance(task, len(batch))
    return results


def wait_for_verdicts(client: httpx.Client, expected: int, progress: Progress, interrupt: Interrupt) -> None:
    task = progress.add_task("verdicts", total=expected)
    deadline = time.monotonic() + VERDICT_DEADLINE_S
    while time.monotonic() < deadline:
        interrupt.look()
        waiting = sum(1 for _ in messages(client, state="open"))
        progress.update(task, completed=expected - waiting)
        if waiting == 0:
            return
        time.sleep(0.1)


def messages(client: httpx.Client, **filters: str) -> Iterator[dict[str, Any]]:
    """All messages that fit, page by page."""
    after: str | None = None
    while True:
        page = client.get("/v1/messages", params={"limit": "500", **filters} | ({"after": after} if after else {}))
        page.raise_for_status()
        found = page.json()
        yield from found["messages"]
        after = found["next"]
        if after is None:
            return


def segments_sent(client: httpx.Client, stored: list[dict[str, Any]]) -> int:
    """How many submit_sm were written: not every segment of a message is sent once one of them was refused."""
    sent = 0
    for message in stored:
        if message["first_submitted_at"] is None or message["segment_count"] == 1:
            sent += message["first_submitted_at"] is not None
            continue
        found = client.get(f"/v1/messages/{message['id']}")
        found.raise_for_status()
        sent += sum(segment["submitted_at"] is not None for segment in found.json()["segments"])
    return sent


def percentiles(values: list[float]) -> str:
    if not values:
        return "-"
    ordered = sorted(values)
    picked = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99)]
    return " / ".join(f"{value:,.0f}" for value in picked) + " ms"


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def summarise(
    console: Console,
    lines: list[dict[str, str]],
    results: list[dict[str, Any]],
    stored: list[dict[str, Any]],
    segments: int,
) -> list[str]:
    """Prints the table; what does not add up, one line each."""
    refused = Counter(result["error"]["code"] for result in results if "error" in result)
    accepted = [result for result in results if "id" in result]
    states = Counter(message["state"] for message in stored)
    to_submit, to_verdict = (
        [
            (seconds(message[field]) - seconds(message["accepted_at"])) * 1000
            for message in stored
            if message[field] is not None
        ]
        for field in ("first_submitted_at", "final_at")
    )
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("lines in the file", str(len(lines)))
    table.add_row("accepted", str(len(accepted)))
    table.add_row("refused", str(sum(refused.values())))
    for code, count in refused.most_common():
        table.add_row(f"  {code}", str(count))
    table.add_row("segments sent", str(segments))
    for state in sorted(states, key=lambda state: (state != "delivered", state != "failed", state)):
        table.add_row(state, str(states[state]))
    table.add_row("accept to submit_sm, p50 / p95 / p99", percentiles(to_submit))
    table.add_row("accept to verdict, p50 / p95 / p99", percentiles(to_verdict))
    console.print(table)
    return mismatches(lines, results, stored)


def mismatches(lines: list[dict[str, str]], results: list[dict[str, Any]], stored: list[dict[str, Any]]) -> list[str]:
    found = []
    if len(results) != len(lines):
        found.append(f"{len(lines)} lines, but {len(results)} results")
    for number, (line, result) in enumerate(zip(lines, results, strict=False), 2):
        got = result.get("error", {}).get("code", "")
        expected = line.get("expect", got)  # a file of one's own need not say
        if got != expected:
            found.append(f"line {number}: expected {expected or 'accepted'}, got {got or 'accepted'}")
    accepted = {result["id"] for result in results if "id" in result}
    listed = {message["id"] for message in stored}
    if accepted != listed:
        found.append(f"{len(accepted)} were accepted, {len(listed)} are listed, {len(accepted ^ listed)} differ")
    waiting = sum(message["state"] == "open" for message in stored)
    if waiting:
        found.append(f"{waiting} messages have no verdict after {VERDICT_DEADLINE_S:.0f} s")
    return found


def tell_how_to_go_on(console: Console, demo: Demo, message_id: str) -> None:
    command = "smppgw" if shutil.which("smppgw") else ".venv/bin/smppgw"
    pids = " ".join(str(program.pid) for program in demo.programs)
    console.print(
        f"\nBoth go on running.\n  URL      {demo.url} (API documentation: {demo.url}/docs)\n"
        f"  API key  {demo.key}\n  files    {demo.folder}\n\nTry next, with these in the environment:\n\n"
        f"  export SMPPGW_URL={demo.url} SMPPGW_KEY={demo.key}\n"
        f'  {command} send "Your parcel is at the door" --to +447700900123\n'
        f"  {command} message {message_id}\n"
        f"  {command} binds\n\nStop them with: kill {pids}",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


def run(console: Console, demo: Demo, lines: list[dict[str, str]]) -> tuple[list[str], str]:
    """Sends everything and prints what became of it: what is not right, one line each, and an id to try."""
    demo.start()
    console.print(f"gateway {demo.url}, simulator and store in {demo.folder}", soft_wrap=True, highlight=False)
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with demo.client() as client:
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            results = send(client, lines, progress, demo.interrupt)
            wait_for_verdicts(client, sum("id" in result for result in results), progress, demo.interrupt)
        stored = list(messages(client))
        wrong = summarise(console, lines, results, stored, segments_sent(client, stored))
    return wrong, stored[0]["id"] if stored else "ID"


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--keep", action="store_true", help="leave simulator and gateway running, and say how to go on"
    )
    parser.add_argument(
        "--messages",
        type=Path,
        default=MESSAGES,
        metavar="FILE",
        help="another CSV file with the columns to and text, and any of from and lane",
    )
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    demo = Demo(Interrupt())
    wrong: list[str] = []
    kept = False
    try:
        wrong, message_id = run(console, demo, lines_of(arguments.messages))
        demo.interrupt.look()
        kept = arguments.keep
        if kept:
            tell_how_to_go_on(console, demo, message_id)
    except KeyboardInterrupt:
        pass  # told below
    except (Failed, httpx.HTTPError, OSError) as error:
        wrong.append(str(error))
    finally:
        if not kept:
            wrong += demo.stop()
        demo.interrupt.too_late()
    for text in wrong:
        console.print(f"NOT RIGHT: {text}", style="red", markup=False, soft_wrap=True, highlight=False)
    if demo.interrupt.asked and not kept:
        print("interrupted; everything is stopped", file=sys.stderr)
        return 130
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
