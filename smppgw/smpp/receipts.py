"""Delivery receipts: reading what SMSCs send, and writing the text of SMPP 3.4, Appendix B.

Owns what makes a deliver_sm or data_sm a receipt, and how its text and its TLVs become one `Receipt`. Refuses to
know which message a receipt belongs to, and what its state does to a segment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from smppgw.smpp.commands import DataSm, DeliverSm
from smppgw.smpp.constants import (
    ESM_TYPE_INTERMEDIATE,
    ESM_TYPE_MASK,
    ESM_TYPE_RECEIPT,
    ESM_UDHI,
    MessageState,
    Tag,
)
from smppgw.smpp.receipt_dates import utc_ms_of
from smppgw.smpp.receipt_states import STATE_NAMES, STATES
from smppgw.smpp.receipt_text import Fields, characters_of, fields_of, looks_like_a_receipt
from smppgw.smpp.tlv import text_of, u8_of

__all__ = ["DEFAULT_RULES", "STATES", "STATE_NAMES", "Receipt", "ReceiptRules", "format_receipt", "read_receipt"]

# Names of queue.model.ReceiptFlag; this room may not import that one.
STATES_DISAGREE: Final = "states_disagree"
STATE_UNKNOWN: Final = "state_unknown"

_RECEIPTED_MESSAGE_ID: Final = int(Tag.RECEIPTED_MESSAGE_ID)
_MESSAGE_STATE: Final = int(Tag.MESSAGE_STATE)
_MESSAGE_PAYLOAD: Final = int(Tag.MESSAGE_PAYLOAD)
_NETWORK_ERROR_CODE: Final = int(Tag.NETWORK_ERROR_CODE)
_USER_MESSAGE_REFERENCE: Final = int(Tag.USER_MESSAGE_REFERENCE)
_STATUS_INFO: Final = int(Tag.ADDITIONAL_STATUS_INFO_TEXT)
_READ_TAGS: Final = frozenset({_RECEIPTED_MESSAGE_ID, _MESSAGE_STATE, _MESSAGE_PAYLOAD, _USER_MESSAGE_REFERENCE})

_ACCEPTED: Final = int(MessageState.ACCEPTED)
_DELIVERED: Final = int(MessageState.DELIVERED)
_ENROUTE: Final = int(MessageState.ENROUTE)
_INTERMEDIATE_STATES: Final = frozenset({int(MessageState.SCHEDULED), _ENROUTE, _ACCEPTED})
_HIGHEST_STATE: Final = max(STATE_NAMES)
_NETWORK_ERROR_OCTETS: Final = 3
_REFERENCE_OCTETS: Final = 2


@dataclass(frozen=True)
class ReceiptRules:
    """How a carrier writes receipts. Made once per carrier.

    `states`: further words of stat in capitals, numbers among them, to message_state; they win over the common ones.
    `acceptd_delivered`: message_state ACCEPTED is the last word there, and means delivered. `zone`: of its dates.
    `sniff`: a text that has neither receipt bits nor receipt TLVs may be a receipt.
    """

    states: Mapping[str, int] = field(default_factory=dict)
    acceptd_delivered: bool = False
    zone: tzinfo = UTC
    sniff: bool = False
    #: Word to message_state, all put together.
    table: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        common = {word: self.settled(state) for word, state in STATES.items()}
        object.__setattr__(self, "table", {**common, **self.states})

    def settled(self, state: int) -> int:
        """What a message_state of the standard means at this carrier."""
        return _DELIVERED if self.acceptd_delivered and state == _ACCEPTED else state


DEFAULT_RULES: Final = ReceiptRules()


class Receipt(NamedTuple):
    """What a receipt says. Texts are '' where it says nothing.

    `state` is a message_state 0 to 9, None when the receipt names none that is known; that of an intermediate
    notification (esm_class 0x20) is never a final one. `stat` is verbatim, or the word or number of message_state
    where the text has none; `submit_date` and `done_date` are as the SMSC wrote them. `raw` is short_message or
    message_payload, UDH included. `flags`: STATES_DISAGREE, STATE_UNKNOWN. `sniffed`: told by its text alone. `tlvs`:
    tag and value of those that nothing here was read from.
    """

    message_id: str
    state: int | None
    stat: str
    error: str
    submit_date: str
    done_date: str
    text: str
    raw: bytes
    done_utc_ms: int | None = None
    user_message_reference: int | None = None
    flags: tuple[str, ...] = ()
    sniffed: bool = False
    tlvs: tuple[tuple[int, bytes], ...] = ()


def read_receipt(
    pdu: DeliverSm | DataSm, rules: ReceiptRules = DEFAULT_RULES, now_utc_ms: int | None = None
) -> Receipt | None:
    """The receipt in `pdu`, None when it is an inbound text. Never raises.

    A receipt is what esm_class calls one, or what carries receipted_message_id or message_state while esm_class calls
    it nothing special, or, where `rules` allow it, what looks like one. SME acknowledgements (0x08, 0x10) and 0x18
    are never one: they come from handsets. TLVs win over the text. `now_utc_ms` helps to read ambiguous dates.
    """
    message_type = pdu.esm_class & ESM_TYPE_MASK
    tlvs = pdu.tlvs
    sniffing = False
    if message_type != ESM_TYPE_RECEIPT and message_type != ESM_TYPE_INTERMEDIATE:  # faster
        if message_type:
            return None
        sniffing = _RECEIPTED_MESSAGE_ID not in tlvs and _MESSAGE_STATE not in tlvs
        if sniffing and not rules.sniff:
            return None
    raw = pdu.short_message if isinstance(pdu, DeliverSm) else b""
    if _MESSAGE_PAYLOAD in tlvs and not raw.strip(b"\0"):  # an empty text may be a terminator all the same
        raw = tlvs[_MESSAGE_PAYLOAD]
    characters = characters_of(raw, pdu.data_coding, udhi=bool(pdu.esm_class & ESM_UDHI))
    fields = fields_of(characters)
    if sniffing and not looks_like_a_receipt(characters, fields):
        return None
    state, stat, flags = _state(fields.stat, tlvs, rules)
    if message_type == ESM_TYPE_INTERMEDIATE and state is not None and state not in _INTERMEDIATE_STATES:
        state = _ENROUTE
    done_date = fields.done_date
    return Receipt(
        _message_id(fields, tlvs),
        state,
        stat,
        fields.error or _network_error(tlvs.get(_NETWORK_ERROR_CODE, b"")),
        fields.submit_date,
        done_date,
        fields.text or text_of(tlvs, _STATUS_INFO),
        raw,
        utc_ms_of(done_date, rules.zone, now_utc_ms) if done_date else None,
        _reference(tlvs.get(_USER_MESSAGE_REFERENCE, b"")),
        flags,
        sniffing,
        () if tlvs.keys() <= _READ_TAGS else _unread(tlvs, fields),
    )


def _message_id(fields: Fields, tlvs: Mapping[int, bytes]) -> str:
    message_id = text_of(tlvs, _RECEIPTED_MESSAGE_ID).strip() or fields.message_id
    return _underscored(message_id)


def _state(word: str, tlvs: Mapping[int, bytes], rules: ReceiptRules) -> tuple[int | None, str, tuple[str, ...]]:
    """message_state, stat and flags from the word in the text and the TLV."""
    stat = _underscored(word)
    written = rules.table.get(stat.upper()) if stat else None
    told = u8_of(tlvs, _MESSAGE_STATE)
    if told is None:
        return written, stat, (STATE_UNKNOWN,) if stat and written is None else ()
    if told > _HIGHEST_STATE:
        state = rules.table.get(str(told)) if written is None else written
        return state, stat or str(told), () if state is not None else (STATE_UNKNOWN,)
    state = rules.settled(told)
    disagree = written is not None and written != state
    return state, stat or STATE_NAMES[told], (STATES_DISAGREE,) if disagree else ()


def _underscored(word: str) -> str:
    """The underscore is 0x11 in GSM 03.38, and in latin-1 nothing that an id or a state would have."""
    return word.replace("\x11", "_") if "\x11" in word else word


def _network_error(value: bytes) -> str:
    """network_error_code is a network type and a number (SMPP 3.4, 5.3.2.31); some send three ASCII digits."""
    if len(value) != _NETWORK_ERROR_OCTETS:
        return ""
    return value.decode("ascii") if value.isdigit() else f"{int.from_bytes(value[1:], 'big'):03d}"


def _reference(value: bytes) -> int | None:
    """user_message_reference (SMPP 3.4, 5.3.2.17)."""
    return int.from_bytes(value, "big") if len(value) == _REFERENCE_OCTETS else None


def _unread(tlvs: Mapping[int, bytes], fields: Fields) -> tuple[tuple[int, bytes], ...]:
    read = _READ_TAGS if fields.error else _READ_TAGS | {_NETWORK_ERROR_CODE}
    pairs = (*tlvs.items(), *getattr(tlvs, "repeats", ()))
    return tuple((tag, bytes(value)) for tag, value in pairs if tag not in read)


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
