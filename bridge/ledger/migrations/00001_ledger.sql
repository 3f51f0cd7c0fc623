-- One text for SQLite and PostgreSQL. Times are Unix microseconds, 0 for none.
-- BYTEA is no type of SQLite's, which stores bytes in any column.

-- +goose Up
CREATE TABLE devices (
    id          TEXT PRIMARY KEY,    -- backup.Device.Key
    account     TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    first       BIGINT NOT NULL,
    baseline    BIGINT NOT NULL,
    seen        BIGINT NOT NULL,
    history_to  BIGINT NOT NULL,
    no_history  TEXT NOT NULL,
    last_number BIGINT NOT NULL,     -- the highest number that a session of it was ever given
    data        TEXT NOT NULL        -- backup.Device
);
CREATE INDEX devices_account ON devices (account);

CREATE TABLE sessions (
    device     TEXT NOT NULL,
    number     BIGINT NOT NULL,      -- backup.Session.Row
    source     TEXT NOT NULL,
    product_id TEXT NOT NULL,
    state      TEXT NOT NULL,
    started    BIGINT NOT NULL,
    ended      BIGINT NOT NULL,
    run        TEXT,                 -- NULL while open
    data       TEXT NOT NULL,        -- backup.Session without error texts
    PRIMARY KEY (device, number)
);
CREATE UNIQUE INDEX sessions_product_id ON sessions (device, source, product_id) WHERE product_id <> '';
CREATE INDEX sessions_source ON sessions (device, source, started);
CREATE INDEX sessions_open ON sessions (device) WHERE run IS NULL;

CREATE TABLE entries (
    id          TEXT PRIMARY KEY,    -- backup.Run.ID
    device      TEXT NOT NULL,
    account     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    status      BIGINT NOT NULL,     -- backup.Status
    ended       BIGINT NOT NULL,     -- backup.Run.End
    state       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    doubt       BIGINT NOT NULL,     -- 1: an earlier delivery may have succeeded
    mark        TEXT NOT NULL,
    receipt     TEXT NOT NULL,
    attempts    BIGINT NOT NULL,
    next        BIGINT NOT NULL,     -- when to try again
    owner       TEXT NOT NULL,       -- the bridge that took it
    lease_until BIGINT NOT NULL,
    created     BIGINT NOT NULL,
    updated     BIGINT NOT NULL,
    words       TEXT NOT NULL,       -- names, in lower case, to search in
    run         TEXT NOT NULL,       -- backup.Run
    mail        BYTEA
);
CREATE INDEX entries_waiting ON entries (device, ended, id, state, status, lease_until) WHERE state IN ('queued', 'sending');
CREATE INDEX entries_device ON entries (device, ended);
CREATE INDEX entries_ended ON entries (ended);
CREATE INDEX entries_state ON entries (state, updated);
CREATE INDEX entries_message_id ON entries (message_id);

CREATE TABLE events (
    entry  TEXT NOT NULL,
    number BIGINT NOT NULL,
    at     BIGINT NOT NULL,
    what   TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (entry, number)
);
CREATE INDEX events_at ON events (at);

CREATE TABLE leases (
    name        TEXT PRIMARY KEY,
    owner       TEXT NOT NULL,
    lease_until BIGINT NOT NULL
);

CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
