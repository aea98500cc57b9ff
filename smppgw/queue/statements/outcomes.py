"""The answers to submit_sm, and what has none. The package says how they are written."""

from __future__ import annotations

#: SENT, or UNTRACKED where no receipt can come. What a doubt did to the deadline is undone. An answer to any copy
#: will do; those to the others are late.
RECORD_ACCEPTED = """
UPDATE segment SET
    state = CASE WHEN v.column2 = '' OR NOT tracked THEN 10 ELSE 3 END,
    reason = CASE WHEN v.column2 = '' OR NOT tracked THEN 'no_receipt_possible' ELSE 'carrier_accepted' END,
    smsc_id = nullif(v.column2, ''), command_status = 0, answered_utc_ms = ?1,
    final_utc_ms = CASE WHEN v.column2 = '' OR NOT tracked THEN ?1 END,
    deadline_utc_ms = min(CASE state WHEN 2 THEN ?1 ELSE deadline_utc_ms END + ?2, ?3), unanswered = 0
FROM (VALUES {rows}) AS v
WHERE segment.id = v.column1 AND ((+state = 1 AND claims = v.column3) OR (+state <= 2 AND +unanswered > 0))"""
RECORD_ACCEPTED_ROW = "(?,?,?)"

#: Those of the batch whose acceptance is not the end of the matter for now: no receipt will follow it, or an app took
#: the segment back while it was in doubt.
ACCEPTED_APART = """
SELECT json_group_array(json_array(s.id, s.parts, NOT s.tracked OR json_extract(j.value, '$[1]') = ''))
FROM json_each(?) j
CROSS JOIN segment s ON s.id = json_extract(j.value, '$[0]')
WHERE ((s.state = 1 AND s.claims = json_extract(j.value, '$[2]')) OR (s.state <= 2 AND s.unanswered > 0))
    AND (NOT s.tracked OR json_extract(j.value, '$[1]') = '' OR (s.state = 2 AND s.reason = 'cancelled_by_app'))"""

#: An acceptance that came too late to move its segment still tells the id that a receipt will carry. Not where the
#: segment has another carrier by now: there the id would be somebody else's.
LEARN_LATE_ID = """
UPDATE segment SET smsc_id = v.column2
FROM (VALUES {rows}) AS v
WHERE segment.id = v.column1 AND smsc_id IS NULL AND v.column2 <> '' AND +carrier = v.column3"""
LEARN_LATE_ID_ROW = "(?,?,?)"

#: The same where it has another id already: both of its copies may have their receipts.
LEARN_OTHER_ID = """
INSERT OR IGNORE INTO other_id (carrier, smsc_id, segment_id)
SELECT s.carrier, v.column2, s.id
FROM (VALUES {rows}) AS v
CROSS JOIN segment s ON s.id = v.column1
WHERE s.smsc_id <> v.column2 AND v.column2 <> '' AND s.carrier = v.column3"""
LEARN_OTHER_ID_ROW = "(?,?,?)"

REFUSED_SEGMENTS = """
SELECT json_group_array(json_array(s.id, json_extract(j.value, '$[1]'), s.state, s.reason, s.attempts, s.parts,
    s.due_utc_ms, m.expires_utc_ms, s.unanswered, s.doubt_ends_utc_ms,
    s.state <> 1 OR s.claims <> json_extract(j.value, '$[1]')))
FROM json_each(?) j
CROSS JOIN segment s ON s.id = json_extract(j.value, '$[0]')
CROSS JOIN message m ON m.id = s.id >> 8
WHERE (s.state = 1 AND s.claims = json_extract(j.value, '$[1]')) OR (s.state <= 2 AND s.unanswered > 0)"""

#: One statement for every refusal: id, state, reason, due, deadline, attempts, command_status, final, unanswered.
RECORD_REFUSED = """
UPDATE segment SET state = v.column2, reason = v.column3, due_utc_ms = v.column4, deadline_utc_ms = v.column5,
    attempts = v.column6, command_status = v.column7,
    answered_utc_ms = iif(v.column7 IS NULL, answered_utc_ms, ?), final_utc_ms = v.column8,
    unanswered = v.column9
FROM (VALUES {rows}) AS v
WHERE segment.id = v.column1 AND +state IN (1, 2)"""
RECORD_REFUSED_ROW = "(?,?,?,?,?,?,?,?,?)"

#: A refusal of one copy that moves nothing: of the others one is still unanswered, or waits, or is on its way.
RECORD_ANSWERED = """
UPDATE segment SET unanswered = v.column2
FROM (VALUES {rows}) AS v
WHERE segment.id = v.column1 AND +state <= 2"""
RECORD_ANSWERED_ROW = "(?,?)"

#: All segments of the messages that have another carrier to go to, with how many copies of each are unanswered.
REROUTABLE = """
SELECT json_group_array(json_array(m.id, m.alternatives, s.id, s.state, s.smsc_id IS NULL, s.unanswered))
FROM json_each(?) j
CROSS JOIN message m ON m.id = j.value
CROSS JOIN segment s ON s.id BETWEEN (m.id << 8) + 1 AND (m.id << 8) + 255
WHERE m.alternatives IS NOT NULL"""

REROUTE_MESSAGES = """
UPDATE message SET carrier = v.column2, alternatives = v.column3
FROM (VALUES {rows}) AS v
WHERE message.id = v.column1"""
REROUTE_MESSAGES_ROW = "(?,?,?)"

REROUTE_SEGMENTS = """
UPDATE segment SET carrier = v.column2, reason = 'rerouted', attempts = 0, due_utc_ms = min(due_utc_ms, ?1)
FROM (VALUES {rows}) AS v
WHERE segment.id = v.column1 AND +state = 0"""
REROUTE_SEGMENTS_ROW = "(?,?)"

#: Those of the batch that are in flight by the very claim.
IN_FLIGHT_OF = """
SELECT json_group_array(json_array(s.id, s.attempts, s.parts))
FROM json_each(?) j
CROSS JOIN segment s ON s.id = json_extract(j.value, '$[0]')
WHERE s.claims = json_extract(j.value, '$[1]') AND s.state = 1"""

WITHDRAW = """
UPDATE segment SET state = 0, reason = 'not_written'
WHERE id IN (SELECT value FROM json_each(?)) AND +state = 1"""

DOUBT = """
UPDATE segment SET state = 2, reason = ?1, deadline_utc_ms = ?2, unanswered = unanswered + 1, doubt_ends_utc_ms = ?2
WHERE id IN (SELECT value FROM json_each(?3)) AND +state = 1"""

RESEND = """
UPDATE segment SET state = 0, reason = 'resent_after_doubt', due_utc_ms = v.column2, attempts = attempts + 1,
    unanswered = unanswered + 1, doubt_ends_utc_ms = ?
FROM (VALUES {rows}) AS v
WHERE segment.id = v.column1 AND +state = 1"""
RESEND_ROW = "(?,?)"

LEFT_IN_FLIGHT = """
SELECT json_group_array(json_array(id, carrier, bind, attempts, parts))
FROM segment INDEXED BY segment_deadline WHERE state = 1 AND state <= 3"""
