"""How one SMSC wants its texts: alphabet, packing, data_coding, and how the parts of a long one are told.

Owns the words and the sizes that follow from them. Refuses to know which SMSC that is.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class DefaultAlphabet(StrEnum):
    """What octets with data_coding 0 are at this SMSC."""

    GSM7 = "gsm7"
    LATIN1 = "latin1"
    ASCII = "ascii"
    UTF8 = "utf8"


class Packing(StrEnum):
    UNPACKED = "unpacked"  # one septet in each octet
    PACKED = "packed"  # 3GPP TS 23.038, 6.1.2.1


class LongMessages(StrEnum):
    """How the parts of a long text are told to belong together."""

    UDH8 = "udh8"
    UDH16 = "udh16"
    SAR = "sar"
    PAYLOAD = "payload"


#: A TPDU carries 140 octets of user data (3GPP TS 23.040, 9.2.3.16), UDH included.
TPDU_OCTETS = 140


class Encoding(NamedTuple):
    """What stands in the `encoding` settings of a carrier, which say what each means.

    `max_octets`: of user data in one segment, as packed in the air, UDH included.
    """

    default_alphabet: DefaultAlphabet = DefaultAlphabet.GSM7
    packing: Packing = Packing.UNPACKED
    gsm7_data_coding: int = 0  # SMPP 3.4, 5.2.19: the SMSC's default alphabet
    ucs2_data_coding: int = 8  # travels as UTF-16BE, as all handsets read it
    long: LongMessages = LongMessages.UDH8
    max_octets: int = TPDU_OCTETS

    @property
    def packs(self) -> bool:
        """Whether septets travel packed: only where the default alphabet has septets."""
        return self.packing is Packing.PACKED and self.default_alphabet is DefaultAlphabet.GSM7

    @property
    def header_octets(self) -> int:
        """Of the UDH that each part has when the handset gets it: our own, or the one the SMSC makes of SAR TLVs or
        of a message_payload, which is the one with an 8-bit reference nearly everywhere."""
        return 7 if self.long is LongMessages.UDH16 else 6


DEFAULT_ENCODING = Encoding()
