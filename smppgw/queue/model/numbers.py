"""Ids: 42 bits of milliseconds, 13 of sequence; a segment's id is its message's with 8 bits of part number below.

So both append to their tables, and finding one from the other needs no index.
"""

from __future__ import annotations

_PART_BITS = 8
_SEQUENCE_BITS = 13
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_ID_LETTERS = 11


class IdSource:
    """Rising message ids. Past 8,192 in one millisecond they run ahead of the clock rather than repeat."""

    def __init__(self, last: int = 0) -> None:
        self._last = last

    def take(self, count: int, now_utc_ms: int) -> range:
        """`count` consecutive ids, all above every id given before, even when the clock steps back."""
        first = max(self._last + 1, now_utc_ms << _SEQUENCE_BITS)
        self._last = first + count - 1
        return range(first, first + count)


def format_id(message_id: int) -> str:
    """The public form of a message id: 11 letters and digits that sort by time."""
    pairs = _PAIRS
    return (
        _ALPHABET[message_id >> 50 & 31]
        + pairs[message_id >> 40 & 1023]
        + pairs[message_id >> 30 & 1023]
        + pairs[message_id >> 20 & 1023]
        + pairs[message_id >> 10 & 1023]
        + pairs[message_id & 1023]
    )


def parse_id(text: str) -> int | None:
    """The message id behind its public form, None when it cannot be one."""
    if len(text) != _ID_LETTERS:
        return None
    number = 0
    for letter in text.lower():
        value = _VALUE.get(letter)
        if value is None:
            return None
        number = number << 5 | value
    return number


def message_id_at(utc_ms: int) -> int:
    """The lowest message id that can have been given at `utc_ms`: turns a time range into an id range."""
    return utc_ms << _SEQUENCE_BITS


def segment_id(message_id: int, part: int) -> int:
    """Id of part `part` (from 1)."""
    return message_id << _PART_BITS | part


def message_id_of(segment: int) -> int:
    return segment >> _PART_BITS


def part_of(segment: int) -> int:
    return segment & 0xFF


def reference_of(segment: int) -> int:
    """The user_message_reference (SMPP 3.4, 5.3.2.17) of a segment's submit_sm: 1 to 0xFFFF, always the same.

    Multiples of the golden ratio: thousands of messages in a row, and the parts of each, have references of their
    own, but for one pair in 65,536. Others may share one, so it tells nothing without the addresses.
    """
    return ((segment * 0x9E3779B97F4A7C15 >> 48) & 0xFFFF) * 0xFFFF // 0x10000 + 1
