-- The first schema. Times are milliseconds since 1970-01-01 UTC. A segment's id is its message's, shifted left by
-- 8, plus the part number, so neither table needs an index to find the other.

CREATE TABLE message (
    id                  INTEGER PRIMARY KEY,
    account             TEXT    NOT NULL,
    carrier             TEXT    NOT NULL,
    lane                INTEGER NOT NULL,
    source_ton          INTEGER NOT NULL,
    source_npi          INTEGER NOT NULL,
    source_addr         TEXT    NOT NULL,
    dest_ton            INTEGER NOT NULL,
    dest_npi            INTEGER NOT NULL,
    dest_addr           TEXT    NOT NULL,
    text                TEXT    NOT NULL,
    alphabet            TEXT    NOT NULL,
    data_coding         INTEGER NOT NULL,
    esm_class           INTEGER NOT NULL,
    registered_delivery INTEGER NOT NULL,
    segments            INTEGER NOT NULL,
    accepted_utc_ms     INTEGER NOT NULL,
    expires_utc_ms      INTEGER NOT NULL,
    client_ref          TEXT,
    idempotency_key     TEXT,
    digest              BLOB,
    alternatives        TEXT,  -- JSON: carriers to reroute to
    extras              TEXT,  -- JSON: fields and TLVs of its own
    reference           INTEGER,  -- that the parts of a long one have in common; above 255 it has 16 bits
    -- Until then no other message from its sender to its recipient has it. NULL: any may, since all of this one was
    -- delivered, or no carrier has anything of it.
    reference_until_utc_ms INTEGER,
    scheduled_utc_ms    INTEGER,  -- not before; NULL: at once
    verdict             TEXT,
    final_utc_ms        INTEGER
);

CREATE UNIQUE INDEX message_idempotency ON message (account, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX message_account ON message (account, id);
CREATE INDEX message_recipient ON message (dest_addr, id);
CREATE INDEX message_client_ref ON message (client_ref, id) WHERE client_ref IS NOT NULL;
-- The newest reference of each width, and who has one.
CREATE INDEX message_numbered ON message (dest_addr, source_addr, reference > 255, id) WHERE reference IS NOT NULL;
CREATE INDEX message_reference ON message (dest_addr, source_addr, reference, reference_until_utc_ms)
    WHERE reference_until_utc_ms IS NOT NULL;
CREATE INDEX message_verdict ON message (account, verdict, id);

CREATE TABLE segment (
    id                     INTEGER PRIMARY KEY,
    state                  INTEGER NOT NULL,
    reason                 TEXT    NOT NULL,
    carrier                TEXT    NOT NULL,
    lane                   INTEGER NOT NULL,
    parts                  INTEGER NOT NULL,  -- of its message: most are 1, and then the verdict needs no look-up
    tracked                INTEGER NOT NULL,  -- 1: a receipt was asked for
    due_utc_ms             INTEGER NOT NULL,
    deadline_utc_ms        INTEGER NOT NULL,  -- QUEUED, IN_FLIGHT: validity; IN_DOUBT, SENT: when we stop waiting
    claims                 INTEGER NOT NULL,  -- how often it was claimed: tells the answers to its submit_sms apart
    attempts               INTEGER NOT NULL,
    -- Copies of it that were written and never answered, and until when they are waited for. While there is one,
    -- nobody may call the segment unsent: see WHILE_DOUBTFUL in smppgw/queue/model/states.py.
    unanswered             INTEGER NOT NULL DEFAULT 0,
    doubt_ends_utc_ms      INTEGER,
    octets                 BLOB    NOT NULL,
    bind                   TEXT,
    smsc_id                TEXT,
    command_status         INTEGER,
    errand                 INTEGER NOT NULL DEFAULT 0,  -- what to ask the SMSC: 1 query_sm, 2 cancel_sm; negative: a bind has it in hand
    queries                INTEGER NOT NULL DEFAULT 0,  -- how often it was asked by query_sm
    cancels                INTEGER NOT NULL DEFAULT 0,  -- how often it was asked by cancel_sm, without an answer
    first_submitted_utc_ms INTEGER,
    submitted_utc_ms       INTEGER,
    answered_utc_ms        INTEGER,
    final_utc_ms           INTEGER
);

-- Partial, so that they stay as small as what is open, whatever lies finished beside it. The column of the condition
-- comes first, or SQLite would look into the table for it when it counts.
CREATE INDEX segment_ready ON segment (state, carrier, lane, due_utc_ms) WHERE state = 0;
CREATE INDEX segment_deadline ON segment (state, deadline_utc_ms, carrier) WHERE state <= 3;
CREATE INDEX segment_doubtful ON segment (carrier) WHERE unanswered > 0 AND state <= 1;
CREATE INDEX segment_errand ON segment (carrier, errand DESC) WHERE errand <> 0;
CREATE INDEX segment_smsc_id ON segment (carrier, smsc_id) WHERE smsc_id IS NOT NULL;

-- Ids of segments that the carrier accepted more than once, beside that in their smsc_id.
CREATE TABLE other_id (
    carrier    TEXT    NOT NULL,
    smsc_id    TEXT    NOT NULL,
    segment_id INTEGER NOT NULL,
    PRIMARY KEY (carrier, smsc_id, segment_id)
) WITHOUT ROWID;

-- Every receipt as it came. segment_id is NULL while it is parked: it matched nothing yet. 0: it never did.
CREATE TABLE receipt (
    id               INTEGER PRIMARY KEY,
    carrier          TEXT    NOT NULL,
    bind             TEXT    NOT NULL,
    smsc_id          TEXT    NOT NULL,
    match_id         TEXT    NOT NULL,  -- the id to look for: smsc_id, or what the settings extract of it
    segment_id       INTEGER,
    reason           TEXT,
    state            INTEGER,
    stat             TEXT    NOT NULL,
    error            TEXT    NOT NULL,
    source_addr      TEXT    NOT NULL,
    destination_addr TEXT    NOT NULL,
    raw              BLOB    NOT NULL,
    done_utc_ms      INTEGER,
    reference        INTEGER,           -- user_message_reference
    flags            TEXT    NOT NULL,
    tlvs             TEXT    NOT NULL,
    received_utc_ms  INTEGER NOT NULL
);

CREATE INDEX receipt_parked ON receipt (segment_id, carrier, match_id) WHERE segment_id IS NULL;
CREATE INDEX receipt_parked_source ON receipt (segment_id, carrier, source_addr) WHERE segment_id IS NULL;
CREATE INDEX receipt_parked_reference ON receipt (carrier, reference)
    WHERE segment_id IS NULL AND reference IS NOT NULL;
CREATE INDEX receipt_waiting ON receipt (segment_id, carrier) WHERE segment_id IS NULL;
CREATE INDEX receipt_segment ON receipt (segment_id) WHERE segment_id IS NOT NULL;

-- Moves off the straight path (queued, in flight, sent, receipt), which the columns of segment tell by themselves.
CREATE TABLE history (
    id         INTEGER PRIMARY KEY,
    segment_id INTEGER NOT NULL,
    at_utc_ms  INTEGER NOT NULL,
    state      INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    bind       TEXT    NOT NULL,
    detail     TEXT    NOT NULL
);

CREATE INDEX history_segment ON history (segment_id);

CREATE TABLE inbound (
    id              INTEGER PRIMARY KEY,
    carrier         TEXT    NOT NULL,
    bind            TEXT    NOT NULL,
    received_utc_ms INTEGER NOT NULL,
    source_ton      INTEGER NOT NULL,
    source_npi      INTEGER NOT NULL,
    source_addr     TEXT    NOT NULL,
    dest_ton        INTEGER NOT NULL,
    dest_npi        INTEGER NOT NULL,
    dest_addr       TEXT    NOT NULL,
    data_coding     INTEGER NOT NULL,
    esm_class       INTEGER NOT NULL,
    octets          BLOB    NOT NULL,
    text            TEXT    NOT NULL,
    tlvs            TEXT    NOT NULL,
    session         INTEGER NOT NULL,
    settled         INTEGER NOT NULL,  -- 0: its answer is on the way; 1: it has arrived; 2: it may not have
    sniff_id        TEXT,              -- it may be a receipt whose submit_sm_resp is still to come
    receipt         TEXT               -- what it says as one: JSON, see smppgw/queue/operations/records.py
);

CREATE INDEX inbound_unsettled ON inbound (settled, carrier, session) WHERE settled = 0;
CREATE INDEX inbound_again ON inbound (settled, carrier, source_addr, received_utc_ms) WHERE settled = 2;
CREATE INDEX inbound_sniffed ON inbound (carrier, sniff_id) WHERE sniff_id IS NOT NULL;
CREATE INDEX inbound_waiting ON inbound (carrier) WHERE sniff_id IS NOT NULL;

-- What was learned about the ids in the receipts of a carrier, see smppgw/queue/ids.py.
CREATE TABLE carrier_ids (
    carrier  TEXT    PRIMARY KEY,
    relation TEXT    NOT NULL,  -- '' while nothing is known
    pinned   INTEGER NOT NULL,
    matched  INTEGER NOT NULL,
    total    INTEGER NOT NULL,
    learned  TEXT    NOT NULL   -- JSON: all else
) WITHOUT ROWID;

-- PDUs that could not be read, the newest of each carrier.
CREATE TABLE quarantine (
    id              INTEGER PRIMARY KEY,
    carrier         TEXT    NOT NULL,
    bind            TEXT    NOT NULL,
    received_utc_ms INTEGER NOT NULL,
    command_id      INTEGER NOT NULL,
    sequence_number INTEGER NOT NULL,
    command_status  INTEGER NOT NULL,
    field           TEXT    NOT NULL,
    error           TEXT    NOT NULL,
    frame           BLOB    NOT NULL
);

CREATE INDEX quarantine_carrier ON quarantine (carrier, id);

-- How much of a limit by minute, hour or day is used up.
CREATE TABLE cap_use (
    carrier      TEXT    NOT NULL,
    sender       TEXT    NOT NULL,  -- '' for a limit on all together
    cap          TEXT    NOT NULL,
    start_utc_ms INTEGER NOT NULL,  -- of the newest span in which it was used
    used         INTEGER NOT NULL,
    PRIMARY KEY (carrier, sender, cap)
) WITHOUT ROWID;
