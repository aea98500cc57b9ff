"""How one SMSC wants its texts (alphabets, packing, data_coding, how the parts of a long one are told), and what the
caller wishes for the content of one message.

Owns the words and the sizes that follow from them. Refuses to know which SMSC and which caller that is.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple


class Alphabet(StrEnum):
    """What the handset gets. LATIN1 and ASCII go only to SMSCs that take them under a data_coding of their own."""

    GSM7 = "gsm7"
    LATIN1 = "latin1"
    ASCII = "ascii"
    UCS2 = "ucs2"
    BINARY = "binary"


class Language(IntEnum):
    """National Language Identifier: 3GPP TS 23.038, 6.2.1.2.4. Spanish has no locking shift table."""

    TURKISH = 1
    SPANISH = 2
    PORTUGUESE = 3
    BENGALI = 4
    GUJARATI = 5
    HINDI = 6
    KANNADA = 7
    MALAYALAM = 8
    ORIYA = 9
    PUNJABI = 10
    TAMIL = 11
    TELUGU = 12
    URDU = 13

    @property
    def label(self) -> str:
        return self.name.lower()


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

    AUTO = "auto"  # udh8; udh16 while all 256 references between sender and recipient are in use
    UDH8 = "udh8"
    UDH16 = "udh16"
    SAR = "sar"
    PAYLOAD = "payload"


class Numbering(IntEnum):
    """Where the parts of one planned message carry their common reference."""

    NONE = 0  # there is one part, or the SMSC cuts a message_payload itself
    NARROW = 1  # concatenation element with an 8-bit reference (3GPP TS 23.040, 9.2.3.24.1)
    WIDE = 2  # with a 16-bit one (9.2.3.24.8)
    SAR = 3  # sar_msg_ref_num (SMPP 3.4, 5.3.2.22), of which SMSCs make an 8-bit one


class ClassForm(StrEnum):
    """How an SMSC is told the message class, such as 0 for a flash message."""

    GENERAL = "general"  # data_coding 0x10 to 0x1B: general group (3GPP TS 23.038, section 4)
    CLASS_GROUP = "class_group"  # data_coding 0xF0 to 0xF7: group 1111; UCS-2, which it lacks, as GENERAL
    SUBUNIT = "subunit"  # dest_addr_subunit TLV (SMPP 3.4, 5.3.2.1)
    NONE = "none"  # the SMSC takes none: such messages are refused


#: A TPDU carries 140 octets of user data (3GPP TS 23.040, 9.2.3.16), UDH included.
TPDU_OCTETS = 140


class Encoding(NamedTuple):
    """What stands in the `encoding` settings of a carrier, which say what each means.

    `max_octets`: of user data in one segment, as packed in the air, UDH included. `national`: the languages whose
    shift tables may be used. `latin1_data_coding`, `ascii_data_coding`: None where the SMSC does not take them.
    """

    default_alphabet: DefaultAlphabet = DefaultAlphabet.GSM7
    packing: Packing = Packing.UNPACKED
    gsm7_data_coding: int = 0  # SMPP 3.4, 5.2.19: the SMSC's default alphabet
    ucs2_data_coding: int = 8  # travels as UTF-16BE, as all handsets read it
    long: LongMessages = LongMessages.AUTO
    max_octets: int = TPDU_OCTETS
    national: tuple[Language, ...] = ()
    latin1_data_coding: int | None = None
    ascii_data_coding: int | None = None
    binary_data_coding: int = 4  # SMPP 3.4, 5.2.19: octet unspecified (8-bit binary)
    class_form: ClassForm = ClassForm.GENERAL

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


# ---------------------------------------------------------------------------------------------------------------- #
# What the caller wishes
# ---------------------------------------------------------------------------------------------------------------- #


class OnUnencodable(StrEnum):
    """What to do with a text that GSM-7 cannot carry."""

    UCS2 = "ucs2"  # send it as UCS-2, unchanged
    TRANSLITERATE = "transliterate"  # write it in GSM-7 as well as that can be done, and report it
    REFUSE = "refuse"


class WaitingKind(IntEnum):
    """What waits: 3GPP TS 23.038, section 4 (bits 1 and 0), and 23.040, 9.2.3.24.2."""

    VOICEMAIL = 0
    FAX = 1
    EMAIL = 2
    OTHER = 3

    @property
    def label(self) -> str:
        return self.name.lower()


class Waiting(NamedTuple):
    """Message waiting indication. `active`: turn it on, or off. `store`: the handset keeps the text. `count`: how
    many wait, 0 to 255, told in a UDH element; None tells none."""

    kind: WaitingKind
    active: bool = True
    store: bool = False
    count: int | None = None  # type: ignore[assignment]  # hides what no one asks of it: tuple.count


class Wishes(NamedTuple):
    """What the caller asks for the content of one message.

    `alphabet`: this one or none. `elements`: information elements (identifier, data) for the UDH of every part, such
    as application ports.
    """

    alphabet: Alphabet | None = None
    smart: bool = False
    on_unencodable: OnUnencodable = OnUnencodable.UCS2
    message_class: int | None = None
    waiting: Waiting | None = None
    elements: tuple[tuple[int, bytes], ...] = ()


NO_WISHES = Wishes()
