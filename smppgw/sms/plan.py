"""From a text, or octets, to segments: which alphabet, how many submit_sm, and the octets of each.

Owns the choice among the ways to write a text. Refuses to know carriers, addresses and prices, and to change a
character unasked: a text is sent as it is, or as its sender allowed, which the plan tells, or refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from smppgw.errors import Refusal
from smppgw.sms import coding, dcs, gsm7, national, smart, udh
from smppgw.sms.encoding import (
    DEFAULT_ENCODING,
    NO_WISHES,
    Alphabet,
    DefaultAlphabet,
    Encoding,
    Language,
    Numbering,
    OnUnencodable,
    Packing,
    Wishes,
)
from smppgw.sms.forms import CODECS, IMPOSSIBLE, Form, Frame, frame, in_gsm7
from smppgw.sms.forms import MOST_SHORT_MESSAGE_OCTETS as MOST_SHORT_MESSAGE_OCTETS
from smppgw.sms.lacking import lacking_in_gsm7 as lacking_in_gsm7
from smppgw.sms.lacking import named
from smppgw.sms.lacking import refuse_unstorable as refuse_unstorable
from smppgw.sms.lacking import utf16be as utf16be_of
from smppgw.sms.smart import Replaced

#: The concatenation elements count parts in one octet (3GPP TS 23.040, 9.2.3.24.1 and .8), and so does
#: sar_total_segments (SMPP 3.4, 5.3.2.23).
MOST_SEGMENTS = 255

ESM_CLASS_UDHI = 0x40  # SMPP 3.4, 5.2.12

#: A TLV's length has two octets (SMPP 3.4, 3.2.4.2).
MOST_PAYLOAD_OCTETS = 65_535


class Plan(NamedTuple):
    """How one message is sent. `segments` are the octets of each submit_sm, UDH included, in order of part.

    `parts`: how many the handset gets; more than there are segments where the SMSC cuts a message_payload itself.
    `text`: what is sent, with what was `replaced`; empty where octets were given. A tuple because one is made for
    every message: a frozen dataclass takes twice as long.
    """

    alphabet: Alphabet
    data_coding: int
    esm_class: int
    segments: tuple[bytes, ...]
    parts: int = 1
    numbering: Numbering = Numbering.NONE
    payload: bool = False  # the octets travel as message_payload
    locking: Language | None = None  # of GSM-7: the national locking shift table, None for the default alphabet
    single: Language | None = None  # and the single shift table, None for the default extension table
    subunit: int | None = None  # dest_addr_subunit, where that tells the message class
    text: str = ""
    replaced: tuple[Replaced, ...] = ()


_GSM7, _UCS2, _LATIN1, _ASCII, _BINARY = (
    Alphabet.GSM7,
    Alphabet.UCS2,
    Alphabet.LATIN1,
    Alphabet.ASCII,
    Alphabet.BINARY,
)
_ALONE = Numbering.NONE
_SEPTETS_AS_THEY_ARE = (DefaultAlphabet.GSM7, Packing.UNPACKED)
_NOTHING_MORE = NO_WISHES[3:]  # than an alphabet, and what to do without one


# ---------------------------------------------------------------------------------------------------------------- #
# Texts
# ---------------------------------------------------------------------------------------------------------------- #


def plan(
    text: str,
    *,
    max_segments: int = MOST_SEGMENTS,
    encoding: Encoding = DEFAULT_ENCODING,
    wishes: Wishes = NO_WISHES,
    reference: int = 0,
) -> Plan:
    """Plans `text` with as few segments as this SMSC and these wishes allow.

    Plain GSM-7 in one segment is taken at once. Otherwise the fewest segments decide, and on a tie the earlier of
    GSM-7, ASCII, Latin-1, UCS-2, GSM-7 with national tables. Where UCS-2 is to be refused, or avoided by
    transliteration, it is none of these while another can carry the text, however many segments that takes. Where it
    would be UCS-2, or nothing at all, smart encoding and transliteration come in, if they are wished and need no more
    segments. Parts are told apart by `reference`, taken modulo 256 or, in a 16-bit element, 65536. No ESC pair and no
    surrogate pair is ever split, and no grapheme cluster where the same number of segments can do without.

    Raises Refusal: `empty_text`; `unencodable` (U+0000, a lone surrogate, characters that no allowed alphabet has;
    the text says which and where); `too_long` (more than `max_segments` for the handset, or more than a
    message_payload holds; the text says how many it needs); `alphabet_unsupported`, `class_unsupported`,
    `waiting_not_gsm7` (what this SMSC, or a data_coding, cannot tell); `conflicting_fields`.
    """
    septets = gsm7.try_encode(text)
    utf16be = None
    if septets:
        if (
            len(septets) <= encoding.max_octets * 8 // 7
            and encoding[:2] == _SEPTETS_AS_THEY_ARE
            and (wishes is NO_WISHES or (wishes[0] in _PLAIN and wishes[3:] == _NOTHING_MORE))
        ):
            return Plan(_GSM7, encoding.gsm7_data_coding, 0, (septets,), 1, _ALONE, False, None, None, None, text)
    elif septets is None:
        utf16be = utf16be_of(text)
        # National tables are for fewer segments than this one.
        if len(utf16be) <= encoding.max_octets and wishes == NO_WISHES and _takes_neither(encoding):
            return Plan(_UCS2, encoding.ucs2_data_coding, 0, (utf16be,), 1, _ALONE, False, None, None, None, text)
    return _Planner(encoding, wishes, max_segments, reference).plan(text, septets, utf16be)


def _takes_neither(encoding: Encoding) -> bool:
    """Whether this SMSC takes no texts of one octet a character."""
    return encoding.latin1_data_coding is None and encoding.ascii_data_coding is None


_PLAIN = (None, _GSM7)


class _Choice(NamedTuple):
    """The best form found, and how many parts it needs."""

    form: Form | None
    parts: int


_Tables = tuple[Language | None, Language | None, Frame, int]


class _Planner:
    """One text, or one content, on its way to a plan."""

    def __init__(self, encoding: Encoding, wishes: Wishes, max_segments: int, reference: int) -> None:
        self._encoding = encoding
        self._wishes = wishes
        self._reference = reference
        self._allowed = min(max_segments, MOST_SEGMENTS)
        self._elements: tuple[tuple[int, bytes], ...] = ()
        self._is_part = False
        if wishes is not NO_WISHES and wishes[3:] != _NOTHING_MORE:
            coding.refuse_conflicts(wishes, encoding)
            self._elements = coding.elements(wishes)
            self._look_at_elements()
        self._frame = frame(encoding, self._elements)

    def _look_at_elements(self) -> None:
        header_octets = sum(2 + len(data) for _, data in self._elements)
        if header_octets >= self._encoding.max_octets:
            text = f"the elements of the UDH take {header_octets} octets, which leaves no room in a segment"
            raise Refusal("too_long", text, field="udh")
        # A concatenation element of the caller's speaks of a message that the caller cuts.
        self._is_part = any(iei in _CONCATENATION for iei, _ in self._elements)
        if self._is_part:
            self._allowed = 1

    # -- a text ------------------------------------------------------------------------------------------------- #

    def plan(self, text: str, septets: bytes | None, utf16be: bytes | None) -> Plan:
        """`septets`: of the default tables, None where these lack a character; then `utf16be` is there."""
        if not text and self._wishes.waiting is None:
            raise Refusal("empty_text", "the text is empty", field="text")
        form = self._obvious(text, septets, utf16be)
        if form is not None:
            return self._made(form, form.parts())
        self._refuse_unsupported()
        on_unencodable = self._wishes.on_unencodable
        unwanted = on_unencodable is not OnUnencodable.UCS2 and self._wishes.alphabet is None
        choice = self._best(text, septets, utf16be, ucs2=not unwanted)
        if choice.form is not None and (choice.form.alphabet is not _UCS2 or self._wishes is NO_WISHES):
            return self._made(choice.form, choice.parts)
        if unwanted and on_unencodable is OnUnencodable.TRANSLITERATE:
            choice = self._best(text, septets, utf16be)
        replaced = self._smart(text, choice) or self._transliterated(text, choice)
        if replaced is not None:
            return replaced
        if choice.form is None:
            raise self._unencodable(text)
        return self._made(choice.form, choice.parts)

    def _obvious(self, text: str, septets: bytes | None, utf16be: bytes | None) -> Form | None:
        """The form of most texts, where no other could be better: `_best` comes to the same, and takes its time."""
        encoding = self._encoding
        if self._wishes != NO_WISHES:
            return None
        alone = not encoding.national and _takes_neither(encoding)
        if septets is not None:
            # Nothing carries characters in less than 7 bits, and an escape takes 14 where UCS-2 takes 16.
            if alone or len(septets) == len(text):
                return in_gsm7(text, septets, encoding.gsm7_data_coding, self._frame, encoding)
            return None
        if utf16be is None or not alone:
            return None
        return Form(_UCS2, encoding.ucs2_data_coding, text, utf16be, self._frame)

    def _best(self, text: str, septets: bytes | None, utf16be: bytes | None, *, ucs2: bool = True) -> _Choice:
        """`utf16be`: None where it is not known yet."""
        best: Form | None = None
        needed = IMPOSSIBLE + 1
        for form in self._forms(text, septets, utf16be, ucs2):
            parts = form.parts()
            if parts < needed:
                best, needed = form, parts
        if needed > 1 and self._encoding.national and self._wishes.alphabet in _PLAIN:
            for locking, single, surrounding, at_least in self._tables(text, septets):
                if at_least < needed:
                    form = self._national(text, surrounding, locking, single)
                    if (parts := form.parts()) < needed:
                        best, needed = form, parts
        return _Choice(best, needed)

    def _forms(self, text: str, septets: bytes | None, utf16be: bytes | None, ucs2: bool) -> Iterator[Form]:
        """The forms without national tables that are allowed and carry the text, the most wanted first."""
        wanted = self._wishes.alphabet
        if septets is not None and wanted in _PLAIN:
            form = in_gsm7(text, septets, self._gsm7_data_coding(), self._frame, self._encoding)
            if form is not None:
                yield form
                # Nothing carries characters in less than 7 bits, and an escape takes 14 where UCS-2 takes 16: only
                # beside a UDH that leaves next to no room can the sizes of septets and octets tell otherwise.
                if self._frame.septets > _NEXT_TO_NO_ROOM:
                    ucs2 = False
                    if len(septets) == len(text):
                        return
        if not _takes_neither(self._encoding):
            yield from self._of_one_octet(text)
        if ucs2 and (wanted is None or wanted is _UCS2):
            data_coding = coding.data_coding(_UCS2, self._encoding, self._wishes)
            if data_coding is not None:
                octets = text.encode("utf-16-be") if utf16be is None else utf16be
                yield Form(_UCS2, data_coding, text, octets, self._frame)

    def _of_one_octet(self, text: str) -> Iterator[Form]:
        for alphabet, codec, characters in _OF_ONE_OCTET:
            if self._wishes.alphabet in (None, alphabet):
                data_coding = coding.data_coding(alphabet, self._encoding, self._wishes)
                if data_coding is not None and characters.fullmatch(text):
                    yield Form(alphabet, data_coding, text, text.encode(codec), self._frame)

    def _tables(self, text: str, septets: bytes | None) -> Iterator[_Tables]:
        """The pairs of national tables that carry the text, what surrounds it then, and the fewest parts possible."""
        if self._encoding.default_alphabet is DefaultAlphabet.GSM7 and (septets is None or len(septets) > len(text)):
            for locking, single, count in national.choices(text, self._encoding.national):
                elements = (*self._elements, *national.elements(locking, single))
                surrounding = frame(self._encoding, elements)
                yield locking, single, surrounding, surrounding.fewest(count)

    def _national(self, text: str, surrounding: Frame, locking: Language | None, single: Language | None) -> Form:
        septets = national.encode(text, locking, single)
        assert septets is not None  # they are one of the choices for this text
        data_coding = self._gsm7_data_coding()
        form = in_gsm7(text, septets, data_coding, surrounding, self._encoding, locking, single)
        assert form is not None  # the default alphabet is GSM-7
        return form

    def _gsm7_data_coding(self) -> int:
        data_coding = coding.data_coding(_GSM7, self._encoding, self._wishes)
        assert data_coding is not None  # every SMSC, class and waiting indication has one
        return data_coding

    def _smart(self, text: str, choice: _Choice) -> Plan | None:
        """With typographic characters replaced, where that avoids UCS-2 or a refusal, and costs no segment."""
        if not self._wishes.smart or self._wishes.alphabet is _UCS2:
            return None
        new, replaced = smart.smarten(text)
        if not replaced:
            return None
        found = self._best(new, gsm7.try_encode(new), None, ucs2=False)
        if found.form is None or found.parts > choice.parts:
            return None
        beside = choice.form is not None and self._wishes.on_unencodable is OnUnencodable.UCS2
        if beside and found.parts == choice.parts and _is_national(found.form):
            return None
        return self._made(found.form, found.parts, replaced)

    def _transliterated(self, text: str, choice: _Choice) -> Plan | None:
        """In other letters, where no alphabet but UCS-2 has those of the text, and where it costs no segment."""
        wishes = self._wishes
        if wishes.on_unencodable is not OnUnencodable.TRANSLITERATE or wishes.alphabet is _UCS2:
            return None
        found = smart.transliterate(text)
        if found is None:
            return None
        new, replaced = found
        form, parts = self._best(new, gsm7.try_encode(new), None, ucs2=False)
        if form is None or parts > choice.parts:
            return None
        return self._made(form, parts, replaced)

    def _refuse_unsupported(self) -> None:
        """What of these wishes no text can have here."""
        wanted, encoding = self._wishes.alphabet, self._encoding
        if any(iei in _SHIFTS for iei, _ in self._elements):
            text = "the shift tables of a text are chosen here: leave the elements 0x24 and 0x25 out of the UDH"
            raise Refusal("conflicting_fields", text, field="udh")
        if wanted is None or wanted is _GSM7:
            return
        if self._wishes.waiting is not None and wanted is _UCS2 and not self._wishes.waiting.store:
            raise _waiting_not_gsm7("UCS-2 was asked for")
        if coding.data_coding(wanted, encoding, self._wishes) is None or wanted is _BINARY:
            text = f"the carrier takes no texts in {coding.LABELS[wanted]}"
            raise Refusal("alphabet_unsupported", text, field="alphabet")

    def _unencodable(self, text: str) -> Refusal:
        """No allowed form has all characters of the text."""
        wanted = self._wishes.alphabet or _GSM7
        label = coding.LABELS[wanted]
        lackings: list[tuple[str, list[int]]] = []
        if wanted is _GSM7:
            default = self._encoding.default_alphabet
            foreign = lacking_in_gsm7(text)
            lackings.append((label, foreign))
            if default is not DefaultAlphabet.GSM7:
                others = sorted(set(lacking_in_gsm7(text, CODECS[default])).difference(foreign))
                lackings.append((f"the carrier's default alphabet ({coding.DEFAULT_LABELS[default]})", others))
        else:
            characters = next(one for alphabet, _, one in _OF_ONE_OCTET if alphabet is wanted)
            lacking = [at for at, character in enumerate(text) if not characters.fullmatch(character)]
            lackings.append((label, lacking))
        told = "; ".join([f"{name} lacks {named(text, places)}" for name, places in lackings if places])
        told = told or f"{label} cannot carry it"
        waiting = self._wishes.waiting
        if waiting is not None and not waiting.store:
            return _waiting_not_gsm7(told)
        return Refusal("unencodable", told, field="text")

    # -- octets ------------------------------------------------------------------------------------------------- #

    def octets(self, octets: bytes, data_coding: int | None) -> Plan:
        wishes = self._wishes
        if wishes.waiting is not None or wishes.alphabet not in (None, _BINARY):
            name = "message_waiting" if wishes.waiting is not None else "alphabet"
            raise Refusal("conflicting_fields", f"octets have no {name}: their data_coding says it", field=name)
        if data_coding is not None and wishes.message_class is not None:
            text = "data_coding says the class of octets already: give one of them"
            raise Refusal("conflicting_fields", text, field="message_class")
        if not octets and not self._elements:
            raise Refusal("empty_text", "there are no octets", field="octets")
        if data_coding is None:
            data_coding = coding.data_coding(_BINARY, self._encoding, wishes)
            assert data_coding is not None
        alphabet = self._alphabet_of(data_coding)
        septets = alphabet is _GSM7 and not self._encoding.packs
        if septets and not octets.isascii():
            at = next(at for at, octet in enumerate(octets) if octet > _MOST_SEPTET)
            text = f"octet {at} is 0x{octets[at]:02X}, and a septet has 7 bits; this data_coding is GSM-7, unpacked"
            raise Refusal("octets_invalid", text, field="octets")
        form = Form(alphabet, data_coding, "", octets, self._frame, septets)
        return self._made(form, form.parts())

    def _alphabet_of(self, data_coding: int) -> Alphabet:
        """What octets with this data_coding are to this SMSC; BINARY where that is no alphabet of ours."""
        alphabet = dcs.describe(data_coding, self._encoding).alphabet or _BINARY
        if alphabet is _GSM7 and self._encoding.default_alphabet is not DefaultAlphabet.GSM7:
            return _BINARY
        return alphabet

    # -- segments ----------------------------------------------------------------------------------------------- #

    def _made(self, form: Form, parts: int, replaced: tuple[Replaced, ...] = ()) -> Plan:
        if parts > self._allowed:
            raise self._too_long(form, parts)
        surrounding = form.frame
        numbering = surrounding.numbering if parts > 1 else Numbering.NONE
        payload = False
        if parts > 1 and surrounding.payload:
            segments: list[bytes] = [form.whole()]
            payload = True
        else:
            segments = form.pieces(parts)
            payload = surrounding.payload and len(segments[0]) > MOST_SHORT_MESSAGE_OCTETS
        if payload and len(segments[0]) > MOST_PAYLOAD_OCTETS:
            text = f"the text needs {len(segments[0])} octets, a message_payload holds {MOST_PAYLOAD_OCTETS}"
            raise Refusal("too_long", text, field="text")
        elements = surrounding.elements
        esm_class = 0
        if numbering in (Numbering.NARROW, Numbering.WIDE):
            esm_class = ESM_CLASS_UDHI
            header = udh.concatenation_header(self._reference, parts, 0, wide=numbering is Numbering.WIDE)
            before = bytes((header[0] + len(elements),)) + header[1:-1]
            segments = [before + bytes((part,)) + elements + segment for part, segment in enumerate(segments, 1)]
        elif elements:
            esm_class = ESM_CLASS_UDHI
            segments = [bytes((len(elements),)) + elements + segment for segment in segments]
        return Plan(
            form.alphabet,
            form.data_coding,
            esm_class,
            tuple(segments),
            parts,
            numbering,
            payload,
            form.locking,
            form.single,
            None if self._wishes.message_class is None else coding.subunit(self._encoding, self._wishes),
            form.text,
            replaced,
        )

    def _too_long(self, form: Form, parts: int) -> Refusal:
        what, field = ("the text", "text") if form.text else ("this", "octets")
        if parts >= IMPOSSIBLE:
            return Refusal("too_long", "the UDH leaves no room for a character beside it", field="udh")
        if self._is_part:
            text = (
                f"{what} needs {parts} segments, but the UDH has a concatenation element of its own: cut it yourself"
            )
        else:
            text = f"{what} needs {parts} segments in {coding.LABELS[form.alphabet]}, {self._allowed} are allowed"
        return Refusal("too_long", text, field=field)


def _is_national(form: Form) -> bool:
    return form.locking is not None or form.single is not None


def _waiting_not_gsm7(told: str) -> Refusal:
    text = f"a waiting indication whose text is not stored is in GSM-7: {told}; store it, or change the text"
    return Refusal("waiting_not_gsm7", text, field="message_waiting")


_CONCATENATION = (udh.CONCATENATED_8_BIT, udh.CONCATENATED_16_BIT)
_SHIFTS = (national.SINGLE_SHIFT, national.LOCKING_SHIFT)
_NEXT_TO_NO_ROOM = 8
_MOST_SEPTET = 0x7F

#: What can be shown; control characters go another way. Those of Latin-1 from 0x80 on are Windows-1252 to many.
_OF_ONE_OCTET = (
    (_ASCII, "ascii", re.compile("[\n\r -~]*")),
    (_LATIN1, "latin-1", re.compile("[\n\r -~\xa0-\xff]*")),
)


# ---------------------------------------------------------------------------------------------------------------- #
# Octets
# ---------------------------------------------------------------------------------------------------------------- #


def plan_octets(
    octets: bytes,
    *,
    data_coding: int | None = None,
    max_segments: int = MOST_SEGMENTS,
    encoding: Encoding = DEFAULT_ENCODING,
    wishes: Wishes = NO_WISHES,
    reference: int = 0,
) -> Plan:
    """Plans octets as they are, with the caller's data_coding, or with that of binary messages.

    Where the data_coding says GSM-7 and the SMSC takes it unpacked, each octet is a septet; all other octets are cut
    by 140 less the UDH, UCS-2 at whole characters.

    Raises Refusal: `empty_text` (no octets, and no element of a UDH), `octets_invalid` (no septet), `too_long`,
    `class_unsupported`, `conflicting_fields`.
    """
    return _Planner(encoding, wishes, max_segments, reference).octets(octets, data_coding)
