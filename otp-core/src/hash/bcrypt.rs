//! bcrypt over a digest, which is always short enough for it.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use zeroize::Zeroizing;

pub(super) const SALT_LEN: usize = 16;
pub(super) const TAG_LEN: usize = 23;

/// Sets the work of bcrypt: 2^cost rounds, from 10 to 14.
///
/// The default is 10, the least that the OWASP Password Storage Cheat Sheet allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BcryptCost(u8);

/// Says that a cost of bcrypt is outside 10 to 14.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bcrypt takes a cost of 10 to 14")]
pub struct InvalidBcryptCost;

impl BcryptCost {
    /// The least cost, 10.
    pub const MIN: Self = Self(10);
    /// The highest cost that is ever used, whatever a stored value asks for: 14.
    pub const MAX: Self = Self(14);

    /// Checks a cost.
    ///
    /// # Errors
    /// [`InvalidBcryptCost`] when it is below 10 or above 14.
    pub fn new(cost: u32) -> Result<Self, InvalidBcryptCost> {
        let cost = u8::try_from(cost).map_err(|_| InvalidBcryptCost)?;
        (Self::MIN.0..=Self::MAX.0)
            .contains(&cost)
            .then_some(Self(cost))
            .ok_or(InvalidBcryptCost)
    }

    /// Tells the cost.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for BcryptCost {
    fn default() -> Self {
        Self::MIN
    }
}

/// Computes the tag over a digest.
///
/// What bcrypt is fed is the digest's base64, 43 characters and the terminating NUL of the `2b` form: never
/// past its 72 bytes, never with a NUL inside, whatever the code was.
pub(super) fn tag(cost: BcryptCost, digest: &[u8; 32], salt: [u8; SALT_LEN]) -> [u8; TAG_LEN] {
    let mut input = Zeroizing::new([0_u8; 44]);
    // 32 bytes are 43 characters, so the slice always suffices and its last byte stays NUL.
    let written = STANDARD_NO_PAD.encode_slice(digest, input.as_mut_slice());
    debug_assert_eq!(written.ok(), Some(43));
    let full = bcrypt::bcrypt(u32::from(cost.0), salt, input.as_slice());
    let [tag @ .., _] = full;
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_outside_10_to_14_are_refused() {
        for cost in [0, 4, 9, 15, 31, 256 + 10, u32::MAX] {
            assert_eq!(BcryptCost::new(cost), Err(InvalidBcryptCost), "{cost}");
        }
        for cost in 10..=14 {
            assert_eq!(u32::from(BcryptCost::new(cost).unwrap().get()), cost);
        }
    }

    #[test]
    fn the_tag_is_that_of_the_2b_form_over_the_digests_base64() {
        let digest = [7; 32];
        let salt = *b"0123456789abcdef";
        let password = STANDARD_NO_PAD.encode(digest);
        let whole = bcrypt::non_truncating_hash_with_salt(password, 10, salt).unwrap();
        let expected = whole.to_string().split_off("$2b$10$".len() + 22);
        let engine = bcrypt::BASE_64;
        assert_eq!(engine.encode(tag(BcryptCost::MIN, &digest, salt)), expected);
    }

    #[test]
    fn a_difference_in_the_last_bit_of_the_digest_is_seen() {
        let (mut one, mut other) = ([7; 32], [7; 32]);
        (one[31], other[31]) = (0, 1);
        assert_ne!(
            tag(BcryptCost::MIN, &one, [0; 16]),
            tag(BcryptCost::MIN, &other, [0; 16])
        );
    }
}
