mod exception;
mod id;
mod line;
mod list;

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

pub use exception::{Exception, InvalidVip, Vip};
pub use id::{InvalidOverrideId, OverrideId};
pub(crate) use list::OverrideList;

use super::PolicyError;
use crate::clock::Timestamp;
use crate::event::Act;

/// A change of the policy that ends by itself.
///
/// It always has an operator, a reason and an end: what is meant to stay belongs into the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    id: OverrideId,
    exception: Exception,
    act: Arc<Act>,
    expires_at: Timestamp,
}

/// Says why something is not overridden.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum OverrideError {
    /// Its end has passed already.
    #[error("an override ends in the future")]
    Over,
    /// Its end is too far away.
    #[error("an override lasts at most 7 days")]
    TooLong,
    /// There are too many, or what they say takes too much room.
    #[error("at most 1000 overrides hold at a time, of 256 KiB in all")]
    TooMany,
    /// No override in force has the id.
    #[error("no override in force has this id")]
    Unknown,
    /// With it the policy could not be, or would miss its level.
    #[error("with the override the policy is refused")]
    Policy(#[source] PolicyError),
}

impl Override {
    /// The longest that one lasts: 7 days.
    pub const LONGEST: Duration = Duration::from_secs(7 * 24 * 3_600);
    /// The most that a fleet, or an instance, has at a time.
    pub const MOST: usize = 1_000;

    pub(crate) fn new(
        id: OverrideId,
        exception: Exception,
        act: Arc<Act>,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            id,
            exception,
            act,
            expires_at,
        }
    }

    /// Checks that it ends, and soon enough.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), OverrideError> {
        if self.expires_at <= now {
            return Err(OverrideError::Over);
        }
        if self.expires_at.since(now) > Self::LONGEST {
            return Err(OverrideError::TooLong);
        }
        Ok(())
    }

    /// Gives the same as it ends by another clock: as long after `other` as it does after `now`.
    pub(crate) fn ending_after(&self, now: Timestamp, other: Timestamp) -> Self {
        let life = self.expires_at.since(now);
        Self {
            expires_at: other.saturating_add(life),
            ..self.clone()
        }
    }

    /// Names it.
    #[must_use]
    pub fn id(&self) -> OverrideId {
        self.id
    }

    /// Says what it changes.
    #[must_use]
    pub fn exception(&self) -> &Exception {
        &self.exception
    }

    /// Says whose it is, and why.
    #[must_use]
    pub fn act(&self) -> &Arc<Act> {
        &self.act
    }

    /// Says when it ends: by the store's clock, or by the verifier's where it holds on one instance.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}
