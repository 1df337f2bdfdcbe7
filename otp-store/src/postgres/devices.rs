//! Remembered devices, and what hangs on keys.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::factor::RememberedDevice;
use otp_core::store::{
    DeviceQuery, DeviceStore, FactorOwner, KeyUse, KeyUseStore, NewDevice, StoreError,
};
use serde_json::json;

use super::PostgresStore;
use super::link::Function;
use crate::wire::device;
use crate::wire::request::Request;

impl PostgresStore {
    fn on_devices(&self, step: &str, owner: &FactorOwner) -> Request {
        let owner = json!({
            "tenant": owner.tenant.as_str(),
            "subject": owner.subject.as_str(),
        });
        self.request(step).with("owner", owner)
    }
}

#[async_trait]
impl DeviceStore for PostgresStore {
    async fn remember_device(&self, new: NewDevice) -> Result<RememberedDevice, StoreError> {
        let request = self.on_devices("remember", &new.owner).device(&new);
        device::remembered(&self.ask(Function::Device, request).await?)
    }

    async fn devices(&self, owner: &FactorOwner) -> Result<Vec<RememberedDevice>, StoreError> {
        let request = self.on_devices("list", owner);
        device::all(&self.ask(Function::Device, request).await?)
    }

    async fn forget_devices(
        &self,
        owner: &FactorOwner,
        query: &DeviceQuery,
        event: Event,
    ) -> Result<u64, StoreError> {
        let request = self.on_devices("forget", owner).devices(query);
        let request = request.event(&event);
        self.ask(Function::Device, request).await?.number(0)
    }
}

#[async_trait]
impl KeyUseStore for PostgresStore {
    async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        let request = self.request("keys");
        device::key_uses(&self.ask(Function::Device, request).await?, 0)
    }
}
