//! Why nothing was heard of a server: in words of ours, because the driver's hold addresses.

use std::io::ErrorKind;

use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unheard {
    #[error("the server did not answer in time")]
    Late,
    #[error("no connection in time: the pool is used up, or the server takes none")]
    NoConnection,
    #[error("the server takes no connection")]
    Refused,
    #[error("the connection to the server was lost")]
    Lost,
    #[error("no secure connection came about")]
    NotSecure,
    #[error("what the server said cannot be read")]
    Unread,
    #[error("the pool is closed")]
    Closed,
}

impl Unheard {
    /// Reads a driver's error that holds no answer of the server's.
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::PoolTimedOut => Self::NoConnection,
            Error::PoolClosed => Self::Closed,
            Error::Tls(_) => Self::NotSecure,
            Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => Self::Refused,
            Error::Io(_) | Error::WorkerCrashed => Self::Lost,
            _ => Self::Unread,
        }
    }
}

impl From<Unheard> for StoreError {
    fn from(why: Unheard) -> Self {
        Self::new(StoreErrorKind::Unavailable).with_source(why)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_cause_is_told_in_words_that_hold_no_address() {
        let io = |kind| Error::Io(io::Error::new(kind, "10.0.0.7:5432"));
        for (error, why) in [
            (Error::PoolTimedOut, Unheard::NoConnection),
            (Error::PoolClosed, Unheard::Closed),
            (Error::Tls("10.0.0.7".into()), Unheard::NotSecure),
            (io(ErrorKind::ConnectionRefused), Unheard::Refused),
            (io(ErrorKind::ConnectionReset), Unheard::Lost),
            (io(ErrorKind::UnexpectedEof), Unheard::Lost),
            (Error::Protocol("10.0.0.7".into()), Unheard::Unread),
        ] {
            let told = StoreError::from(Unheard::of(&error));
            assert_eq!(told.kind(), StoreErrorKind::Unavailable);
            let source = std::error::Error::source(&told).map(ToString::to_string);
            assert_eq!(source, Some(why.to_string()));
            assert!(!why.to_string().contains("10.0"), "{why}");
        }
    }
}
