"""The shapes of the API's answers, for /openapi.json. They document; views.py builds the answers themselves.

A test holds both to each other.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from smppgw.api.words import (
    AlarmWord,
    AlphabetWord,
    BindStateWord,
    CancelWord,
    CarrierStateWord,
    DefaultAlphabetWord,
    FlagWord,
    KindWord,
    LaneWord,
    LanguageWord,
    LimitWord,
    LongWord,
    ReasonWord,
    ReceiptStateWord,
    SegmentStateWord,
    StateWord,
    UnitWord,
    VerdictWord,
)


class ErrorBody(BaseModel):
    """Code: stable, for programs. Message: for people. Field: where it is, when there is one place."""

    code: str
    message: str
    field: str | None = None


class ErrorOut(BaseModel):
    """How every request that fails as a whole is answered."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"error": {"code": "key_missing", "message": "send the API key as 'Authorization: Bearer KEY'"}}
            ]
        }
    )
    error: ErrorBody


class ReplacedOut(BaseModel):
    """Something that was replaced in a text: where it stands in the text that was given, counted in characters from
    0; `to` is empty where it was left out."""

    at: int
    old: str = Field(alias="from")
    to: str


class ResultOut(BaseModel):
    """Result of one item: `id` and `segments`, or `error`. `repeated`: known by its idempotency key; what it was made
    of the first time stands in the message."""

    index: int
    id: str | None = None
    segments: int | None = Field(default=None, description="how many submit_sm")
    parts: int | None = Field(
        default=None,
        description="how many segments the handset gets, where that differs from `segments`: of a message_payload, "
        "which the SMSC cuts",
    )
    repeated: bool | None = None
    replaced: list[ReplacedOut] | None = Field(default=None, description="only where something was")
    error: ErrorBody | None = None


class BatchOut(BaseModel):
    """One result for each item, in the order of the request."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "accepted": 1,
                    "refused": 1,
                    "results": [
                        {"index": 0, "id": "1qz8x4k2m0a", "segments": 1},
                        {
                            "index": 1,
                            "error": {
                                "code": "recipient_letters",
                                "message": "the recipient has letters in it",
                                "field": "to",
                            },
                        },
                    ],
                }
            ]
        }
    )
    accepted: int
    refused: int
    results: list[ResultOut]


class MessageSummaryOut(BaseModel):
    """A message in a list."""

    id: str
    state: StateWord = Field(description='the verdict, or "open" while there is none')
    to: str
    sender: str = Field(alias="from")
    text: str
    lane: LaneWord
    client_ref: str | None
    carrier: str
    alphabet: AlphabetWord = Field(
        description="the repertoire that the text was planned in: it decides how many segments there "
        "are. How gsm7 is written, as one septet an octet, packed, as Latin-1 or UTF-8, is the carrier's encoding"
    )
    segment_count: int
    accepted_at: str
    expires_at: str
    first_submitted_at: str | None
    final_at: str | None


class TlvOut(BaseModel):
    """A TLV as it came or goes: its tag such as 0x1403, its value in hexadecimal."""

    tag: str
    octets: str


class ExtrasOut(BaseModel):
    """What the message's submit_sms have of their own. `sar_reference`: its parts are told by SAR TLVs; `payload`: it
    travels as message_payload."""

    service_type: str | None
    protocol_id: int | None
    priority: int | None
    replace_if_present: bool
    tlvs: list[TlvOut]
    sar_reference: int | None
    payload: bool
    dest_addr_subunit: int | None = Field(description="the message class plus 1, where the carrier is told it so")


class SegmentOut(BaseModel):
    """One submit_sm. `reason`: why it is in its state. `octets`: its user data in hexadecimal, the UDH at its start
    included; its short_message, or message_payload. `refusals`: the tries that count for the retry plan: refusals
    for now (not throttling, a full queue or a pause), and copies sent after a doubt; anew after a reroute."""

    part: int
    state: SegmentStateWord
    reason: ReasonWord
    octets: str
    smsc_id: str | None
    bind: str | None
    refusals: int
    command_status: int | None
    command_status_name: str | None
    due_at: str | None
    submitted_at: str | None
    answered_at: str | None
    final_at: str | None


class ReceiptOut(BaseModel):
    """A receipt as it came. `stat`: the carrier's word; `state`: what it means, null when nobody knows; `reason`:
    what it did; `flags`: what was odd about it; `tlvs`: those that the gateway makes no use of."""

    part: int
    received_at: str
    done_at: str | None = Field(description="what the SMSC says")
    bind: str
    smsc_id: str
    stat: str
    state: ReceiptStateWord | None
    error: str
    reason: ReasonWord
    sender: str = Field(alias="from", description="of the deliver_sm: normally the recipient")
    to: str
    flags: list[FlagWord]
    tlvs: list[TlvOut]
    octets: str = Field(description="the text as received, in hexadecimal")


class ParkedReceiptOut(BaseModel):
    """A receipt that found no message so far. `match_id`: the id that is looked for, which ids.extract took out of
    `smsc_id`. Where these are not those of the carrier's submit_sm_resp, see ids.extract and ids.relation."""

    id: str
    received_at: str
    done_at: str | None = Field(description="what the SMSC says")
    carrier: str
    bind: str
    smsc_id: str
    match_id: str
    stat: str
    state: ReceiptStateWord | None
    error: str
    sender: str = Field(alias="from", description="of the deliver_sm: normally the recipient")
    to: str
    user_message_reference: int | None
    flags: list[FlagWord]
    tlvs: list[TlvOut]
    text: str
    octets: str = Field(description="the text as received, in hexadecimal")


class ReceiptsOut(BaseModel):
    """A page, newest first. `next`: the value of `after` for the next page; null on the last."""

    receipts: list[ParkedReceiptOut]
    next: str | None


class HistoryOut(BaseModel):
    """Something that happened; `part` 0 is the whole message."""

    at: str
    part: int
    state: SegmentStateWord | None
    reason: ReasonWord
    bind: str
    detail: str


class MessageOut(MessageSummaryOut):
    """A message with its segments, receipts and history. `alternatives`: carriers it may still be rerouted to."""

    verdict: VerdictWord | None
    delivered_segments: int
    alternatives: list[str]
    scheduled_at: str | None = Field(description="not sent before, or not handed on by the carrier")
    data_coding: int
    esm_class: int
    locking_shift: LanguageWord | None = Field(description="national table of GSM-7; null: the default alphabet")
    single_shift: LanguageWord | None = Field(description="national table of GSM-7; null: the default extension")
    reference: int | None = Field(description="what the parts have in common; above 255 it has 16 bits")
    sent_text: str | None = Field(description="what is sent, where something was replaced in the text")
    replaced: list[ReplacedOut]
    extras: ExtrasOut | None
    segments: list[SegmentOut]
    receipts: list[ReceiptOut]
    history: list[HistoryOut]


class SegmentPlanOut(BaseModel):
    """One submit_sm. `used` and `left`: septets or octets, the UDH not counted; of a message_payload `left` is an
    estimate, since the SMSC cuts it. `octets`: its short_message in hexadecimal, `udh` at its start; the reference of
    a long message is 0 here, it gets its own when it is accepted."""

    part: int
    text: str
    used: int
    left: int
    octets: str
    udh: str


class CharacterOut(BaseModel):
    """A character that costs. `positions`: where it stands, counted in characters from 0; the first 20."""

    character: str
    code_point: str
    name: str
    count: int
    positions: list[int]


class ForcedOut(CharacterOut):
    """A character that keeps the text out of GSM-7."""

    lacked_by: DefaultAlphabetWord = Field(
        description="gsm7, or the carrier's default alphabet, where that has not all of GSM-7 and lacks this one"
    )


class SmartOut(BaseModel):
    """What smart encoding would make of it; `saves`: how many segments fewer."""

    segment_count: int
    alphabet: AlphabetWord
    replaced: list[ReplacedOut]
    saves: int


class PlannedOut(BaseModel):
    """How one item would be sent; an item that cannot be planned has `index` and `error` only."""

    index: int
    carrier: str
    alphabet: AlphabetWord
    locking_shift: LanguageWord | None = Field(description="national table of GSM-7; null: the default alphabet")
    single_shift: LanguageWord | None = Field(description="national table of GSM-7; null: the default extension")
    data_coding: int
    esm_class: int
    dest_addr_subunit: int | None = Field(description="the message class plus 1, where the carrier is told it so")
    long: LongWord | None = Field(description="how several parts are told to belong together; null: there is one")
    unit: UnitWord = Field(description="what `used` and `left` count")
    segment_count: int = Field(description="how many submit_sm")
    parts: int = Field(description="how many segments the handset gets: more than one of a message_payload")
    max_segments: int = Field(description="the account's; a message with more is refused")
    segments: list[SegmentPlanOut]
    sent_text: str | None = Field(description="what is sent, where something is replaced in the text")
    replaced: list[ReplacedOut]
    forced: list[ForcedOut] = Field(
        description="what GSM-7, as the carrier is given it, lacks, by position in the text that was given"
    )
    extended: list[CharacterOut] = Field(description="what takes two septets, by position in the text that is sent")
    smart: SmartOut | None = Field(description="null: smart encoding is in force, or would change nothing")
    smart_remaining: list[str] | None = Field(
        description="what keeps the text in UCS-2 although smart encoding is in force, since it has nothing to stand "
        "for these; empty: it would cost more segments; null: it is not in force, or the text is not in UCS-2"
    )
    error: ErrorBody | None = Field(description="why POST /v1/messages would refuse it all the same")


class UnplannedOut(BaseModel):
    """An item that cannot be planned."""

    index: int
    error: ErrorBody


class PlansOut(BaseModel):
    """One result for each item, in the order of the request."""

    results: list[PlannedOut | UnplannedOut]


class CancelOut(BaseModel):
    """`state`: cancelled (nothing of it was sent, and nothing will be), asked (the carrier is asked by cancel_sm: the
    message's history shows its answer), or in_doubt (nobody can tell yet whether the carrier has it; nothing more of
    it is sent)."""

    id: str
    state: CancelWord


class MessagesOut(BaseModel):
    """A page, newest first. `next`: the value of `after` for the next page; null on the last."""

    messages: list[MessageSummaryOut]
    next: str | None


class InboundOut(BaseModel):
    """An inbound text. `octets`: as received, in hexadecimal, UDH included."""

    id: str
    received_at: str
    sender: str = Field(alias="from")
    to: str
    text: str
    data_coding: int
    esm_class: int
    octets: str
    tlvs: list[TlvOut]
    carrier: str
    bind: str


class InboundsOut(BaseModel):
    """A page, newest first. `next`: the value of `after` for the next page; null on the last."""

    inbound: list[InboundOut]
    next: str | None


class QuarantinedOut(BaseModel):
    """A PDU that could not be read, or came when it must not. `command_status`: what it was answered with; of a
    response, what its header said. `octets`: the whole PDU in hexadecimal."""

    id: str
    received_at: str
    carrier: str
    bind: str
    command: str
    sequence_number: int
    command_status: int
    command_status_name: str
    field: str | None
    error: str
    octets: str


class QuarantineOut(BaseModel):
    """A page, newest first. `next`: the value of `after` for the next page; null on the last."""

    quarantine: list[QuarantinedOut]
    next: str | None


class BindOut(BaseModel):
    """One bind. Counters run since the gateway started; `limit`: what keeps it from submitting more now; `link`: that
    of both halves of a pair; `endpoint`: HOST:PORT in use; `interface_version`: what the SMSC told of itself;
    `alarm`: why an operator should look."""

    name: str
    carrier: str
    link: str
    kind: KindWord
    state: BindStateWord
    since_at: str
    endpoint: str | None
    interface_version: str | None
    alarm: AlarmWord | None
    limit: LimitWord
    paused_until_at: str | None
    window: int
    in_window: int
    overdue: int
    unrecorded: int
    submits_per_s: float
    rtt_ms: float | None
    submitted: int
    accepted: int
    refused: int
    throttled: int
    receipts: int
    inbound: int
    reconnects: int
    last_error: str | None
    next_attempt_at: str | None
    deviations: dict[str, int]


class BindsOut(BaseModel):
    """All binds of all carriers."""

    binds: list[BindOut]


class CarrierStateOut(BaseModel):
    """`state`: up (all binds), partly, or down."""

    carrier: str
    state: CarrierStateWord
    binds_up: int
    binds: int


class AlarmOut(BaseModel):
    """Why an operator should look at a bind."""

    bind: str
    alarm: AlarmWord


class IdsOut(BaseModel):
    """How the ids in receipts relate to those in submit_sm_resp: same, hex -> dec, or dec -> hex. `pinned`: by the
    settings; else it was learned. `matched` of `total` receipts found their segment by it."""

    relation: str
    pinned: bool
    matched: int
    total: int


class CarrierOut(CarrierStateOut):
    """A carrier, its alarms, and what is known of the ids in its receipts (null while nothing is)."""

    alarms: list[AlarmOut]
    ids: IdsOut | None


class SegmentsOut(BaseModel):
    """Open segments of a carrier; `queued` by lane."""

    carrier: str
    queued: dict[str, int]
    in_flight: int
    in_doubt: int
    sent: int


class ReadyOut(BaseModel):
    """`reason`: why messages cannot be accepted."""

    ready: bool
    reason: str | None
    carriers: list[CarrierStateOut]


class StatusOut(BaseModel):
    """What the gateway holds. `reason`: why messages cannot be accepted. `oldest_queued_at`: since when a queued
    segment is due; null while none is. `parked_receipts`: those that found no segment yet.
    `quarantined`: PDUs that could not be read and are kept."""

    version: str
    time: str
    ready: bool
    reason: str | None
    oldest_queued_at: str | None
    parked_receipts: int
    oldest_parked_at: str | None
    quarantined: int
    carriers: list[CarrierOut]
    segments: list[SegmentsOut]
