-- One row a message. Places on the ladder: 10 is queued, 20 sent, 40 to 48 failed.
-- Every statement may be run again: where a migration died half-way, it is run once more.
CREATE TABLE IF NOT EXISTS otp_deliveries (
    id                 VARCHAR(64) NOT NULL PRIMARY KEY,
    tenant             VARCHAR(64) NOT NULL,
    challenge_id       VARCHAR(36) NOT NULL,
    user_id            VARCHAR(255) NOT NULL,
    subject_key        VARBINARY(512) NOT NULL,
    purpose            VARCHAR(64) NOT NULL,
    channel            VARCHAR(32) NOT NULL,
    locale             VARCHAR(35) NOT NULL,
    -- Sealed; a decoy has none.
    destination        BLOB,
    destination_masked VARCHAR(512),
    provider           VARBINARY(512),
    reference          VARBINARY(128),
    state              VARCHAR(16) NOT NULL,
    place              INT NOT NULL,
    reason             VARCHAR(1024),
    created_at         DATETIME(3) NOT NULL,
    updated_at         DATETIME(3) NOT NULL,
    resent_at          DATETIME(3),
    overdue_at         DATETIME(3),
    kept_until         DATETIME(3) NOT NULL,
    KEY otp_deliveries_name (reference, provider),
    KEY otp_deliveries_place (place, updated_at),
    KEY otp_deliveries_created (created_at),
    KEY otp_deliveries_user (user_id, created_at),
    KEY otp_deliveries_kept (kept_until)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What vendors reported before the message was known by their name for it.
CREATE TABLE IF NOT EXISTS otp_delivery_reports (
    provider   VARBINARY(512) NOT NULL,
    reference  VARBINARY(128) NOT NULL,
    place      INT NOT NULL,
    reason     VARCHAR(1024),
    kept_until DATETIME(3) NOT NULL,
    PRIMARY KEY (reference, provider),
    KEY otp_delivery_reports_kept (kept_until)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who got no message, masked: what operators ask for after an outage.
CREATE OR REPLACE VIEW delivery_failures AS
    SELECT user_id,
        MAX(CASE WHEN channel <> 'email' THEN destination_masked END) AS phone_number,
        MAX(CASE WHEN channel = 'email' THEN destination_masked END) AS email,
        COUNT(*) AS failed_attempts,
        MAX(created_at) AS last_attempt_at
    FROM otp_deliveries
    WHERE place BETWEEN 40 AND 48 AND destination IS NOT NULL
    GROUP BY user_id;
