//! Reads columns strictly: what cannot be is [`Corrupt`](StoreErrorKind::Corrupt), never a guess.

use otp_core::clock::Timestamp;
use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row as _, Sqlite, Type};
use thiserror::Error;

use super::engine::failed;

/// No text column holds more than this many bytes.
const LONGEST: usize = 1_024;

/// Names the column that cannot be read; never its value.
#[derive(Clone, Copy, Debug, Error)]
#[error("the column {0} cannot be read")]
struct Unreadable(&'static str);

/// Says that a column holds what cannot be.
pub(super) fn corrupt(column: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt).with_source(Unreadable(column))
}

/// The columns of one row.
pub(super) struct Fields<'r>(pub(super) &'r SqliteRow);

impl<'r> Fields<'r> {
    fn get<T: Decode<'r, Sqlite> + Type<Sqlite>>(
        &self,
        column: &'static str,
    ) -> Result<T, StoreError> {
        self.0.try_get(column).map_err(failed)
    }

    pub(super) fn int(&self, column: &'static str) -> Result<i64, StoreError> {
        self.get(column)
    }

    pub(super) fn opt_int(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.get(column)
    }

    pub(super) fn count(&self, column: &'static str) -> Result<u32, StoreError> {
        u32::try_from(self.int(column)?).map_err(|_| corrupt(column))
    }

    pub(super) fn place(&self, column: &'static str) -> Result<usize, StoreError> {
        usize::try_from(self.int(column)?).map_err(|_| corrupt(column))
    }

    pub(super) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.int(column).map(Timestamp::from_millis)
    }

    pub(super) fn opt_time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int(column)?.map(Timestamp::from_millis))
    }

    pub(super) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.opt_text(column)?.ok_or_else(|| corrupt(column))
    }

    pub(super) fn opt_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        let text: Option<&str> = self.get(column)?;
        match text {
            Some(text) if text.len() > LONGEST => Err(corrupt(column)),
            text => Ok(text.map(str::to_owned)),
        }
    }

    pub(super) fn opt_blob(&self, column: &'static str) -> Result<Option<&'r [u8]>, StoreError> {
        self.get(column)
    }

    /// Reads a text with a parser of its own.
    pub(super) fn parsed<T>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        parse(&self.text(column)?).ok_or_else(|| corrupt(column))
    }

    /// Reads a text that may be missing with a parser of its own.
    pub(super) fn opt_parsed<T>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        self.opt_text(column)?
            .map(|text| parse(&text).ok_or_else(|| corrupt(column)))
            .transpose()
    }

    /// Reads bytes of a fixed length.
    pub(super) fn bytes<const N: usize>(
        &self,
        column: &'static str,
    ) -> Result<[u8; N], StoreError> {
        self.opt_blob(column)?
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| corrupt(column))
    }
}
