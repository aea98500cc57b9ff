"""Whether the receipts of a carrier find their messages: pure, counts in, a judgement out.

A carrier whose receipts name the message in a form that nobody expects is answered as any other, and all its messages
stay open until they are unknown. Somebody has to look at the ids settings then.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class SampleIds:
    """The ids that a carrier used last: for people who choose `ids.relation` or write `ids.extract`."""

    response: str = ""  # of a submit_sm_resp
    receipt: str = ""  # of a receipt that matched nothing


class MatchWatch:
    """Judges by counts of the store since ever: receipts that matched, and receipts in all.

    A count is judged one look later: a receipt that came before its submit_sm_resp has found its message by then.
    """

    #: Fewer receipts than this say nothing.
    LEAST = 20
    #: Below it something is wrong in principle. Receipts for messages of other platforms come in smaller numbers.
    SHARE = 0.1

    def __init__(self, matched: int, total: int) -> None:
        self._matched = matched
        self._total = total
        self._to_judge: int | None = None
        self._unmatched = False

    def unmatched(self, matched: int, total: int) -> bool:
        """True while nearly none matches. With too few to judge by, what was said last holds."""
        if total < self._total:  # the store counts anew, once it has learned how the ids relate
            self._matched = self._total = 0
            self._to_judge = None
        if self._to_judge is not None:
            self._unmatched = matched - self._matched < self.SHARE * (self._to_judge - self._total)
            self._matched, self._total = matched, self._to_judge
            self._to_judge = None
        if total - self._total >= self.LEAST:
            self._to_judge = total
        return self._unmatched
