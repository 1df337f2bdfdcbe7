use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Unavailable, Verified, Verifier};
use crate::challenge::Lane;
use crate::clock::Timestamp;
use crate::event::{Event, EventKind};
use crate::key::{KeyId, KeyMaterial, KeySet, mac};
use crate::random::SecureRandom;
use crate::request::{RequestContext, SubjectKey, Tenant};
use crate::secret::SecretString;

/// What a device shows to be known again: put it into an `HttpOnly` cookie that lives as long as
/// it does. It opens no account; it gives its bearer the subject's own lane of guesses and sends.
///
/// Redacted in `Debug`; zeroed on drop.
#[derive(Clone)]
pub struct DeviceToken(SecretString);

impl DeviceToken {
    /// How long a device is remembered.
    pub const LIFETIME: Duration = Duration::from_secs(90 * 86_400);

    /// Gives the token for the cookie.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
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
    /// verified for.
    ///
    /// # Errors
    /// [`Unavailable`] where randomness or the store fails; then nothing is remembered.
    pub async fn remember_device(&self, verified: &Verified) -> Result<DeviceToken, Unavailable> {
        let mut device = [0_u8; 16];
        self.random()
            .fill(&mut device)
            .map_err(Unavailable::because)?;
        let keys = self.inner.keys.snapshot();
        let expires = self.inner.clock.now().saturating_add(DeviceToken::LIFETIME);
        let head = format!(
            "{:x}{SEPARATOR}{}",
            expires.as_millis(),
            URL_SAFE_NO_PAD.encode(device)
        );
        let key = keys.current();
        let seal = URL_SAFE_NO_PAD
            .encode(seal(key, verified.tenant(), verified.subject_key(), &head).as_bytes());
        let token = format!("{head}{SEPARATOR}{}{SEPARATOR}{seal}", key.id().as_str());
        let event = Event::new(EventKind::DeviceRemembered, verified.tenant())
            .about(verified.subject_key());
        self.record(event).await?;
        Ok(DeviceToken(SecretString::new(token)))
    }

    /// Says which door a request comes through.
    pub(super) fn lane(
        &self,
        keys: &KeySet,
        tenant: &Tenant,
        subject: &SubjectKey,
        context: &RequestContext,
    ) -> Lane {
        let known = context
            .device()
            .and_then(|token| read(keys, tenant, subject, token))
            .is_some_and(|expires| self.inner.clock.now() < expires);
        if known {
            Lane::KnownDevice
        } else {
            Lane::Public
        }
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

/// Reads a token of this tenant and subject, and says when it ends.
fn read(keys: &KeySet, tenant: &Tenant, subject: &SubjectKey, token: &str) -> Option<Timestamp> {
    let (rest, presented) = token.rsplit_once(SEPARATOR)?;
    let (head, key) = rest.rsplit_once(SEPARATOR)?;
    let key = keys.get(&KeyId::new(key).ok()?)?;
    let presented = URL_SAFE_NO_PAD.decode(presented).ok()?;
    seal(key, tenant, subject, head).matches(&presented).ok()?;
    let (expires, _device) = head.split_once(SEPARATOR)?;
    i64::from_str_radix(expires, 16)
        .ok()
        .map(Timestamp::from_millis)
}
