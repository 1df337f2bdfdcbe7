//! Devices are the primary's alone: while it is away no device is known.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::factor::RememberedDevice;
use otp_core::store::{
    DeviceQuery, DeviceStore, FactorOwner, KeyUse, KeyUseStore, NewDevice, Store, StoreError,
};

use super::ReadOnlyFallback;

#[async_trait]
impl<P: Store, M: Store> DeviceStore for ReadOnlyFallback<P, M> {
    async fn remember_device(&self, new: NewDevice) -> Result<RememberedDevice, StoreError> {
        self.ask(self.away(), self.inner.primary.remember_device(new))
            .await
    }

    async fn devices(&self, owner: &FactorOwner) -> Result<Vec<RememberedDevice>, StoreError> {
        self.ask(self.away(), self.inner.primary.devices(owner))
            .await
    }

    async fn forget_devices(
        &self,
        owner: &FactorOwner,
        query: &DeviceQuery,
        event: Event,
    ) -> Result<u64, StoreError> {
        let forget = self.inner.primary.forget_devices(owner, query, event);
        self.ask(self.away(), forget).await
    }
}

#[async_trait]
impl<P: Store, M: Store> KeyUseStore for ReadOnlyFallback<P, M> {
    async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        self.ask(self.away(), self.inner.primary.key_uses()).await
    }
}
