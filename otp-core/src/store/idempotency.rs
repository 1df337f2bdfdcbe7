use std::fmt;
use std::time::Duration;

use crate::challenge::ChallengeId;
use crate::clock::Timestamp;
use crate::request::Tenant;

/// The host's name of one request, which it may repeat: one challenge and one message come of it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdempotencyKey {
    tenant: Tenant,
    key: String,
}

const MAX_KEY: usize = 128;

impl IdempotencyKey {
    /// Wraps a key: 1 to 128 visible ASCII characters.
    ///
    /// # Errors
    /// `None` otherwise.
    #[must_use]
    pub fn new(tenant: &Tenant, key: &str) -> Option<Self> {
        let fits = (1..=MAX_KEY).contains(&key.len()) && key.chars().all(|c| c.is_ascii_graphic());
        fits.then(|| Self {
            tenant: tenant.clone(),
            key: key.to_owned(),
        })
    }

    /// Names the tenant that it belongs to.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Gives the host's key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.key
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({})", self.tenant)
    }
}

/// Takes an idempotency key while a plan is admitted, and says what will come of it.
#[derive(Clone, Debug)]
pub struct IdempotencyClaim {
    /// The key.
    pub key: IdempotencyKey,
    /// A hash of the request; the same key with another one is a conflict.
    pub fingerprint: [u8; 32],
    /// The challenge that will be issued.
    pub challenge: ChallengeId,
    /// How long it will live, and the key with it.
    pub life: Duration,
    /// How long until it may be resent.
    pub resend_after: Duration,
}

/// What came of a request that is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedIssue {
    /// The challenge.
    pub challenge: ChallengeId,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it may be resent.
    pub resend_at: Timestamp,
}

impl IdempotencyClaim {
    /// Makes the record that the key keeps from now on.
    #[must_use]
    pub fn record(&self, now: Timestamp) -> RecordedIssue {
        RecordedIssue {
            challenge: self.challenge,
            expires_at: now.saturating_add(self.life),
            resend_at: now.saturating_add(self.resend_after),
        }
    }
}
