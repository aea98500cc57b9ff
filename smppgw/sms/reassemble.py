"""Segments back to the text. The inverse of `plan`, for tests and for a ledger of what was sent.

Owns ordering by the concatenation element and joining before decoding (others do split pairs). Refuses to know who
sent the segments and how long to wait for missing ones: it is given them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from smppgw.sms import dcs, gsm7, udh
from smppgw.sms.encoding import DEFAULT_ENCODING, Encoding


def join(segments: Iterable[bytes], *, data_coding: int, udhi: bool, encoding: Encoding = DEFAULT_ENCODING) -> str:
    """The text of the short_message octets of one message, given in any order; repeated parts count once.

    Raises ValueError when parts are missing, contradict each other, or belong to different messages.
    """
    given = list(segments)
    if not udhi:
        if len(set(given)) != 1:
            raise ValueError("segments without UDH cannot be joined")
        return join_parts(given[:1], data_coding=data_coding, encoding=encoding)
    parts: dict[int, tuple[bytes, bytes]] = {}
    keys = set()
    for octets in given:
        found = udh.concatenation(octets)
        if found is None:
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
    ordered = [parts[part] for part in range(1, total + 1)]
    fill_bits = udh.fill_bits(len(ordered[0][0]))
    contents = [content for _, content in ordered]
    return join_parts(contents, data_coding=data_coding, encoding=encoding, fill_bits=fill_bits)


def join_parts(
    contents: Sequence[bytes], *, data_coding: int, encoding: Encoding = DEFAULT_ENCODING, fill_bits: int = 0
) -> str:
    """The text of parts without UDH, in order: of those that SAR TLVs tell apart (SMPP 3.4, 5.3.2.22 to 5.3.2.24), or
    of a single one. `fill_bits`: those that stood before packed septets."""
    if data_coding == encoding.ucs2_data_coding:
        # To the letter: dcs drops a byte order mark, but a text of ours may begin with U+FEFF.
        return b"".join(contents).decode("utf-16-be", "replace")
    if encoding.packs and data_coding == encoding.gsm7_data_coding:
        return gsm7.decode(b"".join(gsm7.unpack(content, fill_bits) for content in contents))
    return dcs.decode_text(b"".join(contents), data_coding, False, encoding)
