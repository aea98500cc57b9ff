"""Receipts that matched nothing when they came, and texts that may be one. The package says how they are written."""

from __future__ import annotations

#: Whether a receipt, or a text that may be one, waits for its id to appear.
ANY_PARKED = """
SELECT json_array(
    EXISTS (SELECT 1 FROM receipt INDEXED BY receipt_parked WHERE segment_id IS NULL AND carrier = ?1),
    EXISTS (SELECT 1 FROM inbound INDEXED BY inbound_sniffed WHERE sniff_id IS NOT NULL AND carrier = ?1))"""

#: When the newest of them came. The newest have the highest ids.
NEWEST_WAITING = """
SELECT json_array(
    (SELECT received_utc_ms FROM receipt INDEXED BY receipt_waiting
     WHERE segment_id IS NULL AND carrier = ?1 ORDER BY id DESC LIMIT 1),
    (SELECT received_utc_ms FROM inbound INDEXED BY inbound_waiting
     WHERE sniff_id IS NOT NULL AND carrier = ?1 ORDER BY id DESC LIMIT 1))"""

OLDEST_SUBMIT = """
SELECT min(s.submitted_utc_ms) FROM json_each(?) j CROSS JOIN segment s ON s.id = j.value"""

PARKED_BY_ID = """
SELECT json_group_array(json_array(r.id, r.smsc_id, r.match_id, r.state, r.stat, r.error, r.source_addr,
    r.destination_addr, r.reference, r.flags, r.received_utc_ms))
FROM json_each(?) j
CROSS JOIN receipt r ON r.id IN (
    SELECT same.id FROM receipt same INDEXED BY receipt_parked
    WHERE same.segment_id IS NULL AND same.carrier = ? AND same.match_id = j.value
    ORDER BY same.id DESC LIMIT 50)"""

PARKED_BY_SOURCE = """
SELECT json_group_array(json_array(r.id, r.smsc_id, r.match_id, r.state, r.stat, r.error, r.source_addr,
    r.destination_addr, r.reference, r.flags, r.received_utc_ms))
FROM json_each(?) j
CROSS JOIN receipt r INDEXED BY receipt_parked_source
    ON r.segment_id IS NULL AND r.carrier = ? AND r.source_addr = j.value"""

PARKED_BY_REFERENCE = """
SELECT json_group_array(json_array(r.id, r.smsc_id, r.match_id, r.state, r.stat, r.error, r.source_addr,
    r.destination_addr, r.reference, r.flags, r.received_utc_ms))
FROM json_each(?) j
CROSS JOIN receipt r INDEXED BY receipt_parked_reference
    ON r.segment_id IS NULL AND r.reference IS NOT NULL AND r.carrier = ? AND r.reference = j.value"""

#: Parked receipts above an id, in the order in which they came.
PARKED_AFTER = """
SELECT json_group_array(json_array(id, smsc_id, match_id, state, stat, error, source_addr, destination_addr,
    reference, flags, received_utc_ms))
FROM (
    SELECT * FROM receipt r INDEXED BY receipt_waiting
    WHERE r.segment_id IS NULL AND r.carrier = ? AND r.id > ? AND r.received_utc_ms <= ? ORDER BY r.id LIMIT ?)"""

NEWEST_PARKED = """
SELECT json_group_array(json_array(id, smsc_id, match_id, state, stat, error, source_addr, destination_addr,
    reference, flags, received_utc_ms))
FROM (
    SELECT * FROM receipt r INDEXED BY receipt_waiting
    WHERE r.segment_id IS NULL AND r.carrier = ? ORDER BY r.id DESC LIMIT ?)"""

OLDEST_PARKED = """
SELECT (SELECT received_utc_ms FROM receipt INDEXED BY receipt_waiting
        WHERE segment_id IS NULL AND carrier = ? ORDER BY id LIMIT 1)"""

#: No segment has the id 0: these leave the indexes of what is parked, and stay.
GIVE_UP_PARKED = """
UPDATE receipt SET segment_id = 0 WHERE id IN (
    SELECT id FROM (
        SELECT id, received_utc_ms FROM receipt r INDEXED BY receipt_waiting
        WHERE r.segment_id IS NULL AND r.carrier = ? ORDER BY r.id LIMIT ?)
    WHERE received_utc_ms <= ?)"""

UNPARK = """
UPDATE receipt SET segment_id = v.column2, reason = v.column3, flags = v.column4
FROM (VALUES {rows}) AS v
WHERE receipt.id = v.column1"""
UNPARK_ROW = "(?,?,?,?)"

#: With a text that may be a receipt: what it says as one.
KEEP_SNIFFED = """
UPDATE inbound SET receipt = v.column2
FROM (VALUES {rows}) AS v
WHERE inbound.id = v.column1"""
KEEP_SNIFFED_ROW = "(?,?)"

SNIFFED_BY_ID = """
SELECT json_group_array(json_array(i.id, i.bind, i.received_utc_ms, i.receipt))
FROM json_each(?) j
CROSS JOIN inbound i ON i.id IN (
    SELECT same.id FROM inbound same INDEXED BY inbound_sniffed
    WHERE same.sniff_id IS NOT NULL AND same.carrier = ? AND same.sniff_id = j.value
    ORDER BY same.id DESC LIMIT 50)
WHERE i.receipt IS NOT NULL"""

FORGET_SNIFFED = """
DELETE FROM inbound WHERE id IN (SELECT value FROM json_each(?))"""
