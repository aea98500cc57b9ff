"""The words of the API's answers: strings of a few values each, for /openapi.json.

docs/what-you-see.md says what each means.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, WithJsonSchema

from smppgw.binds.status import Alarm, BindKind, BindState, Limit
from smppgw.queue.model import CancelStatus, Lane, Reason, ReceiptFlag, ReceiptState, SegmentState, Verdict
from smppgw.sms.encoding import Alphabet, DefaultAlphabet, Language, LongMessages
from smppgw.sms.preview import Unit


def _one_of(words: Iterable[str]) -> tuple[Any, ...]:
    """What makes a string one of `words`."""
    known = tuple(words)

    def check(word: str) -> str:
        if word not in known:
            raise ValueError(f"not one of {', '.join(known)}")
        return word

    return AfterValidator(check), WithJsonSchema({"type": "string", "enum": list(known)})


StateWord = Annotated[str, *_one_of(["open", *Verdict])]
VerdictWord = Annotated[str, *_one_of(Verdict)]
LaneWord = Annotated[str, *_one_of(lane.label for lane in Lane)]
SegmentStateWord = Annotated[str, *_one_of(state.label for state in SegmentState)]
ReasonWord = Annotated[str, *_one_of(Reason)]
ReceiptStateWord = Annotated[str, *_one_of(state.name.lower() for state in ReceiptState)]
FlagWord = Annotated[str, *_one_of(ReceiptFlag)]
KindWord = Annotated[str, *_one_of(BindKind)]
BindStateWord = Annotated[str, *_one_of(BindState)]
LimitWord = Annotated[str, *_one_of(Limit)]
AlarmWord = Annotated[str, *_one_of(Alarm)]
CancelWord = Annotated[str, *_one_of([CancelStatus.CANCELLED, CancelStatus.ASKED, CancelStatus.IN_DOUBT])]
AlphabetWord = Annotated[str, *_one_of(Alphabet)]
LanguageWord = Annotated[str, *_one_of(language.label for language in Language)]
LongWord = Annotated[str, *_one_of(how for how in LongMessages if how is not LongMessages.AUTO)]
DefaultAlphabetWord = Annotated[str, *_one_of(DefaultAlphabet)]
UnitWord = Annotated[str, *_one_of(Unit)]
CarrierStateWord = Annotated[str, *_one_of(["up", "partly", "down"])]
