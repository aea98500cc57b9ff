"""How fast a bind may submit: pure policies on numbers, nothing here sleeps.

`Pacer` keeps the configured rate, `Throttle` the pause that the SMSC asked for, `FullQueues` the recipients whose
queue at the SMSC is full, `caps_at` the limits of the account by the calendar, `ReceiptWatch` whether receipts come
at all. All times are monotonic seconds but for what goes to the store (`*_utc_ms`).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from smppgw.config import CapSettings, CapSpan
from smppgw.queue.model import Cap

#: Timers are not finer than a millisecond or two, and a busy loop is late: so much lateness is made up afterwards, or
#: a full queue would not use the whole rate.
LATE_S = 0.1

#: How long a grant is remembered: a second at the SMSC, seen behind a network, may be a little longer than ours.
SECOND_S = 1.001

NO_LIMIT = 1 << 30
_EPSILON = 1e-4  # of a token: clocks are floats, and count from a time long ago


class Pacer:
    """A token bucket that fills with `rate_per_s`; a rate of 0 is no limit.

    After a rest it holds at most `burst` tokens; while there is always something to send, also those that lateness
    left over. No sliding second sees more than rate_per_s + burst grants all the same: what was granted in the last
    second is remembered and counted as well. It starts empty, so that a restart or a reconnect grants no new burst.
    """

    def __init__(self, rate_per_s: float, burst: int, now_mono: float) -> None:
        self._rate = rate_per_s
        self._burst = burst
        self._capacity = burst + rate_per_s * LATE_S
        self._most_per_second = math.floor(rate_per_s + max(1, burst) + _EPSILON)
        self._empty_at = now_mono  # when the bucket held nothing, were it never full
        self._granted: deque[tuple[float, int]] = deque()  # within the last second
        self._granted_sum = 0

    @property
    def limited(self) -> bool:
        return self._rate > 0

    def rest(self, now_mono: float) -> None:
        """There was nothing to send until now: what is left is at most a burst."""
        if self._rate:
            self._empty_at = max(self._empty_at, now_mono - self._burst / self._rate)

    def available(self, now_mono: float) -> int:
        """How many would be granted at `now_mono`. Changes nothing."""
        if not self._rate:
            return NO_LIMIT
        recent = self._granted_sum
        for at, count in self._granted:
            if at + SECOND_S > now_mono:
                break
            recent -= count
        return max(0, min(math.floor(self._tokens(now_mono) + _EPSILON), self._most_per_second - recent))

    def take(self, now_mono: float, wanted: int) -> int:
        """Takes up to `wanted` tokens; how many were granted."""
        if not self._rate:
            return wanted
        while self._granted and self._granted[0][0] + SECOND_S <= now_mono:
            self._granted_sum -= self._granted.popleft()[1]
        granted = min(wanted, self.available(now_mono))
        if granted > 0:
            full_at = now_mono - self._capacity / self._rate
            self._empty_at = max(self._empty_at, full_at) + granted / self._rate
            self._granted.append((now_mono, granted))
            self._granted_sum += granted
        return max(granted, 0)

    def next_at(self, now_mono: float) -> float:
        """The earliest time, `now_mono` or later, at which one token can be granted."""
        if not self._rate:
            return now_mono
        at = max(now_mono, self._empty_at + 1.0 / self._rate)
        excess = self._granted_sum + 1 - self._most_per_second
        for granted_at, count in self._granted:
            if excess <= 0:
                break
            at = max(at, granted_at + SECOND_S)
            excess -= count
        return at

    def forecast(self, now_mono: float, ahead_s: float) -> int:
        """How many tokens there are from now to `ahead_s` later, if each is taken as it comes."""
        if not self._rate:
            return NO_LIMIT
        return max(0, math.floor(self._tokens(now_mono) + ahead_s * self._rate + _EPSILON))

    def forecast_at(self, now_mono: float, wanted: int, ahead_s: float) -> float:
        """The earliest time at which `forecast` reaches `wanted`; inf when it has to wait for a token to be taken."""
        if not self._rate:
            return now_mono
        missing = wanted - ahead_s * self._rate
        if missing > self._capacity + _EPSILON:
            return math.inf
        return max(now_mono, self._empty_at + missing / self._rate)

    def _tokens(self, now_mono: float) -> float:
        return min((now_mono - self._empty_at) * self._rate, self._capacity)


class Bucket:
    """A token bucket that starts full: `burst` at once, then `rate_per_s`."""

    def __init__(self, rate_per_s: float, burst: int) -> None:
        self._rate = rate_per_s
        self._burst = burst
        self._full_at_mono = -math.inf

    def take(self, now_mono: float) -> bool:
        """Takes a token, if there is one."""
        full_at_mono = max(self._full_at_mono, now_mono) + 1.0 / self._rate
        if full_at_mono - now_mono > self._burst / self._rate + _EPSILON:
            return False
        self._full_at_mono = full_at_mono
        return True


class Throttle:
    """The pause of a bind after ESME_RTHROTTLED: nothing leaves within `pause_s` of the last one."""

    def __init__(self, pause_s: float) -> None:
        self.pause_s = pause_s
        self.until_mono = -math.inf

    def hit(self, now_mono: float) -> None:
        self.until_mono = max(self.until_mono, now_mono + self.pause_s)

    def active(self, now_mono: float) -> bool:
        return now_mono < self.until_mono


class FullQueues:
    """Recipients whose queue at the SMSC is full (ESME_RMSGQFUL); one for all binds of a carrier.

    The recipient waits, not the carrier: one phone that is off must not hold up all others. Only when it comes for
    several recipients within a short time, the bind is too fast after all.
    """

    #: Most recipients remembered; past it those that wait the shortest are forgotten (and refused once more).
    MOST = 1000

    def __init__(self, *, delay_ms: int, recipients: int, span_s: float) -> None:
        self._delay_ms = delay_ms
        self._recipients = recipients
        self._span_s = span_s
        self._held: dict[str, int] = {}  # recipient -> until, utc_ms; oldest first
        self._recent: deque[tuple[float, str]] = deque()

    def hit(self, recipient: str, now_mono: float, now_utc_ms: int) -> tuple[int, bool]:
        """Until when (utc_ms) the recipient waits, and whether the bind has to slow down as well."""
        until_utc_ms = now_utc_ms + self._delay_ms
        self._held.pop(recipient, None)
        self._held[recipient] = until_utc_ms
        while len(self._held) > self.MOST:
            del self._held[next(iter(self._held))]
        return until_utc_ms, self._several(recipient, now_mono)

    def _several(self, recipient: str, now_mono: float) -> bool:
        while self._recent and self._recent[0][0] < now_mono - self._span_s:
            self._recent.popleft()
        if all(recipient != known for _, known in self._recent):
            self._recent.append((now_mono, recipient))
        if len(self._recent) < self._recipients:
            return False
        self._recent.clear()  # said once; the next pause takes as many again
        return True

    def held(self, now_utc_ms: int) -> dict[str, int]:
        """Recipients that wait now, with the time (utc_ms) until which they do."""
        while self._held and next(iter(self._held.values())) <= now_utc_ms:
            del self._held[next(iter(self._held))]
        return dict(self._held)


# ---------------------------------------------------------------------------------------------------------------- #
# Limits of the account
# ---------------------------------------------------------------------------------------------------------------- #

_MINUTE_MS, _HOUR_MS = 60_000, 3_600_000


def caps_at(settings: Sequence[CapSettings], now_utc_ms: int) -> list[Cap]:
    """The caps with the calendar minute, hour or day that it is at `now_utc_ms` in their time zone."""
    return [_cap(one, now_utc_ms) for one in settings]


def _cap(settings: CapSettings, now_utc_ms: int) -> Cap:
    zone = ZoneInfo(settings.time_zone)
    key = f"{settings.per.value}/{settings.count}{'/sender' if settings.by_sender else ''}"
    if settings.time_zone != "UTC":
        key += f"/{settings.time_zone}"
    if settings.per is CapSpan.DAY:  # 23 or 25 hours where the clocks change
        today = datetime.fromtimestamp(now_utc_ms / 1000, zone).date()
        start, end = _midnight(today, zone), _midnight(today + timedelta(days=1), zone)
    else:
        # Zones differ from UTC by quarters of an hour too, but in whole minutes since 1972.
        span_ms = _HOUR_MS if settings.per is CapSpan.HOUR else _MINUTE_MS
        offset = datetime.fromtimestamp(now_utc_ms / 1000, zone).utcoffset() or timedelta()
        offset_ms = round(offset.total_seconds() * 1000)
        start = (now_utc_ms + offset_ms) // span_ms * span_ms - offset_ms
        end = start + span_ms
    return Cap(key, settings.count, settings.by_sender, start, end)


def _midnight(day: date, zone: ZoneInfo) -> int:
    """The first moment of a day (utc_ms). Where the clocks change at midnight it is not 00:00 by the clock."""
    return round(datetime.combine(day, time(), zone).timestamp() * 1000)


class CapCalendar:
    """The caps of a carrier, worked out anew only when a span is over or the wall clock was set."""

    def __init__(self, settings: Sequence[CapSettings]) -> None:
        self._settings = settings
        self._caps: list[Cap] = []
        self._from_utc_ms = self._until_utc_ms = 0

    def at(self, now_utc_ms: int) -> list[Cap]:
        if self._settings and not self._from_utc_ms <= now_utc_ms < self._until_utc_ms:
            self._caps = caps_at(self._settings, now_utc_ms)
            self._from_utc_ms = max(cap.start_utc_ms for cap in self._caps)
            self._until_utc_ms = min(cap.end_utc_ms for cap in self._caps)
        return self._caps


class ReceiptWatch:
    """Whether receipts come for what the SMSC accepts; one for all binds of a carrier.

    Some SMSCs accept everything and drop what is above their rate without a word. Counts accepted submit_sm for which
    a receipt was asked, and final receipts, over `span_s` (times are monotonic seconds). What was accepted in the
    last tenth of it is too young to be missed.
    """

    #: Fewer accepted submit_sm than this say nothing.
    LEAST = 20
    _BUCKETS = 30
    _YOUNG = 3

    def __init__(self, share: float, span_s: float) -> None:
        self._share = share
        self._width_s = span_s / self._BUCKETS
        self._buckets: deque[list[int]] = deque()  # [number of the bucket, accepted, receipts], oldest first
        self._missing = False
        self._judged_mono = -math.inf

    def accepted(self, count: int, now_mono: float) -> None:
        self._bucket(now_mono)[1] += count

    def received(self, count: int, now_mono: float) -> None:
        self._bucket(now_mono)[2] += count

    def missing(self, now_mono: float) -> bool:
        """True while fewer than the share brought a receipt.

        With too few to judge by, what was said last holds for span_s more, and then no longer: a carrier that has
        become so quiet may be well again for all that can be seen.
        """
        number = int(now_mono / self._width_s)
        old = [bucket for bucket in self._buckets if bucket[0] > number - self._BUCKETS]
        accepted = sum(bucket[1] for bucket in old if bucket[0] <= number - self._YOUNG)
        if accepted >= self.LEAST:
            self._missing = sum(bucket[2] for bucket in old) < self._share * accepted
            self._judged_mono = now_mono
        return self._missing and now_mono - self._judged_mono < self._width_s * self._BUCKETS

    def _bucket(self, now_mono: float) -> list[int]:
        number = int(now_mono / self._width_s)
        buckets = self._buckets
        if not buckets or buckets[-1][0] != number:
            buckets.append([number, 0, 0])
            while buckets[0][0] <= number - self._BUCKETS:
                buckets.popleft()
        return buckets[-1]
