"""Long messages put together again from their submits: one entry for each message, as a phone would show it.

Owns what belongs together: the parts of one reference between the same two addresses (3GPP TS 23.040, 9.2.3.24.1 and
9.2.3.24.8; SAR TLVs, SMPP 3.4, 5.3.2.22 to 5.3.2.24). Refuses to know where the submits come from. Refused submits
reach no phone: they are no parts.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any

from simulator.ledger import Submit
from simulator.reading import Part

#: Messages that wait for parts; past it the oldest is given up as it is.
MAX_OPEN = 10_000


class Whole:
    """One message. `number` is that of the submit it was last added to, `numbers` of all of them, as they came.

    `parts`: how many it has. `missing`: which have not come, none when it is complete. `repeated`: parts that came
    more than once with the same content.
    """

    __slots__ = ("_by_part", "_part", "number", "numbers", "repeated", "utc_ms")

    def __init__(self, number: int, submit: Submit, part: Part | None) -> None:
        self._part = part
        self._by_part: dict[int, Submit] = {part.part if part is not None else 1: submit}
        self.number = number
        self.numbers = [number]
        self.repeated: list[int] = []
        self.utc_ms = submit.utc_ms

    def add(self, number: int, submit: Submit, part: int) -> bool:
        """Takes one more part; False: this one is here already with other content, so it is of another message."""
        known = self._by_part.get(part)
        if known is not None and known.octets != submit.octets:
            return False
        if known is not None:
            self.repeated.append(part)
        else:
            self._by_part[part] = submit
        self.number = number
        self.numbers.append(number)
        self.utc_ms = submit.utc_ms
        return True

    @property
    def parts(self) -> int:
        return self._part.parts if self._part is not None else 1

    @property
    def missing(self) -> list[int]:
        return [part for part in range(1, self.parts + 1) if part not in self._by_part]

    @property
    def complete(self) -> bool:
        return len(self._by_part) == self.parts

    @property
    def first(self) -> Submit:
        """The submit of the lowest part that came."""
        return self._by_part[min(self._by_part)]

    @property
    def system_id(self) -> str:
        return self.first.system_id

    @property
    def source(self) -> str:
        return self.first.source

    @property
    def destination(self) -> str:
        return self.first.destination

    @property
    def text(self) -> str:
        """What a phone shows; of a message that is not complete the parts that came, and a mark for the others."""
        if self.parts == 1:
            return self.first.text
        if self.complete:
            in_order = [self._by_part[part] for part in sorted(self._by_part)]
            return self.first.reader.join([submit.pdu for submit in in_order])
        texts = (
            self._by_part[part].text if part in self._by_part else f"[part {part} of {self.parts} is missing]"
            for part in range(1, self.parts + 1)
        )
        return "".join(texts)

    def line(self) -> dict[str, Any]:
        """All of it that JSON can carry."""
        line = {
            "kind": "message",
            "utc_ms": self.utc_ms,
            "system_id": self.system_id,
            "source": self.source,
            "destination": self.destination,
            "message_ids": [self._by_part[part].message_id for part in sorted(self._by_part)],
            "submits": self.numbers,
            **self.first.reading.as_json(),
            "text": self.text,
            "parts": self.parts,
            "complete": self.complete,
            "missing": self.missing,
            "repeated": self.repeated,
        }
        line.pop("part", None)
        return line


class Assembler:
    """Puts messages together; give it the submits in the order in which they came.

    A message is forgotten once it is complete, as by a phone: a part that comes again after that begins another one.
    """

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[object, ...], Whole] = OrderedDict()
        self._given_up: deque[Whole] = deque(maxlen=MAX_OPEN)  # another message took their reference

    def feed(self, number: int, submit: Submit) -> Whole | None:
        """The message that this submit completes, None when it is refused, or when parts are missing still."""
        if submit.status:
            return None
        part = submit.reading.part
        if part is None or not 1 <= part.part <= part.parts:
            return Whole(number, submit, None)  # a part that cannot be: phones ignore the element
        key = (submit.system_id, submit.source, submit.destination, part.form, part.reference, part.parts)
        whole = self._open.get(key)
        if whole is None or not whole.add(number, submit, part.part):
            whole = self._start(key, number, submit, part)
        if not whole.complete:
            return None
        del self._open[key]
        return whole

    def _start(self, key: tuple[object, ...], number: int, submit: Submit, part: Part) -> Whole:
        if (other := self._open.pop(key, None)) is not None:
            self._given_up.append(other)
        whole = self._open[key] = Whole(number, submit, part)
        if len(self._open) > MAX_OPEN:
            self._given_up.append(self._open.popitem(last=False)[1])
        return whole

    def incomplete(self) -> list[Whole]:
        """The messages that lack parts, by when they were last added to."""
        return sorted([*self._given_up, *self._open.values()], key=lambda whole: whole.number)
