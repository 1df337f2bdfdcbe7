-- Times are milliseconds since 1970-01-01 UTC. Names and columns are those that operators query.

CREATE TABLE otp_clock (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    seen_ms INTEGER NOT NULL
) STRICT;
INSERT INTO otp_clock (id, seen_ms) VALUES (1, 0);

CREATE TABLE auth_challenges (
    id                 TEXT PRIMARY KEY,
    tenant             TEXT NOT NULL,
    user_id            TEXT NOT NULL,
    subject_key        TEXT NOT NULL,
    purpose            TEXT NOT NULL,
    channel            TEXT NOT NULL,
    lane               TEXT NOT NULL,
    factor_class       TEXT NOT NULL,
    code_alphabet      TEXT NOT NULL,
    code_length        INTEGER NOT NULL,
    code_separators    TEXT NOT NULL,
    destination        BLOB,
    destination_key    TEXT NOT NULL,
    destination_masked TEXT NOT NULL,
    digest             TEXT NOT NULL,
    key_id             TEXT NOT NULL,
    sealed_code        BLOB,
    binding            BLOB,
    ip_address         TEXT,
    created_at         INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    attempts           INTEGER NOT NULL,
    wrong              INTEGER NOT NULL,
    attempt_limit      INTEGER NOT NULL,
    sends              INTEGER NOT NULL,
    next_send_at       INTEGER NOT NULL,
    state              TEXT NOT NULL,
    consumed_at        INTEGER,
    consumed_by        TEXT,
    -- When it was ended, or when it ends by itself.
    ended_at           INTEGER NOT NULL
) STRICT;
CREATE INDEX auth_challenges_subject
    ON auth_challenges (subject_key, tenant, purpose, lane, state, created_at);
CREATE INDEX auth_challenges_user ON auth_challenges (user_id, created_at);
CREATE INDEX auth_challenges_live ON auth_challenges (state, expires_at);
CREATE INDEX auth_challenges_ended ON auth_challenges (ended_at);

-- One row a challenge that was tried; it outlives a challenge that is deleted by hand.
CREATE TABLE challenge_validation_attempts (
    challenge_id        TEXT PRIMARY KEY,
    user_id             TEXT NOT NULL,
    validation_attempts INTEGER NOT NULL,
    last_attempt_at     INTEGER NOT NULL,
    challenge_expired   INTEGER NOT NULL DEFAULT 0 CHECK (challenge_expired IN (0, 1))
) STRICT;
CREATE INDEX challenge_validation_attempts_user ON challenge_validation_attempts (user_id);
CREATE INDEX challenge_validation_attempts_last ON challenge_validation_attempts (last_attempt_at);

-- The tries that carried an id, in order.
CREATE TABLE challenge_attempt_log (
    challenge_id TEXT NOT NULL,
    place        INTEGER NOT NULL,
    attempt_id   TEXT NOT NULL,
    fingerprint  BLOB NOT NULL,
    answer       TEXT NOT NULL,
    tried_at     INTEGER NOT NULL,
    PRIMARY KEY (challenge_id, place),
    UNIQUE (challenge_id, attempt_id)
) STRICT;
CREATE INDEX challenge_attempt_log_tried ON challenge_attempt_log (tried_at);

-- One row a hit of a window quota.
CREATE TABLE rate_limit_attempts (
    sequence     INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket       TEXT NOT NULL,
    user_id      TEXT,
    attempted_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX rate_limit_attempts_bucket ON rate_limit_attempts (bucket, attempted_at);
CREATE INDEX rate_limit_attempts_user ON rate_limit_attempts (user_id);
CREATE INDEX rate_limit_attempts_expiry ON rate_limit_attempts (expires_at);

-- One row a bucket of a rate quota: when it is full again, in microseconds, and its rate.
CREATE TABLE rate_limit_cells (
    bucket  TEXT PRIMARY KEY,
    user_id TEXT,
    tat     INTEGER NOT NULL,
    burst   INTEGER NOT NULL,
    step    INTEGER NOT NULL
) STRICT;
CREATE INDEX rate_limit_cells_user ON rate_limit_cells (user_id);
CREATE INDEX rate_limit_cells_tat ON rate_limit_cells (tat);

CREATE TABLE guess_budgets (
    tenant              TEXT NOT NULL,
    subject_key         TEXT NOT NULL,
    factor_class        TEXT NOT NULL,
    user_id             TEXT NOT NULL,
    consecutive         INTEGER NOT NULL,
    strikes_public      INTEGER NOT NULL,
    strikes_known       INTEGER NOT NULL,
    paused_public_until INTEGER,
    paused_known_until  INTEGER,
    disabled            INTEGER NOT NULL,
    PRIMARY KEY (tenant, subject_key, factor_class)
) STRICT;
CREATE INDEX guess_budgets_user ON guess_budgets (user_id);

-- One row a reserved guess.
CREATE TABLE guess_log (
    sequence     INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant       TEXT NOT NULL,
    subject_key  TEXT NOT NULL,
    factor_class TEXT NOT NULL,
    lane         TEXT NOT NULL,
    guessed_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX guess_log_budget ON guess_log (tenant, subject_key, factor_class, sequence);

CREATE TABLE blocklist (
    kind       TEXT NOT NULL,
    value      TEXT NOT NULL,
    note       TEXT NOT NULL,
    author     TEXT NOT NULL,
    added_at   INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (kind, value)
) STRICT;
CREATE INDEX blocklist_added ON blocklist (added_at);
CREATE INDEX blocklist_expiry ON blocklist (expires_at);

CREATE TABLE seen_keys (
    seen_key   TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX seen_keys_expiry ON seen_keys (expires_at);

CREATE TABLE idempotency_keys (
    tenant          TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint     BLOB NOT NULL,
    challenge_id    TEXT NOT NULL,
    expires_at      INTEGER NOT NULL,
    resend_at       INTEGER NOT NULL,
    PRIMARY KEY (tenant, idempotency_key)
) STRICT;
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

CREATE TABLE audit_logs (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id    TEXT NOT NULL UNIQUE,
    actor_id    TEXT,
    subject_key TEXT,
    event_type  TEXT NOT NULL,
    action      TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    reason      TEXT,
    tenant      TEXT NOT NULL,
    challenge   TEXT,
    purpose     TEXT,
    channel     TEXT,
    lane        TEXT,
    destination TEXT,
    ip_address  TEXT,
    provider    TEXT,
    request_id  TEXT,
    operator_name   TEXT,
    operator_reason TEXT,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_logs_actor ON audit_logs (actor_id, created_at);
CREATE INDEX audit_logs_created ON audit_logs (created_at);

-- How far the outbox has been taken over elsewhere.
CREATE TABLE audit_outbox (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    acknowledged INTEGER NOT NULL
) STRICT;
INSERT INTO audit_outbox (id, acknowledged) VALUES (1, 0);
