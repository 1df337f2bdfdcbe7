use async_trait::async_trait;
use tokio::task::yield_now;

use super::{Broken, Fault};
use crate::event::Event;
use crate::factor::{Factor, RecoverySelector};
use crate::store::{
    AcceptedTry, AdvanceFactor, Enrol, Enrolled, FactorAdvanced, FactorOwner, FactorStore,
    PutRecovery, RecoveryUse, RemoveFactor, Removed, RenameFactor, Renamed, StoreError,
    UseRecovery,
};

#[async_trait]
impl FactorStore for Broken {
    async fn enrol(&self, enrol: Enrol) -> Result<Enrolled, StoreError> {
        self.inner.enrol(enrol).await
    }

    async fn factors(&self, owner: &FactorOwner) -> Result<Vec<Factor>, StoreError> {
        self.inner.factors(owner).await
    }

    async fn advance_factor(
        &self,
        mut advance: AdvanceFactor,
    ) -> Result<FactorAdvanced, StoreError> {
        if self.has(Fault::LosesTries) {
            advance.accepted = None;
        }
        if !self.has(Fault::ReadsThenAdvances) {
            return self.inner.advance_factor(advance).await;
        }
        let factors = self.inner.factors(&advance.owner).await?;
        let mut factors = factors.into_iter();
        let found = factors.find(|factor| factor.id == advance.factor);
        yield_now().await;
        match found {
            Some(factor) if factor.last.is_none_or(|last| last < advance.to) => {
                let _ = self.inner.advance_factor(advance).await?;
                Ok(FactorAdvanced::Accepted)
            }
            _ => Ok(FactorAdvanced::Used),
        }
    }

    async fn remove_factor(&self, remove: RemoveFactor) -> Result<Removed, StoreError> {
        self.inner.remove_factor(remove).await
    }

    async fn rename_factor(&self, rename: RenameFactor) -> Result<Renamed, StoreError> {
        let renamed = self.inner.rename_factor(rename).await?;
        if self.has(Fault::RenamesToTaken) {
            return Ok(Renamed::Now);
        }
        Ok(renamed)
    }

    async fn accepted_try(&self, owner: &FactorOwner) -> Result<Option<AcceptedTry>, StoreError> {
        self.inner.accepted_try(owner).await
    }

    async fn put_recovery(&self, put: PutRecovery) -> Result<(), StoreError> {
        self.inner.put_recovery(put).await
    }

    async fn recovery(
        &self,
        owner: &FactorOwner,
        selector: RecoverySelector,
    ) -> Result<Option<String>, StoreError> {
        self.inner.recovery(owner, selector).await
    }

    async fn recovery_left(&self, owner: &FactorOwner) -> Result<u32, StoreError> {
        self.inner.recovery_left(owner).await
    }

    async fn use_recovery(&self, mut used: UseRecovery) -> Result<RecoveryUse, StoreError> {
        if self.has(Fault::UsesWhatIsThere) {
            let there = self.inner.recovery(&used.owner, used.selector).await?;
            used.digest = there.unwrap_or(used.digest);
        }
        self.inner.use_recovery(used).await
    }

    async fn reset_factors(&self, owner: &FactorOwner, event: Event) -> Result<u64, StoreError> {
        self.inner.reset_factors(owner, event).await
    }
}
