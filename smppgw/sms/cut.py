"""Where a long text is cut into parts: as few parts as possible, and among these cuts the kindest to the reader.

Owns what may never be torn apart (the two septets of an escape, the two halves of a surrogate pair) and what should
not be (grapheme clusters: an emoji of several, a flag, a letter with its marks, an Indic conjunct, CR LF). Refuses to
know alphabets by name, headers and carriers: it is given octets and the room in a part.

Positions are octets of the content, which are septets where each octet holds one.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from smppgw.sms import gsm7
from smppgw.sms.clusters import clusters_of

# ---------------------------------------------------------------------------------------------------------------- #
# Grapheme clusters
# ---------------------------------------------------------------------------------------------------------------- #

#: A text of characters none of which can be in one cluster with another: Latin, Greek and Cyrillic letters,
#: punctuation, kana, Han, whole Hangul syllables, most emoji. Only others join them: combining marks, joiners, jamo,
#: skin tones, regional indicators. Nor is CR here, for CR LF.
_ALL_BY_THEMSELVES = re.compile(
    "[\n -\u02ff\u0370-\u0482\u048a-\u0590\u2010-\u2027\u2030-\u205f\u20a0-\u20cf\u2100-\u2bff"
    "\u3000-\u3029\u3030-\u3098\u309b-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff01-\uff9d"
    "\U0001f300-\U0001f3fa\U0001f400-\U0001faff\U00020000-\U0003134f]*"
)
_CR, _ESC = 0x0D, gsm7.ESC


def cluster_ends(text: str) -> list[int] | None:
    """Behind which characters a grapheme cluster ends; None where each character is a cluster by itself.

    One pass of `re` decides that for nearly all texts; the clusters themselves take fifty times as long. Where there
    is nothing but CR LF, as in texts from Windows, they are found without.
    """
    if _ALL_BY_THEMSELVES.fullmatch(text):
        return None
    if "\r" in text and _ALL_BY_THEMSELVES.fullmatch(text.replace("\r", "")):
        if "\r\n" not in text:
            return None
        clusters = text.split("\r\n")
        inside = set(accumulate([len(clusters[0]) + 1, *(len(line) + 2 for line in clusters[1:-1])]))
        return [end for end in range(1, len(text) + 1) if end not in inside]
    return list(accumulate(map(len, clusters_of(text))))


# ---------------------------------------------------------------------------------------------------------------- #
# Cutters: one for each kind of content
# ---------------------------------------------------------------------------------------------------------------- #


class Cutter:
    """Octets that may be cut anywhere, after at most `room` of them. Also the base of the others."""

    unit = 1  # by so many octets a part gets shorter that would tear a pair apart
    waste = 0  # the most octets by which a cut part may be shorter than its room

    def __init__(self, content: bytes, room: int) -> None:
        self.content = content
        self.total = len(content)
        self.room = room
        self._full: list[int] | None = None

    def furthest(self, start: int) -> int:
        """The last place where a part from `start` may end; `start` itself where not even one character fits."""
        end = start + max(self.room, 0)
        if end >= self.total:
            return self.total
        return end - self.unit if end > start and self.tears(start, end) else end

    def tears(self, start: int, end: int) -> bool:
        """Whether a part from `start` that ends at this place would tear a pair apart."""
        return False

    def may_end(self, start: int, end: int) -> bool:
        """Whether a part from `start` may end at this place, which is before `furthest` and tears no pair apart."""
        return True

    def fewest(self, start: int) -> int:
        """How many parts the content from `start` needs at least; 0 where it cannot be cut at all.

        Each part as long as can be: a part that starts later never ends earlier, so nothing is won by a short one.
        """
        return len(self._full_ends(start))

    def _full_ends(self, start: int) -> list[int]:
        """The ends of parts that are all as long as can be; none where that cannot be done."""
        if start == 0 and self._full is not None:
            return self._full
        ends: list[int] = []
        end = start
        furthest, total = self.furthest, self.total
        while end < total:
            before, end = end, furthest(end)
            if end <= before:
                return []
            ends.append(end)
        if start == 0:
            self._full = ends
        return ends

    def full(self, start: int, left: int) -> int:
        """Where a part from `start` ends that is as long as can be, so that `left` more parts hold the rest."""
        return self.furthest(start)

    def fits(self, start: int, parts: int) -> bool:
        """Whether so many parts hold the content from `start`."""
        left = self.total - start
        return left <= parts * (self.room - self.waste) or (left <= parts * self.room and self.fewest(start) <= parts)

    def ends(self, parts: int, clusters: Sequence[int] | None = None) -> list[int]:
        """The end of each of `parts` parts, which are as many as `fewest` says.

        `clusters`: where clusters end. When the text can be cut into so many parts without tearing a cluster apart,
        it is: each part ends with the last cluster after which the rest still fits, so it starts the rest no earlier
        than any such cut could. Where there is no such end, the part is as long as can be.
        """
        if clusters is None and self._full is not None:
            return self._full
        ends: list[int] = []
        start = 0
        for left in range(parts - 1, -1, -1):
            full = self.full(start, left)
            end = full if clusters is None else self._cluster_end(start, full, left, clusters)
            ends.append(end)
            start = end
        return ends

    def _cluster_end(self, start: int, full: int, left: int, clusters: Sequence[int]) -> int:
        at = bisect_right(clusters, full) - 1
        while at >= 0 and full > clusters[at] > start and not self.may_end(start, clusters[at]):
            at -= 1
        end = clusters[at] if at >= 0 else start
        return end if end > start and (end == full or self.fits(end, left)) else full


class Utf16Cutter(Cutter):
    """UTF-16BE: whole units, and never between the halves of a surrogate pair."""

    unit = waste = 2

    def __init__(self, content: bytes, room: int) -> None:
        super().__init__(content, room - room % 2)

    def tears(self, start: int, end: int) -> bool:
        return self.content[end - 2] & 0xFC == 0xD8


class SeptetCutter(Cutter):
    """Septets, one per octet: never between an ESC and the septet that it escapes."""

    waste = 1

    def tears(self, start: int, end: int) -> bool:
        """Whether the last septet before `end` is an ESC that escapes the next one.

        ESC ESC, which only octets of a caller have, is a pair itself (3GPP TS 23.038, 6.2.1.1).
        """
        first = end
        while first > start and self.content[first - 1] == gsm7.ESC:
            first -= 1
        return (end - first) % 2 == 1


class PackedCutter(SeptetCutter):
    """Septets that are going to be packed behind `fill_bits`.

    A part must not end in a CR where it would be taken for a filler, and one that ends the text so has room for a
    second CR (3GPP TS 23.038, 6.1.2.3.1). So a part that starts later may have to end earlier, and the few last ends
    of each part are looked at, not only the very last.
    """

    waste = 3
    _LOOK_AT = 4

    def __init__(self, content: bytes, room: int, fill_bits: int) -> None:
        super().__init__(content, room)
        self._fill_bits = fill_bits
        self._has_cr = b"\r" in content
        self._needed: list[int] = []  # parts from each place on, as far as it is known
        self._known_from = self.total

    def furthest(self, start: int) -> int:
        return next(self._last_ends(start), start) if self._has_cr else super().furthest(start)

    def may_end(self, start: int, end: int) -> bool:
        if self.content[end - 1] != _CR or ((end - start) * 7 + self._fill_bits) % 8:
            return True
        return end == self.total and end - start < self.room

    def _last_ends(self, start: int) -> Iterator[int]:
        found = 0
        for end in range(min(start + self.room, self.total), start, -1):
            if (end == self.total or not self.tears(start, end)) and self.may_end(start, end):
                yield end
                found += 1
                if found == self._LOOK_AT:
                    return

    def fewest(self, start: int) -> int:
        if not self._has_cr:
            return super().fewest(start)
        parts = 0
        reached = {start}
        while self.total not in reached:
            reached = {end for place in reached for end in self._last_ends(place)}
            reached = set(sorted(reached)[-self._LOOK_AT :])
            if not reached:
                return 0
            parts += 1
        return parts

    def fits(self, start: int, parts: int) -> bool:
        left = self.total - start
        if left <= parts * (self.room - self.waste):
            return True
        return (
            left <= parts * self.room and (self._parts_from(start) if self._has_cr else self.fewest(start)) <= parts
        )

    def _parts_from(self, start: int) -> int:
        """As `fewest`, for many starts: each place is looked at once, the last one first, however many ask."""
        needed, content, total, room, fill_bits = self._needed, self.content, self.total, self.room, self._fill_bits
        if not needed:
            needed += [0] * (total + 1)
        for place in range(self._known_from - 1, start - 1, -1):
            least, ends = total, self._LOOK_AT
            end = min(place + room, total)
            while end > place and ends:
                last = content[end - 1]
                # `may_end` once more, as a call takes too long. And any ESC escapes: a text has no other.
                if (
                    last != _CR or ((end - place) * 7 + fill_bits) % 8 or total == end < place + room
                ) and last != _ESC:
                    if needed[end] < least:
                        least = needed[end]
                    ends -= 1
                end -= 1
            needed[place] = least + 1
        self._known_from = min(self._known_from, start)
        return needed[start]

    def full(self, start: int, left: int) -> int:
        ends = list(self._last_ends(start)) if self._has_cr else ()
        return next((end for end in ends if self.fits(end, left)), super().full(start, left))


class WeighedCutter(Cutter):
    """Septets that are going to be written as UTF-8, of which a part holds only so many octets (`most`) as well.

    `text`: the same, to be cut only between its characters.
    """

    def __init__(self, content: bytes, room: int, text: str, most: int) -> None:
        super().__init__(content, room)
        self._most = most
        self._ends = [0, *character_ends(content)]
        self._octets = [0, *accumulate(len(character.encode()) for character in text)]

    def furthest(self, start: int) -> int:
        at = bisect_left(self._ends, start)
        by_septets = bisect_right(self._ends, start + self.room)
        by_octets = bisect_right(self._octets, self._octets[at] + self._most)
        return self._ends[min(by_septets, by_octets) - 1]

    def fits(self, start: int, parts: int) -> bool:
        return self.fewest(start) <= parts


def character_ends(septets: bytes) -> list[int]:
    """Where each character of septets, one per octet, ends."""
    ends = []
    at = 0
    while at < len(septets):
        at += 2 if septets[at] == gsm7.ESC else 1
        ends.append(at)
    return ends


def unit_ends(text: str) -> list[int]:
    """Where each character of a text ends in UTF-16BE."""
    return list(accumulate(4 if character > "\uffff" else 2 for character in text))
