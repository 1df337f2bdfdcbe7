-- What was counted in the minute or hour that begins so; value '' is a total.
CREATE TABLE IF NOT EXISTS otp_stats (
    name         VARCHAR(32) NOT NULL,
    tenant       VARCHAR(64) NOT NULL,
    grain        VARCHAR(8) NOT NULL,
    value        VARCHAR(64) NOT NULL,
    counted_from DATETIME(3) NOT NULL,
    hits         BIGINT NOT NULL,
    expires_at   DATETIME(3) NOT NULL,
    PRIMARY KEY (name, tenant, grain, value, counted_from),
    KEY otp_stats_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row a version of the policy; the highest is in force.
CREATE TABLE IF NOT EXISTS otp_policies (
    version      BIGINT NOT NULL PRIMARY KEY,
    document     MEDIUMTEXT NOT NULL,
    author       VARCHAR(128) NOT NULL,
    reason       VARCHAR(256) NOT NULL,
    published_at DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
