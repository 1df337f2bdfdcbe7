use super::effect::{Count, Effect, Mode};
use super::{Operator, Whom};
use crate::factor::RememberedDevice;
use crate::store::{DeviceQuery, FactorOwner};
use crate::verifier::Unavailable;

impl Operator {
    /// Forgets the devices that an account or a destination is known by; an address has none.
    /// Their tokens are worth nothing on any instance from then on: who has one comes through the
    /// public door, and nobody is signed out by it.
    ///
    /// # Errors
    /// [`Unavailable`]; they may be forgotten by then, and calling again does no harm.
    pub async fn revoke_devices(&self, whom: &Whom) -> Result<Effect, Unavailable> {
        let event = whom.named_in(self.event("revoke_devices"));
        let Some(subject) = whom.subject_key() else {
            self.note(event).await?;
            return Ok(Effect::new(self.mode, Count::Exactly(0), &[], shown));
        };
        let owner = FactorOwner {
            tenant: self.tenant.clone(),
            subject,
        };
        let devices = self.verifier.devices(&owner).await?;
        let count = match self.mode {
            Mode::Apply => {
                let forget = self.verifier.forget_with(&owner, &DeviceQuery::All, event);
                Count::Exactly(forget.await?)
            }
            Mode::Preview => {
                self.note(event).await?;
                Count::listed(devices.len(), RememberedDevice::MOST)
            }
        };
        Ok(Effect::new(self.mode, count, &devices, shown))
    }
}

fn shown(device: &RememberedDevice) -> String {
    match &device.label {
        Some(label) => format!("{} {label}", device.handle),
        None => device.handle.to_string(),
    }
}
