-- Version 3: a store that can be told from its copy, and a journal that can be checked.

-- How far the store has come, and when its file was made; see storage/sqlite/incarnation.hpp.
ALTER TABLE store ADD COLUMN generation INTEGER NOT NULL DEFAULT 0 CHECK (generation >= 0);
ALTER TABLE store ADD COLUMN born_ns INTEGER NOT NULL DEFAULT 0;

-- The journal is sealed row by row, which SQL cannot compute: seal_journal.cpp goes over what is
-- there. Only then is a row final.
DROP TRIGGER transfers_are_never_changed;
-- The first transfer of its movement. Transfers of one movement stand side by side and were
-- committed together; the first is the event that others are told of.
ALTER TABLE transfers ADD COLUMN movement INTEGER NOT NULL DEFAULT 0;
ALTER TABLE transfers ADD COLUMN owner TEXT NOT NULL DEFAULT '';  -- of the lease of the token
ALTER TABLE transfers ADD COLUMN key TEXT NOT NULL DEFAULT '';    -- the idempotency key
-- SHA-256 over the row and the seal before it: storage/journal.hpp.
ALTER TABLE transfers ADD COLUMN seal BLOB NOT NULL DEFAULT x'';
UPDATE transfers SET movement = id;
UPDATE transfers SET movement = previous
WHERE previous = id - 1 AND EXISTS (
    SELECT 1 FROM transfers AS before
    WHERE before.id = transfers.previous AND before.token IS transfers.token
      AND before.created_at_ms = transfers.created_at_ms
      AND ((before.kind = 0 AND transfers.kind = 1) OR (before.kind = 1 AND transfers.kind = 2)));
CREATE TRIGGER transfers_are_never_changed BEFORE UPDATE ON transfers WHEN length(OLD.seal) > 0
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- What the entries of each account add up to, written once a batch. Debits and credits apart, as
-- an auditor compares them.
CREATE TABLE balances (
    currency TEXT NOT NULL,
    account  INTEGER NOT NULL CHECK (account BETWEEN 0 AND 3),
    debits   INTEGER NOT NULL CHECK (debits >= 0),
    credits  INTEGER NOT NULL CHECK (credits >= 0),
    PRIMARY KEY (currency, account)
) STRICT, WITHOUT ROWID;

-- Balances as they stood after some transfers, one every few thousand: where a statement begins to
-- read. `booked_at_ms` is the time of that transfer.
CREATE TABLE marks (
    transfer_id  INTEGER PRIMARY KEY,
    booked_at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE mark_balances (
    transfer_id INTEGER NOT NULL REFERENCES marks (transfer_id),
    currency    TEXT NOT NULL,
    account     INTEGER NOT NULL,
    debits      INTEGER NOT NULL,
    credits     INTEGER NOT NULL,
    PRIMARY KEY (transfer_id, currency, account)
) STRICT, WITHOUT ROWID;

-- Payments in the order of their creation, at one page a batch: ids come as clients like.
CREATE INDEX created_payments ON transfers (id) WHERE kind = 0;

-- A payment may expire (state 3), and knows the hour since which it waits to be captured.
CREATE TABLE payments_of_version_3 (
    id              TEXT PRIMARY KEY,
    currency        TEXT NOT NULL CHECK (length(currency) = 3),
    state           INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
    authorized      INTEGER NOT NULL CHECK (authorized BETWEEN 1 AND 9007199254740991),
    captured        INTEGER NOT NULL DEFAULT 0 CHECK (captured BETWEEN 0 AND authorized),
    refunded        INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND captured),
    reference       TEXT NOT NULL,
    metadata        TEXT NOT NULL,
    created_at_ms   INTEGER NOT NULL,
    last_transfer   INTEGER NOT NULL DEFAULT 0,  -- head of its chain in the journal; its version
    authorized_hour INTEGER NOT NULL DEFAULT 0,  -- in hours that the store has run
    CHECK ((captured > 0) = (state = 1))
) STRICT, WITHOUT ROWID;
INSERT INTO payments_of_version_3
    SELECT id, currency, state, authorized, captured, refunded, reference, metadata, created_at_ms,
           last_transfer, (SELECT coalesce(max(hour) + 1, 0) FROM hours)
    FROM payments;
DROP TABLE payments;
ALTER TABLE payments_of_version_3 RENAME TO payments;
-- Holds only what is not captured, so it stays small.
CREATE INDEX open_holds ON payments (authorized_hour) WHERE state = 0;

-- Whose payment a reference is. Of payments from before this table that share one, the oldest.
CREATE TABLE payment_references (
    reference  TEXT NOT NULL,
    principal  TEXT NOT NULL,
    payment_id TEXT NOT NULL REFERENCES payments (id),
    PRIMARY KEY (reference, principal)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO payment_references
    SELECT reference, principal, payments.id
    FROM transfers JOIN payments ON payments.id = payment_id
    WHERE kind = 0 AND reference <> '' ORDER BY transfers.id;

-- The version of the payment that an answer told, so that a replay tells the same.
ALTER TABLE answers ADD COLUMN version INTEGER NOT NULL DEFAULT 0;

-- How far the readers of the journal's events say that they have come.
CREATE TABLE event_consumers (
    name               TEXT PRIMARY KEY,
    principal          TEXT NOT NULL,
    position           INTEGER NOT NULL CHECK (position >= 0),
    acknowledged_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
