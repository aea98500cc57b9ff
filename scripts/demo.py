"""Runs the whole path on this machine and shows what became of every message (see scripts/demo).

Starts the simulator and the gateway on free loopback ports with a store in a temporary folder, sends
conf/demo/messages.csv through the HTTP API in batches, waits for the receipts and prints a summary. Exits 0 only if
every accepted message has its verdict and every line of the file is accounted for.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from smppgw.api.auth import generate_key, hash_key

ROOT = Path(__file__).resolve().parent.parent
MESSAGES = ROOT / "conf" / "demo" / "messages.csv"
BATCH = 100
START_DEADLINE_S = 20.0
VERDICT_DEADLINE_S = 60.0
OUTCOMES = "DELIVRD=94,UNDELIV=4,EXPIRED=1,REJECTD=1"

CONFIG = """\
[http]
port = 0

[store]
path = "smppgw.db"

[log]
format = "json"

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


class Failed(Exception):
    """The demo cannot go on; the text says why."""


class Processes:
    """The simulator and the gateway, in `folder`, with their output in files there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, arguments: list[str], *, out: Path, err: Path) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C is for this script, which then stops its children in order.
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments], stdout=stdout, stderr=stderr, cwd=ROOT, start_new_session=True
            )
        self.running.append((name, process))
        return process

    def stop(self) -> bool:
        """Gateway first, as an operator would; True when each ended with exit code 0."""
        well = True
        for name, process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            if code != 0:
                print(f"{name} ended with exit code {code}", file=sys.stderr)
                well = False
        self.running.clear()
        return well


def first_json(path: Path, process: subprocess.Popen[bytes], name: str, **wanted: str) -> dict[str, Any]:
    """The first line of `path` that is an object with the fields `wanted`; waits for the process to write it."""
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("{") and line.endswith("}"):
                found: dict[str, Any] = json.loads(line)
                if all(found.get(key) == value for key, value in wanted.items()):
                    return found
        if process.poll() is not None:
            raise Failed(f"{name} ended at once with exit code {process.returncode}; see {path}")
        time.sleep(0.02)
    raise Failed(f"{name} did not start within {START_DEADLINE_S:.0f} s; see {path}")


def start_both(processes: Processes, key: str) -> str:
    """Starts simulator and gateway; the URL of the gateway."""
    folder = processes.folder
    simulator = processes.start(
        "the simulator",
        [
            "simulator",
            *("--port", "0", "--control-port", "0", "--json", "--seed", "7", "--account", "demo:demo"),
            *("--response-delay", "5ms:20ms", "--receipt-delay", "0.1:2", "--outcomes", OUTCOMES),
        ],
        out=folder / "simulator.json",
        err=folder / "simulator.log",
    )
    ports = first_json(folder / "simulator.json", simulator, "the simulator")
    (folder / "simulator.port").write_text(str(ports["control_port"]))
    config = folder / "smppgw.toml"
    config.touch(mode=0o600)
    config.write_text(CONFIG.format(key_hash=hash_key(key), smsc_port=ports["port"]), encoding="utf-8")
    gateway = processes.start(
        "the gateway",
        ["smppgw", "serve", "--config", str(config)],
        out=folder / "gateway.out",
        err=folder / "gateway.log",
    )
    listening = first_json(folder / "gateway.log", gateway, "the gateway", event="http_listening")
    return str(listening["url"])


def lines_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def item_of(number: int, line: dict[str, str]) -> dict[str, str]:
    """A line of the file as an item of the API; the line number makes sending it again safe."""
    given = {name: line[name] for name in ("from", "lane") if line[name]}
    return {"to": line["to"], "text": line["text"], "client_ref": f"line-{number}", **given}


def send(client: httpx.Client, lines: list[dict[str, str]], progress: Progress) -> list[dict[str, Any]]:
    """Posts all lines in batches; one result for each line, in order."""
    results: list[dict[str, Any]] = []
    task = progress.add_task("submitted", total=len(lines))
    for start in range(0, len(lines), BATCH):
        batch = [item_of(start + i + 2, line) for i, line in enumerate(lines[start : start + BATCH])]
        answer = client.post("/v1/messages", json=batch)
        if answer.status_code not in (202, 422):
            raise Failed(f"POST /v1/messages answered {answer.status_code}: {answer.text}")
        results += answer.json()["results"]
        progress.advance(task, len(batch))
    return results


def wait_for_verdicts(client: httpx.Client, expected: int, progress: Progress) -> None:
    task = progress.add_task("verdicts", total=expected)
    deadline = time.monotonic() + VERDICT_DEADLINE_S
    while time.monotonic() < deadline:
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


def percentiles(values: list[float]) -> str:
    if not values:
        return "-"
    ordered = sorted(values)
    picked = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99)]
    return " / ".join(f"{value:,.0f}" for value in picked) + " ms"


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def summarise(
    console: Console, lines: list[dict[str, str]], results: list[dict[str, Any]], stored: list[dict[str, Any]]
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
    table.add_row("segments sent", str(sum(message["segment_count"] for message in stored)))
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
        if got != line["expect"]:
            found.append(f"line {number}: expected {line['expect'] or 'accepted'}, got {got or 'accepted'}")
    accepted = {result["id"] for result in results if "id" in result}
    listed = {message["id"] for message in stored}
    if accepted != listed:
        found.append(f"{len(accepted)} were accepted, {len(listed)} are listed, {len(accepted ^ listed)} differ")
    waiting = sum(message["state"] == "open" for message in stored)
    if waiting:
        found.append(f"{waiting} messages have no verdict after {VERDICT_DEADLINE_S:.0f} s")
    return found


def tell_how_to_go_on(console: Console, url: str, key: str, processes: Processes, message_id: str) -> None:
    command = "smppgw" if shutil.which("smppgw") else ".venv/bin/smppgw"
    pids = " ".join(str(process.pid) for _, process in processes.running)
    console.print(
        f"\nBoth go on running.\n  URL      {url} (API documentation: {url}/docs)\n  API key  {key}\n"
        f"  files    {processes.folder}\n\nTry next, with these in the environment:\n\n"
        f"  export SMPPGW_URL={url} SMPPGW_KEY={key}\n"
        f'  {command} send "Your parcel is at the door" --to +447700900123\n'
        f"  {command} message {message_id}\n"
        f"  {command} binds\n\nStop them with: kill {pids}",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


@contextmanager
def workplace(keep: bool) -> Iterator[Path]:
    """A folder that goes away afterwards, unless what runs in it is kept."""
    folder = Path(tempfile.mkdtemp(prefix="smppgw-demo-"))
    kept = False
    try:
        yield folder
        kept = keep
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def demo(console: Console, keep: bool) -> int:
    lines = lines_of(MESSAGES)
    key = generate_key()
    with workplace(keep) as folder:
        processes = Processes(folder)
        try:
            url = start_both(processes, key)
            console.print(f"gateway {url}, simulator and store in {folder}", soft_wrap=True, highlight=False)
            columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            headers = {"Authorization": f"Bearer {key}"}
            with httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False) as client:
                with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
                    results = send(client, lines, progress)
                    wait_for_verdicts(client, sum("id" in result for result in results), progress)
                stored = list(messages(client))
            wrong = summarise(console, lines, results, stored)
        except BaseException:
            processes.stop()
            raise
        if keep:
            tell_how_to_go_on(console, url, key, processes, stored[0]["id"])
        elif not processes.stop():
            wrong.append("a process did not stop in order")
        for text in wrong:
            console.print(f"NOT RIGHT: {text}", style="red", markup=False)
        return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--keep", action="store_true", help="leave simulator and gateway running, and say how to go on"
    )
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    try:
        return demo(console, arguments.keep)
    except KeyboardInterrupt:
        print("\ninterrupted; everything is stopped", file=sys.stderr)
        return 130
    except (Failed, httpx.HTTPError, OSError) as error:
        print(f"the demo failed: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    # Ctrl-C can come while children are being stopped; a second one must not leave them behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
