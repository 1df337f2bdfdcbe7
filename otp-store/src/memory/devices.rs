use std::cmp::Reverse;

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::factor::RememberedDevice;
use otp_core::store::{
    DeviceQuery, DeviceStore, FactorOwner, KeyHold, KeyUse, KeyUseStore, NewDevice, StoreError,
};

use super::{MemoryStore, lock};

#[async_trait]
impl DeviceStore for MemoryStore {
    async fn remember_device(&self, new: NewDevice) -> Result<RememberedDevice, StoreError> {
        let now = self.now()?;
        let device = new.remembered(now);
        let mut shard = self.shard_of_subject(&new.owner.subject)?;
        let mut devices = shard.devices(&new.owner);
        devices.retain(|one| one.is_live(now) && one.handle != device.handle);
        devices.push(device.clone());
        devices.sort_by_key(|one| Reverse((one.created_at, one.handle)));
        devices.truncate(RememberedDevice::MOST);
        let capacity = self.inner.capacity.factor_owners.get();
        shard.put_devices(&new.owner, devices, capacity)?;
        self.inner.outbox.push(new.event.at(now));
        Ok(device)
    }

    async fn devices(&self, owner: &FactorOwner) -> Result<Vec<RememberedDevice>, StoreError> {
        let now = self.now()?;
        let mut devices = self.shard_of_subject(&owner.subject)?.devices(owner);
        devices.retain(|one| one.is_live(now));
        Ok(devices)
    }

    async fn forget_devices(
        &self,
        owner: &FactorOwner,
        query: &DeviceQuery,
        event: Event,
    ) -> Result<u64, StoreError> {
        let now = self.now()?;
        let mut shard = self.shard_of_subject(&owner.subject)?;
        let mut devices = shard.devices(owner);
        devices.retain(|one| one.is_live(now));
        let before = devices.len();
        devices.retain(|one| !query.fits(one));
        let forgotten = before.saturating_sub(devices.len());
        let forgotten = u64::try_from(forgotten).unwrap_or(u64::MAX);
        let capacity = self.inner.capacity.factor_owners.get();
        shard.put_devices(owner, devices, capacity)?;
        self.inner.outbox.push(event.counting(forgotten).at(now));
        Ok(forgotten)
    }
}

#[async_trait]
impl KeyUseStore for MemoryStore {
    async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        let now = self.now()?;
        let mut uses = Vec::new();
        for shard in &self.inner.shards {
            let shard = lock(shard);
            shard.each(|one| {
                if one.is_live(now) {
                    let until = Some(one.expires_at);
                    KeyUse::add(&mut uses, one.key_id, KeyHold::Challenges, until);
                }
            })?;
            for one in shard.each_device().filter(|one| one.is_live(now)) {
                let until = Some(one.expires_at);
                KeyUse::add(&mut uses, one.key_id, KeyHold::Devices, until);
            }
            for one in shard.each_factor() {
                KeyUse::add(&mut uses, *one.secret.key_id(), KeyHold::Factors, None);
            }
        }
        Ok(uses)
    }
}
