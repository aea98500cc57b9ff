from __future__ import annotations

from smppgw.queue.model import RetryPlan
from smppgw.queue.retry import retry_at


def schedule(plan: RetryPlan, jitter: float = 0.5) -> list[float | None]:
    found = [retry_at(attempt, 0, plan, jitter) for attempt in range(1, plan.max_attempts + 1)]
    return [None if due is None else due / 1000 for due in found]


def test_pauses_grow_to_their_cap_and_end() -> None:
    assert schedule(RetryPlan(first_s=2, factor=2, max_s=8, max_attempts=6)) == [2, 4, 8, 8, 8, None]


def test_a_fractional_factor() -> None:
    assert schedule(RetryPlan(first_s=1, factor=1.5, max_s=3, max_attempts=5)) == [1, 1.5, 2.25, 3, None]


def test_hundreds_of_attempts_are_no_overflow() -> None:
    assert schedule(RetryPlan(max_s=10, max_attempts=2000))[-2:] == [10, None]


def test_one_attempt_means_no_retry() -> None:
    assert schedule(RetryPlan(max_attempts=1)) == [None]


def test_jitter_spreads_by_a_tenth_each_way() -> None:
    plan = RetryPlan(first_s=10, factor=1, max_s=10, max_attempts=2)
    assert [schedule(plan, jitter)[0] for jitter in (0.0, 0.5, 1.0)] == [9, 10, 11]
