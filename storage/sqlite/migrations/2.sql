-- Version 2: locks that are shared, counted or taken together; history; elections and runs.

-- Who holds a lock is kept in memory, and each grant compares it with the rows (lease_rows.cpp).
DROP INDEX one_live_lease_a_lock;
DROP INDEX expired_leases;

ALTER TABLE leases ADD COLUMN mode INTEGER NOT NULL DEFAULT 0 CHECK (mode BETWEEN 0 AND 2);
ALTER TABLE leases ADD COLUMN permits INTEGER NOT NULL DEFAULT 1 CHECK (permits >= 1);
-- `lock` is the first of them in order; lease_locks has the others.
ALTER TABLE leases ADD COLUMN lock_count INTEGER NOT NULL DEFAULT 1 CHECK (lock_count >= 1);
-- The lease of the same lock granted before this one; 0: none. So the history of a lock is a chain
-- from locks.last_token on, and costs no index over all leases.
ALTER TABLE leases ADD COLUMN previous INTEGER NOT NULL DEFAULT 0 CHECK (previous < token);
-- Writes under this token that the fence refused.
ALTER TABLE leases ADD COLUMN refused INTEGER NOT NULL DEFAULT 0 CHECK (refused >= 0);

-- One row a lock name that was ever granted: the head of its chain.
CREATE TABLE locks (
    name       TEXT PRIMARY KEY,
    last_token INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The second and further locks of a lease over several, each with its own link of the chain.
CREATE TABLE lease_locks (
    token    INTEGER NOT NULL,
    lock     TEXT NOT NULL,
    previous INTEGER NOT NULL CHECK (previous < token),
    PRIMARY KEY (token, lock)
) STRICT, WITHOUT ROWID;

-- Age in hours that the store has run; see storage/sqlite/sweeper.hpp.
CREATE TABLE hours (
    hour       INTEGER PRIMARY KEY,
    last_token INTEGER NOT NULL
) STRICT;
ALTER TABLE leases ADD COLUMN ended_hour INTEGER NOT NULL DEFAULT 0;
ALTER TABLE answers ADD COLUMN created_hour INTEGER NOT NULL DEFAULT 0;

-- Every lock of every lease, for verifying and for people.
CREATE VIEW lease_coverage AS
    SELECT token, lock, state, mode, previous FROM leases
    UNION ALL
    SELECT token, lease_locks.lock, state, mode, lease_locks.previous
    FROM lease_locks JOIN leases USING (token);

CREATE INDEX leases_by_lock_for_this_migration ON leases (lock, token);
INSERT INTO locks (name, last_token) SELECT lock, max(token) FROM leases GROUP BY lock;
UPDATE leases SET previous = coalesce(
    (SELECT max(before.token) FROM leases AS before
     WHERE before.lock = leases.lock AND before.token < leases.token), 0);
DROP INDEX leases_by_lock_for_this_migration;

-- For the start, which arms every live lease. Holds only those, so it stays small.
CREATE INDEX live_leases ON leases (token) WHERE state = 0;

-- Writes that the fence refused, as evidence: who tried what under an ended or foreign lease. The
-- first hundred of each lease are kept, leases.refused counts them all.
CREATE TABLE refusals (
    token         INTEGER NOT NULL,
    number        INTEGER NOT NULL,
    at_ms         INTEGER NOT NULL,
    principal     TEXT NOT NULL,
    code          TEXT NOT NULL,
    route         TEXT NOT NULL,
    request_id    TEXT NOT NULL,
    late_ms       INTEGER NOT NULL,   -- since the lease had ended; 0 while it is live
    current_token INTEGER NOT NULL,   -- who held the lock then; 0: nobody
    current_owner TEXT NOT NULL,
    PRIMARY KEY (token, number)
) STRICT, WITHOUT ROWID;

-- What the leader of an election last proclaimed. It counts while the lease of `token` is live.
CREATE TABLE elections (
    name             TEXT PRIMARY KEY,
    token            INTEGER NOT NULL,
    value            TEXT NOT NULL,
    proclaimed_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a job and scheduled instant. States: lockmgr/run_rules.hpp.
CREATE TABLE runs (
    job           TEXT NOT NULL,
    slot          TEXT NOT NULL,      -- RFC 3339 in UTC, whole seconds: sorts by time
    state         INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
    attempts      INTEGER NOT NULL CHECK (attempts >= 0),
    token         INTEGER NOT NULL,   -- of the last claim; 0: never claimed
    claimed_at_ms INTEGER,
    ended_at_ms   INTEGER,
    result        TEXT NOT NULL,
    PRIMARY KEY (job, slot),
    CHECK ((state = 0) = (ended_at_ms IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TRIGGER done_is_final BEFORE UPDATE ON runs WHEN OLD.state IN (1, 3)
BEGIN SELECT RAISE(ABORT, 'done and missed are final'); END;
