"""What a bind has to tell the store, by kinds, and how each kind becomes operations.

A kind is a field of `Batch` and a row of `KINDS`. Refuses to know when it is told, and what the store answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from smppgw.binds.submit import ClaimKey
from smppgw.config import CarrierSettings, OnDoubt
from smppgw.queue.model import (
    Doubt,
    ErrandDone,
    IdForm,
    InboundText,
    Op,
    Quarantine,
    Quarantined,
    Reason,
    ReceiptRecord,
    RecordErrands,
    RecordInbound,
    RecordOutcomes,
    RecordReceipts,
    RetryPlan,
    SettleInbound,
    SubmitOutcome,
    Withdraw,
)
from smppgw.smpp import DataSmResp, DeliverSmResp

#: Response to a delivery; None once the session it belongs to is gone.
Answer = DeliverSmResp | DataSmResp | None


class Doubtful(NamedTuple):
    """A submit_sm that was written, and of which nobody can tell whether the SMSC has it."""

    segment_id: int
    claim: int
    reason: Reason
    #: It was answered, but the answer cannot be recorded: not to be sent again, whatever on_doubt says.
    answered: bool = False


class Inbound(NamedTuple):
    """An inbound text, the response due after its commit, when it came and over which session."""

    text: InboundText
    answer: Answer
    came_mono: float
    session: int


class Teller(NamedTuple):
    """Who tells the store: a bind, and what its settings say about it, worked out once."""

    carrier: str
    bind: str
    retry: RetryPlan
    resend: RetryPlan | None
    receipt_timeout_ms: int  # with query_sm: until the first question, as is look_after_ms
    look_after_ms: int
    doubt_timeout_ms: int
    id_form: IdForm
    alive: Callable[[], Sequence[int]]  # the carrier's sessions that are open now


#: After the end of the validity, how long a receipt may be on its way before the SMSC is asked.
_GRACE_S = 60.0
_NEVER_MS = 1 << 53


def _first_look(settings: CarrierSettings) -> tuple[int, int]:
    """How long (ms) after the validity, and how long after the answer at most, a missing receipt is seen to."""
    query, timeout_s = settings.query, settings.receipt_timeout_s
    if not query.enabled:
        return round(timeout_s * 1000), _NEVER_MS
    return round(min(timeout_s, _GRACE_S) * 1000), round(query.after_s * 1000) or _NEVER_MS


def teller(carrier: str, bind: str, settings: CarrierSettings, alive: Callable[[], Sequence[int]]) -> Teller:
    retry = RetryPlan(
        settings.retry.first_s, settings.retry.factor, settings.retry.max_s, settings.retry.max_attempts
    )
    return Teller(
        carrier,
        bind,
        retry,
        retry if settings.on_doubt is OnDoubt.RESEND else None,
        *_first_look(settings),
        round(settings.doubt_timeout_s * 1000),
        IdForm(settings.ids.relation.value),
        alive,
    )


# ---------------------------------------------------------------------------------------------------------------- #
# The kinds
# ---------------------------------------------------------------------------------------------------------------- #

Ops = Iterator[Op[Any]]


def _outcomes(who: Teller, items: list[SubmitOutcome], now_utc_ms: int) -> Ops:
    waits = (who.receipt_timeout_ms, who.id_form, who.look_after_ms)
    yield RecordOutcomes(who.carrier, who.bind, items, now_utc_ms, who.retry, *waits)


def _receipts(who: Teller, items: list[tuple[ReceiptRecord, Answer]], now_utc_ms: int) -> Ops:
    yield RecordReceipts(who.carrier, who.bind, [record for record, _ in items], now_utc_ms, who.id_form)


def _inbound(who: Teller, items: list[Inbound], now_utc_ms: int) -> Ops:
    """One for each session, the older first: what it left behind may be the twin of what came since."""
    for session, group in groupby(items, lambda one: one.session):
        texts = [one.text for one in group]
        yield RecordInbound(who.carrier, who.bind, texts, now_utc_ms, session, who.alive())


def _doubts(who: Teller, items: list[Doubtful], now_utc_ms: int) -> Ops:
    for reason, answered in dict.fromkeys((one.reason, one.answered) for one in items):
        claims = [one[:2] for one in items if (one.reason, one.answered) == (reason, answered)]
        resend = None if answered else who.resend
        yield Doubt(who.carrier, who.bind, claims, reason, now_utc_ms, who.doubt_timeout_ms, resend)


def _withdrawals(who: Teller, items: list[ClaimKey], now_utc_ms: int) -> Ops:
    yield Withdraw(who.carrier, who.bind, items, now_utc_ms)


def _errands(who: Teller, items: list[ErrandDone], now_utc_ms: int) -> Ops:
    yield RecordErrands(who.carrier, who.bind, items, now_utc_ms)


def _settled(who: Teller, items: list[int], now_utc_ms: int) -> Ops:
    yield SettleInbound(items, [])


def _late(who: Teller, items: list[int], now_utc_ms: int) -> Ops:
    yield SettleInbound([], items)


def _quarantined(who: Teller, items: list[Quarantined], now_utc_ms: int) -> Ops:
    yield Quarantine(who.carrier, who.bind, items, now_utc_ms)


@dataclass(slots=True)
class Batch:
    """What is waiting to be recorded, by kind; see KINDS."""

    outcomes: list[SubmitOutcome] = field(default_factory=list)
    receipts: list[tuple[ReceiptRecord, Answer]] = field(default_factory=list)
    inbound: list[Inbound] = field(default_factory=list)
    doubts: list[Doubtful] = field(default_factory=list)
    withdrawals: list[ClaimKey] = field(default_factory=list)
    errands: list[ErrandDone] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)  # ids of inbound texts whose answer has arrived
    late: list[int] = field(default_factory=list)  # and of those that were answered late
    quarantined: list[Quarantined] = field(default_factory=list)

    def __len__(self) -> int:
        return sum([len(getattr(self, kind.name)) for kind in KINDS])

    @property
    def deliveries(self) -> int:
        return len(self.receipts) + len(self.inbound)

    def put_back(self, older: Batch) -> None:
        """Takes in again what could not be recorded, before what came since."""
        for kind in KINDS:
            getattr(self, kind.name)[:0] = getattr(older, kind.name)

    def present(self) -> list[tuple[Kind, list[Any]]]:
        """The kinds of which there is something, with their items."""
        return [(kind, items) for kind in KINDS if (items := getattr(self, kind.name))]

    def halves(self) -> list[Batch]:
        """Two smaller batches, or one for each kind where there are several; [] of a single item."""
        present = self.present()
        if len(present) > 1:
            return [_of(kind, items) for kind, items in present]
        if not present or len(present[0][1]) < 2:
            return []
        ((kind, items),) = present
        middle = len(items) // 2
        return [_of(kind, items[:middle]), _of(kind, items[middle:])]

    def answers(self) -> list[DeliverSmResp | DataSmResp]:
        """The responses that are due with these deliveries."""
        return [
            answer
            for kind, items in self.present()
            if kind.answer_of is not None
            for answer in map(kind.answer_of, items)
            if answer is not None
        ]

    def operations(self, who: Teller, now_utc_ms: int) -> list[Op[Any]]:
        return [op for kind, items in self.present() for op in kind.ops(who, items, now_utc_ms)]


class Kind(NamedTuple):
    """One field of Batch: how its items become operations, and what an item is called in the log.

    `answer_of`: of a delivery, the response due. `in_doubt`: of an answer, what is left when it cannot be recorded.
    """

    name: str
    ops: Callable[[Teller, list[Any], int], Ops]
    called: Callable[[Any], str]
    answer_of: Callable[[Any], Answer] | None = None
    in_doubt: Callable[[Any], Doubtful] | None = None


def _is_lost(outcome: SubmitOutcome) -> Doubtful:
    return Doubtful(outcome.segment_id, outcome.claim, Reason.RESPONSE_OVERDUE, answered=True)


#: In the order of the transaction. Outcomes stand before doubts: a response that came in the same breath as its
#: deadline decides.
KINDS = (
    Kind("outcomes", _outcomes, lambda one: f"outcome of segment {one.segment_id}", in_doubt=_is_lost),
    Kind("receipts", _receipts, lambda one: "receipt", answer_of=lambda one: one[1]),
    Kind("inbound", _inbound, lambda one: "inbound text", answer_of=lambda one: one.answer),
    Kind("doubts", _doubts, lambda one: f"doubt about segment {one.segment_id}"),
    Kind("withdrawals", _withdrawals, lambda one: f"withdrawal of segment {one[0]}"),
    Kind("errands", _errands, lambda one: f"{one.kind.name.lower()} of segment {one.segment_id}"),
    Kind("settled", _settled, lambda one: f"answer to inbound text {one}"),
    Kind("late", _late, lambda one: f"late answer to inbound text {one}"),
    Kind("quarantined", _quarantined, lambda one: "bad PDU"),
)


def _of(kind: Kind, items: list[Any]) -> Batch:
    return Batch(**{kind.name: items})
