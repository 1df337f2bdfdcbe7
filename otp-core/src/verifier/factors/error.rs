use thiserror::Error;

use crate::gate::Denial;
use crate::hash::Busy;
use crate::key::SealError;
use crate::policy::Assurance;
use crate::random::RandomError;
use crate::store::StoreError;
use crate::verifier::desk::Turned;
use crate::verifier::{Throttled, Unavailable};

/// Says why an account's factors were not changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FactorError {
    /// The proof is too old or too weak: it must be as strong as what the account is kept by.
    #[error("a fresh proof is needed")]
    NotFresh {
        /// What it must be at least.
        required: Assurance,
    },
    /// An active factor of the account has that name already.
    #[error("the name is taken")]
    NameTaken,
    /// The account has as many factors as it may have.
    #[error("no more factors")]
    TooMany,
    /// The account has no such factor, or none that works in this way.
    #[error("no such factor")]
    Unknown,
    /// The factor's secret cannot be read: its key is retired.
    #[error("the factor cannot be read")]
    Unreadable,
    /// A limit was met.
    #[error("too many requests")]
    Throttled(Throttled),
    /// Somebody or something in the request is blocked.
    #[error("refused")]
    Blocked,
    /// The hashing pool is full; nothing was changed.
    #[error("busy")]
    Busy(Throttled),
    /// Something of ours is down; the change may have been made, and repeating it does no harm.
    #[error("unavailable")]
    Unavailable(#[source] Unavailable),
}

impl From<Turned> for FactorError {
    fn from(turned: Turned) -> Self {
        match turned {
            Turned::Away(Denial::Limited(readings)) => Self::Throttled(Throttled::by(readings)),
            Turned::Away(_) => Self::Blocked,
            Turned::Store(error) => error.into(),
            Turned::Silence(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl From<StoreError> for FactorError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<Busy> for FactorError {
    fn from(busy: Busy) -> Self {
        Self::Busy(busy.into())
    }
}

impl From<RandomError> for FactorError {
    fn from(error: RandomError) -> Self {
        Self::Unavailable(Unavailable::because(error))
    }
}

impl From<Unavailable> for FactorError {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

impl From<SealError> for FactorError {
    fn from(error: SealError) -> Self {
        Self::Unavailable(Unavailable::because(error))
    }
}
