"""The fewest parts of a text, found by looking at every way to cut it: slow, and without the planner's code.

Knows the tables of GSM-7 and the sizes of the standards, and nothing of how the planner chooses and cuts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

import regex

from smppgw.sms import gsm7, national
from smppgw.sms.encoding import (
    NO_WISHES,
    Alphabet,
    DefaultAlphabet,
    Encoding,
    Language,
    LongMessages,
    OnUnencodable,
    Wishes,
)

UNCUTTABLE = 10**9


class Way(NamedTuple):
    """One way to write a text. `sizes`: of each character, in septets or octets."""

    alphabet: Alphabet
    locking: Language | None
    single: Language | None
    sizes: list[int]
    parts: int


def header_octets(encoding: Encoding, wishes: Wishes, tables: int) -> tuple[int, int]:
    """Of the UDH of a single part, and of each of several."""
    others = sum(2 + len(data) for _, data in wishes.elements) + 3 * tables
    if wishes.waiting is not None and wishes.waiting.count is not None:
        others += 4
    wide = encoding.long is LongMessages.UDH16
    return (1 + others if others else 0), 1 + (6 if wide else 5) + others


def septets_beside(max_octets: int, header: int) -> int:
    """Septets that fit behind a header, which fills the septets that it begins."""
    free_bits = max_octets * 8 - header * 8
    while (max_octets * 8 - free_bits) % 7:
        free_bits -= 1
    return free_bits // 7


def ways(text: str, encoding: Encoding, wishes: Wishes = NO_WISHES) -> Iterator[Way]:
    """Every way that is allowed and carries the text, the more wanted first."""
    unwanted = wishes.on_unencodable is OnUnencodable.REFUSE and wishes.alphabet is None
    for way in _every_way(text, encoding, wishes):
        if not (unwanted and way.alphabet is Alphabet.UCS2):
            yield way


def _every_way(text: str, encoding: Encoding, wishes: Wishes) -> Iterator[Way]:
    special = wishes.message_class is not None or wishes.waiting is not None
    if wishes.alphabet in (None, Alphabet.GSM7):
        yield from _septet_ways(text, encoding, wishes, None, None)
    for alphabet, codec, data_coding in (
        (Alphabet.ASCII, "ascii", encoding.ascii_data_coding),
        (Alphabet.LATIN1, "latin-1", encoding.latin1_data_coding),
    ):
        if wishes.alphabet in (None, alphabet) and data_coding is not None and not special:
            printable = all(character.isprintable() or character in "\n\r\xa0\xad" for character in text)
            if printable and text.encode(codec, "ignore").decode(codec) == text:
                sizes = [1] * len(text)
                yield Way(alphabet, None, None, sizes, fewest_octets(sizes, encoding, wishes))
    discarded = wishes.waiting is not None and not wishes.waiting.store
    if wishes.alphabet in (None, Alphabet.UCS2) and not discarded:
        sizes = [2 if ord(character) <= 0xFFFF else 4 for character in text]
        yield Way(Alphabet.UCS2, None, None, sizes, fewest_octets(sizes, encoding, wishes))
    if wishes.alphabet in (None, Alphabet.GSM7) and encoding.default_alphabet is DefaultAlphabet.GSM7:
        for locking, single in product((None, *encoding.national), repeat=2):
            if locking is not Language.SPANISH and (locking, single) != (None, None):
                yield from _septet_ways(text, encoding, wishes, locking, single)


def _septet_ways(
    text: str, encoding: Encoding, wishes: Wishes, locking: Language | None, single: Language | None
) -> Iterator[Way]:
    basic = (gsm7.BASIC if locking is None else national.LOCKING[locking]).replace("\ufffe", "")
    extension = gsm7.EXTENSION if single is None else national.SINGLE[single]
    codec = {DefaultAlphabet.LATIN1: "latin-1", DefaultAlphabet.ASCII: "ascii"}.get(
        encoding.default_alphabet, "utf-8"
    )
    sizes = []
    for character in text:
        if character in basic:
            sizes.append(1)
        elif character in extension.values():
            sizes.append(2)
        else:
            return
        if character.encode(codec, "ignore") == b"":
            return
    tables = (locking is not None) + (single is not None)
    yield Way(Alphabet.GSM7, locking, single, sizes, _fewest_septets(text, sizes, encoding, wishes, tables))


def fewest_octets(sizes: list[int], encoding: Encoding, wishes: Wishes = NO_WISHES) -> int:
    alone, header = header_octets(encoding, wishes, 0)
    if sum(sizes) <= encoding.max_octets - alone:
        return 1
    return fewest(sizes, encoding.max_octets - header)


def _fewest_septets(text: str, sizes: list[int], encoding: Encoding, wishes: Wishes, tables: int) -> int:
    alone, header = header_octets(encoding, wishes, tables)
    utf8 = encoding.default_alphabet is DefaultAlphabet.UTF8
    with_elements = header > (7 if encoding.long is LongMessages.UDH16 else 6)
    payload = encoding.long is LongMessages.PAYLOAD and not with_elements
    sar = encoding.long is LongMessages.SAR and not with_elements

    def allowed(first: int, end: int, header: int, fill_bits: int) -> bool:
        if utf8 and not payload and len(text[first:end].encode()) > 254 - header:
            return False
        if encoding.packs and text[end - 1 : end] == "\r":
            septets = sum(sizes[first:end])
            if (septets * 7 + fill_bits) % 8 == 0:
                # It has to be written twice, which is only harmless at the very end.
                return end == len(text) and septets + 1 <= septets_beside(encoding.max_octets, header)
        return True

    if sum(sizes) <= septets_beside(encoding.max_octets, alone) and allowed(0, len(text), alone, -alone * 8 % 7):
        return 1
    room = septets_beside(encoding.max_octets, header)
    if payload:
        return fewest(sizes, room)
    return fewest(sizes, room, lambda first, end: allowed(first, end, header, 0 if sar else -header * 8 % 7))


def fewest(sizes: list[int], room: int, allowed: Callable[[int, int], bool] = lambda first, end: True) -> int:
    """The fewest parts of characters of these sizes: cost[i] is that of the first i. `allowed`: whether those from
    first to end may be a part, when there is room for them."""
    cost = [0] + [UNCUTTABLE] * len(sizes)
    for end in range(1, len(sizes) + 1):
        size = 0
        for first in range(end - 1, -1, -1):
            size += sizes[first]
            if size > room:
                break
            if cost[first] + 1 < cost[end] and allowed(first, end):
                cost[end] = cost[first] + 1
    return cost[-1]


def clusters_kept(text: str, sizes: list[int], room: int) -> int:
    """The fewest parts when no grapheme cluster is cut; UNCUTTABLE where one is larger than a part."""
    at = 0
    of_clusters = []
    for cluster in regex.findall(r"\X", text):
        of_clusters.append(sum(sizes[at : at + len(cluster)]))
        at += len(cluster)
    return fewest(of_clusters, room)
