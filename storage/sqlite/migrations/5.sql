-- Version 5: a write may end the lease it is made under.

-- 1: the write under this key did, and every later answer says so, also once the lease is forgotten.
ALTER TABLE answers ADD COLUMN released INTEGER NOT NULL DEFAULT 0 CHECK (released IN (0, 1));
