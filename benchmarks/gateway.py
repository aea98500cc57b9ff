"""The whole path on one machine: HTTP in batches, store, one bind, receipts back, until the last verdict is on disk.

    python -m benchmarks.gateway [--messages 50000] [--batch 100] [--connections 4] [--window 100]
    python -m benchmarks.gateway --kind queued --messages 200000     memory with the carrier away

Starts the simulator and the gateway as processes of their own on loopback, with synchronous=FULL. Prints one JSON
line. `e2e`: messages per second from the first accept to the last receipt committed; exits with 1 and without figures
unless every message ended as delivered and the simulator saw each of them once. `queued`: resident memory of the
gateway at four points while messages are accepted and nothing can leave.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import queue
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.machine import fdatasync_p50_ms
from scripts.processes import Failed, Program, json_lines
from smppgw.api.auth import generate_key, hash_key

CONFIG = """\
[http]
port = 0

[accounts.bench]
key_hashes = ["{key_hash}"]
default_sender = "BANK"

[carriers.bench]
host = "127.0.0.1"
port = {smsc_port}
system_id = "bench"
password = "bench"
window = {window}
binds = {binds}
"""
TEXT = "Your code is {:06d}. Never share it with anybody, we will not ask for it. Valid for 10 minutes."
WARM_UP_BATCHES = 2


def cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mib(pid: int, name: str = "VmRSS") -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return round(int(line.split()[1]) / 1024, 1)
    raise SystemExit(f"no {name} for process {pid}")


class Load:
    """Posts messages in batches over keep-alive connections, one thread each; closed loop."""

    def __init__(self, host: str, port: int, key: str, connections: int) -> None:
        self._address = (host, port)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._connections = connections

    def post(self, first: int, count: int, batch: int) -> None:
        """Raises SystemExit if any batch is not accepted whole."""
        work: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
        for start in range(first, first + count, batch):
            work.put((start, min(batch, first + count - start)))
        failed: list[str] = []
        threads = [threading.Thread(target=self._run, args=(work, failed)) for _ in range(self._connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise SystemExit(failed[0])

    def _run(self, work: queue.SimpleQueue[tuple[int, int]], failed: list[str]) -> None:
        connection = http.client.HTTPConnection(*self._address)
        while not failed:
            try:
                start, count = work.get_nowait()
            except queue.Empty:
                break
            items = [{"to": f"+4477009{n % 10**5:05d}", "text": TEXT.format(n)} for n in range(start, start + count)]
            connection.request("POST", "/v1/messages", json.dumps(items), self._headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 202 or json.loads(body)["accepted"] != count:
                failed.append(f"{answer.status}: {body[:500]!r}")
        connection.close()

    def get(self, path: str) -> Any:
        connection = http.client.HTTPConnection(*self._address)
        connection.request("GET", path, headers=self._headers)
        found = json.loads(connection.getresponse().read())
        connection.close()
        return found

    def verdicts(self) -> Counter[str]:
        """All messages by their state."""
        found: Counter[str] = Counter()
        after = ""
        while True:
            page = self.get(f"/v1/messages?limit=1000{after}")
            found.update(message["state"] for message in page["messages"])
            if page["next"] is None:
                return found
            after = f"&after={page['next']}"

    def still_open(self) -> int:
        """Segments that wait for anything."""
        numbers = (value for row in self.get("/v1/status")["segments"] for value in row.values())
        return sum(
            sum(value.values()) if isinstance(value, dict) else value
            for value in numbers
            if isinstance(value, (dict, int))
        )

    def wait_bound(self) -> None:
        until = time.monotonic() + 20
        while not all(bind["state"].startswith("bound") for bind in self.get("/v1/binds")["binds"]):
            if time.monotonic() > until:
                raise SystemExit("the binds did not come up")
            time.sleep(0.05)


def e2e(load: Load, gateway: int, simulator: int, messages: int, batch: int) -> dict[str, Any]:
    load.wait_bound()
    load.post(10**6, WARM_UP_BATCHES * batch, batch)
    while load.still_open():
        time.sleep(0.05)
    cpu_before, smsc_before = cpu_s(gateway), cpu_s(simulator)
    started = time.perf_counter()
    load.post(0, messages, batch)
    accepted = time.perf_counter()
    while load.still_open():
        time.sleep(0.2)  # counting costs the gateway time as well
    done = time.perf_counter()
    return {
        "accepted_per_s": round(messages / (accepted - started)),
        "complete_per_s": round(messages / (done - started)),
        "gateway_cpu_s_per_100k": round((cpu_s(gateway) - cpu_before) / messages * 1e5, 1),
        "simulator_cpu_s_per_100k": round((cpu_s(simulator) - smsc_before) / messages * 1e5, 1),
        "peak_rss_mib": rss_mib(gateway, "VmHWM"),
    }


def queued(load: Load, gateway: int, messages: int, batch: int) -> dict[str, Any]:
    points, step = [], messages // 4
    started = time.perf_counter()
    for quarter in range(4):
        load.post(quarter * step, step, batch)
        points.append({"queued": (quarter + 1) * step, "rss_mib": rss_mib(gateway)})
    seconds = time.perf_counter() - started
    return {"accepted_per_s": round(4 * step / seconds), "memory": points, "open_segments": load.still_open()}


def check(verdicts: Counter[str], summary: dict[str, Any], messages: int) -> None:
    """Figures of a run that lost or doubled anything are worth nothing. Raises SystemExit."""
    problems = []
    if verdicts != {"delivered": messages}:
        problems.append(f"not all of {messages} messages were delivered: {dict(verdicts)}")
    if (summary["distinct"], summary["duplicates"]) != (messages, 0):
        problems.append(f"the simulator took {summary['distinct']} and {summary['duplicates']} twice")
    if summary["receipts"]["pending"]:
        problems.append(f"{summary['receipts']['pending']} receipts were never acknowledged")
    if problems:
        raise SystemExit("\n".join(problems))


def run(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    key = generate_key()
    away = args.kind == "queued"
    running: list[Program] = []
    try:
        simulator = None
        smsc_port = 1  # nobody listens there
        if not away:
            arguments = ["simulator", "--port", "0", "--json", "--receipt-delay", "0:0.05"]
            simulator = Program("the simulator", arguments, out=folder / "smsc")
            running.append(simulator)
            smsc_port = simulator.line(host="127.0.0.1")["port"]
        config = folder / "smppgw.toml"
        config.write_text(
            CONFIG.format(key_hash=hash_key(key), smsc_port=smsc_port, window=args.window, binds=args.binds)
        )
        gateway = Program(
            "the gateway", ["smppgw", "serve", "--json", "--config", str(config)], out=folder / "gateway"
        )
        running.append(gateway)
        host, port = gateway.line(event="http_listening")["url"].removeprefix("http://").split(":")
        load = Load(host, int(port), key, args.connections)
        if simulator is None:
            return queued(load, gateway.pid, args.messages, args.batch)
        figures = e2e(load, gateway.pid, simulator.pid, args.messages, args.batch)
        verdicts = load.verdicts()
        for program in (gateway, simulator):
            if program.stop() != 0:
                raise SystemExit(str(program.failed("did not stop in order")))
        summary = next(line for line in json_lines(folder / "smsc") if "duplicates" in line)
        check(verdicts, summary, args.messages + WARM_UP_BATCHES * args.batch)
        return figures
    finally:
        for program in running:
            program.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=["e2e", "queued"], default="e2e")
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--binds", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            figures = run(args, folder)
        except Failed as error:
            raise SystemExit(str(error)) from None
        result = {"benchmark": f"gateway_{args.kind}", **vars(args), **figures}
        print(json.dumps(result | {"fdatasync_p50_ms": fdatasync_p50_ms(folder), "cores": os.cpu_count()}))


if __name__ == "__main__":
    main()
