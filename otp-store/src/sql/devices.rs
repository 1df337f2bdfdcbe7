//! Remembered devices, a row each. One that is forgotten has none.

use otp_core::clock::Timestamp;
use otp_core::event::Event;
use otp_core::factor::{DeviceLabel, RememberedDevice};
use otp_core::key::KeyId;
use otp_core::store::{DeviceQuery, FactorOwner, NewDevice, StoreError};

use super::{Intent, Locks, Row, Tx, audit};

const OWNED: &str = "SELECT * FROM otp_devices WHERE subject_key = ? AND tenant = ?
    ORDER BY created_at DESC, id DESC";
const DROP: &str = "DELETE FROM otp_devices WHERE id = ? AND subject_key = ? AND tenant = ?";
const ADD: &str = "INSERT INTO otp_devices (id, tenant, user_id, subject_key, label, key_id,
        created_at, expires_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

fn locked(owner: &FactorOwner) -> Locks {
    Locks::default().subject(owner.subject.shard())
}

async fn of(tx: &mut Tx<'_>, owner: &FactorOwner) -> Result<Vec<RememberedDevice>, StoreError> {
    let values = [owner.subject.as_str().into(), owner.tenant.as_str().into()];
    tx.rows(OWNED, &values).await?.iter().map(read).collect()
}

async fn drop_one(
    tx: &mut Tx<'_>,
    owner: &FactorOwner,
    device: &RememberedDevice,
) -> Result<u64, StoreError> {
    let id = device.handle.to_string();
    let values = [
        (&id).into(),
        owner.subject.as_str().into(),
        owner.tenant.as_str().into(),
    ];
    tx.execute(DROP, &values).await
}

/// Remembers a device, and makes room for it.
pub(crate) struct Remember(pub(crate) NewDevice);

impl Intent for Remember {
    type Answer = RememberedDevice;

    fn locks(&self) -> Locks {
        locked(&self.0.owner)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<RememberedDevice, StoreError> {
        let (new, now) = (&self.0, tx.now()?);
        let device = new.remembered(now);
        let mut kept = 1_usize;
        for known in of(tx, &new.owner).await? {
            let stays = known.is_live(now) && known.handle != device.handle;
            if stays && kept < RememberedDevice::MOST {
                kept = kept.saturating_add(1);
            } else {
                drop_one(tx, &new.owner, &known).await?;
            }
        }
        let id = device.handle.to_string();
        let values = [
            (&id).into(),
            new.owner.tenant.as_str().into(),
            new.owner.subject.user_id().into(),
            new.owner.subject.as_str().into(),
            device.label.as_ref().map(DeviceLabel::as_str).into(),
            device.key_id.as_str().into(),
            device.created_at.into(),
            device.expires_at.into(),
        ];
        tx.execute(ADD, &values).await?;
        audit::write(tx, &new.event).await?;
        Ok(device)
    }
}

/// Lists an owner's devices.
pub(crate) struct Devices(pub(crate) FactorOwner);

impl Intent for Devices {
    type Answer = Vec<RememberedDevice>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, StoreError> {
        let now: Timestamp = tx.now()?;
        let mut devices = of(tx, &self.0).await?;
        devices.retain(|one| one.is_live(now));
        Ok(devices)
    }
}

/// Forgets devices of an owner.
pub(crate) struct Forget(
    pub(crate) FactorOwner,
    pub(crate) DeviceQuery,
    pub(crate) Event,
);

impl Intent for Forget {
    type Answer = u64;

    fn locks(&self) -> Locks {
        locked(&self.0)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let Self(owner, query, event) = self;
        let now = tx.now()?;
        let mut forgotten = 0_u64;
        for known in of(tx, owner).await? {
            if !query.fits(&known) {
                continue;
            }
            drop_one(tx, owner, &known).await?;
            if known.is_live(now) {
                forgotten = forgotten.saturating_add(1);
            }
        }
        audit::write(tx, &event.clone().counting(forgotten)).await?;
        Ok(forgotten)
    }
}

fn read(row: &Row) -> Result<RememberedDevice, StoreError> {
    Ok(RememberedDevice {
        handle: row.parsed("id", |text| text.parse().ok())?,
        label: row.opt_parsed("label", |text| DeviceLabel::new(text).ok())?,
        key_id: row.parsed("key_id", |text| KeyId::new(text).ok())?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}
