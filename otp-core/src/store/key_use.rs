use std::fmt::Debug;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::key::KeyId;

use super::StoreError;

/// What hangs on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum KeyHold {
    /// Live challenges: their codes' digests.
    Challenges,
    /// Remembered devices: the seals of their tokens.
    Devices,
    /// Live sessions: their refresh tokens, and the access tokens of their last turn. Counted by
    /// [`SessionStore::session_keys`](super::SessionStore::session_keys).
    Sessions,
    /// Secrets of authenticators that are sealed at rest. They have no end of their own.
    Factors,
    /// Addresses that messages did not reach, sealed so that an operator can send again. Counted by
    /// the report of keys.
    Deliveries,
    /// Seals of the audit log's chain. Counted by [`ChainStore::sealed_by`](super::ChainStore::sealed_by).
    Chain,
}

impl KeyHold {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Challenges,
        Self::Devices,
        Self::Sessions,
        Self::Factors,
        Self::Deliveries,
        Self::Chain,
    ];

    /// Names the kind, for reports and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Challenges => "challenges",
            Self::Devices => "devices",
            Self::Sessions => "sessions",
            Self::Factors => "factors",
            Self::Deliveries => "deliveries",
            Self::Chain => "chain",
        }
    }

    /// Says whether anything is lost with the key. The chain is not: a later seal covers every
    /// record before it, and a checkpoint whatever an export holds.
    #[must_use]
    pub const fn needs_its_key(self) -> bool {
        !matches!(self, Self::Chain)
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hold| hold.name() == name)
    }
}

/// How much of a kind hangs on a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The key, as what hangs on it names it; it may be one that no ring has any more.
    pub key: KeyId,
    /// What.
    pub hold: KeyHold,
    /// How many, more than none.
    pub count: u64,
    /// When the last of them ends by itself; `None` where they do not end.
    pub until: Option<Timestamp>,
}

impl KeyUse {
    /// Adds one thing to what was counted so far.
    pub fn add(uses: &mut Vec<Self>, key: KeyId, hold: KeyHold, until: Option<Timestamp>) {
        let one = Self {
            key,
            hold,
            count: 1,
            until,
        };
        one.add_to(uses);
    }

    /// Adds what was counted in one place to what was counted in others.
    pub fn add_to(self, uses: &mut Vec<Self>) {
        let same = |one: &&mut Self| one.key == self.key && one.hold == self.hold;
        match uses.iter_mut().find(same) {
            Some(one) => {
                one.count = one.count.saturating_add(self.count);
                one.until = one.until.max(self.until);
            }
            None => uses.push(self),
        }
    }
}

/// Counts what hangs on keys, for whoever would retire one.
///
/// # Contract
/// What is there before the call and after it is counted, so that a key of which nothing is counted
/// may go; what comes or goes meanwhile may be counted or not. An engine may go through everything
/// that it keeps: it is an operator's call, and hinders no decision for longer than any other. One
/// that moves what it keeps meanwhile may count a thing twice.
#[async_trait]
pub trait KeyUseStore: Debug + Send + Sync + 'static {
    /// Counts live challenges, remembered devices and sealed secrets by their keys, in no order.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError>;
}
