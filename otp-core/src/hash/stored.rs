//! The text that a store keeps, read strictly and within ceilings.

use std::fmt;

use base64::{
    Engine, alphabet,
    engine::{
        GeneralPurpose,
        general_purpose::{NO_PAD, STANDARD_NO_PAD},
    },
};

use super::{Algorithm, Argon2Params, BcryptCost};
use crate::key::KeyId;

mod parsed;

pub(super) use parsed::{Form, Parsed, Short};

const KEYED: &str = "$otp-hmac$v=1$";
/// The characters of a keyed digest.
const DIGEST: usize = 43;
const ARGON2ID: &str = "$argon2id$v=19$";
const BCRYPT: &str = "$2b$";

const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD);

/// Holds the stored form of a code: a PHC string that names algorithm, parameters and key id.
///
/// | algorithm | form |
/// |---|---|
/// | keyed digest | `$otp-hmac$v=1$keyid=K$digest` |
/// | Argon2id | `$argon2id$v=19$m=19456,t=2,p=1,keyid=K$salt$tag` |
/// | bcrypt | `$2b$c=10,keyid=K$salt$tag` |
///
/// Binary parts are base64 without padding, bcrypt's in its own alphabet; the key id stands as it is, so that
/// an operator can search for it. `Debug` shows algorithm and key id only.
///
/// # Examples
/// ```
/// use otp_core::hash::{Algorithm, StoredHash};
///
/// let kept = "$otp-hmac$v=1$keyid=2026-11$AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
/// let stored = StoredHash::parse(kept)?;
/// assert_eq!(stored.algorithm(), Algorithm::Keyed);
/// assert_eq!(stored.key_id().as_str(), "2026-11");
/// # Ok::<(), otp_core::hash::MalformedHash>(())
/// ```
#[derive(Clone)]
pub struct StoredHash {
    text: Box<str>,
    algorithm: Algorithm,
    key_id: KeyId,
}

/// Says why a text is no stored form; no work was done for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedHash {
    /// It is longer than [`StoredHash::MAX_LEN`].
    #[error("the stored hash is too long")]
    TooLong,
    /// It begins like none of the three forms, or with another version of one.
    #[error("the stored hash has an unknown algorithm or version")]
    UnknownAlgorithm,
    /// A part is missing, surplus, or not written the one way it may be written.
    #[error("the stored hash is malformed")]
    Syntax,
    /// A parameter or the length of a part is outside its bounds.
    #[error("the stored hash has a parameter out of range")]
    OutOfRange,
}

impl StoredHash {
    /// The most bytes that a stored form can have.
    pub const MAX_LEN: usize = 512;

    /// Reads a stored form.
    ///
    /// The ceilings are checked here, before any work and without allocating in proportion to what the text
    /// asks for: 262144 KiB, 10 passes, 4 lanes, a salt of 8 to 64 and a tag of 16 to 64 bytes for Argon2id;
    /// a cost of 10 to 14 for bcrypt.
    ///
    /// # Errors
    /// [`MalformedHash`] when it is no stored form or goes beyond a ceiling.
    pub fn parse(text: &str) -> Result<Self, MalformedHash> {
        let Parsed { key_id, form } = Parsed::read(text)?;
        Ok(Self {
            text: text.into(),
            algorithm: form.algorithm(),
            key_id,
        })
    }

    /// Gives the text for the store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Gives the text to whoever keeps it.
    pub(crate) fn into_text(self) -> String {
        self.text.into_string()
    }

    /// Names the algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Names the key that the digest was made with.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    pub(super) fn keyed(key_id: KeyId, digest: &[u8; 32]) -> Self {
        let before = [KEYED, "keyid=", key_id.as_str(), "$"];
        let room = before.iter().map(|part| part.len()).sum::<usize>() + DIGEST;
        let mut text = String::with_capacity(room);
        text.extend(before);
        STANDARD_NO_PAD.encode_string(digest, &mut text);
        Self {
            text: text.into(),
            algorithm: Algorithm::Keyed,
            key_id,
        }
    }

    pub(super) fn argon2id(key_id: KeyId, params: Argon2Params, salt: &[u8], tag: &[u8]) -> Self {
        let text = format!(
            "{ARGON2ID}m={},t={},p={},keyid={key_id}${}${}",
            params.memory_kib(),
            params.passes(),
            params.lanes(),
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(tag),
        );
        Self {
            text: text.into(),
            algorithm: Algorithm::Argon2id,
            key_id,
        }
    }

    pub(super) fn bcrypt(key_id: KeyId, cost: BcryptCost, salt: &[u8], tag: &[u8]) -> Self {
        let text = format!(
            "{BCRYPT}c={},keyid={key_id}${}${}",
            cost.get(),
            BCRYPT_BASE64.encode(salt),
            BCRYPT_BASE64.encode(tag),
        );
        Self {
            text: text.into(),
            algorithm: Algorithm::Bcrypt,
            key_id,
        }
    }
}

impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredHash")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
