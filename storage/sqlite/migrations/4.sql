-- Version 4: what a store must know so that time, keys and damage cannot cost anybody money.

-- How much of the hour that is being counted the store has run, so that a store which restarts more
-- often than hourly ages all the same; see storage/sqlite/sweeper.hpp. At most a minute old.
CREATE TABLE running_hour (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    ms INTEGER NOT NULL CHECK (ms >= 0 AND ms < 3600000)
) STRICT;
INSERT INTO running_hour (id, ms) VALUES (1, 0);

-- Answers under keys: what was asked in a form that its spelling does not change, and what kind of
-- answer it was. Fingerprints from before are of the request's bytes (version 1).
ALTER TABLE answers ADD COLUMN fingerprint_version INTEGER NOT NULL DEFAULT 1
    CHECK (fingerprint_version IN (1, 2));
-- 0: of a movement of money, or of one that was refused. 1: a lease, told as it stands by now.
-- 2: anything else, told again as it was.
ALTER TABLE answers ADD COLUMN kind INTEGER NOT NULL DEFAULT 0 CHECK (kind BETWEEN 0 AND 2);
ALTER TABLE answers ADD COLUMN operation TEXT NOT NULL DEFAULT '';  -- '': from before
UPDATE answers SET kind = 1 WHERE error_code IS NULL AND body = '';

-- Time: one reading of three clocks at one instant; see storage/unit/store_clock.hpp.
CREATE TABLE store_clock (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    boot_id   TEXT NOT NULL,     -- which run of the machine boot_ms counts
    boot_ms   INTEGER NOT NULL,
    steady_ms INTEGER NOT NULL,  -- carried on from run to run; never jumps, never goes back
    wall_ms   INTEGER NOT NULL   -- as it was believed
) STRICT;
-- When a lease began and ended on the steady clock, for spans; NULL: from before this version.
ALTER TABLE leases ADD COLUMN granted_steady_ms INTEGER;
ALTER TABLE leases ADD COLUMN ended_steady_ms INTEGER;
-- Entries that were booked before the one in front of them, because the clock was set back. Between
-- two of them times rise with the ids, so a time is searched for in each stretch.
CREATE TABLE clock_turns (transfer_id INTEGER PRIMARY KEY) STRICT;
INSERT INTO clock_turns
    SELECT id FROM (SELECT id, created_at_ms, lag(created_at_ms) OVER (ORDER BY id) AS before_ms
                    FROM transfers)
    WHERE created_at_ms < before_ms;
