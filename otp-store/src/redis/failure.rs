//! What the server's errors mean to a caller.

use otp_core::store::{StoreError, StoreErrorKind};
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Keeps of an error its meaning only: its text may hold addresses and values.
pub(super) fn failed(error: &RedisError) -> StoreError {
    meaning(error.code()).into()
}

// Whatever is not known is an outage.
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

/// Says whether another node of a cluster has what was asked for, and nothing was carried out.
///
/// `ASK` is none of it: while a slot moves, each node has a part of it, and a script on either
/// would take what it does not see for empty.
pub(super) fn has_moved(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::Moved)
}

/// Says whether another connection may do better: this one is broken, or leads to a server that
/// takes no writes any more.
pub(super) fn leaves(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown | ServerErrorKind::Moved
        ),
        ErrorKind::Extension => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_is_not_known_is_an_outage_and_never_more() {
        for code in [
            "READONLY",
            "LOADING",
            "OOM",
            "MISCONF",
            "MASTERDOWN",
            "CLUSTERDOWN",
            "TRYAGAIN",
            "NOREPLICAS",
        ] {
            assert_eq!(meaning(Some(code)), StoreErrorKind::Unavailable, "{code}");
        }
        assert_eq!(meaning(None), StoreErrorKind::Unavailable);
        assert_eq!(meaning(Some("WRONGTYPE")), StoreErrorKind::Corrupt);
    }

    #[test]
    fn a_connection_is_left_where_it_is_broken_or_its_server_takes_no_writes() {
        let told = |kind| RedisError::from((kind, "told"));
        let server = |kind| told(ErrorKind::Server(kind));
        assert!(leaves(&told(ErrorKind::Io)) && leaves(&told(ErrorKind::Parse)));
        assert!(leaves(&server(ServerErrorKind::ReadOnly)));
        assert!(!leaves(&server(ServerErrorKind::BusyLoading)));
        assert!(!leaves(&server(ServerErrorKind::NoPerm)));
    }
}
