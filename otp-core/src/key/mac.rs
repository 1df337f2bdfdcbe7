//! Authenticates a list of fields with one derived key.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

use super::DerivedKey;

/// Holds an HMAC-SHA-256 value: wiped on drop, redacted in `Debug`, compared in constant time.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Mac([u8; 32]);

/// Says that a presented value is not the one expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the authentication code does not match")]
pub struct MacMismatch;

impl Mac {
    /// Gives the bytes, to be stored or sent.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Compares with what was presented, in a time that does not depend on where they differ.
    ///
    /// # Errors
    /// [`MacMismatch`] when any byte or the length differs; a prefix never matches.
    pub fn matches(&self, presented: &[u8]) -> Result<(), MacMismatch> {
        if bool::from(self.0.ct_eq(presented)) {
            Ok(())
        } else {
            Err(MacMismatch)
        }
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mac(redacted)")
    }
}

/// Authenticates the parts, in their order, with HMAC-SHA-256 ([RFC 2104]).
///
/// Every part is preceded by its length, so that no two lists of parts give the same input: `["a", "bc"]`
/// and `["ab", "c"]` differ, and so do a list and the same list with an empty part added. The first part
/// should say what the value is for.
///
/// # Examples
/// ```
/// use otp_core::key::{KeyRing, mac};
/// use otp_core::random::OsRandom;
///
/// let keys = KeyRing::generate(&OsRandom)?.snapshot();
/// let signed = mac(keys.current().token_key(), &[b"access token", b"subject-1"]);
/// let moved = mac(keys.current().token_key(), &[b"access token", b"subject-2"]);
/// assert!(signed.matches(signed.as_bytes()).is_ok());
/// assert!(signed.matches(moved.as_bytes()).is_err());
/// # Ok::<(), otp_core::random::RandomError>(())
/// ```
///
/// [RFC 2104]: https://www.rfc-editor.org/rfc/rfc2104
#[must_use]
pub fn mac(key: &DerivedKey, parts: &[&[u8]]) -> Mac {
    labelled(key, b"otp-kit mac v1", parts)
}

/// Signs a text as it is, for signatures that others must be able to check: no label, no lengths. A
/// text that is signed so must not begin with a zero byte, as all that [`mac`] authenticates does.
pub(crate) fn signature(key: &DerivedKey, text: &[u8]) -> Mac {
    let mut state = key.keyed();
    state.update(text);
    Mac(state.finalize().into_bytes().into())
}

/// Authenticates parts under a label of their own; `mac` and every other use stay apart by it.
pub(crate) fn labelled(key: &DerivedKey, label: &[u8], parts: &[&[u8]]) -> Mac {
    let mut state = key.keyed();
    for part in std::iter::once(&label).chain(parts) {
        // A length in memory always fits into 64 bits.
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        state.update(&length.to_be_bytes());
        state.update(part);
    }
    Mac(state.finalize().into_bytes().into())
}

/// Keys HMAC without a fallible length check: RFC 2104 pads a short key with zeros to one block.
pub(super) fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = zeroize::Zeroizing::new([0_u8; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    Hmac::<Sha256>::new((&*block).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> DerivedKey {
        DerivedKey::from_bytes([9; 32])
    }

    #[test]
    fn keying_by_a_padded_block_gives_the_vector_of_rfc_4231_section_4_2() {
        // Test case 1: key of 20 bytes 0x0b, data "Hi There".
        let mut secret = [0; 32];
        secret[..20].fill(0x0b);
        let mut state = keyed(&secret);
        state.update(b"Hi There");
        let expected = [
            0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf, 0xce, 0xaf, 0x0b,
            0xf1, 0x2b, 0x88, 0x1d, 0xc2, 0x00, 0xc9, 0x83, 0x3d, 0xa7, 0x26, 0xe9, 0x37, 0x6c,
            0x2e, 0x32, 0xcf, 0xf7,
        ];
        let value: [u8; 32] = state.finalize().into_bytes().into();
        assert_eq!(value, expected);
    }

    #[test]
    fn moving_a_boundary_between_parts_changes_the_value() {
        let lists: [&[&[u8]]; 6] = [
            &[b"a", b"bc"],
            &[b"ab", b"c"],
            &[b"abc"],
            &[b"abc", b""],
            &[b"", b"abc"],
            &[],
        ];
        for (i, one) in lists.iter().enumerate() {
            for (j, other) in lists.iter().enumerate() {
                let same = mac(&key(), one).matches(mac(&key(), other).as_bytes());
                assert_eq!(same.is_ok(), i == j, "{i} {j}");
            }
        }
    }

    #[test]
    fn a_prefix_an_extension_and_every_flipped_bit_are_refused() {
        let value = mac(&key(), &[b"x"]);
        let bytes = value.as_bytes();
        for cut in 0..32 {
            assert_eq!(value.matches(&bytes[..cut]), Err(MacMismatch));
        }
        assert_eq!(
            value.matches(&[bytes.as_slice(), &[0]].concat()),
            Err(MacMismatch)
        );
        for bit in 0..256 {
            let mut flipped = *bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(value.matches(&flipped), Err(MacMismatch));
        }
    }

    #[test]
    fn another_key_or_another_label_gives_another_value() {
        let value = mac(&key(), &[b"x"]);
        assert!(
            mac(&DerivedKey::from_bytes([8; 32]), &[b"x"])
                .matches(value.as_bytes())
                .is_err()
        );
        assert!(
            labelled(&key(), b"other", &[b"x"])
                .matches(value.as_bytes())
                .is_err()
        );
    }
}
