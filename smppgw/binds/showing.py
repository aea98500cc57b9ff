"""A bind as operators see it: what its context remembers, and what its session says right now."""

from __future__ import annotations

from collections import Counter

from smppgw.binds.context import BindContext
from smppgw.binds.driver import Driver
from smppgw.binds.status import BindStatus, Limit


def status_of(context: BindContext, driver: Driver | None, now_mono: float) -> BindStatus:
    """The bind at this moment; `driver` runs its session, where it has one."""
    counters = context.counters
    deviations = Counter(counters.deviations)
    if driver is not None:
        deviations.update(driver.tolerated)
    pause_s = context.paused_until_mono - now_mono
    return BindStatus(
        name=context.name,
        carrier=context.carrier,
        kind=context.kind,
        state=context.state,
        since_utc_ms=context.since_utc_ms,
        window=context.settings.window,
        in_window=0 if driver is None else driver.in_window,
        overdue=0 if driver is None else driver.overdue,
        limit=Limit.DOWN if driver is None else driver.limit(now_mono),
        submits_per_s=counters.submits.per_s(now_mono),
        submitted=counters.submitted,
        accepted=counters.accepted,
        refused=counters.refused,
        throttled=counters.throttled,
        receipts=counters.receipts,
        inbound=counters.inbound,
        reconnects=max(0, counters.connects - 1),
        last_error=context.last_error,
        next_attempt_utc_ms=context.next_attempt_utc_ms,
        rtt_ms=counters.rtt_ms(),
        unrecorded=context.recorder.unrecorded,
        deviations=dict(deviations),
        link=context.link.name,
        endpoint=context.endpoint,
        alarm=context.alarm,
        paused_until_utc_ms=context.clock.utc_ms() + round(pause_s * 1000) if pause_s > 0 else None,
        interface_version=context.interface_version,
    )
