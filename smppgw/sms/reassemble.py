"""Segments back to the text. The inverse of `plan`, for tests and for a ledger of what was sent.

Owns ordering by the concatenation element and joining before decoding (others do split pairs). Refuses to know who
sent the segments and how long to wait for missing ones: it is given them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from smppgw.sms import dcs, gsm7, national, udh
from smppgw.sms.encoding import DEFAULT_ENCODING, Alphabet, DefaultAlphabet, Encoding, Language

#: Locking and single shift table; None is the default one.
Tables = tuple[Language | None, Language | None]

_DEFAULT_TABLES: Tables = (None, None)


def join(segments: Iterable[bytes], *, data_coding: int, udhi: bool, encoding: Encoding = DEFAULT_ENCODING) -> str:
    """The text of the short_message octets of one message, given in any order; repeated parts count once.

    A single segment needs no concatenation element. The shift tables that each part's UDH names are obeyed. A packed
    text whose own CR is at its end, and at that of an octet, comes back with one CR more, as it was sent with two
    (3GPP TS 23.038, 6.1.2.3.1; see gsm7.pack).
    Raises ValueError when parts are missing, contradict each other, or belong to different messages.
    """
    given = list(segments)
    if not udhi:
        if len(set(given)) != 1:
            raise ValueError("segments without UDH cannot be joined")
        return join_parts(given[:1], data_coding=data_coding, encoding=encoding)
    ordered = _ordered(given)
    if dcs.describe(data_coding, encoding).alphabet is not Alphabet.GSM7:
        return join_parts([content for _, content in ordered], data_coding=data_coding, encoding=encoding)
    if encoding.packs:
        ordered = [(header, gsm7.unpack(content, udh.fill_bits(len(header)))) for header, content in ordered]
    by_tables = groupby(ordered, key=lambda part: national.named(udh.parse(part[0])))
    return "".join(_septets_text([content for _, content in parts], tables, encoding) for tables, parts in by_tables)


def _ordered(given: list[bytes]) -> list[tuple[bytes, bytes]]:
    """(UDH, content) of each part, from the first to the last."""
    parts: dict[int, tuple[bytes, bytes]] = {}
    keys = set()
    for octets in given:
        found = udh.concatenation(octets)
        if found is None:
            if len(set(given)) == 1:
                return [udh.split(octets)]
            raise ValueError("a segment has no concatenation element")
        split = udh.split(octets)
        if parts.setdefault(found.part, split)[1] != split[1]:
            raise ValueError(f"part {found.part} comes twice with different content")
        keys.add((found.reference, found.total, found.wide))
    if len(keys) != 1:
        raise ValueError("the segments are not those of one message")
    (_, total, _) = keys.pop()
    missing = [part for part in range(1, total + 1) if part not in parts]
    if missing:
        raise ValueError(f"parts {missing} of {total} are missing")
    return [parts[part] for part in range(1, total + 1)]


def join_parts(
    contents: Sequence[bytes], *, data_coding: int, encoding: Encoding = DEFAULT_ENCODING, fill_bits: int = 0
) -> str:
    """The text of parts without UDH, in order: of those that SAR TLVs tell apart (SMPP 3.4, 5.3.2.22 to 5.3.2.24), or
    of a single one. `fill_bits`: those that stood before packed septets."""
    alphabet = dcs.describe(data_coding, encoding).alphabet
    if alphabet is Alphabet.GSM7:
        if encoding.packs:
            contents = [gsm7.unpack(content, fill_bits) for content in contents]
        return _septets_text(contents, _DEFAULT_TABLES, encoding)
    # To the letter: dcs drops a byte order mark, but a text of ours may begin with U+FEFF.
    if alphabet is Alphabet.UCS2:
        return b"".join(contents).decode("utf-16-be", "replace")
    return dcs.decode_text(b"".join(contents), data_coding, False, encoding)


def _septets_text(contents: Sequence[bytes], tables: Tables, encoding: Encoding) -> str:
    """Of parts in the default alphabet, as this SMSC writes it, unpacked by now."""
    joined = b"".join(contents)
    if encoding.default_alphabet is DefaultAlphabet.GSM7:
        return national.decode(joined, *tables)
    return dcs.decode_text(joined, encoding.gsm7_data_coding, False, encoding)
