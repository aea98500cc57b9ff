"""The kinds of mandatory fields (SMPP 3.4, 3.1), and which command_status a bad field deserves.

Each kind can `read` itself from a frame and `write` itself, carefully, saying what is wrong. The functions that
codec.py compiles from the same tables do the daily work; these do it where something is odd, and name the field.
Refuses to know which PDU has which field: that is the table in commands.py.

C-octet strings are `str` through latin-1, which keeps any octet; octet strings are `bytes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, Final, NamedTuple, Protocol

from smppgw.smpp.constants import Status

NUL: Final = "\0"


class FieldError(ValueError):
    """A field that cannot be read or written. `text` says why, `field` is set when a part of a list is to blame."""

    def __init__(self, text: str, *, field: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.field = field


class UnterminatedError(FieldError):
    """A C-octet string runs to the end of the frame; `value` is what there is of it."""

    def __init__(self, value: str) -> None:
        super().__init__("has no terminating NUL")
        self.value = value


class TooLongError(FieldError):
    """A C-octet string is longer than the standard allows; `value` and `position` say how it would read."""

    def __init__(self, value: str, position: int, limit: int) -> None:
        super().__init__(f"has {len(value) + 1} octets with its terminator, the limit is {limit}")
        self.value = value
        self.position = position


class Kind(Protocol):
    """What every kind of field offers."""

    @property
    def default(self) -> Any: ...

    def read(self, frame: bytes, position: int, end: int) -> tuple[Any, int]:
        """The value at `position` and the position behind it. Raises FieldError."""
        ...

    def write(self, value: Any) -> bytes:
        """The octets of `value`. Raises FieldError when it does not fit."""
        ...


@dataclass(frozen=True, slots=True)
class U8:
    """One octet, 0 to 255."""

    default: int = 0

    def read(self, frame: bytes, position: int, end: int) -> tuple[int, int]:
        if position >= end:
            raise FieldError("is missing")
        return frame[position], position + 1

    def write(self, value: Any) -> bytes:
        if not isinstance(value, int) or not 0 <= value <= 0xFF:
            raise FieldError(f"is {value!r}, not a number from 0 to 255")
        return bytes((value,))


@dataclass(frozen=True, slots=True)
class COctet:
    """Octets up to a NUL. `limit` counts the terminator; `fixed` means empty or exactly full (times, 7.1.1).

    `longest`: what can be written all the same, where some peers want more than the standard allows. `padded`: some
    peers fill it up with blanks, which are no part of it.
    """

    limit: int
    fixed: bool = False
    secret: bool = False
    longest: int = 0
    padded: bool = False
    default: str = ""

    @property
    def writable(self) -> int:
        """The limit for writing."""
        return self.longest or self.limit

    def read(self, frame: bytes, position: int, end: int) -> tuple[str, int]:
        stop = frame.find(b"\0", position, end)
        if stop < 0:
            raise UnterminatedError(frame[position:end].decode("latin-1"))
        value = frame[position:stop].decode("latin-1")
        if len(value) >= self.limit:
            raise TooLongError(value, stop + 1, self.limit)
        return value, stop + 1

    def write(self, value: Any) -> bytes:
        if not isinstance(value, str):
            raise FieldError(f"is a {type(value).__name__}, not a str")
        if NUL in value:
            raise FieldError("contains NUL, which would end it")
        if len(value) >= self.writable:
            raise FieldError(f"has {len(value)} octets, the limit is {self.writable - 1}")
        if self.fixed and value and len(value) != self.limit - 1:
            raise FieldError(f"has {len(value)} octets where only none or {self.limit - 1} are allowed")
        try:
            return value.encode("latin-1") + b"\0"
        except UnicodeEncodeError as error:
            raise FieldError(f"contains {value[error.start]!a}, which is not one octet") from None


@dataclass(frozen=True, slots=True)
class Octets:
    """Octets whose number stands in one octet directly before them; `length` is that octet's name."""

    length: str
    limit: int
    default: bytes = b""

    def read(self, frame: bytes, position: int, end: int) -> tuple[bytes, int]:
        if position >= end:
            raise FieldError("is missing", field=self.length)
        start = position + 1
        stop = start + frame[position]
        if stop > end:
            raise FieldError(f"is {frame[position]} with only {end - start} octets left", field=self.length)
        return frame[start:stop], stop

    def write(self, value: Any) -> bytes:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise FieldError(f"is a {type(value).__name__}, not octets")
        if len(value) > self.limit:
            raise FieldError(f"has {len(value)} octets, the limit is {self.limit}")
        return bytes((len(value),)) + value


class SmeAddress(NamedTuple):
    """A destination of submit_multi that is a subscriber (dest_flag 1; SMPP 3.4, 4.5.1.1)."""

    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: str


class DistributionList(NamedTuple):
    """A destination of submit_multi that is a list kept by the SMSC (dest_flag 2)."""

    dl_name: str


class UnsuccessSme(NamedTuple):
    """A destination that submit_multi did not reach, and why (SMPP 3.4, 4.5.2.1)."""

    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: str
    error_status_code: int


Destination = SmeAddress | DistributionList

_OCTET = U8()
_ADDRESS = COctet(21)
_U32 = Struct(">L")
_SME_FLAG, _LIST_FLAG = 1, 2


def _named(kind: Kind, field: str, frame: bytes, position: int, end: int) -> tuple[Any, int]:
    """Reads one part of a list; an error carries the part's own name."""
    try:
        return kind.read(frame, position, end)
    except FieldError as error:
        raise FieldError(error.text, field=field) from None


def _read_sme(frame: bytes, position: int, end: int) -> tuple[SmeAddress, int]:
    ton, position = _named(_OCTET, "dest_addr_ton", frame, position, end)
    npi, position = _named(_OCTET, "dest_addr_npi", frame, position, end)
    address, position = _named(_ADDRESS, "destination_addr", frame, position, end)
    return SmeAddress(ton, npi, address), position


def _write_sme(ton: Any, npi: Any, address: Any) -> bytes:
    return _OCTET.write(ton) + _OCTET.write(npi) + _ADDRESS.write(address)


@dataclass(frozen=True, slots=True)
class Destinations:
    """The dest_address list of submit_multi behind its number_of_dests (SMPP 3.4, 4.5.1.1)."""

    count: str
    limit: int = 254
    default: tuple[()] = ()

    def read(self, frame: bytes, position: int, end: int) -> tuple[tuple[Destination, ...], int]:
        number, position = _named(_OCTET, self.count, frame, position, end)
        found: list[Destination] = []
        for _ in range(number):
            flag, position = _named(_OCTET, "dest_flag", frame, position, end)
            if flag == _SME_FLAG:
                sme, position = _read_sme(frame, position, end)
                found.append(sme)
            elif flag == _LIST_FLAG:
                name, position = _named(_ADDRESS, "dl_name", frame, position, end)
                found.append(DistributionList(name))
            else:
                raise FieldError(f"is {flag}, neither 1 nor 2", field="dest_flag")
        return tuple(found), position

    def write(self, value: Any) -> bytes:
        entries = _sequence(value, self.limit)
        return bytes((len(entries),)) + b"".join(map(self._write_one, entries))

    @staticmethod
    def _write_one(entry: Any) -> bytes:
        if isinstance(entry, DistributionList):
            return bytes((_LIST_FLAG,)) + _ADDRESS.write(entry.dl_name)
        if isinstance(entry, SmeAddress):
            return bytes((_SME_FLAG,)) + _write_sme(*entry)
        raise FieldError(f"holds a {type(entry).__name__}, neither SmeAddress nor DistributionList")


@dataclass(frozen=True, slots=True)
class UnsuccessSmes:
    """The unsuccess_sme list of submit_multi_resp behind its no_unsuccess (SMPP 3.4, 4.5.2)."""

    count: str
    limit: int = 255
    default: tuple[()] = ()

    def read(self, frame: bytes, position: int, end: int) -> tuple[tuple[UnsuccessSme, ...], int]:
        number, position = _named(_OCTET, self.count, frame, position, end)
        found: list[UnsuccessSme] = []
        for _ in range(number):
            sme, position = _read_sme(frame, position, end)
            if position + _U32.size > end:
                raise FieldError("is missing", field="error_status_code")
            found.append(UnsuccessSme(*sme, _U32.unpack_from(frame, position)[0]))
            position += _U32.size
        return tuple(found), position

    def write(self, value: Any) -> bytes:
        entries = _sequence(value, self.limit)
        return bytes((len(entries),)) + b"".join(map(self._write_one, entries))

    @staticmethod
    def _write_one(entry: Any) -> bytes:
        if not isinstance(entry, UnsuccessSme):
            raise FieldError(f"holds a {type(entry).__name__}, not an UnsuccessSme")
        code = entry.error_status_code
        if not isinstance(code, int) or not 0 <= code <= 0xFFFFFFFF:
            raise FieldError(f"holds an error_status_code {code!r} that does not fit 4 octets")
        return _write_sme(*entry[:3]) + _U32.pack(code)


def _sequence(value: Any, limit: int) -> Sequence[Any]:
    if not isinstance(value, (tuple, list)):
        raise FieldError(f"is a {type(value).__name__}, not a tuple or list")
    if len(value) > limit:
        raise FieldError(f"has {len(value)} entries, the limit is {limit}")
    return value


#: Which command_status the sender of an unreadable request gets, by the field that could not be read (SMPP 3.4,
#: 5.1.3). Fields that are not listed get ESME_RINVCMDLEN: the command ended before its fields did.
FIELD_STATUS: Final[dict[str, Status]] = {
    "system_id": Status.ESME_RINVSYSID,
    "password": Status.ESME_RINVPASWD,
    "system_type": Status.ESME_RINVSYSTYP,
    "service_type": Status.ESME_RINVSERTYP,
    "source_addr_ton": Status.ESME_RINVSRCTON,
    "source_addr_npi": Status.ESME_RINVSRCNPI,
    "source_addr": Status.ESME_RINVSRCADR,
    "dest_addr_ton": Status.ESME_RINVDSTTON,
    "dest_addr_npi": Status.ESME_RINVDSTNPI,
    "destination_addr": Status.ESME_RINVDSTADR,
    "number_of_dests": Status.ESME_RINVNUMDESTS,
    "dest_flag": Status.ESME_RINVDESTFLAG,
    "dl_name": Status.ESME_RINVDLNAME,
    "esm_class": Status.ESME_RINVESMCLASS,
    "priority_flag": Status.ESME_RINVPRTFLG,
    "schedule_delivery_time": Status.ESME_RINVSCHED,
    "validity_period": Status.ESME_RINVEXPIRY,
    "registered_delivery": Status.ESME_RINVREGDLVFLG,
    "replace_if_present_flag": Status.ESME_RINVREPFLAG,
    "sm_default_msg_id": Status.ESME_RINVDFTMSGID,
    "sm_length": Status.ESME_RINVMSGLEN,
    "short_message": Status.ESME_RINVMSGLEN,
    "message_id": Status.ESME_RINVMSGID,
}


def status_for_field(field: str) -> Status:
    """The command_status due when `field` cannot be read."""
    return FIELD_STATUS.get(field, Status.ESME_RINVCMDLEN)


# The words of the tables in commands.py. They return Any so that the annotation beside them is the field's type.


def u8(default: int = 0) -> Any:
    """An integer of one octet."""
    return U8(default)


def c_octet(limit: int, *, secret: bool = False, longest: int = 0) -> Any:
    """A C-octet string of at most `limit` octets, terminator included. `secret` keeps it out of repr().

    `longest`, where it is not 0, is the limit for writing.
    """
    return COctet(limit, secret=secret, longest=longest)


def address(limit: int = 21) -> Any:
    """A C-octet string that is an address."""
    return COctet(limit, padded=True)


def time(limit: int = 17) -> Any:
    """A time: empty, or `limit` octets with the terminator (SMPP 3.4, 7.1.1)."""
    return COctet(limit, fixed=True)


def octets(*, length: str, limit: int) -> Any:
    """An octet string of at most `limit` octets; the octet named `length` stands directly before it."""
    return Octets(length, limit)


def destinations(*, count: str) -> Any:
    """A tuple of SmeAddress and DistributionList; the octet named `count` stands directly before it."""
    return Destinations(count)


def unsuccess_smes(*, count: str) -> Any:
    """A tuple of UnsuccessSme; the octet named `count` stands directly before it."""
    return UnsuccessSmes(count)
