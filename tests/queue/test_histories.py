"""Random histories of store calls never lose or double a segment, and every message ends with a verdict."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from smppgw.queue.model import (
    Accept,
    Claim,
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


class Histories(RuleBasedStateMachine):
    """The carrier, the clock and crashes act at random; the store has to keep its books."""

    @initialize()
    def open(self) -> None:
        self.store = InlineStore()
        self.now = NOW
        self.accepted: dict[int, int] = {}  # message -> parts
        self.out: set[int] = set()  # claimed, not answered
        self.ids: list[str] = []

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.finish()
            self.store.close()

    @rule(parts=st.lists(st.integers(1, 4), min_size=1, max_size=5), registered=st.integers(0, 1))
    def accept(self, parts: list[int], registered: int) -> None:
        op = Accept([new_message(parts=one, registered_delivery=registered) for one in parts], self.now)
        self.store.commit_now(op)
        self.accepted |= {one.message_id: one.segments for one in op.result}

    @rule(limit=st.integers(1, 6))
    def claim(self, limit: int) -> None:
        op = Claim("demo", "demo/1", limit, self.now)
        self.store.commit_now(op)
        claimed = [one.segment_id for one in op.result.segments]
        assert len(claimed) <= limit
        assert not self.out.intersection(claimed), "claimed twice"
        self.out.update(claimed)

    @rule(data=st.data(), kind=st.sampled_from(OutcomeKind))
    def answer(self, data: st.DataObject, kind: OutcomeKind) -> None:
        taken = self._some_out(data)
        ids = [f"id{one}" if kind is OutcomeKind.ACCEPTED else "" for one in taken]
        self.ids += [one for one in ids if one]
        outcomes = [SubmitOutcome(n, kind, 0 if i else 8, i, self.now + 5) for n, i in zip(taken, ids, strict=True)]
        op = RecordOutcomes("demo", "demo/1", outcomes, self.now, PLAN, HOUR)
        self.store.commit_now(op)
        assert (op.result.moved, op.result.stale) == (len(taken), 0)

    @rule(data=st.data(), resend=st.booleans())
    def lose_the_link(self, data: st.DataObject, resend: bool) -> None:
        taken = self._some_out(data)
        op = Doubt("demo", "demo/1", taken, Reason.LINK_LOST, self.now, HOUR, resend)
        self.store.commit_now(op)
        assert op.result == len(taken)

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        taken = self._some_out(data)
        op = Withdraw(taken, self.now)
        self.store.commit_now(op)
        assert op.result == len(taken)

    @rule(data=st.data(), state=st.sampled_from(ReceiptState))
    def receipt(self, data: st.DataObject, state: ReceiptState) -> None:
        early = [f"id{one}" for one in sorted(self.out)]
        known = data.draw(st.sampled_from([*self.ids, *early, "nobody's"]))
        self._receive(known, state)

    def _receive(self, smsc_id: str, state: ReceiptState) -> None:
        record = ReceiptRecord(smsc_id, state, state.name, "000", "447700900001", "BANK", b"")
        self.store.commit_now(RecordReceipts("demo", "demo/1", [record], self.now))

    @rule()
    def crash(self) -> None:
        op = Recover(self.now, {"demo": HOUR}, frozenset())
        self.store.commit_now(op)
        assert op.result == len(self.out)
        self.out.clear()

    @rule(seconds=st.sampled_from([0, 1, 600, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * 1000
        self.store.commit_now(Sweep(self.now, {"demo": HOUR}))

    def _some_out(self, data: st.DataObject) -> list[int]:
        count = data.draw(st.integers(0, len(self.out)))
        taken = sorted(self.out)[:count]
        self.out.difference_update(taken)
        return taken

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
        self.store.commit_now(Recover(self.now, {"demo": HOUR}, frozenset()))
        for _ in range(4):
            self.now += 1000 * HOUR
            self.store.commit_now(Sweep(self.now, {"demo": HOUR}))
        open_now = [states for states in self._states().values() if verdict_of(states) is None]
        assert open_now == []


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
