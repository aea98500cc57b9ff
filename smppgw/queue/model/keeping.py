"""Operations of our own clock and of people: errands, cancelling, recovery, deadlines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from smppgw.addresses import Address
from smppgw.queue.model.sending import (
    Op,
    RetryPlan,
)
from smppgw.queue.model.states import ReceiptState


class ErrandKind(IntEnum):
    """What is to be asked of the SMSC about a SENT segment. The value is stored."""

    QUERY = 1  # query_sm
    CANCEL = 2  # cancel_sm


@dataclass(frozen=True, slots=True)
class Errand:
    segment_id: int
    kind: ErrandKind
    smsc_id: str
    source: Address
    destination: Address


@dataclass(slots=True)
class TakeErrands(Op[list[Errand]]):
    """Hands out up to `limit` errands of the carrier, cancel_sm first, each to one bind.

    They stay on disk as handed out until RecordErrands tells what came of them: a start lists them again.
    """

    carrier: str
    limit: int
    now_utc_ms: int


@dataclass(frozen=True, slots=True)
class ErrandDone:
    """What came of an errand. `state` and `error`: of query_sm_resp; a status other than 0 moves nothing.

    `command_status` None: it was asked and not answered. `asked` False: it was not even asked, and is listed again.
    """

    segment_id: int
    kind: ErrandKind
    command_status: int | None
    state: ReceiptState | None = None
    error: str = ""
    asked: bool = True


@dataclass(slots=True)
class RecordErrands(Op[int]):
    """Result: how many segments moved."""

    carrier: str
    bind: str
    done: Sequence[ErrandDone]
    now_utc_ms: int


class CancelStatus(StrEnum):
    CANCELLED = "cancelled"  # nothing of it was sent, and nothing will be
    ASKED = "asked"  # the carrier was, or will be, asked by cancel_sm
    #: Nothing more of it is sent. Nobody can tell whether the carrier has what was written and not answered; if an
    #: answer still says so, it is asked by cancel_sm.
    IN_DOUBT = "in_doubt"
    TOO_LATE = "too_late"  # final already, or being sent at this moment; parts that still waited are not sent
    UNKNOWN = "unknown"  # no such message of this account


@dataclass(slots=True)
class Cancel(Op[CancelStatus]):
    """An app takes a message back: queued segments at once; SENT ones by cancel_sm."""

    message_id: int
    account: str
    now_utc_ms: int


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """An overdue receipt is asked for `attempts` times by query_sm, so long apart, before the segment is UNKNOWN.

    It is so not before `receipt_timeout_ms` after the validity. `attempts` is 0 for carriers that cannot be asked.
    """

    attempts: int
    interval_ms: int
    receipt_timeout_ms: int = 0


@dataclass(slots=True)
class Recover(Op[int]):
    """At start: what an earlier process left IN_FLIGHT was written but not answered. Result: how many moved."""

    now_utc_ms: int
    doubt_timeout_ms: Mapping[str, int]  # by carrier
    resend: Mapping[str, RetryPlan]  # the carriers with on_doubt = "resend"
    default_doubt_timeout_ms: int = 86_400_000


@dataclass(frozen=True, slots=True)
class Swept:
    expired: int
    doubt_timeout: int
    receipt_overdue: int
    more: bool  # the limit was reached: sweep again soon


@dataclass(slots=True)
class Sweep(Op[Swept]):
    """Resolves doubts by parked receipts; moves what is past its deadline, at most `limit` segments of each kind; a
    receipt that has been parked for `parked_keep_ms` is looked for no longer."""

    now_utc_ms: int
    doubt_match_ms: Mapping[str, int] = field(default_factory=dict)  # by carrier: how old a doubt may be
    limit: int = 1000
    query: Mapping[str, QueryPlan] = field(default_factory=dict)  # by carrier
    parked_keep_ms: int = 7 * 86_400_000


@dataclass(slots=True)
class Probe(Op[None]):
    """Writes 64 KiB and takes them back: whether a disk that was full takes data again."""
