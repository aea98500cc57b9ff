"""Rules of a scenario: which submits, binds and moments are meant, and what is done to them. Pure.

    [[rules]]
    why = "one number in three is throttled, for a minute"
    when = { destination = "4477*", every = 3, until_s = 60 }
    response = { statuses = { ESME_RTHROTTLED = 1 } }

Of the rules that fit, the first one decides, as with routes; what none fits is treated as without rules. Owns
matching, counting and the limits of a rule; what an effect does stands where it is done: plans.py, answering.py,
replies.py, conduct.py. Time and texts are arguments, chance comes from the seed, so that the same traffic has the
same fates.
"""

from __future__ import annotations

import math
import random
from bisect import bisect
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from itertools import accumulate
from typing import Generic, TypeVar

from simulator.delays import Delay
from simulator.fates import MessageState
from simulator.odd import MALFORMED
from simulator.patterns import Pattern, address_pattern
from simulator.quirks import Octets, ReceiptQuirks, StatusCode, receipt_problems, tag_problems
from simulator.stats import UNANSWERED
from simulator.throttle import TokenBucket
from smppgw.smpp import Pdu, Status

T = TypeVar("T")

#: Past so many things that a rule counts apart the one that was not seen for the longest time is forgotten.
_MAX_KEYS = 10_000
_THROTTLED = StatusCode(Status.ESME_RTHROTTLED)


class On(StrEnum):
    """What a rule is about."""

    SUBMIT = "submit"  # submit_sm, data_sm, each destination of a submit_multi
    BIND = "bind"
    TIME = "time"  # a moment: `from_s`, and again each `each_s`; for every open bind


class Cut(StrEnum):
    """When the connection is dropped without a word."""

    BEFORE = "before"  # in place of the response; a submit has been taken
    AFTER = "after"  # once the response has been written
    NOW = "now"  # a submit is not taken


class Per(StrEnum):
    """What has a rate and a queue of its own."""

    RULE = "rule"  # all that fits together
    SYSTEM_ID = "system_id"
    SOURCE = "source"
    DESTINATION = "destination"


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """What a rule is for: all that is given must fit.

    Patterns are exact, or have `*` and `?`, or are /regular expressions/. Seconds count from the begin of the
    scenario, and with `each_s` again from each begin of such a period. A rule on time with an end is for the binds
    that come before it, too. `share`, `after`, `every` and `first` pick
    from what fits otherwise, in this order.
    """

    on: On = On.SUBMIT
    system_id: str | None = None
    source: str | None = None
    destination: str | None = None
    text: str | None = None  # as a phone shows it; of a long message, that of the part
    from_s: float = 0.0
    until_s: float = math.inf
    each_s: float = 0.0  # 0: once
    share: float = 1.0  # of what fits, by chance
    after: int = 0  # so many are let past first
    every: int = 1  # then each n-th is meant
    first: int = 0  # and only so many; 0: no end


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseEffect:
    """How a submit or a bind is answered. A bind knows `statuses`, `delay` and `never`."""

    statuses: Mapping[StatusCode, float] = field(default_factory=dict)  # by weight; 0 accepts
    delay: Delay | None = None  # None: as otherwise
    never: bool = False  # no response; a submit is not taken
    lost: bool = False  # no response; the message is taken, and its receipt comes
    generic_nack: StatusCode | None = None  # in place of the response; the message is not taken
    sequence_offset: int = 0  # added to sequence_number
    copies: int = 1  # of the response
    body: bool = True
    message_id: bool = True
    malformed: str = ""  # one of odd.MALFORMED in place of the response; the message is taken
    tlvs: Mapping[str, Octets] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptEffect:
    """What becomes of a message, and how its sender hears of it."""

    outcomes: Mapping[MessageState, float] = field(default_factory=dict)  # by weight; none: as otherwise
    delay: Delay | None = None  # None: as otherwise
    never: bool = False  # no receipt, whatever registered_delivery says
    early: bool = False  # before the response, which waits EARLY_S for it unless it has a delay of its own
    dialect: ReceiptQuirks | None = None  # None: that of the scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEffect:
    """What is done to the connection: at once, or `after_pdus` or `after_s`.

    `half_open`, `read_octets_per_s` and `enquire_link_answered` stay as long as the connection does.
    """

    cut: Cut | None = None
    unbind: bool = False  # in good order, once the response has been written
    half_open: bool = False  # we read, and answer nothing more, and keep the connection
    read_octets_per_s: float = 0.0  # we read no faster than so; 0: as fast as we can
    enquire_link_answered: bool = True
    already_bound_s: float = 0.0  # after the connection: ESME_RALYBND for so long
    after_pdus: int = 0  # of the ESME, from the next one on
    after_s: float = 0.0

    @property
    def at_once(self) -> bool:
        return not self.after_pdus and not self.after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class RateEffect:
    """A token bucket."""

    per_s: float
    burst: float = 0.0  # 0: one second of it, but at least one
    status: StatusCode = _THROTTLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. What is over its `rate`, `queue` or `window` is refused and meets none of its other effects."""

    why: str = ""
    when: When = When()
    response: ResponseEffect | None = None
    receipts: ReceiptEffect | None = None
    session: SessionEffect | None = None
    rate: RateEffect | None = None
    queue: int = 0  # messages not yet in their final state; more: ESME_RMSGQFUL; 0: no limit
    window: int = 0  # submits of one bind without a response; more: ESME_RTHROTTLED; 0: no limit
    per: Per = Per.RULE  # what `rate` and `queue` are counted for


#: How long a response waits for its early receipt.
EARLY_S = 0.2


# ---------------------------------------------------------------------------------------------------------------- #
# What cannot be
# ---------------------------------------------------------------------------------------------------------------- #


def rule_problems(rules: Sequence[Rule]) -> Iterable[str]:
    """One line for each mistake, by the path of its key."""
    for at, rule in enumerate(rules):
        for problem in _problems(rule):
            yield f"rules[{at}].{problem}"


def _problems(rule: Rule) -> Iterable[str]:
    yield from _when_problems(rule.when)
    yield from _misplaced(rule)
    if rule.response is not None:
        yield from _response_problems(rule.response)
    if rule.receipts is not None:
        yield from _receipt_problems(rule.receipts)
    if rule.session is not None:
        yield from _at_least(0, rule.session, "session", ("read_octets_per_s", "already_bound_s"))
        yield from _at_least(0, rule.session, "session", ("after_pdus", "after_s"))
        if rule.session == SessionEffect():
            yield "session: does nothing"
    if rule.rate is not None:
        if not 0 < rule.rate.per_s < math.inf:
            yield f"rate.per_s: {rule.rate.per_s} is not a rate, above 0 submits a second"
        if rule.rate.burst and not 1 <= rule.rate.burst < math.inf:
            yield "rate.burst: must be 1 or more (0: one second of the rate)"
    yield from _at_least(0, rule, "", ("queue", "window"))


def _when_problems(when: When) -> Iterable[str]:
    for name, make in _PATTERNS.items():
        written = getattr(when, name)
        if written is not None:
            try:
                make(written)
            except ValueError as wrong:
                yield f"when.{name}: {wrong}"
    yield from _at_least(0, when, "when", ("from_s", "each_s", "after", "first"))
    yield from _at_least(1, when, "when", ("every",))
    if not 0 < when.share <= 1:
        yield f"when.share: {when.share} is not a share, above 0 up to 1"
    if not when.until_s > when.from_s:
        yield "when.until_s: must be later than from_s"
    if when.each_s and when.from_s >= when.each_s:
        yield "when.from_s: must lie within each_s"


def _misplaced(rule: Rule) -> Iterable[str]:
    """What means nothing for this kind of rule."""
    on = rule.when.on
    if on is On.SUBMIT:
        if not any((rule.response, rule.receipts, rule.session, rule.rate, rule.queue, rule.window)) and not rule.why:
            yield "why: a rule without an effect lets what fits it past the others; say so with a line of why"
        return
    for name in ("receipts", "rate", "queue", "window"):
        if getattr(rule, name):
            yield f"{name}: only for on = 'submit'"
    for name in ("source", "destination", "text"):
        if getattr(rule.when, name) is not None:
            yield f"when.{name}: only for on = 'submit'"
    if on is On.TIME:
        if rule.response is not None:
            yield "response: not for on = 'time'"
        if rule.session is None:
            yield "session: needed for on = 'time'"
        for name, default in (("share", 1.0), ("after", 0), ("every", 1), ("first", 0)):
            if getattr(rule.when, name) != default:
                yield f"when.{name}: not for on = 'time'"
    elif rule.response is not None:
        straight = ResponseEffect()
        for one in fields(ResponseEffect):
            known = one.name in ("statuses", "delay", "never")
            if not known and getattr(rule.response, one.name) != getattr(straight, one.name):
                yield f"response.{one.name}: not for on = 'bind'"


def _response_problems(response: ResponseEffect) -> Iterable[str]:
    yield from _weights("response.statuses", response.statuses)
    yield from _delay("response.delay", response.delay)
    yield from _at_least(1, response, "response", ("copies",))
    if response.copies > _MAX_COPIES:
        yield f"response.copies: must be at most {_MAX_COPIES}"
    if response.malformed and response.malformed not in MALFORMED:
        yield f"response.malformed: unknown {response.malformed!r}; known: {', '.join(MALFORMED)}"
    if not -_MAX_SEQUENCE < response.sequence_offset < _MAX_SEQUENCE:
        yield "response.sequence_offset: sequence_number has 31 bits (SMPP 3.4, 5.1.4)"
    yield from tag_problems("response.tlvs", response.tlvs)
    chosen = ("never", response.never), ("lost", response.lost), ("generic_nack", response.generic_nack is not None)
    if sum(given for _, given in chosen) > 1:
        yield f"response: {' and '.join(name for name, given in chosen if given)} exclude each other"


def _receipt_problems(receipts: ReceiptEffect) -> Iterable[str]:
    yield from _weights("receipts.outcomes", receipts.outcomes)
    yield from _delay("receipts.delay", receipts.delay)
    if receipts.early and receipts.delay is not None:
        yield "receipts: early and delay exclude each other"
    if receipts.dialect is not None:
        yield from receipt_problems(receipts.dialect)
    if receipts.early and receipts.never:
        yield "receipts: early and never exclude each other"


_MAX_COPIES = 1000
_MAX_SEQUENCE = 0x7FFFFFFF
_PATTERNS: Mapping[str, Callable[[str], Pattern]] = {
    "system_id": Pattern,
    "source": address_pattern,
    "destination": address_pattern,
    "text": Pattern,
}


def _weights(path: str, weights: Mapping[T, float]) -> Iterable[str]:
    values = weights.values()
    if weights and (not all(0 <= weight < math.inf for weight in values) or sum(values) <= 0):
        yield f"{path}: weights must not be negative, and one must be above 0"


def _delay(path: str, delay: Delay | None) -> Iterable[str]:
    problem = delay.problem() if delay is not None else None
    if problem is not None:
        yield f"{path}: {problem}"


def _at_least(least: int, of: object, path: str, names: Iterable[str]) -> Iterable[str]:
    prefix = f"{path}." if path else ""
    for name in names:
        if not least <= getattr(of, name) < math.inf:
            yield f"{prefix}{name}: must be {least} or more"


# ---------------------------------------------------------------------------------------------------------------- #
# Rules at work
# ---------------------------------------------------------------------------------------------------------------- #


class Live:
    """A rule at work: what it has counted, and its own chance, which no other traffic disturbs."""

    def __init__(self, rule: Rule, seed: str) -> None:
        self.rule = rule
        self.chance = random.Random(seed).random
        self.fitted = 0  # how often it has decided
        when = rule.when
        self._system_id, self._source, self._destination, self._text = (
            make(written) if (written := getattr(when, name)) is not None else None
            for name, make in _PATTERNS.items()
        )
        self._count = 0
        response = rule.response
        weights = response.statuses if response is not None else {}
        if response is not None and response.never:
            weights = {StatusCode(UNANSWERED): 1.0}
        elif response is not None and response.generic_nack is not None:
            weights = {response.generic_nack: 1.0}
        self._statuses = [int(status) for status in weights]
        self._bounds = list(accumulate(weights.values()))
        self._buckets: _Newest[TokenBucket] = _Newest()
        self._queues: _Newest[Queue] = _Newest()
        self.limits = bool(rule.rate or rule.queue or rule.window)
        #: Whether the response or the connection meets more than a status.
        self.shapes = rule.session is not None or _shapes(rule)

    def fits_submit(
        self, system_id: str, source: str, destination: str, text: Callable[[], str], elapsed_s: float
    ) -> bool:
        """Whether this submit is meant. Counts it where it is."""
        if not self._within(elapsed_s):
            return False
        if self._system_id is not None and not _fits(self._system_id, system_id):
            return False
        if self._source is not None and not _fits(self._source, source.removeprefix("+")):
            return False
        if self._destination is not None and not _fits(self._destination, destination.removeprefix("+")):
            return False
        if self._text is not None and not _fits(self._text, text()):
            return False
        return self._turn()

    def fits_bind(self, system_id: str, elapsed_s: float) -> bool:
        """Whether this bind is meant. Counts it where it is."""
        if not self._within(elapsed_s) or not self.is_about(system_id):
            return False
        return self._turn()

    def is_about(self, system_id: str) -> bool:
        return self._system_id is None or _fits(self._system_id, system_id)

    def is_window(self, elapsed_s: float) -> bool:
        """Of a rule on time: whether it goes on for a while, and this is in it."""
        return self.rule.when.until_s < math.inf and self._within(elapsed_s)

    def next_s(self, elapsed_s: float) -> float | None:
        """Of a rule on time: when it is due, at `elapsed_s` or later; None: never again."""
        when = self.rule.when
        if elapsed_s <= when.from_s:
            return when.from_s
        if not when.each_s:
            return None
        return when.from_s + math.ceil((elapsed_s - when.from_s) / when.each_s) * when.each_s

    def meant(self) -> bool:
        """Whether one that fits in all else is meant by its turn. Counts it."""
        return self._turn()

    def limit(self, key: str, now_mono: float, unanswered: int) -> int:
        """What a submit is refused with that is over one of the limits, 0 within them.

        `key` is what the rule counts `per`; `unanswered` are the submits of the same bind that have no response, this
        one not counted.
        """
        rule = self.rule
        if rule.window and unanswered >= rule.window:
            return Status.ESME_RTHROTTLED
        if rule.rate is not None and not self._bucket(key, now_mono).take():
            return rule.rate.status
        if rule.queue and self.queue(key).length >= rule.queue:
            return Status.ESME_RMSGQFUL
        return 0

    def draw_status(self) -> int:
        """The command_status by weight, 0 where none is given."""
        if not self._statuses:
            return 0
        if len(self._statuses) == 1:
            return self._statuses[0]
        return self._statuses[bisect(self._bounds, self.chance() * self._bounds[-1])]

    def queue(self, key: str) -> Queue:
        """The messages of `key` that have not reached their state."""
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues.put(key, Queue())
        return queue

    def _bucket(self, key: str, now_mono: float) -> TokenBucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            rate = self.rule.rate
            assert rate is not None
            bucket = self._buckets.put(key, TokenBucket(rate.per_s, rate.burst or max(1.0, rate.per_s), now_mono))
        bucket.refill(now_mono)
        return bucket

    def _within(self, elapsed_s: float) -> bool:
        when = self.rule.when
        if when.each_s:
            elapsed_s %= when.each_s
        return when.from_s <= elapsed_s < when.until_s

    def _turn(self) -> bool:
        when = self.rule.when
        if when.share < 1 and self.chance() >= when.share:
            return False
        self._count += 1
        past = self._count - when.after
        if past <= 0 or past % when.every or (when.first and self.fitted >= when.first):
            return False
        self.fitted += 1
        return True


class Queue:
    """The messages of one recipient, or of whatever a rule counts apart, that have not reached their state."""

    __slots__ = ("length",)

    def __init__(self) -> None:
        self.length = 0

    def left(self, _: object = None) -> None:
        """One of them has reached it."""
        self.length -= 1


class _Newest(Generic[T]):
    """The newest things by key: bounded, since keys come from outside."""

    def __init__(self) -> None:
        self._things: OrderedDict[str, T] = OrderedDict()

    def get(self, key: str) -> T | None:
        thing = self._things.get(key)
        if thing is not None:
            self._things.move_to_end(key)
        return thing

    def put(self, key: str, thing: T) -> T:
        self._things[key] = thing
        if len(self._things) > _MAX_KEYS:
            self._things.popitem(last=False)
        return thing


class Rulebook:
    """The rules of a scenario, at work from `begun_mono` on."""

    def __init__(self, rules: Sequence[Rule], seed: int) -> None:
        lives = [(rule.when.on, Live(rule, f"{seed}/{at}")) for at, rule in enumerate(rules)]
        self.lives = [live for _, live in lives]
        self.submits = [live for on, live in lives if on is On.SUBMIT]
        self.binds = [live for on, live in lives if on is On.BIND]
        self.times = [live for on, live in lives if on is On.TIME]
        self.begun_mono: float | None = None

    def elapsed_s(self, now_mono: float) -> float:
        """Seconds since the begin, which is the first time that anybody asks."""
        if self.begun_mono is None:
            self.begun_mono = now_mono
        return now_mono - self.begun_mono

    def elapsed_to_mono(self, elapsed_s: float) -> float:
        """When so many seconds will have passed since the begin."""
        return (self.begun_mono or 0.0) + elapsed_s

    def submit(
        self, system_id: str, source: str, destination: str, read: Callable[[], str], now_mono: float
    ) -> Live | None:
        """The rule that decides about a submit; `read` gives its text, and is asked at most once."""
        known: list[str] = []

        def text() -> str:
            if not known:
                known.append(read())
            return known[0]

        elapsed_s = self.elapsed_s(now_mono)
        for live in self.submits:
            if live.fits_submit(system_id, source, destination, text, elapsed_s):
                return live
        return None

    def bind(self, system_id: str, now_mono: float) -> Live | None:
        """The rule that decides about a bind."""
        elapsed_s = self.elapsed_s(now_mono)
        for live in self.binds:
            if live.fits_bind(system_id, elapsed_s):
                return live
        return None


class BatchOver(Exception):
    """The connection goes with this response: what came behind its request in the same read is not looked at."""

    def __init__(self, response: Pdu) -> None:
        super().__init__("the connection is cut by a rule")
        self.response = response


def ends_batch(rule: Rule) -> bool:
    """Whether the connection goes as soon as the response of a submit is due, and this is now."""
    session = rule.session
    if session is None or not session.at_once or (session.cut is None and not session.half_open):
        return False
    waits = rule.receipts is not None and rule.receipts.early
    return session.cut is Cut.NOW or not (waits or (rule.response is not None and rule.response.delay is not None))


def _shapes(rule: Rule) -> bool:
    if rule.receipts is not None and rule.receipts.early:
        return True
    response = rule.response
    if response is None:
        return False
    only_status = ResponseEffect(statuses=response.statuses)
    return response != only_status


def _fits(pattern: Pattern, text: str) -> bool:
    try:
        return pattern.fits(text)
    except ValueError:
        return False  # an expression that takes too long: what it cannot tell of does not fit
