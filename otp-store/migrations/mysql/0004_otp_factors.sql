-- One row an authenticator; one without `confirmed_at` waits for its first code.
-- Every statement may be run again: where a migration died half-way, it is run once more.
CREATE TABLE IF NOT EXISTS otp_factors (
    id           VARCHAR(22) NOT NULL PRIMARY KEY,
    tenant       VARCHAR(64) NOT NULL,
    user_id      VARCHAR(255) NOT NULL,
    subject_key  VARBINARY(512) NOT NULL,
    kind         VARCHAR(16) NOT NULL,
    algorithm    VARCHAR(16) NOT NULL,
    digits       INT NOT NULL,
    period       INT NOT NULL,
    name         VARBINARY(256) NOT NULL,
    -- Sealed to tenant, subject and id.
    secret       BLOB NOT NULL,
    -- The time step or counter that was accepted last; it never goes back.
    last_step    BIGINT,
    created_at   DATETIME(3) NOT NULL,
    confirmed_at DATETIME(3),
    used_at      DATETIME(3),
    UNIQUE KEY otp_factors_name (subject_key, tenant, name),
    KEY otp_factors_user (user_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row a recovery code that is left.
CREATE TABLE IF NOT EXISTS otp_recovery_codes (
    tenant      VARCHAR(64) NOT NULL,
    user_id     VARCHAR(255) NOT NULL,
    subject_key VARBINARY(512) NOT NULL,
    selector    CHAR(2) NOT NULL,
    digest      VARCHAR(1024) NOT NULL,
    PRIMARY KEY (subject_key, tenant, selector)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The try of an owner that was accepted last, where its client named it: how it answers when it is
-- repeated, for a minute.
CREATE TABLE IF NOT EXISTS otp_accepted_tries (
    tenant      VARCHAR(64) NOT NULL,
    user_id     VARCHAR(255) NOT NULL,
    subject_key VARBINARY(512) NOT NULL,
    answer      VARCHAR(128) NOT NULL,
    PRIMARY KEY (subject_key, tenant)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
