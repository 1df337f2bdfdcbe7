use async_trait::async_trait;

use super::{Broken, Fault};
use crate::event::Event;
use crate::factor::RememberedDevice;
use crate::store::{
    DeviceQuery, DeviceStore, FactorOwner, KeyUse, KeyUseStore, NewDevice, StoreError,
};

#[async_trait]
impl DeviceStore for Broken {
    async fn remember_device(&self, new: NewDevice) -> Result<RememberedDevice, StoreError> {
        self.inner.remember_device(new).await
    }

    async fn devices(&self, owner: &FactorOwner) -> Result<Vec<RememberedDevice>, StoreError> {
        self.inner.devices(owner).await
    }

    async fn forget_devices(
        &self,
        owner: &FactorOwner,
        query: &DeviceQuery,
        event: Event,
    ) -> Result<u64, StoreError> {
        if !self.has(Fault::ForgetsNoDevice) {
            return self.inner.forget_devices(owner, query, event).await;
        }
        let devices = self.inner.devices(owner).await?;
        let meant = devices.iter().filter(|one| query.fits(one)).count();
        Ok(u64::try_from(meant).unwrap_or(u64::MAX))
    }
}

#[async_trait]
impl KeyUseStore for Broken {
    async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        self.inner.key_uses().await
    }
}
