"""Whose turn it is to try one submit_sm."""

from __future__ import annotations

from smppgw.binds.probing import LOOK_S, Probes


def pauses(probes: Probes, failures: int, jitter: float = 0.0) -> list[float]:
    """How long it takes after each failure until the next probe."""
    found, now = [], 0.0
    for _ in range(failures):
        probes.take("a")
        probes.failed("a", now, jitter)
        free_at = probes.free_at("b", now)
        found.append(round(free_at - now, 3))
        now = free_at
    return found


def test_pauses_grow_to_a_quarter_of_an_hour() -> None:
    assert pauses(Probes(), 10) == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert pauses(Probes(), 3, jitter=1.0) == [3.5, 7.0, 14.0]


def test_only_an_answer_ends_them() -> None:
    probes = Probes()
    pauses(probes, 4)
    assert probes.free_at("a", 1000.0) == 1000.0
    assert pauses(probes, 1) == [80]
    probes.answered("a")
    assert probes.free_at("b", 0.0) == 0.0
    assert pauses(probes, 1) == [5]


def test_one_at_a_time() -> None:
    probes = Probes()
    assert [probes.free_at(bind, 7.0) for bind in ("a", "b")] == [7.0, 7.0]
    probes.take("a")
    assert [probes.free_at(bind, 7.0) for bind in ("a", "b")] == [7.0, 7.0 + LOOK_S]
    probes.give_back("b")  # it has none
    assert probes.free_at("b", 7.0) == 7.0 + LOOK_S
    probes.give_back("a")
    assert probes.free_at("b", 7.0) == 7.0
