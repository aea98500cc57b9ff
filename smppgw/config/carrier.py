"""What a carrier is like: its address, its binds, and its dialect.

All of it may stand in a profile, a carrier, and what belongs to the link also in a single bind; layers.py merges
them. docs/carrier-profiles.md says which deviation each setting is for.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, SecretStr

from smppgw.config.base import FilePath, Host, IpAddress, Name, Port, Seconds, SettingsBase
from smppgw.config.kinds import (
    ALL_TABLES,
    AcceptdMeans,
    BindMode,
    CapSpan,
    Endpoint,
    IdPattern,
    IdRelation,
    InterfaceVersion,
    LaneName,
    NationalTable,
    Octet,
    OnDoubt,
    Pattern,
    RateUnit,
    RefusalPolicy,
    ScheduleBy,
    StateWord,
    StatusName,
    StatusOutcome,
    SubmitCommand,
    TlvType,
    TlvValue,
    ValidityForm,
    Zone,
)
from smppgw.sms.encoding import (
    DEFAULT_ENCODING,
    ClassForm,
    DefaultAlphabet,
    Encoding,
    Language,
    LongMessages,
    Packing,
)

# ---------------------------------------------------------------------------------------------------------------- #
# Tables of their own
# ---------------------------------------------------------------------------------------------------------------- #


class TimerSettings(SettingsBase):
    """The timers of SMPP 3.4, section 7.2, and of the connection."""

    connect_s: Seconds = Field(default=10.0, description="time for the TCP connection, and for TLS")
    session_init_s: Seconds = Field(default=10.0, description="time for the answer to the bind request")
    enquire_link_s: float = Field(
        default=30.0,
        ge=0,
        description="silence after which we send enquire_link; 0 sends none. Below the time after which the SMSC "
        "cuts an idle connection",
    )
    response_s: Seconds = Field(
        default=30.0, description="time for an answer; enquire_link unanswered for so long is a dead link"
    )
    inactivity_s: float = Field(
        default=0.0, ge=0, description="time without messages after which we unbind; 0 is never"
    )
    stop_s: Seconds = Field(default=10.0, description="at stop, how long to wait for the answers that are still out")


class ReconnectSettings(SettingsBase):
    """Pauses between attempts to connect."""

    first_s: Seconds = Field(default=1.0, description="pause before the first reconnect")
    factor: float = Field(default=2.0, ge=1, description="growth of the pause")
    max_s: Seconds = Field(default=60.0, description="longest pause")
    jitter: float = Field(default=0.3, ge=0, le=1, description="share of the pause that is random")


class RetrySettings(SettingsBase):
    """For segments the carrier refused for now (ESME_RTHROTTLED and ESME_RMSGQFUL are not counted)."""

    first_s: Seconds = Field(default=5.0, description="pause before the first retry")
    factor: float = Field(default=3.0, ge=1, description="growth of the pause")
    max_s: Seconds = Field(default=900.0, description="longest pause")
    max_attempts: int = Field(default=8, ge=1, description="refusals after which the segment has failed")


class TlsSettings(SettingsBase):
    """TLS on the connection."""

    enabled: bool | None = Field(default=None, description="TLS or not; not set: only on port 3550")
    verify: bool = Field(
        default=True, description="check the certificate and its name; false accepts any: encrypted, but to anybody"
    )
    server_name: str | None = Field(
        default=None, min_length=1, description="name for SNI and for the check; not set: the host"
    )
    ca_file: FilePath | None = Field(
        default=None, description="authorities to trust, PEM; not set: those of the system"
    )
    cert_file: FilePath | None = Field(default=None, description="our certificate with its chain, PEM")
    key_file: FilePath | None = Field(default=None, description="its key, PEM; not set: it is in cert_file")
    min_version: str = Field(default="1.2", pattern=r"^(1\.2|1\.3)\z", description="least version: 1.2 or 1.3")


class OutbindSettings(SettingsBase):
    """Where the SMSC may connect to us and ask by outbind to be bound to (SMPP 3.4, 2.2.1)."""

    host: Host = Field(default="127.0.0.1", description="address to listen on")
    port: Port = Field(default=0, description="port to listen on; 0: outbind is not accepted")
    system_id: str = Field(default="", max_length=15, description="what the SMSC must call itself; empty: anything")
    password: SecretStr = Field(default=SecretStr(""), description="what the SMSC must send; empty: anything")


class SubmitSettings(SettingsBase):
    """What each submit_sm carries beside the message."""

    command: SubmitCommand = Field(
        default=SubmitCommand.SUBMIT_SM, strict=False, description="submit_sm or data_sm, whichever the SMSC takes"
    )
    service_type: str = Field(default="", max_length=5, description="service_type, unless the message has its own")
    messaging_mode: int = Field(
        default=0, ge=0, le=3, description="bits 0 and 1 of esm_class; 3 is store and forward, which some refuse"
    )
    protocol_id: Octet = Field(default=0, description="protocol_id, unless the message has its own")
    priority: dict[LaneName, Annotated[int, Field(ge=0, le=3)]] = Field(
        default={}, description="priority_flag by lane; some SMSCs choose the route by it"
    )
    registered_delivery: int = Field(
        default=1,
        ge=0,
        le=31,
        description="receipts to ask for: 0 none, 1 all, 2 failures only, 3 successes only, 16 more for "
        "intermediate ones",
    )
    validity: ValidityForm = Field(
        default=ValidityForm.RELATIVE,
        strict=False,
        description="validity_period as relative or absolute time, or omit",
    )
    max_validity_s: float = Field(
        default=0.0, ge=0, description="longest validity_period the SMSC takes; 0 is no limit"
    )
    schedule: ScheduleBy = Field(
        default=ScheduleBy.GATEWAY,
        strict=False,
        description="who keeps messages until their time (send_at): gateway, or carrier (schedule_delivery_time), "
        "which some SMSCs refuse",
    )
    user_message_reference: bool = Field(
        default=True,
        description="send a user_message_reference TLV; a receipt that echoes it resolves a submit_sm in doubt",
    )


class AddressRule(SettingsBase):
    """How addresses of one form are written."""

    pattern: Pattern = Field(description="regular expression that the digits or letters must fit as a whole")
    ton: Octet | None = Field(default=None, description="type of number; not set: as it is")
    npi: Octet | None = Field(default=None, description="numbering plan; not set: as it is")
    strip: str = Field(default="", description="prefix to take away, where it stands")
    prepend: str = Field(default="", description="prefix to put before what is left")


class AddressSettings(SettingsBase):
    """How addresses are written; the first rule that fits decides. Numbers come as digits without +."""

    source: list[AddressRule] = Field(default=[], description="rules for senders")
    destination: list[AddressRule] = Field(default=[], description="rules for recipients")


class EncodingSettings(SettingsBase):
    """How texts become octets."""

    default_alphabet: DefaultAlphabet = Field(
        default=DefaultAlphabet.GSM7,
        strict=False,
        description="what the SMSC takes octets with gsm7_data_coding for: gsm7, latin1, ascii or utf8",
    )
    packing: Packing = Field(
        default=Packing.UNPACKED, strict=False, description="GSM-7 unpacked, a septet an octet, or packed"
    )
    gsm7_data_coding: Octet = Field(default=0, description="data_coding of texts in the default alphabet")
    ucs2_data_coding: Octet = Field(default=8, description="data_coding of texts in UCS-2")
    latin1_data_coding: Octet | None = Field(
        default=None,
        description="data_coding of texts in Latin-1, such as 3, where the SMSC takes them; not set: none",
    )
    ascii_data_coding: Octet | None = Field(
        default=None, description="data_coding of texts in ASCII, such as 1, where the SMSC takes them; not set: none"
    )
    binary_data_coding: Octet = Field(default=4, description="data_coding of binary messages that give none")
    message_class: ClassForm = Field(
        default=ClassForm.GENERAL,
        strict=False,
        description="how a message class (0 is flash) is told: general (data_coding 0x10 to 0x1b), class_group (0xf0 "
        "to 0xf7), subunit (a TLV), or none: such messages are refused",
    )
    national_tables: list[NationalTable] = Field(
        default=[],
        description='languages whose GSM-7 shift tables the SMSC passes on, such as ["turkish"], or ["all"]; used '
        "where they make a message shorter",
    )
    long: LongMessages = Field(
        default=LongMessages.AUTO,
        strict=False,
        description="long texts as udh8, udh16, sar or payload; auto is udh8, and udh16 while the 256 references "
        "between a sender and a recipient are all in use",
    )
    max_octets: int = Field(
        default=140,
        ge=40,
        le=140,
        description="most octets of user data in one segment, as packed in the air; some SMSCs take less than 140",
    )

    def as_encoding(self) -> Encoding:
        """These settings as the planner takes them; DEFAULT_ENCODING itself where they are the same."""
        national = (
            tuple(Language)
            if ALL_TABLES in self.national_tables
            else tuple(language for language in Language if language.label in self.national_tables)
        )
        encoding = Encoding(
            default_alphabet=self.default_alphabet,
            packing=self.packing,
            gsm7_data_coding=self.gsm7_data_coding,
            ucs2_data_coding=self.ucs2_data_coding,
            long=self.long,
            max_octets=self.max_octets,
            national=national,
            latin1_data_coding=self.latin1_data_coding,
            ascii_data_coding=self.ascii_data_coding,
            binary_data_coding=self.binary_data_coding,
            class_form=self.message_class,
        )
        return DEFAULT_ENCODING if encoding == DEFAULT_ENCODING else encoding


class IdSettings(SettingsBase):
    """How receipts name the message."""

    relation: IdRelation = Field(
        default=IdRelation.LEARN,
        strict=False,
        description="message_id in response and receipt: learn, same, hex_dec (hexadecimal in the response) or "
        "dec_hex",
    )
    extract: IdPattern | None = Field(
        default=None, description="regular expression whose group is the id inside the receipt's id"
    )


class ReceiptSettings(SettingsBase):
    """How receipts are read."""

    sniff: bool = Field(
        default=False,
        description="take a text without receipt bits or TLVs for a receipt when it looks like one, its id is that "
        "of an open message, and its sender is that message's recipient",
    )
    acceptd: AcceptdMeans = Field(
        default=AcceptdMeans.INTERMEDIATE, strict=False, description="ACCEPTD means intermediate or delivered"
    )
    states: dict[Annotated[str, Field(min_length=1)], StateWord] = Field(
        default={}, description='further words of `stat`, such as { "BLOCKED" = "REJECTD", "5" = "DELIVRD" }'
    )
    errors: dict[Annotated[str, Field(min_length=1)], Annotated[str, Field(min_length=1)]] = Field(
        default={}, description='what values of `err` mean here, such as { "027" = "absent_subscriber" }'
    )
    time_zone: Zone = Field(default="UTC", description="time zone of the dates in receipts")


class QuerySettings(SettingsBase):
    """query_sm for messages whose receipt is overdue."""

    enabled: bool = Field(default=False, description="ask by query_sm before a message becomes unknown")
    attempts: int = Field(default=3, ge=1, le=100, description="how often to ask")
    interval_s: Seconds = Field(default=3600.0, description="pause between two questions")
    after_s: float = Field(
        default=0.0,
        ge=0,
        description="the first question comes so long after the submit_sm_resp, but not later than a minute after "
        "the end of the message's validity; 0 is that minute",
    )


class CapSettings(SettingsBase):
    """So many in each calendar minute, hour or day."""

    per: CapSpan = Field(strict=False, description="minute, hour or day")
    count: int = Field(ge=1, description="most submit_sm in it")
    by_sender: bool = Field(default=False, description="for each sender, instead of all together")
    time_zone: Zone = Field(default="UTC", description="where the day begins")


class VendorTlv(SettingsBase):
    """A TLV for each submit_sm: a constant, or the value that the request gives under this name."""

    tag: int = Field(ge=0x0001, le=0xFFFF, description="tag; 0x1400 to 0x3FFF are the SMSC vendors' own")
    type: TlvType = Field(default=TlvType.CSTRING, strict=False, description="integer, cstring or octets")
    octets: int | None = Field(
        default=None, ge=1, le=255, description="octets of an integer (not set: 1), or most of a string with its NUL"
    )
    value: TlvValue = Field(default=None, description="the constant; not set: only what a request gives")
    from_request: bool = Field(default=True, description="whether a request may give a value")
    required: bool = Field(default=False, description="refuse requests that give none")

    def octets_of(self, value: int | str) -> bytes:
        """The value of the TLV for `value`: an integer big-endian in `octets` octets, a cstring with its NUL.

        Raises ValueError with a text for whoever gave it.
        """
        if self.type is TlvType.INTEGER:
            return _integer(value, self.octets or 1)
        if not isinstance(value, str):
            raise ValueError("must be a string, not an integer")  # noqa: TRY004  # of the user's, not of the program's
        if self.type is TlvType.OCTETS:
            if not re.fullmatch(r"([0-9a-fA-F]{2})*", value):
                raise ValueError("must be octets in hexadecimal, such as 0a1b")
            octets = bytes.fromhex(value)
        else:
            if not (value.isascii() and (value.isprintable() or not value)):
                raise ValueError("has characters outside printable ASCII")
            octets = value.encode("ascii") + b"\0"
        if len(octets) > (self.octets or _TLV_OCTETS):
            raise ValueError(f"takes {len(octets)} octets, above {self.octets or _TLV_OCTETS}")
        return octets


_TLV_OCTETS = 255


def _integer(value: int | str, octets: int) -> bytes:
    if not isinstance(value, int):
        raise ValueError("must be an integer, not a string")  # noqa: TRY004
    if not 0 <= value < 1 << 8 * octets:
        raise ValueError(f"does not fit into {octets} octet{'s'[: octets != 1]} without a sign")
    return value.to_bytes(octets, "big")


# ---------------------------------------------------------------------------------------------------------------- #
# The link, and the carrier
# ---------------------------------------------------------------------------------------------------------------- #


class LinkSettings(SettingsBase):
    """What may differ from bind to bind of one carrier."""

    host: Host = Field(
        default="", description="name or address of the SMSC, looked up at each connect; needed unless binds = 0"
    )
    port: Annotated[int, Field(ge=1, le=65535)] = Field(default=2775, description="port of the SMSC")
    receive_port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        default=None, description="port of the receiver of a pair; not set: the same"
    )
    fallbacks: list[Endpoint] = Field(
        default=[], description="further HOST:PORT, tried in turn when one cannot be reached"
    )
    source_address: IpAddress | None = Field(
        default=None, description="our address to connect from, where the SMSC knows us by it"
    )
    system_id: str = Field(min_length=1, max_length=64, description="our name at the SMSC, at most 15 octets")
    password: SecretStr = Field(
        default=SecretStr(""), description="password in clear; prefer password_env or password_file"
    )
    password_env: str | None = Field(
        default=None, min_length=1, description="environment variable that holds the password"
    )
    password_file: FilePath | None = Field(
        default=None, description="file whose first line is the password; relative to the folder of the config file"
    )
    long_credentials: bool = Field(
        default=False,
        description="send a system_id above 15 or a password above 8 octets all the same: some SMSCs want it",
    )
    system_type: str = Field(default="", max_length=12, description="system_type of the bind")
    address_range: str = Field(default="", max_length=40, description="address_range of the bind")
    address_ton: Octet = Field(default=0, description="addr_ton of the bind; with address_range it says what comes")
    address_npi: Octet = Field(default=0, description="addr_npi of the bind")
    interface_version: InterfaceVersion = Field(
        default=InterfaceVersion.V34, strict=False, description="interface_version of the bind: 3.3, 3.4 or 5.0"
    )
    mode: BindMode = Field(
        default=BindMode.TRANSCEIVER, strict=False, description="transceiver, or pair: a transmitter and a receiver"
    )
    window: int = Field(default=100, ge=1, le=10_000, description="most unanswered submit_sm per bind")
    rate_per_s: float = Field(default=0.0, ge=0, description="submit_sm per second and bind; 0 is no limit of ours")
    rate_unit: RateUnit = Field(
        default=RateUnit.SEGMENTS, strict=False, description="what rate_per_s counts: segments or messages"
    )
    burst: int = Field(default=1, ge=1, description="submit_sm that may leave at once after a pause, with rate_per_s")
    throttle_pause_s: Seconds = Field(default=1.0, description="pause of the bind after ESME_RTHROTTLED")
    timers: TimerSettings = Field(default=TimerSettings(), description="the timers of the session")
    reconnect: ReconnectSettings = Field(default=ReconnectSettings(), description="pauses between connects")
    tls: TlsSettings = Field(default=TlsSettings(), description="TLS on the connection")


class CarrierSettings(LinkSettings):
    """One SMPP account at an SMSC.

    `password` holds the secret itself once `load` is through, wherever it came from. `profile` names what the
    carrier is based on; its values are merged in by then.
    """

    profile: Name | None = Field(default=None, description="a shipped profile, or one of [profiles]")
    binds: int = Field(
        default=1,
        ge=0,
        le=64,
        description="how many binds (or pairs) are held; 0: only what the SMSC asks for by outbind",
    )
    bind: list[dict[str, Any]] = Field(
        default=[], description="[[carriers.NAME.bind]]: one table for each bind, with what differs"
    )
    tlvs: bool = Field(default=True, description="whether TLVs may be sent; SMPP 3.3 has none")
    queue_full_delay_s: Seconds = Field(default=30.0, description="delay of a recipient after ESME_RMSGQFUL")
    queue_full_recipients: int = Field(
        default=5,
        ge=2,
        description="recipients with ESME_RMSGQFUL within queue_full_span_s that slow the bind as well",
    )
    queue_full_span_s: Seconds = Field(default=10.0, description="the short time for queue_full_recipients")
    outcomes: dict[StatusName, Annotated[StatusOutcome, Field(strict=False)]] = Field(
        default={},
        description='what a command_status leads to: { "0x411" = "throttle" }; retry, reroute, fail, throttle, '
        "delay (of the recipient) or pause (of the bind, with an alarm)",
    )
    unknown_outcome: StatusOutcome = Field(
        default=StatusOutcome.RETRY, strict=False, description="what a command_status that nobody knows leads to"
    )
    pause_s: Seconds = Field(default=300.0, description="how long an outcome `pause` stops the bind")
    bind_refusals: dict[StatusName, Annotated[RefusalPolicy, Field(strict=False)]] = Field(
        default={},
        description='what the command_status of a refused bind leads to: { "0x401" = "credentials" }; credentials '
        "(slowly, with an alarm), already_bound, passing or other",
    )
    receipt_timeout_s: Seconds = Field(
        default=86_400.0, description="after a message's validity, how long to wait for its receipt"
    )
    on_doubt: OnDoubt = Field(
        default=OnDoubt.HOLD,
        strict=False,
        description="what to do with a submit_sm that was written but not answered: hold, or resend after the pauses "
        "of retry, up to max_attempts copies",
    )
    doubt_match_s: Seconds = Field(
        default=3600.0, description="how long a receipt may resolve a doubt by its addresses"
    )
    doubt_timeout_s: Seconds = Field(default=86_400.0, description="after this time in doubt a segment is unknown")
    max_pending_receipts: int = Field(
        default=20_000,
        ge=1,
        description="most receipts and inbound texts waiting for their commit; more are answered ESME_RX_T_APPN, "
        "on which the SMSC keeps them and brings them again",
    )
    redelivery_late_s: Seconds = Field(
        default=5.0,
        description="an inbound text answered later than this, or on a session that broke within this time, may come "
        "again: its twin is then the same text",
    )
    receipt_alarm_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="alarm when less than this share of the messages of receipt_alarm_s brought a receipt: some "
        "SMSCs drop what is above their rate without a word; 0 is no alarm",
    )
    receipt_alarm_s: float = Field(
        default=900.0,
        gt=0,
        description="the time for receipt_alarm_share, at least 60: it is looked at every 15 s, and fewer than 20 "
        "accepted messages in it say nothing",
    )
    caps: list[CapSettings] = Field(default=[], description="limits of the account by minute, hour or day")
    vendor_tlvs: dict[Name, VendorTlv] = Field(default={}, description="TLVs of this SMSC, by the name in requests")
    retry: RetrySettings = Field(default=RetrySettings(), description="pauses between attempts of a segment")
    submit: SubmitSettings = Field(default=SubmitSettings(), description="what each submit_sm carries")
    addresses: AddressSettings = Field(default=AddressSettings(), description="how addresses are written")
    encoding: EncodingSettings = Field(default=EncodingSettings(), description="how texts become octets")
    ids: IdSettings = Field(default=IdSettings(), description="how receipts name the message")
    receipts: ReceiptSettings = Field(default=ReceiptSettings(), description="how receipts are read")
    query: QuerySettings = Field(default=QuerySettings(), description="query_sm when a receipt is overdue")
    outbind: OutbindSettings = Field(default=OutbindSettings(), description="outbind from the SMSC")

    def links(self) -> list[CarrierSettings]:
        """The settings of each bind (or pair): this carrier with what `bind` says of it. Made by `load`."""
        return self._links or [self] * self.binds

    _links: list[CarrierSettings] = PrivateAttr(default_factory=list)
