-- Version 4: what a store must know so that time, keys and damage cannot cost anybody money.

-- How much of the hour that is being counted the store has run, so that a store which restarts more
-- often than hourly ages all the same; see storage/sqlite/sweeper.hpp. At most a minute old.
CREATE TABLE running_hour (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    ms INTEGER NOT NULL CHECK (ms >= 0 AND ms < 3600000)
) STRICT;
INSERT INTO running_hour (id, ms) VALUES (1, 0);
