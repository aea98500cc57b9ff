"""New messages, and their references. The package says how they are written."""

from __future__ import annotations

_COLUMNS_GIVEN = """id, account, carrier, lane, source_ton, source_npi, source_addr, dest_ton, dest_npi, dest_addr,
    text, alphabet, data_coding, esm_class, registered_delivery, segments, accepted_utc_ms, expires_utc_ms,
    client_ref, idempotency_key, digest, alternatives, extras"""

INSERT_MESSAGES = f"""
INSERT INTO message ({_COLUMNS_GIVEN})
VALUES {{rows}}"""  # noqa: S608 - constants of this module
INSERT_MESSAGES_ROW = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"

#: Those with a reference, or a time of their own.
INSERT_MESSAGES_APART = f"""
INSERT INTO message ({_COLUMNS_GIVEN}, reference, reference_until_utc_ms, scheduled_utc_ms)
VALUES {{rows}}"""  # noqa: S608 - constants of this module
INSERT_MESSAGES_APART_ROW = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"

INSERT_SEGMENTS = """
INSERT INTO segment (id, state, reason, claims, attempts, carrier, lane, parts, tracked, due_utc_ms, deadline_utc_ms,
    octets)
VALUES {rows}"""
INSERT_SEGMENTS_ROW = "(?,0,'accepted',0,0,?,?,?,?,?,?,?)"
#: With a reason of their own.
INSERT_SEGMENTS_APART = INSERT_SEGMENTS
INSERT_SEGMENTS_APART_ROW = "(?,0,?,0,0,?,?,?,?,?,?,?)"

FIND_IDEMPOTENT = """
SELECT json_group_array(json_array(j.key, m.id, hex(m.digest), m.segments))
FROM json_each(?) j
CROSS JOIN message m INDEXED BY message_idempotency
    ON m.account = json_extract(j.value, '$[0]') AND m.idempotency_key = json_extract(j.value, '$[1]')"""

LAST_MESSAGE_ID = "SELECT max(id) FROM message"

#: References from one after the newest on, around the lowest and the highest, until so many are found that nobody
#: has, or so many were looked at: each with how many messages have it, or wait for it, and until when. Of [dest_addr,
#: source_addr, wide, lowest, how many there are, most to be looked at, how many are wanted].
REFERENCES_FROM_NEWEST = """
WITH RECURSIVE tried (pair, dest, source, low, size, most, wanted, tries, reference, users) AS (
    SELECT j.key, json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]'), json_extract(j.value, '$[3]'),
        json_extract(j.value, '$[4]'), json_extract(j.value, '$[5]'), json_extract(j.value, '$[6]'), 0,
        coalesce(
            (SELECT m.reference FROM message m INDEXED BY message_numbered
             WHERE m.reference IS NOT NULL AND m.dest_addr = json_extract(j.value, '$[0]')
                AND m.source_addr = json_extract(j.value, '$[1]')
                AND (m.reference > 255) = json_extract(j.value, '$[2]')
             ORDER BY m.id DESC LIMIT 1),
            json_extract(j.value, '$[3]') - 1), 1
    FROM json_each(?1) j
    UNION ALL
    SELECT pair, dest, source, low, size, most, wanted - (users = 0), tries + 1,
        low + (reference - low + 1) % size,
        (SELECT count(*) FROM message u INDEXED BY message_reference
         WHERE u.dest_addr = dest AND u.source_addr = source
            AND u.reference = low + (tried.reference - low + 1) % size AND u.reference_until_utc_ms > ?2)
    FROM tried
    WHERE wanted > (users = 0) AND tries < most)
SELECT json_group_array(json_array(pair, reference, users, CASE WHEN users > 0 THEN (
    SELECT max(u.reference_until_utc_ms) FROM message u INDEXED BY message_reference
    WHERE u.dest_addr = dest AND u.source_addr = source AND u.reference = tried.reference
        AND u.reference_until_utc_ms > ?2) END))
FROM tried WHERE tries > 0"""

#: Of [dest_addr, source_addr, references]: until when these are held by messages that will not give them back before,
#: as they have ended; and until when by those and the ones of which no receipt will tell that they are delivered.
REFERENCES_HELD = """
SELECT json_group_array(json_array(pair, reference, ended, held)) FROM (
    SELECT j.key AS pair, wanted.value AS reference,
        max(u.reference_until_utc_ms) FILTER (WHERE u.verdict IS NOT NULL) AS ended,
        max(u.reference_until_utc_ms) AS held
    FROM json_each(?1) j
    CROSS JOIN json_each(j.value, '$[2]') wanted
    CROSS JOIN message u INDEXED BY message_reference
        ON u.dest_addr = json_extract(j.value, '$[0]') AND u.source_addr = json_extract(j.value, '$[1]')
        AND u.reference = wanted.value AND u.reference_until_utc_ms > ?2
    WHERE u.verdict IS NOT NULL OR u.registered_delivery = 0
    GROUP BY j.key, wanted.value)"""

#: Of messages that have ended: those of which no part waits on a phone for others, or may get there. Either all were
#: delivered, or each was given up by its carrier, or never got there (what is doubtful ends for no such reason). Not
#: where a part was written more than once, and perhaps not all of its copies answered: one may still be on its way.
DONE_WITH_REFERENCES = """
SELECT json_group_array(json_array(m.id, m.dest_addr, m.source_addr, m.reference))
FROM json_each(?) j
CROSS JOIN message m ON m.id = j.value
WHERE m.reference_until_utc_ms IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM segment s
    WHERE s.id BETWEEN (m.id << 8) + 1 AND (m.id << 8) + 255 AND NOT (
        (s.smsc_id IS NULL AND s.reason IN (
            'refused', 'retries_exhausted', 'validity_expired', 'cancelled_by_app', 'sibling_failed'))
        OR ((s.claims = 1 OR s.doubt_ends_utc_ms IS NULL) AND (m.verdict = 'delivered' OR (
            s.state IN (5, 6, 7, 8) AND s.reason IN ('receipt', 'receipt_matched_in_doubt', 'receipt_queried'))))))"""

GIVE_BACK_REFERENCES = """
UPDATE message SET reference_until_utc_ms = NULL WHERE id IN (SELECT value FROM json_each(?))"""

#: The segments that wait for one of these references, with how long others before them have it. Of [dest_addr,
#: source_addr, reference].
WAITING_FOR = """
SELECT json_group_array(json_array(s.id, s.carrier, s.due_utc_ms, w.scheduled_utc_ms, line.until))
FROM (
    SELECT u.id, max(u.reference_until_utc_ms) OVER (
        PARTITION BY j.key ORDER BY u.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until
    FROM json_each(?1) j
    CROSS JOIN message u INDEXED BY message_reference
        ON u.dest_addr = json_extract(j.value, '$[0]') AND u.source_addr = json_extract(j.value, '$[1]')
        AND u.reference = json_extract(j.value, '$[2]') AND u.reference_until_utc_ms > ?2) line
CROSS JOIN message w ON w.id = line.id
CROSS JOIN segment s ON s.id BETWEEN (w.id << 8) + 1 AND (w.id << 8) + 255
WHERE +s.state = 0 AND s.reason = 'references_in_use'"""

WAIT_ANEW = """
UPDATE segment SET reason = v.column2, due_utc_ms = v.column3
FROM (VALUES {rows}) AS v
WHERE segment.id = v.column1 AND +state = 0"""
WAIT_ANEW_ROW = "(?,?,?)"
