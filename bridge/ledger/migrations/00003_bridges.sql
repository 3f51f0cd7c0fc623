-- What each bridge on the ledger tells of itself, for those who ask how it is.

-- +goose Up
CREATE TABLE bridges (
    owner TEXT PRIMARY KEY,          -- Ledger.Owner
    seen  BIGINT NOT NULL,           -- when it told last
    told  TEXT NOT NULL              -- status.Report
);
