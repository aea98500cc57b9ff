"""An inbound text as deliver_sm or data_sm: what a handset would have sent, or what SMSCs make of it. Pure.

Owns the content, the addresses and the parts of it, and the order in which the parts go out. Refuses to know who
receives them and when.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from simulator import charsets
from simulator.messages import Party
from smppgw.errors import LocalProtocolError, Refusal
from smppgw.smpp import ESM_UDHI, DataSm, DeliverSm, Tag, Tlvs, encode
from smppgw.sms import coding, dcs, gsm7, udh
from smppgw.sms.encoding import (
    TPDU_OCTETS,
    Alphabet,
    Encoding,
    Language,
    LongMessages,
    Numbering,
    Packing,
    Waiting,
    Wishes,
)
from smppgw.sms.forms import Frame, frame
from smppgw.sms.plan import MOST_PAYLOAD_OCTETS, MOST_SEGMENTS, Plan, plan

_MAX_SHORT_CODE = 8


class Command(StrEnum):
    """The PDU that brings it."""

    DELIVER_SM = "deliver_sm"
    DATA_SM = "data_sm"


class Order(StrEnum):
    """The order of the parts, where it is not told part by part."""

    STRAIGHT = "straight"
    REVERSE = "reverse"
    SHUFFLED = "shuffled"  # never the right order, where there are two parts or more


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """What one inbound text is. Nothing told: what a handset would send, GSM-7 or UCS-2, in as few parts as can be.

    `octets` stand instead of the text, as they are, and are 8-bit data unless `data_coding` says otherwise.
    `alphabet`: a name of charsets.NAMES, in which the text is written; None: that of `data_coding`. `data_coding`:
    what is told, right or wrong; None: that of the alphabet, the class and `waiting`. `elements`: of the UDH of each
    part. `long`: how parts are told apart; PAYLOAD: none, all of it in message_payload, however short.
    With a UDH that is parts as in udh8, each in a message_payload. `max_octets`: of one part as in the air, UDH
    included. `torn`: cut by the room alone, through the middle of characters.
    `esm_class`: None: as it has to be. `source_tons`: of the parts in turn. `fields`: mandatory fields by their names
    in the standard; these win.
    """

    source: str
    destination: str
    text: str = ""
    octets: bytes | None = None
    alphabet: str | None = None
    data_coding: int | None = None
    message_class: int | None = None
    waiting: Waiting | None = None
    elements: tuple[tuple[int, bytes], ...] = ()
    long: LongMessages = LongMessages.UDH8
    packed: bool = False
    national: tuple[Language, ...] = ()
    max_octets: int = TPDU_OCTETS
    torn: bool = False
    command: Command = Command.DELIVER_SM
    esm_class: int | None = None
    tlvs: tuple[tuple[int, bytes], ...] = ()
    source_tons: tuple[int, ...] = ()
    fields: Mapping[str, int | str] = field(default_factory=dict)


def party(typed: str) -> Party:
    """An address as typed: letters are alphanumeric (5/0), up to 8 digits a short code (0/1), the rest international.

    A leading `+` makes any number international (1/1) and is not sent.
    """
    if typed.startswith("+"):
        return Party(1, 1, typed[1:])
    if not typed.isdecimal():
        return Party(5, 0, typed)
    return Party(0, 1, typed) if len(typed) <= _MAX_SHORT_CODE else Party(1, 1, typed)


# ---------------------------------------------------------------------------------------------------------------- #
# Content
# ---------------------------------------------------------------------------------------------------------------- #


def planned(inbound: Inbound, reference: int) -> Plan:
    """The content of each part, UDH included, in order of part.

    Raises Refusal: those of `plan`; `no_text`; `conflicting_fields`; `too_long`.
    """
    wishes = Wishes(message_class=inbound.message_class, waiting=inbound.waiting, elements=inbound.elements)
    made = _Content(inbound, wishes, reference)
    made.refuse_conflicts()
    return made.of_octets(inbound.octets) if inbound.octets is not None else made.of_text()


class _Content:
    """One inbound text, or its octets, on the way to its parts."""

    def __init__(self, inbound: Inbound, wishes: Wishes, reference: int) -> None:
        self._inbound = inbound
        self._wishes = wishes
        self._reference = reference
        self._encoding = Encoding(
            packing=Packing.PACKED if inbound.packed else Packing.UNPACKED,
            long=inbound.long,
            max_octets=inbound.max_octets,
            national=inbound.national,
        )
        self._elements = coding.elements(wishes)
        self._frame: Frame = frame(self._encoding, self._elements)

    def refuse_conflicts(self) -> None:
        inbound = self._inbound
        if inbound.data_coding is not None:
            for name, value in (("message_class", inbound.message_class), ("message_waiting", inbound.waiting)):
                if value is not None:
                    text = f"data_coding is what tells {name}: give one of them"
                    raise Refusal("conflicting_fields", text, field=name)
        if inbound.octets is not None:
            for name, given in (
                ("text", inbound.text),
                ("alphabet", inbound.alphabet),
                ("national", inbound.national),
            ):
                if given:
                    text = f"octets are sent as they are: leave {name} out, or the octets"
                    raise Refusal("conflicting_fields", text, field=name)
        elif inbound.national and self._alphabet() != Alphabet.GSM7:
            text = f"national shift tables are of GSM-7, and this text is to be in {self._alphabet()}"
            raise Refusal("conflicting_fields", text, field="national")
        elif inbound.national and inbound.torn:
            raise Refusal("conflicting_fields", "torn goes without national shift tables", field="torn")

    def _alphabet(self) -> str | None:
        """None: GSM-7 or UCS-2, as the text needs."""
        inbound = self._inbound
        if inbound.alphabet is not None:
            return inbound.alphabet
        if inbound.data_coding is not None:
            return charsets.of_data_coding(inbound.data_coding)
        return Alphabet.GSM7.value if inbound.national else None

    # -- a text ------------------------------------------------------------------------------------------------- #

    def of_text(self) -> Plan:
        inbound, name = self._inbound, self._alphabet()
        if (name is None or name in charsets.PLANNED) and not inbound.torn:
            made = self._planned(None if name is None else Alphabet(name))
        else:
            if not inbound.text:
                raise Refusal("empty_text", "the text is empty: octets may be", field="text")
            made = self._otherwise(name)
        return made if inbound.data_coding is None else made._replace(data_coding=inbound.data_coding)

    def _planned(self, alphabet: Alphabet | None) -> Plan:
        # Only where they were asked for: no handset would choose them.
        encoding = self._encoding._replace(
            latin1_data_coding=3 if alphabet is Alphabet.LATIN1 else None,
            ascii_data_coding=1 if alphabet is Alphabet.ASCII else None,
        )
        wishes = self._wishes._replace(alphabet=alphabet)
        return plan(self._inbound.text, encoding=encoding, wishes=wishes, reference=self._reference)

    def _otherwise(self, name: str | None) -> Plan:
        """In a character set that the planner does not have, or cut as it never would."""
        text = self._inbound.text
        if name is None:
            name = (Alphabet.GSM7 if gsm7.try_encode(text) is not None else Alphabet.UCS2).value
        if name in charsets.CHARSETS:
            charset = charsets.CHARSETS[name]
            data_coding: int | None = charset.data_coding if self._tells_nothing() else None
            alphabet, codec = Alphabet.BINARY, charset.encode
        else:
            alphabet, codec = Alphabet(name), _CODECS[name]
            data_coding = coding.data_coding(alphabet, _WITH_ALL, self._wishes)
        if data_coding is None:
            told = f"no data_coding tells a message class or a waiting indication beside {name}: leave it out"
            raise Refusal("conflicting_fields", told, field="alphabet")
        content = charsets.encoded(text, name, codec)
        if self._inbound.torn:
            return self._of_content(content, alphabet, data_coding, tearing=True)
        surrounding = self._frame
        if surrounding.payload or len(content) + surrounding.alone_octets <= surrounding.max_octets:
            return self._assembled([content], alphabet, data_coding)
        pieces = charsets.cut(text, codec, surrounding.max_octets - surrounding.header_octets)
        return self._assembled(pieces, alphabet, data_coding)

    def _tells_nothing(self) -> bool:
        return self._wishes.message_class is None and self._wishes.waiting is None

    # -- octets ------------------------------------------------------------------------------------------------- #

    def of_octets(self, octets: bytes) -> Plan:
        data_coding = self._inbound.data_coding
        if data_coding is None:
            data_coding = coding.data_coding(Alphabet.BINARY, self._encoding, self._wishes)
        if data_coding is None:
            text = "octets are no text of a waiting indication: say it by data_coding"
            raise Refusal("conflicting_fields", text, field="message_waiting")
        alphabet = dcs.describe(data_coding).alphabet or Alphabet.BINARY
        if alphabet is Alphabet.GSM7 and (self._inbound.packed or not octets.isascii()):
            alphabet = Alphabet.BINARY  # packed already, or what that SMSC has in place of septets
        return self._of_content(octets, alphabet, data_coding, tearing=self._inbound.torn)

    def _of_content(self, content: bytes, alphabet: Alphabet, data_coding: int, *, tearing: bool) -> Plan:
        """Cut by the room alone: 7 bits for each septet, otherwise octets, UCS-2 at whole units unless `tearing`."""
        surrounding = self._frame
        in_septets = alphabet is Alphabet.GSM7
        if in_septets:
            alone, room = surrounding.alone_septets, surrounding.septets
        else:
            alone = surrounding.max_octets - surrounding.alone_octets
            room = surrounding.max_octets - surrounding.header_octets
            if alphabet is Alphabet.UCS2 and not tearing:
                room -= room % 2
        if surrounding.payload or len(content) <= alone:
            pieces = [content]
        elif room < 1:
            raise Refusal("too_long", "the UDH leaves no room for content beside it", field="udh")
        else:
            pieces = [content[at : at + room] for at in range(0, len(content), room)]
        if in_septets and self._encoding.packs:
            with_udh = len(pieces) > 1 and surrounding.numbering is not Numbering.SAR
            header = surrounding.header_octets if with_udh else surrounding.alone_octets
            pieces = [gsm7.pack(piece, udh.fill_bits(header)) for piece in pieces]
        return self._assembled(pieces, alphabet, data_coding)

    # -- parts -------------------------------------------------------------------------------------------------- #

    def _assembled(self, pieces: Sequence[bytes], alphabet: Alphabet, data_coding: int) -> Plan:
        """With their UDH. A piece of the planner's comes with it; these do not."""
        surrounding, count = self._frame, len(pieces)
        if count > MOST_SEGMENTS:
            text = f"this needs {count} parts, {MOST_SEGMENTS} are possible"
            raise Refusal("too_long", text, field="octets" if self._inbound.octets is not None else "text")
        if len(pieces[0]) > MOST_PAYLOAD_OCTETS:
            text = f"this needs {len(pieces[0])} octets, a message_payload holds {MOST_PAYLOAD_OCTETS}"
            raise Refusal("too_long", text, field="octets" if self._inbound.octets is not None else "text")
        numbering = surrounding.numbering if count > 1 else Numbering.NONE
        segments = [
            _header(numbering, self._reference, count, part, self._elements) + piece
            for part, piece in enumerate(pieces, 1)
        ]
        udhi = bool(self._elements) or numbering in (Numbering.NARROW, Numbering.WIDE)
        return Plan(
            alphabet, data_coding, ESM_UDHI if udhi else 0, tuple(segments), count, numbering, surrounding.payload
        )


def _header(
    numbering: Numbering, reference: int, count: int, part: int, elements: tuple[tuple[int, bytes], ...]
) -> bytes:
    """The UDH of one part; none where nothing is to be told in it."""
    if numbering is Numbering.NARROW:
        elements = ((udh.CONCATENATED_8_BIT, bytes((reference & 0xFF, count, part))), *elements)
    elif numbering is Numbering.WIDE:
        wide = (reference & 0xFFFF).to_bytes(2, "big") + bytes((count, part))
        elements = ((udh.CONCATENATED_16_BIT, wide), *elements)
    return udh.header(elements) if elements else b""


_CODECS: Mapping[str, charsets.Encode] = {
    Alphabet.GSM7: gsm7.encode,
    Alphabet.UCS2: lambda text: text.encode("utf-16-be"),
    Alphabet.LATIN1: lambda text: text.encode("latin-1"),
    Alphabet.ASCII: lambda text: text.encode("ascii"),
}
_WITH_ALL = Encoding(latin1_data_coding=3, ascii_data_coding=1)  # SMPP 3.4, 5.2.19


# ---------------------------------------------------------------------------------------------------------------- #
# PDUs
# ---------------------------------------------------------------------------------------------------------------- #


def inbound_pdus(inbound: Inbound, reference: int) -> list[DeliverSm | DataSm]:
    """The PDUs of an inbound text, in order of part; `reference` is that of its parts, modulo 256 or 65536.

    Raises Refusal: those of `planned`; `bad_address` for an address that the PDU cannot carry; `bad_field` for what
    else does not fit into it.
    """
    made = planned(inbound, reference)
    sender, recipient = party(inbound.source), party(inbound.destination)
    kind = DataSm if inbound.command is Command.DATA_SM else DeliverSm
    in_payload = kind is DataSm or made.payload or inbound.long is LongMessages.PAYLOAD
    addresses: dict[str, Any] = {
        "source_addr_ton": sender.ton,
        "source_addr_npi": sender.npi,
        "source_addr": sender.addr,
        "dest_addr_ton": recipient.ton,
        "dest_addr_npi": recipient.npi,
        "destination_addr": recipient.addr,
    }
    values = addresses | {
        "esm_class": made.esm_class if inbound.esm_class is None else inbound.esm_class,
        "data_coding": made.data_coding,
    }
    pdus: list[DeliverSm | DataSm] = []
    for at, segment in enumerate(made.segments):
        tlvs = _sar(reference, len(made.segments), at + 1) if made.numbering is Numbering.SAR else {}
        if in_payload:
            tlvs[Tag.MESSAGE_PAYLOAD] = segment
        else:
            values["short_message"] = segment
        if inbound.source_tons:
            values["source_addr_ton"] = inbound.source_tons[at % len(inbound.source_tons)]
        pdus.append(kind(**(values | dict(inbound.fields)), tlvs=_with(tlvs, inbound.tlvs)))
    longest = pdus[0] if in_payload or len(pdus) == 1 else max(pdus, key=_octets)
    try:
        encode(longest)
    except LocalProtocolError:
        _refuse_unfit(kind(**addresses), "bad_address", "an address does not fit")
        _refuse_unfit(longest, "bad_field", "this does not fit")
    return pdus


def _octets(pdu: DeliverSm | DataSm) -> int:
    return len(pdu.short_message) if isinstance(pdu, DeliverSm) else 0


def _refuse_unfit(pdu: DeliverSm | DataSm, code: str, told: str) -> None:
    try:
        encode(pdu)
    except LocalProtocolError as wrong:
        raise Refusal(code, f"{told} into the PDU: {wrong}") from wrong


def _sar(reference: int, parts: int, part: int) -> dict[int, bytes]:
    """SMPP 3.4, 5.3.2.22 to 5.3.2.24."""
    return {
        Tag.SAR_MSG_REF_NUM: (reference & 0xFFFF).to_bytes(2, "big"),
        Tag.SAR_TOTAL_SEGMENTS: bytes((parts,)),
        Tag.SAR_SEGMENT_SEQNUM: bytes((part,)),
    }


def _with(tlvs: dict[int, bytes], given: tuple[tuple[int, bytes], ...]) -> dict[int, bytes]:
    """What is given stands in place of ours; a tag that is given twice is there twice."""
    if not given:
        return tlvs
    tags = {tag for tag, _ in given}
    made = Tlvs([*((tag, value) for tag, value in tlvs.items() if tag not in tags), *given])
    return made if made.repeats else dict(made)


# ---------------------------------------------------------------------------------------------------------------- #
# The order of the parts
# ---------------------------------------------------------------------------------------------------------------- #


def sequence(
    parts: int,
    order: Order | tuple[int, ...] = Order.STRAIGHT,
    *,
    duplicate: Sequence[int] = (),
    missing: Sequence[int] = (),
    chance: Callable[[], float] = random.random,
) -> list[int]:
    """The numbers of the parts, from 1 on, as they go out.

    An order that names parts says it all: what it leaves out is not sent. Then those `missing` are left out, and each
    `duplicate` is sent a second time, directly behind the first. Raises Refusal `no_such_part`, `nothing_to_send`.
    """
    if order is Order.STRAIGHT and not duplicate and not missing:
        return list(range(1, parts + 1))
    for name, numbers in (("order", order), ("duplicate", duplicate), ("missing", missing)):
        wrong = [number for number in numbers if not 1 <= number <= parts] if not isinstance(numbers, Order) else []
        if wrong:
            has = f"{parts} parts" if parts > 1 else "one part"
            raise Refusal("no_such_part", f"{name} names part {wrong[0]}, and the text has {has}", field=name)
    left_out, twice = set(missing), set(duplicate)
    going = [part for part in _ordered(parts, order, chance) if part not in left_out]
    if not going:
        raise Refusal(
            "nothing_to_send", "every part of the text is missing: nothing is left to send", field="missing"
        )
    return [part for one in going for part in ([one, one] if one in twice else [one])]


def _ordered(parts: int, order: Order | tuple[int, ...], chance: Callable[[], float]) -> list[int]:
    if not isinstance(order, Order):
        return list(order)
    numbers = list(range(1, parts + 1))
    if order is Order.REVERSE:
        return numbers[::-1]
    if order is Order.STRAIGHT or parts == 1:
        return numbers
    shuffled = sorted(numbers, key=lambda _: chance())
    return shuffled if shuffled != numbers else [*numbers[1:], 1]
