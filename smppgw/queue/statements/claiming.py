"""What is ready, and the limits on it. The package says how they are written."""

from __future__ import annotations

#: Lane by lane, in each by due time: the order in which the nested loops visit them. An ORDER BY over all lanes would
#: sort everything that is queued.
SELECT_READY = """
SELECT json_group_array(json_array(id, lane, source_ton, source_npi, source_addr, dest_ton, dest_npi, dest_addr,
    hex(octets), data_coding, esm_class, registered_delivery, accepted_utc_ms, expires_utc_ms, attempts,
    claims, parts, extras))
FROM (
    SELECT s.id, s.lane, m.source_ton, m.source_npi, m.source_addr, m.dest_ton, m.dest_npi, m.dest_addr, s.octets,
        m.data_coding, m.esm_class, m.registered_delivery, m.accepted_utc_ms, m.expires_utc_ms, s.attempts,
        s.claims, s.parts, m.extras
    FROM json_each('[0,1,2]') j
    CROSS JOIN segment s INDEXED BY segment_ready
        ON s.state = 0 AND s.carrier = ? AND s.lane = j.value AND s.due_utc_ms <= ?
    CROSS JOIN message m ON m.id = s.id >> 8
    LIMIT ?)"""

NEXT_DUE = """
SELECT min(due) FROM (
    SELECT (SELECT min(due_utc_ms) FROM segment INDEXED BY segment_ready
            WHERE state = 0 AND carrier = ? AND lane = j.value AND due_utc_ms > ?) AS due
    FROM json_each('[0,1,2]') j)"""

CLAIM = """
UPDATE segment SET state = 1, reason = 'claimed', claims = claims + 1, bind = ?1, submitted_utc_ms = ?2,
    first_submitted_utc_ms = coalesce(first_submitted_utc_ms, ?2)
WHERE id IN (SELECT value FROM json_each(?3)) AND +state = 0"""

PUT_OFF = """
UPDATE segment SET due_utc_ms = ?
WHERE id IN (SELECT value FROM json_each(?)) AND +state = 0"""

#: The same of these segments.
COPIES_OF = """
SELECT json_group_array(json_array(s.id, s.parts, s.unanswered))
FROM json_each(?) j
CROSS JOIN segment s ON s.id = j.value"""

#: Of the first so many that are due: those of these senders, in the order in which they would leave.
READY_OF_SENDERS = """
SELECT json_group_array(json_array(id, source_addr)) FROM (
    SELECT waiting.id, m.source_addr FROM (
        SELECT s.id FROM json_each('[0,1,2]') j
        CROSS JOIN segment s INDEXED BY segment_ready
            ON s.state = 0 AND s.carrier = ? AND s.lane = j.value AND s.due_utc_ms <= ?
        LIMIT ?) waiting
    CROSS JOIN message m ON m.id = waiting.id >> 8
    WHERE m.source_addr IN (SELECT value FROM json_each(?)))"""

#: Whether one of these limits is used up for any sender.
ANY_CAP_ENDED = """
SELECT EXISTS (
    SELECT 1 FROM json_each(?) j
    CROSS JOIN cap_use u ON u.carrier = ? AND u.cap = json_extract(j.value, '$[0]')
        AND u.start_utc_ms = json_extract(j.value, '$[1]') AND u.used >= json_extract(j.value, '$[2]'))"""

#: What is used of the limits on all senders together, by the index of the limit.
CAPS_USED = """
SELECT json_group_array(json_array(j.key, u.used))
FROM json_each(?) j
CROSS JOIN cap_use u ON u.carrier = ? AND u.sender = '' AND u.cap = json_extract(j.value, '$[0]')
    AND u.start_utc_ms = json_extract(j.value, '$[1]')"""

#: The same of the limits for each sender, for these senders.
SENDER_CAPS_USED = """
SELECT json_group_array(json_array(j.key, u.sender, u.used))
FROM json_each(?1) j
CROSS JOIN json_each(?2) sender
CROSS JOIN cap_use u ON u.carrier = ?3 AND u.sender = sender.value AND u.cap = json_extract(j.value, '$[0]')
    AND u.start_utc_ms = json_extract(j.value, '$[1]')"""

USE_CAPS = """
INSERT INTO cap_use (carrier, sender, cap, start_utc_ms, used) VALUES {rows}
ON CONFLICT (carrier, sender, cap) DO UPDATE SET
    used = excluded.used + CASE start_utc_ms WHEN excluded.start_utc_ms THEN used ELSE 0 END,
    start_utc_ms = excluded.start_utc_ms"""
USE_CAPS_ROW = "(?,?,?,?,?)"

ANY_CAPS = """
SELECT EXISTS (SELECT 1 FROM cap_use WHERE carrier = ?)"""

#: Who sent what goes back unwritten, and when it was claimed.
SENDERS_OF = """
SELECT json_group_array(json_array(m.source_addr, s.submitted_utc_ms))
FROM json_each(?) j
CROSS JOIN segment s ON s.id = j.value
CROSS JOIN message m ON m.id = s.id >> 8"""

#: A span that began after the claim has not counted it.
GIVE_CAPS_BACK = """
UPDATE cap_use SET used = max(used - v.column3, 0)
FROM (VALUES {rows}) AS v
WHERE cap_use.carrier = v.column1 AND cap_use.sender = v.column2 AND start_utc_ms <= v.column4"""
GIVE_CAPS_BACK_ROW = "(?,?,?,?)"
