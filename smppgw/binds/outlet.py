"""What may be claimed now, and what of it may leave now.

Owns the claimed segments until they are handed to the session, and knows which of those the writer has not taken
yet: at the end of a session these go back to their places, while all others that were not answered are in doubt.
Refuses to know the store and the stream. Synchronous.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

import trio

from smppgw.binds import events
from smppgw.binds.context import BindContext
from smppgw.binds.pacing import CapCalendar
from smppgw.binds.status import BindKind, Limit
from smppgw.binds.submit import ClaimKey, claim_key
from smppgw.config import RateUnit
from smppgw.errors import LocalProtocolError
from smppgw.queue.model import Claim, Claimed, ClaimedSegment, OutcomeKind, SubmitOutcome, part_of
from smppgw.smpp import Session, SessionState
from smppgw.telemetry import log, mask

#: With nothing to claim the store says when there is; this look in between is for wall clocks that were set.
LOOK_AGAIN_S = 30.0

#: So much of the paced future is claimed at once: a commit for each submit_sm would cost more than all the rest. More
#: than that would let an otp wait behind what is claimed already.
AHEAD_S = 0.02

#: And so much more at most for the time that a commit takes, so that it costs no rate.
MOST_FOR_COMMIT_S = 0.08

_TIMER_S = 0.001
_SUBMITTING = (SessionState.BOUND_TX, SessionState.BOUND_TRX)


class Outlet:
    """The sending half of one session."""

    def __init__(self, context: BindContext, session: Session) -> None:
        self._context = context
        self._session = session
        self._caps = CapCalendar(context.settings.caps)
        #: rate_per_s counts messages: the first part of each takes a token, the others leave with it, in their order.
        self._by_message = context.pacer.limited and context.settings.rate_unit is RateUnit.MESSAGES
        self._ready: deque[ClaimedSegment] = deque()  # claimed; pacing lets them go in a moment
        self._unwritten: list[ClaimKey] = []
        self._commit_s = 0.0
        self._look_again_mono = -math.inf
        self._rested = True
        #: Set while the store has nothing for this carrier; then `version` is what its work signal showed before.
        self.drained = trio.Event()
        self.version = -1
        self.stopping = False
        #: The session is to end: what may still come is waited for, and nothing more is sent.
        self.lingering = False
        self._capped = False

    @property
    def ready(self) -> int:
        """How many segments are claimed and wait for their turn."""
        return len(self._ready)

    # Claiming ---------------------------------------------------------------------------------------------------

    def room(self, now_mono: float) -> tuple[int, float]:
        """How many segments to claim now; when 0, until when to wait unless something happens (inf: for ever)."""
        context = self._context
        if context.kind is BindKind.RECEIVER or self._leaving or self._session.state not in _SUBMITTING:
            return 0, math.inf
        held_until_mono = max(context.throttle.until_mono, context.paused_until_mono)
        if now_mono < held_until_mono:
            self._rested = True
            return 0, held_until_mono
        slots = self._slots()
        if slots <= 0:
            return 0, math.inf
        if self.drained.is_set() and now_mono < self._look_again_mono:
            self._rested = True
            return 0, self._look_again_mono
        if context.probing and (probe_mono := context.probes.free_at(context.name, now_mono)) > now_mono:
            self._rested = True
            return 0, probe_mono
        if self._rested:
            context.pacer.rest(now_mono)
            self._rested = False
        ahead_s = AHEAD_S + min(2 * self._commit_s, MOST_FOR_COMMIT_S)
        worth_it = max(1, min(slots, int(context.settings.rate_per_s * AHEAD_S / 2)))
        tokens_due = _first_parts(self._ready) if self._by_message else len(self._ready)
        paced = context.pacer.forecast(now_mono, ahead_s) - tokens_due
        if paced >= worth_it:
            return min(slots, paced), now_mono
        again_mono = context.pacer.forecast_at(now_mono, tokens_due + worth_it, ahead_s)
        return 0, max(again_mono, now_mono + _TIMER_S)

    def claim(self, limit: int) -> Claim:
        context = self._context
        now_utc_ms = context.clock.utc_ms()
        held = context.full_queues.held(now_utc_ms)
        if context.probing:
            context.probes.take(context.name)
        return Claim(context.carrier, context.name, limit, now_utc_ms, held, self._caps.at(now_utc_ms))

    def take(self, claimed: Claimed, limit: int, version: int, now_mono: float) -> None:
        """What a claim of `limit` brought; `version` was read before it."""
        self._ready.extend(claimed.segments)
        self._capped = claimed.capped
        if not claimed.segments and not self._session.in_window:
            self._context.probes.give_back(self._context.name)
        if len(claimed.segments) >= limit or self._context.work.version != version:
            self.refill()
            return
        pause_s = LOOK_AGAIN_S
        if claimed.next_due_utc_ms is not None:
            pause_s = min(pause_s, max(claimed.next_due_utc_ms - self._context.clock.utc_ms(), 1) / 1000)
        self._look_again_mono = now_mono + pause_s
        self.version = version
        self.drained.set()

    def refill(self) -> None:
        """There may be something to claim again."""
        if self.drained.is_set():
            self.drained = trio.Event()

    def note_commit(self, seconds: float) -> None:
        """How long a commit took, by which pacing is claimed ahead: rises at once, falls slowly."""
        self._commit_s = max(seconds, self._commit_s + (seconds - self._commit_s) / 8)

    # Sending ----------------------------------------------------------------------------------------------------

    def release(self, now_mono: float) -> None:
        """Hands to the session what was claimed and may leave now."""
        if not self._ready:
            return
        context = self._context
        held = now_mono < context.paused_until_mono or context.throttle.active(now_mono)
        if self._leaving or held or self._session.state not in _SUBMITTING:
            self.withdraw()
            return
        count = self._take(now_mono, min(len(self._ready), self._session.window_free))
        if count:
            self._submit([self._ready.popleft() for _ in range(count)], now_mono)

    def next_release(self, now_mono: float) -> float:
        """When pacing lets the next of the claimed segments go; inf when none waits, or for a slot of the window."""
        if not self._ready or not self._session.window_free:
            return math.inf
        return self._context.pacer.next_at(now_mono)

    def withdraw(self) -> None:
        """Claimed, but not to be written now: back to its place."""
        self._context.recorder.waiting.withdrawals += map(claim_key, self._ready)
        self._ready.clear()

    def taken_by_writer(self) -> None:
        """What the session held is on its way to the stream: from now on it counts as written."""
        self._unwritten.clear()

    def split(self, unanswered: Iterable[object]) -> tuple[list[ClaimKey], list[ClaimKey]]:
        """The unanswered claims: those that were written, and those of which no octet was."""
        written: list[ClaimKey] = []
        unwritten: list[ClaimKey] = []
        not_taken = set(self._unwritten)
        for segment in unanswered:
            if isinstance(segment, ClaimedSegment):
                key = claim_key(segment)
                (unwritten if key in not_taken else written).append(key)
        return written, unwritten

    @property
    def _leaving(self) -> bool:
        return self.stopping or self.lingering

    def _slots(self) -> int:
        """How many more may be claimed by the window; while probing, one submit_sm in all."""
        window = self._session.window_free
        if self._context.probing:
            window = min(window, 1 - self._session.in_window)
        return window - len(self._ready)

    def _take(self, now_mono: float, most: int) -> int:
        """How many of the first `most` claimed segments may leave now; takes their tokens."""
        if not self._by_message:
            return self._context.pacer.take(now_mono, most)
        tokens = self._context.pacer.take(now_mono, _first_parts(islice(self._ready, most)))
        for count, segment in enumerate(islice(self._ready, most)):
            if part_of(segment.segment_id) == 1:
                if not tokens:
                    return count
                tokens -= 1
        return most

    def _submit(self, segments: Sequence[ClaimedSegment], now_mono: float) -> None:
        counters = self._context.counters
        request_of, now_utc_ms = self._context.rules.request_of, self._context.clock.utc_ms()
        leaving = segments
        try:
            self._session.request_many([(request_of(one, now_utc_ms), one) for one in segments], now_mono)
        except LocalProtocolError:  # then none of them was queued
            leaving = self._submit_apart(segments, now_utc_ms, now_mono)
        self._unwritten += map(claim_key, leaving)
        counters.submitted += len(leaving)
        counters.submits.add(len(leaving), now_mono)

    def _submit_apart(
        self, segments: Sequence[ClaimedSegment], now_utc_ms: int, now_mono: float
    ) -> list[ClaimedSegment]:
        """One of these cannot be encoded: it is rejected, the others leave. Returns those that do."""
        context, leaving = self._context, []
        for segment in segments:
            try:
                self._session.request(context.rules.request_of(segment, now_utc_ms), now_mono, segment)
            except LocalProtocolError as error:
                log(
                    events.LOGGER,
                    logging.ERROR,
                    events.BIND_UNSENDABLE,
                    bind=context.name,
                    recipient=mask(segment.destination.addr),
                    error=str(error),
                )
                context.counters.refused += 1
                context.recorder.waiting.outcomes.append(
                    SubmitOutcome(*claim_key(segment), OutcomeKind.REJECTED, None)
                )
            else:
                leaving.append(segment)
        return leaving

    # Showing ----------------------------------------------------------------------------------------------------

    def limit(self, now_mono: float) -> Limit:
        """What keeps this session from submitting more right now."""
        context = self._context
        if not self._session.state.is_bound:
            return Limit.DOWN
        if self.stopping:
            return Limit.STOPPING
        if context.recorder.failing:
            return Limit.STORE
        if context.kind is BindKind.RECEIVER:
            return Limit.RECEIVES_ONLY
        if now_mono < context.paused_until_mono:
            return Limit.PAUSED
        if context.throttle.active(now_mono):
            return Limit.THROTTLED
        if self.lingering or self._slots() <= 0:
            return Limit.PROBING if context.probing else Limit.WINDOW
        if context.probing and context.probes.free_at(context.name, now_mono) > now_mono:
            return Limit.PROBING
        if self.drained.is_set():
            return Limit.CAPPED if self._capped else Limit.NOTHING_QUEUED
        if context.pacer.limited and (self._ready or not context.pacer.available(now_mono)):
            return Limit.RATE
        return Limit.STORE


def _first_parts(segments: Iterable[ClaimedSegment]) -> int:
    return sum(part_of(segment.segment_id) == 1 for segment in segments)
