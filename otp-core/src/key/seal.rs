//! Seals small secrets for the store, bound to the row they belong to.

use std::fmt;

use xaes_256_gcm::{Nonce, Tag, aead::AeadInOut};
use zeroize::Zeroizing;

use super::{KeyId, KeySet};
use crate::{
    random::{RandomError, SecureRandom},
    secret::SecretBytes,
};

const VERSION: u8 = 1;
const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;
const LABEL: &[u8] = b"otp-kit seal v1";

/// Holds a sealed value as the store keeps it: version, key id, nonce, ciphertext with its tag.
///
/// It is not secret, but it tells the length of what it holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    bytes: Vec<u8>,
    key_id: KeyId,
}

/// Says why a value was not sealed or not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The value would be longer than [`Sealed::MAX_LEN`] when sealed.
    #[error("the value is too long to be sealed")]
    TooLong,
    /// No nonce was to be had; nothing was sealed.
    #[error("no randomness for sealing")]
    Random(#[from] RandomError),
    /// The value was not sealed by these keys for this place: malformed, altered, moved or of an unknown
    /// key, which look the same on purpose.
    #[error("the sealed value is refused")]
    Refused,
}

impl Sealed {
    /// The most bytes that a sealed value can have.
    pub const MAX_LEN: usize = 8_192;

    /// Reads what a store has kept; what it holds is judged by [`open`].
    ///
    /// # Errors
    /// [`SealError::Refused`] when it is longer than [`MAX_LEN`](Self::MAX_LEN), cut short, or of a version
    /// or key id that cannot be.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        if bytes.len() > Self::MAX_LEN {
            return Err(SealError::Refused);
        }
        let key_id = split(bytes)
            .map(|parts| parts.key_id)
            .ok_or(SealError::Refused)?;
        Ok(Self {
            bytes: bytes.to_vec(),
            key_id,
        })
    }

    /// Gives the bytes for the store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Names the key with which it was sealed, so that a host can seal anew after a rotation.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("key_id", &self.key_id)
            .field("len", &self.bytes.len())
            .finish()
    }
}

struct Parts<'a> {
    key_id: KeyId,
    nonce: &'a [u8; NONCE_LEN],
    ciphertext: &'a [u8],
}

fn split(bytes: &[u8]) -> Option<Parts<'_>> {
    let (&[version, id_len], rest) = bytes.split_first_chunk()?;
    let (id, rest) = rest.split_at_checked(usize::from(id_len))?;
    let (nonce, ciphertext) = rest.split_first_chunk()?;
    let key_id = KeyId::new(str::from_utf8(id).ok()?).ok()?;
    (version == VERSION && ciphertext.len() >= TAG_LEN).then_some(Parts {
        key_id,
        nonce,
        ciphertext,
    })
}

/// Writes the associated data: label and key id, then every part, each after its length.
fn associated(key_id: &KeyId, parts: &[&[u8]]) -> Vec<u8> {
    let mut data = Vec::with_capacity(256);
    for part in [LABEL, key_id.as_bytes()].iter().chain(parts) {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        data.extend_from_slice(&length.to_be_bytes());
        data.extend_from_slice(part);
    }
    data
}

/// Seals a value with the current key ([XAES-256-GCM], random 192-bit nonce: so long that no count of values
/// wears a key out).
///
/// `aad` names the place that the value belongs to, such as tenant, subject and factor id; each part is
/// length-prefixed. The same parts must be given to [`open`], so that a value moved to another row is
/// refused there.
///
/// # Errors
/// [`SealError::TooLong`] when the sealed value would exceed [`Sealed::MAX_LEN`], [`SealError::Random`] when
/// no nonce was to be had.
///
/// # Examples
/// ```
/// use otp_core::key::{KeyRing, open, seal};
/// use otp_core::random::OsRandom;
///
/// let keys = KeyRing::generate(&OsRandom)?.snapshot();
/// let sealed = seal(&keys, &OsRandom, &[b"tenant", b"subject", b"factor-1"], b"totp secret")?;
/// assert_eq!(open(&keys, &[b"tenant", b"subject", b"factor-1"], &sealed)?.expose(), b"totp secret");
/// assert!(open(&keys, &[b"tenant", b"subject", b"factor-2"], &sealed).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [XAES-256-GCM]: https://c2sp.org/XAES-256-GCM
pub fn seal(
    keys: &KeySet,
    random: &dyn SecureRandom,
    aad: &[&[u8]],
    plaintext: &[u8],
) -> Result<Sealed, SealError> {
    let material = keys.current();
    let id = material.id().as_bytes();
    let id_len = u8::try_from(id.len()).map_err(|_| SealError::TooLong)?;
    if plaintext.len() > Sealed::MAX_LEN - 2 - id.len() - NONCE_LEN - TAG_LEN {
        return Err(SealError::TooLong);
    }
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce)?;
    // Sealed where it stays; it has room for all of it, so that growing leaves no copy behind.
    let room = 2 + id.len() + NONCE_LEN + plaintext.len() + TAG_LEN;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    for part in [&[VERSION, id_len], id, &nonce, plaintext] {
        bytes.extend_from_slice(part);
    }
    let (_, text) = bytes.split_at_mut(2 + id.len() + NONCE_LEN);
    let tag = material
        .cipher()
        .encrypt_inout_detached(
            &Nonce::from(nonce),
            &associated(material.id(), aad),
            text.into(),
        )
        .map_err(|_| SealError::TooLong)?;
    bytes.extend_from_slice(&tag);
    Ok(Sealed {
        bytes: std::mem::take(&mut *bytes),
        key_id: *material.id(),
    })
}

/// Opens a sealed value with the key that it names.
///
/// # Errors
/// [`SealError::Refused`] when the key is unknown or retired, any byte was altered, or `aad` is not what it
/// was sealed for.
pub fn open(keys: &KeySet, aad: &[&[u8]], sealed: &Sealed) -> Result<SecretBytes, SealError> {
    let parts = split(&sealed.bytes).ok_or(SealError::Refused)?;
    let material = keys.get(&parts.key_id).ok_or(SealError::Refused)?;
    let (ciphertext, tag) = parts
        .ciphertext
        .split_last_chunk::<TAG_LEN>()
        .ok_or(SealError::Refused)?;
    let mut text = Zeroizing::new(ciphertext.to_vec());
    material
        .cipher()
        .decrypt_inout_detached(
            &Nonce::from(*parts.nonce),
            &associated(&parts.key_id, aad),
            text.as_mut_slice().into(),
            &Tag::from(*tag),
        )
        .map_err(|_| SealError::Refused)?;
    Ok(SecretBytes::new(std::mem::take(&mut *text)))
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::Arc};

    use super::*;
    use crate::{
        key::{Key, KeyRing},
        random::{BrokenRandom, OsRandom},
    };

    const ROW: &[&[u8]] = &[b"tenant", b"subject", b"factor-1"];

    fn ring() -> KeyRing {
        KeyRing::generate(&OsRandom).unwrap()
    }

    fn sealed(keys: &KeySet) -> Sealed {
        seal(keys, &OsRandom, ROW, b"canary-secret").unwrap()
    }

    fn assert_refused(opened: Result<SecretBytes, SealError>) {
        assert!(matches!(opened, Err(SealError::Refused)), "{opened:?}");
    }

    #[test]
    fn a_value_survives_the_store_and_opens_in_its_row() {
        let keys = ring().snapshot();
        let kept = Sealed::from_bytes(sealed(&keys).as_bytes()).unwrap();
        assert_eq!(open(&keys, ROW, &kept).unwrap().expose(), b"canary-secret");
        assert_eq!(kept.key_id(), keys.current().id());
    }

    #[test]
    fn a_value_moved_to_another_row_is_refused() {
        let keys = ring().snapshot();
        let value = sealed(&keys);
        let rows: [&[&[u8]]; 5] = [
            &[b"tenant", b"subject", b"factor-2"],
            &[b"tenant", b"subjectf", b"actor-1"],
            &[b"tenant", b"subject"],
            &[b"tenant", b"subject", b"factor-1", b""],
            &[],
        ];
        for row in rows {
            assert_refused(open(&keys, row, &value));
        }
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_refused() {
        let keys = ring().snapshot();
        let good = sealed(&keys).as_bytes().to_vec();
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_refused(Sealed::from_bytes(&bytes).and_then(|value| open(&keys, ROW, &value)));
        }
        for cut in 0..good.len() {
            assert_refused(
                Sealed::from_bytes(&good[..cut]).and_then(|value| open(&keys, ROW, &value)),
            );
        }
    }

    #[test]
    fn a_rotated_ring_opens_old_values_until_their_key_is_retired() {
        let ring = ring();
        let before = ring.snapshot();
        let value = sealed(&before);
        let next = Key::new(KeyId::new("next").unwrap(), &SecretBytes::new(vec![5; 32])).unwrap();
        ring.rotate(next).unwrap();
        assert!(open(&ring.snapshot(), ROW, &value).is_ok());
        ring.retire(before.current().id()).unwrap();
        assert_refused(open(&ring.snapshot(), ROW, &value));
    }

    #[test]
    fn a_key_of_the_same_id_with_other_bytes_is_refused_like_an_unknown_one() {
        let key =
            |fill| Key::new(KeyId::new("k").unwrap(), &SecretBytes::new(vec![fill; 32])).unwrap();
        let value = sealed(&KeyRing::new(key(1)).snapshot());
        assert_refused(open(&KeyRing::new(key(2)).snapshot(), ROW, &value));
        assert_refused(open(&ring().snapshot(), ROW, &value));
    }

    #[test]
    fn no_nonce_comes_twice_and_equal_values_look_different() {
        let keys = ring().snapshot();
        let values: HashSet<_> = (0..10_000)
            .map(|_| sealed(&keys).as_bytes().to_vec())
            .collect();
        assert_eq!(values.len(), 10_000);
    }

    #[test]
    fn without_randomness_nothing_is_sealed() {
        let keys = ring().snapshot();
        let refused = seal(&keys, &BrokenRandom::new(), ROW, b"x");
        assert!(matches!(refused, Err(SealError::Random(_))));
    }

    #[test]
    fn the_longest_value_fits_and_one_byte_more_does_not() {
        let keys: Arc<KeySet> = ring().snapshot();
        let room = Sealed::MAX_LEN - 2 - keys.current().id().as_bytes().len() - NONCE_LEN - TAG_LEN;
        let longest = seal(&keys, &OsRandom, ROW, &vec![1; room]).unwrap();
        assert_eq!(longest.as_bytes().len(), Sealed::MAX_LEN);
        assert!(Sealed::from_bytes(longest.as_bytes()).is_ok());
        assert!(matches!(
            seal(&keys, &OsRandom, ROW, &vec![1; room + 1]),
            Err(SealError::TooLong)
        ));
        assert!(Sealed::from_bytes(&vec![1; Sealed::MAX_LEN + 1]).is_err());
    }

    #[test]
    fn neither_the_sealed_bytes_nor_debug_show_the_value() {
        let keys = ring().snapshot();
        let value = sealed(&keys);
        assert!(!value.as_bytes().windows(6).any(|bytes| bytes == b"canary"));
        assert!(!format!("{value:?}").contains("canary"));
    }

    #[test]
    fn the_cipher_gives_the_vector_of_the_c2sp_specification() {
        // https://c2sp.org/XAES-256-GCM, test vectors, the second: key of 32 bytes 0x03.
        use xaes_256_gcm::aead::{Aead as _, KeyInit as _, Payload};
        let cipher = xaes_256_gcm::Xaes256Gcm::new(&[3; 32].into());
        let payload = Payload {
            msg: b"XAES-256-GCM",
            aad: b"c2sp.org/XAES-256-GCM",
        };
        let sealed = cipher.encrypt(b"ABCDEFGHIJKLMNOPQRSTUVWX".into(), payload);
        let hex: String = sealed
            .unwrap()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            hex,
            "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"
        );
    }
}
