//! Devices are kept where guesses are decided.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::factor::RememberedDevice;
use otp_core::store::{
    AuditStore, DeviceQuery, DeviceStore, FactorOwner, KeyUse, KeyUseStore, NewDevice, Store,
    StoreError,
};

use super::Split;

#[async_trait]
impl<D: Store, A: AuditStore> DeviceStore for Split<D, A> {
    async fn remember_device(&self, new: NewDevice) -> Result<RememberedDevice, StoreError> {
        self.inner.decisions.remember_device(new).await
    }

    async fn devices(&self, owner: &FactorOwner) -> Result<Vec<RememberedDevice>, StoreError> {
        self.inner.decisions.devices(owner).await
    }

    async fn forget_devices(
        &self,
        owner: &FactorOwner,
        query: &DeviceQuery,
        event: Event,
    ) -> Result<u64, StoreError> {
        let decisions = &self.inner.decisions;
        decisions.forget_devices(owner, query, event).await
    }
}

#[async_trait]
impl<D: Store, A: AuditStore> KeyUseStore for Split<D, A> {
    async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        self.inner.decisions.key_uses().await
    }
}
