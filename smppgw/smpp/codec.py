"""From a table of fields to `encode` and `decode`.

`@pdu(command_id)` turns a class whose annotations form a table (commands.py) into a class with slots and compiles its
`__init__`, one encode and one decode function, as dataclasses does for `__init__`. The compiled functions take the
straight road and nothing else; where anything is odd they give up, and the careful functions here walk the same
table again to tolerate it, or to say which field is to blame.

Owns the octets of a PDU and the tolerances of decoding (`Deviation`). Refuses to know states and sequence numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from struct import Struct
from struct import error as struct_error
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, dataclass_transform

from smppgw.errors import LocalProtocolError, RemoteProtocolError
from smppgw.smpp.constants import HEADER_OCTETS, RESPONSE_BIT, CommandId, Status, command_name
from smppgw.smpp.fields import (
    U8,
    COctet,
    FieldError,
    Kind,
    Octets,
    TooLongError,
    UnterminatedError,
    status_for_field,
)
from smppgw.smpp.tlv import TlvError, read_tlvs, write_tlvs

_HEADER = Struct(">LLLL")
_unpack_header = _HEADER.unpack_from


class Deviation(StrEnum):
    """What decode tolerates. The names are the keys of Session.counters."""

    BODY_MISSING = "body_missing"  # a response ESME_ROK without its body: about half of all SMSCs, some field
    TERMINATOR_MISSING = "terminator_missing"  # the last C-octet string ends with the frame
    FIELD_TOO_LONG = "field_too_long"  # in a response or a deliver_sm; refused in other requests
    SM_LENGTH_OFF_BY_ONE = "sm_length_off_by_one"  # counts a terminator that is not there, or leaves one out
    ADDRESS_PADDED = "address_padded"  # blanks behind an address, in what brings texts and receipts
    PADDING = "padding"  # NULs behind all that belongs to the PDU, or between its TLVs
    TLV_UNREADABLE = "tlv_unreadable"  # octets behind the mandatory fields that are no TLV


Note = Callable[[str], None]
P = TypeVar("P", bound="Pdu")


def _ignore(deviation: str) -> None:
    """The default listener of decode."""


@dataclass_transform(kw_only_default=True)
def _header(cls: type[P]) -> type[P]:
    """Tells type checkers that the header's fields are keywords of every PDU. Does nothing at run time."""
    return cls


@_header
class Pdu:
    """What every PDU has besides its own fields. `tlvs` keeps order and unknown tags; see tlv.Tlvs for repeats."""

    __slots__ = ("command_status", "sequence_number", "tlvs")

    if TYPE_CHECKING:  # at run time __slots__ has them, and slots take no defaults
        sequence_number: int = 0
        command_status: int = 0
        tlvs: dict[int, bytes] = {}

    command_id: ClassVar[CommandId]
    is_response: ClassVar[bool]
    #: Of a response: the command it answers. None for requests and for generic_nack, which answers any.
    answers: ClassVar[CommandId | None]
    fields: ClassVar[dict[str, Kind]]
    #: Fields longer than the standard allows are tolerated on decoding.
    lenient: ClassVar[bool]
    octets: ClassVar[Callable[[Any], bytes]]
    straight: ClassVar[Callable[[bytes, int, int, int], Any]]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _names(type(self)))

    __hash__ = None  # type: ignore[assignment]  # mutable: the session sets sequence_number

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._shown())})"

    def _shown(self) -> Iterator[str]:
        for name in _names(type(self)):
            value = getattr(self, name)
            kind = self.fields.get(name)
            if isinstance(kind, COctet) and kind.secret and value:
                yield f"{name}='***'"
            elif name == "sequence_number" or value != (kind.default if kind else _HEADER_DEFAULTS[name]):
                yield f"{name}={value!r}"


_HEADER_DEFAULTS: Final[dict[str, Any]] = {"sequence_number": 0, "command_status": 0, "tlvs": {}}
_CLASSES: dict[int, type[Pdu]] = {}


def _names(cls: type[Pdu]) -> list[str]:
    return [*_HEADER_DEFAULTS, *cls.fields]


def pdu_class(command_id: int) -> type[Pdu] | None:
    """The class of `command_id`, None when SMPP 3.4 does not have it."""
    return _CLASSES.get(command_id)


# ---------------------------------------------------------------------------------------------------------------- #
# The two functions everybody calls
# ---------------------------------------------------------------------------------------------------------------- #


def encode(pdu: Pdu) -> bytes:
    """The frame of `pdu`, header included. Raises LocalProtocolError naming the field whose value does not fit."""
    return pdu.octets()


def decode(frame: bytes | memoryview, note: Note = _ignore) -> Pdu:
    """The PDU in `frame`, which is one whole frame as the Framer cuts them.

    `note` is called with the Deviation of everything that was tolerated. Raises RemoteProtocolError with the
    command_status due, the header's numbers and the field to blame.
    """
    if type(frame) is not bytes:
        frame = bytes(frame)
    size = len(frame)
    if size < HEADER_OCTETS:
        raise RemoteProtocolError(f"a PDU of {size} octets", command_status=Status.ESME_RINVCMDLEN)
    command_length, command_id, command_status, sequence_number = _unpack_header(frame)
    cls = _CLASSES.get(command_id)
    if cls is None:
        raise RemoteProtocolError(
            f"unknown command_id {command_name(command_id)}",
            command_status=Status.ESME_RINVCMDID,
            command_id=command_id,
            sequence_number=sequence_number,
        )
    if command_length != size:
        raise _remote(cls, sequence_number, f"command_length {command_length} in a frame of {size} octets")
    found: Pdu | None = cls.straight(frame, size, command_status, sequence_number)
    if found is not None:
        return found
    return _decode_carefully(cls, frame, command_status, sequence_number, note)


def blank(command_id: int, *, sequence_number: int, command_status: int) -> Pdu | None:
    """A PDU with this header and empty fields, None when the command is unknown."""
    cls = _CLASSES.get(command_id)
    return None if cls is None else cls(sequence_number=sequence_number, command_status=command_status)


# ---------------------------------------------------------------------------------------------------------------- #
# The careful road
# ---------------------------------------------------------------------------------------------------------------- #


def _remote(cls: type[Pdu], sequence_number: int, text: str, field: str = "") -> RemoteProtocolError:
    return RemoteProtocolError(
        f"{cls.command_id.label}: {field} {text}" if field else f"{cls.command_id.label}: {text}",
        command_status=status_for_field(field),
        command_id=cls.command_id,
        sequence_number=sequence_number,
        field=field,
    )


def _decode_carefully(cls: type[Pdu], frame: bytes, status: int, sequence_number: int, note: Note) -> Pdu:
    pdu = cls()
    pdu.command_status = status
    pdu.sequence_number = sequence_number
    size = len(frame)
    if cls.is_response and size == HEADER_OCTETS:
        if cls.fields and not status:
            note(Deviation.BODY_MISSING)
        return pdu
    position = HEADER_OCTETS
    last = next(reversed(cls.fields), None)
    for name, kind in cls.fields.items():
        try:
            value, position = _read_leniently(cls, kind, frame, position, name == last, note)
        except FieldError as error:
            raise _remote(cls, sequence_number, error.text, error.field or name) from None
        if cls.lenient and isinstance(kind, COctet) and kind.padded and value.endswith(" "):
            note(Deviation.ADDRESS_PADDED)
            value = value.rstrip(" ")
        setattr(pdu, name, value)
    if position < size:
        _read_rest(pdu, cls.fields.get(last) if last else None, last or "", frame, position, note)
    return pdu


def _read_leniently(
    cls: type[Pdu], kind: Kind, frame: bytes, position: int, is_last: bool, note: Note
) -> tuple[Any, int]:
    try:
        return kind.read(frame, position, len(frame))
    except UnterminatedError as error:
        # Only the last field: in front of others a missing terminator swallows them.
        # And not one past its limit: that is no string that lost its end, but octets of something else.
        if not is_last or position >= len(frame) or len(error.value) >= _limit(kind):
            raise
        note(Deviation.TERMINATOR_MISSING)
        return error.value, len(frame)
    except TooLongError as error:
        if not cls.lenient:
            raise
        note(Deviation.FIELD_TOO_LONG)
        return error.value, error.position
    except FieldError:
        left = len(frame) - position - 1
        if not (isinstance(kind, Octets) and left >= 0 and frame[position] == left + 1):
            raise
        note(Deviation.SM_LENGTH_OFF_BY_ONE)
        return frame[position + 1 :], len(frame)


def _limit(kind: Kind) -> int:
    return kind.limit if isinstance(kind, COctet) else 0


def _read_rest(pdu: Pdu, kind: Kind | None, name: str, frame: bytes, position: int, note: Note) -> None:
    """What stands behind the mandatory fields: TLVs, if need be after moving the end of short_message by one."""
    size = len(frame)
    try:
        pdu.tlvs = read_tlvs(frame, position, size)
        return
    except TlvError as error:
        as_it_stands, rest = error.read, error.rest
    if rest and isinstance(kind, Octets):
        value: bytes = getattr(pdu, name)
        for end in (position + 1, position - 1):
            start = position - len(value)
            if not start <= end <= size:
                continue
            try:
                pdu.tlvs = read_tlvs(frame, end, size)
            except TlvError:
                continue
            # An octet that sm_length leaves out is most often the terminator of a C string.
            setattr(pdu, name, value if end > position and not frame[position] else frame[start:end])
            note(Deviation.SM_LENGTH_OFF_BY_ONE)
            return
    pdu.tlvs = as_it_stands
    note(Deviation.TLV_UNREADABLE if rest.strip(b"\0") else Deviation.PADDING)


def _blame(pdu: Pdu, cause: Exception) -> LocalProtocolError:
    """Why `pdu` cannot be encoded."""
    label = pdu.command_id.label
    for name, kind in pdu.fields.items():
        try:
            kind.write(getattr(pdu, name))
        except (FieldError, AttributeError) as error:
            return LocalProtocolError(f"{label}: {name} {error}")
    try:
        write_tlvs(pdu.tlvs)
    except (ValueError, TypeError, AttributeError) as error:
        return LocalProtocolError(f"{label}: tlvs: {error}")
    for name in ("command_status", "sequence_number"):
        value = getattr(pdu, name)
        if not isinstance(value, int) or not 0 <= value <= 0xFFFFFFFF:
            return LocalProtocolError(f"{label}: {name} is {value!r}, which does not fit 4 octets")
    return LocalProtocolError(f"{label}: {cause}")


# ---------------------------------------------------------------------------------------------------------------- #
# Compiling the tables
# ---------------------------------------------------------------------------------------------------------------- #

_CHARACTERS: Final = {value: chr(value) for value in range(256)}


@dataclass_transform(kw_only_default=True)
def pdu(
    command_id: CommandId, *, lenient: bool = False, bodyless_on_error: bool = False
) -> Callable[[type[P]], type[P]]:
    """Class decorator: the annotated attributes become the mandatory fields of `command_id`, in their order.

    `lenient`: overlong fields are tolerated on decoding, as they always are in responses. `bodyless_on_error`: the
    standard says that the body is not returned when command_status is not zero.
    """

    def compile_class(table: type[P]) -> type[P]:
        kinds: dict[str, Kind] = {name: vars(table)[name] for name in table.__annotations__}
        namespace = {k: v for k, v in vars(table).items() if k not in kinds and k not in ("__dict__", "__weakref__")}
        is_response = bool(command_id & RESPONSE_BIT)
        namespace |= {
            "__slots__": tuple(kinds),
            "__qualname__": table.__qualname__,
            "command_id": command_id,
            "is_response": is_response,
            "answers": CommandId(command_id ^ RESPONSE_BIT) if command_id > RESPONSE_BIT else None,
            "fields": kinds,
            "lenient": lenient or is_response,
        }
        cls: type[P] = type(table.__name__, table.__bases__, namespace)
        _compile(cls, bodyless_on_error)
        _CLASSES[command_id] = cls
        return cls

    return compile_class


def _compile(cls: type[Pdu], bodyless_on_error: bool) -> None:
    source = "\n".join([*_init_source(cls), *_encode_source(cls, bodyless_on_error), *_decode_source(cls)])
    scope: dict[str, Any] = {
        "C": _CHARACTERS,
        "NUL": "\0",
        "FAILURES": (LookupError, TypeError, ValueError, AttributeError, struct_error),
        "SHORTFALL": (IndexError, ValueError),
        "blame": _blame,
        "cls": cls,
        "defaults": {name: kind.default for name, kind in cls.fields.items()},
        "kinds": cls.fields,
        "new": object.__new__,
        "pack": _HEADER.pack,
        "read_tlvs": read_tlvs,
        "write_tlvs": write_tlvs,
    }
    # The text comes from the tables in commands.py alone.
    exec(compile(source, f"<smppgw {cls.command_id.label}>", "exec"), scope)  # noqa: S102
    for name in ("__init__", "octets"):
        scope[name].__qualname__ = f"{cls.__qualname__}.{name}"
        setattr(cls, name, scope[name])
    cls.straight = staticmethod(scope["straight"])


def _init_source(cls: type[Pdu]) -> Iterator[str]:
    keywords = "".join(f", {name}=defaults[{name!r}]" for name in cls.fields)
    yield f"def __init__(self, *, sequence_number=0, command_status=0, tlvs=None{keywords}):"
    yield " self.sequence_number = sequence_number"
    yield " self.command_status = command_status"
    yield " self.tlvs = {} if tlvs is None else tlvs"
    for name in cls.fields:
        yield f" self.{name} = {name}"


def _encode_source(cls: type[Pdu], bodyless_on_error: bool) -> Iterator[str]:
    """Checks first, then one f-string per run of octets and C-octet strings: the cheapest way found to join them."""
    checks: list[str] = []
    parts: list[str] = []
    run = ""
    yield "def octets(self):"
    yield " try:"
    for name, kind in cls.fields.items():
        yield f"  {name} = self.{name}"
        if isinstance(kind, U8):
            run += f"{{C[{name}]}}"
        elif isinstance(kind, COctet):
            checks.append(f"len({name}) > {kind.writable - 1} or NUL in {name}")
            if kind.fixed:
                checks.append(f"{name} and len({name}) != {kind.limit - 1}")
            run += f"{{{name}}}\\0"
        elif isinstance(kind, Octets):
            checks.append(f"len({name}) > {kind.limit}")
            parts += [f'f"{run}{{C[len({name})]}}".encode("latin-1")', name]
            run = ""
        else:
            parts += [f'f"{run}".encode("latin-1")'] if run else []
            parts.append(f"kinds[{name!r}].write({name})")
            run = ""
    if run:
        parts.append(f'f"{run}".encode("latin-1")')
    if checks:
        yield f"  if {' or '.join(checks)}: raise ValueError"
    number = int(cls.command_id)
    header = f"pack(%s, {number}, self.command_status, self.sequence_number)"
    if bodyless_on_error:
        empty = " and ".join(f"not {name}" for name in cls.fields)
        yield f"  if self.command_status and {empty} and not self.tlvs: return {header % HEADER_OCTETS}"
    if not parts:
        yield f"  if not self.tlvs: return {header % HEADER_OCTETS}"
    yield f"  body = {' + '.join(parts) or repr(b'')}"
    yield "  if self.tlvs: body += write_tlvs(self.tlvs)"
    yield f"  return {header % f'len(body) + {HEADER_OCTETS}'} + body"
    yield " except FAILURES as error: raise blame(self, error) from None"


def _decode_source(cls: type[Pdu]) -> Iterator[str]:
    """Returns None where anything is odd. `p` is the position known last, `offset` octets have been read since."""
    yield "def straight(frame, size, command_status, sequence_number):"
    yield " self = new(cls)"
    yield " self.command_status = command_status"
    yield " self.sequence_number = sequence_number"
    if not cls.fields:
        yield f" self.tlvs = {{}} if size == {HEADER_OCTETS} else None"
        yield " return self if self.tlvs is not None else None"
        return
    yield " try:"
    if any(isinstance(kind, COctet) for kind in cls.fields.values()):
        yield '  text = frame.decode("latin-1")'
    base, offset = "", HEADER_OCTETS
    for name, kind in cls.fields.items():
        here = f"{base}{offset}"
        if isinstance(kind, U8):
            yield f"  self.{name} = frame[{here}]"
            offset += 1
            continue
        if isinstance(kind, COctet):
            yield f"  p = s = {here}"
            yield "  if frame[s]:"
            yield "   p = text.index(NUL, s)"
            padded = " or frame[p - 1] == 32" if kind.padded and cls.lenient else ""
            yield f"   if p - s > {kind.limit - 1}{padded}: return None"
            yield f"   self.{name} = text[s:p]"
            yield f"  else: self.{name} = ''"
            base, offset = "p + ", 1
        elif isinstance(kind, Octets):
            yield f"  s = {base}{offset + 1}"
            yield "  p = s + frame[s - 1]"
            yield "  if p > size: return None"
            yield f"  self.{name} = frame[s:p]"
            base, offset = "p + ", 0
        else:
            yield f"  self.{name}, p = kinds[{name!r}].read(frame, {here}, size)"
            base, offset = "p + ", 0
    yield f"  p = {base}{offset}"
    yield "  if p == size: self.tlvs = {}"
    yield "  elif p > size: return None"
    yield "  else: self.tlvs = read_tlvs(frame, p, size)"
    yield "  return self"
    yield " except SHORTFALL: return None"
