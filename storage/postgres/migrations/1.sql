-- The store in PostgreSQL. Lock and money tables lie in one database on purpose: the fence check and
-- the write it guards are one transaction. Text that is compared or ordered is so by its bytes.

-- One row: which schema this is, and the oldest program that may still serve it.
CREATE TABLE cluster (
    id             int PRIMARY KEY CHECK (id = 1),
    schema         int NOT NULL,
    serves_schema  int NOT NULL,
    epoch          bigint NOT NULL  -- of the ownership that began last
);
INSERT INTO cluster VALUES (1, 0, 0, 0);

-- Which gateway owns what, and since which epoch: the fence for gateways themselves. Every
-- transaction compares and locks its row; a take-over is all that writes it. One row, 0, for the
-- whole store, until a store has more than one partition.
CREATE TABLE partitions (
    id    smallint PRIMARY KEY,
    owner text NOT NULL,            -- the application_name of its session
    epoch bigint NOT NULL
);
INSERT INTO partitions VALUES (0, '', 0);

-- Where the token counter stands. A token is epoch * 2^43 + sequence.
CREATE TABLE tokens (
    id       int PRIMARY KEY CHECK (id = 1),
    epoch    bigint NOT NULL CHECK (epoch BETWEEN 0 AND 1023),
    sequence bigint NOT NULL CHECK (sequence BETWEEN 0 AND 8796093022207)
) WITH (fillfactor = 10);
INSERT INTO tokens VALUES (1, 0, 0);

-- One row a grant, live or ended. Lease and fence are the same row: a fenced write only reads it.
CREATE TABLE leases (
    token             bigint PRIMARY KEY,
    lease_id          bytea NOT NULL CHECK (length(lease_id) = 16),
    lock              text COLLATE "C" NOT NULL,  -- the first of them; lease_locks has the others
    principal         text NOT NULL,
    owner             text NOT NULL,
    ttl_ms            bigint NOT NULL CHECK (ttl_ms > 0),
    metadata          text NOT NULL,
    granted_at_ms     bigint NOT NULL,
    granted_steady_ms bigint NOT NULL,
    mode              smallint NOT NULL CHECK (mode BETWEEN 0 AND 2),
    permits           bigint NOT NULL CHECK (permits >= 1),
    lock_count        int NOT NULL CHECK (lock_count >= 1),
    -- The lease of the same lock granted before this one; 0: none.
    previous          bigint NOT NULL CHECK (previous < token),
    state             smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4),
    ended_at_ms       bigint,
    ended_steady_ms   bigint,
    ended_hour        bigint NOT NULL DEFAULT 0,
    break_reason      text,
    refused           bigint NOT NULL DEFAULT 0 CHECK (refused >= 0),
    CHECK ((state = 0) = (ended_at_ms IS NULL))
) WITH (fillfactor = 85);
-- For the start, which arms every live lease.
CREATE INDEX live_leases ON leases (token) WHERE state = 0;

CREATE TABLE lease_locks (
    token    bigint NOT NULL,
    lock     text COLLATE "C" NOT NULL,
    previous bigint NOT NULL CHECK (previous < token),
    PRIMARY KEY (token, lock)
);

-- One row a lock name that was ever granted: the head of its chain.
CREATE TABLE locks (
    name       text COLLATE "C" PRIMARY KEY,
    last_token bigint NOT NULL
) WITH (fillfactor = 70);

-- Writes that the fence refused, as evidence.
CREATE TABLE refusals (
    token         bigint NOT NULL,
    number        bigint NOT NULL,
    at_ms         bigint NOT NULL,
    principal     text NOT NULL,
    code          text NOT NULL,
    route         text NOT NULL,
    request_id    text NOT NULL,
    late_ms       bigint NOT NULL,
    current_token bigint NOT NULL,  -- 0: nobody
    current_owner text NOT NULL,
    PRIMARY KEY (token, number)
);

CREATE TABLE elections (
    name             text COLLATE "C" PRIMARY KEY,
    token            bigint NOT NULL,
    value            text NOT NULL,
    proclaimed_at_ms bigint NOT NULL
);

CREATE TABLE runs (
    job           text COLLATE "C" NOT NULL,
    slot          text COLLATE "C" NOT NULL,  -- RFC 3339 in UTC: sorts by time
    state         smallint NOT NULL CHECK (state BETWEEN 0 AND 3),
    attempts      bigint NOT NULL CHECK (attempts >= 0),
    token         bigint NOT NULL,
    claimed_at_ms bigint,
    ended_at_ms   bigint,
    result        text NOT NULL,
    PRIMARY KEY (job, slot),
    CHECK ((state = 0) = (ended_at_ms IS NULL))
);

CREATE TABLE payments (
    id              text COLLATE "C" PRIMARY KEY,
    currency        text NOT NULL CHECK (length(currency) = 3),
    state           smallint NOT NULL CHECK (state BETWEEN 0 AND 3),
    authorized      bigint NOT NULL CHECK (authorized BETWEEN 1 AND 9007199254740991),
    captured        bigint NOT NULL CHECK (captured BETWEEN 0 AND authorized),
    refunded        bigint NOT NULL CHECK (refunded BETWEEN 0 AND captured),
    reference       text NOT NULL,
    metadata        text NOT NULL,
    created_at_ms   bigint NOT NULL,
    last_transfer   bigint NOT NULL,  -- head of its chain in the journal; its version
    authorized_hour bigint NOT NULL,
    CHECK ((captured > 0) = (state = 1))
) WITH (fillfactor = 70);
CREATE INDEX open_holds ON payments (authorized_hour, id) WHERE state = 0;

CREATE TABLE payment_references (
    reference  text COLLATE "C" NOT NULL,
    principal  text COLLATE "C" NOT NULL,
    payment_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (reference, principal)
);

-- The journal: one row a movement, never changed, in commit order. A row debits one account and
-- credits another, so it cannot be unbalanced. That its payment exists is the unit of work's to see
-- to: a foreign key would lock and read the payment again for each row.
CREATE TABLE transfers (
    id             bigint PRIMARY KEY,
    payment_id     text COLLATE "C" NOT NULL,
    kind           smallint NOT NULL CHECK (kind BETWEEN 0 AND 3),
    debit_account  smallint NOT NULL CHECK (debit_account BETWEEN 0 AND 3),
    credit_account smallint NOT NULL CHECK (credit_account BETWEEN 0 AND 3),
    amount         bigint NOT NULL CHECK (amount > 0),
    currency       text NOT NULL,
    public_id      bytea NOT NULL CHECK (length(public_id) = 16),
    token          bigint,
    principal      text NOT NULL,
    owner          text NOT NULL,
    key            text NOT NULL,
    reason         text NOT NULL,
    created_at_ms  bigint NOT NULL,
    previous       bigint NOT NULL CHECK (previous < id),
    movement       bigint NOT NULL,
    seal           bytea NOT NULL CHECK (length(seal) = 32),
    CHECK (debit_account <> credit_account)
);
-- Payments in the order of their creation.
CREATE INDEX created_payments ON transfers (id) WHERE kind = 0;

CREATE TABLE clock_turns (transfer_id bigint PRIMARY KEY);

CREATE TABLE balances (
    currency text NOT NULL,
    account  smallint NOT NULL CHECK (account BETWEEN 0 AND 3),
    debits   bigint NOT NULL CHECK (debits >= 0),
    credits  bigint NOT NULL CHECK (credits >= 0),
    PRIMARY KEY (currency, account)
) WITH (fillfactor = 50);

CREATE TABLE marks (
    transfer_id  bigint PRIMARY KEY,
    booked_at_ms bigint NOT NULL
);
CREATE TABLE mark_balances (
    transfer_id bigint NOT NULL,
    currency    text NOT NULL,
    account     smallint NOT NULL,
    debits      bigint NOT NULL,
    credits     bigint NOT NULL,
    PRIMARY KEY (transfer_id, currency, account)
);

-- What each idempotency key was answered.
CREATE TABLE answers (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_digest          bytea NOT NULL UNIQUE CHECK (length(key_digest) = 16),
    principal           text NOT NULL,
    key                 text NOT NULL,
    fingerprint         bytea NOT NULL CHECK (length(fingerprint) = 32),
    fingerprint_version smallint NOT NULL,
    kind                smallint NOT NULL CHECK (kind BETWEEN 0 AND 2),
    operation           text NOT NULL,
    token               bigint,
    error_code          text,
    body                text NOT NULL,
    resource_id         text NOT NULL,
    request_id          text NOT NULL,
    version             bigint NOT NULL,
    released            smallint NOT NULL CHECK (released IN (0, 1)),
    created_at_ms       bigint NOT NULL,
    created_hour        bigint NOT NULL
);

CREATE TABLE event_consumers (
    name               text COLLATE "C" PRIMARY KEY,
    principal          text COLLATE "C" NOT NULL,
    position           bigint NOT NULL CHECK (position >= 0),
    acknowledged_at_ms bigint NOT NULL
);

-- Age in hours that the store has run; see storage/batch/sweeper.hpp.
CREATE TABLE hours (
    hour       bigint PRIMARY KEY,
    last_token bigint NOT NULL
);
CREATE TABLE running_hour (
    id int PRIMARY KEY CHECK (id = 1),
    ms bigint NOT NULL CHECK (ms >= 0 AND ms < 3600000)
);
INSERT INTO running_hour VALUES (1, 0);

-- One reading of three clocks at one instant; see storage/unit/store_clock.hpp.
CREATE TABLE store_clock (
    id        int PRIMARY KEY CHECK (id = 1),
    boot_id   text NOT NULL,
    boot_ms   bigint NOT NULL,
    steady_ms bigint NOT NULL,
    wall_ms   bigint NOT NULL
);

-- What the schema keeps once more, should a rule ever be wrong.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER transfers_are_never_changed BEFORE UPDATE OR DELETE ON transfers
    FOR EACH ROW EXECUTE FUNCTION refuse('the journal is append-only');
CREATE TRIGGER done_is_final BEFORE UPDATE ON runs
    FOR EACH ROW WHEN (OLD.state IN (1, 3))
    EXECUTE FUNCTION refuse('done and missed are final');
