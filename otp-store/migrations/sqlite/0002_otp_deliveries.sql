-- One row a message. Places on the ladder: 10 is queued, 20 sent, 40 to 48 failed.
CREATE TABLE otp_deliveries (
    id                 TEXT PRIMARY KEY,
    tenant             TEXT NOT NULL,
    challenge_id       TEXT NOT NULL,
    user_id            TEXT NOT NULL,
    subject_key        TEXT NOT NULL,
    purpose            TEXT NOT NULL,
    channel            TEXT NOT NULL,
    locale             TEXT NOT NULL,
    -- Sealed; a decoy has none.
    destination        BLOB,
    destination_masked TEXT,
    provider           TEXT,
    reference          TEXT,
    state              TEXT NOT NULL,
    place              INTEGER NOT NULL,
    reason             TEXT,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    resent_at          INTEGER,
    overdue_at         INTEGER,
    kept_until         INTEGER NOT NULL
) STRICT;
CREATE INDEX otp_deliveries_name ON otp_deliveries (reference, provider);
CREATE INDEX otp_deliveries_place ON otp_deliveries (place, updated_at);
CREATE INDEX otp_deliveries_created ON otp_deliveries (created_at);
CREATE INDEX otp_deliveries_user ON otp_deliveries (user_id, created_at);
CREATE INDEX otp_deliveries_kept ON otp_deliveries (kept_until);

-- What vendors reported before the message was known by their name for it.
CREATE TABLE otp_delivery_reports (
    provider   TEXT NOT NULL,
    reference  TEXT NOT NULL,
    place      INTEGER NOT NULL,
    reason     TEXT,
    kept_until INTEGER NOT NULL,
    PRIMARY KEY (provider, reference)
) STRICT;
CREATE INDEX otp_delivery_reports_kept ON otp_delivery_reports (kept_until);

-- Who got no message, masked: what operators ask for after an outage.
CREATE VIEW delivery_failures AS
    SELECT user_id,
        MAX(CASE WHEN channel <> 'email' THEN destination_masked END) AS phone_number,
        MAX(CASE WHEN channel = 'email' THEN destination_masked END) AS email,
        COUNT(*) AS failed_attempts,
        MAX(created_at) AS last_attempt_at
    FROM otp_deliveries
    WHERE place BETWEEN 40 AND 48 AND destination IS NOT NULL
    GROUP BY user_id;
