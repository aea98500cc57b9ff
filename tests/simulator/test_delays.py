from __future__ import annotations

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.delays import NO_DELAY, Delay, parse_delay

TIMES = st.floats(0, 1e6)
CHANCES = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", Delay(0, 0)),
        ("2", Delay(2, 2)),
        ("0.5:3", Delay(0.5, 3)),
        ("20ms", Delay(0.02, 0.02)),
        (" 20ms:2s ", Delay(0.02, 2)),
        ("20:200ms", Delay(0.02, 0.2)),
        ("1m:1h", Delay(60, 3600)),
        ("20ms~5ms", Delay(0.02, 0.02, 0.005)),
        ("20~5ms", Delay(0.02, 0.02, 0.005)),
        ("20ms, 1% 2s", Delay(0.02, 0.02, 0.0, 2, 0.01)),
        ("1:2,0.5% 1m", Delay(1, 2, 0.0, 60, 0.005)),
        ("1~2, 50% 9", Delay(1, 1, 2, 9, 0.5)),
    ],
)
def test_the_notation(text: str, expected: Delay) -> None:
    delay = parse_delay(text)
    assert delay.problem() is None
    for name in ("min_s", "max_s", "deviation_s", "spike_s", "spike_share"):
        assert getattr(delay, name) == pytest.approx(getattr(expected, name)), name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "-1",
        "1:",
        ":1",
        "3:2",
        "1s:2ms",
        "1e3",
        "nan",
        "1:2:3",
        "1~",
        "1, 2s",
        "1, 1%",
        "1, 100% 2s",
        "1~2~3",
    ],
)
def test_what_is_no_delay(text: str) -> None:
    with pytest.raises(ValueError, match=r"delay|longer|share"):
        parse_delay(text)


@pytest.mark.parametrize(
    ("delay", "chance", "expected"),
    [
        (Delay(1, 3), 0.0, 1),
        (Delay(1, 3), 0.5, 2),
        (Delay(5, 5, 2), 0.5, 5),
        (Delay(5, 5, 2), 0.8413447, 7),  # one deviation above the mean
        (Delay(1, 1, 2), 0.0, 0),  # never below nothing
        (Delay(1, 1, 0, 9, 0.1), 0.0999, 9),
        (Delay(1, 1, 0, 9, 0.1), 0.1, 1),
        (Delay(1, 3, 0, 9, 0.5), 0.75, 2),  # what is left of the chance decides the rest
    ],
)
def test_what_is_drawn(delay: Delay, chance: float, expected: float) -> None:
    assert delay.draw(chance) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("delay", "fixed_s"),
    [
        (NO_DELAY, 0.0),
        (Delay(2, 2), 2),
        (Delay(1, 2), None),
        (Delay(2, 2, 0.1), None),
        (Delay(2, 2, 0, 5, 0.1), None),
    ],
)
def test_which_draws_are_all_the_same(delay: Delay, fixed_s: float | None) -> None:
    assert delay.fixed_s == fixed_s


@pytest.mark.parametrize(
    "delay",
    [
        Delay(2, 1),
        Delay(-1, 1),
        Delay(0, float("inf")),
        Delay(float("nan"), 1),
        Delay(1, 1, -1),
        Delay(1, 1, 0, -1, 0.1),
        Delay(1, 1, 0, 1, 1.0),
        Delay(1, 1, 0, 1, -0.1),
    ],
)
def test_the_impossible_has_a_problem(delay: Delay) -> None:
    assert delay.problem() is not None


@given(TIMES, TIMES, CHANCES, st.floats(0, 0.99), CHANCES)
def test_a_draw_lies_within_what_it_is_drawn_from(
    one: float, other: float, spike_s: float, share: float, chance: float
) -> None:
    low, high = sorted((one, other))
    drawn = Delay(low, high, 0.0, spike_s, share).draw(chance)
    assert drawn == spike_s or low <= drawn <= high * (1 + 1e-9)


@given(TIMES, TIMES, CHANCES)
def test_a_normal_draw_is_a_time(mean: float, deviation: float, chance: float) -> None:
    assert 0 <= Delay(mean, mean, deviation).draw(chance) <= mean + 5 * deviation


def test_the_shape_of_many_draws() -> None:
    chance = random.Random(1).random
    drawn = [parse_delay("1~0.1, 1% 60").draw(chance()) for _ in range(20_000)]
    usual = [one for one in drawn if one < 60]
    assert (len(drawn) - len(usual)) / len(drawn) == pytest.approx(0.01, abs=0.003)
    assert statistics.mean(usual) == pytest.approx(1, abs=0.01)
    assert statistics.stdev(usual) == pytest.approx(0.1, abs=0.01)
