//! One key and the three keys derived from it.

use std::fmt;

use hkdf::Hkdf;
use hmac::Hmac;
use sha2::Sha256;
use xaes_256_gcm::{Xaes256Gcm, aead::KeyInit as _};
use zeroize::Zeroizing;

use super::KeyId;
#[cfg(feature = "eddsa")]
use super::ed25519::{PublicKey, sign};
use super::mac::keyed;
use crate::secret::SecretBytes;

/// Fixed salt of the extraction: it separates this library's keys from any other use of the same secret.
const SALT: &[u8] = b"otp-kit key v1";

/// Holds one server key under its id.
///
/// The working keys are derived at once (HKDF-SHA-256, [RFC 5869]) and the secret itself is wiped, so
/// that no use can touch what belongs to another.
///
/// [RFC 5869]: https://www.rfc-editor.org/rfc/rfc5869
#[derive(Debug)]
pub struct Key(KeyMaterial);

/// Says why a key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// Fewer than 32 bytes.
    #[error("a key needs at least 32 bytes")]
    TooShort,
    /// Every byte is zero: an unset variable or a failed key service.
    #[error("a key of zeros only is no key")]
    AllZero,
    /// A seed text with fewer than 8 different bytes: a placeholder.
    #[error("a seed needs at least 8 different characters")]
    TooPlain,
    /// The derivation failed.
    #[error("the key cannot be derived from")]
    Derivation,
}

impl Key {
    /// The fewest bytes of secret that a key may have.
    pub const MIN_LEN: usize = 32;

    /// Checks the secret and derives the working keys from it.
    ///
    /// The bytes should come from a secure generator; no length makes a password a good key.
    ///
    /// # Errors
    /// [`InvalidKey`] when there are fewer than 32 bytes or all of them are zero.
    pub fn new(id: KeyId, secret: &SecretBytes) -> Result<Self, InvalidKey> {
        let bytes = secret.expose();
        if bytes.len() < Self::MIN_LEN {
            return Err(InvalidKey::TooShort);
        }
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(InvalidKey::AllZero);
        }
        let derivation = Hkdf::<Sha256>::new(Some(SALT), bytes);
        let seal = DerivedKey::expand(&derivation, b"sealing")?;
        #[cfg(feature = "eddsa")]
        let signing = DerivedKey::expand(&derivation, b"ed25519 token signing")?;
        Ok(Self(KeyMaterial {
            id,
            code: DerivedKey::expand(&derivation, b"code digest")?,
            cipher: Box::new(Xaes256Gcm::new(seal.expose().into())),
            seal,
            token: DerivedKey::expand(&derivation, b"token signing")?,
            audit: DerivedKey::expand(&derivation, b"audit chain")?,
            #[cfg(feature = "eddsa")]
            public: PublicKey::of(&signing)?,
            #[cfg(feature = "eddsa")]
            signing,
        }))
    }

    /// Names the key.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        self.0.id()
    }

    pub(super) fn into_material(self) -> KeyMaterial {
        self.0
    }
}

/// Holds the working keys of one server key.
pub struct KeyMaterial {
    id: KeyId,
    code: DerivedKey,
    seal: DerivedKey,
    /// The cipher under `seal`, its round keys made once; it wipes them when it is dropped.
    cipher: Box<Xaes256Gcm>,
    token: DerivedKey,
    audit: DerivedKey,
    #[cfg(feature = "eddsa")]
    signing: DerivedKey,
    #[cfg(feature = "eddsa")]
    public: PublicKey,
}

impl KeyMaterial {
    /// Names the key that these were derived from.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// Gives the key for digests of codes.
    #[must_use]
    pub fn code_key(&self) -> &DerivedKey {
        &self.code
    }

    /// Gives the key for sealing at rest.
    #[must_use]
    pub fn seal_key(&self) -> &DerivedKey {
        &self.seal
    }

    pub(super) fn cipher(&self) -> &Xaes256Gcm {
        &self.cipher
    }

    /// Gives the key for signing tokens.
    #[must_use]
    pub fn token_key(&self) -> &DerivedKey {
        &self.token
    }

    /// Gives the public half of the key that signs tokens for other services.
    #[cfg(feature = "eddsa")]
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs with Ed25519; `None` where the key is damaged.
    #[cfg(feature = "eddsa")]
    pub(crate) fn sign(&self, text: &[u8]) -> Option<[u8; 64]> {
        sign(&self.signing, &self.public, text)
    }

    /// Gives the key for sealing the audit log's chain.
    #[must_use]
    pub fn audit_key(&self) -> &DerivedKey {
        &self.audit
    }
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyMaterial({})", self.id)
    }
}

/// Holds 32 derived bytes for one use: wiped on drop, redacted in `Debug`.
///
/// The state of HMAC under the key is made once: it is most of the work of a short message.
pub struct DerivedKey {
    bytes: Box<Zeroizing<[u8; 32]>>,
    keyed: Box<Hmac<Sha256>>,
}

impl DerivedKey {
    fn expand(derivation: &Hkdf<Sha256>, info: &[u8]) -> Result<Self, InvalidKey> {
        // Filled where it stays, so that no copy is left behind on the stack.
        let mut key = Box::new(Zeroizing::new([0; 32]));
        derivation
            .expand(info, key.as_mut_slice())
            .map_err(|_| InvalidKey::Derivation)?;
        Ok(Self::holding(key))
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    pub(super) fn keyed(&self) -> Hmac<Sha256> {
        self.keyed.as_ref().clone()
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self::holding(Box::new(Zeroizing::new(bytes)))
    }

    fn holding(bytes: Box<Zeroizing<[u8; 32]>>) -> Self {
        let keyed = Box::new(keyed(&bytes));
        Self { bytes, keyed }
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivedKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &[u8]) -> Result<Key, InvalidKey> {
        Key::new(
            KeyId::new("k1").unwrap(),
            &SecretBytes::new(secret.to_vec()),
        )
    }

    #[test]
    fn an_empty_a_short_and_an_all_zero_key_are_refused() {
        assert_eq!(key(&[]).unwrap_err(), InvalidKey::TooShort);
        assert_eq!(key(&[1; 31]).unwrap_err(), InvalidKey::TooShort);
        assert_eq!(key(&[0; 64]).unwrap_err(), InvalidKey::AllZero);
        assert!(key(&[1; 32]).is_ok());
    }

    #[test]
    fn the_derived_keys_differ_from_each_other_and_from_the_secret() {
        let material = key(&[1; 32]).unwrap().into_material();
        let keys = [
            material.code_key().expose(),
            material.seal_key().expose(),
            material.token_key().expose(),
            material.audit_key().expose(),
        ];
        assert!(keys.iter().all(|key| **key != [1; 32]));
        let different: std::collections::BTreeSet<_> = keys.into_iter().collect();
        assert_eq!(different.len(), keys.len());
    }

    #[test]
    fn debug_shows_the_id_and_no_key_byte() {
        let key = key(&[77; 32]).unwrap();
        let shown = format!("{key:?} {:?}", key.0.code_key());
        assert!(shown.contains("k1"), "{shown}");
        let first = key.0.code_key().expose()[0].to_string();
        assert!(
            !shown.contains("77") && !shown.contains(&format!("{first}, ")),
            "{shown}"
        );
    }
}
