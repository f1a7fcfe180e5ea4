-- The embedded store. Lock and money tables live in one file on purpose: the fence check and the
-- write it guards are one transaction. Version 1; what came later is in the files after this one.

-- Exactly one row: where the token counter stands. A token is epoch * 2^43 + sequence.
CREATE TABLE store (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    epoch    INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 1023),
    sequence INTEGER NOT NULL CHECK (sequence BETWEEN 0 AND 8796093022207)
) STRICT;
INSERT INTO store (id, epoch, sequence) VALUES (1, 0, 0);

-- One row a grant, live or ended, in token order. Lease and fence are the same row: a fenced write
-- only reads it. States: lockmgr/lease.hpp.
CREATE TABLE leases (
    token         INTEGER PRIMARY KEY,
    lease_id      BLOB NOT NULL CHECK (length(lease_id) = 16),
    lock          TEXT NOT NULL,
    principal     TEXT NOT NULL,
    owner         TEXT NOT NULL,
    ttl_ms        INTEGER NOT NULL CHECK (ttl_ms > 0),
    metadata      TEXT NOT NULL,
    granted_at_ms INTEGER NOT NULL,
    state         INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4),
    ended_at_ms   INTEGER,
    break_reason  TEXT,
    CHECK ((state = 0) = (ended_at_ms IS NULL))
) STRICT;

-- Mutual exclusion as a constraint: two live leases of one lock cannot be written.
CREATE UNIQUE INDEX one_live_lease_a_lock ON leases (lock) WHERE state = 0;
-- Expired leases wait here to be superseded by the next grant of their lock.
CREATE INDEX expired_leases ON leases (lock) WHERE state = 1;

CREATE TABLE payments (
    id            TEXT PRIMARY KEY,
    currency      TEXT NOT NULL CHECK (length(currency) = 3),
    state         INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
    authorized    INTEGER NOT NULL CHECK (authorized BETWEEN 1 AND 9007199254740991),
    captured      INTEGER NOT NULL DEFAULT 0 CHECK (captured BETWEEN 0 AND authorized),
    refunded      INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND captured),
    reference     TEXT NOT NULL,
    metadata      TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    last_transfer INTEGER NOT NULL DEFAULT 0,  -- the head of its chain in the journal; 0: none yet
    CHECK ((captured > 0) = (state = 1))
) STRICT, WITHOUT ROWID;

-- The journal: one row a movement, never changed, in commit order. A row debits one account and
-- credits another, so it cannot be unbalanced. Accounts and kinds: storage/payment.hpp.
-- The transfers of a payment are a chain, newest first, from payments.last_transfer on. An index
-- would dirty one more page a refund; the chain costs eight bytes in rows that are written anyway.
CREATE TABLE transfers (
    id             INTEGER PRIMARY KEY,
    payment_id     TEXT NOT NULL REFERENCES payments (id),
    kind           INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3),
    debit_account  INTEGER NOT NULL CHECK (debit_account BETWEEN 0 AND 3),
    credit_account INTEGER NOT NULL CHECK (credit_account BETWEEN 0 AND 3),
    amount         INTEGER NOT NULL CHECK (amount > 0),
    currency       TEXT NOT NULL,
    public_id      BLOB NOT NULL CHECK (length(public_id) = 16),
    token          INTEGER,           -- the fence it was written under; NULL: none was needed
    principal      TEXT NOT NULL,
    reason         TEXT NOT NULL,
    created_at_ms  INTEGER NOT NULL,
    previous       INTEGER NOT NULL,  -- the transfer of the same payment before this; 0: none
    CHECK (debit_account <> credit_account),
    CHECK (previous < id)
) STRICT;

CREATE TRIGGER transfers_are_never_changed BEFORE UPDATE ON transfers
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER transfers_are_never_deleted BEFORE DELETE ON transfers
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- Double entry as an accountant reads it: two lines a movement, adding up to zero.
CREATE VIEW ledger_entries AS
    SELECT id AS transfer_id, payment_id, debit_account AS account, -amount AS amount, currency,
           created_at_ms FROM transfers
    UNION ALL
    SELECT id, payment_id, credit_account, amount, currency, created_at_ms FROM transfers;

-- What each idempotency key was answered. The bodies are in sequence, the index is narrow.
CREATE TABLE answers (
    id            INTEGER PRIMARY KEY,
    key_digest    BLOB NOT NULL UNIQUE CHECK (length(key_digest) = 16),
    principal     TEXT NOT NULL,
    key           TEXT NOT NULL,
    fingerprint   BLOB NOT NULL CHECK (length(fingerprint) = 32),
    token         INTEGER,            -- the fence the write was made under, or the grant itself
    error_code    TEXT,               -- NULL: it succeeded
    body          TEXT NOT NULL,      -- the resource, or the refusal's detail
    resource_id   TEXT NOT NULL,
    request_id    TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;
