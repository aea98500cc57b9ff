"""Segments back to the text. The inverse of `plan`, for tests and for a ledger of what was sent.

Owns ordering by the concatenation element and joining before decoding (others do split pairs). Refuses to know who
sent the segments and how long to wait for missing ones: it is given them all.
"""

from __future__ import annotations

from collections.abc import Iterable

from smppgw.sms import dcs, udh
from smppgw.sms.plan import DATA_CODING, Alphabet


def join(segments: Iterable[bytes], *, data_coding: int, udhi: bool) -> str:
    """The text of the short_message octets of one message, given in any order; repeated parts count once.

    Raises ValueError when parts are missing, contradict each other, or belong to different messages.
    """
    given = list(segments)
    if not udhi:
        if len(set(given)) != 1:
            raise ValueError("segments without UDH cannot be joined")
        return _text(given[0], data_coding)
    parts: dict[int, bytes] = {}
    keys = set()
    for octets in given:
        found = udh.concatenation(octets)
        if found is None:
            raise ValueError("a segment has no concatenation element")
        content = udh.split(octets)[1]
        if parts.setdefault(found.part, content) != content:
            raise ValueError(f"part {found.part} comes twice with different content")
        keys.add((found.reference, found.total, found.wide))
    if len(keys) != 1:
        raise ValueError("the segments are not those of one message")
    (_, total, _) = keys.pop()
    missing = [part for part in range(1, total + 1) if part not in parts]
    if missing:
        raise ValueError(f"parts {missing} of {total} are missing")
    return _text(b"".join(parts[part] for part in range(1, total + 1)), data_coding)


def _text(octets: bytes, data_coding: int) -> str:
    """UCS-2 to the letter: dcs drops a byte order mark, but a text of ours may begin with U+FEFF."""
    if data_coding == DATA_CODING[Alphabet.UCS2]:
        return octets.decode("utf-16-be", "replace")
    return dcs.decode_text(octets, data_coding, udhi=False)
