-- One row a remembered device; one that was forgotten has none. Its token is kept nowhere.
-- Every statement may be run again: where a migration died half-way, it is run once more.
CREATE TABLE IF NOT EXISTS otp_devices (
    id          VARCHAR(22) NOT NULL,
    tenant      VARCHAR(64) NOT NULL,
    user_id     VARCHAR(255) NOT NULL,
    subject_key VARBINARY(512) NOT NULL,
    label       VARBINARY(256),
    key_id      VARCHAR(32) NOT NULL,
    created_at  DATETIME(3) NOT NULL,
    expires_at  DATETIME(3) NOT NULL,
    PRIMARY KEY (subject_key, tenant, id),
    KEY otp_devices_user (user_id),
    KEY otp_devices_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
