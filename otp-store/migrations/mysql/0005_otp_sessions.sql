-- One row a session; of its refresh tokens keyed digests only. Kept for three days after its end.
CREATE TABLE IF NOT EXISTS otp_sessions (
    id               VARCHAR(24) NOT NULL PRIMARY KEY,
    tenant           VARCHAR(64) NOT NULL,
    user_id          VARCHAR(128) NOT NULL,
    methods          VARCHAR(272) NOT NULL,
    context_class    VARCHAR(32),
    key_id           VARCHAR(32) NOT NULL,
    digest           VARBINARY(32) NOT NULL,
    previous_digest  VARBINARY(32),
    authenticated_at DATETIME(3) NOT NULL,
    created_at       DATETIME(3) NOT NULL,
    refreshed_at     DATETIME(3) NOT NULL,
    lapses_at        DATETIME(3) NOT NULL,
    expires_at       DATETIME(3) NOT NULL,
    ended_at         DATETIME(3),
    kept_until       DATETIME(3) NOT NULL,
    KEY otp_sessions_owner (tenant, user_id, created_at),
    KEY otp_sessions_expiry (kept_until)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What may be used once, by one browser.
CREATE TABLE IF NOT EXISTS otp_states (
    state_key  VARCHAR(64) NOT NULL PRIMARY KEY,
    binding    VARBINARY(32) NOT NULL,
    payload    VARBINARY(2048) NOT NULL,
    expires_at DATETIME(3) NOT NULL,
    KEY otp_states_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
