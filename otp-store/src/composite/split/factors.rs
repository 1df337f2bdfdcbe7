//! Authenticators are kept where guesses are decided.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::factor::{Factor, RecoverySelector};
use otp_core::store::{
    AcceptedTry, AdvanceFactor, AuditStore, Enrol, Enrolled, FactorAdvanced, FactorOwner,
    FactorStore, PutRecovery, RecoveryUse, RemoveFactor, Removed, RenameFactor, Renamed, Store,
    StoreError, UseRecovery,
};

use super::Split;

#[async_trait]
impl<D: Store, A: AuditStore> FactorStore for Split<D, A> {
    async fn enrol(&self, enrol: Enrol) -> Result<Enrolled, StoreError> {
        self.inner.decisions.enrol(enrol).await
    }

    async fn factors(&self, owner: &FactorOwner) -> Result<Vec<Factor>, StoreError> {
        self.inner.decisions.factors(owner).await
    }

    async fn advance_factor(&self, advance: AdvanceFactor) -> Result<FactorAdvanced, StoreError> {
        self.inner.decisions.advance_factor(advance).await
    }

    async fn remove_factor(&self, remove: RemoveFactor) -> Result<Removed, StoreError> {
        self.inner.decisions.remove_factor(remove).await
    }

    async fn rename_factor(&self, rename: RenameFactor) -> Result<Renamed, StoreError> {
        self.inner.decisions.rename_factor(rename).await
    }

    async fn accepted_try(&self, owner: &FactorOwner) -> Result<Option<AcceptedTry>, StoreError> {
        self.inner.decisions.accepted_try(owner).await
    }

    async fn put_recovery(&self, put: PutRecovery) -> Result<(), StoreError> {
        self.inner.decisions.put_recovery(put).await
    }

    async fn recovery(
        &self,
        owner: &FactorOwner,
        selector: RecoverySelector,
    ) -> Result<Option<String>, StoreError> {
        self.inner.decisions.recovery(owner, selector).await
    }

    async fn recovery_left(&self, owner: &FactorOwner) -> Result<u32, StoreError> {
        self.inner.decisions.recovery_left(owner).await
    }

    async fn use_recovery(&self, used: UseRecovery) -> Result<RecoveryUse, StoreError> {
        self.inner.decisions.use_recovery(used).await
    }

    async fn reset_factors(&self, owner: &FactorOwner, event: Event) -> Result<u64, StoreError> {
        self.inner.decisions.reset_factors(owner, event).await
    }
}
