//! What a check can answer.

use crate::random::RandomError;

/// Says how a presented code compares with a stored one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Comparison {
    /// It is the code that was issued for this binding.
    Match {
        /// Whether the stored form should be written anew.
        upgrade: Upgrade,
    },
    /// It is not, or the stored form cannot tell. The claimant sees no difference between the reasons.
    Mismatch(MismatchReason),
}

/// Says whether a stored form that matched is what the hasher would write today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// Algorithm, parameters and key are the current ones.
    NotNeeded,
    /// Algorithm, parameters or key are others; hash the code again if it stays valid.
    Advised,
}

/// Names why a code did not match, for the audit only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MismatchReason {
    /// The code is another one, or was issued for another binding.
    Wrong,
    /// The stored form names a key that is unknown or retired.
    UnknownKey,
    /// The stored form is malformed or asks for work beyond the ceilings.
    Corrupt,
    /// The stored form's algorithm is not among those allowed.
    NotAllowed,
}

/// Says why a slot did no work; nothing was issued or compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// No salt was to be had.
    #[error("no randomness for hashing")]
    Random(#[from] RandomError),
    /// The memory that the algorithm needs was not to be had.
    #[error("no memory for hashing")]
    OutOfMemory,
    /// No worker thread could be started.
    #[error("no thread for hashing")]
    NoThread,
    /// The job broke off; the pool goes on.
    #[error("the hashing job broke off")]
    Failed,
}
