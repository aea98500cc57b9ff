"""Pacing by whole schedules: when is each grant, and what does any sliding second hold."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from itertools import cycle
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.binds.pacing import NO_LIMIT, Bucket, CapCalendar, FullQueues, Pacer, ReceiptWatch, Throttle, caps_at
from smppgw.config import CapSettings, CapSpan
from smppgw.queue.model import Cap


def greedy(pacer: Pacer, until: float, start: float = 0.0) -> list[float]:
    """Times of the grants when one is taken as soon as it can be."""
    now, grants = start, []
    while (now := pacer.next_at(now)) <= until:
        granted = pacer.take(now, 1)
        assert granted == 1, f"next_at promised a grant at {now}"
        grants.append(round(now, 6))
    return grants


def most_in_a_second(grants: list[float]) -> int:
    """The fullest sliding second (t - 1, t]."""
    return max(index + 1 - bisect_right(grants, at - 1.0) for index, at in enumerate(grants))


@pytest.mark.parametrize(
    ("rate", "burst", "until", "expected"),
    [
        (4.0, 1, 1.5, [0.25, 0.5, 0.75, 1.0, 1.25, 1.5]),
        (0.5, 1, 7.0, [2.0, 4.0, 6.0]),
        (2.5, 1, 2.0, [0.4, 0.8, 1.2, 1.6, 2.0]),
    ],
)
def test_schedule(rate: float, burst: int, until: float, expected: list[float]) -> None:
    assert greedy(Pacer(rate, burst, 0.0), until) == expected


def test_a_restart_grants_no_burst_and_a_pause_grants_one() -> None:
    pacer = Pacer(2.0, 3, 0.0)
    assert pacer.take(0.0, 10) == 0
    pacer.rest(60.0)
    assert pacer.take(60.0, 10) == 3
    assert pacer.take(60.0, 10) == 0
    assert greedy(pacer, 62.0, 60.0) == [60.5, 61.0, 61.5, 62.0]


def test_no_rate_is_no_limit() -> None:
    pacer = Pacer(0.0, 1, 0.0)
    assert pacer.take(0.0, 5000) == 5000
    assert pacer.available(0.0) == pacer.forecast(0.0, 0.1) == NO_LIMIT
    assert pacer.next_at(7.0) == pacer.forecast_at(7.0, 99, 0.0) == 7.0
    assert not pacer.limited


@pytest.mark.parametrize("rate", [1.0, 7.0, 33.3, 100.0, 999.0, 5000.0])
def test_a_full_queue_uses_the_whole_rate(rate: float) -> None:
    """A loop that is 1 to 13 ms late each time still reaches 99 % of the rate, and never more."""
    pacer, now, grants = Pacer(rate, 1, 0.0), 0.0, []
    seconds, lateness = max(20.0, 20 / rate), cycle([0.002, 0.013, 0.001, 0.002])
    while now < seconds:
        now = max(pacer.next_at(now), now) + next(lateness)
        grants += [now] * pacer.take(now, 10_000)
    assert len(grants) >= 0.99 * rate * seconds - 1
    assert most_in_a_second(grants) <= rate + 1


@settings(max_examples=150, deadline=None)
@given(
    rate=st.one_of(st.floats(0.2, 300), st.integers(1, 300).map(float)),
    burst=st.integers(1, 50),
    steps=st.lists(st.tuples(st.floats(0, 1.5), st.integers(1, 100)), max_size=80),
)
def test_no_sliding_second_holds_more_than_rate_plus_burst(
    rate: float, burst: int, steps: list[tuple[float, int]]
) -> None:
    pacer, now, grants = Pacer(rate, burst, 0.0), 0.0, []
    for pause_s, wanted in steps:
        now += pause_s
        promised = pacer.available(now)
        granted = pacer.take(now, wanted)
        assert granted == min(promised, wanted)
        grants += [now] * granted
    if grants:
        assert most_in_a_second(grants) <= rate + burst + 1e-6
        assert len(grants) <= rate * now + 1e-3 * len(grants)


@settings(max_examples=150, deadline=None)
@given(rate=st.floats(0.5, 2000), ahead=st.floats(0, 0.1), wanted=st.integers(1, 60), idle=st.floats(0, 3))
def test_forecast_is_reached_when_said(rate: float, ahead: float, wanted: int, idle: float) -> None:
    pacer = Pacer(rate, 1, 0.0)
    at = pacer.forecast_at(idle, wanted, ahead)
    if at < float("inf"):
        assert at >= idle
        assert pacer.forecast(at + 1e-9, ahead) >= wanted
    else:
        assert pacer.forecast(1e6, ahead) < wanted


def test_claiming_ahead_covers_a_slow_commit() -> None:
    """With 190 per second and 8 ms per commit, what comes due meanwhile can be claimed before it is due."""
    pacer = Pacer(190.0, 1, 0.0)
    assert pacer.available(0.008) == 1
    assert pacer.forecast(0.008, 0.016) == 4


def test_lateness_is_made_up_and_a_rest_is_not() -> None:
    late, rested = Pacer(100.0, 1, 0.0), Pacer(100.0, 1, 0.0)
    assert late.take(0.05, 100) == 5
    rested.rest(0.05)
    assert rested.take(0.05, 100) == 1
    assert late.take(9.0, 100) == 11  # 100 ms of lateness, not 9 s


def test_throttle_holds_from_the_last_hit() -> None:
    throttle = Throttle(1.0)
    assert not throttle.active(0.0)
    throttle.hit(10.0)
    throttle.hit(10.4)
    assert [throttle.active(at) for at in (10.0, 11.3, 11.4, 12.0)] == [True, True, False, False]


def full_queues(recipients: int = 3) -> FullQueues:
    return FullQueues(delay_ms=30_000, recipients=recipients, span_s=10.0)


def test_one_full_recipient_never_slows_the_bind() -> None:
    queues = full_queues()
    assert [queues.hit("447700900001", at, int(at * 1000)) for at in (0.0, 1.0, 2.0, 3.0)] == [
        (30_000, False),
        (31_000, False),
        (32_000, False),
        (33_000, False),
    ]
    assert queues.held(3_000) == {"447700900001": 33_000}
    assert queues.held(33_000) == {}


def test_several_full_recipients_within_a_short_time_slow_the_bind_once() -> None:
    queues = full_queues()
    slowed = [queues.hit(f"44770090000{number}", number * 1.0, 0)[1] for number in range(6)]
    assert slowed == [False, False, True, False, False, True]


def test_several_full_recipients_over_a_long_time_do_not() -> None:
    queues = full_queues()
    assert not any(queues.hit(f"4477009000{number:02}", number * 6.0, 0)[1] for number in range(50))


def test_recipients_remembered_are_bounded_and_the_oldest_go() -> None:
    queues = full_queues(recipients=10**6)
    for number in range(FullQueues.MOST + 5):
        queues.hit(str(number), 0.0, number)
    held = queues.held(0)
    assert len(held) == FullQueues.MOST
    assert "4" not in held
    assert "5" in held


# Limits of the account ---------------------------------------------------------------------------------------------


def utc_ms(text: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def cap(per: CapSpan, count: int = 10, **more: object) -> CapSettings:
    return CapSettings.model_validate({"per": per, "count": count, **more})


@pytest.mark.parametrize(
    ("per", "zone", "now", "start", "end"),
    [
        (CapSpan.MINUTE, "UTC", "2026-05-03T11:22:33", "2026-05-03T11:22", "2026-05-03T11:23"),
        (CapSpan.HOUR, "UTC", "2026-05-03T11:22:33", "2026-05-03T11:00", "2026-05-03T12:00"),
        (CapSpan.DAY, "UTC", "2026-05-03T11:22:33", "2026-05-03", "2026-05-04"),
        (CapSpan.DAY, "UTC", "2026-12-31T23:59:59.999", "2026-12-31", "2027-01-01"),
        # the borders belong to what begins there
        (CapSpan.MINUTE, "UTC", "2026-05-03T11:22:00", "2026-05-03T11:22", "2026-05-03T11:23"),
        (CapSpan.DAY, "Europe/Rome", "2026-05-03T00:00:00", "2026-05-03", "2026-05-04"),
        # a day of 23 hours, and one of 25
        (CapSpan.DAY, "Europe/Rome", "2026-03-29T12:00:00", "2026-03-29", "2026-03-30"),
        (CapSpan.DAY, "Europe/Rome", "2026-10-25T12:00:00", "2026-10-25", "2026-10-26"),
        # half an hour and a quarter beside UTC
        (CapSpan.HOUR, "Asia/Kolkata", "2026-05-03T11:22:33", "2026-05-03T11:00", "2026-05-03T12:00"),
        (CapSpan.HOUR, "Asia/Kathmandu", "2026-05-03T11:52:33", "2026-05-03T11:00", "2026-05-03T12:00"),
        (CapSpan.DAY, "America/New_York", "2026-05-03T23:30:00", "2026-05-03", "2026-05-04"),
    ],
)
def test_a_cap_knows_the_span_that_it_is(per: CapSpan, zone: str, now: str, start: str, end: str) -> None:
    (found,) = caps_at([cap(per, time_zone=zone)], utc_ms(now, zone))
    assert (found.start_utc_ms, found.end_utc_ms) == (utc_ms(start, zone), utc_ms(end, zone))


def test_the_days_on_which_clocks_change_are_an_hour_off() -> None:
    days = [("2026-03-29", 23), ("2026-03-30", 24), ("2026-10-25", 25)]
    for day, hours in days:
        (found,) = caps_at([cap(CapSpan.DAY, time_zone="Europe/Rome")], utc_ms(f"{day}T12:00", "Europe/Rome"))
        assert found.end_utc_ms - found.start_utc_ms == hours * 3_600_000


def test_a_day_that_has_no_midnight_begins_when_it_begins() -> None:
    """In Chile clocks go from 24:00 to 01:00."""
    zone = "America/Santiago"
    (found,) = caps_at([cap(CapSpan.DAY, time_zone=zone)], utc_ms("2026-09-06T12:00", zone))
    assert found.start_utc_ms == utc_ms("2026-09-06T01:00", zone)
    (before,) = caps_at([cap(CapSpan.DAY, time_zone=zone)], found.start_utc_ms - 1)
    assert before.end_utc_ms == found.start_utc_ms


def test_each_limit_has_a_key_of_its_own() -> None:
    limits = [
        cap(CapSpan.DAY, 2000),
        cap(CapSpan.DAY, 2000, by_sender=True),
        cap(CapSpan.DAY, 2000, time_zone="Europe/Rome"),
        cap(CapSpan.HOUR, 2000),
        cap(CapSpan.DAY, 20),
    ]
    found = caps_at(limits, utc_ms("2026-05-03T11:22:33"))
    assert [one.key for one in found] == [
        "day/2000",
        "day/2000/sender",
        "day/2000/Europe/Rome",
        "hour/2000",
        "day/20",
    ]
    assert [(one.count, one.by_sender) for one in found[:2]] == [(2000, False), (2000, True)]
    assert caps_at([], 0) == []


ZONES = st.sampled_from(["UTC", "Europe/Rome", "America/Santiago", "Asia/Kathmandu", "Australia/Lord_Howe"])


@given(
    now=st.integers(utc_ms("2020-01-01"), utc_ms("2030-01-01")),
    per=st.sampled_from(list(CapSpan)),
    zone=ZONES,
)
def test_spans_hold_now_and_follow_each_other(now: int, per: CapSpan, zone: str) -> None:
    limits = [cap(per, time_zone=zone)]
    (found,) = caps_at(limits, now)
    assert found.start_utc_ms <= now < found.end_utc_ms
    (last,) = caps_at(limits, found.end_utc_ms - 1)
    (after,) = caps_at(limits, found.end_utc_ms)
    if per is not CapSpan.HOUR:  # an hour in which a zone changes by half of one is cut in two
        assert last == found
        assert after.start_utc_ms == found.end_utc_ms
    assert after.end_utc_ms > found.end_utc_ms


@given(st.lists(st.integers(-200_000, 200_000), min_size=1, max_size=20))
def test_the_calendar_says_what_the_clock_says(steps: list[int]) -> None:
    """Also when the wall clock is set back."""
    limits = [cap(CapSpan.MINUTE), cap(CapSpan.DAY, time_zone="Europe/Rome")]
    calendar, now = CapCalendar(limits), utc_ms("2026-03-28T22:59:00")
    for step in steps:
        now += step
        assert calendar.at(now) == caps_at(limits, now)


def test_the_calendar_works_out_nothing_twice() -> None:
    calendar = CapCalendar([cap(CapSpan.HOUR)])
    first = calendar.at(utc_ms("2026-05-03T11:00"))
    assert calendar.at(utc_ms("2026-05-03T11:59:59")) is first
    assert calendar.at(utc_ms("2026-05-03T12:00")) == [
        Cap("hour/10", 10, False, utc_ms("2026-05-03T12:00"), utc_ms("2026-05-03T13:00"))
    ]
    assert CapCalendar([]).at(0) == []


# Receipts that do not come -----------------------------------------------------------------------------------------


def watched(share: float, events: list[tuple[float, int, int]], until: list[float]) -> list[bool]:
    """What a watch over 300 s says at the times of `until`; events: (time, accepted, receipts)."""
    watch, said = ReceiptWatch(share, 300.0), []
    for now in until:
        while events and events[0][0] <= now:
            at, accepted, receipts = events.pop(0)
            watch.accepted(accepted, at)
            watch.received(receipts, at)
        said.append(watch.missing(now))
    return said


def test_a_bucket_is_full_at_first_and_fills_again() -> None:
    bucket = Bucket(10.0, 3)
    assert [bucket.take(5.0) for _ in range(5)] == [True] * 3 + [False] * 2
    assert [bucket.take(5.05), bucket.take(5.1), bucket.take(5.1)] == [False, True, False]
    assert [bucket.take(60.0) for _ in range(5)] == [True] * 3 + [False] * 2


@pytest.mark.parametrize(
    ("events", "until", "expected"),
    [
        # all receipts come
        ([(0.0, 100, 0), (5.0, 0, 100)], [1.0, 60.0, 200.0], [False, False, False]),
        # none does: said once what was accepted is old enough
        ([(0.0, 100, 0)], [1.0, 29.0, 40.0, 200.0], [False, False, True, True]),
        # half of them, which is just enough, and one less
        ([(0.0, 100, 0), (5.0, 0, 50)], [60.0], [False]),
        ([(0.0, 100, 0), (5.0, 0, 49)], [60.0], [True]),
        # too few to say anything
        ([(0.0, 19, 0)], [60.0], [False]),
        # they come after all
        ([(0.0, 100, 0), (100.0, 0, 80)], [60.0, 101.0], [True, False]),
        # with nothing more to judge by, what was said holds for span_s
        ([(0.0, 100, 0), (250.0, 19, 0)], [60.0, 359.0, 360.0, 900.0], [True, True, False, False]),
        # and it is said again when there is more to judge by
        ([(0.0, 100, 0), (1000.0, 100, 0)], [60.0, 900.0, 1060.0], [True, False, True]),
        # old receipts do not count for new messages
        ([(0.0, 100, 100), (400.0, 100, 0)], [200.0, 450.0], [False, True]),
    ],
)
def test_missing_receipts(events: list[tuple[float, int, int]], until: list[float], expected: list[bool]) -> None:
    assert watched(0.5, events, until) == expected


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 50)), max_size=60), st.floats(0.01, 1))
def test_a_receipt_for_each_is_never_missed(steps: list[tuple[float, int]], share: float) -> None:
    watch, now = ReceiptWatch(share, 300.0), 0.0
    for step, count in steps:
        now += step
        watch.accepted(count, now)
        watch.received(count, now)
        assert not watch.missing(now)


@given(st.lists(st.floats(0, 50), min_size=1, max_size=200))
def test_a_watch_remembers_no_more_than_its_span(steps: list[float]) -> None:
    watch, now = ReceiptWatch(0.5, 300.0), 0.0
    for step in steps:
        now += step
        watch.accepted(1, now)
        assert len(watch._buckets) <= ReceiptWatch._BUCKETS
