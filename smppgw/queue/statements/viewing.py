"""What the store shows. The package says how they are written."""

from __future__ import annotations

MESSAGE_COLUMNS = """m.id, m.account, m.carrier, m.lane, m.source_ton, m.source_npi, m.source_addr, m.dest_ton,
    m.dest_npi, m.dest_addr, m.text, m.alphabet, m.client_ref, m.accepted_utc_ms, m.expires_utc_ms, m.final_utc_ms,
    s.first_submitted_utc_ms, m.verdict, m.segments, m.alternatives, m.extras,
    m.reference, m.scheduled_utc_ms, m.data_coding, m.esm_class"""

MESSAGE = f"""
SELECT {MESSAGE_COLUMNS}
FROM message m LEFT JOIN segment s ON s.id = (m.id << 8) + 1
WHERE m.id = ?"""  # noqa: S608 - constants of this module

SEGMENTS_OF_MESSAGE = """
SELECT id, state, reason, octets, smsc_id, bind, attempts, command_status, first_submitted_utc_ms, submitted_utc_ms,
    answered_utc_ms, final_utc_ms, due_utc_ms
FROM segment WHERE id BETWEEN (?1 << 8) + 1 AND (?1 << 8) + 255 ORDER BY id"""

HISTORY_OF_MESSAGE = """
SELECT segment_id, at_utc_ms, state, reason, bind, detail
FROM history INDEXED BY history_segment WHERE segment_id BETWEEN ?1 << 8 AND (?1 << 8) + 255 ORDER BY id"""

RECEIPTS_OF_MESSAGE = """
SELECT segment_id, received_utc_ms, done_utc_ms, bind, smsc_id, stat, state, error, reason, source_addr,
    destination_addr, flags, tlvs, raw
FROM receipt INDEXED BY receipt_segment
WHERE segment_id IS NOT NULL AND segment_id BETWEEN (?1 << 8) + 1 AND (?1 << 8) + 255 ORDER BY id"""

INBOUND = """
SELECT id, carrier, bind, received_utc_ms, source_ton, source_npi, source_addr, dest_ton, dest_npi, dest_addr,
    data_coding, esm_class, octets, text, tlvs
FROM inbound WHERE id < ? ORDER BY id DESC LIMIT ?"""

PARKED_RECEIPTS = """
SELECT id, carrier, bind, received_utc_ms, done_utc_ms, smsc_id, match_id, stat, state, error, source_addr,
    destination_addr, reference, flags, tlvs, raw
FROM receipt
WHERE id IN (
    SELECT id FROM receipt INDEXED BY receipt_waiting WHERE segment_id IS NULL AND id < ? ORDER BY id DESC LIMIT ?)
ORDER BY id DESC"""

QUARANTINE = """
SELECT id, carrier, bind, received_utc_ms, command_id, sequence_number, command_status, field, error, frame
FROM quarantine WHERE id < ? ORDER BY id DESC LIMIT ?"""

LEARNED_IDS_OF_ALL = """
SELECT carrier, relation, pinned, matched, total, learned FROM carrier_ids ORDER BY carrier"""

DEPTH_QUEUED = """
SELECT carrier, lane, count(*) FROM segment INDEXED BY segment_ready WHERE state = 0 GROUP BY carrier, lane"""

DEPTH_OPEN = """
SELECT state, carrier, count(*) FROM segment INDEXED BY segment_deadline
WHERE state <= 3 AND state > 0 GROUP BY state, carrier"""

OLDEST_QUEUED = """
SELECT min(oldest) FROM (
    SELECT (SELECT min(due_utc_ms) FROM segment INDEXED BY segment_ready
            WHERE state = 0 AND carrier = json_extract(j.value, '$[0]')
                AND lane = json_extract(j.value, '$[1]')) AS oldest
    FROM json_each(?) j)"""

#: How many, and when the oldest came: receipts have rising ids.
PARKED = """
SELECT parked, (SELECT received_utc_ms FROM receipt WHERE id = oldest) FROM (
    SELECT count(*) AS parked, min(id) AS oldest FROM receipt INDEXED BY receipt_parked WHERE segment_id IS NULL)"""

#: They are few: the newest of each carrier.
DEPTH_QUARANTINE = "SELECT count(*) FROM quarantine"
