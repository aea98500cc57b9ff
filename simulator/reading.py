"""What a submit says, as a phone would show it: its text and alphabet, its class, and which part it is of what.

Owns how this SMSC reads user data (`Reader`): by the standards, or as the quirks of its texts have it. Refuses to
know what becomes of the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from simulator.quirks import TextQuirks
from smppgw.smpp import DataSm, SubmitMulti, SubmitSm, Tag
from smppgw.sms import dcs, gsm7, reassemble, udh
from smppgw.sms.encoding import DEFAULT_ENCODING, Alphabet, Language, Waiting
from smppgw.sms.ports import Ports, ports_of

UDHI = 0x40  # esm_class (SMPP 3.4, 5.2.12)


class Part(NamedTuple):
    """Which part of which long message. `form`: udh8, udh16 or sar."""

    form: str
    reference: int
    part: int
    parts: int


class Reading(NamedTuple):
    """The content of one submit. `locking`, `single`: the shift tables that its text was written with.

    `alphabet`: one of sms.encoding, or what this SMSC has in place of GSM-7; None for what phones know nothing of.
    `part` is None where it is whole, `payload` whether it came as message_payload.
    """

    text: str
    alphabet: str | None
    message_class: int | None = None
    waiting: Waiting | None = None
    locking: Language | None = None
    single: Language | None = None
    ports: Ports | None = None
    part: Part | None = None
    payload: bool = False

    def as_json(self) -> dict[str, Any]:
        """Text and alphabet, and of the rest what is there."""
        shown: dict[str, Any] = {"text": self.text, "alphabet": self.alphabet}
        if self[2:] != _NOTHING_ELSE:
            shown |= {key: value for key, value in self._rest().items() if value is not None}
        return shown

    def _rest(self) -> dict[str, Any]:
        waiting, part = self.waiting, self.part
        numbers = {} if part is None else {"reference": part.reference, "part": part.part, "parts": part.parts}
        return {
            "message_class": self.message_class,
            "message_waiting": waiting and waiting._asdict() | {"kind": waiting.kind.label},
            "locking_shift": self.locking and self.locking.label,
            "single_shift": self.single and self.single.label,
            "ports": self.ports and self.ports._asdict(),
            "long": part.form if part is not None else "payload" if self.payload else None,
            **numbers,
        }


_NOTHING_ELSE = Reading("", None)[2:]


class Reader:
    """Reads user data as one SMSC does, and the phones behind it."""

    def __init__(self, quirks: TextQuirks) -> None:
        encoding = DEFAULT_ENCODING._replace(default_alphabet=quirks.default_alphabet, packing=quirks.packing)
        self.encoding = DEFAULT_ENCODING if encoding == DEFAULT_ENCODING else encoding
        self._default_alphabet = quirks.default_alphabet.value
        self._shift_tables = quirks.shift_tables

    def read(self, pdu: SubmitSm | DataSm | SubmitMulti) -> Reading:
        """Never raises: what cannot be decoded is made visible, as dcs has it."""
        octets, udhi, tlvs = content_of(pdu), bool(pdu.esm_class & UDHI), pdu.tlvs
        found = dcs.decode(octets, pdu.data_coding, udhi, self.encoding)
        text, locking, single = found.text, found.locking, found.single
        if (locking or single) and not self._shift_tables:
            text, locking, single = self._unshifted(octets), None, None
        message_class = found.message_class
        subunit = tlvs.get(Tag.DEST_ADDR_SUBUNIT, b"") if tlvs else b""
        if message_class is None and len(subunit) == 1 and 1 <= subunit[0] <= 4:
            message_class = subunit[0] - 1  # SMPP 3.4, 5.3.2.1: 1 is the display, which is class 0
        return Reading(
            text,
            self._default_alphabet if found.alphabet is Alphabet.GSM7 else found.alphabet,
            message_class,
            found.waiting,
            locking,
            single,
            ports_of(found.elements) if udhi else None,
            _part(octets, udhi, tlvs) if udhi or tlvs else None,
            bool(tlvs) and Tag.MESSAGE_PAYLOAD in tlvs and not isinstance(pdu, DataSm),
        )

    def join(self, parts: Sequence[SubmitSm | DataSm | SubmitMulti]) -> str:
        """The text of all parts of one long message, in order: joined before it is decoded, as phones do, since a
        character may be split between two parts. Never raises."""
        first = parts[0]
        alike = all(
            (part.data_coding, part.esm_class & UDHI) == (first.data_coding, first.esm_class & UDHI) for part in parts
        )
        is_gsm7 = dcs.describe(first.data_coding, self.encoding).alphabet is Alphabet.GSM7
        if alike and (self._shift_tables or not is_gsm7):
            contents = [content_of(part) for part in parts]
            try:
                if first.esm_class & UDHI:
                    text = reassemble.join(contents, data_coding=first.data_coding, udhi=True, encoding=self.encoding)
                else:
                    text = reassemble.join_parts(contents, data_coding=first.data_coding, encoding=self.encoding)
                return text.removeprefix("\ufeff")  # a byte order mark, as `read` has it
            except ValueError:
                pass  # joined by SAR TLVs and with a UDH besides: each is read by itself
        return "".join([self.read(part).text for part in parts])

    def air_octets(self, pdu: SubmitSm | DataSm) -> int:
        """How many octets of user data this takes in a TPDU (3GPP TS 23.040, 9.2.3.16)."""
        octets = content_of(pdu)
        if self.encoding.packs or dcs.describe(pdu.data_coding).alphabet is not Alphabet.GSM7:
            return len(octets)
        header, septets = udh.split(octets) if pdu.esm_class & UDHI else (b"", octets)
        fill_bits = udh.fill_bits(len(header)) if septets else 0
        return len(header) + (fill_bits + 7 * len(septets) + 7) // 8

    def _unshifted(self, octets: bytes) -> str:
        """The text where the tables that it needs were lost on the way."""
        header, content = udh.split(octets)
        septets = gsm7.unpack(content, udh.fill_bits(len(header))) if self.encoding.packs else content
        return gsm7.decode(septets)


def content_of(pdu: SubmitSm | DataSm | SubmitMulti) -> bytes:
    """The user data: short_message, or message_payload where that is used instead (SMPP 3.4, 5.3.2.32)."""
    if not isinstance(pdu, DataSm) and pdu.short_message:
        return pdu.short_message
    payload: bytes = pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    return payload


def _part(octets: bytes, udhi: bool, tlvs: dict[int, bytes]) -> Part | None:
    if udhi:
        found = udh.concatenation(octets)
        return found and Part("udh16" if found.wide else "udh8", found.reference, found.part, found.total)
    reference, total, part = (
        tlvs.get(tag, b"") for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    )
    if len(reference) == 2 and len(total) == len(part) == 1:
        return Part("sar", int.from_bytes(reference, "big"), part[0], total[0])
    return None


STRAIGHT_READER = Reader(TextQuirks())
