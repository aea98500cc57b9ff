"""The one interface to the durable truth."""

from __future__ import annotations

from typing import Any, Protocol

from smppgw.queue.model.sending import Op
from smppgw.queue.model.views import (
    Depths,
    IdRelationView,
    InboundView,
    MessageQuery,
    MessageView,
    ParkedReceiptView,
    QuarantineView,
)


class Work(Protocol):
    """Tells a bind that something may have become QUEUED for its carrier."""

    @property
    def version(self) -> int: ...

    async def changed(self, since: int) -> None:
        """Returns once `version` differs from `since`."""
        ...


class Store(Protocol):
    """The one interface to the durable truth. All methods are for trio tasks."""

    async def commit(self, *ops: Op[Any]) -> None:
        """Runs the operations in order in one transaction, together with those of other callers (group commit).

        Returns once they are on disk. Raises StoreUnavailable or StoreError, and then nothing of them was kept.
        """
        ...

    def work(self, carrier: str) -> Work: ...

    async def message(self, message_id: int) -> MessageView | None: ...

    async def messages(self, query: MessageQuery) -> list[MessageView]: ...

    async def inbound(self, *, before: int | None, limit: int) -> list[InboundView]: ...

    async def parked_receipts(self, *, before: int | None, limit: int) -> list[ParkedReceiptView]: ...

    async def quarantine(self, *, before: int | None, limit: int) -> list[QuarantineView]: ...

    async def id_relations(self) -> list[IdRelationView]: ...

    async def depths(self) -> Depths: ...
