"""Where a PDU begins in a stream that is come into in the middle, or that is not SMPP at all. Pure.

Owns what a header must look like to be believed; refuses to know what follows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from smppgw.smpp import RESPONSE_BIT, CommandId

HEADER_OCTETS: Final = 16
#: command_length is believed below this. No PDU of the standard comes near it.
MAX_PDU_OCTETS: Final = 1 << 20


def _any_of(commands: Iterable[int]) -> bytes:
    """A pattern for these command_ids: those that differ in their last octet only are one class, which is fast."""
    by_front: dict[bytes, bytes] = {}
    for command_id in sorted(commands):
        octets = command_id.to_bytes(4, "big")
        by_front[octets[:3]] = by_front.get(octets[:3], b"") + re.escape(octets[3:])
    return b"|".join(re.escape(front) + b"[" + last + b"]" for front, last in by_front.items())


_REQUESTS = _any_of(one for one in CommandId if not one & RESPONSE_BIT)
_RESPONSES = _any_of(one for one in CommandId if one & RESPONSE_BIT)
#: command_length from 16 to below 1 MiB; a command_id that exists; command_status 0 in a request (SMPP 3.4, 3.2),
#: below 65,536 in a response; any sequence_number. Some 58 bits of 128 are certain, so chance finds none.
_HEADER = re.compile(
    rb"\x00(?:\x00\x00[\x10-\xff]|\x00[\x01-\xff].|[\x01-\x0f]..)"
    rb"(?:(?:" + _REQUESTS + rb")\x00{4}|(?:" + _RESPONSES + rb")\x00\x00..)....",
    re.DOTALL,
)


def next_border(octets: bytes | bytearray, start: int = 0) -> int:
    """Where from `start` on the first header stands that can be believed and is there as a whole; -1: nowhere."""
    found = _HEADER.search(octets, start)
    return found.start() if found is not None else -1
