//! Remembered devices, and what hangs on keys.

use otp_core::clock::Timestamp;
use otp_core::factor::{DeviceLabel, RememberedDevice};
use otp_core::key::KeyId;
use otp_core::store::{DeviceQuery, KeyHold, KeyUse, NewDevice, StoreError};

use super::reply::{Fields, Reply};
use super::request::{Request, millis};

impl Request {
    /// Says which device is remembered.
    pub(crate) fn device(self, new: &NewDevice) -> Self {
        let request = self
            .text("id", &new.handle.to_string())
            .text("key", new.key_id.as_str())
            .with("life", millis(new.life).into())
            .with("most", RememberedDevice::MOST.into())
            .event(&new.event);
        match &new.label {
            Some(label) => request.text("label", label.as_str()),
            None => request,
        }
    }

    /// Says which devices are meant.
    pub(crate) fn devices(self, query: &DeviceQuery) -> Self {
        match query.handle() {
            Some(handle) => self.text("id", &handle.to_string()),
            None => self,
        }
    }
}

pub(crate) fn remembered(reply: &Reply) -> Result<RememberedDevice, StoreError> {
    read(reply.texts(0)?)
}

/// Reads an owner's devices, newest first.
pub(crate) fn all(reply: &Reply) -> Result<Vec<RememberedDevice>, StoreError> {
    let mut devices: Vec<_> = reply
        .lists(0)?
        .into_iter()
        .map(read)
        .collect::<Result<_, _>>()?;
    devices.sort_by_key(|one| std::cmp::Reverse((one.created_at, one.handle)));
    Ok(devices)
}

fn read(row: Vec<String>) -> Result<RememberedDevice, StoreError> {
    let row = Fields::new(row);
    Ok(RememberedDevice {
        handle: row.parsed("id", |text| text.parse().ok())?,
        label: row.opt_parsed("label", |text| DeviceLabel::new(text).ok())?,
        key_id: row.parsed("key_id", |text| KeyId::new(text).ok())?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}

/// Reads what hangs on keys.
pub(crate) fn key_uses(reply: &Reply, place: usize) -> Result<Vec<KeyUse>, StoreError> {
    let rows = reply.lists(place)?.into_iter();
    rows.map(|row| {
        let row = Fields::new(row);
        Ok(KeyUse {
            key: row.parsed("key", |text| KeyId::new(text).ok())?,
            hold: row.parsed("hold", KeyHold::from_name)?,
            count: row.parsed("count", |text| text.parse().ok())?,
            until: row.opt_parsed("until", |text| {
                text.parse().ok().map(Timestamp::from_millis)
            })?,
        })
    })
    .collect()
}
