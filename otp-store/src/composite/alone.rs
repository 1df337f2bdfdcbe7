//! What is the primary's alone, whatever lies beneath it: authenticators, of whose secrets no copy
//! is made, remembered devices, which may have been forgotten there, and the chain, which has one
//! end. While the primary is away there is none of them.

/// Implements [`FactorStore`](otp_core::store::FactorStore),
/// [`DeviceStore`](otp_core::store::DeviceStore) and, over a primary that has it,
/// [`ChainStore`](otp_core::store::ChainStore) for a wrapper that asks its primary.
macro_rules! primary_alone {
    ($wrapper:ident <$primary:ident $(, $other:ident)*>) => {
        const _: () = {
            use std::time::Duration;

            use otp_core::event::Event;
            use otp_core::event::chain::{ChainedRecord, Head, Record};
            use otp_core::factor::{Factor, RecoverySelector, RememberedDevice};
            use otp_core::store::{
                AcceptedTry, AdvanceFactor, ChainStore, DeviceQuery, DeviceStore, Enrol, Enrolled,
                FactorAdvanced, FactorOwner, FactorStore, Lease, NewDevice, PutRecovery, RecoveryUse,
                RemoveFactor, Removed, RenameFactor, Renamed, SealBatch, SealerId, Sealing, Store,
                StoreError, UseRecovery,
            };

            #[async_trait::async_trait]
            impl<$primary: Store $(, $other: Store)*> FactorStore
                for $wrapper<$primary $(, $other)*>
            {
                async fn enrol(&self, enrol: Enrol) -> Result<Enrolled, StoreError> {
                    let call = self.inner.primary.enrol(enrol);
                    self.ask(self.away(), call).await
                }

                async fn factors(&self, owner: &FactorOwner) -> Result<Vec<Factor>, StoreError> {
                    let call = self.inner.primary.factors(owner);
                    self.ask(self.away(), call).await
                }

                async fn advance_factor(
                    &self,
                    advance: AdvanceFactor,
                ) -> Result<FactorAdvanced, StoreError> {
                    let call = self.inner.primary.advance_factor(advance);
                    self.ask(self.away(), call).await
                }

                async fn remove_factor(&self, remove: RemoveFactor) -> Result<Removed, StoreError> {
                    let call = self.inner.primary.remove_factor(remove);
                    self.ask(self.away(), call).await
                }

                async fn rename_factor(&self, rename: RenameFactor) -> Result<Renamed, StoreError> {
                    let call = self.inner.primary.rename_factor(rename);
                    self.ask(self.away(), call).await
                }

                async fn accepted_try(
                    &self,
                    owner: &FactorOwner,
                ) -> Result<Option<AcceptedTry>, StoreError> {
                    let call = self.inner.primary.accepted_try(owner);
                    self.ask(self.away(), call).await
                }

                async fn put_recovery(&self, put: PutRecovery) -> Result<(), StoreError> {
                    let call = self.inner.primary.put_recovery(put);
                    self.ask(self.away(), call).await
                }

                async fn recovery(
                    &self,
                    owner: &FactorOwner,
                    selector: RecoverySelector,
                ) -> Result<Option<String>, StoreError> {
                    let call = self.inner.primary.recovery(owner, selector);
                    self.ask(self.away(), call).await
                }

                async fn recovery_left(&self, owner: &FactorOwner) -> Result<u32, StoreError> {
                    let call = self.inner.primary.recovery_left(owner);
                    self.ask(self.away(), call).await
                }

                async fn use_recovery(&self, used: UseRecovery) -> Result<RecoveryUse, StoreError> {
                    let call = self.inner.primary.use_recovery(used);
                    self.ask(self.away(), call).await
                }

                async fn reset_factors(
                    &self,
                    owner: &FactorOwner,
                    event: Event,
                ) -> Result<u64, StoreError> {
                    let call = self.inner.primary.reset_factors(owner, event);
                    self.ask(self.away(), call).await
                }
            }

            #[async_trait::async_trait]
            impl<$primary: Store $(, $other: Store)*> DeviceStore
                for $wrapper<$primary $(, $other)*>
            {
                async fn remember_device(
                    &self,
                    new: NewDevice,
                ) -> Result<RememberedDevice, StoreError> {
                    let call = self.inner.primary.remember_device(new);
                    self.ask(self.away(), call).await
                }

                async fn devices(
                    &self,
                    owner: &FactorOwner,
                ) -> Result<Vec<RememberedDevice>, StoreError> {
                    let call = self.inner.primary.devices(owner);
                    self.ask(self.away(), call).await
                }

                async fn forget_devices(
                    &self,
                    owner: &FactorOwner,
                    query: &DeviceQuery,
                    event: Event,
                ) -> Result<u64, StoreError> {
                    let call = self.inner.primary.forget_devices(owner, query, event);
                    self.ask(self.away(), call).await
                }
            }

            #[async_trait::async_trait]
            impl<$primary: Store + ChainStore $(, $other: Store)*> ChainStore
                for $wrapper<$primary $(, $other)*>
            {
                async fn lease(
                    &self,
                    holder: &SealerId,
                    life: Duration,
                ) -> Result<Lease, StoreError> {
                    let call = self.inner.primary.lease(holder, life);
                    self.ask(self.away(), call).await
                }

                async fn unsealed(&self, limit: usize) -> Result<Vec<Record>, StoreError> {
                    let call = self.inner.primary.unsealed(limit);
                    self.ask(self.away(), call).await
                }

                async fn seal(&self, batch: SealBatch) -> Result<Sealing, StoreError> {
                    let call = self.inner.primary.seal(batch);
                    self.ask(self.away(), call).await
                }

                async fn head(&self) -> Result<Head, StoreError> {
                    let call = self.inner.primary.head();
                    self.ask(self.away(), call).await
                }

                async fn sealed(
                    &self,
                    after: Option<u64>,
                    limit: usize,
                ) -> Result<Vec<ChainedRecord>, StoreError> {
                    let call = self.inner.primary.sealed(after, limit);
                    self.ask(self.away(), call).await
                }
            }
        };
    };
}

pub(super) use primary_alone;
