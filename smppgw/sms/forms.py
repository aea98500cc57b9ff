"""One way to write a text: its octets in one alphabet, how many parts they need, and the parts themselves.

Owns the room in a part: UDH, fill bits, septets, what the SMSC wants to be given instead (another default alphabet,
packed septets, SAR TLVs, a message_payload). Refuses to know which way is the best one.

Sizes are always those that the handset gets: septets or octets, and a UDH on every part of a long text. What an SMSC
wants to be given instead is made of the same pieces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from smppgw.sms import gsm7, udh
from smppgw.sms.cut import (
    Cutter,
    PackedCutter,
    SeptetCutter,
    Utf16Cutter,
    WeighedCutter,
    character_ends,
    cluster_ends,
    unit_ends,
)
from smppgw.sms.encoding import Alphabet, DefaultAlphabet, Encoding, Language, LongMessages, Numbering

#: sm_length takes 254 octets (SMPP 3.4, 5.2.22). Only UTF-8 gets there: two octets for many a septet.
MOST_SHORT_MESSAGE_OCTETS = 254

#: More parts than any message has: it cannot be cut, as not even one character fits beside the UDH.
IMPOSSIBLE = 1 << 30

_CONCATENATION_OCTETS = {Numbering.NARROW: 5, Numbering.WIDE: 6, Numbering.SAR: 5, Numbering.NONE: 5}

#: Of a piece of septets, and the fill bits before it: its octets.
Writer = Callable[[bytes, int], bytes]

#: Alphabets that are not septets. What they and GSM-7 do not share goes another way: an SMSC would replace it.
CODECS = {DefaultAlphabet.LATIN1: "latin-1", DefaultAlphabet.ASCII: "ascii", DefaultAlphabet.UTF8: "utf-8"}


class Frame(NamedTuple):
    """What surrounds the content of each part: the UDH with these elements, and how the parts are numbered.

    SAR and message_payload leave the UDH to the SMSC, which cannot be where there is one already: with elements of
    another kind the parts have a concatenation element instead. The sizes are in octets, UDHL included.
    """

    elements: bytes
    numbering: Numbering  # of several parts
    payload: bool
    alone_octets: int  # of the UDH of a single part
    header_octets: int  # of the UDH that each of several parts has at the handset
    max_octets: int
    alone_septets: int  # the room for septets in a single part
    septets: int  # and in each of several

    def fewest(self, septets: int) -> int:
        """How many parts so many septets need at least."""
        if septets <= self.alone_septets:
            return 1
        room = self.septets
        return -(-septets // room) if room > 0 else IMPOSSIBLE


def frame(encoding: Encoding, elements: tuple[tuple[int, bytes], ...] = ()) -> Frame:
    """What surrounds each part of a message to this SMSC; `elements` beside those that number the parts."""
    return _frame(encoding.long, encoding.max_octets, elements)


@lru_cache(maxsize=1024)
def _frame(long: LongMessages, max_octets: int, elements: tuple[tuple[int, bytes], ...]) -> Frame:
    octets = b"".join([bytes((iei, len(data))) + data for iei, data in elements])
    payload = not octets and long is LongMessages.PAYLOAD
    if payload:
        numbering = Numbering.NONE
    elif not octets and long is LongMessages.SAR:
        numbering = Numbering.SAR
    else:
        numbering = Numbering.WIDE if long is LongMessages.UDH16 else Numbering.NARROW
    alone = 1 + len(octets) if octets else 0
    header = 1 + _CONCATENATION_OCTETS[numbering] + len(octets)
    return Frame(
        octets,
        numbering,
        payload,
        alone,
        header,
        max_octets,
        _septets(max_octets, alone),
        _septets(max_octets, header),
    )


def _septets(max_octets: int, header_octets: int) -> int:
    return ((max_octets - header_octets) * 8 - udh.fill_bits(header_octets)) // 7


@dataclass(slots=True, eq=False)
class Form:
    """`content`: octets as the handset gets them, septets one per octet. `write`: makes of septets what the SMSC
    wants instead: packed septets, UTF-8 (which takes two octets for many a septet), or another alphabet."""

    alphabet: Alphabet
    data_coding: int
    text: str
    content: bytes
    frame: Frame
    septets: bool = False
    write: Writer | None = None
    packed: bool = False
    utf8: bool = False
    locking: Language | None = None
    single: Language | None = None
    _made: Cutter | None = field(default=None, init=False)

    def parts(self) -> int:
        """How many the handset gets at least; IMPOSSIBLE where not one character fits."""
        if self._alone() is not None:
            return 1
        room = self._even_room()
        if room is None:
            return self._cutter().fewest(0) or IMPOSSIBLE
        return -(-len(self.content) // room) if room > 0 else IMPOSSIBLE

    def _even_room(self) -> int | None:
        """The room in a part where any character may be the last one, as all take the same; otherwise None."""
        surrounding = self.frame
        if self.septets:
            even = len(self.content) == len(self.text) and not (self.packed or self.utf8)
            return surrounding.septets if even else None
        room = surrounding.max_octets - surrounding.header_octets
        if self.alphabet is not Alphabet.UCS2:
            return room
        return room - room % 2 if len(self.content) == 2 * len(self.text) else None

    def whole(self) -> bytes:
        """All of it as the SMSC wants it, without UDH."""
        return self.content if self.write is None else self.write(self.content, 0)

    def _alone(self) -> bytes | None:
        """The content of a single part, where one is enough."""
        surrounding = self.frame
        if not self.septets:
            return self.content if len(self.content) + surrounding.alone_octets <= surrounding.max_octets else None
        if len(self.content) > surrounding.alone_septets:
            return None
        if self.write is None:
            return self.content
        octets = self.write(self.content, udh.fill_bits(surrounding.alone_octets))
        if surrounding.payload and not self.packed:
            return octets
        # Packed, a CR at the very end is written twice: there may be no room for the second.
        most = surrounding.max_octets if self.packed else MOST_SHORT_MESSAGE_OCTETS
        return octets if len(octets) + surrounding.alone_octets <= most else None

    def pieces(self, parts: int) -> list[bytes]:
        """The content of each of `parts` parts, which are as many as `parts()` says, as the SMSC wants it."""
        if parts == 1:
            alone = self._alone()
            return [self.whole() if alone is None else alone]
        content, write = self.content, self.write
        room, clusters = self._even_room(), cluster_ends(self.text)
        if room is not None and clusters is None:
            cuts = [content[start : start + room] for start in range(0, len(content), room)]
        else:
            ends = self._cutter().ends(parts, None if clusters is None else self._places(clusters))
            cuts = [content[start:end] for start, end in pairwise((0, *ends))]
        return cuts if write is None else [write(cut, self._fill_bits()) for cut in cuts]

    def _fill_bits(self) -> int:
        """Before the septets of each of several parts, as the SMSC gets them."""
        surrounding = self.frame
        with_udh = surrounding.numbering in (Numbering.NARROW, Numbering.WIDE)
        return udh.fill_bits(surrounding.header_octets) if with_udh else 0

    def _cutter(self) -> Cutter:
        if self._made is None:
            self._made = self._new_cutter()
        return self._made

    def _new_cutter(self) -> Cutter:
        surrounding = self.frame
        if not self.septets:
            kind = Utf16Cutter if self.alphabet is Alphabet.UCS2 else Cutter
            return kind(self.content, surrounding.max_octets - surrounding.header_octets)
        if self.packed and not surrounding.payload:
            return PackedCutter(self.content, surrounding.septets, self._fill_bits())
        if self.utf8 and not surrounding.payload:
            most = MOST_SHORT_MESSAGE_OCTETS - surrounding.header_octets
            return WeighedCutter(self.content, surrounding.septets, self.text, most)
        return SeptetCutter(self.content, surrounding.septets)

    def _places(self, ends: list[int]) -> list[int]:
        """Of ends in the text, those in the content."""
        if len(self.content) == len(self.text):
            return ends
        places = character_ends(self.content) if self.septets else unit_ends(self.text)
        return [places[end - 1] for end in ends]


# ---------------------------------------------------------------------------------------------------------------- #
# Forms of a text
# ---------------------------------------------------------------------------------------------------------------- #


def in_gsm7(
    text: str,
    septets: bytes,
    data_coding: int,
    frame: Frame,
    encoding: Encoding,
    locking: Language | None = None,
    single: Language | None = None,
) -> Form | None:
    """In septets, written as the SMSC wants them; None where its default alphabet lacks a character."""
    if encoding.default_alphabet is DefaultAlphabet.GSM7:
        packed = encoding.packs
        write = gsm7.pack if packed else None
        return Form(Alphabet.GSM7, data_coding, text, septets, frame, True, write, packed, False, locking, single)
    codec = CODECS[encoding.default_alphabet]
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return None
    utf8 = codec == "utf-8" and not text.isascii()
    return Form(Alphabet.GSM7, data_coding, text, septets, frame, True, _transcoder(codec), False, utf8)


def _transcoder(codec: str) -> Writer:
    return lambda septets, fill_bits: gsm7.decode(septets).encode(codec)
