use thiserror::Error;

use crate::clock::ClockAnomaly;
use crate::random::RandomError;
use crate::store::StoreError;

/// Why a session is not started, not refreshed or not accepted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The token or the proof is worth nothing. Tell the client no more than that.
    #[error("the session is refused")]
    Refused(SessionRefusal),
    /// The store failed; nothing is accepted.
    #[error("the sessions are unavailable")]
    Store(#[from] StoreError),
    /// The clock went back; nothing is accepted.
    #[error("the clock went backwards")]
    Clock(#[from] ClockAnomaly),
    /// The key cannot sign; nothing was handed out.
    #[error("the key cannot sign")]
    Signing,
    /// No randomness; nothing was started.
    #[error("no randomness for a token")]
    Random(#[from] RandomError),
}

/// What was wrong, for the host's own log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionRefusal {
    /// It is no token of ours: its form, its key, its signature, its tenant or its issuer.
    NotOurs,
    /// Its time is over, or has not come.
    OutOfTime,
    /// The session has ended, or there never was one.
    Ended,
    /// A refresh token came back after it was spent: a copy of it is in other hands. The whole
    /// session has ended by it.
    Reused,
    /// The proof has started a session before.
    ProofUsed,
    /// The proof is older than a minute.
    ProofStale,
}

impl SessionRefusal {
    /// Names it, for metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotOurs => "not_ours",
            Self::OutOfTime => "out_of_time",
            Self::Ended => "session_ended",
            Self::Reused => "token_reused",
            Self::ProofUsed => "proof_used",
            Self::ProofStale => "proof_stale",
        }
    }
}

impl From<SessionRefusal> for SessionError {
    fn from(refusal: SessionRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl SessionError {
    /// Gives what was wrong with the token or the proof, where that is what failed.
    #[must_use]
    pub fn refusal(&self) -> Option<SessionRefusal> {
        match self {
            Self::Refused(refusal) => Some(*refusal),
            _ => None,
        }
    }
}
