"""data_coding by settings, class and waiting indication: the values of the standards, and read back by `dcs`."""

from __future__ import annotations

from itertools import product

import pytest

from smppgw.errors import Refusal
from smppgw.sms import coding, dcs
from smppgw.sms.encoding import (
    DEFAULT_ENCODING,
    NO_WISHES,
    Alphabet,
    ClassForm,
    Encoding,
    Waiting,
    WaitingKind,
    Wishes,
)

GENERAL, CLASS_GROUP, SUBUNIT = (
    Encoding(class_form=form) for form in (ClassForm.GENERAL, ClassForm.CLASS_GROUP, ClassForm.SUBUNIT)
)
OWN = Encoding(
    gsm7_data_coding=0xF1,
    ucs2_data_coding=0x18,
    latin1_data_coding=3,
    ascii_data_coding=1,
    binary_data_coding=2,
)
FLASH = Wishes(message_class=0)


@pytest.mark.parametrize(
    ("alphabet", "encoding", "wishes", "expected"),
    [
        (Alphabet.GSM7, DEFAULT_ENCODING, NO_WISHES, 0),
        (Alphabet.UCS2, DEFAULT_ENCODING, NO_WISHES, 8),
        (Alphabet.BINARY, DEFAULT_ENCODING, NO_WISHES, 4),
        (Alphabet.LATIN1, DEFAULT_ENCODING, NO_WISHES, None),
        (Alphabet.ASCII, DEFAULT_ENCODING, NO_WISHES, None),
        (Alphabet.GSM7, OWN, NO_WISHES, 0xF1),
        (Alphabet.UCS2, OWN, NO_WISHES, 0x18),
        (Alphabet.BINARY, OWN, NO_WISHES, 2),
        (Alphabet.LATIN1, OWN, NO_WISHES, 3),
        (Alphabet.ASCII, OWN, NO_WISHES, 1),
        (Alphabet.GSM7, GENERAL, FLASH, 0x10),
        (Alphabet.BINARY, GENERAL, Wishes(message_class=1), 0x15),
        (Alphabet.UCS2, GENERAL, Wishes(message_class=3), 0x1B),
        (Alphabet.LATIN1, OWN, FLASH, None),
        (Alphabet.ASCII, OWN._replace(class_form=ClassForm.SUBUNIT), FLASH, None),
        (Alphabet.GSM7, CLASS_GROUP, Wishes(message_class=2), 0xF2),
        (Alphabet.BINARY, CLASS_GROUP, Wishes(message_class=2), 0xF6),
        (Alphabet.UCS2, CLASS_GROUP, FLASH, 0x18),
        (Alphabet.GSM7, SUBUNIT, FLASH, 0),
        (Alphabet.UCS2, SUBUNIT, FLASH, 8),
        (Alphabet.GSM7, GENERAL, Wishes(waiting=Waiting(WaitingKind.VOICEMAIL)), 0xC8),
        (Alphabet.UCS2, GENERAL, Wishes(waiting=Waiting(WaitingKind.VOICEMAIL)), None),
        (Alphabet.GSM7, GENERAL, Wishes(waiting=Waiting(WaitingKind.OTHER, active=False, store=True)), 0xD3),
        (Alphabet.UCS2, GENERAL, Wishes(waiting=Waiting(WaitingKind.FAX, store=True)), 0xE9),
        (Alphabet.BINARY, GENERAL, Wishes(waiting=Waiting(WaitingKind.FAX, store=True)), None),
        (Alphabet.LATIN1, OWN, Wishes(waiting=Waiting(WaitingKind.FAX, store=True)), None),
    ],
)
def test_values(alphabet: Alphabet, encoding: Encoding, wishes: Wishes, expected: int | None) -> None:
    assert coding.data_coding(alphabet, encoding, wishes) == expected


@pytest.mark.parametrize(("form", "message_class"), [*product((GENERAL, CLASS_GROUP), range(4))])
def test_classes_are_read_back(form: Encoding, message_class: int) -> None:
    for alphabet in (Alphabet.GSM7, Alphabet.UCS2, Alphabet.BINARY):
        value = coding.data_coding(alphabet, form, Wishes(message_class=message_class))
        assert value is not None
        assert dcs.describe(value)[:2] == (alphabet, message_class)


@pytest.mark.parametrize(("kind", "active", "store"), [*product(WaitingKind, (False, True), (False, True))])
def test_waiting_is_read_back(kind: WaitingKind, active: bool, store: bool) -> None:
    waiting = Waiting(kind, active, store)
    for alphabet in (Alphabet.GSM7, Alphabet.UCS2) if store else (Alphabet.GSM7,):
        value = coding.data_coding(alphabet, DEFAULT_ENCODING, Wishes(waiting=waiting))
        assert value is not None
        assert dcs.describe(value)[::2] == (alphabet, waiting)


def test_subunits() -> None:
    """SMPP 3.4, 5.3.2.1: 1 MS display, 2 mobile equipment, 3 smart card, 4 external unit."""
    told = [coding.subunit(SUBUNIT, Wishes(message_class=message_class)) for message_class in range(4)]
    assert told == [1, 2, 3, 4]
    assert coding.subunit(SUBUNIT, NO_WISHES) is None
    assert coding.subunit(GENERAL, FLASH) is None


@pytest.mark.parametrize(
    ("waiting", "element"),
    [
        (Waiting(WaitingKind.VOICEMAIL, count=0), "0000"),
        (Waiting(WaitingKind.OTHER, count=255), "03ff"),
        (Waiting(WaitingKind.EMAIL, store=True, count=2), "8202"),
    ],
)
def test_counts_are_an_element(waiting: Waiting, element: str) -> None:
    """3GPP TS 23.040, 9.2.3.24.2.1: the highest bit says to store, the lowest two the kind; then the count."""
    ports = (5, b"\x0b\x84\x23\xf0")
    wishes = Wishes(waiting=waiting, elements=(ports,))
    assert coding.elements(wishes) == (ports, (1, bytes.fromhex(element)))
    assert coding.elements(wishes._replace(waiting=waiting._replace(count=None))) == (ports,)


@pytest.mark.parametrize(
    ("wishes", "form", "code"),
    [
        (FLASH._replace(waiting=Waiting(WaitingKind.FAX)), ClassForm.GENERAL, "conflicting_fields"),
        (FLASH._replace(alphabet=Alphabet.LATIN1), ClassForm.SUBUNIT, "conflicting_fields"),
        (FLASH._replace(alphabet=Alphabet.ASCII), ClassForm.GENERAL, "conflicting_fields"),
        (FLASH, ClassForm.NONE, "class_unsupported"),
        (Wishes(waiting=Waiting(WaitingKind.FAX, count=0)), ClassForm.GENERAL, "conflicting_fields"),
        (Wishes(waiting=Waiting(WaitingKind.FAX, active=False, count=1)), ClassForm.GENERAL, "conflicting_fields"),
    ],
)
def test_conflicts(wishes: Wishes, form: ClassForm, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        coding.refuse_conflicts(wishes, Encoding(class_form=form))
    assert caught.value.code == code


def test_no_conflicts() -> None:
    coding.refuse_conflicts(NO_WISHES, Encoding(class_form=ClassForm.NONE))
    coding.refuse_conflicts(Wishes(waiting=Waiting(WaitingKind.FAX)), Encoding(class_form=ClassForm.NONE))
    coding.refuse_conflicts(Wishes(waiting=Waiting(WaitingKind.FAX, count=255)), DEFAULT_ENCODING)
    coding.refuse_conflicts(Wishes(waiting=Waiting(WaitingKind.FAX, active=False, count=0)), DEFAULT_ENCODING)
    coding.refuse_conflicts(FLASH._replace(alphabet=Alphabet.UCS2), DEFAULT_ENCODING)
