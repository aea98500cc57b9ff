"""What to inject, as people say it: the options of `Smsc.inject` and the order `inject`.

Owns their names, their notations and what is wrong with them: each mistake is a Refusal that names the option. What
they mean stands in inbound.py and injector.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from simulator import charsets
from simulator.inbound import Command, Inbound, Order
from simulator.injector import Injection
from smppgw.errors import Refusal
from smppgw.smpp import DataSm, DeliverSm, Tag
from smppgw.smpp.fields import COctet
from smppgw.sms.encoding import Language, LongMessages, Waiting, WaitingKind
from smppgw.sms.ports import Element, parse_udh, port_element

if TYPE_CHECKING:
    from simulator.smsc import Smsc

E = TypeVar("E", bound=StrEnum)
N = TypeVar("N", int, float)


class InboundOptions(TypedDict, total=False):
    """What `Smsc.inject` takes by name; the order `inject` has the same, with `as` for `as_`.

    Octets are bytes or hexadecimal. Lists may also be text with commas: "2,1,3".
    """

    octets: bytes | str
    system_id: str | None
    reference: int | None
    alphabet: str
    data_coding: int
    message_class: int
    message_waiting: str | Mapping[str, Any]
    udh: bytes | str
    ports: int | str | Sequence[int] | Mapping[str, int]
    long: str
    packed: bool
    national: str | Sequence[str]
    max_octets: int
    torn: bool
    order: str | Sequence[int]
    duplicate: int | str | Sequence[int]
    missing: int | str | Sequence[int]
    gap_s: float
    as_: str
    esm_class: int
    tlvs: Mapping[str, bytes | str | Sequence[bytes | str]]
    source_tons: int | str | Sequence[int]
    fields: Mapping[str, int | str]
    count: int
    per_s: float


_TEXT = (str,)
_WHOLE = (int,)
_SWITCH = (bool,)
_NUMBER = (int, float)
_LIST = (list, str, int)

#: Of the order `inject`: name -> the JSON types that it may have.
INJECT_TAKES: Mapping[str, tuple[type, ...]] = {
    "from": _TEXT,
    "to": _TEXT,
    "text": _TEXT,
    "octets": _TEXT,
    "system_id": _TEXT,
    "reference": _WHOLE,
    "alphabet": _TEXT,
    "data_coding": _WHOLE,
    "message_class": _WHOLE,
    "message_waiting": (str, dict),
    "udh": _TEXT,
    "ports": (int, str, list, dict),
    "long": _TEXT,
    "packed": _SWITCH,
    "national": (str, list),
    "max_octets": _WHOLE,
    "torn": _SWITCH,
    "order": (str, list),
    "duplicate": _LIST,
    "missing": _LIST,
    "gap_s": _NUMBER,
    "as": _TEXT,
    "esm_class": _WHOLE,
    "tlvs": (dict,),
    "source_tons": _LIST,
    "fields": (dict,),
    "count": _WHOLE,
    "per_s": _NUMBER,
}
INJECT_NEEDED = frozenset({"from", "to"})


def inject_order(smsc: Smsc, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Carries out the order `inject` and says what was sent: of the first text where there are several.

    `parts` it has; `sent`: their numbers as they go out, where that is not each in its turn; `texts`: how many, where
    there are several. Raises Refusal: those of `injection`, and of Smsc.inject.
    """
    missing = INJECT_NEEDED - arguments.keys()
    if missing:
        raise Refusal("bad_option", f"inject needs {' and '.join(sorted(missing))}", field=min(missing))
    options = dict(arguments)
    source, destination, text = options.pop("from"), options.pop("to"), options.pop("text", None)
    asked = injection(source, destination, text, options)
    deliveries, parts = smsc.inject_as(asked)
    answer: dict[str, Any] = {"parts": parts, "system_id": deliveries[0].system_id}
    sent = [delivery.part for delivery in deliveries]
    if sent != list(range(1, parts + 1)):
        answer["sent"] = sent
    if asked.count > 1:
        answer["texts"] = asked.count
    return answer


def injection(source: str, destination: str, text: str | None, options: Mapping[str, Any]) -> Injection:
    """The options as an Injection; the keys are those of the order, or of InboundOptions.

    Raises Refusal `bad_option`, `udh_invalid`, `ports_invalid`, `conflicting_fields`.
    """
    for name, value in (("from", source), ("to", destination), ("text", text)):
        if not isinstance(value, str) and (name != "text" or value is not None):
            raise _bad(name, f"{value!r} is not text")
    given = {name.rstrip("_"): value for name, value in options.items() if value is not None}
    for name in given:
        if name not in _READERS:
            raise _bad(name, f"inject does not take it{_nearest(name, _READERS)}; it takes: {', '.join(_READERS)}")
    if text is None and "octets" not in given:
        raise _bad("text", "there is neither a text nor octets")
    read = {name: _READERS[name](name, value) for name, value in given.items()}
    if "per_s" in read and "count" not in read:
        raise _bad("per_s", "how many texts there are is told by count")
    command: Command = read.pop("as", Command.DELIVER_SM)
    sending = {name: read.pop(name) for name in _OF_SENDING if name in read}
    elements = (*read.pop("udh", ()), *([read.pop("ports")] if "ports" in read else []))
    if "message_waiting" in read:
        read["waiting"] = read.pop("message_waiting")
    if "fields" in read:
        read["fields"] = _fields(command, read["fields"])
    content = Inbound(
        source=source, destination=destination, text=text or "", command=command, elements=elements, **read
    )
    return Injection(inbound=content, told=_told(given), **sending)


#: Options that are about the sending; all others are about the text.
_OF_SENDING = ("system_id", "reference", "order", "duplicate", "missing", "gap_s", "count", "per_s")

#: What says which data_coding it is, and which PDU: a scenario that would have another gives way.
_TELLS_DATA_CODING = ("octets", "alphabet", "data_coding", "message_class", "message_waiting")
_TELLS_CARRIED = ("as",)


def _told(given: Mapping[str, Any]) -> frozenset[str]:
    told = set()
    if any(name in given for name in _TELLS_DATA_CODING) or "data_coding" in given.get("fields", ()):
        told.add("data_coding")
    if any(name in given for name in _TELLS_CARRIED) or given.get("long") == LongMessages.PAYLOAD:
        told.add("carried")
    return frozenset(told)


# ---------------------------------------------------------------------------------------------------------------- #
# Readers: of the name of an option and its value
# ---------------------------------------------------------------------------------------------------------------- #

_Reader = Callable[[str, Any], Any]


def _bad(name: str, text: str) -> Refusal:
    return Refusal("bad_option", f"{name}: {text}", field=name)


def _nearest(word: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    found = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {found[0]!r}?)" if found else ""


def _whole(least: int, most: int) -> _Reader:
    def read(name: str, value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise _bad(name, f"{value!r} is not a number from {least} to {most}")
        return value

    return read


_octet = _whole(0, 0xFF)
_MOST_PER_S = 1_000_000
_LONGEST_S = 30 * 86_400


def _seconds(name: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= _LONGEST_S:
        raise _bad(name, f"{value!r} is not a number of seconds, 0 to {_LONGEST_S}")
    return float(value)


def _per_second(name: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 < value <= _MOST_PER_S:
        raise _bad(name, f"{value!r} is not a number above 0, up to {_MOST_PER_S}")
    return float(value)


def _switch(name: str, value: Any) -> bool:
    if type(value) is not bool:
        raise _bad(name, f"{value!r} is neither true nor false")
    return value


def _word(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _bad(name, f"{value!r} is not text")
    return value


def _hex(name: str, value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return bytes.fromhex(_word(name, value))
    except ValueError:
        raise _bad(name, f"{value!r} is not hexadecimal, two digits for each octet") from None


def _known(name: str, value: Any, known: Sequence[str]) -> str:
    word = _word(name, value)
    if word not in known:
        raise _bad(name, f"unknown {word!r}{_nearest(word, known)}; known: {', '.join(known)}")
    return word


def _one_of(kind: type[E]) -> _Reader:
    return lambda name, value: kind(_known(name, value, list(kind)))


def _long(name: str, value: Any) -> LongMessages:
    return LongMessages(_known(name, value, LONG))


#: AUTO is for who keeps count of the references in use.
LONG = tuple(form.value for form in LongMessages if form is not LongMessages.AUTO)


def _list(name: str, value: Any) -> list[Any]:
    """A list, one thing alone, or text with commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return list(value) if isinstance(value, list | tuple) else [value]


def _numbers(least: int, most: int) -> _Reader:
    one = _whole(least, most)

    def read(name: str, value: Any) -> tuple[int, ...]:
        items = _list(name, value)
        found = tuple(one(name, _whole_of(item)) for item in items)
        if not found:
            raise _bad(name, "it is empty")
        return found

    return read


def _whole_of(typed: Any) -> Any:
    """A number that was typed, or what it is instead."""
    try:
        return int(typed, 0) if isinstance(typed, str) else typed
    except ValueError:
        return typed


_parts = _numbers(1, 255)


def _order(name: str, value: Any) -> Order | tuple[int, ...]:
    if isinstance(value, str) and not value[:1].isdigit():
        return Order(_known(name, value, list(Order)))
    found: tuple[int, ...] = _parts(name, value)
    return found


def _languages(name: str, value: Any) -> tuple[Language, ...]:
    labels = {language.label: language for language in Language}
    return tuple(labels[_known(name, item, list(labels))] for item in _list(name, value))


def _waiting(name: str, value: Any) -> Waiting:
    """voicemail, fax, email, other; behind a comma what goes with it: `fax,off`, `email,store,count=3`."""
    if isinstance(value, Mapping):
        told = dict(value)
    else:
        kind, *more = _list(name, _word(name, value))
        told = {"kind": kind}
        for item in more:
            key, found, number = item.partition("=")
            told |= {"active": False} if item == "off" else {key: _whole_of(number) if found else True}
    kinds = {kind.label: kind for kind in WaitingKind}
    unknown = [key for key in told if key not in Waiting._fields]
    if unknown:
        raise _bad(name, f"unknown {unknown[0]!r}; known: off, {', '.join(Waiting._fields)}")
    count = told.get("count")
    return Waiting(
        kinds[_known(name, told.get("kind", ""), list(kinds))],
        _switch(name, told.get("active", count != 0)),
        _switch(name, told.get("store", False)),
        None if count is None else _octet(name, count),
    )


def _udh(name: str, value: Any) -> tuple[Element, ...]:
    return parse_udh(_hex(name, value))


def _ports(name: str, value: Any) -> Element:
    """The destination's, or both: 2948, `2948:9200`, [2948, 9200], {"destination": 2948, "source": 9200}."""
    if isinstance(value, Mapping):
        unknown = [key for key in value if key not in ("destination", "source")]
        if unknown or "destination" not in value:
            raise _bad(name, f"{value!r} does not have destination and source")
        items = [value["destination"], value.get("source", 0)]
    else:
        items = _list(name, value.replace(":", ",") if isinstance(value, str) else value)
    if not 1 <= len(items) <= 2:
        raise _bad(name, f"{value!r} is neither a port nor two")
    numbers = [_whole_of(item) for item in items]
    for number in numbers:
        if type(number) is not int:
            raise _bad(name, f"{number!r} is not a port")
    return port_element(*numbers, *([0] if len(numbers) == 1 else []))


def _tlvs(name: str, value: Any) -> tuple[tuple[int, bytes], ...]:
    if not isinstance(value, Mapping):
        raise _bad(name, f'{value!r} is not an object such as {{"0x1403": "3233"}}')
    return tuple(
        (_tag(name, tag), _hex(f"{name}.{tag}", one))
        for tag, found in value.items()
        for one in (found if isinstance(found, list | tuple) else [found])
    )


_TAGS = {tag.name.lower(): tag for tag in Tag}


def _tag(name: str, typed: Any) -> int:
    word = str(typed).lower()
    tag = _TAGS.get(word, _whole_of(word))
    if type(tag) is not int and not isinstance(tag, Tag):
        raise _bad(name, f"{typed!r} is no tag, such as 0x1403 or user_response_code{_nearest(word, _TAGS)}")
    if not 0 <= tag <= 0xFFFF:
        raise _bad(name, f"the tag {typed} does not fit into two octets")
    return int(tag)


def _object(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _bad(name, f'{value!r} is not an object such as {{"protocol_id": 65}}')
    return value


def _fields(command: Command, given: Mapping[str, Any]) -> dict[str, int | str]:
    """Mandatory fields by the kinds that they have in this PDU."""
    kinds = (DataSm if command is Command.DATA_SM else DeliverSm).fields
    found: dict[str, int | str] = {}
    for name, value in given.items():
        if name == "short_message":
            raise _bad("fields", "the content is told by text or octets, not as short_message")
        if name not in kinds:
            raise _bad("fields", f"{command} has no {name!r}{_nearest(name, kinds)}")
        found[name] = str(value) if isinstance(kinds[name], COctet) else _octet(f"fields.{name}", _whole_of(value))
    return found


_READERS: Mapping[str, _Reader] = {
    "octets": _hex,
    "system_id": _word,
    "reference": _whole(0, 0xFFFF),
    "alphabet": lambda name, value: _known(name, value, charsets.NAMES),
    "data_coding": _octet,
    "message_class": _whole(0, 3),
    "message_waiting": _waiting,
    "udh": _udh,
    "ports": _ports,
    "long": _long,
    "packed": _switch,
    "national": _languages,
    "max_octets": _whole(8, 254),
    "torn": _switch,
    "order": _order,
    "duplicate": _parts,
    "missing": _parts,
    "gap_s": _seconds,
    "as": _one_of(Command),
    "esm_class": _octet,
    "tlvs": _tlvs,
    "source_tons": _numbers(0, 0xFF),
    "fields": _object,
    "count": _whole(1, 10**12),
    "per_s": _per_second,
}
