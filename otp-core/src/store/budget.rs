use std::fmt::Debug;

use async_trait::async_trait;

use crate::challenge::Lane;
use crate::event::Event;
use crate::quota::{Budget, BudgetRefusal, BudgetRules};
use crate::request::{FactorClass, SubjectKey, Tenant};

use super::StoreError;

/// Whose guess budget: one a tenant, subject and class of factor, over all purposes and channels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BudgetKey {
    /// Whose.
    pub tenant: Tenant,
    /// For whom.
    pub subject: SubjectKey,
    /// Against which class of authenticator.
    pub class: FactorClass,
}

/// A budget as it stands, for the operator's question "why was I refused?".
#[derive(Clone, Debug)]
pub struct BudgetReading {
    /// What is stored.
    pub budget: Budget,
    /// Why the public lane takes no guess now.
    pub public: Option<BudgetRefusal>,
    /// Why the known devices' lane takes no guess now.
    pub known_device: Option<BudgetRefusal>,
}

/// Keeps guess budgets. They are reserved by
/// [`ChallengeStore::admit`](super::ChallengeStore::admit) only.
///
/// A budget is never evicted, and not lost with the challenges.
#[async_trait]
pub trait BudgetStore: Debug + Send + Sync + 'static {
    /// Reads a budget; one that was never used is empty.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn budget(
        &self,
        key: &BudgetKey,
        rules: &BudgetRules,
    ) -> Result<BudgetReading, StoreError>;

    /// Opens a budget: guesses, pauses and disablement are forgotten.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn unlock(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError>;

    /// Closes an authenticator until it is bound anew.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn disable(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError>;

    /// Counts guesses that were reserved elsewhere while this engine could not be asked, as if they
    /// were made now. It refuses nothing: a budget may be over its limits afterwards.
    ///
    /// Calling it again counts again. More than
    /// [`MOST_CARRIED`](crate::quota::Budget::MOST_CARRIED) at once count as that many.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn carry_over(
        &self,
        key: &BudgetKey,
        lane: Lane,
        guesses: u32,
        event: Event,
    ) -> Result<(), StoreError>;
}
