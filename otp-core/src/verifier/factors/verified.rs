use std::time::SystemTime;

use crate::challenge::Lane;
use crate::clock::Timestamp;
use crate::factor::{FactorId, RecoverySelector};
use crate::policy::Assurance;
use crate::request::{SubjectId, Tenant};
use crate::verifier::AuthenticationMethod;

/// What a second factor was proven by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProvenBy {
    /// An authenticator that goes by the time.
    Totp {
        /// Which.
        factor: FactorId,
        /// The time step that is used up.
        step: u64,
    },
    /// An authenticator that counts.
    Hotp {
        /// Which.
        factor: FactorId,
        /// The counter that is used up.
        counter: u64,
    },
    /// A recovery code, which is gone.
    Recovery {
        /// Which of its set.
        selector: RecoverySelector,
        /// How many codes are left. Where few are, offer a new set.
        left: u32,
    },
}

/// The proof that somebody holds an account's second factor, once. Only a
/// [`Verifier`](crate::verifier::Verifier) makes one; there is no other way to it.
///
/// By itself it is no sign-in: it says that a factor was shown, and nothing of the password or code
/// that comes before it.
///
/// ```compile_fail
/// use otp_core::verifier::VerifiedFactor;
/// let forged = VerifiedFactor { tenant: Default::default() };
/// ```
#[derive(Debug)]
#[must_use = "a verified factor is spent: act on it"]
pub struct VerifiedFactor {
    pub(super) tenant: Tenant,
    pub(super) subject: SubjectId,
    pub(super) by: ProvenBy,
    pub(super) lane: Lane,
    pub(super) at: Timestamp,
    pub(super) repeated: bool,
}

impl VerifiedFactor {
    /// Names the account.
    #[must_use]
    pub fn subject(&self) -> &SubjectId {
        &self.subject
    }

    /// Names the tenant.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Says what proved it.
    #[must_use]
    pub fn by(&self) -> ProvenBy {
        self.by
    }

    /// Says which door it came through.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Says how it was proven, in the word of an `amr` claim (RFC 8176).
    #[must_use]
    pub fn method(&self) -> AuthenticationMethod {
        match self.by {
            ProvenBy::Totp { .. } | ProvenBy::Hotp { .. } => AuthenticationMethod::Otp,
            ProvenBy::Recovery { .. } => AuthenticationMethod::Recovery,
        }
    }

    /// Says how strong it is by itself: one authenticator.
    #[must_use]
    pub fn assurance(&self) -> Assurance {
        Assurance::Single
    }

    /// Says when, by the store's clock.
    #[must_use]
    pub fn at(&self) -> SystemTime {
        self.at.into()
    }

    /// Names the authenticator that was shown; `None` where it was a recovery code.
    #[must_use]
    pub fn factor(&self) -> Option<FactorId> {
        match self.by {
            ProvenBy::Totp { factor, .. } | ProvenBy::Hotp { factor, .. } => Some(factor),
            ProvenBy::Recovery { .. } => None,
        }
    }

    /// Says whether this is the answer to a try that was accepted before: sent again with the same
    /// name ([`Attempt::with_id`](crate::verifier::Attempt::with_id)) and code, because the answer
    /// was lost. It proves no more than the first one did, and as of then.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.repeated
    }

    /// Names what is used up: no other success has the same name.
    pub(crate) fn spent(&self) -> Vec<u8> {
        let mut name = self.tenant.as_str().as_bytes().to_vec();
        name.push(0);
        match self.by {
            ProvenBy::Totp { factor, step } => {
                name.extend_from_slice(factor.as_bytes());
                name.extend_from_slice(&step.to_be_bytes());
            }
            ProvenBy::Hotp { factor, counter } => {
                name.extend_from_slice(factor.as_bytes());
                name.extend_from_slice(&counter.to_be_bytes());
            }
            ProvenBy::Recovery { selector, .. } => {
                // A later set may have the selector again, at another time.
                name.extend_from_slice(selector.as_str().as_bytes());
                name.extend_from_slice(&self.at.as_millis().to_be_bytes());
            }
        }
        name
    }

    pub(super) fn time(&self) -> Timestamp {
        self.at
    }
}
