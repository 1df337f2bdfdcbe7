//! A connection in a transaction, whatever the engine.

use async_trait::async_trait;
use otp_core::clock::Timestamp;
use otp_core::store::StoreError;

use super::Row;

/// A value on its way into a statement.
#[derive(Clone, Copy)]
pub(crate) enum Value<'v> {
    Int(i64),
    Text(&'v str),
    Bytes(&'v [u8]),
    /// In the form in which the engine keeps times.
    Time(Timestamp),
    Null,
}

/// Carries statements to the engine. Nothing of the engine's own errors comes back but a code.
#[async_trait]
pub(crate) trait Link: Send {
    /// Runs a statement and answers how many rows it found to change.
    async fn execute(&mut self, sql: &'static str, values: &[Value<'_>])
    -> Result<u64, StoreError>;

    /// Runs a statement and answers its rows.
    async fn rows(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError>;
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u8> for Value<'_> {
    fn from(number: u8) -> Self {
        Self::Int(number.into())
    }
}

/// More than the engine can count is as much as it can count.
impl From<usize> for Value<'_> {
    fn from(number: usize) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Int(flag.into())
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(text)
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(text: &'v String) -> Self {
        Self::Text(text)
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(bytes: &'v [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl<'v, T: Into<Self>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}
