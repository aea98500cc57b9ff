"""What the API needs from the rest of the gateway, as callables, so that it runs against anything that has them.

Owns the two ways in which the gateway says "not now". Refuses to know trio, the store and the binds' insides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from smppgw.binds.status import BindStatus
from smppgw.config import Settings
from smppgw.errors import SmppgwError
from smppgw.queue.model import (
    Acceptance,
    CancelStatus,
    Depths,
    IdRelationView,
    InboundView,
    MessageQuery,
    MessageView,
    NewMessage,
    ParkedReceiptView,
    QuarantineView,
)
from smppgw.telemetry import Metrics


class Unavailable(SmppgwError):
    """Nothing was accepted; the same request may work later. Answered with 503 and Retry-After."""

    def __init__(self, code: str, text: str, *, retry_after_s: int = 1) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.retry_after_s = retry_after_s


def stopping() -> Unavailable:
    """What `Services.accept` raises once the gateway is stopping."""
    return Unavailable("stopping", "the gateway is stopping; repeat the request in a moment", retry_after_s=5)


def too_busy() -> Unavailable:
    """What `Services.accept` raises when too many messages wait for their commit (store.max_waiting_accepts)."""
    return Unavailable("too_busy", "too many messages are waiting to be stored; send more slowly")


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether messages can be accepted now, and if not, why: a code such as "stopping" or "store_unavailable"."""

    ready: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Services:
    """All awaitables are for asyncio. They raise StoreUnavailable or StoreError; `accept` Unavailable as well."""

    settings: Settings
    metrics: Metrics
    utc_ms: Callable[[], int]
    accept: Callable[[Sequence[NewMessage]], Awaitable[Sequence[Acceptance]]]
    cancel: Callable[[int, str], Awaitable[CancelStatus]]  # (message id, account)
    message: Callable[[int], Awaitable[MessageView | None]]
    messages: Callable[[MessageQuery], Awaitable[Sequence[MessageView]]]
    inbound: Callable[[int | None, int], Awaitable[Sequence[InboundView]]]  # (before, limit)
    parked_receipts: Callable[[int | None, int], Awaitable[Sequence[ParkedReceiptView]]]  # (before, limit)
    quarantine: Callable[[int | None, int], Awaitable[Sequence[QuarantineView]]]  # (before, limit)
    id_relations: Callable[[], Awaitable[Sequence[IdRelationView]]]
    depths: Callable[[], Awaitable[Depths]]
    binds: Callable[[], Sequence[BindStatus]]
    ready: Callable[[], Readiness]
