"""Every SQL statement of the store, by name.

A statement takes a whole batch: ids travel as one JSON array read by json_each, wide rows as one multi-row VALUES
(`{rows}`, see `with_rows`). Figures for that choice: 4 us a row, where executemany took hundreds under load.

What a statement finds comes back as one row with one JSON array (`Transaction.found`): sqlite3 gives the GIL away for
each row it steps to, and with a busy main thread waits up to the switch interval to get it back. Octets travel as hex
inside it. Aggregates take rows in the order in which the subquery yields them.

`state <= 3` beside a narrower condition is there for SQLite, which uses a partial index only where it finds the
index's own condition. CROSS JOIN fixes the order of a join (SQLite never reorders it), INDEXED BY the index, and a
unary + keeps a comparison from choosing an index of its own. tests/queue/test_statements.py reads the plan of each.
"""

from __future__ import annotations

from functools import lru_cache

INSERT_MESSAGES = """
INSERT INTO message (id, account, carrier, lane, source_ton, source_npi, source_addr, dest_ton, dest_npi, dest_addr,
    text, alphabet, data_coding, esm_class, registered_delivery, segments, accepted_utc_ms, expires_utc_ms,
    client_ref, idempotency_key, digest)
VALUES {rows}"""
INSERT_MESSAGES_ROW = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"

INSERT_SEGMENTS = """
INSERT INTO segment (id, state, reason, claims, attempts, carrier, lane, parts, tracked, due_utc_ms, deadline_utc_ms,
    octets)
VALUES {rows}"""
INSERT_SEGMENTS_ROW = "(?,0,'accepted',0,0,?,?,?,?,?,?,?)"

FIND_IDEMPOTENT = """
SELECT json_group_array(json_array(j.key, m.id, hex(m.digest), m.segments))
FROM json_each(?) j
CROSS JOIN message m INDEXED BY message_idempotency
    ON m.account = json_extract(j.value, '$[0]') AND m.idempotency_key = json_extract(j.value, '$[1]')"""

#: Lane by lane, in each by due time: the order in which the nested loops visit them. An ORDER BY over all lanes would
#: sort everything that is queued.
SELECT_READY = """
SELECT json_group_array(json_array(id, lane, source_ton, source_npi, source_addr, dest_ton, dest_npi, dest_addr,
    hex(octets), data_coding, esm_class, registered_delivery, accepted_utc_ms, expires_utc_ms, attempts,
    claims))
FROM (
    SELECT s.id, s.lane, m.source_ton, m.source_npi, m.source_addr, m.dest_ton, m.dest_npi, m.dest_addr, s.octets,
        m.data_coding, m.esm_class, m.registered_delivery, m.accepted_utc_ms, m.expires_utc_ms, s.attempts,
        s.claims
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

#: SENT, or UNTRACKED where no receipt can come. What a doubt did to the deadline is undone.
RECORD_ACCEPTED = """
UPDATE segment SET
    state = CASE WHEN v.column2 = '' OR NOT tracked THEN 10 ELSE 3 END,
    reason = CASE WHEN v.column2 = '' OR NOT tracked THEN 'no_receipt_possible' ELSE 'carrier_accepted' END,
    smsc_id = nullif(v.column2, ''), command_status = 0, answered_utc_ms = ?1,
    final_utc_ms = CASE WHEN v.column2 = '' OR NOT tracked THEN ?1 END,
    deadline_utc_ms = CASE state WHEN 2 THEN ?1 ELSE deadline_utc_ms END + ?2
FROM (VALUES {rows}) AS v
WHERE segment.id = v.column1 AND claims = v.column3
    AND (+state IN (1, 2) OR (+state = 0 AND reason = 'resent_after_doubt'))"""
RECORD_ACCEPTED_ROW = "(?,?,?)"

#: Those of the batch whose acceptance will not be followed by a receipt.
ACCEPTED_UNTRACKED = """
SELECT json_group_array(json_array(s.id, s.parts))
FROM json_each(?) j
CROSS JOIN segment s ON s.id = json_extract(j.value, '$[0]')
WHERE s.claims = json_extract(j.value, '$[2]')
    AND (s.state IN (1, 2) OR (s.state = 0 AND s.reason = 'resent_after_doubt'))
    AND (NOT s.tracked OR json_extract(j.value, '$[1]') = '')"""

#: An acceptance that came too late to move its segment still tells the id that a receipt will carry.
LEARN_LATE_ID = """
UPDATE segment SET smsc_id = v.column2
FROM (VALUES {rows}) AS v
WHERE segment.id = v.column1 AND smsc_id IS NULL AND v.column2 <> ''"""
LEARN_LATE_ID_ROW = "(?,?)"

REFUSED_SEGMENTS = """
SELECT json_group_array(json_array(s.id, s.claims, s.state, s.attempts, s.parts, s.due_utc_ms, m.expires_utc_ms))
FROM json_each(?) j
CROSS JOIN segment s ON s.id = json_extract(j.value, '$[0]')
CROSS JOIN message m ON m.id = s.id >> 8
WHERE s.claims = json_extract(j.value, '$[1]') AND s.state IN (1, 2)"""

#: One statement for every refusal: id, state, reason, due, deadline, attempts, command_status, final.
RECORD_REFUSED = """
UPDATE segment SET state = v.column2, reason = v.column3, due_utc_ms = v.column4, deadline_utc_ms = v.column5,
    attempts = v.column6, command_status = v.column7, answered_utc_ms = ?, final_utc_ms = v.column8
FROM (VALUES {rows}) AS v
WHERE segment.id = v.column1 AND +state IN (1, 2)"""
RECORD_REFUSED_ROW = "(?,?,?,?,?,?,?,?)"

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
UPDATE segment SET state = 2, reason = ?, deadline_utc_ms = ?
WHERE id IN (SELECT value FROM json_each(?)) AND +state = 1"""

RESEND = """
UPDATE segment SET state = 0, reason = 'resent_after_doubt', due_utc_ms = v.column2, attempts = attempts + 1
FROM (VALUES {rows}) AS v
WHERE segment.id = v.column1 AND +state = 1"""
RESEND_ROW = "(?,?)"

LEFT_IN_FLIGHT = """
SELECT json_group_array(json_array(id, carrier, bind, attempts, parts))
FROM segment INDEXED BY segment_deadline WHERE state = 1 AND state <= 3"""

#: The newest of each id are enough, and all that may be looked at: some SMSCs give every message the same one.
SEGMENTS_BY_SMSC_ID = """
SELECT json_group_array(json_array(j.key, s.id, s.state, s.reason, s.parts, s.submitted_utc_ms))
FROM json_each(?) j
CROSS JOIN segment s ON s.id IN (
    SELECT same.id FROM segment same INDEXED BY segment_smsc_id
    WHERE same.carrier = ? AND same.smsc_id = j.value
    ORDER BY same.id DESC LIMIT 50)"""

#: Recipient and sender of a segment, for those whose id does not tell enough.
ADDRESSES_OF = """
SELECT json_group_array(json_array(j.value, m.dest_addr, m.source_addr))
FROM json_each(?) j
CROSS JOIN message m ON m.id = j.value >> 8"""

IN_DOUBT_TO = """
SELECT json_group_array(DISTINCT m.dest_addr)
FROM segment s INDEXED BY segment_deadline
CROSS JOIN message m ON m.id = s.id >> 8
WHERE s.state = 2 AND s.state <= 3 AND s.carrier = ?"""

#: All that was written to these recipients and has no final receipt: what a receipt without a known id may be of.
WRITTEN_TO = """
SELECT json_group_array(json_array(s.id, s.state, s.reason, s.parts, s.submitted_utc_ms, m.dest_addr, m.source_addr))
FROM json_each(?) j
CROSS JOIN message m INDEXED BY message_recipient ON m.dest_addr = j.value AND m.id >= ?
CROSS JOIN segment s ON s.id BETWEEN (m.id << 8) + 1 AND (m.id << 8) + 255
WHERE s.carrier = ? AND s.submitted_utc_ms IS NOT NULL AND s.reason NOT IN ('receipt', 'receipt_matched_in_doubt')"""

CARRIERS_IN_DOUBT = """
SELECT json_group_array(DISTINCT carrier) FROM segment INDEXED BY segment_deadline WHERE state = 2 AND state <= 3"""

INSERT_RECEIPTS = """
INSERT INTO receipt (carrier, bind, smsc_id, segment_id, reason, state, stat, error, source_addr, destination_addr,
    raw, received_utc_ms)
VALUES {rows}"""
INSERT_RECEIPTS_ROW = "(?,?,?,?,?,?,?,?,?,?,?,?)"

RECORD_MOVE = """
UPDATE segment SET state = ?1, reason = ?2, final_utc_ms = ?3
WHERE id IN (SELECT value FROM json_each(?4))"""

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

ANY_PARKED = """
SELECT EXISTS (SELECT 1 FROM receipt INDEXED BY receipt_parked WHERE segment_id IS NULL AND carrier = ?)"""

PARKED_BY_ID = """
SELECT json_group_array(json_array(r.id, r.smsc_id, r.state, r.stat, r.error, r.source_addr, r.destination_addr,
    r.received_utc_ms))
FROM json_each(?) j
CROSS JOIN receipt r ON r.id IN (
    SELECT same.id FROM receipt same INDEXED BY receipt_parked
    WHERE same.segment_id IS NULL AND same.carrier = ? AND same.smsc_id = j.value
    ORDER BY same.id DESC LIMIT 50)"""

PARKED_BY_SOURCE = """
SELECT json_group_array(json_array(r.id, r.smsc_id, r.state, r.stat, r.error, r.source_addr, r.destination_addr,
    r.received_utc_ms))
FROM json_each(?) j
CROSS JOIN receipt r INDEXED BY receipt_parked_source
    ON r.segment_id IS NULL AND r.carrier = ? AND r.source_addr = j.value"""

UNPARK = """
UPDATE receipt SET segment_id = v.column2, reason = v.column3
FROM (VALUES {rows}) AS v
WHERE receipt.id = v.column1"""
UNPARK_ROW = "(?,?,?)"

SIBLING_STATES = """
SELECT json_group_array(json_array(s.id >> 8, s.state))
FROM json_each(?) j
CROSS JOIN segment s ON s.id BETWEEN (j.value << 8) + 1 AND (j.value << 8) + 255"""

#: What still waits of messages of which a part was refused for good.
CANCEL_SIBLINGS = """
UPDATE segment SET state = 8, reason = 'sibling_failed', final_utc_ms = ?
WHERE id IN (
    SELECT s.id FROM json_each(?) j
    CROSS JOIN segment s ON s.id BETWEEN (j.value << 8) + 1 AND (j.value << 8) + 255
    WHERE s.state = 0 AND EXISTS (
        SELECT 1 FROM segment refused
        WHERE refused.id BETWEEN (j.value << 8) + 1 AND (j.value << 8) + 255 AND refused.state IN (7, 9)))"""

SET_VERDICT = """
UPDATE message SET verdict = ?, final_utc_ms = ? WHERE id IN (SELECT value FROM json_each(?))"""

INSERT_HISTORY = """
INSERT INTO history (segment_id, at_utc_ms, state, reason, bind, detail)
VALUES {rows}"""
INSERT_HISTORY_ROW = "(?,?,?,?,?,?)"

INSERT_INBOUND = """
INSERT INTO inbound (carrier, bind, received_utc_ms, source_ton, source_npi, source_addr, dest_ton, dest_npi,
    dest_addr, data_coding, esm_class, octets, text)
VALUES {rows}"""
INSERT_INBOUND_ROW = "(?,?,?,?,?,?,?,?,?,?,?,?,?)"

PAST_DEADLINE = """
SELECT json_group_array(json_array(id, parts)) FROM (
    SELECT id, parts FROM segment INDEXED BY segment_deadline
    WHERE state = ? AND state <= 3 AND deadline_utc_ms <= ? ORDER BY deadline_utc_ms LIMIT ?)"""

PROBE_WRITE = """
INSERT INTO history (segment_id, at_utc_ms, state, reason, bind, detail)
VALUES (0, 0, 0, 'probe', '', hex(zeroblob(32768)))"""

PROBE_TAKE_BACK = """
DELETE FROM history WHERE segment_id = 0"""

# What the store shows ---------------------------------------------------------------------------------------------

MESSAGE_COLUMNS = """m.id, m.account, m.carrier, m.lane, m.source_ton, m.source_npi, m.source_addr, m.dest_ton,
    m.dest_npi, m.dest_addr, m.text, m.alphabet, m.client_ref, m.accepted_utc_ms, m.expires_utc_ms, m.final_utc_ms,
    s.first_submitted_utc_ms, m.verdict, m.segments"""

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
FROM history INDEXED BY history_segment WHERE segment_id BETWEEN (?1 << 8) + 1 AND (?1 << 8) + 255 ORDER BY id"""

RECEIPTS_OF_MESSAGE = """
SELECT segment_id, received_utc_ms, reason, bind, stat, error, smsc_id, source_addr, destination_addr
FROM receipt INDEXED BY receipt_segment
WHERE segment_id IS NOT NULL AND segment_id BETWEEN (?1 << 8) + 1 AND (?1 << 8) + 255 ORDER BY id"""

INBOUND = """
SELECT id, carrier, bind, received_utc_ms, source_ton, source_npi, source_addr, dest_ton, dest_npi, dest_addr,
    data_coding, esm_class, octets, text
FROM inbound WHERE id < ? ORDER BY id DESC LIMIT ?"""

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

PARKED_COUNT = """
SELECT count(*) FROM receipt INDEXED BY receipt_parked WHERE segment_id IS NULL"""

LAST_MESSAGE_ID = "SELECT max(id) FROM message"


#: Most rows of one statement. Each number of rows is a statement of its own, which SQLite keeps prepared (1.5 KiB a
#: row of a wide table), so only some numbers are used: up to 31, then multiples of 16.
MOST_ROWS = 256
_FINE_ROWS = 32
_STEP_ROWS = 16


def piece_of(rows: int, most: int = MOST_ROWS) -> int:
    """How many of `rows` rows the next statement takes."""
    rows = min(rows, most)
    return rows if rows < _FINE_ROWS else rows - rows % _STEP_ROWS


@lru_cache(maxsize=512)
def with_rows(statement: str, row: str, count: int) -> str:
    """The statement for `count` rows. Cached, so that SQLite's own cache of prepared statements is met again."""
    return statement.replace("{rows}", ",".join([row] * count))
