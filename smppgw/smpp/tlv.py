"""Optional parameters: tag, length, value (SMPP 3.4, 3.2.4 and 5.3).

Owns reading and writing the stream of TLVs behind the mandatory fields. Refuses to know which tags exist: unknown
ones are kept like any other. Values are octets; `u8_of` and `text_of` read the two shapes that the gateway needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from struct import Struct
from struct import error as StructError  # noqa: N812

_HEAD = Struct(">HH")
_unpack_head = _HEAD.unpack_from
_pack_head = _HEAD.pack
_HEAD_OCTETS = 4
_MAX = 0xFFFF
_NOTHING = (0, b"")


class Tlvs(dict[int, bytes]):
    """TLVs of which a tag occurs more than once. As a dict it shows the first value of each tag.

    The decoder uses a plain dict as long as no tag repeats, so code that wants every value calls `values_of`.
    `repeats` holds the further occurrences in their order; they are written behind the first ones.
    """

    __slots__ = ("repeats",)

    def __init__(self, pairs: Iterable[tuple[int, bytes]] = ()) -> None:
        super().__init__()
        self.repeats: list[tuple[int, bytes]] = []
        for tag, value in pairs:
            self.add(tag, value)

    def add(self, tag: int, value: bytes) -> None:
        if tag in self:
            self.repeats.append((tag, value))
        else:
            self[tag] = value

    def __eq__(self, other: object) -> bool:
        return dict.__eq__(self, other) is True and self.repeats == getattr(other, "repeats", [])

    def __ne__(self, other: object) -> bool:  # dict has its own, which would not see the repeats
        return not self == other

    __hash__ = None  # mutable, like dict

    def __repr__(self) -> str:
        return f"Tlvs({[*self.items(), *self.repeats]!r})"


class TlvError(ValueError):
    """The stream holds more than TLVs: `read` are the TLVs before the trouble, `rest` what could not be read.

    `rest` is empty where nothing was odd but padding between TLVs.
    """

    def __init__(self, text: str, found: Mapping[int, bytes], rest: bytes = b"") -> None:
        super().__init__(text)
        pairs = [pair for pair in (*found.items(), *getattr(found, "repeats", ())) if pair != _NOTHING]
        read = Tlvs(pairs)
        self.read: dict[int, bytes] = read if read.repeats else dict(pairs)
        self.rest = rest


def read_tlvs(frame: bytes, position: int, end: int) -> dict[int, bytes]:
    """The TLVs in frame[position:end]. Raises TlvError when the last one does not fit exactly.

    So it does for a tag 0 without a value: the standard reserves that tag, and four NULs are padding.
    """
    found: dict[int, bytes] = {}
    while position < end:
        start = position + _HEAD_OCTETS
        if start > end:
            raise TlvError(f"{end - position} octets are too few for a TLV", found, frame[position:end])
        tag, length = _unpack_head(frame, position)
        position = start + length
        if position > end:
            text = f"TLV 0x{tag:04X} claims {length} octets, {end - start} are left"
            raise TlvError(text, found, frame[start - _HEAD_OCTETS : end])
        if tag in found:
            if type(found) is dict:
                found = Tlvs(found.items())
            found.add(tag, frame[start:position])  # type: ignore[attr-defined]  # a Tlvs by the line above
        else:
            found[tag] = frame[start:position]
    if 0 in found and _NOTHING in found.items():
        raise TlvError("padding", found)
    return found


def write_tlvs(tlvs: Mapping[int, bytes]) -> bytes:
    """The stream of `tlvs`. Raises ValueError naming the tag when a tag or a value does not fit."""
    if type(tlvs) is dict:  # nearly always, and nearly always in order
        try:
            return b"".join([_pack_head(tag, len(value)) + value for tag, value in tlvs.items()])
        except (TypeError, StructError):
            pass  # said below
    pairs = [*tlvs.items(), *getattr(tlvs, "repeats", ())]
    parts: list[bytes] = []
    for tag, value in pairs:
        if not 0 <= tag <= _MAX:
            raise ValueError(f"TLV tag {tag:#x} does not fit 2 octets")
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise ValueError(f"TLV 0x{tag:04X} is a {type(value).__name__}, not octets")  # noqa: TRY004
        if len(value) > _MAX:
            raise ValueError(f"TLV 0x{tag:04X} has {len(value)} octets, the limit is {_MAX}")
        parts += (_pack_head(tag, len(value)), bytes(value))
    return b"".join(parts)


def values_of(tlvs: Mapping[int, bytes], tag: int) -> list[bytes]:
    """Every value of `tag`, in order of arrival."""
    first = tlvs.get(tag)
    if first is None:
        return []
    return [first, *(value for other, value in getattr(tlvs, "repeats", ()) if other == tag)]


def u8_of(tlvs: Mapping[int, bytes], tag: int) -> int | None:
    """The value of a one-octet TLV; None when it is absent or of another size."""
    value = tlvs.get(tag)
    return value[0] if value is not None and len(value) == 1 else None


def text_of(tlvs: Mapping[int, bytes], tag: int) -> str:
    """The value of a C-octet TLV through latin-1, with or without its terminator; '' when absent."""
    value = tlvs.get(tag)
    return value.partition(b"\0")[0].decode("latin-1") if value else ""
