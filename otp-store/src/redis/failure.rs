//! What the server's errors mean to a caller.

use otp_core::store::{StoreError, StoreErrorKind};
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Keeps of an error its meaning only: its text may hold addresses and values.
pub(super) fn failed(error: &RedisError) -> StoreError {
    meaning(error.code()).into()
}

// Whatever is not known is an outage: READONLY, LOADING, OOM, MASTERDOWN, CLUSTERDOWN, TRYAGAIN.
fn meaning(code: Option<&str>) -> StoreErrorKind {
    match code {
        Some("WRONGTYPE") => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Unavailable,
    }
}

/// Says whether the server does not have a script (any more).
pub(super) fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// Says whether the server answered, and refused.
pub(super) fn is_forbidden(error: &RedisError) -> bool {
    matches!(error.code(), Some("NOPERM" | "ERR"))
}

#[cfg(test)]
mod tests {
    use super::meaning;
    use otp_core::store::StoreErrorKind;

    #[test]
    fn an_error_that_is_not_known_is_an_outage_and_never_more() {
        for code in ["READONLY", "LOADING", "OOM", "MASTERDOWN", "CLUSTERDOWN"] {
            assert_eq!(meaning(Some(code)), StoreErrorKind::Unavailable, "{code}");
        }
        assert_eq!(meaning(None), StoreErrorKind::Unavailable);
        assert_eq!(meaning(Some("WRONGTYPE")), StoreErrorKind::Corrupt);
    }
}
