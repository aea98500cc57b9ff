"""The ways in which an SMSC may deviate from the standard, as settings. The defaults are the straight SMSC.

Owns names, defaults and what cannot be. What each does stands where it is done: ids.py, dialect.py, answering.py,
conduct.py, odd.py, outbox.py, reading.py. Each quirk has been seen at a real SMSC; scenarios/ has a file for each.
"""

from __future__ import annotations

import math
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NewType

from simulator.fates import STATES_BY_NAME
from simulator.ids import fields
from simulator.odd import ODD
from smppgw.errors import ConfigError
from smppgw.smpp import CommandId
from smppgw.sms.encoding import DefaultAlphabet, Packing

StatusCode = NewType("StatusCode", int)  # a command_status
Octets = NewType("Octets", bytes)  # written as hexadecimal


class Addresses(StrEnum):
    """How a receipt writes the two addresses of its message."""

    SWAPPED = "swapped"  # as in SMPP 3.4, Appendix B
    UNSWAPPED = "unswapped"
    NATIONAL = "national"  # 0 and the last ten digits, TON 2
    MASKED = "masked"  # the last four digits as X


class Over(StrEnum):
    """Which bind of the system_id receipts go over."""

    ANY = "any"  # those that may receive, in turn
    OTHER = "other"  # never the one that the message came over, while there is another
    TRANSMITTER = "transmitter"  # only transmitters


class Carried(StrEnum):
    """How the user data of what the SMSC sends travels."""

    SHORT_MESSAGE = "short_message"
    PAYLOAD = "payload"  # message_payload of a deliver_sm
    DATA_SM = "data_sm"


class LongForm(StrEnum):
    """How parts of a long message are told to belong together."""

    UDH = "udh"
    UDH16 = "udh16"  # with a reference of 16 bits
    SAR = "sar"
    PAYLOAD = "payload"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdQuirks:
    """message_id in a submit_sm_resp and in receipts: format strings.

    Their fields: `n`, the number of the message; `big`, a number of 40 digits; `uuid`; `UUID`, in capitals.
    """

    response: str = "{n}"
    receipt: str = "{n}"
    reuse_after: int = 0  # so many ids are used in turn; 0: none twice


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptQuirks:
    """What receipts look like, how they travel, and how many there are.

    Where several texts, dates, or words are given, the messages take them in turn.
    """

    #: Fields: id, sub, dlvrd, submitted, done, stat, err, text. Empty: no text at all.
    texts: tuple[str, ...] = ()  # none: that of SMPP 3.4, Appendix B
    dates: tuple[str, ...] = ()  # as for strftime; none: %y%m%d%H%M
    utc_offset_s: int = 0  # of the dates
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # stat, such as DELIVRD -> what is written
    errors: tuple[str, ...] = ()  # err; none: three digits
    network_errors: tuple[Octets, ...] = ()  # network_error_code
    esm_class: int | None = None  # None: 0x04, and 0x20 for intermediate ones
    udh: Octets = Octets(b"")  # in front of the text
    id_tlv: bool = True  # receipted_message_id
    state_tlv: bool = True  # message_state
    tlvs: Mapping[str, Octets] = field(default_factory=dict)  # further ones: "0x1500" = "61"
    reference_tlv: bool = True  # user_message_reference, where the submit_sm had one
    addresses: Addresses = Addresses.SWAPPED
    carried: Carried = Carried.SHORT_MESSAGE
    ucs2: bool = False  # the text, with data_coding 8
    ending: str = ""  # behind the text: NULs, spaces
    sm_length_off: int = 0  # added to sm_length
    over: Over = Over.ANY
    sequence: tuple[str, ...] = ("final",)  # the reports of a message: "final", or the name of a state
    gap_s: float = 0.05  # between them
    unrequested: bool = False  # also where registered_delivery asks for none
    foreign: tuple[str, ...] = ()  # ids of another platform's receipts, one of each for each message


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseQuirks:
    """How submits are answered. `every` and `first` say which ones: each n-th, and only so many of them."""

    every: int = 1
    first: int = 0  # 0: no end
    statuses: Mapping[StatusCode, float] = field(default_factory=dict)  # by weight; 0 accepts
    body: bool = True
    message_id: bool = True
    reverse: bool = False  # the responses of one read, last first
    sequence_offset: int = 0  # added to sequence_number
    unreadable: bool = False  # a message_id without an end
    generic_nack: StatusCode | None = None  # this instead; the message is not taken
    never: bool = False  # no response at all; the message is not taken
    tlvs: Mapping[str, Octets] = field(default_factory=dict)
    drop_above_per_s: float = 0.0  # accepted, and forgotten; 0: nothing is
    takes_tlvs: bool = True  # otherwise ESME_ROPTPARNOTALLWD
    takes_long: tuple[LongForm, ...] = tuple(LongForm)  # otherwise ESME_RINVESMCLASS
    takes_schedule: bool = True  # otherwise ESME_RINVSCHED
    takes_data_codings: tuple[int, ...] = ()  # otherwise ESME_RINVDCS, for which SMPP 3.4 has no word; none: all
    max_octets: int = 0  # of user data, as they travel in the air; more is ESME_RINVMSGLEN; 0: no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQuirks:
    """How binds and sessions are treated."""

    versions: tuple[str, ...] = ()  # interface_versions that may bind, such as 3.3; none: any
    tells_version: str = "3.4"  # sc_interface_version; empty: tells none
    unknown_commands: tuple[str, ...] = ()  # generic_nack with ESME_RINVCMDID
    transceiver_refused_with: StatusCode | None = None
    refuse_first: int = 0  # binds
    refused_with: StatusCode = StatusCode(0x0D)  # ESME_RBINDFAIL; these, and those of another version
    already_bound_s: float = 0.0  # after a session: ESME_RALYBND for so long
    enquire_link_answered: bool = True
    enquire_link_early: bool = False  # ours comes before the bind response
    idle_cut_s: float = 0.0  # without a word from the ESME; 0: never
    unbind_after_submits: int = 0  # of one session; 0: never
    unbinds: int = 1  # how many sessions end so
    odd: tuple[str, ...] = ()  # what is sent once a session is bound: names of odd.py


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundQuirks:
    """What inbound texts look like, and what becomes of their acknowledgements."""

    carried: Carried = Carried.SHORT_MESSAGE
    data_coding: int | None = None
    tlvs: Mapping[str, Octets] = field(default_factory=dict)
    lost_acks: int = 0  # so many deliver_sm_resp are lost: the connection is cut, the text comes again
    lookalikes: tuple[str, ...] = ()  # for each message, texts that look like its receipt, from `lookalike_from`
    lookalike_from: str = "447700900999"  # empty: from the message's recipient
    lookalike_esm_class: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextQuirks:
    """How the user data of submits is read, and what of it reaches the phones."""

    default_alphabet: DefaultAlphabet = DefaultAlphabet.GSM7  # what octets with data_coding 0 are
    packing: Packing = Packing.UNPACKED  # of GSM-7
    shift_tables: bool = True  # national ones are passed on; otherwise the phone reads by the default alphabet


@dataclass(frozen=True, slots=True, kw_only=True)
class OutbindQuirks:
    """An SMSC that connects out and asks to be bound to (SMPP 3.4, 2.2.1)."""

    host: str = "127.0.0.1"
    port: int = 0  # of the ESME; 0: none
    system_id: str = "SMSC"
    password: str = ""
    pause_s: float = 1.0  # between two attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsQuirks:
    """TLS on the listening port."""

    cert_file: Path | None = None  # certificate and key, PEM; None: no TLS
    client_ca_file: Path | None = None  # ESMEs must have a certificate of these


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """All of them. Raises ConfigError, with one line for each mistake."""

    ids: IdQuirks = IdQuirks()
    receipts: ReceiptQuirks = ReceiptQuirks()
    responses: ResponseQuirks = ResponseQuirks()
    session: SessionQuirks = SessionQuirks()
    inbound: InboundQuirks = InboundQuirks()
    texts: TextQuirks = TextQuirks()
    outbind: OutbindQuirks = OutbindQuirks()
    tls: TlsQuirks = TlsQuirks()

    def __post_init__(self) -> None:
        problems = [*_template_problems(self), *_name_problems(self), *_number_problems(self)]
        if problems:
            raise ConfigError(problems)


#: Values that every template is tried with.
ID_FIELDS: Mapping[str, object] = fields(1)
TEXT_FIELDS: Mapping[str, object] = {
    "id": "1",
    "sub": 1,
    "dlvrd": 1,
    "submitted": "2601010000",
    "done": "2601010000",
    "stat": "DELIVRD",
    "err": "000",
    "text": "",
}
VERSIONS: Mapping[str, int] = {"3.3": 0x33, "3.4": 0x34, "5.0": 0x50}
COMMANDS: Mapping[str, CommandId] = {command.label: command for command in CommandId}


def receipt_problems(receipts: ReceiptQuirks) -> list[str]:
    """What cannot be in receipts alone, by the path of its key."""
    try:
        Quirks(receipts=receipts)
    except ConfigError as wrong:
        return wrong.problems
    return []


def _template_problems(quirks: Quirks) -> Iterable[str]:
    ids = (("ids.response", quirks.ids.response), ("ids.receipt", quirks.ids.receipt))
    foreign = ((f"receipts.foreign[{at}]", text) for at, text in enumerate(quirks.receipts.foreign))
    texts = ((f"receipts.texts[{at}]", text) for at, text in enumerate(quirks.receipts.texts))
    lookalikes = ((f"inbound.lookalikes[{at}]", text) for at, text in enumerate(quirks.inbound.lookalikes))
    for known, templates in ((ID_FIELDS, (*ids, *foreign)), (TEXT_FIELDS, (*texts, *lookalikes))):
        for path, template in templates:
            try:
                string.Formatter().vformat(template, (), known)
            except (ValueError, LookupError, AttributeError, TypeError) as wrong:
                yield f"{path}: {template!r} cannot be filled in from {', '.join(known)}: {wrong!r}"


def _name_problems(quirks: Quirks) -> Iterable[str]:
    receipts, session = quirks.receipts, quirks.session
    checks: Iterable[tuple[str, Iterable[str], Iterable[str]]] = (
        ("receipts.sequence", receipts.sequence, ("final", *STATES_BY_NAME)),
        ("receipts.words", receipts.words, STATES_BY_NAME),
        ("session.versions", session.versions, VERSIONS),
        ("session.tells_version", [session.tells_version], ("", *VERSIONS)),
        ("session.unknown_commands", session.unknown_commands, COMMANDS),
        ("session.odd", session.odd, ODD),
    )
    for path, names, known in checks:
        for name in names:
            if name not in known:
                yield f"{path}: unknown {name!r}; known: {', '.join(filter(None, known))}"
    for path, tlvs in (
        ("receipts.tlvs", receipts.tlvs),
        ("responses.tlvs", quirks.responses.tlvs),
        ("inbound.tlvs", quirks.inbound.tlvs),
    ):
        yield from tag_problems(path, tlvs)


def tag_problems(path: str, tlvs: Mapping[str, Octets]) -> Iterable[str]:
    """What is wrong with the tags of TLVs."""
    for tag in tlvs:
        if not _is_tag(tag):
            yield f"{path}: {tag!r} is not a tag, such as 0x1500"


def _is_tag(text: str) -> bool:
    try:
        return 0 < int(text, 0) <= 0xFFFF
    except ValueError:
        return False


def _number_problems(quirks: Quirks) -> Iterable[str]:
    responses, session = quirks.responses, quirks.session
    for path, value, least in (
        ("ids.reuse_after", quirks.ids.reuse_after, 0),
        ("receipts.gap_s", quirks.receipts.gap_s, 0),
        ("responses.every", responses.every, 1),
        ("responses.first", responses.first, 0),
        ("responses.drop_above_per_s", responses.drop_above_per_s, 0),
        ("responses.max_octets", responses.max_octets, 0),
        ("session.refuse_first", session.refuse_first, 0),
        ("session.already_bound_s", session.already_bound_s, 0),
        ("session.idle_cut_s", session.idle_cut_s, 0),
        ("session.unbind_after_submits", session.unbind_after_submits, 0),
        ("session.unbinds", session.unbinds, 0),
        ("inbound.lost_acks", quirks.inbound.lost_acks, 0),
        ("outbind.pause_s", quirks.outbind.pause_s, 0),
    ):
        if not least <= value < math.inf:
            yield f"{path}: must be {least} or more"
    weights = responses.statuses.values()
    if weights and (not all(0 <= weight < math.inf for weight in weights) or sum(weights) <= 0):
        yield "responses.statuses: weights must not be negative, and one must be above 0"
    if not 0 <= quirks.outbind.port <= 65_535:
        yield f"outbind.port: {quirks.outbind.port} is not a port, 0 to 65535"
    for path, octet in (
        ("receipts.esm_class", quirks.receipts.esm_class),
        ("inbound.data_coding", quirks.inbound.data_coding),
        ("inbound.lookalike_esm_class", quirks.inbound.lookalike_esm_class),
        *(("responses.takes_data_codings", octet) for octet in responses.takes_data_codings),
    ):
        if octet is not None and not 0 <= octet <= 255:
            yield f"{path}: {octet} is not one octet"


STRAIGHT = Quirks()
