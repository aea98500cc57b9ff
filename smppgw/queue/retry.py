"""When a segment that was refused for now is tried again: a pure policy."""

from __future__ import annotations

from smppgw.queue.model import RetryPlan

#: Share of each pause that is spread, so that a batch refused together does not come back together.
SPREAD = 0.2


def retry_at(attempts: int, now_utc_ms: int, plan: RetryPlan, jitter: float) -> int | None:
    """When to try again after the `attempts`-th counted refusal (from 1); None when that was the last.

    `jitter` is a number from 0 to 1: it moves the moment within +-10 % of the pause.
    """
    if attempts >= plan.max_attempts:
        return None
    try:
        pause_s = min(plan.first_s * plan.factor ** (attempts - 1), plan.max_s)
    except OverflowError:  # hundreds of attempts
        pause_s = plan.max_s
    return now_utc_ms + round(pause_s * (1 + SPREAD * (jitter - 0.5)) * 1000)
