//! Reads columns strictly: what cannot be is [`Corrupt`](StoreErrorKind::Corrupt), never a guess.

use otp_core::clock::Timestamp;
use otp_core::store::{StoreError, StoreErrorKind};
use thiserror::Error;

/// No text column holds more than this many bytes: 1,024 characters of the longest encoding.
const LONGEST: usize = 4_096;

/// Names the column that cannot be read; never its value.
#[derive(Clone, Copy, Debug, Error)]
#[error("the column {0} cannot be read")]
struct Unreadable(&'static str);

/// Says that a column holds what cannot be.
pub(crate) fn corrupt(column: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt).with_source(Unreadable(column))
}

/// The columns of a row in the engine's own form. A column of another type is an error.
pub(crate) trait Columns: Send + Sync {
    fn int(&self, column: &'static str) -> Result<Option<i64>, StoreError>;
    fn text(&self, column: &'static str) -> Result<Option<&str>, StoreError>;
    fn bytes(&self, column: &'static str) -> Result<Option<&[u8]>, StoreError>;
    fn time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError>;
}

/// One row.
pub(crate) struct Row(Box<dyn Columns>);

impl Row {
    pub(crate) fn new(columns: impl Columns + 'static) -> Self {
        Self(Box::new(columns))
    }

    pub(crate) fn int(&self, column: &'static str) -> Result<i64, StoreError> {
        self.0.int(column)?.ok_or_else(|| corrupt(column))
    }

    pub(crate) fn opt_int(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.0.int(column)
    }

    pub(crate) fn count(&self, column: &'static str) -> Result<u32, StoreError> {
        u32::try_from(self.int(column)?).map_err(|_| corrupt(column))
    }

    pub(crate) fn place(&self, column: &'static str) -> Result<usize, StoreError> {
        usize::try_from(self.int(column)?).map_err(|_| corrupt(column))
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.opt_time(column)?.ok_or_else(|| corrupt(column))
    }

    pub(crate) fn opt_time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        self.0.time(column)
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<&str, StoreError> {
        self.opt_text(column)?.ok_or_else(|| corrupt(column))
    }

    pub(crate) fn opt_text(&self, column: &'static str) -> Result<Option<&str>, StoreError> {
        match self.0.text(column)? {
            Some(text) if text.len() > LONGEST => Err(corrupt(column)),
            text => Ok(text),
        }
    }

    /// Reads a text of any length, whose own parser bounds it.
    pub(crate) fn long_text(&self, column: &'static str) -> Result<&str, StoreError> {
        self.0.text(column)?.ok_or_else(|| corrupt(column))
    }

    pub(crate) fn opt_string(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        Ok(self.opt_text(column)?.map(str::to_owned))
    }

    pub(crate) fn opt_blob(&self, column: &'static str) -> Result<Option<&[u8]>, StoreError> {
        self.0.bytes(column)
    }

    /// Reads a text with a parser of its own.
    pub(crate) fn parsed<T>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        parse(self.text(column)?).ok_or_else(|| corrupt(column))
    }

    /// Reads a text that may be missing with a parser of its own.
    pub(crate) fn opt_parsed<T>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        self.opt_text(column)?
            .map(|text| parse(text).ok_or_else(|| corrupt(column)))
            .transpose()
    }

    /// Reads bytes of a fixed length.
    pub(crate) fn bytes<const N: usize>(
        &self,
        column: &'static str,
    ) -> Result<[u8; N], StoreError> {
        self.opt_blob(column)?
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| corrupt(column))
    }
}
