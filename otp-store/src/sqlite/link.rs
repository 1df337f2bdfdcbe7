//! A connection to `SQLite` as the intents see it, and the time of its transactions.

use std::sync::Arc;

use async_trait::async_trait;
use otp_core::clock::{Clock, SteadyClock, Timestamp};
use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Decode, Row as _, Sqlite, Type};

use super::dialect::DIALECT;
use super::engine::failed;
use crate::sql::{Columns, Link, Row, Tx, Value};

/// What this process knows of the time.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    /// Never going back, for everybody.
    pub(super) steady: SteadyClock,
    /// The clock itself, for a transaction that accepts its reading.
    own: Arc<dyn Clock>,
}

impl Watch {
    pub(super) fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            steady: SteadyClock::new(Arc::clone(clock)),
            own: Arc::clone(clock),
        }
    }
}

#[async_trait]
impl Link for SqliteConnection {
    async fn execute(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let done = bound(sql, values).execute(self).await.map_err(failed)?;
        Ok(done.rows_affected())
    }

    async fn rows(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let rows = bound(sql, values).fetch_all(self).await.map_err(failed)?;
        Ok(rows.into_iter().map(Row::new).collect())
    }
}

fn bound<'v>(sql: &'static str, values: &[Value<'v>]) -> Query<'v, Sqlite, SqliteArguments> {
    let query = sqlx::query(sql);
    values.iter().fold(query, |query, value| match *value {
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::Time(time) => query.bind(time.as_millis()),
        Value::Null => query.bind(None::<i64>),
    })
}

impl Columns for SqliteRow {
    fn int(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        get(self, column)
    }

    fn text(&self, column: &'static str) -> Result<Option<&str>, StoreError> {
        get(self, column)
    }

    fn bytes(&self, column: &'static str) -> Result<Option<&[u8]>, StoreError> {
        get(self, column)
    }

    fn time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.int(column)?.map(Timestamp::from_millis))
    }
}

fn get<'r, T: Decode<'r, Sqlite> + Type<Sqlite>>(
    row: &'r SqliteRow,
    column: &'static str,
) -> Result<Option<T>, StoreError> {
    row.try_get(column).map_err(failed)
}

/// Takes a connection in a snapshot.
///
/// The mark is not looked at: a snapshot can be older than an operator's pardon, and must not
/// bring back what was forgiven. The writer knows the mark since the store was opened.
pub(super) fn reading<'c>(conn: &'c mut SqliteConnection, watch: &Watch) -> Tx<'c> {
    let now = watch.steady.read();
    Tx::new(conn, &DIALECT, Arc::clone(&watch.own), now)
}

/// Takes a connection in a transaction that holds the write lock, and reads the time no earlier
/// than any process has seen it in this database.
pub(super) async fn writing<'c>(
    conn: &'c mut SqliteConnection,
    watch: &Watch,
) -> Result<Tx<'c>, StoreError> {
    const SEEN: &str = "SELECT seen_ms FROM otp_clock WHERE id = 1";
    let mark = Link::rows(conn, SEEN, &[]).await?;
    let mark = mark.first().ok_or(StoreErrorKind::Unavailable)?;
    let steady = watch.steady.clone().with_floor(mark.time("seen_ms")?);
    Ok(Tx::new(
        conn,
        &DIALECT,
        Arc::clone(&watch.own),
        steady.read(),
    ))
}

/// Keeps the time for every process to come.
pub(super) async fn raise_mark(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    const RAISE: &str = "UPDATE otp_clock SET seen_ms = ? WHERE id = 1 AND seen_ms < ?";
    let Ok(now) = tx.now() else {
        return Ok(());
    };
    tx.execute(RAISE, &[now.into(), now.into()]).await.map(drop)
}
