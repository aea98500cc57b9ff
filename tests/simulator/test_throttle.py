from __future__ import annotations

from simulator.throttle import TokenBucket


def taken(bucket: TokenBucket, now_mono: float, asked: int) -> int:
    bucket.refill(now_mono)
    return sum(bucket.take() for _ in range(asked))


def test_a_burst_then_the_rate() -> None:
    bucket = TokenBucket(rate=10, burst=5, now_mono=100.0)
    assert [taken(bucket, at, 20) for at in (100.0, 100.0, 100.1, 100.5, 200.0)] == [5, 0, 1, 4, 5]


def test_parts_of_tokens_add_up() -> None:
    bucket = TokenBucket(rate=2.5, burst=1, now_mono=0.0)
    assert [taken(bucket, at, 9) for at in (0.0, 0.2, 0.41, 0.6, 0.81)] == [1, 0, 1, 0, 1]


def test_time_that_steps_back_gives_nothing() -> None:
    bucket = TokenBucket(rate=10, burst=1, now_mono=50.0)
    assert [taken(bucket, at, 3) for at in (50.0, 40.0, 50.05, 50.1)] == [1, 0, 0, 1]
