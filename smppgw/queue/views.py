"""Reading: what the store shows to the API and the CLI. Runs on a connection of its own, never in a transaction
that writes."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from smppgw.addresses import Address
from smppgw.queue import statements as sql
from smppgw.queue.model import (
    RECEIPT_MOVES,
    TRANSITIONS,
    Depths,
    Extras,
    HistoryEntry,
    IdRelationView,
    InboundText,
    InboundView,
    Lane,
    MessageQuery,
    MessageView,
    ParkedReceiptView,
    Quarantined,
    QuarantineView,
    Reason,
    ReceiptFlag,
    ReceiptState,
    ReceiptView,
    SegmentState,
    SegmentView,
    Verdict,
    message_id_at,
    part_of,
)
from smppgw.smpp.constants import status_name

_LARGEST_ID = 2**63 - 1


def message(connection: sqlite3.Connection, message_id: int) -> MessageView | None:
    """One message with its segments and its history."""
    row = connection.execute(sql.MESSAGE, (message_id,)).fetchone()
    if row is None:
        return None
    segments = [_segment(one) for one in connection.execute(sql.SEGMENTS_OF_MESSAGE, (message_id,))]
    receipts = [_receipt(one) for one in connection.execute(sql.RECEIPTS_OF_MESSAGE, (message_id,))]
    history = _history(connection, message_id, row[13], segments, receipts)
    return _message(row, [segment for segment, _ in segments], history, receipts)


def _message(
    row: tuple[Any, ...],
    segments: list[SegmentView],
    history: list[HistoryEntry],
    receipts: list[ReceiptView],
) -> MessageView:
    (number, account, carrier, lane, *addresses, text, alphabet, client_ref, accepted, expires, final) = row[:16]
    first_submitted, verdict, parts, alternatives, extras, reference, scheduled, data_coding, esm_class = row[16:]
    return MessageView(
        message_id=number,
        account=account,
        carrier=carrier,
        lane=Lane(lane),
        source=Address(*addresses[:3]),
        destination=Address(*addresses[3:]),
        text=text,
        alphabet=alphabet,
        client_ref=client_ref,
        accepted_utc_ms=accepted,
        expires_utc_ms=expires,
        final_utc_ms=final,
        first_submitted_utc_ms=first_submitted,
        verdict=None if verdict is None else Verdict(verdict),
        segment_count=parts,
        segments=segments,
        history=history,
        receipts=receipts,
        alternatives=() if alternatives is None else tuple(json.loads(alternatives)),
        extras=None if extras is None else Extras.from_json(extras),
        reference=reference,
        scheduled_utc_ms=scheduled,
        data_coding=data_coding,
        esm_class=esm_class,
    )


def _segment(row: tuple[Any, ...]) -> tuple[SegmentView, int | None]:
    """The segment, and when it was submitted for the first time."""
    number, state, reason, octets, smsc_id, bind, attempts, status, first, submitted, answered, final, due = row
    view = SegmentView(
        part=part_of(number),
        state=SegmentState(state),
        reason=Reason(reason),
        octets=octets,
        smsc_id=smsc_id,
        bind=bind,
        attempts=attempts,
        command_status=status,
        submitted_utc_ms=submitted,
        answered_utc_ms=answered,
        final_utc_ms=final,
        due_utc_ms=due,
    )
    return view, first


#: Ends that a row of history or a receipt tells, or the answer itself.
_TOLD_ELSEWHERE = {
    Reason.RECEIPT,
    Reason.RECEIPT_MATCHED_IN_DOUBT,
    Reason.NO_RECEIPT_POSSIBLE,
    Reason.VALIDITY_EXPIRED,
    Reason.DOUBT_TIMEOUT,
    Reason.RECEIPT_OVERDUE,
}


def _history(
    connection: sqlite3.Connection,
    message_id: int,
    accepted: int,
    segments: list[tuple[SegmentView, int | None]],
    receipts: list[ReceiptView],
) -> list[HistoryEntry]:
    """The straight path from the segments' columns, the rest from history and receipts, in order of time."""
    moves = [
        HistoryEntry(at, part_of(number), SegmentState(state), Reason(reason), bind, detail)
        for number, at, state, reason, bind, detail in connection.execute(sql.HISTORY_OF_MESSAGE, (message_id,))
    ]
    claimants = _first_claimants(moves)
    entries = [HistoryEntry(accepted, 0, SegmentState.QUEUED, Reason.ACCEPTED, "", "")]
    for segment, first in segments:
        if first is not None:
            bind = claimants.get(segment.part, segment.bind or "")
            entries.append(HistoryEntry(first, segment.part, SegmentState.IN_FLIGHT, Reason.CLAIMED, bind, ""))
    entries += moves
    for segment, _ in segments:
        entries += _answers(segment)
    entries += map(_told_by, receipts)
    return sorted(entries, key=lambda entry: entry.at_utc_ms)  # in the order above within a millisecond


def _first_claimants(moves: Sequence[HistoryEntry]) -> dict[int, str]:
    """By part, the bind of its first claim where others followed: the column of the segment has the last one's. What
    the first claim came to has its bind; a segment that was only taken along to another carrier had none."""
    again = {move.part for move in moves if move.reason is Reason.CLAIMED}
    claimants: dict[int, str] = {}
    for move in moves:
        taken_along = move.reason is Reason.REROUTED and ", " not in move.detail
        if move.part in again and move.bind and not taken_along:
            claimants.setdefault(move.part, move.bind)
    return claimants


def _receipt(row: tuple[Any, ...]) -> ReceiptView:
    number, received, done, bind, smsc_id, stat, state, error, reason, source, destination, flags, tlvs, raw = row
    return ReceiptView(
        part=part_of(number),
        received_utc_ms=received,
        done_utc_ms=done,
        bind=bind,
        smsc_id=smsc_id,
        stat=stat,
        state=None if state is None else ReceiptState(state),
        error=error,
        reason=Reason(reason),
        source_addr=source,
        destination_addr=destination,
        flags=tuple(flags.split(",")) if flags else (),
        tlvs=tlvs,
        raw=raw,
    )


#: Recorded with the receipt that made its segment final.
_FINAL_BY_RECEIPT = {Reason.RECEIPT, Reason.RECEIPT_MATCHED_IN_DOUBT}


def _told_by(receipt: ReceiptView) -> HistoryEntry:
    """A receipt as an entry in the history: what it said, then what was odd about it."""
    state = None
    if receipt.reason in _FINAL_BY_RECEIPT and receipt.state is not None:
        state = TRANSITIONS[SegmentState.SENT, RECEIPT_MOVES[receipt.state]]
    said = [receipt.stat or "no stat"]
    if receipt.error:
        said.append(f"err {receipt.error}")
    said.append(f"id {receipt.smsc_id}" if receipt.smsc_id else "no id")
    if receipt.tlvs:
        said += [f"TLV 0x{tag:04X} {octets}" for tag, octets in json.loads(receipt.tlvs)]
    detail = " ".join(said)
    if ReceiptFlag.ADDRESS_DIFFERS in receipt.flags:
        detail += f" (addresses {receipt.source_addr} -> {receipt.destination_addr} do not agree)"
    if others := [flag for flag in receipt.flags if flag != ReceiptFlag.ADDRESS_DIFFERS]:
        detail += f" ({', '.join(others).replace('_', ' ')})"
    return HistoryEntry(receipt.received_utc_ms, receipt.part, state, receipt.reason, receipt.bind, detail)


#: Ends by the carrier's answer.
_REFUSALS = {Reason.REFUSED, Reason.RETRIES_EXHAUSTED}


def _answers(segment: SegmentView) -> list[HistoryEntry]:
    """How the straight path ended: accepted, or refused for good, or taken back."""
    bind = segment.bind or ""
    entries = []
    if segment.answered_utc_ms is not None and segment.command_status == 0:
        sent = SegmentState.UNTRACKED if segment.state is SegmentState.UNTRACKED else SegmentState.SENT
        reason = segment.reason if sent is SegmentState.UNTRACKED else Reason.CARRIER_ACCEPTED
        detail = f"id {segment.smsc_id}" if segment.smsc_id else ""
        entries.append(HistoryEntry(segment.answered_utc_ms, segment.part, sent, reason, bind, detail))
    if segment.final_utc_ms is not None and segment.reason not in _TOLD_ELSEWHERE:
        status = segment.command_status if segment.reason in _REFUSALS else None
        detail = "" if status is None else status_name(status)
        entries.append(HistoryEntry(segment.final_utc_ms, segment.part, segment.state, segment.reason, bind, detail))
    return entries


def messages(connection: sqlite3.Connection, query: MessageQuery) -> list[MessageView]:
    """A page of messages, newest first, without segments and history."""
    conditions, parameters = ["m.id < ?"], [_LARGEST_ID if query.before is None else query.before]
    chosen: list[tuple[str, Any]] = [
        ("m.account = ?", query.account),
        ("m.dest_addr = ?", query.recipient),
        ("m.client_ref = ?", query.client_ref),
        ("m.verdict = ?", None if query.verdict is None else query.verdict.value),
        ("m.id >= ?", None if query.since_utc_ms is None else message_id_at(query.since_utc_ms)),
        ("m.id < ?", None if query.until_utc_ms is None else message_id_at(query.until_utc_ms)),
    ]
    for condition, value in chosen:
        if value is not None:
            conditions.append(condition)
            parameters.append(value)
    if query.open_only:
        conditions.append("m.verdict IS NULL")
    statement = f"""
SELECT {sql.MESSAGE_COLUMNS}
FROM message m{_index_for(query)} LEFT JOIN segment s ON s.id = (m.id << 8) + 1
WHERE {" AND ".join(conditions)}
ORDER BY m.id DESC LIMIT ?"""  # noqa: S608 - built from the constants above
    return [_message(row, [], [], []) for row in connection.execute(statement, (*parameters, query.limit))]


def _index_for(query: MessageQuery) -> str:
    """The index that leaves the fewest rows to look at; SQLite has no statistics to choose by."""
    if query.client_ref is not None:
        return " INDEXED BY message_client_ref"
    if query.recipient is not None:
        return " INDEXED BY message_recipient"
    if query.account is not None and (query.verdict is not None or query.open_only):
        return " INDEXED BY message_verdict"
    return " INDEXED BY message_account" if query.account is not None else ""


def inbound(connection: sqlite3.Connection, before: int | None, limit: int) -> list[InboundView]:
    """Inbound texts, newest first."""
    rows = connection.execute(sql.INBOUND, (_LARGEST_ID if before is None else before, limit))
    return [
        InboundView(row[0], row[1], row[2], row[3], InboundText(Address(*row[4:7]), Address(*row[7:10]), *row[10:15]))
        for row in rows
    ]


def parked_receipts(connection: sqlite3.Connection, before: int | None, limit: int) -> list[ParkedReceiptView]:
    """Receipts that found no segment so far, newest first."""
    rows = connection.execute(sql.PARKED_RECEIPTS, (_LARGEST_ID if before is None else before, limit))
    return [_parked(row) for row in rows]


def _parked(row: tuple[Any, ...]) -> ParkedReceiptView:
    number, carrier, bind, received, done, smsc_id, match_id, stat, state, error, *rest = row
    source, destination, reference, flags, tlvs, raw = rest
    return ParkedReceiptView(
        receipt_id=number,
        carrier=carrier,
        bind=bind,
        received_utc_ms=received,
        done_utc_ms=done,
        smsc_id=smsc_id,
        match_id=match_id,
        stat=stat,
        state=None if state is None else ReceiptState(state),
        error=error,
        source_addr=source,
        destination_addr=destination,
        reference=reference,
        flags=tuple(flags.split(",")) if flags else (),
        tlvs=tlvs,
        raw=raw,
    )


def quarantine(connection: sqlite3.Connection, before: int | None, limit: int) -> list[QuarantineView]:
    """PDUs that could not be read, newest first."""
    rows = connection.execute(sql.QUARANTINE, (_LARGEST_ID if before is None else before, limit))
    return [QuarantineView(row[0], row[1], row[2], row[3], Quarantined(*row[4:10])) for row in rows]


def id_relations(connection: sqlite3.Connection) -> list[IdRelationView]:
    """What is known of the ids in each carrier's receipts."""
    return [
        IdRelationView(carrier, relation, bool(pinned), matched, total)
        for carrier, relation, pinned, matched, total, _ in connection.execute(sql.LEARNED_IDS_OF_ALL)
    ]


def depths(connection: sqlite3.Connection) -> Depths:
    """How much is open, by counting the partial indexes."""
    queued = {(carrier, Lane(lane)): n for carrier, lane, n in connection.execute(sql.DEPTH_QUEUED)}
    open_states: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for state, carrier, count in connection.execute(sql.DEPTH_OPEN):
        open_states[state][carrier] = count
    parked, oldest_parked = connection.execute(sql.PARKED).fetchone()
    places = json.dumps([[carrier, lane.value] for carrier, lane in queued])
    return Depths(
        queued=queued,
        in_flight=open_states[SegmentState.IN_FLIGHT],
        in_doubt=open_states[SegmentState.IN_DOUBT],
        sent=open_states[SegmentState.SENT],
        parked_receipts=parked,
        oldest_queued_utc_ms=connection.execute(sql.OLDEST_QUEUED, (places,)).fetchone()[0],
        oldest_parked_utc_ms=oldest_parked,
        quarantined=connection.execute(sql.DEPTH_QUARANTINE).fetchone()[0],
    )
