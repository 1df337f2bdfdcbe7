//! What the server's errors mean to a caller.

use otp_core::store::{StoreError, StoreErrorKind};
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// A cause without values, keys or addresses, for whoever asks whether it is down or overloaded.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("redis answered with {0}")]
    Answered(String),
    #[error("redis did not answer in time")]
    Late,
    #[error("redis takes no connection")]
    Refused,
    #[error("the connection to redis was lost")]
    Lost,
}

impl Cause {
    fn of(error: &RedisError) -> Self {
        match error.code() {
            Some(code) if is_code(code) => Self::Answered(code.to_owned()),
            _ if error.is_timeout() => Self::Late,
            _ if error.is_connection_refusal() => Self::Refused,
            _ => Self::Lost,
        }
    }
}

/// Says whether a text is the first word of an error; whatever else a middleman says is none.
fn is_code(text: &str) -> bool {
    (1..=24).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Keeps of an error its meaning and its code: its text may hold addresses and values.
pub(super) fn failed(error: &RedisError) -> StoreError {
    StoreError::new(meaning(error.code())).with_source(Cause::of(error))
}

/// Nothing was heard within the deadline.
pub(super) fn late() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable).with_source(Cause::Late)
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
    fn the_cause_is_a_code_or_a_sentence_of_ours_and_never_the_servers_text() {
        let cause = |error: RedisError| {
            let failed = failed(&error);
            let source = std::error::Error::source(&failed).map(ToString::to_string);
            source.unwrap_or_default()
        };
        let told = |kind, text: &'static str| RedisError::from((kind, text));
        let full = ErrorKind::Server(ServerErrorKind::ReadOnly);
        assert_eq!(
            cause(told(full, "10.0.0.7")),
            "redis answered with READONLY"
        );
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(cause(refused.into()), "redis takes no connection");
        let lost = told(ErrorKind::Parse, "canary");
        assert_eq!(cause(lost), "the connection to redis was lost");
        assert!(!is_code("OOM 10.0.0.7") && !is_code("") && is_code("OOM"));
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
