//! Live challenges by what an operator knows of them.

use otp_core::challenge::ChallengeId;
use otp_core::clock::Timestamp;
use otp_core::store::{ChallengeQuery, StoreError};

use super::{Row, Tx, Value};

/// Every part that is given must fit. The first condition is what an index finds.
macro_rules! meant {
    ($verb:literal, $index:literal, $tail:literal) => {
        concat!(
            $verb,
            " WHERE ",
            $index,
            " AND state = 'live' AND expires_at > ?
            AND (? IS NULL OR id = ?)
            AND (? IS NULL OR subject_key = ?)
            AND (? IS NULL OR destination_key = ?)
            AND (? IS NULL OR tenant = ?)
            AND (? IS NULL OR channel = ?)
            AND (? IS NULL OR ip_address = ?)
            AND (? IS NULL OR key_id = ?)
            AND (? IS NULL OR created_at >= ?)
            AND (? IS NULL OR created_at < ?)",
            $tail
        )
    };
}

/// Gives the statement whose index fits what is asked for.
macro_rules! statement {
    ($query:expr, $verb:literal, $tail:literal) => {
        if $query.challenge.is_some() {
            meant!($verb, "id = ?", $tail)
        } else if $query.subject.is_some() {
            meant!($verb, "subject_key = ?", $tail)
        } else {
            meant!($verb, "state = 'live'", $tail)
        }
    };
}

/// Reads the live challenges that are meant, newest first.
pub(crate) async fn live(
    tx: &mut Tx<'_>,
    query: &ChallengeQuery,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Row>, StoreError> {
    let sql = statement!(
        query,
        "SELECT * FROM auth_challenges",
        " ORDER BY created_at DESC, id LIMIT ?"
    );
    let parts = Parts::of(query);
    let mut values = parts.values(now);
    values.push(limit.into());
    tx.rows(sql, &values).await
}

/// Names some of the live challenges that are meant.
pub(crate) async fn names(
    tx: &mut Tx<'_>,
    query: &ChallengeQuery,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<ChallengeId>, StoreError> {
    let sql = statement!(query, "SELECT id FROM auth_challenges", " LIMIT ?");
    let parts = Parts::of(query);
    let mut values = parts.values(now);
    values.push(limit.into());
    let rows = tx.rows(sql, &values).await?;
    rows.iter()
        .map(|row| row.parsed("id", |text| text.parse().ok()))
        .collect()
}

/// Ends the live challenges that are meant, and answers how many.
pub(crate) async fn revoke(
    tx: &mut Tx<'_>,
    query: &ChallengeQuery,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let sql = statement!(
        query,
        "UPDATE auth_challenges SET state = 'revoked', ended_at = ?",
        ""
    );
    let parts = Parts::of(query);
    let mut values = vec![now.into()];
    values.extend(parts.values(now));
    tx.execute(sql, &values).await
}

/// The parts of a query in the form in which they are stored.
struct Parts<'q> {
    query: &'q ChallengeQuery,
    challenge: Option<String>,
    address: Option<String>,
}

impl<'q> Parts<'q> {
    fn of(query: &'q ChallengeQuery) -> Self {
        Self {
            query,
            challenge: query.challenge.as_ref().map(ChallengeId::to_string),
            address: query.address.map(|address| address.to_string()),
        }
    }

    fn values(&self, now: Timestamp) -> Vec<Value<'_>> {
        let query = self.query;
        let challenge: Value<'_> = self.challenge.as_deref().into();
        let subject = query.subject.as_ref().map(|subject| subject.as_str());
        let mut values = Vec::with_capacity(22);
        if query.challenge.is_some() {
            values.push(challenge);
        } else if subject.is_some() {
            values.push(subject.into());
        }
        values.push(now.into());
        let parts = [
            challenge,
            subject.into(),
            query.destination.as_ref().map(|key| key.as_str()).into(),
            query.tenant.as_ref().map(|tenant| tenant.as_str()).into(),
            query.channel.map(|channel| channel.name()).into(),
            self.address.as_deref().into(),
            query.key_id.as_ref().map(|key| key.as_str()).into(),
            query.issued_from.into(),
            query.issued_until.into(),
        ];
        values.extend(parts.into_iter().flat_map(|part| [part, part]));
        values
    }
}
