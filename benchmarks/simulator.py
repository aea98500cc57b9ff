"""How many submits a second the simulator takes: `python -m benchmarks.simulator`. Prints one JSON line.

The simulator runs as a process of its own; the client, made of the gateway's Session class, keeps a full window on
each of its binds, answers every deliver_sm and waits for all receipts. Both share the machine, hence two figures:
`per_s` is by the wall clock, from the connect to the last answer (with receipts: to the last receipt acknowledged),
and may be limited by the client; `per_cpu_s` is by the CPU time that the simulator itself used, what one core of its
own would do.

    --binds 1000                    a thousand at once, each with its window
    --idle 1000                     as many bound beside them that only listen; what each costs in memory
    --count 1000000 --only receipts_on
                                    memory over a million messages: now after each tenth of them, and the peak
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import trio

from simulator.doors import allow_open_files
from smppgw.smpp import (
    BindTransceiver,
    Bound,
    DeliverSmResp,
    RequestReceived,
    ResponseReceived,
    Role,
    Session,
    SubmitSm,
    Timers,
)

_TICKS = os.sysconf("SC_CLK_TCK")


class Client:
    """One bind that submits `count` messages as fast as its window allows."""

    def __init__(self, number: int, count: int, window: int, registered_delivery: int) -> None:
        self._number = number
        self._left = count
        self._registered_delivery = registered_delivery
        self._answers_left = count
        self._receipts_left = count if registered_delivery else 0
        self._session = Session(Role.ESME, timers=Timers(), window=window, now=0.0)
        self.refused = 0

    @property
    def left(self) -> int:
        """Submits without a response, and receipts that have not come."""
        return self._answers_left + self._receipts_left

    async def run(self, port: int) -> None:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            self._session.bind(BindTransceiver(system_id=f"bench{self._number}"), trio.current_time())
            await stream.send_all(self._session.data_to_send())
            while self._answers_left or self._receipts_left:
                self._handle(await stream.receive_some())
                octets = self._session.data_to_send()
                if octets:
                    await stream.send_all(octets)

    def _handle(self, data: bytes | bytearray) -> None:
        now = trio.current_time()
        acknowledged = []
        for event in self._session.receive_data(data, now):
            if type(event) is ResponseReceived:
                self._answers_left -= 1
                self.refused += event.response.command_status != 0
            elif type(event) is RequestReceived:
                acknowledged.append(DeliverSmResp(sequence_number=event.pdu.sequence_number))
            else:
                assert isinstance(event, Bound), event
        self._receipts_left -= len(acknowledged)
        self._session.respond_many(acknowledged)
        room = min(self._session.window_free, self._left)
        self._session.request_many([(self._submit_sm(self._left - n), None) for n in range(room)], now)
        self._left -= room

    def _submit_sm(self, number: int) -> SubmitSm:
        return SubmitSm(
            source_addr_ton=5,
            source_addr="BENCH",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=f"46700{number:08d}",
            registered_delivery=self._registered_delivery,
            short_message=b"Message number %d of the load test on bind %d, hello" % (number, self._number),
        )


def cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_mib(pid: int) -> dict[str, float]:
    """Resident memory of a process: now and at its highest."""
    status = Path(f"/proc/{pid}/status").read_text()
    return {
        name: round(int(re.findall(rf"{key}:\s+(\d+) kB", status)[0]) / 1024, 1)
        for name, key in (("now_mib", "VmRSS"), ("peak_mib", "VmHWM"))
    }


async def blast(port: int, clients: list[Client], sample: Callable[[int], None]) -> None:
    """Runs them all. `sample` gets what is left, each time that a tenth of it has been done."""

    async def watch() -> None:
        total = left = sum(client.left for client in clients)
        while True:
            await trio.sleep(0.2)
            tenth, left = left * 10 // total, sum(client.left for client in clients)
            if left * 10 // total < tenth:
                sample(left)

    async with trio.open_nursery() as watching:
        watching.start_soon(watch)
        async with trio.open_nursery() as nursery:
            for client in clients:
                nursery.start_soon(client.run, port)
        watching.cancel_scope.cancel()


class Idle:
    """Binds that only listen, in a thread of their own."""

    def __init__(self, port: int, count: int) -> None:
        self._bound = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=trio.run, args=(self._run, port, count))
        self._thread.start()
        self._bound.wait()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    async def _run(self, port: int, count: int) -> None:
        async with AsyncExitStack() as streams:
            for number in range(count):
                stream = await streams.enter_async_context(await trio.open_tcp_stream("127.0.0.1", port))
                session = Session(Role.ESME, timers=Timers(), now=0.0)
                session.bind(BindTransceiver(system_id=f"idle{number}"), 0.0)
                await stream.send_all(session.data_to_send())
                await stream.receive_some()
            self._bound.set()
            await trio.to_thread.run_sync(self._ended.wait)


def measure(
    count: int, binds: int, window: int, registered_delivery: int, extra: list[str], idle: int = 0
) -> dict[str, Any]:
    simulator = subprocess.Popen(
        [sys.executable, "-m", "simulator", "--port", "0", "--json", *extra], stdout=subprocess.PIPE, text=True
    )
    assert simulator.stdout is not None
    samples: list[float] = []
    idlers: Idle | None = None
    try:
        port = json.loads(simulator.stdout.readline())["port"]
        memory_at_first = memory_mib(simulator.pid)["now_mib"]
        if idle:
            idlers = Idle(port, idle)
        idle_mib = memory_mib(simulator.pid)["now_mib"] - memory_at_first
        clients = [Client(number, count // binds, window, registered_delivery) for number in range(binds)]
        cpu_before, started = cpu_s(simulator.pid), time.monotonic()
        trio.run(blast, port, clients, lambda left: samples.append(memory_mib(simulator.pid)["now_mib"]))
        wall, cpu = time.monotonic() - started, cpu_s(simulator.pid) - cpu_before
        memory = memory_mib(simulator.pid)
        simulator.terminate()
        summary = json.loads(simulator.stdout.read())
    finally:
        simulator.kill()
        simulator.wait()
        if idlers is not None:
            idlers.end()
    submits = count // binds * binds
    receipts = summary["receipts"]["acked"]
    assert summary["accepted"] == submits, summary
    assert summary["binds"]["accepted"] == binds + idle, summary
    assert receipts == (submits if registered_delivery else 0), summary
    return {
        "submits": submits,
        "receipts": receipts,
        "per_s": round(submits / wall),
        "per_cpu_s": round(submits / cpu),
        "cpu_us_each": round(cpu / submits * 1e6, 1),
        "max_window": summary["max_window"],
        "memory": {"at_first_mib": memory_at_first, **memory, "by_tenths_mib": samples},
        **({"idle_binds": idle, "kib_for_each": round(idle_mib * 1024 / idle, 1)} if idle else {}),
    }


#: What is measured -> registered_delivery and further options of the simulator.
RUNS: dict[str, tuple[int, list[str]]] = {
    "receipts_off": (0, []),
    "receipts_on": (1, []),
    "receipts_later": (1, ["--receipt-delay", "0.5:2.5"]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--binds", type=int, default=2)
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--idle", type=int, default=0, help="further binds that only listen")
    parser.add_argument("--only", choices=list(RUNS), help="this one; otherwise all three")
    parser.add_argument("--ledger", type=Path, help="also let the simulator write its ledger here")
    options = parser.parse_args()
    allow_open_files(options.binds + options.idle)
    extra = ["--ledger", str(options.ledger)] if options.ledger is not None else []
    result: dict[str, Any] = {"benchmark": "simulator", "binds": options.binds, "window": options.window}
    for name, (registered_delivery, further) in RUNS.items():
        if options.only in (None, name):
            result[name] = measure(
                options.count, options.binds, options.window, registered_delivery, [*extra, *further], options.idle
            )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
