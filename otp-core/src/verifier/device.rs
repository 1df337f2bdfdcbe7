use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Unavailable, Verified, Verifier};
use crate::challenge::Lane;
use crate::clock::Timestamp;
use crate::event::{Event, EventKind};
use crate::factor::{DeviceHandle, DeviceLabel, RememberedDevice};
use crate::key::{KeyId, KeyMaterial, KeySet, mac};
use crate::random::SecureRandom;
use crate::request::{RequestContext, SubjectKey, Tenant};
use crate::secret::SecretString;
use crate::store::{DeviceQuery, FactorOwner, NewDevice};

/// What a device shows to be known again: put it into an `HttpOnly` cookie that lives as long as
/// it does. It opens no account; it gives its bearer the subject's own lane of guesses and sends.
///
/// It is bound to the tenant and the subject that it was made for, and worth nothing once the
/// device is forgotten. Redacted in `Debug`; zeroed on drop.
#[derive(Clone)]
pub struct DeviceToken {
    handle: DeviceHandle,
    text: SecretString,
}

impl DeviceToken {
    /// How long a device is remembered.
    pub const LIFETIME: Duration = Duration::from_secs(90 * 86_400);

    /// Gives the token for the cookie.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// Names the device in its owner's list.
    #[must_use]
    pub const fn handle(&self) -> DeviceHandle {
        self.handle
    }
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceToken(..)")
    }
}

/// Separates the parts of a token: expiry, device, key id, seal.
const SEPARATOR: char = '~';

impl Verifier {
    /// Remembers the device that a code was just verified on, for the subject that it was
    /// verified for. An owner has [`RememberedDevice::MOST`] of them; a further one has the oldest
    /// forgotten.
    ///
    /// # Errors
    /// [`Unavailable`] where randomness or the store fails; then nothing is remembered.
    pub async fn remember_device(&self, verified: &Verified) -> Result<DeviceToken, Unavailable> {
        self.remember_labelled(verified, None).await
    }

    /// Remembers the device as [`remember_device`](Self::remember_device) does, under a label that
    /// its owner will know it by.
    ///
    /// # Errors
    /// As [`remember_device`](Self::remember_device).
    pub async fn remember_device_as(
        &self,
        verified: &Verified,
        label: DeviceLabel,
    ) -> Result<DeviceToken, Unavailable> {
        self.remember_labelled(verified, Some(label)).await
    }

    async fn remember_labelled(
        &self,
        verified: &Verified,
        label: Option<DeviceLabel>,
    ) -> Result<DeviceToken, Unavailable> {
        let handle = DeviceHandle::generate(self.random()).map_err(Unavailable::because)?;
        let keys = self.inner.keys.snapshot();
        let expires = self.inner.clock.now().saturating_add(DeviceToken::LIFETIME);
        let head = format!("{:x}{SEPARATOR}{handle}", expires.as_millis());
        let key = keys.current();
        let owner = verified.owner();
        let seal = seal(key, &owner.tenant, &owner.subject, &head);
        let seal = URL_SAFE_NO_PAD.encode(seal.as_bytes());
        let text = format!("{head}{SEPARATOR}{}{SEPARATOR}{seal}", key.id().as_str());
        let event = Event::new(EventKind::DeviceRemembered, &owner.tenant).about(&owner.subject);
        let new = NewDevice {
            handle,
            owner,
            label,
            key_id: *key.id(),
            life: DeviceToken::LIFETIME,
            event: event.clone(),
        };
        self.store().remember_device(new).await?;
        self.observe(&event);
        let text = SecretString::new(text);
        Ok(DeviceToken { handle, text })
    }

    /// Lists the devices that a subject is known by, newest first, for its own pages.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn devices(&self, owner: &FactorOwner) -> Result<Vec<RememberedDevice>, Unavailable> {
        Ok(self.store().devices(owner).await?)
    }

    /// Says which of the owner's devices a request comes from; `None` where its token is none, is
    /// another's, or its device was forgotten.
    ///
    /// # Errors
    /// [`Unavailable`]; then nobody knows.
    pub async fn device_of(
        &self,
        owner: &FactorOwner,
        context: &RequestContext,
    ) -> Result<Option<DeviceHandle>, Unavailable> {
        let keys = self.inner.keys.snapshot();
        self.known(&keys, owner, context).await
    }

    /// Forgets one device of a subject's, by the subject's own hand; answers whether it was
    /// remembered. Its token is worth nothing on any instance from now on.
    ///
    /// # Errors
    /// [`Unavailable`]; it may be forgotten, and calling again does no harm.
    pub async fn forget_device(
        &self,
        owner: &FactorOwner,
        device: &DeviceHandle,
        context: &RequestContext,
    ) -> Result<Forgotten, Unavailable> {
        let query = DeviceQuery::One(*device);
        Ok(match self.forget(owner, &query, context).await? {
            0 => Forgotten::Unknown,
            _ => Forgotten::Now,
        })
    }

    /// Forgets every device of a subject, as a reset of its factors must, and answers how many
    /// were remembered. Their tokens are worth nothing on any instance from now on.
    ///
    /// # Errors
    /// [`Unavailable`]; they may be forgotten, and calling again does no harm.
    pub async fn revoke_devices(
        &self,
        owner: &FactorOwner,
        context: &RequestContext,
    ) -> Result<u64, Unavailable> {
        self.forget(owner, &DeviceQuery::All, context).await
    }

    async fn forget(
        &self,
        owner: &FactorOwner,
        query: &DeviceQuery,
        context: &RequestContext,
    ) -> Result<u64, Unavailable> {
        let mut event = Event::new(EventKind::DevicesForgotten, &owner.tenant)
            .about(&owner.subject)
            .from_request(context);
        event.reason = Some("forgotten".into());
        self.forget_with(owner, query, event).await
    }

    pub(crate) async fn forget_with(
        &self,
        owner: &FactorOwner,
        query: &DeviceQuery,
        event: Event,
    ) -> Result<u64, Unavailable> {
        let forgetting = self.store().forget_devices(owner, query, event.clone());
        let forgotten = forgetting.await?;
        self.observe(&event.counting(forgotten));
        Ok(forgotten)
    }

    /// Says which door a request comes through. Where the store cannot tell, it is everybody's.
    pub(super) async fn lane(
        &self,
        keys: &KeySet,
        tenant: &Tenant,
        subject: &SubjectKey,
        context: &RequestContext,
    ) -> Lane {
        let owner = FactorOwner {
            tenant: tenant.clone(),
            subject: subject.clone(),
        };
        match self.known(keys, &owner, context).await {
            Ok(Some(_)) => Lane::KnownDevice,
            Ok(None) => Lane::Public,
            Err(_) => {
                tracing::debug!(target: "otp_kit", "no device is known while the store is away");
                Lane::Public
            }
        }
    }

    /// Asks the store for the device of a genuine token; a forged one costs no question.
    async fn known(
        &self,
        keys: &KeySet,
        owner: &FactorOwner,
        context: &RequestContext,
    ) -> Result<Option<DeviceHandle>, Unavailable> {
        let token = context.device();
        let shown = token.and_then(|token| read(keys, &owner.tenant, &owner.subject, token));
        let now = self.inner.clock.now();
        let Some((_, handle)) = shown.filter(|(expires, _)| now < *expires) else {
            return Ok(None);
        };
        let devices = self.store().devices(owner).await?;
        let is_known = devices.iter().any(|one| one.handle == handle);
        Ok(is_known.then_some(handle))
    }

    pub(super) fn random(&self) -> &dyn SecureRandom {
        self.inner.random.as_ref()
    }
}

fn seal(key: &KeyMaterial, tenant: &Tenant, subject: &SubjectKey, head: &str) -> crate::key::Mac {
    let parts = [
        b"device" as &[u8],
        tenant.as_str().as_bytes(),
        subject.as_str().as_bytes(),
        head.as_bytes(),
    ];
    mac(key.token_key(), &parts)
}

/// Reads a token of this tenant and subject, and says when it ends and whose device's it is.
fn read(
    keys: &KeySet,
    tenant: &Tenant,
    subject: &SubjectKey,
    token: &str,
) -> Option<(Timestamp, DeviceHandle)> {
    let (rest, presented) = token.rsplit_once(SEPARATOR)?;
    let (head, key) = rest.rsplit_once(SEPARATOR)?;
    let key = keys.get(&KeyId::new(key).ok()?)?;
    let presented = URL_SAFE_NO_PAD.decode(presented).ok()?;
    seal(key, tenant, subject, head).matches(&presented).ok()?;
    let (expires, device) = head.split_once(SEPARATOR)?;
    let expires = i64::from_str_radix(expires, 16).ok()?;
    Some((Timestamp::from_millis(expires), device.parse().ok()?))
}

/// What came of forgetting a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Forgotten {
    /// It was remembered until now.
    Now,
    /// It was not: it is another's, was forgotten before, or lapsed.
    Unknown,
}
