//! What the server's errors mean to a caller.

use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::Error;

use crate::unheard::Unheard;

/// A cause without values, statements or addresses: the SQLSTATE alone.
#[derive(Debug, thiserror::Error)]
#[error("postgres answered with {0}")]
struct Answered(String);

/// The server refuses to decide outside READ COMMITTED.
pub(super) const WRONG_ISOLATION: &str = "OTP04";

/// Keeps of an error its meaning only: its text may hold values.
pub(super) fn failed(error: &Error) -> StoreError {
    let Some(code) = code(error) else {
        return match error {
            Error::ColumnDecode { .. } | Error::Decode(_) => StoreErrorKind::Corrupt.into(),
            _ => Unheard::of(error).into(),
        };
    };
    StoreError::new(meaning(&code)).with_source(Answered(code))
}

/// Gives the SQLSTATE, where the server answered with one.
pub(super) fn code(error: &Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    // Five letters and digits; whatever else a middleman says is no code.
    let is_code = code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then(|| code.into_owned())
}

/// Says whether a call that failed so was surely undone for the sake of another one.
pub(super) fn is_undone(code: &str) -> bool {
    // serialization_failure, deadlock_detected
    matches!(code, "40001" | "40P01")
}

/// Reads a SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>), and those
/// of our functions. Whatever is not known is an outage.
fn meaning(code: &str) -> StoreErrorKind {
    match code {
        "OTP01" => StoreErrorKind::ClockAnomaly,
        "OTP02" => StoreErrorKind::Invalid,
        "OTP03" => StoreErrorKind::Corrupt,
        // A zero character, or bytes that are no text.
        "22P05" | "22021" => StoreErrorKind::Invalid,
        // disk_full, program_limit_exceeded
        "53100" | "54000" => StoreErrorKind::Full,
        // Tables, columns or functions are not those of this version.
        "3F000" | "42P01" | "42703" | "42883" => StoreErrorKind::Corrupt,
        _ if code.starts_with("22") || code.starts_with("XX00") => StoreErrorKind::Corrupt,
        _ if code.starts_with("23") => StoreErrorKind::Invalid,
        _ => StoreErrorKind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::meaning;
    use otp_core::store::StoreErrorKind;

    #[test]
    fn a_code_that_is_not_known_is_an_outage_and_never_more() {
        for code in [
            "25006", "57P01", "08006", "53300", "40001", "55P03", "OTP04", "99999",
        ] {
            assert_eq!(meaning(code), StoreErrorKind::Unavailable, "{code}");
        }
        assert_eq!(meaning("OTP01"), StoreErrorKind::ClockAnomaly);
        assert_eq!(meaning("23505"), StoreErrorKind::Invalid);
        assert_eq!(meaning("22P05"), StoreErrorKind::Invalid);
        assert_eq!(meaning("53100"), StoreErrorKind::Full);
        assert_eq!(meaning("42P01"), StoreErrorKind::Corrupt);
        assert_eq!(meaning("22003"), StoreErrorKind::Corrupt);
    }
}
