//! What `SQLite` says in words of its own.

use crate::sql::{Dialect, Removal};

pub(super) static DIALECT: Dialect = Dialect {
    put_try: "INSERT INTO challenge_attempt_log
            (challenge_id, place, attempt_id, fingerprint, answer, tried_at)
        VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (challenge_id, place) DO UPDATE SET answer = excluded.answer",
    count_try: "INSERT INTO challenge_validation_attempts
            (challenge_id, user_id, validation_attempts, last_attempt_at, challenge_expired)
        VALUES (?, ?, 1, ?, ?)
        ON CONFLICT (challenge_id) DO UPDATE SET
            validation_attempts = validation_attempts + 1,
            last_attempt_at = excluded.last_attempt_at,
            challenge_expired = MAX(challenge_expired, excluded.challenge_expired)",
    matching_blocks: "SELECT asked.key AS place
        FROM json_each(?) AS asked JOIN blocklist AS entry
            ON entry.kind = json_extract(asked.value, '$[0]')
            AND entry.value = json_extract(asked.value, '$[1]')
        WHERE entry.expires_at IS NULL OR entry.expires_at > ?
        ORDER BY asked.key",
    put_block: "INSERT INTO blocklist (kind, value, note, author, added_at, expires_at)
        VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (kind, value) DO UPDATE SET
            note = excluded.note, author = excluded.author,
            added_at = excluded.added_at, expires_at = excluded.expires_at",
    newest_hits: "SELECT claim.key AS place,
            (SELECT MAX(attempted_at) FROM rate_limit_attempts WHERE bucket = claim.value) AS newest
        FROM json_each(?) AS claim",
    cells: "SELECT claim.key AS place, cell.tat, cell.burst, cell.step
        FROM json_each(?) AS claim JOIN rate_limit_cells AS cell ON cell.bucket = claim.value",
    put_cell: "INSERT INTO rate_limit_cells (bucket, user_id, tat, burst, step)
        VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (bucket) DO UPDATE SET user_id = excluded.user_id, tat = excluded.tat,
            burst = excluded.burst, step = excluded.step",
    clear: [
        "DELETE FROM rate_limit_attempts WHERE bucket IN (SELECT value FROM json_each(?))",
        "DELETE FROM rate_limit_cells WHERE bucket IN (SELECT value FROM json_each(?))",
    ],
    put_budget: "INSERT INTO guess_budgets (tenant, subject_key, factor_class, user_id,
            consecutive, strikes_public, strikes_known, paused_public_until, paused_known_until,
            disabled)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (tenant, subject_key, factor_class) DO UPDATE SET
            consecutive = excluded.consecutive,
            strikes_public = excluded.strikes_public,
            strikes_known = excluded.strikes_known,
            paused_public_until = excluded.paused_public_until,
            paused_known_until = excluded.paused_known_until,
            disabled = excluded.disabled",
    add_seen: "INSERT INTO seen_keys (seen_key, expires_at) VALUES (?, ?)
        ON CONFLICT (seen_key) DO NOTHING",
    put_request: "INSERT INTO idempotency_keys
            (tenant, idempotency_key, fingerprint, challenge_id, expires_at, resend_at)
        VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (tenant, idempotency_key) DO UPDATE SET
            fingerprint = excluded.fingerprint, challenge_id = excluded.challenge_id,
            expires_at = excluded.expires_at, resend_at = excluded.resend_at",
    add_delivery: "INSERT INTO otp_deliveries (id, tenant, challenge_id, user_id, subject_key,
            purpose, channel, locale, destination, destination_masked, state, place, created_at,
            updated_at, kept_until)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING",
    add_record: "INSERT INTO audit_logs (event_id, actor_id, subject_key, event_type, action,
            outcome, reason, tenant, challenge, purpose, channel, lane, destination, ip_address,
            provider, request_id, operator_name, operator_reason, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (event_id) DO UPDATE SET sequence = audit_logs.sequence",
    add_counts: "INSERT INTO otp_stats (name, tenant, value, hits, grain, counted_from, expires_at)
        SELECT json_extract(counted.value, '$[0]'), json_extract(counted.value, '$[1]'),
            json_extract(counted.value, '$[2]'),
            CAST(json_extract(counted.value, '$[3]') AS INTEGER), ?, ?, ?
        FROM json_each(?) AS counted WHERE true
        ON CONFLICT (name, tenant, grain, value, counted_from)
            DO UPDATE SET hits = hits + excluded.hits",
    sum_counts: "SELECT asked.key AS place, (
            SELECT COALESCE(SUM(hits), 0) FROM otp_stats
            WHERE name = json_extract(asked.value, '$[0]')
                AND tenant = json_extract(asked.value, '$[1]') AND grain = ?
                AND value = json_extract(asked.value, '$[2]') AND counted_from >= ?) AS total
        FROM json_each(?) AS asked",
    add_links: "INSERT INTO audit_links (sequence, link)
        SELECT CAST(json_extract(value, '$[0]') AS INTEGER), json_extract(value, '$[1]')
        FROM json_each(?)",
    acknowledge: "UPDATE audit_outbox SET acknowledged =
            MAX(acknowledged, MIN(?, (SELECT COALESCE(MAX(sequence), 0) FROM audit_logs)))
        WHERE id = 1",
    // A sealed value names its key: a byte of version, one of length, the name.
    sealed_factors: "SELECT CAST(substr(secret, 3, unicode(CAST(substr(secret, 2, 1) AS TEXT)))
                AS TEXT) AS key_id, COUNT(*) AS things
        FROM otp_factors GROUP BY 1",
    revoke_all: "UPDATE auth_challenges SET state = 'revoked', ended_at = MIN(ended_at, ?)
        WHERE state = 'live'",
    revoke_these: None,
    ended: "SELECT id FROM auth_challenges WHERE ended_at <= ? ORDER BY ended_at LIMIT ?",
    with_challenges: [
        "DELETE FROM challenge_attempt_log WHERE challenge_id IN (SELECT value FROM json_each(?))",
        "DELETE FROM challenge_validation_attempts
            WHERE challenge_id IN (SELECT value FROM json_each(?))",
        "DELETE FROM auth_challenges WHERE id IN (SELECT value FROM json_each(?))",
    ],
    orphans: [
        Removal::AtOnce(
            "DELETE FROM challenge_attempt_log WHERE rowid IN (
                SELECT rowid FROM challenge_attempt_log AS kept
                WHERE tried_at <= ? AND NOT EXISTS
                    (SELECT 1 FROM auth_challenges WHERE id = kept.challenge_id) LIMIT ?)",
        ),
        Removal::AtOnce(
            "DELETE FROM challenge_validation_attempts WHERE rowid IN (
                SELECT rowid FROM challenge_validation_attempts AS kept
                WHERE last_attempt_at <= ? AND NOT EXISTS
                    (SELECT 1 FROM auth_challenges WHERE id = kept.challenge_id) LIMIT ?)",
        ),
    ],
    lapsed: [
        Removal::AtOnce(
            "DELETE FROM rate_limit_attempts WHERE rowid IN
                (SELECT rowid FROM rate_limit_attempts WHERE expires_at <= ? LIMIT ?)",
        ),
        Removal::AtOnce(
            "DELETE FROM idempotency_keys WHERE rowid IN
                (SELECT rowid FROM idempotency_keys WHERE expires_at <= ? LIMIT ?)",
        ),
        Removal::AtOnce(
            "DELETE FROM seen_keys WHERE rowid IN
                (SELECT rowid FROM seen_keys WHERE expires_at <= ? LIMIT ?)",
        ),
        Removal::AtOnce(
            "DELETE FROM blocklist WHERE rowid IN
                (SELECT rowid FROM blocklist WHERE expires_at <= ? LIMIT ?)",
        ),
        Removal::AtOnce(
            "DELETE FROM otp_stats WHERE rowid IN
                (SELECT rowid FROM otp_stats WHERE expires_at <= ? LIMIT ?)",
        ),
        Removal::AtOnce(
            "DELETE FROM otp_deliveries WHERE rowid IN
                (SELECT rowid FROM otp_deliveries WHERE kept_until <= ? LIMIT ?)",
        ),
        Removal::AtOnce(
            "DELETE FROM otp_delivery_reports WHERE rowid IN
                (SELECT rowid FROM otp_delivery_reports WHERE kept_until <= ? LIMIT ?)",
        ),
        Removal::AtOnce(
            "DELETE FROM otp_sessions WHERE rowid IN
                (SELECT rowid FROM otp_sessions WHERE kept_until <= ? LIMIT ?)",
        ),
        Removal::AtOnce(
            "DELETE FROM otp_states WHERE rowid IN
                (SELECT rowid FROM otp_states WHERE expires_at <= ? LIMIT ?)",
        ),
        Removal::AtOnce(
            "DELETE FROM otp_devices WHERE rowid IN
                (SELECT rowid FROM otp_devices WHERE expires_at <= ? LIMIT ?)",
        ),
    ],
    full_cells: Removal::AtOnce(
        "DELETE FROM rate_limit_cells WHERE rowid IN
            (SELECT rowid FROM rate_limit_cells WHERE tat <= ? LIMIT ?)",
    ),
    old_records: Removal::AtOnce(
        "DELETE FROM audit_logs WHERE rowid IN
            (SELECT rowid FROM audit_logs WHERE sequence < (SELECT
                    COALESCE(MIN(sequence), 9223372036854775807) FROM audit_logs WHERE created_at > ?)
                AND sequence <= (SELECT acknowledged FROM audit_outbox WHERE id = 1)
                AND (SELECT place = 0 OR audit_logs.sequence <= audit_chain.sequence
                    FROM audit_chain WHERE id = 1) ORDER BY sequence LIMIT ?)",
    ),
    old_links: "DELETE FROM audit_links WHERE sequence IN
        (SELECT sequence FROM audit_links
            WHERE sequence < (SELECT MIN(sequence) FROM audit_logs) LIMIT ?)",
};
