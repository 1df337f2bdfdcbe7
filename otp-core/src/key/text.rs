//! Reads keys from text.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_PAD_INDIFFERENT, URL_SAFE_PAD_INDIFFERENT},
};
use hkdf::Hkdf;
use sha2::Sha256;

use super::{InvalidKey, InvalidKeyId, Key, KeyId, KeyRingError};
use crate::secret::{SecretBytes, SecretString};

/// The fewest different bytes that a seed may have: placeholders such as a repeated word fall below.
const MIN_DISTINCT: usize = 8;

/// Reads the keys of a list, in its order.
pub(super) fn keys(pairs: &str) -> impl Iterator<Item = Result<Key, KeyRingError>> {
    pairs
        .split([',', '\n'])
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .zip(1..)
        .map(|(pair, entry)| key(pair, entry))
}

fn key(pair: &str, entry: usize) -> Result<Key, KeyRingError> {
    let malformed = KeyRingError::Malformed { entry };
    let Some((id, secret)) = pair.split_once(':') else {
        return Err(malformed);
    };
    let (Ok(id), Some(secret)) = (KeyId::new(id), decode(secret)) else {
        return Err(malformed);
    };
    Key::new(id, &secret).map_err(|source| KeyRingError::Refused { entry, source })
}

fn decode(base64: &str) -> Option<SecretBytes> {
    let engine = if base64.contains(['-', '_']) {
        &URL_SAFE_PAD_INDIFFERENT
    } else {
        &STANDARD_PAD_INDIFFERENT
    };
    engine.decode(base64).ok().map(SecretBytes::new)
}

/// Makes the key of a seed text.
pub(super) fn seed_key(seed: &SecretString) -> Result<Key, InvalidKey> {
    let text = seed.expose().as_bytes();
    if text.len() < Key::MIN_LEN {
        return Err(InvalidKey::TooShort);
    }
    let distinct = (0..=u8::MAX).filter(|byte| text.contains(byte)).count();
    if distinct < MIN_DISTINCT {
        return Err(InvalidKey::TooPlain);
    }
    let mut name = [0; 4];
    Hkdf::<Sha256>::new(Some(b"otp-kit seed v1"), text)
        .expand(b"key id", &mut name)
        .map_err(|_| InvalidKey::Derivation)?;
    let id = hex_id("seed-", name).map_err(|_| InvalidKey::Derivation)?;
    Key::new(id, &SecretBytes::new(text.to_vec()))
}

/// Writes a key id that ends in 8 hexadecimal digits.
pub(super) fn hex_id(prefix: &str, name: [u8; 4]) -> Result<KeyId, InvalidKeyId> {
    KeyId::new(&format!("{prefix}{:08x}", u32::from_be_bytes(name)))
}
