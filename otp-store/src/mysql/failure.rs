//! What the driver's errors mean, without a word of theirs.

use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::Error;
use sqlx::mysql::MySqlDatabaseError;
use thiserror::Error as ThisError;

use crate::unheard::Unheard;

/// A cause without values, statements or addresses: the engine's number alone.
#[derive(Clone, Copy, Debug, ThisError)]
#[error("mysql answered with code {0}")]
struct Code(u16);

/// The server decides nothing.
#[derive(Clone, Copy, Debug, ThisError)]
#[error("a replica takes no writes")]
pub(super) struct ReadsOnly;

/// Says what a driver's error means to the caller, and drops the rest of it.
pub(super) fn failed(error: &Error) -> StoreError {
    match error {
        Error::ColumnDecode { .. }
        | Error::Decode(_)
        | Error::ColumnNotFound(_)
        | Error::TypeNotFound { .. } => StoreErrorKind::Corrupt.into(),
        Error::Configuration(_) => StoreErrorKind::Invalid.into(),
        _ => match number(error) {
            Some(code) => StoreError::new(meaning(code)).with_source(Code(code)),
            None => Unheard::of(error).into(),
        },
    }
}

/// Nobody knows whether what failed so was carried out.
pub(super) fn unknown(error: &Error) -> StoreError {
    let unknown = StoreError::new(StoreErrorKind::Unavailable);
    match number(error) {
        Some(code) => unknown.with_source(Code(code)),
        None => unknown.with_source(Unheard::of(error)),
    }
}

/// Says whether the engine has given a transaction up for another one's sake: nothing of it was
/// carried out, and it can be begun again.
pub(super) fn gave_way(error: &Error) -> bool {
    // ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK, and a cluster's certification under the same state.
    matches!(number(error), Some(1205 | 1213))
        || matches!(error, Error::Database(database) if database.code().as_deref() == Some("40001"))
}

fn number(error: &Error) -> Option<u16> {
    let Error::Database(database) = error else {
        return None;
    };
    let database = database.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(database.number())
}

/// Reads an error's number (<https://mariadb.com/kb/en/mariadb-error-code-reference/>).
const fn meaning(code: u16) -> StoreErrorKind {
    match code {
        // ER_DISK_FULL, ER_RECORD_FILE_FULL, ER_NET_PACKET_TOO_LARGE
        1021 | 1114 | 1153 => StoreErrorKind::Full,
        // ER_BAD_NULL_ERROR, ER_DUP_ENTRY, ER_WARN_DATA_OUT_OF_RANGE, ER_DATA_TOO_LONG, and the
        // constraints' numbers of both engines
        1048 | 1062 | 1264 | 1406 | 3819 | 4025 => StoreErrorKind::Invalid,
        // ER_BAD_FIELD_ERROR, ER_NO_SUCH_TABLE, ER_CRASHED_ON_USAGE
        1054 | 1146 | 1194 => StoreErrorKind::Corrupt,
        // ER_OPTION_PREVENTS_STATEMENT (read only), ER_READ_ONLY_MODE, ER_CANT_EXECUTE_IN_READ_ONLY,
        // and whatever else
        _ => StoreErrorKind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::meaning;
    use otp_core::store::StoreErrorKind;

    #[test]
    fn a_server_that_takes_no_writes_is_an_outage() {
        for code in [1290, 1792, 1836] {
            assert_eq!(meaning(code), StoreErrorKind::Unavailable);
        }
    }

    #[test]
    fn a_code_that_is_not_known_is_an_outage_and_never_more() {
        assert_eq!(meaning(9_999), StoreErrorKind::Unavailable);
        assert_eq!(meaning(1114), StoreErrorKind::Full);
        assert_eq!(meaning(1062), StoreErrorKind::Invalid);
        assert_eq!(meaning(1146), StoreErrorKind::Corrupt);
    }
}
