"""When receipts that find no message are worth an alarm."""

from __future__ import annotations

import pytest

from smppgw.binds.unmatched import MatchWatch


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([(0, 19), (0, 19), (0, 19)], [False, False, False]),  # too few to say anything
        ([(0, 20), (0, 20)], [False, True]),
        ([(0, 20), (2, 20)], [False, False]),  # a tenth is enough
        ([(0, 100), (9, 100)], [False, True]),
        ([(0, 20), (20, 20)], [False, False]),  # they came before their submit_sm_resp
        ([(0, 20), (0, 20), (0, 30), (0, 30)], [False, True, True, True]),  # too few to say otherwise
        ([(0, 20), (0, 20), (20, 40), (20, 40)], [False, True, True, False]),
        ([(0, 20), (0, 20), (3, 4), (24, 24), (24, 24)], [False, True, True, True, False]),  # counted anew: learned
    ],
)
def test_nearly_none_matched(looks: list[tuple[int, int]], expected: list[bool]) -> None:
    watch = MatchWatch(0, 0)
    assert [watch.unmatched(*look) for look in looks] == expected


def test_what_was_before_the_start_does_not_count() -> None:
    watch = MatchWatch(0, 500)
    assert [watch.unmatched(0, 500), watch.unmatched(0, 510)] == [False, False]
    assert [watch.unmatched(20, 530), watch.unmatched(20, 530)] == [False, False]
