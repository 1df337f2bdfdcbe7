use std::cmp::Reverse;

use async_trait::async_trait;

use super::ReferenceStore;
use crate::event::Event;
use crate::factor::RememberedDevice;
use crate::store::{
    DeviceQuery, DeviceStore, FactorOwner, KeyHold, KeyUse, KeyUseStore, NewDevice, StoreError,
};

#[async_trait]
impl DeviceStore for ReferenceStore {
    async fn remember_device(&self, new: NewDevice) -> Result<RememberedDevice, StoreError> {
        let (mut state, now) = self.begin()?;
        let device = new.remembered(now);
        let devices = state.devices.entry(new.owner).or_default();
        devices.retain(|one| one.is_live(now) && one.handle != device.handle);
        devices.insert(0, device.clone());
        devices.sort_by_key(|one| Reverse((one.created_at, one.handle)));
        devices.truncate(RememberedDevice::MOST);
        state.record(new.event, now);
        Ok(device)
    }

    async fn devices(&self, owner: &FactorOwner) -> Result<Vec<RememberedDevice>, StoreError> {
        let (state, now) = self.begin()?;
        let devices = state.devices.get(owner).cloned().unwrap_or_default();
        Ok(devices.into_iter().filter(|one| one.is_live(now)).collect())
    }

    async fn forget_devices(
        &self,
        owner: &FactorOwner,
        query: &DeviceQuery,
        event: Event,
    ) -> Result<u64, StoreError> {
        let (mut state, now) = self.begin()?;
        let mut forgotten = 0;
        if let Some(devices) = state.devices.get_mut(owner) {
            let live = devices.iter().filter(|one| one.is_live(now));
            forgotten = live.filter(|one| query.fits(one)).fold(0, |n, _| n + 1);
            devices.retain(|one| !query.fits(one));
        }
        state.record(event.counting(forgotten), now);
        Ok(forgotten)
    }
}

#[async_trait]
impl KeyUseStore for ReferenceStore {
    async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        let (state, now) = self.begin()?;
        let mut uses = Vec::new();
        for one in state.challenges.iter().filter(|one| one.is_live(now)) {
            let until = Some(one.expires_at);
            KeyUse::add(&mut uses, one.key_id, KeyHold::Challenges, until);
        }
        let devices = state.devices.values().flatten();
        for one in devices.filter(|one| one.is_live(now)) {
            let until = Some(one.expires_at);
            KeyUse::add(&mut uses, one.key_id, KeyHold::Devices, until);
        }
        for one in state.factors.values().flat_map(|sheet| &sheet.factors) {
            KeyUse::add(&mut uses, *one.secret.key_id(), KeyHold::Factors, None);
        }
        Ok(uses)
    }
}
