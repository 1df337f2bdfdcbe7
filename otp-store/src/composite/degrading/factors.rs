//! Authenticators are above alone: no secret of theirs is ever beneath.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::factor::{Factor, RecoverySelector};
use otp_core::store::{
    AdvanceFactor, Enrol, Enrolled, FactorAdvanced, FactorOwner, FactorStore, PutRecovery,
    RecoveryUse, RemoveFactor, Removed, Store, StoreError, UseRecovery,
};

use super::Degrading;

#[async_trait]
impl<P: Store> FactorStore for Degrading<P> {
    async fn enrol(&self, enrol: Enrol) -> Result<Enrolled, StoreError> {
        self.ask(self.away(), self.inner.primary.enrol(enrol)).await
    }

    async fn factors(&self, owner: &FactorOwner) -> Result<Vec<Factor>, StoreError> {
        self.ask(self.away(), self.inner.primary.factors(owner))
            .await
    }

    async fn advance_factor(&self, advance: AdvanceFactor) -> Result<FactorAdvanced, StoreError> {
        self.ask(self.away(), self.inner.primary.advance_factor(advance))
            .await
    }

    async fn remove_factor(&self, remove: RemoveFactor) -> Result<Removed, StoreError> {
        self.ask(self.away(), self.inner.primary.remove_factor(remove))
            .await
    }

    async fn put_recovery(&self, put: PutRecovery) -> Result<(), StoreError> {
        self.ask(self.away(), self.inner.primary.put_recovery(put))
            .await
    }

    async fn recovery(
        &self,
        owner: &FactorOwner,
        selector: RecoverySelector,
    ) -> Result<Option<String>, StoreError> {
        self.ask(self.away(), self.inner.primary.recovery(owner, selector))
            .await
    }

    async fn recovery_left(&self, owner: &FactorOwner) -> Result<u32, StoreError> {
        self.ask(self.away(), self.inner.primary.recovery_left(owner))
            .await
    }

    async fn use_recovery(&self, used: UseRecovery) -> Result<RecoveryUse, StoreError> {
        self.ask(self.away(), self.inner.primary.use_recovery(used))
            .await
    }

    async fn reset_factors(&self, owner: &FactorOwner, event: Event) -> Result<u64, StoreError> {
        self.ask(self.away(), self.inner.primary.reset_factors(owner, event))
            .await
    }
}
