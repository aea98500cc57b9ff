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
    client_ref, idempotency_key, digest, alternatives, extras)
VALUES {rows}"""
INSERT_MESSAGES_ROW = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"

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

#: Not sent again, and not called unsent either: a copy of it was written and never answered.
HOLD_DOUBTFUL = """
UPDATE segment SET state = 2, reason = ?, deadline_utc_ms = doubt_ends_utc_ms
WHERE id IN (SELECT value FROM json_each(?))"""

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

LEARNED_IDS_OF_ALL = """
SELECT carrier, relation, pinned, matched, total, learned FROM carrier_ids ORDER BY carrier"""

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

SIBLING_STATES = """
SELECT json_group_array(json_array(s.id >> 8, s.state))
FROM json_each(?) j
CROSS JOIN segment s ON s.id BETWEEN (j.value << 8) + 1 AND (j.value << 8) + 255"""

#: What still waits of messages of which a part was refused for good, or taken back: id, parts, unanswered copies.
WAITING_SIBLINGS = """
SELECT json_group_array(json_array(s.id, s.parts, s.unanswered))
FROM json_each(?) j
CROSS JOIN segment s ON s.id BETWEEN (j.value << 8) + 1 AND (j.value << 8) + 255
WHERE s.state = 0 AND EXISTS (
    SELECT 1 FROM segment refused
    WHERE refused.id BETWEEN (j.value << 8) + 1 AND (j.value << 8) + 255 AND (
        refused.state IN (7, 9) OR (refused.state IN (2, 8) AND refused.reason = 'cancelled_by_app')))"""

#: The same of these segments.
COPIES_OF = """
SELECT json_group_array(json_array(s.id, s.parts, s.unanswered))
FROM json_each(?) j
CROSS JOIN segment s ON s.id = j.value"""

SET_VERDICT = """
UPDATE message SET verdict = ?, final_utc_ms = ? WHERE id IN (SELECT value FROM json_each(?))"""

INSERT_HISTORY = """
INSERT INTO history (segment_id, at_utc_ms, state, reason, bind, detail)
VALUES {rows}"""
INSERT_HISTORY_ROW = "(?,?,?,?,?,?)"

INSERT_INBOUND = """
INSERT INTO inbound (id, carrier, bind, received_utc_ms, source_ton, source_npi, source_addr, dest_ton, dest_npi,
    dest_addr, data_coding, esm_class, octets, text, tlvs, session, settled, sniff_id)
VALUES {rows}"""
INSERT_INBOUND_ROW = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"

LAST_INBOUND_ID = "SELECT coalesce(max(id), 0) FROM inbound"

#: With its session ended, nobody can tell any more whether the answer arrived.
MAY_COME_AGAIN = """
UPDATE inbound INDEXED BY inbound_unsettled SET settled = 2
WHERE settled = 0 AND carrier = ? AND session NOT IN (SELECT value FROM json_each(?))"""

#: Texts that may come again, by the index of the text that equals them.
TWINS = """
SELECT json_group_array(json_array(j.key, i.id))
FROM json_each(?1) j
CROSS JOIN inbound i INDEXED BY inbound_again
    ON i.settled = 2 AND i.carrier = ?2 AND i.source_addr = json_extract(j.value, '$[2]') AND i.received_utc_ms >= ?3
WHERE json_array(i.source_ton, i.source_npi, i.source_addr, i.dest_ton, i.dest_npi, i.dest_addr,
    i.data_coding, i.esm_class, hex(i.octets)) = j.value"""

#: A redelivered text waits for its answer anew, on the session that it came over this time.
REDELIVERED = """
UPDATE inbound SET session = ?, bind = ?, settled = 0 WHERE id IN (SELECT value FROM json_each(?))"""

SETTLE_INBOUND = """
UPDATE inbound SET settled = ? WHERE id IN (SELECT value FROM json_each(?))"""

INSERT_QUARANTINE = """
INSERT INTO quarantine (carrier, bind, received_utc_ms, command_id, sequence_number, command_status, field, error,
    frame)
VALUES {rows}"""
INSERT_QUARANTINE_ROW = "(?,?,?,?,?,?,?,?,?)"

#: A limited number of what is older than the newest so many.
FORGET_QUARANTINE = """
DELETE FROM quarantine WHERE id IN (
    SELECT id FROM quarantine INDEXED BY quarantine_carrier WHERE carrier = ? ORDER BY id DESC LIMIT ? OFFSET ?)"""

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

PAST_DEADLINE = """
SELECT json_group_array(json_array(id, parts, unanswered)) FROM (
    SELECT id, parts, unanswered FROM segment INDEXED BY segment_deadline
    WHERE state = ? AND state <= 3 AND deadline_utc_ms <= ? ORDER BY deadline_utc_ms LIMIT ?)"""

PROBE_WRITE = """
INSERT INTO history (segment_id, at_utc_ms, state, reason, bind, detail)
VALUES (0, 0, 0, 'probe', '', hex(zeroblob(32768)))"""

PROBE_TAKE_BACK = """
DELETE FROM history WHERE segment_id = 0"""

# What the store shows ---------------------------------------------------------------------------------------------

MESSAGE_COLUMNS = """m.id, m.account, m.carrier, m.lane, m.source_ton, m.source_npi, m.source_addr, m.dest_ton,
    m.dest_npi, m.dest_addr, m.text, m.alphabet, m.client_ref, m.accepted_utc_ms, m.expires_utc_ms, m.final_utc_ms,
    s.first_submitted_utc_ms, m.verdict, m.segments, m.alternatives, m.extras"""

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
