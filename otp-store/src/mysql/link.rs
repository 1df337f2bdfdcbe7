//! A connection in a transaction as the intents see it.

use async_trait::async_trait;
use otp_core::clock::Timestamp;
use otp_core::store::StoreError;
use sqlx::mysql::{MySqlArguments, MySqlConnection, MySqlRow};
use sqlx::query::Query;
use sqlx::types::time::{OffsetDateTime, PrimitiveDateTime};
use sqlx::{Decode, Error, MySql, Row as _, Type};

use super::failure::{failed, gave_way};
use crate::sql::{Columns, Link, Row, Value, corrupt};

/// The times that `DATETIME` can hold: 1000-01-01 to the last millisecond of 9999.
const EARLIEST_MS: i64 = -30_610_224_000_000;
const LATEST_MS: i64 = 253_402_300_799_999;

/// Whether the engine has ended the transaction for another one's sake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Yielded {
    No,
    Yes,
}

/// A connection whose transaction is open.
pub(super) struct Wire<'c> {
    conn: &'c mut MySqlConnection,
    pub(super) yielded: Yielded,
}

impl<'c> Wire<'c> {
    pub(super) fn new(conn: &'c mut MySqlConnection) -> Self {
        Self {
            conn,
            yielded: Yielded::No,
        }
    }

    fn failed(&mut self, error: &Error) -> StoreError {
        if gave_way(error) {
            self.yielded = Yielded::Yes;
        }
        failed(error)
    }
}

#[async_trait]
impl Link for Wire<'_> {
    async fn execute(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let done = bound(sql, values).execute(&mut *self.conn).await;
        match done {
            Ok(done) => Ok(done.rows_affected()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    async fn rows(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let rows = bound(sql, values).fetch_all(&mut *self.conn).await;
        match rows {
            Ok(rows) => Ok(rows.into_iter().map(Row::new).collect()),
            Err(error) => Err(self.failed(&error)),
        }
    }
}

fn bound<'v>(sql: &'static str, values: &[Value<'v>]) -> Query<'v, MySql, MySqlArguments> {
    let query = sqlx::query(sql);
    values.iter().fold(query, |query, value| match *value {
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::Time(time) => query.bind(datetime(time)),
        Value::Null => query.bind(None::<i64>),
    })
}

/// Writes a time as the engine's `DATETIME` in UTC: what is earlier or later than it can hold is the
/// first or the last time that it can.
fn datetime(time: Timestamp) -> PrimitiveDateTime {
    let millis = time.as_millis().clamp(EARLIEST_MS, LATEST_MS);
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    PrimitiveDateTime::new(moment.date(), moment.time())
}

fn timestamp(time: PrimitiveDateTime) -> Timestamp {
    let millis = time
        .assume_utc()
        .unix_timestamp_nanos()
        .div_euclid(1_000_000);
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

impl Columns for MySqlRow {
    fn int(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        get(self, column)
    }

    fn text(&self, column: &'static str) -> Result<Option<&str>, StoreError> {
        let bytes: Option<&[u8]> = match self.try_get(column) {
            Ok(text) => return Ok(text),
            // Text in which every byte counts is kept in columns of bytes.
            Err(_) => get(self, column)?,
        };
        bytes
            .map(|bytes| std::str::from_utf8(bytes).map_err(|_| corrupt(column)))
            .transpose()
    }

    fn bytes(&self, column: &'static str) -> Result<Option<&[u8]>, StoreError> {
        get(self, column)
    }

    fn time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(get::<PrimitiveDateTime>(self, column)?.map(timestamp))
    }
}

fn get<'r, T: Decode<'r, MySql> + Type<MySql>>(
    row: &'r MySqlRow,
    column: &'static str,
) -> Result<Option<T>, StoreError> {
    row.try_get(column).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::{EARLIEST_MS, LATEST_MS, datetime, timestamp};
    use otp_core::clock::Timestamp;

    #[test]
    fn times_come_back_as_they_were_written() {
        for millis in [0, 1, -1, 1_700_000_000_123, EARLIEST_MS, LATEST_MS] {
            let time = Timestamp::from_millis(millis);
            assert_eq!(timestamp(datetime(time)), time);
        }
    }

    #[test]
    fn a_time_that_cannot_be_written_is_the_nearest_that_can() {
        assert_eq!(timestamp(datetime(Timestamp::MAX)).as_millis(), LATEST_MS);
        assert_eq!(timestamp(datetime(Timestamp::MIN)).as_millis(), EARLIEST_MS);
    }
}
