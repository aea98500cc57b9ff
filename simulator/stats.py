"""The counts of one run, and the summary that `smppgw-simulator` prints when it stops.

Owns numbers only; whoever does a thing counts it here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from smppgw.smpp import status_name

#: Stands for the command_status of a submit that is never to be answered. No real one.
UNANSWERED = 0xFFFFFFFF


@dataclass(slots=True)
class Deliveries:
    """Counts of one kind of deliver_sm. `sent` counts every sending, `redelivered` those after the first."""

    due: int = 0  # made, whether sent yet or not
    sent: int = 0
    redelivered: int = 0
    acked: int = 0
    nacked: int = 0
    overdue: int = 0  # no deliver_sm_resp within response_s

    @property
    def pending(self) -> int:
        """Made and not acknowledged yet."""
        return self.due - self.acked

    def summary(self) -> dict[str, int]:
        return {
            "due": self.due,
            "sent": self.sent,
            "redelivered": self.redelivered,
            "acked": self.acked,
            "nacked": self.nacked,
            "overdue": self.overdue,
            "pending": self.pending,
        }


@dataclass(slots=True)
class Stats:
    """What happened so far."""

    connections: int = 0  # ours among them
    outbinds: int = 0
    binds: Counter[str] = field(default_factory=Counter)  # accepted, by kind
    binds_refused: Counter[int] = field(default_factory=Counter)  # by command_status
    closed: Counter[str] = field(default_factory=Counter)  # sessions, by CloseReason
    submits: int = 0  # messages asked for: submit_sm, data_sm, submit_multi
    submits_by_status: Counter[int] = field(default_factory=Counter)
    withheld: int = 0  # responses that a stall has kept back
    other_requests: Counter[str] = field(default_factory=Counter)  # by command
    distinct: int = 0  # (destination, text) pairs among the accepted submits
    duplicates: int = 0
    receipts: Deliveries = field(default_factory=Deliveries)  # intermediate notifications among them
    inbound: Deliveries = field(default_factory=Deliveries)
    rejected_pdus: Counter[str] = field(default_factory=Counter)  # bad requests that the session answered, by status
    odd_answers: Counter[str] = field(default_factory=Counter)  # to PDUs of odd.py: "name: response status"
    deviations: Counter[str] = field(default_factory=Counter)  # tolerated, of sessions that have ended
    connections_refused: int = 0  # past max_connections, every one of them bound
    connections_displaced: int = 0  # ended without a bind, to make room for another
    reports_dropped: int = 0  # notifications beside the receipts, past twice max_waiting
    idle_cuts: int = 0  # connections cut for a silent ESME
    rule_cuts: int = 0  # connections cut by rules and magic numbers
    switches: int = 0  # of the scenario
    lost_acks: int = 0  # deliver_sm_resp that were ignored, the connection cut
    session_failures: int = 0  # sessions ended by an error of ours
    max_window: int = 0  # most submits of one bind without a response at one time
    first_submit_utc_ms: int | None = None
    last_submit_utc_ms: int | None = None

    @property
    def accepted(self) -> int:
        """Submits answered with ESME_ROK."""
        return self.submits_by_status[0]

    def submits_per_s(self) -> float | None:
        """Submits a second between the first and the last; None before there are two moments."""
        if self.first_submit_utc_ms is None or self.last_submit_utc_ms is None:
            return None
        span_ms = self.last_submit_utc_ms - self.first_submit_utc_ms
        return round(self.submits * 1000 / span_ms, 1) if span_ms > 0 else None

    def summary(self, *, open_binds: int) -> dict[str, Any]:
        """The counts as one JSON object."""
        return {
            "connections": self.connections,
            "outbinds": self.outbinds,
            "binds": {
                "accepted": self.binds.total(),
                "by_kind": dict(self.binds),
                "refused": _by_name(self.binds_refused),
                "open": open_binds,
                "closed": dict(self.closed),
            },
            "submits": self.submits,
            "accepted": self.accepted,
            "by_status": _by_name(self.submits_by_status),
            "withheld": self.withheld,
            "distinct": self.distinct,
            "duplicates": self.duplicates,
            "receipts": self.receipts.summary(),
            "inbound": self.inbound.summary(),
            "other_requests": dict(self.other_requests),
            "rejected_pdus": dict(self.rejected_pdus),
            "odd_answers": dict(self.odd_answers),
            "deviations": dict(self.deviations),
            "connections_refused": self.connections_refused,
            "connections_displaced": self.connections_displaced,
            "reports_dropped": self.reports_dropped,
            "idle_cuts": self.idle_cuts,
            "rule_cuts": self.rule_cuts,
            "switches": self.switches,
            "lost_acks": self.lost_acks,
            "session_failures": self.session_failures,
            "max_window": self.max_window,
            "first_submit_utc_ms": self.first_submit_utc_ms,
            "last_submit_utc_ms": self.last_submit_utc_ms,
            "submits_per_s": self.submits_per_s(),
        }


def _by_name(by_status: Counter[int]) -> dict[str, int]:
    return {
        status_name(status) if status != UNANSWERED else "unanswered": count
        for status, count in sorted(by_status.items())
    }
