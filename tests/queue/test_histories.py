"""Random histories of store calls never lose or double a segment, and every message ends with a verdict."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from smppgw.queue.model import (
    Accept,
    Claim,
    ClaimedSegment,
    Doubt,
    OutcomeKind,
    Reason,
    ReceiptRecord,
    ReceiptState,
    RecordOutcomes,
    RecordReceipts,
    Recover,
    SegmentState,
    SubmitOutcome,
    Sweep,
    Verdict,
    Withdraw,
    verdict_of,
)
from tests.support.inlinestore import InlineStore

from .make import HOUR, NOW, PLAN, new_message

RECIPIENTS = ("447700900001", "447700900002", "33639980001")


class Histories(RuleBasedStateMachine):
    """The carrier, the clock and crashes act at random; the store has to keep its books."""

    @initialize()
    def open(self) -> None:
        self.store = InlineStore()
        self.now = NOW
        self.accepted: dict[int, int] = {}  # message -> parts
        self.out: dict[int, ClaimedSegment] = {}  # claimed, not answered, by segment
        self.unanswered: list[ClaimedSegment] = []  # given up by the bind; the carrier may still answer
        self.copies: Counter[int] = Counter()
        self.chosen: Counter[int] = Counter()  # how often somebody chose to send the segment again
        self.ids: list[str] = []

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.finish()
            self.store.close()

    @rule(
        parts=st.lists(st.integers(1, 4), min_size=1, max_size=5),
        registered=st.integers(0, 1),
        to=st.sampled_from(RECIPIENTS),
    )
    def accept(self, parts: list[int], registered: int, to: str) -> None:
        op = Accept([new_message(to, parts=one, registered_delivery=registered) for one in parts], self.now)
        self.store.commit_now(op)
        self.accepted |= {one.message_id: one.segments for one in op.result}

    @rule(limit=st.integers(1, 6))
    def claim(self, limit: int) -> None:
        op = Claim("demo", "demo/1", limit, self.now)
        self.store.commit_now(op)
        claimed = {one.segment_id: one for one in op.result.segments}
        assert len(claimed) <= limit
        assert not self.out.keys() & claimed.keys(), "claimed twice"
        self.out |= claimed
        self.copies.update(claimed.keys())
        for number in claimed:
            assert self.copies[number] <= 1 + self.chosen[number], "sent again without anybody having chosen it"

    @rule(data=st.data(), kind=st.sampled_from(OutcomeKind), reused=st.booleans())
    def answer(self, data: st.DataObject, kind: OutcomeKind, reused: bool) -> None:
        taken = self._some_out(data)
        op = self._answer(taken, kind, reused)
        assert (op.result.moved, op.result.stale) == (len(taken), 0)
        if kind not in (OutcomeKind.ACCEPTED, OutcomeKind.REJECTED):
            self.chosen.update(one.segment_id for one in taken)  # refused: the carrier does not have it

    @rule(data=st.data(), kind=st.sampled_from(OutcomeKind))
    def late_answer(self, data: st.DataObject, kind: OutcomeKind) -> None:
        if self.unanswered:
            late = self.unanswered.pop(data.draw(st.integers(0, len(self.unanswered) - 1)))
            op = self._answer([late], kind, False)
            assert op.result.moved + op.result.stale == 1
            if op.result.moved and kind not in (OutcomeKind.ACCEPTED, OutcomeKind.REJECTED):
                self.chosen[late.segment_id] += 1

    def _answer(self, taken: list[ClaimedSegment], kind: OutcomeKind, reused: bool) -> RecordOutcomes:
        def smsc_id(number: int) -> str:
            return "" if kind is not OutcomeKind.ACCEPTED else "7" if reused else f"id{number}"

        outcomes = [
            SubmitOutcome(one.segment_id, one.claim, kind, 8 if kind != "accepted" else 0, smsc_id(one.segment_id))
            for one in taken
        ]
        self.ids += [one.smsc_id for one in outcomes if one.smsc_id]
        op = RecordOutcomes("demo", "demo/1", outcomes, self.now, PLAN, HOUR)
        self.store.commit_now(op)
        return op

    @rule(data=st.data(), resend=st.booleans())
    def lose_the_link(self, data: st.DataObject, resend: bool) -> None:
        taken = self._some_out(data)
        pairs = [(one.segment_id, one.claim) for one in taken]
        op = Doubt("demo", "demo/1", pairs, Reason.LINK_LOST, self.now, HOUR, PLAN if resend else None)
        self.store.commit_now(op)
        assert op.result == len(taken)
        self.unanswered += taken
        if resend:
            self.chosen.update(one.segment_id for one in taken)

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        taken = self._some_out(data)
        op = Withdraw("demo", "demo/1", [(one.segment_id, one.claim) for one in taken], self.now)
        self.store.commit_now(op)
        assert op.result == len(taken)
        self.copies.subtract(one.segment_id for one in taken)  # nothing was written

    @rule(data=st.data(), state=st.sampled_from(ReceiptState), source=st.sampled_from(RECIPIENTS))
    def receipt(self, data: st.DataObject, state: ReceiptState, source: str) -> None:
        early = [f"id{one}" for one in sorted(self.out)]
        smsc_id = data.draw(st.sampled_from([*self.ids, *early, "nobody's"]))
        record = ReceiptRecord(smsc_id, state, state.name, "000", source, "BANK", b"")
        self.store.commit_now(RecordReceipts("demo", "demo/1", [record], self.now))

    @rule()
    def crash(self) -> None:
        op = Recover(self.now, {"demo": HOUR}, {})
        self.store.commit_now(op)
        assert op.result == len(self.out)
        self.out.clear()

    @rule(seconds=st.sampled_from([0, 1, 600, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * 1000
        self.store.commit_now(Sweep(self.now, {"demo": HOUR}))
        for number, state in self.store.connection.execute("SELECT id, state FROM segment"):
            if number in self.out and state != SegmentState.IN_FLIGHT:  # past its validity in flight
                self.unanswered.append(self.out.pop(number))

    def _some_out(self, data: st.DataObject) -> list[ClaimedSegment]:
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
        states = self._states()
        assert {number: len(of_message) for number, of_message in states.items()} == self.accepted
        flying = sum(of_message.count(SegmentState.IN_FLIGHT) for of_message in states.values())
        assert flying == len(self.out)
        rows: Any = self.store.connection.execute("SELECT id, verdict FROM message")
        for number, verdict in rows:
            expected = verdict_of(states[number])
            assert (None if verdict is None else Verdict(verdict)) == expected

    def finish(self) -> None:
        """Whatever happened: once the carrier is silent for long enough, every message has a verdict."""
        self.store.commit_now(Recover(self.now, {"demo": HOUR}, {}))
        for _ in range(4):
            self.now += 1000 * HOUR
            self.store.commit_now(Sweep(self.now, {"demo": HOUR}))
        open_now = [states for states in self._states().values() if verdict_of(states) is None]
        assert open_now == []


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
