//! Signs with Ed25519 (RFC 8032), for readers that must not be able to sign.

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use super::{DerivedKey, InvalidKey};

/// How many bytes a signature has.
const SIGNATURE: usize = 64;

/// Holds the public half of a key for Ed25519: it checks signatures and makes none, so it may be
/// shown to anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; Self::LENGTH]);

impl PublicKey {
    /// How many bytes a public key has.
    pub const LENGTH: usize = 32;

    /// Gives the bytes, as RFC 8032 section 5.1.5 writes them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    pub(super) fn of(seed: &DerivedKey) -> Result<Self, InvalidKey> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose());
        let pair = pair.map_err(|_| InvalidKey::Derivation)?;
        let public = <[u8; Self::LENGTH]>::try_from(pair.public_key().as_ref());
        public.map(Self).map_err(|_| InvalidKey::Derivation)
    }

    /// Takes a signature for what it is: `None` where it is not this key's over the text.
    pub(crate) fn verified(&self, text: &[u8], signature: &[u8]) -> Option<()> {
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        key.verify(text, signature).ok()
    }
}

/// Signs a text with the key whose seed and public half these are; `None` where they do not belong
/// together.
///
/// The expanded key lives as long as the call: between calls there is nothing but the seed, which is
/// wiped with its ring.
pub(crate) fn sign(seed: &DerivedKey, public: &PublicKey, text: &[u8]) -> Option<[u8; SIGNATURE]> {
    let pair = Ed25519KeyPair::from_seed_and_public_key(seed.expose(), &public.0).ok()?;
    <[u8; SIGNATURE]>::try_from(pair.sign(text).as_ref()).ok()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn seed(text: &str) -> DerivedKey {
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
        DerivedKey::from_bytes(bytes.try_into().unwrap())
    }

    /// RFC 8037 appendix A: the key of A.1, its public half of A.2, the signature of A.4 and its
    /// verification of A.5.
    #[test]
    fn the_example_of_rfc_8037_is_signed_and_verified_to_the_byte() {
        let seed = seed("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
        let public = PublicKey::of(&seed).unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(public.as_bytes()),
            "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        );
        let text = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = sign(&seed, &public, text).unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(signature),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
        assert_eq!(public.verified(text, &signature), Some(()));
        assert_eq!(public.verified(b"another text", &signature), None);
    }

    #[test]
    fn a_seed_signs_under_its_own_public_key_alone() {
        let one = DerivedKey::from_bytes([1; 32]);
        let other = PublicKey::of(&DerivedKey::from_bytes([2; 32])).unwrap();
        assert_eq!(sign(&one, &other, b"text"), None);
    }

    #[test]
    fn attack_a_signature_whose_second_half_is_not_reduced_is_refused() {
        let seed = DerivedKey::from_bytes([3; 32]);
        let public = PublicKey::of(&seed).unwrap();
        let mut signature = sign(&seed, &public, b"text").unwrap();
        // The order of the group, little-endian (RFC 8032 section 5.1): S + L is the same scalar.
        let order: [u16; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
            0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut carry = 0_u16;
        for (byte, more) in signature[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + more + carry;
            *byte = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
        assert_eq!(public.verified(b"text", &signature), None);
    }
}
