-- What was counted in the minute or hour that begins so; value '' is a total.
CREATE TABLE otp_stats (
    name         TEXT NOT NULL,
    tenant       TEXT NOT NULL,
    grain        TEXT NOT NULL,
    value        TEXT NOT NULL,
    counted_from INTEGER NOT NULL,
    hits         INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    PRIMARY KEY (name, tenant, grain, value, counted_from)
) STRICT;
CREATE INDEX otp_stats_expiry ON otp_stats (expires_at);

-- One row a version of the policy; the highest is in force.
CREATE TABLE otp_policies (
    version      INTEGER PRIMARY KEY,
    document     TEXT NOT NULL,
    author       TEXT NOT NULL,
    reason       TEXT NOT NULL,
    published_at INTEGER NOT NULL
) STRICT;
