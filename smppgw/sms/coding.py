"""The data_coding of a message: what the SMSC's settings, a message class and a waiting indication make of it.

Owns the groups of 3GPP TS 23.038, section 4, in the one direction; `dcs` owns the other. Refuses to know texts.
"""

from __future__ import annotations

from smppgw.errors import Refusal
from smppgw.sms.encoding import Alphabet, ClassForm, DefaultAlphabet, Encoding, Waiting, Wishes

SPECIAL_MESSAGE_INDICATION = 0x01  # information element: 3GPP TS 23.040, 9.2.3.24.2.1

#: General group, bit 4 says that the class has a meaning: bits 3 and 2 are the alphabet.
_GENERAL = {Alphabet.GSM7: 0x10, Alphabet.BINARY: 0x14, Alphabet.UCS2: 0x18}
#: Group 1111: bit 2 says 8-bit data. It has no UCS-2.
_CLASS_GROUP = {Alphabet.GSM7: 0xF0, Alphabet.BINARY: 0xF4, Alphabet.UCS2: 0x18}

_WAITING_DISCARD = 0xC0  # group 1100, GSM-7
_WAITING_STORE = {Alphabet.GSM7: 0xD0, Alphabet.UCS2: 0xE0}  # groups 1101 and 1110
_WAITING_ACTIVE = 0x08

#: How people write the names of the alphabets.
LABELS = {
    Alphabet.GSM7: "GSM-7",
    Alphabet.LATIN1: "Latin-1",
    Alphabet.ASCII: "ASCII",
    Alphabet.UCS2: "UCS-2",
    Alphabet.BINARY: "octets",
}
DEFAULT_LABELS = {
    DefaultAlphabet.GSM7: "GSM-7",
    DefaultAlphabet.LATIN1: "Latin-1",
    DefaultAlphabet.ASCII: "ASCII",
    DefaultAlphabet.UTF8: "UTF-8",
}


def refuse_conflicts(wishes: Wishes, encoding: Encoding) -> None:
    """Raises Refusal for what no data_coding can say, or says twice: `conflicting_fields`, `class_unsupported`."""
    waiting = wishes.waiting
    if waiting is not None and waiting.count is not None and waiting.active != (waiting.count > 0):
        # 3GPP TS 23.040, 9.2.3.24.2.1: the count turns an indication on, and 0 turns it off. data_coding does, too.
        text = (
            "a count of 0 turns the indication off: say that it is not active, or leave the count out"
            if waiting.active
            else f"where {waiting.count} wait the indication is on: say that it is active, or leave the count out"
        )
        raise Refusal("conflicting_fields", text, field="message_waiting")
    if wishes.message_class is None:
        return
    if waiting is not None:
        text = "a message has a class or a waiting indication: data_coding can tell one of them"
        raise Refusal("conflicting_fields", text, field="message_waiting")
    if wishes.alphabet in (Alphabet.LATIN1, Alphabet.ASCII):
        text = f"a message with a class is in GSM-7 or UCS-2, not in {LABELS[wishes.alphabet]}"
        raise Refusal("conflicting_fields", text, field="message_class")
    if encoding.class_form is ClassForm.NONE:
        raise Refusal(
            "class_unsupported",
            "the carrier takes no message class: its encoding.message_class is none",
            field="message_class",
        )


def data_coding(alphabet: Alphabet, encoding: Encoding, wishes: Wishes) -> int | None:
    """data_coding of a message in this alphabet; None where these wishes, or this SMSC, do not allow the alphabet."""
    if wishes.waiting is not None:
        return _of_waiting(alphabet, wishes.waiting)
    if wishes.message_class is not None and encoding.class_form is not ClassForm.SUBUNIT:
        base = (_GENERAL if encoding.class_form is ClassForm.GENERAL else _CLASS_GROUP).get(alphabet)
        return None if base is None else base | wishes.message_class
    if alphabet is Alphabet.GSM7:
        return encoding.gsm7_data_coding
    if alphabet is Alphabet.UCS2:
        return encoding.ucs2_data_coding
    if alphabet is Alphabet.BINARY:
        return encoding.binary_data_coding
    if wishes.message_class is not None:
        return None
    return encoding.latin1_data_coding if alphabet is Alphabet.LATIN1 else encoding.ascii_data_coding


def _of_waiting(alphabet: Alphabet, waiting: Waiting) -> int | None:
    bits = waiting.kind | (_WAITING_ACTIVE if waiting.active else 0)
    if waiting.store:
        base = _WAITING_STORE.get(alphabet)
        return None if base is None else base | bits
    return _WAITING_DISCARD | bits if alphabet is Alphabet.GSM7 else None


def subunit(encoding: Encoding, wishes: Wishes) -> int | None:
    """dest_addr_subunit (SMPP 3.4, 5.3.2.1) where that tells the class: 1 is the display, for class 0."""
    if wishes.message_class is None or encoding.class_form is not ClassForm.SUBUNIT:
        return None
    return wishes.message_class + 1


def elements(wishes: Wishes) -> tuple[tuple[int, bytes], ...]:
    """The information elements of every part that the caller asks for: its own, and how many messages wait."""
    waiting = wishes.waiting
    if waiting is None or waiting.count is None:
        return wishes.elements
    kind = waiting.kind | (0x80 if waiting.store else 0)
    return (*wishes.elements, (SPECIAL_MESSAGE_INDICATION, bytes((kind, waiting.count))))
