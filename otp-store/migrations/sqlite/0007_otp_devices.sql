-- One row a remembered device; one that was forgotten has none. Its token is kept nowhere.
CREATE TABLE otp_devices (
    id          TEXT NOT NULL,
    tenant      TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    subject_key TEXT NOT NULL,
    label       TEXT,
    key_id      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (subject_key, tenant, id)
) STRICT;
CREATE INDEX otp_devices_user ON otp_devices (user_id);
CREATE INDEX otp_devices_expiry ON otp_devices (expires_at);
