"""A message's whole life in the store, in batches, without network: what the store alone costs.

    python -m benchmarks.store [--messages 20000] [--batch 100] [--path FILE]

Prints one JSON line: microseconds of CPU per message for each operation, messages per second, p50 of one fdatasync.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import fdatasync_p50_ms
from smppgw.addresses import Address
from smppgw.queue.engine import Call, Engine
from smppgw.queue.model import (
    Accept,
    Claim,
    IdSource,
    Lane,
    NewMessage,
    Op,
    OutcomeKind,
    ReceiptRecord,
    ReceiptState,
    RecordOutcomes,
    RecordReceipts,
    RetryPlan,
    SubmitOutcome,
)
from smppgw.queue.schema import migrate

PLAN = RetryPlan()


def message(number: int) -> NewMessage:
    return NewMessage(
        account="bench",
        carrier="bench",
        lane=Lane.TRANSACTIONAL,
        source=Address(5, 0, "BANK"),
        destination=Address(1, 1, f"4477009{number:06d}"),
        text=f"Your code is {number:06d}. Never share it with anybody, we will not ask for it.",
        alphabet="gsm7",
        data_coding=0,
        esm_class=0,
        segments=(b"Your code is %06d. Never share it with anybody, we will not ask for it." % number,),
        registered_delivery=1,
        validity_ms=3_600_000,
    )


class Meter:
    """CPU and wall time by the name of the operation."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.cpu: dict[str, float] = {}

    def run(self, *ops: Op[Any]) -> None:
        started = time.process_time()
        call = Call(ops, lambda: None)
        self._engine.run([call])
        if call.error is not None:
            raise call.error
        name = "+".join(type(op).__name__ for op in ops)
        self.cpu[name] = self.cpu.get(name, 0.0) + time.process_time() - started


def life(engine: Engine, messages: int, batch: int) -> tuple[float, dict[str, float]]:
    made = [message(number) for number in range(messages)]
    meter = Meter(engine)
    started = time.perf_counter()
    now = time.time_ns() // 1_000_000
    for start in range(0, messages, batch):
        meter.run(Accept(made[start : start + batch], now))
        claim = Claim("bench", "bench/1", batch, now)
        meter.run(claim)
        taken = claim.result.segments
        answers = [
            SubmitOutcome(one.segment_id, one.claim, OutcomeKind.ACCEPTED, 0, f"{one.segment_id:x}") for one in taken
        ]
        meter.run(RecordOutcomes("bench", "bench/1", answers, now, PLAN, 86_400_000))
        receipts = [
            ReceiptRecord(
                f"{one.segment_id:x}",
                ReceiptState.DELIVERED,
                "DELIVRD",
                "000",
                one.destination.addr,
                "BANK",
                b"id:%x sub:001 dlvrd:001 submit date:2601011200 done date:2601011200 stat:DELIVRD err:000 text:"
                % one.segment_id,
            )
            for one in taken
        ]
        meter.run(RecordReceipts("bench", "bench/1", receipts, now))
    return time.perf_counter() - started, meter.cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument(
        "--path", type=Path, help="a store file to go on with; a new one in a temporary folder if not given"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = args.path or Path(folder) / "store.db"
        connection = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        migrate(connection)
        last = connection.execute("SELECT coalesce(max(id), 0) FROM message").fetchone()[0]
        seconds, cpu = life(Engine(connection, IdSource(last)), args.messages, args.batch)
        connection.close()
        print(
            json.dumps(
                {
                    "benchmark": "store",
                    "messages": args.messages,
                    "batch": args.batch,
                    "messages_per_s": round(args.messages / seconds),
                    "cpu_us_per_message": {
                        **{name: round(value / args.messages * 1e6, 2) for name, value in cpu.items()},
                        "all": round(sum(cpu.values()) / args.messages * 1e6, 2),
                    },
                    "fdatasync_p50_ms": fdatasync_p50_ms(Path(folder)),
                    "sqlite": sqlite3.sqlite_version,
                    "cores": os.cpu_count(),
                }
            )
        )


if __name__ == "__main__":
    main()
