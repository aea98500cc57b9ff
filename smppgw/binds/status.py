"""What a bind shows of itself: its state, what limits it right now, and its counters."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from smppgw.telemetry import Recorded


class BindKind(StrEnum):
    """Which bind request opened, or will open, the session."""

    TRANSCEIVER = "transceiver"
    TRANSMITTER = "transmitter"
    RECEIVER = "receiver"


class BindState(StrEnum):
    """Where a bind stands. The three bound states carry the names of SMPP 3.4, section 2.2."""

    CONNECTING = "connecting"
    BINDING = "binding"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBINDING = "unbinding"
    BACKING_OFF = "backing_off"
    STOPPED = "stopped"

    @property
    def is_bound(self) -> bool:
        return self in (BindState.BOUND_TX, BindState.BOUND_RX, BindState.BOUND_TRX)


class Alarm(StrEnum):
    """Why an operator should look at a bind."""

    PAUSED = "paused"  # a command_status whose outcome is `pause`
    RECEIPTS_MISSING = "receipts_missing"  # too few receipts come for what the SMSC accepts
    NO_ANSWERS = "no_answers"  # the SMSC takes submit_sms and answers none
    CREDENTIALS = "credentials"  # the SMSC refuses the bind, and an account may get locked
    ALREADY_BOUND = "already_bound"  # the SMSC holds on to a session of ours, or there are too many
    BIND_REFUSED = "bind_refused"  # the SMSC refuses the bind for another reason, again and again
    BIND_IMPOSSIBLE = "bind_impossible"  # our own settings fit into no bind request
    OUTBIND_REFUSED = "outbind_refused"  # somebody sent an outbind that is not that of our SMSC
    RECEIPTS_UNMATCHED = "receipts_unmatched"  # receipts come, and nearly none finds its message


class Limit(StrEnum):
    """What keeps a bind from submitting more right now."""

    DOWN = "down"  # not bound
    STOPPING = "stopping"
    RECEIVES_ONLY = "receives_only"
    STORE = "store"  # waiting for a commit, or the store cannot write
    THROTTLED = "throttled"  # the pause after ESME_RTHROTTLED
    PAUSED = "paused"  # the longer pause after a command_status whose outcome is `pause`
    PROBING = "probing"  # one submit_sm at a time, or none for a while: the session before answered none
    WINDOW = "window"  # as many submit_sm unanswered as allowed
    RATE = "rate"  # our own rate_per_s
    CAPPED = "capped"  # a limit of the account (`caps`) is used up
    NOTHING_QUEUED = "nothing_queued"


@dataclass(frozen=True, slots=True)
class BindStatus:
    """One bind at one moment. Counters run since the start of the process."""

    name: str  # "carrier/1"; of a pair "carrier/1-tx" and "carrier/1-rx"
    carrier: str
    kind: BindKind
    state: BindState
    since_utc_ms: int  # when it came into this state
    window: int
    in_window: int
    overdue: int  # of those in the window, unanswered past timers.response_s
    limit: Limit
    submits_per_s: float  # over the last second
    submitted: int
    accepted: int
    refused: int  # throttled ones not included
    throttled: int
    receipts: int
    inbound: int
    reconnects: int
    last_error: str
    next_attempt_utc_ms: int | None  # of the next connect, while backing off
    rtt_ms: float | None  # median of the latest submit_sm to submit_sm_resp
    unrecorded: int  # answers and receipts waiting for the store
    deviations: Mapping[str, int] = field(default_factory=dict)  # what was tolerated, by name
    link: str = ""  # "carrier/1": that of both halves of a pair
    endpoint: str = ""  # "host:port" in use, or tried at the moment; '' when none
    alarm: str = ""  # why an operator should look: an Alarm, or '' when all is well
    paused_until_utc_ms: int | None = None  # while Limit.PAUSED
    interface_version: str = ""  # what the SMSC told of itself, a hint only; '' when nothing


class Observer(Protocol):
    """Is told what the metrics need that counters cannot say. Calls come per batch, never per message."""

    def answered(self, carrier: str, bind: str, elapsed_s: Sequence[float]) -> None:
        """Times from submit_sm to its response, of the responses of one read."""
        ...

    def committed(self, carrier: str, bind: str, elapsed_s: float, items: int) -> None:
        """A bind's transaction is on disk."""
        ...

    def recorded(self, carrier: str, bind: str, what: Recorded) -> None:
        """What became of what a bind had recorded. Not called for commits without any answers, deliveries and bad
        PDUs."""
        ...

    def state_changed(self, carrier: str, bind: str, state: BindState) -> None: ...


class NullObserver:
    """Looks away."""

    def answered(self, carrier: str, bind: str, elapsed_s: Sequence[float]) -> None:
        return None

    def committed(self, carrier: str, bind: str, elapsed_s: float, items: int) -> None:
        return None

    def recorded(self, carrier: str, bind: str, what: Recorded) -> None:
        return None

    def state_changed(self, carrier: str, bind: str, state: BindState) -> None:
        return None


class RateMeter:
    """Events per second over the last second, from two counters instead of a list of events."""

    def __init__(self) -> None:
        self._second = 0
        self._count = 0
        self._previous = 0

    def add(self, count: int, now_mono: float) -> None:
        self._turn(now_mono)
        self._count += count

    def per_s(self, now_mono: float) -> float:
        self._turn(now_mono)
        return self._previous * (1.0 - now_mono % 1.0) + self._count

    def _turn(self, now_mono: float) -> None:
        second = int(now_mono // 1.0)
        if second != self._second:
            self._previous = self._count if second == self._second + 1 else 0
            self._second, self._count = second, 0


@dataclass(slots=True)
class Counters:
    """What a bind counts, over all its sessions."""

    submitted: int = 0
    accepted: int = 0
    refused: int = 0
    throttled: int = 0
    receipts: int = 0
    inbound: int = 0
    connects: int = 0
    deviations: Counter[str] = field(default_factory=Counter)
    submits: RateMeter = field(default_factory=RateMeter)
    rtts_s: deque[float] = field(default_factory=lambda: deque(maxlen=101))  # a sample: one of each read

    def rtt_ms(self) -> float | None:
        ordered = sorted(self.rtts_s)
        return ordered[len(ordered) // 2] * 1000 if ordered else None
