-- One row an authenticator; one without `confirmed_at` waits for its first code.
CREATE TABLE otp_factors (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    subject_key  TEXT NOT NULL,
    kind         TEXT NOT NULL,
    algorithm    TEXT NOT NULL,
    digits       INTEGER NOT NULL,
    period       INTEGER NOT NULL,
    name         TEXT NOT NULL,
    -- Sealed to tenant, subject and id.
    secret       BLOB NOT NULL,
    -- The time step or counter that was accepted last; it never goes back.
    last_step    INTEGER,
    created_at   INTEGER NOT NULL,
    confirmed_at INTEGER,
    used_at      INTEGER,
    UNIQUE (subject_key, tenant, name)
) STRICT;
CREATE INDEX otp_factors_user ON otp_factors (user_id);

-- One row a recovery code that is left.
CREATE TABLE otp_recovery_codes (
    tenant      TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    subject_key TEXT NOT NULL,
    selector    TEXT NOT NULL,
    digest      TEXT NOT NULL,
    PRIMARY KEY (subject_key, tenant, selector)
) STRICT;

-- The try of an owner that was accepted last, where its client named it: how it answers when it is
-- repeated, for a minute.
CREATE TABLE otp_accepted_tries (
    tenant      TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    subject_key TEXT NOT NULL,
    answer      TEXT NOT NULL,
    PRIMARY KEY (subject_key, tenant)
) STRICT;
