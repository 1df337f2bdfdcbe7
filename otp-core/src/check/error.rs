use std::error::Error;

use thiserror::Error;

/// There is no verdict.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckError {
    /// Whoever was asked did not answer, or not in a way that is a verdict.
    #[error("no verdict from outside")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// There was no verdict within the deadline.
    #[error("no verdict in time")]
    TimedOut,
    /// The check panicked.
    #[error("the check panicked")]
    Panicked,
    /// Our own credentials or request were refused. No request will get a verdict until an
    /// operator mends it, so a captcha refuses whatever its outage policy says.
    #[error("the check is misconfigured: {0}")]
    Misconfigured(&'static str),
}

impl CheckError {
    /// Makes the error of something outside that is away.
    #[must_use]
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// Names the kind, for logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::TimedOut => "timed_out",
            Self::Panicked => "panicked",
            Self::Misconfigured(_) => "misconfigured",
        }
    }
}
