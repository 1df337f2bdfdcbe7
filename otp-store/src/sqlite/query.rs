//! Live challenges by what an operator knows of them.

use otp_core::challenge::ChallengeId;
use otp_core::clock::Timestamp;
use otp_core::store::{ChallengeQuery, StoreError};
use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};

use super::engine::failed;
use super::intent::Tx;

/// Every part that is bound must fit. The first condition is what an index finds.
macro_rules! meant {
    ($verb:literal, $index:literal, $tail:literal) => {
        concat!(
            $verb,
            " WHERE ",
            $index,
            " AND state = 'live' AND expires_at > ?1
            AND (?2 IS NULL OR id = ?2)
            AND (?3 IS NULL OR subject_key = ?3)
            AND (?4 IS NULL OR tenant = ?4)
            AND (?5 IS NULL OR channel = ?5)
            AND (?6 IS NULL OR ip_address = ?6)
            AND (?7 IS NULL OR key_id = ?7)
            AND (?8 IS NULL OR created_at >= ?8)
            AND (?9 IS NULL OR created_at < ?9)",
            $tail
        )
    };
}

/// Gives the statement whose index fits what is asked for.
macro_rules! statement {
    ($query:expr, $verb:literal, $tail:literal) => {
        if $query.challenge.is_some() {
            meant!($verb, "id = ?2", $tail)
        } else if $query.subject.is_some() {
            meant!($verb, "subject_key = ?3", $tail)
        } else {
            meant!($verb, "state = 'live'", $tail)
        }
    };
}

/// Reads the live challenges that are meant, newest first.
pub(super) async fn live(
    tx: &mut Tx<'_>,
    query: &ChallengeQuery,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<SqliteRow>, StoreError> {
    let sql = statement!(
        query,
        "SELECT * FROM auth_challenges",
        " ORDER BY created_at DESC, id LIMIT ?10"
    );
    bound(sql, query, now)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(tx.conn())
        .await
        .map_err(failed)
}

/// Ends the live challenges that are meant, and answers how many.
pub(super) async fn revoke(
    tx: &mut Tx<'_>,
    query: &ChallengeQuery,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let sql = statement!(
        query,
        "UPDATE auth_challenges SET state = 'revoked', ended_at = ?1",
        ""
    );
    let ended = bound(sql, query, now)
        .execute(tx.conn())
        .await
        .map_err(failed)?;
    Ok(ended.rows_affected())
}

fn bound<'q>(
    sql: &'static str,
    query: &ChallengeQuery,
    now: Timestamp,
) -> Query<'q, Sqlite, SqliteArguments> {
    sqlx::query(sql)
        .bind(now.as_millis())
        .bind(query.challenge.as_ref().map(ChallengeId::to_string))
        .bind(
            query
                .subject
                .as_ref()
                .map(|subject| subject.as_str().to_owned()),
        )
        .bind(
            query
                .tenant
                .as_ref()
                .map(|tenant| tenant.as_str().to_owned()),
        )
        .bind(query.channel.map(|channel| channel.name()))
        .bind(query.address.map(|address| address.to_string()))
        .bind(query.key_id.as_ref().map(|key| key.as_str().to_owned()))
        .bind(query.issued_from.map(Timestamp::as_millis))
        .bind(query.issued_until.map(Timestamp::as_millis))
}
