//! Remembered devices: on their subject's shelf. What hangs on keys is found by going through
//! everything.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::factor::RememberedDevice;
use otp_core::store::{
    DeviceQuery, DeviceStore, FactorOwner, KeyUse, KeyUseStore, NewDevice, StoreError,
};

use super::script::Source;
use super::{RedisStore, script};
use crate::wire::device;
use crate::wire::request::Request;

/// How many keys a step goes through.
const PAGE: u64 = 1_000;

impl RedisStore {
    async fn ask_devices(
        &self,
        step: &str,
        owner: &FactorOwner,
        fill: impl FnOnce(Request) -> Request,
    ) -> Result<crate::wire::reply::Reply, StoreError> {
        let keys = &self.inner.keys;
        let shelf = keys.shelves.of(&owner.subject);
        let request = self
            .request(shelf, step)
            .text("devices", &keys.devices(owner));
        self.ask(shelf, &script::DEVICES, fill(request)).await
    }

    /// Goes through all keys of all shelves, page by page, with a script's step `keys`.
    pub(super) async fn count_key_uses(
        &self,
        source: &'static Source,
    ) -> Result<Vec<KeyUse>, StoreError> {
        let mut uses: Vec<KeyUse> = Vec::new();
        for shelf in self.inner.keys.shelves.all() {
            let mut cursor = "0".to_owned();
            loop {
                let request = self
                    .request(shelf, "keys")
                    .text("cursor", &cursor)
                    .with("limit", PAGE.into());
                let reply = self.ask(shelf, source, request).await?;
                for one in device::key_uses(&reply, 1)? {
                    one.add_to(&mut uses);
                }
                reply.text(0)?.clone_into(&mut cursor);
                if cursor == "0" {
                    break;
                }
            }
        }
        Ok(uses)
    }
}

#[async_trait]
impl DeviceStore for RedisStore {
    async fn remember_device(&self, new: NewDevice) -> Result<RememberedDevice, StoreError> {
        let fill = |request: Request| request.device(&new);
        let reply = self.ask_devices("remember", &new.owner, fill).await?;
        device::remembered(&reply)
    }

    async fn devices(&self, owner: &FactorOwner) -> Result<Vec<RememberedDevice>, StoreError> {
        device::all(&self.ask_devices("list", owner, |request| request).await?)
    }

    async fn forget_devices(
        &self,
        owner: &FactorOwner,
        query: &DeviceQuery,
        event: Event,
    ) -> Result<u64, StoreError> {
        let fill = |request: Request| request.devices(query).event(&event);
        self.ask_devices("forget", owner, fill).await?.number(0)
    }
}

#[async_trait]
impl KeyUseStore for RedisStore {
    async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        self.count_key_uses(&script::DEVICES).await
    }
}
