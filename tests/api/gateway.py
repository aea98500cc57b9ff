"""A gateway in memory for the API's tests: settings, a store of dicts, and a client of the application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from smppgw.api.app import create_app
from smppgw.api.auth import hash_key
from smppgw.api.services import Readiness, Services
from smppgw.binds.status import BindKind, BindState, BindStatus, Limit
from smppgw.config import (
    AccountSettings,
    CarrierSettings,
    HttpSettings,
    RouteSettings,
    Settings,
    StoreSettings,
    SubmitSettings,
    TlvType,
    VendorTlv,
)
from smppgw.queue.model import (
    Acceptance,
    AcceptStatus,
    CancelStatus,
    Depths,
    HistoryEntry,
    IdRelationView,
    IdSource,
    InboundView,
    Lane,
    MessageQuery,
    MessageView,
    NewMessage,
    ParkedReceiptView,
    QuarantineView,
    Reason,
    SegmentState,
    SegmentView,
    Verdict,
)
from smppgw.telemetry import Metrics

KEY = "sgw_app-key"
OTHER_KEY = "sgw_other-key"
NOW_UTC_MS = 1_767_323_045_678  # 2026-01-02T03:04:05.678Z


def settings(**changes: Any) -> Settings:
    """Two accounts and two carriers: +33 goes to `french`, all else to `demo`."""
    given: dict[str, Any] = {
        "http": HttpSettings(max_body_octets=20_000, max_batch=50),
        "store": StoreSettings(path=Path("unused.db")),
        "accounts": {
            "app": AccountSettings(
                key_hashes=[hash_key(KEY)], default_sender="Example", default_region="GB", max_validity_s=259_200.0
            ),
            "other": AccountSettings(key_hashes=[hash_key(OTHER_KEY)], max_segments=2, strict_numbers=True),
        },
        "carriers": {
            "demo": CarrierSettings(
                host="127.0.0.1",
                system_id="demo",
                password=SecretStr("demo"),
                vendor_tlvs={
                    "campaign": VendorTlv(tag=0x1400, octets=12),
                    "product": VendorTlv(tag=0x1401, type=TlvType.INTEGER, octets=2),
                    "token": VendorTlv(tag=0x1402, type=TlvType.OCTETS),
                    "account_no": VendorTlv(tag=0x1403, value="4711", from_request=False),
                },
            ),
            "french": CarrierSettings(
                host="127.0.0.1",
                system_id="fr",
                password=SecretStr("fr"),
                submit=SubmitSettings(registered_delivery=0),
            ),
        },
        "routes": [
            RouteSettings(carriers=["french"], prefixes=["+33"]),
            RouteSettings(carriers=["demo"], accounts=["app"]),
            RouteSettings(carriers=["demo"], prefixes=["+44", "1"]),
        ],
    }
    return Settings(**(given | changes))


def bind_status(name: str, state: BindState = BindState.BOUND_TRX, **changes: Any) -> BindStatus:
    status = BindStatus(
        name=name,
        carrier=name.partition("/")[0],
        kind=BindKind.TRANSCEIVER,
        state=state,
        since_utc_ms=NOW_UTC_MS,
        window=100,
        in_window=7,
        overdue=0,
        limit=Limit.RATE if state.is_bound else Limit.DOWN,
        submits_per_s=12.345,
        submitted=10,
        accepted=8,
        refused=1,
        throttled=1,
        receipts=6,
        inbound=2,
        reconnects=3,
        last_error="",
        next_attempt_utc_ms=None,
        rtt_ms=4.5678,
        unrecorded=0,
    )
    return replace(status, **changes)


@dataclass
class Gateway:
    """What stands behind the API. Set `failure` to make the store raise."""

    settings: Settings = field(default_factory=settings)
    failure: Exception | None = None
    pause: Callable[[], Awaitable[None]] | None = None  # before depths are told
    readiness: Readiness = field(default_factory=lambda: Readiness(True))
    bind_states: list[BindStatus] = field(default_factory=lambda: [bind_status("demo/1"), bind_status("demo/2")])
    metrics: Metrics = field(default_factory=Metrics)
    views: dict[int, MessageView] = field(default_factory=dict)
    inbound_views: list[InboundView] = field(default_factory=list)
    parked_views: list[ParkedReceiptView] = field(default_factory=list)
    quarantine_views: list[QuarantineView] = field(default_factory=list)
    ids_known: list[IdRelationView] = field(default_factory=list)
    cancel_status: CancelStatus = CancelStatus.CANCELLED
    cancelled: list[tuple[int, str]] = field(default_factory=list)  # (message id, account)
    batches: list[list[NewMessage]] = field(default_factory=list)
    queries: list[MessageQuery] = field(default_factory=list)
    ids: IdSource = field(default_factory=IdSource)
    oldest_queued_utc_ms: int | None = NOW_UTC_MS - 1500
    oldest_parked_utc_ms: int | None = NOW_UTC_MS - 60_000
    by_key: dict[tuple[str, str], tuple[bytes, Acceptance]] = field(default_factory=dict)

    @property
    def stored(self) -> list[NewMessage]:
        return [message for batch in self.batches for message in batch]

    def app(self) -> FastAPI:
        return create_app(
            Services(
                settings=self.settings,
                metrics=self.metrics,
                utc_ms=lambda: NOW_UTC_MS,
                accept=self.accept,
                cancel=self.cancel,
                message=self.message,
                messages=self.messages,
                inbound=self.inbound,
                parked_receipts=self.parked_receipts,
                quarantine=self.quarantine,
                id_relations=self.id_relations,
                depths=self.depths,
                binds=lambda: self.bind_states,
                ready=lambda: self.readiness,
            )
        )

    @asynccontextmanager
    async def client(self, key: str | None = KEY) -> AsyncIterator[httpx.AsyncClient]:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        transport = httpx.ASGITransport(self.app(), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as client:
            yield client

    async def accept(self, messages: Sequence[NewMessage]) -> Sequence[Acceptance]:
        self._fail()
        self.batches.append([])
        return [self._accept_one(message) for message in messages]

    def _accept_one(self, message: NewMessage) -> Acceptance:
        known = self.by_key.get((message.account, message.idempotency_key or ""))
        if known is not None and message.idempotency_key is not None:
            digest, first = known
            status = AcceptStatus.REPEATED if digest == message.digest else AcceptStatus.CONFLICT
            return replace(first, status=status)
        if message.repeat_only is not None:
            return Acceptance(AcceptStatus.NOT_A_REPEAT, 0, 0)
        self.batches[-1].append(message)
        message_id = self.ids.take(1, NOW_UTC_MS)[0]
        acceptance = Acceptance(AcceptStatus.STORED, message_id, len(message.segments))
        if message.idempotency_key is not None:
            self.by_key[message.account, message.idempotency_key] = (message.digest, acceptance)
        self.views[message_id] = view_of(message_id, message)
        return acceptance

    async def message(self, message_id: int) -> MessageView | None:
        self._fail()
        return self.views.get(message_id)

    async def messages(self, query: MessageQuery) -> Sequence[MessageView]:
        self._fail()
        self.queries.append(query)
        found = [
            view
            for message_id, view in sorted(self.views.items(), reverse=True)
            if view.account == query.account and (query.before is None or message_id < query.before)
        ]
        return [replace(view, segments=[], history=[]) for view in found[: query.limit]]

    async def inbound(self, before: int | None, limit: int) -> Sequence[InboundView]:
        self._fail()
        return [v for v in self.inbound_views if before is None or v.inbound_id < before][:limit]

    async def parked_receipts(self, before: int | None, limit: int) -> Sequence[ParkedReceiptView]:
        self._fail()
        return [v for v in self.parked_views if before is None or v.receipt_id < before][:limit]

    async def quarantine(self, before: int | None, limit: int) -> Sequence[QuarantineView]:
        self._fail()
        return [v for v in self.quarantine_views if before is None or v.quarantine_id < before][:limit]

    async def id_relations(self) -> Sequence[IdRelationView]:
        self._fail()
        return self.ids_known

    async def cancel(self, message_id: int, account: str) -> CancelStatus:
        self._fail()
        self.cancelled.append((message_id, account))
        view = self.views.get(message_id)
        return CancelStatus.UNKNOWN if view is None or view.account != account else self.cancel_status

    async def depths(self) -> Depths:
        if self.pause is not None:
            await self.pause()
        self._fail()
        return Depths(
            queued={("demo", Lane.OTP): 3, ("gone", Lane.BULK): 4},
            in_flight={"demo": 5},
            in_doubt={},
            sent={"demo": 6},
            parked_receipts=2,
            oldest_queued_utc_ms=self.oldest_queued_utc_ms,
            oldest_parked_utc_ms=self.oldest_parked_utc_ms,
            quarantined=4,
        )

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


def view_of(message_id: int, message: NewMessage, verdict: Verdict | None = None) -> MessageView:
    """The view of a stored message whose first segment was refused once and is queued again."""
    segments = [
        SegmentView(
            part=part,
            state=SegmentState.QUEUED,
            reason=Reason.THROTTLED,
            octets=octets,
            smsc_id=None,
            bind="demo/1",
            attempts=0,
            command_status=0x58,
            submitted_utc_ms=NOW_UTC_MS + 5,
            answered_utc_ms=NOW_UTC_MS + 9,
            final_utc_ms=None,
            due_utc_ms=NOW_UTC_MS + 1000,
        )
        for part, octets in enumerate(message.segments, 1)
    ]
    return MessageView(
        message_id=message_id,
        account=message.account,
        carrier=message.carrier,
        lane=message.lane,
        source=message.source,
        destination=message.destination,
        text=message.text,
        alphabet=message.alphabet,
        client_ref=message.client_ref,
        accepted_utc_ms=NOW_UTC_MS,
        expires_utc_ms=NOW_UTC_MS + message.validity_ms,
        final_utc_ms=None,
        first_submitted_utc_ms=NOW_UTC_MS + 5,
        verdict=verdict,
        segment_count=len(segments),
        segments=segments,
        history=[HistoryEntry(NOW_UTC_MS, 0, SegmentState.QUEUED, Reason.ACCEPTED, "", "")],
        alternatives=message.alternatives,
        extras=message.extras,
        reference=7 if message.numbering else None,
        scheduled_utc_ms=message.due_utc_ms or None,
        data_coding=message.data_coding,
        esm_class=message.esm_class,
    )
