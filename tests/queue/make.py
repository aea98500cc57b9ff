"""Short names for what the tests of the queue need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smppgw.addresses import Address
from smppgw.queue.model import (
    Accept,
    Claim,
    ClaimedSegment,
    Doubt,
    Lane,
    MessageView,
    NewMessage,
    OutcomeKind,
    Reason,
    ReceiptRecord,
    ReceiptState,
    RecordOutcomes,
    RecordReceipts,
    RetryPlan,
    SubmitOutcome,
    Sweep,
)

NOW = 1_767_225_600_000
SENDER = Address(5, 0, "BANK")
PLAN = RetryPlan(first_s=5, factor=3, max_s=60, max_attempts=3)
HOUR = 3_600_000


def new_message(to: str = "447700900001", *, parts: int = 1, **changes: Any) -> NewMessage:
    values: dict[str, Any] = {
        "account": "app",
        "carrier": "demo",
        "lane": Lane.TRANSACTIONAL,
        "source": SENDER,
        "destination": Address(1, 1, to),
        "text": "Your code is 123456",
        "alphabet": "gsm7",
        "data_coding": 0,
        "esm_class": 0x40 if parts > 1 else 0,
        "segments": tuple(b"part \x00 %d" % part for part in range(1, parts + 1)),
        "registered_delivery": 1,
        "validity_ms": HOUR,
    }
    return NewMessage(**(values | changes))


async def accept(store: Any, *messages: NewMessage, now: int = NOW) -> list[int]:
    op = Accept(messages, now)
    await store.commit(op)
    return [one.message_id for one in op.result]


async def claim(store: Any, limit: int = 100, *, now: int = NOW, **changes: Any) -> list[ClaimedSegment]:
    op = Claim(**({"carrier": "demo", "bind": "demo/1", "limit": limit, "now_utc_ms": now} | changes))
    await store.commit(op)
    return op.result.segments


async def answer(
    store: Any,
    segments: Sequence[ClaimedSegment],
    kind: OutcomeKind = OutcomeKind.ACCEPTED,
    *,
    ids: list[str] | None = None,
    status: int = 0,
    due: int = 0,
    now: int = NOW,
    carrier: str = "demo",
) -> RecordOutcomes:
    smsc_ids = ids if ids is not None else [f"id{one.segment_id}" for one in segments]
    if kind is not OutcomeKind.ACCEPTED:
        smsc_ids = [""] * len(segments)
    outcomes = [
        SubmitOutcome(one.segment_id, one.claim, kind, status, smsc_id, due)
        for one, smsc_id in zip(segments, smsc_ids, strict=True)
    ]
    op = RecordOutcomes(carrier, f"{carrier}/1", outcomes, now, PLAN, HOUR)
    await store.commit(op)
    return op


def receipt(
    smsc_id: str,
    state: ReceiptState | None = ReceiptState.DELIVERED,
    *,
    source: str = "447700900001",
    destination: str = "BANK",
) -> ReceiptRecord:
    stat = "ODD" if state is None else state.name[:7]
    return ReceiptRecord(smsc_id, state, stat, "000", source, destination, b"id:" + smsc_id.encode())


async def doubt(
    store: Any,
    segments: Sequence[ClaimedSegment],
    *,
    now: int = NOW + 1,
    timeout_ms: int = 500,
    resend: RetryPlan | None = None,
) -> Doubt:
    pairs = [(one.segment_id, one.claim) for one in segments]
    op = Doubt("demo", "demo/1", pairs, Reason.LINK_LOST, now, timeout_ms, resend)
    await store.commit(op)
    return op


async def receive(store: Any, *receipts: ReceiptRecord, now: int = NOW, carrier: str = "demo") -> RecordReceipts:
    op = RecordReceipts(carrier, f"{carrier}/1", receipts, now)
    await store.commit(op)
    return op


async def sweep(store: Any, now: int, *, match_ms: int = HOUR, **changes: Any) -> Sweep:
    op = Sweep(now, {"demo": match_ms}, **changes)
    await store.commit(op)
    return op


async def view(store: Any, message_id: int) -> MessageView:
    found = await store.message(message_id)
    assert found is not None
    assert isinstance(found, MessageView)
    return found
