"""Inbound texts, and PDUs that could not be read. The package says how they are written."""

from __future__ import annotations

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
