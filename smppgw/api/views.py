"""What the API shows: the store's views as JSON objects (described for readers in schemas.py).

Times are ISO 8601, UTC, with milliseconds, under names ending in `_at`; absent ones are null. Refuses to know HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from smppgw.addresses import display
from smppgw.api.faults import error_object
from smppgw.api.intake import ItemError
from smppgw.api.segments import language, replacements
from smppgw.binds.status import BindStatus
from smppgw.config import CarrierSettings, IdRelation
from smppgw.queue.model import (
    Acceptance,
    AcceptStatus,
    Depths,
    Extras,
    HistoryEntry,
    IdRelationView,
    InboundView,
    Lane,
    MessageView,
    NewMessage,
    ParkedReceiptView,
    QuarantineView,
    ReceiptView,
    SegmentState,
    SegmentView,
    format_id,
)
from smppgw.smpp.constants import command_name, status_name
from smppgw.smpp.receipt_text import characters_of
from smppgw.sms import national, udh
from smppgw.sms.encoding import Language
from smppgw.sms.plan import ESM_CLASS_UDHI

OPEN = "open"


def iso(utc_ms: int | None) -> str | None:
    """`2026-01-02T03:04:05.678Z`."""
    if utc_ms is None:
        return None
    moment = datetime.fromtimestamp(utc_ms // 1000, UTC).replace(tzinfo=None, microsecond=utc_ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds") + "Z"


# ---------------------------------------------------------------------------------------------------------------- #
# Results of POST /v1/messages
# ---------------------------------------------------------------------------------------------------------------- #


def result_of(index: int, acceptance: Acceptance, message: NewMessage) -> dict[str, Any]:
    """The result of an item that reached the store. `message`: what was planned of it, now: of a repeated one the
    settings may have changed since, so nothing of this plan is told."""
    if acceptance.status is AcceptStatus.CONFLICT:
        text = "this idempotency key came before with another message; nothing was stored"
        return error_result(ItemError(index, "idempotency_conflict", text))
    if acceptance.status is AcceptStatus.NO_REFERENCE:
        return error_result(ItemError(index, "references_in_use", _REFERENCES_IN_USE))
    if acceptance.status is AcceptStatus.NOT_A_REPEAT and message.repeat_only is not None:
        refusal = message.repeat_only
        return error_result(ItemError(index, refusal.code, refusal.text, refusal.field))
    result: dict[str, Any] = {
        "index": index,
        "id": format_id(acceptance.message_id),
        "segments": acceptance.segments,
    }
    if acceptance.status is AcceptStatus.REPEATED:
        result["repeated"] = True
        return result
    if message.parts > acceptance.segments:
        result["parts"] = message.parts
    if message.extras is not None and message.extras.replaced:
        result["replaced"] = replacements(message.extras.replaced)
    return result


_REFERENCES_IN_USE = (
    "it is long, and too many long messages from this sender to this recipient may still be on their way: it would "
    "expire before one of the references that tell them apart is free. Send it later, or shorter; or let the "
    'operator set long = "auto" for the carrier, or ask it for receipts'
)


def error_result(error: ItemError) -> dict[str, Any]:
    return {"index": error.index, "error": error_object(error.code, error.message, error.field)}


# ---------------------------------------------------------------------------------------------------------------- #
# Messages, inbound texts, binds, depths
# ---------------------------------------------------------------------------------------------------------------- #


def message_summary(view: MessageView) -> dict[str, Any]:
    """A message in a list. `state` is the verdict, or "open" while there is none."""
    return {
        "id": format_id(view.message_id),
        "state": OPEN if view.verdict is None else view.verdict.value,
        "to": display(view.destination),
        "from": display(view.source),
        "text": view.text,
        "lane": view.lane.label,
        "client_ref": view.client_ref,
        "carrier": view.carrier,
        "alphabet": view.alphabet,
        "segment_count": view.segment_count,
        "accepted_at": iso(view.accepted_utc_ms),
        "expires_at": iso(view.expires_utc_ms),
        "first_submitted_at": iso(view.first_submitted_utc_ms),
        "final_at": iso(view.final_utc_ms),
    }


def message_detail(view: MessageView) -> dict[str, Any]:
    """A message with all that is known about it."""
    return {
        **message_summary(view),
        "verdict": None if view.verdict is None else view.verdict.value,
        "delivered_segments": sum(segment.state is SegmentState.DELIVERED for segment in view.segments),
        "alternatives": list(view.alternatives),
        "scheduled_at": iso(_scheduled_utc_ms(view)),
        **_content(view),
        "extras": None if view.extras is None else _extras(view.extras),
        "segments": [_segment(segment) for segment in view.segments],
        "receipts": [_receipt(receipt) for receipt in view.receipts],
        "history": [_history(entry) for entry in view.history],
    }


def _scheduled_utc_ms(view: MessageView) -> int | None:
    """Whoever keeps the message until then: we, or the carrier."""
    if view.scheduled_utc_ms is not None or view.extras is None:
        return view.scheduled_utc_ms
    return view.extras.schedule_utc_ms


def _content(view: MessageView) -> dict[str, Any]:
    """How the text, or the octets, went on their way."""
    locking, single = _shift_tables(view)
    extras = view.extras
    return {
        "data_coding": view.data_coding,
        "esm_class": view.esm_class,
        "locking_shift": language(locking),
        "single_shift": language(single),
        "reference": view.reference,
        "sent_text": None if extras is None else extras.sent_text,
        "replaced": [] if extras is None else replacements(extras.replaced),
    }


def _shift_tables(view: MessageView) -> tuple[Language | None, Language | None]:
    if not view.esm_class & ESM_CLASS_UDHI or not view.segments:
        return None, None
    return national.named(udh.parse(view.segments[0].octets))


def _extras(extras: Extras) -> dict[str, Any]:
    return {
        "service_type": extras.service_type,
        "protocol_id": extras.protocol_id,
        "priority": extras.priority_flag,
        "replace_if_present": extras.replace_if_present,
        "tlvs": _tlvs((tag, octets.hex()) for tag, octets in extras.tlvs),
        "sar_reference": extras.sar_reference,
        "payload": extras.payload,
        "dest_addr_subunit": extras.dest_addr_subunit,
    }


def _tlvs(pairs: Iterable[tuple[int, str]]) -> list[dict[str, str]]:
    """Tags and octets in hexadecimal, in their order: a tag may come twice."""
    return [{"tag": f"0x{tag:04X}", "octets": octets} for tag, octets in pairs]


def _stored_tlvs(text: str) -> list[dict[str, str]]:
    return _tlvs(json.loads(text)) if text else []


def _segment(view: SegmentView) -> dict[str, Any]:
    status = view.command_status
    return {
        "part": view.part,
        "state": view.state.label,
        "reason": view.reason.value,
        "octets": view.octets.hex(),
        "smsc_id": view.smsc_id,
        "bind": view.bind,
        "refusals": view.attempts,
        "command_status": status,
        "command_status_name": None if status is None else status_name(status),
        "due_at": iso(view.due_utc_ms) if view.state.is_open else None,
        "submitted_at": iso(view.submitted_utc_ms),
        "answered_at": iso(view.answered_utc_ms),
        "final_at": iso(view.final_utc_ms),
    }


def _receipt(view: ReceiptView) -> dict[str, Any]:
    return {
        "part": view.part,
        "received_at": iso(view.received_utc_ms),
        "done_at": iso(view.done_utc_ms),
        "bind": view.bind,
        "smsc_id": view.smsc_id,
        "stat": view.stat,
        "state": None if view.state is None else view.state.name.lower(),
        "error": view.error,
        "reason": view.reason.value,
        "from": view.source_addr,
        "to": view.destination_addr,
        "flags": list(view.flags),
        "tlvs": _stored_tlvs(view.tlvs),
        "octets": view.raw.hex(),
    }


def _history(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "at": iso(entry.at_utc_ms),
        "part": entry.part,
        "state": None if entry.state is None else entry.state.label,
        "reason": entry.reason.value,
        "bind": entry.bind,
        "detail": entry.detail,
    }


def inbound_text(view: InboundView) -> dict[str, Any]:
    """An inbound text: from the handset, to our number."""
    text = view.message
    return {
        "id": str(view.inbound_id),
        "received_at": iso(view.received_utc_ms),
        "from": display(text.source),
        "to": display(text.destination),
        "text": text.text,
        "data_coding": text.data_coding,
        "esm_class": text.esm_class,
        "octets": text.octets.hex(),
        "tlvs": _stored_tlvs(text.tlvs),
        "carrier": view.carrier,
        "bind": view.bind,
    }


def parked_receipt(view: ParkedReceiptView) -> dict[str, Any]:
    """A receipt that found no message so far."""
    return {
        "id": str(view.receipt_id),
        "received_at": iso(view.received_utc_ms),
        "done_at": iso(view.done_utc_ms),
        "carrier": view.carrier,
        "bind": view.bind,
        "smsc_id": view.smsc_id,
        "match_id": view.match_id,
        "stat": view.stat,
        "state": None if view.state is None else view.state.name.lower(),
        "error": view.error,
        "from": view.source_addr,
        "to": view.destination_addr,
        "user_message_reference": view.reference,
        "flags": list(view.flags),
        "tlvs": _stored_tlvs(view.tlvs),
        "text": characters_of(view.raw, 0, udhi=False),
        "octets": view.raw.hex(),
    }


def quarantined(view: QuarantineView) -> dict[str, Any]:
    """A PDU that could not be read, with what its header says as far as that goes."""
    pdu = view.pdu
    return {
        "id": str(view.quarantine_id),
        "received_at": iso(view.received_utc_ms),
        "carrier": view.carrier,
        "bind": view.bind,
        "command": command_name(pdu.command_id),
        "sequence_number": pdu.sequence_number,
        "command_status": pdu.command_status,
        "command_status_name": status_name(pdu.command_status),
        "field": pdu.field or None,
        "error": pdu.error,
        "octets": pdu.frame.hex(),
    }


def bind_status(status: BindStatus) -> dict[str, Any]:
    """One bind at one moment."""
    return {
        "name": status.name,
        "carrier": status.carrier,
        "link": status.link,
        "kind": status.kind.value,
        "state": status.state.value,
        "since_at": iso(status.since_utc_ms),
        "endpoint": status.endpoint or None,
        "interface_version": status.interface_version or None,
        "alarm": status.alarm or None,
        "limit": status.limit.value,
        "paused_until_at": iso(status.paused_until_utc_ms),
        "window": status.window,
        "in_window": status.in_window,
        "overdue": status.overdue,
        "unrecorded": status.unrecorded,
        "submits_per_s": round(status.submits_per_s, 1),
        "rtt_ms": None if status.rtt_ms is None else round(status.rtt_ms, 2),
        "submitted": status.submitted,
        "accepted": status.accepted,
        "refused": status.refused,
        "throttled": status.throttled,
        "receipts": status.receipts,
        "inbound": status.inbound,
        "reconnects": status.reconnects,
        "last_error": status.last_error or None,
        "next_attempt_at": iso(status.next_attempt_utc_ms),
        "deviations": dict(status.deviations),
    }


def carrier_states(binds: Sequence[BindStatus], carriers: Sequence[str]) -> list[dict[str, Any]]:
    """Each carrier with how many of its binds are up: `up` (all), `partly`, or `down`."""
    states = []
    for carrier in carriers:
        own = [status.state.is_bound for status in binds if status.carrier == carrier]
        state = "down" if not any(own) else "up" if all(own) else "partly"
        states.append({"carrier": carrier, "state": state, "binds_up": sum(own), "binds": len(own)})
    return states


def carriers_in_full(
    binds: Sequence[BindStatus], carriers: Mapping[str, CarrierSettings], ids: Sequence[IdRelationView]
) -> list[dict[str, Any]]:
    """Each carrier as `carrier_states` has it, with its alarms and what is known of the ids in its receipts."""
    known = {one.carrier: one for one in ids}
    return [
        {
            **state,
            "alarms": [
                {"bind": status.name, "alarm": status.alarm}
                for status in binds
                if status.carrier == state["carrier"] and status.alarm
            ],
            "ids": _ids(known.get(state["carrier"]), carriers[state["carrier"]].ids.relation),
        }
        for state in carrier_states(binds, list(carriers))
    ]


#: As a learned relation is shown.
_PINNED = {IdRelation.SAME: "same", IdRelation.HEX_DEC: "hex -> dec", IdRelation.DEC_HEX: "dec -> hex"}


def _ids(view: IdRelationView | None, setting: IdRelation) -> dict[str, Any] | None:
    """None while nothing is known. A pinned relation is known before the first receipt."""
    if view is not None and view.relation:
        return {"relation": view.relation, "pinned": view.pinned, "matched": view.matched, "total": view.total}
    pinned = _PINNED.get(setting)
    return None if pinned is None else {"relation": pinned, "pinned": True, "matched": 0, "total": 0}


def due_since(depths: Depths, now_utc_ms: int) -> int | None:
    """When the queued segment that is due longest became due. None while none is: a retry may lie in the future."""
    oldest = depths.oldest_queued_utc_ms
    return None if oldest is None or oldest > now_utc_ms else oldest


def depths_by_carrier(depths: Depths, carriers: Sequence[str]) -> list[dict[str, Any]]:
    """Open segments of each carrier; one that left the config is listed for as long as it holds any."""
    held = {carrier for carrier, _ in depths.queued} | {*depths.in_flight, *depths.in_doubt, *depths.sent}
    carriers = [*carriers, *sorted(held.difference(carriers))]
    return [
        {
            "carrier": carrier,
            "queued": {lane.label: depths.queued.get((carrier, lane), 0) for lane in Lane},
            "in_flight": depths.in_flight.get(carrier, 0),
            "in_doubt": depths.in_doubt.get(carrier, 0),
            "sent": depths.sent.get(carrier, 0),
        }
        for carrier in carriers
    ]
