"""Delivery receipts: reading what SMSCs send, and writing the text of SMPP 3.4, Appendix B.

Owns what makes a deliver_sm or data_sm a receipt, the tokenizer of its text and the table of stat words. Refuses to
know which message a receipt belongs to, and what its state does to a segment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from smppgw.smpp.commands import DataSm, DeliverSm
from smppgw.smpp.constants import (
    ESM_TYPE_INTERMEDIATE,
    ESM_TYPE_MASK,
    ESM_TYPE_RECEIPT,
    ESM_UDHI,
    Tag,
)
from smppgw.smpp.tlv import text_of, u8_of

#: message_state (SMPP 3.4, 5.2.28; SCHEDULED and SKIPPED: 5.0, 4.7.15) to the word of Appendix B.
STATE_NAMES: Final[dict[int, str]] = {
    0: "SCHEDLD",
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
    9: "SKIPPED",
}

#: stat, in capitals, to message_state: the words of Appendix B and what SMSCs write instead. A word that is not here
#: is kept and means nothing: it is never taken for a failure. Numbers are not here either: 1 is ENROUTE by the
#: standard, but "delivered" to the SMSCs that send numbers.
STATES: Final[dict[str, int]] = {
    **{name: state for state, name in STATE_NAMES.items()},
    **dict.fromkeys(("SCHEDULED", "SCHEDUL"), 0),
    **dict.fromkeys(("EN_ROUTE", "ENROUT", "ENROUTED", "BUFFERED", "BUFFERD", "BUFFRED", "BUFFED"), 1),
    **dict.fromkeys(("DELIVERED", "DELIVERD", "DELIVRED", "DELIVER", "DELIVRE", "DLVRD", "DELIVERY"), 2),
    **dict.fromkeys(("EXPIRD", "EXPIRE"), 3),
    **dict.fromkeys(("DELETD", "DELETE", "CANCELLED", "CANCELED"), 4),
    **dict.fromkeys(("UNDELIVERABLE", "UNDELIVERED", "UNDELIVERD", "UNDELIVRD", "UNDELIVD", "UNDELIVER"), 5),
    **dict.fromkeys(("UNDLVRD", "UNDELIVERY", "FAILED", "FAIL"), 5),
    **dict.fromkeys(("ACCEPTED", "ACCEPT", "ACEPTED", "ACKED"), 6),
    **dict.fromkeys(("UNKNOWN", "UNKNOW", "UNKOWN"), 7),
    **dict.fromkeys(("REJECTED", "REJECT", "REJCTED", "DND_REJECTED", "DND-REJECTED", "DNDREJECTED"), 8),
    **dict.fromkeys(("SKIPPD", "SKIP"), 9),
}

_RECEIPTED_MESSAGE_ID = int(Tag.RECEIPTED_MESSAGE_ID)
_MESSAGE_STATE = int(Tag.MESSAGE_STATE)
_RECEIPT_TYPES = frozenset({ESM_TYPE_RECEIPT, ESM_TYPE_INTERMEDIATE})
_UCS2 = 8
_HIGHEST_STATE = max(STATE_NAMES)
_NETWORK_ERROR_OCTETS = 3


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says. Texts are '' where it says nothing; dates are as the SMSC wrote them, in its own zone.

    `state` is a message_state 0 to 9, None when the receipt names none that is known. `stat` is verbatim, or the
    word for message_state when there is no text. `raw` is short_message or message_payload, UDH included.
    """

    message_id: str
    state: int | None
    stat: str
    error: str
    submit_date: str
    done_date: str
    text: str
    raw: bytes


def read_receipt(pdu: DeliverSm | DataSm) -> Receipt | None:
    """The receipt in `pdu`, None when it is an inbound text.

    A receipt is what esm_class calls one, or what carries receipted_message_id or message_state while esm_class calls
    it nothing special. SME acknowledgements (0x08, 0x10) and 0x18 are never one: they come from handsets. Where TLVs
    and text disagree, the TLVs win.
    """
    message_type = pdu.esm_class & ESM_TYPE_MASK
    tlvs = pdu.tlvs
    if message_type not in _RECEIPT_TYPES and (
        message_type or (_RECEIPTED_MESSAGE_ID not in tlvs and _MESSAGE_STATE not in tlvs)
    ):
        return None
    raw = (pdu.short_message if isinstance(pdu, DeliverSm) else b"") or tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    characters = _characters(raw, pdu.data_coding, udhi=bool(pdu.esm_class & ESM_UDHI))
    message_id, submit_date, done_date, stat, error, text = _words(characters)
    state = u8_of(tlvs, _MESSAGE_STATE)
    if state is None or state > _HIGHEST_STATE:
        state = STATES.get(stat.upper())
    return Receipt(
        text_of(tlvs, _RECEIPTED_MESSAGE_ID).strip() or message_id,
        state,
        stat or ("" if state is None else STATE_NAMES[state]),
        error or _network_error(tlvs.get(Tag.NETWORK_ERROR_CODE, b"")),
        submit_date,
        done_date,
        text,
        raw,
    )


def _network_error(value: bytes) -> str:
    """network_error_code is a network type and a number (SMPP 3.4, 5.3.2.31); some send three ASCII digits."""
    if len(value) != _NETWORK_ERROR_OCTETS:
        return ""
    return value.decode("ascii") if value.isdigit() else f"{int.from_bytes(value[1:], 'big'):03d}"


def _characters(raw: bytes, data_coding: int, *, udhi: bool) -> str:
    """The text of a receipt. Its own words are ASCII in every alphabet but UCS-2, and latin-1 keeps every octet."""
    body = raw
    if udhi and body and body[0] < len(body):
        body = body[body[0] + 1 :]
    # Some declare UCS-2 and send ASCII, others the reverse; ASCII letters in UCS-2 show by their zero octets.
    if (data_coding == _UCS2 or not body[:1].strip(b"\0")) and body[0::2].count(0) * 4 > len(body) > 1:
        body = body[: len(body) & ~1]
        return body.decode("utf-16-be", "replace").removesuffix("\0")
    return body.removesuffix(b"\0").decode("latin-1")


# A word may stand anywhere but inside another one; `i:5`, `submit dat:` and other misspellings stay unread.
_WORD = re.compile(
    r"(?<![^\s\0,;|])(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat(?:us)?|err|text)[ ]?:", re.IGNORECASE
)
_VALUE = re.compile(r"[\s\0]*([^\s\0,;|]*)")
_DATE = re.compile(r"[\s\0]*([^\s\0,;|]*(?: \d\d:\d\d(?::\d\d)?)?)")
_WANTED = ("id", "submit date", "done date", "stat", "err")
_SPELLINGS = {
    "submit_date": "submit date",
    "submitdate": "submit date",
    "done_date": "done date",
    "donedate": "done date",
    "status": "stat",
}


# What most SMSCs send, letter by letter as in Appendix B; reading it costs a quarter of looking for the words.
_PLAIN = r"([^\s\0,;|]+)"
_STANDARD = re.compile(
    rf"id:{_PLAIN} (?:sub:\d+ dlvrd:\d+ )?submit date:(\d+) done date:(\d+) stat:{_PLAIN} err:{_PLAIN}"
    r"(?: [Tt]ext:(.*))?",
    re.DOTALL,
)


def _words(characters: str) -> tuple[str, str, str, str, str, str]:
    """id, submit date, done date, stat, err and text of a receipt, '' where it has none."""
    standard = _STANDARD.fullmatch(characters)
    if standard is not None:
        return standard.groups("")  # type: ignore[return-value]  # six groups
    return _tokens(characters)


def _tokens(characters: str) -> tuple[str, str, str, str, str, str]:
    """The same from a text of any shape, word by word.

    The first of two equal words counts, so that a message's own text, echoed behind `text:`, can add what the SMSC
    left out (some put text in the middle) but change nothing.
    """
    words: dict[str, str] = {}
    text: str | None = None
    found = list(_WORD.finditer(characters))
    for index, match in enumerate(found):
        word = match[1].lower()
        word = _SPELLINGS.get(word, word)
        if word == "text":
            text = characters[match.end() :] if text is None else text
        elif word not in words:
            end = found[index + 1].start() if index + 1 < len(found) else len(characters)
            value = (_DATE if word.endswith("date") else _VALUE).match(characters, match.end(), end)
            words[word] = value[1] if value else ""
    message_id, submit_date, done_date, stat, error = (words.get(word, "") for word in _WANTED)
    return message_id, submit_date, done_date, stat, error, text or ""


_TEXT_CHARACTERS = 20
_MS_PER_MINUTE = 60_000


def format_receipt(
    *,
    message_id: str,
    sub: int,
    dlvrd: int,
    submit_utc_ms: int,
    done_utc_ms: int,
    stat: str,
    err: str,
    text: str,
) -> bytes:
    """The short_message of a receipt (SMPP 3.4, Appendix B): dates as YYMMDDhhmm in UTC, 20 characters of the text.

    Characters that are not in latin-1 become question marks, and NUL a space.
    """
    shown = text[:_TEXT_CHARACTERS].replace("\0", " ")
    return (
        f"id:{message_id} sub:{sub:03d} dlvrd:{dlvrd:03d} submit date:{_minute(submit_utc_ms // _MS_PER_MINUTE)} "
        f"done date:{_minute(done_utc_ms // _MS_PER_MINUTE)} stat:{stat} err:{err} text:{shown}"
    ).encode("latin-1", "replace")


@lru_cache(maxsize=256)
def _minute(minutes: int) -> str:
    return datetime.fromtimestamp(minutes * 60, UTC).strftime("%y%m%d%H%M")
