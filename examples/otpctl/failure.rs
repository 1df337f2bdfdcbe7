//! Why a command did not do what was asked, and how it ends then.

use std::process::ExitCode;

use thiserror::Error;

/// What went wrong.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// It is not a command, or not all of one.
    #[error("{0}")]
    Usage(String),
    /// It is a command, and none for what it is asked of.
    #[error("{0}")]
    Unfit(String),
    /// The command was carried out, and the answer is no.
    #[error("{0}")]
    No(String),
    /// The server refused it.
    #[error("refused ({status}): {why}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the server says.
        why: String,
    },
    /// There is no answer, or none that can be used.
    #[error("{0}")]
    Unavailable(String),
}

impl Failure {
    pub(crate) fn usage(why: impl Into<String>) -> Self {
        Self::Usage(why.into())
    }

    /// What scripts see.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::No(_) => 1,
            Self::Usage(_) | Self::Unfit(_) => 2,
            Self::Refused { .. } => 3,
            Self::Unavailable(_) => 4,
        })
    }
}
