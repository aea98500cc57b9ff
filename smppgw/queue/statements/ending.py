"""Ends, verdicts, history; deadlines and errands. The package says how they are written."""

from __future__ import annotations

RECORD_MOVE = """
UPDATE segment SET state = ?1, reason = ?2, final_utc_ms = ?3
WHERE id IN (SELECT value FROM json_each(?4))"""

#: Not sent again, and not called unsent either: a copy of it was written and never answered.
HOLD_DOUBTFUL = """
UPDATE segment SET state = 2, reason = ?, deadline_utc_ms = doubt_ends_utc_ms
WHERE id IN (SELECT value FROM json_each(?))"""

SIBLING_STATES = """
SELECT json_group_array(json_array(s.id >> 8, s.state))
FROM json_each(?) j
CROSS JOIN segment s ON s.id BETWEEN (j.value << 8) + 1 AND (j.value << 8) + 255"""

#: What still waits of messages of which a part was refused for good, or taken back: id, parts, unanswered copies.
WAITING_SIBLINGS = """
SELECT json_group_array(json_array(s.id, s.parts, s.unanswered))
FROM json_each(?) j
CROSS JOIN segment s ON s.id BETWEEN (j.value << 8) + 1 AND (j.value << 8) + 255
WHERE +s.state = 0 AND EXISTS (
    SELECT 1 FROM segment refused
    WHERE refused.id BETWEEN (j.value << 8) + 1 AND (j.value << 8) + 255 AND (
        refused.state IN (7, 9) OR (refused.state IN (2, 8) AND refused.reason = 'cancelled_by_app')))"""

SET_VERDICT = """
UPDATE message SET verdict = ?, final_utc_ms = ? WHERE id IN (SELECT value FROM json_each(?))"""

INSERT_HISTORY = """
INSERT INTO history (segment_id, at_utc_ms, state, reason, bind, detail)
VALUES {rows}"""
INSERT_HISTORY_ROW = "(?,?,?,?,?,?)"

PAST_DEADLINE = """
SELECT json_group_array(json_array(id, parts, unanswered)) FROM (
    SELECT id, parts, unanswered FROM segment INDEXED BY segment_deadline
    WHERE state = ? AND state <= 3 AND deadline_utc_ms <= ? ORDER BY deadline_utc_ms LIMIT ?)"""

#: SENT, and no final receipt in time: with whether and how often the carrier was asked by query_sm, whether it is
#: still to be asked, when it was sent, and the end of its validity.
OVERDUE_RECEIPTS = """
SELECT json_group_array(json_array(id, parts, carrier, smsc_id IS NOT NULL, queries, errand <> 0, submitted_utc_ms,
    (SELECT expires_utc_ms FROM message WHERE message.id = overdue.id >> 8)))
FROM (
    SELECT id, parts, carrier, smsc_id, queries, errand, submitted_utc_ms FROM segment INDEXED BY segment_deadline
    WHERE state = 3 AND state <= 3 AND deadline_utc_ms <= ? ORDER BY deadline_utc_ms LIMIT ?) overdue"""

#: Asked about for nothing before its time was over: id, when that is.
WAIT_FOR_RECEIPT = """
UPDATE segment SET deadline_utc_ms = v.column2
FROM (VALUES {rows}) AS v
WHERE segment.id = v.column1 AND +state = 3"""
WAIT_FOR_RECEIPT_ROW = "(?,?)"

ASK_BY_QUERY = """
UPDATE segment SET errand = CASE errand WHEN 0 THEN 1 ELSE errand END, deadline_utc_ms = ?
WHERE id IN (SELECT value FROM json_each(?)) AND +state = 3"""

#: cancel_sm before query_sm, and those of older messages first.
ERRANDS = """
SELECT json_group_array(json_array(id, errand, state, smsc_id, source_ton, source_npi, source_addr, dest_ton,
    dest_npi, dest_addr))
FROM (
    SELECT s.id, s.errand, s.state, s.smsc_id, m.source_ton, m.source_npi, m.source_addr, m.dest_ton, m.dest_npi,
        m.dest_addr
    FROM segment s INDEXED BY segment_errand
    CROSS JOIN message m ON m.id = s.id >> 8
    WHERE s.errand <> 0 AND s.errand > 0 AND s.carrier = ? ORDER BY s.errand DESC, s.id LIMIT ?)"""

ERRANDS_TAKEN = """
UPDATE segment SET errand = -errand WHERE id IN (SELECT value FROM json_each(?)) AND errand > 0"""

ERRANDS_DROPPED = """
UPDATE segment SET errand = 0 WHERE id IN (SELECT value FROM json_each(?))"""

#: After a start no bind has anything in hand.
ERRANDS_LEFT = """
UPDATE segment INDEXED BY segment_errand SET errand = -errand WHERE errand <> 0 AND errand < 0 AND carrier > ''"""

#: What came of errands: id, kind, 1 where it was asked, and what is left: 0, or the kind where it is listed again.
RECORD_ERRANDS = """
UPDATE segment SET errand = CASE abs(errand) WHEN v.column2 THEN v.column4 ELSE errand END,
    queries = queries + CASE v.column2 WHEN 1 THEN v.column3 ELSE 0 END,
    cancels = cancels + CASE v.column2 WHEN 2 THEN v.column3 ELSE 0 END
FROM (VALUES {rows}) AS v
WHERE segment.id = v.column1"""
RECORD_ERRANDS_ROW = "(?,?,?,?)"

ASKED_ABOUT = """
SELECT json_group_array(json_array(s.id, s.state, s.reason, s.parts, s.submitted_utc_ms, s.cancels))
FROM json_each(?) j
CROSS JOIN segment s ON s.id = j.value"""

#: The segments of a message that its account takes back.
TO_CANCEL = """
SELECT json_group_array(json_array(s.id, s.state, s.reason, s.parts, s.unanswered, s.smsc_id IS NOT NULL, s.carrier))
FROM message m
CROSS JOIN segment s ON s.id BETWEEN (m.id << 8) + 1 AND (m.id << 8) + 255
WHERE m.id = ? AND m.account = ?"""

ASK_TO_CANCEL = """
UPDATE segment SET errand = CASE errand WHEN -2 THEN -2 ELSE 2 END
WHERE id IN (SELECT value FROM json_each(?)) AND +state = 3"""

PROBE_WRITE = """
INSERT INTO history (segment_id, at_utc_ms, state, reason, bind, detail)
VALUES (0, 0, 0, 'probe', '', hex(zeroblob(32768)))"""

PROBE_TAKE_BACK = """
DELETE FROM history WHERE segment_id = 0"""
