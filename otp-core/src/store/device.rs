use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::event::Event;
use crate::factor::{DeviceHandle, DeviceLabel, RememberedDevice};
use crate::key::KeyId;

use super::{FactorOwner, StoreError};

/// Remembers a device.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// Its name, drawn for it.
    pub handle: DeviceHandle,
    /// Whose.
    pub owner: FactorOwner,
    /// What it is called.
    pub label: Option<DeviceLabel>,
    /// The key that its token is sealed with.
    pub key_id: KeyId,
    /// How long it is remembered.
    pub life: Duration,
    /// The record of it.
    pub event: Event,
}

impl NewDevice {
    /// Makes the device that is remembered now.
    #[must_use]
    pub fn remembered(&self, now: Timestamp) -> RememberedDevice {
        RememberedDevice {
            handle: self.handle,
            label: self.label.clone(),
            key_id: self.key_id,
            created_at: now,
            expires_at: now.saturating_add(self.life),
        }
    }
}

/// Which of an owner's devices are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceQuery {
    /// The one of this name.
    One(DeviceHandle),
    /// All of them.
    All,
}

impl DeviceQuery {
    /// Says whether a device is meant.
    #[must_use]
    pub fn fits(&self, device: &RememberedDevice) -> bool {
        match self {
            Self::One(handle) => *handle == device.handle,
            Self::All => true,
        }
    }

    /// Names the one device that is meant, where it is one.
    #[must_use]
    pub const fn handle(&self) -> Option<DeviceHandle> {
        match self {
            Self::One(handle) => Some(*handle),
            Self::All => None,
        }
    }
}

/// Keeps the devices that subjects are known by. A device that is not in the store is not known,
/// whatever its token says.
///
/// # Contract
/// - Every method is atomic, and its event is stored in the same step as its change. What it
///   changes is seen by all that are called after it returned.
/// - The time is the engine's own, as with [`ChallengeStore`](super::ChallengeStore), and times are
///   whole milliseconds.
/// - A method that fails may or may not have been carried out; calling it again does no harm.
/// - An owner has [`RememberedDevice::MOST`] devices at the most, so a list is never long.
#[async_trait]
pub trait DeviceStore: Debug + Send + Sync + 'static {
    /// Remembers a device; one of the same name and owner is replaced. Of more than an owner may
    /// have, those go in the same step that were remembered longest ago.
    ///
    /// # Errors
    /// [`StoreError`]; [`Full`](super::StoreErrorKind::Full) where there is no room.
    async fn remember_device(&self, new: NewDevice) -> Result<RememberedDevice, StoreError>;

    /// Lists an owner's devices that are remembered still, newest first.
    ///
    /// # Errors
    /// [`StoreError`]; then no device is known.
    async fn devices(&self, owner: &FactorOwner) -> Result<Vec<RememberedDevice>, StoreError>;

    /// Forgets devices of an owner, and answers how many were remembered. The record gets that as
    /// [`Event::counting`] says. A device that is remembered afterwards is not forgotten.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn forget_devices(
        &self,
        owner: &FactorOwner,
        query: &DeviceQuery,
        event: Event,
    ) -> Result<u64, StoreError>;
}
