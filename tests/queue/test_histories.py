"""Random histories of store calls never lose or double a segment, and every message ends with a verdict.

Nor do they reroute what a carrier accepted, call unsent what it may have, claim more than a limit allows, or send two
long messages with one reference while a phone may still put the first together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from smppgw.addresses import Address
from smppgw.queue.model import (
    Accept,
    Cancel,
    Cap,
    Claim,
    ClaimedSegment,
    Doubt,
    ErrandDone,
    InboundText,
    OutcomeKind,
    QueryPlan,
    Reason,
    ReceiptRecord,
    ReceiptState,
    RecordErrands,
    RecordOutcomes,
    RecordReceipts,
    Recover,
    SegmentState,
    SubmitOutcome,
    Sweep,
    TakeErrands,
    Verdict,
    Withdraw,
    message_id_of,
    verdict_of,
)
from smppgw.queue.operations import references
from smppgw.sms import udh
from smppgw.sms.encoding import Numbering
from tests.support.inlinestore import InlineStore

from .make import HOUR, NOW, PLAN, new_message

RECIPIENTS = ("447700900001", "447700900002", "33639980001")
CARRIERS = ("demo", "bulk")
SPAN_MS = 600_000
KINDS = (*OutcomeKind, *[OutcomeKind.REROUTED] * 4)  # few messages get far enough to be rerouted
HOLD_MS = HOUR // 2
NARROW_ONES = 2  # references, so that long messages soon wait for one
CAP = 3  # submit_sm in each span, by sender and all together: there is one sender


@dataclass(frozen=True)
class Out:
    """A claim that a bind answers for."""

    carrier: str
    segment: ClaimedSegment
    claimed_utc_ms: int


class Histories(RuleBasedStateMachine):
    """The carriers, the clock and crashes act at random; the store has to keep its books."""

    @initialize()
    def open(self) -> None:
        self.store = InlineStore()
        self.fewer = mock.patch.object(references, "_NARROW_ONES", NARROW_ONES)
        self.fewer.start()
        self.now = NOW
        self.accepted: dict[int, int] = {}  # message -> parts
        self.out: dict[int, Out] = {}  # claimed, not answered, by segment
        self.unanswered: list[Out] = []  # given up by the bind; the carrier may still answer
        self.copies: Counter[int] = Counter()
        self.chosen: Counter[int] = Counter()  # how often somebody chose to send the segment again
        self.doubts: defaultdict[int, set[int]] = defaultdict(set)  # claims without an answer, by segment
        self.taken_by: dict[int, str] = {}  # the carrier that accepted something of the message
        self.used: Counter[tuple[str, int]] = Counter()  # of the limits, by carrier and span
        self.ids: list[str] = []
        self.received = 0  # receipts, whatever they turned out to be

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.finish()
            self.fewer.stop()
            self.store.close()

    @rule(
        parts=st.lists(st.integers(1, 4), min_size=1, max_size=5),
        registered=st.integers(0, 1),
        to=st.sampled_from(RECIPIENTS),
        alternatives=st.sampled_from([("bulk",), ()]),
        later_s=st.sampled_from([0, 0, 0, 600]),
        wide=st.sampled_from([False, False, True]),
    )
    def accept(
        self, parts: list[int], registered: int, to: str, alternatives: tuple[str, ...], later_s: int, wide: bool
    ) -> None:
        changes: Any = {"registered_delivery": registered, "alternatives": alternatives}
        changes |= {"due_utc_ms": self.now + later_s * 1000, "widened": (lambda: _numbered(3)) if wide else None}
        long: Any = {"numbering": Numbering.NARROW}
        given = [
            new_message(to, parts=one, **changes, **(long | {"segments": _numbered(one)} if one > 1 else {}))
            for one in parts
        ]
        op = Accept(given, self.now, HOLD_MS)
        self.store.commit_now(op)
        self.accepted |= {one.message_id: one.segments for one in op.result}

    @rule(
        limit=st.integers(1, 6),
        carrier=st.sampled_from(CARRIERS),
        capped=st.sampled_from(["", "", "", "all", "sender"]),
    )
    def claim(self, limit: int, carrier: str, capped: str) -> None:
        start = self.now // SPAN_MS * SPAN_MS
        # Both are always counted, so that either may be set at any time; only one of them is tight.
        counts = {"all": CAP if capped == "all" else 1000, "sender": CAP if capped == "sender" else 1000}
        caps = [Cap(key, count, key == "sender", start, start + SPAN_MS) for key, count in counts.items()]
        op = Claim(carrier, f"{carrier}/1", limit, self.now, caps=caps)
        self.store.commit_now(op)
        claimed = {one.segment_id: Out(carrier, one, self.now) for one in op.result.segments}
        assert len(claimed) <= limit
        assert not self.out.keys() & claimed.keys(), "claimed twice"
        if capped:
            assert len(claimed) <= max(CAP - self.used[carrier, start], 0), "more than the limit"
            if self.used[carrier, start] + len(claimed) >= CAP and len(claimed) < limit:
                assert capped == "sender" or op.result.next_due_utc_ms == start + SPAN_MS
        self.used[carrier, start] += len(claimed)
        self.out |= claimed
        self.copies.update(claimed.keys())
        self._nobody_else_has_their_references({message_id_of(number) for number in claimed})
        for number in claimed:
            assert self.copies[number] <= 1 + self.chosen[number], "sent again without anybody having chosen it"

    def _nobody_else_has_their_references(self, messages: set[int]) -> None:
        """A phone may put together what a carrier has, or may have, a part of: until all of it is delivered, or for
        so long after its validity."""
        rows: Any = self.store.connection.execute(
            """
SELECT this.id, other.id FROM message this
JOIN message other ON other.reference = this.reference AND other.dest_addr = this.dest_addr AND other.id <> this.id
WHERE other.verdict IS NOT 'delivered' AND other.expires_utc_ms + ? > ? AND EXISTS (
    SELECT 1 FROM segment s WHERE s.id >> 8 = other.id AND s.first_submitted_utc_ms IS NOT NULL
        AND (s.smsc_id IS NOT NULL OR s.unanswered OR s.state IN (1, 2, 3, 10, 11)))""",
            (HOLD_MS, self.now),
        )
        assert [pair for pair in rows if pair[0] in messages] == [], "one reference for two"

    @rule(data=st.data(), kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=4), reused=st.booleans())
    def answer(self, data: st.DataObject, kinds: list[OutcomeKind], reused: bool) -> None:
        taken = self._some_out(data)
        answers = [(one, kinds[index % len(kinds)]) for index, one in enumerate(taken)]
        for carrier in CARRIERS:
            of_carrier = [(one, kind) for one, kind in answers if one.carrier == carrier]
            op = self._answer(carrier, of_carrier, reused)
            assert (op.result.moved, op.result.stale) == (len(of_carrier), 0)
            self._answered(of_carrier)

    @rule(data=st.data(), kind=st.sampled_from(OutcomeKind))
    def late_answer(self, data: st.DataObject, kind: OutcomeKind) -> None:
        if self.unanswered:
            late = self.unanswered.pop(data.draw(st.integers(0, len(self.unanswered) - 1)))
            number, claim = late.segment.segment_id, late.segment.claim
            expected = self.doubts[number] - {claim}
            op = self._answer(late.carrier, [(late, kind)], False)
            assert op.result.moved + op.result.stale == 1
            self.doubts[number] = set() if kind is OutcomeKind.ACCEPTED else expected
            if op.result.moved:
                self._answered([(late, kind)])

    def _answered(self, answers: list[tuple[Out, OutcomeKind]]) -> None:
        for one, kind in answers:
            number = one.segment.segment_id
            if kind is OutcomeKind.ACCEPTED:
                self.doubts[number].clear()
                self.taken_by[message_id_of(number)] = one.carrier
            elif kind is not OutcomeKind.REJECTED:
                self.chosen[number] += 1  # refused: the carrier does not have it

    def _answer(self, carrier: str, answers: list[tuple[Out, OutcomeKind]], reused: bool) -> RecordOutcomes:
        outcomes = []
        for one, kind in answers:
            number, accepted = one.segment.segment_id, kind is OutcomeKind.ACCEPTED
            smsc_id = "" if not accepted else "7" if reused else f"{number:x}"
            outcomes.append(SubmitOutcome(number, one.segment.claim, kind, 0 if accepted else 8, smsc_id))
        self.ids += [one.smsc_id for one in outcomes if one.smsc_id]
        op = RecordOutcomes(carrier, f"{carrier}/1", outcomes, self.now, PLAN, HOUR)
        self.store.commit_now(op)
        return op

    @rule(data=st.data(), resend=st.booleans())
    def lose_the_link(self, data: st.DataObject, resend: bool) -> None:
        taken = self._some_out(data)
        for carrier in CARRIERS:
            pairs = _keys(taken, carrier)
            plan = PLAN if resend else None
            op = Doubt(carrier, f"{carrier}/1", pairs, Reason.LINK_LOST, self.now, HOUR, plan)
            self.store.commit_now(op)
            assert op.result == len(pairs)
        self.unanswered += taken
        self._doubt(taken)
        if resend:
            self.chosen.update(one.segment.segment_id for one in taken)

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        taken = self._some_out(data)
        for carrier in CARRIERS:
            pairs = _keys(taken, carrier)
            op = Withdraw(carrier, f"{carrier}/1", pairs, self.now)
            self.store.commit_now(op)
            assert op.result == len(pairs)
        for one in taken:  # nothing was written
            self.copies[one.segment.segment_id] -= 1
            self.used[one.carrier, one.claimed_utc_ms // SPAN_MS * SPAN_MS] -= 1

    @rule(
        data=st.data(),
        state=st.sampled_from(ReceiptState),
        source=st.sampled_from(RECIPIENTS),
        carrier=st.sampled_from(CARRIERS),
        form=st.sampled_from(["as it is", "decimal", "sniffed"]),
    )
    def receipt(self, data: st.DataObject, state: ReceiptState, source: str, carrier: str, form: str) -> None:
        """In time or early, for us or for nobody, with an address that fits or not, its id in one form or another."""
        early = [f"{one:x}" for one in sorted(self.out)]
        smsc_id = data.draw(st.sampled_from([*self.ids, *early, "nobody's", ""]))
        if form == "decimal" and smsc_id not in ("", "nobody's"):
            smsc_id = str(int(smsc_id, 16))
        record = ReceiptRecord(smsc_id, state, state.name, "000", source, "BANK", b"")
        if form == "sniffed":
            record.sniffed = InboundText(Address(1, 1, source), Address(5, 0, "BANK"), 0, 0, b"", "id:")
        op = RecordReceipts(carrier, f"{carrier}/1", [record], self.now)
        self.store.commit_now(op)
        assert op.result.matched + op.result.parked + op.result.inbound == 1
        self.received += 1

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if self.accepted:
            number = data.draw(st.sampled_from(sorted(self.accepted)))
            self.store.commit_now(Cancel(number, "app", self.now))

    @rule(
        carrier=st.sampled_from(CARRIERS),
        state=st.sampled_from([None, *ReceiptState]),
        status=st.sampled_from([0, 0, 8]),
    )
    def run_errands(self, carrier: str, state: ReceiptState | None, status: int) -> None:
        op = TakeErrands(carrier, 3, self.now)
        self.store.commit_now(op)
        done = [ErrandDone(one.segment_id, one.kind, status, state) for one in op.result]
        recorded = RecordErrands(carrier, f"{carrier}/1", done, self.now)
        self.store.commit_now(recorded)
        assert recorded.result <= len(done)

    @rule()
    def crash(self) -> None:
        op = Recover(self.now, dict.fromkeys(CARRIERS, HOUR), {})
        self.store.commit_now(op)
        assert op.result == len(self.out)
        self._doubt(self.out.values())
        self.out.clear()

    @rule(seconds=st.sampled_from([0, 1, 600, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * 1000
        self.store.commit_now(Sweep(self.now, dict.fromkeys(CARRIERS, HOUR), query={"demo": QueryPlan(2, HOUR)}))
        forgotten = "SELECT id FROM segment WHERE state = 2 AND reason = 'response_overdue'"
        self._doubt(self.out[number] for (number,) in self.store.connection.execute(forgotten) if number in self.out)

    def _doubt(self, claims: Iterable[Out]) -> None:
        for one in claims:
            self.doubts[one.segment.segment_id].add(one.segment.claim)

    def _some_out(self, data: st.DataObject) -> list[Out]:
        count = data.draw(st.integers(0, len(self.out)))
        return [self.out.pop(number) for number in sorted(self.out)[:count]]

    def _states(self) -> dict[int, list[SegmentState]]:
        found: dict[int, list[SegmentState]] = {}
        for number, state in self.store.connection.execute("SELECT id, state FROM segment ORDER BY id"):
            found.setdefault(number >> 8, []).append(SegmentState(state))
        return found

    @invariant()
    def books_are_right(self) -> None:
        if not hasattr(self, "store"):
            return
        self._let_go()
        states = self._states()
        assert {number: len(of_message) for number, of_message in states.items()} == self.accepted
        flying = sum(of_message.count(SegmentState.IN_FLIGHT) for of_message in states.values())
        assert flying == len(self.out)
        rows: Any = self.store.connection.execute("SELECT id, verdict, carrier FROM message")
        for number, verdict, carrier in rows:
            expected = verdict_of(states[number])
            assert (None if verdict is None else Verdict(verdict)) == expected
            assert carrier == self.taken_by.get(number, carrier), "rerouted, and its carrier has something of it"
        apart = """
SELECT count(*) FROM segment s JOIN message m ON m.id = s.id >> 8 WHERE s.carrier <> m.carrier"""
        assert self.store.connection.execute(apart).fetchone() == (0,), "a message has one carrier"
        kept = "SELECT (SELECT count(*) FROM receipt) + (SELECT count(*) FROM inbound)"
        assert self.store.connection.execute(kept).fetchone() == (self.received,), "a receipt is lost"
        strangers = """
SELECT count(*) FROM receipt r JOIN message m ON m.id = r.segment_id >> 8
WHERE m.dest_addr <> r.source_addr AND r.flags NOT LIKE '%address_differs%'"""
        assert self.store.connection.execute(strangers).fetchone() == (0,), "somebody else's, and nothing tells it"

    def _let_go(self) -> None:
        """What has left IN_FLIGHT without its bind: past its validity, or an earlier copy was answered."""
        for number, state in self.store.connection.execute("SELECT id, state FROM segment"):
            if number in self.out and state != SegmentState.IN_FLIGHT:
                self.unanswered.append(self.out.pop(number))

    @invariant()
    def doubts_are_remembered(self) -> None:
        if not hasattr(self, "store"):
            return
        rows = self.store.connection.execute("SELECT id, state, reason, unanswered FROM segment")
        for number, state, reason, unanswered in rows:
            if state <= SegmentState.IN_DOUBT:
                assert unanswered == len(self.doubts[number]), "copies without an answer"
                assert state != SegmentState.IN_DOUBT or unanswered
            elif state == SegmentState.SENT or reason.startswith("receipt"):
                self.doubts[number].clear()  # the carrier told
            else:
                assert not self.doubts[number] or state == SegmentState.UNKNOWN, "a guess"

    def finish(self) -> None:
        """Whatever happened: once the carrier is silent for long enough, every message has a verdict."""
        self.store.commit_now(Recover(self.now, dict.fromkeys(CARRIERS, HOUR), {}))
        for _ in range(4):
            self.now += 1000 * HOUR
            self.store.commit_now(Sweep(self.now, dict.fromkeys(CARRIERS, HOUR), query={"demo": QueryPlan(2, HOUR)}))
        open_now = [states for states in self._states().values() if verdict_of(states) is None]
        assert open_now == []


def _numbered(parts: int) -> tuple[bytes, ...]:
    """For a narrow reference and, when it is told as that, for a wide one: nobody reads them here."""
    return tuple(udh.concatenation_header(0, parts, part) + b"part" for part in range(1, parts + 1))


def _keys(claims: list[Out], carrier: str) -> list[tuple[int, int]]:
    return [(one.segment.segment_id, one.segment.claim) for one in claims if one.carrier == carrier]


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
