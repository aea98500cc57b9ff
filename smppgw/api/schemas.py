"""The shapes of the API's answers, for /openapi.json. They document; views.py builds the answers themselves.

A test holds both to each other.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


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


class ResultOut(BaseModel):
    """Result of one item: `id` and `segments`, or `error`. `repeated`: known by its idempotency key."""

    index: int
    id: str | None = None
    segments: int | None = None
    repeated: bool | None = None
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
    state: str = Field(description='the verdict, or "open" while there is none')
    to: str
    sender: str = Field(alias="from")
    text: str
    lane: str
    client_ref: str | None
    carrier: str
    alphabet: str
    segment_count: int
    accepted_at: str
    expires_at: str
    first_submitted_at: str | None
    final_at: str | None


class SegmentOut(BaseModel):
    """One submit_sm. `reason`: why it is in its state."""

    part: int
    state: str
    reason: str
    octets: int
    smsc_id: str | None
    bind: str | None
    attempts: int
    command_status: int | None
    command_status_name: str | None
    due_at: str | None
    submitted_at: str | None
    answered_at: str | None
    final_at: str | None


class HistoryOut(BaseModel):
    """Something that happened; `part` 0 is the whole message."""

    at: str
    part: int
    state: str | None
    reason: str
    bind: str
    detail: str


class MessageOut(MessageSummaryOut):
    """A message with its segments and history."""

    verdict: str | None
    segments: list[SegmentOut]
    history: list[HistoryOut]


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
    carrier: str
    bind: str


class InboundsOut(BaseModel):
    """A page, newest first. `next`: the value of `after` for the next page; null on the last."""

    inbound: list[InboundOut]
    next: str | None


class BindOut(BaseModel):
    """One bind. Counters run since the gateway started; `limit`: what keeps it from submitting more now."""

    name: str
    carrier: str
    kind: str
    state: str
    since_at: str
    limit: str
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
    state: str
    binds_up: int
    binds: int


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


class StatusOut(ReadyOut):
    """What the gateway holds. `oldest_queued_at`: since when a queued segment is due; null while none is."""

    version: str
    time: str
    oldest_queued_at: str | None
    parked_receipts: int
    segments: list[SegmentsOut]
