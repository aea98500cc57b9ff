"""What a plan costs, told before it is sent: each segment with what is used and left of it, and the characters that
cost.

Owns the description of a plan. Refuses to know how a plan is chosen, and prices.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from smppgw.errors import Refusal
from smppgw.sms import dcs, gsm7, national, smart, udh
from smppgw.sms.encoding import Alphabet, DefaultAlphabet, Encoding, Numbering, Wishes
from smppgw.sms.forms import CODECS, MOST_SHORT_MESSAGE_OCTETS
from smppgw.sms.plan import ESM_CLASS_UDHI, Plan, lacking_in_gsm7, plan


class Unit(StrEnum):
    """What the room of a segment is counted in."""

    SEPTETS = "septets"
    OCTETS = "octets"


class SegmentPreview(NamedTuple):
    """One submit_sm. `used` and `left`: of the room that the handset's segment has, in the preview's unit, header not
    counted. `octets`: the short_message (or message_payload), `header` at its start included."""

    part: int
    text: str
    used: int
    left: int
    octets: bytes
    header: bytes


class Character(NamedTuple):
    """A character that costs, and where it stands (from 0, in characters). `lacked_by`: the alphabet that keeps it
    out of GSM-7: this itself, or else the one that the SMSC wants in its place; None where both have it."""

    character: str
    positions: tuple[int, ...]
    lacked_by: DefaultAlphabet | None = None

    @property
    def name(self) -> str:
        return name_of(self.character)

    @property
    def code_point(self) -> str:
        return f"U+{ord(self.character):04X}"


class Preview(NamedTuple):
    """`forced`: what GSM-7, as this SMSC is given it, lacks, by its positions in the caller's text. `extended`: what
    takes two septets, by its positions in the text that is sent; empty in other alphabets."""

    unit: Unit
    segments: tuple[SegmentPreview, ...]
    forced: tuple[Character, ...]
    extended: tuple[Character, ...]


def preview(text: str | None, planned: Plan, encoding: Encoding) -> Preview:
    """Describes `planned`, which was made of `text` for this encoding; of octets when `text` is None."""
    unit = Unit.SEPTETS if planned.alphabet is Alphabet.GSM7 else Unit.OCTETS
    segments = tuple(
        _segment(part, octets, unit, planned, encoding) for part, octets in enumerate(planned.segments, 1)
    )
    if text is None:
        return Preview(unit, segments, (), ())
    return Preview(unit, segments, lacking(text, encoding), extended(planned))


def smarter(text: str, planned: Plan, encoding: Encoding, wishes: Wishes) -> Plan | None:
    """What smart encoding would make of a text that was planned without it; None where it would change nothing."""
    if wishes.smart or planned.alphabet is not Alphabet.UCS2 or wishes.alphabet is Alphabet.UCS2:
        return None
    try:
        other = plan(text, encoding=encoding, wishes=wishes._replace(smart=True))
    except Refusal:
        return None
    return other if other.alphabet is Alphabet.GSM7 and other.replaced else None


def remaining(text: str, planned: Plan, encoding: Encoding, wishes: Wishes) -> list[str] | None:
    """The characters for which `planned` is in UCS-2 although smart encoding was wished, each once: it has nothing to
    stand for them. Empty where it would cost more segments than UCS-2. None where it was not wished, or not in vain.
    """
    if not wishes.smart or planned.alphabet is not Alphabet.UCS2 or wishes.alphabet is Alphabet.UCS2:
        return None
    new, _ = smart.smarten(text)
    return [one.character for one in lacking(new, encoding)]


# ---------------------------------------------------------------------------------------------------------------- #
# Segments
# ---------------------------------------------------------------------------------------------------------------- #


def _segment(part: int, octets: bytes, unit: Unit, planned: Plan, encoding: Encoding) -> SegmentPreview:
    header, content = udh.split(octets) if planned.esm_class & ESM_CLASS_UDHI else (b"", octets)
    text = _text(header, content, planned, encoding)
    used = len(content) if unit is Unit.OCTETS else _septets(text, content, planned, encoding)
    header_octets = len(header)
    if planned.numbering is Numbering.SAR or (planned.payload and planned.parts > 1):
        header_octets = encoding.header_octets  # the SMSC will add it
    room = encoding.max_octets - header_octets
    if unit is Unit.SEPTETS:
        room = (room * 8 - udh.fill_bits(header_octets)) // 7
    # Of a payload: an estimate, since the SMSC cuts it.
    left = room * (planned.parts if planned.payload else 1) - used
    if not planned.payload:
        left = min(left, MOST_SHORT_MESSAGE_OCTETS - len(octets))
    return SegmentPreview(part, text, used, max(0, left), octets, header)


def _text(header: bytes, content: bytes, planned: Plan, encoding: Encoding) -> str:
    """What the handset shows of one segment. Not dcs's reading of it: that drops a byte order mark."""
    if planned.alphabet is Alphabet.UCS2:
        return content.decode("utf-16-be", "replace")
    if planned.alphabet in (Alphabet.LATIN1, Alphabet.ASCII):
        return content.decode("latin-1")
    if planned.alphabet is Alphabet.BINARY:
        return dcs.decode_text(content, planned.data_coding, False, encoding)
    codec = CODECS.get(encoding.default_alphabet)
    if codec is not None:
        return content.decode(codec, "replace")
    septets = gsm7.unpack(content, udh.fill_bits(len(header))) if encoding.packs else content
    return national.decode(septets, planned.locking, planned.single)


def _septets(text: str, content: bytes, planned: Plan, encoding: Encoding) -> int:
    if encoding.default_alphabet is DefaultAlphabet.GSM7 and not encoding.packs:
        return len(content)
    septets = national.encode(text, planned.locking, planned.single)
    return len(content) if septets is None else len(septets)


# ---------------------------------------------------------------------------------------------------------------- #
# Characters
# ---------------------------------------------------------------------------------------------------------------- #


def lacking(text: str, encoding: Encoding) -> tuple[Character, ...]:
    """The characters of `text` that keep it out of GSM-7 at this SMSC, in the order in which they first stand there:
    those that its default and extension tables lack, or the alphabet that the SMSC wants to be given in its place."""
    codec = CODECS.get(encoding.default_alphabet)
    return tuple(
        one._replace(lacked_by=_lacked_by(one.character, encoding.default_alphabet))
        for one in _by_character(text, lacking_in_gsm7(text, codec))
    )


def _lacked_by(character: str, default_alphabet: DefaultAlphabet) -> DefaultAlphabet:
    return DefaultAlphabet.GSM7 if gsm7.try_encode(character) is None else default_alphabet


def extended(planned: Plan) -> tuple[Character, ...]:
    """The characters that take two septets: ESC and one of the extension table, or of the national single shift
    table."""
    if planned.alphabet is not Alphabet.GSM7:
        return ()
    text = planned.text
    two = {one for one in set(text) if len(national.encode(one, planned.locking, planned.single) or b"") > 1}
    return _by_character(text, [at for at, one in enumerate(text) if one in two] if two else ())


def name_of(character: str) -> str:
    """The character's name in Unicode; of a control character the name of its function in ISO/IEC 6429, which Unicode
    has as an alias; where there is none a label such as `<reserved-0378>` (Unicode, 4.8)."""
    if character in _CONTROLS:
        return _CONTROLS[character]
    kind = _LABELS.get(unicodedata.category(character), "unnamed")
    return unicodedata.name(character, f"<{kind}-{ord(character):04X}>")


_LABELS = {"Co": "private-use", "Cs": "surrogate", "Cn": "reserved"}

#: Aliases of the type "control" in Unicode's NameAliases.txt.
_CONTROLS = {
    unicodedata.lookup(name): name
    for name in (
        *("NULL", "START OF HEADING", "START OF TEXT", "END OF TEXT", "END OF TRANSMISSION", "ENQUIRY"),
        *("ACKNOWLEDGE", "ALERT", "BACKSPACE", "CHARACTER TABULATION", "LINE FEED", "LINE TABULATION", "FORM FEED"),
        *("CARRIAGE RETURN", "SHIFT OUT", "SHIFT IN", "DATA LINK ESCAPE", "DEVICE CONTROL ONE"),
        *("DEVICE CONTROL TWO", "DEVICE CONTROL THREE", "DEVICE CONTROL FOUR", "NEGATIVE ACKNOWLEDGE"),
        *("SYNCHRONOUS IDLE", "END OF TRANSMISSION BLOCK", "CANCEL", "END OF MEDIUM", "SUBSTITUTE", "ESCAPE"),
        *("INFORMATION SEPARATOR FOUR", "INFORMATION SEPARATOR THREE", "INFORMATION SEPARATOR TWO"),
        *("INFORMATION SEPARATOR ONE", "DELETE", "PADDING CHARACTER", "HIGH OCTET PRESET", "BREAK PERMITTED HERE"),
        *("NO BREAK HERE", "INDEX", "NEXT LINE", "START OF SELECTED AREA", "END OF SELECTED AREA"),
        *("CHARACTER TABULATION SET", "CHARACTER TABULATION WITH JUSTIFICATION", "LINE TABULATION SET"),
        *("PARTIAL LINE FORWARD", "PARTIAL LINE BACKWARD", "REVERSE LINE FEED", "SINGLE SHIFT TWO"),
        *("SINGLE SHIFT THREE", "DEVICE CONTROL STRING", "PRIVATE USE ONE", "PRIVATE USE TWO"),
        *("SET TRANSMIT STATE", "CANCEL CHARACTER", "MESSAGE WAITING", "START OF GUARDED AREA"),
        *("END OF GUARDED AREA", "START OF STRING", "SINGLE GRAPHIC CHARACTER INTRODUCER"),
        *("SINGLE CHARACTER INTRODUCER", "CONTROL SEQUENCE INTRODUCER", "STRING TERMINATOR"),
        *("OPERATING SYSTEM COMMAND", "PRIVACY MESSAGE", "APPLICATION PROGRAM COMMAND"),
    )
}


def _by_character(text: str, positions: Sequence[int]) -> tuple[Character, ...]:
    found: dict[str, list[int]] = {}
    for at in positions:
        found.setdefault(text[at], []).append(at)
    return tuple(Character(one, tuple(places)) for one, places in found.items())
