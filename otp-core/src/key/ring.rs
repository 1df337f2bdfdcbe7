//! The keys as they change while the service runs.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use super::{InvalidKey, Key, KeyId, KeySet, text};
use crate::{
    random::{RandomError, SecureRandom},
    secret::{SecretBytes, SecretString},
};

/// Holds one current key and any number of older ones, and swaps them while the service runs.
///
/// New values are made with the current key; a value that names an older key is still checked with that
/// one. Rotate by [`rotate`](Self::rotate), wait for as long as the longest-lived value lives, then
/// [`retire`](Self::retire) the old key. Clones share one state. A reader sees the keys before a change or
/// those after it, never a mixture: it works on a [`snapshot`](Self::snapshot).
///
/// # Examples
/// ```
/// use otp_core::key::{Key, KeyId, KeyRing};
/// use otp_core::secret::SecretBytes;
///
/// let ring = KeyRing::parse("2026-06:bm90IGEgc2VjcmV0LCBvbmx5IGFuIGV4YW1wbGUgaGVyZQ")?;
/// let next = SecretBytes::new((0..32).collect());
/// ring.rotate(Key::new(KeyId::new("2026-11")?, &next)?)?;
/// assert_eq!(ring.snapshot().current().id().as_str(), "2026-11");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    set: Arc<RwLock<Arc<KeySet>>>,
}

/// Says why a ring or a change to it is refused; the ring is then as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingError {
    /// Two keys have the same id.
    #[error("two keys have the id {0}")]
    DuplicateId(KeyId),
    /// The current key cannot be retired; rotate first.
    #[error("{0} is the current key and cannot be retired")]
    CurrentKey(KeyId),
    /// No key has this id.
    #[error("no key has the id {0}")]
    UnknownKey(KeyId),
    /// The text names no key at all.
    #[error("there is no key")]
    Empty,
    /// An entry of the text is no `id:base64` pair. Entries are counted from 1.
    #[error("entry {entry} is not a key id, a colon and base64")]
    Malformed {
        /// Which entry, counted from 1.
        entry: usize,
    },
    /// An entry of the text holds a key that is refused. Entries are counted from 1.
    #[error("the key of entry {entry} is refused")]
    Refused {
        /// Which entry, counted from 1.
        entry: usize,
        /// Why it is refused.
        source: InvalidKey,
    },
}

impl KeyRing {
    /// Starts with one key.
    #[must_use]
    pub fn new(current: Key) -> Self {
        Self {
            set: Arc::new(RwLock::new(Arc::new(KeySet::new(current.into_material())))),
        }
    }

    /// Adds an older key, with which values are checked and never made.
    ///
    /// # Errors
    /// [`KeyRingError::DuplicateId`] when the id is taken.
    pub fn with_older(self, older: Key) -> Result<Self, KeyRingError> {
        self.change(|set| {
            refuse_duplicate(set, older.id())?;
            Ok(set.clone().with_older(older.into_material()))
        })?;
        Ok(self)
    }

    /// Reads `id:base64` pairs, parted by commas or line ends; the first is the current key.
    ///
    /// Standard and URL-safe base64 are taken, padded or not; blank entries are skipped, space around
    /// entries is ignored. The text may come from an environment variable or a file; wiping it is the
    /// caller's part.
    ///
    /// # Errors
    /// [`KeyRingError`] when there is no key, an entry is malformed, a key is refused (see [`Key::new`]) or
    /// two have the same id. No error shows any part of a key.
    pub fn parse(pairs: &str) -> Result<Self, KeyRingError> {
        let mut ring: Option<Self> = None;
        for key in text::keys(pairs) {
            let key = key?;
            ring = Some(match ring {
                None => Self::new(key),
                Some(ring) => ring.with_older(key)?,
            });
        }
        ring.ok_or(KeyRingError::Empty)
    }

    /// Derives a single key from a secret text such as a framework's `SECRET_KEY`.
    ///
    /// The text is used as it is, byte for byte: at least 32 bytes with at least 8 different ones among
    /// them. Its id is `seed-` and 8 hexadecimal digits that depend on the text, so that a changed seed is
    /// seen as another key rather than as wrong codes. To rotate, go over to [`parse`](Self::parse).
    ///
    /// # Errors
    /// [`InvalidKey`] when the text is too short or too plain.
    pub fn from_seed(seed: &SecretString) -> Result<Self, InvalidKey> {
        text::seed_key(seed).map(Self::new)
    }

    /// Makes a ring with one random key, for development and tests.
    ///
    /// The key is written down nowhere: values made with it are worth nothing after a restart, and nothing
    /// on another host. Its id is `temp-` and 8 random hexadecimal digits.
    ///
    /// # Errors
    /// [`RandomError`] when the source fails, or answers nothing but zeros.
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, RandomError> {
        let mut secret = vec![0; Key::MIN_LEN];
        random.fill(&mut secret)?;
        let mut name = [0; 4];
        random.fill(&mut name)?;
        let id = text::hex_id("temp-", name).map_err(RandomError::with_source)?;
        let key = Key::new(id, &SecretBytes::new(secret)).map_err(RandomError::with_source)?;
        Ok(Self::new(key))
    }

    /// Takes the keys of this moment; cheap, and never blocked for long.
    #[must_use]
    pub fn snapshot(&self) -> Arc<KeySet> {
        // A panic elsewhere cannot leave a half-made set behind: sets are swapped whole.
        let set = self.set.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&set)
    }

    /// Makes `key` the current one; the one before it becomes the newest of the older ones.
    ///
    /// # Errors
    /// [`KeyRingError::DuplicateId`] when the id is taken.
    pub fn rotate(&self, key: Key) -> Result<(), KeyRingError> {
        self.change(|set| {
            refuse_duplicate(set, key.id())?;
            Ok(set.clone().rotated_to(key.into_material()))
        })
    }

    /// Adds a key that makes nothing yet: what was made with it is accepted from now on. So every
    /// instance, and everybody who checks tokens, knows a key before the first of them
    /// [makes it the current one](Self::promote).
    ///
    /// # Errors
    /// [`KeyRingError::DuplicateId`] when the id is taken.
    pub fn publish(&self, key: Key) -> Result<(), KeyRingError> {
        self.change(|set| {
            refuse_duplicate(set, key.id())?;
            Ok(set.clone().with_older(key.into_material()))
        })
    }

    /// Makes a key of the ring the current one; the one before it becomes the newest of the older
    /// ones. Nothing changes where it is the current one.
    ///
    /// # Errors
    /// [`KeyRingError::UnknownKey`] for an id that no key has.
    pub fn promote(&self, id: &KeyId) -> Result<(), KeyRingError> {
        self.change(|set| {
            let promoted = set.clone().promoted(id);
            promoted.ok_or(KeyRingError::UnknownKey(*id))
        })
    }

    /// Forgets an older key: whatever was made with it is refused from now on.
    ///
    /// # Errors
    /// [`KeyRingError::CurrentKey`] for the current key, [`KeyRingError::UnknownKey`] for an id that no key
    /// has.
    pub fn retire(&self, id: &KeyId) -> Result<(), KeyRingError> {
        self.change(|set| {
            if set.current().id() == id {
                return Err(KeyRingError::CurrentKey(*id));
            }
            set.get(id).ok_or(KeyRingError::UnknownKey(*id))?;
            Ok(set.clone().without(id))
        })
    }

    /// Takes over all keys of another ring, such as one read anew from the host's source.
    ///
    /// The two rings share nothing afterwards.
    pub fn replace(&self, other: &Self) {
        let set = other.snapshot();
        *self.set.write().unwrap_or_else(PoisonError::into_inner) = set;
    }

    fn change(
        &self,
        to: impl FnOnce(&KeySet) -> Result<KeySet, KeyRingError>,
    ) -> Result<(), KeyRingError> {
        let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        *set = Arc::new(to(&set)?);
        Ok(())
    }
}

fn refuse_duplicate(set: &KeySet, id: &KeyId) -> Result<(), KeyRingError> {
    match set.get(id) {
        Some(_) => Err(KeyRingError::DuplicateId(*id)),
        None => Ok(()),
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&self.snapshot()).finish()
    }
}

#[cfg(test)]
mod tests;
