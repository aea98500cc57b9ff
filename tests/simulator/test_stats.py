from __future__ import annotations

import json

from simulator.stats import Deliveries, Stats
from smppgw.smpp import Status


def test_the_summary_is_one_json_object_with_the_names_of_statuses() -> None:
    stats = Stats()
    stats.submits = 4
    stats.submits_by_status.update([0, 0, int(Status.ESME_RTHROTTLED), 0x411])
    stats.binds["transceiver"] += 1
    stats.binds_refused[Status.ESME_RINVPASWD] += 2
    summary = json.loads(json.dumps(stats.summary(open_binds=1)))
    assert summary["by_status"] == {"ESME_ROK": 2, "ESME_RTHROTTLED": 1, "0x00000411": 1}
    assert summary["accepted"] == 2
    assert summary["binds"] == {
        "accepted": 1,
        "by_kind": {"transceiver": 1},
        "refused": {"ESME_RINVPASWD": 2},
        "open": 1,
        "closed": {},
    }


def test_pending_is_what_was_made_and_not_acknowledged() -> None:
    assert Deliveries(due=5, sent=4, acked=3).summary() == {
        "due": 5,
        "sent": 4,
        "redelivered": 0,
        "acked": 3,
        "nacked": 0,
        "overdue": 0,
        "pending": 2,
    }


def test_the_rate_needs_two_moments() -> None:
    stats = Stats()
    assert stats.submits_per_s() is None
    stats.submits, stats.first_submit_utc_ms, stats.last_submit_utc_ms = 1, 1000, 1000
    assert stats.submits_per_s() is None
    stats.submits, stats.last_submit_utc_ms = 500, 3000
    assert stats.submits_per_s() == 250.0
