//! What `MySQL` and `MariaDB` say in words of their own.

use crate::sql::{Dialect, Removal};

/// A list of texts that came as JSON, as a table.
macro_rules! texts {
    () => {
        "JSON_TABLE(?, '$[*]' COLUMNS (
            place FOR ORDINALITY,
            one VARCHAR(1100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$'))"
    };
}

/// A list of pairs of texts that came as JSON, as a table.
macro_rules! pairs {
    () => {
        "JSON_TABLE(?, '$[*]' COLUMNS (
            place FOR ORDINALITY,
            one VARCHAR(1100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[0]',
            two VARCHAR(1100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[1]'))"
    };
}

/// A list of up to four texts each that came as JSON, as a table.
macro_rules! quads {
    () => {
        "JSON_TABLE(?, '$[*]' COLUMNS (
            place FOR ORDINALITY,
            one VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[0]',
            two VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[1]',
            three VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[2]',
            four VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[3]'))"
    };
}

/// Deletes rows by a list of pairs, going from the list to the rows: the other way round every row
/// of the table would be locked.
macro_rules! drop_pairs {
    ($table:literal, $on:literal) => {
        concat!(
            "DELETE gone FROM ",
            pairs!(),
            " AS listed STRAIGHT_JOIN ",
            $table,
            " AS gone ON ",
            $on
        )
    };
}

/// Deletes rows by a list of texts, going from the list to the rows.
macro_rules! drop_texts {
    ($table:literal, $on:literal) => {
        concat!(
            "DELETE gone FROM ",
            texts!(),
            " AS listed STRAIGHT_JOIN ",
            $table,
            " AS gone ON ",
            $on
        )
    };
}

// `VALUES(column)` is what both engines understand.
pub(super) static DIALECT: Dialect = Dialect {
    put_try: "INSERT INTO challenge_attempt_log
            (challenge_id, place, attempt_id, fingerprint, answer, tried_at)
        VALUES (?, ?, ?, ?, ?, ?)
        ON DUPLICATE KEY UPDATE answer = VALUES(answer)",
    count_try: "INSERT INTO challenge_validation_attempts
            (challenge_id, user_id, validation_attempts, last_attempt_at, challenge_expired)
        VALUES (?, ?, 1, ?, ?)
        ON DUPLICATE KEY UPDATE
            validation_attempts = validation_attempts + 1,
            last_attempt_at = VALUES(last_attempt_at),
            challenge_expired = GREATEST(challenge_expired, VALUES(challenge_expired))",
    matching_blocks: concat!(
        "SELECT CAST(asked.place - 1 AS SIGNED) AS place FROM ",
        pairs!(),
        " AS asked STRAIGHT_JOIN blocklist AS entry
            ON entry.kind = asked.one AND entry.value = asked.two
        WHERE entry.expires_at IS NULL OR entry.expires_at > ?
        ORDER BY asked.place"
    ),
    put_block: "INSERT INTO blocklist (kind, value, note, author, added_at, expires_at)
        VALUES (?, ?, ?, ?, ?, ?)
        ON DUPLICATE KEY UPDATE
            note = VALUES(note), author = VALUES(author),
            added_at = VALUES(added_at), expires_at = VALUES(expires_at)",
    newest_hits: concat!(
        "SELECT CAST(claim.place - 1 AS SIGNED) AS place,
            (SELECT attempted_at FROM rate_limit_attempts WHERE bucket = claim.one
                ORDER BY attempted_at DESC LIMIT 1) AS newest
        FROM ",
        texts!(),
        " AS claim"
    ),
    cells: concat!(
        "SELECT CAST(claim.place - 1 AS SIGNED) AS place, cell.tat, cell.burst, cell.step FROM ",
        texts!(),
        " AS claim STRAIGHT_JOIN rate_limit_cells AS cell ON cell.bucket = claim.one"
    ),
    put_cell: "INSERT INTO rate_limit_cells (bucket, user_id, tat, burst, step)
        VALUES (?, ?, ?, ?, ?)
        ON DUPLICATE KEY UPDATE user_id = VALUES(user_id), tat = VALUES(tat),
            burst = VALUES(burst), step = VALUES(step)",
    clear: [
        drop_texts!("rate_limit_attempts", "gone.bucket = listed.one"),
        drop_texts!("rate_limit_cells", "gone.bucket = listed.one"),
    ],
    put_budget: "INSERT INTO guess_budgets (tenant, subject_key, factor_class, user_id,
            consecutive, strikes_public, strikes_known, paused_public_until, paused_known_until,
            disabled)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON DUPLICATE KEY UPDATE
            consecutive = VALUES(consecutive),
            strikes_public = VALUES(strikes_public),
            strikes_known = VALUES(strikes_known),
            paused_public_until = VALUES(paused_public_until),
            paused_known_until = VALUES(paused_known_until),
            disabled = VALUES(disabled)",
    add_seen: "INSERT IGNORE INTO seen_keys (seen_key, expires_at) VALUES (?, ?)",
    put_request: "INSERT INTO idempotency_keys
            (tenant, idempotency_key, fingerprint, challenge_id, expires_at, resend_at)
        VALUES (?, ?, ?, ?, ?, ?)
        ON DUPLICATE KEY UPDATE
            fingerprint = VALUES(fingerprint), challenge_id = VALUES(challenge_id),
            expires_at = VALUES(expires_at), resend_at = VALUES(resend_at)",
    add_delivery: "INSERT INTO otp_deliveries (id, tenant, challenge_id, user_id, subject_key,
            purpose, channel, locale, destination, destination_masked, state, place, created_at,
            updated_at, kept_until)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON DUPLICATE KEY UPDATE id = otp_deliveries.id",
    // The number is given while the log's stripe is held, together with all others who add to it,
    // and the stripe is held until the record is committed: see `sql::Horizon`.
    add_record: "INSERT INTO audit_logs (event_id, actor_id, subject_key, event_type, action,
            outcome, reason, tenant, challenge, purpose, channel, lane, destination, ip_address,
            provider, request_id, operator_name, operator_reason, created_at)
        SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
            FROM otp_locks WHERE id = 1024 LOCK IN SHARE MODE
        ON DUPLICATE KEY UPDATE sequence = audit_logs.sequence",
    // Rows are locked in the order of their keys, by whoever adds: nobody waits in a circle.
    add_counts: concat!(
        "INSERT INTO otp_stats (name, tenant, value, hits, grain, counted_from, expires_at)
        SELECT counted.one, counted.two, counted.three, CAST(counted.four AS SIGNED), ?, ?, ? FROM ",
        quads!(),
        " AS counted ORDER BY counted.place
        ON DUPLICATE KEY UPDATE hits = otp_stats.hits + VALUES(hits)"
    ),
    sum_counts: concat!(
        "SELECT CAST(asked.place - 1 AS SIGNED) AS place, (
            SELECT CAST(COALESCE(SUM(hits), 0) AS SIGNED) FROM otp_stats
            WHERE name = asked.one AND tenant = asked.two AND grain = ?
                AND value = asked.three AND counted_from >= ?) AS total
        FROM ",
        quads!(),
        " AS asked"
    ),
    add_links: concat!(
        "INSERT INTO audit_links (sequence, link)
        SELECT CAST(listed.one AS SIGNED), listed.two FROM ",
        pairs!(),
        " AS listed ORDER BY listed.place"
    ),
    acknowledge: "UPDATE audit_outbox SET acknowledged =
            GREATEST(acknowledged, LEAST(?, (SELECT COALESCE(MAX(sequence), 0) FROM audit_logs)))
        WHERE id = 1",
    // A sealed value names its key: a byte of version, one of length, the name.
    sealed_factors: "SELECT CONVERT(SUBSTRING(secret, 3, ORD(SUBSTRING(secret, 2, 1))) USING ascii)
                AS key_id, COUNT(*) AS things
        FROM otp_factors GROUP BY key_id",
    revoke_all: "UPDATE auth_challenges SET state = 'revoked', ended_at = LEAST(ended_at, ?)
        WHERE state = 'live'",
    revoke_these: Some(concat!(
        "UPDATE ",
        pairs!(),
        " AS listed STRAIGHT_JOIN auth_challenges AS meant ON meant.id = listed.one
        SET meant.state = 'revoked', meant.ended_at = ?
        WHERE meant.state = 'live' AND meant.expires_at > ?"
    )),
    ended: "SELECT id FROM auth_challenges WHERE ended_at <= ? ORDER BY ended_at LIMIT ?
        FOR UPDATE SKIP LOCKED",
    with_challenges: [
        drop_texts!("challenge_attempt_log", "gone.challenge_id = listed.one"),
        drop_texts!(
            "challenge_validation_attempts",
            "gone.challenge_id = listed.one"
        ),
        drop_texts!("auth_challenges", "gone.id = listed.one"),
    ],
    orphans: [
        Removal::Picked {
            pick: "SELECT challenge_id AS one, CAST(place AS CHAR) AS two
                FROM challenge_attempt_log AS kept WHERE tried_at <= ? AND NOT EXISTS
                    (SELECT 1 FROM auth_challenges WHERE id = kept.challenge_id) LIMIT ?",
            drop: drop_pairs!(
                "challenge_attempt_log",
                "gone.challenge_id = listed.one AND gone.place = CAST(listed.two AS SIGNED)"
            ),
        },
        Removal::Picked {
            pick: "SELECT challenge_id AS one, '' AS two
                FROM challenge_validation_attempts AS kept WHERE last_attempt_at <= ? AND NOT EXISTS
                    (SELECT 1 FROM auth_challenges WHERE id = kept.challenge_id) LIMIT ?",
            drop: drop_pairs!(
                "challenge_validation_attempts",
                "gone.challenge_id = listed.one"
            ),
        },
    ],
    // Whoever has a row in hand keeps it: nobody ever waits for the purge to wait for him.
    lapsed: [
        Removal::Picked {
            pick: "SELECT CAST(sequence AS CHAR) AS one, '' AS two FROM rate_limit_attempts
                WHERE expires_at <= ? LIMIT ? FOR UPDATE SKIP LOCKED",
            drop: drop_pairs!(
                "rate_limit_attempts",
                "gone.sequence = CAST(listed.one AS SIGNED)"
            ),
        },
        Removal::Picked {
            pick: "SELECT tenant AS one, idempotency_key AS two FROM idempotency_keys
                WHERE expires_at <= ? LIMIT ? FOR UPDATE SKIP LOCKED",
            drop: drop_pairs!(
                "idempotency_keys",
                "gone.tenant = listed.one AND gone.idempotency_key = listed.two"
            ),
        },
        Removal::Picked {
            pick: "SELECT seen_key AS one, '' AS two FROM seen_keys
                WHERE expires_at <= ? LIMIT ? FOR UPDATE SKIP LOCKED",
            drop: drop_pairs!("seen_keys", "gone.seen_key = listed.one"),
        },
        Removal::Picked {
            pick: "SELECT kind AS one, value AS two FROM blocklist
                WHERE expires_at <= ? LIMIT ? FOR UPDATE SKIP LOCKED",
            drop: drop_pairs!(
                "blocklist",
                "gone.kind = listed.one AND gone.value = listed.two"
            ),
        },
        // Nobody adds to a minute that is over, so nobody has one in hand.
        Removal::AtOnce("DELETE FROM otp_stats WHERE expires_at <= ? LIMIT ?"),
        Removal::Picked {
            pick: "SELECT id AS one, '' AS two FROM otp_deliveries
                WHERE kept_until <= ? LIMIT ? FOR UPDATE SKIP LOCKED",
            drop: drop_pairs!("otp_deliveries", "gone.id = listed.one"),
        },
        Removal::Picked {
            pick: "SELECT HEX(reference) AS one, HEX(provider) AS two FROM otp_delivery_reports
                WHERE kept_until <= ? LIMIT ? FOR UPDATE SKIP LOCKED",
            drop: drop_pairs!(
                "otp_delivery_reports",
                "gone.reference = UNHEX(listed.one) AND gone.provider = UNHEX(listed.two)"
            ),
        },
        Removal::Picked {
            pick: "SELECT id AS one, '' AS two FROM otp_sessions
                WHERE kept_until <= ? LIMIT ? FOR UPDATE SKIP LOCKED",
            drop: drop_pairs!("otp_sessions", "gone.id = listed.one"),
        },
        Removal::Picked {
            pick: "SELECT state_key AS one, '' AS two FROM otp_states
                WHERE expires_at <= ? LIMIT ? FOR UPDATE SKIP LOCKED",
            drop: drop_pairs!("otp_states", "gone.state_key = listed.one"),
        },
        Removal::Picked {
            pick: "SELECT id AS one, '' AS two FROM otp_devices
                WHERE expires_at <= ? LIMIT ? FOR UPDATE SKIP LOCKED",
            drop: drop_pairs!("otp_devices", "gone.id = listed.one"),
        },
    ],
    full_cells: Removal::Picked {
        pick: "SELECT bucket AS one, '' AS two FROM rate_limit_cells
            WHERE tat <= ? LIMIT ? FOR UPDATE SKIP LOCKED",
        drop: drop_pairs!("rate_limit_cells", "gone.bucket = listed.one"),
    },
    old_records: Removal::Picked {
        pick: "SELECT CAST(sequence AS CHAR) AS one, '' AS two FROM audit_logs
            WHERE sequence < (SELECT COALESCE(MIN(sequence), 9223372036854775807)
                    FROM audit_logs WHERE created_at > ?)
                AND sequence <= (SELECT acknowledged FROM audit_outbox WHERE id = 1)
                AND (SELECT place = 0 OR audit_logs.sequence <= audit_chain.sequence
                    FROM audit_chain WHERE id = 1) ORDER BY sequence LIMIT ?
            FOR UPDATE",
        drop: drop_pairs!("audit_logs", "gone.sequence = CAST(listed.one AS SIGNED)"),
    },
    old_links: "DELETE FROM audit_links
        WHERE sequence < (SELECT MIN(sequence) FROM audit_logs) LIMIT ?",
};
