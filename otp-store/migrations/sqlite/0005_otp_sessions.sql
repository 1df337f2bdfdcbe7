-- One row a session; of its refresh tokens keyed digests only. Kept for three days after its end.
CREATE TABLE otp_sessions (
    id               TEXT PRIMARY KEY,
    tenant           TEXT NOT NULL,
    user_id          TEXT NOT NULL,
    methods          TEXT NOT NULL,
    context_class    TEXT,
    key_id           TEXT NOT NULL,
    digest           BLOB NOT NULL,
    previous_digest  BLOB,
    authenticated_at INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    refreshed_at     INTEGER NOT NULL,
    lapses_at        INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    ended_at         INTEGER,
    kept_until       INTEGER NOT NULL
) STRICT;
CREATE INDEX otp_sessions_owner ON otp_sessions (tenant, user_id, created_at);
CREATE INDEX otp_sessions_expiry ON otp_sessions (kept_until);

-- What may be used once, by one browser.
CREATE TABLE otp_states (
    state_key  TEXT PRIMARY KEY,
    binding    BLOB NOT NULL,
    payload    BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX otp_states_expiry ON otp_states (expires_at);
