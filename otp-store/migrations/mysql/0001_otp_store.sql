-- Times are DATETIME(3) in UTC, bound and read as such: no session's time zone matters to them.
-- Text that is compared is utf8mb4_bin, or bytes where a space at the end must make a difference.
-- Every statement may be run again: where a migration died half-way, it is run once more.

CREATE TABLE IF NOT EXISTS otp_clock (
    id      INT NOT NULL PRIMARY KEY,
    seen_ms BIGINT NOT NULL
) ENGINE = InnoDB;
INSERT IGNORE INTO otp_clock (id, seen_ms) VALUES (1, 0);

-- Whoever decides about a thing has its stripe to himself; 1024 is the audit log's.
CREATE TABLE IF NOT EXISTS otp_locks (
    id INT NOT NULL PRIMARY KEY
) ENGINE = InnoDB;
INSERT IGNORE INTO otp_locks (id)
    WITH RECURSIVE digit (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM digit WHERE n < 31)
    SELECT high.n * 32 + low.n FROM digit AS high CROSS JOIN digit AS low;
INSERT IGNORE INTO otp_locks (id) VALUES (1024);

CREATE TABLE IF NOT EXISTS auth_challenges (
    id                 VARCHAR(36) NOT NULL PRIMARY KEY,
    tenant             VARCHAR(64) NOT NULL,
    user_id            VARCHAR(255) NOT NULL,
    subject_key        VARBINARY(512) NOT NULL,
    purpose            VARCHAR(64) NOT NULL,
    channel            VARCHAR(32) NOT NULL,
    lane               VARCHAR(32) NOT NULL,
    factor_class       VARCHAR(32) NOT NULL,
    code_alphabet      VARCHAR(64) NOT NULL,
    code_length        INT NOT NULL,
    code_separators    VARCHAR(32) NOT NULL,
    destination        BLOB,
    destination_key    VARBINARY(512) NOT NULL,
    destination_masked VARCHAR(512) NOT NULL,
    digest             VARCHAR(1024) NOT NULL,
    key_id             VARCHAR(64) NOT NULL,
    sealed_code        BLOB,
    binding            VARBINARY(64),
    ip_address         VARCHAR(64),
    created_at         DATETIME(3) NOT NULL,
    expires_at         DATETIME(3) NOT NULL,
    attempts           BIGINT NOT NULL,
    wrong              BIGINT NOT NULL,
    attempt_limit      BIGINT NOT NULL,
    sends              BIGINT NOT NULL,
    next_send_at       DATETIME(3) NOT NULL,
    state              VARCHAR(16) NOT NULL,
    consumed_at        DATETIME(3),
    consumed_by        VARCHAR(128),
    -- When it was ended, or when it ends by itself.
    ended_at           DATETIME(3) NOT NULL,
    KEY auth_challenges_subject (subject_key, tenant, purpose, lane, state, created_at),
    KEY auth_challenges_user (user_id, created_at),
    KEY auth_challenges_live (state, expires_at),
    KEY auth_challenges_ended (ended_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row a challenge that was tried; it outlives a challenge that is deleted by hand.
CREATE TABLE IF NOT EXISTS challenge_validation_attempts (
    challenge_id        VARCHAR(36) NOT NULL PRIMARY KEY,
    user_id             VARCHAR(255) NOT NULL,
    validation_attempts BIGINT NOT NULL,
    last_attempt_at     DATETIME(3) NOT NULL,
    challenge_expired   TINYINT(1) NOT NULL DEFAULT 0,
    KEY challenge_validation_attempts_user (user_id),
    KEY challenge_validation_attempts_last (last_attempt_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The tries that carried an id, in order.
CREATE TABLE IF NOT EXISTS challenge_attempt_log (
    challenge_id VARCHAR(36) NOT NULL,
    place        INT NOT NULL,
    attempt_id   VARCHAR(128) NOT NULL,
    fingerprint  VARBINARY(64) NOT NULL,
    answer       VARCHAR(32) NOT NULL,
    tried_at     DATETIME(3) NOT NULL,
    PRIMARY KEY (challenge_id, place),
    UNIQUE KEY challenge_attempt_log_attempt (challenge_id, attempt_id),
    KEY challenge_attempt_log_tried (tried_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row a hit of a window quota.
CREATE TABLE IF NOT EXISTS rate_limit_attempts (
    sequence     BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    bucket       VARCHAR(512) NOT NULL,
    user_id      VARCHAR(255),
    attempted_at DATETIME(3) NOT NULL,
    expires_at   DATETIME(3) NOT NULL,
    KEY rate_limit_attempts_bucket (bucket, attempted_at),
    KEY rate_limit_attempts_user (user_id),
    KEY rate_limit_attempts_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row a bucket of a rate quota: when it is full again, in microseconds, and its rate.
CREATE TABLE IF NOT EXISTS rate_limit_cells (
    bucket  VARCHAR(512) NOT NULL PRIMARY KEY,
    user_id VARCHAR(255),
    tat     BIGINT NOT NULL,
    burst   BIGINT NOT NULL,
    step    BIGINT NOT NULL,
    KEY rate_limit_cells_user (user_id),
    KEY rate_limit_cells_tat (tat)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS guess_budgets (
    tenant              VARCHAR(64) NOT NULL,
    subject_key         VARBINARY(512) NOT NULL,
    factor_class        VARCHAR(32) NOT NULL,
    user_id             VARCHAR(255) NOT NULL,
    consecutive         BIGINT NOT NULL,
    strikes_public      BIGINT NOT NULL,
    strikes_known       BIGINT NOT NULL,
    paused_public_until DATETIME(3),
    paused_known_until  DATETIME(3),
    disabled            TINYINT(1) NOT NULL,
    PRIMARY KEY (tenant, subject_key, factor_class),
    KEY guess_budgets_user (user_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row a reserved guess.
CREATE TABLE IF NOT EXISTS guess_log (
    sequence     BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    tenant       VARCHAR(64) NOT NULL,
    subject_key  VARBINARY(512) NOT NULL,
    factor_class VARCHAR(32) NOT NULL,
    lane         VARCHAR(32) NOT NULL,
    guessed_at   DATETIME(3) NOT NULL,
    KEY guess_log_budget (tenant, subject_key, factor_class, sequence)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS blocklist (
    kind       VARCHAR(32) NOT NULL,
    value      VARBINARY(512) NOT NULL,
    note       VARCHAR(1024) NOT NULL,
    author     VARCHAR(1024) NOT NULL,
    added_at   DATETIME(3) NOT NULL,
    expires_at DATETIME(3),
    PRIMARY KEY (kind, value),
    KEY blocklist_added (added_at),
    KEY blocklist_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS seen_keys (
    seen_key   VARBINARY(1024) NOT NULL PRIMARY KEY,
    expires_at DATETIME(3) NOT NULL,
    KEY seen_keys_expiry (expires_at)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS idempotency_keys (
    tenant          VARCHAR(64) NOT NULL,
    idempotency_key VARCHAR(128) NOT NULL,
    fingerprint     VARBINARY(64) NOT NULL,
    challenge_id    VARCHAR(36) NOT NULL,
    expires_at      DATETIME(3) NOT NULL,
    resend_at       DATETIME(3) NOT NULL,
    PRIMARY KEY (tenant, idempotency_key),
    KEY idempotency_keys_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS audit_logs (
    sequence    BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    event_id    CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    actor_id    VARCHAR(255),
    subject_key VARBINARY(512),
    event_type  VARCHAR(64) NOT NULL,
    action      VARCHAR(64) NOT NULL,
    outcome     VARCHAR(32) NOT NULL,
    reason      VARCHAR(1024),
    tenant      VARCHAR(64) NOT NULL,
    challenge   VARCHAR(64),
    purpose     VARCHAR(64),
    channel     VARCHAR(32),
    lane        VARCHAR(32),
    destination VARCHAR(512),
    ip_address  VARCHAR(64),
    provider    VARCHAR(255),
    request_id  VARCHAR(255),
    operator_name   VARCHAR(64),
    operator_reason VARCHAR(256),
    created_at  DATETIME(3) NOT NULL,
    UNIQUE KEY audit_logs_event (event_id),
    KEY audit_logs_actor (actor_id, created_at),
    KEY audit_logs_created (created_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- How far the outbox has been taken over elsewhere.
CREATE TABLE IF NOT EXISTS audit_outbox (
    id           INT NOT NULL PRIMARY KEY,
    acknowledged BIGINT NOT NULL
) ENGINE = InnoDB;
INSERT IGNORE INTO audit_outbox (id, acknowledged) VALUES (1, 0);
