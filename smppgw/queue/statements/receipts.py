"""Receipts: the ids that they bear, whose they are, and what they do. The package says how they are written."""

from __future__ import annotations

#: The newest of each id are enough, and all that may be looked at: some SMSCs give every message the same one.
SEGMENTS_BY_SMSC_ID = """
SELECT json_group_array(json_array(j.key, s.id, s.state, s.reason, s.parts, s.submitted_utc_ms, m.dest_addr,
    m.source_addr))
FROM json_each(?1) j
CROSS JOIN segment s ON s.id IN (
    SELECT id FROM (
        SELECT same.id FROM segment same INDEXED BY segment_smsc_id
        WHERE same.carrier = ?2 AND same.smsc_id = j.value
        ORDER BY same.id DESC LIMIT 50)
    UNION ALL
    SELECT o.segment_id FROM other_id o WHERE o.carrier = ?2 AND o.smsc_id = j.value)
CROSS JOIN message m ON m.id = s.id >> 8"""

#: What is known of the ids of a carrier.
LEARNED_IDS = """
SELECT relation, pinned, matched, total, learned FROM carrier_ids WHERE carrier = ?"""

CARRIERS_WITH_IDS = """
SELECT json_group_array(carrier) FROM carrier_ids"""

SAVE_LEARNED_IDS = """
INSERT INTO carrier_ids (carrier, relation, pinned, matched, total, learned) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (carrier) DO UPDATE SET relation = excluded.relation, pinned = excluded.pinned,
    matched = excluded.matched, total = excluded.total, learned = excluded.learned"""

COUNT_IDS = """
UPDATE carrier_ids SET matched = ?, total = ? WHERE carrier = ?"""

#: What the message_ids of a carrier look like: those of the newest segments that wait for their receipt.
NEWEST_SMSC_IDS = """
SELECT json_group_array(smsc_id) FROM (
    SELECT s.smsc_id
    FROM (SELECT id, carrier FROM segment INDEXED BY segment_deadline
          WHERE state = 3 AND state <= 3 ORDER BY deadline_utc_ms DESC LIMIT 1000) newest
    CROSS JOIN segment s ON s.id = newest.id
    WHERE newest.carrier = ? AND s.smsc_id IS NOT NULL LIMIT 100)"""

#: Where none of the newest is the carrier's: some that it once gave.
SOME_SMSC_IDS = """
SELECT json_group_array(smsc_id) FROM (
    SELECT smsc_id FROM segment INDEXED BY segment_smsc_id
    WHERE carrier = ? AND smsc_id IS NOT NULL ORDER BY smsc_id DESC LIMIT 100)"""

#: The recipients of what the carrier has not answered yet, and when it was written.
UNANSWERED_TO = """
SELECT json_group_array(json_array(dest_addr, written)) FROM (
    SELECT m.dest_addr, min(s.first_submitted_utc_ms) AS written FROM (
        SELECT id FROM segment INDEXED BY segment_deadline
        WHERE state IN (1, 2) AND state <= 3 AND carrier = ?1
        UNION ALL
        SELECT id FROM segment INDEXED BY segment_doubtful
        WHERE unanswered > 0 AND state <= 1 AND carrier = ?1) waiting
    CROSS JOIN segment s ON s.id = waiting.id
    CROSS JOIN message m ON m.id = waiting.id >> 8
    WHERE s.first_submitted_utc_ms IS NOT NULL
    GROUP BY m.dest_addr)"""

#: What was written and not answered, held or to be sent again, with the recipients.
IN_DOUBT_TO = """
SELECT json_group_array(json_array(doubtful.id, m.dest_addr)) FROM (
    SELECT id FROM segment INDEXED BY segment_deadline
    WHERE state = 2 AND state <= 3 AND carrier = ?1
    UNION ALL
    SELECT id FROM segment INDEXED BY segment_doubtful
    WHERE unanswered > 0 AND state <= 1 AND carrier = ?1) doubtful
CROSS JOIN message m ON m.id = doubtful.id >> 8"""

#: All that was written to these recipients and may still get a receipt: what one without a known id may be of. A
#: segment of several copies may get one for each, and one that has left the carrier may get one of it. With whether
#: it is in doubt.
WRITTEN_TO = """
SELECT json_group_array(json_array(s.id, s.state, s.reason, s.parts, s.submitted_utc_ms, m.dest_addr, m.source_addr,
    s.carrier = ?3 AND s.state <= 2 AND s.unanswered > 0))
FROM json_each(?1) j
CROSS JOIN message m INDEXED BY message_recipient ON m.dest_addr = j.value AND m.id >= ?2
CROSS JOIN segment s ON s.id BETWEEN (m.id << 8) + 1 AND (m.id << 8) + 255
WHERE s.submitted_utc_ms IS NOT NULL
    AND (s.claims > 1 OR s.reason NOT IN ('receipt', 'receipt_matched_in_doubt'))
    AND (s.carrier = ?3 OR EXISTS (
        SELECT 1 FROM history h INDEXED BY history_segment WHERE h.segment_id = s.id AND h.reason = 'rerouted'))"""

CARRIERS_IN_DOUBT = """
SELECT json_group_array(carrier) FROM (
    SELECT carrier FROM segment INDEXED BY segment_deadline WHERE state = 2 AND state <= 3
    UNION
    SELECT carrier FROM segment INDEXED BY segment_doubtful
    WHERE unanswered > 0 AND state <= 1 AND carrier > '')"""

INSERT_RECEIPTS = """
INSERT INTO receipt (carrier, bind, smsc_id, match_id, segment_id, reason, state, stat, error, source_addr,
    destination_addr, raw, done_utc_ms, reference, flags, tlvs, received_utc_ms)
VALUES {rows}"""
INSERT_RECEIPTS_ROW = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"

#: A receipt in between proves that the carrier has what was in doubt: it waits for the final one like any other.
RECORD_SENT = """
UPDATE segment SET state = 3, reason = ?1, deadline_utc_ms = ?2 + max(?3, (
    SELECT expires_utc_ms FROM message WHERE message.id = segment.id >> 8))
WHERE id IN (SELECT value FROM json_each(?4))"""

#: Segments matched while in doubt: the receipt tells their id.
LEARN_SMSC_ID = """
UPDATE segment SET smsc_id = v.column2
FROM (VALUES {rows}) AS v
WHERE segment.id = v.column1"""
LEARN_SMSC_ID_ROW = "(?,?)"
