"""The store as tests of binds use it: filled with one-segment messages, and looked into segment by segment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from smppgw.addresses import Address
from smppgw.queue import views
from smppgw.queue.model import (
    Accept,
    Lane,
    NewMessage,
    Op,
    Reason,
    SegmentState,
    message_id_of,
    segment_id,
)
from tests.support.inlinestore import InlineStore

RECIPIENT = "447700900001"
SENDER = "447700900999"


class Segment(NamedTuple):
    state: SegmentState
    reason: Reason
    attempts: int
    claims: int


class BindStore(InlineStore):
    """An InlineStore with short names for what tests of binds ask."""

    def __init__(self, now_utc_ms: Callable[[], int]) -> None:
        super().__init__()
        self.now_utc_ms = now_utc_ms
        #: The most segments that any commit left IN_FLIGHT.
        self.most_in_flight = 0

    def queue(
        self,
        count: int = 1,
        *,
        carrier: str = "demo",
        lane: Lane = Lane.TRANSACTIONAL,
        recipient: str | Callable[[int], str] = RECIPIENT,
        octets: bytes = b"hello",
        validity_ms: int = 172_800_000,
    ) -> list[int]:
        """Queues one-segment messages at once; their segment ids."""
        messages = [
            NewMessage(
                account="app",
                carrier=carrier,
                lane=lane,
                source=Address(1, 1, SENDER),
                destination=Address(1, 1, recipient if isinstance(recipient, str) else recipient(number)),
                text="hello",
                alphabet="gsm7",
                data_coding=0,
                esm_class=0,
                segments=(octets,),
                registered_delivery=1,
                validity_ms=validity_ms,
            )
            for number in range(count)
        ]
        op = Accept(messages, self.now_utc_ms())
        self.commit_now(op)
        return [segment_id(one.message_id, 1) for one in op.result]

    async def commit(self, *ops: Op[Any]) -> None:
        await super().commit(*ops)
        self.most_in_flight = max(self.most_in_flight, self._one("SELECT count(*) FROM segment WHERE state = 1"))

    def ops(self, kind: type[Any]) -> list[Any]:
        """All operations of one type that were committed, in order."""
        return [op for ops in self.commits for op in ops if isinstance(op, kind)]

    def states(self) -> dict[str, int]:
        """How many segments stand where, by name."""
        found = self.connection.execute("SELECT state, count(*) FROM segment GROUP BY state")
        return {SegmentState(state).label: count for state, count in found}

    def segment(self, number: int) -> Segment:
        statement = "SELECT state, reason, attempts, claims FROM segment WHERE id = ?"
        state, reason, attempts, claims = self.connection.execute(statement, (number,)).fetchone()
        return Segment(SegmentState(state), Reason(reason), attempts, claims)

    def segments(self) -> list[Segment]:
        """All of them, in the order in which they were queued."""
        return [self.segment(number) for (number,) in self.connection.execute("SELECT id FROM segment ORDER BY id")]

    def reasons(self, number: int) -> list[Reason]:
        """Why a segment moved, move by move, as operators see it."""
        message = views.message(self.connection, message_id_of(number))
        assert message is not None
        return [entry.reason for entry in message.history]

    def details(self, number: int) -> list[str]:
        """What the history of a segment says besides the reasons."""
        found = self.connection.execute("SELECT detail FROM history WHERE segment_id = ? ORDER BY id", (number,))
        return [detail for (detail,) in found]

    def receipts(self) -> int:
        """How many are stored, parked ones included."""
        return self._one("SELECT count(*) FROM receipt")

    def texts(self) -> list[str]:
        """The inbound texts, oldest first."""
        return [text for (text,) in self.connection.execute("SELECT text FROM inbound ORDER BY id")]

    def _one(self, statement: str) -> int:
        return int(self.connection.execute(statement).fetchone()[0])
