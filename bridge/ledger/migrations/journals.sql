-- The second edition's tables. One text for SQLite and PostgreSQL. Times are
-- Unix microseconds, 0 for none. BYTEA is no type of SQLite's, which stores
-- bytes in any column. What is called packed is what pack makes.

ALTER TABLE devices RENAME TO old_devices;
ALTER TABLE entries RENAME TO old_entries;
DROP INDEX devices_account;
DROP INDEX entries_waiting;
DROP INDEX entries_device;
DROP INDEX entries_ended;
DROP INDEX entries_state;
DROP INDEX entries_message_id;
DROP INDEX events_at;

CREATE TABLE devices (
    id          TEXT PRIMARY KEY,    -- backup.Device.Key
    account     TEXT NOT NULL,
    fingerprint BIGINT NOT NULL,     -- the 64 bits of backup.Record.Fingerprint
    version     BIGINT NOT NULL,
    due         BIGINT NOT NULL,     -- when to look at it again; 0: never
    journal     BYTEA NOT NULL       -- backup.Journal, packed
);
CREATE INDEX devices_due ON devices (account, due) WHERE due <> 0;

-- What changes with a delivery stands in rows that hold neither run nor mail.
CREATE TABLE entries (
    id         TEXT PRIMARY KEY,     -- backup.Run.ID
    device     TEXT NOT NULL,
    account    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    status     BIGINT NOT NULL,      -- backup.Status
    ended      BIGINT NOT NULL,      -- backup.Run.End
    message_id TEXT NOT NULL,
    words      TEXT NOT NULL,        -- names, in lower case, to search in
    created    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    doubt      BIGINT NOT NULL,      -- 1: an earlier delivery may have succeeded
    mark       TEXT NOT NULL,
    receipt    TEXT NOT NULL,
    attempts   BIGINT NOT NULL,
    next       BIGINT NOT NULL,      -- when to try again
    opening    BIGINT NOT NULL,      -- the newest opening when it was committed, or last begun
    settled    BIGINT NOT NULL,      -- since when there is something to prune; 0: there is nothing
    updated    BIGINT NOT NULL
);
CREATE INDEX entries_waiting ON entries (device, ended, id) WHERE state IN ('queued', 'sending');
CREATE INDEX entries_worst ON entries (device, status) WHERE state IN ('queued', 'sending');
CREATE INDEX entries_device ON entries (device, ended, id);
CREATE INDEX entries_ended ON entries (ended, id);
CREATE INDEX entries_state ON entries (state, ended, id);
CREATE INDEX entries_settled ON entries (settled) WHERE settled <> 0;
CREATE INDEX entries_message_id ON entries (message_id);

CREATE TABLE runs (
    entry TEXT PRIMARY KEY,
    run   BYTEA NOT NULL             -- backup.Run, packed
);

CREATE TABLE mails (
    entry TEXT PRIMARY KEY,
    mail  BYTEA NOT NULL             -- packed
);

-- One row for each device with mails waiting: what Take goes by.
CREATE TABLE queues (
    device TEXT PRIMARY KEY,
    head   TEXT NOT NULL,            -- the entry that goes next, or is being sent
    ended  BIGINT NOT NULL,          -- of the head
    worst  BIGINT NOT NULL,          -- the worst status that waits there
    due    BIGINT NOT NULL,          -- 0: now; else the time of the next try, or the end of the owner's lease; -1: leased for good
    owner  TEXT NOT NULL             -- the bridge that took the head; empty: none
);
CREATE INDEX queues_worst ON queues (worst DESC, ended, device) WHERE due = 0;
CREATE INDEX queues_oldest ON queues (ended, device) WHERE due = 0;
CREATE INDEX queues_due ON queues (due) WHERE due <> 0;

-- How often bridges have opened the ledger: a clock that can't be wrong.
CREATE TABLE openings (
    id     BIGINT PRIMARY KEY,
    number BIGINT NOT NULL
);
INSERT INTO openings (id, number) VALUES (1, 0);
