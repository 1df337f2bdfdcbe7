mod accepted;
mod rename;
mod sheet;

use std::fmt::Debug;

use async_trait::async_trait;

pub use accepted::{AcceptedBy, AcceptedTry, NamedTry};
pub use rename::{RenameFactor, Renamed};
pub use sheet::{FactorChange, FactorSheet};

use crate::challenge::Lane;
use crate::event::{Event, Outcome};
use crate::factor::{
    Factor, FactorId, FactorKind, FactorName, FactorState, RecoverySelector, RecoverySet,
};
use crate::key::Sealed;
use crate::request::{FactorClass, SubjectKey, Tenant};

use super::{BudgetKey, StoreError, StoreErrorKind};

/// Whose authenticators: a tenant's subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FactorOwner {
    /// Whose.
    pub tenant: Tenant,
    /// For whom.
    pub subject: SubjectKey,
}

impl FactorOwner {
    /// Names the budget that guesses at a class of the owner's authenticators count in.
    #[must_use]
    pub fn budget(&self, class: FactorClass) -> BudgetKey {
        BudgetKey {
            tenant: self.tenant.clone(),
            subject: self.subject.clone(),
            class,
        }
    }
}

/// What was shown for an enrolment, beside that the account is one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// No factor: enough for an account that has no active one.
    NoFactor,
    /// One of the account's active factors.
    Factor,
}

impl Shown {
    /// Names it, for engines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoFactor => "no_factor",
            Self::Factor => "factor",
        }
    }
}

/// Adds an authenticator that nobody has shown a code of yet.
#[derive(Clone, Debug)]
pub struct Enrol {
    /// Its id, drawn for it.
    pub id: FactorId,
    /// Whose.
    pub owner: FactorOwner,
    /// How it makes its codes.
    pub kind: FactorKind,
    /// What its owner calls it.
    pub name: FactorName,
    /// Its secret, sealed to owner and id.
    pub secret: Sealed,
    /// What was shown for it. An account may have become one with a factor since that was looked at.
    pub shown: Shown,
    /// The record of it; where it is not added, the store turns it into a refusal.
    pub event: Event,
}

/// What came of an enrolment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Enrolled {
    /// It waits for its first code. A pending one of the same name is gone.
    Pending,
    /// An active one has that name already.
    NameTaken,
    /// The subject has as many as it may have, [`FactorSheet::MOST`].
    TooMany,
    /// The subject has an active one, and none was shown.
    Unshown,
}

impl Enrolled {
    /// Names the refusal, for events; `None` where it is none.
    #[must_use]
    pub const fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Pending => None,
            Self::NameTaken => Some("factor_name_taken"),
            Self::TooMany => Some("too_many_factors"),
            Self::Unshown => Some("stale_proof"),
        }
    }
}

/// Takes the one success of a time step or counter.
#[derive(Clone, Debug)]
pub struct AdvanceFactor {
    /// Whose.
    pub owner: FactorOwner,
    /// Which authenticator.
    pub factor: FactorId,
    /// The state that it must be in: [`FactorState::Pending`] to confirm it, which makes it active,
    /// [`FactorState::Active`] to sign in with it.
    pub from: FactorState,
    /// The step or counter of the code; at most [`Factor::LAST`].
    pub to: u64,
    /// The secret, sealed anew, where the one that is kept hangs on an older key. A success keeps it
    /// in the place of that one; whatever is no success leaves the old one.
    pub resealed: Option<Sealed>,
    /// How the try answers when it is repeated, where its client named it. A success keeps it in the
    /// place of the one before it.
    pub accepted: Option<AcceptedTry>,
    /// The door that its guess was reserved in.
    pub lane: Lane,
    /// The record of a success; else the store turns it into a refusal with the reason.
    pub event: Event,
}

impl AdvanceFactor {
    /// Gives the step or counter as engines count.
    ///
    /// # Errors
    /// [`Invalid`](StoreErrorKind::Invalid) where it is above [`Factor::LAST`].
    pub fn number(&self) -> Result<i64, StoreError> {
        i64::try_from(self.to).map_err(|_| StoreErrorKind::Invalid.into())
    }
}

/// What came of an [`AdvanceFactor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum FactorAdvanced {
    /// The step was free and is burned now.
    Accepted,
    /// This step, or a later one, was accepted before.
    Used,
    /// The owner has no such authenticator in that state.
    Gone,
}

impl FactorAdvanced {
    /// Names the refusal, for events; `None` where it is none.
    #[must_use]
    pub const fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Accepted => None,
            Self::Used => Some("used_code"),
            Self::Gone => Some(UNKNOWN_FACTOR),
        }
    }

    /// Reads a name back, as an engine that decides by itself says it.
    #[must_use]
    pub fn from_refusal(name: &str) -> Option<Self> {
        [Self::Used, Self::Gone]
            .into_iter()
            .find(|advanced| advanced.refusal() == Some(name))
    }
}

const UNKNOWN_FACTOR: &str = "unknown_factor";

/// Takes an authenticator away.
#[derive(Clone, Debug)]
pub struct RemoveFactor {
    /// Whose.
    pub owner: FactorOwner,
    /// Which.
    pub factor: FactorId,
    /// The record of it; a refusal where the owner has no such authenticator.
    pub event: Event,
}

/// What came of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Removed {
    /// It is gone now.
    Now,
    /// It is gone now, and it was the owner's last active one: the recovery codes, which stood in for
    /// it, are gone with it, and a repeated try is answered no more.
    Last,
    /// The owner has no such authenticator.
    Unknown,
}

impl Removed {
    /// Names the refusal, for events; `None` where it is none.
    #[must_use]
    pub const fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Now | Self::Last => None,
            Self::Unknown => Some(UNKNOWN_FACTOR),
        }
    }

    /// Makes the record of a removal say what came of it: the last one's has the reason
    /// `last_factor`.
    #[must_use]
    pub fn told(self, event: Event) -> Event {
        match self {
            Self::Now => event,
            Self::Last => Event {
                reason: Some(LAST_FACTOR.into()),
                ..event
            },
            Self::Unknown => event.with_outcome(Outcome::Refused, UNKNOWN_FACTOR),
        }
    }

    /// Reads what an engine says that decides by itself: nothing, `last_factor` or a refusal.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [
            (Self::Now, ""),
            (Self::Last, LAST_FACTOR),
            (Self::Unknown, UNKNOWN_FACTOR),
        ]
        .into_iter()
        .find_map(|(removed, name)| (name == word).then_some(removed))
    }
}

const LAST_FACTOR: &str = "last_factor";

/// Puts a set of recovery codes in the place of whatever codes there are.
#[derive(Clone, Debug)]
pub struct PutRecovery {
    /// Whose.
    pub owner: FactorOwner,
    /// Each code's clear selector and its hash; no two of one selector, and at most
    /// [`RecoverySet::SIZE`].
    pub codes: Vec<(RecoverySelector, String)>,
    /// The record of it.
    pub event: Event,
}

impl PutRecovery {
    /// Refuses what the contract forbids.
    ///
    /// # Errors
    /// [`Invalid`](StoreErrorKind::Invalid) where there are too many codes, or two of one selector.
    pub fn check(&self) -> Result<(), StoreError> {
        let mut selectors: Vec<_> = self.codes.iter().map(|(selector, _)| selector).collect();
        selectors.sort_unstable();
        selectors.dedup();
        let fits = selectors.len() == self.codes.len() && self.codes.len() <= RecoverySet::SIZE;
        fits.then_some(())
            .ok_or_else(|| StoreErrorKind::Invalid.into())
    }
}

/// Takes the one success of a recovery code.
#[derive(Clone, Debug)]
pub struct UseRecovery {
    /// Whose.
    pub owner: FactorOwner,
    /// Which code.
    pub selector: RecoverySelector,
    /// The hash that the code was compared with.
    pub digest: String,
    /// How the try answers when it is repeated, where its client named it. A success keeps it in the
    /// place of the one before it.
    pub accepted: Option<AcceptedTry>,
    /// The door that its guess was reserved in.
    pub lane: Lane,
    /// The record of a success; else the store turns it into a refusal.
    pub event: Event,
}

/// What came of the use of a recovery code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum RecoveryUse {
    /// It was there and is gone now.
    Used {
        /// How many codes are left.
        left: u32,
    },
    /// There is no such code any more.
    Gone,
}

impl RecoveryUse {
    /// Names the refusal, for events; `None` where it is none.
    #[must_use]
    pub const fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Used { .. } => None,
            Self::Gone => Some("used_code"),
        }
    }
}

/// Keeps authenticators and recovery codes.
///
/// Nothing here ever lapses or is evicted. Guesses are reserved by
/// [`ChallengeStore::admit`](super::ChallengeStore::admit) with
/// [`Step::Guess`](super::Step::Guess) before anything is compared; a success gives its own guess
/// back and ends the run of failures, as that of a challenge does. Every change is one step with
/// its record. Reading needs no time: it works while the engine's clock stands wrong.
#[async_trait]
pub trait FactorStore: Debug + Send + Sync + 'static {
    /// Adds a pending authenticator. Of callers that race for the last place or for a name, one
    /// gets it; whoever comes later under the name of a pending one takes its place.
    ///
    /// # Errors
    /// [`StoreError`]; [`Full`](StoreErrorKind::Full) where the engine has no room.
    async fn enrol(&self, enrol: Enrol) -> Result<Enrolled, StoreError>;

    /// Lists an owner's authenticators, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn factors(&self, owner: &FactorOwner) -> Result<Vec<Factor>, StoreError>;

    /// Accepts a step or counter that is higher than every one accepted before. Of any number of
    /// racing callers with one step exactly one hears [`FactorAdvanced::Accepted`].
    ///
    /// The confirmation that gives an owner the first active authenticator takes every other pending
    /// one and every recovery code away in the same step: whoever began those had shown no factor.
    ///
    /// # Errors
    /// [`StoreError`]; an unknown outcome is not a success.
    /// [`Invalid`](StoreErrorKind::Invalid) where the number is above [`Factor::LAST`].
    async fn advance_factor(&self, advance: AdvanceFactor) -> Result<FactorAdvanced, StoreError>;

    /// Takes an authenticator away, pending or active. With the last active one the recovery codes go
    /// in the same step.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn remove_factor(&self, remove: RemoveFactor) -> Result<Removed, StoreError>;

    /// Calls an authenticator by another name, pending or active. Of callers that race for a name
    /// one gets it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn rename_factor(&self, rename: RenameFactor) -> Result<Renamed, StoreError>;

    /// Reads the try that was accepted last, where its client named it. An engine may forget it
    /// after [`AcceptedTry::LIFE`]; a reset and an owner's first confirmation take it away.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn accepted_try(&self, owner: &FactorOwner) -> Result<Option<AcceptedTry>, StoreError>;

    /// Replaces all recovery codes of an owner at once; a code that is being compared loses.
    ///
    /// # Errors
    /// [`StoreError`]; [`Invalid`](StoreErrorKind::Invalid) as [`PutRecovery::check`] says.
    async fn put_recovery(&self, put: PutRecovery) -> Result<(), StoreError>;

    /// Reads the hash of a recovery code.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn recovery(
        &self,
        owner: &FactorOwner,
        selector: RecoverySelector,
    ) -> Result<Option<String>, StoreError>;

    /// Counts the recovery codes that are left.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn recovery_left(&self, owner: &FactorOwner) -> Result<u32, StoreError>;

    /// Takes a recovery code away where its hash is the one that was compared. Of any number of
    /// racing callers exactly one hears [`RecoveryUse::Used`].
    ///
    /// # Errors
    /// [`StoreError`]; an unknown outcome is not a success.
    async fn use_recovery(&self, used: UseRecovery) -> Result<RecoveryUse, StoreError>;

    /// Takes every authenticator and recovery code of an owner away in one step, and answers how
    /// many things that were. Budgets stay as they are.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn reset_factors(&self, owner: &FactorOwner, event: Event) -> Result<u64, StoreError>;
}
