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
    verdict             TEXT,
    final_utc_ms        INTEGER
);

CREATE UNIQUE INDEX message_idempotency ON message (account, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX message_account ON message (account, id);
CREATE INDEX message_recipient ON message (dest_addr, id);
CREATE INDEX message_client_ref ON message (client_ref, id) WHERE client_ref IS NOT NULL;
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
    octets                 BLOB    NOT NULL,
    bind                   TEXT,
    smsc_id                TEXT,
    command_status         INTEGER,
    first_submitted_utc_ms INTEGER,
    submitted_utc_ms       INTEGER,
    answered_utc_ms        INTEGER,
    final_utc_ms           INTEGER
);

-- Partial, so that they stay as small as what is open, whatever lies finished beside it. The column of the condition
-- comes first, or SQLite would look into the table for it when it counts.
CREATE INDEX segment_ready ON segment (state, carrier, lane, due_utc_ms) WHERE state = 0;
CREATE INDEX segment_deadline ON segment (state, deadline_utc_ms, carrier) WHERE state <= 3;
CREATE INDEX segment_smsc_id ON segment (carrier, smsc_id) WHERE smsc_id IS NOT NULL;

-- Every receipt as it came. segment_id is NULL while it is parked: it matched nothing yet.
CREATE TABLE receipt (
    id               INTEGER PRIMARY KEY,
    carrier          TEXT    NOT NULL,
    bind             TEXT    NOT NULL,
    smsc_id          TEXT    NOT NULL,
    segment_id       INTEGER,
    reason           TEXT,
    state            INTEGER,
    stat             TEXT    NOT NULL,
    error            TEXT    NOT NULL,
    source_addr      TEXT    NOT NULL,
    destination_addr TEXT    NOT NULL,
    raw              BLOB    NOT NULL,
    received_utc_ms  INTEGER NOT NULL
);

CREATE INDEX receipt_parked ON receipt (segment_id, carrier, smsc_id) WHERE segment_id IS NULL;
CREATE INDEX receipt_parked_source ON receipt (segment_id, carrier, source_addr) WHERE segment_id IS NULL;
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
    text            TEXT    NOT NULL
);
