//! One reserved hash or check.

use std::{fmt, hint::black_box, sync::Arc};

use subtle::ConstantTimeEq;

use super::{
    Binding, Comparison, HashError, MismatchReason, StoredHash, Upgrade, argon2id,
    argon2id::{Argon2Params, Memory},
    bcrypt::{self, BcryptCost},
    hasher::Inner,
    pool::Place,
    scheme::Scheme,
    stored::{Form, Parsed, Short},
};
use crate::{
    key::{KeyId, KeySet, Mac, labelled},
    random::SecureRandom,
};

/// Holds a place for one hash or one check, from [`CodeHasher::reserve`](super::CodeHasher::reserve).
///
/// Each of its methods uses it up. A future dropped before it is done frees the place: at once while the job
/// has not begun its turn, and otherwise when the job ends.
#[must_use = "a slot keeps others out until it is used or dropped"]
pub struct HashSlot {
    inner: Arc<Inner>,
    place: Option<Place>,
}

impl HashSlot {
    pub(super) fn new(inner: Arc<Inner>, place: Option<Place>) -> Self {
        Self { inner, place }
    }

    /// Hashes a code under the current key, in the form that the hasher writes.
    ///
    /// # Errors
    /// [`HashError`] when there is no randomness for a salt, no memory or no thread.
    pub async fn hash(
        self,
        keys: &KeySet,
        random: &dyn SecureRandom,
        binding: &Binding<'_>,
        code: &str,
    ) -> Result<StoredHash, HashError> {
        let material = keys.current();
        let id = *material.id();
        let digest = binding.digest(material, code);
        match self.inner.settings.scheme {
            Scheme::Keyed => Ok(StoredHash::keyed(id, digest.as_bytes())),
            Scheme::Argon2id(params) => {
                let mut salt = Short::zeroed(argon2id::SALT_LEN);
                random.fill(salt.as_mut_slice())?;
                self.argon2id(params, digest, salt, argon2id::TAG_LEN)
                    .await
                    .map(|(salt, tag)| {
                        StoredHash::argon2id(id, params, salt.as_slice(), tag.as_slice())
                    })
            }
            Scheme::Bcrypt(cost) => {
                let mut salt = [0; bcrypt::SALT_LEN];
                random.fill(&mut salt)?;
                let tag = self.bcrypt(cost, digest, salt).await?;
                Ok(StoredHash::bcrypt(id, cost, &salt, &tag))
            }
        }
    }

    /// Checks a code against a stored form, with the key that this names.
    ///
    /// A stored form that cannot be checked (malformed, of an unknown key, of an algorithm not allowed) costs
    /// the same work as one that can, and is a mismatch.
    ///
    /// A hasher that writes keyed digests holds no place; when it meets a slow form, it waits for one.
    ///
    /// # Errors
    /// [`HashError`] when the work could not be done; the code was then not compared.
    pub async fn verify(
        self,
        keys: &KeySet,
        binding: &Binding<'_>,
        code: &str,
        stored: &str,
    ) -> Result<Comparison, HashError> {
        let reason = match Parsed::read(stored) {
            Err(_) => MismatchReason::Corrupt,
            Ok(parsed) if !self.inner.settings.allowed.allows(parsed.form.algorithm()) => {
                MismatchReason::NotAllowed
            }
            Ok(Parsed { key_id, form }) => match keys.get(&key_id) {
                None => MismatchReason::UnknownKey,
                Some(material) => {
                    let digest = binding.digest(material, code);
                    return self
                        .compare(keys.current().id(), key_id, form, digest)
                        .await;
                }
            },
        };
        let digest = binding.digest(keys.current(), code);
        self.burn(digest).await?;
        Ok(Comparison::Mismatch(reason))
    }

    /// Does the work of a check for nobody, so that an unknown challenge takes as long as a known one.
    ///
    /// # Errors
    /// [`HashError`] in the same cases as [`verify`](Self::verify).
    pub async fn decoy(self) -> Result<(), HashError> {
        // About as long as a real binding: the fields' lengths decide how often the hash is run.
        let parts = [[0_u8; 16].as_slice(); 8];
        let digest = labelled(&self.inner.decoy_key, b"otp-kit decoy v1", &parts);
        self.burn(digest).await
    }

    async fn compare(
        self,
        current: &KeyId,
        key_id: KeyId,
        form: Form,
        digest: Mac,
    ) -> Result<Comparison, HashError> {
        let written = form.is_written_by(self.inner.settings.scheme) && key_id == *current;
        let same = match form {
            Form::Keyed(stored) => digest.matches(&stored).is_ok(),
            Form::Argon2id { params, salt, tag } => {
                let (_, computed) = self
                    .argon2id(params, digest, salt, tag.as_slice().len())
                    .await?;
                computed.as_slice().ct_eq(tag.as_slice()).into()
            }
            Form::Bcrypt { cost, salt, tag } => {
                let computed = self.bcrypt(cost, digest, salt).await?;
                computed.as_slice().ct_eq(tag.as_slice()).into()
            }
        };
        Ok(match (same, written) {
            (true, true) => Comparison::Match {
                upgrade: Upgrade::NotNeeded,
            },
            (true, false) => Comparison::Match {
                upgrade: Upgrade::Advised,
            },
            (false, _) => Comparison::Mismatch(MismatchReason::Wrong),
        })
    }

    /// Does what a check of the hasher's own form does, and throws the outcome away.
    async fn burn(self, digest: Mac) -> Result<(), HashError> {
        match self.inner.settings.scheme {
            Scheme::Keyed => {
                let _ = black_box(digest.matches(black_box(&[0; 32])));
            }
            Scheme::Argon2id(params) => {
                let salt = Short::zeroed(argon2id::SALT_LEN);
                black_box(
                    self.argon2id(params, digest, salt, argon2id::TAG_LEN)
                        .await?,
                );
            }
            Scheme::Bcrypt(cost) => {
                black_box(self.bcrypt(cost, digest, [0; bcrypt::SALT_LEN]).await?);
            }
        }
        Ok(())
    }

    async fn argon2id(
        self,
        params: Argon2Params,
        digest: Mac,
        salt: Short,
        tag_len: usize,
    ) -> Result<(Short, Short), HashError> {
        let work = move |memory: &mut Memory| {
            let mut tag = Short::zeroed(tag_len);
            memory.tag(
                params,
                digest.as_bytes(),
                salt.as_slice(),
                tag.as_mut_slice(),
            )?;
            Ok((salt, tag))
        };
        Box::pin(self.run(work)).await?
    }

    async fn bcrypt(
        self,
        cost: BcryptCost,
        digest: Mac,
        salt: [u8; bcrypt::SALT_LEN],
    ) -> Result<[u8; bcrypt::TAG_LEN], HashError> {
        let work = move |_: &mut Memory| bcrypt::tag(cost, digest.as_bytes(), salt);
        Box::pin(self.run(work)).await
    }

    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let place = match self.place {
            Some(place) => place,
            None => self.inner.pool.place().await?,
        };
        self.inner
            .pool
            .submit(place, work)?
            .await
            .map_err(|_| HashError::Failed)
    }
}

impl fmt::Debug for HashSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashSlot")
            .field("holds_place", &self.place.is_some())
            .finish_non_exhaustive()
    }
}
